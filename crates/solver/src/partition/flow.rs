//! Over how many borders one household more has to be passed from each grid, when all that has too many pass theirs on at the same time.
//!
//! The cheapest flow between the grids of a zone: each household crosses as few borders as there is room for. Room that others need is
//! taken into account, which the way to the nearest grid with room is not.

/// Grids of a zone: who is beside whom, what each has to pass on, and for how much it has room.
pub(crate) struct Flow<'a> {
    beside: &'a [Vec<u32>],
    /// Where the borders of a grid begin in `net`.
    first: Vec<usize>,
    /// What goes over the border to `beside[g][i]`, less what comes back.
    net: Vec<f64>,
    excess: Vec<f64>,
    room: Vec<f64>,
}

impl<'a> Flow<'a> {
    pub fn new(beside: &'a [Vec<u32>], excess: Vec<f64>, room: Vec<f64>) -> Flow<'a> {
        let mut first = Vec::with_capacity(beside.len() + 1);
        first.push(0);
        for others in beside {
            first.push(first.last().copied().unwrap_or(0) + others.len());
        }
        Flow {
            beside,
            net: vec![0.0; first.last().copied().unwrap_or(0)],
            first,
            excess,
            room,
        }
    }

    /// Borders that a household more than a grid has room for has to pass from it, there and back where only that grid had room; infinite
    /// where there is no way.
    pub fn prices(mut self) -> Vec<f64> {
        while self.augment() {}
        let mut way: Vec<f64> = self
            .room
            .iter()
            .map(|&room| if room > 0.0 { 0.0 } else { f64::INFINITY })
            .collect();
        let mut list: Vec<u32> = (0..way.len() as u32).filter(|&g| way[g as usize] == 0.0).collect();
        let mut at = 0;
        while at < list.len() && at < way.len() * way.len() {
            let to = list[at];
            at += 1;
            for (i, &g) in self.beside[to as usize].iter().enumerate() {
                let cost = way[to as usize] + self.back(to, i);
                if cost < way[g as usize] {
                    way[g as usize] = cost;
                    list.push(g);
                }
            }
        }
        let on = |g: usize| {
            let ways = self.beside[g].iter().enumerate();
            ways.map(|(i, &to)| self.there(g as u32, i) + way[to as usize])
                .fold(f64::INFINITY, f64::min)
        };
        (0..way.len()).map(on).collect()
    }

    /// Cost of one more from `g` to its neighbour `i`: what would go the other way is spared.
    fn there(&self, g: u32, i: usize) -> f64 {
        if self.net[self.first[g as usize] + i] < 0.0 {
            -1.0
        } else {
            1.0
        }
    }

    /// Cost of one more from the neighbour `i` of `g` to `g`.
    fn back(&self, g: u32, i: usize) -> f64 {
        if self.net[self.first[g as usize] + i] > 0.0 {
            -1.0
        } else {
            1.0
        }
    }

    /// Sends some of what is left along the cheapest way to where there is room; false when nothing is left or no way leads anywhere.
    fn augment(&mut self) -> bool {
        let k = self.beside.len();
        let mut way = vec![f64::INFINITY; k];
        let mut from = vec![(u32::MAX, 0usize); k];
        let mut list: Vec<u32> = (0..k as u32).filter(|&g| self.excess[g as usize] > 0.0).collect();
        for &g in &list {
            way[g as usize] = 0.0;
        }
        let mut at = 0;
        while at < list.len() && at < k * k {
            let g = list[at];
            at += 1;
            for (i, &to) in self.beside[g as usize].iter().enumerate() {
                let cost = way[g as usize] + self.there(g, i);
                if cost < way[to as usize] {
                    way[to as usize] = cost;
                    from[to as usize] = (g, i);
                    list.push(to);
                }
            }
        }
        let open = (0..k).filter(|&g| self.room[g] > 0.0 && way[g].is_finite());
        let Some(end) = open.min_by(|&a, &b| way[a].total_cmp(&way[b])) else {
            return false;
        };
        let mut path = vec![];
        let mut g = end;
        while from[g].0 != u32::MAX && path.len() < k {
            path.push((from[g].0, from[g].1));
            g = from[g].0 as usize;
        }
        let mut amount = self.excess[g].min(self.room[end]);
        for &(a, i) in &path {
            let net = self.net[self.first[a as usize] + i];
            if net < 0.0 {
                amount = amount.min(-net);
            }
        }
        if amount <= 0.0 {
            return false;
        }
        self.excess[g] -= amount;
        self.room[end] -= amount;
        for (a, i) in path {
            let to = self.beside[a as usize][i];
            self.net[self.first[a as usize] + i] += amount;
            if let Some(j) = self.beside[to as usize].iter().position(|&b| b == a) {
                self.net[self.first[to as usize] + j] -= amount;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four grids in a row.
    fn row() -> Vec<Vec<u32>> {
        vec![vec![1], vec![0, 2], vec![1, 3], vec![2]]
    }

    #[test]
    fn with_nothing_to_pass_the_nearest_room_counts() {
        let beside = row();
        let flow = Flow::new(&beside, vec![0.0; 4], vec![0.0, 0.0, 0.0, 5.0]);
        assert_eq!(flow.prices(), [3.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn room_that_others_need_is_taken() {
        let beside = row();
        // The first grid fills all room of its neighbour: whatever comes there beyond has to go on to the last.
        let flow = Flow::new(&beside, vec![4.0, 0.0, 0.0, 0.0], vec![0.0, 4.0, 0.0, 9.0]);
        assert_eq!(flow.prices(), [3.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn who_goes_against_the_stream_spares_a_border() {
        let beside = row();
        // Two stream from the first to the last; what the third has too many may stay where those would have gone.
        let flow = Flow::new(&beside, vec![2.0, 0.0, 0.0, 0.0], vec![0.0, 0.0, 0.0, 2.0]);
        let prices = flow.prices();
        assert!(
            prices.iter().all(|price| price.is_infinite()),
            "no room is left: {prices:?}"
        );
        let flow = Flow::new(&beside, vec![0.0, 6.0, 0.0, 0.0], vec![2.0, 0.0, 1.0, 9.0]);
        assert_eq!(flow.prices()[1], 2.0);
    }
}
