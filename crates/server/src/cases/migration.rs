//! Moving running clocks to the rules in force (时限迁移): an administrator proposes and sees every clock that would change; a second person
//! approves with a reason; a job applies it in bounded batches, one mark in the ledger for each clock.
//!
//! Entry points: [`routes`], [`register`]. Must not: change a clock that is not as it was shown, or one nobody approved.

use super::clocks::{self, ClockRow, LEAD};
use super::place::{self, Rules};
use super::store;
use super::work::{Work, actor_name, sha256_hex};
use super::{actions, words};
use crate::access::Staff;
use crate::platform::http::{Json, Page, PageQuery, Path, Query};
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use domain::cases::Doer;
use domain::cases::clock::migrate::{self, DecideRefusal};
use domain::cases::clock::{self, Limit};
use domain::policy::Step;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

crate::id!(
    /// A proposal to move running clocks to the rules in force.
    MigrationId
);

/// Kind of the job that applies an approved migration.
const APPLY: &str = "cases.migrate_clocks";
/// Clocks looked through in one read.
const LOOK: i64 = 500;
/// Clocks one migration may touch; more are done class by class.
const MAX_TOUCHED: usize = 20_000;
/// Clocks moved in one transaction.
const BATCH: i64 = 100;
/// Characters of the reason that the explanation of a clock quotes.
const QUOTED: usize = 80;

/// Routes of clock migration, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, propose))
        .routes(routes!(page))
        .routes(routes!(decide))
}

/// Makes the job known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, APPLY, Handler::Step(apply));
}

/// A migration as stored.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: MigrationId,
    pub category: Option<String>,
    pub step: Option<String>,
    pub reason: String,
    pub pack_version: String,
    pub pack_number: i64,
    pub state: String,
    pub created_by: AccountId,
    pub created_worker: Option<WorkerId>,
    pub created_name: String,
    pub created_at: Timestamp,
    pub looked_at: i64,
    pub touched: i64,
    pub later: i64,
    pub earlier: i64,
    pub turns_late: i64,
    pub digest: String,
    pub decided_name: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub note: Option<String>,
    pub applied: i64,
    pub skipped: i64,
    pub finished_at: Option<Timestamp>,
}

/// One clock of a migration.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub clock: ClockId,
    pub case: CaseId,
    pub number: String,
    pub step: String,
    pub old_limit: String,
    pub new_limit: String,
    pub old_due: Option<Timestamp>,
    pub new_due: Option<Timestamp>,
    pub was_late: bool,
    pub turns_late: bool,
    pub log_hash: String,
    pub state: String,
}

/// A running clock with what its rule is chosen by.
#[derive(Debug, Clone)]
pub struct Running {
    pub clock: ClockRow,
    pub number: String,
    pub category: String,
}

/// Which clocks.
#[derive(Debug, Clone, Default)]
struct Wanted {
    category: Option<String>,
    step: Option<String>,
}

/// Whole-place rights: whoever keeps the rules proposes, whoever decides on deadlines approves.
fn holds(ctx: &Ctx, permission: Permission) -> bool {
    ctx.scope
        .with(permission)
        .any(|grant| grant.unit.is_none() && grant.depth <= 1)
}

fn may_look(ctx: &Ctx) -> Result<(), Fault> {
    if holds(ctx, Permission::PackManage) || holds(ctx, Permission::CaseApprove) {
        Ok(())
    } else {
        Err(Fault::forbidden())
    }
}

/// What the rules in force would make of a clock; none when it stays as it is.
fn moved(ctx: &Ctx, rules: &Rules, wanted: &Wanted, one: &Running) -> Result<Option<Item>, Fault> {
    let below = |top: &String| rules.pack.lineage(&one.category).iter().any(|up| up.code == *top);
    let asked = wanted.category.as_ref().is_none_or(below) && wanted.step.as_ref().is_none_or(|s| *s == one.clock.step);
    let step = Step::parse(&one.clock.step).filter(|_| asked);
    let Some(rule) = step.and_then(|step| rules.pack.limit(&one.category, one.clock.urgent, step)) else {
        return Ok(None);
    };
    let reference = rules.rule_ref(rule);
    let found = migrate::moved(
        &one.clock.log,
        &rules.calendars,
        ctx.now,
        &reference,
        rule.limit,
        &rules.calendar,
    )
    .map_err(Fault::internal)?;
    Ok(found.map(|found| Item {
        clock: one.clock.id,
        case: one.clock.case,
        number: one.number.clone(),
        step: one.clock.step.clone(),
        old_limit: limit_text(ctx, found.old_limit),
        new_limit: limit_text(ctx, rule.limit),
        old_due: found.old_due,
        new_due: found.new_due,
        was_late: found.was_late,
        turns_late: found.would_be_late && !found.was_late,
        log_hash: sha256_hex(&clocks::write_log(&one.clock.log)),
        state: "waiting".to_owned(),
    }))
}

fn limit_text(ctx: &Ctx, limit: Limit) -> String {
    let lang = if ctx.lang == Lang::En {
        clock::Lang::En
    } else {
        clock::Lang::Zh
    };
    clock::amount_text(limit.amount(), lang)
}

/// What was found going through all running clocks.
struct Walk {
    looked_at: i64,
    items: Vec<Item>,
}

impl Walk {
    /// Names the preview: other clocks, other logs or other limits give another.
    fn digest(&self, pack_number: u32) -> String {
        let mut text = format!("{pack_number}");
        for item in &self.items {
            text += &format!(
                "\n{} {} {}",
                item.clock,
                item.log_hash,
                item.new_due.map_or(0, |at| at.0)
            );
        }
        sha256_hex(&text)
    }
}

/// Goes through the running clocks in reads of a bounded size; nothing is changed.
async fn walk(ctx: &Ctx, wanted: &Wanted) -> Result<Walk, Fault> {
    let mut found = Walk {
        looked_at: 0,
        items: Vec::new(),
    };
    let mut after = String::new();
    loop {
        let (wanted, from) = (wanted.clone(), after.clone());
        let read = move |ctx: &Ctx, tx: &mut Tx| {
            let rules = place::rules(ctx)?;
            let clocks = store::running_clocks(tx, &from, LOOK)?;
            let last = clocks.last().map(|one| one.clock.id.to_string());
            let items: Result<Vec<_>, Fault> = clocks.iter().map(|one| moved(ctx, &rules, &wanted, one)).collect();
            Ok((clocks.len() as i64, last, items?))
        };
        let (count, last, items) = ctx.app.read(ctx, read).await?;
        found.looked_at += count;
        found.items.extend(items.into_iter().flatten());
        if found.items.len() > MAX_TOUCHED {
            return Err(Fault::refused("too_many_clocks").with("most", MAX_TOUCHED));
        }
        match last {
            Some(last) if count == LOOK => after = last,
            _ => return Ok(found),
        }
    }
}

/// A migration in the list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MigrationView {
    pub id: String,
    pub category: Option<String>,
    pub category_name: Option<String>,
    pub step: Option<String>,
    pub step_name: Option<String>,
    pub reason: String,
    /// The pack whose rules are to hold.
    pub pack_version: String,
    /// `proposed`, `approved`, `done`, `refused` or `stale`.
    pub state: String,
    pub created_by: String,
    pub created_at: String,
    /// Running clocks looked through.
    pub looked_at: i64,
    pub touched: i64,
    pub later: i64,
    pub earlier: i64,
    pub turns_late: i64,
    pub decided_by: Option<String>,
    pub decided_at: Option<String>,
    pub note: Option<String>,
    pub applied: i64,
    /// No longer as shown when their turn came: left as they were.
    pub skipped: i64,
    pub finished_at: Option<String>,
    /// Proposed by the caller, who therefore cannot decide it.
    pub own: bool,
    /// The caller may decide on deadlines of the whole place.
    pub may_decide: bool,
}

/// A clock that would change, or has.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MigratedClock {
    pub clock_id: String,
    pub case_id: String,
    pub number: String,
    pub step_name: String,
    pub old_limit: String,
    pub new_limit: String,
    pub old_due: Option<String>,
    pub new_due: Option<String>,
    pub was_late: bool,
    pub turns_late: bool,
    /// `waiting`, `applied` or `skipped`.
    pub state: String,
}

/// A migration with a page of its clocks.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MigrationDetail {
    #[serde(flatten)]
    pub migration: MigrationView,
    pub clocks: Vec<MigratedClock>,
    /// Where the next page of clocks begins.
    pub next: Option<String>,
}

fn doer(ctx: &Ctx) -> Result<Doer, Fault> {
    let worker = match &ctx.actor {
        Actor::Account { worker, .. } => *worker,
        _ => None,
    };
    Ok(Doer {
        account: ctx.account()?.into(),
        worker: worker.map(Into::into),
    })
}

impl Row {
    fn proposer(&self) -> Doer {
        Doer {
            account: self.created_by.into(),
            worker: self.created_worker.map(Into::into),
        }
    }
}

fn view_of(ctx: &Ctx, rules: &Rules, row: Row) -> Result<MigrationView, Fault> {
    Ok(MigrationView {
        own: row.proposer().same_person(&doer(ctx)?),
        may_decide: holds(ctx, Permission::CaseApprove),
        id: row.id.to_string(),
        category_name: row.category.as_ref().map(|code| words::category(ctx.lang, rules, code)),
        category: row.category,
        step_name: row.step.as_ref().map(|step| words::step(ctx.lang, step)),
        step: row.step,
        reason: row.reason,
        pack_version: row.pack_version,
        state: row.state,
        created_by: row.created_name,
        created_at: row.created_at.to_string(),
        looked_at: row.looked_at,
        touched: row.touched,
        later: row.later,
        earlier: row.earlier,
        turns_late: row.turns_late,
        decided_by: row.decided_name,
        decided_at: row.decided_at.map(|at| at.to_string()),
        note: row.note,
        applied: row.applied,
        skipped: row.skipped,
        finished_at: row.finished_at.map(|at| at.to_string()),
    })
}

fn detail(ctx: &Ctx, tx: &mut Tx, row: Row, paging: &PageQuery) -> Result<MigrationDetail, Fault> {
    let rules = place::rules(ctx)?;
    let after: Option<String> = paging.after()?;
    let items = store::migration_items(
        tx,
        row.id,
        after.as_deref().unwrap_or_default(),
        i64::from(paging.limit()) + 1,
    )?;
    let page = Page::cut(items, paging.limit(), |item| item.clock.to_string());
    let one = |item: Item| MigratedClock {
        clock_id: item.clock.to_string(),
        case_id: item.case.to_string(),
        number: item.number,
        step_name: words::step(ctx.lang, &item.step),
        old_limit: item.old_limit,
        new_limit: item.new_limit,
        old_due: item.old_due.map(|at| at.to_string()),
        new_due: item.new_due.map(|at| at.to_string()),
        was_late: item.was_late,
        turns_late: item.turns_late,
        state: item.state,
    };
    Ok(MigrationDetail {
        migration: view_of(ctx, &rules, row)?,
        clocks: page.items.into_iter().map(one).collect(),
        next: page.next,
    })
}

/// Migrations, the newest first.
#[utoipa::path(get, path = "/clock-migrations", params(PageQuery), responses((status = 200, body = Page<MigrationView>)), tag = "cases")]
async fn list(Staff(ctx): Staff, Query(paging): Query<PageQuery>) -> Result<Json<Page<MigrationView>>, Fault> {
    may_look(&ctx)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let rules = place::rules(ctx)?;
            let rows = store::migrations(tx, paging.after()?, paging.limit())?;
            let page = Page::cut(rows, paging.limit(), |row| (row.created_at.0, row.id.to_string()));
            let items: Result<Vec<_>, Fault> = page.items.into_iter().map(|row| view_of(ctx, &rules, row)).collect();
            Ok(Page {
                items: items?,
                next: page.next,
            })
        })
        .await
        .map(Json)
}

/// A proposal: which running clocks are to follow the rules in force.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct Proposal {
    /// Made by the client; a retry carries the same.
    id: MigrationId,
    /// A class of matter with everything below it; all when left out.
    #[serde(default)]
    category: Option<String>,
    /// `accept`, `dispatch`, `handle`, `answer` or `verify`; all when left out.
    #[serde(default)]
    step: Option<String>,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Proposes to move running clocks to the rules in force, with a preview of each clock touched. Nothing is changed.
#[utoipa::path(post, path = "/clock-migrations", request_body = Proposal, responses((status = 200, body = MigrationDetail)), tag = "cases")]
async fn propose(Staff(ctx): Staff, Json(proposal): Json<Proposal>) -> Result<Json<MigrationDetail>, Fault> {
    if !holds(&ctx, Permission::PackManage) {
        return Err(Fault::forbidden());
    }
    let rules = place::rules(&ctx)?;
    let reason = actions::text("reason", &proposal.reason)?.to_owned();
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        category: filled(proposal.category),
        step: filled(proposal.step),
    };
    if wanted
        .category
        .as_deref()
        .is_some_and(|code| rules.pack.category(code).is_none())
    {
        return Err(Fault::invalid("category", "category_unknown"));
    }
    if wanted.step.as_deref().is_some_and(|step| Step::parse(step).is_none()) {
        return Err(Fault::invalid("step", "step_unknown"));
    }
    let found = walk(&ctx, &wanted).await?;
    if found.items.is_empty() {
        return Err(Fault::refused("no_clock_touched"));
    }
    let count = |is: fn(&Item) -> bool| found.items.iter().filter(|item| is(item)).count() as i64;
    let by = doer(&ctx)?;
    let row = Row {
        id: proposal.id,
        category: wanted.category,
        step: wanted.step,
        reason,
        pack_version: rules.version.clone(),
        pack_number: i64::from(rules.number),
        state: "proposed".to_owned(),
        created_by: by.account.into(),
        created_worker: by.worker.map(Into::into),
        created_name: actor_name(&ctx).unwrap_or_default().to_owned(),
        created_at: ctx.now,
        looked_at: found.looked_at,
        touched: found.items.len() as i64,
        later: count(|item| item.new_due > item.old_due),
        earlier: count(|item| item.new_due < item.old_due),
        turns_late: count(|item| item.turns_late),
        digest: found.digest(rules.number),
        decided_name: None,
        decided_at: None,
        note: None,
        applied: 0,
        skipped: 0,
        finished_at: None,
    };
    ctx.app
        .write(&ctx, move |ctx, tx| {
            if let Some(existing) = store::migration(tx, row.id)? {
                if existing.created_by != row.created_by {
                    return Err(Fault::conflict("id_used"));
                }
                return detail(ctx, tx, existing, &PageQuery::default());
            }
            store::insert_migration(tx, &row, &found.items)?;
            let body = json!({
                "migration": row.id.to_string(), "pack": row.pack_version, "category": row.category, "step": row.step,
                "touched": row.touched, "turns_late": row.turns_late, "digest": row.digest,
            });
            tx.record(ctx, Mark::new("clock_migration.proposed", Subject::Pack, body))?;
            detail(ctx, tx, row, &PageQuery::default())
        })
        .await
        .map(Json)
}

/// A migration with its clocks, page by page.
#[utoipa::path(get, path = "/clock-migrations/{id}", params(("id" = String, Path), PageQuery), responses((status = 200, body = MigrationDetail)), tag = "cases")]
async fn page(
    Staff(ctx): Staff,
    Path(id): Path<MigrationId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<MigrationDetail>, Fault> {
    may_look(&ctx)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let row = store::migration(tx, id)?.ok_or_else(Fault::not_found)?;
            detail(ctx, tx, row, &paging)
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = MigrationDecision)]
struct Decision {
    approve: bool,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// A second person approves or refuses. Approved, a job applies it; when the clocks are no longer those of the preview, it is out of date
/// and must be proposed again.
#[utoipa::path(post, path = "/clock-migrations/{id}/decide", params(("id" = String, Path)), request_body = Decision,
    responses((status = 200, body = MigrationDetail)), tag = "cases")]
async fn decide(
    Staff(ctx): Staff,
    Path(id): Path<MigrationId>,
    Json(decision): Json<Decision>,
) -> Result<Json<MigrationDetail>, Fault> {
    may_look(&ctx)?;
    let row = ctx.app.read(&ctx, move |_, tx| store::migration(tx, id)).await?;
    let row = row.ok_or_else(Fault::not_found)?;
    if !holds(&ctx, Permission::CaseApprove) && !row.proposer().same_person(&doer(&ctx)?) {
        return Err(Fault::forbidden());
    }
    let reason = actions::text("reason", &decision.reason)?.to_owned();
    let wanted = Wanted {
        category: row.category.clone(),
        step: row.step.clone(),
    };
    let rules = place::rules(&ctx)?;
    let as_shown =
        i64::from(rules.number) == row.pack_number && walk(&ctx, &wanted).await?.digest(rules.number) == row.digest;
    let done = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let mut row = store::migration_locked(tx, id)?.ok_or_else(Fault::not_found)?;
            let verdict = migrate::may_decide(row.state == "proposed", &row.proposer(), &doer(ctx)?, decision.approve, as_shown);
            let action = match verdict {
                Ok(()) if decision.approve => "clock_migration.approved",
                Ok(()) => "clock_migration.refused",
                Err(DecideRefusal::Stale) => "clock_migration.stale",
                Err(refusal) => return Err(Fault::refused(refusal.code())),
            };
            row.state = action.rsplit('.').next().unwrap_or_default().to_owned();
            if verdict.is_ok() {
                row.decided_name = actor_name(ctx).map(str::to_owned);
                row.decided_at = Some(ctx.now);
                row.note = Some(reason);
            }
            store::update_migration(tx, &row)?;
            let body = json!({ "migration": id.to_string(), "pack": row.pack_version, "touched": row.touched, "digest": row.digest });
            tx.record(ctx, Mark::new(action, Subject::Pack, body))?;
            if row.state == "approved" {
                jobs::enqueue(ctx, tx, APPLY, &id.to_string(), ctx.now, &json!({ "migration": id.to_string() }))?;
            }
            Ok((verdict, detail(ctx, tx, row, &PageQuery::default())?))
        })
        .await?;
    match done {
        (Ok(()), detail) => Ok(Json(detail)),
        (Err(refusal), _) => Err(Fault::refused(refusal.code())),
    }
}

/// One batch of an approved migration.
fn apply(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id: MigrationId = payload["migration"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Fault::internal("a migration without its id"))?;
    let rules = place::rules(ctx)?;
    let Some(mut row) = store::migration_locked(tx, id)?.filter(|row| row.state == "approved") else {
        return Ok(Outcome::Done);
    };
    let items = store::waiting_items(tx, id, BATCH)?;
    let more = items.len() as i64 == BATCH;
    let pack_holds = i64::from(rules.number) == row.pack_number;
    for item in &items {
        let done = pack_holds && apply_one(ctx, tx, &rules, &row, item)?;
        store::settle_item(tx, id, item.clock, if done { "applied" } else { "skipped" })?;
        if done {
            row.applied += 1;
        } else {
            row.skipped += 1;
        }
    }
    if !more {
        row.state = "done".to_owned();
        row.finished_at = Some(ctx.now);
    }
    store::update_migration(tx, &row)?;
    let body =
        json!({ "migration": id.to_string(), "applied": row.applied, "skipped": row.skipped, "finished": !more });
    tx.record(ctx, Mark::new("clock_migration.applied", Subject::Pack, body))?;
    Ok(if more { Outcome::Again(ctx.now) } else { Outcome::Done })
}

/// Moves one clock, if it is still as it was shown.
fn apply_one(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &Row, item: &Item) -> Result<bool, Fault> {
    let mut work = Work::open_own(ctx, tx, item.case)?;
    let found = store::clocks_of(tx, item.case)?
        .into_iter()
        .find(|clock| clock.id == item.clock);
    let Some(mut clock) = found.filter(|clock| sha256_hex(&clocks::write_log(&clock.log)) == item.log_hash) else {
        return Ok(false);
    };
    let category = work.row.category_code.clone().unwrap_or_default();
    let step = Step::parse(&clock.step).ok_or_else(|| Fault::internal("a clock of an unknown step"))?;
    let Some(rule) = rules.pack.limit(&category, clock.urgent, step) else {
        return Ok(false);
    };
    let quoted: String = row.reason.chars().take(QUOTED).collect();
    let approval = format!("{}：{quoted}", row.decided_name.as_deref().unwrap_or_default());
    clocks::migrate(ctx, tx, rules, &mut clock, rule, &approval)?;
    if clock.party == LEAD {
        clocks::note_due(&mut work.row, Some(&clock));
    }
    let body = json!({
        "step": clock.step, "from": item.old_limit, "to": item.new_limit, "migration": row.id.to_string(),
        "clock": clock.id.to_string(), "old_due": item.old_due.map(|at| at.to_string()), "new_due": clock.due_at.map(|at| at.to_string()),
        "reason": row.reason, "worker": row.decided_name,
    });
    work.save(ctx, tx, "case.clock_migrated", body)?;
    Ok(true)
}
