//! Clocks 时限: how long something may take, as a log of events that can be replayed and explained at any time.
//!
//! Entry points: [`ClockLog`] holds the events and refuses impossible ones; [`replay`] gives the state at a moment,
//! [`due`] and [`warn_at`] the moments to set timers for, [`explain`] each interval that counted or did not and why,
//! [`ladder`] the warnings and escalations in the recipients' duty time.
//!
//! Rules of counting:
//! - What has been used is never stored, always recounted from the log: pausing, extending and changing rules cannot
//!   forget time.
//! - Nothing changes a running clock but its own log. The log names the rule's and the calendar's version; a newer rule
//!   or calendar reaches a clock only by [`Event::RuleMigrated`]. The one exception is stated at
//!   [`crate::calendar::Calendars`]: days that the named calendar version does not know at all come from the newest
//!   version that does.
//! - A migration recounts the clock from its start under the new limit and calendar, with its pauses. The new limit
//!   replaces the old one together with extensions granted so far: to keep them, the approved new limit includes them.
//!   Replaying a log with and without the event is the preview.
//! - An extension is in the unit of the limit in force.
//!
//! Requirement: clauses ZS-07, LH-22, ZS-17 (limits, and escalation before they pass). This module must not know cases,
//! storage or the present time.

mod explain;
mod ladder;
pub mod migrate;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use explain::{CountedDay, ExplainLine, Lang, NotCounted, What, amount_text, explain, explain_text};
pub use ladder::{Delivery, Step, When, ladder};

use crate::calendar::{Amount, Calendar, CalendarError, CalendarRef, Calendars, Unit};
use crate::time::Timestamp;

/// Most events in one clock's log.
pub const MAX_EVENTS: usize = 1_000;
/// Largest limit: ten years of days, or as many hours.
pub const MAX_LIMIT_DAYS: i64 = 3_660;
/// Longest approval reference, reason or rule id, in characters.
pub const MAX_TEXT: usize = 500;

/// From when a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// From the moment of the start.
    Immediately,
    /// 次日起算: from 00:00 of the first day after the start's day that has working time. In working units that is its
    /// opening.
    NextWorkingDay,
}

/// How much may be used, and from when it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    amount: Amount,
    start: Start,
}

impl Limit {
    /// A limit of more than nothing and at most [`MAX_LIMIT_DAYS`].
    pub fn new(amount: Amount, start: Start) -> Result<Self, Refusal> {
        if amount.parts <= 0 || amount.parts > most(amount.unit) {
            return Err(Refusal::LimitOutOfRange);
        }
        Ok(Self { amount, start })
    }

    pub fn amount(&self) -> Amount {
        self.amount
    }

    pub fn start(&self) -> Start {
        self.start
    }
}

fn most(unit: Unit) -> i64 {
    let hours = if matches!(unit, Unit::WorkingHour | Unit::NaturalHour) {
        24
    } else {
        1
    };
    MAX_LIMIT_DAYS * hours * unit.one()
}

/// Names one version of a rule of the pack. Version 0: no rule of the pack but a moment that a person set, under the name given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleRef {
    pub id: String,
    pub version: u32,
}

/// What happens to a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Started {
        at: Timestamp,
        rule: RuleRef,
        limit: Limit,
        calendar: CalendarRef,
    },
    /// Counting stops until resumed; `approval` refers to who allowed it. `until` says for how long that was: whoever keeps the clock
    /// resumes it then.
    Paused {
        at: Timestamp,
        approval: String,
        reason: String,
        until: Option<Timestamp>,
    },
    Resumed {
        at: Timestamp,
    },
    /// More time, in the unit of the limit in force. It may be granted after the limit has passed.
    Extended {
        at: Timestamp,
        by: Amount,
        approval: String,
    },
    /// From its start on the clock counts under another rule.
    RuleMigrated {
        at: Timestamp,
        rule: RuleRef,
        limit: Limit,
        calendar: CalendarRef,
        approval: String,
    },
    /// The work is done (or taken away): nothing more counts and nothing more can happen.
    Stopped {
        at: Timestamp,
    },
}

impl Event {
    pub fn at(&self) -> Timestamp {
        match self {
            Event::Started { at, .. }
            | Event::Paused { at, .. }
            | Event::Resumed { at }
            | Event::Extended { at, .. }
            | Event::RuleMigrated { at, .. }
            | Event::Stopped { at } => *at,
        }
    }
}

/// An event that cannot follow the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a clock's first event must be its start")]
    NotStarted,
    #[error("the clock has already started")]
    AlreadyStarted,
    #[error("the clock is already paused")]
    AlreadyPaused,
    #[error("the clock is not paused")]
    NotPaused,
    #[error("the clock has stopped")]
    AlreadyStopped,
    #[error("the clock has not stopped")]
    NotStopped,
    #[error("the event ({at}) is earlier than the one before it ({last})")]
    OutOfOrder { at: Timestamp, last: Timestamp },
    #[error("the extension is counted in another unit than the limit")]
    OtherUnit,
    #[error("a limit or extension must be more than nothing and at most ten years")]
    LimitOutOfRange,
    #[error("an approval, reason or rule name is missing or longer than {MAX_TEXT} characters")]
    BadText,
    #[error("a clock can have at most {MAX_EVENTS} events")]
    TooManyEvents,
}

/// The events of one clock: begins with its start, in time order, each possible after those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockLog {
    events: Vec<Event>,
}

impl ClockLog {
    /// A running clock.
    pub fn start(at: Timestamp, rule: RuleRef, limit: Limit, calendar: CalendarRef) -> Result<Self, Refusal> {
        Self::from_events([Event::Started {
            at,
            rule,
            limit,
            calendar,
        }])
    }

    /// A stored log, checked again.
    pub fn from_events(events: impl IntoIterator<Item = Event>) -> Result<Self, Refusal> {
        let mut log = Self { events: Vec::new() };
        events.into_iter().try_for_each(|event| log.push(event))?;
        if log.events.is_empty() {
            Err(Refusal::NotStarted)
        } else {
            Ok(log)
        }
    }

    /// The clock of work that was stopped and is taken up again at `at`, as if it had been paused in between: what was used before counts
    /// on. A clock that has not stopped is refused.
    pub fn taken_up(&self, at: Timestamp, approval: String, reason: String) -> Result<Self, Refusal> {
        let Some((Event::Stopped { at: stopped }, before)) = self.events.split_last() else {
            return Err(Refusal::NotStopped);
        };
        let mut log = Self::from_events(before.to_vec())?;
        let paused = log.going_pause();
        if let Some((_, _, until)) = &paused {
            let over = until.map_or(*stopped, |until| until.min(*stopped));
            let last = log.events.last().map_or(over, Event::at);
            log.push(Event::Resumed { at: over.max(last) })?;
        }
        log.push(Event::Paused {
            at: *stopped,
            approval,
            reason,
            until: None,
        })?;
        log.push(Event::Resumed { at })?;
        // A pause that was approved for longer goes on.
        if let Some((approval, reason, until)) = paused.filter(|(_, _, until)| until.is_none_or(|until| until > at)) {
            log.push(Event::Paused {
                at,
                approval,
                reason,
                until,
            })?;
        }
        Ok(log)
    }

    /// Approval, reason and end of the pause that is going on.
    fn going_pause(&self) -> Option<(String, String, Option<Timestamp>)> {
        match Terms::of(&self.events).pauses.last() {
            Some(pause) if pause.to.is_none() => {
                Some((pause.approval.to_owned(), pause.reason.to_owned(), pause.until))
            }
            _ => None,
        }
    }

    /// Until when the pause that is going on was approved.
    pub fn paused_until(&self) -> Option<Timestamp> {
        match Terms::of(&self.events).pauses.last() {
            Some(Pause { to: None, until, .. }) => *until,
            _ => None,
        }
    }

    /// How long the clock has been paused up to `now`, in milliseconds.
    pub fn paused_ms(&self, now: Timestamp) -> i64 {
        let pauses = Terms::of(&self.events).pauses;
        pauses
            .iter()
            .map(|pause| pause.to.unwrap_or(now).0 - pause.from.0)
            .sum()
    }

    /// The limit in force, without its extensions.
    pub fn limit(&self) -> Limit {
        Terms::of(&self.events).limit
    }

    /// Appends an event, or refuses and leaves the log as it was.
    pub fn push(&mut self, event: Event) -> Result<(), Refusal> {
        self.check(&event)?;
        self.events.push(event);
        Ok(())
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn check(&self, event: &Event) -> Result<(), Refusal> {
        if self.events.len() >= MAX_EVENTS {
            return Err(Refusal::TooManyEvents);
        }
        check_texts(event)?;
        let Some(last) = self.events.last() else {
            return if matches!(event, Event::Started { .. }) {
                Ok(())
            } else {
                Err(Refusal::NotStarted)
            };
        };
        if matches!(last, Event::Stopped { .. }) {
            return Err(Refusal::AlreadyStopped);
        }
        if event.at() < last.at() {
            return Err(Refusal::OutOfOrder {
                at: event.at(),
                last: last.at(),
            });
        }
        match event {
            Event::Started { .. } => Err(Refusal::AlreadyStarted),
            Event::Paused { .. } if self.is_paused() => Err(Refusal::AlreadyPaused),
            Event::Resumed { .. } if !self.is_paused() => Err(Refusal::NotPaused),
            Event::Extended { by, .. } => self.check_extension(*by),
            _ => Ok(()),
        }
    }

    fn check_extension(&self, by: Amount) -> Result<(), Refusal> {
        let total = Terms::of(&self.events).total();
        if by.unit != total.unit {
            return Err(Refusal::OtherUnit);
        }
        if by.parts <= 0 || total.parts.saturating_add(by.parts) > most(by.unit) {
            return Err(Refusal::LimitOutOfRange);
        }
        Ok(())
    }

    fn is_paused(&self) -> bool {
        let last = self
            .events
            .iter()
            .rev()
            .find(|e| matches!(e, Event::Paused { .. } | Event::Resumed { .. }));
        matches!(last, Some(Event::Paused { .. }))
    }
}

fn check_texts(event: &Event) -> Result<(), Refusal> {
    let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= MAX_TEXT;
    let good = match event {
        Event::Started { rule, .. } => fits(&rule.id),
        Event::Paused { approval, reason, .. } => fits(approval) && fits(reason),
        Event::Extended { approval, .. } => fits(approval),
        Event::RuleMigrated { rule, approval, .. } => fits(&rule.id) && fits(approval),
        Event::Resumed { .. } | Event::Stopped { .. } => true,
    };
    if good { Ok(()) } else { Err(Refusal::BadText) }
}

/// Whether a clock is counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    Paused { since: Timestamp },
    Stopped { at: Timestamp },
}

/// When a limit is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    At(Timestamp),
    /// Paused with time left: it depends on when counting goes on.
    WhenResumed,
    /// It lies beyond what the calendar knows.
    Unknown(CalendarError),
}

/// A clock at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockState {
    /// The moment this describes: the one asked for.
    pub now: Timestamp,
    pub phase: Phase,
    pub due: Due,
    /// The limit in force with its extensions.
    pub total: Amount,
    /// Up to when `used` counts: `now` or the stop, but no further than the calendar knows.
    pub counted_to: Timestamp,
    /// Counted so far, up to `counted_to`; more than `total` when late.
    pub used: Amount,
    /// What is left of `total`; zero when late.
    pub remaining: Amount,
    /// What was counted past `total`, in the clock's unit: nights and weekends do not make it grow.
    pub over: Amount,
    /// Plain milliseconds from the due moment to `now` or the stop; zero when not late.
    pub late_ms: i64,
}

impl ClockState {
    /// Whether the limit has passed (at `now`, or when the clock stopped). Ending exactly at the due moment is in time.
    pub fn is_late(&self) -> bool {
        self.late_ms > 0
    }
}

/// A clock cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    #[error("calendar {} version {} is not there", .0.id, .0.version)]
    NoCalendar(CalendarRef),
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

/// The state at `now`, from the events up to `now`: asking about the past gives what could be known then.
pub fn replay(log: &ClockLog, calendars: &Calendars, now: Timestamp) -> Result<ClockState, ClockError> {
    let terms = Terms::of(up_to(log, now));
    let calendar = terms.calendar(calendars)?;
    let total = terms.total();
    let due = terms.due(calendar);
    let end = terms.stopped.map_or(now, |at| at.min(now));
    let used = terms.used(calendar, end);
    let late_ms = if let Due::At(at) = due {
        (end.0 - at.0).max(0)
    } else {
        0
    };
    let amount = |parts: i64| Amount {
        unit: total.unit,
        parts,
    };
    Ok(ClockState {
        now,
        phase: terms.phase(),
        due,
        total,
        counted_to: calendar.clip(total.unit, end),
        used: amount(used),
        remaining: amount((total.parts - used).max(0)),
        over: amount((used - total.parts).max(0)),
        late_ms,
    })
}

/// When the whole log's limit is used up. A stopped clock keeps the due moment it had.
pub fn due(log: &ClockLog, calendars: &Calendars) -> Result<Due, ClockError> {
    let terms = Terms::of(&log.events);
    Ok(terms.due(terms.calendar(calendars)?))
}

/// When `thousandths` of the limit are used (800 for four fifths); `None` while a pause leaves that open.
pub fn warn_at(log: &ClockLog, calendars: &Calendars, thousandths: u32) -> Result<Option<Timestamp>, ClockError> {
    let terms = Terms::of(&log.events);
    let share = i128::from(terms.total().parts) * i128::from(thousandths) / 1_000;
    Ok(terms.reached(terms.calendar(calendars)?, share as i64)?)
}

/// The events known at `now`; the start is always known.
fn up_to(log: &ClockLog, now: Timestamp) -> &[Event] {
    let known = log.events.iter().take_while(|event| event.at() <= now).count();
    &log.events[..known.max(1)]
}

struct Pause<'a> {
    from: Timestamp,
    /// Open while paused.
    to: Option<Timestamp>,
    approval: &'a str,
    reason: &'a str,
    until: Option<Timestamp>,
}

/// What a log comes down to: the terms in force and the times when counting was off.
struct Terms<'a> {
    started: Timestamp,
    limit: Limit,
    calendar: &'a CalendarRef,
    extended: i64,
    pauses: Vec<Pause<'a>>,
    stopped: Option<Timestamp>,
}

impl<'a> Terms<'a> {
    fn of(events: &'a [Event]) -> Self {
        let Some(Event::Started {
            at, limit, calendar, ..
        }) = events.first()
        else {
            unreachable!("a log begins with its start")
        };
        let mut terms = Self {
            started: *at,
            limit: *limit,
            calendar,
            extended: 0,
            pauses: Vec::new(),
            stopped: None,
        };
        for event in &events[1..] {
            match event {
                Event::Started { .. } => unreachable!("a log has one start"),
                Event::Paused {
                    at,
                    approval,
                    reason,
                    until,
                } => {
                    terms.pauses.push(Pause {
                        from: *at,
                        to: None,
                        approval,
                        reason,
                        until: *until,
                    });
                }
                Event::Resumed { at } => {
                    terms.pauses.last_mut().expect("resumed only when paused").to = Some(*at);
                }
                Event::Extended { by, .. } => terms.extended += by.parts,
                Event::RuleMigrated { limit, calendar, .. } => {
                    terms.limit = *limit;
                    terms.calendar = calendar;
                    terms.extended = 0;
                }
                Event::Stopped { at } => terms.stopped = Some(*at),
            }
        }
        terms
    }

    fn calendar<'c>(&self, calendars: &'c Calendars) -> Result<&'c Calendar, ClockError> {
        calendars
            .get(self.calendar)
            .ok_or_else(|| ClockError::NoCalendar(self.calendar.clone()))
    }

    fn unit(&self) -> Unit {
        self.limit.amount.unit
    }

    fn total(&self) -> Amount {
        Amount {
            unit: self.unit(),
            parts: self.limit.amount.parts + self.extended,
        }
    }

    fn phase(&self) -> Phase {
        match (self.stopped, self.pauses.last()) {
            (Some(at), _) => Phase::Stopped { at },
            (None, Some(Pause { from, to: None, .. })) => Phase::Paused { since: *from },
            _ => Phase::Running,
        }
    }

    /// From when time counts.
    fn begin(&self, calendar: &Calendar) -> Result<Timestamp, CalendarError> {
        match self.limit.start {
            Start::Immediately => Ok(self.started),
            Start::NextWorkingDay => calendar.next_working_day(self.started),
        }
    }

    /// The stretches from `begin` on outside pauses, in order; the last one is open unless the clock is paused.
    fn running(&self, begin: Timestamp) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> + '_ {
        let starts = std::iter::once(Some(begin)).chain(self.pauses.iter().map(|pause| pause.to));
        let ends = self
            .pauses
            .iter()
            .map(|pause| Some(pause.from))
            .chain(std::iter::once(None));
        starts.zip(ends).filter_map(move |(from, to)| {
            let from = from?.max(begin);
            to.is_none_or(|to| from < to).then_some((from, to))
        })
    }

    /// When `parts` have been counted; `None` while a pause leaves that open.
    fn reached(&self, calendar: &Calendar, parts: i64) -> Result<Option<Timestamp>, CalendarError> {
        let unit = self.unit();
        // A stretch of working days may lose up to one part to rounding. Given back, so that a limit can never miss
        // closing time by a part and end on the next day; a part is far below a millisecond.
        let rounding = i64::from(unit == Unit::WorkingDay);
        let mut need = parts;
        for (from, to) in self.running(self.begin(calendar)?) {
            if need <= 0 {
                return Ok(Some(from));
            }
            let position = calendar.position(unit, from)?;
            let Some(to) = to else {
                return calendar.at_position(unit, position.saturating_add(need)).map(Some);
            };
            let counted = calendar.position(unit, to)? - position;
            if counted + rounding >= need {
                return calendar.at_position(unit, position + need.min(counted)).map(Some);
            }
            need -= counted + rounding;
        }
        Ok(None)
    }

    fn due(&self, calendar: &Calendar) -> Due {
        match self.reached(calendar, self.total().parts) {
            Ok(Some(at)) => Due::At(at),
            Ok(None) => Due::WhenResumed,
            Err(unknown) => Due::Unknown(unknown),
        }
    }

    /// Parts counted up to `end`, as far as the calendar knows: a year that is not imported must not stop the work.
    fn used(&self, calendar: &Calendar, end: Timestamp) -> i64 {
        let Ok(begin) = self.begin(calendar) else { return 0 };
        let unit = self.unit();
        let position = |at| {
            calendar
                .position(unit, calendar.clip(unit, at))
                .expect("clipped to what the calendar knows")
        };
        let stretches = self
            .running(begin)
            .map(|(from, to)| (from, to.map_or(end, |to| to.min(end))));
        stretches
            .filter(|(from, to)| from < to)
            .map(|(from, to)| position(to) - position(from))
            .sum()
    }
}
