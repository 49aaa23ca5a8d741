//! Territory 区域: areas, boundaries, addresses, and from a point or a text to the area it belongs to.
//!
//! Entry points: [`current`] (the whole tree in memory, swapped on each change), [`import_areas`], [`import_boundaries`],
//! [`find`] (point or text to area), [`facilities`] (what stands there), [`features`] (what a map file of any kind holds), [`division`] (another division from a day on; the tree of a past day). Positions are WGS-84 inside; the datum is declared and converted at the edge, once.
//! Must not know units or workers: those are above.

pub mod division;
pub mod dwellings;
pub mod facilities;
pub mod features;
mod http;
mod import;
mod map;
mod store;

pub use http::{Anyone, AreaBrief, AreaView, area_view, brief, position, routes};
pub use import::{GeoJson, ImportReport, RowProblem, import_areas, import_boundaries, is_sound, read_csv};
pub use map::{Area, Located, Map};

use crate::platform::{App, AreaId, Ctx, Fault, Mark, Subject, Tx};
use domain::geo::LonLat;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Default)]
struct Slot(RwLock<Arc<Map>>);

/// The territory in force; empty before anything was imported.
pub fn current(app: &App) -> Arc<Map> {
    app.part::<Slot>()
        .0
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Reads the territory into memory: at start, and after each change.
pub async fn load(app: &App) -> Result<(), Fault> {
    let ctx = Ctx::system(app, "territory");
    let map = app.read(&ctx, |_, tx| store::map(tx)).await?;
    *app.part::<Slot>().0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
    Ok(())
}

/// Ends an area: `day` (ISO date, today at the latest, not before it came into force) is its last day, and nothing new goes there from now on;
/// what was recorded in it keeps its name and version. Refused for the top and while areas lie below it. The caller has looked for everything above territory, and loads the
/// territory anew after the commit. Gives the territory version made.
pub fn end_area(ctx: &Ctx, tx: &mut Tx, id: AreaId, day: &str) -> Result<i64, Fault> {
    let map = store::map(tx)?;
    let area = map.area(id).ok_or_else(Fault::not_found)?;
    let day: jiff::civil::Date = day
        .trim()
        .parse()
        .map_err(|_| Fault::invalid("valid_to", "date_expected"))?;
    if day > ctx.now.date() {
        return Err(Fault::invalid("valid_to", "day_in_the_future"));
    }
    if day.to_string() < store::valid_from(tx, id)? {
        return Err(Fault::invalid("valid_to", "area_ends_before_start"));
    }
    if area.parent.is_none() {
        return Err(Fault::refused("area_is_the_top"));
    }
    if area.child_count > 0 {
        return Err(Fault::refused("area_has_areas_below").with("count", area.child_count));
    }
    let version = store::new_version(ctx, tx, "end")?;
    store::end_area(tx, id, &day.to_string())?;
    let body = serde_json::json!({ "version": version, "valid_to": day.to_string() });
    tx.record(ctx, Mark::new("area.ended", Subject::Area(id), body))?;
    Ok(version)
}

/// The area of a point, or of a text when no point is given or the point lies nowhere: an address of the table first (longest match),
/// then names of areas in the text.
pub fn find(app: &App, tx: &mut Tx, at: Option<LonLat>, text: &str) -> Result<Option<AreaId>, Fault> {
    let map = current(app);
    if let Some(at) = at
        && let Some(found) = map.locate(at, nearest_metres(app))
    {
        return Ok(Some(found.area));
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    match store::address_area(tx, text)? {
        Some(area) => Ok(Some(area)),
        None => Ok(map.by_text(text)),
    }
}

/// A border as a GeoJSON geometry.
pub fn geojson(region: &domain::geo::Region) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(import::GeoJson::of(region)).map_err(Fault::internal)
}

/// Metres outside every area within which a point still belongs to the nearest one.
pub fn nearest_metres(app: &App) -> f64 {
    crate::policy::current(app).map_or(0.0, |pack| f64::from(pack.pack.thresholds.nearest_metres.value))
}

/// One address with its area.
#[derive(Debug, Clone)]
pub struct Address {
    pub text: String,
    pub area: AreaId,
    pub at: Option<LonLat>,
}

/// Adds addresses; one already known by the same text is moved.
pub async fn add_addresses(ctx: &Ctx, list: Vec<Address>) -> Result<usize, Fault> {
    let count = list.len();
    ctx.app
        .write(ctx, move |ctx, tx| {
            for one in &list {
                store::put_address(ctx, tx, one)?;
            }
            tx.record(
                ctx,
                Mark::new(
                    "territory.addresses",
                    Subject::Territory,
                    serde_json::json!({ "count": count }),
                ),
            )?;
            Ok(count)
        })
        .await
}

/// Says of areas that they are `urban` or `rural`; what lies below follows the nearest one above that says so.
pub async fn set_kinds(ctx: &Ctx, kinds: Vec<(AreaId, &'static str)>) -> Result<(), Fault> {
    ctx.app
        .write(ctx, move |ctx, tx| {
            let version = store::new_version(ctx, tx, "kinds")?;
            for (area, kind) in &kinds {
                store::set_kind(tx, *area, Some(kind))?;
            }
            let body = serde_json::json!({ "version": version, "kinds": kinds.len() });
            tx.record(ctx, Mark::new("territory.kinds", Subject::Territory, body))?;
            Ok(())
        })
        .await?;
    load(&ctx.app).await
}

/// Addresses of the table, at most [`ADDRESSES`].
pub async fn every_address(app: &App) -> Result<Vec<Address>, Fault> {
    let ctx = Ctx::system(app, "addresses");
    app.read(&ctx, |_, tx| store::every_address(tx, ADDRESSES)).await
}

/// Most addresses given at once.
pub const ADDRESSES: u32 = 1_000;
