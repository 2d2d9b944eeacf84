//! What a run says of the runs before it: links that show when one of them has vanished.

use super::session::journal_at;
use crate::journal::LastSeen;
use crate::model::{PolicyName, RunId, RunKind, Sha256, Slot, TargetName};
use crate::report::{Code, Finding};
use crate::vault::Vault;
use jiff::{SignedDuration, Timestamp};

/// Runs of each kind that a new one names. A run that was open is named again by the next ones,
/// with its last entry.
pub(super) const NEWEST: usize = 3;
/// Whoever restores does not wait for more.
pub(super) const IN_AN_INCIDENT: usize = 1;
/// History is looked at this far back, and further where there is nothing since.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 40);

/// The newest entry of the newest runs of each kind, at each vault. What cannot be read is not
/// named: evidence stands in no run's way, and the next one names it again.
pub(super) async fn newest(
    vaults: &[(&TargetName, &Vault)],
    policy: &PolicyName,
    of_a_kind: usize,
) -> Vec<LastSeen> {
    let mut links = Vec::new();
    for (target, vault) in vaults {
        let now = vault.bucket.clock.last().unwrap_or(Timestamp::UNIX_EPOCH);
        let since = Slot::at(now.checked_sub(WINDOW).unwrap_or(Timestamp::UNIX_EPOCH));
        let journal = journal_at(vault);
        for kind in RunKind::ALL {
            let mut runs = vault.runs(policy, kind, since).await.unwrap_or_default();
            if runs.is_empty() {
                let ever = Slot::at(Timestamp::UNIX_EPOCH);
                runs = vault.runs(policy, kind, ever).await.unwrap_or_default();
            }
            for known in runs.iter().rev().take(of_a_kind) {
                if let Ok(Some(ends)) = journal.ends(policy, &known.run).await {
                    links.push(LastSeen {
                        target: (*target).clone(),
                        run: known.run.clone(),
                        seq: ends.newest.seq,
                        sha256: ends.newest_sha256,
                    });
                }
            }
        }
    }
    links
}

/// A run, as a log has read it.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub run: &'a RunId,
    pub target: &'a TargetName,
    pub entries: u64,
    pub newest_sha256: &'a Sha256,
    pub after: &'a [LastSeen],
}

/// Runs that another one names and that are not there, or are shorter than they were. `read`:
/// targets that were read; `since`: what is older is not looked for.
pub(super) fn gaps(runs: &[Read<'_>], read: &[&TargetName], since: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (by, link) in runs
        .iter()
        .flat_map(|r| r.after.iter().map(move |l| (r, l)))
    {
        if !read.contains(&&link.target) || link.run.slot().time() < since {
            continue;
        }
        let found = runs
            .iter()
            .find(|r| (r.run, r.target) == (&link.run, &link.target));
        let why = match found {
            None => "it is not there",
            Some(run) if run.entries <= link.seq => "it is shorter now",
            Some(run) if run.entries == link.seq + 1 && *run.newest_sha256 != link.sha256 => {
                "its newest entry is another one now"
            }
            Some(_) => continue,
        };
        let message = format!(
            "run {} at {} had {} entries when {} was opened, and {why}",
            link.run,
            link.target,
            link.seq + 1,
            by.run
        );
        let finding = Finding::error(Code::RunMissing, message);
        findings.push(finding.thing(&link.run).place(&link.target));
    }
    findings.sort_by(|a, b| (&a.thing, &a.place).cmp(&(&b.thing, &b.place)));
    findings.dedup_by(|a, b| a.thing == b.thing && a.place == b.place);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known {
        run: RunId,
        entries: u64,
        newest_sha256: Sha256,
        after: Vec<LastSeen>,
    }

    fn run(name: &str, entries: u64, after: Vec<LastSeen>) -> Known {
        Known {
            run: RunId::parse(name).unwrap(),
            entries,
            newest_sha256: Sha256::of(name.as_bytes()),
            after,
        }
    }

    fn link(name: &str, seq: u64) -> LastSeen {
        LastSeen {
            target: TargetName::new("central"),
            run: RunId::parse(name).unwrap(),
            seq,
            sha256: Sha256::of(name.as_bytes()),
        }
    }

    #[test]
    fn a_run_that_vanished_or_lost_its_end_is_named() {
        let (one, two) = ("backup-20261124T000000Z", "backup-20261124T060000Z");
        let central = TargetName::new("central");
        let told_by = |runs: &[Known], read: &[&TargetName], since: &str| {
            let runs: Vec<Read<'_>> = runs
                .iter()
                .map(|k| Read {
                    run: &k.run,
                    target: &central,
                    entries: k.entries,
                    newest_sha256: &k.newest_sha256,
                    after: &k.after,
                })
                .collect();
            let found = gaps(&runs, read, since.parse().unwrap());
            found.into_iter().map(|f| f.message).collect::<Vec<_>>()
        };
        let told = |runs: &[Known], since: &str| told_by(runs, &[&central], since);
        let long_ago = "2020-01-01T00:00:00Z";
        let second = || run(two, 4, vec![link(one, 9)]);
        assert!(told(&[run(one, 10, Vec::new()), second()], long_ago).is_empty());
        assert!(
            told(&[run(one, 12, Vec::new()), second()], long_ago).is_empty(),
            "it went on"
        );
        assert!(told(&[second()], long_ago)[0].ends_with("it is not there"));
        let short = told(&[run(one, 8, Vec::new()), second()], long_ago);
        assert!(short[0].ends_with("shorter now"), "{short:?}");
        let mut other = run(one, 10, Vec::new());
        other.newest_sha256 = Sha256::of(b"other");
        assert!(told(&[other, second()], long_ago)[0].contains("another one"));
        let later = "2026-11-24T03:00:00Z";
        assert!(told(&[second()], later).is_empty(), "before what is shown");
        let away = told_by(&[second()], &[], long_ago);
        assert!(away.is_empty(), "a target that was not read says nothing");
    }
}
