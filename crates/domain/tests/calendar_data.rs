//! The shipped holiday files against the facts of the State Council's notices, and a real calendar built from them.
//! `script/check-calendar` compares every day with published packages; this small part of it needs no network.
#![allow(clippy::unwrap_used)]

use domain::calendar::{Amount, Calendar, CalendarRules, DayKind, DayRule, Span, Unit, Week};
use domain::time::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

const FILES: [&str; 2] = [
    include_str!("../../../packs/calendar/cn-2025.toml"),
    include_str!("../../../packs/calendar/cn-2026.toml"),
];

/// Reads lines such as `2026-02-15 = { rest = "春节" }`; the product's own reader checks far more.
fn days(file: &str) -> BTreeMap<Date, DayRule> {
    let lines = file.lines().filter_map(|line| line.split_once(" = { "));
    lines
        .map(|(date, what)| {
            let (kind, name) = what.split_once(" = ").unwrap();
            let name = name.trim_end_matches(" }").trim_matches('"').to_owned();
            let rule = if kind == "rest" {
                DayRule::Rest { name }
            } else {
                DayRule::Work { name }
            };
            (date.parse().unwrap(), rule)
        })
        .collect()
}

fn calendar() -> Calendar {
    Calendar::compile(&CalendarRules {
        id: "cn".into(),
        version: 1,
        from: date(2025, 1, 1),
        to: date(2026, 12, 31),
        week: Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
        seasons: vec![],
        days: FILES.into_iter().flat_map(days).collect(),
        shifts: vec![],
    })
    .unwrap()
}

#[test]
fn the_notices_days_are_there() {
    let calendar = calendar();
    let kind = |month: i8, day: i8| calendar.day(date(2026, month, day)).unwrap().kind;
    assert!((15..=23).all(|day| kind(2, day) == DayKind::Holiday("春节")));
    assert_eq!(
        (kind(2, 14), kind(2, 28)),
        (DayKind::MakeUp("春节"), DayKind::MakeUp("春节"))
    );
    assert_eq!(
        (kind(2, 13), kind(2, 24), kind(3, 1)),
        (DayKind::Work, DayKind::Work, DayKind::Weekend)
    );
    assert!((1..=7).all(|day| kind(10, day) == DayKind::Holiday("国庆节")));
    assert_eq!(
        (kind(9, 20), kind(10, 10)),
        (DayKind::MakeUp("国庆节"), DayKind::MakeUp("国庆节"))
    );
    let kind = |month: i8, day: i8| calendar.day(date(2025, month, day)).unwrap().kind;
    assert_eq!(
        (kind(1, 26), kind(1, 27), kind(1, 28)),
        (DayKind::MakeUp("春节"), DayKind::Work, DayKind::Holiday("春节"))
    );
    assert!((1..=8).all(|day| kind(10, day) == DayKind::Holiday("国庆节、中秋节")));
}

#[test]
fn the_years_have_as_many_working_days_as_announced() {
    // 365 days, less weekends and holidays, more make-up days: 248 in either year.
    let calendar = calendar();
    for year in [2025, 2026] {
        let (from, to) = (
            Timestamp::start_of(date(year, 1, 1)),
            Timestamp::start_of(date(year + 1, 1, 1)),
        );
        assert_eq!(
            calendar.between(from, to, Unit::WorkingDay),
            Ok(Amount::whole(248, Unit::WorkingDay)),
            "{year}"
        );
    }
}

#[test]
fn a_year_that_was_not_announced_is_refused() {
    let error = calendar().day(date(2027, 1, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "calendar cn knows 2025-01-01 to 2026-12-31: 2027 is not yet imported"
    );
    assert_eq!(calendar().day(date(2030, 1, 1)).unwrap_err().year, 2027);
    assert_eq!(calendar().day(date(2024, 5, 1)).unwrap_err().year, 2024);
}
