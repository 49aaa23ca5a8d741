//! What the words of a report ask a person to look at: urgency, and matters that belong elsewhere.
//!
//! Words suggest; a person decides. Matching is on normalised text (see [`crate::text::normalise`]).

use super::{Name, Pack, Source};
use crate::text::normalise;
use std::collections::HashSet;

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
        let text = Searched::of(text);
        self.redirects.iter().find(|one| text.holds_one_of(&one.keywords))
    }

    /// The first urgency hint whose words occur.
    pub fn urgent_hint_for(&self, text: &str) -> Option<&UrgentHint> {
        let text = Searched::of(text);
        self.urgent_hints.iter().find(|one| text.holds_one_of(&one.keywords))
    }
}

/// A text to be asked for many words: one whose first character it lacks is not looked for.
struct Searched {
    text: String,
    characters: HashSet<char>,
}

impl Searched {
    fn of(text: &str) -> Searched {
        let text = normalise(text);
        let characters = text.chars().collect();
        Searched { text, characters }
    }

    fn holds_one_of(&self, words: &[String]) -> bool {
        let may_be = |word: &str| word.chars().next().is_none_or(|first| self.characters.contains(&first));
        words
            .iter()
            .any(|word| may_be(word) && self.text.contains(word.as_str()))
    }
}
