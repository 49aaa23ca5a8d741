//! Finding and changing hands: route, take, return, arbitrate, name a worker.

use super::{Of, optional, text};
use crate::cases::work::refused;
use crate::cases::{alerts, messages, place, routing, search};
use crate::platform::*;
use domain::cases::table::Action;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Route {
    /// Absent or `auto`: by the pack.
    #[serde(default)]
    unit_id: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

/// A dispatcher names the unit, or asks the pack to.
pub fn route(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Route = of.fields()?;
    let reason = optional("reason", input.reason.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Route)?;
    work.case.may_route(&work.case_rules()).map_err(refused)?;
    let choice = match input.unit_id.as_deref().filter(|unit| *unit != "auto") {
        Some(unit) => routing::named(
            ctx,
            tx,
            unit_id("unit_id", unit)?,
            work.row.area_id,
            work.row.urgent,
            "person",
        )?,
        None => {
            let area = work
                .row
                .area_id
                .ok_or_else(|| Fault::invalid("unit_id", "area_missing"))?;
            let spot = place::spot_of_area(ctx, area).ok_or_else(|| Fault::invalid("unit_id", "area_missing"))?;
            let category = work.row.category_code.clone().unwrap_or_default();
            let choice = routing::choose(ctx, tx, &category, &spot, work.row.urgent)?;
            choice.ok_or_else(|| Fault::refused("no_unit_here"))?
        }
    };
    work.case = work
        .case
        .clone()
        .route(choice.held, &work.case_rules())
        .map_err(refused)?;
    work.clock_anew = true;
    let body = json!({ "unit": choice.unit_name, "worker": choice.worker_name, "why": choice.why, "reason": reason, "automatic": false });
    work.save(ctx, tx, "case.assigned", body)?;
    search::touch(ctx, tx, of.case)?;
    if let Some(worker) = work.row.worker_id {
        alerts::new_case(ctx, tx, worker, &work.row)?;
    }
    messages::tell_all(ctx, tx, &work.before, &work.row, "assigned")
}

fn unit_id(field: &'static str, text: &str) -> Result<UnitId, Fault> {
    text.parse().map_err(|_| Fault::invalid(field, "unit_unknown"))
}

/// The unit accepts.
pub fn take(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let mut work = of.open(ctx, tx, Action::Take)?;
    let person = work.person(ctx, tx)?;
    work.case = work.case.clone().take(&person).map_err(refused)?;
    work.save(ctx, tx, "case.taken", json!({}))
}

#[derive(Deserialize)]
struct Return {
    #[serde(default)]
    reason_code: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    suggest_unit: Option<String>,
}

/// The unit gives it back: by name, with a reason, counted.
pub fn return_case(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Return = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let mut work = of.open(ctx, tx, Action::Return)?;
    let why = work
        .rules
        .pack
        .return_reason(&input.reason_code)
        .map(|coded| coded.name.zh.clone());
    let why = why.ok_or_else(|| Fault::invalid("reason_code", "return_reason_unknown"))?;
    let suggested = match input.suggest_unit.as_deref().filter(|unit| !unit.is_empty()) {
        Some(unit) => Some(unit_name(ctx, tx, "suggest_unit", unit_id("suggest_unit", unit)?)?),
        None => None,
    };
    let from = work
        .row
        .unit_id
        .map(|unit| unit_name(ctx, tx, "unit_id", unit))
        .transpose()?;
    let person = work.person(ctx, tx)?;
    work.case = work.case.clone().return_case(&person).map_err(refused)?;
    let count = work.case.counts.returned;
    let arbiter = work.case.needs_arbiter(&work.case_rules());
    let body = json!({
        "unit": from, "reason_code": input.reason_code, "why": why, "reason": reason, "suggested": suggested, "count": count,
        "arbiter": arbiter,
    });
    work.save(ctx, tx, "case.returned", body)?;
    search::touch(ctx, tx, of.case)
}

fn unit_name(ctx: &Ctx, tx: &mut Tx, field: &'static str, unit: UnitId) -> Result<String, Fault> {
    Ok(place::unit(ctx, tx, unit)?
        .ok_or_else(|| Fault::invalid(field, "unit_unknown"))?
        .name)
}

#[derive(Deserialize)]
struct Arbitrate {
    unit_id: String,
    #[serde(default)]
    reason: String,
}

/// An arbiter names the unit for good.
pub fn arbitrate(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Arbitrate = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let unit = unit_id("unit_id", &input.unit_id)?;
    let name = unit_name(ctx, tx, "unit_id", unit)?;
    let mut work = of.open(ctx, tx, Action::Arbitrate)?;
    work.case = work
        .case
        .clone()
        .arbitrate(unit.into(), &work.case_rules())
        .map_err(refused)?;
    work.save(ctx, tx, "case.arbitrated", json!({ "unit": name, "reason": reason }))?;
    search::touch(ctx, tx, of.case)?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "assigned")
}

#[derive(Deserialize)]
struct AssignWorker {
    worker_id: String,
}

/// Gives the case to a worker of the unit that has it.
pub fn assign_worker(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: AssignWorker = of.fields()?;
    let worker: WorkerId = input
        .worker_id
        .parse()
        .map_err(|_| Fault::invalid("worker_id", "worker_unknown"))?;
    let info = place::worker(tx, worker)?.ok_or_else(|| Fault::invalid("worker_id", "worker_unknown"))?;
    let mut work = of.open(ctx, tx, Action::AssignWorker)?;
    work.case = work.case.clone().assign_worker(worker.into()).map_err(refused)?;
    // Somebody of another unit would get work their unit does not have; that is what routing is for.
    let theirs = place::units_of_worker(ctx, tx, worker)?;
    if !work.row.unit_id.is_some_and(|unit| theirs.contains(&unit)) {
        return Err(Fault::invalid("worker_id", "worker_not_of_unit"));
    }
    work.save(ctx, tx, "case.worker_named", json!({ "worker": info.name }))?;
    alerts::new_case(ctx, tx, worker, &work.row)
}
