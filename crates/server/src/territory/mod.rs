//! Territory 区域: areas, boundaries, addresses.

mod http;

pub use http::routes;
