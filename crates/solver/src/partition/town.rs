//! What is given: units (dwellings or blocks), who is next to whom, and what the caller wants kept.

/// A unit of the town is its place in these lists; all lists are equally long. Metres, square metres.
#[derive(Clone, Copy, Debug, Default)]
pub struct Town<'a> {
    pub x: &'a [f64],
    pub y: &'a [f64],
    /// `measures[m][unit]`: households, people, enterprises or a [`weighted`] sum; counted to the thousandth.
    pub measures: &'a [&'a [f64]],
    /// Community or village: a hard border.
    pub region: &'a [u32],
    pub area: &'a [f64],
    pub edges: &'a [Edge],
}

/// Two units next to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    pub u: u32,
    pub v: u32,
    /// Shared border in metres.
    pub length: f32,
    /// How much the two belong together (same street, same compound); what a cut costs.
    pub weight: f32,
    /// A river or main road between them: not to be crossed.
    pub barrier: bool,
}

impl Town<'_> {
    /// Number of units.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Whether a grid may reach over this edge.
    pub fn open(&self, edge: &Edge) -> bool {
        !edge.barrier && self.region[edge.u as usize] == self.region[edge.v as usize]
    }
}

/// What the caller wants kept. Everything may be empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// Per unit: natural village or compound to keep whole, [`NONE`] for none. A group is kept whole as far as it hangs together
    /// inside its zone and fits the band; one above the band is cut.
    pub group: &'a [u32],
    /// Per unit: number of a locked grid, [`NONE`] for free. Locked grids come back as they are.
    pub locked: &'a [u32],
    /// Pairs that must be in one grid (ignored, and said by the checker, where no way leads from one to the other).
    pub join: &'a [(u32, u32)],
    /// Pairs that must not be in one grid.
    pub part: &'a [(u32, u32)],
}

/// No group, no grid.
pub const NONE: u32 = u32::MAX;

/// A measure made of several: land, people, households and enterprises, each with its weight.
pub fn weighted(parts: &[(&[f64], f64)]) -> Vec<f64> {
    let n = parts.first().map_or(0, |(values, _)| values.len());
    (0..n)
        .map(|i| parts.iter().map(|(values, weight)| values[i] * weight).sum())
        .collect()
}
