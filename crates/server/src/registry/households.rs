//! Households: register, correct, move, split, end.
//!
//! Entry points: [`register`], [`change`], [`part`], [`end`], [`load`], [`page`].

use super::HomesChanged;
use super::counts::Delta;
use super::place::{self, PlaceWish, Spot};
use super::residents;
use super::store::{self, HouseholdRow};
use crate::platform::*;
use domain::registry::household::{self, BadLife, Ending, Life};
use domain::registry::kinship::Relation;
use jiff::civil::Date;
use serde_json::json;

/// Residents of one household at most: a collective household is divided.
pub const MOST_RESIDENTS: i64 = 200;
/// Characters of a household's number.
const MAX_NUMBER: usize = 40;

/// A household to be registered.
pub struct NewHousehold {
    pub id: HouseholdId,
    pub number: Option<String>,
    pub place: PlaceWish,
    pub from: Date,
}

/// The sentence for what cannot happen to a household.
pub fn bad_life(bad: BadLife, field: &'static str) -> Fault {
    match bad {
        BadLife::Ended => Fault::refused("household_ended"),
        BadLife::BeforeStart => Fault::invalid(field, "before_household"),
        BadLife::Future => Fault::invalid(field, "day_in_the_future"),
        BadLife::SplitOfAllOrNone => Fault::invalid("residents", "split_all_or_none"),
    }
}

pub fn number_of(text: Option<&str>) -> Result<Option<String>, Fault> {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > MAX_NUMBER {
        return Err(Fault::invalid("number", "text_length").with("most", MAX_NUMBER));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A household where the caller has the permission; absent otherwise. Locked until the end of the transaction when it is to be written.
pub fn load(ctx: &Ctx, tx: &mut Tx, id: HouseholdId, permission: Permission) -> Result<HouseholdRow, Fault> {
    let to_write = matches!(permission, Permission::RegistryWrite | Permission::RegistryErase);
    let row = store::household(tx, id, to_write)?;
    row.filter(|row| ctx.scope.covers(&row.spot.chain, permission))
        .ok_or_else(Fault::not_found)
}

/// Registers a household without residents.
pub fn register(ctx: &Ctx, tx: &mut Tx, new: NewHousehold) -> Result<HouseholdRow, Fault> {
    let spot = place::find(ctx, tx, &new.place)?;
    let number = number_of(new.number.as_deref())?;
    Life::begin(new.from, ctx.now.date()).map_err(|bad| bad_life(bad, "valid_from"))?;
    begin(ctx, tx, new.id, number, spot, new.from, None)
}

fn begin(
    ctx: &Ctx,
    tx: &mut Tx,
    id: HouseholdId,
    number: Option<String>,
    spot: Spot,
    from: Date,
    split_from: Option<HouseholdId>,
) -> Result<HouseholdRow, Fault> {
    if store::household(tx, id, false)?.is_some() {
        return Err(Fault::conflict("id_used"));
    }
    let row = HouseholdRow {
        house: None,
        id,
        number,
        spot,
        residents: 0,
        split_from,
        life: Life { from, ended: None },
        version: 1,
    };
    store::insert_household(ctx, tx, &row)?;
    Delta::households(1).add_to(tx, &row.spot.chain)?;
    let body = json!({ "area": row.spot.area, "dwelling": row.spot.dwelling, "from": from.to_string(), "split_from": split_from });
    tx.record(ctx, Mark::new("household.registered", Subject::Household(id), body))?;
    tell(ctx, tx, id)?;
    Ok(row)
}

fn tell(ctx: &Ctx, tx: &mut Tx, id: HouseholdId) -> Result<(), Fault> {
    let residents = store::residents_of(tx, id)?.into_iter().map(|one| one.id);
    let news = HomesChanged {
        households: vec![id],
        residents: residents.collect(),
    };
    news::tell(ctx, tx, &news)
}

/// What is to be corrected; what is not given stays.
pub struct Change {
    pub number: Option<String>,
    pub place: Option<PlaceWish>,
    /// What the caller saw, if they say so.
    pub row_version: Option<i64>,
}

/// Corrects the number or the place: for what was wrong, not for a household that moved.
pub fn change(ctx: &Ctx, tx: &mut Tx, id: HouseholdId, change: Change) -> Result<HouseholdRow, Fault> {
    let mut row = load(ctx, tx, id, Permission::RegistryWrite)?;
    not_stale(row.version, change.row_version)?;
    row.life
        .alive_on(ctx.now.date(), ctx.now.date())
        .map_err(|bad| bad_life(bad, "id"))?;
    if change.number.is_some() {
        row.number = number_of(change.number.as_deref())?;
    }
    let mut was = None;
    if let Some(wish) = &change.place {
        let spot = place::find(ctx, tx, wish)?;
        let people = Delta {
            households: 1,
            residents: row.residents,
            organisations: 0,
        };
        let mut sum = super::counts::Sum::default();
        sum.take(&row.spot.chain, people);
        sum.add(&spot.chain, people);
        for (old, register, people) in store::follow::care_as(tx, &id.to_string())? {
            sum.care(&old, &register, -people);
            sum.care(&spot.chain, &register, people);
        }
        sum.keep(tx)?;
        was = Some(std::mem::replace(&mut row.spot, spot).area);
    }
    store::update_household(tx, &mut row)?;
    let body = json!({ "area": row.spot.area, "area_before": was, "version": row.version });
    tx.record(ctx, Mark::new("household.changed", Subject::Household(id), body))?;
    tell(ctx, tx, id)?;
    Ok(row)
}

/// Refuses a change of something that somebody else changed meanwhile.
pub fn not_stale(version: i64, seen: Option<i64>) -> Result<(), Fault> {
    match seen.is_some_and(|seen| seen != version) {
        true => Err(Fault::conflict("registry_stale")),
        false => Ok(()),
    }
}

/// What becomes a household of its own.
pub struct Part {
    pub new: HouseholdId,
    pub number: Option<String>,
    pub place: PlaceWish,
    /// First day of the new household.
    pub from: Date,
    /// Who goes, with what they are to the new householder; none: all of them, as they are, and the old household ends the day before.
    pub leaving: Option<Vec<(ResidentId, Relation)>>,
}

/// A household moves, or some of its residents make one of their own. What it was stays as history.
pub fn part(ctx: &Ctx, tx: &mut Tx, id: HouseholdId, part: Part) -> Result<HouseholdRow, Fault> {
    let old = load(ctx, tx, id, Permission::RegistryWrite)?;
    let today = ctx.now.date();
    old.life
        .alive_on(part.from, today)
        .map_err(|bad| bad_life(bad, "valid_from"))?;
    let here = store::residents_of(tx, id)?;
    let spot = place::find(ctx, tx, &part.place)?;
    let whole = part.leaving.is_none();
    let leaving = match part.leaving {
        Some(leaving) => {
            let all: Vec<ResidentId> = here.iter().map(|one| one.id).collect();
            let ids: Vec<ResidentId> = leaving.iter().map(|(id, _)| *id).collect();
            household::split(&all, &ids).map_err(|bad| bad_life(bad, "residents"))?;
            leaving
        }
        None => here.iter().map(|one| (one.id, one.relation)).collect(),
    };
    let number = match part.number {
        Some(number) => number_of(Some(&number))?,
        None => old.number.clone().filter(|_| whole),
    };
    let split_from = Some(id).filter(|_| !whole);
    let new = begin(ctx, tx, part.new, number, spot, part.from, split_from)?;
    for (resident, relation) in leaving {
        residents::follow_household(ctx, tx, resident, id, new.id, relation, part.from)?;
    }
    if whole {
        residents::bound_follow(ctx, tx, id, new.id, part.from)?;
        let last = part.from.yesterday().map_err(Fault::internal)?.max(old.life.from);
        finish(ctx, tx, id, last, Ending::MovedAway)?;
    }
    load(ctx, tx, new.id, Permission::RegistryWrite)
}

/// Ends a household; `on` is its last day. Residents who still belong to one that moved away leave with it; one with residents is not
/// dissolved.
pub fn end(ctx: &Ctx, tx: &mut Tx, id: HouseholdId, on: Date, how: Ending) -> Result<(), Fault> {
    let row = load(ctx, tx, id, Permission::RegistryWrite)?;
    let here = store::residents_of(tx, id)?;
    if how == Ending::Dissolved && !here.is_empty() {
        return Err(Fault::refused("household_has_residents").with("count", here.len()));
    }
    row.life
        .alive_on(on, ctx.now.date())
        .map_err(|bad| bad_life(bad, "on"))?;
    for one in here {
        residents::end(ctx, tx, one.id, on, "moved_away")?;
    }
    finish(ctx, tx, id, on, how)
}

fn finish(ctx: &Ctx, tx: &mut Tx, id: HouseholdId, on: Date, how: Ending) -> Result<(), Fault> {
    let mut row = store::household(tx, id, true)?.ok_or_else(Fault::not_found)?;
    row.life
        .end(on, how, ctx.now.date())
        .map_err(|bad| bad_life(bad, "on"))?;
    store::update_household(tx, &mut row)?;
    store::end_residences_in(tx, id, on)?;
    Delta::households(-1).add_to(tx, &row.spot.chain)?;
    let body = json!({ "on": on.to_string(), "how": how.key() });
    tx.record(ctx, Mark::new("household.ended", Subject::Household(id), body))?;
    tell(ctx, tx, id)
}

/// Somebody joins (1) or leaves (-1) a household; the areas it lies in.
pub fn count_resident(tx: &mut Tx, id: HouseholdId, by: i64) -> Result<[Option<AreaId>; 5], Fault> {
    let row = store::household(tx, id, true)?.ok_or_else(Fault::not_found)?;
    if by > 0 && row.residents >= MOST_RESIDENTS {
        return Err(Fault::refused("household_full").with("most", MOST_RESIDENTS));
    }
    store::add_residents(tx, id, by)?;
    Delta::residents(by).add_to(tx, &row.spot.chain)?;
    Ok(row.spot.chain)
}
