//! Cases 事件: the loop from report to closing.

mod http;
pub mod search;

pub use http::routes;
