//! Duties against an oracle that counts day by day, on random rules, memberships and visits from fixed seeds.

mod oracle;

use domain::calendar::{Calendar, CalendarRules, DayRule, Span, Week};
use domain::duties::*;
use domain::time::{MINUTE_MS, Timestamp, date_of, day_number};
use domain::workforce::Term;
use jiff::civil::{Date, date};
use oracle::{most_apart, simulate, told, visit};
use std::collections::{BTreeMap, BTreeSet};

/// Random numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// 0 to `below - 1`.
    fn roll(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len() as u64) as usize].clone()
    }
}

/// Two years with a Spring Festival, made-up Saturdays and a half day.
fn calendar() -> Calendar {
    let mut days = BTreeMap::new();
    for day in 15..=23 {
        days.insert(date(2026, 2, day), DayRule::Rest { name: "春节".into() });
    }
    for day in [14, 28] {
        days.insert(date(2026, 2, day), DayRule::Work { name: "春节".into() });
    }
    for day in 1..=8 {
        days.insert(date(2026, 10, day), DayRule::Rest { name: "国庆".into() });
    }
    Calendar::compile(&CalendarRules {
        id: "cn".into(),
        version: 1,
        from: date(2025, 1, 1),
        to: date(2027, 12, 31),
        week: Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
        seasons: Vec::new(),
        days,
        shifts: Vec::new(),
    })
    .expect("a calendar")
}

fn rule(dice: &mut Dice) -> Rule {
    let every = dice.pick(&Every::ALL);
    let minutes = dice.one_in(6);
    let least = 1 + dice.roll(if every == Every::Year { 12 } else { 5 }) as u16;
    let minutes_owed = 10 + dice.roll(400) as u32;
    let mut weekdays = [false; 7];
    weekdays.iter_mut().for_each(|day| *day = dice.one_in(2));
    weekdays[dice.roll(7) as usize] = true;
    let act = dice.pick(&Act::ALL);
    Rule {
        key: "rule".into(),
        who: if act == Act::Patrol {
            Who::Grids
        } else {
            Who::Households
        },
        act,
        quantity: if minutes {
            Quantity::Minutes(minutes_owed)
        } else {
            Quantity::Times {
                least,
                most: least + dice.roll(3) as u16,
            }
        },
        every,
        spacing: if minutes {
            0
        } else {
            dice.pick(&[0, 0, 1, 1, 1, 2, 3, 7, 10, 14, 30])
        },
        least_minutes: dice.pick(&[0, 0, 10, 20]),
        on: dice.pick(&[On::Every, On::Every, On::Working, On::Working, On::Weekdays(weekdays)]),
        hours: dice.pick(&[
            Hours::Any,
            Hours::Any,
            Hours::Working,
            Hours::Within(vec![Span::hm(7, 0, 11, 0), Span::hm(18, 30, 21, 0)]),
        ]),
        early: dice.pick(&[None, None, Some(0), Some(3), Some(10)]),
        grace: dice.pick(&[None, None, Some(0), Some(2), Some(7)]),
        by: By {
            duty: "grid".into(),
            people: dice.pick(&[1, 1, 1, 2]),
        },
        evidence: Evidence {
            photo: dice.one_in(4),
            position: dice.one_in(4),
            talk: dice.one_in(4),
        },
        settled: dice.pick(&[Settled::Met, Settled::Met, Settled::Gone]),
        away: Away::StandIn,
        partial: dice.pick(&[Partial::Full, Partial::Share, Partial::Next]),
        missed: if minutes {
            Missed::Lapses
        } else {
            dice.pick(&[Missed::Owed, Missed::Lapses])
        },
    }
}

fn member(dice: &mut Dice, from: i64, to: i64) -> Vec<Term> {
    let span = (to - from + 1) as u64;
    let day = |dice: &mut Dice| date_of(from - 5 + dice.roll(span + 10) as i64);
    match dice.roll(5) {
        0 | 1 => vec![Term {
            from: date(2020, 1, 1),
            to: None,
        }],
        2 => vec![Term {
            from: day(dice),
            to: None,
        }],
        3 => vec![Term {
            from: date(2020, 1, 1),
            to: Some(day(dice)),
        }],
        _ => {
            let mut ends: Vec<Date> = (0..4).map(|_| day(dice)).collect();
            if dice.one_in(2) {
                ends.sort_unstable();
            }
            [(0, 1), (2, 3)]
                .into_iter()
                .filter_map(|(a, b)| Term::new(ends[a].min(ends[b]), Some(ends[a].max(ends[b]))))
                .collect()
        }
    }
}

fn some_visit(dice: &mut Dice, rule: &Rule, from: i64, to: i64) -> Visit {
    let at = Timestamp::from_day(
        from + dice.roll((to - from + 1) as u64) as i64,
        dice.roll(1_440) as i64 * MINUTE_MS,
    );
    // Mostly in the hours of work, so that enough of them count.
    let at = if dice.one_in(3) {
        at
    } else {
        Timestamp::from_day(at.day_and_ms().0, (9 * 60 + dice.roll(120) as i64) * MINUTE_MS)
    };
    let mut one = visit(at, rule.act, "grid");
    one.minutes = dice.pick(&[5, 15, 30, 60, 120]);
    if dice.one_in(4) {
        one.outcome = dice.pick(&Outcome::ALL);
    }
    one.photo = !dice.one_in(8);
    one.position = !dice.one_in(8);
    one.talk = !dice.one_in(8);
    if dice.one_in(8) {
        one.people = 1;
    }
    if dice.one_in(12) {
        one.duties = dice.pick(&[vec![], vec!["dispatch".to_owned()]]);
    }
    if dice.one_in(12) {
        one.act = dice.pick(&Act::ALL);
    }
    one
}

/// How often each thing came up: a comparison of empty answers would prove nothing.
#[derive(Default, Debug)]
struct Seen {
    cases: u32,
    obligations: u32,
    words: BTreeSet<String>,
}

#[test]
fn agrees_with_the_oracle_on_thirty_thousand_random_cases() {
    let calendar = calendar();
    let mut seen = Seen::default();
    for seed in 0..30_000u64 {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let rule = rule(&mut dice);
        if rule.misfit().is_some() {
            // Still compared: what cannot be meant must not break anything either.
            seen.words.insert(format!("misfit {:?}", rule.misfit()));
        }
        let periods = 3;
        let start = date_of(day_number(date(2026, 1, 1)) + dice.roll(330) as i64);
        let first = rule.every.period_of(start);
        let last = first.next().next().last.min(day_number(date(2027, 12, 31)));
        if first.next().next().last > last {
            continue;
        }
        let member = member(&mut dice, first.first, last);
        let turn = Turn(dice.pick(&[0, u64::MAX, dice.0, dice.0.rotate_left(17)]));
        let many = dice.pick(&[0, 1, 2, 4, 8, 12]);
        let visits: Vec<Visit> = (0..many)
            .map(|_| some_visit(&mut dice, &rule, first.first, last))
            .collect();
        let fast = told(&rule, &calendar, &member, turn, &visits, start, periods);
        let slow = simulate(&rule, &calendar, &member, turn, &visits, start, periods);
        assert_eq!(fast, slow, "seed {seed}: {rule:#?} {member:?} {visits:#?}");
        seen.cases += 1;
        for one in &fast {
            seen.obligations += one.owed.len() as u32;
            for verdict in &one.verdicts {
                let word = verdict.split(": ").nth(1).unwrap_or_default();
                seen.words.insert(
                    word.split('(')
                        .take(2)
                        .collect::<Vec<_>>()
                        .join(" ")
                        .replace(|c: char| c.is_ascii_digit(), ""),
                );
            }
        }
    }
    assert!(seen.cases >= 20_000, "{seen:?}");
    assert!(seen.obligations > 60_000, "{seen:?}");
    for word in [
        "MakesUp",
        "Extra",
        "NotMet",
        "TooSoon",
        "TooEarly",
        "Enough",
        "NotAMember",
        "WrongDay",
        "WrongHours",
        "WrongHands",
        "TooFew",
        "NoPhoto",
        "NoPosition",
        "NoTalk",
        "TooShort",
        "OtherAct",
        "Settles",
    ] {
        assert!(
            seen.words.iter().any(|found| found.contains(word)),
            "{word} never came up: {seen:?}"
        );
    }
}

#[test]
fn as_many_count_as_any_choice_of_visits_could_make_count() {
    let calendar = calendar();
    for seed in 0..4_000u64 {
        let mut dice = Dice(seed ^ 0x00c0_ffee);
        let mut rule = rule(&mut dice);
        rule.quantity = Quantity::Times { least: 100, most: 100 };
        (rule.early, rule.partial, rule.on, rule.hours) = (None, Partial::Full, On::Every, Hours::Any);
        let period = rule.every.period_of(date(2026, 5, 9));
        let days = Days::of(period, &calendar).expect("known");
        let length = (period.last - period.first + 1) as u64;
        let on: Vec<i64> = (0..dice.roll(10))
            .map(|_| period.first + dice.roll(length) as i64)
            .collect();
        let visits: Vec<Visit> = on
            .iter()
            .map(|day| visit(Timestamp::from_day(*day, 36_000_000), rule.act, "grid"))
            .collect();
        let always = [Term {
            from: date(2020, 1, 1),
            to: None,
        }];
        let found = owed(&rule, &days, &always, Turn(0), &visits, Before::default());
        let counted = found
            .verdicts
            .iter()
            .filter(|verdict| !matches!(verdict, Verdict::Not(_)))
            .count();
        assert_eq!(
            counted,
            most_apart(&on, i64::from(rule.spacing)),
            "seed {seed}: {on:?} {}",
            rule.spacing
        );
    }
}

fn plain(every: Every, times: u16) -> Rule {
    Rule {
        key: "plain".into(),
        who: Who::Households,
        act: Act::Visit,
        quantity: Quantity::Times {
            least: times,
            most: times,
        },
        every,
        spacing: 1,
        least_minutes: 0,
        on: On::Every,
        hours: Hours::Any,
        early: None,
        grace: None,
        by: By {
            duty: "grid".into(),
            people: 1,
        },
        evidence: Evidence::default(),
        settled: Settled::Met,
        away: Away::StandIn,
        partial: Partial::Share,
        missed: Missed::Owed,
    }
}

/// A grid of 400 households over a quarter, ids made one after the other as a phone or an import makes them.
#[test]
fn a_workers_days_are_even() {
    let calendar = calendar();
    let rule = plain(Every::Quarter, 2);
    let period = rule.every.period_of(date(2026, 4, 10));
    let days = Days::of(period, &calendar).expect("known");
    let always = [Term {
        from: date(2020, 1, 1),
        to: None,
    }];
    for grid in 0..50u128 {
        let mut load: BTreeMap<i64, u32> = BTreeMap::new();
        for nth in 0..400u128 {
            let id = (0x0197_a3b0_0000_7000_8000_0000_0000_0000 + (grid << 40)) + nth * 7;
            for one in owed(&rule, &days, &always, Turn::of(id), &[], Before::default()).obligations {
                assert!(days.is_working(one.planned));
                *load.entry(one.planned).or_default() += 1;
            }
        }
        let working = (period.first..=period.last).filter(|day| days.is_working(*day)).count();
        let mean = 800.0 / working as f64;
        // Chance alone spreads a day's number by its root: what is asked for is no worse than that, and no empty or double day.
        let chi: f64 = (period.first..=period.last)
            .filter(|day| days.is_working(*day))
            .map(|day| (f64::from(*load.get(&day).unwrap_or(&0)) - mean).powi(2) / mean)
            .sum();
        assert!(chi < 1.8 * working as f64, "grid {grid}: {chi} of {working} {load:?}");
        assert_eq!(load.len(), working, "a working day without a call");
        assert!(load.values().all(|n| f64::from(*n) < 2.2 * mean), "{load:?}");
    }
}

#[test]
fn a_change_of_one_subject_is_that_subjects_alone() {
    // The same subject has the same days whoever else there is: nothing but its own facts goes in, so this can only be shown by keeping
    // its plan while its own stay grows.
    let calendar = calendar();
    let rule = plain(Every::Month, 1);
    let days = Days::of(rule.every.period_of(date(2026, 5, 1)), &calendar).expect("known");
    let turn = Turn::of(0x0197_a3b0_0000_7000_8000_0000_0000_0001);
    let whole = [Term {
        from: date(2026, 1, 1),
        to: None,
    }];
    let left = [Term {
        from: date(2026, 1, 1),
        to: Some(date(2026, 5, 31)),
    }];
    let of = |member: &[Term]| owed(&rule, &days, member, turn, &[], Before::default()).obligations;
    assert_eq!(of(&whole), of(&left));
    let joined_late = [Term {
        from: date(2026, 5, 20),
        to: None,
    }];
    assert!(
        of(&joined_late).is_empty(),
        "less than one whole visit falls into the rest of the month"
    );
}

#[test]
fn what_was_missed_stays_owed_through_the_next_period() {
    let calendar = calendar();
    let rule = plain(Every::Month, 1);
    let always = [Term {
        from: date(2026, 1, 1),
        to: None,
    }];
    let month = |month| Days::of(rule.every.period_of(date(2026, month, 1)), &calendar).expect("known");
    let on = |month, day| {
        visit(
            Timestamp::from_civil(date(2026, month, day).at(9, 0, 0, 0)),
            Act::Visit,
            "grid",
        )
    };
    let turn = Turn(1 << 63);
    let mut nobody = on(4, 20);
    nobody.outcome = Outcome::NobodyHome;
    let april = owed(&rule, &month(4), &always, turn, &[nobody], Before::default());
    let one = april.obligations[0];
    assert_eq!((one.tried, one.reason, one.done), (1, Some(Outcome::NobodyHome), None));
    assert_eq!(one.standing(day_number(date(2026, 5, 1))), Standing::Missed);
    assert_eq!(april.after(&rule).missed, 1);
    let may = owed(
        &rule,
        &month(5),
        &always,
        turn,
        &[on(5, 6), on(5, 7), on(5, 8)],
        april.after(&rule),
    );
    assert_eq!(
        may.verdicts,
        [Verdict::Settles(1), Verdict::MakesUp, Verdict::Not(Why::Enough)]
    );
    // May went well, so nothing is handed on to June.
    assert_eq!(may.after(&rule).missed, 0);
}
