//! Closures on their way to a connection's thread: the bounded queue, and the call that carries its answer back.
//!
//! Must not know a driver.

use crate::{DbError, Tx};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// One unit of work for a connection. `run` at most once, then `settle` exactly once.
pub(crate) trait Job: Send {
    /// Nobody waits for the answer any more and nothing has been done yet.
    fn abandoned(&self) -> bool;
    /// It may change a great deal (see [`crate::Db::write_long`]).
    fn long(&self) -> bool;
    /// Runs the closure; true if its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Sends the answer: the closure's own, or the error if `fate` is one.
    fn settle(self: Box<Self>, fate: Result<(), DbError>);
}

/// A closure and where its answer goes.
pub(crate) struct Call<F, T, E> {
    closure: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
    long: bool,
}

impl<F, T, E> Call<F, T, E> {
    pub(crate) fn new(closure: F, answer: oneshot::Sender<Result<T, E>>, long: bool) -> Self {
        Call {
            closure: Some(closure),
            outcome: None,
            answer,
            long,
        }
    }
}

impl<F, T, E> Job for Call<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn long(&self) -> bool {
        self.long
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(closure) = self.closure.take() else {
            return false;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| closure(tx)))
            .unwrap_or_else(|panic| Err(DbError::Panicked(panic_text(panic.as_ref())).into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn settle(self: Box<Self>, fate: Result<(), DbError>) {
        let outcome = match (self.outcome, fate) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(error.into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(DbError::Other("a change was answered without having run".into()).into()),
        };
        // The caller may have gone away: then nobody wants the answer.
        let _ = self.answer.send(outcome);
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

/// Jobs waiting for a connection. Bounded: when it is full, `push` gives the job back at once, so that overload is an answer and not a wait.
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    bound: usize,
}

struct State {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(bound: usize) -> Queue {
        Queue {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                closed: false,
            }),
            ready: Condvar::new(),
            bound,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; the error says why it was not taken.
    pub(crate) fn push(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        let mut state = self.lock();
        if state.closed {
            return Err(DbError::Unavailable("the database is closed".into()));
        }
        if state.jobs.len() >= self.bound {
            return Err(DbError::Overloaded);
        }
        state.jobs.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next job, waiting for it; none when the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job if there is one now.
    pub(crate) fn try_pop(&self) -> Option<Box<dyn Job>> {
        self.lock().jobs.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// No more jobs are taken; those waiting are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}
