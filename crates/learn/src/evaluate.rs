//! How good would a model from these messages be? Each message is judged by a model that has not seen it.

use crate::dedup::deduplicate;
use crate::predict::top_two;
use crate::text::{characters, counts, grams};
use crate::train::{Counts, MAX_SAMPLES, Options, TrainError, assign_folds, train_counts};

/// Most folds.
pub const MAX_FOLDS: usize = 20;
const BINS: usize = 10;

/// What was measured. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Messages measured, after equal ones were dropped (rule: [`crate::deduplicate`]).
    pub samples: usize,
    pub duplicates: usize,
    /// Of the duplicates, those whose category differed from the one that counted.
    pub conflicting: usize,
    pub folds: usize,
    /// Mean of the categories' F1, each counting alike.
    pub macro_f1: f64,
    pub accuracy: f64,
    /// Accuracy among the surest 80 % of the messages, and 60 %.
    pub surest_80: f64,
    pub surest_60: f64,
    /// Share whose right category was among the first two.
    pub top_two: f64,
    /// Categories, sorted by name.
    pub classes: Vec<ClassScore>,
    /// `confusion[right][suggested]`, in the order of `classes`.
    pub confusion: Vec<Vec<u32>>,
    /// Confidence against what was right, in tenths of confidence; empty tenths are left out.
    pub calibration: Vec<ReliabilityBin>,
    /// Expected calibration error: mean distance of confidence and accuracy over the tenths, weighted by messages.
    pub calibration_error: f64,
}

/// How one category did.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    pub label: String,
    pub support: u32,
    /// 0 where nothing was suggested.
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// Messages whose best guess had a confidence in `from..to`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityBin {
    pub from: f64,
    pub to: f64,
    pub count: u32,
    pub mean_confidence: f64,
    pub accuracy: f64,
}

/// Why nothing could be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    #[error("folds must be 2 to {MAX_FOLDS}, not {0}")]
    Folds(usize),
    #[error("{samples} different messages are too few for {folds} folds")]
    TooFew { samples: usize, folds: usize },
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// One message's outcome.
struct Outcome {
    right: usize,
    best: usize,
    second: usize,
    confidence: f32,
}

/// Drops equal messages, deals the rest over stratified folds by `seed`, and judges each fold by a model of the others.
pub fn evaluate(samples: &[(&str, &str)], folds: usize, seed: u64) -> Result<Report, EvaluateError> {
    if !(2..=MAX_FOLDS).contains(&folds) {
        return Err(EvaluateError::Folds(folds));
    }
    if samples.len() > MAX_SAMPLES {
        return Err(TrainError::TooManySamples(samples.len()).into());
    }
    let distinct = deduplicate(samples);
    let kept: Vec<(&str, &str)> = distinct.kept.iter().map(|&i| samples[i]).collect();
    if kept.len() < folds {
        return Err(EvaluateError::TooFew {
            samples: kept.len(),
            folds,
        });
    }
    let mut names: Vec<&str> = kept.iter().map(|(_, label)| *label).collect();
    names.sort_unstable();
    names.dedup();
    let classes: Vec<u32> = kept
        .iter()
        .map(|(_, label)| names.binary_search(label).expect("names hold every label") as u32)
        .collect();
    let messages: Vec<Counts> = kept.iter().map(|(text, _)| counts(&grams(&characters(text)))).collect();
    let fold_of = assign_folds(&classes, names.len(), folds, seed);
    let mut outcomes = Vec::with_capacity(kept.len());
    for fold in 0..folds {
        let others: Vec<usize> = (0..kept.len()).filter(|&i| fold_of[i] != fold).collect();
        let learned: Vec<&Counts> = others.iter().map(|&i| &messages[i]).collect();
        let labels: Vec<&str> = others.iter().map(|&i| kept[i].1).collect();
        let model = train_counts(&learned, &labels, Options { seed })?;
        // A category that is wholly in this fold is unknown to the model: it can only be missed.
        let known: Vec<usize> = model
            .categories()
            .map(|(label, _)| names.binary_search(&label).expect("the model knows no other labels"))
            .collect();
        for i in (0..kept.len()).filter(|&i| fold_of[i] == fold) {
            let shares = model.shares(&messages[i]);
            let (best, second) = top_two(&shares);
            let confidence = shares[best];
            outcomes.push(Outcome {
                right: classes[i] as usize,
                best: known[best],
                second: known[second],
                confidence,
            });
        }
    }
    Ok(report(outcomes, &names, folds, distinct.dropped, distinct.conflicting))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn accuracy(outcomes: &[Outcome]) -> f64 {
    share(outcomes.iter().filter(|o| o.right == o.best).count(), outcomes.len())
}

fn report(mut outcomes: Vec<Outcome>, names: &[&str], folds: usize, duplicates: usize, conflicting: usize) -> Report {
    let mut confusion = vec![vec![0u32; names.len()]; names.len()];
    outcomes.iter().for_each(|o| confusion[o.right][o.best] += 1);
    let classes: Vec<ClassScore> = names
        .iter()
        .enumerate()
        .map(|(k, name)| class_score(name, k, &confusion))
        .collect();
    outcomes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let calibration = calibration(&outcomes);
    let gaps = calibration
        .iter()
        .map(|bin| (bin.mean_confidence - bin.accuracy).abs() * f64::from(bin.count));
    let samples = outcomes.len();
    Report {
        samples,
        duplicates,
        conflicting,
        folds,
        macro_f1: classes.iter().map(|class| class.f1).sum::<f64>() / classes.len() as f64,
        accuracy: accuracy(&outcomes),
        surest_80: accuracy(&outcomes[..samples * 8 / 10]),
        surest_60: accuracy(&outcomes[..samples * 6 / 10]),
        top_two: share(
            outcomes
                .iter()
                .filter(|o| o.right == o.best || o.right == o.second)
                .count(),
            samples,
        ),
        calibration_error: gaps.sum::<f64>() / samples as f64,
        classes,
        confusion,
        calibration,
    }
}

fn class_score(label: &str, k: usize, confusion: &[Vec<u32>]) -> ClassScore {
    let hits = confusion[k][k] as usize;
    let support: u32 = confusion[k].iter().sum();
    let suggested: u32 = confusion.iter().map(|row| row[k]).sum();
    ClassScore {
        label: label.to_string(),
        support,
        precision: share(hits, suggested as usize),
        recall: share(hits, support as usize),
        f1: share(2 * hits, (support + suggested) as usize),
    }
}

fn calibration(outcomes: &[Outcome]) -> Vec<ReliabilityBin> {
    let bin_of = |o: &Outcome| ((o.confidence * BINS as f32) as usize).min(BINS - 1);
    let mut out = vec![];
    for b in 0..BINS {
        let inside: Vec<&Outcome> = outcomes.iter().filter(|o| bin_of(o) == b).collect();
        if !inside.is_empty() {
            out.push(ReliabilityBin {
                from: b as f64 / BINS as f64,
                to: (b + 1) as f64 / BINS as f64,
                count: inside.len() as u32,
                mean_confidence: inside.iter().map(|o| f64::from(o.confidence)).sum::<f64>() / inside.len() as f64,
                accuracy: share(inside.iter().filter(|o| o.right == o.best).count(), inside.len()),
            });
        }
    }
    out
}
