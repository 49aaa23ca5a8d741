//! Routes of campaigns: prepared ones, drafts, start and end, figures by area, doorsteps, and what came of a call.

use super::campaign::state_of;
use super::wording::{ask_texts, read_asks};
use super::{
    AskText, Asked, Campaign, NewResult, QuestionText, Task, Wish, begins_at, close, figures, find_again, list, make,
    matching, record, seen, start, today, visible,
};
use crate::access::Staff;
use crate::duties::SubjectKind;
use crate::platform::http::parse_value;
use crate::platform::*;
use crate::{policy, territory};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(prepared))
        .routes(routes!(counted))
        .routes(routes!(all, draft))
        .routes(routes!(tasks_today))
        .routes(routes!(one))
        .routes(routes!(begin))
        .routes(routes!(again))
        .routes(routes!(end))
        .routes(routes!(standing))
        .routes(routes!(doorsteps))
        .routes(routes!(result))
}

fn date(field: &'static str, text: &str) -> Result<Date, Fault> {
    text.parse().map_err(|_| Fault::invalid(field, "date_expected"))
}

/// A campaign the pack prepares.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignTemplateView {
    key: String,
    name: String,
    why: String,
    script: String,
    question: QuestionText,
    #[schema(inline)]
    asks: Vec<AskText>,
    duty: String,
    days: u16,
    keep_days: u16,
}

/// What a campaign can be made of here.
#[derive(Debug, Serialize, ToSchema)]
struct PreparedView {
    templates: Vec<CampaignTemplateView>,
    /// Duties of posts it can fall to: key and name.
    #[schema(inline)]
    duties: Vec<CampaignWord>,
    /// Care registers the caller may ask about in this area.
    #[schema(inline)]
    registers: Vec<CampaignWord>,
}

/// A key with its name.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignWord {
    key: String,
    name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaQuery {
    area: AreaId,
}

/// What a campaign can be made of: the pack's prepared ones, posts, care registers.
#[utoipa::path(get, path = "/campaigns/prepared", tag = "campaigns", params(AreaQuery), responses((status = 200, body = PreparedView)))]
async fn prepared(Staff(ctx): Staff, Query(query): Query<AreaQuery>) -> Result<Json<PreparedView>, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let current = policy::current(&ctx.app)?;
    let told = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let current = policy::current(&ctx.app)?;
            let mut told = Vec::new();
            for one in &current.pack.registers {
                if crate::registry::may_know(ctx, tx, &one.key, query.area)? {
                    told.push(one.key.clone());
                }
            }
            Ok(told)
        })
        .await?;
    let name = |name: &domain::policy::Name| ctx.lang.pick(&name.zh, &name.en).to_owned();
    let pack = &current.pack;
    let registers = pack.registers.iter().filter(|one| told.contains(&one.key));
    let templates = pack.campaigns.iter().filter(|one| {
        let asked = one.question.registers();
        asked.into_iter().all(|key| told.iter().any(|known| known == key))
    });
    Ok(Json(PreparedView {
        templates: templates
            .map(|one| CampaignTemplateView {
                key: one.key.clone(),
                name: name(&one.name),
                why: one.why.clone(),
                script: one.script.clone(),
                question: QuestionText::of(&one.question),
                asks: ask_texts(&one.asks),
                duty: one.by.clone(),
                days: one.days,
                keep_days: one.keep_days,
            })
            .collect(),
        duties: pack
            .duties
            .iter()
            .map(|one| CampaignWord {
                key: one.key.clone(),
                name: name(&one.name),
            })
            .collect(),
        registers: registers
            .map(|one| CampaignWord {
                key: one.key.clone(),
                name: name(&one.name),
            })
            .collect(),
    }))
}

/// A question to be counted.
#[derive(Debug, Deserialize, ToSchema)]
struct CountInput {
    area_id: AreaId,
    question: QuestionText,
}

/// How many it finds.
#[derive(Debug, Serialize, ToSchema)]
struct MatchingView {
    found: i64,
}

/// How many households or places a question finds now.
#[utoipa::path(post, path = "/campaigns/count", tag = "campaigns", request_body = CountInput, responses((status = 200, body = MatchingView)))]
async fn counted(Staff(ctx): Staff, Json(input): Json<CountInput>) -> Result<Json<MatchingView>, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let question = input.question.read()?;
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            matching(ctx, tx, &question, input.area_id, ctx.now.date())
        })
        .await?;
    Ok(Json(MatchingView { found }))
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignView {
    id: CampaignId,
    title: String,
    why: String,
    script: String,
    question: QuestionText,
    #[schema(inline)]
    asks: Vec<AskText>,
    duty: String,
    duty_name: String,
    area_id: AreaId,
    area_name: String,
    /// ISO dates, both included; what was answered is deleted after the third.
    from: String,
    until: String,
    keep_until: String,
    /// `draft`, `filling`, `running` or `closed`.
    phase: String,
    /// What was answered is deleted.
    erased: bool,
    summary: Option<String>,
    created_at: String,
    closed_at: Option<String>,
    /// Where the caller looks at it from.
    looks_from: Option<AreaId>,
    /// Whether the caller may start and close it.
    manages: bool,
}

fn view(ctx: &Ctx, one: Campaign) -> CampaignView {
    let current = policy::current(&ctx.app).ok();
    let duty = current.as_ref().and_then(|current| current.pack.duty(&one.wish.duty));
    CampaignView {
        id: one.id,
        duty_name: duty.map_or_else(
            || one.wish.duty.clone(),
            |duty| ctx.lang.pick(&duty.name.zh, &duty.name.en).to_owned(),
        ),
        area_name: territory::current(&ctx.app).full_name(one.wish.area),
        looks_from: begins_at(ctx, &one),
        manages: ctx.scope.covers(&one.areas, Permission::CampaignManage),
        question: QuestionText::of(&one.wish.question),
        asks: ask_texts(&one.wish.asks),
        from: one.wish.from.to_string(),
        until: one.wish.until.to_string(),
        keep_until: one.wish.keep_until.to_string(),
        phase: one.phase.key().to_owned(),
        erased: one.erased,
        created_at: one.created_at.to_string(),
        closed_at: one.closed_at.map(|at| at.to_string()),
        title: one.wish.title,
        why: one.wish.why,
        script: one.wish.script,
        duty: one.wish.duty,
        area_id: one.wish.area,
        summary: one.summary,
    }
}

/// Campaigns in or around the caller's areas, the newest first.
#[utoipa::path(get, path = "/campaigns", tag = "campaigns", params(PageQuery), responses((status = 200, body = Page<CampaignView>)))]
async fn all(Staff(ctx): Staff, Query(query): Query<PageQuery>) -> Result<Json<Page<CampaignView>>, Fault> {
    let (after, limit) = (query.after()?, query.limit());
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| visible(ctx, tx, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |one| one.id);
    Ok(Json(page.map(|one| view(&ctx, one))))
}

/// A campaign as somebody wishes it.
#[derive(Debug, Deserialize, ToSchema)]
struct CampaignInput {
    /// Made on the client; given again while it is a draft, the draft is changed.
    id: CampaignId,
    title: String,
    why: String,
    script: String,
    question: QuestionText,
    #[serde(default)]
    #[schema(inline)]
    asks: Vec<AskText>,
    /// Duty of the posts to whom it falls.
    duty: String,
    area_id: AreaId,
    /// ISO dates.
    from: String,
    until: String,
    keep_until: String,
}

/// Writes a draft; nothing happens yet.
#[utoipa::path(post, path = "/campaigns", tag = "campaigns", request_body = CampaignInput, responses((status = 200, body = CampaignView)))]
async fn draft(Staff(ctx): Staff, Json(input): Json<CampaignInput>) -> Result<Json<CampaignView>, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let wish = Wish {
        question: input.question.read()?,
        asks: read_asks(&input.asks)?,
        from: date("from", &input.from)?,
        until: date("until", &input.until)?,
        keep_until: date("keep_until", &input.keep_until)?,
        title: input.title,
        why: input.why,
        script: input.script,
        duty: input.duty,
        area: input.area_id,
    };
    let made = ctx
        .app
        .write(&ctx, move |ctx, tx| make(ctx, tx, input.id, wish))
        .await?;
    Ok(Json(view(&ctx, made)))
}

/// One campaign.
#[utoipa::path(get, path = "/campaigns/{id}", tag = "campaigns", params(("id" = CampaignId, Path)), responses((status = 200, body = CampaignView)))]
async fn one(Staff(ctx): Staff, Path(id): Path<CampaignId>) -> Result<Json<CampaignView>, Fault> {
    let found = ctx.app.read(&ctx, move |ctx, tx| seen(ctx, tx, id)).await?;
    Ok(Json(view(&ctx, found)))
}

/// Finds those it is for and gives each to whom it falls.
#[utoipa::path(post, path = "/campaigns/{id}/start", tag = "campaigns", params(("id" = CampaignId, Path)), responses((status = 200, body = CampaignView)))]
async fn begin(Staff(ctx): Staff, Path(id): Path<CampaignId>) -> Result<Json<CampaignView>, Fault> {
    let started = ctx.app.write(&ctx, move |ctx, tx| start(ctx, tx, id)).await?;
    Ok(Json(view(&ctx, started)))
}

/// Finds those who came since, or of whom it holds now.
#[utoipa::path(post, path = "/campaigns/{id}/find", tag = "campaigns", params(("id" = CampaignId, Path)), responses((status = 200, body = CampaignView)))]
async fn again(Staff(ctx): Staff, Path(id): Path<CampaignId>) -> Result<Json<CampaignView>, Fault> {
    let found = ctx.app.write(&ctx, move |ctx, tx| find_again(ctx, tx, id)).await?;
    Ok(Json(view(&ctx, found)))
}

/// The last word.
#[derive(Debug, Deserialize, ToSchema)]
struct CloseInput {
    /// What came of it.
    summary: String,
}

/// Ends it.
#[utoipa::path(post, path = "/campaigns/{id}/close", tag = "campaigns", params(("id" = CampaignId, Path)), request_body = CloseInput,
    responses((status = 200, body = CampaignView)))]
async fn end(
    Staff(ctx): Staff,
    Path(id): Path<CampaignId>,
    Json(input): Json<CloseInput>,
) -> Result<Json<CampaignView>, Fault> {
    let closed = ctx
        .app
        .write(&ctx, move |ctx, tx| close(ctx, tx, id, &input.summary))
        .await?;
    Ok(Json(view(&ctx, closed)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StandingQuery {
    /// The area; those right below it are told beside it. Where the caller looks from when left out.
    area: Option<AreaId>,
}

/// How a campaign stands in one area.
#[derive(Debug, Serialize, ToSchema)]
struct StandingView {
    area_id: AreaId,
    area_name: String,
    tasks: i64,
    /// Nobody was met yet.
    open: i64,
    /// Of these, somebody went in vain.
    tried: i64,
    follow: i64,
    done: i64,
    gone: i64,
    /// Why in vain, the last time: by outcome.
    reasons: BTreeMap<String, i64>,
    /// By ask: how often each answer was given.
    answers: Vec<Vec<i64>>,
}

fn standing_view(ctx: &Ctx, campaign: &Campaign, area: AreaId, mut numbers: BTreeMap<String, i64>) -> StandingView {
    let answers = campaign.wish.asks.0.iter().enumerate().map(|(ask, one)| {
        let choice = |choice: usize| numbers.get(&format!("answer.{ask}.{choice}")).copied();
        (0..one.choices.len())
            .map(|at| choice(at).unwrap_or_default())
            .collect()
    });
    let answers = answers.collect();
    let reasons = numbers.iter().filter(|(_, number)| **number != 0);
    let reasons = reasons.filter_map(|(what, number)| Some((what.strip_prefix("reason.")?.to_owned(), *number)));
    let reasons = reasons.collect();
    let mut take = |what: &str| numbers.remove(what).unwrap_or_default();
    StandingView {
        area_id: area,
        area_name: territory::current(&ctx.app).full_name(area),
        tasks: take("tasks"),
        open: take("open"),
        tried: take("tried"),
        follow: take("follow"),
        done: take("done"),
        gone: take("gone"),
        reasons,
        answers,
    }
}

/// How it stands in an area and those right below it; the first of the list is the area itself.
#[utoipa::path(get, path = "/campaigns/{id}/standing", tag = "campaigns", params(("id" = CampaignId, Path), StandingQuery),
    responses((status = 200, body = Vec<StandingView>)))]
async fn standing(
    Staff(ctx): Staff,
    Path(id): Path<CampaignId>,
    Query(query): Query<StandingQuery>,
) -> Result<Json<Vec<StandingView>>, Fault> {
    let (campaign, areas) = ctx
        .app
        .read(&ctx, move |ctx, tx| figures(ctx, tx, id, query.area))
        .await?;
    let views = areas
        .into_iter()
        .map(|(area, numbers)| standing_view(&ctx, &campaign, area, numbers));
    Ok(Json(views.collect()))
}

/// A doorstep of a campaign.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignTaskView {
    campaign_id: CampaignId,
    subject_kind: SubjectKind,
    subject_id: DutySubjectId,
    /// Empty where it is gone meanwhile.
    subject_name: String,
    area_id: AreaId,
    area_name: String,
    lon: Option<f64>,
    lat: Option<f64>,
    /// `open`, `follow`, `done` or `gone`.
    state: String,
    /// How often somebody went in vain, and how it went the last time.
    tried: i64,
    reason: Option<String>,
    met_at: Option<String>,
    /// What is still to be done, of those to be followed up.
    note: Option<String>,
}

fn task_view(ctx: &Ctx, task: Task) -> CampaignTaskView {
    let at = task.known.as_ref().and_then(|known| known.at);
    CampaignTaskView {
        campaign_id: task.row.campaign,
        subject_kind: task.row.kind,
        subject_id: task.row.subject,
        subject_name: task.known.map(|known| known.name).unwrap_or_default(),
        area_id: task.row.area,
        area_name: territory::current(&ctx.app).full_name(task.row.area),
        lon: at.map(|at| at.lon),
        lat: at.map(|at| at.lat),
        state: task.row.state.key().to_owned(),
        tried: task.row.tried,
        reason: task.row.reason.map(|reason| reason.key().to_owned()),
        met_at: task.row.met_at.map(|at| at.to_string()),
        note: task.note.map(|note| note.reveal().clone()),
    }
}

/// What falls to the caller, with the campaigns it belongs to.
#[derive(Debug, Serialize, ToSchema)]
struct TodayView {
    campaigns: Vec<CampaignView>,
    tasks: Vec<CampaignTaskView>,
    next: Option<String>,
}

/// What falls to the caller now, by the last day of the campaign.
#[utoipa::path(get, path = "/campaigns/today", tag = "campaigns", params(PageQuery), responses((status = 200, body = TodayView)))]
async fn tasks_today(Staff(ctx): Staff, Query(query): Query<PageQuery>) -> Result<Json<TodayView>, Fault> {
    let (after, limit) = (query.after()?, query.limit());
    let ctx = ctx.for_purpose(Purpose::Visit);
    let rows = ctx.app.write(&ctx, move |ctx, tx| today(ctx, tx, after, limit)).await?;
    let page = Page::cut(rows, limit, |(campaign, task)| {
        let until = campaign.wish.until - Date::constant(1970, 1, 1);
        (i64::from(until.get_days()), campaign.id, task.row.subject)
    });
    let mut campaigns: BTreeMap<CampaignId, Campaign> = BTreeMap::new();
    let mut tasks = Vec::new();
    for (campaign, task) in page.items {
        tasks.push(task_view(&ctx, task));
        campaigns.entry(campaign.id).or_insert(campaign);
    }
    Ok(Json(TodayView {
        campaigns: campaigns.into_values().map(|one| view(&ctx, one)).collect(),
        tasks,
        next: page.next,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DoorstepsQuery {
    /// The area with all below it.
    area: AreaId,
    /// `open`, `follow`, `done` or `gone`; all when left out.
    state: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The doorsteps behind a number. Telling where people live and what they said is logged.
#[utoipa::path(get, path = "/campaigns/{id}/tasks", tag = "campaigns", params(("id" = CampaignId, Path), DoorstepsQuery),
    responses((status = 200, body = Page<CampaignTaskView>)))]
async fn doorsteps(
    Staff(ctx): Staff,
    Path(id): Path<CampaignId>,
    Query(query): Query<DoorstepsQuery>,
) -> Result<Json<Page<CampaignTaskView>>, Fault> {
    let paging = PageQuery {
        limit: query.limit,
        after: query.after.clone(),
    };
    let limit = paging.limit();
    let asked = Asked {
        campaign: id,
        area: query.area,
        state: query.state.as_deref().map(state_of).transpose()?,
        after: paging.after()?,
        limit,
    };
    let ctx = ctx.for_purpose(Purpose::Supervise);
    let rows = ctx.app.write(&ctx, move |ctx, tx| list(ctx, tx, &asked)).await?;
    let page = Page::cut(rows, limit, |task| task.row.subject);
    Ok(Json(page.map(|task| task_view(&ctx, task))))
}

/// What a visit came to for a campaign.
#[derive(Debug, Deserialize, ToSchema)]
struct ResultInput {
    /// The visit the caller recorded there.
    visit_id: VisitId,
    /// By ask: the number of the answer from 0, or null where nobody said anything. Empty when nobody was met.
    #[serde(default)]
    answers: Vec<Option<u8>>,
    /// Something is still to be done, whatever the answers say.
    #[serde(default)]
    follow: bool,
    /// What is still to be done.
    #[serde(default)]
    note: Option<String>,
}

/// How the campaign stands there now.
#[derive(Debug, Serialize, ToSchema)]
struct ResultView {
    /// `open`, `follow` or `done`.
    state: String,
}

/// Writes down what a visit came to; sent again it changes nothing.
#[utoipa::path(post, path = "/campaigns/{id}/results", tag = "campaigns", params(("id" = CampaignId, Path)), request_body = ResultInput,
    responses((status = 200, body = ResultView)))]
async fn result(
    Staff(ctx): Staff,
    Path(id): Path<CampaignId>,
    Json(input): Json<ResultInput>,
) -> Result<Json<ResultView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Visit);
    let new = read_result(id, input);
    let state = ctx.app.write(&ctx, move |ctx, tx| record(ctx, tx, new)).await?;
    Ok(Json(ResultView {
        state: state.key().to_owned(),
    }))
}

fn read_result(campaign: CampaignId, input: ResultInput) -> NewResult {
    NewResult {
        campaign,
        visit: input.visit_id,
        answers: input.answers,
        follow: input.follow,
        note: input.note.map(Personal),
    }
}

/// What `POST /campaigns/{id}/results` does, asked by the log of a phone.
pub fn posted(ctx: &Ctx, tx: &mut Tx, campaign: CampaignId, body: &Value) -> Result<Value, Fault> {
    let state = record(ctx, tx, read_result(campaign, parse_value(body)?))?;
    Ok(json!({ "state": state.key() }))
}
