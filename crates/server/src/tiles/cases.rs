//! Cases in a tile of staff: single ones where the view is near, clusters with a count where it is far.

use super::mvt::{Geometry, Kind, Layer, Value};
use super::tile::{Point, Tile, project};
use crate::cases::queue::MapCase;
use domain::geo::LonLat;
use std::collections::BTreeMap;

/// From this zoom on every case is a point of its own.
const SINGLE_FROM: u8 = 15;
/// Squares of a tile in which cases are counted together: 512 units, eight to a side.
const SQUARE_BITS: u32 = 9;

/// Layer `cases`; `more`: there are more than these, so that counts are told as the least.
pub fn draw(tile: Tile, cases: &[MapCase], more: bool) -> Vec<u8> {
    let mut layer = Layer::new("cases");
    let mut geometry = Geometry::default();
    let mut squares: BTreeMap<Point, Vec<(Point, &MapCase)>> = BTreeMap::new();
    for case in cases {
        let (lon, lat) = case.at;
        let Some(at) = tile.point(project(LonLat { lon, lat })) else {
            continue;
        };
        if tile.z >= SINGLE_FROM {
            one(&mut layer, &mut geometry, at, case);
        } else {
            squares
                .entry(at.map(|n| n >> SQUARE_BITS))
                .or_default()
                .push((at, case));
        }
    }
    for square in squares.values() {
        match square.as_slice() {
            [(at, case)] => one(&mut layer, &mut geometry, *at, case),
            many => together(&mut layer, &mut geometry, many, more),
        }
    }
    let mut out = Vec::new();
    layer.finish(&mut out);
    out
}

fn one(layer: &mut Layer, geometry: &mut Geometry, at: Point, case: &MapCase) {
    let id = case.id.to_string();
    geometry.point(at);
    let properties = [
        ("id", Value::Own(&id)),
        ("number", Value::Own(&case.number)),
        ("title", Value::Own(&case.title)),
        ("state", Value::Text(case.state.key())),
        ("category", Value::Text(case.category.as_deref().unwrap_or_default())),
        ("urgent", Value::Flag(case.urgent)),
        ("late", Value::Flag(case.late)),
    ];
    layer.add(Kind::Point, geometry, &properties);
}

fn together(layer: &mut Layer, geometry: &mut Geometry, many: &[(Point, &MapCase)], more: bool) {
    let middle = |axis: usize| many.iter().map(|(at, _)| at[axis]).sum::<i32>() / many.len() as i32;
    let count = |of: fn(&MapCase) -> bool| Value::Whole(many.iter().filter(|(_, case)| of(case)).count() as u64);
    geometry.point([middle(0), middle(1)]);
    let properties = [
        ("count", Value::Whole(many.len() as u64)),
        ("late_count", count(|case| case.late)),
        ("urgent_count", count(|case| case.urgent)),
        ("more", Value::Flag(more)),
    ];
    layer.add(Kind::Point, geometry, &properties);
}
