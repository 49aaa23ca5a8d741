//! Policy 规则包: the pack that makes the platform one place's.

mod http;

pub use http::routes;
