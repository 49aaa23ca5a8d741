//! The visits of a pairing 结对: made by the paired worker, at the person's or at their home, from its first day to its last.
//!
//! Entry points: [`mine`] (whom the caller is paired with, with the visits so far) and [`visits`] (those of one pairing). Pairings are the
//! registry's; here is what was done.

use super::store;
use crate::platform::*;
use crate::registry::{self, Address, Masked, Pairing};
use domain::duties::Outcome;
use domain::time::Timestamp;
use jiff::civil::Date;

/// Visits of one pairing shown at most, the newest.
const MOST: u32 = 200;

/// Somebody the caller is paired with.
pub struct Pair {
    pub pairing: Pairing,
    pub resident: Masked,
    pub home: Address,
    /// Visits at which the worker met them, and the day of the last.
    pub met: i64,
    pub last: Option<Timestamp>,
}

/// A visit of a pairing.
#[derive(Debug, Clone)]
pub struct PairVisit {
    pub id: VisitId,
    pub at: Timestamp,
    pub minutes: i64,
    pub outcome: Outcome,
}

/// A person or home visited in a pairing, and the days on which it counts (days since 1970, both included).
pub struct Place {
    pub subject: DutySubjectId,
    pub days: (i64, i64),
}

/// The person under every record of theirs, and their home while they live there, from the first day of the pairing to its last.
fn places(tx: &mut Tx, pairing: &Pairing) -> Result<Vec<Place>, Fault> {
    let day = |date: Date| Timestamp::start_of(date).day_and_ms().0;
    let (first, last) = (day(pairing.from), pairing.ended.map_or(i64::MAX, day));
    let found = registry::whereabouts(tx, pairing)?;
    let people = found.people.into_iter().map(|who| Place {
        subject: DutySubjectId(who.0),
        days: (first, last),
    });
    let homes = found.homes.into_iter().map(|(home, from, to)| Place {
        subject: DutySubjectId(home.0),
        days: (first.max(day(from)), last.min(to.map_or(i64::MAX, day))),
    });
    Ok(people.chain(homes).collect())
}

/// Whom the caller is paired with. Each look is logged.
pub fn mine(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Pair>, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let mut found = Vec::new();
    for (pairing, resident, home) in registry::my_pairs(ctx, tx)? {
        let places = places(tx, &pairing)?;
        let (met, last) = store::met_in_pairing(tx, &places, pairing.worker)?;
        found.push(Pair {
            pairing,
            resident,
            home,
            met,
            last,
        });
    }
    Ok(found)
}

/// The visits of a pairing that is the caller's, or of somebody in the caller's area, the newest first; what was said is told visit by visit.
pub fn visits(ctx: &Ctx, tx: &mut Tx, id: PairingId) -> Result<Vec<PairVisit>, Fault> {
    let pairing = registry::pairing(ctx, tx, id)?;
    crate::access::log_read(ctx, tx, Subject::Resident(pairing.resident), &["pairings"])?;
    let places = places(tx, &pairing)?;
    store::visits_in_pairing(tx, &places, pairing.worker, MOST)
}
