//! Clocks on real Chinese days: the 2026 Spring Festival, pauses, extensions, half days, migrations, and what is
//! refused.
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
        until: None,
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

/// Every sentence in Chinese, then in English.
fn told(log: &ClockLog, calendars: &Calendars, now: &str) -> String {
    let lines = explain(log, calendars, at(now)).unwrap();
    let mut all = explain_text(&lines, Lang::Zh);
    all.push(String::new());
    all.extend(explain_text(&lines, Lang::En));
    all.join("\n")
}

#[test]
fn spring_festival_explained() {
    let log = three_days_from("2026-02-13 15:00");
    insta::assert_snapshot!(told(&log, &calendars(), "2026-02-24 10:00"));
}

#[test]
fn long_limit_collapses_equal_days() {
    let log = ClockLog::start(
        at("2026-01-30 09:15"),
        rule(2),
        limit(15, Unit::WorkingDay, Start::NextWorkingDay),
        cn(1),
    );
    insta::assert_snapshot!(told(&log.unwrap(), &calendars(), "2026-02-02 08:00"));
}

#[test]
fn pause_over_a_weekend_explained() {
    let mut log = three_days_from("2026-03-02 15:00");
    log.push(pause("2026-03-05 10:00")).unwrap();
    insta::assert_snapshot!("pause_open", told(&log, &calendars(), "2026-03-06 09:00"));
    log.push(Event::Resumed {
        at: at("2026-03-09 10:00"),
    })
    .unwrap();
    insta::assert_snapshot!("pause_over", told(&log, &calendars(), "2026-03-09 11:00"));
}

fn extension(text: &str, days: u32) -> Event {
    Event::Extended {
        at: at(text),
        by: Amount::whole(days, Unit::WorkingDay),
        approval: "延期字〔2026〕8号".into(),
    }
}

#[test]
fn extension_explained_and_stopped_late() {
    let mut log = three_days_from("2026-03-02 15:00");
    log.push(extension("2026-03-04 16:00", 2)).unwrap();
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-03-09 17:30"))));
    log.push(Event::Stopped {
        at: at("2026-03-10 09:30"),
    })
    .unwrap();
    insta::assert_snapshot!(told(&log, &calendars(), "2026-04-01 09:00"));
}

#[test]
fn half_day_explained() {
    // Thursday afternoon, the half Friday of the 13th, and Monday morning make 0.5 + 0.5 + 0.5.
    let amount = Amount::thousandths(1_500, Unit::WorkingDay);
    let log = ClockLog::start(
        at("2026-03-12 14:00"),
        rule(2),
        Limit::new(amount, Start::Immediately).unwrap(),
        cn(1),
    );
    let log = log.unwrap();
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-03-16 12:00"))));
    insta::assert_snapshot!(told(&log, &calendars(), "2026-03-12 15:00"));
}

#[test]
fn emergency_in_the_night_counts_every_hour() {
    let log = ClockLog::start(
        at("2026-02-16 23:10"),
        rule(1),
        limit(2, Unit::NaturalHour, Start::Immediately),
        cn(1),
    )
    .unwrap();
    assert_eq!(due(&log, &calendars()), Ok(Due::At(at("2026-02-17 01:10"))));
    insta::assert_snapshot!(told(&log, &calendars(), "2026-02-17 02:00"));
}

#[test]
fn natural_days_from_the_next_working_day_end_at_midnight() {
    let log = ClockLog::start(
        at("2026-02-14 18:00"),
        rule(1),
        limit(5, Unit::NaturalDay, Start::NextWorkingDay),
        cn(1),
    )
    .unwrap();
    insta::assert_snapshot!(told(&log, &calendars(), "2026-02-25 12:00"));
}

#[test]
fn migration_recounts_from_the_start_and_says_so() {
    let mut log = three_days_from("2026-03-02 15:00");
    log.push(extension("2026-03-03 09:00", 2)).unwrap();
    let before = replay(&log, &calendars(), at("2026-03-04 10:00")).unwrap();
    log.push(Event::RuleMigrated {
        at: at("2026-03-04 10:00"),
        rule: rule(3),
        limit: limit(20, Unit::WorkingHour, Start::Immediately),
        calendar: cn(1),
        approval: "规则变更〔2026〕1号".into(),
    })
    .unwrap();
    let after = replay(&log, &calendars(), at("2026-03-04 10:00")).unwrap();
    assert_eq!(
        (before.due, after.due),
        (Due::At(at("2026-03-09 17:30")), Due::At(at("2026-03-05 12:00")))
    );
    // What could be known before the migration is still what is told about that time.
    assert_eq!(
        replay(&log, &calendars(), at("2026-03-04 09:59")).unwrap().total,
        Amount::whole(5, Unit::WorkingDay)
    );
    insta::assert_snapshot!(told(&log, &calendars(), "2026-03-04 10:00"));
}

#[test]
fn a_year_not_imported_is_said_and_filled_in_when_it_comes() {
    let log = three_days_from("2026-12-30 09:00");
    assert!(matches!(
        due(&log, &calendars()),
        Ok(Due::Unknown(CalendarError { year: 2027, .. }))
    ));
    insta::assert_snapshot!(told(&log, &calendars(), "2026-12-31 10:00"));

    let next_year = CalendarRules {
        from: date(2027, 1, 1),
        to: date(2027, 12, 31),
        days: BTreeMap::new(),
        ..rules_2026(2)
    };
    let both = Calendars::new(&[rules_2026(1), next_year.clone()]).unwrap();
    assert_eq!(due(&log, &both), Ok(Due::At(at("2027-01-04 17:30"))));

    // Of two versions that know the missing year, the newest counts.
    let new_year = DayRule::Rest { name: "元旦".into() };
    let corrected = CalendarRules {
        version: 3,
        days: BTreeMap::from([(date(2027, 1, 1), new_year)]),
        ..next_year.clone()
    };
    let three = Calendars::new(&[rules_2026(1), next_year, corrected]).unwrap();
    assert_eq!(due(&log, &three), Ok(Due::At(at("2027-01-05 17:30"))));
}

#[test]
fn a_newer_calendar_does_not_touch_a_running_clock() {
    let log = three_days_from("2026-03-02 15:00");
    let mut corrected = rules_2026(2);
    corrected.days.insert(
        date(2026, 3, 4),
        DayRule::Rest {
            name: "临时放假".into(),
        },
    );
    let both = Calendars::new(&[rules_2026(1), corrected]).unwrap();
    assert_eq!(due(&log, &both), due(&log, &calendars()));
    let new = ClockLog::start(
        at("2026-03-02 15:00"),
        rule(2),
        limit(3, Unit::WorkingDay, Start::NextWorkingDay),
        cn(2),
    );
    assert_eq!(due(&new.unwrap(), &both), Ok(Due::At(at("2026-03-06 17:30"))));
}

#[test]
fn exactly_at_closing_is_in_time_and_a_millisecond_later_is_late() {
    let mut log = three_days_from("2026-03-02 15:00");
    log.push(Event::Stopped {
        at: at("2026-03-05 17:30"),
    })
    .unwrap();
    assert!(!replay(&log, &calendars(), at("2026-05-01 00:00")).unwrap().is_late());
    let mut log = three_days_from("2026-03-02 15:00");
    log.push(Event::Stopped {
        at: at("2026-03-05 17:30").plus_ms(1),
    })
    .unwrap();
    let state = replay(&log, &calendars(), at("2026-05-01 00:00")).unwrap();
    assert_eq!((state.late_ms, state.over.parts, state.remaining.parts), (1, 0, 0));
}

#[test]
fn impossible_events_are_refused() {
    let start = three_days_from("2026-03-02 15:00");
    let after = |events: &[Event], last: Event| {
        let mut log = start.clone();
        events.iter().cloned().for_each(|event| log.push(event).unwrap());
        log.push(last).unwrap_err()
    };
    let (resume, stop) = (
        Event::Resumed {
            at: at("2026-03-03 10:00"),
        },
        Event::Stopped {
            at: at("2026-03-03 10:00"),
        },
    );
    let paused = pause("2026-03-03 09:00");
    assert_eq!(
        after(std::slice::from_ref(&paused), pause("2026-03-03 10:00")),
        Refusal::AlreadyPaused
    );
    assert_eq!(after(&[], resume.clone()), Refusal::NotPaused);
    assert_eq!(after(&[paused, resume.clone()], resume), Refusal::NotPaused);
    assert_eq!(
        after(std::slice::from_ref(&stop), extension("2026-03-03 11:00", 1)),
        Refusal::AlreadyStopped
    );
    assert_eq!(
        after(&[stop], extension("2026-03-03 09:00", 1)),
        Refusal::AlreadyStopped
    );
    assert_eq!(after(&[], start.events()[0].clone()), Refusal::AlreadyStarted);
    let early = Refusal::OutOfOrder {
        at: at("2026-03-02 14:59"),
        last: at("2026-03-02 15:00"),
    };
    assert_eq!(after(&[], extension("2026-03-02 14:59", 1)), early);
    let hours = Amount::whole(1, Unit::WorkingHour);
    let other = Event::Extended {
        at: at("2026-03-03 09:00"),
        by: hours,
        approval: "准".into(),
    };
    assert_eq!(after(&[], other), Refusal::OtherUnit);
    assert_eq!(after(&[], extension("2026-03-03 09:00", 0)), Refusal::LimitOutOfRange);
    assert_eq!(
        after(&[], extension("2026-03-03 09:00", 4_000)),
        Refusal::LimitOutOfRange
    );
    let silent = Event::Paused {
        at: at("2026-03-03 09:00"),
        approval: " ".into(),
        reason: "因".into(),
        until: None,
    };
    assert_eq!(after(&[], silent), Refusal::BadText);
    assert_eq!(ClockLog::from_events([]), Err(Refusal::NotStarted));
    assert_eq!(
        ClockLog::from_events([Event::Resumed { at: Timestamp(0) }]),
        Err(Refusal::NotStarted)
    );
    assert_eq!(
        Limit::new(Amount::zero(Unit::NaturalDay), Start::Immediately),
        Err(Refusal::LimitOutOfRange)
    );
    let huge = Amount::whole(u32::MAX, Unit::WorkingDay);
    assert_eq!(Limit::new(huge, Start::Immediately), Err(Refusal::LimitOutOfRange));
}

#[test]
fn a_log_is_bounded() {
    let mut log = three_days_from("2026-03-02 15:00");
    let more = (1..MAX_EVENTS).map(|_| Event::Extended {
        at: at("2026-03-02 15:00"),
        by: Amount::thousandths(1, Unit::WorkingDay),
        approval: "准".into(),
    });
    more.into_iter().for_each(|event| log.push(event).unwrap());
    assert_eq!(
        log.push(Event::Stopped {
            at: at("2026-03-02 15:00")
        }),
        Err(Refusal::TooManyEvents)
    );
}

#[test]
fn a_calendar_that_is_not_there_is_an_error() {
    let log = ClockLog::start(
        at("2026-03-02 15:00"),
        rule(1),
        limit(1, Unit::NaturalHour, Start::Immediately),
        cn(9),
    )
    .unwrap();
    assert_eq!(due(&log, &calendars()), Err(ClockError::NoCalendar(cn(9))));
}

#[test]
fn warning_comes_when_the_share_is_used() {
    let log = three_days_from("2026-03-02 15:00");
    // Four fifths of three days is 2.4: two fifths of Thursday's seven hours is 11:18.
    assert_eq!(warn_at(&log, &calendars(), 800), Ok(Some(at("2026-03-05 11:18"))));
    assert_eq!(warn_at(&log, &calendars(), 0), Ok(Some(at("2026-03-03 00:00"))));
}

fn step(name: &str, when: When, urgent: bool) -> Step {
    Step {
        name: name.into(),
        when,
        urgent,
    }
}

#[test]
fn the_ladder_waits_for_duty_unless_urgent_and_warns_before_the_deadline() {
    let calendars = calendars();
    let office = calendars.newest("cn").unwrap();
    // 56 hours, day and night, from Friday morning: due on Sunday evening.
    let log = ClockLog::start(
        at("2026-03-06 10:00"),
        rule(1),
        limit(56, Unit::NaturalHour, Start::Immediately),
        cn(1),
    )
    .unwrap();
    let hour = |count| Amount::whole(count, Unit::NaturalHour);
    let steps = [
        step("提醒承办人", When::Used(800), false),
        step("催办", When::Before(hour(2)), true),
        step("到期上报", When::After(Amount::zero(Unit::NaturalHour)), false),
        step("夜班督办", When::After(hour(24)), false),
    ];
    let duty = |step: &Step| office.duty(step.name.starts_with('夜').then_some("夜班")).unwrap();
    let deliveries = ladder(&log, &calendars, &steps, duty).unwrap();
    let told: Vec<_> = deliveries
        .iter()
        .map(|d| (d.step.name.as_str(), d.planned, d.at))
        .collect();
    assert_eq!(
        told,
        [
            // Planned on Sunday, but Monday would be too late: Friday afternoon's session.
            ("提醒承办人", at("2026-03-08 06:48"), at("2026-03-06 14:00")),
            ("催办", at("2026-03-08 16:00"), at("2026-03-08 16:00")),
            ("到期上报", at("2026-03-08 18:00"), at("2026-03-09 08:30")),
            ("夜班督办", at("2026-03-09 18:00"), at("2026-03-10 20:00")),
        ]
    );
}

#[test]
fn work_goes_on_when_the_new_year_was_not_imported() {
    let calendars = calendars();
    let mut log = three_days_from("2026-12-30 09:00");
    log.push(pause("2027-01-06 10:00")).unwrap();
    let state = replay(&log, &calendars, at("2027-01-08 10:00")).unwrap();
    assert_eq!(
        (state.used, state.counted_to),
        (Amount::whole(1, Unit::WorkingDay), at("2027-01-01 00:00"))
    );
    assert_eq!(explain(&log, &calendars, at("2027-01-08 10:00")).unwrap().len(), 4);

    // Due on 31 December at closing: the warning is known, the escalation is due when offices are of unknown hours, the
    // last is unknown.
    let log = three_days_from("2026-12-28 09:00");
    let steps = [
        step("提醒", When::Used(500), false),
        step("到期上报", When::After(Amount::zero(Unit::WorkingDay)), false),
        step("再上报", When::After(Amount::whole(2, Unit::WorkingDay)), false),
    ];
    let office = calendars.newest("cn").unwrap();
    let deliveries = ladder(&log, &calendars, &steps, |_| office.duty(None).unwrap()).unwrap();
    let told: Vec<_> = deliveries.iter().map(|d| (d.step.name.as_str(), d.at)).collect();
    assert_eq!(
        told,
        [("提醒", at("2026-12-30 14:00")), ("到期上报", at("2026-12-31 17:30"))]
    );
}

#[test]
fn a_matter_older_than_the_calendar_has_no_due_moment_but_can_be_shown() {
    let log = three_days_from("2019-04-25 09:32");
    let now = at("2026-03-02 15:00");
    let state = replay(&log, &calendars(), now).unwrap();
    assert!(
        matches!(state.due, Due::Unknown(CalendarError { year: 2025, .. })),
        "{state:?}"
    );
    assert_eq!(state.used, Amount::zero(Unit::WorkingDay));
    assert_eq!(explain(&log, &calendars(), now).unwrap().len(), 2);
}
