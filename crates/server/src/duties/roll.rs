//! The nightly roll: what has turned late or missed, who joined, moved or left, and what everybody is owed from today on.
//!
//! A group of subjects is gone through page by page, each page a job of its own, so that no transaction grows with the town; a page whose
//! obligations were worked out under the same rules, and whose subjects neither came nor went nor moved, costs three look-ups.

use super::counts::Shift;
use super::settle::{fingerprint, settle};
use super::store::{self, Stay};
use super::subject::{self, Known, SubjectKind};
use crate::platform::jobs::{self, Handler, Outcome, Recurring};
use crate::platform::*;
use crate::policy;
use domain::duties::{Rule, Who};
use domain::time::{MINUTE_MS, Timestamp, date_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const NIGHTLY: &str = "duties.nightly";
const ROLL: &str = "duties.roll";
/// What the night does, once, by other rules.
const RENEW: &str = "duties.renew";
/// Subjects of one page.
const PAGE: u32 = 500;
/// Obligations that turn late or missed in one transaction.
const TURN: i64 = 1_000;

/// Makes the jobs known; once at the start.
pub fn register(app: &App) {
    jobs::register_recurring(app, Recurring::nightly(NIGHTLY, 0, 10), Handler::Step(nightly));
    jobs::register(app, ROLL, Handler::Step(roll));
    jobs::register(app, RENEW, Handler::Step(nightly));
}

/// Has everything worked out now instead of in the night; how many groups were put in line.
pub fn roll_now(ctx: &Ctx, tx: &mut Tx) -> Result<usize, Fault> {
    ctx.scope.require(Permission::DutyManage)?;
    let queued = queue(ctx, tx, ctx.now)?;
    let body = json!({ "groups": queued });
    tx.record(ctx, Mark::new("duty.roll_asked", Subject::System, body))?;
    Ok(queued)
}

/// Has everything worked out a little later: many came at once, and what they are owed shall not wait for the night.
pub fn many_came(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    renew(ctx, tx)?;
    tx.record(ctx, Mark::new("duty.roll_asked", Subject::System, json!({})))?;
    Ok(())
}

/// Has everything worked out a little later, when the new rules are in force in every process.
pub fn renew(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    jobs::enqueue(ctx, tx, RENEW, "renew", ctx.now.plus_ms(MINUTE_MS), &json!({}))
}

fn nightly(ctx: &Ctx, tx: &mut Tx, _: &Value) -> Result<Outcome, Fault> {
    // Without a pack nothing is owed.
    if policy::current(&ctx.app).is_err() {
        return Ok(Outcome::Done);
    }
    let turned = turn(ctx, tx)?;
    let dropped = drop_unruled(ctx, tx)?;
    if turned + dropped > 0 {
        let body = json!({ "turned": turned, "dropped": dropped });
        tx.record(ctx, Mark::new("duty.turned", Subject::List, body))?;
    }
    if (turned.max(dropped) as i64) >= TURN {
        return Ok(Outcome::Again(ctx.now));
    }
    queue(ctx, tx, ctx.now)?;
    Ok(Outcome::Done)
}

/// One job for the first page of each group, for a moment; how many.
pub fn queue(ctx: &Ctx, tx: &mut Tx, at: Timestamp) -> Result<usize, Fault> {
    let groups = groups(&ctx.app)?;
    for group in groups.keys() {
        put(ctx, tx, group, None, at)?;
    }
    Ok(groups.len())
}

fn put(ctx: &Ctx, tx: &mut Tx, group: &str, after: Option<DutySubjectId>, at: Timestamp) -> Result<(), Fault> {
    // Asked for twice, it is done once.
    let key = format!("{group}:{}", after.map(|id| id.to_string()).unwrap_or_default());
    jobs::enqueue(ctx, tx, ROLL, &key, at, &json!({ "group": group, "after": after }))
}

/// The rules in force by the group of subjects they are for.
fn groups(app: &App) -> Result<BTreeMap<String, Vec<Rule>>, Fault> {
    let mut groups: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for rule in subject::rules(app)? {
        groups.entry(subject::group(&rule.who)).or_default().push(rule);
    }
    Ok(groups)
}

/// Obligations that are late or missed from today on; how many changed.
fn turn(ctx: &Ctx, tx: &mut Tx) -> Result<usize, Fault> {
    let today = ctx.now.day_and_ms().0;
    let (mut rows, mut shift) = (store::turning(tx, today, TURN)?, Shift::default());
    for row in &mut rows {
        shift.add(row, -1);
        row.stand(today, row.state == store::State::MadeUp);
        shift.add(row, 1);
    }
    store::put(tx, &rows)?;
    shift.write(tx);
    Ok(rows.len())
}

/// Takes away what is not due any more because its rule is not in force; what was done or missed stays.
fn drop_unruled(ctx: &Ctx, tx: &mut Tx) -> Result<usize, Fault> {
    let current = policy::current(&ctx.app)?;
    let keys: Vec<&str> = current
        .pack
        .duty_rules
        .iter()
        .map(|one| one.rule.key.as_str())
        .collect();
    let rows = store::without_rule(tx, &keys, ctx.now.day_and_ms().0, TURN)?;
    let mut shift = Shift::default();
    rows.iter().for_each(|row| shift.add(row, -1));
    let ids: Vec<ObligationId> = rows.iter().map(|row| row.id).collect();
    store::delete(tx, &ids)?;
    shift.write(tx);
    Ok(rows.len())
}

/// One page of a group.
fn roll(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let name = payload["group"].as_str().unwrap_or_default();
    let after: Option<DutySubjectId> = payload["after"].as_str().and_then(|id| id.parse().ok());
    let Some(rules) = groups(&ctx.app)?.remove(name) else {
        return Ok(Outcome::Done);
    };
    let page = page(ctx, tx, &rules[0].who, name, after)?;
    let today = ctx.now.date();
    let mut changed = 0;
    for rule in &rules {
        let period = rule.every.period_of(today);
        let stale = stale(ctx, tx, rule, period.first, &page)?;
        changed += settle(ctx, tx, rule, period, &stale)?.changed;
    }
    if changed + page.moved.len() > 0 {
        let body = json!({ "group": name, "subjects": page.ids.len(), "moved": page.moved.len(), "changed": changed });
        tx.record(ctx, Mark::new("duty.rolled", Subject::List, body))?;
    }
    if let Some(last) = page.more {
        put(ctx, tx, name, Some(last), ctx.now)?;
    }
    Ok(Outcome::Done)
}

/// Subjects of the page that were not worked out for this period under this rule as it stands, or that came, went or moved.
fn stale(ctx: &Ctx, tx: &mut Tx, rule: &Rule, first: i64, page: &Page) -> Result<Vec<DutySubjectId>, Fault> {
    if page.ids.is_empty() {
        return Ok(Vec::new());
    }
    let by_rule = fingerprint(&*policy::current(&ctx.app)?, rule);
    let tallies = store::tallies(tx, &rule.key, &page.ids, &[first])?;
    let fresh = |id: &DutySubjectId| tallies.get(&(*id, first)).is_some_and(|tally| tally.by_rule == by_rule);
    let ids = page.ids.iter().copied();
    Ok(ids.filter(|id| page.moved.contains(id) || !fresh(id)).collect())
}

/// A page of a group, with its stays brought up to date.
struct Page {
    ids: Vec<DutySubjectId>,
    moved: BTreeSet<DutySubjectId>,
    /// Where the next page begins.
    more: Option<DutySubjectId>,
}

fn page(ctx: &Ctx, tx: &mut Tx, who: &Who, group: &str, after: Option<DutySubjectId>) -> Result<Page, Fault> {
    let known = subject::page(ctx, tx, who, after, PAGE)?;
    let full = known.len() as u32 == PAGE;
    let mut more = known.last().map(|one| one.id).filter(|_| full);
    let mut stays = store::open_stays(tx, group, after, more, i64::from(PAGE) + 1)?;
    if stays.len() > PAGE as usize {
        // More have left than a page holds: the rest of this stretch is the next page.
        stays.truncate(PAGE as usize);
        more = stays.last().map(|stay| stay.subject);
    }
    let within = |id: DutySubjectId| more.is_none_or(|more| id <= more);
    let known: Vec<Known> = known.into_iter().filter(|one| within(one.id)).collect();
    let stays: HashMap<DutySubjectId, Stay> = stays.into_iter().map(|stay| (stay.subject, stay)).collect();
    let mut moved = BTreeSet::new();
    for one in &known {
        if belong(ctx, tx, group, one, stays.get(&one.id))? {
            moved.insert(one.id);
        }
    }
    let here: BTreeSet<DutySubjectId> = known.iter().map(|one| one.id).collect();
    let yesterday = ctx.now.day_and_ms().0 - 1;
    for id in stays.keys().filter(|id| !here.contains(id)) {
        store::leave(tx, group, *id, yesterday)?;
        moved.insert(*id);
    }
    let ids: BTreeSet<DutySubjectId> = here.union(&moved).copied().collect();
    Ok(Page {
        ids: ids.into_iter().collect(),
        moved,
        more,
    })
}

/// A subject belongs to a group from today on, where it did not; or lies elsewhere now. Whether that is new.
fn belong(ctx: &Ctx, tx: &mut Tx, group: &str, one: &Known, stay: Option<&Stay>) -> Result<bool, Fault> {
    if stay.is_some_and(|stay| stay.areas == one.areas && stay.area == one.area) {
        return Ok(false);
    }
    let stay = Stay {
        subject: one.id,
        from: stay.map_or(ctx.now.day_and_ms().0, |stay| stay.from),
        to: None,
        area: one.area,
        areas: one.areas,
    };
    store::join(tx, group, one.kind, &stay)?;
    Ok(true)
}

/// A subject came, went or moved just now: it belongs, or does so no longer, without waiting for the night.
pub fn changed(ctx: &Ctx, tx: &mut Tx, kind: SubjectKind, id: DutySubjectId) -> Result<(), Fault> {
    // Without a pack nothing is owed.
    if policy::current(&ctx.app).is_err() {
        return Ok(());
    }
    let known = subject::find(ctx, tx, kind, id)?;
    let day = ctx.now.day_and_ms().0;
    for (group, rules) in groups(&ctx.app)? {
        if subject::kind_of(&rules[0].who) != kind {
            continue;
        }
        let stays = store::stays(tx, &group, &[id])?;
        let open = stays.iter().find(|stay| stay.to.is_none());
        let moved = match known.as_ref().filter(|one| one.belongs(&rules[0].who)) {
            Some(one) => belong(ctx, tx, &group, one, open)?,
            None if open.is_some() => {
                store::leave(tx, &group, id, day - 1)?;
                true
            }
            None => false,
        };
        for rule in rules.iter().filter(|_| moved) {
            settle(ctx, tx, rule, rule.every.period_of(date_of(day)), &[id])?;
        }
    }
    Ok(())
}

/// A subject somebody is about to call on belongs where it does without waiting for the night; the rules it belongs to.
pub fn know(ctx: &Ctx, tx: &mut Tx, one: &Known) -> Result<Vec<Rule>, Fault> {
    let mut mine = Vec::new();
    for (group, rules) in groups(&ctx.app)? {
        if !one.belongs(&rules[0].who) {
            continue;
        }
        let before = store::stays(tx, &group, &[one.id])?;
        let open = before.iter().find(|stay| stay.to.is_none());
        if belong(ctx, tx, &group, one, open)? {
            for rule in &rules {
                settle(
                    ctx,
                    tx,
                    rule,
                    rule.every.period_of(date_of(ctx.now.day_and_ms().0)),
                    &[one.id],
                )?;
            }
        }
        mine.extend(rules);
    }
    Ok(mine)
}
