//! Server-side sessions: a random token in a cookie, its hash in the table, idle and absolute limits.

use crate::platform::{
    AccountId, App, AreaId, Ctx, Fault, Grant, Lang, Permission, Permissions, Scope, Tx, UnitId, WorkerId,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use db::{Row, params};
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use sha2::{Digest, Sha256};

/// Cookie name over https: the browser then holds it to this host and to secure connections.
pub const COOKIE_SECURE: &str = "__Host-wangge";
/// Cookie name without https (one machine, a demo).
pub const COOKIE_PLAIN: &str = "wangge";
/// The time of last use is written at most this often.
const TOUCH_MS: i64 = MINUTE_MS;
/// Characters of a browser's name that are kept, to tell one's sessions apart.
const USER_AGENT: usize = 200;

/// A live session and the account behind it.
#[derive(Debug, Clone)]
pub struct Session {
    /// What the list of sessions shows; not the token.
    pub id: String,
    /// Who.
    pub account: AccountId,
    /// The login name.
    pub login: String,
    /// The name shown.
    pub name: String,
    /// The worker it belongs to.
    pub worker: Option<WorkerId>,
    /// The language chosen.
    pub lang: Lang,
    /// Nothing but a new password is accepted.
    pub must_change_password: bool,
    /// Whether a second factor is set up.
    pub totp_enabled: bool,
}

/// The session of a token and the scope of its account now; none when it ended, was revoked or the account is disabled.
pub async fn find(app: &App, token: &str) -> Result<Option<(Session, Scope)>, Fault> {
    let ctx = Ctx::system(app, "session");
    let hash = token_hash(token);
    let idle_ms = i64::from(app.config().limits.session_idle_minutes) * MINUTE_MS;
    let found = app.read(&ctx, {
        let hash = hash.clone();
        move |ctx, tx| {
            let Some(row) = tx.query_opt(FIND, &params![hash, ctx.now.0, ctx.now.0 - idle_ms])? else {
                return Ok(None);
            };
            let seen: i64 = row.get(7)?;
            let session = session_of(&row)?;
            let scope = scope_of(tx, session.account, ctx.now)?;
            Ok(Some((session, scope, seen)))
        }
    });
    let Some((session, scope, seen)) = found.await? else {
        return Ok(None);
    };
    if ctx.now.0 - seen >= TOUCH_MS {
        app.write(&ctx, move |ctx, tx| {
            tx.housekeeping(
                "update session set seen_at = $1 where token_hash = $2",
                &params![ctx.now.0, hash],
            )?;
            Ok(())
        })
        .await?;
    }
    Ok(Some((session, scope)))
}

const FIND: &str = "select s.id, a.id, a.login, a.name, a.worker_id, a.lang, a.must_change_password, s.seen_at,
    case when a.totp_sealed is null then 0 else 1 end
    from session s join account a on a.id = s.account_id
    where s.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3 and a.state = 'active'";

fn session_of(row: &Row) -> Result<Session, Fault> {
    Ok(Session {
        id: row.get(0)?,
        account: row.get(1)?,
        login: row.get(2)?,
        name: row.get(3)?,
        worker: row.get(4)?,
        lang: Lang::from_key(row.text(5)?),
        must_change_password: row.get(6)?,
        totp_enabled: row.get::<i64>(8)? == 1,
    })
}

/// The grants of an account in force at an instant. At most [`GRANTS`](super::account::GRANTS) are given to one account.
pub fn scope_of(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Scope, Fault> {
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

/// A stored list of permission keys.
pub fn permissions_of(json: &str) -> Result<Permissions, Fault> {
    let keys: Vec<String> = serde_json::from_str(json).map_err(Fault::internal)?;
    keys.iter()
        .map(|key| {
            Permission::from_key(key).ok_or_else(|| Fault::internal(format!("unknown permission {key} in table role")))
        })
        .collect()
}

/// Opens a session: the token for the cookie. Part of the transaction that checked the password.
pub fn open(ctx: &Ctx, tx: &mut Tx, account: AccountId, user_agent: &str) -> Result<String, Fault> {
    let token = BASE64.encode(ctx.app.chance().bytes::<32>());
    let id = hex::encode(ctx.app.chance().bytes::<16>());
    let expires = ctx.now.0 + i64::from(ctx.app.config().limits.session_hours) * HOUR_MS;
    let agent: String = user_agent.chars().take(USER_AGENT).collect();
    tx.housekeeping(
        "insert into session (token_hash, id, account_id, created_at, seen_at, expires_at, user_agent) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![token_hash(&token), id, account, ctx.now.0, ctx.now.0, expires, agent],
    )?;
    tx.housekeeping("delete from session where expires_at <= $1", &params![ctx.now.0])?;
    Ok(token)
}

/// What the table keeps instead of the token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
