//! Sync 同步: the log of a phone. What a worker did without a signal arrives as numbered operations; each takes effect once, in the
//! transaction that also keeps that it was received; what cannot be done is kept with its reason until somebody settles it.
//!
//! Entry points: [`routes`]; [`take::take_all`] for a batch, [`bundle`] for what a phone takes along, [`parked`] for what waits for somebody, [`devices`] for lost phones. What each
//! operation does belongs to the parts it is for ([`commands`]). Must not decide anything about cases, visits or campaigns.

mod bundle;
mod commands;
mod devices;
mod http;
mod parked;
mod store;
mod take;

pub use http::routes;
