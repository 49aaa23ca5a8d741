//! What came of a call: attached to a visit that was recorded, so that one visit at one door serves duties and campaigns alike.

use super::campaign::keeps;
use super::counts::Shift;
use super::store::{self, ResultRow, TaskRow};
use crate::access::log_read;
use crate::duties;
use crate::platform::*;
use domain::campaigns::{Call, State};
use domain::duties::Outcome;
use serde_json::json;

/// Longest word on what is still to be done (characters).
const MAX_NOTE: usize = 1_000;

/// What was answered.
#[derive(Debug, Clone)]
pub struct NewResult {
    pub campaign: CampaignId,
    /// The visit the caller recorded there.
    pub visit: VisitId,
    /// By ask: the number of the answer, or none where nobody said anything.
    pub answers: Vec<Option<u8>>,
    /// Something is still to be done, whatever the answers say.
    pub follow: bool,
    pub note: Option<Personal<String>>,
}

/// Writes down what a visit came to for a campaign; sent again it changes nothing. How the campaign stands there now.
pub fn record(ctx: &Ctx, tx: &mut Tx, new: NewResult) -> Result<State, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let visit = duties::own(ctx, tx, new.visit)?;
    let visit = visit.ok_or_else(|| Fault::invalid("visit_id", "campaign_visit"))?;
    let task = store::task(tx, new.campaign, visit.subject, true)?.ok_or_else(Fault::not_found)?;
    let campaign = store::campaign(tx, new.campaign, false)?.ok_or_else(Fault::not_found)?;
    let sent = fingerprint(ctx, &new);
    if let Some(before) = store::result(tx, new.campaign, task.subject, new.visit)? {
        return match before.sent == sent {
            true => Ok(task.state),
            false => Err(Fault::conflict("campaign_result_other")),
        };
    }
    // The visit itself was recorded within the caller's areas; a phone that comes late is not refused for areas that changed since.
    if !keeps(&campaign) {
        return Err(Fault::refused("campaign_over"));
    }
    let met = visit.outcome == Outcome::Met;
    let answers = match met {
        true => new.answers.clone(),
        false => Vec::new(),
    };
    // Whoever comes back to follow up asks again only where it helps.
    let first = matches!(task.state, State::Open | State::Gone);
    if met && (first || !answers.is_empty()) && !campaign.wish.asks.fits(&answers) {
        return Err(Fault::invalid("answers", "campaign_answers"));
    }
    let note = new.note.filter(|note| !note.reveal().trim().is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.reveal().chars().count() > MAX_NOTE)
    {
        return Err(Fault::invalid("note", "campaign_words").with("most", MAX_NOTE));
    }
    let follow = met && (new.follow || first && campaign.wish.asks.calls_for_more(&answers));
    let key = store::result_key(new.campaign, task.subject, new.visit);
    let seal = |column, text: &str| ctx.app.seal("campaign_result", &key, column, text);
    let row = ResultRow {
        campaign: new.campaign,
        subject: task.subject,
        visit: new.visit,
        at: visit.at,
        met,
        follow,
        answers_sealed: (!answers.is_empty()).then(|| seal("answers_sealed", &json!(answers).to_string())),
        note_sealed: note.as_ref().map(|note| seal("note_sealed", note.reveal())),
        sent,
    };
    store::insert_result(ctx, tx, &row)?;
    let call = match met {
        true => Call::Met { follow },
        false => Call::InVain,
    };
    let state = stand(ctx, tx, task, call, (&row, visit.outcome, &answers))?;
    let mark = json!({ "visit": new.visit, "met": met, "state": state.key() });
    tx.record(ctx, Mark::new("campaign.called", Subject::Campaign(new.campaign), mark))?;
    Ok(state)
}

/// Keyed, so that nobody can try answers against it.
fn fingerprint(ctx: &Ctx, new: &NewResult) -> String {
    let note = new.note.as_ref().map(Personal::reveal);
    let text = format!(
        "{} {} {:?} {} {note:?}",
        new.campaign, new.visit, new.answers, new.follow
    );
    ctx.app.sealer().blind_index("campaign result", &text)
}

/// Moves the task and the numbers on. A call that met somebody earlier than the last one known of changes nothing: a phone was late.
fn stand(
    ctx: &Ctx,
    tx: &mut Tx,
    mut task: TaskRow,
    call: Call,
    (row, outcome, answers): (&ResultRow, Outcome, &[Option<u8>]),
) -> Result<State, Fault> {
    let mut shift = Shift::default();
    shift.task(&task, -1);
    let latest = row.met && task.met_at.is_none_or(|met| met <= row.at);
    if !row.met {
        task.tried += 1;
        task.reason = Some(outcome);
    }
    if latest {
        if !answers.is_empty() {
            let before = store::last_answered(tx, &task, Some(row.visit))?;
            shift.answers(&task, &answers_of(ctx, before.as_ref())?, -1);
            shift.answers(&task, answers, 1);
        }
        task.state = task.state.after(call);
        task.met_at = Some(row.at);
    }
    shift.task(&task, 1);
    shift.write(tx);
    store::update_task(tx, &task)?;
    Ok(task.state)
}

/// What was answered in one call; nothing where there was none.
pub fn answers_of(ctx: &Ctx, row: Option<&ResultRow>) -> Result<Vec<Option<u8>>, Fault> {
    let Some((row, sealed)) = row.and_then(|row| Some((row, row.answers_sealed.as_ref()?))) else {
        return Ok(Vec::new());
    };
    let text = open(ctx, row, "answers_sealed", sealed)?;
    serde_json::from_str(text.reveal()).map_err(Fault::internal)
}

fn open(ctx: &Ctx, row: &ResultRow, column: &'static str, sealed: &[u8]) -> Result<Personal<String>, Fault> {
    let key = store::result_key(row.campaign, row.subject, row.visit);
    let place = sealed::Place {
        table: "campaign_result",
        id: &key,
        column,
    };
    ctx.app.sealer().open(place, sealed).map_err(Fault::internal)
}

/// What is still to be done, as it was said when somebody was met last; the look is logged.
pub fn note(ctx: &Ctx, tx: &mut Tx, task: &TaskRow) -> Result<Option<Personal<String>>, Fault> {
    let Some(row) = store::last_met(tx, task)? else {
        return Ok(None);
    };
    let Some(sealed) = &row.note_sealed else {
        return Ok(None);
    };
    log_read(ctx, tx, Subject::Visit(row.visit), &["follow_note"])?;
    open(ctx, &row, "note_sealed", sealed).map(Some)
}
