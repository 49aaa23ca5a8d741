//! A case comes in: opened, looked at by a person when needed, accepted or declined, classified.

use super::refusal::{AcceptRefusal, ClassifyRefusal, DeclineRefusal};
use super::state::{By, Case, Counts, Held, Look, Person, ReportDue, Rules, State, StateKey, Work};
use crate::ids::{CaseId, ReportId};
use std::collections::BTreeMap;

impl Case {
    /// A new case from one report. Accepted at once, unless a person must `look` first.
    pub fn open(id: CaseId, report: ReportId, reachable: bool, look: Option<Look>) -> Case {
        let state = look.map_or(State::Accepted, |look| State::Received { look });
        Case {
            id,
            state,
            counts: Counts::default(),
            arbitrated: false,
            paused: false,
            supervised: false,
            mediated: false,
            dissatisfied: false,
            away: false,
            co_handlers: Vec::new(),
            requests: Vec::new(),
            reports: BTreeMap::from([(
                report,
                ReportDue {
                    reachable,
                    answered: false,
                },
            )]),
        }
    }

    /// A new case that its finder solved there and told the resident about, all in one form (ZS-09). It is closed at once unless the pack
    /// wants every result of this kind checked by someone else.
    pub fn on_the_spot(id: CaseId, report: ReportId, reachable: bool, by: &Person, held: Held, rules: &Rules) -> Case {
        let work = Work { held, by: by.doer() };
        let state = if rules.verification {
            State::Answered(work)
        } else {
            State::Closed { work, verified: None }
        };
        let mut case = Case::open(id, report, reachable, None).with(state);
        case.reports.insert(
            report,
            ReportDue {
                reachable,
                answered: true,
            },
        );
        case
    }

    /// A person looked, or the rule no longer asks for one.
    pub fn accept(self) -> Result<Case, AcceptRefusal> {
        match self.state {
            State::Received { .. } => Ok(self.with(State::Accepted)),
            _ => Err(AcceptRefusal::NotReceived),
        }
    }

    /// A person refuses the case; the shell demands the written reason and where to go instead.
    pub fn decline(self, by: &By) -> Result<Case, DeclineRefusal> {
        let By::Person(person) = by else {
            return Err(DeclineRefusal::NeedsAPerson);
        };
        match self.state {
            State::Received { .. } | State::Accepted => {
                Ok(self.release_parts().with(State::Declined { by: person.doer() }))
            }
            _ => Err(DeclineRefusal::TooLate),
        }
    }

    /// Whether the category may still change: until the result is reported.
    pub fn may_classify(&self) -> Result<(), ClassifyRefusal> {
        match self.state.key() {
            StateKey::Received | StateKey::Accepted | StateKey::Assigned | StateKey::Handling | StateKey::Parked => {
                Ok(())
            }
            _ => Err(ClassifyRefusal::TooLate),
        }
    }
}
