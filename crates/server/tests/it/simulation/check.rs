//! At the end of a simulated day: what the product keeps and shows against the model. Each function says in words what differs.

use super::calendar::day_of;
use super::model::{Case, hour, is_open};
use super::rules::{CATEGORIES, rights};
use super::{Difference, Sim};
use db::params;
use serde_json::Value;
use server::cases;
use server::platform::{Ctx, Fault};
use std::collections::{BTreeMap, BTreeSet};

/// One line for a case: all that is compared, in words a person can read when it differs.
type Line = BTreeMap<&'static str, String>;

const COLUMNS: [&str; 24] = [
    "id",
    "state",
    "category_code",
    "urgent",
    "unit_id",
    "worker_id",
    "due_at",
    "late",
    "returned_count",
    "rework_count",
    "reopened_count",
    "urged_count",
    "extended_count",
    "arbitrated",
    "paused",
    "supervised",
    "mediated",
    "dissatisfied",
    "handled_at",
    "answered_at",
    "ended_at",
    "on_time",
    "level_resolved",
    "reporter_count",
];

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

impl Sim<'_> {
    fn expected(&self, case: &Case) -> Line {
        let town = &self.town;
        let flag = |is: bool| i64::from(is).to_string();
        let values = [
            case.id.to_string(),
            case.state.to_owned(),
            case.category().code.to_owned(),
            flag(case.urgent),
            shown(case.unit.map(|unit| town.units[unit].id)),
            shown(case.worker.map(|worker| town.workers[worker])),
            shown(case.due(town)),
            flag(case.is_late(town, self.now())),
            case.returned.to_string(),
            case.reworked.to_string(),
            case.reopened.to_string(),
            case.urged.to_string(),
            case.extended.to_string(),
            flag(case.arbitrated),
            flag(case.paused),
            flag(case.supervised),
            flag(case.mediated),
            flag(case.dissatisfied),
            shown(case.handled),
            shown(case.answered),
            shown(case.ended),
            shown(case.on_time.map(i64::from)),
            shown(case.level),
            case.reports.len().to_string(),
        ];
        COLUMNS.into_iter().zip(values).collect()
    }

    /// Every case: state, who has it, deadline, counts.
    pub async fn check_cases(&self) -> Result<(), Difference> {
        let ctx = Ctx::system(&self.app.app, "test");
        let sql = format!("select {} from cases", COLUMNS.join(", "));
        let read = self.app.app.read(&ctx, move |_, tx| {
            let rows = tx.query(&sql, &params![])?;
            let rows = rows.iter().map(|row| {
                let text = |at: usize| -> Result<String, Fault> {
                    let words = matches!(COLUMNS[at], "id" | "state" | "category_code" | "unit_id" | "worker_id");
                    Ok(match words {
                        true => shown(row.get::<Option<String>>(at)?),
                        false => shown(row.get::<Option<i64>>(at)?),
                    })
                };
                let values = (0..COLUMNS.len()).map(text).collect::<Result<Vec<_>, _>>()?;
                Ok((values[0].clone(), COLUMNS.into_iter().zip(values).collect()))
            });
            rows.collect::<Result<BTreeMap<String, Line>, Fault>>()
        });
        let kept = read.await.expect("the cases are read");
        if kept.len() != self.cases.len() {
            return Err(format!("{} cases are kept, {} were made", kept.len(), self.cases.len()));
        }
        for (n, case) in self.cases.iter().enumerate() {
            let (is, should) = (&kept[&case.id.to_string()], self.expected(case));
            if *is != should {
                let differ = COLUMNS.into_iter().filter(|column| is[column] != should[column]);
                let differ: Vec<String> = differ
                    .map(|c| format!("{c} is {} and should be {}", is[c], should[c]))
                    .collect();
                return Err(format!("case {n} {}: {}", case.id, differ.join(", ")));
            }
        }
        Ok(())
    }

    /// Warnings and escalations of every case, by kind; the parts' states and clocks.
    pub async fn check_told(&self) -> Result<(), Difference> {
        let ctx = Ctx::system(&self.app.app, "test");
        let read = self.app.app.read(&ctx, move |_, tx| {
            let told = tx.query(
                "select case_id, kind, count(*) from case_event where kind in ('warned', 'escalated', 'escalated_early', 'became_late') \
                 group by case_id, kind",
                &params![],
            )?;
            let told = told.iter().map(|row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
            let told = told.collect::<Result<BTreeMap<(String, String), i64>, Fault>>()?;
            let parts = tx.query(
                "select h.id, h.state, k.state from co_handler h left join case_clock k on k.party = h.id and k.state <> 'stopped'",
                &params![],
            )?;
            let parts = parts.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get::<Option<String>>(2)?.is_some()))));
            Ok((told, parts.collect::<Result<BTreeMap<String, (String, bool)>, Fault>>()?))
        });
        let (told, parts) = read.await.expect("the events are read");
        let mut should = BTreeMap::new();
        let mut parts_should = BTreeMap::new();
        for case in &self.cases {
            for (kind, n) in &case.told {
                should.insert((case.id.to_string(), (*kind).to_owned()), *n);
            }
            for part in &case.parts {
                let runs = case.part_clocks[&part.id].stopped.is_none();
                parts_should.insert(part.id.to_string(), (part.state.to_owned(), runs));
            }
        }
        differ("events told", &told, &should)?;
        differ("parts", &parts, &parts_should)
    }

    /// The counters of every area, which the board reads: each cell against a count of the model's cases.
    pub async fn check_cells(&self) -> Result<(), Difference> {
        for (n, area) in self.town.areas.iter().enumerate() {
            let (ctx, id) = (Ctx::system(&self.app.app, "test"), area.id);
            let kept = self
                .app
                .app
                .read(&ctx, move |_, tx| cases::all_cells(tx, id))
                .await
                .expect("counters");
            let kept = kept
                .into_iter()
                .map(|(measure, dim, key, day, n)| ((measure, dim, key, day), n))
                .collect();
            let mut should = BTreeMap::new();
            for case in self.cases.iter().filter(|case| self.town.chain(case.area).contains(&n)) {
                for (measure, dim, key, day) in self.cells(case) {
                    *should
                        .entry((measure.to_owned(), dim.to_owned(), key, day))
                        .or_insert(0i64) += 1;
                }
            }
            differ(&format!("counters of area {n}"), &kept, &should)?;
        }
        Ok(())
    }

    /// What a case counts for.
    fn cells(&self, case: &Case) -> Vec<(&'static str, &'static str, String, i64)> {
        let mut cells = vec![("state", "state", case.state.to_owned(), 0)];
        if case.state == "merged" {
            return cells;
        }
        let unit = case
            .unit
            .map(|unit| self.town.units[unit].id.to_string())
            .unwrap_or_default();
        let level = case.level.map(|level| level.to_string()).unwrap_or_default();
        let code = case.category().code.to_owned();
        let late = case.is_late(&self.town, self.now());
        let mut measures = vec![("received", day_of(case.received))];
        if is_open(case.state) {
            measures.push(("open", 0));
            measures.extend(late.then_some(("late", 0)));
        }
        if let Some(at) = case.handled {
            measures.push(("handled", day_of(at)));
            measures.extend((case.on_time == Some(true)).then_some(("handled_on_time", day_of(at))));
            measures.extend(case.answered.map(|_| ("handled_answered", day_of(at))));
        }
        measures.extend(case.answered.map(|at| ("answered", day_of(at))));
        if let Some(at) = case.ended {
            measures.push((case.state, day_of(at)));
        }
        for (measure, day) in measures {
            cells.push((measure, "all", String::new(), day));
            cells.push((measure, "category", code.clone(), day));
            cells.push((measure, "unit", unit.clone(), day));
            cells.push((measure, "channel", case.channel.to_owned(), day));
            if measure == "closed" {
                cells.push((measure, "level", level.clone(), day));
                cells.push((measure, "category_level", format!("{code}/{level}"), day));
            }
        }
        if is_open(case.state) {
            if let Some(due) = case.due(&self.town).filter(|_| !late) {
                cells.push(("due", "all", String::new(), hour(due)));
            }
            cells.push(("open_since", "all", String::new(), day_of(case.received)));
            cells.push(("open_since", "category", code, day_of(case.received)));
        }
        cells
    }

    /// What one person is shown: every list and its count against what the model lets them see.
    pub async fn check_views(&self, actor: usize) -> Result<(), Difference> {
        let reads = self.town.actors[actor]
            .grants
            .iter()
            .any(|grant| rights(grant.role).contains(&"read"));
        for queue in ["all", "mine", "unit", "dispatch", "verify", "approve", "late"] {
            if queue == "mine" && self.town.actors[actor].worker.is_none() {
                continue;
            }
            let should: BTreeSet<String> = self
                .cases
                .iter()
                .filter(|case| self.in_queue(actor, queue, case))
                .map(|case| case.id.to_string())
                .collect();
            let who = &self.town.actors[actor];
            let counts = who.client.get(&format!("/api/v1/cases/counts?queue={queue}")).await;
            if !reads {
                if counts.verdict() != "403 forbidden" {
                    return Err(format!("{} reads nothing and gets {}", who.name, counts.verdict()));
                }
                continue;
            }
            let counts = counts.ok();
            if counts["total"].as_i64() != Some(should.len() as i64) {
                let shown: BTreeSet<String> = self.list(actor, queue).await.into_iter().collect();
                let odd = |case: &&Case| shown.contains(&case.id.to_string()) != should.contains(&case.id.to_string());
                let odd: Vec<String> = self.cases.iter().filter(odd).map(|case| format!("{case:?}")).collect();
                return Err(format!(
                    "{}'s queue {queue} counts {} and should count {}; in one only: {}",
                    who.name,
                    counts["total"],
                    should.len(),
                    odd.join("; ")
                ));
            }
            let late = self
                .cases
                .iter()
                .filter(|case| self.in_queue(actor, queue, case) && case.is_late(&self.town, self.now()));
            if counts["late"].as_i64() != Some(late.count() as i64) {
                return Err(format!("{}'s queue {queue} counts {} late", who.name, counts["late"]));
            }
            let shown = self.list(actor, queue).await;
            differ(
                &format!("queue {queue} of {}", who.name),
                &shown.into_iter().map(|id| (id, ())).collect(),
                &should.into_iter().map(|id| (id, ())).collect(),
            )?;
        }
        Ok(())
    }

    async fn list(&self, actor: usize, queue: &str) -> Vec<String> {
        let who = &self.town.actors[actor].client;
        let (mut listed, mut after) = (Vec::new(), String::new());
        loop {
            let page = who
                .get(&format!("/api/v1/cases?queue={queue}&limit=200{after}"))
                .await
                .ok();
            let ids = page["items"].as_array().expect("items").iter();
            listed.extend(ids.map(|item| item["id"].as_str().expect("an id").to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return listed,
            }
        }
    }

    /// Whether a case belongs into somebody's queue: never one whose page would not open.
    fn in_queue(&self, actor: usize, queue: &str, case: &Case) -> bool {
        let w = self.world();
        let worker = self.town.actors[actor].worker;
        let may = |right| self.town.may(actor, right, case.area, &case.units());
        if !may("read") || case.state == "merged" {
            return false;
        }
        let open = is_open(case.state);
        match queue {
            "all" => true,
            "late" => open && case.is_late(&self.town, w.now),
            "mine" => open && (case.worker == worker || self.called(worker, case) || self.owes_answer(worker, case)),
            "unit" => open && self.town.units_of(actor).iter().any(|unit| case.units().contains(unit)),
            "dispatch" => may("dispatch") && matches!(case.state, "received" | "accepted"),
            "verify" => may("verify") && matches!(case.state, "answered" | "verified"),
            "approve" => may("approve") && open && case.waiting().is_some(),
            _ => unreachable!("{queue}"),
        }
    }

    /// Called to come, and nobody has arrived.
    fn called(&self, worker: Option<usize>, case: &Case) -> bool {
        let calls = self.calls.get(&case.id);
        worker.is_some_and(|worker| calls.is_some_and(|called| called.contains(&worker)))
            && !self.arrived.contains(&case.id)
    }

    /// The grid's worker of today owes the answer of what is handled.
    fn owes_answer(&self, worker: Option<usize>, case: &Case) -> bool {
        let Some(worker) = worker.filter(|_| case.state == "handled") else {
            return false;
        };
        if case.category().answers != super::rules::Answers::GridWorker {
            return false;
        }
        let grids = self.town.units.iter().filter(|unit| unit.duty == "grid");
        let mut mine = grids.filter(|unit| {
            let away = self.town.on_leave(unit.a, self.now());
            match away {
                false => unit.a == worker,
                true => unit.b == Some(worker) && !self.town.on_leave(worker, self.now()),
            }
        });
        mine.any(|unit| self.town.chain(case.area).contains(&unit.area))
    }

    /// The board of an area as a person sees it: figures of the last thirty days.
    pub async fn check_board(&self, actor: usize, area: usize) -> Result<(), Difference> {
        let id = self.town.areas[area].id;
        let answer = self.town.actors[actor]
            .client
            .get(&format!("/api/v1/board?area={id}"))
            .await;
        if !self.town.actors[actor].grants.iter().any(|grant| {
            rights(grant.role).contains(&"board") && grant.unit.is_none() && self.town.chain(area).contains(&grant.area)
        }) {
            return match answer.status.as_u16() {
                403 | 404 => Ok(()),
                other => Err(format!("a board nobody granted: {other}")),
            };
        }
        let board = answer.ok();
        let today = day_of(self.now());
        let within = |at: Option<i64>| at.is_some_and(|at| (today - 29..=today).contains(&day_of(at)));
        let here: Vec<&Case> = self
            .cases
            .iter()
            .filter(|case| case.state != "merged" && self.town.chain(case.area).contains(&area))
            .collect();
        let count = |test: &dyn Fn(&&&Case) -> bool| here.iter().filter(|case| test(case)).count() as i64;
        let closed = |case: &&&Case| case.state == "closed" && within(case.ended);
        let should: BTreeMap<&str, (i64, Option<i64>)> = BTreeMap::from([
            ("open", (count(&|case| is_open(case.state)), None)),
            ("late", (count(&|case| case.is_late(&self.town, self.now())), None)),
            ("received_today", (count(&|case| day_of(case.received) == today), None)),
            ("received", (count(&|case| within(Some(case.received))), None)),
            ("closed", (count(&closed), None)),
            (
                "closed_today",
                (
                    count(&|case| case.state == "closed" && case.ended.map(day_of) == Some(today)),
                    None,
                ),
            ),
            (
                "on_time_rate",
                (
                    count(&|case| within(case.handled) && case.on_time == Some(true)),
                    Some(count(&|case| within(case.handled))),
                ),
            ),
            (
                "answered_rate",
                (
                    count(&|case| within(case.handled) && case.answered.is_some()),
                    Some(count(&|case| within(case.handled))),
                ),
            ),
            (
                "resolved_here_rate",
                (
                    count(&|case| closed(case) && case.level.is_some_and(|level| level >= self.town.areas[area].depth)),
                    Some(count(&|case| closed(case))),
                ),
            ),
        ]);
        let figures = board["figures"].as_array().expect("figures");
        for figure in figures {
            let key = figure["key"].as_str().expect("a key");
            let Some((numerator, denominator)) = should.get(key) else {
                return Err(format!("the model does not know the figure {key}"));
            };
            if (figure["numerator"].as_i64(), figure["denominator"].as_i64()) != (Some(*numerator), *denominator) {
                return Err(format!(
                    "the board of area {area}: {figure} should be {numerator} of {denominator:?}"
                ));
            }
        }
        for slice in board["by_category"].as_array().expect("categories") {
            let code = slice["code"].as_str().unwrap_or_default();
            let should = count(&|case| is_open(case.state) && CATEGORIES[case.category].code == code);
            if slice["count"].as_i64() != Some(should) {
                return Err(format!("the board of area {area}: {slice} should have {should} open"));
            }
        }
        check_trend(&board, &here, today)
    }
}

fn check_trend(board: &Value, here: &[&Case], today: i64) -> Result<(), Difference> {
    let trend = board["trend"].as_array().expect("a trend");
    for (n, day) in trend.iter().rev().enumerate() {
        let wanted = today - n as i64;
        let received = here.iter().filter(|case| day_of(case.received) == wanted).count() as i64;
        if day["received"].as_i64() != Some(received) {
            return Err(format!("the trend says {day} where {received} were received"));
        }
    }
    if trend.len() != 30 {
        return Err(format!("the trend has {} days", trend.len()));
    }
    Ok(())
}

/// The first thing in which two tables differ.
fn differ<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    is: &BTreeMap<K, V>,
    should: &BTreeMap<K, V>,
) -> Result<(), Difference> {
    for key in is.keys().chain(should.keys()) {
        if is.get(key) != should.get(key) {
            return Err(format!(
                "{what}: {key:?} is {:?} and should be {:?}",
                is.get(key),
                should.get(key)
            ));
        }
    }
    Ok(())
}
