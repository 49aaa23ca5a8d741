//! Homes follow the ground: when a dwelling comes to lie in another grid, its households and organisations come along, counts and all.
//!
//! Entry points: [`follow_dwellings`]; [`register`], by which a map brought in anew does the same; [`loose_in`] and [`move_loose`] for those whose dwelling is not known (or is no more).

use super::counts::Sum;
use super::store::follow as store;
use crate::platform::*;
use crate::territory::{self, dwellings};
use std::collections::BTreeMap;

/// Dwellings moved by one statement.
const AT_ONCE: usize = 500;

/// Homes follow every change of dwellings; once at the start.
pub fn register(app: &App) {
    news::follow(app, dwellings_changed);
}

fn dwellings_changed(ctx: &Ctx, tx: &mut Tx, news: &dwellings::DwellingsChanged) -> Result<(), Fault> {
    let map = territory::current(&ctx.app);
    let moves = store::astray(tx, &news.communities)?.into_iter();
    let moves = moves.filter_map(|(id, area)| Some((id, area, map.area(area)?.chain)));
    follow_dwellings(tx, &moves.collect::<Vec<_>>())
}

/// Something in an area itself whose dwelling is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Loose {
    /// A household's or an organisation's.
    pub id: String,
    pub area: AreaId,
}

/// What lives in these dwellings now lies in these areas. The caller records the mark.
pub fn follow_dwellings(tx: &mut Tx, moves: &[(DwellingId, AreaId, [Option<AreaId>; 5])]) -> Result<(), Fault> {
    let mut by_area: BTreeMap<AreaId, (&[Option<AreaId>; 5], Vec<DwellingId>)> = BTreeMap::new();
    for (dwelling, area, chain) in moves {
        by_area.entry(*area).or_insert((chain, Vec::new())).1.push(*dwelling);
    }
    let mut sum = Sum::default();
    for (area, (chain, dwellings)) in by_area {
        for some in dwellings.chunks(AT_ONCE) {
            for (old, register, people) in store::care_at(tx, some)? {
                sum.care(&old, &register, -people);
                sum.care(chain, &register, people);
            }
            for (old, delta) in store::living_at(tx, some)? {
                sum.take(&old, delta);
                sum.add(chain, delta);
            }
            store::move_dwellings(tx, some, area, chain)?;
        }
    }
    sum.keep(tx)
}

/// Households and organisations of these areas themselves whose dwelling is not known or no more.
pub fn loose_in(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Loose>, Fault> {
    store::loose_in(tx, areas)
}

/// Moves them one by one. The caller records the mark.
pub fn move_loose(tx: &mut Tx, moves: &[(String, AreaId, [Option<AreaId>; 5])]) -> Result<(), Fault> {
    let mut sum = Sum::default();
    for (id, area, chain) in moves {
        for (old, register, people) in store::care_as(tx, id)? {
            sum.care(&old, &register, -people);
            sum.care(chain, &register, people);
        }
        for (old, delta) in store::living_as(tx, id)? {
            sum.take(&old, delta);
            sum.add(chain, delta);
        }
        store::move_loose(tx, id, *area, chain)?;
    }
    sum.keep(tx)
}
