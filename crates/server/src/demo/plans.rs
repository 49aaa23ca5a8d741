//! Dwellings of the fictional place, and two rival plans for its first town: today's grids put right with the least change, and grids drawn anew.
//!
//! Houses stand along invented streets and in invented compounds and villages; today's grids are uneven, as grids that grew are.

use super::lot::Lot;
use super::shape::Island;
use super::{CITY, Grid, jurisdiction, layout, words};
use crate::plans::{self, GoalWish, NewPlan, Options, Origin, draw};
use crate::platform::{App, Ctx, Fault};
use crate::territory::dwellings::maps::{self, BARRIER_ROADS, Communities, Files, How};
use crate::territory::features::{Feature, MapFile};
use crate::territory::{self, dwellings};
use domain::geo::{Datum, LonLat};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Houses of a grid, at least, and how many more at most.
const HOUSES: (usize, usize) = (22, 12);
/// Metres that houses keep from each other.
const APART: f64 = 70.0;
/// Metres from the middle of a house to its wall.
const HALF_HOUSE: f64 = 14.0;
const METRES_PER_DEGREE: f64 = 111_000.0;
/// Houses that stand together in one compound, village or along one street.
const TOGETHER: usize = 7;

/// Makes them once the place is furnished.
pub async fn make(app: &App, seed: u64) -> Result<(), Fault> {
    let ctx = Ctx::system(app, "demo");
    let town = format!("{CITY}01{}", words::TOWNS[0].0);
    let (grids, _) = layout();
    let buildings = buildings(&ctx, seed, &grids);
    let known = dwellings::known_communities(&ctx)?;
    let graph = tokio::task::spawn_blocking(move || graph(buildings, known)).await;
    let report = dwellings::import(&ctx, graph.map_err(Fault::internal)??, false).await?;
    if let Some(problem) = report.problems.first() {
        return Err(Fault::internal(format!("a dwelling of the demo: {}", problem.message)));
    }
    let Some(area) = territory::current(app).by_code(&town).map(|area| area.id) else {
        return Ok(());
    };
    for (name, origin, goal, note) in [
        (
            "方案甲：少动住户",
            Origin::Redraw,
            GoalWish::Mixed,
            "在现有网格上调整，换网格的户数最少。",
        ),
        (
            "方案乙：重新划分",
            Origin::Draw,
            GoalWish::LeastWalking,
            "不受现有网格限制，步行最短。",
        ),
    ] {
        let new = NewPlan {
            name: name.to_owned(),
            area,
            origin,
            from: None,
            options: Options {
                goal,
                seed: 1,
                ..Options::default()
            },
            note: note.to_owned(),
        };
        let made = ctx.app.write(&ctx, move |ctx, tx| plans::insert(ctx, tx, new)).await?;
        draw::now(&ctx, made.id, origin).await?;
    }
    Ok(())
}

fn graph(buildings: String, known: Vec<Feature>) -> Result<dwellings::Graph, Fault> {
    let how = How {
        own: Datum::Wgs84,
        others: Datum::Wgs84,
        id_column: None,
        households_column: None,
        households_total: None,
        barrier_roads: BARRIER_ROADS.map(str::to_owned).into(),
        footbridges: false,
        cells: true,
    };
    let files = Files {
        buildings: MapFile::new("buildings", buildings),
        communities: Communities::Known(known),
        roads: None,
        water: None,
        compounds: None,
    };
    Ok(maps::graph(&files, &how)?)
}

/// The houses of all grids as GeoJSON.
fn buildings(ctx: &Ctx, seed: u64, grids: &[Grid]) -> String {
    let map = territory::current(&ctx.app);
    let place = jurisdiction();
    let center = LonLat {
        lon: place.center.0,
        lat: place.center.1,
    };
    let island = Island::new(seed, center);
    let mut features: Vec<Value> = Vec::new();
    for grid in grids {
        let rural = map
            .by_code(&grid.code)
            .is_some_and(|area| area.kind.as_deref() == Some("rural"));
        let mut lot = Lot::of(seed, &format!("dwellings {}", grid.code));
        // In town 6 to 15 households a house, in the country 3 to 7: grids that grew are uneven.
        let (least, more) = if rural {
            (3, 3 + lot.below(3))
        } else {
            (6, 3 + lot.below(8))
        };
        let mut stand: Vec<LonLat> = Vec::new();
        let wanted = HOUSES.0 + lot.below(HOUSES.1 + 1);
        for _ in 0..4 * wanted {
            let at = island.point_in(grid.cell, &mut lot);
            if stand.len() < wanted && stand.iter().all(|other| other.metres_to(at) > APART) {
                stand.push(at);
            }
        }
        let groups = grouped(&stand);
        let names: HashMap<usize, &str> = groups
            .iter()
            .map(|group| (*group, words::group(rural, &mut lot)))
            .collect();
        for (nth, (at, group)) in stand.iter().zip(&groups).enumerate() {
            let households = least + lot.below(more + 1);
            let name = names.get(group).copied().unwrap_or_default();
            let mut properties = json!({
                "code": format!("{}-{:02}", grid.code, nth + 1),
                "name": format!("{name}{}号", nth + 1),
                "households": households,
                "pop": households * 5 / 2 + lot.below(4),
                "enterprises": usize::from(lot.below(6) == 0),
                "levels": if rural { 2 } else { 4 + lot.below(3) },
            });
            properties[if rural { "village" } else { "addr:street" }] = name.into();
            features.push(json!({ "type": "Feature", "properties": properties, "geometry": house(*at) }));
        }
    }
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// A group for each house: the first few not yet in one, with what stands nearest.
fn grouped(stand: &[LonLat]) -> Vec<usize> {
    let mut of: Vec<Option<usize>> = vec![None; stand.len()];
    for first in 0..stand.len() {
        if of[first].is_some() {
            continue;
        }
        let mut free: Vec<usize> = (first..stand.len()).filter(|at| of[*at].is_none()).collect();
        free.sort_by(|a, b| {
            stand[first]
                .metres_to(stand[*a])
                .total_cmp(&stand[first].metres_to(stand[*b]))
        });
        for at in free.into_iter().take(TOGETHER) {
            of[at] = Some(first);
        }
    }
    of.into_iter().flatten().collect()
}

fn house(at: LonLat) -> Value {
    let (y, x) = (
        HALF_HOUSE / METRES_PER_DEGREE,
        HALF_HOUSE / METRES_PER_DEGREE / at.lat.to_radians().cos(),
    );
    let corner = |dx: f64, dy: f64| [at.lon + dx, at.lat + dy];
    let ring = [
        corner(-x, -y),
        corner(x, -y),
        corner(x, y),
        corner(-x, y),
        corner(-x, -y),
    ];
    json!({ "type": "Polygon", "coordinates": [ring] })
}
