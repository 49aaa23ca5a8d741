//! Coming to an end: handle, answer, verify, rework, close, reopen; and the resident's own word on it.

use super::{Of, optional, text};
use crate::cases::work::{Work, actor_name, by, refused};
use crate::cases::{alerts, messages, orders, routing, store};
use crate::platform::*;
use domain::cases::table::Action;
use domain::cases::{Evidence, Given, StateKey, Way};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Handle {
    #[serde(default)]
    result: String,
    /// Finished uploads: photos from before and after.
    #[serde(default)]
    before: Vec<String>,
    #[serde(default, alias = "attachments")]
    after: Vec<String>,
    /// Why it is finished although co-handlers still owe their parts.
    #[serde(default)]
    override_reason: Option<String>,
}

/// The unit reports the work finished, with its evidence.
pub fn handle(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Handle = of.fields()?;
    let result = text("result", &input.result)?;
    let override_reason = optional("override_reason", input.override_reason.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Handle)?;
    let person = work.person(ctx, tx)?;
    messages::attach_all(ctx, tx, of.case, &input.before, "before", None)?;
    messages::attach_all(ctx, tx, of.case, &input.after, "after", None)?;
    let has_photo = !input.after.is_empty() || store::attachments(tx, of.case)?.iter().any(|a| a.stage == "after");
    let evidence = Evidence {
        after_photo: has_photo,
        without_co_handlers: override_reason.is_some(),
    };
    work.case = work
        .case
        .clone()
        .handle(&person, evidence, &work.case_rules())
        .map_err(refused)?;
    work.row.level_resolved = routing::level_of(ctx, tx, work.row.unit_id)?;
    if work.row.outcome.is_none() {
        work.row.outcome = Some("solved".to_owned());
    }
    work.save(
        ctx,
        tx,
        "case.handled",
        json!({ "result": result, "override": override_reason }),
    )?;
    alerts::answer_owed(ctx, tx, &work.row)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Option<String>,
    /// None: all reporters.
    #[serde(default)]
    report_id: Option<String>,
    way: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    resident_said: Option<String>,
    #[serde(default)]
    solved: Option<bool>,
    #[serde(default)]
    rating: Option<i64>,
    #[serde(default)]
    attachments: Vec<String>,
}

/// A rating of this or less says that it is not solved.
const DISSATISFIED: i64 = 2;

/// The resident is told: by whom, how, what, and what they said.
pub fn answer(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Answer = of.fields()?;
    let body = text("body", &input.body)?;
    let said = optional("resident_said", input.resident_said.as_deref())?;
    let way = Way::from_key(&input.way).ok_or_else(|| Fault::invalid("way", "way_unknown"))?;
    if input.rating.is_some_and(|r| !(1..=5).contains(&r)) {
        return Err(Fault::invalid("rating", "rating_out_of_range"));
    }
    let report = input
        .report_id
        .as_deref()
        .map(|r| {
            r.parse::<ReportId>()
                .map_err(|_| Fault::invalid("report_id", "report_unknown"))
        })
        .transpose()?;
    let mut work = of.open(ctx, tx, Action::Answer)?;
    let person = work.person(ctx, tx)?;
    let moment = work.moment(ctx, tx)?;
    let given = Given {
        report: report.map(Into::into),
        way,
        standing: moment.standing,
        solved: input.solved.or(input.rating.map(|r| r > DISSATISFIED)),
    };
    work.case = work
        .case
        .clone()
        .answer(&person, given, &work.case_rules())
        .map_err(refused)?;
    messages::attach_all(ctx, tx, of.case, &input.attachments, "answer", report)?;
    let name = actor_name(ctx).unwrap_or_default().to_owned();
    let id = match &input.id {
        Some(id) => id.parse().map_err(|_| Fault::invalid("id", "invalid_id"))?,
        None => ctx.app.new_id(),
    };
    let new = store::NewAnswer {
        id,
        report,
        by: ctx.actor.account(),
        by_name: &name,
        way: way.key(),
        body,
        said,
        solved: given.solved,
        rating: input.rating,
        at: ctx.now,
    };
    store::insert_answer(tx, of.case, &new)?;
    work.save(
        ctx,
        tx,
        "case.answered",
        json!({
            "way": way.key(), "answer": body, "said": said, "rating": input.rating, "solved": given.solved, "report": report,
        }),
    )?;
    orders::fed_back(ctx, tx, &work.row)?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "answered")
}

#[derive(Deserialize)]
struct Verify {
    pass: bool,
    #[serde(default)]
    note: String,
    #[serde(default)]
    attachments: Vec<String>,
}

/// Someone else checks the result: confirmed, or back to work.
pub fn verify(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Verify = of.fields()?;
    let note = if input.pass {
        optional("note", Some(&input.note))?.unwrap_or_default()
    } else {
        text("note", &input.note)?
    };
    let mut work = of.open(ctx, tx, Action::Verify)?;
    let person = work.person(ctx, tx)?;
    work.case = work.case.clone().verify(&person, input.pass).map_err(refused)?;
    messages::attach_all(ctx, tx, of.case, &input.attachments, "verify", None)?;
    let name = actor_name(ctx).unwrap_or_default().to_owned();
    let check = store::NewVerification {
        id: ctx.app.new_id(),
        case: of.case,
        by: ctx.actor.account(),
        by_name: &name,
        pass: input.pass,
        note,
        at: ctx.now,
    };
    store::insert_verifications(tx, [check])?;
    let kind = if input.pass {
        "case.verified"
    } else {
        "case.verify_failed"
    };
    work.save(
        ctx,
        tx,
        kind,
        json!({ "note": note, "count": work.case.counts.reworked }),
    )
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// Not solved: the same unit works on it again.
pub fn rework(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Reason = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let mut work = of.open(ctx, tx, Action::Rework)?;
    work.case = work.case.clone().rework().map_err(refused)?;
    work.save(
        ctx,
        tx,
        "case.rework",
        json!({ "reason": reason, "count": work.case.counts.reworked }),
    )
}

#[derive(Deserialize)]
struct Close {
    #[serde(default)]
    note: Option<String>,
}

/// A person closes the case.
pub fn close(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Close = of.fields()?;
    let note = optional("note", input.note.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Close)?;
    let by = by(ctx, tx)?;
    work.case = work.case.clone().close(&by, &work.case_rules()).map_err(refused)?;
    work.save(ctx, tx, "case.closed", json!({ "note": note }))?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "closed")
}

/// It turned out unsolved after closing, or a refusal is contested: back to the unit that had it, which must accept anew.
pub fn reopen(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Reason = of.fields()?;
    let reason = text("reason", &input.reason)?.to_owned();
    let work = of.open(ctx, tx, Action::Reopen)?;
    reopened(ctx, tx, work, &reason)
}

fn reopened(ctx: &Ctx, tx: &mut Tx, mut work: Work, reason: &str) -> Result<(), Fault> {
    let moment = work.moment(ctx, tx)?;
    work.case = work
        .case
        .clone()
        .reopen(moment.days_since_end, &work.case_rules())
        .map_err(refused)?;
    work.row.outcome = None;
    let by_resident = matches!(ctx.actor, Actor::Resident | Actor::Partner { .. });
    work.save(
        ctx,
        tx,
        "case.reopened",
        json!({ "reason": reason, "by_resident": by_resident, "count": work.case.counts.reopened }),
    )?;
    messages::tell_all(ctx, tx, &work.before, &work.row, "reopened")
}

/// The resident objects: before closing it is worked on again, after closing it is reopened.
pub fn object_by_resident(ctx: &Ctx, tx: &mut Tx, case: CaseId, reason: &str) -> Result<(), Fault> {
    let reason = text("reason", reason)?;
    let mut work = Work::open_own(ctx, tx, case)?;
    if !matches!(
        work.row.state,
        StateKey::Handled | StateKey::Answered | StateKey::Verified
    ) {
        return reopened(ctx, tx, work, reason);
    }
    work.case = work.case.clone().rework().map_err(refused)?;
    work.save(
        ctx,
        tx,
        "case.rework",
        json!({ "reason": reason, "by_resident": true, "count": work.case.counts.reworked }),
    )
}

/// The resident rates the answer; content with it, they confirm that it is solved.
pub fn confirm_by_resident(
    ctx: &Ctx,
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    rating: i64,
    comment: Option<&str>,
) -> Result<(), Fault> {
    const CONTENT: i64 = 4;
    if !(1..=5).contains(&rating) {
        return Err(Fault::invalid("rating", "rating_out_of_range"));
    }
    let comment = optional("comment", comment)?;
    let mut work = Work::open_own(ctx, tx, case)?;
    if !store::rate_last_answer(tx, case, report, rating, comment)? {
        return Err(Fault::refused("case_not_answered"));
    }
    if work.row.state == StateKey::Answered {
        if rating >= CONTENT {
            work.case = work.case.clone().confirm().map_err(refused)?;
        } else if rating <= DISSATISFIED {
            work.case.dissatisfied = true;
        }
    }
    let rated = json!({ "rating": rating, "comment": comment, "report": report });
    work.save(ctx, tx, "case.rated", rated)
}
