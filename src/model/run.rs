//! Names of runs and of their steps.

use super::Slot;
use super::as_text::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    Backup,
    Drill,
    Restore,
    /// Of what closed drills left.
    Sweep,
    /// Buckets made into vaults.
    Init,
    /// Locks of targets, tried.
    Probe,
    /// A policy, stored before the first run that names it.
    Policy,
    /// Copies, read again.
    Verify,
}

impl RunKind {
    pub const ALL: [RunKind; 8] = [
        RunKind::Backup,
        RunKind::Drill,
        RunKind::Restore,
        RunKind::Sweep,
        RunKind::Init,
        RunKind::Probe,
        RunKind::Policy,
        RunKind::Verify,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Backup => "backup",
            RunKind::Drill => "drill",
            RunKind::Restore => "restore",
            RunKind::Sweep => "sweep",
            RunKind::Init => "init",
            RunKind::Probe => "probe",
            RunKind::Policy => "policy",
            RunKind::Verify => "verify",
        }
    }

    /// Whether such a run shows what is: a step that failed for good is its result, and no later
    /// tick tries it again.
    pub fn shows_what_is(self) -> bool {
        !matches!(self, RunKind::Backup | RunKind::Restore | RunKind::Sweep)
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `backup-20261124T020000Z`, or for a manual run `drill-20261124T020311Z-1a2b3c4d`. Only what has
/// this form is one, so that a name that was found can stand in a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    pub fn scheduled(kind: RunKind, slot: Slot) -> Self {
        Self(format!("{kind}-{slot}"))
    }

    /// `mark` says what was asked for, so that the same command finds its own run again.
    pub fn manual(kind: RunKind, at: Slot, mark: &Mark) -> Self {
        Self(format!("{kind}-{at}-{mark}"))
    }

    /// The name in a vault of a run that was journalled beside it.
    #[must_use]
    pub fn beside(&self, runner: &Mark) -> Self {
        Self(format!("{self}-local-{runner}"))
    }

    /// Whether it was journalled beside the vault and brought there: what lacks of it is in its
    /// file.
    pub fn was_beside(&self) -> bool {
        self.0.contains("-local-")
    }

    /// # Errors
    /// A sentence that says what a run is called.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(80).collect();
            format!("`{shown}` is no run; a run is called like backup-20261124T020000Z")
        };
        parts(text).ok_or_else(wrong)?;
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn kind(&self) -> RunKind {
        parts(&self.0).map_or(RunKind::Backup, |(kind, ..)| kind)
    }

    /// The scheduled time, or the second that a manual run was asked for in.
    pub fn slot(&self) -> Slot {
        parts(&self.0).map_or(Slot::at(jiff::Timestamp::UNIX_EPOCH), |(_, slot, _)| slot)
    }

    /// Whether this is a manual run of what `mark` stands for.
    pub fn has_mark(&self, mark: &Mark) -> bool {
        parts(&self.0).is_some_and(|(_, _, rest)| rest == Some(mark.as_str()))
    }
}

fn parts(text: &str) -> Option<(RunKind, Slot, Option<&str>)> {
    let (kind, rest) = text.split_once('-')?;
    let kind = RunKind::ALL.into_iter().find(|k| k.as_str() == kind)?;
    let (slot, rest) = match rest.split_once('-') {
        Some((slot, rest)) => (slot, Some(rest)),
        None => (rest, None),
    };
    let plain = |r: &str| {
        (1..=64).contains(&r.len())
            && r.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let slot = Slot::parse(slot).ok()?;
    rest.is_none_or(plain).then_some((kind, slot, rest))
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(RunId);

/// Eight lower-case hex digits that stand for something longer in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The first eight digits of a digest or of a runner's number.
    pub fn of(hex: &str) -> Self {
        Self(hex.chars().take(8).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `copy-objects:files:central`: the action's name, and what of several it is done to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    pub fn new(action: &'static str, of: &[&dyn fmt::Display]) -> Self {
        let mut id = action.to_owned();
        for part in of {
            id.push(':');
            id.push_str(&part.to_string());
        }
        Self(id)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_are_read_and_other_names_are_not() {
        let scheduled = RunId::parse("backup-20261124T020000Z").unwrap();
        assert_eq!(scheduled.slot().to_string(), "20261124T020000Z");
        let mark = Mark::of("1a2b3c4d5e6f");
        let manual = RunId::manual(RunKind::Drill, scheduled.slot(), &mark);
        assert_eq!(RunId::parse(manual.as_str()), Ok(manual.clone()));
        assert!(manual.kind() == RunKind::Drill && manual.has_mark(&mark));
        assert!(!scheduled.has_mark(&mark));
        let local = manual.beside(&Mark::of("99887766aa"));
        assert_eq!(RunId::parse(local.as_str()), Ok(local.clone()));
        assert!(local.was_beside() && !manual.was_beside());
        assert!(
            !local.has_mark(&mark),
            "it is no run of the vault's journal"
        );
        for name in [
            "other-20261124T020000Z",
            "backup-1",
            "backup-20261124T020000Z-",
            "backup-",
            "backup-20261124T020000Z-../x",
            "backup-20261124T020000Z/00000000",
        ] {
            assert!(RunId::parse(name).unwrap_err().contains("no run"), "{name}");
        }
    }
}
