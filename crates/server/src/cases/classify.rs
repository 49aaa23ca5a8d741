//! What kind of matter is it: the site's own model, or the pack's keywords before there is one; and the words that need a person.
//!
//! Entry points: [`assess`] for a text, [`retrain`] by the nightly job. Machines suggest: automatic only above the pack's threshold, never
//! for what reads as urgent or as another service's matter (ZS-07). Both sources give a confidence that was measured: keywords by the
//! constants in [`learn::Keywords::predict`], a model on messages held out, and only when it learned from [`learn::MIN_SAMPLES`]. Must not:
//! refuse anything.

use super::place::Rules;
use super::record::CaseRow;
use super::store;
use crate::platform::jobs::{Effect, Outcome};
use crate::platform::*;
use domain::policy::{Redirect, UrgentHint};
use domain::time::Timestamp;
use learn::{Classifier, Keywords, Model};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What is kept in memory: the classifier, which pack and model it was made from, and when that was last looked at.
#[derive(Default)]
struct InForce(RwLock<Option<Kept>>);

struct Kept {
    pack: String,
    model: Option<String>,
    looked_at: Timestamp,
    reader: Arc<Reader>,
}

/// A classifier, and what it said of cases that were opened: the same case is looked at by many people, many times.
struct Reader {
    classifier: Classifier,
    cases: Mutex<HashMap<CaseId, Vec<Guess>>>,
}

/// Cases whose guesses are kept at most.
const CASES_KEPT: usize = 4_096;

/// A model another process trained is noticed after so long.
const LOOK_MS: i64 = 1_000;

/// A suggested category.
#[derive(Debug, Clone)]
pub struct Guess {
    pub code: String,
    pub confidence: f64,
    /// The words that decided.
    pub reasons: Vec<String>,
}

/// What a text says about itself.
#[derive(Debug, Clone)]
pub struct Assessment<'r> {
    /// Best first, at most two.
    pub guesses: Vec<Guess>,
    /// `model` or `keyword`.
    pub source: &'static str,
    /// Sure enough, by the pack, to go on without a person.
    pub auto: bool,
    pub urgent: Option<&'r UrgentHint>,
    pub redirect: Option<&'r Redirect>,
}

/// What the text of a case suggests: a case's text never changes.
pub fn guesses_of(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow) -> Result<Vec<Guess>, Fault> {
    let reader = reader(ctx, tx, rules)?;
    let cases = || reader.cases.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = cases().get(&row.id) {
        return Ok(known.clone());
    }
    let (guesses, _) = reader.guesses(rules, &text_of(&row.title, &row.body));
    let mut cases = cases();
    if cases.len() >= CASES_KEPT {
        cases.clear();
    }
    cases.insert(row.id, guesses.clone());
    Ok(guesses)
}

fn text_of(title: &str, body: &str) -> String {
    format!("{title}\n{body}")
}

impl Reader {
    fn guesses(&self, rules: &Rules, text: &str) -> (Vec<Guess>, learn::Source) {
        let (prediction, source) = self.classifier.predict(text);
        let reasons: Vec<String> = prediction.reasons.iter().map(|r| r.text.clone()).collect();
        let known = |guess: &learn::Guess| rules.pack.category(&guess.label).is_some();
        let guesses = [prediction.best, prediction.second]
            .into_iter()
            .flatten()
            .filter(known)
            .enumerate()
            .map(|(nth, guess)| Guess {
                code: guess.label,
                confidence: f64::from(guess.confidence),
                reasons: if nth == 0 { reasons.clone() } else { Vec::new() },
            });
        (guesses.collect(), source)
    }
}

/// Reads a text.
pub fn assess<'r>(ctx: &Ctx, tx: &mut Tx, rules: &'r Rules, title: &str, body: &str) -> Result<Assessment<'r>, Fault> {
    let text = text_of(title, body);
    let (guesses, source) = reader(ctx, tx, rules)?.guesses(rules, &text);
    let sure = guesses
        .first()
        .is_some_and(|best| best.confidence >= rules.pack.thresholds.auto_classify.value);
    let (urgent, redirect) = (rules.pack.urgent_hint_for(&text), rules.pack.redirect_for(&text));
    Ok(Assessment {
        auto: sure && urgent.is_none() && redirect.is_none(),
        guesses,
        source: if source == learn::Source::Model {
            "model"
        } else {
            "keyword"
        },
        urgent,
        redirect,
    })
}

/// The classifier in force; made anew when the pack or the model changed.
fn reader(ctx: &Ctx, tx: &mut Tx, rules: &Rules) -> Result<Arc<Reader>, Fault> {
    let in_force = ctx.app.part::<InForce>();
    let same_pack = |kept: &&Kept| kept.pack == rules.version;
    if let Some(kept) = in_force
        .0
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .filter(same_pack)
        && (kept.looked_at..kept.looked_at.plus_ms(LOOK_MS)).contains(&ctx.now)
    {
        return Ok(kept.reader.clone());
    }
    let newest = store::newest_model(tx)?;
    let mut kept = in_force.0.write().unwrap_or_else(PoisonError::into_inner);
    let reader = match kept.as_ref().filter(same_pack).filter(|kept| kept.model == newest) {
        Some(kept) => kept.reader.clone(),
        None => Arc::new(Reader {
            classifier: Classifier {
                keywords: keywords(rules)?,
                model: match &newest {
                    Some(id) => Some(Model::from_bytes(&store::model_bytes(tx, id)?).map_err(Fault::internal)?),
                    None => None,
                },
            },
            cases: Mutex::default(),
        }),
    };
    *kept = Some(Kept {
        pack: rules.version.clone(),
        model: newest,
        looked_at: ctx.now,
        reader: reader.clone(),
    });
    Ok(reader)
}

/// The pack's words, each with the weight the constants of [`learn::Keywords`] were fitted for: half its characters.
fn keywords(rules: &Rules) -> Result<Keywords, Fault> {
    let leaves = rules.pack.categories.iter().filter(|c| c.leaf);
    let lists: Vec<(&str, Vec<(&str, f32)>)> = leaves
        .map(|c| {
            let words = c.keywords.iter().map(|w| (w.as_str(), w.chars().count() as f32 / 2.0));
            (c.code.as_str(), words.collect())
        })
        .collect();
    let pack: Vec<(&str, &[(&str, f32)])> = lists.iter().map(|(code, words)| (*code, words.as_slice())).collect();
    Keywords::new(&pack).map_err(Fault::internal)
}

/// Messages learned from at most, the newest.
const MAX_SAMPLES: i64 = 50_000;

/// Learns again from what people decided, corrected and closed cases: reads, works outside of any transaction, and hands back the short
/// write that puts the new model into force. Too little to learn from yet: nothing is written.
pub async fn retrain(ctx: Ctx) -> Result<Effect, Fault> {
    let samples = ctx
        .app
        .read(&ctx, |_, tx| store::training_samples(tx, MAX_SAMPLES))
        .await?;
    let learned = tokio::task::spawn_blocking(move || learn_from(&samples));
    let learned = learned.await.map_err(Fault::internal)?;
    Ok(Box::new(move |ctx, tx| {
        if let Some((samples, bytes)) = learned {
            let id: JobId = ctx.app.new_id();
            store::insert_model(tx, &id.to_string(), ctx.now, samples, &bytes)?;
            let in_force = ctx.app.part::<InForce>();
            tx.on_commit(move || *in_force.0.write().unwrap_or_else(PoisonError::into_inner) = None);
            let body = serde_json::json!({ "model": id.to_string(), "samples": samples });
            tx.record(ctx, Mark::new("classifier.trained", Subject::System, body))?;
        }
        Ok(Outcome::Done)
    }))
}

/// How many messages were learned from, and the model's bytes.
fn learn_from(samples: &[(String, String)]) -> Option<(usize, Vec<u8>)> {
    let pairs: Vec<(&str, &str)> = samples
        .iter()
        .map(|(text, category)| (text.as_str(), category.as_str()))
        .collect();
    let model = learn::train(&pairs, learn::Options::default()).ok()?;
    Some((pairs.len(), model.to_bytes()))
}
