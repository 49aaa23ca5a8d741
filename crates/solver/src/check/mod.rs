//! Judges plans and certificates, independent of what made them: nothing here calls the code that draws.
//!
//! - [`sound`]: whether a town, a rule and wishes can be worked with at all;
//! - [`breaches`]: everything a plan breaks, named;
//! - [`figures`]: what it comes to;
//! - [`proved`]: whether what a plan says about a zone is true.
//! - [`route`]: the same for a walker's day and its route.

mod figures;
mod input;
mod plan;
mod proofs;
pub mod route;

pub use figures::{Figures, figures};
pub use input::{Flaw, sound};
pub use plan::{Breach, breaches};
pub use proofs::{Proof, proved};
