//! SQL of workforce, and the use cases that write it.

pub mod moves;

use super::roster::{self, InForce};
use crate::platform::{AppointmentId, AreaId, Ctx, Fault, LeaveId, Mark, PostId, Subject, Tx, UnitId, WorkerId};
use db::{Row, Sql, params};
use domain::time::Timestamp;
use domain::workforce::{AppointRefused, Appointment, Leave, Seat, may_appoint};
use jiff::civil::Date;
use std::collections::HashMap;

/// Most rows of one list.
pub const MAX_ROWS: i64 = 500;

/// A unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    pub id: UnitId,
    pub code: String,
    pub name: String,
    /// What residents are told.
    pub public_name: String,
    pub kind: String,
    /// Key of the pack's body.
    pub body: String,
    pub area: AreaId,
    pub parent: Option<UnitId>,
    pub phone: String,
    pub office: String,
    pub hours: String,
}

const UNIT: &str =
    "u.id, u.code, u.name, u.public_name, u.kind, u.body, u.area_id, u.parent_id, u.phone, u.office, u.hours";

fn read_unit(row: &Row) -> Result<Unit, Fault> {
    Ok(Unit {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        public_name: row.get(3)?,
        kind: row.get(4)?,
        body: row.get(5)?,
        area: row.get(6)?,
        parent: row.get(7)?,
        phone: row.get(8)?,
        office: row.get(9)?,
        hours: row.get(10)?,
    })
}

/// One unit, ended or not.
pub fn unit(tx: &mut Tx, id: UnitId) -> Result<Option<Unit>, Fault> {
    if let Some(roster) = roster::at_hand(tx)? {
        return Ok(roster.unit(id).cloned());
    }
    let row = tx.query_opt(&format!("select {UNIT} from unit u where u.id = $1"), &[id.into()])?;
    row.as_ref().map(read_unit).transpose()
}

/// Names of several units, for lists: all of a page at once.
pub fn unit_names(tx: &mut Tx, ids: &[UnitId]) -> Result<HashMap<UnitId, String>, Fault> {
    let roster = roster::of(tx)?;
    let name = |id: &UnitId| roster.unit(*id).map(|unit| (*id, unit.name.clone()));
    Ok(ids.iter().filter_map(name).collect())
}

/// Names of several workers, for lists: all of a page at once.
pub fn worker_names(tx: &mut Tx, ids: &[WorkerId]) -> Result<HashMap<WorkerId, String>, Fault> {
    let roster = roster::of(tx)?;
    let name = |id: &WorkerId| roster.worker(*id).map(|worker| (*id, worker.name.clone()));
    Ok(ids.iter().filter_map(name).collect())
}

/// Rows of one table that the roster holds at most; far above any place's.
const MAX_KEPT: i64 = 1_000_000;

/// All units with their days, by code.
pub fn all_units(tx: &mut Tx) -> Result<Vec<InForce>, Fault> {
    let sql = format!("select {UNIT}, u.valid_from, u.valid_to from unit u order by u.code limit $1");
    let one = |row: &Row| {
        Ok(InForce {
            unit: read_unit(row)?,
            from: row.get(11)?,
            to: row.get(12)?,
        })
    };
    tx.query(&sql, &[MAX_KEPT.into()])?.iter().map(one).collect()
}

/// All workers.
pub fn all_workers(tx: &mut Tx) -> Result<Vec<Worker>, Fault> {
    let sql = "select id, name, badge_no, phone, state from worker limit $1";
    tx.query(sql, &[MAX_KEPT.into()])?.iter().map(read_worker).collect()
}

/// All posts, by id.
pub fn all_posts(tx: &mut Tx) -> Result<Vec<Post>, Fault> {
    let sql = format!("select {POST} from post p where p.ended_from is null order by p.id limit $1");
    tx.query(&sql, &[MAX_KEPT.into()])?.iter().map(read_post).collect()
}

/// All appointments, by first day.
pub fn all_appointments(tx: &mut Tx) -> Result<Vec<AppointmentRow>, Fault> {
    let sql =
        "select id, post_id, worker_id, seat, valid_from, valid_to from appointment order by valid_from, id limit $1";
    tx.query(sql, &[MAX_KEPT.into()])?
        .iter()
        .map(read_appointment)
        .collect()
}

/// Leaves that had not ended by a moment.
pub fn leaves_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<Leave>, Fault> {
    let sql = "select id, worker_id, from_at, to_at, reason from leave_of where to_at > $1 limit $2";
    let rows = tx.query(sql, &[since.0.into(), MAX_KEPT.into()])?;
    rows.iter().map(|row| Ok(rule_of(&read_leave(row)?))).collect()
}

/// By its code.
pub fn unit_by_code(tx: &mut Tx, code: &str) -> Result<Option<Unit>, Fault> {
    let row = tx.query_opt(&format!("select {UNIT} from unit u where u.code = $1"), &[code.into()])?;
    row.as_ref().map(read_unit).transpose()
}

/// What units are looked for by.
#[derive(Debug, Default, Clone)]
pub struct UnitFilter {
    pub text: Option<String>,
    pub areas: Option<Vec<AreaId>>,
    pub kind: Option<String>,
    pub body: Option<String>,
}

pub fn units(tx: &mut Tx, filter: &UnitFilter, at: Timestamp) -> Result<Vec<Unit>, Fault> {
    let date = at.date().to_string();
    let mut sql = Sql::new("select u.id, u.code, u.name, u.public_name, u.kind, u.body, u.area_id, u.parent_id, u.phone, u.office, u.hours from unit u where (u.valid_to is null or u.valid_to >= ")
        .bind(date.as_str())
        .push(")");
    if let Some(text) = &filter.text {
        let like = format!("%{}%", text.replace(['%', '_', '\\'], ""));
        sql = sql
            .push(" and (u.name like ")
            .bind(like.as_str())
            .push(" or u.code like ")
            .bind(like.as_str())
            .push(")");
    }
    if let Some(areas) = &filter.areas {
        sql = sql.push(" and u.area_id in (").list(areas.iter().copied()).push(")");
    }
    if let Some(kind) = &filter.kind {
        sql = sql.push(" and u.kind = ").bind(kind.as_str());
    }
    if let Some(body) = &filter.body {
        sql = sql.push(" and u.body = ").bind(body.as_str());
    }
    sql = sql.push(" order by u.code limit ").bind(MAX_ROWS);
    tx.fetch(&sql)?.iter().map(read_unit).collect()
}

/// A unit to be made.
#[derive(Debug, Clone)]
pub struct NewUnit {
    pub id: UnitId,
    pub code: String,
    pub name: String,
    pub public_name: String,
    pub kind: String,
    pub body: String,
    pub area: AreaId,
    pub parent: Option<UnitId>,
    pub phone: String,
    pub office: String,
    pub hours: String,
}

/// Adds a unit, in force from the day of `ctx.now`.
pub fn add_unit(ctx: &Ctx, tx: &mut Tx, unit: &NewUnit) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute(
        "insert into unit(id, code, name, public_name, kind, body, area_id, parent_id, phone, office, hours, valid_from)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            unit.id.into(),
            unit.code.as_str().into(),
            unit.name.as_str().into(),
            unit.public_name.as_str().into(),
            unit.kind.as_str().into(),
            unit.body.as_str().into(),
            unit.area.into(),
            unit.parent.into(),
            unit.phone.as_str().into(),
            unit.office.as_str().into(),
            unit.hours.as_str().into(),
            ctx.now.date().to_string().into(),
        ],
    )?;
    let body = serde_json::json!({ "code": unit.code, "kind": unit.kind, "body": unit.body, "area": unit.area });
    tx.record(ctx, Mark::new("unit.made", Subject::Unit(unit.id), body))?;
    Ok(())
}

/// What of a unit can change.
#[derive(Debug, Clone, Default)]
pub struct UnitChange {
    pub name: Option<String>,
    pub public_name: Option<String>,
    pub phone: Option<String>,
    pub office: Option<String>,
    pub hours: Option<String>,
    /// Last day in force.
    pub valid_to: Option<Date>,
}

pub fn change_unit(ctx: &Ctx, tx: &mut Tx, id: UnitId, change: &UnitChange) -> Result<(), Fault> {
    roster::changed(tx);
    let text = |value: &Option<String>| db::Value::from(value.clone());
    tx.execute(
        "update unit set name = coalesce($1, name), public_name = coalesce($2, public_name), phone = coalesce($3, phone),
             office = coalesce($4, office), hours = coalesce($5, hours), valid_to = coalesce($6, valid_to) where id = $7",
        &[
            text(&change.name),
            text(&change.public_name),
            text(&change.phone),
            text(&change.office),
            text(&change.hours),
            change.valid_to.map(|date| date.to_string()).into(),
            id.into(),
        ],
    )?;
    let body = serde_json::json!({ "name": change.name, "valid_to": change.valid_to.map(|date| date.to_string()) });
    tx.record(ctx, Mark::new("unit.changed", Subject::Unit(id), body))?;
    Ok(())
}

/// A worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    pub id: WorkerId,
    pub name: String,
    pub badge_no: String,
    pub phone: String,
    pub active: bool,
}

fn read_worker(row: &Row) -> Result<Worker, Fault> {
    Ok(Worker {
        id: row.get(0)?,
        name: row.get(1)?,
        badge_no: row.get(2)?,
        phone: row.get(3)?,
        active: row.text(4)? == "active",
    })
}

/// One worker.
pub fn worker(tx: &mut Tx, id: WorkerId) -> Result<Option<Worker>, Fault> {
    if let Some(roster) = roster::at_hand(tx)? {
        return Ok(roster.worker(id).cloned());
    }
    let sql = "select id, name, badge_no, phone, state from worker where id = $1";
    tx.query_opt(sql, &[id.into()])?.as_ref().map(read_worker).transpose()
}

/// Several workers at once.
pub fn workers_of(tx: &mut Tx, ids: &[WorkerId]) -> Result<Vec<Worker>, Fault> {
    let sql = Sql::new("select id, name, badge_no, phone, state from worker where id in (").list(ids.iter().copied());
    tx.fetch(&sql.push(")"))?.iter().map(read_worker).collect()
}

pub fn worker_by_badge(tx: &mut Tx, badge: &str) -> Result<Option<Worker>, Fault> {
    let row = tx.query_opt(
        "select id, name, badge_no, phone, state from worker where badge_no = $1",
        &[badge.into()],
    )?;
    row.as_ref().map(read_worker).transpose()
}

/// Workers by name, pinyin, initials or badge number.
pub fn workers(tx: &mut Tx, text: &str, limit: u32) -> Result<Vec<Worker>, Fault> {
    let clean = domain::text::normalise(text).replace(['%', '_', '\\', ' '], "");
    let rows = tx.query(
        "select id, name, badge_no, phone, state from worker
         where name like $1 or pinyin like $2 or initials like $3 or badge_no like $4 order by pinyin, id limit $5",
        &[
            format!("%{clean}%").into(),
            format!("{clean}%").into(),
            format!("{clean}%").into(),
            format!("{}%", clean.to_uppercase()).into(),
            i64::from(limit).into(),
        ],
    )?;
    rows.iter().map(read_worker).collect()
}

/// A worker to be made.
#[derive(Debug, Clone)]
pub struct NewWorker {
    pub id: WorkerId,
    pub name: String,
    pub badge_no: String,
    pub phone: String,
}

pub fn add_worker(ctx: &Ctx, tx: &mut Tx, worker: &NewWorker) -> Result<(), Fault> {
    roster::changed(tx);
    let (pinyin, initials) = domain::text::pinyin_of(&worker.name);
    tx.execute(
        "insert into worker(id, name, pinyin, initials, badge_no, phone, state) values ($1, $2, $3, $4, $5, $6, 'active')",
        &[
            worker.id.into(),
            worker.name.as_str().into(),
            pinyin.into(),
            initials.into(),
            worker.badge_no.as_str().into(),
            worker.phone.as_str().into(),
        ],
    )?;
    tx.record(
        ctx,
        Mark::new(
            "worker.made",
            Subject::Worker(worker.id),
            serde_json::json!({ "badge_no": worker.badge_no }),
        ),
    )?;
    Ok(())
}

/// A post.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    pub id: PostId,
    pub unit: UnitId,
    pub area: Option<AreaId>,
    pub name: String,
    pub duty: String,
    pub shift: Option<String>,
}

const POST: &str = "p.id, p.unit_id, p.area_id, p.name, p.duty, p.shift_key";

fn read_post(row: &Row) -> Result<Post, Fault> {
    Ok(Post {
        id: row.get(0)?,
        unit: row.get(1)?,
        area: row.get(2)?,
        name: row.get(3)?,
        duty: row.get(4)?,
        shift: row.get(5)?,
    })
}

pub fn post(tx: &mut Tx, id: PostId) -> Result<Option<Post>, Fault> {
    let row = tx.query_opt(&format!("select {POST} from post p where p.id = $1"), &[id.into()])?;
    row.as_ref().map(read_post).transpose()
}

pub fn posts_of_unit(tx: &mut Tx, unit: UnitId, duty: Option<&str>) -> Result<Vec<Post>, Fault> {
    let sql = format!(
        "select {POST} from post p where p.unit_id = $1 and p.ended_from is null and ($2 = '' or p.duty = $3) \
         order by p.duty, p.id limit $4"
    );
    let duty = duty.unwrap_or_default();
    let rows = tx.query(&sql, &[unit.into(), duty.into(), duty.into(), MAX_ROWS.into()])?;
    rows.iter().map(read_post).collect()
}

/// Posts of a duty that serve just this area.
pub fn posts_of_area(tx: &mut Tx, area: AreaId, duty: &str) -> Result<Vec<Post>, Fault> {
    Ok(roster::of(tx)?.posts_of_area(area, duty).cloned().collect())
}

/// All posts in order of id, after one, for going through them.
pub fn posts_after(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Post>, Fault> {
    let rows = tx.query(
        &format!("select {POST} from post p where p.id > $1 and p.ended_from is null order by p.id limit $2"),
        &[after.into(), limit.into()],
    )?;
    rows.iter().map(read_post).collect()
}

/// A post to be made.
#[derive(Debug, Clone)]
pub struct NewPost {
    pub id: PostId,
    pub unit: UnitId,
    pub area: Option<AreaId>,
    pub name: String,
    pub duty: String,
    pub shift: Option<String>,
}

pub fn add_post(ctx: &Ctx, tx: &mut Tx, post: &NewPost) -> Result<(), Fault> {
    roster::changed(tx);
    tx.execute(
        "insert into post(id, unit_id, area_id, name, duty, shift_key) values ($1, $2, $3, $4, $5, $6)",
        &[
            post.id.into(),
            post.unit.into(),
            post.area.into(),
            post.name.as_str().into(),
            post.duty.as_str().into(),
            post.shift.clone().into(),
        ],
    )?;
    let body = serde_json::json!({ "unit": post.unit, "area": post.area, "duty": post.duty });
    tx.record(ctx, Mark::new("post.made", Subject::Post(post.id), body))?;
    Ok(())
}

/// An appointment with its id.
#[derive(Debug, Clone)]
pub struct NewAppointment {
    pub id: AppointmentId,
    pub post: PostId,
    pub worker: WorkerId,
    pub seat: Seat,
    pub from: Date,
    pub to: Option<Date>,
}

/// A row of appointment as listed.
#[derive(Debug, Clone)]
pub struct AppointmentRow {
    pub id: AppointmentId,
    pub post: PostId,
    pub appointment: Appointment,
}

pub fn read_date(text: &str) -> Result<Date, Fault> {
    text.parse().map_err(Fault::internal)
}

fn read_appointment(row: &Row) -> Result<AppointmentRow, Fault> {
    let worker: WorkerId = row.get(2)?;
    let to = row.get::<Option<String>>(5)?;
    Ok(AppointmentRow {
        id: row.get(0)?,
        post: row.get(1)?,
        appointment: Appointment {
            worker: worker.into(),
            seat: Seat::parse(row.text(3)?).ok_or_else(|| Fault::internal("a seat is A or B"))?,
            from: read_date(row.text(4)?)?,
            to: to.as_deref().map(read_date).transpose()?,
        },
    })
}

pub fn appointment_rows(tx: &mut Tx, post: PostId) -> Result<Vec<AppointmentRow>, Fault> {
    let sql = "select id, post_id, worker_id, seat, valid_from, valid_to from appointment where post_id = $1 order by valid_from, id";
    tx.query(sql, &[post.into()])?.iter().map(read_appointment).collect()
}

pub fn appointments_of_worker(tx: &mut Tx, worker: WorkerId) -> Result<Vec<AppointmentRow>, Fault> {
    let sql = "select id, post_id, worker_id, seat, valid_from, valid_to from appointment where worker_id = $1 order by valid_from desc, id";
    tx.query(sql, &[worker.into()])?.iter().map(read_appointment).collect()
}

impl From<AppointRefused> for Fault {
    fn from(refused: AppointRefused) -> Fault {
        match refused {
            AppointRefused::EndsBeforeStart => Fault::invalid("valid_to", "appointment_ends_before_start"),
            AppointRefused::SeatTaken => Fault::refused("seat_taken"),
            AppointRefused::OwnStandIn => Fault::refused("own_stand_in"),
        }
    }
}

/// Seats a worker, unless the rules refuse.
pub fn add_appointment(ctx: &Ctx, tx: &mut Tx, new: &NewAppointment) -> Result<(), Fault> {
    roster::changed(tx);
    let rule = Appointment {
        worker: new.worker.into(),
        seat: new.seat,
        from: new.from,
        to: new.to,
    };
    let seats: Vec<Appointment> = appointment_rows(tx, new.post)?
        .into_iter()
        .map(|row| row.appointment)
        .collect();
    may_appoint(&seats, &rule)?;
    tx.execute(
        "insert into appointment(id, post_id, worker_id, seat, valid_from, valid_to) values ($1, $2, $3, $4, $5, $6)",
        &[
            new.id.into(),
            new.post.into(),
            new.worker.into(),
            new.seat.key().into(),
            new.from.to_string().into(),
            new.to.map(|date| date.to_string()).into(),
        ],
    )?;
    let body = serde_json::json!({ "worker": new.worker, "seat": new.seat.key(), "from": new.from.to_string() });
    tx.record(ctx, Mark::new("post.appointed", Subject::Post(new.post), body))?;
    Ok(())
}

/// Ends an appointment on a day.
pub fn end_appointment(ctx: &Ctx, tx: &mut Tx, id: AppointmentId, to: Date) -> Result<(), Fault> {
    roster::changed(tx);
    let sql = "select id, post_id, worker_id, seat, valid_from, valid_to from appointment where id = $1";
    let row = tx.query_opt(sql, &[id.into()])?.ok_or_else(Fault::not_found)?;
    let row = read_appointment(&row)?;
    if to < row.appointment.from {
        return Err(AppointRefused::EndsBeforeStart.into());
    }
    tx.execute(
        "update appointment set valid_to = $1 where id = $2",
        &[to.to_string().into(), id.into()],
    )?;
    let body = serde_json::json!({ "seat": row.appointment.seat.key(), "to": to.to_string() });
    tx.record(ctx, Mark::new("post.ended", Subject::Post(row.post), body))?;
    Ok(())
}

/// The post of an appointment.
pub fn post_of_appointment(tx: &mut Tx, id: AppointmentId) -> Result<Option<Post>, Fault> {
    let sql = format!("select {POST} from post p join appointment a on a.post_id = p.id where a.id = $1");
    tx.query_opt(&sql, &[id.into()])?.as_ref().map(read_post).transpose()
}

/// A leave with its id.
#[derive(Debug, Clone)]
pub struct LeaveRow {
    pub id: LeaveId,
    pub worker: WorkerId,
    pub from: Timestamp,
    pub to: Timestamp,
    pub reason: String,
}

fn read_leave(row: &Row) -> Result<LeaveRow, Fault> {
    Ok(LeaveRow {
        id: row.get(0)?,
        worker: row.get(1)?,
        from: Timestamp(row.get(2)?),
        to: Timestamp(row.get(3)?),
        reason: row.get(4)?,
    })
}

/// A leave as the rules see it.
fn rule_of(row: &LeaveRow) -> Leave {
    Leave {
        worker: row.worker.into(),
        from: row.from,
        to: row.to,
    }
}

/// Leaves that cover `at`.
pub fn leaves_of(tx: &mut Tx, workers: &[WorkerId], at: Timestamp) -> Result<Vec<Leave>, Fault> {
    if workers.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(leaves) = roster::of(tx)?.leaves(workers, at) {
        return Ok(leaves);
    }
    let sql = Sql::new("select id, worker_id, from_at, to_at, reason from leave_of where worker_id in (")
        .list(workers.iter().copied())
        .push(") and to_at > ")
        .bind(at.0)
        .push(" and from_at <= ")
        .bind(at.0);
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok(rule_of(&read_leave(row)?)))
        .collect()
}

/// A worker's leaves that have not ended by `at`.
pub fn leave_rows(tx: &mut Tx, worker: WorkerId, at: Timestamp) -> Result<Vec<LeaveRow>, Fault> {
    let sql = "select id, worker_id, from_at, to_at, reason from leave_of where worker_id = $1 and to_at > $2 order by from_at";
    tx.query(sql, &[worker.into(), at.0.into()])?
        .iter()
        .map(read_leave)
        .collect()
}

pub fn leave(tx: &mut Tx, id: LeaveId) -> Result<Option<LeaveRow>, Fault> {
    let sql = "select id, worker_id, from_at, to_at, reason from leave_of where id = $1";
    tx.query_opt(sql, &[id.into()])?.as_ref().map(read_leave).transpose()
}

/// Longest leave in one entry, in days.
const MAX_LEAVE_DAYS: i64 = 400;

/// Enters a leave; the work falls to the stand-in by itself.
pub fn add_leave(ctx: &Ctx, tx: &mut Tx, new: &LeaveRow) -> Result<(), Fault> {
    roster::changed(tx);
    if new.to <= new.from {
        return Err(Fault::invalid("to", "leave_ends_before_start"));
    }
    if new.to.0 - new.from.0 > MAX_LEAVE_DAYS * domain::time::DAY_MS {
        return Err(Fault::invalid("to", "leave_too_long").with("most", MAX_LEAVE_DAYS));
    }
    tx.execute(
        "insert into leave_of(id, worker_id, from_at, to_at, reason) values ($1, $2, $3, $4, $5)",
        &[
            new.id.into(),
            new.worker.into(),
            new.from.0.into(),
            new.to.0.into(),
            new.reason.as_str().into(),
        ],
    )?;
    let body = serde_json::json!({ "from": new.from.to_string(), "to": new.to.to_string() });
    tx.record(ctx, Mark::new("worker.leave", Subject::Worker(new.worker), body))?;
    Ok(())
}

/// Takes a leave back: one not begun vanishes, one under way ends now, one over stays.
pub fn end_leave(ctx: &Ctx, tx: &mut Tx, leave: &LeaveRow) -> Result<(), Fault> {
    roster::changed(tx);
    if leave.to <= ctx.now {
        return Err(Fault::refused("leave_is_over"));
    }
    if leave.from >= ctx.now {
        tx.execute("delete from leave_of where id = $1", &[leave.id.into()])?;
    } else {
        tx.execute(
            "update leave_of set to_at = $1 where id = $2",
            &[ctx.now.0.into(), leave.id.into()],
        )?;
    }
    tx.record(
        ctx,
        Mark::new(
            "worker.back",
            Subject::Worker(leave.worker),
            serde_json::json!({ "at": ctx.now.to_string() }),
        ),
    )?;
    Ok(())
}

pub fn workers_of_unit(tx: &mut Tx, unit: UnitId, at: Timestamp) -> Result<Vec<WorkerId>, Fault> {
    let date = at.date().to_string();
    let rows = tx.query(
        "select distinct a.worker_id from appointment a join post p on p.id = a.post_id
         where p.unit_id = $1 and a.valid_from <= $2 and (a.valid_to is null or a.valid_to >= $3) order by a.worker_id limit $4",
        &[unit.into(), date.as_str().into(), date.as_str().into(), MAX_ROWS.into()],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

/// Units in force at an area, its posts of such units with somebody on them, and teams that visit it; those whose last day is `on` count no
/// more.
pub fn seated_at(tx: &mut Tx, area: AreaId, on: &str) -> Result<i64, Fault> {
    let row = tx.query_one(
        "select (select count(*) from unit u where u.area_id = $1 and (u.valid_to is null or u.valid_to > $2)) \
         + (select count(*) from post p join unit u on u.id = p.unit_id where p.area_id = $1 and p.ended_from is null and (u.valid_to is null or u.valid_to > $2) \
            and exists (select 1 from appointment a where a.post_id = p.id and (a.valid_to is null or a.valid_to > $2))) \
         + (select count(*) from team_area w join team t on t.id = w.team_id where w.area_id = $1 and (t.valid_to is null or t.valid_to > $2))",
        &params![area, on],
    )?;
    Ok(row.get(0)?)
}
