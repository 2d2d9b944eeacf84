//! Which version of an object in a source bucket.

use super::{Sha256, VersionId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A version of an object in a source bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SourceVersion {
    Id(VersionId),
    /// Written before versioning was enabled. Another one can take its place, so its instant and
    /// content say which was meant.
    Null {
        null: NullVersion,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NullVersion {
    pub last_modified: Timestamp,
    pub etag: Option<String>,
}

impl SourceVersion {
    /// As the service told it: a version called `null` is known by its content.
    pub fn of(id: VersionId, last_modified: Timestamp, etag: Option<&str>) -> Self {
        if id == VersionId::null() {
            let etag = etag.map(str::to_owned);
            Self::Null {
                null: NullVersion {
                    last_modified,
                    etag,
                },
            }
        } else {
            Self::Id(id)
        }
    }

    /// What to ask the service for; `None`: the version that is there now, pinned by its ETag.
    pub fn id(&self) -> Option<&VersionId> {
        match self {
            SourceVersion::Id(id) => Some(id),
            SourceVersion::Null { .. } => None,
        }
    }

    /// As it stands in the key of its copy: one segment of a path, never that of another version.
    pub fn segment(&self) -> String {
        match self {
            SourceVersion::Id(id) => id.as_str().to_owned(),
            SourceVersion::Null { null } => {
                let etag = null.etag.as_deref().unwrap_or_default();
                let content = Sha256::of(etag.as_bytes());
                format!(
                    "null-{}-{}",
                    null.last_modified.as_second(),
                    content.short()
                )
            }
        }
    }
}

impl std::fmt::Display for SourceVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segment())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_calls_itself_like_one_without_id_is_not_taken_for_it() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let named = SourceVersion::of(VersionId::new("null-1-none"), at, None);
        assert_eq!(named.id(), Some(&VersionId::new("null-1-none")));
        let null = SourceVersion::of(VersionId::null(), at, Some("\"abc\""));
        assert_eq!(null.id(), None);
        assert!(null.segment().starts_with("null-1700000000-"));
        let other = SourceVersion::of(VersionId::null(), at, Some("\"abd\""));
        assert_ne!(null.segment(), other.segment());
    }

    #[test]
    fn both_kinds_survive_their_bytes() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        for version in [
            SourceVersion::Id(VersionId::new("abc")),
            SourceVersion::of(VersionId::null(), at, None),
        ] {
            let text = serde_json::to_string(&version).unwrap();
            assert_eq!(
                serde_json::from_str::<SourceVersion>(&text).unwrap(),
                version
            );
        }
    }
}
