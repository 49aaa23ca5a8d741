//! What the words of a report say before anything has been learned: keywords, urgency, and matters that belong elsewhere.
//!
//! Words suggest; a person decides. Matching is on normalised text (see [`crate::text::normalise`]).

use super::{Category, Name, Pack, Source};
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

/// A category that the pack's keywords suggest, with the words that did.
#[derive(Debug, Clone, PartialEq)]
pub struct KeywordHit<'a> {
    pub category: &'a Category,
    pub words: Vec<&'a str>,
    /// Share of all keyword weight in the text, 0 to 1. It is no probability: never compare it with the automatic threshold.
    pub share: f64,
}

/// Most categories that keywords suggest.
pub const MAX_SUGGESTED: usize = 5;

impl Pack {
    /// Categories whose keywords occur in the text, best first. A word weighs its length, and twice in the title; a word inside a longer
    /// matched word of the same category is not counted again.
    pub fn keyword_hits(&self, title: &str, body: &str) -> Vec<KeywordHit<'_>> {
        let (title, body) = (normalise(title), normalise(body));
        let mut hits: Vec<(f64, KeywordHit<'_>)> = Vec::new();
        for category in self.categories.iter().filter(|category| category.leaf) {
            let words: Vec<&str> = found(&category.keywords, &title, &body);
            let weight: f64 = words.iter().map(|word| weight_of(word, &title)).sum();
            if weight > 0.0 {
                hits.push((
                    weight,
                    KeywordHit {
                        category,
                        words,
                        share: 0.0,
                    },
                ));
            }
        }
        let total: f64 = hits.iter().map(|(weight, _)| weight).sum();
        hits.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then_with(|| a.1.category.code.cmp(&b.1.category.code))
        });
        hits.truncate(MAX_SUGGESTED);
        hits.into_iter()
            .map(|(weight, hit)| KeywordHit {
                share: weight / total,
                ..hit
            })
            .collect()
    }

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

fn found<'a>(keywords: &'a [String], title: &str, body: &str) -> Vec<&'a str> {
    let present: Vec<&str> = keywords
        .iter()
        .map(String::as_str)
        .filter(|word| title.contains(word) || body.contains(word))
        .collect();
    present
        .iter()
        .filter(|word| !present.iter().any(|other| other != *word && other.contains(**word)))
        .copied()
        .collect()
}

fn weight_of(word: &str, title: &str) -> f64 {
    let length = word.chars().count() as f64;
    if title.contains(word) { 2.0 * length } else { length }
}
