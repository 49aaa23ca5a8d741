//! Exchange 交换: lists that come in, lists that go out, what the public is shown.
//!
//! Entry points: [`import`], [`routes`]. A list goes through the cases part's own functions; nothing here makes or reads a case by itself.

mod export;
mod http;
pub mod import;
mod rows;
mod store;
mod table;
mod transparency;

pub use http::routes;
pub use table::{MAX_BYTES, MAX_ROWS};
