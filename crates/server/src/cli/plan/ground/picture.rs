//! A picture of the graph: dwellings by region, neighbours, barriers.

use solver::ground::{Ground, Input, Kind, Polygon};
use std::fmt::Write as _;

/// Pixels of the longer side.
const SIZE: f64 = 1600.0;
const COLOURS: [&str; 8] = [
    "#4e79a7", "#59a14f", "#9c755f", "#edc948", "#b07aa1", "#76b7b2", "#f28e2b", "#bab0ac",
];

/// The graph as SVG: grey outlines, walkable neighbours (dark: one street or compound), red what a barrier parts, blue water, brown main roads.
pub fn svg(input: &Input, ground: &Ground) -> String {
    let [mut w, mut s, mut e, mut n] = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for unit in &ground.units {
        (w, e) = (w.min(unit.at[0]), e.max(unit.at[0]));
        (s, n) = (s.min(unit.at[1]), n.max(unit.at[1]));
    }
    let scale = SIZE / ((e - w).max(n - s) + 100.0).max(1.0);
    let at = |p: [f64; 2]| format!("{:.1},{:.1}", (p[0] - w + 50.0) * scale, (n + 50.0 - p[1]) * scale);
    let path = |rings: &Polygon, close: &str| {
        rings
            .iter()
            .filter(|ring| !ring.is_empty())
            .fold(String::new(), |path, ring| {
                let points: Vec<String> = ring.iter().map(|p| at(*p)).collect();
                format!("{path}M{}{close}", points.join("L"))
            })
    };
    let (wide, high) = ((e - w + 100.0) * scale, (n - s + 100.0) * scale);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" height=\"{high:.0}\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    );
    let mut draw = |style: &str, path: String| {
        if !path.is_empty() {
            let _ = writeln!(svg, "<path {style} d=\"{path}\"/>");
        }
    };
    for area in &input.communities {
        for rings in &area.polygons {
            draw("fill=\"none\" stroke=\"#888\" stroke-width=\"3\"", path(rings, "Z"));
        }
    }
    for barrier in &input.barriers {
        let colour = match barrier.kind {
            Kind::Water => "#6baed6",
            Kind::Road => "#b5651d",
            Kind::Border => "#444",
        };
        for rings in &barrier.polygons {
            draw(
                &format!("fill=\"{colour}\" fill-opacity=\"0.5\" fill-rule=\"evenodd\""),
                path(rings, "Z"),
            );
        }
        draw(
            &format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"3\""),
            path(&barrier.lines, ""),
        );
    }
    for unit in &ground.units {
        for rings in &input.dwellings[unit.dwelling].outline {
            draw("fill=\"#ddd\" fill-rule=\"evenodd\"", path(rings, "Z"));
        }
    }
    for edge in &ground.edges {
        let style = match (edge.barrier, edge.w > 1.0) {
            (true, _) => "stroke=\"#e15759\" stroke-width=\"0.6\" stroke-dasharray=\"3 3\"",
            (false, true) => "stroke=\"#222\" stroke-width=\"1.4\"",
            (false, false) => "stroke=\"#999\" stroke-width=\"0.7\"",
        };
        draw(
            style,
            format!("M{}L{}", at(ground.units[edge.u].at), at(ground.units[edge.v].at)),
        );
    }
    for unit in &ground.units {
        let place = at(unit.at);
        let (x, y) = place.split_once(',').unwrap_or_default();
        let colour = COLOURS[unit.region % COLOURS.len()];
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2.2\" fill=\"{colour}\"/>");
    }
    svg + "</svg>\n"
}
