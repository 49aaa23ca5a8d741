//! Identity numbers of people (GB 11643-1999): 6 digits of region, 8 of the day of birth, 3 of order, one that checks the rest.
//!
//! Entry point: [`IdNumber::read`]. The residence permits of people from Hong Kong, Macao and Taiwan (81, 82, 83) and the cards of
//! foreign permanent residents (9, then the province) have the same form.

use crate::text::normalise;
use jiff::civil::Date;
use std::fmt;

const LENGTH: usize = 18;
const WEIGHTS: [u32; LENGTH - 1] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";
/// Nobody alive was born before.
const OLDEST: i16 = 1850;
/// First two digits in use (GB/T 2260, and the residence permits).
const PROVINCES: [u8; 37] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 66, 71, 81, 82, 83, 91,
];

/// As the number says; the register says so, nobody decides it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    Female,
    Male,
}

/// Why a text is not an identity number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIdNumber {
    #[error("18 characters, the last may be X")]
    Form,
    #[error("no such region")]
    Region,
    #[error("no such day of birth")]
    Birth,
    #[error("the last character does not fit the rest")]
    Check,
}

/// A sound identity number. Prints as `#`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber(String);

impl IdNumber {
    /// Reads a number however it was typed (full-width, small x, spaces); `today` bounds the day of birth.
    pub fn read(text: &str, today: Date) -> Result<IdNumber, BadIdNumber> {
        let plain: String = normalise(text).chars().filter(|c| *c != ' ').collect();
        let plain = plain.to_uppercase();
        let bytes = plain.as_bytes();
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if bytes.len() != LENGTH
            || !digits(&bytes[..LENGTH - 1])
            || !(digits(&bytes[LENGTH - 1..]) || bytes[LENGTH - 1] == b'X')
        {
            return Err(BadIdNumber::Form);
        }
        if !known_region(bytes) {
            return Err(BadIdNumber::Region);
        }
        let born = birth(bytes).ok_or(BadIdNumber::Birth)?;
        if born > today || born.year() < OLDEST {
            return Err(BadIdNumber::Birth);
        }
        if check_of(&bytes[..LENGTH - 1]) != bytes[LENGTH - 1] {
            return Err(BadIdNumber::Check);
        }
        Ok(IdNumber(plain))
    }

    /// The number itself: for sealing, or for an answer whose reading was logged.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The six digits of the region that first gave it.
    pub fn region(&self) -> &str {
        &self.0[..6]
    }

    pub fn birth(&self) -> Date {
        birth(self.0.as_bytes()).unwrap_or(Date::MIN)
    }

    pub fn sex(&self) -> Sex {
        match self.0.as_bytes()[16] % 2 {
            0 => Sex::Female,
            _ => Sex::Male,
        }
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#")
    }
}

/// `330902********1234`: the region and the last four.
pub fn masked(number: &str) -> String {
    match (number.get(..6), number.get(14..)) {
        (Some(region), Some(last)) => format!("{region}********{last}"),
        _ => "*".repeat(number.chars().count()),
    }
}

fn known_region(bytes: &[u8]) -> bool {
    let two = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
    if bytes[0] == b'9' {
        return PROVINCES.contains(&two(1));
    }
    PROVINCES.contains(&two(0))
}

fn birth(bytes: &[u8]) -> Option<Date> {
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .fold(0i16, |all, digit| all * 10 + i16::from(digit - b'0'))
    };
    let (month, day) = (i8::try_from(number(10, 12)).ok()?, i8::try_from(number(12, 14)).ok()?);
    Date::new(number(6, 10), month, day).ok()
}

fn check_of(first: &[u8]) -> u8 {
    let sum: u32 = first
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS[sum as usize % CHECKS.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 2, 14);

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let number = IdNumber::read("11010519491231002X", TODAY).unwrap();
        assert_eq!(
            (number.region(), number.birth(), number.sex()),
            ("110105", date(1949, 12, 31), Sex::Female)
        );
        assert_eq!(IdNumber::read("440524188001010014", TODAY).unwrap().sex(), Sex::Male);
        assert_eq!(IdNumber::read(" １１0105 19491231 002x ", TODAY).unwrap(), number);
        assert_eq!(format!("{number:?}"), "#");
        assert_eq!(masked(number.reveal()), "110105********002X");
        assert_eq!(masked("123"), "***");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let read = |text| IdNumber::read(text, TODAY).unwrap_err();
        assert_eq!(read("1101051949123100"), BadIdNumber::Form);
        assert_eq!(read("1101051949123100XX"), BadIdNumber::Form);
        assert_eq!(read("一二三四五六七八九十一二三四五六七八"), BadIdNumber::Form);
        assert_eq!(read("10010519491231002X"), BadIdNumber::Region);
        assert_eq!(read("11010519490231002X"), BadIdNumber::Birth);
        assert_eq!(read("110105203012310021"), BadIdNumber::Birth);
        assert_eq!(read("110105194912310021"), BadIdNumber::Check);
    }

    fn number() -> impl Strategy<Value = String> {
        (0..PROVINCES.len() - 1, 0u32..10_000, 0i32..40_000, 0u32..1_000).prop_map(|(province, rest, day, order)| {
            let born = date(1900, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            let first = format!(
                "{}{rest:04}{:04}{:02}{:02}{order:03}",
                PROVINCES[province],
                born.year(),
                born.month(),
                born.day()
            );
            let check = char::from(check_of(first.as_bytes()));
            format!("{first}{check}")
        })
    }

    proptest! {
        #[test]
        fn every_sound_number_is_read_and_says_its_birth(text in number()) {
            let read = IdNumber::read(&text, TODAY).unwrap();
            prop_assert_eq!(read.reveal(), &text);
            prop_assert_eq!(read.birth().strftime("%Y%m%d").to_string(), &text[6..14]);
        }

        /// What the check character is for: any one digit mistyped, and any two neighbours exchanged, is noticed.
        #[test]
        fn a_slip_is_noticed(text in number(), at in 0usize..17, other in 0u8..10) {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = b'0' + other;
            if wrong != text.as_bytes() {
                prop_assert!(IdNumber::read(std::str::from_utf8(&wrong).unwrap(), TODAY).is_err());
            }
            let mut swapped = text.clone().into_bytes();
            swapped.swap(at, (at + 1).min(16));
            if swapped != text.as_bytes() {
                prop_assert!(IdNumber::read(std::str::from_utf8(&swapped).unwrap(), TODAY).is_err());
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            let _ = IdNumber::read(&text, TODAY);
            let _ = masked(&text);
        }
    }
}
