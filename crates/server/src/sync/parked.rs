//! What phones sent and could not be done: kept with its reason for whoever supervises there, until it is taken in for the worker or given up.
//!
//! Entry points: [`list`], [`settle`]. Taken in for a worker it stays the worker's: who did it does not change, who let it in stands beside it.

use super::commands::Command;
use super::store;
use super::take::Verdict;
use crate::access::log_read;
use crate::platform::*;
use crate::territory;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One that waits for somebody.
#[derive(Debug, Clone)]
pub struct Parked {
    pub id: String,
    pub fingerprint: String,
    pub account: AccountId,
    pub worker: Option<WorkerId>,
    pub kind: String,
    pub at: Timestamp,
    pub received_at: Timestamp,
    pub verdict: Verdict,
    pub code: Option<String>,
    pub message: Option<String>,
    pub areas: [Option<AreaId>; 5],
    pub asked_sealed: Option<Vec<u8>>,
    /// Of the account.
    pub name: String,
    pub area: Option<AreaId>,
}

/// What was asked, opened.
#[derive(Debug, Clone, Deserialize)]
pub struct Wanted {
    pub title: String,
    pub path: String,
    pub body: Value,
    pub behind: i64,
}

/// How one is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settling {
    /// Done now, in the worker's name.
    TakenIn,
    /// It will not be done.
    GivenUp,
}

impl Settling {
    pub fn key(self) -> &'static str {
        match self {
            Settling::TakenIn => "taken_in",
            Settling::GivenUp => "given_up",
        }
    }
}

/// Where a page begins.
pub type After = (i64, String);

/// What waits below an area, the oldest first. What it says is personal: the look is logged.
pub fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    area: AreaId,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<(Parked, Wanted)>, Fault> {
    let map = territory::current(&ctx.app);
    let of = map.area(area).ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&of.chain, Permission::CaseSupervise) {
        return Err(Fault::not_found());
    }
    let rows = store::parked(tx, Some((area, of.depth.into())), after, limit)?;
    if !rows.is_empty() {
        log_read(ctx, tx, Subject::List, &["operation.asked"])?;
    }
    rows.into_iter()
        .map(|row| wanted(ctx, &row).map(|wanted| (row, wanted)))
        .collect()
}

fn wanted(ctx: &Ctx, row: &Parked) -> Result<Wanted, Fault> {
    let sealed_bytes = row
        .asked_sealed
        .as_deref()
        .ok_or_else(|| Fault::internal("nothing is kept of an operation"))?;
    let place = sealed::Place {
        table: "operation",
        id: &row.id,
        column: "asked_sealed",
    };
    let text = ctx.app.sealer().open(place, sealed_bytes).map_err(Fault::internal)?;
    serde_json::from_str(text.reveal()).map_err(Fault::internal)
}

/// Settles one: by whoever supervises where its worker served, or, given up, by the worker.
pub fn settle(ctx: &Ctx, tx: &mut Tx, id: &str, fingerprint: &str, how: Settling) -> Result<(), Fault> {
    let row = store::parked_one(tx, id, fingerprint)?.ok_or_else(Fault::not_found)?;
    let supervises = ctx.scope.covers(&row.areas, Permission::CaseSupervise);
    let own = ctx.actor.account() == Some(row.account) && how == Settling::GivenUp;
    if !supervises && !own {
        return Err(Fault::not_found());
    }
    if how == Settling::TakenIn {
        let wanted = wanted(ctx, &row)?;
        let command = Command::parse(&wanted.path).ok_or_else(|| Fault::refused("operation_unknown"))?;
        let author = in_the_name_of(ctx, &row, command.permissions());
        command.run(&author, tx, again(wanted.body), wanted.behind)?;
    }
    if !store::settle(ctx, tx, &row, how.key(), ctx.actor.name())? {
        return Err(Fault::not_found());
    }
    let body = json!({ "operation": row.id, "kind": row.kind, "how": how.key(), "worker": row.worker });
    tx.record(ctx, Mark::new("operation.settled", Subject::Account(row.account), body))?;
    Ok(())
}

/// The case as it stands now is what counts, not the one the worker saw.
fn again(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("row_version");
        fields.remove("seen_state");
    }
    body
}

/// The worker's hand, with what the command takes, where whoever lets it in supervises.
fn in_the_name_of(ctx: &Ctx, row: &Parked, permissions: Permissions) -> Ctx {
    let grants = ctx.scope.with(Permission::CaseSupervise).map(|grant| Grant {
        permissions,
        ..grant.clone()
    });
    let mut author = ctx.clone();
    author.scope = Scope {
        grants: grants.collect(),
    };
    author.actor = Actor::Account {
        id: row.account,
        worker: row.worker,
        unit: None,
        name: row.name.clone(),
    };
    author
}
