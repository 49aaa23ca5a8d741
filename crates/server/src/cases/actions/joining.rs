//! Several reports, one matter: merge, split, take back.

use super::{Of, text};
use crate::cases::work::{self, Work, refused};
use crate::cases::{clocks, cube, handover, intake, messages, store};
use crate::platform::*;
use domain::cases::table::Action;
use domain::cases::{CoState, ReportDue, State};
use domain::policy::Step;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

#[derive(Deserialize)]
struct Merge {
    into: String,
}

/// This case's reports go on in another; every reporter stays informed. The target is named by number or id.
pub fn merge(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Merge = of.fields()?;
    let target = match input.into.parse::<CaseId>() {
        Ok(id) => Some(id),
        Err(_) => store::case_by_number(tx, input.into.trim())?,
    };
    let target = target.ok_or_else(|| Fault::invalid("into", "merge_target_unknown"))?;
    let mut work = of.open(ctx, tx, Action::Merge)?;
    if work.row.channel == handover::CHANNEL {
        return Err(Fault::refused("handover_no_merge"));
    }
    if target == of.case {
        return Err(Fault::invalid("into", "merge_into_itself"));
    }
    let opened = Work::open(ctx, tx, target, &[super::permission(Action::Merge)], None);
    let mut into = opened.map_err(|_| Fault::invalid("into", "merge_target_unknown"))?;
    let (merged, taken_in) = work.case.clone().merge(into.case.clone()).map_err(refused)?;
    let moved: Vec<ReportId> = work.before.live_reports().map(|r| r.id).collect();
    move_reports(tx, target, &taken_in.reports, &moved, Some(of.case))?;
    (work.case, into.case) = (merged, taken_in);
    work.save(ctx, tx, "case.merged", json!({ "into": into.row.number }))?;
    into.save(
        ctx,
        tx,
        "case.took_in",
        json!({ "from": work.row.number, "reports": moved.len() }),
    )?;
    messages::tell_all(ctx, tx, &work.before, &into.row, "merged")
}

fn move_reports(
    tx: &mut Tx,
    to: CaseId,
    due: &std::collections::BTreeMap<domain::ids::ReportId, ReportDue>,
    moved: &[ReportId],
    from: Option<CaseId>,
) -> Result<(), Fault> {
    for report in moved {
        if let Some(due) = due.get(&(*report).into()) {
            store::update_report(tx, to, *report, *due, from)?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Split {
    report_ids: Vec<String>,
}

/// Reports turn out to be another matter: those that came by a merge go back to the case they came from, which stands where it stood; others
/// become a case of their own, waiting for dispatch.
pub fn split(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Split = of.fields()?;
    let reports = input
        .report_ids
        .iter()
        .map(|r| r.parse().map_err(|_| Fault::invalid("report_ids", "report_unknown")));
    let reports: BTreeSet<ReportId> = reports.collect::<Result<_, Fault>>()?;
    let mut work = of.open(ctx, tx, Action::Split)?;
    let chosen: Vec<_> = work
        .before
        .live_reports()
        .filter(|r| reports.contains(&r.id))
        .cloned()
        .collect();
    if chosen.is_empty() || chosen.len() != reports.len() {
        return Err(Fault::invalid("report_ids", "report_unknown"));
    }
    let sources: BTreeSet<Option<CaseId>> = chosen.iter().map(|r| r.merged_from).collect();
    let whole_merge = match sources.iter().next() {
        Some(Some(source)) if sources.len() == 1 => {
            let all = work
                .before
                .live_reports()
                .filter(|r| r.merged_from == Some(*source))
                .count();
            (all == chosen.len()).then_some(*source)
        }
        _ => None,
    };
    match whole_merge {
        Some(source) => undo_merge(ctx, tx, &mut work, source, &reports),
        None => split_off(ctx, tx, &mut work, &reports),
    }
}

fn undo_merge(
    ctx: &Ctx,
    tx: &mut Tx,
    work: &mut Work,
    source: CaseId,
    reports: &BTreeSet<ReportId>,
) -> Result<(), Fault> {
    let mut back = Work::open_own(ctx, tx, source)?;
    let mine: BTreeSet<domain::ids::ReportId> = reports.iter().map(|r| (*r).into()).collect();
    let (restored, rest) = back.case.clone().split(work.case.clone(), &mine).map_err(refused)?;
    let moved: Vec<ReportId> = reports.iter().copied().collect();
    move_reports(tx, source, &restored.reports, &moved, None)?;
    (back.case, work.case) = (restored, rest);
    let category = back.row.category_code.clone().unwrap_or_default();
    if let Some(step) = clocks::step_of(back.case.state.key(), &back.rules.pack, &category) {
        let paused = clocks::take_up(ctx, tx, &back.rules, &back.row, clocks::LEAD, step, &work.row.number)?;
        back.case.paused &= paused;
    }
    for part in back.case.co_handlers.iter().filter(|c| c.state == CoState::Open) {
        let party = CoHandlerId::from(part.id).to_string();
        clocks::take_up(ctx, tx, &back.rules, &back.row, &party, Step::Handle, &work.row.number)?;
    }
    work.save(
        ctx,
        tx,
        "case.split",
        json!({ "to": back.row.number, "reports": moved.len() }),
    )?;
    back.save(ctx, tx, "case.split_back", json!({ "from": work.row.number }))
}

fn split_off(ctx: &Ctx, tx: &mut Tx, work: &mut Work, reports: &BTreeSet<ReportId>) -> Result<(), Fault> {
    let ids: BTreeSet<domain::ids::ReportId> = reports.iter().map(|r| (*r).into()).collect();
    let id: CaseId = ctx.app.new_id();
    let (rest, new) = work.case.clone().split_off(id.into(), &ids).map_err(refused)?;
    let first = work.before.live_reports().find(|r| reports.contains(&r.id)).cloned();
    let first = first.ok_or_else(|| Fault::internal("the report just split off is gone"))?;
    let mut row = work.row.clone();
    row.id = id;
    row.number = work
        .rules
        .pack
        .case_number(ctx.now.date(), store::next_serial(tx, ctx.now.day_and_ms().0)?);
    row.body = first.body.clone();
    row.title = intake::title_from(&first.body);
    row.channel = first.channel.clone();
    row.content_hash = work::sha256_hex(&first.body);
    row.row_version = 1;
    row.handover_id = None;
    row.supervised = false;
    (row.assigned_at, row.taken_at, row.arrived_at, row.outcome) = (None, None, None, None);
    row.state = domain::cases::StateKey::Received;
    work::apply_state(ctx, &mut row, &new);
    debug_assert_eq!(new.state, State::Accepted);
    store::insert_case(tx, &row)?;
    clocks::follow_state(ctx, tx, &work.rules, &mut row, true)?;
    store::update_case(tx, &row)?;
    cube::shift(tx, None, Some(&cube::Facts::of(&row)));
    let moved: Vec<ReportId> = reports.iter().copied().collect();
    move_reports(tx, id, &new.reports, &moved, None)?;
    work::note(
        ctx,
        tx,
        &row,
        "case.split_off",
        json!({ "from": work.row.number, "reports": moved.len() }),
    )?;
    intake::make_findable(ctx, tx, &row, None)?;
    work.case = rest;
    work.save(
        ctx,
        tx,
        "case.split",
        json!({ "to": row.number, "reports": moved.len() }),
    )
}

#[derive(Deserialize)]
struct Withdraw {
    #[serde(default)]
    report_id: Option<String>,
    #[serde(default)]
    reason: String,
}

/// A reporter called to take the report back; written down by whoever took the call.
pub fn withdraw(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Withdraw = of.fields()?;
    let work = of.open(ctx, tx, Action::Withdraw)?;
    let report = match &input.report_id {
        Some(id) => id.parse().map_err(|_| Fault::invalid("report_id", "report_unknown"))?,
        None => {
            let mut live = work.before.live_reports();
            match (live.next(), live.next()) {
                (Some(only), None) => only.id,
                _ => return Err(Fault::invalid("report_id", "report_unknown")),
            }
        }
    };
    taken_back(ctx, tx, work, report, &input.reason)
}

/// The reporter takes the report back on the portal.
pub fn withdraw_report(ctx: &Ctx, tx: &mut Tx, case: CaseId, report: ReportId, reason: &str) -> Result<(), Fault> {
    let work = Work::open_own(ctx, tx, case)?;
    taken_back(ctx, tx, work, report, reason)
}

fn taken_back(ctx: &Ctx, tx: &mut Tx, mut work: Work, report: ReportId, reason: &str) -> Result<(), Fault> {
    let reason = text("reason", reason)?;
    work.case = work.case.clone().withdraw(report.into()).map_err(refused)?;
    store::withdraw_report(tx, report, ctx.now)?;
    let left = work.case.reports.len();
    if left == 0 {
        work.row.outcome = Some("withdrawn".to_owned());
    }
    let withdrawn = json!({ "reason": reason, "left": left, "report": report });
    work.save(ctx, tx, "case.withdrawn", withdrawn)
}
