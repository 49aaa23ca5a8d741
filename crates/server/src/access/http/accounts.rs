//! Accounts and roles, for the security administrator.

use super::session::{GrantView, grant_view};
use crate::access::account::{self, AccountChange, AccountRow, AccountState, GrantRow, GrantWish, NewAccount};
use crate::access::{Staff, store};
use crate::platform::fault::FaultView;
use crate::platform::{
    AccountId, App, AreaId, Ctx, Fault, Json, Page, PageQuery, Path, Permission, Query, Tx, UnitId, WorkerId,
};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(change))
        .routes(routes!(reset_password))
        .routes(routes!(roles))
}

/// An account.
#[derive(Serialize, ToSchema)]
pub struct AccountView {
    id: AccountId,
    login: String,
    name: String,
    worker_id: Option<WorkerId>,
    state: AccountState,
    must_change_password: bool,
    totp_enabled: bool,
    grants: Vec<GrantView>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AccountQuery {
    /// Part of a login or a name.
    q: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Accounts of the own area, by login.
#[utoipa::path(get, path = "/accounts", tag = "access", params(AccountQuery), responses(
    (status = 200, body = Page<AccountView>), (status = 401, body = FaultView), (status = 403, body = FaultView),
))]
async fn list(
    State(app): State<App>,
    Staff(ctx): Staff,
    Query(query): Query<AccountQuery>,
) -> Result<Json<Page<AccountView>>, Fault> {
    let page = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let found = account::list(&app, &ctx, query.q, page).await?;
    app.read(&ctx, move |ctx, tx| {
        let items = found
            .items
            .into_iter()
            .map(|(account, grants)| account_view(ctx, tx, account, &grants));
        Ok(Json(Page {
            items: items.collect::<Result<_, _>>()?,
            next: found.next,
        }))
    })
    .await
}

/// A role to give.
#[derive(Deserialize, ToSchema)]
pub struct GrantBody {
    /// Key of the role.
    role: String,
    /// The top of the subtree; none for the whole jurisdiction.
    area_id: Option<AreaId>,
    /// Set: only what this unit has in hand.
    unit_id: Option<UnitId>,
}

impl From<GrantBody> for GrantWish {
    fn from(body: GrantBody) -> GrantWish {
        GrantWish {
            role: body.role,
            area: body.area_id,
            unit: body.unit_id,
        }
    }
}

/// An account to make. The id is made by the caller: the same request again is the same account.
#[derive(Deserialize, ToSchema)]
pub struct AccountBody {
    id: AccountId,
    /// Lower-case letters, digits, `.`, `-`, `_`.
    login: String,
    name: String,
    worker_id: Option<WorkerId>,
    grants: Vec<GrantBody>,
}

/// A new account.
#[derive(Serialize, ToSchema)]
pub struct AccountMade {
    account: AccountView,
    /// To be told to the person once; none when an earlier try of the same request made the account.
    one_time_password: Option<String>,
}

/// Makes an account.
#[utoipa::path(post, path = "/accounts", tag = "access", request_body = AccountBody, responses(
    (status = 201, body = AccountMade), (status = 403, body = FaultView), (status = 409, body = FaultView), (status = 422, body = FaultView),
))]
async fn create(
    State(app): State<App>,
    Staff(ctx): Staff,
    Json(body): Json<AccountBody>,
) -> Result<(StatusCode, Json<AccountMade>), Fault> {
    let grants = body.grants.into_iter().map(GrantWish::from).collect();
    let new = NewAccount {
        id: body.id,
        login: body.login,
        name: body.name,
        worker: body.worker_id,
        grants,
    };
    let (id, one_time_password) = account::create(&app, &ctx, new).await?;
    let account = view(&app, &ctx, id).await?;
    Ok((
        StatusCode::CREATED,
        Json(AccountMade {
            account,
            one_time_password,
        }),
    ))
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
pub struct AccountPatch {
    name: Option<String>,
    state: Option<AccountState>,
    /// Replaces all grants.
    grants: Option<Vec<GrantBody>>,
}

/// Changes an account; it takes effect with the account's next request.
#[utoipa::path(patch, path = "/accounts/{id}", tag = "access", params(("id" = AccountId, Path)), request_body = AccountPatch, responses(
    (status = 200, body = AccountView), (status = 403, body = FaultView), (status = 404, body = FaultView), (status = 422, body = FaultView),
))]
async fn change(
    State(app): State<App>,
    Staff(ctx): Staff,
    Path(id): Path<AccountId>,
    Json(body): Json<AccountPatch>,
) -> Result<Json<AccountView>, Fault> {
    let grants = body
        .grants
        .map(|grants| grants.into_iter().map(GrantWish::from).collect());
    account::change(
        &app,
        &ctx,
        id,
        AccountChange {
            name: body.name,
            state: body.state,
            grants,
        },
    )
    .await?;
    view(&app, &ctx, id).await.map(Json)
}

/// What else to reset.
#[derive(Deserialize, ToSchema)]
pub struct ResetBody {
    /// Also take the second factor away (a lost phone).
    #[serde(default)]
    remove_totp: bool,
}

/// A password to be told once.
#[derive(Serialize, ToSchema)]
pub struct OneTimePassword {
    one_time_password: String,
}

/// Gives a new one-time password and ends the account's sessions.
#[utoipa::path(post, path = "/accounts/{id}/reset-password", tag = "access", params(("id" = AccountId, Path)), request_body = ResetBody,
    responses((status = 200, body = OneTimePassword), (status = 403, body = FaultView), (status = 404, body = FaultView)))]
async fn reset_password(
    State(app): State<App>,
    Staff(ctx): Staff,
    Path(id): Path<AccountId>,
    Json(body): Json<ResetBody>,
) -> Result<Json<OneTimePassword>, Fault> {
    let one_time_password = account::reset_password(&app, &ctx, id, body.remove_totp).await?;
    Ok(Json(OneTimePassword { one_time_password }))
}

/// A role.
#[derive(Serialize, ToSchema)]
pub struct RoleView {
    key: String,
    name: String,
    permissions: Vec<String>,
}

/// All roles and what each allows.
#[utoipa::path(get, path = "/roles", tag = "access", responses(
    (status = 200, body = Vec<RoleView>), (status = 401, body = FaultView), (status = 403, body = FaultView),
))]
async fn roles(State(app): State<App>, Staff(ctx): Staff) -> Result<Json<Vec<RoleView>>, Fault> {
    ctx.scope.require(Permission::AccountManage)?;
    let roles = app.read(&ctx, |_, tx| store::roles(tx)).await?;
    let view = |role: store::Role| RoleView {
        name: ctx.lang.pick(&role.name_zh, &role.name_en).to_owned(),
        key: role.key,
        permissions: role
            .permissions
            .iter()
            .map(|permission| permission.key().to_owned())
            .collect(),
    };
    Ok(Json(roles.into_iter().map(view).collect()))
}

async fn view(app: &App, ctx: &Ctx, id: AccountId) -> Result<AccountView, Fault> {
    app.read(ctx, move |ctx, tx| {
        let account = store::account(tx, id)?.ok_or_else(Fault::not_found)?;
        let grants = store::grants(tx, id, ctx.now)?;
        account_view(ctx, tx, account, &grants)
    })
    .await
}

fn account_view(ctx: &Ctx, tx: &mut Tx, account: AccountRow, grants: &[GrantRow]) -> Result<AccountView, Fault> {
    Ok(AccountView {
        id: account.id,
        login: account.login,
        name: account.name,
        worker_id: account.worker,
        state: account.state,
        must_change_password: account.must_change_password,
        totp_enabled: account.totp_enabled,
        grants: grants
            .iter()
            .map(|grant| grant_view(ctx, tx, grant))
            .collect::<Result<_, _>>()?,
    })
}
