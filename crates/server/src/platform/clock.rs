//! The one place that reads the machine's clock and randomness, so that months can be simulated in a test.

use domain::time::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Where "now" comes from.
pub enum Clock {
    /// The machine.
    Machine,
    /// The machine's clock moved by so many milliseconds, running on: to try a night or a holiday in the demo.
    Moved(i64),
    /// A clock a test sets and moves: milliseconds since 1970.
    Set(AtomicI64),
}

impl Clock {
    /// A clock standing at an instant until moved.
    pub fn standing_at(at: Timestamp) -> Clock {
        Clock::Set(AtomicI64::new(at.0))
    }

    /// A clock that shows an instant now and runs on with the machine.
    pub fn running_from(at: Timestamp) -> Clock {
        Clock::Moved(at.0 - Clock::Machine.now().0)
    }

    /// The present instant.
    #[allow(clippy::disallowed_methods)] // the one place
    pub fn now(&self) -> Timestamp {
        let moved = |by: i64| Timestamp(jiff::Timestamp::now().as_millisecond() + by);
        match self {
            Clock::Machine => moved(0),
            Clock::Moved(by) => moved(*by),
            Clock::Set(at) => Timestamp(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a standing clock; the machine's cannot be moved.
    pub fn advance_ms(&self, ms: i64) {
        if let Clock::Set(at) = self {
            at.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

/// How far the clock may go back before writes are refused: more than any correction of a clock that is kept right, less than what
/// would make deadlines and records untrue.
pub const MOST_BACK_MS: i64 = 600_000;

/// Watches the machine's clock: a clock that was put back would give deadlines, receipts and records times that were never true.
pub struct Watch {
    /// What both clocks showed when the program began.
    wall: Timestamp,
    steady: Instant,
    /// The newest record's time when the program began; milliseconds since 1970.
    newest: AtomicI64,
}

impl Watch {
    /// From now on.
    pub fn begin(clock: &Clock) -> Watch {
        Watch {
            wall: clock.now(),
            steady: Instant::now(),
            newest: AtomicI64::new(i64::MIN),
        }
    }

    /// What is written from now on must not be older than this, but for [`MOST_BACK_MS`].
    pub fn not_before(&self, newest: Timestamp) {
        self.newest.store(newest.0, Ordering::Relaxed);
    }

    /// By how much the clock stands back, if it is too much: behind where it should be by the machine's steady clock, or behind the
    /// newest record. Milliseconds. A clock that is moved by a test or for a demo is not watched.
    pub fn back_ms(&self, clock: &Clock) -> Option<i64> {
        if !matches!(clock, Clock::Machine) {
            return None;
        }
        let passed = i64::try_from(self.steady.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.behind(clock.now(), passed)
    }

    fn behind(&self, now: Timestamp, passed_ms: i64) -> Option<i64> {
        let due = self.wall.0.saturating_add(passed_ms);
        let back = due.max(self.newest.load(Ordering::Relaxed)).saturating_sub(now.0);
        (back > MOST_BACK_MS).then_some(back)
    }
}

/// Where chance comes from: a cryptographic generator, seeded by the operating system or by a test.
pub struct Chance(Mutex<StdRng>);

impl Chance {
    /// Seeded by the operating system.
    pub fn of_the_machine() -> Chance {
        Chance(Mutex::new(rand::make_rng()))
    }

    /// The same sequence each time: for tests and simulations only.
    pub fn seeded(seed: u64) -> Chance {
        Chance(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// Text of `length` characters from an alphabet without look-alikes (no 0 O 1 l I), evenly distributed.
    pub fn readable(&self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let picked = (0..length).map(|_| {
            let [byte] = self.bytes::<1>();
            char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])
        });
        picked.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_sequence() {
        assert_eq!(Chance::seeded(1).bytes::<16>(), Chance::seeded(1).bytes::<16>());
        assert_ne!(Chance::seeded(1).bytes::<16>(), Chance::seeded(2).bytes::<16>());
        assert_eq!(Chance::seeded(3).readable(12).len(), 12);
    }

    #[test]
    fn a_moved_clock_starts_where_told_and_never_before() {
        let at = Timestamp(1_000_000);
        let clock = Clock::running_from(at);
        let (first, second) = (clock.now(), clock.now());
        assert!(at <= first && first <= second);
        assert!(second.0 - at.0 < 3_600_000, "{second:?}");
    }

    #[test]
    fn a_clock_put_back_is_seen_and_one_put_right_again_is_not() {
        let clock = Clock::standing_at(Timestamp(10_000_000));
        let watch = Watch::begin(&clock);
        assert_eq!(watch.behind(Timestamp(10_000_000), 1_000), None);
        assert_eq!(
            watch.behind(Timestamp(9_400_000), 0),
            None,
            "ten minutes are a correction"
        );
        assert_eq!(watch.behind(Timestamp(9_400_000), 1), Some(600_001));
        watch.not_before(Timestamp(20_000_000));
        assert_eq!(watch.behind(Timestamp(10_000_000), 0), Some(10_000_000));
        assert_eq!(watch.behind(Timestamp(19_400_000), 9_400_000), None);
        assert_eq!(watch.back_ms(&clock), None);
    }

    #[test]
    fn a_standing_clock_moves_when_told() {
        let clock = Clock::standing_at(Timestamp(1000));
        clock.advance_ms(5);
        assert_eq!(clock.now(), Timestamp(1005));
    }
}
