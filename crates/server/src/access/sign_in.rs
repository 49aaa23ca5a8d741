//! Signing in: the password check with its lock-out, the second factor, changing the password.
//!
//! An attempt is counted before the password is looked at and forgiven when it was right, so that many attempts at once get no more
//! tries than one after the other. Unknown names are counted, delayed and answered exactly as known ones.

use super::store::{self, Credentials};
use super::{password, session, totp};
use crate::platform::throttle::Budget;
use crate::platform::{AccountId, App, Ctx, Fault, Mark, Subject, Tx};
use axum::http::StatusCode;
use domain::time::{DAY_MS, MINUTE_MS};
use serde_json::json;
use std::net::IpAddr;

/// Wrong passwords in a row after which a name is locked.
pub const TRIES: i64 = 5;
/// How long, the first time; doubled with each further wrong password.
const LOCK_MS: i64 = 15 * MINUTE_MS;
/// The longest lock.
const LOCK_LONGEST_MS: i64 = DAY_MS;
/// Window of the budget of one address.
const ADDRESS_WINDOW_MS: i64 = 10 * MINUTE_MS;
/// Table and column of the second factor's secret, for sealing.
const TOTP_PLACE: (&str, &str) = ("account", "totp_sealed");

/// What somebody types to sign in.
pub struct Attempt {
    pub login: String,
    pub password: String,
    pub totp: Option<String>,
    pub address: IpAddr,
    pub user_agent: String,
    /// Hash of the token the browser holds already: that session ends.
    pub replaces: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SignInError {
    /// Name or password wrong; which of them is not told.
    #[error("bad credentials")]
    BadCredentials,
    /// The password is right, a code is needed too.
    #[error("a code is needed")]
    TotpRequired,
    /// The code is wrong or was used before.
    #[error("wrong code")]
    TotpWrong,
    /// Too many wrong passwords for this name.
    #[error("locked for {0} s")]
    Locked(u64),
    /// Too many attempts from this address.
    #[error("too many attempts, {0} s")]
    TooMany(u64),
}

impl From<SignInError> for Fault {
    fn from(error: SignInError) -> Fault {
        let refused = |code| Fault::new(StatusCode::UNAUTHORIZED, code);
        match error {
            SignInError::BadCredentials => refused("bad_credentials"),
            SignInError::TotpRequired => refused("totp_required").field("totp"),
            SignInError::TotpWrong => refused("totp_wrong").field("totp"),
            SignInError::Locked(seconds) => Fault::new(StatusCode::LOCKED, "account_locked")
                .with("minutes", seconds.div_ceil(60))
                .retry_after(seconds),
            SignInError::TooMany(seconds) => Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests")
                .with("seconds", seconds)
                .retry_after(seconds),
        }
    }
}

/// Signs in: the account and the token of its new session.
pub async fn sign_in(app: &App, ctx: &Ctx, attempt: Attempt) -> Result<(AccountId, String), Fault> {
    within_address_budget(app, attempt.address)?;
    let login = attempt.login.trim().to_lowercase();
    let index = login_index(app, &login);
    let credentials = count_attempt(app, ctx, index.clone(), login).await?;
    let stored = credentials
        .as_ref()
        .filter(|found| found.active)
        .map(|found| found.password_hash.clone());
    let right = password::verify(app, attempt.password, stored).await?;
    let Some(credentials) = credentials.filter(|_| right) else {
        return Err(SignInError::BadCredentials.into());
    };
    let (code, agent, replaces) = (attempt.totp, attempt.user_agent, attempt.replaces);
    // A wrong code undoes nothing of the count: that was kept before.
    app.write(ctx, move |ctx, tx| {
        let fresh = still_valid(tx, &credentials)?;
        second_factor(ctx, tx, &fresh, code.as_deref())?;
        store::clear_failures(tx, &index)?;
        if let Some(old) = replaces {
            store::remove_session_by_token(tx, &old)?;
        }
        let token = session::open(ctx, tx, fresh.account, &agent)?;
        tx.record(
            ctx,
            Mark::new("session.opened", Subject::Account(fresh.account), json!({})),
        )?;
        Ok((fresh.account, token))
    })
    .await
}

/// Replaces the password of a signed-in person: the token of a new session; all earlier sessions end.
pub async fn change_password(app: &App, ctx: &Ctx, login: String, change: PasswordChange) -> Result<String, Fault> {
    let account = ctx.account()?;
    confirm_password(app, ctx, &login, change.old, change.address).await?;
    password::acceptable(&change.new, &login)?;
    let hash = password::hash(app, change.new).await?;
    let agent = change.user_agent;
    let token = app
        .write(ctx, move |ctx, tx| {
            store::set_password(tx, account, &hash, false)?;
            store::remove_sessions(tx, account)?;
            tx.record(
                ctx,
                Mark::new("account.password_changed", Subject::Account(account), json!({})),
            )?;
            session::open(ctx, tx, account, &agent)
        })
        .await?;
    app.live().drop_account(account);
    Ok(token)
}

/// What changing a password takes.
pub struct PasswordChange {
    pub old: String,
    pub new: String,
    pub address: IpAddr,
    pub user_agent: String,
}

/// Makes sure once more that it is the person: with the same counting as signing in.
pub async fn confirm_password(
    app: &App,
    ctx: &Ctx,
    login: &str,
    password: String,
    address: IpAddr,
) -> Result<(), Fault> {
    within_address_budget(app, address)?;
    let index = login_index(app, login);
    let credentials = count_attempt(app, ctx, index.clone(), login.to_owned()).await?;
    let stored = credentials.map(|found| found.password_hash);
    if !password::verify(app, password, stored).await? {
        return Err(Fault::from(SignInError::BadCredentials).field("old"));
    }
    app.write(ctx, move |_, tx| store::clear_failures(tx, &index)).await
}

/// Begins setting up the second factor: its secret, kept as pending until [`confirm_totp`].
pub async fn begin_totp(app: &App, ctx: &Ctx) -> Result<[u8; totp::SECRET], Fault> {
    let account = ctx.account()?;
    let secret = app.chance().bytes::<{ totp::SECRET }>();
    let sealed = app.seal(TOTP_PLACE.0, &account.to_string(), TOTP_PLACE.1, &hex::encode(secret));
    app.write(ctx, move |ctx, tx| {
        let now = store::credentials(tx, account)?;
        if now.totp_sealed.is_some() {
            return Err(Fault::conflict("totp_already_on"));
        }
        store::set_totp(tx, account, None, Some(sealed), 0)?;
        tx.record(
            ctx,
            Mark::new("account.totp_begun", Subject::Account(account), json!({})),
        )?;
        Ok(())
    })
    .await?;
    Ok(secret)
}

/// Turns the second factor on, when the first code is right.
pub async fn confirm_totp(app: &App, ctx: &Ctx, code: String) -> Result<(), Fault> {
    let account = ctx.account()?;
    app.write(ctx, move |ctx, tx| {
        let found = store::credentials(tx, account)?;
        let pending = found
            .totp_pending_sealed
            .ok_or_else(|| Fault::conflict("totp_not_begun"))?;
        let secret = open_secret(ctx, account, &pending)?;
        let step = totp::check(&secret, &code, ctx.now, 0)?.ok_or_else(|| Fault::invalid("code", "totp_wrong"))?;
        store::set_totp(tx, account, Some(pending), None, step)?;
        tx.record(ctx, Mark::new("account.totp_on", Subject::Account(account), json!({})))?;
        Ok(())
    })
    .await
}

/// Turns the second factor off. The caller has confirmed the password.
pub async fn end_totp(app: &App, ctx: &Ctx) -> Result<(), Fault> {
    let account = ctx.account()?;
    app.write(ctx, move |ctx, tx| {
        store::set_totp(tx, account, None, None, 0)?;
        tx.record(ctx, Mark::new("account.totp_off", Subject::Account(account), json!({})))?;
        Ok(())
    })
    .await
}

fn within_address_budget(app: &App, address: IpAddr) -> Result<(), SignInError> {
    let limit = app.config().limits.logins_per_ten_minutes;
    app.throttle()
        .take(Budget::Login, address, limit, ADDRESS_WINDOW_MS, app.now())
        .map_err(SignInError::TooMany)
}

fn login_index(app: &App, login: &str) -> String {
    app.sealer().blind_index("login", login)
}

/// Counts one attempt for the name and gives what is known about it; refuses while the name is locked.
async fn count_attempt(app: &App, ctx: &Ctx, index: String, login: String) -> Result<Option<Credentials>, Fault> {
    app.write(ctx, move |ctx, tx| {
        store::forget_failures(tx, ctx.now.0 - LOCK_LONGEST_MS)?;
        let (count, locked_until) = store::count_attempt(tx, &index, ctx.now)?;
        if locked_until > ctx.now.0 {
            // The error undoes the count: a locked name is not locked longer by asking again.
            let seconds = u64::try_from(locked_until - ctx.now.0)
                .unwrap_or_default()
                .div_ceil(1000);
            return Err(SignInError::Locked(seconds).into());
        }
        if count >= TRIES {
            store::lock_login(tx, &index, locked_after(count, ctx.now.0))?;
        }
        store::credentials_of_login(tx, &login)
    })
    .await
}

/// Until when a name is locked after its n-th attempt in a row, n at least [`TRIES`].
fn locked_after(count: i64, now: i64) -> i64 {
    let doublings = u32::try_from(count - TRIES).unwrap_or(u32::MAX).min(10);
    now + (LOCK_MS << doublings).min(LOCK_LONGEST_MS)
}

/// The account as it is now, if the password that was checked is still its password.
fn still_valid(tx: &mut Tx, checked: &Credentials) -> Result<Credentials, Fault> {
    let now = store::credentials(tx, checked.account)?;
    let same = now.active && now.password_hash == checked.password_hash;
    if same {
        Ok(now)
    } else {
        Err(SignInError::BadCredentials.into())
    }
}

/// Asks for the second factor where there is one. A step is used up here, once, also when two browsers send the same code at once.
fn second_factor(ctx: &Ctx, tx: &mut Tx, account: &Credentials, code: Option<&str>) -> Result<(), Fault> {
    let Some(sealed) = &account.totp_sealed else {
        return Ok(());
    };
    let code = code
        .filter(|code| !code.trim().is_empty())
        .ok_or(SignInError::TotpRequired)?;
    let secret = open_secret(ctx, account.account, sealed)?;
    let step = totp::check(&secret, code, ctx.now, account.totp_last_step)?.ok_or(SignInError::TotpWrong)?;
    let used = store::use_totp_step(tx, account.account, step)?;
    if used {
        Ok(())
    } else {
        Err(SignInError::TotpWrong.into())
    }
}

fn open_secret(ctx: &Ctx, account: AccountId, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
    let id = account.to_string();
    let place = crate::platform::sealed::Place {
        table: TOTP_PLACE.0,
        id: &id,
        column: TOTP_PLACE.1,
    };
    let opened = ctx.app.sealer().open(place, sealed).map_err(Fault::internal)?;
    hex::decode(opened.reveal()).map_err(Fault::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_grow_and_end() {
        assert_eq!(locked_after(TRIES, 1000), 1000 + 15 * MINUTE_MS);
        assert_eq!(locked_after(TRIES + 1, 1000), 1000 + 30 * MINUTE_MS);
        assert_eq!(locked_after(i64::MAX, 1000), 1000 + LOCK_LONGEST_MS);
    }
}
