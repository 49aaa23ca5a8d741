//! Chinese text as this product compares and searches it: one written form, character bigrams, pinyin and initials.
//!
//! Entry points: [`normalise`], [`grams`], [`pinyin_of`]. No dictionary segmentation: words from a dictionary miss a tenth of all
//! names. Traditional characters are kept as they are (a table is a dependency we do not have).

use pinyin::ToPinyin;

/// Longest text that is split; the rest is not searched (characters).
pub const MAX_SPLIT_CHARS: usize = 20_000;

/// The form in which text is compared: full-width letters, digits and punctuation become ASCII, letters become small, runs of white space
/// become one space, control and zero-width characters vanish, ends are trimmed.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = to_half_width(c);
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !c.is_control() && !is_invisible(c) {
            out.extend(c.to_lowercase());
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn to_half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3002}' => '.',
        '\u{3001}' => ',',
        _ => c,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether `c` is a Chinese character (the blocks in daily use and extension A).
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// What a text is found by: every Chinese character alone and with its follower, and runs of letters and digits as words (with each
/// beginning of two characters or more left to the query, see [`query_grams`]). Sorted, each once.
pub fn grams(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for run in runs(text) {
        match run {
            Run::Han(chars) => {
                found.extend(chars.iter().map(char::to_string));
                found.extend(chars.windows(2).map(|pair| pair.iter().collect()));
            }
            Run::Word(word) => found.push(word),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What a query needs: the bigrams of each run of Chinese characters (the character itself for a run of one), and its words. A text
/// that contains the query holds them all, so nothing is missed; order is checked on the text afterwards.
pub fn query_grams(query: &str) -> Vec<String> {
    let mut wanted = Vec::new();
    for run in runs(query) {
        match run {
            Run::Han(chars) if chars.len() == 1 => wanted.extend(chars.iter().map(char::to_string)),
            Run::Han(chars) => wanted.extend(chars.windows(2).map(|pair| pair.iter().collect())),
            Run::Word(word) => wanted.push(word),
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

enum Run {
    Han(Vec<char>),
    Word(String),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut broken = true;
    for c in normalise(text).chars().take(MAX_SPLIT_CHARS) {
        if is_han(c) {
            match runs.last_mut() {
                Some(Run::Han(chars)) if !broken => chars.push(c),
                _ => runs.push(Run::Han(vec![c])),
            }
            broken = false;
        } else if c.is_alphanumeric() {
            match runs.last_mut() {
                Some(Run::Word(word)) if !broken => word.push(c),
                _ => runs.push(Run::Word(c.to_string())),
            }
            broken = false;
        } else {
            broken = true;
        }
    }
    runs
}

/// Pinyin without tones and without spaces, and the initials, e.g. `桃花镇` gives `taohuazhen` and `thz`. The commonest reading of each
/// character; other characters stay as they are, small.
pub fn pinyin_of(text: &str) -> (String, String) {
    let (mut whole, mut initials) = (String::new(), String::new());
    for c in normalise(text).chars() {
        match c.to_pinyin() {
            Some(reading) => {
                whole.push_str(reading.plain());
                initials.push_str(reading.first_letter());
            }
            None if c.is_alphanumeric() => {
                whole.push(c);
                initials.push(c);
            }
            None => {}
        }
    }
    (whole, initials)
}

/// Share of bigrams two texts have in common, 0 to 1 (Dice), e.g. for titles that may tell of the same thing.
pub fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (grams(a), grams(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let common = a.iter().filter(|gram| b.binary_search(gram).is_ok()).count();
    2.0 * common as f64 / (a.len() + b.len()) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn full_width_and_spaces_become_one_form() {
        assert_eq!(normalise("  ABC１２３（甲）\u{3000}\n x\u{200b}y。 "), "abc123(甲) xy.");
        assert_eq!(normalise(""), "");
    }

    #[test]
    fn grams_cover_characters_pairs_and_words() {
        assert_eq!(grams("修路灯A1"), ["a1", "修", "修路", "灯", "路", "路灯"]);
        assert_eq!(query_grams("路灯"), ["路灯"]);
        assert_eq!(query_grams("灯"), ["灯"]);
        assert!(!grams("路、灯").contains(&"路灯".to_string()));
    }

    #[test]
    fn names_have_pinyin_and_initials() {
        assert_eq!(pinyin_of("桃花镇3号"), ("taohuazhen3hao".into(), "thz3h".into()));
    }

    #[test]
    fn similar_titles_score_higher() {
        assert!(similarity("路灯不亮", "路灯不亮了") > similarity("路灯不亮", "垃圾没人清"));
        assert_eq!(similarity("路灯", "路灯"), 1.0);
        assert_eq!(similarity("", "路灯"), 0.0);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn a_text_is_found_by_every_part_of_it(text in "[一-龥]{1,12}", from in 0usize..12, len in 1usize..12) {
            let chars: Vec<char> = text.chars().collect();
            let from = from.min(chars.len() - 1);
            let part: String = chars[from..(from + len).min(chars.len())].iter().collect();
            let all = grams(&text);
            prop_assert!(query_grams(&part).iter().all(|gram| all.contains(gram)));
        }
    }
}
