//! Signing in and out, the own password, second factor, sessions and language.

use crate::access::account::GrantRow;
use crate::access::extract::{SignedIn, token_of};
use crate::access::sign_in::{self, Attempt, PasswordChange};
use crate::access::{directory, session, store, totp};
use crate::platform::fault::FaultView;
use crate::platform::http::{ClientAddress, ctx_of};
use crate::platform::{
    AccountId, Actor, App, AreaId, Ctx, Fault, Json, Lang, Mark, Path, Permission, Scope, Subject, Tx, UnitId, WorkerId,
};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::convert::Infallible;
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open, show, close))
        .routes(routes!(set_password))
        .routes(routes!(set_lang))
        .routes(routes!(begin_totp, end_totp))
        .routes(routes!(confirm_totp))
        .routes(routes!(list))
        .routes(routes!(revoke))
}

/// What signing in takes.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    /// Login name; upper and lower case are the same.
    login: String,
    /// Password.
    password: String,
    /// Six digits, when the account has a second factor.
    totp: Option<String>,
}

/// The signed-in person.
#[derive(Serialize, ToSchema)]
pub struct Me {
    id: AccountId,
    login: String,
    name: String,
    worker_id: Option<WorkerId>,
    /// The unit of the first grant that names one.
    unit: Option<UnitName>,
    grants: Vec<GrantView>,
    /// Everything allowed somewhere.
    permissions: Vec<String>,
    lang: Lang,
    must_change_password: bool,
    totp_enabled: bool,
    home: Home,
}

/// Where the person works.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Home {
    Desk,
    Field,
}

/// A unit by name.
#[derive(Serialize, ToSchema)]
pub struct UnitName {
    pub id: UnitId,
    pub name: String,
}

/// An area by name.
#[derive(Serialize, ToSchema)]
pub struct AreaName {
    pub id: AreaId,
    pub name: String,
    pub level_name: String,
}

/// A role somewhere.
#[derive(Serialize, ToSchema)]
pub struct GrantView {
    pub role: String,
    pub role_name: String,
    /// None: the whole jurisdiction.
    pub area: Option<AreaName>,
    /// Set: only what this unit has in hand.
    pub unit: Option<UnitName>,
}

/// Signs in: sets the session cookie. Errors: bad_credentials, totp_required, totp_wrong, account_locked, too_many_requests.
#[utoipa::path(post, path = "/session", tag = "access", request_body = SignIn, responses(
    (status = 200, body = Me), (status = 401, body = FaultView), (status = 423, body = FaultView), (status = 429, body = FaultView),
))]
async fn open(State(app): State<App>, caller: Caller, Json(given): Json<SignIn>) -> Result<Response, Fault> {
    let ctx = caller.ctx;
    let attempt = Attempt {
        login: given.login,
        password: given.password,
        totp: given.totp,
        address: caller.address,
        user_agent: caller.user_agent,
        replaces: caller.token.as_deref().map(session::token_hash),
    };
    let (account, token) = sign_in::sign_in(&app, &ctx, attempt).await?;
    let me = app.read(&ctx, move |ctx, tx| me(ctx, tx, account)).await?;
    Ok(with_cookie(&app, &token, Json(me)))
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "access", responses((status = 200, body = Me), (status = 401, body = FaultView)))]
async fn show(State(app): State<App>, who: SignedIn) -> Result<Json<Me>, Fault> {
    let account = who.session.account;
    app.read(&who.ctx, move |ctx, tx| me(ctx, tx, account)).await.map(Json)
}

/// Signs out: the session ends on the server.
#[utoipa::path(delete, path = "/session", tag = "access", responses((status = 204), (status = 401, body = FaultView)))]
async fn close(State(app): State<App>, who: SignedIn) -> Result<Response, Fault> {
    let (account, id) = (who.session.account, who.session.id);
    app.write(&who.ctx, move |ctx, tx| {
        store::remove_session(tx, account, &id)?;
        tx.record(ctx, Mark::new("session.closed", Subject::Account(account), json!({})))?;
        Ok(())
    })
    .await?;
    Ok(with_cookie(&app, "", StatusCode::NO_CONTENT))
}

/// What changing the password takes.
#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    old: String,
    new: String,
}

/// Changes the own password; all earlier sessions end, this one goes on under a new cookie.
#[utoipa::path(post, path = "/session/password", tag = "access", request_body = NewPassword, responses(
    (status = 200, body = Me), (status = 401, body = FaultView), (status = 422, body = FaultView), (status = 423, body = FaultView),
))]
async fn set_password(
    State(app): State<App>,
    who: SignedIn,
    caller: Caller,
    Json(given): Json<NewPassword>,
) -> Result<Response, Fault> {
    let change = PasswordChange {
        old: given.old,
        new: given.new,
        address: caller.address,
        user_agent: caller.user_agent,
    };
    let account = who.session.account;
    let token = sign_in::change_password(&app, &who.ctx, who.session.login, change).await?;
    let me = app.read(&who.ctx, move |ctx, tx| me(ctx, tx, account)).await?;
    Ok(with_cookie(&app, &token, Json(me)))
}

/// The language wanted.
#[derive(Deserialize, ToSchema)]
pub struct NewLang {
    lang: Lang,
}

/// Remembers the language of the desk.
#[utoipa::path(post, path = "/session/lang", tag = "access", request_body = NewLang, responses(
    (status = 204), (status = 401, body = FaultView),
))]
async fn set_lang(State(app): State<App>, who: SignedIn, Json(given): Json<NewLang>) -> Result<StatusCode, Fault> {
    let account = who.session.account;
    app.write(&who.ctx, move |ctx, tx| {
        store::set_lang(tx, account, given.lang)?;
        tx.record(
            ctx,
            Mark::new(
                "account.lang",
                Subject::Account(account),
                json!({ "lang": given.lang.key() }),
            ),
        )?;
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an authenticator app needs.
#[derive(Serialize, ToSchema)]
pub struct TotpSetup {
    /// To type by hand.
    secret: String,
    /// To open on the phone.
    uri: String,
    /// To photograph: a complete SVG document.
    qr_svg: String,
}

/// Begins setting up a second factor; it counts only after a first code was confirmed.
#[utoipa::path(post, path = "/session/totp", tag = "access", responses(
    (status = 200, body = TotpSetup), (status = 401, body = FaultView), (status = 409, body = FaultView),
))]
async fn begin_totp(State(app): State<App>, who: SignedIn) -> Result<Json<TotpSetup>, Fault> {
    let secret = sign_in::begin_totp(&app, &who.ctx).await?;
    let uri = totp::uri(&secret, "wangge", &who.session.login);
    Ok(Json(TotpSetup {
        secret: totp::base32(&secret),
        qr_svg: totp::qr_svg(&uri)?,
        uri,
    }))
}

/// Six digits.
#[derive(Deserialize, ToSchema)]
pub struct TotpCode {
    code: String,
}

/// Turns the second factor on.
#[utoipa::path(post, path = "/session/totp/confirm", tag = "access", request_body = TotpCode, responses(
    (status = 204), (status = 401, body = FaultView), (status = 409, body = FaultView), (status = 422, body = FaultView),
))]
async fn confirm_totp(State(app): State<App>, who: SignedIn, Json(given): Json<TotpCode>) -> Result<StatusCode, Fault> {
    sign_in::confirm_totp(&app, &who.ctx, given.code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The own password once more.
#[derive(Deserialize, ToSchema)]
pub struct OwnPassword {
    password: String,
}

/// Turns the second factor off.
#[utoipa::path(delete, path = "/session/totp", tag = "access", request_body = OwnPassword, responses(
    (status = 204), (status = 401, body = FaultView), (status = 423, body = FaultView),
))]
async fn end_totp(
    State(app): State<App>,
    who: SignedIn,
    caller: Caller,
    Json(given): Json<OwnPassword>,
) -> Result<StatusCode, Fault> {
    sign_in::confirm_password(&app, &who.ctx, &who.session.login, given.password, caller.address).await?;
    sign_in::end_totp(&app, &who.ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One of the own sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    id: String,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339, to the minute.
    seen_at: String,
    /// What the browser calls itself.
    user_agent: String,
    /// Whether it is the one asking.
    current: bool,
}

/// The own sessions, newest first.
#[utoipa::path(get, path = "/sessions", tag = "access", responses((status = 200, body = Vec<SessionView>), (status = 401, body = FaultView)))]
async fn list(State(app): State<App>, who: SignedIn) -> Result<Json<Vec<SessionView>>, Fault> {
    let account = who.session.account;
    let rows = app
        .read(&who.ctx, move |ctx, tx| store::sessions(tx, account, ctx.now))
        .await?;
    let view = |row: store::SessionRow| SessionView {
        current: row.id == who.session.id,
        id: row.id,
        created_at: Timestamp(row.created_at).to_string(),
        seen_at: Timestamp(row.seen_at).to_string(),
        user_agent: row.user_agent,
    };
    Ok(Json(rows.into_iter().map(view).collect()))
}

/// Ends one of the own sessions.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "access", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = FaultView), (status = 404, body = FaultView),
))]
async fn revoke(State(app): State<App>, who: SignedIn, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    let account = who.session.account;
    app.write(&who.ctx, move |ctx, tx| {
        if !store::remove_session(tx, account, &id)? {
            return Err(Fault::not_found());
        }
        tx.record(ctx, Mark::new("session.revoked", Subject::Account(account), json!({})))?;
        Ok(())
    })
    .await?;
    app.live().drop_account(account);
    Ok(StatusCode::NO_CONTENT)
}

/// Who calls before anybody is signed in.
pub struct Caller {
    ctx: Ctx,
    address: IpAddr,
    user_agent: String,
    token: Option<String>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        Ok(Caller {
            ctx: ctx_of(parts, app, Actor::System("sign-in"), Scope::nothing()),
            address: ClientAddress::of(parts),
            user_agent: agent.unwrap_or_default().to_owned(),
            token: token_of(parts, app),
        })
    }
}

fn with_cookie(app: &App, token: &str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let cookie = HeaderValue::from_str(&session::cookie(app, token)).expect("tokens are base64");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

fn me(ctx: &Ctx, tx: &mut Tx, id: AccountId) -> Result<Me, Fault> {
    let account = store::account(tx, id)?.ok_or_else(Fault::not_found)?;
    let scope = store::scope(tx, id, ctx.now)?;
    let rows = store::grants(tx, id, ctx.now)?;
    let grants: Vec<GrantView> = rows
        .iter()
        .map(|row| grant_view(ctx, tx, row))
        .collect::<Result<_, _>>()?;
    let unit = rows
        .iter()
        .find_map(|row| row.unit)
        .map(|unit| unit_view(ctx, tx, unit))
        .transpose()?
        .flatten();
    // Whoever has the phone app and neither the board nor a unit's queue works on the phone.
    let phone = scope.has(Permission::FieldUse) && !scope.has(Permission::BoardRead) && unit.is_none();
    let home = if phone { Home::Field } else { Home::Desk };
    Ok(Me {
        id,
        login: account.login,
        name: account.name,
        worker_id: account.worker,
        unit,
        grants,
        permissions: scope
            .permissions()
            .iter()
            .map(|permission| permission.key().to_owned())
            .collect(),
        lang: ctx.lang,
        must_change_password: account.must_change_password,
        totp_enabled: account.totp_enabled,
        home,
    })
}

/// A grant with names for its area and unit.
pub fn grant_view(ctx: &Ctx, tx: &mut Tx, row: &GrantRow) -> Result<GrantView, Fault> {
    let area = row
        .area
        .map(|id| directory::area(&ctx.app, tx, id, ctx.lang).map(|area| (id, area)))
        .transpose()?;
    let unit = row.unit.map(|id| unit_view(ctx, tx, id)).transpose()?.flatten();
    Ok(GrantView {
        role: row.role.clone(),
        role_name: ctx.lang.pick(&row.role_name_zh, &row.role_name_en).to_owned(),
        area: area.map(|(id, area)| match area {
            Some(area) => AreaName {
                id,
                name: area.name,
                level_name: area.level_name,
            },
            None => AreaName {
                id,
                name: String::new(),
                level_name: String::new(),
            },
        }),
        unit,
    })
}

fn unit_view(ctx: &Ctx, tx: &mut Tx, id: UnitId) -> Result<Option<UnitName>, Fault> {
    Ok(directory::unit_name(&ctx.app, tx, id)?.map(|name| UnitName { id, name }))
}
