//! Days of random walkers: every route valid to the checker, never worse than going to the nearest, the best there is for few stops.

use proptest::prelude::*;
use solver::check::route::{Breach, Flaw, breaches, flaws};
use solver::route::{Day, Lunch, NO_WAY, Need, Route, Seconds, Stop, Why, Window, plan, rounds, straight};

const MINUTE: i32 = 60;
const HOUR: i32 = 3_600;

fn window(from: i32, to: i32) -> Window {
    Window { from, to }
}

/// What a route costs that leaves out nothing that must be done.
fn cost(day: &Day, route: &Route) -> i64 {
    let price = |&(stop, _): &(usize, Why)| match day.stops[stop].need {
        Need::May(price) => i64::from(price),
        Need::Must => 1_000_000,
    };
    i64::from(route.walking + route.waiting) + route.left_out.iter().map(price).sum::<i64>()
}

/// Up to three windows of whole ten minutes, or none.
fn windows() -> impl Strategy<Value = Vec<Window>> {
    proptest::collection::vec((0..60i32, 3..25i32), 0..4).prop_map(|list| {
        let mut told: Vec<Window> = vec![];
        let mut list: Vec<_> = list
            .into_iter()
            .map(|(from, long)| (from * 600, (from + long) * 600))
            .collect();
        list.sort_unstable();
        for (from, to) in list {
            if told.last().is_none_or(|last| last.to < from) {
                told.push(window(from, to));
            }
        }
        told
    })
}

fn stop() -> impl Strategy<Value = Stop> {
    let need = prop_oneof![Just(Need::Must), (0..3_000i32).prop_map(Need::May)];
    (0..1_500i32, windows(), need).prop_map(|(service, windows, need)| Stop { service, windows, need })
}

fn days(stops: std::ops::Range<usize>) -> impl Strategy<Value = Day> {
    let places = |n: usize| proptest::collection::vec((0..1_200i32, 0..1_200i32), n + 2);
    let many = proptest::collection::vec(stop(), stops);
    (many, any::<bool>(), 0..100u32).prop_flat_map(move |(stops, lunch, odd)| {
        let lunch = lunch.then_some(Lunch {
            lasts: HOUR,
            within: window(3 * HOUR, 5 * HOUR),
        });
        (places(stops.len()), Just(stops)).prop_map(move |(places, stops)| {
            let metres = |a: &(i32, i32), b: &(i32, i32)| (a.0.abs_diff(b.0) + a.1.abs_diff(b.1)) / 2;
            let mut all: Vec<u32> = places
                .iter()
                .flat_map(|a| places.iter().map(move |b| metres(a, b)))
                .collect();
            // Now and then a stop nobody can walk to.
            if odd < 20 && stops.len() > 1 {
                let n = stops.len() + 2;
                (0..n).filter(|&a| a != 0).for_each(|a| all[a * n] = NO_WAY);
            }
            Day {
                stops,
                window: window(HOUR, 9 * HOUR),
                lunch,
                metres_per_minute: 60.0,
                metres: all,
            }
        })
    })
}

/// The least an order waits and walks, by leaving at every so many seconds and eating wherever one can: nothing of the solver's arithmetic.
fn slow(day: &Day, order: &[usize], step: usize) -> Option<i64> {
    let all = (day.window.from..=day.window.to).step_by(step);
    all.filter_map(|leave| follow(day, order, leave)).min()
}

fn follow(day: &Day, order: &[usize], leave: Seconds) -> Option<i64> {
    // When one can be done with the halts so far: without lunch, and with it.
    let lunch = day.lunch;
    let home = lunch.is_some_and(|l| leave >= l.within.from + l.lasts);
    let meal = |at: Seconds| {
        let l = lunch.filter(|l| at <= l.within.to - l.lasts)?;
        Some(at.max(l.within.from) + l.lasts)
    };
    let (mut hungry, mut eaten) = (Some(leave), None);
    let mut sated = home.then_some(leave);
    let (mut here, mut fixed) = (day.start(), 0);
    for &stop in order {
        let asked = &day.stops[stop];
        let walk = day.walk(here, stop)?;
        let stay = |at: Seconds| {
            let whole = [day.window];
            let open = if asked.windows.is_empty() {
                &whole
            } else {
                &asked.windows[..]
            };
            let begin = open.iter().find(|w| at.max(w.from) + asked.service <= w.to)?;
            Some(at.max(begin.from) + asked.service)
        };
        let walked = |at: Option<Seconds>| at.map(|at| at + walk);
        let first = [
            walked(eaten).and_then(stay),
            walked(hungry).and_then(meal).and_then(stay),
        ];
        hungry = walked(hungry).and_then(stay);
        sated = walked(sated).and_then(stay);
        eaten = first.into_iter().chain([hungry.and_then(meal)]).flatten().min();
        fixed += asked.service;
        here = stop;
    }
    let walk = day.walk(here, day.end())?;
    let home_by = |at: Option<Seconds>, by: Seconds| at.map(|at| at + walk).filter(|&at| at <= by.min(day.window.to));
    let ends = match lunch {
        None => [home_by(hungry, day.window.to), None, None],
        Some(l) => [
            home_by(hungry, l.within.to - l.lasts),
            home_by(sated, day.window.to),
            home_by(eaten, day.window.to).map(|at| at - l.lasts),
        ],
    };
    ends.into_iter()
        .flatten()
        .min()
        .map(|end| i64::from(end - leave - fixed))
}

fn priced(day: &Day, order: &[usize]) -> i64 {
    let left = (0..day.stops.len()).filter(|stop| !order.contains(stop));
    left.map(|stop| match day.stops[stop].need {
        Need::May(price) => i64::from(price),
        Need::Must => 1_000_000,
    })
    .sum()
}

/// Every order of every choice of stops.
fn brute(day: &Day, order: &mut Vec<usize>, step: usize, best: &mut i64) {
    // A stop more never makes a day possible that was not: ways here are straight.
    let Some(cost) = slow(day, order, step) else { return };
    *best = (*best).min(cost + priced(day, order));
    for stop in 0..day.stops.len() {
        if !order.contains(&stop) {
            order.push(stop);
            brute(day, order, step, best);
            order.pop();
        }
    }
}

/// The nearest stop that still fits, until none does.
fn nearest(day: &Day) -> i64 {
    let mut order: Vec<usize> = vec![];
    loop {
        let here = order.last().copied().unwrap_or(day.start());
        let mut left: Vec<usize> = (0..day.stops.len()).filter(|stop| !order.contains(stop)).collect();
        left.sort_by_key(|&stop| (day.walk(here, stop).unwrap_or(i32::MAX), stop));
        let fits = |&stop: &usize| slow(day, &[&order[..], &[stop]].concat(), 60).is_some();
        let Some(stop) = left.into_iter().find(fits) else {
            let spent = slow(day, &order, 60).expect("it fits");
            return spent + priced(day, &order);
        };
        order.push(stop);
    }
}

/// Whether an order fits the day: for who leaves as early as can be, or after lunch.
fn fits(day: &Day, order: &[usize]) -> bool {
    let over = day.lunch.map(|lunch| lunch.within.from + lunch.lasts);
    let leaves = [Some(day.window.from), over.filter(|&at| at >= day.window.from)];
    leaves
        .into_iter()
        .flatten()
        .any(|leave| follow(day, order, leave).is_some())
}

/// Whether the reason is true of a stop that is left out.
fn holds(day: &Day, order: &[usize], stop: usize, why: Why) -> bool {
    let alone = fits(day, &[stop]);
    let among = |day: &Day| (0..=order.len()).any(|at| fits(day, &[&order[..at], &[stop], &order[at..]].concat()));
    let mut open = day.clone();
    open.stops[stop].windows.clear();
    match why {
        Why::Unreachable => day.walk(day.start(), stop).is_none(),
        Why::Closed => !alone,
        Why::Clash => alone && !among(day) && among(&open),
        Why::Full => alone && !among(&open),
        Why::Dear => among(day) && day.stops[stop].need != Need::Must,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_route_is_valid_and_the_same_again(day in days(0..26), seed in any::<u64>()) {
        prop_assert_eq!(flaws(&day, 9), vec![]);
        let route = plan(&day, seed, &mut rounds(60));
        prop_assert_eq!(breaches(&day, &route), vec![]);
        prop_assert_eq!(&route, &plan(&day, seed, &mut rounds(60)));
        let order: Vec<usize> = route.halts.iter().map(|halt| halt.stop).collect();
        for &(stop, why) in &route.left_out {
            prop_assert!(holds(&day, &order, stop, why), "{stop} {why:?}");
        }
        let least = follow(&day, &order, route.leave).expect("the judge can follow it");
        prop_assert_eq!(least, i64::from(route.walking + route.waiting));
    }

    #[test]
    fn no_route_is_worse_than_going_to_the_nearest(day in days(9..20), seed in any::<u64>()) {
        let route = plan(&day, seed, &mut rounds(0));
        prop_assert!(cost(&day, &route) <= nearest(&day));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn few_stops_get_the_best_order_there_is(day in days(1..6)) {
        let mut best = i64::MAX;
        brute(&day, &mut vec![], 60, &mut best);
        // Brute force leaves on whole minutes only; the route may be better by less than that, never worse.
        prop_assert!(cost(&day, &plan(&day, 1, &mut rounds(1))) <= best);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn eight_stops_get_the_best_order_there_is(day in days(7..9)) {
        let mut best = i64::MAX;
        brute(&day, &mut vec![], 1_200, &mut best);
        prop_assert!(cost(&day, &plan(&day, 1, &mut rounds(1))) <= best);
    }
}

/// Stops in a row, 100 metres apart, at 100 metres a minute; start and end before the first.
fn row(stops: Vec<Stop>, hours: i32) -> Day {
    let n = stops.len();
    let at = |place: usize| if place < n { place as i32 + 1 } else { 0 };
    let metres = (0..n + 2).flat_map(|a| (0..n + 2).map(move |b| at(a).abs_diff(at(b)) * 100));
    Day {
        window: window(8 * HOUR, (8 + hours) * HOUR),
        lunch: None,
        metres_per_minute: 100.0,
        metres: metres.collect(),
        stops,
    }
}

fn takes(minutes: i32, windows: Vec<Window>, need: Need) -> Stop {
    Stop {
        service: minutes * MINUTE,
        windows,
        need,
    }
}

#[test]
fn eight_stops_are_tried_in_every_order_and_more_are_found_too() {
    for n in [8, 12, 40] {
        let day = row((0..n).map(|_| takes(5, vec![], Need::Must)).collect(), 9);
        let route = plan(&day, 1, &mut rounds(200));
        assert_eq!((route.walking, route.waiting), (2 * n * MINUTE, 0), "{n}");
        assert_eq!(route.metres, 200 * n as u64);
    }
}

#[test]
fn one_leaves_late_and_comes_back_for_the_second_opening() {
    let stops = vec![
        takes(
            10,
            vec![window(8 * HOUR, 9 * HOUR), window(14 * HOUR, 15 * HOUR)],
            Need::Must,
        ),
        takes(10, vec![window(13 * HOUR, 15 * HOUR)], Need::Must),
    ];
    let route = plan(&row(stops, 9), 1, &mut rounds(1));
    assert_eq!(route.waiting, 0);
    assert!(route.leave >= 13 * HOUR, "{route:?}");
}

#[test]
fn what_is_left_out_says_why() {
    let mut day = row(
        vec![
            takes(50, vec![window(9 * HOUR, 10 * HOUR)], Need::Must),
            takes(50, vec![window(9 * HOUR, 10 * HOUR)], Need::May(600)),
            takes(10, vec![window(20 * HOUR, 21 * HOUR)], Need::Must),
            takes(10, vec![], Need::May(30)),
            takes(10, vec![], Need::Must),
        ],
        4,
    );
    let n = day.stops.len() + 2;
    (0..n).filter(|&a| a != 4).for_each(|a| day.metres[a * n + 4] = NO_WAY);
    let route = plan(&day, 1, &mut rounds(1));
    let told = [(1, Why::Clash), (2, Why::Closed), (3, Why::Dear), (4, Why::Unreachable)];
    assert_eq!(route.left_out, told);
    assert_eq!(breaches(&day, &route), vec![]);

    let day = row(
        vec![takes(70, vec![], Need::Must), takes(70, vec![], Need::May(9_000))],
        2,
    );
    assert_eq!(plan(&day, 1, &mut rounds(1)).left_out, [(1, Why::Full)]);
}

#[test]
fn lunch_is_eaten_where_one_would_wait() {
    let mut day = row(
        vec![
            takes(60, vec![window(10 * HOUR, 11 * HOUR)], Need::Must),
            takes(60, vec![window(12 * HOUR, 13 * HOUR)], Need::Must),
        ],
        9,
    );
    day.lunch = Some(Lunch {
        lasts: 50 * MINUTE,
        within: window(11 * HOUR, 13 * HOUR),
    });
    let route = plan(&day, 1, &mut rounds(1));
    let lunch = route.lunch.expect("on the way");
    assert_eq!((lunch.place, lunch.before), (1, 1));
    assert_eq!(route.waiting, 9 * MINUTE);
    assert_eq!(breaches(&day, &route), vec![]);
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let day = row(
        (0..4)
            .map(|_| takes(5, vec![window(9 * HOUR, 10 * HOUR)], Need::Must))
            .collect(),
        9,
    );
    let right = plan(&day, 1, &mut rounds(1));
    assert_eq!(breaches(&day, &right), vec![]);
    let wrong = |change: &dyn Fn(&mut Route)| {
        let mut route = right.clone();
        change(&mut route);
        breaches(&day, &route)
    };
    assert!(wrong(&|r| r.halts.swap(0, 3)).contains(&Breach::Walk { halt: 0 }));
    assert!(wrong(&|r| r.left_out.push((2, Why::Full))).contains(&Breach::Times { stop: 2 }));
    assert!(wrong(&|r| r.halts.truncate(3)).contains(&Breach::Times {
        stop: right.halts[3].stop
    }));
    assert!(wrong(&|r| r.halts[1].begin -= 600).contains(&Breach::Hurry { halt: 1 }));
    assert!(
        wrong(&|r| (r.halts[3].begin, r.halts[3].leave) = (11 * HOUR, 11 * HOUR + 300))
            .contains(&Breach::Closed { halt: 3 })
    );
    assert!(wrong(&|r| r.back = 18 * HOUR).contains(&Breach::Outside));
    assert_eq!(wrong(&|r| r.walking -= 1), [Breach::Sums]);
    let mut hungry = day.clone();
    hungry.lunch = Some(Lunch {
        lasts: HOUR,
        within: window(right.leave - 600, right.back + 600),
    });
    assert_eq!(breaches(&hungry, &right), [Breach::Lunch]);
}

#[test]
fn a_day_that_cannot_be_worked_with_is_refused() {
    let day = || row(vec![takes(5, vec![], Need::Must)], 9);
    let flaw = |change: &dyn Fn(&mut Day)| {
        let mut day = day();
        change(&mut day);
        flaws(&day, 9)
    };
    assert_eq!(flaw(&|_| ()), []);
    assert_eq!(flaw(&|d| d.metres.truncate(8)), [Flaw::Matrix]);
    assert_eq!(flaw(&|d| d.metres_per_minute = f64::NAN), [Flaw::Speed]);
    assert_eq!(flaw(&|d| d.window.to = HOUR), [Flaw::Window]);
    assert_eq!(flaw(&|d| d.stops[0].service = -1), [Flaw::Stop { stop: 0 }]);
    assert_eq!(flaw(&|d| d.stops[0].need = Need::May(-1)), [Flaw::Stop { stop: 0 }]);
    assert_eq!(
        flaw(&|d| d.stops[0].windows = vec![window(9, 8)]),
        [Flaw::Windows { stop: 0 }]
    );
    assert_eq!(flaw(&|d| d.metres[5] = NO_WAY), [Flaw::NoDay]);
    let lunch = |lasts| {
        move |d: &mut Day| {
            d.lunch = Some(Lunch {
                lasts,
                within: window(12 * HOUR, 13 * HOUR),
            })
        }
    };
    assert_eq!(flaw(&lunch(HOUR + 1)), [Flaw::Lunch]);
}

#[test]
fn straight_lines_are_metres_times_the_detour() {
    let metres = straight(&[[122.0, 30.0], [122.01, 30.0], [122.0, 30.01]], 1.5);
    assert_eq!((metres[0], metres[1], metres[2], metres[3]), (0, 1_444, 1_668, 1_444));
}
