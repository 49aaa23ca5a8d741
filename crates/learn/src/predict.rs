//! What category a message belongs to, and the words that decided.

use crate::calibrate::confidences;
use crate::model::Model;
use crate::svm::Row;
use crate::text::{Char, Gram, characters, grams};
use crate::train::{Counts, HELD_OUT};

/// Most reasons given.
pub const MAX_REASONS: usize = 5;
/// Characters that carry at least this share of the strongest one's weight are part of a reason.
const STRONG: f32 = 0.3;
/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 12;

/// The answer for one message. Without any known feature there is nothing to go on, and `best` is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prediction {
    pub best: Option<Guess>,
    pub second: Option<Guess>,
    /// What spoke for `best` against `second`, strongest first, at most [`MAX_REASONS`].
    pub reasons: Vec<Reason>,
}

/// A category and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    pub label: String,
    /// 0 to 1; of many messages at 0.9, about nine in ten are right (measured by [`crate::evaluate`]).
    pub confidence: f32,
}

/// A piece of the message, as it stands there.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub text: String,
    /// Its part of the lead of `best` over `second`; above 0, comparable within one prediction.
    pub weight: f32,
}

impl Model {
    /// Suggests a category. Any text is allowed; only its first 20,000 letters and characters are read.
    pub fn predict(&self, text: &str) -> Prediction {
        let chars = characters(text);
        let mut grams = grams(&chars);
        grams.sort_unstable_by_key(|gram| gram.key);
        let groups: Vec<&[Gram]> = grams.chunk_by(|a, b| a.key == b.key).collect();
        let message = groups.iter().map(|group| (group[0].key, group.len() as u32)).collect();
        let row = self.vocabulary.row(&message);
        if row.is_empty() {
            return Prediction::default();
        }
        let shares = self.shares_of_row(&row);
        let (best, second) = top_two(&shares);
        let guess = |k: usize| {
            Some(Guess {
                label: self.labels[k].clone(),
                confidence: shares[k],
            })
        };
        let weights = self.by_character(&row, &groups, chars.len(), best, second);
        Prediction {
            best: guess(best),
            second: guess(second),
            reasons: reasons(text, &chars, &weights),
        }
    }

    /// Calibrated on a few messages, nobody is certain: the rule of succession leaves `1 / (held out + 2)` of doubt,
    /// spread over all categories.
    fn shares_of_row(&self, row: &Row) -> Vec<f32> {
        let held_out = self.sizes.iter().map(|&size| size as f32).sum::<f32>() / HELD_OUT as f32;
        let doubt = 1.0 / (held_out + 2.0);
        let mut shares = confidences(&self.scores_of_row(row), self.sharpness);
        let even = doubt / shares.len() as f32;
        shares
            .iter_mut()
            .for_each(|share| *share = *share * (1.0 - doubt) + even);
        shares
    }

    /// The confidence of every category, in the order of [`Model::categories`].
    pub(crate) fn shares(&self, message: &Counts) -> Vec<f32> {
        self.shares_of_row(&self.vocabulary.row(message))
    }

    /// What each character adds to the lead of `best`: a feature's part, spread over the characters it covers.
    fn by_character(&self, row: &Row, groups: &[&[Gram]], chars: usize, best: usize, second: usize) -> Vec<f32> {
        let categories = self.labels.len();
        let mut out = vec![0f32; chars];
        // The row holds the known features in the order of the groups.
        let mut groups = groups.iter();
        for &(feature, value) in row {
            let key = self.vocabulary.key(feature);
            let Some(group) = groups.find(|group| group[0].key == key) else {
                break;
            };
            let weights = &self.weights[feature as usize * categories..][..categories];
            let of = |k: usize| f32::from(weights[k]) * self.scales[k];
            let lead = value * (of(best) - of(second)) / group.len() as f32;
            for gram in *group {
                let part = lead / gram.len as f32;
                out[gram.at as usize..][..gram.len as usize]
                    .iter_mut()
                    .for_each(|sum| *sum += part);
            }
        }
        out
    }
}

/// The two largest; the earlier category on a tie.
pub(crate) fn top_two(values: &[f32]) -> (usize, usize) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    (order[0], order[1])
}

/// Runs of strong characters, as they stand in the text; equal runs count together.
fn reasons(text: &str, chars: &[Char], weights: &[f32]) -> Vec<Reason> {
    let strongest = weights.iter().copied().fold(0.0, f32::max);
    let mut found: Vec<Reason> = vec![];
    let mut at = 0;
    while at < chars.len() {
        let strong = |i: usize| weights[i] > 0.0 && weights[i] >= STRONG * strongest;
        if !strong(at) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < chars.len() && end - at < MAX_REASON_CHARS && strong(end) && !chars[end].after_blank {
            end += 1;
        }
        let weight = weights[at..end].iter().sum();
        let piece = &text[chars[at].start as usize..chars[end - 1].end as usize];
        match found.iter_mut().find(|reason| reason.text == piece) {
            Some(reason) => reason.weight += weight,
            None => found.push(Reason {
                text: piece.to_string(),
                weight,
            }),
        }
        at = end;
    }
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
    // One character alone tells a reader little: only where there is nothing longer.
    if found.iter().any(|reason| reason.text.chars().count() > 1) {
        found.retain(|reason| reason.text.chars().count() > 1);
    }
    found.truncate(MAX_REASONS);
    found
}
