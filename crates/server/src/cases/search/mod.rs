//! Search over cases in Chinese: every case that holds the words, newest first, within scope, the same on both databases.
//!
//! Entry points: [`put`] and [`touch`] in the transaction that changes a case, [`find`], and [`register`] for the job.
//!
//! How a case becomes findable: its text waits in `search_pending`, in the transaction that wrote it, and is found there at once.
//! The job gives it the next number in `search_doc` ([`digest`]); the newest documents (the tail, fewer than [`postings::SEGMENT`])
//! are kept in memory and looked through one by one; each full segment gets postings by character and pair of neighbours ([`seal`]).
//! Postings only narrow down: each candidate's text is read and compared and its scope asked from the same predicate as every list,
//! so a stale posting costs time, never a wrong answer. No dictionary words: those miss a tenth of names.
//!
//! Must not: decide who may see a case (that is `Scope`), or keep personal data of reporters.

mod postings;
mod store;

use crate::platform::app::App;
use crate::platform::ctx::Ctx;
use crate::platform::fault::Fault;
use crate::platform::ids::CaseId;
use crate::platform::jobs::{self, Effect, Handler, Outcome};
use crate::platform::scope::Permission;
use crate::platform::tx::Tx;
use axum::http::StatusCode;
use db::Sql;
use domain::text::{normalise, pinyin_of};
use postings::{FIELD_END, Places, SEGMENT};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The job that numbers what waits and seals what is full.
const JOB: &str = "cases.search";
/// There is one.
const JOB_KEY: &str = "index";
/// Texts gather for this long before the job begins; they are found meanwhile, one by one.
const GATHER_MS: i64 = 500;

/// Words of one query.
const MAX_WORDS: usize = 8;
/// Characters of one query.
pub const MAX_QUERY_CHARS: usize = 40;
/// Grams looked up for one query; the rest is left to the comparison of the text.
const MAX_GRAMS: usize = 8;
/// Characters of a case's text that can be found.
const MAX_TEXT_CHARS: usize = 20_000;
/// Candidates whose text is read in one statement.
const CANDIDATES: usize = 64;
/// Segments whose postings are read in one statement.
const SEGMENTS: i64 = 8;
/// Texts given a number in one transaction of the job.
const DIGEST: i64 = 500;

/// What of a case can be found.
pub struct SearchText<'a> {
    /// The case's number.
    pub number: &'a str,
    /// Its title; also found by pinyin and initials.
    pub title: &'a str,
    /// What was said, in every report.
    pub body: &'a str,
    /// Where; also found by pinyin and initials.
    pub address: &'a str,
    /// Full name of the area; also found by pinyin and initials.
    pub area: &'a str,
}

impl SearchText<'_> {
    /// As it is kept: normalised, with pinyin, each field ended.
    pub fn joined(&self) -> String {
        let mut text = String::new();
        for field in [self.number, self.title, self.body, self.address, self.area] {
            push_field(&mut text, &normalise(field));
        }
        for field in [self.title, self.address, self.area] {
            let (pinyin, initials) = pinyin_of(field);
            push_field(&mut text, &pinyin);
            push_field(&mut text, &initials);
        }
        text.chars().take(MAX_TEXT_CHARS).collect()
    }
}

/// A text as [`SearchText::joined`] gives it, of a case that had no number yet.
pub fn with_number(number: &str, text: &str) -> String {
    let mut all = String::with_capacity(number.len() + text.len() + FIELD_END.len_utf8());
    push_field(&mut all, &normalise(number));
    all + text
}

fn push_field(text: &mut String, field: &str) {
    if !field.is_empty() {
        text.push_str(field);
        text.push(FIELD_END);
    }
}

/// Makes a new or changed text findable; in the transaction that writes the case.
pub fn put(ctx: &Ctx, tx: &mut Tx, case: CaseId, text: &SearchText) -> Result<(), Fault> {
    put_all(ctx, tx, [(case, text.joined())])
}

/// As [`put`], for many cases; the texts as [`SearchText::joined`] gives them.
pub fn put_all(ctx: &Ctx, tx: &mut Tx, texts: impl IntoIterator<Item = (CaseId, String)>) -> Result<(), Fault> {
    store::put_pending(tx, texts)?;
    call_job(ctx, tx)
}

/// Tells that a case came to another area or unit, or that a unit joined; in the transaction that does so.
pub fn touch(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    store::touch_pending(tx, case)?;
    call_job(ctx, tx)
}

/// Makes the job that numbers what waits known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, JOB, Handler::Long(|ctx, _| Box::pin(index(ctx))));
}

/// Whether the job has been called since it last began, by this process: a busy intake need not call it for each case.
#[derive(Default)]
struct Called(AtomicBool);

fn call_job(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    let called = ctx.app.part::<Called>();
    if called.0.load(Ordering::Acquire) {
        return Ok(());
    }
    jobs::enqueue(ctx, tx, JOB, JOB_KEY, ctx.now.plus_ms(GATHER_MS), &Value::Null)?;
    tx.on_commit(move || called.0.store(true, Ordering::Release));
    Ok(())
}

async fn index(ctx: Ctx) -> Result<Effect, Fault> {
    ctx.app.part::<Called>().0.store(false, Ordering::Release);
    while round(&ctx.app).await? {}
    // What came meanwhile and did not call, because it saw the old call, is seen here.
    Ok(Box::new(|ctx, tx| {
        let more = store::any_pending(tx)?;
        Ok(if more {
            Outcome::Again(ctx.now.plus_ms(GATHER_MS))
        } else {
            Outcome::Done
        })
    }))
}

/// One page of what was found, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Cases in scope that hold every word.
    pub cases: Vec<CaseId>,
    /// Where the next page begins, if there is one.
    pub next: Option<After>,
}

/// Where a page ended: a document's number, and while its text still waits for one, [`WAITING`] and the case.
pub type After = (i64, CaseId);

/// Stands for the number of a text that waits: newer than all that have one.
const WAITING: i64 = i64::MAX;

/// Cases that hold every word of `query` (words are separated by blanks), in scope and within `only`, newest first. `only` adds
/// conditions on the case `c`, each beginning with `and`. `after` is a page's `next`.
///
/// Errors: `query_empty`, `query_too_long` (more than [`MAX_QUERY_CHARS`] characters).
pub fn find(
    ctx: &Ctx,
    tx: &mut Tx,
    query: &str,
    only: &dyn Fn(Sql) -> Sql,
    after: Option<After>,
    limit: usize,
) -> Result<Found, Fault> {
    let asked = Asked {
        words: words_of(query)?,
        only,
    };
    let wanted = limit + 1;
    let mut found: Vec<After> = Vec::new();
    let (top, last) = match after {
        Some((seq, case)) => (seq, Some(case)),
        None => (WAITING, None),
    };
    if top == WAITING {
        let waiting = store::pending(ctx, tx, &asked, last)?;
        found.extend(waiting.into_iter().map(|case| (WAITING, case)));
    }
    let state = store::state(tx)?;
    let tail_start = state.sealed * SEGMENT as i64;
    let tail = Tail::of(&ctx.app);
    let candidates = tail.holding(tx, tail_start, state.next_seq, &asked.words)?;
    let older = candidates.into_iter().filter(|seq| *seq < top);
    verify(ctx, tx, &asked, older, &mut found, wanted)?;
    let mut segment = state.sealed.min(top / SEGMENT as i64 + 1);
    let needed = Needed::of(ctx, &asked.words);
    while segment > 0 && found.len() < wanted {
        let from = (segment - SEGMENTS).max(0);
        let candidates = needed.candidates(tx, from, segment)?;
        let older = candidates.into_iter().filter(|seq| *seq < top);
        verify(ctx, tx, &asked, older, &mut found, wanted)?;
        segment = from;
    }
    let next = if found.len() > limit {
        found.get(limit.wrapping_sub(1)).copied()
    } else {
        None
    };
    found.truncate(limit);
    Ok(Found {
        cases: found.into_iter().map(|(_, case)| case).collect(),
        next,
    })
}

/// What is looked for.
pub(super) struct Asked<'a> {
    words: Vec<String>,
    only: &'a dyn Fn(Sql) -> Sql,
}

fn words_of(query: &str) -> Result<Vec<String>, Fault> {
    let refuse = |code| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, code).field("q");
    let query = normalise(query);
    if query.is_empty() {
        return Err(refuse("query_empty"));
    }
    if query.chars().count() > MAX_QUERY_CHARS {
        return Err(refuse("query_too_long"));
    }
    Ok(query.split(' ').take(MAX_WORDS).map(str::to_owned).collect())
}

/// Reads candidates, keeps those that really hold the words and are in scope, until enough are found.
fn verify(
    ctx: &Ctx,
    tx: &mut Tx,
    asked: &Asked,
    candidates: impl Iterator<Item = i64>,
    found: &mut Vec<After>,
    wanted: usize,
) -> Result<(), Fault> {
    let mut candidates = candidates.peekable();
    while found.len() < wanted && candidates.peek().is_some() {
        let batch: Vec<i64> = candidates.by_ref().take(CANDIDATES).collect();
        for doc in store::docs_in_scope(ctx, tx, asked, &batch)? {
            // A case whose newer text waits may have been found by that already.
            let known = found.iter().any(|(_, case)| *case == doc.case);
            if !known && holds(&doc.text, &asked.words) {
                found.push((doc.seq, doc.case));
            }
        }
    }
    Ok(())
}

fn holds(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

/// The grams and the places of scope that a query needs from the postings.
struct Needed {
    grams: Vec<postings::Gram>,
    /// Tokens of which one must be there; none when the whole jurisdiction is in scope.
    tokens: Option<Vec<String>>,
}

impl Needed {
    fn of(ctx: &Ctx, words: &[String]) -> Needed {
        let mut grams: Vec<postings::Gram> = words.iter().flat_map(|word| postings::word_grams(word)).collect();
        grams.sort_unstable();
        grams.dedup();
        // Taken evenly over the query, so that one frequent beginning does not decide alone.
        let step = grams.len().div_ceil(MAX_GRAMS).max(1);
        let grams = grams.into_iter().step_by(step).collect();
        let mut tokens = Some(Vec::new());
        for grant in ctx.scope.with(Permission::CaseRead) {
            match (&mut tokens, grant.unit, grant.area) {
                (Some(list), Some(unit), _) => list.push(store::unit_token(unit)),
                (Some(list), None, Some(area)) => list.push(store::area_token(area)),
                _ => tokens = None,
            }
        }
        Needed { grams, tokens }
    }

    /// Numbers of documents in segments `from..to` that may match, newest first.
    fn candidates(&self, tx: &mut Tx, from: i64, to: i64) -> Result<Vec<i64>, Fault> {
        let mut left: std::collections::BTreeMap<i64, Places> = std::collections::BTreeMap::new();
        if let Some(tokens) = &self.tokens {
            for token in tokens {
                for (segment, body) in store::postings(tx, token, from, to)? {
                    let places = postings::decode(&body);
                    left.entry(segment)
                        .and_modify(|known| *known = postings::either(known, &places))
                        .or_insert(places);
                }
            }
        }
        for (number, (lead, second)) in self.grams.iter().enumerate() {
            if left.is_empty() && (number > 0 || self.tokens.is_some()) {
                break;
            }
            let mut kept = std::collections::BTreeMap::new();
            for (segment, body) in store::postings(tx, lead.encode_utf8(&mut [0; 4]), from, to)? {
                let places = postings::places(&body, *second);
                let places = match left.get(&segment) {
                    Some(known) => postings::both(known, &places),
                    None if number == 0 && self.tokens.is_none() => places,
                    None => continue,
                };
                if !places.is_empty() {
                    kept.insert(segment, places);
                }
            }
            left = kept;
        }
        let numbers = left.into_iter().rev().flat_map(|(segment, places)| {
            places
                .into_iter()
                .rev()
                .map(move |place| segment * SEGMENT as i64 + i64::from(place))
        });
        Ok(numbers.collect())
    }
}

/// The newest documents, not yet in a segment, held in memory. Filled from the database when somebody searches.
#[derive(Default)]
struct Tail(Mutex<TailTexts>);

#[derive(Default)]
struct TailTexts {
    /// Number of the next document to read.
    next: i64,
    /// Ascending by number.
    texts: Vec<(i64, String)>,
}

impl Tail {
    fn of(app: &App) -> Arc<Tail> {
        app.part::<Tail>()
    }

    /// Numbers of tail documents that hold every word, newest first.
    fn holding(&self, tx: &mut Tx, start: i64, end: i64, words: &[String]) -> Result<Vec<i64>, Fault> {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.texts.retain(|(seq, _)| *seq >= start);
        tail.next = tail.next.max(start);
        if tail.next < end {
            let read = store::texts(tx, tail.next, end)?;
            tail.texts.extend(read);
            tail.next = end;
        }
        Ok(tail
            .texts
            .iter()
            .rev()
            .filter(|(_, text)| holds(text, words))
            .map(|(seq, _)| *seq)
            .collect())
    }
}

/// Gives waiting texts their numbers, oldest first, and carries changes of scope into sealed segments; how many were dealt with.
/// One job at a time.
fn digest(tx: &mut Tx, limit: i64) -> Result<usize, Fault> {
    let waiting = store::take_pending(tx, limit)?;
    let mut state = store::state(tx)?;
    let count = waiting.len();
    for (case, text) in waiting {
        match text {
            Some(text) => {
                store::replace_doc(tx, state.next_seq, case, &text)?;
                state.next_seq += 1;
            }
            None => add_tokens(tx, case, state.sealed)?,
        }
    }
    store::set_state(tx, state)?;
    Ok(count)
}

/// Puts a sealed document under the places it belongs to now. Where it belonged before it stays listed: scope is asked again anyway.
fn add_tokens(tx: &mut Tx, case: CaseId, sealed: i64) -> Result<(), Fault> {
    let Some(seq) = store::seq_of(tx, case)? else {
        return Ok(());
    };
    let (segment, place) = (seq / SEGMENT as i64, (seq % SEGMENT as i64) as u16);
    if segment >= sealed {
        return Ok(());
    }
    for token in store::tokens(tx, case)? {
        let known = store::postings(tx, &token, segment, segment + 1)?.pop();
        let places = postings::either(
            &known.map(|(_, body)| postings::decode(&body)).unwrap_or_default(),
            &[place],
        );
        store::put_posting(tx, &token, segment, &postings::encode(&places))?;
    }
    Ok(())
}

/// The postings of a full segment, not yet saved.
struct Sealing {
    segment: i64,
    rows: Vec<(String, Vec<u8>)>,
}

/// Computes the next full segment, if there is one. Reads only, so that writers need not wait for it; save with [`seal`].
fn prepare_seal(tx: &mut Tx) -> Result<Option<Sealing>, Fault> {
    let state = store::state(tx)?;
    let start = state.sealed * SEGMENT as i64;
    if state.next_seq - start < SEGMENT as i64 {
        return Ok(None);
    }
    let mut builder = postings::Builder::default();
    for (seq, text) in store::texts(tx, start, start + SEGMENT as i64)? {
        builder.add((seq - start) as u16, &text);
    }
    let mut tokens: std::collections::BTreeMap<String, Places> = std::collections::BTreeMap::new();
    for (seq, token) in store::tokens_between(tx, start, start + SEGMENT as i64)? {
        tokens.entry(token).or_default().push((seq - start) as u16);
    }
    let mut rows: Vec<(String, Vec<u8>)> = builder.finish().map(|(lead, blob)| (lead.to_string(), blob)).collect();
    rows.extend(
        tokens
            .into_iter()
            .map(|(token, places)| (token, postings::encode(&postings::either(&places, &[])))),
    );
    rows.sort_unstable();
    Ok(Some(Sealing {
        segment: state.sealed,
        rows,
    }))
}

/// Saves a segment made by [`prepare_seal`].
fn seal(tx: &mut Tx, sealing: Sealing) -> Result<(), Fault> {
    let mut state = store::state(tx)?;
    if state.sealed != sealing.segment {
        return Ok(());
    }
    for (lead, body) in &sealing.rows {
        store::put_posting(tx, lead, sealing.segment, body)?;
    }
    state.sealed += 1;
    store::set_state(tx, state)
}

/// One round of the job: numbers what waits, seals what is full. Whether there was anything to do.
pub async fn round(app: &App) -> Result<bool, Fault> {
    let ctx = Ctx::system(app, "search");
    let count = app.write(&ctx, |_, tx| digest(tx, DIGEST)).await?;
    let Some(sealing) = app.read(&ctx, |_, tx| prepare_seal(tx)).await? else {
        return Ok(count > 0);
    };
    app.write(&ctx, |_, tx| seal(tx, sealing)).await?;
    Ok(true)
}
