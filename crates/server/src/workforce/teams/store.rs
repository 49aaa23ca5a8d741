//! SQL of visiting teams.

use super::Membership;
use crate::platform::{AreaId, Fault, MembershipId, TeamId, Tx, UnitId, WorkerId};
use crate::workforce::store::{MAX_ROWS, read_date};
use db::{Row, Sql, params};
use domain::time::Timestamp;
use domain::workforce::Term;
use jiff::civil::Date;
use std::collections::HashMap;

/// A visiting team.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    /// The unit that sends it.
    pub unit: UnitId,
    pub liaison: WorkerId,
    pub term: Term,
    pub areas: Vec<AreaId>,
    pub members: Vec<Membership>,
}

fn read_term(from: &str, to: Option<String>) -> Result<Term, Fault> {
    Ok(Term {
        from: read_date(from)?,
        to: to.as_deref().map(read_date).transpose()?,
    })
}

fn read(row: &Row) -> Result<Team, Fault> {
    Ok(Team {
        id: row.get(0)?,
        name: row.get(1)?,
        unit: row.get(2)?,
        liaison: row.get(3)?,
        term: read_term(row.text(4)?, row.get(5)?)?,
        areas: Vec::new(),
        members: Vec::new(),
    })
}

macro_rules! columns {
    () => {
        "select t.id, t.name, t.unit_id, t.liaison_id, t.valid_from, t.valid_to from team t "
    };
}

/// Teams with their areas and members.
fn whole(tx: &mut Tx, rows: &[Row]) -> Result<Vec<Team>, Fault> {
    let mut teams = rows.iter().map(read).collect::<Result<Vec<Team>, Fault>>()?;
    if teams.is_empty() {
        return Ok(teams);
    }
    let ids = || teams.iter().map(|team| team.id);
    let areas = Sql::new("select team_id, area_id from team_area where team_id in (").list(ids());
    let areas = tx.fetch(&areas.push(") order by area_id"))?;
    let members = Sql::new("select team_id, id, worker_id, valid_from, valid_to from team_member where team_id in (");
    let members = tx.fetch(&members.list(ids()).push(") order by valid_from, id"))?;
    let mut of: HashMap<TeamId, &mut Team> = teams.iter_mut().map(|team| (team.id, team)).collect();
    for row in &areas {
        if let Some(team) = of.get_mut(&row.get(0)?) {
            team.areas.push(row.get(1)?);
        }
    }
    for row in &members {
        if let Some(team) = of.get_mut(&row.get(0)?) {
            team.members.push(Membership {
                id: row.get(1)?,
                worker: row.get(2)?,
                term: read_term(row.text(3)?, row.get(4)?)?,
            });
        }
    }
    Ok(teams)
}

/// One team, ended or not.
pub fn team(tx: &mut Tx, id: TeamId) -> Result<Option<Team>, Fault> {
    let rows = tx.query(concat!(columns!(), "where t.id = $1"), &params![id])?;
    Ok(whole(tx, &rows)?.pop())
}

/// All teams, those in force first, by name.
pub fn teams(tx: &mut Tx, at: Timestamp) -> Result<Vec<Team>, Fault> {
    let rows = tx.query(
        concat!(
            columns!(),
            "order by case when t.valid_to is null or t.valid_to >= $1 then 0 else 1 end, t.name limit $2"
        ),
        &params![at.date().to_string(), MAX_ROWS],
    )?;
    whole(tx, &rows)
}

/// Names of several teams, for lists: all of a page at once.
pub fn team_names(tx: &mut Tx, ids: &[TeamId]) -> Result<HashMap<TeamId, String>, Fault> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("select id, name from team where id in (").list(ids.iter().copied());
    let rows = tx.fetch(&sql.push(")"))?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The team of a name.
pub fn by_name(tx: &mut Tx, name: &str) -> Result<Option<TeamId>, Fault> {
    let row = tx.query_opt("select id from team where name = $1", &params![name])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// The team of a membership.
pub fn of_membership(tx: &mut Tx, id: MembershipId) -> Result<Option<Team>, Fault> {
    let rows = tx.query(
        concat!(columns!(), "join team_member m on m.team_id = t.id where m.id = $1"),
        &params![id],
    )?;
    Ok(whole(tx, &rows)?.pop())
}

/// Teams whose liaison is this worker, or sits in the same post on that day.
pub fn around_worker(tx: &mut Tx, worker: WorkerId, at: Timestamp) -> Result<Vec<Team>, Fault> {
    let rows = tx.query(
        concat!(
            columns!(),
            "where t.liaison_id = $1 or t.liaison_id in (select b.worker_id from appointment a \
             join appointment b on b.post_id = a.post_id where a.worker_id = $1 and a.valid_from <= $2 \
             and (a.valid_to is null or a.valid_to >= $2)) order by t.id limit $3"
        ),
        &params![worker, at.date().to_string(), MAX_ROWS],
    )?;
    whole(tx, &rows)
}

fn insert_areas(tx: &mut Tx, team: &Team) -> Result<(), Fault> {
    for area in &team.areas {
        tx.execute(
            "insert into team_area (team_id, area_id) values ($1, $2) on conflict (team_id, area_id) do nothing",
            &params![team.id, *area],
        )?;
    }
    Ok(())
}

pub fn insert(tx: &mut Tx, team: &Team) -> Result<(), Fault> {
    tx.execute(
        "insert into team (id, name, unit_id, liaison_id, valid_from, valid_to) values ($1, $2, $3, $4, $5, $6)",
        &params![
            team.id,
            &team.name,
            team.unit,
            team.liaison,
            team.term.from.to_string(),
            team.term.to.map(|day| day.to_string())
        ],
    )?;
    insert_areas(tx, team)
}

pub fn update(tx: &mut Tx, team: &Team) -> Result<(), Fault> {
    tx.execute(
        "update team set name = $1, unit_id = $2, liaison_id = $3, valid_to = $4 where id = $5",
        &params![
            &team.name,
            team.unit,
            team.liaison,
            team.term.to.map(|day| day.to_string()),
            team.id
        ],
    )?;
    tx.execute("delete from team_area where team_id = $1", &params![team.id])?;
    insert_areas(tx, team)
}

pub fn insert_member(tx: &mut Tx, team: TeamId, new: &Membership) -> Result<(), Fault> {
    tx.execute(
        "insert into team_member (id, team_id, worker_id, valid_from, valid_to) values ($1, $2, $3, $4, $5)",
        &params![
            new.id,
            team,
            new.worker,
            new.term.from.to_string(),
            new.term.to.map(|day| day.to_string())
        ],
    )?;
    Ok(())
}

pub fn end_member(tx: &mut Tx, id: MembershipId, to: Date) -> Result<(), Fault> {
    tx.execute(
        "update team_member set valid_to = $1 where id = $2",
        &params![to.to_string(), id],
    )?;
    Ok(())
}
