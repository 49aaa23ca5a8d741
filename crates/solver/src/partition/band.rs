//! The constraint of size: a grid's load must lie in the band, or in one of several bands on several measures.

use super::town::Town;

/// Bands one rule can offer.
pub const MAX_BANDS: usize = 3;

/// Loads per band, in thousandths.
pub(crate) type Loads = [i64; MAX_BANDS];

/// `lo..=hi` on one measure of the town.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub measure: usize,
    pub lo: f64,
    pub hi: f64,
}

/// What the pack asks of a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// By kind of place (town, country): the bands of which one must hold, at most [`MAX_BANDS`].
    pub kinds: Vec<Vec<Band>>,
    /// Per region: its kind of place. Empty: all are of kind 0.
    pub kind_of_region: Vec<u32>,
}

impl Rule {
    /// One band everywhere.
    pub fn one(measure: usize, lo: f64, hi: f64) -> Rule {
        Rule {
            kinds: vec![vec![Band { measure, lo, hi }]],
            kind_of_region: vec![],
        }
    }

    /// The bands that hold in a region.
    pub fn bands(&self, region: u32) -> &[Band] {
        let kind = self.kind_of_region.get(region as usize).copied().unwrap_or(0);
        &self.kinds[kind as usize]
    }
}

/// Thousandths, the unit of all sums: whole numbers have no rounding.
pub(crate) fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

/// The bands of one zone, ready for the inner loops.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub n: usize,
    pub measure: [usize; MAX_BANDS],
    pub lo: Loads,
    pub hi: Loads,
    mid: [f64; MAX_BANDS],
    /// One over the middle and over the half width: divisions are what the inner loops would wait for.
    per_mid: [f64; MAX_BANDS],
    per_half: [f64; MAX_BANDS],
}

/// A grid outside the band costs this much before its distance counts: few broken grids beat many slightly broken ones.
const BROKEN: f64 = 0.9;

impl Limits {
    pub fn new(bands: &[Band]) -> Limits {
        let mut limits = Limits {
            n: bands.len(),
            measure: [0; MAX_BANDS],
            lo: [0; MAX_BANDS],
            hi: [0; MAX_BANDS],
            mid: [1.0; MAX_BANDS],
            per_mid: [1.0; MAX_BANDS],
            per_half: [1.0; MAX_BANDS],
        };
        for (b, band) in bands.iter().enumerate() {
            limits.measure[b] = band.measure;
            limits.lo[b] = thousandths(band.lo);
            limits.hi[b] = thousandths(band.hi);
            limits.mid[b] = (limits.lo[b] + limits.hi[b]) as f64 / 2.0;
            limits.per_mid[b] = 1.0 / limits.mid[b];
            limits.per_half[b] = 1.0 / ((limits.hi[b] - limits.lo[b]) as f64 / 2.0).max(1.0);
        }
        limits
    }

    /// The loads of a unit, and whether it alone is above every band: it then counts as exactly one full grid.
    pub fn loads(&self, town: &Town, unit: usize) -> (Loads, bool) {
        let mut loads = [0; MAX_BANDS];
        for (load, &measure) in loads.iter_mut().zip(&self.measure[..self.n]) {
            *load = thousandths(town.measures[measure][unit]);
        }
        let over = (0..self.n).all(|b| loads[b] > self.hi[b]);
        (if over { self.hi } else { loads }, over)
    }

    /// How far a grid is outside the band, in grids; 0 inside. What is added to a unit above the band counts only by its distance: that grid is
    /// broken anyway.
    pub fn miss(&self, loads: &Loads, over: u32) -> f64 {
        let mut least = f64::INFINITY;
        for (b, &load) in loads.iter().enumerate().take(self.n) {
            let out = (self.lo[b] - load).max(load - self.hi[b]);
            if out <= 0 {
                return 0.0;
            }
            least = least.min(out as f64 * self.per_mid[b]);
        }
        if over == 1 { least } else { least + BROKEN }
    }

    /// How far a grid is from the middle of the band, in half widths, squared.
    pub fn uneven(&self, loads: &Loads) -> f64 {
        let mut least = f64::INFINITY;
        for (b, &load) in loads.iter().enumerate().take(self.n) {
            let off = (load as f64 - self.mid[b]) * self.per_half[b];
            least = least.min(off * off);
        }
        least
    }

    /// The number of grids that best fits a sum, how far each is then from the middle (in half widths), and how far the sum is from fitting
    /// (in grids; 0 if it fits).
    pub fn grids(&self, loads: &Loads) -> Fit {
        let mut best = Fit {
            k: 1,
            off: f64::INFINITY,
            miss: f64::INFINITY,
        };
        for (b, &sum) in loads.iter().enumerate().take(self.n) {
            let load = sum as f64;
            let low = ((load * self.per_mid[b]) as i64).max(1);
            for k in [low, low + 1] {
                let grids = k as f64;
                let off = (load / grids - self.mid[b]) * self.per_half[b];
                let miss = (k * self.lo[b] - sum).max(sum - k * self.hi[b]).max(0) as f64 * self.per_mid[b];
                if (miss, off.abs()) < (best.miss, best.off.abs()) {
                    best = Fit {
                        k: k as usize,
                        off,
                        miss,
                    };
                }
            }
        }
        best
    }

    /// Whether some whole number of grids can hold this sum.
    pub fn fits(&self, loads: &Loads) -> bool {
        (0..self.n).any(|b| {
            loads[b] >= self.lo[b] && (loads[b] + self.hi[b] - 1) / self.hi[b].max(1) <= loads[b] / self.lo[b].max(1)
        })
    }
}

/// See [`Limits::grids`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    pub k: usize,
    pub off: f64,
    pub miss: f64,
}
