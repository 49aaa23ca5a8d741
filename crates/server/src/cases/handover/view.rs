//! What a handover looks like: a line of the list, and the page with every message and what it shared.
//!
//! Must not: show who reported; what was shared of them is named, not shown.

use super::{HandoverPart, HandoverRow, MOST, MessageRow, OF_CASE, PhotoRow, open_data};
use crate::cases::store;
use crate::platform::*;
use domain::cases::handover::{Role, Verb};
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A case passed on to another platform, or taken from one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HandoverView {
    pub id: HandoverId,
    pub case_id: CaseId,
    pub number: String,
    pub title: String,
    /// Code of the case's state here, and its name.
    pub state: String,
    pub state_name: String,
    pub late: bool,
    pub due_at: Option<String>,
    pub peer_id: PeerId,
    pub peer_name: String,
    /// `out`: passed on; `in`: taken.
    pub role: String,
    /// `offered`, `accepted`, `answered`, `closed`, `returned`, `withdrawn`.
    pub phase: String,
    pub phase_name: String,
    pub purpose: String,
    /// Whether who reported went along.
    pub personal: bool,
    pub by_name: Option<String>,
    /// The other platform's number of it, and by when they mean to finish (out) or are asked to (in).
    pub peer_number: Option<String>,
    pub peer_due_at: Option<String>,
    /// The receiver asks for something.
    pub asks: bool,
    /// Times it was reopened.
    pub rounds: u32,
    /// Why the other side refused a message, in a sentence.
    pub stuck: Option<String>,
    /// What the last comparison found, in a sentence.
    pub differs: Option<String>,
    /// Messages that have not arrived there.
    pub waiting: usize,
    /// Photos that have come, and all that were announced.
    pub photos_come: usize,
    pub photos: usize,
    pub created_at: String,
    pub changed_at: String,
    /// What the person may do: `supply`, `withdraw`, `ask`, `progress`, `hand_back`, `send_again`.
    pub can: Vec<String>,
}

/// One message of a handover: the log of what was shared.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HandoverMessageView {
    pub id: HandoverMessageId,
    /// `out` or `in`.
    pub way: String,
    pub seq: u32,
    pub verb: String,
    pub verb_name: String,
    pub at: String,
    /// What it says, as far as it is a text.
    pub text: String,
    /// Names of the fields it carried.
    pub fields: Vec<String>,
    pub photos: usize,
    /// `waiting`, `done`, `refused`.
    pub state: String,
    pub attempts: i64,
    pub next_at: Option<String>,
    /// What the last attempt gave, in a sentence.
    pub outcome: Option<String>,
}

/// Handovers within the scope, the last changed first.
pub fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    part: HandoverPart,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Page<HandoverView>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    let rows = store::handover_list(tx, &ctx.scope, part, after, limit)?;
    let page = Page::cut(rows, limit, |row| (row.changed_at.0, row.id.to_string()));
    let mut items = Vec::new();
    for row in &page.items {
        items.push(view(ctx, tx, row)?);
    }
    Ok(Page { items, next: page.next })
}

/// Those of a case, the newest first. The caller has checked that the case is within the scope.
pub fn of_case(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<Vec<HandoverView>, Fault> {
    let rows = store::handovers_of(tx, case, OF_CASE)?;
    rows.iter().map(|row| view(ctx, tx, row)).collect()
}

/// One handover and its messages, for whoever may see the case.
pub fn detail(ctx: &Ctx, tx: &mut Tx, id: HandoverId) -> Result<(HandoverView, Vec<HandoverMessageView>), Fault> {
    let row = store::handover(tx, id)?.ok_or_else(Fault::not_found)?;
    let case = store::load(tx, row.case)?.ok_or_else(Fault::not_found)?;
    if !ctx.scope.sees(&case.scope_facts(), Permission::CaseRead) {
        return Err(Fault::not_found());
    }
    let messages = store::handover_messages(tx, id, MOST)?;
    let messages = messages.iter().map(|m| message(ctx, m)).collect::<Result<_, _>>()?;
    Ok((view(ctx, tx, &row)?, messages))
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn view(ctx: &Ctx, tx: &mut Tx, h: &HandoverRow) -> Result<HandoverView, Fault> {
    let case = store::load(tx, h.case)?.ok_or_else(Fault::not_found)?;
    let facts = case.scope_facts();
    let row = &case.row;
    let messages = store::handover_messages(tx, h.id, MOST)?;
    let waiting = messages
        .iter()
        .filter(|m| m.way == "out" && m.state == "waiting")
        .count();
    let photos: Vec<PhotoRow> = store::handover_photos(tx, h.id, MOST)?;
    let (coming, come) = (
        photos.iter().filter(|p| p.way == "in").count(),
        photos.iter().filter(|p| p.state == "done").count(),
    );
    let sentence = |code: &Option<String>| code.as_deref().map(|code| i18n::sentence(ctx.lang, code, &[]));
    Ok(HandoverView {
        id: h.id,
        case_id: h.case,
        number: row.number.clone(),
        title: row.title.clone(),
        state: row.state.key().to_owned(),
        state_name: crate::cases::words::state(ctx.lang, row.state),
        late: row.is_open() && row.due_at.is_some_and(|due| due < ctx.now),
        due_at: time(row.due_at.filter(|_| row.is_open())),
        peer_id: h.peer,
        peer_name: h.peer_name.clone(),
        role: h.side.role.key().to_owned(),
        phase: h.side.phase.key().to_owned(),
        phase_name: i18n::sentence(ctx.lang, &format!("handover_phase_{}", h.side.phase.key()), &[]),
        purpose: h.purpose.clone(),
        personal: h.personal,
        by_name: h.by_name.clone(),
        peer_number: h.peer_number.clone(),
        peer_due_at: time(h.peer_due_at),
        asks: h.side.asks(),
        rounds: h.side.rounds,
        stuck: sentence(&h.stuck),
        differs: sentence(&h.differs),
        waiting,
        photos_come: come,
        photos: coming,
        created_at: h.created_at.to_string(),
        changed_at: h.changed_at.to_string(),
        can: can(ctx, h, &facts, case.rules_view()?),
    })
}

fn can(ctx: &Ctx, h: &HandoverRow, facts: &CaseScopeFacts, case: domain::cases::Case) -> Vec<String> {
    let dispatches = ctx.scope.sees(facts, Permission::CaseDispatch);
    let handles = dispatches || ctx.scope.sees(facts, Permission::CaseHandle);
    let says = |verb: Verb| h.side.may_say(verb).is_ok();
    let back = h.side.role == Role::Receiver && says(Verb::Return) && !case.away;
    let back = back
        && matches!(
            case.state.key(),
            domain::cases::StateKey::Received
                | domain::cases::StateKey::Accepted
                | domain::cases::StateKey::Assigned
                | domain::cases::StateKey::Handling
        );
    [
        ("supply", handles && says(Verb::Supply)),
        ("withdraw", dispatches && says(Verb::Withdraw)),
        ("ask", handles && says(Verb::Ask)),
        ("progress", handles && says(Verb::Progress)),
        ("hand_back", dispatches && back),
        ("send_again", dispatches),
    ]
    .into_iter()
    .filter(|(_, may)| *may)
    .map(|(key, _)| key.to_owned())
    .collect()
}

fn message(ctx: &Ctx, m: &MessageRow) -> Result<HandoverMessageView, Fault> {
    let data = open_data(ctx, m)?;
    let outcome = m.outcome.as_deref().map(|outcome| match outcome.parse::<u16>() {
        Ok(status) => i18n::sentence(ctx.lang, "webhook_answered", &[("status", status.to_string())]),
        Err(_) => i18n::sentence(ctx.lang, outcome, &[]),
    });
    let fields = m.fields.split(',').filter(|field| !field.is_empty());
    let named = fields.map(|field| {
        let code = format!("handover_field_{field}");
        if i18n::known(&code) {
            i18n::sentence(ctx.lang, &code, &[])
        } else {
            field.to_owned()
        }
    });
    Ok(HandoverMessageView {
        id: m.id,
        way: m.way.clone(),
        seq: m.seq,
        verb: m.verb.key().to_owned(),
        verb_name: i18n::sentence(ctx.lang, &format!("handover_verb_{}", m.verb.key()), &[]),
        at: m.at.to_string(),
        text: data["text"].as_str().unwrap_or_default().to_owned(),
        fields: named.collect(),
        photos: data["photos"].as_array().map_or(0, Vec::len),
        state: m.state.clone(),
        attempts: m.attempts,
        next_at: time(m.next_at),
        outcome,
    })
}
