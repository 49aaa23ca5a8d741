//! The few places where one text cannot serve both databases. Each use says why it is needed.
//!
//! Everything here is fixed text, to be put into a statement with [`crate::Sql::push`] or `concat`.

use crate::Backend;

impl Backend {
    /// Picks the text for this database.
    pub fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Backend::Sqlite => sqlite,
            Backend::Postgres => postgres,
        }
    }

    /// At the end of a `select` whose rows are about to be changed: locks them against other writers until the commit.
    /// Nothing on SQLite, where there is one writer at a time.
    pub fn for_update(self) -> &'static str {
        self.pick("", " for update")
    }

    /// As [`Backend::for_update`], passing over rows another writer holds: for taking jobs from a table.
    pub fn for_update_skip_locked(self) -> &'static str {
        self.pick("", " for update skip locked")
    }
}
