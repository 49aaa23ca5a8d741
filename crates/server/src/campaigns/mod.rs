//! Campaigns 专项行动: from a question to the doorsteps it finds, what was answered there, what is to be followed up, and a report at the end.
//!
//! Entry points: [`make`], [`start`] and [`close`] (whoever supervises), [`today`] and [`record`] (whoever goes), [`figures`]. Those it is for are
//! found page by page at the start, and again when somebody asks; who leaves first is told as gone. Must not: ask what a
//! service does not need (`domain::campaigns`), or keep answers after the day that was said at the start.

mod campaign;
mod counts;
mod follow;
mod http;
mod keep;
mod results;
mod store;
mod tasks;
mod wording;

pub use campaign::{
    Campaign, Phase, Wish, begins_at, close, figures, find_again, make, matching, seen, start, visible,
};
pub use follow::follow;
pub use http::{posted, routes};
pub use results::{NewResult, record};
pub use tasks::{Asked, Task, list, today};
pub use wording::{AskText, ChoiceText, PersonText, QuestionText};

use crate::platform::{App, news};

/// Makes known what this part does by itself and what it follows; once at the start.
pub fn register(app: &App) {
    tasks::register(app);
    keep::register(app);
    follow::register(app);
    news::follow(app, follow::homes_changed);
}
