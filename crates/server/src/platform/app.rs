//! `App`: the running program. One value, cheap to clone, handed to every use case inside its [`Ctx`].

use super::clock::{Chance, Clock, Watch};
use super::config::Config;
use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::TypedId;
use super::keys::Keys;
use super::live::Hub;
use super::sealed::{Place, Sealer};
use super::throttle::Throttle;
use super::tx::Tx;
use axum::http::StatusCode;
use db::Db;
use domain::time::{MINUTE_MS, Timestamp};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Code of a write refused because the clock stands back.
pub const CLOCK_STEPPED: &str = "clock_stepped";

/// The running program.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Db,
    config: Config,
    clock: Clock,
    watch: Watch,
    chance: Chance,
    keys: Keys,
    sealer: Sealer,
    live: Hub,
    throttle: Throttle,
    rule_version: RwLock<String>,
    parts: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl App {
    /// Puts the program together. The database must have been migrated.
    pub fn new(db: Db, config: Config, clock: Clock, chance: Chance, keys: Keys) -> App {
        let sealer = Sealer::new(&keys);
        App(Arc::new(Inner {
            db,
            config,
            watch: Watch::begin(&clock),
            clock,
            chance,
            sealer,
            keys,
            live: Hub::default(),
            throttle: Throttle::default(),
            rule_version: RwLock::default(),
            parts: Mutex::default(),
        }))
    }

    /// A change: commits what `f` did, or nothing. Refuses a change without a mark in the ledger, and every change while the clock stands
    /// back (see [`Watch`]). Live events go out after the commit.
    pub async fn write<T, F>(&self, ctx: &Ctx, f: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Ctx, &mut Tx) -> Result<T, Fault> + Send + 'static,
    {
        self.0.db.write(self.changing(ctx, f)?).await
    }

    /// As [`App::write`], for what may change hundreds of thousands of rows (see [`Db::write_long`]).
    pub async fn write_long<T, F>(&self, ctx: &Ctx, f: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Ctx, &mut Tx) -> Result<T, Fault> + Send + 'static,
    {
        self.0.db.write_long(self.changing(ctx, f)?).await
    }

    /// The change as the database runs it.
    fn changing<T, F>(
        &self,
        ctx: &Ctx,
        f: F,
    ) -> Result<impl FnOnce(&mut db::Tx<'_>) -> Result<T, Fault> + Send + use<T, F>, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Ctx, &mut Tx) -> Result<T, Fault> + Send + 'static,
    {
        if let Some(back) = self.clock_back_ms() {
            return Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, CLOCK_STEPPED).with("minutes", back / MINUTE_MS));
        }
        let (app, ctx) = (self.clone(), ctx.clone());
        Ok(move |inner: &mut db::Tx<'_>| {
            let mut tx = Tx::new(inner, Some(app.clone()));
            let done = f(&ctx, &mut tx)?;
            let events = tx.finish()?;
            if !events.is_empty() {
                inner.on_commit(move || app.live().send(events));
            }
            Ok(done)
        })
    }

    /// A look at one consistent state. Personal data cannot be read this way: that takes `write`, because the look is logged.
    pub async fn read<T, F>(&self, ctx: &Ctx, f: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Ctx, &mut Tx) -> Result<T, Fault> + Send + 'static,
    {
        let (app, ctx) = (self.clone(), ctx.clone());
        let read = move |inner: &mut db::Tx<'_>| f(&ctx, &mut Tx::new(inner, Some(app)));
        self.0.db.read(read).await
    }

    /// The present instant. Use cases take `ctx.now`; this is for the edge that makes a `Ctx`.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// By how much the machine's clock stands back, if it is too much to write by it.
    pub fn clock_back_ms(&self) -> Option<i64> {
        self.0.watch.back_ms(&self.0.clock)
    }

    /// What watches the clock.
    pub fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// The clock, for tests that move it.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A new id in time order (UUIDv7).
    pub fn new_id<T: TypedId>(&self) -> T {
        let millis = u64::try_from(self.now().0).unwrap_or_default();
        T::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &self.0.chance.bytes()).into_uuid())
    }

    /// Unpredictable bytes and codes.
    pub fn chance(&self) -> &Chance {
        &self.0.chance
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The keys, for deriving a further one.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// Seals and opens personal fields.
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// Seals one personal field for its place.
    pub fn seal(&self, table: &str, id: &str, column: &str, text: &str) -> Vec<u8> {
        self.0.sealer.seal(Place { table, id, column }, text, &self.0.chance)
    }

    /// Live subscribers.
    pub fn live(&self) -> &Hub {
        &self.0.live
    }

    /// Budgets by address.
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The database itself: for backup and health only.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Version of the rule pack in force, as kept beside each mark; empty before a pack is loaded.
    pub fn rule_version(&self) -> String {
        self.0
            .rule_version
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Called by `policy` when a pack comes into force.
    pub fn set_rule_version(&self, version: &str) {
        *self.0.rule_version.write().unwrap_or_else(PoisonError::into_inner) = version.to_owned();
    }

    /// What a part keeps in memory while the program runs (the compiled pack, a model): one value per type, made by `Default` at first use.
    /// Parts that change it keep a lock inside.
    pub fn part<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = parts
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()))
            .clone();
        found.downcast::<T>().expect("the entry of a type is of that type")
    }

    /// Puts a part's value in place, replacing what was there.
    pub fn set_part<T: Send + Sync + 'static>(&self, part: T) {
        self.0
            .parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(TypeId::of::<T>(), Arc::new(part));
    }
}
