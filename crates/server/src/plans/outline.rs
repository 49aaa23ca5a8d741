//! The ground of a grid: the cells of its dwellings with their common borders dissolved.

use solver::ground::{nested, traced};

/// Ten-millionths of a degree: what cells are rounded to, so that neighbours have the very same corners.
const UNIT: f64 = 1e7;

/// A corner: whole units east and north.
type Corner = (i64, i64);

/// GeoJSON MultiPolygon of all cells (GeoJSON geometries as text). A dwelling outside the border of its community has none and adds nothing;
/// none where no cell is known.
pub fn dissolved<'c>(cells: impl Iterator<Item = Option<&'c str>>) -> Option<String> {
    let mut stretches: Vec<(Corner, Corner)> = Vec::new();
    let mut known = false;
    for cell in cells.flatten() {
        let cell: Cell = serde_json::from_str(cell).ok()?;
        known = true;
        for ring in cell.rings() {
            let corners: Vec<Corner> = ring
                .iter()
                .map(|at| ((at[0] * UNIT).round() as i64, (at[1] * UNIT).round() as i64))
                .collect();
            stretches.extend(
                corners
                    .windows(2)
                    .map(|pair| (pair[0], pair[1]))
                    .filter(|(from, to)| from != to),
            );
        }
    }
    if !known {
        return None;
    }
    let place = |(x, y): Corner| [x as f64, y as f64];
    let rings = traced(&stretches, place);
    let polygons = nested(rings.into_iter().map(|ring| ring.into_iter().map(place).collect()));
    let ring = |ring: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        ring.iter()
            .chain(ring.first())
            .map(|at| [at[0] / UNIT, at[1] / UNIT])
            .collect()
    };
    let coordinates: Vec<Vec<Vec<[f64; 2]>>> = polygons.iter().map(|rings| rings.iter().map(ring).collect()).collect();
    (!coordinates.is_empty())
        .then(|| serde_json::json!({ "type": "MultiPolygon", "coordinates": coordinates }).to_string())
}

#[derive(serde::Deserialize)]
#[serde(tag = "type")]
enum Cell {
    Polygon { coordinates: Vec<Vec<[f64; 2]>> },
    MultiPolygon { coordinates: Vec<Vec<Vec<[f64; 2]>>> },
}

impl Cell {
    fn rings(self) -> Vec<Vec<[f64; 2]>> {
        match self {
            Cell::Polygon { coordinates } => coordinates,
            Cell::MultiPolygon { coordinates } => coordinates.into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: i64, y: i64) -> String {
        let at = |x: i64, y: i64| [x as f64 / UNIT, y as f64 / UNIT];
        let ring = [at(x, y), at(x + 10, y), at(x + 10, y + 10), at(x, y + 10), at(x, y)];
        serde_json::json!({ "type": "Polygon", "coordinates": [ring] }).to_string()
    }

    #[test]
    fn squares_around_a_yard_make_one_ring_with_a_hole() {
        let around = [(0, 0), (10, 0), (20, 0), (0, 10), (20, 10), (0, 20), (10, 20), (20, 20)];
        let cells: Vec<String> = around.iter().map(|(x, y)| square(*x, *y)).collect();
        let all = dissolved(cells.iter().map(|cell| Some(cell.as_str()))).expect("an outline");
        let Cell::MultiPolygon { coordinates } = serde_json::from_str(&all).expect("GeoJSON") else {
            panic!("polygons")
        };
        assert_eq!(coordinates.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
        let with_one_outside = dissolved([Some(cells[0].as_str()), None].into_iter());
        assert_eq!(with_one_outside, dissolved([Some(cells[0].as_str())].into_iter()));
        assert!(with_one_outside.is_some() && dissolved([None].into_iter()).is_none());
        assert!(dissolved(std::iter::empty()).is_none());
    }
}
