//! From features to what the graph is made of: which of them are dwellings, barriers, bridges, streets; how many households live where.

use crate::territory::features::Feature;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use solver::ground::{self, Area, Barrier, Bridge, Dwelling, Input, Kind, Street};
use std::collections::{BTreeMap, BTreeSet};

/// Metres of a storey, where only the height is known.
const STOREY: f64 = 3.0;
/// Lines that are barriers; brooks and ditches are not.
const RIVERS: [&str; 2] = ["river", "canal"];
/// Roads without pavement: no bridge for those on foot.
const NOT_WALKED: [&str; 8] = [
    "motorway",
    "motorway_link",
    "ferry",
    "subway",
    "rail",
    "light_rail",
    "funicular",
    "monorail",
];
const PATHS: [&str; 6] = ["footway", "path", "pedestrian", "steps", "cycleway", "corridor"];
const RAILS: [&str; 2] = ["rail", "light_rail"];
/// Uses of a building in which nobody lives.
const NOT_LIVED_IN: [&str; 40] = [
    "commercial",
    "retail",
    "office",
    "industrial",
    "warehouse",
    "school",
    "kindergarten",
    "university",
    "college",
    "hospital",
    "hotel",
    "church",
    "temple",
    "mosque",
    "cathedral",
    "place_of_worship",
    "train_station",
    "transportation",
    "public",
    "civic",
    "government",
    "museum",
    "stadium",
    "sports_hall",
    "garage",
    "garages",
    "parking",
    "shed",
    "roof",
    "mall",
    "shop",
    "supermarket",
    "bank",
    "construction",
    "attraction",
    "arts_centre",
    "communications_tower",
    "embassy",
    "service",
    "greenhouse",
];

/// A dwelling's row in the result, beside its place in the graph's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Home {
    pub row: usize,
    pub id: String,
    pub households: Option<f64>,
    pub pop: f64,
    pub enterprises: f64,
    /// Storeys, where known.
    pub levels: Option<f64>,
    /// Square metres of its outline; 0 of a point.
    pub ground: f64,
    pub lived_in: bool,
    /// What it is called, and its natural village; empty where not said.
    pub name: String,
    pub village: String,
    /// Its households were shared out.
    pub shared: bool,
}

/// What was found about one row while reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub row: usize,
    pub what: Oddity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// The same id once more: its outline was added to the first.
    SameId { first: usize },
    /// It stands in the outline of another: its numbers were added to that one.
    Within { other: usize },
    /// Not a number, or below zero: counts as 0.
    BadNumber { column: String },
    /// A part or entrance of a building: left out.
    Part,
}

/// The homes, and the same of them as dwellings, in the order of the file.
#[derive(Debug, Default)]
pub struct Homes {
    pub homes: Vec<Home>,
    pub dwellings: Vec<Dwelling>,
    pub found: Vec<Found>,
}

/// Reads buildings and addresses that already lie in the plane. Outlines with one id are one building (maps are cut into tiles); what stands
/// in the outline of another belongs to it. `columns`: of the id, of the households.
pub fn homes(features: Vec<Feature>, columns: (Option<&str>, Option<&str>), streets: &mut Streets) -> Homes {
    let (id_column, households_column) = columns;
    let mut all = Homes::default();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for feature in features {
        if is_part(&feature) {
            all.found.push(Found {
                row: feature.row,
                what: Oddity::Part,
            });
            continue;
        }
        let named = match id_column {
            Some(column) => feature.text(column),
            None => feature.first_text(&["id", "@id", "osm_id", "code"]),
        };
        let id = if named.is_empty() {
            feature.id.clone()
        } else {
            Some(named)
        };
        let id = id.unwrap_or_else(|| format!("row{}", feature.row));
        let home = home(&feature, id.clone(), households_column, &mut all.found);
        if let Some(first) = by_id.get(&id) {
            all.found.push(Found {
                row: feature.row,
                what: Oddity::SameId {
                    first: all.homes[*first].row,
                },
            });
            let known = &mut all.dwellings[*first].outline;
            known.extend(
                feature
                    .polygons
                    .into_iter()
                    .filter(|polygon| !known.contains(polygon))
                    .collect::<Vec<_>>(),
            );
            all.homes[*first].ground = ground::area(known).max(0.0);
            continue;
        }
        by_id.insert(id, all.homes.len());
        let street = feature.first_text(&["addr:street", "addr_street", "street"]);
        all.dwellings.push(Dwelling {
            row: feature.row,
            at: feature
                .points
                .first()
                .or_else(|| feature.lines.iter().flatten().next())
                .copied(),
            outline: feature.polygons,
            street: (!street.is_empty()).then(|| streets.number(&street)),
            compound: None,
        });
        all.homes.push(home);
    }
    absorb(&mut all);
    all
}

/// The streets' numbers: the list of addresses and the map must mean the same by a name.
#[derive(Debug, Default)]
pub struct Streets {
    numbers: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Streets {
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.nameless(name);
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// A street that is no other's; called by a name all the same.
    fn nameless(&mut self, called: &str) -> u32 {
        self.names.push(called.to_owned());
        self.names.len() as u32 - 1
    }

    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }
}

fn is_part(feature: &Feature) -> bool {
    let kind = feature.text("kind");
    let part = feature.says_yes(&["building:part"]) && !feature.says_yes(&["building"]);
    kind == "building_part" || kind == "entrance" || part || feature.says_yes(&["entrance"])
}

fn home(feature: &Feature, id: String, households_column: Option<&str>, found: &mut Vec<Found>) -> Home {
    let mut number = |column: &str| {
        let text = feature.text(column);
        let value = text
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite() && *value >= 0.0);
        if value.is_none() && !text.is_empty() {
            found.push(Found {
                row: feature.row,
                what: Oddity::BadNumber {
                    column: column.to_owned(),
                },
            });
        }
        value
    };
    let households = number(households_column.unwrap_or("households"));
    let pop = number("pop").or_else(|| number("population")).unwrap_or(0.0);
    let enterprises = number("enterprises").unwrap_or(0.0);
    let plain = |name: &str| {
        feature
            .text(name)
            .parse::<f64>()
            .ok()
            .filter(|value| *value > 0.0 && *value < 1000.0)
    };
    let levels = plain("building:levels").or_else(|| plain("levels"));
    let by_height = || plain("height").map(|metres| (metres / STOREY).round().max(1.0));
    let uses = [
        feature.text("building"),
        feature.text("kind_detail"),
        feature.text("amenity"),
    ];
    Home {
        row: feature.row,
        id,
        households,
        pop,
        enterprises,
        levels: levels.or_else(by_height),
        ground: ground::area(&feature.polygons).max(0.0),
        name: feature.first_text(&["name", "addr:full", "address", "地址", "名称"]),
        village: feature.first_text(&["village", "自然村"]),
        shared: false,
        lived_in: !uses.iter().any(|used| NOT_LIVED_IN.contains(&used.as_str())),
    }
}

/// Points and smaller outlines that stand within an outline become part of it.
fn absorb(all: &mut Homes) {
    let outlines = all.dwellings.iter().enumerate().filter_map(|(at, one)| {
        let mut corners = one.outline.iter().flatten().flatten().copied();
        let first = corners.next()?;
        let bounds = corners.fold(AABB::from_point(first), |bounds, p| {
            let (low, high) = (bounds.lower(), bounds.upper());
            AABB::from_corners(
                [low[0].min(p[0]), low[1].min(p[1])],
                [high[0].max(p[0]), high[1].max(p[1])],
            )
        });
        let sound = bounds
            .lower()
            .iter()
            .chain(&bounds.upper())
            .all(|value| value.is_finite());
        sound.then(|| GeomWithData::new(Rectangle::from_aabb(bounds), at))
    });
    let tree = RTree::bulk_load(outlines.collect());
    let mut into: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, one) in all.dwellings.iter().enumerate() {
        let outlined = ground::place_of(&one.outline);
        let Some(place) = outlined.or(one.at).filter(|at| at[0].is_finite() && at[1].is_finite()) else {
            continue;
        };
        let larger =
            |other: usize| (all.homes[other].ground, usize::MAX - other) > (all.homes[at].ground, usize::MAX - at);
        let around = tree.locate_all_at_point(place).map(|found| found.data);
        let around = around.filter(|other| *other != at && larger(*other));
        let around = around.filter(|other| ground::holds(&all.dwellings[*other].outline, place));
        // The largest: a part of a part belongs to the whole.
        let whole = around.max_by(|a, b| all.homes[*a].ground.total_cmp(&all.homes[*b].ground).then(b.cmp(a)));
        if let Some(whole) = whole {
            into.insert(at, whole);
        }
    }
    for (at, start) in &into {
        let mut whole = *start;
        while let Some(next) = into.get(&whole) {
            whole = *next;
        }
        let part = all.homes[*at].clone();
        all.found.push(Found {
            row: part.row,
            what: Oddity::Within {
                other: all.homes[whole].row,
            },
        });
        let home = &mut all.homes[whole];
        home.households = home
            .households
            .zip(part.households)
            .map(|(a, b)| a + b)
            .or(home.households)
            .or(part.households);
        home.pop += part.pop;
        home.enterprises += part.enterprises;
        let street = all.dwellings[*at].street;
        let dwelling = &mut all.dwellings[whole];
        dwelling.street = dwelling.street.or(street);
    }
    let mut nth = 0..;
    all.homes
        .retain(|_| nth.next().is_some_and(|at| !into.contains_key(&at)));
    let mut nth = 0..;
    all.dwellings
        .retain(|_| nth.next().is_some_and(|at| !into.contains_key(&at)));
}

/// Communities: outlines with one name are one; lines are borders. Names in the order of the areas.
pub fn communities(features: Vec<Feature>, input: &mut Input) -> (Vec<String>, Vec<Option<f64>>) {
    let (mut names, mut totals) = (Vec::new(), Vec::new());
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for feature in features {
        let name = feature.first_text(&["code", "name", "id"]);
        let name = if name.is_empty() {
            format!("row{}", feature.row)
        } else {
            name
        };
        let total = feature
            .text("households")
            .parse()
            .ok()
            .filter(|total: &f64| *total >= 0.0 && total.is_finite());
        if !feature.lines.is_empty() {
            input.barriers.push(Barrier {
                row: feature.row,
                kind: Kind::Border,
                lines: feature.lines,
                polygons: Vec::new(),
            });
        }
        if feature.polygons.is_empty() {
            continue;
        }
        let at = *by_name.entry(name.clone()).or_insert_with(|| {
            names.push(name);
            totals.push(total);
            input.communities.push(Area {
                row: feature.row,
                polygons: Vec::new(),
            });
            names.len() - 1
        });
        input.communities[at].polygons.extend(feature.polygons);
    }
    (names, totals)
}

/// Rivers and lakes.
pub fn water(features: Vec<Feature>, input: &mut Input) {
    for feature in features {
        let kind = feature.first_text(&["waterway", "kind_detail", "kind", "fclass"]);
        let rim = feature.says_yes(&["boundary"]);
        let lines = if RIVERS.contains(&kind.as_str()) && !rim {
            feature.lines
        } else {
            Vec::new()
        };
        if lines.is_empty() && feature.polygons.is_empty() {
            continue;
        }
        input.barriers.push(Barrier {
            row: feature.row,
            kind: Kind::Water,
            lines,
            polygons: feature.polygons,
        });
    }
}

/// Main roads and railways are barriers; other roads are streets; what is walked and crosses water is a bridge over it, and, where asked for,
/// a footbridge or underpass is one over main roads. Returns all lines on the ground, to compare the maps with.
pub fn roads(
    features: Vec<Feature>,
    main: &BTreeSet<String>,
    footbridges: bool,
    streets: &mut Streets,
    input: &mut Input,
) -> Vec<Vec<[f64; 2]>> {
    let mut on_the_ground = Vec::new();
    for feature in features {
        let class = feature.first_text(&["highway", "railway", "kind_detail", "fclass", "class", "type", "kind"]);
        let name = feature.first_text(&["name", "name:zh"]);
        let tunnel = feature.says_yes(&["tunnel", "is_tunnel"]);
        let bridge = feature.says_yes(&["bridge", "is_bridge"]);
        let path = PATHS.contains(&class.as_str());
        let walked = !NOT_WALKED.contains(&class.as_str());
        if (main.contains(&class) || RAILS.contains(&class.as_str())) && !tunnel {
            input.barriers.push(Barrier {
                row: feature.row,
                kind: Kind::Road,
                lines: feature.lines.clone(),
                polygons: Vec::new(),
            });
        }
        for line in feature.lines {
            let over = |over: Kind| Bridge {
                row: feature.row,
                over,
                line: line.clone(),
            };
            if walked && !tunnel {
                input.bridges.push(over(Kind::Water));
            }
            if footbridges && path && (bridge || tunnel) {
                input.bridges.push(over(Kind::Road));
            }
            if tunnel || !walked {
                continue;
            }
            if !path {
                on_the_ground.push(line.clone());
            }
            if !path || !name.is_empty() {
                let street = if name.is_empty() {
                    streets.nameless("")
                } else {
                    streets.number(&name)
                };
                input.streets.push(Street { street, line });
            }
        }
    }
    on_the_ground
}

/// How households came to the homes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shared {
    /// Households shared out, to how many homes.
    pub total: u64,
    pub homes: usize,
    /// Homes whose storeys are known, and the number taken for the others.
    pub levels_known: usize,
    pub levels_taken: f64,
    /// Buildings of a use in which nobody lives: none.
    pub not_lived_in: usize,
}

/// Shares a total among homes (by their places) in proportion to their floor area: ground times storeys.
pub fn share(total: u64, homes: &mut [Home], members: &[usize]) -> Shared {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(1.0)
    };
    let known: Vec<f64> = members.iter().filter_map(|at| homes[*at].levels).collect();
    let mut done = Shared {
        total,
        homes: members.len(),
        levels_known: known.len(),
        levels_taken: middle(known),
        not_lived_in: members.iter().filter(|at| !homes[**at].lived_in).count(),
    };
    let outlined = members
        .iter()
        .map(|at| homes[*at].ground)
        .filter(|ground| *ground > 0.0);
    let plain = middle(outlined.collect());
    // Where nobody is said to live anywhere, everybody counts.
    let anybody = done.not_lived_in < members.len();
    if !anybody {
        done.not_lived_in = 0;
    }
    let floor = |at: &usize| {
        let home = &homes[*at];
        let ground = if home.ground > 0.0 { home.ground } else { plain };
        let takes = home.lived_in || !anybody;
        if takes {
            ground * home.levels.unwrap_or(done.levels_taken)
        } else {
            0.0
        }
    };
    let floors: Vec<f64> = members.iter().map(floor).collect();
    for (at, got) in members.iter().zip(ground::spread(total, &floors)) {
        homes[*at].households = Some(got as f64);
        homes[*at].shared = true;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn feature(row: usize, properties: Value, x: f64, side: f64) -> Feature {
        let Value::Object(properties) = properties else {
            panic!("an object")
        };
        let ring = vec![[x, 0.0], [x + side, 0.0], [x + side, side], [x, side]];
        Feature {
            row,
            properties,
            points: if side == 0.0 { vec![[x, 1.0]] } else { vec![] },
            polygons: if side == 0.0 { vec![] } else { vec![vec![ring]] },
            ..Feature::default()
        }
    }

    #[test]
    fn tiles_labels_and_parts_make_one_building() {
        let all = homes(
            vec![
                feature(1, json!({"id": 5, "households": 4, "height": 18.4}), 0.0, 10.0),
                feature(2, json!({"id": 5}), 10.0, 4.0),
                feature(3, json!({"id": 5}), 12.0, 0.0),
                feature(4, json!({"kind": "building_part"}), 1.0, 2.0),
                feature(5, json!({"id": 9, "households": "3"}), 2.0, 0.0),
                feature(6, json!({"id": 10, "households": -3, "building": "school"}), 40.0, 0.0),
            ],
            (None, None),
            &mut Streets::default(),
        );
        assert_eq!(
            all.homes.iter().map(|home| home.id.as_str()).collect::<Vec<_>>(),
            ["5", "10"]
        );
        assert_eq!(
            (all.homes[0].households, all.homes[0].ground, all.homes[0].levels),
            (Some(7.0), 116.0, Some(6.0))
        );
        assert!(all.homes[0].lived_in && !all.homes[1].lived_in);
        let found: Vec<_> = all.found.iter().map(|one| (one.row, one.what.clone())).collect();
        let bad = Oddity::BadNumber {
            column: "households".into(),
        };
        let same = Oddity::SameId { first: 1 };
        let expected = [
            (2, same.clone()),
            (3, same),
            (4, Oddity::Part),
            (6, bad),
            (5, Oddity::Within { other: 1 }),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn households_are_shared_by_floor_area_and_add_up() {
        let mut all = homes(
            vec![
                feature(1, json!({"levels": 6}), 0.0, 10.0),
                feature(2, json!({"levels": 3}), 20.0, 10.0),
                feature(3, json!({}), 40.0, 10.0),
                feature(4, json!({"building": "office"}), 60.0, 50.0),
            ],
            (None, None),
            &mut Streets::default(),
        );
        let done = share(100, &mut all.homes, &[0, 1, 2, 3]);
        assert_eq!((done.levels_known, done.levels_taken, done.not_lived_in), (2, 6.0, 1));
        let given: Vec<f64> = all.homes.iter().filter_map(|home| home.households).collect();
        assert_eq!(given, [40.0, 20.0, 40.0, 0.0]);
    }

    #[test]
    fn roads_are_barriers_streets_and_bridges() {
        let line = |row: usize, properties: Value| Feature {
            row,
            properties: properties.as_object().unwrap().clone(),
            lines: vec![vec![[0.0, 0.0], [50.0, 0.0]]],
            ..Feature::default()
        };
        let main = BTreeSet::from(["primary".to_owned()]);
        let mut input = Input::default();
        let all = vec![
            line(1, json!({"highway": "primary", "name": "人民路"})),
            line(2, json!({"highway": "primary", "tunnel": "yes"})),
            line(3, json!({"kind": "path", "kind_detail": "footway", "is_bridge": true})),
            line(4, json!({"highway": "residential", "name": "东街", "tunnel": "no"})),
            line(5, json!({"kind": "rail", "kind_detail": "subway", "is_tunnel": true})),
        ];
        let ground = roads(all, &main, true, &mut Streets::default(), &mut input);
        assert_eq!(ground.len(), 2);
        assert_eq!(
            input.barriers.iter().map(|barrier| barrier.row).collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(input.streets.len(), 2);
        let bridges: Vec<_> = input.bridges.iter().map(|bridge| (bridge.row, bridge.over)).collect();
        assert_eq!(
            bridges,
            [(1, Kind::Water), (3, Kind::Water), (3, Kind::Road), (4, Kind::Water)]
        );
    }
}
