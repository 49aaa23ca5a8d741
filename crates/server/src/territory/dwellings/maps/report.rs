//! What was found, assumed, mended and left out, as JSON. Chinese first.

use super::frame::{Frame, Slip};
use super::town::{Found, Oddity, Shared};
use serde::Serialize;
use solver::ground::{Ground, Input, Layer, Refused, Shift, Trouble, distance};
use std::collections::BTreeMap;

/// Rows named of each kind of problem; the rest are counted.
const NAMED: usize = 200;

/// The report as it is written.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Rows of the file of buildings.
    pub rows: usize,
    pub units: usize,
    pub edges: usize,
    /// Neighbours that cannot be reached: water, a main road or a border between.
    pub barriers: usize,
    /// Parts that hang together on foot: what cannot be one grid.
    pub parts: usize,
    pub neighbours_mean: f64,
    pub area_m2: f64,
    pub bridged: usize,
    pub rounded: usize,
    pub plane: String,
    pub warnings: Vec<String>,
    pub assumptions: Vec<String>,
    /// By code: how many, and the first rows.
    pub problems: BTreeMap<&'static str, Problem>,
}

/// All rows with the same problem.
#[derive(Debug, Default, Serialize)]
pub struct Problem {
    pub count: usize,
    /// Left out, or mended.
    pub left_out: bool,
    pub means: &'static str,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize, PartialEq)]
pub struct Row {
    pub layer: &'static str,
    pub row: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What concerns all rows at once.
#[derive(Debug, Clone, Copy)]
pub enum Warning {
    AllSwapped,
    Shifted {
        shift: Shift,
        buildings_gcj02: bool,
        others_gcj02: bool,
    },
    Outside {
        share: f64,
        buildings_gcj02: bool,
        others_gcj02: bool,
    },
}

/// Why there is no graph, for the person.
pub fn refused(why: Refused) -> String {
    let zh = match why {
        Refused::TooMany => "建筑太多",
        Refused::NoDwellings => "没有一栋可用的建筑（是否坐标系不对，或都在边界之外？）",
        Refused::NoCommunities => "没有一个可用的社区边界",
    };
    format!("{zh} · {why}")
}

fn datum_hint(buildings: bool, others: bool) -> &'static str {
    match (buildings, others) {
        (true, _) => "；与火星坐标的偏移相符，请试 --datum gcj02 · as GCJ-02 would be: try --datum gcj02",
        (_, true) => {
            "；像是其他图层用了火星坐标，请试 --map-datum gcj02 · as if the other files were GCJ-02: try --map-datum gcj02"
        }
        _ => "",
    }
}

impl Report {
    pub fn warn(&mut self, warning: Warning) {
        self.warnings.push(match warning {
            Warning::AllSwapped => "全部坐标的经纬度颠倒，已对调 · latitude came first everywhere: turned round".to_owned(),
            Warning::Shifted { shift, buildings_gcj02, others_gcj02 } => format!(
                "建筑与道路不重合：{:.0}% 的道路压在建筑上，建筑向东 {:.0} 米、向北 {:.0} 米后为 {:.0}%{} · buildings and roads do not fit",
                shift.hit * 100.0,
                shift.east,
                shift.north,
                shift.hit_after * 100.0,
                datum_hint(buildings_gcj02, others_gcj02),
            ),
            Warning::Outside { share, buildings_gcj02, others_gcj02 } => format!(
                "{:.0}% 的建筑在所有社区之外{} · buildings outside every community",
                share * 100.0,
                datum_hint(buildings_gcj02, others_gcj02),
            ),
        });
    }

    pub fn slip(&mut self, layer: &'static str, row: usize, slip: Slip) {
        match slip {
            Slip::Swapped => self.problem(
                "swapped",
                false,
                "经纬度颠倒，已对调 · latitude first, turned round",
                layer,
                row,
                String::new(),
            ),
            Slip::FarAway => self.problem(
                "far_away",
                true,
                "离其他位置太远 · nowhere near the others",
                layer,
                row,
                String::new(),
            ),
        }
    }

    pub fn oddities(&mut self, found: Vec<Found>) {
        for Found { row, what } in found {
            let (code, left_out, means, detail) = match what {
                Oddity::SameId { first } => (
                    "same_id",
                    false,
                    "编号相同，并入前一行 · the same id, added to the first",
                    format!("= {first}"),
                ),
                Oddity::Within { other } => (
                    "within",
                    false,
                    "在另一栋之内，并入该栋 · within another building, added to it",
                    format!("= {other}"),
                ),
                Oddity::BadNumber { column } => (
                    "bad_number",
                    false,
                    "不是数或为负，按 0 计 · not a number or negative: 0",
                    column,
                ),
                Oddity::Part => (
                    "part",
                    true,
                    "建筑局部或出入口 · a part or entrance of a building",
                    String::new(),
                ),
            };
            self.problem(code, left_out, means, "buildings", row, detail);
        }
    }

    fn problem(
        &mut self,
        code: &'static str,
        left_out: bool,
        means: &'static str,
        layer: &'static str,
        row: usize,
        detail: String,
    ) {
        let problem = self.problems.entry(code).or_default();
        problem.count += 1;
        (problem.left_out, problem.means) = (left_out, means);
        if problem.rows.len() < NAMED {
            problem.rows.push(Row { layer, row, detail });
        }
    }

    /// One community's total, or that of all, shared out.
    pub fn shared(&mut self, community: Option<String>, shared: Shared) {
        let place = community.map_or(String::new(), |name| format!("{name}："));
        self.assumptions.push(format!(
            "{place}{} 户按建筑面积（占地 × 层数）分到 {} 栋；{} 栋层数已知，其余按 {} 层；{} 栋非住宅不分 · households by floor area, storeys known for {}",
            shared.total,
            shared.homes - shared.not_lived_in,
            shared.levels_known,
            shared.levels_taken,
            shared.not_lived_in,
            shared.levels_known,
        ));
    }

    pub fn without_households(&mut self, count: usize) {
        if count > 0 {
            self.assumptions.push(format!(
                "{count} 栋没有户数，按 0 户计 · buildings without households count as 0"
            ));
        }
    }

    /// What the graph came to.
    pub fn ground(&mut self, input: &Input, ground: &Ground, frame: Frame) {
        let walkable = ground.edges.iter().filter(|edge| !edge.barrier);
        self.units = ground.units.len();
        self.edges = ground.edges.len();
        self.barriers = self.edges - walkable.clone().count();
        self.neighbours_mean = 2.0 * self.edges as f64 / self.units.max(1) as f64;
        self.area_m2 = ground.units.iter().map(|unit| unit.area).sum();
        (self.bridged, self.rounded) = (ground.bridged, ground.rounded);
        self.parts = parts(self.units, walkable.map(|edge| (edge.u, edge.v)));
        let reach = ground.units.iter().map(|unit| unit.at[1].abs()).fold(0.0, f64::max);
        self.plane = match frame {
            Frame::Metres { middle } => format!(
                "原坐标为米，原点移到 {:.2}, {:.2} · metres as given, moved",
                middle[0], middle[1]
            ),
            Frame::Degrees { middle } => format!(
                "以东经 {:.5}、北纬 {:.5} 为原点的局部平面，长度误差不超过千分之 {:.2} · local plane, lengths within {:.2} per mille",
                middle.lon,
                middle.lat,
                frame.error_per_mille(reach),
                frame.error_per_mille(reach),
            ),
        };
        if input.communities.is_empty() {
            self.assumptions
                .push("没有社区边界：全部建筑外扩 50 米算一个社区 · no communities: all within 50 m is one".to_owned());
        }
        for note in &ground.notes {
            let layer = match note.layer {
                Layer::Dwellings => "buildings",
                Layer::Communities => "communities",
                Layer::Barriers => "barriers",
                Layer::Compounds => "compounds",
            };
            let (code, means, detail) = told(note.trouble);
            self.problem(code, note.trouble.refused(note.layer), means, layer, note.row, detail);
        }
        let longest = ground.edges.iter().filter(|edge| !edge.barrier);
        let far = longest
            .map(|edge| distance(ground.units[edge.u].at, ground.units[edge.v].at))
            .fold(0.0, f64::max);
        self.assumptions.push(format!(
            "相邻指地块相接，最远的相邻两栋相距 {far:.0} 米 · neighbours are those whose ground touches"
        ));
    }
}

fn told(trouble: Trouble) -> (&'static str, &'static str, String) {
    match trouble {
        Trouble::NoPosition => ("no_position", "没有可用的坐标 · no usable coordinates", String::new()),
        Trouble::NoArea => ("no_area", "轮廓没有面积 · an outline without area", String::new()),
        Trouble::Crossing => (
            "crossing",
            "轮廓自相交，已在交点处拆开 · an outline that crosses itself, taken apart there",
            String::new(),
        ),
        Trouble::Outside { metres } => (
            "outside",
            "在所有社区之外 · outside every community",
            format!("{metres:.0} m"),
        ),
        Trouble::JustOutside { metres } => (
            "just_outside",
            "略在边界外，归最近的社区 · just outside, counted to the nearest",
            format!("{metres:.1} m"),
        ),
        Trouble::InTwo { other } => (
            "in_two",
            "在两个重叠的社区里，归前一个 · in two communities, counted to the first",
            format!("= {other}"),
        ),
        Trouble::SamePlace { other } => (
            "same_place",
            "与另一行位置相同，错开 · at the place of another, set apart",
            format!("= {other}"),
        ),
        Trouble::InWater { metres } => (
            "in_water",
            "在水里，按岸边计 · in the water, counted to the bank",
            format!("{metres:.0} m"),
        ),
    }
}

fn parts(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> usize {
    let mut root: Vec<usize> = (0..count).collect();
    let find = |root: &mut Vec<usize>, mut at: usize| {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    };
    let mut left = count;
    for (u, v) in edges {
        let (a, b) = (find(&mut root, u), find(&mut root, v));
        if a != b {
            root[a.max(b)] = a.min(b);
            left -= 1;
        }
    }
    left
}
