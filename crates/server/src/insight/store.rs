//! Reads the counters `cube_case` (area, measure, dimension, key, day; see `cases::cube`). One range of its key a figure.

use super::{Counts, Day, Period, Slice};
use crate::platform::{AreaId, Fault, Tx};
use db::{Sql, params};
use std::collections::{BTreeMap, HashMap};

/// Day of the counters that say how many there are now.
const NOW: i64 = 0;
/// Units or categories of one chart.
const SLICES: i64 = 200;

/// Counters of several areas: what is open now, what happened between two days.
pub(super) fn counts(
    tx: &mut Tx,
    areas: &[AreaId],
    Period { from, to, today }: Period,
) -> Result<HashMap<AreaId, Counts>, Fault> {
    let mut all: HashMap<AreaId, Counts> = HashMap::new();
    if areas.is_empty() {
        return Ok(all);
    }
    let sql = Sql::new("select area_id, measure, cast(sum(n) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied())
        .push(") and measure in ('open', 'late') and dim = 'all' and day = ")
        .bind(NOW)
        .push(" group by area_id, measure");
    for row in tx.fetch(&sql)? {
        let counts = all.entry(row.get(0)?).or_default();
        match row.get::<String>(1)?.as_str() {
            "open" => counts.open = row.get(2)?,
            _ => counts.late = row.get(2)?,
        }
    }
    let sql = Sql::new("select area_id, measure, cast(sum(case when day between ")
        .bind(from)
        .push(" and ")
        .bind(to)
        .push(" then n else 0 end) as bigint), cast(sum(case when day = ")
        .bind(today)
        .push(" then n else 0 end) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied())
        .push(") and measure in ('received', 'closed', 'handled', 'handled_on_time', 'handled_answered') and dim = 'all' and (day = ")
        .bind(today)
        .push(" or day between ")
        .bind(from)
        .push(" and ")
        .bind(to)
        .push(") group by area_id, measure");
    for row in tx.fetch(&sql)? {
        let counts = all.entry(row.get(0)?).or_default();
        let (period, today): (i64, i64) = (row.get(2)?, row.get(3)?);
        match row.get::<String>(1)?.as_str() {
            "received" => (counts.received, counts.received_today) = (period, today),
            "closed" => (counts.closed, counts.closed_today) = (period, today),
            "handled" => counts.handled = period,
            "handled_on_time" => counts.handled_on_time = period,
            _ => counts.handled_answered = period,
        }
    }
    let sql = Sql::new("select area_id, key, cast(sum(n) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied())
        .push(") and measure = 'closed' and dim = 'level' and day between ")
        .bind(from)
        .push(" and ")
        .bind(to)
        .push(" group by area_id, key");
    for row in tx.fetch(&sql)? {
        let depth = row.get::<String>(1)?.parse().unwrap_or(0);
        all.entry(row.get(0)?)
            .or_default()
            .closed_by_depth
            .insert(depth, row.get(2)?);
    }
    Ok(all)
}

/// How many were received and closed in the period in all of these areas together.
pub(super) fn happened(tx: &mut Tx, areas: &[AreaId], period: Period) -> Result<HashMap<String, i64>, Fault> {
    if areas.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("select measure, cast(sum(n) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied())
        .push(") and measure in ('received', 'closed') and dim = 'all' and day between ")
        .bind(period.from)
        .push(" and ")
        .bind(period.to)
        .push(" group by measure");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// Open and late cases of an area by the keys of one dimension, most first.
pub(super) fn open_by(tx: &mut Tx, area: AreaId, dim: &'static str) -> Result<Vec<Slice<String>>, Fault> {
    let rows = tx.query(
        "select key, cast(sum(case when measure = 'open' then n else 0 end) as bigint) as open_now,
           cast(sum(case when measure = 'late' then n else 0 end) as bigint)
         from cube_case where area_id = $1 and measure in ('open', 'late') and dim = $2 and day = $3
         group by key having sum(case when measure = 'open' then n else 0 end) > 0 order by open_now desc, key limit $4",
        &params![area, dim, NOW, SLICES],
    )?;
    rows.into_iter()
        .map(|row| {
            Ok(Slice {
                key: row.get(0)?,
                open: row.get(1)?,
                late: row.get(2)?,
            })
        })
        .collect()
}

/// Cases received between two days, by channel, most first.
pub(super) fn by_channel(tx: &mut Tx, area: AreaId, from: i64, to: i64) -> Result<Vec<(String, i64)>, Fault> {
    let rows = tx.query(
        "select key, cast(sum(n) as bigint) as n from cube_case
         where area_id = $1 and measure = 'received' and dim = 'channel' and day between $2 and $3
         group by key having sum(n) > 0 order by n desc, key",
        &params![area, from, to],
    )?;
    rows.into_iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Received and closed on each day between two days, none left out.
pub(super) fn trend(tx: &mut Tx, area: AreaId, from: i64, to: i64) -> Result<Vec<Day>, Fault> {
    let mut days: BTreeMap<i64, Day> = (from..=to).map(|day| (day, Day { day, ..Day::default() })).collect();
    let rows = tx.query(
        "select measure, day, cast(sum(n) as bigint) from cube_case
         where area_id = $1 and measure in ('received', 'closed') and dim = 'all' and day between $2 and $3 group by measure, day",
        &params![area, from, to],
    )?;
    for row in rows {
        let day = days.entry(row.get(1)?).or_default();
        match row.get::<String>(0)?.as_str() {
            "received" => day.received = row.get(2)?,
            _ => day.closed = row.get(2)?,
        }
    }
    Ok(days.into_values().collect())
}

/// Closed between two days, by category and depth of the unit that resolved it. The keys of this dimension are `category/depth`.
pub(super) fn closed_by_category_and_depth(
    tx: &mut Tx,
    area: AreaId,
    from: i64,
    to: i64,
) -> Result<Vec<(String, u8, i64)>, Fault> {
    let rows = tx.query(
        "select key, cast(sum(n) as bigint) from cube_case
         where area_id = $1 and measure = 'closed' and dim = 'category_level' and day between $2 and $3
         group by key having sum(n) > 0 order by key",
        &params![area, from, to],
    )?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let key: String = row.get(0)?;
        let (category, depth) = key.rsplit_once('/').unwrap_or((&key, ""));
        found.push((category.to_owned(), depth.parse().unwrap_or(0), row.get(1)?));
    }
    Ok(found)
}

/// Open cases of several areas by the day they were received (days since 1970-01-01 in +08:00), of some categories.
pub(super) fn open_since(
    tx: &mut Tx,
    areas: &[AreaId],
    categories: &[String],
) -> Result<Vec<(AreaId, i64, i64)>, Fault> {
    if areas.is_empty() || categories.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select area_id, day, cast(sum(n) as bigint) from cube_case where area_id in (")
        .list(areas.iter().copied())
        .push(") and measure = 'open_since' and dim = 'category' and key in (")
        .list(categories.iter())
        .push(") group by area_id, day having sum(n) > 0 order by area_id, day");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect()
}
