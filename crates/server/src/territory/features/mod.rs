//! Features of maps: GeoJSON, GeoPackage, Shapefile (alone with its files beside it, or in a zip), and lists of positions in CSV.
//!
//! Entry point: [`read`], the same [`Feature`]s from each of them. A row that cannot be read does not spoil the others; a file that is damaged,
//! too large or in a coordinate system not known is refused whole, by name. Positions come out in degrees as the file has them: which datum
//! they are in is said by whoever gives the file, never guessed. Must not read a file or ask our database: it is given bytes, by anybody.

mod archive;
mod dbf;
mod geojson;
mod geopackage;
mod list;
mod shapefile;
mod system;
mod wkb;

use crate::platform::Fault;
use domain::geo::{LonLat, Region};
use serde_json::{Map, Value};

/// Features and positions of one file at most, where the file says their number in few bytes.
const MAX_FEATURES: usize = 2_000_000;
const MAX_POSITIONS: usize = 20_000_000;

/// One file of a map.
#[derive(Debug, Clone, Default)]
pub struct MapFile {
    /// What messages call it; its ending counts only where the bytes do not say what it is.
    pub name: String,
    pub bytes: Vec<u8>,
    /// Which of its layers, where it holds several.
    pub layer: Option<String>,
    /// Of a `.shp`: the files of the same name beside it, by their endings (`dbf`, `prj`, `cpg`).
    pub beside: Vec<(&'static str, Vec<u8>)>,
}

impl MapFile {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> MapFile {
        MapFile {
            name: name.into(),
            bytes: bytes.into(),
            ..MapFile::default()
        }
    }

    pub fn layer(self, layer: Option<String>) -> MapFile {
        MapFile { layer, ..self }
    }
}

/// Endings of the files that belong to a `.shp` and are read.
pub const BESIDE: [&str; 3] = ["dbf", "prj", "cpg"];

/// The shapes that are looked for in a file with several layers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Want {
    pub points: bool,
    pub lines: bool,
    pub areas: bool,
}

impl Want {
    pub const AREAS: Want = Want {
        points: false,
        lines: false,
        areas: true,
    };
    pub const LINES: Want = Want {
        points: false,
        lines: true,
        areas: false,
    };
    pub const LINES_OR_AREAS: Want = Want {
        lines: true,
        ..Want::AREAS
    };
    pub const POINTS_OR_AREAS: Want = Want {
        points: true,
        ..Want::AREAS
    };

    fn fits(self, shape: Shape) -> bool {
        match shape {
            Shape::Points => self.points,
            Shape::Lines => self.lines,
            Shape::Areas => self.areas,
            Shape::Any => true,
            Shape::None => false,
        }
    }
}

/// What a layer says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Points,
    Lines,
    Areas,
    Any,
    None,
}

/// One feature as the file has it: coordinates in its order and units, what is not a number as NaN.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feature {
    /// From 1: the nth feature of a GeoJSON, the nth line after the header of a CSV.
    pub row: usize,
    pub id: Option<String>,
    pub properties: Map<String, Value>,
    pub points: Vec<[f64; 2]>,
    pub lines: Vec<Vec<[f64; 2]>>,
    pub polygons: Vec<Vec<Vec<[f64; 2]>>>,
}

impl Feature {
    /// A property as text; empty where it is missing, null or something else.
    pub fn text(&self, name: &str) -> String {
        match self.properties.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(yes)) => yes.to_string(),
            _ => String::new(),
        }
    }

    /// The first of these properties that says something.
    pub fn first_text(&self, names: &[&str]) -> String {
        names
            .iter()
            .map(|name| self.text(name))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }

    /// `true`, `yes`, `1`, `T` and the like.
    pub fn says_yes(&self, names: &[&str]) -> bool {
        let text = self.first_text(names).to_lowercase();
        !matches!(text.as_str(), "" | "no" | "false" | "0" | "f")
    }

    /// Its areas as degrees; none where it has none.
    pub fn region(&self) -> Option<Region> {
        let at = |at: &[f64; 2]| LonLat { lon: at[0], lat: at[1] };
        let rings = |rings: &Vec<Vec<[f64; 2]>>| rings.iter().map(|ring| ring.iter().map(at).collect()).collect();
        let polygons: Vec<_> = self.polygons.iter().map(rings).collect();
        (!polygons.is_empty()).then_some(Region { polygons })
    }

    /// Every position, to change it.
    pub fn positions_mut(&mut self) -> impl Iterator<Item = &mut [f64; 2]> {
        let (points, lines) = (self.points.iter_mut(), self.lines.iter_mut().flatten());
        points.chain(lines).chain(self.polygons.iter_mut().flatten().flatten())
    }

    pub fn first_position(&self) -> Option<[f64; 2]> {
        let line = || self.lines.iter().flatten().next();
        let ring = || self.polygons.iter().flatten().flatten().next();
        self.points.first().or_else(line).or_else(ring).copied()
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    List,
    GeoJson,
    GeoPackage,
    Zip,
    Shapefile,
    Other,
}

fn format(file: &MapFile, bytes: &[u8]) -> Format {
    let name = file.name.to_ascii_lowercase();
    let ends = |all: &[&str]| all.iter().any(|end| name.ends_with(end));
    if bytes.starts_with(b"SQLite format 3\0") || ends(&[".gpkg"]) {
        Format::GeoPackage
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") || ends(&[".zip"]) {
        Format::Zip
    } else if bytes.starts_with(&[0, 0, 0x27, 0x0a]) || ends(&[".shp"]) {
        Format::Shapefile
    } else if ends(&[
        ".kml", ".kmz", ".dxf", ".dwg", ".mdb", ".gml", ".dbf", ".shx", ".rar", ".7z",
    ]) {
        Format::Other
    } else if ends(&[".csv"]) || (!ends(&["json"]) && list::looks_like_list(bytes)) {
        Format::List
    } else {
        Format::GeoJson
    }
}

/// As [`read`], away from the threads that answer others.
pub async fn open(file: MapFile, want: Want) -> Result<Vec<Feature>, Fault> {
    let read = tokio::task::spawn_blocking(move || read(&file, want)).await;
    read.map_err(Fault::internal)?
}

/// All features of a file; `want` chooses among several layers.
pub fn read(file: &MapFile, want: Want) -> Result<Vec<Feature>, Fault> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    match format(file, bytes) {
        Format::List => list::read(bytes),
        Format::GeoJson => geojson::read(bytes),
        Format::GeoPackage => geopackage::read(bytes, file.layer.as_deref(), want),
        Format::Zip => archive::read(bytes, file.layer.as_deref(), want),
        Format::Shapefile => {
            let part = |end: &str| file.beside.iter().find(|(ending, _)| *ending == end);
            shapefile::read(&shapefile::Parts {
                shp: bytes,
                dbf: part("dbf").map(|(_, bytes)| bytes.as_slice()),
                prj: part("prj").map(|(_, bytes)| bytes.as_slice()),
                cpg: part("cpg").map(|(_, bytes)| bytes.as_slice()),
            })
        }
        Format::Other => Err(Fault::refused("map_format")),
    }
}

/// Whether this is a GeoPackage, a zip or a shapefile: by its first bytes.
pub fn is_packed(bytes: &[u8]) -> bool {
    let file = MapFile::default();
    matches!(
        format(&file, bytes),
        Format::GeoPackage | Format::Zip | Format::Shapefile
    )
}

/// The layer that is meant: the one named, the only one, or the only one of a right shape.
fn choose(layers: &[(String, Shape)], named: Option<&str>, want: Want) -> Result<usize, Fault> {
    let names = || {
        let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
        names.join("、")
    };
    if let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) {
        let found = layers.iter().position(|(name, _)| name == named);
        let absent = || {
            Fault::refused("map_no_layer")
                .with("found", named)
                .with("layers", names())
        };
        return found.ok_or_else(absent);
    }
    if layers.len() == 1 {
        return Ok(0);
    }
    let mut fitting = layers.iter().enumerate().filter(|(_, (_, shape))| want.fits(*shape));
    match (fitting.next(), fitting.next()) {
        (Some((at, _)), None) => Ok(at),
        _ => Err(Fault::refused("map_layers").with("layers", names())),
    }
}

/// Counts what is read, so that a small file cannot become a large one.
#[derive(Default)]
struct Room {
    positions: usize,
}

impl Room {
    fn take(&mut self, positions: usize) -> Result<(), Fault> {
        self.positions += positions;
        if self.positions > MAX_POSITIONS {
            return Err(too_large("positions", MAX_POSITIONS));
        }
        Ok(())
    }
}

fn too_large(what: &str, most: usize) -> Fault {
    Fault::refused("map_too_large").with("most", format!("{most} {what}"))
}

/// A number of a table as JSON has it; whole ones without a point.
fn number(value: f64) -> Value {
    /// Whole numbers up to here are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Value::from(value as i64);
    }
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_meant_is_found_or_asked_for() {
        let layers = [
            ("房屋".to_owned(), Shape::Areas),
            ("道路".to_owned(), Shape::Lines),
            ("门牌".to_owned(), Shape::Points),
            ("说明".to_owned(), Shape::None),
        ];
        assert_eq!(choose(&layers, None, Want::LINES).ok(), Some(1));
        assert_eq!(choose(&layers, Some(" 门牌 "), Want::AREAS).ok(), Some(2));
        assert_eq!(choose(&layers[2..3], None, Want::AREAS).ok(), Some(0));
        for (named, want, code) in [
            (None, Want::POINTS_OR_AREAS, "map_layers"),
            (Some("水系"), Want::AREAS, "map_no_layer"),
        ] {
            let refused = choose(&layers, named, want).unwrap_err();
            assert_eq!(refused.code(), code);
            let said = refused.view(crate::platform::Lang::Zh).message;
            assert!(said.contains("房屋、道路、门牌、说明"), "{said}");
        }
    }

    #[test]
    fn the_bytes_say_what_a_file_is() {
        let of = |name: &str, bytes: &[u8]| format(&MapFile::new(name, bytes), bytes);
        assert_eq!(of("body", b"SQLite format 3\0.."), Format::GeoPackage);
        assert_eq!(of("a.gpkg", b"{}"), Format::GeoPackage);
        assert_eq!(of("body", b"PK\x03\x04"), Format::Zip);
        assert_eq!(of("body", &[0, 0, 0x27, 0x0a]), Format::Shapefile);
        assert_eq!(of("body", b" {\"type\":1}"), Format::GeoJson);
        assert_eq!(of("body", b"code,lon,lat\n"), Format::List);
        assert_eq!(of("a.kml", b"<kml>"), Format::Other);
        assert!(is_packed(b"PK\x03\x04") && !is_packed(b"code,name\n"));
    }
}
