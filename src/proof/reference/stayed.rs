//! What stayed the same at a source, between two readings of it.

use crate::manifest::{
    Catalogue, CatalogueReference, DatabaseReference, RangePair, Reading, Reference,
    ReferenceBefore, SequenceAt, SequenceBetween, ServerReading, TableDigest, TableRead,
    TableReference, ranges_to_hex,
};

/// What stayed the same between two readings of one server.
pub fn between(before: ReferenceBefore, after: &ServerReading) -> Reference {
    let first = before.read;
    let pairs = first.databases.into_iter();
    let pairs = pairs.filter_map(|(name, first)| Some((after.databases.get(&name)?, name, first)));
    let databases = pairs.map(|(last, name, first)| (name, stayed(&first, last)));
    let mut unread = first.unread;
    let again = after.unread.iter();
    let new: Vec<_> = again.filter(|u| !unread.contains(u)).cloned().collect();
    unread.extend(new);
    Reference {
        policy: before.policy,
        slot: before.slot,
        run: before.run,
        source: before.source,
        before_at: first.at,
        after_at: after.at,
        roles: first.roles.filter(|r| Some(r) == after.roles.as_ref()),
        databases: databases.collect(),
        unread,
    }
}

pub(super) fn stayed(first: &Reading, last: &Reading) -> DatabaseReference {
    let tables = first.tables.iter();
    let tables = tables.filter_map(|(name, t)| Some((name, t, last.tables.get(name)?)));
    let sequences = first.sequences.iter();
    let sequences = sequences.filter_map(|(name, s)| Some((name, s, last.sequences.get(name)?)));
    let catalogues = first.catalogue.as_ref().zip(last.catalogue.as_ref());
    DatabaseReference {
        horizon: first.horizon,
        tables: tables
            .filter_map(|(name, first, last)| Some((name.clone(), table(first, last)?)))
            .collect(),
        sequences: sequences
            .filter_map(|(name, first, last)| Some((name.clone(), sequence(*first, *last)?)))
            .collect(),
        catalogue: catalogues.and_then(|(of, again)| catalogue((of, again), last.defined)),
        facts: first
            .facts
            .clone()
            .filter(|f| Some(f) == last.facts.as_ref()),
        heartbeat: first.heartbeat,
    }
}

/// `None`: old rows can only go. Where some came, the table was defined anew, and all its rows read
/// otherwise.
fn table(first: &TableRead, last: &TableRead) -> Option<TableReference> {
    let mut last = last.clone();
    last.fold_to(first.ranges.len());
    let both = || first.ranges.iter().zip(&last.ranges);
    if both().any(|(first, last)| last.rows > first.rows) {
        return None;
    }
    let stayed: Vec<bool> = both().map(|(first, last)| first == last).collect();
    let mut digest = TableDigest::default();
    let whole = both().filter(|(first, last)| first == last);
    whole.for_each(|(range, _)| digest.merge(*range));
    let pair = |(n, (before, after)): (usize, (&TableDigest, &TableDigest))| {
        let (before, after) = (*before, *after);
        (n, RangePair { before, after })
    };
    let lost = both()
        .enumerate()
        .filter(|(_, (first, last))| first != last);
    Some(TableReference {
        rows: first.rows,
        ranges: first.ranges.len(),
        stayed: ranges_to_hex(&stayed),
        digest,
        lost: lost.map(pair).collect(),
    })
}

/// `None`: one that begins again may have been anywhere, as may one that was made anew.
fn sequence(first: SequenceAt, last: SequenceAt) -> Option<SequenceBetween> {
    let same =
        (first.increment, first.cache, first.file) == (last.increment, last.cache, last.file);
    let onwards = (last.value.saturating_sub(first.value)).signum() * first.increment.signum() >= 0;
    let told = same && onwards && !first.cycles && !last.cycles;
    told.then_some(SequenceBetween {
        before: first.value,
        after: last.value,
        increment: first.increment,
        cache: first.cache,
    })
}

pub(super) fn catalogue(
    (first, last): (&Catalogue, &Catalogue),
    defined: bool,
) -> Option<CatalogueReference> {
    if (&first.server, &first.program) != (&last.server, &last.program) {
        return None;
    }
    let mut stayed = first.clone();
    stayed.statements.retain(|sha256, count| {
        let again = last.statements.get(sha256).map_or(0, |c| c.times);
        count.times = count.times.min(again);
        count.times > 0
    });
    Some(CatalogueReference {
        changed: defined || first.statements != last.statements,
        stayed,
    })
}
