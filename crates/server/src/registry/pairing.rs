//! Pairings 结对: a named person of the staff keeps in touch with somebody on a care register, from a day to a day, and says what came of it.
//!
//! Entry points: [`pair`], [`end`], [`of`] (somebody's pairings), [`mine`] (whom the caller is paired with), [`one`], [`goes_to`] and [`whereabouts`]
//! (for visits), [`follow`] and [`part`] (two records of one person). The register's page of those without a pair is in `care`. Must not: pair by itself; a person decides who goes to whom.

use super::care;
use super::counts::{Care, Sum};
use super::merges;
use super::residents::{self, Masked};
use super::store::{self, HouseholdRow, pairing as rows};
use super::vault;
use crate::access;
use crate::platform::*;
use crate::workforce;
use domain::registry::residence::Kind;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;

/// Why a pairing ends, as somebody says it.
pub const ENDINGS: [&str; 4] = ["handed_on", "no_need", "own_wish", "mistake"];
/// People one worker is paired with at most.
pub const MOST_OF_WORKER: usize = 200;
/// Characters of what came of it.
const MAX_RESULT: usize = 1_000;
const TABLE: &str = "pairing";
const RESULT: &str = "result_sealed";
/// Years a pairing is kept after its end: `privacy.toml` says so.
const KEPT_YEARS: i64 = 3;

/// A pairing as it is kept.
#[derive(Debug, Clone)]
pub struct Pairing {
    pub id: PairingId,
    pub register: String,
    pub resident: ResidentId,
    pub worker: WorkerId,
    pub from: Date,
    /// None while they are paired.
    pub ended: Option<Date>,
    pub how: Option<String>,
    pub result_sealed: Option<Vec<u8>>,
}

/// Pairs a worker with somebody on a register that wants it.
pub fn pair(ctx: &Ctx, tx: &mut Tx, key: &str, who: ResidentId, worker: WorkerId) -> Result<PairingId, Fault> {
    let (register, household) = care::touched(ctx, tx, key, who)?;
    care::in_use(ctx, tx, key)?;
    if !register.pairs {
        return Err(Fault::refused("register_without_pairs"));
    }
    if !store::care::on(tx, who)?.iter().any(|on| on == key) {
        return Err(Fault::refused("pairing_not_on_register"));
    }
    let found = workforce::worker(tx, worker)?.filter(|one| one.active);
    found.ok_or_else(|| Fault::invalid("worker_id", "unknown_worker"))?;
    if register.sensitive {
        let duties = workforce::duties_around(&ctx.app, tx, worker, household.spot.area, ctx.now)?;
        if !register.serves.iter().any(|duty| duties.contains(duty)) {
            return Err(Fault::invalid("worker_id", "pairing_not_serving"));
        }
    }
    if rows::of_worker(tx, worker)?.len() >= MOST_OF_WORKER {
        return Err(Fault::invalid("worker_id", "pairing_too_many").with("most", MOST_OF_WORKER));
    }
    let id = ctx.app.new_id();
    if !rows::insert(tx, id, key, who, worker, ctx.now.date())? {
        return Err(Fault::conflict("pairing_already"));
    }
    count(tx, &household, key, 1)?;
    let body = json!({ "register": care::mark(ctx, &register), "worker": worker });
    tx.record(ctx, Mark::new("resident.paired", Subject::Resident(who), body))?;
    Ok(id)
}

fn count(tx: &mut Tx, household: &HouseholdRow, key: &str, paired: i64) -> Result<(), Fault> {
    let mut sum = Sum::default();
    sum.care(&household.spot.chain, key, Care { people: 0, paired });
    sum.keep(tx)
}

/// Ends a pairing, with what came of it.
pub fn end(ctx: &Ctx, tx: &mut Tx, id: PairingId, how: &str, result: Option<Personal<String>>) -> Result<(), Fault> {
    let seen = rows::one(tx, id)?.ok_or_else(Fault::not_found)?;
    let (register, household) = care::touched(ctx, tx, &seen.register, seen.resident)?;
    if !ENDINGS.contains(&how) {
        return Err(Fault::invalid("how", "ending_unknown"));
    }
    let result = result.filter(|text| !text.reveal().trim().is_empty());
    if result
        .as_ref()
        .is_some_and(|text| text.reveal().chars().count() > MAX_RESULT)
    {
        return Err(Fault::invalid("result", "text_length").with("most", MAX_RESULT));
    }
    // Whom a pairing was for asks for what came of it; only a mistake led to nothing.
    if result.is_none() && how != "mistake" {
        return Err(Fault::invalid("result", "pairing_result_missing"));
    }
    let (row, key) = store::resident(tx, seen.resident)?.ok_or_else(Fault::not_found)?;
    let own = vault::open_key(&ctx.app, &row.id.to_string(), &key)?;
    let sealed = result.map(|text| own.seal(&ctx.app, TABLE, RESULT, text.reveal().trim()));
    if !rows::end(tx, id, ctx.now.date(), how, sealed)? {
        return Err(Fault::conflict("pairing_ended"));
    }
    count(tx, &household, &seen.register, -1)?;
    let body = json!({ "register": care::mark(ctx, &register), "worker": seen.worker, "how": how });
    tx.record(
        ctx,
        Mark::new("resident.unpaired", Subject::Resident(seen.resident), body),
    )?;
    Ok(())
}

/// Whether somebody on a register is paired.
pub fn paired(tx: &mut Tx, key: &str, who: ResidentId) -> Result<bool, Fault> {
    rows::paired(tx, key, who)
}

/// Somebody is off a register: the pairing ends with it. True when there was one; the caller keeps the counts.
pub fn stop(tx: &mut Tx, key: &str, who: ResidentId, on: Date, how: &str) -> Result<bool, Fault> {
    rows::stop(tx, key, who, on, how)
}

/// What became of somebody's pairings when their record went into another.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    given: Vec<PairingId>,
    ended: Vec<PairingId>,
}

/// Somebody's record goes into another: whoever is paired with them is paired with that one; where somebody is already, theirs ends. The caller keeps
/// the counts.
pub fn follow(tx: &mut Tx, from: ResidentId, to: ResidentId, on: Date) -> Result<Followed, Fault> {
    let mut followed = Followed::default();
    for one in rows::open_of(tx, from)? {
        if rows::paired(tx, &one.register, to)? {
            rows::stop(tx, &one.register, from, on, "merged")?;
            followed.ended.push(one.id);
        } else {
            rows::give(tx, one.id, to)?;
            followed.given.push(one.id);
        }
    }
    Ok(followed)
}

/// Two records are parted again, and so are their entries on registers: the other's pairings go back, where they go on; nobody stays paired with
/// somebody who is not on the register. The caller keeps the counts.
pub fn part(tx: &mut Tx, kept: ResidentId, other: ResidentId, followed: &Followed, on: Date) -> Result<(), Fault> {
    let (stays, goes) = (store::care::on(tx, kept)?, store::care::on(tx, other)?);
    for one in rows::open_of(tx, kept)? {
        let back = followed.given.contains(&one.id) || !stays.contains(&one.register);
        match (back, goes.contains(&one.register)) {
            (false, _) => {}
            (true, true) => rows::give(tx, one.id, other)?,
            (true, false) => {
                rows::stop(tx, &one.register, kept, on, "off_register")?;
            }
        }
    }
    for id in &followed.ended {
        let Some(one) = rows::one(tx, *id)? else { continue };
        if goes.contains(&one.register) && !rows::paired(tx, &one.register, other)? {
            rows::go_on(tx, one.id)?;
        }
    }
    Ok(())
}

/// Somebody's pairings, those that go on and then the newest first, on registers the caller may know of, with what came of them; logged.
pub fn of(ctx: &Ctx, tx: &mut Tx, who: ResidentId) -> Result<Vec<(Pairing, Option<Personal<String>>)>, Fault> {
    let (row, _) = store::resident(tx, who)?.ok_or_else(Fault::not_found)?;
    let household = super::households::load(ctx, tx, row.household, Permission::RegistryRead)?;
    let mut found = Vec::new();
    for record in merges::all_of(tx, who)? {
        let Some((_, key)) = store::resident(tx, record)? else {
            continue;
        };
        let own = vault::open_key(&ctx.app, &record.to_string(), &key)?;
        for one in rows::of_resident(tx, record)? {
            let Ok(register) = care::known(&ctx.app, &one.register) else {
                continue;
            };
            if care::told(ctx, tx, &register, household.spot.area)? {
                let result = one.result_sealed.as_deref();
                let result = result.map(|sealed| own.open(TABLE, RESULT, sealed)).transpose()?;
                found.push((one, result));
            }
        }
    }
    found.sort_by_key(|(one, _)| std::cmp::Reverse((one.ended.is_none(), one.from, one.id)));
    access::log_read(ctx, tx, Subject::Resident(who), &["pairings"])?;
    Ok(found)
}

/// Whom the caller is paired with, masked, with where they live: each look is logged. Wherever they live: the pairing says who goes there.
pub fn mine(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<(Pairing, Masked, super::Address)>, Fault> {
    let worker = ctx.worker()?;
    let all = rows::of_worker(tx, worker)?;
    let who: Vec<ResidentId> = all.iter().map(|one| one.resident).collect();
    let addresses: HashMap<_, _> = super::addresses_of(ctx, tx, &who)?.into_iter().collect();
    let mut found = Vec::new();
    for one in all {
        let Some(address) = addresses.get(&one.resident).cloned() else {
            continue;
        };
        let Some((row, key)) = store::resident(tx, one.resident)? else {
            continue;
        };
        // Of a sensitive register, only while one serves there.
        if care::known_and_told(ctx, tx, &one.register, address.home.area)? {
            access::log_read(ctx, tx, Subject::Resident(one.resident), &["masked", "pairings"])?;
            found.push((one, residents::mask(ctx, &row, &key)?, address));
        }
    }
    Ok(found)
}

/// A pairing the caller may know of: their own, or of somebody in their area.
pub fn one(ctx: &Ctx, tx: &mut Tx, id: PairingId) -> Result<Pairing, Fault> {
    let found = rows::one(tx, id)?.ok_or_else(Fault::not_found)?;
    let own = ctx.worker().is_ok_and(|worker| worker == found.worker) && found.ended.is_none();
    let home = home_of(tx, found.resident)?;
    let seen = ctx.scope.covers(&home.areas, Permission::RegistryRead);
    if !(own || seen) || !care::known_and_told(ctx, tx, &found.register, home.area)? {
        return Err(Fault::not_found());
    }
    Ok(found)
}

fn home_of(tx: &mut Tx, who: ResidentId) -> Result<super::Home, Fault> {
    let (row, _) = store::resident(tx, who)?.ok_or_else(Fault::not_found)?;
    super::home(tx, row.household)?.ok_or_else(Fault::not_found)
}

/// Whether the caller is paired with somebody now, on a register they may know of: they may record their visits there, wherever it is.
pub fn goes_to(ctx: &Ctx, tx: &mut Tx, who: ResidentId) -> Result<bool, Fault> {
    let worker = ctx.worker()?;
    let mut mine = rows::open_of(tx, who)?;
    mine.retain(|one| one.worker == worker);
    for one in mine {
        let home = home_of(tx, who)?;
        if care::known_and_told(ctx, tx, &one.register, home.area)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where the visits of a pairing go.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Every record the person is known by.
    pub people: Vec<ResidentId>,
    /// Homes they really lived in, each with the first day and, where they left it, the last.
    pub homes: Vec<(HouseholdId, Date, Option<Date>)>,
}

/// Under which records and in which homes the person of a pairing is met.
pub fn whereabouts(tx: &mut Tx, pairing: &Pairing) -> Result<Whereabouts, Fault> {
    let lived = store::residences(tx, &[pairing.resident])?.into_iter();
    let lived = lived.map(|row| row.residence).filter(|one| one.kind == Kind::Actual);
    Ok(Whereabouts {
        people: merges::all_of(tx, pairing.resident)?,
        homes: lived.map(|one| (one.household, one.from, one.to)).collect(),
    })
}

/// Workers who left the staff leave those they were paired with without a pair, so that they show on the list again. At most so many at once;
/// true when there may be more.
pub fn workers_gone(ctx: &Ctx, tx: &mut Tx, limit: u32) -> Result<bool, Fault> {
    let gone = rows::of_gone_workers(tx, limit)?;
    if gone.is_empty() {
        return Ok(false);
    }
    let mut sum = Sum::default();
    for (one, chain) in &gone {
        rows::stop(tx, &one.register, one.resident, ctx.now.date(), "worker_left")?;
        sum.care(chain, &one.register, Care { people: 0, paired: -1 });
    }
    sum.keep(tx)?;
    let body = json!({ "pairings": gone.len() });
    tx.record(ctx, Mark::new("pairings.worker_left", Subject::List, body))?;
    Ok(gone.len() == limit as usize)
}

/// Pairings that ended long enough ago are kept no more, so many at once at most; true when there may be more.
pub fn forget(ctx: &Ctx, tx: &mut Tx, limit: u32) -> Result<bool, Fault> {
    let before = ctx.now.date() - KEPT_YEARS.years();
    let old = rows::ended_before(tx, before, limit)?;
    if old.is_empty() {
        return Ok(false);
    }
    rows::delete(tx, &old)?;
    let body = json!({ "pairings": old.len() });
    tx.record(ctx, Mark::new("pairings.forgotten", Subject::List, body))?;
    Ok(old.len() == limit as usize)
}
