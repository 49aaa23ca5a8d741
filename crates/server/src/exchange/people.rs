//! Lists of households and people taken over: from a spreadsheet over HTTP, from a file on the command line, however long. First every line is
//! checked; only when all are right (or the bad ones may be left out) anything is written. The same list again adds nothing.
//!
//! Entry points: [`import`] (a spreadsheet in memory), [`import_csv`] (a file read line by line). Columns nobody asked for are left out and
//! named: a list cannot bring in labels of persons. Must not: know how somebody is registered; that is the registry's.

use super::columns::{self, Column, Columns, Known};
use super::rows::{RowProblem, area_names};
use super::table::Row;
use crate::duties;
use crate::platform::*;
use crate::registry::intake::{self, Areas, Intake, Line, Ready, Trouble};
use crate::territory;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use utoipa::ToSchema;

/// Lines in one transaction.
const BATCH: usize = 2_000;
/// Characters of the name of a list.
const MAX_SOURCE: usize = 60;
/// Of which list a header's columns are kept: of this one they were first.
const KIND: &str = "";

/// A column that is understood: its key, and its names as lists have them, in lower case without blanks; the first is the template's.
const FIELDS: Known = &[
    ("dwelling", &["房屋编号", "楼栋编号", "dwelling", "dwellingcode"]),
    (
        "area",
        &[
            "网格",
            "所属网格",
            "网格编码",
            "区域",
            "区域编码",
            "area",
            "grid",
            "areacode",
        ],
    ),
    ("building", &["楼栋", "幢", "栋", "楼号", "building"]),
    ("entrance", &["单元", "entrance"]),
    ("floor", &["楼层", "层", "floor"]),
    ("room", &["房号", "室", "门牌", "房间号", "room"]),
    ("number", &["户号", "户编号", "household", "householdnumber"]),
    ("name", columns::NAME),
    ("id_number", columns::ID_NUMBER),
    (
        "phones",
        &["电话", "手机", "手机号", "联系电话", "phone", "phones", "mobile"],
    ),
    ("relation", &["与户主关系", "与户主的关系", "关系", "relation"]),
    ("kind", &["居住类型", "人户状态", "户籍或居住", "residence", "kind"]),
    (
        "valid_from",
        &["入住日期", "迁入日期", "登记日期", "从何时起", "from", "since"],
    ),
];

/// Names of the columns that are understood, for a template.
pub fn template() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(_, names)| names[0])
}

/// How a list is taken over.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the list.
    pub source: String,
    /// Where lines lie that say nothing of it.
    pub area: Option<AreaId>,
    /// Field of each column by its number, `name,id_number,,room`; otherwise as said last for this header, or by the columns' names.
    pub columns: Option<String>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Take the good lines although there are bad ones.
    pub skip_bad: bool,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct PeopleReport {
    /// Lines read.
    pub rows: usize,
    /// Households and residents registered; in a dry run, that would be.
    pub households: usize,
    pub residents: usize,
    /// People who are registered in that household already.
    pub already: usize,
    /// People who are registered in another household: they wait for a person to decide.
    pub duplicates: usize,
    pub columns: Vec<Column>,
    /// What is wrong, line by line. Without leave to skip bad lines, any problem means that nothing was changed.
    pub problems: Vec<RowProblem>,
    /// Problems beyond those listed.
    pub more_problems: usize,
    pub dry_run: bool,
    /// Whether anything was written.
    pub changed: bool,
}

/// What the columns mean, and the code of the area of lines that name none.
struct Meaning {
    columns: Columns,
    area: String,
}

impl Meaning {
    async fn of(ctx: &Ctx, header: &[String], options: &Options) -> Result<Meaning, Fault> {
        let columns = Columns::of(ctx, KIND, FIELDS, header, options.columns.as_deref()).await?;
        let area = match options.area {
            None => String::new(),
            Some(id) => {
                let map = territory::current(&ctx.app);
                let area = map.area(id).ok_or_else(|| Fault::invalid("area", "area_unknown"))?;
                area.code.clone()
            }
        };
        Ok(Meaning { columns, area })
    }

    fn line(&self, row: Row) -> Line {
        let mut line = Line {
            row: row.number,
            ..Line::default()
        };
        for (field, cell) in self.columns.cells(row) {
            let place = match field {
                "dwelling" => &mut line.dwelling,
                "area" => &mut line.area,
                "building" => &mut line.building,
                "entrance" => &mut line.entrance,
                "floor" => &mut line.floor,
                "room" => &mut line.room,
                "number" => &mut line.number,
                "name" => &mut line.name,
                "id_number" => &mut line.id_number,
                "phones" => &mut line.phones,
                "relation" => &mut line.relation,
                "kind" => &mut line.kind,
                _ => &mut line.from,
            };
            *place = cell;
        }
        if line.dwelling.trim().is_empty() && line.area.trim().is_empty() {
            line.area.clone_from(&self.area);
        }
        line
    }
}

/// Takes a spreadsheet over.
pub async fn import(ctx: &Ctx, bytes: Vec<u8>, options: Options) -> Result<PeopleReport, Fault> {
    let table = columns::read_table(bytes, FIELDS).await?;
    let meaning = Arc::new(Meaning::of(ctx, &table.header, &options).await?);
    let rows = || Ok(table.rows.iter().cloned().map(Ok));
    let report = passes(ctx, rows, &meaning, &options, |_| {}).await?;
    if let Some(said) = options.columns.as_ref().filter(|_| !options.dry_run) {
        meaning.columns.keep(ctx, KIND, said).await?;
    }
    Ok(report)
}

/// Takes a CSV file over, read line by line: a town's list does not go into memory. `progress` hears how many lines were looked at.
pub async fn import_csv(
    ctx: &Ctx,
    path: &Path,
    options: Options,
    progress: impl Fn(usize),
) -> Result<PeopleReport, Fault> {
    let header = csv_rows(path)?
        .next()
        .transpose()?
        .ok_or_else(|| Fault::refused("sheet_empty"))?;
    let meaning = Arc::new(Meaning::of(ctx, &header.cells, &options).await?);
    passes(ctx, || Ok(csv_rows(path)?.skip(1)), &meaning, &options, progress).await
}

fn csv_rows(path: &Path) -> Result<impl Iterator<Item = Result<Row, Fault>>, Fault> {
    let file = std::fs::File::open(path).map_err(|error| Fault::refused("sheet_not_text").because(error))?;
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(std::io::BufReader::new(file));
    Ok(reader.into_records().enumerate().map(|(at, record)| {
        let bad = |error: csv::Error| Fault::refused("sheet_bad_csv").with("row", at + 1).because(error);
        let cells = record.map_err(bad)?.iter().map(str::to_owned).collect();
        Ok(Row { number: at + 1, cells })
    }))
}

/// Looks at every line first, unless bad ones may be left out; then writes.
async fn passes<R: Iterator<Item = Result<Row, Fault>>>(
    ctx: &Ctx,
    rows: impl Fn() -> Result<R, Fault>,
    meaning: &Arc<Meaning>,
    options: &Options,
    progress: impl Fn(usize),
) -> Result<PeopleReport, Fault> {
    ctx.scope.require(Permission::RegistryImport)?;
    if options.source.is_empty() || options.source.chars().count() > MAX_SOURCE {
        return Err(Fault::invalid("source", "import_source").with("most", MAX_SOURCE));
    }
    if options.dry_run || !options.skip_bad {
        let report = pass(ctx, rows()?, meaning, options, true, &progress).await?;
        if options.dry_run || !report.problems.is_empty() {
            let mut report = report;
            report.dry_run = options.dry_run;
            return Ok(report);
        }
    }
    let report = pass(ctx, rows()?, meaning, options, false, &progress).await?;
    if report.changed && report.households + report.residents > 0 {
        ctx.app.write(ctx, duties::many_came).await?;
    }
    Ok(report)
}

async fn pass(
    ctx: &Ctx,
    mut rows: impl Iterator<Item = Result<Row, Fault>>,
    meaning: &Arc<Meaning>,
    options: &Options,
    dry: bool,
    progress: &impl Fn(usize),
) -> Result<PeopleReport, Fault> {
    let areas: Areas = Arc::new(area_names(&territory::current(&ctx.app)));
    let mut intake = Intake::new(&options.source, dry);
    let mut report = PeopleReport {
        columns: meaning.columns.told(),
        ..PeopleReport::default()
    };
    // While one batch is written, the next one is read and sealed.
    let mut waiting = ready(ctx, &areas, meaning, batch(&mut rows)?).await?;
    while !waiting.is_empty() {
        report.rows += waiting.len();
        let next = batch(&mut rows)?;
        let (taken, next) = tokio::join!(intake.take(ctx, waiting), ready(ctx, &areas, meaning, next));
        (intake, waiting) = (taken?, next?);
        for trouble in std::mem::take(&mut intake.taken.troubles) {
            meaning
                .columns
                .problem(ctx, trouble, &mut report.problems, &mut report.more_problems);
        }
        progress(report.rows);
    }
    let taken = &intake.taken;
    (report.households, report.residents) = (taken.households, taken.residents);
    (report.already, report.duplicates) = (taken.already, taken.duplicates);
    report.changed = !dry && taken.households + taken.residents + taken.duplicates > 0;
    report.problems.sort_by_key(|one| one.row);
    Ok(report)
}

fn batch(rows: &mut impl Iterator<Item = Result<Row, Fault>>) -> Result<Vec<Row>, Fault> {
    let mut found = Vec::with_capacity(BATCH);
    for row in rows {
        let row = row?;
        if row.cells.iter().any(|cell| !cell.trim().is_empty()) {
            found.push(row);
        }
        if found.len() == BATCH {
            break;
        }
    }
    Ok(found)
}

async fn ready(
    ctx: &Ctx,
    areas: &Areas,
    meaning: &Arc<Meaning>,
    rows: Vec<Row>,
) -> Result<Vec<Result<Ready, Trouble>>, Fault> {
    let (ctx, areas, meaning) = (ctx.clone(), areas.clone(), meaning.clone());
    let work = move || {
        let lines = rows.into_iter().map(|row| meaning.line(row)).collect();
        intake::ready(&ctx, &areas, lines)
    };
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)
}

/// The problems as a file: row, column, what is wrong.
pub fn problems_csv(problems: &[RowProblem]) -> Result<Vec<u8>, Fault> {
    let mut writer = csv::Writer::from_writer(vec![0xEF, 0xBB, 0xBF]);
    writer
        .write_record(["行", "列", "代码", "问题"])
        .map_err(Fault::internal)?;
    for one in problems {
        let cells = [
            one.row.to_string(),
            one.column.clone(),
            one.code.clone(),
            one.message.clone(),
        ];
        let cells = cells.map(|cell| sheet::without_formula(&cell));
        writer.write_record(&cells).map_err(Fault::internal)?;
    }
    writer.into_inner().map_err(Fault::internal)
}
