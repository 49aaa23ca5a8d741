//! Pure rules of wangge: no clock, no randomness, no file, no network, no database. Time is a parameter.

pub mod calendar;
pub mod cases;
pub mod ids;
pub mod time;
