//! Routes of organisations: a grid's list, one, register, change, end, reveal the contact.

use super::{Why, Written, area_brief, area_of, day, day_or_today, with_purpose};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::organisations::{self, Wish};
use crate::registry::place::{PlaceWish, RoomView};
use crate::registry::store::{self, OrganisationRow};
use crate::territory::AreaBrief;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(one, change))
        .routes(routes!(end))
        .routes(routes!(reveal))
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
struct OrganisationView {
    id: OrganisationId,
    unified_code: Option<String>,
    name: String,
    /// `company`, `shop`, `institution`, `association` or `other`.
    kind: String,
    area: Option<AreaBrief>,
    dwelling_id: Option<DwellingId>,
    room: RoomView,
    /// ISO date.
    valid_from: String,
    /// Last day.
    valid_to: Option<String>,
    row_version: i64,
}

impl OrganisationView {
    fn of(ctx: &Ctx, row: OrganisationRow) -> OrganisationView {
        OrganisationView {
            id: row.id,
            unified_code: row.unified_code,
            name: row.name,
            kind: row.kind,
            area: area_brief(ctx, row.spot.area),
            dwelling_id: row.spot.dwelling,
            room: RoomView::of(&row.spot.room),
            valid_from: row.from.to_string(),
            valid_to: row.to.map(|to| to.to_string()),
            row_version: row.version,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The grid: organisations that lie in this area itself.
    area: AreaId,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The organisations of a grid, in the order of a walk through it; nothing personal.
#[utoipa::path(get, path = "/registry/organisations", tag = "registry", params(ListQuery),
    responses((status = 200, body = Page<OrganisationView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<OrganisationView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |_, tx| store::organisations_in(tx, area.id, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |row| (row.spot.key.clone(), row.id));
    Ok(Json(page.map(|row| OrganisationView::of(&ctx, row))))
}

/// What is said of an organisation; what is left out of a change stays.
#[derive(Debug, Deserialize, ToSchema)]
struct OrganisationInput {
    unified_code: Option<String>,
    name: Option<String>,
    /// `company`, `shop`, `institution`, `association` or `other`.
    kind: Option<String>,
    place: Option<PlaceWish>,
    contact_name: Option<String>,
    contact_phone: Option<String>,
    /// As the caller saw it: a change of somebody else meanwhile is then refused, not overwritten.
    row_version: Option<i64>,
}

impl OrganisationInput {
    fn wish(self) -> Wish {
        Wish {
            unified_code: self.unified_code,
            name: self.name,
            kind: self.kind,
            place: self.place,
            contact_name: self.contact_name,
            contact_phone: self.contact_phone,
        }
    }
}

/// An organisation to be registered.
#[derive(Debug, Deserialize, ToSchema)]
struct RegisterOrganisation {
    /// Made by the caller, so that sending twice registers once.
    id: OrganisationId,
    /// ISO date; today when left out.
    valid_from: Option<String>,
    #[serde(flatten)]
    input: OrganisationInput,
}

/// Registers an organisation.
#[utoipa::path(post, path = "/registry/organisations", tag = "registry", request_body = RegisterOrganisation,
    responses((status = 200, body = Written)))]
async fn register(Staff(ctx): Staff, Json(new): Json<RegisterOrganisation>) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    if new.input.name.is_none() {
        return Err(Fault::invalid("name", "missing_field"));
    }
    let from = day_or_today(&ctx, "valid_from", new.valid_from.as_deref())?;
    let (id, wish) = (new.id, new.input.wish());
    ctx.app
        .write(&ctx, move |ctx, tx| organisations::register(ctx, tx, id, from, wish))
        .await?;
    Ok(Json(Written {
        id: id.to_string(),
        row_version: 1,
    }))
}

/// An organisation with whom to ask there, masked.
#[derive(Debug, Serialize, ToSchema)]
struct OrganisationDetail {
    #[serde(flatten)]
    organisation: OrganisationView,
    /// Masked.
    contact_name: Option<String>,
    /// Masked.
    contact_phone: Option<String>,
}

/// One organisation with its contact, masked; the look is logged.
#[utoipa::path(get, path = "/registry/organisations/{id}", tag = "registry", params(("id" = OrganisationId, Path), Why),
    responses((status = 200, body = OrganisationDetail)))]
async fn one(
    Staff(ctx): Staff,
    Path(id): Path<OrganisationId>,
    Query(why): Query<Why>,
) -> Result<Json<OrganisationDetail>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, why.purpose.as_deref(), why.case_id)?;
    let detail = ctx.app.write(&ctx, move |ctx, tx| {
        let row = organisations::load(ctx, tx, id, Permission::RegistryRead)?;
        let (contact_name, contact_phone) = organisations::masked(ctx, tx, &row)?;
        Ok(OrganisationDetail {
            contact_name,
            contact_phone,
            organisation: OrganisationView::of(ctx, row),
        })
    });
    Ok(Json(detail.await?))
}

/// Changes what is given.
#[utoipa::path(patch, path = "/registry/organisations/{id}", tag = "registry", request_body = OrganisationInput,
    params(("id" = OrganisationId, Path)), responses((status = 200, body = Written)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<OrganisationId>,
    Json(input): Json<OrganisationInput>,
) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let (seen, wish) = (input.row_version, input.wish());
    let row_version = ctx
        .app
        .write(&ctx, move |ctx, tx| organisations::change(ctx, tx, id, wish, seen))
        .await?;
    Ok(Json(Written {
        id: id.to_string(),
        row_version,
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct EndOrganisation {
    /// Last day; ISO date, today at the latest.
    on: String,
}

/// It closed or went; the record stays as history.
#[utoipa::path(post, path = "/registry/organisations/{id}/end", tag = "registry", request_body = EndOrganisation,
    params(("id" = OrganisationId, Path)), responses((status = 204, description = "Ended")))]
async fn end(
    Staff(ctx): Staff,
    Path(id): Path<OrganisationId>,
    Json(wish): Json<EndOrganisation>,
) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let on = day("on", &wish.on)?;
    ctx.app
        .write(&ctx, move |ctx, tx| organisations::end(ctx, tx, id, on))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why the contact is asked for.
#[derive(Debug, Deserialize, ToSchema)]
struct RevealContact {
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    case_id: Option<CaseId>,
}

/// The contact whole.
#[derive(Debug, Serialize, ToSchema)]
struct ContactRevealed {
    contact_name: Option<String>,
    contact_phone: Option<String>,
}

/// Whom to ask there, whole, for a purpose; the look is logged by field.
#[utoipa::path(post, path = "/registry/organisations/{id}/reveal", tag = "registry", request_body = RevealContact,
    params(("id" = OrganisationId, Path)), responses((status = 200, body = ContactRevealed)))]
async fn reveal(
    Staff(ctx): Staff,
    Path(id): Path<OrganisationId>,
    Json(wish): Json<RevealContact>,
) -> Result<Json<ContactRevealed>, Fault> {
    ctx.scope.require(Permission::RegistryReveal)?;
    let ctx = with_purpose(ctx, wish.purpose.as_deref(), wish.case_id)?;
    let (name, phone) = ctx
        .app
        .write(&ctx, move |ctx, tx| organisations::reveal(ctx, tx, id))
        .await?;
    Ok(Json(ContactRevealed {
        contact_name: name.map(|name| name.0),
        contact_phone: phone.map(|phone| phone.0),
    }))
}
