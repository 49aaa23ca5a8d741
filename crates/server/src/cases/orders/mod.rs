//! Work orders 交办单 (LH-14): a department lists work that enters the grids; the liaison 联络员 of each area passes it to a worker; it is
//! carried out, problems are collected, reported up, handled by class, fed back; then the department cancels (销号) it, or takes it back (收回) before anything
//! was fed back.
//!
//! No second workflow: each share of an order is a case that waits for its liaison as any case waits for dispatch (clock of the step
//! `dispatch`), then is in a worker's hands (`handle`), answered to the department (`answer`) and closed when the order is cancelled. A
//! problem found is a case of its own in the main loop. Entry points: [`give`], [`pass`], [`link_problem`], [`cancel`], [`take_back`],
//! [`routes`].
//! Must not: decide when an order may be cancelled; that is `domain::cases::order`.

mod http;
mod view;

pub use http::routes;
pub use view::{OrderRef, Progress, mark};

use super::intake::{self, Submission};
use super::record::{CaseRow, Loaded};
use super::work::{self, Work, actor_name, refused, sha256_hex};
use super::{actions, alerts, place, search, store};
use crate::platform::*;
use crate::{territory, workforce};
use domain::cases::order::OrderState;
use domain::cases::{By, Held, StateKey};
use domain::time::Timestamp;
use domain::workforce::Ask;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

crate::id!(
    /// A work order.
    OrderId
);

/// The way in of a share; the pack names it.
pub const CHANNEL: &str = "order";
/// Duty of the posts that pass orders on (LH-14); the pack names it.
pub const LIAISON: &str = "liaison";
/// Duty of the posts that carry them out.
const GRID: &str = "grid";
/// Areas of one order.
pub const MAX_AREAS: usize = 50;
/// Shares of one order: each area's, and one more for each further worker.
pub const MAX_SHARES: usize = 200;
/// Workers a share is passed to at once.
const MAX_WORKERS: usize = 20;

/// An order as stored.
#[derive(Debug, Clone)]
pub struct OrderRow {
    pub id: OrderId,
    pub number: String,
    pub unit: UnitId,
    pub unit_name: String,
    pub title: String,
    pub body: String,
    pub category: String,
    /// It is over: cancelled or taken back.
    pub cancelled: bool,
    /// It was taken back; the note says why.
    pub taken_back: bool,
    pub created_by: AccountId,
    pub created_worker: Option<WorkerId>,
    pub created_name: String,
    pub created_at: Timestamp,
    pub due_on: Option<String>,
    pub cancelled_at: Option<Timestamp>,
    pub cancelled_name: Option<String>,
    pub note: Option<String>,
    pub content_hash: String,
}

/// What a case is to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Share,
    Problem,
}

impl Role {
    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            Role::Share => "share",
            Role::Problem => "problem",
        }
    }

    /// The role of a stored word.
    pub fn from_key(key: &str) -> Option<Role> {
        [Role::Share, Role::Problem].into_iter().find(|role| role.key() == key)
    }
}

/// A case of an order.
#[derive(Debug, Clone)]
pub struct Linked {
    pub row: CaseRow,
    pub role: Role,
    /// The share during which a problem was found.
    pub share: Option<CaseId>,
}

/// An order to be given.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewOrder {
    /// Made by the client; a retry carries the same.
    pub id: OrderId,
    /// The department that gives it.
    pub unit_id: UnitId,
    pub title: String,
    /// What is to be done.
    pub body: String,
    /// Kind of matter: its limits hold for each share.
    pub category_code: String,
    /// Where: each area gets a share.
    pub area_ids: Vec<AreaId>,
    /// Day by which it should be fed back; ISO date.
    #[serde(default)]
    pub due_on: Option<String>,
}

/// Whether the caller acts for the department that gives an order.
pub fn acts_for(ctx: &Ctx, tx: &mut Tx, unit: UnitId) -> Result<bool, Fault> {
    let chain = workforce::unit(tx, unit)?
        .and_then(|unit| territory::current(&ctx.app).area(unit.area).map(|area| area.chain))
        .unwrap_or_default();
    let by_grant = [Permission::CaseHandle, Permission::CaseDispatch]
        .into_iter()
        .any(|permission| ctx.scope.has(permission) && ctx.scope.covers_unit(unit, &chain, permission));
    // A liaison or a grid worker holds the area, not the departments in it.
    let acting = work::person(ctx, tx)?.acts_for(unit.into());
    let dispatches = ctx.scope.covers_unit(unit, &chain, Permission::CaseDispatch);
    Ok(by_grant && (acting || dispatches))
}

/// Gives an order: one share for each area, waiting for that area's liaison.
pub fn give(ctx: &Ctx, tx: &mut Tx, new: &NewOrder) -> Result<OrderRow, Fault> {
    let content = sha256_hex(&serde_json::to_string(new).map_err(Fault::internal)?);
    let title = short("title", &new.title, intake::MAX_TITLE)?;
    let body = actions::text("body", &new.body)?;
    let unit = workforce::unit(tx, new.unit_id)?.ok_or_else(|| Fault::invalid("unit_id", "unit_unknown"))?;
    if !acts_for(ctx, tx, unit.id)? {
        return Err(Fault::not_found());
    }
    if let Some(existing) = store::order(tx, new.id)? {
        return if existing.content_hash == content {
            Ok(existing)
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    let rules = place::rules(ctx)?;
    let category = rules.pack.category(&new.category_code);
    let category = category.ok_or_else(|| Fault::invalid("category_code", "category_unknown"))?;
    if category.mediation {
        return Err(Fault::invalid("category_code", "order_of_disputes"));
    }
    if rules.pack.channel(CHANNEL).is_none() {
        return Err(Fault::refused("no_order_channel"));
    }
    let areas = areas_of(ctx, unit.area, &new.area_ids)?;
    let due_on = due_day(ctx, new.due_on.as_deref())?;
    let (day, _) = ctx.now.day_and_ms();
    let date = ctx.now.date();
    let serial = store::next_order_serial(tx, day)?;
    let row = OrderRow {
        id: new.id,
        number: format!(
            "{}JB{:04}{:02}{:02}-{serial:03}",
            rules.pack.jurisdiction.number_prefix,
            date.year(),
            date.month(),
            date.day()
        ),
        unit: unit.id,
        unit_name: unit.name,
        title,
        body: body.to_owned(),
        category: new.category_code.clone(),
        cancelled: false,
        taken_back: false,
        created_by: ctx.account()?,
        created_worker: worker_of(ctx),
        created_name: actor_name(ctx).unwrap_or_default().to_owned(),
        created_at: ctx.now,
        due_on,
        cancelled_at: None,
        cancelled_name: None,
        note: None,
        content_hash: content,
    };
    store::insert_order(tx, &row)?;
    for area in &areas {
        open_share(ctx, tx, &row, *area)?;
    }
    let mark =
        json!({ "number": row.number, "order": row.id.to_string(), "areas": areas.len(), "category": row.category });
    tx.record(ctx, Mark::new("order.given", Subject::Unit(row.unit), mark))?;
    Ok(row)
}

fn short(field: &'static str, given: &str, most: usize) -> Result<String, Fault> {
    let given = actions::text(field, given)?;
    if given.chars().count() > most {
        return Err(Fault::invalid(field, "text_too_long").with("most", most));
    }
    Ok(given.to_owned())
}

fn worker_of(ctx: &Ctx) -> Option<WorkerId> {
    match &ctx.actor {
        Actor::Account { worker, .. } => *worker,
        _ => None,
    }
}

/// The areas named, each once, within the department's own.
fn areas_of(ctx: &Ctx, within: AreaId, named: &[AreaId]) -> Result<Vec<AreaId>, Fault> {
    let map = territory::current(&ctx.app);
    let mut areas: Vec<AreaId> = Vec::new();
    for area in named {
        if map.area(*area).is_none() {
            return Err(Fault::invalid("area_ids", "area_unknown"));
        }
        if !map.is_under(*area, within) {
            return Err(Fault::invalid("area_ids", "area_not_of_unit").with("area", map.full_name(*area)));
        }
        if !areas.contains(area) {
            areas.push(*area);
        }
    }
    match areas.len() {
        0 => Err(Fault::invalid("area_ids", "area_missing")),
        1..=MAX_AREAS => Ok(areas),
        _ => Err(Fault::invalid("area_ids", "too_many_areas").with("most", MAX_AREAS)),
    }
}

fn due_day(ctx: &Ctx, given: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(given) = given.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let day: jiff::civil::Date = given.parse().map_err(|_| Fault::invalid("due_on", "date_expected"))?;
    if day < ctx.now.date() {
        return Err(Fault::invalid("due_on", "day_in_the_past"));
    }
    Ok(Some(day.to_string()))
}

/// One share: a case of the order in an area, waiting for the liaison there, who hears of it.
fn open_share(ctx: &Ctx, tx: &mut Tx, order: &OrderRow, area: AreaId) -> Result<CaseId, Fault> {
    let at = territory::current(&ctx.app).full_name(area);
    let liaison = liaison_of(ctx, tx, area)?;
    let liaison = liaison.ok_or_else(|| Fault::invalid("area_ids", "no_liaison").with("area", at))?;
    if store::order_size(tx, order.id)? >= MAX_SHARES as i64 {
        return Err(Fault::refused("too_many_shares").with("most", MAX_SHARES));
    }
    let id: CaseId = ctx.app.new_id();
    let share = Submission {
        id: id.to_string(),
        channel: CHANNEL.to_owned(),
        title: Some(order.title.clone()),
        body: order.body.clone(),
        category_code: Some(order.category.clone()),
        area_id: Some(area.to_string()),
        ..Submission::default()
    };
    intake::open_for(ctx, tx, &share, intake::Next::Wait)?;
    store::link_order(tx, id, order.id, Role::Share, None)?;
    if let Some(row) = store::case_row(tx, id)? {
        let body = json!({ "number": row.number, "title": row.title });
        alerts::tell(ctx, tx, liaison, &row, "order_share", body)?;
    }
    Ok(id)
}

/// The liaison on duty for an area: of the area itself or the nearest one above that has one.
pub fn liaison_of(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<Option<WorkerId>, Fault> {
    let found = workforce::nearest_with_duty(&ctx.app, tx, area, LIAISON, Ask::Own, ctx.now)?;
    Ok(found.and_then(|found| found.worker))
}

#[derive(Debug, Deserialize, ToSchema)]
struct PassInput {
    /// Grid workers of the area; the first gets this share, each further one a share of their own.
    worker_ids: Vec<WorkerId>,
    /// What the liaison adds.
    #[serde(default)]
    note: String,
}

/// The liaison passes a share to workers of the area, each with a clock of their own.
fn pass(ctx: &Ctx, tx: &mut Tx, share: CaseId, input: &PassInput) -> Result<(), Fault> {
    let permissions = [Permission::CaseHandle, Permission::CaseDispatch];
    let work = Work::open(ctx, tx, share, &permissions, None)?;
    let (order, role) = store::order_of(tx, share)?.ok_or_else(Fault::not_found)?;
    if role != Role::Share {
        return Err(Fault::not_found());
    }
    if !passes_on(ctx, tx, &work.before)? {
        return Err(Fault::refused("not_the_liaison"));
    }
    if input.worker_ids.is_empty() || input.worker_ids.len() > MAX_WORKERS {
        return Err(Fault::invalid("worker_ids", "workers_needed").with("most", MAX_WORKERS));
    }
    let note = input.note.trim();
    if note.chars().count() > actions::MAX_TEXT {
        return Err(Fault::invalid("note", "text_too_long").with("most", actions::MAX_TEXT));
    }
    let area = work
        .row
        .area_id
        .ok_or_else(|| Fault::internal("a share without an area"))?;
    let mut seats = Vec::new();
    for worker in &input.worker_ids {
        let seat = workforce::seat_within(&ctx.app, tx, *worker, GRID, area, ctx.now)?;
        let (unit, own) = seat.ok_or_else(|| Fault::invalid("worker_ids", "worker_not_here"))?;
        if !seats.iter().any(|(known, _, _)| known == worker) {
            seats.push((*worker, unit, own));
        }
    }
    for (nth, (worker, unit, own)) in seats.into_iter().enumerate() {
        let case = if nth == 0 {
            share
        } else {
            open_share(ctx, tx, &order, own)?
        };
        hand_over(ctx, tx, case, (worker, unit, own), note)?;
    }
    Ok(())
}

/// Whether the caller passes on shares there: its liaison or the stand-in, or a dispatcher of the area.
fn passes_on(ctx: &Ctx, tx: &mut Tx, share: &Loaded) -> Result<bool, Fault> {
    if ctx.scope.sees(&share.scope_facts(), Permission::CaseDispatch) {
        return Ok(true);
    }
    let (Some(area), Some(worker)) = (share.row.area_id, worker_of(ctx)) else {
        return Ok(false);
    };
    workforce::has_duty_around(&ctx.app, tx, area, LIAISON, worker, ctx.now)
}

/// Puts a share into a worker's hands; a share of a wider area becomes one of the worker's own, where the worker sees it.
fn hand_over(
    ctx: &Ctx,
    tx: &mut Tx,
    case: CaseId,
    (worker, unit, own): (WorkerId, UnitId, AreaId),
    note: &str,
) -> Result<(), Fault> {
    let mut work = Work::open_own(ctx, tx, case)?;
    let inside = work
        .row
        .area_id
        .is_some_and(|area| territory::current(&ctx.app).is_under(own, area));
    if let Some(spot) = place::spot_of_area(ctx, own).filter(|_| inside) {
        work.row.area_id = Some(spot.area);
        work.row.areas = spot.chain;
        work.row.territory_version = spot.version;
    }
    let held = Held {
        unit: unit.into(),
        worker: Some(worker.into()),
    };
    work.case = work.case.clone().route(held, &work.case_rules()).map_err(refused)?;
    work.clock_anew = true;
    let name = place::worker(tx, worker)?.map(|w| w.name).unwrap_or_default();
    work.save(ctx, tx, "case.order_passed", json!({ "worker": name, "note": note }))?;
    search::touch(ctx, tx, case)?;
    alerts::new_case(ctx, tx, worker, &work.row)
}

/// Ties a case just opened to the share during which it was found. By whoever may see that share.
pub fn link_problem(ctx: &Ctx, tx: &mut Tx, share: &str, problem: &CaseRow) -> Result<(), Fault> {
    let unknown = || Fault::invalid("order_share", "share_unknown");
    let share: CaseId = share.parse().map_err(|_| unknown())?;
    let loaded = store::load_locked(tx, share)?.ok_or_else(unknown)?;
    if !ctx.scope.sees(&loaded.scope_facts(), Permission::CaseRead) {
        return Err(unknown());
    }
    let found = store::order_of(tx, share)?.filter(|(_, role)| *role == Role::Share);
    let (order, _) = found.ok_or_else(unknown)?;
    if order.cancelled {
        return Err(Fault::invalid("order_share", "order_already_cancelled"));
    }
    store::link_order(tx, problem.id, order.id, Role::Problem, Some(share))?;
    let body = json!({ "part": problem.number, "words": problem.title });
    work::note(ctx, tx, &loaded.row, "case.problem_found", body)?;
    let body = json!({ "part": order.number });
    work::note(ctx, tx, problem, "case.found_in_order", body).map(drop)
}

/// A share was answered: whoever gave the order hears of it.
pub fn fed_back(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    if row.channel != CHANNEL || row.state != StateKey::Answered {
        return Ok(());
    }
    if let Some((order, Role::Share)) = store::order_of(tx, row.id)?
        && let Some(worker) = order.created_worker
    {
        let body = json!({ "number": row.number, "title": row.title });
        alerts::tell(ctx, tx, worker, row, "order_fed_back", body)?;
    }
    Ok(())
}

/// Whether the caller acts for the department whose order this case is a share of: it sees the photos of what was done.
pub fn gave(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<bool, Fault> {
    match store::order_of(tx, case)? {
        Some((order, _)) => acts_for(ctx, tx, order.unit),
        None => Ok(false),
    }
}

/// The order, for the department that gave it; absent for everybody else.
fn own_order(ctx: &Ctx, tx: &mut Tx, id: OrderId) -> Result<OrderRow, Fault> {
    let order = store::order_locked(tx, id)?.ok_or_else(Fault::not_found)?;
    if acts_for(ctx, tx, order.unit)? {
        Ok(order)
    } else {
        Err(Fault::not_found())
    }
}

/// The department sends a share back: not done as asked.
fn send_back(ctx: &Ctx, tx: &mut Tx, share: CaseId, reason: &str) -> Result<OrderRow, Fault> {
    let (order, role) = store::order_of(tx, share)?.ok_or_else(Fault::not_found)?;
    let order = own_order(ctx, tx, order.id)?;
    if role != Role::Share {
        return Err(Fault::not_found());
    }
    let reason = actions::text("reason", reason)?;
    let mut work = Work::open_own(ctx, tx, share)?;
    work.case = work.case.clone().rework().map_err(refused)?;
    let count = work.case.counts.reworked;
    work.save(ctx, tx, "case.rework", json!({ "reason": reason, "count": count }))?;
    if let Some(worker) = work.row.worker_id {
        alerts::new_case(ctx, tx, worker, &work.row)?;
    }
    Ok(order)
}

/// Cancels 销号 an order: carried out, its problems answered, fed back. Each share is closed with it, checked by the department.
fn cancel(ctx: &Ctx, tx: &mut Tx, id: OrderId, note: &str) -> Result<(), Fault> {
    let order = own_order(ctx, tx, id)?;
    let note = note.trim();
    if note.chars().count() > actions::MAX_TEXT {
        return Err(Fault::invalid("note", "text_too_long").with("most", actions::MAX_TEXT));
    }
    let linked = store::linked(tx, id)?;
    may_cancel(&order, &linked).map_err(Fault::refused)?;
    let by = By::Person(work::person(ctx, tx)?);
    for share in linked.iter().filter(|one| one.role == Role::Share) {
        if !matches!(share.row.state, StateKey::Answered | StateKey::Verified) {
            continue;
        }
        let mut work = Work::open_own(ctx, tx, share.row.id)?;
        let By::Person(person) = &by else { continue };
        if work.row.state == StateKey::Answered {
            work.case = work.case.clone().verify(person, true).map_err(refused)?;
        }
        work.case = work.case.clone().close(&by, &work.case_rules()).map_err(refused)?;
        work.row.verified_at = work.row.verified_at.or(Some(ctx.now));
        work.save(
            ctx,
            tx,
            "case.order_cancelled",
            json!({ "part": order.number, "note": note }),
        )?;
    }
    store::end_order(tx, id, false, ctx.now, actor_name(ctx).unwrap_or_default(), note)?;
    let mark = json!({ "number": order.number, "order": id.to_string() });
    tx.record(ctx, Mark::new("order.cancelled", Subject::Unit(order.unit), mark))?;
    Ok(())
}

/// Takes an order back 收回: not needed after all. Its shares end as withdrawn; the liaison and the worker of each hear of it.
fn take_back(ctx: &Ctx, tx: &mut Tx, id: OrderId, reason: &str) -> Result<(), Fault> {
    let order = own_order(ctx, tx, id)?;
    let reason = actions::text("reason", reason)?;
    let linked = store::linked(tx, id)?;
    may_take_back(&order, &linked).map_err(Fault::refused)?;
    let open = linked.iter().filter(|one| one.role == Role::Share && one.row.is_open());
    for share in open {
        let mut work = Work::open_own(ctx, tx, share.row.id)?;
        let (unit, worker) = (work.row.unit_id, work.row.worker_id);
        let reports: Vec<ReportId> = work.before.live_reports().map(|report| report.id).collect();
        for report in reports {
            work.case = work.case.clone().withdraw(report.into()).map_err(refused)?;
            store::withdraw_report(tx, report, ctx.now)?;
        }
        work.row.outcome = Some("withdrawn".to_owned());
        work.save(
            ctx,
            tx,
            "case.order_taken_back",
            json!({ "part": order.number, "reason": reason }),
        )?;
        work.row.unit_id = unit;
        tell_taken_back(ctx, tx, &work.row, worker)?;
    }
    store::end_order(tx, id, true, ctx.now, actor_name(ctx).unwrap_or_default(), reason)?;
    let mark = json!({ "number": order.number, "order": id.to_string(), "reason": sha256_hex(reason) });
    tx.record(ctx, Mark::new("order.taken_back", Subject::Unit(order.unit), mark))?;
    Ok(())
}

/// The liaison of the share's area and the worker who had it hear that nothing more is to be done.
fn tell_taken_back(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, worker: Option<WorkerId>) -> Result<(), Fault> {
    let liaison = match row.area_id {
        Some(area) => liaison_of(ctx, tx, area)?,
        None => None,
    };
    let mut told: Vec<WorkerId> = liaison.into_iter().chain(worker).collect();
    told.dedup();
    for worker in told {
        let body = json!({ "number": row.number, "title": row.title });
        alerts::tell(ctx, tx, worker, row, "order_taken_back", body)?;
    }
    Ok(())
}

fn may_cancel(order: &OrderRow, linked: &[Linked]) -> Result<(), &'static str> {
    with_state(order, linked, |state| state.may_cancel().map_err(Into::into))
}

fn may_take_back(order: &OrderRow, linked: &[Linked]) -> Result<(), &'static str> {
    with_state(order, linked, |state| state.may_take_back().map_err(Into::into))
}

fn with_state<T>(order: &OrderRow, linked: &[Linked], ask: impl FnOnce(OrderState) -> T) -> T {
    let of = |role: Role| -> Vec<StateKey> {
        let cases = linked.iter().filter(|one| one.role == role);
        cases.map(|one| one.row.state).collect()
    };
    let (shares, problems) = (of(Role::Share), of(Role::Problem));
    ask(OrderState {
        cancelled: order.cancelled,
        shares: &shares,
        problems: &problems,
    })
}

/// The holder a timer speaks to while a share waits for its liaison.
pub fn waiting_for(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<Option<WorkerId>, Fault> {
    match row.area_id {
        Some(area) if row.channel == CHANNEL => liaison_of(ctx, tx, area),
        _ => Ok(None),
    }
}

/// Names of the workers a share may be passed to: those of the grids in or around its area.
fn candidates(ctx: &Ctx, tx: &mut Tx, share: CaseId) -> Result<Vec<view::Candidate>, Fault> {
    let loaded = store::load(tx, share)?.ok_or_else(Fault::not_found)?;
    if !ctx.scope.sees(&loaded.scope_facts(), Permission::CaseRead) || store::order_of(tx, share)?.is_none() {
        return Err(Fault::not_found());
    }
    let Some(area) = loaded.row.area_id else {
        return Ok(Vec::new());
    };
    let map = territory::current(&ctx.app);
    let mut found: Vec<view::Candidate> = Vec::new();
    let around = map
        .areas()
        .iter()
        .filter(|one| map.is_under(one.id, area) || map.is_under(area, one.id));
    for one in around {
        for seat in workforce::seated_in(&ctx.app, tx, one.id, GRID, ctx.now)? {
            let Some(worker) = seat.worker else { continue };
            if found.iter().any(|known| known.id == worker.to_string()) {
                continue;
            }
            found.push(view::Candidate {
                id: worker.to_string(),
                name: place::worker(tx, worker)?.map(|w| w.name).unwrap_or_default(),
                area: one.name.clone(),
            });
        }
    }
    Ok(found)
}
