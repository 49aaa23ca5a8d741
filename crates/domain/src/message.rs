//! What a resident means by a short message, and how many parts of an SMS a text takes: pure, for every channel of text.
//!
//! Entry points: [`Said::of`], [`parts`], [`udh_part`], [`is_cjk`].

/// What a resident wants with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A matter of theirs, in their words.
    Report(String),
    /// Where does it stand: the last matter, or the one of this number, with a code where it was reported elsewhere.
    Status {
        /// The number as written, upper case.
        number: Option<String>,
        /// The code told with the number.
        code: Option<String>,
    },
    /// 1 (not content at all) to 5, and what they add to it.
    Rate { rating: u8, comment: Option<String> },
    /// Not solved; the reason may be missing.
    Object(Option<String>),
    /// More to the open matter; the words may be missing.
    Add(Option<String>),
    /// Hear nothing any more but direct answers.
    Stop,
    /// Hear again.
    Start,
    /// How does it work.
    Help,
}

const STOP: [&str; 6] = ["退订", "TD", "T", "0000", "STOP", "UNSUBSCRIBE"];
const START: [&str; 4] = ["订阅", "DY", "START", "SUBSCRIBE"];
const HELP: [&str; 5] = ["帮助", "?", "HELP", "菜单", "你好"];
const STATUS: [&str; 5] = ["进度", "查询", "查进度", "CX", "STATUS"];
const OBJECT: [&str; 4] = ["不满意", "异议", "OBJECT", "UNSOLVED"];
const ADD: [&str; 2] = ["补充", "ADD"];
/// Shorter than this is no matter yet: "好的", "谢谢".
const SHORTEST_REPORT: usize = 5;

impl Said {
    /// From the text as it came.
    pub fn of(text: &str) -> Said {
        let text = text.trim();
        let plain: String = text.chars().map(narrow).collect();
        let upper = plain.to_ascii_uppercase();
        let bare = upper.trim_end_matches(['。', '.', '!', ' ']);
        let is = |words: &[&str]| words.contains(&bare);
        if is(&STOP) {
            return Said::Stop;
        }
        if is(&START) {
            return Said::Start;
        }
        if is(&HELP) {
            return Said::Help;
        }
        if let Some(rest) = after(&upper, &STATUS) {
            if let Some(said) = asked(rest) {
                return said;
            }
        } else if let Some(rest) = after(&upper, &OBJECT) {
            return Said::Object(kept(text, rest));
        } else if let Some(rest) = after(&upper, &ADD) {
            return Said::Add(kept(text, rest));
        }
        if let Some(said) = rated(&plain, text) {
            return said;
        }
        match text.chars().filter(|c| c.is_alphanumeric()).count() {
            0..SHORTEST_REPORT => Said::Help,
            _ => Said::Report(text.to_owned()),
        }
    }
}

/// Full-width digits, letters and punctuation as their narrow forms, character by character.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

/// What follows one of the words at the beginning.
fn after<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    let found = words
        .iter()
        .filter_map(|word| text.strip_prefix(word))
        .min_by_key(|rest| rest.len())?;
    let ascii = text[..text.len() - found.len()].is_ascii();
    // "ADDRESS ..." does not begin with the word ADD.
    let whole = !ascii || !found.starts_with(|c: char| c.is_alphanumeric());
    whole.then_some(found)
}

/// The last characters of the text as it came, without the separators in front; none when nothing is left.
fn kept(text: &str, rest: &str) -> Option<String> {
    let count = rest.chars().count();
    let all = text.chars().count();
    let own: String = text.chars().skip(all.saturating_sub(count)).collect();
    let own = own
        .trim_start_matches(|c: char| c.is_whitespace() || "+，,。：:；;、!！-—".contains(c))
        .trim();
    (!own.is_empty()).then(|| own.to_owned())
}

/// A number, and a code behind it; anything else is no question about the state.
fn asked(rest: &str) -> Option<Said> {
    let mut words = rest
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| !word.is_empty());
    let (number, code) = (words.next().map(str::to_owned), words.next().map(str::to_owned));
    let only = rest
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-+:,.，。：?？ \t\n".contains(c));
    let is_number = number
        .as_deref()
        .is_none_or(|n| n.contains(|c: char| c.is_ascii_digit()));
    let is_code = code.as_deref().is_none_or(|c| c.bytes().all(|b| b.is_ascii_digit()));
    (only && is_number && is_code && words.next().is_none()).then_some(Said::Status { number, code })
}

/// One digit from 1 to 5, "分" or "星" behind it, and a remark after a separator.
fn rated(plain: &str, text: &str) -> Option<Said> {
    let mut characters = plain.chars();
    let digit = characters.next()?.to_digit(10).filter(|d| (1..=5).contains(d))?;
    let rest = characters.as_str();
    let rest = rest.strip_prefix(['分', '星']).unwrap_or(rest);
    if !rest.is_empty() && !rest.starts_with(|c: char| " ,.;!，。；、".contains(c)) {
        return None;
    }
    // "3 楼漏水" is a matter, "3，来得太晚" a rating.
    if rest.starts_with(' ') && rest.trim().chars().any(char::is_alphanumeric) {
        return None;
    }
    let rating = u8::try_from(digit).ok()?;
    Some(Said::Rate {
        rating,
        comment: kept(text, rest),
    })
}

/// Whether any character is Chinese.
pub fn is_cjk(text: &str) -> bool {
    text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c))
}

/// Parts a text takes as an SMS (3GPP TS 23.038, 23.040): 160 characters of the basic alphabet, or 153 each in several; where any other
/// character stands in it, 70 UTF-16 units, or 67 each.
pub fn parts(text: &str) -> u32 {
    let septets = text.chars().map(septets).sum::<Option<usize>>();
    let (length, whole, each) = match septets {
        Some(length) => (length, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    let parts = if length <= whole { 1 } else { length.div_ceil(each) };
    u32::try_from(parts).unwrap_or(u32::MAX)
}

/// Septets of a character in the default alphabet; none when it is not in it.
fn septets(c: char) -> Option<usize> {
    const SINGLE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    const DOUBLE: &str = "^{}\\[~]|€\u{c}";
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Some(1),
        _ if SINGLE.contains(c) => Some(1),
        _ if DOUBLE.contains(c) => Some(2),
        _ => None,
    }
}

/// Which part of a long text this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The same for all parts of one text of one sender.
    pub reference: u16,
    /// How many there are.
    pub total: u8,
    /// Which one, from 1.
    pub seq: u8,
}

impl Part {
    /// Whether it can be one: at least two, at most `most`.
    pub fn is_sound(&self, most: u8) -> bool {
        (2..=most).contains(&self.total) && (1..=self.total).contains(&self.seq)
    }
}

/// The part named by a user data header (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8); none when it names none.
pub fn udh_part(udh: &[u8]) -> Option<Part> {
    let (&length, mut rest) = udh.split_first()?;
    rest = rest.get(..usize::from(length))?;
    while let [element, length, more @ ..] = rest {
        let (body, next) = more.split_at_checked(usize::from(*length))?;
        match (element, body) {
            (0x00, [reference, total, seq]) => {
                return Some(Part {
                    reference: u16::from(*reference),
                    total: *total,
                    seq: *seq,
                });
            }
            (0x08, [high, low, total, seq]) => {
                return Some(Part {
                    reference: u16::from_be_bytes([*high, *low]),
                    total: *total,
                    seq: *seq,
                });
            }
            _ => rest = next,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(number: Option<&str>, code: Option<&str>) -> Said {
        Said::Status {
            number: number.map(str::to_owned),
            code: code.map(str::to_owned),
        }
    }

    fn rate(rating: u8, comment: Option<&str>) -> Said {
        Said::Rate {
            rating,
            comment: comment.map(str::to_owned),
        }
    }

    fn report(text: &str) -> Said {
        Said::Report(text.to_owned())
    }

    #[test]
    fn a_message_is_a_command_or_a_matter() {
        for (text, said) in [
            ("退订", Said::Stop),
            (" ＴＤ ", Said::Stop),
            ("Stop.", Said::Stop),
            ("订阅", Said::Start),
            ("帮助", Said::Help),
            ("？", Said::Help),
            ("谢谢", Said::Help),
            ("", Said::Help),
            ("进度", status(None, None)),
            ("查询 ZS20260214-00001", status(Some("ZS20260214-00001"), None)),
            (
                "进度zs20260214-00001 12345678",
                status(Some("ZS20260214-00001"), Some("12345678")),
            ),
            (
                "进度：ＺＳ２０２６０２１４－００００１",
                status(Some("ZS20260214-00001"), None),
            ),
            ("进度太慢了，路灯修了一个月", report("进度太慢了，路灯修了一个月")),
            ("5", rate(5, None)),
            ("４分", rate(4, None)),
            ("1，还是漏水", rate(1, Some("还是漏水"))),
            ("6", Said::Help),
            ("3号楼电梯坏了", report("3号楼电梯坏了")),
            ("3 号楼电梯坏了", report("3 号楼电梯坏了")),
            ("12345678", report("12345678")),
            ("不满意", Said::Object(None)),
            ("不满意 路灯还是不亮", Said::Object(Some("路灯还是不亮".into()))),
            ("异议：没人来", Said::Object(Some("没人来".into()))),
            ("补充 在3号楼门口", Said::Add(Some("在3号楼门口".into()))),
            ("add at the gate", Said::Add(Some("at the gate".into()))),
            ("Address 3, light broken", report("Address 3, light broken")),
            ("路灯坏了三天", report("路灯坏了三天")),
        ] {
            assert_eq!(Said::of(text), said, "{text:?}");
        }
    }

    #[test]
    fn parts_are_counted_as_the_network_does() {
        for (text, count) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("网".repeat(70), 1),
            ("网".repeat(71), 2),
            ("网".repeat(134), 2),
            ("网".repeat(135), 3),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            (format!("{}`", "a".repeat(70)), 2),
        ] {
            assert_eq!(parts(&text), count, "{} characters", text.chars().count());
        }
    }

    #[test]
    fn a_header_names_the_part() {
        let part = |reference, total, seq| Some(Part { reference, total, seq });
        assert_eq!(udh_part(&[5, 0, 3, 7, 2, 1]), part(7, 2, 1));
        assert_eq!(udh_part(&[6, 8, 4, 1, 2, 3, 2]), part(258, 3, 2));
        assert_eq!(udh_part(&[9, 0x24, 2, 9, 9, 0, 3, 7, 2, 1]), part(7, 2, 1));
        for none in [&[][..], &[0], &[5, 0, 3, 7], &[4, 5, 2, 1, 1], &[3, 0, 9, 1], &[255]] {
            assert_eq!(udh_part(none), None, "{none:?}");
        }
        let sound = |total, seq| {
            Part {
                reference: 0,
                total,
                seq,
            }
            .is_sound(20)
        };
        assert!(sound(2, 1) && sound(20, 20) && !sound(1, 1) && !sound(3, 4) && !sound(3, 0) && !sound(21, 1));
    }
}
