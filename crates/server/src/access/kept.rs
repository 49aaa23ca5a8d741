//! Sessions with their scopes, kept in memory for a moment, so that the requests of one page do not each read the same rows.
//!
//! What this process changes about sessions, accounts and grants is in force with the commit ([`changed`]); what another process on the
//! same database changes, within [`KEPT_MS`]. Must not: keep that a session is *not* there.

use super::session::Session;
use crate::platform::{Scope, Tx};
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How long a session is believed without looking again.
pub const KEPT_MS: i64 = 1_000;
/// Sessions kept at most; then all are forgotten.
const MOST: usize = 4_096;

/// Counts the commits after which nothing kept before may be believed. One for all databases of the process: at worst too much is forgotten.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Called by every statement that changes a session, an account or a grant.
pub fn changed(tx: &mut Tx) {
    tx.on_commit(|| {
        CHANGES.fetch_add(1, Ordering::SeqCst);
    });
}

/// What there was to know at a moment.
#[derive(Clone)]
pub struct Known {
    pub session: Session,
    pub scope: Scope,
    /// When the session was last marked as used.
    pub seen: i64,
}

/// A point in the history of changes: taken before reading, so that a change during the reading is not missed.
#[derive(Clone, Copy, PartialEq)]
pub struct Before(u64);

/// The sessions of one app.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, (Known, Before, Timestamp)>>);

impl Sessions {
    /// Where the history of changes stands.
    pub fn before(&self) -> Before {
        Before(CHANGES.load(Ordering::SeqCst))
    }

    /// The session of a token's hash, if it was read a moment ago and nothing was changed since.
    pub fn find(&self, hash: &str, now: Timestamp) -> Option<Known> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, before, at) = kept.get(hash)?;
        (*before == self.before() && (*at..at.plus_ms(KEPT_MS)).contains(&now)).then(|| known.clone())
    }

    /// Keeps what was read after `before`.
    pub fn keep(&self, hash: String, known: Known, before: Before, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(hash, (known, before, now));
    }
}
