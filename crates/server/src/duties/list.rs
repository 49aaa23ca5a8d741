//! What a worker is to do today, and the counts of areas for those who supervise.

use super::counts::Counted;
use super::store::{self, After, Row};
use super::subject::{self, Known};
use crate::platform::*;
use crate::{registry, territory, workforce};
use domain::duties::{Away, Rule, Standing, Who};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Areas of one worker's list at most; somebody who serves more asks area by area.
const MAX_AREAS: usize = 300;

/// One line of today's list.
#[derive(Debug, Clone)]
pub struct Due {
    pub row: Row,
    pub standing: Standing,
    pub rule: Rule,
    /// None where the subject is gone meanwhile.
    pub known: Option<Known>,
}

/// What falls to the caller today: late and due first, then what may be done early; one more than `limit` when there is more.
pub fn today(ctx: &Ctx, tx: &mut Tx, after: Option<After>, limit: u32) -> Result<Vec<Due>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let (worker, day) = (ctx.worker()?, ctx.now.day_and_ms().0);
    let rules: HashMap<String, Rule> = subject::rules(&ctx.app)?
        .into_iter()
        .map(|rule| (rule.key.clone(), rule))
        .collect();
    let mine = falling_to(ctx, tx, worker, rules.values())?;
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store::today(tx, &mine, day, after, limit)?;
    let subjects: Vec<_> = rows.iter().map(|row| (row.kind, row.subject)).collect();
    let named = subject::named(ctx, tx, &subjects)?;
    let line = |row: Row| {
        Some(Due {
            standing: row.standing(day),
            rule: rules.get(&row.rule)?.clone(),
            known: named.get(&row.subject).cloned(),
            row,
        })
    };
    Ok(rows.into_iter().filter_map(line).collect())
}

/// The areas that fall to a worker, by the rules that fall to the worker there.
fn falling_to<'r>(
    ctx: &Ctx,
    tx: &mut Tx,
    worker: WorkerId,
    rules: impl Iterator<Item = &'r Rule>,
) -> Result<Vec<(Vec<AreaId>, Vec<String>)>, Fault> {
    let mut by_post: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
    for rule in rules {
        let waits = rule.away == Away::Waits;
        by_post
            .entry((rule.by.duty.clone(), waits))
            .or_default()
            .push(rule.key.clone());
    }
    let mut mine = Vec::new();
    for ((duty, waits), mut keys) in by_post {
        let away = if waits { Away::Waits } else { Away::StandIn };
        let areas = areas_served(ctx, tx, worker, &duty, away)?;
        if !areas.is_empty() {
            keys.sort_unstable();
            mine.push((areas, keys));
        }
    }
    Ok(mine)
}

/// The areas in scope that fall to a worker now by the posts of a duty, and those below them.
pub fn areas_served(ctx: &Ctx, tx: &mut Tx, worker: WorkerId, duty: &str, away: Away) -> Result<Vec<AreaId>, Fault> {
    let map = territory::current(&ctx.app);
    let served = workforce::areas_falling_to(tx, worker, duty, away, ctx.now)?;
    let mut todo: Vec<AreaId> = served.into_iter().collect();
    let mut areas = BTreeSet::new();
    while let Some(area) = todo
        .pop()
        .and_then(|id| map.area(id))
        .filter(|_| areas.len() < MAX_AREAS)
    {
        if ctx.scope.covers(&area.chain, Permission::DutyRead) {
            areas.insert(area.id);
        }
        todo.extend(map.children(Some(area.id)).map(|one| one.id));
    }
    Ok(areas.into_iter().collect())
}

/// Whether the caller may know that a rule holds for somebody in an area: who is on a sensitive register is told to those who serve it.
pub fn told(ctx: &Ctx, tx: &mut Tx, rule: &Rule, area: AreaId) -> Result<bool, Fault> {
    match &rule.who {
        Who::Register(key) => registry::may_know(ctx, tx, key, area),
        _ => Ok(true),
    }
}

/// The rules the caller may know of in an area.
pub fn known_rules(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<Vec<Rule>, Fault> {
    let mut known = Vec::new();
    for rule in subject::rules(&ctx.app)? {
        if told(ctx, tx, &rule, area)? {
            known.push(rule);
        }
    }
    Ok(known)
}

/// Which lines are asked for: of an area itself, under a rule, in the period of a day; in one state, or in any.
#[derive(Debug, Clone)]
pub struct Asked {
    pub area: AreaId,
    pub rule: String,
    pub on: Date,
    pub state: Option<store::State>,
    pub after: Option<After>,
    pub limit: u32,
}

/// What a count of an area's own subjects is made of, by the last day in time; one more than `limit` when there is more. Addresses of homes are
/// personal: the look is logged.
pub fn lines(ctx: &Ctx, tx: &mut Tx, asked: Asked) -> Result<Vec<(Row, Option<Known>)>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let map = territory::current(&ctx.app);
    let area = map
        .area(asked.area)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead));
    let area = area.ok_or_else(Fault::not_found)?.id;
    let rules = known_rules(ctx, tx, area)?;
    let rule = rules.iter().find(|rule| rule.key == asked.rule);
    let rule = rule.ok_or_else(|| Fault::invalid("rule", "invalid_field"))?;
    let period = rule.every.period_of(asked.on);
    let days = (period.first, period.last);
    let rows = store::lines(tx, area, &rule.key, days, asked.state, asked.after, asked.limit)?;
    let subjects: Vec<_> = rows.iter().map(|row| (row.kind, row.subject)).collect();
    let mut named = subject::named(ctx, tx, &subjects)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let known = named.remove(&row.subject);
            (row, known)
        })
        .collect())
}

/// The counts of an area and of each below it: by rule, of the period a day lies in.
pub fn counted(ctx: &Ctx, tx: &mut Tx, area: AreaId, on: Date) -> Result<Vec<(AreaId, Vec<(Rule, Counted)>)>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let map = territory::current(&ctx.app);
    let top = map
        .area(area)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead));
    let top = top.ok_or_else(Fault::not_found)?;
    let areas: Vec<AreaId> = std::iter::once(top.id)
        .chain(map.children(Some(top.id)).map(|area| area.id))
        .collect();
    let rules = known_rules(ctx, tx, top.id)?;
    let periods: Vec<(String, i64)> = rules
        .iter()
        .map(|rule| (rule.key.clone(), rule.every.period_of(on).first))
        .collect();
    let counts = store::counts(tx, &areas, &periods)?;
    let of = |area: AreaId| {
        let one = |rule: &Rule| {
            let counted = counts.get(&(area, rule.key.clone())).copied().unwrap_or_default();
            (rule.clone(), counted)
        };
        (area, rules.iter().map(one).collect())
    };
    Ok(areas.into_iter().map(of).collect())
}
