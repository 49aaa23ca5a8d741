//! The examination 系统体检 over HTTP: what `wangge doctor` says, as far as a running program can know it.

use super::doctor::{self, FindingView, Severity};
use crate::access::Staff;
use crate::platform::{Ctx, Fault, Json, Mark, Permission, Subject};
use serde::Serialize;

/// What was found, the worst first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Examination {
    /// When it was looked at.
    at: String,
    findings: Vec<FindingView>,
}

/// Examines the installation now. That somebody looked, and how many findings there were, is kept in the ledger.
#[utoipa::path(post, path = "/doctor", tag = "operations", responses((status = 200, body = Examination)))]
pub async fn examine(Staff(ctx): Staff) -> Result<Json<Examination>, Fault> {
    ctx.scope.require(Permission::JobManage)?;
    let app = ctx.app.clone();
    let settings = tokio::task::spawn_blocking(move || doctor::settings(app.config()));
    let mut found = settings.await.map_err(Fault::internal)?;
    found.extend(doctor::running(&ctx.app).await?);
    found.sort_by_key(|finding| finding.severity);
    let findings: Vec<FindingView> = found.iter().map(doctor::Finding::view).collect();
    // A server that has stopped writing can keep no mark; why it stopped must be seen all the same.
    match ctx.app.db().health().refusing {
        Some(why) => tracing::warn!(why, "examined while writing is stopped"),
        None => remember(&ctx, &findings).await?,
    }
    Ok(Json(Examination {
        at: ctx.now.to_string(),
        findings,
    }))
}

async fn remember(ctx: &Ctx, findings: &[FindingView]) -> Result<(), Fault> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let [severe, warnings, notes] = [Severity::Severe, Severity::Warning, Severity::Note].map(count);
    let body = serde_json::json!({ "severe": severe, "warnings": warnings, "notes": notes });
    let mark = Mark::new("system.examined", Subject::System, body);
    ctx.app.write(ctx, move |ctx, tx| tx.record(ctx, mark)).await.map(drop)
}
