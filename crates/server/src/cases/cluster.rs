//! Points for the map: single cases when near, clusters when far.

use super::record::LineRow;
use domain::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// From this zoom on every case is a point of its own.
const SINGLE_FROM: f64 = 15.0;
/// Width of a cell in 1/256ths of the world at zoom 0: clusters about 60 pixels wide.
const CELL: f64 = 60.0;

/// GeoJSON of some cases. `truncated`: there are more in the box.
pub fn features(rows: &[LineRow], zoom: f64, now: Timestamp, truncated: bool) -> Value {
    let step = 360.0 / 256.0 * CELL / 2f64.powf(zoom.clamp(0.0, 22.0));
    let mut cells: BTreeMap<(i64, i64), Vec<&LineRow>> = BTreeMap::new();
    for (nth, row) in rows.iter().enumerate() {
        let (Some(lon), Some(lat)) = (row.lon, row.lat) else {
            continue;
        };
        let own = (i64::MAX, nth as i64);
        let key = if zoom >= SINGLE_FROM {
            own
        } else {
            ((lon / step).floor() as i64, (lat / step).floor() as i64)
        };
        cells.entry(key).or_default().push(row);
    }
    let features: Vec<Value> = cells
        .values()
        .map(|cell| {
            if let [one] = cell.as_slice() {
                point(one, now)
            } else {
                cluster(cell, now)
            }
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features, "truncated": truncated })
}

/// Whether it is open and past its deadline.
pub fn is_late(row: &LineRow, now: Timestamp) -> bool {
    row.is_open() && row.due_at.is_some_and(|due| due < now)
}

fn point(row: &LineRow, now: Timestamp) -> Value {
    json!({
        "type": "Feature",
        "geometry": { "type": "Point", "coordinates": [row.lon, row.lat] },
        "properties": {
            "id": row.id.to_string(), "number": row.number, "title": row.title, "state": row.state.key(),
            "category": row.category_code, "urgent": row.urgent, "late": is_late(row, now),
        },
    })
}

fn cluster(cell: &[&LineRow], now: Timestamp) -> Value {
    let count = cell.len() as f64;
    let mean = |of: fn(&LineRow) -> Option<f64>| cell.iter().filter_map(|row| of(row)).sum::<f64>() / count;
    let late = cell.iter().filter(|row| is_late(row, now)).count();
    let urgent = cell.iter().filter(|row| row.urgent).count();
    json!({
        "type": "Feature",
        "geometry": { "type": "Point", "coordinates": [mean(|r| r.lon), mean(|r| r.lat)] },
        "properties": { "cluster": true, "count": cell.len(), "late": late, "urgent": urgent },
    })
}
