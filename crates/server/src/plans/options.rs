//! How a plan is drawn: bands by kind of place, what is kept whole, what matters most. Where nothing is said, the pack's rules.

use crate::platform::{Ctx, Fault};
use crate::policy;
use domain::policy::{GridRules, MAX_GRID_BANDS, Measure};
use serde::{Deserialize, Serialize};
use solver::partition::{Band, Goal, MAX_BANDS, Rule};
use utoipa::ToSchema;

/// Largest bound of a band, largest weight.
const MOST: u32 = 1_000_000;
const MOST_WEIGHT: f64 = 10_000.0;
// Whatever a pack may ask for can be drawn.
const _: () = assert!(MAX_GRID_BANDS <= MAX_BANDS);

/// How a plan is drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Of several bands one must hold; in town, in the country. Empty: the pack's.
    pub urban: Vec<BandWish>,
    pub rural: Vec<BandWish>,
    /// Of the measure `weighted`; the pack's where not said.
    pub weights: Option<Weights>,
    pub keep_whole: KeepWhole,
    pub goal: GoalWish,
    /// Another seed gives another plan.
    pub seed: u32,
}

/// How much a grid holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BandWish {
    /// `households`, `people`, `enterprises` or `weighted`.
    pub measure: String,
    pub lo: u32,
    pub hi: u32,
}

/// Points of the measure `weighted`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    pub hectare: f64,
    pub person: f64,
    pub household: f64,
    pub enterprise: f64,
}

/// Groups that are not parted as long as they fit the band.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepWhole {
    /// Natural villages, and compounds where no village is said.
    #[default]
    Both,
    Village,
    Compound,
    None,
}

/// What matters most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoalWish {
    #[default]
    Mixed,
    Balanced,
    Compact,
    LeastCut,
    LeastWalking,
}

impl Options {
    /// With the pack's rules where nothing is said; refused where it cannot be.
    pub fn complete(mut self, ctx: &Ctx) -> Result<Options, Fault> {
        let pack = policy::current(&ctx.app)?;
        let rules = &pack.pack.grids;
        for (field, rural) in [("options.urban", false), ("options.rural", true)] {
            let bands = if rural { &mut self.rural } else { &mut self.urban };
            if bands.is_empty() {
                *bands = of_pack(rules, rural);
            }
            let sound = |band: &BandWish| {
                Measure::parse(&band.measure).is_some() && band.lo >= 1 && band.lo <= band.hi && band.hi <= MOST
            };
            if bands.len() > MAX_BANDS || !bands.iter().all(sound) {
                return Err(Fault::invalid(field, "plan_bad_band").with("most", MAX_BANDS));
            }
        }
        let weights = self.weights.get_or_insert(Weights {
            hectare: rules.per_hectare,
            person: rules.per_person,
            household: rules.per_household,
            enterprise: rules.per_enterprise,
        });
        let all = [weights.hectare, weights.person, weights.household, weights.enterprise];
        if !all.iter().all(|weight| (0.0..=MOST_WEIGHT).contains(weight)) {
            return Err(Fault::invalid("options.weights", "plan_bad_weight"));
        }
        Ok(self)
    }

    /// The bands of one community. The measures are those of [`Measure::ALL`].
    pub fn rule(&self, rural: bool) -> Rule {
        let wishes = if rural { &self.rural } else { &self.urban };
        let band = |wish: &BandWish| {
            let measure = Measure::parse(&wish.measure)?;
            Some(Band {
                measure: Measure::ALL.iter().position(|one| *one == measure)?,
                lo: f64::from(wish.lo),
                hi: f64::from(wish.hi),
            })
        };
        Rule {
            kinds: vec![wishes.iter().filter_map(band).collect()],
            kind_of_region: Vec::new(),
        }
    }

    pub fn goal(&self) -> Goal {
        match self.goal {
            GoalWish::Mixed => Goal::Mixed,
            GoalWish::Balanced => Goal::Balanced,
            GoalWish::Compact => Goal::Compact,
            GoalWish::LeastCut => Goal::LeastCut,
            GoalWish::LeastWalking => Goal::LeastWalking,
        }
    }
}

fn of_pack(rules: &GridRules, rural: bool) -> Vec<BandWish> {
    let here = rules.bands.iter().filter(|band| band.rural == rural);
    here.map(|band| BandWish {
        measure: band.measure.key().to_owned(),
        lo: band.lo,
        hi: band.hi,
    })
    .collect()
}
