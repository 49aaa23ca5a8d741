//! The PostgreSQL side of a backup: a snapshot streamed into a new SQLite file, and a file copied into a schema.

use super::digest::{TableDigest, lend};
use super::{Carried, TableReport, compare, failed, file};
use crate::migrate::{self, Migration, missing, run};
use crate::postgres::{self, Target, fold, values};
use crate::{DbError, Options, Value, sqlite};
use futures_util::TryStreamExt;
use rusqlite::Connection;
use std::path::Path;
use std::pin::pin;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

const SNAPSHOT: &str = "set statement_timeout to 0; begin isolation level repeatable read read only";

/// Streams one snapshot of the schema into a new file.
pub(super) async fn copy_out(
    target: &Target,
    options: &Options,
    list: &[Migration],
    part: &Path,
) -> Result<Carried, DbError> {
    let client = postgres::connect(target, options).await?;
    run(&client, SNAPSHOT).await?;
    let history = migrate::postgres_history(&client).await?;
    let later = missing(list, &history)?;
    let mut copy = file::create(part)?;
    migrate::on_sqlite(&mut copy, &list[..list.len() - later.len()])?;
    copy.execute_batch("pragma foreign_keys = off; begin").map_err(failed)?;
    let triggers = take_triggers(&copy)?;
    for table in file::tables(&copy)? {
        // What the migrations themselves put in comes with the rows.
        copy.execute_batch(&format!("delete from {}", file::quote(&table)))
            .map_err(failed)?;
    }
    let there = tables(&client, target).await?;
    let mut carried = Carried {
        tables: Vec::new(),
        left_out: file::virtual_tables(&copy)?,
    };
    for table in file::tables(&copy)? {
        if there.contains(&table) {
            carried.tables.push(stream(&client, &copy, &table).await?);
        } else {
            // Verified like the others: it must be empty.
            carried
                .tables
                .push(TableDigest::new(&table, &file::columns(&copy, &table)?).report());
            carried.left_out.push(table);
        }
    }
    carried.left_out.extend(
        there
            .into_iter()
            .filter(|table| carried.tables.iter().all(|known| known.name != *table)),
    );
    copy.execute_batch(&triggers).map_err(failed)?;
    copy.execute_batch("commit").map_err(failed)?;
    copy.close().map_err(|(_, error)| failed(error))?;
    Ok(carried)
}

/// One table's rows into the file.
async fn stream(client: &Client, copy: &Connection, table: &str) -> Result<TableReport, DbError> {
    let columns = file::columns(copy, table)?;
    let (marks, names): (Vec<_>, Vec<_>) = (1..=columns.len())
        .map(|number| (format!("${number}"), file::quote(&columns[number - 1])))
        .unzip();
    let insert = format!(
        "insert into {} ({}) values ({})",
        file::quote(table),
        names.join(", "),
        marks.join(", ")
    );
    let select = file::select(table, &columns);
    let mut digest = TableDigest::new(table, &columns);
    let rows = client
        .query_raw(&select, std::iter::empty::<Value>())
        .await
        .map_err(|error| fold(&error, &select))?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(|error| fold(&error, &select))? {
        let values = values(&row, columns.len(), &select)?;
        digest.row(values.iter().map(lend));
        sqlite::execute(copy, &insert, &values)?;
    }
    Ok(digest.report())
}

/// Drops the file's triggers for the time of filling: they ran already where the rows come from. Gives the text that brings them back.
fn take_triggers(copy: &Connection) -> Result<String, DbError> {
    let mut text = String::new();
    for row in sqlite::query(copy, "select name, sql from sqlite_schema where type = 'trigger'", &[])? {
        copy.execute_batch(&format!("drop trigger {}", file::quote(row.text(0)?)))
            .map_err(failed)?;
        text.push_str(row.text(1)?);
        text.push(';');
    }
    Ok(text)
}

/// Makes the schema at the backup's step, fills it in one transaction, compares, and only then commits.
pub(super) async fn copy_in(
    source: &Connection,
    target: &Target,
    options: &Options,
    steps: &[Migration],
) -> Result<Carried, DbError> {
    let client = postgres::connect(target, options).await?;
    for table in tables(&client, target).await? {
        must_be_empty(&client, &table).await?;
    }
    migrate::on_postgres(target, options, steps).await?;
    run(&client, "set statement_timeout to 0; begin").await?;
    let there = tables(&client, target).await?;
    let references = take_references(&client, target).await?;
    for table in there.iter().map(|table| file::quote(table)) {
        // What the migrations themselves put in comes with the rows.
        run(
            &client,
            &format!("alter table {table} disable trigger user; delete from {table}"),
        )
        .await?;
    }
    let mut carried = Carried {
        tables: Vec::new(),
        left_out: file::virtual_tables(source)?,
    };
    let mut copies = Vec::new();
    for table in file::tables(source)? {
        if there.contains(&table) {
            carried.tables.push(fill(source, &client, &table).await?);
            copies.push(read_back(&client, &table, &file::columns(source, &table)?).await?);
        } else {
            carried.left_out.push(table);
        }
    }
    compare(&carried.tables, &copies)?;
    carried.left_out.extend(
        there
            .iter()
            .filter(|table| carried.tables.iter().all(|known| known.name != **table))
            .cloned(),
    );
    for reference in references {
        run(&client, &reference).await?;
    }
    for table in &there {
        run(
            &client,
            &format!("alter table {} enable trigger user", file::quote(table)),
        )
        .await?;
    }
    run(&client, "commit").await?;
    for table in &there {
        run(&client, &format!("analyze {}", file::quote(table))).await?;
    }
    Ok(carried)
}

async fn must_be_empty(client: &Client, table: &str) -> Result<(), DbError> {
    let sql = format!("select 1 from {} limit 1", file::quote(table));
    match client.query_opt(&sql, &[]).await.map_err(|error| fold(&error, &sql))? {
        Some(_) => Err(failed(format!("the database is not empty: {table} has rows"))),
        None => Ok(()),
    }
}

/// The schema's tables by name, without the history.
async fn tables(client: &Client, target: &Target) -> Result<Vec<String>, DbError> {
    let sql = "select relname::text from pg_class where relkind = 'r' and relnamespace = $1::text::regnamespace
               and relname <> 'schema_migration' order by relname collate \"C\"";
    let rows = client
        .query(sql, &[&target.schema])
        .await
        .map_err(|error| fold(&error, sql))?;
    rows.iter()
        .map(|row| row.try_get(0).map_err(|error| fold(&error, sql)))
        .collect()
}

/// Drops the foreign keys, so that the order of the tables does not matter; gives the statements that bring them back, checked as a whole.
async fn take_references(client: &Client, target: &Target) -> Result<Vec<String>, DbError> {
    let sql = "select format('alter table %I drop constraint %I', c.relname, k.conname),
                      format('alter table %I add constraint %I %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
               from pg_constraint k join pg_class c on c.oid = k.conrelid
               where k.contype = 'f' and c.relnamespace = $1::text::regnamespace order by c.relname, k.conname";
    let rows = client
        .query(sql, &[&target.schema])
        .await
        .map_err(|error| fold(&error, sql))?;
    let mut back = Vec::new();
    for row in rows {
        run(client, row.try_get(0).map_err(|error| fold(&error, sql))?).await?;
        back.push(row.try_get(1).map_err(|error| fold(&error, sql))?);
    }
    Ok(back)
}

/// One table's rows from the file.
async fn fill(source: &Connection, client: &Client, table: &str) -> Result<TableReport, DbError> {
    let columns = file::columns(source, table)?;
    let select = file::select(table, &columns);
    let statement = client.prepare(&select).await.map_err(|error| fold(&error, &select))?;
    let types: Vec<_> = statement
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect();
    let names: Vec<_> = columns.iter().map(|name| file::quote(name)).collect();
    let copy = format!("copy {} ({}) from stdin binary", file::quote(table), names.join(", "));
    let sink = client.copy_in(&copy).await.map_err(|error| fold(&error, &copy))?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    let mut digest = TableDigest::new(table, &columns);
    let mut prepared = source.prepare(&select).map_err(failed)?;
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        digest.row((0..columns.len()).map(|index| row.get_ref_unwrap(index)));
        let values: Vec<Value> = (0..columns.len())
            .map(|index| sqlite::value(row.get_ref_unwrap(index)).map(Value::from))
            .collect::<Result<_, _>>()?;
        writer
            .as_mut()
            .write_raw(&values)
            .await
            .map_err(|error| fold(&error, &copy))?;
    }
    writer.as_mut().finish().await.map_err(|error| fold(&error, &copy))?;
    Ok(digest.report())
}

/// Rows and checksum of a table as PostgreSQL now has it.
async fn read_back(client: &Client, table: &str, columns: &[String]) -> Result<TableReport, DbError> {
    let select = file::select(table, columns);
    let mut digest = TableDigest::new(table, columns);
    let rows = client
        .query_raw(&select, std::iter::empty::<Value>())
        .await
        .map_err(|error| fold(&error, &select))?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(|error| fold(&error, &select))? {
        digest.row(values(&row, columns.len(), &select)?.iter().map(lend));
    }
    Ok(digest.report())
}
