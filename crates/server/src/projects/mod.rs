//! Projects 督办项目: what somebody must have done by a day, who leads it, which units do it, how it goes, more time by approval, and who accepted it.
//!
//! Entry points: [`make`] (whoever gives projects out), [`act`] (everything afterwards), [`list`], [`seen`], [`board`]. Who leads one or sits in one of its
//! units sees it wherever it lies. The rules are `domain::projects`; the dates are spoken of by [`remind`]. Must not: let anybody accept their own work.

mod acts;
mod board;
mod http;
mod project;
mod remind;
mod store;

pub use acts::{Deed, act};
pub use board::{Counts, board};
pub use http::routes;
pub use project::{Asked, Detail, Entry, Milestone, Project, Wish, has_photo, list, make, seen};

use crate::platform::App;

/// Makes the job of this part known; once at the start.
pub fn register(app: &App) {
    remind::register(app);
}
