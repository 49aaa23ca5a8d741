//! The ledger's SQL.
use super::append::LedgerRef;
use super::hash::Hash;
use super::head::TreeHead;
use super::record::{Record, Salt};
use super::tree::{Frontier, Nodes, STORED_STEP, node};
use db::{DbError, Row, Tx, Value, ValueRef, params};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

impl From<Hash> for Value {
    fn from(hash: Hash) -> Value {
        Value::Blob(hash.0.to_vec())
    }
}

impl db::FromValue for Hash {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        <[u8; 32]>::from_value(value).map(Hash)
    }
}

// ---- chains

/// The end of a chain: (seq, hash); nothing before its first record.
pub fn head_of(tx: &mut Tx<'_>, strand: i64) -> Result<Option<(i64, Hash)>, DbError> {
    let row = tx.query_opt("select seq, hash from ledger_head where strand = $1", &params![strand])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// How many records all chains say they have.
pub fn count(tx: &mut Tx<'_>) -> Result<u64, DbError> {
    let row = tx.query_one("select cast(coalesce(sum(seq), 0) as bigint) from ledger_head", &[])?;
    row.get(0)
}

/// The chain with the lowest number above `after`, looked for in every table, so that a removed one is missed.
pub fn next_strand(tx: &mut Tx<'_>, after: i64) -> Result<Option<i64>, DbError> {
    let row = tx.query_one(
        "select min(s) from (select min(strand) as s from ledger_record where strand > $1
         union all select min(strand) from ledger_head where strand > $1
         union all select min(strand) from ledger_sequenced where strand > $1) as strands",
        &params![after],
    )?;
    row.get(0)
}

/// A record about to be written.
pub struct New {
    pub record: Record,
    pub hash: Hash,
    pub salt: Salt,
    /// Canonical JSON.
    pub body: String,
}

/// Writes records that follow each other in one chain, and moves its end.
pub fn insert(tx: &mut Tx<'_>, new: &[New]) -> Result<(), DbError> {
    let Some(last) = new.last() else { return Ok(()) };
    let records = new.iter().map(|New { record, hash, .. }| {
        [
            record.strand.into(),
            record.seq.into(),
            record.at.into(),
            (&record.actor).into(),
            (&record.action).into(),
            (&record.subject).into(),
            (&record.purpose).into(),
            (&record.rule_version).into(),
            record.payload_hash.into(),
            record.prev_hash.into(),
            (*hash).into(),
        ]
    });
    tx.insert_rows(
        "insert into ledger_record (strand, seq, at, actor, action, subject, purpose, rule_version, payload_hash, prev_hash, hash) values ",
        records,
        "",
    )?;
    let payloads = new.iter().map(|new| {
        [
            new.record.strand.into(),
            new.record.seq.into(),
            new.salt.into(),
            (&new.body).into(),
        ]
    });
    tx.insert_rows(
        "insert into ledger_payload (strand, seq, salt, body) values ",
        payloads,
        "",
    )?;
    tx.defer(
        "insert into ledger_head (strand, seq, hash) values ($1, $2, $3)
         on conflict (strand) do update set seq = excluded.seq, hash = excluded.hash",
        &params![last.record.strand, last.record.seq, last.hash],
    )
}

/// What is beside a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    Kept {
        salt: Vec<u8>,
        body: String,
    },
    /// Erased, by the record named.
    Erased(LedgerRef),
    /// The row is gone, or says neither.
    Missing,
}

/// A record as it is stored, with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub record: Record,
    /// The hash stored with the record.
    pub hash: Hash,
    pub payload: Payload,
    /// Its leaf: number and hash.
    pub leaf: Option<(u64, Hash)>,
}

impl Stored {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let record = Record {
            strand: row.get(0)?,
            seq: row.get(1)?,
            at: row.get(2)?,
            actor: row.get(3)?,
            action: row.get(4)?,
            subject: row.get(5)?,
            purpose: row.get(6)?,
            rule_version: row.get(7)?,
            payload_hash: row.get(8)?,
            prev_hash: row.get(9)?,
        };
        let payload = match (row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?) {
            (Some(salt), Some(body), _, _) => Payload::Kept { salt, body },
            (None, None, Some(strand), Some(seq)) => Payload::Erased(LedgerRef { strand, seq }),
            _ => Payload::Missing,
        };
        let leaf = match (row.get::<Option<u64>>(15)?, row.get(16)?) {
            (Some(number), Some(hash)) => Some((number, hash)),
            _ => None,
        };
        Ok(Self {
            record,
            hash: row.get(10)?,
            payload,
            leaf,
        })
    }

    pub fn at(&self) -> LedgerRef {
        LedgerRef {
            strand: self.record.strand,
            seq: self.record.seq,
        }
    }
}

/// Records of one chain after `seq`, in order, at most `limit`.
pub fn records_after(tx: &mut Tx<'_>, strand: i64, seq: i64, limit: i64) -> Result<Vec<Stored>, DbError> {
    let rows = tx.query(
        "select r.strand, r.seq, r.at, r.actor, r.action, r.subject, r.purpose, r.rule_version, r.payload_hash, r.prev_hash, r.hash,
           p.salt, p.body, p.erased_strand, p.erased_seq, l.leaf, l.hash
         from ledger_record r
         left join ledger_payload p on p.strand = r.strand and p.seq = r.seq
         left join ledger_leaf l on l.strand = r.strand and l.seq = r.seq
         where r.strand = $1 and r.seq > $2 order by r.seq limit $3",
        &params![strand, seq, limit],
    )?;
    rows.iter().map(Stored::from_row).collect()
}

/// One record.
pub fn record(tx: &mut Tx<'_>, at: LedgerRef) -> Result<Option<Stored>, DbError> {
    Ok(records_after(tx, at.strand, at.seq - 1, 1)?
        .pop()
        .filter(|found| found.record.seq == at.seq))
}

/// Records by falling leaf number, below `below`: the newest first.
pub fn newest(tx: &mut Tx<'_>, below: u64, limit: i64) -> Result<Vec<Stored>, DbError> {
    let rows = tx.query(
        "select r.strand, r.seq, r.at, r.actor, r.action, r.subject, r.purpose, r.rule_version, r.payload_hash, r.prev_hash, r.hash,
           p.salt, p.body, p.erased_strand, p.erased_seq, l.leaf, l.hash
         from ledger_leaf l
         join ledger_record r on r.strand = l.strand and r.seq = l.seq
         left join ledger_payload p on p.strand = l.strand and p.seq = l.seq
         where l.leaf < $1 order by l.leaf desc limit $2",
        &params![int(below), limit],
    )?;
    rows.iter().map(Stored::from_row).collect()
}

/// Removes salt and body of a payload and says which record did it; false if there was nothing to erase.
pub fn erase_payload(tx: &mut crate::platform::tx::Tx<'_, '_>, at: LedgerRef, by: LedgerRef) -> Result<bool, DbError> {
    let changed = tx.housekeeping(
        "update ledger_payload set salt = null, body = null, erased_strand = $1, erased_seq = $2
         where strand = $3 and seq = $4 and body is not null",
        &params![by.strand, by.seq, at.strand, at.seq],
    )?;
    Ok(changed == 1)
}

// ---- the tree

/// The newest time in any chain, milliseconds; none while the ledger is empty.
pub fn newest_time(tx: &mut Tx<'_>) -> Result<Option<i64>, DbError> {
    let sql = "select max(r.at) from ledger_head h join ledger_record r on r.strand = h.strand and r.seq = h.seq";
    tx.query_one(sql, &params![])?.get(0)
}

/// Who signed the newest head: which key this database belongs to.
pub const NEWEST_ORIGIN: &str = "select origin from ledger_tree_head order by epoch desc, size desc limit 1";

/// The origin of the newest head; none while there is none.
pub fn newest_origin(tx: &mut Tx<'_>) -> Result<Option<String>, DbError> {
    tx.query_opt(NEWEST_ORIGIN, &params![])?
        .map(|row| row.get(0))
        .transpose()
}

/// Changes nothing, but through the disk.
pub fn touch(tx: &mut Tx<'_>) -> Result<(), DbError> {
    tx.execute("update ledger_tree set epoch = epoch where one = 1", &params![])
        .map(drop)
}

/// What the sequencer knows of the tree.
pub struct TreeRow {
    pub frontier: Frontier,
    /// Which life of the database this is.
    pub epoch: i64,
}

/// The tree's right edge; `lock` keeps other sequencers waiting until the commit.
pub fn tree(tx: &mut Tx<'_>, lock: bool) -> Result<TreeRow, DbError> {
    let mut sql = db::Sql::new("select size, peaks, epoch from ledger_tree where one = 1");
    if lock {
        // Several processes may share one PostgreSQL: only one of them gives out leaf numbers at a time.
        sql = sql.push(tx.backend().for_update());
    }
    let rows = tx.fetch(&sql)?;
    let row = rows.first().ok_or(DbError::NoRow)?;
    let peaks: Vec<u8> = row.get(1)?;
    let peaks = peaks.chunks(32).filter_map(Hash::from_slice).collect();
    Ok(TreeRow {
        frontier: Frontier::from_parts(row.get(0)?, peaks),
        epoch: row.get(2)?,
    })
}

pub fn save_tree(tx: &mut Tx<'_>, frontier: &Frontier) -> Result<(), DbError> {
    let peaks: Vec<u8> = frontier.peaks().iter().flat_map(|hash| hash.0).collect();
    let sql = "update ledger_tree set size = $1, peaks = $2 where one = 1";
    tx.defer(sql, &params![int(frontier.size()), peaks])
}

/// Which life of the database this is.
pub fn epoch(tx: &mut super::super::Tx<'_, '_>) -> Result<i64, DbError> {
    tx.query_one("select epoch from ledger_tree where one = 1", &[])?.get(0)
}

/// A new life of the database begins.
pub fn next_epoch(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    tx.execute("update ledger_tree set epoch = epoch + 1 where one = 1", &[])?;
    tx.query_one("select epoch from ledger_tree where one = 1", &[])?.get(0)
}

/// A record that has no leaf yet.
pub struct Unsequenced {
    pub at: LedgerRef,
    pub time: i64,
    pub hash: Hash,
}

/// For each chain: the records that came after the last one with a leaf, at most `limit` a chain.
pub fn unsequenced(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Vec<Unsequenced>>, DbError> {
    let strands = tx.query(
        "select h.strand, coalesce(s.seq, 0) from ledger_head h left join ledger_sequenced s on s.strand = h.strand
         where h.seq > coalesce(s.seq, 0) order by h.strand",
        &[],
    )?;
    let mut chains = Vec::with_capacity(strands.len());
    for row in strands {
        let (strand, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
        let rows = tx.query(
            "select seq, at, hash from ledger_record where strand = $1 and seq > $2 order by seq limit $3",
            &params![strand, seq, limit],
        )?;
        let one = |row: &Row| {
            Ok(Unsequenced {
                at: LedgerRef {
                    strand,
                    seq: row.get(0)?,
                },
                time: row.get(1)?,
                hash: row.get(2)?,
            })
        };
        chains.push(rows.iter().map(one).collect::<Result<Vec<_>, DbError>>()?);
    }
    Ok(chains)
}

/// New leaves, numbered from `first`.
pub fn insert_leaves(tx: &mut Tx<'_>, first: u64, leaves: &[(LedgerRef, Hash)]) -> Result<(), DbError> {
    let rows = leaves
        .iter()
        .zip(first..)
        .map(|((at, hash), number)| [int(number).into(), at.strand.into(), at.seq.into(), (*hash).into()]);
    tx.insert_rows("insert into ledger_leaf (leaf, strand, seq, hash) values ", rows, "")
}

/// New complete subtrees: (level, index, hash).
pub fn insert_nodes(tx: &mut Tx<'_>, nodes: Vec<(u32, u64, Hash)>) -> Result<(), DbError> {
    let rows = nodes
        .into_iter()
        .map(|(level, index, hash)| [level.into(), int(index).into(), hash.into()]);
    tx.insert_rows("insert into ledger_node (level, idx, hash) values ", rows, "")
}

/// The chain has leaves up to `seq`.
pub fn set_sequenced(tx: &mut Tx<'_>, at: LedgerRef) -> Result<(), DbError> {
    tx.defer(
        "insert into ledger_sequenced (strand, seq) values ($1, $2) on conflict (strand) do update set seq = excluded.seq",
        &params![at.strand, at.seq],
    )
}

/// Up to where a chain has leaves.
pub fn sequenced(tx: &mut Tx<'_>, strand: i64) -> Result<i64, DbError> {
    let row = tx.query_opt("select seq from ledger_sequenced where strand = $1", &params![strand])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Where else a leaf with this hash stands; looks through the whole table, for findings only.
pub fn place_of_leaf_hash(tx: &mut Tx<'_>, hash: Hash) -> Result<Option<LedgerRef>, DbError> {
    let rows = tx.query(
        "select strand, seq from ledger_leaf where hash = $1 limit 1",
        &params![hash],
    )?;
    rows.first()
        .map(|row| {
            Ok(LedgerRef {
                strand: row.get(0)?,
                seq: row.get(1)?,
            })
        })
        .transpose()
}

/// A leaf as it is stored.
pub struct Leaf {
    pub number: u64,
    pub at: LedgerRef,
    pub hash: Hash,
    /// Whether its record is there.
    pub has_record: bool,
}

/// Leaves from number `from` on, at most `limit`.
pub fn leaves_from(tx: &mut Tx<'_>, from: u64, limit: i64) -> Result<Vec<Leaf>, DbError> {
    let rows = tx.query(
        "select l.leaf, l.strand, l.seq, l.hash, r.seq from ledger_leaf l
         left join ledger_record r on r.strand = l.strand and r.seq = l.seq
         where l.leaf >= $1 order by l.leaf limit $2",
        &params![int(from), limit],
    )?;
    let one = |row: &Row| {
        let at = LedgerRef {
            strand: row.get(1)?,
            seq: row.get(2)?,
        };
        Ok(Leaf {
            number: row.get(0)?,
            at,
            hash: row.get(3)?,
            has_record: row.get::<Option<i64>>(4)?.is_some(),
        })
    };
    rows.iter().map(one).collect()
}

/// Hashes of the tree that were read lately. A complete subtree never changes: what was read once stays true, and the receipts of one
/// moment need nearly the same ones.
#[derive(Default)]
pub struct Recent(Mutex<HashMap<(u32, u64), Hash>>);

/// Hashes kept at most.
const RECENT: usize = 65_536;

impl Recent {
    fn known(&self) -> MutexGuard<'_, HashMap<(u32, u64), Hash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, level: u32, first: u64, count: u64) -> Option<Vec<Hash>> {
        let known = self.known();
        (first..first + count)
            .map(|idx| known.get(&(level, idx)).copied())
            .collect()
    }

    fn keep(&self, level: u32, run: &[(u64, Hash)]) {
        let mut known = self.known();
        if known.len() + run.len() > RECENT {
            known.clear();
        }
        known.extend(run.iter().map(|(idx, hash)| ((level, *idx), *hash)));
    }
}

/// Complete subtrees as they are stored, so that proofs are short to make. Level 0 is the leaves themselves.
pub struct StoredNodes<'a, 'c> {
    tx: &'a mut Tx<'c>,
    recent: Option<&'a Recent>,
}

impl<'a, 'c> StoredNodes<'a, 'c> {
    /// Each is read from the tables.
    pub fn read(tx: &'a mut Tx<'c>) -> Self {
        StoredNodes { tx, recent: None }
    }

    /// Those read lately are taken as they were.
    pub fn read_or_recent(tx: &'a mut Tx<'c>, recent: &'a Recent) -> Self {
        StoredNodes {
            tx,
            recent: Some(recent),
        }
    }

    /// `count` stored hashes from `first`, all below one node of the next stored level. Their neighbours there are read along: the same
    /// proof, or the next one, asks for them.
    fn stored(&mut self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>, DbError> {
        if let Some(run) = self.recent.and_then(|recent| recent.run(level, first, count)) {
            return Ok(run);
        }
        let begin = first - first % (1 << STORED_STEP);
        let (from, to) = (int(begin), int(begin + (1 << STORED_STEP)));
        let rows = if level == 0 {
            self.tx.query(
                "select leaf, hash from ledger_leaf where leaf >= $1 and leaf < $2 order by leaf",
                &params![from, to],
            )?
        } else {
            let sql = "select idx, hash from ledger_node where level = $1 and idx >= $2 and idx < $3 order by idx";
            self.tx.query(sql, &params![level, from, to])?
        };
        let one = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        let run: Vec<(u64, Hash)> = rows.iter().map(one).collect::<Result<_, DbError>>()?;
        if let Some(recent) = self.recent {
            recent.keep(level, &run);
        }
        let asked = first..first + count;
        let found: Vec<Hash> = run
            .into_iter()
            .filter(|(idx, _)| asked.contains(idx))
            .map(|(_, hash)| hash)
            .collect();
        if found.len() as u64 != count {
            return Err(DbError::Damaged(format!(
                "the ledger's tree lacks nodes at level {level} from {first}"
            )));
        }
        Ok(found)
    }
}

impl Nodes for StoredNodes<'_, '_> {
    type Error = DbError;

    fn get(&mut self, level: u32, index: u64) -> Result<Hash, DbError> {
        let above = level % STORED_STEP;
        let mut hashes = self.stored(level - above, index << above, 1 << above)?;
        while hashes.len() > 1 {
            hashes = hashes.chunks(2).map(|pair| node(&pair[0], &pair[1])).collect();
        }
        hashes.pop().ok_or(DbError::NoRow)
    }
}

/// Stored subtrees of one level from index `from` on: (index, hash), at most `limit`.
pub fn nodes_from(tx: &mut Tx<'_>, level: u32, from: u64, limit: i64) -> Result<Vec<(u64, Hash)>, DbError> {
    let sql = "select idx, hash from ledger_node where level = $1 and idx >= $2 order by idx limit $3";
    let rows = tx.query(sql, &params![level, int(from), limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Number of stored subtrees.
pub fn node_count(tx: &mut Tx<'_>) -> Result<u64, DbError> {
    tx.query_one("select count(*) from ledger_node", &[])?.get(0)
}

// ---- signed heads

pub fn insert_head(tx: &mut Tx<'_>, head: &TreeHead) -> Result<(), DbError> {
    tx.defer(
        "insert into ledger_tree_head (size, epoch, origin, root, at, signature) values ($1, $2, $3, $4, $5, $6)",
        &params![
            int(head.size),
            head.epoch,
            &head.origin,
            head.root,
            head.at,
            &head.signature
        ],
    )
}

fn tree_head(row: &Row) -> Result<TreeHead, DbError> {
    Ok(TreeHead {
        size: row.get(0)?,
        epoch: row.get(1)?,
        origin: row.get(2)?,
        root: row.get(3)?,
        at: row.get(4)?,
        signature: row.get(5)?,
    })
}

/// Heads in order of size after (size, epoch), at most `limit`.
pub fn tree_heads_after(tx: &mut Tx<'_>, size: u64, epoch: i64, limit: i64) -> Result<Vec<TreeHead>, DbError> {
    let rows = tx.query(
        "select size, epoch, origin, root, at, signature from ledger_tree_head
         where (size, epoch) > ($1, $2) order by size, epoch limit $3",
        &params![int(size), epoch, limit],
    )?;
    rows.iter().map(tree_head).collect()
}

/// The newest head. (Its own statement: with the number as a parameter PostgreSQL plans it anew each time.)
pub fn newest_head(tx: &mut Tx<'_>) -> Result<Option<TreeHead>, DbError> {
    let row = tx.query_opt(
        "select size, epoch, origin, root, at, signature from ledger_tree_head order by size desc, epoch desc limit 1",
        &[],
    )?;
    row.as_ref().map(tree_head).transpose()
}

/// The newest heads.
pub fn newest_heads(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<TreeHead>, DbError> {
    let rows = tx.query(
        "select size, epoch, origin, root, at, signature from ledger_tree_head order by size desc, epoch desc limit $1",
        &params![limit],
    )?;
    rows.iter().map(tree_head).collect()
}

/// A 64-bit unsigned number as both databases store it.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
