//! Peers 对接平台 (PJ-13): other platforms that cases are passed to and taken from, in signed and numbered messages.
//!
//! Two administrators exchange introductions (name, address, public key), compare the fingerprints, and say what may be passed on. Entry
//! points: [`routes`] (staff and administrators), [`plain_routes`] (what the other platform calls), [`register`] (the jobs that send, fetch
//! photos and compare at night). What a message does to a case is in `cases::handover`. The protocol is in `docs/guide/integrator.md`.
//! Must not: send anywhere the operator did not allow, believe anything unsigned, or act twice on one message.

mod figures;
mod http;
mod registry;
mod send;
mod sign;
mod store;
mod take;

pub use http::routes;
pub use send::register;
pub use take::plain_routes;

/// The name of the protocol, in everything that is signed.
const PROTOCOL: &str = "wangge-peer-1";
