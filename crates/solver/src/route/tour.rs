//! An order of stops with what it takes, kept so that putting a stop anywhere is judged at once.

use super::ways::{FAR, Part, Way, Ways};

#[derive(Clone)]
pub(super) struct Tour {
    pub order: Vec<usize>,
    /// From the start to each place of the order, and from each to the end: the start is 0, the first stop 1.
    on: Vec<Part>,
    back: Vec<Part>,
    walk: i64,
    service: i64,
    /// Of what is left out.
    price: i64,
    /// In thousandths: walking and waiting, the prices, and, between equals, a thousandth for walking.
    pub cost: i64,
}

impl Tour {
    /// `None` if the order does not fit the day.
    pub fn new(ways: &Ways, order: Vec<usize>) -> Option<Tour> {
        let mut price: i64 = ways.price.iter().sum();
        price -= order.iter().map(|&s| ways.price[s]).sum::<i64>();
        let mut tour = Tour {
            on: vec![ways.nothing(Way::On); order.len() + 1],
            back: vec![ways.nothing(Way::Back); order.len() + 2],
            walk: 0,
            service: order.iter().map(|&s| i64::from(ways.service[s])).sum(),
            price,
            cost: 0,
            order,
        };
        tour.walk = (0..=tour.order.len())
            .map(|at| i64::from(ways.walk(tour.place(ways, at), tour.place(ways, at + 1))))
            .sum();
        tour.follow(ways, 1, tour.order.len());
        tour.cost = tour.costs(ways, tour.lasts(ways)?);
        Some(tour)
    }

    pub fn place(&self, ways: &Ways, at: usize) -> usize {
        match at {
            0 => ways.start(),
            at if at <= self.order.len() => self.order[at - 1],
            _ => ways.end(),
        }
    }

    /// Seconds of walking.
    pub fn walked(&self) -> i64 {
        self.walk
    }

    /// The part from the place on that is `at` in the order.
    pub fn rest(&self, at: usize) -> &Part {
        &self.back[at]
    }

    /// Parts anew: from the morning on after `first`, back from the evening before `last`.
    fn follow(&mut self, ways: &Ways, first: usize, last: usize) {
        for at in first..=self.order.len() {
            let stop = self.order[at - 1];
            self.on[at] = ways.visit(
                Way::On,
                &self.on[at - 1],
                ways.walk(self.place(ways, at - 1), stop),
                stop,
            );
        }
        for at in (1..=last).rev() {
            let stop = self.order[at - 1];
            let walk = ways.walk(stop, self.place(ways, at + 1));
            self.back[at] = ways.visit(Way::Back, &self.back[at + 1], walk, stop);
        }
    }

    fn lasts(&self, ways: &Ways) -> Option<i32> {
        let last = self.order.len();
        let walk = ways.walk(self.place(ways, last), ways.end());
        ways.joined(&self.on[last], walk, &self.back[last + 1])
    }

    fn costs(&self, ways: &Ways, lasts: i32) -> i64 {
        let spent = i64::from(lasts) - self.service - i64::from(ways.lunch());
        spent * 1_000 + self.walk + self.price
    }

    /// What the day costs with a stop put after the place `at`, if it fits and costs less than `below`.
    #[inline]
    pub fn with(&self, ways: &Ways, stop: usize, at: usize, below: i64) -> Option<i64> {
        let (before, after) = (self.place(ways, at), self.place(ways, at + 1));
        let (to, on) = (ways.walk(before, stop), ways.walk(stop, after));
        if to >= FAR || on >= FAR {
            return None;
        }
        let walk = self.walk + i64::from(to + on - ways.walk(before, after));
        let price = self.price - ways.price[stop];
        // Waiting only adds to this.
        if walk * 1_001 + price >= below {
            return None;
        }
        let part = ways.visit(Way::On, &self.on[at], to, stop);
        let lasts = ways.joined(&part, on, &self.back[at + 1])?;
        let service = self.service + i64::from(ways.service[stop] + ways.lunch());
        let cost = (i64::from(lasts) - service) * 1_000 + walk + price;
        (cost < below).then_some(cost)
    }

    /// The cheapest place for a stop and what the day costs then, if less than `below`; places for which `skip` says so are not tried.
    pub fn best(
        &self,
        ways: &Ways,
        stop: usize,
        mut below: i64,
        mut skip: impl FnMut() -> bool,
    ) -> Option<(usize, i64)> {
        let mut best = None;
        for at in 0..=self.order.len() {
            if skip() {
                continue;
            }
            if let Some(cost) = self.with(ways, stop, at, below) {
                (best, below) = (Some((at, cost)), cost);
            }
        }
        best
    }

    /// Puts a stop after the place `at`; `cost` as told by [`Tour::with`].
    pub fn put(&mut self, ways: &Ways, stop: usize, at: usize, cost: i64) {
        let (before, after) = (self.place(ways, at), self.place(ways, at + 1));
        self.walk += i64::from(ways.walk(before, stop) + ways.walk(stop, after) - ways.walk(before, after));
        self.service += i64::from(ways.service[stop]);
        self.price -= ways.price[stop];
        self.order.insert(at, stop);
        self.on.insert(at + 1, Part::default());
        self.back.insert(at + 1, Part::default());
        self.cost = cost;
        self.follow(ways, at + 1, at + 1);
    }
}
