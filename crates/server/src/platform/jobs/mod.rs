//! Durable jobs and timers: rows in the table `job`, in the same database as what they change.
//!
//! A use case puts a job in its own transaction ([`enqueue`], [`once`]); a worker runs it when it is due. There are two kinds of
//! handlers ([`Handler`]): a **step** works inside one transaction, its effect and the job's completion commit together, so it
//! takes effect once however often the server is killed; **long work** runs outside of any transaction under a lease and hands
//! back what is to be committed together with its completion. Failures are tried again with growing pauses, then the job is
//! dead and visible until a person runs it again. Entry points: [`register`], [`enqueue`], [`run_due`], [`keep_running`].
//! Must not poll: the worker sleeps until the next due time or until a commit wakes it.
mod schedule;
mod store;
mod worker;

pub use schedule::{Recurring, backoff_ms};
pub use store::{JobItem, JobState};
pub use worker::{keep_running, run_due};

use super::app::App;
use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::JobId;
use super::live::{LiveEvent, Topic};
use super::tx::{Mark, Subject, Tx};
use domain::time::Timestamp;
use futures::future::BoxFuture;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Times a job is tried before it is dead.
pub const ATTEMPTS: i64 = 8;
/// Finished jobs are kept for people to see, this long.
pub const KEEP_MS: i64 = 7 * 24 * 3_600_000;

/// What a handler says when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The same job is due again then.
    Again(Timestamp),
}

/// A change to be committed together with the completion of long work.
pub type Effect = Box<dyn FnOnce(&Ctx, &mut Tx<'_, '_>) -> Result<Outcome, Fault> + Send>;

/// What runs a kind of job.
#[derive(Clone)]
pub enum Handler {
    /// Short work inside one transaction. It marks what it changes like any use case.
    Step(fn(&Ctx, &mut Tx<'_, '_>, &Value) -> Result<Outcome, Fault>),
    /// Work that takes long or waits for the world. It may run twice if the server is killed; its effect is committed once.
    Long(fn(Ctx, Value) -> BoxFuture<'static, Result<Effect, Fault>>),
}

/// All kinds of jobs, and how the workers are woken.
#[derive(Default)]
struct Jobs {
    kinds: RwLock<HashMap<&'static str, Kind>>,
    wake: watch::Sender<u64>,
}

#[derive(Clone)]
struct Kind {
    handler: Handler,
    recurring: Option<Recurring>,
}

impl Jobs {
    fn of(app: &App) -> Arc<Jobs> {
        app.part::<Jobs>()
    }

    fn add(&self, name: &'static str, kind: Kind) {
        self.kinds
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, kind);
    }

    fn kind(&self, name: &str) -> Option<(&'static str, Kind)> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.get_key_value(name).map(|(name, kind)| (*name, kind.clone()))
    }

    /// The kinds a test picks out, in alphabetical order so that the statement is always the same.
    fn names(&self, pick: impl Fn(&Kind) -> bool) -> Vec<&'static str> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = kinds
            .iter()
            .filter(|(_, kind)| pick(kind))
            .map(|(name, _)| *name)
            .collect();
        names.sort_unstable();
        names
    }

    fn recurring(&self) -> Vec<Recurring> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.values().filter_map(|kind| kind.recurring).collect()
    }
}

/// Tells what runs a kind of job; once, at the start. `kind` is `part.what`.
pub fn register(app: &App, kind: &'static str, handler: Handler) {
    Jobs::of(app).add(
        kind,
        Kind {
            handler,
            recurring: None,
        },
    );
}

/// A job that comes back by itself; once, at the start. Its row is made when the workers begin.
pub fn register_recurring(app: &App, recurring: Recurring, handler: Handler) {
    Jobs::of(app).add(
        recurring.kind,
        Kind {
            handler,
            recurring: Some(recurring),
        },
    );
}

/// Puts a job, or moves it: at most one of a kind has the same key, and the last call says when it is due and with what.
/// A finished one with this key starts anew.
pub fn enqueue(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    kind: &'static str,
    key: &str,
    due: Timestamp,
    payload: &Value,
) -> Result<(), Fault> {
    store::put(tx, ctx.app.new_id(), kind, key, due.0, &payload.to_string(), ctx.now.0)?;
    wake_after_commit(ctx, tx);
    Ok(())
}

/// Puts a job unless one of this kind and key is there, finished or not.
pub fn once(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    kind: &'static str,
    key: &str,
    due: Timestamp,
    payload: &Value,
) -> Result<(), Fault> {
    store::put_once(tx, ctx.app.new_id(), kind, key, due.0, &payload.to_string(), ctx.now.0)?;
    wake_after_commit(ctx, tx);
    Ok(())
}

/// Takes a waiting job back; nothing if there is none.
pub fn revoke(ctx: &Ctx, tx: &mut Tx<'_, '_>, kind: &'static str, key: &str) -> Result<(), Fault> {
    Ok(store::revoke(tx, kind, key, ctx.now.0)?)
}

fn wake_after_commit(ctx: &Ctx, tx: &mut Tx<'_, '_>) {
    let jobs = Jobs::of(&ctx.app);
    tx.on_commit(move || jobs.wake.send_modify(|count| *count += 1));
}

/// Jobs for the administrator, the newest first. `after`: the id of the last one seen.
pub fn list(
    tx: &mut Tx<'_, '_>,
    state: Option<JobState>,
    after: Option<JobId>,
    limit: u32,
) -> Result<Vec<JobItem>, Fault> {
    Ok(store::list(tx, state, after, i64::from(limit))?)
}

/// A person runs a dead or cancelled job again, at once.
pub fn retry(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: JobId) -> Result<JobItem, Fault> {
    let job = store::find(tx, id)?.ok_or_else(Fault::not_found)?;
    if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
        return Err(Fault::conflict("job_not_retryable"));
    }
    store::revive(tx, id, ctx.now.0)?;
    wake_after_commit(ctx, tx);
    decided(ctx, tx, "job.retried", id, &job)
}

/// A person stops a waiting or dead job.
pub fn cancel(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: JobId) -> Result<JobItem, Fault> {
    let job = store::find(tx, id)?.ok_or_else(Fault::not_found)?;
    if !matches!(job.state, JobState::Waiting | JobState::Dead) {
        return Err(Fault::conflict("job_not_cancellable"));
    }
    store::cancel(tx, id, ctx.now.0)?;
    decided(ctx, tx, "job.cancelled", id, &job)
}

fn decided(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    action: &'static str,
    id: JobId,
    before: &JobItem,
) -> Result<JobItem, Fault> {
    let body = serde_json::json!({"kind": before.kind, "was": before.state, "attempts": before.attempts});
    tx.record(ctx, Mark::new(action, Subject::Job(id), body))?;
    tx.publish(changed(action, id));
    store::find(tx, id)?.ok_or_else(Fault::not_found)
}

/// The live event for a job.
fn changed(kind: &'static str, id: JobId) -> LiveEvent {
    LiveEvent {
        topic: Topic::Jobs,
        kind,
        id: id.to_string(),
        areas: [None; 5],
        units: Vec::new(),
    }
}
