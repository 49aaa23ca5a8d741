//! Cases follow their households when the place is divided anew.
//!
//! Entry points: [`lying_in`] (what there is to move), [`follow`] (moves it), [`settle`] (a case that comes back to life in an area that has
//! ended meanwhile). What happened before the day stays counted where the case lay then ([`Stay`]); deadlines, versions and states do
//! not change, so that what a phone has not sent yet still fits. Must not: choose the area; whoever divides does.

use super::cube::{self, Facts};
use super::place;
use super::record::{CaseRow, Stay};
use super::{search, store};
use crate::access::moves::former_scope;
use crate::platform::*;
use domain::time::{DAY_MS, Timestamp};
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;

pub use super::store::Lying;

/// Days after a division within which work kept from before is still taken from whoever had the area then.
pub const LATE_WORK_DAYS: i64 = 14;
/// Cases moved at once.
const BATCH: usize = 200;

/// Where a case goes.
#[derive(Debug, Clone)]
pub struct Move {
    pub case: CaseId,
    pub area: AreaId,
    pub chain: [Option<AreaId>; 5],
    /// Another worker, or nobody until the post is filled; none: whoever has it keeps it.
    pub worker: Option<Option<WorkerId>>,
}

/// Cases at or below an area (its depth and id) that are open, or ended at `since` or later; after one, in order of id.
pub fn lying_in(
    tx: &mut Tx,
    area: (u8, AreaId),
    since: Option<Timestamp>,
    after: Option<CaseId>,
    limit: i64,
) -> Result<Vec<Lying>, Fault> {
    store::lying_in(tx, area, since, after, limit)
}

/// Moves cases from a day on. `kind` and `body` name the event each gets, `ledger` the mark of the whole.
pub fn follow(
    ctx: &Ctx,
    tx: &mut Tx,
    moves: &[Move],
    day: Date,
    version: i64,
    (kind, body): (&'static str, &Value),
    ledger: LedgerRef,
) -> Result<(), Fault> {
    let before = day_number(day)?;
    for some in moves.chunks(BATCH) {
        let mut rows = store::case_rows_locked(tx, some.iter().map(|one| one.case))?;
        for one in some {
            let Some(mut row) = rows.remove(&one.case) else {
                continue;
            };
            let (was, areas) = (Facts::of(&row), row.areas);
            leave(&mut row, before);
            (row.area_id, row.areas, row.territory_version) = (Some(one.area), one.chain, version);
            if let Some(worker) = one.worker {
                row.worker_id = worker;
            }
            store::update_place(tx, &row)?;
            cube::shift(tx, Some(&was), Some(&Facts::of(&row)));
            search::touch(ctx, tx, row.id)?;
            store::insert_event(
                tx,
                row.id,
                &store::NewEvent {
                    at: ctx.now,
                    kind,
                    actor_account: None,
                    actor_name: None,
                    unit: None,
                    body,
                    ledger,
                },
            )?;
            for areas in [areas, row.areas] {
                tx.publish(LiveEvent {
                    topic: Topic::Case,
                    kind: "case.moved",
                    id: row.id.to_string(),
                    areas,
                    units: row.unit_id.into_iter().collect(),
                });
            }
        }
    }
    Ok(())
}

/// Days since 1970-01-01 of a day of the place.
fn day_number(day: Date) -> Result<i64, Fault> {
    let epoch = jiff::civil::date(1970, 1, 1);
    Ok(i64::from(day.since(epoch).map_err(Fault::internal)?.get_days()))
}

/// Until the day before `before` it lay where it lies.
fn leave(row: &mut CaseRow, before: i64) {
    if row.past.last().is_none_or(|stay| stay.before < before) {
        row.past.push(Stay {
            before,
            areas: row.areas,
        });
    }
}

/// A case that is open lies in an area in force: one brought back after its area ended follows it.
pub(super) fn settle(ctx: &Ctx, row: &mut CaseRow) {
    let Some(area) = row.area_id.filter(|_| row.is_open()) else {
        return;
    };
    let Some(spot) = place::spot_now(ctx, area, row.lon.zip(row.lat)).filter(|spot| spot.area != area) else {
        return;
    };
    leave(row, ctx.now.day_and_ms().0);
    (row.area_id, row.areas, row.territory_version) = (Some(spot.area), spot.chain, spot.version);
}

/// Whether the caller could do this with the case where it lay before a division, not long ago: then what was kept on a phone since is
/// still taken.
pub(super) fn was_within(
    ctx: &Ctx,
    tx: &mut Tx,
    facts: &CaseScopeFacts,
    past: &[Stay],
    any_of: &[Permission],
) -> Result<bool, Fault> {
    let Some(account) = ctx.actor.account() else {
        return Ok(false);
    };
    let (today, _) = ctx.now.day_and_ms();
    let lately: Vec<CaseScopeFacts> = past
        .iter()
        .filter(|stay| stay.before + LATE_WORK_DAYS > today)
        .map(|stay| CaseScopeFacts {
            areas: stay.areas,
            ..facts.clone()
        })
        .collect();
    if lately.is_empty() {
        return Ok(false);
    }
    let former = former_scope(tx, account, ctx.now.plus_ms(-LATE_WORK_DAYS * DAY_MS))?;
    let sees = |scope: &Scope| {
        lately.iter().any(|facts| {
            scope.sees(facts, Permission::CaseRead) && any_of.iter().any(|permission| scope.sees(facts, *permission))
        })
    };
    Ok(sees(&former) || sees(&ctx.scope))
}

/// Open cases follow a division they were entered beside: those in areas that have ended, and those received since `since` by an older
/// territory, in the moment between the division and this process's knowing of it. Whether there may be more.
pub fn stragglers(ctx: &Ctx, tx: &mut Tx, since: Timestamp) -> Result<bool, Fault> {
    let version = crate::territory::current(&ctx.app).version;
    let mut rows = store::lying_in_ended(tx, BATCH as i64)?;
    let more = rows.len() == BATCH;
    rows.extend(store::received_beside(tx, since, version, BATCH as i64)?);
    let mut moves: BTreeMap<CaseId, Move> = BTreeMap::new();
    for row in rows {
        let spot = row.area.and_then(|area| place::spot_beside(ctx, area, row.at));
        if let Some(spot) = spot.filter(|spot| Some(spot.area) != row.area) {
            let one = Move {
                case: row.id,
                area: spot.area,
                chain: spot.chain,
                worker: None,
            };
            moves.insert(row.id, one);
        }
    }
    let moves: Vec<Move> = moves.into_values().collect();
    if moves.is_empty() {
        return Ok(false);
    }
    let mark = Mark::new("case.moved", Subject::List, serde_json::json!({ "count": moves.len() }));
    let ledger = tx.record(ctx, mark)?;
    let day = ctx.now.date();
    let body = serde_json::json!({ "day": day.to_string() });
    follow(ctx, tx, &moves, day, version, ("moved", &body), ledger)?;
    Ok(more)
}
