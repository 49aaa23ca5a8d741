//! What the threads of one database share about its condition.

use crate::{Backend, DbError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The condition of a database, for the health page. Nothing personal in it.
#[derive(Debug, Clone)]
pub struct Health {
    pub backend: Backend,
    /// Closures waiting to write.
    pub writes_waiting: usize,
    /// Closures waiting to read.
    pub reads_waiting: usize,
    /// How long ago the last commit of this process was durable; none if there was none.
    pub last_commit: Option<Duration>,
    /// Why writes are refused, if they are. It stays so until the process is started again after someone looked at the disk.
    pub refusing: Option<String>,
    /// The newest write that reached the disk found no room there. Goes away with the next commit.
    pub full: bool,
}

#[derive(Default)]
pub(crate) struct State {
    last_commit: Mutex<Option<Instant>>,
    refusing: OnceLock<String>,
    full: AtomicBool,
}

impl State {
    /// `wrote`: whether there was anything to bring to the disk.
    pub(crate) fn committed(&self, wrote: bool) {
        *self.last_commit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if wrote {
            self.full.store(false, Ordering::Relaxed);
        }
    }

    /// Remembers that there was no room, if that is what the error says.
    pub(crate) fn notice(&self, error: Option<&DbError>) {
        if error == Some(&DbError::DiskFull) {
            self.full.store(true, Ordering::Relaxed);
        }
    }

    /// Stops all writes from now on; the first reason stays.
    pub(crate) fn refuse(&self, why: &str) -> DbError {
        let why = self.refusing.get_or_init(|| why.to_owned()).clone();
        tracing::error!(why, "writes are refused from now on");
        DbError::Refusing { why }
    }

    pub(crate) fn accepts(&self) -> Result<(), DbError> {
        match self.refusing.get() {
            Some(why) => Err(DbError::Refusing { why: why.clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn health(&self, backend: Backend, writes_waiting: usize, reads_waiting: usize) -> Health {
        let last_commit = self
            .last_commit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .map(|at| at.elapsed());
        Health {
            backend,
            writes_waiting,
            reads_waiting,
            last_commit,
            refusing: self.refusing.get().cloned(),
            full: self.full.load(Ordering::Relaxed),
        }
    }
}
