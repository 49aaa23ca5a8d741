//! The outbox 待发: messages to residents, with what became of each.
//!
//! One way out for every part: [`queue`], in the transaction that causes the message; [`answer`] for what directly answers a resident's own
//! message. A message with a contact and an open gateway is due at once ([`due`], [`note_attempt`], [`report`] are the gateway's side);
//! any other waits where staff see it; nothing is ever pretended sent. A person who told the resident says so with [`mark_told`]. Entry
//! points: [`queue`], [`answer`], [`list`], [`cancel`], [`mark_told`], [`retry`]. Must not be read across the scope of the case's area.
mod gateway;
mod store;

pub use gateway::{
    Refusal, Reply, Report, Sending, Taken, answer, due, has_due, hold_back, note_attempt, report, retry, words,
};
pub use store::{OutboxItem, OutboxState, count_in, counts};

use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::{AreaId, CaseId, ContactId, MessageId, ReporterId};
use super::live::{LiveEvent, Topic};
use super::scope::{MAX_DEPTH, Permission};
use super::tx::{Mark, Subject, Tx};

/// A message to a resident.
#[derive(Clone, Debug)]
pub struct Message {
    pub case_id: CaseId,
    pub reporter_id: Option<ReporterId>,
    /// Where the case lies: decides who on the staff sees the message.
    pub areas: [Option<AreaId>; MAX_DEPTH],
    /// Where the resident wants to hear; none: a person tells them.
    pub contact: Option<ContactId>,
    /// `sms`, `phone`, ...: how the resident wishes to hear.
    pub channel: String,
    /// Key of the template the text was made from.
    pub template_key: String,
    pub body: String,
}

/// Puts a message; the caller's own mark covers it. It leaves by itself when its contact can be reached and wants to hear.
pub fn queue(ctx: &Ctx, tx: &mut Tx<'_, '_>, message: Message) -> Result<MessageId, Fault> {
    let id: MessageId = ctx.app.new_id();
    let way = gateway::way(ctx, tx, message.contact)?;
    store::insert(tx, id, &message, &way, ctx.now.0)?;
    tx.publish(changed("outbox.queued", id, message.areas));
    Ok(id)
}

/// Messages within the caller's scope, the newest first, before `after`.
pub fn list(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    state: Option<OutboxState>,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Vec<OutboxItem>, Fault> {
    ctx.scope.require(Permission::OutboxManage)?;
    Ok(store::list(tx, &ctx.scope, state, after, i64::from(limit))?)
}

/// Takes a waiting message back.
pub fn cancel(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: MessageId, reason: &str) -> Result<OutboxItem, Fault> {
    settle(ctx, tx, id, OutboxState::Cancelled, "outbox.cancelled", reason)
}

/// A member of the staff told the resident in another way (by phone, at the door): how, and what the resident said, is the note.
pub fn mark_told(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: MessageId, note: &str) -> Result<OutboxItem, Fault> {
    settle(ctx, tx, id, OutboxState::Delivered, "outbox.told", note)
}

fn settle(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    state: OutboxState,
    action: &'static str,
    note: &str,
) -> Result<OutboxItem, Fault> {
    let note = note.trim();
    if note.is_empty() {
        return Err(Fault::invalid("note", "outbox_note_needed"));
    }
    let (message, areas) = store::find(tx, id)?.ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&areas, Permission::OutboxManage) {
        return Err(Fault::not_found());
    }
    if !matches!(message.state, OutboxState::Waiting | OutboxState::Failed) {
        return Err(Fault::conflict("outbox_not_waiting"));
    }
    store::settle(tx, id, state, ctx.now.0, &ctx.actor.key(), note)?;
    let body = serde_json::json!({
        "case": message.case_id,
        "was": message.state,
        "note": super::ledger::text_hash(&ctx.app, note),
    });
    tx.record(ctx, Mark::new(action, Subject::Message(id), body))?;
    tx.publish(changed(action, id, areas));
    Ok(store::find(tx, id)?.ok_or_else(Fault::not_found)?.0)
}

fn changed(kind: &'static str, id: MessageId, areas: [Option<AreaId>; MAX_DEPTH]) -> LiveEvent {
    LiveEvent {
        topic: Topic::Outbox,
        kind,
        id: id.to_string(),
        areas,
        units: Vec::new(),
    }
}
