//! Routes of two records of one person made one: who may be the same, side by side, merge, the merges of somebody, undo.

use super::households::HouseholdView;
use super::residents::ResidentView;
use super::{Why, with_purpose};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::merges::{self, Choice, Phones, Shown, Wish};
use axum::http::StatusCode;
use domain::registry::merge::Side;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(alike))
        .routes(routes!(compare))
        .routes(routes!(merge))
        .routes(routes!(of))
        .routes(routes!(undo))
}

/// Somebody, masked, and where they live.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MergeSide)]
struct SideView {
    resident: ResidentView,
    household: HouseholdView,
}

impl SideView {
    fn of(ctx: &Ctx, one: Shown) -> SideView {
        SideView {
            resident: ResidentView::of(one.person, &one.residences).on(ctx, one.registers),
            household: HouseholdView::of(ctx, one.household, None),
        }
    }
}

/// Others in the caller's area with the same name or one of the same phones, masked, twenty at most: who may be the same person, registered
/// twice. Each person told of is logged.
#[utoipa::path(get, path = "/registry/residents/{id}/alike", tag = "registry", params(("id" = ResidentId, Path), Why),
    responses((status = 200, body = Vec<SideView>)))]
async fn alike(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Query(why): Query<Why>,
) -> Result<Json<Vec<SideView>>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let ctx = with_purpose(ctx, why.purpose.as_deref(), why.case_id)?;
    let found = ctx.app.write(&ctx, move |ctx, tx| {
        let found = merges::alike(ctx, tx, id)?.into_iter();
        Ok(found
            .map(|(one, household)| SideView {
                resident: ResidentView::of(one, &[]),
                household: HouseholdView::of(ctx, household, None),
            })
            .collect())
    });
    Ok(Json(found.await?))
}

/// The two records.
#[derive(Debug, Deserialize, ToSchema)]
struct CompareResidents {
    /// The record that would stay.
    kept_id: ResidentId,
    /// The one that would go into it.
    other_id: ResidentId,
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    case_id: Option<CaseId>,
}

/// Both side by side.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResidentsCompared)]
struct Compared {
    kept: SideView,
    other: SideView,
    /// Where they differ and somebody has to choose: `name`, `id_number`, `phones`, `home`, `relation`.
    differs: Vec<String>,
}

/// Two records side by side, masked, and where they differ. Nothing is changed; each look is logged.
#[utoipa::path(post, path = "/registry/merges/compare", tag = "registry", request_body = CompareResidents, responses((status = 200, body = Compared)))]
async fn compare(Staff(ctx): Staff, Json(wish): Json<CompareResidents>) -> Result<Json<Compared>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let ctx = with_purpose(ctx, wish.purpose.as_deref(), wish.case_id)?;
    let compared = ctx.app.write(&ctx, move |ctx, tx| {
        let (kept, other, differs) = merges::compare(ctx, tx, wish.kept_id, wish.other_id)?;
        Ok(Compared {
            kept: SideView::of(ctx, kept),
            other: SideView::of(ctx, other),
            differs: differs.into_iter().map(str::to_owned).collect(),
        })
    });
    Ok(Json(compared.await?))
}

/// What stands where the two differ; may be left out where they do not.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = MergeChoice)]
struct ChoiceWish {
    /// `kept` or `other`.
    name: Option<String>,
    /// `kept` or `other`.
    id_number: Option<String>,
    /// `kept`, `other` or `both`.
    phones: Option<String>,
    /// Whose residences stand where both cover the same days: `kept` or `other`.
    home: Option<String>,
    /// Where both belong to one household: `kept` or `other`.
    relation: Option<String>,
}

fn side(field: &'static str, text: Option<&str>) -> Result<Option<Side>, Fault> {
    let read = |text| Side::from_key(text).ok_or_else(|| Fault::invalid(field, "merge_choose"));
    text.map(read).transpose()
}

impl ChoiceWish {
    fn read(&self) -> Result<Choice, Fault> {
        let phones = |text| Phones::from_key(text).ok_or_else(|| Fault::invalid("phones", "merge_choose"));
        Ok(Choice {
            name: side("name", self.name.as_deref())?,
            id_number: side("id_number", self.id_number.as_deref())?,
            phones: self.phones.as_deref().map(phones).transpose()?,
            home: side("home", self.home.as_deref())?,
            relation: side("relation", self.relation.as_deref())?,
        })
    }
}

/// Two records that are one person's.
#[derive(Debug, Deserialize, ToSchema)]
struct MergeResidents {
    /// Made by the caller, so that sending twice merges once.
    id: MergeId,
    /// The record that stays.
    kept_id: ResidentId,
    /// The one that goes into it.
    other_id: ResidentId,
    #[serde(default)]
    choice: ChoiceWish,
    /// As the caller saw them: a change of somebody else meanwhile is then refused.
    kept_version: i64,
    other_version: i64,
}

/// Makes two records of one person one: residences, care registers and duties follow, the person is found by all they were known by. Takes the
/// right to write at both homes. It can be undone for the days the pack gives.
#[utoipa::path(post, path = "/registry/merges", tag = "registry", request_body = MergeResidents, responses((status = 204, description = "Merged")))]
async fn merge(Staff(ctx): Staff, Json(wish): Json<MergeResidents>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let wish = Wish {
        id: wish.id,
        kept: wish.kept_id,
        other: wish.other_id,
        choice: wish.choice.read()?,
        kept_version: wish.kept_version,
        other_version: wish.other_version,
    };
    ctx.app.write(&ctx, move |ctx, tx| merges::merge(ctx, tx, wish)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A merge into somebody's record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResidentMerge)]
struct MergeView {
    id: MergeId,
    /// Name of the account.
    by: String,
    at: String,
    /// Last day on which it can be undone.
    undo_until: String,
    /// There is still time.
    open: bool,
}

/// The merges into somebody's record that were not undone, the newest first.
#[utoipa::path(get, path = "/registry/residents/{id}/merges", tag = "registry", params(("id" = ResidentId, Path)),
    responses((status = 200, body = Vec<MergeView>)))]
async fn of(Staff(ctx): Staff, Path(id): Path<ResidentId>) -> Result<Json<Vec<MergeView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let all = ctx.app.read(&ctx, move |ctx, tx| merges::of(ctx, tx, id)).await?;
    let view = |one: merges::Merged| MergeView {
        id: one.id,
        by: one.by,
        at: one.at.to_string(),
        undo_until: one.undo_until.to_string(),
        open: one.open,
    };
    Ok(Json(all.into_iter().map(view).collect()))
}

/// Parts the two records again, both as they were; refused in words where what was changed since cannot be parted.
#[utoipa::path(post, path = "/registry/merges/{id}/undo", tag = "registry", params(("id" = MergeId, Path)),
    responses((status = 204, description = "Undone")))]
async fn undo(Staff(ctx): Staff, Path(id): Path<MergeId>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    ctx.app.write(&ctx, move |ctx, tx| merges::undo(ctx, tx, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
