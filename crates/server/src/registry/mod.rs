//! Registry 人房: households in their rooms, residents with dated residences, organisations; sealed person by person, shown masked.
//!
//! Entry points for the parts above: [`follow_dwellings`] and [`loose_in`] with [`move_loose`] (a new division of the ground takes its homes
//! along), [`living_in`] (what an area that ends would lose). Every look at a person takes a purpose and is logged in the transaction that
//! reads. Must not: say anything about a person that a service does not need.

mod counts;
mod follow;
mod households;
mod http;
mod organisations;
mod place;
mod residents;
mod search;
mod store;
mod vault;

pub use counts::living_in;
pub use follow::{Loose, follow_dwellings, loose_in, move_loose};
pub use http::routes;

use crate::platform::App;

/// Makes known what this part follows; once at the start.
pub fn register(app: &App) {
    follow::register(app);
}
