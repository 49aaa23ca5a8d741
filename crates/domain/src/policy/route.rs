//! Finding the responsible unit in one step (YC-09): the rule that says most about the case, then the unit it means.

use super::{Pack, Route, RouteTo};
use crate::ids::{AreaId, UnitId};

/// Body key of the grid centres: where a case goes when nothing more particular has an owner.
pub const CENTRE_BODY: &str = "centre";

/// A unit that could be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub unit: UnitId,
    pub code: String,
    /// Key of its [`super::Body`].
    pub body: String,
    pub area: AreaId,
}

/// Why this unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteWhy {
    /// The rule's own unit.
    Rule,
    /// The rule's body has no unit there; the area's own centre takes it.
    Default,
}

/// The unit that answers for a case, and the rule that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChoice<'a> {
    pub unit: UnitId,
    pub rule: &'a Route,
    pub why: RouteWhy,
}

impl Pack {
    /// The rule that says most about the case: a line's or asset's owner first, then the category nearest to the case's, then the
    /// kind of area. `None` only for a pack without a default rule, which the reader refuses.
    pub fn route_rule(&self, category: &str, area_kind: Option<&str>, asset: Option<&str>) -> Option<&Route> {
        let fits = |rule: &Route| {
            rule.asset.as_deref().is_none_or(|own| Some(own) == asset)
                && rule.area_kind.as_deref().is_none_or(|own| Some(own) == area_kind)
        };
        self.nearest(category, &self.routes, |rule| rule.category.as_deref(), fits)
            .max_by_key(|(nearness, rule)| (rule.asset.is_some(), *nearness, rule.area_kind.is_some()))
            .map(|(_, rule)| rule)
    }

    /// The responsible unit for a case of `category` in the area whose ancestors are `chain` (top first, the area itself last).
    /// `units` are the units in force whose area is in the chain, or whose code a rule names. Falls back to the nearest centre upward;
    /// `None` only when the place has no centre at all.
    pub fn route<'a>(
        &'a self,
        category: &str,
        chain: &[AreaId],
        area_kind: Option<&str>,
        asset: Option<&str>,
        units: &[Candidate],
    ) -> Option<RouteChoice<'a>> {
        let rule = self.route_rule(category, area_kind, asset)?;
        if let Some(unit) = self.unit_of(&rule.to, chain, units) {
            return Some(RouteChoice {
                unit,
                rule,
                why: RouteWhy::Rule,
            });
        }
        let unit = nearest_upward(CENTRE_BODY, chain, units)?;
        Some(RouteChoice {
            unit,
            rule,
            why: RouteWhy::Default,
        })
    }

    fn unit_of(&self, to: &RouteTo, chain: &[AreaId], units: &[Candidate]) -> Option<UnitId> {
        match to {
            RouteTo::Unit { code } => units.iter().find(|one| one.code == *code).map(|one| one.unit),
            RouteTo::Body { body, level: None } => nearest_upward(body, chain, units),
            RouteTo::Body {
                body,
                level: Some(level),
            } => {
                let area = chain.get(usize::from(self.depth(level)?) - 1)?;
                first_at(body, *area, units)
            }
        }
    }
}

/// The unit of `body` at the deepest area of the chain that has one.
pub fn nearest_upward(body: &str, chain: &[AreaId], units: &[Candidate]) -> Option<UnitId> {
    chain.iter().rev().find_map(|area| first_at(body, *area, units))
}

/// Among several units of one body at one area the smallest code answers, so that the same case always goes the same way.
fn first_at(body: &str, area: AreaId, units: &[Candidate]) -> Option<UnitId> {
    units
        .iter()
        .filter(|one| one.body == body && one.area == area)
        .min_by(|a, b| a.code.cmp(&b.code))
        .map(|one| one.unit)
}
