//! The transaction a closure works in: statements, deferred writes, inner attempts, what to do before and after the commit.
//!
//! Same behaviour on both databases, including this: **after a statement failed, nothing of the transaction can be kept**
//! (PostgreSQL works so), unless the statement ran inside [`Tx::attempt`].

use crate::postgres::PgTx;
use crate::{Backend, DbError, Row, Sql, Value, sqlite};
use std::any::{Any, TypeId};
use std::collections::HashMap;

pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// Work that the closures of one commit share: what several of them hand over is put together and run once, before the commit.
/// Nothing in the transaction sees its effect before. If it fails, nothing of the commit is kept.
pub trait AtCommit: Send + 'static {
    /// Takes over what another closure of the same commit handed in.
    fn merge(&mut self, other: Self);
    /// Runs it.
    fn run(self, tx: &mut Tx<'_>) -> Result<(), DbError>;
}

/// An [`AtCommit`] of any kind.
pub(crate) trait Piece: Send {
    fn kind(&self) -> TypeId;
    fn take_over(&mut self, other: Box<dyn Any>);
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Result<(), DbError>;
}

impl<P: AtCommit> Piece for P {
    fn kind(&self) -> TypeId {
        TypeId::of::<P>()
    }

    fn take_over(&mut self, other: Box<dyn Any>) {
        if let Ok(other) = other.downcast::<P>() {
            self.merge(*other);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Result<(), DbError> {
        (*self).run(tx)
    }
}

/// Puts pieces of one kind together, in the order in which the kinds first came.
pub(crate) fn gather(all: &mut Vec<Box<dyn Piece>>, more: Vec<Box<dyn Piece>>) {
    for piece in more {
        match all.iter_mut().find(|known| known.kind() == piece.kind()) {
            Some(known) => known.take_over(piece.into_any()),
            None => all.push(piece),
        }
    }
}

pub(crate) enum Conn<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(PgTx<'c>),
}

/// Rows written by one statement at most; a power of two.
const ROWS_AT_ONCE: usize = 64;

/// One open transaction.
pub struct Tx<'c> {
    pub(crate) conn: Conn<'c>,
    pub(crate) strand: i64,
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) pieces: Vec<Box<dyn Piece>>,
    /// The first failed statement: from then on only rolling back is possible.
    pub(crate) failed: Option<DbError>,
    memory: HashMap<TypeId, Box<dyn Any>>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: Conn<'c>, strand: i64) -> Tx<'c> {
        Tx {
            conn,
            strand,
            callbacks: Vec::new(),
            pieces: Vec::new(),
            failed: None,
            memory: HashMap::new(),
        }
    }

    /// Runs a statement; the number of rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.checked(sql, params, |conn| match conn {
            Conn::Sqlite(conn) => sqlite::execute(conn, sql, params),
            Conn::Postgres(conn) => conn.execute(sql, params),
        })
    }

    /// Runs a statement whose count nobody needs. On PostgreSQL it is sent without waiting for the answer:
    /// an error surfaces at the next statement or at the commit. On SQLite it is `execute`.
    pub fn defer(&mut self, sql: &str, params: &[Value]) -> Result<(), DbError> {
        self.checked(sql, params, |conn| match conn {
            Conn::Sqlite(conn) => sqlite::execute(conn, sql, params).map(|_| ()),
            Conn::Postgres(conn) => conn.defer(sql, params),
        })
    }

    /// Writes many rows: `head` ends in `values `, `tail` is what follows the rows (`on conflict ..`, or nothing). Their counts are not
    /// waited for. On PostgreSQL many rows go with one statement; the texts are few, so that they stay prepared. On SQLite there is no
    /// way to and fro to be saved, and a statement of many rows would first copy each page it touches: one statement, run for each row.
    pub fn insert_rows<const N: usize>(
        &mut self,
        head: &'static str,
        rows: impl IntoIterator<Item = [Value; N]>,
        tail: &'static str,
    ) -> Result<(), DbError> {
        let mut rows = rows.into_iter();
        if let Conn::Sqlite(_) = self.conn {
            let Some(first) = rows.next() else { return Ok(()) };
            let one = Sql::new(head).push("(").list(first).push(")").push(tail);
            self.defer(one.text(), one.params())?;
            return rows.try_for_each(|row| self.defer(one.text(), &row));
        }
        let rows: Vec<[Value; N]> = rows.collect();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let length = (1 << rest.len().ilog2()).min(ROWS_AT_ONCE);
            let (now, later) = rest.split_at(length);
            let mut sql = Sql::new(head);
            for (nth, row) in now.iter().enumerate() {
                sql = sql
                    .push(if nth == 0 { "(" } else { ", (" })
                    .list(row.iter().cloned())
                    .push(")");
            }
            let sql = sql.push(tail);
            self.defer(sql.text(), sql.params())?;
            rest = later;
        }
        Ok(())
    }

    /// All rows. Bound them in the SQL (`limit`): they are all held in memory.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.checked(sql, params, |conn| match conn {
            Conn::Sqlite(conn) => sqlite::query(conn, sql, params),
            Conn::Postgres(conn) => conn.query(sql, params),
        })
    }

    /// The row, if there is one; more than one is an error.
    pub fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        let mut rows = self.query(sql, params)?;
        if rows.len() > 1 {
            return Err(DbError::ManyRows);
        }
        Ok(rows.pop())
    }

    /// The one row there must be.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.query_opt(sql, params)?.ok_or(DbError::NoRow)
    }

    /// All rows of a composed statement.
    pub fn fetch(&mut self, sql: &Sql) -> Result<Vec<Row>, DbError> {
        self.query(sql.text(), sql.params())
    }

    /// Runs a composed statement; the number of rows it changed.
    pub fn run(&mut self, sql: &Sql) -> Result<u64, DbError> {
        self.execute(sql.text(), sql.params())
    }

    /// An inner attempt: if `f` fails, only what it did is undone and the transaction goes on.
    pub fn attempt<T, E: From<DbError>>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.flush()?;
        self.command("savepoint attempt")?;
        let (callbacks, pieces) = (self.callbacks.len(), self.pieces.len());
        let outcome = f(self);
        let sent = self.flush();
        let outcome = match (outcome, sent) {
            (Ok(done), Ok(())) => {
                self.command("release savepoint attempt")?;
                return Ok(done);
            }
            (Ok(_), Err(error)) => Err(error.into()),
            (Err(error), _) => Err(error),
        };
        self.failed = None;
        self.memory.clear();
        self.callbacks.truncate(callbacks);
        self.pieces.truncate(pieces);
        self.command("rollback to savepoint attempt")?;
        self.command("release savepoint attempt")?;
        outcome
    }

    /// Number of the writer connection this transaction runs on, held by no other connection to this database while it runs:
    /// whoever keeps one chain per strand never has two writers on one chain. 0 on SQLite, where there is one writer at a time
    /// (of this or, during an import, of another process: read the chain's head inside the transaction). -1 in `read`.
    pub fn strand(&self) -> i64 {
        self.strand
    }

    /// Keeps a value for the rest of the transaction, one of each type: what it wrote itself need not be read again, which would wait for all
    /// that is deferred. Forgotten when an inner attempt is undone.
    pub fn remember<T: Any>(&mut self, value: T) {
        self.memory.insert(TypeId::of::<T>(), Box::new(value));
    }

    /// What was kept with [`Tx::remember`].
    pub fn remembered<T: Any>(&self) -> Option<&T> {
        self.memory.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Something to do right after the commit is durable, before the caller gets its answer; never after a rollback. Keep it short.
    pub fn on_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.callbacks.push(Box::new(f));
    }

    /// Something to do right before the commit, once for all closures that share it.
    pub fn at_commit(&mut self, work: impl AtCommit) {
        self.pieces.push(Box::new(work));
    }

    pub fn backend(&self) -> Backend {
        match self.conn {
            Conn::Sqlite(_) => Backend::Sqlite,
            Conn::Postgres(_) => Backend::Postgres,
        }
    }

    /// Runs what the closures share; the transaction is failed if one of them fails.
    pub(crate) fn run_pieces(&mut self, pieces: Vec<Box<dyn Piece>>) -> Result<(), DbError> {
        for piece in pieces {
            piece.run(self).inspect_err(|error| {
                self.failed.get_or_insert_with(|| error.clone());
            })?;
        }
        Ok(())
    }

    /// Waits for the deferred statements.
    pub(crate) fn flush(&mut self) -> Result<(), DbError> {
        if let Some(error) = &self.failed {
            return Err(DbError::GivenUp(error.to_string()));
        }
        let outcome = match &mut self.conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(conn) => conn.flush(),
        };
        outcome.inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// A transaction command without parameters. If it fails, who knows what state we are in: nothing can be kept.
    pub(crate) fn command(&mut self, sql: &'static str) -> Result<(), DbError> {
        let outcome = match &mut self.conn {
            Conn::Sqlite(conn) => sqlite::execute(conn, sql, &[]).map(|_| ()),
            Conn::Postgres(conn) => conn.command(sql),
        };
        outcome.inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn checked<T>(
        &mut self,
        sql: &str,
        params: &[Value],
        run: impl FnOnce(&mut Conn<'c>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        if let Some(error) = &self.failed {
            return Err(DbError::GivenUp(error.to_string()));
        }
        let outcome = check(sql, params).and_then(|()| run(&mut self.conn));
        outcome.inspect_err(|error| self.failed = Some(error.clone()))
    }
}

/// What can be seen wrong before the database sees it.
fn check(sql: &str, params: &[Value]) -> Result<(), DbError> {
    if cfg!(debug_assertions) {
        crate::sql::check_placeholders(sql, params.len())?;
    }
    for (index, value) in params.iter().enumerate() {
        value.portable().map_err(|why| DbError::Parameter {
            number: index + 1,
            why: why.into(),
        })?;
    }
    Ok(())
}
