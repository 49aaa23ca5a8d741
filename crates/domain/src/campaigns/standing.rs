//! How a campaign stands with one household or place, and what a call changes.

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody was met yet.
    Open,
    /// Met, and something is still to be done for them.
    Follow,
    Done,
    /// They left before anybody met them.
    Gone,
}

impl State {
    pub const ALL: [State; 4] = [State::Open, State::Follow, State::Done, State::Gone];

    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Follow => "follow",
            State::Done => "done",
            State::Gone => "gone",
        }
    }

    pub fn parse(key: &str) -> Option<State> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }

    /// Whether a call is still wanted.
    pub fn wanted(self) -> bool {
        matches!(self, State::Open | State::Follow)
    }

    /// After a call. One in vain changes nothing; the last one that met somebody says how it stands.
    pub fn after(self, call: Call) -> State {
        match call {
            Call::InVain => self,
            Call::Met { follow: true } => State::Follow,
            Call::Met { follow: false } => State::Done,
        }
    }
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    InVain,
    Met {
        /// Something is still to be done.
        follow: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_that_met_somebody_counts() {
        let after = |calls: &[Call]| calls.iter().fold(State::Open, |state, call| state.after(*call));
        let (met, sick) = (Call::Met { follow: false }, Call::Met { follow: true });
        assert_eq!(after(&[Call::InVain]), State::Open);
        assert_eq!(after(&[Call::InVain, sick, Call::InVain]), State::Follow);
        assert_eq!(after(&[sick, met]), State::Done);
        assert_eq!(after(&[met, sick]), State::Follow);
        // Somebody who was thought to have left was met after all.
        assert_eq!(State::Gone.after(met), State::Done);
    }
}
