//! Routes of duties: today's list, the counts of areas, visits; `patrols` has those of patrols, `pairs` those of pairings, `day_route` the order of a day.

mod day_route;
mod pairs;
mod patrols;

use super::list::{Asked, Due, lines};
use super::store::State;
use super::visits::{Found, NewVisit, Position, Recorded};
use super::{SubjectKind, counted, found, of_subject, record, roll_now, today, unowned};
use crate::access::Staff;
use crate::cases::CaseMark;
use crate::platform::http::{encode_cursor, parse_value};
use crate::platform::*;
use crate::{policy, territory};
use axum::http::StatusCode;
use axum::response::Response;
use domain::duties::{Act, Outcome, Quantity, Verdict};
use domain::geo::LonLat;
use domain::policy::DutyRule;
use domain::time::{Timestamp, date_of};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(pairs::routes())
        .merge(patrols::routes())
        .merge(day_route::routes())
        .routes(routes!(todays))
        .routes(routes!(counts))
        .routes(routes!(without_owner))
        .routes(routes!(listed))
        .routes(routes!(roll))
        .routes(routes!(make, made))
        .routes(routes!(one))
        .routes(routes!(photo))
}

fn rule_name(ctx: &Ctx, key: &str) -> String {
    let current = policy::current(&ctx.app).ok();
    let named = current
        .as_ref()
        .and_then(|current| named(&current.pack.duty_rules, key));
    named.map_or_else(
        || key.to_owned(),
        |one| ctx.lang.pick(&one.name.zh, &one.name.en).to_owned(),
    )
}

fn named<'r>(rules: &'r [DutyRule], key: &str) -> Option<&'r DutyRule> {
    rules.iter().find(|one| one.rule.key == key)
}

/// One thing to do.
#[derive(Debug, Serialize, ToSchema)]
struct DueView {
    id: ObligationId,
    /// Key of the pack's rule, and its name.
    rule: String,
    rule_name: String,
    /// `visit`, `check` or `patrol`.
    act: String,
    subject_kind: SubjectKind,
    subject_id: DutySubjectId,
    subject_name: String,
    area_id: AreaId,
    area_name: String,
    lon: Option<f64>,
    lat: Option<f64>,
    /// `2026-Q1`.
    period: String,
    nth: i64,
    /// Minutes, where the rule counts minutes; else 1.
    need: i64,
    got: i64,
    in_minutes: bool,
    /// `early`, `due`, `late` or `missed` (it can still be made up).
    standing: String,
    /// ISO dates: it may be done from, is planned for, is in time until, and can be done at all until.
    from: String,
    planned: String,
    until: String,
    owed_until: String,
    /// How often somebody went in vain, and how it went the last time.
    tried: i64,
    reason: Option<String>,
    /// What the rule wants to see.
    photo: bool,
    position: bool,
    talk: bool,
    people: u8,
}

fn due(ctx: &Ctx, one: Due) -> DueView {
    let (row, rule) = (one.row, one.rule);
    let day = |day: i64| date_of(day).to_string();
    let at = one.known.as_ref().and_then(|known| known.at);
    DueView {
        rule_name: rule_name(ctx, &row.rule),
        act: rule.act.key().to_owned(),
        subject_kind: row.kind,
        subject_id: row.subject,
        subject_name: one.known.map(|known| known.name).unwrap_or_default(),
        area_id: row.area,
        area_name: territory::current(&ctx.app).full_name(row.area),
        lon: at.map(|at| at.lon),
        lat: at.map(|at| at.lat),
        period: rule.every.period_of(date_of(row.first)).to_string(),
        nth: row.nth,
        need: row.need,
        got: row.got,
        in_minutes: matches!(rule.quantity, Quantity::Minutes(_)),
        standing: one.standing.key().to_owned(),
        from: day(row.from),
        planned: day(row.planned),
        until: day(row.until),
        owed_until: day(row.owed_until),
        tried: row.tried,
        reason: row.reason.map(|reason| reason.key().to_owned()),
        photo: rule.evidence.photo,
        position: rule.evidence.position,
        talk: rule.evidence.talk,
        people: rule.by.people,
        id: row.id,
        rule: row.rule,
    }
}

/// What falls to the caller today: by the last day in time, the most pressing first.
#[utoipa::path(get, path = "/duties/today", tag = "duties", params(PageQuery), responses((status = 200, body = Page<DueView>)))]
async fn todays(Staff(ctx): Staff, Query(query): Query<PageQuery>) -> Result<Json<Page<DueView>>, Fault> {
    let (after, limit) = (query.after()?, query.limit());
    // Where people live is personal: the look at a list with homes is logged.
    let ctx = ctx.for_purpose(Purpose::Visit);
    let rows = ctx.app.write(&ctx, move |ctx, tx| today(ctx, tx, after, limit)).await?;
    let page = Page::cut(rows, limit, |one| (one.row.until, one.row.id));
    Ok(Json(page.map(|one| due(&ctx, one))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CountsQuery {
    /// The area; those right below it are told beside it.
    area: AreaId,
    /// ISO date: the periods this day lies in. Today when left out.
    on: Option<String>,
}

/// The counts of an area.
#[derive(Debug, Serialize, ToSchema)]
struct AreaCounts {
    area_id: AreaId,
    area_name: String,
    rules: Vec<RuleCounts>,
}

/// What is owed under a rule in a period, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
struct RuleCounts {
    rule: String,
    name: String,
    /// `2026-Q1`.
    period: String,
    owed: i64,
    done: i64,
    /// Still to be done, after its last day in time.
    late: i64,
    /// Not done in its period, made up since or not.
    missed: i64,
    made_up: i64,
}

/// What is owed in an area and the areas right below it, and how it stands; the first of the list is the area itself.
#[utoipa::path(get, path = "/duties/counts", tag = "duties", params(CountsQuery), responses((status = 200, body = Vec<AreaCounts>)))]
async fn counts(Staff(ctx): Staff, Query(query): Query<CountsQuery>) -> Result<Json<Vec<AreaCounts>>, Fault> {
    let on = day_of(&ctx, query.on.as_deref())?;
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| counted(ctx, tx, query.area, on))
        .await?;
    let map = territory::current(&ctx.app);
    let views = found.into_iter().map(|(area, rules)| AreaCounts {
        area_id: area,
        area_name: map.full_name(area),
        rules: rules
            .into_iter()
            .map(|(rule, counted)| RuleCounts {
                name: rule_name(&ctx, &rule.key),
                period: rule.every.period_of(on).to_string(),
                owed: counted.owed,
                done: counted.done,
                late: counted.late,
                missed: counted.missed,
                made_up: counted.made_up,
                rule: rule.key,
            })
            .collect(),
    });
    Ok(Json(views.collect()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UnownedQuery {
    area: AreaId,
}

/// What is open in a grid and falls to nobody.
#[derive(Debug, Serialize, ToSchema)]
struct UnownedView {
    area_id: AreaId,
    area_name: String,
    rule: String,
    rule_name: String,
    /// The duty of the post it would fall to.
    duty_name: String,
    open: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct UnownedList {
    items: Vec<UnownedView>,
    /// There are more grids without anybody than are told of.
    more: bool,
}

/// What is owed in an area and below it while nobody answers for it, grid by grid: no post, nobody on it, or away without a stand-in.
#[utoipa::path(get, path = "/duties/unowned", tag = "duties", params(UnownedQuery), responses((status = 200, body = UnownedList)))]
async fn without_owner(Staff(ctx): Staff, Query(query): Query<UnownedQuery>) -> Result<Json<UnownedList>, Fault> {
    let (found, more) = ctx.app.read(&ctx, move |ctx, tx| unowned(ctx, tx, query.area)).await?;
    let (map, current) = (territory::current(&ctx.app), policy::current(&ctx.app)?);
    let duty = |key: &str| {
        let known = current
            .pack
            .duty(key)
            .map(|one| ctx.lang.pick(&one.name.zh, &one.name.en).to_owned());
        known.unwrap_or_else(|| key.to_owned())
    };
    let items = found.into_iter().map(|one| UnownedView {
        area_name: map.full_name(one.area),
        area_id: one.area,
        rule_name: rule_name(&ctx, &one.rule.key),
        duty_name: duty(&one.rule.by.duty),
        rule: one.rule.key,
        open: one.open,
    });
    Ok(Json(UnownedList {
        items: items.collect(),
        more,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LinesQuery {
    /// The area in which the subjects themselves lie: a grid, mostly.
    area: AreaId,
    /// Key of the rule.
    rule: String,
    /// ISO date: the period this day lies in. Today when left out.
    on: Option<String>,
    /// `open`, `late`, `missed` (made up later or not), `made_up` or `done`; all when left out.
    state: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// One thing owed, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyLineView)]
struct LineView {
    id: ObligationId,
    subject_kind: SubjectKind,
    subject_id: DutySubjectId,
    /// Empty where it is gone meanwhile.
    subject_name: String,
    nth: i64,
    /// `open`, `late`, `missed`, `made_up` or `done`.
    state: String,
    /// ISO dates.
    planned: String,
    until: String,
    done_on: Option<String>,
    done_late: bool,
    /// How often somebody went in vain, and how it went the last time.
    tried: i64,
    reason: Option<String>,
}

/// The lines behind a count of an area's own subjects. Telling where people live is logged.
#[utoipa::path(get, path = "/duties", tag = "duties", params(LinesQuery), responses((status = 200, body = Page<LineView>)))]
async fn listed(Staff(ctx): Staff, Query(query): Query<LinesQuery>) -> Result<Json<Page<LineView>>, Fault> {
    let state = query.state.as_deref().map(State::from_key).transpose();
    let paging = PageQuery {
        limit: query.limit,
        after: query.after.clone(),
    };
    let limit = paging.limit();
    let asked = Asked {
        area: query.area,
        rule: query.rule.clone(),
        on: day_of(&ctx, query.on.as_deref())?,
        state: state.map_err(|_| Fault::invalid("state", "invalid_field"))?,
        after: paging.after()?,
        limit,
    };
    let ctx = ctx.for_purpose(Purpose::Supervise);
    let rows = ctx.app.write(&ctx, move |ctx, tx| lines(ctx, tx, asked)).await?;
    let page = Page::cut(rows, limit, |(row, _)| (row.until, row.id));
    let day = |day: i64| date_of(day).to_string();
    Ok(Json(page.map(|(row, known)| LineView {
        id: row.id,
        subject_kind: row.kind,
        subject_id: row.subject,
        subject_name: known.map(|known| known.name).unwrap_or_default(),
        nth: row.nth,
        state: row.state.key().to_owned(),
        planned: day(row.planned),
        until: day(row.until),
        done_on: row.done_day.map(day),
        done_late: row.done_late,
        tried: row.tried,
        reason: row.reason.map(|reason| reason.key().to_owned()),
    })))
}

/// A day given, or today.
fn day_of(ctx: &Ctx, text: Option<&str>) -> Result<Date, Fault> {
    match text {
        Some(text) => text.parse().map_err(|_| Fault::invalid("on", "date_expected")),
        None => Ok(ctx.now.date()),
    }
}

/// How many groups of subjects were put in line.
#[derive(Debug, Serialize, ToSchema)]
struct RollView {
    groups: usize,
}

/// Has what is owed worked out now instead of in the night: after an import, or a change of rules.
#[utoipa::path(post, path = "/duties/roll", tag = "duties", responses((status = 200, body = RollView)))]
async fn roll(Staff(ctx): Staff) -> Result<Json<RollView>, Fault> {
    ctx.scope.require(Permission::DutyManage)?;
    let groups = ctx.app.write(&ctx, roll_now).await?;
    Ok(Json(RollView { groups }))
}

/// A visit, check or patrol that was made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct VisitInput {
    /// Made on the client: the same visit sent again is the same visit.
    id: VisitId,
    /// `visit`, `check` or `patrol`.
    act: String,
    subject_kind: SubjectKind,
    subject_id: DutySubjectId,
    /// When it began, with its offset: `2026-02-14T10:00:00+08:00`.
    at: String,
    #[serde(default)]
    minutes: u32,
    /// `met` (also: the thing was looked at), `nobody_home`, `refused`, `closed` or `moved_away`.
    outcome: String,
    /// Workers who went along.
    #[serde(default)]
    companions: Vec<WorkerId>,
    #[serde(default)]
    #[schema(inline)]
    position: Option<PositionInput>,
    /// What was said.
    #[serde(default)]
    talk: Option<String>,
    /// Finished uploads.
    #[serde(default)]
    photos: Vec<UploadId>,
    /// Ids of the cases made of what they asked for, at most 20; they may arrive after the visit.
    #[serde(default)]
    matters: Vec<CaseId>,
    /// Of a patrol: where the phone says it went; what is outside duty time is not kept.
    #[serde(default)]
    #[schema(inline)]
    track: Option<patrols::TrackInput>,
}

/// Where the phone says it was, WGS-84.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
struct PositionInput {
    lon: f64,
    lat: f64,
    /// Metres.
    accuracy_m: Option<f64>,
    /// The phone says that it was made up.
    #[serde(default)]
    mock: bool,
}

fn read_visit(input: VisitInput) -> Result<NewVisit, Fault> {
    let position = match input.position {
        Some(at) => Some(Position {
            at: LonLat::new(at.lon, at.lat).map_err(|_| Fault::invalid("position", "invalid_field"))?,
            accuracy_m: at.accuracy_m,
        }),
        None => None,
    };
    let at = Timestamp::parse(&input.at).map_err(|_| Fault::invalid("at", "invalid_field"))?;
    Ok(NewVisit {
        id: input.id,
        act: Act::parse(&input.act).ok_or_else(|| Fault::invalid("act", "invalid_field"))?,
        kind: input.subject_kind,
        subject: input.subject_id,
        at,
        minutes: input.minutes,
        outcome: Outcome::parse(&input.outcome).ok_or_else(|| Fault::invalid("outcome", "invalid_field"))?,
        companions: input.companions,
        position,
        mock: input.position.is_some_and(|at| at.mock),
        talk: input.talk.map(Personal),
        photos: input.photos,
        matters: input.matters,
        track: input.track.map(|track| track.read(at)).transpose()?,
    })
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedView {
    id: VisitId,
    /// It had been recorded before; nothing was changed.
    already: bool,
    counts: Vec<DutyVerdict>,
}

/// What a visit counts for under one rule, or why it does not.
#[derive(Debug, Serialize, ToSchema)]
struct DutyVerdict {
    rule: String,
    name: String,
    /// `settles`, `makes_up`, `extra` or `not`.
    counts: String,
    /// Which one of the period it settles.
    nth: Option<u16>,
    /// Why it does not count, and a sentence.
    why: Option<String>,
    message: Option<String>,
}

fn verdict(ctx: &Ctx, rule: String, verdict: Verdict) -> DutyVerdict {
    let (counts, nth, why) = match verdict {
        Verdict::Settles(nth) => ("settles", Some(nth), None),
        Verdict::MakesUp => ("makes_up", None, None),
        Verdict::Extra => ("extra", None, None),
        Verdict::Not(why) => ("not", None, Some(why)),
    };
    DutyVerdict {
        name: rule_name(ctx, &rule),
        rule,
        counts: counts.to_owned(),
        nth,
        why: why.map(|why| why.key().to_owned()),
        message: why.map(|why| i18n::sentence(ctx.lang, &format!("duty_not_{}", why.key()), &[])),
    }
}

/// Records a visit, check or patrol, and settles what it fulfils.
#[utoipa::path(post, path = "/visits", tag = "duties", request_body = VisitInput, responses((status = 200, body = RecordedView)))]
async fn make(Staff(ctx): Staff, Json(input): Json<VisitInput>) -> Result<Json<RecordedView>, Fault> {
    let new = read_visit(input)?;
    let done: Recorded = ctx.app.write(&ctx, move |ctx, tx| record(ctx, tx, new)).await?;
    Ok(Json(recorded(&ctx, done)))
}

fn recorded(ctx: &Ctx, done: Recorded) -> RecordedView {
    let counts = done.verdicts.into_iter();
    RecordedView {
        id: done.id,
        already: done.already,
        counts: counts.map(|(rule, what)| verdict(ctx, rule, what)).collect(),
    }
}

/// What `POST /visits` does, asked by the log of a phone.
pub fn posted(ctx: &Ctx, tx: &mut Tx, body: &Value) -> Result<Value, Fault> {
    let done = record(ctx, tx, read_visit(parse_value(body)?)?)?;
    serde_json::to_value(recorded(ctx, done)).map_err(Fault::internal)
}

/// `?purpose=`
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PurposeQuery {
    /// Why it is looked at: `verify`, `supervise` or `audit`. Without one nothing personal is shown to anybody.
    purpose: Option<String>,
}

impl PurposeQuery {
    fn of(&self) -> Purpose {
        match self.purpose.as_deref() {
            Some("verify") => Purpose::Verify,
            Some("supervise") => Purpose::Supervise,
            Some("audit") => Purpose::Audit,
            _ => Purpose::Unstated,
        }
    }
}

/// A visit as recorded.
#[derive(Debug, Serialize, ToSchema)]
struct VisitView {
    id: VisitId,
    act: String,
    subject_kind: SubjectKind,
    subject_id: DutySubjectId,
    area_id: AreaId,
    area_name: String,
    /// With its offset.
    at: String,
    minutes: u32,
    outcome: String,
    worker_id: WorkerId,
    worker_name: String,
    companions: Vec<WorkerId>,
    position: Option<PositionInput>,
    talk: Option<String>,
    /// What became of what they asked for.
    matters: Vec<CaseMark>,
    /// Names of photos; `/visits/{id}/photos/{hash}` has them.
    photos: Vec<String>,
    recorded_at: String,
}

fn visit_view(ctx: &Ctx, found: Found) -> VisitView {
    let row = found.row;
    VisitView {
        id: row.id,
        act: row.act.key().to_owned(),
        subject_kind: row.kind,
        subject_id: row.subject,
        area_id: row.area,
        area_name: territory::current(&ctx.app).full_name(row.area),
        at: row.at.to_string(),
        minutes: row.minutes,
        outcome: row.outcome.key().to_owned(),
        worker_id: row.worker,
        worker_name: found.worker_name,
        matters: found.matters,
        companions: row.companions,
        position: row.position.map(|at| PositionInput {
            lon: at.at.lon,
            lat: at.at.lat,
            accuracy_m: at.accuracy_m,
            mock: row.mock,
        }),
        talk: found.talk.map(|talk| talk.reveal().clone()),
        photos: row.photos,
        recorded_at: row.recorded_at.to_string(),
    }
}

/// A visit with what was said and where it was; the look is logged with its purpose.
#[utoipa::path(get, path = "/visits/{id}", tag = "duties", params(("id" = VisitId, Path), PurposeQuery),
    responses((status = 200, body = VisitView)))]
async fn one(
    Staff(ctx): Staff,
    Path(id): Path<VisitId>,
    Query(query): Query<PurposeQuery>,
) -> Result<Json<VisitView>, Fault> {
    let ctx = ctx.for_purpose(query.of());
    let seen = ctx.app.write(&ctx, move |ctx, tx| found(ctx, tx, id)).await?;
    Ok(Json(visit_view(&ctx, seen)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MadeQuery {
    /// The household, resident, place or grid.
    subject_id: DutySubjectId,
    /// Why it is looked at: `verify`, `supervise` or `audit`.
    purpose: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The visits, checks and patrols made to a subject, the newest first, with what was said; each look is logged with its purpose.
#[utoipa::path(get, path = "/visits", tag = "duties", params(MadeQuery), responses((status = 200, body = Page<VisitView>)))]
async fn made(Staff(ctx): Staff, Query(query): Query<MadeQuery>) -> Result<Json<Page<VisitView>>, Fault> {
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let purpose = PurposeQuery { purpose: query.purpose };
    let ctx = ctx.for_purpose(purpose.of());
    let all = ctx
        .app
        .write(&ctx, move |ctx, tx| of_subject(ctx, tx, query.subject_id, after, limit));
    let (all, next) = all.await?;
    Ok(Json(Page {
        items: all.into_iter().map(|one| visit_view(&ctx, one)).collect(),
        next: next.map(|at| encode_cursor(&at)),
    }))
}

/// `?purpose=&size=`
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PhotoQuery {
    /// Why it is looked at: `verify`, `supervise` or `audit`.
    purpose: Option<String>,
    /// `thumb` (320 pixels) or `full` (at most 2048).
    #[param(inline)]
    size: Option<blobs::Size>,
}

/// A photo of a visit; the look is logged with its purpose.
#[utoipa::path(get, path = "/visits/{id}/photos/{hash}", tag = "duties",
    params(("id" = VisitId, Path), ("hash" = String, Path), PhotoQuery),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>)))]
async fn photo(
    Staff(ctx): Staff,
    Path((id, hash)): Path<(VisitId, String)>,
    Query(query): Query<PhotoQuery>,
) -> Result<Response, Fault> {
    let purpose = PurposeQuery { purpose: query.purpose };
    let ctx = ctx.for_purpose(purpose.of());
    let seen = ctx.app.write(&ctx, move |ctx, tx| found(ctx, tx, id)).await?;
    if !seen.row.photos.contains(&hash) {
        return Err(Fault::new(StatusCode::NOT_FOUND, "not_found"));
    }
    blobs::answer(&ctx.app, &hash, query.size.unwrap_or(blobs::Size::Thumb)).await
}
