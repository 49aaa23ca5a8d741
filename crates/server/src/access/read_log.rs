//! The log of reads: an entry on disk before the answer leaves. No entry, no answer.

use super::store::{self, Access};
use crate::platform::{AccessId, Ctx, Fault, Mark, Purpose, Subject, Tx};
use axum::http::StatusCode;
use serde_json::json;

/// Writes down that personal data of `subject` is read, which fields, by whom and for what purpose; refuses when no purpose is stated.
/// Call it inside `App::write`; what was read leaves only once that has committed.
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
    store::add_access(
        ctx,
        tx,
        id,
        subject,
        Access {
            reason,
            fields: fields.join(","),
            case,
        },
    )?;
    tx.record(
        ctx,
        Mark::new("personal.read", subject, json!({ "access": id, "fields": fields })),
    )?;
    Ok(())
}

/// One look at something, as those are told of it whom it is about, or who answer for them.
#[derive(Debug, Clone)]
pub struct Look {
    pub id: AccessId,
    pub at: domain::time::Timestamp,
    /// Name of the account; the actor's kind where it was none.
    pub who: String,
    pub purpose: String,
    pub reason: Option<String>,
    pub fields: String,
}

/// Who looked at something, under any of the records it has had, the newest first; one more than `limit` when there are more. The caller looks at
/// the scope.
pub fn looks(tx: &mut Tx, subjects: &[Subject], after: Option<AccessId>, limit: u32) -> Result<Vec<Look>, Fault> {
    store::looks(tx, subjects, after, limit)
}
