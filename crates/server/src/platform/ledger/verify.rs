//! Verification: reads the whole ledger again and names what does not fit.
//!
//! First each chain (content against hash, link against the record before, payload against its salted hash, payload against the
//! rows it speaks of, record against its leaf), then the tree (leaf order, stored subtrees, signed heads, heads kept elsewhere).
//! Entry point: [`Verifier`]; [`Verifier::step`] reads one page in its own short transaction, so that the memory is bounded and a
//! running server is not held up. What it cannot see: records cut off together with every leaf and head that covered them,
//! unless a head or a receipt from before is given (`known`).
use super::append::LedgerRef;
use super::hash::Hash;
use super::head::{PublicKey, TreeHead};
use super::record::{Record, payload_hash};
use super::store::{self, Payload, Stored};
use super::tree::{Frontier, STORED_STEP, leaf};
use crate::platform::fault::Fault;
use crate::platform::i18n::{self, Lang};
use crate::platform::tx::Tx;
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// Records or leaves read in one transaction.
pub const PAGE: i64 = 500;
/// Findings kept in full; further ones are only counted.
pub const MAX_FINDINGS: usize = 1_000;
/// Records named when only a stretch between two signed heads is known to be wrong.
const MAX_SUSPECTS: usize = 64;

/// A part's own check: does what the record says still agree with the part's rows? `Some(what differs)` if not.
#[derive(Clone, Copy)]
pub struct Recheck {
    /// Beginning of the actions it knows: `case.`.
    pub action: &'static str,
    pub check: fn(&mut Tx<'_, '_>, &Record, &Value) -> Result<Option<String>, Fault>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A record's content, hash or link was changed.
    Altered,
    /// A record that was there is gone.
    Removed,
    /// A record that was not appended by the server.
    Inserted,
    /// A record or leaf stands at another place than it was given.
    Reordered,
    /// The payload is not the one recorded.
    PayloadAltered,
    /// The payload is gone and no record says that it was erased.
    PayloadMissing,
    /// The rows the record speaks of were changed.
    RowDiffers,
    /// A record's leaf is gone.
    LeafMissing,
    /// A stored subtree is not the one of its leaves.
    NodeAltered,
    /// The leaves do not have the root that was signed.
    RootDiffers,
    /// A head is not signed by the server's key.
    SignatureInvalid,
    /// The ledger is shorter than it says or than a signed head says.
    Truncated,
    /// A signed head kept elsewhere shows another history.
    Forked,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Altered => "altered",
            Kind::Removed => "removed",
            Kind::Inserted => "inserted",
            Kind::Reordered => "reordered",
            Kind::PayloadAltered => "payload_altered",
            Kind::PayloadMissing => "payload_missing",
            Kind::RowDiffers => "row_differs",
            Kind::LeafMissing => "leaf_missing",
            Kind::NodeAltered => "node_altered",
            Kind::RootDiffers => "root_differs",
            Kind::SignatureInvalid => "signature_invalid",
            Kind::Truncated => "truncated",
            Kind::Forked => "forked",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    pub kind: Kind,
    /// The record.
    pub at: Option<LedgerRef>,
    pub action: Option<String>,
    pub subject: Option<String>,
    /// Milliseconds UTC, as the record says.
    pub time: Option<i64>,
    /// Numbers of the leaves concerned: from, up to and without.
    pub leaves: Option<(u64, u64)>,
    /// Records that may be wrong as well: those of a stretch between two heads (the first 64), or the one before.
    pub suspects: Vec<LedgerRef>,
    /// What exactly, in English, for the technical reader.
    pub detail: String,
}

impl Finding {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            kind,
            at: None,
            action: None,
            subject: None,
            time: None,
            leaves: None,
            suspects: Vec::new(),
            detail,
        }
    }

    fn of(kind: Kind, record: &Record, detail: impl Into<String>) -> Self {
        Self {
            at: Some(LedgerRef {
                strand: record.strand,
                seq: record.seq,
            }),
            action: Some(record.action.clone()),
            subject: Some(record.subject.clone()),
            time: Some(record.at),
            ..Self::new(kind, detail)
        }
    }

    fn at(kind: Kind, at: LedgerRef, detail: impl Into<String>) -> Self {
        Self {
            at: Some(at),
            ..Self::new(kind, detail)
        }
    }

    /// One line for a person.
    pub fn describe(&self, lang: Lang) -> String {
        let code = format!("ledger_finding_{}", self.kind.key());
        let mut line = i18n::sentence(lang, &code, &[]);
        if let Some(at) = self.at {
            line += &format!(" {at}");
        }
        for text in [&self.action, &self.subject].into_iter().flatten() {
            line += &format!(" {text}");
        }
        if let Some(time) = self.time {
            line += &format!(" {}", domain::time::Timestamp(time));
        }
        if let Some((from, to)) = self.leaves {
            line += &format!(" leaves {from}..{to}");
        }
        if !self.suspects.is_empty() {
            let named: Vec<String> = self.suspects.iter().map(LedgerRef::to_string).collect();
            line += &format!(" [{}]", named.join(" "));
        }
        format!("{line}: {}", self.detail)
    }
}

/// What was read and what was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Report {
    pub records: u64,
    /// Payloads that were erased as the rules say.
    pub erased: u64,
    pub leaves: u64,
    pub heads: u64,
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more: u64,
}

impl Report {
    pub fn ok(&self) -> bool {
        self.findings.is_empty()
    }
}

enum Phase {
    Start,
    Chain,
    Leaves,
    Done,
}

/// The record before, as far as the next one needs it.
struct Previous {
    record: Record,
    hash: Hash,
    /// Something about it was found already.
    flagged: bool,
}

/// One verification under way.
pub struct Verifier {
    key: PublicKey,
    rechecks: Vec<Recheck>,
    /// Heads from elsewhere (witnesses, receipts), by size.
    known: VecDeque<TreeHead>,
    phase: Phase,
    strand: i64,
    previous: Option<Previous>,
    frontier: Frontier,
    /// Leaves there must be.
    size: u64,
    /// Records there should be, for the progress.
    total: u64,
    /// Last seq of each chain that has had its leaf.
    given: HashMap<i64, i64>,
    heads: VecDeque<TreeHead>,
    head_cursor: (u64, i64),
    /// Size of the last signed head that fitted.
    fitted: u64,
    suspects: Vec<LedgerRef>,
    /// A root was wrong: all later ones are too, one finding says it.
    root_lost: bool,
    report: Report,
}

impl Verifier {
    /// `key`: the key heads must be signed by. `known`: heads kept elsewhere.
    pub fn new(key: PublicKey, rechecks: Vec<Recheck>, mut known: Vec<TreeHead>) -> Self {
        known.sort_by_key(|head| head.size);
        Self {
            key,
            rechecks,
            known: known.into(),
            phase: Phase::Start,
            strand: i64::MIN,
            previous: None,
            frontier: Frontier::default(),
            size: 0,
            total: 0,
            given: HashMap::new(),
            heads: VecDeque::new(),
            head_cursor: (0, i64::MIN),
            fitted: 0,
            suspects: Vec::new(),
            root_lost: false,
            report: Report::default(),
        }
    }

    /// Steps done and to do: each record is read twice, once in its chain and once in the tree.
    pub fn progress(&self) -> (u64, u64) {
        let done = self.report.records + self.frontier.size();
        (done, (self.total + self.size).max(done))
    }

    pub fn into_report(self) -> Report {
        self.report
    }

    /// Reads one page; true when there is nothing left to read.
    pub fn step(&mut self, tx: &mut db::Tx<'_>) -> Result<bool, Fault> {
        match self.phase {
            Phase::Start => self.start(tx)?,
            Phase::Chain => self.chain_page(tx)?,
            Phase::Leaves => self.leaf_page(tx)?,
            Phase::Done => return Ok(true),
        }
        Ok(false)
    }

    fn found(&mut self, finding: Finding) {
        if self.report.findings.len() < MAX_FINDINGS {
            self.report.findings.push(finding);
        } else {
            self.report.more += 1;
        }
    }

    fn start(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        self.size = store::tree(tx, false)?.frontier.size();
        self.total = store::count(tx)?;
        self.next_chain(tx)
    }

    fn next_chain(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        self.previous = None;
        self.phase = match store::next_strand(tx, self.strand)? {
            Some(strand) => {
                self.strand = strand;
                Phase::Chain
            }
            None => Phase::Leaves,
        };
        Ok(())
    }

    // ---- chains

    fn chain_page(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        let after = self.previous.as_ref().map_or(0, |previous| previous.record.seq);
        let records = store::records_after(tx, self.strand, after, PAGE)?;
        let sequenced = store::sequenced(tx, self.strand)?;
        let last_page = (records.len() as i64) < PAGE;
        for stored in records {
            self.one(tx, stored, sequenced)?;
        }
        if last_page {
            self.chain_end(tx)?;
            self.next_chain(tx)?;
        }
        Ok(())
    }

    fn one(&mut self, tx: &mut db::Tx<'_>, stored: Stored, sequenced: i64) -> Result<(), Fault> {
        self.report.records += 1;
        let before = self.previous.as_ref().map_or(0, |previous| previous.record.seq);
        let gap = stored.record.seq > before + 1;
        self.missing(before + 1, stored.record.seq);
        let mut flagged = self.content(tx, &stored)?;
        if !gap {
            flagged |= self.link(&stored, flagged);
        }
        if stored.leaf.is_none() && stored.record.seq <= sequenced {
            self.found(Finding::of(
                Kind::LeafMissing,
                &stored.record,
                "the tree has no leaf for it",
            ));
        }
        self.payload(tx, &stored)?;
        self.previous = Some(Previous {
            record: stored.record,
            hash: stored.hash,
            flagged,
        });
        Ok(())
    }

    /// Names the records `from..to` of the chain as removed.
    fn missing(&mut self, from: i64, to: i64) {
        let listed = to.min(from.saturating_add(MAX_FINDINGS as i64));
        for seq in from..listed {
            self.found(Finding::at(
                Kind::Removed,
                LedgerRef {
                    strand: self.strand,
                    seq,
                },
                "the chain goes on without it",
            ));
        }
        self.report.more += (to - listed.max(from)).max(0) as u64;
    }

    /// Content against hash, hash against leaf.
    fn content(&mut self, tx: &mut db::Tx<'_>, stored: &Stored) -> Result<bool, Fault> {
        let own = stored.record.hash() == stored.hash;
        let in_tree = stored.leaf.is_none_or(|(_, hash)| hash == leaf(&stored.hash));
        if own && in_tree {
            return Ok(false);
        }
        let place = store::place_of_leaf_hash(tx, leaf(&stored.hash))?.filter(|place| *place != stored.at());
        let finding = match place {
            Some(place) => Finding::of(
                Kind::Reordered,
                &stored.record,
                format!("what stands here was recorded as {place}"),
            ),
            None if !own => Finding::of(Kind::Altered, &stored.record, "its hash does not fit its content"),
            None => Finding::of(
                Kind::Altered,
                &stored.record,
                "content and hash were changed together; the tree has another",
            ),
        };
        self.found(finding);
        Ok(true)
    }

    /// The link to the record before. A link that does not fit points at whichever of the two was not found wrong by itself;
    /// when this one was, the one before is named as a suspect: it may be one too many.
    fn link(&mut self, stored: &Stored, flagged: bool) -> bool {
        let expected = self.previous.as_ref().map_or(Hash::ZERO, |previous| previous.hash);
        if stored.record.prev_hash == expected {
            return false;
        }
        if flagged {
            let before = self.previous.as_ref().filter(|previous| !previous.flagged);
            let suspect = before.map(|previous| LedgerRef {
                strand: previous.record.strand,
                seq: previous.record.seq,
            });
            if let Some(finding) = self
                .report
                .findings
                .last_mut()
                .filter(|finding| finding.at == Some(stored.at()))
            {
                finding.suspects.extend(suspect);
            }
            return false;
        }
        match &self.previous {
            Some(previous) if previous.flagged => false,
            Some(previous) => {
                let text = format!(
                    "changed together with its hash; {} still links to what it was",
                    stored.at()
                );
                let finding = Finding::of(Kind::Altered, &previous.record, text);
                self.found(finding);
                false
            }
            None => {
                self.found(Finding::of(
                    Kind::Altered,
                    &stored.record,
                    "the first record of a chain links to another",
                ));
                true
            }
        }
    }

    fn payload(&mut self, tx: &mut db::Tx<'_>, stored: &Stored) -> Result<(), Fault> {
        match &stored.payload {
            Payload::Kept { salt, body } if payload_hash(salt, body) == stored.record.payload_hash => {
                let body = serde_json::from_str(body).unwrap_or(Value::Null);
                self.rows(tx, &stored.record, &body)
            }
            Payload::Kept { .. } => {
                self.found(Finding::of(
                    Kind::PayloadAltered,
                    &stored.record,
                    "the payload does not have the recorded hash",
                ));
                Ok(())
            }
            Payload::Erased(by) if is_erasure(tx, *by, stored.at())? => {
                self.report.erased += 1;
                Ok(())
            }
            Payload::Erased(by) => {
                let text = format!("said to be erased by {by}, which is no such record");
                self.found(Finding::of(Kind::PayloadMissing, &stored.record, text));
                Ok(())
            }
            Payload::Missing => {
                self.found(Finding::of(
                    Kind::PayloadMissing,
                    &stored.record,
                    "no record says that it was erased",
                ));
                Ok(())
            }
        }
    }

    fn rows(&mut self, tx: &mut db::Tx<'_>, record: &Record, body: &Value) -> Result<(), Fault> {
        for recheck in self.rechecks.clone() {
            if record.action.starts_with(recheck.action)
                && let Some(what) = (recheck.check)(&mut Tx::new(tx, None), record, body)?
            {
                self.found(Finding::of(Kind::RowDiffers, record, what));
            }
        }
        Ok(())
    }

    /// The stored end of the chain against the last record; both are of one snapshot.
    fn chain_end(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        let (end, end_hash) = store::head_of(tx, self.strand)?.unwrap_or((0, Hash::ZERO));
        let last = self.previous.as_ref().map_or(0, |previous| previous.record.seq);
        if end > last {
            self.missing(last + 1, end + 1);
        }
        for stored in store::records_after(tx, self.strand, end, PAGE)? {
            self.found(Finding::of(
                Kind::Inserted,
                &stored.record,
                "it stands after the end of its chain",
            ));
        }
        if let Some(previous) = &self.previous
            && end == last
            && end_hash != previous.hash
            && !previous.flagged
        {
            let finding = Finding::of(
                Kind::Altered,
                &previous.record,
                "the end of its chain was another record",
            );
            self.found(finding);
        }
        Ok(())
    }

    // ---- the tree

    fn leaf_page(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        let leaves = store::leaves_from(tx, self.frontier.size(), PAGE)?;
        let mut nodes: HashMap<u32, Vec<(u64, Hash)>> = HashMap::new();
        let mut read = 0;
        for found in leaves {
            if self.frontier.size() == self.size {
                break;
            }
            if found.number != self.frontier.size() {
                let mut finding = Finding::new(
                    Kind::LeafMissing,
                    "leaves are gone; the tree cannot be computed beyond them",
                );
                finding.leaves = Some((self.frontier.size(), found.number));
                self.found(finding);
                return self.tree_end(tx);
            }
            read += 1;
            self.place(&found);
            self.frontier.push(found.hash, |level, index, hash| {
                if level > 0 && level % STORED_STEP == 0 {
                    nodes.entry(level).or_default().push((index, hash));
                }
            });
            self.heads_here(tx)?;
        }
        self.report.leaves = self.frontier.size();
        self.nodes(tx, nodes)?;
        if read == 0 { self.tree_end(tx) } else { Ok(()) }
    }

    fn place(&mut self, found: &store::Leaf) {
        let range = Some((found.number, found.number + 1));
        let expected = self.given.get(&found.at.strand).map_or(1, |seq| seq + 1);
        if found.at.seq != expected {
            let text = format!("the next of its chain to come here was number {expected}");
            self.found(Finding {
                leaves: range,
                ..Finding::at(Kind::Reordered, found.at, text)
            });
        }
        if !found.has_record {
            self.found(Finding {
                leaves: range,
                ..Finding::at(Kind::Removed, found.at, "the tree has its leaf")
            });
        }
        self.given.insert(found.at.strand, found.at.seq);
        if self.suspects.len() < MAX_SUSPECTS {
            self.suspects.push(found.at);
        }
    }

    /// The signed heads for exactly the leaves read so far.
    fn heads_here(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        if self.heads.is_empty() {
            let (size, epoch) = self.head_cursor;
            self.heads = store::tree_heads_after(tx, size, epoch, PAGE)?.into();
            if let Some(last) = self.heads.back() {
                self.head_cursor = (last.size, last.epoch);
            }
        }
        let size = self.frontier.size();
        while let Some(head) = self.heads.pop_front_if(|head| head.size <= size) {
            self.report.heads += 1;
            self.head(&head, size);
        }
        while let Some(head) = self.known.pop_front_if(|head| head.size <= size) {
            self.known_head(&head, size);
        }
        Ok(())
    }

    fn head(&mut self, head: &TreeHead, size: u64) {
        let here = Some((self.fitted, head.size));
        if !head.signed_by(&self.key) {
            let text = format!(
                "the head for {} records is not signed by the key {}",
                head.size,
                self.key.to_hex()
            );
            self.found(Finding {
                leaves: here,
                ..Finding::new(Kind::SignatureInvalid, text)
            });
        } else if head.size == size && head.root == self.frontier.root() {
            self.fitted = size;
            self.suspects.clear();
        } else if !self.root_lost {
            self.root_lost = true;
            let text = format!(
                "the leaves do not have the root signed for {} records; later heads are not compared",
                head.size
            );
            let suspects = std::mem::take(&mut self.suspects);
            self.found(Finding {
                leaves: here,
                suspects,
                ..Finding::new(Kind::RootDiffers, text)
            });
        }
    }

    fn known_head(&mut self, head: &TreeHead, size: u64) {
        if !head.signed_by(&self.key) {
            let text = format!(
                "the head for {} records that was given is not signed by this server",
                head.size
            );
            self.found(Finding::new(Kind::SignatureInvalid, text));
        } else if head.size == size && head.root != self.frontier.root() {
            let text = format!(
                "this server signed another root for {} records: the history was rewritten",
                head.size
            );
            self.found(Finding {
                leaves: Some((0, head.size)),
                ..Finding::new(Kind::Forked, text)
            });
        }
    }

    fn nodes(&mut self, tx: &mut db::Tx<'_>, computed: HashMap<u32, Vec<(u64, Hash)>>) -> Result<(), Fault> {
        for (level, nodes) in computed {
            let first = nodes.first().map_or(0, |(index, _)| *index);
            let stored: HashMap<u64, Hash> = store::nodes_from(tx, level, first, nodes.len() as i64)?
                .into_iter()
                .collect();
            for (index, hash) in nodes {
                if stored.get(&index) != Some(&hash) {
                    let text = format!("the subtree at level {level}, number {index} is not that of its leaves");
                    let leaves = Some((index << level, (index + 1) << level));
                    self.found(Finding {
                        leaves,
                        ..Finding::new(Kind::NodeAltered, text)
                    });
                }
            }
        }
        Ok(())
    }

    /// Nothing more to read: is everything there that was signed?
    fn tree_end(&mut self, tx: &mut db::Tx<'_>) -> Result<(), Fault> {
        let read = self.frontier.size();
        let tree = store::tree(tx, false)?.frontier;
        if read < self.size {
            let text = format!("{read} leaves are left of {}", self.size);
            self.found(Finding {
                leaves: Some((read, self.size)),
                ..Finding::new(Kind::Truncated, text)
            });
        } else if tree.size() == read && tree != self.frontier {
            self.found(Finding::new(
                Kind::NodeAltered,
                "the stored right edge of the tree is not that of its leaves",
            ));
        }
        let expected: u64 = (1..=15).map(|step| tree.size() >> (step * STORED_STEP)).sum();
        if store::node_count(tx)? != expected {
            self.found(Finding::new(
                Kind::NodeAltered,
                "there are more or fewer stored subtrees than leaves ask for",
            ));
        }
        let longest = store::newest_head(tx)?.map_or(0, |head| head.size);
        let promised = longest.max(self.known.back().map_or(0, |head| head.size));
        if promised > tree.size() {
            let text = format!("a head was signed for {promised} records, {} are left", tree.size());
            self.found(Finding {
                leaves: Some((tree.size(), promised)),
                ..Finding::new(Kind::Truncated, text)
            });
        }
        self.phase = Phase::Done;
        Ok(())
    }
}

/// The action of the record that erases a payload.
pub const ERASED: &str = "ledger.payload_erased";

/// Whether the record `by` says that it erased the payload of `at`.
fn is_erasure(tx: &mut db::Tx<'_>, by: LedgerRef, at: LedgerRef) -> Result<bool, Fault> {
    let Some(stored) = store::record(tx, by)? else {
        return Ok(false);
    };
    let Payload::Kept { salt, body } = &stored.payload else {
        return Ok(false);
    };
    let names: Option<LedgerRef> = serde_json::from_str(body).ok();
    Ok(stored.record.action == ERASED
        && stored.record.hash() == stored.hash
        && payload_hash(salt, body) == stored.record.payload_hash
        && names == Some(at))
}
