//! The real program under fault: killed at the nth write, a disk that fails or is full, PostgreSQL restarted, the clock stepped,
//! connections torn. After each run it is started again, and everything that was promised must be there, once, and whole.
//!
//! A short seeded part runs with the tests; `script/faults` runs as many as wanted and prints the figures. A run is its seed: the same
//! seed breaks the same thing at the same point (what the clients got done by then depends on the machine).

#![allow(clippy::unwrap_used)]

mod check;
mod client;
mod kinds;
mod load;
mod place;
mod server_process;

use kinds::{Kind, Outcome, Run, plan};
use place::{Cluster, On, Template};
use serde_json::json;
use std::collections::BTreeMap;

/// Seed of the runs that go with the tests, and which of the plan they are: killed at a write and at the first start, a failed sync, a full
/// disk, the clock put back, PostgreSQL stopped.
const SEED: u64 = 20_260_214;
const SHORT: [usize; 6] = [0, 1, 3, 9, 13, 2];

async fn area_of(template: &Template, server_of: &place::Place) -> String {
    let app = server_of.open().await.expect("the place opens");
    let area: String = app
        .db()
        .read(|tx| {
            tx.query_one("select id from area where level = 'grid' order by code limit 1", &[])?
                .get(0)
        })
        .await
        .unwrap_or_else(|error: db::DbError| panic!("{error} on {:?}", template.on));
    app.db().clone().close().await;
    area
}

/// Runs these numbers of the plan; a failed run does not stop the others.
async fn campaign(numbers: impl Iterator<Item = usize>, seed: u64) -> Vec<Outcome> {
    let cluster = Cluster::start();
    let sqlite = Template::make(On::Sqlite, None).await;
    let postgres = Template::make(On::Postgres, Some(&cluster)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let area = area_of(&sqlite, &sqlite.copy(folder.path(), None, 0)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let there = postgres.copy(folder.path(), Some(&cluster), usize::MAX);
    let elsewhere = area_of(&postgres, &there).await;
    let mut outcomes = Vec::new();
    for number in numbers {
        let (on, kind) = plan(number);
        let (template, cluster, area) = match on {
            On::Sqlite => (&sqlite, None, &area),
            On::Postgres => (&postgres, Some(&cluster), &elsewhere),
        };
        let run = Run {
            template,
            cluster,
            area,
            number,
            seed: seed.wrapping_add(number as u64),
            kind,
        };
        let outcome = run.go().await;
        println!(
            "{:>4} seed {} {:?} {:?} ({}){}: {} acknowledged, {} refused, {} unanswered, {} sent again, {:.1} s{}",
            outcome.run,
            outcome.seed,
            outcome.on,
            outcome.kind,
            outcome.point,
            if outcome.struck { "" } else { " not reached" },
            outcome.acknowledged,
            outcome.refused,
            outcome.unanswered,
            outcome.repeated,
            outcome.seconds,
            outcome
                .wrong
                .iter()
                .map(|line| format!("\n     WRONG {line}"))
                .collect::<String>(),
        );
        outcomes.push(outcome);
    }
    outcomes
}

/// The table of figures, a line for each kind.
fn table(outcomes: &[Outcome]) -> String {
    let mut kinds: BTreeMap<(On, Kind), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        kinds.entry((outcome.on, outcome.kind)).or_default().push(outcome);
    }
    let mut text = format!(
        "{:<10} {:<18} {:>5} {:>7} {:>13} {:>8} {:>11} {:>11} {:>6}\n",
        "on", "fault", "runs", "struck", "acknowledged", "refused", "unanswered", "sent again", "wrong"
    );
    let sum = |all: &[&Outcome], of: fn(&Outcome) -> usize| all.iter().map(|one| of(one)).sum::<usize>();
    let mut line = |on: String, kind: String, all: &[&Outcome]| {
        text.push_str(&format!(
            "{on:<10} {kind:<18} {:>5} {:>7} {:>13} {:>8} {:>11} {:>11} {:>6}\n",
            all.len(),
            sum(all, |one| usize::from(one.struck)),
            sum(all, |one| one.acknowledged),
            sum(all, |one| one.refused),
            sum(all, |one| one.unanswered),
            sum(all, |one| one.repeated),
            sum(all, |one| one.wrong.len()),
        ));
    };
    for ((on, kind), all) in &kinds {
        line(format!("{on:?}"), format!("{kind:?}"), all);
    }
    line("all".into(), String::new(), &outcomes.iter().collect::<Vec<_>>());
    text
}

fn must_be_sound(outcomes: &[Outcome]) {
    let wrong: Vec<_> = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One run of each of the faults that differ most.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_promised_is_lost_under_fault() {
    let outcomes = campaign(SHORT.into_iter(), SEED).await;
    println!("{}", table(&outcomes));
    must_be_sound(&outcomes);
}

/// `script/faults`: `FAULTS_RUNS` runs from `FAULTS_FROM` on with `FAULTS_SEED`; the figures as JSON into `FAULTS_JSON`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: script/faults runs it"]
async fn many_runs() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| {
            text.parse().unwrap_or_else(|_| panic!("{name}: {text}"))
        })
    };
    let (runs, from, seed) = (
        number("FAULTS_RUNS", 300),
        number("FAULTS_FROM", 0),
        number("FAULTS_SEED", SEED),
    );
    let (runs, from) = (runs as usize, from as usize);
    let outcomes = campaign(from..from + runs, seed).await;
    println!("seed {seed}\n{}", table(&outcomes));
    if let Ok(path) = std::env::var("FAULTS_JSON") {
        let figures = json!({ "seed": seed, "runs": outcomes });
        std::fs::write(path, serde_json::to_string_pretty(&figures).expect("JSON")).expect("the figures are written");
    }
    must_be_sound(&outcomes);
}
