//! Many cases made from the few that are there, for measuring lists and figures at the size of a city.
//!
//! Entry point: [`multiply`]. Rows of `cases` and their counters only: no report, no event, no mark in the ledger. Must not: be used on a
//! place that anybody works in; `wangge bench` does so on its own.

use crate::cases::cube::{self, Facts};
use crate::cases::record::{CaseRow, FAR, case_columns};
use crate::platform::Fault;
use db::{Db, DbError, Tx, params};
use domain::time::DAY_MS;

/// Cases copied from, at most.
const MODELS: i64 = 1_000;
/// Days the copies are spread over.
const DAYS: i64 = 365;
/// Copies in one transaction.
const AT_ONCE: i64 = 200_000;
/// Moments of a case, moved into the past together.
const MOMENTS: [&str; 10] = [
    "received_at",
    "accepted_at",
    "assigned_at",
    "taken_at",
    "arrived_at",
    "handled_at",
    "answered_at",
    "verified_at",
    "ended_at",
    "due_at",
];

/// Adds copies of what is there until there are `to` cases, each moved back by up to [`DAYS`] days. Indexes are made anew afterwards.
pub async fn multiply(db: &Db, to: i64) -> Result<(), Fault> {
    let there: i64 = db
        .read(|tx| tx.query_one("select count(*) from cases", &[])?.get(0))
        .await?;
    let count = to - there;
    if count <= 0 {
        return Ok(());
    }
    let models = db.write(models).await?;
    let columns = db.read(columns).await?;
    let indexes = db.read(indexes).await?;
    let names: Vec<String> = indexes.iter().map(|(name, _)| format!("drop index {name}")).collect();
    db.write(move |tx| run_all(tx, &names)).await?;
    let copy = copy(&columns);
    for from in (0..count).step_by(AT_ONCE as usize) {
        let (copy, to) = (copy.clone(), (from + AT_ONCE).min(count));
        db.write(move |tx| tx.execute(&copy, &params![from, to])).await?;
    }
    for (_, made) in indexes {
        db.write(move |tx| tx.execute(&made, &[])).await?;
    }
    let counted = models.into_iter().zip(0..).collect::<Vec<_>>();
    db.write(move |tx| {
        let size = counted.len() as i64;
        let of_day = |day: i64| {
            counted
                .iter()
                .map(move |(row, nth)| (Facts::of(&earlier(row, day)), copies(count, size, *nth, day)))
        };
        cube::write_counts(tx, (0..DAYS).flat_map(of_day))?;
        tx.execute("drop table model_case", &[])?;
        run_all(tx, &["analyze".to_owned()])
    })
    .await?;
    Ok(())
}

fn run_all(tx: &mut Tx<'_>, statements: &[String]) -> Result<(), DbError> {
    statements.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop))
}

/// The cases copied from, in a table of their own with their numbers.
fn models(tx: &mut Tx<'_>) -> Result<Vec<CaseRow>, Fault> {
    tx.execute(
        "create table model_case as select row_number() over (order by c.id desc) - 1 as nth, c.* from cases c order by c.id desc limit $1",
        &params![MODELS],
    )?;
    let sql = concat!("select ", case_columns!(), " from model_case c order by c.nth");
    tx.query(sql, &[])?.iter().map(CaseRow::read).collect()
}

fn columns(tx: &mut Tx<'_>) -> Result<Vec<String>, DbError> {
    let sql = match tx.backend() {
        db::Backend::Sqlite => "select name from pragma_table_info('cases')",
        db::Backend::Postgres => {
            "select cast(column_name as text) from information_schema.columns where table_name = 'cases' and table_schema = current_schema()"
        }
    };
    tx.query(sql, &[])?.iter().map(|row| row.get(0)).collect()
}

/// Name and statement of each index that is not a constraint.
fn indexes(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, DbError> {
    let sql = match tx.backend() {
        db::Backend::Sqlite => {
            "select name, sql from sqlite_master where type = 'index' and tbl_name = 'cases' and sql is not null"
        }
        db::Backend::Postgres => {
            "select cast(i.indexname as text), i.indexdef from pg_indexes i where i.tablename = 'cases' and i.schemaname = current_schema() \
             and not exists (select 1 from pg_constraint c where c.conname = i.indexname)"
        }
    };
    tx.query(sql, &[])?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// The statement that adds the copies numbered from `$1` to before `$2`.
fn copy(columns: &[String]) -> String {
    let moved = format!("((s.n / (select count(*) from model_case)) % {DAYS}) * {DAY_MS}");
    let value = |column: &String| match column.as_str() {
        "id" => "'0197a3b0-0000-7000-8000-' || substr(cast(1000000000000 + s.n as text), 2)".to_owned(),
        "number" => "'B' || cast(s.n as text)".to_owned(),
        "queue_at" => format!("case when m.queue_at = {FAR} then m.queue_at else m.queue_at - {moved} end"),
        column if MOMENTS.contains(&column) => format!("m.{column} - {moved}"),
        column => format!("m.{column}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    format!(
        "insert into cases ({}) with recursive s(n) as (select cast($1 as bigint) union all select n + 1 from s where n + 1 < $2) \
         select {} from s join model_case m on m.nth = s.n % (select count(*) from model_case)",
        columns.join(", "),
        values.join(", ")
    )
}

/// How many of `count` copies are of this model and so many days old.
fn copies(count: i64, models: i64, nth: i64, day: i64) -> i64 {
    let round = models * DAYS;
    let place = day * models + nth;
    count / round + i64::from(place < count % round)
}

fn earlier(row: &CaseRow, days: i64) -> CaseRow {
    let mut row = row.clone();
    row.received_at = row.received_at.plus_ms(-days * DAY_MS);
    for at in [
        &mut row.accepted_at,
        &mut row.assigned_at,
        &mut row.taken_at,
        &mut row.arrived_at,
        &mut row.handled_at,
        &mut row.answered_at,
        &mut row.verified_at,
        &mut row.ended_at,
        &mut row.due_at,
    ] {
        *at = at.map(|at| at.plus_ms(-days * DAY_MS));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_is_counted_once() {
        for count in [1, 7, 3_650, 3_651, 10_000] {
            let all: i64 = (0..10)
                .flat_map(|nth| (0..DAYS).map(move |day| copies(count, 10, nth, day)))
                .sum();
            assert_eq!(all, count);
        }
    }
}
