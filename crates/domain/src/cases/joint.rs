//! Several bodies on one case (LH-15): one lead, co-handlers with their own parts; meetings; mediation of disputes (ZS-17).

use super::refusal::{AddCoHandlerRefusal, CoHandlerRefusal, MediateRefusal};
use super::state::{Case, CoHandler, CoState, Doer, Held, MAX_CO_HANDLERS, Person, State};
use crate::ids::{CoHandlerId, UnitId};

impl Case {
    /// Asks `unit` to do a part of the work. A unit that gave its part back may be asked again.
    pub fn add_co_handler(mut self, id: CoHandlerId, unit: UnitId) -> Result<Case, AddCoHandlerRefusal> {
        self.may_add_co_handler()?;
        if self.state.held().is_some_and(|held| held.unit == unit) {
            return Err(AddCoHandlerRefusal::IsLead);
        }
        if self.is_open_co_handler(unit) {
            return Err(AddCoHandlerRefusal::AlreadyAsked);
        }
        self.co_handlers.push(CoHandler {
            id,
            unit,
            state: CoState::Open,
        });
        Ok(self)
    }

    /// Whether the case can have one more co-handler now.
    pub fn may_add_co_handler(&self) -> Result<(), AddCoHandlerRefusal> {
        if !matches!(self.state, State::Assigned(_) | State::Handling(_)) {
            return Err(AddCoHandlerRefusal::NotHeld);
        }
        if self.co_handlers.len() >= MAX_CO_HANDLERS {
            return Err(AddCoHandlerRefusal::TooMany);
        }
        Ok(())
    }

    /// A co-handler reports its part done.
    pub fn co_done(self, id: CoHandlerId, by: &Person) -> Result<Case, CoHandlerRefusal> {
        self.end_part(id, by, |by| CoState::Done { by })
    }

    /// A co-handler gives its part back.
    pub fn co_return(self, id: CoHandlerId, by: &Person) -> Result<Case, CoHandlerRefusal> {
        self.end_part(id, by, |by| CoState::Returned { by })
    }

    fn end_part(
        mut self,
        id: CoHandlerId,
        by: &Person,
        end: impl Fn(Doer) -> CoState,
    ) -> Result<Case, CoHandlerRefusal> {
        let part = self
            .co_handlers
            .iter_mut()
            .find(|c| c.id == id)
            .ok_or(CoHandlerRefusal::Unknown)?;
        if part.state != CoState::Open {
            return Err(CoHandlerRefusal::NotOpen);
        }
        if !by.acts_for(part.unit) {
            return Err(CoHandlerRefusal::NotYourUnit);
        }
        part.state = end(by.doer());
        Ok(self)
    }

    /// Records how a mediation of the dispute ended. Failed with a next rung (`next`), the dispute climbs to that unit in the same moment,
    /// so that it never lies where it could not be settled; failed at the last rung, the parties are told where to go and it may be finished.
    pub fn mediate(self, by: &Person, outcome: Mediation, next: Option<Held>) -> Result<Case, MediateRefusal> {
        self.may_mediate(by)?;
        if let (Mediation::Failed, Some(next)) = (outcome, next) {
            if self.is_open_co_handler(next.unit) {
                return Err(MediateRefusal::IsCoHandler);
            }
            let mut case = self.lapse_requests().with(State::Assigned(next));
            case.paused = false;
            return Ok(case);
        }
        Ok(Case { mediated: true, ..self })
    }

    /// Whether `by` may record a mediation.
    pub fn may_mediate(&self, by: &Person) -> Result<(), MediateRefusal> {
        let State::Handling(held) = &self.state else {
            return Err(MediateRefusal::NotHandling);
        };
        if !by.holds(held) {
            return Err(MediateRefusal::NotYourUnit);
        }
        Ok(())
    }
}

/// How a mediation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mediation {
    /// The parties agreed.
    Agreed,
    /// They did not.
    Failed,
    /// They took the matter back before it was settled.
    Withdrawn,
}

impl Mediation {
    /// All of them.
    pub const ALL: [Mediation; 3] = [Mediation::Agreed, Mediation::Failed, Mediation::Withdrawn];

    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            Mediation::Agreed => "agreed",
            Mediation::Failed => "failed",
            Mediation::Withdrawn => "withdrawn",
        }
    }

    /// The outcome of a stored word.
    pub fn from_key(key: &str) -> Option<Mediation> {
        Self::ALL.into_iter().find(|outcome| outcome.key() == key)
    }
}
