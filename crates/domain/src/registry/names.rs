//! How a person's name is found: by its characters, by pinyin, by initials, whole or from its beginning on.
//!
//! Entry points: [`keys`] (what a name is found by) and [`query`] (what a search asks for). Surnames are read as surnames: 单 is shan,
//! 曾 zeng, 仇 qiu, 解 xie. Where two readings of a surname are in use both find it.

use crate::text::{is_han, normalise};
use pinyin::ToPinyin;

/// Characters of a Chinese name that are looked at; of another, which is found whole.
const MAX_CHARS: usize = 12;
const MAX_LETTERS: usize = 60;

/// Surnames whose reading is not the commonest one of the character; with more than one reading where more are in use.
const SURNAMES: &[(&str, &[&str])] = &[
    ("尉迟", &["yu chi"]),
    ("万俟", &["mo qi"]),
    ("长孙", &["zhang sun"]),
    ("单于", &["chan yu"]),
    ("澹台", &["tan tai"]),
    ("令狐", &["ling hu"]),
    ("鲜于", &["xian yu"]),
    ("单", &["shan"]),
    ("曾", &["zeng"]),
    ("仇", &["qiu"]),
    ("解", &["xie"]),
    ("查", &["zha"]),
    ("区", &["ou"]),
    ("朴", &["piao"]),
    ("任", &["ren"]),
    ("盖", &["ge", "gai"]),
    ("乐", &["yue", "le"]),
    ("种", &["chong"]),
    ("翟", &["zhai"]),
    ("缪", &["miao"]),
    ("召", &["shao"]),
    ("覃", &["qin", "tan"]),
    ("洗", &["xian"]),
    ("冼", &["xian"]),
    ("员", &["yun"]),
    ("秘", &["bi"]),
    ("繁", &["po"]),
    ("折", &["she"]),
    ("黑", &["he"]),
    ("能", &["nai"]),
    ("祭", &["zhai"]),
    ("隽", &["juan"]),
    ("重", &["chong"]),
    ("都", &["du"]),
    ("柏", &["bai"]),
    ("牟", &["mu", "mou"]),
    ("谌", &["chen", "shen"]),
    ("费", &["fei", "bi"]),
    ("郇", &["xun", "huan"]),
    ("逄", &["pang"]),
    ("车", &["che"]),
    ("石", &["shi"]),
    ("沈", &["shen"]),
    ("褚", &["chu"]),
    ("晁", &["chao"]),
    ("乜", &["nie"]),
    ("岑", &["cen"]),
    ("尹", &["yin"]),
    ("贾", &["jia"]),
    ("薄", &["bo"]),
    ("卜", &["bu"]),
    ("宁", &["ning"]),
    ("华", &["hua"]),
    ("燕", &["yan"]),
    ("纪", &["ji"]),
    ("行", &["xing"]),
    ("盛", &["sheng"]),
    ("臧", &["zang"]),
    ("幺", &["yao"]),
    ("么", &["yao"]),
    ("撒", &["sa"]),
    ("佘", &["she"]),
    ("厘", &["xi"]),
    ("句", &["gou"]),
    ("阚", &["kan"]),
    ("娄", &["lou"]),
    ("曲", &["qu"]),
    ("应", &["ying"]),
    ("那", &["na"]),
    ("哈", &["ha"]),
    ("参", &["shen"]),
    ("朝", &["chao"]),
];

/// A name as it is compared: one width, letters small, no spaces and no dots between the parts.
pub fn plain(name: &str) -> String {
    normalise(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The readings of a name, syllable by syllable; more than one where the surname has more.
fn readings(chars: &[char]) -> Vec<Vec<String>> {
    let whole: String = chars.iter().collect();
    let surname = SURNAMES.iter().find(|(surname, _)| whole.starts_with(surname));
    let rest = |from: usize| chars[from..].iter().map(|c| syllable(*c));
    match surname {
        Some((surname, known)) => {
            let length = surname.chars().count();
            let with = |reading: &&str| reading.split(' ').map(str::to_owned).chain(rest(length)).collect();
            known.iter().map(with).collect()
        }
        None => vec![rest(0).collect()],
    }
}

/// `ü` is typed v or u; it is kept as v.
fn syllable(c: char) -> String {
    match c.to_pinyin() {
        Some(reading) => reading.plain().replace('ü', "v"),
        None => c.to_string(),
    }
}

/// What a name is found by: its beginnings of two characters or more (the whole of a shorter one), written, in pinyin, in initials; a name
/// without Chinese characters as a whole. Sorted, each once. `张三丰`: 张三, 张三丰, zhangsan, zhangsanfeng, zs, zsf.
pub fn keys(name: &str) -> Vec<String> {
    let plain = plain(name);
    if !plain.chars().any(is_han) {
        let whole: String = plain.chars().take(MAX_LETTERS).collect();
        return vec![whole].into_iter().filter(|whole| !whole.is_empty()).collect();
    }
    let chars: Vec<char> = plain.chars().take(MAX_CHARS).collect();
    let from = chars.len().min(2);
    let mut found: Vec<String> = (from..=chars.len())
        .map(|length| chars[..length].iter().collect())
        .collect();
    for reading in readings(&chars) {
        for length in from..=reading.len() {
            found.push(reading[..length].concat());
            let initials = reading[..length].iter().filter_map(|one| one.chars().next());
            found.push(initials.collect());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What is asked for, shortened as names are; `None` for less than two characters, which would find everybody.
pub fn query(text: &str) -> Option<String> {
    let plain = plain(text).replace('ü', "v");
    let most = if plain.chars().any(is_han) {
        MAX_CHARS
    } else {
        MAX_LETTERS
    };
    let asked: String = plain.chars().take(most).collect();
    Some(asked).filter(|asked| asked.chars().count() >= 2)
}

/// Whether a name is among those a query asks for: the same rule as [`keys`], for what an index of shortened keys brought up.
pub fn answers(name: &str, query: &str) -> bool {
    keys(name).iter().any(|key| key == query)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_found_by_characters_pinyin_and_initials() {
        assert_eq!(
            keys("张三丰"),
            ["zhangsan", "zhangsanfeng", "zs", "zsf", "张三", "张三丰"]
        );
        assert_eq!(keys("张三"), ["zhangsan", "zs", "张三"]);
        for asked in ["张三", "zhangsan", "ZS", " Zhang San "] {
            assert!(answers("张三", &query(asked).unwrap()), "{asked}");
        }
        assert!(!answers("张三", &query("李四").unwrap()));
        assert!(answers("买买提·吐尔逊", &query("买买提吐尔逊").unwrap()));
        let long = "阿卜杜热合曼·买买提吐尔逊江";
        assert!(answers(long, &query(long).unwrap()));
        assert!(answers("John Smith", &query("johnsmith").unwrap()));
        assert_eq!((query("张"), query(""), query("z")), (None, None, None));
    }

    #[test]
    fn surnames_are_read_as_surnames() {
        for (name, pinyin) in [
            ("单田芳", "shantianfang"),
            ("曾国藩", "zengguofan"),
            ("仇英", "qiuying"),
            ("解缙", "xiejin"),
            ("查良镛", "zhaliangyong"),
            ("区寄", "ouji"),
            ("朴树", "piaoshu"),
            ("任我行", "renwoxing"),
            ("尉迟恭", "yuchigong"),
            ("万俟卨", "moqi"),
            ("令狐冲", "linghuchong"),
            ("翟天", "zhaitian"),
            ("盖叫天", "gaijiaotian"),
            ("盖叫天", "gejiaotian"),
            ("吕布", "lvbu"),
            ("郝解放", "haojiefang"),
        ] {
            assert!(answers(name, pinyin), "{name} {pinyin}: {:?}", keys(name));
        }
        assert!(!answers("单田芳", "dantianfang"));
    }

    #[test]
    fn every_surname_has_a_syllable_for_each_character() {
        for (surname, readings) in SURNAMES {
            for reading in *readings {
                assert_eq!(reading.split(' ').count(), surname.chars().count(), "{surname}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_name_is_found_by_itself(name in "[一-龥]{2,6}") {
            prop_assert!(answers(&name, &query(&name).unwrap()));
            prop_assert!(keys(&name).len() <= 3 * 2 * MAX_CHARS);
        }

        #[test]
        fn any_text_has_keys(name in "\\PC{0,30}") {
            let _ = (keys(&name), query(&name));
        }
    }
}
