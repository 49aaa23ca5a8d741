//! What the words of a report ask a person to look at: urgency, and matters that belong elsewhere.
//!
//! Words suggest; a person decides. Matching is on normalised text (see [`crate::text::normalise`]).

use super::{Name, Pack, Source};
use crate::text::normalise;

/// A matter that other services answer faster: said before the resident has typed it all (110, 119, 120, courts ...).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub key: String,
    pub keywords: Vec<String>,
    pub text: Name,
    /// Where to go, with the number to call.
    pub where_to_go: Name,
    /// The report may still be filed after reading this.
    pub may_file: bool,
    pub source: Source,
}

/// Words that make a report urgent until a person says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrgentHint {
    pub keywords: Vec<String>,
    pub text: Name,
    pub source: Source,
}

impl Pack {
    /// The first redirect whose words occur.
    pub fn redirect_for(&self, text: &str) -> Option<&Redirect> {
        let text = normalise(text);
        self.redirects
            .iter()
            .find(|one| one.keywords.iter().any(|word| text.contains(word.as_str())))
    }

    /// The first urgency hint whose words occur.
    pub fn urgent_hint_for(&self, text: &str) -> Option<&UrgentHint> {
        let text = normalise(text);
        self.urgent_hints
            .iter()
            .find(|one| one.keywords.iter().any(|word| text.contains(word.as_str())))
    }
}
