//! What a run says of the runs before it: links that show when one of them has vanished.

use super::known_runs::WINDOW;
use super::planning::CLOCKS_APART;
use super::session::journal_at;
use crate::journal::{Entry, Event, LastSeen};
use crate::model::{PolicyName, RunId, RunKind, Sha256, Slot, TargetName};
use crate::report::{Code, Finding};
use crate::vault::{JournalStore, RunEnds, RunRef, Vault, VaultError};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Runs of each kind that a new one names. A run that was open is named again by the next ones,
/// with its last entry.
pub(super) const NEWEST: usize = 3;
/// Whoever restores does not wait for more.
pub(super) const IN_AN_INCIDENT: usize = 1;
/// So many that cannot be read are passed over.
const MOST_UNREADABLE: usize = 3;
/// Older runs that are looked at again at a target, whatever was planted there.
const MOST: usize = 50;

/// A restore opens its run without them rather than wait longer.
pub(super) const PATIENCE_IN_AN_INCIDENT: Duration = Duration::from_secs(3);

/// The newest entry of the newest runs of each kind at each vault, and of those that they named and
/// that have gone on since, or are open still: a run is named until its end has been. What cannot
/// be read is not named: evidence stands in no run's way, and the next one names it again.
pub(super) async fn newest(
    vaults: &[(&TargetName, &Vault)],
    policy: &PolicyName,
    of_a_kind: usize,
) -> Vec<LastSeen> {
    let mut links = Vec::new();
    for (target, vault) in vaults {
        let at = At {
            target,
            vault,
            policy,
            journal: journal_at(vault),
        };
        let kinds = RunKind::ALL.map(|kind| at.newest_of(kind, of_a_kind));
        let found = futures_util::future::join_all(kinds).await;
        let found: Vec<(LastSeen, Entry)> = found.into_iter().flatten().collect();
        let mut seen: Vec<LastSeen> = found.iter().map(|(link, _)| link.clone()).collect();
        if of_a_kind > IN_AN_INCIDENT {
            let named = found.iter().flat_map(|(_, opened)| match &opened.event {
                Event::Opened { after, .. } => after.iter(),
                _ => [].iter(),
            });
            let soon = at.soon();
            let named = named.filter(|l| l.run.slot() <= soon);
            for link in carried(named, &seen, target) {
                seen.extend(at.gone_on(&link).await);
            }
        }
        links.extend(seen);
    }
    links
}

/// What the newest runs named at this target and is not among them, newest first, each as it was
/// named last.
fn carried<'a>(
    named: impl Iterator<Item = &'a LastSeen>,
    seen: &[LastSeen],
    target: &TargetName,
) -> Vec<LastSeen> {
    let mut carried: BTreeMap<&RunId, &LastSeen> = BTreeMap::new();
    let here = named.filter(|l| &l.target == target && seen.iter().all(|s| s.run != l.run));
    for link in here {
        let last = carried.entry(&link.run).or_insert(link);
        if link.seq > last.seq {
            *last = link;
        }
    }
    let mut carried: Vec<LastSeen> = carried.into_values().cloned().collect();
    carried.sort_by_key(|l| std::cmp::Reverse(l.run.slot()));
    carried.truncate(MOST);
    carried
}

/// Journals of one target.
struct At<'a> {
    target: &'a TargetName,
    vault: &'a Vault,
    policy: &'a PolicyName,
    journal: JournalStore,
}

impl At<'_> {
    /// The newest ones that can be read, each with its first entry.
    async fn newest_of(&self, kind: RunKind, count: usize) -> Vec<(LastSeen, Entry)> {
        let since = Slot::at(
            self.now()
                .checked_sub(WINDOW)
                .unwrap_or(Timestamp::UNIX_EPOCH),
        );
        let Ok(mut runs) = self.past(kind, since).await else {
            return Vec::new();
        };
        if runs.is_empty() {
            let ever = Slot::at(Timestamp::UNIX_EPOCH);
            runs = self.past(kind, ever).await.unwrap_or_default();
        }
        let mut found = Vec::new();
        for known in runs.iter().rev().take(count + MOST_UNREADABLE) {
            if found.len() == count {
                break;
            }
            if let Ok(Some(ends)) = self.journal.ends(self.policy, &known.run).await {
                found.push((self.link(&known.run, &ends), ends.opened));
            }
        }
        found
    }

    fn now(&self) -> Timestamp {
        let last = self.vault.bucket.clock.last();
        last.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn soon(&self) -> Slot {
        let now = self.now();
        Slot::at(now.checked_add(CLOCKS_APART).unwrap_or(now))
    }

    /// Runs of slots to come were planted; they must not push the others out of sight.
    async fn past(&self, kind: RunKind, since: Slot) -> Result<Vec<RunRef>, VaultError> {
        let mut runs = self.vault.runs(self.policy, kind, since).await?;
        runs.retain(|r| r.slot <= self.soon());
        Ok(runs)
    }

    /// `None`: it had ended when it was named, or it cannot be read.
    async fn gone_on(&self, link: &LastSeen) -> Option<LastSeen> {
        let ends = self.journal.ends(self.policy, &link.run).await.ok()??;
        let over = matches!(ends.newest.event, Event::Finished { .. });
        (!over || ends.newest.seq > link.seq).then(|| self.link(&link.run, &ends))
    }

    fn link(&self, run: &RunId, ends: &RunEnds) -> LastSeen {
        LastSeen {
            target: self.target.clone(),
            run: run.clone(),
            seq: ends.newest.seq,
            sha256: ends.newest_sha256.clone(),
        }
    }
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

/// What was looked at, and therefore can be missed.
pub(super) struct LookedAt<'a> {
    /// Targets that were read.
    pub targets: Vec<&'a TargetName>,
    /// Runs that are there and cannot be believed; that is told by itself.
    pub unread: BTreeSet<(RunId, TargetName)>,
    /// What is older is not looked for.
    pub since: Timestamp,
}

/// Runs that another one names and that are not there, or are shorter than they were.
pub(super) fn gaps(runs: &[Read<'_>], looked: &LookedAt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let known: BTreeMap<_, _> = runs.iter().map(|r| ((r.run, r.target), r)).collect();
    for (by, link) in runs
        .iter()
        .flat_map(|r| r.after.iter().map(move |l| (r, l)))
    {
        let of = (link.run.clone(), link.target.clone());
        if !looked.targets.contains(&&link.target)
            || looked.unread.contains(&of)
            || link.run.slot().time() < looked.since
        {
            continue;
        }
        let had = link.seq.saturating_add(1);
        let why = match known.get(&(&link.run, &link.target)) {
            None => "it is not there",
            Some(run) if run.entries <= link.seq => "it is shorter now",
            Some(run) if run.entries == had && *run.newest_sha256 != link.sha256 => {
                "its newest entry is another one now"
            }
            Some(_) => continue,
        };
        let message = format!(
            "run {} at {} had {had} entries when {} was opened, and {why}",
            link.run, link.target, by.run
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
    fn older_runs_that_were_named_are_looked_at_again_each_once() {
        let (open, newest) = ("backup-20261123T000000Z", "backup-20261124T060000Z");
        let central = TargetName::new("central");
        let elsewhere = LastSeen {
            target: TargetName::new("west"),
            ..link("backup-20261122T000000Z", 1)
        };
        let named = [link(open, 3), link(newest, 2), elsewhere, link(open, 7)];
        let seen = [link(newest, 9)];
        assert_eq!(carried(named.iter(), &seen, &central), [link(open, 7)]);
        let planted: Vec<LastSeen> = (0..60)
            .map(|n| link(&format!("drill-20260101T0000{n:02}Z"), n))
            .chain([link(open, 3)])
            .collect();
        let carried = carried(planted.iter(), &seen, &central);
        assert_eq!((carried.len(), &carried[0]), (MOST, &link(open, 3)));
    }

    #[test]
    fn a_run_that_vanished_or_lost_its_end_is_named() {
        let (one, two) = ("backup-20261124T000000Z", "backup-20261124T060000Z");
        let central = TargetName::new("central");
        let unread = BTreeSet::from([(link("drill-20261124T010000Z", 0).run, central.clone())]);
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
            let looked = LookedAt {
                targets: read.to_vec(),
                unread: unread.clone(),
                since: since.parse().unwrap(),
            };
            let found = gaps(&runs, &looked);
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
        let damaged = run(two, 4, vec![link("drill-20261124T010000Z", 9)]);
        assert!(
            told(&[damaged], long_ago).is_empty(),
            "it is there, and told by itself"
        );
        let endless = run(two, 4, vec![link(one, u64::MAX)]);
        assert_eq!(told(&[endless], long_ago).len(), 1);
    }
}
