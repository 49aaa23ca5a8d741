//! Clocks on real Chinese days: the 2026 Spring Festival, pauses, extensions, half days, migrations, and what is refused.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::calendar::{CalendarRules, DayHours, DayRule, Shift, Span, Week};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

const OFFICE: [Span; 2] = [Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)];

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
}

/// 2026 as announced (国办发明电〔2025〕7号), as far as the tests need it, and a half day of our own.
fn rules_2026(version: u32) -> CalendarRules {
    let rest = |name: &str| DayRule::Rest { name: name.into() };
    let work = |name: &str| DayRule::Work { name: name.into() };
    let mut days: BTreeMap<Date, DayRule> = BTreeMap::new();
    days.extend((15..=23).map(|day| (date(2026, 2, day), rest("春节"))));
    days.extend([(date(2026, 2, 14), work("春节")), (date(2026, 2, 28), work("春节"))]);
    days.extend((1..=7).map(|day| (date(2026, 10, day), rest("国庆节"))));
    days.extend([
        (date(2026, 9, 20), work("国庆节")),
        (date(2026, 10, 10), work("国庆节")),
    ]);
    let hours = DayHours::half(&[Span::hm(8, 30, 12, 0)]);
    days.insert(
        date(2026, 3, 13),
        DayRule::Hours {
            name: "防汛演练半天班".into(),
            hours,
        },
    );
    CalendarRules {
        id: "cn".into(),
        version,
        from: date(2026, 1, 1),
        to: date(2026, 12, 31),
        week: Week::monday_to_friday(&OFFICE),
        seasons: vec![],
        days,
        shifts: vec![Shift {
            name: "夜班".into(),
            anchor: date(2026, 1, 1),
            cycle: vec![vec![Span::hm(20, 0, 32, 0)], vec![]],
        }],
    }
}

fn calendars() -> Calendars {
    Calendars::new(&[rules_2026(1)]).unwrap()
}

fn cn(version: u32) -> CalendarRef {
    CalendarRef {
        id: "cn".into(),
        version,
    }
}

fn rule(version: u32) -> RuleRef {
    RuleRef {
        id: "一般诉求办理".into(),
        version,
    }
}

fn limit(count: u32, unit: Unit, start: Start) -> Limit {
    Limit::new(Amount::whole(count, unit), start).unwrap()
}

fn three_days_from(text: &str) -> ClockLog {
    ClockLog::start(
        at(text),
        rule(2),
        limit(3, Unit::WorkingDay, Start::NextWorkingDay),
        cn(1),
    )
    .unwrap()
}

fn pause(text: &str) -> Event {
    Event::Paused {
        at: at(text),
        approval: "暂停字〔2026〕3号".into(),
        reason: "等待当事人补充材料".into(),
    }
}

#[test]
fn three_working_days_end_at_the_third_closing() {
    let log = three_days_from("2026-02-13 15:00");
    // Saturday the 14th makes up for the festival, the 15th to the 23rd are off: 14, 24, 25.
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-02-25 17:30"))));
}

#[test]
fn a_pause_moves_the_due_moment_by_the_working_time_it_covers() {
    let mut log = three_days_from("2026-03-02 15:00");
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-03-05 17:30"))));
    log.push(pause("2026-03-05 10:00")).unwrap();
    assert_eq!(due(&log, &calendars()), Ok(Due::WhenResumed));
    log.push(Event::Resumed {
        at: at("2026-03-09 10:00"),
    })
    .unwrap();
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-03-09 17:30"))));
}

#[test]
fn a_shift_through_the_night_is_on_duty_until_morning() {
    let calendars = calendars();
    let night = calendars.newest("cn").unwrap().duty(Some("夜班")).unwrap();
    assert_eq!(night.is_on(at("2026-01-02 07:59")), Ok(true));
    assert_eq!(night.is_on(at("2026-01-02 08:00")), Ok(false));
    assert_eq!(night.next(at("2026-01-02 08:00")), Ok(at("2026-01-03 20:00")));
    assert_eq!(night.last_start(at("2026-01-03 19:59")), Ok(at("2026-01-01 20:00")));
}
