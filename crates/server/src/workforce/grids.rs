//! One worker to a grid (YC-01), a post on every leaf (MG-02): where that is not so, by name.
//!
//! Entry points: [`findings`] (what is wrong today), [`other_grid`] (before somebody is seated). A leaf is an area of the pack's lowest level.
//! Must not: change a post.

use super::moves::GRID;
use super::roster::Roster;
use super::store::Post;
use crate::platform::{AreaId, PostId, WorkerId};
use crate::territory::{Area, Map};
use domain::time::Timestamp;
use domain::workforce::{Appointment, Seat};
use std::collections::BTreeMap;

/// What is wrong at a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub area: AreaId,
    /// `grid_no_post`, `grid_many_posts`, `grid_no_worker` or `grid_shared_worker`.
    pub code: &'static str,
    /// Who has another grid as well.
    pub worker: Option<WorkerId>,
}

/// The posts of a grid's worker; one, where nothing is wrong.
pub fn serving(roster: &Roster, grid: AreaId) -> impl Iterator<Item = &Post> {
    roster.posts_of_area(grid, GRID)
}

/// What is wrong at the grids (`depth` below the root) the caller cares for, in order of the map.
pub fn findings(roster: &Roster, map: &Map, depth: usize, mine: impl Fn(&Area) -> bool, at: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut grids_of: BTreeMap<WorkerId, Vec<AreaId>> = BTreeMap::new();
    for area in map.areas().iter().filter(|area| usize::from(area.depth) == depth) {
        let posts: Vec<PostId> = serving(roster, area.id).map(|post| post.id).collect();
        let holders: Vec<WorkerId> = posts
            .iter()
            .flat_map(|post| roster.seats(*post))
            .filter(|seat| seat.seat == Seat::A && seat.covers(at.date()))
            .map(|seat| seat.worker.into())
            .collect();
        for worker in &holders {
            grids_of.entry(*worker).or_default().push(area.id);
        }
        let code = match (posts.len(), holders.len()) {
            (0, _) => "grid_no_post",
            (1, 0) => "grid_no_worker",
            (1, _) => continue,
            _ => "grid_many_posts",
        };
        if mine(area) {
            found.push(Finding {
                area: area.id,
                code,
                worker: None,
            });
        }
    }
    for (worker, areas) in grids_of.into_iter().filter(|(_, areas)| areas.len() > 1) {
        let here = areas.into_iter().filter(|area| map.area(*area).is_some_and(&mine));
        found.extend(here.map(|area| Finding {
            area,
            code: "grid_shared_worker",
            worker: Some(worker),
        }));
    }
    found
}

/// The grid whose worker somebody is already, on some day of a seat to be taken in another grid's post.
pub fn other_grid(roster: &Roster, post: PostId, seat: &Appointment) -> Option<AreaId> {
    roster.seats_of_worker(seat.worker.into()).find_map(|(other, held)| {
        let apart = held.to.is_some_and(|to| to < seat.from) || seat.to.is_some_and(|to| to < held.from);
        let grid = other.id != post && other.duty == GRID && held.seat == Seat::A && !apart;
        other.area.filter(|_| grid)
    })
}
