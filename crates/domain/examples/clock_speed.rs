//! Prints how long compiling a three-year calendar takes, and computing and explaining a clock.
//! Run: `cargo run --release -p domain --example clock_speed`. Aims: compile under 5 ms, due under 2 us.

use domain::calendar::{Amount, CalendarRef, CalendarRules, Calendars, DayRule, Span, Unit, Week};
use domain::cases::clock::{ClockLog, Event, Lang, Limit, RuleRef, Start, due, explain, explain_text, replay};
use domain::time::Timestamp;
use jiff::civil::date;
use std::hint::black_box;
use std::time::Instant;

fn rules() -> CalendarRules {
    let holidays = (1..=36).map(|n| {
        (
            date(2025 + n / 13, (n % 12 + 1) as i8, 3),
            DayRule::Rest {
                name: format!("节日{n}"),
            },
        )
    });
    CalendarRules {
        id: "cn".into(),
        version: 1,
        from: date(2025, 1, 1),
        to: date(2027, 12, 31),
        week: Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
        seasons: vec![],
        days: holidays.collect(),
        shifts: vec![],
    }
}

/// Started, paused twice with approval, extended once, ten working days from the next day.
fn log() -> ClockLog {
    let at = |day, hour| Timestamp::from_civil(date(2026, 3, day).at(hour, 20, 0, 0));
    let text = || "审批〔2026〕12号".to_owned();
    let limit = Limit::new(Amount::whole(10, Unit::WorkingDay), Start::NextWorkingDay).expect("in range");
    ClockLog::from_events([
        Event::Started {
            at: at(2, 15),
            rule: RuleRef {
                id: "一般".into(),
                version: 1,
            },
            limit,
            calendar: CalendarRef {
                id: "cn".into(),
                version: 1,
            },
        },
        Event::Paused {
            at: at(4, 10),
            approval: text(),
            reason: "等材料".into(),
            until: None,
        },
        Event::Resumed { at: at(6, 9) },
        Event::Extended {
            at: at(9, 9),
            by: Amount::whole(3, Unit::WorkingDay),
            approval: text(),
        },
        Event::Paused {
            at: at(10, 10),
            approval: text(),
            reason: "等鉴定".into(),
            until: None,
        },
        Event::Resumed { at: at(12, 16) },
    ])
    .expect("possible events")
}

fn measure<T>(what: &str, times: u32, mut run: impl FnMut() -> T) {
    let begin = Instant::now();
    for _ in 0..times {
        black_box(run());
    }
    println!(
        "{what}: {:.3} us",
        begin.elapsed().as_secs_f64() * 1e6 / f64::from(times)
    );
}

fn main() {
    let (rules, log) = ([rules()], log());
    let calendars = Calendars::new(&rules).expect("a good calendar");
    let now = Timestamp::from_civil(date(2026, 3, 20).at(10, 0, 0, 0));
    measure("compile three years", 200, || Calendars::new(black_box(&rules)));
    measure("due", 200_000, || due(black_box(&log), &calendars));
    measure("replay", 200_000, || replay(black_box(&log), &calendars, now));
    measure("explain", 20_000, || explain(black_box(&log), &calendars, now));
    let lines = explain(&log, &calendars, now).expect("a known calendar");
    measure("explain in words", 20_000, || explain_text(black_box(&lines), Lang::Zh));
}
