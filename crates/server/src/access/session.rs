//! Server-side sessions: a random token in a cookie, its hash in the table, idle and absolute limits.

use super::kept::{Known, Sessions};
use super::store;
use crate::platform::{AccountId, App, Ctx, Fault, Lang, Scope, Tx, WorkerId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::time::{HOUR_MS, MINUTE_MS};
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
    let sessions = app.part::<Sessions>();
    let known = match sessions.find(&hash, ctx.now) {
        Some(known) => known,
        None => {
            let before = sessions.before();
            let Some(known) = read(&ctx, &hash).await? else {
                return Ok(None);
            };
            sessions.keep(hash.clone(), known.clone(), before, ctx.now);
            known
        }
    };
    if ctx.now.0 - known.seen >= TOUCH_MS {
        let touched = app.write(&ctx, move |ctx, tx| store::touch_session(tx, &hash, ctx.now));
        // A disk that takes no writes must not keep people from reading: the session then ends by the time last written.
        if let Err(fault) = touched.await {
            tracing::warn!(code = fault.code(), "a session's last use was not written down");
        }
    }
    Ok(Some((known.session, known.scope)))
}

async fn read(ctx: &Ctx, hash: &str) -> Result<Option<Known>, Fault> {
    let seen_after = ctx.now.0 - i64::from(ctx.app.config().limits.session_idle_minutes) * MINUTE_MS;
    let hash = hash.to_owned();
    let found = ctx.app.read(ctx, move |ctx, tx| {
        let Some((session, seen)) = store::session(tx, &hash, ctx.now, seen_after)? else {
            return Ok(None);
        };
        let scope = store::scope(tx, session.account, ctx.now)?;
        Ok(Some(Known { session, scope, seen }))
    });
    found.await
}

/// Opens a session: the token for the cookie. Part of the transaction that made sure who it is.
pub fn open(ctx: &Ctx, tx: &mut Tx, account: AccountId, user_agent: &str) -> Result<String, Fault> {
    let token = BASE64.encode(ctx.app.chance().bytes::<32>());
    let id = hex::encode(ctx.app.chance().bytes::<16>());
    let expires = ctx.now.0 + i64::from(ctx.app.config().limits.session_hours) * HOUR_MS;
    let agent: String = user_agent
        .chars()
        .filter(|c| !c.is_control())
        .take(USER_AGENT)
        .collect();
    store::add_session(tx, &token_hash(&token), &id, account, ctx.now, expires, &agent)?;
    store::remove_ended_sessions(tx, ctx.now)?;
    Ok(token)
}

/// What the table keeps instead of the token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The `Set-Cookie` that hands over a token; with an empty token, the one that takes it back.
pub fn cookie(app: &App, token: &str) -> String {
    let seconds = if token.is_empty() {
        0
    } else {
        u64::from(app.config().limits.session_hours) * 3600
    };
    let (name, secure) = if app.config().secure() {
        (COOKIE_SECURE, "; Secure")
    } else {
        (COOKIE_PLAIN, "")
    };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}
