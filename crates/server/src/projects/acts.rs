//! Everything that is done with a project after it was given out.

use super::project::{self, Detail, Entry, MAX_DAYS, MAX_TEXT, Milestone, Project, load, seen};
use super::{remind, store};
use crate::cases;
use crate::platform::*;
use domain::projects::{Act, Phase, Refusal, next};
use jiff::civil::Date;
use serde_json::json;

/// Photos of one entry, and entries of one project, at most.
const MAX_PHOTOS: usize = 9;
const MAX_ENTRIES: i64 = 500;

/// What somebody does.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Made on the client: sent again it is the same.
    pub id: ProjectEntryId,
    pub act: Act,
    pub words: String,
    /// Until when more time is asked for.
    pub day: Option<Date>,
    pub milestone: Option<MilestoneId>,
    pub leader: Option<WorkerId>,
    pub photos: Vec<UploadId>,
}

fn refusal(why: Refusal) -> Fault {
    match why {
        Refusal::NotTheirs => Fault::forbidden(),
        Refusal::OwnWork => Fault::refused("project_own_work"),
        Refusal::Phase => Fault::conflict("project_phase"),
        Refusal::MilestonesOpen => Fault::refused("project_milestones_open"),
        Refusal::AlreadyAsked => Fault::conflict("project_already_asked"),
        Refusal::NothingAsked => Fault::conflict("project_nothing_asked"),
        Refusal::TooOften => Fault::refused("project_too_often"),
    }
}

/// Does it, if it is theirs to do now; whom it concerns is told.
pub fn act(ctx: &Ctx, tx: &mut Tx, id: ProjectId, deed: Deed) -> Result<Detail, Fault> {
    let (mut project, _, role) = load(ctx, tx, id, true)?;
    if let Some((of, what)) = store::entry_of(tx, deed.id)? {
        return match of == id && what == deed.act.key() {
            true => seen(ctx, tx, id),
            false => Err(Fault::conflict("already_exists")),
        };
    }
    let mut milestones = store::milestones(tx, id)?;
    let facts = project::facts(ctx, &project, &milestones)?;
    let phase = next(&facts, &role, deed.act).map_err(refusal)?;
    check(ctx, tx, &project, &deed)?;
    let asked = project.asked;
    project.phase = phase;
    apply(ctx, tx, &mut project, &mut milestones, &deed)?;
    store::update(tx, &project)?;
    let entry = entry(ctx, tx, &deed, asked.map(|(day, _)| day))?;
    store::insert_entry(ctx, tx, id, &entry)?;
    remind::plan(ctx, tx, &project, &milestones)?;
    let body = json!({
        "entry": deed.id, "phase": phase.key(), "due": project.due.to_string(), "milestone": deed.milestone, "photos": entry.photos,
        "words": ledger::text_hash(&ctx.app, &entry.words),
    });
    tx.record(ctx, Mark::new(mark(deed.act), Subject::Project(id), body))?;
    tell(ctx, tx, &project, deed.act)?;
    seen(ctx, tx, id)
}

fn mark(act: Act) -> &'static str {
    match act {
        Act::Progress => "project.progress",
        Act::Milestone => "project.milestone",
        Act::Ask => "project.asked",
        Act::Grant => "project.granted",
        Act::Refuse => "project.refused",
        Act::Report => "project.reported",
        Act::Accept => "project.accepted",
        Act::SendBack => "project.sent_back",
        Act::Lead => "project.leader",
        Act::Stop => "project.stopped",
    }
}

fn check(ctx: &Ctx, tx: &mut Tx, project: &Project, deed: &Deed) -> Result<(), Fault> {
    let length = deed.words.trim().chars().count();
    let needed = !matches!(deed.act, Act::Milestone | Act::Grant | Act::Accept);
    if length > MAX_TEXT || (needed && length == 0) {
        return Err(Fault::invalid("words", "project_words").with("most", MAX_TEXT));
    }
    if deed.photos.len() > MAX_PHOTOS {
        return Err(Fault::invalid("photos", "project_too_many").with("most", MAX_PHOTOS));
    }
    if store::entry_count(tx, project.id)? >= MAX_ENTRIES {
        return Err(Fault::conflict("project_too_many").with("most", MAX_ENTRIES));
    }
    match deed.act {
        Act::Ask => {
            let day = deed.day.ok_or_else(|| Fault::invalid("day", "date_expected"))?;
            let longer = i64::from((day - project.due).get_days());
            if !(1..=MAX_DAYS).contains(&longer) || day <= ctx.now.date() {
                return Err(Fault::invalid("day", "project_later_day"));
            }
        }
        Act::Lead => {
            let leader = deed.leader.filter(|leader| *leader != project.leader);
            project::leader(
                tx,
                leader.ok_or_else(|| Fault::invalid("leader_id", "project_other_leader"))?,
            )?;
        }
        _ => {}
    }
    Ok(())
}

fn apply(
    ctx: &Ctx,
    tx: &mut Tx,
    project: &mut Project,
    milestones: &mut [Milestone],
    deed: &Deed,
) -> Result<(), Fault> {
    let (account, today) = (ctx.account()?, ctx.now.date());
    match deed.act {
        Act::Progress => {}
        Act::Milestone => {
            let open = milestones
                .iter_mut()
                .find(|one| Some(one.id) == deed.milestone && one.done.is_none());
            let one = open.ok_or_else(|| Fault::invalid("milestone_id", "project_milestone"))?;
            one.done = Some(today);
            store::reached(tx, one.id, today)?;
        }
        Act::Ask => project.asked = deed.day.map(|day| (day, account)),
        Act::Grant => {
            if let Some((day, _)) = project.asked.take() {
                project.due = day;
                project.extended += 1;
            }
        }
        Act::Refuse => project.asked = None,
        Act::Report => {
            project.reported = Some((account, today));
            project.result = Some(deed.words.trim().to_owned());
            project.asked = None;
        }
        Act::Accept | Act::Stop => project.ended = Some(today),
        Act::SendBack => (project.reported, project.result) = (None, None),
        Act::Lead => project.leader = deed.leader.unwrap_or(project.leader),
    }
    Ok(())
}

fn entry(ctx: &Ctx, tx: &mut Tx, deed: &Deed, asked: Option<Date>) -> Result<Entry, Fault> {
    let mut photos = Vec::new();
    for upload in &deed.photos {
        photos.push(blobs::take(ctx, tx, *upload)?.hash);
    }
    photos.sort();
    photos.dedup();
    Ok(Entry {
        id: deed.id,
        act: deed.act.key().to_owned(),
        words: deed.words.trim().to_owned(),
        day: match deed.act {
            Act::Ask => deed.day,
            Act::Grant | Act::Refuse => asked,
            _ => None,
        },
        milestone: deed.milestone.filter(|_| deed.act == Act::Milestone),
        leader: deed.leader.filter(|_| deed.act == Act::Lead),
        by_name: ctx.actor.name().to_owned(),
        at: ctx.now,
        photos,
    })
}

/// Who gave it out hears what waits for a decision, its leader what was decided.
fn tell(ctx: &Ctx, tx: &mut Tx, project: &Project, act: Act) -> Result<(), Fault> {
    let (to, kind) = match act {
        Act::Ask => (project.made_worker, "project_asked"),
        Act::Report => (project.made_worker, "project_reported"),
        Act::Grant => (Some(project.leader), "project_granted"),
        Act::Refuse => (Some(project.leader), "project_refused"),
        Act::Accept => (Some(project.leader), "project_accepted"),
        Act::SendBack => (Some(project.leader), "project_sent_back"),
        Act::Lead => (Some(project.leader), "project_given"),
        Act::Stop => (Some(project.leader), "project_stopped"),
        Act::Progress | Act::Milestone => return Ok(()),
    };
    let Some(worker) = to.filter(|to| Some(*to) != ctx.worker().ok()) else {
        return Ok(());
    };
    let body = json!({ "title": project.title });
    cases::notify(ctx, tx, worker, &Subject::Project(project.id), kind, body)
}

/// Whether dates of a project are still spoken of.
pub(super) fn is_running(project: &Project) -> bool {
    project.phase == Phase::Running
}
