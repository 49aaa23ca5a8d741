//! Territory 区域: areas, boundaries, addresses, and from a point or a text to the area it belongs to.
//!
//! Entry points: [`current`] (the whole tree in memory, swapped on each change), [`import_areas`], [`import_boundaries`],
//! [`find`] (point or text to area). Positions are WGS-84 inside; the datum is declared and converted at the edge, once.
//! Must not know units or workers: those are above.

mod http;
mod import;
mod map;
mod store;

pub use http::{Anyone, AreaBrief, AreaView, area_view, brief, position, routes};
pub use import::{ImportReport, RowProblem, import_areas, import_boundaries, read_csv};
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
