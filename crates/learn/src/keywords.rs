//! The cold start: a freshly installed place has no cases to learn from, only the words its pack lists for each category.

use crate::predict::{Guess, MAX_REASONS, Prediction, Reason, top_two};
use crate::text::normalised;

/// Most keywords in all.
pub const MAX_KEYWORDS: usize = 20_000;
/// Words cannot be surer than this: nobody measured them.
pub const KEYWORD_MAX_CONFIDENCE: f32 = 0.8;
/// Doubt before the first word is found, in the unit of the words' weights.
const DOUBT: f32 = 1.0;

/// Categories with their words. Answers in the shape of [`crate::Model::predict`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keywords {
    labels: Vec<String>,
    /// Normalised word, the word as written, category, weight.
    words: Vec<(String, String, usize, f32)>,
}

/// Why a list of keywords is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KeywordsError {
    #[error("more than {MAX_KEYWORDS} keywords")]
    TooMany,
    #[error("a keyword of {0} has no letter, digit or character")]
    Empty(String),
    #[error("the weight of {word} in {category} must be above 0 and at most 100, not {weight}")]
    Weight {
        category: String,
        word: String,
        weight: f32,
    },
    #[error("category {0} is listed twice")]
    Twice(String),
}

impl Keywords {
    /// `pack`: (category, its words with weights); 1 is a usual weight. Without categories every answer is empty.
    pub fn new(pack: &[(&str, &[(&str, f32)])]) -> Result<Self, KeywordsError> {
        let mut out = Keywords::default();
        for &(category, words) in pack {
            if out.labels.iter().any(|label| label == category) {
                return Err(KeywordsError::Twice(category.to_string()));
            }
            for &(word, weight) in words {
                let plain = normalised(word);
                if plain.is_empty() {
                    return Err(KeywordsError::Empty(category.to_string()));
                }
                // Written so that a weight that is not a number is refused too.
                if !(weight > 0.0 && weight <= 100.0) {
                    return Err(KeywordsError::Weight {
                        category: category.into(),
                        word: word.into(),
                        weight,
                    });
                }
                out.words.push((plain, word.to_string(), out.labels.len(), weight));
            }
            out.labels.push(category.to_string());
        }
        if out.words.len() > MAX_KEYWORDS {
            Err(KeywordsError::TooMany)
        } else {
            Ok(out)
        }
    }

    /// Each word counts once, wherever and however often it stands; blanks and marks inside it do not matter.
    /// Confidence is the category's share of the weight found, with one usual word's weight of doubt added, and
    /// never above [`KEYWORD_MAX_CONFIDENCE`]. On a tie the category listed first wins.
    pub fn predict(&self, text: &str) -> Prediction {
        let text = normalised(text);
        let mut sums = vec![0f32; self.labels.len()];
        let hits: Vec<&(String, String, usize, f32)> = self
            .words
            .iter()
            .filter(|(plain, ..)| text.contains(plain.as_str()))
            .collect();
        if hits.is_empty() {
            return Prediction::default();
        }
        hits.iter()
            .for_each(|(_, _, category, weight)| sums[*category] += weight);
        let total = sums.iter().sum::<f32>() + DOUBT;
        let guess = |k: usize| {
            let confidence = (sums[k] / total).min(KEYWORD_MAX_CONFIDENCE);
            (sums[k] > 0.0).then(|| Guess {
                label: self.labels[k].clone(),
                confidence,
            })
        };
        let (best, second) = if sums.len() > 1 { top_two(&sums) } else { (0, 0) };
        let of_best = hits.iter().filter(|(_, _, category, _)| *category == best);
        let mut reasons: Vec<Reason> = of_best
            .map(|(_, word, _, weight)| Reason {
                text: word.clone(),
                weight: *weight,
            })
            .collect();
        reasons.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
        reasons.truncate(MAX_REASONS);
        Prediction {
            best: guess(best),
            second: if second == best { None } else { guess(second) },
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> Keywords {
        Keywords::new(&[
            ("路灯", &[("路灯", 1.0), ("不亮", 0.5)]),
            ("供水", &[("停水", 2.0), ("水压", 1.0)]),
            ("绿化", &[("树枝", 1.0)]),
        ])
        .unwrap()
    }

    #[test]
    fn words_found_decide_and_are_the_reasons() {
        let found = pack().predict("小区路 灯，不亮，水压也低");
        let best = found.best.unwrap();
        assert_eq!((best.label.as_str(), best.confidence), ("路灯", 1.5 / 3.5));
        assert_eq!(found.second.unwrap().label, "供水");
        assert_eq!(
            found.reasons.iter().map(|r| r.text.as_str()).collect::<Vec<_>>(),
            ["路灯", "不亮"]
        );
    }

    #[test]
    fn no_word_no_guess_and_many_words_no_certainty() {
        assert_eq!(pack().predict("你好"), Prediction::default());
        assert_eq!(Keywords::default().predict("停水"), Prediction::default());
        let sure = Keywords::new(&[("供水", &[("停水", 100.0)])])
            .unwrap()
            .predict("停水了");
        assert_eq!(sure.best.unwrap().confidence, KEYWORD_MAX_CONFIDENCE);
        assert_eq!(sure.second, None);
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(
            Keywords::new(&[("a", &[("，", 1.0)])]),
            Err(KeywordsError::Empty("a".into()))
        );
        assert!(matches!(
            Keywords::new(&[("a", &[("b", f32::NAN)])]),
            Err(KeywordsError::Weight { .. })
        ));
        assert_eq!(
            Keywords::new(&[("a", &[]), ("a", &[])]),
            Err(KeywordsError::Twice("a".into()))
        );
    }
}
