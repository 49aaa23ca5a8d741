//! A message comes in: once, within the quotas, long ones whole.

use super::hear::{self, Heard};
use super::store::{self, IncomingRow, PartRow};
use crate::cases::portal;
use crate::platform::contacts::{self, Channel, Contact};
use crate::platform::outbox::{self, Reply};
use crate::platform::sealed::Place;
use crate::platform::*;
use axum::http::StatusCode;
use domain::message::{self, Part};
use domain::time::{DAY_MS, MINUTE_MS, Timestamp};
use serde_json::json;

/// Characters of one message of a resident.
pub const MAX_TEXT: usize = 1_000;
/// Parts of one long SMS.
const MAX_PARTS: u8 = 20;
/// Characters of a gateway's id of a message.
const MAX_GATEWAY_ID: usize = 100;
/// Digits of a phone number, and characters of an account's name for its follower.
const PHONE: std::ops::RangeInclusive<usize> = 5..=20;
const MAX_ACCOUNT: usize = 100;
/// A part waits this long for the others.
const PART_WAITS_MS: i64 = 10 * MINUTE_MS;
/// Parts that were put together are kept this long, so that one that comes again is known.
const PART_KEPT_MS: i64 = 3 * DAY_MS;
/// Long texts put together in one run.
const LATE: i64 = 20;

/// A message as a gateway hands it in.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub channel: Channel,
    /// The gateway's own id; the same again is the same message.
    pub gateway_id: String,
    /// The phone number, or the account's name for its follower.
    pub from: String,
    pub text: String,
    /// Which part of a long text it is.
    pub part: Option<Part>,
    /// The answer leaves with the answer to this request.
    pub at_once: bool,
}

/// Takes a message; what it is answered, none when it is not (a part, too many, or a duplicate whose answer goes its own way).
/// A duplicate gives what the first gave.
pub fn take(ctx: &Ctx, tx: &mut Tx, arrived: &Arrived) -> Result<Option<String>, Fault> {
    let address = check(arrived)?;
    let ctx = &speaking(ctx, &arrived.text);
    let contact = contacts::of(ctx, tx, arrived.channel, address)?;
    if let Some((_, reply)) = store::incoming(tx, arrived.channel, &arrived.gateway_id)? {
        return again(ctx, tx, &contact, reply.filter(|_| arrived.at_once));
    }
    let (day, _) = ctx.now.day_and_ms();
    let (came, _) = outbox::counts(tx, arrived.channel, day)?;
    if came >= arrived.channel.per_place(&ctx.app).0 {
        return Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, "message_place_quota"));
    }
    let Some(part) = arrived.part else {
        outbox::count_in(tx, arrived.channel, day)?;
        return whole(ctx, tx, &contact, address, arrived, &arrived.text, 1);
    };
    let new = PartRow {
        gateway_id: arrived.gateway_id.clone(),
        part,
        at: ctx.now,
        sealed: seal(ctx, "incoming_part", &arrived.gateway_id, &arrived.text),
    };
    if !store::insert_part(tx, arrived.channel, contact.id, &new)? {
        return marked_only(ctx, tx, "again");
    }
    outbox::count_in(tx, arrived.channel, day)?;
    let parts = store::parts(tx, contact.id, part.reference)?;
    if (1..=part.total).any(|seq| !parts.iter().any(|p| p.part.seq == seq)) {
        return marked_only(ctx, tx, "part");
    }
    joined(ctx, tx, &contact, address, arrived, &parts)
}

/// The address, when all of it can be one message.
fn check(arrived: &Arrived) -> Result<&str, Fault> {
    let id = arrived.gateway_id.chars().count();
    if id == 0 || id > MAX_GATEWAY_ID {
        return Err(Fault::invalid("id", "message_id_needed"));
    }
    let address = arrived.from.trim();
    let (fits, wrong) = match arrived.channel {
        Channel::Sms => (PHONE.contains(&sealed::plain_phone(address).len()), "phone_invalid"),
        Channel::PublicAccount => (
            (1..=MAX_ACCOUNT).contains(&address.chars().count()),
            "message_sender_needed",
        ),
    };
    if !fits {
        return Err(Fault::refused(wrong).field("from"));
    }
    if arrived.part.is_some_and(|part| !part.is_sound(MAX_PARTS)) {
        return Err(Fault::invalid("part", "message_part_unsound"));
    }
    Ok(address)
}

/// A resident follows their own matter, in the language they write.
fn speaking(ctx: &Ctx, text: &str) -> Ctx {
    let english = text.chars().any(|c| c.is_ascii_alphabetic()) && !message::is_cjk(text);
    Ctx {
        actor: Actor::Resident,
        scope: Scope::nothing(),
        purpose: Purpose::OwnReport,
        lang: if english { Lang::En } else { Lang::Zh },
        ..ctx.clone()
    }
}

fn seal(ctx: &Ctx, table: &str, id: &str, text: &str) -> Vec<u8> {
    ctx.app.seal(table, id, "body_sealed", text)
}

fn marked_only(ctx: &Ctx, tx: &mut Tx, kind: &'static str) -> Result<Option<String>, Fault> {
    tx.record(
        ctx,
        Mark::new("message.heard", Subject::System, json!({ "kind": kind })),
    )?;
    Ok(None)
}

/// The same message again: the answer it had, if that leaves with this one.
fn again(ctx: &Ctx, tx: &mut Tx, contact: &Contact, reply: Option<MessageId>) -> Result<Option<String>, Fault> {
    marked_only(ctx, tx, "again")?;
    let Some(reply) = reply else { return Ok(None) };
    let sealed = store::reply(tx, contact.id, reply)?;
    let words = sealed.map(|sealed| outbox::words(ctx, reply, &sealed)).transpose()?;
    Ok(words.map(|words| words.reveal().clone()))
}

/// Puts the parts together in their order, whatever order they came in; what never came is marked.
fn joined(
    ctx: &Ctx,
    tx: &mut Tx,
    contact: &Contact,
    address: &str,
    arrived: &Arrived,
    parts: &[PartRow],
) -> Result<Option<String>, Fault> {
    const MISSING: &str = "[…]";
    let total = parts.first().map_or(0, |first| first.part.total);
    let mut text = String::new();
    let mut first = None;
    for seq in 1..=total {
        let Some(found) = parts.iter().find(|p| p.part.seq == seq) else {
            text.push_str(MISSING);
            continue;
        };
        first = first.or(Some(found.gateway_id.clone()));
        let place = Place {
            table: "incoming_part",
            id: &found.gateway_id,
            column: "body_sealed",
        };
        let opened = ctx.app.sealer().open(place, &found.sealed).map_err(Fault::internal)?;
        text.push_str(opened.reveal());
    }
    for part in parts {
        store::set_joined(tx, arrived.channel, &part.gateway_id, ctx.now)?;
    }
    let arrived = Arrived {
        gateway_id: first.unwrap_or_else(|| arrived.gateway_id.clone()),
        ..arrived.clone()
    };
    whole(ctx, tx, contact, address, &arrived, &text, i64::from(total))
}

/// One whole message: heard, answered, kept.
fn whole(
    ctx: &Ctx,
    tx: &mut Tx,
    contact: &Contact,
    address: &str,
    arrived: &Arrived,
    text: &str,
    parts: i64,
) -> Result<Option<String>, Fault> {
    let (day, _) = ctx.now.day_and_ms();
    let most = contact.channel.per_contact(&ctx.app);
    let came = store::count_from(tx, contact.id, Timestamp::from_day(day, 0))?;
    if came > most {
        return marked_only(ctx, tx, "over_quota");
    }
    let refused = |code: &'static str, most: String| {
        let reply = i18n::sentence(ctx.lang, code, &[("most", most)]);
        (
            Heard {
                kind: "refused",
                case: None,
                reply,
            },
            Some(code),
        )
    };
    let (heard, outcome) = if came == most {
        refused("text_too_many", most.to_string())
    } else if text.chars().count() > MAX_TEXT {
        refused("text_too_long_message", MAX_TEXT.to_string())
    } else {
        (hear::hear(ctx, tx, contact, address, text)?, None)
    };
    let areas = match heard.case {
        Some(case) => portal::areas_of(tx, case)?,
        None => [None; 5],
    };
    let reply = Reply {
        body: &heard.reply,
        case: heard.case,
        areas,
        gone: arrived.at_once,
    };
    let reply_id = outbox::answer(ctx, tx, contact, &reply)?;
    let id: IncomingId = ctx.app.new_id();
    // What may not be taken is not kept either.
    let kept = if heard.kind == "refused" { "" } else { text };
    store::insert_incoming(
        tx,
        &IncomingRow {
            id,
            contact: contact.id,
            channel: arrived.channel,
            gateway_id: arrived.gateway_id.clone(),
            at: ctx.now,
            sealed: seal(ctx, "incoming", &id.to_string(), kept),
            parts,
            kind: heard.kind,
            case: heard.case,
            outcome,
            reply: reply_id,
        },
    )?;
    let subject = heard.case.map_or(Subject::System, Subject::Case);
    let mark = json!({ "message": id.to_string(), "channel": arrived.channel.key(), "kind": heard.kind });
    tx.record(ctx, Mark::new("message.heard", subject, mark))?;
    Ok(Some(heard.reply))
}

/// Somebody begins to follow an account (and is told how it works), or leaves it: nothing is sent to them any more.
pub fn follows(ctx: &Ctx, tx: &mut Tx, channel: Channel, from: &str, begins: bool) -> Result<Option<String>, Fault> {
    if let Some(contact) = contacts::known(ctx, tx, channel, from)? {
        contacts::set_opted_out(tx, contact.id, (!begins).then_some(ctx.now))?;
    }
    marked_only(ctx, tx, if begins { "followed" } else { "left" })?;
    Ok(begins.then(|| i18n::sentence(Lang::Zh, "text_help", &[])))
}

/// Long texts whose parts did not all come in time: taken as far as they came, so that nothing a resident said is lost.
/// And parts put together long ago are forgotten.
pub fn join_late(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    store::forget_parts(tx, ctx.now.plus_ms(-PART_KEPT_MS))?;
    marked_only(ctx, tx, "late")?;
    for (channel, contact, reference) in store::late(tx, ctx.now.plus_ms(-PART_WAITS_MS), LATE)? {
        let Some(contact) = contacts::find(tx, contact)? else {
            continue;
        };
        let address = contacts::address(ctx, tx, contact.id)?;
        let parts = store::parts(tx, contact.id, reference)?;
        let Some(first) = parts.first() else { continue };
        let arrived = Arrived {
            channel,
            gateway_id: first.gateway_id.clone(),
            from: String::new(),
            text: String::new(),
            part: None,
            at_once: false,
        };
        let ctx = speaking(ctx, "");
        joined(&ctx, tx, &contact, address.reveal(), &arrived, &parts)?;
    }
    Ok(())
}

/// Whether [`join_late`] has anything to do.
pub fn has_late(ctx: &Ctx, tx: &mut Tx) -> Result<bool, Fault> {
    let waiting = !store::late(tx, ctx.now.plus_ms(-PART_WAITS_MS), 1)?.is_empty();
    Ok(waiting || store::has_old_parts(tx, ctx.now.plus_ms(-PART_KEPT_MS))?)
}
