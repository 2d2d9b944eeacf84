//! `digest/1` of a table, with subtraction: the model adds what appears and subtracts what goes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Rows, and the sum modulo 2^128 of the first 16 bytes of SHA-256 of each row's COPY line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    pub rows: u64,
    pub sum: u128,
}

fn hash(line: &[u8]) -> u128 {
    let hash = Sha256::digest(line);
    let mut first = [0u8; 16];
    first.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(first)
}

impl TableDigest {
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hash(line));
    }

    pub fn subtract(&mut self, line: &[u8]) {
        self.rows = self.rows.saturating_sub(1);
        self.sum = self.sum.wrapping_sub(hash(line));
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
            digest: format!("{:032x}", self.sum),
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

    #[test]
    fn what_is_added_and_taken_away_leaves_nothing() {
        let mut digest = TableDigest::default();
        digest.add(b"a");
        digest.add(b"");
        digest.subtract(b"a");
        assert_eq!(
            serde_json::to_string(&digest).expect("json"),
            r#"{"rows":1,"digest":"e3b0c44298fc1c149afbf4c8996fb924"}"#
        );
        digest.subtract(b"");
        assert_eq!(digest, TableDigest::default());
    }
}
