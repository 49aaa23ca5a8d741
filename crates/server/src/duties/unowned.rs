//! What is owed while nobody answers for it: no post of the duty serves the grid, nobody sits on it, or who does is away without a stand-in.
//!
//! Entry point: [`unowned`]. A duty that waits for its holder has its owner while the holder is away.

use super::{list, store};
use crate::platform::*;
use crate::territory::{self, Area};
use crate::workforce;
use domain::duties::Rule;
use std::collections::HashMap;

/// Grids without anybody of whom it is told what is owed there.
const MOST_GRIDS: usize = 200;

/// What is open in a grid under a rule that falls to nobody.
#[derive(Debug, Clone)]
pub struct Unowned {
    pub area: AreaId,
    pub rule: Rule,
    pub open: i64,
}

/// In the area and below it, today, grid by grid; true when there are more grids than are told of.
pub fn unowned(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<(Vec<Unowned>, bool), Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let map = territory::current(&ctx.app);
    let top = map
        .area(area)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead));
    let top = top.ok_or_else(Fault::not_found)?;
    let rules = list::known_rules(ctx, tx, top.id)?;
    let leaves = map
        .areas()
        .iter()
        .filter(|one| one.chain.contains(&Some(top.id)) && map.children(Some(one.id)).next().is_none());
    let mut nobody: Vec<(&Area, &Rule)> = Vec::new();
    let mut grids = 0;
    let mut more = false;
    for leaf in leaves {
        let before = nobody.len();
        for rule in &rules {
            if !workforce::somebody_answers(tx, &leaf.chain, &rule.by.duty, rule.away, ctx.now)? {
                nobody.push((leaf, rule));
            }
        }
        grids += usize::from(nobody.len() > before);
        if grids > MOST_GRIDS {
            nobody.truncate(before);
            more = true;
            break;
        }
    }
    let on = ctx.now.date();
    let areas: Vec<AreaId> = nobody.iter().map(|(area, _)| area.id).collect();
    let periods: Vec<(String, i64)> = rules
        .iter()
        .map(|rule| (rule.key.clone(), rule.every.period_of(on).first))
        .collect();
    let counts: HashMap<_, _> = store::counts(tx, &areas, &periods)?;
    let open = |area: &Area, rule: &Rule| {
        let counted = counts.get(&(area.id, rule.key.clone())).copied().unwrap_or_default();
        counted.owed - counted.done - counted.missed
    };
    let found = nobody.into_iter().filter_map(|(area, rule)| {
        let open = open(area, rule);
        (open > 0).then(|| Unowned {
            area: area.id,
            rule: rule.clone(),
            open,
        })
    });
    Ok((found.collect(), more))
}
