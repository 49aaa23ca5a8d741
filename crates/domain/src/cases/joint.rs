//! Several bodies on one case (LH-15): one lead, co-handlers with their own parts; meetings; mediation of disputes (ZS-17).

use super::refusal::{AddCoHandlerRefusal, CoHandlerRefusal, MediateRefusal};
use super::state::{Case, CoHandler, CoState, Doer, MAX_CO_HANDLERS, Person, State};
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

    /// Records how the mediation of a dispute ended.
    pub fn mediate(mut self, by: &Person) -> Result<Case, MediateRefusal> {
        let State::Handling(held) = &self.state else {
            return Err(MediateRefusal::NotHandling);
        };
        if !by.holds(held) {
            return Err(MediateRefusal::NotYourUnit);
        }
        self.mediated = true;
        Ok(self)
    }
}
