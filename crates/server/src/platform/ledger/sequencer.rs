//! The sequencer: gives the records of all chains one order, grows the tree, signs its head.
//!
//! It runs about once a second while there is something to do ([`keep_up`](super::keep_up)) and at once when a receipt is asked for.
//! Between chains the order within one run follows the servers' clocks where they agree with each chain's own order; no promise
//! hangs on it: a record's place in its chain and in the tree never changes once given.
use super::head::{LedgerKey, TreeHead};
use super::store::{self, Unsequenced};
use super::tree::{STORED_STEP, leaf};
use db::{DbError, Tx};

/// Records of one chain given leaves in one transaction.
pub const BATCH: i64 = 2_000;

/// What one run did.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequenced {
    /// Leaves added.
    pub added: u64,
    /// The new head; none when nothing was added.
    pub head: Option<TreeHead>,
    /// Whether a chain may have more.
    pub more: bool,
}

/// One run, in the caller's transaction. `now` in milliseconds UTC.
pub fn sequence(tx: &mut Tx<'_>, key: &LedgerKey, now: i64) -> Result<Sequenced, DbError> {
    let store::TreeRow { mut frontier, epoch } = store::tree(tx, true)?;
    let chains = store::unsequenced(tx, BATCH)?;
    let more = chains.iter().any(|chain| chain.len() as i64 == BATCH);
    let before = frontier.size();
    let mut nodes = Vec::new();
    for record in merge(&chains) {
        let (number, hash) = (frontier.size(), leaf(&record.hash));
        store::insert_leaf(tx, number, record.at, hash)?;
        frontier.push(hash, |level, index, hash| {
            if level > 0 && level % STORED_STEP == 0 {
                nodes.push((level, index, hash));
            }
        });
    }
    let added = frontier.size() - before;
    if added == 0 {
        return Ok(Sequenced {
            added,
            head: None,
            more: false,
        });
    }
    for (level, index, hash) in nodes {
        store::insert_node(tx, level, index, hash)?;
    }
    for last in chains.iter().filter_map(|chain| chain.last()) {
        store::set_sequenced(tx, last.at)?;
    }
    store::save_tree(tx, &frontier)?;
    let head = key.sign(epoch, frontier.size(), frontier.root(), now);
    store::insert_head(tx, &head)?;
    Ok(Sequenced {
        added,
        head: Some(head),
        more,
    })
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
