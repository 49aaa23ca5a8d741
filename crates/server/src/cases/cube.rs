//! Counts of cases, kept in the transaction that changes a case, so that a figure costs the same however many cases there are.
//!
//! Entry point: [`shift`], the only writer; every change of a case goes through it with the facts before and after. A case adds 1 to
//! each of its [`cells`], in each area it lies in. Two sorts of measure:
//! - how many there are now (`day` 0): `state`, `open`, `late`; `open_since`, open now by the day it was received, for ages; and `due`, open
//!   and not late by the hour of its deadline (hours since 1970-01-01 in `day`), for what is due soon;
//! - what happened on a day (`day` = days since 1970-01-01 in +08:00): `received`, `handled`, `handled_on_time`,
//!   `handled_answered` (counted on the day of handling), `answered`, `closed`, `declined`, `withdrawn`.
//!
//! A case that a new division of the place moved ([`Stay`]) is counted where it lay on the day of each thing that happened, so that
//! figures of a past day keep the borders of that day.
//!
//! Dimensions: `team` (the visiting team that heard it, where one did; only for it also `on_the_spot`, on the day of receiving), `all` (key empty), `state`, `category`, `unit`, `channel`, `level` (depth of the unit that resolved it), `category_level` (`CATEGORY/DEPTH`, for the funnel per class of matter), and `cell` (the
//! square of the fixed grid a matter of a public kind lies in, for the public map; only of the top area, by days [`BLOCK`] long). Cells that a recount
//! from the table `cases` would not give do not exist: a test recounts.

use super::record::{CaseRow, Stay};
use super::store;
use crate::platform::*;
use domain::cases::StateKey;
use domain::geo::LonLat;
use domain::time::{HOUR_MS, Timestamp};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};

/// One counter: measure, dimension, key, day.
pub type Cell = (&'static str, &'static str, String, i64);

/// Where a case lies: the area of each depth.
type Areas = [Option<AreaId>; 5];

/// What is counted about a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    areas: Areas,
    /// Where it lay before: what happened then is counted there.
    past: Vec<Stay>,
    state: StateKey,
    category: String,
    unit: String,
    channel: String,
    /// Empty where no visiting team heard it.
    team: String,
    on_the_spot: bool,
    level: String,
    late: bool,
    on_time: bool,
    /// Hour of the deadline of what is open and not late.
    due: Option<i64>,
    received: i64,
    handled: Option<i64>,
    answered: Option<i64>,
    ended: Option<i64>,
    /// Square of the fixed grid, of what is of a public kind and has a position.
    cell: Option<(i64, i64)>,
}

/// Days counted together on the public map.
pub const BLOCK: i64 = 30;
const CELL: &str = "cell";
/// Measures of how many there are now.
const NOW: [&str; 5] = ["state", "open", "late", "open_since", "due"];

impl Facts {
    /// The facts of a row.
    pub fn of(row: &CaseRow) -> Facts {
        let day = |at: Timestamp| at.day_and_ms().0;
        Facts {
            areas: row.areas,
            past: row.past.clone(),
            state: row.state,
            category: row.category_code.clone().unwrap_or_default(),
            unit: row.unit_id.map(|u| u.to_string()).unwrap_or_default(),
            channel: row.channel.clone(),
            team: row.team_id.map(|t| t.to_string()).unwrap_or_default(),
            on_the_spot: row.kind == "on_the_spot",
            level: row.level_resolved.map(|l| l.to_string()).unwrap_or_default(),
            late: row.late,
            on_time: row.on_time == Some(true),
            due: row.due_at.filter(|_| row.is_open() && !row.late).map(hour),
            received: day(row.received_at),
            handled: row.handled_at.map(day),
            answered: row.answered_at.map(day),
            ended: row.ended_at.map(day),
            cell: row
                .lon
                .zip(row.lat)
                .filter(|_| row.public)
                .map(|(lon, lat)| LonLat { lon, lat }.cell()),
        }
    }

    /// The counters this case adds 1 to, in each area: squares in the top one only.
    pub fn counted(&self) -> Vec<(AreaId, Cell)> {
        let mut all = Vec::new();
        for cell in self.cells() {
            all.extend(counted_in(self.areas_of(&cell), &cell).map(|area| (area, cell.clone())));
        }
        all
    }

    /// The areas a counter is kept in: for what happened on a day those of that day, for what is now those of now.
    fn areas_of(&self, (measure, _, _, day): &Cell) -> &Areas {
        if NOW.contains(measure) {
            return &self.areas;
        }
        self.past
            .iter()
            .find(|stay| *day < stay.before)
            .map_or(&self.areas, |stay| &stay.areas)
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = vec![("state", "state", self.state.key().to_owned(), 0)];
        // A merged case's reports count in the case they went to.
        if self.state == StateKey::Merged {
            return cells;
        }
        let mut spread = |measure: &'static str, day: i64, level: bool| {
            cells.push((measure, "all", String::new(), day));
            cells.push((measure, "category", self.category.clone(), day));
            cells.push((measure, "unit", self.unit.clone(), day));
            cells.push((measure, "channel", self.channel.clone(), day));
            if !self.team.is_empty() {
                cells.push((measure, "team", self.team.clone(), day));
            }
            if level {
                cells.push((measure, "level", self.level.clone(), day));
                cells.push((
                    measure,
                    "category_level",
                    format!("{}/{}", self.category, self.level),
                    day,
                ));
            }
        };
        spread("received", self.received, false);
        if self.state.is_open() {
            spread("open", 0, false);
            if self.late {
                spread("late", 0, false);
            }
        }
        if let Some(day) = self.handled {
            spread("handled", day, false);
            if self.on_time {
                spread("handled_on_time", day, false);
            }
        }
        if let (Some(day), Some(_)) = (self.handled, self.answered) {
            spread("handled_answered", day, false);
        }
        if let Some(day) = self.answered {
            spread("answered", day, false);
        }
        let end = match self.state {
            StateKey::Closed => Some(("closed", true)),
            StateKey::Declined => Some(("declined", false)),
            StateKey::Withdrawn => Some(("withdrawn", false)),
            _ => None,
        };
        if let (Some((measure, level)), Some(day)) = (end, self.ended) {
            spread(measure, day, level);
        }
        if let Some((x, y)) = self.cell.filter(|_| self.state != StateKey::Withdrawn) {
            cells.push((
                "received",
                CELL,
                format!("{x}/{y}"),
                self.received.div_euclid(BLOCK) * BLOCK,
            ));
        }
        if self.on_the_spot && !self.team.is_empty() && self.state != StateKey::Merged {
            cells.push(("on_the_spot", "team", self.team.clone(), self.received));
        }
        if let Some(hour) = self.due {
            cells.push(("due", "all", String::new(), hour));
        }
        if self.state.is_open() {
            cells.push(("open_since", "all", String::new(), self.received));
            cells.push(("open_since", "category", self.category.clone(), self.received));
        }
        cells
    }
}

/// Hours since 1970-01-01 in UTC: the `day` of the measure `due`.
pub fn hour(at: Timestamp) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// How many matters of public kinds came in, by square of the fixed grid, in the last year or a little more: the last 13 blocks of days.
pub fn public_cells(ctx: &Ctx, tx: &mut Tx, top: AreaId) -> Result<Vec<((i64, i64), u64)>, Fault> {
    const BLOCKS: i64 = 13;
    let (today, _) = ctx.now.day_and_ms();
    let from = (today.div_euclid(BLOCK) + 1 - BLOCKS) * BLOCK;
    let counted = store::cells_of(tx, top, "received", CELL, Some((from, today)))?;
    let read = |(key, n): (String, i64)| {
        let (x, y) = key.split_once('/')?;
        Some(((x.parse().ok()?, y.parse().ok()?), u64::try_from(n).ok()?))
    };
    Ok(counted.into_iter().filter_map(read).collect())
}

/// Moves the counters from the facts before a change to those after it, at the commit.
pub fn shift(tx: &mut Tx, before: Option<&Facts>, after: Option<&Facts>) {
    let before = before.map(|facts| (facts, -1));
    tx.at_commit(Shift::of(before.into_iter().chain(after.map(|facts| (facts, 1)))));
}

/// Counts many new cases, at the commit.
pub fn count(tx: &mut Tx, new: impl IntoIterator<Item = Facts>) {
    tx.at_commit(Shift::of(new.into_iter().map(|facts| (facts, 1))));
}

/// The counters of cases as they stand, so many of each, written at once.
pub fn write_counts(tx: &mut db::Tx<'_>, of: impl IntoIterator<Item = (Facts, i64)>) -> Result<(), db::DbError> {
    db::AtCommit::run(Shift::of(of), tx)
}

/// What is added to the counters, by the areas it is added in. Cases of one commit mostly move the same ones: each is written once for
/// all of them.
#[derive(Default)]
pub struct Shift(HashMap<Areas, HashMap<Cell, i64>>);

impl Shift {
    fn of(all: impl IntoIterator<Item = (impl Borrow<Facts>, i64)>) -> Shift {
        let mut shift = Shift::default();
        for (facts, n) in all {
            let facts = facts.borrow();
            if facts.past.is_empty() {
                shift.add(facts.areas, facts.cells().into_iter().map(|cell| (cell, n)));
            } else {
                facts
                    .cells()
                    .into_iter()
                    .for_each(|cell| shift.add(*facts.areas_of(&cell), [(cell, n)]));
            }
        }
        shift
    }

    fn add(&mut self, areas: Areas, cells: impl IntoIterator<Item = (Cell, i64)>) {
        let here = self.0.entry(areas).or_default();
        for (cell, n) in cells {
            *here.entry(cell).or_default() += n;
        }
    }
}

impl db::AtCommit for Shift {
    fn merge(&mut self, other: Shift) {
        for (areas, cells) in other.0 {
            self.add(areas, cells);
        }
    }

    fn run(self, tx: &mut db::Tx<'_>) -> Result<(), db::DbError> {
        let mut changes = BTreeMap::new();
        for (areas, cells) in self.0 {
            for (cell, n) in cells.into_iter().filter(|(_, n)| *n != 0) {
                for area in counted_in(&areas, &cell) {
                    *changes.entry((area, cell.clone())).or_default() += n;
                }
            }
        }
        changes.retain(|_, n| *n != 0);
        store::add_to_cells(tx, changes)
    }
}

/// The areas a cell is counted in: squares in the top one only.
fn counted_in(areas: &Areas, cell: &Cell) -> impl Iterator<Item = AreaId> {
    let most = if cell.1 == CELL { 1 } else { areas.len() };
    areas.iter().flatten().copied().take(most)
}
