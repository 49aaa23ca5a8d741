//! More time, a pause, setting aside (挂账): asked for by the unit that has the case, decided by someone else.

use super::refusal::{AskRefusal, DecideRefusal, ResumeRefusal, UnparkRefusal};
use super::state::{AskKind, Case, Doer, Held, Person, Request, RequestState, Rules, State};
use crate::ids::RequestId;

impl Case {
    /// Asks for `kind`. One request waits at a time.
    pub fn ask(mut self, id: RequestId, kind: AskKind, by: &Person, rules: &Rules) -> Result<Case, AskRefusal> {
        self.may_ask(kind, by, rules)?;
        self.requests.push(Request {
            id,
            kind,
            asked_by: by.doer(),
            state: RequestState::Waiting,
        });
        Ok(self)
    }

    /// Whether `by` may ask for `kind`.
    pub fn may_ask(&self, kind: AskKind, by: &Person, rules: &Rules) -> Result<(), AskRefusal> {
        let State::Handling(held) = &self.state else {
            return Err(AskRefusal::NotHandling);
        };
        if !by.holds(held) {
            return Err(AskRefusal::NotYourUnit);
        }
        if self.waiting_request().is_some() {
            return Err(AskRefusal::AlreadyAsked);
        }
        match kind {
            AskKind::Pause if self.paused => Err(AskRefusal::AlreadyPaused),
            AskKind::Extension if self.counts.extended >= rules.extensions => Err(AskRefusal::TooManyExtensions),
            _ => Ok(()),
        }
    }

    /// The request nobody has decided yet.
    pub fn waiting_request(&self) -> Option<&Request> {
        self.requests.iter().find(|r| r.state == RequestState::Waiting)
    }

    /// Approves or refuses a request; never by the asker. Says what was asked for and, when approved, does it.
    pub fn decide(mut self, id: RequestId, by: &Person, approve: bool) -> Result<(Case, AskKind), DecideRefusal> {
        let request = self
            .requests
            .iter_mut()
            .find(|r| r.id == id)
            .ok_or(DecideRefusal::Unknown)?;
        if request.state != RequestState::Waiting {
            return Err(DecideRefusal::AlreadyDecided);
        }
        if request.asked_by.same_person(&by.doer()) {
            return Err(DecideRefusal::OwnRequest);
        }
        let (kind, by) = (request.kind, by.doer());
        request.state = if approve {
            RequestState::Approved { by }
        } else {
            RequestState::Refused { by }
        };
        Ok((if approve { self.grant(kind, by) } else { self }, kind))
    }

    fn grant(mut self, kind: AskKind, by: Doer) -> Case {
        match (kind, &self.state) {
            (AskKind::Extension, _) => self.counts.extended += 1,
            (AskKind::Pause, _) => self.paused = true,
            (AskKind::Park, State::Handling(held)) => {
                let held: Held = *held;
                self.paused = false;
                return self.with(State::Parked { held, by });
            }
            // A waiting request lapses as soon as the case leaves handling, so there is nothing to grant elsewhere.
            (AskKind::Park, _) => {}
        }
        self
    }

    /// The clocks run again.
    pub fn resume(mut self) -> Result<Case, ResumeRefusal> {
        if !self.paused {
            return Err(ResumeRefusal::NotPaused);
        }
        self.paused = false;
        Ok(self)
    }

    /// A parked case is taken up again by the unit that had it.
    pub fn unpark(self) -> Result<Case, UnparkRefusal> {
        match self.state {
            State::Parked { held, .. } => Ok(self.with(State::Handling(held))),
            _ => Err(UnparkRefusal::NotParked),
        }
    }
}
