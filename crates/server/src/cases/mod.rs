//! Cases 事件: the loop from report to closing, for every channel.
//!
//! Entry points: [`intake::open`] (a report becomes a case), [`actions::act`] (everything staff do with it), [`portal`] (what its reporter sees
//! and does), [`public`] and [`outcomes`] (what anybody may see), [`queue`] (lists, counts, the map), [`cube`] (the counters the board reads), [`follow`] (cases go along when the place is divided anew), [`timers::register`] (warnings, escalations, nightly
//! learning). The rules themselves are in `domain::cases`; here they are loaded, saved, marked, told. Must not: decide what a pack decides.

pub mod actions;
mod alerts;
mod areas;
mod classify;
mod clocks;
mod cluster;
pub mod cube;
mod duplicates;
pub mod follow;
pub mod handover;
mod http;
pub mod intake;
mod mediation;
mod messages;
mod migration;
pub mod orders;
pub mod outcomes;
pub mod past;
mod place;
pub mod portal;
pub mod public;
pub mod queue;
mod record;
mod routing;
pub mod search;
mod store;
mod suggest;
pub mod timers;
mod view;
mod words;
mod work;

pub use alerts::notify;
pub use cube::public_cells;
pub use http::{posted, posted_action};
pub use store::{all_cells, cells_of, multiply};
pub use suggest::warn;
pub use view::{CaseBrief, CaseDetail, CaseMark, marks};

use crate::platform::{CaseId, Ctx, Fault, Tx};

/// The counters a recount of the table `cases` gives for an area, in the order of [`all_cells`]: what the kept ones must equal.
pub fn recount(tx: &mut Tx, area: crate::platform::AreaId) -> Result<Vec<(String, String, String, i64, i64)>, Fault> {
    let mut cells = std::collections::BTreeMap::new();
    for row in store::all_under(tx, area)? {
        let counted = cube::Facts::of(&row).counted().into_iter();
        for (_, (measure, dim, key, day)) in counted.filter(|(of, _)| *of == area) {
            *cells
                .entry((measure.to_owned(), dim.to_owned(), key, day))
                .or_insert(0i64) += 1;
        }
    }
    Ok(cells
        .into_iter()
        .map(|((measure, dim, key, day), n)| (measure, dim, key, day, n))
        .collect())
}

/// All routes of this part, below `/api/v1`.
pub fn routes() -> utoipa_axum::router::OpenApiRouter<crate::platform::App> {
    http::routes()
        .merge(areas::routes())
        .merge(mediation::routes())
        .merge(orders::routes())
        .merge(migration::routes())
}

/// The case page, for other parts and tests; the scope has been checked by the caller.
pub fn detail(ctx: &Ctx, tx: &mut Tx, id: CaseId) -> Result<CaseDetail, Fault> {
    let loaded = store::load(tx, id)?.ok_or_else(Fault::not_found)?;
    view::detail(ctx, tx, &loaded)
}

/// Opens one sealed field, to see that the key fits; says nothing of what is in it. False where nothing is sealed yet.
pub fn a_sealed_field_opens(ctx: &Ctx, tx: &mut Tx) -> Result<bool, Fault> {
    let Some(reporter) = store::newest_reporter(tx)? else {
        return Ok(false);
    };
    let opened = [
        view::personal(ctx, tx, reporter, "name_sealed")?,
        view::personal(ctx, tx, reporter, "phone_sealed")?,
    ];
    Ok(opened.iter().any(Option::is_some))
}

/// Makes the jobs of this part known, and who may see a photo; once at the start.
pub fn register(app: &crate::platform::App) {
    timers::register(app);
    search::register(app);
    mediation::register(app);
    migration::register(app);
    crate::platform::blobs::set_guard(app, may_see_photo);
}

/// A photo is seen by whoever may see the case it belongs to.
fn may_see_photo(ctx: &Ctx, tx: &mut Tx, case: CaseId, hash: &str) -> Result<bool, Fault> {
    let Some(row) = store::case_row(tx, case)? else {
        return Ok(false);
    };
    if !view::may_read(ctx, tx, &row)? && !orders::gave(ctx, tx, case)? {
        return Ok(false);
    }
    Ok(store::attachments(tx, case)?.iter().any(|a| a.hash == hash))
}
