//! What was done with people's matters (办理公开), for anybody: closed ones of the kinds that are public, the newest first.
//!
//! Entry point: [`page`]. Of a matter its kind, its area, the unit and the days are told; words only of what was public when it came in. No area
//! is named that would leave fewer than [`FEWEST`] matters alone with its name ([`domain::disclosure`]). Must not: read the reporter, nor a
//! matter whose reporter stayed unknown.

use super::place::{self, Rules, UnitInfo};
use super::public;
use super::queue::Reach;
use super::record::CaseRow;
use super::{store, words};
use crate::platform::http::{Page, PageQuery};
use crate::platform::*;
use domain::disclosure::told_apart;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use utoipa::{IntoParams, ToSchema};

/// Fewer than this are not told.
pub const FEWEST: u64 = domain::disclosure::FEWEST;

/// What is asked for.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomesQuery {
    /// The whole place when absent.
    pub area: Option<AreaId>,
    /// A kind of any level.
    pub category: Option<String>,
    /// Number of items, at most 200.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A closed matter as anybody may read it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PublishedCase {
    pub category: String,
    pub area: String,
    /// Public name of the unit that had it.
    pub unit: Option<String>,
    /// The day.
    pub received_on: String,
    pub closed_on: String,
    /// Whether it was handled within its limit.
    pub on_time: Option<bool>,
    /// What was said and answered, of a matter that came in through a public channel; numbers of persons left out.
    pub said: Option<String>,
    pub answer: Option<String>,
}

/// A name with its key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Choice {
    pub id: String,
    pub name: String,
}

/// A page of what was done, and what it can be narrowed to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Outcomes {
    pub items: Vec<PublishedCase>,
    pub next: Option<String>,
    /// Areas with fewer than this are not told apart.
    pub fewest: u64,
    /// The area asked for with those above it, from the top.
    pub path: Vec<Choice>,
    /// Areas below that can be asked for.
    pub areas: Vec<Choice>,
    /// First-level kinds with something public in them.
    pub kinds: Vec<Choice>,
}

/// One page.
pub fn page(ctx: &Ctx, tx: &mut Tx, q: &OutcomesQuery) -> Result<Outcomes, Fault> {
    let rules = place::rules(ctx)?;
    let every = public::public_codes(&rules, None);
    let codes = wanted(&rules, &every, q.category.as_deref())?;
    let (path, below) = named(ctx, tx, q.area, &every)?;
    let paging = PageQuery {
        limit: q.limit,
        after: q.after.clone(),
    };
    let (limit, after) = (paging.limit(), paging.after()?);
    let rows = match &below {
        Some(_) => store::outcomes(tx, &reach(ctx, q.area), &codes, after.as_ref(), limit)?,
        None => Vec::new(),
    };
    let rows = Page::cut(rows, limit, |row| (row.received_at.0, row.id.to_string()));
    let below = below.unwrap_or_default();
    Ok(Outcomes {
        items: told(ctx, tx, &rules, q.area, &below, &rows.items)?,
        next: rows.next,
        fewest: FEWEST,
        path: path.into_iter().map(|id| choice(ctx, id)).collect(),
        areas: place::areas_below(ctx, q.area)
            .into_iter()
            .filter(|id| below.contains(id))
            .map(|id| choice(ctx, id))
            .collect(),
        kinds: kinds(ctx, &rules, &every),
    })
}

fn choice(ctx: &Ctx, area: AreaId) -> Choice {
    Choice {
        id: area.to_string(),
        name: place::area_name(ctx, area).unwrap_or_default(),
    }
}

fn kinds(ctx: &Ctx, rules: &Rules, public: &[String]) -> Vec<Choice> {
    let tops: BTreeSet<&str> = public
        .iter()
        .filter_map(|code| rules.pack.lineage(code).into_iter().find(|up| up.parent.is_none()))
        .map(|top| top.code.as_str())
        .collect();
    let all = rules.pack.categories.iter().filter(|c| tops.contains(c.code.as_str()));
    all.map(|c| Choice {
        id: c.code.clone(),
        name: ctx.lang.pick(&c.name.zh, &c.name.en).to_owned(),
    })
    .collect()
}

fn reach(ctx: &Ctx, area: Option<AreaId>) -> Reach {
    let found = area.and_then(|id| place::chain_of(ctx, id).map(|(_, depth)| Reach::Area(depth, id)));
    found.unwrap_or(Reach::Everything)
}

/// The public kinds of or below the one asked for.
fn wanted(rules: &Rules, public: &[String], category: Option<&str>) -> Result<Vec<String>, Fault> {
    let Some(category) = category else {
        return Ok(public.to_vec());
    };
    if rules.pack.category(category).is_none() {
        return Err(Fault::invalid("category", "category_unknown"));
    }
    let below = |code: &&String| rules.pack.lineage(code).iter().any(|up| up.code == category);
    Ok(public.iter().filter(below).cloned().collect())
}

/// The way from the top to the area asked for, and the areas below it that may be named; none when the area itself may not.
type Named = (Vec<AreaId>, Option<BTreeSet<AreaId>>);

fn named(ctx: &Ctx, tx: &mut Tx, area: Option<AreaId>, codes: &[String]) -> Result<Named, Fault> {
    let path: Vec<AreaId> = match area {
        Some(area) => {
            let (chain, depth) = place::chain_of(ctx, area).ok_or_else(Fault::not_found)?;
            chain.into_iter().flatten().take(usize::from(depth)).collect()
        }
        None => Vec::new(),
    };
    let mut below = parts(ctx, tx, None, codes)?;
    for step in &path {
        if !below.as_ref().is_some_and(|named| named.contains(step)) {
            return Ok((path, None));
        }
        below = parts(ctx, tx, Some(*step), codes)?;
    }
    Ok((path, below))
}

/// Areas directly below that may be named; none when the whole is too small to be told at all.
fn parts(ctx: &Ctx, tx: &mut Tx, of: Option<AreaId>, codes: &[String]) -> Result<Option<BTreeSet<AreaId>>, Fault> {
    let below = place::areas_below(ctx, of);
    let mut areas = below.clone();
    areas.extend(of);
    let counts = store::closed_in(tx, &areas, codes)?;
    let count = |area: &AreaId| counts.get(area).copied().unwrap_or(0);
    let apart: Vec<(AreaId, u64)> = below.iter().map(|area| (*area, count(area))).collect();
    let within: u64 = apart.iter().map(|(_, n)| n).sum();
    let whole = of.map_or(within, |area| count(&area));
    Ok((whole >= FEWEST).then(|| told_apart(&apart, whole.saturating_sub(within))))
}

/// The rows in words: under the area below the one asked for where that may be named, else under the one asked for.
fn told(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    asked: Option<AreaId>,
    below: &BTreeSet<AreaId>,
    rows: &[CaseRow],
) -> Result<Vec<PublishedCase>, Fault> {
    let own: Vec<CaseId> = rows
        .iter()
        .filter(|row| public::is_own(row))
        .map(|row| row.id)
        .collect();
    let mut answers = store::last_answers(tx, &own)?;
    let mut units: HashMap<UnitId, Option<UnitInfo>> = HashMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let area = row
            .areas
            .iter()
            .flatten()
            .copied()
            .find(|id| below.contains(id))
            .or(asked);
        let depth = area
            .and_then(|id| place::chain_of(ctx, id))
            .map_or(0, |(_, depth)| depth);
        let unit = match row.unit_id {
            Some(id) => public::unit_once(ctx, tx, &mut units, id)?,
            None => None,
        };
        let open = public::is_own(row);
        found.push(PublishedCase {
            category: words::category(ctx.lang, rules, row.category_code.as_deref().unwrap_or_default()),
            area: area.and_then(|id| place::area_name(ctx, id)).unwrap_or_default(),
            // A unit of a smaller area would tell that area.
            unit: unit
                .filter(|unit| unit.depth.is_some_and(|at| at <= depth.max(1)))
                .map(|unit| unit.public_name),
            received_on: row.received_at.date().to_string(),
            closed_on: row.ended_at.map(|at| at.date().to_string()).unwrap_or_default(),
            on_time: row.on_time,
            said: open.then(|| public::masked(&row.body)),
            answer: answers.remove(&row.id).map(|text| public::masked(&text)),
        });
    }
    Ok(found)
}
