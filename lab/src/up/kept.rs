//! D/lab.json: what is the same at every start.

use super::error::LabError;
use super::place::write_private;
use crate::accounts::{AWS_REGIONS, Keys, REGIONS, random_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

const VERSION: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    pub version: u32,
    pub ports: Ports,
    pub keys: Keys,
    /// Of the production cluster's master user.
    pub master_password: String,
    /// With it roles are assumed without a key; empty in the files of earlier labs.
    #[serde(default)]
    pub web_identity_token: String,
    pub clock_offset_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    pub control: u16,
    /// By region.
    pub s3: BTreeMap<String, u16>,
    /// By region: RDS, STS and KMS.
    pub query: BTreeMap<String, u16>,
}

impl Kept {
    /// Read, or made up and kept.
    ///
    /// # Errors
    /// A file that is no lab's, or no free ports.
    pub fn open(dir: &Path) -> Result<Self, LabError> {
        let file = dir.join("lab.json");
        match std::fs::read(&file) {
            Ok(bytes) => {
                let strange = |why: String| {
                    LabError::told(format!(
                        "{} is not of this lab ({why}); choose another --dir",
                        file.display()
                    ))
                };
                let mut kept: Self =
                    serde_json::from_slice(&bytes).map_err(|e| strange(e.to_string()))?;
                if kept.version != VERSION {
                    return Err(strange(format!("version {}", kept.version)));
                }
                let token_was_missing = kept.web_identity_token.is_empty();
                if token_was_missing {
                    kept.web_identity_token = web_identity_token();
                }
                if kept.keys.complete() || token_was_missing {
                    kept.save(dir)?;
                }
                Ok(kept)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let (keys, master_password) = (Keys::generate(), random_text(24));
                let kept = Self {
                    version: VERSION,
                    ports: Ports::choose()?,
                    keys,
                    master_password,
                    web_identity_token: web_identity_token(),
                    clock_offset_s: 0,
                };
                kept.save(dir)?;
                Ok(kept)
            }
            Err(e) => Err(LabError::file("reading", &file)(e)),
        }
    }

    /// # Errors
    /// The disk's.
    pub fn save(&self, dir: &Path) -> Result<(), LabError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|e| LabError::told(e.to_string()))?;
        write_private(&dir.join("lab.json"), &bytes)
    }
}

/// In the shape of a JSON web token; the lab compares it and reads nothing from it.
fn web_identity_token() -> String {
    [36, 120, 86].map(random_text).join(".")
}

impl Ports {
    /// Below the range that the kernel takes for outgoing connections and below that of the
    /// servers, so that they are
    /// likely free again at the next start; labs side by side begin at different places.
    fn choose() -> Result<Self, LabError> {
        const FIRST: u16 = 10_000;
        const LAST: u16 = 19_999;
        let start =
            FIRST + u16::try_from(std::process::id() * 37 % u32::from(LAST - FIRST)).unwrap_or(0);
        let mut free = (start..=LAST)
            .chain(FIRST..start)
            .filter(|p| TcpListener::bind(("127.0.0.1", *p)).is_ok());
        let mut next = || {
            free.next()
                .ok_or_else(|| LabError::told(format!("no free ports between {FIRST} and {LAST}")))
        };
        let control = next()?;
        let mut by_region = |regions: &[&str]| {
            regions
                .iter()
                .map(|r| Ok(((*r).to_owned(), next()?)))
                .collect::<Result<BTreeMap<_, _>, LabError>>()
        };
        let (s3, query) = (by_region(&REGIONS)?, by_region(&AWS_REGIONS)?);
        Ok(Self { control, s3, query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_door_has_a_port_of_its_own() {
        let ports = Ports::choose().expect("free ports");
        let all: BTreeSet<u16> = ports
            .s3
            .values()
            .chain(ports.query.values())
            .copied()
            .chain([ports.control])
            .collect();
        assert_eq!(all.len(), 6);
    }
}
