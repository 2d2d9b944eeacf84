//! A crontab line with crontab's meaning, on top of the `cron` crate's parser.

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use jiff::Timestamp;
use jiff::civil::{self, DateTime as Civil};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::str::FromStr;

/// One schedule line in one time zone.
#[derive(Clone)]
pub struct Line {
    /// The line, or its two halves where both day fields are restricted (crontab's OR).
    parts: Vec<cron::Schedule>,
    zone: TimeZone,
    /// A wildcard hour (or minute step) goes on by real time through a change of the clock.
    by_real_time: bool,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl Line {
    /// # Errors
    /// What is wrong with the line or the zone, in a sentence.
    pub fn parse(text: &str, zone: &str) -> Result<Self, String> {
        let zone = TimeZone::get(zone)
            .map_err(|_| format!("no time zone `{zone}`; use an IANA name such as Europe/Paris"))?;
        let text = expand_alias(text.trim())?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (second, fields) = match fields.len() {
            5 => ("0", &fields[..]),
            6 => (fields[0], &fields[1..]),
            n => {
                return Err(format!(
                    "`{text}` has {n} fields; a crontab line has 5, or 6 with seconds first"
                ));
            }
        };
        let [minute, hour, day, month, weekday] = fields else {
            return Err(format!("`{text}` is not a crontab line"));
        };
        let weekday = weekday_names(weekday)?;
        let (day_free, weekday_free) = (is_free(day), is_free(&weekday));
        // The crate combines the two day fields with AND; crontab takes either when both are
        // restricted.
        let days = if !day_free && !weekday_free {
            vec![(*day, "*"), ("*", weekday.as_str())]
        } else {
            vec![(*day, weekday.as_str())]
        };
        let parts = days
            .into_iter()
            .map(|(d, w)| {
                let line = format!("{second} {minute} {hour} {d} {month} {w}");
                cron::Schedule::from_str(&line).map_err(|_| {
                    format!(
                        "`{text}` is not a crontab line; five fields are minute \
                     hour day month weekday"
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            parts,
            zone,
            by_real_time: hour.starts_with('*'),
        })
    }

    /// Instants strictly after `from`, ascending.
    pub fn after(&self, from: Timestamp) -> Box<dyn Iterator<Item = Timestamp> + '_> {
        // Two hours of slack: local times map to instants out of order around a change of the
        // clock.
        let start = from - jiff::SignedDuration::from_hours(3);
        let civil = self.zone.to_datetime(start);
        let Some(begin) = to_chrono(civil) else {
            return Box::new(std::iter::empty());
        };
        let parts = self
            .parts
            .iter()
            .map(|p| p.after_owned(begin).map(|t| self.instants(&t)).peekable());
        let merged = Merge {
            parts: parts
                .map(|i| Box::new(i.flatten()) as Box<dyn Iterator<Item = Timestamp>>)
                .map(Iterator::peekable)
                .collect(),
            held: Vec::new(),
        };
        let mut last = from;
        Box::new(merged.filter(move |t| {
            let new = *t > last;
            if new {
                last = *t;
            }
            new
        }))
    }

    /// The newest instant not after `now`, at most a little more than eight years back.
    pub fn previous(&self, now: Timestamp) -> Option<Timestamp> {
        let mut back_s = 3600 * 2;
        while back_s < 9 * 366 * 86_400 {
            let from = now - jiff::SignedDuration::from_secs(back_s);
            if let Some(found) = self.after(from).take_while(|t| *t <= now).last() {
                return Some(found);
            }
            back_s *= 4;
        }
        None
    }

    /// The instants that a local time stands for: none, one or (fold, by real time) two.
    fn instants(&self, naive: &DateTime<Utc>) -> Vec<Timestamp> {
        let Some(civil) = to_civil(naive) else {
            return Vec::new();
        };
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible().into_iter().collect(),
            // By real time the skipped local times do not exist; a fixed time fires at the gap's
            // end.
            AmbiguousOffset::Gap { .. } if self.by_real_time => Vec::new(),
            AmbiguousOffset::Gap { .. } => {
                // The transition itself is the gap's end.
                let early = ambiguous.earlier().ok();
                early
                    .and_then(|t| {
                        self.zone
                            .following(t - jiff::SignedDuration::from_hours(3))
                            .next()
                            .map(|tr| tr.timestamp())
                    })
                    .into_iter()
                    .collect()
            }
            AmbiguousOffset::Fold { .. } if self.by_real_time => {
                [ambiguous.earlier(), ambiguous.later()]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            AmbiguousOffset::Fold { .. } => ambiguous.earlier().into_iter().collect(),
        }
    }
}

/// Merges the parts in order. A fold yields its two instants far apart, so up to two hours are held
/// back and sorted.
struct Merge<'a> {
    parts: Vec<std::iter::Peekable<Box<dyn Iterator<Item = Timestamp> + 'a>>>,
    held: Vec<Timestamp>,
}

impl Iterator for Merge<'_> {
    type Item = Timestamp;
    fn next(&mut self) -> Option<Timestamp> {
        let horizon = |held: &[Timestamp]| {
            held.iter()
                .min()
                .map(|t| *t + jiff::SignedDuration::from_hours(3))
        };
        loop {
            let next = self
                .parts
                .iter_mut()
                .filter_map(|p| p.peek().copied())
                .min();
            match (next, horizon(&self.held)) {
                (Some(t), Some(h)) if t > h => break,
                (None, _) => break,
                (Some(_), _) => {
                    let part = self
                        .parts
                        .iter_mut()
                        .find_map(|p| (p.peek().copied() == next).then(|| p.next()))?;
                    self.held.extend(part);
                }
            }
            // A line of every second would otherwise hold hours of them.
            if self.held.len() > 20_000 {
                break;
            }
        }
        let (index, _) = self.held.iter().enumerate().min_by_key(|(_, t)| **t)?;
        Some(self.held.swap_remove(index))
    }
}

fn is_free(field: &str) -> bool {
    field == "*" || field == "?"
}

fn expand_alias(text: &str) -> Result<String, String> {
    Ok(match text {
        "@hourly" => "0 * * * *".into(),
        "@daily" | "@midnight" => "0 0 * * *".into(),
        "@weekly" => "0 0 * * 0".into(),
        "@monthly" => "0 0 1 * *".into(),
        "@yearly" | "@annually" => "0 0 1 1 *".into(),
        other if other.starts_with('@') => {
            return Err(format!(
                "`{other}` is not one of @hourly, @daily, @weekly, @monthly, @yearly"
            ));
        }
        other => other.into(),
    })
}

/// Numbers of the weekday field to names: the crate counts 1 = Sunday, crontab 0 and 7 = Sunday.
fn weekday_names(field: &str) -> Result<String, String> {
    if is_free(field) {
        return Ok("*".into());
    }
    let mut on = [false; 7];
    for item in field.split(',') {
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(r, s)| (r, Some(s)));
        let step: usize = step
            .map_or(Ok(1), str::parse)
            .ok()
            .filter(|s| *s > 0)
            .ok_or_else(|| format!("`{item}` has no valid step"))?;
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (0, 6),
            Some((a, b)) => (weekday(a)?, weekday(b)?),
            None if item.contains('/') => (weekday(range)?, 6),
            None => (weekday(range)?, weekday(range)?),
        };
        // `5-1` and `Fri-Mon` wrap; `0-7` and `5-7` run up to Sunday.
        let high = if high < low { high + 7 } else { high };
        (low..=high).step_by(step).for_each(|d| on[d % 7] = true);
    }
    if on.iter().all(|d| *d) {
        return Ok("*".into());
    }
    let names: Vec<&str> = (0..7).filter(|d| on[*d]).map(|d| DAYS[d]).collect();
    Ok(names.join(","))
}

fn weekday(text: &str) -> Result<usize, String> {
    let wrong =
        || format!("`{text}` is not a weekday; 0 and 7 are Sunday, 1 is Monday, or Sun, Mon, …");
    if let Ok(n) = text.parse::<usize>() {
        return if n <= 7 { Ok(n) } else { Err(wrong()) };
    }
    DAYS.iter()
        .position(|d| d.eq_ignore_ascii_case(text))
        .ok_or_else(wrong)
}

fn to_chrono(civil: Civil) -> Option<DateTime<Utc>> {
    let date = NaiveDate::from_ymd_opt(
        civil.year().into(),
        civil.month().unsigned_abs().into(),
        civil.day().unsigned_abs().into(),
    )?;
    let time = date.and_hms_opt(
        civil.hour().unsigned_abs().into(),
        civil.minute().unsigned_abs().into(),
        civil.second().unsigned_abs().into(),
    )?;
    Some(time.and_utc())
}

fn to_civil(t: &DateTime<Utc>) -> Option<Civil> {
    use chrono::Datelike;
    let (h, m, s) = (t.hour(), t.minute(), t.second());
    civil::DateTime::new(
        i16::try_from(t.year()).ok()?,
        i8::try_from(t.month()).ok()?,
        i8::try_from(t.day()).ok()?,
        i8::try_from(h).ok()?,
        i8::try_from(m).ok()?,
        i8::try_from(s).ok()?,
        0,
    )
    .ok()
}
