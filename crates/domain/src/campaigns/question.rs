//! Whom a campaign is for, and what is asked there.

use crate::registry::care;
use crate::registry::identity::Sex;
use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// Descriptions of people in one question, each side.
pub const MAX_PEOPLE: usize = 3;
/// Oldest age asked for.
pub const MAX_AGE: u8 = 130;
/// Things asked at the door, and answers to choose from.
pub const MAX_ASKS: usize = 8;
pub const MAX_CHOICES: usize = 6;
/// Characters of one thing asked, or of an answer.
pub const MAX_TEXT: usize = 60;

/// Whom a campaign is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Households of which all this holds.
    Households(Homes),
    /// Every facility of this kind.
    Facilities(String),
    /// Every grid.
    Grids,
}

/// What holds of a household. What is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Homes {
    /// On this floor or above.
    pub floor_from: Option<i16>,
    /// Whether the building has a lift; a building of which nobody knows is in neither answer.
    pub lift: Option<bool>,
    /// People who belong to it, from and to, both included.
    pub size_from: Option<u16>,
    pub size_to: Option<u16>,
    /// Somebody like this lives there, for each of these.
    pub with: Vec<Person>,
    /// Nobody like this lives there, for each of these.
    pub without: Vec<Person>,
}

/// What holds of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Full years of age, from and to, both included: under three is "to 2".
    pub age_from: Option<u8>,
    pub age_to: Option<u8>,
    pub sex: Option<Sex>,
    /// On the care register of this key.
    pub register: Option<String>,
}

/// Why a question cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadQuestion {
    /// From is after to, or out of bounds.
    Bounds,
    /// A person of whom nothing is said.
    Anybody,
    TooMany,
    /// Something is empty or too long.
    Text,
    /// Asks for what is nobody's business.
    Forbidden,
}

impl Question {
    /// What cannot be meant.
    pub fn check(&self) -> Result<(), BadQuestion> {
        match self {
            Question::Households(homes) => homes.check(),
            Question::Facilities(kind) if kind.trim().is_empty() || kind.chars().count() > MAX_TEXT => {
                Err(BadQuestion::Text)
            }
            Question::Facilities(_) | Question::Grids => Ok(()),
        }
    }

    /// Keys of the care registers it speaks of, each once.
    pub fn registers(&self) -> Vec<&str> {
        let Question::Households(homes) = self else {
            return Vec::new();
        };
        let people = homes.with.iter().chain(&homes.without);
        let mut keys: Vec<&str> = people.filter_map(|person| person.register.as_deref()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl Homes {
    fn check(&self) -> Result<(), BadQuestion> {
        if self.with.len() > MAX_PEOPLE || self.without.len() > MAX_PEOPLE {
            return Err(BadQuestion::TooMany);
        }
        let ordered = |from: Option<u16>, to: Option<u16>| from.zip(to).is_none_or(|(from, to)| from <= to);
        if !ordered(self.size_from, self.size_to) || self.size_to == Some(0) {
            return Err(BadQuestion::Bounds);
        }
        self.with.iter().chain(&self.without).try_for_each(Person::check)
    }
}

impl Person {
    fn check(&self) -> Result<(), BadQuestion> {
        if *self == Person::default() {
            return Err(BadQuestion::Anybody);
        }
        let (from, to) = (self.age_from.unwrap_or(0), self.age_to.unwrap_or(MAX_AGE));
        match from <= to && to <= MAX_AGE {
            true => Ok(()),
            false => Err(BadQuestion::Bounds),
        }
    }

    /// The first and the last day of birth of those who have this age on a day. Who was born on 29 February is a year older on 1 March.
    pub fn born(&self, on: Date) -> (Option<Date>, Option<Date>) {
        let before = |years: u8| on.saturating_sub(Span::new().years(years));
        // Not yet a year older than `to`: born after the day that many years and one ago.
        let first = self
            .age_to
            .map(|to| before(to.saturating_add(1)).saturating_add(1.day()));
        let last = self.age_from.map(before);
        (first, last)
    }
}

/// One thing asked at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub text: String,
    pub choices: Vec<Choice>,
}

/// An answer to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub text: String,
    /// Who answers so is on the list of those to be followed up.
    pub follow: bool,
}

/// All that is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks(pub Vec<Ask>);

impl Asks {
    /// What cannot be asked.
    pub fn check(&self) -> Result<(), BadQuestion> {
        if self.0.len() > MAX_ASKS {
            return Err(BadQuestion::TooMany);
        }
        for ask in &self.0 {
            if !(2..=MAX_CHOICES).contains(&ask.choices.len()) {
                return Err(BadQuestion::TooMany);
            }
            let texts = ask.choices.iter().map(|choice| &choice.text).chain([&ask.text]);
            for text in texts {
                if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
                    return Err(BadQuestion::Text);
                }
                if care::forbidden(text).is_some() {
                    return Err(BadQuestion::Forbidden);
                }
            }
        }
        Ok(())
    }

    /// Whether these are answers to what is asked: one each, or none where nobody said anything.
    pub fn fits(&self, answers: &[Option<u8>]) -> bool {
        let one = |(ask, answer): (&Ask, &Option<u8>)| answer.is_none_or(|at| usize::from(at) < ask.choices.len());
        answers.len() == self.0.len() && self.0.iter().zip(answers).all(one)
    }

    /// Whether one of the answers asks for more than this call.
    pub fn calls_for_more(&self, answers: &[Option<u8>]) -> bool {
        let chosen = self.0.iter().zip(answers);
        chosen
            .filter_map(|(ask, answer)| ask.choices.get(usize::from((*answer)?)))
            .any(|choice| choice.follow)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// Full years, as people count: one more on the birthday, on 1 March for who was born on 29 February where there is none.
    fn age(born: Date, on: Date) -> i16 {
        let passed = (on.month(), on.day()) >= (born.month(), born.day());
        on.year() - born.year() - i16::from(!passed)
    }

    proptest! {
        #[test]
        fn days_of_birth_are_those_of_the_age(
            on in (2000i16..2030, 0i32..366), born in (1890i16..2030, 0i32..366), from in 0u8..120, years in 0u8..10,
        ) {
            let day = |(year, days): (i16, i32)| date(year, 1, 1).saturating_add(days.days());
            let (on, born) = (day(on), day(born));
            prop_assume!(born <= on);
            let asked = Person { age_from: Some(from), age_to: Some(from + years), ..Person::default() };
            let (first, last) = asked.born(on);
            let within = first.unwrap() <= born && born <= last.unwrap();
            let years = age(born, on);
            prop_assert_eq!(within, (i16::from(from)..=i16::from(from) + i16::from(years_to(asked))).contains(&years), "{} {}", born, on);
        }
    }

    fn years_to(person: Person) -> u8 {
        person.age_to.unwrap() - person.age_from.unwrap()
    }

    #[test]
    fn a_question_that_cannot_be_meant_is_told() {
        let homes = |person: Person| {
            Question::Households(Homes {
                with: vec![person],
                ..Homes::default()
            })
            .check()
        };
        assert_eq!(
            homes(Person {
                age_to: Some(2),
                ..Person::default()
            }),
            Ok(())
        );
        assert_eq!(homes(Person::default()), Err(BadQuestion::Anybody));
        let turned = Person {
            age_from: Some(9),
            age_to: Some(3),
            ..Person::default()
        };
        assert_eq!(homes(turned), Err(BadQuestion::Bounds));
        let sizes = Homes {
            size_from: Some(3),
            size_to: Some(2),
            ..Homes::default()
        };
        assert_eq!(Question::Households(sizes).check(), Err(BadQuestion::Bounds));
        assert_eq!(Question::Facilities(" ".into()).check(), Err(BadQuestion::Text));
    }

    #[test]
    fn nobody_is_asked_what_they_believe() {
        let ask = |text: &str| {
            let choice = |text: &str| Choice {
                text: text.to_owned(),
                follow: false,
            };
            Asks(vec![Ask {
                text: text.to_owned(),
                choices: vec![choice("是"), choice("否")],
            }])
        };
        assert_eq!(ask("是否食用过问题奶粉").check(), Ok(()));
        assert_eq!(ask("是否信教").check(), Err(BadQuestion::Forbidden));
        assert_eq!(ask("近年是否上访").check(), Err(BadQuestion::Forbidden));
        assert_eq!(ask("").check(), Err(BadQuestion::Text));
    }

    #[test]
    fn answers_are_of_what_was_asked() {
        let choice = |text: &str, follow| Choice {
            text: text.to_owned(),
            follow,
        };
        let asks = Asks(vec![Ask {
            text: "食用过吗".into(),
            choices: vec![choice("是", true), choice("否", false)],
        }]);
        assert!(asks.fits(&[Some(1)]) && asks.fits(&[None]));
        assert!(!asks.fits(&[Some(2)]) && !asks.fits(&[]));
        assert!(asks.calls_for_more(&[Some(0)]));
        assert!(!asks.calls_for_more(&[Some(1)]) && !asks.calls_for_more(&[None]));
    }
}
