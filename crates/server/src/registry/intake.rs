//! Lists of households and people taken over, some thousand lines at a time: each line checked, households found or made, people registered or
//! found to be here already; somebody registered in another household waits for a person to decide.
//!
//! Entry points: [`ready`] (lines on their own) and [`Intake`] (one list, from its first line to its last); [`duplicates`] and [`decide`]. What is read here was sent by the caller;
//! nothing of what is known is told but that somebody is registered elsewhere. What a list brings is owed visits from the night on. Must not:
//! know spreadsheets; those are above.

use super::counts::{Delta, Sum};
use super::households::{self, MOST_RESIDENTS, bad_life};
use super::place::{Spot, bad_room};
use super::residents::{self, Sealed};
use super::store::intake as rows;
use super::store::{self, HouseholdRow};
use crate::access;
use crate::platform::*;
use crate::territory::{self, dwellings};
use domain::registry::household::Life;
use domain::registry::kinship::Relation;
use domain::registry::names;
use domain::registry::residence::Kind;
use domain::registry::room::Room;
use jiff::civil::Date;
use serde_json::json;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// One line of a list: a household in its room and, mostly, somebody who belongs to it. Texts as they were written.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub row: usize,
    /// Code of the dwelling; else code or full name of the area.
    pub dwelling: String,
    pub area: String,
    pub building: String,
    pub entrance: String,
    pub floor: String,
    pub room: String,
    pub number: String,
    pub name: String,
    pub id_number: String,
    pub phones: String,
    pub relation: String,
    pub kind: String,
    pub from: String,
}

/// What is wrong with a line; the fault names the field.
#[derive(Debug)]
pub struct Trouble {
    pub row: usize,
    pub fault: Fault,
}

/// What came of a list so far, or would.
#[derive(Debug, Default)]
pub struct Taken {
    pub households: usize,
    pub residents: usize,
    /// People who are registered in that household already.
    pub already: usize,
    /// People who are registered in another household: they wait for a person to decide.
    pub duplicates: usize,
    pub troubles: Vec<Trouble>,
}

/// A line that can be meant, its person sealed already.
pub struct Ready {
    row: usize,
    dwelling: String,
    area: Option<AreaId>,
    room: Room,
    number: Option<String>,
    person: Option<Person>,
    from: Date,
}

struct Person {
    /// As it is compared.
    name: String,
    relation: Relation,
    from: Date,
    kinds: Vec<Kind>,
    sealed: Sealed,
}

/// Areas by code and name; none where several are called so.
pub type Areas = Arc<HashMap<String, Option<AreaId>>>;

/// Lines on their own, each read and its person sealed: work that needs no database and can be done beside it.
pub fn ready(ctx: &Ctx, areas: &Areas, lines: Vec<Line>) -> Vec<Result<Ready, Trouble>> {
    let one = |line: Line| {
        let row = line.row;
        read(ctx, areas, line).map_err(|fault| Trouble { row, fault })
    };
    lines.into_iter().map(one).collect()
}

fn read(ctx: &Ctx, areas: &Areas, line: Line) -> Result<Ready, Fault> {
    let room = Room::read(&line.building, &line.entrance, &line.floor, &line.room).map_err(bad_room)?;
    let (dwelling, area) = (line.dwelling.trim().to_owned(), line.area.trim());
    let area = match areas.get(area) {
        _ if !dwelling.is_empty() => None,
        Some(Some(area)) => Some(*area),
        _ if area.is_empty() => return Err(Fault::invalid("area", "missing_field")),
        _ => return Err(Fault::invalid("area", "area_unknown")),
    };
    let number = households::number_of(Some(&line.number))?;
    if number.is_none() && room.room.is_none() {
        return Err(Fault::invalid("room", "list_household_unclear"));
    }
    let from = match line.from.trim() {
        "" => ctx.now.date(),
        text => day(text).ok_or_else(|| Fault::invalid("valid_from", "date_expected"))?,
    };
    Ok(Ready {
        row: line.row,
        person: person(ctx, &line, from)?,
        dwelling,
        area,
        room,
        number,
        from,
    })
}

/// `2026-02-14`, `2026/2/14`, `2026年2月14日`, with or without a time behind it.
pub fn day(text: &str) -> Option<Date> {
    let mut parts = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let mut next = || parts.next()?.parse::<i16>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn person(ctx: &Ctx, line: &Line, from: Date) -> Result<Option<Person>, Fault> {
    if line.name.trim().is_empty() {
        return match line.id_number.trim().is_empty() {
            true => Ok(None),
            false => Err(Fault::invalid("name", "missing_field")),
        };
    }
    let unknown = || Fault::invalid("relation", "relation_unknown");
    let relation = Relation::from_words(line.relation.trim()).ok_or_else(unknown)?;
    let phones: Vec<String> = line
        .phones
        .split([',', '，', '、', ';', '；', '/'])
        .map(str::to_owned)
        .collect();
    let known = residents::known(ctx, &line.name, Some(&line.id_number), &phones)?;
    Ok(Some(Person {
        name: names::plain(&line.name),
        relation,
        kinds: kinds(line.kind.trim())?,
        from,
        sealed: residents::sealed(ctx, ctx.app.new_id(), &known)?,
    }))
}

/// How somebody belongs there: `居住` where nothing is said.
fn kinds(text: &str) -> Result<Vec<Kind>, Fault> {
    Ok(match text {
        "" | "actual" | "居住" | "实际居住" | "常住" => vec![Kind::Actual],
        "registered" | "户籍" => vec![Kind::Registered],
        "both" | "户籍和居住" | "户籍、居住" | "人户一致" => vec![Kind::Registered, Kind::Actual],
        _ => return Err(Fault::invalid("kind", "residence_kind_unknown")),
    })
}

/// A household of the list: found or to be made.
#[derive(Debug, Clone, Copy)]
struct Seen {
    id: HouseholdId,
    residents: i64,
    householder: bool,
    from: Date,
    /// It was there before the list.
    old: bool,
}

/// One list on its way: what its lines so far have made, so that a dry run and the real one see the same.
pub struct Intake {
    source: String,
    dry: bool,
    /// Households by what they are told apart by, shortened.
    seen: HashMap<u64, Seen>,
    /// Identity numbers that came before, shortened.
    numbers: HashSet<u64>,
    pub taken: Taken,
}

/// What some lines write.
#[derive(Default)]
struct Batch {
    households: Vec<HouseholdRow>,
    people: Vec<(HouseholdId, Person)>,
    /// Households that were there before, and how many join them.
    joined: Vec<(HouseholdId, i64)>,
    duplicates: Vec<Duplicate>,
    sum: Sum,
}

/// Somebody a list puts into another household than they are registered in.
#[derive(Debug, Clone)]
pub struct Duplicate {
    pub id: DuplicateId,
    pub source: String,
    pub row: i64,
    pub resident: ResidentId,
    pub household: HouseholdId,
    pub relation: Relation,
    pub kind: Kind,
    pub from: Date,
    pub area: AreaId,
}

fn short(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Intake {
    /// `dry`: says what would come of the list and changes nothing.
    pub fn new(source: &str, dry: bool) -> Intake {
        Intake {
            source: source.to_owned(),
            dry,
            seen: HashMap::new(),
            numbers: HashSet::new(),
            taken: Taken::default(),
        }
    }

    /// Takes the next lines. Those in trouble are left out and told.
    pub async fn take(mut self, ctx: &Ctx, lines: Vec<Result<Ready, Trouble>>) -> Result<Intake, Fault> {
        // A dry run writes, too: looks at the names of homes that were there are logged.
        let work = move |ctx: &Ctx, tx: &mut Tx| {
            let batch = self.plan(ctx, tx, lines)?;
            if !self.dry {
                keep(ctx, tx, batch, &self.source)?;
            }
            Ok(self)
        };
        ctx.app.write(ctx, work).await
    }

    fn plan(&mut self, ctx: &Ctx, tx: &mut Tx, lines: Vec<Result<Ready, Trouble>>) -> Result<Batch, Fault> {
        let mut sound = Vec::with_capacity(lines.len());
        for line in lines {
            match line {
                Ok(line) => sound.push(line),
                Err(trouble) => self.taken.troubles.push(trouble),
            }
        }
        let placed = self.placed(ctx, tx, sound)?;
        let there = self.there(tx, &placed)?;
        let known = rows::known_numbers(tx, placed.iter().filter_map(|(line, _)| index_of(line)))?;
        let mut batch = Batch::default();
        for (line, spot) in placed {
            let row = line.row;
            if let Err(fault) = self.one(ctx, tx, &mut batch, &there, &known, line, spot) {
                if fault.status().is_server_error() {
                    return Err(fault);
                }
                self.taken.troubles.push(Trouble { row, fault });
            }
        }
        Ok(batch)
    }

    /// Each line with its place, where the caller may write.
    fn placed(&mut self, ctx: &Ctx, tx: &mut Tx, lines: Vec<Ready>) -> Result<Vec<(Ready, Spot)>, Fault> {
        let codes: BTreeSet<&str> = lines
            .iter()
            .map(|line| line.dwelling.as_str())
            .filter(|code| !code.is_empty())
            .collect();
        let dwellings = dwellings::by_codes(tx, &codes.into_iter().collect::<Vec<_>>())?;
        let map = territory::current(&ctx.app);
        let mut placed = Vec::with_capacity(lines.len());
        for line in lines {
            let (dwelling, area) = match dwellings.get(&line.dwelling) {
                Some((id, area)) => (Some(*id), Some(*area)),
                None => (None, line.area),
            };
            let chain = area.and_then(|id| Some((id, map.area(id)?.chain)));
            let chain = chain.filter(|(_, chain)| ctx.scope.covers(chain, Permission::RegistryWrite));
            let Some((area, chain)) = chain else {
                let (field, code) = match line.dwelling.is_empty() {
                    true => ("area", "area_unknown"),
                    false => ("dwelling", "dwelling_unknown"),
                };
                let fault = Fault::invalid(field, code);
                self.taken.troubles.push(Trouble { row: line.row, fault });
                continue;
            };
            let spot = Spot {
                dwelling,
                area,
                chain,
                key: format!("{}|{}", line.dwelling, line.room.key()),
                room: line.room.clone(),
            };
            placed.push((line, spot));
        }
        Ok(placed)
    }

    /// Households that were there before, at the places of lines whose household has not been seen yet.
    fn there(
        &self,
        tx: &mut Tx,
        placed: &[(Ready, Spot)],
    ) -> Result<HashMap<(AreaId, String), Vec<rows::There>>, Fault> {
        let new = placed
            .iter()
            .filter(|(line, spot)| !self.seen.contains_key(&told_apart(line, spot)))
            .map(|(_, spot)| (spot.area, spot.key.clone()));
        rows::there(tx, new.collect())
    }

    #[allow(clippy::too_many_arguments)]
    fn one(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        batch: &mut Batch,
        there: &HashMap<(AreaId, String), Vec<rows::There>>,
        known: &HashMap<String, rows::Known>,
        line: Ready,
        spot: Spot,
    ) -> Result<(), Fault> {
        let key = told_apart(&line, &spot);
        let today = ctx.now.date();
        let mut seen = match self.seen.get(&key) {
            Some(seen) => *seen,
            None => match found(&line, there.get(&(spot.area, spot.key.clone())))? {
                Some(seen) => seen,
                None => {
                    Life::begin(line.from, today).map_err(|bad| bad_life(bad, "valid_from"))?;
                    self.begin(ctx, batch, &line, &spot)
                }
            },
        };
        let area = spot.area;
        let result = match line.person {
            None => Ok(()),
            Some(person) => {
                let entry = (line.row, line.from, area);
                self.join(ctx, tx, batch, known, &mut seen, person, entry, &spot)
            }
        };
        self.seen.insert(key, seen);
        result
    }

    fn begin(&mut self, ctx: &Ctx, batch: &mut Batch, line: &Ready, spot: &Spot) -> Seen {
        let id = ctx.app.new_id();
        batch.households.push(HouseholdRow {
            house: None,
            id,
            number: line.number.clone(),
            spot: spot.clone(),
            residents: 0,
            split_from: None,
            life: Life {
                from: line.from,
                ended: None,
            },
            version: 1,
        });
        batch.sum.add(&spot.chain, Delta::households(1));
        self.taken.households += 1;
        Seen {
            id,
            residents: 0,
            householder: false,
            from: line.from,
            old: false,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn join(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        batch: &mut Batch,
        known: &HashMap<String, rows::Known>,
        seen: &mut Seen,
        person: Person,
        (row, from, area): (usize, Date, AreaId),
        spot: &Spot,
    ) -> Result<(), Fault> {
        if let Some(index) = &person.sealed.id_number_index {
            if !self.numbers.insert(short(index)) {
                return Err(Fault::invalid("id_number", "list_number_twice"));
            }
            match known.get(index) {
                Some(other) if other.left => return Err(Fault::invalid("id_number", "list_number_left")),
                Some(other) if other.household == seen.id => {
                    self.taken.already += 1;
                    return Ok(());
                }
                Some(other) => {
                    self.taken.duplicates += 1;
                    batch.duplicates.push(Duplicate {
                        id: ctx.app.new_id(),
                        source: self.source.clone(),
                        row: row as i64,
                        resident: other.id,
                        household: seen.id,
                        relation: person.relation,
                        kind: person.kinds[person.kinds.len() - 1],
                        from,
                        area,
                    });
                    return Ok(());
                }
                None => {}
            }
        }
        if seen.old && seen.residents > 0 && lives_there(ctx, tx, seen.id, &person)? {
            self.taken.already += 1;
            return Ok(());
        }
        if person.relation == Relation::Householder && seen.householder {
            return Err(Fault::invalid("relation", "householder_already"));
        }
        if seen.residents >= MOST_RESIDENTS {
            return Err(Fault::invalid("room", "household_full").with("most", MOST_RESIDENTS));
        }
        if from < seen.from || from > ctx.now.date() {
            return Err(Fault::invalid("valid_from", "before_household"));
        }
        seen.residents += 1;
        seen.householder |= person.relation == Relation::Householder;
        batch.sum.add(&spot.chain, Delta::residents(1));
        match batch.joined.iter_mut().rev().find(|(id, _)| *id == seen.id) {
            Some((_, more)) => *more += 1,
            None => batch.joined.push((seen.id, 1)),
        }
        batch.people.push((seen.id, person));
        self.taken.residents += 1;
        Ok(())
    }
}

fn index_of(line: &Ready) -> Option<&str> {
    line.person.as_ref()?.sealed.id_number_index.as_deref()
}

/// Households of one place are told apart by their number.
fn told_apart(line: &Ready, spot: &Spot) -> u64 {
    short((spot.area, &spot.key, &line.number))
}

/// The household of a line among those at its place: by its number; without one the only one there is.
fn found(line: &Ready, there: Option<&Vec<rows::There>>) -> Result<Option<Seen>, Fault> {
    let there = there.map_or(&[][..], Vec::as_slice);
    let same: Vec<&rows::There> = match &line.number {
        Some(number) => there.iter().filter(|one| one.number.as_ref() == Some(number)).collect(),
        None => there.iter().collect(),
    };
    match same[..] {
        [] => Ok(None),
        [one] => Ok(Some(Seen {
            id: one.id,
            residents: one.residents,
            householder: one.householder,
            from: one.from,
            old: true,
        })),
        _ => Err(Fault::invalid("number", "list_household_ambiguous")),
    }
}

/// Whether somebody of this name lives in a household already; two with different identity numbers are two people. Nothing is told of them but
/// that; the look is logged with the household.
fn lives_there(ctx: &Ctx, tx: &mut Tx, household: HouseholdId, person: &Person) -> Result<bool, Fault> {
    access::log_read(ctx, tx, Subject::Household(household), &["name"])?;
    for (row, key) in store::residents_with_keys(tx, household)? {
        let both = row.id_number_index.is_some() && person.sealed.id_number_index.is_some();
        if !both && residents::is_named(ctx, &row, &key, &person.name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn keep(ctx: &Ctx, tx: &mut Tx, batch: Batch, source: &str) -> Result<(), Fault> {
    let (households, residents, duplicates) = (batch.households.len(), batch.people.len(), batch.duplicates.len());
    if households + residents + duplicates == 0 {
        return Ok(());
    }
    let mut new: HashMap<HouseholdId, i64> = HashMap::new();
    let made: HashSet<HouseholdId> = batch.households.iter().map(|one| one.id).collect();
    let mut old = Vec::new();
    for (id, more) in batch.joined {
        match made.contains(&id) {
            true => *new.entry(id).or_default() += more,
            false => old.push((id, more)),
        }
    }
    store::lock_households(tx, old.iter().map(|(id, _)| *id).collect())?;
    let mut rows_made = batch.households;
    for one in &mut rows_made {
        one.residents = new.get(&one.id).copied().unwrap_or_default();
    }
    rows::insert_households(ctx, tx, &rows_made)?;
    old.sort_unstable_by_key(|(id, _)| *id);
    for (id, more) in old {
        store::add_residents(tx, id, more)?;
    }
    rows::insert_people(
        ctx,
        tx,
        batch.people.into_iter().map(|(household, one)| rows::NewPerson {
            household,
            relation: one.relation,
            from: one.from,
            kinds: one.kinds,
            sealed: one.sealed,
        }),
    )?;
    rows::insert_duplicates(ctx, tx, batch.duplicates)?;
    batch.sum.keep(tx)?;
    let body = json!({ "source_hash": super::search::hash(source), "households": households, "residents": residents, "duplicates": duplicates });
    tx.record(ctx, Mark::new("registry.list_imported", Subject::List, body))?;
    Ok(())
}

/// Those who wait for a decision in an area itself, in order of arrival; one more than `limit` when there are more.
pub fn duplicates(tx: &mut Tx, area: AreaId, after: Option<DuplicateId>, limit: u32) -> Result<Vec<Duplicate>, Fault> {
    rows::duplicates(tx, area, after, limit)
}

/// Decides: they moved into the list's household (`from` a day on, or the one the list says), or stay where they are. To move somebody takes the
/// right at both places.
pub fn decide(ctx: &Ctx, tx: &mut Tx, id: DuplicateId, moved: bool, from: Option<Date>) -> Result<(), Fault> {
    let one = rows::duplicate(tx, id)?.ok_or_else(Fault::not_found)?;
    households::load(ctx, tx, one.household, Permission::RegistryWrite)?;
    if moved {
        residents::move_one(
            ctx,
            tx,
            one.resident,
            one.household,
            one.kind,
            one.relation,
            from.unwrap_or(one.from),
        )?;
    }
    if !rows::decide(ctx, tx, id, if moved { "moved" } else { "stays" })? {
        return Err(Fault::conflict("registry_stale"));
    }
    let body = json!({ "household": one.household, "moved": moved });
    tx.record(
        ctx,
        Mark::new("resident.duplicate_decided", Subject::Resident(one.resident), body),
    )?;
    Ok(())
}

/// What the columns of a list with this header mean, as somebody said last.
pub async fn mapping(ctx: &Ctx, header: &str) -> Result<Option<String>, Fault> {
    let header = header.to_owned();
    ctx.app.read(ctx, move |_, tx| rows::mapping(tx, &header)).await
}

/// Keeps what somebody said of the columns, for next time.
pub async fn keep_mapping(ctx: &Ctx, header: String, fields: String) -> Result<(), Fault> {
    ctx.app
        .write(ctx, move |ctx, tx| {
            rows::put_mapping(ctx, tx, &header, &fields)?;
            let body = json!({ "header": header });
            tx.record(ctx, Mark::new("registry.columns_kept", Subject::List, body))?;
            Ok(())
        })
        .await
}
