//! Ninety days of a town, played from a seed: reports, absences, holidays, returns, rules that change in mid-way, extensions, pauses, cases
//! set aside, co-handlers, mediation, merges and splits, objections, escalations, accounts that lose and gain roles.
//!
//! The real application does it all, on a clock the test moves ([`crate::kit::TestApp`]). Beside it runs an independent model that shares no
//! code with it: [`calendar`] counts working time day by day, [`rules`] is the pack written down by hand, [`model`] is the loop in plain steps,
//! [`town`] knows who may see what. It foretells every answer, and at each day's end [`check`] holds against it every case's state, owner,
//! deadline and counts, every counter of the board, what was told to whom, and the lists of people in turn.
//!
//! A failure names its seed: `WANGGE_SIM_SEED=7 cargo nextest run -p server -E 'test(simulation::)'` plays that town again, step by step the
//! same; `WANGGE_SIM_CASES=3000` makes it larger, `WANGGE_SIM_TRACE=1` prints every step. That the checks can fail is itself a test: faults
//! planted in the database ([`Fault`]) must each be found, on the day they are made.

mod calendar;
mod check;
mod clock;
mod model;
mod play;
mod rules;
mod town;

use crate::kit::{TestApp, config};
use calendar::{HOUR, MINUTE, day, midnight};
use db::{Backend, params};
use model::{Case, World};
use serde_json::json;
use server::cases;
use server::platform::{Ctx, Mark, Subject, jobs};
use server::policy;
use std::collections::{BTreeMap, BTreeSet};
use town::Town;
use uuid::Uuid;

/// What differs between the product and the model, in words.
pub type Difference = String;

/// Chance from a seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

/// A town being played.
pub struct Sim<'a> {
    app: &'a TestApp,
    town: Town,
    cases: Vec<Case>,
    dice: Dice,
    changed: bool,
    trace: bool,
    /// Workers called to come, by case; cases somebody arrived at.
    calls: BTreeMap<Uuid, BTreeSet<usize>>,
    arrived: BTreeSet<Uuid>,
    stats: Stats,
}

/// What was played.
#[derive(Debug, Default)]
pub struct Stats {
    cases: usize,
    done: usize,
    refused: usize,
    told: i64,
    actions: BTreeMap<&'static str, usize>,
}

/// How a town is played.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    begin: &'static str,
    days: i64,
    cases: usize,
    fault: Option<Fault>,
}

/// A fault planted behind the program's back, to show that it is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// A deadline a minute late.
    Deadline,
    /// A case moved on by nobody.
    State,
    /// A counter one too high.
    Counter,
    /// A role nobody gave.
    Role,
    /// A warning that was not left.
    Warning,
    /// A return that was not counted.
    Count,
}

impl Sim<'_> {
    fn now(&self) -> i64 {
        self.app.app.now().0
    }

    fn world(&self) -> World<'_> {
        World {
            town: &self.town,
            cases: &self.cases,
            now: self.now(),
            changed: self.changed,
        }
    }

    /// Time goes on to a moment.
    fn wait_until(&self, at: i64) {
        self.app.app.clock().advance_ms((at - self.now()).max(0));
    }

    /// The timers look, as they do each minute, until nothing is left to be said.
    async fn timers(&mut self) {
        loop {
            let ctx = Ctx::system(&self.app.app, "cases.timers");
            if self
                .app
                .app
                .write(&ctx, cases::timers::tell_ripe)
                .await
                .expect("the timers run")
                == 0
            {
                break;
            }
        }
        let now = self.now();
        for case in &mut self.cases {
            let ended = self::look(case.clock.as_mut(), &self.town, now, &mut case.told);
            case.paused &= !ended;
            for clock in case.part_clocks.values_mut() {
                self::look(Some(clock), &self.town, now, &mut case.told);
            }
        }
    }

    /// One day: people work at some moments of it; at its end everything is compared.
    async fn day(&mut self, plan: &Plan, number: i64) -> Result<(), Difference> {
        let first = midnight(day(plan.begin) + number);
        self.staff_matters(number, plan.days).await?;
        let hours = [8, 10, 13, 16, 21];
        for hour in hours {
            let minute = self.dice.below(110) as i64;
            self.wait_until(first + hour * HOUR + minute * MINUTE);
            self.timers().await;
            let share =
                plan.cases as i64 * (number * 5 + hours.iter().position(|h| *h == hour).unwrap_or(0) as i64 + 1);
            let wanted = (share / (plan.days * 5)) as usize;
            while self.stats.cases < wanted {
                self.report().await?;
            }
            let acts = 2 + plan.cases * 7 / (plan.days as usize * 5);
            for _ in 0..acts {
                self.something().await?;
            }
        }
        self.wait_until(first + 23 * HOUR + 50 * MINUTE);
        self.timers().await;
        jobs::run_due(&self.app.app).await.expect("the jobs run");
        if let Some(fault) = plan.fault
            && number + 1 == plan.days
        {
            self.plant(fault).await;
        }
        self.compare(plan, number).await
    }

    async fn compare(&self, plan: &Plan, number: i64) -> Result<(), Difference> {
        self.check_cases().await?;
        self.check_told().await?;
        self.check_cells().await?;
        // Lists cost more: some people each day, everybody on the last.
        let last = number + 1 == plan.days;
        let people = self.town.actors.len();
        for actor in (0..people).filter(|actor| last || *actor == number as usize % people) {
            self.check_views(actor).await?;
        }
        for area in (0..self.town.areas.len()).filter(|area| last || *area == number as usize % 11) {
            for actor in [2, 3, 7] {
                self.check_board(actor, area).await?;
            }
        }
        Ok(())
    }

    /// Writes a fault into the database, past the program.
    async fn plant(&self, fault: Fault) {
        let open = self
            .cases
            .iter()
            .find(|case| case.due(&self.town).is_some())
            .expect("a case with a limit");
        let id = open.id.to_string();
        let (sql, value) = match fault {
            Fault::Deadline => ("update cases set due_at = due_at + 60000 where id = $1", id),
            Fault::State => ("update cases set state = 'verified' where id = $1", id),
            Fault::Count => ("update cases set returned_count = returned_count + 1 where id = $1", id),
            Fault::Counter => (
                "update cube_case set n = n + 1 where measure = 'open' and dim = 'all' and area_id = $1",
                self.town.areas[0].id.to_string(),
            ),
            Fault::Role => (
                "update account_grant set area_id = null, depth = 0 where account_id = $1",
                self.town.actors[3].account.to_string(),
            ),
            Fault::Warning => {
                let told = self
                    .cases
                    .iter()
                    .find(|case| !case.told.is_empty())
                    .expect("a case that was warned of");
                (
                    "delete from case_event where kind in ('warned', 'escalated', 'escalated_early', 'became_late') and case_id = $1",
                    told.id.to_string(),
                )
            }
        };
        let ctx = Ctx::system(&self.app.app, "test");
        let planted = self.app.app.write(&ctx, move |ctx, tx| {
            let changed = tx.execute(sql, &params![value])?;
            assert!(changed > 0, "nothing to spoil");
            tx.record(ctx, Mark::new("test.spoiled", Subject::System, json!({})))
        });
        planted.await.expect("it is planted");
        // What a session may do is kept for a second.
        self.wait_until(self.now() + 2_000);
    }

    /// The shipped pack with one limit changed comes into force: clocks that run keep theirs.
    async fn change_the_rules(&mut self) {
        let mut files = policy::shipped("zhoushan").expect("a pack");
        let clocks = files.get_mut("clocks.toml").expect("clocks");
        assert!(clocks.contains(rules::CHANGE.0));
        *clocks = clocks.replace(rules::CHANGE.0, rules::CHANGE.1);
        policy::adopt(&self.app.app, files, None)
            .await
            .expect("the pack comes into force");
        self.changed = true;
    }
}

/// The timers look at one clock; gives whether a pause ended.
fn look(clock: Option<&mut clock::Clock>, town: &Town, now: i64, told: &mut BTreeMap<&'static str, i64>) -> bool {
    let Some(clock) = clock else { return false };
    let (ended, said) = clock.look(&town.hours, now);
    for kind in said {
        *told.entry(kind).or_default() += 1;
    }
    ended
}

/// Plays a town; the first difference, or what was played.
async fn play(backend: Backend, plan: Plan) -> Result<Stats, Difference> {
    let mut config = config();
    (config.limits.session_hours, config.limits.session_idle_minutes) = (24 * 365, 60 * 24 * 365);
    let app = TestApp::in_memory(backend, config).await;
    let ahead = midnight(day(plan.begin)) - app.app.now().0;
    app.app.clock().advance_ms(ahead.max(0));
    let town = Town::build(&app).await;
    let mut sim = Sim {
        app: &app,
        town,
        cases: Vec::new(),
        dice: Dice(plan.seed),
        changed: false,
        trace: std::env::var("WANGGE_SIM_TRACE").is_ok(),
        calls: BTreeMap::new(),
        arrived: BTreeSet::new(),
        stats: Stats::default(),
    };
    let mut outcome = Ok(());
    for number in 0..plan.days {
        if number == plan.days / 2 {
            sim.change_the_rules().await;
        }
        outcome = sim
            .day(&plan, number)
            .await
            .map_err(|what| format!("day {number}: {what}"));
        if outcome.is_err() {
            break;
        }
    }
    sim.stats.told = sim.cases.iter().flat_map(|case| case.told.values()).sum();
    let stats = sim.stats;
    drop(sim.town);
    app.remove().await;
    outcome.map(|()| stats)
}

/// A number from the environment.
fn wanted<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Plays a town that must agree with the model to the last day.
async fn agrees(backend: Backend, plan: Plan) {
    let plan = Plan {
        seed: wanted("WANGGE_SIM_SEED").unwrap_or(plan.seed),
        cases: wanted("WANGGE_SIM_CASES").unwrap_or(plan.cases),
        ..plan
    };
    let again = format!(
        "again with: WANGGE_SIM_SEED={} WANGGE_SIM_CASES={} cargo nextest run -p server -E 'test(simulation::)'",
        plan.seed, plan.cases
    );
    match play(backend, plan).await {
        Ok(stats) => eprintln!("{backend:?}, seed {}: {stats:?}", plan.seed),
        Err(what) => panic!("{backend:?}, seed {}: {what}\n{again}", plan.seed),
    }
}

const SPRING: Plan = Plan {
    seed: 1,
    begin: "2026-02-15",
    days: 90,
    cases: 160,
    fault: None,
};

/// From the Spring Festival over the days for sweeping graves to Labour Day, with their make-up days.
#[tokio::test]
async fn a_spring_of_the_town_goes_as_the_model_says() {
    agrees(Backend::Sqlite, SPRING).await;
}

/// From summer hours over Mid-Autumn and National Day into winter hours.
#[tokio::test]
async fn an_autumn_of_the_town_goes_as_the_model_says() {
    agrees(
        Backend::Sqlite,
        Plan {
            seed: 2,
            begin: "2026-08-20",
            ..SPRING
        },
    )
    .await;
}

/// Into the end of the year, beyond which no calendar is known: limits that would lie there are left open.
#[tokio::test]
async fn a_year_end_of_the_town_goes_as_the_model_says() {
    agrees(
        Backend::Sqlite,
        Plan {
            seed: 3,
            begin: "2026-10-01",
            cases: 80,
            ..SPRING
        },
    )
    .await;
}

/// The same on PostgreSQL, smaller.
#[tokio::test]
async fn the_town_goes_alike_on_postgresql() {
    agrees(
        Backend::Postgres,
        Plan {
            seed: 4,
            days: 45,
            cases: 60,
            ..SPRING
        },
    )
    .await;
}

/// Faults planted past the program are found at the end of the day they are made on, each by what it spoils; without one nothing is.
#[tokio::test]
async fn a_planted_fault_is_found() {
    let short = Plan {
        seed: 5,
        days: 8,
        cases: 50,
        ..SPRING
    };
    play(Backend::Sqlite, short).await.expect("nothing to find");
    for (fault, names) in [
        (Fault::Deadline, "due_at"),
        (Fault::State, "state"),
        (Fault::Count, "returned_count"),
        (Fault::Counter, "counters of area 0"),
        (Fault::Role, "east dispatcher"),
        (Fault::Warning, "events told"),
    ] {
        let found = play(
            Backend::Sqlite,
            Plan {
                fault: Some(fault),
                ..short
            },
        )
        .await;
        let found = found.expect_err("it is found");
        assert!(
            found.starts_with("day 7") && found.contains(names),
            "{fault:?}: {found}"
        );
    }
}
