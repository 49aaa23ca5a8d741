//! Duties 履职: what is owed to households, places and grids without anybody asking, what was done, and the counts of it.
//!
//! Entry points: [`record`] (a visit, check or patrol, which settles what it fulfils in the same transaction), [`today`] (what a worker is
//! to do), [`unowned`] (what falls to nobody), [`last_visits`] (for whoever calls next), [`counted`] (the counts of areas), [`roll_now`]. What the rules mean is in `domain::duties`; `settle` is the only writer of
//! obligations and their counts, `roll` goes through all subjects every night. Must not: judge evidence (a made-up position is kept, not
//! refused), or count by walking obligations in a request.

mod counts;
mod http;
mod last;
mod list;
pub mod moves;
mod pairs;
mod patrols;
mod roll;
mod settle;
mod store;
mod subject;
mod unowned;
mod visits;

pub use counts::Counted;
pub use http::{posted, routes};
pub use last::{LastVisit, last_visits};
pub use list::{Due, areas_served, counted, today};
pub use roll::{many_came, roll_now};
pub use subject::{Known, SubjectKind, find, named, page as subjects_after};
pub use unowned::{Unowned, unowned};
pub use visits::{Found, MAX_LATE_DAYS, NewVisit, Position, Recorded, VisitRow, found, of_subject, own, record};

use crate::platform::{App, Ctx, DutySubjectId, Fault, Tx, news};
use crate::policy::PackChanged;
use crate::registry::HomesChanged;

/// Makes the jobs of this part known; once at the start.
pub fn register(app: &App) {
    roll::register(app);
    news::follow(app, homes_changed);
    news::follow(app, |ctx, tx, _: &PackChanged| roll::renew(ctx, tx));
}

/// A household or somebody on a care register that came, went or moved: what they are owed is worked out with the change.
fn homes_changed(ctx: &Ctx, tx: &mut Tx, news: &HomesChanged) -> Result<(), Fault> {
    news.households
        .iter()
        .try_for_each(|id| roll::changed(ctx, tx, SubjectKind::Household, DutySubjectId(id.0)))?;
    news.residents
        .iter()
        .try_for_each(|id| roll::changed(ctx, tx, SubjectKind::Resident, DutySubjectId(id.0)))
}
