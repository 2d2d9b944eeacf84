//! Scheduled times.

use super::as_text::as_text;
use jiff::Timestamp;
use std::fmt;

const FORM: &str = "%Y%m%dT%H%M%SZ";

/// One scheduled time, in whole seconds of UTC. Written `20261124T020000Z`: it sorts as text, and
/// can stand in a key and in an RDS name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(Timestamp);

impl Slot {
    /// Fractions of a second are cut: names carry none.
    pub fn at(time: Timestamp) -> Self {
        Self(Timestamp::from_second(time.as_second()).unwrap_or(time))
    }

    pub fn time(self) -> Timestamp {
        self.0
    }

    /// # Errors
    /// A sentence that says how a slot is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(60).collect();
            format!("`{shown}` is no slot; write it like 20261124T020000Z")
        };
        // The length first: the parser takes years of other lengths, which would not sort.
        if text.len() != 16 {
            return Err(wrong());
        }
        let civil = jiff::civil::DateTime::strptime(FORM, text).map_err(|_| wrong())?;
        let zoned = civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_err(|_| wrong())?;
        Ok(Self(zoned.timestamp()))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.strftime(FORM).to_string())
    }
}

impl std::str::FromStr for Slot {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

as_text!(Slot);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_is_written_and_nothing_else_is_one() {
        let slot = Slot::parse("20261124T020000Z").unwrap();
        assert_eq!(slot.to_string(), "20261124T020000Z");
        assert_eq!(Slot::at("2026-11-24T02:00:00.7Z".parse().unwrap()), slot);
        for text in [
            "",
            "20261124T0200Z",
            "2026-11-24T02:00:00Z",
            "20261324T020000Z",
            "../../../../etc/x",
        ] {
            assert!(Slot::parse(text).unwrap_err().contains("no slot"), "{text}");
        }
    }
}
