//! The log of reads: an entry in the same transaction as the read, before the answer leaves. No entry, no answer.

use crate::platform::{AccessId, Ctx, Fault, Mark, Purpose, Subject, Tx};
use axum::http::StatusCode;
use db::params;
use serde_json::json;

/// Writes down that personal data of `subject` is read, which fields, by whom and for what purpose; refuses when no purpose is stated.
/// Call it inside `App::write`, in the transaction that reads.
pub fn log_read(ctx: &Ctx, tx: &mut Tx, subject: Subject, fields: &[&str]) -> Result<(), Fault> {
    let (case, reason) = match &ctx.purpose {
        Purpose::Unstated => return Err(Fault::new(StatusCode::FORBIDDEN, "purpose_required")),
        Purpose::HandleCase(case) => (Some(*case), None),
        Purpose::Emergency(reason) => (None, Some(reason.as_str())),
        _ => (None, None),
    };
    let case = case.or(match subject {
        Subject::Case(id) => Some(id),
        _ => None,
    });
    let id: AccessId = ctx.app.new_id();
    tx.execute(
        "insert into access_log (id, at, account_id, actor, purpose, reason, subject_kind, subject_id, fields, case_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            id,
            ctx.now.0,
            ctx.actor.account(),
            ctx.actor.key(),
            ctx.purpose.key(),
            reason,
            subject.kind(),
            subject.id(),
            fields.join(","),
            case
        ],
    )?;
    tx.record(
        ctx,
        Mark::new("personal.read", subject, json!({ "access": id, "fields": fields })),
    )?;
    Ok(())
}
