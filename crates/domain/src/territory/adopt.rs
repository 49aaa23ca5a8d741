//! A plan of grids comes into force: which codes the new ones get, who follows a grid that ends, whose post serves which grid from then on.
//!
//! Entry points: [`codes`], [`successors`], [`seat`]. Numbers of grids are those of the plan. Must not: know what a post or a case is
//! beyond its id, or read a map.

use crate::ids::AreaId;
use std::collections::{BTreeMap, BTreeSet};

/// No number is left in a community: grids wanted, numbers free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceFull {
    pub wanted: usize,
    pub free: usize,
}

/// A grid that needs a code: its number in the plan and where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncoded {
    pub no: u32,
    pub lon: f64,
    pub lat: f64,
}

/// Codes of new grids of one community: `prefix` and a running number of `digits` digits that no area has or had (`taken`: whole codes),
/// from west to east in rows from north to south (15-digit unit grid; Beijing DB11, GB/T 30428.1).
pub fn codes(
    prefix: &str,
    digits: usize,
    taken: &BTreeSet<String>,
    grids: &[Uncoded],
) -> Result<BTreeMap<u32, String>, SequenceFull> {
    let last = 10usize.saturating_pow(digits as u32) - 1;
    let free: Vec<String> = (1..=last)
        .map(|n| format!("{prefix}{n:0digits$}"))
        .filter(|code| !taken.contains(code))
        .take(grids.len())
        .collect();
    if free.len() < grids.len() {
        return Err(SequenceFull {
            wanted: grids.len(),
            free: free.len(),
        });
    }
    Ok(in_reading_order(grids).into_iter().zip(free).collect())
}

/// Rows from north to south, about as many as each has grids; each from west to east.
fn in_reading_order(grids: &[Uncoded]) -> Vec<u32> {
    let rows = (grids.len() as f64).sqrt().ceil().max(1.0);
    let north = grids.iter().map(|grid| grid.lat).fold(f64::MIN, f64::max);
    let south = grids.iter().map(|grid| grid.lat).fold(f64::MAX, f64::min);
    let high = ((north - south) / rows).max(f64::MIN_POSITIVE);
    let row = |grid: &Uncoded| (((north - grid.lat) / high) as u64).min(rows as u64 - 1);
    let mut order: Vec<&Uncoded> = grids.iter().collect();
    order.sort_by(|a, b| {
        row(a)
            .cmp(&row(b))
            .then(a.lon.total_cmp(&b.lon))
            .then(b.lat.total_cmp(&a.lat))
            .then(a.no.cmp(&b.no))
    });
    order.into_iter().map(|grid| grid.no).collect()
}

/// Households that go from one area to one grid of the plan.
pub type Flows = BTreeMap<(AreaId, u32), i64>;

/// Of each area, the grids of the plan that have its ground, most households first, the smaller number among equals.
pub fn successors(flows: &Flows) -> BTreeMap<AreaId, Vec<(u32, i64)>> {
    let mut all: BTreeMap<AreaId, Vec<(u32, i64)>> = BTreeMap::new();
    for ((from, to), households) in flows {
        all.entry(*from).or_default().push((*to, *households));
    }
    for heirs in all.values_mut() {
        heirs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    }
    all
}

/// Where the posts of grids that end go: `posts` by the grid each serves, `needy` the grids of the plan without a post of their own. A post
/// goes to the successor with most of its households that still has none; one of which all successors have theirs goes nowhere.
/// One post to a grid (YC-01), the largest flows first.
pub fn seat<P: Copy + Ord>(
    posts: &[(P, AreaId)],
    heirs: &BTreeMap<AreaId, Vec<(u32, i64)>>,
    needy: &BTreeSet<u32>,
) -> BTreeMap<P, Option<u32>> {
    let mut wishes: Vec<(i64, u32, P)> = Vec::new();
    for (post, from) in posts {
        let heirs = heirs.get(from).into_iter().flatten();
        wishes.extend(heirs.map(|(to, households)| (*households, *to, *post)));
    }
    wishes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut seats: BTreeMap<P, Option<u32>> = posts.iter().map(|(post, _)| (*post, None)).collect();
    let mut left = needy.clone();
    for (_, to, post) in wishes {
        let seat = seats.entry(post).or_default();
        if seat.is_none() && left.remove(&to) {
            *seat = Some(to);
        }
    }
    seats
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(no: u32, lon: f64, lat: f64) -> Uncoded {
        Uncoded { no, lon, lat }
    }

    #[test]
    fn codes_run_from_west_to_east_and_north_to_south() {
        let grids = [at(7, 1.0, 0.0), at(8, 0.0, 1.0), at(9, 1.0, 1.0), at(10, 0.0, 0.0)];
        let taken = BTreeSet::from(["330902001001002".to_owned()]);
        let given = codes("330902001001", 3, &taken, &grids).unwrap();
        let by_code: Vec<(&str, u32)> = {
            let mut all: Vec<(&str, u32)> = given.iter().map(|(no, code)| (&code[12..], *no)).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(by_code, [("001", 8), ("003", 9), ("004", 10), ("005", 7)]);
    }

    #[test]
    fn a_full_sequence_is_refused() {
        let taken: BTreeSet<String> = (1..=8).map(|n| format!("1{n}")).collect();
        let grids = [at(1, 0.0, 0.0), at(2, 1.0, 0.0)];
        let full = SequenceFull { wanted: 2, free: 1 };
        assert_eq!(codes("1", 1, &taken, &grids), Err(full));
    }

    #[test]
    fn a_post_goes_to_the_largest_successor_that_has_none() {
        let (a, b) = (AreaId(1), AreaId(2));
        let flows = Flows::from([((a, 1), 200), ((a, 2), 90), ((b, 1), 150), ((b, 2), 80), ((b, 3), 10)]);
        let heirs = successors(&flows);
        assert_eq!(heirs[&a], [(1, 200), (2, 90)]);
        let needy = BTreeSet::from([1, 2]);
        let seats = seat(&[('x', a), ('y', b)], &heirs, &needy);
        assert_eq!((seats[&'x'], seats[&'y']), (Some(1), Some(2)));
        let seats = seat(&[('x', a), ('y', b)], &heirs, &BTreeSet::from([1]));
        assert_eq!(
            (seats[&'x'], seats[&'y']),
            (Some(1), None),
            "its successors have theirs"
        );
    }
}
