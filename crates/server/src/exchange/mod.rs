//! Exchange 交换: imports and mailboxes.

mod http;

pub use http::routes;
