//! Making the grids of a plan: a job that takes one community after the other, whole in memory, and writes a few thousand dwellings at a time.
//!
//! Each community is complete or untouched at any moment: a stop or a crash in between leaves a plan that can be looked at and drawn again.

use super::figures::{self, BlockFigures, GridFigures};
use super::outline::dissolved;
use super::store::{self, GridRow, Zone};
use super::table::Table;
use super::{Origin, Phase, Plan, State, labels, save};
use crate::platform::jobs::{Effect, Handler, Outcome};
use crate::platform::*;
use crate::policy;
use crate::territory::dwellings::{self, Block};
use crate::territory::{Map, current};
use domain::policy::GridRules;
use serde_json::{Value, json};
use solver::check::{Breach, breaches, sound};
use solver::partition::{Effort, NONE, Options as How, Reason, Verdict, Watch, draw, redraw};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The kind of job.
const JOB: &str = "plan.draw";
/// Dwellings written in one transaction, unless one community has more.
const BATCH: usize = 5_000;
/// Threads that draw; the plan is the same for any number.
const THREADS: usize = 2;
/// Pieces of a community told as impossible, at most.
const MOST_ZONES: usize = 200;

/// Drawings under way in this process.
#[derive(Default)]
struct Running(Mutex<HashMap<PlanId, Arc<Run>>>);

#[derive(Debug, Default)]
struct Run {
    done: AtomicUsize,
    total: AtomicUsize,
    stop: AtomicBool,
}

impl Run {
    fn of(app: &App, id: PlanId) -> Option<Arc<Run>> {
        let running = app.part::<Running>();
        let runs = running.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(&id).cloned()
    }

    fn begin(app: &App, id: PlanId) -> Arc<Run> {
        let (running, run) = (app.part::<Running>(), Arc::new(Run::default()));
        let mut runs = running.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert(id, run.clone());
        run
    }

    fn end(app: &App, id: PlanId) {
        let running = app.part::<Running>();
        running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Dwellings done and in all of a drawing under way here.
pub fn progress(app: &App, id: PlanId) -> Option<(usize, usize)> {
    Run::of(app, id).map(|run| (run.done.load(Ordering::Relaxed), run.total.load(Ordering::Relaxed)))
}

/// Has a drawing under way here stop soon.
pub fn stop(app: &App, id: PlanId) {
    if let Some(run) = Run::of(app, id) {
        run.stop.store(true, Ordering::Relaxed);
    }
}

pub fn register(app: &App) {
    jobs::register(app, JOB, Handler::Long(|ctx, payload| Box::pin(job(ctx, payload))));
}

pub fn enqueue(ctx: &Ctx, tx: &mut Tx, id: PlanId, how: Origin) -> Result<(), Fault> {
    let payload = json!({ "plan": id.to_string(), "how": how.key() });
    jobs::enqueue(ctx, tx, JOB, &id.to_string(), ctx.now, &payload)
}

async fn job(ctx: Ctx, payload: Value) -> Result<Effect, Fault> {
    let id = payload["plan"].as_str().and_then(|id| id.parse().ok());
    let how = payload["how"].as_str().and_then(Origin::from_key);
    let (id, how): (PlanId, Origin) = id.zip(how).ok_or_else(|| Fault::internal("a job without its plan"))?;
    let plan = ctx.app.read(&ctx, move |_, tx| store::find(tx, id)).await?;
    let waiting = |plan: &Plan| plan.state == State::Draft && matches!(plan.phase, Phase::Waiting | Phase::Drawing);
    let Some(plan) = plan.filter(waiting) else {
        return Ok(Box::new(|_, _| Ok(Outcome::Done)));
    };
    drawn(&ctx, plan, how).await
}

/// Draws without waiting for the job: for a place that is being made.
pub async fn now(ctx: &Ctx, id: PlanId, how: Origin) -> Result<(), Fault> {
    let plan = ctx.app.read(ctx, move |_, tx| store::find(tx, id)).await?;
    let effect = drawn(ctx, plan.ok_or_else(Fault::not_found)?, how).await?;
    ctx.app.write(ctx, move |ctx, tx| effect(ctx, tx)).await?;
    Ok(())
}

async fn drawn(ctx: &Ctx, plan: Plan, how: Origin) -> Result<Effect, Fault> {
    let id = plan.id;
    let run = Run::begin(&ctx.app, id);
    let done = all(ctx, plan, how, &run).await;
    Run::end(&ctx.app, id);
    let (phase, fault) = match done {
        Ok(phase) => (phase, None),
        // What another try would not mend is told to the person.
        Err(fault) if fault.status().is_client_error() => (Phase::Failed, Some(fault.code().to_owned())),
        Err(fault) => return Err(fault),
    };
    Ok(Box::new(move |ctx, tx| {
        if let Some(plan) = store::find(tx, id)? {
            let figures = store::figures(tx, id)?;
            let body =
                json!({ "phase": phase.key(), "fault": fault, "grids": figures.grids, "in_band": figures.in_band });
            save(ctx, tx, Plan { phase, fault, ..plan }, "plan.drawn", body)?;
        }
        Ok(Outcome::Done)
    }))
}

/// Draws all communities; says how it ended.
async fn all(ctx: &Ctx, plan: Plan, how: Origin, run: &Arc<Run>) -> Result<Phase, Fault> {
    if plan.cancel_asked {
        return Ok(Phase::Cancelled);
    }
    let id = plan.id;
    let version = current(&ctx.app).version;
    let (plan, communities, mut next) = ctx
        .app
        .write(ctx, move |ctx, tx| {
            let map = current(&ctx.app);
            let area = map.area(plan.area).ok_or_else(|| Fault::refused("area_unknown"))?;
            let communities = dwellings::communities(tx, area)?;
            let mut last = store::last_number(tx, id)?;
            if let Some(from) = plan.from {
                last = last.max(store::last_number(tx, from)?);
            }
            let plan = Plan {
                phase: Phase::Drawing,
                base_version: version,
                ..plan
            };
            Ok((save(ctx, tx, plan, "plan.drawing", json!({}))?, communities, last + 1))
        })
        .await?;
    let total: i64 = communities.iter().map(|(_, total)| total.dwellings).sum();
    if total == 0 {
        return Err(Fault::refused("plan_no_dwellings"));
    }
    run.total.store(usize::try_from(total).unwrap_or(0), Ordering::Relaxed);
    let effort = Effort::for_units(usize::try_from(total).unwrap_or(usize::MAX));
    let plan = Arc::new(plan);
    let (mut pending, mut size) = (Vec::<Made>::new(), 0);
    for (community, _) in communities {
        let (plan_read, start) = (plan.clone(), next);
        let loaded = ctx
            .app
            .read(ctx, move |ctx, tx| load(ctx, tx, &plan_read, community, how, start))
            .await?;
        let (app, run_here, plan_here) = (ctx.app.clone(), run.clone(), plan.clone());
        let solve = move || made(&app, &plan_here, loaded, how, effort, &run_here);
        let done = tokio::task::spawn_blocking(solve).await.map_err(Fault::internal)??;
        let Some(done) = done else {
            write(ctx, id, std::mem::take(&mut pending)).await?;
            return Ok(Phase::Cancelled);
        };
        next = next.max(done.rows.iter().map(|row| row.no + 1).max().unwrap_or(0));
        size += done.numbers.len();
        pending.push(done);
        if size >= BATCH {
            size = 0;
            write(ctx, id, std::mem::take(&mut pending)).await?;
        }
    }
    write(ctx, id, pending).await?;
    Ok(Phase::Ready)
}

async fn write(ctx: &Ctx, id: PlanId, made: Vec<Made>) -> Result<(), Fault> {
    if made.is_empty() {
        return Ok(());
    }
    ctx.app
        .write_long(ctx, move |ctx, tx| {
            let communities: Vec<String> = made.iter().map(|one| one.community.to_string()).collect();
            for one in &made {
                put(tx, id, one)?;
            }
            let body = json!({ "communities": communities });
            tx.record(ctx, Mark::new("plan.part_drawn", Subject::Plan(id), body))?;
            Ok(())
        })
        .await
}

/// Keeps the grids of one community; the caller leaves the mark.
pub fn put(tx: &mut Tx, id: PlanId, one: &Made) -> Result<(), Fault> {
    store::put_numbers(tx, id, one.community, one.numbers.iter().copied())?;
    store::put_grids(tx, id, one.community, &one.rows)?;
    store::put_block(tx, id, one.community, &one.figures)?;
    store::put_zones(tx, id, one.community, &one.zones)?;
    store::prove(tx, id, one.community)
}

/// One community on its way: the table, and its grids so far.
pub struct Loaded {
    pub community: AreaId,
    pub table: Table,
    pub grid: Vec<u32>,
    pub rows: BTreeMap<u32, GridRow>,
    /// First number that no grid of the plan has.
    pub next: u32,
}

/// The table of one community under a plan.
pub fn table(ctx: &Ctx, plan: &Plan, community: AreaId, block: Block) -> Table {
    let map = current(&ctx.app);
    let rural = map
        .area(community)
        .is_some_and(|area| area.kind.as_deref() == Some("rural"));
    Table::new(block, rural, &plan.options)
}

/// One community with the grids it begins with: the plan's own, those of the plan it comes from, or today's.
fn load(ctx: &Ctx, tx: &mut Tx, plan: &Plan, community: AreaId, how: Origin, next: u32) -> Result<Loaded, Fault> {
    let table = table(ctx, plan, community, dwellings::block(tx, community, true)?);
    let own = store::numbers(tx, plan.id, community)?;
    let source = match plan.from {
        _ if !own.is_empty() || how == Origin::Draw => Some((plan.id, own)),
        Some(from) => Some((from, store::numbers(tx, from, community)?)),
        None => None,
    };
    let mut loaded = Loaded {
        community,
        grid: vec![NONE; table.len()],
        rows: BTreeMap::new(),
        table,
        next,
    };
    match source {
        Some((from, numbers)) => {
            loaded.place(&numbers);
            loaded.rows = store::grids(tx, from, community)?
                .into_iter()
                .map(|row| (row.no, row))
                .collect();
        }
        None => loaded.place_today(),
    }
    Ok(loaded)
}

impl Loaded {
    pub fn place(&mut self, numbers: &HashMap<DwellingId, u32>) {
        for (at, one) in self.table.block.dwellings.iter().enumerate() {
            self.grid[at] = numbers.get(&one.id).copied().unwrap_or(NONE);
        }
    }

    fn place_today(&mut self) {
        let mut of: BTreeMap<AreaId, u32> = BTreeMap::new();
        for (at, one) in self.table.block.dwellings.iter().enumerate() {
            if one.area != self.community {
                let next = self.next + of.len() as u32;
                self.grid[at] = *of.entry(one.area).or_insert(next);
            }
        }
        self.next += of.len() as u32;
    }

    fn locked(&self, no: u32) -> bool {
        self.rows.get(&no).is_some_and(|row| row.locked)
    }

    fn locks(&self) -> Vec<u32> {
        let lock = |no: &u32| if self.locked(*no) { *no } else { NONE };
        self.grid.iter().map(lock).collect()
    }
}

/// One community, made.
pub struct Made {
    pub community: AreaId,
    pub numbers: Vec<(DwellingId, u32)>,
    pub rows: Vec<GridRow>,
    pub figures: BlockFigures,
    pub zones: Vec<Zone>,
}

/// Draws one community; nothing if it was stopped on the way.
fn made(
    app: &App,
    plan: &Plan,
    mut loaded: Loaded,
    how: Origin,
    effort: Effort,
    run: &Run,
) -> Result<Option<Made>, Fault> {
    let before = run.done.load(Ordering::Relaxed);
    let (stop, progress) = (
        || run.stop.load(Ordering::Relaxed),
        |done: usize, _: usize| run.done.store(before + done, Ordering::Relaxed),
    );
    let watch = Watch {
        stop: &stop,
        progress: &progress,
    };
    if stop() {
        return Ok(None);
    }
    let mut zones = Vec::new();
    if matches!(how, Origin::Draw | Origin::Redraw) && loaded.table.len() > 0 {
        let options = How {
            goal: plan.options.goal(),
            seed: u64::from(plan.options.seed),
            threads: THREADS,
            effort,
        };
        let locks = loaded.locks();
        let table = &loaded.table;
        let drawn = table.with_town(&locks, |town, wishes| {
            if !sound(town, &table.rule, wishes, 1).is_empty() {
                return Err(Fault::refused("plan_bad_input"));
            }
            let drawn = match how {
                Origin::Draw => draw(town, &table.rule, wishes, &options, watch),
                _ => redraw(town, &table.rule, wishes, &loaded.grid, &options, watch),
            };
            let wrong = |breach: &Breach| match breach {
                Breach::Band { .. } => false,
                // A person locked it in pieces.
                Breach::Disconnected { grid, .. } => !loaded.locked(*grid),
                _ => true,
            };
            match breaches(town, &table.rule, wishes, &drawn.grid)
                .iter()
                .find(|breach| wrong(breach))
            {
                Some(breach) => {
                    tracing::error!(plan = %plan.id, ?breach, "a drawing did not pass the checker");
                    Err(Fault::refused("plan_unsound"))
                }
                None => Ok(drawn),
            }
        })?;
        if drawn.stopped {
            return Ok(None);
        }
        let renamed = loaded.renumber(&drawn.grid, how);
        zones = told(&loaded, &drawn.zones, &renamed);
    }
    run.done.store(before + loaded.table.len(), Ordering::Relaxed);
    finish(app, loaded, zones, how == Origin::Draw, None).map(Some)
}

impl Loaded {
    /// Takes the solver's grids over under numbers of the plan; gives the plan's number of each of the solver's.
    fn renumber(&mut self, drawn: &[u32], how: Origin) -> HashMap<u32, u32> {
        let known = |no: u32| self.rows.contains_key(&no) || self.grid.contains(&no);
        let stays = |no: u32| {
            if how == Origin::Draw {
                self.locked(no)
            } else {
                known(no)
            }
        };
        let mut of: HashMap<u32, u32> = HashMap::new();
        let mut free: Vec<u32> = match how {
            Origin::Draw => self.rows.keys().copied().filter(|no| !self.locked(*no)).rev().collect(),
            _ => Vec::new(),
        };
        let mut next = self.next;
        for &no in drawn {
            if of.contains_key(&no) {
                continue;
            }
            let number = if stays(no) {
                no
            } else {
                free.pop().unwrap_or_else(|| {
                    next += 1;
                    next - 1
                })
            };
            of.insert(no, number);
        }
        self.next = next;
        self.grid = drawn.iter().map(|no| of[no]).collect();
        of
    }
}

/// The pieces that are not all in band, with the reason, under the plan's numbers.
fn told(loaded: &Loaded, zones: &[solver::partition::Zone], of: &HashMap<u32, u32>) -> Vec<Zone> {
    let all = &loaded.table.block.dwellings;
    let bad = zones
        .iter()
        .filter(|zone| zone.verdict != Verdict::Held)
        .take(MOST_ZONES);
    bad.map(|zone| {
        let (verdict, units): (_, &[u32]) = match &zone.verdict {
            Verdict::Impossible(Reason::Sum) => ("sum", &[]),
            Verdict::Impossible(Reason::Units(units)) => ("units", units),
            Verdict::Impossible(Reason::Packing) => ("packing", &[]),
            Verdict::Impossible(Reason::Contiguity) => ("contiguity", &[]),
            Verdict::Held | Verdict::Unproven => ("unproven", &[]),
        };
        let broken: Vec<u32> = zone.broken.iter().filter_map(|no| of.get(no).copied()).collect();
        let held = loaded.zone_of(zone.first_unit);
        Zone {
            community: loaded.community,
            dwelling: all[zone.first_unit as usize].id,
            verdict: verdict.to_owned(),
            dwellings: zone.units as i64,
            households: held.iter().map(|v| loaded.table.households(*v as usize)).sum(),
            grids: zone.grids as i64,
            broken,
            units: units.iter().take(MOST_ZONES).map(|v| all[*v as usize].id).collect(),
        }
    })
    .collect()
}

impl Loaded {
    /// The free dwellings that hang together on foot with this one.
    fn zone_of(&self, first: u32) -> Vec<u32> {
        self.table.reach(first, |v| !self.locked(self.grid[v as usize]))
    }
}

/// Figures, names, codes and outlines of a community's grids. `anew`: only locked ones keep their names. `touched`: the only grids whose
/// dwellings changed; the outlines of the others are still right.
pub fn finish(app: &App, loaded: Loaded, zones: Vec<Zone>, anew: bool, touched: Option<&[u32]>) -> Result<Made, Fault> {
    let pack = policy::current(app)?;
    let map = current(app);
    let Loaded {
        community,
        table,
        grid,
        rows: mut old,
        ..
    } = loaded;
    if anew {
        old.retain(|_, row| row.locked);
    }
    let members = figures::members(&grid);
    let figured: BTreeMap<u32, GridFigures> = members
        .iter()
        .map(|(no, members)| (*no, figures::of_grid(&table, &pack.pack.grids, members)))
        .collect();
    let outline = |members: &[u32]| {
        dissolved(
            members
                .iter()
                .map(|v| table.block.dwellings[*v as usize].cell.as_deref()),
        )
    };
    let mut rows: BTreeMap<u32, GridRow> = BTreeMap::new();
    for (no, figures) in &figured {
        let kept = old.remove(no);
        let same = touched.is_some_and(|touched| !touched.contains(no));
        let shape = match &kept {
            Some(kept) if same => kept.outline.clone(),
            _ => outline(&members[no]),
        };
        rows.insert(*no, row(*no, community, figures, kept, shape));
    }
    labels::match_today(&table, &members, community, &mut rows);
    let digits = code_digits(&pack.pack.levels, &map, community);
    labels::name_and_number(&table, &members, community, &map, digits, &mut rows)?;
    let moved = rows.values().map(|row| row.moved_households).sum();
    let figures = figures::of_block(&table, &grid, figured.values(), moved);
    let placed = table.block.dwellings.iter().zip(&grid).filter(|(_, no)| **no != NONE);
    Ok(Made {
        community,
        numbers: placed.map(|(one, no)| (one.id, *no)).collect(),
        rows: rows.into_values().collect(),
        figures,
        zones,
    })
}

fn row(no: u32, community: AreaId, figures: &GridFigures, kept: Option<GridRow>, outline: Option<String>) -> GridRow {
    let (name, code, kept_area, locked) =
        kept.map_or_else(Default::default, |row| (row.name, row.code, row.kept_area, row.locked));
    GridRow {
        no,
        community,
        name,
        code,
        kept_area,
        locked,
        dwellings: figures.dwellings,
        households: figures.households,
        people: figures.people,
        enterprises: figures.enterprises,
        minutes: figures.minutes,
        in_band: figures.in_band,
        moi: figures.moi,
        walk_m: figures.walk_m,
        at: figures.at,
        moved_households: 0,
        outline,
    }
}

/// Digits of the running number of a grid behind its community's code, by the pack's layout.
fn code_digits(levels: &[domain::policy::Level], map: &Map, community: AreaId) -> usize {
    const PLAIN: usize = 3;
    let own = map.area(community).map_or(0, |area| area.code.len());
    let whole = levels.last().map_or(0, |level| usize::from(level.code_digits));
    whole
        .checked_sub(own)
        .filter(|digits| (1..=9).contains(digits))
        .unwrap_or(PLAIN)
}

/// The pack's rules of grids.
pub fn rules(app: &App) -> Result<GridRules, Fault> {
    Ok(policy::current(app)?.pack.grids.clone())
}
