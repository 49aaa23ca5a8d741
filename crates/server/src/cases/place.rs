//! What the loop asks of the place: the pack in force, where a point lies, whose unit that is, who is on duty there.
//!
//! The one file through which cases uses policy, territory and workforce. Must not: decide anything about a case.

use super::clocks::{ClockRow, WARN};
use super::record::{CaseRow, LineRow};
use crate::platform::*;
use crate::{policy, territory, workforce};
use domain::calendar::Duty;
use domain::cases as rules;
use domain::geo::{Datum, LonLat};
use domain::policy::{Answerer, Verifier};
use domain::workforce::{Ask, OnDuty};
use std::collections::HashMap;
use std::sync::Arc;

/// The rules in force at one moment.
#[derive(Clone)]
pub struct Rules {
    current: Arc<policy::Current>,
    /// What is written beside a case: the pack's version and number.
    pub version: String,
}

impl std::ops::Deref for Rules {
    type Target = policy::Current;
    fn deref(&self) -> &policy::Current {
        &self.current
    }
}

/// The pack in force.
pub fn rules(ctx: &Ctx) -> Result<Rules, Fault> {
    let current = policy::current(&ctx.app)?;
    Ok(Rules {
        version: current.label(),
        current,
    })
}

impl Rules {
    /// When warnings and escalations reach somebody.
    pub fn duty_time(&self) -> Duty<'_> {
        self.current.duty(self.pack.calendar.duty_shift.as_deref())
    }

    /// Share of the limit used when the holder is warned, in percent.
    pub fn warn_percent(&self, clock: &ClockRow) -> u8 {
        const USUAL: u8 = 80;
        let id = match clock.log.events().first() {
            Some(domain::cases::clock::Event::Started { rule, .. }) => rule.id.as_str(),
            _ => WARN,
        };
        self.pack
            .clocks
            .iter()
            .find(|rule| rule.id == id)
            .map_or(USUAL, |rule| rule.warn_percent)
    }

    /// The loop's rules for a case: those of its category, but what a visiting team heard its liaison answers (LH-22).
    pub fn of_case(&self, row: &CaseRow) -> rules::Rules {
        let own = self.of_category(row.category_code.as_deref().unwrap_or_default());
        match row.team_id {
            Some(_) => rules::Rules {
                answer_by: rules::AnswerBy::Liaison,
                ..own
            },
            None => own,
        }
    }

    /// The loop's rules for a category.
    pub fn of_category(&self, code: &str) -> rules::Rules {
        let t = &self.pack.thresholds;
        let answer = self.pack.answer_rule(code);
        let check = self.pack.verification_rule(code);
        rules::Rules {
            returns_before_arbiter: t.arbiter_after.value,
            answer_by: match answer.map(|rule| rule.who) {
                Some(Answerer::Handler) => rules::AnswerBy::Handler,
                Some(Answerer::GridWorker) => rules::AnswerBy::GridWorker,
                Some(Answerer::Desk) | None => rules::AnswerBy::Desk,
            },
            // One way only, and that is in person: then it must be.
            answer_in_person: answer.is_some_and(|rule| rule.ways == ["in_person"]),
            // Where the resident's own rating is the check, silence is no objection.
            verification: check.is_some_and(|rule| !matches!(rule.by, Verifier::None | Verifier::Resident)),
            after_photo: check.is_some_and(|rule| rule.photos),
            mediation: self.pack.category(code).is_some_and(|c| c.mediation),
            extensions: t.extensions.value,
            reopen_days: t.reopen_days.value,
        }
    }
}

/// Where something lies.
#[derive(Debug, Clone)]
pub struct Spot {
    pub area: AreaId,
    pub chain: [Option<AreaId>; 5],
    pub depth: u8,
    pub name: String,
    pub full_name: String,
    pub version: i64,
}

fn spot(ctx: &Ctx, area: AreaId) -> Option<Spot> {
    let map = territory::current(&ctx.app);
    let found = map.area(area)?;
    Some(Spot {
        area,
        chain: found.chain,
        depth: found.depth,
        name: found.name.clone(),
        full_name: map.full_name(area),
        version: map.version,
    })
}

/// The area named.
pub fn spot_of_area(ctx: &Ctx, area: AreaId) -> Option<Spot> {
    spot(ctx, area)
}

/// The area named; where it has ended, the one that has its ground now: at the position, else the one with most of its households. So what
/// a phone kept of a day before is taken.
pub fn spot_now(ctx: &Ctx, area: AreaId, at: Option<(f64, f64)>) -> Option<Spot> {
    let heir = territory::current(&ctx.app).heir(area)?;
    if heir == area {
        spot(ctx, area)
    } else {
        beside(ctx, heir, at)
    }
}

/// The area at a position beside the one named, in the same area above; the one named where there is none, or what follows it.
pub fn spot_beside(ctx: &Ctx, area: AreaId, at: Option<(f64, f64)>) -> Option<Spot> {
    let heir = territory::current(&ctx.app).heir(area)?;
    beside(ctx, heir, at)
}

fn beside(ctx: &Ctx, area: AreaId, at: Option<(f64, f64)>) -> Option<Spot> {
    let map = territory::current(&ctx.app);
    let parent = map.area(area)?.parent;
    let here = at.and_then(|(lon, lat)| map.locate(LonLat { lon, lat }, territory::nearest_metres(&ctx.app)));
    let here = here.map(|found| found.area);
    let here = here.filter(|id| map.area(*id).is_some_and(|found| found.parent == parent));
    spot(ctx, here.unwrap_or(area))
}

/// The whole place, for what is known to lie in it and no nearer.
pub fn whole_place(ctx: &Ctx) -> Option<Spot> {
    let top = territory::current(&ctx.app).children(None).next().map(|area| area.id)?;
    spot(ctx, top)
}

/// The area of a point (WGS-84), or of words when there is no point or it lies nowhere.
pub fn find_spot(ctx: &Ctx, tx: &mut Tx, at: Option<(f64, f64)>, words: &str) -> Result<Option<Spot>, Fault> {
    let at = at.map(|(lon, lat)| LonLat { lon, lat });
    Ok(territory::find(&ctx.app, tx, at, words)?.and_then(|area| spot(ctx, area)))
}

/// A position given in a datum (`wgs84` when not said) in WGS-84.
pub fn to_wgs84(lon: f64, lat: f64, datum: Option<&str>) -> Result<(f64, f64), Fault> {
    let at = LonLat::new(lon, lat).map_err(|_| Fault::invalid("lon", "position_out_of_range"))?;
    let datum = Datum::parse(datum.unwrap_or("wgs84")).ok_or_else(|| Fault::invalid("datum", "datum_unknown"))?;
    let at = datum.to_wgs84(at);
    Ok((at.lon, at.lat))
}

/// Metres between two positions (longitude, latitude).
pub fn metres_between(a: (f64, f64), b: (f64, f64)) -> f64 {
    LonLat { lon: a.0, lat: a.1 }.metres_to(LonLat { lon: b.0, lat: b.1 })
}

/// Whether a place lies in or around another; for narrowing a scope by a filter.
pub fn chain_of(ctx: &Ctx, area: AreaId) -> Option<([Option<AreaId>; 5], u8)> {
    territory::current(&ctx.app)
        .area(area)
        .map(|found| (found.chain, found.depth))
}

/// Ends an area, as far as territory is concerned.
pub fn end_area(ctx: &Ctx, tx: &mut Tx, area: AreaId, day: &str) -> Result<i64, Fault> {
    territory::end_area(ctx, tx, area, day)
}

/// Reads the territory anew, after a change of it.
pub async fn load(app: &App) -> Result<(), Fault> {
    territory::load(app).await
}

/// Units and posts in force that belong to an area itself.
pub fn seated_at(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<i64, Fault> {
    workforce::seated_at(tx, area, &ctx.now.date().to_string())
}

/// Areas directly below one; without one, those at the top.
pub fn areas_below(ctx: &Ctx, area: Option<AreaId>) -> Vec<AreaId> {
    territory::current(&ctx.app).children(area).map(|one| one.id).collect()
}

/// Name of an area.
pub fn area_name(ctx: &Ctx, area: AreaId) -> Option<String> {
    territory::current(&ctx.app).area(area).map(|one| one.name.clone())
}

/// A unit as cases need it.
#[derive(Debug, Clone)]
pub struct UnitInfo {
    pub id: UnitId,
    pub name: String,
    pub public_name: String,
    pub depth: Option<u8>,
}

/// A worker as cases need it.
#[derive(Debug, Clone)]
pub struct WorkerInfo {
    pub name: String,
    pub badge_no: String,
}

/// Names for lists.
#[derive(Debug, Default)]
pub struct Labels {
    /// Name and full name.
    pub areas: HashMap<AreaId, (String, String)>,
    pub units: HashMap<UnitId, String>,
    pub workers: HashMap<WorkerId, String>,
    pub teams: HashMap<TeamId, String>,
}

/// The names behind some rows.
pub fn labels(ctx: &Ctx, tx: &mut Tx, rows: &[LineRow]) -> Result<Labels, Fault> {
    let map = territory::current(&ctx.app);
    let mut labels = Labels::default();
    for area in rows.iter().filter_map(|row| row.area_id) {
        if let Some(found) = map.ever(area) {
            labels
                .areas
                .entry(area)
                .or_insert_with(|| (found.name.clone(), map.full_name(area)));
        }
    }
    let mut units: Vec<UnitId> = rows.iter().filter_map(|row| row.unit_id).collect();
    units.sort();
    units.dedup();
    labels.units = workforce::unit_names(tx, &units)?;
    let mut workers: Vec<WorkerId> = rows.iter().filter_map(|row| row.worker_id).collect();
    workers.sort();
    workers.dedup();
    labels.workers = workforce::worker_names(tx, &workers)?;
    let mut teams: Vec<TeamId> = rows.iter().filter_map(|row| row.team_id).collect();
    teams.sort();
    teams.dedup();
    labels.teams = workforce::teams::team_names(tx, &teams)?;
    Ok(labels)
}

/// A unit.
pub fn unit(ctx: &Ctx, tx: &mut Tx, id: UnitId) -> Result<Option<UnitInfo>, Fault> {
    let map = territory::current(&ctx.app);
    let found = workforce::unit(tx, id)?;
    Ok(found.map(|unit| UnitInfo {
        id: unit.id,
        name: unit.name,
        public_name: unit.public_name,
        depth: map.area(unit.area).map(|area| area.depth),
    }))
}

/// A worker.
pub fn worker(tx: &mut Tx, id: WorkerId) -> Result<Option<WorkerInfo>, Fault> {
    Ok(workforce::worker(tx, id)?.map(|worker| WorkerInfo {
        name: worker.name,
        badge_no: worker.badge_no,
    }))
}

/// The unit the pack names for a category here, in one step (YC-09), and whether only because the place has no particular owner.
pub fn route(ctx: &Ctx, tx: &mut Tx, category: &str, area: AreaId) -> Result<Option<(UnitId, bool)>, Fault> {
    let routed = workforce::route(&ctx.app, tx, category, area, None, ctx.now)?;
    Ok(routed.map(|routed| (routed.unit, routed.by_default)))
}

/// The grid centre of an area or the nearest one above it.
pub fn centre_of(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<Option<UnitId>, Fault> {
    workforce::centre_of(&ctx.app, tx, area, 0, ctx.now)
}

/// The unit of a body at a level around an area.
pub fn unit_of_body(ctx: &Ctx, tx: &mut Tx, body: &str, level: &str, area: AreaId) -> Result<Option<UnitId>, Fault> {
    workforce::unit_of_body(&ctx.app, tx, body, level, area, ctx.now)
}

/// Units a worker belongs to by their posts today.
pub fn units_of_worker(ctx: &Ctx, tx: &mut Tx, worker: WorkerId) -> Result<Vec<UnitId>, Fault> {
    workforce::units_of_worker(tx, worker, ctx.now)
}

/// Who of a unit has work of a duty now, for a case in `area`.
pub fn worker_of_unit(
    ctx: &Ctx,
    tx: &mut Tx,
    unit: UnitId,
    duty: &str,
    area: Option<AreaId>,
    ask: Ask,
) -> Result<Option<WorkerId>, Fault> {
    let found = workforce::responsible(&ctx.app, tx, unit, duty, area, ask, ctx.now)?;
    Ok(found.and_then(|found| found.worker))
}

/// The grid's worker for a case, or the stand-in, with whether it is the stand-in.
pub fn grid_worker(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, ask: Ask) -> Result<Option<(WorkerId, bool)>, Fault> {
    let Some(area) = row.area_id else { return Ok(None) };
    let Some(found) = workforce::grid_worker_of(&ctx.app, tx, area, ask, ctx.now)? else {
        return Ok(None);
    };
    let stands_in = matches!(found.on_duty, OnDuty::StandIn { .. });
    Ok(found.on_duty.worker().map(|worker| (worker.into(), stands_in)))
}

/// The grids whose worker somebody is now.
pub fn grids_of(ctx: &Ctx, tx: &mut Tx, worker: WorkerId) -> Result<Vec<AreaId>, Fault> {
    workforce::grids_of(&ctx.app, tx, worker, ctx.now)
}

/// The visiting team with which a report in an area is filed (LH-22): one the caller may file for, visiting there.
pub fn team_at(ctx: &Ctx, tx: &mut Tx, id: TeamId, spot: &Spot) -> Result<(TeamId, String), Fault> {
    let team = workforce::teams::team(tx, id)?.filter(|team| team.files(ctx, &spot.chain));
    // Absent and not yours are the same answer.
    let team = team.ok_or_else(|| Fault::invalid("team_id", "team_not_yours"))?;
    if !team.visits(&ctx.app, spot.area) {
        return Err(Fault::invalid("area_id", "area_not_of_team").with("team", team.name));
    }
    Ok((team.id, team.name))
}

/// Who stands for the visiting team that heard a case now; none where no team did.
pub fn liaison(ctx: &Ctx, tx: &mut Tx, row: &CaseRow) -> Result<Option<WorkerId>, Fault> {
    let Some(id) = row.team_id else { return Ok(None) };
    match workforce::teams::team(tx, id)? {
        Some(team) => workforce::teams::liaison_now(&ctx.app, tx, &team, ctx.now).map(Some),
        None => Ok(None),
    }
}

/// The visiting teams whose answers a worker owes now.
pub fn teams_led_by(ctx: &Ctx, tx: &mut Tx, worker: WorkerId) -> Result<Vec<TeamId>, Fault> {
    workforce::teams::led_by(&ctx.app, tx, worker, ctx.now)
}

/// Whether somebody holds, or stands in for, the grid post of the case's area. Where no grid post serves (a matter known to lie in a town,
/// and no nearer), nobody could ever answer as the grid's worker: there everybody counts as one.
pub fn is_grid_worker(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, worker: Option<WorkerId>) -> Result<bool, Fault> {
    let found = match row.area_id {
        Some(area) => workforce::grid_worker_of(&ctx.app, tx, area, Ask::Own, ctx.now)?,
        None => None,
    };
    Ok(match (found, worker) {
        (None, _) => true,
        (Some(found), Some(worker)) => found.holder == Some(worker) || found.stand_in == Some(worker),
        (Some(_), None) => false,
    })
}
