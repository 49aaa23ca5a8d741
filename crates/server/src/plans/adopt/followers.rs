//! What follows a household when its grid changes: one list. Each kind finds what is touched, moves it, and moves it back.
//!
//! Entry points: [`FOLLOWERS`], [`Item`], [`Moved`]. A new kind of thing that belongs to a grid (a pairing) is one more entry.
//! Must not: decide which dwelling lies in which grid; that is `ground`.

mod cases;
mod duties;
mod homes;
mod people;

pub use people::units_of_grids;

use super::ground::{Ground, Place};
use crate::plans::store::adopt::{self as store, ItemRow};
use crate::platform::{AdoptionId, AreaId, Ctx, Fault, LedgerRef, Tx};
use crate::territory::Map;
use jiff::civil::Date;
use serde_json::Value;
use std::collections::HashMap;

/// One thing that is touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id; of one kind each once.
    pub id: String,
    pub from: Option<AreaId>,
    /// Index in [`Ground::places`]; none: it goes nowhere (a post that is no more).
    pub to: Option<usize>,
    /// What it is called.
    pub label: String,
    /// What moving it back needs besides.
    pub detail: Value,
}

/// What finding needs: the ground, and the territory as it is.
pub struct Finding<'f> {
    pub ctx: &'f Ctx,
    pub ground: &'f Ground,
    pub map: &'f Map,
    pub day: Date,
    /// Of the way back: the adoption taken back.
    pub undoing: Option<AdoptionId>,
}

/// What moving needs: the places with their areas, the day, the mark of the whole.
pub struct Moving<'m> {
    pub ctx: &'m Ctx,
    pub places: &'m [Place],
    /// The territory as it is from the day on.
    pub map: &'m Map,
    pub day: Date,
    pub version: i64,
    pub adoption: AdoptionId,
    pub undoing: bool,
    pub ledger: LedgerRef,
}

impl Moving<'_> {
    fn area(&self, to: Option<usize>) -> Option<AreaId> {
        to.and_then(|at| self.places.get(at)?.area)
    }
}

/// One kind of thing that follows.
pub struct Follower {
    /// Its key: `household`, `case`, `post` ...
    pub kind: &'static str,
    pub find: fn(&Finding<'_>, &mut Tx) -> Result<Vec<Item>, Fault>,
    /// Moves what was found; may write into the items' details what moving back needs.
    pub carry: fn(&Moving<'_>, &mut Tx, &mut [Item]) -> Result<(), Fault>,
}

/// What follows, in the order in which it is moved: cases before posts, so that who had a case as the grid's own is still known.
pub const FOLLOWERS: [Follower; 12] = [
    Follower {
        kind: "household",
        find: homes::households,
        carry: homes::move_households,
    },
    Follower {
        kind: "home",
        find: homes::loose,
        carry: homes::move_loose,
    },
    Follower {
        kind: "address",
        find: homes::addresses,
        carry: homes::move_addresses,
    },
    Follower {
        kind: "facility",
        find: homes::facilities,
        carry: homes::move_facilities,
    },
    Follower {
        kind: "obligation",
        find: duties::obligations,
        carry: told_only,
    },
    Follower {
        kind: "unit",
        find: people::units,
        carry: people::move_units,
    },
    Follower {
        kind: "post",
        find: people::posts,
        carry: people::move_posts,
    },
    Follower {
        kind: "worker",
        find: people::workers,
        carry: told_only,
    },
    Follower {
        kind: "team",
        find: people::teams,
        carry: people::move_teams,
    },
    Follower {
        kind: "account",
        find: people::accounts,
        carry: people::move_accounts,
    },
    Follower {
        kind: "device",
        find: people::devices,
        carry: told_only,
    },
    Follower {
        kind: "case",
        find: cases::find,
        carry: cases::carry,
    },
];

/// Those that only hear of it: what is theirs moved already, or follows by itself.
fn told_only(_: &Moving<'_>, _: &mut Tx, _: &mut [Item]) -> Result<(), Fault> {
    Ok(())
}

/// An id out of its text.
fn id_of<T: std::str::FromStr>(item: &Item) -> Result<T, Fault> {
    item.id
        .parse()
        .map_err(|_| Fault::internal(format!("an item without its id: {}", item.id)))
}

/// Of the way back, where each thing of a kind came from. Of an adoption: nothing.
struct Was(HashMap<String, ItemRow>);

impl Was {
    fn read(finding: &Finding<'_>, tx: &mut Tx, kind: &str) -> Result<Was, Fault> {
        let items = match finding.undoing {
            Some(adoption) => store::items(tx, adoption, kind)?,
            None => Vec::new(),
        };
        Ok(Was(items.into_iter().map(|item| (item.id.clone(), item)).collect()))
    }

    /// A text the adoption wrote beside a thing.
    fn noted(&self, id: &str, key: &str) -> Option<String> {
        self.0.get(id)?.detail[key].as_str().map(str::to_owned)
    }

    /// Where something that lies in an area now goes: back to where it came from, if it still lies where the adoption put it; else with the
    /// ground.
    fn goes(&self, finding: &Finding<'_>, id: &str, area: AreaId, at: Option<(f64, f64)>) -> Option<usize> {
        let back = self.0.get(id).filter(|item| item.to == Some(area));
        let back = back.and_then(|item| place_of(finding.ground, item.from?));
        back.or_else(|| finding.ground.goes(area, at))
    }
}

/// The place of an area, among those things can go to.
fn place_of(ground: &Ground, area: AreaId) -> Option<usize> {
    ground.places.iter().position(|place| place.area == Some(area))
}
