//! The SQL of partners, their uses, and what they handed in.

use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// Another system with a key.
#[derive(Debug, Clone)]
pub struct PartnerRow {
    pub id: PartnerId,
    pub name: String,
    pub purpose: String,
    pub contact: String,
    pub key_end: String,
    /// The top of the subtree it reaches; none: the whole place.
    pub area: Option<AreaId>,
    pub areas: [Option<AreaId>; 5],
    pub may_report: bool,
    pub may_update: bool,
    pub answers: String,
    pub created_at: Timestamp,
    pub created_by: AccountId,
    pub created_name: String,
    pub revoked_at: Option<Timestamp>,
    pub revoked_name: Option<String>,
    pub use_count: i64,
    pub last_used_at: Option<Timestamp>,
}

const PARTNERS: &str = "select p.id, p.name, p.purpose, p.contact, p.key_end, p.area_id, p.a1, p.a2, p.a3, p.a4, p.a5, p.may_report, \
    p.may_update, p.answers, p.created_at, p.created_by, p.created_name, p.revoked_at, p.revoked_name, p.use_count, p.last_used_at \
    from partner p where ";

fn partner_row(row: &Row) -> Result<PartnerRow, Fault> {
    Ok(PartnerRow {
        id: row.get(0)?,
        name: row.get(1)?,
        purpose: row.get(2)?,
        contact: row.get(3)?,
        key_end: row.get(4)?,
        area: row.get(5)?,
        areas: [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
        may_report: row.get(11)?,
        may_update: row.get(12)?,
        answers: row.get(13)?,
        created_at: Timestamp(row.get(14)?),
        created_by: row.get(15)?,
        created_name: row.get(16)?,
        revoked_at: row.get::<Option<i64>>(17)?.map(Timestamp),
        revoked_name: row.get(18)?,
        use_count: row.get(19)?,
        last_used_at: row.get::<Option<i64>>(20)?.map(Timestamp),
    })
}

pub fn insert_partner(tx: &mut Tx, p: &PartnerRow, key_hash: &str) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = p.areas;
    tx.execute(
        "insert into partner (id, name, purpose, contact, key_hash, key_end, area_id, a1, a2, a3, a4, a5, may_report, may_update, answers, \
         created_at, created_by, created_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        &params![
            p.id, &p.name, &p.purpose, &p.contact, key_hash, &p.key_end, p.area, a1, a2, a3, a4, a5, p.may_report, p.may_update,
            &p.answers, p.created_at.0, p.created_by, &p.created_name
        ],
    )?;
    Ok(())
}

pub fn partner(tx: &mut Tx, id: PartnerId) -> Result<Option<PartnerRow>, Fault> {
    let sql = Sql::new(PARTNERS).push("p.id = ").bind(id);
    tx.fetch(&sql)?.first().map(partner_row).transpose()
}

pub fn partner_of_key(tx: &mut Tx, key_hash: &str) -> Result<Option<PartnerRow>, Fault> {
    let sql = Sql::new(PARTNERS).push("p.key_hash = ").bind(key_hash);
    tx.fetch(&sql)?.first().map(partner_row).transpose()
}

/// Those whose area lies in a grant with the permission, the newest first; one more than `limit` when there are more.
pub fn partners(
    ctx: &Ctx,
    tx: &mut Tx,
    permission: Permission,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<PartnerRow>, Fault> {
    let mut sql = ctx.scope.area_predicate(Sql::new(PARTNERS), permission, "p");
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (p.created_at, p.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by p.created_at desc, p.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(partner_row).collect()
}

pub fn revoke_partner(ctx: &Ctx, tx: &mut Tx, id: PartnerId, by: AccountId) -> Result<(), Fault> {
    tx.execute(
        "update partner set revoked_at = $1, revoked_by = $2, revoked_name = $3 where id = $4 and revoked_at is null",
        &params![ctx.now.0, by, ctx.actor.name(), id],
    )?;
    Ok(())
}

/// One use of a key.
pub struct NewUse<'a> {
    pub id: PartnerUseId,
    pub partner: PartnerId,
    pub at: Timestamp,
    pub call: &'static str,
    pub outcome: &'a str,
    pub count: i64,
    pub numbers: &'a str,
}

/// Keeps a use and counts it.
pub fn insert_use(tx: &mut Tx, u: &NewUse) -> Result<(), Fault> {
    tx.execute(
        "insert into partner_use (id, partner_id, at, call, outcome, shared_count, shared_numbers) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![u.id, u.partner, u.at.0, u.call, u.outcome, u.count, u.numbers],
    )?;
    tx.execute(
        "update partner set use_count = use_count + 1, last_used_at = $1 where id = $2",
        &params![u.at.0, u.partner],
    )?;
    Ok(())
}

/// A use as kept.
#[derive(Debug, Clone)]
pub struct UseRow {
    pub id: PartnerUseId,
    pub at: Timestamp,
    pub call: String,
    pub outcome: String,
    pub count: i64,
    pub numbers: String,
}

/// The newest first; one more than `limit` when there are more.
pub fn uses(tx: &mut Tx, partner: PartnerId, after: Option<(i64, String)>, limit: u32) -> Result<Vec<UseRow>, Fault> {
    let mut sql = Sql::new("select u.id, u.at, u.call, u.outcome, u.shared_count, u.shared_numbers from partner_use u where u.partner_id = ")
        .bind(partner);
    if let Some((at, id)) = after {
        sql = sql.push(" and (u.at, u.id) < (").bind(at).push(", ").bind(id).push(")");
    }
    let sql = sql
        .push(" order by u.at desc, u.id desc limit ")
        .bind(i64::from(limit) + 1);
    let read = |row: &Row| -> Result<UseRow, Fault> {
        Ok(UseRow {
            id: row.get(0)?,
            at: Timestamp(row.get(1)?),
            call: row.get(2)?,
            outcome: row.get(3)?,
            count: row.get(4)?,
            numbers: row.get(5)?,
        })
    };
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Takes a content for a new case, unless the same came after `since`: then the case it made. Two at once wait for each other.
pub fn claim_post(
    tx: &mut Tx,
    content: &str,
    case: CaseId,
    now: Timestamp,
    since: Timestamp,
) -> Result<Option<CaseId>, Fault> {
    let taken = tx.execute(
        "insert into partner_post (content_hash, case_id, at) values ($1, $2, $3) on conflict (content_hash) \
         do update set case_id = excluded.case_id, at = excluded.at where partner_post.at <= $4",
        &params![content, case, now.0, since.0],
    )?;
    if taken > 0 {
        return Ok(None);
    }
    earlier_post(tx, content, since)
}

/// The case made from the same content after `since`.
pub fn earlier_post(tx: &mut Tx, content: &str, since: Timestamp) -> Result<Option<CaseId>, Fault> {
    let row = tx.query_opt(
        "select case_id from partner_post where content_hash = $1 and at > $2",
        &params![content, since.0],
    )?;
    row.map(|row| Ok(row.get(0)?)).transpose()
}

/// Forgets what is too old to be a retry.
pub fn forget_posts(tx: &mut Tx, before: Timestamp) -> Result<(), Fault> {
    tx.execute("delete from partner_post where at <= $1", &params![before.0])?;
    Ok(())
}

/// A request handed in.
#[derive(Debug, Clone)]
pub struct RequestRow {
    pub case: CaseId,
    pub partner: PartnerId,
    pub token: String,
    /// Code of the question and the answers given.
    pub attributes: Vec<(String, Vec<String>)>,
}

pub fn insert_request(tx: &mut Tx, r: &RequestRow, at: Timestamp) -> Result<(), Fault> {
    let attributes = serde_json::to_string(&r.attributes).map_err(Fault::internal)?;
    tx.execute(
        "insert into partner_request (case_id, partner_id, token, attributes, at) values ($1, $2, $3, $4, $5)",
        &params![r.case, r.partner, &r.token, attributes, at.0],
    )?;
    Ok(())
}

const REQUESTS: &str = "select r.case_id, r.partner_id, r.token, r.attributes from partner_request r ";

fn request_row(row: &Row) -> Result<RequestRow, Fault> {
    Ok(RequestRow {
        case: row.get(0)?,
        partner: row.get(1)?,
        token: row.get(2)?,
        attributes: serde_json::from_str(row.text(3)?).map_err(Fault::internal)?,
    })
}

/// The request of a case.
pub fn request(tx: &mut Tx, case: CaseId) -> Result<Option<RequestRow>, Fault> {
    let sql = Sql::new(REQUESTS).push("where r.case_id = ").bind(case);
    tx.fetch(&sql)?.first().map(request_row).transpose()
}

/// The request a token waits for, with the area of the partner who has it.
pub fn request_of_token(tx: &mut Tx, token: &str) -> Result<Option<RequestRow>, Fault> {
    let sql = Sql::new(REQUESTS).push("where r.token = ").bind(token);
    tx.fetch(&sql)?.first().map(request_row).transpose()
}

/// Whether the sender's id was taken before.
pub fn update_seen(tx: &mut Tx, partner: PartnerId, update: &str) -> Result<bool, Fault> {
    let row = tx.query_opt(
        "select 1 from partner_update where partner_id = $1 and update_id = $2",
        &params![partner, update],
    )?;
    Ok(row.is_some())
}

/// Takes the sender's id; false when it is taken already.
pub fn insert_update(
    tx: &mut Tx,
    partner: PartnerId,
    update: &str,
    case: CaseId,
    at: Timestamp,
) -> Result<bool, Fault> {
    let made = tx.execute(
        "insert into partner_update (partner_id, update_id, case_id, at) values ($1, $2, $3, $4) \
         on conflict (partner_id, update_id) do nothing",
        &params![partner, update, case, at.0],
    )?;
    Ok(made > 0)
}

/// The list of services known last, and since when.
pub fn newest_list(tx: &mut Tx) -> Result<Option<(String, Timestamp)>, Fault> {
    let row = tx.query_opt(
        "select content_hash, changed_at from service_list order by changed_at desc, content_hash limit 1",
        &params![],
    )?;
    row.map(|row| Ok((row.get(0)?, Timestamp(row.get(1)?)))).transpose()
}

/// Notes that the list is another one from now on.
pub fn list_changed(tx: &mut Tx, content: &str, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "insert into service_list (content_hash, changed_at) values ($1, $2) on conflict (content_hash) do update set changed_at = excluded.changed_at",
        &params![content, now.0],
    )?;
    Ok(())
}
