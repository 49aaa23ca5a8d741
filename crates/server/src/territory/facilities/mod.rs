//! Facilities 设施: what stands in the place, with its position, its area, and who may see it.
//!
//! Entry points: [`import`] (a file read, put in place of what is there under the same code), [`remove`], [`page`], [`changed_since`] for whoever
//! keeps a copy. Who sees one is decided in one place: [`Viewer`], as SQL and as a plain predicate.

mod http;
mod import;
mod store;

pub use http::routes;
pub use import::{FacilityReport, NewFacility, import, read_csv, read_map};

use crate::platform::*;
use db::Sql;
use domain::geo::{LonLat, Region};
use serde_json::json;

/// Who may see a facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Public,
    /// Partners with a key for its area, and staff in scope.
    Partner,
    /// Staff in scope.
    Staff,
}

impl Audience {
    /// Stable key.
    pub fn key(self) -> &'static str {
        match self {
            Audience::Public => "public",
            Audience::Partner => "partner",
            Audience::Staff => "staff",
        }
    }

    /// From its key.
    pub fn from_key(key: &str) -> Option<Audience> {
        [Audience::Public, Audience::Partner, Audience::Staff]
            .into_iter()
            .find(|one| one.key() == key)
    }
}

/// A facility as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    pub id: FacilityId,
    pub code: String,
    pub name: String,
    /// What it is, in the words of its source.
    pub kind: String,
    pub area: AreaId,
    /// The areas it lies in, from the top.
    pub areas: [Option<AreaId>; 5],
    pub at: LonLat,
    pub outline: Option<Region>,
    pub address: String,
    pub hours: String,
    pub phone: String,
    pub audience: Audience,
    /// Number of the change that made it what it is.
    pub change: i64,
    pub removed: bool,
}

/// Who looks.
#[derive(Debug, Clone)]
pub enum Viewer {
    Anybody,
    /// Another system with a key: depth and top of its subtree; none for the whole place.
    Partner(Option<(u8, AreaId)>),
    /// Staff, with what they may see.
    Staff(Scope),
}

/// With one of these, staff see what stands in their areas: who works there, and who keeps the list.
const SEES: [Permission; 2] = [Permission::CaseRead, Permission::TerritoryManage];

impl Viewer {
    /// Whether this viewer sees a facility in these areas: the reference rule.
    pub fn sees(&self, areas: &[Option<AreaId>; 5], audience: Audience) -> bool {
        match self {
            _ if audience == Audience::Public => true,
            Viewer::Anybody => false,
            Viewer::Partner(reach) => {
                let within = |(depth, top): (u8, AreaId)| {
                    areas.get(usize::from(depth).wrapping_sub(1)).copied().flatten() == Some(top)
                };
                audience == Audience::Partner && reach.is_none_or(within)
            }
            Viewer::Staff(scope) => SEES.iter().any(|permission| scope.covers(areas, *permission)),
        }
    }

    /// The subtrees in which this viewer sees what is for `audience`; a reach of none is the whole place.
    pub fn reaches(&self, audience: Audience) -> Vec<Option<AreaId>> {
        match self {
            _ if audience == Audience::Public => vec![None],
            Viewer::Partner(reach) if audience == Audience::Partner => vec![reach.map(|(_, top)| top)],
            Viewer::Anybody | Viewer::Partner(_) => Vec::new(),
            Viewer::Staff(scope) => {
                let places = SEES.iter().flat_map(|permission| scope.with(*permission));
                places
                    .filter(|grant| grant.unit.is_none())
                    .map(|grant| grant.area)
                    .collect()
            }
        }
    }

    /// Adds `( .. )`, true for exactly the rows of `facility f` that [`Viewer::sees`].
    fn predicate(&self, sql: Sql) -> Sql {
        let sql = sql.push("(f.audience = 'public'");
        let sql = match self {
            Viewer::Anybody => sql,
            Viewer::Partner(None) => sql.push(" or f.audience = 'partner'"),
            Viewer::Partner(Some((depth, top))) => {
                const COLUMNS: [&str; 5] = ["f.a1 = ", "f.a2 = ", "f.a3 = ", "f.a4 = ", "f.a5 = "];
                match COLUMNS.get(usize::from(*depth).wrapping_sub(1)) {
                    Some(column) => sql
                        .push(" or (f.audience = 'partner' and ")
                        .push(column)
                        .bind(*top)
                        .push(")"),
                    None => sql,
                }
            }
            Viewer::Staff(scope) => SEES.iter().fold(sql, |sql, permission| {
                scope.area_predicate(sql.push(" or "), *permission, "f")
            }),
        };
        sql.push(")")
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Boxes (west, south, east, north), of which its position or a part of its outline's box lies in one; empty: everywhere.
    pub boxes: Vec<[f64; 4]>,
    pub kind: Option<String>,
    /// Depth (1 to 5) and area whose subtree is meant.
    pub area: Option<(u8, AreaId)>,
    pub code: Option<String>,
    /// Only those whose id comes after this one.
    pub after: Option<FacilityId>,
    pub limit: u32,
}

/// Facilities in order of id, one more than `limit` when there are more.
pub fn page(tx: &mut Tx, viewer: &Viewer, ask: &Ask) -> Result<Vec<Facility>, Fault> {
    store::page(tx, viewer, ask)
}

/// How many there are, whatever `after` and `limit` say.
pub fn count(tx: &mut Tx, viewer: &Viewer, ask: &Ask) -> Result<i64, Fault> {
    store::count(tx, viewer, ask)
}

/// One; what the viewer may not see is absent.
pub fn one(tx: &mut Tx, viewer: &Viewer, id: FacilityId) -> Result<Option<Facility>, Fault> {
    store::one(tx, viewer, id)
}

/// Some of them; what the viewer may not see is absent.
pub fn several(tx: &mut Tx, viewer: &Viewer, ids: &[FacilityId]) -> Result<Vec<Facility>, Fault> {
    store::several(tx, viewer, ids)
}

/// The number of the last change.
pub fn last_change(tx: &mut Tx) -> Result<i64, Fault> {
    store::last_change(tx)
}

/// What was changed after a change, removed ones too, in order of change and id; at most `limit`, after `at` of the same order.
pub fn changed_since(tx: &mut Tx, at: (i64, String), limit: u32) -> Result<Vec<Facility>, Fault> {
    store::changed_since(tx, at, limit)
}

/// Takes a facility of the caller's areas away; removing it again changes nothing.
pub fn remove(ctx: &Ctx, tx: &mut Tx, id: FacilityId) -> Result<(), Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let all = Viewer::Staff(Scope::everything());
    let found = store::one(tx, &all, id)?.filter(|one| ctx.scope.covers(&one.areas, Permission::TerritoryManage));
    let found = found.ok_or_else(Fault::not_found)?;
    let change = store::next_change(tx)?;
    store::remove(ctx, tx, found.id, change)?;
    let body = json!({ "facility": found.id.to_string(), "change": change });
    tx.record(ctx, Mark::new("facility.removed", Subject::Territory, body))?;
    Ok(())
}

/// Facilities lie in other areas (by id, with the chain of each), because the areas were divided anew; whoever does so leaves the mark.
pub fn relocate(tx: &mut Tx, moves: &[(String, AreaId, [Option<AreaId>; 5])]) -> Result<(), Fault> {
    if moves.is_empty() {
        return Ok(());
    }
    let change = store::next_change(tx)?;
    for (id, area, chain) in moves {
        store::relocate(tx, id, *area, chain, change)?;
    }
    Ok(())
}
