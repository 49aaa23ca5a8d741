//! Two records of one person become one 合并居民, shown side by side before, and parted again within the pack's days.
//!
//! Entry points: [`alike`], [`compare`], [`merge`], [`of`], [`undo`]. The record that stays takes what stands; what does not stand goes to the
//! other one, which is kept under its own key and points to it, so that the person is found by all they were ever known by. What was done to
//! either (visits, looks) stays where it was and is read together. Must not: merge by itself; people decide.

use super::counts::{Care, Sum};
use super::residents::{self, Masked};
use super::store::{self, HouseholdRow, ResidenceRow, ResidentRow, merges as rows};
use super::vault::Own;
use super::{care, households, pairing};
use crate::platform::*;
use crate::{access, policy};
use domain::policy::CareRegister;
use domain::registry::kinship::Relation;
use domain::registry::merge::{self, Side};
use domain::registry::residence::{self, Kind, Residence};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// People told of at most who may be the same.
const MOST_ALIKE: usize = 20;
/// People opened and compared for it.
const MOST_OPENED: u32 = 400;
/// Merges told of one person.
const MOST_MERGES: u32 = 50;
const TABLE: &str = "resident_merge";
const COLUMN: &str = "before_sealed";

/// Which of a person's fields stands; of two phone lists it can be both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice {
    pub name: Option<Side>,
    pub id_number: Option<Side>,
    pub phones: Option<Phones>,
    /// Whose residences stand where both cover the same days.
    pub home: Option<Side>,
    /// Where both belong to one household.
    pub relation: Option<Side>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phones {
    Of(Side),
    Both,
}

impl Phones {
    pub fn from_key(key: &str) -> Option<Phones> {
        match key {
            "both" => Some(Phones::Both),
            _ => Side::from_key(key).map(Phones::Of),
        }
    }
}

pub struct Wish {
    pub id: MergeId,
    pub kept: ResidentId,
    pub other: ResidentId,
    pub choice: Choice,
    /// What the caller saw.
    pub kept_version: i64,
    pub other_version: i64,
}

/// Both as they were, what they came to, and what went over: enough to part them. Sealed values stay sealed under each one's own key.
#[derive(Serialize, Deserialize)]
struct Before {
    kept: Kept,
    other: Kept,
    after: Kept,
    /// Entries on registers that went over, and those that ended because the kept one was on the register, too.
    given: Vec<CareEntryId>,
    ended: Vec<CareEntryId>,
    /// Pairings that went over, and those that ended because the kept one was paired, too.
    #[serde(default)]
    pairs: pairing::Followed,
    /// Records that had gone into the other one before.
    earlier: Vec<ResidentId>,
}

/// A record and its residences, as text.
#[derive(Serialize, Deserialize, PartialEq)]
struct Kept {
    household: HouseholdId,
    relation: String,
    name: Option<String>,
    id_number: Option<String>,
    phones: Option<String>,
    id_number_index: Option<String>,
    /// ISO, as all days here.
    born: Option<String>,
    sex: Option<String>,
    from: String,
    residences: Vec<Lived>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Lived {
    id: ResidenceId,
    kind: String,
    household: HouseholdId,
    from: String,
    to: Option<String>,
}

fn day(text: &str) -> Result<Date, Fault> {
    text.parse().map_err(Fault::internal)
}

impl Kept {
    fn of(row: &ResidentRow, residences: &[ResidenceRow]) -> Kept {
        let text = |sealed: &Option<Vec<u8>>| sealed.as_deref().map(hex::encode);
        let lived = |one: &ResidenceRow| Lived {
            id: one.id,
            kind: one.residence.kind.key().to_owned(),
            household: one.residence.household,
            from: one.residence.from.to_string(),
            to: one.residence.to.map(|to| to.to_string()),
        };
        Kept {
            household: row.household,
            relation: row.relation.key().to_owned(),
            name: text(&row.name_sealed),
            id_number: text(&row.id_number_sealed),
            phones: text(&row.phones_sealed),
            id_number_index: row.id_number_index.clone(),
            born: row.born.map(|born| born.to_string()),
            sex: row.sex.clone(),
            from: row.from.to_string(),
            residences: residences.iter().map(lived).collect(),
        }
    }

    /// The record as it was; the version goes on from now.
    fn back(&self, row: &mut ResidentRow) -> Result<(), Fault> {
        let bytes = |text: &Option<String>| text.as_deref().map(hex::decode).transpose().map_err(Fault::internal);
        row.household = self.household;
        row.relation = Relation::from_key(&self.relation).ok_or_else(|| Fault::internal("an unknown relation"))?;
        row.name_sealed = bytes(&self.name)?;
        row.id_number_sealed = bytes(&self.id_number)?;
        row.phones_sealed = bytes(&self.phones)?;
        row.id_number_index = self.id_number_index.clone();
        row.born = self.born.as_deref().map(day).transpose()?;
        row.sex = self.sex.clone();
        row.from = day(&self.from)?;
        (row.to, row.how, row.merged_into) = (None, None, None);
        Ok(())
    }

    fn residences(&self) -> Result<Vec<(ResidenceId, Residence<HouseholdId>)>, Fault> {
        let read = |one: &Lived| {
            let kind = Kind::from_key(&one.kind).ok_or_else(|| Fault::internal("an unknown kind of residence"))?;
            let residence = Residence {
                kind,
                household: one.household,
                from: day(&one.from)?,
                to: one.to.as_deref().map(day).transpose()?,
            };
            Ok((one.id, residence))
        };
        self.residences.iter().map(read).collect()
    }

    /// What was changed of it since, as the code of a sentence.
    fn changed(&self, own: &Own, now: &Kept) -> Result<Option<&'static str>, Fault> {
        let parts = [
            (same(own, "name_sealed", &self.name, &now.name)?, "merge_undo_name"),
            (self.id_number_index == now.id_number_index, "merge_undo_id_number"),
            (
                same(own, "phones_sealed", &self.phones, &now.phones)?,
                "merge_undo_phones",
            ),
            (
                self.residences == now.residences && self.household == now.household,
                "merge_undo_home",
            ),
            (self.relation == now.relation, "merge_undo_relation"),
        ];
        Ok(parts.into_iter().find(|(same, _)| !same).map(|(_, code)| code))
    }
}

/// Whether two sealed texts are the same: what is sealed again looks different.
fn same(own: &Own, column: &'static str, was: &Option<String>, now: &Option<String>) -> Result<bool, Fault> {
    let open = |text: &Option<String>| -> Result<Option<String>, Fault> {
        let sealed = text.as_deref().map(hex::decode).transpose().map_err(Fault::internal)?;
        Ok(residents::opened(own, column, sealed.as_deref())?.map(|text| text.0))
    };
    Ok(was == now || open(was)? == open(now)?)
}

/// One of the two as it is, opened.
struct Half {
    row: ResidentRow,
    own: Own,
    household: HouseholdRow,
    name: String,
    number: Option<String>,
    phones: Vec<String>,
    residences: Vec<ResidenceRow>,
}

impl Half {
    /// Somebody who lives in the caller's area. Their household is locked.
    fn load(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<Half, Fault> {
        let (row, own) = residents::load_living(ctx, tx, id)?;
        let household = households::load(ctx, tx, row.household, Permission::RegistryWrite)?;
        let name = residents::opened(&own, "name_sealed", row.name_sealed.as_deref())?;
        let number = residents::opened(&own, "id_number_sealed", row.id_number_sealed.as_deref())?;
        Ok(Half {
            name: name.map(|name| name.0).unwrap_or_default(),
            number: number.map(|number| number.0),
            phones: residents::opened_phones(&own, &row)?,
            residences: store::residences(tx, &[id])?,
            row,
            own,
            household,
        })
    }

    fn lived(&self) -> Vec<Residence<HouseholdId>> {
        self.residences.iter().map(|one| one.residence).collect()
    }

    /// Seals what is known of them now and finds them by it.
    fn keep_known(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
        self.row.name_sealed = Some(residents::seal_name(ctx, &self.own, &self.name));
        self.row.phones_sealed = residents::seal_phones(ctx, &self.own, &self.phones)?;
        let number = self.number.as_deref();
        self.row.id_number_sealed = number.map(|number| residents::seal_number_text(ctx, &self.own, number));
        store::put_prints(tx, self.row.id, residents::prints(ctx, &self.name, &self.phones))
    }
}

/// Both, where the caller may write at either's home; their households locked, always in the same order.
fn both(ctx: &Ctx, tx: &mut Tx, kept: ResidentId, other: ResidentId) -> Result<(Half, Half), Fault> {
    if kept == other {
        return Err(Fault::invalid("other_id", "merge_same_record"));
    }
    let mut homes = Vec::new();
    for id in [kept, other] {
        let (row, _) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
        homes.push(row.household);
    }
    store::lock_households(tx, homes)?;
    Ok((Half::load(ctx, tx, kept)?, Half::load(ctx, tx, other)?))
}

/// Where the two differ: the fields somebody has to choose of.
fn differs(kept: &Half, other: &Half) -> Vec<&'static str> {
    let asked = |same: Result<Side, merge::NotChosen>| same.is_err();
    let parts = [
        ("name", asked(merge::one_of(Some(&kept.name), Some(&other.name), None))),
        (
            "id_number",
            asked(merge::one_of(kept.number.as_ref(), other.number.as_ref(), None)),
        ),
        (
            "phones",
            asked(merge::one_of(some(&kept.phones), some(&other.phones), None)),
        ),
        ("home", kept.row.household != other.row.household),
        (
            "relation",
            kept.row.household == other.row.household && kept.row.relation != other.row.relation,
        ),
    ];
    parts
        .into_iter()
        .filter(|(_, asked)| *asked)
        .map(|(field, _)| field)
        .collect()
}

fn some(phones: &Vec<String>) -> Option<&Vec<String>> {
    Some(phones).filter(|phones| !phones.is_empty())
}

/// One of the two as a screen shows them.
pub struct Shown {
    pub person: Masked,
    pub household: HouseholdRow,
    pub residences: Vec<ResidenceRow>,
    pub registers: Vec<CareRegister>,
}

/// Both side by side, masked, and the fields in which they differ. Each look is logged.
pub fn compare(
    ctx: &Ctx,
    tx: &mut Tx,
    kept: ResidentId,
    other: ResidentId,
) -> Result<(Shown, Shown, Vec<&'static str>), Fault> {
    let (kept, other) = both(ctx, tx, kept, other)?;
    let fields = differs(&kept, &other);
    Ok((shown(ctx, tx, kept)?, shown(ctx, tx, other)?, fields))
}

fn shown(ctx: &Ctx, tx: &mut Tx, half: Half) -> Result<Shown, Fault> {
    let id = half.row.id;
    access::log_read(ctx, tx, Subject::Resident(id), &["masked"])?;
    let (_, key) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    let registers = care::marks(ctx, tx, &half.household, &[id])?
        .remove(&id)
        .unwrap_or_default();
    Ok(Shown {
        person: residents::mask(ctx, &half.row, &key)?,
        household: half.household,
        residences: half.residences,
        registers,
    })
}

/// Others in the caller's area with the same name or one of the same phones, masked: who may be the same person. Each look is logged.
pub fn alike(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<Vec<(Masked, HouseholdRow)>, Fault> {
    let half = Half::load(ctx, tx, id)?;
    let prints = residents::exact_prints(ctx, &half.name, &half.phones);
    let plain = domain::registry::names::plain(&half.name);
    let mut found = Vec::new();
    for (row, key) in rows::alike(ctx, tx, &prints, id, MOST_OPENED)? {
        let mut same = residents::is_named(ctx, &row, &key, &plain)?;
        for phone in &half.phones {
            same = same || residents::has_phone(ctx, &row, &key, phone)?;
        }
        if !same {
            continue;
        }
        access::log_read(ctx, tx, Subject::Resident(row.id), &["masked"])?;
        let household = store::household(tx, row.household, false)?.ok_or_else(Fault::not_found)?;
        found.push((residents::mask(ctx, &row, &key)?, household));
        if found.len() == MOST_ALIKE {
            break;
        }
    }
    Ok(found)
}

fn chosen<T: PartialEq>(
    field: &'static str,
    kept: Option<&T>,
    other: Option<&T>,
    wish: Option<Side>,
) -> Result<Side, Fault> {
    merge::one_of(kept, other, wish).map_err(|merge::NotChosen| Fault::invalid(field, "merge_choose"))
}

/// Merges two records of one person into `kept`; where they differ somebody chose. It can be undone for the pack's days.
pub fn merge(ctx: &Ctx, tx: &mut Tx, wish: Wish) -> Result<(), Fault> {
    if rows::id_used(tx, wish.id)? {
        return Err(Fault::conflict("id_used"));
    }
    let (mut kept, mut other) = both(ctx, tx, wish.kept, wish.other)?;
    households::not_stale(kept.row.version, Some(wish.kept_version))?;
    households::not_stale(other.row.version, Some(wish.other_version))?;
    let (was, was_other) = (
        Kept::of(&kept.row, &kept.residences),
        Kept::of(&other.row, &other.residences),
    );
    let today = ctx.now.date();

    let name = chosen("name", Some(&kept.name), Some(&other.name), wish.choice.name)?;
    let number = chosen(
        "id_number",
        kept.number.as_ref(),
        other.number.as_ref(),
        wish.choice.id_number,
    )?;
    let one_list = wish.choice.phones.map(|phones| match phones {
        Phones::Of(side) => side,
        Phones::Both => Side::Kept,
    });
    let phones = chosen("phones", some(&kept.phones), some(&other.phones), one_list)?;
    let home = chosen(
        "home",
        Some(&kept.row.household),
        Some(&other.row.household),
        wish.choice.home,
    )?;
    if name == Side::Other {
        std::mem::swap(&mut kept.name, &mut other.name);
    }
    if number == Side::Other {
        rows::free_number(tx, kept.row.id)?;
        rows::free_number(tx, other.row.id)?;
        std::mem::swap(&mut kept.number, &mut other.number);
        std::mem::swap(&mut kept.row.id_number_index, &mut other.row.id_number_index);
        std::mem::swap(&mut kept.row.born, &mut other.row.born);
        std::mem::swap(&mut kept.row.sex, &mut other.row.sex);
    }
    match (wish.choice.phones, phones) {
        (Some(Phones::Both), Side::Kept) => {
            let all = kept.phones.iter().chain(&other.phones).cloned().collect::<Vec<_>>();
            kept.phones = residents::phones_of(&all)?;
        }
        (_, Side::Other) => std::mem::swap(&mut kept.phones, &mut other.phones),
        (_, Side::Kept) => {}
    }

    let lived = merge::residences(&kept.lived(), &other.lived(), home);
    let at = residence::home(&lived).unwrap_or(kept.row.household);
    let relation = match (at == kept.row.household, at == other.row.household) {
        (true, true) => chosen(
            "relation",
            Some(&kept.row.relation),
            Some(&other.row.relation),
            wish.choice.relation,
        )?,
        (_, true) => Side::Other,
        _ => Side::Kept,
    };
    let relation = match relation {
        Side::Kept => kept.row.relation,
        Side::Other => other.row.relation,
    };

    let mut sum = Sum::default();
    let (given, ended) = entries_follow(tx, &mut sum, &kept, &other, today)?;
    let pairs = pairing::follow(tx, other.row.id, kept.row.id, today)?;
    households::count_resident(tx, other.row.household, -1)?;
    let to = match at == kept.row.household {
        true => kept.household.spot.chain,
        false => {
            households::count_resident(tx, kept.row.household, -1)?;
            households::count_resident(tx, at, 1)?
        }
    };
    // The other record first: a household has one householder at any moment.
    other.keep_known(ctx, tx)?;
    (other.row.to, other.row.merged_into) = (Some(today), Some(kept.row.id));
    store::update_resident(tx, &mut other.row)?;
    rows::delete_residences(tx, other.row.id)?;
    kept.keep_known(ctx, tx)?;
    let from = kept.row.from.min(other.row.from);
    (kept.row.household, kept.row.relation, kept.row.from) = (at, relation, from);
    residents::one_householder(tx, at, relation, kept.row.id)?;
    store::update_resident(tx, &mut kept.row)?;
    let lived: Vec<_> = lived.into_iter().map(|one| (ctx.app.new_id(), one)).collect();
    put_residences(tx, kept.row.id, &lived)?;
    for entry in rows::entries(tx, kept.row.id)?.iter().filter(|entry| entry.open) {
        let paired = pairing::paired(tx, &entry.register, kept.row.id)?;
        sum.care(&to, &entry.register, Care::one(paired));
    }
    sum.keep(tx)?;
    let earlier: Vec<ResidentId> = rows::merged_of(tx, &[other.row.id])?
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    rows::point(tx, &earlier, kept.row.id)?;

    let after = Kept::of(&kept.row, &store::residences(tx, &[kept.row.id])?);
    let before = Before {
        kept: was,
        other: was_other,
        after,
        given,
        ended,
        pairs,
        earlier,
    };
    let text = serde_json::to_string(&before).map_err(Fault::internal)?;
    let days = i64::from(policy::current(&ctx.app)?.pack.thresholds.merge_undo_days.value);
    let until = today.checked_add(days.days()).map_err(Fault::internal)?;
    let sealed = kept.own.seal(&ctx.app, TABLE, COLUMN, &text);
    rows::insert(ctx, tx, wish.id, kept.row.id, other.row.id, sealed, until)?;
    let body = json!({ "merge": wish.id, "other": other.row.id, "stands": {
        "name": name.key(), "id_number": number.key(), "phones": phones.key(), "home": home.key() } });
    tx.record(ctx, Mark::new("resident.merged", Subject::Resident(kept.row.id), body))?;
    let body = json!({ "merge": wish.id, "into": kept.row.id });
    tx.record(ctx, Mark::new("resident.merged", Subject::Resident(other.row.id), body))?;
    residents::tell(ctx, tx, vec![kept.row.id, other.row.id])
}

/// The other's entries on registers follow; where the kept one is on a register, too, the other's ends. Both are counted nowhere now.
fn entries_follow(
    tx: &mut Tx,
    sum: &mut Sum,
    kept: &Half,
    other: &Half,
    today: Date,
) -> Result<(Vec<CareEntryId>, Vec<CareEntryId>), Fault> {
    let mut on = BTreeSet::new();
    for entry in rows::entries(tx, kept.row.id)?.into_iter().filter(|entry| entry.open) {
        let paired = pairing::paired(tx, &entry.register, kept.row.id)?;
        sum.care(&kept.household.spot.chain, &entry.register, -Care::one(paired));
        on.insert(entry.register);
    }
    let (mut given, mut ended) = (Vec::new(), Vec::new());
    for entry in rows::entries(tx, other.row.id)? {
        if entry.open {
            let paired = pairing::paired(tx, &entry.register, other.row.id)?;
            sum.care(&other.household.spot.chain, &entry.register, -Care::one(paired));
            if on.contains(&entry.register) {
                rows::end_entry(tx, entry.id, Some((today, "merged")))?;
                ended.push(entry.id);
            }
        }
        rows::give_entry(tx, entry.id, kept.row.id)?;
        given.push(entry.id);
    }
    Ok((given, ended))
}

fn put_residences(tx: &mut Tx, of: ResidentId, all: &[(ResidenceId, Residence<HouseholdId>)]) -> Result<(), Fault> {
    rows::delete_residences(tx, of)?;
    all.iter()
        .try_for_each(|(id, one)| store::insert_residence(tx, *id, of, one))
}

/// A merge as a screen tells it.
pub struct Merged {
    pub id: MergeId,
    pub by: String,
    pub at: domain::time::Timestamp,
    pub undo_until: Date,
    /// There is still time, and what it takes is still there.
    pub open: bool,
}

/// The merges into the record of somebody who lives in the caller's area, the newest first. Nothing personal is told.
pub fn of(ctx: &Ctx, tx: &mut Tx, id: ResidentId) -> Result<Vec<Merged>, Fault> {
    let (row, _) = store::resident(tx, id)?.ok_or_else(Fault::not_found)?;
    households::load(ctx, tx, row.household, Permission::RegistryRead)?;
    let all = rows::into(tx, id, MOST_MERGES)?;
    let told = all.into_iter().map(|one| Merged {
        open: one.before.is_some() && ctx.now.date() <= one.undo_until,
        id: one.id,
        by: one.by,
        at: one.at,
        undo_until: one.undo_until,
    });
    Ok(told.collect())
}

/// Parts two records again, both as they were. What was decided since about the person as a whole (registers, visits) stays with the kept
/// one; what cannot be parted is said.
pub fn undo(ctx: &Ctx, tx: &mut Tx, id: MergeId) -> Result<(), Fault> {
    let one = rows::one(tx, id)?.ok_or_else(Fault::not_found)?;
    let (seen, key) = store::resident(tx, one.kept)?.ok_or_else(Fault::not_found)?;
    // Locked below, all in the same order.
    households::load(ctx, tx, seen.household, Permission::RegistryRead)?;
    if seen.merged_into.is_some() {
        return Err(Fault::refused("merge_undo_later_first"));
    }
    if ctx.now.date() > one.undo_until {
        return Err(Fault::refused("merge_undo_late").with("until", one.undo_until));
    }
    let sealed = one
        .before
        .ok_or_else(|| Fault::refused("merge_undo_late").with("until", one.undo_until))?;
    let own = super::vault::open_key(&ctx.app, &one.kept.to_string(), &key)?;
    let text = own.open(TABLE, COLUMN, &sealed)?;
    let before: Before = serde_json::from_str(text.reveal()).map_err(Fault::internal)?;
    let homes = [seen.household, before.kept.household, before.other.household];
    store::lock_households(tx, homes.to_vec())?;

    let (mut kept, _) = store::resident(tx, one.kept)?.ok_or_else(Fault::not_found)?;
    let (mut other, _) = store::resident(tx, one.other)?.ok_or_else(Fault::not_found)?;
    let mut chains = HashMap::new();
    for home in homes {
        let row = households::load(ctx, tx, home, Permission::RegistryWrite)?;
        if row.life.ended.is_some() {
            return Err(Fault::refused("merge_undo_household"));
        }
        chains.insert(home, row.spot.chain);
    }
    let now = Kept::of(&kept, &store::residences(tx, &[kept.id])?);
    if kept.to.is_some() {
        return Err(Fault::refused("merge_undo_home"));
    }
    if let Some(code) = before.after.changed(&own, &now)? {
        return Err(Fault::refused(code));
    }
    let mut sum = Sum::default();
    let mut weigh = |tx: &mut Tx, who: ResidentId, home: HouseholdId, more: bool| -> Result<(), Fault> {
        let chain = chains.get(&home).ok_or_else(Fault::not_found)?;
        for entry in rows::entries(tx, who)?.iter().filter(|entry| entry.open) {
            let one = Care::one(pairing::paired(tx, &entry.register, who)?);
            sum.care(chain, &entry.register, if more { one } else { -one });
        }
        Ok(())
    };
    weigh(tx, kept.id, kept.household, false)?;
    if kept.household != before.kept.household {
        households::count_resident(tx, kept.household, -1)?;
        households::count_resident(tx, before.kept.household, 1)?;
    }
    households::count_resident(tx, before.other.household, 1)?;
    rows::free_number(tx, kept.id)?;
    rows::free_number(tx, other.id)?;
    before.kept.back(&mut kept)?;
    before.other.back(&mut other)?;
    store::update_resident(tx, &mut kept)?;
    if residents::one_householder(tx, other.household, other.relation, other.id).is_err() {
        return Err(Fault::refused("merge_undo_householder"));
    }
    store::update_resident(tx, &mut other)?;
    for (row, was) in [(&kept, &before.kept), (&other, &before.other)] {
        put_residences(tx, row.id, &was.residences()?)?;
        residents::found_by_what_is_known(ctx, tx, row.id)?;
    }
    entries_back(ctx, tx, &before, other.id)?;
    pairing::part(tx, kept.id, other.id, &before.pairs, ctx.now.date())?;
    weigh(tx, kept.id, kept.household, true)?;
    weigh(tx, other.id, other.household, true)?;
    sum.keep(tx)?;
    rows::point(tx, &before.earlier, other.id)?;
    if !rows::undone(ctx, tx, id)? {
        return Err(Fault::conflict("registry_stale"));
    }
    for (who, with) in [(kept.id, other.id), (other.id, kept.id)] {
        let body = json!({ "merge": id, "from": with });
        tx.record(ctx, Mark::new("resident.parted", Subject::Resident(who), body))?;
    }
    residents::tell(ctx, tx, vec![kept.id, other.id])
}

/// Entries on registers go back as they are now; those that ended with the merge go on, where their register still does.
fn entries_back(ctx: &Ctx, tx: &mut Tx, before: &Before, other: ResidentId) -> Result<(), Fault> {
    let today = ctx.now.date();
    let ended: BTreeSet<CareEntryId> = before.ended.iter().copied().collect();
    for id in &before.given {
        rows::give_entry(tx, *id, other)?;
    }
    let in_use = care::in_use_now(tx, today)?;
    for entry in rows::entries(tx, other)?
        .iter()
        .filter(|entry| ended.contains(&entry.id))
    {
        match in_use.contains(&entry.register) {
            true => rows::end_entry(tx, entry.id, None)?,
            false => rows::end_entry(tx, entry.id, Some((today, "register_ended")))?,
        }
    }
    Ok(())
}

/// The record somebody's is part of now: their own, or the one it went into.
pub fn now_of(tx: &mut Tx, id: ResidentId) -> Result<ResidentId, Fault> {
    Ok(rows::merged_into(tx, id)?.unwrap_or(id))
}

/// Somebody's record and all that went into it.
pub fn all_of(tx: &mut Tx, id: ResidentId) -> Result<Vec<ResidentId>, Fault> {
    let merged = rows::merged_of(tx, &[id])?.into_iter().map(|(id, _)| id);
    Ok(std::iter::once(id).chain(merged).collect())
}
