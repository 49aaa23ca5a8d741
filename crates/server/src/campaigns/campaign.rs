//! A campaign from its draft to its end.

use super::{counts, store, tasks, wording};
use crate::platform::*;
use crate::registry::{self, At};
use crate::{policy, territory};
use domain::campaigns::{Asks, Question, State};
use domain::registry::care;
use jiff::civil::Date;
use serde_json::json;
use std::collections::BTreeMap;

/// Longest title, and longest text (characters).
const MAX_TITLE: usize = 60;
const MAX_TEXT: usize = 1_000;
/// Longest campaign, and longest time what was answered is kept after it (days).
const MAX_DAYS: i64 = 366;
/// Earliest start: a day of planning may begin before the campaign is written down.
const MAX_BACK: i64 = 7;

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Draft,
    /// The question is being answered: tasks come page by page.
    Filling,
    Running,
    Closed,
}

impl Phase {
    pub const ALL: [Phase; 4] = [Phase::Draft, Phase::Filling, Phase::Running, Phase::Closed];

    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            Phase::Draft => "draft",
            Phase::Filling => "filling",
            Phase::Running => "running",
            Phase::Closed => "closed",
        }
    }

    pub fn parse(key: &str) -> Option<Phase> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// A campaign as somebody wishes it.
#[derive(Debug, Clone)]
pub struct Wish {
    pub title: String,
    pub why: String,
    pub script: String,
    pub question: Question,
    pub asks: Asks,
    pub duty: String,
    pub area: AreaId,
    /// Both included.
    pub from: Date,
    pub until: Date,
    /// What was answered is deleted after this day.
    pub keep_until: Date,
}

/// A campaign as it is.
#[derive(Debug, Clone)]
pub struct Campaign {
    pub id: CampaignId,
    pub wish: Wish,
    pub areas: [Option<AreaId>; 5],
    pub phase: Phase,
    pub erased: bool,
    pub summary: Option<String>,
    pub created_at: domain::time::Timestamp,
    pub closed_at: Option<domain::time::Timestamp>,
}

impl Campaign {
    /// Where it is asked, and on which day: ages are those of the day somebody goes.
    pub(super) fn at(&self, today: Date) -> At {
        at(self.wish.area, &self.areas, self.wish.from.max(today))
    }
}

fn at(area: AreaId, areas: &[Option<AreaId>; 5], on: Date) -> At {
    let depth = areas.iter().flatten().count() as u8;
    At { area, depth, on }
}

fn check(ctx: &Ctx, tx: &mut Tx, wish: &Wish) -> Result<[Option<AreaId>; 5], Fault> {
    let length = |text: &str, most: usize| (1..=most).contains(&text.trim().chars().count());
    if !length(&wish.title, MAX_TITLE) {
        return Err(Fault::invalid("title", "campaign_title").with("most", MAX_TITLE));
    }
    for (field, text) in [("why", &wish.why), ("script", &wish.script)] {
        if !length(text, MAX_TEXT) {
            return Err(Fault::invalid(field, "campaign_words").with("most", MAX_TEXT));
        }
    }
    for (field, text) in [("title", &wish.title), ("why", &wish.why), ("script", &wish.script)] {
        if matches!(wish.question, Question::Households(_)) && care::forbidden(text).is_some() {
            return Err(Fault::invalid(field, "campaign_forbidden"));
        }
    }
    days(ctx, wish)?;
    let chain = chain(ctx, wish.area)?;
    let current = policy::current(&ctx.app)?;
    if current.pack.duty(&wish.duty).is_none() {
        return Err(Fault::invalid("duty", "invalid_field"));
    }
    may_ask(ctx, tx, &wish.question, wish.area)?;
    // Who is on a sensitive register is told to those who serve it, and to nobody else: by a list of doors, too.
    for key in wish.question.registers() {
        let register = current.pack.registers.iter().find(|one| one.key == key);
        if register.is_some_and(|one| one.sensitive && !one.serves.contains(&wish.duty)) {
            return Err(Fault::invalid("duty", "campaign_not_served"));
        }
    }
    Ok(chain)
}

fn days(ctx: &Ctx, wish: &Wish) -> Result<(), Fault> {
    let between = |from: Date, to: Date| i64::from((to - from).get_days());
    if between(wish.from, ctx.now.date()) > MAX_BACK {
        return Err(Fault::invalid("from", "campaign_from").with("days", MAX_BACK));
    }
    if !(0..MAX_DAYS).contains(&between(wish.from, wish.until)) || wish.until < ctx.now.date() {
        return Err(Fault::invalid("until", "campaign_until").with("days", MAX_DAYS));
    }
    if !(0..=MAX_DAYS).contains(&between(wish.until, wish.keep_until)) {
        return Err(Fault::invalid("keep_until", "campaign_keep").with("days", MAX_DAYS));
    }
    Ok(())
}

/// The areas around an area the caller may run campaigns in.
fn chain(ctx: &Ctx, area: AreaId) -> Result<[Option<AreaId>; 5], Fault> {
    let map = territory::current(&ctx.app);
    let found = map.area(area).map(|area| area.chain);
    found
        .filter(|chain| ctx.scope.covers(chain, Permission::CampaignManage))
        .ok_or_else(|| Fault::invalid("area_id", "unknown_area"))
}

/// Whether the caller may know of the registers a question speaks of.
fn may_ask(ctx: &Ctx, tx: &mut Tx, question: &Question, area: AreaId) -> Result<(), Fault> {
    let current = policy::current(&ctx.app)?;
    for key in question.registers() {
        let known = current.pack.registers.iter().any(|one| one.key == key);
        if !known || !registry::may_know(ctx, tx, key, area)? {
            return Err(Fault::invalid("question", "campaign_register"));
        }
    }
    Ok(())
}

/// How many a question finds in an area now.
pub fn matching(ctx: &Ctx, tx: &mut Tx, question: &Question, area: AreaId, on: Date) -> Result<i64, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let chain = chain(ctx, area)?;
    may_ask(ctx, tx, question, area)?;
    tasks::matching(ctx, tx, question, at(area, &chain, on))
}

/// A draft: nothing happens yet. Made again with the same id it is the same.
pub fn make(ctx: &Ctx, tx: &mut Tx, id: CampaignId, wish: Wish) -> Result<Campaign, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let areas = check(ctx, tx, &wish)?;
    if let Some(before) = store::campaign(tx, id, true)? {
        let mine = ctx.scope.covers(&before.areas, Permission::CampaignManage);
        if !mine || before.phase != Phase::Draft {
            return Err(Fault::conflict("campaign_started"));
        }
    }
    let made = Campaign {
        id,
        wish,
        areas,
        phase: Phase::Draft,
        erased: false,
        summary: None,
        created_at: ctx.now,
        closed_at: None,
    };
    store::put(ctx, tx, &made)?;
    let body = json!({ "title": made.wish.title, "area": made.wish.area, "who": wording::QuestionText::of(&made.wish.question).who });
    tx.record(ctx, Mark::new("campaign.drafted", Subject::Campaign(id), body))?;
    Ok(made)
}

fn mine(ctx: &Ctx, tx: &mut Tx, id: CampaignId) -> Result<Campaign, Fault> {
    ctx.scope.require(Permission::CampaignManage)?;
    let found = store::campaign(tx, id, true)?;
    found
        .filter(|one| ctx.scope.covers(&one.areas, Permission::CampaignManage))
        .ok_or_else(Fault::not_found)
}

/// Finds those it is for and gives each to whom it falls.
pub fn start(ctx: &Ctx, tx: &mut Tx, id: CampaignId) -> Result<Campaign, Fault> {
    let mut campaign = mine(ctx, tx, id)?;
    if campaign.phase != Phase::Draft {
        return Err(Fault::conflict("campaign_started"));
    }
    check(ctx, tx, &campaign.wish)?;
    if tasks::matching(ctx, tx, &campaign.wish.question, campaign.at(ctx.now.date()))? == 0 {
        return Err(Fault::refused("campaign_nobody"));
    }
    campaign.phase = Phase::Filling;
    store::set_phase(ctx, tx, id, Phase::Filling, None)?;
    tasks::fill_from(ctx, tx, id, None)?;
    let body = json!({ "until": campaign.wish.until.to_string(), "keep_until": campaign.wish.keep_until.to_string() });
    tx.record(ctx, Mark::new("campaign.started", Subject::Campaign(id), body))?;
    Ok(campaign)
}

/// Finds those who came since, or of whom it holds now; those found before stay.
pub fn find_again(ctx: &Ctx, tx: &mut Tx, id: CampaignId) -> Result<Campaign, Fault> {
    let mut campaign = mine(ctx, tx, id)?;
    if campaign.phase != Phase::Running {
        return Err(Fault::conflict("campaign_not_running"));
    }
    may_ask(ctx, tx, &campaign.wish.question, campaign.wish.area)?;
    campaign.phase = Phase::Filling;
    store::set_phase(ctx, tx, id, Phase::Filling, None)?;
    tasks::fill_from(ctx, tx, id, None)?;
    tx.record(ctx, Mark::new("campaign.found_again", Subject::Campaign(id), json!({})))?;
    Ok(campaign)
}

/// Ends it with a word on what came of it. What waits on a phone still counts when it arrives.
pub fn close(ctx: &Ctx, tx: &mut Tx, id: CampaignId, summary: &str) -> Result<Campaign, Fault> {
    let mut campaign = mine(ctx, tx, id)?;
    if campaign.phase != Phase::Running {
        return Err(Fault::conflict("campaign_not_running"));
    }
    if !(1..=MAX_TEXT).contains(&summary.trim().chars().count()) {
        return Err(Fault::invalid("summary", "campaign_words").with("most", MAX_TEXT));
    }
    store::set_phase(ctx, tx, id, Phase::Closed, Some(summary.trim()))?;
    campaign.phase = Phase::Closed;
    campaign.closed_at = Some(ctx.now);
    campaign.summary = Some(summary.trim().to_owned());
    tx.record(ctx, Mark::new("campaign.closed", Subject::Campaign(id), json!({})))?;
    Ok(campaign)
}

/// Whether the caller may know of a campaign at all: it is in or around an area of theirs, and speaks of no register they must not know of.
fn known(ctx: &Ctx, tx: &mut Tx, one: &Campaign) -> Result<bool, Fault> {
    let Some(area) = begins_at(ctx, one) else {
        return Ok(false);
    };
    for key in one.wish.question.registers() {
        if !registry::may_know(ctx, tx, key, area)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where the caller looks at it from: its area, or the caller's own within it.
pub fn begins_at(ctx: &Ctx, one: &Campaign) -> Option<AreaId> {
    if ctx.scope.covers(&one.areas, Permission::DutyRead) {
        return Some(one.wish.area);
    }
    let map = territory::current(&ctx.app);
    let mut grants = ctx
        .scope
        .with(Permission::DutyRead)
        .filter(|grant| grant.unit.is_none());
    grants.find_map(|grant| grant.area.filter(|area| map.is_under(*area, one.wish.area)))
}

/// Campaigns in or around the caller's areas, the newest first; one more than `limit` when there are more.
pub fn visible(ctx: &Ctx, tx: &mut Tx, after: Option<CampaignId>, limit: u32) -> Result<Vec<Campaign>, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let (mut found, mut after) = (Vec::new(), after);
    loop {
        let page = store::campaigns(tx, after, limit + 1)?;
        let full = page.len() as u32 > limit;
        after = page.last().map(|one| one.id);
        for one in page {
            if known(ctx, tx, &one)? {
                found.push(one);
            }
        }
        if !full || found.len() as u32 > limit {
            found.truncate(limit as usize + 1);
            return Ok(found);
        }
    }
}

/// One, as far as the caller may know of it.
pub fn seen(ctx: &Ctx, tx: &mut Tx, id: CampaignId) -> Result<Campaign, Fault> {
    ctx.scope.require(Permission::DutyRead)?;
    let one = store::campaign(tx, id, false)?.ok_or_else(Fault::not_found)?;
    match known(ctx, tx, &one)? {
        true => Ok(one),
        false => Err(Fault::not_found()),
    }
}

/// The numbers of one of the caller's areas and of those right below it, the area first.
pub fn figures(
    ctx: &Ctx,
    tx: &mut Tx,
    id: CampaignId,
    area: Option<AreaId>,
) -> Result<(Campaign, Vec<(AreaId, BTreeMap<String, i64>)>), Fault> {
    let one = seen(ctx, tx, id)?;
    let area = area.or_else(|| begins_at(ctx, &one)).ok_or_else(Fault::not_found)?;
    let map = territory::current(&ctx.app);
    let top = map
        .area(area)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead))
        .ok_or_else(Fault::not_found)?;
    let below = map.children(Some(top.id)).map(|area| area.id);
    let areas: Vec<AreaId> = std::iter::once(top.id).chain(below).collect();
    let mut numbers = counts::of(tx, id, &areas)?;
    let of = |area: AreaId| (area, numbers.remove(&area).unwrap_or_default());
    Ok((one, areas.into_iter().map(of).collect()))
}

/// Whether what was answered may still be written down.
pub fn keeps(one: &Campaign) -> bool {
    !one.erased && matches!(one.phase, Phase::Filling | Phase::Running | Phase::Closed)
}

/// States a list may be of.
pub fn state_of(key: &str) -> Result<State, Fault> {
    State::parse(key).ok_or_else(|| Fault::invalid("state", "invalid_field"))
}
