//! Coordinate systems of files: degrees of WGS-84 and CGCS2000, and metres of Gauss-Kruger (or another transverse Mercator) on them, by the
//! text a `.prj` or a GeoPackage describes them with (well-known text, OGC 01-009). Any other is refused by name.

use super::Feature;
use crate::platform::Fault;
use domain::gauss::Gauss;

/// Longest description, and things within things in it.
const MAX_TEXT: usize = 64 << 10;
const MAX_DEPTH: usize = 12;
/// A degree in radians, and how exactly units are told.
const DEGREE: f64 = std::f64::consts::PI / 180.0;
const LIKE: f64 = 1e-9;
/// What the names of the datums known have in them, without signs and in small letters.
const DATUMS: [&str; 6] = [
    "wgs1984",
    "wgs84",
    "china2000",
    "cgcs2000",
    "chinageodeticcoordinatesystem2000",
    "gcj02",
];

/// What the numbers of a file are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum System {
    /// Degrees, or not said: as they are.
    AsGiven,
    Plane(Gauss),
}

impl System {
    /// Degrees from here on; a place off the map is not a number.
    pub fn unproject(self, feature: &mut Feature) {
        let System::Plane(gauss) = self else { return };
        for at in feature.positions_mut() {
            *at = gauss
                .to_degrees(at[0], at[1])
                .map_or([f64::NAN; 2], |there| [there.lon, there.lat]);
        }
    }

    /// By the number of the EPSG list, where it is one of ours.
    pub fn of_epsg(number: i64) -> Option<System> {
        match number {
            // Flat, and with heights.
            4326 | 4490 | 4979 | 4480 => Some(System::AsGiven),
            _ => Gauss::of_epsg(number).map(System::Plane),
        }
    }

    /// By its description; `called`: what to say where the description has no name.
    pub fn of_text(text: &str, called: &str) -> Result<System, Fault> {
        let root = parse(text);
        let name = root.as_ref().and_then(Node::name).filter(|name| !name.is_empty());
        let unknown = || Fault::refused("map_system").with("found", name.unwrap_or(called));
        let root = root.as_ref().ok_or_else(unknown)?;
        let flat = root
            .child(&["PROJCS", "GEOGCS"])
            .filter(|_| root.is("COMPD_CS"))
            .unwrap_or(root);
        known(flat).ok_or_else(unknown)
    }
}

fn known(system: &Node) -> Option<System> {
    if system.is("GEOGCS") {
        return geographic(system).then_some(System::AsGiven);
    }
    let base = system.child(&["GEOGCS"]).filter(|_| system.is("PROJCS"))?;
    let way = plain(system.child(&["PROJECTION"])?.name()?);
    let metres = system.child(&["UNIT"])?.number()?;
    let number = |called: &str| {
        let mut all = system.children().filter(|node| node.is("PARAMETER"));
        all.find(|node| node.name().is_some_and(|name| plain(name) == called))?
            .number()
    };
    let kruger = way == "gausskruger" || way == "transversemercator";
    let from_equator = number("latitudeoforigin").unwrap_or(0.0).abs() < LIKE;
    if !(geographic(base) && kruger && from_equator && (metres - 1.0).abs() < LIKE) {
        return None;
    }
    Some(System::Plane(Gauss {
        middle_meridian: number("centralmeridian")?,
        false_easting: number("falseeasting").unwrap_or(0.0),
        false_northing: number("falsenorthing").unwrap_or(0.0),
        scale: number("scalefactor").unwrap_or(1.0),
    }))
}

/// Degrees from Greenwich on a datum of ours.
fn geographic(system: &Node) -> bool {
    let names = [system.name(), system.child(&["DATUM"]).and_then(Node::name)];
    let datum = names
        .into_iter()
        .flatten()
        .map(plain)
        .any(|name| DATUMS.iter().any(|datum| name.contains(datum)));
    let of = |keyword: &str| system.child(&[keyword]).and_then(Node::number);
    let degrees = of("UNIT").is_none_or(|unit| (unit - DEGREE).abs() < LIKE);
    datum && degrees && of("PRIMEM").is_none_or(|from| from.abs() < LIKE)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// `KEYWORD["name", 1.0, OTHER[..]]`.
#[derive(Debug)]
struct Node {
    keyword: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Number(f64),
    Node(Node),
}

impl Node {
    fn is(&self, keyword: &str) -> bool {
        self.keyword == keyword
    }

    fn name(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn number(&self) -> Option<f64> {
        self.parts.iter().find_map(|part| match part {
            Part::Number(number) => Some(*number),
            _ => None,
        })
    }

    fn children(&self) -> impl Iterator<Item = &Node> {
        self.parts.iter().filter_map(|part| match part {
            Part::Node(node) => Some(node),
            _ => None,
        })
    }

    fn child(&self, keywords: &[&str]) -> Option<&Node> {
        self.children().find(|node| keywords.contains(&node.keyword.as_str()))
    }
}

fn parse(text: &str) -> Option<Node> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut rest = text.trim_start_matches('\u{feff}');
    node(&mut rest, 0)
}

fn node(rest: &mut &str, depth: usize) -> Option<Node> {
    let end = rest.find(['[', '('])?;
    let keyword = rest[..end].trim().to_ascii_uppercase();
    let word = !keyword.is_empty() && keyword.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !word || depth > MAX_DEPTH {
        return None;
    }
    *rest = &rest[end + 1..];
    let mut parts = Vec::new();
    loop {
        *rest = rest.trim_start_matches([' ', ',', '\t', '\r', '\n']);
        if let Some(after) = rest.strip_prefix([']', ')']) {
            *rest = after;
            return Some(Node { keyword, parts });
        }
        if let Some(after) = rest.strip_prefix('"') {
            let end = after.find('"')?;
            parts.push(Part::Text(after[..end].to_owned()));
            *rest = &after[end + 1..];
            continue;
        }
        let end = rest.find(['[', '(', ',', ']', ')'])?;
        if rest[end..].starts_with(['[', '(']) {
            parts.push(Part::Node(node(rest, depth + 1)?));
            continue;
        }
        // A bare word says the way of an axis.
        if let Ok(number) = rest[..end].trim().parse() {
            parts.push(Part::Number(number));
        }
        *rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINA: &str = r#"GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;

    fn plane(base: &str, way: &str, unit: &str) -> String {
        format!(
            "PROJCS[\"CGCS2000_3_Degree_GK_Zone_40\",{base},PROJECTION[\"{way}\"],PARAMETER[\"False_Easting\",40500000.0],\
             PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",120.0],PARAMETER[\"Scale_Factor\",1.0],\
             PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[{unit}]]"
        )
    }

    #[test]
    fn ours_are_known_and_others_are_named() {
        let read = |text: &str| System::of_text(text, "?");
        assert_eq!(read(CHINA).ok(), Some(System::AsGiven));
        let wgs = CHINA
            .replace("GCS_China_Geodetic_Coordinate_System_2000", "WGS 84")
            .replace("China_2000", "WGS_1984");
        assert_eq!(read(&wgs).ok(), Some(System::AsGiven));
        let zone = read(&plane(CHINA, "Gauss_Kruger", "\"Meter\",1.0")).unwrap();
        assert_eq!(Some(zone), System::of_epsg(4528));
        let xian = CHINA
            .replace("China_Geodetic_Coordinate_System_2000", "Xian_1980")
            .replace("China_2000", "Xian_1980");
        for (text, name) in [
            (xian.clone(), "GCS_Xian_1980"),
            (
                plane(&xian, "Gauss_Kruger", "\"Meter\",1.0"),
                "CGCS2000_3_Degree_GK_Zone_40",
            ),
            (
                plane(CHINA, "Mercator_Auxiliary_Sphere", "\"Meter\",1.0"),
                "CGCS2000_3_Degree_GK_Zone_40",
            ),
            (
                plane(CHINA, "Gauss_Kruger", "\"Foot\",0.3048"),
                "CGCS2000_3_Degree_GK_Zone_40",
            ),
            (
                CHINA.replace("0.0174532925199433", "0.015707963267949"),
                "GCS_China_Geodetic_Coordinate_System_2000",
            ),
            ("LOCAL_CS[\"工地坐标\"]".to_owned(), "工地坐标"),
            ("[".repeat(60_000), "?"),
            ("A[".repeat(20_000), "?"),
            (String::new(), "?"),
        ] {
            let refused = read(&text).unwrap_err();
            let said = refused.view(crate::platform::Lang::Zh).message;
            assert!(refused.code() == "map_system" && said.contains(name), "{said}");
        }
    }
}
