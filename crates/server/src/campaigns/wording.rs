//! Questions and asks as they are given, sent and kept.

use crate::platform::Fault;
use domain::campaigns::{Ask, Asks, BadQuestion, Choice, Homes, Person, Question};
use domain::registry::identity::Sex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom a campaign is for. What is left out does not matter.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionText {
    /// `households`, `facilities` or `grids`.
    pub who: String,
    /// Kind of facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// On this floor or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_from: Option<i16>,
    /// Whether the building has a lift; one of which nobody knows is in neither answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<bool>,
    /// People in the household, both included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_from: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_to: Option<u16>,
    /// Somebody like this lives there, for each.
    #[serde(default)]
    #[schema(inline)]
    pub with: Vec<PersonText>,
    /// Nobody like this lives there, for each.
    #[serde(default)]
    #[schema(inline)]
    pub without: Vec<PersonText>,
}

/// What holds of one person.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonText {
    /// Full years of age, both included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_from: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_to: Option<u8>,
    /// `female` or `male`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// Key of a care register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
}

/// One thing asked at the door.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskText {
    pub text: String,
    #[schema(inline)]
    pub choices: Vec<ChoiceText>,
}

/// An answer to choose; `follow`: who answers so is to be followed up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceText {
    pub text: String,
    #[serde(default)]
    pub follow: bool,
}

/// The code of what is wrong.
fn told(field: &'static str, bad: BadQuestion) -> Fault {
    let code = match bad {
        BadQuestion::Bounds => "campaign_bounds",
        BadQuestion::Anybody => "campaign_anybody",
        BadQuestion::TooMany => "campaign_too_many",
        BadQuestion::Text => "campaign_text",
        BadQuestion::Forbidden => "campaign_forbidden",
    };
    Fault::invalid(field, code)
}

impl QuestionText {
    /// What it means, where it can be meant.
    pub fn read(&self) -> Result<Question, Fault> {
        let question = self.kept()?;
        question.check().map_err(|bad| told("question", bad))?;
        Ok(question)
    }

    /// What it means, as it was kept: it was looked at when it was given.
    pub fn kept(&self) -> Result<Question, Fault> {
        Ok(match self.who.as_str() {
            "households" => Question::Households(Homes {
                floor_from: self.floor_from,
                lift: self.lift,
                size_from: self.size_from,
                size_to: self.size_to,
                with: self.with.iter().map(person).collect::<Result<_, _>>()?,
                without: self.without.iter().map(person).collect::<Result<_, _>>()?,
            }),
            "facilities" => Question::Facilities(self.of.clone().unwrap_or_default()),
            "grids" => Question::Grids,
            _ => return Err(Fault::invalid("question.who", "invalid_field")),
        })
    }

    pub fn of(question: &Question) -> QuestionText {
        let who = |who: &str| QuestionText {
            who: who.to_owned(),
            ..QuestionText::default()
        };
        match question {
            Question::Households(homes) => QuestionText {
                floor_from: homes.floor_from,
                lift: homes.lift,
                size_from: homes.size_from,
                size_to: homes.size_to,
                with: homes.with.iter().map(person_text).collect(),
                without: homes.without.iter().map(person_text).collect(),
                ..who("households")
            },
            Question::Facilities(kind) => QuestionText {
                of: Some(kind.clone()),
                ..who("facilities")
            },
            Question::Grids => who("grids"),
        }
    }
}

fn person(text: &PersonText) -> Result<Person, Fault> {
    let sex = match text.sex.as_deref() {
        Some("female") => Some(Sex::Female),
        Some("male") => Some(Sex::Male),
        None => None,
        Some(_) => return Err(Fault::invalid("question", "invalid_field")),
    };
    Ok(Person {
        age_from: text.age_from,
        age_to: text.age_to,
        sex,
        register: text.register.clone(),
    })
}

fn person_text(person: &Person) -> PersonText {
    let sex = person.sex.map(|sex| match sex {
        Sex::Female => "female",
        Sex::Male => "male",
    });
    PersonText {
        age_from: person.age_from,
        age_to: person.age_to,
        sex: sex.map(str::to_owned),
        register: person.register.clone(),
    }
}

/// What the asks mean, where they may be asked.
pub fn read_asks(texts: &[AskText]) -> Result<Asks, Fault> {
    let asks = kept_asks(texts);
    asks.check().map_err(|bad| told("asks", bad))?;
    Ok(asks)
}

/// What the asks mean, as they were kept.
pub fn kept_asks(texts: &[AskText]) -> Asks {
    let choice = |one: &ChoiceText| Choice {
        text: one.text.trim().to_owned(),
        follow: one.follow,
    };
    let ask = |one: &AskText| Ask {
        text: one.text.trim().to_owned(),
        choices: one.choices.iter().map(choice).collect(),
    };
    Asks(texts.iter().map(ask).collect())
}

/// The asks as they are sent.
pub fn ask_texts(asks: &Asks) -> Vec<AskText> {
    let choice = |one: &Choice| ChoiceText {
        text: one.text.clone(),
        follow: one.follow,
    };
    let ask = |one: &Ask| AskText {
        text: one.text.clone(),
        choices: one.choices.iter().map(choice).collect(),
    };
    asks.0.iter().map(ask).collect()
}
