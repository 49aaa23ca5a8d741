//! Counts of obligations by area, rule and period, kept in the transaction that changes one.
//!
//! Entry point: [`Shift`]. A recount from the table `obligation` gives the same: a test recounts.

use super::store;
use crate::platform::*;
use std::collections::BTreeMap;

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub owed: i64,
    pub done: i64,
    /// Open now, and after their last day in time.
    pub late: i64,
    /// Not done in their period, made up or not.
    pub missed: i64,
    pub made_up: i64,
}

impl Counted {
    pub fn add(&mut self, other: Counted, times: i64) {
        self.owed += other.owed * times;
        self.done += other.done * times;
        self.late += other.late * times;
        self.missed += other.missed * times;
        self.made_up += other.made_up * times;
    }
}

/// Where a count is kept: area, rule, first day of the period.
pub type Cell = (AreaId, String, i64);

/// What is added to the counts at the commit, once for all closures of it.
#[derive(Default)]
pub struct Shift(BTreeMap<Cell, Counted>);

impl Shift {
    /// One obligation more (`times` 1) or less (-1) in each of its areas.
    pub fn add(&mut self, row: &store::Row, times: i64) {
        for area in row.areas.iter().flatten() {
            let cell = self.0.entry((*area, row.rule.clone(), row.first)).or_default();
            cell.add(row.counted(), times);
        }
    }

    /// Moves the counts at the commit.
    pub fn write(self, tx: &mut Tx) {
        if self.0.values().any(|one| *one != Counted::default()) {
            tx.at_commit(self);
        }
    }
}

impl db::AtCommit for Shift {
    fn merge(&mut self, other: Shift) {
        for (cell, counted) in other.0 {
            self.0.entry(cell).or_default().add(counted, 1);
        }
    }

    fn run(mut self, tx: &mut db::Tx<'_>) -> Result<(), db::DbError> {
        self.0.retain(|_, one| *one != Counted::default());
        store::add_counts(tx, self.0)
    }
}
