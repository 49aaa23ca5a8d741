//! The clocks of a case: which step is running, started and stopped with the state, kept as an event log, due moments read from it.
//!
//! Entry points: [`follow_state`] after every change of a case; [`pause`], [`resume`], [`extend`] for approved requests. What is due when
//! is computed by `domain::cases::clock`; here is only storage and the ladder's next moment. Must not: change a running clock for any
//! other reason.

use super::place::Rules;
use super::record::{CaseRow, RequestRow};
use super::{store, words};
use crate::platform::*;
use domain::calendar::{Amount, CalendarRef, Duty, Unit};
use domain::cases::StateKey;
use domain::cases::clock::{self, ClockLog, Due, Event, Limit, RuleRef, Start, When};
use domain::policy::{ClockRule, Pack, Step, Verifier};
use domain::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};

/// Party of the unit that leads.
pub const LEAD: &str = "lead";
/// Name of the warning that a clock has when the pack's ladder has none.
pub const WARN: &str = "warn";
/// Name of the moment the limit passes, which no rung of a pack has.
pub const DUE: &str = "limit";

/// A stored clock.
#[derive(Debug, Clone)]
pub struct ClockRow {
    pub id: ClockId,
    pub case: CaseId,
    pub party: String,
    pub step: String,
    pub urgent: bool,
    pub log: ClockLog,
    pub due_at: Option<Timestamp>,
    pub warn_at: Option<Timestamp>,
    pub state: String,
    pub late: bool,
    pub next_at: Option<Timestamp>,
    /// Names of the rungs already told, separated by blanks.
    pub told: String,
}

impl ClockRow {
    pub fn is_stopped(&self) -> bool {
        self.state == "stopped"
    }
}

/// The step whose clock runs in a state; none where nothing is timed.
pub fn step_of(state: StateKey, pack: &Pack, category: &str) -> Option<Step> {
    match state {
        StateKey::Received => Some(Step::Accept),
        StateKey::Accepted => Some(Step::Dispatch),
        StateKey::Assigned | StateKey::Handling | StateKey::Parked => Some(Step::Handle),
        StateKey::Handled => Some(Step::Answer),
        StateKey::Answered => {
            let by = pack.verification_rule(category).map(|rule| rule.by);
            (by.is_some() && by != Some(Verifier::None)).then_some(Step::Verify)
        }
        _ => None,
    }
}

/// Moves the lead's clocks after a change of state and writes the due moment into the row. A change of hands (`anew`) starts the step's clock again.
pub fn follow_state(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &mut CaseRow, anew: bool) -> Result<(), Fault> {
    let category = row.category_code.clone().unwrap_or_default();
    let wanted = step_of(row.state, &rules.pack, &category);
    let mut running = store::clocks_of(tx, row.id)?
        .into_iter()
        .filter(|c| c.party == LEAD && !c.is_stopped());
    let current = running.next();
    let keep = !anew && current.as_ref().map(|c| c.step.as_str()) == wanted.map(Step::key);
    let current = if keep {
        current
    } else {
        if let Some(mut old) = current {
            stop(ctx, tx, rules, &mut old)?;
            if old.step == Step::Handle.key() && row.state == StateKey::Handled {
                row.on_time = Some(!old.late);
            }
        }
        match wanted {
            Some(step) => start(ctx, tx, rules, row, LEAD.to_owned(), step)?,
            None => None,
        }
    };
    note_due(row, current.as_ref());
    Ok(())
}

/// The clock of the state a case is opened in, not yet saved; none where nothing is timed.
pub fn first(ctx: &Ctx, rules: &Rules, row: &CaseRow) -> Result<Option<ClockRow>, Fault> {
    let category = row.category_code.as_deref().unwrap_or_default();
    match step_of(row.state, &rules.pack, category) {
        Some(step) => from_pack(ctx, rules, row, LEAD.to_owned(), step, ctx.now, None),
        None => Ok(None),
    }
}

/// Copies what the queue shows from the running clock.
pub fn note_due(row: &mut CaseRow, clock: Option<&ClockRow>) {
    row.due_at = clock.filter(|_| row.state.is_open()).and_then(|c| c.due_at);
    row.due_step = clock.map(|c| c.step.clone());
    row.late = row.state.is_open() && clock.is_some_and(|c| c.late);
}

/// Starts the clock of a step for a party; none when the pack sets no limit.
pub fn start(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    row: &CaseRow,
    party: String,
    step: Step,
) -> Result<Option<ClockRow>, Fault> {
    let clock = from_pack(ctx, rules, row, party, step, ctx.now, None)?;
    if let Some(clock) = &clock {
        store::insert_clock(tx, clock, ctx.now)?;
    }
    Ok(clock)
}

/// The clock of a case that ran elsewhere, as if it had run here: from then to its end, or still running. What it would have warned of
/// before now counts as told: nobody is alarmed for what is past.
pub fn of_past(
    ctx: &Ctx,
    rules: &Rules,
    row: &CaseRow,
    step: Step,
    from: Timestamp,
    end: Option<Timestamp>,
) -> Result<Option<ClockRow>, Fault> {
    let Some(mut clock) = from_pack(ctx, rules, row, LEAD.to_owned(), step, from, end)? else {
        return Ok(None);
    };
    if clock.state == "running" {
        let past = rungs(rules, &clock).into_iter().take_while(|rung| rung.at <= ctx.now);
        clock.told = past.map(|rung| rung.name).collect::<Vec<_>>().join(" ");
        clock.next_at = next_moment(rules, &clock);
    }
    Ok(Some(clock))
}

/// A clock with the pack's limit for a step, not yet saved; none when the pack sets no limit.
fn from_pack(
    ctx: &Ctx,
    rules: &Rules,
    row: &CaseRow,
    party: String,
    step: Step,
    from: Timestamp,
    end: Option<Timestamp>,
) -> Result<Option<ClockRow>, Fault> {
    let category = row.category_code.as_deref().unwrap_or_default();
    let Some(rule) = rules.pack.limit(category, row.urgent, step) else {
        return Ok(None);
    };
    let mut log =
        ClockLog::start(from, rules.rule_ref(rule), rule.limit, rules.calendar.clone()).map_err(Fault::internal)?;
    if let Some(at) = end {
        log.push(Event::Stopped { at }).map_err(Fault::internal)?;
    }
    let mut clock = ClockRow {
        id: ctx.app.new_id(),
        case: row.id,
        party,
        step: step.key().to_owned(),
        urgent: row.urgent,
        log,
        due_at: None,
        warn_at: None,
        state: "running".to_owned(),
        late: false,
        next_at: None,
        told: String::new(),
    };
    refresh(ctx, rules, &mut clock, u32::from(rule.warn_percent) * 10)?;
    Ok(Some(clock))
}

/// Ends a clock: nothing more counts.
pub fn stop(ctx: &Ctx, tx: &mut Tx, rules: &Rules, clock: &mut ClockRow) -> Result<(), Fault> {
    push(ctx, tx, rules, clock, Event::Stopped { at: ctx.now })
}

/// An approved pause.
pub fn pause(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    clock: &mut ClockRow,
    approval: &str,
    reason: &str,
    until: Option<Timestamp>,
) -> Result<(), Fault> {
    let event = Event::Paused {
        at: ctx.now,
        approval: approval.to_owned(),
        reason: cut(reason),
        until,
    };
    push(ctx, tx, rules, clock, event)
}

/// Counting goes on, from now or from when the pause was over.
pub fn resume(ctx: &Ctx, tx: &mut Tx, rules: &Rules, clock: &mut ClockRow) -> Result<(), Fault> {
    let over = clock.log.paused_until().unwrap_or(ctx.now);
    push(ctx, tx, rules, clock, Event::Resumed { at: over.min(ctx.now) })
}

/// Name under which a moment set by a leader stands in a clock's log.
const SUPERVISED: &str = "supervised";
/// Name under which a moment agreed with a co-handler stands in a clock's log.
const CO_HANDLER: &str = "co_handler";
/// Name under which the time of a merge that was undone stands in a clock's log.
const MERGED: &str = "merged";

/// A limit that ends at a moment a person set, whatever the hours, when counting begins at `from`.
fn ends_at(from: Timestamp, end: Timestamp) -> Result<Limit, Fault> {
    let amount = Amount {
        unit: Unit::NaturalHour,
        parts: end.0 - from.0,
    };
    Limit::new(amount, Start::Immediately).map_err(Fault::internal)
}

fn set_by(name: &str) -> RuleRef {
    RuleRef {
        id: name.to_owned(),
        version: 0,
    }
}

/// A co-handler's clock: ends at the moment asked for, which is to come and not after the pack's own limit.
pub fn start_part(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    row: &CaseRow,
    party: String,
    until: Option<Timestamp>,
) -> Result<Option<ClockRow>, Fault> {
    let clock = start(ctx, tx, rules, row, party, Step::Handle)?;
    let (Some(until), Some(mut clock)) = (until, clock.clone()) else {
        return Ok(clock);
    };
    within(ctx, "limit", until, clock.due_at)?;
    let (rule, limit) = (set_by(CO_HANDLER), ends_at(ctx.now, until)?);
    clock.log = ClockLog::start(ctx.now, rule, limit, rules.calendar.clone()).map_err(Fault::internal)?;
    refresh(ctx, rules, &mut clock, WARN_DEFAULT)?;
    store::update_clock(tx, &clock)?;
    Ok(Some(clock))
}

/// A leader sets an earlier moment for the step that is running; what was used already counts.
pub fn set_due(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    clock: &mut ClockRow,
    due: Timestamp,
    by: &str,
) -> Result<(), Fault> {
    if clock.state != "running" {
        return Err(Fault::invalid("due", "clock_is_paused"));
    }
    within(ctx, "due", due, clock.due_at)?;
    let from = clock.log.events().first().map_or(ctx.now, Event::at);
    let event = Event::RuleMigrated {
        at: ctx.now,
        rule: set_by(SUPERVISED),
        limit: ends_at(from.plus_ms(clock.log.paused_ms(ctx.now)), due)?,
        calendar: rules.calendar.clone(),
        approval: cut(by),
    };
    clock.told.clear();
    push(ctx, tx, rules, clock, event)
}

/// A moment a person sets lies ahead, and not after the limit by the pack.
fn within(ctx: &Ctx, field: &'static str, moment: Timestamp, latest: Option<Timestamp>) -> Result<(), Fault> {
    if moment <= ctx.now {
        return Err(Fault::invalid(field, "moment_is_past"));
    }
    match latest.filter(|latest| moment > *latest) {
        Some(latest) => Err(Fault::invalid(field, "moment_after_limit")
            .with("latest", latest.civil().strftime("%Y-%m-%d %H:%M").to_string())),
        None => Ok(()),
    }
}

/// After a merge is undone a party's clock goes on where the merge stopped it: the time used before counts, the time between does not.
/// Gives whether it stands in a pause that goes on.
pub fn take_up(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    row: &CaseRow,
    party: &str,
    step: Step,
    from: &str,
) -> Result<bool, Fault> {
    let stopped = store::clocks_of(tx, row.id)?;
    // Steps passed in one go began in the same instant: the one that was stopped last.
    let of_step = |c: &ClockRow| c.party == party && c.is_stopped() && c.step == step.key();
    let last = stopped.into_iter().filter(of_step);
    let Some(old) = last.max_by_key(|c| c.log.events().last().map(Event::at)) else {
        return Ok(false);
    };
    let log = old.log.taken_up(ctx.now, MERGED.to_owned(), from.to_owned());
    let mut clock = ClockRow {
        id: ctx.app.new_id(),
        log: log.map_err(Fault::internal)?,
        ..old
    };
    refresh(ctx, rules, &mut clock, WARN_DEFAULT)?;
    store::insert_clock(tx, &clock, ctx.now)?;
    Ok(clock.state == "paused")
}

/// An approved extension of so many thousandths of the limit's unit, at most the pack's share of the limit.
pub fn extend(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    clock: &mut ClockRow,
    thousandths: u64,
    approval: &str,
) -> Result<(), Fault> {
    let state = clock::replay(&clock.log, &rules.calendars, ctx.now).map_err(Fault::internal)?;
    let by = Amount::thousandths(thousandths, state.total.unit);
    let event = Event::Extended {
        at: ctx.now,
        by,
        approval: approval.to_owned(),
    };
    push(ctx, tx, rules, clock, event)
}

/// An approved migration to the rule in force: counted anew from its start (see `domain::cases::clock`).
pub fn migrate(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    clock: &mut ClockRow,
    rule: &ClockRule,
    approval: &str,
) -> Result<(), Fault> {
    let event = Event::RuleMigrated {
        at: ctx.now,
        rule: rules.rule_ref(rule),
        limit: rule.limit,
        calendar: rules.calendar.clone(),
        approval: cut(approval),
    };
    push(ctx, tx, rules, clock, event)
}

fn cut(reason: &str) -> String {
    reason.chars().take(clock::MAX_TEXT).collect()
}

fn push(ctx: &Ctx, tx: &mut Tx, rules: &Rules, clock: &mut ClockRow, event: Event) -> Result<(), Fault> {
    clock
        .log
        .push(event)
        .map_err(|error| Fault::refused("clock_refused").because(error))?;
    // A moved limit has its warnings before it again.
    if matches!(
        clock.log.events().last(),
        Some(Event::Extended { .. } | Event::Resumed { .. } | Event::RuleMigrated { .. })
    ) {
        clock.told.clear();
    }
    refresh(ctx, rules, clock, WARN_DEFAULT)?;
    store::update_clock(tx, clock)
}

/// Share of the limit (thousandths) at which a warning comes when its rule is no longer in the pack.
const WARN_DEFAULT: u32 = 800;

/// Reads due moment, warning and next moment off the log.
fn refresh(ctx: &Ctx, rules: &Rules, clock: &mut ClockRow, warn: u32) -> Result<(), Fault> {
    let state = clock::replay(&clock.log, &rules.calendars, ctx.now).map_err(Fault::internal)?;
    clock.due_at = match state.due {
        Due::At(at) => Some(at),
        Due::WhenResumed | Due::Unknown(_) => None,
    };
    clock.warn_at = clock::warn_at(&clock.log, &rules.calendars, warn).ok().flatten();
    clock.late = state.is_late();
    clock.state = match state.phase {
        clock::Phase::Running => "running",
        clock::Phase::Paused { .. } => "paused",
        clock::Phase::Stopped { .. } => "stopped",
    }
    .to_owned();
    clock.next_at = match state.phase {
        clock::Phase::Running => next_moment(rules, clock),
        // A pause ends by itself: at the moment it was approved for, at the latest after the pack's days.
        clock::Phase::Paused { since } => {
            let latest = since.plus_ms(i64::from(rules.pack.thresholds.pause_days.value) * DAY_MS);
            Some(clock.log.paused_until().map_or(latest, |until| until.min(latest)))
        }
        clock::Phase::Stopped { .. } => None,
    };
    Ok(())
}

/// A rung of the ladder with its moment.
#[derive(Debug, Clone)]
pub struct Told {
    pub at: Timestamp,
    pub name: String,
}

/// The rungs not told yet, in order. Only the lead's clocks climb; a co-handler's is warned and marked late.
pub fn rungs(rules: &Rules, clock: &ClockRow) -> Vec<Told> {
    let mut steps: Vec<clock::Step> = Vec::new();
    // A ladder that warns by share already has the warning; a co-handler's clock has no ladder.
    let ladder = if clock.party == LEAD {
        rules.pack.ladder.as_slice()
    } else {
        &[]
    };
    if !ladder.iter().any(|rung| matches!(rung.when, When::Used(_))) {
        let share = u32::from(rules.warn_percent(clock)) * 10;
        steps.push(clock::Step {
            name: WARN.into(),
            when: When::Used(share),
            urgent: clock.urgent,
        });
    }
    steps.extend(ladder.iter().map(|rung| clock::Step {
        name: rung.key.clone(),
        when: rung.when,
        urgent: clock.urgent,
    }));
    let duty = rules.duty_time();
    let deliveries = clock::ladder(&clock.log, &rules.calendars, &steps, |_| -> Duty<'_> { duty });
    let Ok(deliveries) = deliveries else {
        return due_only(clock);
    };
    let mut told: Vec<Told> = deliveries
        .into_iter()
        .map(|d| Told {
            at: d.at,
            name: d.step.name.clone(),
        })
        .chain(due_only(clock))
        .collect();
    told.retain(|t| !clock.told.split(' ').any(|name| name == t.name));
    told.sort_by_key(|t| t.at);
    told
}

/// The moment the limit passes: marked late to the minute, whoever is on duty.
fn due_only(clock: &ClockRow) -> Vec<Told> {
    let due = clock.due_at.filter(|_| !clock.told.split(' ').any(|name| name == DUE));
    due.map(|at| Told {
        at: at.plus_ms(1),
        name: DUE.into(),
    })
    .into_iter()
    .collect()
}

fn next_moment(rules: &Rules, clock: &ClockRow) -> Option<Timestamp> {
    rungs(rules, clock).first().map(|t| t.at)
}

/// Marks rungs as told and sets the next moment.
pub fn mark_told(tx: &mut Tx, rules: &Rules, clock: &mut ClockRow, names: &[String], late: bool) -> Result<(), Fault> {
    for name in names {
        clock.told = format!("{} {name}", clock.told).trim().to_owned();
    }
    clock.late = late;
    clock.next_at = next_moment(rules, clock);
    store::update_clock(tx, clock)
}

/// The clock of a party that has not stopped.
pub fn running(tx: &mut Tx, case: CaseId, party: &str) -> Result<Option<ClockRow>, Fault> {
    Ok(store::clocks_of(tx, case)?
        .into_iter()
        .find(|c| c.party == party && !c.is_stopped()))
}

/// Looks at a clock again at a moment, whatever else.
pub fn look_again(tx: &mut Tx, clock: &mut ClockRow, at: Timestamp) -> Result<(), Fault> {
    clock.next_at = Some(at);
    store::update_clock(tx, clock)
}

/// The stored form of [`Event`].
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EventDoc {
    Started {
        at: i64,
        rule: String,
        version: u32,
        unit: String,
        parts: i64,
        next_day: bool,
        calendar: String,
        calendar_version: u32,
    },
    Paused {
        at: i64,
        approval: String,
        reason: String,
        #[serde(default)]
        until: Option<i64>,
    },
    Resumed {
        at: i64,
    },
    Extended {
        at: i64,
        unit: String,
        parts: i64,
        approval: String,
    },
    Migrated {
        at: i64,
        rule: String,
        version: u32,
        unit: String,
        parts: i64,
        next_day: bool,
        calendar: String,
        calendar_version: u32,
        approval: String,
    },
    Stopped {
        at: i64,
    },
}

const UNITS: [(Unit, &str); 4] = [
    (Unit::WorkingDay, "working_day"),
    (Unit::WorkingHour, "working_hour"),
    (Unit::NaturalDay, "natural_day"),
    (Unit::NaturalHour, "natural_hour"),
];

fn unit_key(unit: Unit) -> String {
    UNITS
        .iter()
        .find(|(u, _)| *u == unit)
        .map(|(_, key)| (*key).to_owned())
        .unwrap_or_default()
}

fn unit_of(key: &str) -> Result<Unit, Fault> {
    UNITS
        .iter()
        .find(|(_, k)| *k == key)
        .map(|(u, _)| *u)
        .ok_or_else(|| Fault::internal(format!("unknown unit {key}")))
}

pub(super) fn write_log(log: &ClockLog) -> String {
    let docs: Vec<EventDoc> = log.events().iter().map(doc_of).collect();
    serde_json::to_string(&docs).expect("plain values always serialise")
}

fn doc_of(event: &Event) -> EventDoc {
    match event.clone() {
        Event::Started {
            at,
            rule,
            limit,
            calendar,
        } => EventDoc::Started {
            at: at.0,
            rule: rule.id,
            version: rule.version,
            unit: unit_key(limit.amount().unit),
            parts: limit.amount().parts,
            next_day: limit.start() == Start::NextWorkingDay,
            calendar: calendar.id,
            calendar_version: calendar.version,
        },
        Event::Paused {
            at,
            approval,
            reason,
            until,
        } => EventDoc::Paused {
            at: at.0,
            approval,
            reason,
            until: until.map(|at| at.0),
        },
        Event::Resumed { at } => EventDoc::Resumed { at: at.0 },
        Event::Extended { at, by, approval } => EventDoc::Extended {
            at: at.0,
            unit: unit_key(by.unit),
            parts: by.parts,
            approval,
        },
        Event::RuleMigrated {
            at,
            rule,
            limit,
            calendar,
            approval,
        } => EventDoc::Migrated {
            at: at.0,
            rule: rule.id,
            version: rule.version,
            unit: unit_key(limit.amount().unit),
            parts: limit.amount().parts,
            next_day: limit.start() == Start::NextWorkingDay,
            calendar: calendar.id,
            calendar_version: calendar.version,
            approval,
        },
        Event::Stopped { at } => EventDoc::Stopped { at: at.0 },
    }
}

pub(super) fn read_log(text: &str) -> Result<ClockLog, Fault> {
    let docs: Vec<EventDoc> = serde_json::from_str(text).map_err(Fault::internal)?;
    let events = docs.into_iter().map(event_of).collect::<Result<Vec<_>, _>>()?;
    ClockLog::from_events(events).map_err(Fault::internal)
}

fn limit_of(unit: &str, parts: i64, next_day: bool) -> Result<Limit, Fault> {
    let start = if next_day {
        Start::NextWorkingDay
    } else {
        Start::Immediately
    };
    Limit::new(
        Amount {
            unit: unit_of(unit)?,
            parts,
        },
        start,
    )
    .map_err(Fault::internal)
}

fn event_of(doc: EventDoc) -> Result<Event, Fault> {
    Ok(match doc {
        EventDoc::Started {
            at,
            rule,
            version,
            unit,
            parts,
            next_day,
            calendar,
            calendar_version,
        } => Event::Started {
            at: Timestamp(at),
            rule: RuleRef { id: rule, version },
            limit: limit_of(&unit, parts, next_day)?,
            calendar: CalendarRef {
                id: calendar,
                version: calendar_version,
            },
        },
        EventDoc::Paused {
            at,
            approval,
            reason,
            until,
        } => Event::Paused {
            at: Timestamp(at),
            approval,
            reason,
            until: until.map(Timestamp),
        },
        EventDoc::Resumed { at } => Event::Resumed { at: Timestamp(at) },
        EventDoc::Extended {
            at,
            unit,
            parts,
            approval,
        } => Event::Extended {
            at: Timestamp(at),
            by: Amount {
                unit: unit_of(&unit)?,
                parts,
            },
            approval,
        },
        EventDoc::Migrated {
            at,
            rule,
            version,
            unit,
            parts,
            next_day,
            calendar,
            calendar_version,
            approval,
        } => Event::RuleMigrated {
            at: Timestamp(at),
            rule: RuleRef { id: rule, version },
            limit: limit_of(&unit, parts, next_day)?,
            calendar: CalendarRef {
                id: calendar,
                version: calendar_version,
            },
            approval,
        },
        EventDoc::Stopped { at } => Event::Stopped { at: Timestamp(at) },
    })
}

/// The explanation as sentences, for the resident: who approved something is not theirs to read.
pub fn explain_text(ctx: &Ctx, rules: &Rules, clock: &ClockRow) -> Result<Vec<String>, Fault> {
    let somebody = |_: &str| i18n::sentence(ctx.lang, "clock_approver", &[]);
    Ok(clock::explain_text(
        &lines_in_words(ctx, rules, clock, &somebody)?,
        lang_of(ctx),
    ))
}

/// The lines of an explanation, with words in the place of what the log only refers to: the rule and who approved.
fn lines_in_words(
    ctx: &Ctx,
    rules: &Rules,
    clock: &ClockRow,
    approver: &dyn Fn(&str) -> String,
) -> Result<Vec<clock::ExplainLine>, Fault> {
    let mut lines = clock::explain(&clock.log, &rules.calendars, ctx.now)
        .map_err(|error| Fault::refused("clock_not_explained").because(error))?;
    for line in &mut lines {
        match &mut line.what {
            clock::What::Started { rule, .. } => rule.id = words::clock_rule(ctx.lang, rules, &rule.id),
            clock::What::Migrated { rule, approval, .. } => {
                rule.id = words::clock_rule(ctx.lang, rules, &rule.id);
                *approval = approver(approval);
            }
            clock::What::Extended { approval, .. } => *approval = approver(approval),
            clock::What::Idle(clock::NotCounted::Paused { approval, .. }) if approval == MERGED => {
                *approval = i18n::sentence(ctx.lang, "clock_merged", &[]);
            }
            clock::What::Idle(clock::NotCounted::Paused { approval, .. }) => *approval = approver(approval),
            _ => {}
        }
    }
    Ok(lines)
}

fn lang_of(ctx: &Ctx) -> clock::Lang {
    if ctx.lang == Lang::En {
        clock::Lang::En
    } else {
        clock::Lang::Zh
    }
}

/// One interval of an explanation.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ExplainLineView {
    pub from: String,
    pub to: String,
    pub counted: bool,
    pub reason: String,
    pub text: String,
    pub total_text: String,
}

/// Why a clock is due when it is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    pub lines: Vec<ExplainLineView>,
    pub due_at: Option<String>,
    pub text: Vec<String>,
}

/// The explanation, line by line, with the names of those who approved.
pub fn explain(ctx: &Ctx, rules: &Rules, clock: &ClockRow, requests: &[RequestRow]) -> Result<Explanation, Fault> {
    let approver = |approval: &str| {
        let request = requests.iter().find(|request| request.id.to_string() == approval);
        request.map_or_else(
            || approval.to_owned(),
            |request| request.decided_name.clone().unwrap_or_default(),
        )
    };
    let lines = lines_in_words(ctx, rules, clock, &approver)?;
    let text = clock::explain_text(&lines, lang_of(ctx));
    let views = lines.iter().zip(&text).map(|(line, text)| ExplainLineView {
        from: line.from.to_string(),
        to: line.to.to_string(),
        counted: matches!(line.what, clock::What::Counted(_)),
        reason: reason_key(&line.what).to_owned(),
        text: text.clone(),
        total_text: clock::amount_text(line.sum, lang_of(ctx)),
    });
    Ok(Explanation {
        lines: views.collect(),
        due_at: clock.due_at.map(|at| at.to_string()),
        text: text.clone(),
    })
}

fn reason_key(what: &clock::What) -> &'static str {
    use clock::{CountedDay, NotCounted, What};
    match what {
        What::Started { .. } => "started",
        What::Counted(CountedDay::Ordinary) => "working_day",
        What::Counted(CountedDay::MakeUp(_)) => "make_up_day",
        What::Counted(CountedDay::Special(_)) => "special_day",
        What::Counted(CountedDay::AllHours) => "all_hours",
        What::Idle(NotCounted::StartDay) => "start_day",
        What::Idle(NotCounted::OutsideHours) => "outside_hours",
        What::Idle(NotCounted::Weekend) => "weekend",
        What::Idle(NotCounted::Holiday(_)) => "holiday",
        What::Idle(NotCounted::Paused { .. }) => "paused",
        What::Extended { .. } => "extended",
        What::Migrated { .. } => "migrated",
        What::Conclusion(_) => "conclusion",
    }
}
