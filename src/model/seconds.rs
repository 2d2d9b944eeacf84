//! Durations as people write them: `90s`, `5m`, `1h30m`, `30d`.

use super::as_text::as_text;
use schemars::JsonSchema;
use std::fmt;

/// Whole seconds. Written in a policy as numbers with the units d, h, m, s in that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
pub struct Seconds(pub u64);

impl Seconds {
    pub const fn minutes(n: u64) -> Self {
        Self(n * 60)
    }
    pub const fn hours(n: u64) -> Self {
        Self(n * 3600)
    }
    pub const fn days(n: u64) -> Self {
        Self(n * 86_400)
    }
    pub fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0)
    }
    /// As a signed number of seconds, for arithmetic on instants.
    pub fn signed(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// # Errors
    /// A sentence that names the text and the form wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a duration; write it like 90s, 5m, 1h30m or 30d");
        let (mut total, mut digits, mut last_unit) = (0u64, String::new(), u64::MAX);
        if text.is_empty() {
            return Err(wrong());
        }
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let unit = match c {
                'd' => 86_400,
                'h' => 3600,
                'm' => 60,
                's' => 1,
                _ => return Err(wrong()),
            };
            let n: u64 = digits.parse().map_err(|_| wrong())?;
            if unit >= last_unit {
                return Err(wrong());
            }
            total = n
                .checked_mul(unit)
                .and_then(|s| total.checked_add(s))
                .ok_or_else(wrong)?;
            (last_unit, digits) = (unit, String::new());
        }
        // A hundred years is the longest retention S3 takes; nothing here may be longer.
        if digits.is_empty() && total <= 100 * 366 * 86_400 {
            Ok(Self(total))
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (size, unit) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

as_text!(Seconds);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_people_write() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("1h30m", 5400),
            ("30d", 2_592_000),
        ] {
            assert_eq!(Seconds::parse(text).unwrap(), Seconds(seconds));
        }
        assert_eq!(Seconds(90).to_string(), "1m30s");
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        for text in [
            "",
            "5",
            "m",
            "5x",
            "1m1h",
            "99999999999999999999d",
            "-3s",
            "1000000d",
        ] {
            assert!(
                Seconds::parse(text).unwrap_err().contains("not a duration"),
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_duration_survives_the_round_trip(s in 0u64..100 * 366 * 86_400) {
            proptest::prop_assert_eq!(Seconds::parse(&Seconds(s).to_string()).unwrap(), Seconds(s));
        }
    }
}
