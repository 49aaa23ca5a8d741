//! Tasks go where their households and places go: at once when one moves, a minute later when areas were divided anew.

use super::counts::Shift;
use super::results::answers_of;
use super::store::{self, TaskRow};
use crate::duties::{self, SubjectKind};
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use crate::registry::HomesChanged;
use domain::campaigns::State;
use domain::time::MINUTE_MS;
use serde_json::{Value, json};

const FOLLOW: &str = "campaigns.follow";
/// Looked at in one transaction.
const PAGE: u32 = 500;

/// Makes the job known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, FOLLOW, Handler::Step(page));
}

/// Has every task looked at a little later: once every process on this database knows the new areas.
pub fn follow(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    let running = store::running(tx, i64::MAX)?;
    for one in running {
        put(ctx, tx, one.id, None, ctx.now.plus_ms(MINUTE_MS))?;
    }
    Ok(())
}

fn put(
    ctx: &Ctx,
    tx: &mut Tx,
    id: CampaignId,
    after: Option<DutySubjectId>,
    at: domain::time::Timestamp,
) -> Result<(), Fault> {
    let key = format!("{id}:{}", after.map(|id| id.to_string()).unwrap_or_default());
    jobs::enqueue(ctx, tx, FOLLOW, &key, at, &json!({ "campaign": id, "after": after }))
}

fn page(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id = payload["campaign"].as_str().and_then(|id| id.parse().ok());
    let id: CampaignId = id.ok_or_else(|| Fault::internal("a campaign without its id"))?;
    let after = payload["after"].as_str().and_then(|id| id.parse().ok());
    let rows = store::tasks_after(tx, id, after, PAGE)?;
    let more = rows.last().map(|row| row.subject).filter(|_| rows.len() as u32 == PAGE);
    let mut moved = 0;
    for row in rows {
        moved += i64::from(carry(ctx, tx, row)?);
    }
    if moved > 0 {
        let body = json!({ "moved": moved });
        tx.record(ctx, Mark::new("campaign.tasks_moved", Subject::Campaign(id), body))?;
    }
    if let Some(more) = more {
        put(ctx, tx, id, Some(more), ctx.now)?;
    }
    Ok(Outcome::Done)
}

/// Households that came, went or moved: what is asked of them goes along, or is told as gone.
pub fn homes_changed(ctx: &Ctx, tx: &mut Tx, news: &HomesChanged) -> Result<(), Fault> {
    for id in &news.households {
        for row in store::tasks_of(tx, DutySubjectId(id.0), SubjectKind::Household)? {
            carry(ctx, tx, row)?;
        }
    }
    Ok(())
}

/// Puts one task where its subject lies now. Whether anything changed.
fn carry(ctx: &Ctx, tx: &mut Tx, before: TaskRow) -> Result<bool, Fault> {
    let mut row = before.clone();
    match duties::find(ctx, tx, row.kind, row.subject)? {
        Some(known) => {
            (row.area, row.areas) = (known.area, known.areas);
            if row.state == State::Gone {
                row.state = State::Open;
            }
        }
        None if row.state == State::Open => row.state = State::Gone,
        None => {}
    }
    if row == before {
        return Ok(false);
    }
    let answers = answers_of(ctx, store::last_answered(tx, &row, None)?.as_ref())?;
    let mut shift = Shift::default();
    shift.task(&before, -1);
    shift.answers(&before, &answers, -1);
    shift.task(&row, 1);
    shift.answers(&row, &answers, 1);
    shift.write(tx);
    store::update_task(tx, &row)?;
    Ok(true)
}
