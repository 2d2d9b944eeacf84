//! SHA-256 of bytes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::fmt;

/// SHA-256 as 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256(pub String);

impl Sha256 {
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// As others write it: hex digits of either case, with `\x` before them where a server shows
    /// bytes, or base64.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix("\\x").unwrap_or(text);
        if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Some(Self(digits.to_ascii_lowercase()));
        }
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(hex::encode(bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, for names that have no room for all of them.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Sha256;

    #[test]
    fn a_digest_is_read_as_databases_and_services_write_it() {
        let of = Sha256::of(b"a");
        let upper = of.as_str().to_ascii_uppercase();
        let bytea = format!("\\x{of}");
        let base64 = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
        for text in [of.as_str(), &upper, &bytea, base64] {
            assert_eq!(Sha256::read(text), Some(of.clone()), "{text}");
        }
        for text in ["", "a", "ypeBEsobvcr6", &of.as_str()[1..], "\\xzz"] {
            assert_eq!(Sha256::read(text), None, "{text}");
        }
    }
}
