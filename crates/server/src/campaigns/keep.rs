//! What was answered is deleted after the day that was said at the start; the figures and the last word stay.

use super::store;
use crate::platform::jobs::{self, Handler, Outcome, Recurring};
use crate::platform::*;
use serde_json::{Value, json};

const NIGHTLY: &str = "campaigns.nightly";
/// Deleted in one transaction.
const AT_ONCE: i64 = 1_000;

/// Makes the job known; once at the start.
pub fn register(app: &App) {
    jobs::register_recurring(app, Recurring::nightly(NIGHTLY, 0, 40), Handler::Step(nightly));
}

fn nightly(ctx: &Ctx, tx: &mut Tx, _: &Value) -> Result<Outcome, Fault> {
    let Some(id) = store::to_erase(tx, ctx.now.day_and_ms().0)? else {
        return Ok(Outcome::Done);
    };
    let deleted = store::delete_some(tx, id, AT_ONCE)?;
    if deleted < AT_ONCE as u64 {
        store::set_erased(tx, id)?;
        tx.record(
            ctx,
            Mark::new("campaign.answers_deleted", Subject::Campaign(id), json!({})),
        )?;
    }
    Ok(Outcome::Again(ctx.now))
}
