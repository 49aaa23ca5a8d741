//! Routes of residents: register, correct, move, end, reveal one field, who looked, find, erase.

use super::households::HouseholdView;
use super::{Written, area_of, day, day_or_today, with_purpose};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query, parse_value};
use crate::platform::*;
use crate::registry::residents::{self, Change, Field, Masked, NewResident};
use crate::registry::search;
use crate::registry::store::ResidenceRow;
use axum::http::StatusCode;
use domain::policy::CareRegister;
use domain::registry::kinship::Relation;
use domain::registry::residence::Kind;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of the reason for erasing.
const MAX_REASON: usize = 500;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(change))
        .routes(routes!(move_one))
        .routes(routes!(end))
        .routes(routes!(reveal))
        .routes(routes!(looks))
        .routes(routes!(find))
        .routes(routes!(erase))
}

/// A resident, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentView {
    id: ResidentId,
    household_id: HouseholdId,
    /// To the householder: `householder`, `spouse`, `son`, `daughter`, `grandchild`, `parent`, `grandparent`, `sibling`, `other_relative`
    /// or `not_related`.
    relation: String,
    /// `张**`.
    name: String,
    /// `330902********1234`.
    id_number: Option<String>,
    /// `138****5678`.
    phones: Vec<String>,
    /// Whole years.
    age: Option<i16>,
    /// `male` or `female`, as the identity number says.
    sex: Option<String>,
    valid_from: String,
    valid_to: Option<String>,
    /// `moved_away` or `died`.
    ended_how: Option<String>,
    /// The oldest first.
    residences: Vec<ResidenceView>,
    /// Care registers they are on, as far as the caller may know; told with the household.
    registers: Vec<RegisterMark>,
    row_version: i64,
}

/// A care register somebody is on.
#[derive(Debug, Serialize, ToSchema)]
struct RegisterMark {
    key: String,
    name: String,
}

/// The time somebody belongs to a household in one way.
#[derive(Debug, Serialize, ToSchema)]
struct ResidenceView {
    household_id: HouseholdId,
    /// `registered` 户籍 or `actual` 居住.
    kind: String,
    valid_from: String,
    /// Last day.
    valid_to: Option<String>,
}

impl ResidentView {
    pub fn of(one: Masked, residences: &[ResidenceRow]) -> ResidentView {
        let own = residences.iter().filter(|row| row.resident == one.id);
        let residences = own.map(|row| ResidenceView {
            household_id: row.residence.household,
            kind: row.residence.kind.key().to_owned(),
            valid_from: row.residence.from.to_string(),
            valid_to: row.residence.to.map(|to| to.to_string()),
        });
        ResidentView {
            residences: residences.collect(),
            registers: Vec::new(),
            id: one.id,
            household_id: one.household,
            relation: one.relation.key().to_owned(),
            name: one.name,
            id_number: one.id_number,
            phones: one.phones,
            age: one.age,
            sex: one.sex,
            valid_from: one.from.to_string(),
            valid_to: one.to.map(|to| to.to_string()),
            ended_how: one.how,
            row_version: one.version,
        }
    }
}

impl ResidentView {
    /// With the care registers they are on.
    pub fn on(mut self, ctx: &Ctx, registers: Vec<CareRegister>) -> ResidentView {
        let mark = |one: CareRegister| RegisterMark {
            name: ctx.lang.pick(&one.name.zh, &one.name.en).to_owned(),
            key: one.key,
        };
        self.registers = registers.into_iter().map(mark).collect();
        self
    }
}

/// A relation by its key or as lists write it.
pub fn relation_of(text: &str) -> Result<Relation, Fault> {
    Relation::from_words(text).ok_or_else(|| Fault::invalid("relation", "relation_unknown"))
}

fn kind_of(text: &str) -> Result<Kind, Fault> {
    Kind::from_key(text).ok_or_else(|| Fault::invalid("kind", "residence_kind_unknown"))
}

/// Somebody to be registered.
#[derive(Debug, Deserialize, ToSchema)]
struct RegisterResident {
    /// Made by the caller, so that sending twice registers once.
    id: ResidentId,
    household_id: HouseholdId,
    /// Its key, or as people write it: `配偶`.
    relation: String,
    name: String,
    id_number: Option<String>,
    #[serde(default)]
    phones: Vec<String>,
    /// `registered`, `actual` or both; `actual` when left out.
    kinds: Option<Vec<String>>,
    /// ISO date; today when left out.
    valid_from: Option<String>,
    /// They were told what is kept of them, why and for how long.
    #[serde(default)]
    informed: bool,
}

impl RegisterResident {
    fn read(self, ctx: &Ctx) -> Result<NewResident, Fault> {
        let kinds = match &self.kinds {
            Some(kinds) => kinds.iter().map(|kind| kind_of(kind)).collect::<Result<_, _>>()?,
            None => vec![Kind::Actual],
        };
        Ok(NewResident {
            id: self.id,
            household: self.household_id,
            relation: relation_of(&self.relation)?,
            name: self.name,
            id_number: self.id_number,
            phones: self.phones,
            kinds,
            from: day_or_today(ctx, "valid_from", self.valid_from.as_deref())?,
            informed: self.informed,
        })
    }
}

/// Registers somebody in a household.
#[utoipa::path(post, path = "/registry/residents", tag = "registry", request_body = RegisterResident, responses((status = 200, body = Written)))]
async fn register(Staff(ctx): Staff, Json(wish): Json<RegisterResident>) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let new = wish.read(&ctx)?;
    let id = new.id.to_string();
    ctx.app
        .write(&ctx, move |ctx, tx| residents::register(ctx, tx, new))
        .await?;
    Ok(Json(Written { id, row_version: 1 }))
}

/// What `POST /registry/residents` does, asked by the log of a phone.
pub fn posted_register(ctx: &Ctx, tx: &mut Tx, body: &Value) -> Result<Value, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let wish: RegisterResident = parse_value(body)?;
    residents::register(ctx, tx, wish.read(ctx)?)?;
    Ok(Value::Null)
}

/// What is to be corrected; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
struct ChangeResident {
    name: Option<String>,
    id_number: Option<String>,
    phones: Option<Vec<String>>,
    relation: Option<String>,
    /// As the caller saw it: a change of somebody else meanwhile is then refused, not overwritten.
    row_version: Option<i64>,
}

impl ChangeResident {
    fn read(self) -> Result<Change, Fault> {
        Ok(Change {
            relation: self.relation.as_deref().map(relation_of).transpose()?,
            name: self.name,
            id_number: self.id_number,
            phones: self.phones,
            row_version: self.row_version,
        })
    }
}

/// Corrects what is known of somebody.
#[utoipa::path(patch, path = "/registry/residents/{id}", tag = "registry", request_body = ChangeResident, params(("id" = ResidentId, Path)),
    responses((status = 200, body = Written)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Json(wish): Json<ChangeResident>,
) -> Result<Json<Written>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let change = wish.read()?;
    let row_version = ctx
        .app
        .write(&ctx, move |ctx, tx| residents::change(ctx, tx, id, change))
        .await?;
    Ok(Json(Written {
        id: id.to_string(),
        row_version,
    }))
}

/// What `PATCH /registry/residents/{id}` does, asked by the log of a phone.
pub fn posted_change(ctx: &Ctx, tx: &mut Tx, id: ResidentId, body: &Value) -> Result<Value, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let wish: ChangeResident = parse_value(body)?;
    residents::change(ctx, tx, id, wish.read()?)?;
    Ok(Value::Null)
}

/// Where somebody goes.
#[derive(Debug, Deserialize, ToSchema)]
struct MoveResident {
    household_id: HouseholdId,
    /// `registered` or `actual`: the other stays where it is.
    kind: String,
    /// What they are to the householder there.
    relation: String,
    /// First day there; ISO date, today when left out.
    valid_from: Option<String>,
}

/// Somebody moves to another household, with where they live or where they are registered.
#[utoipa::path(post, path = "/registry/residents/{id}/move", tag = "registry", request_body = MoveResident,
    params(("id" = ResidentId, Path)), responses((status = 204, description = "Moved")))]
async fn move_one(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Json(wish): Json<MoveResident>,
) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let (kind, relation) = (kind_of(&wish.kind)?, relation_of(&wish.relation)?);
    let from = day_or_today(&ctx, "valid_from", wish.valid_from.as_deref())?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            residents::move_one(ctx, tx, id, wish.household_id, kind, relation, from)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why somebody is no longer here.
#[derive(Debug, Deserialize, ToSchema)]
struct EndResident {
    /// Last day; ISO date, today at the latest.
    on: String,
    /// `moved_away` or `died`.
    how: String,
}

impl EndResident {
    fn read(&self) -> Result<(Date, &'static str), Fault> {
        let how = match self.how.as_str() {
            "moved_away" => "moved_away",
            "died" => "died",
            _ => return Err(Fault::invalid("how", "ending_unknown")),
        };
        Ok((day("on", &self.on)?, how))
    }
}

/// Somebody left the place or died; the record stays as history.
#[utoipa::path(post, path = "/registry/residents/{id}/end", tag = "registry", request_body = EndResident,
    params(("id" = ResidentId, Path)), responses((status = 204, description = "Ended")))]
async fn end(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Json(wish): Json<EndResident>,
) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let (on, how) = wish.read()?;
    ctx.app
        .write(&ctx, move |ctx, tx| residents::end(ctx, tx, id, on, how))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What `POST /registry/residents/{id}/end` does, asked by the log of a phone.
pub fn posted_end(ctx: &Ctx, tx: &mut Tx, id: ResidentId, body: &Value) -> Result<Value, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let wish: EndResident = parse_value(body)?;
    let (on, how) = wish.read()?;
    residents::end(ctx, tx, id, on, how)?;
    Ok(Value::Null)
}

/// One field to be seen whole, and why.
#[derive(Debug, Deserialize, ToSchema)]
struct RevealField {
    /// `name`, `id_number` or `phones`.
    field: String,
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    case_id: Option<CaseId>,
}

/// The field whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevealedResident)]
struct Revealed {
    /// Empty where nothing is known; several phones.
    values: Vec<String>,
}

/// One field of somebody whole, for a purpose. The look is logged by field, and the person can ask who looked.
#[utoipa::path(post, path = "/registry/residents/{id}/reveal", tag = "registry", request_body = RevealField,
    params(("id" = ResidentId, Path)), responses((status = 200, body = Revealed)))]
async fn reveal(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Json(wish): Json<RevealField>,
) -> Result<Json<Revealed>, Fault> {
    ctx.scope.require(Permission::RegistryReveal)?;
    let ctx = with_purpose(ctx, wish.purpose.as_deref(), wish.case_id)?;
    let field = Field::from_key(&wish.field).ok_or_else(|| Fault::invalid("field", "field_unknown"))?;
    let values = ctx
        .app
        .write(&ctx, move |ctx, tx| residents::reveal(ctx, tx, id, field))
        .await?;
    Ok(Json(Revealed {
        values: values.into_iter().map(|one| one.0).collect(),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LooksQuery {
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    case_id: Option<CaseId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Somebody's look at a resident.
#[derive(Debug, Serialize, ToSchema)]
struct LookView {
    id: AccessId,
    at: String,
    who: String,
    purpose: String,
    reason: Option<String>,
    /// What was seen.
    fields: Vec<String>,
}

/// Who looked at somebody, when and why, the newest first: what the person is told who asks. This look is logged, too.
#[utoipa::path(get, path = "/registry/residents/{id}/looks", tag = "registry", params(("id" = ResidentId, Path), LooksQuery),
    responses((status = 200, body = Page<LookView>)))]
async fn looks(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Query(query): Query<LooksQuery>,
) -> Result<Json<Page<LookView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, query.purpose.as_deref(), query.case_id)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .write(&ctx, move |ctx, tx| residents::looks(ctx, tx, id, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |one| one.id);
    Ok(Json(page.map(|one| {
        LookView {
            id: one.id,
            at: one.at.to_string(),
            who: one.who,
            purpose: one.purpose,
            reason: one.reason,
            fields: one
                .fields
                .split(',')
                .filter(|field| !field.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    })))
}

/// Who is looked for, and why. In a body, never in an address: it is personal.
#[derive(Debug, Deserialize, ToSchema)]
struct FindResident {
    /// A name or its beginning (two characters at least), its pinyin or initials, an identity number, a phone number.
    text: String,
    /// Look only in this area and below it.
    area_id: Option<AreaId>,
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    case_id: Option<CaseId>,
}

/// Those who answer to it, masked.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// In order of registration, twenty at most.
    items: Vec<FoundResident>,
    /// There are more: ask more exactly.
    more: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct FoundResident {
    resident: ResidentView,
    household: HouseholdView,
}

/// Finds somebody within the caller's area by name, pinyin, initials, identity number or phone. Each person told of is logged.
#[utoipa::path(post, path = "/registry/residents/search", tag = "registry", request_body = FindResident, responses((status = 200, body = Found)))]
async fn find(Staff(ctx): Staff, Json(wish): Json<FindResident>) -> Result<Json<Found>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, wish.purpose.as_deref(), wish.case_id)?;
    let below = match wish.area_id {
        Some(id) => {
            let area = area_of(&ctx, id, Permission::RegistryRead)?;
            Some((area.depth, area.id))
        }
        None => None,
    };
    let found = ctx.app.write(&ctx, move |ctx, tx| {
        let (found, more) = search::find(ctx, tx, &wish.text, below)?;
        let items = found.into_iter().map(|(one, household)| FoundResident {
            resident: ResidentView::of(one, &[]),
            household: HouseholdView::of(ctx, household, None),
        });
        Ok(Found {
            items: items.collect(),
            more,
        })
    });
    Ok(Json(found.await?))
}

/// Why somebody is erased.
#[derive(Debug, Deserialize, ToSchema)]
struct EraseResident {
    /// In words; kept as a hash.
    reason: String,
}

/// Destroys the key of somebody and with it everything sealed of them; what else is known is removed. It cannot be undone.
#[utoipa::path(post, path = "/registry/residents/{id}/erase", tag = "registry", request_body = EraseResident,
    params(("id" = ResidentId, Path)), responses((status = 204, description = "Erased")))]
async fn erase(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Json(wish): Json<EraseResident>,
) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryErase)?;
    let reason = wish.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > MAX_REASON {
        return Err(Fault::invalid("reason", "text_length").with("most", MAX_REASON));
    }
    ctx.app
        .write(&ctx, move |ctx, tx| residents::erase(ctx, tx, id, &reason))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
