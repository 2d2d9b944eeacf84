//! The order-free digest of a table.

use serde::{Deserialize, Serialize};
use sha2::Digest;

/// `digest/1` of a table: rows, and the sum modulo 2^128 of the first 16 bytes (big endian) of
/// SHA-256 of each row's
/// COPY text line without its newline, columns sorted by name. Independent of row order, server
/// version and chunking,
/// so chunks add up (docs/formats/digest.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    pub rows: u64,
    pub sum: u128,
}

impl TableDigest {
    pub fn add_line(&mut self, line: &[u8]) {
        self.merge(Self::of_line(line).0);
    }

    /// Of one row, and the last two bytes of its SHA-256, which no digest holds: rows are spread by
    /// them.
    pub fn of_line(line: &[u8]) -> (Self, u16) {
        let hash = sha2::Sha256::digest(line);
        let mut first = [0u8; 16];
        first.copy_from_slice(&hash[..16]);
        let of_line = Self {
            rows: 1,
            sum: u128::from_be_bytes(first),
        };
        (of_line, u16::from_be_bytes([hash[30], hash[31]]))
    }

    /// Adds each of the complete lines, without their newlines.
    pub fn add_lines(&mut self, lines: &[u8]) {
        let body = lines.strip_suffix(b"\n").unwrap_or(lines);
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', body) {
            self.add_line(&body[from..end]);
            from = end + 1;
        }
        self.add_line(&body[from..]);
    }

    pub fn merge(&mut self, other: Self) {
        // What is stored may say anything.
        self.rows = self.rows.saturating_add(other.rows);
        self.sum = self.sum.wrapping_add(other.sum);
    }

    pub fn hex(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    rows: u64,
    digest: String,
}

impl Serialize for TableDigest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Wire {
            rows: self.rows,
            digest: self.hex(),
        }
        .serialize(s)
    }
}

impl<'de> Deserialize<'de> for TableDigest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(d)?;
        let sum = u128::from_str_radix(&wire.digest, 16).map_err(serde::de::Error::custom)?;
        Ok(Self {
            rows: wire.rows,
            sum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn order_and_chunking_do_not_matter(mut lines: Vec<Vec<u8>>, cut: usize) {
            let mut whole = TableDigest::default();
            lines.iter().for_each(|l| whole.add_line(l));
            lines.reverse();
            let at = if lines.is_empty() { 0 } else { cut % lines.len() };
            let (mut a, mut b) = (TableDigest::default(), TableDigest::default());
            lines[..at].iter().for_each(|l| a.add_line(l));
            lines[at..].iter().for_each(|l| b.add_line(l));
            a.merge(b);
            proptest::prop_assert_eq!(a, whole);
        }
    }

    #[test]
    fn a_known_row_has_a_known_digest() {
        let mut digest = TableDigest::default();
        digest.add_line(b"");
        assert_eq!(digest.hex(), "e3b0c44298fc1c149afbf4c8996fb924");
    }

    #[test]
    fn lines_are_counted_without_their_newlines_and_an_empty_line_is_a_row() {
        let (mut one, mut two) = (TableDigest::default(), TableDigest::default());
        one.add_lines(b"a\n\nb\n");
        [&b"b"[..], b"", b"a"].iter().for_each(|l| two.add_line(l));
        assert_eq!(one, two);
        assert_eq!(one.rows, 3);
    }
}
