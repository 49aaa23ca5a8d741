//! Care registers 关爱名册: what must be known before one may exist, and which never may.
//!
//! Entry points: [`Register::check`], [`forbidden`]. A register exists for a service (promise 2); it never says what somebody believes,
//! thinks, belongs to by birth, or complained about (promise 1).

use crate::text::normalise;
use jiff::civil::Date;

/// Months until a register ends unless it is confirmed again.
pub const MONTHS: i32 = 12;

/// A register as somebody wishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub name: String,
    /// The service it is for.
    pub service: String,
    pub legal_basis: String,
    /// Where its entries come from.
    pub source: String,
    /// The unit that answers for it.
    pub owner: String,
    /// The day it was begun or last confirmed.
    pub confirmed: Date,
    /// The day it is looked at next.
    pub review: Date,
    /// Its last day.
    pub end: Date,
}

/// Why a register may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRegister {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("it ends more than twelve months after it was confirmed, or before")]
    End,
    #[error("it is reviewed after it was confirmed and not after its end")]
    Review,
    #[error("people are not labelled by {0}")]
    Forbidden(&'static str),
}

/// What a label may not be about, and the words that tell. In the compared form.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "petition",
        &[
            "信访",
            "上访",
            "缠访",
            "闹访",
            "访民",
            "越级访",
            "进京访",
            "维稳",
            "petition",
        ],
    ),
    (
        "politics",
        &[
            "政治",
            "反动",
            "异见",
            "敌对",
            "持不同政见",
            "民运",
            "政见",
            "political",
            "dissident",
        ],
    ),
    (
        "religion",
        &[
            "宗教",
            "信教",
            "教徒",
            "信徒",
            "基督",
            "天主教",
            "佛教",
            "道教",
            "伊斯兰",
            "穆斯林",
            "清真",
            "法轮",
            "邪教",
            "religio",
            "muslim",
            "christian",
            "buddhist",
        ],
    ),
    (
        "ethnicity",
        &[
            "少数民族",
            "民族成分",
            "维族",
            "维吾尔",
            "藏族",
            "回族",
            "蒙古族",
            "哈萨克",
            "涉疆",
            "涉藏",
            "ethnic",
            "uyghur",
            "tibetan",
        ],
    ),
    ("opinion", &["思想动态", "言论", "舆情人员", "意见领袖", "opinion"]),
    (
        "risk",
        &[
            "风险等级",
            "危险分子",
            "重点管控",
            "不稳定",
            "不放心人员",
            "信用评分",
            "积分排名",
            "risk level",
            "score",
        ],
    ),
];

/// What a text labels people by, if it is something no field, list, import or filter may hold; spaces and signs between do not hide it.
pub fn forbidden(text: &str) -> Option<&'static str> {
    let plain = normalise(text);
    let bare: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    let says = |word: &str| plain.contains(word) || bare.contains(word);
    FORBIDDEN
        .iter()
        .find(|(_, words)| words.iter().any(|word| says(word)))
        .map(|(kind, _)| *kind)
}

impl Register {
    /// Everything that stands against it; empty when it may be.
    pub fn check(&self) -> Vec<BadRegister> {
        let mut found = Vec::new();
        let texts = [
            ("name", &self.name),
            ("service", &self.service),
            ("legal_basis", &self.legal_basis),
            ("source", &self.source),
            ("owner", &self.owner),
        ];
        for (field, text) in texts {
            if text.trim().is_empty() {
                found.push(BadRegister::Missing(field));
            }
        }
        // The owner is a unit, and a unit's name may hold that of its place.
        let says = texts.iter().filter(|(field, _)| *field != "owner");
        if let Some(kind) = says.into_iter().find_map(|(_, text)| forbidden(text)) {
            found.push(BadRegister::Forbidden(kind));
        }
        let latest = self
            .confirmed
            .checked_add(jiff::Span::new().months(MONTHS))
            .unwrap_or(Date::MAX);
        if self.end < self.confirmed || self.end > latest {
            found.push(BadRegister::End);
        }
        if self.review <= self.confirmed || self.review > self.end {
            found.push(BadRegister::Review);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn register() -> Register {
        Register {
            name: "独居老人".into(),
            service: "每周走访、送餐".into(),
            legal_basis: "《老年人权益保障法》第三十七条".into(),
            source: "民政登记、网格走访".into(),
            owner: "民政办".into(),
            confirmed: date(2026, 2, 14),
            review: date(2026, 8, 14),
            end: date(2027, 2, 14),
        }
    }

    #[test]
    fn a_register_for_a_service_may_be() {
        assert_eq!(register().check(), []);
    }

    #[test]
    fn nothing_may_be_missing_and_nothing_lasts() {
        let bare = Register {
            legal_basis: " ".into(),
            owner: String::new(),
            end: date(2027, 2, 15),
            ..register()
        };
        let missing = |field| BadRegister::Missing(field);
        assert_eq!(
            bare.check(),
            [missing("legal_basis"), missing("owner"), BadRegister::End]
        );
        let late = Register {
            review: date(2027, 2, 15),
            ..register()
        };
        assert_eq!(late.check(), [BadRegister::Review]);
    }

    #[test]
    fn nobody_is_labelled() {
        for (name, kind) in [
            ("信访重点人员", "petition"),
            ("上 访 户", "petition"),
            ("信·教群众", "religion"),
            ("少数民族人员", "ethnicity"),
            ("持不同政见者", "politics"),
            ("思想动态台账", "opinion"),
            ("风险等级为高的人", "risk"),
            ("ＭＵＳＬＩＭ", "religion"),
        ] {
            assert_eq!(forbidden(name), Some(kind), "{name}");
            let named = Register {
                name: name.into(),
                ..register()
            };
            assert!(named.check().contains(&BadRegister::Forbidden(kind)), "{name}");
        }
        for name in [
            "独居老人",
            "残疾人",
            "留守儿童",
            "低保户",
            "困境儿童",
            "孕产妇",
            "退役军人",
        ] {
            assert_eq!(forbidden(name), None, "{name}");
        }
    }

    proptest! {
        /// A forbidden word is found whatever stands around it and between its characters.
        #[test]
        fn a_word_is_found_anywhere(before in "[a-z一-丁]{0,5}", after in "[a-z一-丁]{0,5}", sign in "[ ·/_-]{0,2}") {
            let text = format!("{before}信{sign}访{after}");
            prop_assert_eq!(forbidden(&text), Some("petition"));
        }
    }
}
