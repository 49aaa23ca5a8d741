//! Webhooks 推送: a partner is told of public changes as they happen, by signed messages of the Standard Webhooks specification
//! (standardwebhooks.com, PJ-13). What is told is what the partner may read over Open311: public matters of its own area, nothing personal.
//!
//! Entry points: [`register`] (the job), [`routes`]. Every message is kept with what became of it and can be sent again. A message may
//! arrive twice (the server can die between sending and noting it): it carries the same `webhook-id` then. Must not: send anywhere the
//! operator did not allow, or to a private address a name leads to.

mod http;
mod log;
pub(in crate::exchange) mod send;
mod store;
pub(in crate::exchange) mod target;

pub use http::routes;
pub use log::stop_of;
pub use send::register;
