//! The ledger 存证: every write leaves a mark that cannot be altered unseen.
//!
//! [`append`] adds a hash-linked record in the caller's transaction (parts call `tx.record`, never this). The sequencer
//! ([`bring_up_to_date`]) gives the records of all chains one order, a Merkle tree (RFC 6962) and signed heads.
//! [`Receipt`]s let a resident check without trusting the server; [`verify`] re-reads everything and names what was touched.
//! Formats: `docs/operations/ledger.md`. Must not hold personal data in a record: payloads are hashed with a salt and erasable.
mod append;
mod hash;
mod head;
mod receipt;
mod record;
mod sequencer;
mod store;
mod tree;
mod verify;

pub use append::{Entry, LedgerRef, NotARef, append};
pub use hash::Hash;
pub use head::{LedgerKey, PublicKey, TreeHead};
pub use receipt::{Check, Receipt, ReceiptFacts, ReceiptPayload, Verdict};
pub use record::{Record, Salt, TextHash, canonical_json};
pub use tree::{check_consistency, check_inclusion};
pub use verify::{Finding, Kind, Recheck, Report};

use super::app::App;
use super::ctx::Ctx;
use super::fault::Fault;
use super::tx::{Mark, Subject, Tx};
use domain::time::Timestamp;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::Payload;
use tokio::sync::watch;

/// The key that signs heads, derived from the installation's master key.
pub fn key(app: &App) -> LedgerKey {
    LedgerKey::new(app.keys().signing())
}

/// Hash of a resident's text for a mark, with a fresh salt.
pub fn text_hash(app: &App, text: &str) -> TextHash {
    TextHash::new(app.chance().bytes(), text)
}

/// Tells the sequencer of this process that there is something to do.
#[derive(Default)]
struct Pulse(watch::Sender<u64>);

/// Called with each record: its leaf is given with the commit where that is cheap, and the sequencer of this process is woken after it.
pub(super) fn sequence_soon(ctx: &Ctx, tx: &mut db::Tx<'_>) {
    if tx.backend() == db::Backend::Sqlite {
        let (sign, now) = (None, ctx.now.0);
        tx.at_commit(sequencer::Leaves { sign, now });
    }
    let pulse = ctx.app.part::<Pulse>();
    tx.on_commit(move || pulse.0.send_modify(|count| *count += 1));
}

/// A receipt for a record of this transaction will be asked for at once: on SQLite the commit signs a head that covers it.
pub(super) fn receipt_follows(ctx: &Ctx, tx: &mut db::Tx<'_>) {
    if tx.backend() == db::Backend::Sqlite {
        let (sign, now) = (Some(ctx.app.clone()), ctx.now.0);
        tx.at_commit(sequencer::Leaves { sign, now });
    }
}

/// How long marks gather before the next signed head, when nobody asks for a receipt.
const GATHER: Duration = Duration::from_secs(1);

/// Keeps leaves and heads up to date while the server runs: about once a second while there is something to do, else asleep.
pub async fn keep_up(app: App) {
    let mut woken = app.part::<Pulse>().0.subscribe();
    loop {
        woken.mark_unchanged();
        if let Err(fault) = bring_up_to_date(&app).await {
            tracing::error!(%fault, "the ledger could not be sequenced; trying again");
            tokio::time::sleep(GATHER).await;
            continue;
        }
        tokio::time::sleep(GATHER).await;
        if woken.changed().await.is_err() {
            return;
        }
    }
}

/// Gives every record that has none its leaf, and signs the head. The newest head; none while the ledger is empty.
pub async fn bring_up_to_date(app: &App) -> Result<Option<TreeHead>, Fault> {
    loop {
        let (key, now) = (key(app), app.now().0);
        let more = app.db().write(move |tx| sequencer::sequence(tx, &key, now)).await?;
        if !more {
            break;
        }
    }
    newest_head(app).await
}

/// When the newest record was made, by the server's clock of then; none while the ledger is empty.
pub async fn newest_time(app: &App) -> Result<Option<Timestamp>, Fault> {
    Ok(app.db().read(store::newest_time).await?.map(Timestamp))
}

/// The origin (see [`PublicKey::origin`]) of the key a database was last signed with; none while nothing was signed.
pub async fn origin_of(db: &db::Db) -> Result<Option<String>, db::DbError> {
    db.read(store::newest_origin).await
}

/// The same of a backup file.
pub async fn origin_of_backup(path: &std::path::Path) -> Result<Option<String>, db::DbError> {
    let rows = db::ask_backup(path, store::NEWEST_ORIGIN).await?;
    rows.first().map(|row| row.get(0)).transpose()
}

/// Whether a write reaches the disk: writes what is there once more.
pub async fn try_disk(app: &App) -> Result<(), Fault> {
    Ok(app.db().write(store::touch).await?)
}

/// The newest signed head; none while the ledger is empty.
pub async fn newest_head(app: &App) -> Result<Option<TreeHead>, Fault> {
    Ok(app.db().read(store::newest_head).await?)
}

/// The receipt for a recorded report, sequencing at once if its record has no leaf yet. `jurisdiction`: the place's name.
/// Refused when the record is not a report's or its payload was erased.
pub async fn issue(app: &App, jurisdiction: &str, at: LedgerRef) -> Result<Receipt, Fault> {
    if app.db().backend() == db::Backend::Postgres {
        // Mostly it was recorded a moment ago: looking first would be in vain.
        sequence_for_all(app).await?;
    }
    if let Some(receipt) = issue_now(app, jurisdiction, at).await? {
        return Ok(receipt);
    }
    sequence_for_all(app).await?;
    issue_now(app, jurisdiction, at).await?.ok_or_else(Fault::not_found)
}

/// Runs of the sequencer that were asked for, one at a time.
#[derive(Default)]
struct Runs {
    running: tokio::sync::Mutex<()>,
    begun: AtomicU64,
}

/// Brings the ledger up to date, with one run for all who ask while another run is under way.
async fn sequence_for_all(app: &App) -> Result<(), Fault> {
    let runs = app.part::<Runs>();
    let asked_at = runs.begun.load(Ordering::SeqCst);
    let _one_at_a_time = runs.running.lock().await;
    // A run that began after the question covers what was written before it.
    if runs.begun.load(Ordering::SeqCst) == asked_at {
        runs.begun.fetch_add(1, Ordering::SeqCst);
        bring_up_to_date(app).await?;
    }
    Ok(())
}

/// None when no signed head covers the record yet (or there is no such record).
async fn issue_now(app: &App, jurisdiction: &str, at: LedgerRef) -> Result<Option<Receipt>, Fault> {
    let (key, jurisdiction, recent) = (key(app).public(), jurisdiction.to_owned(), app.part::<store::Recent>());
    app.db()
        .read(move |tx| {
            let Some(stored) = store::record(tx, at)? else {
                return Ok(None);
            };
            let Some((leaf, _)) = stored.leaf else { return Ok(None) };
            let Some(head) = store::newest_head(tx)? else {
                return Ok(None);
            };
            let Payload::Kept { salt, body } = stored.payload else {
                return Err(Fault::refused("receipt_not_available"));
            };
            let nodes = &mut store::StoredNodes::read_or_recent(tx, &recent);
            let inclusion = tree::inclusion(nodes, leaf, head.size)?;
            let payload = ReceiptPayload {
                salt: hex::encode(salt),
                body,
            };
            Receipt::assemble(jurisdiction, stored.record, payload, leaf, inclusion, head, &key)
                .map(Some)
                .ok_or_else(|| Fault::refused("receipt_not_available"))
        })
        .await
}

/// Whether this ledger still has the record of a receipt where the receipt says, unaltered, under today's signed head; and whether the
/// ledger of the receipt's day is the beginning of today's.
pub async fn still_holds(app: &App, receipt: &Receipt) -> Result<bool, Fault> {
    bring_up_to_date(app).await?;
    let (key, receipt) = (key(app).public(), receipt.clone());
    app.db()
        .read(move |tx| {
            let at = LedgerRef {
                strand: receipt.record.strand,
                seq: receipt.record.seq,
            };
            let (Some(stored), Some(head)) = (store::record(tx, at)?, store::newest_head(tx)?) else {
                return Ok(false);
            };
            let payload_fits = match &stored.payload {
                Payload::Kept { salt, body } => record::payload_hash(salt, body) == stored.record.payload_hash,
                _ => true,
            };
            let leaf = stored.leaf.map(|(leaf, _)| leaf);
            if stored.record != receipt.record || leaf != Some(receipt.leaf_index) || head.size < receipt.tree_size {
                return Ok(false);
            }
            let hash = tree::leaf(&stored.record.hash());
            let nodes = &mut store::StoredNodes::read(tx);
            let way = tree::inclusion(nodes, receipt.leaf_index, head.size)?;
            let growth = tree::consistency(nodes, receipt.tree_size, head.size)?;
            Ok(payload_fits
                && head.signed_by(&key)
                && check_inclusion(&hash, receipt.leaf_index, head.size, &way, &head.root)
                && check_consistency(receipt.tree_size, &receipt.root_hash, head.size, &head.root, &growth))
        })
        .await
}

/// Erases the payload of a record: what was recorded can no longer be read, the record stays and its chain still verifies.
/// The erasure is itself a record. `reason` is kept and must not be personal.
pub fn erase_payload(ctx: &Ctx, tx: &mut Tx<'_, '_>, at: LedgerRef, reason: &str) -> Result<LedgerRef, Fault> {
    let body = serde_json::json!({"strand": at.strand, "seq": at.seq, "reason": reason});
    let by = tx.record(ctx, Mark::new(verify::ERASED, Subject::Ledger, body))?;
    if store::erase_payload(tx, at, by)? {
        Ok(by)
    } else {
        Err(Fault::refused("ledger_record_unknown"))
    }
}

/// What parts check of their own rows when the ledger is verified.
#[derive(Default)]
struct Rechecks(Mutex<Vec<Recheck>>);

/// A part adds its check once, at the start.
pub fn add_recheck(app: &App, recheck: Recheck) {
    app.part::<Rechecks>()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(recheck);
}

/// Reads the whole ledger again. `known`: heads kept elsewhere; `progress` is told steps done and to do after each page.
pub async fn verify(app: &App, known: Vec<TreeHead>, mut progress: impl FnMut(u64, u64)) -> Result<Report, Fault> {
    let rechecks = app
        .part::<Rechecks>()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let mut verifier = verify::Verifier::new(key(app).public(), rechecks, known);
    loop {
        let (back, done) = app
            .db()
            .read(move |tx| {
                let done = verifier.step(tx)?;
                Ok::<_, Fault>((verifier, done))
            })
            .await?;
        verifier = back;
        let (read, of) = verifier.progress();
        progress(read, of);
        if done {
            return Ok(verifier.into_report());
        }
    }
}

/// A record as shown to an auditor.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LedgerItem {
    pub leaf: u64,
    pub record: Record,
    #[schema(value_type = String)]
    pub hash: Hash,
    /// The canonical JSON that was recorded; none when erased.
    pub body: Option<String>,
    /// The record that erased the body.
    pub erased_by: Option<LedgerRef>,
}

/// Records with a leaf, the newest first, below leaf number `below`.
pub async fn newest(app: &App, below: Option<u64>, limit: u32) -> Result<Vec<LedgerItem>, Fault> {
    let stored = app
        .db()
        .read(move |tx| store::newest(tx, below.unwrap_or(i64::MAX as u64), i64::from(limit)))
        .await?;
    let item = |stored: store::Stored| {
        let (body, erased_by) = match stored.payload {
            Payload::Kept { body, .. } => (Some(body), None),
            Payload::Erased(by) => (None, Some(by)),
            Payload::Missing => (None, None),
        };
        Some(LedgerItem {
            leaf: stored.leaf?.0,
            record: stored.record,
            hash: stored.hash,
            body,
            erased_by,
        })
    };
    Ok(stored.into_iter().filter_map(item).collect())
}

/// The newest signed heads, the newest first.
pub async fn newest_heads(app: &App, limit: u32) -> Result<Vec<TreeHead>, Fault> {
    Ok(app
        .db()
        .read(move |tx| store::newest_heads(tx, i64::from(limit)))
        .await?)
}

/// Proof that the ledger of `old` records is the beginning of the ledger of `new` records.
pub async fn consistency(app: &App, old: u64, new: u64) -> Result<Vec<Hash>, Fault> {
    app.db()
        .read(move |tx| {
            let size = store::tree(tx, false)?.frontier.size();
            if old > new || new > size {
                return Err(Fault::refused("ledger_consistency_range"));
            }
            Ok(tree::consistency(&mut store::StoredNodes::read(tx), old, new)?)
        })
        .await
}

/// Which life of the database this is: another one after each restore.
pub fn epoch(tx: &mut Tx<'_, '_>) -> Result<i64, Fault> {
    Ok(store::epoch(tx)?)
}

/// A new life of the database begins, after a restore: heads signed from now on say so.
pub async fn begin_epoch(db: &db::Db) -> Result<i64, Fault> {
    Ok(db.write(store::next_epoch).await?)
}
