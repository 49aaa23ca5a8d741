//! GeoPackage (OGC 12-128r18): a SQLite file with layers of features. Only the tables it needs are read, see [`db::Foreign`].

use super::system::System;
use super::{Feature, MAX_FEATURES, Room, Shape, Want, choose, number, too_large, wkb};
use crate::platform::Fault;
use db::{Foreign, ForeignError, Value};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Layers and coordinate systems listed in one file at most.
const MAX_LISTED: usize = 20_000;

fn broken(error: ForeignError) -> Fault {
    match error {
        ForeignError::TooMany(most) => too_large("features", most),
        other => Fault::refused("geopackage_unreadable").with("detail", other),
    }
}

/// A layer as the file lists it.
struct Layer {
    table: String,
    column: String,
    shape: Shape,
    system: i64,
}

/// The features of the layer that is meant.
pub fn read(bytes: &[u8], layer: Option<&str>, want: Want) -> Result<Vec<Feature>, Fault> {
    let file = Foreign::open(bytes).map_err(broken)?;
    let layers = layers(&file)?;
    if layers.is_empty() {
        return Err(Fault::refused("geopackage_unreadable").with("detail", "no layer of features"));
    }
    let named: Vec<_> = layers.iter().map(|layer| (layer.table.clone(), layer.shape)).collect();
    let layer = &layers[choose(&named, layer, want)?];
    let system = system(&file, layer.system)?;
    features(&file, layer, system)
}

/// Rows of a table as texts and numbers by column.
fn listed(file: &Foreign, table: &str, columns: &[&str]) -> Result<Vec<Vec<Value>>, Fault> {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let mut all = Vec::new();
    file.rows(table, &columns, MAX_LISTED, |row| all.push(row))
        .map_err(broken)?;
    Ok(all)
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// The layers of features, in the order of their names.
fn layers(file: &Foreign) -> Result<Vec<Layer>, Fault> {
    let contents = listed(file, "gpkg_contents", &["table_name", "data_type"])?;
    let kinds: HashMap<&str, &str> = contents.iter().map(|row| (text(&row[0]), text(&row[1]))).collect();
    let columns = ["table_name", "column_name", "geometry_type_name", "srs_id"];
    let mut all = Vec::new();
    for row in listed(file, "gpkg_geometry_columns", &columns)? {
        let table = text(&row[0]);
        // A view would run what its maker wrote.
        if kinds.get(table) != Some(&"features") || !file.tables().iter().any(|known| known == table) {
            continue;
        }
        let shape = match text(&row[2]).to_ascii_uppercase().as_str() {
            "POINT" | "MULTIPOINT" => Shape::Points,
            "LINESTRING" | "MULTILINESTRING" => Shape::Lines,
            "POLYGON" | "MULTIPOLYGON" => Shape::Areas,
            _ => Shape::Any,
        };
        all.push(Layer {
            table: table.to_owned(),
            column: text(&row[1]).to_owned(),
            shape,
            system: whole(&row[3]).unwrap_or(0),
        });
    }
    all.sort_by(|a, b| a.table.cmp(&b.table));
    all.dedup_by(|a, b| a.table == b.table);
    Ok(all)
}

/// The coordinate system of this number in the file's own list.
fn system(file: &Foreign, id: i64) -> Result<System, Fault> {
    /// Degrees of a datum not said.
    const SOME_DEGREES: i64 = 0;
    if id == SOME_DEGREES {
        return Ok(System::AsGiven);
    }
    let columns = [
        "srs_id",
        "srs_name",
        "organization",
        "organization_coordsys_id",
        "definition",
    ];
    let all = listed(file, "gpkg_spatial_ref_sys", &columns)?;
    let Some(row) = all.iter().find(|row| whole(&row[0]) == Some(id)) else {
        return Err(Fault::refused("map_system").with("found", format!("srs_id {id}")));
    };
    let epsg = text(&row[2]).eq_ignore_ascii_case("epsg");
    if let Some(known) = whole(&row[3]).filter(|_| epsg).and_then(System::of_epsg) {
        return Ok(known);
    }
    System::of_text(text(&row[4]), text(&row[1]))
}

fn features(file: &Foreign, layer: &Layer, system: System) -> Result<Vec<Feature>, Fault> {
    let mut columns = file.columns(&layer.table).map_err(broken)?;
    let Some(at) = columns.iter().position(|column| *column == layer.column) else {
        return Err(broken(ForeignError::Absent(layer.column.clone())));
    };
    // The shape first, the others as they are.
    columns[..=at].rotate_right(1);
    let (mut found, mut room, mut full) = (Vec::new(), Room::default(), Ok(()));
    let each = |row: Vec<Value>| {
        let mut row = row.into_iter();
        let shape = row.next();
        if full.is_err() {
            return;
        }
        let mut feature = Feature {
            row: found.len() + 1,
            properties: columns[1..]
                .iter()
                .cloned()
                .zip(row)
                .map(property)
                .collect::<Map<_, _>>(),
            ..Feature::default()
        };
        feature.id = feature
            .properties
            .get("fid")
            .and_then(Json::as_i64)
            .map(|id| id.to_string());
        if let Some(Value::Blob(cell)) = shape {
            match wkb::geopackage(&cell, &mut feature) {
                Some(positions) => full = room.take(positions),
                // Half a shape is none.
                None => (feature.points, feature.lines, feature.polygons) = Default::default(),
            }
        }
        system.unproject(&mut feature);
        found.push(feature);
    };
    file.rows(&layer.table, &columns, MAX_FEATURES, each).map_err(broken)?;
    full?;
    Ok(found)
}

fn property((name, value): (String, Value)) -> (String, Json) {
    let value = match value {
        Value::Int(number) => Json::from(number),
        Value::Real(real) => number(real),
        Value::Text(text) => Json::String(text),
        Value::Null | Value::Blob(_) => Json::Null,
    };
    (name, value)
}
