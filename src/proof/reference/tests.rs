use super::stayed::{catalogue, stayed};
use super::*;
use crate::manifest::{CheckResult, MAX_RANGES, Reading, StatementCount};
use crate::model::{Method, Sha256, SourceId, TargetName};

/// Rows by the transaction that wrote them, as a reader of `horizon` sees them.
fn read(rows: &[(u64, &str)], horizon: u64) -> TableRead {
    let mut read = TableRead {
        rows: rows.len() as u64,
        ranges: vec![TableDigest::default(); MAX_RANGES],
    };
    for (_, row) in rows.iter().filter(|(by, _)| *by < horizon) {
        let (digest, range) = TableDigest::of_line(row.as_bytes());
        read.ranges[usize::from(range) % MAX_RANGES].merge(digest);
    }
    read
}

fn reading(table: TableRead) -> Reading {
    Reading {
        horizon: 100,
        tables: [("t".to_owned(), table)].into(),
        sequences: BTreeMap::new(),
        catalogue: None,
        defined: false,
        facts: None,
        heartbeat: None,
    }
}

fn with_scope<T>(work: impl FnOnce(&Scope<'_>) -> T) -> T {
    let (source, target) = (SourceId::new("shop"), TargetName::new("central"));
    work(&Scope {
        source: &source,
        database: None,
        method: Method::Snapshot,
        target: &target,
    })
}

/// The verdict on a copy, of readings before and after.
fn verdict(before: &[(u64, &str)], copy: &[(u64, &str)], after: &[(u64, &str)]) -> (bool, u64) {
    let reference = stayed(
        &reading(read(before, 100).folded()),
        &reading(read(after, 100)),
    );
    let copy = [("t".to_owned(), read(copy, 100))].into();
    let check = with_scope(|scope| rows(scope, &reference, &copy, 0));
    (check.result == CheckResult::Passed, check.tested)
}

#[test]
fn rows_that_came_do_not_matter_and_of_those_that_went_the_copy_may_have_any() {
    let (a, b, new) = ((1, "a"), (2, "b"), (100, "new"));
    assert_eq!(verdict(&[a, b], &[a, b], &[a, b]), (true, 2));
    assert_eq!(verdict(&[a, b], &[a, b, new], &[a, b, new]), (true, 2));
    // Came and went in between: nothing is seen of it at the source.
    assert_eq!(verdict(&[a, b], &[a, b, new], &[a, b]), (true, 2));
    // Went before the snapshot, or after it.
    assert_eq!(verdict(&[a, b], &[a], &[a]), (true, 1));
    assert_eq!(verdict(&[a, b], &[a, b], &[a]), (true, 2));
    // Went, and was written again: the second one is newer.
    assert_eq!(verdict(&[a, b], &[a], &[a, (101, "b")]), (true, 1));
    assert!(!verdict(&[a, b], &[b], &[a]).0, "the other one went");
    // Two went, one of them before the snapshot: it is not known which.
    let c = (3, "c");
    assert_eq!(verdict(&[a, b, c], &[a, b], &[a]), (true, 0));
    assert!(!verdict(&[a, b, c], &[], &[a]).0, "too many are lost");
    assert!(
        !verdict(&[a, b, c], &[a, b, c, b], &[a]).0,
        "one is too many"
    );
    assert!(!verdict(&[a, b], &[a], &[a, b]).0, "one is lost");
    assert!(
        !verdict(&[a, b], &[a, (2, "c")], &[a, b]).0,
        "one is changed"
    );
    assert!(
        !verdict(&[a, b], &[a, b, b], &[a, b]).0,
        "one is there twice"
    );
}

#[test]
fn too_few_rows_that_can_be_compared_are_a_failure() {
    let many: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    let before: Vec<(u64, &str)> = many.iter().map(|r| (1, r.as_str())).collect();
    let of = |gone: usize| {
        let after = &before[gone..];
        stayed(
            &reading(read(&before, 100).folded()),
            &reading(read(after, 100)),
        )
    };
    let copy: Copied = [("t".to_owned(), read(&before, 100))].into();
    let check = |of: &DatabaseReference, copy: &Copied| with_scope(|s| rows(s, of, copy, 90));
    let one = check(&of(1), &copy);
    assert_eq!((one.tested, one.population), (3000, 3000), "{:?}", one.why);
    // Half of those that went were gone by the time of the snapshot.
    let half: Copied = [("t".to_owned(), read(&before[1000..], 100))].into();
    let most = check(&of(2000), &half);
    assert_eq!(most.result, CheckResult::Failed);
    assert!(most.tested < 1500 && most.skipped > 1500, "{most:?}");
    assert_eq!(check(&of(1000), &half).tested, 2000, "as it was after");
    let more: Copied = [("u".to_owned(), read(&before, 100))].into();
    let both = copy.clone().into_iter().chain(more).collect();
    // Nobody read it at the source: counted, and judged by nothing.
    let beside = with_scope(|scope| rows(scope, &of(0), &both, 90));
    assert_eq!((beside.population, beside.tested), (6000, 3000));
    assert_eq!(beside.result, CheckResult::Passed);
}

#[test]
fn a_sequence_may_be_ahead_by_what_is_logged_and_never_behind() {
    let of = SequenceBetween {
        before: 10,
        after: 20,
        increment: 1,
        cache: 1,
    };
    let passed = |of: SequenceBetween, value: i64| {
        let at = SequenceAt {
            value,
            file: 1,
            increment: of.increment,
            cache: of.cache,
            cycles: false,
        };
        let (of, copy) = ([("s".to_owned(), of)].into(), [("s".to_owned(), at)].into());
        let check = with_scope(|scope| sequences_between(scope, &of, &copy));
        check.result == CheckResult::Passed
    };
    assert!(passed(of, 10) && passed(of, 53) && !passed(of, 9) && !passed(of, 54));
    let down = SequenceBetween {
        before: -10,
        after: -20,
        increment: -1,
        ..of
    };
    assert!(passed(down, -10) && passed(down, -53) && !passed(down, -9) && !passed(down, -54));
}

#[test]
fn a_catalogue_that_stayed_is_demanded_and_one_that_changed_is_not_compared() {
    let of = |begins: &[&str]| Catalogue {
        server: "15".into(),
        program: "15".into(),
        statements: begins
            .iter()
            .map(|b| {
                let count = StatementCount {
                    times: 1,
                    begins: (*b).to_owned(),
                };
                (Sha256::of(b.as_bytes()), count)
            })
            .collect(),
    };
    let told = |first: &[&str], last: &[&str], copy: &[&str]| {
        let (first, last) = (of(first), of(last));
        let of_both = catalogue((&first, &last), false).unwrap();
        with_scope(|scope| catalogue_equal(scope, &of_both, &of(copy)))
    };
    let same = told(&["a", "b"], &["a", "b"], &["a", "b"]);
    assert_eq!((same.why, same.tested), (None, 2));
    let why = told(&["a", "b"], &["a", "b"], &["a", "c"]).why.unwrap();
    assert_eq!(why, "missing: b; not at the source: c");
    let changed = told(&["a"], &["a", "b"], &["b"]);
    assert_eq!((changed.result, changed.tested), (CheckResult::Passed, 0));
    let anew = catalogue((&of(&["a"]), &of(&["a"])), true).unwrap();
    assert!(anew.changed, "dropped, and made again");
    let other = Catalogue {
        server: "16".into(),
        ..of(&["a"])
    };
    assert_eq!(catalogue((&of(&["a"]), &other), false), None);
}

#[test]
fn the_newest_heartbeat_before_is_in_the_copy() {
    let passed = |copy| with_scope(|s| beat(s, 7, copy)).result == CheckResult::Passed;
    assert!(passed(Some(7)) && passed(Some(8)) && !passed(Some(6)) && !passed(None));
}

#[test]
fn a_table_that_was_defined_anew_is_left_out_and_one_that_was_away_for_a_moment_is_not_missing() {
    let (a, b) = ((1, "a"), (2, "b"));
    // A column was added: the same rows read otherwise.
    let of = stayed(
        &reading(read(&[a, b], 100).folded()),
        &reading(read(&[(1, "a\\N"), (2, "b\\N"), (2, "c\\N")], 100)),
    );
    assert!(of.tables.is_empty(), "{of:?}");
    let anew = stayed(
        &reading(read(&[a, b], 100).folded()),
        &reading(read(&[(101, "a")], 100)),
    );
    let none = with_scope(|scope| rows(scope, &anew, &Copied::new(), 0));
    assert_eq!(none.result, CheckResult::Passed, "{:?}", none.why);
    let whole = stayed(
        &reading(read(&[a], 100).folded()),
        &reading(read(&[a], 100)),
    );
    let lost = with_scope(|scope| rows(scope, &whole, &Copied::new(), 0));
    assert_eq!(lost.result, CheckResult::Failed);
}
