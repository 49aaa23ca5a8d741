//! SQL of who goes along when areas are divided anew.

use super::{AppointmentRow, POST, Post, read_appointment, read_post};
use crate::platform::{AppointmentId, AreaId, Fault, PostId, TeamId, Tx, UnitId};
use crate::workforce::roster;
use db::{Sql, params};

/// Areas named in one statement.
const AT_ONCE: usize = 500;

/// Posts that serve just these areas, by id.
pub fn posts_in(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Post>, Fault> {
    let mut found = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        let sql = Sql::new("select ")
            .push(POST)
            .push(" from post p where p.ended_from is null and p.area_id in (")
            .list(some.iter().copied())
            .push(")");
        for row in tx.fetch(&sql)? {
            found.push(read_post(&row)?);
        }
    }
    found.sort_by_key(|post| post.id);
    Ok(found)
}

/// Units in force that belong to these areas themselves, with their names.
pub fn units_in(tx: &mut Tx, areas: &[AreaId], day: &str) -> Result<Vec<(UnitId, AreaId, String)>, Fault> {
    let mut found: Vec<(UnitId, AreaId, String)> = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        let sql = Sql::new("select u.id, u.area_id, u.name from unit u where u.area_id in (")
            .list(some.iter().copied())
            .push(") and (u.valid_to is null or u.valid_to >= ")
            .bind(day)
            .push(")");
        for row in tx.fetch(&sql)? {
            found.push((row.get(0)?, row.get(1)?, row.get(2)?));
        }
    }
    found.sort_by_key(|(unit, _, _)| *unit);
    Ok(found)
}

/// Teams not over that visit these areas themselves, with their names.
pub fn teams_in(tx: &mut Tx, areas: &[AreaId], day: &str) -> Result<Vec<(TeamId, AreaId, String)>, Fault> {
    let mut found: Vec<(TeamId, AreaId, String)> = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        let sql = Sql::new(
            "select t.id, a.area_id, t.name from team_area a join team t on t.id = a.team_id where a.area_id in (",
        )
        .list(some.iter().copied())
        .push(") and (t.valid_to is null or t.valid_to >= ")
        .bind(day)
        .push(")");
        for row in tx.fetch(&sql)? {
            found.push((row.get(0)?, row.get(1)?, row.get(2)?));
        }
    }
    found.sort();
    Ok(found)
}

pub fn set_post(tx: &mut Tx, post: PostId, area: Option<AreaId>, ended_from: Option<&str>) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute(
        "update post set area_id = coalesce($1, area_id), ended_from = $2 where id = $3",
        &params![area, ended_from.map(str::to_owned), post],
    )?;
    Ok(())
}

pub fn insert_post(tx: &mut Tx, post: &Post) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute(
        "insert into post (id, unit_id, area_id, name, duty, shift_key) values ($1, $2, $3, $4, $5, $6)",
        &params![
            post.id,
            post.unit,
            post.area,
            &post.name,
            &post.duty,
            post.shift.clone()
        ],
    )?;
    Ok(())
}

/// Appointments of a post that have not ended by a day.
pub fn seats_after(tx: &mut Tx, post: PostId, day: &str) -> Result<Vec<AppointmentRow>, Fault> {
    let rows = tx.query(
        "select id, post_id, worker_id, seat, valid_from, valid_to from appointment \
         where post_id = $1 and (valid_to is null or valid_to >= $2) order by valid_from, id",
        &params![post, day],
    )?;
    rows.iter().map(read_appointment).collect()
}

pub fn set_last_day(tx: &mut Tx, seat: AppointmentId, to: Option<&str>) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute(
        "update appointment set valid_to = $1 where id = $2",
        &params![to.map(str::to_owned), seat],
    )?;
    Ok(())
}

pub fn set_unit_area(tx: &mut Tx, unit: UnitId, area: AreaId) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute("update unit set area_id = $1 where id = $2", &params![area, unit])?;
    Ok(())
}

/// A team visits these areas in place of one.
pub fn replace_team_area(tx: &mut Tx, team: TeamId, from: AreaId, to: &[AreaId]) -> Result<(), Fault> {
    tx.execute(
        "delete from team_area where team_id = $1 and area_id = $2",
        &params![team, from],
    )?;
    for area in to {
        tx.execute(
            "insert into team_area (team_id, area_id) values ($1, $2) on conflict (team_id, area_id) do nothing",
            &params![team, *area],
        )?;
    }
    Ok(())
}

/// The areas a team visits.
pub fn team_areas(tx: &mut Tx, team: TeamId) -> Result<Vec<AreaId>, Fault> {
    let rows = tx.query(
        "select area_id from team_area where team_id = $1 order by area_id",
        &params![team],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

pub fn set_team_areas(tx: &mut Tx, team: TeamId, areas: &[AreaId]) -> Result<(), Fault> {
    tx.execute("delete from team_area where team_id = $1", &params![team])?;
    for area in areas {
        tx.execute(
            "insert into team_area (team_id, area_id) values ($1, $2)",
            &params![team, *area],
        )?;
    }
    Ok(())
}
