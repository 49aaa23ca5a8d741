//! Gauss-Kruger and other transverse Mercator coordinates back to degrees, on the ellipsoid of CGCS2000 (that of WGS-84 differs by a tenth of
//! a millimetre). GB/T 17278 and the land surveys give Chinese town maps in 3-degree zones of it. Entry point: [`Gauss::to_degrees`].

use crate::geo::LonLat;

/// CGCS2000 (GB 22021): metres, and how flat.
const A: f64 = 6_378_137.0;
const F: f64 = 1.0 / 298.257_222_101;
/// Metres from the middle meridian and from the equator beyond which a place is on no such map.
const FAR_EAST: f64 = 1_500_000.0;
const FAR_NORTH: f64 = 10_000_000.0;

/// One projection: degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauss {
    pub middle_meridian: f64,
    pub false_easting: f64,
    pub false_northing: f64,
    pub scale: f64,
}

impl Gauss {
    /// CGCS2000 in 3-degree zones by its EPSG number: 4513 to 4533 with the zone (25 to 45) before the easting, 4534 to 4554 without.
    pub fn of_epsg(number: i64) -> Option<Gauss> {
        let (zone, prefix) = match number {
            4513..=4533 => (number - 4513 + 25, 1e6),
            4534..=4554 => (number - 4534 + 25, 0.0),
            _ => return None,
        };
        Some(Gauss {
            middle_meridian: 3.0 * zone as f64,
            false_easting: zone as f64 * prefix + 500_000.0,
            false_northing: 0.0,
            scale: 1.0,
        })
    }

    /// Kruger's series, to less than a millimetre within ten degrees of the middle. None: not on this map.
    pub fn to_degrees(&self, x: f64, y: f64) -> Option<LonLat> {
        let (east, north) = (x - self.false_easting, y - self.false_northing);
        if !(east.abs() <= FAR_EAST && north.abs() <= FAR_NORTH && self.scale > 0.0) {
            return None;
        }
        let n = F / (2.0 - F);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        let radius = A / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0) * self.scale;
        let (xi, eta) = (north / radius, east / radius);
        let beta = [
            n / 2.0 - n2 * 2.0 / 3.0 + n3 * 37.0 / 96.0 - n4 / 360.0,
            n2 / 48.0 + n3 / 15.0 - n4 * 437.0 / 1440.0,
            n3 * 17.0 / 480.0 - n4 * 37.0 / 840.0,
            n4 * 4397.0 / 161_280.0,
        ];
        let (mut xi1, mut eta1) = (xi, eta);
        for (k, b) in (1..).map(|k| 2.0 * f64::from(k)).zip(beta) {
            xi1 -= b * (k * xi).sin() * (k * eta).cosh();
            eta1 -= b * (k * xi).cos() * (k * eta).sinh();
        }
        let chi = (xi1.sin() / eta1.cosh()).asin();
        let delta = [
            2.0 * n - n2 * 2.0 / 3.0 - 2.0 * n3 + n4 * 116.0 / 45.0,
            n2 * 7.0 / 3.0 - n3 * 8.0 / 5.0 - n4 * 227.0 / 45.0,
            n3 * 56.0 / 15.0 - n4 * 136.0 / 35.0,
            n4 * 4279.0 / 630.0,
        ];
        let lat = (1..)
            .zip(delta)
            .fold(chi, |lat, (k, d)| lat + d * (2.0 * f64::from(k) * chi).sin());
        let lon = eta1.sinh().atan2(xi1.cos()).to_degrees() + self.middle_meridian;
        LonLat::new(lon, lat.to_degrees()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with PROJ: `echo 121.5 31.2 | gdaltransform -s_srs EPSG:4490 -t_srs EPSG:4528 -output_xy` and the like.
    const SAMPLES: [(i64, f64, f64, f64, f64); 4] = [
        (4528, 40_642_964.159_846_6, 3_454_118.132_165_65, 121.5, 31.2),
        (4513, 25_577_412.692_086, 4_374_400.865_221_14, 75.9, 39.5),
        (4541, 548_243.448_606_167, 3_320_218.650_410_27, 96.5, 30.0),
        (4554, 440_415.389_275_157, 5_329_856.352_456_37, 134.2, 48.1),
    ];

    #[test]
    fn as_proj_has_it() {
        for (epsg, x, y, lon, lat) in SAMPLES {
            let at = Gauss::of_epsg(epsg).unwrap().to_degrees(x, y).unwrap();
            let metres = at.metres_to(LonLat { lon, lat });
            assert!(metres < 0.002, "{epsg}: {at:?} is {metres} m off");
        }
        let zone = Gauss::of_epsg(4528).unwrap();
        assert_eq!((zone.middle_meridian, zone.false_easting), (120.0, 40_500_000.0));
        assert_eq!(Gauss::of_epsg(4549).unwrap().middle_meridian, 120.0);
        assert!(Gauss::of_epsg(4512).is_none() && Gauss::of_epsg(4555).is_none());
        assert!(zone.to_degrees(121.5, 31.2).is_none());
    }
}
