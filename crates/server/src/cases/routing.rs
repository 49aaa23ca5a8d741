//! Which unit is responsible, at any level, in one step (YC-09); and which of its people has it now.
//!
//! The pack's rule decides; without an owner it is the area's own centre. Must not: change a case.

use super::place::{self, Rules, Spot};
use crate::platform::*;
use domain::cases::{Held, Person};
use domain::policy::RouteWhy;
use domain::workforce::Ask;
use serde_json::{Value, json};

/// A unit chosen by the pack, with the reason.
#[derive(Debug, Clone)]
pub struct Choice {
    pub held: Held,
    pub unit_name: String,
    pub worker_name: Option<String>,
    /// `rule` or `default`.
    pub why: &'static str,
}

impl Choice {
    /// What the event's sentence needs.
    pub fn event(&self) -> Value {
        json!({ "unit": self.unit_name, "worker": self.worker_name, "why": self.why, "automatic": true })
    }
}

/// The responsible unit and its person on duty; none only where the place has no centre at all.
pub fn choose(ctx: &Ctx, tx: &mut Tx, rules: &Rules, category: &str, spot: &Spot, urgent: bool) -> Result<Option<Choice>, Fault> {
    let chain: Vec<domain::ids::AreaId> = spot.chain.iter().flatten().map(|a| (*a).into()).collect();
    let candidates = place::candidates(ctx, tx, spot)?;
    let Some(choice) = rules.pack.route(category, &chain, spot.kind.as_deref(), None, &candidates) else { return Ok(None) };
    let why = match choice.why {
        RouteWhy::Rule => "rule",
        RouteWhy::Default => "default",
    };
    named(ctx, tx, rules, choice.unit.into(), urgent, why).map(Some)
}

/// A unit somebody named, with its person on duty.
pub fn named(ctx: &Ctx, tx: &mut Tx, rules: &Rules, unit: UnitId, urgent: bool, why: &'static str) -> Result<Choice, Fault> {
    let info = place::unit(ctx, tx, unit)?.ok_or_else(|| Fault::invalid("unit_id", "unit_unknown"))?;
    let ask = if urgent { Ask::Reach } else { Ask::Own };
    let worker = place::worker_of_unit(ctx, tx, rules, unit, "handle", ask)?;
    let name = match worker {
        Some(worker) => place::worker(tx, worker)?.map(|w| w.name),
        None => None,
    };
    Ok(Choice {
        held: Held { unit: unit.into(), worker: worker.map(Into::into) },
        unit_name: info.name,
        worker_name: name,
        why,
    })
}

/// Who has a case that its finder solved there: the finder's own unit, else the area's centre.
pub fn on_the_spot(ctx: &Ctx, tx: &mut Tx, spot: Option<&Spot>, person: &Person) -> Result<Held, Fault> {
    if let Some(unit) = person.units.first() {
        return Ok(Held { unit: *unit, worker: person.worker });
    }
    let spot = spot.ok_or_else(|| Fault::invalid("area_id", "area_missing"))?;
    let chain: Vec<domain::ids::AreaId> = spot.chain.iter().flatten().map(|a| (*a).into()).collect();
    let candidates = place::candidates(ctx, tx, spot)?;
    let centre = domain::policy::nearest_upward(domain::policy::CENTRE_BODY, &chain, &candidates);
    centre.map(|unit| Held { unit, worker: person.worker }).ok_or_else(|| Fault::refused("no_unit_here"))
}

/// Depth of a unit's area, which counts as the level at which a case was resolved (1 at the top).
pub fn level_of(ctx: &Ctx, tx: &mut Tx, unit: Option<UnitId>) -> Result<Option<i64>, Fault> {
    match unit {
        Some(unit) => Ok(place::unit(ctx, tx, unit)?.and_then(|u| u.depth).map(i64::from)),
        None => Ok(None),
    }
}
