//! What a plan costs: the sum over its grids of distance outside the band, roundness, walking and unevenness, and over its borders of what they cut.
//!
//! All terms are made comparable by the zone's own scale (an average grid of it costs about 1 in each), so that the same knobs work for a
//! village of 200 units and for a city.

use super::band::{Fit, Limits};
use super::graph::{Graph, Mass};
use std::f64::consts::PI;

/// What matters besides the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Along streets and villages, round, and not too uneven.
    #[default]
    Mixed,
    /// Even workload first.
    Balanced,
    /// Round grids first.
    Compact,
    /// Along streets, compounds and villages first.
    LeastCut,
    /// Short ways first.
    LeastWalking,
}

/// Cost of one grid outside the band: above all else.
const MISS: f64 = 200.0;

/// Prices of one zone.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    pub limits: Limits,
    cut: f64,
    shape: f64,
    walk: f64,
    even: f64,
}

impl Price {
    pub fn new(graph: &Graph, limits: &Limits, goal: Goal) -> Price {
        let total = graph.total();
        let k = limits.grids(&total.loads).k as f64;
        let n = graph.len() as f64;
        let border = graph.weight() / n * (n / k).sqrt();
        let (walk, about) = total.walked();
        let step = (walk * about / k).sqrt() / k;
        let (cut, shape, walk, even) = match goal {
            Goal::Mixed => (1.0, 0.27, 0.08, 0.02),
            Goal::Balanced => (1.0, 0.5, 0.2, 1.0),
            Goal::Compact => (0.3, 1.5, 0.2, 0.02),
            Goal::LeastCut => (1.0, 0.1, 0.0, 0.0),
            Goal::LeastWalking => (0.3, 0.2, 1.5, 0.02),
        };
        Price {
            limits: limits.clone(),
            cut: cut / border.max(1e-9),
            shape,
            walk: if step > 0.0 { walk / step } else { 0.0 },
            even,
        }
    }

    /// Of a border between two grids.
    pub fn border(&self, cut: f64) -> f64 {
        self.cut * cut
    }

    /// Of pairs in one grid that must not be.
    pub fn together(&self, pairs: usize) -> f64 {
        MISS * pairs as f64
    }

    /// Of one grid.
    pub fn grid(&self, mass: &Mass) -> f64 {
        let miss = self.limits.miss(&mass.loads, mass.over);
        let even = if self.even > 0.0 {
            self.limits.uneven(&mass.loads).min(4.0)
        } else {
            0.0
        };
        MISS * miss + self.even * even + self.shape * compact(mass) + self.walk * walking(mass)
    }

    /// Of a cut in two halves, each of one grid or of several to be cut later: whether their sums can hold them with some room left, their shape,
    /// and the border, measured against what one between so many grids may cost. Lopsided cuts are a last resort: they make the work quadratic.
    pub fn halves(&self, border: f64, one: &Mass, other: &Mass) -> f64 {
        let (a, b) = (self.limits.grids(&one.loads), self.limits.grids(&other.loads));
        let few = a.k.min(b.k);
        let lopsided = if 5 * few < a.k + b.k && a.k + b.k > 5 {
            20.0
        } else {
            0.0
        };
        lopsided + border / (few as f64).sqrt() + self.half(a, one) + self.half(b, other)
    }

    fn half(&self, fit: Fit, mass: &Mass) -> f64 {
        if fit.k == 1 {
            return self.grid(mass);
        }
        let k = fit.k as f64;
        let tight = (fit.off.abs() - 0.5).max(0.0);
        MISS * fit.miss + k * tight * tight + self.shape * compact(mass) + self.walk * walking(mass) / (k * k.sqrt())
    }
}

/// Moment of inertia over that of a disc of equal area; 1 is round.
fn compact(mass: &Mass) -> f64 {
    2.0 * PI * mass.inertia() / (mass.area * mass.area)
}

/// Load times its root-mean-square way to the centre.
fn walking(mass: &Mass) -> f64 {
    let (walk, about) = mass.walked();
    (walk * about).sqrt()
}
