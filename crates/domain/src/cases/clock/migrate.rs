//! Moving a running clock to another rule: what would become of it, before anything is changed; and who may approve that.
//!
//! Entry points: [`moved`] (the preview of one clock), [`may_decide`]. Changing a rule never changes a running clock; only an approved
//! [`Event::RuleMigrated`] does, and this is what the approver is shown.

use super::{CalendarRef, ClockError, ClockLog, Due, Event, Limit, Phase, RuleRef, Terms, due};
use crate::calendar::Calendars;
use crate::cases::Doer;
use crate::time::Timestamp;

/// A clock before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The limit in force now.
    pub old_limit: Limit,
    /// When it is due now; `None` while paused or beyond what the calendar knows.
    pub old_due: Option<Timestamp>,
    /// When it would be due.
    pub new_due: Option<Timestamp>,
    /// The limit has passed now.
    pub was_late: bool,
    /// The limit would have passed.
    pub would_be_late: bool,
}

/// What would become of a clock at `now` under another rule; `None` for a clock that stopped or that the rule does not change.
pub fn moved(
    log: &ClockLog,
    calendars: &Calendars,
    now: Timestamp,
    rule: &RuleRef,
    limit: Limit,
    calendar: &CalendarRef,
) -> Result<Option<Moved>, ClockError> {
    let terms = Terms::of(log.events());
    if matches!(terms.phase(), Phase::Stopped { .. }) {
        return Ok(None);
    }
    let mut after = log.clone();
    let event = Event::RuleMigrated {
        at: now,
        rule: rule.clone(),
        limit,
        calendar: calendar.clone(),
        approval: "preview".to_owned(),
    };
    // A log that can take no more events cannot be migrated either: it is left as it is.
    if after.push(event).is_err() {
        return Ok(None);
    }
    let (old_due, new_due) = (moment(due(log, calendars)?), moment(due(&after, calendars)?));
    if terms.limit == limit && old_due == new_due {
        return Ok(None);
    }
    let late = |due: Option<Timestamp>| due.is_some_and(|at| at < now);
    Ok(Some(Moved {
        old_limit: terms.limit,
        old_due,
        new_due,
        was_late: late(old_due),
        would_be_late: late(new_due),
    }))
}

fn moment(due: Due) -> Option<Timestamp> {
    match due {
        Due::At(at) => Some(at),
        Due::WhenResumed | Due::Unknown(_) => None,
    }
}

/// Why a migration is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecideRefusal {
    /// It was decided, or its preview was found out of date, before.
    #[error("migration_decided")]
    Decided,
    /// Approval is by someone other than the proposer.
    #[error("own_migration")]
    Own,
    /// The clocks are no longer those of the preview: it must be made again.
    #[error("preview_stale")]
    Stale,
}

impl DecideRefusal {
    /// The stable code of this refusal.
    pub fn code(self) -> &'static str {
        match self {
            DecideRefusal::Decided => "migration_decided",
            DecideRefusal::Own => "own_migration",
            DecideRefusal::Stale => "preview_stale",
        }
    }
}

/// Whether `by` may decide a proposal: open, somebody else's, and, to approve it, with clocks just as they were shown.
pub fn may_decide(open: bool, proposer: &Doer, by: &Doer, approve: bool, as_shown: bool) -> Result<(), DecideRefusal> {
    if !open {
        return Err(DecideRefusal::Decided);
    }
    if proposer.same_person(by) {
        return Err(DecideRefusal::Own);
    }
    if approve && !as_shown {
        return Err(DecideRefusal::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, WorkerId};

    #[test]
    fn a_second_person_decides_what_is_still_as_shown() {
        let doer = |account: u128, worker: u128| Doer {
            account: AccountId(account),
            worker: Some(WorkerId(worker)),
        };
        let (a, b, a_again) = (doer(1, 1), doer(2, 2), doer(3, 1));
        assert_eq!(may_decide(true, &a, &b, true, true), Ok(()));
        assert_eq!(may_decide(true, &a, &a, true, true), Err(DecideRefusal::Own));
        assert_eq!(
            may_decide(true, &a, &a_again, true, true),
            Err(DecideRefusal::Own),
            "two accounts of one worker"
        );
        assert_eq!(may_decide(true, &a, &b, true, false), Err(DecideRefusal::Stale));
        assert_eq!(
            may_decide(true, &a, &b, false, false),
            Ok(()),
            "refusing needs no fresh preview"
        );
        assert_eq!(may_decide(false, &a, &b, true, true), Err(DecideRefusal::Decided));
    }
}
