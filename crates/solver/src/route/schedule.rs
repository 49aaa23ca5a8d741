//! The times of a chosen order.

use super::answer::{Break, Halt, Route, Why};
use super::day::Day;
use super::tour::Tour;
use super::ways::{Part, Way, Ways};

/// One way of going to the next place.
struct Leg {
    arrive: i32,
    lunch: Option<Break>,
    begin: i32,
    eaten: bool,
}

/// The order with the times that wait least; among those, the earliest.
pub(super) fn timed(day: &Day, ways: &Ways, tour: &Tour, left_out: Vec<(usize, Why)>) -> Route {
    let (mut at, mut eaten) = leaves(ways, tour);
    let mut route = Route {
        leave: at,
        halts: vec![],
        lunch: None,
        back: 0,
        metres: 0,
        walking: 0,
        waiting: 0,
        left_out,
    };
    let mut here = ways.start();
    for next in 1..=tour.order.len() + 1 {
        let leg = goes(ways, tour, next, at, eaten);
        let place = tour.place(ways, next);
        route.metres += u64::from(day.metres(here, place).unwrap_or(0));
        route.walking += ways.walk(here, place);
        route.lunch = route.lunch.or(leg.lunch);
        eaten = leg.eaten;
        if place == ways.end() {
            route.back = leg.begin;
        } else {
            at = leg.begin + ways.service[place];
            route.halts.push(Halt {
                stop: place,
                arrive: leg.arrive,
                begin: leg.begin,
                leave: at,
            });
        }
        here = place;
    }
    let served: i32 = tour.order.iter().map(|&stop| ways.service[stop]).sum();
    let lunch = route.lunch.map_or(0, |lunch| lunch.to - lunch.from);
    route.waiting = route.back - route.leave - route.walking - served - lunch;
    route
}

/// How long the rest of a day lasts for who is ready at a place at a time and walks on; with lunch still in it, or not.
fn rest(part: &Part, eaten: bool, lunch: bool, ready: i32, walk: i32) -> Option<i32> {
    let ramps = part[usize::from(lunch && !eaten)].all().iter();
    let fits = ramps.filter(|r| ready + walk <= -r.ready);
    fits.map(|r| walk + (-r.ready - r.slack - ready - walk).max(0) + r.ready - r.left)
        .min()
}

/// When the start is left, and whether after lunch.
fn leaves(ways: &Ways, tour: &Tour) -> (i32, bool) {
    let lunch = ways.lunch() > 0;
    let walk = ways.walk(ways.start(), tour.place(ways, 1));
    let morning = ways.nothing(Way::On);
    let mut best: Option<(i32, i32, bool)> = None;
    for eaten in [false, true] {
        for ramp in morning[usize::from(eaten)].all() {
            for r in tour.rest(1)[usize::from(lunch && !eaten)].all() {
                let latest = (-r.ready - walk).min(ramp.ready + ramp.slack);
                let at = (-r.ready - r.slack - walk).clamp(ramp.ready, latest.max(ramp.ready));
                if let Some(lasts) = rest(tour.rest(1), eaten, lunch, at, walk).filter(|_| at <= latest) {
                    let all = lasts + if eaten { ways.lunch() } else { 0 };
                    if best.is_none_or(|b| (all, at) < (b.0, b.1)) {
                        best = Some((all, at, eaten));
                    }
                }
            }
        }
    }
    let (_, at, eaten) = best.expect("the order fits the day");
    (at, eaten)
}

/// Goes on to the place `next` of the order: with lunch on the way if that costs no waiting, else later.
fn goes(ways: &Ways, tour: &Tour, next: usize, at: i32, eaten: bool) -> Leg {
    let lunch = ways.lunch() > 0;
    let (before, place) = (tour.place(ways, next - 1), tour.place(ways, next));
    let walk = ways.walk(before, place);
    let mut legs = vec![];
    let meal = |place: usize, from: i32| Break {
        place,
        before: next - 1,
        from,
        to: from + ways.lunch(),
    };
    let eats = lunch && !eaten && place != ways.end();
    if let Some(from) = ways.begins(None, at + walk).filter(|_| eats) {
        legs.push((at + walk, from + ways.lunch(), Some(meal(place, from))));
    }
    if let Some(from) = ways
        .begins(None, at)
        .filter(|_| lunch && !eaten && before != ways.start())
    {
        let arrive = from + ways.lunch() + walk;
        legs.push((arrive, arrive, Some(meal(before, from))));
    }
    legs.push((at + walk, at + walk, None));
    let mut best: Option<(i32, Leg)> = None;
    for (arrive, ready, lunch_here) in legs {
        let eaten = eaten || lunch_here.is_some();
        let open = if place == ways.end() {
            Some(ready)
        } else {
            ways.begins(Some(place), ready)
        };
        let Some(begin) = open else { continue };
        let lasts = if place == ways.end() {
            // At the end place: what is over must be over, what is to come is had there.
            rest(tour.rest(next), eaten, lunch, begin, 0)
        } else {
            let done = begin + ways.service[place];
            let walk = ways.walk(place, tour.place(ways, next + 1));
            let goes_on = rest(tour.rest(next + 1), eaten, lunch, done, walk);
            let fed = ways
                .begins(None, done)
                .filter(|_| !eaten)
                .map(|from| from + ways.lunch());
            let eats = fed.and_then(|fed| Some(rest(tour.rest(next + 1), true, lunch, fed, walk)? + fed - done));
            goes_on.into_iter().chain(eats).min().map(|rest| rest + done - begin)
        };
        let Some(lasts) = lasts else { continue };
        let all = begin - at + lasts;
        if best.as_ref().is_none_or(|b| all < b.0) {
            let leg = Leg {
                arrive,
                lunch: lunch_here,
                begin,
                eaten,
            };
            best = Some((all, leg));
        }
    }
    best.expect("the order fits the day").1
}
