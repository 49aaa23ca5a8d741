//! The SQL of access. Rows in, rows out; decides nothing.

pub mod moves;

use super::account::{AccountRow, AccountState, GrantRow, NewGrant};
use super::kept;
use super::read_log::Look;
use super::session::Session;
use crate::platform::http::PAGE_MAX;
use crate::platform::{
    AccessId, AccountId, AreaId, Ctx, Fault, Grant, GrantId, Lang, Permission, Permissions, Scope, Subject, Tx, UnitId,
    WorkerId,
};
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// A role as stored.
#[derive(Debug, Clone)]
pub struct Role {
    /// Stable key.
    pub key: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What it allows.
    pub permissions: Permissions,
}

/// All roles, built-in ones first made first.
pub fn roles(tx: &mut Tx) -> Result<Vec<Role>, Fault> {
    let rows = tx.query(
        "select key, name_zh, name_en, permissions from role order by key",
        &params![],
    )?;
    rows.iter()
        .map(|row| {
            let permissions = permissions_of(row.text(3)?)?;
            Ok(Role {
                key: row.get(0)?,
                name_zh: row.get(1)?,
                name_en: row.get(2)?,
                permissions,
            })
        })
        .collect()
}

/// A stored list of permission keys.
fn permissions_of(json: &str) -> Result<Permissions, Fault> {
    let keys: Vec<String> = serde_json::from_str(json).map_err(Fault::internal)?;
    let known = |key: &String| {
        Permission::from_key(key).ok_or_else(|| Fault::internal(format!("unknown permission {key} in table role")))
    };
    keys.iter().map(known).collect()
}

/// A session that is neither over nor idle, of an active account, and when it was last used.
pub fn session(
    tx: &mut Tx,
    token_hash: &str,
    now: Timestamp,
    seen_after: i64,
) -> Result<Option<(Session, i64)>, Fault> {
    const SQL: &str = "select s.id, a.id, a.login, a.name, a.worker_id, a.lang, a.must_change_password, s.seen_at,
        case when a.totp_sealed is null then 0 else 1 end
        from session s join account a on a.id = s.account_id
        where s.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3 and a.state = 'active'";
    let Some(row) = tx.query_opt(SQL, &params![token_hash, now.0, seen_after])? else {
        return Ok(None);
    };
    let session = Session {
        id: row.get(0)?,
        account: row.get(1)?,
        login: row.get(2)?,
        name: row.get(3)?,
        worker: row.get(4)?,
        lang: Lang::from_key(row.text(5)?),
        must_change_password: row.get(6)?,
        totp_enabled: row.get::<i64>(8)? == 1,
    };
    Ok(Some((session, row.get(7)?)))
}

pub fn touch_session(tx: &mut Tx, token_hash: &str, now: Timestamp) -> Result<(), Fault> {
    kept::changed(tx);
    tx.housekeeping(
        "update session set seen_at = $1 where token_hash = $2",
        &params![now.0, token_hash],
    )?;
    Ok(())
}

pub fn add_session(
    tx: &mut Tx,
    token_hash: &str,
    id: &str,
    account: AccountId,
    now: Timestamp,
    expires: i64,
    agent: &str,
) -> Result<(), Fault> {
    tx.housekeeping(
        "insert into session (token_hash, id, account_id, created_at, seen_at, expires_at, user_agent) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![token_hash, id, account, now.0, now.0, expires, agent],
    )?;
    Ok(())
}

/// Removes sessions that are over: called at each sign-in, so that the table does not grow.
pub fn remove_ended_sessions(tx: &mut Tx, now: Timestamp) -> Result<(), Fault> {
    tx.housekeeping("delete from session where expires_at <= $1", &params![now.0])?;
    Ok(())
}

pub fn remove_session_by_token(tx: &mut Tx, token_hash: &str) -> Result<(), Fault> {
    kept::changed(tx);
    tx.housekeeping("delete from session where token_hash = $1", &params![token_hash])?;
    Ok(())
}

/// Removes one of the account's own sessions; whether there was one.
pub fn remove_session(tx: &mut Tx, account: AccountId, id: &str) -> Result<bool, Fault> {
    kept::changed(tx);
    Ok(tx.housekeeping(
        "delete from session where account_id = $1 and id = $2",
        &params![account, id],
    )? > 0)
}

pub fn remove_sessions(tx: &mut Tx, account: AccountId) -> Result<(), Fault> {
    kept::changed(tx);
    tx.housekeeping("delete from session where account_id = $1", &params![account])?;
    Ok(())
}

/// One line of the list of one's sessions.
#[derive(Debug, Clone)]
pub struct SessionRow {
    pub id: String,
    pub created_at: i64,
    pub seen_at: i64,
    pub user_agent: String,
}

pub fn sessions(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Vec<SessionRow>, Fault> {
    const SQL: &str = "select id, created_at, seen_at, user_agent from session
        where account_id = $1 and expires_at > $2 order by created_at desc, id limit 100";
    let rows = tx.query(SQL, &params![account, now.0])?;
    rows.iter()
        .map(|row| {
            Ok(SessionRow {
                id: row.get(0)?,
                created_at: row.get(1)?,
                seen_at: row.get(2)?,
                user_agent: row.get(3)?,
            })
        })
        .collect()
}

/// The grants of an account in force at an instant.
pub fn scope(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Scope, Fault> {
    const SQL: &str =
        "select r.permissions, g.area_id, g.depth, g.unit_id from account_grant g join role r on r.key = g.role
        where g.account_id = $1 and g.valid_from <= $2 and (g.valid_to is null or g.valid_to > $3) order by g.id";
    let rows = tx.query(SQL, &params![account, now.0, now.0])?;
    let grants = rows.iter().map(|row| {
        let area: Option<AreaId> = row.get(1)?;
        let unit: Option<UnitId> = row.get(3)?;
        Ok(Grant {
            permissions: permissions_of(row.text(0)?)?,
            area,
            depth: row.get(2)?,
            unit,
        })
    });
    Ok(Scope {
        grants: grants.collect::<Result<_, Fault>>()?,
    })
}

/// What the check of a password needs.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub account: AccountId,
    pub password_hash: String,
    pub active: bool,
    pub totp_sealed: Option<Vec<u8>>,
    pub totp_pending_sealed: Option<Vec<u8>>,
    pub totp_last_step: i64,
}

const CREDENTIALS: &str =
    "select id, password_hash, state, totp_sealed, totp_pending_sealed, totp_last_step from account where ";

pub fn credentials_of_login(tx: &mut Tx, login: &str) -> Result<Option<Credentials>, Fault> {
    let row = tx.fetch(&Sql::new(CREDENTIALS).push("login = ").bind(login))?.pop();
    row.map(|row| credentials_of(&row)).transpose()
}

pub fn credentials(tx: &mut Tx, account: AccountId) -> Result<Credentials, Fault> {
    let row = tx
        .fetch(&Sql::new(CREDENTIALS).push("id = ").bind(account))?
        .pop()
        .ok_or_else(Fault::not_found)?;
    credentials_of(&row)
}

fn credentials_of(row: &Row) -> Result<Credentials, Fault> {
    Ok(Credentials {
        account: row.get(0)?,
        password_hash: row.get(1)?,
        active: row.text(2)? == "active",
        totp_sealed: row.get(3)?,
        totp_pending_sealed: row.get(4)?,
        totp_last_step: row.get::<Option<i64>>(5)?.unwrap_or_default(),
    })
}

/// Counts one attempt for a login name; how many there were in a row, and until when the name was locked before it. Counting first
/// holds the row, so that attempts at the same time are counted one after the other.
pub fn count_attempt(tx: &mut Tx, login_index: &str, now: Timestamp) -> Result<(i64, i64), Fault> {
    const COUNT: &str = "insert into login_failure (login_index, failed_count, locked_until, last_at) values ($1, 1, 0, $2)
        on conflict (login_index) do update set failed_count = login_failure.failed_count + 1, last_at = excluded.last_at";
    const LOOK: &str = "select failed_count, locked_until from login_failure where login_index = $1";
    tx.housekeeping(COUNT, &params![login_index, now.0])?;
    let row = tx.query_one(LOOK, &params![login_index])?;
    Ok((row.get(0)?, row.get(1)?))
}

pub fn lock_login(tx: &mut Tx, login_index: &str, until: i64) -> Result<(), Fault> {
    const SQL: &str = "update login_failure set locked_until = $1 where login_index = $2";
    tx.housekeeping(SQL, &params![until, login_index])?;
    Ok(())
}

pub fn clear_failures(tx: &mut Tx, login_index: &str) -> Result<(), Fault> {
    tx.housekeeping(
        "delete from login_failure where login_index = $1",
        &params![login_index],
    )?;
    Ok(())
}

/// Forgets counters nobody added to for a day, so that guessing names does not fill the table.
pub fn forget_failures(tx: &mut Tx, before: i64) -> Result<(), Fault> {
    tx.housekeeping("delete from login_failure where last_at < $1", &params![before])?;
    Ok(())
}

pub fn set_password(tx: &mut Tx, account: AccountId, hash: &str, must_change: bool) -> Result<(), Fault> {
    kept::changed(tx);
    const SQL: &str = "update account set password_hash = $1, must_change_password = $2 where id = $3";
    tx.execute(SQL, &params![hash, must_change, account])?;
    Ok(())
}

/// Sets the sealed secrets of the second factor: the one in use, the one waiting for its first code, the last step used.
pub fn set_totp(
    tx: &mut Tx,
    account: AccountId,
    secret: Option<Vec<u8>>,
    pending: Option<Vec<u8>>,
    last_step: i64,
) -> Result<(), Fault> {
    kept::changed(tx);
    const SQL: &str =
        "update account set totp_sealed = $1, totp_pending_sealed = $2, totp_last_step = $3 where id = $4";
    tx.execute(SQL, &params![secret, pending, last_step, account])?;
    Ok(())
}

/// Uses up a time step of the second factor; false when it, or a later one, was used already.
pub fn use_totp_step(tx: &mut Tx, account: AccountId, step: i64) -> Result<bool, Fault> {
    const SQL: &str = "update account set totp_last_step = $1 where id = $2 and coalesce(totp_last_step, 0) < $3";
    Ok(tx.execute(SQL, &params![step, account, step])? == 1)
}

pub fn account_count(tx: &mut Tx) -> Result<i64, Fault> {
    Ok(tx.query_one("select count(*) from account", &params![])?.get(0)?)
}

pub fn add_account(tx: &mut Tx, account: &AccountRow, password_hash: &str, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "insert into account (id, login, name, worker_id, password_hash, state, must_change_password, lang, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &params![
            account.id,
            &account.login,
            &account.name,
            account.worker,
            password_hash,
            account.state.key(),
            account.must_change_password,
            Lang::Zh.key(),
            now.0
        ],
    )?;
    Ok(())
}

pub fn set_account(tx: &mut Tx, id: AccountId, name: &str, state: AccountState) -> Result<(), Fault> {
    kept::changed(tx);
    tx.execute(
        "update account set name = $1, state = $2 where id = $3",
        &params![name, state.key(), id],
    )?;
    Ok(())
}

pub fn set_lang(tx: &mut Tx, id: AccountId, lang: Lang) -> Result<(), Fault> {
    kept::changed(tx);
    tx.execute("update account set lang = $1 where id = $2", &params![lang.key(), id])?;
    Ok(())
}

const ACCOUNT: &str = "select a.id, a.login, a.name, a.worker_id, a.state, a.must_change_password,
    case when a.totp_sealed is null then 0 else 1 end from account a where ";

fn account_of(row: &Row) -> Result<AccountRow, Fault> {
    let worker: Option<WorkerId> = row.get(3)?;
    Ok(AccountRow {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        worker,
        state: AccountState::from_key(row.text(4)?),
        must_change_password: row.get(5)?,
        totp_enabled: row.get::<i64>(6)? == 1,
    })
}

/// An account whatever the scope: for itself and for checks that follow.
pub fn account(tx: &mut Tx, id: AccountId) -> Result<Option<AccountRow>, Fault> {
    let row = tx.fetch(&Sql::new(ACCOUNT).push("a.id = ").bind(id))?.pop();
    row.map(|row| account_of(&row)).transpose()
}

pub fn account_by_login(tx: &mut Tx, login: &str) -> Result<Option<AccountRow>, Fault> {
    let row = tx.fetch(&Sql::new(ACCOUNT).push("a.login = ").bind(login))?.pop();
    row.map(|row| account_of(&row)).transpose()
}

/// An account with at least one grant inside the scope.
pub fn account_in_scope(
    tx: &mut Tx,
    scope: &Scope,
    permission: Permission,
    id: AccountId,
) -> Result<Option<AccountRow>, Fault> {
    let sql = granted_inside(
        Sql::new(ACCOUNT).push("a.id = ").bind(id).push(" and "),
        scope,
        permission,
        "a.id",
    );
    let row = tx.fetch(&sql)?.pop();
    row.map(|row| account_of(&row)).transpose()
}

/// Accounts with a grant inside the scope whose login or name contains the text, by login.
pub fn accounts(
    tx: &mut Tx,
    scope: &Scope,
    text: Option<&str>,
    after: Option<String>,
    limit: u32,
) -> Result<Vec<AccountRow>, Fault> {
    let mut sql = granted_inside(Sql::new(ACCOUNT), scope, Permission::AccountManage, "a.id");
    if let Some(text) = text {
        let pattern = like_pattern(text);
        sql = sql
            .push(" and (a.login like ")
            .bind(&pattern)
            .push(" escape '!' or a.name like ")
            .bind(&pattern)
            .push(" escape '!')");
    }
    if let Some(after) = after {
        sql = sql.push(" and a.login > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by a.login limit ").bind(limit.min(PAGE_MAX) + 1))?;
    rows.iter().map(account_of).collect()
}

/// `%text%` with the wildcards of the text itself taken literally (escape character `!`).
fn like_pattern(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| if "!%_".contains(c) { vec!['!', c] } else { vec![c] })
        .collect();
    format!("%{escaped}%")
}

/// Adds a condition: the account has a grant whose area lies inside the scope. Someone with the whole jurisdiction sees every account.
fn granted_inside(sql: Sql, scope: &Scope, permission: Permission, account: &'static str) -> Sql {
    if scope
        .with(permission)
        .any(|grant| grant.area.is_none() && grant.unit.is_none())
    {
        return sql.push("1 = 1");
    }
    let sql = sql
        .push("exists (select 1 from account_grant g where g.account_id = ")
        .push(account)
        .push(" and ");
    scope.area_predicate(sql, permission, "g").push(")")
}

/// All grants of an account that are not over.
pub fn grants(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Vec<GrantRow>, Fault> {
    const SQL: &str = "select g.role, g.area_id, g.unit_id, g.a1, g.a2, g.a3, g.a4, g.a5, r.name_zh, r.name_en
        from account_grant g join role r on r.key = g.role
        where g.account_id = $1 and (g.valid_to is null or g.valid_to > $2) order by g.id";
    let rows = tx.query(SQL, &params![account, now.0])?;
    rows.iter()
        .map(|row| {
            Ok(GrantRow {
                role: row.get(0)?,
                area: row.get(1)?,
                unit: row.get(2)?,
                chain: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
                role_name_zh: row.get(8)?,
                role_name_en: row.get(9)?,
            })
        })
        .collect()
}

pub fn add_grant(tx: &mut Tx, id: GrantId, account: AccountId, grant: &NewGrant, now: Timestamp) -> Result<(), Fault> {
    kept::changed(tx);
    let [a1, a2, a3, a4, a5] = grant.chain;
    tx.execute(
        "insert into account_grant (id, account_id, role, area_id, depth, a1, a2, a3, a4, a5, unit_id, valid_from, valid_to)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, null)",
        &params![id, account, &grant.role, grant.area, grant.depth, a1, a2, a3, a4, a5, grant.unit, now.0],
    )?;
    Ok(())
}

/// Ends every grant of the account now; they stay as history.
pub fn end_grants(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), Fault> {
    kept::changed(tx);
    const SQL: &str =
        "update account_grant set valid_to = $1 where account_id = $2 and (valid_to is null or valid_to > $3)";
    tx.execute(SQL, &params![now.0, account, now.0])?;
    Ok(())
}

/// Writes one entry of the access log.
pub fn add_access(ctx: &Ctx, tx: &mut Tx, id: AccessId, subject: Subject, entry: Access<'_>) -> Result<(), Fault> {
    tx.execute(
        "insert into access_log (id, at, account_id, actor, purpose, reason, subject_kind, subject_id, fields, case_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            id,
            ctx.now.0,
            ctx.actor.account(),
            ctx.actor.key(),
            ctx.purpose.key(),
            entry.reason,
            subject.kind(),
            subject.id(),
            entry.fields,
            entry.case
        ],
    )?;
    Ok(())
}

/// What an entry holds beside who, when and why.
pub struct Access<'a> {
    pub reason: Option<&'a str>,
    pub fields: String,
    pub case: Option<crate::platform::CaseId>,
}

/// One entry of the access log as stored.
#[derive(Debug, Clone)]
pub struct AccessRow {
    pub id: AccessId,
    pub at: i64,
    pub account: Option<AccountId>,
    pub account_name: Option<String>,
    pub actor: String,
    pub purpose: String,
    pub reason: Option<String>,
    pub subject_kind: String,
    pub subject_id: Option<String>,
    pub fields: String,
    pub case_id: Option<String>,
}

/// What the log is looked at for.
#[derive(Debug, Clone, Default)]
pub struct AccessFilter {
    pub subject: Option<String>,
    pub account: Option<AccountId>,
    pub after: Option<AccessId>,
    pub limit: u32,
}

/// Entries made by accounts inside the scope, newest first.
pub fn accesses(tx: &mut Tx, scope: &Scope, filter: &AccessFilter) -> Result<Vec<AccessRow>, Fault> {
    let sql = Sql::new(
        "select l.id, l.at, l.account_id, a.name, l.actor, l.purpose, l.reason, l.subject_kind, l.subject_id, l.fields, l.case_id
         from access_log l left join account a on a.id = l.account_id where ",
    );
    let mut sql = granted_inside(sql, scope, Permission::AuditRead, "l.account_id");
    if let Some(subject) = &filter.subject {
        sql = sql
            .push(" and (l.subject_id = ")
            .bind(subject)
            .push(" or l.case_id = ")
            .bind(subject)
            .push(")");
    }
    if let Some(account) = filter.account {
        sql = sql.push(" and l.account_id = ").bind(account);
    }
    if let Some(after) = filter.after {
        sql = sql.push(" and l.id < ").bind(after);
    }
    let rows = tx.fetch(
        &sql.push(" order by l.id desc limit ")
            .bind(filter.limit.min(PAGE_MAX) + 1),
    )?;
    rows.iter()
        .map(|row| {
            Ok(AccessRow {
                id: row.get(0)?,
                at: row.get(1)?,
                account: row.get(2)?,
                account_name: row.get(3)?,
                actor: row.get(4)?,
                purpose: row.get(5)?,
                reason: row.get(6)?,
                subject_kind: row.get(7)?,
                subject_id: row.get(8)?,
                fields: row.get(9)?,
                case_id: row.get(10)?,
            })
        })
        .collect()
}

/// Looks at one subject, the newest first; one more than `limit` when there are more.
pub fn looks(tx: &mut Tx, subjects: &[Subject], after: Option<AccessId>, limit: u32) -> Result<Vec<Look>, Fault> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        "select l.id, l.at, coalesce(a.name, l.actor), l.purpose, l.reason, l.fields
         from access_log l left join account a on a.id = l.account_id where l.subject_kind in (",
    );
    // An id is one thing's in all kinds: the kinds are for the index.
    let kinds: std::collections::BTreeSet<&str> = subjects.iter().map(Subject::kind).collect();
    let ids = subjects.iter().filter_map(Subject::id);
    let mut sql = sql.list(kinds).push(") and l.subject_id in (").list(ids).push(")");
    if let Some(after) = after {
        sql = sql.push(" and l.id < ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by l.id desc limit ").bind(i64::from(limit) + 1))?;
    rows.iter()
        .map(|row| {
            Ok(Look {
                id: row.get(0)?,
                at: Timestamp(row.get(1)?),
                who: row.get(2)?,
                purpose: row.get(3)?,
                reason: row.get(4)?,
                fields: row.get(5)?,
            })
        })
        .collect()
}

/// The first active account of a worker.
pub fn account_of_worker(tx: &mut Tx, worker: WorkerId) -> Result<Option<AccountId>, Fault> {
    let sql = "select id from account where worker_id = $1 and state = 'active' order by created_at, id limit 1";
    tx.query_opt(sql, &[worker.into()])?
        .map(|row| Ok(row.get(0)?))
        .transpose()
}
