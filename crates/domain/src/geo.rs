//! Positions on the ground: datums, distance, and whether a point lies in an area.
//!
//! Everything stored is WGS-84 (CGCS2000 differs by less than a decimetre and counts as the same). GCJ-02, which most Chinese maps
//! use, is converted once, at the edge that declares it. Degrees, longitude first. Entry points: [`Datum::to_wgs84`], [`Region`].

use std::f64::consts::PI;

/// Longitude and latitude in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LonLat {
    pub lon: f64,
    pub lat: f64,
}

/// The datum a position was given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// WGS-84, and CGCS2000 (EPSG:4490), which is equal for our use.
    Wgs84,
    /// 火星坐标: offset by 480 to 610 m at the places this product was made for.
    Gcj02,
}

/// A position that cannot be on this planet, or a datum nobody declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPosition {
    #[error("longitude must be -180 to 180 and latitude -90 to 90 degrees")]
    OutOfRange,
}

impl Datum {
    /// `wgs84`, `cgcs2000`, `gcj02`, in any case and with or without a hyphen.
    pub fn parse(text: &str) -> Option<Datum> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "wgs84" | "cgcs2000" | "epsg:4490" | "epsg:4326" => Some(Datum::Wgs84),
            "gcj02" => Some(Datum::Gcj02),
            _ => None,
        }
    }

    /// The stored form of a position given in this datum.
    pub fn to_wgs84(self, at: LonLat) -> LonLat {
        match self {
            Datum::Wgs84 => at,
            Datum::Gcj02 => gcj02_to_wgs84(at),
        }
    }
}

impl LonLat {
    pub fn new(lon: f64, lat: f64) -> Result<LonLat, BadPosition> {
        let fits = lon.is_finite() && lat.is_finite() && lon.abs() <= 180.0 && lat.abs() <= 90.0;
        if fits {
            Ok(LonLat { lon, lat })
        } else {
            Err(BadPosition::OutOfRange)
        }
    }

    /// The square of a grid that never moves: a 400th of a degree wide (about 250 m), counted from 180 degrees west and the south pole.
    pub fn cell(self) -> (i64, i64) {
        let count = |degrees: f64| (degrees * CELLS).floor() as i64;
        (count(self.lon + 180.0), count(self.lat + 90.0))
    }

    /// The middle of a square of [`LonLat::cell`], or of the square `wide` of them wide that it is the corner of.
    pub fn middle_of_cell((x, y): (i64, i64), wide: i64) -> LonLat {
        let middle = |n: i64| (n as f64 + wide as f64 / 2.0) / CELLS;
        LonLat {
            lon: middle(x) - 180.0,
            lat: middle(y) - 90.0,
        }
    }

    /// Metres along the great circle, on a sphere of 6,371,008.8 m (0.5 % off at most).
    pub fn metres_to(self, other: LonLat) -> f64 {
        let (a, b) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = ((b - a) / 2.0).sin();
        let half_lon = ((other.lon - self.lon).to_radians() / 2.0).sin();
        let h = half_lat * half_lat + a.cos() * b.cos() * half_lon * half_lon;
        2.0 * 6_371_008.8 * h.sqrt().min(1.0).asin()
    }
}

/// Squares of the fixed grid in a degree.
const CELLS: f64 = 400.0;

/// Outside this box the offset is not applied.
fn outside_china(at: LonLat) -> bool {
    !(72.004..=137.8347).contains(&at.lon) || !(0.8293..=55.8271).contains(&at.lat)
}

/// The published GCJ-02 offset, on the Krasovsky 1940 ellipsoid.
pub fn wgs84_to_gcj02(at: LonLat) -> LonLat {
    if outside_china(at) {
        return at;
    }
    let (dlon, dlat) = offset(at);
    LonLat {
        lon: at.lon + dlon,
        lat: at.lat + dlat,
    }
}

/// Inverse of [`wgs84_to_gcj02`] by fixed-point iteration, to less than a millimetre where the offset is smooth.
pub fn gcj02_to_wgs84(at: LonLat) -> LonLat {
    if outside_china(at) {
        return at;
    }
    let mut guess = at;
    for _ in 0..MAX_ROUNDS {
        let shown = wgs84_to_gcj02(guess);
        let (dlon, dlat) = (at.lon - shown.lon, at.lat - shown.lat);
        guess = LonLat {
            lon: guess.lon + dlon,
            lat: guess.lat + dlat,
        };
        if dlon.abs() < 1e-9 && dlat.abs() < 1e-9 {
            break;
        }
    }
    guess
}

/// The iteration gains about two digits a round; ten reach a double's precision.
const MAX_ROUNDS: usize = 10;

fn offset(at: LonLat) -> (f64, f64) {
    const A: f64 = 6_378_245.0;
    const EE: f64 = 0.006_693_421_622_965_943;
    let (x, y) = (at.lon - 105.0, at.lat - 35.0);
    let waves = |a: f64, u: f64, b: f64, v: f64| (a * (u * PI).sin() + b * (v * PI).sin()) * 2.0 / 3.0;
    let both = waves(20.0, 6.0 * x, 20.0, 2.0 * x);
    let dlat = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + both
        + waves(20.0, y, 40.0, y / 3.0)
        + waves(160.0, y / 12.0, 320.0, y / 30.0);
    let dlon = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + both
        + waves(20.0, x, 40.0, x / 3.0)
        + waves(150.0, x / 12.0, 300.0, x / 30.0);
    let lat = at.lat.to_radians();
    let magic = 1.0 - EE * lat.sin() * lat.sin();
    let root = magic.sqrt();
    let dlat = dlat * 180.0 / (A * (1.0 - EE) / (magic * root) * PI);
    let dlon = dlon * 180.0 / (A / root * lat.cos() * PI);
    (dlon, dlat)
}

/// Where a point lies relative to a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Outside,
    Boundary,
    Inside,
}

/// An area's ground: polygons, each an outer ring and holes, in WGS-84. Rings are stored closed (first point repeated last).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Region {
    pub polygons: Vec<Vec<Vec<LonLat>>>,
}

/// A point this near to an edge, in degrees, is on it: about a millimetre, under the sixth decimal that boundaries are given in.
const ON_EDGE: f64 = 1e-8;

impl Region {
    /// West, south, east, north; `None` for no points.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let mut points = self.points();
        let first = points.next()?;
        Some(
            points.fold([first.lon, first.lat, first.lon, first.lat], |[w, s, e, n], p| {
                [w.min(p.lon), s.min(p.lat), e.max(p.lon), n.max(p.lat)]
            }),
        )
    }

    pub fn points(&self) -> impl Iterator<Item = &LonLat> {
        self.polygons.iter().flatten().flatten()
    }

    /// Even-odd over all rings; a point on any ring, a hole's too, is on the boundary.
    pub fn side(&self, at: LonLat) -> Side {
        let mut inside = false;
        for polygon in &self.polygons {
            let mut in_polygon = false;
            for ring in polygon {
                for edge in ring.windows(2) {
                    if on_segment(at, edge[0], edge[1]) {
                        return Side::Boundary;
                    }
                    if crosses(at, edge[0], edge[1]) {
                        in_polygon = !in_polygon;
                    }
                }
            }
            inside |= in_polygon;
        }
        if inside { Side::Inside } else { Side::Outside }
    }

    /// Whether some of it lies in a box (west, south, east, north), its border included.
    pub fn meets(&self, bbox: [f64; 4]) -> bool {
        let [w, s, _, _] = bbox;
        let mut edges = self.polygons.iter().flatten().flat_map(|ring| ring.windows(2));
        edges.any(|edge| enters(edge[0], edge[1], bbox)) || self.side(LonLat { lon: w, lat: s }) != Side::Outside
    }

    /// Metres from the point to the nearest edge; infinite for an empty region. Local plane, good to a part in a thousand over a few km.
    pub fn metres_to_edge(&self, at: LonLat) -> f64 {
        let edges = self.polygons.iter().flatten().flat_map(|ring| ring.windows(2));
        edges
            .map(|edge| metres_to_segment(at, edge[0], edge[1]))
            .fold(f64::INFINITY, f64::min)
    }

    /// A point to stand for the region: the centroid of its largest ring where that lies inside, else the middle of the widest stretch
    /// inside on the line from west to east through it.
    pub fn center(&self) -> Option<LonLat> {
        let middle = self.centroid()?;
        if self.side(middle) != Side::Outside {
            return Some(middle);
        }
        let mut crossings: Vec<f64> = self
            .polygons
            .iter()
            .flatten()
            .flat_map(|ring| ring.windows(2))
            .filter(|edge| (edge[0].lat > middle.lat) != (edge[1].lat > middle.lat))
            .map(|edge| {
                edge[0].lon + (edge[1].lon - edge[0].lon) * (middle.lat - edge[0].lat) / (edge[1].lat - edge[0].lat)
            })
            .collect();
        crossings.sort_by(f64::total_cmp);
        let widest = crossings
            .chunks_exact(2)
            .max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))?;
        Some(LonLat {
            lon: (widest[0] + widest[1]) / 2.0,
            lat: middle.lat,
        })
    }

    /// Of the largest polygon's outer ring; the mean of its points for a ring without area.
    fn centroid(&self) -> Option<LonLat> {
        let ring = self
            .polygons
            .iter()
            .filter_map(|polygon| polygon.first())
            .max_by(|a, b| signed_area(a).abs().total_cmp(&signed_area(b).abs()))?;
        let area = signed_area(ring);
        if area.abs() < 1e-14 {
            let n = ring.len().max(1) as f64;
            let sum = ring.iter().fold((0.0, 0.0), |(x, y), p| (x + p.lon, y + p.lat));
            return Some(LonLat {
                lon: sum.0 / n,
                lat: sum.1 / n,
            });
        }
        let origin = ring[0];
        let (mut x, mut y) = (0.0, 0.0);
        for edge in ring.windows(2) {
            let (ax, ay) = (edge[0].lon - origin.lon, edge[0].lat - origin.lat);
            let (bx, by) = (edge[1].lon - origin.lon, edge[1].lat - origin.lat);
            let cross = ax * by - bx * ay;
            x += (ax + bx) * cross;
            y += (ay + by) * cross;
        }
        Some(LonLat {
            lon: origin.lon + x / (6.0 * area),
            lat: origin.lat + y / (6.0 * area),
        })
    }

    /// The same ground in WGS-84, given in `datum`.
    pub fn converted(mut self, datum: Datum) -> Region {
        for point in self.polygons.iter_mut().flatten().flatten() {
            *point = datum.to_wgs84(*point);
        }
        self
    }
}

/// Square degrees, positive when the ring runs anticlockwise.
fn signed_area(ring: &[LonLat]) -> f64 {
    let Some(origin) = ring.first() else { return 0.0 };
    let cross = |edge: &[LonLat]| {
        (edge[0].lon - origin.lon) * (edge[1].lat - origin.lat)
            - (edge[1].lon - origin.lon) * (edge[0].lat - origin.lat)
    };
    ring.windows(2).map(cross).sum::<f64>() / 2.0
}

fn on_segment(p: LonLat, a: LonLat, b: LonLat) -> bool {
    let in_box = p.lon >= a.lon.min(b.lon) - ON_EDGE
        && p.lon <= a.lon.max(b.lon) + ON_EDGE
        && p.lat >= a.lat.min(b.lat) - ON_EDGE
        && p.lat <= a.lat.max(b.lat) + ON_EDGE;
    if !in_box {
        return false;
    }
    let (dx, dy) = (b.lon - a.lon, b.lat - a.lat);
    let length = dx.hypot(dy);
    if length == 0.0 {
        return (p.lon - a.lon).hypot(p.lat - a.lat) <= ON_EDGE;
    }
    ((p.lon - a.lon) * dy - (p.lat - a.lat) * dx).abs() / length <= ON_EDGE
}

/// Whether the edge crosses the ray from the point to the east; a vertex belongs to the edge above it.
fn crosses(p: LonLat, a: LonLat, b: LonLat) -> bool {
    (a.lat > p.lat) != (b.lat > p.lat) && p.lon < (b.lon - a.lon) * (p.lat - a.lat) / (b.lat - a.lat) + a.lon
}

/// Whether a segment has a point in a box: what is left of it after cutting at each side (Liang and Barsky).
fn enters(a: LonLat, b: LonLat, [w, s, e, n]: [f64; 4]) -> bool {
    let (dx, dy) = (b.lon - a.lon, b.lat - a.lat);
    let (mut from, mut to) = (0.0f64, 1.0f64);
    for (step, room) in [(-dx, a.lon - w), (dx, e - a.lon), (-dy, a.lat - s), (dy, n - a.lat)] {
        if step == 0.0 {
            if room < 0.0 {
                return false;
            }
        } else if step < 0.0 {
            from = from.max(room / step);
        } else {
            to = to.min(room / step);
        }
    }
    from <= to
}

fn metres_to_segment(p: LonLat, a: LonLat, b: LonLat) -> f64 {
    let per_lat = 111_195.0;
    let per_lon = per_lat * p.lat.to_radians().cos();
    let plane = |q: LonLat| ((q.lon - p.lon) * per_lon, (q.lat - p.lat) * per_lat);
    let ((ax, ay), (bx, by)) = (plane(a), plane(b));
    let (dx, dy) = (bx - ax, by - ay);
    let length2 = dx * dx + dy * dy;
    let t = if length2 == 0.0 {
        0.0
    } else {
        (-(ax * dx + ay * dy) / length2).clamp(0.0, 1.0)
    };
    (ax + t * dx).hypot(ay + t * dy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at(lon: f64, lat: f64) -> LonLat {
        LonLat { lon, lat }
    }

    fn square(w: f64, s: f64, side: f64) -> Vec<LonLat> {
        vec![
            at(w, s),
            at(w + side, s),
            at(w + side, s + side),
            at(w, s + side),
            at(w, s),
        ]
    }

    #[test]
    fn offsets_are_those_measured_at_the_six_places() {
        for (name, lon, lat, metres) in [
            ("定海", 122.1077, 30.0197, 490.0),
            ("宜昌", 111.2865, 30.6919, 606.0),
            ("泖港", 121.2289, 30.9466, 488.0),
            ("济宁", 116.587, 35.4147, 483.0),
            ("盘锦", 122.0708, 41.12, 516.0),
            ("香蜜湖", 114.038, 22.5465, 606.0),
        ] {
            let found = at(lon, lat).metres_to(wgs84_to_gcj02(at(lon, lat)));
            assert!((found - metres).abs() < 25.0, "{name}: {found} against {metres}");
        }
    }

    #[test]
    fn abroad_is_left_alone() {
        assert_eq!(gcj02_to_wgs84(at(-118.24, 34.05)), at(-118.24, 34.05));
    }

    #[test]
    fn inside_outside_boundary_and_holes() {
        let region = Region {
            polygons: vec![
                vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 1.0)],
                vec![square(10.0, 0.0, 1.0)],
            ],
        };
        assert_eq!(region.side(at(3.0, 3.0)), Side::Inside);
        assert_eq!(region.side(at(1.5, 1.5)), Side::Outside);
        assert_eq!(region.side(at(1.0, 1.5)), Side::Boundary);
        assert_eq!(region.side(at(4.0, 2.0)), Side::Boundary);
        assert_eq!(region.side(at(0.0, 0.0)), Side::Boundary);
        assert_eq!(region.side(at(10.5, 0.5)), Side::Inside);
        assert_eq!(region.side(at(5.0, 0.0)), Side::Outside);
        assert_eq!(region.bounds(), Some([0.0, 0.0, 11.0, 4.0]));
        let middle = region.center().unwrap();
        assert!((middle.lon - 2.0).abs() < 1e-9 && (middle.lat - 2.0).abs() < 1e-9);
        assert!((region.metres_to_edge(at(4.001, 2.0)) - 111.1).abs() < 0.5);
    }

    #[test]
    fn a_box_is_met_by_edges_by_lying_inside_and_by_lying_around() {
        let region = Region {
            polygons: vec![vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 1.0)]],
        };
        for (bbox, met) in [
            ([3.0, 3.0, 9.0, 9.0], true),
            ([2.5, 2.5, 3.0, 3.0], true),
            ([-1.0, -1.0, 9.0, 9.0], true),
            ([4.0, 4.0, 5.0, 5.0], true),
            ([-1.0, 2.2, 9.0, 2.4], true),
            ([1.2, 1.2, 1.8, 1.8], false),
            ([4.1, 0.0, 5.0, 4.0], false),
        ] {
            assert_eq!(region.meets(bbox), met, "{bbox:?}");
        }
    }

    #[test]
    fn the_centre_of_a_bent_region_lies_in_it() {
        let bent = vec![
            at(0.0, 0.0),
            at(4.0, 0.0),
            at(4.0, 4.0),
            at(3.5, 4.0),
            at(3.5, 0.5),
            at(0.0, 0.5),
            at(0.0, 0.0),
        ];
        let region = Region {
            polygons: vec![vec![bent]],
        };
        assert_eq!(region.side(region.centroid().unwrap()), Side::Outside);
        assert_eq!(region.side(region.center().unwrap()), Side::Inside);
    }

    #[test]
    fn impossible_positions_are_refused() {
        for (lon, lat) in [(181.0, 0.0), (0.0, 91.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(LonLat::new(lon, lat), Err(BadPosition::OutOfRange));
        }
        assert_eq!(Datum::parse("GCJ-02"), Some(Datum::Gcj02));
        assert_eq!(Datum::parse("CGCS2000"), Some(Datum::Wgs84));
        assert_eq!(Datum::parse("bd09"), None);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(lon in 74.0f64..135.0, lat in 18.0f64..53.0) {
            let back = gcj02_to_wgs84(wgs84_to_gcj02(at(lon, lat)));
            prop_assert!(at(lon, lat).metres_to(back) < 0.01);
        }
    }
}
