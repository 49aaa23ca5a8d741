//! The ledger over HTTP: for auditors, for residents with a receipt, for outside witnesses.

use crate::access::Staff;
use crate::platform::ledger::{self, LedgerItem, Receipt, TreeHead, Verdict};
use crate::platform::{App, Ctx, Fault, Json, Mark, Page, PageQuery, Permission, Public, Query, Subject, jobs};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The job that reads the whole ledger again.
pub const VERIFY: &str = "ledger.verify";
/// Heads shown at once.
const HEADS: u32 = 50;

/// A signed head and the key to check it with.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PublishedHead {
    /// None while the ledger is empty.
    head: Option<TreeHead>,
    /// Ed25519, 64 hexadecimal digits.
    public_key: String,
    /// The head as a C2SP signed note (checkpoint), for outside witnesses.
    note: Option<String>,
}

async fn published(app: &App) -> Result<PublishedHead, Fault> {
    let (head, key) = (ledger::newest_head(app).await?, ledger::key(app).public());
    let note = head.as_ref().map(|head| head.note(&key));
    Ok(PublishedHead {
        head,
        public_key: key.to_hex(),
        note,
    })
}

/// The newest signed head of the ledger, for anybody.
#[utoipa::path(get, path = "/portal/tree-head", tag = "ledger", responses((status = 200, body = PublishedHead)))]
pub async fn tree_head(Public(ctx): Public) -> Result<Json<PublishedHead>, Fault> {
    Ok(Json(published(&ctx.app).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct ReceiptToCheck {
    /// The receipt file's content.
    receipt: Receipt,
    /// What the resident sent, if they want to have it compared.
    text: Option<String>,
}

/// Checks a receipt by itself, and that this ledger still has its record today: where the receipt says, unaltered, under today's signed
/// head, which continues the receipt's.
#[utoipa::path(post, path = "/portal/verify-receipt", tag = "ledger", request_body = ReceiptToCheck,
    responses((status = 200, body = Verdict), (status = 422, body = crate::platform::fault::FaultView)))]
pub async fn verify_receipt(Public(ctx): Public, Json(body): Json<ReceiptToCheck>) -> Result<Json<Verdict>, Fault> {
    let key = ledger::key(&ctx.app).public();
    let verdict = body.receipt.verify(Some(&key), body.text.as_deref(), ctx.lang);
    let today = ledger::still_holds(&ctx.app, &body.receipt).await?;
    Ok(Json(verdict.and("today", today, ctx.lang)))
}

/// Records, the newest first. `after`: from the page before.
#[utoipa::path(get, path = "/ledger", tag = "ledger", params(PageQuery), responses((status = 200, body = Page<LedgerItem>)))]
pub async fn list(Staff(ctx): Staff, Query(page): Query<PageQuery>) -> Result<Json<Page<LedgerItem>>, Fault> {
    ctx.scope.require(Permission::LedgerRead)?;
    let items = ledger::newest(&ctx.app, page.after()?, page.limit() + 1).await?;
    Ok(Json(Page::cut(items, page.limit(), |item| item.leaf)))
}

/// The newest signed heads and the public key.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Heads {
    items: Vec<TreeHead>,
    public_key: String,
}

/// Signed heads, the newest first.
#[utoipa::path(get, path = "/ledger/heads", tag = "ledger", responses((status = 200, body = Heads)))]
pub async fn heads(Staff(ctx): Staff) -> Result<Json<Heads>, Fault> {
    ctx.scope.require(Permission::LedgerRead)?;
    let items = ledger::newest_heads(&ctx.app, HEADS).await?;
    Ok(Json(Heads {
        items,
        public_key: ledger::key(&ctx.app).public().to_hex(),
    }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Sizes {
    /// Size of the earlier head.
    from: u64,
    /// Size of the later head.
    to: u64,
}

/// A consistency proof between two heads.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Consistency {
    from: u64,
    to: u64,
    /// Hashes in hexadecimal, as RFC 6962 orders them.
    proof: Vec<String>,
}

/// Proof that an earlier ledger is the beginning of a later one; for anybody who kept a head.
#[utoipa::path(get, path = "/portal/tree-consistency", tag = "ledger", params(Sizes), responses((status = 200, body = Consistency)))]
pub async fn consistency(Public(ctx): Public, Query(sizes): Query<Sizes>) -> Result<Json<Consistency>, Fault> {
    let proof = ledger::consistency(&ctx.app, sizes.from, sizes.to).await?;
    let proof = proof.iter().map(ToString::to_string).collect();
    Ok(Json(Consistency {
        from: sizes.from,
        to: sizes.to,
        proof,
    }))
}

/// How the last verification went.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LastVerification {
    running: bool,
    /// None before the first one has ended since the server started.
    report: Option<ledger::Report>,
    /// One line for each finding.
    lines: Vec<String>,
}

/// The report of the last verification.
#[utoipa::path(get, path = "/ledger/verification", tag = "ledger", responses((status = 200, body = LastVerification)))]
pub async fn verification(Staff(ctx): Staff) -> Result<Json<LastVerification>, Fault> {
    ctx.scope.require(Permission::LedgerRead)?;
    let waiting = ctx
        .app
        .read(&ctx, |_, tx| {
            let mut of = |state| jobs::list(tx, Some(state), None, 200);
            Ok([of(jobs::JobState::Waiting)?, of(jobs::JobState::Running)?].concat())
        })
        .await?;
    let report = ctx
        .app
        .part::<LastReport>()
        .0
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone();
    let lines = report
        .iter()
        .flat_map(|report| &report.findings)
        .map(|finding| finding.describe(ctx.lang))
        .collect();
    Ok(Json(LastVerification {
        running: waiting.iter().any(|job| job.kind == VERIFY),
        report,
        lines,
    }))
}

/// Reads the whole ledger again, as a job; look at `/ledger/verification` for the outcome.
#[utoipa::path(post, path = "/ledger/verify", tag = "ledger", responses((status = 202, description = "Started")))]
pub async fn verify(State(app): State<App>, Staff(ctx): Staff) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::LedgerRead)?;
    app.write(&ctx, |ctx, tx| {
        jobs::enqueue(ctx, tx, VERIFY, "now", ctx.now, &serde_json::Value::Null)?;
        tx.record(
            ctx,
            Mark::new("ledger.verification_asked", Subject::Ledger, serde_json::json!({})),
        )?;
        Ok(())
    })
    .await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Default)]
struct LastReport(std::sync::Mutex<Option<ledger::Report>>);

/// The job behind [`verify`]: its outcome is a mark, so that a bad one cannot be hushed up.
pub fn register(app: &App) {
    jobs::register(app, VERIFY, jobs::Handler::Long(|ctx, _| Box::pin(verify_now(ctx))));
}

async fn verify_now(ctx: Ctx) -> Result<jobs::Effect, Fault> {
    ledger::bring_up_to_date(&ctx.app).await?;
    let report = ledger::verify(&ctx.app, Vec::new(), |_, _| {}).await?;
    if !report.ok() {
        tracing::error!(findings = report.findings.len(), "the ledger does not verify");
    }
    *ctx.app
        .part::<LastReport>()
        .0
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(report.clone());
    Ok(Box::new(move |ctx, tx| {
        let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
        let body = serde_json::json!({"records": report.records, "heads": report.heads, "findings": kinds, "more": report.more});
        if report.ok() {
            super::store::remember_verified(ctx, tx, false)?;
        }
        tx.record(ctx, Mark::new("ledger.verified", Subject::Ledger, body))?;
        Ok(jobs::Outcome::Done)
    }))
}
