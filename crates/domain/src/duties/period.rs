//! Periods: the days, weeks, months, quarters and years in which something is owed so many times.

use super::rule::{Hours, On};
use crate::calendar::{Calendar, CalendarError};
use crate::time::{Timestamp, date_of, day_number};
use jiff::civil::Date;
use std::fmt;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Every {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    /// From January, April, July and October on.
    Quarter,
    Year,
}

impl Every {
    pub const ALL: [Every; 5] = [Every::Day, Every::Week, Every::Month, Every::Quarter, Every::Year];

    /// The word in SQL, API and packs.
    pub fn key(self) -> &'static str {
        match self {
            Every::Day => "day",
            Every::Week => "week",
            Every::Month => "month",
            Every::Quarter => "quarter",
            Every::Year => "year",
        }
    }

    pub fn parse(key: &str) -> Option<Every> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }

    /// Days of the shortest period of this length.
    pub fn shortest(self) -> u32 {
        match self {
            Every::Day => 1,
            Every::Week => 7,
            Every::Month => 28,
            Every::Quarter => 90,
            Every::Year => 365,
        }
    }

    /// The period a date lies in.
    pub fn period_of(self, date: Date) -> Period {
        let day = day_number(date);
        let (first, last) = match self {
            Every::Day => (day, day),
            Every::Week => {
                let monday = day - i64::from(date.weekday().to_monday_zero_offset());
                (monday, monday + 6)
            }
            Every::Month => months(date, date.month(), 1),
            Every::Quarter => months(date, (date.month() - 1) / 3 * 3 + 1, 3),
            Every::Year => months(date, 1, 12),
        };
        Period {
            every: self,
            first,
            last,
        }
    }
}

/// First and last day of `count` months from month `from` of the date's year on.
fn months(date: Date, from: i8, count: i8) -> (i64, i64) {
    let first = |year: i16, month: i8| day_number(Date::constant(year, month, 1));
    let next = from + count;
    let end = if next > 12 {
        first(date.year() + 1, next - 12)
    } else {
        first(date.year(), next)
    };
    (first(date.year(), from), end - 1)
}

/// One period. Days are numbered from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub every: Every,
    pub first: i64,
    pub last: i64,
}

impl Period {
    pub fn next(self) -> Period {
        self.every.period_of(date_of(self.last + 1))
    }

    pub fn before(self) -> Period {
        self.every.period_of(date_of(self.first - 1))
    }

    pub fn holds(self, day: i64) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// `2026`, `2026-Q1`, `2026-02`, `2026-W07`, `2026-02-14`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = date_of(self.first);
        match self.every {
            Every::Day => write!(f, "{date}"),
            Every::Week => {
                let week = date.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            Every::Month => write!(f, "{:04}-{:02}", date.year(), date.month()),
            Every::Quarter => write!(f, "{:04}-Q{}", date.year(), (date.month() - 1) / 3 + 1),
            Every::Year => write!(f, "{:04}", date.year()),
        }
    }
}

/// The days of one period under one calendar: made once, used for every subject.
#[derive(Debug, Clone)]
pub struct Days<'c> {
    pub period: Period,
    working: Vec<bool>,
    calendar: &'c Calendar,
}

impl<'c> Days<'c> {
    /// Refuses a period the calendar does not wholly know: rest days are announced, not guessed.
    pub fn of(period: Period, calendar: &'c Calendar) -> Result<Days<'c>, CalendarError> {
        let working = (period.first..=period.last)
            .map(|day| calendar.day_at(day).map(|day| !day.sessions.is_empty()))
            .collect::<Result<Vec<bool>, CalendarError>>()?;
        Ok(Days {
            period,
            working,
            calendar,
        })
    }

    /// Whether a day of the period has working time.
    pub fn is_working(&self, day: i64) -> bool {
        let at = usize::try_from(day - self.period.first);
        at.is_ok_and(|at| self.working.get(at) == Some(&true))
    }

    /// Whether a rule's window allows a day of the period.
    pub fn allows(&self, on: &On, day: i64) -> bool {
        match on {
            On::Every => self.period.holds(day),
            On::Working => self.is_working(day),
            On::Weekdays(days) => {
                let weekday = date_of(day).weekday().to_monday_zero_offset();
                self.period.holds(day) && days[weekday as usize]
            }
        }
    }

    /// Whether a rule's hours allow a moment.
    pub fn in_hours(&self, hours: &Hours, at: Timestamp) -> bool {
        match hours {
            Hours::Any => true,
            Hours::Working => self.calendar.is_working(at).unwrap_or(false),
            Hours::Within(spans) => {
                let minute = at.day_and_ms().1 / crate::time::MINUTE_MS;
                let inside = |from: u16, to: u16| i64::from(from) <= minute && minute < i64::from(to);
                spans.iter().any(|span| inside(span.from, span.to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn text(every: Every, on: Date) -> String {
        let period = every.period_of(on);
        format!("{period}: {} to {}", date_of(period.first), date_of(period.last))
    }

    #[test]
    fn periods_begin_and_end_where_people_say() {
        let on = date(2026, 2, 14);
        assert_eq!(text(Every::Day, on), "2026-02-14: 2026-02-14 to 2026-02-14");
        assert_eq!(text(Every::Week, on), "2026-W07: 2026-02-09 to 2026-02-15");
        assert_eq!(text(Every::Month, on), "2026-02: 2026-02-01 to 2026-02-28");
        assert_eq!(text(Every::Quarter, on), "2026-Q1: 2026-01-01 to 2026-03-31");
        assert_eq!(text(Every::Year, on), "2026: 2026-01-01 to 2026-12-31");
        assert_eq!(
            text(Every::Month, date(2028, 2, 29)),
            "2028-02: 2028-02-01 to 2028-02-29"
        );
        // The week of New Year belongs to the year that has most of it.
        assert_eq!(
            text(Every::Week, date(2027, 1, 2)),
            "2026-W53: 2026-12-28 to 2027-01-03"
        );
        assert_eq!(
            text(Every::Quarter, date(2026, 12, 31)),
            "2026-Q4: 2026-10-01 to 2026-12-31"
        );
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        for every in Every::ALL {
            let mut period = every.period_of(date(2019, 12, 30));
            for _ in 0..800 {
                let next = period.next();
                assert_eq!((next.first, next.before()), (period.last + 1, period));
                assert!(period.last - period.first + 1 >= i64::from(every.shortest()));
                period = next;
            }
        }
    }
}
