//! What the pack asks of a grid, and the work it counts for one.

use super::Source;

/// What a band counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    Households,
    People,
    Enterprises,
    /// The sum of land, people, households and enterprises by the pack's weights.
    Weighted,
}

impl Measure {
    /// Their order is the order of a plan's measures.
    pub const ALL: [Measure; 4] = [
        Measure::Households,
        Measure::People,
        Measure::Enterprises,
        Measure::Weighted,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Measure::Households => "households",
            Measure::People => "people",
            Measure::Enterprises => "enterprises",
            Measure::Weighted => "weighted",
        }
    }

    pub fn parse(key: &str) -> Option<Measure> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// Bands for one kind of place at most.
pub const MAX_GRID_BANDS: usize = 3;

/// How much a grid holds; of several bands for the same kind of place one must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct GridBand {
    /// In the country; otherwise in town.
    pub rural: bool,
    pub measure: Measure,
    pub lo: u32,
    pub hi: u32,
    pub source: Source,
}

/// The pack's rules of grids.
#[derive(Debug, Clone, PartialEq)]
pub struct GridRules {
    /// At least one for the town and one for the country.
    pub bands: Vec<GridBand>,
    /// Of [`Measure::Weighted`]: points for a hectare, a person, a household, an enterprise.
    pub per_hectare: f64,
    pub per_person: f64,
    pub per_household: f64,
    pub per_enterprise: f64,
    /// Expected minutes of work a month: of any grid (patrol, meetings), and for each household and enterprise (visits, checks, cases).
    pub minutes: u32,
    pub minutes_household: f64,
    pub minutes_enterprise: f64,
    /// Workers one grid needs.
    pub workers: u32,
    pub source: Source,
}

impl Default for GridRules {
    /// Where a pack says nothing: 200 to 500 households, one worker each.
    fn default() -> GridRules {
        let band = |rural| GridBand {
            rural,
            measure: Measure::Households,
            lo: 200,
            hi: 500,
            source: Source::Assumption,
        };
        GridRules {
            bands: vec![band(false), band(true)],
            per_hectare: 1.0,
            per_person: 1.0,
            per_household: 1.0,
            per_enterprise: 3.0,
            minutes: 1_200,
            minutes_household: 12.0,
            minutes_enterprise: 25.0,
            workers: 1,
            source: Source::Assumption,
        }
    }
}
