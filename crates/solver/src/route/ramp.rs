//! What a part of a day can be like: when one may start on it and when it is done, with the least waiting.
//!
//! With opening hours in several pieces, starting later may be better or worse. A part's times are a few ramps: pieces of "done so much later than
//! started" that nothing else beats. The same code builds parts from the morning on and, with time running backwards, from the evening back.

/// Most ramps kept of one part. Each is owed to another opening, so more hardly happen; then the one with the most waiting goes.
const MOST: usize = 6;

/// Started at `left + y` a part is done at `ready + y`, for every `y` in `0..=slack`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ramp {
    pub left: i32,
    pub ready: i32,
    pub slack: i32,
}

impl Ramp {
    /// Takes all its time: walking, serving, waiting, lunch.
    fn lasts(&self) -> i32 {
        self.ready - self.left
    }

    /// Nothing that follows could be worse off with this one than with the other.
    fn beats(&self, other: &Ramp) -> bool {
        self.lasts() <= other.lasts() && self.ready <= other.ready && self.left + self.slack >= other.left + other.slack
    }

    /// Two pieces of one ramp: lunch after this stop or after the next one.
    fn touches(&self, other: &Ramp) -> bool {
        self.lasts() == other.lasts()
            && self.ready <= other.ready + other.slack
            && other.ready <= self.ready + self.slack
    }

    fn with(&self, other: &Ramp) -> Ramp {
        let left = self.left.min(other.left);
        Ramp {
            left,
            ready: self.ready.min(other.ready),
            slack: (self.left + self.slack).max(other.left + other.slack) - left,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ramps {
    len: usize,
    list: [Ramp; MOST],
}

impl Ramps {
    pub fn of(ramp: Ramp) -> Ramps {
        let mut ramps = Ramps::default();
        ramps.push(ramp);
        ramps
    }

    pub fn all(&self) -> &[Ramp] {
        &self.list[..self.len]
    }

    pub fn none(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, mut ramp: Ramp) {
        if self.all().iter().any(|r| r.beats(&ramp)) {
            return;
        }
        let mut kept = 0;
        for i in 0..self.len {
            let other = self.list[i];
            if ramp.touches(&other) {
                ramp = ramp.with(&other);
            } else if !ramp.beats(&other) {
                self.list[kept] = other;
                kept += 1;
            }
        }
        self.len = kept;
        if self.len < MOST {
            self.list[self.len] = ramp;
            self.len += 1;
        } else if let Some(worst) = self.list.iter_mut().max_by_key(|r| r.lasts())
            && worst.lasts() > ramp.lasts()
        {
            *worst = ramp;
        }
    }

    /// Goes on for `walk` seconds, then does something of `lasts` seconds that may begin within one of `open` (in order, apart).
    #[inline]
    pub fn then(&self, walk: i32, open: &[(i32, i32)], lasts: i32, into: &mut Ramps) {
        for ramp in self.all() {
            let (soon, late) = (ramp.ready + walk, ramp.ready + walk + ramp.slack);
            for &(from, to) in open {
                if soon > to {
                    continue;
                }
                let begin = soon.max(from);
                let spare = if late < from {
                    // Started as late as can be, and still there too early.
                    into.push(Ramp {
                        left: ramp.left + ramp.slack,
                        ready: from + lasts,
                        slack: 0,
                    });
                    break;
                } else {
                    late.min(to) - begin
                };
                into.push(Ramp {
                    left: ramp.left + begin - soon,
                    ready: begin + lasts,
                    slack: spare,
                });
                if late <= to {
                    break;
                }
            }
        }
    }

    /// How long a day lasts that is this part, `walk` seconds, and `rest`: a part seen from the evening, in negative times.
    #[inline]
    pub fn joined(&self, walk: i32, rest: &Ramps) -> Option<i32> {
        let mut best: Option<i32> = None;
        for a in self.all() {
            for b in rest.all() {
                if a.ready + walk > -b.ready {
                    continue;
                }
                let wait = (-b.ready - b.slack - (a.ready + a.slack + walk)).max(0);
                let lasts = a.lasts() + walk + wait + b.lasts();
                if best.is_none_or(|least| lasts < least) {
                    best = Some(lasts);
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(from: i32, to: i32) -> Ramps {
        Ramps::of(Ramp {
            left: from,
            ready: from,
            slack: to - from,
        })
    }

    #[test]
    fn one_leaves_late_enough_not_to_wait() {
        let mut part = Ramps::default();
        day(0, 1_000).then(10, &[(100, 200)], 5, &mut part);
        let ramp = part.all()[0];
        assert_eq!((ramp.left, ramp.ready, ramp.slack), (90, 105, 100));
    }

    #[test]
    fn two_openings_make_two_ways() {
        let mut morning = Ramps::default();
        day(0, 1_000).then(0, &[(0, 50)], 10, &mut morning);
        let mut part = Ramps::default();
        morning.then(20, &[(40, 60), (500, 600)], 10, &mut part);
        let ways: Vec<_> = part.all().iter().map(|r| (r.left, r.ready, r.slack)).collect();
        assert_eq!(ways, [(10, 50, 20), (50, 510, 0)]);
    }

    #[test]
    fn pieces_of_one_ramp_become_one() {
        let piece = |left, slack| Ramp {
            left,
            ready: left + 100,
            slack,
        };
        let mut ramps = Ramps::of(piece(0, 50));
        ramps.push(piece(40, 60));
        let whole: Vec<_> = ramps.all().iter().map(|r| (r.left, r.ready, r.slack)).collect();
        assert_eq!(whole, [(0, 100, 100)]);
    }

    #[test]
    fn the_evening_joins_the_morning() {
        let evening = day(-1_000, 0);
        assert_eq!(day(0, 1_000).joined(30, &evening), Some(30));
        assert_eq!(day(0, 1_000).joined(1_001, &evening), None);
    }
}
