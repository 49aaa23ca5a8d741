//! Whether a day can be worked with, and what a day's route breaks: by following the walker, second by second, from the day as it was asked.

use crate::route::{Day, Halt, MAX_DAY, MAX_STOPS, MAX_WINDOWS, Need, Route, Window};

/// What is wrong with a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// More than [`MAX_STOPS`].
    TooMany,
    /// The matrix does not have a row and a column for each place.
    Matrix,
    /// Slower than 1 or faster than 1,000 metres a minute, or not a number.
    Speed,
    /// The day begins before its midnight, ends before it begins, or is longer than [`MAX_DAY`].
    Window,
    /// Lunch takes no time, or more than there is for it.
    Lunch,
    /// A stop that takes less than no time or longer than a day, or whose price is below nothing.
    Stop { stop: usize },
    /// Windows of a stop out of order, touching, backwards, or more than [`MAX_WINDOWS`].
    Windows { stop: usize },
    /// The day is too short to walk from its start to its end, lunch considered, or there is no way.
    NoDay,
}

/// One breach of a route. Stops are places in the day's list, halts in the route's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A stop in the route and left out, twice in one of them, or in neither.
    Times { stop: usize },
    /// A halt begun before one is there, or left after another time than it takes.
    Hurry { halt: usize },
    /// A walk there is no way for, or that takes another time.
    Walk { halt: usize },
    /// A halt not within one of its windows.
    Closed { halt: usize },
    /// Left or back outside the day.
    Outside,
    /// Lunch is missing, not owed, too short, at another time than it may be, or while on the way or at a stop.
    Lunch,
    /// Metres, walking or waiting that are not those of the times.
    Sums,
}

/// Every flaw of a day, each kind of the day once, then stop by stop; at most `most`.
pub fn flaws(day: &Day, most: usize) -> Vec<Flaw> {
    let within = |w: &Window| 0 <= w.from && w.from <= w.to && w.to <= MAX_DAY;
    let places = day.stops.len() + 2;
    let lunch = day
        .lunch
        .is_none_or(|l| within(&l.within) && 0 < l.lasts && l.lasts <= l.within.to - l.within.from);
    let asked = [
        (Flaw::TooMany, day.stops.len() <= MAX_STOPS),
        (Flaw::Matrix, day.metres.len() == places * places),
        (Flaw::Speed, (1.0..=1_000.0).contains(&day.metres_per_minute)),
        (Flaw::Window, within(&day.window)),
        (Flaw::Lunch, lunch),
    ];
    let mut found: Vec<Flaw> = asked
        .into_iter()
        .filter(|(_, right)| !right)
        .map(|(flaw, _)| flaw)
        .collect();
    for (number, stop) in day.stops.iter().enumerate() {
        let worth = !matches!(stop.need, Need::May(price) if price < 0);
        if !(0..=MAX_DAY).contains(&stop.service) || !worth {
            found.push(Flaw::Stop { stop: number });
        }
        let apart = stop.windows.windows(2).all(|pair| pair[0].to < pair[1].from);
        if stop.windows.len() > MAX_WINDOWS || !apart || !stop.windows.iter().all(within) {
            found.push(Flaw::Windows { stop: number });
        }
    }
    if found.is_empty() && !possible(day) {
        found.push(Flaw::NoDay);
    }
    found.truncate(most);
    found
}

/// Whether nothing but the walk to the end fits the day: with lunch, before or after it.
fn possible(day: &Day) -> bool {
    let Some(walk) = day.walk(day.start(), day.end()) else {
        return false;
    };
    let fits = |from: i32, to: i32| from + walk <= to;
    let (from, to) = (day.window.from, day.window.to);
    day.lunch.map_or(fits(from, to), |lunch| {
        let (over, due) = (lunch.within.from + lunch.lasts, lunch.within.to - lunch.lasts);
        fits(from.max(over), to) || fits(from, to.min(due))
    })
}

/// Every breach of a route. The day must be without [`flaws`].
pub fn breaches(day: &Day, route: &Route) -> Vec<Breach> {
    let mut found = times(day, route);
    let (mut here, mut at) = (day.start(), route.leave);
    let (mut metres, mut walking, mut waiting) = (0u64, 0, 0);
    let end = Halt {
        stop: day.end(),
        arrive: route.back,
        begin: route.back,
        leave: route.back,
    };
    for (number, halt) in route.halts.iter().chain([&end]).enumerate() {
        let (Some(walk), Some(way)) = (day.walk(here, halt.stop), day.metres(here, halt.stop)) else {
            found.push(Breach::Walk { halt: number });
            continue;
        };
        let lunch = route.lunch.filter(|lunch| lunch.before == number);
        let first = lunch.filter(|lunch| lunch.place == here && lunch.from < halt.arrive);
        let there = lunch.filter(|_| first.is_none());
        let set_off = first.map_or(at, |lunch| lunch.to);
        if halt.arrive != set_off + walk {
            found.push(Breach::Walk { halt: number });
        }
        let right = match (first, there) {
            (Some(lunch), _) => lunch.from >= at,
            (_, Some(lunch)) => lunch.place == halt.stop && lunch.from >= halt.arrive && lunch.to <= halt.begin,
            _ => true,
        };
        if !right {
            found.push(Breach::Lunch);
        }
        let rested = lunch.map_or(0, |lunch| lunch.to - lunch.from);
        let waited = halt.begin - at - walk - rested;
        if waited < 0 || halt.begin < halt.arrive {
            found.push(Breach::Hurry { halt: number });
        }
        if let Some(stop) = day.stops.get(halt.stop) {
            let day_long = [day.window];
            let windows = if stop.windows.is_empty() {
                &day_long
            } else {
                &stop.windows[..]
            };
            if halt.leave != halt.begin + stop.service {
                found.push(Breach::Hurry { halt: number });
            }
            if !windows.iter().any(|w| w.from <= halt.begin && halt.leave <= w.to) {
                found.push(Breach::Closed { halt: number });
            }
        }
        (metres, walking, waiting) = (metres + u64::from(way), walking + walk, waiting + waited);
        (here, at) = (halt.stop, halt.leave);
    }
    if route.leave < day.window.from || route.back > day.window.to {
        found.push(Breach::Outside);
    }
    if !fed(day, route) {
        found.push(Breach::Lunch);
    }
    if (metres, walking, waiting) != (route.metres, route.walking, route.waiting) {
        found.push(Breach::Sums);
    }
    found
}

fn times(day: &Day, route: &Route) -> Vec<Breach> {
    let mut told = vec![0; day.stops.len()];
    let left_out = route.left_out.iter().map(|&(stop, _)| stop);
    for stop in route.halts.iter().map(|halt| halt.stop).chain(left_out) {
        if let Some(times) = told.get_mut(stop) {
            *times += 1;
        }
    }
    let wrong = told.iter().enumerate().filter(|&(_, &times)| times != 1);
    wrong.map(|(stop, _)| Breach::Times { stop }).collect()
}

/// Lunch is on the way and at its time, or had before leaving, or after coming back.
fn fed(day: &Day, route: &Route) -> bool {
    match (day.lunch, route.lunch) {
        (None, lunch) => lunch.is_none(),
        (Some(asked), Some(had)) => {
            let whole = had.to - had.from == asked.lasts && had.before <= route.halts.len();
            whole && asked.within.from <= had.from && had.to <= asked.within.to
        }
        (Some(asked), None) => {
            let before = route.leave >= asked.within.from + asked.lasts;
            before || route.back <= asked.within.to - asked.lasts
        }
    }
}
