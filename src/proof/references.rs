//! Rows that name files: whether a restore of the same point brings each of them back.
//!
//! A database is read at one instant and its bucket listed later, so that a file whose row was seen
//! is in the list unless it was deleted, or replaced, or put after its row. Those are counted as
//! dangling, of which a policy may allow some; a file that is there with other bytes than its row
//! says is none of them.

use super::{Scope, joined};
use crate::database::Each;
use crate::manifest::{Check, RowKind, StoredRow};
use crate::model::{Sha256, SourceVersion};

/// A longer key is none of S3's.
const LONGEST_KEY: usize = 1024;
/// Keys that are named in a check; all are counted.
const SHOWN: usize = 3;
/// Of a key, so many characters are told.
const TOLD: usize = 100;

/// What a target holds of a bucket, by key.
pub struct Files {
    rows: Vec<StoredRow>,
}

impl Files {
    pub fn of(mut rows: Vec<StoredRow>) -> Self {
        rows.retain(|r| r.stored.is_some() || r.listed.kind == RowKind::DeleteMarker);
        rows.sort_by(|a, b| a.listed.key.cmp(&b.listed.key));
        Self { rows }
    }

    fn versions(&self, key: &str) -> &[StoredRow] {
        let rows = &self.rows;
        let from = rows.partition_point(|r| r.listed.key.as_str() < key);
        let to = from + rows[from..].partition_point(|r| r.listed.key.as_str() == key);
        &rows[from..to]
    }
}

/// What a row may know of its file beside the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    VersionId,
    Sha256,
    SizeBytes,
    Etag,
}

const FACTS: [(&str, Fact); 4] = [
    ("version_id", Fact::VersionId),
    ("sha256", Fact::Sha256),
    ("size_bytes", Fact::SizeBytes),
    ("etag", Fact::Etag),
];

impl Fact {
    /// Whether a version is what the row says. A value of another form is said by none.
    fn holds(self, said: &str, of: &StoredRow) -> bool {
        let listed = &of.listed;
        match self {
            Fact::VersionId => match &listed.version {
                SourceVersion::Id(id) => id.as_str() == said,
                SourceVersion::Null { .. } => said == "null",
            },
            Fact::Sha256 => {
                let held = of.stored.as_ref().map(|s| &s.sha256_plain);
                held.is_some() && held == Sha256::read(said).as_ref()
            }
            Fact::SizeBytes => said.trim().parse() == Ok(listed.size_bytes),
            Fact::Etag => {
                let plain = |etag: &str| etag.trim_matches('"').to_owned();
                listed.etag.as_deref().map(plain) == Some(plain(said))
            }
        }
    }
}

/// What became of one row's file.
enum Found {
    There,
    /// No version of that key, or not the one that the row names.
    Missing,
    /// An older version is what the row says; the newest one is another, or says "deleted".
    Older,
    /// There, and otherwise than the row says.
    Differs,
}

/// All rows of a kind counted, the first ones named.
#[derive(Default)]
struct Named {
    count: u64,
    first: Vec<String>,
}

impl Named {
    fn add(&mut self, key: &str) {
        self.count += 1;
        if self.first.len() < SHOWN {
            let cut = key.chars().count() > TOLD;
            let told: String = key.chars().take(TOLD).collect();
            self.first
                .push(format!("`{told}{}`", if cut { "…" } else { "" }));
        }
    }

    fn told(&self, what: &str) -> Option<String> {
        let (count, first) = (self.count, self.first.join(", "));
        (count > 0).then(|| format!("{count} rows {what}, first {first}"))
    }
}

/// Rows as they are read. Of each, only its count is kept, and of those that are wrong the first
/// keys.
pub struct Lookup<'a> {
    files: &'a Files,
    /// Of the columns after the first.
    facts: Vec<Fact>,
    rows: u64,
    nameless: u64,
    there: u64,
    missing: Named,
    older: Named,
    differs: Named,
}

impl<'a> Lookup<'a> {
    pub fn new(files: &'a Files) -> Self {
        Self {
            files,
            facts: Vec::new(),
            rows: 0,
            nameless: 0,
            there: 0,
            missing: Named::default(),
            older: Named::default(),
            differs: Named::default(),
        }
    }

    fn found(&self, key: &str, said: &[Option<&str>]) -> Found {
        let versions = self.files.versions(key);
        let of_key = || versions.iter().filter(|v| v.stored.is_some());
        let facts = self.facts.iter().zip(said);
        let facts: Vec<(Fact, &str)> = facts.filter_map(|(f, s)| Some((*f, (*s)?))).collect();
        let (pinned, facts): (Vec<_>, Vec<_>) =
            facts.into_iter().partition(|(f, _)| *f == Fact::VersionId);
        let all =
            |of: &&StoredRow, facts: &[(Fact, &str)]| facts.iter().all(|(f, s)| f.holds(s, of));
        // A version that is named is brought back as that version, whatever came after it.
        let mut meant = of_key().filter(|v| match pinned.is_empty() {
            true => v.listed.latest,
            false => all(v, &pinned),
        });
        match meant.next() {
            Some(version) if all(&version, &facts) => Found::There,
            Some(_) if !pinned.is_empty() => Found::Differs,
            Some(_) if of_key().any(|v| all(&v, &facts)) => Found::Older,
            Some(_) => Found::Differs,
            None if pinned.is_empty() && of_key().any(|v| all(&v, &facts)) => Found::Older,
            None => Found::Missing,
        }
    }

    /// `most`: so many may dangle.
    pub fn check(&self, scope: &Scope<'_>, id: &str, most: u64) -> Check {
        let tested = self.rows - self.nameless;
        let dangling = self.missing.count + self.older.count;
        if tested == 0 {
            let why = format!(
                "no row of {} names a file: nothing was looked up",
                self.rows
            );
            return scope.check(id, true, self.rows.max(1), 0, Some(why));
        }
        let nothing = self.there + self.older.count + self.differs.count == 0;
        let missing = match nothing {
            // Then it may be no column of keys, and its values are nobody's to read here.
            true => Some(format!(
                "none of {tested} rows names a file that the copy has; is the first column the \
                 whole key?"
            )),
            false => self.missing.told("name files that the copy does not have"),
        };
        let older = "name files that were deleted or replaced, and are there in an older version";
        let differs = "name files that are there and otherwise than the row says";
        let allowed = (dangling > 0 && most > 0).then(|| format!("{most} may dangle"));
        let told = [
            missing,
            self.older.told(older),
            allowed,
            self.differs.told(differs),
        ];
        let why = joined(told.into_iter().flatten());
        let passed = dangling <= most && self.differs.count == 0 && !nothing;
        scope.check(id, passed, self.rows, tested, why)
    }
}

impl Each for Lookup<'_> {
    fn columns(&mut self, names: &[&str]) -> Result<(), String> {
        let [_, further @ ..] = names else {
            return Err("it returns no column; the first one is to be the key".into());
        };
        for name in further {
            let known = FACTS.iter().find(|(called, _)| called == name);
            let Some((_, fact)) = known else {
                let called: Vec<&str> = FACTS.iter().map(|(called, _)| *called).collect();
                return Err(format!("column `{name}` is none of {}", called.join(", ")));
            };
            self.facts.push(*fact);
        }
        Ok(())
    }

    fn row(&mut self, values: &[Option<&str>]) {
        self.rows += 1;
        let Some((Some(key), said)) = values.split_first() else {
            self.nameless += 1;
            return;
        };
        if key.len() > LONGEST_KEY {
            return self.missing.add("(longer than a key can be)");
        }
        match self.found(key, said) {
            Found::There => self.there += 1,
            Found::Missing => self.missing.add(key),
            Found::Older => self.older.add(key),
            Found::Differs => self.differs.add(key),
        }
    }
}

#[cfg(test)]
mod tests;
