use super::*;

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule {
        cron: cron.into(),
        time_zone: zone.into(),
        missed: Missed::Latest,
        deadline: crate::model::Seconds::hours(1),
    }
}

fn after(cron: &str, zone: &str, from: &str, n: usize) -> Vec<String> {
    let line = Line::parse(cron, zone).unwrap();
    line.after(from.parse().unwrap())
        .take(n)
        .map(|t| t.to_string())
        .collect()
}

#[test]
fn one_is_monday_and_zero_and_seven_are_sunday() {
    // 2026-11-24 is a Tuesday.
    assert_eq!(
        after("0 5 * * 1", "UTC", "2026-11-24T00:00:00Z", 1),
        ["2026-11-30T05:00:00Z"]
    );
    for sunday in ["0 5 * * 0", "0 5 * * 7", "0 5 * * Sun"] {
        assert_eq!(
            after(sunday, "UTC", "2026-11-24T00:00:00Z", 1),
            ["2026-11-29T05:00:00Z"]
        );
    }
    assert_eq!(
        after("0 5 * * 5-7", "UTC", "2026-11-24T00:00:00Z", 3),
        [
            "2026-11-27T05:00:00Z",
            "2026-11-28T05:00:00Z",
            "2026-11-29T05:00:00Z"
        ]
    );
}

#[test]
fn both_day_fields_restricted_means_either() {
    // The 1st of the month or any Monday.
    assert_eq!(
        after("0 0 1 * 1", "UTC", "2026-11-24T00:00:00Z", 3),
        [
            "2026-11-30T00:00:00Z",
            "2026-12-01T00:00:00Z",
            "2026-12-07T00:00:00Z"
        ]
    );
}

#[test]
fn six_fields_start_with_seconds() {
    assert_eq!(
        after("*/20 * * * * *", "UTC", "2026-11-24T00:00:00Z", 2),
        ["2026-11-24T00:00:20Z", "2026-11-24T00:00:40Z"]
    );
}

#[test]
fn a_fixed_time_inside_the_gap_fires_at_its_end() {
    // Paris goes from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC.
    assert_eq!(
        after("30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
}

#[test]
fn a_fixed_time_inside_the_fold_fires_once() {
    // Paris goes back from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC.
    assert_eq!(
        after("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn a_wildcard_hour_goes_on_by_real_time_both_ways() {
    assert_eq!(
        after("30 * * * *", "Europe/Paris", "2026-10-24T23:45:00Z", 4),
        [
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:30:00Z",
            "2026-10-25T03:30:00Z"
        ]
    );
    assert_eq!(
        after("30 * * * *", "Europe/Paris", "2026-03-28T23:45:00Z", 3),
        [
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:30:00Z"
        ]
    );
}

#[test]
fn a_line_that_never_fires_is_named() {
    assert_eq!(
        fires(&schedule("0 0 30 2 *", "UTC")).unwrap_err(),
        "`0 0 30 2 *` never fires"
    );
    assert!(fires(&schedule("0 0 29 2 *", "UTC")).is_ok());
    assert!(
        fires(&schedule("0 0 * *", "UTC"))
            .unwrap_err()
            .contains("4 fields")
    );
    assert!(
        fires(&schedule("0 0 * * 8", "UTC"))
            .unwrap_err()
            .contains("not a weekday")
    );
    assert!(
        fires(&schedule("0 0 * * *", "Mars/Base"))
            .unwrap_err()
            .contains("no time zone")
    );
}

#[test]
fn the_latest_missed_slot_is_caught_up_unless_all_are_asked_for() {
    let mut s = schedule("0 * * * *", "UTC");
    let now: Timestamp = "2026-11-24T10:20:00Z".parse().unwrap();
    let history = History {
        seen: vec![Slot::at("2026-11-24T06:00:00Z".parse().unwrap())],
        since: None,
    };
    let text = |slots: Vec<Slot>| slots.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    assert_eq!(text(due(&s, &history, now).unwrap()), ["20261124T100000Z"]);
    s.missed = Missed::All;
    assert_eq!(
        text(due(&s, &history, now).unwrap()),
        [
            "20261124T070000Z",
            "20261124T080000Z",
            "20261124T090000Z",
            "20261124T100000Z"
        ]
    );
    let seen = History {
        seen: vec![Slot::at("2026-11-24T10:00:00Z".parse().unwrap())],
        since: None,
    };
    assert!(due(&s, &seen, now).unwrap().is_empty());
    assert_eq!(missed(&s, &history, now).unwrap().len(), 4);
}

#[test]
fn what_was_missed_is_owed_until_it_is_made_good() {
    let mut s = schedule("0 * * * *", "UTC");
    let now: Timestamp = "2026-11-24T10:20:00Z".parse().unwrap();
    let slot = |text: &str| Slot::at(text.parse().unwrap());
    let (first, later) = (slot("2026-11-24T06:00:00Z"), slot("2026-11-24T10:00:00Z"));
    let owed = |s: &Schedule, seen: Vec<Slot>| {
        let history = History { seen, since: None };
        missed(s, &history, now).unwrap().len()
    };
    assert_eq!(
        (owed(&s, vec![first]), owed(&s, vec![first, later])),
        (4, 0)
    );
    let by_hand = slot("2026-11-24T10:13:00Z");
    assert_eq!(
        owed(&s, vec![first, by_hand]),
        0,
        "a run between two slots counts"
    );
    let to_come = slot("2026-11-25T10:00:00Z");
    assert_eq!(
        owed(&s, vec![first, to_come]),
        4,
        "one that is to come does not"
    );
    s.missed = Missed::All;
    assert_eq!(
        (owed(&s, vec![first]), owed(&s, vec![first, later])),
        (4, 3)
    );
}

#[test]
fn the_first_tick_owes_the_latest_slot() {
    let now: Timestamp = "2026-11-24T10:20:00Z".parse().unwrap();
    assert_eq!(
        due(&schedule("0 3 * * *", "UTC"), &History::default(), now).unwrap()[0].to_string(),
        "20261124T030000Z"
    );
}

proptest::proptest! {
    #[test]
    fn slots_are_ascending_and_after_their_start(minute in 0u8..60, hour in 0u8..24,
    start in 1_700_000_000i64..1_900_000_000, wild: bool) {
        let hour = if wild { "*".to_owned() } else { hour.to_string() };
        let cron = format!("{minute} {hour} * * *");
        let from = Timestamp::from_second(start).unwrap();
        let line = Line::parse(&cron, "Europe/Paris").unwrap();
        let times: Vec<_> = line.after(from).take(20).collect();
        proptest::prop_assert_eq!(times.len(), 20);
        proptest::prop_assert!(times[0] > from && times.windows(2).all(|w| w[0] < w[1]));
        // A daily line never skips a day, whatever the clock does.
        let longest = times.windows(2).map(|w| w[1].duration_since(w[0]).as_secs()).max().unwrap();
        let most = if wild { 3600 } else { 25 * 3600 };
        proptest::prop_assert!(longest <= most);
    }
}

#[test]
fn a_run_of_a_slot_to_come_keeps_no_real_slot_from_its_turn() {
    let slot = |text: &str| Slot::at(text.parse().unwrap());
    let history = History {
        seen: vec![slot("2026-11-24T01:00:00Z"), slot("2999-01-01T00:00:00Z")],
        since: None,
    };
    let due = due(
        &schedule("0 * * * *", "UTC"),
        &history,
        "2026-11-24T02:10:00Z".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(due, [slot("2026-11-24T02:00:00Z")]);
}
