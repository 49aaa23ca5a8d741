//! SQL of campaigns.

use super::campaign::{Campaign, Phase, Wish};
use super::counts::Cell;
use super::tasks::{After, Asked};
use super::wording::{self, QuestionText};
use crate::duties::SubjectKind;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::campaigns::State;
use domain::duties::Outcome;
use domain::time::{Timestamp, date_of};
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};

/// Campaigns that run at the same time, at most: a phone is told of no more.
const MAX_RUNNING: i64 = 200;
/// Subjects named in one statement.
const AT_ONCE: usize = 500;
const DEPTH_COLUMNS: [&str; 5] = ["t.a1 = ", "t.a2 = ", "t.a3 = ", "t.a4 = ", "t.a5 = "];

fn day_of(day: Date) -> i64 {
    i64::from((day - date(1970, 1, 1)).get_days())
}

// ---------------------------------------------------------------- campaigns

macro_rules! columns {
    () => {
        "c.id, c.title, c.why, c.script, c.question, c.asks, c.duty, c.area_id, c.a1, c.a2, c.a3, c.a4, c.a5, c.from_day, c.until_day, \
         c.keep_until, c.state, c.erased, c.summary, c.created_at, c.closed_at"
    };
}

fn read(row: &Row) -> Result<Campaign, Fault> {
    let question: QuestionText = serde_json::from_str(row.text(4)?).map_err(Fault::internal)?;
    let asks: Vec<wording::AskText> = serde_json::from_str(row.text(5)?).map_err(Fault::internal)?;
    let phase = Phase::parse(row.text(16)?).ok_or_else(|| Fault::internal("an unknown phase of a campaign"))?;
    Ok(Campaign {
        id: row.get(0)?,
        wish: Wish {
            title: row.get(1)?,
            why: row.get(2)?,
            script: row.get(3)?,
            question: question.kept()?,
            asks: wording::kept_asks(&asks),
            duty: row.get(6)?,
            area: row.get(7)?,
            from: date_of(row.get(13)?),
            until: date_of(row.get(14)?),
            keep_until: date_of(row.get(15)?),
        },
        areas: [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?],
        phase,
        erased: row.get::<i64>(17)? != 0,
        summary: row.get(18)?,
        created_at: Timestamp(row.get(19)?),
        closed_at: row.get::<Option<i64>>(20)?.map(Timestamp),
    })
}

pub fn campaign(tx: &mut Tx, id: CampaignId, locked: bool) -> Result<Option<Campaign>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from campaign c where c.id = ")).bind(id);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// Campaigns, the newest first, after one.
pub fn campaigns(tx: &mut Tx, after: Option<CampaignId>, limit: u32) -> Result<Vec<Campaign>, Fault> {
    let mut sql = Sql::new(concat!("select ", columns!(), " from campaign c"));
    if let Some(after) = after {
        sql = sql.push(" where c.id < ").bind(after);
    }
    let sql = sql.push(" order by c.id desc limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Campaigns that run, or are being filled, and have begun by a day.
pub fn running(tx: &mut Tx, day: i64) -> Result<Vec<Campaign>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from campaign c where c.state in ('filling', 'running') and c.from_day <= "
    ));
    let sql = sql.bind(day).push(" order by c.id desc limit ").bind(MAX_RUNNING);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Writes a draft, in place of what was there under the same id.
pub fn put(ctx: &Ctx, tx: &mut Tx, one: &Campaign) -> Result<(), Fault> {
    let ([a1, a2, a3, a4, a5], wish) = (one.areas, &one.wish);
    let question = serde_json::to_string(&QuestionText::of(&wish.question)).map_err(Fault::internal)?;
    let asks = serde_json::to_string(&wording::ask_texts(&wish.asks)).map_err(Fault::internal)?;
    tx.execute(
        "insert into campaign (id, title, why, script, question, asks, duty, area_id, a1, a2, a3, a4, a5, from_day, until_day, keep_until, \
         state, erased, created_by, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'draft', 0, $17, $18) \
         on conflict (id) do update set title = excluded.title, why = excluded.why, script = excluded.script, question = excluded.question, \
         asks = excluded.asks, duty = excluded.duty, area_id = excluded.area_id, a1 = excluded.a1, a2 = excluded.a2, a3 = excluded.a3, \
         a4 = excluded.a4, a5 = excluded.a5, from_day = excluded.from_day, until_day = excluded.until_day, keep_until = excluded.keep_until",
        &params![
            one.id,
            wish.title.trim(),
            wish.why.trim(),
            wish.script.trim(),
            question,
            asks,
            &wish.duty,
            wish.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            day_of(wish.from),
            day_of(wish.until),
            day_of(wish.keep_until),
            ctx.account()?,
            ctx.now.0
        ],
    )?;
    Ok(())
}

/// Goes on to a phase, and notes when it started or was closed.
pub fn set_phase(ctx: &Ctx, tx: &mut Tx, id: CampaignId, phase: Phase, summary: Option<&str>) -> Result<(), Fault> {
    let started = (phase == Phase::Filling).then_some(ctx.now.0);
    let closed = (phase == Phase::Closed).then_some(ctx.now.0);
    tx.execute(
        "update campaign set state = $1, started_at = coalesce(started_at, $2), closed_at = coalesce($3, closed_at), \
         summary = coalesce($4, summary) where id = $5",
        &params![phase.key(), started, closed, summary.map(str::to_owned), id],
    )?;
    Ok(())
}

/// A campaign whose answers are to be deleted.
pub fn to_erase(tx: &mut Tx, today: i64) -> Result<Option<CampaignId>, Fault> {
    let row = tx.query_opt(
        "select id from campaign where erased = 0 and state <> 'draft' and keep_until < $1 order by id limit 1",
        &params![today],
    )?;
    row.map(|row| Ok(row.get(0)?)).transpose()
}

/// Deletes some of what was answered, then of those it was for; how many.
pub fn delete_some(tx: &mut Tx, id: CampaignId, limit: i64) -> Result<u64, Fault> {
    let deleted = tx.execute(
        "delete from campaign_result where campaign_id = $1 and (subject_id, visit_id) in \
         (select subject_id, visit_id from campaign_result where campaign_id = $1 order by subject_id, visit_id limit $2)",
        &params![id, limit],
    )?;
    let left = limit - deleted as i64;
    if left == 0 {
        return Ok(deleted);
    }
    let tasks = tx.execute(
        "delete from campaign_task where campaign_id = $1 and subject_id in \
         (select subject_id from campaign_task where campaign_id = $1 order by subject_id limit $2)",
        &params![id, left],
    )?;
    Ok(deleted + tasks)
}

pub fn set_erased(tx: &mut Tx, id: CampaignId) -> Result<(), Fault> {
    tx.execute(
        "update campaign set erased = 1, state = 'closed' where id = $1",
        &params![id],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- tasks

/// One household or place of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    pub campaign: CampaignId,
    pub kind: SubjectKind,
    pub subject: DutySubjectId,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
    pub state: State,
    pub tried: i64,
    pub reason: Option<Outcome>,
    pub met_at: Option<Timestamp>,
}

const TASK: &str = "t.campaign_id, t.subject_kind, t.subject_id, t.area_id, t.a1, t.a2, t.a3, t.a4, t.a5, t.state, t.tried, t.reason, t.met_at";

fn read_task(row: &Row) -> Result<TaskRow, Fault> {
    let unknown = || Fault::internal("an unknown word in a campaign's task");
    Ok(TaskRow {
        campaign: row.get(0)?,
        kind: SubjectKind::from_key(row.text(1)?).ok_or_else(unknown)?,
        subject: row.get(2)?,
        area: row.get(3)?,
        areas: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
        state: State::parse(row.text(9)?).ok_or_else(unknown)?,
        tried: row.get(10)?,
        reason: row.get::<Option<String>>(11)?.as_deref().and_then(Outcome::parse),
        met_at: row.get::<Option<i64>>(12)?.map(Timestamp),
    })
}

fn select(rest: &'static str) -> Sql {
    Sql::new("select ").push(TASK).push(" from campaign_task t ").push(rest)
}

pub fn insert_tasks(tx: &mut Tx, rows: &[TaskRow]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let values = rows.iter().map(|row| {
        let [a1, a2, a3, a4, a5] = row.areas;
        params![
            row.campaign,
            row.kind.key(),
            row.subject,
            row.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            row.state.key(),
            row.tried
        ]
    });
    tx.insert_rows(
        "insert into campaign_task (campaign_id, subject_kind, subject_id, area_id, a1, a2, a3, a4, a5, state, tried) values ",
        values,
        "",
    )?;
    Ok(())
}

/// Which of these have a task already.
pub fn present(tx: &mut Tx, id: CampaignId, rows: &[TaskRow]) -> Result<BTreeSet<DutySubjectId>, Fault> {
    let mut found = BTreeSet::new();
    for some in rows.chunks(AT_ONCE) {
        let sql = Sql::new("select subject_id from campaign_task where campaign_id = ").bind(id);
        let sql = sql
            .push(" and subject_id in (")
            .list(some.iter().map(|row| row.subject))
            .push(")");
        for row in tx.fetch(&sql)? {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

pub fn update_task(tx: &mut Tx, row: &TaskRow) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = row.areas;
    tx.execute(
        "update campaign_task set area_id = $1, a1 = $2, a2 = $3, a3 = $4, a4 = $5, a5 = $6, state = $7, tried = $8, reason = $9, met_at = $10 \
         where campaign_id = $11 and subject_id = $12",
        &params![
            row.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            row.state.key(),
            row.tried,
            row.reason.map(Outcome::key),
            row.met_at.map(|at| at.0),
            row.campaign,
            row.subject
        ],
    )?;
    Ok(())
}

pub fn task(tx: &mut Tx, campaign: CampaignId, subject: DutySubjectId, locked: bool) -> Result<Option<TaskRow>, Fault> {
    let sql = select("where t.campaign_id = ").bind(campaign);
    let sql = sql.push(" and t.subject_id = ").bind(subject);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read_task).transpose()
}

/// The tasks one subject has in campaigns that are not over.
pub fn tasks_of(tx: &mut Tx, subject: DutySubjectId, kind: SubjectKind) -> Result<Vec<TaskRow>, Fault> {
    let sql =
        select("join campaign c on c.id = t.campaign_id where c.state in ('filling', 'running') and t.subject_id = ");
    let sql = sql.bind(subject).push(" and t.subject_kind = ").bind(kind.key());
    let sql = sql.push(" order by t.campaign_id");
    tx.fetch(&sql)?.iter().map(read_task).collect()
}

/// The tasks of a campaign in order of subject, after one.
pub fn tasks_after(
    tx: &mut Tx,
    campaign: CampaignId,
    after: Option<DutySubjectId>,
    limit: u32,
) -> Result<Vec<TaskRow>, Fault> {
    let mut sql = select("where t.campaign_id = ").bind(campaign);
    if let Some(after) = after {
        sql = sql.push(" and t.subject_id > ").bind(after);
    }
    let sql = sql.push(" order by t.subject_id limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(read_task).collect()
}

/// What is wanted in these areas for these campaigns, by the last day of the campaign; one more than `limit` when there is more.
pub fn today(
    tx: &mut Tx,
    mine: &[(Vec<CampaignId>, Vec<AreaId>)],
    after: Option<After>,
    limit: u32,
) -> Result<Vec<TaskRow>, Fault> {
    let mut sql = select("join campaign c on c.id = t.campaign_id where t.state in ('open', 'follow') and (1 = 0");
    for (campaigns, areas) in mine {
        sql = sql.push(" or (t.area_id in (").list(areas.iter().copied());
        sql = sql
            .push(") and t.campaign_id in (")
            .list(campaigns.iter().copied())
            .push("))");
    }
    sql = sql.push(")");
    if let Some((until, campaign, subject)) = after {
        sql = sql
            .push(" and (c.until_day, t.campaign_id, t.subject_id) > (")
            .bind(until);
        sql = sql.push(", ").bind(campaign).push(", ").bind(subject).push(")");
    }
    let sql = sql
        .push(" order by c.until_day, t.campaign_id, t.subject_id limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read_task).collect()
}

/// The tasks of an area of this depth and all below it, in order of subject; one more than `limit` when there are more.
pub fn tasks(tx: &mut Tx, asked: &Asked, depth: u8) -> Result<Vec<TaskRow>, Fault> {
    let column = DEPTH_COLUMNS.get(usize::from(depth).wrapping_sub(1));
    let column = column.ok_or_else(|| Fault::internal("an area without a depth"))?;
    let mut sql = select("where t.campaign_id = ").bind(asked.campaign);
    sql = sql.push(" and ").push(column).bind(asked.area);
    if let Some(state) = asked.state {
        sql = sql.push(" and t.state = ").bind(state.key());
    }
    if let Some(after) = asked.after {
        sql = sql.push(" and t.subject_id > ").bind(after);
    }
    let sql = sql
        .push(" order by t.subject_id limit ")
        .bind(i64::from(asked.limit) + 1);
    tx.fetch(&sql)?.iter().map(read_task).collect()
}

// ---------------------------------------------------------------- results

/// What one call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    pub campaign: CampaignId,
    pub subject: DutySubjectId,
    pub visit: VisitId,
    pub at: Timestamp,
    pub met: bool,
    pub follow: bool,
    pub answers_sealed: Option<Vec<u8>>,
    pub note_sealed: Option<Vec<u8>>,
    pub sent: String,
}

/// Names a result where it is sealed.
pub fn result_key(campaign: CampaignId, subject: DutySubjectId, visit: VisitId) -> String {
    format!("{campaign}:{subject}:{visit}")
}

macro_rules! result_columns {
    () => {
        "campaign_id, subject_id, visit_id, at, met, follow, answers_sealed, note_sealed, sent_index"
    };
}

fn read_result(row: &Row) -> Result<ResultRow, Fault> {
    Ok(ResultRow {
        campaign: row.get(0)?,
        subject: row.get(1)?,
        visit: row.get(2)?,
        at: Timestamp(row.get(3)?),
        met: row.get::<i64>(4)? != 0,
        follow: row.get::<i64>(5)? != 0,
        answers_sealed: row.get(6)?,
        note_sealed: row.get(7)?,
        sent: row.get(8)?,
    })
}

pub fn result(
    tx: &mut Tx,
    campaign: CampaignId,
    subject: DutySubjectId,
    visit: VisitId,
) -> Result<Option<ResultRow>, Fault> {
    let row = tx.query_opt(
        concat!(
            "select ",
            result_columns!(),
            " from campaign_result where campaign_id = $1 and subject_id = $2 and visit_id = $3"
        ),
        &params![campaign, subject, visit],
    )?;
    row.as_ref().map(read_result).transpose()
}

/// The last call at which somebody was met there.
pub fn last_met(tx: &mut Tx, task: &TaskRow) -> Result<Option<ResultRow>, Fault> {
    last(tx, task, " and met = 1", None)
}

/// The last call at which something was answered there, but for one.
pub fn last_answered(tx: &mut Tx, task: &TaskRow, but: Option<VisitId>) -> Result<Option<ResultRow>, Fault> {
    last(tx, task, " and answers_sealed is not null", but)
}

fn last(tx: &mut Tx, task: &TaskRow, which: &'static str, but: Option<VisitId>) -> Result<Option<ResultRow>, Fault> {
    let mut sql = Sql::new(concat!(
        "select ",
        result_columns!(),
        " from campaign_result where campaign_id = "
    ));
    sql = sql
        .bind(task.campaign)
        .push(" and subject_id = ")
        .bind(task.subject)
        .push(which);
    if let Some(but) = but {
        sql = sql.push(" and visit_id <> ").bind(but);
    }
    let sql = sql.push(" order by at desc, recorded_at desc, visit_id desc limit 1");
    tx.fetch(&sql)?.first().map(read_result).transpose()
}

pub fn insert_result(ctx: &Ctx, tx: &mut Tx, row: &ResultRow) -> Result<(), Fault> {
    tx.execute(
        "insert into campaign_result (campaign_id, subject_id, visit_id, account_id, at, met, follow, answers_sealed, note_sealed, sent_index, \
         recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &params![
            row.campaign,
            row.subject,
            row.visit,
            ctx.account()?,
            row.at.0,
            i64::from(row.met),
            i64::from(row.follow),
            row.answers_sealed.clone(),
            row.note_sealed.clone(),
            &row.sent,
            ctx.now.0
        ],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- counts

pub fn add_counts(tx: &mut db::Tx<'_>, changes: BTreeMap<Cell, i64>) -> Result<(), db::DbError> {
    let strand = tx.strand();
    let rows = changes
        .into_iter()
        .map(|((campaign, area, what), number)| params![campaign, area, what, strand, number]);
    tx.insert_rows(
        "insert into campaign_count (campaign_id, area_id, what, strand, number) values ",
        rows,
        " on conflict (campaign_id, area_id, what, strand) do update set number = campaign_count.number + excluded.number",
    )
}

/// The numbers of a campaign in some areas.
pub fn counts(
    tx: &mut Tx,
    campaign: CampaignId,
    areas: &[AreaId],
) -> Result<BTreeMap<AreaId, BTreeMap<String, i64>>, Fault> {
    let mut found: BTreeMap<AreaId, BTreeMap<String, i64>> = BTreeMap::new();
    if areas.is_empty() {
        return Ok(found);
    }
    let sql = Sql::new("select area_id, what, cast(sum(number) as bigint) from campaign_count where campaign_id = ");
    let sql = sql.bind(campaign).push(" and area_id in (").list(areas.iter().copied());
    for row in tx.fetch(&sql.push(") group by area_id, what"))? {
        found.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(found)
}
