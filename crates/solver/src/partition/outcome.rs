//! What a plan is, and what is said about each zone of it.

/// A plan: of each unit its grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Numbered from 0, zone by zone; locked grids keep their number and the others stay clear of them.
    pub grid: Vec<u32>,
    /// Zones in the order of their first unit.
    pub zones: Vec<Zone>,
    /// Whether the caller's `stop` cut the work short: valid, but less good than it could be.
    pub stopped: bool,
}

/// One zone of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    pub first_unit: u32,
    pub units: usize,
    pub grids: usize,
    /// Grids outside the band.
    pub broken: Vec<u32>,
    pub verdict: Verdict,
}

/// Whether a zone's grids can all be in the band.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// They are.
    Held,
    /// They cannot be, and why; the plan has the least violation found.
    Impossible(Reason),
    /// They are not, and nothing is proved.
    Unproven,
}

/// Why no plan of a zone can be all in the band.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// No whole number of grids holds the zone's sum.
    Sum,
    /// These units alone are above the band. Every other grid is in it, or the reason would be `Unproven`.
    Units(Vec<u32>),
    /// Whoever is next to whom: the units cannot be divided into heaps that are all in the band.
    Packing,
    /// No division into connected grids is all in the band; all were tried.
    Contiguity,
}
