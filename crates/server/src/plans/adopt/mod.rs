//! A plan comes into force on a day, whole or not at all, and can be taken back: its grids, and everything that follows a household.
//!
//! Entry points: [`dry_run`] (names everything that would be touched, changes nothing), [`plan_for`] (for a day, today at the earliest),
//! [`undo`] (calls off what is still to come; takes back what is in force, within the pack's days). A job carries each out in one
//! transaction at the start of the day, so that no reader sees half; a second job reads the territory into memory and moves what was
//! entered in between. What follows is the list in [`followers`]. Must not: draw.

mod act;
mod followers;
mod ground;
mod http;

pub use http::routes;

use crate::plans::store::adopt as store;
use crate::plans::{may_manage, overlap};
use crate::platform::{AdoptionId, AreaId, Ctx, Fault, PlanId, Tx, i18n};
use crate::policy;
use crate::territory::{self, Map};
use domain::time::{MINUTE_MS, Timestamp};
use followers::{FOLLOWERS, Finding, Item};
use ground::{Ground, Place};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Makes the jobs of adopting known; once at the start.
pub fn register(app: &crate::platform::App) {
    act::register(app);
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub code: &'static str,
    params: Vec<(&'static str, String)>,
}

impl Block {
    fn new(code: &'static str) -> Block {
        Block {
            code,
            params: Vec::new(),
        }
    }

    fn with(mut self, key: &'static str, value: impl ToString) -> Block {
        self.params.push((key, value.to_string()));
        self
    }

    /// In the reader's language.
    fn sentence(&self, ctx: &Ctx) -> String {
        i18n::sentence(ctx.lang, self.code, &self.params)
    }
}

/// Everything a plan's coming into force, or its way back, would touch.
pub struct Effect {
    pub places: Vec<Place>,
    /// By kind, in the order in which they are told: the grids themselves first.
    pub items: Vec<(&'static str, Vec<Item>)>,
    pub blocks: Vec<Block>,
}

impl Effect {
    /// How many of each kind; of dwellings and grids also the households.
    pub fn counts(&self) -> Value {
        let households =
            |items: &[Item]| -> i64 { items.iter().filter_map(|item| item.detail["households"].as_i64()).sum() };
        // An item can stand for many.
        let count = |items: &[Item]| -> i64 {
            items
                .iter()
                .map(|item| item.detail["count"].as_i64().unwrap_or(1))
                .sum()
        };
        let gone = |items: &[Item]| items.iter().filter(|item| item.to.is_none()).count();
        let made = |items: &[Item]| items.iter().filter(|item| item.from.is_none()).count();
        let all = self.items.iter().map(|(kind, items)| {
            json!({
                "kind": kind, "count": count(items), "households": households(items), "ends": gone(items), "begins": made(items),
            })
        });
        Value::Array(all.collect())
    }
}

/// Key and code length of the level below a depth; none at the lowest.
fn level_below(ctx: &Ctx, depth: u8) -> Result<Option<(String, usize)>, Fault> {
    let pack = policy::current(&ctx.app)?;
    let level = pack.pack.level_at(depth + 1);
    Ok(level.map(|level| (level.key.clone(), usize::from(level.code_digits))))
}

/// The grids a ground makes, goes on with and ends, as items.
fn grids_of(ground: &Ground, map: &Map) -> Vec<(&'static str, Vec<Item>)> {
    let place = |at: usize, from: Option<AreaId>, id: String| Item {
        id,
        from,
        to: Some(at),
        label: ground.places[at].name.clone(),
        detail: json!({ "households": ground.places[at].households }),
    };
    let made = ground.places.iter().enumerate().filter(|(_, one)| one.area.is_none());
    let made = made.map(|(at, one)| place(at, None, format!("no:{:06}", one.no.unwrap_or_default())));
    let kept = ground
        .kept
        .iter()
        .map(|(area, at)| place(*at, Some(*area), area.to_string()));
    let ended = ground.ended.iter().map(|(area, heirs)| Item {
        id: area.to_string(),
        from: Some(*area),
        to: heirs.first().map(|(to, _)| *to),
        label: map.ever(*area).map(|area| area.name.clone()).unwrap_or_default(),
        detail: json!({ "households": heirs.iter().map(|(_, n)| n).sum::<i64>() }),
    });
    vec![
        ("area_made", made.collect()),
        ("area_kept", kept.collect()),
        ("area_ended", ended.collect()),
    ]
}

/// What a plan would touch on a day, by the territory as it is.
fn find(
    ctx: &Ctx,
    tx: &mut Tx,
    map: &Map,
    ground: &Ground,
    day: Date,
    undoing: Option<AdoptionId>,
) -> Result<Effect, Fault> {
    let finding = Finding {
        ctx,
        ground,
        map,
        day,
        undoing,
    };
    let mut items = if undoing.is_none() {
        grids_of(ground, map)
    } else {
        Vec::new()
    };
    for follower in &FOLLOWERS {
        items.push((follower.kind, (follower.find)(&finding, tx)?));
    }
    let mut blocks = ground.blocks.clone();
    for (area, _) in ground.ended.iter().filter(|(_, heirs)| heirs.is_empty()) {
        let name = map.ever(*area).map(|area| area.name.clone()).unwrap_or_default();
        blocks.push(Block::new("area_without_successor").with("name", name));
    }
    if undoing.is_none() {
        blocks.extend(without_unit(&finding, tx)?);
    }
    Ok(Effect {
        places: ground.places.clone(),
        items,
        blocks,
    })
}

/// Communities without any unit that could have the posts of their grids.
fn without_unit(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Block>, Fault> {
    let posts = crate::workforce::moves::posts_in(tx, &finding.ground.touched())?;
    let units = followers::units_of_grids(finding, tx, &posts)?;
    let without = finding.ground.communities.keys().filter(|id| !units.contains_key(id));
    let named = without.map(|id| finding.map.area(*id).map(|area| area.name.clone()).unwrap_or_default());
    Ok(named
        .map(|name| Block::new("no_unit_for_posts").with("name", name))
        .collect())
}

/// What of other adoptions stands in the way of a plan.
fn beside(tx: &mut Tx, map: &Map, plan: &store::PlanRow, own: Option<AdoptionId>) -> Result<Vec<Block>, Fault> {
    let mut blocks = Vec::new();
    let planned = store::adoptions_in(tx, "planned")?;
    for other in planned
        .iter()
        .filter(|other| Some(other.id) != own && overlap(map, other.area, plan.area))
    {
        blocks.push(Block::new("adoption_pending").with("day", &other.day));
    }
    let mut since = store::adoptions_in(tx, "in_force")?;
    since.extend(store::adoptions_in(tx, "undone")?);
    let newer = |other: &&store::AdoptionRow| {
        other
            .done_at
            .max(other.undone_at)
            .is_some_and(|at| at > plan.changed_at)
            && overlap(map, other.area, plan.area)
    };
    if own.is_none() && since.iter().any(|other| newer(&other)) {
        blocks.push(Block::new("plan_older_than_division"));
    }
    Ok(blocks)
}

/// The plan, for somebody who may change its area.
fn need_plan(ctx: &Ctx, tx: &mut Tx, id: PlanId) -> Result<store::PlanRow, Fault> {
    let plan = store::plan(tx, id)?.ok_or_else(Fault::not_found)?;
    may_manage(ctx, plan.area)?;
    Ok(plan)
}

/// What adopting a plan on a day would do. Nothing is changed.
pub fn dry_run(ctx: &Ctx, tx: &mut Tx, id: PlanId, day: Date, out_of_band: bool) -> Result<Effect, Fault> {
    let plan = need_plan(ctx, tx, id)?;
    if day < ctx.now.date() {
        return Err(Fault::invalid("day", "day_in_the_past"));
    }
    let map = territory::current(&ctx.app);
    let ground = Ground::of_plan(ctx, tx, &map, id, false)?;
    let mut effect = find(ctx, tx, &map, &ground, day, None)?;
    if plan.state != "draft" {
        effect.blocks.push(Block::new("plan_not_draft"));
    }
    if plan.phase != "ready" {
        effect.blocks.push(Block::new("plan_not_ready"));
    }
    effect.blocks.extend(beside(tx, &map, &plan, None)?);
    let outside = store::grids(tx, id)?.iter().filter(|grid| !grid.in_band).count();
    if outside > 0 && !out_of_band {
        effect
            .blocks
            .push(Block::new("plan_out_of_band").with("count", outside));
    }
    Ok(effect)
}

/// What undoing an adoption now would do, and what stands in the way. Nothing is changed.
pub fn dry_undo(ctx: &Ctx, tx: &mut Tx, row: &store::AdoptionRow) -> Result<Effect, Fault> {
    let map = territory::current(&ctx.app);
    undo_of(ctx, tx, &map, row)
}

fn undo_of(ctx: &Ctx, tx: &mut Tx, map: &Map, row: &store::AdoptionRow) -> Result<Effect, Fault> {
    let today = ctx.now.date();
    if row.state != "in_force" {
        return Ok(Effect {
            places: Vec::new(),
            items: Vec::new(),
            blocks: Vec::new(),
        });
    }
    let mut blocks = Vec::new();
    if let Some(until) = row
        .undo_until
        .as_deref()
        .filter(|until| today.to_string().as_str() > *until)
    {
        blocks.push(Block::new("undo_too_late").with("day", until));
    }
    let later = store::adoptions_in(tx, "in_force")?;
    let after = |other: &&store::AdoptionRow| other.done_at > row.done_at && overlap(map, other.area, row.area);
    if let Some(other) = later.iter().filter(|other| other.id != row.id).find(after) {
        blocks.push(Block::new("undo_later_first").with("day", &other.day));
    }
    if !blocks.is_empty() {
        return Ok(Effect {
            places: Vec::new(),
            items: Vec::new(),
            blocks,
        });
    }
    let ground = Ground::back(tx, map, row.id)?;
    find(ctx, tx, map, &ground, today, Some(row.id))
}

/// Dry runs kept for turning their pages, and how long.
const KEPT: usize = 4;
const KEPT_MS: i64 = 2 * MINUTE_MS;

type Key = (String, String, i64, bool);

#[derive(Default)]
struct Tried(Mutex<Vec<(Key, Timestamp, Arc<Effect>)>>);

impl Tried {
    fn get(&self, key: &Key, now: Timestamp) -> Option<Arc<Effect>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all
            .iter()
            .find(|(of, at, _)| of == key && (*at..at.plus_ms(KEPT_MS)).contains(&now));
        found.map(|(_, _, effect)| effect.clone())
    }

    fn keep(&self, key: Key, now: Timestamp, effect: Arc<Effect>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(of, _, _)| *of != key);
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push((key, now, effect));
    }
}
