//! Work orders 交办单 (LH-14): when a department may cancel (销号) one, and when it may take one back (收回). The five steps are those of the cases it consists of: carried out
//! (handled), problems collected (cases of their own), reported up (answered to the department), handled by class (the problems in the main
//! loop), fed back and cancelled.
//!
//! Must not: know areas, liaisons or clocks; a share of an order is a case like any other.

use super::refusal::{CancelRefusal, TakeBackRefusal};
use super::state::StateKey;

/// What the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderState<'a> {
    /// It was cancelled before.
    pub cancelled: bool,
    /// Where its shares stand, one an area or worker.
    pub shares: &'a [StateKey],
    /// Where the problems found on the way stand.
    pub problems: &'a [StateKey],
}

impl OrderState<'_> {
    /// Whether it may be cancelled: carried out everywhere, its problems answered, each share fed back.
    pub fn may_cancel(&self) -> Result<(), CancelRefusal> {
        use StateKey::{Accepted, Assigned, Handled, Handling, Parked, Received};
        if self.cancelled {
            return Err(CancelRefusal::Already);
        }
        let owed = |state: &StateKey| matches!(state, Received | Accepted | Assigned | Handling | Parked);
        if self.shares.iter().any(owed) {
            return Err(CancelRefusal::NotCarriedOut);
        }
        if self.shares.contains(&Handled) {
            return Err(CancelRefusal::NotFedBack);
        }
        if self.problems.iter().any(|state| owed(state) || *state == Handled) {
            return Err(CancelRefusal::ProblemsOpen);
        }
        Ok(())
    }

    /// Whether it may be taken back: as long as nothing was fed back, for what was is kept and cancelled as it should be. What was begun or
    /// carried out meanwhile ends with it; the problems found go on in the main loop.
    pub fn may_take_back(&self) -> Result<(), TakeBackRefusal> {
        if self.cancelled {
            return Err(TakeBackRefusal::Already);
        }
        let fed_back = |state: &StateKey| matches!(state, StateKey::Answered | StateKey::Verified | StateKey::Closed);
        if self.shares.iter().any(fed_back) {
            return Err(TakeBackRefusal::FedBack);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each state of a share and of a problem, alone: only what is fed back, or over, lets the order be cancelled.
    #[test]
    fn only_what_is_fed_back_and_answered_is_cancelled() {
        let verdict = |cancelled, share, problem| {
            OrderState {
                cancelled,
                shares: &[StateKey::Answered, share],
                problems: &[problem],
            }
            .may_cancel()
        };
        for state in StateKey::ALL {
            let over = !state.is_open() || matches!(state, StateKey::Answered | StateKey::Verified);
            let share = match state {
                _ if over => Ok(()),
                StateKey::Handled => Err(CancelRefusal::NotFedBack),
                _ => Err(CancelRefusal::NotCarriedOut),
            };
            assert_eq!(verdict(false, state, StateKey::Closed), share, "{state:?}");
            let problem = if over { Ok(()) } else { Err(CancelRefusal::ProblemsOpen) };
            assert_eq!(verdict(false, StateKey::Answered, state), problem, "{state:?}");
        }
        assert_eq!(
            verdict(true, StateKey::Closed, StateKey::Closed),
            Err(CancelRefusal::Already)
        );
    }

    /// One share fed back is enough to keep the order; a problem under way is not.
    #[test]
    fn an_order_is_taken_back_only_before_anything_was_fed_back() {
        let verdict = |cancelled, share| {
            OrderState {
                cancelled,
                shares: &[StateKey::Accepted, share],
                problems: &[StateKey::Answered],
            }
            .may_take_back()
        };
        for state in StateKey::ALL {
            let fed_back = matches!(state, StateKey::Answered | StateKey::Verified | StateKey::Closed);
            let expected = if fed_back {
                Err(TakeBackRefusal::FedBack)
            } else {
                Ok(())
            };
            assert_eq!(verdict(false, state), expected, "{state:?}");
            assert_eq!(verdict(true, state), Err(TakeBackRefusal::Already));
        }
    }
}
