//! Streets and compounds: whose each dwelling is, and what that makes of the edges.

use super::plane::{Inside, Segments, bounds, distance};
use super::{Edge, FAR, Input, Layer, Note, Placed, STREET_REACH, Unit, W_FAR, W_PLAIN, W_TOGETHER, mended};

/// A dwelling's own street and compound where given; else the nearest street and the compound it stands in.
pub(super) fn name(input: &Input, units: &mut [Unit], notes: &mut Vec<Note>) {
    let lines = input
        .streets
        .iter()
        .flat_map(|street| street.line.windows(2).map(|ends| (ends[0], ends[1], street.street)));
    let sound = |(a, b, _): &([f64; 2], [f64; 2], u32)| a != b && a.iter().chain(b).all(|value| value.is_finite());
    let streets = Segments::new(lines.filter(sound).collect(), STREET_REACH);
    let compounds = mended(&input.compounds, Layer::Compounds, notes);
    let mut areas: Vec<_> = compounds
        .iter()
        .enumerate()
        .filter_map(|(at, polygons)| {
            let polygons = polygons.as_ref()?;
            let size = super::area(polygons);
            Some((
                size,
                at as u32,
                bounds(polygons.iter().flatten().flatten())?,
                Inside::new(polygons),
            ))
        })
        .collect();
    // The smallest one around a dwelling is its own.
    areas.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for unit in units {
        let given = &input.dwellings[unit.dwelling];
        unit.street = given.street.or_else(|| {
            let (at, _) = streets.nearest(unit.at, STREET_REACH)?;
            Some(streets.all[at].2)
        });
        let around = || {
            let [x, y] = unit.at;
            let mut near = areas
                .iter()
                .filter(|(_, _, [w, s, e, n], _)| *w <= x && x <= *e && *s <= y && y <= *n);
            near.find(|(_, _, _, inside)| inside.holds(unit.at))
                .map(|found| found.1)
        };
        unit.compound = given.compound.or_else(around);
    }
}

/// What it costs to part two neighbours.
pub(super) fn weigh(placed: &[Placed], units: &[Unit], edges: &mut [Edge]) {
    for edge in edges {
        let (u, v) = (&units[edge.u], &units[edge.v]);
        let same = |a: Option<u32>, b: Option<u32>| a.is_some() && a == b;
        let far = distance(placed[edge.u].foot, placed[edge.v].foot);
        edge.w = if same(u.compound, v.compound) {
            W_TOGETHER
        } else if edge.shared == 0.0 || far > FAR {
            W_FAR
        } else if same(u.street, v.street) {
            W_TOGETHER
        } else {
            W_PLAIN
        };
    }
}
