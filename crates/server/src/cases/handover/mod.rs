//! Handover 平台流转 (PJ-13): a case passed on to another platform, or taken from one, with every message about it.
//!
//! Here the origin stays answerable: the case stays open under its unit with its clock, the answer that comes back is told to the resident
//! here, checked and closed here. At the other platform it came in through the ordinary intake and is handled as any case; what happens to
//! it there becomes messages. Entry points: [`pass_on`], [`say`], [`hand_back`] for people; [`before_save`] and [`after_save`] for what
//! follows by itself; [`hear`] for a message that came. Sending and receiving, keys and addresses are in `exchange::peers`; what holds
//! whatever is lost or doubled is in `domain::cases::handover`. Must not: send who reported unless the administrator allowed it for that
//! platform and the one who passes it on chose to.

mod effects;
mod view;

pub use effects::{Heard, Incoming, hear};
pub use view::{HandoverMessageView, HandoverView, detail, list, of_case};

use super::record::{CaseRow, DoerRef};
use super::work::{Work, refused, sha256_hex};
use super::{actions, place, store, view as cases_view, words};
use crate::access::log_read;
use crate::platform::*;
use domain::cases as rules;
use domain::cases::handover::{Phase, Role, Said, Side, Verb};
use domain::cases::{Held, StateKey};
use domain::time::Timestamp;
use serde_json::{Value, json};

pub use store::{
    HandoverPart, due_handover_messages as due_messages, due_handover_photos as due_photos, handover as find,
    handover_counts as counts, handover_message as message, handovers_with as with_peer,
    note_handover_message as note_message, note_handover_photo as note_photo, requeue_handover_messages as requeue,
    set_handover_differs as set_differs,
};

/// The way in of cases of other platforms; the pack names it.
pub const CHANNEL: &str = "peer";
/// Messages and photos of one handover that are read at once.
pub const MOST: i64 = 500;
/// Handovers of one case that are shown.
const OF_CASE: i64 = 20;

/// A handover as stored.
#[derive(Debug, Clone)]
pub struct HandoverRow {
    pub id: HandoverId,
    pub case: CaseId,
    pub peer: PeerId,
    pub peer_name: String,
    /// Where it stands, as this platform knows it.
    pub side: Side,
    pub purpose: String,
    /// Whether who reported went along.
    pub personal: bool,
    /// Who passed it on.
    pub by: Option<DoerRef>,
    pub by_name: Option<String>,
    /// The other platform's number of the case.
    pub peer_number: Option<String>,
    /// By when they mean to finish (out), or are asked to (in).
    pub peer_due_at: Option<Timestamp>,
    /// Code of the refusal of a message by the other side.
    pub stuck: Option<String>,
    /// Code of what the last comparison found.
    pub differs: Option<String>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// A message as stored.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub id: HandoverMessageId,
    pub handover: HandoverId,
    /// `out` or `in`.
    pub way: String,
    pub seq: u32,
    pub heard: u32,
    pub verb: Verb,
    pub at: Timestamp,
    /// Sealed.
    pub data: Vec<u8>,
    pub hash: String,
    /// Names of what was shared, with commas between.
    pub fields: String,
    /// `waiting`, `done`, `refused`.
    pub state: String,
    pub attempts: i64,
    pub next_at: Option<Timestamp>,
    pub outcome: Option<String>,
    /// The answer given (in).
    pub answer: Option<String>,
    pub ended_at: Option<Timestamp>,
}

/// A photo that was shared.
#[derive(Debug, Clone)]
pub struct PhotoRow {
    pub handover: HandoverId,
    pub way: String,
    pub hash: String,
    pub stage: String,
    /// `shared` (out); `waiting`, `done`, `refused` (in).
    pub state: String,
    pub attempts: i64,
    pub next_at: Option<Timestamp>,
    pub outcome: Option<String>,
}

/// What a message carries: its content without envelope, as both sides hash it.
pub fn content(id: HandoverMessageId, handover: HandoverId, said: Said, at: Timestamp, data: &Value) -> Value {
    json!({
        "id": id, "handover": handover, "seq": said.seq, "heard": said.heard, "verb": said.verb.key(), "at": at.to_string(), "data": data,
    })
}

/// The digest by which a doubled message is told from an altered one.
pub fn digest(content: &Value) -> String {
    sha256_hex(&content.to_string())
}

/// A message's data, opened.
pub fn open_data(ctx: &Ctx, m: &MessageRow) -> Result<Value, Fault> {
    let id = m.id.to_string();
    let place = sealed::Place {
        table: "handover_message",
        id: &id,
        column: "data_sealed",
    };
    let text = ctx.app.sealer().open(place, &m.data).map_err(Fault::internal)?;
    serde_json::from_str(text.reveal()).map_err(Fault::internal)
}

fn seal_data(ctx: &Ctx, id: HandoverMessageId, data: &Value) -> Vec<u8> {
    ctx.app
        .seal("handover_message", &id.to_string(), "data_sealed", &data.to_string())
}

/// Which fields a message shares, by name.
fn fields_of(data: &Value) -> String {
    let Value::Object(map) = data else { return String::new() };
    let given: Vec<&str> = map
        .iter()
        .filter(|(_, value)| !value.is_null() && *value != &json!([]))
        .map(|(key, _)| key.as_str())
        .collect();
    given.join(",")
}

/// Whom a case is passed to, and what of it.
#[derive(Debug, Clone)]
pub struct Wish {
    pub id: HandoverId,
    pub peer: PeerId,
    pub peer_name: String,
    /// Why it is passed on: what the other side may use it for.
    pub purpose: String,
    /// What is told of the matter; the reporter's words when empty.
    pub text: String,
    /// Hashes of photos of the case.
    pub photos: Vec<String>,
    /// Who reported goes along; the caller has checked that this platform may have it.
    pub personal: bool,
    /// The version of the case the person saw.
    pub version: Option<i64>,
}

/// A dispatcher passes a case on.
pub fn pass_on(ctx: &Ctx, tx: &mut Tx, case: CaseId, wish: &Wish) -> Result<HandoverRow, Fault> {
    if let Some(there) = store::handover(tx, wish.id)? {
        let same = there.case == case && there.peer == wish.peer;
        return if same {
            Ok(there)
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    let purpose = actions::text("purpose", &wish.purpose)?.to_owned();
    let mut work = Work::open(ctx, tx, case, &[Permission::CaseDispatch], wish.version)?;
    if work.row.channel == CHANNEL {
        return Err(Fault::refused("handover_chain"));
    }
    let person = work.person(ctx, tx)?;
    let held = answerable(ctx, tx, &work, &person)?;
    work.case = work.case.clone().pass_on(held, &work.case_rules()).map_err(refused)?;
    let (side, said) = Side::pass_on();
    let row = HandoverRow {
        id: wish.id,
        case,
        peer: wish.peer,
        peer_name: wish.peer_name.clone(),
        side,
        purpose: purpose.clone(),
        personal: wish.personal,
        by: Some(person.doer().into()),
        by_name: Some(ctx.actor.name().to_owned()),
        peer_number: None,
        peer_due_at: None,
        stuck: None,
        differs: None,
        created_at: ctx.now,
        changed_at: ctx.now,
    };
    store::insert_handover(tx, &row)?;
    let data = passed(ctx, tx, &work, wish, &purpose)?;
    queue(ctx, tx, &row, said, &data)?;
    work.row.handover_id = Some(row.id);
    let body =
        json!({ "peer": row.peer_name, "reason": purpose, "handover": row.id.to_string(), "personal": row.personal });
    work.save(ctx, tx, "case.passed_on", body)?;
    Ok(row)
}

/// The unit that answers for the case here: the one that has it, else the centre of the area.
fn answerable(ctx: &Ctx, tx: &mut Tx, work: &Work, person: &rules::Person) -> Result<Held, Fault> {
    let unit = match (work.case.state.held(), work.row.area_id) {
        (Some(held), _) => Some(UnitId::from(held.unit)),
        (None, Some(area)) => place::centre_of(ctx, tx, area)?,
        (None, None) => None,
    };
    let unit = unit.ok_or_else(|| Fault::refused("no_unit_here"))?;
    Ok(Held {
        unit: unit.into(),
        worker: person.worker,
    })
}

/// What the other platform is told of the case.
fn passed(ctx: &Ctx, tx: &mut Tx, work: &Work, wish: &Wish, purpose: &str) -> Result<Value, Fault> {
    let row = &work.row;
    let text = if wish.text.trim().is_empty() {
        row.body.as_str()
    } else {
        actions::text("text", &wish.text)?
    };
    let photos = share_photos(tx, row.id, wish.id, &wish.photos, "report")?;
    let reporter = if wish.personal {
        reporter(ctx, tx, work)?
    } else {
        Value::Null
    };
    let category = row.category_code.as_deref();
    let area = row.area_id.and_then(|area| place::area_name(ctx, area));
    let rules = place::rules(ctx)?;
    Ok(json!({
        "number": row.number, "title": row.title, "text": text, "purpose": purpose, "urgent": row.urgent,
        "category": category, "category_name": category.map(|code| words::category(Lang::Zh, &rules, code)),
        "lon": row.lon, "lat": row.lat, "address": row.address, "place_note": row.place_note, "area_name": area,
        "received_at": row.received_at.to_string(), "due_at": row.due_at.map(|at| at.to_string()),
        "contact": if wish.personal { "direct" } else { "through_origin" },
        "reporter": reporter, "photos": photos,
    }))
}

/// Photos of the case that go along; each must be the case's own.
fn share_photos(
    tx: &mut Tx,
    case: CaseId,
    handover: HandoverId,
    wished: &[String],
    stage: &str,
) -> Result<Vec<Value>, Fault> {
    if wished.len() > super::intake::MAX_PHOTOS {
        return Err(Fault::invalid("photos", "too_many_photos").with("most", super::intake::MAX_PHOTOS));
    }
    let own = store::attachments(tx, case)?;
    let mut shared = Vec::new();
    for hash in wished {
        if !own.iter().any(|photo| photo.hash == *hash) {
            return Err(Fault::invalid("photos", "upload_unknown"));
        }
        let row = PhotoRow {
            handover,
            way: "out".to_owned(),
            hash: hash.clone(),
            stage: stage.to_owned(),
            state: "shared".to_owned(),
            attempts: 0,
            next_at: None,
            outcome: None,
        };
        store::insert_handover_photo(tx, &row)?;
        shared.push(json!({ "hash": hash, "stage": stage }));
    }
    Ok(shared)
}

/// Name and number of the first reporter who did not wish to stay unknown; the read is logged.
fn reporter(ctx: &Ctx, tx: &mut Tx, work: &Work) -> Result<Value, Fault> {
    if !ctx.scope.sees(&work.before.scope_facts(), Permission::CaseReporter) {
        return Err(Fault::forbidden());
    }
    let known = work
        .before
        .live_reports()
        .find(|r| !r.anonymous && r.reporter_id.is_some());
    let Some(id) = known.and_then(|report| report.reporter_id) else {
        return Err(Fault::invalid("personal", "handover_nobody_known"));
    };
    log_read(
        ctx,
        tx,
        Subject::Reporter(id),
        &["name_sealed", "phone_sealed", "handover"],
    )?;
    let mut field = |column| -> Result<Option<String>, Fault> {
        Ok(cases_view::personal(ctx, tx, id, column)?.map(|text| text.reveal().clone()))
    };
    Ok(json!({ "name": field("name_sealed")?, "phone": field("phone_sealed")? }))
}

/// Keeps a message that waits to be sent, with its mark.
fn queue(ctx: &Ctx, tx: &mut Tx, h: &HandoverRow, said: Said, data: &Value) -> Result<(), Fault> {
    let id: HandoverMessageId = ctx.app.new_id();
    let hash = digest(&content(id, h.id, said, ctx.now, data));
    let row = MessageRow {
        id,
        handover: h.id,
        way: "out".to_owned(),
        seq: said.seq,
        heard: said.heard,
        verb: said.verb,
        at: ctx.now,
        data: seal_data(ctx, id, data),
        hash,
        fields: fields_of(data),
        state: "waiting".to_owned(),
        attempts: 0,
        next_at: Some(ctx.now),
        outcome: None,
        answer: None,
        ended_at: None,
    };
    store::insert_handover_message(tx, &row)?;
    mark(ctx, tx, h, "handover.said", &row)
}

fn mark(ctx: &Ctx, tx: &mut Tx, h: &HandoverRow, action: &'static str, m: &MessageRow) -> Result<(), Fault> {
    let body = json!({
        "case": h.case.to_string(), "peer": h.peer.to_string(), "message": m.id.to_string(), "seq": m.seq, "verb": m.verb.key(),
        "hash": m.hash, "fields": m.fields, "phase": h.side.phase.key(),
    });
    tx.record(ctx, Mark::new(action, Subject::Handover(h.id), body))?;
    Ok(())
}

/// Says something about a handover: its side moves, the message waits to be sent.
fn utter(ctx: &Ctx, tx: &mut Tx, h: &mut HandoverRow, verb: Verb, data: &Value) -> Result<(), Fault> {
    let (side, said) = h.side.say(verb).map_err(refused)?;
    h.side = side;
    h.changed_at = ctx.now;
    queue(ctx, tx, h, said, data)?;
    store::update_handover(tx, h)
}

/// What a person says about a handover.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    pub text: String,
    /// Hashes of photos of the case.
    pub photos: Vec<String>,
}

/// Somebody supplies, withdraws (at the origin), asks or tells of progress (at the receiver).
pub fn say(ctx: &Ctx, tx: &mut Tx, id: HandoverId, verb: Verb, spoken: &Spoken) -> Result<HandoverRow, Fault> {
    let (mut h, mut work) = opened(ctx, tx, id, &[Permission::CaseDispatch, Permission::CaseHandle])?;
    let text = actions::text("text", &spoken.text)?;
    let data = json!({ "text": text, "photos": share_photos(tx, h.case, h.id, &spoken.photos, "report")? });
    utter(ctx, tx, &mut h, verb, &data)?;
    let body = json!({ "peer": h.peer_name, "words": text, "photos": spoken.photos.len() });
    let kind = match verb {
        Verb::Supply => "case.peer_supplied",
        Verb::Ask => "case.peer_question",
        Verb::Progress => "case.peer_told",
        Verb::Withdraw => {
            work.case = work.case.clone().come_back();
            "case.peer_withdrawn"
        }
        _ => return Err(Fault::refused("handover_not_yours")),
    };
    work.save(ctx, tx, kind, body)?;
    Ok(h)
}

/// At the receiver: the case is given back to where it came from, with the reason.
pub fn hand_back(ctx: &Ctx, tx: &mut Tx, id: HandoverId, reason: &str) -> Result<HandoverRow, Fault> {
    let reason = actions::text("text", reason)?;
    let (h, mut work) = opened(ctx, tx, id, &[Permission::CaseDispatch])?;
    if h.side.role != Role::Receiver {
        return Err(Fault::refused("handover_not_yours"));
    }
    h.side.may_say(Verb::Return).map_err(refused)?;
    let person = work.person(ctx, tx)?;
    work.case = work.case.clone().hand_back(&person).map_err(refused)?;
    work.row.outcome = Some("declined".to_owned());
    // The message follows from the state, as when it is declined.
    work.save(
        ctx,
        tx,
        "case.handed_back",
        json!({ "peer": h.peer_name, "reason": reason }),
    )?;
    store::handover(tx, id)?.ok_or_else(Fault::not_found)
}

/// The handover and its case, for staff who may act on the case. Absent and out of scope are the same.
fn opened(ctx: &Ctx, tx: &mut Tx, id: HandoverId, any: &[Permission]) -> Result<(HandoverRow, Work), Fault> {
    let h = store::handover(tx, id)?.ok_or_else(Fault::not_found)?;
    let work = Work::open(ctx, tx, h.case, any, None)?;
    let h = store::handover_locked(tx, id)?.ok_or_else(Fault::not_found)?;
    Ok((h, work))
}

/// A handover held against other writers: its case first, as everywhere.
fn held(tx: &mut Tx, id: HandoverId) -> Result<Option<HandoverRow>, Fault> {
    if let Some(h) = store::handover(tx, id)? {
        store::load_locked(tx, h.case)?;
    }
    store::handover_locked(tx, id)
}

/// Sends all of a handover's messages again: what arrived changes nothing there.
pub fn send_again(ctx: &Ctx, tx: &mut Tx, id: HandoverId) -> Result<HandoverRow, Fault> {
    let (mut h, _) = opened(ctx, tx, id, &[Permission::CaseDispatch])?;
    let count = store::requeue_handover_messages(tx, id, 1, ctx.now)?;
    h.stuck = None;
    h.differs = None;
    h.changed_at = ctx.now;
    store::update_handover(tx, &h)?;
    let body = json!({ "case": h.case.to_string(), "count": count });
    tx.record(ctx, Mark::new("handover.sent_again", Subject::Handover(id), body))?;
    Ok(h)
}

/// What follows at the origin from a change of its case, before it is saved: not solved, it goes to the other platform again; ended, they
/// are told.
pub(super) fn before_save(ctx: &Ctx, tx: &mut Tx, work: &mut Work, body: &Value) -> Result<(), Fault> {
    let Some(id) = work.row.handover_id.filter(|_| work.row.channel != CHANNEL) else {
        return Ok(());
    };
    let state = work.case.state.key();
    if state == work.before.row.state {
        return Ok(());
    }
    let Some(mut h) = store::handover_locked(tx, id)? else {
        return Ok(());
    };
    let reason = json!({ "text": body["reason"].as_str().or(body["note"].as_str()).unwrap_or_default() });
    match state {
        StateKey::Handling | StateKey::Assigned if h.side.may_say(Verb::Reopen).is_ok() => {
            utter(ctx, tx, &mut h, Verb::Reopen, &reason)?;
            work.case = work.case.clone().away_again();
        }
        StateKey::Closed if h.side.may_say(Verb::Close).is_ok() => {
            let rating = store::answers(tx, work.row.id)?
                .iter()
                .rev()
                .find_map(|answer| answer.rating);
            utter(ctx, tx, &mut h, Verb::Close, &json!({ "rating": rating }))?;
        }
        ended if !ended.is_open() && h.side.may_say(Verb::Withdraw).is_ok() => {
            utter(ctx, tx, &mut h, Verb::Withdraw, &reason)?;
            work.case.away = false;
        }
        _ => {}
    }
    Ok(())
}

/// Steps the origin is told of.
const PROGRESS: [&str; 3] = ["case.assigned", "case.taken", "case.parked"];

/// What follows at the receiver from a change of the case it took: the origin is told.
pub(super) fn after_save(ctx: &Ctx, tx: &mut Tx, work: &Work, kind: &str, body: &Value) -> Result<(), Fault> {
    let Some(id) = work.row.handover_id.filter(|_| work.row.channel == CHANNEL) else {
        return Ok(());
    };
    follow(ctx, tx, id, &work.row, kind, body)
}

/// Tells the origin how the case stands here.
fn follow(ctx: &Ctx, tx: &mut Tx, id: HandoverId, row: &CaseRow, kind: &str, body: &Value) -> Result<(), Fault> {
    let Some(mut h) = store::handover_locked(tx, id)? else {
        return Ok(());
    };
    if matches!(row.state, StateKey::Declined | StateKey::Withdrawn) {
        if h.side.may_say(Verb::Return).is_ok() {
            let words: Vec<&str> = ["reason", "where_to_go"]
                .iter()
                .filter_map(|key| body[*key].as_str())
                .collect();
            utter(ctx, tx, &mut h, Verb::Return, &json!({ "text": words.join("\n") }))?;
        }
        return Ok(());
    }
    if row.state != StateKey::Received && h.side.may_say(Verb::Accept).is_ok() {
        let data = json!({ "number": row.number, "due_at": row.due_at.map(|at| at.to_string()) });
        utter(ctx, tx, &mut h, Verb::Accept, &data)?;
    }
    if kind == "case.answered" && row.state == StateKey::Answered && h.side.may_say(Verb::Answer).is_ok() {
        let after = store::attachments(tx, row.id)?;
        let after: Vec<String> = after
            .into_iter()
            .filter(|a| a.stage == "after")
            .map(|a| a.hash)
            .collect();
        let most = after.len().min(super::intake::MAX_PHOTOS);
        let photos = share_photos(tx, row.id, h.id, &after[..most], "after")?;
        utter(
            ctx,
            tx,
            &mut h,
            Verb::Answer,
            &json!({ "text": body["answer"], "photos": photos }),
        )?;
    } else if PROGRESS.contains(&kind) && h.side.may_say(Verb::Progress).is_ok() {
        let unit = row
            .unit_id
            .map(|unit| place::unit(ctx, tx, unit))
            .transpose()?
            .flatten();
        let data = json!({ "stage": row.state.key(), "unit": unit.map(|unit| unit.public_name) });
        utter(ctx, tx, &mut h, Verb::Progress, &data)?;
    }
    Ok(())
}

/// Who has it, in plain words for the reporter: the other platform's name while it is there.
pub(super) fn away_at(tx: &mut Tx, row: &CaseRow) -> Result<Option<String>, Fault> {
    let Some(id) = row.handover_id.filter(|_| row.away) else {
        return Ok(None);
    };
    Ok(store::handover(tx, id)?.map(|h| h.peer_name))
}

/// Whether the photo may be given to that platform: shared with it in this handover.
pub fn is_shared(tx: &mut Tx, peer: PeerId, handover: HandoverId, hash: &str) -> Result<bool, Fault> {
    let theirs = store::handover(tx, handover)?.is_some_and(|h| h.peer == peer);
    let photos = store::handover_photos(tx, handover, MOST)?;
    Ok(theirs && photos.iter().any(|p| p.way == "out" && p.hash == hash))
}

/// A photo of the other platform was fetched: it goes with the case.
pub fn fetched(ctx: &Ctx, tx: &mut Tx, photo: &PhotoRow, upload: &str) -> Result<(), Fault> {
    let h = store::handover(tx, photo.handover)?.ok_or_else(Fault::not_found)?;
    let stage = if photo.stage == "after" { "after" } else { "report" };
    super::messages::attach_all(ctx, tx, h.case, &[upload.to_owned()], stage, None)?;
    let body = json!({ "case": h.case.to_string(), "peer": h.peer.to_string(), "photo": photo.hash });
    tx.record(ctx, Mark::new("handover.photo", Subject::Handover(h.id), body))?;
    store::note_handover_photo(tx, photo)
}

/// The other side refused a message for good: it is shown, nothing more is sent, and a case that was just passed on comes back.
pub fn refused_there(ctx: &Ctx, tx: &mut Tx, mut message: MessageRow, code: &str) -> Result<(), Fault> {
    message.state = "refused".to_owned();
    message.next_at = None;
    message.outcome = Some(code.to_owned());
    message.ended_at = Some(ctx.now);
    store::note_handover_message(tx, &message)?;
    let mut h = held(tx, message.handover)?.ok_or_else(Fault::not_found)?;
    h.stuck = Some(code.to_owned());
    h.changed_at = ctx.now;
    if message.verb != Verb::PassOn {
        return store::update_handover(tx, &h);
    }
    store::stop_handover_messages(tx, h.id, code, ctx.now)?;
    let with_them = h.side.phase.is_with_receiver();
    if with_them {
        h.side.phase = Phase::Returned;
    }
    store::update_handover(tx, &h)?;
    if with_them {
        let mut work = Work::open_own(ctx, tx, h.case)?;
        work.case = work.case.clone().come_back();
        let reason = i18n::sentence(Lang::Zh, code, &[]);
        work.save(
            ctx,
            tx,
            "case.peer_returned",
            json!({ "peer": h.peer_name, "reason": reason }),
        )?;
    }
    Ok(())
}

/// Whether a case can be passed on, for somebody who may see it.
#[derive(Debug, Clone)]
pub struct Passable {
    pub areas: [Option<AreaId>; 5],
    pub category: Option<String>,
    /// The person decides where this case goes.
    pub may: bool,
    /// It came from another platform.
    pub came: bool,
    /// Code of why it cannot be passed on now.
    pub refusal: Option<&'static str>,
}

/// What decides where a case may be passed to. Absent and out of scope are the same.
pub fn passable(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<Passable, Fault> {
    let loaded = store::load(tx, case)?.ok_or_else(Fault::not_found)?;
    let facts = loaded.scope_facts();
    if !ctx.scope.sees(&facts, Permission::CaseRead) {
        return Err(Fault::not_found());
    }
    let own_rules = place::rules(ctx)?.of_case(&loaded.row);
    let came = loaded.row.channel == CHANNEL;
    let refusal = match loaded.rules_view()?.may_pass_on(&own_rules) {
        _ if came => Some("handover_chain"),
        Ok(()) => None,
        Err(refusal) => Some(refusal.code()),
    };
    Ok(Passable {
        areas: loaded.row.areas,
        category: loaded.row.category_code,
        may: ctx.scope.sees(&facts, Permission::CaseDispatch),
        came,
        refusal,
    })
}
