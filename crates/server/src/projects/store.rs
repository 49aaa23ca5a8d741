//! SQL of projects.

use super::project::{Asked, Entry, MOST, Milestone, Project, Reach, YEAR};
use crate::platform::*;
use db::{Row, Sql, params};
use domain::projects::{Phase, Standing};
use domain::time::{Timestamp, date_of, day_number};
use jiff::civil::Date;
use std::collections::BTreeMap;

const DEPTH_COLUMNS: [&str; 5] = [
    " or p.a1 = ",
    " or p.a2 = ",
    " or p.a3 = ",
    " or p.a4 = ",
    " or p.a5 = ",
];
/// Parts of one project read at once; above what can be written.
const MAX_PARTS: i64 = 1_000;

macro_rules! columns {
    () => {
        "p.id, p.title, p.goal, p.area_id, p.a1, p.a2, p.a3, p.a4, p.a5, p.unit_id, p.leader_id, p.due_day, p.first_due_day, p.phase, p.extended, \
         p.asked_day, p.asked_by, p.result, p.reported_by, p.reported_day, p.ended_day, p.made_by, p.made_worker, p.made_at, p.reminded_day"
    };
}

fn read(row: &Row) -> Result<Project, Fault> {
    let phase = Phase::parse(row.text(13)?).ok_or_else(|| Fault::internal("an unknown phase of a project"))?;
    let day = |at: usize| -> Result<Option<Date>, Fault> { Ok(row.get::<Option<i64>>(at)?.map(date_of)) };
    Ok(Project {
        id: row.get(0)?,
        title: row.get(1)?,
        goal: row.get(2)?,
        area: row.get(3)?,
        areas: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
        unit: row.get(9)?,
        leader: row.get(10)?,
        due: date_of(row.get(11)?),
        first_due: date_of(row.get(12)?),
        phase,
        extended: row.get::<i64>(14)? as u32,
        asked: day(15)?.zip(row.get(16)?),
        result: row.get(17)?,
        reported: row.get::<Option<AccountId>>(18)?.zip(day(19)?),
        ended: day(20)?,
        made_by: row.get(21)?,
        made_worker: row.get(22)?,
        made_at: Timestamp(row.get(23)?),
        reminded: date_of(row.get(24)?),
    })
}

pub fn project(tx: &mut Tx, id: ProjectId, locked: bool) -> Result<Option<Project>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from project p where p.id = ")).bind(id);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// Whether as many are open, or were given out in a year, as there may be.
pub fn too_many(tx: &mut Tx, today: Date) -> Result<bool, Fault> {
    let open = tx.query_opt(
        "select count(*) from project where phase in ('running', 'reported')",
        &[],
    )?;
    let since = Timestamp::from_day(day_number(today) - YEAR, 0);
    let made = tx.query_opt("select count(*) from project where made_at > $1", &params![since.0])?;
    let count = |row: Option<Row>| -> Result<i64, Fault> { Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or(0)) };
    Ok(count(open)? >= MOST || count(made)? >= MOST)
}

/// Only what somebody sees.
fn within(mut sql: Sql, reach: &Reach) -> Sql {
    if reach.everywhere {
        return sql;
    }
    sql = sql.push(" and (1 = 0");
    for (area, depth) in &reach.areas {
        if let Some(column) = DEPTH_COLUMNS.get(usize::from(*depth).wrapping_sub(1)) {
            sql = sql.push(column).bind(*area);
        }
    }
    if let Some(worker) = reach.worker {
        sql = sql.push(" or p.leader_id = ").bind(worker);
    }
    if !reach.units.is_empty() {
        sql = sql.push(" or p.unit_id in (").list(reach.units.iter().copied());
        sql = sql.push(") or p.id in (select u.project_id from project_unit u where u.unit_id in (");
        sql = sql.list(reach.units.iter().copied()).push("))");
    }
    sql.push(")")
}

pub fn list(tx: &mut Tx, reach: &Reach, asked: &Asked, today: Date, soon_days: u16) -> Result<Vec<Project>, Fault> {
    let mut sql = Sql::new(concat!("select ", columns!(), " from project p where 1 = 1"));
    let (today, soon) = (day_number(today), day_number(today) + i64::from(soon_days));
    sql = match asked.standing {
        None => sql,
        Some(Standing::OnTime) => sql.push(" and p.phase = 'running' and p.due_day > ").bind(soon),
        Some(Standing::Soon) => {
            let sql = sql.push(" and p.phase = 'running' and p.due_day between ").bind(today);
            sql.push(" and ").bind(soon)
        }
        Some(Standing::Late) => sql.push(" and p.phase = 'running' and p.due_day < ").bind(today),
        Some(Standing::Reported) => sql.push(" and p.phase = 'reported'"),
        Some(Standing::Done) => sql.push(" and p.phase = 'accepted'"),
        Some(Standing::Stopped) => sql.push(" and p.phase = 'stopped'"),
    };
    if let Some(unit) = asked.unit {
        sql = sql.push(" and p.unit_id = ").bind(unit);
    }
    if let Some(leader) = asked.leader {
        sql = sql.push(" and p.leader_id = ").bind(leader);
    }
    sql = within(sql, reach);
    if let Some((due, id)) = asked.after {
        sql = sql
            .push(" and (p.due_day, p.id) > (")
            .bind(due)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by p.due_day, p.id limit ")
        .bind(i64::from(asked.limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Open ones, and those accepted since a day.
pub fn counted(tx: &mut Tx, reach: &Reach, since: i64) -> Result<Vec<Project>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from project p where (p.phase in ('running', 'reported') or (p.phase = 'accepted' and p.ended_day > "
    ));
    let sql = within(sql.bind(since).push("))"), reach).push(" limit ").bind(3 * MOST);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn insert(tx: &mut Tx, one: &Project, co_units: &[UnitId]) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = one.areas;
    tx.execute(
        "insert into project (id, title, goal, area_id, a1, a2, a3, a4, a5, unit_id, leader_id, due_day, first_due_day, phase, extended, \
         made_by, made_worker, made_at, reminded_day) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 'running', 0, $13, $14, $15, $16)",
        &params![
            one.id,
            &one.title,
            &one.goal,
            one.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            one.unit,
            one.leader,
            day_number(one.due),
            one.made_by,
            one.made_worker,
            one.made_at.0,
            day_number(one.reminded)
        ],
    )?;
    let rows = co_units.iter().map(|unit| params![one.id, *unit]);
    tx.insert_rows("insert into project_unit (project_id, unit_id) values ", rows, "")?;
    Ok(())
}

/// What changes after it was given out.
pub fn update(tx: &mut Tx, one: &Project) -> Result<(), Fault> {
    let (asked_day, asked_by) = one.asked.map(|(day, by)| (day_number(day), by)).unzip();
    let (reported_by, reported_day) = one.reported.map(|(by, day)| (by, day_number(day))).unzip();
    tx.execute(
        "update project set leader_id = $1, due_day = $2, phase = $3, extended = $4, asked_day = $5, asked_by = $6, result = $7, \
         reported_by = $8, reported_day = $9, ended_day = $10, reminded_day = $11 where id = $12",
        &params![
            one.leader,
            day_number(one.due),
            one.phase.key(),
            i64::from(one.extended),
            asked_day,
            asked_by,
            one.result.clone(),
            reported_by,
            reported_day,
            one.ended.map(day_number),
            day_number(one.reminded),
            one.id
        ],
    )?;
    Ok(())
}

pub fn co_units(tx: &mut Tx, id: ProjectId) -> Result<Vec<UnitId>, Fault> {
    let sql = "select unit_id from project_unit where project_id = $1 order by unit_id limit $2";
    let rows = tx.query(sql, &params![id, MAX_PARTS])?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

// ---------------------------------------------------------------- milestones

pub fn milestones(tx: &mut Tx, id: ProjectId) -> Result<Vec<Milestone>, Fault> {
    let sql = "select id, title, due_day, done_day from project_milestone where project_id = $1 order by due_day, id limit $2";
    let read = |row: &Row| {
        Ok(Milestone {
            id: row.get(0)?,
            title: row.get(1)?,
            due: date_of(row.get(2)?),
            done: row.get::<Option<i64>>(3)?.map(date_of),
        })
    };
    tx.query(sql, &params![id, MAX_PARTS])?.iter().map(read).collect()
}

pub fn insert_milestones(tx: &mut Tx, id: ProjectId, all: &[Milestone]) -> Result<(), Fault> {
    let rows = all
        .iter()
        .map(|one| params![one.id, id, &one.title, day_number(one.due)]);
    tx.insert_rows(
        "insert into project_milestone (id, project_id, title, due_day) values ",
        rows,
        "",
    )?;
    Ok(())
}

pub fn reached(tx: &mut Tx, id: MilestoneId, day: Date) -> Result<(), Fault> {
    tx.execute(
        "update project_milestone set done_day = $1 where id = $2",
        &params![day_number(day), id],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- the record

/// The project and act of an entry that was made before.
pub fn entry_of(tx: &mut Tx, id: ProjectEntryId) -> Result<Option<(ProjectId, String)>, Fault> {
    let row = tx.query_opt("select project_id, act from project_entry where id = $1", &params![id])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

pub fn entry_count(tx: &mut Tx, id: ProjectId) -> Result<i64, Fault> {
    let row = tx.query_opt("select count(*) from project_entry where project_id = $1", &params![id])?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or(0))
}

pub fn insert_entry(ctx: &Ctx, tx: &mut Tx, project: ProjectId, one: &Entry) -> Result<(), Fault> {
    tx.execute(
        "insert into project_entry (id, project_id, act, words, day, milestone_id, leader_id, account_id, by_name, at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            one.id,
            project,
            &one.act,
            &one.words,
            one.day.map(day_number),
            one.milestone,
            one.leader,
            ctx.account()?,
            &one.by_name,
            one.at.0
        ],
    )?;
    let rows = one.photos.iter().map(|hash| params![project, one.id, hash]);
    tx.insert_rows(
        "insert into project_photo (project_id, entry_id, blob_hash) values ",
        rows,
        "",
    )?;
    Ok(())
}

/// The record, the newest first.
pub fn entries(tx: &mut Tx, id: ProjectId) -> Result<Vec<Entry>, Fault> {
    let sql = "select entry_id, blob_hash from project_photo where project_id = $1 order by blob_hash limit $2";
    let mut photos: BTreeMap<ProjectEntryId, Vec<String>> = BTreeMap::new();
    for row in tx.query(sql, &params![id, 10 * MAX_PARTS])? {
        photos.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    let sql = "select id, act, words, day, milestone_id, leader_id, by_name, at from project_entry where project_id = $1 \
               order by at desc, id desc limit $2";
    let mut read = |row: &Row| {
        let id: ProjectEntryId = row.get(0)?;
        Ok(Entry {
            id,
            act: row.get(1)?,
            words: row.get(2)?,
            day: row.get::<Option<i64>>(3)?.map(date_of),
            milestone: row.get(4)?,
            leader: row.get(5)?,
            by_name: row.get(6)?,
            at: Timestamp(row.get(7)?),
            photos: photos.remove(&id).unwrap_or_default(),
        })
    };
    tx.query(sql, &params![id, MAX_PARTS])?.iter().map(&mut read).collect()
}

pub fn has_photo(tx: &mut Tx, id: ProjectId, hash: &str) -> Result<bool, Fault> {
    let sql = "select 1 from project_photo where project_id = $1 and blob_hash = $2 limit 1";
    Ok(tx.query_opt(sql, &params![id, hash])?.is_some())
}
