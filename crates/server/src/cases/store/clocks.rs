//! The SQL of clocks.

use crate::cases::clocks::{ClockRow, read_log, write_log};
use crate::cases::record::Cursor;
use crate::platform::*;
use db::{Sql, params};
use domain::time::Timestamp;

/// What [`read_clock`] reads.
const COLUMNS: &str =
    "select id, case_id, party, step, urgent, log, due_at, warn_at, state, late, next_at, told from case_clock ";
/// Clocks of one case at most: several for each round of the loop.
const MAX_CLOCKS: i64 = 500;

pub fn insert_clock(tx: &mut Tx, clock: &ClockRow, started: Timestamp) -> Result<(), Fault> {
    insert_clocks(tx, [(clock, started)])
}

/// Clocks, each with when it was started.
pub fn insert_clocks<'c>(
    tx: &mut Tx,
    clocks: impl IntoIterator<Item = (&'c ClockRow, Timestamp)>,
) -> Result<(), Fault> {
    let values = |(clock, started): (&ClockRow, Timestamp)| {
        params![
            clock.id,
            clock.case,
            &clock.party,
            &clock.step,
            clock.urgent,
            write_log(&clock.log),
            started.0,
            clock.due_at.map(|t| t.0),
            clock.warn_at.map(|t| t.0),
            &clock.state,
            clock.late,
            clock.next_at.map(|t| t.0),
            &clock.told
        ]
    };
    tx.insert_rows(
        "insert into case_clock (id, case_id, party, step, urgent, log, started_at, due_at, warn_at, state, late, next_at, told) values ",
        clocks.into_iter().map(values),
        "",
    )?;
    Ok(())
}

pub fn update_clock(tx: &mut Tx, clock: &ClockRow) -> Result<(), Fault> {
    tx.defer(
        "update case_clock set log = $1, due_at = $2, warn_at = $3, state = $4, late = $5, next_at = $6, told = $7 where id = $8",
        &params![
            write_log(&clock.log), clock.due_at.map(|t| t.0), clock.warn_at.map(|t| t.0), &clock.state, clock.late,
            clock.next_at.map(|t| t.0), &clock.told, clock.id
        ],
    )?;
    Ok(())
}

/// All clocks of a case, oldest first.
pub fn clocks_of(tx: &mut Tx, case: CaseId) -> Result<Vec<ClockRow>, Fault> {
    let sql = Sql::new(COLUMNS)
        .push("where case_id = ")
        .bind(case)
        .push(" order by started_at, id limit ")
        .bind(MAX_CLOCKS);
    tx.fetch(&sql)?.iter().map(read_clock).collect()
}

/// Clocks whose next moment has come, the longest waiting first.
pub fn ripe_clocks(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<ClockRow>, Fault> {
    let sql = Sql::new(COLUMNS)
        .push("where next_at is not null and next_at <= ")
        .bind(now.0);
    tx.fetch(&sql.push(" order by next_at, id limit ").bind(limit))?
        .iter()
        .map(read_clock)
        .collect()
}

/// When the next clock has something to say.
pub fn next_moment(tx: &mut Tx) -> Result<Option<Timestamp>, Fault> {
    let row = tx.query_one(
        "select min(next_at) from case_clock where next_at is not null",
        &params![],
    )?;
    Ok(row.get::<Option<i64>>(0)?.map(Timestamp))
}

/// How many columns [`read_clock`] reads.
pub(super) const CLOCK_COLUMNS: usize = 12;

pub(super) fn read_clock(row: &db::Row) -> Result<ClockRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(ClockRow {
        id: c.next()?,
        case: c.next()?,
        party: c.next()?,
        step: c.next()?,
        urgent: c.next()?,
        log: read_log(&c.next::<String>()?)?,
        due_at: c.time()?,
        warn_at: c.time()?,
        state: c.next()?,
        late: c.next()?,
        next_at: c.time()?,
        told: c.next()?,
    })
}
