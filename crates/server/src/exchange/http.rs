//! Routes of exchange: lists in, lists out, what the public is shown.

use super::care::{self, CareReport};
use super::export::{self, File, Wish};
use super::import::{self, ImportReport, Options};
use super::people::{self, PeopleReport};
use super::rows::{NAMES, RowProblem};
use super::store::{self, ExportRow};
use super::table;
use super::transparency::{self, Transparency};
use crate::access::Staff;
use crate::cases::queue::ListQuery;
use crate::platform::http::body_fault;
use crate::platform::*;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{Format, Workbook};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Rows of a list that comes in over HTTP; the command line takes more.
const IMPORT_ROWS: usize = 5_000;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    // Room for the form around the file; the file itself is measured when read.
    const FORM: usize = 64 << 10;
    let uploads = OpenApiRouter::new()
        .routes(routes!(import_cases))
        .routes(routes!(import_people))
        .routes(routes!(import_care))
        .routes(routes!(care_template))
        .layer(DefaultBodyLimit::max(table::MAX_BYTES + FORM));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(import_template))
        .routes(routes!(people_template))
        .routes(routes!(export_cases))
        .routes(routes!(ask_export, list_exports))
        .routes(routes!(approve_export))
        .routes(routes!(export_file))
        .routes(routes!(transparency_page))
        .merge(super::open311::routes())
        .merge(super::webhooks::routes())
        .merge(super::dialogue::routes())
        .merge(super::peers::routes())
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ImportQuery {
    /// Only say what would happen.
    dry_run: bool,
    /// Take the good rows although there are bad ones.
    skip_bad: bool,
    /// Area of rows that name none.
    area: Option<AreaId>,
    /// Name of the list: the same name and number are the same case.
    source: Option<String>,
}

/// Takes a list of cases over from a spreadsheet (`.xlsx`, or CSV in UTF-8): the body itself, or the form field `file`.
#[utoipa::path(post, path = "/imports/cases", tag = "exchange", params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ImportReport)))]
async fn import_cases(
    Staff(ctx): Staff,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Json<ImportReport>, Fault> {
    ctx.scope.require(Permission::CaseImport)?;
    let bytes = file_of(request).await?;
    let source = query.source.unwrap_or_else(|| "sheet".to_owned());
    let options = Options {
        source,
        area: query.area,
        dry_run: query.dry_run,
        skip_bad: query.skip_bad,
        max_rows: IMPORT_ROWS,
    };
    let ctx = ctx.for_purpose(Purpose::Intake);
    import::import(&ctx, bytes, options, |_, _| {}).await.map(Json)
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct PeopleQuery {
    /// Only say what would happen.
    dry_run: bool,
    /// Take the good lines although there are bad ones.
    skip_bad: bool,
    /// Area of lines that name none.
    area: Option<AreaId>,
    /// Name of the list.
    source: Option<String>,
    /// Field of each column by its number, `name,id_number,,room`; kept for the next list with this header. Left out: as said last, or by the names.
    columns: Option<String>,
    /// `csv`: what is wrong, as a file to be worked through, where anything is.
    problems: Option<String>,
}

/// Takes households and people over from a spreadsheet (`.xlsx`, or CSV in UTF-8): the body itself, or the form field `file`. People who are
/// registered in another household wait for a decision.
#[utoipa::path(post, path = "/imports/people", tag = "exchange", params(PeopleQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = PeopleReport)))]
async fn import_people(
    Staff(ctx): Staff,
    Query(query): Query<PeopleQuery>,
    request: Request,
) -> Result<Response, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    let bytes = file_of(request).await?;
    let options = people::Options {
        source: query.source.unwrap_or_else(|| "sheet".to_owned()),
        area: query.area,
        columns: query.columns,
        dry_run: query.dry_run,
        skip_bad: query.skip_bad,
    };
    let ctx = ctx.for_purpose(Purpose::Registry);
    let report = people::import(&ctx, bytes, options).await?;
    told(query.problems.as_deref(), &report.problems, &report)
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct CareQuery {
    /// Only say what would happen.
    dry_run: bool,
    /// Take the good lines although there are bad ones.
    skip_bad: bool,
    /// Key of the register of lines that name none.
    register: Option<String>,
    /// Field of each column by its number, `name,id_number,,from`; kept for the next list with this header. Left out: as said last, or by the names.
    columns: Option<String>,
    /// `csv`: what is wrong, as a file to be worked through, where anything is.
    problems: Option<String>,
}

/// Puts people on care registers from a spreadsheet (`.xlsx`, or CSV in UTF-8): the body itself, or the form field `file`. Somebody who is not
/// registered is reported, never made; who is on the register already stays as they are.
#[utoipa::path(post, path = "/imports/registers", tag = "exchange", params(CareQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = CareReport)))]
async fn import_care(Staff(ctx): Staff, Query(query): Query<CareQuery>, request: Request) -> Result<Response, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    let bytes = file_of(request).await?;
    let options = care::Options {
        register: query.register,
        columns: query.columns,
        dry_run: query.dry_run,
        skip_bad: query.skip_bad,
    };
    let ctx = ctx.for_purpose(Purpose::Registry);
    let report = care::import(&ctx, bytes, options).await?;
    told(query.problems.as_deref(), &report.problems, &report)
}

/// An empty spreadsheet with the columns of care registers.
#[utoipa::path(get, path = "/imports/registers/template", tag = "exchange", responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn care_template(Staff(ctx): Staff) -> Result<Response, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    template_file("registers-template.xlsx", care::template())
}

/// An empty spreadsheet with the columns of households and people.
#[utoipa::path(get, path = "/imports/people/template", tag = "exchange", responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn people_template(Staff(ctx): Staff) -> Result<Response, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    template_file("people-template.xlsx", people::template())
}

/// What came of a list; asked for as `csv`, what is wrong in it, where anything is.
fn told(asked: Option<&str>, problems: &[RowProblem], report: &impl Serialize) -> Result<Response, Fault> {
    if asked != Some("csv") || problems.is_empty() {
        return Ok(Json(report).into_response());
    }
    Ok(download(File {
        name: "problems.csv".to_owned(),
        mime: "text/csv; charset=utf-8",
        bytes: people::problems_csv(problems)?,
    }))
}

async fn file_of(request: Request) -> Result<Vec<u8>, Fault> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes = Bytes::from_request(request, &()).await.map_err(body_fault)?;
        return Ok(bytes.to_vec());
    }
    let missing = |error: &dyn std::fmt::Display| Fault::invalid("file", "import_file_missing").because(error);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| missing(&error))?;
    while let Some(field) = form.next_field().await.map_err(|error| missing(&error))? {
        if field.name() == Some("file") {
            return Ok(field.bytes().await.map_err(|error| missing(&error))?.to_vec());
        }
    }
    Err(Fault::invalid("file", "import_file_missing"))
}

/// An empty spreadsheet with the columns that are understood.
#[utoipa::path(get, path = "/imports/cases/template", tag = "exchange", responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn import_template(Staff(ctx): Staff) -> Result<Response, Fault> {
    ctx.scope.require(Permission::CaseImport)?;
    template_file("cases-template.xlsx", NAMES.iter().map(|(_, names)| names[0]))
}

fn template_file(name: &str, columns: impl Iterator<Item = &'static str>) -> Result<Response, Fault> {
    let mut book = Workbook::new();
    let (bold, sheet) = (Format::new().set_bold(), book.add_worksheet());
    for (at, column) in (0u16..).zip(columns) {
        sheet
            .write_string_with_format(0, at, column, &bold)
            .map_err(Fault::internal)?;
    }
    let bytes = book.save_to_buffer().map_err(Fault::internal)?;
    let mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(download(File {
        name: name.to_owned(),
        mime,
        bytes,
    }))
}

fn download(file: File) -> Response {
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file.name));
    let mut response = file.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.mime));
    if let Ok(named) = named {
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    response
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ExportQuery {
    /// What the list is for.
    reason: String,
    /// `xlsx` or `csv`.
    format: Option<String>,
}

/// Takes a small list out: the list's own filters, a reason. A larger one is asked for first.
#[utoipa::path(get, path = "/cases/export", tag = "exchange", params(ListQuery, ExportQuery), responses((status = 200, description = "The file", content(
    (String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)), (status = 409, description = "More rows than go without a second person", body = crate::platform::fault::FaultView)))]
async fn export_cases(
    Staff(ctx): Staff,
    Query(filter): Query<ListQuery>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Fault> {
    ctx.scope.require(Permission::CaseExport)?;
    let wish = Wish {
        filter,
        reason: query.reason,
        format: query.format.unwrap_or_else(|| "xlsx".to_owned()),
    };
    let ctx = ctx.for_purpose(Purpose::Supervise);
    let (made, rows) = ctx
        .app
        .write(&ctx, move |ctx, tx| export::small(ctx, tx, &wish))
        .await?;
    export::file(&ctx, &made, &rows).map(download)
}

/// A list wanted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct ExportWish {
    /// Made by the client.
    id: String,
    /// Filters as of the list.
    #[serde(default)]
    filter: ListQuery,
    #[serde(default)]
    reason: String,
    /// `xlsx` or `csv`.
    format: String,
}

/// A list somebody takes out.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ExportView {
    id: String,
    /// `small`, `waiting`, `approved` or `refused`.
    state: String,
    rows: i64,
    format: String,
    reason: String,
    asked_name: String,
    own: bool,
    created_at: String,
    expires_at: String,
    decided_name: Option<String>,
    decided_at: Option<String>,
    /// Where to fetch it, for the one who asked, once that is possible.
    file_url: Option<String>,
}

fn view(ctx: &Ctx, e: ExportRow) -> ExportView {
    let own = Some(e.asked_by) == ctx.actor.account();
    let ready = own && e.state == "approved" && e.expires_at > ctx.now;
    ExportView {
        file_url: ready.then(|| format!("/api/v1/exports/{}/file", e.id)),
        id: e.id,
        state: e.state,
        rows: e.rows,
        format: e.format,
        reason: e.reason,
        asked_name: e.asked_name,
        own,
        created_at: e.created_at.to_string(),
        expires_at: e.expires_at.to_string(),
        decided_name: e.decided_name,
        decided_at: e.decided_at.map(|at| at.to_string()),
    }
}

/// Asks for a list.
#[utoipa::path(post, path = "/exports", tag = "exchange", request_body = ExportWish, responses((status = 200, body = ExportView)))]
async fn ask_export(Staff(ctx): Staff, Json(input): Json<ExportWish>) -> Result<Json<ExportView>, Fault> {
    ctx.scope.require(Permission::CaseExport)?;
    let wish = Wish {
        filter: input.filter,
        reason: input.reason,
        format: input.format,
    };
    let made = ctx
        .app
        .write(&ctx, move |ctx, tx| export::ask(ctx, tx, &input.id, &wish))
        .await?;
    Ok(Json(view(&ctx, made)))
}

/// One's own exports, and those one may approve; the newest first.
#[utoipa::path(get, path = "/exports", tag = "exchange", params(PageQuery), responses((status = 200, body = Page<ExportView>)))]
async fn list_exports(Staff(ctx): Staff, Query(paging): Query<PageQuery>) -> Result<Json<Page<ExportView>>, Fault> {
    if !ctx.scope.has(Permission::CaseExport) {
        ctx.scope.require(Permission::ExportApprove)?;
    }
    let (after, limit, account) = (paging.after()?, paging.limit(), ctx.account()?);
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| store::list(ctx, tx, account, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |e| (e.created_at.0, e.id.clone()));
    Ok(Json(page.map(|e| view(&ctx, e))))
}

/// Yes or no.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct Decision {
    approve: bool,
}

/// A second person decides.
#[utoipa::path(post, path = "/exports/{id}/approve", tag = "exchange", params(("id" = String, Path)), request_body = Decision,
    responses((status = 200, body = ExportView)))]
async fn approve_export(
    Staff(ctx): Staff,
    Path(id): Path<String>,
    Json(input): Json<Decision>,
) -> Result<Json<ExportView>, Fault> {
    let decided = ctx
        .app
        .write(&ctx, move |ctx, tx| export::decide(ctx, tx, &id, input.approve))
        .await?;
    Ok(Json(view(&ctx, decided)))
}

/// The file, for the one who asked.
#[utoipa::path(get, path = "/exports/{id}/file", tag = "exchange", params(("id" = String, Path)), responses((status = 200, description = "The file", content(
    (String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
))))]
async fn export_file(Staff(ctx): Staff, Path(id): Path<String>) -> Result<Response, Fault> {
    ctx.scope.require(Permission::CaseExport)?;
    let ctx = ctx.for_purpose(Purpose::Supervise);
    let (e, rows) = ctx.app.write(&ctx, move |ctx, tx| export::fetch(ctx, tx, &id)).await?;
    export::file(&ctx, &e, &rows).map(download)
}

/// What is kept and why, what is never done, how often anybody looked.
#[utoipa::path(get, path = "/portal/transparency", tag = "portal", responses((status = 200, body = Transparency)))]
async fn transparency_page(Public(ctx): Public) -> Result<Json<Transparency>, Fault> {
    transparency::page(&ctx).await.map(Json)
}
