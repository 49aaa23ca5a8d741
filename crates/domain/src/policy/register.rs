//! A care register as the pack describes it.

use super::{Name, Source};

/// What a register is for, on what basis, and who serves those on it. Whether it is in use, and who owns it, is decided in the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareRegister {
    pub key: String,
    pub name: Name,
    /// The service it exists for.
    pub service: Name,
    pub legal_basis: String,
    /// Where its entries come from.
    pub entries: String,
    /// Separate, off until somebody puts it into use, and read only by those who serve the people on it.
    pub sensitive: bool,
    /// Each person on it has a named person of the staff paired with them.
    pub pairs: bool,
    /// Duties of the posts that serve those on it.
    pub serves: Vec<String>,
    pub source: Source,
}
