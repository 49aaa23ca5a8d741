//! Clocks against a minute-by-minute oracle: it walks every minute, asks the written rules what that minute is, and
//! adds exact fractions. It shares no arithmetic with the calendar's tables.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::calendar::{CalendarRules, DayHours, DayRule, Duty, Season, Shift, Span, WORKING_DAY_PARTS, Week};
use crate::time::{DAY_MS, MINUTE_MS, date_of, day_number};
use jiff::civil::date;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;

/// Cases for each property, some seconds without optimisation. The same ones each time; `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` ask for more and for others.
const CASES: u32 = 1_000;

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_260_214),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig {
        cases: default.cases.max(CASES),
        rng_seed,
        failure_persistence: None,
        ..default
    }
}

const DAYS: usize = 34;
const MINUTES: usize = DAYS * 1_440;
/// A multiple of the length in minutes of every day in [`pool`]: a thousandth of a working day is this many oracle
/// units.
const SCALE: i64 = 59_925_600;

fn base() -> i64 {
    day_number(date(2026, 1, 1))
}

fn moment(minute: usize) -> Timestamp {
    Timestamp::from_day(base(), minute as i64 * MINUTE_MS)
}

/// Days with 0, 420, 450, 435 (not a divisor of the parts of a day), 210, 1440 and 410 minutes.
fn pool(index: usize) -> DayHours {
    match index {
        0 => DayHours::rest(),
        1 => DayHours::full(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
        2 => DayHours::full(&[Span::hm(8, 0, 12, 0), Span::hm(14, 30, 18, 0)]),
        3 => DayHours::full(&[Span::hm(8, 30, 12, 0), Span::hm(13, 15, 17, 0)]),
        4 => DayHours::half(&[Span::hm(8, 30, 12, 0)]),
        5 => DayHours {
            sessions: vec![Span::hm(0, 0, 24, 0)],
            weight: 1_000,
        },
        _ => DayHours {
            sessions: vec![Span::hm(9, 0, 12, 0), Span::hm(12, 10, 14, 0), Span::hm(15, 0, 17, 0)],
            weight: 300,
        },
    }
}

fn week() -> impl Strategy<Value = Week> {
    (
        prop::array::uniform7(prop_oneof![2 => Just(1_usize), 1 => 0..7_usize]),
        1..7_usize,
    )
        .prop_map(|(days, makeup)| Week {
            days: days.map(pool),
            makeup: pool(makeup),
        })
}

fn rules(version: u32, first: i64, last: i64) -> impl Strategy<Value = CalendarRules> {
    let overrides = prop::collection::vec((first..=last, 0..3_usize, 0..7_usize), 0..8);
    let season = prop::option::of((first..=last, 0..10_i64, week()));
    (week(), season, overrides).prop_map(move |(week, season, overrides)| {
        let day = |offset: i64| date_of(base() + offset);
        let rule = |kind, index| match kind {
            0 => DayRule::Rest { name: "节日".into() },
            1 => DayRule::Work { name: "节日".into() },
            _ => DayRule::Hours {
                name: "另定".into(),
                hours: pool(index),
            },
        };
        CalendarRules {
            id: "cn".into(),
            version,
            from: day(first),
            to: day(last),
            week,
            seasons: season
                .map(|(from, long, week)| Season {
                    from: day(from),
                    to: day(from + long),
                    week,
                })
                .into_iter()
                .collect(),
            days: overrides
                .into_iter()
                .map(|(offset, kind, index)| (day(offset), rule(kind, index)))
                .collect(),
            shifts: vec![],
        }
    })
}

/// What one day is under a version, as the written rules say it.
fn hours_of(all: &[CalendarRules], version: u32, offset: usize) -> Option<DayHours> {
    let date = date_of(base() + offset as i64);
    let knows = |rules: &&CalendarRules| rules.from <= date && date <= rules.to;
    let own = all.iter().find(|rules| rules.version == version).filter(knows);
    let rules = own.or_else(|| all.iter().filter(knows).max_by_key(|rules| rules.version))?;
    let week = rules
        .seasons
        .iter()
        .find(|s| s.from <= date && date <= s.to)
        .map_or(&rules.week, |s| &s.week);
    Some(match rules.days.get(&date) {
        Some(DayRule::Rest { .. }) => DayHours::rest(),
        Some(DayRule::Work { .. }) => week.makeup.clone(),
        Some(DayRule::Hours { hours, .. }) => hours.clone(),
        None => week.days[date.weekday().to_monday_zero_offset() as usize].clone(),
    })
}

/// The oracle's view of a log: what each minute adds, and how much is wanted.
struct Walk {
    /// Exact oracle units (working days) or minutes added by each minute; `None` beyond the known days.
    adds: Vec<Option<i64>>,
    paused_at_end: bool,
    total: i64,
}

const fn minute_of(at: Timestamp, base: i64) -> usize {
    ((at.0 + 8 * 60 * MINUTE_MS - base * DAY_MS) / MINUTE_MS) as usize
}

fn walk(all: &[CalendarRules], events: &[Event]) -> Walk {
    let (mut limit, mut version, mut extended, mut started) = (None, 0, 0, 0);
    let mut off = vec![false; MINUTES];
    let mut paused = None;
    for event in events {
        let minute = minute_of(event.at(), base());
        match event {
            Event::Started {
                limit: first, calendar, ..
            } => {
                (limit, version, started) = (Some(*first), calendar.version, minute);
            }
            Event::RuleMigrated {
                limit: next, calendar, ..
            } => {
                (limit, version, extended) = (Some(*next), calendar.version, 0);
            }
            Event::Extended { by, .. } => extended += by.parts,
            Event::Paused { .. } => paused = Some(minute),
            Event::Resumed { .. } => off[paused.take().unwrap()..minute].fill(true),
            Event::Stopped { .. } => {}
        }
    }
    if let Some(from) = paused {
        off[from..].fill(true);
    }
    let limit = limit.unwrap();
    let unit = limit.amount().unit;
    let total = limit.amount().parts + extended;
    let total = match unit {
        // Limits are given in thousandths, so this division leaves nothing.
        Unit::WorkingDay => total / (WORKING_DAY_PARTS / 1_000) * SCALE,
        _ => total,
    };
    let days: Vec<Option<DayHours>> = (0..DAYS).map(|day| hours_of(all, version, day)).collect();
    let mut begin = started;
    if limit.start() == Start::NextWorkingDay {
        let today = started / 1_440;
        let next = (today + 1..DAYS).find(|&day| days[day].as_ref().is_none_or(|hours| !hours.sessions.is_empty()));
        begin = next.unwrap_or(DAYS) * 1_440;
    }
    let unknown_begin = limit.start() == Start::NextWorkingDay && days.get(begin / 1_440).is_none_or(Option::is_none);
    let mut adds = Vec::with_capacity(MINUTES);
    for (day, hours) in days.iter().enumerate() {
        let mut inside = [false; 1_440];
        let sessions = hours.iter().flat_map(|h| &h.sessions);
        sessions.for_each(|s| inside[usize::from(s.from)..usize::from(s.to)].fill(true));
        let length = inside.iter().filter(|&&works| works).count() as i64;
        for (clock, works) in inside.into_iter().enumerate() {
            let minute = day * 1_440 + clock;
            adds.push(match hours {
                _ if minute < begin => Some(0),
                _ if unknown_begin => None,
                _ if off[minute] => Some(0),
                _ if !unit.is_working() => Some(MINUTE_MS),
                None => None,
                Some(_) if !works => Some(0),
                Some(hours) if unit == Unit::WorkingDay => Some(i64::from(hours.weight) * SCALE / length),
                Some(_) => Some(MINUTE_MS),
            });
        }
    }
    Walk {
        adds,
        paused_at_end: paused.is_some(),
        total,
    }
}

impl Walk {
    /// The millisecond at which the total is reached, exactly, rounded up.
    fn due(&self) -> Option<Timestamp> {
        let mut sum = 0;
        for (minute, add) in self.adds.iter().enumerate() {
            let add = (*add)?;
            if add > 0 && sum + add >= self.total {
                let ms = ((self.total - sum) * MINUTE_MS + add - 1) / add;
                return Some(moment(minute).plus_ms(ms));
            }
            sum += add;
        }
        None
    }

    fn used(&self, until: usize) -> Option<i64> {
        self.adds[..until].iter().copied().sum()
    }
}

#[derive(Debug, Clone)]
struct Play {
    calendars: Vec<CalendarRules>,
    log: ClockLog,
    nows: Vec<usize>,
}

fn limits() -> impl Strategy<Value = Limit> + Clone {
    let unit = prop_oneof![
        3 => Just(Unit::WorkingDay),
        1 => Just(Unit::WorkingHour),
        1 => Just(Unit::NaturalHour),
        1 => Just(Unit::NaturalDay)
    ];
    let start = prop_oneof![Just(Start::Immediately), Just(Start::NextWorkingDay)];
    // Whole units half of the time: those must end exactly at closing.
    let amount = prop_oneof![(1..9_u64).prop_map(|n| n * 1_000), 1..6_000_u64];
    (amount, unit, start)
        .prop_map(|(amount, unit, start)| Limit::new(Amount::thousandths(amount, unit), start).unwrap())
}

/// A log of possible events at minutes of the first 20 days; impossible ones are refused and left out.
fn play() -> impl Strategy<Value = Play> {
    let event = (
        prop_oneof![2 => 0..600_usize, 1 => 0..4_000_usize],
        0..9_u8,
        limits(),
        1..3_u32,
        1..3_000_u64,
    );
    (rules(1, 0, 18), rules(2, 11, 30), 0..14_400_usize, limits(), 1..3_u32)
        .prop_flat_map(move |(one, two, start, limit, version)| {
            let events = prop::collection::vec(event.clone(), 0..9);
            let nows = prop::collection::vec(0..46_000_usize, 2);
            (Just((one, two, start, limit, version)), events, nows)
        })
        .prop_map(|((one, two, start, limit, version), events, mut nows)| {
            let calendar = |version| CalendarRef {
                id: "cn".into(),
                version,
            };
            let rule = |version| RuleRef {
                id: "规则".into(),
                version,
            };
            let mut log = ClockLog::start(moment(start), rule(1), limit, calendar(version)).unwrap();
            let mut minute = start;
            for (gap, kind, limit, version, amount) in events {
                minute += gap;
                let at = moment(minute);
                let unit = Terms::of(log.events()).unit();
                let event = match kind {
                    0..=2 => Event::Paused {
                        at,
                        approval: "准".into(),
                        reason: "因".into(),
                        until: None,
                    },
                    3..=5 => Event::Resumed { at },
                    6 => Event::Extended {
                        at,
                        by: Amount::thousandths(amount, unit),
                        approval: "准".into(),
                    },
                    7 => Event::RuleMigrated {
                        at,
                        rule: rule(2),
                        limit,
                        calendar: calendar(version),
                        approval: "准".into(),
                    },
                    _ => Event::Stopped { at },
                };
                let before = log.clone();
                if log.push(event).is_err() {
                    assert_eq!(log, before, "a refused event must leave the log as it was");
                }
            }
            nows.sort_unstable();
            Play {
                calendars: vec![one, two],
                log,
                nows,
            }
        })
}

/// The implementation may be one millisecond early, where the exact moment lies within a part after a millisecond.
fn same_moment(found: Timestamp, exact: Timestamp) -> bool {
    found == exact || found.plus_ms(1) == exact
}

/// Compares parts with exact oracle units, allowing one part of rounding for each stretch.
fn same_amount(found: Amount, exact: i64, stretches: usize) -> bool {
    if found.unit != Unit::WorkingDay {
        return found.parts == exact;
    }
    let per_day = i128::from(SCALE) * 1_000;
    let gap = i128::from(found.parts) * per_day - i128::from(exact) * i128::from(WORKING_DAY_PARTS);
    gap.abs() <= per_day * (stretches as i128 + 1)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn due_is_what_walking_every_minute_finds(play in play()) {
        let calendars = Calendars::new(&play.calendars).unwrap();
        let walk = walk(&play.calendars, play.log.events());
        let found = due(&play.log, &calendars).unwrap();
        match (&found, walk.due()) {
            (Due::At(at), Some(exact)) => prop_assert!(same_moment(*at, exact), "{at} instead of {exact}"),
            (Due::WhenResumed, None) => prop_assert!(walk.paused_at_end),
            (Due::Unknown(_), None) => prop_assert!(walk.adds.contains(&None)),
            (_, exact) => prop_assert!(false, "{found:?} instead of {exact:?}"),
        }
    }

    #[test]
    fn state_at_any_moment_is_what_walking_every_minute_finds(play in play()) {
        let calendars = Calendars::new(&play.calendars).unwrap();
        for &now in &play.nows {
            let events = up_to(&play.log, moment(now));
            let walk = walk(&play.calendars, events);
            let stop = if let Some(Event::Stopped { at }) = events.last() { minute_of(*at, base()) } else { now };
            let until = now.min(stop);
            let state = replay(&play.log, &calendars, moment(now)).unwrap();
            // Both versions together know 31 days; working time beyond them is not counted.
            let known = walk.adds.iter().position(Option::is_none).unwrap_or(MINUTES);
            let exact = walk.used(until.min(known)).unwrap();
            prop_assert!(same_amount(state.used, exact, events.len()), "{state:?} instead of {exact}");
            let end = if state.used.unit.is_working() { until.min(31 * 1_440) } else { until };
            prop_assert_eq!(state.counted_to, moment(end));
            let late = walk.due().map_or(0, |due| (moment(until).0 - due.0).max(0));
            prop_assert!(state.late_ms - late <= 1 && state.late_ms >= late, "{state:?} late {late}");
            prop_assert!(!state.is_late() || state.over.parts > 0 || exact <= walk.total);
        }
    }

    #[test]
    fn explanation_names_exactly_the_minutes_that_count(play in play()) {
        let calendars = Calendars::new(&play.calendars).unwrap();
        let now = moment(*play.nows.last().unwrap());
        let lines = explain(&play.log, &calendars, now).unwrap();
        let walk = walk(&play.calendars, up_to(&play.log, now));
        let mut says = vec![None; MINUTES];
        let mut sum = 0;
        for pair in lines.windows(2) {
            prop_assert!(pair[0].from <= pair[0].to);
            let note = !matches!(pair[1].what, What::Counted(_) | What::Idle(_));
            prop_assert!(note || pair[0].from <= pair[1].from, "{lines:#?}");
        }
        for line in &lines {
            sum += line.counted.parts;
            prop_assert_eq!(line.sum.parts, sum);
            let counts = match line.what {
                What::Counted(_) => true,
                What::Idle(_) => false,
                _ => continue,
            };
            // A clock due within a minute ends within it: round outwards.
            let to = minute_of(line.to.plus_ms(MINUTE_MS - 1), base()).min(MINUTES);
            says[minute_of(line.from, base()).min(to)..to].fill(Some(counts));
        }
        let Some(What::Conclusion(state)) = lines.last().map(|line| &line.what) else { panic!("no conclusion") };
        let end = if let Due::At(at) = state.due { at } else { lines.last().unwrap().to };
        for (minute, says) in says.iter().enumerate().take(minute_of(end, base()).min(MINUTES)) {
            let counts = walk.adds[minute].is_some_and(|add| add > 0);
            // A counted line spans a day's breaks; every minute that counts must be in one, and no idle line may hold
            // one.
            if counts {
                prop_assert!(*says == Some(true), "{}", moment(minute));
            }
        }
        if let Due::At(_) = state.due {
            let last = play.log.events().len() as i64 + 1;
            // Within a millisecond's worth of parts plus rounding.
            let slack = if state.total.unit == Unit::WorkingDay { 400_000 + last } else { 0 };
            prop_assert!((sum - state.total.parts).abs() <= slack, "{sum} of {}", state.total.parts);
        }
        let texts = [explain_text(&lines, Lang::Zh), explain_text(&lines, Lang::En)];
        prop_assert!(texts.iter().all(|text| text.len() == lines.len()));
    }

    #[test]
    fn used_time_never_shrinks_while_the_rule_stays(play in play()) {
        let calendars = Calendars::new(&play.calendars).unwrap();
        if play.log.events().iter().any(|event| matches!(event, Event::RuleMigrated { .. })) {
            return Ok(());
        }
        let mut last = i64::MIN;
        for &now in &play.nows {
            let state = replay(&play.log, &calendars, moment(now)).unwrap();
            prop_assert!(state.used.parts + play.log.events().len() as i64 >= last);
            prop_assert!(state.remaining.parts == 0 || state.remaining.parts + state.used.parts == state.total.parts);
            last = state.used.parts;
        }
    }

    #[test]
    fn adding_and_measuring_agree(one in rules(1, 0, 30), from in 0..14_400_i64, long in 0..20_000_i64, x in 1..40_u32, y in 1..40_u32) {
        let calendar = Calendar::compile(&one).unwrap();
        let from = Timestamp::from_day(base(), from * MINUTE_MS + 1_234);
        let to = from.plus_ms(long * MINUTE_MS);
        for unit in [Unit::WorkingDay, Unit::WorkingHour, Unit::NaturalHour] {
            let gap = calendar.between(from, to, unit).unwrap();
            prop_assert_eq!(calendar.between(to, from, unit).unwrap(), gap.back());
            let reached = calendar.add(from, gap).unwrap();
            prop_assert!(reached <= to);
            prop_assert_eq!(calendar.between(from, reached, unit).unwrap(), gap);
            if gap.parts > 0 {
                prop_assert!(calendar.between(from, reached.plus_ms(-1), unit).unwrap().parts < gap.parts);
            }
        }
        let add = |at: Timestamp, hours: u32| calendar.add(at, Amount::whole(hours, Unit::WorkingHour));
        if let Ok(both) = add(from, x + y) {
            prop_assert_eq!(add(add(from, x).unwrap(), y).unwrap(), both);
            prop_assert!(add(from, x).unwrap() < both);
        }
    }

    #[test]
    fn duty_begins_at_the_first_working_minute(one in rules(1, 0, 30), from in 0..30_000_usize) {
        let calendar = Calendar::compile(&one).unwrap();
        let works = |minute: usize| {
            let hours = hours_of(std::slice::from_ref(&one), 1, minute / 1_440)?;
            Some(hours.sessions.iter().any(|s| (usize::from(s.from)..usize::from(s.to)).contains(&(minute % 1_440))))
        };
        let duty = calendar.duty(None).unwrap();
        prop_assert_eq!(duty.is_on(moment(from)).unwrap(), works(from).unwrap());
        let next = (from..31 * 1_440).find(|&minute| works(minute) == Some(true));
        prop_assert_eq!(duty.next(moment(from)).ok(), next.map(moment));
        if let Ok(start) = duty.last_start(moment(from)) {
            prop_assert!(duty.is_on(start).unwrap() && start <= moment(from));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn shifts_are_on_duty_in_the_minutes_they_name(
        cycle in prop::collection::vec(prop::collection::vec((0..1_440_u16, 1..1_441_u16), 0..3), 1..6),
        anchor in 0..40_i64,
        from in 0..30_000_usize,
    ) {
        let spans = |day: Vec<(u16, u16)>| day.into_iter().map(|(from, long)| Span { from, to: from + long }).collect();
        let cycle: Vec<Vec<Span>> = cycle.into_iter().map(spans).collect();
        prop_assume!(!cycle.iter().all(Vec::is_empty));
        let shift = Shift { name: "班".into(), anchor: date_of(base() + anchor), cycle: cycle.clone() };
        // Every minute of 60 days, marked day by day; 20 days of margin before the first asked.
        let (margin, days) = (20, 60);
        let (mut on, mut begins) = (vec![false; days * 1_440], vec![false; days * 1_440]);
        for day in 0..days - 2 {
            let turn = (day as i64 - margin as i64 - anchor).rem_euclid(cycle.len() as i64) as usize;
            for span in &cycle[turn] {
                let start = day * 1_440 + usize::from(span.from);
                on[start..start + usize::from(span.to - span.from)].fill(true);
                begins[start] = true;
            }
        }
        let (duty, asked) = (Duty::Shift(&shift), from + margin * 1_440);
        prop_assert_eq!(duty.is_on(moment(from)), Ok(on[asked]));
        let next = (asked..).find(|&minute| on[minute]).unwrap();
        prop_assert_eq!(duty.next(moment(from)), Ok(moment(from + next - asked)));
        let last = (0..=asked).rev().find(|&minute| begins[minute]).unwrap();
        let ago = (asked - last) as i64 * MINUTE_MS;
        prop_assert_eq!(duty.last_start(moment(from)), Ok(moment(from).plus_ms(-ago)));
    }
}

#[test]
fn a_limit_due_at_closing_survives_pauses_on_days_of_awkward_length() {
    // 435 minutes do not divide the parts of a day: three pauses a day must not push the end past closing.
    let rules = CalendarRules {
        id: "cn".into(),
        version: 1,
        from: date(2026, 1, 1),
        to: date(2026, 1, 31),
        week: Week {
            days: [3; 7].map(pool),
            makeup: pool(3),
        },
        seasons: vec![],
        days: BTreeMap::new(),
        shifts: vec![],
    };
    let calendars = Calendars::new(std::slice::from_ref(&rules)).unwrap();
    let limit = Limit::new(Amount::whole(10, Unit::WorkingDay), Start::Immediately).unwrap();
    let calendar = CalendarRef {
        id: "cn".into(),
        version: 1,
    };
    let mut log = ClockLog::start(
        moment(0),
        RuleRef {
            id: "规则".into(),
            version: 1,
        },
        limit,
        calendar,
    )
    .unwrap();
    for day in 0..9 {
        for minute in [541, 607, 811] {
            let at = moment(day * 1_440 + minute);
            log.push(Event::Paused {
                at,
                approval: "准".into(),
                reason: "因".into(),
                until: None,
            })
            .unwrap();
            log.push(Event::Resumed {
                at: at.plus_ms(MINUTE_MS),
            })
            .unwrap();
        }
    }
    // 27 minutes were paused, so on the eleventh day 27 minutes are used: 08:57.
    assert_eq!(due(&log, &calendars), Ok(Due::At(moment(10 * 1_440 + 8 * 60 + 57))));
}
