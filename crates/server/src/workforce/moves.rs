//! Who goes along when areas are divided anew: posts with those seated in them, units, visiting teams.
//!
//! Entry points: [`posts_in`], [`units_in`], [`teams_in`] (who would be touched), then [`move_post`], [`end_post`], [`again`], [`make_post`],
//! [`move_unit`], [`set_team_areas`]. Whoever divides says where each goes and leaves the mark. Must not: choose.

use super::roster;
pub use super::store::moves::{
    insert_post as make_post, posts_in, replace_team_area, set_team_areas, set_unit_area as move_unit, team_areas,
    teams_in, units_in,
};
use super::store::{AppointmentRow, Post, moves as store};
use crate::platform::{AppointmentId, AreaId, Fault, PostId, Tx, UnitId, WorkerId};
use domain::time::Timestamp;
use jiff::civil::Date;

/// The duty that answers for a grid.
pub const GRID: &str = "grid";

/// Who sits in a post on a day or later.
pub fn seats(tx: &mut Tx, post: PostId, day: Date) -> Result<Vec<AppointmentRow>, Fault> {
    store::seats_after(tx, post, &day.to_string())
}

/// A post serves another area from now on; whoever sits in it goes along.
pub fn move_post(tx: &mut Tx, post: PostId, to: AreaId) -> Result<(), Fault> {
    store::set_post(tx, post, Some(to), None)
}

/// A post is no more from a day on; its seats end the day before. Gives those that ended so, each with the last day it had.
pub fn end_post(tx: &mut Tx, post: PostId, day: Date) -> Result<Vec<(AppointmentId, Option<Date>)>, Fault> {
    let eve = crate::territory::division::eve(day)?.to_string();
    let mut ended = Vec::new();
    for row in store::seats_after(tx, post, &day.to_string())? {
        store::set_last_day(tx, row.id, Some(&eve))?;
        ended.push((row.id, row.appointment.to));
    }
    store::set_post(tx, post, None, Some(&day.to_string()))?;
    Ok(ended)
}

/// A post is there again, at an area.
pub fn again(tx: &mut Tx, post: PostId, area: AreaId) -> Result<(), Fault> {
    store::set_post(tx, post, Some(area), None)
}

/// A seat has the last day it had before.
pub fn reseat(tx: &mut Tx, seat: AppointmentId, to: Option<Date>) -> Result<(), Fault> {
    store::set_last_day(tx, seat, to.map(|day| day.to_string()).as_deref())
}

/// Where the unit that has the grid posts of an area is: of the posts of the duty below it, the unit with the most; none without one.
pub fn unit_of_grids(posts: &[&Post]) -> Option<UnitId> {
    let mut counts = std::collections::BTreeMap::<UnitId, usize>::new();
    for post in posts.iter().filter(|post| post.duty == GRID) {
        *counts.entry(post.unit).or_default() += 1;
    }
    let most = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
    most.map(|(unit, _)| unit)
}

/// The centre that answers for an area, along its chain (top first).
pub fn centre(tx: &mut Tx, chain: &[AreaId], at: Timestamp) -> Result<Option<UnitId>, Fault> {
    let roster = roster::of(tx)?;
    let units = roster.candidates(chain, at);
    let here = |area: &AreaId| {
        let mut centres = units
            .iter()
            .filter(|one| one.area == *area && one.body == domain::policy::CENTRE_BODY);
        centres.next().map(|one| one.id)
    };
    Ok(chain.iter().rev().find_map(here))
}

/// The duty and unit of the post of just this area in which a worker sits now, if it is of this unit.
pub fn own_post(
    tx: &mut Tx,
    worker: WorkerId,
    unit: UnitId,
    area: AreaId,
    at: Timestamp,
) -> Result<Option<String>, Fault> {
    let roster = roster::of(tx)?;
    let mut posts = roster.posts_of_worker(worker, at);
    let own = posts.find(|post| post.unit == unit && post.area == Some(area));
    Ok(own.map(|post| post.duty.clone()))
}
