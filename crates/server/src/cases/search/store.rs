//! SQL of the search index. Tables: `search_pending`, `search_doc`, `search_posting`, `search_state`; all can be computed again.

use super::postings::SEGMENT;
use super::{Asked, CANDIDATES};
use crate::platform::ctx::Ctx;
use crate::platform::fault::Fault;
use crate::platform::ids::{AreaId, CaseId, UnitId};
use crate::platform::scope::Permission;
use crate::platform::tx::Tx;
use db::{Sql, params};

/// Texts that may wait for the job before a search stops looking at all of them.
const MAX_PENDING: i64 = 20_000;

/// How far the index is.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Number of the next document.
    pub next_seq: i64,
    /// Number of sealed segments.
    pub sealed: i64,
}

/// A document that was read to be compared.
pub(super) struct Doc {
    pub seq: i64,
    pub case: CaseId,
    pub text: String,
}

/// The posting a case in this area is listed under.
pub(super) fn area_token(area: AreaId) -> String {
    format!("@{area}")
}

/// The posting a case in the hands of this unit is listed under.
pub(super) fn unit_token(unit: UnitId) -> String {
    format!("#{unit}")
}

pub(super) fn put_pending(tx: &mut Tx, texts: impl IntoIterator<Item = (CaseId, String)>) -> Result<(), Fault> {
    let rows = texts.into_iter().map(|(case, text)| params![case, text]);
    tx.insert_housekeeping(
        "insert into search_pending (case_id, text) values ",
        rows,
        " on conflict (case_id) do update set text = excluded.text",
    )?;
    Ok(())
}

pub(super) fn touch_pending(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    tx.defer_housekeeping(
        "insert into search_pending (case_id, text) values ($1, null) on conflict (case_id) do nothing",
        &params![case],
    )?;
    Ok(())
}

/// Waiting cases that hold the words, in scope, newest first; those older than the case a page ended with. The words are looked for
/// first: few cases are left to ask the scope about.
pub(super) fn pending(ctx: &Ctx, tx: &mut Tx, asked: &Asked, last: Option<CaseId>) -> Result<Vec<CaseId>, Fault> {
    let mut sql = Sql::new("select case_id, text from search_pending where text is not null");
    if let Some(last) = last {
        sql = sql.push(" and case_id < ").bind(last);
    }
    let waiting = tx.fetch(&sql.push(" order by case_id desc limit ").bind(MAX_PENDING))?;
    let mut holding: Vec<CaseId> = Vec::new();
    for row in waiting {
        if super::holds(&row.get::<String>(1)?, &asked.words) {
            holding.push(row.get(0)?);
        }
    }
    let mut found = Vec::new();
    for some in holding.chunks(CANDIDATES) {
        let sql = Sql::new("select c.id from cases c where c.id in (").list(some.iter().copied());
        let sql = (asked.only)(ctx.scope.case_predicate(sql.push(") and "), Permission::CaseRead, "c"));
        for row in tx.fetch(&sql.push(" order by c.id desc"))? {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Whether anything waits for the job.
pub(super) fn any_pending(tx: &mut Tx) -> Result<bool, Fault> {
    Ok(tx
        .query_opt("select 1 from search_pending limit 1", &params![])?
        .is_some())
}

/// Takes what waits, oldest first. A null text is a change of scope.
pub(super) fn take_pending(tx: &mut Tx, limit: i64) -> Result<Vec<(CaseId, Option<String>)>, Fault> {
    let rows = tx.query(
        "delete from search_pending where case_id in (select case_id from search_pending order by case_id limit $1) returning case_id, text",
        &params![limit],
    )?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        taken.push((row.get(0)?, row.get(1)?));
    }
    taken.sort_unstable();
    Ok(taken)
}

pub(super) fn state(tx: &mut Tx) -> Result<State, Fault> {
    match tx.query_opt("select next_seq, sealed from search_state where id = 1", &params![])? {
        Some(row) => Ok(State {
            next_seq: row.get(0)?,
            sealed: row.get(1)?,
        }),
        None => Ok(State { next_seq: 0, sealed: 0 }),
    }
}

pub(super) fn set_state(tx: &mut Tx, state: State) -> Result<(), Fault> {
    tx.housekeeping(
        "insert into search_state (id, next_seq, sealed) values (1, $1, $2)
         on conflict (id) do update set next_seq = excluded.next_seq, sealed = excluded.sealed",
        &params![state.next_seq, state.sealed],
    )?;
    Ok(())
}

pub(super) fn replace_doc(tx: &mut Tx, seq: i64, case: CaseId, text: &str) -> Result<(), Fault> {
    tx.defer_housekeeping("delete from search_doc where case_id = $1", &params![case])?;
    tx.defer_housekeeping(
        "insert into search_doc (seq, case_id, text) values ($1, $2, $3)",
        &params![seq, case, text],
    )?;
    Ok(())
}

pub(super) fn seq_of(tx: &mut Tx, case: CaseId) -> Result<Option<i64>, Fault> {
    match tx.query_opt("select seq from search_doc where case_id = $1", &params![case])? {
        Some(row) => Ok(Some(row.get(0)?)),
        None => Ok(None),
    }
}

/// Number and text of the documents `from..to` (at most a segment), ascending.
pub(super) fn texts(tx: &mut Tx, from: i64, to: i64) -> Result<Vec<(i64, String)>, Fault> {
    let to = to.min(from + SEGMENT as i64);
    let rows = tx.query(
        "select seq, text from search_doc where seq >= $1 and seq < $2 order by seq",
        &params![from, to],
    )?;
    let mut texts = Vec::with_capacity(rows.len());
    for row in rows {
        texts.push((row.get(0)?, row.get(1)?));
    }
    Ok(texts)
}

/// Of these documents those in scope, newest first. `cross join` keeps SQLite from walking all cases of an area for a few documents.
pub(super) fn docs_in_scope(ctx: &Ctx, tx: &mut Tx, asked: &Asked, seqs: &[i64]) -> Result<Vec<Doc>, Fault> {
    let sql = Sql::new(
        "select d.seq, d.case_id, d.text from search_doc d cross join cases c where c.id = d.case_id and d.seq in (",
    )
    .list(seqs.iter().copied());
    let sql = (asked.only)(ctx.scope.case_predicate(sql.push(") and "), Permission::CaseRead, "c"));
    let sql = sql.push(" order by d.seq desc");
    let mut docs = Vec::new();
    for row in tx.fetch(&sql)? {
        docs.push(Doc {
            seq: row.get(0)?,
            case: row.get(1)?,
            text: row.get(2)?,
        });
    }
    Ok(docs)
}

/// Blobs of one lead or token in segments `from..to`, ascending by segment.
pub(super) fn postings(tx: &mut Tx, lead: &str, from: i64, to: i64) -> Result<Vec<(i64, Vec<u8>)>, Fault> {
    let rows = tx.query(
        "select segment, body from search_posting where lead = $1 and segment >= $2 and segment < $3 order by segment",
        &params![lead, from, to],
    )?;
    let mut blobs = Vec::with_capacity(rows.len());
    for row in rows {
        blobs.push((row.get(0)?, row.get(1)?));
    }
    Ok(blobs)
}

pub(super) fn put_posting(tx: &mut Tx, lead: &str, segment: i64, body: &[u8]) -> Result<(), Fault> {
    tx.defer_housekeeping(
        "insert into search_posting (lead, segment, body) values ($1, $2, $3) on conflict (lead, segment) do update set body = excluded.body",
        &params![lead, segment, body.to_vec()],
    )?;
    Ok(())
}

/// The places one case belongs to now.
pub(super) fn tokens(tx: &mut Tx, case: CaseId) -> Result<Vec<String>, Fault> {
    let seq = seq_of(tx, case)?.unwrap_or(-1);
    Ok(tokens_between(tx, seq, seq + 1)?
        .into_iter()
        .map(|(_, token)| token)
        .collect())
}

/// The places each document of `from..to` belongs to now, ascending by document.
pub(super) fn tokens_between(tx: &mut Tx, from: i64, to: i64) -> Result<Vec<(i64, String)>, Fault> {
    let mut tokens = Vec::new();
    let rows = tx.query(
        "select d.seq, c.a1, c.a2, c.a3, c.a4, c.a5, c.unit_id from search_doc d join cases c on c.id = d.case_id
         where d.seq >= $1 and d.seq < $2 order by d.seq",
        &params![from, to],
    )?;
    for row in rows {
        for depth in 1..=5 {
            tokens.extend(
                row.get::<Option<AreaId>>(depth)?
                    .map(|area| (row.get(0), area_token(area))),
            );
        }
        tokens.extend(row.get::<Option<UnitId>>(6)?.map(|unit| (row.get(0), unit_token(unit))));
    }
    let rows = tx.query(
        "select d.seq, h.unit_id from search_doc d join co_handler h on h.case_id = d.case_id
         where d.seq >= $1 and d.seq < $2 order by d.seq",
        &params![from, to],
    )?;
    for row in rows {
        tokens.push((row.get(0), unit_token(row.get(1)?)));
    }
    tokens.into_iter().map(|(seq, token)| Ok((seq?, token))).collect()
}
