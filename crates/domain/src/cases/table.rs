//! The actions on a case, which states they lead from and to, and which of them a person may take now.
//!
//! [`TRANSITIONS`] is the whole loop on one page; a model test holds the transition functions to it in both directions.

use super::state::{AskKind, By, Case, CoState, Person, Rules, Standing, StateKey};
use StateKey::{
    Accepted, Answered, Assigned, Closed, Declined, Handled, Handling, Merged, Parked, Received, Verified, Withdrawn,
};

/// What can be done with a case. The word is part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Accept,
    Decline,
    Classify,
    Route,
    Take,
    Return,
    Arbitrate,
    AssignWorker,
    AddCoHandler,
    CoDone,
    CoReturn,
    Arrive,
    Mediate,
    Ask,
    Decide,
    Resume,
    Unpark,
    Handle,
    Answer,
    Confirm,
    Verify,
    Rework,
    Close,
    Reopen,
    Merge,
    Split,
    Withdraw,
    Supervise,
    Urge,
    Meeting,
    Comment,
}

impl Action {
    /// All of them, in the order of the loop.
    pub const ALL: [Action; 31] = [
        Action::Accept,
        Action::Decline,
        Action::Classify,
        Action::Route,
        Action::Take,
        Action::Return,
        Action::Arbitrate,
        Action::AssignWorker,
        Action::AddCoHandler,
        Action::CoDone,
        Action::CoReturn,
        Action::Arrive,
        Action::Mediate,
        Action::Ask,
        Action::Decide,
        Action::Resume,
        Action::Unpark,
        Action::Handle,
        Action::Answer,
        Action::Confirm,
        Action::Verify,
        Action::Rework,
        Action::Close,
        Action::Reopen,
        Action::Merge,
        Action::Split,
        Action::Withdraw,
        Action::Supervise,
        Action::Urge,
        Action::Meeting,
        Action::Comment,
    ];

    /// The word used in URLs and stored in events.
    pub fn key(self) -> &'static str {
        match self {
            Action::Accept => "accept",
            Action::Decline => "decline",
            Action::Classify => "classify",
            Action::Route => "route",
            Action::Take => "take",
            Action::Return => "return",
            Action::Arbitrate => "arbitrate",
            Action::AssignWorker => "assign_worker",
            Action::AddCoHandler => "add_co_handler",
            Action::CoDone => "co_done",
            Action::CoReturn => "co_return",
            Action::Arrive => "arrive",
            Action::Mediate => "mediate",
            Action::Ask => "ask",
            Action::Decide => "decide",
            Action::Resume => "resume",
            Action::Unpark => "unpark",
            Action::Handle => "handle",
            Action::Answer => "answer",
            Action::Confirm => "confirm",
            Action::Verify => "verify",
            Action::Rework => "rework",
            Action::Close => "close",
            Action::Reopen => "reopen",
            Action::Merge => "merge",
            Action::Split => "split",
            Action::Withdraw => "withdraw",
            Action::Supervise => "supervise",
            Action::Urge => "urge",
            Action::Meeting => "meeting",
            Action::Comment => "comment",
        }
    }

    /// The action of a word.
    pub fn from_key(key: &str) -> Option<Action> {
        Self::ALL.into_iter().find(|a| a.key() == key)
    }
}

/// Every change of state there is: from, by, to. An action not listed for a state is refused there or leaves the state as it is.
pub const TRANSITIONS: &[(StateKey, Action, StateKey)] = &[
    (Received, Action::Accept, Accepted),
    (Received, Action::Decline, Declined),
    (Received, Action::Merge, Merged),
    (Received, Action::Withdraw, Withdrawn),
    (Accepted, Action::Decline, Declined),
    (Accepted, Action::Route, Assigned),
    (Accepted, Action::Arbitrate, Assigned),
    (Accepted, Action::Merge, Merged),
    (Accepted, Action::Withdraw, Withdrawn),
    (Assigned, Action::Take, Handling),
    (Assigned, Action::Return, Accepted),
    (Assigned, Action::Merge, Merged),
    (Assigned, Action::Withdraw, Withdrawn),
    (Handling, Action::Handle, Handled),
    (Handling, Action::Return, Accepted),
    // Mediation failed: to the next rung.
    (Handling, Action::Mediate, Assigned),
    (Handling, Action::Decide, Parked),
    (Handling, Action::Merge, Merged),
    (Handling, Action::Withdraw, Withdrawn),
    (Handled, Action::Answer, Answered),
    (Handled, Action::Rework, Handling),
    // The reporter who withdrew was the last still owed an answer.
    (Handled, Action::Withdraw, Answered),
    (Handled, Action::Withdraw, Withdrawn),
    // The reports that left were the last still owed an answer.
    (Handled, Action::Split, Answered),
    (Answered, Action::Verify, Verified),
    (Answered, Action::Verify, Handling),
    (Answered, Action::Confirm, Verified),
    (Answered, Action::Rework, Handling),
    (Answered, Action::Close, Closed),
    (Verified, Action::Close, Closed),
    (Verified, Action::Rework, Handling),
    (Closed, Action::Reopen, Assigned),
    (Declined, Action::Reopen, Received),
    (Parked, Action::Unpark, Handling),
    (Parked, Action::Withdraw, Withdrawn),
    (Merged, Action::Split, Received),
    (Merged, Action::Split, Accepted),
    (Merged, Action::Split, Assigned),
    (Merged, Action::Split, Handling),
];

/// What is known about the moment besides the case itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the person is to the case.
    pub standing: Standing,
    /// Days since the case ended.
    pub days_since_end: i64,
}

impl Case {
    /// Whether `by` could take `action` now, as far as can be said before its form is filled in; otherwise the code of the refusal. Used to
    /// show buttons; the transition itself decides.
    pub fn may(&self, action: Action, by: &Person, moment: Moment, rules: &Rules) -> Result<(), &'static str> {
        self.must_be_here(action)?;
        match action {
            Action::Accept => self.clone().accept().map(drop)?,
            Action::Decline => self.clone().decline(&By::Person(by.clone())).map(drop)?,
            Action::Classify => self.may_classify()?,
            Action::Route => self.may_route(rules)?,
            Action::Take => self.clone().take(by).map(drop)?,
            Action::Return => self.may_return(by)?,
            Action::Arbitrate => self.may_arbitrate(rules)?,
            Action::AssignWorker if self.state.key() == Handling || self.state.key() == Assigned => {}
            Action::AssignWorker => return Err("case_not_with_a_unit"),
            Action::AddCoHandler => self.may_add_co_handler()?,
            Action::CoDone | Action::CoReturn => self.may_end_a_part(by)?,
            Action::Arrive | Action::Supervise | Action::Urge | Action::Meeting => self.must_be_open()?,
            Action::Mediate if !rules.mediation => return Err("case_not_a_dispute"),
            Action::Mediate => self.may_mediate(by)?,
            Action::Ask => self.may_ask_anything(by, rules)?,
            Action::Decide => self.may_decide_something(by)?,
            Action::Resume => self.clone().resume().map(drop)?,
            Action::Unpark => self.clone().unpark().map(drop)?,
            Action::Handle => self.may_handle(by, rules).map(drop)?,
            Action::Answer => self.may_answer(by, moment.standing, rules).map(drop)?,
            Action::Confirm => return Err("residents_confirm"),
            Action::Verify => self.may_verify(by).map(drop)?,
            Action::Rework => self.clone().rework().map(drop)?,
            Action::Close => self.may_close(&By::Person(by.clone()), rules)?,
            Action::Reopen => self.may_reopen(moment.days_since_end, rules)?,
            Action::Merge => self.may_merge()?,
            Action::Split => self.may_split()?,
            Action::Withdraw if self.may_take_in() => {}
            Action::Withdraw => return Err("withdraw_too_late"),
            Action::Comment => {}
        }
        Ok(())
    }

    fn is_helping(&self, by: &Person) -> bool {
        self.co_handlers
            .iter()
            .any(|c| c.state == CoState::Open && by.acts_for(c.unit))
    }

    fn may_end_a_part(&self, by: &Person) -> Result<(), &'static str> {
        if self.is_helping(by) {
            Ok(())
        } else {
            Err("co_handler_not_open")
        }
    }

    fn may_ask_anything(&self, by: &Person, rules: &Rules) -> Result<(), &'static str> {
        // Parking has the fewest conditions of its own: when it is refused, so is everything.
        Ok(self.may_ask(AskKind::Park, by, rules)?)
    }

    fn may_decide_something(&self, by: &Person) -> Result<(), &'static str> {
        match self.waiting_request() {
            None => Err("no_request_waiting"),
            Some(request) if request.asked_by.same_person(&by.doer()) => Err("own_request"),
            Some(_) => Ok(()),
        }
    }
}

/// Codes [`Case::may`] adds to those of the transitions.
pub const MORE_CODES: &[&str] = &["case_not_a_dispute", "residents_confirm", "no_request_waiting"];
