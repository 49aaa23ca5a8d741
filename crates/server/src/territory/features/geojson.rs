//! GeoJSON: feature by feature; a position that is none spoils its own feature only.

use super::Feature;
use crate::platform::Fault;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The features of a FeatureCollection.
pub fn read(bytes: &[u8]) -> Result<Vec<Feature>, Fault> {
    let collection: Collection =
        serde_json::from_slice(bytes).map_err(|error| Fault::refused("geojson_unreadable").with("detail", error))?;
    let features = collection.features.into_iter().zip(1..);
    Ok(features.map(|(raw, row)| raw.into_feature(row)).collect())
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
    #[serde(default)]
    geometry: Option<Shape>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Shape {
    Point {
        coordinates: At,
    },
    MultiPoint {
        coordinates: Vec<At>,
    },
    LineString {
        coordinates: Vec<At>,
    },
    MultiLineString {
        coordinates: Vec<Vec<At>>,
    },
    Polygon {
        coordinates: Vec<Vec<At>>,
    },
    MultiPolygon {
        coordinates: Vec<Vec<Vec<At>>>,
    },
    GeometryCollection {
        geometries: Vec<Shape>,
    },
    #[serde(other)]
    Unknown,
}

impl Raw {
    fn into_feature(self, row: usize) -> Feature {
        let mut feature = Feature {
            row,
            properties: self.properties.unwrap_or_default(),
            ..Feature::default()
        };
        feature.id = match self.id {
            Some(Value::String(id)) => Some(id),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        if let Some(shape) = self.geometry {
            shape.into_feature(&mut feature);
        }
        feature
    }
}

impl Shape {
    fn into_feature(self, feature: &mut Feature) {
        let line = |line: Vec<At>| line.into_iter().map(|at| at.0).collect::<Vec<_>>();
        let polygon = |rings: Vec<Vec<At>>| rings.into_iter().map(line).collect::<Vec<_>>();
        match self {
            Shape::Point { coordinates } => feature.points.push(coordinates.0),
            Shape::MultiPoint { coordinates } => feature.points.extend(line(coordinates)),
            Shape::LineString { coordinates } => feature.lines.push(line(coordinates)),
            Shape::MultiLineString { coordinates } => feature.lines.extend(coordinates.into_iter().map(line)),
            Shape::Polygon { coordinates } => feature.polygons.push(polygon(coordinates)),
            Shape::MultiPolygon { coordinates } => feature.polygons.extend(coordinates.into_iter().map(polygon)),
            Shape::GeometryCollection { geometries } => {
                geometries.into_iter().for_each(|one| one.into_feature(feature))
            }
            Shape::Unknown => {}
        }
    }
}

/// A position; heights are dropped, and what is not a number is NaN.
struct At([f64; 2]);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<At, D::Error> {
        from.deserialize_any(AtVisitor)
    }
}

struct AtVisitor;

impl<'de> Visitor<'de> for AtVisitor {
    type Value = At;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a position")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<At, A::Error> {
        let mut at = [f64::NAN; 2];
        for value in &mut at {
            match list.next_element::<Value>()? {
                Some(number) => *value = number.as_f64().unwrap_or(f64::NAN),
                None => return Ok(At(at)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(At(at))
    }

    fn visit_unit<E>(self) -> Result<At, E> {
        Ok(At([f64::NAN; 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_position_costs_its_row_only() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","id":7,"properties":null,"geometry":{"type":"Point","coordinates":[121.5,31.2,4.0]}},
            {"type":"Feature","properties":{"name":" 一号楼 ","levels":6},"geometry":{"type":"Point","coordinates":[null,"31"]}},
            {"type":"Feature","properties":{},"geometry":null},
            {"type":"Feature","properties":{},"geometry":{"type":"Curve","coordinates":[1]}}]}"#;
        let collection: Collection = serde_json::from_str(text).unwrap();
        let all: Vec<Feature> = collection
            .features
            .into_iter()
            .zip(1..)
            .map(|(raw, row)| raw.into_feature(row))
            .collect();
        assert_eq!((all[0].id.as_deref(), all[0].points[0]), (Some("7"), [121.5, 31.2]));
        assert!(all[1].points[0][0].is_nan() && all[1].points[0][1].is_nan());
        assert_eq!(
            (all[1].text("name"), all[1].text("levels")),
            ("一号楼".to_owned(), "6".to_owned())
        );
        assert!(all[2].first_position().is_none() && all[3].first_position().is_none());
    }
}
