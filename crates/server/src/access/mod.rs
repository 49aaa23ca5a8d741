//! Access 权限: accounts, sessions, second factor, roles and grants, and the log of who read what.
//!
//! Entry points: [`Staff`] (the signed-in person of a request, as a `Ctx` with its scope) and [`log_read`] (without which no personal
//! data may be answered). Works at the level of the platform: every part above uses it. Must not decide what a case is.

mod account;
mod directory;
mod extract;
mod http;
mod kept;
mod password;
mod read_log;
mod session;
mod sign_in;
mod store;
mod totp;

pub use account::{
    AccountError, GrantWish, NewAccount, add as add_account, end_sessions, first_administrator, set_password_hash,
};
pub use directory::{AreaFacts, Directory};
pub use extract::{SignedIn, Staff};
pub use http::routes;
pub use password::hash as hash_password;
pub use read_log::{Look, log_read, looks};
pub use sign_in::TRIES;
pub use store::{Role, account_of_worker, moves, roles};
