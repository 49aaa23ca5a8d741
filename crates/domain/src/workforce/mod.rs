//! Workforce 队伍: who holds a post, and on whom its work falls right now (A/B posts, PJ-08).
//!
//! Entry points: [`on_duty`] and [`may_appoint`]. Dates are civil dates in +08:00; a leave is from an instant to an instant.
//! Must not: change anything when a leave begins or ends; work returns to A because the question is asked again.

use crate::ids::WorkerId;
use crate::time::Timestamp;
use jiff::civil::Date;

/// The two seats of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// Holds the post.
    A,
    /// Stands in.
    B,
}

impl Seat {
    pub fn key(self) -> &'static str {
        match self {
            Seat::A => "A",
            Seat::B => "B",
        }
    }

    pub fn parse(key: &str) -> Option<Seat> {
        match key {
            "A" => Some(Seat::A),
            "B" => Some(Seat::B),
            _ => None,
        }
    }
}

/// From the start of `from` to the end of `to` (no end: until further notice).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub from: Date,
    pub to: Option<Date>,
}

impl Term {
    /// None where it would end before it starts.
    pub fn new(from: Date, to: Option<Date>) -> Option<Term> {
        to.is_none_or(|to| from <= to).then_some(Term { from, to })
    }

    pub fn covers(&self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }

    pub fn overlaps(&self, other: &Term) -> bool {
        let starts_before_end = |a: &Term, b: &Term| b.to.is_none_or(|to| a.from <= to);
        starts_before_end(self, other) && starts_before_end(other, self)
    }
}

/// A worker in a seat of one post, from the start of `from` to the end of `to` (no end: until further notice).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointment {
    pub worker: WorkerId,
    pub seat: Seat,
    pub from: Date,
    pub to: Option<Date>,
}

impl Appointment {
    pub fn covers(&self, date: Date) -> bool {
        self.term().covers(date)
    }

    fn term(&self) -> Term {
        Term {
            from: self.from,
            to: self.to,
        }
    }

    fn overlaps(&self, other: &Appointment) -> bool {
        self.term().overlaps(&other.term())
    }
}

/// Away from `from` (included) to `to` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    pub worker: WorkerId,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Leave {
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// What is asked of the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Whose work is it? Ordinary work waits for A's next duty time.
    Own,
    /// Who must be reached now (emergencies, escalation)? Outside A's duty time this is B.
    Reach,
}

/// Why the stand-in has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    Vacant,
    OnLeave,
    OffDuty,
}

impl Because {
    pub fn key(self) -> &'static str {
        match self {
            Because::Vacant => "vacant",
            Because::OnLeave => "on_leave",
            Because::OffDuty => "off_duty",
        }
    }
}

/// The answer: the holder, the stand-in, or nobody, which must be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuty {
    Holder(WorkerId),
    StandIn {
        worker: WorkerId,
        because: Because,
    },
    /// Why A cannot, and whether B's seat is empty (true) or B is away too (false).
    Gap {
        holder: Because,
        stand_in_vacant: bool,
    },
}

impl OnDuty {
    pub fn worker(self) -> Option<WorkerId> {
        match self {
            OnDuty::Holder(worker) | OnDuty::StandIn { worker, .. } => Some(worker),
            OnDuty::Gap { .. } => None,
        }
    }

    pub fn seat(self) -> Option<Seat> {
        match self {
            OnDuty::Holder(_) => Some(Seat::A),
            OnDuty::StandIn { .. } => Some(Seat::B),
            OnDuty::Gap { .. } => None,
        }
    }
}

/// On whom the post's work falls at `at`. `in_duty_time` says whether `at` lies in the post's duty time; it matters for [`Ask::Reach`] only.
/// B is on call: a stand-in is expected to be reachable outside duty time, which is what the seat is for.
pub fn on_duty(appointments: &[Appointment], leaves: &[Leave], in_duty_time: bool, ask: Ask, at: Timestamp) -> OnDuty {
    let holder = seated(appointments, Seat::A, at);
    let away = |worker: WorkerId| leaves.iter().any(|leave| leave.worker == worker && leave.covers(at));
    let because = match holder {
        None => Because::Vacant,
        Some(worker) if away(worker) => Because::OnLeave,
        Some(_) if ask == Ask::Reach && !in_duty_time => Because::OffDuty,
        Some(worker) => return OnDuty::Holder(worker),
    };
    match seated(appointments, Seat::B, at) {
        Some(worker) if !away(worker) => OnDuty::StandIn { worker, because },
        stand_in => OnDuty::Gap {
            holder: because,
            stand_in_vacant: stand_in.is_none(),
        },
    }
}

/// Who sits there on that date; the earliest appointed when data from elsewhere seats two.
pub fn seated(appointments: &[Appointment], seat: Seat, at: Timestamp) -> Option<WorkerId> {
    let date = at.date();
    let here = appointments.iter().filter(|one| one.seat == seat && one.covers(date));
    here.min_by_key(|one| (one.from, one.worker)).map(|one| one.worker)
}

/// Why an appointment cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppointRefused {
    #[error("the appointment would end before it starts")]
    EndsBeforeStart,
    #[error("the seat is taken in that time")]
    SeatTaken,
    #[error("the same worker would hold both seats of the post")]
    OwnStandIn,
}

/// Whether `new` fits beside the post's other appointments: a seat holds one worker at a time, and nobody stands in for themselves.
pub fn may_appoint(existing: &[Appointment], new: &Appointment) -> Result<(), AppointRefused> {
    if new.to.is_some_and(|to| to < new.from) {
        return Err(AppointRefused::EndsBeforeStart);
    }
    for other in existing.iter().filter(|other| other.overlaps(new)) {
        if other.seat == new.seat {
            return Err(AppointRefused::SeatTaken);
        }
        if other.worker == new.worker {
            return Err(AppointRefused::OwnStandIn);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::time::{DAY_MS, date_of};
    use proptest::prelude::*;

    const A: WorkerId = WorkerId(1);
    const B: WorkerId = WorkerId(2);

    fn post(to_a: Option<i64>) -> Vec<Appointment> {
        vec![
            Appointment {
                worker: A,
                seat: Seat::A,
                from: date_of(100),
                to: to_a.map(date_of),
            },
            Appointment {
                worker: B,
                seat: Seat::B,
                from: date_of(100),
                to: None,
            },
        ]
    }

    fn leave(worker: WorkerId, from: i64, to: i64) -> Leave {
        Leave {
            worker,
            from: Timestamp::from_day(from, 0),
            to: Timestamp::from_day(to, 0),
        }
    }

    #[test]
    fn work_falls_to_the_stand_in_and_comes_back_by_itself() {
        let leaves = [leave(A, 110, 112)];
        let who = |day: i64, ms: i64| on_duty(&post(None), &leaves, true, Ask::Own, Timestamp::from_day(day, ms));
        assert_eq!(who(109, DAY_MS - 1), OnDuty::Holder(A));
        assert_eq!(
            who(110, 0),
            OnDuty::StandIn {
                worker: B,
                because: Because::OnLeave
            }
        );
        assert_eq!(
            who(111, DAY_MS - 1),
            OnDuty::StandIn {
                worker: B,
                because: Because::OnLeave
            }
        );
        assert_eq!(who(112, 0), OnDuty::Holder(A));
    }

    #[test]
    fn at_night_only_the_urgent_goes_to_the_stand_in() {
        let at = Timestamp::from_day(105, 0);
        assert_eq!(on_duty(&post(None), &[], false, Ask::Own, at), OnDuty::Holder(A));
        assert_eq!(
            on_duty(&post(None), &[], false, Ask::Reach, at),
            OnDuty::StandIn {
                worker: B,
                because: Because::OffDuty
            }
        );
    }

    #[test]
    fn a_gap_is_named() {
        let both = [leave(A, 110, 112), leave(B, 110, 112)];
        let at = Timestamp::from_day(110, 5);
        let gap = OnDuty::Gap {
            holder: Because::OnLeave,
            stand_in_vacant: false,
        };
        assert_eq!(on_duty(&post(None), &both, true, Ask::Own, at), gap);
        let empty = OnDuty::Gap {
            holder: Because::Vacant,
            stand_in_vacant: true,
        };
        assert_eq!(on_duty(&[], &[], true, Ask::Own, at), empty);
    }

    #[test]
    fn seats_are_not_shared() {
        let new = |worker, seat, from, to: Option<i64>| Appointment {
            worker,
            seat,
            from: date_of(from),
            to: to.map(date_of),
        };
        let existing = post(Some(120));
        assert_eq!(
            may_appoint(&existing, &new(WorkerId(3), Seat::A, 120, None)),
            Err(AppointRefused::SeatTaken)
        );
        assert_eq!(may_appoint(&existing, &new(WorkerId(3), Seat::A, 121, None)), Ok(()));
        assert_eq!(
            may_appoint(&existing, &new(B, Seat::A, 121, None)),
            Err(AppointRefused::OwnStandIn)
        );
        assert_eq!(
            may_appoint(&existing, &new(A, Seat::A, 9, Some(8))),
            Err(AppointRefused::EndsBeforeStart)
        );
    }

    fn leaves() -> impl Strategy<Value = Vec<Leave>> {
        prop::collection::vec((1u128..3, 95i64..130, 1i64..12), 0..6).prop_map(|list| {
            list.into_iter()
                .map(|(w, from, days)| leave(WorkerId(w), from, from + days))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn nobody_away_or_not_appointed_is_ever_on_duty(leaves in leaves(), day in 95i64..135, hour in 0i64..24, end in 100i64..130, duty: bool) {
            let at = Timestamp::from_day(day, hour * 3_600_000);
            let post = post(Some(end));
            for ask in [Ask::Own, Ask::Reach] {
                let found = on_duty(&post, &leaves, duty, ask, at);
                if let Some(worker) = found.worker() {
                    prop_assert!(!leaves.iter().any(|leave| leave.worker == worker && leave.covers(at)));
                    prop_assert!(post.iter().any(|one| one.worker == worker && one.covers(at.date()) && Some(one.seat) == found.seat()));
                }
                let free = |w: WorkerId| post.iter().any(|one| one.worker == w && one.covers(at.date()))
                    && !leaves.iter().any(|leave| leave.worker == w && leave.covers(at));
                prop_assert_eq!(found.worker().is_none(), !free(B) && (!free(A) || (ask == Ask::Reach && !duty)));
            }
        }

        #[test]
        fn outside_all_leaves_the_holder_has_it(leaves in leaves(), day in 100i64..135) {
            let at = Timestamp::from_day(day, 0);
            if !leaves.iter().any(|leave| leave.covers(at)) {
                prop_assert_eq!(on_duty(&post(None), &leaves, true, Ask::Reach, at), OnDuty::Holder(A));
            }
        }
    }
}
