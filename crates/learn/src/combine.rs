//! From the pack's keywords to the site's own experience, category by category.
//!
//! The rule, for each message:
//! 1. The model speaks when it learned from at least [`MIN_SAMPLES`] messages in all, and from at least [`MIN_SAMPLES_PER_CATEGORY`] of the
//!    category it names **and** of the category the keywords name (if they name one). So a category the site has hardly met is not
//!    drowned by those it has.
//! 2. Otherwise the keywords speak.
//! 3. Where the keywords have nothing to say, the model speaks, never surer than [`UNPROVEN_CONFIDENCE`].
//!
//! Retraining is [`crate::train`] on all closed cases again: a few seconds, and nothing of an old model lingers.

use crate::keywords::Keywords;
use crate::model::Model;
use crate::predict::Prediction;

/// From this many messages of a category on, the model may speak of it.
pub const MIN_SAMPLES_PER_CATEGORY: u32 = 20;
/// From this many messages in all on a model may be acted on: measured on real messages, of what a model of 200 says with 0.85 and more
/// 95 % is right (`tests/real_messages.rs`); below, the confidence rests on too few messages held out.
pub const MIN_SAMPLES: u32 = 200;
/// Upper bound for a model that speaks of a category it hardly knows: a suggestion, never enough to act on alone.
pub const UNPROVEN_CONFIDENCE: f32 = 0.5;

/// Keywords, and the model once there is one.
#[derive(Debug, Clone, Default)]
pub struct Classifier {
    pub keywords: Keywords,
    pub model: Option<Model>,
}

/// Who gave the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Model,
    Keywords,
}

impl Classifier {
    /// The answer and who gave it, by the rule of this module.
    pub fn predict(&self, text: &str) -> (Prediction, Source) {
        let by_words = self.keywords.predict(text);
        let Some(model) = &self.model else {
            return (by_words, Source::Keywords);
        };
        let mut by_model = model.predict(text);
        let proven = |prediction: &Prediction| {
            let of_best = prediction.best.as_ref().map(|best| model.learned_from(&best.label));
            model.samples() >= MIN_SAMPLES && of_best.is_none_or(|messages| messages >= MIN_SAMPLES_PER_CATEGORY)
        };
        if by_model.best.is_some() && proven(&by_model) && proven(&by_words) {
            return (by_model, Source::Model);
        }
        if by_words.best.is_some() || by_model.best.is_none() {
            return (by_words, Source::Keywords);
        }
        for guess in [&mut by_model.best, &mut by_model.second].into_iter().flatten() {
            guess.confidence = guess.confidence.min(UNPROVEN_CONFIDENCE);
        }
        (by_model, Source::Model)
    }
}
