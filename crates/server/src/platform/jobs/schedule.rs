//! When a job is due again: pure.
use domain::time::{DAY_MS, Timestamp};

/// First pause after a failure; each further one is twice as long.
const FIRST_PAUSE_MS: i64 = 1_000;
/// No pause is longer.
const LONGEST_PAUSE_MS: i64 = 60 * 60_000;

/// Pause after the given number of failures (from 1), between the half and the whole of the doubled pause: `chance` decides where.
pub fn backoff_ms(failures: i64, chance: u16) -> i64 {
    let doublings = failures.clamp(1, 32) - 1;
    let whole = FIRST_PAUSE_MS.saturating_mul(1 << doublings).min(LONGEST_PAUSE_MS);
    whole / 2 + whole / 2 * i64::from(chance) / i64::from(u16::MAX)
}

/// A job that comes back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurring {
    pub kind: &'static str,
    pub every: Every,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Each day at this time of the clocks of the place (minutes after midnight).
    DayAt(i64),
    /// This many milliseconds after the end of the last run.
    Ms(i64),
}

impl Recurring {
    /// Each day at `hour:minute`, Asia/Shanghai.
    pub const fn nightly(kind: &'static str, hour: i64, minute: i64) -> Self {
        Self {
            kind,
            every: Every::DayAt(hour * 60 + minute),
        }
    }

    pub const fn every_ms(kind: &'static str, ms: i64) -> Self {
        Self {
            kind,
            every: Every::Ms(ms),
        }
    }

    /// The next run after `now`.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        match self.every {
            Every::Ms(ms) => now.plus_ms(ms),
            Every::DayAt(minute) => {
                let (day, _) = now.day_and_ms();
                let today = Timestamp::from_day(day, minute * 60_000);
                if today > now { today } else { today.plus_ms(DAY_MS) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_vary_by_chance() {
        let whole: Vec<i64> = (1..=14).map(|n| backoff_ms(n, u16::MAX)).collect();
        assert_eq!(whole[..4], [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(whole[13], LONGEST_PAUSE_MS);
        assert_eq!(backoff_ms(3, 0), 2_000);
        assert_eq!(backoff_ms(i64::MAX, 0), LONGEST_PAUSE_MS / 2);
    }

    #[test]
    fn nightly_is_the_next_such_time_of_the_place() {
        let nightly = Recurring::nightly("x", 3, 30);
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(
            nightly.next(at("2026-02-14T01:00:00+08:00")),
            at("2026-02-14T03:30:00+08:00")
        );
        assert_eq!(
            nightly.next(at("2026-02-14T03:30:00+08:00")),
            at("2026-02-15T03:30:00+08:00")
        );
        assert_eq!(
            nightly.next(at("2026-02-14T23:00:00+08:00")),
            at("2026-02-15T03:30:00+08:00")
        );
    }
}
