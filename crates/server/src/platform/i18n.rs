//! Sentences for fault codes and state keys, in Chinese and English.
//!
//! Entry point: [`sentence`]. The texts are `crates/server/i18n/<part>.{zh,en}.toml`, one flat table `code = "sentence"`,
//! `{name}` standing for a parameter. A test checks that every code used in the source has both.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The language of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// 简体中文, when nothing else is asked for.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The stored key.
    pub fn key(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }

    /// From a stored key; anything unknown reads as Chinese.
    pub fn from_key(key: &str) -> Lang {
        if key == "en" { Lang::En } else { Lang::Zh }
    }

    /// The first of the two languages an `Accept-Language` header names; Chinese when neither. Weights are not read: browsers
    /// send the list in order of preference.
    pub fn from_header(header: &str) -> Lang {
        let named = header
            .split(',')
            .map(|part| part.trim().get(..2).unwrap_or_default().to_ascii_lowercase());
        named
            .filter(|tag| tag == "zh" || tag == "en")
            .map(|tag| Lang::from_key(&tag))
            .next()
            .unwrap_or_default()
    }

    /// Picks one of two texts.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

macro_rules! texts {
    ($($part:literal),* $(,)?) => {
        /// (part, Chinese file, English file)
        const TEXTS: &[(&str, &str, &str)] = &[$((
            $part,
            include_str!(concat!("../../i18n/", $part, ".zh.toml")),
            include_str!(concat!("../../i18n/", $part, ".en.toml")),
        )),*];
    };
}
texts![
    "platform",
    "access",
    "ledger",
    "policy",
    "territory",
    "workforce",
    "registry",
    "cases",
    "mediation",
    "orders",
    "migration",
    "duties",
    "campaigns",
    "sync",
    "projects",
    "adoption",
    "plans",
    "insight",
    "exchange",
    "messages",
    "doctor"
];

/// By code, Chinese and English.
static SENTENCES: LazyLock<[HashMap<String, String>; 2]> = LazyLock::new(|| {
    let mut all = [HashMap::new(), HashMap::new()];
    for (part, zh, en) in TEXTS {
        for (lang, text) in [(Lang::Zh, zh), (Lang::En, en)] {
            let table: HashMap<String, String> = toml::from_str(text).unwrap_or_else(|error| {
                panic!(
                    "i18n/{part}.{}.toml is not a flat table of sentences: {error}",
                    lang.key()
                )
            });
            all[lang as usize].extend(table);
        }
    }
    all
});

/// The sentence for a code with its parameters filled in; the bare code when no text has it.
pub fn sentence(lang: Lang, code: &str, params: &[(&'static str, String)]) -> String {
    match SENTENCES[lang as usize].get(code) {
        Some(text) => filled(text, params),
        None => code.to_owned(),
    }
}

/// The text with each `{name}` replaced by its value, in one pass: braces within a value, which may be what somebody typed, stay as they are.
fn filled(text: &str, params: &[(&'static str, String)]) -> String {
    let mut said = String::with_capacity(text.len() + params.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = params.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        rest = match named {
            Some((value, after)) => {
                said.push_str(value);
                after
            }
            None => {
                said.push('{');
                after
            }
        };
    }
    said.push_str(rest);
    said
}

/// Whether both languages have the code.
pub fn known(code: &str) -> bool {
    [Lang::Zh, Lang::En]
        .iter()
        .all(|lang| SENTENCES[*lang as usize].contains_key(code))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    #[test]
    fn language_from_header() {
        assert_eq!(Lang::from_header("en-GB,en;q=0.9,zh;q=0.8"), Lang::En);
        assert_eq!(Lang::from_header("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(Lang::from_header("fr, en"), Lang::En);
        assert_eq!(Lang::from_header(""), Lang::Zh);
        assert_eq!(Lang::from_header("汉"), Lang::Zh);
    }

    #[test]
    fn parameters_are_filled_in() {
        let text = sentence(Lang::En, "account_locked", &[("minutes", "15".into())]);
        assert!(text.contains("15") && !text.contains('{'), "{text}");
        assert_eq!(sentence(Lang::En, "no_such_code", &[]), "no_such_code");
        let typed = [("who", "{what} {".to_owned()), ("what", "灯".to_owned())];
        assert_eq!(filled("{who}：{what}{unknown}{", &typed), "{what} {：灯{unknown}{");
    }

    #[test]
    fn both_languages_have_the_same_codes() {
        for (part, zh, en) in TEXTS {
            let keys = |text: &str| {
                let table: HashMap<String, String> = toml::from_str(text).unwrap();
                let mut keys: Vec<String> = table.into_keys().collect();
                keys.sort();
                keys
            };
            assert_eq!(keys(zh), keys(en), "i18n/{part}");
        }
    }

    /// Every literal code given to a `Fault` constructor has a sentence in both languages.
    #[test]
    fn every_code_in_the_source_has_a_sentence() {
        let mut missing = Vec::new();
        sources(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
            &mut |path, text| {
                let production = text.split("#[cfg(test)]").next().unwrap_or_default();
                for code in codes(production) {
                    if !known(&code) {
                        missing.push(format!("{}: {code}", path.display()));
                    }
                }
            },
        );
        assert!(
            missing.is_empty(),
            "codes without a sentence in i18n/:\n{}",
            missing.join("\n")
        );
    }

    fn sources(folder: &Path, visit: &mut impl FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, visit);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                visit(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// The codes in `Fault::new(STATUS, "code")`, `Fault::refused("code")`, `Fault::invalid("field", "code")` and the like: the last
    /// literal between the brackets of the call, unless the code is worked out after it.
    fn codes(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for call in [
            "Fault::new(",
            "Fault::refused(",
            "Fault::conflict(",
            "Fault::invalid(",
            ".detail(",
        ] {
            for (at, _) in text.match_indices(call) {
                let arguments = within_brackets(&text[at + call.len()..]);
                let worked_out = arguments
                    .rsplit('"')
                    .next()
                    .is_some_and(|rest| rest.contains(char::is_alphabetic));
                if call == "Fault::invalid(" && worked_out {
                    continue;
                }
                if let Some(code) = arguments.split('"').skip(1).step_by(2).last() {
                    let plain = code
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                    if plain {
                        found.push(code.to_owned());
                    }
                }
            }
        }
        found
    }

    /// Up to the bracket that closes the one before `text`.
    fn within_brackets(text: &str) -> &str {
        let mut open = 1;
        for (at, c) in text.char_indices() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return &text[..at];
            }
        }
        text
    }
}
