//! How many households, residents and organisations every area has: kept in the transaction of each change, at every level of the tree.
//!
//! Entry points: [`Delta::add_to`], [`of`], [`living_in`].

use super::store::counts as store;
use crate::platform::*;
use std::collections::{BTreeMap, HashMap};

/// A change of the counts, or the counts themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delta {
    pub households: i64,
    pub residents: i64,
    pub organisations: i64,
}

impl Delta {
    pub fn households(households: i64) -> Delta {
        Delta {
            households,
            ..Delta::default()
        }
    }

    pub fn residents(residents: i64) -> Delta {
        Delta {
            residents,
            ..Delta::default()
        }
    }

    pub fn organisations(organisations: i64) -> Delta {
        Delta {
            organisations,
            ..Delta::default()
        }
    }

    fn plus(self, other: Delta, sign: i64) -> Delta {
        Delta {
            households: self.households + sign * other.households,
            residents: self.residents + sign * other.residents,
            organisations: self.organisations + sign * other.organisations,
        }
    }

    /// Adds this to every area of a chain.
    pub fn add_to(self, tx: &mut Tx, chain: &[Option<AreaId>; 5]) -> Result<(), Fault> {
        let mut sum = Sum::default();
        sum.add(chain, self);
        sum.keep(tx)
    }
}

/// Of a care register: how many are on it, and how many of them have a named person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Care {
    pub people: i64,
    pub paired: i64,
}

impl Care {
    pub fn one(paired: bool) -> Care {
        Care {
            people: 1,
            paired: i64::from(paired),
        }
    }
}

impl std::ops::Neg for Care {
    type Output = Care;

    fn neg(self) -> Care {
        Care {
            people: -self.people,
            paired: -self.paired,
        }
    }
}

/// Changes of many areas, kept together.
#[derive(Default)]
pub struct Sum {
    homes: BTreeMap<String, Delta>,
    /// By area and register.
    care: BTreeMap<(String, String), Care>,
}

impl Sum {
    pub fn add(&mut self, chain: &[Option<AreaId>; 5], delta: Delta) {
        self.change(chain, delta, 1);
    }

    pub fn take(&mut self, chain: &[Option<AreaId>; 5], delta: Delta) {
        self.change(chain, delta, -1);
    }

    fn change(&mut self, chain: &[Option<AreaId>; 5], delta: Delta, sign: i64) {
        for area in chain.iter().flatten() {
            let one = self.homes.entry(area.to_string()).or_default();
            *one = one.plus(delta, sign);
        }
    }

    /// People on a care register, and those of them who are paired, more or less.
    pub fn care(&mut self, chain: &[Option<AreaId>; 5], register: &str, by: Care) {
        for area in chain.iter().flatten() {
            let one = self.care.entry((area.to_string(), register.to_owned())).or_default();
            one.people += by.people;
            one.paired += by.paired;
        }
    }

    pub fn keep(self, tx: &mut Tx) -> Result<(), Fault> {
        let homes = self.homes.into_iter().filter(|(_, delta)| *delta != Delta::default());
        store::add(tx, homes.collect())?;
        store::add_care(
            tx,
            self.care.into_iter().filter(|(_, by)| *by != Care::default()).collect(),
        )
    }
}

/// The counts of these areas, in their order.
pub fn of(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Delta>, Fault> {
    let known = store::of(tx, areas)?;
    Ok(areas
        .iter()
        .map(|area| known.get(&area.to_string()).copied().unwrap_or_default())
        .collect())
}

/// How many are on which care register, by area.
pub fn care_of(tx: &mut Tx, areas: &[AreaId]) -> Result<HashMap<AreaId, BTreeMap<String, Care>>, Fault> {
    store::care_of(tx, areas)
}

/// Households and organisations in an area: while there are any, it does not end.
pub fn living_in(tx: &mut Tx, area: AreaId) -> Result<i64, Fault> {
    let counts = of(tx, &[area])?;
    Ok(counts.iter().map(|one| one.households + one.organisations).sum())
}
