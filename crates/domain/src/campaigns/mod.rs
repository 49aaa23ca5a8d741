//! Campaigns 专项行动: a question that finds whom it is for, what is asked at the door, and how one call changes how the campaign stands there.
//!
//! Entry points: [`Question::check`], [`Asks::check`], [`Person::born`], [`State::after`]. A question speaks of homes and of what services need to know of
//! people (age, sex, care registers); there is no way to ask for anything else (promise 1 of the product).

mod question;
mod standing;

pub use question::{
    Ask, Asks, BadQuestion, Choice, Homes, MAX_AGE, MAX_ASKS, MAX_CHOICES, MAX_PEOPLE, MAX_TEXT, Person, Question,
};
pub use standing::{Call, State};
