//! The SQL of cases: load, lock, save. Private to this part.

mod clocks;
mod cube;
mod follow;
mod handover;
mod mediation;
mod migration;
mod multiply;
mod orders;
mod public;
mod queue;

pub use clocks::*;
pub use cube::*;
pub use follow::*;
pub use handover::*;
pub use mediation::*;
pub use migration::*;
pub use multiply::multiply;
pub use orders::*;
pub use public::*;
pub use queue::*;

use super::record::*;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::cases as rules;
use domain::time::Timestamp;
use std::collections::HashMap;

/// Most rows of one kind (reports, events, clocks ...) read for one case.
const MAX_ROWS: i64 = 2_000;

pub fn case_row(tx: &mut Tx, id: CaseId) -> Result<Option<CaseRow>, Fault> {
    let row = tx.query_opt(
        concat!("select ", case_columns!(), " from cases c where c.id = $1"),
        &params![id],
    )?;
    row.as_ref().map(CaseRow::read).transpose()
}

/// Rows of cases, held against other writers until the commit; taken in the order of their ids, so that two who want the same never wait
/// for each other.
pub fn case_rows_locked(tx: &mut Tx, ids: impl IntoIterator<Item = CaseId>) -> Result<HashMap<CaseId, CaseRow>, Fault> {
    let sql = Sql::new(concat!("select ", case_columns!(), " from cases c where c.id in ("));
    let sql = sql.list(ids).push(") order by c.id").push(tx.backend().for_update());
    let rows = tx.fetch(&sql)?;
    rows.iter()
        .map(|row| CaseRow::read(row).map(|row| (row.id, row)))
        .collect()
}

/// The row, held against other writers until the commit.
fn case_row_locked(tx: &mut Tx, id: CaseId) -> Result<Option<CaseRow>, Fault> {
    let sql = Sql::new(concat!("select ", case_columns!(), " from cases c where c.id = ")).bind(id);
    let sql = sql.push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(CaseRow::read).transpose()
}

/// The case with everything the rules look at; absent when there is none.
pub fn load(tx: &mut Tx, id: CaseId) -> Result<Option<Loaded>, Fault> {
    let row = case_row(tx, id)?;
    row.map(|row| around(tx, row)).transpose()
}

/// As [`load`], for a change.
pub fn load_locked(tx: &mut Tx, id: CaseId) -> Result<Option<Loaded>, Fault> {
    let row = case_row_locked(tx, id)?;
    row.map(|row| around(tx, row)).transpose()
}

fn around(tx: &mut Tx, row: CaseRow) -> Result<Loaded, Fault> {
    let id = row.id;
    let beside = beside(tx, id)?;
    let reports = tx.query(
        "select id, number, reporter_id, channel, body, received_at, anonymous, reachable, answered, withdrawn_at, \
         merged_from, strand, ledger_seq from report where case_id = $1 order by received_at, id limit $2",
        &params![id, MAX_ROWS],
    )?;
    Ok(Loaded {
        row,
        reports: reports.iter().map(report_row).collect::<Result<_, _>>()?,
        co_handlers: if beside.co_handlers {
            co_handlers(tx, id)?
        } else {
            Vec::new()
        },
        requests: if beside.requests { requests(tx, id)? } else { Vec::new() },
        beside,
    })
}

fn beside(tx: &mut Tx, id: CaseId) -> Result<Beside, Fault> {
    let row = tx.query_one(
        "select exists (select 1 from co_handler where case_id = $1), exists (select 1 from case_request where case_id = $1), \
         exists (select 1 from work_order_case where case_id = $1), exists (select 1 from mediation where case_id = $1), \
         exists (select 1 from answer where case_id = $1), exists (select 1 from verification where case_id = $1), \
         exists (select 1 from attachment where case_id = $1), exists (select 1 from cases where merged_into = $1)",
        &params![id],
    )?;
    let mut c = Cursor(&row, 0);
    Ok(Beside {
        co_handlers: c.next()?,
        requests: c.next()?,
        order: c.next()?,
        mediations: c.next()?,
        answers: c.next()?,
        verifications: c.next()?,
        attachments: c.next()?,
        merged: c.next()?,
    })
}

fn co_handlers(tx: &mut Tx, case: CaseId) -> Result<Vec<CoHandlerRow>, Fault> {
    let rows = tx.query(
        "select id, unit_id, unit_name, part, state, due_at, result, done_by, done_worker, created_at from co_handler \
         where case_id = $1 order by created_at, id limit $2",
        &params![case, MAX_ROWS],
    )?;
    rows.iter().map(co_handler_row).collect()
}

fn requests(tx: &mut Tx, case: CaseId) -> Result<Vec<RequestRow>, Fault> {
    let rows = tx.query(
        "select id, kind, asked_by, asked_worker, asked_name, reason, amount, until_at, state, decided_by, decided_worker, decided_name, \
         decided_at, note, created_at from case_request where case_id = $1 order by created_at, id limit $2",
        &params![case, MAX_ROWS],
    )?;
    rows.iter().map(request_row).collect()
}

/// Whether a scope covers a case, without what only the case page needs.
pub fn scope_facts(tx: &mut Tx, row: &CaseRow) -> Result<CaseScopeFacts, Fault> {
    let rows = tx.query(
        "select unit_id from co_handler where case_id = $1 order by created_at, id limit $2",
        &params![row.id, MAX_ROWS],
    )?;
    Ok(CaseScopeFacts {
        areas: row.areas,
        unit: row.unit_id,
        co_units: rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
    })
}

fn report_row(row: &Row) -> Result<ReportRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(ReportRow {
        id: c.next()?,
        number: c.next()?,
        reporter_id: c.next()?,
        channel: c.next()?,
        body: c.next()?,
        received_at: Timestamp(c.next()?),
        anonymous: c.next()?,
        reachable: c.next()?,
        answered: c.next()?,
        withdrawn: c.time()?.is_some(),
        merged_from: c.next()?,
        strand: c.next()?,
        ledger_seq: c.next()?,
    })
}

fn co_handler_row(row: &Row) -> Result<CoHandlerRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(CoHandlerRow {
        id: c.next()?,
        unit_id: c.next()?,
        unit_name: c.next()?,
        part: c.next()?,
        state: c.next()?,
        due_at: c.time()?,
        result: c.next()?,
        done_by: c.doer()?,
        created_at: Timestamp(c.next()?),
    })
}

fn request_row(row: &Row) -> Result<RequestRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(RequestRow {
        id: c.next()?,
        kind: c.next()?,
        asked_by: c.doer()?.ok_or_else(|| Fault::internal("a request without asker"))?,
        asked_name: c.next()?,
        reason: c.next()?,
        amount: c.next()?,
        until: c.time()?,
        state: c.next()?,
        decided_by: c.doer()?,
        decided_name: c.next()?,
        decided_at: c.time()?,
        note: c.next()?,
        created_at: Timestamp(c.next()?),
    })
}

/// Serial numbers a strand takes at once: writers meet at the day's counter once for as many cases, not for each.
const SERIALS: i64 = 16;

/// Takes serial numbers of a day out of its counter; the first of them.
pub fn take_serials(tx: &mut Tx, day: i64, count: i64) -> Result<u32, Fault> {
    let row = tx.query_one(
        "insert into case_serial (day, last) values ($1, $2) on conflict (day) do update set last = case_serial.last + excluded.last \
         returning last",
        &params![day, count],
    )?;
    u32::try_from(row.get::<i64>(0)? - count + 1).map_err(Fault::internal)
}

/// The next serial number of a day. Unique; each strand counts through blocks of its own, so with several writers numbers of one
/// moment may lie some way apart, and some at a day's end stay unused.
pub fn next_serial(tx: &mut Tx, day: i64) -> Result<u32, Fault> {
    let strand = tx.strand();
    let own = tx.query_opt(
        "update case_serial_block set next = next + 1 where day = $1 and strand = $2 and next <= last returning next - 1",
        &params![day, strand],
    )?;
    if let Some(row) = own {
        return Ok(row.get(0)?);
    }
    let first = take_serials(tx, day, SERIALS)?;
    let (next, last) = (i64::from(first) + 1, i64::from(first) + SERIALS - 1);
    tx.execute(
        "insert into case_serial_block (day, strand, next, last) values ($1, $2, $3, $4) \
         on conflict (day, strand) do update set next = excluded.next, last = excluded.last",
        &params![day, strand, next, last],
    )?;
    Ok(first)
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(|at| at.0)
}

pub fn insert_case(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    insert_cases(tx, [row])
}

pub fn insert_cases<'r>(tx: &mut Tx, rows: impl IntoIterator<Item = &'r CaseRow>) -> Result<(), Fault> {
    let account = |doer: Option<DoerRef>| doer.map(|d| d.account);
    let worker = |doer: Option<DoerRef>| doer.and_then(|d| d.worker);
    let values = |row: &CaseRow| {
        let [a1, a2, a3, a4, a5] = row.areas;
        params![
            row.id,
            &row.number,
            &row.title,
            &row.body,
            &row.channel,
            row.category_code.clone(),
            row.category_source.clone(),
            row.confidence,
            row.second_category.clone(),
            row.urgent,
            &row.kind,
            row.area_id,
            row.territory_version,
            a1,
            a2,
            a3,
            a4,
            a5,
            row.lon,
            row.lat,
            row.address.clone(),
            row.place_note.clone(),
            row.state.key(),
            row.is_open(),
            row.look.clone(),
            row.unit_id,
            row.worker_id,
            row.level_resolved,
            millis(row.due_at),
            row.due_step.clone(),
            row.due_at.map_or(FAR, |at| at.0),
            row.late,
            row.received_at.0,
            millis(row.accepted_at),
            millis(row.assigned_at),
            millis(row.taken_at),
            millis(row.arrived_at),
            millis(row.handled_at),
            millis(row.answered_at),
            millis(row.verified_at),
            millis(row.ended_at),
            row.on_time,
            row.outcome.clone(),
            account(row.handled_by),
            worker(row.handled_by),
            account(row.decided_by),
            worker(row.decided_by),
            account(row.verified_by),
            worker(row.verified_by),
            row.reporter_count,
            &row.pack_version,
            row.public,
            &row.content_hash,
            row.row_version,
            row.team_id,
            row.away,
            row.handover_id,
            Stay::write(&row.past)
        ]
    };
    tx.insert_rows(
        "insert into cases (id, number, title, body, channel, category_code, category_source, confidence, second_category, urgent, kind, \
         area_id, territory_version, a1, a2, a3, a4, a5, lon, lat, address, place_note, state, open, look, unit_id, worker_id, \
         level_resolved, due_at, due_step, queue_at, late, received_at, accepted_at, assigned_at, taken_at, arrived_at, handled_at, \
         answered_at, verified_at, ended_at, on_time, outcome, handled_by, handled_worker, decided_by, decided_worker, verified_by, verified_worker, \
         reporter_count, pack_version, public, content_hash, row_version, team_id, away, handover_id, areas_past) values ",
        rows.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// Saves what may change in a case's life. The row must have been read with [`load_locked`].
pub fn update_case(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    let account = |doer: Option<DoerRef>| doer.map(|d| d.account);
    let worker = |doer: Option<DoerRef>| doer.and_then(|d| d.worker);
    let c = row.counts;
    tx.execute(
        "update cases set category_code = $1, category_source = $2, confidence = $3, second_category = $4, urgent = $5, state = $6, \
         open = $7, look = $8, unit_id = $9, worker_id = $10, level_resolved = $11, due_at = $12, due_step = $13, queue_at = $14, \
         late = $15, accepted_at = $16, assigned_at = $17, taken_at = $18, arrived_at = $19, handled_at = $20, answered_at = $21, \
         verified_at = $22, ended_at = $23, on_time = $24, outcome = $25, returned_count = $26, rework_count = $27, reopened_count = $28, \
         urged_count = $29, extended_count = $30, supervised = $31, arbitrated = $32, paused = $33, mediated = $34, dissatisfied = $35, \
         handled_by = $36, handled_worker = $37, decided_by = $38, decided_worker = $39, verified_by = $40, verified_worker = $41, \
         merged_into = $42, merged_was = $43, reporter_count = $44, pack_version = $45, public = $46, row_version = $47, area_id = $48, \
         territory_version = $49, a1 = $50, a2 = $51, a3 = $52, a4 = $53, a5 = $54, away = $55, handover_id = $56, \
         areas_past = $57 where id = $58",
        &params![
            row.category_code.clone(), row.category_source.clone(), row.confidence, row.second_category.clone(), row.urgent,
            row.state.key(), row.is_open(), row.look.clone(), row.unit_id, row.worker_id, row.level_resolved, millis(row.due_at),
            row.due_step.clone(), row.due_at.map_or(FAR, |at| at.0), row.late, millis(row.accepted_at), millis(row.assigned_at),
            millis(row.taken_at), millis(row.arrived_at), millis(row.handled_at), millis(row.answered_at), millis(row.verified_at),
            millis(row.ended_at), row.on_time, row.outcome.clone(), c.returned, c.reworked, c.reopened, c.urged, c.extended,
            row.supervised, row.arbitrated, row.paused, row.mediated, row.dissatisfied, account(row.handled_by),
            worker(row.handled_by), account(row.decided_by), worker(row.decided_by), account(row.verified_by),
            worker(row.verified_by), row.merged_into, row.merged_was.clone(), row.reporter_count, &row.pack_version, row.public,
            row.row_version, row.area_id, row.territory_version, row.areas[0], row.areas[1], row.areas[2], row.areas[3], row.areas[4],
            row.away, row.handover_id, Stay::write(&row.past), row.id
        ],
    )?;
    Ok(())
}

/// Saves that a case is late, and nothing else: many become late at one moment, and no index holds it.
pub fn mark_late(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    tx.defer(
        "update cases set late = $1, row_version = $2 where id = $3",
        &params![row.late, row.row_version, row.id],
    )?;
    Ok(())
}

pub fn insert_report(tx: &mut Tx, case: CaseId, report: &ReportRow) -> Result<(), Fault> {
    insert_reports(tx, [(case, report)])
}

pub fn insert_reports<'r>(
    tx: &mut Tx,
    reports: impl IntoIterator<Item = (CaseId, &'r ReportRow)>,
) -> Result<(), Fault> {
    let values = |(case, report): (CaseId, &ReportRow)| {
        params![
            report.id,
            case,
            &report.number,
            report.reporter_id,
            &report.channel,
            &report.body,
            report.received_at.0,
            report.anonymous,
            report.reachable,
            report.answered,
            report.merged_from,
            report.strand,
            report.ledger_seq
        ]
    };
    tx.insert_rows(
        "insert into report (id, case_id, number, reporter_id, channel, body, received_at, anonymous, reachable, answered, merged_from, \
         strand, ledger_seq) values ",
        reports.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// A report's part that changes: which case it is in, answered or not, withdrawn.
pub fn update_report(
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    due: rules::ReportDue,
    from: Option<CaseId>,
) -> Result<(), Fault> {
    tx.execute(
        "update report set case_id = $1, answered = $2, merged_from = $3 where id = $4",
        &params![case, due.answered, from, report],
    )?;
    Ok(())
}

pub fn withdraw_report(tx: &mut Tx, report: ReportId, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update report set withdrawn_at = $1 where id = $2",
        &params![at.0, report],
    )?;
    Ok(())
}

/// Cases and reports behind a number; several when more people reported the same matter.
pub fn reports_by_number(tx: &mut Tx, number: &str) -> Result<Vec<(CaseId, ReportId)>, Fault> {
    let rows = tx.query(
        "select case_id, id from report where number = $1 order by id limit $2",
        &params![number, MAX_ROWS],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Somebody who reported, sealed, about to be written.
pub struct NewReporter {
    pub id: ReporterId,
    pub name: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
    pub phone_index: Option<String>,
    pub contact: Option<ContactId>,
    pub at: Timestamp,
}

pub fn insert_reporters(tx: &mut Tx, new: impl IntoIterator<Item = NewReporter>) -> Result<(), Fault> {
    let wants_contact = true;
    let values = |r: NewReporter| params![r.id, r.name, r.phone, r.phone_index, r.contact, wants_contact, r.at.0];
    tx.insert_rows(
        "insert into reporter (id, name_sealed, phone_sealed, phone_index, contact_id, wants_contact, created_at) values ",
        new.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// The reporter who came last and left a name or a number.
pub fn newest_reporter(tx: &mut Tx) -> Result<Option<ReporterId>, Fault> {
    let row = tx.query_opt(
        "select id from reporter where name_sealed is not null or phone_sealed is not null order by id desc limit 1",
        &params![],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Sealed name and number of a reporter.
pub fn reporter(tx: &mut Tx, id: ReporterId) -> Result<Option<ReporterRow>, Fault> {
    let row = tx.query_opt(
        "select name_sealed, phone_sealed, phone_index from reporter where id = $1",
        &params![id],
    )?;
    let read = |row: Row| {
        Ok(ReporterRow {
            name: row.get(0)?,
            phone: row.get(1)?,
            phone_index: row.get(2)?,
        })
    };
    row.map(read).transpose()
}

/// The newest reporters with a number's fingerprint, and the cases they reported. Each reporter's case is looked up on its own: as a join,
/// PostgreSQL may choose to walk all reports there are.
pub fn cases_of_phone(tx: &mut Tx, phone_index: &str, limit: i64) -> Result<Vec<(ReporterId, CaseId)>, Fault> {
    let rows = tx.query(
        "select id, case_id from (select r.id, r.created_at, (select p.case_id from report p where p.reporter_id = r.id \
           and p.withdrawn_at is null order by p.received_at desc, p.id limit 1) as case_id \
         from reporter r where r.phone_index = $1 order by r.created_at desc, r.id desc limit $2) theirs \
         where case_id is not null order by created_at desc, id desc",
        &params![phone_index, limit],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub fn insert_co_handler(tx: &mut Tx, case: CaseId, row: &CoHandlerRow) -> Result<(), Fault> {
    tx.execute(
        "insert into co_handler (id, case_id, unit_id, unit_name, part, state, due_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![row.id, case, row.unit_id, &row.unit_name, &row.part, &row.state, millis(row.due_at), row.created_at.0],
    )?;
    Ok(())
}

pub fn update_co_handler(tx: &mut Tx, part: &rules::CoHandler, result: Option<&str>) -> Result<(), Fault> {
    let by = match part.state {
        rules::CoState::Done { by } | rules::CoState::Returned { by } => Some(DoerRef::from(by)),
        rules::CoState::Open | rules::CoState::Released => None,
    };
    tx.execute(
        "update co_handler set state = $1, done_by = $2, done_worker = $3, result = coalesce($4, result) where id = $5",
        &params![
            part.state.key(),
            by.map(|b| b.account),
            by.and_then(|b| b.worker),
            result,
            CoHandlerId::from(part.id)
        ],
    )?;
    Ok(())
}

pub fn insert_request(tx: &mut Tx, case: CaseId, row: &RequestRow) -> Result<(), Fault> {
    tx.execute(
        "insert into case_request (id, case_id, kind, asked_by, asked_worker, asked_name, reason, amount, until_at, state, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &params![
            row.id, case, &row.kind, row.asked_by.account, row.asked_by.worker, &row.asked_name, &row.reason, row.amount,
            millis(row.until), &row.state, row.created_at.0
        ],
    )?;
    Ok(())
}

pub fn update_request(
    tx: &mut Tx,
    request: &rules::Request,
    decided: Option<(&str, &str, Timestamp)>,
) -> Result<(), Fault> {
    let by = match request.state {
        rules::RequestState::Approved { by } | rules::RequestState::Refused { by } => Some(DoerRef::from(by)),
        rules::RequestState::Waiting | rules::RequestState::Lapsed => None,
    };
    let (name, note, at) = match decided {
        Some((name, note, at)) => (Some(name), Some(note), Some(at.0)),
        None => (None, None, None),
    };
    tx.execute(
        "update case_request set state = $1, decided_by = $2, decided_worker = $3, decided_name = $4, note = $5, decided_at = $6 where id = $7",
        &params![
            request.state.key(), by.map(|b| b.account), by.and_then(|b| b.worker), name, note, at, RequestId::from(request.id)
        ],
    )?;
    Ok(())
}

/// An answer to insert.
pub struct NewAnswer<'a> {
    pub id: AnswerId,
    pub report: Option<ReportId>,
    pub by: Option<AccountId>,
    pub by_name: &'a str,
    pub way: &'a str,
    pub body: &'a str,
    pub said: Option<&'a str>,
    pub solved: Option<bool>,
    pub rating: Option<i64>,
    pub at: Timestamp,
}

pub fn insert_answer(tx: &mut Tx, case: CaseId, a: &NewAnswer) -> Result<(), Fault> {
    insert_answers(tx, [(case, a)])
}

pub fn insert_answers<'a>(
    tx: &mut Tx,
    answers: impl IntoIterator<Item = (CaseId, &'a NewAnswer<'a>)>,
) -> Result<(), Fault> {
    let values = |(case, a): (CaseId, &NewAnswer)| {
        params![
            a.id, case, a.report, a.by, a.by_name, a.way, a.body, a.said, a.solved, a.rating, a.at.0
        ]
    };
    tx.insert_rows(
        "insert into answer (id, case_id, report_id, by_account, by_name, way, body, resident_said, solved, rating, at) values ",
        answers.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// The resident's rating, kept with the last answer they had.
pub fn rate_last_answer(
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    rating: i64,
    said: Option<&str>,
) -> Result<bool, Fault> {
    let changed = tx.execute(
        "update answer set rating = $1, resident_said = coalesce($2, resident_said) where id = (select id from answer \
         where case_id = $3 and (report_id is null or report_id = $4) order by at desc, id desc limit 1)",
        &params![rating, said, case, report],
    )?;
    Ok(changed > 0)
}

/// A check to insert.
pub struct NewVerification<'a> {
    pub id: VerificationId,
    pub case: CaseId,
    pub by: Option<AccountId>,
    pub by_name: &'a str,
    pub pass: bool,
    pub note: &'a str,
    pub at: Timestamp,
}

pub fn insert_verifications<'a>(
    tx: &mut Tx,
    checks: impl IntoIterator<Item = NewVerification<'a>>,
) -> Result<(), Fault> {
    let values = |v: NewVerification| params![v.id, v.case, v.by, v.by_name, v.pass, v.note, v.at.0];
    tx.insert_rows(
        "insert into verification (id, case_id, by_account, by_name, pass, note, at) values ",
        checks.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// Attaches a photo; attaching it again changes nothing.
pub fn attach(
    tx: &mut Tx,
    case: CaseId,
    hash: &str,
    stage: &str,
    report: Option<ReportId>,
    at: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "insert into attachment (case_id, blob_hash, stage, report_id, at) values ($1, $2, $3, $4, $5) \
         on conflict (case_id, blob_hash, stage) do nothing",
        &params![case, hash, stage, report, at.0],
    )?;
    Ok(())
}

/// A photo of a case.
#[derive(Debug, Clone)]
pub struct AttachmentRow {
    pub hash: String,
    pub stage: String,
    pub mime: Option<String>,
    pub width: Option<i64>,
    pub height: Option<i64>,
}

/// Photos as the work went: the report's, those from before it, those from after it, the rest.
macro_rules! photo_order {
    () => {
        " order by case a.stage when 'report' then 0 when 'before' then 1 when 'after' then 2 else 3 end, a.at, a.blob_hash limit "
    };
}

pub fn attachments(tx: &mut Tx, case: CaseId) -> Result<Vec<AttachmentRow>, Fault> {
    let rows = tx.query(
        concat!(
            "select a.blob_hash, a.stage, b.mime, b.width, b.height from attachment a left join blob b on b.hash = a.blob_hash \
             where a.case_id = $1",
            photo_order!(),
            "$2"
        ),
        &params![case, MAX_ROWS],
    )?;
    rows.iter().map(attachment).collect()
}

/// The photos of a case its reporter may see: those sent with the report itself, also after a merge (a report keeps the id of the case
/// it came as), and when `evidence` those the unit gives with its answer.
pub fn photos_for_reporter(
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    evidence: bool,
) -> Result<Vec<AttachmentRow>, Fault> {
    let rows = tx.query(
        concat!(
            "select a.blob_hash, a.stage, b.mime, b.width, b.height from attachment a join blob b on b.hash = a.blob_hash \
             where a.case_id in ($1, $2) and ((a.report_id = $2 and a.stage = 'report') \
             or (a.case_id = $1 and a.stage in ('before', 'after', 'answer') and $3 = 1))",
            photo_order!(),
            "$4"
        ),
        &params![case, report, i64::from(evidence), MAX_ROWS],
    )?;
    rows.iter().map(attachment).collect()
}

fn attachment(row: &Row) -> Result<AttachmentRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(AttachmentRow {
        hash: c.next()?,
        stage: c.next()?,
        mime: c.next()?,
        width: c.next()?,
        height: c.next()?,
    })
}

/// Something that happened, as stored.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: String,
    pub actor_name: Option<String>,
    pub unit_name: Option<String>,
    pub body: serde_json::Value,
}

pub fn events(tx: &mut Tx, case: CaseId) -> Result<Vec<EventRow>, Fault> {
    let rows = tx.query(
        "select seq, at, kind, actor_name, unit_name, body from case_event where case_id = $1 order by seq limit $2",
        &params![case, MAX_ROWS],
    )?;
    let read = |row: &Row| -> Result<EventRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(EventRow {
            seq: c.next()?,
            at: Timestamp(c.next()?),
            kind: c.next()?,
            actor_name: c.next()?,
            unit_name: c.next()?,
            body: serde_json::from_str(&c.next::<String>()?).map_err(Fault::internal)?,
        })
    };
    rows.iter().map(read).collect()
}

/// A new event with its place in the ledger.
pub struct NewEvent<'a> {
    pub at: Timestamp,
    pub kind: &'a str,
    pub actor_account: Option<AccountId>,
    pub actor_name: Option<&'a str>,
    pub unit: Option<(UnitId, &'a str)>,
    pub body: &'a serde_json::Value,
    pub ledger: LedgerRef,
}

/// Appends to the case's history. The case must be held (new, or read with [`load_locked`]), so that numbers do not collide.
pub fn insert_event(tx: &mut Tx, case: CaseId, e: &NewEvent) -> Result<(), Fault> {
    tx.defer(
        "insert into case_event (case_id, seq, at, kind, actor_account, actor_name, unit_id, unit_name, body, strand, ledger_seq) \
         select $1, coalesce((select max(seq) from case_event where case_id = $1), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
        &params![
            case, e.at.0, e.kind, e.actor_account, e.actor_name, e.unit.map(|u| u.0), e.unit.map(|u| u.1), e.body.to_string(),
            e.ledger.strand, e.ledger.seq
        ],
    )?;
    Ok(())
}

/// The history of cases just made, each event with its number in its case, from 1.
pub fn insert_events<'e>(
    tx: &mut Tx,
    events: impl IntoIterator<Item = (CaseId, i64, NewEvent<'e>)>,
) -> Result<(), Fault> {
    let rows = events.into_iter().map(|(case, seq, e)| {
        [
            case.into(),
            seq.into(),
            e.at.0.into(),
            e.kind.into(),
            e.actor_account.into(),
            e.actor_name.into(),
            e.unit.map(|u| u.0).into(),
            e.unit.map(|u| u.1).into(),
            e.body.to_string().into(),
            e.ledger.strand.into(),
            e.ledger.seq.into(),
        ]
    });
    tx.insert_rows(
        "insert into case_event (case_id, seq, at, kind, actor_account, actor_name, unit_id, unit_name, body, strand, ledger_seq) values ",
        rows,
        "",
    )?;
    Ok(())
}

/// Of these cases, those that are here, with the hash of what was sent with their id.
pub fn content_hashes(tx: &mut Tx, ids: impl IntoIterator<Item = CaseId>) -> Result<HashMap<CaseId, String>, Fault> {
    let sql = Sql::new("select id, content_hash from cases where id in (")
        .list(ids)
        .push(")");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// The content hash an action's id was used with before.
pub fn action_seen(tx: &mut Tx, id: &str) -> Result<Option<(CaseId, String)>, Fault> {
    let row = tx.query_opt(
        "select case_id, content_hash from case_action where id = $1",
        &params![id],
    )?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

pub fn insert_action(tx: &mut Tx, id: &str, case: CaseId, hash: &str, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "insert into case_action (id, case_id, content_hash, at) values ($1, $2, $3, $4)",
        &params![id, case, hash, at.0],
    )?;
    Ok(())
}

/// An answer as shown.
#[derive(Debug, Clone)]
pub struct AnswerRow {
    pub id: AnswerId,
    pub report: Option<ReportId>,
    pub by_name: String,
    pub way: String,
    pub body: String,
    pub said: Option<String>,
    pub solved: Option<bool>,
    pub rating: Option<i64>,
    pub at: Timestamp,
}

pub fn answers(tx: &mut Tx, case: CaseId) -> Result<Vec<AnswerRow>, Fault> {
    let rows = tx.query(
        "select id, report_id, by_name, way, body, resident_said, solved, rating, at from answer where case_id = $1 order by at, id limit $2",
        &params![case, MAX_ROWS],
    )?;
    let read = |row: &Row| -> Result<AnswerRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(AnswerRow {
            id: c.next()?,
            report: c.next()?,
            by_name: c.next()?,
            way: c.next()?,
            body: c.next()?,
            said: c.next()?,
            solved: c.next()?,
            rating: c.next()?,
            at: Timestamp(c.next()?),
        })
    };
    rows.iter().map(read).collect()
}

/// A check as shown: name, passed, note, when.
pub fn verifications(tx: &mut Tx, case: CaseId) -> Result<Vec<(String, String, bool, String, Timestamp)>, Fault> {
    let rows = tx.query(
        "select id, by_name, pass, note, at from verification where case_id = $1 order by at, id limit $2",
        &params![case, MAX_ROWS],
    )?;
    rows.iter()
        .map(|r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, Timestamp(r.get(4)?))))
        .collect()
}

/// Id of the model in force.
pub fn newest_model(tx: &mut Tx) -> Result<Option<String>, Fault> {
    let row = tx.query_opt(
        "select id from learned_model order by made_at desc, id desc limit 1",
        &[],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub fn model_bytes(tx: &mut Tx, id: &str) -> Result<Vec<u8>, Fault> {
    Ok(tx
        .query_one("select bytes from learned_model where id = $1", &params![id])?
        .get(0)?)
}

/// Keeps a model, and of the earlier ones the last few.
pub fn insert_model(tx: &mut Tx, id: &str, at: Timestamp, samples: usize, bytes: &[u8]) -> Result<(), Fault> {
    const KEPT: i64 = 3;
    tx.execute(
        "insert into learned_model (id, made_at, samples, bytes) values ($1, $2, $3, $4)",
        &params![id, at.0, samples, bytes],
    )?;
    tx.execute(
        "delete from learned_model where id not in \
         (select id from (select id from learned_model order by made_at desc, id desc limit $1) kept)",
        &params![KEPT],
    )?;
    Ok(())
}

/// Texts with the category people settled on: set by staff, or never corrected until the case ended. Oldest first, so that of equal
/// texts the latest decision counts. A guess about an imported case was never looked at by anyone, so it teaches nothing.
pub fn training_samples(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, Fault> {
    let rows = tx.query(
        "select title, body, category_code from (select id, title, body, category_code, received_at from cases \
         where category_code is not null and (category_source in ('staff', 'import') or (state = 'closed' and channel <> 'import')) \
         order by received_at desc, id desc limit $1) s order by received_at, id",
        &params![limit],
    )?;
    rows.iter()
        .map(|r| Ok((format!("{}\n{}", r.text(0)?, r.text(1)?), r.get(2)?)))
        .collect()
}

/// Open or recent cases around a point, for duplicates: id, title, longitude, latitude, body.
pub fn near(
    tx: &mut Tx,
    west: f64,
    south: f64,
    east: f64,
    north: f64,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<CaseRow>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            case_columns!(),
            " from cases c where c.lat >= $1 and c.lat <= $2 and c.lon >= $3 and c.lon <= $4 and c.received_at >= $5 \
             and c.state not in ('merged', 'withdrawn', 'declined') order by c.received_at desc, c.id limit $6"
        ),
        &params![south, north, west, east, since.0, limit],
    )?;
    rows.iter().map(CaseRow::read).collect()
}

/// Recent cases in an area of a depth (1 at the top), for duplicates of a report without a position.
pub fn recent_in_area(
    tx: &mut Tx,
    area: AreaId,
    depth: u8,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<CaseRow>, Fault> {
    const COLUMNS: [&str; 5] = ["c.a1 = ", "c.a2 = ", "c.a3 = ", "c.a4 = ", "c.a5 = "];
    let column = COLUMNS
        .get(usize::from(depth.saturating_sub(1)))
        .copied()
        .unwrap_or("c.a5 = ");
    let sql = Sql::new(concat!("select ", case_columns!(), " from cases c where "))
        .push(column)
        .bind(area);
    let sql = sql
        .push(" and c.received_at >= ")
        .bind(since.0)
        .push(" and c.state not in ('merged', 'withdrawn', 'declined')");
    let sql = sql.push(" order by c.received_at desc, c.id desc limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(CaseRow::read).collect()
}

pub fn insert_notice(
    tx: &mut Tx,
    id: MessageId,
    worker: WorkerId,
    about: &Subject,
    kind: &str,
    body: &serde_json::Value,
    at: Timestamp,
) -> Result<(), Fault> {
    tx.defer(
        "insert into notice_staff (id, worker_id, subject_kind, subject_id, kind, body, at) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![id, worker, about.kind(), about.id(), kind, body.to_string(), at.0],
    )?;
    Ok(())
}

/// A notice for a member of staff.
#[derive(Debug, Clone)]
pub struct NoticeRow {
    pub id: MessageId,
    /// What it is about: the kind and the id.
    pub about: (String, String),
    pub kind: String,
    pub body: serde_json::Value,
    pub at: Timestamp,
    pub read_at: Option<Timestamp>,
}

/// A worker's notices, newest first, before a moment and id.
pub fn notices(
    tx: &mut Tx,
    worker: WorkerId,
    before: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<NoticeRow>, Fault> {
    let mut sql =
        Sql::new("select id, subject_kind, subject_id, kind, body, at, read_at from notice_staff where worker_id = ")
            .bind(worker);
    if let Some((at, id)) = before {
        sql = sql.push(" and (at, id) < (").bind(at).push(", ").bind(id).push(")");
    }
    let rows = tx.fetch(&sql.push(" order by at desc, id desc limit ").bind(i64::from(limit) + 1))?;
    let read = |row: &Row| -> Result<NoticeRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(NoticeRow {
            id: c.next()?,
            about: (c.next()?, c.next()?),
            kind: c.next()?,
            body: serde_json::from_str(&c.next::<String>()?).map_err(Fault::internal)?,
            at: Timestamp(c.next()?),
            read_at: c.time()?,
        })
    };
    rows.iter().map(read).collect()
}

/// Marks a worker's own notice as read.
pub fn read_notice(tx: &mut Tx, id: MessageId, worker: WorkerId, at: Timestamp) -> Result<bool, Fault> {
    let changed = tx.execute(
        "update notice_staff set read_at = coalesce(read_at, $1) where id = $2 and worker_id = $3",
        &params![at.0, id, worker],
    )?;
    Ok(changed > 0)
}

/// Where a reporter wants to hear how it goes on.
pub fn contact_of(tx: &mut Tx, reporter: ReporterId) -> Result<Option<ContactId>, Fault> {
    let row = tx.query_opt("select contact_id from reporter where id = $1", &params![reporter])?;
    Ok(row.map(|row| row.get(0)).transpose()?.flatten())
}

/// Reports made from a contact, or (a phone) told with its number; the newest first.
pub fn reports_of_contact(
    tx: &mut Tx,
    contact: ContactId,
    phone_index: Option<&str>,
    limit: i64,
) -> Result<Vec<(CaseId, ReportId, String)>, Fault> {
    let rows = tx.query(
        "select p.case_id, p.id, p.number from reporter r join report p on p.reporter_id = r.id \
         where (r.contact_id = $1 or r.phone_index = $2) and p.withdrawn_at is null order by p.received_at desc, p.id desc limit $3",
        &params![contact, phone_index, limit],
    )?;
    let report = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    rows.iter().map(report).collect()
}

/// The case told as this number; for a merged case the one it is now.
pub fn case_by_number(tx: &mut Tx, number: &str) -> Result<Option<CaseId>, Fault> {
    let row = tx.query_opt("select id from cases where number = $1", &params![number])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Cases whose reports came here.
pub fn merged_into(tx: &mut Tx, case: CaseId) -> Result<Vec<(CaseId, String)>, Fault> {
    let rows = tx.query(
        "select id, number from cases where merged_into = $1 order by id limit $2",
        &params![case, MAX_ROWS],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Every case under an area, for a recount.
pub fn all_under(tx: &mut Tx, area: AreaId) -> Result<Vec<CaseRow>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            case_columns!(),
            " from cases c where c.a1 = $1 or c.a2 = $1 or c.a3 = $1 or c.a4 = $1 or c.a5 = $1 or c.areas_past like $2 order by c.id"
        ),
        &params![area, format!("%{area}%")],
    )?;
    rows.iter().map(CaseRow::read).collect()
}
