//! Workforce 队伍: units, posts, appointments, leave.

mod http;

pub use http::routes;
