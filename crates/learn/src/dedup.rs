//! Equal messages count once.
//!
//! The rule: two messages are equal when the same letters, digits and Han characters follow each other, whatever blanks,
//! marks, widths or capitals stand between. The **last** of equal messages counts, because a correction follows what it
//! corrects. Near-equal messages (one word changed) are different messages.

use std::collections::HashMap;

use crate::text::normalised;

/// What is left after equal messages were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deduplicated {
    /// Positions of the messages that count, ascending.
    pub kept: Vec<usize>,
    /// How many were dropped because a later one says the same.
    pub dropped: usize,
    /// How many of the dropped had another label than the one that counts.
    pub conflicting: usize,
}

/// Finds the messages that count, by the rule of this module.
pub fn deduplicate(samples: &[(&str, &str)]) -> Deduplicated {
    let mut last: HashMap<String, usize> = HashMap::with_capacity(samples.len());
    let (mut dropped, mut conflicting) = (0, 0);
    for (index, (text, label)) in samples.iter().enumerate() {
        if let Some(earlier) = last.insert(normalised(text), index) {
            dropped += 1;
            conflicting += usize::from(samples[earlier].1 != *label);
        }
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    Deduplicated {
        kept,
        dropped,
        conflicting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_messages_counts() {
        let samples = [("路灯 不亮", "a"), ("停水", "b"), ("路灯不亮！", "c"), ("停水。", "b")];
        let found = deduplicate(&samples);
        assert_eq!(
            found,
            Deduplicated {
                kept: vec![2, 3],
                dropped: 2,
                conflicting: 1
            }
        );
    }
}
