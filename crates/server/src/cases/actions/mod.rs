//! The actions on a case: one use case a function, each in the file of its subject, each reading as one paragraph: who, may they, load,
//! decide (domain), save, tell.
//!
//! Entry point: [`act`]. Pressing twice, or a phone's retry with the same action id, does it once.

mod dispatch;
mod finish;
mod joining;
mod joint;
mod mediate;
mod oversight;
mod receive;
mod requests;

pub use finish::{confirm_by_resident, object_by_resident};
pub use joining::withdraw_report;

use super::work::sha256_hex;
use super::{follow, store, work};
use crate::platform::*;
use domain::cases::table::Action;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Characters of a reason, a note, a result, an answer.
pub const MAX_TEXT: usize = 4_000;

/// What every action carries besides its own fields.
#[derive(Debug, Clone, Default, Deserialize)]
struct Head {
    /// Client-made id of this press of the button.
    #[serde(default)]
    action_id: Option<String>,
    /// The version of the case the person saw.
    #[serde(default)]
    row_version: Option<i64>,
    /// The state they saw: who was long without a signal may go on as long as the case still stands there, whatever else was written on it.
    #[serde(default)]
    seen_state: Option<String>,
}

/// Does one action. `input` is the body of the request: `action_id`, `row_version`, `seen_state` and the action's own fields.
pub fn act(ctx: &Ctx, tx: &mut Tx, case: CaseId, action: &str, input: Value) -> Result<(), Fault> {
    let action = Action::from_key(action).ok_or_else(Fault::not_found)?;
    let head: Head = fields(&input)?;
    if let Some(id) = &head.action_id {
        let hash = sha256_hex(&format!("{}:{input}", action.key()));
        match store::action_seen(tx, id)? {
            Some((of, seen)) if of == case && seen == hash => return seen_already(ctx, tx, case),
            Some(_) => return Err(Fault::conflict("id_used")),
            None => store::insert_action(tx, id, case, &hash, ctx.now)?,
        }
    }
    let of = Of {
        case,
        version: head.row_version,
        state: head.seen_state,
        input,
    };
    match action {
        Action::Accept => receive::accept(ctx, tx, &of),
        Action::Decline => receive::decline(ctx, tx, &of),
        Action::Classify => receive::classify(ctx, tx, &of),
        Action::Route => dispatch::route(ctx, tx, &of),
        Action::Take => dispatch::take(ctx, tx, &of),
        Action::Return => dispatch::return_case(ctx, tx, &of),
        Action::Arbitrate => dispatch::arbitrate(ctx, tx, &of),
        Action::AssignWorker => dispatch::assign_worker(ctx, tx, &of),
        Action::AddCoHandler => joint::add_co_handler(ctx, tx, &of),
        Action::CoDone => joint::co_done(ctx, tx, &of),
        Action::CoReturn => joint::co_return(ctx, tx, &of),
        Action::Arrive => joint::arrive(ctx, tx, &of),
        Action::Mediate => mediate::mediate(ctx, tx, &of),
        Action::Ask => requests::ask(ctx, tx, &of),
        Action::Decide => requests::decide(ctx, tx, &of),
        Action::Resume => requests::resume(ctx, tx, &of),
        Action::Unpark => requests::unpark(ctx, tx, &of),
        Action::Handle => finish::handle(ctx, tx, &of),
        Action::Answer => finish::answer(ctx, tx, &of),
        Action::Verify => finish::verify(ctx, tx, &of),
        Action::Rework => finish::rework(ctx, tx, &of),
        Action::Close => finish::close(ctx, tx, &of),
        Action::Reopen => finish::reopen(ctx, tx, &of),
        Action::Merge => joining::merge(ctx, tx, &of),
        Action::Split => joining::split(ctx, tx, &of),
        Action::Withdraw => joining::withdraw(ctx, tx, &of),
        Action::Supervise => oversight::supervise(ctx, tx, &of),
        Action::Urge => oversight::urge(ctx, tx, &of),
        Action::Meeting => oversight::meeting(ctx, tx, &of),
        Action::Comment => oversight::comment(ctx, tx, &of),
        // Residents confirm on the portal.
        Action::Confirm => Err(Fault::not_found()),
    }
}

/// The permission an action takes.
pub fn permission(action: Action) -> Permission {
    match action {
        Action::Accept | Action::Decline | Action::Classify | Action::Route | Action::AssignWorker => {
            Permission::CaseDispatch
        }
        Action::Merge | Action::Split | Action::Reopen | Action::Unpark | Action::Resume => Permission::CaseDispatch,
        Action::Withdraw => Permission::CaseIntake,
        Action::Arbitrate => Permission::CaseArbitrate,
        Action::Take | Action::Return | Action::AddCoHandler | Action::CoDone | Action::CoReturn => {
            Permission::CaseHandle
        }
        Action::Arrive | Action::Mediate | Action::Ask | Action::Handle => Permission::CaseHandle,
        Action::Decide => Permission::CaseApprove,
        Action::Answer => Permission::CaseAnswer,
        Action::Verify | Action::Rework | Action::Close => Permission::CaseVerify,
        Action::Supervise | Action::Urge | Action::Meeting => Permission::CaseSupervise,
        Action::Comment | Action::Confirm => Permission::CaseRead,
    }
}

/// A further permission that also allows it: leads may name workers in their own unit, dispatchers may bring in co-handlers.
pub fn or_permission(action: Action) -> Option<Permission> {
    match action {
        Action::AssignWorker => Some(Permission::CaseHandle),
        Action::AddCoHandler => Some(Permission::CaseDispatch),
        _ => None,
    }
}

/// One press of a button.
pub struct Of {
    /// On which case.
    pub case: CaseId,
    /// The version the person saw.
    pub version: Option<i64>,
    /// The state the person saw.
    pub state: Option<String>,
    /// The body of the request.
    pub input: Value,
}

impl Of {
    /// The action's own fields.
    fn fields<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        fields(&self.input)
    }

    /// The case, held, within the scope of the action's permission.
    fn open(&self, ctx: &Ctx, tx: &mut Tx, action: Action) -> Result<work::Work, Fault> {
        let permissions = [Some(permission(action)), or_permission(action)];
        let held: Vec<Permission> = permissions.into_iter().flatten().collect();
        let work = work::Work::open(ctx, tx, self.case, &held, None)?;
        let row = &work.before.row;
        let same = self.version.is_none_or(|seen| seen == row.row_version);
        if !same && self.state.as_deref() != Some(row.state.key()) {
            return Err(Fault::conflict("stale_case").with("number", &row.number));
        }
        work.case.must_be_here(action).map_err(Fault::refused)?;
        Ok(work)
    }
}

fn fields<T: serde::de::DeserializeOwned>(input: &Value) -> Result<T, Fault> {
    http::parse_value(input)
}

/// A text somebody must write: not empty, not endless.
pub(super) fn text<'t>(field: &'static str, text: &'t str) -> Result<&'t str, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::invalid(field, "reason_missing"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(Fault::invalid(field, "text_too_long").with("most", MAX_TEXT));
    }
    Ok(text)
}

/// A text somebody may write.
fn optional<'t>(field: &'static str, given: Option<&'t str>) -> Result<Option<&'t str>, Fault> {
    match given.map(str::trim).filter(|t| !t.is_empty()) {
        Some(given) => text(field, given).map(Some),
        None => Ok(None),
    }
}

/// A moment somebody may set (RFC 3339).
fn moment(field: &'static str, given: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    let read = given.map(|text| Timestamp::parse(text).map_err(|_| Fault::invalid(field, "invalid_time")));
    read.transpose()
}

/// A repeated press: only whoever may see the case learns that it was done.
fn seen_already(ctx: &Ctx, tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    let loaded = store::load(tx, case)?.ok_or_else(Fault::not_found)?;
    let facts = loaded.scope_facts();
    if ctx.scope.sees(&facts, Permission::CaseRead)
        || follow::was_within(ctx, tx, &facts, &loaded.row.past, &[Permission::CaseRead])?
    {
        Ok(())
    } else {
        Err(Fault::not_found())
    }
}
