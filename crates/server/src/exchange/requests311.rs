//! Service requests another city publishes (a CSV with look-ups and polygons beside it), as a place of their own: a pack, areas and units made
//! from the look-ups, the requests with the times, positions, ways in and bodies they really had.
//!
//! Entry points: [`Source::read`], [`Source::pack`], [`furnish`], [`Source::rows`]. The requests themselves go through
//! [`super::import::take_over`] like any other list. Must not: know any city by name; invent what the open data does not say.

use super::import::ImportReport;
use super::rows::{Numbered, RowProblem};
use crate::cases::intake::MAX_ADDRESS;
use crate::cases::past::{PastCase, past_id};
use crate::platform::*;
use crate::policy::Files;
use crate::territory::features::MapFile;
use crate::{territory, workforce};
use domain::geo::Datum;
use domain::territory::Row;
use domain::time::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Bytes of one file at most.
const MAX_BYTES: u64 = 64 << 20;
/// Rows of the list at most.
const MAX_ROWS: usize = 1_000_000;
/// Problems told one by one.
const MAX_PROBLEMS: usize = 1_000;
/// Division code of a place without one; no real code begins with 98.
const CITY: &str = "9801";

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

type Record = BTreeMap<String, String>;

/// The files, read.
#[derive(Debug)]
pub struct Source {
    /// What the files' names begin with: `la`.
    pub key: String,
    zone: TimeZone,
    requests: Vec<Record>,
    agencies: Vec<Record>,
    types: Vec<Record>,
    ways: Vec<Record>,
    councils: Vec<Record>,
    regions: Vec<Record>,
    shapes: Value,
}

impl Source {
    /// Reads the list and what lies beside it. Times of the list are wall-clock times of `zone`.
    pub fn read(file: &Path, zone: &str) -> Result<Source, Unusable> {
        let zone = TimeZone::get(zone).map_err(|error| Unusable(format!("{zone}: {error}")))?;
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let key = name.split('_').next().unwrap_or_default().to_ascii_lowercase();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unusable(format!(
                "{name}: the name should begin like those of the look-ups, `xx_`"
            )));
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        let beside = |what: &str| records(&folder.join(format!("{key}_{what}.csv")));
        Ok(Source {
            requests: records(file)?,
            agencies: beside("agencies")?,
            types: beside("request_types")?,
            ways: beside("sources")?,
            councils: beside("councils")?,
            regions: beside("regions")?,
            shapes: shapes(folder, &key)?,
            key,
            zone,
        })
    }

    /// Requests read.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Ids of the bodies.
    pub fn agency_ids(&self) -> impl Iterator<Item = &str> {
        self.agencies.iter().map(|one| one["agency_id"].as_str())
    }

    /// Code of the area of a council: the city's, two digits of the region, three of the council. A council of no region is the city itself.
    fn area_code(&self, council: &str) -> Option<String> {
        let found = self.councils.iter().find(|one| one["council_id"] == council)?;
        let (region, council): (u32, u32) = (found["region_id"].parse().ok()?, council.parse().ok()?);
        Some(match region {
            0 => CITY.to_owned(),
            1..100 if council < 1000 => format!("{CITY}{region:02}{council:03}"),
            _ => return None,
        })
    }

    /// Code of a category: that of its group, two digits of the type.
    fn category_code(&self, kind: &str) -> Option<String> {
        let found = self.types.iter().find(|one| one["type_id"] == kind)?;
        let group = self.groups().iter().position(|group| *group == found["type_group"])?;
        let kind: u32 = kind.parse().ok().filter(|kind| *kind < 100)?;
        Some(format!("{:02}{kind:02}", group + 1))
    }

    /// Groups of types in order of first mention; the empty one is for all others.
    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for one in &self.types {
            if !groups.contains(&one["type_group"].as_str()) {
                groups.push(&one["type_group"]);
            }
        }
        groups
    }

    /// The agency that had most requests of a type.
    fn usual_agency(&self, kind: &str) -> Option<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for one in self.requests.iter().filter(|one| one["type_id"] == kind) {
            *counts.entry(&one["agency_id"]).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(agency, _)| agency)
    }

    /// The pack of the place, as files.
    pub fn pack(&self) -> Files {
        let mut files = Files::new();
        let title = self.key.to_uppercase();
        let (lon, lat) = self.middle();
        let prefix: String = title.chars().filter(char::is_ascii_uppercase).take(6).collect();
        let prefix = if prefix.is_empty() { "R".to_owned() } else { prefix };
        let head = format!(
            "[pack]\nkey = {}\nname = {}\nversion = \"1\"\n\n[jurisdiction]\ncode = \"{CITY}\"\nname = {}\nnumber_prefix = {}\nlon = {lon}\nlat = {lat}\n\n",
            quoted(&format!("{}311", self.key)),
            quoted(&format!("{title} 311")),
            quoted(&title),
            quoted(&prefix),
        );
        files.insert(
            "pack.toml".into(),
            format!("default_source = \"assumption\"\n{head}{PACK_REST}"),
        );
        files.insert("categories.toml".into(), self.categories());
        files.insert("routes.toml".into(), self.routes());
        files.insert("clocks.toml".into(), CLOCKS.to_owned());
        files.insert("answers.toml".into(), ANSWERS.to_owned());
        files.insert("intake.toml".into(), self.intake());
        files
    }

    fn middle(&self) -> (f64, f64) {
        let of = |name: &str| {
            let all: Vec<f64> = self
                .councils
                .iter()
                .filter_map(|c| c[name].parse().ok())
                .filter(|n: &f64| *n != 0.0)
                .collect();
            (all.iter().sum::<f64>() / all.len().max(1) as f64 * 1e4).round() / 1e4
        };
        (of("longitude"), of("latitude"))
    }

    fn categories(&self) -> String {
        let mut text = String::from("default_source = \"assumption\"\n");
        for (nth, group) in self.groups().into_iter().enumerate() {
            let name = if group.is_empty() { "Other" } else { group };
            text += &format!(
                "\n[[category]]\ncode = \"{:02}\"\nname = {}\nfiling = \"As published\"\nclosing = \"As published\"\n",
                nth + 1,
                quoted(name)
            );
            for one in self.types.iter().filter(|one| one["type_group"] == group) {
                if let Some(code) = self.category_code(&one["type_id"]) {
                    let labels = [&one["data_code"], &one["type_name"]]
                        .map(|label| quoted(label))
                        .join(", ");
                    text += &format!(
                        "[[category]]\ncode = \"{code}\"\nname = {}\nlabels = [{labels}]\n",
                        quoted(&one["type_name"])
                    );
                }
            }
        }
        text
    }

    fn routes(&self) -> String {
        let mut text = String::from(
            "default_source = \"assumption\"\n\n[[body]]\nkey = \"centre\"\nname = \"311\"\nkind = \"centre\"\nlevels = [\"city\"]\n",
        );
        for one in &self.agencies {
            text += &format!(
                "\n[[body]]\nkey = \"agency{}\"\nname = {}\nkind = \"bureau\"\nlevels = [\"city\"]\n",
                one["agency_id"],
                quoted(&one["agency_name"])
            );
        }
        text += "\n[[route]]\nbody = \"centre\"\nlevel = \"city\"\n";
        for one in &self.types {
            if let (Some(code), Some(agency)) =
                (self.category_code(&one["type_id"]), self.usual_agency(&one["type_id"]))
            {
                text += &format!("\n[[route]]\ncategory = \"{code}\"\nbody = \"agency{agency}\"\nlevel = \"city\"\n");
            }
        }
        text
    }

    fn intake(&self) -> String {
        let mut text = String::from("default_source = \"assumption\"\n");
        for key in [
            "web", "phone", "walk_in", "mailbox", "patrol", "linked", "import", "open311",
        ] {
            text += &format!("\n[[channel]]\nkey = \"{key}\"\nname = \"{key}\"\n");
        }
        text
    }

    /// Every request as a case of the past, or what is wrong with its row.
    pub fn rows(
        &self,
        lang: Lang,
        units: &HashMap<String, UnitId>,
        areas: impl Fn(&str) -> Option<AreaId>,
    ) -> (Vec<Numbered>, ImportReport) {
        let mut report = ImportReport {
            rows: self.requests.len(),
            ..ImportReport::default()
        };
        let (mut good, mut seen) = (Vec::with_capacity(self.requests.len()), HashMap::new());
        for (row, request) in (2..).zip(&self.requests) {
            let mut wrong = Wrong {
                row,
                lang,
                found: Vec::new(),
            };
            let case = self.case(request, &mut wrong, units, &areas);
            if let Some(first) = seen.insert(request["srnumber"].as_str(), row) {
                wrong.add("srnumber", "import_row_twice", &[("first", first.to_string())]);
            }
            match case {
                Some(case) if wrong.found.is_empty() => good.push((row, case)),
                _ => report.problems.extend(wrong.found),
            }
            if report.problems.len() > MAX_PROBLEMS {
                break;
            }
        }
        (good, report)
    }

    fn case(
        &self,
        request: &Record,
        wrong: &mut Wrong,
        units: &HashMap<String, UnitId>,
        areas: &impl Fn(&str) -> Option<AreaId>,
    ) -> Option<PastCase> {
        let cell = |name: &str| request[name].trim();
        let received = self.time(cell("created_date"), "created_date", wrong);
        let closed = match cell("closed_date") {
            "" => None,
            text => self.time(text, "closed_date", wrong),
        };
        if received.zip(closed).is_some_and(|(received, closed)| closed < received) {
            wrong.add("closed_date", "import_answered_before", &[]);
        }
        let found = |name: &str| [("found", request[name].clone())];
        let kind = self.types.iter().find(|one| one["type_id"] == cell("type_id"));
        let code = self.category_code(cell("type_id"));
        if code.is_none() {
            wrong.add("type_id", "import_category_unknown", &found("type_id"));
        }
        let area = self.area_code(cell("council_id")).and_then(|code| areas(&code));
        if area.is_none() {
            wrong.add("council_id", "import_area_unknown", &found("council_id"));
        }
        let agency = self.agencies.iter().find(|one| one["agency_id"] == cell("agency_id"));
        let unit = units.get(cell("agency_id")).copied();
        if agency.is_none() || unit.is_none() {
            wrong.add("agency_id", "unit_unknown", &[]);
        }
        let source = self.ways.iter().find(|one| one["source_id"] == cell("source_id"));
        if source.is_none() {
            wrong.add("source_id", "channel_unknown", &[]);
        }
        let at = self.position(cell("longitude"), cell("latitude"), wrong);
        let (kind, agency, source, received) = (kind?, agency?, source?, received?);
        let address: String = cell("address").chars().take(MAX_ADDRESS).collect();
        let answer = closed.map(|at| {
            let day = at.to_string();
            (
                format!(
                    "{} closed the request ({}). Its answer is not part of the open data.",
                    agency["agency_name"],
                    &day[..10]
                ),
                at,
            )
        });
        Some(PastCase {
            id: past_id(&self.list(), cell("srnumber"), received),
            source: self.list(),
            key: cell("srnumber").to_owned(),
            title: Some(kind["type_name"].clone()),
            body: format!("{} · {address} · {}", kind["type_name"], source["source_name"]),
            category_code: Some(code?),
            area: area?,
            address: Some(address).filter(|address| !address.is_empty()),
            name: None,
            phone: None,
            received_at: received,
            answer,
            at,
            unit: Some(unit?),
            channel: Some(way(&source["source_name"])),
        })
    }

    /// The list's name: the same request again is the same case.
    pub fn list(&self) -> String {
        format!("requests311 {}", self.key)
    }

    fn time(&self, text: &str, column: &'static str, wrong: &mut Wrong) -> Option<Timestamp> {
        let civil = text.replacen(' ', "T", 1).parse::<jiff::civil::DateTime>();
        let at = civil
            .ok()
            .and_then(|civil| self.zone.to_ambiguous_zoned(civil).compatible().ok());
        if at.is_none() {
            wrong.add(column, "import_time_unreadable", &[("found", text.to_owned())]);
        }
        at.map(|at| Timestamp(at.timestamp().as_millisecond()))
    }

    fn position(&self, lon: &str, lat: &str, wrong: &mut Wrong) -> Option<(f64, f64)> {
        if lon.is_empty() && lat.is_empty() {
            return None;
        }
        let at = lon.parse().ok().zip(lat.parse().ok());
        let at = at.filter(|(lon, lat)| domain::geo::LonLat::new(*lon, *lat).is_ok());
        if at.is_none() {
            wrong.add("latitude", "position_out_of_range", &[]);
        }
        at
    }

    /// Areas by code and name, parents first.
    fn areas(&self) -> Vec<Row> {
        let named = |code: String, name: &str| (code, name.chars().take(60).collect::<String>());
        let regions = self.regions.iter().filter_map(|one| {
            let region: u32 = one["region_id"].parse().ok()?;
            Some(named(format!("{CITY}{region:02}"), &one["region_name"]))
        });
        let councils = self.councils.iter().filter_map(|one| {
            let code = self.area_code(&one["council_id"]).filter(|code| code != CITY)?;
            Some(named(code, &one["council_name"]))
        });
        let all = regions.chain(councils).zip(1..);
        all.map(|((code, name), row)| Row { row, code, name }).collect()
    }

    /// The polygons with our codes; those of no council in the look-up are left out.
    fn boundaries(&self) -> Value {
        let features = self.shapes["features"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|feature| {
                let own = &feature["properties"]["nc_id"];
                let own = own
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| own.as_i64().map(|n| n.to_string()))?;
                let council = self.councils.iter().find(|one| one["data_code"] == own)?;
                let code = self.area_code(&council["council_id"]).filter(|code| code != CITY)?;
                Some(json!({ "type": "Feature", "properties": { "code": code }, "geometry": feature["geometry"] }))
            });
        json!({ "type": "FeatureCollection", "features": features.collect::<Vec<_>>() })
    }
}

/// What is wrong with a row.
struct Wrong {
    row: usize,
    lang: Lang,
    found: Vec<RowProblem>,
}

impl Wrong {
    fn add(&mut self, column: &'static str, code: &'static str, params: &[(&'static str, String)]) {
        self.found.push(RowProblem {
            row: self.row,
            column: column.to_owned(),
            code: code.to_owned(),
            message: i18n::sentence(self.lang, code, params),
        });
    }
}

/// The way in that a source of the list comes nearest to; its own name stays in the words of the request.
fn way(source: &str) -> String {
    let source = source.to_lowercase();
    let ways = [
        ("phone", &["call", "voicemail", "tty"][..]),
        ("web", &["app", "web", "self service"]),
        ("walk_in", &["walk-in"]),
        ("mailbox", &["mail", "fax", "letter"]),
        ("patrol", &["crew"]),
    ];
    let known = ways
        .iter()
        .find(|(_, words)| words.iter().any(|word| source.contains(word)));
    known.map_or("linked", |(way, _)| way).to_owned()
}

/// A TOML string.
fn quoted(text: &str) -> String {
    Value::from(text.trim()).to_string()
}

fn records(path: &Path) -> Result<Vec<Record>, Unusable> {
    let unusable = |error: &dyn std::fmt::Display| Unusable(format!("{}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| unusable(&error))?.len();
    if size > MAX_BYTES {
        return Err(unusable(&"too large"));
    }
    let mut reader = csv::ReaderBuilder::new()
        .from_path(path)
        .map_err(|error| unusable(&error))?;
    let mut all = Vec::new();
    for record in reader.deserialize() {
        all.push(record.map_err(|error| unusable(&error))?);
        if all.len() > MAX_ROWS {
            return Err(unusable(&"too many rows"));
        }
    }
    let needed = needed(path);
    if let Some(name) = needed
        .iter()
        .find(|name| all.first().is_some_and(|one: &Record| !one.contains_key(**name)))
    {
        return Err(unusable(&format!("the column {name} is missing")));
    }
    Ok(all)
}

/// Columns a file must have, by the end of its name.
fn needed(path: &Path) -> &'static [&'static str] {
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    match name.split_once('_').map(|(_, rest)| rest) {
        Some("agencies") => &["agency_id", "agency_name", "data_code"],
        Some("request_types") => &["type_id", "type_name", "type_group", "data_code"],
        Some("sources") => &["source_id", "source_name"],
        Some("councils") => &[
            "council_id",
            "council_name",
            "region_id",
            "data_code",
            "longitude",
            "latitude",
        ],
        Some("regions") => &["region_id", "region_name"],
        _ => &[
            "srnumber",
            "created_date",
            "closed_date",
            "type_id",
            "agency_id",
            "source_id",
            "council_id",
            "address",
            "latitude",
            "longitude",
        ],
    }
}

fn shapes(folder: &Path, key: &str) -> Result<Value, Unusable> {
    let unusable = |error: &dyn std::fmt::Display| Unusable(format!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| unusable(&error))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            name.starts_with(&format!("{key}_")) && name.ends_with(".geojson")
        })
        .collect();
    found.sort();
    let path = found
        .first()
        .ok_or_else(|| unusable(&format!("no {key}_*.geojson here")))?;
    let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
    serde_json::from_str(&text).map_err(|error| unusable(&error))
}

/// Makes the place in an empty database: areas, boundaries, units; nothing where they are already. The units by the list's own ids.
pub async fn furnish(ctx: &Ctx, source: &Source) -> Result<HashMap<String, UnitId>, Fault> {
    if territory::current(&ctx.app).is_empty() {
        let report = territory::import_areas(ctx, source.areas(), BTreeMap::new(), false).await?;
        refuse(&report)?;
        let shapes = source.boundaries().to_string();
        let report = territory::import_boundaries(ctx, MapFile::new("boundaries", shapes), Datum::Wgs84, false).await?;
        refuse(&report)?;
    }
    let map = territory::current(&ctx.app);
    let city = map.by_code(CITY).map(|area| area.id).ok_or_else(Fault::not_found)?;
    let own = [("centre".to_owned(), "311".to_owned(), "311".to_owned(), "centre")];
    let agencies = source.agencies.iter().map(|one| {
        let id = one["agency_id"].clone();
        (format!("agency{id}"), one["agency_name"].clone(), id, "bureau")
    });
    let wanted: Vec<_> = own.into_iter().chain(agencies).collect();
    ctx.app
        .write(ctx, move |ctx, tx| {
            let mut units = HashMap::new();
            for (body, name, id, kind) in &wanted {
                let unit = match workforce::unit_by_code(tx, body)? {
                    Some(unit) => unit.id,
                    None => add_unit(ctx, tx, city, body, name, kind)?,
                };
                units.insert(id.clone(), unit);
            }
            tx.record(
                ctx,
                Mark::new("requests311.furnished", Subject::List, json!({ "units": units.len() })),
            )?;
            Ok(units)
        })
        .await
}

fn add_unit(ctx: &Ctx, tx: &mut Tx, area: AreaId, body: &str, name: &str, kind: &str) -> Result<UnitId, Fault> {
    let unit = workforce::NewUnit {
        id: ctx.app.new_id(),
        code: body.to_owned(),
        name: name.to_owned(),
        public_name: name.to_owned(),
        kind: kind.to_owned(),
        body: body.to_owned(),
        area,
        parent: None,
        phone: String::new(),
        office: String::new(),
        hours: String::new(),
    };
    workforce::add_unit(ctx, tx, &unit)?;
    Ok(unit.id)
}

fn refuse(report: &territory::ImportReport) -> Result<(), Fault> {
    match report.problems.first() {
        None => Ok(()),
        Some(first) => Err(Fault::internal(format!(
            "{} problems, the first: {} {}",
            report.problems.len(),
            first.row,
            first.message
        ))),
    }
}

const PACK_REST: &str = r#"[[level]]
key = "city"
name = "City"
digits = 4
[[level]]
key = "region"
name = "Region"
digits = 6
[[level]]
key = "council"
name = "Council"
digits = 9

[[duty]]
key = "dispatch"
name = "Dispatch"
[[duty]]
key = "handle"
name = "Handling"
[[duty]]
key = "verify"
name = "Verification"
[[duty]]
key = "lead"
name = "Leading"

[calendar]
base = "cn"
sessions = ["08:00-12:00", "13:00-17:00"]
duty_shift = "always"
[[calendar.shift]]
name = "always"
anchor = "2020-01-01"
cycle = [["00:00-24:00"]]

[thresholds]
auto_classify = { value = 0.85 }
arbiter_after = { value = 2 }
rework_alert = { value = 2 }
extensions = { value = 1 }
extension_percent = { value = 100 }
pause_days = { value = 30 }
park_review_days = { value = 90 }
reopen_days = { value = 15 }
arrival_minutes = { value = 30 }
urge_hours = { value = 24 }
duplicate_metres = { value = 200 }
duplicate_days = { value = 15 }
duplicate_similarity = { value = 0.35 }
export_rows_second_person = { value = 500 }
resolved_here_percent = { value = 85 }
nearest_metres = { value = 300 }
backlog_days = { value = 30 }
"#;

/// Natural days throughout: the city's own working hours are not part of the open data.
const CLOCKS: &str = r#"default_source = "assumption"
[[clock]]
step = "accept"
limit = "1 day"
[[clock]]
step = "dispatch"
limit = "1 day"
[[clock]]
step = "handle"
limit = "7 days"
[[clock]]
step = "answer"
limit = "2 days"
[[clock]]
step = "verify"
limit = "5 days"

[[rung]]
key = "due"
when = "at due"
to = "holder"
duty = "lead"
"#;

const ANSWERS: &str = r#"default_source = "assumption"
[[answer]]
who = "desk"
ways = ["web", "phone"]

[[verification]]
by = "none"
photos = false

[[return_reason]]
key = "not_ours"
name = "Not within our duties"
"#;
