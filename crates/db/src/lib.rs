//! The database: one SQL text for SQLite (a town, one file) and PostgreSQL (a city, one schema per jurisdiction).
//!
//! Entry point: [`Db::open`], then [`Db::migrate`], [`Db::write`] and [`Db::read`] with closures over a [`Tx`].
//! The closures are plain synchronous code and run on the connection's own thread; async stays outside.
//!
//! ```no_run
//! # async fn example() -> Result<(), db::DbError> {
//! use db::{Db, DbError, Options, params};
//! let db = Db::open("sqlite:/var/lib/wangge/town.db", Options::default()).await?;
//! let number: i64 = db.write(|tx| {
//!     tx.execute("insert into item (id, name) values ($1, $2)", &params![7, "灯"])?;
//!     tx.query_one("select count(*) from item", &params![])?.get(0)
//! }).await?;
//! # let _ = number; Ok::<(), DbError>(()) }
//! ```
//!
//! What both databases promise the same way:
//! - `write` answers after the commit is on the disk; what was answered survives a kill and a power cut;
//! - an `Err` or a panic from the closure keeps nothing; neighbours in the same commit are not touched;
//! - after a failed statement the transaction cannot be kept (use [`Tx::attempt`] where failing is expected);
//! - `read` sees one snapshot and cannot write; a `read` begun after a `write` was answered sees it;
//! - text orders by bytes, `like` tells case apart, errors carry no values;
//! - a caller that goes away: what had begun is finished, what had not is dropped.
//!
//! Portable SQL (what to write): `$1`, `$2`, .. first appearing in order; `returning`, `on conflict`, common table expressions, window
//! functions, row values `(a, b) < ($1, $2)`, `string_agg`, `greatest`/`least`, `nulls last` spelled out; truth as `flag = 1`; in queries
//! `cast(.. as bigint)`. Every column of a `select` list has a portable type; ids are given, never counted up by the database.
//! No `deferrable` constraints: they would fail a whole batch. Types in migrations: see [`Migration`].
//!
//! Must not: know any table, be asked to run SQL made from what a user typed (see [`Sql`]), or show its drivers.

mod backup;
mod ddl;
mod dialect;
mod error;
mod foreign;
mod job;
mod migrate;
mod postgres;
mod sql;
mod sqlite;
mod state;
#[cfg(feature = "testkit")]
pub mod testkit;
mod tx;
mod value;

pub use backup::{BackupReport, TableReport, ask_backup};
pub use error::DbError;
pub use foreign::{Foreign, ForeignError};
pub use migrate::{Migration, MigrationReport};
pub use sql::Sql;
pub use state::Health;
pub use tx::{AtCommit, Tx};
pub use value::{FromValue, Row, Value, ValueRef};

use job::{Call, Job, Queue};
use state::State;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Which database is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// The bounds of one open database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads and connections that read, on SQLite.
    pub sqlite_readers: usize,
    /// Threads and connections that write, on PostgreSQL (SQLite has one); each holds a strand.
    pub postgres_writers: usize,
    /// Threads and connections that read, on PostgreSQL.
    pub postgres_readers: usize,
    /// Closures waiting to write, and as many waiting to read, at most; beyond that the answer is [`DbError::Overloaded`].
    pub queue: usize,
    /// How long to wait for a lock another process or transaction holds.
    pub busy: Duration,
    /// How long one statement may take on PostgreSQL, a whole read on SQLite. A write on SQLite is not stopped: keep it short.
    pub statement: Duration,
    /// Prepared statements kept per connection.
    pub statements: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sqlite_readers: 4,
            postgres_writers: 8,
            postgres_readers: 8,
            queue: 4096,
            busy: Duration::from_secs(5),
            statement: Duration::from_secs(60),
            statements: 512,
        }
    }
}

/// Where the database is.
#[derive(Clone)]
enum Place {
    Sqlite(PathBuf),
    Postgres(Box<postgres::Target>),
}

impl Place {
    fn parse(url: &str) -> Result<Place, DbError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            if path.is_empty() || path.starts_with(":memory:") {
                return Err(DbError::Address("sqlite: needs a file, sqlite:PATH".into()));
            }
            return Ok(Place::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres::Target::parse(url).map(|target| Place::Postgres(Box::new(target)));
        }
        Err(DbError::Address(
            "expected sqlite:PATH or postgres://user@host/db?schema=NAME".into(),
        ))
    }
}

/// An open database. Cheap to clone; the last clone's end closes it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    place: Place,
    options: Options,
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    state: Arc<State>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// What `migrate` was given, to describe the tables in a backup.
    migrations: Mutex<Vec<Migration>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
    }
}

impl Db {
    /// Opens `sqlite:PATH` (made if missing; its folder must exist) or `postgres://..?schema=NAME` (the schema is made if missing).
    pub async fn open(url: &str, options: Options) -> Result<Db, DbError> {
        let place = Place::parse(url)?;
        blocking(move || {
            let writes = Arc::new(Queue::new(options.queue));
            let reads = Arc::new(Queue::new(options.queue));
            let state = Arc::new(State::default());
            let threads = match &place {
                Place::Sqlite(path) => sqlite::start(path, &options, &writes, &reads, &state)?,
                Place::Postgres(target) => {
                    postgres::runtime()?.block_on(postgres::create_schema(target, &options))?;
                    postgres::start(target, &options, &writes, &reads, &state)?
                }
            };
            let (threads, migrations) = (Mutex::new(threads), Mutex::default());
            Ok(Db(Arc::new(Inner {
                place,
                options,
                writes,
                reads,
                state,
                threads,
                migrations,
            })))
        })
        .await
    }

    /// Runs the closure in a transaction that may write, and answers when its commit is durable.
    pub async fn write<T, E>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        E: From<DbError> + Send + 'static,
        T: Send + 'static,
    {
        self.0.state.accepts()?;
        send(&self.0.writes, f, false).await
    }

    /// As [`Db::write`], for what may change hundreds of thousands of rows. SQLite keeps what it would take to undo a closure in memory, as a
    /// list that it walks from its beginning at the end of many a statement: minutes for the grids of a city. For these it goes to a file.
    pub async fn write_long<T, E>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        E: From<DbError> + Send + 'static,
        T: Send + 'static,
    {
        self.0.state.accepts()?;
        send(&self.0.writes, f, true).await
    }

    /// Runs the closure on one snapshot; it cannot write.
    pub async fn read<T, E>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        E: From<DbError> + Send + 'static,
        T: Send + 'static,
    {
        send(&self.0.reads, f, false).await
    }

    pub fn backend(&self) -> Backend {
        match self.0.place {
            Place::Sqlite(_) => Backend::Sqlite,
            Place::Postgres(_) => Backend::Postgres,
        }
    }

    /// Queue lengths, last commit, and why writes are refused, if they are.
    pub fn health(&self) -> Health {
        self.0
            .state
            .health(self.backend(), self.0.writes.len(), self.0.reads.len())
    }

    /// Takes no more work, finishes what waits, and ends the threads. Without it, the last clone's end closes in the background.
    pub async fn close(self) {
        self.0.writes.close();
        self.0.reads.close();
        let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a database thread had panicked");
                }
            }
            Ok(())
        });
        if let Err(error) = joined.await {
            tracing::error!(%error, "closing the database");
        }
    }
}

async fn send<T, E, F>(queue: &Queue, f: F, long: bool) -> Result<T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    E: From<DbError> + Send + 'static,
    T: Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let job: Box<dyn Job> = Box::new(Call::new(f, answer, long));
    queue.push(job)?;
    answered
        .await
        .unwrap_or_else(|_| Err(DbError::Unavailable("the database is closed".into()).into()))
}

/// Runs work that waits, off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, DbError> + Send + 'static) -> Result<T, DbError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(DbError::Panicked(error.to_string())),
    }
}
