//! What can go wrong, said the same way for both databases.
//!
//! Messages never carry values: they may be personal. Both drivers fold their errors into this enum, nothing else leaves the crate.

/// An error of the database. `Clone`, because one failed commit fails every write of its batch.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DbError {
    /// A unique index or primary key refused. `columns` is `table.column, table.column`, on both databases
    /// (the constraint's name where an index is over an expression).
    #[error("a row with the same {columns} exists already")]
    Unique { columns: String },
    /// A referenced row is missing, or a row is still referenced. PostgreSQL names the constraint, SQLite does not.
    #[error("a reference to another row does not hold ({constraint})")]
    ForeignKey { constraint: String },
    /// A check constraint refused; its name.
    #[error("the check {constraint} refused the row")]
    Check { constraint: String },
    /// A column that must have a value got none; `table.column`.
    #[error("{column} must have a value")]
    NotNull { column: String },
    /// A value has the wrong type for its column or parameter.
    #[error("wrong type: {0}")]
    WrongType(String),
    /// A trigger refused with its own words.
    #[error("refused by the database: {0}")]
    Trigger(String),
    /// A parameter no database of the two could keep; parameters count from 1.
    #[error("parameter ${number}: {why}")]
    Parameter { number: usize, why: String },
    /// A column was read as a type it does not have; columns count from 0.
    #[error("column {index}: expected {expected}, found {found}")]
    Column {
        index: usize,
        expected: &'static str,
        found: &'static str,
    },
    /// `query_one` found nothing.
    #[error("no row where one was expected")]
    NoRow,
    /// `query_one` or `query_opt` found more than one.
    #[error("more than one row where one was expected")]
    ManyRows,
    /// The statement itself is wrong: a mistake in this program.
    #[error("the statement is wrong: {message}; in: {sql}")]
    Statement { message: String, sql: String },
    /// A write inside `read`.
    #[error("a write in a read-only transaction")]
    ReadOnly,
    /// An earlier statement of this transaction failed and its error was passed over: nothing of it is kept.
    #[error("the transaction was given up because an earlier statement failed: {0}")]
    GivenUp(String),
    /// Another transaction was in the way (deadlock, serialisation, lock held too long). Nothing was done; the caller may try again.
    #[error("another change was in the way; nothing was done, try again ({0})")]
    Conflict(String),
    /// The queue is full. Nothing was done.
    #[error("too many requests are waiting for the database; nothing was done, try again")]
    Overloaded,
    /// The statement ran longer than allowed. Nothing was kept.
    #[error("the database took too long; nothing was done")]
    TooSlow,
    /// The database cannot be reached or went away before the commit. Nothing was kept.
    #[error("the database cannot be reached; nothing was done ({0})")]
    Unavailable(String),
    /// The connection broke while the commit was under way: it may have been kept or not. Look before trying again.
    #[error("the connection broke during the commit; it may have been saved or not ({0})")]
    UnknownOutcome(String),
    /// No room on the disk. Nothing was kept.
    #[error("the disk is full; nothing was saved")]
    DiskFull,
    /// The disk failed to keep a commit (or the file is damaged): no writes any more until an operator looked at it; reads go on.
    /// The writes that met the failure were not acknowledged; after a restart they may be found saved or not.
    #[error("writes are stopped to keep the data safe: {why}")]
    Refusing { why: String },
    /// The file cannot be trusted or read.
    #[error("the database file is damaged or unreadable: {0}")]
    Damaged(String),
    /// The closure panicked; its changes were rolled back.
    #[error("a fault in the program stopped this change; nothing of it was kept ({0})")]
    Panicked(String),
    /// The address of the database cannot be understood.
    #[error("the database address is wrong: {0}")]
    Address(String),
    /// The history of migrations does not fit this program.
    #[error("migration: {0}")]
    Migration(String),
    /// A backup or a restore was refused or did not verify.
    #[error("backup: {0}")]
    Backup(String),
    /// Anything else the database said.
    #[error("the database said: {0}")]
    Other(String),
}

impl DbError {
    /// The SQL text for a message, bounded.
    pub(crate) fn statement(message: impl Into<String>, sql: &str) -> DbError {
        const SHOWN: usize = 300;
        let mut shown: String = sql.chars().take(SHOWN).collect();
        if shown.len() < sql.len() {
            shown.push('…');
        }
        DbError::Statement {
            message: message.into(),
            sql: shown,
        }
    }
}
