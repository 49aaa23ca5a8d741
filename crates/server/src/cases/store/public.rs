//! The SQL of what anybody may read: only kinds that are public, never a matter whose reporter wants to stay unknown, never a withdrawn one.

use crate::cases::public::{CHANNEL, Question};
use crate::cases::queue::Reach;
use crate::cases::record::*;
use crate::cases::store::After;
use crate::platform::*;
use db::Sql;
use domain::time::Timestamp;
use std::collections::HashMap;

/// Adds the conditions every public reading of cases `c` has. Nearly all cases meet them, newest first is the order: the case keeps the
/// kinds and states from choosing the index.
fn publicly(sql: Sql, reach: &Reach, codes: &[String]) -> Sql {
    reach
        .push(sql)
        .push(" and c.public = 1 and c.state <> 'withdrawn' and case when c.category_code in (")
        .list(codes.iter())
        .push(") then 1 else 0 end = 1 and not exists (select 1 from report r where r.id = c.id and r.anonymous = 1)")
}

const OVER: &str = "(c.state in ('closed', 'declined') or exists (select 1 from cases m where m.id = c.merged_into and m.state in ('closed', 'declined')))";

fn in_box(sql: Sql, alias: &'static str, [w, s, e, n]: &[f64; 4]) -> Sql {
    let sql = sql.push(" and ").push(alias).push(".lon >= ").bind(*w);
    let sql = sql.push(" and ").push(alias).push(".lon <= ").bind(*e);
    let sql = sql.push(" and ").push(alias).push(".lat >= ").bind(*s);
    sql.push(" and ").push(alias).push(".lat <= ").bind(*n)
}

/// The newest first.
pub fn public_cases(tx: &mut Tx, reach: &Reach, q: &Question, codes: &[String]) -> Result<Vec<CaseRow>, Fault> {
    let mut sql = publicly(
        Sql::new(concat!("select ", case_columns!(), " from cases c where ")),
        reach,
        codes,
    );
    if let Some(numbers) = &q.numbers {
        sql = sql.push(" and c.number in (").list(numbers.iter()).push(")");
    }
    if let Some((from, to)) = q.received {
        sql = sql.push(" and c.received_at >= ").bind(from.0);
        sql = sql.push(" and c.received_at <= ").bind(to.0);
    }
    sql = match q.open {
        None => sql,
        Some(false) => sql.push(" and ").push(OVER),
        Some(true) => sql.push(" and not ").push(OVER),
    };
    if let Some([w, s, e, n]) = q.within {
        // Only positions that are shown can be asked for; else the box would tell the others.
        sql = sql.push(" and c.channel = ").bind(CHANNEL);
        sql = sql.push(" and c.lat >= ").bind(s).push(" and c.lat <= ").bind(n);
        sql = sql.push(" and c.lon >= ").bind(w).push(" and c.lon <= ").bind(e);
    }
    if !q.shown_in.is_empty() {
        sql = sql.push(" and (1 = 0");
        for bbox in &q.shown_in {
            sql = sql
                .push(" or (c.channel = ")
                .bind(CHANNEL)
                .push(" and c.lon is not null");
            sql = in_box(sql, "c", bbox);
            sql = sql.push(") or ((c.lon is null or c.channel <> ").bind(CHANNEL);
            sql = sql.push(") and exists (select 1 from area a where a.id = c.area_id");
            sql = in_box(sql, "a", bbox).push("))");
        }
        sql = sql.push(")");
    }
    if let Some(number) = &q.after {
        sql = sql.push(" and (c.received_at, c.id) < (select l.received_at, l.id from cases l where l.number = ");
        sql = sql.bind(number).push(")");
    }
    sql = sql.push(" order by c.received_at desc, c.id desc limit ").bind(q.limit);
    let sql = sql.push(" offset ").bind(q.offset);
    tx.fetch(&sql)?.iter().map(CaseRow::read).collect()
}

/// Closed ones, the newest first, one more than `limit` when there are more.
pub fn outcomes(
    tx: &mut Tx,
    reach: &Reach,
    codes: &[String],
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<CaseRow>, Fault> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(concat!("select ", case_columns!(), " from cases c where "));
    let mut sql = publicly(sql, reach, codes).push(" and case when c.state = 'closed' then 1 else 0 end = 1");
    if let Some((received, id)) = after {
        sql = sql.push(" and (c.received_at, c.id) < (").bind(*received);
        sql = sql.push(", ").bind(id).push(")");
    }
    sql = sql.push(" order by c.received_at desc, c.id desc limit ");
    let rows = tx.fetch(&sql.bind(i64::from(limit) + 1))?;
    rows.iter().map(CaseRow::read).collect()
}

/// How many cases of these kinds were closed in each of these areas, from the counters.
pub fn closed_in(tx: &mut Tx, areas: &[AreaId], codes: &[String]) -> Result<HashMap<AreaId, u64>, Fault> {
    if areas.is_empty() || codes.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("select area_id, cast(sum(n) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied());
    let sql = sql
        .push(") and measure = 'closed' and dim = 'category' and key in (")
        .list(codes.iter());
    let rows = tx.fetch(&sql.push(") group by area_id"))?;
    let count = |row: &db::Row| Ok((row.get(0)?, u64::try_from(row.get::<i64>(1)?).unwrap_or(0)));
    rows.iter().map(count).collect()
}

/// When each of these cases last changed its state.
pub fn last_changes(
    tx: &mut Tx,
    cases: &[CaseId],
    steps: &[&'static str],
) -> Result<HashMap<CaseId, Timestamp>, Fault> {
    if cases.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("select case_id, max(at) from case_event where case_id in (").list(cases.iter().copied());
    let sql = sql
        .push(") and kind in (")
        .list(steps.iter().copied())
        .push(") group by case_id");
    let rows = tx.fetch(&sql)?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, Timestamp(row.get(1)?))))
        .collect()
}

/// The last answer of each of these cases that was given to whoever reported it, or to all.
pub fn last_answers(tx: &mut Tx, cases: &[CaseId]) -> Result<HashMap<CaseId, String>, Fault> {
    if cases.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("select a.case_id, a.body from answer a where a.case_id in (").list(cases.iter().copied());
    let sql = sql.push(") and (a.report_id is null or a.report_id = a.case_id) order by a.at, a.id");
    let rows = tx.fetch(&sql)?;
    // The later one replaces the earlier.
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Photos sent with the reports that opened these cases.
pub fn report_photos(tx: &mut Tx, cases: &[CaseId]) -> Result<HashMap<CaseId, Vec<String>>, Fault> {
    let mut found: HashMap<CaseId, Vec<String>> = HashMap::new();
    if cases.is_empty() {
        return Ok(found);
    }
    let sql =
        Sql::new("select a.case_id, a.blob_hash from attachment a where a.case_id in (").list(cases.iter().copied());
    let sql = sql.push(") and a.stage = 'report' and a.report_id = a.case_id order by a.at, a.blob_hash");
    for row in tx.fetch(&sql)? {
        found.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(found)
}

/// A step of a public case.
pub struct ChangeRow {
    pub number: String,
    pub channel: String,
    pub seq: i64,
    pub at: Timestamp,
    pub step: String,
    pub body: serde_json::Value,
}

/// Steps within `[from, to)`, oldest first; one more than `most` when there are more.
pub fn public_changes(
    tx: &mut Tx,
    reach: &Reach,
    codes: &[String],
    steps: &[&'static str],
    numbers: Option<&[String]>,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<ChangeRow>, Fault> {
    let sql = Sql::new(
        "select c.number, c.channel, e.seq, e.at, e.kind, e.body from case_event e join cases c on c.id = e.case_id where ",
    );
    let mut sql = publicly(sql, reach, codes);
    sql = sql.push(" and e.at >= ").bind(from.0).push(" and e.at < ").bind(to.0);
    sql = sql.push(" and e.kind in (").list(steps.iter().copied()).push(")");
    if let Some(numbers) = numbers {
        sql = sql.push(" and c.number in (").list(numbers.iter()).push(")");
    }
    let sql = sql
        .push(" order by e.at, e.case_id, e.seq limit ")
        .bind(most as i64 + 1);
    let read = |row: &db::Row| -> Result<ChangeRow, Fault> {
        let mut c = Cursor(row, 0);
        Ok(ChangeRow {
            number: c.next()?,
            channel: c.next()?,
            seq: c.next()?,
            at: Timestamp(c.next()?),
            step: c.next()?,
            body: serde_json::from_str(&c.next::<String>()?).map_err(Fault::internal)?,
        })
    };
    tx.fetch(&sql)?.iter().map(read).collect()
}
