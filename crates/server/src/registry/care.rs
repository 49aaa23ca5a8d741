//! Care registers 关爱名册: put into use and confirmed, people put on and taken off, who is on one, how many are.
//!
//! Entry points: [`open`], [`close`], [`put_on`], [`take_off`], [`page`], [`marks`], [`counted`]. A register is the pack's; here is whether it is
//! in use, whose it is and until when. A sensitive one is there only for those who serve the people on it: for everybody else it does not exist.
//! Must not: rate or label anybody; a register is for a service and ends.

use super::counts::{Care, Sum};
use super::pairing;
use super::residents::{self, Masked};
pub use super::store::care::Put;
use super::store::{HouseholdRow, care as rows};
use super::{HomesChanged, counts};
use crate::platform::jobs::{self, Handler, Outcome, Recurring};
use crate::platform::*;
use crate::{access, policy, workforce};
use domain::policy::CareRegister;
use domain::registry::care::{BadRegister, Register};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const NIGHTLY: &str = "registry.registers";
const ENDING: &str = "registry.register_ends";
/// People taken off a register that ended, in one transaction.
const AT_ONCE: u32 = 200;

/// Where an entry came from.
pub const SOURCES: [&str; 3] = ["own_wish", "list", "visit"];
/// Why somebody was taken off.
pub const ENDINGS: [&str; 3] = ["no_need", "own_wish", "mistake"];

/// Makes the jobs known; once at the start.
pub fn register(app: &App) {
    // Before the night's work on duties, so that nothing is owed to people on a register that ended.
    jobs::register_recurring(app, Recurring::nightly(NIGHTLY, 0, 2), Handler::Step(nightly));
    jobs::register(app, ENDING, Handler::Step(ending));
}

/// A register in use.
#[derive(Debug, Clone)]
pub struct InUse {
    pub unit: UnitId,
    pub confirmed: Date,
    pub review: Date,
    pub ends: Date,
    pub closed: Option<Date>,
}

impl InUse {
    pub fn on(&self, day: Date) -> bool {
        self.closed.is_none() && day <= self.ends
    }
}

pub fn known(app: &App, key: &str) -> Result<CareRegister, Fault> {
    let current = policy::current(app)?;
    let found = current.pack.registers.iter().find(|one| one.key == key);
    found.cloned().ok_or_else(Fault::not_found)
}

/// Whether somebody who reads there may know of a register at all: of a sensitive one those who hold or stand in for a post that serves it, at or
/// around the area.
pub fn told(ctx: &Ctx, tx: &mut Tx, one: &CareRegister, area: AreaId) -> Result<bool, Fault> {
    if !one.sensitive {
        return Ok(true);
    }
    let Ok(worker) = ctx.worker() else { return Ok(false) };
    let duties = workforce::duties_around(&ctx.app, tx, worker, area, ctx.now)?;
    Ok(one.serves.iter().any(|duty| duties.contains(duty)))
}

/// Whether the caller may know of a register in an area: for parts that tell something of those who are on it. On one the pack has not nobody is.
pub fn may_know(ctx: &Ctx, tx: &mut Tx, key: &str, area: AreaId) -> Result<bool, Fault> {
    match known(&ctx.app, key) {
        Ok(one) => told(ctx, tx, &one, area),
        Err(_) => Ok(true),
    }
}

/// Whether the pack has a register and the caller may know of it in an area.
pub fn known_and_told(ctx: &Ctx, tx: &mut Tx, key: &str, area: AreaId) -> Result<bool, Fault> {
    match known(&ctx.app, key) {
        Ok(one) => told(ctx, tx, &one, area),
        Err(_) => Ok(false),
    }
}

/// The registers of the pack the caller may know of in an area, with how they stand.
pub fn all(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<Vec<(CareRegister, Option<InUse>)>, Fault> {
    let current = policy::current(&ctx.app)?;
    let mut in_use = rows::registers(tx)?;
    let mut found = Vec::new();
    for one in &current.pack.registers {
        // Whoever puts registers into use decides on the sensitive ones, without seeing who is on them.
        if manages(ctx) || told(ctx, tx, one, area)? {
            found.push((one.clone(), in_use.remove(&one.key)));
        }
    }
    Ok(found)
}

/// Registers are the whole place's: so is the grant that decides on them.
fn manages(ctx: &Ctx) -> bool {
    let mut grants = ctx.scope.with(Permission::RegisterManage);
    grants.any(|grant| grant.depth <= 1 && grant.unit.is_none())
}

/// Puts a register into use, or confirms it: from today it goes on until `ends`, twelve months at most.
pub fn open(ctx: &Ctx, tx: &mut Tx, key: &str, unit: UnitId, review: Date, ends: Date) -> Result<InUse, Fault> {
    if !manages(ctx) {
        return Err(Fault::forbidden());
    }
    let one = known(&ctx.app, key)?;
    let owner = workforce::unit(tx, unit)?.ok_or_else(|| Fault::invalid("unit_id", "unknown_unit"))?;
    let today = ctx.now.date();
    let wished = Register {
        name: one.name.zh.clone(),
        service: one.service.zh.clone(),
        legal_basis: one.legal_basis.clone(),
        source: one.entries.clone(),
        owner: owner.name,
        confirmed: today,
        review,
        end: ends,
    };
    if let Some(bad) = wished.check().first() {
        return Err(match bad {
            BadRegister::End => Fault::invalid("ends", "register_end"),
            BadRegister::Review => Fault::invalid("review", "register_review"),
            // The pack was checked: these can only be the unit's name.
            BadRegister::Missing(_) | BadRegister::Forbidden(_) => Fault::invalid("unit_id", "unknown_unit"),
        });
    }
    let in_use = InUse {
        unit,
        confirmed: today,
        review,
        ends,
        closed: None,
    };
    rows::put_register(tx, key, &in_use)?;
    let body = json!({ "register": key, "unit": unit, "review": review.to_string(), "ends": ends.to_string() });
    tx.record(ctx, Mark::new("register.opened", Subject::List, body))?;
    Ok(in_use)
}

/// Closes a register: everybody is off it.
pub fn close(ctx: &Ctx, tx: &mut Tx, key: &str) -> Result<(), Fault> {
    if !manages(ctx) {
        return Err(Fault::forbidden());
    }
    in_use(ctx, tx, key)?;
    rows::close(tx, key, ctx.now.date())?;
    jobs::enqueue(ctx, tx, ENDING, key, ctx.now, &json!({ "register": key }))?;
    tx.record(
        ctx,
        Mark::new("register.closed", Subject::List, json!({ "register": key })),
    )?;
    Ok(())
}

pub fn in_use(ctx: &Ctx, tx: &mut Tx, key: &str) -> Result<InUse, Fault> {
    let found = rows::registers(tx)?.remove(key).filter(|one| one.on(ctx.now.date()));
    found.ok_or_else(|| Fault::refused("register_not_in_use"))
}

/// The registers that are in use on a day.
pub fn in_use_now(tx: &mut Tx, on: Date) -> Result<BTreeSet<String>, Fault> {
    let all = rows::registers(tx)?.into_iter().filter(|(_, one)| one.on(on));
    Ok(all.map(|(key, _)| key).collect())
}

/// Somebody to be put on a register, or taken off, and where they live: in the caller's area, and on a register the caller may know of.
pub fn touched(ctx: &Ctx, tx: &mut Tx, key: &str, who: ResidentId) -> Result<(CareRegister, HouseholdRow), Fault> {
    let one = known(&ctx.app, key)?;
    let household = residents::household_of(ctx, tx, who)?;
    match told(ctx, tx, &one, household.spot.area)? {
        true => Ok((one, household)),
        false => Err(Fault::not_found()),
    }
}

/// What the ledger may hold: that somebody is on a sensitive register is not said there in words.
pub fn mark(ctx: &Ctx, one: &CareRegister) -> String {
    match one.sensitive {
        true => ctx.app.sealer().blind_index("care register", &one.key),
        false => one.key.clone(),
    }
}

/// Puts somebody who lives here on a register in use.
pub fn put_on(ctx: &Ctx, tx: &mut Tx, key: &str, who: ResidentId, source: &str) -> Result<(), Fault> {
    let (one, household) = touched(ctx, tx, key, who)?;
    in_use(ctx, tx, key)?;
    if !SOURCES.contains(&source) {
        return Err(Fault::invalid("source", "register_source_unknown"));
    }
    if !rows::put_on(tx, ctx.app.new_id(), key, who, source, ctx.now.date(), None)? {
        return Err(Fault::conflict("register_already_on"));
    }
    let mut sum = Sum::default();
    sum.care(&household.spot.chain, key, Care::one(false));
    sum.keep(tx)?;
    let body = json!({ "register": mark(ctx, &one), "source": source });
    tx.record(ctx, Mark::new("resident.put_on_register", Subject::Resident(who), body))?;
    tell(ctx, tx, vec![who])
}

/// Takes somebody off a register.
pub fn take_off(ctx: &Ctx, tx: &mut Tx, key: &str, who: ResidentId, how: &str) -> Result<(), Fault> {
    let (one, household) = touched(ctx, tx, key, who)?;
    if !ENDINGS.contains(&how) {
        return Err(Fault::invalid("how", "ending_unknown"));
    }
    if !rows::take_off(tx, key, who, ctx.now.date(), how)? {
        return Err(Fault::not_found());
    }
    let mut sum = Sum::default();
    let paired = pairing::stop(tx, key, who, ctx.now.date(), "off_register")?;
    sum.care(&household.spot.chain, key, -Care::one(paired));
    sum.keep(tx)?;
    let body = json!({ "register": mark(ctx, &one), "how": how });
    tx.record(
        ctx,
        Mark::new("resident.taken_off_register", Subject::Resident(who), body),
    )?;
    tell(ctx, tx, vec![who])
}

fn tell(ctx: &Ctx, tx: &mut Tx, residents: Vec<ResidentId>) -> Result<(), Fault> {
    let households = Vec::new();
    news::tell(ctx, tx, &HomesChanged { households, residents })
}

/// Somebody left, died or is erased: they are on no register any more. The caller records the mark and tells the news.
pub fn leave(tx: &mut Tx, who: ResidentId, chain: &[Option<AreaId>; 5], on: Date) -> Result<(), Fault> {
    let mut sum = Sum::default();
    for key in rows::on(tx, who)? {
        rows::take_off(tx, &key, who, on, "left")?;
        let paired = pairing::stop(tx, &key, who, on, "left")?;
        sum.care(chain, &key, -Care::one(paired));
    }
    sum.keep(tx)
}

/// Somebody who is on registers is counted elsewhere now.
pub fn carry(tx: &mut Tx, who: ResidentId, from: &[Option<AreaId>; 5], to: &[Option<AreaId>; 5]) -> Result<(), Fault> {
    let mut sum = Sum::default();
    for key in rows::on(tx, who)? {
        let one = Care::one(pairing::paired(tx, &key, who)?);
        sum.care(from, &key, -one);
        sum.care(to, &key, one);
    }
    sum.keep(tx)
}

/// Those of an area itself who are on a register (only those whom nobody is paired with, where asked), masked, in order of registration; one more than `limit` when there are more. Each look is logged.
pub fn page(
    ctx: &Ctx,
    tx: &mut Tx,
    key: &str,
    (area, unpaired): (AreaId, bool),
    after: Option<ResidentId>,
    limit: u32,
) -> Result<Vec<(Masked, HouseholdRow, Put)>, Fault> {
    let one = known(&ctx.app, key)?;
    if !told(ctx, tx, &one, area)? {
        return Err(Fault::not_found());
    }
    let mut found = Vec::new();
    for (row, sealed_key, household, put) in rows::people(tx, key, (area, unpaired), after, limit)? {
        // The one more is not shown.
        if found.len() < limit as usize {
            access::log_read(ctx, tx, Subject::Resident(row.id), &["masked", "registers"])?;
        }
        found.push((residents::mask(ctx, &row, &sealed_key)?, household, put));
    }
    Ok(found)
}

/// The registers these residents of one household are on, as far as the caller may know; logged with each of whom something is told.
pub fn marks(
    ctx: &Ctx,
    tx: &mut Tx,
    household: &HouseholdRow,
    of: &[ResidentId],
) -> Result<HashMap<ResidentId, Vec<CareRegister>>, Fault> {
    let mut found: HashMap<ResidentId, Vec<CareRegister>> = HashMap::new();
    for (who, key) in rows::on_any(tx, of)? {
        let Ok(one) = known(&ctx.app, &key) else { continue };
        if told(ctx, tx, &one, household.spot.area)? {
            found.entry(who).or_default().push(one);
        }
    }
    for who in found.keys() {
        access::log_read(ctx, tx, Subject::Resident(*who), &["registers"])?;
    }
    Ok(found)
}

/// How many are on the registers the caller may know of, in each of these areas.
pub fn counted(ctx: &Ctx, tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<BTreeMap<String, Care>>, Fault> {
    let current = policy::current(&ctx.app)?;
    let mut counts = counts::care_of(tx, areas)?;
    let mut found = Vec::with_capacity(areas.len());
    for area in areas {
        let mut of = counts.remove(area).unwrap_or_default();
        let mut shown = BTreeMap::new();
        for one in &current.pack.registers {
            if told(ctx, tx, one, *area)? {
                shown.insert(one.key.clone(), of.remove(&one.key).unwrap_or_default());
            }
        }
        found.push(shown);
    }
    Ok(found)
}

/// Registers that ended yesterday or before, pairings with workers who left, and those of long ago.
fn nightly(ctx: &Ctx, tx: &mut Tx, _: &Value) -> Result<Outcome, Fault> {
    for (key, one) in rows::registers(tx)? {
        if !one.on(ctx.now.date()) {
            jobs::enqueue(ctx, tx, ENDING, &key, ctx.now, &json!({ "register": key }))?;
        }
    }
    let more = pairing::workers_gone(ctx, tx, AT_ONCE)? | pairing::forget(ctx, tx, AT_ONCE)?;
    match more {
        true => Ok(Outcome::Again(ctx.now)),
        false => Ok(Outcome::Done),
    }
}

/// Takes everybody off a register that ended, some at a time.
fn ending(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let key = payload["register"].as_str().unwrap_or_default();
    let found = rows::registers(tx)?.remove(key);
    // It was put into use again meanwhile.
    if found.is_none_or(|one| one.on(ctx.now.date())) {
        return Ok(Outcome::Done);
    }
    let people = rows::still_on(tx, key, AT_ONCE)?;
    if people.is_empty() {
        return Ok(Outcome::Done);
    }
    let mut sum = Sum::default();
    for (who, chain) in &people {
        rows::take_off(tx, key, *who, ctx.now.date(), "register_ended")?;
        let paired = pairing::stop(tx, key, *who, ctx.now.date(), "off_register")?;
        sum.care(chain, key, -Care::one(paired));
    }
    sum.keep(tx)?;
    let body = json!({ "register": key, "people": people.len() });
    tx.record(ctx, Mark::new("register.emptied", Subject::List, body))?;
    let all = people.iter().map(|(who, _)| *who).collect();
    tell(ctx, tx, all)?;
    match people.len() < AT_ONCE as usize {
        true => Ok(Outcome::Done),
        false => Ok(Outcome::Again(ctx.now)),
    }
}

/// Somebody on a register, and where they live.
#[derive(Debug, Clone, PartialEq)]
pub struct OnRegister {
    pub id: ResidentId,
    pub home: super::Home,
}

/// Those on a register in order of id, after one; fewer than `limit` at the end. Nothing personal: for what is owed to them.
pub fn on_register_after(
    tx: &mut Tx,
    key: &str,
    after: Option<ResidentId>,
    limit: u32,
) -> Result<Vec<OnRegister>, Fault> {
    rows::on_register_after(tx, key, after, limit)
}

/// Somebody who lives here, with the registers they are on.
pub fn on_registers(tx: &mut Tx, who: ResidentId) -> Result<Option<(OnRegister, Vec<String>)>, Fault> {
    let Some(home) = rows::home_of(tx, who)? else {
        return Ok(None);
    };
    Ok(Some((OnRegister { id: who, home }, rows::on(tx, who)?)))
}
