//! The graph of dwellings from maps: buildings or a list of positions, communities, roads, water.
//!
//! Entry points: [`made`] (the graph on a plane that touches the earth in the middle of the town; `wangge plan ground` writes it as tables),
//! [`graph`] (the same as dwellings to import). Every assumption and every row that was mended or left out is in the [`Report`].
//! Must not read a file or ask a database: it is given bytes.

mod frame;
mod report;
mod town;

pub use report::{Problem, Report};
pub use town::{Home, Streets};

use super::import::{Graph, NewDwelling, NewLink, RowNote};
use crate::platform::{Fault, Lang};
use crate::territory::features::{self, Feature, MapFile, Want};
use crate::territory::import::GeoJson;
use domain::geo::{Datum, LonLat, Region};
use frame::{Frame, Slip};
use report::Warning;
use solver::ground::{self, Area, Ground, Input, Polygon};
use std::collections::BTreeSet;
use town::Homes;

/// Share of dwellings outside every community from which on the maps are compared.
const MANY_OUTSIDE: f64 = 0.05;
/// Metres that an estimated shift may differ from that of the Chinese map datum.
const LIKE: f64 = 60.0;
/// Rows of one kind of trouble named in the report of an import.
const NAMED: usize = 20;
/// Classes of roads that are barriers unless others are named.
pub const BARRIER_ROADS: [&str; 5] = ["motorway", "motorway_link", "trunk", "trunk_link", "primary"];

/// Why no graph could be made.
#[derive(Debug)]
pub enum BadMap {
    /// A file cannot be read; its name.
    File(String, Fault),
    /// Something else, both languages.
    Said(String),
}

impl std::fmt::Display for BadMap {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            BadMap::File(name, fault) => {
                let (zh, en) = (fault.view(Lang::Zh).message, fault.view(Lang::En).message);
                write!(f, "{name}: {zh} · {en}")
            }
            BadMap::Said(text) => f.write_str(text),
        }
    }
}

impl From<BadMap> for Fault {
    fn from(bad: BadMap) -> Fault {
        match bad {
            BadMap::File(name, fault) => fault.field(name),
            BadMap::Said(text) => Fault::invalid("buildings", "map_unreadable").with("detail", text),
        }
    }
}

/// Where the communities come from.
#[derive(Debug, Clone)]
pub enum Communities {
    /// A file; none: all is one.
    File(Option<MapFile>),
    /// Those of the territory, in WGS-84.
    Known(Vec<Feature>),
}

/// All files.
#[derive(Debug, Clone)]
pub struct Files {
    pub buildings: MapFile,
    pub communities: Communities,
    pub roads: Option<MapFile>,
    pub water: Option<MapFile>,
    pub compounds: Option<MapFile>,
}

/// How they are read.
#[derive(Debug, Clone)]
pub struct How {
    /// Datum of the buildings, of the other files.
    pub own: Datum,
    pub others: Datum,
    pub id_column: Option<String>,
    pub households_column: Option<String>,
    /// Households in all, shared out by floor area.
    pub households_total: Option<u64>,
    /// Classes of roads that are barriers.
    pub barrier_roads: BTreeSet<String>,
    pub footbridges: bool,
    /// Whether the ground of each dwelling is wanted, too.
    pub cells: bool,
}

/// All that was read, in the plane.
pub struct Town {
    pub frame: Frame,
    pub homes: Vec<Home>,
    pub input: Input,
    pub community_names: Vec<String>,
    community_totals: Vec<Option<f64>>,
    pub compound_names: Vec<String>,
    pub streets: Streets,
}

/// The town and its graph. Households where the file has none come from totals.
pub fn made(files: &Files, how: &How, report: &mut Report) -> Result<(Town, Ground), BadMap> {
    let mut town = read(files, how, report)?;
    let ground = ground::build(&town.input).map_err(|why| BadMap::Said(report::refused(why)))?;
    households(how, &mut town, &ground, report);
    report.ground(&town.input, &ground, town.frame);
    Ok((town, ground))
}

fn read(files: &Files, how: &How, report: &mut Report) -> Result<Town, BadMap> {
    let mut buildings = opened(&files.buildings, Want::POINTS_OR_AREAS)?;
    report.rows = buildings.len();
    let nowhere = || {
        BadMap::Said(format!(
            "{}: 没有可用的坐标 · no position that can be used",
            files.buildings.name
        ))
    };
    let (frame, swapped) = Frame::of(&buildings).ok_or_else(nowhere)?;
    if swapped {
        report.warn(Warning::AllSwapped);
    }
    place(&mut buildings, frame, how.own, swapped, "buildings", report);
    let mut streets = Streets::default();
    let columns = (how.id_column.as_deref(), how.households_column.as_deref());
    let Homes {
        homes,
        dwellings,
        found,
    } = town::homes(buildings, columns, &mut streets);
    report.oddities(found);
    let mut input = Input {
        dwellings,
        cells: how.cells,
        ..Input::default()
    };
    let layer = |file: &Option<MapFile>, name, want, report: &mut Report| -> Result<Vec<Feature>, BadMap> {
        let Some(file) = file else { return Ok(Vec::new()) };
        let mut all = opened(file, want)?;
        let swapped = Frame::of(&all).is_some_and(|(_, swapped)| swapped);
        place(&mut all, frame, how.others, swapped, name, report);
        Ok(all)
    };
    let communities = match &files.communities {
        Communities::File(file) => layer(file, "communities", Want::LINES_OR_AREAS, report)?,
        Communities::Known(known) => {
            let mut known = known.clone();
            place(&mut known, frame, Datum::Wgs84, false, "communities", report);
            known
        }
    };
    let (community_names, community_totals) = town::communities(communities, &mut input);
    town::water(layer(&files.water, "water", Want::LINES_OR_AREAS, report)?, &mut input);
    let roads = layer(&files.roads, "roads", Want::LINES, report)?;
    let lines = town::roads(roads, &how.barrier_roads, how.footbridges, &mut streets, &mut input);
    let mut compound_names = Vec::new();
    for feature in layer(&files.compounds, "compounds", Want::AREAS, report)? {
        let kind = feature.first_text(&["landuse", "kind"]);
        if feature.polygons.is_empty() || !(kind.is_empty() || kind == "residential" || kind == "village") {
            continue;
        }
        let name = feature.first_text(&["name", "code"]);
        compound_names.push(if name.is_empty() {
            format!("row{}", feature.row)
        } else {
            name
        });
        input.compounds.push(Area {
            row: feature.row,
            polygons: feature.polygons,
        });
    }
    compare(&input, &lines, frame, report);
    Ok(Town {
        frame,
        homes,
        input,
        community_names,
        community_totals,
        compound_names,
        streets,
    })
}

fn opened(file: &MapFile, want: Want) -> Result<Vec<Feature>, BadMap> {
    features::read(file, want).map_err(|fault| BadMap::File(file.name.clone(), fault))
}

/// Puts a file's features into the plane; those that lie nowhere near are left out.
fn place(all: &mut Vec<Feature>, frame: Frame, datum: Datum, swapped: bool, layer: &'static str, report: &mut Report) {
    all.retain_mut(|feature| match frame.place(feature, datum, swapped) {
        Some(Slip::FarAway) => {
            report.slip(layer, feature.row, Slip::FarAway);
            false
        }
        Some(slip) => {
            report.slip(layer, feature.row, slip);
            true
        }
        None => true,
    });
}

/// Whether buildings, roads and communities were drawn on the same map.
fn compare(input: &Input, roads: &[Vec<[f64; 2]>], frame: Frame, report: &mut Report) {
    let places: Vec<([f64; 2], &[Polygon])> = input
        .dwellings
        .iter()
        .filter_map(|one| {
            let corner = one.outline.iter().flatten().flatten().next().copied();
            Some((one.at.or(corner)?, one.outline.as_slice()))
        })
        .collect();
    let offset = frame.map_offset();
    if let Some(shift) = ground::systematic_shift(&places, roads) {
        let like = |offset: [f64; 2]| (shift.east - offset[0]).hypot(shift.north - offset[1]) < LIKE;
        report.warn(Warning::Shifted {
            shift,
            buildings_gcj02: offset.is_some_and(|[east, north]| like([-east, -north])),
            others_gcj02: offset.is_some_and(like),
        });
    }
    if input.communities.is_empty() {
        return;
    }
    let inside = |shift: [f64; 2]| {
        let moved: Vec<[f64; 2]> = places
            .iter()
            .map(|(at, _)| [at[0] + shift[0], at[1] + shift[1]])
            .collect();
        ground::share_inside(&moved, &input.communities)
    };
    let as_given = inside([0.0, 0.0]);
    if as_given > 1.0 - MANY_OUTSIDE {
        return;
    }
    let better = |shift: [f64; 2]| 1.0 - inside(shift) < (1.0 - as_given) / 3.0;
    let [east, north] = offset.unwrap_or_default();
    report.warn(Warning::Outside {
        share: 1.0 - as_given,
        buildings_gcj02: offset.is_some() && better([-east, -north]),
        others_gcj02: offset.is_some() && better([east, north]),
    });
}

/// Households where the file has none: from the total, or from the communities' own totals.
fn households(how: &How, town: &mut Town, ground: &Ground, report: &mut Report) {
    let members = |region: Option<usize>| -> Vec<usize> {
        let here = ground
            .units
            .iter()
            .filter(|unit| region.is_none_or(|region| unit.region == region));
        here.map(|unit| unit.dwelling).collect()
    };
    if let Some(total) = how.households_total {
        report.shared(None, town::share(total, &mut town.homes, &members(None)));
        return;
    }
    let missing = |town: &Town| town.homes.iter().filter(|home| home.households.is_none()).count();
    if how.households_column.is_none() && missing(town) == town.homes.len() {
        for (region, total) in town.community_totals.clone().into_iter().enumerate() {
            let members = members(Some(region));
            if let (Some(total), false) = (total, members.is_empty()) {
                let shared = town::share(total.round() as u64, &mut town.homes, &members);
                report.shared(town.community_names.get(region).cloned(), shared);
            }
        }
    }
    report.without_households(missing(town));
}

/// A region of the territory as a community of this name.
pub fn community(row: usize, code: &str, region: &Region) -> Feature {
    let mut properties = serde_json::Map::new();
    properties.insert("code".to_owned(), code.into());
    let ring = |ring: &Vec<LonLat>| ring.iter().map(|at| [at.lon, at.lat]).collect();
    Feature {
        row,
        properties,
        polygons: region
            .polygons
            .iter()
            .map(|rings| rings.iter().map(ring).collect())
            .collect(),
        ..Feature::default()
    }
}

/// GeoJSON of shapes in the plane; none where they are not sound.
fn in_degrees(frame: Frame, polygons: &[Polygon]) -> Option<String> {
    let ring = |ring: &Vec<[f64; 2]>| -> Vec<LonLat> {
        let first = ring.first().filter(|first| ring.last() != Some(first));
        ring.iter().chain(first).map(|p| frame.to_degrees(*p)).collect()
    };
    let polygons: Vec<Vec<Vec<LonLat>>> = polygons.iter().map(|rings| rings.iter().map(ring).collect()).collect();
    let sound = !polygons.is_empty() && polygons.iter().flatten().all(|ring| ring.len() > 3);
    sound
        .then(|| serde_json::to_string(&GeoJson::of(&Region { polygons })).ok())
        .flatten()
}

/// The ground nearest to each of the positions of one community, as GeoJSON, and its square metres: within its border, or, where that is not known, as far as
/// [`ground::RIM`] around them. None for a position outside the border.
pub fn cells(positions: &[LonLat], border: Option<&Region>) -> Vec<Option<(String, f64)>> {
    let mut features: Vec<Feature> = positions
        .iter()
        .map(|at| Feature {
            points: vec![[at.lon, at.lat]],
            ..Feature::default()
        })
        .collect();
    let mut found = vec![None; positions.len()];
    let Some((frame @ Frame::Degrees { .. }, _)) = Frame::of(&features) else {
        return found;
    };
    let mut community = border.map(|border| community(0, "", border));
    for one in features.iter_mut().chain(&mut community) {
        // Nothing is left out: what lies far from its own community is outside its border.
        let _ = frame.place(one, Datum::Wgs84, false);
    }
    let dwelling = |(row, one): (usize, Feature)| ground::Dwelling {
        row,
        at: one.points.first().copied(),
        ..ground::Dwelling::default()
    };
    let input = Input {
        dwellings: features.into_iter().enumerate().map(dwelling).collect(),
        communities: community
            .map(|one| Area {
                row: 0,
                polygons: one.polygons,
            })
            .into_iter()
            .collect(),
        cells: true,
        ..Input::default()
    };
    if let Ok(ground) = ground::build(&input) {
        for (unit, cell) in ground.units.iter().zip(&ground.cells) {
            found[unit.dwelling] = in_degrees(frame, cell).map(|cell| (cell, unit.area));
        }
    }
    found
}

/// The graph as dwellings to import. Positions must have been degrees.
pub fn graph(files: &Files, how: &How) -> Result<Graph, BadMap> {
    let mut report = Report::default();
    let (town, ground) = made(files, how, &mut report)?;
    if matches!(town.frame, Frame::Metres { .. }) {
        return Err(BadMap::Said("坐标须是经纬度 · positions must be degrees".to_owned()));
    }
    let shape = |polygons: &[Polygon]| in_degrees(town.frame, polygons);
    let whole = |value: f64| value.round().clamp(0.0, 1e12) as i64;
    let known = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut dwellings = Vec::with_capacity(ground.units.len());
    for (at, unit) in ground.units.iter().enumerate() {
        let home = &town.homes[unit.dwelling];
        dwellings.push(NewDwelling {
            row: home.row,
            code: home.id.clone(),
            name: known(&home.name).unwrap_or_else(|| home.id.clone()),
            community: town.community_names.get(unit.region).cloned().unwrap_or_default(),
            at: town.frame.to_degrees(unit.at),
            outline: shape(&town.input.dwellings[unit.dwelling].outline),
            cell: ground.cells.get(at).and_then(|cell| shape(cell)),
            land_area: unit.area,
            floor_area: home.ground * home.levels.unwrap_or(1.0),
            households: whole(home.households.unwrap_or(0.0)),
            people: whole(home.pop),
            enterprises: whole(home.enterprises),
            spread: home.shared,
            lift: None,
            compound: unit
                .compound
                .and_then(|at| town.compound_names.get(at as usize).cloned()),
            village: known(&home.village),
            street: unit.street.and_then(|street| known(town.streets.name(street))),
        });
    }
    let links = ground.edges.iter().map(|edge| NewLink {
        u: edge.u as u32,
        v: edge.v as u32,
        shared_m: edge.shared,
        weight: edge.w,
        barrier: edge.barrier,
    });
    let note = |(code, problem): (&&'static str, &Problem)| RowNote {
        code: (*code).to_owned(),
        message: problem.means.to_owned(),
        left_out: problem.left_out,
        count: problem.count,
        rows: problem
            .rows
            .iter()
            .take(NAMED)
            .map(|row| format!("{} {} {}", row.layer, row.row, row.detail))
            .collect(),
    };
    Ok(Graph {
        dwellings,
        links: links.collect(),
        notes: report.problems.iter().map(note).collect(),
        assumptions: report.assumptions,
        warnings: report.warnings,
        rows: report.rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_border_the_ground_reaches_a_little_around_the_positions() {
        let at = |east: f64, north: f64| LonLat {
            lon: 122.3 + east * 1e-3,
            lat: 29.9 + north * 1e-3,
        };
        let positions = [at(0.0, 0.0), at(1.0, 0.1), at(0.2, 1.0), at(1.1, 1.2), at(0.0, 0.0)];
        let cells = cells(&positions, None);
        for (cell, own) in cells.iter().zip(positions) {
            let shape: GeoJson = serde_json::from_str(&cell.as_ref().expect("ground").0).unwrap();
            let region = shape.into_region();
            let reach = region.points().map(|p| p.metres_to(own)).fold(0.0, f64::max);
            assert!(reach > 20.0 && reach < 200.0, "{reach}");
        }
        assert!(super::cells(&[], None).is_empty());
        assert!(super::cells(&positions[..1], None)[0].is_some());
        assert!(super::cells(&positions[..2], None).iter().all(Option::is_some));
    }
}
