//! The working calendar: yearly holiday files, shipped or imported, under the pack's weekly hours; every version kept.
//!
//! A version is stored as the texts it was made from. A running clock names its version, so a correction never moves it.

use super::{PackError, Shipped, read, store};
use crate::platform::{Ctx, Fault, Tx};
use domain::calendar::{CalendarRef, CalendarRules, Calendars, DayRule};
use domain::policy::CalendarRule;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One year as announced, see `packs/calendar/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearFile {
    pub year: i16,
    #[serde(rename = "notice")]
    _notice: String,
    #[serde(rename = "issued")]
    _issued: toml::value::Datetime,
    #[serde(rename = "source")]
    _source: String,
    pub days: BTreeMap<String, DayEntry>,
}

/// One date: off, or worked in exchange.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum DayEntry {
    Rest(String),
    Work(String),
}

/// The texts one calendar version was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Texts {
    pack: String,
    years: BTreeMap<i16, String>,
}

/// Reads a year file; the error names the line.
pub fn read_year(text: &str) -> Result<(YearFile, BTreeMap<Date, DayRule>), String> {
    let file: YearFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut days = BTreeMap::new();
    for (date, entry) in &file.days {
        let date: Date = date.parse().map_err(|_| format!("not a date: {date}"))?;
        if date.year() != file.year {
            return Err(format!("{date} is not in {}", file.year));
        }
        let rule = match entry {
            DayEntry::Rest(name) => DayRule::Rest { name: name.clone() },
            DayEntry::Work(name) => DayRule::Work { name: name.clone() },
        };
        days.insert(date, rule);
    }
    Ok((file, days))
}

/// The years shipped for a base calendar, by year.
pub fn shipped_years(base: &str) -> BTreeMap<i16, String> {
    let mut years = BTreeMap::new();
    for path in Shipped::iter() {
        let year = path
            .strip_prefix(&format!("calendar/{base}-"))
            .and_then(|rest| rest.strip_suffix(".toml"));
        let Some(year) = year.and_then(|year| year.parse().ok()) else {
            continue;
        };
        if let Some(file) = Shipped::get(&path) {
            years.insert(year, String::from_utf8_lossy(&file.data).into_owned());
        }
    }
    years
}

/// Adds a version when the texts differ from the newest, and gives all versions, oldest first.
pub fn store(
    ctx: &Ctx,
    tx: &mut Tx,
    base: &str,
    pack: &str,
    mut years: BTreeMap<i16, String>,
) -> Result<Vec<(u32, Texts)>, Fault> {
    years.extend(store::imported_years(tx, base)?);
    let texts = Texts {
        pack: pack.to_owned(),
        years,
    };
    let body = serde_json::to_string(&texts).map_err(Fault::internal)?;
    let digest = hex::encode(Sha256::digest(body.as_bytes()));
    let stored = store::calendar_versions(tx, base)?;
    let newest = stored.last().map(|one| (one.version, one.digest.clone()));
    let mut versions = Vec::with_capacity(stored.len() + 1);
    for one in stored {
        versions.push((
            one.version,
            serde_json::from_str::<Texts>(&one.body).map_err(Fault::internal)?,
        ));
    }
    if newest.as_ref().is_none_or(|(_, own)| *own != digest) {
        let version = newest.map_or(1, |(version, _)| version + 1);
        store::add_calendar_version(ctx, tx, base, version, &digest, &body)?;
        versions.push((version, texts));
    }
    Ok(versions)
}

/// Compiles all versions; the newest is for clocks that start now.
pub fn compile(base: &str, versions: &[(u32, Texts)]) -> Result<(Calendars, CalendarRef), PackError> {
    let rules: Result<Vec<CalendarRules>, PackError> = versions
        .iter()
        .map(|(version, texts)| rules_of(base, *version, texts))
        .collect();
    let rules = rules?;
    let newest = rules.last().map(|rules| CalendarRef {
        id: rules.id.clone(),
        version: rules.version,
    });
    let calendars = Calendars::new(&rules).map_err(|error| PackError::Calendar(error.to_string()))?;
    let newest = newest.ok_or_else(|| PackError::Calendar("no version".into()))?;
    Ok((calendars, newest))
}

fn rules_of(base: &str, version: u32, texts: &Texts) -> Result<CalendarRules, PackError> {
    let rule: CalendarRule = read::read_calendar(&texts.pack).map_err(PackError::Problems)?;
    let mut days = BTreeMap::new();
    for (year, text) in &texts.years {
        let (_, of_year) = read_year(text).map_err(|error| PackError::Calendar(format!("{base}-{year}: {error}")))?;
        days.extend(of_year);
    }
    let (first, last) = match (texts.years.keys().next(), texts.years.keys().next_back()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => return Err(PackError::Calendar(format!("no year of {base} is known"))),
    };
    if (first..=last).any(|year| !texts.years.contains_key(&year)) {
        return Err(PackError::Calendar(format!(
            "a year between {first} and {last} is missing"
        )));
    }
    for (date, name, hours) in rule.days {
        days.insert(date, DayRule::Hours { name, hours });
    }
    Ok(CalendarRules {
        id: base.to_owned(),
        version,
        from: jiff::civil::date(first, 1, 1),
        to: jiff::civil::date(last, 12, 31),
        week: rule.week,
        seasons: rule.seasons,
        days,
        shifts: rule.shifts,
    })
}
