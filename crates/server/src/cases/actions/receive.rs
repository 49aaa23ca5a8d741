//! Looking at what came in: accept, decline, classify.

use super::{Of, optional, text};
use crate::cases::work::{self, Work, refused};
use crate::cases::{alerts, messages, place, routing, search};
use crate::platform::*;
use domain::cases::table::Action;
use domain::cases::{Look, State};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Accept {
    #[serde(default)]
    note: Option<String>,
}

/// A person looked: the case is accepted and goes on to the responsible unit at once, where the place is known.
pub fn accept(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Accept = of.fields()?;
    let note = optional("note", input.note.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Accept)?;
    work.case = work.case.clone().accept().map_err(refused)?;
    work.save(ctx, tx, "case.accepted", json!({ "automatic": false, "note": note }))?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "accepted")?;
    route_onward(ctx, tx, work)
}

/// By the pack, to the unit responsible.
fn route_onward(ctx: &Ctx, tx: &mut Tx, done: Work) -> Result<(), Fault> {
    let Some(area) = done.row.area_id else { return Ok(()) };
    if done.case.needs_arbiter(&done.case_rules()) {
        return Ok(());
    }
    let Some(spot) = place::spot_of_area(ctx, area) else {
        return Ok(());
    };
    let category = done.row.category_code.clone().unwrap_or_default();
    let Some(choice) = routing::choose(ctx, tx, &category, &spot, done.row.urgent)? else {
        return Ok(());
    };
    let mut work = Work::open_own(ctx, tx, done.row.id)?;
    work.case = work
        .case
        .clone()
        .route(choice.held, &work.case_rules())
        .map_err(refused)?;
    work.save(ctx, tx, "case.assigned", choice.event())?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "assigned")
}

#[derive(Deserialize)]
struct Decline {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    where_to_go: String,
}

/// A person refuses, with the reason and where to go instead.
pub fn decline(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Decline = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let where_to_go = text("where_to_go", &input.where_to_go)?;
    let mut work = of.open(ctx, tx, Action::Decline)?;
    let by = work::by(ctx, tx)?;
    work.case = work.case.clone().decline(&by).map_err(refused)?;
    work.row.outcome = Some("declined".to_owned());
    work.save(
        ctx,
        tx,
        "case.declined",
        json!({ "reason": reason, "where_to_go": where_to_go }),
    )?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "declined")
}

#[derive(Deserialize)]
struct Classify {
    #[serde(alias = "category")]
    category_code: String,
    /// Where it really lies, when that was unknown or wrong.
    #[serde(default)]
    area_id: Option<String>,
    #[serde(default)]
    urgent: Option<bool>,
}

/// A person says what kind of matter it is, and where if that was unknown; the classifier learns from it at night. If only that was
/// unclear, the case goes on.
pub fn classify(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Classify = of.fields()?;
    let mut work = of.open(ctx, tx, Action::Classify)?;
    work.case.may_classify().map_err(refused)?;
    let category = work.rules.pack.category(&input.category_code).cloned();
    let category = category.ok_or_else(|| Fault::invalid("category_code", "category_unknown"))?;
    let before = work.row.category_code.replace(input.category_code.clone());
    let unchanged = before.as_ref() == Some(&input.category_code);
    work.row.category_source = Some("staff".to_owned());
    work.row.confidence = None;
    work.row.urgent = input
        .urgent
        .unwrap_or(category.urgent || (work.row.urgent && unchanged));
    work.row.public = category.public;
    if let Some(area) = input.area_id.as_deref().filter(|area| !area.is_empty()) {
        let spot = area.parse().ok().and_then(|area| place::spot_now(ctx, area, None));
        let spot = spot.ok_or_else(|| Fault::invalid("area_id", "area_unknown"))?;
        if work.row.area_id != Some(spot.area) {
            // It never lay where it was thought to lie.
            work.row.past.clear();
        }
        (work.row.area_id, work.row.areas, work.row.territory_version) = (Some(spot.area), spot.chain, spot.version);
        search::touch(ctx, tx, of.case)?;
    }
    let looked = matches!(work.case.state, State::Received { look: Look::Unclear })
        || (matches!(work.case.state, State::Received { look: Look::NoArea }) && input.area_id.is_some());
    let body =
        json!({ "category": input.category_code, "before": before, "source": "staff", "urgent": work.row.urgent });
    work.save(ctx, tx, "case.classified", body)?;
    if !unchanged {
        alerts::call_out(ctx, tx, &work.rules, &work.row)?;
    }
    if !looked {
        return Ok(());
    }
    let mut work = Work::open_own(ctx, tx, of.case)?;
    work.case = work.case.clone().accept().map_err(refused)?;
    work.save(ctx, tx, "case.accepted", json!({ "automatic": false }))?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "accepted")?;
    route_onward(ctx, tx, work)
}
