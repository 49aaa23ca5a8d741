//! Routes of households: a grid's list, one with its residents, register, correct, move, split, end.

use super::residents::{ResidentView, relation_of};
use super::{Why, Written, area_brief, area_of, day, day_or_today, with_purpose};
use crate::access::{self, Staff};
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::care;
use crate::registry::households::{self, Change, NewHousehold, Part};
use crate::registry::place::{PlaceWish, RoomView};
use crate::registry::residents;
use crate::registry::store::{self, HouseholdRow};
use crate::territory::AreaBrief;
use domain::registry::household::Ending;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(one, change))
        .routes(routes!(move_house))
        .routes(routes!(split))
        .routes(routes!(end))
}

/// A household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdView {
    id: HouseholdId,
    /// The number its source has for it.
    number: Option<String>,
    area: Option<AreaBrief>,
    dwelling_id: Option<DwellingId>,
    /// Name of the dwelling, where it is known.
    house: Option<String>,
    room: RoomView,
    /// Residents who belong to it now.
    residents: i64,
    /// The householder's name, masked, where there is one and the list tells it.
    householder: Option<String>,
    split_from: Option<HouseholdId>,
    /// ISO date.
    valid_from: String,
    /// Last day.
    valid_to: Option<String>,
    /// `moved_away` or `dissolved`.
    ended_how: Option<String>,
    row_version: i64,
    /// The caller may change it.
    may_change: bool,
}

impl HouseholdView {
    pub fn of(ctx: &Ctx, row: HouseholdRow, householder: Option<String>) -> HouseholdView {
        HouseholdView {
            id: row.id,
            number: row.number,
            area: area_brief(ctx, row.spot.area),
            dwelling_id: row.spot.dwelling,
            house: row.house,
            room: RoomView::of(&row.spot.room),
            residents: row.residents,
            householder,
            split_from: row.split_from,
            valid_from: row.life.from.to_string(),
            valid_to: row.life.ended.map(|(on, _)| on.to_string()),
            ended_how: row.life.ended.map(|(_, how)| how.key().to_owned()),
            row_version: row.version,
            may_change: row.life.ended.is_none() && ctx.scope.covers(&row.spot.chain, Permission::RegistryWrite),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The grid: households that lie in this area itself.
    area: AreaId,
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    /// The case that is handled.
    case_id: Option<CaseId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The households that live in a grid, in the order of a walk through it, householders masked. The look is logged with the area.
#[utoipa::path(get, path = "/registry/households", tag = "registry", params(ListQuery), responses((status = 200, body = Page<HouseholdView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<HouseholdView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, query.purpose.as_deref(), query.case_id)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let page = ctx.app.write(&ctx, move |ctx, tx| {
        let rows = store::households_in(tx, area.id, after, limit)?;
        access::log_read(ctx, tx, Subject::Area(area.id), &["householders"])?;
        let page = Page::cut(rows, limit, |(row, _)| (row.spot.key.clone(), row.id));
        let items = page.items.into_iter().map(|(row, householder)| {
            let masked = householder
                .map(|(who, key)| residents::mask(ctx, &who, &key))
                .transpose()?;
            Ok(HouseholdView::of(ctx, row, masked.map(|one| one.name)))
        });
        Ok(Page {
            items: items.collect::<Result<_, Fault>>()?,
            next: page.next,
        })
    });
    Ok(Json(page.await?))
}

/// A household to be registered.
#[derive(Debug, Deserialize, ToSchema)]
struct RegisterHousehold {
    /// Made by the caller, so that sending twice registers once.
    id: HouseholdId,
    number: Option<String>,
    place: PlaceWish,
    /// ISO date; today when left out.
    valid_from: Option<String>,
}

/// Registers a household; its residents come one by one after it.
#[utoipa::path(post, path = "/registry/households", tag = "registry", request_body = RegisterHousehold, responses((status = 200, body = Written)))]
async fn register(Staff(ctx): Staff, Json(wish): Json<RegisterHousehold>) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let new = NewHousehold {
        id: wish.id,
        number: wish.number,
        place: wish.place,
        from: day_or_today(&ctx, "valid_from", wish.valid_from.as_deref())?,
    };
    let row = ctx
        .app
        .write(&ctx, move |ctx, tx| households::register(ctx, tx, new))
        .await?;
    Ok(written(row))
}

fn written(row: HouseholdRow) -> Json<Written> {
    Json(Written {
        id: row.id.to_string(),
        row_version: row.version,
    })
}

/// A household with those who belong to it.
#[derive(Debug, Serialize, ToSchema)]
struct HouseholdDetail {
    #[serde(flatten)]
    household: HouseholdView,
    /// Masked; householder and others in order of registration.
    members: Vec<ResidentView>,
}

/// One household with its residents, masked. Each look is logged with the person looked at.
#[utoipa::path(get, path = "/registry/households/{id}", tag = "registry", params(("id" = HouseholdId, Path), Why),
    responses((status = 200, body = HouseholdDetail)))]
async fn one(
    Staff(ctx): Staff,
    Path(id): Path<HouseholdId>,
    Query(why): Query<Why>,
) -> Result<Json<HouseholdDetail>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, why.purpose.as_deref(), why.case_id)?;
    let detail = ctx.app.write(&ctx, move |ctx, tx| {
        let row = households::load(ctx, tx, id, Permission::RegistryRead)?;
        let (masked, residences) = residents::masked(ctx, tx, id)?;
        let householder = masked
            .iter()
            .find(|one| one.relation == domain::registry::kinship::Relation::Householder)
            .map(|one| one.name.clone());
        let ids: Vec<ResidentId> = masked.iter().map(|one| one.id).collect();
        let mut registers = care::marks(ctx, tx, &row, &ids)?;
        let members = masked.into_iter().map(|one| {
            let on = registers.remove(&one.id).unwrap_or_default();
            ResidentView::of(one, &residences).on(ctx, on)
        });
        Ok(HouseholdDetail {
            members: members.collect(),
            household: HouseholdView::of(ctx, row, householder),
        })
    });
    Ok(Json(detail.await?))
}

/// What is to be corrected; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
struct ChangeHousehold {
    number: Option<String>,
    place: Option<PlaceWish>,
    /// As the caller saw it: a change of somebody else meanwhile is then refused, not overwritten.
    row_version: Option<i64>,
}

/// Corrects the number or the place of a household that did not move.
#[utoipa::path(patch, path = "/registry/households/{id}", tag = "registry", request_body = ChangeHousehold, params(("id" = HouseholdId, Path)),
    responses((status = 200, body = Written)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<HouseholdId>,
    Json(wish): Json<ChangeHousehold>,
) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let change = Change {
        number: wish.number,
        place: wish.place,
        row_version: wish.row_version,
    };
    let row = ctx
        .app
        .write(&ctx, move |ctx, tx| households::change(ctx, tx, id, change))
        .await?;
    Ok(written(row))
}

/// Where a household goes.
#[derive(Debug, Deserialize, ToSchema)]
struct MoveHousehold {
    /// Id of the household at the new place, made by the caller.
    id: HouseholdId,
    /// Left out: the number stays.
    number: Option<String>,
    place: PlaceWish,
    /// First day there; ISO date, today when left out.
    valid_from: Option<String>,
}

/// A household moves within the place: it ends where it was, and goes on with all its residents where it is now.
#[utoipa::path(post, path = "/registry/households/{id}/move", tag = "registry", request_body = MoveHousehold,
    params(("id" = HouseholdId, Path)), responses((status = 200, body = Written)))]
async fn move_house(
    Staff(ctx): Staff,
    Path(id): Path<HouseholdId>,
    Json(wish): Json<MoveHousehold>,
) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let part = Part {
        new: wish.id,
        number: wish.number,
        place: wish.place,
        from: day_or_today(&ctx, "valid_from", wish.valid_from.as_deref())?,
        leaving: None,
    };
    let row = ctx
        .app
        .write(&ctx, move |ctx, tx| households::part(ctx, tx, id, part))
        .await?;
    Ok(written(row))
}

/// Who makes a household of their own, and where.
#[derive(Debug, Deserialize, ToSchema)]
struct SplitHousehold {
    /// Id of the new household, made by the caller.
    id: HouseholdId,
    number: Option<String>,
    place: PlaceWish,
    /// ISO date; today when left out.
    valid_from: Option<String>,
    /// Some of the residents, not all.
    residents: Vec<Leaving>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Leaving {
    id: ResidentId,
    /// What they are to the new householder.
    relation: String,
}

/// Some of the residents make a household of their own.
#[utoipa::path(post, path = "/registry/households/{id}/split", tag = "registry", request_body = SplitHousehold,
    params(("id" = HouseholdId, Path)), responses((status = 200, body = Written)))]
async fn split(
    Staff(ctx): Staff,
    Path(id): Path<HouseholdId>,
    Json(wish): Json<SplitHousehold>,
) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let leaving = wish
        .residents
        .iter()
        .map(|one| Ok((one.id, relation_of(&one.relation)?)));
    let part = Part {
        new: wish.id,
        number: wish.number,
        place: wish.place,
        from: day_or_today(&ctx, "valid_from", wish.valid_from.as_deref())?,
        leaving: Some(leaving.collect::<Result<_, Fault>>()?),
    };
    let row = ctx
        .app
        .write(&ctx, move |ctx, tx| households::part(ctx, tx, id, part))
        .await?;
    Ok(written(row))
}

/// How it ended.
#[derive(Debug, Deserialize, ToSchema)]
struct EndHousehold {
    /// Last day; ISO date, today at the latest.
    on: String,
    /// `moved_away` (its residents with it) or `dissolved` (nobody is left in it).
    how: String,
}

/// Ends a household; it stays as history.
#[utoipa::path(post, path = "/registry/households/{id}/end", tag = "registry", request_body = EndHousehold,
    params(("id" = HouseholdId, Path)), responses((status = 204, description = "Ended")))]
async fn end(
    Staff(ctx): Staff,
    Path(id): Path<HouseholdId>,
    Json(wish): Json<EndHousehold>,
) -> Result<axum::http::StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let on = day("on", &wish.on)?;
    let how = Ending::from_key(&wish.how).ok_or_else(|| Fault::invalid("how", "ending_unknown"))?;
    ctx.app
        .write(&ctx, move |ctx, tx| households::end(ctx, tx, id, on, how))
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
