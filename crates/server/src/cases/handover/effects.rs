//! A message of the other platform and what it does here, in one transaction with the message itself and the answer to it: a second time
//! it gets the same answer and does nothing.
//!
//! Entry point: [`hear`]. Must not: refuse what the rules allow to be said because of how the case stands here; it is noted then.

use super::{CHANNEL, HandoverRow, MessageRow, PhotoRow, content, digest, fields_of, follow, held, mark, seal_data};
use crate::cases::intake::{self, ReporterInput, Submission};
use crate::cases::work::Work;
use crate::cases::{alerts, place, store};
use crate::platform::*;
use domain::cases::handover::{Hearing, Role, Said, Side, Verb};
use domain::cases::{Rules, StateKey};
use domain::time::Timestamp;
use serde_json::{Value, json};

/// A message that came, its signature checked.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub id: HandoverMessageId,
    pub handover: HandoverId,
    pub said: Said,
    pub at: Timestamp,
    pub data: Value,
    pub peer: PeerId,
    pub peer_name: String,
    /// Whether new cases are taken from it.
    pub takes: bool,
}

/// What became of a message.
#[derive(Debug, Clone)]
pub enum Heard {
    /// It took effect, now or before: the answer to it.
    Done(String),
    /// The one with this number is wanted first.
    Early(u32),
    /// It is refused, for good.
    Refused(&'static str),
}

/// Hears a message. `answer` writes the answer from how the handover stands then. A refusal inside (what is passed on cannot be taken)
/// comes as a fault, and nothing of it stays.
pub fn hear(ctx: &Ctx, tx: &mut Tx, m: &Incoming, answer: impl Fn(&HandoverRow) -> String) -> Result<Heard, Fault> {
    let hash = digest(&content(m.id, m.handover, m.said, m.at, &m.data));
    // Held first: the same message twice at once is heard one after the other.
    let known = held(tx, m.handover)?;
    if let Some(there) = store::handover_message(tx, m.id)? {
        let same = there.hash == hash && there.way == "in" && there.handover == m.handover;
        return Ok(match there.answer {
            Some(answer) if same => Heard::Done(answer),
            _ => Heard::Refused("peer_message_altered"),
        });
    }
    if known.as_ref().is_some_and(|h| h.peer != m.peer) {
        return Ok(Heard::Refused("peer_handover_of_another"));
    }
    let before = match &known {
        Some(h) => h.side,
        None if m.said.verb.speaker() == Role::Origin => Side::receiver(),
        None => return Ok(Heard::Refused("peer_handover_unknown")),
    };
    let side = match before.hear(m.said) {
        Hearing::New(side) => side,
        Hearing::Early { expected } => return Ok(Heard::Early(expected)),
        Hearing::Again => return Ok(Heard::Refused("peer_number_used")),
        Hearing::Impossible => return Ok(Heard::Refused("peer_message_impossible")),
    };
    let mut h = match known {
        Some(h) => h,
        None => begin(ctx, tx, m)?,
    };
    h.side = side;
    h.stuck = None;
    h.changed_at = ctx.now;
    take_over(&mut h, m);
    store::update_handover(tx, &h)?;
    let row = MessageRow {
        id: m.id,
        handover: h.id,
        way: "in".to_owned(),
        seq: m.said.seq,
        heard: m.said.heard,
        verb: m.said.verb,
        at: ctx.now,
        data: seal_data(ctx, m.id, &m.data),
        hash,
        fields: fields_of(&m.data),
        state: "done".to_owned(),
        attempts: 0,
        next_at: None,
        outcome: None,
        answer: Some(answer(&h)),
        ended_at: Some(ctx.now),
    };
    store::insert_handover_message(tx, &row)?;
    mark(ctx, tx, &h, "handover.heard", &row)?;
    want_photos(ctx, tx, &h, &m.data)?;
    effect(ctx, tx, &h, before, m)?;
    Ok(Heard::Done(row.answer.unwrap_or_default()))
}

/// What a message says of the other side's case.
fn take_over(h: &mut HandoverRow, m: &Incoming) {
    if m.said.verb == Verb::Accept {
        h.peer_number = m.data["number"].as_str().map(|n| n.chars().take(60).collect());
        h.peer_due_at = moment(&m.data["due_at"]);
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| Timestamp::parse(text).ok())
}

fn words(m: &Incoming) -> String {
    let text = m.data["text"].as_str().unwrap_or_default();
    text.chars().take(crate::cases::actions::MAX_TEXT).collect()
}

/// The case another platform passes on becomes one here, through the intake every channel has.
fn begin(ctx: &Ctx, tx: &mut Tx, m: &Incoming) -> Result<HandoverRow, Fault> {
    if !m.takes {
        return Err(Fault::refused("peer_takes_nothing"));
    }
    let rules = place::rules(ctx)?;
    if rules.pack.channel(CHANNEL).is_none() {
        return Err(Fault::refused("peer_takes_nothing"));
    }
    let text = |key: &str| {
        let text = m.data[key].as_str().map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let case: CaseId = ctx.app.new_id();
    let reporter = &m.data["reporter"];
    let submission = Submission {
        id: case.to_string(),
        channel: CHANNEL.to_owned(),
        body: text("text").ok_or_else(|| Fault::invalid("text", "body_missing"))?,
        title: text("title"),
        category_code: text("category").filter(|code| rules.pack.category(code).is_some()),
        lon: m.data["lon"].as_f64(),
        lat: m.data["lat"].as_f64(),
        address: text("address").or_else(|| text("area_name")),
        place_note: text("place_note"),
        reporter: reporter.is_object().then(|| ReporterInput {
            name: reporter["name"].as_str().map(str::to_owned),
            phone: reporter["phone"].as_str().map(str::to_owned),
            ..ReporterInput::default()
        }),
        urgent: m.data["urgent"] == true,
        ..Submission::default()
    };
    intake::open_for(ctx, tx, &submission, intake::Next::Route)?;
    let row = HandoverRow {
        id: m.handover,
        case,
        peer: m.peer,
        peer_name: m.peer_name.clone(),
        side: Side::receiver(),
        purpose: text("purpose")
            .unwrap_or_default()
            .chars()
            .take(crate::cases::actions::MAX_TEXT)
            .collect(),
        personal: reporter.is_object(),
        by: None,
        by_name: None,
        peer_number: text("number").map(|number| number.chars().take(60).collect()),
        peer_due_at: moment(&m.data["due_at"]),
        stuck: None,
        differs: None,
        created_at: ctx.now,
        changed_at: ctx.now,
    };
    store::insert_handover(tx, &row)?;
    store::tie_case(tx, case, row.id)?;
    Ok(row)
}

/// Photos named in a message are fetched by a job; the message counts without them.
fn want_photos(ctx: &Ctx, tx: &mut Tx, h: &HandoverRow, data: &Value) -> Result<(), Fault> {
    let named = data["photos"].as_array().map(Vec::as_slice).unwrap_or_default();
    for photo in named.iter().take(intake::MAX_PHOTOS) {
        let hash = photo["hash"].as_str().unwrap_or_default();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        let row = PhotoRow {
            handover: h.id,
            way: "in".to_owned(),
            hash: hash.to_ascii_lowercase(),
            stage: if photo["stage"] == "after" { "after" } else { "report" }.to_owned(),
            state: "waiting".to_owned(),
            attempts: 0,
            next_at: Some(ctx.now),
            outcome: None,
        };
        store::insert_handover_photo(tx, &row)?;
    }
    Ok(())
}

fn effect(ctx: &Ctx, tx: &mut Tx, h: &HandoverRow, before: Side, m: &Incoming) -> Result<(), Fault> {
    let text = words(m);
    if m.said.verb == Verb::PassOn {
        let row = store::case_row(tx, h.case)?.ok_or_else(Fault::not_found)?;
        let kind = if row.state == StateKey::Assigned {
            "case.assigned"
        } else {
            "case.received"
        };
        let body = json!({ "peer": h.peer_name, "reason": h.purpose, "number": h.peer_number });
        crate::cases::work::note(ctx, tx, &row, "case.peer_came", body)?;
        return follow(ctx, tx, h.id, &row, kind, &Value::Null);
    }
    let mut work = Work::open_own(ctx, tx, h.case)?;
    let mut body = json!({ "peer": h.peer_name, "words": text });
    let kind = match m.said.verb {
        Verb::PassOn | Verb::Supply => "case.peer_supply_came",
        Verb::Accept => {
            body["number"] = json!(h.peer_number);
            body["due"] = json!(h.peer_due_at.map(|at| at.to_string()));
            "case.peer_accepted"
        }
        Verb::Ask => "case.peer_asked",
        Verb::Progress => {
            let stage = m.data["stage"].as_str().and_then(StateKey::from_key);
            body["stage"] = json!(stage.map(StateKey::key));
            body["unit"] = json!(
                m.data["unit"]
                    .as_str()
                    .map(|unit| unit.chars().take(60).collect::<String>())
            );
            if text.is_empty() {
                "case.peer_step"
            } else {
                "case.peer_progress"
            }
        }
        Verb::Return => {
            body = json!({ "peer": h.peer_name, "reason": text });
            work.case = work.case.clone().come_back();
            "case.peer_returned"
        }
        Verb::Answer if h.side.phase != before.phase => {
            answered(h, &mut work)?;
            body = json!({ "peer": h.peer_name, "result": text });
            "case.peer_answered"
        }
        // It crossed a withdrawal: kept, without effect.
        Verb::Answer => "case.peer_progress",
        Verb::Withdraw => {
            body = json!({ "peer": h.peer_name, "reason": text });
            work.case = work.case.clone().taken_back();
            work.row.outcome = Some("withdrawn".to_owned());
            "case.peer_took_back"
        }
        Verb::Reopen => {
            body = json!({ "peer": h.peer_name, "reason": text });
            reopened(&mut work);
            "case.peer_reopened"
        }
        Verb::Close => {
            body["rating"] = m.data["rating"].clone();
            if work.row.state == StateKey::Answered {
                work.case = work.case.clone().confirm().map_err(crate::cases::work::refused)?;
            }
            "case.peer_closed"
        }
    };
    work.save(ctx, tx, kind, body)?;
    if m.said.verb == Verb::Answer {
        alerts::answer_owed(ctx, tx, &work.row)?;
    }
    Ok(())
}

/// At the origin: the resident is owed the answer.
fn answered(h: &HandoverRow, work: &mut Work) -> Result<(), Fault> {
    let by = store::doer_of(h).ok_or_else(|| Fault::internal("nobody passed it on"))?;
    work.case = work.case.clone().answered_elsewhere(by);
    // None of this place's levels resolved it.
    work.row.level_resolved = None;
    work.row.outcome.get_or_insert_with(|| "solved".to_owned());
    Ok(())
}

/// At the receiver: it is worked on again, however it stood and however long ago it ended, for the origin is answerable for the days.
fn reopened(work: &mut Work) {
    let case = work.case.clone();
    let rules = Rules {
        reopen_days: u32::MAX,
        ..work.case_rules()
    };
    let again = match work.row.state {
        StateKey::Handled | StateKey::Answered | StateKey::Verified => case.rework().ok(),
        StateKey::Closed | StateKey::Declined => case.reopen(0, &rules).ok(),
        _ => None,
    };
    if let Some(again) = again {
        work.case = again;
        work.row.outcome = None;
    }
}
