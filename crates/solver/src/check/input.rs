//! Whether input can be worked with. Each flaw names the unit or the edge by its place in the lists.

use crate::partition::{MAX_BANDS, NONE, Rule, Town, Wishes};

/// What is wrong with the input.
#[derive(Clone, Debug, PartialEq)]
pub enum Flaw {
    /// Lists of different lengths; the list's name.
    Length(&'static str),
    /// Position, measure or area that is not a number, or negative where it may not be.
    Unit { unit: u32, field: &'static str },
    /// An edge from a unit to itself.
    Loop { edge: u32 },
    /// An edge to a unit that is not there.
    Nowhere { edge: u32 },
    /// Length or weight that is not a number or negative.
    Edge { edge: u32, field: &'static str },
    /// A band with its ends swapped, of nothing, or on a measure that is not there; or none; or more than [`MAX_BANDS`].
    Band { kind: usize },
    /// A region of a kind of place without bands.
    Kind { region: u32 },
    /// A pair that must or must not be in one grid, with a unit that is not there.
    Pair { pair: u32 },
    /// Sums beyond what is counted exactly.
    TooLarge { measure: usize },
}

/// Largest sum of a measure: thousandths of it are still exact.
const MOST: f64 = 1e12;

/// Every flaw, in the order of the lists; at most `most` of them.
pub fn sound(town: &Town, rule: &Rule, wishes: &Wishes, most: usize) -> Vec<Flaw> {
    let lengths = lengths(town, wishes);
    if !lengths.is_empty() {
        return lengths;
    }
    let mut flaws: Vec<Flaw> = bands(town, rule);
    flaws.extend(units(town).take(most));
    flaws.extend(edges(town).take(most));
    let n = town.len() as u32;
    for (i, &(a, b)) in wishes.join.iter().chain(wishes.part).enumerate() {
        if a >= n || b >= n || a == b {
            flaws.push(Flaw::Pair { pair: i as u32 });
        }
    }
    flaws.truncate(most);
    flaws
}

fn lengths(town: &Town, wishes: &Wishes) -> Vec<Flaw> {
    let n = town.len();
    let optional = |len: usize| len == 0 || len == n;
    let mut wrong = vec![];
    for (name, right) in [
        ("y", town.y.len() == n),
        ("region", town.region.len() == n),
        ("area", town.area.len() == n),
        ("measures", town.measures.iter().all(|m| m.len() == n)),
        ("group", optional(wishes.group.len())),
        ("locked", optional(wishes.locked.len())),
    ] {
        if !right {
            wrong.push(Flaw::Length(name));
        }
    }
    wrong
}

fn bands(town: &Town, rule: &Rule) -> Vec<Flaw> {
    let mut flaws = vec![];
    for (kind, bands) in rule.kinds.iter().enumerate() {
        let good = |b: &crate::partition::Band| {
            b.measure < town.measures.len() && b.lo >= 0.001 && b.hi >= b.lo && b.hi <= MOST
        };
        if bands.is_empty() || bands.len() > MAX_BANDS || !bands.iter().all(good) {
            flaws.push(Flaw::Band { kind });
        }
    }
    if rule.kinds.is_empty() {
        flaws.push(Flaw::Band { kind: 0 });
    }
    for (region, &kind) in rule.kind_of_region.iter().enumerate() {
        if kind as usize >= rule.kinds.len() {
            flaws.push(Flaw::Kind { region: region as u32 });
        }
    }
    for (measure, values) in town.measures.iter().enumerate() {
        if values.iter().sum::<f64>() > MOST {
            flaws.push(Flaw::TooLarge { measure });
        }
    }
    flaws
}

fn units(town: &Town) -> impl Iterator<Item = Flaw> {
    (0..town.len()).filter_map(|i| {
        let amount = |v: f64| v.is_finite() && v >= 0.0;
        let field = if !town.x[i].is_finite() {
            "x"
        } else if !town.y[i].is_finite() {
            "y"
        } else if !amount(town.area[i]) {
            "area"
        } else if !town.measures.iter().all(|m| amount(m[i])) {
            "measure"
        } else if town.region[i] == NONE {
            "region"
        } else {
            return None;
        };
        Some(Flaw::Unit { unit: i as u32, field })
    })
}

fn edges(town: &Town) -> impl Iterator<Item = Flaw> {
    let n = town.len() as u32;
    town.edges.iter().enumerate().filter_map(move |(i, e)| {
        let edge = i as u32;
        let amount = |v: f32| v.is_finite() && v >= 0.0;
        if e.u >= n || e.v >= n {
            Some(Flaw::Nowhere { edge })
        } else if e.u == e.v {
            Some(Flaw::Loop { edge })
        } else if !amount(e.length) {
            Some(Flaw::Edge { edge, field: "length" })
        } else if !amount(e.weight) {
            Some(Flaw::Edge { edge, field: "weight" })
        } else {
            None
        }
    })
}
