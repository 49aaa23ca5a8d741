//! `Tx`: a database transaction that must leave a mark.
//!
//! Wraps [`db::Tx`]; the statements are the same. [`Tx::record`] appends to the ledger in the same transaction, and
//! [`App::write`](super::app::App::write) refuses to commit a change without a mark. [`Tx::housekeeping`] is the door for the few
//! tables in [`HOUSEKEEPING`], which hold nothing that anybody did.

use super::app::App;
use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::*;
use super::ledger::{self, LedgerRef};
use super::live::LiveEvent;
use db::{DbError, Row, Sql, Value};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// Tables that may be written without a mark: counters, leases and what can be computed again. The list may only shrink.
pub const HOUSEKEEPING: &[&str] = &[
    "session",       // the time it was last used
    "login_failure", // the counter behind the lock-out
    "job",           // leases and attempts; what a job does is marked by the job
    "upload",        // offsets of files on their way up
    "outbox",        // delivery attempts
    "ledger_head",   // the ledger itself
    "ledger_record",
    "ledger_payload",
    "ledger_leaf",
    "ledger_node",
    "ledger_tree_head",
    "ledger_tree",
    "ledger_sequenced",
    "blob",           // photos by content; what they are evidence of is marked by the case
    "search_pending", // the search index: computed from cases
    "search_doc",
    "search_posting",
    "search_state",
    "cube_day",
    "cube_open",
];

/// What was done, for the ledger. `body` holds ids, states, numbers and hashes of free text; never personal data in clear.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Stable key, `part.verb`: `case.accepted`.
    pub action: &'static str,
    /// What it was done to.
    pub subject: Subject,
    /// The details.
    pub body: serde_json::Value,
}

impl Mark {
    /// A mark; `body` from `serde_json::json!`.
    pub fn new(action: &'static str, subject: Subject, body: serde_json::Value) -> Mark {
        Mark { action, subject, body }
    }
}

/// What a mark or an access is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subject {
    /// A case.
    Case(CaseId),
    /// A report of a case.
    Report(ReportId),
    /// The sealed record of a reporter.
    Reporter(ReporterId),
    /// An account.
    Account(AccountId),
    /// An area.
    Area(AreaId),
    /// A unit.
    Unit(UnitId),
    /// A post.
    Post(PostId),
    /// A worker.
    Worker(WorkerId),
    /// A visiting team.
    Team(TeamId),
    /// A job.
    Job(JobId),
    /// An outgoing message.
    Message(MessageId),
    /// An upload.
    Upload(UploadId),
    /// Another system that has a key.
    Partner(PartnerId),
    /// Another platform.
    Peer(PeerId),
    /// A case passed on to or taken from another platform.
    Handover(HandoverId),
    /// A plan of grids.
    Plan(PlanId),
    /// A visit, check or patrol.
    Visit(VisitId),
    /// A campaign.
    Campaign(CampaignId),
    /// A project.
    Project(ProjectId),
    /// A household.
    Household(HouseholdId),
    /// A resident of the registry.
    Resident(ResidentId),
    /// An organisation.
    Organisation(OrganisationId),
    /// A phone of an account.
    Device(DeviceId),
    /// The rule pack, the calendar.
    Pack,
    /// The territory as a whole.
    Territory,
    /// The ledger.
    Ledger,
    /// A list or an export: more than one thing.
    List,
    /// The installation.
    System,
}

impl Subject {
    /// Stable key of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Subject::Case(_) => "case",
            Subject::Report(_) => "report",
            Subject::Reporter(_) => "reporter",
            Subject::Account(_) => "account",
            Subject::Area(_) => "area",
            Subject::Unit(_) => "unit",
            Subject::Post(_) => "post",
            Subject::Worker(_) => "worker",
            Subject::Team(_) => "team",
            Subject::Job(_) => "job",
            Subject::Message(_) => "message",
            Subject::Upload(_) => "upload",
            Subject::Partner(_) => "partner",
            Subject::Peer(_) => "peer",
            Subject::Handover(_) => "handover",
            Subject::Plan(_) => "plan",
            Subject::Visit(_) => "visit",
            Subject::Campaign(_) => "campaign",
            Subject::Project(_) => "project",
            Subject::Household(_) => "household",
            Subject::Resident(_) => "resident",
            Subject::Organisation(_) => "organisation",
            Subject::Device(_) => "device",
            Subject::Pack => "pack",
            Subject::Territory => "territory",
            Subject::Ledger => "ledger",
            Subject::List => "list",
            Subject::System => "system",
        }
    }

    /// The id, where it has one.
    pub fn id(&self) -> Option<String> {
        match self {
            Subject::Case(id) => Some(id.to_string()),
            Subject::Report(id) => Some(id.to_string()),
            Subject::Reporter(id) => Some(id.to_string()),
            Subject::Account(id) => Some(id.to_string()),
            Subject::Area(id) => Some(id.to_string()),
            Subject::Unit(id) => Some(id.to_string()),
            Subject::Post(id) => Some(id.to_string()),
            Subject::Worker(id) => Some(id.to_string()),
            Subject::Team(id) => Some(id.to_string()),
            Subject::Job(id) => Some(id.to_string()),
            Subject::Message(id) => Some(id.to_string()),
            Subject::Upload(id) => Some(id.to_string()),
            Subject::Partner(id) => Some(id.to_string()),
            Subject::Peer(id) => Some(id.to_string()),
            Subject::Handover(id) => Some(id.to_string()),
            Subject::Plan(id) => Some(id.to_string()),
            Subject::Visit(id) => Some(id.to_string()),
            Subject::Campaign(id) => Some(id.to_string()),
            Subject::Project(id) => Some(id.to_string()),
            Subject::Household(id) => Some(id.to_string()),
            Subject::Resident(id) => Some(id.to_string()),
            Subject::Organisation(id) => Some(id.to_string()),
            Subject::Device(id) => Some(id.to_string()),
            Subject::Pack | Subject::Territory | Subject::Ledger | Subject::List | Subject::System => None,
        }
    }
}

/// One transaction of one use case.
pub struct Tx<'t, 'c> {
    inner: &'t mut db::Tx<'c>,
    app: Option<App>,
    /// What was changed that is also kept in memory, by name, with what was read of it since.
    own: HashMap<&'static str, Option<Arc<dyn Any + Send + Sync>>>,
    changed: bool,
    marked: bool,
    events: Vec<LiveEvent>,
}

impl<'t, 'c> Tx<'t, 'c> {
    /// `app`: whose memory may be used; none where only what is in the tables counts.
    pub(super) fn new(inner: &'t mut db::Tx<'c>, app: Option<App>) -> Tx<'t, 'c> {
        Tx {
            inner,
            app,
            own: HashMap::new(),
            changed: false,
            marked: false,
            events: Vec::new(),
        }
    }

    /// Appends a mark to the ledger.
    pub fn record(&mut self, ctx: &Ctx, mark: Mark) -> Result<LedgerRef, Fault> {
        let at = self.record_all(ctx, &[mark])?.pop();
        at.ok_or_else(|| Fault::internal("a mark without its place"))
    }

    /// As [`Tx::record`], for many marks; their places in the same order.
    pub fn record_all(&mut self, ctx: &Ctx, marks: &[Mark]) -> Result<Vec<LedgerRef>, Fault> {
        self.marked = true;
        let subject = |mark: &Mark| match mark.subject.id() {
            Some(id) => format!("{}:{id}", mark.subject.kind()),
            None => mark.subject.kind().to_owned(),
        };
        let entries = marks.iter().map(|mark| ledger::Entry {
            at: ctx.now.0,
            actor: ctx.actor.key(),
            action: mark.action,
            subject: subject(mark),
            purpose: ctx.purpose.key().to_owned(),
            rule_version: ctx.app.rule_version(),
            body: &mark.body,
            salt: ctx.app.chance().bytes(),
        });
        let places = ledger::append(self.inner, entries)?;
        ledger::sequence_soon(ctx, self.inner);
        Ok(places)
    }

    /// As [`Tx::record`], for a mark whose receipt is asked for right after the commit.
    pub fn record_for_receipt(&mut self, ctx: &Ctx, mark: Mark) -> Result<LedgerRef, Fault> {
        let at = self.record(ctx, mark)?;
        ledger::receipt_follows(ctx, self.inner);
        Ok(at)
    }

    /// Sends a live event after the commit, to subscribers whose scope covers it.
    pub fn publish(&mut self, event: LiveEvent) {
        self.events.push(event);
    }

    /// A statement that changes rows; the number it changed. Needs a mark in the same transaction.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.changed = true;
        self.inner.execute(sql, params)
    }

    /// As `execute`, its count not needed: on PostgreSQL without waiting for the answer.
    pub fn defer(&mut self, sql: &str, params: &[Value]) -> Result<(), DbError> {
        self.changed = true;
        self.inner.defer(sql, params)
    }

    /// A composed statement that changes rows.
    pub fn run(&mut self, sql: &Sql) -> Result<u64, DbError> {
        self.changed = true;
        self.inner.run(sql)
    }

    /// A change without a mark, for a table in [`HOUSEKEEPING`].
    pub fn housekeeping(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        debug_assert!(is_housekeeping(sql), "not in the list of housekeeping tables: {sql}");
        self.inner.execute(sql, params)
    }

    /// As `housekeeping`, its count not needed.
    pub fn defer_housekeeping(&mut self, sql: &str, params: &[Value]) -> Result<(), DbError> {
        debug_assert!(is_housekeeping(sql), "not in the list of housekeeping tables: {sql}");
        self.inner.defer(sql, params)
    }

    /// All rows; bound them in the SQL. Also for `insert .. returning` when it is a select: use `execute` for changes.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.inner.query(sql, params)
    }

    /// The row, if there is one.
    pub fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        self.inner.query_opt(sql, params)
    }

    /// The one row there must be.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.inner.query_one(sql, params)
    }

    /// All rows of a composed statement.
    pub fn fetch(&mut self, sql: &Sql) -> Result<Vec<Row>, DbError> {
        self.inner.fetch(sql)
    }

    /// Runs a step that may fail without giving up the transaction: its changes are undone, the rest stays.
    pub fn attempt<T>(&mut self, step: impl FnOnce(&mut Tx<'_, 'c>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.inside(false, step)
    }

    /// As `attempt`, for a step that is a whole use case: it is also undone when it changed something and left no mark.
    pub fn attempt_marked<T>(&mut self, step: impl FnOnce(&mut Tx<'_, 'c>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.inside(true, step)
    }

    fn inside<T>(&mut self, whole: bool, step: impl FnOnce(&mut Tx<'_, 'c>) -> Result<T, Fault>) -> Result<T, Fault> {
        let (mut changed, mut marked, mut events) = (false, false, Vec::new());
        let (app, own) = (self.app.clone(), &mut self.own);
        let done = self.inner.attempt(|inner| {
            let mut tx = Tx::new(inner, app);
            tx.own.clone_from(own);
            let done = step(&mut tx);
            own.clone_from(&tx.own);
            if done.is_err() {
                // What was read may be undone now.
                own.values_mut().for_each(|read| *read = None);
            }
            let done = done?;
            (changed, marked, events) = (tx.changed, tx.marked, std::mem::take(&mut tx.events));
            if whole && changed && !marked {
                Err(unmarked())
            } else {
                Ok(done)
            }
        })?;
        self.changed |= changed;
        self.marked |= marked;
        self.events.append(&mut events);
        Ok(done)
    }

    /// The app whose memory may be used, if any.
    pub fn app(&self) -> Option<&App> {
        self.app.as_ref()
    }

    /// Says that this transaction changed something that is also kept in memory, so that it reads its own rows from now on.
    pub fn note_change(&mut self, of: &'static str) {
        self.own.insert(of, None);
    }

    /// Whether this transaction said so.
    pub fn has_changed(&self, of: &str) -> bool {
        self.own.contains_key(of)
    }

    /// What this transaction read of something since it last changed it.
    pub fn own<T: Send + Sync + 'static>(&self, of: &str) -> Option<Arc<T>> {
        self.own.get(of)?.clone()?.downcast().ok()
    }

    /// Keeps what was read of something this transaction changed, until it changes it again.
    pub fn keep_own(&mut self, of: &'static str, read: Arc<dyn Any + Send + Sync>) {
        self.own.insert(of, Some(read));
    }

    /// See [`db::Tx::strand`].
    pub fn strand(&self) -> i64 {
        self.inner.strand()
    }

    /// Which database this is, for the few statements that differ.
    pub fn backend(&self) -> db::Backend {
        self.inner.backend()
    }

    /// Something short to do once the commit is durable.
    pub fn on_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.inner.on_commit(f);
    }

    /// A change that closures of one commit share, made right before it; see [`db::AtCommit`]. Needs a mark, as `execute`.
    pub fn at_commit(&mut self, work: impl db::AtCommit) {
        self.changed = true;
        self.inner.at_commit(work);
    }

    /// As [`db::Tx::insert_rows`]. Needs a mark.
    pub fn insert_rows<const N: usize>(
        &mut self,
        head: &'static str,
        rows: impl IntoIterator<Item = [Value; N]>,
        tail: &'static str,
    ) -> Result<(), DbError> {
        self.changed = true;
        self.inner.insert_rows(head, rows, tail)
    }

    /// As [`Tx::insert_rows`], into a table in [`HOUSEKEEPING`].
    pub fn insert_housekeeping<const N: usize>(
        &mut self,
        head: &'static str,
        rows: impl IntoIterator<Item = [Value; N]>,
        tail: &'static str,
    ) -> Result<(), DbError> {
        debug_assert!(is_housekeeping(head), "not in the list of housekeeping tables: {head}");
        self.inner.insert_rows(head, rows, tail)
    }

    /// The last step: refuses changes without a mark, hands over the live events.
    pub(super) fn finish(self) -> Result<Vec<LiveEvent>, Fault> {
        if self.changed && !self.marked {
            return Err(unmarked());
        }
        Ok(self.events)
    }
}

fn unmarked() -> Fault {
    Fault::internal("a change without a mark in the ledger").code_as("unmarked_write")
}

/// Whether a statement changes one of the tables in [`HOUSEKEEPING`].
fn is_housekeeping(sql: &str) -> bool {
    let words: Vec<&str> = sql
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found.eq_ignore_ascii_case(word));
    let table = match () {
        () if is(0, "insert") && is(1, "into") => words.get(2),
        () if is(0, "delete") && is(1, "from") => words.get(2),
        () if is(0, "update") => words.get(1),
        () => None,
    };
    table.is_some_and(|table| HOUSEKEEPING.contains(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn housekeeping_is_a_closed_list() {
        assert!(is_housekeeping("update session set seen_at = $1 where token_hash = $2"));
        assert!(is_housekeeping("insert into job(id) values ($1)"));
        assert!(is_housekeeping("delete from upload where id = $1"));
        assert!(!is_housekeeping("update cases set state = $1"));
        assert!(!is_housekeeping("with x as (select 1) update session set seen_at = 1"));
        assert!(!is_housekeeping("insert into account(id) values ($1)"));
    }
}
