//! The dialogue 对话: what a resident writes in short messages, and what they are answered; the same over SMS and the public account
//! (LH-23, PJ-11).
//!
//! Entry points: [`take`] (a message came in: once, within the quotas, long ones whole), [`join_late`] (parts that waited too long),
//! [`routes`] (the log for the administrator). What a message means is decided by `domain::message`; what happens then is done through the
//! functions of `cases` only. Must not: tell anybody about a report that was not made from their own contact, unless they give its code.

mod hear;
mod http;
mod log;
mod store;
mod take;

pub use http::routes;
pub use take::{Arrived, follows, has_late, join_late, take};
