//! Lists of cases taken over: from a spreadsheet over HTTP, from a file on the command line. First every row is checked; only when all are
//! right (or the bad ones may be left out) anything is written, in batches. The same list again adds nothing.
//!
//! Entry point: [`import`]. Must not: know how a case is made; that is `cases::past`.

use super::rows::{self, Columns, Numbered, Reader, RowProblem};
use super::table::{self, Table};
use crate::cases::past::{self, Importer, Kept, PastCase, Ready, known};
use crate::platform::*;
use crate::{policy, territory};
use domain::cases::StateKey;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Rows in one transaction.
const BATCH: usize = 1_000;
/// Problems told one by one; the rest are counted.
const MAX_PROBLEMS: usize = 1_000;
/// Characters of the name of a list.
const MAX_SOURCE: usize = 60;

/// How a list is taken over.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the list: with the row's own key it makes the case's id.
    pub source: String,
    /// Where rows lie that say nothing of it.
    pub area: Option<AreaId>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Take the good rows although there are bad ones.
    pub skip_bad: bool,
    /// Most rows.
    pub max_rows: usize,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Rows read.
    pub rows: usize,
    /// Rows that can be taken over.
    pub ok: usize,
    /// Cases made; in a dry run, that would be made.
    pub added: usize,
    /// Rows that were here already.
    pub already: usize,
    /// Of the added: with an answer and closed.
    pub closed: usize,
    /// Of the added: with the responsible unit.
    pub assigned: usize,
    /// Of the added: waiting for a person to look.
    pub to_look_at: usize,
    /// What is wrong, row by row. Without leave to skip bad rows, any problem means that nothing was changed.
    pub problems: Vec<RowProblem>,
    /// Problems beyond those listed.
    pub more_problems: usize,
    /// Columns of the file that were not taken over.
    pub ignored_columns: Vec<String>,
    pub dry_run: bool,
    /// Whether anything was written.
    pub changed: bool,
}

/// Takes a list over. `progress` hears how many rows are written.
pub async fn import(
    ctx: &Ctx,
    bytes: Vec<u8>,
    options: Options,
    progress: impl Fn(usize, usize),
) -> Result<ImportReport, Fault> {
    if options.source.is_empty() || options.source.chars().count() > MAX_SOURCE {
        return Err(Fault::invalid("source", "import_source").with("most", MAX_SOURCE));
    }
    let (good, report) = check(ctx, bytes, &options).await?;
    take_over(ctx, good, report, options, progress).await
}

/// Takes rows over that were read and checked; `report` says so far how many there were and what is wrong.
pub async fn take_over(
    ctx: &Ctx,
    good: Vec<Numbered>,
    mut report: ImportReport,
    options: Options,
    progress: impl Fn(usize, usize),
) -> Result<ImportReport, Fault> {
    let good = compare(ctx, good, &mut report).await?;
    report.ok = good.len() + report.already;
    let stopped = !report.problems.is_empty() && !options.skip_bad;
    if options.dry_run || stopped {
        report.added = if stopped { 0 } else { good.len() };
    } else {
        write(ctx, good, &options, &mut report, progress).await?;
    }
    report.more_problems = report.problems.len().saturating_sub(MAX_PROBLEMS);
    report.problems.truncate(MAX_PROBLEMS);
    Ok(report)
}

/// Reads the file and every row of it, away from the threads that serve others.
async fn check(ctx: &Ctx, bytes: Vec<u8>, options: &Options) -> Result<(Vec<Numbered>, ImportReport), Fault> {
    let (ctx, options) = (ctx.clone(), options.clone());
    let read = tokio::task::spawn_blocking(move || {
        let table = table::read(&bytes, rows::is_header)?;
        rows_of(&ctx, &table, &options)
    });
    read.await.map_err(Fault::internal)?
}

fn rows_of(ctx: &Ctx, table: &Table, options: &Options) -> Result<(Vec<Numbered>, ImportReport), Fault> {
    if table.rows.len() > options.max_rows {
        return Err(Fault::refused("sheet_too_many_rows").with("most", options.max_rows));
    }
    let (current, map) = (policy::current(&ctx.app)?, territory::current(&ctx.app));
    let columns = Columns::of(&table.header)?;
    let mut report = ImportReport {
        rows: table.rows.len(),
        dry_run: options.dry_run,
        ..ImportReport::default()
    };
    report.ignored_columns = columns.ignored.clone();
    let area = options.area.or_else(|| own_area(ctx, &map));
    let areas = rows::area_names(&map);
    let reader = Reader {
        ctx,
        current: &current,
        map: &map,
        areas,
        columns,
        source: &options.source,
        area,
    };
    let (good, problems) = rows::read_all(&reader, table);
    report.problems = problems;
    Ok((good, report))
}

/// The one area the caller imports for; the top of the place for whoever may everywhere.
fn own_area(ctx: &Ctx, map: &territory::Map) -> Option<AreaId> {
    let mut grants = ctx
        .scope
        .with(Permission::CaseImport)
        .filter(|grant| grant.unit.is_none());
    let first = grants.next()?;
    if grants.next().is_some() {
        return None;
    }
    first.area.or_else(|| map.children(None).next().map(|top| top.id))
}

/// Leaves out what is here already, and names rows that say something else than when they came before.
async fn compare(ctx: &Ctx, good: Vec<Numbered>, report: &mut ImportReport) -> Result<Vec<Numbered>, Fault> {
    let mut new = Vec::with_capacity(good.len());
    for batch in batches(good) {
        let found = ctx
            .app
            .read(ctx, move |_, tx| {
                let kept = known(tx, batch.iter().map(|(_, case)| case))?;
                Ok(batch.into_iter().zip(kept).collect::<Vec<_>>())
            })
            .await?;
        for ((row, case), here) in found {
            match here {
                None => new.push((row, case)),
                Some(true) => report.already += 1,
                Some(false) => report.problems.push(differs(ctx, row)),
            }
        }
    }
    Ok(new)
}

fn differs(ctx: &Ctx, row: usize) -> RowProblem {
    let code = "import_row_differs";
    RowProblem {
        row,
        column: String::new(),
        code: code.to_owned(),
        message: i18n::sentence(ctx.lang, code, &[]),
    }
}

async fn write(
    ctx: &Ctx,
    mut good: Vec<Numbered>,
    options: &Options,
    report: &mut ImportReport,
    progress: impl Fn(usize, usize),
) -> Result<(), Fault> {
    let total = good.len();
    good.sort_by_key(|(_, case)| case.received_at);
    let mut batches = batches(good).into_iter();
    // While one batch is written, the next one is worked out.
    let (mut waiting, mut importer) = ready(ctx, Importer::new(ctx)?, batches.next()).await?;
    let mut done = 0;
    while let Some(batch) = waiting {
        let (kept, next) = tokio::join!(keep(ctx, batch, options), ready(ctx, importer, batches.next()));
        for (row, kept) in kept? {
            report.note(ctx, row, kept);
            done += 1;
        }
        report.changed = true;
        progress(done, total);
        (waiting, importer) = next?;
    }
    Ok(())
}

fn batches(mut rest: Vec<Numbered>) -> Vec<Vec<Numbered>> {
    let mut batches = Vec::with_capacity(rest.len() / BATCH + 1);
    while !rest.is_empty() {
        let after = rest.split_off(BATCH.min(rest.len()));
        batches.push(std::mem::replace(&mut rest, after));
    }
    batches
}

/// Rows of the file, by number, that are ready to be written.
type Batch = (Vec<usize>, Vec<Ready>);

async fn ready(
    ctx: &Ctx,
    mut importer: Importer,
    batch: Option<Vec<Numbered>>,
) -> Result<(Option<Batch>, Importer), Fault> {
    let Some(batch) = batch else {
        return Ok((None, importer));
    };
    let (numbers, batch): (Vec<usize>, Vec<PastCase>) = batch.into_iter().unzip();
    let work = move |ctx: &Ctx, tx: &mut Tx| Ok((importer.ready(ctx, tx, &batch)?, importer));
    let (ready, importer) = ctx.app.read(ctx, work).await?;
    Ok((Some((numbers, ready)), importer))
}

async fn keep(ctx: &Ctx, (numbers, batch): Batch, options: &Options) -> Result<Vec<(usize, Kept)>, Fault> {
    let mark = json!({ "rows": batch.len(), "source": options.source });
    let work = move |ctx: &Ctx, tx: &mut Tx| {
        let kept = past::add_all(ctx, tx, batch)?;
        tx.record(ctx, Mark::new("case.list_imported", Subject::List, mark))?;
        Ok(kept)
    };
    let kept = ctx.app.write(ctx, work).await?;
    Ok(numbers.into_iter().zip(kept).collect())
}

impl ImportReport {
    fn note(&mut self, ctx: &Ctx, row: usize, kept: Kept) {
        match kept {
            Kept::New { state, .. } => {
                self.added += 1;
                match state {
                    StateKey::Closed => self.closed += 1,
                    StateKey::Assigned => self.assigned += 1,
                    _ => self.to_look_at += 1,
                }
            }
            Kept::Already => self.already += 1,
            Kept::Differs => self.problems.push(differs(ctx, row)),
        }
    }
}
