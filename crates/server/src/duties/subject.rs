//! Subjects 对象: whom something is owed to, and to which of the rules' groups each belongs.

use crate::platform::*;
use crate::registry::{self, Home, OnRegister};
use crate::territory::{self, facilities};
use crate::{policy, workforce};
use domain::duties::{Rule, Who};
use domain::geo::LonLat;
use std::sync::Arc;

/// What a subject is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    Facility,
    Grid,
    Household,
    Resident,
}

impl SubjectKind {
    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            SubjectKind::Facility => "facility",
            SubjectKind::Grid => "grid",
            SubjectKind::Household => "household",
            SubjectKind::Resident => "resident",
        }
    }

    pub fn from_key(key: &str) -> Option<SubjectKind> {
        use SubjectKind::{Facility, Grid, Household, Resident};
        let all = [Facility, Grid, Household, Resident];
        all.into_iter().find(|one| one.key() == key)
    }
}

/// A subject as it is now.
#[derive(Debug, Clone)]
pub struct Known {
    pub kind: SubjectKind,
    pub id: DutySubjectId,
    pub name: String,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
    pub at: Option<LonLat>,
    /// What kind of facility; the care registers of a resident.
    sorts: Vec<String>,
}

impl Known {
    /// Whether those a rule is for include it.
    pub fn belongs(&self, who: &Who) -> bool {
        match (who, self.kind) {
            (Who::Facilities(of) | Who::Checkpoints(of), SubjectKind::Facility)
            | (Who::Register(of), SubjectKind::Resident) => self.sorts.contains(of),
            (Who::Grids, SubjectKind::Grid) | (Who::Households, SubjectKind::Household) => true,
            _ => false,
        }
    }

    /// The grid it lies in, or is.
    pub fn grid(&self, app: &App) -> Result<Option<DutySubjectId>, Fault> {
        let depth = grid_depth(app)?;
        let grid = depth
            .checked_sub(1)
            .and_then(|at| self.areas.get(at).copied().flatten());
        Ok(grid.map(|area| DutySubjectId(area.0)))
    }
}

/// How deep in the tree grids lie: the pack's lowest level.
pub fn grid_depth(app: &App) -> Result<usize, Fault> {
    Ok(policy::current(app)?.pack.levels.len())
}

/// The rules in force.
pub fn rules(app: &App) -> Result<Vec<Rule>, Fault> {
    let current = policy::current(app)?;
    Ok(current.pack.duty_rules.iter().map(|one| one.rule.clone()).collect())
}

/// What kind of subject a rule is for.
pub fn kind_of(who: &Who) -> SubjectKind {
    match who {
        Who::Facilities(_) | Who::Checkpoints(_) => SubjectKind::Facility,
        Who::Grids => SubjectKind::Grid,
        Who::Households => SubjectKind::Household,
        Who::Register(_) => SubjectKind::Resident,
    }
}

/// Names the group of subjects of a rule: rules with the same one share their stays.
pub fn group(who: &Who) -> String {
    match who.of() {
        Some(of) => format!("{}:{of}", who.key()),
        None => who.key().to_owned(),
    }
}

fn of_facility(one: facilities::Facility) -> Known {
    Known {
        kind: SubjectKind::Facility,
        id: DutySubjectId(one.id.0),
        name: one.name,
        area: one.area,
        areas: one.areas,
        at: Some(one.at),
        sorts: vec![one.kind],
    }
}

fn of_area(map: &territory::Map, area: &territory::Area) -> Known {
    Known {
        kind: SubjectKind::Grid,
        id: DutySubjectId(area.id.0),
        name: map.full_name(area.id),
        area: area.id,
        areas: area.chain,
        at: area.center,
        sorts: Vec::new(),
    }
}

/// Without its address: that is personal, and only told with a list.
fn of_home(home: Home) -> Known {
    Known {
        kind: SubjectKind::Household,
        id: DutySubjectId(home.id.0),
        name: String::new(),
        area: home.area,
        areas: home.areas,
        at: None,
        sorts: Vec::new(),
    }
}

fn of_person(one: OnRegister, registers: Vec<String>) -> Known {
    Known {
        kind: SubjectKind::Resident,
        id: DutySubjectId(one.id.0),
        sorts: registers,
        ..of_home(one.home)
    }
}

fn everybody() -> facilities::Viewer {
    facilities::Viewer::Staff(Scope::everything())
}

/// A subject that exists now. Whoever asks for somebody looks at the scope.
pub fn find(ctx: &Ctx, tx: &mut Tx, kind: SubjectKind, id: DutySubjectId) -> Result<Option<Known>, Fault> {
    match kind {
        SubjectKind::Facility => Ok(facilities::one(tx, &everybody(), FacilityId(id.0))?.map(of_facility)),
        SubjectKind::Grid => {
            let (map, depth) = (territory::current(&ctx.app), grid_depth(&ctx.app)?);
            let area = map.area(AreaId(id.0)).filter(|area| usize::from(area.depth) == depth);
            Ok(area.map(|area| of_area(&map, area)))
        }
        SubjectKind::Household => Ok(registry::home(tx, HouseholdId(id.0))?.map(of_home)),
        SubjectKind::Resident => {
            let found = registry::on_registers(tx, ResidentId(id.0))?;
            Ok(found.map(|(one, registers)| of_person(one, registers)))
        }
    }
}

/// Subjects of a group in order of id, after one; fewer than `limit` at the end.
pub fn page(ctx: &Ctx, tx: &mut Tx, who: &Who, after: Option<DutySubjectId>, limit: u32) -> Result<Vec<Known>, Fault> {
    match who {
        Who::Facilities(of) | Who::Checkpoints(of) => {
            let ask = facilities::Ask {
                kind: Some(of.clone()),
                after: after.map(|id| FacilityId(id.0)),
                limit,
                ..facilities::Ask::default()
            };
            let mut rows = facilities::page(tx, &everybody(), &ask)?;
            rows.truncate(limit as usize);
            Ok(rows.into_iter().map(of_facility).collect())
        }
        Who::Grids => {
            let (map, depth): (Arc<territory::Map>, usize) = (territory::current(&ctx.app), grid_depth(&ctx.app)?);
            let grids = map.areas().iter().filter(|area| usize::from(area.depth) == depth);
            let mut grids: Vec<&territory::Area> = grids
                .filter(|area| after.is_none_or(|after| area.id.0 > after.0))
                .collect();
            grids.sort_unstable_by_key(|area| area.id);
            Ok(grids
                .into_iter()
                .take(limit as usize)
                .map(|area| of_area(&map, area))
                .collect())
        }
        Who::Households => {
            let homes = registry::homes_after(tx, after.map(|id| HouseholdId(id.0)), limit)?;
            Ok(homes.into_iter().map(of_home).collect())
        }
        Who::Register(of) => {
            let people = registry::on_register_after(tx, of, after.map(|id| ResidentId(id.0)), limit)?;
            Ok(people.into_iter().map(|one| of_person(one, vec![of.clone()])).collect())
        }
    }
}

/// Names of some subjects, and where they are, for lists. Addresses of homes are personal: telling them is logged.
pub fn named(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: &[(SubjectKind, DutySubjectId)],
) -> Result<std::collections::HashMap<DutySubjectId, Known>, Fault> {
    let map = territory::current(&ctx.app);
    let wanted: Vec<FacilityId> = ids
        .iter()
        .filter(|(kind, _)| *kind == SubjectKind::Facility)
        .map(|(_, id)| FacilityId(id.0))
        .collect();
    let facilities = facilities::several(tx, &everybody(), &wanted)?
        .into_iter()
        .map(of_facility);
    let grids = ids.iter().filter(|(kind, _)| *kind == SubjectKind::Grid);
    let grids = grids.filter_map(|(_, id)| map.ever(AreaId(id.0)).map(|area| of_area(&map, area)));
    let wanted = ids.iter().filter(|(kind, _)| *kind == SubjectKind::Household);
    let wanted: Vec<HouseholdId> = wanted.map(|(_, id)| HouseholdId(id.0)).collect();
    let homes = registry::addresses(ctx, tx, &wanted)?.into_iter().map(|one| Known {
        name: one.address,
        at: one.at,
        ..of_home(one.home)
    });
    let wanted = ids.iter().filter(|(kind, _)| *kind == SubjectKind::Resident);
    let wanted: Vec<ResidentId> = wanted.map(|(_, id)| ResidentId(id.0)).collect();
    let people = registry::addresses_of(ctx, tx, &wanted)?;
    let people = people.into_iter().map(|(id, one)| Known {
        name: one.address,
        at: one.at,
        ..of_person(OnRegister { id, home: one.home }, Vec::new())
    });
    Ok(facilities
        .chain(grids)
        .chain(homes)
        .chain(people)
        .map(|one| (one.id, one))
        .collect())
}

/// Duties of the posts that somebody holds or stands in for, at or around an area.
pub fn duties_at(
    ctx: &Ctx,
    tx: &mut Tx,
    worker: WorkerId,
    area: AreaId,
    at: domain::time::Timestamp,
) -> Result<Vec<String>, Fault> {
    workforce::duties_around(&ctx.app, tx, worker, area, at)
}
