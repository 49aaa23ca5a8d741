//! The sequencer: gives the records of all chains one order, grows the tree, signs its head.
//!
//! On SQLite, where all records are written by one connection, each commit gives its records their leaves ([`Leaves`]). On PostgreSQL
//! that would make the writers wait for each other: a run of its own does it, about once a second while there is something to do
//! ([`keep_up`](super::keep_up)) and at once when a receipt is asked for. Heads are signed by these runs, and by a commit for whose
//! records a receipt is about to be asked.
//! Between chains the order within one run follows the servers' clocks where they agree with each chain's own order; no promise
//! hangs on it: a record's place in its chain and in the tree never changes once given.
use super::head::LedgerKey;
use super::store::{self, TreeRow, Unsequenced};
use super::tree::{STORED_STEP, leaf};
use crate::platform::app::App;
use db::{DbError, Tx};

/// Records of one chain given leaves in one transaction.
pub const BATCH: i64 = 2_000;

/// One run, in the caller's transaction: leaves for all records, the head signed at `now` (milliseconds UTC) if it moved.
/// Whether there may be more.
pub fn sequence(tx: &mut Tx<'_>, key: &LedgerKey, now: i64) -> Result<bool, DbError> {
    let mut tree = store::tree(tx, true)?;
    let more = give_leaves(tx, &mut tree)?;
    sign(tx, &tree, key, now)?;
    Ok(more)
}

/// The records of a commit get their leaves in it; with an app, whose key it is, the head is signed as well.
pub struct Leaves {
    pub sign: Option<App>,
    /// Milliseconds UTC.
    pub now: i64,
}

impl db::AtCommit for Leaves {
    fn merge(&mut self, other: Leaves) {
        self.sign = other.sign.or(self.sign.take());
        self.now = self.now.max(other.now);
    }

    fn run(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let mut tree = store::tree(tx, true)?;
        give_leaves(tx, &mut tree)?;
        match &self.sign {
            Some(app) => sign(tx, &tree, &super::key(app), self.now),
            None => Ok(()),
        }
    }
}

/// Whether there may be more.
fn give_leaves(tx: &mut Tx<'_>, tree: &mut TreeRow) -> Result<bool, DbError> {
    let chains = store::unsequenced(tx, BATCH)?;
    let first = tree.frontier.size();
    let (mut leaves, mut nodes) = (Vec::new(), Vec::new());
    for record in merge(&chains) {
        let hash = leaf(&record.hash);
        leaves.push((record.at, hash));
        tree.frontier.push(hash, |level, index, hash| {
            if level > 0 && level % STORED_STEP == 0 {
                nodes.push((level, index, hash));
            }
        });
    }
    if leaves.is_empty() {
        return Ok(false);
    }
    store::insert_leaves(tx, first, &leaves)?;
    store::insert_nodes(tx, nodes)?;
    for last in chains.iter().filter_map(|chain| chain.last()) {
        store::set_sequenced(tx, last.at)?;
    }
    store::save_tree(tx, &tree.frontier)?;
    Ok(chains.iter().any(|chain| chain.len() as i64 == BATCH))
}

fn sign(tx: &mut Tx<'_>, tree: &TreeRow, key: &LedgerKey, now: i64) -> Result<(), DbError> {
    let size = tree.frontier.size();
    if store::newest_head(tx)?.map_or(0, |head| head.size) < size {
        store::insert_head(tx, &key.sign(tree.epoch, size, tree.frontier.root(), now))?;
    }
    Ok(())
}

/// All records, each chain in its own order, chains interleaved by time. A time that runs backwards in a chain is passed over.
fn merge(chains: &[Vec<Unsequenced>]) -> Vec<&Unsequenced> {
    let mut all: Vec<(i64, &Unsequenced)> = Vec::new();
    for chain in chains {
        let mut latest = i64::MIN;
        for record in chain {
            latest = latest.max(record.time);
            all.push((latest, record));
        }
    }
    all.sort_by_key(|(time, record)| (*time, record.at.strand, record.at.seq));
    all.into_iter().map(|(_, record)| record).collect()
}
