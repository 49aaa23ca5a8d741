//! Cases that ran elsewhere before: taken over with the times they really had, the clocks computed as if they had run here.
//!
//! Entry points: [`Importer::ready`] works out what a batch of rows means, beside the writer; [`add_all`] writes it in one transaction. What is known is kept as it was (text, times, answer); who of which
//! office did the work is not known and is not invented: it is remembered as [`FORMER_SYSTEM`]. Nobody is alarmed and no message goes out
//! for what lies in the past. Must not: change a case that is already here.

use super::intake::{self, Kind, Submission};
use super::place::{self, Rules, Spot};
use super::record::{CaseRow, ReportRow};
use super::work::{self, sha256_hex};
use super::{classify, clocks, cube, routing, search, store};
use crate::platform::ledger::{ReceiptFacts, TextHash};
use crate::platform::*;
use domain::cases as rules;
use domain::cases::{Look, State, StateKey};
use domain::policy::Step;
use domain::time::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Characters of an answer given elsewhere.
pub const MAX_ANSWER: usize = 20_000;
/// Stands for whoever handled the case in the former system: no account has this id.
pub const FORMER_SYSTEM: AccountId = AccountId(Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0001));
/// Stands for the check that the former system's closing is taken for: no account has this id.
pub const FORMER_CHECK: AccountId = AccountId(Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0002));

/// A case as the former system or list has it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCase {
    /// Derived from where it comes from ([`past_id`]), so that the same row is the same case.
    pub id: CaseId,
    /// Name of the list it comes from, and its key there.
    pub source: String,
    pub key: String,
    pub title: Option<String>,
    pub body: String,
    /// The category, when the list has one.
    pub category_code: Option<String>,
    pub area: AreaId,
    pub address: Option<String>,
    /// Name or pseudonym of whoever reported.
    pub name: Option<String>,
    pub phone: Option<String>,
    pub received_at: Timestamp,
    /// The answer given, and when; the case is then closed.
    pub answer: Option<(String, Timestamp)>,
    /// Longitude and latitude (WGS-84), when the list has them.
    pub at: Option<(f64, f64)>,
    /// The unit that had it, when the list says; else the one that answers for such a matter there today.
    pub unit: Option<UnitId>,
    /// The way it came in, when the list says and the pack knows it.
    pub channel: Option<String>,
}

impl PastCase {
    /// Tells a row that came again from one that was changed meanwhile. The area is left out: it may come from where the import was started.
    fn content_hash(&self) -> String {
        let answer = self.answer.as_ref().map(|(text, at)| (text, at.0));
        let who = (&self.name, &self.phone);
        let mut said = vec![
            json!(self.received_at.0),
            json!(self.title),
            json!(self.body),
            json!(self.category_code),
            json!(self.address),
            json!(who),
            json!(answer),
        ];
        // Lists without these keep the hash they had before there were any.
        if self.at.is_some() || self.unit.is_some() || self.channel.is_some() {
            said.push(json!([self.at, self.unit.map(|u| u.to_string()), self.channel]));
        }
        sha256_hex(&serde_json::Value::Array(said).to_string())
    }
}

/// The id of a row of a list: time-ordered like any other, its rest the hash of the list's name and the row's key. The same row always
/// gives the same id.
pub fn past_id(source: &str, key: &str, received_at: Timestamp) -> CaseId {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for part in ["wangge past case", source, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut rest = [0u8; 10];
    rest.copy_from_slice(&hash.finalize()[..10]);
    let millis = u64::try_from(received_at.0).unwrap_or_default();
    CaseId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is a case now, in this state.
    New { number: String, state: StateKey },
    /// It was here already, word for word.
    Already,
    /// Another text is here under the same key.
    Differs,
}

/// Which of these rows are here: none when not, else whether word for word.
pub fn known<'p>(tx: &mut Tx, past: impl Iterator<Item = &'p PastCase> + Clone) -> Result<Vec<Option<bool>>, Fault> {
    let here = store::content_hashes(tx, past.clone().map(|p| p.id))?;
    Ok(past
        .map(|p| here.get(&p.id).map(|hash| *hash == p.content_hash()))
        .collect())
}

/// A row worked out: a whole case, but for its number and its place in the ledger.
pub struct Ready {
    row: CaseRow,
    clock: Option<clocks::ClockRow>,
    steps: Vec<(&'static str, Timestamp, Value)>,
    report: ReportRow,
    reporter: Option<store::NewReporter>,
    answer: Option<(String, Timestamp)>,
    /// See [`search::SearchText::joined`].
    words: String,
    /// Hash of the text, for the receipt.
    text: TextHash,
    /// Hash of the row's name and key, for the ledger.
    from: String,
}

/// What is looked up once for many rows.
pub struct Importer {
    rules: Rules,
    spots: HashMap<AreaId, Option<Spot>>,
    routes: HashMap<(String, AreaId), Option<routing::Choice>>,
    named: HashMap<(UnitId, AreaId), routing::Choice>,
    levels: HashMap<UnitId, Option<i64>>,
}

impl Importer {
    pub fn new(ctx: &Ctx) -> Result<Importer, Fault> {
        Ok(Importer {
            rules: place::rules(ctx)?,
            spots: HashMap::new(),
            routes: HashMap::new(),
            named: HashMap::new(),
            levels: HashMap::new(),
        })
    }

    /// Works rows out: kind, unit, state, clock, history. Writes nothing.
    pub fn ready(&mut self, ctx: &Ctx, tx: &mut Tx, past: &[PastCase]) -> Result<Vec<Ready>, Fault> {
        past.iter().map(|past| self.one(ctx, tx, past)).collect()
    }

    fn one(&mut self, ctx: &Ctx, tx: &mut Tx, past: &PastCase) -> Result<Ready, Fault> {
        let then = at(ctx, past.received_at);
        let submission = submission(past);
        let spot = self
            .spot(ctx, past.area)
            .ok_or_else(|| Fault::invalid("area_id", "area_unknown"))?;
        let title = intake::title_of(&submission);
        let (kind, words) = self.kind(ctx, tx, past, &title)?;
        let route = match past.unit {
            Some(unit) => Some(self.named(ctx, tx, unit, &spot)?),
            None => self.route(ctx, tx, kind.code.as_deref(), &spot)?,
        };
        let case = self.stand(past, &kind, route.as_ref())?;
        let mut row = intake::new_row(
            &then,
            &self.rules,
            &submission,
            past.id,
            String::new(),
            title,
            Some(&spot),
            &kind,
            past.content_hash(),
        );
        work::apply_state(&then, &mut row, &case);
        self.times(ctx, tx, &mut row, past)?;
        let clock = self.clock(ctx, &mut row, past)?;
        if let (Some(clock), StateKey::Closed) = (&clock, row.state) {
            row.on_time = clock.due_at.is_some().then_some(!clock.late);
        }
        let (name, phone) = (intake::filled(&past.name), intake::filled(&past.phone));
        let reporter = (name.is_some() || phone.is_some()).then(|| intake::sealed(&then, name, phone, None));
        Ok(Ready {
            clock,
            steps: steps(&row, past, &words, route.as_ref()),
            report: report(&row, past, reporter.as_ref().map(|r| r.id)),
            reporter,
            answer: past.answer.clone(),
            words: intake::words_of(&row, Some(&spot)).joined(),
            text: ledger::text_hash(&ctx.app, &past.body),
            from: sha256_hex(&format!("{}\n{}", past.source, past.key)),
            row,
        })
    }

    fn spot(&mut self, ctx: &Ctx, area: AreaId) -> Option<Spot> {
        self.spots
            .entry(area)
            .or_insert_with(|| place::spot_of_area(ctx, area))
            .clone()
    }

    /// The list's category; else what the text says of itself. What still waits for people is classified by the machine only when it is
    /// as sure as the pack demands; for what is over, the likeliest is taken, with its confidence beside it.
    fn kind(&self, ctx: &Ctx, tx: &mut Tx, past: &PastCase, title: &str) -> Result<(Kind, String), Fault> {
        let of_code = |code: Option<&str>| {
            code.and_then(|code| self.rules.pack.category(code))
                .is_some_and(|c| c.urgent)
        };
        if let Some(code) = &past.category_code {
            let urgent = of_code(Some(code));
            return Ok((
                Kind {
                    code: Some(code.clone()),
                    source: Some("import"),
                    confidence: None,
                    second: None,
                    urgent,
                },
                String::new(),
            ));
        }
        let says = classify::assess(ctx, tx, &self.rules, title, &past.body)?;
        let best = says.guesses.first().filter(|_| says.auto || past.answer.is_some());
        let code = best.map(|b| b.code.clone());
        let words = best.map(|b| b.reasons.join("、")).unwrap_or_default();
        let urgent = of_code(code.as_deref());
        let second = says.guesses.get(1).map(|g| g.code.clone());
        let confidence = says.guesses.first().map(|g| g.confidence);
        Ok((
            Kind {
                source: code.is_some().then_some(says.source),
                code,
                confidence,
                second,
                urgent,
            },
            words,
        ))
    }

    /// The unit that answers for such a matter there today.
    fn route(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        code: Option<&str>,
        spot: &Spot,
    ) -> Result<Option<routing::Choice>, Fault> {
        let key = (code.unwrap_or_default().to_owned(), spot.area);
        if let Some(found) = self.routes.get(&key) {
            return Ok(found.clone());
        }
        let choice = routing::choose(ctx, tx, &key.0, spot, false)?;
        self.routes.insert(key, choice.clone());
        Ok(choice)
    }

    /// The unit the list names.
    fn named(&mut self, ctx: &Ctx, tx: &mut Tx, unit: UnitId, spot: &Spot) -> Result<routing::Choice, Fault> {
        let key = (unit, spot.area);
        if let Some(found) = self.named.get(&key) {
            return Ok(found.clone());
        }
        let choice = routing::named(ctx, tx, unit, Some(spot.area), false, "rule")?;
        self.named.insert(key, choice.clone());
        Ok(choice)
    }

    /// Where the case stands: closed with its answer, with the responsible unit, or waiting for a person to look.
    fn stand(&self, past: &PastCase, kind: &Kind, route: Option<&routing::Choice>) -> Result<rules::Case, Fault> {
        let report = ReportId(past.id.0);
        let look = kind.code.is_none().then_some(Look::Unclear);
        let mut case = rules::Case::open(past.id.into(), report.into(), past.phone.is_some(), look);
        let own = self.rules.of_category(kind.code.as_deref().unwrap_or_default());
        if past.answer.is_none() {
            return match (case.state == State::Accepted, route) {
                (true, Some(choice)) => case.route(choice.held, &own).map_err(work::refused),
                _ => Ok(case),
            };
        }
        let choice = route.ok_or_else(|| Fault::refused("no_unit_here"))?;
        let held = rules::Held {
            unit: choice.held.unit,
            worker: None,
        };
        let doer = |account: AccountId| rules::Doer {
            account: account.into(),
            worker: None,
        };
        let verified = own.verification.then(|| rules::Verifier::Person(doer(FORMER_CHECK)));
        for due in case.reports.values_mut() {
            due.answered = true;
        }
        case.state = State::Closed {
            work: rules::Work {
                held,
                by: doer(FORMER_SYSTEM),
            },
            verified,
        };
        Ok(case)
    }

    fn times(&mut self, ctx: &Ctx, tx: &mut Tx, row: &mut CaseRow, past: &PastCase) -> Result<(), Fault> {
        let received = Some(past.received_at);
        if row.state != StateKey::Received {
            row.accepted_at = received;
        }
        if row.unit_id.is_some() {
            row.assigned_at = received;
        }
        let Some((_, answered)) = &past.answer else {
            return Ok(());
        };
        let end = Some(*answered);
        (row.handled_at, row.answered_at, row.ended_at) = (end, end, end);
        row.verified_at = end.filter(|_| row.verified_by.is_some());
        row.outcome = Some("answered_elsewhere".to_owned());
        if let Some(unit) = row.unit_id {
            row.level_resolved = match self.levels.get(&unit) {
                Some(level) => *level,
                None => {
                    let level = routing::level_of(ctx, tx, Some(unit))?;
                    self.levels.insert(unit, level);
                    level
                }
            };
        }
        Ok(())
    }

    /// The clock of handling (or of looking at it, for what waits for that), from the day it was received; ended with the answer.
    fn clock(&self, ctx: &Ctx, row: &mut CaseRow, past: &PastCase) -> Result<Option<clocks::ClockRow>, Fault> {
        let code = row.category_code.clone().unwrap_or_default();
        let step = if past.answer.is_some() {
            Some(Step::Handle)
        } else {
            clocks::step_of(row.state, &self.rules.pack, &code)
        };
        let Some(step) = step else { return Ok(None) };
        let end = past.answer.as_ref().map(|(_, when)| *when);
        let clock = clocks::of_past(ctx, &self.rules, row, step, past.received_at, end)?;
        clocks::note_due(row, clock.as_ref().filter(|_| end.is_none()));
        Ok(clock)
    }
}

/// Writes a batch, oldest first, so that numbers follow the times; leaves out what is here already. The answers stand in the order given.
pub fn add_all(ctx: &Ctx, tx: &mut Tx, mut batch: Vec<Ready>) -> Result<Vec<Kept>, Fault> {
    let known = store::content_hashes(tx, batch.iter().map(|ready| ready.row.id))?;
    number(ctx, tx, &mut batch, &known)?;
    let kept = batch.iter().map(|ready| match known.get(&ready.row.id) {
        Some(hash) if *hash == ready.row.content_hash => Kept::Already,
        Some(_) => Kept::Differs,
        None => Kept::New {
            number: ready.row.number.clone(),
            state: ready.row.state,
        },
    });
    let kept: Vec<Kept> = kept.collect();
    batch.retain(|ready| !known.contains_key(&ready.row.id));
    let marks: Vec<Mark> = batch.iter().map(mark).collect();
    let places = tx.record_all(ctx, &marks)?;
    for (ready, place) in batch.iter_mut().zip(&places) {
        (ready.report.strand, ready.report.ledger_seq) = (place.strand, place.seq);
    }
    write(ctx, tx, batch)?;
    Ok(kept)
}

/// Gives the new ones their numbers, day by day in the order of their times.
fn number(ctx: &Ctx, tx: &mut Tx, batch: &mut [Ready], known: &HashMap<CaseId, String>) -> Result<(), Fault> {
    let rules = place::rules(ctx)?;
    let mut days: BTreeMap<i64, Vec<&mut Ready>> = BTreeMap::new();
    for ready in batch.iter_mut().filter(|ready| !known.contains_key(&ready.row.id)) {
        days.entry(ready.row.received_at.day_and_ms().0)
            .or_default()
            .push(ready);
    }
    for (day, mut of_day) in days {
        of_day.sort_by_key(|ready| ready.row.received_at);
        let first = store::take_serials(tx, day, of_day.len() as i64)?;
        for (ready, serial) in of_day.into_iter().zip(first..) {
            let number = rules.pack.case_number(ready.row.received_at.date(), serial);
            ready.report.number.clone_from(&number);
            ready.row.number = number;
        }
    }
    Ok(())
}

fn write(ctx: &Ctx, tx: &mut Tx, mut batch: Vec<Ready>) -> Result<(), Fault> {
    store::insert_cases(tx, batch.iter().map(|ready| &ready.row))?;
    let clocks = batch
        .iter()
        .filter_map(|ready| Some((ready.clock.as_ref()?, ready.row.received_at)));
    store::insert_clocks(tx, clocks)?;
    store::insert_events(tx, batch.iter().flat_map(events))?;
    store::insert_reporters(tx, batch.iter_mut().filter_map(|ready| ready.reporter.take()))?;
    store::insert_reports(tx, batch.iter().map(|ready| (ready.row.id, &ready.report)))?;
    let answers: Vec<_> = batch
        .iter()
        .filter_map(|ready| Some((ready.row.id, answer(ctx, ready)?)))
        .collect();
    store::insert_answers(tx, answers.iter().map(|(case, answer)| (*case, answer)))?;
    store::insert_verifications(tx, batch.iter().filter_map(|ready| check(ctx, ready)))?;
    let words = batch
        .iter()
        .map(|ready| (ready.row.id, search::with_number(&ready.row.number, &ready.words)));
    search::put_all(ctx, tx, words)?;
    cube::count(tx, batch.iter().map(|ready| cube::Facts::of(&ready.row)));
    Ok(())
}

/// The case's history: the steps that are known, at the times they had.
fn steps(
    row: &CaseRow,
    past: &PastCase,
    words: &str,
    route: Option<&routing::Choice>,
) -> Vec<(&'static str, Timestamp, Value)> {
    let mut steps = vec![("received", past.received_at, json!({ "channel": row.channel }))];
    if let (Some(code), Some(source)) = (&row.category_code, &row.category_source) {
        let body = json!({ "category": code, "source": source, "confidence": row.confidence, "words": words });
        steps.push(("classified", past.received_at, body));
    }
    match &row.look {
        Some(look) => steps.push(("looked_for", past.received_at, json!({ "look": look }))),
        None => steps.push(("accepted", past.received_at, json!({ "automatic": true }))),
    }
    if let Some(choice) = route.filter(|_| row.unit_id.is_some()) {
        let mut body = choice.event();
        if past.answer.is_some() {
            body["worker"] = Value::Null;
        }
        steps.push(("assigned", past.received_at, body));
    }
    if let Some((answer, when)) = &past.answer {
        steps.push(("answered", *when, json!({ "way": "web", "answer": answer })));
        steps.push(("closed", *when, json!({ "note": HISTORY })));
    }
    steps
}

fn events(ready: &Ready) -> impl Iterator<Item = (CaseId, i64, store::NewEvent<'_>)> {
    let event = |(kind, at, body)| store::NewEvent {
        at,
        kind,
        actor_account: None,
        actor_name: None,
        unit: None,
        body,
        ledger: ready.report.ledger(),
    };
    let steps = ready
        .steps
        .iter()
        .map(move |(kind, at, body)| event((*kind, *at, body)));
    (1..).zip(steps).map(|(seq, event)| (ready.row.id, seq, event))
}

/// Written beside what another system did.
const HISTORY: &str = "历史数据导入：原系统已答复办结，未经本系统核查";

fn at(ctx: &Ctx, now: Timestamp) -> Ctx {
    Ctx { now, ..ctx.clone() }
}

fn submission(past: &PastCase) -> Submission {
    let reporter = intake::ReporterInput {
        name: past.name.clone(),
        phone: past.phone.clone(),
        ..intake::ReporterInput::default()
    };
    Submission {
        id: past.id.to_string(),
        channel: past.channel.clone().unwrap_or_else(|| CHANNEL.to_owned()),
        lon: past.at.map(|at| at.0),
        lat: past.at.map(|at| at.1),
        body: past.body.clone(),
        title: past.title.clone(),
        category_code: past.category_code.clone(),
        area_id: Some(past.area.to_string()),
        address: past.address.clone(),
        reporter: Some(reporter),
        ..Submission::default()
    }
}

/// The way in of everything that comes from a list.
const CHANNEL: &str = "import";

fn mark(ready: &Ready) -> Mark {
    let row = &ready.row;
    let facts = ReceiptFacts {
        number: row.number.clone(),
        report_id: ready.report.id.to_string(),
        received_at: row.received_at.to_string(),
        text: ready.text.clone(),
    };
    let more = json!({
        "channel": row.channel, "state": row.state.key(), "category": row.category_code, "category_source": row.category_source,
        "area": row.area_id.map(|a| a.to_string()), "territory_version": row.territory_version,
        "unit": row.unit_id.map(|u| u.to_string()), "pack": row.pack_version, "ended_at": row.ended_at.map(|t| t.to_string()),
        "row": ready.from,
    });
    Mark::new("case.imported", Subject::Case(row.id), facts.into_body(more))
}

fn report(row: &CaseRow, past: &PastCase, reporter: Option<ReporterId>) -> ReportRow {
    ReportRow {
        id: ReportId(row.id.0),
        number: String::new(),
        reporter_id: reporter,
        channel: row.channel.clone(),
        body: row.body.clone(),
        received_at: past.received_at,
        anonymous: past.name.is_none() && past.phone.is_none(),
        reachable: past.phone.is_some(),
        answered: past.answer.is_some(),
        withdrawn: false,
        merged_from: None,
        strand: 0,
        ledger_seq: 0,
    }
}

/// Written where the name of whoever answered or checked belongs.
const FORMER_UNIT: &str = "原办理单位";

fn answer<'r>(ctx: &Ctx, ready: &'r Ready) -> Option<store::NewAnswer<'r>> {
    let (body, when) = ready.answer.as_ref()?;
    Some(store::NewAnswer {
        id: ctx.app.new_id(),
        report: None,
        by: None,
        by_name: FORMER_UNIT,
        way: "web",
        body,
        said: None,
        solved: None,
        rating: None,
        at: *when,
    })
}

/// The check that the former system's closing is taken for.
fn check<'r>(ctx: &Ctx, ready: &'r Ready) -> Option<store::NewVerification<'r>> {
    let (_, when) = ready.answer.as_ref()?;
    ready.row.verified_by.filter(|by| by.account == FORMER_CHECK)?;
    Some(store::NewVerification {
        id: ctx.app.new_id(),
        case: ready.row.id,
        by: None,
        by_name: FORMER_UNIT,
        pass: true,
        note: HISTORY,
        at: *when,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_row_is_the_same_case_and_ids_follow_time() {
        let early = past_id("letters", "1", Timestamp(1_000_000));
        assert_eq!(early, past_id("letters", "1", Timestamp(1_000_000)));
        assert_ne!(early, past_id("letters", "2", Timestamp(1_000_000)));
        assert_ne!(early, past_id("letter", "s1", Timestamp(1_000_000)));
        assert!(early < past_id("letters", "0", Timestamp(2_000_000)));
    }
}
