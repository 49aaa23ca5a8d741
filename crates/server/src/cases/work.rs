//! A case in hand: loaded and held, changed by one action, saved with everything that must go with a change.
//!
//! Entry points: [`Work::open`] (for staff: scope, version), [`Work::open_own`] (for the resident and the program), and [`Work::save`], the
//! only way a case changes: row, reports, parts, requests, clocks, counts, ledger mark, event, live update. An action in `actions/` is
//! then one paragraph. Must not: decide anything; that is the transition in `domain::cases`.

use super::place::{self, Rules};
use super::record::{CaseRow, DoerRef, Loaded};
use super::{clocks, cube, follow, handover, store};
use crate::platform::*;
use domain::cases as rules;
use domain::cases::table::Moment;
use domain::cases::{Person, Standing, StateKey};
use domain::time::DAY_MS;
use serde_json::{Value, json};

/// A case being changed.
pub struct Work {
    /// As it was read.
    pub before: Loaded,
    /// The row as it will be saved; its state columns are written by [`Work::save`].
    pub row: CaseRow,
    /// The case as the rules see it; transitions replace it.
    pub case: rules::Case,
    /// The pack in force.
    pub rules: Rules,
    /// The clock of the present step starts again although the step is the same: a change of hands.
    pub clock_anew: bool,
}

/// The refusal of a transition as an answer.
pub fn refused(refusal: impl Into<&'static str>) -> Fault {
    Fault::refused(refusal.into())
}

impl Work {
    /// Loads the case for a change by staff. Absent, or outside the scope: the same answer; seen but without any of the permissions: forbidden. `row_version` is what the person
    /// saw; somebody else's change in between is a conflict.
    pub fn open(
        ctx: &Ctx,
        tx: &mut Tx,
        id: CaseId,
        any_of: &[Permission],
        row_version: Option<i64>,
    ) -> Result<Work, Fault> {
        let loaded = store::load_locked(tx, id)?.ok_or_else(Fault::not_found)?;
        let facts = loaded.scope_facts();
        let reads = ctx.scope.sees(&facts, Permission::CaseRead);
        let may = reads && any_of.iter().any(|permission| ctx.scope.sees(&facts, *permission));
        if !may && !follow::was_within(ctx, tx, &facts, &loaded.row.past, any_of)? {
            return Err(if reads { Fault::forbidden() } else { Fault::not_found() });
        }
        if row_version.is_some_and(|seen| seen != loaded.row.row_version) {
            return Err(Fault::conflict("stale_case").with("number", &loaded.row.number));
        }
        Self::of(ctx, loaded)
    }

    /// Loads the case for its own reporter, or for the program.
    pub fn open_own(ctx: &Ctx, tx: &mut Tx, id: CaseId) -> Result<Work, Fault> {
        let loaded = store::load_locked(tx, id)?.ok_or_else(Fault::not_found)?;
        Self::of(ctx, loaded)
    }

    fn of(ctx: &Ctx, loaded: Loaded) -> Result<Work, Fault> {
        Ok(Work {
            case: loaded.rules_view()?,
            row: loaded.row.clone(),
            rules: place::rules(ctx)?,
            before: loaded,
            clock_anew: false,
        })
    }

    /// What holds for this case.
    pub fn case_rules(&self) -> rules::Rules {
        self.rules.of_case(&self.row)
    }

    /// The person who acts, with the units they may act for.
    pub fn person(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Person, Fault> {
        person(ctx, tx)
    }

    /// What the actor is to the case besides their unit, and how long ago the case ended.
    pub fn moment(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Moment, Fault> {
        moment(ctx, tx, &self.row)
    }

    /// Saves the change: `kind` names the event and the mark (`case.<kind>`), `body` what its sentence needs.
    pub fn save(&mut self, ctx: &Ctx, tx: &mut Tx, kind: &'static str, body: Value) -> Result<(), Fault> {
        handover::before_save(ctx, tx, self, &body)?;
        let facts_before = cube::Facts::of(&self.before.row);
        let moved = self.case.state != self.before.rules_view()?.state;
        apply_state(ctx, &mut self.row, &self.case);
        follow::settle(ctx, &mut self.row);
        if moved || self.clock_anew {
            clocks::follow_state(ctx, tx, &self.rules, &mut self.row, self.clock_anew)?;
        }
        self.row.row_version += 1;
        self.save_reports(tx)?;
        self.save_lapsed(tx)?;
        self.save_parts(ctx, tx)?;
        store::update_case(tx, &self.row)?;
        cube::shift(tx, Some(&facts_before), Some(&cube::Facts::of(&self.row)));
        note(ctx, tx, &self.row, kind, body.clone())?;
        handover::after_save(ctx, tx, self, kind, &body)?;
        self.publish(tx, kind);
        Ok(())
    }

    /// Writes which reports belong to the case and which are answered. A report that left in a merge is saved by the case it went to.
    fn save_reports(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        for (id, due) in &self.case.reports {
            let old = self
                .before
                .reports
                .iter()
                .find(|r| domain::ids::ReportId::from(r.id) == *id && !r.withdrawn);
            if old.is_some_and(|old| old.answered == due.answered) {
                continue;
            }
            let from = old.and_then(|old| old.merged_from);
            if old.is_some() {
                store::update_report(tx, self.row.id, (*id).into(), *due, from)?;
            }
        }
        self.row.reporter_count = i64::try_from(self.case.reports.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Requests that fell away because the case moved on.
    fn save_lapsed(&self, tx: &mut Tx) -> Result<(), Fault> {
        for request in self
            .case
            .requests
            .iter()
            .filter(|r| r.state == rules::RequestState::Lapsed)
        {
            let waiting = self
                .before
                .requests
                .iter()
                .any(|r| r.id == request.id.into() && r.state == "waiting");
            if waiting {
                store::update_request(tx, request, None)?;
            }
        }
        Ok(())
    }

    /// Parts that fell away; and once the case has ended no part's clock runs on, so that nobody is warned of what is not owed.
    fn save_parts(&self, ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
        for part in &self.case.co_handlers {
            let id = CoHandlerId::from(part.id);
            let was_open = self.before.co_handlers.iter().any(|c| c.id == id && c.state == "open");
            let released = part.state == rules::CoState::Released;
            if !was_open || (!released && self.row.state.is_open()) {
                continue;
            }
            if released {
                store::update_co_handler(tx, part, None)?;
            }
            if let Some(mut clock) = clocks::running(tx, self.row.id, &id.to_string())? {
                clocks::stop(ctx, tx, &self.rules, &mut clock)?;
            }
        }
        Ok(())
    }

    fn publish(&self, tx: &mut Tx, kind: &'static str) {
        // Those who lost the case hear of it too, so that it leaves their list.
        let mut units: Vec<UnitId> = [self.row.unit_id, self.before.row.unit_id]
            .into_iter()
            .flatten()
            .collect();
        units.extend(self.case.co_handlers.iter().map(|c| UnitId::from(c.unit)));
        units.sort();
        units.dedup();
        tx.publish(LiveEvent {
            topic: Topic::Case,
            kind,
            id: self.row.id.to_string(),
            areas: self.row.areas,
            units,
        });
    }
}

/// The person who acts, with the units they may act for: those their grants name and those of their posts.
pub fn person(ctx: &Ctx, tx: &mut Tx) -> Result<Person, Fault> {
    let account = ctx.account()?;
    let worker = match &ctx.actor {
        Actor::Account { worker, .. } => *worker,
        _ => None,
    };
    let mut units: Vec<UnitId> = ctx
        .scope
        .with(Permission::CaseHandle)
        .filter_map(|grant| grant.unit)
        .collect();
    if let Some(worker) = worker {
        units.extend(place::units_of_worker(ctx, tx, worker)?);
    }
    units.sort();
    units.dedup();
    Ok(Person {
        account: account.into(),
        worker: worker.map(Into::into),
        units: units.into_iter().map(Into::into).collect(),
    })
}

/// What is known of the moment besides the case.
pub fn moment(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<Moment, Fault> {
    let standing = match &ctx.actor {
        Actor::Account { worker, .. } => Standing {
            grid_worker: place::is_grid_worker(ctx, tx, row, *worker)?,
            liaison: worker.is_some() && place::liaison(ctx, tx, row)? == *worker,
        },
        _ => Standing::default(),
    };
    let days_since_end = row.ended_at.map_or(0, |at| (ctx.now.0 - at.0) / DAY_MS);
    Ok(Moment {
        standing,
        days_since_end,
    })
}

/// Who acts, as remembered by the rules.
pub fn by(ctx: &Ctx, tx: &mut Tx) -> Result<rules::By, Fault> {
    Ok(match &ctx.actor {
        Actor::Account { .. } => rules::By::Person(person(ctx, tx)?),
        // A partner hands over what a resident said.
        Actor::Resident | Actor::Partner { .. } => rules::By::Resident,
        Actor::System(_) => rules::By::System,
    })
}

/// Name shown beside what was done; none for residents and the program.
pub fn actor_name(ctx: &Ctx) -> Option<&str> {
    match &ctx.actor {
        Actor::Account { name, .. } => Some(name),
        _ => None,
    }
}

/// Records a mark and the event beside it.
pub fn note(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, kind: &'static str, body: Value) -> Result<LedgerRef, Fault> {
    let ledger = tx.record(ctx, Mark::new(kind, Subject::Case(row.id), mark_body(row, &body)))?;
    let unit = match &ctx.actor {
        Actor::Account { unit: Some(unit), .. } => place::unit(ctx, tx, *unit)?,
        _ => None,
    };
    store::insert_event(
        tx,
        row.id,
        &store::NewEvent {
            at: ctx.now,
            kind: kind.strip_prefix("case.").unwrap_or(kind),
            actor_account: ctx.actor.account(),
            actor_name: actor_name(ctx),
            unit: unit.as_ref().map(|u| (u.id, u.name.as_str())),
            body: &body,
            ledger,
        },
    )?;
    Ok(ledger)
}

/// What the ledger keeps of an event: the state reached, and of the event's body numbers, ids and flags as they are, free text as a hash.
fn mark_body(row: &CaseRow, body: &Value) -> Value {
    let mut kept = serde_json::Map::new();
    kept.insert("number".into(), json!(row.number));
    kept.insert("state".into(), json!(row.state.key()));
    if let Value::Object(fields) = body {
        for (key, value) in fields {
            let value = match value {
                Value::String(text) if !is_plain(text) => json!({ "sha256": sha256_hex(text) }),
                Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
                Value::Array(_) | Value::Object(_) => json!({ "sha256": sha256_hex(&value.to_string()) }),
            };
            kept.insert(key.clone(), value);
        }
    }
    Value::Object(kept)
}

/// Keys, codes, ids and times: nothing a person wrote.
fn is_plain(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.' | b'+'))
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(text: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

/// Writes the state of the rules into the row's columns, with the moments it was reached.
pub fn apply_state(ctx: &Ctx, row: &mut CaseRow, case: &rules::Case) {
    let was = row.state;
    let now = Some(ctx.now);
    row.state = case.state.key();
    row.counts = case.counts;
    row.arbitrated = case.arbitrated;
    row.paused = case.paused;
    row.supervised = case.supervised;
    row.mediated = case.mediated;
    row.dissatisfied = case.dissatisfied;
    row.away = case.away;
    row.reporter_count = i64::try_from(case.reports.len()).unwrap_or(i64::MAX);
    if was != row.state {
        match row.state {
            StateKey::Received => {}
            StateKey::Accepted => row.accepted_at = row.accepted_at.or(now),
            StateKey::Assigned => row.assigned_at = now,
            StateKey::Handling => row.taken_at = now,
            StateKey::Handled => row.handled_at = now,
            StateKey::Answered => row.answered_at = now,
            StateKey::Verified => row.verified_at = now,
            StateKey::Closed | StateKey::Declined | StateKey::Merged | StateKey::Withdrawn => row.ended_at = now,
            StateKey::Parked => {}
        }
    }
    write_state(row, &case.state);
}

fn write_state(row: &mut CaseRow, state: &rules::State) {
    let held = state.held();
    row.unit_id = held.map(|h| h.unit.into());
    row.worker_id = held.and_then(|h| h.worker).map(Into::into);
    row.look = match state {
        rules::State::Received { look } => Some(look.key().to_owned()),
        rules::State::Merged { .. } => row.look.take(),
        _ => None,
    };
    row.handled_by = state.work().map(|work| DoerRef::from(work.by));
    row.decided_by = match state {
        rules::State::Declined { by } | rules::State::Parked { by, .. } => Some(DoerRef::from(*by)),
        _ => None,
    };
    row.verified_by = match state {
        rules::State::Verified {
            by: rules::Verifier::Person(by),
            ..
        } => Some(DoerRef::from(*by)),
        rules::State::Closed {
            verified: Some(rules::Verifier::Person(by)),
            ..
        } => Some(DoerRef::from(*by)),
        _ => None,
    };
    (row.merged_into, row.merged_was) = match state {
        rules::State::Merged { into, was } => (Some((*into).into()), Some(was.key().key().to_owned())),
        _ => (None, None),
    };
    // What was reached in an earlier round and undone since must not be counted or shown as reached.
    let key = state.key();
    let reached = |at: &mut Option<domain::time::Timestamp>, is: bool| {
        if !is {
            *at = None;
        }
    };
    use StateKey::{Answered, Closed, Handled, Verified};
    reached(
        &mut row.handled_at,
        matches!(key, Handled | Answered | Verified | Closed),
    );
    reached(&mut row.answered_at, matches!(key, Answered | Verified | Closed));
    let verified = matches!(
        state,
        rules::State::Verified { .. } | rules::State::Closed { verified: Some(_), .. }
    );
    reached(&mut row.verified_at, verified);
    reached(&mut row.ended_at, !key.is_open());
    if row.handled_at.is_none() {
        row.on_time = None;
        row.level_resolved = None;
    }
}
