//! More time, a pause, setting aside: asked for, decided by someone else, taken up again.

use super::{Of, moment, optional, text};
use crate::cases::record::{DoerRef, RequestRow};
use crate::cases::work::{Work, actor_name, refused};
use crate::cases::{alerts, clocks, messages, store};
use crate::platform::*;
use domain::cases::table::Action;
use domain::cases::{AskKind, RequestState};
use domain::time::{DAY_MS, Timestamp};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    id: Option<String>,
    kind: String,
    #[serde(default)]
    reason: String,
    /// How many of the limit's units more (days or hours), for an extension.
    #[serde(default)]
    days: Option<f64>,
    /// Until when, for a pause.
    #[serde(default)]
    until: Option<String>,
}

/// The unit that has the case asks.
pub fn ask(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Ask = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let kind = AskKind::from_key(&input.kind).ok_or_else(|| Fault::invalid("kind", "request_kind_unknown"))?;
    let id: RequestId = match &input.id {
        Some(id) => id.parse().map_err(|_| Fault::invalid("id", "invalid_id"))?,
        None => ctx.app.new_id(),
    };
    let mut work = of.open(ctx, tx, Action::Ask)?;
    let person = work.person(ctx, tx)?;
    work.case = work
        .case
        .clone()
        .ask(id.into(), kind, &person, &work.case_rules())
        .map_err(refused)?;
    let amount = if kind == AskKind::Extension {
        Some(amount_asked(tx, &work, input.days)?)
    } else {
        None
    };
    let until = moment("until", input.until.as_deref())?;
    if kind == AskKind::Pause
        && let Some(until) = until
    {
        pause_fits(ctx, &work, until)?;
    }
    let row = RequestRow {
        id,
        kind: kind.key().to_owned(),
        asked_by: DoerRef::from(person.doer()),
        asked_name: actor_name(ctx).unwrap_or_default().to_owned(),
        reason: reason.to_owned(),
        amount,
        until,
        state: RequestState::Waiting.key().to_owned(),
        decided_by: None,
        decided_name: None,
        decided_at: None,
        note: None,
        created_at: ctx.now,
    };
    store::insert_request(tx, of.case, &row)?;
    work.save(
        ctx,
        tx,
        "case.asked",
        json!({ "request": kind.key(), "reason": reason, "days": input.days, "until": input.until }),
    )
}

/// A pause ends after now and within the pack's days.
fn pause_fits(ctx: &Ctx, work: &Work, until: Timestamp) -> Result<(), Fault> {
    let days = work.rules.pack.thresholds.pause_days.value;
    if until <= ctx.now {
        return Err(Fault::invalid("until", "moment_is_past"));
    }
    if until > ctx.now.plus_ms(i64::from(days) * DAY_MS) {
        return Err(Fault::invalid("until", "pause_too_long").with("days", days));
    }
    Ok(())
}

/// Thousandths of the limit's unit; at most the pack's share of the first limit.
fn amount_asked(tx: &mut Tx, work: &Work, days: Option<f64>) -> Result<i64, Fault> {
    const THOUSANDTHS: f64 = 1_000.0;
    let clock = clocks::running(tx, work.row.id, clocks::LEAD)?.ok_or_else(|| Fault::refused("no_clock_running"))?;
    let limit = clock.log.limit().amount();
    let most = limit.parts as f64 / limit.unit.one() as f64
        * f64::from(work.rules.pack.thresholds.extension_percent.value)
        / 100.0;
    let asked = days.unwrap_or(most);
    if asked.is_nan() || asked <= 0.0 {
        return Err(Fault::invalid("days", "extension_too_short"));
    }
    if asked > most + 1e-9 {
        return Err(Fault::invalid("days", "extension_too_long").with("most", format!("{most:.1}")));
    }
    Ok((asked * THOUSANDTHS).round() as i64)
}

#[derive(Deserialize)]
struct Decide {
    request_id: String,
    approve: bool,
    #[serde(default)]
    note: String,
}

/// Someone else approves or refuses; what is approved happens at once.
pub fn decide(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Decide = of.fields()?;
    // A refusal is explained; an approval may be.
    let note = if input.approve {
        optional("note", Some(&input.note))?.unwrap_or_default()
    } else {
        text("note", &input.note)?
    };
    let id: RequestId = input
        .request_id
        .parse()
        .map_err(|_| Fault::invalid("request_id", "request_unknown"))?;
    let mut work = of.open(ctx, tx, Action::Decide)?;
    let person = work.person(ctx, tx)?;
    let (case, kind) = work
        .case
        .clone()
        .decide(id.into(), &person, input.approve)
        .map_err(refused)?;
    work.case = case;
    let asked = work.before.requests.iter().find(|r| r.id == id).cloned();
    let asked = asked.ok_or_else(|| Fault::internal("the request just decided is gone"))?;
    let decided = work.case.requests.iter().find(|r| r.id == id.into()).cloned();
    if let Some(decided) = &decided {
        let name = actor_name(ctx).unwrap_or_default();
        store::update_request(tx, decided, Some((name, note, ctx.now)))?;
    }
    if input.approve {
        grant(ctx, tx, &mut work, kind, &asked)?;
    }
    let body = json!({ "request": kind.key(), "approved": input.approve, "note": note, "asked_by": asked.asked_name });
    work.save(ctx, tx, "case.decided", body.clone())?;
    if let Some(worker) = asked.asked_by.worker {
        alerts::tell(
            ctx,
            tx,
            worker,
            &work.row,
            "decided",
            json!({ "number": work.row.number, "approved": input.approve, "request": kind.key() }),
        )?;
    }
    if input.approve && kind == AskKind::Park {
        messages::tell_all(ctx, tx, &work.before, &work.row, "parked")?;
    }
    Ok(())
}

/// What approval does to the clock.
fn grant(ctx: &Ctx, tx: &mut Tx, work: &mut Work, kind: AskKind, asked: &RequestRow) -> Result<(), Fault> {
    let Some(mut clock) = clocks::running(tx, work.row.id, clocks::LEAD)? else {
        return Ok(());
    };
    let approval = asked.id.to_string();
    match kind {
        AskKind::Extension => {
            let amount = u64::try_from(asked.amount.unwrap_or_default()).unwrap_or_default();
            clocks::extend(ctx, tx, &work.rules, &mut clock, amount, &approval)?;
        }
        AskKind::Pause => {
            if let Some(until) = asked.until {
                pause_fits(ctx, work, until)?;
            }
            clocks::pause(ctx, tx, &work.rules, &mut clock, &approval, &asked.reason, asked.until)?;
        }
        AskKind::Park => {
            // What was paused until some day now stands still until a person takes the case up.
            if clock.state == "paused" {
                clocks::resume(ctx, tx, &work.rules, &mut clock)?;
            }
            clocks::pause(ctx, tx, &work.rules, &mut clock, &approval, &asked.reason, None)?
        }
    }
    clocks::note_due(&mut work.row, Some(&clock));
    Ok(())
}

/// The clocks run again.
pub fn resume(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let mut work = of.open(ctx, tx, Action::Resume)?;
    work.case = work.case.clone().resume().map_err(refused)?;
    go_on(ctx, tx, &mut work)?;
    work.save(ctx, tx, "case.resumed", json!({}))
}

/// Lets a paused clock of the lead run on.
pub fn go_on(ctx: &Ctx, tx: &mut Tx, work: &mut Work) -> Result<(), Fault> {
    if let Some(mut clock) = clocks::running(tx, work.row.id, clocks::LEAD)?
        && clock.state == "paused"
    {
        clocks::resume(ctx, tx, &work.rules, &mut clock)?;
        clocks::note_due(&mut work.row, Some(&clock));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Unpark {
    #[serde(default)]
    reason: String,
}

/// A case set aside is taken up again.
pub fn unpark(ctx: &Ctx, tx: &mut Tx, of: &Of) -> Result<(), Fault> {
    let input: Unpark = of.fields()?;
    let reason = text("reason", &input.reason)?;
    let mut work = of.open(ctx, tx, Action::Unpark)?;
    work.case = work.case.clone().unpark().map_err(refused)?;
    go_on(ctx, tx, &mut work)?;
    work.save(ctx, tx, "case.unparked", json!({ "reason": reason }))
}
