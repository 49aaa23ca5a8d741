//! Households by building: what is registered in each dwelling, taken over as the numbers plans of grids are made from.
//!
//! Entry point: [`into_dwellings`]. A dwelling without a registered household keeps its numbers: a registry is filled over years.

use super::counts;
use super::store::buildings as store;
use crate::platform::*;
use crate::territory::Area;
use crate::territory::dwellings::{self, Living};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// What was found, and what was (or would be) changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TakenOver {
    /// Dwellings with registered households.
    pub dwellings: usize,
    /// Of these, those whose numbers are others than registered.
    pub changed: usize,
    /// Households of these dwellings before, and as registered.
    pub households_before: i64,
    pub households: i64,
    /// Registered households of the area whose building is not known: they are in none of these numbers.
    pub without_dwelling: i64,
}

/// A dwelling's numbers as plans know them, and as registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    pub households_before: i64,
    pub people_before: i64,
    pub spread: bool,
    pub living: Living,
}

impl Registered {
    fn differs(&self) -> bool {
        self.spread || (self.households_before, self.people_before) != (self.living.households, self.living.people)
    }
}

/// Puts the registered households and residents of an area's buildings in place of their numbers, community by community; or only looks. The
/// caller plans in the area.
pub async fn into_dwellings(ctx: &Ctx, area: Area, dry_run: bool) -> Result<TakenOver, Fault> {
    let (top, mut taken) = (area.id, TakenOver::default());
    let communities = ctx
        .app
        .read(ctx, move |_, tx| dwellings::communities(tx, &area))
        .await?;
    for (community, _) in communities {
        let found = if dry_run {
            ctx.app.read(ctx, move |_, tx| store::registered(tx, community)).await?
        } else {
            ctx.app
                .write_long(ctx, move |ctx, tx| taken_over(ctx, tx, community))
                .await?
        };
        for one in &found {
            taken.dwellings += 1;
            taken.changed += usize::from(one.differs());
            taken.households_before += one.households_before;
            taken.households += one.living.households;
        }
    }
    let registered = ctx.app.read(ctx, move |_, tx| counts::of(tx, &[top])).await?;
    let registered: i64 = registered.iter().map(|one| one.households).sum();
    taken.without_dwelling = registered - taken.households;
    Ok(taken)
}

fn taken_over(ctx: &Ctx, tx: &mut Tx, community: AreaId) -> Result<Vec<Registered>, Fault> {
    let found = store::registered(tx, community)?;
    let changed: Vec<Living> = found.iter().filter(|one| one.differs()).map(|one| one.living).collect();
    if !changed.is_empty() {
        dwellings::set_living(tx, community, &changed)?;
        let body = json!({ "dwellings": changed.len() });
        tx.record(ctx, Mark::new("dwellings.counted", Subject::Area(community), body))?;
    }
    Ok(found)
}
