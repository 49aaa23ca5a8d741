//! PostgreSQL: pools of threads, each driving its own connection on its own small runtime, so that no statement crosses threads.
//!
//! A write is an ordinary transaction at READ COMMITTED. Consequences to know, where SQLite would have one writer at a time:
//! each statement sees what was committed before *it* began; a decision made on a row read earlier must lock it
//! ([`Backend::for_update`](crate::Backend::for_update)) or change it with its old state in the `where` and look at the count.
//! A deadlock is [`DbError::Conflict`]. A read is REPEATABLE READ READ ONLY: one snapshot.
//!
//! Statements are prepared once per connection. `begin`, `savepoint` and deferred writes are sent along with the next statement
//! (pipelined): a transaction of one read and any number of deferred writes waits twice.

mod codec;
mod fault;
mod target;

pub(crate) use fault::fold;
pub(crate) use target::Target;

use crate::job::{Job, Queue};
use crate::sqlite::{run_callbacks, spawn};
use crate::tx::{Conn, gather};
use crate::value::Answer;
use crate::{DbError, Options, Row, State, Tx, Value, ValueRef};
use codec::Decoded;
use futures_util::TryStreamExt;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

/// Deferred statements in flight at most; then they are waited for.
const DEFERRED: usize = 256;
/// Strands tried before giving up: far above any number of writers.
const STRANDS: i32 = 4096;
/// How long a connection attempt may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Starts the threads; they connect when they first have work and end when the queues are closed.
pub(crate) fn start(
    target: &Target,
    options: &Options,
    writes: &Arc<Queue>,
    reads: &Arc<Queue>,
    state: &Arc<State>,
) -> Result<Vec<JoinHandle<()>>, DbError> {
    let mut threads = Vec::new();
    let pools = [
        (Role::Write, writes, options.postgres_writers),
        (Role::Read, reads, options.postgres_readers),
    ];
    for (role, queue, size) in pools {
        for _ in 0..size.max(1) {
            let worker = Worker {
                runtime: runtime()?,
                target: target.clone(),
                options: options.clone(),
                role,
                queue: queue.clone(),
                state: state.clone(),
            };
            threads.push(spawn(role.thread(), move || worker.work())?);
        }
    }
    Ok(threads)
}

/// A runtime for the calling thread alone.
pub(crate) fn runtime() -> Result<Runtime, DbError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| DbError::Other(format!("no runtime: {error}")))
}

/// Connects and sets the session up: schema, time limits, durable commits.
pub(crate) async fn connect(target: &Target, options: &Options) -> Result<Client, DbError> {
    let attempt = tokio::time::timeout(CONNECT_WAIT, target.config.connect(NoTls)).await;
    let (client, connection) = attempt
        .map_err(|_| DbError::Unavailable("connecting took too long".into()))?
        .map_err(|error| DbError::Unavailable(fault::text(&error)))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = fault::text(&error), "a connection to the database ended");
        }
    });
    let schema = &target.schema;
    // Statements stay prepared, with the plan of the day: one made while a table was nearly empty would read all of it when it is large.
    // Where an index serves it is taken; what has none is read whole all the same. Compiling such a plan would only cost.
    let settings = format!(
        "set search_path to {schema}; set statement_timeout to {}; set lock_timeout to {}; set client_min_messages to warning;
         set enable_seqscan to off; set jit to off;
         select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
        options.statement.as_millis(),
        options.busy.as_millis()
    );
    client
        .batch_execute(&settings)
        .await
        .map_err(|error| fold(&error, "set"))?;
    Ok(client)
}

/// Makes the schema if it is missing.
pub(crate) async fn create_schema(target: &Target, options: &Options) -> Result<(), DbError> {
    let client = connect(target, options).await?;
    let there = client
        .query_opt("select 1 from pg_namespace where nspname = $1", &[&target.schema])
        .await;
    if there.map_err(|error| fold(&error, "pg_namespace"))?.is_some() {
        return Ok(());
    }
    let sql = format!("create schema if not exists {}", target.schema);
    match client.batch_execute(&sql).await.map_err(|error| fold(&error, &sql)) {
        // Another process made it between the two statements.
        Err(DbError::Unique { .. }) => Ok(()),
        other => other,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Write,
    Read,
}

impl Role {
    fn thread(self) -> &'static str {
        match self {
            Role::Write => "db-writer",
            Role::Read => "db-reader",
        }
    }

    fn begin(self) -> &'static str {
        match self {
            Role::Write => "begin isolation level read committed",
            Role::Read => "begin isolation level repeatable read read only",
        }
    }
}

struct Worker {
    runtime: Runtime,
    target: Target,
    options: Options,
    role: Role,
    queue: Arc<Queue>,
    state: Arc<State>,
}

/// A connection with what belongs to it.
struct Session {
    client: Client,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    strand: i64,
}

impl Worker {
    fn work(self) {
        let mut session = None;
        while let Some(job) = self.queue.pop() {
            if job.abandoned() {
                continue;
            }
            match self.alive(session.take()) {
                Ok(alive) => {
                    self.one(&alive, job);
                    session = Some(alive);
                }
                Err(error) => job.settle(Err(error)),
            }
        }
    }

    /// The session if its connection still stands, else a new one. Nothing has been sent yet, so nobody need know.
    fn alive(&self, session: Option<Session>) -> Result<Session, DbError> {
        // Lets the connection see whether the other side has gone: the first turn looks at the socket, the second reads it.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        if let Some(session) = session
            && !session.client.is_closed()
        {
            return Ok(session);
        }
        self.runtime.block_on(async {
            let client = connect(&self.target, &self.options).await?;
            let strand = match self.role {
                Role::Write => take_strand(&client, &self.target.schema).await?,
                Role::Read => -1,
            };
            Ok(Session {
                client,
                statements: RefCell::default(),
                strand,
            })
        })
    }

    fn one(&self, session: &Session, mut job: Box<dyn Job>) {
        let pg = PgTx {
            runtime: &self.runtime,
            session,
            statement_limit: self.options.statements,
            pending: Vec::new(),
        };
        let mut tx = Tx::new(Conn::Postgres(pg), session.strand);
        let begun = tx.command(self.role.begin());
        if let Err(error) = begun {
            return job.settle(Err(error));
        }
        let keep = job.run(&mut tx);
        let shared = if keep && tx.failed.is_none() {
            let mut pieces = Vec::new();
            gather(&mut pieces, std::mem::take(&mut tx.pieces));
            tx.run_pieces(pieces)
        } else {
            Ok(())
        };
        let Tx {
            conn: Conn::Postgres(mut pg),
            callbacks,
            failed,
            ..
        } = tx
        else {
            return;
        };
        self.state.notice(failed.as_ref());
        let fate = match (self.role, keep, failed) {
            (Role::Write, true, _) if shared.is_err() => pg.rollback(shared),
            (Role::Write, true, None) => pg.commit(),
            (Role::Read, _, _) => pg.rollback(Ok(())),
            (Role::Write, true, Some(error)) => pg.rollback(Err(DbError::GivenUp(error.to_string()))),
            (Role::Write, false, _) => pg.rollback(Ok(())),
        };
        self.state.notice(fate.as_ref().err());
        if self.role == Role::Write && keep && fate.is_ok() {
            self.state.committed(true);
            run_callbacks(callbacks);
        }
        job.settle(fate);
    }
}

/// Takes the lowest free strand of the schema for as long as the connection lives: the server frees it only after the
/// connection and everything it did has ended, so two connections never write one strand at the same time.
async fn take_strand(client: &Client, schema: &str) -> Result<i64, DbError> {
    let sql = "select pg_try_advisory_lock(hashtext($1), $2)";
    for strand in 0..STRANDS {
        let row = client
            .query_one(sql, &[&schema, &strand])
            .await
            .map_err(|error| fold(&error, sql))?;
        if row.try_get(0).map_err(|error| fold(&error, sql))? {
            return Ok(i64::from(strand));
        }
    }
    Err(DbError::Unavailable("every writer's strand is taken".into()))
}

type Pending<'c> = Pin<Box<dyn Future<Output = Result<(), DbError>> + 'c>>;

/// One transaction on one session.
pub(crate) struct PgTx<'c> {
    runtime: &'c Runtime,
    session: &'c Session,
    statement_limit: usize,
    /// Sent and not yet waited for, in order.
    pending: Vec<Pending<'c>>,
}

impl<'c> PgTx<'c> {
    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let statement = self.prepared(sql)?;
        let client = &self.session.client;
        self.wait(async {
            client
                .execute_raw(&statement, params)
                .await
                .map_err(|error| fold(&error, sql))
        })
        .inspect_err(|error| self.forget(error))
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let statement = self.prepared(sql)?;
        let client = &self.session.client;
        let width = statement.columns().len();
        self.wait(async {
            let stream = client
                .query_raw(&statement, params)
                .await
                .map_err(|error| fold(&error, sql))?;
            let rows: Vec<tokio_postgres::Row> = stream.try_collect().await.map_err(|error| fold(&error, sql))?;
            let mut found = Answer::new(width);
            for row in &rows {
                for index in 0..width {
                    found.push(value(row, index, sql)?)?;
                }
            }
            Ok(found.rows())
        })
        .inspect_err(|error| self.forget(error))
    }

    pub(crate) fn defer(&mut self, sql: &str, params: &[Value]) -> Result<(), DbError> {
        if self.pending.len() >= DEFERRED {
            self.flush()?;
        }
        let statement = self.prepared(sql)?;
        let client = &self.session.client;
        let params = params.to_vec();
        let sql = sql.to_owned();
        self.send(Box::pin(async move {
            let sent = client.execute_raw(&statement, params.iter()).await;
            sent.map(|_| ()).map_err(|error| fold(&error, &sql))
        }))
    }

    /// Sends a transaction command along with the next statement.
    pub(crate) fn command(&mut self, sql: &'static str) -> Result<(), DbError> {
        let client = &self.session.client;
        self.send(Box::pin(async move {
            client.batch_execute(sql).await.map_err(|error| fold(&error, sql))
        }))
    }

    /// Waits for everything sent.
    pub(crate) fn flush(&mut self) -> Result<(), DbError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.wait(async { Ok(()) })
    }

    fn commit(&mut self) -> Result<(), DbError> {
        let client = &self.session.client;
        let done = self.wait(async {
            client
                .batch_execute("commit")
                .await
                .map_err(|error| fold(&error, "commit"))
        });
        done.map_err(|error| match error {
            // The commit had been sent.
            DbError::Unavailable(why) => DbError::UnknownOutcome(why),
            other => other,
        })
    }

    /// Ends the transaction without keeping anything and gives `fate` back: if the connection is gone, so is the transaction.
    fn rollback(&mut self, fate: Result<(), DbError>) -> Result<(), DbError> {
        let client = &self.session.client;
        // The deferred statements' errors do not matter any more.
        let _ = self.wait(async {
            client
                .batch_execute("rollback")
                .await
                .map_err(|error| fold(&error, "rollback"))
        });
        fate
    }

    /// Hands a request to the connection and leaves the waiting for later.
    fn send(&mut self, mut request: Pending<'c>) -> Result<(), DbError> {
        // The first poll encodes and hands over; nobody needs waking, `wait` polls again.
        match request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(outcome) => outcome,
            std::task::Poll::Pending => {
                self.pending.push(request);
                Ok(())
            }
        }
    }

    /// Waits for the request, and for all sent before it: the first error counts.
    fn wait<T>(&mut self, request: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
        let pending = std::mem::take(&mut self.pending);
        let earlier = async {
            let mut outcome = Ok(());
            for sent in pending {
                outcome = outcome.and(sent.await);
            }
            outcome
        };
        // The request is polled first, so that it is on its way while the earlier ones are waited for; order is the connection's.
        let (outcome, earlier) = self.runtime.block_on(futures_util::future::join(request, earlier));
        earlier.and(outcome)
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(statement) = self.session.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let client = &self.session.client;
        let statement = self.wait(async { client.prepare(sql).await.map_err(|error| fold(&error, sql)) })?;
        let mut statements = self.session.statements.borrow_mut();
        if statements.len() >= self.statement_limit {
            // The program's statements are few and fixed; composed ones may pass the limit now and then: begin anew.
            statements.clear();
        }
        statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// A migration elsewhere may have made the prepared statements stale: the caller's next attempt prepares them anew.
    fn forget(&self, error: &DbError) {
        if matches!(error, DbError::Conflict(_)) {
            self.session.statements.borrow_mut().clear();
        }
    }
}

/// A value of a row in our types.
fn value<'r>(row: &'r tokio_postgres::Row, index: usize, sql: &str) -> Result<ValueRef<'r>, DbError> {
    let decoded = row.try_get::<_, Decoded<'r>>(index);
    decoded.map(|decoded| decoded.0).map_err(|error| fold(&error, sql))
}

/// A row's values in our types, to keep.
pub(crate) fn values(row: &tokio_postgres::Row, width: usize, sql: &str) -> Result<Vec<Value>, DbError> {
    (0..width)
        .map(|index| value(row, index, sql).map(Value::from))
        .collect()
}
