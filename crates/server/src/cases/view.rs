//! What a case looks like from outside: a line in a list, the case page.
//!
//! Promise 7: who reported is masked, and wholly hidden from those without the right to see it; handlers see "reporter 1", "reporter 2".
//! Must not: change anything. Reading the case page with reporters on it is logged by the caller.

use super::classify;
use super::mediation::{self, MediationView};
use super::orders::{self, OrderRef};
use super::place::{self, Labels, Rules};
use super::record::{CaseRow, LineRow, Loaded, ReporterRow};
use super::work;
use super::{actions, clocks, store, words};
use crate::platform::*;
use domain::cases::table::Action;
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Ref {
    pub id: String,
    pub name: String,
}

/// A category by code and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CategoryRef {
    pub code: String,
    pub name: String,
}

/// An area by id, name and full name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AreaRef {
    pub id: String,
    pub name: String,
    pub full_name: String,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseBrief {
    pub id: String,
    pub number: String,
    pub title: String,
    pub category: Option<CategoryRef>,
    pub state: String,
    pub state_name: String,
    pub urgent: bool,
    pub supervised: bool,
    pub area: Option<AreaRef>,
    pub unit: Option<Ref>,
    pub worker: Option<Ref>,
    pub due_at: Option<String>,
    pub due_step: Option<String>,
    pub late: bool,
    /// Another platform handles it now.
    pub away: bool,
    pub remaining_text: Option<String>,
    pub received_at: String,
    pub channel: String,
    /// The visiting team that heard it.
    pub team: Option<Ref>,
    pub reporter_count: i64,
    pub returned_count: u32,
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    pub row_version: i64,
}

/// A case near another, or alike.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NearbyCase {
    #[serde(flatten)]
    pub case: CaseBrief,
    pub distance_m: Option<f64>,
    pub similarity: Option<f64>,
}

/// A suggested category.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CategorySuggestion {
    pub code: String,
    pub name: String,
    pub confidence: f64,
    /// The words that decided.
    pub reasons: Vec<String>,
}

/// Who reported, masked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReporterView {
    pub id: String,
    pub name_masked: Option<String>,
    pub phone_masked: Option<String>,
}

/// One report of the case.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportView {
    pub id: String,
    /// `诉求人 1`: what handlers see instead of a name.
    pub label: String,
    pub number: String,
    pub channel: String,
    pub received_at: String,
    pub body: String,
    pub reporter: Option<ReporterView>,
    pub anonymous: bool,
    pub answered: bool,
    pub withdrawn: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventView {
    pub seq: i64,
    pub at: String,
    pub kind: String,
    pub kind_name: String,
    pub actor_name: Option<String>,
    pub unit_name: Option<String>,
    pub text: String,
    #[schema(value_type = Object)]
    pub body: Value,
}

/// A clock.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClockView {
    pub id: String,
    pub party: String,
    pub party_name: String,
    pub step: String,
    pub step_name: String,
    pub state: String,
    pub due_at: Option<String>,
    pub warn_at: Option<String>,
    pub late: bool,
}

/// A co-handler's part.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CoHandlerView {
    pub id: String,
    pub unit: Ref,
    pub part: String,
    pub state: String,
    pub state_name: String,
    pub due_at: Option<String>,
    pub result: Option<String>,
}

/// A request with its decision.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestView {
    pub id: String,
    pub kind: String,
    pub kind_name: String,
    pub asked_by: String,
    pub asked_at: String,
    pub reason: String,
    pub until: Option<String>,
    pub days: Option<f64>,
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<String>,
    pub note: Option<String>,
}

/// An answer given.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AnswerView {
    pub id: String,
    pub report_id: Option<String>,
    pub by: String,
    pub way: String,
    pub body: String,
    pub resident_said: Option<String>,
    pub solved: Option<bool>,
    pub rating: Option<i64>,
    pub at: String,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VerificationView {
    pub id: String,
    pub by: String,
    /// `pass` or `fail`.
    pub result: String,
    pub note: Option<String>,
    pub at: String,
}

/// A photo.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AttachmentView {
    pub hash: String,
    pub thumb_url: String,
    pub url: String,
    pub stage: String,
    pub mime: Option<String>,
    pub width: Option<i64>,
    pub height: Option<i64>,
}

/// The refusal behind a grey button.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RefusalView {
    pub code: String,
    pub message: String,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ActionView {
    pub key: String,
    pub name: String,
    pub enabled: bool,
    pub refusal: Option<RefusalView>,
}

/// Another case by number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseLink {
    pub id: String,
    pub number: String,
}

/// Suggestions while the category is not settled.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Suggested {
    pub categories: Vec<CategorySuggestion>,
}

/// The case page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseDetail {
    #[serde(flatten)]
    pub brief: CaseBrief,
    pub body: String,
    pub address: Option<String>,
    pub place_note: Option<String>,
    pub kind: String,
    /// Why a person must look first.
    pub look: Option<String>,
    pub outcome: Option<String>,
    pub confidence: Option<f64>,
    pub category_source: Option<String>,
    pub second_category: Option<CategoryRef>,
    pub rework_count: u32,
    pub reopened_count: u32,
    pub urged_count: u32,
    /// Minutes from report to arrival, once somebody arrived.
    pub arrival_minutes: Option<i64>,
    pub paused: bool,
    pub reports: Vec<ReportView>,
    pub events: Vec<EventView>,
    pub clocks: Vec<ClockView>,
    pub co_handlers: Vec<CoHandlerView>,
    pub requests: Vec<RequestView>,
    /// The work order it is a share of, or was found in.
    pub order: Option<OrderRef>,
    /// Mediations held, of a dispute.
    pub mediations: Vec<MediationView>,
    /// Where the dispute goes when mediation fails now; none at the top of the pack's ladder.
    pub mediation_next: Option<String>,
    pub answers: Vec<AnswerView>,
    pub verifications: Vec<VerificationView>,
    pub attachments: Vec<AttachmentView>,
    pub actions: Vec<ActionView>,
    pub merged_into: Option<CaseLink>,
    pub merged: Vec<CaseLink>,
    pub suggested: Suggested,
    /// Other open matters of those who reported it; as the reporters, only for whom may see them.
    pub caller_open: Vec<CaseBrief>,
    /// What the person may do with this case, as permission keys.
    pub permissions: Vec<String>,
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// A case where it is only spoken of: which it is, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseMark {
    pub id: CaseId,
    pub number: String,
    pub title: String,
    pub state: String,
    pub state_name: String,
    /// Not closed, withdrawn or refused.
    pub open: bool,
}

/// Those of some cases that are here and the caller may see.
pub fn marks(ctx: &Ctx, tx: &mut Tx, of: &[CaseId]) -> Result<Vec<CaseMark>, Fault> {
    let mut found = Vec::new();
    for id in of {
        let Some(row) = store::case_row(tx, *id)? else { continue };
        if may_read(ctx, tx, &row)? {
            found.push(CaseMark {
                id: row.id,
                state_name: words::state(ctx.lang, row.state),
                state: row.state.key().to_owned(),
                open: row.is_open(),
                number: row.number,
                title: row.title,
            });
        }
    }
    Ok(found)
}

/// Lines of a list, with all names looked up at once.
pub fn briefs(ctx: &Ctx, tx: &mut Tx, rules: &Rules, rows: &[CaseRow]) -> Result<Vec<CaseBrief>, Fault> {
    lines(ctx, tx, rules, rows.iter().map(LineRow::from).collect())
}

/// As [`briefs`], of rows that hold no more than a line shows.
pub fn lines(ctx: &Ctx, tx: &mut Tx, rules: &Rules, rows: Vec<LineRow>) -> Result<Vec<CaseBrief>, Fault> {
    let labels = place::labels(ctx, tx, &rows)?;
    Ok(rows.into_iter().map(|row| brief(ctx, rules, &labels, row)).collect())
}

fn brief(ctx: &Ctx, rules: &Rules, labels: &Labels, row: LineRow) -> CaseBrief {
    let open = row.is_open();
    let due = row.due_at.filter(|_| open);
    CaseBrief {
        id: row.id.to_string(),
        number: row.number,
        title: row.title,
        category: row.category_code.map(|code| CategoryRef {
            name: words::category(ctx.lang, rules, &code),
            code,
        }),
        state: row.state.key().to_owned(),
        state_name: words::state(ctx.lang, row.state),
        urgent: row.urgent,
        supervised: row.supervised,
        area: row.area_id.and_then(|id| {
            labels.areas.get(&id).map(|(name, full)| AreaRef {
                id: id.to_string(),
                name: name.clone(),
                full_name: full.clone(),
            })
        }),
        unit: row.unit_id.and_then(|id| named(&labels.units, id)),
        worker: row.worker_id.and_then(|id| named(&labels.workers, id)),
        due_at: time(due),
        due_step: row.due_step.filter(|_| open),
        late: due.is_some_and(|due| due < ctx.now),
        away: row.away,
        remaining_text: due.map(|due| words::remaining(ctx.lang, ctx.now, due)),
        received_at: row.received_at.to_string(),
        channel: row.channel,
        team: row.team_id.and_then(|id| named(&labels.teams, id)),
        reporter_count: row.reporter_count,
        returned_count: row.returned,
        lon: row.lon,
        lat: row.lat,
        row_version: row.row_version,
    }
}

fn named<I: std::hash::Hash + Eq + ToString>(names: &HashMap<I, String>, id: I) -> Option<Ref> {
    names.get(&id).map(|name| Ref {
        id: id.to_string(),
        name: name.clone(),
    })
}

/// Open matters of the same caller shown beside a case, at most.
const CALLER_OPEN: usize = 10;

/// The case page without who reported: see [`add_reporters`].
pub fn detail(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded) -> Result<CaseDetail, Fault> {
    let rules = place::rules(ctx)?;
    let (row, beside) = (&loaded.row, loaded.beside);
    let facts = loaded.scope_facts();
    let brief = briefs(ctx, tx, &rules, std::slice::from_ref(row))?.pop();
    let brief = brief.ok_or_else(|| Fault::internal("one row makes one line"))?;
    let undecided = row.is_open() && !matches!(row.category_source.as_deref(), Some("staff"));
    let suggested = if undecided {
        let guesses = classify::guesses_of(ctx, tx, &rules, row)?;
        guesses.into_iter().map(|g| suggestion(ctx, &rules, g)).collect()
    } else {
        Vec::new()
    };
    let permissions = ctx
        .scope
        .permissions()
        .iter()
        .filter(|p| ctx.scope.sees(&facts, *p))
        .map(|p| p.key().to_owned())
        .collect();
    Ok(CaseDetail {
        body: row.body.clone(),
        address: row.address.clone(),
        place_note: row.place_note.clone(),
        kind: row.kind.clone(),
        look: row.look.clone(),
        outcome: row.outcome.clone(),
        confidence: row.confidence,
        category_source: row.category_source.clone(),
        second_category: row.second_category.as_ref().map(|code| CategoryRef {
            code: code.clone(),
            name: words::category(ctx.lang, &rules, code),
        }),
        rework_count: row.counts.reworked,
        reopened_count: row.counts.reopened,
        urged_count: row.counts.urged,
        arrival_minutes: row
            .arrived_at
            .map(|at| (at.0 - row.received_at.0) / domain::time::MINUTE_MS),
        paused: row.paused,
        reports: reports(ctx, loaded),
        events: events(ctx, tx, &rules, row.id)?,
        clocks: clock_views(ctx, tx, loaded)?,
        co_handlers: loaded.co_handlers.iter().map(|c| co_handler(ctx, c)).collect(),
        requests: loaded.requests.iter().map(|r| request(ctx, r)).collect(),
        order: match beside.order {
            true => store::order_of(tx, row.id)?.map(|(order, role)| orders::mark(&order, role)),
            false => None,
        },
        mediations: all_if(beside.mediations, || mediation::of_case(ctx, tx, row.id))?,
        mediation_next: mediation_next(ctx, tx, &rules, row)?,
        answers: all_if(beside.answers, || store::answers(tx, row.id))?
            .into_iter()
            .map(answer)
            .collect(),
        verifications: all_if(beside.verifications, || store::verifications(tx, row.id))?
            .into_iter()
            .map(verification)
            .collect(),
        attachments: all_if(beside.attachments, || attachments(tx, row.id))?,
        actions: buttons(ctx, tx, loaded, &rules)?,
        merged_into: link(tx, row.merged_into)?,
        merged: all_if(beside.merged, || store::merged_into(tx, row.id))?
            .into_iter()
            .map(|(id, number)| CaseLink {
                id: id.to_string(),
                number,
            })
            .collect(),
        suggested: Suggested { categories: suggested },
        caller_open: Vec::new(),
        permissions,
        brief,
    })
}

/// What there is of a kind, if it is known that there is any.
fn all_if<T>(any: bool, read: impl FnOnce() -> Result<Vec<T>, Fault>) -> Result<Vec<T>, Fault> {
    if any { read() } else { Ok(Vec::new()) }
}

fn mediation_next(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow) -> Result<Option<String>, Fault> {
    let is_dispute = rules
        .of_category(row.category_code.as_deref().unwrap_or_default())
        .mediation;
    if !is_dispute || row.state != domain::cases::StateKey::Handling {
        return Ok(None);
    }
    Ok(mediation::rungs(ctx, tx, rules, row)?.next.map(|rung| rung.name))
}

/// A guess as shown.
pub fn suggestion(ctx: &Ctx, rules: &Rules, guess: classify::Guess) -> CategorySuggestion {
    let name = words::category(ctx.lang, rules, &guess.code);
    CategorySuggestion {
        name,
        code: guess.code,
        confidence: guess.confidence,
        reasons: guess.reasons,
    }
}

/// Whether the person may see who reported, and there is somebody to see.
pub fn has_reporters(ctx: &Ctx, loaded: &Loaded) -> bool {
    ctx.scope.sees(&loaded.scope_facts(), Permission::CaseReporter)
        && loaded.reports.iter().any(|r| r.reporter_id.is_some() && !r.anonymous)
}

/// Adds who reported, masked, and their other open matters. The read is logged before the answer leaves.
pub fn add_reporters(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded, detail: &mut CaseDetail) -> Result<(), Fault> {
    let mut numbers = Vec::new();
    for (view, report) in detail.reports.iter_mut().zip(&loaded.reports) {
        let Some(id) = report.reporter_id.filter(|_| !report.anonymous) else {
            continue;
        };
        let Some(reporter) = store::reporter(tx, id)? else {
            continue;
        };
        view.reporter = Some(masked(ctx, id, &reporter)?);
        numbers.extend(reporter.phone_index.filter(|_| !report.withdrawn));
    }
    detail.caller_open = caller_open(ctx, tx, &place::rules(ctx)?, loaded, &numbers)?;
    Ok(())
}

fn reports(ctx: &Ctx, loaded: &Loaded) -> Vec<ReportView> {
    let views = loaded.reports.iter().enumerate().map(|(nth, report)| ReportView {
        id: report.id.to_string(),
        label: i18n::sentence(ctx.lang, "reporter_label", &[("nth", (nth + 1).to_string())]),
        number: report.number.clone(),
        channel: report.channel.clone(),
        received_at: report.received_at.to_string(),
        body: report.body.clone(),
        reporter: None,
        anonymous: report.anonymous,
        answered: report.answered,
        withdrawn: report.withdrawn,
    });
    views.collect()
}

fn masked(ctx: &Ctx, id: ReporterId, reporter: &ReporterRow) -> Result<ReporterView, Fault> {
    let open = |column, bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| opened(ctx, id, column, b)).transpose();
    Ok(ReporterView {
        id: id.to_string(),
        name_masked: open("name_sealed", &reporter.name)?.map(|p| p.masked_name()),
        phone_masked: open("phone_sealed", &reporter.phone)?.map(|p| p.masked_phone()),
    })
}

fn opened(ctx: &Ctx, id: ReporterId, column: &'static str, bytes: &[u8]) -> Result<Personal<String>, Fault> {
    let id = &id.to_string();
    let place = sealed::Place {
        table: "reporter",
        id,
        column,
    };
    ctx.app.sealer().open(place, bytes).map_err(Fault::internal)
}

/// A sealed field of a reporter, opened. Whoever answers with it logs the read.
pub fn personal(
    ctx: &Ctx,
    tx: &mut Tx,
    id: ReporterId,
    column: &'static str,
) -> Result<Option<Personal<String>>, Fault> {
    let Some(reporter) = store::reporter(tx, id)? else {
        return Ok(None);
    };
    let bytes = match column {
        "name_sealed" => reporter.name,
        _ => reporter.phone,
    };
    bytes.map(|bytes| opened(ctx, id, column, &bytes)).transpose()
}

fn events(ctx: &Ctx, tx: &mut Tx, rules: &Rules, case: CaseId) -> Result<Vec<EventView>, Fault> {
    let rows = store::events(tx, case)?;
    Ok(rows
        .into_iter()
        .map(|e| EventView {
            seq: e.seq,
            at: e.at.to_string(),
            kind_name: words::event_kind(ctx.lang, &e.kind),
            text: words::event(ctx.lang, rules, &e.kind, &e.body),
            kind: e.kind,
            actor_name: e.actor_name,
            unit_name: e.unit_name,
            body: e.body,
        })
        .collect())
}

fn clock_views(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded) -> Result<Vec<ClockView>, Fault> {
    let name_of = |party: &str| match loaded.co_handlers.iter().find(|c| c.id.to_string() == party) {
        Some(part) => part.unit_name.clone(),
        None => i18n::sentence(ctx.lang, "party_lead", &[]),
    };
    let late = |c: &clocks::ClockRow| c.late || (c.state == "running" && c.due_at.is_some_and(|due| due < ctx.now));
    let rows = store::clocks_of(tx, loaded.row.id)?;
    Ok(rows
        .iter()
        .map(|c| ClockView {
            id: c.id.to_string(),
            party: c.party.clone(),
            party_name: name_of(&c.party),
            step: c.step.clone(),
            step_name: words::step(ctx.lang, &c.step),
            state: c.state.clone(),
            due_at: time(c.due_at),
            warn_at: time(c.warn_at),
            late: late(c),
        })
        .collect())
}

fn co_handler(ctx: &Ctx, c: &super::record::CoHandlerRow) -> CoHandlerView {
    CoHandlerView {
        id: c.id.to_string(),
        unit: Ref {
            id: c.unit_id.to_string(),
            name: c.unit_name.clone(),
        },
        part: c.part.clone(),
        state: c.state.clone(),
        state_name: i18n::sentence(ctx.lang, &format!("part_{}", c.state), &[]),
        due_at: time(c.due_at),
        result: c.result.clone(),
    }
}

fn request(ctx: &Ctx, r: &super::record::RequestRow) -> RequestView {
    RequestView {
        id: r.id.to_string(),
        kind: r.kind.clone(),
        kind_name: i18n::sentence(ctx.lang, &format!("request_{}", r.kind), &[]),
        asked_by: r.asked_name.clone(),
        asked_at: r.created_at.to_string(),
        reason: r.reason.clone(),
        until: time(r.until),
        days: r.amount.map(|thousandths| thousandths as f64 / 1_000.0),
        state: r.state.clone(),
        decided_by: r.decided_name.clone(),
        decided_at: time(r.decided_at),
        note: r.note.clone(),
    }
}

fn answer(a: store::AnswerRow) -> AnswerView {
    AnswerView {
        id: a.id.to_string(),
        report_id: a.report.map(|r| r.to_string()),
        by: a.by_name,
        way: a.way,
        body: a.body,
        resident_said: a.said,
        solved: a.solved,
        rating: a.rating,
        at: a.at.to_string(),
    }
}

fn verification((id, by, pass, note, at): (String, String, bool, String, Timestamp)) -> VerificationView {
    let note = Some(note).filter(|n| !n.is_empty());
    VerificationView {
        id,
        by,
        result: if pass { "pass" } else { "fail" }.to_owned(),
        note,
        at: at.to_string(),
    }
}

/// Photos of a case, as addresses that check the scope again.
pub fn attachments(tx: &mut Tx, case: CaseId) -> Result<Vec<AttachmentView>, Fault> {
    let rows = store::attachments(tx, case)?;
    Ok(rows
        .into_iter()
        .map(|a| AttachmentView {
            thumb_url: format!("/api/v1/blobs/{}?case={case}&size=thumb", a.hash),
            url: format!("/api/v1/blobs/{}?case={case}&size=full", a.hash),
            hash: a.hash,
            stage: a.stage,
            mime: a.mime,
            width: a.width,
            height: a.height,
        })
        .collect())
}

/// The buttons: every action the person has the right to in this case, and why it is grey when it is.
fn buttons(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded, rules: &Rules) -> Result<Vec<ActionView>, Fault> {
    let Actor::Account { .. } = &ctx.actor else {
        return Ok(Vec::new());
    };
    let facts = loaded.scope_facts();
    let case = loaded.rules_view()?;
    let person = work::person(ctx, tx)?;
    let moment = work::moment(ctx, tx, &loaded.row)?;
    let own = rules.of_case(&loaded.row);
    let allowed = |action: Action| {
        let permissions = [Some(actions::permission(action)), actions::or_permission(action)];
        action != Action::Confirm && permissions.into_iter().flatten().any(|p| ctx.scope.sees(&facts, p))
    };
    let shown = Action::ALL
        .into_iter()
        .filter(|a| allowed(*a) && (own.mediation || *a != Action::Mediate));
    Ok(shown
        .map(|action| {
            let refusal = case.may(action, &person, moment, &own).err();
            ActionView {
                key: action.key().to_owned(),
                name: words::action(ctx.lang, action.key()),
                enabled: refusal.is_none(),
                refusal: refusal.map(|code| RefusalView {
                    code: code.to_owned(),
                    message: i18n::sentence(ctx.lang, code, &[]),
                }),
            }
        })
        .collect())
}

fn link(tx: &mut Tx, id: Option<CaseId>) -> Result<Option<CaseLink>, Fault> {
    let Some(id) = id else { return Ok(None) };
    Ok(store::case_row(tx, id)?.map(|row| CaseLink {
        id: id.to_string(),
        number: row.number,
    }))
}

/// Other open matters of the people who reported this one, within the scope.
fn caller_open(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    loaded: &Loaded,
    numbers: &[String],
) -> Result<Vec<CaseBrief>, Fault> {
    let mut found: Vec<CaseRow> = Vec::new();
    let mut looked_at = vec![loaded.row.id];
    for index in numbers {
        for (_, case) in store::cases_of_phone(tx, index, CASES_OF_PHONE)? {
            if looked_at.contains(&case) || found.len() >= CALLER_OPEN {
                continue;
            }
            looked_at.push(case);
            let row = store::case_row(tx, case)?.filter(CaseRow::is_open);
            if let Some(row) = row
                && may_read(ctx, tx, &row)?
            {
                found.push(row);
            }
        }
    }
    briefs(ctx, tx, rules, &found)
}

/// Whether the caller's scope covers a case, told without loading all of it.
pub fn may_read(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<bool, Fault> {
    Ok(ctx.scope.sees(&store::scope_facts(tx, row)?, Permission::CaseRead))
}

/// Newest reports of one number that are looked at.
const CASES_OF_PHONE: i64 = 50;

/// Cases reported from one number, newest first, within the scope; and the newest reporter with it.
pub fn cases_of_phone(ctx: &Ctx, tx: &mut Tx, index: &str) -> Result<(Vec<CaseRow>, Option<ReporterId>), Fault> {
    let mut rows: Vec<CaseRow> = Vec::new();
    let theirs = store::cases_of_phone(tx, index, CASES_OF_PHONE)?;
    for (_, case) in &theirs {
        if rows.iter().any(|row| row.id == *case) {
            continue;
        }
        let Some(row) = store::case_row(tx, *case)? else {
            continue;
        };
        if may_read(ctx, tx, &row)? {
            rows.push(row);
        }
    }
    Ok((rows, theirs.first().map(|(reporter, _)| *reporter)))
}
