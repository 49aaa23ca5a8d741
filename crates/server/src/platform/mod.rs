//! What every part stands on: context, scope, transaction with a mark, faults, the HTTP kit, keys, live updates.
//!
//! Entry points: [`ctx::Ctx`] and [`app::App`]. Must not know any part above it (areas, workers, cases).

pub mod app;
pub mod assets;
pub mod blobs;
pub mod clock;
pub mod config;
pub mod connections;
pub mod contacts;
pub mod ctx;
pub mod disk;
pub mod fault;
pub mod http;
pub mod i18n;
pub mod ids;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod live;
pub mod logs;
pub mod news;
pub mod outbox;
pub mod scope;
pub mod sealed;
pub mod sheet;
pub mod throttle;
pub mod tx;

pub use app::App;
pub use ctx::{Actor, Ctx, Purpose};
pub use fault::Fault;
pub use http::{Json, Page, PageQuery, Path, Public, Query};
pub use i18n::Lang;
pub use ids::*;
pub use ledger::LedgerRef;
pub use live::{LiveEvent, Topic};
pub use scope::{CaseScopeFacts, Grant, Permission, Permissions, Scope};
pub use sealed::Personal;
pub use tx::{Mark, Subject, Tx};
