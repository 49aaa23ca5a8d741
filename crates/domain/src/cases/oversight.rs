//! Leaders and residents look over a case's shoulder: supervise (督办), urge (催办), coordination meetings.

use super::refusal::OversightRefusal;
use super::state::Case;

impl Case {
    /// A leader watches the case from now on.
    pub fn supervise(mut self) -> Result<Case, OversightRefusal> {
        self.must_be_open()?;
        self.supervised = true;
        Ok(self)
    }

    /// Someone presses for it; counted.
    pub fn urge(mut self) -> Result<Case, OversightRefusal> {
        self.must_be_open()?;
        self.counts.urged += 1;
        Ok(self)
    }

    /// Whether anything is still owed, so that a meeting, an urging or supervision makes sense.
    pub fn must_be_open(&self) -> Result<(), OversightRefusal> {
        if self.state.key().is_open() {
            Ok(())
        } else {
            Err(OversightRefusal::NotOpen)
        }
    }
}
