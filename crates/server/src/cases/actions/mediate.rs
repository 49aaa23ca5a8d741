//! Mediation of a dispute (ZS-17): who mediated, when, how it ended, the paper signed, the day to look again whether it is kept. Failed,
//! the dispute climbs to the pack's next rung in the same moment, under a clock of its own.

use super::{Of, optional, text};
use crate::cases::work::{actor_name, refused};
use crate::cases::{alerts, mediation, messages, routing, search, store};
use crate::platform::*;
use domain::cases::Mediation;
use domain::cases::table::Action;
use serde::Deserialize;
use serde_json::json;

/// Days between an agreement and the day it is looked at again, at most.
const FOLLOW_UP_DAYS: i32 = 366;
/// Characters of a name.
const MAX_NAME: usize = 60;

#[derive(Deserialize)]
struct Mediate {
    /// `agreed`, `failed` or `withdrawn`.
    outcome: String,
    /// What was agreed, or why not.
    #[serde(default)]
    agreement: String,
    /// Who mediated; whoever records it when left out.
    #[serde(default)]
    mediator: Option<String>,
    /// The day it was held; today when left out.
    #[serde(default)]
    held_on: Option<String>,
    /// The day to look whether an agreement is kept.
    #[serde(default)]
    follow_up_on: Option<String>,
    /// Photos of the paper.
    #[serde(default)]
    attachments: Vec<String>,
}

/// Records how a mediation of the dispute ended.
pub fn mediate(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Mediate = of.fields()?;
    let outcome = Mediation::from_key(&input.outcome).ok_or_else(|| Fault::invalid("outcome", "outcome_unknown"))?;
    let words = text("agreement", &input.agreement)?.to_owned();
    let mediator = optional("mediator", input.mediator.as_deref())?
        .or_else(|| actor_name(ctx))
        .unwrap_or_default();
    if mediator.chars().count() > MAX_NAME {
        return Err(Fault::invalid("mediator", "text_too_long").with("most", MAX_NAME));
    }
    let held_on = day("held_on", input.held_on.as_deref())?.unwrap_or_else(|| ctx.now.date());
    if held_on > ctx.now.date() {
        return Err(Fault::invalid("held_on", "day_in_the_future"));
    }
    let follow_up = follow_up_day(ctx, outcome, input.follow_up_on.as_deref())?;
    let mut work = of.open(ctx, tx, Action::Mediate)?;
    if !work.case_rules().mediation {
        return Err(Fault::refused("case_not_a_dispute"));
    }
    let person = work.person(ctx, tx)?;
    work.case.may_mediate(&person).map_err(refused)?;
    let at = mediation::rungs(ctx, tx, &work.rules, &work.row)?;
    let next = match (outcome, at.next) {
        (Mediation::Failed, Some(next)) => {
            let choice = routing::named(ctx, tx, next.unit, work.row.area_id, work.row.urgent, "rule")?;
            Some((next, choice))
        }
        _ => None,
    };
    work.case = work
        .case
        .clone()
        .mediate(&person, outcome, next.as_ref().map(|(_, choice)| choice.held))
        .map_err(refused)?;
    messages::attach_all(ctx, tx, of.case, &input.attachments, "agreement", None)?;
    let row = mediation::Held {
        id: ctx.app.new_id(),
        rung: at.here.as_ref().map(|rung| rung.key.clone()),
        rung_name: at.here.map_or(at.unit_name, |rung| rung.name),
        mediator: mediator.to_owned(),
        worker: match &ctx.actor {
            Actor::Account { worker, .. } => *worker,
            _ => None,
        },
        held_on: held_on.to_string(),
        outcome,
        words: words.clone(),
        next_name: next.as_ref().map(|(rung, _)| rung.name.clone()),
        follow_up_on: follow_up.map(|day| day.to_string()),
    };
    store::insert_mediation(tx, of.case, &row, ctx.now)?;
    mediation::remind(ctx, tx, &row, follow_up)?;
    if next.is_none() {
        work.row.outcome = Some(format!("mediation_{}", outcome.key()));
    }
    let body = json!({
        "outcome": outcome.key(), "agreement": words, "follow_up_on": row.follow_up_on, "rung": row.rung, "mediator": mediator,
        "held_on": row.held_on,
    });
    let Some((rung, choice)) = next else {
        return work.save(ctx, tx, "case.mediated", body);
    };
    work.clock_anew = true;
    work.save(ctx, tx, "case.mediated", body)?;
    let body = json!({ "unit": choice.unit_name, "worker": choice.worker_name, "part": rung.name });
    crate::cases::work::note(ctx, tx, &work.row, "case.mediation_climbed", body)?;
    search::touch(ctx, tx, of.case)?;
    if let Some(worker) = work.row.worker_id {
        alerts::new_case(ctx, tx, worker, &work.row)?;
    }
    messages::tell_all(ctx, tx, &work.before, &work.row, "assigned")
}

fn day(field: &'static str, given: Option<&str>) -> Result<Option<jiff::civil::Date>, Fault> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    given
        .map(|text| text.parse().map_err(|_| Fault::invalid(field, "date_expected")))
        .transpose()
}

/// An agreement is looked at again on a day that is named; nothing else is.
fn follow_up_day(ctx: &Ctx, outcome: Mediation, given: Option<&str>) -> Result<Option<jiff::civil::Date>, Fault> {
    let given = day("follow_up_on", given)?;
    match (outcome, given) {
        (Mediation::Agreed, None) => Err(Fault::invalid("follow_up_on", "follow_up_missing")),
        (Mediation::Agreed, Some(day)) => {
            let ahead = (day - ctx.now.date()).get_days();
            if (0..=FOLLOW_UP_DAYS).contains(&ahead) {
                Ok(Some(day))
            } else {
                Err(Fault::invalid("follow_up_on", "follow_up_out_of_range").with("most", FOLLOW_UP_DAYS))
            }
        }
        _ => Ok(None),
    }
}
