//! A city of right angles for measuring tiles: the demo's grids laid out as squares over 410 square kilometres, full of buildings.

use super::CliError;
use super::client::Client;
use crate::tiles::tile::project;
use domain::geo::LonLat;
use serde_json::{Value, json};

/// Where it begins (south-west), and how wide a grid is, in degrees.
const WEST: f64 = 122.8;
const SOUTH: f64 = 29.84;
const GRID: f64 = 0.02;
/// Grids from west to east and from south to north.
const COLUMNS: usize = 12;
const ROWS: usize = 8;
/// Buildings brought in at once.
const AT_ONCE: usize = 10_000;
const ZOOM: u32 = 14;

/// Builds it; the addresses of its tiles.
pub async fn build(session: &Client, shapes: usize) -> Result<Vec<String>, CliError> {
    let mut client = session.again().await?;
    let grids = client.get("/api/v1/areas?level=grid").await?;
    let grids = grids["items"].as_array().cloned().unwrap_or_default();
    let features: Vec<Value> = grids
        .iter()
        .take(COLUMNS * ROWS)
        .enumerate()
        .map(|(nth, grid)| {
            let (x, y) = ((nth % COLUMNS) as f64, (nth / COLUMNS) as f64);
            let ring = ring(WEST + x * GRID, SOUTH + y * GRID, GRID, GRID, false);
            json!({ "type": "Feature", "properties": { "code": grid["code"] }, "geometry": { "type": "Polygon", "coordinates": [ring] } })
        })
        .collect();
    let body = json!({ "type": "FeatureCollection", "features": features });
    refuse_problems(&client.post("/api/v1/areas/import?datum=wgs84", &body).await?)?;
    let numbers: Vec<usize> = (0..shapes).collect();
    for part in numbers.chunks(AT_ONCE) {
        let features: Vec<Value> = part.iter().map(|nth| building(*nth, shapes)).collect();
        let body = json!({ "type": "FeatureCollection", "features": features });
        refuse_problems(&client.post("/api/v1/facilities/import?datum=wgs84", &body).await?)?;
    }
    Ok(tiles())
}

fn refuse_problems(report: &Value) -> Result<(), CliError> {
    match report["problems"].get(0) {
        Some(problem) => Err(CliError(format!("the city of the bench: {problem}"))),
        None => Ok(()),
    }
}

/// Its buildings stand in rows; every third has a wing.
fn building(nth: usize, of: usize) -> Value {
    let (width, height) = (COLUMNS as f64 * GRID, ROWS as f64 * GRID);
    let across = ((of as f64 * width / height).sqrt().ceil() as usize).max(1);
    let down = of.div_ceil(across).max(1);
    let (dx, dy) = (width / across as f64, height / down as f64);
    let (x, y) = ((nth % across) as f64 + 0.2, (nth / across) as f64 + 0.2);
    let ring = ring(WEST + x * dx, SOUTH + y * dy, dx * 0.6, dy * 0.6, nth.is_multiple_of(3));
    json!({
        "type": "Feature",
        "properties": { "code": format!("B{nth}"), "name": format!("{}号楼", nth % 200 + 1), "kind": "建筑", "audience": "staff" },
        "geometry": { "type": "Polygon", "coordinates": [ring] },
    })
}

fn ring(west: f64, south: f64, width: f64, height: f64, wing: bool) -> Vec<[f64; 2]> {
    let at = |x: f64, y: f64| [west + x * width, south + y * height];
    let mut ring = vec![at(0.0, 0.0), at(1.0, 0.0)];
    if wing {
        ring.extend([at(1.0, 0.6), at(0.6, 0.6), at(0.6, 1.0)]);
    } else {
        ring.push(at(1.0, 1.0));
    }
    ring.extend([at(0.0, 1.0), at(0.0, 0.0)]);
    ring
}

fn tiles() -> Vec<String> {
    let at = |lon: f64, lat: f64| project(LonLat { lon, lat }).map(|n| n >> (30 - ZOOM));
    let (east, north) = (WEST + COLUMNS as f64 * GRID, SOUTH + ROWS as f64 * GRID);
    let ([left, top], [right, bottom]) = (at(WEST, north), at(east, SOUTH));
    // Tiles at the edge hold less: the inner ones are asked for.
    let columns = left + 1..right;
    columns
        .flat_map(|x| (top + 1..bottom).map(move |y| format!("/api/v1/tiles/facilities/{ZOOM}/{x}/{y}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_building_stands_in_the_city() {
        let inside = |at: &Value, axis: usize, from: f64, size: f64| {
            let n = at[axis].as_f64().unwrap_or_default();
            n >= from && n <= from + size
        };
        for nth in [0, 1, 99, 999] {
            let one = building(nth, 1_000);
            for at in one["geometry"]["coordinates"][0].as_array().into_iter().flatten() {
                assert!(
                    inside(at, 0, WEST, COLUMNS as f64 * GRID) && inside(at, 1, SOUTH, ROWS as f64 * GRID),
                    "{one}"
                );
            }
        }
        assert!(tiles().len() > 50);
    }
}
