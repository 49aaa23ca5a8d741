//! How projects stand: all of those the caller sees, by unit and by leader. Bounded by how many there can be, not by the town.

use super::project::{Reach, YEAR};
use super::store;
use crate::platform::*;
use crate::policy;
use domain::projects::{Phase, Standing};
use std::collections::BTreeMap;

/// How many stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub on_time: i64,
    pub soon: i64,
    pub late: i64,
    pub reported: i64,
    /// Accepted within a year; of these, done after the deadline.
    pub done: i64,
    pub done_late: i64,
}

impl Counts {
    fn add(&mut self, standing: Standing, after_due: bool) {
        match standing {
            Standing::OnTime => self.on_time += 1,
            Standing::Soon => self.soon += 1,
            Standing::Late => self.late += 1,
            Standing::Reported => self.reported += 1,
            Standing::Done => {
                self.done += 1;
                self.done_late += i64::from(after_due);
            }
            Standing::Stopped => {}
        }
    }
}

/// The whole, then by unit and by leader.
#[derive(Debug, Clone, Default)]
pub struct Board {
    pub all: Counts,
    pub units: BTreeMap<UnitId, Counts>,
    pub leaders: BTreeMap<WorkerId, Counts>,
}

/// Open projects, and those accepted within a year.
pub fn board(ctx: &Ctx, tx: &mut Tx) -> Result<Board, Fault> {
    let reach = Reach::of(ctx, tx)?;
    let today = ctx.now.date();
    let soon = policy::current(&ctx.app)?.pack.projects.soon_days;
    let mut board = Board::default();
    for one in store::counted(tx, &reach, ctx.now.day_and_ms().0 - YEAR)? {
        let standing = Standing::of(one.phase, one.due, today, soon);
        let after_due = one.phase == Phase::Accepted && one.reported.is_some_and(|(_, day)| day > one.due);
        board.all.add(standing, after_due);
        board.units.entry(one.unit).or_default().add(standing, after_due);
        board.leaders.entry(one.leader).or_default().add(standing, after_due);
    }
    Ok(board)
}
