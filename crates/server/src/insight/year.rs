//! A year in figures 一年数字: what came in, what was solved, who serves (ZS-15), for the first pages of staff and of residents.
//!
//! Entry points: [`of`], [`whole`]. From the counters of cases and the roster, so that it costs the same in a town and in a province. Must not:
//! tell anybody a count of fewer than [`FEWEST`].

use super::{Period, store};
use crate::platform::{AreaId, Ctx, Fault, Tx};
use crate::{territory, workforce};
use domain::disclosure::FEWEST;
use std::collections::HashMap;

/// Days of the year, today included.
pub const DAYS: i64 = 365;

/// The year of one or several areas that do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Year {
    /// First day, days since 1970-01-01 in +08:00.
    pub from: i64,
    /// Last day: today.
    pub to: i64,
    /// Cases received; merged ones count once.
    pub received: i64,
    /// Cases closed and not reopened since.
    pub solved: i64,
    /// People who sit in a post today.
    pub serving: i64,
}

/// The year of these areas.
pub fn of(ctx: &Ctx, tx: &mut Tx, areas: &[AreaId]) -> Result<Year, Fault> {
    let (today, _) = ctx.now.day_and_ms();
    let period = Period {
        from: today - DAYS + 1,
        to: today,
        today,
    };
    let counts = store::happened(tx, areas, period)?;
    let serving: &HashMap<AreaId, i64> = &*workforce::serving(ctx, tx)?;
    let count = |measure: &str| counts.get(measure).copied().unwrap_or(0);
    Ok(Year {
        from: period.from,
        to: period.to,
        received: count("received"),
        solved: count("closed"),
        serving: areas.iter().filter_map(|area| serving.get(area)).sum(),
    })
}

/// The year of the whole place.
pub fn whole(ctx: &Ctx, tx: &mut Tx) -> Result<Year, Fault> {
    let map = territory::current(&ctx.app);
    let tops: Vec<AreaId> = map.children(None).map(|area| area.id).collect();
    of(ctx, tx, &tops)
}

/// What anybody may be told of a count: nothing of a small one.
pub fn told(count: i64) -> Option<i64> {
    (u64::try_from(count).is_ok_and(|n| n >= FEWEST)).then_some(count)
}
