//! Lists of cases: queues, filters, counts, the map. Sorted by what will be late first, the same cost at any size.
//!
//! Entry points: [`page`], [`counts`], [`map`]. A scope is walked reach by reach, each along one index; together the reaches are exactly
//! `Scope::sees` (a test holds the two together). Must not: read personal data.

use super::orders;
use super::place::{self, Rules};
use super::record::{FAR, LineRow};
use super::store;
use super::view::{self, CaseBrief};
use super::work;
use crate::platform::*;
use db::Sql;
use domain::cases::StateKey;
use domain::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use utoipa::{IntoParams, ToSchema};

/// Cases counted one by one at most, where no counter is kept.
const COUNTED: i64 = 10_000;
/// Points of one map view at most; the most pressing ones.
const POINTS: i64 = 5_000;

/// What a list is asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ListQuery {
    /// `mine`, `unit`, `dispatch`, `verify`, `approve`, `late` or `all`.
    pub queue: Option<String>,
    /// State keys, separated by commas; `open` for all that is owed.
    pub state: Option<String>,
    /// Category codes, separated by commas, each with everything below it.
    pub category: Option<String>,
    /// Area, with everything below it.
    pub area: Option<String>,
    /// Leading unit.
    pub unit: Option<String>,
    /// Worker who has it.
    pub worker: Option<String>,
    /// Way in.
    pub channel: Option<String>,
    /// Visiting team that heard it.
    pub team: Option<String>,
    /// Only what was solved on the spot, or only the rest.
    pub on_the_spot: Option<bool>,
    /// Only what was handled within its limit, or only what was handled late.
    pub on_time: Option<bool>,
    /// Only what has its answer since it was handled, or only the rest.
    pub answered: Option<bool>,
    /// Only urgent ones, or only others.
    pub urgent: Option<bool>,
    /// Only supervised ones, or only others.
    pub supervised: Option<bool>,
    /// Words to search for.
    pub q: Option<String>,
    /// Received at or after (RFC 3339).
    pub received_from: Option<String>,
    /// Received before (RFC 3339).
    pub received_to: Option<String>,
    /// Handled at or after (RFC 3339).
    pub handled_from: Option<String>,
    /// Handled before (RFC 3339).
    pub handled_to: Option<String>,
    /// Closed, declined or withdrawn at or after (RFC 3339).
    pub ended_from: Option<String>,
    /// Closed, declined or withdrawn before (RFC 3339).
    pub ended_to: Option<String>,
    /// Depth of the unit that resolved it, 1 the highest; 0 for what was resolved without a unit.
    pub level: Option<u8>,
    /// Due before (RFC 3339).
    pub due_before: Option<String>,
    /// `due` or `received`.
    pub sort: Option<String>,
    /// Items, at most 200.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What will be late first; open cases only.
    Due,
    /// Newest first.
    Received,
}

/// A part of a scope that one index walks.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    Everything,
    /// Depth (1 to 5) and area.
    Area(u8, AreaId),
    Unit(UnitId),
    /// As a co-handler.
    Helping(UnitId),
    Worker(WorkerId),
    /// Those of the first that are in the second, too: the index of the first is walked.
    Both(Box<Reach>, Box<Reach>),
    /// Those of another reach a worker was called to and nobody has arrived at (LH-08).
    Called(WorkerId, Box<Reach>),
    /// Those of another reach that lie in a grid, are handled, and of these kinds: the grid's worker owes the answer (ZS-07).
    Owed {
        grid: (u8, AreaId),
        kinds: Vec<String>,
        of: Box<Reach>,
    },
    /// Those of another reach that a visiting team heard and that are handled: its liaison owes the answer (LH-22).
    Heard(TeamId, Box<Reach>),
}

impl Reach {
    /// Adds the reach as a condition on `c`.
    pub fn push(&self, sql: Sql) -> Sql {
        const COLUMNS: [&str; 5] = ["c.a1 = ", "c.a2 = ", "c.a3 = ", "c.a4 = ", "c.a5 = "];
        match self {
            Reach::Everything => sql.push("1 = 1"),
            Reach::Area(depth, area) => match COLUMNS.get(usize::from(*depth).wrapping_sub(1)) {
                Some(column) => sql.push(column).bind(*area),
                None => sql.push("1 = 0"),
            },
            Reach::Unit(unit) => sql.push("c.unit_id = ").bind(*unit),
            Reach::Helping(unit) => sql
                .push("c.id in (select h.case_id from co_handler h where h.unit_id = ")
                .bind(*unit)
                .push(")"),
            Reach::Worker(worker) => sql.push("c.worker_id = ").bind(*worker),
            // The case keeps the second from choosing the index.
            Reach::Both(one, other) => {
                let sql = one.push(sql).push(" and case when ");
                other.push(sql).push(" then 1 else 0 end = 1")
            }
            Reach::Called(worker, of) => {
                let called = sql
                    .push("c.open = 1 and c.arrived_at is null and c.id in (select n.subject_id from notice_staff n where n.worker_id = ")
                    .bind(*worker)
                    .push(" and n.kind in ('must_come', 'urgent')) and (");
                of.push(called).push(")")
            }
            Reach::Owed { grid, kinds, of } => {
                let owed = Reach::Area(grid.0, grid.1).push(sql);
                let owed = owed
                    .push(" and c.state = 'handled' and c.team_id is null and c.category_code in (")
                    .list(kinds.iter());
                of.push(owed.push(") and (")).push(")")
            }
            Reach::Heard(team, of) => {
                let owed = sql.push("c.state = 'handled' and c.team_id = ").bind(*team);
                of.push(owed.push(" and (")).push(")")
            }
        }
    }
}

/// What the index of a walk begins with, besides the reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lead<'f> {
    Reach,
    State(StateKey),
    Category(&'f str),
}

/// Values walked one by one at most; more are picked out along the reach.
const MOST_LEADS: usize = 24;

/// Conditions besides the reach.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    states: Vec<StateKey>,
    open_only: bool,
    categories: Vec<String>,
    unit: Option<UnitId>,
    worker: Option<WorkerId>,
    channel: Option<String>,
    team: Option<TeamId>,
    on_the_spot: Option<bool>,
    on_time: Option<bool>,
    answered: Option<bool>,
    urgent: Option<bool>,
    supervised: Option<bool>,
    received_from: Option<Timestamp>,
    received_to: Option<Timestamp>,
    handled_from: Option<Timestamp>,
    handled_to: Option<Timestamp>,
    ended_from: Option<Timestamp>,
    ended_to: Option<Timestamp>,
    level: Option<u8>,
    due_before: Option<Timestamp>,
    waiting_request: bool,
    /// Without cases merged into another one: their reports count there.
    no_merged: bool,
    /// Without shares of work orders: they wait for their liaison and their department.
    no_orders: bool,
}

impl Filter {
    /// Whether it leaves everything in that counts by itself.
    fn is_empty(&self) -> bool {
        let none = self.states.is_empty()
            && self.categories.is_empty()
            && !self.open_only
            && !self.waiting_request
            && !self.no_orders;
        none && self.unit.is_none()
            && self.worker.is_none()
            && self.channel.is_none()
            && self.team.is_none()
            && self.on_the_spot.is_none()
            && self.on_time.is_none()
            && self.answered.is_none()
            && self.urgent.is_none()
            && self.supervised.is_none()
            && self.received_from.is_none()
            && self.received_to.is_none()
            && self.due_before.is_none()
            && self.handled_from.is_none()
            && self.handled_to.is_none()
            && self.ended_from.is_none()
            && self.ended_to.is_none()
            && self.level.is_none()
    }

    /// The walks that together give a reach in an order: where a reach may hold very many cases, along the index that begins with what
    /// is asked for, one for each value, so that a page costs little however rare it is. States of what is open come first: they are few
    /// in the whole place, so that they are walked for a smaller area as well.
    pub fn leads(&self, reach: &Reach, order: Order) -> Vec<Lead<'_>> {
        let widest = match reach {
            Reach::Everything => 0,
            Reach::Area(depth, _) => *depth,
            _ => return vec![Lead::Reach],
        };
        // By deadline only what is open is listed, and no index goes by kind.
        let kinds: &[String] = if order == Order::Due { &[] } else { &self.categories };
        let (states, categories) = (&self.states, kinds);
        let open = states.iter().all(|state| state.is_open());
        let fits = |count: usize, depth: u8| widest <= depth && (1..=MOST_LEADS).contains(&count);
        if fits(states.len(), if open { 3 } else { 1 }) && (open || !fits(categories.len(), 2)) {
            states.iter().map(|state| Lead::State(*state)).collect()
        } else if fits(categories.len(), 2) {
            categories.iter().map(|code| Lead::Category(code)).collect()
        } else {
            vec![Lead::Reach]
        }
    }

    /// Adds the reach and the conditions, for the walk along one index.
    pub fn push_walk(&self, sql: Sql, reach: &Reach, lead: Lead<'_>) -> Sql {
        if lead == Lead::Reach {
            return self.push_led(reach.push(sql), lead);
        }
        let sql = reach.push(sql.push("case when ")).push(" then 1 else 0 end = 1");
        self.push_led(sql, lead)
    }

    /// As [`Filter::push`], so that the lead's index is the one walked.
    fn push_led(&self, sql: Sql, lead: Lead<'_>) -> Sql {
        let mut sql = match lead {
            Lead::Reach => sql,
            Lead::State(state) => sql.push(" and c.state = ").bind(state.key()),
            Lead::Category(code) => sql.push(" and c.category_code = ").bind(code),
        };
        // The case keeps what is not led by from choosing the index.
        if !self.states.is_empty() && !matches!(lead, Lead::State(_)) {
            let states = self.states.iter().map(|s| s.key());
            sql = sql
                .push(" and case when c.state in (")
                .list(states)
                .push(") then 1 else 0 end = 1");
        }
        if !self.categories.is_empty() && !matches!(lead, Lead::Category(_)) {
            let codes = self.categories.iter();
            sql = sql
                .push(" and case when c.category_code in (")
                .list(codes)
                .push(") then 1 else 0 end = 1");
        }
        self.push_rest(sql)
    }

    /// Adds the conditions, each beginning with `and`.
    pub fn push(&self, mut sql: Sql) -> Sql {
        if !self.states.is_empty() {
            sql = sql
                .push(" and c.state in (")
                .list(self.states.iter().map(|s| s.key()))
                .push(")");
        }
        if !self.categories.is_empty() {
            sql = sql
                .push(" and c.category_code in (")
                .list(self.categories.iter())
                .push(")");
        }
        self.push_rest(sql)
    }

    fn push_rest(&self, mut sql: Sql) -> Sql {
        if self.open_only {
            sql = sql.push(" and c.open = 1");
        }
        if self.no_merged {
            sql = sql.push(" and c.state <> 'merged'");
        }
        if let Some(unit) = self.unit {
            sql = sql.push(" and c.unit_id = ").bind(unit);
        }
        if let Some(worker) = self.worker {
            sql = sql.push(" and c.worker_id = ").bind(worker);
        }
        if let Some(channel) = &self.channel {
            sql = sql.push(" and c.channel = ").bind(channel);
        }
        if let Some(team) = self.team {
            sql = sql.push(" and c.team_id = ").bind(team);
        }
        match self.on_the_spot {
            Some(true) => sql = sql.push(" and c.kind = 'on_the_spot'"),
            Some(false) => sql = sql.push(" and c.kind <> 'on_the_spot'"),
            None => {}
        }
        if let Some(on_time) = self.on_time {
            sql = sql.push(" and c.on_time = ").bind(on_time);
        }
        match self.answered {
            Some(true) => sql = sql.push(" and c.answered_at is not null"),
            Some(false) => sql = sql.push(" and c.answered_at is null"),
            None => {}
        }
        if let Some(urgent) = self.urgent {
            sql = sql.push(" and c.urgent = ").bind(urgent);
        }
        if let Some(supervised) = self.supervised {
            sql = sql.push(" and c.supervised = ").bind(supervised);
        }
        if let Some(at) = self.handled_from {
            sql = sql.push(" and c.handled_at >= ").bind(at.0);
        }
        if let Some(at) = self.handled_to {
            sql = sql.push(" and c.handled_at < ").bind(at.0);
        }
        if let Some(at) = self.ended_from {
            sql = sql.push(" and c.ended_at >= ").bind(at.0);
        }
        if let Some(at) = self.ended_to {
            sql = sql.push(" and c.ended_at < ").bind(at.0);
        }
        match self.level {
            Some(0) => sql = sql.push(" and c.level_resolved is null"),
            Some(depth) => sql = sql.push(" and c.level_resolved = ").bind(i64::from(depth)),
            None => {}
        }
        if let Some(at) = self.received_from {
            sql = sql.push(" and c.received_at >= ").bind(at.0);
        }
        if let Some(at) = self.received_to {
            sql = sql.push(" and c.received_at < ").bind(at.0);
        }
        if let Some(at) = self.due_before {
            sql = sql.push(" and c.open = 1 and c.queue_at < ").bind(at.0);
        }
        if self.no_orders {
            sql = sql.push(" and c.channel <> ").bind(orders::CHANNEL);
        }
        if self.waiting_request {
            sql = sql.push(" and c.id in (select r.case_id from case_request r where r.state = 'waiting')");
        }
        sql
    }
}

/// A list made ready: where to walk, what to leave out, in which order.
#[derive(Debug)]
pub struct Plan {
    pub reaches: Vec<Reach>,
    pub filter: Filter,
    pub order: Order,
}

/// Turns a question into a plan within the caller's scope.
pub fn plan(ctx: &Ctx, tx: &mut Tx, rules: &Rules, q: &ListQuery) -> Result<Plan, Fault> {
    let mut filter = filter(rules, q)?;
    filter.no_merged = filter.states.is_empty() && words_of(q).is_none();
    let queue = q.queue.as_deref().unwrap_or("all");
    let mut reaches = within(ctx, Permission::CaseRead, q.area.as_deref())?;
    match queue {
        "all" => {}
        "mine" => {
            let own = todays(ctx, tx, rules, &reaches)?;
            reaches = own_only(ctx, q, own)?;
            filter.open_only = true;
        }
        "unit" => {
            let units = work::person(ctx, tx)?.units;
            let own = units
                .iter()
                .flat_map(|u| [Reach::Unit((*u).into()), Reach::Helping((*u).into())]);
            reaches = own_only(ctx, q, seen_of(own, &reaches))?;
            filter.open_only = true;
        }
        "dispatch" => {
            reaches = within(ctx, Permission::CaseDispatch, q.area.as_deref())?;
            filter.no_orders = true;
            and_states(&mut filter, &[StateKey::Received, StateKey::Accepted]);
        }
        "verify" => {
            reaches = within(ctx, Permission::CaseVerify, q.area.as_deref())?;
            filter.no_orders = true;
            and_states(&mut filter, &[StateKey::Answered, StateKey::Verified]);
        }
        "approve" => {
            reaches = within(ctx, Permission::CaseApprove, q.area.as_deref())?;
            filter.waiting_request = true;
            filter.open_only = true;
        }
        "late" => filter.due_before = Some(ctx.now),
        _ => return Err(Fault::invalid("queue", "queue_unknown")),
    }
    let order = match (q.sort.as_deref(), queue) {
        (Some("received"), _) | (None, "all") => Order::Received,
        (Some("due") | None, _) => Order::Due,
        _ => return Err(Fault::invalid("sort", "sort_unknown")),
    };
    Ok(Plan { reaches, filter, order })
}

/// What a worker has to see to: the cases given to them, those they are called to, and those they owe the answer of as the grid's worker or
/// a visiting team's liaison.
fn todays(ctx: &Ctx, tx: &mut Tx, rules: &Rules, visible: &[Reach]) -> Result<Vec<Reach>, Fault> {
    let worker = ctx.worker()?;
    let leaves = rules.pack.categories.iter().filter(|category| category.leaf);
    let by_grid_worker = |code: &str| rules.of_category(code).answer_by == domain::cases::AnswerBy::GridWorker;
    let kinds: Vec<String> = leaves
        .map(|c| c.code.clone())
        .filter(|code| by_grid_worker(code))
        .collect();
    let mut own = seen_of(std::iter::once(Reach::Worker(worker)), visible);
    for reach in visible {
        own.push(Reach::Called(worker, Box::new(reach.clone())));
    }
    for grid in place::grids_of(ctx, tx, worker)? {
        let Some((_, depth)) = place::chain_of(ctx, grid).filter(|_| !kinds.is_empty()) else {
            continue;
        };
        for reach in visible {
            own.push(Reach::Owed {
                grid: (depth, grid),
                kinds: kinds.clone(),
                of: Box::new(reach.clone()),
            });
        }
    }
    for team in place::teams_led_by(ctx, tx, worker)? {
        for reach in visible {
            own.push(Reach::Heard(team, Box::new(reach.clone())));
        }
    }
    Ok(own)
}

/// What is one's own, as far as one may see it: who lost a role, or changed units, keeps no list of what no longer opens.
fn seen_of(own: impl Iterator<Item = Reach>, visible: &[Reach]) -> Vec<Reach> {
    let mut seen = Vec::new();
    for reach in own {
        if visible.contains(&reach) || visible.contains(&Reach::Everything) {
            seen.push(reach);
            continue;
        }
        let within = |of: &Reach| Reach::Both(Box::new(reach.clone()), Box::new(of.clone()));
        seen.extend(visible.iter().map(within));
    }
    seen
}

/// Queues of one's own cases and one's own units take no area.
fn own_only(ctx: &Ctx, q: &ListQuery, own: Vec<Reach>) -> Result<Vec<Reach>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    if q.area.is_some() {
        return Err(Fault::invalid("area", "area_not_in_this_queue"));
    }
    Ok(own)
}

fn and_states(filter: &mut Filter, states: &[StateKey]) {
    filter.open_only = true;
    if filter.states.is_empty() {
        filter.states = states.to_vec();
    } else {
        filter.states.retain(|state| states.contains(state));
    }
}

/// The reaches of a permission, narrowed to an area.
pub fn within(ctx: &Ctx, permission: Permission, area: Option<&str>) -> Result<Vec<Reach>, Fault> {
    let wanted = match area {
        None => None,
        Some(text) => {
            let id: AreaId = text.parse().map_err(|_| Fault::invalid("area", "area_unknown"))?;
            let (chain, depth) = place::chain_of(ctx, id).ok_or_else(|| Fault::invalid("area", "area_unknown"))?;
            Some((id, chain, depth))
        }
    };
    let mut reaches: Vec<Reach> = Vec::new();
    let mut add = |reach: Reach| {
        if !reaches.contains(&reach) {
            reaches.push(reach);
        }
    };
    for grant in ctx.scope.with(permission) {
        match (grant.unit, grant.area, &wanted) {
            (Some(unit), _, _) => {
                add(Reach::Unit(unit));
                add(Reach::Helping(unit));
            }
            (None, None, None) => add(Reach::Everything),
            (None, None, Some((id, _, depth))) => add(Reach::Area(*depth, *id)),
            (None, Some(own), None) => add(Reach::Area(grant.depth, own)),
            (None, Some(own), Some((id, chain, depth))) => {
                let at = |chain: &[Option<AreaId>; 5], depth: u8| {
                    chain.get(usize::from(depth).wrapping_sub(1)).copied().flatten()
                };
                if at(chain, grant.depth) == Some(own) {
                    add(Reach::Area(*depth, *id));
                } else if place::chain_of(ctx, own).is_some_and(|(chain, _)| at(&chain, *depth) == Some(*id)) {
                    add(Reach::Area(grant.depth, own));
                }
            }
        }
    }
    if reaches.contains(&Reach::Everything) {
        return Ok(vec![Reach::Everything]);
    }
    Ok(reaches)
}

fn filter(rules: &Rules, q: &ListQuery) -> Result<Filter, Fault> {
    let time = |field: &'static str, text: &Option<String>| -> Result<Option<Timestamp>, Fault> {
        text.as_deref()
            .map(|t| Timestamp::parse(t).map_err(|_| Fault::invalid(field, "invalid_time")))
            .transpose()
    };
    let mut filter = Filter {
        channel: q.channel.clone(),
        on_the_spot: q.on_the_spot,
        on_time: q.on_time,
        answered: q.answered,
        urgent: q.urgent,
        supervised: q.supervised,
        received_from: time("received_from", &q.received_from)?,
        handled_from: time("handled_from", &q.handled_from)?,
        handled_to: time("handled_to", &q.handled_to)?,
        ended_from: time("ended_from", &q.ended_from)?,
        ended_to: time("ended_to", &q.ended_to)?,
        level: q.level,
        received_to: time("received_to", &q.received_to)?,
        due_before: time("due_before", &q.due_before)?,
        ..Filter::default()
    };
    for key in q
        .state
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter(|k| !k.is_empty())
    {
        match (key, StateKey::from_key(key)) {
            ("open", _) => filter.open_only = true,
            (_, Some(state)) => filter.states.push(state),
            _ => return Err(Fault::invalid("state", "state_unknown")),
        }
    }
    if let Some(codes) = q.category.as_deref() {
        let wanted: Vec<&str> = codes.split(',').collect();
        let below = rules.pack.categories.iter().filter(|c| {
            rules
                .pack
                .lineage(&c.code)
                .iter()
                .any(|up| wanted.contains(&up.code.as_str()))
        });
        filter.categories = below.map(|c| c.code.clone()).collect();
        if filter.categories.is_empty() {
            return Err(Fault::invalid("category", "category_unknown"));
        }
    }
    filter.unit = q
        .unit
        .as_deref()
        .map(|u| u.parse().map_err(|_| Fault::invalid("unit", "unit_unknown")))
        .transpose()?;
    filter.team = q
        .team
        .as_deref()
        .map(|t| t.parse().map_err(|_| Fault::invalid("team", "team_not_yours")))
        .transpose()?;
    filter.worker = q
        .worker
        .as_deref()
        .map(|w| w.parse().map_err(|_| Fault::invalid("worker", "worker_unknown")))
        .transpose()?;
    Ok(filter)
}

/// A whole list, for taking it out; one more than `most` when there are more.
pub fn whole(ctx: &Ctx, tx: &mut Tx, q: &ListQuery, most: usize) -> Result<Vec<CaseBrief>, Fault> {
    let mut q = ListQuery {
        limit: Some(http::PAGE_MAX),
        after: None,
        ..q.clone()
    };
    let mut all = Vec::new();
    loop {
        let page = page(ctx, tx, &q)?;
        all.extend(page.items);
        q.after = page.next;
        if q.after.is_none() || all.len() > most {
            all.truncate(most + 1);
            return Ok(all);
        }
    }
}

/// One page of a list.
pub fn page(ctx: &Ctx, tx: &mut Tx, q: &ListQuery) -> Result<Page<CaseBrief>, Fault> {
    let rules = place::rules(ctx)?;
    if let Some(words) = words_of(q) {
        return searched(ctx, tx, &rules, q, words);
    }
    let plan = plan(ctx, tx, &rules, q)?;
    let paging = PageQuery {
        limit: q.limit,
        after: q.after.clone(),
    };
    let after: Option<store::After> = paging.after()?;
    let (mut rows, mut seen) = (Vec::new(), HashSet::new());
    for reach in &plan.reaches {
        let found = store::page(tx, reach, &plan.filter, plan.order, after.as_ref(), paging.limit())?;
        rows.extend(found.into_iter().filter(|row: &LineRow| seen.insert(row.id)));
    }
    rows.sort_by(|a, b| match plan.order {
        Order::Due => queue_at(a).cmp(&queue_at(b)).then(a.id.cmp(&b.id)),
        Order::Received => b.received_at.cmp(&a.received_at).then(b.id.cmp(&a.id)),
    });
    let key = |row: &LineRow| match plan.order {
        Order::Due => (queue_at(row), row.id.to_string()),
        Order::Received => (row.received_at.0, row.id.to_string()),
    };
    let page = Page::cut(rows, paging.limit(), key);
    Ok(Page {
        items: view::lines(ctx, tx, &rules, page.items)?,
        next: page.next,
    })
}

fn queue_at(row: &LineRow) -> i64 {
    row.due_at.map_or(FAR, |at| at.0)
}

impl Plan {
    /// Adds the whole plan as conditions on `c`, each beginning with `and`.
    fn push(&self, sql: Sql) -> Sql {
        let mut sql = sql.push(" and (1 = 0");
        for reach in &self.reaches {
            sql = reach.push(sql.push(" or "));
        }
        sql = self.filter.push(sql.push(")"));
        match self.order {
            Order::Due => sql.push(" and c.open = 1"),
            Order::Received => sql,
        }
    }
}

/// The words of a question, if it has any.
fn words_of(q: &ListQuery) -> Option<&str> {
    q.q.as_deref().map(str::trim).filter(|words| !words.is_empty())
}

/// A list with words: what the list without them holds and the words are found in, newest first.
fn searched(ctx: &Ctx, tx: &mut Tx, rules: &Rules, q: &ListQuery, words: &str) -> Result<Page<CaseBrief>, Fault> {
    let plan = plan(ctx, tx, rules, q)?;
    let paging = PageQuery {
        limit: q.limit,
        after: q.after.clone(),
    };
    let only = |sql| plan.push(sql);
    let after = paging.after()?;
    let first = after.is_none();
    let found = super::search::find(ctx, tx, words, &only, after, paging.limit() as usize)?;
    let mut rows = store::lines_of(tx, &found.cases)?;
    let next = found.next.map(|next| http::encode_cursor(&next));
    // The index goes by when a text came to it, and past cases brought in later are older than that.
    if first && next.is_none() {
        rows.sort_by_key(|row| std::cmp::Reverse((row.received_at, row.id)));
    }
    Ok(Page {
        items: view::lines(ctx, tx, rules, rows)?,
        next,
    })
}

/// Cases found by words at most, where they are counted or drawn.
const FOUND: usize = 1_000;

/// All cases of a plan that hold the words, the newest [`FOUND`].
fn all_found(ctx: &Ctx, tx: &mut Tx, plan: &Plan, words: &str) -> Result<Vec<LineRow>, Fault> {
    let only = |sql| plan.push(sql);
    let found = super::search::find(ctx, tx, words, &only, None, FOUND)?;
    store::lines_of(tx, &found.cases)
}

/// How many a list holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Counts {
    /// As many as the list shows in its order: by deadline only what is open.
    pub total: i64,
    /// In every state, whatever the order; merged ones only where they are asked for.
    pub by_state: BTreeMap<String, i64>,
    pub late: i64,
    /// Due within a day, by full hours where it is read from a kept counter.
    pub due_soon: i64,
    /// There are more than were counted.
    pub at_least: bool,
}

impl Counts {
    /// One case more: its state, and the moment it is queued by.
    fn add(&mut self, now: Timestamp, soon: Timestamp, state: String, at: i64) {
        let open = StateKey::from_key(&state).is_some_and(StateKey::is_open);
        *self.by_state.entry(state).or_default() += 1;
        self.late += i64::from(open && at < now.0);
        self.due_soon += i64::from(open && (now.0..soon.0).contains(&at));
    }

    /// With the total of a list in this order.
    fn totalled(mut self, order: Order) -> Counts {
        let listed = |state: &str| order == Order::Received || StateKey::from_key(state).is_some_and(StateKey::is_open);
        let of_list = self.by_state.iter().filter(|(state, _)| listed(state));
        self.total = of_list.map(|(_, n)| n).sum();
        self
    }
}

/// Counts of a list: from the counters where one area is asked for without further conditions, else one by one up to a bound.
pub fn counts(ctx: &Ctx, tx: &mut Tx, q: &ListQuery) -> Result<Counts, Fault> {
    let rules = place::rules(ctx)?;
    let plan = plan(ctx, tx, &rules, q)?;
    let soon = ctx.now.plus_ms(DAY_MS);
    if let Some(words) = words_of(q) {
        let rows = all_found(ctx, tx, &plan, words)?;
        let mut counts = Counts {
            at_least: rows.len() == FOUND,
            ..Counts::default()
        };
        for row in &rows {
            counts.add(ctx.now, soon, row.state.key().to_owned(), queue_at(row));
        }
        return Ok(counts.totalled(Order::Received));
    }
    if let ([Reach::Area(_, area)], true) = (plan.reaches.as_slice(), plan.filter.is_empty()) {
        let by_state = store::cells_of(tx, *area, "state", "state", None)?;
        let by_state = by_state.into_iter().filter(|(state, _)| state != "merged").collect();
        let late = store::cells_of(tx, *area, "late", "all", None)?
            .iter()
            .map(|(_, n)| n)
            .sum();
        let hours = (super::cube::hour(ctx.now), super::cube::hour(soon));
        let due_soon = store::cells_of(tx, *area, "due", "all", Some(hours))?
            .iter()
            .map(|(_, n)| n)
            .sum();
        let counts = Counts {
            by_state,
            late,
            due_soon,
            ..Counts::default()
        };
        return Ok(counts.totalled(plan.order));
    }
    let mut counts = Counts::default();
    let mut seen = HashSet::new();
    for reach in &plan.reaches {
        let rows = store::sample(tx, reach, &plan.filter, COUNTED)?;
        counts.at_least |= rows.len() as i64 == COUNTED;
        for (id, state, at) in rows {
            if !seen.insert(id) {
                continue;
            }
            counts.add(ctx.now, soon, state, at);
        }
    }
    Ok(counts.totalled(plan.order))
}

/// A box on the map.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// `west,south,east,north` in degrees.
    pub bbox: String,
    /// Zoom level, 0 to 22.
    pub zoom: Option<f64>,
}

/// GeoJSON: single cases where the view is near, clusters with a count where it is far.
pub fn map(ctx: &Ctx, tx: &mut Tx, q: &ListQuery, m: &MapQuery) -> Result<serde_json::Value, Fault> {
    let numbers: Vec<f64> = m
        .bbox
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .filter(|n: &f64| n.is_finite())
        .collect();
    let Ok(bbox) = <[f64; 4]>::try_from(numbers) else {
        return Err(Fault::invalid("bbox", "invalid_bbox"));
    };
    let (rows, truncated) = within_box(ctx, tx, q, bbox)?;
    let zoom = m.zoom.unwrap_or(14.0);
    Ok(super::cluster::features(&rows, zoom, ctx.now, truncated))
}

/// The cases of a list within a box (west, south, east, north), the most pressing [`POINTS`], and whether there are more.
fn within_box(ctx: &Ctx, tx: &mut Tx, q: &ListQuery, bbox: [f64; 4]) -> Result<(Vec<LineRow>, bool), Fault> {
    let rules = place::rules(ctx)?;
    let mut plan = plan(ctx, tx, &rules, q)?;
    if let Some(words) = words_of(q) {
        let mut rows = all_found(ctx, tx, &plan, words)?;
        let [west, south, east, north] = bbox;
        rows.retain(|row| {
            let inside = |(lon, lat): (f64, f64)| (west..=east).contains(&lon) && (south..=north).contains(&lat);
            row.lon.zip(row.lat).is_some_and(inside)
        });
        let truncated = rows.len() >= FOUND;
        return Ok((rows, truncated));
    }
    plan.filter.open_only |= plan.order == Order::Due;
    let mut rows: Vec<LineRow> = Vec::new();
    let mut seen = HashSet::new();
    for reach in &plan.reaches {
        rows.extend(
            store::points(tx, reach, &plan.filter, bbox, POINTS)?
                .into_iter()
                .filter(|row| seen.insert(row.id)),
        );
    }
    let truncated = rows.len() as i64 >= POINTS;
    Ok((rows, truncated))
}

/// A case as a point of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapCase {
    pub id: CaseId,
    pub number: String,
    pub title: String,
    pub state: StateKey,
    pub category: Option<String>,
    pub urgent: bool,
    pub late: bool,
    /// Longitude and latitude (WGS-84).
    pub at: (f64, f64),
}

/// The cases of a list within a box (west, south, east, north), for tiles: as [`map`], not clustered; and whether there are more.
pub fn on_map(ctx: &Ctx, tx: &mut Tx, q: &ListQuery, bbox: [f64; 4]) -> Result<(Vec<MapCase>, bool), Fault> {
    let (rows, more) = within_box(ctx, tx, q, bbox)?;
    let one = |row: LineRow| {
        Some(MapCase {
            at: row.lon.zip(row.lat)?,
            late: super::cluster::is_late(&row, ctx.now),
            id: row.id,
            number: row.number,
            title: row.title,
            state: row.state,
            category: row.category_code,
            urgent: row.urgent,
        })
    };
    Ok((rows.into_iter().filter_map(one).collect(), more))
}
