//! Routes of cases: staff under `/cases`, residents under `/portal`.

use super::actions::act;
use super::intake::{self, Submission};
use super::outcomes::{self, Outcomes, OutcomesQuery};
use super::portal::{self, PublicStatus};
use super::queue::{Counts, ListQuery, MapQuery};
use super::record::Loaded;
use super::suggest::{self, Draft, PublicSuggestion, Suggestion};
use super::view::{self, CaseBrief, CaseDetail, NearbyCase};
use super::{clocks, duplicates, place, queue, store};
use crate::access::{Staff, log_read};
use crate::platform::http::{Json, Page, PageQuery, Path, Public, Query};
use crate::platform::ledger::Receipt;
use crate::platform::*;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open_case, list))
        .routes(routes!(suggest_for_staff))
        .routes(routes!(counts))
        .routes(routes!(map))
        .routes(routes!(search))
        .routes(routes!(page))
        .routes(routes!(nearby))
        .routes(routes!(explain))
        .routes(routes!(reveal))
        .routes(routes!(action))
        .routes(routes!(receipt))
        .routes(routes!(callers))
        .routes(routes!(templates))
        .routes(routes!(notices))
        .routes(routes!(read_notice))
        .routes(routes!(portal_report))
        .routes(routes!(portal_suggest))
        .routes(routes!(portal_follow))
        .routes(routes!(portal_rate))
        .routes(routes!(portal_object))
        .routes(routes!(portal_withdraw))
        .routes(routes!(portal_add))
        .routes(routes!(portal_receipt))
        .routes(routes!(portal_photo))
        .routes(routes!(portal_mailbox, mailbox_of))
        .routes(routes!(portal_outcomes))
}

/// A case just opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedView {
    pub case: CaseBrief,
    pub receipt: Receipt,
    /// With the number, the reporter's key to follow the matter.
    pub follow_code: String,
}

/// Takes a request: phone, window, visit, patrol, on the spot.
#[utoipa::path(post, path = "/cases", request_body = Submission, responses((status = 200, body = OpenedView)), tag = "cases")]
async fn open_case(Staff(ctx): Staff, Json(submission): Json<Submission>) -> Result<Json<OpenedView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Intake);
    let (opened, case) = ctx
        .app
        .write(&ctx, move |ctx, tx| open_in(ctx, tx, &submission))
        .await?;
    let receipt = receipt_of(&ctx, opened.ledger)
        .await
        .map_err(|fault| taken_in(fault, &opened))?;
    Ok(Json(OpenedView {
        case,
        receipt,
        follow_code: opened.follow_code,
    }))
}

fn open_in(ctx: &Ctx, tx: &mut Tx, submission: &Submission) -> Result<(intake::Opened, CaseBrief), Fault> {
    ctx.scope.require(Permission::CaseIntake)?;
    let opened = intake::open(ctx, tx, submission)?;
    // A retry by someone else must not show a case outside their scope.
    if !ctx.scope.sees(&opened.scope_facts(), Permission::CaseIntake) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "area_not_yours"));
    }
    let rules = place::rules(ctx)?;
    let briefs = view::briefs(ctx, tx, &rules, std::slice::from_ref(&opened.row))?;
    let brief = briefs.into_iter().next().ok_or_else(Fault::not_found)?;
    Ok((opened, brief))
}

/// What `POST /cases` does, asked by the log of a phone: the case as a line of a list.
pub fn posted(ctx: &Ctx, tx: &mut Tx, body: &Value) -> Result<Value, Fault> {
    let submission: Submission = http::parse_value(body)?;
    let (_, case) = open_in(ctx, tx, &submission)?;
    Ok(json!({ "case": case }))
}

/// What `POST /cases/{id}/actions/{action}` does, asked by the log of a phone.
pub fn posted_action(ctx: &Ctx, tx: &mut Tx, id: CaseId, action: &str, body: Value) -> Result<Value, Fault> {
    act(ctx, tx, id, action, body)?;
    let loaded = store::load(tx, id)?.ok_or_else(Fault::not_found)?;
    serde_json::to_value(detail_and_log(ctx, tx, &loaded)?).map_err(Fault::internal)
}

async fn receipt_of(ctx: &Ctx, at: LedgerRef) -> Result<Receipt, Fault> {
    let place = crate::policy::current(&ctx.app)?.pack.jurisdiction.name.zh.clone();
    ledger::issue(&ctx.app, &place, at).await
}

/// Saved, but without the receipt that goes with it: not "nothing was saved". Sent again with the same id it answers with both.
fn taken_in(fault: Fault, opened: &intake::Opened) -> Fault {
    fault.log();
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, "receipt_delayed")
        .with("number", &opened.row.number)
        .retry_after(2)
}

/// Help while a clerk types.
#[utoipa::path(post, path = "/cases/suggest", request_body = Draft, responses((status = 200, body = Suggestion)), tag = "cases")]
async fn suggest_for_staff(Staff(ctx): Staff, Json(draft): Json<Draft>) -> Result<Json<Suggestion>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| suggest::for_staff(ctx, tx, &draft))
        .await
        .map(Json)
}

/// A list: a queue, or any filter; what will be late first.
#[utoipa::path(get, path = "/cases", params(ListQuery), responses((status = 200, body = Page<CaseBrief>)), tag = "cases")]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<CaseBrief>>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| queue::page(ctx, tx, &query))
        .await
        .map(Json)
}

/// How many a list holds.
#[utoipa::path(get, path = "/cases/counts", params(ListQuery), responses((status = 200, body = Counts)), tag = "cases")]
async fn counts(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Counts>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| queue::counts(ctx, tx, &query))
        .await
        .map(Json)
}

/// A list on the map.
#[utoipa::path(get, path = "/cases/map", params(ListQuery, MapQuery), responses((status = 200, body = Object, description = "GeoJSON")), tag = "cases")]
async fn map(
    Staff(ctx): Staff,
    Query(query): Query<ListQuery>,
    Query(view): Query<MapQuery>,
) -> Result<Json<Value>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| queue::map(ctx, tx, &query, &view))
        .await
        .map(Json)
}

/// Words to look for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct SearchQuery {
    q: String,
    limit: Option<u32>,
    after: Option<String>,
}

/// Search by words, pinyin, initials, number; newest first.
#[utoipa::path(get, path = "/cases/search", params(SearchQuery), responses((status = 200, body = Page<CaseBrief>)), tag = "cases")]
async fn search(Staff(ctx): Staff, Query(query): Query<SearchQuery>) -> Result<Json<Page<CaseBrief>>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    let list = ListQuery {
        q: Some(query.q),
        limit: query.limit,
        after: query.after,
        ..ListQuery::default()
    };
    ctx.app
        .read(&ctx, move |ctx, tx| queue::page(ctx, tx, &list))
        .await
        .map(Json)
}

/// Why the case is looked at.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct PurposeQuery {
    /// `handle`, `dispatch`, `verify`, `supervise`, `intake` or `audit`.
    purpose: Option<String>,
}

fn with_purpose(ctx: Ctx, query: &PurposeQuery, case: CaseId) -> Result<Ctx, Fault> {
    let purpose = match query.purpose.as_deref() {
        None => Purpose::HandleCase(case),
        Some(key) => Purpose::for_case(key, case).ok_or_else(|| Fault::invalid("purpose", "purpose_unknown"))?,
    };
    Ok(ctx.for_purpose(purpose))
}

/// The case within the scope; absent and not yours are the same answer.
fn visible(ctx: &Ctx, tx: &mut Tx, id: CaseId) -> Result<Loaded, Fault> {
    let loaded = store::load(tx, id)?.ok_or_else(Fault::not_found)?;
    if ctx.scope.sees(&loaded.scope_facts(), Permission::CaseRead) {
        Ok(loaded)
    } else {
        Err(Fault::not_found())
    }
}

/// The case page. Where it shows who reported, the read is written down.
fn detail_and_log(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded) -> Result<CaseDetail, Fault> {
    let mut detail = view::detail(ctx, tx, loaded)?;
    if view::has_reporters(ctx, loaded) {
        view::add_reporters(ctx, tx, loaded, &mut detail)?;
        log_reporters(ctx, tx, loaded.row.id)?;
    }
    Ok(detail)
}

fn log_reporters(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    let seen = ["reporter.name_masked", "reporter.phone_masked"];
    log_read(ctx, tx, Subject::Case(case), &seen)
}

/// The case page. Where it shows who reported, the read is logged with its purpose.
#[utoipa::path(get, path = "/cases/{id}", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = CaseDetail)), tag = "cases")]
async fn page(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Query(query): Query<PurposeQuery>,
) -> Result<Json<CaseDetail>, Fault> {
    let ctx = with_purpose(ctx, &query, id)?;
    let (detail, reporters) = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let loaded = visible(ctx, tx, id)?;
            let mut detail = view::detail(ctx, tx, &loaded)?;
            let reporters = view::has_reporters(ctx, &loaded);
            if reporters {
                view::add_reporters(ctx, tx, &loaded, &mut detail)?;
            }
            Ok((detail, reporters))
        })
        .await?;
    // Only where a reporter is shown is there something to write down; it is, before anybody gets to see it.
    if reporters {
        ctx.app.write(&ctx, move |ctx, tx| log_reporters(ctx, tx, id)).await?;
    }
    Ok(Json(detail))
}

/// Cases that may be the same matter: near, alike, recent, within the scope. None once the case is over.
#[utoipa::path(get, path = "/cases/{id}/nearby", params(("id" = String, Path)), responses((status = 200, body = Vec<NearbyCase>)), tag = "cases")]
async fn nearby(Staff(ctx): Staff, Path(id): Path<CaseId>) -> Result<Json<Vec<NearbyCase>>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let row = visible(ctx, tx, id)?.row;
            if row.is_open() {
                duplicates::of_case(ctx, tx, &place::rules(ctx)?, &row)
            } else {
                Ok(Vec::new())
            }
        })
        .await
        .map(Json)
}

/// Why a clock is due when it is.
#[utoipa::path(get, path = "/cases/{id}/clock/{clock_id}/explain", params(("id" = String, Path), ("clock_id" = String, Path)),
    responses((status = 200, body = clocks::Explanation)), tag = "cases")]
async fn explain(
    Staff(ctx): Staff,
    Path((id, clock)): Path<(CaseId, ClockId)>,
) -> Result<Json<clocks::Explanation>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let loaded = visible(ctx, tx, id)?;
            let clock = store::clocks_of(tx, id)?
                .into_iter()
                .find(|c| c.id == clock)
                .ok_or_else(Fault::not_found)?;
            clocks::explain(ctx, &place::rules(ctx)?, &clock, &loaded.requests)
        })
        .await
        .map(Json)
}

/// A personal field, in clear.
#[derive(Debug, Deserialize, ToSchema)]
struct RevealInput {
    report_id: String,
    /// `phone` or `name`.
    field: String,
    /// `handle`, `dispatch`, `verify`, `supervise`, `intake` or `audit`.
    purpose: String,
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Revealed {
    value: Option<String>,
}

/// Shows a reporter's number or name in clear; logged with its purpose. An anonymous reporter's is never shown.
#[utoipa::path(post, path = "/cases/{id}/reveal", params(("id" = String, Path)), request_body = RevealInput,
    responses((status = 200, body = Revealed)), tag = "cases")]
async fn reveal(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Json(input): Json<RevealInput>,
) -> Result<Json<Revealed>, Fault> {
    let purpose = PurposeQuery {
        purpose: Some(input.purpose.clone()),
    };
    let ctx = with_purpose(ctx, &purpose, id)?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let loaded = visible(ctx, tx, id)?;
            if !ctx.scope.sees(&loaded.scope_facts(), Permission::CaseReporter) {
                return Err(Fault::forbidden());
            }
            let column = match input.field.as_str() {
                "phone" => "phone_sealed",
                "name" => "name_sealed",
                _ => return Err(Fault::invalid("field", "field_unknown")),
            };
            let report = loaded.reports.iter().find(|r| r.id.to_string() == input.report_id);
            let report = report.ok_or_else(|| Fault::invalid("report_id", "report_unknown"))?;
            if report.anonymous {
                return Err(Fault::refused("reporter_anonymous"));
            }
            let Some(reporter) = report.reporter_id else {
                return Ok(Revealed { value: None });
            };
            log_read(ctx, tx, Subject::Reporter(reporter), &[column])?;
            let value = view::personal(ctx, tx, reporter, column)?.map(|p| p.reveal().clone());
            Ok(Revealed { value })
        })
        .await
        .map(Json)
}

/// Does one action on a case. The body holds `row_version`, `action_id` and the action's own fields.
#[utoipa::path(post, path = "/cases/{id}/actions/{action}", params(("id" = String, Path), ("action" = String, Path)),
    request_body(content = Object), responses((status = 200, body = CaseDetail)), tag = "cases")]
async fn action(
    Staff(ctx): Staff,
    Path((id, action)): Path<(CaseId, String)>,
    Json(input): Json<Value>,
) -> Result<Json<CaseDetail>, Fault> {
    let ctx = ctx.for_purpose(Purpose::HandleCase(id));
    ctx.app
        .write(&ctx, move |ctx, tx| {
            act(ctx, tx, id, &action, input)?;
            let loaded = store::load(tx, id)?.ok_or_else(Fault::not_found)?;
            detail_and_log(ctx, tx, &loaded)
        })
        .await
        .map(Json)
}

/// Which report.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ReceiptQuery {
    report: Option<String>,
}

/// The receipt of a report, to print or send for the reporter.
#[utoipa::path(get, path = "/cases/{id}/receipt", params(("id" = String, Path), ReceiptQuery), responses((status = 200, body = Receipt)), tag = "cases")]
async fn receipt(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Query(query): Query<ReceiptQuery>,
) -> Result<Json<Receipt>, Fault> {
    let at = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let loaded = visible(ctx, tx, id)?;
            let wanted =
                |r: &&super::record::ReportRow| query.report.as_ref().is_none_or(|report| r.id.to_string() == *report);
            let report = loaded.reports.iter().find(wanted).ok_or_else(Fault::not_found)?;
            Ok(report.ledger())
        })
        .await?;
    receipt_of(&ctx, at).await.map(Json)
}

/// A caller's number.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct CallerQuery {
    phone: String,
}

/// What is known of a caller: open and earlier matters, within the scope.
#[derive(Debug, Serialize, ToSchema)]
struct Caller {
    reporter_id: Option<String>,
    name_masked: Option<String>,
    open_cases: Vec<CaseBrief>,
    recent: Vec<CaseBrief>,
}

/// The caller's number first: what else they have reported. Logged, for the purpose of taking the call.
#[utoipa::path(get, path = "/callers", params(CallerQuery), responses((status = 200, body = Caller)), tag = "cases")]
async fn callers(Staff(ctx): Staff, Query(query): Query<CallerQuery>) -> Result<Json<Caller>, Fault> {
    const SHORTEST: usize = 5;
    ctx.scope.require(Permission::CaseIntake)?;
    ctx.scope.require(Permission::CaseReporter)?;
    let ctx = ctx.for_purpose(Purpose::Intake);
    if sealed::plain_phone(&query.phone).len() < SHORTEST {
        return Err(Fault::invalid("phone", "phone_invalid"));
    }
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let index = ctx.app.sealer().phone_index(&query.phone);
            let (rows, newest) = view::cases_of_phone(ctx, tx, &index)?;
            let rules = place::rules(ctx)?;
            let (open, done): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_open());
            let visible = !open.is_empty() || !done.is_empty();
            let reporter = newest.filter(|_| visible);
            let name = match reporter {
                Some(reporter) => {
                    log_read(ctx, tx, Subject::Reporter(reporter), &["name_masked", "cases"])?;
                    view::personal(ctx, tx, reporter, "name_sealed")?.map(|p| p.masked_name())
                }
                None => None,
            };
            Ok(Caller {
                reporter_id: reporter.map(|r| r.to_string()),
                name_masked: name,
                open_cases: view::briefs(ctx, tx, &rules, &open)?,
                recent: view::briefs(ctx, tx, &rules, &done)?,
            })
        })
        .await
        .map(Json)
}

/// For which kind of matter.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct TemplateQuery {
    category: String,
}

/// An answer to start from.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateView {
    key: String,
    name: String,
    body: String,
}

/// Answer templates for a category, the most particular first.
#[utoipa::path(get, path = "/templates", params(TemplateQuery), responses((status = 200, body = Vec<TemplateView>)), tag = "cases")]
async fn templates(Staff(ctx): Staff, Query(query): Query<TemplateQuery>) -> Result<Json<Vec<TemplateView>>, Fault> {
    let rules = place::rules(&ctx)?;
    let all = rules.pack.templates_for(&query.category);
    let view = |t: &domain::policy::Template| TemplateView {
        key: t.key.clone(),
        name: ctx.lang.pick(&t.name.zh, &t.name.en).to_owned(),
        body: t.body.clone(),
    };
    Ok(Json(all.into_iter().map(view).collect()))
}

/// Something a member of staff must hear.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeView {
    id: String,
    /// What it is about: a case or a project.
    case_id: Option<String>,
    project_id: Option<String>,
    kind: String,
    text: String,
    at: String,
    read: bool,
}

/// One's own notices, newest first.
#[utoipa::path(get, path = "/notices", params(PageQuery), responses((status = 200, body = Page<NoticeView>)), tag = "cases")]
async fn notices(Staff(ctx): Staff, Query(paging): Query<PageQuery>) -> Result<Json<Page<NoticeView>>, Fault> {
    let Ok(worker) = ctx.worker() else {
        return Ok(Json(Page {
            items: Vec::new(),
            next: None,
        }));
    };
    let after: Option<(i64, String)> = paging.after()?;
    let limit = paging.limit();
    let rows = ctx
        .app
        .read(&ctx, move |_, tx| store::notices(tx, worker, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |n| (n.at.0, n.id.to_string()));
    Ok(Json(page.map(|n| NoticeView {
        text: super::words::notice(ctx.lang, &n.kind, &n.body),
        id: n.id.to_string(),
        case_id: (n.about.0 == "case").then(|| n.about.1.clone()),
        project_id: (n.about.0 == "project").then_some(n.about.1),
        kind: n.kind,
        at: n.at.to_string(),
        read: n.read_at.is_some(),
    })))
}

/// Marks one's own notice as read.
#[utoipa::path(post, path = "/notices/{id}/read", params(("id" = String, Path)), responses((status = 204)), tag = "cases")]
async fn read_notice(Staff(ctx): Staff, Path(id): Path<MessageId>) -> Result<StatusCode, Fault> {
    let worker = ctx.worker()?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            if !store::read_notice(tx, id, worker, ctx.now)? {
                return Err(Fault::not_found());
            }
            tx.record(
                ctx,
                Mark::new("notice.read", Subject::Message(id), serde_json::json!({})),
            )?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}

/// What a resident reports.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
struct PortalReport {
    id: String,
    body: String,
    title: Option<String>,
    category_code: Option<String>,
    lon: Option<f64>,
    lat: Option<f64>,
    datum: Option<String>,
    address: Option<String>,
    place_note: Option<String>,
    area_id: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    anonymous: bool,
    /// Tell the phone number by SMS how it goes on.
    by_sms: bool,
    attachments: Vec<String>,
}

impl PortalReport {
    fn into_submission(self, channel: &str) -> Submission {
        Submission {
            id: self.id,
            channel: channel.to_owned(),
            body: self.body,
            title: self.title,
            category_code: self.category_code,
            area_id: self.area_id,
            lon: self.lon,
            lat: self.lat,
            datum: self.datum,
            address: self.address,
            place_note: self.place_note,
            reporter: Some(intake::ReporterInput {
                name: self.name,
                phone: self.phone,
                anonymous: self.anonymous,
                by_sms: self.by_sms,
                contact: None,
            }),
            attachments: self.attachments,
            urgent: false,
            on_the_spot: None,
            order_share: None,
            team_id: None,
        }
    }
}

/// A report just taken.
#[derive(Debug, Serialize, ToSchema)]
struct PortalOpened {
    number: String,
    follow_code: String,
    receipt: Receipt,
    case: PublicStatus,
}

async fn open_for_resident(ctx: Ctx, submission: Submission) -> Result<Json<PortalOpened>, Fault> {
    let ctx = ctx.for_purpose(Purpose::OwnReport);
    let (opened, case) = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            residents_category(ctx, &submission)?;
            let opened = intake::open(ctx, tx, &submission)?;
            let status = portal::status(ctx, tx, opened.row.id, opened.report)?;
            Ok((opened, status))
        })
        .await?;
    let receipt = receipt_of(&ctx, opened.ledger)
        .await
        .map_err(|fault| taken_in(fault, &opened))?;
    Ok(Json(PortalOpened {
        number: opened.row.number,
        follow_code: opened.follow_code,
        receipt,
        case,
    }))
}

/// Residents choose only among the kinds offered to them.
fn residents_category(ctx: &Ctx, submission: &Submission) -> Result<(), Fault> {
    let rules = place::rules(ctx)?;
    let offered = |code: &str| rules.pack.category(code).is_some_and(|c| c.resident);
    match submission.category_code.as_deref() {
        Some(code) if !offered(code) => Err(Fault::invalid("category_code", "category_unknown")),
        _ => Ok(()),
    }
}

/// A resident reports on the web. No account; the number and the code follow it.
#[utoipa::path(post, path = "/portal/reports", request_body = PortalReport, responses((status = 200, body = PortalOpened)), tag = "portal")]
async fn portal_report(Public(ctx): Public, Json(report): Json<PortalReport>) -> Result<Json<PortalOpened>, Fault> {
    open_for_resident(ctx, report.into_submission("web")).await
}

/// Help while a resident types: public fields only.
#[utoipa::path(post, path = "/portal/suggest", request_body = Draft, responses((status = 200, body = PublicSuggestion)), tag = "portal")]
async fn portal_suggest(Public(ctx): Public, Json(draft): Json<Draft>) -> Result<Json<PublicSuggestion>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| suggest::for_residents(ctx, tx, &draft))
        .await
        .map(Json)
}

/// Number and code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct Follow {
    number: String,
    follow_code: String,
}

/// Where a report stands.
#[utoipa::path(post, path = "/portal/follow", request_body = Follow, responses((status = 200, body = PublicStatus)), tag = "portal")]
async fn portal_follow(Public(ctx): Public, Json(follow): Json<Follow>) -> Result<Json<PublicStatus>, Fault> {
    let ctx = ctx.for_purpose(Purpose::OwnReport);
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let (case, report) = portal::find(ctx, tx, &follow.number, &follow.follow_code)?;
            portal::status(ctx, tx, case, report)
        })
        .await
        .map(Json)
}

/// Does something as the reporter and answers with the new status.
async fn as_reporter<F>(ctx: Ctx, number: String, code: String, f: F) -> Result<Json<PublicStatus>, Fault>
where
    F: FnOnce(&Ctx, &mut Tx, CaseId, ReportId) -> Result<(), Fault> + Send + 'static,
{
    let ctx = ctx.for_purpose(Purpose::OwnReport);
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let (case, report) = portal::find(ctx, tx, &number, &code)?;
            f(ctx, tx, case, report)?;
            portal::status(ctx, tx, case, report)
        })
        .await
        .map(Json)
}

/// A rating.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct RateInput {
    follow_code: String,
    /// 1 to 5; from 4 on it also confirms that the matter is solved.
    rating: i64,
    #[serde(default)]
    comment: Option<String>,
}

/// Rates the answer.
#[utoipa::path(post, path = "/portal/follow/{number}/rate", params(("number" = String, Path)), request_body = RateInput,
    responses((status = 200, body = PublicStatus)), tag = "portal")]
async fn portal_rate(
    Public(ctx): Public,
    Path(number): Path<String>,
    Json(input): Json<RateInput>,
) -> Result<Json<PublicStatus>, Fault> {
    as_reporter(ctx, number, input.follow_code, move |ctx, tx, case, report| {
        portal::rate(ctx, tx, case, report, input.rating, input.comment.as_deref())
    })
    .await
}

/// A reason.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct ReasonInput {
    follow_code: String,
    #[serde(default)]
    reason: String,
}

/// It is not solved: worked on again, or reopened.
#[utoipa::path(post, path = "/portal/follow/{number}/object", params(("number" = String, Path)), request_body = ReasonInput,
    responses((status = 200, body = PublicStatus)), tag = "portal")]
async fn portal_object(
    Public(ctx): Public,
    Path(number): Path<String>,
    Json(input): Json<ReasonInput>,
) -> Result<Json<PublicStatus>, Fault> {
    as_reporter(ctx, number, input.follow_code, move |ctx, tx, case, _| {
        portal::object(ctx, tx, case, &input.reason)
    })
    .await
}

/// Takes the report back.
#[utoipa::path(post, path = "/portal/follow/{number}/withdraw", params(("number" = String, Path)), request_body = ReasonInput,
    responses((status = 200, body = PublicStatus)), tag = "portal")]
async fn portal_withdraw(
    Public(ctx): Public,
    Path(number): Path<String>,
    Json(input): Json<ReasonInput>,
) -> Result<Json<PublicStatus>, Fault> {
    as_reporter(ctx, number, input.follow_code, move |ctx, tx, case, report| {
        portal::withdraw(ctx, tx, case, report, &input.reason)
    })
    .await
}

/// Words and photos to add.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct AddInput {
    follow_code: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attachments: Vec<String>,
}

/// Adds words or photos to an open matter.
#[utoipa::path(post, path = "/portal/follow/{number}/add", params(("number" = String, Path)), request_body = AddInput,
    responses((status = 200, body = PublicStatus)), tag = "portal")]
async fn portal_add(
    Public(ctx): Public,
    Path(number): Path<String>,
    Json(input): Json<AddInput>,
) -> Result<Json<PublicStatus>, Fault> {
    as_reporter(ctx, number, input.follow_code, move |ctx, tx, case, report| {
        portal::add(ctx, tx, case, report, &input.body, &input.attachments)
    })
    .await
}

/// The code alone; the number is in the address.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct CodeInput {
    follow_code: String,
}

/// The receipt, again.
#[utoipa::path(post, path = "/portal/follow/{number}/receipt", params(("number" = String, Path)), request_body = CodeInput,
    responses((status = 200, body = Receipt)), tag = "portal")]
async fn portal_receipt(
    Public(ctx): Public,
    Path(number): Path<String>,
    Json(input): Json<CodeInput>,
) -> Result<Json<Receipt>, Fault> {
    let at = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let (case, report) = portal::find(ctx, tx, &number, &input.follow_code)?;
            let loaded = store::load(tx, case)?.ok_or_else(Fault::not_found)?;
            let report = loaded
                .reports
                .iter()
                .find(|r| r.id == report)
                .ok_or_else(Fault::not_found)?;
            Ok(report.ledger())
        })
        .await?;
    receipt_of(&ctx, at).await.map(Json)
}

/// The code, and how large: `thumb` (320 pixels) or `full` (at most 2048).
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct PhotoInput {
    follow_code: String,
    #[schema(inline)]
    size: blobs::Size,
}

/// A photo of one's own report, or one given with the answer. Asked for with the code in the body, which addresses and logs never hold.
#[utoipa::path(post, path = "/portal/follow/{number}/photos/{hash}", params(("number" = String, Path), ("hash" = String, Path)),
    request_body = PhotoInput, tag = "portal",
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = crate::platform::fault::FaultView)))]
async fn portal_photo(
    Public(ctx): Public,
    Path((number, hash)): Path<(String, String)>,
    Json(input): Json<PhotoInput>,
) -> Result<Response, Fault> {
    let ctx = ctx.for_purpose(Purpose::OwnReport);
    let name = hash.clone();
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let (case, report) = portal::find(ctx, tx, &number, &input.follow_code)?;
            portal::may_see_photo(tx, case, report, &name)
        })
        .await?;
    blobs::answer(&ctx.app, &hash, input.size).await
}

/// Whose mailbox it is.
#[derive(Debug, Serialize, ToSchema)]
struct MailboxView {
    area: view::AreaRef,
    unit_public_name: Option<String>,
}

/// The mailbox of an area: a way in for those who stand before it.
#[utoipa::path(get, path = "/portal/mailbox/{area_id}", params(("area_id" = String, Path)), responses((status = 200, body = MailboxView)), tag = "portal")]
async fn mailbox_of(Public(ctx): Public, Path(area): Path<AreaId>) -> Result<Json<MailboxView>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let spot = place::spot_of_area(ctx, area).ok_or_else(Fault::not_found)?;
            let choice = super::routing::choose(ctx, tx, "", &spot, false)?;
            let unit = match choice {
                Some(choice) => place::unit(ctx, tx, choice.held.unit.into())?.map(|u| u.public_name),
                None => None,
            };
            let area = view::AreaRef {
                id: area.to_string(),
                name: spot.name,
                full_name: spot.full_name,
            };
            Ok(MailboxView {
                area,
                unit_public_name: unit,
            })
        })
        .await
        .map(Json)
}

/// A letter in the mailbox of an area becomes a case.
#[utoipa::path(post, path = "/portal/mailbox/{area_id}", params(("area_id" = String, Path)), request_body = PortalReport,
    responses((status = 200, body = PortalOpened)), tag = "portal")]
async fn portal_mailbox(
    Public(ctx): Public,
    Path(area): Path<AreaId>,
    Json(report): Json<PortalReport>,
) -> Result<Json<PortalOpened>, Fault> {
    let mut submission = report.into_submission("mailbox");
    submission.area_id = Some(area.to_string());
    open_for_resident(ctx, submission).await
}

/// What was done with people's matters: closed ones of public kinds, the newest first, without who they were about.
#[utoipa::path(get, path = "/portal/outcomes", tag = "portal", params(OutcomesQuery), responses((status = 200, body = Outcomes)))]
async fn portal_outcomes(Public(ctx): Public, Query(query): Query<OutcomesQuery>) -> Result<Json<Outcomes>, Fault> {
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| outcomes::page(ctx, tx, &query))
        .await?;
    Ok(Json(found))
}
