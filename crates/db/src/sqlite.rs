//! SQLite: one writer thread with group commit, a pool of reader threads, each with its own connection.
//!
//! The writer takes the waiting closures, runs each in a savepoint of one transaction, then what they share ([`AtCommit`](crate::AtCommit)),
//! commits once (`synchronous=FULL`: the commit is on the disk) and only then answers them all. While a commit waits for the disk the next closures gather, so the batches grow
//! with the load by themselves. A commit that fails fails its whole batch, and if the disk was the reason no write is accepted any
//! more (fsync must not be tried again: the pages may be gone from the cache); reads go on.

use crate::job::{Job, Queue, panic_text};
use crate::tx::{Callback, Conn, Piece, gather};
use crate::value::Answer;
use crate::{DbError, Options, Row, State, Tx, Value};
use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, InterruptHandle, OpenFlags, ffi};
use std::cmp::Ordering;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Closures in one commit at most.
const BATCH_LENGTH: usize = 256;
/// No further closure joins a batch that has been running for this long.
const BATCH_TIME: Duration = Duration::from_millis(20);
/// The write-ahead log is moved into the database file when it has grown by this many pages (4 KiB each) ..
const WAL_STEP: u32 = 8 << 10;
/// .. without waiting for readers, unless it has grown to this many.
const WAL_LIMIT: u32 = 64 << 10;
/// The log's file keeps its length when the log begins anew, up to this many bytes: writing over what is there already is a sync without
/// the file system's own book-keeping.
const WAL_KEPT: u64 = 48 << 20;
/// How long a checkpoint waits for readers above `WAL_LIMIT`.
const CHECKPOINT_WAIT: Duration = Duration::from_secs(2);
/// Page cache of each connection, KiB.
const CACHE_KIB: u32 = 16 << 10;

/// Opens the file with the settings every connection has; creates it if asked.
pub(crate) fn connect(path: &Path, create: bool, options: &Options) -> Result<Connection, DbError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    if create {
        private(path)?;
    }
    let conn = Connection::open_with_flags(path, flags)
        .map_err(|error| DbError::Damaged(format!("{}: {error}", path.display())))?;
    conn.busy_timeout(options.busy)
        .map_err(|error| fold(error, "busy_timeout"))?;
    conn.set_prepared_statement_cache_capacity(options.statements);
    let settings = format!(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma temp_store = memory;
         pragma case_sensitive_like = on; pragma cache_size = -{CACHE_KIB}; pragma wal_autocheckpoint = 0;
         pragma journal_size_limit = {WAL_KEPT};"
    );
    conn.execute_batch(&settings).map_err(|error| fold(error, "pragma"))?;
    // One plan per statement: else a new value beside a partial index's condition has the statement planned again at each run.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| fold(error, "qpsg"))?;
    for (name, wanted) in [("greatest", Ordering::Greater), ("least", Ordering::Less)] {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        conn.create_scalar_function(name, -1, flags, move |given| outermost(given, wanted))
            .map_err(|error| fold(error, name))?;
    }
    Ok(conn)
}

/// Makes the file if it is missing, for its owner's eyes only: people's data will be in it. SQLite gives the log the same rights.
pub(crate) fn private(path: &Path) -> Result<(), DbError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(DbError::Damaged(format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// PostgreSQL's `greatest` and `least`: nulls do not count. Numbers and text, by bytes.
fn outermost(given: &Context<'_>, wanted: Ordering) -> rusqlite::Result<Value> {
    let mut best: Option<ValueRef<'_>> = None;
    for index in 0..given.len() {
        let value = given.get_raw(index);
        if value != ValueRef::Null && best.is_none_or(|best| order(value, best) == Some(wanted)) {
            best = Some(value);
        }
    }
    value(best.unwrap_or(ValueRef::Null))
        .map(Value::from)
        .map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
}

fn order(one: ValueRef<'_>, other: ValueRef<'_>) -> Option<Ordering> {
    match (one, other) {
        (ValueRef::Integer(one), ValueRef::Integer(other)) => Some(one.cmp(&other)),
        (ValueRef::Real(one), ValueRef::Real(other)) => one.partial_cmp(&other),
        (ValueRef::Integer(one), ValueRef::Real(other)) => (one as f64).partial_cmp(&other),
        (ValueRef::Real(one), ValueRef::Integer(other)) => one.partial_cmp(&(other as f64)),
        (ValueRef::Text(one), ValueRef::Text(other)) | (ValueRef::Blob(one), ValueRef::Blob(other)) => {
            Some(one.cmp(other))
        }
        _ => None,
    }
}

/// Starts the threads; they end when the queues are closed.
pub(crate) fn start(
    path: &Path,
    options: &Options,
    writes: &Arc<Queue>,
    reads: &Arc<Queue>,
    state: &Arc<State>,
) -> Result<Vec<JoinHandle<()>>, DbError> {
    let mut conn = connect(path, true, options)?;
    let log = Arc::new(AtomicU32::new(0));
    let grown = log.clone();
    conn.wal_hook(Some(move |_: &mut Wal, pages: i32| {
        grown.store(pages.unsigned_abs(), Relaxed);
        Ok(())
    }))
    .map_err(|error| fold(error, "wal_hook"))?;
    let writer = Writer {
        conn,
        queue: writes.clone(),
        state: state.clone(),
        log,
        log_before: 0,
        next_checkpoint: WAL_STEP,
        held: None,
        to_file: false,
        busy: options.busy,
    };
    let mut threads = vec![spawn("db-writer", move || writer.work())?];
    let (alive, ended) = channel();
    let mut watched = Vec::new();
    for _ in 0..options.sqlite_readers.max(1) {
        let conn = connect(path, false, options)?;
        conn.execute_batch("pragma query_only = on")
            .map_err(|error| fold(error, "pragma"))?;
        let watch = Arc::new(Watch {
            began: Mutex::default(),
            handle: conn.get_interrupt_handle(),
        });
        watched.push(watch.clone());
        let (queue, alive, state) = (reads.clone(), alive.clone(), state.clone());
        threads.push(spawn("db-reader", move || {
            read(&conn, &queue, &watch);
            leave_log(&conn, &state);
            drop(alive);
        })?);
    }
    // Only the readers hold it now: when the last one ends, so does the watch.
    drop(alive);
    let limit = options.statement;
    threads.push(spawn("db-watch", move || stop_slow_reads(&watched, limit, &ended))?);
    Ok(threads)
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DbError> {
    let thread = std::thread::Builder::new().name(name.into()).spawn(work);
    thread.map_err(|error| DbError::Other(format!("no thread for {name}: {error}")))
}

struct Writer {
    conn: Connection,
    queue: Arc<Queue>,
    state: Arc<State>,
    /// Pages in the log after the last commit.
    log: Arc<AtomicU32>,
    /// The same when it was last looked at.
    log_before: u32,
    next_checkpoint: u32,
    busy: Duration,
    /// Taken from the queue, to begin a batch of its own.
    held: Option<Box<dyn Job>>,
    /// Whether what it takes to undo a closure goes to a file now.
    to_file: bool,
}

/// How one closure of a batch ended.
enum Ended {
    Kept(Vec<Callback>, Vec<Box<dyn Piece>>),
    /// Its savepoint was rolled back; the error, if it is not the closure's own.
    Undone(Result<(), DbError>),
    /// The database ended the whole transaction.
    Lost(DbError),
}

impl Writer {
    fn work(mut self) {
        while let Some(job) = self.held.take().or_else(|| self.queue.pop()) {
            self.batch(job);
            self.checkpoint();
        }
        if leave_log(&self.conn, &self.state) {
            return;
        }
        // Closing: leave one tidy file. What fails here fails no promise, the log is still there.
        if let Err(error) = self
            .conn
            .execute_batch("pragma optimize; pragma wal_checkpoint(truncate)")
        {
            tracing::warn!(%error, "the write-ahead log was left in place at closing");
        }
    }

    fn batch(&mut self, first: Box<dyn Job>) {
        if let Err(error) = self.state.accepts().and_then(|()| self.begin(first.long())) {
            return first.settle(Err(error));
        }
        let (started, changes) = (Instant::now(), self.conn.total_changes());
        let mut answers: Vec<(Box<dyn Job>, Result<(), DbError>)> = Vec::new();
        let (mut callbacks, mut pieces) = (Vec::new(), Vec::new());
        let mut kept = 0;
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            if job.abandoned() {
                answers.push((job, Ok(())));
            } else {
                match self.one(job.as_mut()) {
                    Ended::Kept(after, before) => {
                        kept += 1;
                        callbacks.extend(after);
                        gather(&mut pieces, before);
                        answers.push((job, Ok(())));
                    }
                    Ended::Undone(fate) => answers.push((job, fate)),
                    Ended::Lost(error) => {
                        answers.push((job, Ok(())));
                        return self.fail(answers, error);
                    }
                }
            }
            if answers.len() < BATCH_LENGTH && started.elapsed() < BATCH_TIME {
                next = self.queue.try_pop();
            }
            // How a transaction begins says where it keeps what undoing takes.
            if next.as_ref().is_some_and(|job| job.long() != self.to_file) {
                self.held = next.take();
            }
        }
        if kept == 0 {
            // Nothing to keep, nothing to wait for.
            if let Err(error) = self.command("rollback") {
                return self.fail(answers, error);
            }
        } else {
            match self
                .shared(pieces)
                .and_then(|more| self.command("commit").map(|()| more))
            {
                Ok(more) => callbacks.extend(more),
                Err(error) => return self.fail(answers, error),
            }
            self.state.committed(self.conn.total_changes() > changes);
        }
        run_callbacks(callbacks);
        for (job, fate) in answers {
            job.settle(fate);
        }
    }

    /// Begins a transaction, a long one with a file for what it takes to undo a closure.
    fn begin(&mut self, long: bool) -> Result<(), DbError> {
        if self.to_file != long {
            let setting = if long {
                "pragma temp_store = file"
            } else {
                "pragma temp_store = memory"
            };
            // Not as a kept statement: SQLite acts on it when it is prepared.
            self.conn.execute_batch(setting).map_err(|error| fold(error, setting))?;
            self.to_file = long;
        }
        self.command("begin immediate")
    }

    /// Runs what the closures of the batch share.
    fn shared(&self, pieces: Vec<Box<dyn Piece>>) -> Result<Vec<Callback>, DbError> {
        let mut tx = Tx::new(Conn::Sqlite(&self.conn), 0);
        tx.run_pieces(pieces)?;
        Ok(tx.callbacks)
    }

    /// Runs one closure in its savepoint.
    fn one(&self, job: &mut dyn Job) -> Ended {
        if let Err(error) = self.command("savepoint job") {
            return Ended::Lost(error);
        }
        let mut tx = Tx::new(Conn::Sqlite(&self.conn), 0);
        let keep = job.run(&mut tx);
        let Tx {
            callbacks,
            pieces,
            failed,
            ..
        } = tx;
        self.state.notice(failed.as_ref());
        if self.conn.is_autocommit() {
            return Ended::Lost(
                failed.unwrap_or_else(|| DbError::Other("the transaction was ended inside a closure".into())),
            );
        }
        if let Some(error @ DbError::Damaged(_)) = failed {
            return Ended::Lost(error);
        }
        let undone = match (keep, failed) {
            (true, None) => {
                return self
                    .command("release savepoint job")
                    .map_or_else(Ended::Lost, |()| Ended::Kept(callbacks, pieces));
            }
            (true, Some(error)) => Err(DbError::GivenUp(error.to_string())),
            (false, _) => Ok(()),
        };
        match self
            .command("rollback to savepoint job")
            .and_then(|()| self.command("release savepoint job"))
        {
            Ok(()) => Ended::Undone(undone),
            Err(error) => Ended::Lost(error),
        }
    }

    /// Nothing of the batch is kept; if the disk was the reason, nothing will be any more.
    fn fail(&self, answers: Vec<(Box<dyn Job>, Result<(), DbError>)>, error: DbError) {
        if !self.conn.is_autocommit() {
            // The transaction is over in any case: an error here changes nothing.
            let _ = self.command("rollback");
        }
        self.state.notice(Some(&error));
        let error = match error {
            DbError::Damaged(why) => self.state.refuse(&why),
            other => other,
        };
        tracing::error!(%error, writes = answers.len(), "a batch of writes failed");
        for (job, _) in answers {
            job.settle(Err(error.clone()));
        }
    }

    /// Moves the log into the file when it has grown: without waiting for readers while it is short, with a bounded wait when it is long.
    /// Once all of it has been moved and nobody reads it any more, the next commit begins it anew.
    fn checkpoint(&mut self) {
        let pages = self.log.load(Relaxed);
        if pages < self.log_before {
            self.next_checkpoint = WAL_STEP;
        }
        self.log_before = pages;
        if pages < self.next_checkpoint {
            return;
        }
        let (sql, wait) = if pages >= WAL_LIMIT {
            ("pragma wal_checkpoint(truncate)", CHECKPOINT_WAIT)
        } else {
            ("pragma wal_checkpoint(passive)", Duration::ZERO)
        };
        let outcome = self
            .conn
            .busy_timeout(wait)
            .and_then(|()| self.conn.query_row(sql, [], |_| Ok(())));
        match outcome.map_err(|error| fold(error, "wal_checkpoint")) {
            Ok(()) => {}
            Err(DbError::Damaged(why)) => drop(self.state.refuse(&why)),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved into the file yet"),
        }
        self.next_checkpoint = pages + WAL_STEP;
        if let Err(error) = self.conn.busy_timeout(self.busy) {
            tracing::warn!(%error, "busy_timeout");
        }
    }

    fn command(&self, sql: &'static str) -> Result<(), DbError> {
        execute(&self.conn, sql, &[]).map(|_| ())
    }
}

/// After the commit. A panic in one does not stop the others: the change is saved already.
pub(crate) fn run_callbacks(callbacks: Vec<Callback>) {
    for callback in callbacks {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(callback)) {
            tracing::error!(
                panic = panic_text(panic.as_ref()),
                "something to do after a commit panicked"
            );
        }
    }
}

/// Once writes are refused nothing is moved out of the log at closing, neither by us nor by SQLite: a sync that is tried again after it
/// failed may succeed without the pages being on the disk, and the log then thrown away is the only true copy. Whether it is so.
fn leave_log(conn: &Connection, state: &State) -> bool {
    if state.accepts().is_ok() {
        return false;
    }
    if let Err(error) = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::error!(%error, "the write-ahead log may be moved at closing");
    }
    true
}

/// When a reader began what it is doing, and how to stop it.
struct Watch {
    began: Mutex<Option<Instant>>,
    handle: InterruptHandle,
}

impl Watch {
    fn set(&self, began: Option<Instant>) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }
}

/// Interrupts reads that take longer than allowed, until the last reader has ended.
fn stop_slow_reads(watched: &[Arc<Watch>], limit: Duration, ended: &Receiver<()>) {
    let step = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    while ended.recv_timeout(step) == Err(RecvTimeoutError::Timeout) {
        for watch in watched {
            // The lock is held meanwhile, so that the interrupt cannot meet the reader's next work.
            let began = watch.began.lock().unwrap_or_else(PoisonError::into_inner);
            if began.is_some_and(|began| began.elapsed() > limit) {
                watch.handle.interrupt();
            }
        }
    }
}

fn read(conn: &Connection, queue: &Queue, watch: &Watch) {
    while let Some(mut job) = queue.pop() {
        if job.abandoned() {
            continue;
        }
        watch.set(Some(Instant::now()));
        let fate = execute(conn, "begin", &[]).map(|_| {
            let mut tx = Tx::new(Conn::Sqlite(conn), -1);
            job.run(&mut tx);
        });
        watch.set(None);
        if !conn.is_autocommit()
            && let Err(error) = execute(conn, "rollback", &[])
        {
            tracing::error!(%error, "a read did not end");
        }
        job.settle(fate);
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A value from SQLite.
pub(crate) fn value(value: ValueRef<'_>) -> Result<crate::ValueRef<'_>, DbError> {
    Ok(match value {
        ValueRef::Null => crate::ValueRef::Null,
        ValueRef::Integer(number) => crate::ValueRef::Int(number),
        ValueRef::Real(number) => crate::ValueRef::Real(number),
        ValueRef::Text(bytes) => crate::ValueRef::Text(
            std::str::from_utf8(bytes).map_err(|_| DbError::Damaged("text that is not UTF-8".into()))?,
        ),
        ValueRef::Blob(bytes) => crate::ValueRef::Blob(bytes),
    })
}

pub(crate) fn execute(conn: &Connection, sql: &str, params: &[Value]) -> Result<u64, DbError> {
    run(conn, sql, params).map_err(|error| fold(error, sql))
}

fn run(conn: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<u64> {
    let mut statement = conn.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    if statement.column_count() == 0 {
        return statement.raw_execute().map(|changed| changed as u64);
    }
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(conn.changes())
}

pub(crate) fn query(conn: &Connection, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| fold(error, sql))?;
    bind(&mut statement, params).map_err(|error| fold(error, sql))?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Answer::new(width);
    while let Some(row) = rows.next().map_err(|error| fold(error, sql))? {
        for index in 0..width {
            found.push(value(row.get_ref(index).map_err(|error| fold(error, sql))?)?)?;
        }
    }
    Ok(found.rows())
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    let expected = statement.parameter_count();
    if expected != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), expected));
    }
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

/// Folds the driver's error into ours.
pub(crate) fn fold(error: rusqlite::Error, sql: &str) -> DbError {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message.unwrap_or_else(|| code.to_string())),
        other => return DbError::statement(without_sql(other), sql),
    };
    use rusqlite::ErrorCode as Code;
    match code.code {
        Code::ConstraintViolation => constraint(code.extended_code, &message),
        Code::DatabaseBusy | Code::DatabaseLocked => DbError::Conflict(message),
        Code::DiskFull => DbError::DiskFull,
        Code::ReadOnly => DbError::ReadOnly,
        Code::SystemIoFailure | Code::DatabaseCorrupt | Code::NotADatabase | Code::CannotOpen => {
            DbError::Damaged(format!("{message} (code {})", code.extended_code))
        }
        Code::OperationInterrupted => DbError::TooSlow,
        Code::TypeMismatch => DbError::WrongType(message),
        Code::Unknown => DbError::statement(message, sql),
        _ => DbError::Other(format!("{message} (code {})", code.extended_code)),
    }
}

fn without_sql(error: rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } => format!("{msg} at {offset}"),
        other => other.to_string(),
    }
}

fn constraint(extended: i32, message: &str) -> DbError {
    // "UNIQUE constraint failed: account.login"
    let what = message.split_once(": ").map_or(message, |(_, what)| what).to_owned();
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            DbError::Unique { columns: what }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => DbError::ForeignKey {
            constraint: "foreign key".into(),
        },
        ffi::SQLITE_CONSTRAINT_CHECK => DbError::Check { constraint: what },
        ffi::SQLITE_CONSTRAINT_NOTNULL => DbError::NotNull { column: what },
        ffi::SQLITE_CONSTRAINT_DATATYPE => DbError::WrongType(message.to_owned()),
        ffi::SQLITE_CONSTRAINT_TRIGGER => DbError::Trigger(message.to_owned()),
        _ => DbError::Other(message.to_owned()),
    }
}
