//! A campaign as the pack prepares it.

use super::{Name, Source};
use crate::campaigns::{Asks, Question};

/// A campaign that can be started from: everything in it can be changed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignTemplate {
    pub key: String,
    pub name: Name,
    /// Why it is done, on what basis.
    pub why: String,
    /// What those who go should do and say.
    pub script: String,
    pub question: Question,
    pub asks: Asks,
    /// Duty of the posts to whom it falls.
    pub by: String,
    /// Days it takes, with the first one.
    pub days: u16,
    /// Days after its end until what was answered is deleted.
    pub keep_days: u16,
    pub source: Source,
}
