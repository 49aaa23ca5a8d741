//! Routes of sync: the log of a phone, what waits for somebody, phones.

use super::bundle::{self, BundleGrid, KnownGrid};
use super::devices::{self, Device};
use super::parked::{self, After, Parked, Settling, Wanted};
use super::take::{Answer, Batch, Operation, Sender, Verdict, take_all};
use crate::access::Staff;
use crate::platform::fault::FaultView;
use crate::platform::*;
use crate::{policy, territory};
use axum::http::StatusCode;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync))
        .routes(routes!(take_along))
        .routes(routes!(waiting))
        .routes(routes!(settle))
        .routes(routes!(phones))
        .routes(routes!(revoke))
        .routes(routes!(standing))
        .routes(routes!(wiped))
}

/// What a phone did since it last sent.
#[derive(Debug, Deserialize, ToSchema)]
struct SyncInput {
    /// Made on the phone, one for each account on it.
    device: DeviceId,
    /// Kind of phone and browser, for the worker to know it by.
    #[serde(default)]
    name: String,
    /// Version of the app.
    #[serde(default)]
    app: String,
    /// What the phone's clock says now, with its offset.
    sent_at: String,
    /// The `epoch` under which what the phone still holds was received, and the highest number of it; left out while there is none.
    #[serde(default)]
    epoch: Option<i64>,
    #[serde(default)]
    received: i64,
    /// In the order of their numbers, at most 50. Empty: only to hear how things stand.
    #[serde(default)]
    operations: Vec<OperationInput>,
}

/// One thing done on a phone.
#[derive(Debug, Deserialize, ToSchema)]
struct OperationInput {
    /// Made on the phone: letters, digits, `-`, `.` and `_`.
    id: String,
    /// Rises with each operation of the phone.
    number: i64,
    /// The address it would have been posted to: `/cases`, `/cases/{id}/actions/{action}`, `/visits`, `/campaigns/{id}/results`,
    /// `/registry/residents`, `/registry/residents/{id}` (a change), `/registry/residents/{id}/end`.
    path: String,
    /// What would have been posted there.
    #[schema(value_type = Object)]
    body: Value,
    /// What it is, in the worker's words.
    #[serde(default)]
    title: String,
    /// When it was done, by the phone's clock.
    at: String,
    /// The worker waits before the form: a refusal is not kept.
    #[serde(default)]
    attended: bool,
}

fn moment(field: &'static str, text: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).map_err(|_| Fault::invalid(field, "invalid_field"))
}

fn read_operation(input: OperationInput) -> Result<Operation, Fault> {
    Ok(Operation {
        at: moment("operations.at", &input.at)?,
        id: input.id,
        number: input.number.max(0),
        path: input.path,
        body: input.body,
        title: Personal(input.title),
        attended: input.attended,
    })
}

/// What became of one operation.
#[derive(Debug, Serialize, ToSchema)]
struct OperationReceipt {
    id: String,
    number: i64,
    /// `done`; `already` (received before); `refused` (kept; attended, or for want of its photos, not); `decide` (somebody changed the same thing; kept); `clash` (the id
    /// is known with other content; kept); `later` (the server cannot just now: send again).
    verdict: String,
    /// Its fingerprint, where it is kept for somebody to settle.
    kept_as: Option<String>,
    /// When it was received: by this the phone knows whether a backup covers it.
    received_at: Option<String>,
    /// What the address itself would have answered, when done just now.
    #[schema(value_type = Option<Object>)]
    answer: Option<Value>,
    /// Why it was not done.
    fault: Option<FaultView>,
    /// Ed25519, in hexadecimal, by the key of the ledger over the text of [`signed_text`]; only for what is here.
    signature: Option<String>,
}

/// How things stand.
#[derive(Debug, Serialize, ToSchema)]
struct SyncView {
    now: String,
    /// Which life of the database this is: when it changes, the phone sends again what it still holds.
    epoch: i64,
    /// What was received before is in a backup that was read again; the phone may forget it.
    covered_until: Option<String>,
    /// Highest number of this phone's that is here.
    seen: i64,
    /// Something the phone was told is here is not: the database was set back. Nothing of this batch was taken in: what is missing is to be sent
    /// first, in the order of the numbers.
    behind: bool,
    /// The phone was given up for lost: what it knows is to be deleted.
    revoked: bool,
    /// In the order of the operations; fewer where the rest is to be sent again.
    receipts: Vec<OperationReceipt>,
}

/// What a receipt signs: what it is, the life of the database, phone, number, id, verdict, milliseconds of its receipt; each on a line.
fn signed_text(epoch: i64, device: DeviceId, of: &OperationReceipt, at: Timestamp) -> String {
    let OperationReceipt {
        id, number, verdict, ..
    } = of;
    format!(
        "wangge operation receipt\n{epoch}\n{device}\n{number}\n{id}\n{verdict}\n{}\n",
        at.0
    )
}

fn receipt(ctx: &Ctx, epoch: i64, device: DeviceId, (id, number): (String, i64), answer: Answer) -> OperationReceipt {
    let why = |fault: Fault| Some(fault.view(ctx.lang));
    let (verdict, kept_as, at, answer, fault) = match answer {
        Answer::Done(at, answer) => ("done", None, Some(at), Some(answer), None),
        Answer::Already(known) if known.verdict == Verdict::Done || known.settled => {
            ("already", None, Some(known.received_at), None, None)
        }
        Answer::Already(known) => {
            let (verdict, at, kept_as) = (known.verdict.key(), known.received_at, known.fingerprint.clone());
            (verdict, Some(kept_as), Some(at), None, known.why())
        }
        Answer::Kept(at, verdict, kept_as, fault) => (verdict.key(), Some(kept_as), Some(at), None, why(fault)),
        Answer::Refused(fault) => ("refused", None, None, None, why(fault)),
        Answer::Later(fault) => ("later", None, None, None, why(fault)),
    };
    let mut receipt = OperationReceipt {
        id,
        number,
        verdict: verdict.to_owned(),
        kept_as,
        received_at: at.map(|at| at.to_string()),
        answer,
        fault,
        signature: None,
    };
    receipt.signature = at.map(|at| ledger::key(&ctx.app).sign_text(&signed_text(epoch, device, &receipt, at)));
    receipt
}

/// Takes in what a phone did, each operation once however often it is sent, and tells it how things stand.
#[utoipa::path(post, path = "/sync", tag = "sync", request_body = SyncInput, responses((status = 200, body = SyncView)))]
async fn sync(Staff(ctx): Staff, Json(input): Json<SyncInput>) -> Result<Json<SyncView>, Fault> {
    let sender = Sender {
        device: input.device,
        name: input.name,
        app: input.app,
        sent_at: moment("sent_at", &input.sent_at)?,
        epoch: input.epoch,
        received: input.received,
    };
    let names: Vec<(String, i64)> = input
        .operations
        .iter()
        .map(|one| (one.id.clone(), one.number))
        .collect();
    let operations = input
        .operations
        .into_iter()
        .map(read_operation)
        .collect::<Result<_, _>>()?;
    let batch: Batch = take_all(&ctx, sender, operations).await?;
    let (epoch, device) = (batch.epoch, input.device);
    let receipts = names.into_iter().zip(batch.answers);
    Ok(Json(SyncView {
        now: batch.now.to_string(),
        epoch,
        covered_until: batch.covered_until.map(|at| at.to_string()),
        seen: batch.seen,
        behind: batch.behind,
        revoked: batch.revoked,
        receipts: receipts
            .map(|(name, answer)| receipt(&ctx, epoch, device, name, answer))
            .collect(),
    }))
}

/// What the phone has already.
#[derive(Debug, Deserialize, ToSchema)]
struct BundleInput {
    /// At most 8.
    #[serde(default)]
    grids: Vec<GridInput>,
}

/// A grid the phone has, by the digests it was told.
#[derive(Debug, Deserialize, ToSchema)]
struct GridInput {
    area_id: AreaId,
    #[serde(default)]
    ground: String,
    #[serde(default)]
    parts: Vec<String>,
}

/// What a phone takes along.
#[derive(Debug, Serialize, ToSchema)]
struct BundleView {
    /// All grids of the worker: what the phone has of others is to go from it.
    grids: Vec<BundleGrid>,
    /// What the keys of care registers are called.
    registers: Vec<RegisterName>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RegisterName {
    key: String,
    name: String,
}

/// The grids of the caller with who lives there, masked, for a day without a signal; only what the phone does not have. Each look is logged.
#[utoipa::path(post, path = "/sync/bundle", tag = "sync", request_body = BundleInput, responses((status = 200, body = BundleView)))]
async fn take_along(Staff(ctx): Staff, Json(input): Json<BundleInput>) -> Result<Json<BundleView>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    if input.grids.len() > bundle::MOST_GRIDS {
        return Err(Fault::invalid("grids", "bundle_too_many_grids").with("most", bundle::MOST_GRIDS));
    }
    let ctx = ctx.for_purpose(Purpose::Visit);
    let known = input.grids.into_iter().map(|one| KnownGrid {
        area: one.area_id,
        ground: one.ground,
        parts: one.parts,
    });
    let known: Vec<KnownGrid> = known.collect();
    let read = ctx.app.read(&ctx, move |ctx, tx| bundle::read(ctx, tx, &known)).await?;
    let grids = ctx.app.write(&ctx, move |ctx, tx| bundle::tell(ctx, tx, read)).await?;
    Ok(Json(BundleView {
        registers: register_names(&ctx, &grids)?,
        grids,
    }))
}

/// Of the registers that somebody is on in what is told, and no other: that a sensitive one exists is not told either.
fn register_names(ctx: &Ctx, grids: &[BundleGrid]) -> Result<Vec<RegisterName>, Fault> {
    let homes = grids
        .iter()
        .flat_map(|grid| &grid.parts)
        .filter_map(|part| part.homes.as_ref())
        .flatten();
    let told: HashSet<&str> = homes
        .flat_map(|one| &one.home.residents)
        .flat_map(|one| &one.registers)
        .map(String::as_str)
        .collect();
    let current = policy::current(&ctx.app)?;
    let named = current
        .pack
        .registers
        .iter()
        .filter(|one| told.contains(one.key.as_str()));
    Ok(named
        .map(|one| RegisterName {
            key: one.key.clone(),
            name: ctx.lang.pick(&one.name.zh, &one.name.en).to_owned(),
        })
        .collect())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WaitingQuery {
    /// The area in which the workers serve, with all below it.
    area: AreaId,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What a phone sent and could not be done.
#[derive(Debug, Serialize, ToSchema)]
struct WaitingView {
    id: String,
    /// With the id it names this one.
    fingerprint: String,
    worker_name: String,
    area_name: String,
    /// `report`, `visit`, `campaign.result` or `case.` and the action.
    kind: String,
    /// What it is, in the worker's words.
    title: String,
    /// When it was done and when it came in.
    at: String,
    received_at: String,
    /// `refused`, `decide` or `clash`.
    verdict: String,
    code: Option<String>,
    message: Option<String>,
    /// What was asked.
    #[schema(value_type = Object)]
    body: Value,
}

fn waiting_view(ctx: &Ctx, (row, wanted): (Parked, Wanted)) -> WaitingView {
    let map = territory::current(&ctx.app);
    WaitingView {
        id: row.id,
        fingerprint: row.fingerprint,
        worker_name: row.name,
        area_name: row.area.map(|area| map.full_name(area)).unwrap_or_default(),
        kind: row.kind,
        title: wanted.title,
        at: row.at.to_string(),
        received_at: row.received_at.to_string(),
        verdict: row.verdict.key().to_owned(),
        code: row.code,
        message: row.message,
        body: wanted.body,
    }
}

/// What phones sent and could not be done, the oldest first; the look is logged.
#[utoipa::path(get, path = "/sync/kept", tag = "sync", params(WaitingQuery), responses((status = 200, body = Page<WaitingView>)))]
async fn waiting(Staff(ctx): Staff, Query(query): Query<WaitingQuery>) -> Result<Json<Page<WaitingView>>, Fault> {
    let paging = PageQuery {
        limit: query.limit,
        after: query.after.clone(),
    };
    let (limit, after) = (paging.limit(), paging.after::<After>()?);
    let ctx = ctx.for_purpose(Purpose::Supervise);
    let rows = ctx
        .app
        .write(&ctx, move |ctx, tx| parked::list(ctx, tx, query.area, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |(row, _)| (row.received_at.0, row.id.clone()));
    Ok(Json(page.map(|one| waiting_view(&ctx, one))))
}

/// How one is settled.
#[derive(Debug, Deserialize, ToSchema)]
struct SettleInput {
    id: String,
    fingerprint: String,
    #[schema(inline)]
    how: Settling,
}

/// Takes what a phone sent in after all, in its worker's name, or gives it up.
#[utoipa::path(post, path = "/sync/kept/settle", tag = "sync", request_body = SettleInput, responses((status = 204)))]
async fn settle(Staff(ctx): Staff, Json(input): Json<SettleInput>) -> Result<StatusCode, Fault> {
    let ctx = ctx.for_purpose(Purpose::Supervise);
    ctx.app
        .write(&ctx, move |ctx, tx| {
            parked::settle(ctx, tx, &input.id, &input.fingerprint, input.how)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PhonesQuery {
    /// Whose; one's own when left out.
    account: Option<AccountId>,
}

/// A phone (or browser) of an account.
#[derive(Debug, Serialize, ToSchema)]
struct PhoneView {
    id: DeviceId,
    name: String,
    app: String,
    first_seen: String,
    last_seen: String,
    /// How far its clock was behind (seconds; negative: ahead); 0 when it agrees.
    clock_s: i64,
    revoked_at: Option<String>,
    wiped_at: Option<String>,
}

fn phone(one: Device) -> PhoneView {
    PhoneView {
        id: one.id,
        name: one.name,
        app: one.app,
        first_seen: one.first_seen.to_string(),
        last_seen: one.last_seen.to_string(),
        clock_s: one.clock_ms / 1000,
        revoked_at: one.revoked_at.map(|at| at.to_string()),
        wiped_at: one.wiped_at.map(|at| at.to_string()),
    }
}

/// The phones an account has worked with, the one used last first.
#[utoipa::path(get, path = "/devices", tag = "sync", params(PhonesQuery), responses((status = 200, body = Vec<PhoneView>)))]
async fn phones(Staff(ctx): Staff, Query(query): Query<PhonesQuery>) -> Result<Json<Vec<PhoneView>>, Fault> {
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| devices::of_account(ctx, tx, query.account))
        .await?;
    Ok(Json(found.into_iter().map(phone).collect()))
}

/// Gives a phone up for lost: its account is signed out everywhere, what it knows is deleted at its next contact.
#[utoipa::path(post, path = "/devices/{id}/revoke", tag = "sync", params(("id" = DeviceId, Path)), responses((status = 204)))]
async fn revoke(Staff(ctx): Staff, Path(id): Path<DeviceId>) -> Result<StatusCode, Fault> {
    ctx.app.write(&ctx, move |ctx, tx| devices::revoke(ctx, tx, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a phone was given up for lost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceStandingView)]
struct StandingView {
    revoked: bool,
}

/// How a phone stands. Without a session: one that was given up for lost has none.
#[utoipa::path(get, path = "/portal/devices/{id}", tag = "sync", params(("id" = DeviceId, Path)), responses((status = 200, body = StandingView)))]
async fn standing(Public(ctx): Public, Path(id): Path<DeviceId>) -> Result<Json<StandingView>, Fault> {
    let revoked = ctx.app.read(&ctx, move |_, tx| devices::standing(tx, id)).await?;
    Ok(Json(StandingView { revoked }))
}

/// A phone given up for lost says that it has deleted what it knew.
#[utoipa::path(post, path = "/portal/devices/{id}/wiped", tag = "sync", params(("id" = DeviceId, Path)), responses((status = 204)))]
async fn wiped(Public(ctx): Public, Path(id): Path<DeviceId>) -> Result<StatusCode, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| devices::confirm_wiped(ctx, tx, id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
