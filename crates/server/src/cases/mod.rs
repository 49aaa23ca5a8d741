//! Cases 事件: the loop from report to closing.

mod http;

pub use http::routes;
