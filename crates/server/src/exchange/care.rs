//! Lists of people who are to be on care registers, from a spreadsheet. First every line is checked; only when all are right (or the bad ones
//! may be left out) anything is written. Somebody who is not registered is reported, never made; the same list again does nothing.
//!
//! Entry point: [`import`]. Must not: know how somebody is found; that is the registry's.

use super::columns::{self, Column, Columns, Known};
use super::rows::{RowProblem, area_names};
use super::table::Row;
use crate::duties;
use crate::platform::*;
use crate::registry::care_list::{CareIntake, CareLine};
use crate::territory;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Lines in one transaction.
const BATCH: usize = 500;
/// Of which list a header's columns are kept.
const KIND: &str = "care\u{1f}";

const FIELDS: Known = &[
    ("register", &["名册", "关爱名册", "名册名称", "register"]),
    ("name", columns::NAME),
    ("id_number", columns::ID_NUMBER),
    ("phone", &["电话", "手机", "手机号", "联系电话", "phone", "mobile"]),
    (
        "area",
        &["网格", "所属网格", "社区", "村", "区域", "区域编码", "area", "grid"],
    ),
    ("source", &["来源", "source"]),
    ("basis", &["依据", "文件", "名单名称", "basis"]),
    (
        "from",
        &["列入日期", "起始日期", "登记日期", "从何时起", "from", "since"],
    ),
];

/// Names of the columns that are understood, for a template.
pub fn template() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(_, names)| names[0])
}

/// How a list is taken over.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Register of lines that name none.
    pub register: Option<String>,
    /// Field of each column by its number, `name,id_number,,from`; otherwise as said last for this header, or by the columns' names.
    pub columns: Option<String>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Take the good lines although there are bad ones.
    pub skip_bad: bool,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct CareReport {
    /// Lines read.
    pub rows: usize,
    /// People put on a register; in a dry run, that would be.
    pub put_on: usize,
    /// Those who are on it already.
    pub already: usize,
    pub columns: Vec<Column>,
    /// What is wrong, line by line. Without leave to skip bad lines, any problem means that nothing was changed.
    pub problems: Vec<RowProblem>,
    /// Problems beyond those listed.
    pub more_problems: usize,
    pub dry_run: bool,
    /// Whether anything was written.
    pub changed: bool,
}

/// Takes a spreadsheet over.
pub async fn import(ctx: &Ctx, bytes: Vec<u8>, options: Options) -> Result<CareReport, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    let table = columns::read_table(bytes, FIELDS).await?;
    let columns = Columns::of(ctx, KIND, FIELDS, &table.header, options.columns.as_deref()).await?;
    if options.dry_run || !options.skip_bad {
        let mut report = pass(ctx, &table.rows, &columns, &options, true).await?;
        report.dry_run = options.dry_run;
        if options.dry_run || !report.problems.is_empty() {
            return Ok(report);
        }
    }
    let report = pass(ctx, &table.rows, &columns, &options, false).await?;
    if report.changed {
        ctx.app.write(ctx, duties::many_came).await?;
    }
    if let Some(said) = &options.columns {
        columns.keep(ctx, KIND, said).await?;
    }
    Ok(report)
}

async fn pass(ctx: &Ctx, rows: &[Row], columns: &Columns, options: &Options, dry: bool) -> Result<CareReport, Fault> {
    let mut report = CareReport {
        columns: columns.told(),
        ..CareReport::default()
    };
    let mut intake = CareIntake::new(Arc::new(area_names(&territory::current(&ctx.app))), dry);
    let sound = |row: &&Row| row.cells.iter().any(|cell| !cell.trim().is_empty());
    let rows: Vec<&Row> = rows.iter().filter(sound).collect();
    for some in rows.chunks(BATCH) {
        report.rows += some.len();
        let lines = some.iter().map(|row| line(columns, options, (*row).clone())).collect();
        intake = intake.take(ctx, lines).await?;
        for trouble in std::mem::take(&mut intake.taken.troubles) {
            columns.problem(ctx, trouble, &mut report.problems, &mut report.more_problems);
        }
    }
    (report.put_on, report.already) = (intake.taken.put_on, intake.taken.already);
    report.changed = !dry && intake.taken.put_on > 0;
    Ok(report)
}

fn line(columns: &Columns, options: &Options, row: Row) -> CareLine {
    let mut line = CareLine {
        row: row.number,
        ..CareLine::default()
    };
    for (field, cell) in columns.cells(row) {
        let place = match field {
            "register" => &mut line.register,
            "name" => &mut line.name,
            "id_number" => &mut line.id_number,
            "phone" => &mut line.phone,
            "area" => &mut line.area,
            "source" => &mut line.source,
            "basis" => &mut line.basis,
            _ => &mut line.from,
        };
        *place = cell;
    }
    if line.register.trim().is_empty() {
        line.register = options.register.clone().unwrap_or_default();
    }
    line
}
