//! From degrees to metres: the local plane of one town, and coordinates that were given the wrong way.

use crate::territory::features::Feature;
use domain::geo::{Datum, LonLat, wgs84_to_gcj02};

/// The ellipsoid of WGS-84.
const A: f64 = 6_378_137.0;
const E2: f64 = 0.006_694_379_990_14;
/// A position further than this from the middle of the others, in degrees, is a slip of the pen.
const FAR: f64 = 1.5;

/// What the numbers of a file are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame {
    /// Degrees; the plane touches at this place.
    Degrees { middle: LonLat },
    /// Metres on a plane already.
    Metres { middle: [f64; 2] },
}

/// Why a position was changed or not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// Latitude came first; turned round.
    Swapped,
    /// Nowhere near the others; left out.
    FarAway,
}

impl Frame {
    /// From the middle of all positions; and whether the whole file has latitude first.
    pub fn of(features: &[Feature]) -> Option<(Frame, bool)> {
        let middle = |axis: usize| {
            let all = features.iter().filter_map(Feature::first_position);
            let mut all: Vec<f64> = all.map(|at| at[axis]).filter(|value| value.is_finite()).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let (x, y) = (middle(0)?, middle(1)?);
        if x.abs() > 360.0 || y.abs() > 360.0 {
            return Some((Frame::Metres { middle: [x, y] }, false));
        }
        let in_china = |lon: f64, lat: f64| (73.0..136.0).contains(&lon) && (3.0..54.0).contains(&lat);
        let swapped = y.abs() > 90.0 || (in_china(y, x) && !in_china(x, y));
        let (lon, lat) = if swapped { (y, x) } else { (x, y) };
        let middle = LonLat::new(lon, lat).ok()?;
        Some((Frame::Degrees { middle }, swapped))
    }

    /// Puts a feature's positions into the plane. `swapped`: its file has latitude first.
    pub fn place(&self, feature: &mut Feature, datum: Datum, swapped: bool) -> Option<Slip> {
        let first = feature.first_position()?;
        let slip = self.slip(if swapped { [first[1], first[0]] } else { first });
        let turn = swapped != (slip == Some(Slip::Swapped));
        let mut strays = false;
        for at in feature.positions_mut() {
            if turn {
                at.swap(0, 1);
            }
            strays |= self.slip(*at).is_some();
            *at = self.to_plane(*at, datum);
        }
        if strays { Some(Slip::FarAway) } else { slip }
    }

    fn slip(&self, at: [f64; 2]) -> Option<Slip> {
        let Frame::Degrees { middle } = self else { return None };
        let near = |lon: f64, lat: f64| (lon - middle.lon).abs() <= FAR && (lat - middle.lat).abs() <= FAR;
        if !at[0].is_finite() || !at[1].is_finite() || near(at[0], at[1]) {
            return None;
        }
        Some(if near(at[1], at[0]) {
            Slip::Swapped
        } else {
            Slip::FarAway
        })
    }

    fn to_plane(self, at: [f64; 2], datum: Datum) -> [f64; 2] {
        match self {
            Frame::Metres { middle } => [at[0] - middle[0], at[1] - middle[1]],
            Frame::Degrees { middle } => {
                let Ok(given) = LonLat::new(at[0], at[1]) else {
                    return [f64::NAN; 2];
                };
                let true_place = datum.to_wgs84(given);
                let (east, north) = metres_per_degree(middle.lat);
                [
                    (true_place.lon - middle.lon) * east,
                    (true_place.lat - middle.lat) * north,
                ]
            }
        }
    }

    /// Back to WGS-84 degrees; of a plane of its own, its metres as they are.
    pub fn to_degrees(self, p: [f64; 2]) -> LonLat {
        match self {
            Frame::Metres { middle } => LonLat {
                lon: p[0] + middle[0],
                lat: p[1] + middle[1],
            },
            Frame::Degrees { middle } => {
                let (east, north) = metres_per_degree(middle.lat);
                LonLat {
                    lon: middle.lon + p[0] / east,
                    lat: middle.lat + p[1] / north,
                }
            }
        }
    }

    /// How much a length is off at most, in parts of a thousand, for ground that reaches this many metres north and south of the middle.
    pub fn error_per_mille(self, reach: f64) -> f64 {
        match self {
            Frame::Metres { .. } => 0.0,
            Frame::Degrees { middle } => reach / 6_371_000.0 * middle.lat.to_radians().tan().abs() * 1000.0,
        }
    }

    /// East and north metres by which the Chinese map datum is off here; none for a plane or abroad.
    pub fn map_offset(self) -> Option<[f64; 2]> {
        let Frame::Degrees { middle } = self else { return None };
        let shown = wgs84_to_gcj02(middle);
        let (east, north) = metres_per_degree(middle.lat);
        let offset = [(shown.lon - middle.lon) * east, (shown.lat - middle.lat) * north];
        (offset != [0.0, 0.0]).then_some(offset)
    }
}

fn metres_per_degree(lat: f64) -> (f64, f64) {
    let lat = lat.to_radians();
    let root = (1.0 - E2 * lat.sin() * lat.sin()).sqrt();
    let radian = std::f64::consts::PI / 180.0;
    (
        A / root * lat.cos() * radian,
        A * (1.0 - E2) / (root * root * root) * radian,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, y: f64) -> Feature {
        Feature {
            points: vec![[x, y]],
            ..Feature::default()
        }
    }

    #[test]
    fn degrees_become_metres_within_the_stated_error() {
        let all = [at(121.50, 31.20), at(121.51, 31.25), at(121.52, 31.30)];
        let (frame, swapped) = Frame::of(&all).unwrap();
        assert!(!swapped);
        let mut ends = all.clone();
        for one in &mut ends {
            assert_eq!(frame.place(one, Datum::Wgs84, false), None);
        }
        let [a, b] = [ends[0].points[0], ends[2].points[0]];
        let plane = (a[0] - b[0]).hypot(a[1] - b[1]);
        // By Vincenty's formula on the same ellipsoid.
        assert!((plane - 11_251.0).abs() < 11_251.0 * 0.001, "{plane}");
        assert!(frame.error_per_mille(5_550.0) < 0.6);
        let offset = frame.map_offset().unwrap();
        assert!((offset[0].hypot(offset[1]) - 488.0).abs() < 40.0);
    }

    #[test]
    fn latitude_first_is_turned_round_for_a_file_and_for_a_row() {
        let mut all = [
            at(31.20, 121.50),
            at(31.21, 121.51),
            at(31.22, 121.52),
            at(121.52, 31.22),
            at(2.0, 4.0),
        ];
        let (frame, swapped) = Frame::of(&all[..3]).unwrap();
        assert!(swapped);
        let slips: Vec<_> = all
            .iter_mut()
            .map(|one| frame.place(one, Datum::Wgs84, swapped))
            .collect();
        assert_eq!(slips, [None, None, None, Some(Slip::Swapped), Some(Slip::FarAway)]);
        assert_eq!(all[2].points, all[3].points);
    }

    #[test]
    fn a_plane_is_taken_as_it_is() {
        let (frame, _) = Frame::of(&[at(38_540_000.0, 3_450_000.0)]).unwrap();
        let mut one = at(38_540_010.0, 3_450_020.0);
        assert_eq!(frame.place(&mut one, Datum::Wgs84, false), None);
        assert_eq!(one.points, [[10.0, 20.0]]);
    }
}
