//! One case as stored: the row of `cases`, and the [`domain::cases::Case`] it means together with its reports, co-handlers and requests.
//!
//! Rows are parsed into states at the edge ([`Loaded::rules_view`]); an impossible mix of columns is a named inconsistency, not a panic.
//! Must not: run SQL (that is `store.rs`), or decide anything.

use crate::platform::{
    AccountId, AreaId, CaseId, CaseScopeFacts, CoHandlerId, Fault, HandoverId, LedgerRef, ReportId, ReporterId,
    RequestId, TeamId, UnitId, WorkerId,
};
use db::{DbError, Row};
use domain::cases as rules;
use domain::cases::StateKey;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Stands for "nothing is due" in the queue's order: after every real time.
pub const FAR: i64 = 9_007_199_254_740_991;

/// Somebody remembered by account and worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoerRef {
    pub account: AccountId,
    pub worker: Option<WorkerId>,
}

impl From<rules::Doer> for DoerRef {
    fn from(doer: rules::Doer) -> Self {
        DoerRef {
            account: doer.account.into(),
            worker: doer.worker.map(Into::into),
        }
    }
}

impl From<DoerRef> for rules::Doer {
    fn from(doer: DoerRef) -> Self {
        rules::Doer {
            account: doer.account.into(),
            worker: doer.worker.map(Into::into),
        }
    }
}

/// The row of a case. Fields are the columns of `0005_cases.sql`, `team_id` of `0031_team.sql`, `away` and `handover_id` of
/// `0043_handover.sql`, `areas_past` of `0058_adoption.sql`.
#[derive(Debug, Clone)]
pub struct CaseRow {
    pub id: CaseId,
    pub number: String,
    pub title: String,
    pub body: String,
    pub channel: String,
    pub category_code: Option<String>,
    pub category_source: Option<String>,
    pub confidence: Option<f64>,
    pub second_category: Option<String>,
    pub urgent: bool,
    pub kind: String,
    pub area_id: Option<AreaId>,
    pub territory_version: i64,
    pub areas: [Option<AreaId>; 5],
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    pub address: Option<String>,
    pub place_note: Option<String>,
    pub state: StateKey,
    pub look: Option<String>,
    pub unit_id: Option<UnitId>,
    pub worker_id: Option<WorkerId>,
    pub level_resolved: Option<i64>,
    pub due_at: Option<Timestamp>,
    pub due_step: Option<String>,
    pub late: bool,
    pub received_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub assigned_at: Option<Timestamp>,
    pub taken_at: Option<Timestamp>,
    pub arrived_at: Option<Timestamp>,
    pub handled_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
    pub verified_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub on_time: Option<bool>,
    pub outcome: Option<String>,
    pub counts: rules::Counts,
    pub supervised: bool,
    pub arbitrated: bool,
    pub paused: bool,
    pub mediated: bool,
    pub dissatisfied: bool,
    pub handled_by: Option<DoerRef>,
    pub decided_by: Option<DoerRef>,
    pub verified_by: Option<DoerRef>,
    pub merged_into: Option<CaseId>,
    pub merged_was: Option<String>,
    pub reporter_count: i64,
    pub pack_version: String,
    pub public: bool,
    pub content_hash: String,
    pub row_version: i64,
    /// The visiting team that heard it (LH-22).
    pub team_id: Option<TeamId>,
    /// Another platform handles it now.
    pub away: bool,
    /// Its last handover: passed on, or taken from another platform.
    pub handover_id: Option<HandoverId>,
    /// Where it lay before a new division of the place moved it, oldest first.
    pub past: Vec<Stay>,
}

/// The areas a case lay in, up to the day before one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Days since 1970-01-01 in +08:00: the first day it lay there no more.
    pub before: i64,
    /// Ancestors from the top, as in [`CaseRow::areas`].
    pub areas: [Option<AreaId>; 5],
}

impl Stay {
    /// The column `areas_past`; none for none.
    pub fn write(all: &[Stay]) -> Option<String> {
        (!all.is_empty()).then(|| serde_json::to_string(all).unwrap_or_default())
    }

    fn read(text: Option<String>) -> Result<Vec<Stay>, Fault> {
        text.map_or(Ok(Vec::new()), |text| {
            serde_json::from_str(&text).map_err(Fault::internal)
        })
    }
}

/// The columns of [`CaseRow`], in its order; every select of cases begins with them.
macro_rules! case_columns {
    () => {
        "c.id, c.number, c.title, c.body, c.channel, c.category_code, c.category_source, c.confidence, c.second_category, c.urgent, c.kind, \
         c.area_id, c.territory_version, c.a1, c.a2, c.a3, c.a4, c.a5, c.lon, c.lat, c.address, c.place_note, c.state, c.look, c.unit_id, \
         c.worker_id, c.level_resolved, c.due_at, c.due_step, c.late, c.received_at, c.accepted_at, c.assigned_at, c.taken_at, c.arrived_at, \
         c.handled_at, c.answered_at, c.verified_at, c.ended_at, c.on_time, c.outcome, c.returned_count, c.rework_count, c.reopened_count, \
         c.urged_count, c.extended_count, c.supervised, c.arbitrated, c.paused, c.mediated, c.dissatisfied, c.handled_by, c.handled_worker, \
         c.decided_by, c.decided_worker, c.verified_by, c.verified_worker, c.merged_into, c.merged_was, c.reporter_count, c.pack_version, \
         c.public, c.content_hash, c.row_version, c.team_id, c.away, c.handover_id, \
         c.areas_past"
    };
}
pub(super) use case_columns;

/// How many [`case_columns!`] there are.
pub(super) const CASE_COLUMNS: usize = 68;

/// Reads a row column by column, in order.
pub struct Cursor<'r>(pub &'r Row, pub usize);

impl Cursor<'_> {
    pub fn next<T: db::FromValue>(&mut self) -> Result<T, DbError> {
        let value = self.0.get(self.1);
        self.1 += 1;
        value
    }

    pub fn time(&mut self) -> Result<Option<Timestamp>, DbError> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp))
    }

    pub fn doer(&mut self) -> Result<Option<DoerRef>, DbError> {
        let (account, worker) = (self.next::<Option<AccountId>>()?, self.next()?);
        Ok(account.map(|account| DoerRef { account, worker }))
    }
}

/// What a line of a list and a point of the map show of a case.
#[derive(Debug, Clone)]
pub struct LineRow {
    pub id: CaseId,
    pub number: String,
    pub title: String,
    pub channel: String,
    pub category_code: Option<String>,
    pub urgent: bool,
    pub area_id: Option<AreaId>,
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    pub state: StateKey,
    pub unit_id: Option<UnitId>,
    pub worker_id: Option<WorkerId>,
    pub due_at: Option<Timestamp>,
    pub due_step: Option<String>,
    pub received_at: Timestamp,
    pub returned: u32,
    pub supervised: bool,
    pub reporter_count: i64,
    pub row_version: i64,
    pub team_id: Option<TeamId>,
    pub away: bool,
}

/// The columns of [`LineRow`], in its order.
macro_rules! line_columns {
    () => {
        "c.id, c.number, c.title, c.channel, c.category_code, c.urgent, c.area_id, c.lon, c.lat, c.state, c.unit_id, c.worker_id, \
         c.due_at, c.due_step, c.received_at, c.returned_count, c.supervised, c.reporter_count, c.row_version, c.team_id, c.away"
    };
}
pub(super) use line_columns;

impl LineRow {
    /// From a row of [`line_columns!`].
    pub fn read(row: &Row) -> Result<LineRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(LineRow {
            id: c.next()?,
            number: c.next()?,
            title: c.next()?,
            channel: c.next()?,
            category_code: c.next()?,
            urgent: c.next()?,
            area_id: c.next()?,
            lon: c.next()?,
            lat: c.next()?,
            state: state_key(c.next()?)?,
            unit_id: c.next()?,
            worker_id: c.next()?,
            due_at: c.time()?,
            due_step: c.next()?,
            received_at: Timestamp(c.next()?),
            returned: c.next()?,
            supervised: c.next()?,
            reporter_count: c.next()?,
            row_version: c.next()?,
            team_id: c.next()?,
            away: c.next()?,
        })
    }

    /// Whether anything is owed.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

impl From<&CaseRow> for LineRow {
    fn from(row: &CaseRow) -> LineRow {
        LineRow {
            id: row.id,
            number: row.number.clone(),
            title: row.title.clone(),
            channel: row.channel.clone(),
            category_code: row.category_code.clone(),
            urgent: row.urgent,
            area_id: row.area_id,
            lon: row.lon,
            lat: row.lat,
            state: row.state,
            unit_id: row.unit_id,
            worker_id: row.worker_id,
            due_at: row.due_at,
            due_step: row.due_step.clone(),
            received_at: row.received_at,
            returned: row.counts.returned,
            supervised: row.supervised,
            reporter_count: row.reporter_count,
            row_version: row.row_version,
            team_id: row.team_id,
            away: row.away,
        }
    }
}

fn state_key(key: String) -> Result<StateKey, Fault> {
    StateKey::from_key(&key).ok_or_else(|| Fault::internal(format!("unknown state {key}")))
}

impl CaseRow {
    /// From a row that begins with [`case_columns!`].
    pub fn read(row: &Row) -> Result<CaseRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(CaseRow {
            id: c.next()?,
            number: c.next()?,
            title: c.next()?,
            body: c.next()?,
            channel: c.next()?,
            category_code: c.next()?,
            category_source: c.next()?,
            confidence: c.next()?,
            second_category: c.next()?,
            urgent: c.next()?,
            kind: c.next()?,
            area_id: c.next()?,
            territory_version: c.next()?,
            areas: [c.next()?, c.next()?, c.next()?, c.next()?, c.next()?],
            lon: c.next()?,
            lat: c.next()?,
            address: c.next()?,
            place_note: c.next()?,
            state: state_key(c.next()?)?,
            look: c.next()?,
            unit_id: c.next()?,
            worker_id: c.next()?,
            level_resolved: c.next()?,
            due_at: c.time()?,
            due_step: c.next()?,
            late: c.next()?,
            received_at: Timestamp(c.next()?),
            accepted_at: c.time()?,
            assigned_at: c.time()?,
            taken_at: c.time()?,
            arrived_at: c.time()?,
            handled_at: c.time()?,
            answered_at: c.time()?,
            verified_at: c.time()?,
            ended_at: c.time()?,
            on_time: c.next()?,
            outcome: c.next()?,
            counts: rules::Counts {
                returned: c.next()?,
                reworked: c.next()?,
                reopened: c.next()?,
                urged: c.next()?,
                extended: c.next()?,
            },
            supervised: c.next()?,
            arbitrated: c.next()?,
            paused: c.next()?,
            mediated: c.next()?,
            dissatisfied: c.next()?,
            handled_by: c.doer()?,
            decided_by: c.doer()?,
            verified_by: c.doer()?,
            merged_into: c.next()?,
            merged_was: c.next()?,
            reporter_count: c.next()?,
            pack_version: c.next()?,
            public: c.next()?,
            content_hash: c.next()?,
            row_version: c.next()?,
            team_id: c.next()?,
            away: c.next()?,
            handover_id: c.next()?,
            past: Stay::read(c.next()?)?,
        })
    }

    /// Whether anything is owed.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

/// One person's report in a case.
#[derive(Debug, Clone)]
pub struct ReportRow {
    pub id: ReportId,
    pub number: String,
    pub reporter_id: Option<ReporterId>,
    pub channel: String,
    pub body: String,
    pub received_at: Timestamp,
    pub anonymous: bool,
    pub reachable: bool,
    pub answered: bool,
    pub withdrawn: bool,
    pub merged_from: Option<CaseId>,
    pub strand: i64,
    pub ledger_seq: i64,
}

impl ReportRow {
    /// Where its mark stands in the ledger.
    pub fn ledger(&self) -> LedgerRef {
        LedgerRef {
            strand: self.strand,
            seq: self.ledger_seq,
        }
    }
}

/// A unit's part in a case led by another.
#[derive(Debug, Clone)]
pub struct CoHandlerRow {
    pub id: CoHandlerId,
    pub unit_id: UnitId,
    pub unit_name: String,
    pub part: String,
    pub state: String,
    pub due_at: Option<Timestamp>,
    pub result: Option<String>,
    pub done_by: Option<DoerRef>,
    pub created_at: Timestamp,
}

/// A request for more time, a pause or parking.
#[derive(Debug, Clone)]
pub struct RequestRow {
    pub id: RequestId,
    pub kind: String,
    pub asked_by: DoerRef,
    pub asked_name: String,
    pub reason: String,
    pub amount: Option<i64>,
    pub until: Option<Timestamp>,
    pub state: String,
    pub decided_by: Option<DoerRef>,
    pub decided_name: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub note: Option<String>,
    pub created_at: Timestamp,
}

/// A case with everything the rules look at.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub row: CaseRow,
    pub reports: Vec<ReportRow>,
    pub co_handlers: Vec<CoHandlerRow>,
    pub requests: Vec<RequestRow>,
    pub beside: Beside,
}

/// Which other rows a case has. Most have few of them, and each kind that is not asked for is a statement less.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    pub co_handlers: bool,
    pub requests: bool,
    pub order: bool,
    pub mediations: bool,
    pub answers: bool,
    pub verifications: bool,
    pub attachments: bool,
    pub merged: bool,
}

/// Who said it, sealed, and the fingerprint of their number.
#[derive(Debug)]
pub struct ReporterRow {
    pub name: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
    pub phone_index: Option<String>,
}

impl Loaded {
    /// What a scope looks at.
    pub fn scope_facts(&self) -> CaseScopeFacts {
        CaseScopeFacts {
            areas: self.row.areas,
            unit: self.row.unit_id,
            co_units: self.co_handlers.iter().map(|c| c.unit_id).collect(),
        }
    }

    /// The case as the rules see it.
    pub fn rules_view(&self) -> Result<rules::Case, Fault> {
        let row = &self.row;
        Ok(rules::Case {
            id: row.id.into(),
            state: state_of(row, row.state)?,
            counts: row.counts,
            arbitrated: row.arbitrated,
            paused: row.paused,
            supervised: row.supervised,
            mediated: row.mediated,
            dissatisfied: row.dissatisfied,
            away: row.away,
            co_handlers: self.co_handlers.iter().map(co_handler).collect::<Result<_, _>>()?,
            requests: self.requests.iter().map(request).collect::<Result<_, _>>()?,
            reports: self.live_reports().map(|r| (r.id.into(), due(r))).collect(),
        })
    }

    /// Reports that were not withdrawn.
    pub fn live_reports(&self) -> impl Iterator<Item = &ReportRow> {
        self.reports.iter().filter(|r| !r.withdrawn)
    }
}

fn due(report: &ReportRow) -> rules::ReportDue {
    rules::ReportDue {
        reachable: report.reachable,
        answered: report.answered,
    }
}

fn broken(id: impl std::fmt::Display, what: &str) -> Fault {
    Fault::internal(format!("{id}: {what}"))
}

fn state_of(row: &CaseRow, key: StateKey) -> Result<rules::State, Fault> {
    let held = || -> Result<rules::Held, Fault> {
        let unit = row.unit_id.ok_or_else(|| broken(row.id, "a unit is missing"))?;
        Ok(rules::Held {
            unit: unit.into(),
            worker: row.worker_id.map(Into::into),
        })
    };
    let work = || -> Result<rules::Work, Fault> {
        let by = row
            .handled_by
            .ok_or_else(|| broken(row.id, "who handled it is missing"))?;
        Ok(rules::Work {
            held: held()?,
            by: by.into(),
        })
    };
    let verifier = || match row.verified_by {
        Some(by) => rules::Verifier::Person(by.into()),
        None => rules::Verifier::Resident,
    };
    let decided = || {
        row.decided_by
            .map(Into::into)
            .ok_or_else(|| broken(row.id, "who decided is missing"))
    };
    Ok(match key {
        StateKey::Received => {
            let look = rules::Look::ALL
                .into_iter()
                .find(|l| Some(l.key()) == row.look.as_deref());
            rules::State::Received {
                look: look.ok_or_else(|| broken(row.id, "why a person must look is missing"))?,
            }
        }
        StateKey::Accepted => rules::State::Accepted,
        StateKey::Assigned => rules::State::Assigned(held()?),
        StateKey::Handling => rules::State::Handling(held()?),
        StateKey::Handled => rules::State::Handled(work()?),
        StateKey::Answered => rules::State::Answered(work()?),
        StateKey::Verified => rules::State::Verified {
            work: work()?,
            by: verifier(),
        },
        StateKey::Closed => rules::State::Closed {
            work: work()?,
            verified: row.verified_at.is_some().then(verifier),
        },
        StateKey::Declined => rules::State::Declined { by: decided()? },
        StateKey::Parked => rules::State::Parked {
            held: held()?,
            by: decided()?,
        },
        StateKey::Merged => {
            let into = row
                .merged_into
                .ok_or_else(|| broken(row.id, "the case it was merged into is missing"))?;
            let was = row
                .merged_was
                .as_deref()
                .and_then(StateKey::from_key)
                .filter(|was| *was != StateKey::Merged);
            let was = was.ok_or_else(|| broken(row.id, "the state before the merge is missing"))?;
            rules::State::Merged {
                into: into.into(),
                was: Box::new(state_of(row, was)?),
            }
        }
        StateKey::Withdrawn => rules::State::Withdrawn,
    })
}

fn co_handler(row: &CoHandlerRow) -> Result<rules::CoHandler, Fault> {
    let by = || {
        row.done_by
            .map(Into::into)
            .ok_or_else(|| broken(row.id, "who ended the part is missing"))
    };
    let state = match row.state.as_str() {
        "open" => rules::CoState::Open,
        "done" => rules::CoState::Done { by: by()? },
        "returned" => rules::CoState::Returned { by: by()? },
        "released" => rules::CoState::Released,
        _ => return Err(broken(row.id, "unknown state of a co-handler")),
    };
    Ok(rules::CoHandler {
        id: row.id.into(),
        unit: row.unit_id.into(),
        state,
    })
}

fn request(row: &RequestRow) -> Result<rules::Request, Fault> {
    let by = || {
        row.decided_by
            .map(Into::into)
            .ok_or_else(|| broken(row.id, "who decided is missing"))
    };
    let state = match row.state.as_str() {
        "waiting" => rules::RequestState::Waiting,
        "approved" => rules::RequestState::Approved { by: by()? },
        "refused" => rules::RequestState::Refused { by: by()? },
        "lapsed" => rules::RequestState::Lapsed,
        _ => return Err(broken(row.id, "unknown state of a request")),
    };
    let kind = rules::AskKind::from_key(&row.kind).ok_or_else(|| broken(row.id, "unknown kind of request"))?;
    Ok(rules::Request {
        id: row.id.into(),
        kind,
        asked_by: row.asked_by.into(),
        state,
    })
}
