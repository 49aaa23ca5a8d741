//! Access 权限: accounts, sessions, second factor, roles and grants, and the log of who read what.
//!
//! Entry points: [`Staff`] (the signed-in person of a request, as a `Ctx` with its scope) and [`log_read`] (without which no personal
//! data may be answered). Works at the level of the platform: every part above uses it. Must not decide what a case is.

mod extract;
mod http;
mod read_log;
mod session;

pub use extract::{SignedIn, Staff};
pub use http::routes;
pub use read_log::log_read;
