//! Which slots are due. Pure: a schedule, what is known to have run, and an instant in; slots out.
//!
//! The `cron` crate parses; the meaning is crontab's: Sunday is 0 or 7, the two day fields are
//! OR-ed when both are
//! restricted, and daylight saving follows cronie (a fixed time inside the gap fires at the gap's
//! end, one inside
//! the fold fires once, a line with a wildcard hour goes on by real time).

mod line;

use crate::model::Slot;
use crate::policy::{Missed, Schedule};
use jiff::{SignedDuration, Timestamp};
pub use line::Line;

/// What the journals say of the slots seen so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Slots that have a run, finished or not.
    pub seen: Vec<Slot>,
    /// Nothing before this instant is owed (the vault did not exist, or the policy was first used
    /// then).
    pub since: Option<Timestamp>,
}

/// At most this many missed slots are caught up.
const MAX_CATCH_UP: usize = 100;

/// Slots to open now, oldest first. Empty: nothing is due.
///
/// # Errors
/// The schedule cannot be read (`policy check` says so as well).
pub fn due(schedule: &Schedule, history: &History, now: Timestamp) -> Result<Vec<Slot>, String> {
    let line = Line::parse(&schedule.cron, &schedule.time_zone)?;
    // A run of a slot to come was not made by this schedule: it must not keep real ones from their
    // turn.
    let newest = history
        .seen
        .iter()
        .map(|s| s.time())
        .filter(|t| *t <= now)
        .max();
    let from = match (newest, history.since) {
        (Some(newest), _) => newest + SignedDuration::from_secs(1),
        (None, Some(since)) => since,
        // A vault that never saw a run owes the latest slot: the first backup must not wait for a
        // day.
        (None, None) => return Ok(line.previous(now).into_iter().map(Slot::at).collect()),
    };
    Ok(match schedule.missed {
        Missed::Latest => line
            .previous(now)
            .filter(|t| *t >= from)
            .map(Slot::at)
            .into_iter()
            .collect(),
        Missed::All => {
            let mut slots: Vec<Slot> = line
                .after(from - SignedDuration::from_secs(1))
                .take_while(|t| *t <= now)
                .map(Slot::at)
                .collect();
            let surplus = slots.len().saturating_sub(MAX_CATCH_UP);
            slots.drain(..surplus);
            slots
        }
    })
}

/// Slots up to `now` that no run was opened for and that are still owed: a later run makes good
/// what
/// came before it where the policy wants the latest only; where it wants all, each is owed.
pub fn missed(schedule: &Schedule, history: &History, now: Timestamp) -> Result<Vec<Slot>, String> {
    let line = Line::parse(&schedule.cron, &schedule.time_zone)?;
    let since = match schedule.missed {
        Missed::Latest => history.seen.iter().filter(|s| s.time() <= now).max(),
        Missed::All => history.seen.iter().min(),
    };
    let Some(since) = since else {
        return Ok(Vec::new());
    };
    Ok(line
        .after(since.time())
        .take_while(|t| *t <= now)
        .map(Slot::at)
        .filter(|s| !history.seen.contains(s))
        .collect())
}

/// The newest slot that has come.
pub fn latest(schedule: &Schedule, now: Timestamp) -> Option<Slot> {
    Line::parse(&schedule.cron, &schedule.time_zone)
        .ok()?
        .previous(now)
        .map(Slot::at)
}

pub fn next(schedule: &Schedule, now: Timestamp) -> Option<Slot> {
    Line::parse(&schedule.cron, &schedule.time_zone)
        .ok()?
        .after(now)
        .next()
        .map(Slot::at)
}

/// Whether the line can be read and ever fires.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn fires(schedule: &Schedule) -> Result<(), String> {
    let line = Line::parse(&schedule.cron, &schedule.time_zone)?;
    // Any fixed instant will do: a leap day comes within eight years of each.
    let start = Timestamp::from_second(1_767_225_600).map_err(|e| e.to_string())?;
    match line.after(start).next() {
        Some(_) => Ok(()),
        None => Err(format!("`{}` never fires", schedule.cron)),
    }
}

/// Longest gap between two slots, over a year from a fixed instant; `None` where the line never
/// fires.
pub fn longest_interval_s(schedule: &Schedule) -> Option<u64> {
    let line = Line::parse(&schedule.cron, &schedule.time_zone).ok()?;
    let start = Timestamp::from_second(1_767_225_600).ok()?;
    let times: Vec<Timestamp> = line.after(start).take(800).collect();
    times
        .windows(2)
        .map(|w| w[1].duration_since(w[0]).as_secs().unsigned_abs())
        .max()
}

#[cfg(test)]
mod tests;
