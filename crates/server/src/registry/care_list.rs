//! Lists of people who are to be on care registers, taken over some hundred lines at a time: each line's person found, never made; who is on the
//! register already stays as they are, so that the same list again does nothing.
//!
//! Entry point: [`CareIntake`] (one list, from its first line to its last). Each person found is logged. Must not: know spreadsheets; tell
//! anything of people beyond the caller's area, or of registers the caller may not know of.

use super::counts::{Care, Sum};
use super::intake::{Areas, Trouble, day};
use super::store::{self, HouseholdRow, care as rows};
use super::{care, residents, vault};
use crate::platform::sealed::plain_phone;
use crate::platform::*;
use crate::{access, policy, territory};
use domain::policy::CareRegister;
use domain::registry::identity::IdNumber;
use domain::registry::names;
use jiff::civil::Date;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

/// People of one name opened and compared.
const MOST_OPENED: u32 = 400;
/// Characters of what an entry goes by.
const MAX_BASIS: usize = 60;
/// How lists write where an entry comes from, by the word in SQL and API.
const SOURCE_WORDS: [(&str, &[&str]); 3] = [
    (
        "own_wish",
        &["own_wish", "本人申请", "家属申请", "本人或家属申请", "监护人申请"],
    ),
    ("list", &["list", "", "名单", "部门名单", "部门提供"]),
    ("visit", &["visit", "走访", "走访发现", "网格走访"]),
];

/// One line of a list. Texts as they were written.
#[derive(Debug, Clone, Default)]
pub struct CareLine {
    pub row: usize,
    /// Key or name of the register.
    pub register: String,
    pub name: String,
    pub id_number: String,
    pub phone: String,
    /// Code or name of an area they live in.
    pub area: String,
    /// Where the entry comes from, and what it goes by: the list or paper.
    pub source: String,
    pub basis: String,
    pub from: String,
}

/// What came of a list so far, or would.
#[derive(Debug, Default)]
pub struct CareTaken {
    /// People put on a register.
    pub put_on: usize,
    /// Those who were on it before.
    pub already: usize,
    pub troubles: Vec<Trouble>,
}

/// One list on its way.
pub struct CareIntake {
    dry: bool,
    areas: Areas,
    /// Who a line before put on which register: a dry run and the real one see the same.
    seen: HashSet<(String, ResidentId)>,
    pub taken: CareTaken,
}

impl CareIntake {
    /// `dry`: says what would come of the list and changes nothing.
    pub fn new(areas: Areas, dry: bool) -> CareIntake {
        CareIntake {
            dry,
            areas,
            seen: HashSet::new(),
            taken: CareTaken::default(),
        }
    }

    /// Takes the next lines in one transaction. Those in trouble are left out and told.
    pub async fn take(mut self, ctx: &Ctx, lines: Vec<CareLine>) -> Result<CareIntake, Fault> {
        // A dry run writes, too: looks at people are logged.
        let work = move |ctx: &Ctx, tx: &mut Tx| {
            let in_use = care::in_use_now(tx, ctx.now.date())?;
            let (mut sum, before) = (Sum::default(), self.taken.put_on);
            for line in lines {
                let row = line.row;
                match self.one(ctx, tx, &in_use, &mut sum, &line) {
                    Ok(()) => {}
                    Err(fault) if fault.status().is_server_error() => return Err(fault),
                    Err(fault) => self.taken.troubles.push(Trouble { row, fault }),
                }
            }
            let people = self.taken.put_on - before;
            if !self.dry && people > 0 {
                sum.keep(tx)?;
                let mark = Mark::new("register.list_imported", Subject::List, json!({ "people": people }));
                tx.record(ctx, mark)?;
            }
            Ok(self)
        };
        ctx.app.write(ctx, work).await
    }

    fn one(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        in_use: &BTreeSet<String>,
        sum: &mut Sum,
        line: &CareLine,
    ) -> Result<(), Fault> {
        let source = source_of(&line.source)?;
        let from = from_of(ctx, &line.from)?;
        let basis = basis_of(&line.basis)?;
        let register = register_of(ctx, &line.register)?;
        let (who, household) = self.somebody(ctx, tx, line)?;
        // Of a sensitive register those who do not serve it are told what is told of none.
        if !care::told(ctx, tx, &register, household.spot.area)? {
            return Err(unknown_register());
        }
        if !in_use.contains(&register.key) {
            return Err(Fault::refused("register_not_in_use").field("register"));
        }
        access::log_read(ctx, tx, Subject::Resident(who), &["registers"])?;
        let new = self.seen.insert((register.key.clone(), who));
        if !new || rows::on(tx, who)?.contains(&register.key) {
            self.taken.already += 1;
            return Ok(());
        }
        self.taken.put_on += 1;
        if self.dry {
            return Ok(());
        }
        let id = ctx.app.new_id();
        if !rows::put_on(tx, id, &register.key, who, source, from, basis.as_deref())? {
            return Err(Fault::conflict("registry_stale"));
        }
        sum.care(&household.spot.chain, &register.key, Care::one(false));
        let body = json!({ "register": care::mark(ctx, &register), "source": source });
        tx.record(ctx, Mark::new("resident.put_on_register", Subject::Resident(who), body))?;
        Ok(())
    }

    /// Whom a line means, among those who live where the caller may write: by the number, else by a name that only one has there.
    fn somebody(&self, ctx: &Ctx, tx: &mut Tx, line: &CareLine) -> Result<(ResidentId, HouseholdRow), Fault> {
        let below = self.below(ctx, &line.area)?;
        let (field, found) = match line.id_number.trim() {
            "" => ("name", named(ctx, tx, line, below)?),
            number => ("id_number", numbered(ctx, tx, number, &line.name)?),
        };
        let mut found = found.into_iter();
        let who = match (found.next(), found.next()) {
            (None, _) => return Err(Fault::invalid(field, "register_person_unknown")),
            (Some(who), None) => who,
            (Some(_), Some(_)) => return Err(Fault::invalid(field, "register_person_ambiguous")),
        };
        // Who may read there but not write is told as much as who may not read.
        let household = residents::household_of(ctx, tx, who).map_err(|fault| match fault.status() {
            axum::http::StatusCode::NOT_FOUND => Fault::invalid(field, "register_person_unknown"),
            _ => fault,
        })?;
        Ok((who, household))
    }

    fn below(&self, ctx: &Ctx, area: &str) -> Result<Option<(u8, AreaId)>, Fault> {
        let unknown = || Fault::invalid("area", "area_unknown");
        match area.trim() {
            "" => Ok(None),
            text => {
                let id = self.areas.get(text).copied().flatten().ok_or_else(unknown)?;
                let map = territory::current(&ctx.app);
                let area = map.area(id).ok_or_else(unknown)?;
                Ok(Some((area.depth, area.id)))
            }
        }
    }
}

fn unknown_register() -> Fault {
    Fault::invalid("register", "register_unknown")
}

fn register_of(ctx: &Ctx, text: &str) -> Result<CareRegister, Fault> {
    let text = text.trim();
    let current = policy::current(&ctx.app)?;
    let mut all = current.pack.registers.iter();
    let found = all.find(|one| one.key == text || one.name.zh == text || one.name.en.eq_ignore_ascii_case(text));
    found.cloned().ok_or_else(unknown_register)
}

/// Who has this number; a name that is given beside it must be theirs.
fn numbered(ctx: &Ctx, tx: &mut Tx, number: &str, name: &str) -> Result<BTreeSet<ResidentId>, Fault> {
    let bad = |bad| Fault::invalid("id_number", residents::bad_id_number(bad));
    let number = IdNumber::read(number, ctx.now.date()).map_err(bad)?;
    let index = vault::id_number_index(&ctx.app, number.reveal());
    let plain = names::plain(name);
    let mut found = BTreeSet::new();
    for (row, key) in store::found_by_number(ctx, tx, &index, None)? {
        let who = row.merged_into.unwrap_or(row.id);
        // A record that went into another holds the number that did not stand; the name may be either's.
        let mut same = plain.is_empty() || residents::is_named(ctx, &row, &key, &plain)?;
        if let (false, Some((kept, key))) = (same, store::resident(tx, who)?) {
            same = residents::is_named(ctx, &kept, &key, &plain)?;
        }
        if !same {
            return Err(Fault::invalid("name", "register_name_differs"));
        }
        found.insert(who);
    }
    Ok(found)
}

/// Those who are called exactly so, with the phone of the line where it has one.
fn named(ctx: &Ctx, tx: &mut Tx, line: &CareLine, below: Option<(u8, AreaId)>) -> Result<BTreeSet<ResidentId>, Fault> {
    let (plain, phone) = (names::plain(&line.name), plain_phone(&line.phone));
    if plain.is_empty() {
        return Err(Fault::invalid("name", "missing_field"));
    }
    let key = names::query(&line.name).ok_or_else(|| Fault::invalid("name", "search_too_short"))?;
    let print = vault::name_print(&ctx.app, &key);
    let mut found = BTreeSet::new();
    for (row, key) in store::found_by_print(ctx, tx, print, below, MOST_OPENED)? {
        let same = residents::is_named(ctx, &row, &key, &plain)?
            && (phone.is_empty() || residents::has_phone(ctx, &row, &key, &phone)?);
        if same {
            found.insert(row.merged_into.unwrap_or(row.id));
        }
    }
    Ok(found)
}

fn source_of(text: &str) -> Result<&'static str, Fault> {
    let text = text.trim();
    let found = SOURCE_WORDS.iter().find(|(_, words)| words.contains(&text));
    found
        .map(|(key, _)| *key)
        .ok_or_else(|| Fault::invalid("source", "register_source_unknown"))
}

fn from_of(ctx: &Ctx, text: &str) -> Result<Date, Fault> {
    let today = ctx.now.date();
    let from = match text.trim() {
        "" => today,
        text => day(text).ok_or_else(|| Fault::invalid("from", "date_expected"))?,
    };
    match from > today {
        true => Err(Fault::invalid("from", "day_in_the_future")),
        false => Ok(from),
    }
}

fn basis_of(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    match text.chars().count() {
        0 => Ok(None),
        n if n > MAX_BASIS => Err(Fault::invalid("basis", "text_length").with("most", MAX_BASIS)),
        _ => Ok(Some(text.to_owned())),
    }
}
