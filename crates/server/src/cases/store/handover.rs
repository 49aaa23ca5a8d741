//! The SQL of handovers, their messages and photos.

use crate::cases::handover::{HandoverRow, MessageRow, PhotoRow};
use crate::cases::record::{Cursor, DoerRef};
use crate::platform::*;
use db::{Row, Sql, params};
use domain::cases::handover::{Phase, Role, Side, Verb};
use domain::time::Timestamp;

const HANDOVERS: &str = "select h.id, h.case_id, h.peer_id, h.peer_name, h.role, h.phase, h.said, h.heard, h.asked, h.supplied, h.rounds, h.purpose, \
    h.personal, h.by_account, h.by_worker, h.by_name, h.peer_number, h.peer_due_at, h.stuck, h.differs, h.created_at, h.changed_at \
    from handover h ";

fn unknown(what: &str, key: &str) -> Fault {
    Fault::internal(format!("unknown {what} {key}"))
}

fn handover_row(row: &Row) -> Result<HandoverRow, Fault> {
    let mut c = Cursor(row, 0);
    let (id, case, peer, peer_name) = (c.next()?, c.next()?, c.next()?, c.next()?);
    let (role, phase): (String, String) = (c.next()?, c.next()?);
    Ok(HandoverRow {
        id,
        case,
        peer,
        peer_name,
        side: Side {
            role: Role::from_key(&role).ok_or_else(|| unknown("role", &role))?,
            phase: Phase::from_key(&phase).ok_or_else(|| unknown("phase", &phase))?,
            said: c.next()?,
            heard: c.next()?,
            asked: c.next()?,
            supplied: c.next()?,
            rounds: c.next()?,
        },
        purpose: c.next()?,
        personal: c.next()?,
        by: c.doer()?,
        by_name: c.next()?,
        peer_number: c.next()?,
        peer_due_at: c.time()?,
        stuck: c.next()?,
        differs: c.next()?,
        created_at: Timestamp(c.next()?),
        changed_at: Timestamp(c.next()?),
    })
}

pub fn insert_handover(tx: &mut Tx, h: &HandoverRow) -> Result<(), Fault> {
    let s = h.side;
    tx.execute(
        "insert into handover (id, case_id, peer_id, peer_name, role, phase, said, heard, asked, supplied, rounds, purpose, personal, by_account, \
         by_worker, by_name, peer_number, peer_due_at, created_at, changed_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        &params![
            h.id,
            h.case,
            h.peer,
            &h.peer_name,
            s.role.key(),
            s.phase.key(),
            s.said,
            s.heard,
            s.asked,
            s.supplied,
            s.rounds,
            &h.purpose,
            h.personal,
            h.by.map(|by| by.account),
            h.by.and_then(|by| by.worker),
            h.by_name.clone(),
            h.peer_number.clone(),
            h.peer_due_at.map(|at| at.0),
            h.created_at.0,
            h.changed_at.0
        ],
    )?;
    Ok(())
}

/// Saves what may change in a handover's life.
pub fn update_handover(tx: &mut Tx, h: &HandoverRow) -> Result<(), Fault> {
    let s = h.side;
    tx.execute(
        "update handover set phase = $1, said = $2, heard = $3, asked = $4, supplied = $5, rounds = $6, peer_number = $7, peer_due_at = $8, \
         stuck = $9, differs = $10, changed_at = $11 where id = $12",
        &params![
            s.phase.key(),
            s.said,
            s.heard,
            s.asked,
            s.supplied,
            s.rounds,
            h.peer_number.clone(),
            h.peer_due_at.map(|at| at.0),
            h.stuck.clone(),
            h.differs.clone(),
            h.changed_at.0,
            h.id
        ],
    )?;
    Ok(())
}

/// What the last comparison found.
pub fn set_handover_differs(tx: &mut Tx, id: HandoverId, differs: Option<&str>) -> Result<(), Fault> {
    tx.execute(
        "update handover set differs = $1 where id = $2",
        &params![differs.map(str::to_owned), id],
    )?;
    Ok(())
}

pub fn handover(tx: &mut Tx, id: HandoverId) -> Result<Option<HandoverRow>, Fault> {
    let sql = Sql::new(HANDOVERS).push("where h.id = ").bind(id);
    tx.fetch(&sql)?.first().map(handover_row).transpose()
}

/// Held against other writers until the commit.
pub fn handover_locked(tx: &mut Tx, id: HandoverId) -> Result<Option<HandoverRow>, Fault> {
    let sql = Sql::new(HANDOVERS).push("where h.id = ").bind(id);
    let sql = sql.push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(handover_row).transpose()
}

/// Those of a case, the newest first; at most `limit`.
pub fn handovers_of(tx: &mut Tx, case: CaseId, limit: i64) -> Result<Vec<HandoverRow>, Fault> {
    let sql = Sql::new(HANDOVERS)
        .push("where h.case_id = ")
        .bind(case)
        .push(" order by h.created_at desc, h.id desc limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(handover_row).collect()
}

/// Those with a platform, by id after `after`; at most `limit`.
pub fn handovers_with(tx: &mut Tx, peer: PeerId, after: &str, limit: i64) -> Result<Vec<HandoverRow>, Fault> {
    let sql = Sql::new(HANDOVERS)
        .push("where h.peer_id = ")
        .bind(peer)
        .push(" and h.id > ")
        .bind(after)
        .push(" order by h.id limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(handover_row).collect()
}

/// How many of each role and phase there are with a platform, and how many of them are with the receiver past the case's due moment.
pub fn handover_counts(tx: &mut Tx, peer: PeerId, now: Timestamp) -> Result<Vec<(String, String, i64, i64)>, Fault> {
    let rows = tx.query(
        "select h.role, h.phase, count(*), count(case when c.open = 1 and c.due_at is not null and c.due_at < $1 then 1 end) \
         from handover h join cases c on c.id = h.case_id where h.peer_id = $2 group by h.role, h.phase",
        &params![now.0, peer],
    )?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .collect()
}

/// Which part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverPart {
    All,
    Out,
    In,
    /// Something to do: the other side asks, refused a message, or does not agree.
    Needs,
    /// Messages that have not arrived.
    Waiting,
}

/// Handovers of cases within the scope with their cases' numbers and titles, the last changed first; one more than `limit` when there are more.
pub fn handover_list(
    tx: &mut Tx,
    scope: &Scope,
    part: HandoverPart,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<HandoverRow>, Fault> {
    let sql = Sql::new(HANDOVERS).push("join cases c on c.id = h.case_id where ");
    let mut sql = scope.case_predicate(sql, Permission::CaseRead, "c");
    sql = match part {
        HandoverPart::All => sql,
        HandoverPart::Out => sql.push(" and h.role = 'out'"),
        HandoverPart::In => sql.push(" and h.role = 'in'"),
        HandoverPart::Needs => sql.push(
            " and (h.stuck is not null or h.differs is not null \
             or (h.role = 'out' and h.phase in ('offered', 'accepted') and h.asked > h.supplied))",
        ),
        HandoverPart::Waiting => sql.push(
            " and exists (select 1 from handover_message m where m.handover_id = h.id and m.way = 'out' and m.state = 'waiting')",
        ),
    };
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (h.changed_at, h.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by h.changed_at desc, h.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(handover_row).collect()
}

const MESSAGES: &str = "select m.id, m.handover_id, m.way, m.seq, m.heard, m.verb, m.at, m.data_sealed, m.hash, m.fields, m.state, m.attempts, \
    m.next_at, m.outcome, m.answer, m.ended_at from handover_message m where ";

fn message_row(row: &Row) -> Result<MessageRow, Fault> {
    let mut c = Cursor(row, 0);
    let (id, handover, way, seq, heard) = (c.next()?, c.next()?, c.next()?, c.next()?, c.next()?);
    let verb: String = c.next()?;
    Ok(MessageRow {
        id,
        handover,
        way,
        seq,
        heard,
        verb: Verb::from_key(&verb).ok_or_else(|| unknown("verb", &verb))?,
        at: Timestamp(c.next()?),
        data: c.next()?,
        hash: c.next()?,
        fields: c.next()?,
        state: c.next()?,
        attempts: c.next()?,
        next_at: c.time()?,
        outcome: c.next()?,
        answer: c.next()?,
        ended_at: c.time()?,
    })
}

pub fn insert_handover_message(tx: &mut Tx, m: &MessageRow) -> Result<(), Fault> {
    tx.execute(
        "insert into handover_message (id, handover_id, way, seq, heard, verb, at, data_sealed, hash, fields, state, next_at, answer, ended_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &params![
            m.id,
            m.handover,
            &m.way,
            m.seq,
            m.heard,
            m.verb.key(),
            m.at.0,
            m.data.clone(),
            &m.hash,
            &m.fields,
            &m.state,
            m.next_at.map(|at| at.0),
            m.answer.clone(),
            m.ended_at.map(|at| at.0)
        ],
    )?;
    Ok(())
}

pub fn handover_message(tx: &mut Tx, id: HandoverMessageId) -> Result<Option<MessageRow>, Fault> {
    let sql = Sql::new(MESSAGES).push("m.id = ").bind(id);
    tx.fetch(&sql)?.first().map(message_row).transpose()
}

/// All of a handover in the order they were made or came; at most `limit`.
pub fn handover_messages(tx: &mut Tx, handover: HandoverId, limit: i64) -> Result<Vec<MessageRow>, Fault> {
    let sql = Sql::new(MESSAGES)
        .push("m.handover_id = ")
        .bind(handover)
        .push(" order by m.at, m.way, m.seq limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(message_row).collect()
}

/// Messages to be sent by now: of each handover only the first that has not arrived, the longest due first. One that was refused holds up
/// those after it until a person sends them again.
pub fn due_handover_messages(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<MessageRow>, Fault> {
    let sql = Sql::new(MESSAGES)
        .push("m.next_at is not null and m.next_at <= ")
        .bind(now.0)
        .push(
            " and m.seq = (select min(x.seq) from handover_message x where x.handover_id = m.handover_id and x.way = 'out' \
             and x.state <> 'done') order by m.next_at, m.id limit ",
        )
        .bind(limit);
    tx.fetch(&sql)?.iter().map(message_row).collect()
}

/// What an attempt gave.
pub fn note_handover_message(tx: &mut Tx, m: &MessageRow) -> Result<(), Fault> {
    tx.execute(
        "update handover_message set state = $1, attempts = $2, next_at = $3, outcome = $4, answer = $5, ended_at = $6 where id = $7",
        &params![
            &m.state,
            m.attempts,
            m.next_at.map(|at| at.0),
            m.outcome.clone(),
            m.answer.clone(),
            m.ended_at.map(|at| at.0),
            m.id
        ],
    )?;
    Ok(())
}

/// Sends all from a number on again.
pub fn requeue_handover_messages(tx: &mut Tx, handover: HandoverId, from: i64, now: Timestamp) -> Result<u64, Fault> {
    Ok(tx.execute(
        "update handover_message set state = 'waiting', attempts = 0, next_at = $1, ended_at = null \
         where handover_id = $2 and way = 'out' and seq >= $3",
        &params![now.0, handover, from],
    )?)
}

/// Nothing more is sent of a handover: what waits is refused with this code.
pub fn stop_handover_messages(tx: &mut Tx, handover: HandoverId, code: &str, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update handover_message set state = 'refused', next_at = null, outcome = $1, ended_at = $2 \
         where handover_id = $3 and way = 'out' and state = 'waiting'",
        &params![code, now.0, handover],
    )?;
    Ok(())
}

const PHOTOS: &str = "select p.handover_id, p.way, p.hash, p.stage, p.state, p.attempts, p.next_at, p.outcome from handover_photo p where ";

fn photo_row(row: &Row) -> Result<PhotoRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(PhotoRow {
        handover: c.next()?,
        way: c.next()?,
        hash: c.next()?,
        stage: c.next()?,
        state: c.next()?,
        attempts: c.next()?,
        next_at: c.time()?,
        outcome: c.next()?,
    })
}

pub fn insert_handover_photo(tx: &mut Tx, p: &PhotoRow) -> Result<(), Fault> {
    tx.execute(
        "insert into handover_photo (handover_id, way, hash, stage, state, next_at) values ($1, $2, $3, $4, $5, $6) \
         on conflict (handover_id, way, hash) do nothing",
        &params![
            p.handover,
            &p.way,
            &p.hash,
            &p.stage,
            &p.state,
            p.next_at.map(|at| at.0)
        ],
    )?;
    Ok(())
}

pub fn handover_photos(tx: &mut Tx, handover: HandoverId, limit: i64) -> Result<Vec<PhotoRow>, Fault> {
    let sql = Sql::new(PHOTOS)
        .push("p.handover_id = ")
        .bind(handover)
        .push(" order by p.way, p.hash limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(photo_row).collect()
}

/// Photos to be fetched by now.
pub fn due_handover_photos(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<PhotoRow>, Fault> {
    let sql = Sql::new(PHOTOS)
        .push("p.next_at is not null and p.next_at <= ")
        .bind(now.0)
        .push(" order by p.next_at, p.hash limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(photo_row).collect()
}

pub fn note_handover_photo(tx: &mut Tx, p: &PhotoRow) -> Result<(), Fault> {
    tx.execute(
        "update handover_photo set state = $1, attempts = $2, next_at = $3, outcome = $4 where handover_id = $5 and way = $6 and hash = $7",
        &params![
            &p.state,
            p.attempts,
            p.next_at.map(|at| at.0),
            p.outcome.clone(),
            p.handover,
            &p.way,
            &p.hash
        ],
    )?;
    Ok(())
}

/// Ties a case that came from another platform to its handover.
pub fn tie_case(tx: &mut Tx, case: CaseId, handover: HandoverId) -> Result<(), Fault> {
    tx.execute(
        "update cases set handover_id = $1 where id = $2",
        &params![handover, case],
    )?;
    Ok(())
}

/// Who passed a case on, as remembered.
pub fn doer_of(h: &HandoverRow) -> Option<domain::cases::Doer> {
    h.by.map(|by: DoerRef| by.into())
}
