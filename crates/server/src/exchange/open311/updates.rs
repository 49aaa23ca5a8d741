//! `servicerequestupdates`: what changed, told exactly once to whoever asks for adjoining spans of time; and what a partner adds to a request
//! of its own.
//!
//! Entry points: [`give`], [`take`]. A change is told one minute ([`SETTLED_MS`]) after it happened, and with that time: by then everything that
//! happened before has been written, so that no span that was asked for can gain a change later.

use super::params::Params;
use super::requests_in::{refused, writer};
use super::requests_out::shared;
use super::store::{self, PartnerRow};
use super::tree::Node;
use super::{Answer, Where, keys, media, span, when};
use crate::cases::{portal, public};
use crate::platform::*;
use domain::cases::StateKey;
use domain::time::MINUTE_MS;

/// Longer than any request may take (`http::TIMEOUT`) and a caller's clock may be ahead ([`AHEAD_MS`]) together.
const SETTLED_MS: i64 = MINUTE_MS;
/// A caller's clock may be ahead by this.
const AHEAD_MS: i64 = MINUTE_MS / 3;
/// Changes of one answer; a span with more is refused, never cut.
const MOST: usize = 10_000;
/// Characters of a sender's own id.
const MAX_ID: usize = 100;
/// Characters of what is added.
const MAX_WORDS: usize = 1_900;

/// States a partner may name.
const STATES: [&str; 16] = [
    "OPEN",
    "IN_PROGRESS",
    "INVESTIGATING",
    "PLANNED",
    "ACTION_SCHEDULED",
    "FOR_TRIAGE",
    "INTERNAL_REFERRAL",
    "FIXED",
    "CLOSED",
    "DUPLICATE",
    "NOT_COUNCILS_RESPONSIBILITY",
    "NO_FURTHER_ACTION",
    "CANCELLED",
    "REOPEN",
    "UNCHANGED",
    "ANSWERED",
];

/// The finer word for a step, as others use it.
fn finer(step: &str) -> &'static str {
    match step {
        "received" => "open",
        "accepted" => "investigating",
        "assigned" | "arbitrated" | "on_the_spot" => "action_scheduled",
        "returned" => "internal_referral",
        "closed" => "fixed",
        "declined" => "not_councils_responsibility",
        "merged" => "duplicate",
        "reopened" => "reopen",
        _ => "in_progress",
    }
}

/// Changes within `[start_date, end_date)`.
pub async fn give(ctx: Ctx, params: Params) -> Result<Answer, Fault> {
    let place = Where::named(&ctx, &params)?;
    let missing = |name: &'static str| Fault::invalid(name, "open311_missing").with("name", name);
    let from = params.time("start_date")?.ok_or_else(|| missing("start_date"))?;
    let to = params.time("end_date")?.ok_or_else(|| missing("end_date"))?;
    let (from, to) = span(&ctx, Some(from), Some(to))?;
    if to > ctx.now.plus_ms(AHEAD_MS) {
        return Err(Fault::invalid("end_date", "open311_end_ahead"));
    }
    let happened = (from.plus_ms(-SETTLED_MS), to.plus_ms(-SETTLED_MS));
    let area = place.area();
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            public::changes(ctx, tx, area, None, happened, MOST)
        })
        .await?;
    if found.len() > MOST {
        return Err(Fault::refused("open311_too_many_changes").with("most", MOST));
    }
    let mut numbers: Vec<String> = found.iter().map(|change| change.number.clone()).collect();
    numbers.sort();
    numbers.dedup();
    shared(&ctx, &params, "updates_out", numbers).await?;
    let rows = found.iter().map(|change| {
        Node::Fields(vec![
            ("update_id", Node::text(format!("{}.{}", change.number, change.seq))),
            ("service_request_id", Node::text(&change.number)),
            ("status", Node::text(if change.closes() { "closed" } else { "open" })),
            ("updated_datetime", when(change.at.plus_ms(SETTLED_MS))),
            ("description", Node::text(&change.text)),
            ("media_url", Node::Empty),
            ("external_status_code", Node::text(finer(&change.step))),
        ])
    });
    Ok(Answer::new(
        "service_request_updates",
        Node::List("request_update", rows.collect()),
    ))
}

/// What is added to a request.
struct Added {
    update: String,
    number: String,
    words: String,
    reopens: bool,
}

/// Takes an update; the same `update_id` again changes nothing.
pub async fn take(ctx: Ctx, mut params: Params) -> Result<Answer, Fault> {
    let partner = writer(&ctx, &params).await?;
    let ctx = keys::acting(&ctx, &partner);
    let id = partner.id;
    let (links, inner) = media::of_links(params.all("media_url"))?;
    params.files.extend(inner);
    match checked_and_added(&ctx, partner, &params, &links).await {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            refused(&ctx, id, "updates_in", &fault).await?;
            Err(fault)
        }
    }
}

async fn checked_and_added(ctx: &Ctx, partner: PartnerRow, params: &Params, links: &[String]) -> Result<Answer, Fault> {
    let place = Where::named_or(ctx, params, partner.area)?;
    keys::allowed(&partner, partner.may_update, &place)?;
    let added = check(params, links)?;
    let (number, own, update) = (added.number.clone(), partner.id, added.update.clone());
    // Looked at before photos are made; looked at again where it counts.
    let seen = ctx
        .app
        .read(ctx, move |_, tx| {
            case_of(tx, own, &number)?;
            store::update_seen(tx, own, &update)
        })
        .await?;
    let uploads = if seen {
        Vec::new()
    } else {
        media::keep(ctx, &params.files).await?
    };
    ctx.app
        .write(ctx, move |ctx, tx| {
            add(ctx, tx, &partner, &added, &uploads)?;
            let row = Node::Fields(vec![("update_id", Node::text(&added.update))]);
            Ok(Answer::new(
                "service_request_updates",
                Node::List("request_update", vec![row]),
            ))
        })
        .await
}

/// A request this partner handed in; another's is absent.
fn case_of(tx: &mut Tx, partner: PartnerId, number: &str) -> Result<CaseId, Fault> {
    let case = public::by_number(tx, number)?.ok_or_else(Fault::not_found)?;
    let own = store::request(tx, case)?.is_some_and(|request| request.partner == partner);
    if own { Ok(case) } else { Err(Fault::not_found()) }
}

fn check(params: &Params, links: &[String]) -> Result<Added, Fault> {
    let need = |name: &'static str| {
        params
            .get(name)
            .ok_or_else(|| Fault::invalid(name, "open311_missing").with("name", name))
    };
    let (number, update) = (need("service_request_id")?, need("update_id")?);
    if update.chars().count() > MAX_ID {
        return Err(too_long("update_id", MAX_ID));
    }
    need("updated_datetime")?;
    params.time("updated_datetime")?;
    let status = need("status")?.to_ascii_uppercase();
    if !STATES.contains(&status.as_str()) {
        return Err(Fault::invalid("status", "open311_status_unknown"));
    }
    // Whatever the partner calls it: nothing is closed here because somebody else says so.
    let mut lines = vec![format!("[{status}]")];
    lines.extend(params.get("title").map(str::to_owned));
    lines.extend(params.get("description").map(str::to_owned));
    lines.extend(links.iter().map(|link| format!("附件链接：{link}")));
    let words = lines.join("\n");
    if words.chars().count() > MAX_WORDS {
        return Err(too_long("description", MAX_WORDS));
    }
    Ok(Added {
        update: update.to_owned(),
        number: number.to_owned(),
        words,
        reopens: status == "REOPEN",
    })
}

fn too_long(name: &'static str, most: usize) -> Fault {
    Fault::invalid(name, "open311_text_too_long")
        .with("name", name)
        .with("most", most)
}

fn add(ctx: &Ctx, tx: &mut Tx, partner: &PartnerRow, added: &Added, uploads: &[String]) -> Result<(), Fault> {
    let case = case_of(tx, partner.id, &added.number)?;
    if !store::insert_update(tx, partner.id, &added.update, case, ctx.now)? {
        return keys::note_use(ctx, tx, partner.id, "updates_in", "again", &[]);
    }
    let (_, state) = public::stands(tx, case)?.ok_or_else(Fault::not_found)?;
    let done = matches!(
        state,
        StateKey::Handled | StateKey::Answered | StateKey::Verified | StateKey::Closed
    );
    if added.reopens && done {
        portal::object(ctx, tx, case, &added.words)?;
    } else {
        portal::add(ctx, tx, case, ReportId(case.0), &added.words, uploads)?;
    }
    keys::note_use(
        ctx,
        tx,
        partner.id,
        "updates_in",
        "done",
        std::slice::from_ref(&added.number),
    )
}
