//! Pure rules of wangge: no clock, no randomness, no file, no network, no database. Time is a parameter.

pub mod calendar;
pub mod campaigns;
pub mod cases;
pub mod disclosure;
pub mod duties;
pub mod gauss;
pub mod geo;
pub mod ids;
pub mod message;
pub mod policy;
pub mod projects;
pub mod registry;
pub mod sync;
pub mod territory;
pub mod text;
pub mod time;
pub mod workforce;
