//! Another division of the ground from a day on, its way back, and the tree of a past day.
//!
//! Entry points: [`divide`], [`rejoin`] (what `divide` did, taken back), [`on`] (everything in force on a day). An area's code is its for
//! ever; a boundary replaced is kept with its days; who has the ground of an area that ended is kept beside it. Must not: know who works in
//! an area or what happened there; whoever divides moves those in the same transaction and calls [`super::load`] after the commit.

use super::map::Map;
use super::store::division as store;
use super::{GeoJson, current};
use crate::platform::{App, AreaId, Ctx, Fault, Mark, Subject, Tx};
use domain::geo::Region;
use jiff::civil::Date;
use std::sync::{Arc, Mutex, PoisonError};

/// An area that begins.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: AreaId,
    pub code: String,
    pub name: String,
    /// Key of the pack's level.
    pub level: String,
    pub parent: AreaId,
    pub region: Option<Region>,
}

/// What changes on a day.
#[derive(Debug, Clone, Default)]
pub struct Division {
    pub made: Vec<Made>,
    /// Areas that go on with another boundary.
    pub kept: Vec<(AreaId, Option<Region>)>,
    /// Areas that end the day before, each with those that have its ground and how many of its households.
    pub ended: Vec<(AreaId, Vec<(AreaId, i64)>)>,
}

/// What is needed to take a division back.
#[derive(Debug, Clone, Default)]
pub struct Undone {
    pub made: Vec<AreaId>,
    /// With the boundary of before (GeoJSON), where there was one.
    pub kept: Vec<(AreaId, Option<String>)>,
    pub ended: Vec<AreaId>,
    /// Who has the ground of what was made, as in [`Division::ended`].
    pub back: Vec<(AreaId, Vec<(AreaId, i64)>)>,
}

/// The day before one.
pub fn eve(day: Date) -> Result<Date, Fault> {
    day.yesterday().map_err(Fault::internal)
}

/// Brings a division into force on a day. `by` is what did it, for finding its successor links again. Gives the territory version made and
/// the boundaries that the kept areas had.
pub fn divide(
    ctx: &Ctx,
    tx: &mut Tx,
    division: &Division,
    day: Date,
    by: &str,
) -> Result<(i64, Vec<(AreaId, Option<String>)>), Fault> {
    let version = super::store::new_version(ctx, tx, "division")?;
    let map = super::store::map(tx)?;
    let (today, before) = (day.to_string(), eve(day)?.to_string());
    for new in &division.made {
        let parent = map
            .area(new.parent)
            .ok_or_else(|| Fault::invalid("area_id", "unknown_area"))?;
        let mut chain = parent.chain;
        if let Some(slot) = chain.get_mut(usize::from(parent.depth)) {
            *slot = Some(new.id);
        }
        store::insert(
            tx,
            &store::NewRow {
                id: new.id,
                code: &new.code,
                name: &new.name,
                level: &new.level,
                parent: new.parent,
                depth: parent.depth + 1,
                chain,
                from: &today,
                version,
            },
        )?;
        put(tx, new.id, new.region.as_ref())?;
    }
    let mut were = Vec::new();
    for (area, region) in &division.kept {
        were.push((*area, change_boundary(tx, *area, &today, &before, region.as_ref())?));
    }
    for (area, heirs) in &division.ended {
        super::store::end_area(tx, *area, &before)?;
        for (heir, households) in heirs {
            store::add_successor(tx, *area, *heir, &today, *households, by)?;
        }
    }
    let body = serde_json::json!({
        "version": version, "day": today, "made": division.made.len(), "kept": division.kept.len(), "ended": division.ended.len(),
    });
    tx.record(ctx, Mark::new("territory.divided", Subject::Territory, body))?;
    Ok((version, were))
}

/// Takes back, from a day on, a division that was in force since `since`: the same areas with the same codes, names, boundaries and parents
/// as before. Gives the territory version made.
pub fn rejoin(ctx: &Ctx, tx: &mut Tx, undone: &Undone, since: Date, day: Date, by: &str) -> Result<i64, Fault> {
    let version = super::store::new_version(ctx, tx, "rejoin")?;
    let (from, today, before) = (since.to_string(), day.to_string(), eve(day)?.to_string());
    store::drop_successors(tx, by)?;
    for area in &undone.ended {
        store::revive(tx, *area, (since < day).then_some((from.as_str(), before.as_str())))?;
    }
    for (area, shape) in &undone.kept {
        let region = shape.as_deref().map(read).transpose()?;
        change_boundary(tx, *area, &today, &before, region.as_ref())?;
    }
    for area in &undone.made {
        super::store::end_area(tx, *area, &before)?;
    }
    for (area, heirs) in &undone.back {
        for (heir, households) in heirs {
            store::add_successor(tx, *area, *heir, &today, *households, by)?;
        }
    }
    let body = serde_json::json!({
        "version": version, "day": today, "ended": undone.made.len(), "kept": undone.kept.len(), "again": undone.ended.len(),
    });
    tx.record(ctx, Mark::new("territory.rejoined", Subject::Territory, body))?;
    Ok(version)
}

fn read(text: &str) -> Result<Region, Fault> {
    let shape: GeoJson = serde_json::from_str(text).map_err(Fault::internal)?;
    Ok(shape.into_region())
}

fn put(tx: &mut Tx, area: AreaId, region: Option<&Region>) -> Result<(), Fault> {
    match region {
        Some(region) => {
            let text = serde_json::to_string(&GeoJson::of(region)).map_err(Fault::internal)?;
            super::store::put_boundary(tx, area, &text, region)
        }
        None => store::drop_boundary(tx, area),
    }
}

/// Another boundary from a day on; the one of before is kept with its days. Gives the one of before.
fn change_boundary(
    tx: &mut Tx,
    area: AreaId,
    today: &str,
    before: &str,
    region: Option<&Region>,
) -> Result<Option<String>, Fault> {
    let was = store::boundary(tx, area)?;
    let (kept_to, begun) = store::boundary_since(tx, area)?;
    let from = match kept_to {
        Some(to) => to
            .parse::<Date>()
            .and_then(|day| day.tomorrow())
            .map_err(Fault::internal)?
            .to_string(),
        None => begun,
    };
    // Changed twice on one day: the first of them was in force on no whole day.
    if from.as_str() < today {
        store::keep_boundary(tx, area, &from, before, was.as_deref())?;
    }
    put(tx, area, region)?;
    Ok(was)
}

/// Days whose tree is kept in memory.
const KEPT_DAYS: usize = 8;

#[derive(Default)]
struct Days(Mutex<Vec<(i64, Date, Arc<Map>)>>);

/// Everything that was in force on a day, with the boundaries of that day; of today, what is in force now; of a day before the place had
/// areas, its first ones. Read once for a version of the
/// territory and a day, as long as few days are asked for.
pub async fn on(app: &App, day: Date) -> Result<Arc<Map>, Fault> {
    let now = current(app);
    if day == app.now().date() {
        return Ok(now);
    }
    let days = app.part::<Days>();
    let known = |all: &Vec<(i64, Date, Arc<Map>)>| {
        let found = all
            .iter()
            .find(|(version, of, _)| *version == now.version && *of == day);
        found.map(|(_, _, map)| map.clone())
    };
    if let Some(map) = known(&days.0.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(map);
    }
    let (version, text) = (now.version, day.to_string());
    let ctx = Ctx::system(app, "territory");
    let map = Arc::new(app.read(&ctx, move |_, tx| store::map_on(tx, version, &text)).await?);
    let mut all = days.0.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(of, _, _)| *of == version);
    if all.len() >= KEPT_DAYS {
        all.remove(0);
    }
    all.push((version, day, map.clone()));
    Ok(map)
}

/// Codes below a prefix that any area has or had: none of them is given again.
pub fn codes(tx: &mut Tx, prefix: &str) -> Result<Vec<String>, Fault> {
    store::codes(tx, prefix)
}

/// The territory as the transaction sees it.
pub fn map(tx: &mut Tx) -> Result<Map, Fault> {
    super::store::map(tx)
}

/// A digest of everything below an area: ids, codes, names, parents, boundaries. Equal for equal trees.
pub fn digest(map: &Map, top: AreaId) -> String {
    use sha2::Digest;
    let mut all = sha2::Sha256::new();
    for area in map.areas().iter().filter(|area| map.is_under(area.id, top)) {
        let shape = map.region(area.id).map(|region| serde_json::json!(GeoJson::of(region)));
        let line = serde_json::json!([
            area.id,
            area.code,
            area.name,
            area.level,
            area.parent,
            area.chain,
            shape
        ]);
        all.update(line.to_string());
    }
    hex::encode(all.finalize())
}

/// How long another process's division may go unnoticed.
const LOOK_MS: u64 = 5_000;

/// Reads the territory anew whenever another process on the same database has changed it. Ends when dropped.
pub async fn keep_fresh(app: App) {
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(LOOK_MS)).await;
        let ctx = Ctx::system(&app, "territory");
        let newest = app.read(&ctx, |_, tx| super::store::version(tx)).await;
        let read = match newest {
            Ok(version) if version != current(&app).version => super::load(&app).await,
            Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = read {
            tracing::warn!(%fault, "the territory could not be read anew; trying again");
        }
    }
}
