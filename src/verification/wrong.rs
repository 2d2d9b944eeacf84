//! Things that are not as they should be: the first ones are named, all are counted.

use crate::model::TargetName;
use crate::report::{Code, Exit, Finding};
use std::collections::BTreeMap;

/// So many at one target are named, each with its key; a damaged bucket can hold millions.
const MOST_NAMED: usize = 1_000;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub code: Code,
    pub key: String,
    pub version: String,
    pub why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrongs {
    named: Vec<Wrong>,
    /// The others, counted by code.
    more: BTreeMap<Code, u64>,
}

impl Wrongs {
    pub fn push(&mut self, wrong: Wrong) {
        if self.named.len() < MOST_NAMED {
            self.named.push(wrong);
        } else {
            *self.more.entry(wrong.code).or_default() += 1;
        }
    }

    pub fn extend(&mut self, other: Wrongs) {
        other.named.into_iter().for_each(|w| self.push(w));
        for (code, n) in other.more {
            *self.more.entry(code).or_default() += n;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Wrong> {
        self.named.iter()
    }

    /// Each as a finding with its key and version, and the target as its place; then one for all
    /// that are counted only.
    pub fn findings(mut self, target: &TargetName) -> Vec<Finding> {
        self.named
            .sort_by(|a, b| (&a.key, &a.version).cmp(&(&b.key, &b.version)));
        let mut findings: Vec<Finding> = self.named.iter().map(|w| finding(w, target)).collect();
        for (code, n) in self.more {
            let message = format!(
                "{n} more things at {target} are wrong in the way of `{code}`; they are counted, \
                 not named"
            );
            let finding = Finding::error(Code::MoreWrong, message).thing(code);
            findings.push(finding.place(target));
        }
        findings
    }
}

impl FromIterator<Wrong> for Wrongs {
    fn from_iter<I: IntoIterator<Item = Wrong>>(all: I) -> Self {
        let mut wrongs = Self::default();
        all.into_iter().for_each(|w| wrongs.push(w));
        wrongs
    }
}

fn finding(wrong: &Wrong, target: &TargetName) -> Finding {
    let Wrong {
        code,
        key,
        version,
        why,
    } = wrong;
    let named = if version.is_empty() {
        key.clone()
    } else {
        format!("{key} version {version}")
    };
    // What is wrong in a vault is found, not refused.
    let exit = match code.exit() {
        Exit::Refused => Exit::Findings,
        other => other,
    };
    Finding::error(*code, format!("{named} at {target}: {why}"))
        .exit(exit)
        .thing(named)
        .place(target)
        .hint(crate::report::Hint::policy("status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_counted() {
        let wrong = |n: usize| Wrong {
            code: Code::ObjectMissing,
            key: format!("objects/{n:05}"),
            version: String::new(),
            why: "it is not there".into(),
        };
        let mut all: Wrongs = (0..MOST_NAMED + 7).map(wrong).collect();
        all.extend((0..3).map(wrong).collect());
        let findings = all.findings(&TargetName::new("central"));
        assert_eq!(findings.len(), MOST_NAMED + 1);
        let last = findings.last().unwrap();
        assert_eq!(last.code, Code::MoreWrong);
        assert!(
            last.message.starts_with("10 more things at central"),
            "{}",
            last.message
        );
    }
}
