//! What a rule of duty says, as data.

use super::period::Every;
use crate::calendar::Span;
use crate::ids::WorkerId;
use crate::time::Timestamp;
use crate::workforce::{Appointment, Ask, Leave, Seat, on_duty, seated};

/// Most times in one period.
pub const MAX_TIMES: u16 = 100;
/// Most minutes in one period: four weeks round the clock.
pub const MAX_MINUTES: u32 = 40_320;
/// Most days between two that count.
pub const MAX_SPACING: u16 = 366;

/// A rule of what is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Names it in obligations and figures.
    pub key: String,
    pub who: Who,
    pub act: Act,
    pub quantity: Quantity,
    pub every: Every,
    /// Days from one that counts to the next: 0 every one counts, 1 several on the same day count once.
    pub spacing: u16,
    /// What is shorter does not count.
    pub least_minutes: u32,
    pub on: On,
    pub hours: Hours,
    /// Days before its share of the period in which it may be done already; none: from the period's first day on.
    pub early: Option<u16>,
    /// Days on which it can be done after the planned one that still count as in time; none: to the end of its share.
    pub grace: Option<u16>,
    pub by: By,
    pub evidence: Evidence,
    pub settled: Settled,
    pub away: Away,
    pub partial: Partial,
    pub missed: Missed,
}

/// Whom it is owed to: each of these is a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Every household of a grid.
    Households,
    /// Everybody on the care register of this key.
    Register(String),
    /// Every facility of this kind.
    Facilities(String),
    /// Every point of this list.
    Checkpoints(String),
    /// The grid itself.
    Grids,
}

impl Who {
    /// The words in packs.
    pub const KEYS: [&'static str; 5] = ["households", "register", "facilities", "checkpoints", "grids"];

    pub fn key(&self) -> &'static str {
        match self {
            Who::Households => "households",
            Who::Register(_) => "register",
            Who::Facilities(_) => "facilities",
            Who::Checkpoints(_) => "checkpoints",
            Who::Grids => "grids",
        }
    }

    /// Which register, kind or list.
    pub fn of(&self) -> Option<&str> {
        match self {
            Who::Register(of) | Who::Facilities(of) | Who::Checkpoints(of) => Some(of),
            Who::Households | Who::Grids => None,
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// 走访: somebody is called on.
    Visit,
    /// 检查: something is looked at.
    Check,
    /// 巡查: a round through the grid.
    Patrol,
}

impl Act {
    pub const ALL: [Act; 3] = [Act::Visit, Act::Check, Act::Patrol];

    /// The word in SQL, API and packs.
    pub fn key(self) -> &'static str {
        match self {
            Act::Visit => "visit",
            Act::Check => "check",
            Act::Patrol => "patrol",
        }
    }

    pub fn parse(key: &str) -> Option<Act> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// How much in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// `least` times are owed; up to `most` are counted ("two to three rounds a day").
    Times { least: u16, most: u16 },
    /// So many minutes in all.
    Minutes(u32),
}

/// On which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    Every,
    /// Days with working time, made-up ones too.
    Working,
    /// From Monday on.
    Weekdays([bool; 7]),
}

/// At which time of the day it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hours {
    Any,
    /// In working time.
    Working,
    Within(Vec<Span>),
}

/// By whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Duty of the post one of them holds or stands in for.
    pub duty: String,
    /// People at least: 2 for a pair.
    pub people: u8,
}

/// What has to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    pub photo: bool,
    pub position: bool,
    /// What was said, written down.
    pub talk: bool,
}

/// What counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Somebody was met, the thing was looked at.
    Met,
    /// Having been there is enough.
    Gone,
}

/// On whom it falls while the holder of the post is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    StandIn,
    /// It waits for the holder.
    Waits,
}

/// What is owed to those who join or leave in the middle of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partial {
    /// The whole number, however short the time.
    Full,
    /// The part of their days in the period's days, rounded down.
    Share,
    /// Nothing: they begin with the next period. Those who leave are owed nothing more.
    Next,
}

/// What becomes of it when the period is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It stays owed and can be made up until the next period is over.
    Owed,
    /// It cannot be made up.
    Lapses,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Met,
    NobodyHome,
    Refused,
    /// Shut for a time.
    Closed,
    MovedAway,
}

impl Outcome {
    pub const ALL: [Outcome; 5] = [
        Outcome::Met,
        Outcome::NobodyHome,
        Outcome::Refused,
        Outcome::Closed,
        Outcome::MovedAway,
    ];

    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            Outcome::Met => "met",
            Outcome::NobodyHome => "nobody_home",
            Outcome::Refused => "refused",
            Outcome::Closed => "closed",
            Outcome::MovedAway => "moved_away",
        }
    }

    pub fn parse(key: &str) -> Option<Outcome> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// Why a rule cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// More times than the period has room for at this spacing.
    NoRoom,
    /// `most` below `least`, or none at all.
    NoTimes,
    /// More minutes than the period has.
    TooManyMinutes,
    /// Minutes cannot be made up another day, nor spaced.
    MinutesWait,
    /// No weekday.
    NoDay,
    /// Patrols are of grids; places are checked or visited.
    ActElsewhere,
    /// Calls within a grid are counted by day, week or month: longer would be too many to count again at each one.
    TooLong,
}

impl Rule {
    /// Whether it can be kept at all in an ordinary period.
    pub fn misfit(&self) -> Option<Misfit> {
        let days = self.every.shortest();
        let room = |times: u16| u32::from(times.max(1) - 1) * u32::from(self.spacing) < days;
        match self.quantity {
            Quantity::Times { least, most } if least == 0 || most < least => Some(Misfit::NoTimes),
            Quantity::Times { least, .. } if !room(least) => Some(Misfit::NoRoom),
            Quantity::Minutes(0) => Some(Misfit::NoTimes),
            Quantity::Minutes(minutes) if minutes > days * 1_440 => Some(Misfit::TooManyMinutes),
            Quantity::Minutes(_) if self.missed == Missed::Owed || self.spacing > 0 => Some(Misfit::MinutesWait),
            _ if self.on == On::Weekdays([false; 7]) => Some(Misfit::NoDay),
            _ if self.act == Act::Patrol && self.who != Who::Grids => Some(Misfit::ActElsewhere),
            _ if self.who == Who::Grids && self.every > Every::Month => Some(Misfit::TooLong),
            _ => None,
        }
    }

    /// What is owed to somebody who can be called on `here` of the period's `all` days.
    pub(super) fn need(&self, here: usize, all: usize) -> u32 {
        let full = match self.quantity {
            Quantity::Times { least, .. } => u32::from(least),
            Quantity::Minutes(minutes) => minutes,
        };
        match self.partial {
            _ if here == 0 => 0,
            Partial::Full => full,
            Partial::Share => (u64::from(full) * here as u64 / all.max(1) as u64) as u32,
            Partial::Next if here == all => full,
            Partial::Next => 0,
        }
    }
}

/// The worker it falls to now, of a post's appointments and leaves; nobody where the seats are empty or all are away.
pub fn falls_to(away: Away, appointments: &[Appointment], leaves: &[Leave], at: Timestamp) -> Option<WorkerId> {
    match away {
        Away::StandIn => on_duty(appointments, leaves, true, Ask::Own, at).worker(),
        Away::Waits => seated(appointments, Seat::A, at),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn it_falls_to_the_stand_in_and_comes_back() {
        let seat = |worker, seat| Appointment {
            worker: WorkerId(worker),
            seat,
            from: date(2026, 1, 1),
            to: None,
        };
        let seats = [seat(1, Seat::A), seat(2, Seat::B)];
        let at = |day| Timestamp::from_civil(date(2026, 2, day).at(9, 0, 0, 0));
        let leaves = [Leave {
            worker: WorkerId(1),
            from: at(10),
            to: at(12),
        }];
        let who = |away, day| falls_to(away, &seats, &leaves, at(day)).map(|worker| worker.0);
        assert_eq!(
            [9, 10, 11, 12].map(|day| who(Away::StandIn, day).unwrap()),
            [1, 2, 2, 1]
        );
        assert_eq!([9, 10, 11, 12].map(|day| who(Away::Waits, day).unwrap()), [1, 1, 1, 1]);
        assert_eq!(falls_to(Away::StandIn, &seats[..1], &leaves, at(10)), None);
    }
}
