//! From a text to its features: character 1-, 2- and 3-grams, and the words between blanks.
//!
//! Rules, the same in training and in use:
//! - full-width letters and digits count as half-width, capitals as small; only letters, digits and Han characters count;
//! - a blank joins (so that text segmented by blanks and text without blanks give the same n-grams), any other mark separates;
//! - the first [`HEAD_CHARS`] characters are also counted apart: a message says its subject first;
//! - a run of 2 to [`MAX_WORD_CHARS`] characters between blanks or marks also counts as a word, which helps where the text
//!   comes segmented and changes little where it does not.

use crate::rng::{GOLDEN, mix};

/// Only this many characters of a text are read. The longest of 7,161 real messages has 13,117.
pub(crate) const MAX_CHARS: usize = 20_000;
/// The title's share of a message: titles of residents' messages are about this long.
pub(crate) const HEAD_CHARS: usize = 20;
const MAX_GRAM: usize = 3;
const MAX_WORD_CHARS: usize = 8;

/// Tells apart kinds of features that share characters.
const SALT_GRAM: u64 = 0;
const SALT_WORD: u64 = 1;
const SALT_HEAD: u64 = 7;

/// A character that counts, with where it stands in the original text.
#[derive(Clone, Copy)]
pub(crate) struct Char {
    pub value: char,
    /// Byte range in the original text.
    pub start: u32,
    pub end: u32,
    /// The one before it belongs to another run (a mark stood between): no n-gram crosses.
    pub after_mark: bool,
    /// A blank or a mark stood before it: a word begins.
    pub after_blank: bool,
}

/// One occurrence of a feature: its key, and the characters it covers.
#[derive(Clone, Copy)]
pub(crate) struct Gram {
    /// 31 bits of hash; the lowest bit says that it is of the head.
    pub key: u32,
    pub at: u32,
    pub len: u32,
}

pub(crate) fn is_head(key: u32) -> bool {
    key & 1 == 1
}

/// Full-width forms to half-width, capitals to small.
fn fold(c: char) -> char {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    };
    // One character for one character, so that positions stay: the few that grow are left as they are.
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The characters that count, in order.
pub(crate) fn characters(text: &str) -> Vec<Char> {
    let mut out = Vec::with_capacity(text.len() / 3 + 8);
    let (mut after_mark, mut after_blank) = (true, true);
    for (start, original) in text.char_indices() {
        let value = fold(original);
        if value.is_alphanumeric() {
            if out.len() == MAX_CHARS {
                break;
            }
            let end = (start + original.len_utf8()) as u32;
            out.push(Char {
                value,
                start: start as u32,
                end,
                after_mark,
                after_blank,
            });
            (after_mark, after_blank) = (false, false);
        } else {
            after_blank = true;
            after_mark |= original != ' ' && original != '\u{3000}';
        }
    }
    out
}

/// The text reduced to what counts: used to find equal messages.
pub(crate) fn normalised(text: &str) -> String {
    text.chars().map(fold).filter(|c| c.is_alphanumeric()).collect()
}

fn hash_step(hash: u64, c: char) -> u64 {
    mix(hash.wrapping_add(c as u64).wrapping_mul(GOLDEN))
}

fn key(hash: u64, head: bool) -> u32 {
    ((hash >> 32) as u32 & !1) | u32::from(head)
}

/// Every occurrence of every feature, in no promised order.
pub(crate) fn grams(chars: &[Char]) -> Vec<Gram> {
    let mut out = Vec::with_capacity(chars.len() * 4);
    for at in 0..chars.len() {
        let (mut body, mut head) = (SALT_GRAM, SALT_HEAD);
        for len in 1..=MAX_GRAM.min(chars.len() - at) {
            let c = chars[at + len - 1];
            if len > 1 && c.after_mark {
                break;
            }
            body = hash_step(body, c.value);
            out.push(Gram {
                key: key(body, false),
                at: at as u32,
                len: len as u32,
            });
            if at < HEAD_CHARS {
                head = hash_step(head, c.value);
                out.push(Gram {
                    key: key(head, true),
                    at: at as u32,
                    len: len as u32,
                });
            }
        }
    }
    words(chars, &mut out);
    out
}

fn words(chars: &[Char], out: &mut Vec<Gram>) {
    let mut at = 0;
    while at < chars.len() {
        let mut end = at + 1;
        while end < chars.len() && !chars[end].after_blank {
            end += 1;
        }
        if (2..=MAX_WORD_CHARS).contains(&(end - at)) {
            let hash = chars[at..end]
                .iter()
                .fold(SALT_WORD, |hash, c| hash_step(hash, c.value));
            out.push(Gram {
                key: key(hash, false),
                at: at as u32,
                len: (end - at) as u32,
            });
        }
        at = end;
    }
}

/// How often each feature occurs, sorted by key.
pub(crate) fn counts(grams: &[Gram]) -> Vec<(u32, u32)> {
    let mut keys: Vec<u32> = grams.iter().map(|gram| gram.key).collect();
    keys.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(keys.len());
    for key in keys {
        match out.last_mut() {
            Some((last, count)) if *last == key => *count += 1,
            _ => out.push((key, 1)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(u32, u32)> {
        counts(&grams(&characters(text)))
    }

    #[test]
    fn widths_and_capitals_do_not_matter() {
        assert_eq!(keys("A3区停水"), keys("ａ３区停水"));
        assert_eq!(normalised("Ａ3 区，停水！"), "a3区停水");
    }

    #[test]
    fn blanks_join_n_grams_and_marks_separate_them() {
        let joined = keys("停 水");
        let bigram = keys("停水");
        // The bigram is in both; the word 停水 only where no blank splits it.
        assert!(
            joined
                .iter()
                .filter(|(key, _)| !is_head(*key))
                .all(|pair| bigram.contains(pair))
        );
        assert!(keys("停。水").len() < joined.len());
    }

    #[test]
    fn positions_point_into_the_original_text() {
        let text = "【急】Ａ区 停水";
        let chars = characters(text);
        let back: String = chars.iter().map(|c| &text[c.start as usize..c.end as usize]).collect();
        assert_eq!(back, "急Ａ区停水");
    }
}
