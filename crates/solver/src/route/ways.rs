//! A day made ready for searching: seconds instead of metres, openings as seen from the morning and from the evening.

use super::day::{Day, MAX_DAY, Need};
use super::ramp::{Ramp, Ramps};

/// A walk no day is long enough for.
pub(super) const FAR: i32 = 2 * MAX_DAY;
/// What leaving out a stop costs that must be done, in thousandths of a second: more than all others of a day could.
pub(super) const MUST: i64 = 10_000_000_000_000_000;

/// A part of a day: how it can be without lunch in it, and with.
pub(super) type Part = [Ramps; 2];

/// From the morning on, or back from the evening in negative times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    On,
    Back,
}

struct Meal {
    lasts: i32,
    /// When it may begin, each way.
    open: [[(i32, i32); 1]; 2],
}

pub(super) struct Ways {
    pub n: usize,
    pub service: Vec<i32>,
    /// Of leaving each stop out, in thousandths of a second.
    pub price: Vec<i64>,
    walk: Vec<i32>,
    /// When a stay may begin, each way.
    open: [Vec<Vec<(i32, i32)>>; 2],
    whole: (i32, i32),
    meal: Option<Meal>,
}

impl Ways {
    pub fn new(day: &Day) -> Ways {
        let n = day.stops.len();
        let (from, to) = (day.window.from, day.window.to);
        let places = 0..n + 2;
        let openings = |stop: &super::Stop| -> Vec<(i32, i32)> {
            let all = [day.window];
            let windows = if stop.windows.is_empty() {
                &all
            } else {
                &stop.windows[..]
            };
            let begins = windows.iter().map(|w| (w.from, w.to - stop.service));
            begins.filter(|&(from, to)| from <= to).collect()
        };
        let on: Vec<Vec<_>> = day.stops.iter().map(openings).collect();
        let back = day.stops.iter().zip(&on).map(|(stop, open)| turned(open, stop.service));
        Ways {
            n,
            service: day.stops.iter().map(|s| s.service).collect(),
            price: day.stops.iter().map(|s| price(s.need)).collect(),
            walk: places
                .clone()
                .flat_map(|a| places.clone().map(move |b| day.walk(a, b).unwrap_or(FAR).min(FAR)))
                .collect(),
            open: [on.clone(), back.collect()],
            whole: (from, to),
            meal: day.lunch.map(|lunch| {
                let on = (lunch.within.from, lunch.within.to - lunch.lasts);
                Meal {
                    lasts: lunch.lasts,
                    open: [[on], [(-on.1 - lunch.lasts, -on.0 - lunch.lasts)]],
                }
            }),
        }
    }

    /// Forgets when a stop is open.
    pub fn always_open(&mut self, stop: usize) {
        let mut open = vec![(self.whole.0, self.whole.1 - self.service[stop])];
        open.retain(|&(from, to)| from <= to);
        self.open[1][stop] = turned(&open, self.service[stop]);
        self.open[0][stop] = open;
    }

    #[inline]
    pub fn walk(&self, from: usize, to: usize) -> i32 {
        self.walk[from * (self.n + 2) + to]
    }

    /// For how many seconds of the day a stay may begin.
    pub fn freedom(&self, stop: usize) -> i32 {
        self.open[0][stop].iter().map(|w| w.1 - w.0).sum()
    }

    pub fn start(&self) -> usize {
        self.n
    }

    pub fn end(&self) -> usize {
        self.n + 1
    }

    pub fn lunch(&self) -> i32 {
        self.meal.as_ref().map_or(0, |meal| meal.lasts)
    }

    /// The part before anything: at the start (or the end) place, with lunch still to come (or over), or had there off duty.
    pub fn nothing(&self, way: Way) -> Part {
        let (from, to) = match way {
            Way::On => self.whole,
            Way::Back => (-self.whole.1, -self.whole.0),
        };
        let mut eaten = Ramps::default();
        if let Some(meal) = &self.meal {
            let over = meal.open[way as usize][0].0 + meal.lasts;
            let first = from.max(over);
            if first <= to {
                // Every part with lunch counts its time, so that all last as long; this one is not waited for.
                eaten = Ramps::of(Ramp {
                    left: first - meal.lasts,
                    ready: first,
                    slack: to - first,
                });
            }
        }
        let all = Ramp {
            left: from,
            ready: from,
            slack: to - from,
        };
        [Ramps::of(all), eaten]
    }

    /// The part and then a stop.
    #[inline]
    pub fn visit(&self, way: Way, part: &Part, walk: i32, stop: usize) -> Part {
        let (open, lasts) = (&self.open[way as usize][stop], self.service[stop]);
        let mut hungry = Ramps::default();
        let mut eaten = Ramps::default();
        part[0].then(walk, open, lasts, &mut hungry);
        part[1].then(walk, open, lasts, &mut eaten);
        if let Some(meal) = &self.meal {
            let mut there = Ramps::default();
            part[0].then(walk, &meal.open[way as usize], meal.lasts, &mut there);
            there.then(0, open, lasts, &mut eaten);
            hungry.then(0, &meal.open[way as usize], meal.lasts, &mut eaten);
        }
        [hungry, eaten]
    }

    /// How long a day lasts of a part from the morning and one from the evening.
    #[inline]
    pub fn joined(&self, part: &Part, walk: i32, rest: &Part) -> Option<i32> {
        if self.meal.is_none() {
            return part[0].joined(walk, &rest[0]);
        }
        match (part[0].joined(walk, &rest[1]), part[1].joined(walk, &rest[0])) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// When a stay at a stop (`None`: lunch) begins that one is there for from `at` on.
    pub fn begins(&self, stop: Option<usize>, at: i32) -> Option<i32> {
        let open = match (stop, &self.meal) {
            (Some(stop), _) => &self.open[0][stop][..],
            (None, Some(meal)) => &meal.open[0],
            (None, None) => &[],
        };
        open.iter().find(|w| at <= w.1).map(|w| at.max(w.0))
    }
}

fn price(need: Need) -> i64 {
    match need {
        Need::Must => MUST,
        Need::May(seconds) => i64::from(seconds) * 1_000,
    }
}

/// Openings as seen from the evening.
fn turned(open: &[(i32, i32)], lasts: i32) -> Vec<(i32, i32)> {
    open.iter()
        .rev()
        .map(|&(from, to)| (-to - lasts, -from - lasts))
        .collect()
}
