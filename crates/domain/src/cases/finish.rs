//! A case comes to its end: handled with evidence, answered, verified, closed; or done again, or reopened.
//!
//! What holds whatever happens: nothing is closed without an answer to every reporter, and where the pack asks for a check (or a resident
//! said it is not solved) not without one by someone who did none of the handling, or by the resident.

use super::refusal::{
    AnswerRefusal, CloseRefusal, ConfirmRefusal, HandleRefusal, ReopenRefusal, ReworkRefusal, VerifyRefusal,
};
use super::state::{AnswerBy, By, Case, Held, Look, Person, Rules, Standing, State, Verifier, Way, Work};
use crate::ids::ReportId;

/// What a unit hands in when it reports a case finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// A photo taken afterwards is attached.
    pub after_photo: bool,
    /// Finish although co-handlers still owe their parts; the shell demands the written reason.
    pub without_co_handlers: bool,
}

/// An answer given to the resident, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The report answered; none means all of them.
    pub report: Option<ReportId>,
    pub way: Way,
    /// What the one answering is to the case.
    pub standing: Standing,
    /// What the resident said to "is it solved": yes, no, or nothing.
    pub solved: Option<bool>,
}

impl Case {
    /// The unit reports the work finished.
    pub fn handle(self, by: &Person, evidence: Evidence, rules: &Rules) -> Result<Case, HandleRefusal> {
        let held = self.may_handle(by, rules)?;
        if self.co_handlers_open() && !evidence.without_co_handlers {
            return Err(HandleRefusal::CoHandlersOpen);
        }
        if rules.after_photo && !evidence.after_photo {
            return Err(HandleRefusal::PhotoNeeded);
        }
        let work = Work { held, by: by.doer() };
        let mut case = self.lapse_requests().release_parts().with(State::Handled(work));
        case.paused = false;
        Ok(case)
    }

    /// Whether `by` may report the work finished, evidence aside; gives who has the case.
    pub fn may_handle(&self, by: &Person, rules: &Rules) -> Result<Held, HandleRefusal> {
        let State::Handling(held) = &self.state else {
            return Err(HandleRefusal::NotHandling);
        };
        if !by.holds(held) {
            return Err(HandleRefusal::NotYourUnit);
        }
        if rules.mediation && !self.mediated {
            return Err(HandleRefusal::MediationNeeded);
        }
        Ok(*held)
    }

    /// The resident is told the result. Once every reporter has been, the case counts as answered; telling one again changes nothing else.
    pub fn answer(mut self, by: &Person, given: Given, rules: &Rules) -> Result<Case, AnswerRefusal> {
        let work = self.may_answer(by, given.standing, rules)?;
        let told: Vec<ReportId> = match given.report {
            None => self.reports.keys().copied().collect(),
            Some(report) if self.reports.contains_key(&report) => vec![report],
            Some(_) => return Err(AnswerRefusal::UnknownReport),
        };
        let someone_reachable = self.reports.iter().any(|(id, due)| due.reachable && told.contains(id));
        if rules.answer_in_person && someone_reachable && given.way != Way::InPerson {
            return Err(AnswerRefusal::InPersonNeeded);
        }
        for report in &told {
            if let Some(due) = self.reports.get_mut(report) {
                due.answered = true;
            }
        }
        self.dissatisfied = match given.solved {
            Some(solved) => !solved,
            None => self.dissatisfied,
        };
        if self.all_answered() {
            Ok(self.with(State::Answered(work)))
        } else {
            Ok(self)
        }
    }

    /// Whether `by` is the one who answers; gives the work that was done.
    pub fn may_answer(&self, by: &Person, standing: Standing, rules: &Rules) -> Result<Work, AnswerRefusal> {
        let (State::Handled(work) | State::Answered(work)) = &self.state else {
            return Err(AnswerRefusal::NotHandled);
        };
        let reachable = self.reports.values().any(|due| due.reachable);
        match rules.answer_by {
            AnswerBy::Desk => Ok(*work),
            AnswerBy::Handler if by.holds(&work.held) => Ok(*work),
            AnswerBy::Handler => Err(AnswerRefusal::HandlerAnswers),
            // With nobody to walk to, whoever did the work writes the answer.
            AnswerBy::GridWorker | AnswerBy::Liaison if !reachable && by.holds(&work.held) => Ok(*work),
            AnswerBy::GridWorker if standing.grid_worker => Ok(*work),
            AnswerBy::GridWorker => Err(AnswerRefusal::GridWorkerAnswers),
            AnswerBy::Liaison if standing.liaison || standing.grid_worker => Ok(*work),
            AnswerBy::Liaison => Err(AnswerRefusal::LiaisonAnswers),
        }
    }

    /// Someone who did none of the handling checks the result: confirmed, or back to work.
    pub fn verify(self, by: &Person, pass: bool) -> Result<Case, VerifyRefusal> {
        let work = self.may_verify(by)?;
        if pass {
            return Ok(self.with(State::Verified {
                work,
                by: Verifier::Person(by.doer()),
            }));
        }
        Ok(self.again(work))
    }

    /// Whether `by` may check the result.
    pub fn may_verify(&self, by: &Person) -> Result<Work, VerifyRefusal> {
        let State::Answered(work) = &self.state else {
            return Err(VerifyRefusal::NotAnswered);
        };
        if self.was_handled_by(&by.doer()) {
            return Err(VerifyRefusal::OwnWork);
        }
        Ok(*work)
    }

    /// The resident confirms that it is solved.
    pub fn confirm(mut self) -> Result<Case, ConfirmRefusal> {
        let State::Answered(work) = self.state else {
            return Err(ConfirmRefusal::NotAnswered);
        };
        self.dissatisfied = false;
        Ok(self.with(State::Verified {
            work,
            by: Verifier::Resident,
        }))
    }

    /// Not solved: the same unit works on it again. By a person, or by the resident who objects before closing.
    pub fn rework(self) -> Result<Case, ReworkRefusal> {
        match self.state {
            State::Handled(work) | State::Answered(work) | State::Verified { work, .. } => Ok(self.again(work)),
            _ => Err(ReworkRefusal::NotDone),
        }
    }

    fn again(self, work: Work) -> Case {
        let mut case = self.start_over(State::Handling(work.held));
        case.counts.reworked += 1;
        case
    }

    /// A person closes the case.
    pub fn close(self, by: &By, rules: &Rules) -> Result<Case, CloseRefusal> {
        self.may_close(by, rules)?;
        match self.state {
            State::Answered(work) => Ok(self.with(State::Closed { work, verified: None })),
            State::Verified { work, by } => Ok(self.with(State::Closed {
                work,
                verified: Some(by),
            })),
            _ => Err(CloseRefusal::NotAnswered),
        }
    }

    /// Whether `by` may close the case now.
    pub fn may_close(&self, by: &By, rules: &Rules) -> Result<(), CloseRefusal> {
        if !matches!(by, By::Person(_)) {
            return Err(CloseRefusal::NeedsAPerson);
        }
        match self.state {
            State::Answered(_) if rules.verification || self.dissatisfied => Err(CloseRefusal::NotVerified),
            State::Answered(_) | State::Verified { .. } => Ok(()),
            _ => Err(CloseRefusal::NotAnswered),
        }
    }

    /// The resident objects, or a person finds it unsolved, `days` after the end: back to the unit that had it, which must accept anew. A
    /// declined case is looked at by a person again.
    pub fn reopen(self, days: i64, rules: &Rules) -> Result<Case, ReopenRefusal> {
        self.may_reopen(days, rules)?;
        let state = match self.state {
            State::Closed { work, .. } => State::Assigned(Held {
                worker: None,
                ..work.held
            }),
            _ => State::Received { look: Look::Contested },
        };
        let mut case = self.start_over(state);
        case.counts.reopened += 1;
        Ok(case)
    }

    /// Whether it ended, and not too long ago.
    pub fn may_reopen(&self, days: i64, rules: &Rules) -> Result<(), ReopenRefusal> {
        match self.state {
            State::Closed { .. } | State::Declined { .. } if days > i64::from(rules.reopen_days) => {
                Err(ReopenRefusal::TooLate)
            }
            State::Closed { .. } | State::Declined { .. } => Ok(()),
            _ => Err(ReopenRefusal::NotClosed),
        }
    }
}
