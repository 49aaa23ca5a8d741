//! Insight 研判: the live board. What is open, where, whose, how late, and how well it goes, for an area and its parts.
//!
//! Entry points: [`board`], [`funnel`], [`ageing`], [`teams`]. Every figure comes from the counters that `cases` keeps in the transaction of each change (`cube_case`),
//! so a figure costs the same in a town and in a city and is never older than the last commit. Areas are fixed ones of the
//! territory and nothing here knows a person. Must not: count by walking cases, or write anything.

pub mod ageing;
mod http;
mod indicators;
mod store;
pub mod teams;
mod year;

pub use http::routes;
pub use indicators::{INDICATORS, Indicator, indicator};

use crate::platform::{AreaId, Ctx, Fault, Permission, Tx, UnitId};
use crate::territory::{self, Area, Map};
use crate::workforce;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Days of the board's period, today included.
pub const PERIOD_DAYS: i64 = 30;

/// A figure of the board. A share has a numerator and a denominator, and no value when the denominator is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub indicator: &'static Indicator,
    /// How many.
    pub numerator: i64,
    /// Of how many, for a share.
    pub denominator: Option<i64>,
}

impl Figure {
    /// The count, or the share from 0 to 1.
    pub fn value(&self) -> Option<f64> {
        share(self.numerator, self.denominator.unwrap_or(1))
    }
}

/// `part / whole`, nothing over nothing.
pub fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// One area in a table of areas.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The area.
    pub area: AreaId,
    /// Its counters.
    pub counts: Counts,
}

/// Counters of an area over the period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Open now.
    pub open: i64,
    /// Open and past the limit now.
    pub late: i64,
    /// Received since midnight.
    pub received_today: i64,
    /// Closed since midnight.
    pub closed_today: i64,
    /// Received in the period.
    pub received: i64,
    /// Closed in the period.
    pub closed: i64,
    /// Handled in the period.
    pub handled: i64,
    /// Of these within the limit.
    pub handled_on_time: i64,
    /// Of these with an answer given.
    pub handled_answered: i64,
    /// Closed in the period by the depth of the unit that resolved it; 0 where no unit did.
    pub closed_by_depth: BTreeMap<u8, i64>,
}

impl Counts {
    /// Closed in the period by a unit at `depth` or deeper.
    pub fn resolved_from(&self, depth: u8) -> i64 {
        self.closed_by_depth
            .iter()
            .filter(|(at, _)| **at >= depth)
            .map(|(_, n)| n)
            .sum()
    }
}

/// How many there are under one key (a category, a unit, a channel), and how many of them are late.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<K> {
    /// Of what.
    pub key: K,
    /// Open now.
    pub open: i64,
    /// Late now.
    pub late: i64,
}

/// One day of the trend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Day {
    /// Days since 1970-01-01 in +08:00.
    pub day: i64,
    /// Received on it.
    pub received: i64,
    /// Closed on it.
    pub closed: i64,
}

/// The live board of one area.
#[derive(Debug, Clone)]
pub struct Board {
    /// The area.
    pub area: Area,
    /// Its figures, in the order of [`INDICATORS`].
    pub figures: Vec<Figure>,
    /// Its parts.
    pub children: Vec<Row>,
    /// Open cases by category.
    pub by_category: Vec<Slice<String>>,
    /// Open cases by the unit that has them, with its name; none for those waiting to be dispatched.
    pub by_unit: Vec<(Slice<Option<UnitId>>, String)>,
    /// Cases received in the period, by channel.
    pub by_channel: Vec<(String, i64)>,
    /// The period day by day.
    pub trend: Vec<Day>,
    /// Cases closed in the period, by depth of the unit that resolved them, deepest first.
    pub by_depth: Vec<(u8, i64)>,
    /// The area's year.
    pub year: year::Year,
}

/// The board of an area in scope; the top area the caller may see when none is named. `map`: the areas of the period's last day.
///
/// Errors: `not_found` for an area that is absent or out of scope.
pub fn board(ctx: &Ctx, tx: &mut Tx, map: &Arc<Map>, area: Option<AreaId>, period: Period) -> Result<Board, Fault> {
    let area = chosen(ctx, map, area)?.clone();
    let Period { from, to, .. } = period;
    let counts = store::counts(tx, &[area.id], period)?
        .remove(&area.id)
        .unwrap_or_default();
    let parts: Vec<AreaId> = map.children(Some(area.id)).map(|part| part.id).collect();
    let mut by_part = store::counts(tx, &parts, period)?;
    let children = parts
        .into_iter()
        .map(|part| Row {
            area: part,
            counts: by_part.remove(&part).unwrap_or_default(),
        })
        .collect();
    Ok(Board {
        figures: figures(&counts, area.depth),
        children,
        by_category: store::open_by(tx, area.id, "category")?,
        by_unit: open_by_unit(tx, area.id)?,
        by_channel: store::by_channel(tx, area.id, from, to)?,
        trend: store::trend(tx, area.id, from, to)?,
        by_depth: by_depth(&counts),
        year: year::of(ctx, tx, &[area.id])?,
        area,
    })
}

/// Open and late cases by the unit that has them, with its name.
fn open_by_unit(tx: &mut Tx, area: AreaId) -> Result<Vec<(Slice<Option<UnitId>>, String)>, Fault> {
    let slices = store::open_by(tx, area, "unit")?;
    let units: Vec<UnitId> = slices.iter().filter_map(|slice| slice.key.parse().ok()).collect();
    let mut names = workforce::unit_names(tx, &units)?;
    let named = slices.into_iter().map(|slice| {
        let key: Option<UnitId> = slice.key.parse().ok();
        let name = key.and_then(|unit| names.remove(&unit)).unwrap_or_default();
        (
            Slice {
                key,
                open: slice.open,
                late: slice.late,
            },
            name,
        )
    });
    Ok(named.collect())
}

/// Cases closed in an area between two days, by category and depth of the unit that resolved them (Yichang's "conflicts stay in the
/// home, small matters in the community, large ones in the street", per class of matter).
pub fn funnel(
    ctx: &Ctx,
    tx: &mut Tx,
    area: Option<AreaId>,
    from: i64,
    to: i64,
) -> Result<(Area, Vec<(String, u8, i64)>), Fault> {
    let map = territory::current(&ctx.app);
    let area = chosen(ctx, &map, area)?.clone();
    let rows = store::closed_by_category_and_depth(tx, area.id, from, to)?;
    Ok((area, rows))
}

/// The days a figure "of the period" is about, as days since 1970-01-01 in +08:00, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: i64,
    /// Last day.
    pub to: i64,
    /// Today, which need not be in it.
    pub today: i64,
}

impl Period {
    /// The last [`PERIOD_DAYS`] days, today included.
    pub fn usual(ctx: &Ctx) -> Period {
        let (today, _) = ctx.now.day_and_ms();
        Period {
            from: today - PERIOD_DAYS + 1,
            to: today,
            today,
        }
    }
}

fn chosen<'m>(ctx: &Ctx, map: &'m Arc<Map>, asked: Option<AreaId>) -> Result<&'m Area, Fault> {
    let visible = |area: &&Area| ctx.scope.covers(&area.chain, Permission::BoardRead);
    let found = match asked {
        Some(id) => map.area(id).filter(visible),
        None => map.areas().iter().filter(visible).min_by_key(|area| area.depth),
    };
    found.ok_or_else(Fault::not_found)
}

fn figures(counts: &Counts, depth: u8) -> Vec<Figure> {
    INDICATORS
        .iter()
        .map(|indicator| {
            let (numerator, denominator) = match indicator.key {
                "open" => (counts.open, None),
                "late" => (counts.late, None),
                "received_today" => (counts.received_today, None),
                "closed_today" => (counts.closed_today, None),
                "received" => (counts.received, None),
                "closed" => (counts.closed, None),
                "on_time_rate" => (counts.handled_on_time, Some(counts.handled)),
                "answered_rate" => (counts.handled_answered, Some(counts.handled)),
                _ => (counts.resolved_from(depth), Some(counts.closed)),
            };
            Figure {
                indicator,
                numerator,
                denominator,
            }
        })
        .collect()
}

fn by_depth(counts: &Counts) -> Vec<(u8, i64)> {
    counts
        .closed_by_depth
        .iter()
        .rev()
        .map(|(depth, n)| (*depth, *n))
        .collect()
}
