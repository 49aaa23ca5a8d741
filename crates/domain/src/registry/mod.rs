//! Registry 人房: the rules of who lives where, what an identity number and an organisation code must be, and how a name is found.
//!
//! Entry points: [`identity::IdNumber`], [`credit::CreditCode`], [`room::Room`], [`kinship::Relation`], [`residence`], [`merge`], [`household`],
//! [`care`], [`names`]. Numbers of people are personal: nothing here prints one.

pub mod care;
pub mod credit;
pub mod household;
pub mod identity;
pub mod kinship;
pub mod merge;
pub mod names;
pub mod residence;
pub mod room;
