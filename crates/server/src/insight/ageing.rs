//! How old what is open is (ZS-17): open cases of chosen classes by bands of age for an area and its parts, and what is piled up beyond
//! the pack's days.
//!
//! Entry point: [`ageing`]. Ages come from the counters `open_since` of `cases::cube`: one row a day on which something still open was
//! received, however many cases there are.

use super::store;
use crate::platform::{AreaId, Ctx, Fault, Tx};
use crate::territory::{self, Area};
use domain::policy::Pack;

/// Last day of each band of age, in days since receiving, below the pack's backlog.
const EDGES: [i64; 3] = [3, 7, 15];

/// A band of age: from so many days since receiving to so many, both included; no end for what is piled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    pub from: i64,
    pub to: Option<i64>,
}

/// The bands of a place, the youngest first; the last is the backlog.
pub fn bands(backlog_days: i64) -> Vec<Band> {
    let mut bands = Vec::new();
    let mut from = 0;
    for to in EDGES
        .into_iter()
        .filter(|edge| *edge < backlog_days)
        .chain([backlog_days])
    {
        bands.push(Band { from, to: Some(to) });
        from = to + 1;
    }
    bands.push(Band { from, to: None });
    bands
}

/// Open cases of one area by band.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub area: AreaId,
    /// One number a band.
    pub counts: Vec<i64>,
    /// Age in days of the oldest.
    pub oldest: Option<i64>,
}

/// The area itself and its parts, by age of what is open.
#[derive(Debug, Clone)]
pub struct Ageing {
    pub area: Area,
    pub bands: Vec<Band>,
    /// The area's own row, then its parts.
    pub rows: Vec<Row>,
}

/// Open cases of the classes `roots` (each with everything below it) by age, in an area in scope.
///
/// Errors: `not_found` for an area that is absent or out of scope.
pub fn ageing(ctx: &Ctx, tx: &mut Tx, pack: &Pack, area: Option<AreaId>, roots: &[String]) -> Result<Ageing, Fault> {
    let map = territory::current(&ctx.app);
    let area = super::chosen(ctx, &map, area)?.clone();
    let bands = bands(i64::from(pack.thresholds.backlog_days.value));
    let under = |code: &str| pack.lineage(code).iter().any(|up| roots.contains(&up.code));
    let categories: Vec<String> = pack
        .categories
        .iter()
        .filter(|c| under(&c.code))
        .map(|c| c.code.clone())
        .collect();
    let areas: Vec<AreaId> = std::iter::once(area.id)
        .chain(map.children(Some(area.id)).map(|part| part.id))
        .collect();
    let (today, _) = ctx.now.day_and_ms();
    let empty = |area: &AreaId| Row {
        area: *area,
        counts: vec![0; bands.len()],
        oldest: None,
    };
    let mut rows: Vec<Row> = areas.iter().map(empty).collect();
    for (area, day, n) in store::open_since(tx, &areas, &categories)? {
        let age = today - day;
        let band = bands.iter().rposition(|band| band.from <= age).unwrap_or_default();
        if let Some(row) = rows.iter_mut().find(|row| row.area == area) {
            row.counts[band] += n;
            row.oldest = row.oldest.max(Some(age));
        }
    }
    Ok(Ageing { area, bands, rows })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bands_leave_no_day_out_and_end_in_the_backlog() {
        for backlog in [1, 3, 4, 30, 366] {
            let bands = bands(backlog);
            for age in 0..400 {
                let at = bands
                    .iter()
                    .filter(|b| b.from <= age && b.to.is_none_or(|to| age <= to));
                assert_eq!(at.count(), 1, "day {age} of {backlog}");
            }
            assert_eq!(bands.last().unwrap().from, backlog + 1);
        }
    }
}
