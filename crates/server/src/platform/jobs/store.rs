//! The SQL of jobs. All of it is housekeeping: what a job does is marked by the job.
use crate::platform::fault::Fault;
use crate::platform::ids::JobId;
use crate::platform::tx::Tx;
use db::{DbError, Row, Sql, ValueRef, params};
use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Waiting,
    Running,
    Done,
    /// Failed as often as it may: a person must look.
    Dead,
    Cancelled,
}

impl JobState {
    pub fn key(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Dead => "dead",
            JobState::Cancelled => "cancelled",
        }
    }
}

impl db::FromValue for JobState {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Text(text) => match text {
                "waiting" => Ok(JobState::Waiting),
                "running" => Ok(JobState::Running),
                "done" => Ok(JobState::Done),
                "dead" => Ok(JobState::Dead),
                "cancelled" => Ok(JobState::Cancelled),
                _ => Err("a job state"),
            },
            _ => Err("a job state"),
        }
    }
}

/// A job as an administrator sees it: without its payload, which may point at people's matters.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct JobItem {
    pub id: JobId,
    pub kind: String,
    pub key: String,
    pub state: JobState,
    /// Milliseconds UTC.
    pub run_at: i64,
    pub attempts: i64,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

const ITEM: &str = "select id, kind, key, state, run_at, attempts, last_error, created_at, finished_at from job";

fn item(row: &Row) -> Result<JobItem, DbError> {
    Ok(JobItem {
        id: row.get(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        state: row.get(3)?,
        run_at: row.get(4)?,
        attempts: row.get(5)?,
        last_error: row.get(6)?,
        created_at: row.get(7)?,
        finished_at: row.get(8)?,
    })
}

pub fn find(tx: &mut Tx<'_, '_>, id: JobId) -> Result<Option<JobItem>, DbError> {
    let sql = Sql::new(ITEM).push(" where id = ").bind(id);
    tx.fetch(&sql)?.first().map(item).transpose()
}

pub fn list(
    tx: &mut Tx<'_, '_>,
    state: Option<JobState>,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobItem>, DbError> {
    let mut sql = Sql::new(ITEM).push(" where 1 = 1");
    if let Some(state) = state {
        sql = sql.push(" and state = ").bind(state.key());
    }
    if let Some(after) = after {
        sql = sql.push(" and id < ").bind(after);
    }
    sql = sql.push(" order by id desc limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(item).collect()
}

pub fn put(
    tx: &mut Tx<'_, '_>,
    id: JobId,
    kind: &str,
    key: &str,
    due: i64,
    payload: &str,
    now: i64,
) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "insert into job (id, kind, key, payload, state, run_at, attempts, created_at) values ($1, $2, $3, $4, 'waiting', $5, 0, $6)
         on conflict (kind, key) do update set payload = excluded.payload, state = 'waiting', run_at = excluded.run_at, attempts = 0,
           lease_until = null, lease_by = null, last_error = null, finished_at = null",
        &params![id, kind, key, payload, due, now],
    )
}

pub fn put_once(
    tx: &mut Tx<'_, '_>,
    id: JobId,
    kind: &str,
    key: &str,
    due: i64,
    payload: &str,
    now: i64,
) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "insert into job (id, kind, key, payload, state, run_at, attempts, created_at) values ($1, $2, $3, $4, 'waiting', $5, 0, $6)
         on conflict (kind, key) do nothing",
        &params![id, kind, key, payload, due, now],
    )
}

pub fn revoke(tx: &mut Tx<'_, '_>, kind: &str, key: &str, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'cancelled', finished_at = $1 where kind = $2 and key = $3 and state = 'waiting'",
        &params![now, kind, key],
    )
}

pub fn revive(tx: &mut Tx<'_, '_>, id: JobId, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'waiting', run_at = $1, attempts = 0, finished_at = null where id = $2",
        &params![now, id],
    )
}

pub fn cancel(tx: &mut Tx<'_, '_>, id: JobId, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'cancelled', finished_at = $1 where id = $2",
        &params![now, id],
    )
}

/// A job to run.
pub struct Due {
    pub id: JobId,
    pub kind: String,
    pub payload: serde_json::Value,
    /// Failures since it last went well.
    pub attempts: i64,
}

/// Jobs of these kinds that are due, the longest first, locked until the commit so that no other worker takes them. A running one
/// is due when its lease is over: whoever held it was killed.
pub fn due(tx: &mut Tx<'_, '_>, kinds: &[&'static str], now: i64, limit: i64) -> Result<Vec<Due>, Fault> {
    let sql =
        Sql::new("select id, kind, payload, attempts from job where state in ('waiting', 'running') and run_at <= ")
            .bind(now)
            .push(" and kind in (")
            .list(kinds.iter().copied())
            .push(") order by run_at limit ")
            .bind(limit)
            // Several servers may share one PostgreSQL: each takes what the others have not.
            .push(tx.backend().for_update_skip_locked());
    let mut jobs = Vec::new();
    for row in tx.fetch(&sql)? {
        let payload = serde_json::from_str(row.text(2)?).map_err(Fault::internal)?;
        jobs.push(Due {
            id: row.get(0)?,
            kind: row.get(1)?,
            payload,
            attempts: row.get(3)?,
        });
    }
    Ok(jobs)
}

/// When the next job of these kinds is due; none when nothing waits.
pub fn next_due(tx: &mut Tx<'_, '_>, kinds: &[&'static str]) -> Result<Option<i64>, DbError> {
    let sql = Sql::new("select run_at from job where state in ('waiting', 'running') and kind in (")
        .list(kinds.iter().copied())
        .push(") order by run_at limit 1");
    tx.fetch(&sql)?.first().map(|row| row.get(0)).transpose()
}

pub fn done(tx: &mut Tx<'_, '_>, id: JobId, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'done', attempts = attempts + 1, lease_until = null, lease_by = null, finished_at = $1 where id = $2",
        &params![now, id],
    )
}

/// It waits for its next run; `error` is why the last one failed, `attempts` how often it has failed since it last went well.
pub fn again(tx: &mut Tx<'_, '_>, id: JobId, at: i64, attempts: i64, error: Option<&str>) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'waiting', run_at = $1, attempts = $2, last_error = $3, lease_until = null, lease_by = null where id = $4",
        &params![at, attempts, error, id],
    )
}

pub fn dead(tx: &mut Tx<'_, '_>, id: JobId, attempts: i64, error: &str, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'dead', attempts = $1, last_error = $2, lease_until = null, lease_by = null, finished_at = $3 where id = $4",
        &params![attempts, error, now, id],
    )
}

/// Takes a job for work outside of a transaction: until the lease is over nobody else takes it.
pub fn lease(tx: &mut Tx<'_, '_>, id: JobId, until: i64, by: &str) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update job set state = 'running', run_at = $1, lease_until = $1, lease_by = $2 where id = $3",
        &params![until, by, id],
    )
}

/// Makes the lease longer; false when it is no longer ours.
pub fn renew(tx: &mut Tx<'_, '_>, id: JobId, until: i64, by: &str) -> Result<bool, DbError> {
    let sql = "update job set run_at = $1, lease_until = $1 where id = $2 and lease_by = $3 and state = 'running'";
    Ok(tx.housekeeping(sql, &params![until, id, by])? == 1)
}

/// Finished jobs nobody needs to see any more, at most `limit`; the number removed.
pub fn forget(tx: &mut Tx<'_, '_>, before: i64, limit: i64) -> Result<u64, DbError> {
    tx.housekeeping(
        "delete from job where id in
           (select id from job where state in ('done', 'cancelled') and finished_at < $1 order by finished_at limit $2)",
        &params![before, limit],
    )
}
