//! A case handled by another platform ([`super::handover`]): it stays open here under the unit that answers for it, its clock runs on, and
//! nobody here works on it until it comes back with an answer or without.

use super::refusal::{HandBackRefusal, PassOnRefusal};
use super::state::{Case, Doer, Held, Person, Rules, State, StateKey, Work};
use super::table::Action;

/// What can be done here while another platform handles the case.
const WHILE_AWAY: [Action; 5] = [
    Action::Withdraw,
    Action::Supervise,
    Action::Urge,
    Action::Meeting,
    Action::Comment,
];

impl Case {
    /// Another platform handles it from now on; `held` answers for it here.
    pub fn pass_on(self, held: Held, rules: &Rules) -> Result<Case, PassOnRefusal> {
        self.may_pass_on(rules)?;
        let mut case = self.lapse_requests().with(State::Handling(held));
        case.paused = false;
        case.away = true;
        Ok(case)
    }

    /// Whether it may be passed on now.
    pub fn may_pass_on(&self, rules: &Rules) -> Result<(), PassOnRefusal> {
        if self.away {
            return Err(PassOnRefusal::AwayAlready);
        }
        if !matches!(
            self.state.key(),
            StateKey::Accepted | StateKey::Assigned | StateKey::Handling
        ) {
            return Err(PassOnRefusal::NotInHand);
        }
        // A dispute ends with a mediation held here; co-handlers here wait for a lead who is here.
        if rules.mediation {
            return Err(PassOnRefusal::Dispute);
        }
        if self.co_handlers_open() {
            return Err(PassOnRefusal::CoHandlersOpen);
        }
        Ok(())
    }

    /// It is nobody's here until a dispatcher places it: given back, or taken back.
    pub fn come_back(mut self) -> Case {
        if self.away {
            self.away = false;
            self.arbitrated = false;
            return self.with(State::Accepted);
        }
        self
    }

    /// The other platform answered: the resident is owed that answer. `by` passed it on and so never verifies it.
    pub fn answered_elsewhere(mut self, by: Doer) -> Case {
        match self.state {
            State::Handling(held) if self.away => {
                self.away = false;
                self.with(State::Handled(Work { held, by }))
            }
            _ => self,
        }
    }

    /// It was not solved, and goes to the platform that handled it.
    pub fn away_again(mut self) -> Case {
        match self.state {
            State::Handling(held) | State::Assigned(held) => {
                self.away = true;
                self.with(State::Handling(held))
            }
            _ => self,
        }
    }

    /// Whether the action can be taken while the case is away.
    pub fn must_be_here(&self, action: Action) -> Result<(), &'static str> {
        if self.away && !WHILE_AWAY.contains(&action) {
            return Err(CASE_AWAY);
        }
        Ok(())
    }

    /// At the platform it was passed to: given back to where it came from.
    pub fn hand_back(self, by: &Person) -> Result<Case, HandBackRefusal> {
        match self.state.key() {
            StateKey::Received | StateKey::Accepted | StateKey::Assigned | StateKey::Handling if !self.away => {
                let mut case = self.lapse_requests().with(State::Declined { by: by.doer() });
                case.paused = false;
                Ok(case)
            }
            _ => Err(HandBackRefusal::TooLate),
        }
    }

    /// At the platform it was passed to: taken back by where it came from. What has ended stays as it ended.
    pub fn taken_back(self) -> Case {
        if !self.state.key().is_open() {
            return self;
        }
        let mut case = self.lapse_requests().with(State::Withdrawn);
        case.paused = false;
        case.away = false;
        case
    }
}

/// What [`Case::must_be_here`] refuses with.
pub const CASE_AWAY: &str = "case_away";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::AnswerBy;
    use crate::ids::{AccountId, CaseId, ReportId, UnitId};

    const RULES: Rules = Rules {
        returns_before_arbiter: 3,
        answer_by: AnswerBy::Handler,
        answer_in_person: true,
        verification: true,
        after_photo: true,
        mediation: false,
        extensions: 1,
        reopen_days: 30,
    };
    const HELD: Held = Held {
        unit: UnitId(7),
        worker: None,
    };

    fn person(account: u128) -> Person {
        Person {
            account: AccountId(account),
            worker: None,
            units: vec![HELD.unit],
        }
    }

    fn open() -> Case {
        Case::open(CaseId(1), ReportId(1), true, None)
    }

    #[test]
    fn nobody_works_on_a_case_that_is_away_and_who_passed_it_on_does_not_verify() {
        let away = open().pass_on(HELD, &RULES).unwrap();
        assert_eq!(away.must_be_here(Action::Handle), Err(CASE_AWAY));
        assert!(away.must_be_here(Action::Urge).is_ok());
        assert_eq!(away.clone().pass_on(HELD, &RULES), Err(PassOnRefusal::AwayAlready));
        let done = away.answered_elsewhere(person(1).doer());
        assert_eq!(done.state.key(), StateKey::Handled);
        assert!(!done.away);
        let told = crate::cases::Given {
            report: None,
            way: crate::cases::Way::InPerson,
            standing: crate::cases::Standing::default(),
            solved: None,
        };
        let told = done.answer(&person(1), told, &RULES).unwrap();
        assert!(told.may_verify(&person(1)).is_err());
        let again = told.verify(&person(2), false).unwrap().away_again();
        assert!(again.away && again.state.key() == StateKey::Handling);
    }

    #[test]
    fn what_comes_back_waits_for_a_dispatcher() {
        let back = open().pass_on(HELD, &RULES).unwrap().come_back();
        assert_eq!((back.state.key(), back.away), (StateKey::Accepted, false));
        assert_eq!(open().come_back(), open(), "what was never away is left alone");
    }

    #[test]
    fn disputes_and_finished_matters_are_not_passed_on() {
        let dispute = Rules {
            mediation: true,
            ..RULES
        };
        assert_eq!(open().pass_on(HELD, &dispute), Err(PassOnRefusal::Dispute));
        let closed = open().taken_back();
        assert_eq!(closed.clone().pass_on(HELD, &RULES), Err(PassOnRefusal::NotInHand));
        assert_eq!(closed.clone().taken_back(), closed);
        assert_eq!(closed.hand_back(&person(1)), Err(HandBackRefusal::TooLate));
        let back = open().hand_back(&person(1)).unwrap();
        assert_eq!(back.state.key(), StateKey::Declined);
    }
}
