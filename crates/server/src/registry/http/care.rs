//! Routes of care registers: which there are, put into use, closed; who is on one, put on, taken off; how many are.

use super::households::HouseholdView;
use super::residents::ResidentView;
use super::{area_brief, area_of, day, with_purpose};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::care::{self, InUse};
use crate::territory::{self, AreaBrief};
use crate::{policy, workforce};
use axum::http::StatusCode;
use domain::policy::CareRegister;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(open))
        .routes(routes!(close))
        .routes(routes!(counts))
        .routes(routes!(people))
        .routes(routes!(put_on))
        .routes(routes!(take_off))
}

/// A care register.
#[derive(Debug, Serialize, ToSchema)]
struct RegisterView {
    key: String,
    name: String,
    /// The service it exists for.
    service: String,
    legal_basis: String,
    /// Where its entries come from.
    entries: String,
    /// Read only by those who serve the people on it.
    sensitive: bool,
    /// Each person on it has a named person paired with them.
    pairs: bool,
    /// People can be put on it now.
    in_use: bool,
    /// The unit that answers for it.
    unit_id: Option<UnitId>,
    unit_name: Option<String>,
    /// ISO dates: begun or last confirmed, looked at next, last day.
    confirmed: Option<String>,
    review: Option<String>,
    ends: Option<String>,
}

impl RegisterView {
    fn of(ctx: &Ctx, one: CareRegister, stands: Option<InUse>, unit: Option<String>) -> RegisterView {
        let day = |read: fn(&InUse) -> String| stands.as_ref().map(read);
        RegisterView {
            name: ctx.lang.pick(&one.name.zh, &one.name.en).to_owned(),
            service: ctx.lang.pick(&one.service.zh, &one.service.en).to_owned(),
            key: one.key,
            legal_basis: one.legal_basis,
            entries: one.entries,
            sensitive: one.sensitive,
            pairs: one.pairs,
            in_use: stands.as_ref().is_some_and(|one| one.on(ctx.now.date())),
            unit_id: stands.as_ref().map(|one| one.unit),
            unit_name: unit,
            confirmed: day(|one| one.confirmed.to_string()),
            review: day(|one| one.review.to_string()),
            ends: day(|one| one.ends.to_string()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaQuery {
    /// The area.
    area: AreaId,
}

/// The care registers of the pack, and how they stand. A sensitive one is told only to those who serve in the area, and to those who decide on
/// registers.
#[utoipa::path(get, path = "/registry/registers", tag = "registry", params(AreaQuery), responses((status = 200, body = Vec<RegisterView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<AreaQuery>) -> Result<Json<Vec<RegisterView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let views = ctx.app.read(&ctx, move |ctx, tx| {
        let mut views = Vec::new();
        for (one, stands) in care::all(ctx, tx, area.id)? {
            let unit = match &stands {
                Some(stands) => workforce::unit(tx, stands.unit)?.map(|unit| unit.name),
                None => None,
            };
            views.push(RegisterView::of(ctx, one, stands, unit));
        }
        Ok(views)
    });
    Ok(Json(views.await?))
}

/// A register to be put into use or confirmed.
#[derive(Debug, Deserialize, ToSchema)]
struct OpenRegister {
    /// The unit that answers for it.
    unit_id: UnitId,
    /// ISO date, after today: when it is looked at next.
    review: String,
    /// ISO date, twelve months from today at the latest.
    ends: String,
}

/// Puts a register into use, or confirms that it goes on. For who decides on registers for the whole place.
#[utoipa::path(put, path = "/registry/registers/{key}", tag = "registry", request_body = OpenRegister, params(("key" = String, Path)),
    responses((status = 204, description = "In use")))]
async fn open(Staff(ctx): Staff, Path(key): Path<String>, Json(wish): Json<OpenRegister>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegisterManage)?;
    let (review, ends) = (day("review", &wish.review)?, day("ends", &wish.ends)?);
    ctx.app
        .write(&ctx, move |ctx, tx| {
            care::open(ctx, tx, &key, wish.unit_id, review, ends)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes a register: everybody is taken off it.
#[utoipa::path(post, path = "/registry/registers/{key}/close", tag = "registry", params(("key" = String, Path)),
    responses((status = 204, description = "Closed")))]
async fn close(Staff(ctx): Staff, Path(key): Path<String>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegisterManage)?;
    ctx.app.write(&ctx, move |ctx, tx| care::close(ctx, tx, &key)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many are on which register in an area and all below it, now.
#[derive(Debug, Serialize, ToSchema)]
struct RegisterCounts {
    area: Option<AreaBrief>,
    /// By the register's key.
    people: BTreeMap<String, i64>,
    /// So many of them have a named person, of registers that want one for each.
    paired: BTreeMap<String, i64>,
}

/// How many people are on the care registers, in an area and in each directly below it; the first of the list is the area itself. Kept with every
/// change, never counted anew.
#[utoipa::path(get, path = "/registry/registers/counts", tag = "registry", params(AreaQuery), responses((status = 200, body = Vec<RegisterCounts>)))]
async fn counts(Staff(ctx): Staff, Query(query): Query<AreaQuery>) -> Result<Json<Vec<RegisterCounts>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let map = territory::current(&ctx.app);
    let below = map.children(Some(area.id)).map(|one| one.id);
    let areas: Vec<AreaId> = std::iter::once(area.id).chain(below).collect();
    let asked = areas.clone();
    let counts = ctx
        .app
        .read(&ctx, move |ctx, tx| care::counted(ctx, tx, &asked))
        .await?;
    let wanted: Vec<String> = policy::current(&ctx.app)?
        .pack
        .registers
        .iter()
        .filter(|one| one.pairs)
        .map(|one| one.key.clone())
        .collect();
    let views = areas.into_iter().zip(counts).map(|(area, care)| RegisterCounts {
        area: area_brief(&ctx, area),
        people: care.iter().map(|(key, of)| (key.clone(), of.people)).collect(),
        paired: care
            .into_iter()
            .filter(|(key, _)| wanted.contains(key))
            .map(|(key, of)| (key, of.paired))
            .collect(),
    });
    Ok(Json(views.collect()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleQuery {
    /// The grid: people whose household lies in this area itself.
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

/// Somebody on a register.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnRegisterView {
    resident: ResidentView,
    household: HouseholdView,
    /// ISO date.
    from: String,
    /// `own_wish`, `list` or `visit`.
    source: String,
    /// The list or paper the entry goes by, where it was said.
    basis: Option<String>,
}

/// Those of a grid who are on a register, masked. Each look is logged with the person looked at.
#[utoipa::path(get, path = "/registry/registers/{key}/people", tag = "registry", params(("key" = String, Path), PeopleQuery),
    responses((status = 200, body = Page<OnRegisterView>)))]
async fn people(
    Staff(ctx): Staff,
    Path(key): Path<String>,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<Page<OnRegisterView>>, Fault> {
    page_of(ctx, key, query, false).await
}

/// A page of those on a register, or only of those whom nobody is paired with.
pub async fn page_of(
    ctx: Ctx,
    key: String,
    query: PeopleQuery,
    unpaired: bool,
) -> Result<Json<Page<OnRegisterView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, query.purpose.as_deref(), query.case_id)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let page = ctx.app.write(&ctx, move |ctx, tx| {
        let rows = care::page(ctx, tx, &key, (area.id, unpaired), after, limit)?;
        let page = Page::cut(rows, limit, |(one, ..)| one.id);
        Ok(page.map(|(one, household, put)| OnRegisterView {
            resident: ResidentView::of(one, &[]),
            household: HouseholdView::of(ctx, household, None),
            from: put.from.to_string(),
            source: put.source,
            basis: put.basis,
        }))
    });
    Ok(Json(page.await?))
}

/// Somebody to be put on a register.
#[derive(Debug, Deserialize, ToSchema)]
struct PutOn {
    resident_id: ResidentId,
    /// `own_wish` (they or their family asked), `list` (the list of a department) or `visit`.
    source: String,
}

/// Puts somebody on a register in use.
#[utoipa::path(post, path = "/registry/registers/{key}/people", tag = "registry", request_body = PutOn, params(("key" = String, Path)),
    responses((status = 204, description = "On the register")))]
async fn put_on(Staff(ctx): Staff, Path(key): Path<String>, Json(wish): Json<PutOn>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            care::put_on(ctx, tx, &key, wish.resident_id, &wish.source)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody to be taken off a register.
#[derive(Debug, Deserialize, ToSchema)]
struct TakeOff {
    resident_id: ResidentId,
    /// `no_need`, `own_wish` or `mistake`.
    how: String,
}

/// Takes somebody off a register.
#[utoipa::path(post, path = "/registry/registers/{key}/off", tag = "registry", request_body = TakeOff, params(("key" = String, Path)),
    responses((status = 204, description = "Off the register")))]
async fn take_off(Staff(ctx): Staff, Path(key): Path<String>, Json(wish): Json<TakeOff>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            care::take_off(ctx, tx, &key, wish.resident_id, &wish.how)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
