//! What a pack says about projects.

use super::Source;
use crate::projects::Reminders;

/// Deadlines of projects: when they are spoken of, when they are near, how often they may be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRules {
    pub reminders: Reminders,
    /// So many days before it, a deadline is near.
    pub soon_days: u16,
    /// How often a project may be given more time.
    pub extensions: u32,
    pub source: Source,
}

impl Default for ProjectRules {
    fn default() -> ProjectRules {
        ProjectRules {
            reminders: Reminders {
                before: vec![7, 1],
                after: vec![1],
                then_every: 7,
            },
            soon_days: 7,
            extensions: 2,
            source: Source::Assumption,
        }
    }
}
