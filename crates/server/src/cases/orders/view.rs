//! What an order looks like from outside: a line in a list, its page, its mark on a case. Must not: change anything.

use super::{Linked, OrderRow, Role, acts_for, liaison_of, may_cancel, may_take_back, passes_on};
use crate::cases::place::{self, Rules};
use crate::cases::view::{self, AttachmentView, CaseBrief, CategoryRef, Ref, RefusalView};
use crate::cases::{store, words};
use crate::platform::*;
use domain::cases::StateKey;
use serde::Serialize;
use utoipa::ToSchema;

/// The order behind a case, on its page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderRef {
    pub id: String,
    pub number: String,
    pub title: String,
    pub unit_name: String,
    pub due_on: Option<String>,
    /// `share` or `problem`.
    pub role: String,
    /// It is cancelled: nothing more can be found in it.
    pub cancelled: bool,
}

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub shares: i64,
    /// Waiting for the liaison.
    pub waiting: i64,
    /// In a worker's hands.
    pub passed: i64,
    /// Carried out, the department not yet told.
    pub carried_out: i64,
    /// Fed back to the department, or over.
    pub fed_back: i64,
    /// Shares late now.
    pub late: i64,
    pub problems: i64,
    /// Of these not yet answered.
    pub problems_open: i64,
}

impl Progress {
    /// Counts one case of an order.
    pub fn count(&mut self, role: Role, state: StateKey, late: bool, n: i64) {
        use StateKey::{Accepted, Assigned, Handled, Handling, Parked, Received, Withdrawn};
        if role == Role::Problem {
            self.problems += n;
            if matches!(state, Received | Accepted | Assigned | Handling | Parked | Handled) {
                self.problems_open += n;
            }
            return;
        }
        self.shares += n;
        match state {
            Received | Accepted => self.waiting += n,
            Assigned | Handling | Parked => self.passed += n,
            Handled => self.carried_out += n,
            // Taken back: nothing was done, nothing is owed.
            Withdrawn => {}
            _ => self.fed_back += n,
        }
        if late {
            self.late += n;
        }
    }
}

/// A line of the list of orders.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderBrief {
    pub id: String,
    pub number: String,
    pub title: String,
    pub unit: Ref,
    pub category: CategoryRef,
    /// `open`, `cancelled` or `taken_back`.
    pub state: String,
    pub created_at: String,
    pub created_by: String,
    pub due_on: Option<String>,
    /// The day has passed and it is open.
    pub late: bool,
    pub progress: Progress,
}

/// An area's share of an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShareView {
    pub case: CaseBrief,
    /// Who passes it on.
    pub liaison: Option<String>,
    /// The caller may pass it to workers now.
    pub may_pass: bool,
    /// What was done.
    pub result: Option<String>,
    /// What the department was told.
    pub answer: Option<String>,
    pub answered_at: Option<String>,
    pub problems: i64,
    /// Photos of what was done.
    pub photos: Vec<AttachmentView>,
}

/// A step of the closed loop with how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LoopStep {
    /// `carried_out`, `collected`, `reported`, `handled` or `cancelled`.
    pub key: String,
    pub name: String,
    pub done: i64,
    /// None where the number itself is the news.
    pub of: Option<i64>,
}

/// The page of an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderDetail {
    #[serde(flatten)]
    pub brief: OrderBrief,
    pub body: String,
    pub steps: Vec<LoopStep>,
    pub shares: Vec<ShareView>,
    /// Problems found on the way, each a case in the main loop.
    pub problems: Vec<CaseBrief>,
    /// The caller acts for the department: may send back, cancel and take back.
    pub own: bool,
    /// Why it cannot be cancelled now; none when it can.
    pub cancel_refusal: Option<RefusalView>,
    /// Why it cannot be taken back now; none when it can.
    pub take_back_refusal: Option<RefusalView>,
    pub cancelled_at: Option<String>,
    pub cancelled_by: Option<String>,
    pub note: Option<String>,
}

/// A share on the liaison's list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShareItem {
    pub case: CaseBrief,
    pub order: OrderRef,
    pub may_pass: bool,
}

/// A worker a share may be passed to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Candidate {
    pub id: String,
    pub name: String,
    /// The grid.
    pub area: String,
}

/// The mark of an order on a case.
pub fn mark(order: &OrderRow, role: Role) -> OrderRef {
    OrderRef {
        id: order.id.to_string(),
        number: order.number.clone(),
        title: order.title.clone(),
        unit_name: order.unit_name.clone(),
        due_on: order.due_on.clone(),
        role: role.key().to_owned(),
        cancelled: order.cancelled,
    }
}

fn state_of(order: &OrderRow) -> &'static str {
    match (order.cancelled, order.taken_back) {
        (_, true) => "taken_back",
        (true, _) => "cancelled",
        _ => "open",
    }
}

/// Lines of the list, the numbers read in one query.
pub fn briefs(ctx: &Ctx, tx: &mut Tx, rules: &Rules, orders: &[OrderRow]) -> Result<Vec<OrderBrief>, Fault> {
    let ids: Vec<super::OrderId> = orders.iter().map(|order| order.id).collect();
    let progress = store::progress(tx, &ids)?;
    let today = ctx.now.date().to_string();
    let one = |order: &OrderRow| OrderBrief {
        id: order.id.to_string(),
        number: order.number.clone(),
        title: order.title.clone(),
        unit: Ref {
            id: order.unit.to_string(),
            name: order.unit_name.clone(),
        },
        category: CategoryRef {
            code: order.category.clone(),
            name: words::category(ctx.lang, rules, &order.category),
        },
        state: state_of(order).to_owned(),
        created_at: order.created_at.to_string(),
        created_by: order.created_name.clone(),
        due_on: order.due_on.clone(),
        late: !order.cancelled && order.due_on.as_ref().is_some_and(|day| *day < today),
        progress: progress.get(&order.id).copied().unwrap_or_default(),
    };
    Ok(orders.iter().map(one).collect())
}

/// The page: all of it for the department, else the cases the caller may see. Absent when there are none.
pub fn detail(ctx: &Ctx, tx: &mut Tx, order: &OrderRow) -> Result<OrderDetail, Fault> {
    let rules = place::rules(ctx)?;
    let own = acts_for(ctx, tx, order.unit)?;
    let all = store::linked(tx, order.id)?;
    let mut seen: Vec<Linked> = Vec::new();
    for one in &all {
        if own || view::may_read(ctx, tx, &one.row)? {
            seen.push(one.clone());
        }
    }
    if !own && seen.is_empty() {
        return Err(Fault::not_found());
    }
    let brief = briefs(ctx, tx, &rules, std::slice::from_ref(order))?.pop();
    let brief = brief.ok_or_else(|| Fault::internal("one order makes one line"))?;
    let refusal = |code: &str| RefusalView {
        code: code.to_owned(),
        message: i18n::sentence(ctx.lang, code, &[]),
    };
    let rows = |role: Role| -> Vec<_> {
        let of = seen.iter().filter(|one| one.role == role);
        of.map(|one| one.row.clone()).collect()
    };
    let mut shares = Vec::new();
    let share_rows = rows(Role::Share);
    for (row, case) in share_rows.iter().zip(view::briefs(ctx, tx, &rules, &share_rows)?) {
        let found = seen.iter().filter(|one| one.share == Some(row.id)).count();
        shares.push(share(ctx, tx, row, case, found as i64)?);
    }
    Ok(OrderDetail {
        steps: steps(ctx, &brief.progress, order.cancelled && !order.taken_back),
        shares,
        problems: view::briefs(ctx, tx, &rules, &rows(Role::Problem))?,
        body: order.body.clone(),
        own,
        cancel_refusal: may_cancel(order, &all).err().map(refusal),
        take_back_refusal: may_take_back(order, &all).err().map(refusal),
        cancelled_at: order.cancelled_at.map(|at| at.to_string()),
        cancelled_by: order.cancelled_name.clone(),
        note: order.note.clone().filter(|note| !note.is_empty()),
        brief,
    })
}

fn share(
    ctx: &Ctx,
    tx: &mut Tx,
    row: &crate::cases::record::CaseRow,
    case: CaseBrief,
    problems: i64,
) -> Result<ShareView, Fault> {
    let liaison = match row.area_id {
        Some(area) => liaison_of(ctx, tx, area)?,
        None => None,
    };
    let liaison = match liaison {
        Some(worker) => place::worker(tx, worker)?.map(|w| w.name),
        None => None,
    };
    let last = store::answers(tx, row.id)?.pop();
    let handled = store::events(tx, row.id)?
        .into_iter()
        .rev()
        .find(|e| e.kind == "handled");
    let mut photos = view::attachments(tx, row.id)?;
    photos.retain(|photo| matches!(photo.stage.as_str(), "before" | "after"));
    Ok(ShareView {
        may_pass: may_pass(ctx, tx, row)?,
        liaison,
        result: handled.and_then(|e| e.body["result"].as_str().map(str::to_owned)),
        answered_at: last.as_ref().map(|a| a.at.to_string()),
        answer: last.map(|a| a.body),
        problems,
        photos,
        case,
    })
}

/// Whether the caller may pass a share to workers now.
pub fn may_pass(ctx: &Ctx, tx: &mut Tx, row: &crate::cases::record::CaseRow) -> Result<bool, Fault> {
    if row.state != StateKey::Accepted {
        return Ok(false);
    }
    match store::load(tx, row.id)? {
        Some(loaded) => passes_on(ctx, tx, &loaded),
        None => Ok(false),
    }
}

fn steps(ctx: &Ctx, p: &Progress, cancelled: bool) -> Vec<LoopStep> {
    let one = |key: &str, done: i64, of: Option<i64>| LoopStep {
        key: key.to_owned(),
        name: i18n::sentence(ctx.lang, &format!("loop_{key}"), &[]),
        done,
        of,
    };
    vec![
        one("carried_out", p.carried_out + p.fed_back, Some(p.shares)),
        one("collected", p.problems, None),
        one("reported", p.fed_back, Some(p.shares)),
        one("handled", p.problems - p.problems_open, Some(p.problems)),
        one("cancelled", i64::from(cancelled), Some(1)),
    ]
}
