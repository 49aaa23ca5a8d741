//! What the resident sees and does: follow a report by number and code, rate, object, withdraw, add.
//!
//! Entry points: [`status`] and the verbs below. Number and code together are the key; a wrong one is answered like a number that does not
//! exist. Must not: show who else reported, colleagues' remarks, or reasons meant for staff.

use super::intake;
use super::place::{self, Rules};
use super::record::{CaseRow, Loaded, ReportRow};
use super::{actions, clocks, handover, messages, store, words};
use crate::platform::*;

use domain::cases::table::Moment;
use domain::cases::{Standing, StateKey};
use domain::time::{DAY_MS, Timestamp};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// One step in plain words.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicStep {
    pub at: String,
    pub text: String,
    /// Which body did it.
    pub who: Option<String>,
}

/// An answer as the resident reads it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicAnswer {
    pub at: String,
    pub way: String,
    pub body: String,
}

/// The worker who comes: what is on the badge.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicWorker {
    pub name: String,
    pub badge_no: String,
}

/// What the resident may do now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Can {
    pub rate: bool,
    pub object: bool,
    pub withdraw: bool,
    pub add: bool,
}

/// A photo the reporter may see; its bytes are asked for with the code.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicPhoto {
    pub hash: String,
    /// `report`, or what the unit gives with its answer: `before`, `after`, `answer`.
    pub stage: String,
    pub width: Option<i64>,
    pub height: Option<i64>,
}

/// The report was put together with another one about the same matter and goes on there. Says nothing of who reported the other.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Together {
    /// One sentence: since when, and under which number it goes on.
    pub text: String,
    /// Number of the case it goes on in.
    pub number: String,
    /// When it was put together with it.
    pub since: String,
}

/// Where a report stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicStatus {
    pub number: String,
    pub title: String,
    pub body: String,
    pub state: String,
    pub state_name: String,
    pub plain_text: String,
    /// Present while it goes on together with another report; all the rest then tells how that goes.
    pub together: Option<Together>,
    pub steps: Vec<PublicStep>,
    pub unit_public_name: Option<String>,
    pub worker_public: Option<PublicWorker>,
    pub due_at: Option<String>,
    pub due_explained: Vec<String>,
    pub answers: Vec<PublicAnswer>,
    pub can: Can,
    pub photos: Vec<PublicPhoto>,
}

/// The report behind a number and its code; a wrong code is answered like an unknown number.
pub fn find(ctx: &Ctx, tx: &mut Tx, number: &str, code: &str) -> Result<(CaseId, ReportId), Fault> {
    let found = store::reports_by_number(tx, number.trim())?;
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let mine = found
        .into_iter()
        .find(|(_, report)| same(&intake::follow_code(ctx, *report), &digits));
    mine.ok_or_else(Fault::not_found)
}

/// Reports of one contact looked at, the newest.
const OF_CONTACT: i64 = 20;

/// Reports made from a contact, or told with its phone number, with their numbers; the newest first.
pub fn of_contact(tx: &mut Tx, contact: &contacts::Contact) -> Result<Vec<(CaseId, ReportId, String)>, Fault> {
    let phone = (contact.channel == contacts::Channel::Sms).then_some(contact.index.as_str());
    store::reports_of_contact(tx, contact.id, phone, OF_CONTACT)
}

/// Where a case lies, for who on the staff sees what is told about it.
pub fn areas_of(tx: &mut Tx, case: CaseId) -> Result<[Option<AreaId>; 5], Fault> {
    Ok(store::case_row(tx, case)?.map(|row| row.areas).unwrap_or_default())
}

/// Compares without telling by its duration where the texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}

/// Where the report stands, for its reporter.
pub fn status(ctx: &Ctx, tx: &mut Tx, case: CaseId, report: ReportId) -> Result<PublicStatus, Fault> {
    let rules = place::rules(ctx)?;
    let loaded = store::load(tx, case)?.ok_or_else(Fault::not_found)?;
    let own = loaded
        .reports
        .iter()
        .find(|r| r.id == report)
        .ok_or_else(Fault::not_found)?
        .clone();
    let row = &loaded.row;
    let unit = match row.unit_id {
        Some(unit) => place::unit(ctx, tx, unit)?,
        None => None,
    };
    let worker = match row.worker_id {
        Some(worker) if row.is_open() => place::worker(tx, worker)?,
        _ => None,
    };
    let elsewhere = handover::away_at(tx, row)?;
    let path = path(tx, row, &own)?;
    let steps = steps(ctx, tx, &rules, &path, &own)?;
    let due_explained = explained(ctx, tx, &rules, case)?;
    let mut answers = Vec::new();
    for stop in &path {
        answers.extend(store::answers(tx, stop.case)?);
    }
    answers.retain(|a| a.report.is_none_or(|r| r == report));
    answers.sort_by_key(|a| a.at);
    let state = if own.withdrawn { StateKey::Withdrawn } else { row.state };
    Ok(PublicStatus {
        number: own.number.clone(),
        title: if report.0 == row.id.0 {
            row.title.clone()
        } else {
            intake::title_from(&own.body)
        },
        body: own.body.clone(),
        state: state.key().to_owned(),
        state_name: words::state(ctx.lang, state),
        plain_text: plain_text(
            ctx,
            &loaded,
            state,
            unit.as_ref().map(|u| u.public_name.as_str()),
            elsewhere.as_deref(),
        ),
        together: (path.len() > 1 && !own.withdrawn).then(|| together(ctx, row, &own, &path)),
        steps,
        unit_public_name: unit.map(|u| u.public_name),
        worker_public: worker.map(|w| PublicWorker {
            name: w.name,
            badge_no: w.badge_no,
        }),
        due_at: row.due_at.filter(|_| row.is_open()).map(|at| at.to_string()),
        due_explained,
        answers: answers
            .into_iter()
            .map(|a| PublicAnswer {
                at: a.at.to_string(),
                way: a.way,
                body: a.body,
            })
            .collect(),
        can: can(ctx, &rules, &loaded, &own)?,
        photos: photos(tx, case, report)?,
    })
}

/// The reporter's own photos; what the unit took before and after only once it gave them an answer with it, for until then it may show
/// somebody else's home or business (promise 7).
fn photos(tx: &mut Tx, case: CaseId, report: ReportId) -> Result<Vec<PublicPhoto>, Fault> {
    let told = store::answers(tx, case)?;
    let told = told.iter().any(|answer| answer.report.is_none_or(|r| r == report));
    let photo = |row: store::AttachmentRow| PublicPhoto {
        hash: row.hash,
        stage: row.stage,
        width: row.width,
        height: row.height,
    };
    let rows = store::photos_for_reporter(tx, case, report, told)?;
    Ok(rows.into_iter().map(photo).collect())
}

/// Whether the reporter of a report may see a photo; any other is answered like one that does not exist.
pub fn may_see_photo(tx: &mut Tx, case: CaseId, report: ReportId, hash: &str) -> Result<(), Fault> {
    let seen = photos(tx, case, report)?.iter().any(|photo| photo.hash == hash);
    if seen { Ok(()) } else { Err(Fault::not_found()) }
}

/// A case a report was in.
struct Stop {
    case: CaseId,
    /// From when on; none: from its beginning.
    since: Option<Timestamp>,
}

/// Merges followed for one report.
const MAX_MERGES: usize = 20;

/// The cases a report was in, one after the other, the present one last: where it was opened, then where each merge brought it.
fn path(tx: &mut Tx, present: &CaseRow, own: &ReportRow) -> Result<Vec<Stop>, Fault> {
    // A report opens the case of the same id.
    let (mut case, mut since) = (CaseId(own.id.0), None);
    let mut path = Vec::new();
    while case != present.id && path.len() < MAX_MERGES {
        let Some(row) = store::case_row(tx, case)? else { break };
        let Some(into) = row.merged_into else { break };
        path.push(Stop { case, since });
        (case, since) = (into, row.ended_at);
    }
    if case != present.id {
        // It was split off: its story begins with the case made for it.
        (path, since) = (Vec::new(), None);
    }
    path.push(Stop {
        case: present.id,
        since,
    });
    Ok(path)
}

fn together(ctx: &Ctx, row: &CaseRow, own: &ReportRow, path: &[Stop]) -> Together {
    let since = path.last().and_then(|stop| stop.since).unwrap_or(own.received_at);
    let code = if row.received_at <= own.received_at {
        "together_earlier"
    } else {
        "together_other"
    };
    let params = [("at", words::moment(ctx.lang, since)), ("number", row.number.clone())];
    Together {
        text: i18n::sentence(ctx.lang, code, &params),
        number: row.number.clone(),
        since: since.to_string(),
    }
}

/// What happened to the report wherever it was; what only concerns another reporter of the same matter is left out.
fn steps(ctx: &Ctx, tx: &mut Tx, rules: &Rules, path: &[Stop], own: &ReportRow) -> Result<Vec<PublicStep>, Fault> {
    let mut steps = Vec::new();
    for (i, stop) in path.iter().enumerate() {
        let until = path.get(i + 1).and_then(|next| next.since);
        for event in store::events(tx, stop.case)? {
            let within = stop.since.is_none_or(|at| event.at >= at) && until.is_none_or(|at| event.at <= at);
            if !within || is_of_another(&event.body, own) {
                continue;
            }
            if let Some(text) = words::public_event(ctx.lang, rules, &event.kind, &event.body) {
                steps.push(PublicStep {
                    at: event.at.to_string(),
                    text,
                    who: event.unit_name,
                });
            }
        }
    }
    Ok(steps)
}

/// Whether an event names a report, and not this one.
fn is_of_another(body: &serde_json::Value, own: &ReportRow) -> bool {
    body["report"]
        .as_str()
        .is_some_and(|report| report != own.id.to_string())
}

fn explained(ctx: &Ctx, tx: &mut Tx, rules: &Rules, case: CaseId) -> Result<Vec<String>, Fault> {
    let Some(clock) = clocks::running(tx, case, clocks::LEAD)? else {
        return Ok(Vec::new());
    };
    Ok(clocks::explain_text(ctx, rules, &clock).unwrap_or_default())
}

fn plain_text(ctx: &Ctx, loaded: &Loaded, state: StateKey, unit: Option<&str>, elsewhere: Option<&str>) -> String {
    let due = loaded.row.due_at.map(|due| words::moment(ctx.lang, due));
    let mut code = match elsewhere {
        Some(_) => "plain_elsewhere".to_owned(),
        None => format!("plain_{}", state.key()),
    };
    if due.is_some() && i18n::known(&format!("{code}_due")) {
        code.push_str("_due");
    }
    i18n::sentence(
        ctx.lang,
        &code,
        &[
            ("unit", unit.unwrap_or_default().to_owned()),
            ("due", due.unwrap_or_default()),
            ("peer", elsewhere.unwrap_or_default().to_owned()),
        ],
    )
}

fn can(ctx: &Ctx, rules: &Rules, loaded: &Loaded, own: &ReportRow) -> Result<Can, Fault> {
    let case = loaded.rules_view()?;
    let row = &loaded.row;
    let category = rules.of_category(row.category_code.as_deref().unwrap_or_default());
    let days_since_end = row.ended_at.map_or(0, |at| (ctx.now.0 - at.0) / DAY_MS);
    let moment = Moment {
        standing: Standing::default(),
        days_since_end,
    };
    let done = matches!(row.state, StateKey::Answered | StateKey::Verified | StateKey::Handled);
    let reopens = case.may_reopen(moment.days_since_end, &category).is_ok();
    Ok(Can {
        rate: !own.withdrawn && matches!(row.state, StateKey::Answered | StateKey::Verified | StateKey::Closed),
        object: !own.withdrawn && (done || reopens),
        withdraw: !own.withdrawn && case.may_take_in(),
        add: !own.withdrawn && row.is_open(),
    })
}

/// The resident rates the answer.
pub fn rate(
    ctx: &Ctx,
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    rating: i64,
    comment: Option<&str>,
) -> Result<(), Fault> {
    actions::confirm_by_resident(ctx, tx, case, report, rating, comment)
}

/// The resident objects: it is not solved.
pub fn object(ctx: &Ctx, tx: &mut Tx, case: CaseId, reason: &str) -> Result<(), Fault> {
    actions::object_by_resident(ctx, tx, case, reason)
}

/// The resident takes the report back.
pub fn withdraw(ctx: &Ctx, tx: &mut Tx, case: CaseId, report: ReportId, reason: &str) -> Result<(), Fault> {
    actions::withdraw_report(ctx, tx, case, report, reason)
}

/// Characters added at one time.
const MAX_ADDED_CHARS: usize = 2_000;

/// The resident adds words or photos to an open matter.
pub fn add(
    ctx: &Ctx,
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    body: &str,
    uploads: &[String],
) -> Result<(), Fault> {
    let body = body.trim();
    if body.is_empty() && uploads.is_empty() {
        return Err(Fault::invalid("body", "body_missing"));
    }
    if body.chars().count() > MAX_ADDED_CHARS {
        return Err(Fault::invalid("body", "text_too_long").with("most", MAX_ADDED_CHARS));
    }
    if uploads.len() > intake::MAX_PHOTOS {
        return Err(Fault::invalid("attachments", "too_many_photos").with("most", intake::MAX_PHOTOS));
    }
    let mut work = super::work::Work::open_own(ctx, tx, case)?;
    if !work.row.is_open() {
        return Err(Fault::refused("case_not_open"));
    }
    messages::attach_all(ctx, tx, case, uploads, "report", Some(report))?;
    let added = json!({ "words": body, "photos": uploads.len(), "report": report });
    work.save(ctx, tx, "case.added", added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_said_in_plain_words() {
        for state in StateKey::ALL {
            for code in [format!("plain_{}", state.key()), format!("state_{}", state.key())] {
                assert!(i18n::known(&code), "{code}");
            }
        }
    }

    #[test]
    fn codes_are_compared_whole() {
        assert!(same("12345678", "12345678"));
        assert!(!same("12345678", "12345679"));
        assert!(!same("12345678", "1234567"));
    }
}
