//! Training: labelled messages in, a [`Model`] out. Same input, same bytes.
//!
//! The constants were chosen on two thirds of a set of 7,161 real messages (five folds inside that part), then measured
//! on the whole. Nothing is tuned at training time except the sharpness of the confidences, on messages held out.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::calibrate::sharpness;
use crate::dedup::deduplicate;
use crate::model::{Model, Vocabulary};
use crate::rng::Rng;
use crate::svm::{self, Row};
use crate::text::{characters, counts, grams};

/// Most messages one training takes; beyond it the caller passes the newest.
pub const MAX_SAMPLES: usize = 200_000;
/// Most categories one model tells apart.
pub const MAX_CATEGORIES: usize = 1_000;
/// Longest category name, in bytes of UTF-8.
pub const MAX_LABEL_BYTES: usize = 200;
/// Features kept, the most frequent first: with seven categories a model of this size takes 3.6 MB.
const MAX_FEATURES: usize = 300_000;
/// Bounds memory where categories are many: features times categories.
const MAX_CELLS: usize = 16_000_000;
/// A feature of a single message says nothing of the next one, and could be a person's name.
const MIN_MESSAGES: u32 = 2;
/// One in this many messages is held out to calibrate, then learned from like the others.
pub(crate) const HELD_OUT: usize = 4;

/// What the caller may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Decides the order in which messages are looked at.
    pub seed: u64,
}

/// Why no model could be trained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    #[error("no messages to learn from")]
    NoSamples,
    #[error("{0} messages are more than the {MAX_SAMPLES} one training takes")]
    TooManySamples(usize),
    #[error("at least two categories are needed, all messages are in one")]
    OneCategory,
    #[error("{0} categories are more than {MAX_CATEGORIES}")]
    TooManyCategories(usize),
    #[error("message {0} (counted from 0) has no category, or one longer than {MAX_LABEL_BYTES} bytes")]
    BadLabel(usize),
    #[error("no sequence of characters occurs in two messages: too few messages to learn from")]
    NothingInCommon,
}

/// Feature counts of one message, sorted by key.
pub(crate) type Counts = Vec<(u32, u32)>;

/// Learns from (text, category) pairs, in the order they were decided: of equal messages the last counts.
pub fn train(samples: &[(&str, &str)], options: Options) -> Result<Model, TrainError> {
    if samples.len() > MAX_SAMPLES {
        return Err(TrainError::TooManySamples(samples.len()));
    }
    if let Some(bad) = samples
        .iter()
        .position(|(_, label)| label.is_empty() || label.len() > MAX_LABEL_BYTES)
    {
        return Err(TrainError::BadLabel(bad));
    }
    let kept: Vec<(&str, &str)> = deduplicate(samples).kept.into_iter().map(|i| samples[i]).collect();
    let messages: Vec<Counts> = kept.iter().map(|(text, _)| counts(&grams(&characters(text)))).collect();
    let labels: Vec<&str> = kept.iter().map(|(_, label)| *label).collect();
    train_counts(&messages.iter().collect::<Vec<_>>(), &labels, options)
}

/// As [`train`], on messages already counted and without equals.
pub(crate) fn train_counts(messages: &[&Counts], labels: &[&str], options: Options) -> Result<Model, TrainError> {
    let mut names: Vec<&str> = labels.to_vec();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 => return Err(TrainError::NoSamples),
        1 => return Err(TrainError::OneCategory),
        many if many > MAX_CATEGORIES => return Err(TrainError::TooManyCategories(many)),
        _ => {}
    }
    let classes: Vec<u32> = labels
        .iter()
        .map(|label| names.binary_search(label).expect("names hold every label") as u32)
        .collect();
    let mut model = fit(messages, &classes, &names, options.seed)?;
    model.sharpness = held_out_sharpness(messages, &classes, &names, options.seed);
    Ok(model)
}

/// Learns from three quarters, looks at the scores of the last quarter. Too little to do so: the usual sharpness.
fn held_out_sharpness(messages: &[&Counts], classes: &[u32], names: &[&str], seed: u64) -> f32 {
    let folds = assign_folds(classes, names.len(), HELD_OUT, seed);
    let (mut learned, mut learned_classes, mut held, mut held_classes) = (vec![], vec![], vec![], vec![]);
    for ((message, &class), fold) in messages.iter().zip(classes).zip(folds) {
        if fold == 0 {
            held.push(*message);
            held_classes.push(class);
        } else {
            learned.push(*message);
            learned_classes.push(class);
        }
    }
    match fit(&learned, &learned_classes, names, seed) {
        Ok(model) => sharpness(&held.iter().map(|m| model.scores(m)).collect::<Vec<_>>(), &held_classes),
        Err(_) => sharpness(&[], &[]),
    }
}

/// Deals the messages of each category, shuffled, over the folds in turn: every fold gets its share of every category.
pub(crate) fn assign_folds(classes: &[u32], categories: usize, folds: usize, seed: u64) -> Vec<usize> {
    let mut by_class: Vec<Vec<usize>> = vec![vec![]; categories];
    classes
        .iter()
        .enumerate()
        .for_each(|(i, &class)| by_class[class as usize].push(i));
    let mut rng = Rng::new(seed);
    let mut out = vec![0; classes.len()];
    let mut next = 0;
    for members in &mut by_class {
        rng.shuffle(members);
        for &mut member in members {
            out[member] = next % folds;
            next += 1;
        }
    }
    out
}

fn fit(messages: &[&Counts], classes: &[u32], names: &[&str], seed: u64) -> Result<Model, TrainError> {
    let vocabulary = vocabulary(messages, names.len())?;
    let rows: Vec<Row> = messages.iter().map(|message| vocabulary.row(message)).collect();
    let linear = svm::fit(&rows, classes, vocabulary.len(), names.len(), seed);
    let mut sizes = vec![0u32; names.len()];
    classes.iter().for_each(|&class| sizes[class as usize] += 1);
    let labels = names.iter().map(ToString::to_string).collect();
    Ok(Model::quantise(labels, sizes, vocabulary, &linear))
}

fn vocabulary(messages: &[&Counts], categories: usize) -> Result<Vocabulary, TrainError> {
    let mut frequency: HashMap<u32, u32, BuildHasherDefault<Spread>> = HashMap::default();
    for message in messages {
        for &(key, _) in *message {
            *frequency.entry(key).or_insert(0) += 1;
        }
    }
    let mut found: Vec<(u32, u32)> = frequency
        .into_iter()
        .filter(|&(_, in_messages)| in_messages >= MIN_MESSAGES)
        .collect();
    if found.is_empty() {
        return Err(TrainError::NothingInCommon);
    }
    found.sort_unstable_by_key(|&(key, in_messages)| (std::cmp::Reverse(in_messages), key));
    found.truncate(MAX_FEATURES.min(MAX_CELLS / categories));
    found.sort_unstable();
    Ok(Vocabulary::new(&found, messages.len()))
}

/// Keys are hashes already: one multiplication spreads them for the table.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(u32::from(byte)));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(crate::rng::GOLDEN);
    }
}
