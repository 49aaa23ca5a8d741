//! Parameters of a call: read strictly, because the standard wants an unknown one refused (400).

use crate::platform::Fault;
use axum::http::StatusCode;
use domain::time::Timestamp;

/// CRS84: longitude, then latitude.
pub const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
/// Reference systems offered. WGS-84 and CGCS2000 (EPSG:4490) are equal for our use; those of EPSG have latitude first.
pub const SYSTEMS: [&str; 3] = [
    CRS84,
    "http://www.opengis.net/def/crs/EPSG/0/4326",
    "http://www.opengis.net/def/crs/EPSG/0/4490",
];
/// Items of one page when nothing is said, and at most.
const LIMIT: u32 = 100;
pub const MOST: u32 = 1_000;

/// What stands after `?`.
#[derive(Debug, Clone)]
pub struct Params(Vec<(String, String)>);

/// A step of a path as it was meant.
pub fn decoded(step: &str) -> String {
    let pair = format!("x={}", step.replace('+', "%2B"));
    let found = form_urlencoded::parse(pair.as_bytes()).next();
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn bad(code: &'static str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, code)
}

/// The value of a parameter does not fit.
pub fn unfit(name: &str) -> Fault {
    bad("ogc_param_bad").with("name", name)
}

impl Params {
    /// Each name once.
    pub fn of(query: &str) -> Result<Params, Fault> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if all.iter().any(|(known, _)| *known == name) {
                return Err(bad("ogc_param_twice").with("name", name));
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        Ok(Params(all))
    }

    /// Refuses names that are not in the list, and another format than JSON.
    pub fn only(self, names: &[&str]) -> Result<Params, Fault> {
        if let Some((unknown, _)) = self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            return Err(bad("ogc_param_unknown").with("name", unknown.clone()));
        }
        match self.get("f") {
            None | Some("json" | "geojson") => Ok(self),
            Some(_) => Err(bad("ogc_bad_format")),
        }
    }

    /// The value; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// More than there may be is the most.
    pub fn limit(&self) -> Result<u32, Fault> {
        match self.get("limit") {
            None => Ok(LIMIT),
            Some(text) => match text.parse::<u64>() {
                Ok(n @ 1..) => Ok(u32::try_from(n).unwrap_or(MOST).min(MOST)),
                _ => Err(bad("ogc_bad_limit")),
            },
        }
    }

    /// The reference system named, [`CRS84`] when none is.
    pub fn crs(&self, name: &str) -> Result<&'static str, Fault> {
        match self.get(name) {
            None => Ok(CRS84),
            Some(text) => SYSTEMS
                .into_iter()
                .find(|known| *known == text)
                .ok_or_else(|| bad("ogc_bad_crs")),
        }
    }

    /// Boxes (west, south, east, north) in longitude and latitude: two where the one given crosses 180 degrees. None: everywhere.
    pub fn boxes(&self) -> Result<Vec<[f64; 4]>, Fault> {
        let crs = self.crs("bbox-crs")?;
        let Some(text) = self.get("bbox") else {
            return Ok(Vec::new());
        };
        let numbers: Option<Vec<f64>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        let numbers = numbers.filter(|all| all.iter().all(|n| n.is_finite()));
        let [a, b, c, d] = match numbers.as_deref() {
            Some([a, b, c, d] | [a, b, _, c, d, _]) => [*a, *b, *c, *d],
            _ => return Err(bad("ogc_bad_bbox")),
        };
        let [w, s, e, n] = if crs == CRS84 { [a, b, c, d] } else { [b, a, d, c] };
        let fits = |lon: f64| (-180.0..=180.0).contains(&lon);
        if s > n || !fits(w) || !fits(e) || s.abs() > 90.0 || n.abs() > 90.0 {
            return Err(bad("ogc_bad_bbox"));
        }
        Ok(if w <= e {
            vec![[w, s, e, n]]
        } else {
            vec![[w, s, 180.0, n], [-180.0, s, e, n]]
        })
    }

    /// From and to, both included. None: ever.
    pub fn datetime(&self) -> Result<Option<(Timestamp, Timestamp)>, Fault> {
        let Some(text) = self.get("datetime") else {
            return Ok(None);
        };
        // A plus sign that was not encoded arrives as a blank.
        let text = text.replace(' ', "+");
        let time = |text: &str, open: i64| match text {
            "" | ".." => Some(Timestamp(open)),
            text => Timestamp::parse(text).ok(),
        };
        let span = match text.split_once('/') {
            Some((from, to)) => time(from, i64::MIN).zip(time(to, i64::MAX)),
            None if text == ".." => None,
            None => time(&text, 0).map(|at| (at, at)),
        };
        let span = span.filter(|(from, to)| from <= to);
        span.map(Some).ok_or_else(|| bad("ogc_bad_datetime"))
    }

    /// The same question with another beginning, for the link to the next page.
    pub fn after(&self, after: &str) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.0.iter().filter(|(name, _)| name != "after") {
            out.append_pair(name, value);
        }
        out.append_pair("after", after).finish()
    }

    /// The same question, for the link to itself.
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn boxes(query: &str) -> Result<Vec<[f64; 4]>, Fault> {
        Params::of(query).and_then(|params| params.boxes())
    }

    #[test]
    fn boxes_follow_their_reference_system() {
        assert_eq!(boxes("bbox=1,2,3,4").unwrap(), [[1.0, 2.0, 3.0, 4.0]]);
        assert_eq!(boxes("bbox=1,2,0,3,4,9").unwrap(), [[1.0, 2.0, 3.0, 4.0]]);
        let lat_first = format!("bbox=2,1,4,3&bbox-crs={}", SYSTEMS[1]);
        assert_eq!(boxes(&lat_first).unwrap(), [[1.0, 2.0, 3.0, 4.0]]);
        assert_eq!(
            boxes("bbox=170,-1,-170,1").unwrap(),
            [[170.0, -1.0, 180.0, 1.0], [-180.0, -1.0, -170.0, 1.0]]
        );
        for wrong in ["1,2,3", "1,4,3,2", "a,b,c,d", "1,2,3,nan", "200,2,3,4"] {
            assert_eq!(
                boxes(&format!("bbox={wrong}")).unwrap_err().code(),
                "ogc_bad_bbox",
                "{wrong}"
            );
        }
    }

    #[test]
    fn times_are_instants_or_spans() {
        let span = |text: &str| Params::of(&format!("datetime={text}")).unwrap().datetime();
        let at = Timestamp::parse("2026-02-14T00:00:00Z").unwrap();
        assert_eq!(span("2026-02-14T00:00:00Z").unwrap(), Some((at, at)));
        assert_eq!(span("2026-02-14T08:00:00+08:00/..").unwrap().unwrap().0, at);
        assert_eq!(span("/2026-02-14T00:00:00Z").unwrap().unwrap().1, at);
        for wrong in ["..", "yesterday", "2026-02-15T00:00:00Z/2026-02-14T00:00:00Z"] {
            assert_eq!(span(wrong).unwrap_err().code(), "ogc_bad_datetime", "{wrong}");
        }
    }

    #[test]
    fn limits_and_names_are_strict() {
        let limit = |text: &str| Params::of(&format!("limit={text}")).unwrap().limit();
        assert_eq!((limit("1").unwrap(), limit("99999").unwrap()), (1, MOST));
        assert!(limit("0").is_err() && limit("-1").is_err() && limit("x").is_err());
        assert_eq!(Params::of("a=1&a=2").unwrap_err().code(), "ogc_param_twice");
        let unknown = Params::of("a=1").unwrap().only(&["f"]);
        assert_eq!(unknown.unwrap_err().code(), "ogc_param_unknown");
        assert_eq!(decoded("%E4%BA%95+1"), "井+1");
    }
}
