//! How a campaign stands in every area, kept in the transaction that changes a task.
//!
//! Entry points: [`Shift`], [`of`]. A recount from the tables `campaign_task` and `campaign_result` gives the same: a test recounts.

use super::store::{self, TaskRow};
use crate::platform::*;
use domain::campaigns::State;
use std::collections::BTreeMap;

/// Where a number is kept: campaign, area, what.
pub type Cell = (CampaignId, AreaId, String);

/// What is added to the numbers at the commit, once for all closures of it.
#[derive(Default)]
pub struct Shift(BTreeMap<Cell, i64>);

impl Shift {
    /// One task more (`times` 1) or less (-1) in each of its areas.
    pub fn task(&mut self, row: &TaskRow, times: i64) {
        self.add(row, "tasks", times);
        self.add(row, row.state.key(), times);
        if let Some(reason) = row.reason.filter(|_| row.state == State::Open) {
            self.add(row, "tried", times);
            self.add(row, &format!("reason.{}", reason.key()), times);
        }
    }

    /// What was answered there the last time somebody was met.
    pub fn answers(&mut self, row: &TaskRow, answers: &[Option<u8>], times: i64) {
        for (ask, answer) in answers.iter().enumerate() {
            if let Some(answer) = answer {
                self.add(row, &format!("answer.{ask}.{answer}"), times);
            }
        }
    }

    fn add(&mut self, row: &TaskRow, what: &str, times: i64) {
        for area in row.areas.iter().flatten() {
            *self.0.entry((row.campaign, *area, what.to_owned())).or_default() += times;
        }
    }

    /// Moves the numbers at the commit.
    pub fn write(self, tx: &mut Tx) {
        if self.0.values().any(|one| *one != 0) {
            tx.at_commit(self);
        }
    }
}

impl db::AtCommit for Shift {
    fn merge(&mut self, other: Shift) {
        for (cell, number) in other.0 {
            *self.0.entry(cell).or_default() += number;
        }
    }

    fn run(mut self, tx: &mut db::Tx<'_>) -> Result<(), db::DbError> {
        self.0.retain(|_, one| *one != 0);
        store::add_counts(tx, self.0)
    }
}

/// The numbers of a campaign in some areas, by what they count.
pub fn of(
    tx: &mut Tx,
    campaign: CampaignId,
    areas: &[AreaId],
) -> Result<BTreeMap<AreaId, BTreeMap<String, i64>>, Fault> {
    store::counts(tx, campaign, areas)
}
