//! Patrols 巡查: the track that shows a round was walked, and what each worker patrolled on a day.
//!
//! A track is sealed, kept for duty time only, and looked at for a purpose; what it comes to (metres, gaps) stands beside the minutes the
//! worker gave. Must not: judge; a gap or a made-up position is shown, never refused.

use super::store;
use super::subject;
use super::visits::{NewVisit, VisitRow, found};
use crate::access::log_read;
use crate::platform::*;
use crate::{policy, territory, workforce};
use domain::duties::{Act, Away, BadTrack, Days, Every, Pause, Rule, Step, Track, TrackFigures, Who};
use domain::geo::LonLat;
use domain::time::{MINUTE_MS, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Patrols of one worker and day that are told.
const MOST_A_DAY: i64 = 100;
/// How much longer than its minutes a patrol may have taken, pauses and all.
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A track as it is sealed: times in seconds after the beginning.
#[derive(Serialize, Deserialize)]
struct Kept {
    steps: Vec<(i64, f64, f64, Option<f64>)>,
    pauses: Vec<(i64, i64)>,
}

fn after(begin: Timestamp, at: Timestamp) -> i64 {
    (at.0 - begin.0) / 1_000
}

impl Kept {
    fn of(begin: Timestamp, track: &Track) -> Kept {
        let step = |one: &Step| (after(begin, one.at), one.place.lon, one.place.lat, one.accuracy_m);
        let pause = |one: &Pause| (after(begin, one.from), after(begin, one.to));
        Kept {
            steps: track.steps.iter().map(step).collect(),
            pauses: track.pauses.iter().map(pause).collect(),
        }
    }

    fn track(self, begin: Timestamp) -> Track {
        let at = |s: i64| begin.plus_ms(s * 1_000);
        let step = |(s, lon, lat, accuracy_m): (i64, f64, f64, Option<f64>)| Step {
            at: at(s),
            place: LonLat { lon, lat },
            accuracy_m,
        };
        Track {
            steps: self.steps.into_iter().map(step).collect(),
            pauses: self
                .pauses
                .into_iter()
                .map(|(from, to)| Pause {
                    from: at(from),
                    to: at(to),
                })
                .collect(),
        }
    }
}

/// When a patrol was over, as far as its track and minutes say.
fn end(at: Timestamp, minutes: u32, track: &Track) -> Timestamp {
    let rested: i64 = track.pauses.iter().map(|pause| pause.to.0 - pause.from.0).sum();
    at.plus_ms(i64::from(minutes) * MINUTE_MS + rested)
}

/// Whether the track can be one of this patrol.
pub fn check(new: &NewVisit) -> Result<(), Fault> {
    let Some(track) = &new.track else { return Ok(()) };
    if new.act != Act::Patrol {
        return Err(Fault::invalid("track", "visit_track_elsewhere"));
    }
    match track.check(new.at, new.at.plus_ms(DAY_MS)) {
        Ok(()) => Ok(()),
        Err(BadTrack::TooLong) => Err(Fault::invalid("track", "visit_track_too_long")),
        Err(BadTrack::Order) => Err(Fault::invalid("track", "visit_track_order")),
    }
}

/// Seals what lies in duty time of a track, and notes what it comes to.
pub fn keep(ctx: &Ctx, tx: &mut Tx, visit: &VisitRow, mut track: Track) -> Result<(), Fault> {
    let rules = patrol_rules(&ctx.app)?;
    let current = policy::current(&ctx.app)?;
    let period = Every::Day.period_of(visit.at.date());
    if !rules.is_empty()
        && let Ok(days) = Days::of(period, current.now_calendar())
    {
        track.keep(|at| rules.iter().any(|rule| days.in_hours(&rule.hours, at)));
    }
    let figures = track.figures(visit.at, end(visit.at, visit.minutes, &track));
    let text = serde_json::to_string(&Kept::of(visit.at, &track)).map_err(Fault::internal)?;
    let sealed = ctx
        .app
        .seal("visit_track", &visit.id.to_string(), "track_sealed", &text);
    store::insert_track(tx, visit.id, sealed, track.steps.len(), figures)
}

fn patrol_rules(app: &App) -> Result<Vec<Rule>, Fault> {
    let rules = subject::rules(app)?.into_iter();
    Ok(rules.filter(|rule| rule.act == Act::Patrol).collect())
}

/// The grids a worker patrols: those of the posts that patrol rules fall to, of the post of the grid where there is no rule.
pub fn grids(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<(AreaId, String)>, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let (worker, map) = (ctx.worker()?, territory::current(&ctx.app));
    let rules = patrol_rules(&ctx.app)?;
    let mut duties: BTreeSet<(String, bool)> = rules
        .into_iter()
        .map(|rule| (rule.by.duty, rule.away == Away::Waits))
        .collect();
    if duties.is_empty() {
        duties.insert(("grid".to_owned(), false));
    }
    let mut found = BTreeSet::new();
    for (duty, waits) in duties {
        let away = if waits { Away::Waits } else { Away::StandIn };
        found.extend(super::areas_served(ctx, tx, worker, &duty, away)?);
    }
    let depth = subject::grid_depth(&ctx.app)?;
    let grids = found.into_iter().filter_map(|id| map.area(id));
    let grids = grids.filter(|area| usize::from(area.depth) == depth);
    Ok(grids.map(|area| (area.id, map.full_name(area.id))).collect())
}

/// What one worker patrolled on a day in an area.
#[derive(Debug, Clone)]
pub struct Day {
    pub worker: WorkerId,
    pub name: String,
    pub times: i64,
    pub minutes: i64,
    pub metres: f64,
    pub gaps: i64,
    /// Patrols whose phone said that the position was made up.
    pub mock: i64,
    /// Patrols without a track.
    pub without: i64,
}

/// One patrol.
#[derive(Debug, Clone)]
pub struct Patrol {
    pub id: VisitId,
    pub grid: AreaId,
    pub at: Timestamp,
    pub minutes: i64,
    pub mock: bool,
    /// Points and what they come to; none without a track.
    pub track: Option<(i64, TrackFigures)>,
}

/// An area the caller supervises.
fn area(ctx: &Ctx, id: AreaId) -> Result<(AreaId, u8), Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let map = territory::current(&ctx.app);
    let area = map
        .area(id)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead));
    area.map(|area| (area.id, area.depth)).ok_or_else(Fault::not_found)
}

/// What each worker patrolled on a day in an area and all below it, in order of worker; one more than `limit` when there are more.
pub fn days(
    ctx: &Ctx,
    tx: &mut Tx,
    of: AreaId,
    on: Date,
    after: Option<WorkerId>,
    limit: u32,
) -> Result<Vec<Day>, Fault> {
    let (area, depth) = area(ctx, of)?;
    let mut days = store::patrol_days(tx, (area, depth), Timestamp::start_of(on).day_and_ms().0, after, limit)?;
    let workers: Vec<WorkerId> = days.iter().map(|day| day.worker).collect();
    let names = workforce::worker_names(tx, &workers)?;
    for day in &mut days {
        day.name = names.get(&day.worker).cloned().unwrap_or_default();
    }
    Ok(days)
}

/// The patrols of one worker on a day in an area, in order of time.
pub fn of_worker(ctx: &Ctx, tx: &mut Tx, worker: WorkerId, of: AreaId, on: Date) -> Result<Vec<Patrol>, Fault> {
    let (area, depth) = area(ctx, of)?;
    store::patrols(
        tx,
        worker,
        (area, depth),
        Timestamp::start_of(on).day_and_ms().0,
        MOST_A_DAY,
    )
}

/// What the pack's patrol rules want of a day: name of the rule's key, times or minutes.
pub fn wanted(app: &App) -> Result<Vec<Rule>, Fault> {
    let rules = patrol_rules(app)?.into_iter();
    Ok(rules
        .filter(|rule| rule.who == Who::Grids && rule.every == Every::Day)
        .collect())
}

/// The track of a patrol, for those who may see visits there; the look is logged, and refused without a purpose.
pub fn track(ctx: &Ctx, tx: &mut Tx, id: VisitId) -> Result<(VisitRow, Track), Fault> {
    let row = found(ctx, tx, id)?.row;
    log_read(ctx, tx, Subject::Visit(id), &["track"])?;
    let sealed = store::track(tx, id)?.ok_or_else(Fault::not_found)?;
    let place = sealed::Place {
        table: "visit_track",
        id: &id.to_string(),
        column: "track_sealed",
    };
    let text = ctx.app.sealer().open(place, &sealed).map_err(Fault::internal)?;
    let kept: Kept = serde_json::from_str(text.reveal()).map_err(Fault::internal)?;
    let track = kept.track(row.at);
    Ok((row, track))
}
