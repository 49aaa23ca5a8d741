//! Looking over a case's shoulder: supervise (督办), urge (催办), meetings, comments.

use super::{Of, moment, text};
use crate::cases::work::{self, refused};
use crate::cases::{alerts, clocks, place, routing};
use crate::platform::*;
use domain::cases::table::Action;
use domain::workforce::Ask;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Supervise {
    #[serde(default)]
    instruction: String,
    /// By when the running step must be done, earlier than its limit.
    #[serde(default)]
    due: Option<String>,
}

/// A leader watches the case and says what is to be done.
pub fn supervise(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Supervise = of.fields()?;
    let instruction = text("instruction", &input.instruction)?;
    let mut work = of.open(ctx, tx, Action::Supervise)?;
    work.case = work.case.clone().supervise().map_err(refused)?;
    let due = moment("due", input.due.as_deref())?;
    if let Some(due) = due {
        let clock = clocks::running(tx, of.case, clocks::LEAD)?;
        let mut clock = clock.ok_or_else(|| Fault::invalid("due", "no_clock_running"))?;
        let by = work::actor_name(ctx).unwrap_or_default();
        clocks::set_due(ctx, tx, &work.rules, &mut clock, due, by)?;
        clocks::note_due(&mut work.row, Some(&clock));
    }
    let body = json!({ "instruction": instruction, "due": due.map(|at| at.to_string()) });
    work.save(ctx, tx, "case.supervised", body)?;
    tell_holder(ctx, tx, &work, "supervised")
}

#[derive(Deserialize)]
struct Note {
    #[serde(default)]
    note: String,
}

/// Somebody presses for it; counted, and heard by whoever has it.
pub fn urge(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Note = of.fields()?;
    let note = text("note", &input.note)?;
    let mut work = of.open(ctx, tx, Action::Urge)?;
    work.case = work.case.clone().urge().map_err(refused)?;
    work.save(
        ctx,
        tx,
        "case.urged",
        json!({ "note": note, "count": work.case.counts.urged }),
    )?;
    tell_holder(ctx, tx, &work, "urged")
}

fn tell_holder(ctx: &Ctx, tx: &mut Tx, work: &crate::cases::work::Work, kind: &'static str) -> Result<(), Fault> {
    let worker = match (work.row.worker_id, work.row.unit_id) {
        (Some(worker), _) => Some(worker),
        (None, Some(unit)) => routing::worker_of(ctx, tx, unit, work.row.area_id, Ask::Own)?,
        (None, None) => None,
    };
    match worker {
        Some(worker) => alerts::tell(
            ctx,
            tx,
            worker,
            &work.row,
            kind,
            json!({ "number": work.row.number, "title": work.row.title }),
        ),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    body: String,
    #[serde(default)]
    units: Vec<String>,
}

/// A coordination meeting's decision (LH-15): who met, what was decided.
pub fn meeting(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Body = of.fields()?;
    let decision = text("body", &input.body)?;
    let mut names = Vec::new();
    for unit in &input.units {
        let id = unit.parse().map_err(|_| Fault::invalid("units", "unit_unknown"))?;
        names.push(
            place::unit(ctx, tx, id)?
                .ok_or_else(|| Fault::invalid("units", "unit_unknown"))?
                .name,
        );
    }
    let mut work = of.open(ctx, tx, Action::Meeting)?;
    work.case.must_be_open().map_err(refused)?;
    work.save(
        ctx,
        tx,
        "case.meeting",
        json!({ "decision": decision, "units": names.join("、") }),
    )
}

/// A remark among colleagues; residents do not see it.
pub fn comment(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Body = of.fields()?;
    let body: Value = json!({ "comment": text("body", &input.body)? });
    let mut work = of.open(ctx, tx, Action::Comment)?;
    work.save(ctx, tx, "case.commented", body)
}
