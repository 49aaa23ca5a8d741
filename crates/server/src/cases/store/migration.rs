//! The SQL of clock migrations.

use crate::cases::migration::{Item, MigrationId, Row as Migration, Running};
use crate::cases::record::Cursor;
use crate::cases::store::clocks::{CLOCK_COLUMNS, read_clock};
use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

macro_rules! migration_columns {
    () => {
        "m.id, m.category_code, m.step, m.reason, m.pack_version, m.pack_number, m.state, m.created_by, m.created_worker, m.created_name, \
         m.created_at, m.looked_at, m.touched, m.later, m.earlier, m.turns_late, m.digest, m.decided_name, m.decided_at, m.note, \
         m.applied, m.skipped, m.finished_at"
    };
}

fn read(row: &Row) -> Result<Migration, Fault> {
    let mut c = Cursor(row, 0);
    Ok(Migration {
        id: c.next()?,
        category: c.next()?,
        step: c.next()?,
        reason: c.next()?,
        pack_version: c.next()?,
        pack_number: c.next()?,
        state: c.next()?,
        created_by: c.next()?,
        created_worker: c.next()?,
        created_name: c.next()?,
        created_at: Timestamp(c.next()?),
        looked_at: c.next()?,
        touched: c.next()?,
        later: c.next()?,
        earlier: c.next()?,
        turns_late: c.next()?,
        digest: c.next()?,
        decided_name: c.next()?,
        decided_at: c.time()?,
        note: c.next()?,
        applied: c.next()?,
        skipped: c.next()?,
        finished_at: c.time()?,
    })
}

/// Clocks that have not stopped, after an id, each with what its rule is chosen by.
pub fn running_clocks(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Running>, Fault> {
    let sql = Sql::new(
        "select k.id, k.case_id, k.party, k.step, k.urgent, k.log, k.due_at, k.warn_at, k.state, k.late, k.next_at, k.told, c.number, \
         coalesce(c.category_code, '') from case_clock k join cases c on c.id = k.case_id where k.state <> 'stopped' and k.id > ",
    );
    tx.fetch(&sql.bind(after).push(" order by k.id limit ").bind(limit))?
        .iter()
        .map(|row| {
            Ok(Running {
                clock: read_clock(row)?,
                number: row.get(CLOCK_COLUMNS)?,
                category: row.get(CLOCK_COLUMNS + 1)?,
            })
        })
        .collect()
}

pub fn migration(tx: &mut Tx, id: MigrationId) -> Result<Option<Migration>, Fault> {
    let row = tx.query_opt(
        concat!(
            "select ",
            migration_columns!(),
            " from clock_migration m where m.id = $1"
        ),
        &params![id],
    )?;
    row.as_ref().map(read).transpose()
}

/// The migration, held against other writers until the commit.
pub fn migration_locked(tx: &mut Tx, id: MigrationId) -> Result<Option<Migration>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        migration_columns!(),
        " from clock_migration m where m.id = "
    ))
    .bind(id);
    let sql = sql.push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// Newest first; one more than `limit` when there are more.
pub fn migrations(tx: &mut Tx, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Migration>, Fault> {
    let mut sql = Sql::new(concat!("select ", migration_columns!(), " from clock_migration m"));
    if let Some((at, id)) = after {
        sql = sql
            .push(" where (m.created_at, m.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by m.created_at desc, m.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn insert_migration(tx: &mut Tx, m: &Migration, items: &[Item]) -> Result<(), Fault> {
    tx.execute(
        "insert into clock_migration (id, category_code, step, reason, pack_version, pack_number, state, created_by, created_worker, \
         created_name, created_at, looked_at, touched, later, earlier, turns_late, digest) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        &params![
            m.id, m.category.as_deref(), m.step.as_deref(), &m.reason, &m.pack_version, m.pack_number, &m.state, m.created_by,
            m.created_worker, &m.created_name, m.created_at.0, m.looked_at, m.touched, m.later, m.earlier, m.turns_late, &m.digest
        ],
    )?;
    for item in items {
        tx.execute(
            "insert into clock_migration_item (migration_id, clock_id, case_id, number, step, old_limit, new_limit, old_due, new_due, \
             was_late, turns_late, log_hash, state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            &params![
                m.id, item.clock, item.case, &item.number, &item.step, &item.old_limit, &item.new_limit, item.old_due.map(|at| at.0),
                item.new_due.map(|at| at.0), item.was_late, item.turns_late, &item.log_hash, &item.state
            ],
        )?;
    }
    Ok(())
}

pub fn update_migration(tx: &mut Tx, m: &Migration) -> Result<(), Fault> {
    tx.execute(
        "update clock_migration set state = $1, decided_name = $2, decided_at = $3, note = $4, applied = $5, skipped = $6, \
         finished_at = $7 where id = $8",
        &params![
            &m.state, m.decided_name.as_deref(), m.decided_at.map(|at| at.0), m.note.as_deref(), m.applied, m.skipped,
            m.finished_at.map(|at| at.0), m.id
        ],
    )?;
    Ok(())
}

macro_rules! item_columns {
    () => {
        "i.clock_id, i.case_id, i.number, i.step, i.old_limit, i.new_limit, i.old_due, i.new_due, i.was_late, i.turns_late, i.log_hash, i.state"
    };
}

fn read_item(row: &Row) -> Result<Item, Fault> {
    let mut c = Cursor(row, 0);
    Ok(Item {
        clock: c.next()?,
        case: c.next()?,
        number: c.next()?,
        step: c.next()?,
        old_limit: c.next()?,
        new_limit: c.next()?,
        old_due: c.time()?,
        new_due: c.time()?,
        was_late: c.next()?,
        turns_late: c.next()?,
        log_hash: c.next()?,
        state: c.next()?,
    })
}

/// Clocks of a migration after an id.
pub fn migration_items(tx: &mut Tx, id: MigrationId, after: &str, limit: i64) -> Result<Vec<Item>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            item_columns!(),
            " from clock_migration_item i where i.migration_id = $1 and i.clock_id > $2 order by i.clock_id limit $3"
        ),
        &params![id, after, limit],
    )?;
    rows.iter().map(read_item).collect()
}

/// Clocks still to be moved.
pub fn waiting_items(tx: &mut Tx, id: MigrationId, limit: i64) -> Result<Vec<Item>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            item_columns!(),
            " from clock_migration_item i where i.migration_id = $1 and i.state = 'waiting' order by i.clock_id limit $2"
        ),
        &params![id, limit],
    )?;
    rows.iter().map(read_item).collect()
}

pub fn settle_item(tx: &mut Tx, id: MigrationId, clock: ClockId, state: &str) -> Result<(), Fault> {
    tx.execute(
        "update clock_migration_item set state = $1 where migration_id = $2 and clock_id = $3",
        &params![state, id, clock],
    )?;
    Ok(())
}
