//! The demo: a fictional island city, lifelike and from a seed, on a shipped pack. For trying the product, for tests and measurements.
//!
//! Entry points: [`open_place`] (pack and territory in force), [`furnish`] (makes the place once), [`set_passwords`]. Everything is made
//! through the functions of the parts, as an administrator would. Must not hold a real place, person or password.

mod cases;
mod facilities;
mod homes;
mod lot;
mod matters;
mod people;
mod photos;
mod plans;
mod scenes;
mod shape;
mod teams;
mod words;

pub use cases::make as make_cases;
pub use homes::make as make_homes;
pub use people::{DemoAccount, ROLES, set_passwords};
pub use plans::make as make_plans;

use crate::duties;
use crate::platform::{App, Ctx, Fault};
use crate::policy::{self, PackError};
use crate::territory::{self, features::MapFile};
use domain::geo::{Datum, LonLat};
use domain::policy::{Jurisdiction, Name, Source};
use domain::territory::Row;
use lot::Lot;
use serde_json::json;
use shape::{COLUMNS, Island, ROWS};
use std::collections::BTreeMap;

/// The pack the demo runs on.
const PACK: &str = "zhoushan";
/// Division code of the fictional city; no real code begins with 9.
pub const CITY: &str = "9301";
/// Cells of one community: three wide, two high.
const WIDE: usize = 3;
const HIGH: usize = 2;
/// Addresses in one grid.
const ADDRESSES: usize = 5;

fn jurisdiction() -> Jurisdiction {
    Jurisdiction {
        code: CITY.into(),
        name: Name {
            zh: "望海市".into(),
            en: "Wanghai (fictional)".into(),
        },
        number_prefix: "WH".into(),
        center: (122.93, 29.92),
        source: Source::Assumption,
    }
}

/// Brings the demo's pack and what the database holds into force.
pub async fn open_place(app: &App, pack: Option<&std::path::Path>) -> Result<(), PackError> {
    let files = match pack {
        Some(folder) => policy::folder(folder)?,
        None => policy::shipped(PACK)?,
    };
    policy::adopt(app, files, Some(jurisdiction())).await?;
    territory::load(app).await?;
    Ok(())
}

/// Makes the place in an empty database, without cases (see [`make_cases`]), plans (see [`make_plans`]) and families (see [`make_homes`]); whether there was none before. Needs [`open_place`] before.
pub async fn furnish(app: &App, seed: u64) -> Result<bool, Fault> {
    if !territory::current(app).is_empty() {
        return Ok(false);
    }
    let ctx = Ctx::system(app, "demo");
    let grids = make_territory(&ctx, seed).await?;
    make_addresses(&ctx, seed, &grids).await?;
    facilities::make(&ctx, seed).await?;
    people::make(&ctx, seed).await?;
    app.write(&ctx, duties::roll_now).await?;
    Ok(true)
}

/// One grid: its code and its cell.
struct Grid {
    code: String,
    cell: (usize, usize),
}

/// An area with the cells it consists of.
type Shaped = (String, String, Vec<(usize, usize)>);

async fn make_territory(ctx: &Ctx, seed: u64) -> Result<Vec<Grid>, Fault> {
    let (grids, shapes) = layout();
    let rows: Vec<Row> = shapes
        .iter()
        .enumerate()
        .map(|(at, (code, name, _))| Row {
            row: at + 1,
            code: code.clone(),
            name: name.clone(),
        })
        .collect();
    territory::import_areas(ctx, rows, BTreeMap::new(), false).await?;
    let place = jurisdiction();
    let island = Island::new(
        seed,
        LonLat {
            lon: place.center.0,
            lat: place.center.1,
        },
    );
    let features: Vec<serde_json::Value> = shapes
        .iter()
        .map(|(code, name, cells)| {
            let region = island.outline(cells);
            let rings: Vec<Vec<Vec<[f64; 2]>>> = region
                .polygons
                .iter()
                .map(|polygon| {
                    polygon
                        .iter()
                        .map(|ring| ring.iter().map(|at| [at.lon, at.lat]).collect())
                        .collect()
                })
                .collect();
            json!({
                "type": "Feature",
                "properties": { "code": code, "name": name },
                "geometry": { "type": "MultiPolygon", "coordinates": rings },
            })
        })
        .collect();
    let collection = json!({ "type": "FeatureCollection", "features": features }).to_string();
    territory::import_boundaries(ctx, MapFile::new("boundaries", collection), Datum::Wgs84, false).await?;
    let map = territory::current(&ctx.app);
    let kinds = words::TOWNS
        .iter()
        .filter_map(|(suffix, _, kind, _)| Some((map.by_code(&format!("{CITY}01{suffix}"))?.id, *kind)));
    territory::set_kinds(ctx, kinds.collect()).await?;
    Ok(grids)
}

/// Four towns side by side in two rows, each of four communities, each of six grids.
fn layout() -> (Vec<Grid>, Vec<Shaped>) {
    let mut grids = Vec::new();
    let all = (0..COLUMNS).flat_map(|i| (0..ROWS).map(move |j| (i, j))).collect();
    let mut shapes: Vec<Shaped> = vec![(CITY.to_owned(), jurisdiction().name.zh, all)];
    for (at, (suffix, name, _, communities)) in words::TOWNS.iter().enumerate() {
        let town = format!("{CITY}01{suffix}");
        let (left, bottom) = (at % 2 * WIDE * 2, at / 2 * HIGH * 2);
        let mut town_cells = Vec::new();
        let mut below: Vec<Shaped> = Vec::new();
        for (which, community) in communities.iter().enumerate() {
            let code = format!("{town}{:03}", which + 1);
            let (west, south) = (left + which % 2 * WIDE, bottom + which / 2 * HIGH);
            let cells: Vec<(usize, usize)> = (0..HIGH)
                .flat_map(|y| (0..WIDE).map(move |x| (west + x, south + y)))
                .collect();
            let short = community.trim_end_matches("社区");
            for (cell, ordinal) in cells.iter().zip(words::ORDINALS) {
                let grid = format!("{code}{:03}", 1 + grids.len() % words::ORDINALS.len());
                below.push((grid.clone(), format!("{short}第{ordinal}网格"), vec![*cell]));
                grids.push(Grid {
                    code: grid,
                    cell: *cell,
                });
            }
            below.push((code, (*community).to_owned(), cells.clone()));
            town_cells.extend(cells);
        }
        shapes.push((town, (*name).to_owned(), town_cells));
        shapes.extend(below);
    }
    (grids, shapes)
}

async fn make_addresses(ctx: &Ctx, seed: u64, grids: &[Grid]) -> Result<(), Fault> {
    let map = territory::current(&ctx.app);
    let place = jurisdiction();
    let island = Island::new(
        seed,
        LonLat {
            lon: place.center.0,
            lat: place.center.1,
        },
    );
    let mut list = Vec::new();
    for grid in grids {
        let Some(area) = map.by_code(&grid.code) else { continue };
        let chain = map.chain(area.id);
        let above: String = chain
            .iter()
            .skip(1)
            .take(chain.len().saturating_sub(2))
            .map(|area| area.name.as_str())
            .collect();
        let mut lot = Lot::of(seed, &format!("addresses {}", grid.code));
        for _ in 0..ADDRESSES {
            let text = format!("{above}{}", words::house(&mut lot));
            let at = island.point_in(grid.cell, &mut lot);
            list.push(territory::Address {
                text,
                area: area.id,
                at: Some(at),
            });
        }
    }
    territory::add_addresses(ctx, list).await?;
    Ok(())
}
