//! SQL of plans.

pub mod adopt;
mod draft;
pub mod zonings;

pub use draft::*;
