//! Codes of organisations (GB 32100-2015): authority, kind, 6 digits of region, 9 characters of the body, one that checks the rest.
//!
//! Entry point: [`CreditCode::read`].

use crate::text::normalise;
use std::fmt;

/// Without I, O, S, V and Z, which look like digits.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const LENGTH: usize = 18;
const WEIGHTS: [usize; LENGTH - 1] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// Why a text is not a credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCreditCode {
    #[error("18 characters of 0-9 and A-Z without I, O, S, V, Z")]
    Form,
    #[error("the last character does not fit the rest")]
    Check,
}

/// A sound code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// Reads a code however it was typed (full-width, small letters, spaces).
    pub fn read(text: &str) -> Result<CreditCode, BadCreditCode> {
        let plain: String = normalise(text).chars().filter(|c| *c != ' ').collect();
        let plain = plain.to_uppercase();
        let bytes = plain.as_bytes();
        let known = bytes.iter().all(|byte| ALPHABET.contains(byte));
        if bytes.len() != LENGTH || !known || !bytes[2..8].iter().all(u8::is_ascii_digit) {
            return Err(BadCreditCode::Form);
        }
        if check_of(&bytes[..LENGTH - 1]) != bytes[LENGTH - 1] {
            return Err(BadCreditCode::Check);
        }
        Ok(CreditCode(plain))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The six digits of the region where it is registered.
    pub fn region(&self) -> &str {
        &self.0[2..8]
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of characters of the alphabet.
fn check_of(first: &[u8]) -> u8 {
    let value = |byte: &u8| ALPHABET.iter().position(|one| one == byte).unwrap_or_default();
    let sum: usize = first
        .iter()
        .zip(WEIGHTS)
        .map(|(byte, weight)| value(byte) * weight)
        .sum();
    ALPHABET[(ALPHABET.len() - sum % ALPHABET.len()) % ALPHABET.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_standard_is_read() {
        let code = CreditCode::read("91350100M000100Y43").unwrap();
        assert_eq!((code.as_str(), code.region()), ("91350100M000100Y43", "350100"));
        assert_eq!(CreditCode::read(" 91350100ｍ000100y43").unwrap(), code);
        assert_eq!(CreditCode::read("91350100M000100Y44"), Err(BadCreditCode::Check));
        assert_eq!(CreditCode::read("91350100I000100Y43"), Err(BadCreditCode::Form));
        assert_eq!(CreditCode::read("9135010"), Err(BadCreditCode::Form));
    }

    #[test]
    fn the_weights_are_powers_of_three() {
        let mut power = 1;
        for weight in WEIGHTS {
            assert_eq!(weight, power);
            power = power * 3 % ALPHABET.len();
        }
    }

    proptest! {
        #[test]
        fn a_slip_is_noticed(region in 0u32..1_000_000, body in "[0-9A-HJ-NPQRTUWXY]{9}", at in 0usize..17, other in 0usize..31) {
            let first = format!("91{region:06}{body}");
            let code = format!("{first}{}", char::from(check_of(first.as_bytes())));
            prop_assert!(CreditCode::read(&code).is_ok());
            let mut wrong = code.clone().into_bytes();
            wrong[at] = ALPHABET[other];
            if wrong != code.as_bytes() {
                prop_assert!(CreditCode::read(std::str::from_utf8(&wrong).unwrap()).is_err());
            }
        }
    }
}
