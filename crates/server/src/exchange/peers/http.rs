//! Routes of staff and administrators: agreements with other platforms, passing a case on, the list of what is out and in.

use super::figures::{self, PeerCompared};
use super::registry::{self, NewPeer};
use super::sign;
use super::store::{PeerRow, RefusalRow};
use crate::access::Staff;
use crate::cases::handover::{self, HandoverMessageView, HandoverPart, HandoverView, Spoken, Wish};
use crate::platform::*;
use crate::{cases, territory};
use axum::http::StatusCode;
use domain::cases::handover::Verb;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(introduction))
        .routes(routes!(peers, make))
        .routes(routes!(confirm))
        .routes(routes!(end))
        .routes(routes!(compare))
        .routes(routes!(refusals))
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(act))
        .routes(routes!(of_case, pass_on))
}

/// What this platform says of itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Introduction {
    /// The text to hand to the other administrator.
    text: String,
    /// To be read out to them.
    fingerprint: String,
}

/// This platform's introduction, for another platform's administrator.
#[utoipa::path(get, path = "/peers/introduction", tag = "exchange", responses((status = 200, body = Introduction)))]
async fn introduction(Staff(ctx): Staff) -> Result<Json<Introduction>, Fault> {
    let (text, fingerprint) = registry::introduction(&ctx)?;
    Ok(Json(Introduction { text, fingerprint }))
}

/// Another platform.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeerView {
    id: PeerId,
    name: String,
    /// `upper`, `lower`, `side`.
    relation: String,
    url: String,
    fingerprint: String,
    purpose: String,
    contact: String,
    /// What may be passed to it: of this subtree (none: of the whole place), of these categories (none: of all).
    area_id: Option<AreaId>,
    area_name: Option<String>,
    categories: Vec<String>,
    /// Whether who reported may go along.
    may_personal: bool,
    /// Whether cases are taken from it.
    takes: bool,
    active_from: String,
    active_to: Option<String>,
    /// Messages go and come now.
    active: bool,
    created_at: String,
    created_name: String,
    confirmed_at: Option<String>,
    confirmed_name: Option<String>,
    ended_at: Option<String>,
    ended_name: Option<String>,
    compared_at: Option<String>,
    compared: Option<PeerCompared>,
    /// The last comparison found no difference.
    agrees: Option<bool>,
    /// Why the other side gave no figures, in a sentence.
    compare_failed: Option<String>,
}

fn view(ctx: &Ctx, row: PeerRow) -> PeerView {
    let compared: Option<PeerCompared> = row.compared.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let failed = compared.as_ref().and_then(|found| found.failed.clone());
    PeerView {
        active: row.is_active(ctx.now),
        id: row.id,
        name: row.name,
        relation: row.relation,
        url: row.url,
        // Of an ended one its own mark was added, so that the platform can be agreed with anew.
        fingerprint: sign::fingerprint(&row.key).unwrap_or_default(),
        purpose: row.purpose,
        contact: row.contact,
        area_id: row.area,
        area_name: row.area.map(|area| territory::current(&ctx.app).full_name(area)),
        categories: row.categories,
        may_personal: row.may_personal,
        takes: row.takes,
        active_from: row.active_from.to_string(),
        active_to: time(row.active_to),
        created_at: row.created_at.to_string(),
        created_name: row.created_name,
        confirmed_at: time(row.confirmed_at),
        confirmed_name: row.confirmed_name,
        ended_at: time(row.ended_at),
        ended_name: row.ended_name,
        compared_at: time(row.compared_at),
        agrees: compared.as_ref().map(figures::agree),
        compare_failed: failed.map(|code| i18n::sentence(ctx.lang, &code, &[])),
        compared,
    }
}

/// Agreements with other platforms, the newest first; at most 200.
#[utoipa::path(get, path = "/peers", tag = "exchange", responses((status = 200, body = Vec<PeerView>)))]
async fn peers(Staff(ctx): Staff) -> Result<Json<Vec<PeerView>>, Fault> {
    let rows = ctx.app.read(&ctx, registry::list).await?;
    Ok(Json(rows.into_iter().map(|row| view(&ctx, row)).collect()))
}

/// An agreement to make. The id is made by the caller: the same request again is the same agreement.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct PeerBody {
    id: PeerId,
    /// The introduction the other administrator handed over.
    introduction: String,
    /// What it is called here; as it introduces itself when left out.
    #[serde(default)]
    name: String,
    /// `upper`, `lower`, `side`.
    relation: String,
    purpose: String,
    contact: String,
    area_id: Option<AreaId>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    may_personal: bool,
    #[serde(default)]
    takes: bool,
    /// RFC 3339; now when left out.
    active_from: Option<String>,
    /// RFC 3339; until it is ended when left out.
    active_to: Option<String>,
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    text.filter(|text| !text.is_empty())
        .map(|text| Timestamp::parse(text).map_err(|_| Fault::invalid(field, "invalid_time")))
        .transpose()
}

/// Makes an agreement; it waits for its fingerprint to be confirmed.
#[utoipa::path(post, path = "/peers", tag = "exchange", request_body = PeerBody, responses((status = 201, body = PeerView)))]
async fn make(Staff(ctx): Staff, Json(body): Json<PeerBody>) -> Result<(StatusCode, Json<PeerView>), Fault> {
    let new = NewPeer {
        id: body.id,
        introduction: body.introduction,
        name: body.name,
        relation: body.relation,
        purpose: body.purpose,
        contact: body.contact,
        area: body.area_id,
        categories: body.categories,
        may_personal: body.may_personal,
        takes: body.takes,
        active_from: moment("active_from", body.active_from.as_deref())?,
        active_to: moment("active_to", body.active_to.as_deref())?,
    };
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx
        .app
        .write(&ctx, move |ctx, tx| registry::make(ctx, tx, &new))
        .await?;
    Ok((StatusCode::CREATED, Json(view(&ctx, row))))
}

/// The fingerprint as the other administrator reads it out.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct FingerprintBody {
    fingerprint: String,
}

/// Confirms that the two administrators see the same fingerprint; messages go and come from then on.
#[utoipa::path(post, path = "/peers/{id}/confirm", tag = "exchange", params(("id" = PeerId, Path)), request_body = FingerprintBody,
    responses((status = 200, body = PeerView)))]
async fn confirm(
    Staff(ctx): Staff,
    Path(id): Path<PeerId>,
    Json(body): Json<FingerprintBody>,
) -> Result<Json<PeerView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let confirmed = move |ctx: &Ctx, tx: &mut Tx| registry::confirm(ctx, tx, id, &body.fingerprint);
    let row = ctx.app.write(&ctx, confirmed).await?;
    Ok(Json(view(&ctx, row)))
}

/// Ends an agreement at once.
#[utoipa::path(post, path = "/peers/{id}/end", tag = "exchange", params(("id" = PeerId, Path)), responses((status = 200, body = PeerView)))]
async fn end(Staff(ctx): Staff, Path(id): Path<PeerId>) -> Result<Json<PeerView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx.app.write(&ctx, move |ctx, tx| registry::end(ctx, tx, id)).await?;
    Ok(Json(view(&ctx, row)))
}

/// Asks the other side for its figures and compares; the same happens each night.
#[utoipa::path(post, path = "/peers/{id}/compare", tag = "exchange", params(("id" = PeerId, Path)), responses((status = 200, body = PeerView)))]
async fn compare(Staff(ctx): Staff, Path(id): Path<PeerId>) -> Result<Json<PeerView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let any = [Permission::AccountManage];
    let row = ctx
        .app
        .read(&ctx, move |ctx, tx| registry::one(ctx, tx, id, &any))
        .await?;
    if !row.is_active(ctx.now) {
        return Err(Fault::refused("peer_not_active"));
    }
    figures::compare(&ctx, row).await?;
    let row = ctx
        .app
        .read(&ctx, move |ctx, tx| registry::one(ctx, tx, id, &any))
        .await?;
    Ok(Json(view(&ctx, row)))
}

/// Something of another platform that was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeerRefusalView {
    id: PeerRefusalId,
    at: String,
    code: String,
    /// The same in a sentence.
    text: String,
    verb: String,
    /// The same in a word; as it was sent when there is no such message.
    verb_name: String,
    handover_id: Option<String>,
    message_id: Option<String>,
}

/// What was refused of a platform, the newest first.
#[utoipa::path(get, path = "/peers/{id}/refusals", tag = "exchange", params(("id" = PeerId, Path), PageQuery),
    responses((status = 200, body = Page<PeerRefusalView>)))]
async fn refusals(
    Staff(ctx): Staff,
    Path(id): Path<PeerId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<PeerRefusalView>>, Fault> {
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| registry::refusals(ctx, tx, id, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |row: &RefusalRow| (row.at.0, row.id.to_string()));
    let lang = ctx.lang;
    Ok(Json(page.map(|row| PeerRefusalView {
        id: row.id,
        at: row.at.to_string(),
        text: i18n::sentence(lang, &row.code, &[]),
        code: row.code,
        verb_name: verb_name(lang, &row.verb),
        verb: row.verb,
        handover_id: row.handover,
        message_id: row.message,
    })))
}

fn verb_name(lang: Lang, verb: &str) -> String {
    match Verb::from_key(verb) {
        Some(verb) => i18n::sentence(lang, &format!("handover_verb_{}", verb.key()), &[]),
        None => verb.to_owned(),
    }
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct HandoversQuery {
    /// `out`, `in`, `needs` (something to do), `waiting` (messages that have not arrived); all when left out.
    part: Option<String>,
    /// Items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Cases passed on to other platforms and taken from them, within the scope, the last changed first.
#[utoipa::path(get, path = "/handovers", tag = "exchange", params(HandoversQuery), responses((status = 200, body = Page<HandoverView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<HandoversQuery>) -> Result<Json<Page<HandoverView>>, Fault> {
    let part = match query.part.as_deref() {
        None | Some("") => HandoverPart::All,
        Some("out") => HandoverPart::Out,
        Some("in") => HandoverPart::In,
        Some("needs") => HandoverPart::Needs,
        Some("waiting") => HandoverPart::Waiting,
        Some(_) => return Err(Fault::invalid("part", "state_unknown")),
    };
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    ctx.app
        .read(&ctx, move |ctx, tx| handover::list(ctx, tx, part, after, limit))
        .await
        .map(Json)
}

/// A handover with all its messages: the log of what was shared.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HandoverPage {
    #[serde(flatten)]
    handover: HandoverView,
    /// In the order they were made or came; at most 500.
    messages: Vec<HandoverMessageView>,
}

/// One handover with its messages.
#[utoipa::path(get, path = "/handovers/{id}", tag = "exchange", params(("id" = HandoverId, Path)), responses((status = 200, body = HandoverPage)))]
async fn one(Staff(ctx): Staff, Path(id): Path<HandoverId>) -> Result<Json<HandoverPage>, Fault> {
    ctx.app.read(&ctx, move |ctx, tx| page(ctx, tx, id)).await.map(Json)
}

fn page(ctx: &Ctx, tx: &mut Tx, id: HandoverId) -> Result<HandoverPage, Fault> {
    let (handover, messages) = handover::detail(ctx, tx, id)?;
    Ok(HandoverPage { handover, messages })
}

/// What is said about a handover.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct HandoverAct {
    /// `supply`, `withdraw` (passed on), `ask`, `progress`, `hand_back` (taken), `send_again`.
    act: String,
    /// What is supplied, asked, told; the reason. Not for `send_again`.
    text: String,
    /// Hashes of photos of the case that go along.
    photos: Vec<String>,
}

/// Does something about a handover.
#[utoipa::path(post, path = "/handovers/{id}/acts", tag = "exchange", params(("id" = HandoverId, Path)),
    request_body = HandoverAct, responses((status = 200, body = HandoverPage)))]
async fn act(
    Staff(ctx): Staff,
    Path(id): Path<HandoverId>,
    Json(body): Json<HandoverAct>,
) -> Result<Json<HandoverPage>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Exchange);
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let spoken = Spoken {
                text: body.text,
                photos: body.photos,
            };
            match body.act.as_str() {
                "supply" => handover::say(ctx, tx, id, Verb::Supply, &spoken)?,
                "withdraw" => handover::say(ctx, tx, id, Verb::Withdraw, &spoken)?,
                "ask" => handover::say(ctx, tx, id, Verb::Ask, &spoken)?,
                "progress" => handover::say(ctx, tx, id, Verb::Progress, &spoken)?,
                "hand_back" => handover::hand_back(ctx, tx, id, &spoken.text)?,
                "send_again" => handover::send_again(ctx, tx, id)?,
                _ => return Err(Fault::invalid("act", "handover_act_unknown")),
            };
            page(ctx, tx, id)
        })
        .await
        .map(Json)
}

/// A platform a case may be passed to, or why not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeerChoice {
    id: PeerId,
    name: String,
    relation: String,
    purpose: String,
    may_personal: bool,
    /// Why this case may not be passed to it, in a sentence.
    refusal: Option<String>,
}

/// Handovers of a case, and where it may be passed on to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseHandovers {
    items: Vec<HandoverView>,
    /// Platforms with an agreement in force; empty for those who may not pass this case on.
    peers: Vec<PeerChoice>,
    /// Why the case may not be passed on now, in a sentence.
    refusal: Option<String>,
}

/// Handovers of a case, and the platforms it may be passed on to.
#[utoipa::path(get, path = "/cases/{id}/handovers", tag = "exchange", params(("id" = CaseId, Path)), responses((status = 200, body = CaseHandovers)))]
async fn of_case(Staff(ctx): Staff, Path(id): Path<CaseId>) -> Result<Json<CaseHandovers>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| case_handovers(ctx, tx, id))
        .await
        .map(Json)
}

fn case_handovers(ctx: &Ctx, tx: &mut Tx, id: CaseId) -> Result<CaseHandovers, Fault> {
    let case = cases::handover::passable(ctx, tx, id)?;
    let mut peers = Vec::new();
    if case.may {
        for row in super::store::peers(tx, registry::MOST)? {
            if !row.is_active(ctx.now) {
                continue;
            }
            let refusal = registry::refusal(&row, ctx.now, &case.areas, case.category.as_deref());
            peers.push(PeerChoice {
                id: row.id,
                name: row.name,
                relation: row.relation,
                purpose: row.purpose,
                may_personal: row.may_personal,
                refusal: refusal.map(|code| i18n::sentence(ctx.lang, code, &[])),
            });
        }
    }
    Ok(CaseHandovers {
        items: handover::of_case(ctx, tx, id)?,
        peers,
        refusal: case.refusal.map(|code| i18n::sentence(ctx.lang, code, &[])),
    })
}

/// A case to be passed on. The id is made by the caller: the same request again is the same handover.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct PassOnBody {
    id: HandoverId,
    peer_id: PeerId,
    /// Why it is passed on: what the other side may use it for.
    purpose: String,
    /// What is told of the matter; the reporter's words when empty.
    #[serde(default)]
    text: String,
    /// Hashes of photos of the case that go along.
    #[serde(default)]
    photos: Vec<String>,
    /// Who reported goes along; only where the agreement allows it.
    #[serde(default)]
    personal: bool,
    /// The version of the case the person saw.
    #[serde(default)]
    row_version: Option<i64>,
}

/// Passes a case on to another platform; it stays open here until the answer was told.
#[utoipa::path(post, path = "/cases/{id}/handovers", tag = "exchange", params(("id" = CaseId, Path)), request_body = PassOnBody,
    responses((status = 201, body = CaseHandovers)))]
async fn pass_on(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Json(body): Json<PassOnBody>,
) -> Result<(StatusCode, Json<CaseHandovers>), Fault> {
    let ctx = ctx.for_purpose(Purpose::HandleCase(id));
    let passed = move |ctx: &Ctx, tx: &mut Tx| {
        let case = cases::handover::passable(ctx, tx, id)?;
        if !case.may {
            return Err(Fault::forbidden());
        }
        if case.came {
            return Err(Fault::refused("handover_chain"));
        }
        let peer = super::store::peer(tx, body.peer_id)?;
        let peer = peer.ok_or_else(|| Fault::invalid("peer_id", "peer_unknown"))?;
        if let Some(code) = registry::refusal(&peer, ctx.now, &case.areas, case.category.as_deref()) {
            return Err(Fault::refused(code).field("peer_id"));
        }
        if body.personal && !peer.may_personal {
            return Err(Fault::invalid("personal", "peer_not_personal"));
        }
        let wish = Wish {
            id: body.id,
            peer: peer.id,
            peer_name: peer.name,
            purpose: body.purpose,
            text: body.text,
            photos: body.photos,
            personal: body.personal,
            version: body.row_version,
        };
        handover::pass_on(ctx, tx, id, &wish)?;
        case_handovers(ctx, tx, id)
    };
    let shown = ctx.app.write(&ctx, passed).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}
