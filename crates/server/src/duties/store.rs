//! SQL of duties.

use super::counts::{Cell, Counted};
use super::pairs::{PairVisit, Place};
use super::patrols;
use super::subject::SubjectKind;
use super::visits::VisitRow;
use crate::platform::*;
use crate::registry;
use db::{Sql, params};
use domain::duties::{Act, Outcome, Standing, TrackFigures, Visit};
use domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// Visits of one subject and period counted at most; pages of lists are shorter.
const MAX_VISITS: i64 = 20_000;
/// Areas or dwellings named in one statement.
const AT_ONCE: usize = 500;

/// How an obligation is stored to stand; whether an open one is ahead, early or due follows from the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Late,
    Missed,
    MadeUp,
    Done,
}

impl State {
    const ALL: [State; 5] = [State::Open, State::Late, State::Missed, State::MadeUp, State::Done];

    pub fn key(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Late => "late",
            State::Missed => "missed",
            State::MadeUp => "made_up",
            State::Done => "done",
        }
    }

    pub fn from_key(key: &str) -> Result<State, Fault> {
        let found = Self::ALL.into_iter().find(|one| one.key() == key);
        found.ok_or_else(|| Fault::internal("an unknown state of an obligation"))
    }
}

/// An obligation as stored. Days are numbered from 1970-01-01.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: ObligationId,
    pub rule: String,
    pub kind: SubjectKind,
    pub subject: DutySubjectId,
    pub first: i64,
    pub last: i64,
    pub nth: i64,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
    pub need: i64,
    pub got: i64,
    pub from: i64,
    pub planned: i64,
    pub until: i64,
    pub end: i64,
    pub owed_until: i64,
    pub state: State,
    pub open: bool,
    pub turns: Option<i64>,
    pub done_by: Option<VisitId>,
    pub done_day: Option<i64>,
    pub done_late: bool,
    pub tried: i64,
    pub reason: Option<Outcome>,
    pub pack_version: String,
}

impl Row {
    /// How it stands on a day.
    pub fn standing(&self, day: i64) -> Standing {
        match () {
            () if self.done_day.is_some() => Standing::Done,
            () if day > self.end => Standing::Missed,
            () if day > self.until => Standing::Late,
            () if day >= self.planned => Standing::Due,
            () if day >= self.from => Standing::Early,
            () => Standing::Ahead,
        }
    }

    /// Puts state, openness and the day of the next change as they are on a day. `made_up`: it was missed and made up since.
    pub fn stand(&mut self, day: i64, made_up: bool) {
        self.state = match self.standing(day) {
            Standing::Done => State::Done,
            Standing::Missed if made_up => State::MadeUp,
            Standing::Missed => State::Missed,
            Standing::Late => State::Late,
            Standing::Ahead | Standing::Early | Standing::Due => State::Open,
        };
        self.open = match self.state {
            State::Open | State::Late => true,
            State::Missed => day <= self.owed_until,
            State::MadeUp | State::Done => false,
        };
        self.turns = match self.state {
            State::Open => Some(self.until + 1),
            State::Late => Some(self.end + 1),
            State::Missed if self.open => Some(self.owed_until + 1),
            State::Missed | State::MadeUp | State::Done => None,
        };
    }

    pub fn counted(&self) -> Counted {
        let one = |holds: bool| i64::from(holds);
        Counted {
            owed: 1,
            done: one(self.state == State::Done),
            late: one(self.state == State::Late),
            missed: one(matches!(self.state, State::Missed | State::MadeUp)),
            made_up: one(self.state == State::MadeUp),
        }
    }
}

macro_rules! columns {
    () => {
        "o.id, o.rule, o.subject_kind, o.subject_id, o.first_day, o.last_day, o.nth, o.area_id, o.a1, o.a2, o.a3, o.a4, o.a5, o.need, o.got, \
         o.from_day, o.planned_day, o.until_day, o.end_day, o.owed_until, o.state, o.open, o.turns_day, o.done_by, o.done_day, o.done_late, \
         o.tried, o.reason, o.pack_version"
    };
}

fn kind(text: &str) -> Result<SubjectKind, Fault> {
    SubjectKind::from_key(text).ok_or_else(|| Fault::internal("an unknown kind of subject"))
}

fn read(row: &db::Row) -> Result<Row, Fault> {
    Ok(Row {
        id: row.get(0)?,
        rule: row.get(1)?,
        kind: kind(row.text(2)?)?,
        subject: row.get(3)?,
        first: row.get(4)?,
        last: row.get(5)?,
        nth: row.get(6)?,
        area: row.get(7)?,
        areas: [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?],
        need: row.get(13)?,
        got: row.get(14)?,
        from: row.get(15)?,
        planned: row.get(16)?,
        until: row.get(17)?,
        end: row.get(18)?,
        owed_until: row.get(19)?,
        state: State::from_key(row.text(20)?)?,
        open: row.get::<i64>(21)? != 0,
        turns: row.get(22)?,
        done_by: row.get(23)?,
        done_day: row.get(24)?,
        done_late: row.get::<Option<i64>>(25)? == Some(1),
        tried: row.get(26)?,
        reason: row.get::<Option<String>>(27)?.as_deref().and_then(Outcome::parse),
        pack_version: row.get(28)?,
    })
}

/// What these subjects are owed under a rule in the periods that begin on these days, in order of number.
pub fn obligations(
    tx: &mut Tx,
    rule: &str,
    subjects: &[DutySubjectId],
    first: &[i64],
) -> Result<HashMap<(DutySubjectId, i64), Vec<Row>>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from obligation o where o.rule = ")).bind(rule);
    let sql = sql.push(" and o.subject_id in (").list(subjects.iter().copied());
    let sql = sql.push(") and o.first_day in (").list(first.iter().copied());
    let mut found: HashMap<(DutySubjectId, i64), Vec<Row>> = HashMap::new();
    for row in tx.fetch(&sql.push(") order by o.subject_id, o.first_day, o.nth"))? {
        let row = read(&row)?;
        found.entry((row.subject, row.first)).or_default().push(row);
    }
    Ok(found)
}

/// Writes obligations, new ones and in place of what was there under the same ids.
pub fn put(tx: &mut Tx, rows: &[Row]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let values = rows.iter().map(|row| {
        let [a1, a2, a3, a4, a5] = row.areas;
        params![
            row.id,
            &row.rule,
            row.kind.key(),
            row.subject,
            row.first,
            row.last,
            row.nth,
            row.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            row.need,
            row.got,
            row.from,
            row.planned,
            row.until,
            row.end,
            row.owed_until,
            row.state.key(),
            i64::from(row.open),
            row.turns,
            row.done_by,
            row.done_day,
            row.done_day.map(|_| i64::from(row.done_late)),
            row.tried,
            row.reason.map(Outcome::key),
            &row.pack_version
        ]
    });
    tx.insert_rows(
        "insert into obligation (id, rule, subject_kind, subject_id, first_day, last_day, nth, area_id, a1, a2, a3, a4, a5, need, got, \
         from_day, planned_day, until_day, end_day, owed_until, state, open, turns_day, done_by, done_day, done_late, tried, reason, \
         pack_version) values ",
        values,
        " on conflict (id) do update set area_id = excluded.area_id, a1 = excluded.a1, a2 = excluded.a2, a3 = excluded.a3, \
         a4 = excluded.a4, a5 = excluded.a5, need = excluded.need, got = excluded.got, from_day = excluded.from_day, \
         planned_day = excluded.planned_day, until_day = excluded.until_day, end_day = excluded.end_day, \
         owed_until = excluded.owed_until, state = excluded.state, open = excluded.open, turns_day = excluded.turns_day, \
         done_by = excluded.done_by, done_day = excluded.done_day, done_late = excluded.done_late, tried = excluded.tried, \
         reason = excluded.reason, pack_version = excluded.pack_version",
    )?;
    Ok(())
}

pub fn delete(tx: &mut Tx, ids: &[ObligationId]) -> Result<(), Fault> {
    if !ids.is_empty() {
        tx.run(
            &Sql::new("delete from obligation where id in (")
                .list(ids.iter().copied())
                .push(")"),
        )?;
    }
    Ok(())
}

/// What can still be done for subjects of a kind in these areas themselves, by id.
pub fn open_in(tx: &mut Tx, kind: SubjectKind, areas: &[AreaId]) -> Result<Vec<Row>, Fault> {
    let mut found = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        let sql = Sql::new(concat!(
            "select ",
            columns!(),
            " from obligation o where o.area_id in ("
        ));
        let sql = sql
            .list(some.iter().copied())
            .push(") and o.open = 1 and o.subject_kind = ");
        for row in tx.fetch(&sql.bind(kind.key()))? {
            found.push(read(&row)?);
        }
    }
    found.sort_by_key(|row| row.id);
    Ok(found)
}

/// How much can still be done under each of these rules for the households of some dwellings.
pub fn open_at_homes(tx: &mut Tx, rules: &[&str], dwellings: &[DwellingId]) -> Result<BTreeMap<String, i64>, Fault> {
    let mut found: BTreeMap<String, i64> = BTreeMap::new();
    if rules.is_empty() {
        return Ok(found);
    }
    for some in dwellings.chunks(AT_ONCE) {
        let sql = Sql::new("select o.rule, count(*) from household h join obligation o on o.subject_id = h.id");
        let sql = sql.push(" where h.valid_to is null and o.open = 1 and o.rule in (");
        let sql = sql.list(rules.iter().copied()).push(") and h.dwelling_id in (");
        let sql = sql.list(some.iter().copied()).push(") group by o.rule");
        for row in tx.fetch(&sql)? {
            *found.entry(row.get(0)?).or_default() += row.get::<i64>(1)?;
        }
    }
    Ok(found)
}

/// Obligations that change by themselves by this day, the longest overdue first.
pub fn turning(tx: &mut Tx, day: i64, limit: i64) -> Result<Vec<Row>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from obligation o where o.turns_day is not null and o.turns_day <= "
    ));
    let sql = sql.bind(day).push(" order by o.turns_day, o.id limit ").bind(limit);
    tx.fetch(&sql.push(tx.backend().for_update()))?
        .iter()
        .map(read)
        .collect()
}

/// Open obligations under rules that are no longer in force, in periods that are not over.
pub fn without_rule(tx: &mut Tx, rules: &[&str], day: i64, limit: i64) -> Result<Vec<Row>, Fault> {
    let mut sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from obligation o where o.turns_day is not null and o.last_day >= "
    ));
    sql = sql.bind(day).push(" and o.state <> 'missed'");
    if !rules.is_empty() {
        sql = sql.push(" and o.rule not in (").list(rules.iter().copied()).push(")");
    }
    let sql = sql.push(" order by o.id limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Where a page of today's list goes on: the last day in time and the id.
pub type After = (i64, ObligationId);

/// What can be done on a day in these areas under these rules, the most pressing first, one more than `limit` when there is more.
pub fn today(
    tx: &mut Tx,
    mine: &[(Vec<AreaId>, Vec<String>)],
    day: i64,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<Row>, Fault> {
    let mut sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from obligation o where o.open = 1 and o.from_day <= "
    ));
    sql = sql.bind(day).push(" and (1 = 0");
    for (areas, rules) in mine {
        sql = sql.push(" or (o.area_id in (").list(areas.iter().copied());
        sql = sql.push(") and o.rule in (").list(rules.iter()).push("))");
    }
    sql = sql.push(")");
    if let Some((until, id)) = after {
        sql = sql
            .push(" and (o.until_day, o.id) > (")
            .bind(until)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by o.until_day, o.id limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// What is owed under a rule in one period to the subjects of an area itself, by the last day in time; one more than `limit` when there is more.
pub fn lines(
    tx: &mut Tx,
    area: AreaId,
    rule: &str,
    (first, last): (i64, i64),
    state: Option<State>,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<Row>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from obligation o where o.area_id = ")).bind(area);
    // Both values of `open`, and the period's days: so the index on the two serves.
    let sql = sql.push(" and o.open in (0, 1) and o.until_day >= ").bind(first);
    let sql = sql.push(" and o.until_day <= ").bind(last);
    let mut sql = sql
        .push(" and o.rule = ")
        .bind(rule)
        .push(" and o.first_day = ")
        .bind(first);
    // As counted: what was missed and made up later was missed.
    if let Some(state) = state {
        sql = match state {
            State::Missed => sql.push(" and o.state in ('missed', 'made_up')"),
            _ => sql.push(" and o.state = ").bind(state.key()),
        };
    }
    if let Some((until, id)) = after {
        sql = sql
            .push(" and (o.until_day, o.id) > (")
            .bind(until)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by o.until_day, o.id limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// One stay of a subject in a group; the last day included.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    pub subject: DutySubjectId,
    pub from: i64,
    pub to: Option<i64>,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
}

fn stay(row: &db::Row) -> Result<Stay, Fault> {
    Ok(Stay {
        subject: row.get(0)?,
        from: row.get(1)?,
        to: row.get(2)?,
        area: row.get(3)?,
        areas: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
    })
}

/// The stays of these subjects in a group, by subject and day; nobody else works them out until the commit.
pub fn stays(tx: &mut Tx, who: &str, subjects: &[DutySubjectId]) -> Result<Vec<Stay>, Fault> {
    let sql =
        Sql::new("select subject_id, from_day, to_day, area_id, a1, a2, a3, a4, a5 from duty_member where who = ")
            .bind(who);
    let sql = sql.push(" and subject_id in (").list(subjects.iter().copied());
    let sql = sql
        .push(") order by subject_id, from_day")
        .push(tx.backend().for_update());
    tx.fetch(&sql)?.iter().map(stay).collect()
}

/// Stays of a group that have not ended, in order of subject, after one and up to another.
pub fn open_stays(
    tx: &mut Tx,
    who: &str,
    after: Option<DutySubjectId>,
    up_to: Option<DutySubjectId>,
    limit: i64,
) -> Result<Vec<Stay>, Fault> {
    let sql = Sql::new(
        "select subject_id, from_day, to_day, area_id, a1, a2, a3, a4, a5 from duty_member where to_day is null and who = ",
    );
    let mut sql = sql.bind(who);
    if let Some(after) = after {
        sql = sql.push(" and subject_id > ").bind(after);
    }
    if let Some(up_to) = up_to {
        sql = sql.push(" and subject_id <= ").bind(up_to);
    }
    let sql = sql.push(" order by subject_id limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(stay).collect()
}

/// The groups these subjects were ever in.
pub fn groups_of(tx: &mut Tx, subjects: &[DutySubjectId]) -> Result<Vec<(String, DutySubjectId)>, Fault> {
    let sql = Sql::new("select distinct who, subject_id from duty_member where subject_id in (")
        .list(subjects.iter().copied());
    let rows = tx.fetch(&sql.push(") order by who, subject_id"))?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A subject joins a group, or comes back on the day it left.
pub fn join(tx: &mut Tx, who: &str, kind: SubjectKind, one: &Stay) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = one.areas;
    tx.execute(
        "insert into duty_member (who, subject_kind, subject_id, from_day, to_day, area_id, a1, a2, a3, a4, a5) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (who, subject_id, from_day) do update set to_day = null, \
         area_id = excluded.area_id, a1 = excluded.a1, a2 = excluded.a2, a3 = excluded.a3, a4 = excluded.a4, a5 = excluded.a5",
        &params![who, kind.key(), one.subject, one.from, one.to, one.area, a1, a2, a3, a4, a5],
    )?;
    Ok(())
}

/// A subject leaves a group: its last day.
pub fn leave(tx: &mut Tx, who: &str, subject: DutySubjectId, to: i64) -> Result<(), Fault> {
    tx.execute(
        "update duty_member set to_day = $1 where who = $2 and subject_id = $3 and to_day is null",
        &params![to, who, subject],
    )?;
    Ok(())
}

/// What one subject's period handed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    pub counted: Option<i64>,
    pub made_up: i64,
    pub by_rule: String,
}

pub fn tallies(
    tx: &mut Tx,
    rule: &str,
    subjects: &[DutySubjectId],
    first: &[i64],
) -> Result<HashMap<(DutySubjectId, i64), Tally>, Fault> {
    let sql = Sql::new("select subject_id, first_day, counted_day, made_up, by_rule from duty_tally where rule = ")
        .bind(rule);
    let sql = sql.push(" and subject_id in (").list(subjects.iter().copied());
    let sql = sql.push(") and first_day in (").list(first.iter().copied()).push(")");
    let mut found = HashMap::new();
    for row in tx.fetch(&sql)? {
        let tally = Tally {
            counted: row.get(2)?,
            made_up: row.get(3)?,
            by_rule: row.get(4)?,
        };
        found.insert((row.get(0)?, row.get(1)?), tally);
    }
    Ok(found)
}

pub fn put_tallies(tx: &mut Tx, rule: &str, first: i64, all: &[(DutySubjectId, Tally)]) -> Result<(), Fault> {
    if all.is_empty() {
        return Ok(());
    }
    let rows = all
        .iter()
        .map(|(subject, tally)| params![rule, *subject, first, tally.counted, tally.made_up, &tally.by_rule]);
    tx.insert_rows(
        "insert into duty_tally (rule, subject_id, first_day, counted_day, made_up, by_rule) values ",
        rows,
        " on conflict (rule, subject_id, first_day) do update set counted_day = excluded.counted_day, made_up = excluded.made_up, \
         by_rule = excluded.by_rule",
    )?;
    Ok(())
}

pub fn add_counts(tx: &mut db::Tx<'_>, changes: BTreeMap<Cell, Counted>) -> Result<(), db::DbError> {
    let strand = tx.strand();
    let rows = changes.into_iter().map(|((area, rule, first), n)| {
        params![area, rule, first, strand, n.owed, n.done, n.late, n.missed, n.made_up]
    });
    tx.insert_rows(
        "insert into duty_count (area_id, rule, first_day, strand, owed, done, late, missed, made_up) values ",
        rows,
        " on conflict (area_id, first_day, rule, strand) do update set owed = duty_count.owed + excluded.owed, \
         done = duty_count.done + excluded.done, late = duty_count.late + excluded.late, missed = duty_count.missed + excluded.missed, \
         made_up = duty_count.made_up + excluded.made_up",
    )
}

/// The counts of these areas for rules in the periods that begin on the days given.
pub fn counts(
    tx: &mut Tx,
    areas: &[AreaId],
    rules: &[(String, i64)],
) -> Result<HashMap<(AreaId, String), Counted>, Fault> {
    if areas.is_empty() || rules.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new(
        "select area_id, rule, cast(sum(owed) as bigint), cast(sum(done) as bigint), cast(sum(late) as bigint), cast(sum(missed) as bigint), \
         cast(sum(made_up) as bigint) from duty_count where area_id in (",
    );
    let mut sql = sql.list(areas.iter().copied()).push(") and (1 = 0");
    for (rule, first) in rules {
        sql = sql
            .push(" or (rule = ")
            .bind(rule)
            .push(" and first_day = ")
            .bind(*first)
            .push(")");
    }
    let rows = tx.fetch(&sql.push(") group by area_id, rule"))?;
    let read = |row: &db::Row| {
        let counted = Counted {
            owed: row.get(2)?,
            done: row.get(3)?,
            late: row.get(4)?,
            missed: row.get(5)?,
            made_up: row.get(6)?,
        };
        Ok(((row.get(0)?, row.get(1)?), counted))
    };
    rows.iter().map(read).collect()
}

// ---- visits

fn duties_text(duties: &[String]) -> String {
    format!(",{},", duties.join(","))
}

fn duties_of(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

pub fn insert_visit(tx: &mut Tx, row: &VisitRow) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = row.areas;
    let position = row.position;
    tx.execute(
        "insert into visit (id, act, subject_kind, subject_id, area_id, grid_id, a1, a2, a3, a4, a5, at, day, minutes, outcome, account_id, \
         worker_id, people, duties, lon, lat, accuracy_m, mock, talk_sealed, sent_index, pack_version, recorded_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)",
        &params![
            row.id,
            row.act.key(),
            row.kind.key(),
            row.subject,
            row.area,
            row.grid,
            a1,
            a2,
            a3,
            a4,
            a5,
            row.at.0,
            row.at.day_and_ms().0,
            i64::from(row.minutes),
            row.outcome.key(),
            row.account,
            row.worker,
            i64::from(row.people),
            duties_text(&row.duties),
            position.map(|at| at.at.lon),
            position.map(|at| at.at.lat),
            position.and_then(|at| at.accuracy_m),
            i64::from(row.mock),
            row.talk_sealed.clone(),
            &row.sent,
            &row.pack_version,
            row.recorded_at.0
        ],
    )?;
    for worker in &row.companions {
        tx.execute(
            "insert into visit_worker (visit_id, worker_id) values ($1, $2)",
            &params![row.id, *worker],
        )?;
    }
    for case in &row.matters {
        tx.execute(
            "insert into visit_matter (visit_id, case_id) values ($1, $2)",
            &params![row.id, *case],
        )?;
    }
    for hash in &row.photos {
        tx.execute(
            "insert into visit_photo (visit_id, blob_hash) values ($1, $2)",
            &params![row.id, hash],
        )?;
    }
    Ok(())
}

pub fn visit(tx: &mut Tx, id: VisitId) -> Result<Option<VisitRow>, Fault> {
    let Some(row) = tx.query_opt(
        "select id, act, subject_kind, subject_id, area_id, grid_id, a1, a2, a3, a4, a5, at, minutes, outcome, account_id, worker_id, people, \
         duties, lon, lat, accuracy_m, mock, talk_sealed, sent_index, pack_version, recorded_at from visit where id = $1",
        &params![id],
    )?
    else {
        return Ok(None);
    };
    let position = match (row.get::<Option<f64>>(18)?, row.get::<Option<f64>>(19)?) {
        (Some(lon), Some(lat)) => Some(super::visits::Position {
            at: domain::geo::LonLat { lon, lat },
            accuracy_m: row.get(20)?,
        }),
        _ => None,
    };
    let companions = tx.query(
        "select worker_id from visit_worker where visit_id = $1 order by worker_id",
        &params![id],
    )?;
    let photos = tx.query(
        "select blob_hash from visit_photo where visit_id = $1 order by blob_hash",
        &params![id],
    )?;
    let matters = tx.query(
        "select case_id from visit_matter where visit_id = $1 order by case_id",
        &params![id],
    )?;
    Ok(Some(VisitRow {
        id: row.get(0)?,
        act: act(row.text(1)?)?,
        kind: kind(row.text(2)?)?,
        subject: row.get(3)?,
        area: row.get(4)?,
        grid: row.get(5)?,
        areas: [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
        at: Timestamp(row.get(11)?),
        minutes: number(row.get(12)?)?,
        outcome: outcome(row.text(13)?)?,
        account: row.get(14)?,
        worker: row.get(15)?,
        people: number(row.get(16)?)?,
        duties: duties_of(row.text(17)?),
        position,
        mock: row.get::<i64>(21)? != 0,
        talk_sealed: row.get(22)?,
        sent: row.get(23)?,
        pack_version: row.get(24)?,
        recorded_at: Timestamp(row.get(25)?),
        companions: companions
            .iter()
            .map(|row| Ok(row.get(0)?))
            .collect::<Result<_, Fault>>()?,
        photos: photos.iter().map(|row| Ok(row.get(0)?)).collect::<Result<_, Fault>>()?,
        matters: matters
            .iter()
            .map(|row| Ok(row.get(0)?))
            .collect::<Result<_, Fault>>()?,
    }))
}

fn act(text: &str) -> Result<Act, Fault> {
    Act::parse(text).ok_or_else(|| Fault::internal("an unknown act"))
}

fn outcome(text: &str) -> Result<Outcome, Fault> {
    Outcome::parse(text).ok_or_else(|| Fault::internal("an unknown outcome"))
}

fn number<T: TryFrom<i64>>(n: i64) -> Result<T, Fault> {
    T::try_from(n).map_err(|_| Fault::internal("a number out of range"))
}

/// The visits that may count for these subjects from one day to another: made to each, or for grids made in each; in order of time.
pub fn visits(
    tx: &mut Tx,
    kind: SubjectKind,
    act_of: Act,
    subjects: &[DutySubjectId],
    (first, last): (i64, i64),
) -> Result<HashMap<DutySubjectId, Vec<(VisitId, Visit)>>, Fault> {
    let head = match kind {
        SubjectKind::Grid => Sql::new(
            "select v.grid_id, v.id, v.at, v.act, v.minutes, v.outcome, v.lon, case when v.talk_sealed is null then 0 else 1 end, v.people, v.duties, \
             case when exists (select 1 from visit_photo p where p.visit_id = v.id) then 1 else 0 end from visit v where v.grid_id in (",
        ),
        SubjectKind::Facility | SubjectKind::Household | SubjectKind::Resident => Sql::new(
            "select v.subject_id, v.id, v.at, v.act, v.minutes, v.outcome, v.lon, case when v.talk_sealed is null then 0 else 1 end, v.people, v.duties, \
             case when exists (select 1 from visit_photo p where p.visit_id = v.id) then 1 else 0 end from visit v where v.subject_id in (",
        ),
    };
    // What was done for a person under a record that went into another counts for them.
    let residents: Vec<ResidentId> = match kind {
        SubjectKind::Resident => subjects.iter().map(|id| ResidentId(id.0)).collect(),
        SubjectKind::Facility | SubjectKind::Grid | SubjectKind::Household => Vec::new(),
    };
    let merged = registry::merged_of(tx, &residents)?;
    let merged: HashMap<DutySubjectId, DutySubjectId> = merged
        .into_iter()
        .map(|(id, into)| (DutySubjectId(id.0), DutySubjectId(into.0)))
        .collect();
    let all = subjects.iter().chain(merged.keys()).copied();
    let sql = head.list(all).push(") and v.day >= ").bind(first);
    let sql = sql
        .push(" and v.day <= ")
        .bind(last)
        .push(" and v.act = ")
        .bind(act_of.key());
    let sql = sql.push(" order by v.at, v.id limit ").bind(MAX_VISITS);
    let mut found: HashMap<DutySubjectId, Vec<(VisitId, Visit)>> = HashMap::new();
    for row in tx.fetch(&sql)? {
        let visit = Visit {
            at: Timestamp(row.get(2)?),
            act: act(row.text(3)?)?,
            minutes: number(row.get(4)?)?,
            outcome: outcome(row.text(5)?)?,
            photo: row.get(10)?,
            position: row.get::<Option<f64>>(6)?.is_some(),
            talk: row.get(7)?,
            people: number(row.get(8)?)?,
            duties: duties_of(row.text(9)?),
        };
        let of: DutySubjectId = row.get(0)?;
        let of = merged.get(&of).copied().unwrap_or(of);
        found.entry(of).or_default().push((row.get(1)?, visit));
    }
    Ok(found)
}

/// Keeps the track of a patrol with what it comes to.
pub fn insert_track(
    tx: &mut Tx,
    id: VisitId,
    sealed: Vec<u8>,
    points: usize,
    figures: TrackFigures,
) -> Result<(), Fault> {
    tx.execute(
        "insert into visit_track (visit_id, track_sealed, points, metres, gaps, longest_gap_s) values ($1, $2, $3, $4, $5, $6)",
        &params![
            id,
            sealed,
            points as i64,
            figures.metres,
            i64::from(figures.gaps),
            figures.longest_gap_s
        ],
    )?;
    Ok(())
}

pub fn track(tx: &mut Tx, id: VisitId) -> Result<Option<Vec<u8>>, Fault> {
    let row = tx.query_opt("select track_sealed from visit_track where visit_id = $1", &params![id])?;
    row.map(|row| Ok(row.get(0)?)).transpose()
}

const DEPTH_COLUMNS: [&str; 5] = [
    " and v.a1 = ",
    " and v.a2 = ",
    " and v.a3 = ",
    " and v.a4 = ",
    " and v.a5 = ",
];

/// The patrols of a day in an area of a depth.
fn of_day(sql: Sql, (area, depth): (AreaId, u8), day: i64) -> Result<Sql, Fault> {
    let column = DEPTH_COLUMNS.get(usize::from(depth).wrapping_sub(1));
    let column = column.ok_or_else(|| Fault::internal("an area without a depth"))?;
    let sql =
        sql.push(" from visit v left join visit_track t on t.visit_id = v.id where v.act = 'patrol' and v.day = ");
    Ok(sql.bind(day).push(column).bind(area))
}

/// What each worker patrolled on a day, in order of worker; one more than `limit` when there are more.
pub fn patrol_days(
    tx: &mut Tx,
    area: (AreaId, u8),
    day: i64,
    after: Option<WorkerId>,
    limit: u32,
) -> Result<Vec<patrols::Day>, Fault> {
    let sql = Sql::new(
        "select v.worker_id, count(*), cast(sum(v.minutes) as bigint), cast(coalesce(sum(t.metres), 0.0) as double precision), \
         cast(coalesce(sum(t.gaps), 0) as bigint), cast(sum(v.mock) as bigint), cast(sum(case when t.visit_id is null then 1 else 0 end) as bigint)",
    );
    let mut sql = of_day(sql, area, day)?;
    if let Some(after) = after {
        sql = sql.push(" and v.worker_id > ").bind(after);
    }
    let sql = sql
        .push(" group by v.worker_id order by v.worker_id limit ")
        .bind(i64::from(limit) + 1);
    let day = |row: &db::Row| {
        Ok(patrols::Day {
            worker: row.get(0)?,
            name: String::new(),
            times: row.get(1)?,
            minutes: row.get(2)?,
            metres: row.get(3)?,
            gaps: row.get(4)?,
            mock: row.get(5)?,
            without: row.get(6)?,
        })
    };
    tx.fetch(&sql)?.iter().map(day).collect()
}

/// The patrols of one worker on a day, in order of time.
pub fn patrols(
    tx: &mut Tx,
    worker: WorkerId,
    area: (AreaId, u8),
    day: i64,
    limit: i64,
) -> Result<Vec<patrols::Patrol>, Fault> {
    let sql = Sql::new("select v.id, v.area_id, v.at, v.minutes, v.mock, t.points, t.metres, t.gaps, t.longest_gap_s");
    let sql = of_day(sql, area, day)?.push(" and v.worker_id = ").bind(worker);
    let sql = sql.push(" order by v.at, v.id limit ").bind(limit);
    let one = |row: &db::Row| {
        let points: Option<i64> = row.get(5)?;
        let track = match points {
            Some(points) => Some((
                points,
                TrackFigures {
                    metres: row.get(6)?,
                    gaps: number(row.get(7)?)?,
                    longest_gap_s: row.get(8)?,
                },
            )),
            None => None,
        };
        Ok(patrols::Patrol {
            id: row.get(0)?,
            grid: row.get(1)?,
            at: Timestamp(row.get(2)?),
            minutes: row.get(3)?,
            mock: row.get::<i64>(4)? != 0,
            track,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}

/// Visits to a subject, the newest first, one more than `limit` when there are more.
pub fn visits_to(
    tx: &mut Tx,
    subject: DutySubjectId,
    after: Option<(i64, VisitId)>,
    limit: u32,
) -> Result<Vec<(i64, VisitId)>, Fault> {
    let mut sql = Sql::new("select at, id from visit where subject_id = ").bind(subject);
    if let Some((at, id)) = after {
        let day = Timestamp(at).day_and_ms().0;
        sql = sql
            .push(" and day <= ")
            .bind(day)
            .push(" and (at, id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let rows = tx.fetch(
        &sql.push(" order by day desc, at desc, id desc limit ")
            .bind(i64::from(limit) + 1),
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A visit, without what was said.
#[derive(Debug)]
pub struct Call {
    pub id: VisitId,
    pub subject: DutySubjectId,
    pub at: Timestamp,
    pub outcome: String,
}

/// Visits to homes and people of a grid from a day on, the newest first.
pub fn calls(tx: &mut Tx, grid: AreaId, since: i64, most: u32) -> Result<Vec<Call>, Fault> {
    let rows = tx.query(
        "select id, subject_id, at, outcome from visit
         where grid_id = $1 and day >= $2 and act = 'visit' and subject_kind in ('household', 'resident')
         order by day desc, at desc, id limit $3",
        &params![grid, since, most],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Call {
                id: row.get(0)?,
                subject: row.get(1)?,
                at: Timestamp(row.get(2)?),
                outcome: row.get(3)?,
            })
        })
        .collect()
}

/// What was said at a visit.
pub fn open_talk(app: &App, id: VisitId, sealed: &[u8]) -> Result<Personal<String>, Fault> {
    let place = sealed::Place {
        table: "visit",
        id: &id.to_string(),
        column: "talk_sealed",
    };
    app.sealer().open(place, sealed).map_err(Fault::internal)
}

/// What was said at some visits.
pub fn talks(ctx: &Ctx, tx: &mut Tx, of: &[VisitId]) -> Result<HashMap<VisitId, Personal<String>>, Fault> {
    const AT_ONCE: usize = 200;
    let mut found = HashMap::new();
    for some in of.chunks(AT_ONCE) {
        let sql = Sql::new("select id, talk_sealed from visit where talk_sealed is not null and id in (");
        for row in tx.fetch(&sql.list(some.iter().copied()).push(")"))? {
            let (id, sealed): (VisitId, Vec<u8>) = (row.get(0)?, row.get(1)?);
            found.insert(id, open_talk(&ctx.app, id, &sealed)?);
        }
    }
    Ok(found)
}

/// What was asked for at the visits of a grid from a day on: subject, visit, case; the newest visit first.
pub fn matters(
    tx: &mut Tx,
    grid: AreaId,
    since: i64,
    most: u32,
) -> Result<Vec<(DutySubjectId, VisitId, CaseId)>, Fault> {
    let rows = tx.query(
        "select v.subject_id, v.id, m.case_id from visit v cross join visit_matter m
         where m.visit_id = v.id and v.grid_id = $1 and v.day >= $2
         order by v.day desc, v.at desc, v.id, m.case_id limit $3",
        &params![grid, since, most],
    )?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect()
}

/// Visits of a worker to some places on the days of each, alone or along with others.
fn in_pairing(head: &'static str, places: &[Place], worker: WorkerId) -> Sql {
    let mut sql = Sql::new(head).push(" from visit v where v.act = 'visit' and (1 = 0");
    for place in places {
        sql = sql.push(" or v.subject_id = ").bind(place.subject);
        sql = sql.push(" and v.day >= ").bind(place.days.0);
        sql = sql.push(" and v.day <= ").bind(place.days.1);
    }
    sql.push(") and (v.worker_id = ")
        .bind(worker)
        .push(" or exists (select 1 from visit_worker w where w.visit_id = v.id and w.worker_id = ")
        .bind(worker)
        .push("))")
}

/// How often they met, and when last.
pub fn met_in_pairing(tx: &mut Tx, places: &[Place], worker: WorkerId) -> Result<(i64, Option<Timestamp>), Fault> {
    let sql = in_pairing("select count(*), max(v.at)", places, worker).push(" and v.outcome = 'met'");
    let rows = tx.fetch(&sql)?;
    let row = rows.first().ok_or_else(Fault::not_found)?;
    Ok((row.get(0)?, row.get::<Option<i64>>(1)?.map(Timestamp)))
}

pub fn visits_in_pairing(tx: &mut Tx, places: &[Place], worker: WorkerId, limit: u32) -> Result<Vec<PairVisit>, Fault> {
    let sql = in_pairing("select v.id, v.at, v.minutes, v.outcome", places, worker);
    let rows = tx.fetch(&sql.push(" order by v.at desc, v.id desc limit ").bind(limit))?;
    rows.iter()
        .map(|row| {
            let outcome = Outcome::parse(row.text(3)?);
            Ok(PairVisit {
                id: row.get(0)?,
                at: Timestamp(row.get(1)?),
                minutes: row.get(2)?,
                outcome: outcome.ok_or_else(|| Fault::internal("an outcome that is none"))?,
            })
        })
        .collect()
}
