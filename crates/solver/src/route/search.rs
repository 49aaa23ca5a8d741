//! More stops than can be tried in every order: a first order, then again and again some stops near each other are taken out and put back where
//! they cost least (ruin and recreate); a worse order is kept for a while, the less so the more of the budget is spent.

use super::tour::Tour;
use super::ways::{FAR, MUST, Ways};
use crate::partition::rng::Rng;

/// Most stops taken out at once, and most of those in one go along the way.
const MOST_OUT: usize = 14;
const MOST_ALONG: usize = 10;
/// Stops left out so far that are tried again in each round.
const AGAIN: usize = 4;
/// One place in so many is passed over, so that a stop does not always go to the same.
const SKIP: usize = 100;
/// At first an order is kept that is worse by about so many average walks between two stops; at last by this part of that.
const WARM: f64 = 4.0;
const COOLED: f64 = 0.01;

/// Always to the nearest stop that still fits: what a person does. Nothing here is worse than this.
pub(super) fn nearest(ways: &Ways) -> Option<Tour> {
    let mut tour = Tour::new(ways, vec![])?;
    loop {
        let last = tour.order.len();
        let here = tour.place(ways, last);
        let mut left: Vec<usize> = absent(ways, &tour);
        left.sort_by_key(|&stop| (ways.walk(here, stop), stop));
        let fits = |&stop: &usize| Some((stop, tour.with(ways, stop, last, i64::MAX)?));
        let Some((stop, cost)) = left.iter().find_map(fits) else {
            return Some(tour);
        };
        tour.put(ways, stop, last, cost);
    }
}

fn absent(ways: &Ways, tour: &Tour) -> Vec<usize> {
    let mut there = vec![false; ways.n];
    tour.order.iter().for_each(|&stop| there[stop] = true);
    (0..ways.n).filter(|&stop| !there[stop]).collect()
}

/// Searches until `spent`, asked with the number of rounds done, says that all of the budget (1) is.
pub(super) fn search(ways: &Ways, first: Tour, seed: u64, spent: &mut dyn FnMut(u64) -> f64) -> Tour {
    let mut search = Search::new(ways, seed);
    let mut now = Tour::new(ways, vec![]).unwrap_or_else(|| first.clone());
    search.recreate(&mut now, vec![], usize::MAX);
    let mut best = if now.cost < first.cost { now.clone() } else { first };
    let legs = best.order.len() as i64 + 1;
    let warmth = WARM * ((best.cost % MUST) as f64).min(best.walked() as f64 * 1_000.0) / legs as f64;
    let mut rounds = 0;
    loop {
        let share = spent(rounds);
        if share >= 1.0 {
            break;
        }
        rounds += 1;
        let warm = warmth * COOLED.powf(share);
        let Some((mut next, out)) = search.ruin(&now) else {
            continue;
        };
        search.recreate(&mut next, out, SKIP);
        let bonus = -f64::from(search.rng.unit().max(1e-9)).ln() * warm;
        if next.cost < now.cost + bonus as i64 {
            now = next;
            if now.cost < best.cost {
                best = now.clone();
            }
        }
    }
    // Nothing that fits and is worth it stays out because chance passed it over.
    loop {
        let before = best.cost;
        search.recreate(&mut best, vec![], usize::MAX);
        if best.cost == before {
            return best;
        }
    }
}

struct Search<'a> {
    ways: &'a Ways,
    rng: Rng,
    /// Of each stop: the others, nearest first.
    near: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn new(ways: &Ways, seed: u64) -> Search<'_> {
        let near = |a: usize| {
            let mut others: Vec<usize> = (0..ways.n).collect();
            others.sort_by_key(|&b| (ways.walk(a, b).min(ways.walk(b, a)), b));
            others
        };
        Search {
            ways,
            rng: Rng::new(seed, 0),
            near: (0..ways.n).map(near).collect(),
        }
    }

    /// Takes out stops around one of them, each with a few before and after it on the way. `None` where the rest does not fit the day any more: ways
    /// may be shorter over a third place.
    fn ruin(&mut self, tour: &Tour) -> Option<(Tour, Vec<usize>)> {
        let held = tour.order.len();
        let many = 1 + self.rng.below(MOST_OUT.min(held.max(1)));
        let along = 1 + self.rng.below(MOST_ALONG);
        let mut place = vec![usize::MAX; self.ways.n];
        tour.order.iter().enumerate().for_each(|(at, &stop)| place[stop] = at);
        let seed = self.seed(&place);
        let (mut gone, mut out) = (vec![false; held], vec![]);
        for &stop in &self.near[seed] {
            if out.len() >= many {
                break;
            }
            if place[stop] == usize::MAX || gone[place[stop]] {
                continue;
            }
            let long = (1 + self.rng.below(along)).min(held);
            let first = place[stop].saturating_sub(self.rng.below(long)).min(held - long);
            for &stop in &tour.order[first..first + long] {
                if !gone[place[stop]] && out.len() < many {
                    gone[place[stop]] = true;
                    out.push(stop);
                }
            }
        }
        let kept = tour.order.iter().filter(|&&stop| !gone[place[stop]]);
        Some((Tour::new(self.ways, kept.copied().collect())?, out))
    }

    /// Around which stop: any; every third time one that must be done and is left out.
    fn seed(&mut self, place: &[usize]) -> usize {
        let owed = |&stop: &usize| place[stop] == usize::MAX && self.ways.price[stop] == MUST;
        let owed: Vec<usize> = (0..self.ways.n).filter(owed).collect();
        if !owed.is_empty() && self.rng.below(3) == 0 {
            owed[self.rng.below(owed.len())]
        } else {
            self.rng.below(self.ways.n)
        }
    }

    /// Puts the stops `out`, and some left out before, where they cost least, if they are worth it.
    fn recreate(&mut self, tour: &mut Tour, out: Vec<usize>, skip: usize) {
        let mut rest = absent(self.ways, tour);
        rest.retain(|stop| !out.contains(stop));
        if skip != usize::MAX {
            self.rng.shuffle(&mut rest);
            rest.truncate(AGAIN);
        }
        let mut list = out;
        list.extend(rest);
        self.sort(&mut list);
        for stop in list {
            let below = tour.cost;
            let rng = &mut self.rng;
            let passed = || skip != usize::MAX && rng.below(skip) == 0;
            if let Some((at, cost)) = tour.best(self.ways, stop, below, passed) {
                tour.put(self.ways, stop, at, cost);
            }
        }
    }

    /// What must be done first; then by chance, the hardest to place, the farthest or the nearest.
    fn sort(&mut self, list: &mut [usize]) {
        let ways = self.ways;
        self.rng.shuffle(list);
        match self.rng.below(10) {
            0..4 => (),
            4..7 => list.sort_by_key(|&stop| ways.freedom(stop)),
            7..9 => list.sort_by_key(|&stop| -ways.walk(ways.start(), stop).min(FAR)),
            _ => list.sort_by_key(|&stop| ways.walk(ways.start(), stop)),
        }
        list.sort_by_key(|&stop| std::cmp::Reverse(ways.price[stop] / MUST));
    }
}
