//! Warnings before a limit passes and escalations after, each when its recipient is on duty.
//!
//! Entry point: [`ladder`]. It gives moments, not messages, and must not know who the recipients are beyond their duty
//! times.

use super::{ClockError, ClockLog, Due, Terms};
use crate::calendar::{Amount, CalendarError, Calendars, Duty};
use crate::time::Timestamp;

/// When a step is meant to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When so many thousandths of the limit are used.
    Used(u32),
    /// So much before the limit passes, counted in the amount's unit on the clock's calendar; a pause in between is not
    /// left out.
    Before(Amount),
    /// So much after the limit has passed; zero means at that moment.
    After(Amount),
}

/// One rung of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    pub when: When,
    /// Not moved into duty time: it goes at once to whoever is on shift.
    pub urgent: bool,
}

/// A step at its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'s> {
    /// When to deliver.
    pub at: Timestamp,
    /// When it would be delivered if the recipient were always on duty.
    pub planned: Timestamp,
    pub step: &'s Step,
}

/// The steps in order of delivery. Left out are those whose moment is not known: while a pause leaves the due moment
/// open, or where the calendar's years end. They appear when the clock resumes or the year is imported.
///
/// A step that is not urgent waits for its recipient's next duty time. A warning that would so come only when the limit
/// has passed is brought forward instead, to the beginning of the recipient's last duty before it (clause ZS-17: before
/// the deadline, not after), but never to before the clock's start. Where the recipient's duty is not known, the step
/// comes when planned: better at an odd hour than never.
pub fn ladder<'s, 'd>(
    log: &ClockLog,
    calendars: &Calendars,
    steps: &'s [Step],
    duty_of: impl Fn(&Step) -> Duty<'d>,
) -> Result<Vec<Delivery<'s>>, ClockError> {
    let terms = Terms::of(&log.events);
    let calendar = terms.calendar(calendars)?;
    let due = if let Due::At(at) = terms.due(calendar) {
        Some(at)
    } else {
        None
    };
    let planned = |step: &Step| match step.when {
        When::Used(thousandths) => super::warn_at(log, calendars, thousandths).ok()?,
        When::Before(amount) => Some(calendar.add(due?, amount.back()).ok()?.max(terms.started)),
        When::After(amount) => calendar.add(due?, amount).ok(),
    };
    let mut deliveries = Vec::with_capacity(steps.len());
    for step in steps {
        let Some(planned) = planned(step) else { continue };
        let waits = || in_duty(planned, due, terms.started, duty_of(step)).unwrap_or(planned);
        let at = if step.urgent { planned } else { waits() };
        deliveries.push(Delivery { at, planned, step });
    }
    deliveries.sort_by_key(|delivery| (delivery.at, delivery.planned));
    Ok(deliveries)
}

fn in_duty(
    planned: Timestamp,
    due: Option<Timestamp>,
    started: Timestamp,
    duty: Duty<'_>,
) -> Result<Timestamp, CalendarError> {
    let next = duty.next(planned)?;
    if due.is_some_and(|due| planned < due && next >= due) {
        let last = duty.last_start(planned)?;
        if last >= started {
            return Ok(last);
        }
    }
    Ok(next)
}
