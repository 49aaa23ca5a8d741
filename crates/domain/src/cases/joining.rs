//! Several reports, one matter: joining, merging, undoing a merge, taking a report back. Every reporter stays in exactly one case.

use super::refusal::{JoinRefusal, MergeRefusal, SplitRefusal, WithdrawRefusal};
use super::state::{Case, MAX_REPORTS, ReportDue, State, StateKey};
use crate::ids::{CaseId, ReportId};
use std::collections::BTreeSet;

impl Case {
    /// Whether another report may still join: before the result has been told.
    pub fn may_take_in(&self) -> bool {
        self.state.key().is_open() && !matches!(self.state.key(), StateKey::Answered | StateKey::Verified)
    }

    /// One more person reports the same matter.
    pub fn join(mut self, report: ReportId, reachable: bool) -> Result<Case, JoinRefusal> {
        if !self.may_take_in() {
            return Err(JoinRefusal::TooLate);
        }
        if self.reports.len() >= MAX_REPORTS {
            return Err(JoinRefusal::TooMany);
        }
        self.reports.insert(
            report,
            ReportDue {
                reachable,
                answered: false,
            },
        );
        Ok(self)
    }

    /// This case's reports go on in `target`. Gives both.
    pub fn merge(mut self, mut target: Case) -> Result<(Case, Case), MergeRefusal> {
        if self.id == target.id {
            return Err(MergeRefusal::Itself);
        }
        self.may_merge()?;
        if !target.may_take_in() || target.reports.len() + self.reports.len() > MAX_REPORTS {
            return Err(MergeRefusal::TargetTooLate);
        }
        for (report, due) in std::mem::take(&mut self.reports) {
            target.reports.insert(report, ReportDue { answered: false, ..due });
        }
        let was = Box::new(self.state.clone());
        let merged = self.lapse_requests().with(State::Merged { into: target.id, was });
        Ok((merged, target))
    }

    /// Whether this case can still be merged into another: before its own result is reported.
    pub fn may_merge(&self) -> Result<(), MergeRefusal> {
        match self.state.key() {
            StateKey::Received | StateKey::Accepted | StateKey::Assigned | StateKey::Handling => Ok(()),
            _ => Err(MergeRefusal::TooLate),
        }
    }

    /// Undoes a merge: `self`, merged into `target`, stands where it stood and has its reports `mine` back.
    pub fn split(mut self, mut target: Case, mine: &BTreeSet<ReportId>) -> Result<(Case, Case), SplitRefusal> {
        let State::Merged { into, was } = self.state.clone() else {
            return Err(SplitRefusal::NotMerged);
        };
        if into != target.id {
            return Err(SplitRefusal::NotMerged);
        }
        self.reports = target.take_out(mine)?;
        Ok((self.with(*was), target.answered_if_all()))
    }

    /// Reports that turn out to be another matter leave to become `new`, a case waiting for dispatch.
    pub fn split_off(mut self, new: CaseId, reports: &BTreeSet<ReportId>) -> Result<(Case, Case), SplitRefusal> {
        let first = *reports.first().ok_or(SplitRefusal::UnknownReport)?;
        let out = self.take_out(reports)?;
        let mut other = Case::open(new, first, true, None);
        other.reports = out;
        Ok((self.answered_if_all(), other))
    }

    /// Whether reports can leave: while anything is owed, and one stays.
    pub fn may_split(&self) -> Result<(), SplitRefusal> {
        if !self.state.key().is_open() {
            return Err(SplitRefusal::NotOpen);
        }
        if self.reports.len() < 2 {
            return Err(SplitRefusal::LastReport);
        }
        Ok(())
    }

    fn take_out(
        &mut self,
        reports: &BTreeSet<ReportId>,
    ) -> Result<std::collections::BTreeMap<ReportId, ReportDue>, SplitRefusal> {
        if !self.state.key().is_open() {
            return Err(SplitRefusal::NotOpen);
        }
        if reports.is_empty() || !reports.iter().all(|r| self.reports.contains_key(r)) {
            return Err(SplitRefusal::UnknownReport);
        }
        if reports.len() == self.reports.len() {
            return Err(SplitRefusal::LastReport);
        }
        let (mut out, stay): (std::collections::BTreeMap<_, _>, _) = std::mem::take(&mut self.reports)
            .into_iter()
            .partition(|(id, _)| reports.contains(id));
        self.reports = stay;
        // What was answered here was not said of the matter they go to.
        for due in out.values_mut() {
            due.answered = false;
        }
        Ok(out)
    }

    /// The ones who left may have been the last still owed an answer.
    fn answered_if_all(self) -> Case {
        match self.state {
            State::Handled(work) if self.all_answered() => self.with(State::Answered(work)),
            _ => self,
        }
    }

    /// A reporter takes their report back. With the last one the case ends; otherwise it goes on for the others.
    pub fn withdraw(mut self, report: ReportId) -> Result<Case, WithdrawRefusal> {
        if !self.may_take_in() {
            return Err(WithdrawRefusal::TooLate);
        }
        self.reports.remove(&report).ok_or(WithdrawRefusal::UnknownReport)?;
        if self.reports.is_empty() {
            return Ok(self.lapse_requests().release_parts().with(State::Withdrawn));
        }
        Ok(self.answered_if_all())
    }
}
