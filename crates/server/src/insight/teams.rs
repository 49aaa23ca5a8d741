//! What visiting teams heard in a period and what became of it (LH-22): in an area, team by team.
//!
//! Entry point: [`teams`]. The numbers are the counters of `cases::cube` by the dimension `team`, however many cases there are.

use super::Period;
use crate::cases;
use crate::platform::{AreaId, Ctx, Fault, TeamId, Tx};
use crate::territory::{self, Area};
use crate::workforce::{self, teams::Team};
use std::collections::HashMap;

/// What one team heard. "Of the period" means received, or handled, on one of its days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Heard in the period.
    pub heard: i64,
    /// Of these answered on the spot.
    pub on_the_spot: i64,
    /// Open now, whenever heard.
    pub open: i64,
    /// Late now.
    pub late: i64,
    /// Handled in the period.
    pub handled: i64,
    /// Of these within the limit.
    pub handled_on_time: i64,
    /// Of these with an answer given.
    pub handled_answered: i64,
}

/// A team with its counts and the names of its unit and liaison.
#[derive(Debug, Clone)]
pub struct TeamRow {
    pub team: Team,
    pub unit: String,
    pub liaison: String,
    pub counts: Counts,
}

/// A measure of the counters, whether it is of the period's days, and where its number goes.
type Measure = (&'static str, bool, fn(&mut Counts) -> &mut i64);

const MEASURES: [Measure; 7] = [
    ("received", true, |counts| &mut counts.heard),
    ("on_the_spot", true, |counts| &mut counts.on_the_spot),
    ("open", false, |counts| &mut counts.open),
    ("late", false, |counts| &mut counts.late),
    ("handled", true, |counts| &mut counts.handled),
    ("handled_on_time", true, |counts| &mut counts.handled_on_time),
    ("handled_answered", true, |counts| &mut counts.handled_answered),
];

/// The teams that visit an area in scope, those in force and those that heard something; in the order of their names.
///
/// Errors: `not_found` for an area that is absent or out of scope.
pub fn teams(ctx: &Ctx, tx: &mut Tx, area: Option<AreaId>, period: Period) -> Result<(Area, Vec<TeamRow>), Fault> {
    let map = territory::current(&ctx.app);
    let area = super::chosen(ctx, &map, area)?.clone();
    let mut counts: HashMap<TeamId, Counts> = HashMap::new();
    for (measure, of_period, place) in MEASURES {
        let days = of_period.then_some((period.from, period.to));
        for (key, n) in cases::cells_of(tx, area.id, measure, "team", days)? {
            let team: TeamId = key.parse().map_err(Fault::internal)?;
            *place(counts.entry(team).or_default()) += n;
        }
    }
    let today = ctx.now.date();
    let visits = |team: &Team| {
        let meets = |own: &AreaId| map.is_under(*own, area.id) || map.is_under(area.id, *own);
        team.term.covers(today) && team.areas.iter().any(meets)
    };
    let mut found = workforce::teams::teams(tx, ctx.now)?;
    found.retain(|team| counts.contains_key(&team.id) || visits(team));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let units = workforce::unit_names(tx, &found.iter().map(|team| team.unit).collect::<Vec<_>>())?;
    let people = workforce::worker_names(tx, &found.iter().map(|team| team.liaison).collect::<Vec<_>>())?;
    let row = |team: Team| TeamRow {
        unit: units.get(&team.unit).cloned().unwrap_or_default(),
        liaison: people.get(&team.liaison).cloned().unwrap_or_default(),
        counts: counts.get(&team.id).cloned().unwrap_or_default(),
        team,
    };
    Ok((area, found.into_iter().map(row).collect()))
}
