//! Exchange 交换: lists that come in, lists that go out, other systems, messages, what the public is shown.
//!
//! Entry points: [`import`], [`people`], [`open311`], [`ogc`], [`peers`], [`webhooks`], [`sms`], [`account`], [`sending`], [`routes`]. A list goes through the cases part's own functions; nothing here makes or reads a case by itself.

pub mod account;
pub mod care;
mod columns;
mod dialogue;
mod export;
mod http;
pub mod import;
pub mod ogc;
pub mod open311;
mod outgoing;
pub mod peers;
pub mod people;
pub mod requests311;
pub mod rows;
pub mod sending;
mod signed;
pub mod sms;
mod store;
mod table;
mod transparency;
pub mod webhooks;

pub use http::routes;
pub use table::{MAX_BYTES, MAX_ROWS};
