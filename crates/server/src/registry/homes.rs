//! Where households are, for the parts above that owe them something.
//!
//! Entry points: [`home`], [`homes_after`] (areas only, nothing personal), [`addresses`] (logged). Whoever asks for somebody looks at the scope.

use super::store::matching::At;
use super::store::{care, homes as store, matching};
use crate::access;
use crate::platform::*;
use domain::campaigns::Homes;
use domain::geo::LonLat;
use std::collections::{BTreeSet, HashMap};

/// A household that lives here, and the areas it lies in.
#[derive(Debug, Clone, PartialEq)]
pub struct Home {
    pub id: HouseholdId,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
}

/// A household with its address.
#[derive(Debug, Clone)]
pub struct Address {
    pub home: Home,
    /// The name of the dwelling, where known, and the room.
    pub address: String,
    /// Where the dwelling is.
    pub at: Option<LonLat>,
}

/// A household, while it lives here.
pub fn home(tx: &mut Tx, id: HouseholdId) -> Result<Option<Home>, Fault> {
    store::home(tx, id)
}

/// Households that live here in order of id, after one; fewer than `limit` at the end.
pub fn homes_after(tx: &mut Tx, after: Option<HouseholdId>, limit: u32) -> Result<Vec<Home>, Fault> {
    store::after(tx, after, limit)
}

/// How many households a question finds in an area. Who asks about care registers may know of them: the caller looks.
pub fn matching_count(tx: &mut Tx, of: &Homes, at: At) -> Result<i64, Fault> {
    matching::count(tx, of, at)
}

/// Those households in order of id, after one; fewer than `limit` at the end.
pub fn matching_after(
    tx: &mut Tx,
    of: &Homes,
    at: At,
    after: Option<HouseholdId>,
    limit: u32,
) -> Result<Vec<Home>, Fault> {
    matching::after(tx, of, at, after, limit)
}

/// Where some households live, ended ones too. The look is logged with the areas they lie in.
pub fn addresses(ctx: &Ctx, tx: &mut Tx, of: &[HouseholdId]) -> Result<Vec<Address>, Fault> {
    let found = store::addresses(tx, of)?;
    for area in found.iter().map(|one| one.home.area).collect::<BTreeSet<_>>() {
        access::log_read(ctx, tx, Subject::Area(area), &["addresses"])?;
    }
    Ok(found)
}

/// As [`addresses`], of some residents.
pub fn addresses_of(ctx: &Ctx, tx: &mut Tx, of: &[ResidentId]) -> Result<Vec<(ResidentId, Address)>, Fault> {
    let lives = care::households_of(tx, of)?;
    let households: BTreeSet<HouseholdId> = lives.iter().map(|(_, household)| *household).collect();
    let found = addresses(ctx, tx, &households.into_iter().collect::<Vec<_>>())?;
    let found: HashMap<HouseholdId, Address> = found.into_iter().map(|one| (one.home.id, one)).collect();
    let one = |(who, household)| Some((who, found.get(&household)?.clone()));
    Ok(lives.into_iter().filter_map(one).collect())
}
