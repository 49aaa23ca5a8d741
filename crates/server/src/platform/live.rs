//! Live updates: server-sent events within scope.
//!
//! Entry point: [`Hub`]. A use case publishes on its transaction ([`Tx::publish`](super::tx::Tx::publish)); after the commit the hub
//! offers the event to each subscriber whose scope covers it: the same rule as the lists. Events carry ids only, never content: the
//! client asks again for what it shows. Queues are bounded; who is too slow loses the queue and is told to `resync`.
//! One process only: with several on one PostgreSQL each tells its own subscribers.

use super::ids::{AccountId, AreaId, UnitId};
use super::scope::{CaseScopeFacts, MAX_DEPTH, Permission, Scope};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Events waiting for one subscriber; above it the subscriber is dropped with `resync`.
pub const QUEUE: usize = 64;
/// Subscribers at the same time; above it the oldest is dropped.
pub const SUBSCRIBERS: usize = 4096;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A case changed.
    Case,
    /// A figure of the board changed.
    Board,
    /// A job changed.
    Jobs,
    /// A message in the outbox changed.
    Outbox,
}

impl Topic {
    /// From the name in `?topics=`.
    pub fn from_key(key: &str) -> Option<Topic> {
        match key {
            "case" | "cases" => Some(Topic::Case),
            "board" => Some(Topic::Board),
            "jobs" => Some(Topic::Jobs),
            "outbox" => Some(Topic::Outbox),
            _ => None,
        }
    }

    /// What one needs to hear of it.
    pub fn permission(self) -> Permission {
        match self {
            Topic::Case => Permission::CaseRead,
            Topic::Board => Permission::BoardRead,
            Topic::Jobs => Permission::JobManage,
            Topic::Outbox => Permission::OutboxManage,
        }
    }
}

/// One change, as told to subscribers.
#[derive(Debug, Clone, Serialize)]
pub struct LiveEvent {
    /// What it is about.
    pub topic: Topic,
    /// What happened: `case.accepted`.
    pub kind: &'static str,
    /// To which thing.
    pub id: String,
    /// Where it lies, `a1`..`a5`; for the scope only.
    #[serde(skip)]
    pub areas: [Option<AreaId>; MAX_DEPTH],
    /// The lead unit, then the helping units; for the scope only.
    #[serde(skip)]
    pub units: Vec<UnitId>,
}

/// What arrives at a subscriber.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A change.
    Event(LiveEvent),
    /// Something was missed, or rights changed: ask for everything again. The stream ends after it.
    Resync,
}

struct Subscriber {
    account: AccountId,
    scope: Scope,
    topics: Vec<Topic>,
    queue: mpsc::Sender<Delivery>,
}

/// All subscribers of this process.
#[derive(Default)]
pub struct Hub {
    next: AtomicU64,
    subscribers: Mutex<HashMap<u64, Subscriber>>,
}

impl Hub {
    /// A new subscriber; its place is freed when the receiver is dropped.
    pub fn subscribe(&self, account: AccountId, scope: Scope, topics: Vec<Topic>) -> mpsc::Receiver<Delivery> {
        // One place more than the events, so that `resync` always fits.
        let (queue, receiver) = mpsc::channel(QUEUE + 1);
        let mut all = self.lock();
        all.retain(|_, subscriber| !subscriber.queue.is_closed());
        if all.len() >= SUBSCRIBERS
            && let Some(oldest) = all.keys().min().copied()
            && let Some(dropped) = all.remove(&oldest)
        {
            let _ = dropped.queue.try_send(Delivery::Resync);
        }
        all.insert(
            self.next.fetch_add(1, Ordering::Relaxed),
            Subscriber {
                account,
                scope,
                topics,
                queue,
            },
        );
        receiver
    }

    /// Offers events to everyone whose scope covers them.
    pub fn send(&self, events: Vec<LiveEvent>) {
        if events.is_empty() {
            return;
        }
        self.lock()
            .retain(|_, subscriber| events.iter().all(|event| subscriber.offer(event)));
    }

    /// Ends the streams of an account: its rights changed or its session ended.
    pub fn drop_account(&self, account: AccountId) {
        self.lock().retain(|_, subscriber| {
            let keep = subscriber.account != account;
            if !keep {
                let _ = subscriber.queue.try_send(Delivery::Resync);
            }
            keep
        });
    }

    /// Ends every stream: the server stops.
    pub fn close(&self) {
        self.lock().clear();
    }

    /// How many listen now.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Subscriber>> {
        self.subscribers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Subscriber {
    /// Whether the subscriber stays.
    fn offer(&self, event: &LiveEvent) -> bool {
        if !self.topics.contains(&event.topic) || !self.covers(event) {
            return true;
        }
        if self.queue.capacity() > 1 {
            return self.queue.try_send(Delivery::Event(event.clone())).is_ok();
        }
        let _ = self.queue.try_send(Delivery::Resync);
        false
    }

    fn covers(&self, event: &LiveEvent) -> bool {
        let facts = CaseScopeFacts {
            areas: event.areas,
            unit: None,
            co_units: event.units.clone(),
        };
        self.scope.sees(&facts, event.topic.permission())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::platform::scope::Grant;
    use uuid::Uuid;

    fn event(area: u128) -> LiveEvent {
        let areas = [Some(AreaId(Uuid::from_u128(area))), None, None, None, None];
        LiveEvent {
            topic: Topic::Case,
            kind: "case.accepted",
            id: "x".into(),
            areas,
            units: vec![],
        }
    }

    fn scope(area: u128) -> Scope {
        let permissions = [Permission::CaseRead].into_iter().collect();
        Scope {
            grants: vec![Grant {
                permissions,
                area: Some(AreaId(Uuid::from_u128(area))),
                depth: 1,
                unit: None,
            }],
        }
    }

    const ME: AccountId = AccountId(Uuid::from_u128(7));

    #[test]
    fn only_what_the_scope_covers_arrives() {
        let hub = Hub::default();
        let mut mine = hub.subscribe(ME, scope(1), vec![Topic::Case]);
        hub.send(vec![event(2), event(1)]);
        assert!(matches!(mine.try_recv(), Ok(Delivery::Event(found)) if found.areas == event(1).areas));
        assert!(mine.try_recv().is_err());
    }

    #[test]
    fn a_slow_subscriber_is_told_to_ask_again() {
        let hub = Hub::default();
        let mut slow = hub.subscribe(ME, scope(1), vec![Topic::Case]);
        for _ in 0..=QUEUE {
            hub.send(vec![event(1)]);
        }
        assert!(hub.is_empty());
        let mut received = Vec::new();
        while let Ok(delivery) = slow.try_recv() {
            received.push(delivery);
        }
        assert_eq!(received.len(), QUEUE + 1);
        assert!(matches!(received.last(), Some(Delivery::Resync)));
    }

    #[test]
    fn changed_rights_end_the_stream() {
        let hub = Hub::default();
        let mut stream = hub.subscribe(ME, scope(1), vec![Topic::Case]);
        hub.drop_account(ME);
        assert!(matches!(stream.try_recv(), Ok(Delivery::Resync)));
        assert!(hub.is_empty());
    }
}
