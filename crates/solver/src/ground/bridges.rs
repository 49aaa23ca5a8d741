//! Bridges: the dwelling nearest to each end becomes the neighbour of the one nearest to the other.

use super::plane::{Inside, Point, along, distance};
use super::{Barriers, Bridge, Edge, Placed};

/// Metres from the end of a bridge to the dwelling it serves, at most.
const REACH: f64 = 400.0;
/// Metres beside the barrier where a bridge has landed.
const LANDED: f64 = 1.0;
/// Crossings nearer to each other along the way than this, in metres, are one: both lanes of a road, a river's arm drawn twice.
const ONE_CROSSING: f64 = 60.0;
/// Dwellings asked at each end, nearest first.
const ASKED: usize = 64;

/// Opens a way for every crossing of a bridge that has dwellings of one community at both ends; says how many. `edges` are in order.
pub(super) fn join(
    placed: &[Placed],
    bridges: &[Bridge],
    barriers: &Barriers,
    water: &[Inside],
    edges: &mut Vec<Edge>,
) -> usize {
    let mut joined = 0;
    for bridge in bridges {
        for (from, to) in landings(bridge, barriers, water) {
            let Some(a) = served(placed, from, None, barriers) else {
                continue;
            };
            let Some(b) = served(placed, to, Some(placed[a].region), barriers) else {
                continue;
            };
            if a == b {
                continue;
            }
            joined += 1;
            let (u, v) = (a.min(b), a.max(b));
            match edges.binary_search_by_key(&(u, v), |edge| (edge.u, edge.v)) {
                Ok(at) => edges[at].barrier = false,
                Err(at) => edges.insert(at, Edge::without_border(u, v)),
            }
        }
    }
    joined
}

/// Where the way leaves one side and reaches the other, for each crossing with barriers of its kind.
fn landings(bridge: &Bridge, barriers: &Barriers, water: &[Inside]) -> Vec<(Point, Point)> {
    let line = &bridge.line;
    if line.iter().flatten().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let (mut crossings, mut walked) = (Vec::new(), 0.0);
    for ends in line.windows(2) {
        let length = distance(ends[0], ends[1]);
        let met = barriers.crossings(ends[0], ends[1]);
        let own = met
            .into_iter()
            .filter(|(_, which)| barriers.all[*which].2 == bridge.over);
        crossings.extend(own.map(|(at, _)| walked + at * length));
        walked += length;
    }
    let over_water = |from: f64, to: f64| {
        let middle = walked_to(line, (from + to) / 2.0);
        water.iter().any(|lake| lake.holds(middle))
    };
    let mut groups: Vec<(f64, f64)> = Vec::new();
    for at in crossings {
        match groups.last_mut() {
            Some((_, last)) if at - *last <= ONE_CROSSING || over_water(*last, at) => *last = at,
            _ => groups.push((at, at)),
        }
    }
    let ends = groups.into_iter().map(|(first, last)| (first - LANDED, last + LANDED));
    ends.map(|(from, to)| (walked_to(line, from), walked_to(line, to)))
        .collect()
}

/// The point so many metres along a line, straight on beyond its ends.
fn walked_to(line: &[Point], metres: f64) -> Point {
    let mut left = metres;
    let pieces = line.windows(2).filter(|ends| ends[0] != ends[1]);
    let last = pieces.clone().count().saturating_sub(1);
    for (nth, ends) in pieces.enumerate() {
        let length = distance(ends[0], ends[1]);
        if left <= length || nth == last {
            return along(ends[0], ends[1], left / length);
        }
        left -= length;
    }
    line.first().copied().unwrap_or_default()
}

/// The dwelling nearest to a landing that can be reached straight from it.
fn served(placed: &[Placed], landing: Point, region: Option<usize>, barriers: &Barriers) -> Option<usize> {
    let mut near: Vec<(f64, usize)> = placed
        .iter()
        .enumerate()
        .filter(|(_, one)| region.is_none_or(|region| one.region == region))
        .map(|(at, one)| (distance(one.foot, landing), at))
        .filter(|(far, _)| *far <= REACH)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let straight = |at: &usize| !barriers.crossed_by(placed[*at].foot, landing);
    near.into_iter().take(ASKED).map(|(_, at)| at).find(straight)
}
