//! The shipped holiday files against the facts of the State Council's notices, and a real calendar built from them.
//! `script/check-calendar` compares every day with published packages; this small part of it needs no network.
#![allow(clippy::unwrap_used)]

use domain::calendar::{Amount, Calendar, CalendarRules, DayKind, DayRule, Span, Unit, Week};
use domain::time::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

const FIRST: i16 = 2011;
const LAST: i16 = 2026;

fn file(year: i16) -> String {
    let path = format!("{}/../../packs/calendar/cn-{year}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

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
        from: date(FIRST, 1, 1),
        to: date(LAST, 12, 31),
        week: Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
        seasons: vec![],
        days: (FIRST..=LAST).flat_map(|year| days(&file(year))).collect(),
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
        "calendar cn knows 2011-01-01 to 2026-12-31: 2027 is not yet imported"
    );
    assert_eq!(calendar().day(date(2030, 1, 1)).unwrap_err().year, 2027);
    assert_eq!(calendar().day(date(2009, 5, 1)).unwrap_err().year, 2010);
}

#[test]
fn every_file_keeps_to_its_year_and_names_its_notice() {
    for year in FIRST..=LAST {
        let text = file(year);
        let days = days(&text);
        assert!(days.len() > 25 && days.keys().all(|date| date.year() == year), "{year}");
        assert!(
            text.contains(&format!("\nyear = {year}\n")) && text.contains("发明电〔"),
            "{year}"
        );
        // A make-up day that is no weekend, or a year without the National Day's first three days, would be a slip of the pen.
        let weekend = |date: &Date| date.weekday().to_monday_zero_offset() >= 5;
        assert!(
            days.iter()
                .all(|(date, rule)| matches!(rule, DayRule::Rest { .. }) || weekend(date)),
            "{year}"
        );
        assert!(
            (1..=3).all(|day| matches!(days[&date(year, 10, day)], DayRule::Rest { .. })),
            "{year}"
        );
    }
}

#[test]
fn later_changes_by_notice_are_in() {
    let calendar = calendar();
    let kind = |year, month, day| calendar.day(date(year, month, day)).unwrap().kind;
    // 2019: Labour Day prolonged in March; 2020: the Spring Festival prolonged to 2 February; 2015: three days in September.
    assert_eq!(
        (kind(2019, 5, 3), kind(2019, 5, 5)),
        (DayKind::Holiday("劳动节"), DayKind::MakeUp("劳动节"))
    );
    assert_eq!(
        (kind(2020, 1, 31), kind(2020, 2, 1)),
        (DayKind::Holiday("春节"), DayKind::Holiday("春节"))
    );
    assert_eq!(
        (kind(2015, 9, 4), kind(2015, 9, 6)),
        (DayKind::Holiday("抗战胜利纪念日"), DayKind::MakeUp("抗战胜利纪念日"))
    );
}
