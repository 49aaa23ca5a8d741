//! The three maps of a village or community (MG-11), from today's data: its grids on the ground, its organisation, its posts.
//!
//! Entry point: [`routes`]. Bounded by what one community holds. Must not: keep anything; what is printed is what holds when it is asked for.

use super::grids::serving;
use super::http::{UnitView, WorkerBrief, unit_view, worker_brief};
use super::roster::{self, Roster};
use super::store::Post;
use crate::access::Staff;
use crate::platform::http::{Json, Path};
use crate::platform::{App, AreaId, Ctx, Fault, PostId, UnitId};
use crate::policy;
use crate::territory::{self, Area, AreaBrief, Map, dwellings};
use domain::workforce::Seat;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Units above each other at most.
const MOST_STEPS: usize = 8;

/// The routes of this file, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(maps))
}

/// What the three maps of a community show.
#[derive(Debug, Serialize, ToSchema)]
struct AreaMaps {
    area: AreaBrief,
    full_name: String,
    /// From the top, without itself.
    above: Vec<AreaBrief>,
    /// GeoJSON geometry of its border, where known.
    #[schema(value_type = Option<Object>)]
    border: Option<Value>,
    /// Its grids in order of code.
    grids: Vec<GridOnMap>,
    /// Its units and those they belong to.
    units: Vec<UnitOnChart>,
    /// Milliseconds UTC: as of when.
    at: i64,
}

/// A grid with who serves it.
#[derive(Debug, Serialize, ToSchema)]
struct GridOnMap {
    area: AreaBrief,
    /// GeoJSON geometry, where known.
    #[schema(value_type = Option<Object>)]
    outline: Option<Value>,
    dwellings: i64,
    households: i64,
    people: i64,
    posts: Vec<PostOnChart>,
}

/// A unit with its posts.
#[derive(Debug, Serialize, ToSchema)]
struct UnitOnChart {
    unit: UnitView,
    /// The unit it belongs to: its own parent, else the centre of the area above.
    above: Option<UnitId>,
    /// Posts that serve no grid of their own.
    posts: Vec<PostOnChart>,
}

/// A post with who sits in it today; vacant without a holder.
#[derive(Debug, Serialize, ToSchema)]
struct PostOnChart {
    id: PostId,
    name: String,
    duty: String,
    duty_name: String,
    unit_id: UnitId,
    holder: Option<WorkerBrief>,
    stand_in: Option<WorkerBrief>,
}

/// The three maps of a community: grid areas, organisation, posts.
#[utoipa::path(get, path = "/areas/{id}/maps", tag = "place", params(("id" = AreaId, Path)), responses((status = 200, body = AreaMaps)))]
async fn maps(Staff(ctx): Staff, Path(id): Path<AreaId>) -> Result<Json<AreaMaps>, Fault> {
    let depth = dwellings::community_depth(&ctx.app)?;
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let map = territory::current(&ctx.app);
        let area = map.area(id).ok_or_else(Fault::not_found)?;
        if area.depth != depth {
            return Err(Fault::refused("maps_of_a_community"));
        }
        let (counts, roster) = (dwellings::by_grid(tx, id)?, roster::of(tx)?);
        let pack = policy::current(&ctx.app)?;
        let chart = Chart {
            ctx,
            map: &map,
            roster: &roster,
            pack: &pack.pack,
        };
        let grid = |grid: &Area| {
            let count = counts.iter().find(|count| count.area == grid.id);
            Ok(GridOnMap {
                area: territory::brief(ctx, grid),
                outline: map.region(grid.id).map(territory::geojson).transpose()?,
                dwellings: count.map_or(0, |count| count.dwellings),
                households: count.map_or(0, |count| count.households),
                people: count.map_or(0, |count| count.people),
                posts: serving(&roster, grid.id).map(|post| chart.post(post)).collect(),
            })
        };
        let mut above: Vec<AreaBrief> = map
            .chain(id)
            .into_iter()
            .map(|one| territory::brief(ctx, one))
            .collect();
        above.pop();
        Ok(AreaMaps {
            area: territory::brief(ctx, area),
            full_name: map.full_name(id),
            above,
            border: map.region(id).map(territory::geojson).transpose()?,
            grids: map.children(Some(id)).map(grid).collect::<Result<_, Fault>>()?,
            units: chart.units(area),
            at: ctx.now.0,
        })
    });
    Ok(Json(found.await?))
}

struct Chart<'c> {
    ctx: &'c Ctx,
    map: &'c Map,
    roster: &'c Roster,
    pack: &'c domain::policy::Pack,
}

impl Chart<'_> {
    fn post(&self, post: &Post) -> PostOnChart {
        let sits = |at: Seat| {
            let mut seats = self.roster.seats(post.id).iter();
            let seat = seats.find(|seat| seat.seat == at && seat.covers(self.ctx.now.date()))?;
            self.roster.worker(seat.worker.into()).cloned().map(worker_brief)
        };
        let duty = self.pack.duty(&post.duty);
        PostOnChart {
            id: post.id,
            name: post.name.clone(),
            duty_name: duty.map_or_else(
                || post.duty.clone(),
                |duty| self.ctx.lang.pick(&duty.name.zh, &duty.name.en).to_owned(),
            ),
            duty: post.duty.clone(),
            unit_id: post.unit,
            holder: sits(Seat::A),
            stand_in: sits(Seat::B),
        }
    }

    /// Units of a community and of its grids, and upwards those they belong to; by code.
    fn units(&self, community: &Area) -> Vec<UnitOnChart> {
        let mut here: Vec<AreaId> = self.map.children(Some(community.id)).map(|grid| grid.id).collect();
        here.push(community.id);
        let own = self
            .roster
            .candidates(&here, self.ctx.now)
            .into_iter()
            .map(|unit| unit.id);
        let mut above: BTreeMap<UnitId, Option<UnitId>> = BTreeMap::new();
        let mut open: Vec<UnitId> = own.collect();
        for _ in 0..MOST_STEPS {
            let mut next = BTreeSet::new();
            for unit in open {
                if let std::collections::btree_map::Entry::Vacant(entry) = above.entry(unit) {
                    next.extend(*entry.insert(self.over(unit)));
                }
            }
            open = next.into_iter().collect();
        }
        let mut units: Vec<UnitOnChart> = above
            .into_iter()
            .filter_map(|(id, above)| {
                let unit = self.roster.unit(id)?.clone();
                // Of what lies above, only who it is.
                let mine = self.map.is_under(unit.area, community.id);
                let posts = self.roster.all_posts_of_unit(id).filter(|_| mine);
                Some(UnitOnChart {
                    posts: posts
                        .filter(|post| post.duty != super::moves::GRID)
                        .map(|post| self.post(post))
                        .collect(),
                    unit: unit_view(self.ctx, unit),
                    above,
                })
            })
            .collect();
        units.sort_by(|a, b| a.unit.code().cmp(b.unit.code()));
        units
    }

    /// The unit another belongs to: as it says itself, else the nearest centre at its area or above.
    fn over(&self, unit: UnitId) -> Option<UnitId> {
        let own = self.roster.unit(unit)?;
        if own.parent.is_some() {
            return own.parent;
        }
        let centre = own.body == domain::policy::CENTRE_BODY;
        let chain = self.map.chain(own.area).into_iter().rev();
        chain.filter(|area| !centre || area.id != own.area).find_map(|area| {
            let units = self.roster.candidates(&[area.id], self.ctx.now).into_iter();
            let mut centres = units.filter(|one| one.body == domain::policy::CENTRE_BODY);
            centres.next().map(|one| one.id)
        })
    }
}
