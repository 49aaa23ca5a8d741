//! What is answered: the order with its times, and what was left out and why.

use super::Seconds;

/// A stop on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    pub stop: usize,
    pub arrive: Seconds,
    /// Later than `arrive` by waiting, and by lunch where that is taken here first.
    pub begin: Seconds,
    pub leave: Seconds,
}

/// Where and when the break is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The place's number.
    pub place: usize,
    /// It comes before the halt of this number; the number of halts: after all of them.
    pub before: usize,
    pub from: Seconds,
    pub to: Seconds,
}

/// Why a stop is not on the route. Each is a fact about the day, shown in words by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no way to it, or none on to the end.
    Unreachable,
    /// Even alone: when one can be there, it is closed, or the day is too short for it.
    Closed,
    /// Its windows fall where the others are held; at another time it could be done as well.
    Clash,
    /// The others take the day.
    Full,
    /// There is room, but the way and the waiting would cost more than it is worth.
    Dear,
}

impl Why {
    /// Stable, for interfaces.
    pub fn code(self) -> &'static str {
        match self {
            Why::Unreachable => "unreachable",
            Why::Closed => "closed",
            Why::Clash => "clash",
            Why::Full => "full",
            Why::Dear => "dear",
        }
    }
}

/// A day's route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// When the start place is left: as late as saves waiting.
    pub leave: Seconds,
    pub halts: Vec<Halt>,
    /// None where there is none, or it is had before leaving or after coming back.
    pub lunch: Option<Break>,
    /// When the end place is reached.
    pub back: Seconds,
    pub metres: u64,
    pub walking: Seconds,
    pub waiting: Seconds,
    /// In the order of the stops.
    pub left_out: Vec<(usize, Why)>,
}
