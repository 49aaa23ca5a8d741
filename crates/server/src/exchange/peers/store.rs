//! The SQL of peers and of what was refused of theirs.

use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// Another platform.
#[derive(Debug, Clone)]
pub struct PeerRow {
    pub id: PeerId,
    pub name: String,
    /// `upper`, `lower`, `side`.
    pub relation: String,
    pub url: String,
    pub key: String,
    pub fingerprint: String,
    pub purpose: String,
    pub contact: String,
    /// What may be passed to it.
    pub area: Option<AreaId>,
    pub categories: Vec<String>,
    pub may_personal: bool,
    /// Whether cases are taken from it.
    pub takes: bool,
    pub active_from: Timestamp,
    pub active_to: Option<Timestamp>,
    pub created_at: Timestamp,
    pub created_by: AccountId,
    pub created_name: String,
    pub confirmed_at: Option<Timestamp>,
    pub confirmed_name: Option<String>,
    pub ended_at: Option<Timestamp>,
    pub ended_name: Option<String>,
    pub compared_at: Option<Timestamp>,
    /// The last comparison, as JSON.
    pub compared: Option<String>,
}

impl PeerRow {
    /// Whether messages go and come now.
    pub fn is_active(&self, now: Timestamp) -> bool {
        let within = self.active_from <= now && self.active_to.is_none_or(|to| now < to);
        self.confirmed_at.is_some() && self.ended_at.is_none() && within
    }
}

const PEERS: &str = "select p.id, p.name, p.relation, p.url, p.key, p.fingerprint, p.purpose, p.contact, p.area_id, p.categories, p.may_personal, \
    p.takes, p.active_from, p.active_to, p.created_at, p.created_by, p.created_name, p.confirmed_at, p.confirmed_name, p.ended_at, p.ended_name, \
    p.compared_at, p.compared from peer p ";

fn peer_row(row: &Row) -> Result<PeerRow, Fault> {
    let time = |at: usize| -> Result<Option<Timestamp>, Fault> { Ok(row.get::<Option<i64>>(at)?.map(Timestamp)) };
    let categories: String = row.get(9)?;
    Ok(PeerRow {
        id: row.get(0)?,
        name: row.get(1)?,
        relation: row.get(2)?,
        url: row.get(3)?,
        key: row.get(4)?,
        fingerprint: row.get(5)?,
        purpose: row.get(6)?,
        contact: row.get(7)?,
        area: row.get(8)?,
        categories: serde_json::from_str(&categories).map_err(Fault::internal)?,
        may_personal: row.get(10)?,
        takes: row.get(11)?,
        active_from: Timestamp(row.get(12)?),
        active_to: time(13)?,
        created_at: Timestamp(row.get(14)?),
        created_by: row.get(15)?,
        created_name: row.get(16)?,
        confirmed_at: time(17)?,
        confirmed_name: row.get(18)?,
        ended_at: time(19)?,
        ended_name: row.get(20)?,
        compared_at: time(21)?,
        compared: row.get(22)?,
    })
}

pub fn insert_peer(tx: &mut Tx, p: &PeerRow) -> Result<(), Fault> {
    let categories = serde_json::to_string(&p.categories).map_err(Fault::internal)?;
    tx.execute(
        "insert into peer (id, name, relation, url, key, fingerprint, purpose, contact, area_id, categories, may_personal, takes, active_from, \
         active_to, created_at, created_by, created_name) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        &params![
            p.id,
            &p.name,
            &p.relation,
            &p.url,
            &p.key,
            &p.fingerprint,
            &p.purpose,
            &p.contact,
            p.area,
            categories,
            p.may_personal,
            p.takes,
            p.active_from.0,
            p.active_to.map(|at| at.0),
            p.created_at.0,
            p.created_by,
            &p.created_name
        ],
    )?;
    Ok(())
}

pub fn peer(tx: &mut Tx, id: PeerId) -> Result<Option<PeerRow>, Fault> {
    let sql = Sql::new(PEERS).push("where p.id = ").bind(id);
    tx.fetch(&sql)?.first().map(peer_row).transpose()
}

pub fn peer_of(tx: &mut Tx, fingerprint: &str) -> Result<Option<PeerRow>, Fault> {
    let sql = Sql::new(PEERS).push("where p.fingerprint = ").bind(fingerprint);
    tx.fetch(&sql)?.first().map(peer_row).transpose()
}

/// The newest first; at most `limit`.
pub fn peers(tx: &mut Tx, limit: i64) -> Result<Vec<PeerRow>, Fault> {
    let sql = Sql::new(PEERS)
        .push("order by p.created_at desc, p.id desc limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(peer_row).collect()
}

pub fn confirm_peer(tx: &mut Tx, id: PeerId, by: &str, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update peer set confirmed_at = $1, confirmed_name = $2 where id = $3 and confirmed_at is null",
        &params![at.0, by, id],
    )?;
    Ok(())
}

/// Ends it at once. Its fingerprint is free for another agreement with the same platform.
pub fn end_peer(tx: &mut Tx, id: PeerId, by: &str, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update peer set ended_at = $1, ended_name = $2, fingerprint = fingerprint || ' ' || id where id = $3 and ended_at is null",
        &params![at.0, by, id],
    )?;
    Ok(())
}

pub fn set_compared(tx: &mut Tx, id: PeerId, at: Timestamp, found: &str) -> Result<(), Fault> {
    tx.execute(
        "update peer set compared_at = $1, compared = $2 where id = $3",
        &params![at.0, found, id],
    )?;
    Ok(())
}

/// Something refused.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    pub id: PeerRefusalId,
    pub peer: PeerId,
    pub at: Timestamp,
    pub code: String,
    pub verb: String,
    pub handover: Option<String>,
    pub message: Option<String>,
    pub hash: String,
}

pub fn insert_refusal(tx: &mut Tx, r: &RefusalRow) -> Result<(), Fault> {
    tx.execute(
        "insert into peer_refusal (id, peer_id, at, code, verb, handover_id, message_id, hash) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            r.id,
            r.peer,
            r.at.0,
            &r.code,
            &r.verb,
            r.handover.clone(),
            r.message.clone(),
            &r.hash
        ],
    )?;
    Ok(())
}

/// The newest first; one more than `limit` when there are more.
pub fn refusals(tx: &mut Tx, peer: PeerId, after: Option<(i64, String)>, limit: u32) -> Result<Vec<RefusalRow>, Fault> {
    let mut sql = Sql::new(
        "select r.id, r.peer_id, r.at, r.code, r.verb, r.handover_id, r.message_id, r.hash from peer_refusal r where r.peer_id = ",
    )
    .bind(peer);
    if let Some((at, id)) = after {
        sql = sql.push(" and (r.at, r.id) < (").bind(at).push(", ").bind(id).push(")");
    }
    let sql = sql
        .push(" order by r.at desc, r.id desc limit ")
        .bind(i64::from(limit) + 1);
    let read = |row: &Row| -> Result<RefusalRow, Fault> {
        Ok(RefusalRow {
            id: row.get(0)?,
            peer: row.get(1)?,
            at: Timestamp(row.get(2)?),
            code: row.get(3)?,
            verb: row.get(4)?,
            handover: row.get(5)?,
            message: row.get(6)?,
            hash: row.get(7)?,
        })
    };
    tx.fetch(&sql)?.iter().map(read).collect()
}
