//! Several bodies on one case (LH-15), arriving where one must come (LH-08).

use super::{Of, moment, optional, text};
use crate::cases::record::CoHandlerRow;
use crate::cases::work::refused;
use crate::cases::{clocks, place, search, store};
use crate::platform::*;
use domain::cases::refusal::CoHandlerRefusal;
use domain::cases::table::Action;
use domain::cases::{Case, CoState, Person};
use domain::time::MINUTE_MS;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct AddCoHandler {
    #[serde(default)]
    id: Option<String>,
    unit_id: String,
    #[serde(default)]
    part: String,
    /// Until when, within the pack's own limit; that limit when absent.
    #[serde(default)]
    limit: Option<String>,
}

/// Asks another unit to do a part, under its own clock. By the unit that leads or by a dispatcher.
pub fn add_co_handler(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: AddCoHandler = of.fields()?;
    let part = text("part", &input.part)?;
    let until = moment("limit", input.limit.as_deref())?;
    let unit: UnitId = input
        .unit_id
        .parse()
        .map_err(|_| Fault::invalid("unit_id", "unit_unknown"))?;
    let info = place::unit(ctx, tx, unit)?.ok_or_else(|| Fault::invalid("unit_id", "unit_unknown"))?;
    let id: CoHandlerId = match &input.id {
        Some(id) => id.parse().map_err(|_| Fault::invalid("id", "invalid_id"))?,
        None => ctx.app.new_id(),
    };
    let mut work = of.open(ctx, tx, Action::AddCoHandler)?;
    work.case = work
        .case
        .clone()
        .add_co_handler(id.into(), unit.into())
        .map_err(refused)?;
    let clock = clocks::start_part(ctx, tx, &work.rules, &work.row, id.to_string(), until)?;
    let row = CoHandlerRow {
        id,
        unit_id: unit,
        unit_name: info.name.clone(),
        part: part.to_owned(),
        state: CoState::Open.key().to_owned(),
        due_at: clock.and_then(|c| c.due_at),
        result: None,
        done_by: None,
        created_at: ctx.now,
    };
    store::insert_co_handler(tx, of.case, &row)?;
    search::touch(ctx, tx, of.case)?;
    work.save(
        ctx,
        tx,
        "case.co_handler_added",
        json!({ "unit": info.name, "part": part }),
    )
}

#[derive(Deserialize)]
struct EndPart {
    co_handler_id: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    reason: String,
}

/// A co-handler reports its part done.
pub fn co_done(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: EndPart = of.fields()?;
    let result = text("result", &input.result)?.to_owned();
    end_part(ctx, tx, of, &input, &result, "case.co_done", Case::co_done)
}

/// A co-handler gives its part back.
pub fn co_return(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: EndPart = of.fields()?;
    let reason = text("reason", &input.reason)?.to_owned();
    end_part(ctx, tx, of, &input, &reason, "case.co_returned", Case::co_return)
}

type End = fn(Case, domain::ids::CoHandlerId, &Person) -> Result<Case, CoHandlerRefusal>;

fn end_part(
    ctx: &Ctx,
    tx: &mut Tx,
    of: &Of,
    input: &EndPart,
    words: &str,
    kind: &'static str,
    end: End,
) -> Result<(), Fault> {
    let id: CoHandlerId = input
        .co_handler_id
        .parse()
        .map_err(|_| Fault::invalid("co_handler_id", "co_handler_unknown"))?;
    let mut work = of.open(ctx, tx, Action::CoDone)?;
    let person = work.person(ctx, tx)?;
    work.case = end(work.case.clone(), id.into(), &person).map_err(refused)?;
    let part = work.case.co_handlers.iter().find(|c| c.id == id.into()).cloned();
    let part = part.ok_or_else(|| Fault::internal("the part just ended is gone"))?;
    store::update_co_handler(tx, &part, Some(words))?;
    if let Some(mut clock) = clocks::running(tx, of.case, &id.to_string())? {
        clocks::stop(ctx, tx, &work.rules, &mut clock)?;
    }
    let name = work
        .before
        .co_handlers
        .iter()
        .find(|c| c.id == id)
        .map(|c| c.unit_name.clone());
    work.save(ctx, tx, kind, json!({ "unit": name, "words": words }))
}

#[derive(Deserialize)]
struct Arrive {
    #[serde(default)]
    lon: Option<f64>,
    #[serde(default)]
    lat: Option<f64>,
    #[serde(default)]
    note: Option<String>,
}

/// Somebody arrived; the time it took is measured (LH-08). The position is not kept, only how far from the matter it was.
pub fn arrive(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Arrive = of.fields()?;
    let note = optional("note", input.note.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Arrive)?;
    work.case.must_be_open().map_err(refused)?;
    let minutes = (ctx.now.0 - work.row.received_at.0) / MINUTE_MS;
    let in_time = minutes <= i64::from(work.rules.pack.thresholds.arrival_minutes.value);
    let metres = match (input.lon.zip(input.lat), work.row.lon.zip(work.row.lat)) {
        (Some(here), Some(there)) => Some(place::metres_between(here, there).round()),
        _ => None,
    };
    work.row.arrived_at = work.row.arrived_at.or(Some(ctx.now));
    work.save(
        ctx,
        tx,
        "case.arrived",
        json!({ "minutes": minutes, "in_time": in_time, "metres": metres, "note": note }),
    )
}
