//! A case finds its unit: routed in one step, taken or returned by name and with a reason, and after the pack's number of returns placed
//! by an arbiter for good (gap D of the field).

use super::refusal::{ArbitrateRefusal, AssignWorkerRefusal, ReturnRefusal, RouteRefusal, TakeRefusal};
use super::state::{Case, Held, Person, Rules, State};
use crate::ids::{UnitId, WorkerId};

impl Case {
    /// Names the responsible unit and, when one is on duty, its worker. A unit that has not accepted yet can be replaced.
    pub fn route(self, to: Held, rules: &Rules) -> Result<Case, RouteRefusal> {
        self.may_route(rules)?;
        if self.is_open_co_handler(to.unit) {
            return Err(RouteRefusal::IsCoHandler);
        }
        Ok(self.with(State::Assigned(to)))
    }

    /// Whether a dispatcher may name a unit now.
    pub fn may_route(&self, rules: &Rules) -> Result<(), RouteRefusal> {
        match self.state {
            State::Accepted if self.needs_arbiter(rules) => Err(RouteRefusal::ArbiterNeeded),
            State::Accepted => Ok(()),
            State::Assigned(_) if self.arbitrated => Err(RouteRefusal::DecisionIsFinal),
            State::Assigned(_) => Ok(()),
            _ => Err(RouteRefusal::NotWaiting),
        }
    }

    /// Whether it came back as often as the pack allows and nobody has ruled on it.
    pub fn needs_arbiter(&self, rules: &Rules) -> bool {
        !self.arbitrated && self.counts.returned >= rules.returns_before_arbiter
    }

    /// The unit accepts. The worker named before keeps the case; otherwise it is the one who accepts.
    pub fn take(self, by: &Person) -> Result<Case, TakeRefusal> {
        let State::Assigned(held) = &self.state else {
            return Err(TakeRefusal::NotAssigned);
        };
        if !by.holds(held) {
            return Err(TakeRefusal::NotYourUnit);
        }
        let held = Held {
            unit: held.unit,
            worker: held.worker.or(by.worker),
        };
        Ok(self.with(State::Handling(held)))
    }

    /// The unit gives the case back: counted, unless an arbiter ruled.
    pub fn return_case(self, by: &Person) -> Result<Case, ReturnRefusal> {
        self.may_return(by)?;
        let mut case = self.lapse_requests().with(State::Accepted);
        case.counts.returned += 1;
        case.paused = false;
        Ok(case)
    }

    /// Whether `by` may give the case back.
    pub fn may_return(&self, by: &Person) -> Result<(), ReturnRefusal> {
        let (State::Assigned(held) | State::Handling(held)) = &self.state else {
            return Err(ReturnRefusal::NotHeld);
        };
        if !by.holds(held) {
            return Err(ReturnRefusal::NotYourUnit);
        }
        if self.arbitrated {
            return Err(ReturnRefusal::DecisionIsFinal);
        }
        Ok(())
    }

    /// An arbiter names the responsible unit: no more returns.
    pub fn arbitrate(self, to: UnitId, rules: &Rules) -> Result<Case, ArbitrateRefusal> {
        self.may_arbitrate(rules)?;
        if self.is_open_co_handler(to) {
            return Err(ArbitrateRefusal::IsCoHandler);
        }
        let mut case = self.with(State::Assigned(Held { unit: to, worker: None }));
        case.arbitrated = true;
        Ok(case)
    }

    /// Whether an arbiter is called for.
    pub fn may_arbitrate(&self, rules: &Rules) -> Result<(), ArbitrateRefusal> {
        match self.state {
            State::Accepted if self.needs_arbiter(rules) => Ok(()),
            State::Accepted => Err(ArbitrateRefusal::NotNeeded),
            _ => Err(ArbitrateRefusal::NotWaiting),
        }
    }

    /// Gives the case to a worker of the unit that has it.
    pub fn assign_worker(self, worker: WorkerId) -> Result<Case, AssignWorkerRefusal> {
        let give = |held: Held| Held {
            worker: Some(worker),
            ..held
        };
        match self.state {
            State::Assigned(held) => Ok(self.with(State::Assigned(give(held)))),
            State::Handling(held) => Ok(self.with(State::Handling(give(held)))),
            _ => Err(AssignWorkerRefusal::NotHeld),
        }
    }
}
