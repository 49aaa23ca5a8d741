//! Registry 人房: households in their rooms, residents with dated residences, organisations; sealed person by person, shown masked.
//!
//! Entry points for the parts above: [`follow_dwellings`] and [`loose_in`] with [`move_loose`] (a new division of the ground takes its homes
//! along), [`living_in`] (what an area that ends would lose), [`home`] and [`homes_after`] (where households are, for what is owed to them), [`packed`] (what a phone takes along), [`matching_count`] and [`matching_after`] (which households a question finds), [`now_of`] and [`merged_of`] (two records of one person), [`intake`] and [`care_list`] (lists taken over). Every look at a person takes a purpose and is logged in the transaction that
//! reads. Must not: say anything about a person that a service does not need.

mod buildings;
mod care;
pub mod care_list;
mod counts;
mod follow;
mod homes;
mod households;
mod http;
pub mod intake;
mod merges;
mod organisations;
mod packed;
mod pairing;
mod place;
mod residents;
mod search;
mod store;
mod vault;

pub use care::{OnRegister, may_know, on_register_after, on_registers};
pub use counts::living_in;
pub use follow::{Loose, follow_dwellings, loose_in, move_loose};
pub use homes::{Address, Home, addresses, addresses_of, home, homes_after, matching_after, matching_count};
pub use http::residents::{posted_change, posted_end, posted_register};
pub use http::routes;
pub use merges::now_of;
pub use packed::{PackedHome, packed, packed_told};
pub use pairing::{Pairing, goes_to, mine as my_pairs, one as pairing, whereabouts};
pub use residents::Masked;
pub use store::matching::At;
pub use store::merges::merged_of;

use crate::platform::{App, HouseholdId, ResidentId};

/// News: these households, or residents, came, went, or lie elsewhere now, or are on other care registers. What a new map or a new division of the ground moves is told as a whole, not here.
pub struct HomesChanged {
    pub households: Vec<HouseholdId>,
    pub residents: Vec<ResidentId>,
}

/// Makes known what this part follows; once at the start.
pub fn register(app: &App) {
    follow::register(app);
    care::register(app);
}
