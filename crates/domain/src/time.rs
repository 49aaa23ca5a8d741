//! Instants and their civil (wall-clock) reading in China Standard Time.
//!
//! Entry point: [`Timestamp`]. Civil time is Asia/Shanghai taken as a fixed +08:00, which it has been since 1991-09-15:
//! nothing this product counts is older. There is no `now()` here: the shell reads the clock once and passes the
//! instant in.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use std::fmt;

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a civil day; +08:00 has no daylight saving, so every day is this long.
pub const DAY_MS: i64 = 24 * HOUR_MS;
const SHANGHAI: Offset = Offset::constant(8);
const SHANGHAI_MS: i64 = 8 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. This is what is stored; civil time is only for rules and for
/// reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant at which the clocks of Asia/Shanghai show `civil` (to the millisecond; finer parts are dropped).
    pub fn from_civil(civil: DateTime) -> Self {
        let at_utc = Offset::UTC.to_timestamp(civil).unwrap_or(if civil.year() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        Self(at_utc.as_millisecond() - SHANGHAI_MS)
    }

    /// Midnight at the start of `date` in Asia/Shanghai.
    pub fn start_of(date: Date) -> Self {
        Self::from_civil(date.at(0, 0, 0, 0))
    }

    /// What the clocks of Asia/Shanghai show. Instants outside years -9999 to 9999 read as the nearest end.
    pub fn civil(self) -> DateTime {
        SHANGHAI.to_datetime(self.to_jiff())
    }

    /// The civil date in Asia/Shanghai.
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// Days from 1970-01-01 to the civil date, and milliseconds since that day's midnight (0 to 86,399,999).
    pub fn day_and_ms(self) -> (i64, i64) {
        let local = self.0.saturating_add(SHANGHAI_MS);
        (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS))
    }

    /// The inverse of [`Timestamp::day_and_ms`]; `ms` may run past the day.
    pub fn from_day(day: i64, ms: i64) -> Self {
        Self(
            day.saturating_mul(DAY_MS)
                .saturating_add(ms)
                .saturating_sub(SHANGHAI_MS),
        )
    }

    /// This instant moved by `ms` milliseconds (backwards when negative), stopping at the ends of the range.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339 with an obligatory offset or `Z`, e.g. `2026-02-13T15:00:00+08:00`.
    pub fn parse(text: &str) -> Result<Self, BadTimestamp> {
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Self(at.as_millisecond())),
            Err(_) => Err(BadTimestamp {
                text: text.chars().take(40).collect(),
            }),
        }
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// RFC 3339 in +08:00, e.g. `2026-02-13T15:00:00+08:00`; milliseconds only when there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff().display_with_offset(SHANGHAI))
    }
}

/// Days from 1970-01-01 to `date`; negative before.
pub fn day_number(date: Date) -> i64 {
    Timestamp::start_of(date).day_and_ms().0
}

/// The date `day` days after 1970-01-01.
pub fn date_of(day: i64) -> Date {
    Timestamp::from_day(day, 0).date()
}

/// The text is not an instant this product can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time with an offset (such as 2026-02-13T15:00:00+08:00): {text:?}")]
pub struct BadTimestamp {
    /// The first 40 characters of what was given.
    pub text: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn civil_time_is_utc_plus_eight() {
        let at = Timestamp::parse("2026-02-13T07:00:00Z").unwrap();
        assert_eq!(at.civil(), date(2026, 2, 13).at(15, 0, 0, 0));
        assert_eq!(Timestamp::from_civil(at.civil()), at);
        assert_eq!(at.to_string(), "2026-02-13T15:00:00+08:00");
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
    }

    #[test]
    fn days_turn_at_shanghai_midnight() {
        let last = Timestamp::parse("2026-02-13T15:59:59.999Z").unwrap();
        assert_eq!(last.date(), date(2026, 2, 13));
        assert_eq!(last.plus_ms(1).date(), date(2026, 2, 14));
        assert_eq!(last.plus_ms(1), Timestamp::start_of(date(2026, 2, 14)));
        assert_eq!(last.day_and_ms().1, DAY_MS - 1);
    }

    #[test]
    fn day_numbers_go_both_ways() {
        assert_eq!(day_number(date(1970, 1, 1)), 0);
        for day in [-40_000, -1, 0, 1, 20_000, 60_000] {
            assert_eq!(day_number(date_of(day)), day);
        }
    }

    #[test]
    fn extreme_instants_do_not_panic() {
        for at in [Timestamp(i64::MIN), Timestamp(i64::MAX)] {
            let _ = (at.civil(), at.day_and_ms(), at.to_string());
        }
        let _ = (
            Timestamp::from_civil(DateTime::MIN),
            Timestamp::from_civil(DateTime::MAX),
        );
        assert!(Timestamp::parse("2026-02-13").is_err());
        assert!(Timestamp::parse("2026-02-13T15:00:00").is_err());
    }
}
