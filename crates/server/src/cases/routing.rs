//! Which unit is responsible, at any level, in one step (YC-09); and which of its people has it now.
//!
//! The pack's rule decides; without an owner it is the area's own centre. Must not: change a case.

use super::place::{self, Spot};
use crate::platform::*;
use domain::cases::{Held, Person};
use domain::workforce::Ask;
use serde_json::{Value, json};

/// Duty of the posts that do the work of a unit; a centre's work is done by its dispatchers.
const WORKS: [&str; 2] = ["handle", "dispatch"];

/// A unit chosen, with the reason.
#[derive(Debug, Clone)]
pub struct Choice {
    pub held: Held,
    pub unit_name: String,
    pub worker_name: Option<String>,
    /// `rule`, `default` or `person`.
    pub why: &'static str,
}

impl Choice {
    /// What the event's sentence needs.
    pub fn event(&self) -> Value {
        json!({ "unit": self.unit_name, "worker": self.worker_name, "why": self.why, "automatic": true })
    }
}

/// The responsible unit and its person on duty; none only where the place has no centre at all.
pub fn choose(ctx: &Ctx, tx: &mut Tx, category: &str, spot: &Spot, urgent: bool) -> Result<Option<Choice>, Fault> {
    let Some((unit, by_default)) = place::route(ctx, tx, category, spot.area)? else {
        return Ok(None);
    };
    let why = if by_default { "default" } else { "rule" };
    named(ctx, tx, unit, Some(spot.area), urgent, why).map(Some)
}

/// A unit somebody named, with its person on duty.
pub fn named(
    ctx: &Ctx,
    tx: &mut Tx,
    unit: UnitId,
    area: Option<AreaId>,
    urgent: bool,
    why: &'static str,
) -> Result<Choice, Fault> {
    let info = place::unit(ctx, tx, unit)?.ok_or_else(|| Fault::invalid("unit_id", "unit_unknown"))?;
    let worker = worker_of(ctx, tx, unit, area, if urgent { Ask::Reach } else { Ask::Own })?;
    let name = match worker {
        Some(worker) => place::worker(tx, worker)?.map(|w| w.name),
        None => None,
    };
    let held = Held {
        unit: unit.into(),
        worker: worker.map(Into::into),
    };
    Ok(Choice {
        held,
        unit_name: info.name,
        worker_name: name,
        why,
    })
}

/// Who does a unit's work now.
pub fn worker_of(
    ctx: &Ctx,
    tx: &mut Tx,
    unit: UnitId,
    area: Option<AreaId>,
    ask: Ask,
) -> Result<Option<WorkerId>, Fault> {
    for duty in WORKS {
        if let Some(worker) = place::worker_of_unit(ctx, tx, unit, duty, area, ask)? {
            return Ok(Some(worker));
        }
    }
    Ok(None)
}

/// Who has a case that its finder solved there: the finder's own unit, else the area's centre.
pub fn on_the_spot(ctx: &Ctx, tx: &mut Tx, spot: Option<&Spot>, person: &Person) -> Result<Held, Fault> {
    if let Some(unit) = person.units.first() {
        return Ok(Held {
            unit: *unit,
            worker: person.worker,
        });
    }
    let spot = spot.ok_or_else(|| Fault::invalid("area_id", "area_missing"))?;
    let centre = place::centre_of(ctx, tx, spot.area)?;
    centre
        .map(|unit| Held {
            unit: unit.into(),
            worker: person.worker,
        })
        .ok_or_else(|| Fault::refused("no_unit_here"))
}

/// Depth of a unit's area, which counts as the level at which a case was resolved (1 at the top).
pub fn level_of(ctx: &Ctx, tx: &mut Tx, unit: Option<UnitId>) -> Result<Option<i64>, Fault> {
    match unit {
        Some(unit) => Ok(place::unit(ctx, tx, unit)?.and_then(|u| u.depth).map(i64::from)),
        None => Ok(None),
    }
}
