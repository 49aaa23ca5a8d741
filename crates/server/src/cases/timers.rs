//! Warnings before a limit passes, escalations after, to a named person in duty time (ZS-17); and the nightly training.
//!
//! Entry point: [`register`]. One recurring step looks at the clocks whose next moment has come; each rung is told once. Must not: change
//! where a case stands.

use super::clocks::{self, ClockRow, DUE, LEAD};
use super::place::{self, Rules};
use super::record::CaseRow;
use super::{alerts, classify, cube, orders, routing, store, work};
use crate::platform::jobs::{self, Handler, Outcome, Recurring};
use crate::platform::*;
use domain::cases::StateKey;
use domain::policy::{Rung, RungTo};
use domain::time::{DAY_MS, MINUTE_MS};
use domain::workforce::Ask;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Clocks looked at in one transaction.
const BATCH: i64 = 250;
/// How often the timers look at least; the next moment that is known they look at when it comes.
const EVERY_MS: i64 = MINUTE_MS;
/// Duty of the posts that handle.
const HANDLE: &str = "handle";
/// Duty of the posts that dispatch, who hear when no unit has the case.
const DISPATCH: &str = "dispatch";
/// When the classifier learns, local time.
const LEARN_AT: (i64, i64) = (2, 30);

/// Makes the jobs of this part known; once at the start.
pub fn register(app: &App) {
    jobs::register_recurring(app, Recurring::every_ms("cases.timers", EVERY_MS), Handler::Step(look));
    jobs::register_recurring(
        app,
        Recurring::nightly("cases.learn", LEARN_AT.0, LEARN_AT.1),
        Handler::Long(|ctx, _| Box::pin(classify::retrain(ctx))),
    );
}

fn look(ctx: &Ctx, tx: &mut Tx, _: &Value) -> Result<Outcome, Fault> {
    let told = tell_ripe(ctx, tx)?;
    // More than one batch: go on at once.
    if told as i64 == BATCH {
        return Ok(Outcome::Again(ctx.now));
    }
    let next = store::next_moment(tx)?.filter(|next| *next < ctx.now.plus_ms(EVERY_MS));
    Ok(next.map_or(Outcome::Done, |next| Outcome::Again(next.max(ctx.now))))
}

/// Tells everything whose moment has come, up to a batch; how many clocks were looked at.
pub fn tell_ripe(ctx: &Ctx, tx: &mut Tx) -> Result<usize, Fault> {
    let rules = place::rules(ctx)?;
    let ripe = store::ripe_clocks(tx, ctx.now, BATCH)?;
    let count = ripe.len();
    let (paused, running): (Vec<_>, Vec<_>) = ripe.into_iter().partition(|clock| clock.state == "paused");
    let mut cases = store::case_rows_locked(tx, running.iter().map(|clock| clock.case).collect::<BTreeSet<_>>())?;
    for mut clock in running {
        if let Some(row) = cases.get_mut(&clock.case) {
            tell_one(ctx, tx, &rules, row, &mut clock)?;
        }
    }
    for mut clock in paused {
        end_pause(ctx, tx, &rules, &mut clock)?;
    }
    Ok(count)
}

fn tell_one(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &mut CaseRow, clock: &mut ClockRow) -> Result<(), Fault> {
    let before = cube::Facts::of(row);
    let due: Vec<String> = clocks::rungs(rules, clock)
        .into_iter()
        .filter(|t| t.at <= ctx.now)
        .map(|t| t.name)
        .collect();
    let late = clock.late || clock.due_at.is_some_and(|at| at < ctx.now);
    clocks::mark_told(tx, rules, clock, &due, late)?;
    if clock.party == LEAD && late && row.is_open() && !row.late {
        row.late = true;
        row.row_version += 1;
        store::mark_late(tx, row)?;
        cube::shift(tx, Some(&before), Some(&cube::Facts::of(row)));
    }
    for name in &due {
        let told = recipients(ctx, tx, rules, row, clock, name)?;
        let body = json!({
            "number": row.number, "title": row.title, "step": clock.step, "rung": name, "late": late,
            "due_at": clock.due_at.map(|at| at.to_string()),
        });
        let before_due = !late;
        let climbs = rules
            .pack
            .ladder
            .iter()
            .any(|rung| rung.key == *name && rung.to != RungTo::Holder);
        let kind = kind_of(name, before_due, climbs);
        for worker in &told {
            alerts::tell(ctx, tx, *worker, row, kind, body.clone())?;
        }
        let mut names = Vec::new();
        for worker in &told {
            names.extend(place::worker(tx, *worker)?.map(|w| w.name));
        }
        let event = json!({ "step": clock.step, "rung": name, "worker": names.join("、") });
        work::note(ctx, tx, row, event_of(name, before_due, climbs), event)?;
    }
    if due.is_empty() {
        // Nothing was said, but the next moment was moved on.
        tx.record(
            ctx,
            Mark::new(
                "case.clock_looked_at",
                Subject::Case(row.id),
                json!({ "clock": clock.id.to_string() }),
            ),
        )?;
    }
    Ok(())
}

/// The pack's time for a pause is over: the clock runs on. What is set aside stays so until a person takes it up; whoever has it is reminded.
fn end_pause(ctx: &Ctx, tx: &mut Tx, rules: &Rules, clock: &mut ClockRow) -> Result<(), Fault> {
    let mut work = work::Work::open_own(ctx, tx, clock.case)?;
    match work.case.clone().resume() {
        Ok(resumed) => {
            work.case = resumed;
            clocks::resume(ctx, tx, rules, clock)?;
            clocks::note_due(&mut work.row, Some(clock));
            work.save(ctx, tx, "case.resumed", json!({ "automatic": true }))
        }
        Err(_) => {
            let again = ctx
                .now
                .plus_ms(i64::from(rules.pack.thresholds.park_review_days.value) * DAY_MS);
            clocks::look_again(tx, clock, again)?;
            if let Some(worker) = holder(ctx, tx, &work.row, clock)? {
                let body = json!({ "number": work.row.number, "title": work.row.title });
                alerts::tell(ctx, tx, worker, &work.row, "park_review", body)?;
            }
            work::note(ctx, tx, &work.row, "case.park_review", json!({})).map(drop)
        }
    }
}

/// Before the limit the holder is warned, and those above hear in time to step in (ZS-17); after it they are asked to.
fn kind_of(name: &str, before_due: bool, climbs: bool) -> &'static str {
    match name {
        DUE => "late",
        _ if before_due && climbs => "escalated_early",
        _ if before_due => "warned",
        _ => "escalated",
    }
}

fn event_of(name: &str, before_due: bool, climbs: bool) -> &'static str {
    match name {
        DUE => "case.became_late",
        _ if before_due && climbs => "case.escalated_early",
        _ if before_due => "case.warned",
        _ => "case.escalated",
    }
}

/// Who hears of a rung: the holder is warned, the ladder climbs the tree to a named person on duty.
fn recipients(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    row: &CaseRow,
    clock: &ClockRow,
    name: &str,
) -> Result<Vec<WorkerId>, Fault> {
    let rung = rules.pack.ladder.iter().find(|rung| rung.key == name);
    let found = match rung {
        Some(rung) => climbed(ctx, tx, rules, row, rung)?,
        None => holder(ctx, tx, row, clock)?,
    };
    Ok(found.into_iter().collect())
}

fn holder(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, clock: &ClockRow) -> Result<Option<WorkerId>, Fault> {
    if row.state == StateKey::Handled
        && let Some(liaison) = place::liaison(ctx, tx, row)?
    {
        return Ok(Some(liaison));
    }
    if clock.party == LEAD
        && let Some(worker) = row.worker_id
    {
        return Ok(Some(worker));
    }
    let part = clock.party.parse::<CoHandlerId>().ok();
    let unit = match part {
        Some(part) => {
            store::load(tx, row.id)?.and_then(|l| l.co_handlers.iter().find(|c| c.id == part).map(|c| c.unit_id))
        }
        None => row.unit_id,
    };
    match unit {
        Some(unit) => routing::worker_of(ctx, tx, unit, row.area_id, Ask::Reach),
        None => nobody_yet(ctx, tx, row),
    }
}

/// Who hears while no unit has it: the liaison of a work order's share, else whoever dispatches.
fn nobody_yet(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<Option<WorkerId>, Fault> {
    match orders::waiting_for(ctx, tx, row)? {
        Some(liaison) => Ok(Some(liaison)),
        None => centre_at(ctx, tx, row, None, DISPATCH),
    }
}

fn climbed(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow, rung: &Rung) -> Result<Option<WorkerId>, Fault> {
    let own_depth = match row.unit_id {
        Some(unit) => place::unit(ctx, tx, unit)?.and_then(|u| u.depth),
        None => None,
    };
    let deepest = row.areas.iter().flatten().count() as u8;
    match &rung.to {
        RungTo::Holder if rung.duty == HANDLE && row.worker_id.is_some() => Ok(row.worker_id),
        RungTo::Holder => match row.unit_id {
            Some(unit) => place::worker_of_unit(ctx, tx, unit, &rung.duty, row.area_id, Ask::Reach),
            None => nobody_yet(ctx, tx, row),
        },
        RungTo::Up(levels) => {
            let depth = own_depth.unwrap_or(deepest).saturating_sub(*levels).max(1);
            centre_at(ctx, tx, row, Some(depth), &rung.duty)
        }
        RungTo::Level(level) => centre_at(ctx, tx, row, rules.pack.depth(level), &rung.duty),
    }
}

/// A person of a duty at the centre of the case's area at a depth, or at the nearest centre above it that has one.
fn centre_at(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, depth: Option<u8>, duty: &str) -> Result<Option<WorkerId>, Fault> {
    let most = depth.map_or(row.areas.len(), usize::from);
    for area in row.areas.iter().take(most).flatten().rev() {
        let Some(centre) = place::centre_of(ctx, tx, *area)? else {
            continue;
        };
        if let Some(worker) = place::worker_of_unit(ctx, tx, centre, duty, row.area_id, Ask::Reach)? {
            return Ok(Some(worker));
        }
    }
    Ok(None)
}
