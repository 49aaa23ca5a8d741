//! Few stops: every order of every choice of them that could still be best.

use super::tour::Tour;
use super::ways::{FAR, Part, Way, Ways};

/// Up to so many stops every order is tried.
pub(super) const EXACT: usize = 8;

struct Search<'a> {
    ways: &'a Ways,
    evening: Part,
    order: Vec<usize>,
    service: i64,
    walk: i64,
    price: i64,
    best: Tour,
}

/// The best of all orders, `known` included.
pub(super) fn exact(ways: &Ways, known: Tour) -> Tour {
    let mut search = Search {
        ways,
        evening: ways.nothing(Way::Back),
        order: vec![],
        service: 0,
        walk: 0,
        price: ways.price.iter().sum(),
        best: known,
    };
    search.go(ways.start(), &ways.nothing(Way::On));
    search.best
}

impl Search<'_> {
    fn go(&mut self, here: usize, part: &Part) {
        if part.iter().all(|ramps| ramps.none()) {
            return;
        }
        self.close(here, part);
        // What is still open may all be done, at no walk at all.
        let open: i64 = (0..self.ways.n)
            .filter(|s| !self.order.contains(s))
            .map(|s| self.ways.price[s])
            .sum();
        if self.walk * 1_001 + self.price - open >= self.best.cost {
            return;
        }
        for stop in 0..self.ways.n {
            let walk = self.ways.walk(here, stop);
            if walk >= FAR || self.order.contains(&stop) {
                continue;
            }
            let (service, price) = (i64::from(self.ways.service[stop]), self.ways.price[stop]);
            let next = self.ways.visit(Way::On, part, walk, stop);
            self.order.push(stop);
            self.walk += i64::from(walk);
            self.service += service;
            self.price -= price;
            self.go(stop, &next);
            self.price += price;
            self.service -= service;
            self.walk -= i64::from(walk);
            self.order.pop();
        }
    }

    fn close(&mut self, here: usize, part: &Part) {
        let home = self.ways.walk(here, self.ways.end());
        let Some(lasts) = self.ways.joined(part, home, &self.evening) else {
            return;
        };
        let spent = i64::from(lasts) - self.service - i64::from(self.ways.lunch());
        let cost = spent * 1_000 + self.walk + i64::from(home) + self.price;
        if cost < self.best.cost {
            self.best = Tour::new(self.ways, self.order.clone()).expect("judged just now");
        }
    }
}
