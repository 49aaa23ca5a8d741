//! Territory 区域: how division codes make a tree, and which area a point or an address text belongs to.
//!
//! Entry points: [`plan_import`] (codes and names to a tree), [`settle`] (one answer for a point), [`NameIndex`] (text to area), [`adopt`] (a plan
//! of grids comes into force).
//! Must not: read boundaries from anywhere, or know a level by name; levels come from the pack.

pub mod adopt;
mod import;
mod names;

pub use import::{ImportPlan, ImportProblem, ImportProblemCode, NewArea, Row, plan_import};
pub use names::{NameIndex, NamedArea};

use crate::geo::Side;
use crate::ids::AreaId;

/// Most levels a tree may have; cases carry one column for each.
pub const MAX_DEPTH: u8 = 5;

/// What is known of one area about a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearby {
    pub area: AreaId,
    pub code: String,
    /// 1 at the top.
    pub depth: u8,
    pub side: Side,
    /// Metres to its nearest edge.
    pub metres: f64,
}

/// How the answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The point lies inside.
    Inside,
    /// It lies on a line between areas: the smallest code has it.
    Boundary,
    /// It lies in none; the nearest one within the pack's distance has it.
    Nearest,
}

impl Rule {
    pub fn key(self) -> &'static str {
        match self {
            Rule::Inside => "inside",
            Rule::Boundary => "boundary",
            Rule::Nearest => "nearest",
        }
    }
}

/// The one area a point belongs to, whatever the order of `around`:
/// 1. only the deepest level counts at which some area contains or touches the point;
/// 2. inside exactly one area: that one; inside several (boundaries overlap) or on a line: the smallest code;
/// 3. in none: the nearest of the deepest areas, within `nearest_metres`, the smallest code among equals.
pub fn settle(around: &[Nearby], nearest_metres: f64) -> Option<(AreaId, Rule)> {
    let touching: Vec<&Nearby> = around.iter().filter(|one| one.side != Side::Outside).collect();
    if let Some(depth) = touching.iter().map(|one| one.depth).max() {
        let here: Vec<&&Nearby> = touching.iter().filter(|one| one.depth == depth).collect();
        let first = here.iter().min_by(|a, b| a.code.cmp(&b.code))?;
        let on_line = here.iter().any(|one| one.side == Side::Boundary);
        return Some((first.area, if on_line { Rule::Boundary } else { Rule::Inside }));
    }
    let near = || around.iter().filter(|one| one.metres <= nearest_metres);
    let depth = near().map(|one| one.depth).max()?;
    let nearest = near()
        .filter(|one| one.depth == depth)
        .min_by(|a, b| a.metres.total_cmp(&b.metres).then_with(|| a.code.cmp(&b.code)))?;
    Some((nearest.area, Rule::Nearest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(id: u128, code: &str, depth: u8, side: Side, metres: f64) -> Nearby {
        Nearby {
            area: AreaId(id),
            code: code.into(),
            depth,
            side,
            metres,
        }
    }

    #[test]
    fn the_deepest_containing_area_has_the_point() {
        let around = [
            near(1, "33", 1, Side::Inside, 900.0),
            near(2, "3301", 2, Side::Inside, 90.0),
        ];
        assert_eq!(settle(&around, 200.0), Some((AreaId(2), Rule::Inside)));
    }

    #[test]
    fn on_a_line_the_smallest_code_has_it() {
        let around = [
            near(3, "3302", 2, Side::Boundary, 0.0),
            near(2, "3301", 2, Side::Boundary, 0.0),
        ];
        assert_eq!(settle(&around, 200.0), Some((AreaId(2), Rule::Boundary)));
    }

    #[test]
    fn outside_the_nearest_within_reach_has_it() {
        let around = [
            near(3, "3302", 2, Side::Outside, 120.0),
            near(2, "3301", 2, Side::Outside, 150.0),
        ];
        assert_eq!(settle(&around, 200.0), Some((AreaId(3), Rule::Nearest)));
        assert_eq!(settle(&around, 100.0), None);
        assert_eq!(settle(&[], 100.0), None);
    }

    fn side() -> impl Strategy<Value = Side> {
        prop_oneof![Just(Side::Outside), Just(Side::Boundary), Just(Side::Inside)]
    }

    proptest! {
        #[test]
        fn the_answer_does_not_depend_on_the_order(
            mut around in prop::collection::vec((1u8..4, side(), 0.0f64..400.0), 0..8),
            turn in 0usize..8,
        ) {
            let build = |parts: &[(usize, (u8, Side, f64))]| -> Vec<Nearby> {
                parts.iter().map(|(i, (depth, side, metres))| near(*i as u128, &format!("{i:03}"), *depth, *side, *metres)).collect()
            };
            around.truncate(8);
            let mut parts: Vec<_> = around.into_iter().enumerate().collect();
            let first = settle(&build(&parts), 200.0);
            let by = turn % parts.len().max(1);
            parts.rotate_left(by);
            parts.reverse();
            prop_assert_eq!(settle(&build(&parts), 200.0), first);
        }
    }
}
