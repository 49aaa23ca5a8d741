//! Intake: one entry for every channel. What a resident, a clerk, a worker, a mailbox or a spreadsheet hands in becomes a case with a
//! number at once: located, classified, accepted unless a person must look, routed to the responsible unit, given to whoever is on duty,
//! its clock started (ZS-07, YC-09).
//!
//! Entry point: [`open`]. The same id with the same content gives the same answer; with other content a conflict.

use super::classify::{self, Assessment};
use super::place::{self, Rules, Spot};
use super::record::{CaseRow, ReportRow};
use super::work::{self, actor_name, note, sha256_hex};
use super::{alerts, clocks, cube, handover, messages, orders, routing, search, store};
use crate::platform::contacts::{self, Channel};
use crate::platform::ledger::ReceiptFacts;
use crate::platform::*;
use domain::cases as rules;
use domain::cases::{Look, StateKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Characters of a title.
pub const MAX_TITLE: usize = 100;
/// Characters of what is said.
pub const MAX_BODY: usize = 4_000;
/// Characters of an address or a note on the place.
pub const MAX_ADDRESS: usize = 200;
/// Characters of a name.
pub const MAX_NAME: usize = 60;
/// Photos of one report.
pub const MAX_PHOTOS: usize = 9;
/// The way in of what is heard on a visit; the packs name it.
pub const VISIT: &str = "visit";
/// Characters taken from the body when no title is given.
const TITLE_FROM_BODY: usize = 30;

/// Who reports.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ReporterInput {
    /// Name, if given.
    pub name: Option<String>,
    /// Phone number, if given.
    pub phone: Option<String>,
    /// Wants to stay unknown to those who handle it.
    pub anonymous: bool,
    /// Wants to hear by SMS how it goes on, where the place has a gateway.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_sms: bool,
    /// Where it was written from: they hear there how it goes on. Never from a request.
    #[serde(skip)]
    pub contact: Option<ContactId>,
}

/// Solved there and then (ZS-09): what was done and how the resident was told.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OnTheSpotInput {
    /// What was done.
    pub result: String,
    /// `in_person`, `phone`, `sms`, `web` or `written`.
    pub answer_way: String,
    /// What the resident was told.
    pub answer_body: String,
    /// Photos taken afterwards.
    #[serde(default)]
    pub after_attachments: Vec<String>,
}

/// What is handed in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Submission {
    /// Made by the client; a retry carries the same.
    pub id: String,
    /// The way in: one of the pack's channels.
    #[serde(default)]
    pub channel: String,
    /// What is said.
    pub body: String,
    /// A line that names it; taken from the body when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// Category, when the sender knows it.
    #[serde(default)]
    pub category_code: Option<String>,
    /// Area, when the sender knows it.
    #[serde(default)]
    pub area_id: Option<String>,
    /// Longitude in degrees.
    #[serde(default)]
    pub lon: Option<f64>,
    /// Latitude in degrees.
    #[serde(default)]
    pub lat: Option<f64>,
    /// `wgs84` (also CGCS2000) or `gcj02`.
    #[serde(default)]
    pub datum: Option<String>,
    /// Where, in words.
    #[serde(default)]
    pub address: Option<String>,
    /// How to find it there.
    #[serde(default)]
    pub place_note: Option<String>,
    /// Who reports.
    #[serde(default)]
    pub reporter: Option<ReporterInput>,
    /// Ids of finished uploads.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// The sender says it cannot wait.
    #[serde(default)]
    pub urgent: bool,
    /// Solved already.
    #[serde(default)]
    pub on_the_spot: Option<OnTheSpotInput>,
    /// The share of a work order during which it was found (LH-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_share: Option<String>,
    /// The visiting team that heard it (LH-22); only on a visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
}

/// What becomes of a case whose kind and place are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It goes to the responsible unit.
    Route,
    /// It waits for a person who passes it on: a share of a work order for its liaison.
    Wait,
}

/// A case just opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// As it is in the table.
    pub row: CaseRow,
    /// Units that help already, when it was opened before.
    pub co_units: Vec<UnitId>,
    pub follow_code: String,
    pub report: ReportId,
    pub ledger: LedgerRef,
}

impl Opened {
    /// What a scope looks at.
    pub fn scope_facts(&self) -> CaseScopeFacts {
        CaseScopeFacts {
            areas: self.row.areas,
            unit: self.row.unit_id,
            co_units: self.co_units.clone(),
        }
    }
}

/// Opens a case from what was handed in.
pub fn open(ctx: &Ctx, tx: &mut Tx, submission: &Submission) -> Result<Opened, Fault> {
    if matches!(submission.channel.as_str(), orders::CHANNEL | handover::CHANNEL) {
        return Err(Fault::invalid("channel", "channel_unknown"));
    }
    open_for(ctx, tx, submission, Next::Route)
}

/// As [`open`], saying what becomes of it.
pub(super) fn open_for(ctx: &Ctx, tx: &mut Tx, submission: &Submission, next: Next) -> Result<Opened, Fault> {
    let rules = place::rules(ctx)?;
    let id: CaseId = submission.id.parse().map_err(|_| Fault::invalid("id", "invalid_id"))?;
    let content = sha256_hex(&serde_json::to_string(submission).map_err(Fault::internal)?);
    if let Some(existing) = store::load(tx, id)? {
        return same_again(ctx, existing, &content);
    }
    check(&rules, submission)?;
    let found = locate(ctx, tx, submission)?;
    let team = heard_by(ctx, tx, submission, found.as_ref())?;
    let title = title_of(submission);
    let says = classify::assess(ctx, tx, &rules, &title, &submission.body)?;
    let kind = settle(ctx, &rules, submission, &says);
    let urgent = kind.urgent;
    let look = look(ctx, submission, &says, &kind, found.as_ref());
    // What nobody could locate lies in the place as a whole, where its centre sees it.
    let spot = found.or_else(|| place::whole_place(ctx));
    let report = ReportId(id.0);
    let (reporter_id, contact) = keep_reporter(ctx, tx, submission)?;
    // Whoever another platform names is answered through that platform.
    let reachable = reporter_id.is_some() && submission.channel != handover::CHANNEL;
    let mut case = rules::Case::open(id.into(), report.into(), reachable, look);
    let own_rules = rules.of_category(kind.code.as_deref().unwrap_or_default());
    let mut routed = None;
    if let Some(done) = &submission.on_the_spot {
        let person = work::person(ctx, tx)?;
        let held = routing::on_the_spot(ctx, tx, spot.as_ref(), &person)?;
        if own_rules.after_photo && done.after_attachments.is_empty() {
            return Err(Fault::invalid("on_the_spot.after_attachments", "after_photo_needed"));
        }
        case = rules::Case::on_the_spot(id.into(), report.into(), reachable, &person, held, &own_rules);
    } else if next == Next::Route
        && case.state == rules::State::Accepted
        && let Some(spot) = &spot
        && let Some(choice) = routing::choose(ctx, tx, kind.code.as_deref().unwrap_or_default(), spot, urgent)?
    {
        case = case.route(choice.held, &own_rules).map_err(work::refused)?;
        routed = Some(choice);
    }
    let number = rules
        .pack
        .case_number(ctx.now.date(), store::next_serial(tx, ctx.now.day_and_ms().0)?);
    let mut row = new_row(
        ctx,
        &rules,
        submission,
        id,
        number,
        title,
        spot.as_ref(),
        &kind,
        content,
    );
    row.team_id = team.as_ref().map(|(id, _)| *id);
    work::apply_state(ctx, &mut row, &case);
    stamp(ctx, tx, &mut row, &case)?;
    let clock = clocks::first(ctx, &rules, &row)?;
    clocks::note_due(&mut row, clock.as_ref());
    store::insert_case(tx, &row)?;
    if let Some(clock) = &clock {
        store::insert_clock(tx, clock, ctx.now)?;
    }
    cube::shift(tx, None, Some(&cube::Facts::of(&row)));
    let team = team.map(|(_, name)| name);
    let ledger = record(ctx, tx, &row, submission, report, &says, routed.as_ref(), team)?;
    store::insert_report(
        tx,
        id,
        &first_report(ctx, &row, submission, report, reporter_id, reachable, &case, ledger),
    )?;
    attach(ctx, tx, id, report, submission)?;
    finish_on_the_spot(ctx, tx, &row, submission)?;
    make_findable(ctx, tx, &row, spot.as_ref())?;
    alerts::call_out(ctx, tx, &rules, &row)?;
    messages::opened(ctx, tx, &row, reporter_id, contact)?;
    if let Some(share) = &submission.order_share {
        orders::link_problem(ctx, tx, share, &row)?;
    }
    let units = row.unit_id.into_iter().collect();
    tx.publish(LiveEvent {
        topic: Topic::Case,
        kind: "case.received",
        id: id.to_string(),
        areas: row.areas,
        units,
    });
    Ok(Opened {
        follow_code: follow_code(ctx, report),
        report,
        ledger,
        row,
        co_units: Vec::new(),
    })
}

/// The code with which the reporter follows their report: made from the report's id and a key, so that it is never stored.
pub fn follow_code(ctx: &Ctx, report: ReportId) -> String {
    const DIGITS: u64 = 100_000_000;
    let index = ctx.app.sealer().blind_index("follow code", &report.to_string());
    let number = u64::from_str_radix(index.get(..15).unwrap_or("0"), 16).unwrap_or_default();
    format!("{:08}", number % DIGITS)
}

fn same_again(ctx: &Ctx, existing: super::record::Loaded, content: &str) -> Result<Opened, Fault> {
    if existing.row.content_hash != content {
        return Err(Fault::conflict("id_used"));
    }
    let report = ReportId(existing.row.id.0);
    let first = existing.reports.iter().find(|r| r.id == report);
    let ledger = first.ok_or_else(Fault::not_found)?.ledger();
    Ok(Opened {
        co_units: existing.scope_facts().co_units,
        row: existing.row,
        follow_code: follow_code(ctx, report),
        report,
        ledger,
    })
}

fn check(rules: &Rules, s: &Submission) -> Result<(), Fault> {
    let long = |text: Option<&str>, most: usize| text.is_some_and(|t| t.chars().count() > most);
    if s.body.trim().is_empty() {
        return Err(Fault::invalid("body", "body_missing"));
    }
    for (field, text, most) in [
        ("body", Some(s.body.as_str()), MAX_BODY),
        ("title", s.title.as_deref(), MAX_TITLE),
        ("address", s.address.as_deref(), MAX_ADDRESS),
        ("place_note", s.place_note.as_deref(), MAX_ADDRESS),
        (
            "reporter.name",
            s.reporter.as_ref().and_then(|r| r.name.as_deref()),
            MAX_NAME,
        ),
        (
            "on_the_spot.result",
            s.on_the_spot.as_ref().map(|o| o.result.as_str()),
            MAX_BODY,
        ),
        (
            "on_the_spot.answer_body",
            s.on_the_spot.as_ref().map(|o| o.answer_body.as_str()),
            MAX_BODY,
        ),
    ] {
        if long(text, most) {
            return Err(Fault::invalid(field, "text_too_long").with("most", most));
        }
    }
    if rules.pack.channel(&s.channel).is_none() {
        return Err(Fault::invalid("channel", "channel_unknown"));
    }
    if s.category_code
        .as_deref()
        .is_some_and(|code| rules.pack.category(code).is_none())
    {
        return Err(Fault::invalid("category_code", "category_unknown"));
    }
    if s.attachments.len() > MAX_PHOTOS {
        return Err(Fault::invalid("attachments", "too_many_photos").with("most", MAX_PHOTOS));
    }
    if s.lon.is_some() != s.lat.is_some() {
        return Err(Fault::invalid("lon", "position_incomplete"));
    }
    let phone = s.reporter.as_ref().and_then(|r| r.phone.as_deref()).unwrap_or_default();
    let digits = sealed::plain_phone(phone).len();
    if !phone.trim().is_empty() && !(5..=20).contains(&digits) {
        return Err(Fault::invalid("reporter.phone", "phone_invalid"));
    }
    if let Some(done) = &s.on_the_spot {
        if done.result.trim().is_empty() {
            return Err(Fault::invalid("on_the_spot.result", "result_missing"));
        }
        if done.answer_body.trim().is_empty() {
            return Err(Fault::invalid("on_the_spot.answer_body", "answer_missing"));
        }
        if rules::Way::from_key(&done.answer_way).is_none() {
            return Err(Fault::invalid("on_the_spot.answer_way", "way_unknown"));
        }
    }
    Ok(())
}

fn locate(ctx: &Ctx, tx: &mut Tx, s: &Submission) -> Result<Option<Spot>, Fault> {
    if let Some(area) = &s.area_id {
        let area: AreaId = area.parse().map_err(|_| Fault::invalid("area_id", "area_unknown"))?;
        return place::spot_now(ctx, area, wgs84(s)?)
            .map(Some)
            .ok_or_else(|| Fault::invalid("area_id", "area_unknown"));
    }
    place::find_spot(ctx, tx, wgs84(s)?, s.address.as_deref().unwrap_or_default())
}

/// The visiting team that heard it, by id and name; refused where the caller may not file for it there.
fn heard_by(ctx: &Ctx, tx: &mut Tx, s: &Submission, spot: Option<&Spot>) -> Result<Option<(TeamId, String)>, Fault> {
    let Some(team) = &s.team_id else { return Ok(None) };
    if s.channel != VISIT {
        return Err(Fault::invalid("team_id", "team_only_visits"));
    }
    let team: TeamId = team.parse().map_err(|_| Fault::invalid("team_id", "team_not_yours"))?;
    let spot = spot.ok_or_else(|| Fault::invalid("area_id", "area_missing"))?;
    place::team_at(ctx, tx, team, spot).map(Some)
}

/// The position in WGS-84, converted once if it was declared as GCJ-02.
fn wgs84(s: &Submission) -> Result<Option<(f64, f64)>, Fault> {
    let (Some(lon), Some(lat)) = (s.lon, s.lat) else {
        return Ok(None);
    };
    place::to_wgs84(lon, lat, s.datum.as_deref()).map(Some)
}

/// The title given, or the first words of the body.
pub fn title_of(s: &Submission) -> String {
    if let Some(title) = s.title.as_deref().map(str::trim).filter(|t| !t.is_empty()) {
        return title.to_owned();
    }
    title_from(&s.body)
}

/// The first words of a text.
pub fn title_from(body: &str) -> String {
    let first = body
        .trim()
        .split(['。', '！', '？', '\n', '\r', '!', '?'])
        .next()
        .unwrap_or_default();
    first.trim().chars().take(TITLE_FROM_BODY).collect()
}

/// What kind of matter it was taken as.
pub(super) struct Kind {
    pub code: Option<String>,
    pub source: Option<&'static str>,
    pub confidence: Option<f64>,
    pub second: Option<String>,
    pub urgent: bool,
}

fn settle(ctx: &Ctx, rules: &Rules, s: &Submission, says: &Assessment) -> Kind {
    let by_staff = matches!(ctx.actor, Actor::Account { .. });
    let best = says.guesses.first();
    let (code, source) = match (&s.category_code, best) {
        (Some(code), _) if by_staff => (Some(code.clone()), Some("staff")),
        (Some(code), _) if matches!(ctx.actor, Actor::System(_)) || s.channel == handover::CHANNEL => {
            (Some(code.clone()), Some("import"))
        }
        (Some(code), _) => (Some(code.clone()), Some("resident")),
        (None, Some(best)) if says.auto => (Some(best.code.clone()), Some(says.source)),
        (None, _) => (None, None),
    };
    let urgent_kind = code
        .as_deref()
        .and_then(|code| rules.pack.category(code))
        .is_some_and(|c| c.urgent);
    // Those who take a call judge for themselves; of what a resident typed, the words are heeded until a person has looked.
    let urgent = s.urgent || urgent_kind || (!by_staff && says.urgent.is_some());
    let confidence = if s.category_code.is_some() {
        None
    } else {
        best.map(|b| b.confidence)
    };
    Kind {
        code,
        source,
        confidence,
        second: says.guesses.get(1).map(|g| g.code.clone()),
        urgent,
    }
}

/// Why a person must look first, if one must.
fn look(ctx: &Ctx, s: &Submission, says: &Assessment, kind: &Kind, spot: Option<&Spot>) -> Option<Look> {
    if s.on_the_spot.is_some() {
        return None;
    }
    let somebody_looked = matches!(ctx.actor, Actor::Account { .. });
    if !somebody_looked && kind.urgent {
        return Some(Look::Urgent);
    }
    if !somebody_looked && says.redirect.is_some() && kind.source != Some("import") {
        return Some(Look::OutOfScope);
    }
    if kind.code.is_none() {
        return Some(Look::Unclear);
    }
    spot.is_none().then_some(Look::NoArea)
}

/// Seals who reported; gives the record's id, none when they cannot be reached, and where they want to hear.
pub(super) fn keep_reporter(
    ctx: &Ctx,
    tx: &mut Tx,
    s: &Submission,
) -> Result<(Option<ReporterId>, Option<ContactId>), Fault> {
    let Some(input) = &s.reporter else {
        return Ok((None, None));
    };
    let (name, phone) = (filled(&input.name), filled(&input.phone));
    if name.is_none() && phone.is_none() && input.contact.is_none() {
        return Ok((None, None));
    }
    let contact = match (input.contact, phone) {
        (None, Some(phone)) if input.by_sms && Channel::Sms.is_open(&ctx.app) => {
            Some(contacts::of(ctx, tx, Channel::Sms, phone)?.id)
        }
        (known, _) => known,
    };
    let new = sealed(ctx, name, phone, contact);
    let id = new.id;
    store::insert_reporters(tx, [new])?;
    Ok((Some(id), contact))
}

/// What was typed, if anything was.
pub(super) fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// Somebody new who reported, name and number sealed.
pub(super) fn sealed(
    ctx: &Ctx,
    name: Option<&str>,
    phone: Option<&str>,
    contact: Option<ContactId>,
) -> store::NewReporter {
    let id: ReporterId = ctx.app.new_id();
    let seal = |column: &str, text: &str| ctx.app.seal("reporter", &id.to_string(), column, text);
    store::NewReporter {
        id,
        name: name.map(|n| seal("name_sealed", n)),
        phone: phone.map(|p| seal("phone_sealed", p)),
        phone_index: phone.map(|p| ctx.app.sealer().phone_index(p)),
        contact,
        at: ctx.now,
    }
}

pub(super) fn new_row(
    ctx: &Ctx,
    rules: &Rules,
    s: &Submission,
    id: CaseId,
    number: String,
    title: String,
    spot: Option<&Spot>,
    kind: &Kind,
    content: String,
) -> CaseRow {
    let position = wgs84(s).ok().flatten();
    let public = kind
        .code
        .as_deref()
        .and_then(|code| rules.pack.category(code))
        .is_some_and(|c| c.public)
        && !matches!(s.channel.as_str(), orders::CHANNEL | handover::CHANNEL);
    CaseRow {
        id,
        number,
        title,
        body: s.body.trim().to_owned(),
        channel: s.channel.clone(),
        category_code: kind.code.clone(),
        category_source: kind.source.map(str::to_owned),
        confidence: kind.confidence,
        second_category: kind.second.clone(),
        urgent: kind.urgent,
        kind: if s.on_the_spot.is_some() {
            "on_the_spot"
        } else {
            "ordinary"
        }
        .to_owned(),
        area_id: spot.map(|spot| spot.area),
        territory_version: spot.map_or(0, |spot| spot.version),
        areas: spot.map(|spot| spot.chain).unwrap_or_default(),
        lon: position.map(|p| p.0),
        lat: position.map(|p| p.1),
        address: s
            .address
            .as_deref()
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .map(str::to_owned),
        place_note: s.place_note.clone(),
        state: StateKey::Received,
        look: None,
        unit_id: None,
        worker_id: None,
        level_resolved: None,
        due_at: None,
        due_step: None,
        late: false,
        received_at: ctx.now,
        accepted_at: None,
        assigned_at: None,
        taken_at: None,
        arrived_at: None,
        handled_at: None,
        answered_at: None,
        verified_at: None,
        ended_at: None,
        on_time: None,
        outcome: None,
        counts: rules::Counts::default(),
        supervised: false,
        arbitrated: false,
        paused: false,
        mediated: false,
        dissatisfied: false,
        handled_by: None,
        decided_by: None,
        verified_by: None,
        merged_into: None,
        merged_was: None,
        reporter_count: 1,
        pack_version: rules.version.clone(),
        public,
        content_hash: content,
        row_version: 1,
        team_id: None,
        away: false,
        handover_id: None,
        past: Vec::new(),
    }
}

/// The moments of steps that were passed in one go.
fn stamp(ctx: &Ctx, tx: &mut Tx, row: &mut CaseRow, case: &rules::Case) -> Result<(), Fault> {
    let now = Some(ctx.now);
    if row.state != StateKey::Received {
        row.accepted_at = now;
    }
    if case.state.work().is_some() {
        (row.assigned_at, row.taken_at, row.handled_at, row.answered_at) = (now, now, now, now);
        row.arrived_at = now;
        row.on_time = Some(true);
        row.outcome = Some("solved".to_owned());
        row.level_resolved = routing::level_of(ctx, tx, row.unit_id)?;
    }
    Ok(())
}

/// One mark in the ledger for all that intake did, with the facts of the receipt; the steps as events beside it.
fn record(
    ctx: &Ctx,
    tx: &mut Tx,
    row: &CaseRow,
    s: &Submission,
    report: ReportId,
    says: &Assessment,
    routed: Option<&routing::Choice>,
    team: Option<String>,
) -> Result<LedgerRef, Fault> {
    let facts = ReceiptFacts {
        number: row.number.clone(),
        report_id: report.to_string(),
        received_at: row.received_at.to_string(),
        text: ledger::text_hash(&ctx.app, &s.body),
    };
    let more = json!({
        "channel": row.channel, "state": row.state.key(), "category": row.category_code, "category_source": row.category_source,
        "area": row.area_id.map(|a| a.to_string()), "territory_version": row.territory_version,
        "unit": row.unit_id.map(|u| u.to_string()), "urgent": row.urgent, "pack": row.pack_version,
        "team": row.team_id.map(|t| t.to_string()),
    });
    let ledger = tx.record_for_receipt(
        ctx,
        Mark::new("case.received", Subject::Case(row.id), facts.into_body(more)),
    )?;
    let mut steps = vec![("received", json!({ "channel": row.channel }))];
    if let Some(team) = team {
        steps.push(("heard", json!({ "team": team })));
    }
    if let (Some(code), Some(source)) = (&row.category_code, row.category_source.as_deref()) {
        // The words that decided, where words decided.
        let decided = says.guesses.first().filter(|_| source == says.source);
        let words = decided.map(|g| g.reasons.join("、")).unwrap_or_default();
        steps.push((
            "classified",
            json!({ "category": code, "source": source, "confidence": row.confidence, "words": words }),
        ));
    }
    match (&row.look, row.state) {
        (Some(look), _) => steps.push(("looked_for", json!({ "look": look }))),
        (None, _) => steps.push((
            "accepted",
            json!({ "automatic": !matches!(ctx.actor, Actor::Account { .. }) }),
        )),
    }
    if let Some(choice) = routed {
        steps.push(("assigned", choice.event()));
    }
    let events = steps.iter().map(|(kind, body)| store::NewEvent {
        at: ctx.now,
        kind,
        actor_account: ctx.actor.account(),
        actor_name: actor_name(ctx),
        unit: None,
        body,
        ledger,
    });
    store::insert_events(tx, (1..).zip(events).map(|(seq, event)| (row.id, seq, event)))?;
    Ok(ledger)
}

fn first_report(
    ctx: &Ctx,
    row: &CaseRow,
    s: &Submission,
    id: ReportId,
    reporter_id: Option<ReporterId>,
    reachable: bool,
    case: &rules::Case,
    ledger: LedgerRef,
) -> ReportRow {
    ReportRow {
        id,
        number: row.number.clone(),
        reporter_id,
        channel: row.channel.clone(),
        body: row.body.clone(),
        received_at: ctx.now,
        anonymous: s.reporter.as_ref().is_none_or(|r| r.anonymous),
        reachable,
        answered: case.all_answered(),
        withdrawn: false,
        merged_from: None,
        strand: ledger.strand,
        ledger_seq: ledger.seq,
    }
}

fn attach(ctx: &Ctx, tx: &mut Tx, case: CaseId, report: ReportId, s: &Submission) -> Result<(), Fault> {
    messages::attach_all(ctx, tx, case, &s.attachments, "report", Some(report))?;
    if let Some(done) = &s.on_the_spot {
        messages::attach_all(ctx, tx, case, &done.after_attachments, "after", None)?;
    }
    Ok(())
}

fn finish_on_the_spot(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, s: &Submission) -> Result<(), Fault> {
    let Some(done) = &s.on_the_spot else { return Ok(()) };
    let name = actor_name(ctx).unwrap_or_default().to_owned();
    let answer = store::NewAnswer {
        id: ctx.app.new_id(),
        report: None,
        by: ctx.actor.account(),
        by_name: &name,
        way: &done.answer_way,
        body: done.answer_body.trim(),
        said: None,
        solved: None,
        rating: None,
        at: ctx.now,
    };
    store::insert_answer(tx, row.id, &answer)?;
    note(
        ctx,
        tx,
        row,
        "case.on_the_spot",
        json!({ "result": done.result.trim(), "way": done.answer_way, "answer": done.answer_body.trim() }),
    )?;
    Ok(())
}

/// Makes a case's words findable.
pub fn make_findable(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, spot: Option<&Spot>) -> Result<(), Fault> {
    search::put(ctx, tx, row.id, &words_of(row, spot))
}

/// The words a case is found by.
pub(super) fn words_of<'r>(row: &'r CaseRow, spot: Option<&'r Spot>) -> search::SearchText<'r> {
    search::SearchText {
        number: &row.number,
        title: &row.title,
        body: &row.body,
        address: row.address.as_deref().unwrap_or_default(),
        area: spot.map(|s| s.full_name.as_str()).unwrap_or_default(),
    }
}
