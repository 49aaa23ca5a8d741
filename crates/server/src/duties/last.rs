//! What was done and said at the last visit to each home of a grid, and what became of what they asked for: for whoever calls there next.
//!
//! Entry point: [`last_visits`]. Whoever tells it logs the look.

use super::store;
use crate::cases::{self, CaseMark};
use crate::platform::*;
use crate::territory::Area;
use domain::time::Timestamp;
use std::collections::HashMap;

/// How far back.
const DAYS: i64 = 400;
/// Visits of a grid that are looked through, the newest first: more than a hundred a week.
const MOST: u32 = 6_000;
/// What was asked for, the newest first.
const MOST_MATTERS: u32 = 300;

/// The last visit to a home or somebody in it.
#[derive(Debug, Clone)]
pub struct LastVisit {
    pub id: VisitId,
    pub at: Timestamp,
    pub outcome: String,
    /// What was said.
    pub talk: Option<Personal<String>>,
    /// What they asked for then, and what is still open of what they asked for before.
    pub matters: Vec<CaseMark>,
}

/// By subject (household or resident), those of a grid; none for whoever may not read what people said.
pub fn last_visits(ctx: &Ctx, tx: &mut Tx, area: &Area) -> Result<HashMap<DutySubjectId, LastVisit>, Fault> {
    if !ctx.scope.covers(&area.chain, Permission::CaseRead) {
        return Ok(HashMap::new());
    }
    let grid = area.id;
    let since = ctx.now.day_and_ms().0 - DAYS;
    let mut found: HashMap<DutySubjectId, LastVisit> = HashMap::new();
    for one in store::calls(tx, grid, since, MOST)? {
        let new = |one: store::Call| LastVisit {
            id: one.id,
            at: one.at,
            outcome: one.outcome,
            talk: None,
            matters: Vec::new(),
        };
        found.entry(one.subject).or_insert_with(|| new(one));
    }
    let ids: Vec<VisitId> = found.values().map(|one| one.id).collect();
    let mut talks = store::talks(ctx, tx, &ids)?;
    for one in found.values_mut() {
        one.talk = talks.remove(&one.id);
    }
    let asked = store::matters(tx, grid, since, MOST_MATTERS)?;
    let cases: Vec<CaseId> = asked.iter().map(|(.., case)| *case).collect();
    let marks = cases::marks(ctx, tx, &cases)?.into_iter();
    let marks: HashMap<CaseId, CaseMark> = marks.map(|one| (one.id, one)).collect();
    for (subject, visit, case) in asked {
        let Some(last) = found.get_mut(&subject) else { continue };
        let wanted = |one: &&CaseMark| visit == last.id || one.open;
        last.matters.extend(marks.get(&case).filter(wanted).cloned());
    }
    Ok(found)
}
