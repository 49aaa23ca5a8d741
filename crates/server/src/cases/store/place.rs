//! What cases reads of units, posts and workers.

use crate::cases::place::{UnitInfo, WorkerInfo};
use crate::cases::record::Cursor;
use crate::platform::*;
use db::{Sql, params};
use domain::policy::Candidate;
use domain::time::Timestamp;
use domain::workforce::{Appointment, Leave, Seat};
use std::collections::HashMap;

/// Most units, posts or seats read at once.
const MOST: i64 = 500;

/// A post to be asked who is on duty.
pub struct PostRow {
    pub id: PostId,
    pub shift: Option<String>,
}

pub fn unit(tx: &mut Tx, id: UnitId) -> Result<Option<UnitInfo>, Fault> {
    let row = tx.query_opt("select id, name, public_name, phone, area_id from unit where id = $1", &params![id])?;
    let Some(row) = row else { return Ok(None) };
    let mut c = Cursor(&row, 0);
    Ok(Some(UnitInfo {
        id: c.next()?,
        name: c.next()?,
        public_name: c.next()?,
        phone: c.next()?,
        area: c.next()?,
        depth: None,
    }))
}

pub fn worker(tx: &mut Tx, id: WorkerId) -> Result<Option<WorkerInfo>, Fault> {
    let row = tx.query_opt("select id, name, badge_no from worker where id = $1", &params![id])?;
    row.map(|row| Ok(WorkerInfo { id: row.get(0)?, name: row.get(1)?, badge_no: row.get(2)? })).transpose()
}

pub fn unit_names(tx: &mut Tx, ids: &[UnitId]) -> Result<HashMap<UnitId, String>, Fault> {
    let sql = Sql::new("select id, name from unit where id in (").list(ids.iter().copied()).push(")");
    tx.fetch(&sql)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub fn worker_names(tx: &mut Tx, ids: &[WorkerId]) -> Result<HashMap<WorkerId, String>, Fault> {
    let sql = Sql::new("select id, name from worker where id in (").list(ids.iter().copied()).push(")");
    tx.fetch(&sql)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Units in force in any of these areas.
pub fn candidates(tx: &mut Tx, chain: &[AreaId], date: &str) -> Result<Vec<Candidate>, Fault> {
    let sql = Sql::new("select id, code, body, area_id from unit where area_id in (").list(chain.iter().copied());
    let sql = sql.push(") and valid_from <= ").bind(date).push(" and (valid_to is null or valid_to >= ").bind(date);
    let sql = sql.push(") order by code limit ").bind(MOST);
    let rows = tx.fetch(&sql)?;
    rows.iter()
        .map(|row| {
            let (unit, area): (UnitId, AreaId) = (row.get(0)?, row.get(3)?);
            Ok(Candidate { unit: unit.into(), code: row.get(1)?, body: row.get(2)?, area: area.into() })
        })
        .collect()
}

pub fn units_of_worker(tx: &mut Tx, worker: WorkerId, date: &str) -> Result<Vec<UnitId>, Fault> {
    let rows = tx.query(
        "select distinct p.unit_id from appointment a join post p on p.id = a.post_id where a.worker_id = $1 and a.valid_from <= $2 \
         and (a.valid_to is null or a.valid_to >= $2) order by p.unit_id limit $3",
        &params![worker, date, MOST],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

pub fn posts_of_unit(tx: &mut Tx, unit: UnitId, duty: &str) -> Result<Vec<PostRow>, Fault> {
    let rows = tx.query(
        "select id, shift_key from post where unit_id = $1 and duty = $2 order by id limit $3",
        &params![unit, duty, MOST],
    )?;
    rows.iter().map(|row| Ok(PostRow { id: row.get(0)?, shift: row.get(1)? })).collect()
}

pub fn posts_of_area(tx: &mut Tx, area: AreaId, duty: &str) -> Result<Vec<PostRow>, Fault> {
    let rows = tx.query(
        "select id, shift_key from post where area_id = $1 and duty = $2 order by id limit $3",
        &params![area, duty, MOST],
    )?;
    rows.iter().map(|row| Ok(PostRow { id: row.get(0)?, shift: row.get(1)? })).collect()
}

/// Appointments of a post and the leaves of those appointed that are not over.
pub fn seats(tx: &mut Tx, post: PostId, now: Timestamp) -> Result<(Vec<Appointment>, Vec<Leave>), Fault> {
    let rows = tx.query(
        "select worker_id, seat, valid_from, valid_to from appointment where post_id = $1 order by valid_from, id limit $2",
        &params![post, MOST],
    )?;
    let date = |text: String| text.parse().map_err(|_| Fault::internal(format!("not a date: {text}")));
    let mut appointments = Vec::new();
    for row in &rows {
        let worker: WorkerId = row.get(0)?;
        let seat = Seat::parse(row.text(1)?).ok_or_else(|| Fault::internal("unknown seat"))?;
        let to = row.get::<Option<String>>(3)?.map(date).transpose()?;
        appointments.push(Appointment { worker: worker.into(), seat, from: date(row.get(2)?)?, to });
    }
    let workers: Vec<WorkerId> = appointments.iter().map(|a| a.worker.into()).collect();
    let sql = Sql::new("select worker_id, from_at, to_at from leave_of where worker_id in (").list(workers);
    let rows = tx.fetch(&sql.push(") and to_at > ").bind(now.0).push(" limit ").bind(MOST))?;
    let mut leaves = Vec::new();
    for row in &rows {
        let worker: WorkerId = row.get(0)?;
        leaves.push(Leave { worker: worker.into(), from: Timestamp(row.get(1)?), to: Timestamp(row.get(2)?) });
    }
    Ok((appointments, leaves))
}

/// Whether a worker sits in a post of a duty that serves any of these areas.
pub fn serves_areas(tx: &mut Tx, worker: WorkerId, areas: &[AreaId], duty: &str, date: &str) -> Result<bool, Fault> {
    let sql = Sql::new("select count(*) from appointment a join post p on p.id = a.post_id where a.worker_id = ").bind(worker);
    let sql = sql.push(" and p.duty = ").bind(duty).push(" and p.area_id in (").list(areas.iter().copied());
    let sql = sql.push(") and a.valid_from <= ").bind(date).push(" and (a.valid_to is null or a.valid_to >= ").bind(date).push(")");
    let row = tx.fetch(&sql)?;
    Ok(row.first().map(|row| row.get::<i64>(0)).transpose()?.unwrap_or_default() > 0)
}
