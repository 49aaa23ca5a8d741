//! A day's route: in which order one walker calls at the stops of a day, when, and what does not fit.
//!
//! - [`Day`] is what is asked: stops with the time they take, their windows (several) and whether they may be left out, the day's window, lunch, and
//!   a matrix of metres. The product keeps streets as lines that group dwellings, not as a graph to walk on: [`straight`] makes the matrix of straight
//!   lines times a detour; who has a graph of streets fills it from that;
//! - [`plan`] answers with a [`Route`]: halts with their times, the break, walking, waiting, and what was left out with the reason ([`Why`]).
//!
//! What is made least: seconds walked, seconds waited away from the start place, and the prices of what is left out; stops that must be done come
//! before all of it. The start is left as late as saves waiting. Up to eight stops the answer is the best there is (`exact`), beyond that it is
//! searched for (`search`); how an order fits the day is kept in `tour`, on the arithmetic of `ramp`. Equal input, seed and budget give equal
//! answers. [`crate::check::route`] judges days and answers on a path of its own.

mod answer;
mod day;
mod exact;
mod ramp;
mod schedule;
mod search;
mod tour;
mod ways;

pub use answer::{Break, Halt, Route, Why};
pub use day::{Day, Lunch, MAX_DAY, MAX_STOPS, MAX_WINDOWS, NO_WAY, Need, Seconds, Stop, Window, straight};

use exact::{EXACT, exact};
use search::{nearest, search};
use tour::Tour;
use ways::{FAR, Ways};

/// Plans a day that is sound (see [`crate::check::route::flaws`]). `spent` is asked before every round with the number of rounds done, and says which
/// part of the budget is used: at 1 the search ends. By rounds ([`rounds`]) the answer does not depend on how fast the machine is; a caller may look at a clock.
pub fn plan(day: &Day, seed: u64, spent: &mut dyn FnMut(u64) -> f64) -> Route {
    let mut ways = Ways::new(day);
    let first = nearest(&ways).expect("a sound day has time for the walk to its end");
    let tour = if ways.n <= EXACT {
        exact(&ways, first)
    } else {
        search(&ways, first, seed, spent)
    };
    let left: Vec<usize> = (0..ways.n).filter(|stop| !tour.order.contains(stop)).collect();
    let left_out = left.into_iter().map(|stop| (stop, why(&mut ways, &tour, stop)));
    let left_out = left_out.collect();
    // Reasons forget windows of stops that are left out: none that the times are made of.
    schedule::timed(day, &ways, &tour, left_out)
}

/// The rounds a day of so many stops is worth: sixty take well under a fifth of a second, and half as many or twice as many about as long.
pub fn rounds_for(stops: usize) -> u64 {
    (240_000 / stops.max(1) as u64).clamp(1_000, 8_000)
}

/// A budget of rounds: `plan(&day, seed, &mut rounds(rounds_for(day.stops.len())))`.
pub fn rounds(most: u64) -> impl FnMut(u64) -> f64 {
    move |done| done as f64 / most.max(1) as f64
}

fn why(ways: &mut Ways, tour: &Tour, stop: usize) -> Why {
    if ways.walk(ways.start(), stop) >= FAR || ways.walk(stop, ways.end()) >= FAR {
        return Why::Unreachable;
    }
    if Tour::new(ways, vec![stop]).is_none() {
        return Why::Closed;
    }
    let fits = |ways: &Ways| tour.best(ways, stop, i64::MAX, || false).is_some();
    if fits(ways) {
        return Why::Dear;
    }
    ways.always_open(stop);
    if fits(ways) { Why::Clash } else { Why::Full }
}
