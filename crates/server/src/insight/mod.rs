//! Insight 研判: counts, board, indicators.

mod http;

pub use http::routes;
