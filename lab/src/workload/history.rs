//! What the bucket of files held after each change: a listing taken while files change shows one of
//! these states.

use super::files::FileLine;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

/// SHA-256 by key.
pub type Files = BTreeMap<String, String>;

/// D/workload/files.log as it was when it was read.
pub struct FileHistory {
    lines: Vec<FileLine>,
}

impl FileHistory {
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let mut lines: Vec<FileLine> = Vec::new();
        for line in std::io::BufReader::new(std::fs::File::open(path)?).lines() {
            // Half lines are what a kill leaves; the change they speak of is done again.
            lines.extend(serde_json::from_str::<FileLine>(&line?).ok());
        }
        Ok(Self { lines })
    }

    /// Number of the last change.
    pub fn last(&self) -> u64 {
        self.lines.last().map_or(0, |l| l.change)
    }

    /// What the bucket held after a change.
    pub fn after(&self, change: u64) -> Files {
        let mut files = Files::new();
        self.lines
            .iter()
            .take_while(|l| l.change <= change)
            .for_each(|l| apply(&mut files, l));
        files
    }

    /// The last change within these after which the bucket held exactly this.
    pub fn state_of(&self, found: &Files, changes: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let mut files = self.after(*changes.start());
        let mut same = (files == *found).then_some(*changes.start());
        for line in self
            .lines
            .iter()
            .filter(|l| l.change > *changes.start() && changes.contains(&l.change))
        {
            apply(&mut files, line);
            if files == *found {
                same = Some(line.change);
            }
        }
        same
    }
}

fn apply(files: &mut Files, line: &FileLine) {
    match &line.sha256 {
        Some(sha256) => drop(files.insert(line.key.clone(), sha256.clone())),
        None => drop(files.remove(&line.key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_among_those_that_were() {
        let line = |change, key: &str, sha256: Option<&str>| FileLine {
            change,
            key: key.into(),
            version: String::new(),
            sha256: sha256.map(str::to_owned),
            size: 0,
        };
        let history = FileHistory {
            lines: vec![
                line(1, "a", Some("1")),
                line(2, "b", Some("2")),
                line(3, "a", None),
                line(4, "b", Some("4")),
            ],
        };
        let files = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<Files>()
        };
        assert_eq!(history.last(), 4);
        assert_eq!(history.after(2), files(&[("a", "1"), ("b", "2")]));
        assert_eq!(history.state_of(&files(&[("b", "2")]), 1..=4), Some(3));
        assert_eq!(
            history.state_of(&files(&[("b", "2")]), 1..=2),
            None,
            "it was so later only"
        );
        assert_eq!(
            history.state_of(&files(&[("a", "1"), ("b", "4")]), 1..=4),
            None,
            "it never was so"
        );
        assert_eq!(history.state_of(&files(&[("a", "1")]), 1..=1), Some(1));
    }
}
