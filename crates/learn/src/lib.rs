//! Text classification for Chinese messages: which [category](Prediction) does this message belong to, how sure, and why.
//!
//! Two ways to answer, one shape of answer:
//! - [`Model`]: learned from a site's own labelled messages with [`train`]; a small linear model over character n-grams.
//! - [`Keywords`]: for a freshly installed place, from the words the rule pack lists for each category.
//!
//! [`Classifier`] joins the two, so that a site's closed cases take over category by category. [`evaluate`] measures a
//! set of labelled messages honestly; [`similar`] and [`Titles`] find titles that say the same.
//!
//! What this crate must not do: read a file, a clock or randomness (seeds are parameters), know a case, a person or a
//! place, or decide anything. It suggests; whether a suggestion is good enough to act on is the caller's rule.
//!
//! Nothing learned from personal data is readable in a model: it holds hashes of character sequences that occurred in
//! at least two messages, never the sequences.

mod calibrate;
mod combine;
mod dedup;
mod evaluate;
mod keywords;
mod model;
mod predict;
mod rng;
mod similar;
mod svm;
mod text;
mod train;

pub use combine::{Classifier, MIN_SAMPLES, MIN_SAMPLES_PER_CATEGORY, Source, UNPROVEN_CONFIDENCE};
pub use dedup::{Deduplicated, deduplicate};
pub use evaluate::{ClassScore, EvaluateError, MAX_FOLDS, ReliabilityBin, Report, evaluate};
pub use keywords::{KEYWORD_MAX_CONFIDENCE, Keywords, KeywordsError, MAX_KEYWORDS};
pub use model::{Model, ModelError};
pub use predict::{Guess, MAX_REASONS, Prediction, Reason};
pub use similar::{Titles, similar};
pub use train::{MAX_CATEGORIES, MAX_LABEL_BYTES, MAX_SAMPLES, Options, TrainError, train};
