//! Facilities of the fictional place: a service station in each community for everybody, what partners look after, what only staff know.

use super::lot::Lot;
use crate::platform::{Ctx, Fault};
use crate::territory::{self, Area, facilities};
use domain::geo::{LonLat, Region};

/// What stands in each community: its kind, for whom it is seen, opening hours, whether its outline is known, in which of its grids, and how far
/// (degrees) aside of the grid's middle.
const KINDS: [(&str, &str, &str, bool, usize, f64); 6] = [
    ("便民服务站", "public", "工作日 8:30-17:00", true, 0, 0.0),
    ("公共厕所", "public", "全天", false, 1, 0.0),
    ("社区卫生服务站", "public", "每天 8:00-20:00", true, 2, 0.0),
    (
        "垃圾分类投放点",
        "partner",
        "每天 6:30-9:00、17:30-20:30",
        false,
        3,
        0.0,
    ),
    ("配电房", "staff", "", true, 4, 0.0),
    ("危旧房", "staff", "", true, 0, -0.0006),
];
/// Metres from the middle of a house to its walls, at most.
const HALF_HOUSE: f64 = 18.0;
const METRES_PER_DEGREE: f64 = 111_000.0;

/// Makes them once the areas are there.
pub async fn make(ctx: &Ctx, seed: u64) -> Result<(), Fault> {
    let map = territory::current(&ctx.app);
    let communities = map.areas().iter().filter(|area| area.level == "community");
    let mut rows = Vec::new();
    for area in communities {
        // In the middle of the first grids, so that none stands in the sea or on a line.
        let grids: Vec<&Area> = map.children(Some(area.id)).collect();
        for (kind, audience, hours, outlined, grid, aside) in KINDS {
            let Some(grid) = grids.get(grid) else { continue };
            let Some(at) = grid.center.map(|at| LonLat {
                lon: at.lon + aside,
                ..at
            }) else {
                continue;
            };
            let mut lot = Lot::of(seed, &format!("facility {kind} {}", area.code));
            rows.push(facilities::NewFacility {
                row: rows.len() + 1,
                code: format!("{}-{}", area.code, rows.len() + 1),
                name: name(area, kind),
                kind: kind.to_owned(),
                at: Some(at),
                outline: outlined.then(|| house(at, &mut lot)),
                address: map.full_name(grid.id),
                hours: hours.to_owned(),
                phone: String::new(),
                audience: audience.to_owned(),
            });
        }
    }
    let report = facilities::import(ctx, rows, false).await?;
    match report.problems.first() {
        Some(problem) => Err(Fault::internal(format!("a facility of the demo: {}", problem.message))),
        None => Ok(()),
    }
}

fn name(area: &Area, kind: &str) -> String {
    format!("{}{kind}", area.name.trim_end_matches("社区"))
}

/// A house around a point.
fn house(at: LonLat, lot: &mut Lot) -> Region {
    let mut side = || HALF_HOUSE * (0.7 + 0.3 * lot.swing()) / METRES_PER_DEGREE;
    let (x, y) = (side() / at.lat.to_radians().cos(), side());
    let corner = |dx: f64, dy: f64| LonLat {
        lon: at.lon + dx,
        lat: at.lat + dy,
    };
    Region {
        polygons: vec![vec![vec![
            corner(-x, -y),
            corner(x, -y),
            corner(x, y),
            corner(-x, y),
            corner(-x, -y),
        ]]],
    }
}
