//! What a phone takes along: the grids its worker serves now, with their outline, what stands there, who lives there and what was said at the last
//! visit. What is no longer theirs is not in the answer, and goes from the phone.
//!
//! Entry points: [`read`], then [`tell`]. A grid comes in parts, each with a digest of all it says; a part the phone has already is not told again.

use crate::cases::CaseMark;
use crate::duties::{self, LastVisit};
use crate::platform::*;
use crate::registry::{self, PackedHome};
use crate::territory::facilities::{self, Ask, Facility, Viewer};
use crate::territory::{self, Area, GeoJson, Map};
use crate::{policy, workforce};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;

/// Grids of one phone.
pub const MOST_GRIDS: usize = 8;
/// Parts of a grid: a change in one household sends a sixteenth of it.
const PARTS: usize = 16;
/// Facilities of a grid.
const MOST_FACILITIES: u32 = 500;
/// Characters told of what was said at the last visit.
const MOST_TALK: usize = 300;

/// What a phone has of a grid.
#[derive(Debug, Clone)]
pub struct KnownGrid {
    pub area: AreaId,
    pub ground: String,
    pub parts: Vec<String>,
}

/// A grid of the worker's.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundleGrid {
    pub area_id: AreaId,
    pub name: String,
    pub ground_digest: String,
    /// Left out where the phone has it as it is.
    pub ground: Option<Ground>,
    /// Its households; none where the worker may not read them.
    pub parts: Vec<BundlePart>,
    /// There are more households than a phone takes along.
    pub more: bool,
}

/// A part of a grid's households.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundlePart {
    pub digest: String,
    /// Left out where the phone has them as they are.
    pub homes: Option<Vec<BundleHome>>,
}

/// A household, and what is known of the last visit there.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundleHome {
    #[serde(flatten)]
    pub home: PackedHome,
    pub last: Option<LastVisitView>,
}

/// The last visit to a home or somebody in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastVisitView {
    pub at: String,
    /// As visits are recorded.
    pub outcome: String,
    /// What was said, its beginning.
    pub talk: Option<String>,
    /// What they asked for then, and what is still open of what they asked for before.
    pub matters: Vec<CaseMark>,
}

/// The grid on the ground.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ground {
    /// GeoJSON, WGS-84.
    #[schema(value_type = Option<Object>)]
    pub outline: Option<GeoJson>,
    pub facilities: Vec<PackedFacility>,
}

/// What stands there.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackedFacility {
    pub id: FacilityId,
    pub name: String,
    pub kind: String,
    /// A kind the pack names as a hazard.
    pub hazard: bool,
    pub lon: f64,
    pub lat: f64,
    pub address: String,
    pub hours: String,
    pub phone: String,
}

/// The grids of the caller, as far as the phone does not have them. Nothing of it is to leave before [`tell`].
pub fn read(ctx: &Ctx, tx: &mut Tx, known: &[KnownGrid]) -> Result<Vec<BundleGrid>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let map = territory::current(&ctx.app);
    let mine = workforce::grids_of(&ctx.app, tx, ctx.worker()?, ctx.now)?;
    let mine = mine.into_iter().filter_map(|id| map.area(id));
    let mine = mine.filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead));
    mine.take(MOST_GRIDS)
        .map(|area| grid(ctx, tx, &map, area, known.iter().find(|one| one.area == area.id)))
        .collect()
}

/// The same, each look logged.
pub fn tell(ctx: &Ctx, tx: &mut Tx, grids: Vec<BundleGrid>) -> Result<Vec<BundleGrid>, Fault> {
    let homes = grids
        .iter()
        .flat_map(|grid| &grid.parts)
        .filter_map(|part| part.homes.as_ref());
    let talk = |one: &BundleHome| {
        one.last
            .as_ref()
            .is_some_and(|last| last.talk.is_some())
            .then_some("talk")
    };
    registry::packed_told(ctx, tx, homes.flatten().map(|one| (&one.home, talk(one))))?;
    Ok(grids)
}

fn grid(ctx: &Ctx, tx: &mut Tx, map: &Map, area: &Area, known: Option<&KnownGrid>) -> Result<BundleGrid, Fault> {
    let ground = ground(ctx, tx, map, area)?;
    let ground_digest = digest_of(&ground)?;
    let same = known.is_some_and(|known| known.ground == ground_digest);
    let packed = registry::packed(ctx, tx, area)?;
    let mut visits = duties::last_visits(ctx, tx, area)?;
    let mut parts: Vec<Vec<BundleHome>> = (0..PARTS).map(|_| Vec::new()).collect();
    for home in packed.homes {
        let last = last_of(&home, &mut visits);
        parts[usize::from(home.id.0.as_bytes()[15]) % PARTS].push(BundleHome { home, last });
    }
    let parts = parts.into_iter().enumerate();
    let parts = parts.map(|(at, homes)| part(homes, known.and_then(|known| known.parts.get(at))));
    Ok(BundleGrid {
        area_id: area.id,
        name: map.full_name(area.id),
        ground_digest,
        ground: (!same).then_some(ground),
        parts: parts.collect::<Result<_, _>>()?,
        more: packed.more,
    })
}

fn part(homes: Vec<BundleHome>, known: Option<&String>) -> Result<BundlePart, Fault> {
    let digest = digest_of(&homes)?;
    let same = known == Some(&digest);
    Ok(BundlePart {
        digest,
        homes: (!same).then_some(homes),
    })
}

/// Of all that is said of something: another where anything of it is another.
fn digest_of(what: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_vec(what).map_err(Fault::internal)?;
    Ok(hex::encode(&Sha256::digest(text)[..8]))
}

/// The newest visit to the household or anybody in it.
fn last_of(home: &PackedHome, visits: &mut HashMap<DutySubjectId, LastVisit>) -> Option<LastVisitView> {
    let people = home.residents.iter().map(|one| DutySubjectId(one.id.0));
    let all = std::iter::once(DutySubjectId(home.id.0)).chain(people);
    let mut found: Vec<LastVisit> = all.filter_map(|subject| visits.remove(&subject)).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.at));
    let matters = found.iter().flat_map(|one| one.matters.clone()).collect();
    let last = found.into_iter().next()?;
    Some(LastVisitView {
        at: last.at.to_string(),
        outcome: last.outcome,
        talk: last.talk.map(|talk| talk.reveal().chars().take(MOST_TALK).collect()),
        matters,
    })
}

fn ground(ctx: &Ctx, tx: &mut Tx, map: &Map, area: &Area) -> Result<Ground, Fault> {
    let current = policy::current(&ctx.app)?;
    let hazards: HashSet<&str> = current.pack.hazards.iter().map(|one| one.name.zh.as_str()).collect();
    let ask = Ask {
        area: Some((area.depth, area.id)),
        limit: MOST_FACILITIES,
        ..Ask::default()
    };
    let mut found = facilities::page(tx, &Viewer::Staff(ctx.scope.clone()), &ask)?;
    found.truncate(MOST_FACILITIES as usize);
    Ok(Ground {
        outline: map.region(area.id).map(GeoJson::of),
        facilities: found.into_iter().map(|one| facility(one, &hazards)).collect(),
    })
}

fn facility(one: Facility, hazards: &HashSet<&str>) -> PackedFacility {
    PackedFacility {
        id: one.id,
        name: one.name,
        hazard: hazards.contains(one.kind.as_str()),
        kind: one.kind,
        lon: one.at.lon,
        lat: one.at.lat,
        address: one.address,
        hours: one.hours,
        phone: one.phone,
    }
}
