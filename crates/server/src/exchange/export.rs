//! Lists of cases taken out as a file: within the same scope and filters as on the screen, with a reason, above the pack's number of rows
//! only after a second person agreed. Every file says who took it, when, and under which number.
//!
//! Entry points: [`small`], [`ask`], [`decide`], [`file`]. No column says who reported. Must not: put anything into a cell that a
//! spreadsheet program would run.

use super::store::{self, ExportRow};
use crate::access::log_read;
use crate::cases::CaseBrief;
use crate::cases::queue::{self, ListQuery};
use crate::platform::sheet::without_formula;
use crate::platform::*;
use crate::{policy, territory};
use axum::http::StatusCode;
use domain::time::HOUR_MS;
use rust_xlsxwriter::{DocProperties, Format, Workbook};
use serde_json::json;

/// Most rows of one file.
pub const MAX_ROWS: usize = 10_000;
/// Characters of a reason.
pub const MAX_REASON: usize = 200;
const MIN_REASON: usize = 4;
/// Hours in which an export may be decided and fetched.
const HOURS: i64 = 24;
/// A file may hold so many percent more rows than were asked for: life goes on meanwhile.
const GROWTH_PERCENT: i64 = 10;
/// Columns of the file.
const COLUMNS: [(&str, &str); 12] = [
    ("编号", "number"),
    ("标题", "title"),
    ("分类", "category"),
    ("状态", "state"),
    ("区域", "area"),
    ("主办单位", "unit"),
    ("经办人", "worker"),
    ("渠道", "channel"),
    ("紧急", "urgent"),
    ("收到时间", "received_at"),
    ("到期时间", "due_at"),
    ("是否超时", "late"),
];

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    pub filter: ListQuery,
    pub reason: String,
    pub format: String,
}

impl Wish {
    fn check(&self) -> Result<(), Fault> {
        let length = self.reason.trim().chars().count();
        if length < MIN_REASON {
            return Err(Fault::invalid("reason", "export_reason_missing").with("least", MIN_REASON));
        }
        if length > MAX_REASON {
            return Err(Fault::invalid("reason", "export_reason_too_long").with("most", MAX_REASON));
        }
        if !matches!(self.format.as_str(), "xlsx" | "csv") {
            return Err(Fault::invalid("format", "export_format_unknown"));
        }
        Ok(())
    }
}

/// A file made.
#[derive(Debug)]
pub struct File {
    pub name: String,
    pub mime: &'static str,
    pub bytes: Vec<u8>,
}

fn most_alone(ctx: &Ctx) -> Result<usize, Fault> {
    Ok(policy::current(&ctx.app)?
        .pack
        .thresholds
        .export_rows_second_person
        .value as usize)
}

/// The list, at most [`MAX_ROWS`].
fn rows(ctx: &Ctx, tx: &mut Tx, filter: &ListQuery) -> Result<Vec<CaseBrief>, Fault> {
    ctx.scope.require(Permission::CaseExport)?;
    let rows = queue::whole(ctx, tx, filter, MAX_ROWS)?;
    if rows.len() > MAX_ROWS {
        return Err(Fault::refused("export_too_many_rows").with("most", MAX_ROWS));
    }
    Ok(rows)
}

fn request(ctx: &Ctx, wish: &Wish, id: String, count: usize, state: &str) -> Result<ExportRow, Fault> {
    let worker = match &ctx.actor {
        Actor::Account { worker, .. } => *worker,
        _ => None,
    };
    let area = wish
        .filter
        .area
        .as_deref()
        .and_then(|area| area.parse::<AreaId>().ok())
        .or_else(|| {
            let mut grants = ctx.scope.with(Permission::CaseExport);
            let first = grants.next().and_then(|grant| grant.area);
            first.filter(|_| grants.next().is_none())
        });
    let map = territory::current(&ctx.app);
    Ok(ExportRow {
        id,
        created_at: ctx.now,
        expires_at: ctx.now.plus_ms(HOURS * HOUR_MS),
        asked_by: ctx.account()?,
        asked_worker: worker,
        asked_name: ctx.actor.name().to_owned(),
        reason: wish.reason.trim().to_owned(),
        filter: serde_json::to_string(&wish.filter).map_err(Fault::internal)?,
        format: wish.format.clone(),
        rows: count as i64,
        areas: area
            .and_then(|area| map.area(area))
            .map(|area| area.chain)
            .unwrap_or_default(),
        state: state.to_owned(),
        decided_name: None,
        decided_at: None,
    })
}

fn mark(ctx: &Ctx, tx: &mut Tx, action: &'static str, e: &ExportRow, count: usize) -> Result<(), Fault> {
    let body = json!({ "export": e.id, "rows": count, "format": e.format, "reason": digest(&e.reason), "filter": digest(&e.filter) });
    tx.record(ctx, Mark::new(action, Subject::List, body))?;
    Ok(())
}

fn digest(text: &str) -> serde_json::Value {
    use sha2::Digest;
    json!({ "sha256": hex::encode(sha2::Sha256::digest(text.as_bytes())) })
}

/// Takes a small list out at once.
pub fn small(ctx: &Ctx, tx: &mut Tx, wish: &Wish) -> Result<(ExportRow, Vec<CaseBrief>), Fault> {
    wish.check()?;
    let rows = rows(ctx, tx, &wish.filter)?;
    let limit = most_alone(ctx)?;
    if rows.len() > limit {
        return Err(Fault::new(StatusCode::CONFLICT, "export_needs_approval")
            .with("rows", rows.len())
            .with("limit", limit));
    }
    let id: AccessId = ctx.app.new_id();
    let e = request(ctx, wish, id.to_string(), rows.len(), "small")?;
    store::insert(tx, &e)?;
    log_read(ctx, tx, Subject::List, &["case.title"])?;
    mark(ctx, tx, "export.made", &e, rows.len())?;
    Ok((e, rows))
}

/// Asks for a list; a small one needs nobody.
pub fn ask(ctx: &Ctx, tx: &mut Tx, id: &str, wish: &Wish) -> Result<ExportRow, Fault> {
    wish.check()?;
    let id: AccessId = id.parse().map_err(|_| Fault::invalid("id", "invalid_id"))?;
    let own = ctx.account()?;
    if let Some(there) = store::by_id(tx, &id.to_string())? {
        let same = there.asked_by == own && there.reason == wish.reason.trim() && there.format == wish.format;
        return if same {
            Ok(there)
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    let rows = rows(ctx, tx, &wish.filter)?;
    let state = if rows.len() > most_alone(ctx)? {
        "waiting"
    } else {
        "approved"
    };
    let e = request(ctx, wish, id.to_string(), rows.len(), state)?;
    store::insert(tx, &e)?;
    mark(ctx, tx, "export.asked", &e, rows.len())?;
    Ok(e)
}

/// A second person agrees or not. Nobody decides on their own request, under whichever account.
pub fn decide(ctx: &Ctx, tx: &mut Tx, id: &str, approve: bool) -> Result<ExportRow, Fault> {
    ctx.scope.require(Permission::ExportApprove)?;
    let e = store::by_id(tx, id)?.ok_or_else(Fault::not_found)?;
    let own = e.asked_by == ctx.account()? || (e.asked_worker.is_some() && e.asked_worker == ctx.worker().ok());
    if !own && !covers(ctx, &e) {
        return Err(Fault::not_found());
    }
    if own {
        return Err(Fault::refused("export_own_request"));
    }
    if e.state != "waiting" {
        return Err(Fault::refused("export_decided"));
    }
    if e.expires_at <= ctx.now {
        return Err(Fault::refused("export_expired"));
    }
    let state = if approve { "approved" } else { "refused" };
    if !store::decide(ctx, tx, id, state)? {
        return Err(Fault::refused("export_decided"));
    }
    mark(
        ctx,
        tx,
        if approve { "export.approved" } else { "export.refused" },
        &e,
        e.rows as usize,
    )?;
    store::by_id(tx, id)?.ok_or_else(Fault::not_found)
}

fn covers(ctx: &Ctx, e: &ExportRow) -> bool {
    ctx.scope.covers(&e.areas, Permission::ExportApprove)
}

/// The list of an approved export, for the one who asked, as their scope is now.
pub fn fetch(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<(ExportRow, Vec<CaseBrief>), Fault> {
    let own = ctx.account()?;
    let e = store::by_id(tx, id)?
        .filter(|e| e.asked_by == own)
        .ok_or_else(Fault::not_found)?;
    match e.state.as_str() {
        "waiting" => return Err(Fault::refused("export_not_approved")),
        "refused" => return Err(Fault::refused("export_refused")),
        _ if e.expires_at <= ctx.now => return Err(Fault::refused("export_expired")),
        _ => {}
    }
    let filter: ListQuery = serde_json::from_str(&e.filter).map_err(Fault::internal)?;
    let rows = rows(ctx, tx, &filter)?;
    if rows.len() as i64 > e.rows + e.rows * GROWTH_PERCENT / 100 {
        return Err(Fault::refused("export_changed")
            .with("asked", e.rows)
            .with("rows", rows.len()));
    }
    store::fetched(tx, id)?;
    log_read(ctx, tx, Subject::List, &["case.title"])?;
    mark(ctx, tx, "export.made", &e, rows.len())?;
    Ok((e, rows))
}

/// The file of a list.
pub fn file(ctx: &Ctx, e: &ExportRow, rows: &[CaseBrief]) -> Result<File, Fault> {
    let mark = watermark(ctx, e);
    let (bytes, mime) = match e.format.as_str() {
        "csv" => (csv_file(ctx, &mark, rows)?, "text/csv; charset=utf-8"),
        _ => (
            xlsx_file(ctx, &mark, rows)?,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    };
    let name = format!(
        "cases-{}-{}.{}",
        ctx.now.date(),
        e.id.get(..8).unwrap_or_default(),
        e.format
    );
    Ok(File { name, mime, bytes })
}

/// Who took it, when, under which number.
fn watermark(ctx: &Ctx, e: &ExportRow) -> String {
    let by = e
        .decided_name
        .as_deref()
        .map(|name| format!("，同意人 {name}"))
        .unwrap_or_default();
    format!(
        "导出人 {}，时间 {}，导出编号 {}{by}。仅限所述用途使用，不得外传。",
        e.asked_name, ctx.now, e.id
    )
}

fn cells(ctx: &Ctx, row: &CaseBrief) -> [String; 12] {
    let yes = |is: bool| {
        if is {
            ctx.lang.pick("是", "yes")
        } else {
            ctx.lang.pick("否", "no")
        }
        .to_owned()
    };
    [
        row.number.clone(),
        row.title.clone(),
        row.category.as_ref().map(|c| c.name.clone()).unwrap_or_default(),
        row.state_name.clone(),
        row.area.as_ref().map(|a| a.full_name.clone()).unwrap_or_default(),
        row.unit.as_ref().map(|u| u.name.clone()).unwrap_or_default(),
        row.worker.as_ref().map(|w| w.name.clone()).unwrap_or_default(),
        row.channel.clone(),
        yes(row.urgent),
        row.received_at.clone(),
        row.due_at.clone().unwrap_or_default(),
        yes(row.late),
    ]
}

fn csv_file(ctx: &Ctx, mark: &str, rows: &[CaseBrief]) -> Result<Vec<u8>, Fault> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record([without_formula(mark)]).map_err(Fault::internal)?;
    writer
        .write_record(COLUMNS.map(|(zh, en)| ctx.lang.pick(zh, en)))
        .map_err(Fault::internal)?;
    for row in rows {
        writer
            .write_record(cells(ctx, row).map(|cell| without_formula(&cell)))
            .map_err(Fault::internal)?;
    }
    writer.into_inner().map_err(Fault::internal)
}

fn xlsx_file(ctx: &Ctx, mark: &str, rows: &[CaseBrief]) -> Result<Vec<u8>, Fault> {
    let mut book = Workbook::new();
    book.set_properties(
        &DocProperties::new()
            .set_title("wangge")
            .set_comment(mark)
            .set_author(ctx.actor.name()),
    );
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet();
    // Always text: no cell of a list is ever a formula.
    sheet.write_string(0, 0, mark).map_err(Fault::internal)?;
    for (at, (zh, en)) in (0u16..).zip(COLUMNS) {
        sheet
            .write_string_with_format(1, at, ctx.lang.pick(zh, en), &bold)
            .map_err(Fault::internal)?;
    }
    for (line, row) in (2u32..).zip(rows) {
        for (at, cell) in (0u16..).zip(cells(ctx, row)) {
            sheet.write_string(line, at, cell).map_err(Fault::internal)?;
        }
    }
    sheet.set_header(format!(
        "&C{}",
        mark.replace('&', "&&").chars().take(200).collect::<String>()
    ));
    book.save_to_buffer().map_err(Fault::internal)
}
