//! Working time counted the slow way: day by day and session by session, straight from the calendar file and the pack's hours.
//!
//! Shares no code with `domain::calendar`. Times are milliseconds UTC; a day begins at 00:00 +08:00.

use std::collections::BTreeMap;

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Every working day of the pack has two sessions of three and a half hours, in winter and in summer.
pub const WORKDAY: i64 = 7 * HOUR;
const OFFSET: i64 = 8 * HOUR;

/// Days since 1970 in +08:00.
pub fn day_of(at: i64) -> i64 {
    (at + OFFSET).div_euclid(DAY)
}

/// 00:00 of a day.
pub fn midnight(day: i64) -> i64 {
    day * DAY - OFFSET
}

/// The opening hours of each day of 2026; other years are not known.
pub struct Hours(BTreeMap<i64, Vec<(i64, i64)>>);

/// Days from 1970-01-01 to a date, by counting years and months.
fn number(year: i64, month: usize, day: i64) -> i64 {
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let years: i64 = (1970..year).map(|y| 365 + i64::from(leap(y))).sum();
    let february = 28 + i64::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + months[..month - 1].iter().sum::<i64>() + day - 1
}

/// `2026-02-17` as a day.
pub fn day(date: &str) -> i64 {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().unwrap()).collect();
    number(parts[0], parts[1] as usize, parts[2])
}

fn sessions(list: &[&str]) -> Vec<(i64, i64)> {
    let ms = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<i64>().unwrap() * HOUR + minute.parse::<i64>().unwrap() * MINUTE
    };
    let both = list.iter().map(|span| span.split_once('-').unwrap());
    both.map(|(from, to)| (ms(from), ms(to))).collect()
}

impl Hours {
    /// From `packs/calendar/cn-2026.toml`, read line by line, and the hours written in `packs/zhoushan/pack.toml`.
    pub fn read() -> Hours {
        let file = include_str!("../../../../../packs/calendar/cn-2026.toml");
        let pack = include_str!("../../../../../packs/zhoushan/pack.toml");
        assert!(pack.contains(r#"sessions = ["08:30-12:00", "14:00-17:30"]"#));
        assert!(
            pack.contains("from = \"2026-07-01\"\nto = \"2026-09-30\"\nsessions = [\"08:30-12:00\", \"14:30-18:00\"]")
        );
        let (winter, summer) = (
            sessions(&["08:30-12:00", "14:00-17:30"]),
            sessions(&["08:30-12:00", "14:30-18:00"]),
        );
        let (july, october) = (day("2026-07-01"), day("2026-10-01"));
        let mut days = BTreeMap::new();
        for one in day("2026-01-01")..=day("2026-12-31") {
            // 1970-01-01 was a Thursday.
            let weekend = (one + 3) % 7 >= 5;
            let hours = if (july..october).contains(&one) {
                &summer
            } else {
                &winter
            };
            days.insert(one, if weekend { Vec::new() } else { hours.clone() });
        }
        for line in file.lines().filter(|line| line.starts_with("2026-")) {
            let (date, rule) = line.split_once(" = ").unwrap();
            let one = day(date);
            let hours = if (july..october).contains(&one) {
                &summer
            } else {
                &winter
            };
            let works = rule.contains("work =");
            assert!(works != rule.contains("rest ="), "{line}");
            days.insert(one, if works { hours.clone() } else { Vec::new() });
        }
        Hours(days)
    }

    /// Whether people are in the office.
    pub fn is_open(&self, at: i64) -> bool {
        let (day, ms) = (day_of(at), at - midnight(day_of(at)));
        self.0[&day].iter().any(|(from, to)| *from <= ms && ms < *to)
    }

    /// Working milliseconds between two moments.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        let mut sum = 0;
        for day in day_of(from)..=day_of(to) {
            for (opens, closes) in self.0.get(&day).into_iter().flatten() {
                let (opens, closes) = (midnight(day) + opens, midnight(day) + closes);
                sum += (closes.min(to) - opens.max(from)).max(0);
            }
        }
        sum
    }

    /// When so many working milliseconds have passed; none where the calendar ends before.
    pub fn after(&self, from: i64, mut need: i64) -> Option<i64> {
        let mut day = day_of(from);
        loop {
            for (opens, closes) in self.0.get(&day)? {
                let (opens, closes) = ((midnight(day) + opens).max(from), midnight(day) + closes);
                let there = (closes - opens).max(0);
                if need <= there {
                    return Some(opens + need);
                }
                need -= there;
            }
            day += 1;
        }
    }

    /// 00:00 of the first day after this one that has working time.
    pub fn next_working_day(&self, at: i64) -> Option<i64> {
        let mut day = day_of(at) + 1;
        while self.0.get(&day)?.is_empty() {
            day += 1;
        }
        Some(midnight(day))
    }
}
