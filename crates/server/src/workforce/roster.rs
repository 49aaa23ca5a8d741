//! The roster: units, posts, workers, appointments and leaves in memory, because every case asks who answers for it and who that is today.
//!
//! Entry point: [`of`]. Read as one whole, so that an answer never mixes two states; read again after each commit of this process that
//! changed it ([`changed`]), and after [`BELIEVED_MS`] for what another process changed. A transaction that changed it itself reads its own
//! rows. Must not: decide who is on duty; that is `domain::workforce`.

use super::store::{self, Post, Unit, Worker};
use crate::platform::{AreaId, Fault, PostId, Tx, UnitId, WorkerId};
use crate::territory::Map;
use domain::time::{DAY_MS, Timestamp};
use domain::workforce::{Appointment, Leave};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How long it is believed without looking again.
const BELIEVED_MS: i64 = 5_000;
/// Leaves that ended longer ago are not kept; who asks about such a time reads the table.
const LEAVES_KEPT_MS: i64 = 2 * DAY_MS;

/// All of it at one moment.
pub struct Roster {
    units: HashMap<UnitId, InForce>,
    units_at: HashMap<AreaId, Vec<UnitId>>,
    workers: HashMap<WorkerId, Worker>,
    posts: HashMap<PostId, Post>,
    posts_of_unit: HashMap<UnitId, Vec<PostId>>,
    posts_of_area: HashMap<AreaId, Vec<PostId>>,
    seats_of_post: HashMap<PostId, Vec<Appointment>>,
    posts_of_worker: HashMap<WorkerId, Vec<(PostId, Appointment)>>,
    leaves: HashMap<WorkerId, Vec<Leave>>,
    leaves_from: Timestamp,
    serving: Mutex<Option<Serving>>,
}

/// How many serve, by area: on which day (days since 1970-01-01 in +08:00), in which version of the territory.
type Serving = (i64, i64, Arc<HashMap<AreaId, i64>>);

/// A unit with its first and last day (ISO dates).
pub struct InForce {
    pub unit: Unit,
    pub from: String,
    pub to: Option<String>,
}

impl InForce {
    fn on(&self, date: &str) -> bool {
        self.from.as_str() <= date && self.to.as_deref().is_none_or(|to| to >= date)
    }
}

/// What is kept of an app's roster: as it was read, after which change, when.
#[derive(Default)]
struct Kept {
    changes: AtomicU64,
    read: Mutex<Option<(Arc<Roster>, u64, Timestamp)>>,
}

/// What this part is called among the changes of a transaction.
const WORKFORCE: &str = "workforce";

/// Called by every statement that changes a unit, post, worker, appointment or leave.
pub fn changed(tx: &mut Tx) {
    tx.note_change(WORKFORCE);
    if let Some(app) = tx.app() {
        let kept = app.part::<Kept>();
        tx.on_commit(move || {
            kept.changes.fetch_add(1, Ordering::SeqCst);
        });
    }
}

/// The roster of this moment.
pub fn of(tx: &mut Tx) -> Result<Arc<Roster>, Fault> {
    let Some(app) = tx.app().cloned() else {
        return Roster::read(tx, Timestamp(i64::MAX)).map(Arc::new);
    };
    let now = app.now();
    if tx.has_changed(WORKFORCE) {
        return own(tx, now);
    }
    let kept = app.part::<Kept>();
    // Before reading, so that a change meanwhile is not missed.
    let changes = kept.changes.load(Ordering::SeqCst);
    if let Some((roster, after, at)) = &*kept.read.lock().unwrap_or_else(PoisonError::into_inner)
        && *after == changes
        && (*at..at.plus_ms(BELIEVED_MS)).contains(&now)
    {
        return Ok(roster.clone());
    }
    let roster = Arc::new(Roster::read(tx, now)?);
    *kept.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((roster.clone(), changes, now));
    Ok(roster)
}

/// The roster as a transaction that changed it sees it.
fn own(tx: &mut Tx, now: Timestamp) -> Result<Arc<Roster>, Fault> {
    if let Some(roster) = tx.own::<Roster>(WORKFORCE) {
        return Ok(roster);
    }
    let roster = Arc::new(Roster::read(tx, now)?);
    tx.keep_own(WORKFORCE, roster.clone());
    Ok(roster)
}

/// The roster, unless it would have to be read only because this transaction changed it: for who wants one row.
pub fn at_hand(tx: &mut Tx) -> Result<Option<Arc<Roster>>, Fault> {
    if tx.has_changed(WORKFORCE) {
        Ok(tx.own(WORKFORCE))
    } else {
        of(tx).map(Some)
    }
}

impl Roster {
    fn read(tx: &mut Tx, now: Timestamp) -> Result<Roster, Fault> {
        let leaves_from = now.plus_ms(-LEAVES_KEPT_MS);
        let mut roster = Roster {
            units: HashMap::new(),
            units_at: HashMap::new(),
            workers: HashMap::new(),
            posts: HashMap::new(),
            posts_of_unit: HashMap::new(),
            posts_of_area: HashMap::new(),
            seats_of_post: HashMap::new(),
            posts_of_worker: HashMap::new(),
            leaves: HashMap::new(),
            leaves_from,
            serving: Mutex::default(),
        };
        for one in store::all_units(tx)? {
            roster.units_at.entry(one.unit.area).or_default().push(one.unit.id);
            roster.units.insert(one.unit.id, one);
        }
        for worker in store::all_workers(tx)? {
            roster.workers.insert(worker.id, worker);
        }
        for post in store::all_posts(tx)? {
            roster.posts_of_unit.entry(post.unit).or_default().push(post.id);
            if let Some(area) = post.area {
                roster.posts_of_area.entry(area).or_default().push(post.id);
            }
            roster.posts.insert(post.id, post);
        }
        for row in store::all_appointments(tx)? {
            let (post, one) = (row.post, row.appointment);
            roster.seats_of_post.entry(post).or_default().push(one);
            let own = roster.posts_of_worker.entry(one.worker.into()).or_default();
            own.push((post, one));
        }
        for leave in store::leaves_since(tx, leaves_from)? {
            roster.leaves.entry(leave.worker.into()).or_default().push(leave);
        }
        Ok(roster)
    }

    /// One unit, ended or not.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(&id).map(|one| &one.unit)
    }

    /// One worker.
    pub fn worker(&self, id: WorkerId) -> Option<&Worker> {
        self.workers.get(&id)
    }

    /// Units in force whose area is one of these, by code.
    pub fn candidates(&self, chain: &[AreaId], at: Timestamp) -> Vec<&Unit> {
        let date = at.date().to_string();
        let all = chain.iter().filter_map(|area| self.units_at.get(area)).flatten();
        let mut units: Vec<&Unit> = all
            .filter_map(|id| self.units.get(id))
            .filter(|one| one.on(&date))
            .map(|one| &one.unit)
            .collect();
        units.sort_by(|a, b| a.code.cmp(&b.code));
        units
    }

    /// Posts of a duty of a unit, in order of id.
    pub fn posts_of_unit(&self, unit: UnitId, duty: &str) -> impl Iterator<Item = &Post> {
        self.named(self.posts_of_unit.get(&unit), duty)
    }

    /// All posts of a unit, in order of id.
    pub fn all_posts_of_unit(&self, unit: UnitId) -> impl Iterator<Item = &Post> {
        let ids = self.posts_of_unit.get(&unit).into_iter().flatten();
        ids.filter_map(|id| self.posts.get(id))
    }

    /// Posts of a duty that serve just this area, in order of id.
    pub fn posts_of_area(&self, area: AreaId, duty: &str) -> impl Iterator<Item = &Post> {
        self.named(self.posts_of_area.get(&area), duty)
    }

    fn named<'r>(&'r self, ids: Option<&'r Vec<PostId>>, duty: &str) -> impl Iterator<Item = &'r Post> {
        let posts = ids.into_iter().flatten().filter_map(|id| self.posts.get(id));
        posts.filter(move |post| post.duty == duty)
    }

    /// Posts of a duty in units in force at these areas, each with its unit's area.
    pub fn posts_of_duty(&self, areas: &[AreaId], duty: &str, at: Timestamp) -> Vec<(&Post, AreaId)> {
        let units = self.candidates(areas, at).into_iter();
        let mut posts: Vec<(&Post, AreaId)> = units
            .flat_map(|unit| self.posts_of_unit(unit.id, duty).map(|post| (post, unit.area)))
            .collect();
        posts.sort_by_key(|(post, _)| post.id);
        posts
    }

    /// Everybody ever seated in a post, by first day.
    pub fn seats(&self, post: PostId) -> &[Appointment] {
        self.seats_of_post.get(&post).map_or(&[], Vec::as_slice)
    }

    /// The posts in which a worker sits on a day.
    pub fn posts_of_worker(&self, worker: WorkerId, at: Timestamp) -> impl Iterator<Item = &Post> {
        let all = self.posts_of_worker.get(&worker).into_iter().flatten();
        all.filter(move |(_, seat)| seat.covers(at.date()))
            .filter_map(|(post, _)| self.posts.get(post))
    }

    /// All seats of a worker, past and to come, each with its post.
    pub fn seats_of_worker(&self, worker: WorkerId) -> impl Iterator<Item = (&Post, &Appointment)> {
        let all = self.posts_of_worker.get(&worker).into_iter().flatten();
        all.filter_map(|(post, seat)| Some((self.posts.get(post)?, seat)))
    }

    /// How many people sit in a post on the day of a moment, by area: each once in every area that one of their posts serves or lies
    /// in, however many seats they have. Counted once for a roster and a day.
    pub fn serving(&self, map: &Map, at: Timestamp) -> Arc<HashMap<AreaId, i64>> {
        let (day, _) = at.day_and_ms();
        let mut kept = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, version, counts)) = &*kept
            && (*of, *version) == (day, map.version)
        {
            return counts.clone();
        }
        let mut counts: HashMap<AreaId, i64> = HashMap::new();
        for worker in self.posts_of_worker.keys().copied() {
            let areas = self.posts_of_worker(worker, at).filter_map(|post| {
                let unit = || self.unit(post.unit).map(|unit| unit.area);
                post.area.or_else(unit)
            });
            let served: HashSet<AreaId> = areas.flat_map(|area| map.chain(area)).map(|area| area.id).collect();
            for area in served {
                *counts.entry(area).or_default() += 1;
            }
        }
        let counts = Arc::new(counts);
        *kept = Some((day, map.version, counts.clone()));
        counts
    }

    /// Leaves of these workers that cover a moment; none when it is too long ago to say.
    pub fn leaves(&self, workers: &[WorkerId], at: Timestamp) -> Option<Vec<Leave>> {
        if at < self.leaves_from {
            return None;
        }
        let all = workers.iter().filter_map(|worker| self.leaves.get(worker)).flatten();
        Some(all.filter(|leave| leave.from <= at && leave.to > at).copied().collect())
    }
}
