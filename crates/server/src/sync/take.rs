//! A batch of a phone's operations, taken in one after the other, each in a transaction of its own.
//!
//! Entry point: [`take_all`]. An operation known by its id is answered as before and not done again; the same id with other content is kept
//! as a clash. What a rule refuses is kept with its reason, and what comes after it goes on. Where the server itself is in trouble the rest
//! of the batch is left for later.

use super::commands::Command;
use super::devices::{self, Device};
use super::store;
use crate::operations::backup;
use crate::platform::fault::FaultView;
use crate::platform::*;
use crate::territory;
use axum::http::StatusCode;
use domain::sync::{behind, corrected};
use domain::time::{MINUTE_MS, Timestamp};
use serde_json::{Value, json};

/// Operations of one batch; longest id, name of what it is (characters).
pub const MAX_BATCH: usize = 50;
const MAX_ID: usize = 80;
const MAX_TITLE: usize = 200;
/// What was received so long before a backup began is in it: a transaction takes less.
const SETTLING_MS: i64 = MINUTE_MS;

/// Who sends: the phone, as it says of itself.
#[derive(Debug, Clone)]
pub struct Sender {
    pub device: DeviceId,
    /// Kind of phone and browser.
    pub name: String,
    /// Version of the app.
    pub app: String,
    /// What its clock says now.
    pub sent_at: Timestamp,
    /// The life of the database that received what it holds, and the highest number of it; none while it holds nothing received.
    pub epoch: Option<i64>,
    pub received: i64,
}

/// One thing done on a phone.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    /// Rises with each operation of the phone.
    pub number: i64,
    /// The address it would have been posted to.
    pub path: String,
    pub body: Value,
    /// What it is, in words of the worker.
    pub title: Personal<String>,
    /// By the phone's clock.
    pub at: Timestamp,
    /// The worker waits before the form: a refusal is for them to mend, and not kept.
    pub attended: bool,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// A rule refuses; kept until settled.
    Refused,
    /// Somebody changed the same thing meanwhile; kept until settled.
    Decide,
    /// The id is known with other content; kept until settled.
    Clash,
}

impl Verdict {
    pub fn key(self) -> &'static str {
        match self {
            Verdict::Done => "done",
            Verdict::Refused => "refused",
            Verdict::Decide => "decide",
            Verdict::Clash => "clash",
        }
    }

    pub fn parse(key: &str) -> Result<Verdict, Fault> {
        let all = [Verdict::Done, Verdict::Refused, Verdict::Decide, Verdict::Clash];
        let found = all.into_iter().find(|one| one.key() == key);
        found.ok_or_else(|| Fault::internal("an unknown verdict of an operation"))
    }

    fn of(fault: &Fault) -> Verdict {
        match fault.code() {
            "stale_case" | "registry_stale" => Verdict::Decide,
            CLASH => Verdict::Clash,
            _ => Verdict::Refused,
        }
    }
}

const CLASH: &str = "operation_clash";

/// One, as stored.
#[derive(Debug, Clone)]
pub struct Taken {
    pub id: String,
    pub fingerprint: String,
    pub device: DeviceId,
    pub number: i64,
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
}

/// What is known under an id.
#[derive(Debug, Clone)]
pub struct Known {
    pub fingerprint: String,
    pub verdict: Verdict,
    pub received_at: Timestamp,
    pub code: Option<String>,
    pub message: Option<String>,
    /// Somebody has dealt with it since.
    pub settled: bool,
}

impl Known {
    /// Why it was not done, as it was told then.
    pub fn why(self) -> Option<FaultView> {
        Some(FaultView {
            code: self.code?,
            message: self.message?,
            field: None,
            details: Vec::new(),
            retry_after_s: None,
        })
    }
}

/// What the phone is told of one.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Done now; what the address would have answered.
    Done(Timestamp, Value),
    /// It had been received before; with the reason where it could not be done then.
    Already(Known),
    /// Kept, under its fingerprint, with its reason.
    Kept(Timestamp, Verdict, String, Fault),
    /// Not kept: the worker is there to mend it, or the phone has to send its photos again.
    Refused(Fault),
    /// Not now: to be sent again.
    Later(Fault),
}

/// What the phone is told.
#[derive(Debug, Clone)]
pub struct Batch {
    pub now: Timestamp,
    /// Which life of the database this is.
    pub epoch: i64,
    /// What was received before this moment is in a backup that was read again.
    pub covered_until: Option<Timestamp>,
    /// Highest number of this phone's that is here.
    pub seen: i64,
    /// Something the phone was told is here is not: the database was set back. Nothing of the batch was taken in; what is missing goes first.
    pub behind: bool,
    /// What the phone knows is to be deleted.
    pub revoked: bool,
    /// One for each operation, in their order; fewer where the rest is left for later.
    pub answers: Vec<Answer>,
}

/// Takes a batch in, in the order of the numbers.
pub async fn take_all(ctx: &Ctx, sender: Sender, operations: Vec<Operation>) -> Result<Batch, Fault> {
    if operations.len() > MAX_BATCH {
        return Err(Fault::invalid("operations", "too_many_operations").with("most", MAX_BATCH));
    }
    let from = sender.clone();
    let (met, epoch) = ctx
        .app
        .write(ctx, move |ctx, tx| {
            Ok((devices::meet(ctx, tx, &from)?, ledger::epoch(tx)?))
        })
        .await?;
    let behind = sender.epoch.is_some_and(|known| known != epoch) || sender.received > met.highest;
    let mut answers = Vec::new();
    for operation in operations.into_iter().filter(|_| !behind) {
        let answer = take_one(ctx, &sender, operation).await;
        let stop = matches!(answer, Answer::Later(_));
        answers.push(answer);
        if stop {
            break;
        }
    }
    let (device, backup) = ctx
        .app
        .read(ctx, move |_, tx| {
            let device = store::device(tx, sender.device, false)?.ok_or_else(Fault::not_found)?;
            Ok((device, backup::newest_in(tx)?))
        })
        .await?;
    Ok(Batch {
        now: ctx.now,
        epoch,
        covered_until: backup.map(|backup| Timestamp(backup.began.0 - SETTLING_MS)),
        seen: device.highest,
        behind,
        revoked: met.revoked_at.is_some(),
        answers,
    })
}

async fn take_one(ctx: &Ctx, sender: &Sender, operation: Operation) -> Answer {
    let (from, one) = (sender.clone(), operation.clone());
    let fault = match ctx.app.write(ctx, move |ctx, tx| take(ctx, tx, &from, one)).await {
        Ok(answer) => return answer,
        Err(fault) => fault,
    };
    if for_later(fault.status()) {
        fault.log();
        return Answer::Later(fault);
    }
    if operation.attended || fault.code() == blobs::GONE {
        return Answer::Refused(fault);
    }
    let fingerprint = fingerprint(ctx, &operation);
    let (from, why) = (sender.clone(), fault.clone());
    let kept = ctx
        .app
        .write(ctx, move |ctx, tx| park(ctx, tx, &from, &operation, &why))
        .await;
    match kept {
        Ok(()) => Answer::Kept(ctx.now, Verdict::of(&fault), fingerprint, fault),
        Err(trouble) => Answer::Later(trouble),
    }
}

/// The server is at fault, or asks for patience.
fn for_later(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

fn take(ctx: &Ctx, tx: &mut Tx, sender: &Sender, operation: Operation) -> Result<Answer, Fault> {
    let mut device = store::device(tx, sender.device, true)?.ok_or_else(Fault::not_found)?;
    let fingerprint = fingerprint(ctx, &operation);
    let known = store::known(tx, key(&operation, &fingerprint))?;
    if let Some(same) = known.iter().find(|one| one.fingerprint == fingerprint) {
        // Sent before under another id of this phone: by its new one, too, it is here.
        if device.highest < operation.number {
            device.highest = operation.number;
            store::update_device(tx, &device)?;
            tx.record(ctx, devices::mark("device.met", &device))?;
        }
        return Ok(Answer::Already(same.clone()));
    }
    check(&operation)?;
    if known.iter().any(|one| one.verdict == Verdict::Done) {
        return Err(Fault::conflict(CLASH));
    }
    let command = Command::parse(&operation.path).ok_or_else(|| Fault::refused("operation_unknown"))?;
    let row = row(ctx, &device, &operation, sender, (fingerprint, Verdict::Done, None));
    let answer = command.run(ctx, tx, operation.body, behind(sender.sent_at, ctx.now))?;
    keep(ctx, tx, &row, device)?;
    Ok(Answer::Done(ctx.now, answer))
}

/// An operation as received, and that its phone was heard of.
fn keep(ctx: &Ctx, tx: &mut Tx, row: &Taken, mut device: Device) -> Result<(), Fault> {
    store::insert(tx, row)?;
    device.highest = device.highest.max(row.number);
    device.last_seen = ctx.now;
    store::update_device(tx, &device)
}

fn check(operation: &Operation) -> Result<(), Fault> {
    let id = &operation.id;
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        return Err(Fault::invalid("id", "invalid_id"));
    }
    Ok(())
}

/// Under which an operation is known: an id that is none is not kept as one.
fn key<'o>(operation: &'o Operation, fingerprint: &'o str) -> &'o str {
    match check(operation) {
        Ok(()) => &operation.id,
        Err(_) => fingerprint,
    }
}

/// Keyed, so that nobody can try words against it.
fn fingerprint(ctx: &Ctx, operation: &Operation) -> String {
    let text = format!("{}\n{}", operation.path, operation.body);
    ctx.app.sealer().blind_index("operation", &text)
}

/// Keeps what could not be done, with its reason.
fn park(ctx: &Ctx, tx: &mut Tx, sender: &Sender, operation: &Operation, why: &Fault) -> Result<(), Fault> {
    let device = store::device(tx, sender.device, true)?.ok_or_else(Fault::not_found)?;
    let fingerprint = fingerprint(ctx, operation);
    if store::known(tx, key(operation, &fingerprint))?
        .iter()
        .any(|one| one.fingerprint == fingerprint)
    {
        return Ok(());
    }
    let verdict = Verdict::of(why);
    let row = row(ctx, &device, operation, sender, (fingerprint, verdict, Some(why)));
    keep(ctx, tx, &row, device)?;
    let body = json!({ "operation": row.id, "kind": row.kind, "verdict": verdict.key(), "code": why.code() });
    tx.record(ctx, Mark::new("operation.kept", Subject::Device(sender.device), body))?;
    Ok(())
}

fn row(
    ctx: &Ctx,
    device: &Device,
    operation: &Operation,
    sender: &Sender,
    (fingerprint, verdict, why): (String, Verdict, Option<&Fault>),
) -> Taken {
    let kind = Command::parse(&operation.path).map_or_else(|| "unknown".to_owned(), |command| command.key());
    let id = key(operation, &fingerprint).to_owned();
    let asked = || {
        let title: String = operation.title.reveal().chars().take(MAX_TITLE).collect();
        let asked = json!({ "title": title, "path": operation.path, "body": operation.body,
            "behind": behind(sender.sent_at, ctx.now) });
        ctx.app.seal("operation", &id, "asked_sealed", &asked.to_string())
    };
    Taken {
        asked_sealed: why.map(|_| asked()),
        code: why.map(|why| why.code().to_owned()),
        message: why.map(|why| why.view(ctx.lang).message),
        device: device.id,
        number: operation.number,
        account: device.account,
        worker: ctx.worker().ok(),
        kind,
        at: corrected(operation.at, behind(sender.sent_at, ctx.now), ctx.now),
        received_at: ctx.now,
        verdict,
        areas: own_areas(ctx),
        id,
        fingerprint,
    }
}

/// Where the worker serves, so that whoever supervises them there sees what is kept.
fn own_areas(ctx: &Ctx) -> [Option<AreaId>; 5] {
    let deepest = ctx.scope.grants.iter().max_by_key(|grant| grant.depth);
    let area = deepest.and_then(|grant| grant.area);
    let map = territory::current(&ctx.app);
    area.and_then(|area| map.area(area))
        .map(|area| area.chain)
        .unwrap_or_default()
}
