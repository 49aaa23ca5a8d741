//! Residents: register, correct, move, end, look at masked, reveal one field, erase.
//!
//! Entry points: [`register`], [`change`], [`move_one`], [`end`], [`masked`], [`reveal`], [`erase`]. What is read here is logged here.

use super::HomesChanged;
use super::care;
use super::households::{self, bad_life, not_stale};
use super::merges;
use super::store::{self, HouseholdRow, ResidenceRow, ResidentRow};
use super::vault::{self, Own};
use crate::access;
use crate::platform::sealed::plain_phone;
use crate::platform::*;
use domain::registry::identity::{self, BadIdNumber, IdNumber, Sex};
use domain::registry::kinship::Relation;
use domain::registry::names;
use domain::registry::residence::{self, BadResidence, Kind, Residence};
use jiff::civil::Date;
use serde_json::json;

/// Characters of a name.
const MAX_NAME: usize = 60;
/// Phone numbers of one person.
const MOST_PHONES: usize = 5;
const TABLE: &str = "resident";

/// Somebody to be registered.
pub struct NewResident {
    pub id: ResidentId,
    pub household: HouseholdId,
    pub relation: Relation,
    pub name: String,
    pub id_number: Option<String>,
    pub phones: Vec<String>,
    /// How they belong there: registered, living there, or both.
    pub kinds: Vec<Kind>,
    pub from: Date,
    /// They were told what is kept of them, why and for how long.
    pub informed: bool,
}

/// The sentence for a residence that cannot be.
fn bad_residence(bad: BadResidence) -> Fault {
    match bad {
        BadResidence::EndsBeforeStart => Fault::invalid("on", "residence_ends_before_start"),
        BadResidence::Overlaps => Fault::invalid("valid_from", "residence_overlaps"),
        BadResidence::BeforeStart => Fault::invalid("valid_from", "residence_before_start"),
    }
}

/// The code for a text that is no identity number.
pub fn bad_id_number(bad: BadIdNumber) -> &'static str {
    match bad {
        BadIdNumber::Form => "id_number_form",
        BadIdNumber::Region => "id_number_region",
        BadIdNumber::Birth => "id_number_birth",
        BadIdNumber::Check => "id_number_check",
    }
}

fn name_of(text: &str) -> Result<String, Fault> {
    let name = text.trim();
    if names::plain(name).is_empty() || name.chars().count() > MAX_NAME {
        return Err(Fault::invalid("name", "text_length").with("most", MAX_NAME));
    }
    Ok(name.to_owned())
}

fn id_number_of(ctx: &Ctx, text: Option<&str>) -> Result<Option<IdNumber>, Fault> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let read =
        |text| IdNumber::read(text, ctx.now.date()).map_err(|bad| Fault::invalid("id_number", bad_id_number(bad)));
    text.map(read).transpose()
}

pub fn phones_of(all: &[String]) -> Result<Vec<String>, Fault> {
    if all.len() > MOST_PHONES {
        return Err(Fault::invalid("phones", "phones_too_many").with("most", MOST_PHONES));
    }
    let mut phones: Vec<String> = all
        .iter()
        .map(|one| plain_phone(one))
        .filter(|one| !one.is_empty())
        .collect();
    if phones.iter().any(|one| !(5..=20).contains(&one.len())) {
        return Err(Fault::invalid("phones", "phone_invalid"));
    }
    phones.sort_unstable();
    phones.dedup();
    Ok(phones)
}

/// What a person is found by.
pub fn prints(ctx: &Ctx, name: &str, phones: &[String]) -> Vec<i64> {
    let names = names::keys(name)
        .into_iter()
        .map(|key| vault::name_print(&ctx.app, &key));
    let phones = phones.iter().map(|phone| vault::phone_print(&ctx.app, phone));
    let mut all: Vec<i64> = names.chain(phones).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What others of the same whole name or with one of the same phones have, too; others may have it without.
pub fn exact_prints(ctx: &Ctx, name: &str, phones: &[String]) -> Vec<i64> {
    let name = names::query(name).map(|key| vault::name_print(&ctx.app, &key));
    let phones = phones.iter().map(|phone| vault::phone_print(&ctx.app, phone));
    name.into_iter().chain(phones).collect()
}

/// Somebody is found by what is sealed of them, and nothing else.
pub fn found_by_what_is_known(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<(), Fault> {
    let (row, key) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    let own = vault::open_key(&ctx.app, &id.to_string(), &key)?;
    let name = opened(&own, "name_sealed", row.name_sealed.as_deref())?.map_or_else(String::new, |name| name.0);
    let phones = opened_phones(&own, &row)?;
    store::put_prints(tx, id, prints(ctx, &name, &phones))
}

fn sex_key(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
    }
}

/// Nobody has this number yet, or only they themselves.
fn number_is_free(ctx: &Ctx, tx: &mut Tx, number: &IdNumber, own: ResidentId) -> Result<String, Fault> {
    let index = vault::id_number_index(&ctx.app, number.reveal());
    match store::resident_of_number(tx, &index)? {
        Some(other) if other != own => Err(Fault::conflict("id_number_known").field("id_number")),
        _ => Ok(index),
    }
}

pub fn one_householder(tx: &mut Tx, household: HouseholdId, relation: Relation, own: ResidentId) -> Result<(), Fault> {
    if relation != Relation::Householder {
        return Ok(());
    }
    match store::householder(tx, household)? {
        Some(other) if other != own => Err(Fault::conflict("householder_already").field("relation")),
        _ => Ok(()),
    }
}

/// Registers somebody in a household.
pub fn register(ctx: &Ctx, tx: &mut Tx, new: NewResident) -> Result<(), Fault> {
    let household = households::load(ctx, tx, new.household, Permission::RegistryWrite)?;
    household
        .life
        .alive_on(new.from, ctx.now.date())
        .map_err(|bad| bad_life(bad, "valid_from"))?;
    if store::resident_exists(tx, new.id)? {
        return Err(Fault::conflict("id_used"));
    }
    let known = known(ctx, &new.name, new.id_number.as_deref(), &new.phones)?;
    one_householder(tx, new.household, new.relation, new.id)?;
    let mut residences = Vec::new();
    for kind in new.kinds {
        let one = Residence {
            kind,
            household: new.household,
            from: new.from,
            to: None,
        };
        residence::add(&mut residences, one).map_err(bad_residence)?;
    }
    if residences.is_empty() {
        return Err(Fault::invalid("kinds", "missing_field"));
    }
    if let Some(number) = &known.number {
        number_is_free(ctx, tx, number, new.id)?;
    }
    let sealed = sealed(ctx, new.id, &known)?;
    let row = sealed.row(new.household, new.relation, new.from);
    store::insert_resident(ctx, tx, &row)?;
    store::insert_key(tx, &new.id.to_string(), sealed.key)?;
    store::put_prints(tx, new.id, sealed.prints)?;
    for one in &residences {
        store::insert_residence(tx, ctx.app.new_id(), new.id, one)?;
    }
    households::count_resident(tx, new.household, 1)?;
    let body = json!({ "household": new.household, "from": new.from.to_string(), "fields": row.filled(), "informed": new.informed });
    tx.record(ctx, Mark::new("resident.registered", Subject::Resident(new.id), body))?;
    Ok(())
}

/// What is said of somebody, checked.
pub struct Known {
    name: String,
    number: Option<IdNumber>,
    phones: Vec<String>,
}

pub fn known(ctx: &Ctx, name: &str, id_number: Option<&str>, phones: &[String]) -> Result<Known, Fault> {
    Ok(Known {
        name: name_of(name)?,
        number: id_number_of(ctx, id_number)?,
        phones: phones_of(phones)?,
    })
}

/// Somebody new under a key of their own, ready to be written.
pub struct Sealed {
    pub id: ResidentId,
    pub id_number_index: Option<String>,
    name: Vec<u8>,
    id_number: Option<Vec<u8>>,
    phones: Option<Vec<u8>>,
    born: Option<Date>,
    sex: Option<&'static str>,
    pub key: Vec<u8>,
    /// What they are found by.
    pub prints: Vec<i64>,
}

pub fn sealed(ctx: &Ctx, id: ResidentId, known: &Known) -> Result<Sealed, Fault> {
    let (own, key) = vault::new_key(&ctx.app, &id.to_string());
    let number = known.number.as_ref();
    Ok(Sealed {
        id,
        id_number_index: number.map(|number| vault::id_number_index(&ctx.app, number.reveal())),
        name: seal_name(ctx, &own, &known.name),
        id_number: number.map(|number| seal_number(ctx, &own, number)),
        phones: seal_phones(ctx, &own, &known.phones)?,
        born: number.map(IdNumber::birth),
        sex: number.map(|number| sex_key(number.sex())),
        key,
        prints: prints(ctx, &known.name, &known.phones),
    })
}

impl Sealed {
    pub fn row(&self, household: HouseholdId, relation: Relation, from: Date) -> ResidentRow {
        ResidentRow {
            name_sealed: Some(self.name.clone()),
            id_number_sealed: self.id_number.clone(),
            phones_sealed: self.phones.clone(),
            id_number_index: self.id_number_index.clone(),
            born: self.born,
            sex: self.sex.map(str::to_owned),
            ..ResidentRow::new(self.id, household, relation, from)
        }
    }
}

pub fn seal_name(ctx: &Ctx, own: &Own, name: &str) -> Vec<u8> {
    own.seal(&ctx.app, TABLE, "name_sealed", name)
}

pub fn seal_phones(ctx: &Ctx, own: &Own, phones: &[String]) -> Result<Option<Vec<u8>>, Fault> {
    let text = serde_json::to_string(phones).map_err(Fault::internal)?;
    Ok((!phones.is_empty()).then(|| own.seal(&ctx.app, TABLE, "phones_sealed", &text)))
}

fn seal_number(ctx: &Ctx, own: &Own, number: &IdNumber) -> Vec<u8> {
    seal_number_text(ctx, own, number.reveal())
}

/// Of a number that was sound when it was registered.
pub fn seal_number_text(ctx: &Ctx, own: &Own, number: &str) -> Vec<u8> {
    own.seal(&ctx.app, TABLE, "id_number_sealed", number)
}

/// Somebody of a household where the caller has the permission, with their key; absent otherwise, and once erased. Whoever writes locks the
/// household first and reads anew, so that two changes of one home wait for each other.
fn load(ctx: &Ctx, tx: &mut Tx, id: ResidentId, permission: Permission) -> Result<(ResidentRow, Own), Fault> {
    let (seen, _) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    households::load(ctx, tx, seen.household, permission)?;
    let (row, key) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    if row.household != seen.household {
        return Err(Fault::conflict("registry_stale"));
    }
    let own = vault::open_key(&ctx.app, &id.to_string(), &key)?;
    Ok((row, own))
}

/// As [`load`], for a change of somebody who lives here.
pub fn load_living(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<(ResidentRow, Own), Fault> {
    let (row, own) = load(ctx, tx, id, Permission::RegistryWrite)?;
    match row.to {
        Some(_) if row.merged_into.is_some() => Err(Fault::refused("resident_merged")),
        Some(_) => Err(Fault::refused("resident_left")),
        None => Ok((row, own)),
    }
}

/// What is to be corrected; what is not given stays.
#[derive(Default)]
pub struct Change {
    pub name: Option<String>,
    pub id_number: Option<String>,
    pub phones: Option<Vec<String>>,
    pub relation: Option<Relation>,
    /// What the caller saw, if they say so.
    pub row_version: Option<i64>,
}

pub fn change(ctx: &Ctx, tx: &mut Tx, id: ResidentId, change: Change) -> Result<i64, Fault> {
    let (mut row, own) = load_living(ctx, tx, id)?;
    not_stale(row.version, change.row_version)?;
    let mut fields = Vec::new();
    if let Some(relation) = change.relation {
        one_householder(tx, row.household, relation, id)?;
        row.relation = relation;
        fields.push("relation");
    }
    if let Some(number) = id_number_of(ctx, change.id_number.as_deref())? {
        row.id_number_index = Some(number_is_free(ctx, tx, &number, id)?);
        row.id_number_sealed = Some(seal_number(ctx, &own, &number));
        (row.born, row.sex) = (Some(number.birth()), Some(sex_key(number.sex()).to_owned()));
        fields.push("id_number");
    }
    let found_by = change.name.is_some() || change.phones.is_some();
    let name = match &change.name {
        Some(name) => {
            fields.push("name");
            name_of(name)?
        }
        None => opened(&own, "name_sealed", row.name_sealed.as_deref())?.map_or_else(String::new, |name| name.0),
    };
    let phones = match &change.phones {
        Some(phones) => {
            fields.push("phones");
            phones_of(phones)?
        }
        None => opened_phones(&own, &row)?,
    };
    if found_by {
        row.name_sealed = Some(seal_name(ctx, &own, &name));
        row.phones_sealed = seal_phones(ctx, &own, &phones)?;
        store::put_prints(tx, id, prints(ctx, &name, &phones))?;
    }
    store::update_resident(tx, &mut row)?;
    let body = json!({ "fields": fields, "version": row.version });
    tx.record(ctx, Mark::new("resident.changed", Subject::Resident(id), body))?;
    Ok(row.version)
}

pub fn opened(own: &Own, column: &'static str, sealed: Option<&[u8]>) -> Result<Option<Personal<String>>, Fault> {
    sealed.map(|sealed| own.open(TABLE, column, sealed)).transpose()
}

pub fn opened_phones(own: &Own, row: &ResidentRow) -> Result<Vec<String>, Fault> {
    match opened(own, "phones_sealed", row.phones_sealed.as_deref())? {
        Some(text) => serde_json::from_str(text.reveal()).map_err(Fault::internal),
        None => Ok(Vec::new()),
    }
}

/// Who looked at somebody who is registered in the caller's area, the newest first; one more than `limit` when there are more. Logged itself.
pub fn looks(
    ctx: &Ctx,
    tx: &mut Tx,
    id: ResidentId,
    after: Option<AccessId>,
    limit: u32,
) -> Result<Vec<access::Look>, Fault> {
    let (row, _) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    households::load(ctx, tx, row.household, Permission::RegistryRead)?;
    access::log_read(ctx, tx, Subject::Resident(id), &["looks"])?;
    let mut all: Vec<Subject> = merges::all_of(tx, id)?.into_iter().map(Subject::Resident).collect();
    // A phone takes whole households along.
    all.push(Subject::Household(row.household));
    access::looks(tx, &all, after, limit)
}

/// Somebody moves to another household, in one way of belonging, from a day on.
pub fn move_one(
    ctx: &Ctx,
    tx: &mut Tx,
    id: ResidentId,
    to: HouseholdId,
    kind: Kind,
    relation: Relation,
    from: Date,
) -> Result<(), Fault> {
    let (seen, _) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    store::lock_households(tx, vec![seen.household, to])?;
    let (mut row, _) = load_living(ctx, tx, id)?;
    let target = households::load(ctx, tx, to, Permission::RegistryWrite)?;
    target
        .life
        .alive_on(from, ctx.now.date())
        .map_err(|bad| bad_life(bad, "valid_from"))?;
    let mut all = Dated::of(tx, id)?;
    residence::move_to(&mut all.all, kind, to, from).map_err(bad_residence)?;
    settle(ctx, tx, &mut row, all, relation)?;
    let body = json!({ "to": to, "kind": kind.key(), "from": from.to_string() });
    tx.record(ctx, Mark::new("resident.moved", Subject::Resident(id), body))?;
    Ok(())
}

/// Somebody goes with their household (or a part of it) wherever they belonged to it.
pub fn follow_household(
    ctx: &Ctx,
    tx: &mut Tx,
    id: ResidentId,
    old: HouseholdId,
    new: HouseholdId,
    relation: Relation,
    from: Date,
) -> Result<(), Fault> {
    let (mut row, _) = load_living(ctx, tx, id)?;
    let mut all = Dated::of(tx, id)?;
    all.follow(old, new, from)?;
    settle(ctx, tx, &mut row, all, relation)?;
    let body = json!({ "to": new, "household": old, "from": from.to_string() });
    tx.record(ctx, Mark::new("resident.moved", Subject::Resident(id), body))?;
    Ok(())
}

/// Those who live elsewhere and are registered in a household that moves (or the other way round) belong to it where it is now.
pub fn bound_follow(ctx: &Ctx, tx: &mut Tx, old: HouseholdId, new: HouseholdId, from: Date) -> Result<(), Fault> {
    for id in store::bound_to(tx, old)? {
        let mut all = Dated::of(tx, id)?;
        all.follow(old, new, from)?;
        all.keep(ctx, tx, id)?;
    }
    Ok(())
}

/// Somebody's residences with the rows they are kept in: new ones stand after those.
struct Dated {
    rows: Vec<ResidenceRow>,
    all: Vec<Residence<HouseholdId>>,
}

impl Dated {
    fn of(tx: &mut Tx, id: ResidentId) -> Result<Dated, Fault> {
        let rows = store::residences(tx, &[id])?;
        let all = rows.iter().map(|row| row.residence).collect();
        Ok(Dated { rows, all })
    }

    /// Every way of belonging to a household goes on in another.
    fn follow(&mut self, old: HouseholdId, new: HouseholdId, from: Date) -> Result<(), Fault> {
        let open = self.all.iter().filter(|one| one.household == old && one.to.is_none());
        for kind in open.map(|one| one.kind).collect::<Vec<_>>() {
            residence::move_to(&mut self.all, kind, new, from).map_err(bad_residence)?;
        }
        Ok(())
    }

    fn keep(&self, ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<(), Fault> {
        for (at, one) in self.all.iter().enumerate() {
            match self.rows.get(at) {
                None => store::insert_residence(tx, ctx.app.new_id(), id, one)?,
                Some(row) if row.residence.to != one.to => store::end_residence(tx, row.id, one.to)?,
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Keeps the residences, and the household somebody belongs to by them.
fn settle(ctx: &Ctx, tx: &mut Tx, row: &mut ResidentRow, all: Dated, relation: Relation) -> Result<(), Fault> {
    let home = residence::home(&all.all).unwrap_or(row.household);
    if home != row.household {
        one_householder(tx, home, relation, row.id)?;
        let left = households::count_resident(tx, row.household, -1)?;
        let joined = households::count_resident(tx, home, 1)?;
        care::carry(tx, row.id, &left, &joined)?;
        (row.household, row.relation) = (home, relation);
    }
    all.keep(ctx, tx, row.id)?;
    store::update_resident(tx, row)?;
    tell(ctx, tx, vec![row.id])
}

pub fn tell(ctx: &Ctx, tx: &mut Tx, residents: Vec<ResidentId>) -> Result<(), Fault> {
    let households = Vec::new();
    news::tell(ctx, tx, &HomesChanged { households, residents })
}

/// The household of somebody who lives in the caller's area, locked.
pub fn household_of(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<HouseholdRow, Fault> {
    let (row, _) = load_living(ctx, tx, id)?;
    households::load(ctx, tx, row.household, Permission::RegistryWrite)
}

/// Somebody left or died; `on` is the last day. Their household stays.
pub fn end(ctx: &Ctx, tx: &mut Tx, id: ResidentId, on: Date, how: &'static str) -> Result<(), Fault> {
    let (mut row, _) = load_living(ctx, tx, id)?;
    if on > ctx.now.date() {
        return Err(Fault::invalid("on", "day_in_the_future"));
    }
    let mut all = Dated::of(tx, id)?;
    residence::end(&mut all.all, on).map_err(bad_residence)?;
    all.keep(ctx, tx, id)?;
    (row.to, row.how) = (Some(on), Some(how.to_owned()));
    store::update_resident(tx, &mut row)?;
    let left = households::count_resident(tx, row.household, -1)?;
    care::leave(tx, id, &left, on)?;
    let body = json!({ "on": on.to_string(), "how": how });
    tx.record(ctx, Mark::new("resident.ended", Subject::Resident(id), body))?;
    tell(ctx, tx, vec![id])
}

/// Somebody as a screen shows them: enough to tell one from another, not to know who it is.
#[derive(Debug, Clone)]
pub struct Masked {
    pub id: ResidentId,
    pub household: HouseholdId,
    pub relation: Relation,
    pub name: String,
    pub id_number: Option<String>,
    pub phones: Vec<String>,
    pub age: Option<i16>,
    pub sex: Option<String>,
    pub from: Date,
    pub to: Option<Date>,
    pub how: Option<String>,
    pub version: i64,
}

/// Masks somebody; the caller logs it.
pub fn mask(ctx: &Ctx, row: &ResidentRow, key: &[u8]) -> Result<Masked, Fault> {
    let own = vault::open_key(&ctx.app, &row.id.to_string(), key)?;
    let name = opened(&own, "name_sealed", row.name_sealed.as_deref())?;
    let number = opened(&own, "id_number_sealed", row.id_number_sealed.as_deref())?;
    let phones = opened_phones(&own, row)?;
    Ok(Masked {
        id: row.id,
        household: row.household,
        relation: row.relation,
        name: name.map(|name| name.masked_name()).unwrap_or_default(),
        id_number: number.map(|number| identity::masked(number.reveal())),
        phones: phones.into_iter().map(|one| Personal(one).masked_phone()).collect(),
        age: row.born.map(|born| age(born, row.to.unwrap_or(ctx.now.date()))),
        sex: row.sex.clone(),
        from: row.from,
        to: row.to,
        how: row.how.clone(),
        version: row.version,
    })
}

/// Whole years from one day to another.
fn age(born: Date, on: Date) -> i16 {
    let before = (on.month(), on.day()) < (born.month(), born.day());
    on.year() - born.year() - i16::from(before)
}

/// The residents of a household, masked, and their residences; each look is logged with the person.
pub fn masked(ctx: &Ctx, tx: &mut Tx, household: HouseholdId) -> Result<(Vec<Masked>, Vec<ResidenceRow>), Fault> {
    let rows = store::residents_with_keys(tx, household)?;
    let mut all = Vec::with_capacity(rows.len());
    for (row, key) in &rows {
        access::log_read(ctx, tx, Subject::Resident(row.id), &["masked"])?;
        all.push(mask(ctx, row, key)?);
    }
    let ids: Vec<ResidentId> = rows.iter().map(|(row, _)| row.id).collect();
    Ok((all, store::residences(tx, &ids)?))
}

/// What can be asked for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    IdNumber,
    Phones,
}

impl Field {
    pub fn from_key(key: &str) -> Option<Field> {
        Some(match key {
            "name" => Field::Name,
            "id_number" => Field::IdNumber,
            "phones" => Field::Phones,
            _ => return None,
        })
    }
}

/// One field whole; the look is logged by field before the answer leaves.
pub fn reveal(ctx: &Ctx, tx: &mut Tx, id: ResidentId, field: Field) -> Result<Vec<Personal<String>>, Fault> {
    let (row, own) = load(ctx, tx, id, Permission::RegistryReveal)?;
    let (key, values) = match field {
        Field::Name => (
            "name",
            opened(&own, "name_sealed", row.name_sealed.as_deref())?
                .into_iter()
                .collect(),
        ),
        Field::IdNumber => {
            let number = opened(&own, "id_number_sealed", row.id_number_sealed.as_deref())?;
            ("id_number", number.into_iter().collect())
        }
        Field::Phones => ("phone", opened_phones(&own, &row)?.into_iter().map(Personal).collect()),
    };
    access::log_read(ctx, tx, Subject::Resident(id), &[key])?;
    Ok(values)
}

/// Whether a name found by a shortened fingerprint is one that was asked for.
pub fn is_called(ctx: &Ctx, row: &ResidentRow, key: &[u8], asked: &str) -> Result<bool, Fault> {
    let own = vault::open_key(&ctx.app, &row.id.to_string(), key)?;
    let name = opened(&own, "name_sealed", row.name_sealed.as_deref())?;
    Ok(name.is_some_and(|name| names::answers(name.reveal(), asked)))
}

/// Whether somebody has exactly this name, as names are compared.
pub fn is_named(ctx: &Ctx, row: &ResidentRow, key: &[u8], plain: &str) -> Result<bool, Fault> {
    let own = vault::open_key(&ctx.app, &row.id.to_string(), key)?;
    let name = opened(&own, "name_sealed", row.name_sealed.as_deref())?;
    Ok(name.is_some_and(|name| names::plain(name.reveal()) == plain))
}

/// Whether a phone found by a shortened fingerprint is one that was asked for.
pub fn has_phone(ctx: &Ctx, row: &ResidentRow, key: &[u8], asked: &str) -> Result<bool, Fault> {
    let own = vault::open_key(&ctx.app, &row.id.to_string(), key)?;
    Ok(opened_phones(&own, row)?.iter().any(|phone| phone == asked))
}

/// Destroys somebody's key and all that is known of them, under every record that went into theirs; what was done to the record stays in the
/// log of reads and the ledger, which name nobody. They no longer count.
pub fn erase(ctx: &Ctx, tx: &mut Tx, id: ResidentId, reason: &str) -> Result<(), Fault> {
    let id = merges::now_of(tx, id)?;
    let (row, _) = load(ctx, tx, id, Permission::RegistryErase)?;
    if row.to.is_none() {
        let left = households::count_resident(tx, row.household, -1)?;
        care::leave(tx, id, &left, ctx.now.date())?;
    }
    let reason_hash = crate::registry::search::hash(reason);
    for one in merges::all_of(tx, id)? {
        store::merges::forget(tx, one)?;
        store::erase(tx, one, ctx.now, &ctx.now.date().to_string())?;
        let body = json!({ "reason_hash": reason_hash });
        tx.record(ctx, Mark::new("resident.erased", Subject::Resident(one), body))?;
    }
    tell(ctx, tx, vec![id])
}
