//! The gateway's side of the outbox: what is due, what an attempt gave, what the network reports.

use super::store::{self, DueRow, OutboxState, ReplyRow};
use crate::platform::contacts::{self, Channel, Contact};
use crate::platform::ctx::Ctx;
use crate::platform::fault::Fault;
use crate::platform::ids::{AreaId, CaseId, ContactId, MessageId};
use crate::platform::scope::{MAX_DEPTH, Permission};
use crate::platform::sealed::{Personal, Place};
use crate::platform::tx::{Mark, Subject, Tx};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::json;

/// Messages of one run.
const BATCH: i64 = 32;
/// Pauses after a failed attempt; after the last the message has failed.
const PAUSES_MS: [i64; 6] = [
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
];
/// What the place may not send today leaves tomorrow at this time.
const MORNING_MS: i64 = 8 * HOUR_MS;

/// How a message leaves.
#[derive(Default)]
pub struct Way {
    pub channel: Option<Channel>,
    pub next_at: Option<i64>,
    pub outcome: Option<&'static str>,
}

/// At once, when the contact can be reached, wants to hear and has not heard too much today.
pub(super) fn way(ctx: &Ctx, tx: &mut Tx, contact: Option<ContactId>) -> Result<Way, Fault> {
    let Some(contact) = contact else {
        return Ok(Way::default());
    };
    let found = contacts::find(tx, contact)?.ok_or_else(|| Fault::internal("a message to an unknown contact"))?;
    if !found.channel.is_open(&ctx.app) {
        return Ok(Way::default());
    }
    let (day, _) = ctx.now.day_and_ms();
    let outcome = if found.opted_out_at.is_some() {
        Some("message_opted_out")
    } else if store::count_to(tx, contact, Timestamp::from_day(day, 0).0)? >= found.channel.per_contact(&ctx.app) {
        Some("message_contact_quota")
    } else {
        None
    };
    Ok(Way {
        channel: Some(found.channel),
        next_at: outcome.is_none().then_some(ctx.now.0),
        outcome,
    })
}

/// What directly answers a resident's own message.
pub struct Reply<'r> {
    pub body: &'r str,
    pub case: Option<CaseId>,
    /// Where the case lies.
    pub areas: [Option<AreaId>; MAX_DEPTH],
    /// It leaves with the answer to the request that brought the message.
    pub gone: bool,
}

/// Puts a direct answer, also for those who want to hear nothing else; the caller's own mark covers it.
pub fn answer(ctx: &Ctx, tx: &mut Tx, contact: &Contact, reply: &Reply) -> Result<MessageId, Fault> {
    let id: MessageId = ctx.app.new_id();
    let parts = contact.channel.parts(reply.body);
    store::insert_reply(
        tx,
        &ReplyRow {
            id,
            contact: contact.id,
            channel: contact.channel,
            case: reply.case,
            areas: reply.areas,
            sealed: ctx.app.seal("outbox", &id.to_string(), "body_sealed", reply.body),
            parts,
            gone: reply.gone,
            now: ctx.now.0,
        },
    )?;
    if reply.gone {
        store::count(tx, contact.channel, ctx.now.day_and_ms().0, 0, parts)?;
    }
    Ok(id)
}

/// A message to be handed over.
pub struct Sending {
    pub id: MessageId,
    pub to: Personal<String>,
    pub text: Personal<String>,
    pub parts: i64,
    attempts: i64,
}

/// Those of a channel that are due, within what the place may send today; what is above waits for the morning.
pub fn due(ctx: &Ctx, tx: &mut Tx, channel: Channel) -> Result<Vec<Sending>, Fault> {
    let (day, _) = ctx.now.day_and_ms();
    let (_, most) = channel.per_place(&ctx.app);
    let (_, mut used) = store::counts(tx, channel, day)?;
    let mut sending = Vec::new();
    for row in store::due(tx, channel, ctx.now.0, BATCH)? {
        if used + row.parts > most {
            break;
        }
        used += row.parts;
        sending.push(open(ctx, tx, row)?);
    }
    Ok(sending)
}

/// Whether anything is due at all.
pub fn has_due(ctx: &Ctx, tx: &mut Tx, channel: Channel) -> Result<bool, Fault> {
    Ok(store::has_due(tx, channel, ctx.now.0)?)
}

/// What no part of today's quota is left for waits for the morning; called when [`due`] gives nothing.
pub fn hold_back(ctx: &Ctx, tx: &mut Tx, channel: Channel) -> Result<u64, Fault> {
    let (day, _) = ctx.now.day_and_ms();
    let morning = Timestamp::from_day(day, DAY_MS + MORNING_MS);
    Ok(store::hold_back(
        tx,
        channel,
        ctx.now.0,
        morning.0,
        "message_place_quota",
    )?)
}

fn open(ctx: &Ctx, tx: &mut Tx, row: DueRow) -> Result<Sending, Fault> {
    let text = match &row.sealed {
        None => Personal(row.body),
        Some(sealed) => words(ctx, row.id, sealed)?,
    };
    Ok(Sending {
        id: row.id,
        to: contacts::address(ctx, tx, row.contact)?,
        text,
        parts: row.parts,
        attempts: row.attempts,
    })
}

/// A sealed direct answer, opened.
pub fn words(ctx: &Ctx, id: MessageId, sealed: &[u8]) -> Result<Personal<String>, Fault> {
    let id = id.to_string();
    let place = Place {
        table: "outbox",
        id: &id,
        column: "body_sealed",
    };
    ctx.app.sealer().open(place, sealed).map_err(Fault::internal)
}

/// What a gateway did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It will report later.
    Handed,
    /// The resident has it.
    Arrived,
}

/// Why a gateway did not take a message: the code of what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Tried again after a pause, a few times.
    ForNow(&'static str),
    /// No attempt will help: it waits for a person who tells the resident.
    ForGood(&'static str),
}

/// Notes what an attempt gave.
pub fn note_attempt(
    ctx: &Ctx,
    tx: &mut Tx,
    channel: Channel,
    sent: &Sending,
    gave: Result<Taken, Refusal>,
) -> Result<(), Fault> {
    let pause = PAUSES_MS.get(usize::try_from(sent.attempts).unwrap_or(usize::MAX));
    let now = ctx.now.0;
    let (state, next_at, outcome, finished) = match gave {
        Ok(Taken::Handed) => (OutboxState::Sent, None, None, None),
        Ok(Taken::Arrived) => (OutboxState::Delivered, None, None, Some(now)),
        Err(Refusal::ForGood(code)) => (OutboxState::Waiting, None, Some(code), None),
        Err(Refusal::ForNow(code)) => match pause {
            Some(pause) => (OutboxState::Waiting, Some(now + pause), Some(code), None),
            None => (OutboxState::Failed, None, Some(code), Some(now)),
        },
    };
    store::note_attempt(tx, sent.id, state, next_at, outcome, finished)?;
    if gave.is_ok() {
        store::count(tx, channel, ctx.now.day_and_ms().0, 0, sent.parts)?;
    }
    Ok(())
}

/// What the network reports of a message a gateway took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    Arrived,
    Failed,
}

/// Notes a report; whether there was such a message.
pub fn report(ctx: &Ctx, tx: &mut Tx, id: MessageId, report: Report) -> Result<bool, Fault> {
    let (state, outcome) = match report {
        Report::Arrived => (OutboxState::Delivered, None),
        Report::Failed => (OutboxState::Failed, Some("message_not_delivered")),
    };
    let changed = store::note_report(tx, id, state, outcome, ctx.now.0)? > 0;
    if changed {
        let mark = json!({ "state": state.key() });
        tx.record(ctx, Mark::new("message.reported", Subject::Message(id), mark))?;
        if let Some((_, areas)) = store::find(tx, id)? {
            tx.publish(super::changed("outbox.reported", id, areas));
        }
    }
    Ok(changed)
}

/// A person lets a message be tried again from the beginning.
pub fn retry(ctx: &Ctx, tx: &mut Tx, id: MessageId) -> Result<(), Fault> {
    if !ctx.scope.covers(&[None; MAX_DEPTH], Permission::OutboxManage) {
        return Err(Fault::forbidden());
    }
    let (contact, is_reply) = store::contact_of(tx, id)?.ok_or_else(Fault::not_found)?;
    let contact = contact.ok_or_else(Fault::not_found)?;
    let contact = contacts::find(tx, contact)?.ok_or_else(Fault::not_found)?;
    if contact.opted_out_at.is_some() && !is_reply {
        return Err(Fault::refused("message_opted_out"));
    }
    if !contact.channel.is_open(&ctx.app) {
        return Err(Fault::refused("message_no_gateway"));
    }
    if store::set_due(tx, id, ctx.now.0)? == 0 {
        return Err(Fault::conflict("outbox_not_waiting"));
    }
    tx.record(ctx, Mark::new("message.retried", Subject::Message(id), json!({})))?;
    Ok(())
}
