//! What a member of staff must hear now: calls to come (LH-08), warnings, escalations, new work. A notice for a worker, seen on any face.
//!
//! Entry points: [`tell`], [`call_out`], [`notify`]. Must not: hold anything about residents; a notice names the case or project only.

use super::place::{self, Rules};
use super::record::CaseRow;
use super::store;
use crate::platform::*;
use domain::workforce::Ask;
use serde_json::{Value, json};

/// Leaves a notice for a worker.
pub fn tell(
    ctx: &Ctx,
    tx: &mut Tx,
    worker: WorkerId,
    row: &CaseRow,
    kind: &'static str,
    body: Value,
) -> Result<(), Fault> {
    notify(ctx, tx, worker, &Subject::Case(row.id), kind, body)?;
    let units = row.unit_id.into_iter().collect();
    tx.publish(LiveEvent {
        topic: Topic::Case,
        kind: "notice",
        id: row.id.to_string(),
        areas: row.areas,
        units,
    });
    Ok(())
}

/// Leaves a notice about anything that has a page of its own: of a case and of what the parts above know.
pub fn notify(
    ctx: &Ctx,
    tx: &mut Tx,
    worker: WorkerId,
    about: &Subject,
    kind: &'static str,
    body: Value,
) -> Result<(), Fault> {
    store::insert_notice(tx, ctx.app.new_id(), worker, about, kind, &body, ctx.now)
}

/// For kinds the grid's worker must come to (LH-08), and for what is urgent: the worker or, at night and on leave, the stand-in.
pub fn call_out(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow) -> Result<(), Fault> {
    if !row.is_open() || row.arrived_at.is_some() {
        return Ok(());
    }
    let must_come = row
        .category_code
        .as_deref()
        .and_then(|c| rules.pack.category(c))
        .is_some_and(|c| c.must_come);
    if !must_come && !row.urgent {
        return Ok(());
    }
    let called = place::grid_worker(ctx, tx, row, Ask::Reach)?;
    let minutes = rules.pack.thresholds.arrival_minutes.value;
    if let Some((worker, stand_in)) = called {
        let body = json!({ "number": row.number, "title": row.title, "minutes": minutes, "stand_in": stand_in });
        tell(
            ctx,
            tx,
            worker,
            row,
            if must_come { "must_come" } else { "urgent" },
            body,
        )?;
    }
    Ok(())
}

/// What a visiting team heard is handled: its liaison owes the answer (LH-22).
pub fn answer_owed(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    match place::liaison(ctx, tx, row)? {
        Some(liaison) => {
            let body = json!({ "number": row.number, "title": row.title });
            tell(ctx, tx, liaison, row, "answer_owed", body)
        }
        None => Ok(()),
    }
}

/// A case came to a worker.
pub fn new_case(ctx: &Ctx, tx: &mut Tx, worker: WorkerId, row: &CaseRow) -> Result<(), Fault> {
    tell(
        ctx,
        tx,
        worker,
        row,
        "new_case",
        json!({ "number": row.number, "title": row.title }),
    )
}
