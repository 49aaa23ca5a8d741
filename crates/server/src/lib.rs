//! The shell: everything that touches the world. Library behind the one binary `wangge`.
//!
//! Entry points: [`router::router`] for the server, [`cli::main`] for the command line. Parts depend on each other in this order, never
//! back: platform, access, policy, territory, workforce, registry, cases, duties, campaigns, projects, plans, tiles, insight, exchange, operations, sync, demo; `router` and `cli` know them all.

pub mod access;
pub mod campaigns;
pub mod cases;
pub mod cli;
pub mod demo;
pub mod duties;
pub mod exchange;
pub mod insight;
pub mod migrations;
pub mod operations;
pub mod plans;
pub mod platform;
pub mod policy;
pub mod projects;
pub mod registry;
pub mod router;
pub mod sync;
pub mod territory;
pub mod tiles;
pub mod workforce;

/// Every part tells the platform its jobs, its checks of the ledger and its guards, and access learns what an area and a unit are; once,
/// when the program is put together.
pub fn register(app: &platform::App) {
    router::connect(app);
    operations::register(app);
    registry::register(app);
    cases::register(app);
    duties::register(app);
    campaigns::register(app);
    projects::register(app);
    plans::register(app);
    exchange::webhooks::register(app);
    exchange::sending::register(app);
    exchange::peers::register(app);
}
