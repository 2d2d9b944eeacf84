//! The one table of exit codes. Never renumbered; each has a page in runbooks/.

use super::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Bug,
    Usage,
    Findings,
    Breach,
    Superseded,
    Stuck,
    Unavailable,
    Refused,
}

impl Exit {
    pub const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::Bug,
        Exit::Usage,
        Exit::Findings,
        Exit::Breach,
        Exit::Superseded,
        Exit::Stuck,
        Exit::Unavailable,
        Exit::Refused,
    ];

    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Bug => 1,
            Exit::Usage => 2,
            Exit::Findings => 3,
            Exit::Breach => 4,
            Exit::Superseded => 10,
            Exit::Stuck => 11,
            Exit::Unavailable => 12,
            Exit::Refused => 13,
        }
    }

    /// Where several hold: 13 > 11 > 3 > 4 > 12; 1, 2 and 10 end the command at once.
    fn rank(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Unavailable => 1,
            Exit::Breach => 2,
            Exit::Findings => 3,
            Exit::Stuck => 4,
            Exit::Refused => 5,
            Exit::Superseded => 6,
            Exit::Usage => 7,
            Exit::Bug => 8,
        }
    }

    #[must_use]
    pub fn and(self, other: Exit) -> Exit {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

impl From<Failure> for Exit {
    fn from(kind: Failure) -> Self {
        match kind {
            Failure::Unavailable | Failure::Working => Exit::Unavailable,
            Failure::Stuck => Exit::Stuck,
            Failure::Refused => Exit::Refused,
            Failure::Finding => Exit::Findings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_is_told() {
        let worst = |codes: &[Exit]| codes.iter().fold(Exit::Done, |a, b| a.and(*b)).code();
        assert_eq!(worst(&[Exit::Unavailable, Exit::Findings, Exit::Breach]), 3);
        assert_eq!(worst(&[Exit::Refused, Exit::Stuck]), 13);
        assert_eq!(worst(&[Exit::Unavailable, Exit::Breach]), 4);
        assert_eq!(worst(&[]), 0);
    }
}
