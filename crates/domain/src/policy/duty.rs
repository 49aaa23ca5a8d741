//! A rule of duty as the pack names it.

use super::{Name, Source};
use crate::duties::Rule;

/// What is owed by a rule, with its name and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRule {
    pub rule: Rule,
    pub name: Name,
    pub source: Source,
}
