//! Mediation 调解 around a case (ZS-17): the pack's rungs as they are here, what was held, and the follow-up that an agreement owes.
//!
//! Entry points: [`rungs`] (where the dispute is and where it goes when mediation fails), [`of_case`] (what was held), [`remind`] (the
//! follow-up as a timer), [`routes`]. The outcome itself is recorded by the case's action `mediate`.

use super::place::{self, Rules};
use super::record::CaseRow;
use super::view::CaseBrief;
use super::{actions, alerts, store, view, work};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use domain::cases::Mediation;
use domain::time::{HOUR_MS, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

crate::id!(
    /// One mediation of a dispute.
    MediationId
);

/// Kind of the timer of a follow-up.
const FOLLOW_UP: &str = "cases.follow_up";
/// Hour of the day at which a follow-up is brought to mind, local time.
const REMIND_HOUR: i64 = 9;
/// Follow-ups of one list.
const MAX_LIST: u32 = 200;

/// Routes of mediation, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(follow_ups))
        .routes(routes!(follow_up))
}

/// Makes the timer known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, FOLLOW_UP, Handler::Step(bring_to_mind));
}

/// A rung of the pack with its unit here.
#[derive(Debug, Clone)]
pub struct Rung {
    pub key: String,
    pub name: String,
    pub unit: UnitId,
}

/// Where a dispute stands on the ladder of mediation.
#[derive(Debug, Clone)]
pub struct Rungs {
    /// The rung of the unit that has it; none when that unit is no mediator of the pack.
    pub here: Option<Rung>,
    /// Name of the unit that has it.
    pub unit_name: String,
    /// Where it goes when mediation fails; none at the top.
    pub next: Option<Rung>,
}

/// The rungs around a case: never back to one that has failed, and only where the place has such a unit.
pub fn rungs(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow) -> Result<Rungs, Fault> {
    let unit_name = match row.unit_id {
        Some(unit) => place::unit(ctx, tx, unit)?.map(|u| u.name).unwrap_or_default(),
        None => String::new(),
    };
    let mut found = Vec::new();
    for (at, rung) in rules.pack.mediation.iter().enumerate() {
        let Some(area) = row.area_id else { break };
        if let Some(unit) = place::unit_of_body(ctx, tx, &rung.body, &rung.level, area)? {
            let name = ctx.lang.pick(&rung.name.zh, &rung.name.en).to_owned();
            found.push((
                at,
                Rung {
                    key: rung.key.clone(),
                    name,
                    unit,
                },
            ));
        }
    }
    let here = found
        .iter()
        .rev()
        .find(|(_, rung)| row.unit_id == Some(rung.unit))
        .cloned();
    let failed = store::mediations(tx, row.id)?
        .into_iter()
        .filter(|held| held.outcome == Mediation::Failed)
        .filter_map(|held| {
            rules
                .pack
                .mediation
                .iter()
                .position(|rung| Some(&rung.key) == held.rung.as_ref())
        })
        .max();
    let passed = here.as_ref().map(|(at, _)| *at).max(failed);
    let next = found
        .into_iter()
        .find(|(at, rung)| passed.is_none_or(|passed| *at > passed) && row.unit_id != Some(rung.unit));
    Ok(Rungs {
        here: here.map(|(_, rung)| rung),
        unit_name,
        next: next.map(|(_, rung)| rung),
    })
}

/// A mediation that was held.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: MediationId,
    /// Key of the pack's rung.
    pub rung: Option<String>,
    pub rung_name: String,
    pub mediator: String,
    pub worker: Option<WorkerId>,
    /// ISO date.
    pub held_on: String,
    pub outcome: Mediation,
    pub words: String,
    pub next_name: Option<String>,
    /// ISO date.
    pub follow_up_on: Option<String>,
}

/// What was found at the follow-up.
#[derive(Debug, Clone)]
pub struct FollowedUp {
    pub at: Timestamp,
    pub by: String,
    pub kept: bool,
    pub note: String,
}

/// A mediation on the case page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MediationView {
    pub id: String,
    /// Name of the rung, or of the unit that mediated.
    pub rung: String,
    pub mediator: String,
    pub held_on: String,
    /// `agreed`, `failed` or `withdrawn`.
    pub outcome: String,
    pub outcome_name: String,
    /// What was agreed, or why not.
    pub words: String,
    /// Where it went when it failed.
    pub next: Option<String>,
    pub follow_up_on: Option<String>,
    pub followed_up_at: Option<String>,
    pub followed_up_by: Option<String>,
    pub kept: Option<bool>,
    pub follow_up_note: Option<String>,
}

fn view_of(ctx: &Ctx, held: Held, after: Option<FollowedUp>) -> MediationView {
    MediationView {
        id: held.id.to_string(),
        rung: held.rung_name,
        mediator: held.mediator,
        held_on: held.held_on,
        outcome: held.outcome.key().to_owned(),
        outcome_name: i18n::sentence(ctx.lang, &format!("outcome_{}", held.outcome.key()), &[]),
        words: held.words,
        next: held.next_name,
        follow_up_on: held.follow_up_on,
        followed_up_at: after.as_ref().map(|f| f.at.to_string()),
        followed_up_by: after.as_ref().map(|f| f.by.clone()),
        kept: after.as_ref().map(|f| f.kept),
        follow_up_note: after.map(|f| f.note).filter(|note| !note.is_empty()),
    }
}

/// The mediations of a case, oldest first.
pub fn of_case(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<Vec<MediationView>, Fault> {
    let rows = store::mediations_followed(tx, case)?;
    Ok(rows
        .into_iter()
        .map(|(held, after)| view_of(ctx, held, after))
        .collect())
}

/// Sets the timer of the follow-up.
pub fn remind(ctx: &Ctx, tx: &mut Tx, held: &Held, on: Option<jiff::civil::Date>) -> Result<(), Fault> {
    let Some(on) = on else { return Ok(()) };
    let due = Timestamp::start_of(on).plus_ms(REMIND_HOUR * HOUR_MS);
    jobs::once(
        ctx,
        tx,
        FOLLOW_UP,
        &held.id.to_string(),
        due,
        &json!({ "mediation": held.id.to_string() }),
    )
}

/// The day has come: whoever mediated hears of it, unless it was looked at already.
fn bring_to_mind(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id: MediationId = payload["mediation"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Fault::internal("a follow-up without its mediation"))?;
    let Some((case, held, None)) = store::mediation(tx, id)? else {
        return Ok(Outcome::Done);
    };
    let Some(row) = store::load_locked(tx, case)?.map(|loaded| loaded.row) else {
        return Ok(Outcome::Done);
    };
    if let Some(worker) = held.worker {
        let body = json!({ "number": row.number, "title": row.title });
        alerts::tell(ctx, tx, worker, &row, "follow_up", body)?;
    }
    work::note(ctx, tx, &row, "case.follow_up_due", json!({ "worker": held.mediator }))?;
    Ok(Outcome::Done)
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct FollowUpsQuery {
    /// Area, with everything below it.
    area: Option<String>,
    limit: Option<u32>,
}

/// An agreement whose follow-up is owed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FollowUpView {
    pub case: CaseBrief,
    pub mediation: MediationView,
    /// The day has passed.
    pub late: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct FollowUpList {
    items: Vec<FollowUpView>,
}

/// Agreements whose follow-up is owed, the earliest day first (at most 200).
#[utoipa::path(get, path = "/mediations/follow-ups", params(FollowUpsQuery), responses((status = 200, body = FollowUpList)), tag = "cases")]
async fn follow_ups(Staff(ctx): Staff, Query(query): Query<FollowUpsQuery>) -> Result<Json<FollowUpList>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let rules = place::rules(ctx)?;
            let reaches = super::queue::within(ctx, Permission::CaseRead, query.area.as_deref())?;
            let most = i64::from(query.limit.unwrap_or(MAX_LIST).clamp(1, MAX_LIST));
            let mut owed: Vec<(CaseRow, Held)> = Vec::new();
            for reach in &reaches {
                for (row, held) in store::owed_follow_ups(tx, reach, most)? {
                    if !owed.iter().any(|(_, known)| known.id == held.id) {
                        owed.push((row, held));
                    }
                }
            }
            owed.sort_by(|(_, a), (_, b)| (&a.follow_up_on, a.id).cmp(&(&b.follow_up_on, b.id)));
            owed.truncate(most as usize);
            let rows: Vec<CaseRow> = owed.iter().map(|(row, _)| row.clone()).collect();
            let today = ctx.now.date().to_string();
            let briefs = view::briefs(ctx, tx, &rules, &rows)?;
            let items = briefs.into_iter().zip(owed).map(|(case, (_, held))| FollowUpView {
                late: held.follow_up_on.as_ref().is_some_and(|day| *day < today),
                mediation: view_of(ctx, held, None),
                case,
            });
            Ok(FollowUpList { items: items.collect() })
        })
        .await
        .map(Json)
}

#[derive(Debug, Deserialize, ToSchema)]
struct FollowUpInput {
    /// Whether the agreement is kept.
    kept: bool,
    /// What was found; needed when it is not kept.
    #[serde(default)]
    note: String,
}

/// Records whether an agreement is kept. Not kept: the case is there to be done again or reopened, by whoever has that right.
#[utoipa::path(post, path = "/cases/{id}/mediations/{mediation_id}/follow-up", params(("id" = String, Path), ("mediation_id" = String, Path)),
    request_body = FollowUpInput, responses((status = 200, body = Vec<MediationView>)), tag = "cases")]
async fn follow_up(
    Staff(ctx): Staff,
    Path((id, mediation)): Path<(CaseId, MediationId)>,
    Json(input): Json<FollowUpInput>,
) -> Result<Json<Vec<MediationView>>, Fault> {
    let ctx = ctx.for_purpose(Purpose::HandleCase(id));
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let permissions = [Permission::CaseHandle, Permission::CaseVerify];
            let work = work::Work::open(ctx, tx, id, &permissions, None)?;
            let note = if input.kept {
                input.note.trim()
            } else {
                actions::text("note", &input.note)?
            };
            let found = store::mediation(tx, mediation)?.filter(|(case, _, _)| *case == id);
            let (_, held, before) = found.ok_or_else(Fault::not_found)?;
            if held.follow_up_on.is_none() {
                return Err(Fault::refused("no_follow_up"));
            }
            if before.is_some() {
                return Err(Fault::refused("follow_up_done"));
            }
            let after = FollowedUp {
                at: ctx.now,
                by: work::actor_name(ctx).unwrap_or_default().to_owned(),
                kept: input.kept,
                note: note.to_owned(),
            };
            store::follow_up(tx, mediation, &after)?;
            jobs::revoke(ctx, tx, FOLLOW_UP, &mediation.to_string())?;
            let kind = if input.kept {
                "case.followed_up"
            } else {
                "case.follow_up_broken"
            };
            work::note(ctx, tx, &work.row, kind, json!({ "note": note, "kept": input.kept }))?;
            of_case(ctx, tx, id)
        })
        .await
        .map(Json)
}
