//! Cases 事件 from report to closing: the rules of the main loop. Each file is one subject; none reads time, files or a database.
//!
//! Entry points: [`state::Case`] and its transitions; [`table`] says which exist.

pub mod away;
pub mod clock;
pub mod dispatch;
pub mod finish;
pub mod handover;
pub mod joining;
pub mod joint;
pub mod order;
pub mod oversight;
pub mod receive;
pub mod refusal;
pub mod requests;
pub mod state;
pub mod table;

pub use finish::{Evidence, Given};
pub use joint::Mediation;
pub use refusal::ALL_CODES;
pub use state::*;

#[cfg(test)]
mod model_test;
