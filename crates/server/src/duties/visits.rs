//! Recording visits, checks and patrols.
//!
//! Entry points: [`record`], [`found`] and [`of_subject`]. The id is made on the client: the same visit sent again is the same visit. What it fulfils is
//! settled in the same transaction.

use super::list;
use super::patrols;
use super::settle::settle;
use super::subject::{self, SubjectKind};
use super::{roll, store};
use crate::access::log_read;
use crate::cases::{self, CaseMark};
use crate::platform::*;
use crate::{policy, registry, workforce};
use domain::duties::{Act, Outcome, Rule, Track, Verdict};
use domain::geo::LonLat;
use domain::time::{MINUTE_MS, Timestamp, date_of};
use serde_json::json;

/// Days after a visit within which it can be recorded: a phone may have been without a signal.
pub const MAX_LATE_DAYS: i64 = 14;
/// How far a phone's clock may be ahead.
const MAX_AHEAD_MS: i64 = 5 * MINUTE_MS;
/// Longest visit, in minutes.
const MAX_MINUTES: u32 = 1_440;
/// Longest text of what was said (characters), most photos, most people beside the one who records.
const MAX_TALK: usize = 4_000;
const MAX_PHOTOS: usize = 9;
const MAX_COMPANIONS: usize = 19;
/// Most cases of one visit.
const MAX_MATTERS: usize = 20;
/// Least exact position that is one (metres).
const MAX_ACCURACY_M: f64 = 100_000.0;

/// Where the phone says it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// WGS-84.
    pub at: LonLat,
    pub accuracy_m: Option<f64>,
}

/// A visit to be recorded.
#[derive(Debug, Clone)]
pub struct NewVisit {
    pub id: VisitId,
    pub act: Act,
    pub kind: SubjectKind,
    pub subject: DutySubjectId,
    pub at: Timestamp,
    pub minutes: u32,
    pub outcome: Outcome,
    /// Who went along.
    pub companions: Vec<WorkerId>,
    pub position: Option<Position>,
    /// The phone says that its position was made up.
    pub mock: bool,
    /// What was said.
    pub talk: Option<Personal<String>>,
    /// Finished uploads.
    pub photos: Vec<UploadId>,
    /// The cases made of what they asked for, by ids of the phone: a case may come after its visit.
    pub matters: Vec<CaseId>,
    /// Of a patrol: where the phone says it went.
    pub track: Option<Track>,
}

/// A visit as stored.
#[derive(Debug, Clone)]
pub struct VisitRow {
    pub id: VisitId,
    pub act: Act,
    pub kind: SubjectKind,
    pub subject: DutySubjectId,
    pub area: AreaId,
    pub grid: Option<DutySubjectId>,
    pub areas: [Option<AreaId>; 5],
    pub at: Timestamp,
    pub minutes: u32,
    pub outcome: Outcome,
    pub account: AccountId,
    pub worker: WorkerId,
    pub people: u8,
    pub duties: Vec<String>,
    pub position: Option<Position>,
    pub mock: bool,
    pub talk_sealed: Option<Vec<u8>>,
    pub sent: String,
    pub pack_version: String,
    pub recorded_at: Timestamp,
    pub companions: Vec<WorkerId>,
    pub photos: Vec<String>,
    pub matters: Vec<CaseId>,
}

/// What came of recording one.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub id: VisitId,
    /// It had been recorded before.
    pub already: bool,
    /// By rule: what it counts for, or why not.
    pub verdicts: Vec<(String, Verdict)>,
}

/// Records a visit within the caller's areas. Sent again with the same content it changes nothing.
pub fn record(ctx: &Ctx, tx: &mut Tx, mut new: NewVisit) -> Result<Recorded, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let (account, worker) = (ctx.account()?, ctx.worker()?);
    let sent = fingerprint(ctx, &new);
    if let Some(before) = store::visit(tx, new.id)? {
        if before.account != account || before.sent != sent {
            return Err(Fault::conflict("visit_id_used").field("id"));
        }
        let applying = applying(ctx, tx, &before)?;
        return Ok(Recorded {
            id: new.id,
            already: true,
            verdicts: settle_all(ctx, tx, &before, &applying)?,
        });
    }
    check(ctx, tx, &new, worker)?;
    if new.kind == SubjectKind::Resident {
        // A phone may not know yet that the record went into another.
        new.subject = DutySubjectId(registry::now_of(tx, ResidentId(new.subject.0))?.0);
    }
    let known = subject::find(ctx, tx, new.kind, new.subject)?.ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&known.areas, Permission::DutyRecord) && !goes_to(ctx, tx, &new)? {
        return Err(Fault::not_found());
    }
    let track = new.track.clone();
    let row = row(ctx, tx, new, &known, (account, worker), sent)?;
    store::insert_visit(tx, &row)?;
    if let Some(track) = track {
        patrols::keep(ctx, tx, &row, track)?;
    }
    roll::know(ctx, tx, &known)?;
    if let Some(grid) = row.grid.filter(|grid| *grid != row.subject)
        && let Some(grid) = subject::find(ctx, tx, SubjectKind::Grid, grid)?
    {
        roll::know(ctx, tx, &grid)?;
    }
    let applying = applying(ctx, tx, &row)?;
    let verdicts = settle_all(ctx, tx, &row, &applying)?;
    let settled: Vec<&str> = verdicts
        .iter()
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Not(_)))
        .map(|(rule, _)| rule.as_str())
        .collect();
    let mark = json!({
        "act": row.act.key(), "subject": format!("{}:{}", row.kind.key(), row.subject), "area": row.area, "at": row.at.0,
        "outcome": row.outcome.key(), "mock": row.mock, "photos": row.photos, "sent": row.sent, "settles": settled,
    });
    tx.record(ctx, Mark::new("visit.recorded", Subject::Visit(row.id), mark))?;
    Ok(Recorded {
        id: row.id,
        already: false,
        verdicts,
    })
}

/// Who is paired with somebody visits them, wherever it is.
fn goes_to(ctx: &Ctx, tx: &mut Tx, new: &NewVisit) -> Result<bool, Fault> {
    let visited = new.act == Act::Visit && new.kind == SubjectKind::Resident;
    Ok(visited && registry::goes_to(ctx, tx, ResidentId(new.subject.0))?)
}

/// Keyed, so that nobody can try words against it.
fn fingerprint(ctx: &Ctx, new: &NewVisit) -> String {
    let position = new.position.map(|at| format!("{:?}", at));
    let text = format!(
        "{:?} {:?} {} {} {} {:?} {:?} {position:?} {} {:?} {:?} {:?}",
        new.act,
        new.kind,
        new.subject,
        new.at.0,
        new.minutes,
        new.outcome,
        new.companions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        new.mock,
        new.talk.as_ref().map(Personal::reveal),
        new.photos.iter().map(ToString::to_string).collect::<Vec<_>>(),
        new.track,
    );
    let text = match new.matters.is_empty() {
        true => text,
        false => format!(
            "{text} {:?}",
            new.matters.iter().map(ToString::to_string).collect::<Vec<_>>()
        ),
    };
    ctx.app.sealer().blind_index("visit", &text)
}

fn check(ctx: &Ctx, tx: &mut Tx, new: &NewVisit, worker: WorkerId) -> Result<(), Fault> {
    if new.at > ctx.now.plus_ms(MAX_AHEAD_MS) {
        return Err(Fault::invalid("at", "visit_in_the_future"));
    }
    if new.at.day_and_ms().0 < ctx.now.day_and_ms().0 - MAX_LATE_DAYS {
        return Err(Fault::invalid("at", "visit_too_old").with("days", MAX_LATE_DAYS));
    }
    if new.minutes > MAX_MINUTES {
        return Err(Fault::invalid("minutes", "visit_too_long").with("most", MAX_MINUTES));
    }
    if new.act == Act::Patrol && new.kind != SubjectKind::Grid {
        return Err(Fault::invalid("act", "visit_patrol_elsewhere"));
    }
    patrols::check(new)?;
    if new
        .talk
        .as_ref()
        .is_some_and(|talk| talk.reveal().chars().count() > MAX_TALK)
    {
        return Err(Fault::invalid("talk", "visit_talk_too_long").with("most", MAX_TALK));
    }
    if new.photos.len() > MAX_PHOTOS {
        return Err(Fault::invalid("photos", "visit_too_many_photos").with("most", MAX_PHOTOS));
    }
    let accuracy = new.position.and_then(|at| at.accuracy_m).unwrap_or_default();
    if !(0.0..=MAX_ACCURACY_M).contains(&accuracy) {
        return Err(Fault::invalid("position.accuracy_m", "invalid_field"));
    }
    if new.matters.len() > MAX_MATTERS {
        return Err(Fault::invalid("matters", "visit_too_many_matters").with("most", MAX_MATTERS));
    }
    if new.companions.len() > MAX_COMPANIONS {
        return Err(Fault::invalid("companions", "visit_too_many_people").with("most", MAX_COMPANIONS));
    }
    let mut seen = std::collections::BTreeSet::from([worker]);
    for companion in &new.companions {
        if workforce::worker(tx, *companion)?.is_none() || !seen.insert(*companion) {
            return Err(Fault::invalid("companions", "unknown_worker"));
        }
    }
    Ok(())
}

fn row(
    ctx: &Ctx,
    tx: &mut Tx,
    new: NewVisit,
    known: &subject::Known,
    (account, worker): (AccountId, WorkerId),
    sent: String,
) -> Result<VisitRow, Fault> {
    let mut duties = std::collections::BTreeSet::new();
    for one in new.companions.iter().chain([&worker]) {
        duties.extend(subject::duties_at(ctx, tx, *one, known.area, new.at)?);
    }
    let mut photos = std::collections::BTreeSet::new();
    for upload in &new.photos {
        photos.insert(blobs::take(ctx, tx, *upload)?.hash);
    }
    let talk = new.talk.filter(|talk| !talk.reveal().trim().is_empty());
    let id = new.id.to_string();
    let talk_sealed = talk.map(|talk| ctx.app.seal("visit", &id, "talk_sealed", talk.reveal()));
    Ok(VisitRow {
        id: new.id,
        act: new.act,
        kind: new.kind,
        subject: new.subject,
        area: known.area,
        grid: known.grid(&ctx.app)?,
        areas: known.areas,
        at: new.at,
        minutes: new.minutes,
        outcome: new.outcome,
        account,
        worker,
        people: new.companions.len() as u8 + 1,
        duties: duties.into_iter().collect(),
        position: new.position,
        mock: new.mock,
        talk_sealed,
        sent,
        pack_version: policy::current(&ctx.app)?.label(),
        recorded_at: ctx.now,
        companions: new.companions,
        matters: new
            .matters
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect(),
        photos: photos.into_iter().collect(),
    })
}

/// The rules a visit may count for, each with its subject: those for whom it was, and those for the grid it was in.
fn applying(ctx: &Ctx, tx: &mut Tx, visit: &VisitRow) -> Result<Vec<(Rule, DutySubjectId)>, Fault> {
    let mut subjects = vec![visit.subject];
    subjects.extend(visit.grid.filter(|grid| *grid != visit.subject));
    let groups = store::groups_of(tx, &subjects)?;
    let mut found = Vec::new();
    for rule in subject::rules(&ctx.app)? {
        let group = subject::group(&rule.who);
        let mine = groups.iter().filter(|(who, _)| *who == group);
        let mine = mine.filter(|_| rule.act == visit.act);
        found.extend(mine.map(|(_, subject)| (rule.clone(), *subject)));
    }
    Ok(found)
}

/// Works out the periods a visit touches, from its day to today; what became of it under each rule the caller may know of.
fn settle_all(
    ctx: &Ctx,
    tx: &mut Tx,
    visit: &VisitRow,
    applying: &[(Rule, DutySubjectId)],
) -> Result<Vec<(String, Verdict)>, Fault> {
    let (day, today) = (visit.at.day_and_ms().0, ctx.now.day_and_ms().0);
    let mut verdicts = Vec::new();
    for (rule, subject) in applying {
        let told = list::told(ctx, tx, rule, visit.area)?;
        let mut period = rule.every.period_of(date_of(day));
        loop {
            let settled = settle(ctx, tx, rule, period, &[*subject])?;
            if let Some(verdict) = settled.verdicts.get(&visit.id).filter(|_| told) {
                verdicts.push((rule.key.clone(), *verdict));
            }
            if period.holds(today) || period.first > today {
                break;
            }
            period = period.next();
        }
    }
    Ok(verdicts)
}

/// A visit the caller recorded, for the parts above that add to what came of it.
pub fn own(ctx: &Ctx, tx: &mut Tx, id: VisitId) -> Result<Option<VisitRow>, Fault> {
    let account = ctx.account()?;
    Ok(store::visit(tx, id)?.filter(|row| row.account == account))
}

/// A visit as somebody reads it, with what was said.
#[derive(Debug)]
pub struct Found {
    pub row: VisitRow,
    pub worker_name: String,
    pub talk: Option<Personal<String>>,
    /// What became of what they asked for, as far as the caller may see it.
    pub matters: Vec<CaseMark>,
}

/// A visit in the caller's areas, for those who may see cases there; the look is logged, and refused without a purpose.
pub fn found(ctx: &Ctx, tx: &mut Tx, id: VisitId) -> Result<Found, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let row = store::visit(tx, id)?.filter(|row| may_read(ctx, row));
    read(ctx, tx, row.ok_or_else(Fault::not_found)?)
}

/// Visits to a subject, the newest first, those the caller may read, each look logged; and after which one the next page begins.
pub fn of_subject(
    ctx: &Ctx,
    tx: &mut Tx,
    subject: DutySubjectId,
    after: Option<(i64, VisitId)>,
    limit: u32,
) -> Result<(Vec<Found>, Option<(i64, VisitId)>), Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let mut ids = store::visits_to(tx, subject, after, limit)?;
    let more = ids.len() > limit as usize;
    ids.truncate(limit as usize);
    let next = ids.last().filter(|_| more).copied();
    let mut all = Vec::new();
    for (_, id) in ids {
        if let Some(row) = store::visit(tx, id)?.filter(|row| may_read(ctx, row)) {
            all.push(read(ctx, tx, row)?);
        }
    }
    Ok((all, next))
}

/// Counting visits is one thing, reading what people said at the door another.
fn may_read(ctx: &Ctx, row: &VisitRow) -> bool {
    let may = |permission| ctx.scope.covers(&row.areas, permission);
    may(Permission::DutyRead) && may(Permission::CaseRead)
}

fn read(ctx: &Ctx, tx: &mut Tx, row: VisitRow) -> Result<Found, Fault> {
    log_read(ctx, tx, Subject::Visit(row.id), &["talk", "position"])?;
    let open = |bytes: &Vec<u8>| store::open_talk(&ctx.app, row.id, bytes);
    Ok(Found {
        talk: row.talk_sealed.as_ref().map(open).transpose()?,
        worker_name: workforce::worker(tx, row.worker)?
            .map(|one| one.name)
            .unwrap_or_default(),
        matters: cases::marks(ctx, tx, &row.matters)?,
        row,
    })
}
