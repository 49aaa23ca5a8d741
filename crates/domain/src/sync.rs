//! What phones say of time. A phone's clock is a claim: it is held against the server's when its log comes in, and what it noted is told
//! in the server's time; the order of its operations is that of their numbers.

use crate::time::{MINUTE_MS, Timestamp};

/// Clocks that differ by less agree: networks take their time.
const TOLERANCE_MS: i64 = 2 * MINUTE_MS;

/// How far a phone's clock is behind (milliseconds, negative: ahead); 0 when it agrees.
pub fn behind(sent_at: Timestamp, now: Timestamp) -> i64 {
    let behind = now.0 - sent_at.0;
    if behind.abs() < TOLERANCE_MS { 0 } else { behind }
}

/// A moment the phone noted, in the server's time: never later than now, whatever the clock did in between.
pub fn corrected(noted: Timestamp, behind: i64, now: Timestamp) -> Timestamp {
    Timestamp(noted.0.saturating_add(behind).min(now.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY_MS, HOUR_MS};

    const NOW: Timestamp = Timestamp(1_771_030_800_000);
    fn at(ms: i64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    #[test]
    fn clocks_that_nearly_agree_are_left_alone() {
        assert_eq!(behind(at(-90_000), NOW), 0);
        assert_eq!(behind(at(119_999), NOW), 0);
        assert_eq!(corrected(at(-HOUR_MS), 0, NOW), at(-HOUR_MS));
    }

    #[test]
    fn a_clock_days_off_is_put_right_and_distances_stay() {
        for off in [-3 * DAY_MS, 3 * DAY_MS, 400 * DAY_MS] {
            let behind = behind(at(off), NOW);
            assert_eq!(behind, -off);
            let (first, second) = (
                corrected(at(off - 2 * HOUR_MS), behind, NOW),
                corrected(at(off - HOUR_MS), behind, NOW),
            );
            assert_eq!((first, second), (at(-2 * HOUR_MS), at(-HOUR_MS)));
        }
    }

    #[test]
    fn nothing_was_done_in_the_future() {
        assert_eq!(corrected(at(DAY_MS), 0, NOW), NOW);
        assert_eq!(corrected(Timestamp(i64::MAX), HOUR_MS, NOW), NOW);
    }
}
