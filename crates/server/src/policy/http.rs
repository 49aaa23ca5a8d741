//! Routes of policy: categories, the pack with its sources, checking a pack, the calendar.

use super::view::{self, CategoryView, PackView};
use super::{calendar, current, read};
use crate::access::Staff;
use crate::platform::http::{Json, Public, Query};
use crate::platform::i18n::Lang;
use crate::platform::{App, Fault, Permission};
use domain::calendar::{DayKind, DayRule};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(categories))
        .routes(routes!(pack))
        .routes(routes!(check))
        .routes(routes!(year))
        .routes(routes!(import_year))
}

/// The category tree that residents choose from.
#[utoipa::path(get, path = "/categories", tag = "place", responses((status = 200, body = Vec<CategoryView>)))]
async fn categories(Public(ctx): Public) -> Result<Json<Vec<CategoryView>>, Fault> {
    Ok(Json(view::categories(&*current(&ctx.app)?, true)))
}

/// The whole pack with the source of every value.
#[utoipa::path(get, path = "/pack", tag = "place", responses((status = 200, body = PackView)))]
async fn pack(Staff(ctx): Staff) -> Result<Json<PackView>, Fault> {
    Ok(Json(view::pack(&*current(&ctx.app)?, ctx.lang)))
}

/// The files of a pack, by name.
#[derive(Debug, Deserialize, ToSchema)]
struct CheckRequest {
    files: BTreeMap<String, String>,
}

/// One problem of a pack.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemView {
    file: String,
    line: usize,
    code: String,
    message: String,
}

fn problem_view(problem: &read::Problem, lang: Lang) -> ProblemView {
    ProblemView {
        file: problem.file.clone(),
        line: problem.line,
        code: problem.code.to_owned(),
        message: problem.message(lang),
    }
}

/// Checks a pack without using it; every problem has its file and line.
#[utoipa::path(post, path = "/pack/check", tag = "place", request_body = CheckRequest, responses((status = 200, body = Vec<ProblemView>)))]
async fn check(Staff(ctx): Staff, Json(request): Json<CheckRequest>) -> Result<Json<Vec<ProblemView>>, Fault> {
    ctx.scope.require(Permission::PackManage)?;
    let problems = read::read_pack(&request.files).err().unwrap_or_default();
    Ok(Json(
        problems.iter().map(|problem| problem_view(problem, ctx.lang)).collect(),
    ))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct YearQuery {
    year: i16,
}

/// One day of the working calendar.
#[derive(Debug, Serialize, ToSchema)]
struct DayView {
    /// ISO date.
    date: String,
    /// `work`, `rest`, `makeup` or `half`.
    kind: String,
    /// Name of the holiday, or empty.
    name: String,
    /// `08:30-12:00`.
    sessions: Vec<String>,
}

/// The days of a year; none when the year is not known yet.
#[utoipa::path(get, path = "/calendar", tag = "place", params(YearQuery), responses((status = 200, body = Vec<DayView>)))]
async fn year(Staff(ctx): Staff, Query(query): Query<YearQuery>) -> Result<Json<Vec<DayView>>, Fault> {
    if !(2000..=2100).contains(&query.year) {
        return Err(Fault::invalid("year", "year_out_of_range"));
    }
    let pack = current(&ctx.app)?;
    let mut days = Vec::new();
    for date in jiff::civil::date(query.year, 1, 1).series(jiff::Span::new().days(1)) {
        if date.year() != query.year {
            break;
        }
        let Ok(day) = pack.now_calendar().day(date) else { break };
        let (kind, name) = match day.kind {
            DayKind::Work => ("work", ""),
            DayKind::Weekend => ("rest", ""),
            DayKind::Holiday(name) => ("rest", name),
            DayKind::MakeUp(name) => ("makeup", name),
            DayKind::Special(name) => (if day.weight < 1000 { "half" } else { "work" }, name),
        };
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        days.push(DayView {
            date: date.to_string(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            sessions: day
                .sessions
                .iter()
                .map(|span| format!("{}-{}", clock(span.from), clock(span.to)))
                .collect(),
        });
    }
    Ok(Json(days))
}

/// A year file as text.
#[derive(Debug, Deserialize, ToSchema)]
struct ImportYear {
    text: String,
    /// Only say what the file holds.
    #[serde(default)]
    dry_run: bool,
}

/// A date the file names.
#[derive(Debug, Serialize, ToSchema)]
struct NamedDay {
    /// ISO date.
    date: String,
    /// `rest`, `makeup` or `half`.
    kind: String,
    name: String,
}

/// What was brought in.
#[derive(Debug, Serialize, ToSchema)]
struct ImportedYear {
    year: i16,
    days: usize,
    /// The newest version: after a dry run the one there was before.
    calendar_version: u32,
    named: Vec<NamedDay>,
}

/// Brings in or corrects one year of holidays; running clocks keep the version they began under.
#[utoipa::path(post, path = "/calendar/import", tag = "place", request_body = ImportYear, responses((status = 200, body = ImportedYear)))]
async fn import_year(Staff(ctx): Staff, Json(request): Json<ImportYear>) -> Result<Json<ImportedYear>, Fault> {
    ctx.scope.require(Permission::PackManage)?;
    let (file, days) = calendar::read_year(&request.text)
        .map_err(|error| Fault::invalid("text", "calendar_unreadable").with("detail", error))?;
    let pack = current(&ctx.app)?;
    let (year, count, base, text) = (file.year, days.len(), pack.pack.calendar.base.clone(), request.text);
    if !request.dry_run {
        ctx.app
            .write(&ctx, move |ctx, tx| {
                super::store::put_year(ctx, tx, &base, year, &text, count)?;
                Ok(())
            })
            .await?;
        super::refresh_calendar(&ctx.app).await?;
    }
    let calendar_version = current(&ctx.app)?.calendar.version;
    Ok(Json(ImportedYear {
        year,
        days: count,
        calendar_version,
        named: days.iter().map(|(date, rule)| named_day(*date, rule)).collect(),
    }))
}

fn named_day(date: Date, rule: &DayRule) -> NamedDay {
    let (kind, name) = match rule {
        DayRule::Rest { name } => ("rest", name),
        DayRule::Work { name } => ("makeup", name),
        DayRule::Hours { name, .. } => ("half", name),
    };
    NamedDay {
        date: date.to_string(),
        kind: kind.to_owned(),
        name: name.clone(),
    }
}
