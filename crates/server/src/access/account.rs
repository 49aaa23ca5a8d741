//! Accounts and the roles given to them.
//!
//! Rules here: an administrator reaches only accounts whose every grant lies inside the own area; nobody changes the own rights; one
//! account holds at most one of the three administrator roles (GB/T 22239-2019 8.1.4: system, security and audit kept apart).

use super::{directory, password, store};
use crate::platform::http::PageQuery;
use crate::platform::scope::MAX_DEPTH;
use crate::platform::{
    AccountId, App, AreaId, Ctx, Fault, GrantId, Mark, Page, Permission, Scope, Subject, Tx, UnitId, WorkerId,
};
use axum::http::StatusCode;
use serde_json::json;

/// Grants one account can have at the same time.
pub const GRANTS: usize = 20;
/// Characters of a login name at most.
const LOGIN: usize = 40;
/// Characters of a person's name at most.
const NAME: usize = 60;
/// The three roles that keep each other in check.
const ADMINISTRATORS: [&str; 3] = ["system_admin", "security_admin", "audit_admin"];

/// An account as stored.
#[derive(Debug, Clone)]
pub struct AccountRow {
    pub id: AccountId,
    pub login: String,
    pub name: String,
    pub worker: Option<WorkerId>,
    pub state: AccountState,
    pub must_change_password: bool,
    pub totp_enabled: bool,
}

/// Whether an account can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountState {
    /// It can.
    Active,
    /// It cannot; its history stays.
    Disabled,
}

impl AccountState {
    /// Stored key.
    pub fn key(self) -> &'static str {
        match self {
            AccountState::Active => "active",
            AccountState::Disabled => "disabled",
        }
    }

    /// From the stored key; the table allows only the two.
    pub fn from_key(key: &str) -> AccountState {
        if key == "active" {
            AccountState::Active
        } else {
            AccountState::Disabled
        }
    }
}

/// A grant as stored.
#[derive(Debug, Clone)]
pub struct GrantRow {
    pub role: String,
    pub area: Option<AreaId>,
    pub unit: Option<UnitId>,
    pub chain: [Option<AreaId>; MAX_DEPTH],
    pub role_name_zh: String,
    pub role_name_en: String,
}

/// A grant asked for, not yet checked.
#[derive(Debug, Clone)]
pub struct GrantWish {
    /// Key of the role.
    pub role: String,
    /// The top of the subtree; none for the whole jurisdiction.
    pub area: Option<AreaId>,
    /// Set: only what this unit has in hand.
    pub unit: Option<UnitId>,
}

/// A grant that was checked and can be stored.
#[derive(Debug, Clone)]
pub struct NewGrant {
    pub role: String,
    pub area: Option<AreaId>,
    pub depth: u8,
    pub chain: [Option<AreaId>; MAX_DEPTH],
    pub unit: Option<UnitId>,
}

/// An account asked for.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub id: AccountId,
    pub login: String,
    pub name: String,
    pub worker: Option<WorkerId>,
    pub grants: Vec<GrantWish>,
}

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    pub name: Option<String>,
    pub state: Option<AccountState>,
    pub grants: Option<Vec<GrantWish>>,
}

/// Why an account cannot be made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("absent or out of scope")]
    Unknown,
    #[error("the login is taken")]
    LoginTaken,
    #[error("the login has a wrong form")]
    BadLogin,
    #[error("the name has a wrong form")]
    BadName,
    #[error("no such role")]
    UnknownRole,
    #[error("no such area")]
    UnknownArea,
    #[error("no such unit")]
    UnknownUnit,
    #[error("at least one grant")]
    NoGrant,
    #[error("too many grants")]
    TooManyGrants,
    #[error("two administrator roles")]
    AdministratorsApart,
    #[error("part of the account lies outside the own area")]
    Beyond,
    #[error("the own account")]
    Own,
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Fault {
        match error {
            AccountError::Unknown => Fault::not_found(),
            AccountError::LoginTaken => Fault::conflict("login_taken").field("login"),
            AccountError::BadLogin => Fault::invalid("login", "bad_login").with("longest", LOGIN),
            AccountError::BadName => Fault::invalid("name", "bad_name").with("longest", NAME),
            AccountError::UnknownRole => Fault::invalid("grants", "unknown_role"),
            AccountError::UnknownArea => Fault::invalid("grants", "unknown_area"),
            AccountError::UnknownUnit => Fault::invalid("grants", "unknown_unit"),
            AccountError::NoGrant => Fault::invalid("grants", "grant_needed"),
            AccountError::TooManyGrants => Fault::invalid("grants", "too_many_grants").with("most", GRANTS),
            AccountError::AdministratorsApart => Fault::invalid("grants", "administrators_apart"),
            AccountError::Beyond => Fault::new(StatusCode::FORBIDDEN, "account_beyond_scope"),
            AccountError::Own => Fault::refused("own_account"),
        }
    }
}

/// Makes an account: its one-time password, or none when the same account was made by an earlier try of the same request.
pub async fn create(app: &App, ctx: &Ctx, new: NewAccount) -> Result<(AccountId, Option<String>), Fault> {
    ctx.scope.require(Permission::AccountManage)?;
    let one_time = password::one_time(app.chance());
    let hash = password::hash(app, one_time.clone()).await?;
    let made = app.write(ctx, move |ctx, tx| add(ctx, tx, new, &hash, true)).await?;
    Ok((made.0, made.1.then_some(one_time)))
}

/// Adds an account with a given password hash, in the caller's transaction; whether it is new. `must_change` as for one-time passwords.
pub fn add(ctx: &Ctx, tx: &mut Tx, new: NewAccount, hash: &str, must_change: bool) -> Result<(AccountId, bool), Fault> {
    let login = new.login.trim().to_lowercase();
    let name = checked_name(&new.name)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if login.is_empty() || login.len() > LOGIN || !login.chars().all(plain) {
        return Err(AccountError::BadLogin.into());
    }
    if let Some(same) = store::account_by_login(tx, &login)? {
        let again = same.id == new.id && same.name == name;
        return if again {
            Ok((same.id, false))
        } else {
            Err(AccountError::LoginTaken.into())
        };
    }
    let grants = checked_grants(ctx, tx, &new.grants)?;
    let row = AccountRow {
        id: new.id,
        login,
        name,
        worker: new.worker,
        state: AccountState::Active,
        must_change_password: must_change,
        totp_enabled: false,
    };
    store::add_account(tx, &row, hash, ctx.now)?;
    add_grants(ctx, tx, row.id, &grants)?;
    tx.record(
        ctx,
        Mark::new(
            "account.made",
            Subject::Account(row.id),
            json!({ "grants": described(&grants) }),
        ),
    )?;
    Ok((row.id, true))
}

/// Gives an account a new password hash in the caller's transaction; for the program itself (a demo's accounts), never for a request.
pub fn set_password_hash(ctx: &Ctx, tx: &mut Tx, id: AccountId, hash: &str) -> Result<(), Fault> {
    store::set_password(tx, id, hash, false)?;
    tx.record(ctx, Mark::new("account.password_set", Subject::Account(id), json!({})))?;
    Ok(())
}

/// Changes an account. What changes takes effect with its next request; disabling or new rights end its live streams.
pub async fn change(app: &App, ctx: &Ctx, id: AccountId, change: AccountChange) -> Result<(), Fault> {
    ctx.scope.require(Permission::AccountManage)?;
    app.write(ctx, move |ctx, tx| {
        let account = reachable(ctx, tx, id)?;
        if ctx.actor.account() == Some(id) && (change.state.is_some() || change.grants.is_some()) {
            return Err(AccountError::Own.into());
        }
        let name = change
            .name
            .as_deref()
            .map(checked_name)
            .transpose()?
            .unwrap_or(account.name);
        let state = change.state.unwrap_or(account.state);
        store::set_account(tx, id, &name, state)?;
        if state == AccountState::Disabled {
            store::remove_sessions(tx, id)?;
        }
        let grants = change
            .grants
            .as_deref()
            .map(|wishes| checked_grants(ctx, tx, wishes))
            .transpose()?;
        if let Some(grants) = &grants {
            store::end_grants(tx, id, ctx.now)?;
            add_grants(ctx, tx, id, grants)?;
        }
        let body = json!({ "state": state.key(), "grants": grants.as_deref().map(described) });
        tx.record(ctx, Mark::new("account.changed", Subject::Account(id), body))?;
        let app = ctx.app.clone();
        tx.on_commit(move || app.live().drop_account(id));
        Ok(())
    })
    .await
}

/// Signs an account out everywhere: one's own, or one that may be managed.
pub fn end_sessions(ctx: &Ctx, tx: &mut Tx, id: AccountId) -> Result<(), Fault> {
    if ctx.actor.account() != Some(id) {
        ctx.scope.require(Permission::AccountManage)?;
        reachable(ctx, tx, id)?;
    }
    store::remove_sessions(tx, id)?;
    let app = ctx.app.clone();
    tx.on_commit(move || app.live().drop_account(id));
    Ok(())
}

/// Gives an account a new one-time password and ends its sessions; with `remove_totp` also takes the second factor away.
pub async fn reset_password(app: &App, ctx: &Ctx, id: AccountId, remove_totp: bool) -> Result<String, Fault> {
    ctx.scope.require(Permission::AccountManage)?;
    let one_time = password::one_time(app.chance());
    let hash = password::hash(app, one_time.clone()).await?;
    app.write(ctx, move |ctx, tx| {
        let account = reachable(ctx, tx, id)?;
        if ctx.actor.account() == Some(id) {
            return Err(AccountError::Own.into());
        }
        store::set_password(tx, id, &hash, true)?;
        if remove_totp {
            store::set_totp(tx, id, None, None, 0)?;
        }
        store::remove_sessions(tx, id)?;
        store::clear_failures(tx, &ctx.app.sealer().blind_index("login", &account.login))?;
        tx.record(
            ctx,
            Mark::new(
                "account.password_reset",
                Subject::Account(id),
                json!({ "totp_removed": remove_totp }),
            ),
        )?;
        let app = ctx.app.clone();
        tx.on_commit(move || app.live().drop_account(id));
        Ok(())
    })
    .await?;
    Ok(one_time)
}

/// Accounts of the own area whose login or name contains the text.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    text: Option<String>,
    page: PageQuery,
) -> Result<Page<(AccountRow, Vec<GrantRow>)>, Fault> {
    ctx.scope.require(Permission::AccountManage)?;
    let (after, limit) = (page.after::<String>()?, page.limit());
    app.read(ctx, move |ctx, tx| {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let rows = store::accounts(tx, &ctx.scope, text, after, limit)?;
        let page = Page::cut(rows, limit, |account| account.login.clone());
        let mut items = Vec::with_capacity(page.items.len());
        for account in page.items {
            let grants = store::grants(tx, account.id, ctx.now)?;
            items.push((account, grants));
        }
        Ok(Page { items, next: page.next })
    })
    .await
}

/// The first administrator of a new installation, with a one-time password to be shown once; none when there are accounts already.
/// It is a security administrator: it makes the accounts of all others and can do nothing else.
pub async fn first_administrator(app: &App, ctx: &Ctx) -> Result<Option<(String, String)>, Fault> {
    const LOGIN: &str = "admin";
    if app.read(ctx, |_, tx| store::account_count(tx)).await? > 0 {
        return Ok(None);
    }
    let one_time = password::one_time(app.chance());
    let hash = password::hash(app, one_time.clone()).await?;
    let grants = vec![GrantWish {
        role: "security_admin".into(),
        area: None,
        unit: None,
    }];
    let new = NewAccount {
        id: app.new_id(),
        login: LOGIN.into(),
        name: "安全管理员".into(),
        worker: None,
        grants,
    };
    let made = app.write(ctx, move |ctx, tx| {
        if store::account_count(tx)? > 0 {
            return Ok(false);
        }
        add(ctx, tx, new, &hash, true).map(|made| made.1)
    });
    Ok(made.await?.then(|| (LOGIN.to_owned(), one_time)))
}

fn checked_name(name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    let fits = (1..=NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(AccountError::BadName)
    }
}

/// The account, if the caller sees it (else it is unknown) and may change all of it (else it reaches beyond).
fn reachable(ctx: &Ctx, tx: &mut Tx, id: AccountId) -> Result<AccountRow, Fault> {
    let account =
        store::account_in_scope(tx, &ctx.scope, Permission::AccountManage, id)?.ok_or(AccountError::Unknown)?;
    let grants = store::grants(tx, id, ctx.now)?;
    let inside = grants.iter().all(|grant| reaches(&ctx.scope, grant.area, &grant.chain));
    if inside {
        Ok(account)
    } else {
        Err(AccountError::Beyond.into())
    }
}

/// Whether a grant for that area is within what the caller may give.
fn reaches(scope: &Scope, area: Option<AreaId>, chain: &[Option<AreaId>; MAX_DEPTH]) -> bool {
    match area {
        Some(_) => scope.covers(chain, Permission::AccountManage),
        None => scope
            .with(Permission::AccountManage)
            .any(|grant| grant.area.is_none() && grant.unit.is_none()),
    }
}

fn checked_grants(ctx: &Ctx, tx: &mut Tx, wishes: &[GrantWish]) -> Result<Vec<NewGrant>, Fault> {
    if wishes.is_empty() {
        return Err(AccountError::NoGrant.into());
    }
    if wishes.len() > GRANTS {
        return Err(AccountError::TooManyGrants.into());
    }
    let administrators = ADMINISTRATORS
        .iter()
        .filter(|role| wishes.iter().any(|wish| wish.role == **role))
        .count();
    if administrators > 1 {
        return Err(AccountError::AdministratorsApart.into());
    }
    let roles = store::roles(tx)?;
    wishes
        .iter()
        .map(|wish| {
            if !roles.iter().any(|role| role.key == wish.role) {
                return Err(AccountError::UnknownRole.into());
            }
            checked_grant(ctx, tx, wish)
        })
        .collect()
}

fn checked_grant(ctx: &Ctx, tx: &mut Tx, wish: &GrantWish) -> Result<NewGrant, Fault> {
    let (chain, depth) = match wish.area {
        None => ([None; MAX_DEPTH], 0),
        Some(id) => {
            let area = directory::area(&ctx.app, tx, id, ctx.lang)?.ok_or(AccountError::UnknownArea)?;
            (area.chain, area.depth)
        }
    };
    if !reaches(&ctx.scope, wish.area, &chain) {
        // An area outside the own one is answered as one that does not exist.
        return Err(AccountError::UnknownArea.into());
    }
    if let Some(unit) = wish.unit {
        directory::unit_name(&ctx.app, tx, unit)?.ok_or(AccountError::UnknownUnit)?;
    }
    Ok(NewGrant {
        role: wish.role.clone(),
        area: wish.area,
        depth,
        chain,
        unit: wish.unit,
    })
}

fn add_grants(ctx: &Ctx, tx: &mut Tx, account: AccountId, grants: &[NewGrant]) -> Result<(), Fault> {
    for grant in grants {
        let id: GrantId = ctx.app.new_id();
        store::add_grant(tx, id, account, grant, ctx.now)?;
    }
    Ok(())
}

/// Grants as the ledger keeps them.
fn described(grants: &[NewGrant]) -> Vec<serde_json::Value> {
    grants
        .iter()
        .map(|grant| json!({ "role": grant.role, "area": grant.area, "unit": grant.unit }))
        .collect()
}
