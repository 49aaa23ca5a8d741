//! Duties through the router on both databases: rolled by the nightly job, settled by visits, listed for the worker, counted for whoever
//! supervises; and the counts recounted from the rows after every step.

use crate::adoption;
use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, PASSWORD, TestApp, WEST};
use crate::people::{each_with_photos, photo, post, unit, worker};
use db::params;
use domain::time::{DAY_MS, Timestamp};
use jiff::civil::Date;
use serde_json::{Value, json};
use server::access::{self, GrantWish, NewAccount};
use server::platform::{AccountId, AreaId, Ctx, FacilityId, Mark, PostId, Subject, VisitId, WorkerId, jobs};
use server::policy;
use std::collections::BTreeMap;

/// Rounds as in Maogang (two to three a day), a visit twice a quarter as in Luohe, a check with a photo, and what is done in the grid at all.
const RULES: &str = r#"
default_source = "assumption"
[[rule]]
key = "rounds"
name = "片区巡逻"
en = "Rounds"
act = "patrol"
who = "grids"
times = 2
most = 3
every = "day"
spacing = 0
least_minutes = 20
partial = "full"
missed = "lapses"
[[rule]]
key = "call"
name = "服务站走访"
act = "visit"
who = "facilities"
of = "服务站"
times = 2
every = "month"
spacing = 3
grace = 2
evidence = ["talk"]
partial = "full"
missed = "owed"
[[rule]]
key = "paired"
name = "结对走访"
act = "visit"
who = "facilities"
of = "服务站"
times = 1
every = "year"
spacing = 3
away = "waits"
partial = "full"
missed = "owed"
[[rule]]
key = "toilet"
name = "公厕检查"
act = "check"
who = "checkpoints"
of = "公厕"
times = 1
every = "week"
evidence = ["photo", "position"]
partial = "full"
missed = "lapses"
[[rule]]
key = "out"
name = "每周入户"
act = "visit"
who = "grids"
times = 1
most = 100
every = "week"
spacing = 0
settled = "gone"
partial = "full"
missed = "lapses"
"#;

pub struct Person(String);

impl Person {
    /// Signed in now; a session does not outlive the days that pass here.
    pub async fn on(&self, app: &TestApp) -> Client {
        app.sign_in(&self.0, PASSWORD).await
    }
}

pub async fn person(app: &TestApp, role: &str, area: AreaId, worker: Option<WorkerId>) -> Person {
    let id: AccountId = app.app.new_id();
    let login = format!("d{}", &id.to_string()[24..]);
    let new = NewAccount {
        id,
        login: login.clone(),
        name: format!("测试{role}"),
        worker,
        grants: vec![GrantWish {
            role: role.into(),
            area: Some(area),
            unit: None,
        }],
    };
    let hash = access::hash_password(&app.app, PASSWORD.into()).await.unwrap();
    let ctx = Ctx::system(&app.app, "test");
    let made = app
        .app
        .write(&ctx, move |ctx, tx| access::add_account(ctx, tx, new, &hash, false));
    made.await.unwrap();
    Person(login)
}

async fn change(app: &TestApp, sql: &'static str, values: Vec<db::Value>) {
    let ctx = Ctx::system(&app.app, "test");
    let done = app.app.write(&ctx, move |ctx, tx| {
        tx.execute(sql, &values)?;
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.made", Subject::System, json!({})))
    });
    done.await.unwrap();
}

async fn facility(app: &TestApp, kind: &str, chain: [AreaId; 4]) -> FacilityId {
    let id: FacilityId = app.app.new_id();
    let [a1, a2, a3, a4] = chain;
    let row = params![id, id.to_string(), format!("{kind}一处"), kind, a4, a1, a2, a3, a4];
    change(
        app,
        "insert into facility (id, code, name, kind, area_id, a1, a2, a3, a4, lon, lat, address, hours, phone, audience, changed_at, change) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 122.2, 29.9, '', '', '', 'staff', 0, 1)",
        row.to_vec(),
    )
    .await;
    id
}

const HERE: [AreaId; 4] = [CITY, EAST, EAST_COMMUNITY, EAST_GRID];

struct Place {
    holder: WorkerId,
    stand_in: WorkerId,
    worker: Person,
    other: Person,
    supervisor: Person,
    station: FacilityId,
    toilet: FacilityId,
}

async fn place(app: &TestApp) -> Place {
    let mut files = policy::shipped("zhoushan").unwrap();
    files.insert("duties.toml".into(), RULES.into());
    policy::adopt(&app.app, files, None).await.unwrap();
    let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
    let (holder, stand_in) = (worker(app, "张网格").await, worker(app, "李替班").await);
    let grid_post = post(app, centre, Some(EAST_GRID), "grid", holder, None).await;
    let seat: PostId = app.app.new_id();
    change(
        app,
        "insert into appointment (id, post_id, worker_id, seat, valid_from) values ($1, $2, $3, 'B', '2026-01-01')",
        params![seat, grid_post, stand_in].to_vec(),
    )
    .await;
    Place {
        worker: person(app, "grid_worker", EAST_GRID, Some(holder)).await,
        other: person(app, "grid_worker", EAST, Some(stand_in)).await,
        supervisor: person(app, "supervisor", EAST, None).await,
        station: facility(app, "服务站", HERE).await,
        toilet: facility(app, "公厕", HERE).await,
        holder,
        stand_in,
    }
}

/// On to a day at 09:00, with its night's work done.
async fn go_to(app: &TestApp, day: &str) {
    let to = Timestamp::start_of(day.parse::<Date>().unwrap()).plus_ms(9 * 3_600_000);
    while app.app.now() < to {
        let rest = to.0 - app.app.now().0;
        app.app.clock().advance_ms(rest.min(DAY_MS));
        jobs::run_due(&app.app).await.unwrap();
        counts_are_true(app).await;
    }
}

/// The counts say what a recount of the rows says, in every area.
async fn counts_are_true(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    let (kept, recounted) = app
        .app
        .read(&ctx, |_, tx| {
            let mut kept: BTreeMap<(String, String, i64), [i64; 5]> = BTreeMap::new();
            for row in tx.query(
                "select area_id, rule, first_day, cast(sum(owed) as bigint), cast(sum(done) as bigint), cast(sum(late) as bigint), \
                 cast(sum(missed) as bigint), cast(sum(made_up) as bigint) from duty_count group by area_id, rule, first_day",
                &[],
            )? {
                let counts = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
                kept.insert((row.get(0)?, row.get(1)?, row.get(2)?), counts);
            }
            kept.retain(|_, counts| *counts != [0; 5]);
            let mut again: BTreeMap<(String, String, i64), [i64; 5]> = BTreeMap::new();
            for row in tx.query("select rule, first_day, state, a1, a2, a3, a4, a5 from obligation", &[])? {
                let state: String = row.get(2)?;
                for area in 3..8 {
                    let Some(area) = row.get::<Option<String>>(area)? else { continue };
                    let counts = again.entry((area, row.get(0)?, row.get(1)?)).or_default();
                    counts[0] += 1;
                    counts[1] += i64::from(state == "done");
                    counts[2] += i64::from(state == "late");
                    counts[3] += i64::from(state == "missed" || state == "made_up");
                    counts[4] += i64::from(state == "made_up");
                }
            }
            Ok((kept, again))
        })
        .await
        .unwrap();
    assert_eq!(kept, recounted);
}

fn new_visit(app: &TestApp, act: &str, kind: &str, subject: impl ToString) -> Value {
    json!({
        "id": app.app.new_id::<VisitId>(), "act": act, "subject_kind": kind, "subject_id": subject.to_string(),
        "at": app.app.now().to_string(), "minutes": 30, "outcome": "met",
    })
}

/// `rule: what` for each rule.
async fn said(app: &TestApp, who: &Client, visit: &Value) -> Vec<String> {
    let done = who.post("/api/v1/visits", visit.clone()).await.ok();
    counts_are_true(app).await;
    // The next one is later: two at the same instant would be counted in the order of their ids.
    app.advance_minutes(1);
    let line = |one: &Value| {
        let what = [&one["counts"], &one["why"]].map(|text| text.as_str().unwrap_or_default().to_owned());
        format!("{}: {}", one["rule"].as_str().unwrap(), what.join(" ").trim())
    };
    done["counts"].as_array().unwrap().iter().map(line).collect()
}

/// `rule nth standing` in the order of today's list, read in pages of two.
async fn list(who: &Client) -> Vec<String> {
    let (mut lines, mut after) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("/api/v1/duties/today?limit=2{after}")).await.ok();
        for one in page["items"].as_array().unwrap() {
            lines.push(format!(
                "{} {} {}",
                one["rule"].as_str().unwrap(),
                one["nth"],
                one["standing"].as_str().unwrap()
            ));
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return lines,
        }
    }
}

/// `[owed, done, late, missed, made_up]` of a rule in an area.
async fn counts(app: &TestApp, who: &Client, area: AreaId, rule: &str, on: &str) -> [i64; 5] {
    let all = who
        .get(&format!("/api/v1/duties/counts?area={area}&on={on}"))
        .await
        .ok();
    let first = &all[0];
    assert_eq!(first["area_id"].as_str(), Some(area.to_string().as_str()));
    counts_are_true(app).await;
    let rules = first["rules"].as_array().unwrap();
    let found = rules.iter().find(|one| one["rule"] == rule).unwrap();
    ["owed", "done", "late", "missed", "made_up"].map(|key| found[key].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_rolled_listed_settled_and_counted() {
    each_with_photos(async |app| {
        let place = place(app).await;
        // Monday 16 February is a rest day of the Spring Festival; rounds are owed every day, a worker's plan has working days.
        go_to(app, "2026-02-16").await;
        let worker = place.worker.on(app).await;
        let lines = list(&worker).await;
        assert!(
            lines.contains(&"rounds 1 due".to_owned()) && lines.contains(&"rounds 2 due".to_owned()),
            "{lines:?}"
        );
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST_GRID, "rounds", "2026-02-16").await,
            [2, 0, 0, 0, 0]
        );
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-02-16").await,
            [2, 0, 0, 0, 0]
        );

        let round = new_visit(app, "patrol", "grid", EAST_GRID);
        assert_eq!(said(app, &worker, &round).await, ["rounds: settles"]);
        let mut short = new_visit(app, "patrol", "grid", EAST_GRID);
        short["minutes"] = json!(5);
        assert_eq!(said(app, &worker, &short).await, ["rounds: not too_short"]);
        for what in ["settles", "extra", "not enough"] {
            let next = new_visit(app, "patrol", "grid", EAST_GRID);
            assert_eq!(said(app, &worker, &next).await, [format!("rounds: {what}")]);
        }
        assert_eq!(
            counts(app, &supervisor, EAST, "rounds", "2026-02-16").await,
            [2, 2, 0, 0, 0]
        );
        assert!(!list(&worker).await.iter().any(|line| line.starts_with("rounds")));

        // One call settles what is owed to the place, to its pair, and to the grid it lies in.
        let mut call = new_visit(app, "visit", "facility", place.station);
        let silent = said(app, &worker, &call).await;
        assert_eq!(silent, ["call: not no_talk", "paired: settles", "out: settles"]);
        call = new_visit(app, "visit", "facility", place.station);
        call["talk"] = json!("老人说楼道灯不亮");
        assert_eq!(
            said(app, &worker, &call).await,
            ["call: settles", "paired: not too_soon", "out: extra"]
        );

        // A check without its photo does not count; with photo and position it does, made up or not as the phone says.
        let check = new_visit(app, "check", "facility", place.toilet);
        assert_eq!(said(app, &worker, &check).await, ["toilet: not no_photo"]);
        let mut check = new_visit(app, "check", "facility", place.toilet);
        check["photos"] = json!([photo(&worker, 7).await]);
        check["position"] = json!({ "lon": 122.2, "lat": 29.9, "accuracy_m": 12.5, "mock": true });
        assert_eq!(said(app, &worker, &check).await, ["toilet: settles"]);
        let id = check["id"].as_str().unwrap();
        let seen = supervisor
            .get(&format!("/api/v1/visits/{id}?purpose=supervise"))
            .await
            .ok();
        assert_eq!(seen["position"]["mock"], json!(true), "kept as evidence");
        let hash = seen["photos"][0].as_str().unwrap();
        let picture = supervisor
            .get(&format!("/api/v1/visits/{id}/photos/{hash}?purpose=verify"))
            .await;
        assert_eq!(
            (picture.status.as_u16(), picture.header("content-type")),
            (200, "image/jpeg")
        );
        let without = supervisor.get(&format!("/api/v1/visits/{id}/photos/{hash}")).await;
        assert_eq!(without.verdict(), "403 purpose_required");
        let other = "0".repeat(64);
        let absent = supervisor
            .get(&format!("/api/v1/visits/{id}/photos/{other}?purpose=verify"))
            .await;
        assert_eq!(absent.status.as_u16(), 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_turns_late_and_missed_and_is_made_up() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-03-01").await;
        let supervisor = place.supervisor.on(app).await;
        // Every day of February from the 15th on two rounds were missed; they lapse.
        assert_eq!(
            counts(app, &supervisor, EAST, "rounds", "2026-02-20").await,
            [2, 0, 0, 2, 0]
        );
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-02-20").await,
            [2, 0, 0, 2, 0]
        );
        let worker = place.worker.on(app).await;
        let lines = list(&worker).await;
        assert_eq!(
            lines.iter().filter(|line| line.as_str() == "call 1 missed").count(),
            1,
            "still owed: {lines:?}"
        );
        assert!(
            !lines
                .iter()
                .any(|line| line.starts_with("rounds") && line.ends_with("missed")),
            "{lines:?}"
        );

        // Nobody was at home: the reason stands, and it stays owed.
        go_to(app, "2026-03-02").await;
        let worker = place.worker.on(app).await;
        let mut vain = new_visit(app, "visit", "facility", place.station);
        vain["outcome"] = json!("nobody_home");
        let told = said(app, &worker, &vain).await;
        assert!(told.contains(&"call: not not_met".to_owned()), "{told:?}");
        let page = worker.get("/api/v1/duties/today").await.ok();
        let tried = page["items"].as_array().unwrap().iter().find(|one| one["tried"] == 1);
        assert_eq!(tried.unwrap()["reason"], json!("nobody_home"));

        // March's own two first, then what February still owes.
        let mut told = Vec::new();
        for day in [
            "2026-03-03",
            "2026-03-04",
            "2026-03-06",
            "2026-03-09",
            "2026-03-12",
            "2026-03-15",
        ] {
            go_to(app, day).await;
            let worker = place.worker.on(app).await;
            let mut call = new_visit(app, "visit", "facility", place.station);
            call["talk"] = json!("家常");
            told.push(said(app, &worker, &call).await[0].clone());
        }
        assert_eq!(
            told,
            [
                "call: settles",
                "call: not too_soon",
                "call: settles",
                "call: makes_up",
                "call: makes_up",
                "call: not enough"
            ]
        );
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-02-20").await,
            [2, 0, 0, 2, 2],
            "missed stays missed"
        );
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-03-20").await,
            [2, 2, 0, 0, 0]
        );

        // April passes without a call: late on the way, missed at its end, written off when May is over.
        let mut late = 0;
        for day in 1..=30 {
            go_to(app, &format!("2026-04-{day:02}")).await;
            let supervisor = place.supervisor.on(app).await;
            late = late.max(counts(app, &supervisor, EAST, "call", "2026-04-10").await[2]);
        }
        assert!(late >= 1, "something was late before it was missed");
        go_to(app, "2026-05-02").await;
        let worker = place.worker.on(app).await;
        assert!(list(&worker).await.iter().any(|line| line == "call 1 missed"));
        go_to(app, "2026-06-02").await;
        let worker = place.worker.on(app).await;
        let page = worker.get("/api/v1/duties/today?limit=200").await.ok();
        let april = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["period"] == "2026-04")
            .count();
        assert_eq!(april, 0, "what could be made up in May cannot any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_sent_again_is_the_same_visit() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-02-16").await;
        let (worker, supervisor) = (place.worker.on(app).await, place.supervisor.on(app).await);
        let round = new_visit(app, "patrol", "grid", EAST_GRID);
        assert_eq!(said(app, &worker, &round).await, ["rounds: settles"]);
        for _ in 0..3 {
            let again = worker.post("/api/v1/visits", round.clone()).await.ok();
            assert_eq!(
                (again["already"].as_bool(), again["counts"][0]["counts"].as_str()),
                (Some(true), Some("settles"))
            );
        }
        assert_eq!(
            counts(app, &supervisor, EAST, "rounds", "2026-02-16").await,
            [2, 1, 0, 0, 0]
        );
        let mut other = round.clone();
        other["minutes"] = json!(31);
        assert_eq!(
            worker.post("/api/v1/visits", other).await.verdict(),
            "409 visit_id_used"
        );
        let stand_in = place.other.on(app).await;
        assert_eq!(
            stand_in.post("/api/v1/visits", round.clone()).await.verdict(),
            "409 visit_id_used"
        );

        // Another town's worker has no such place, and says nothing of it.
        let stranger = person(app, "grid_worker", WEST, Some(place.stand_in))
            .await
            .on(app)
            .await;
        let theirs = new_visit(app, "patrol", "grid", EAST_GRID);
        assert_eq!(stranger.post("/api/v1/visits", theirs).await.verdict(), "404 not_found");
        let nowhere = new_visit(app, "patrol", "grid", app.app.new_id::<AreaId>());
        assert_eq!(
            stranger.post("/api/v1/visits", nowhere).await.verdict(),
            "404 not_found"
        );

        let refused = async |field: &str, value: Value| {
            let mut bad = new_visit(app, "visit", "facility", place.station);
            bad[field] = value;
            worker.post("/api/v1/visits", bad).await.verdict()
        };
        assert_eq!(
            refused("at", json!("2026-02-16T23:00:00+08:00")).await,
            "422 visit_in_the_future"
        );
        assert_eq!(
            refused("at", json!("2026-01-16T09:00:00+08:00")).await,
            "422 visit_too_old"
        );
        assert_eq!(refused("minutes", json!(2_000)).await, "422 visit_too_long");
        assert_eq!(refused("act", json!("patrol")).await, "422 visit_patrol_elsewhere");
        assert_eq!(refused("act", json!("stroll")).await, "422 invalid_field");
        assert_eq!(refused("outcome", json!("fine")).await, "422 invalid_field");
        assert_eq!(
            refused("talk", json!("话".repeat(4_001))).await,
            "422 visit_talk_too_long"
        );
        assert_eq!(refused("companions", json!([place.holder])).await, "422 unknown_worker");
        assert_eq!(
            refused("position", json!({ "lon": 422.0, "lat": 29.9 })).await,
            "422 invalid_field"
        );
        assert_eq!(
            refused("position", json!({ "lon": 122.0, "lat": 29.9, "accuracy_m": -1.0 })).await,
            "422 invalid_field"
        );
    })
    .await;
}

/// A phone was without a signal: what it sends days later counts for the day it was done on.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_comes_late_counts_for_its_day() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-03-04").await;
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST, "rounds", "2026-02-27").await,
            [2, 0, 0, 2, 0]
        );
        let worker = place.worker.on(app).await;
        for hour in [8, 15] {
            let mut round = new_visit(app, "patrol", "grid", EAST_GRID);
            round["at"] = json!(format!("2026-02-27T{hour:02}:00:00+08:00"));
            assert_eq!(said(app, &worker, &round).await, ["rounds: settles"]);
        }
        assert_eq!(
            counts(app, &supervisor, EAST, "rounds", "2026-02-27").await,
            [2, 2, 0, 0, 0]
        );
        let mut call = new_visit(app, "visit", "facility", place.station);
        (call["at"], call["talk"]) = (json!("2026-02-27T10:00:00+08:00"), json!("二月的事"));
        assert_eq!(said(app, &worker, &call).await[0], "call: settles");
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-02-27").await,
            [2, 1, 0, 1, 0]
        );
        // Two days after it a call would be too soon, also across the month's end.
        let mut soon = new_visit(app, "visit", "facility", place.station);
        (soon["at"], soon["talk"]) = (json!("2026-03-01T10:00:00+08:00"), json!("三月的事"));
        assert_eq!(said(app, &worker, &soon).await[0], "call: not too_soon");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_falls_to_the_stand_in_and_comes_back() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-02-24").await;
        let has = async |who: &Person, rule: &str| {
            let lines = list(&who.on(app).await).await;
            lines.iter().any(|line| line.starts_with(rule))
        };
        assert_eq!(
            (has(&place.worker, "rounds").await, has(&place.other, "rounds").await),
            (true, false)
        );
        let leave: PostId = app.app.new_id();
        let (from, to) = (app.app.now().0, app.app.now().0 + 2 * DAY_MS);
        change(
            app,
            "insert into leave_of (id, worker_id, from_at, to_at, reason) values ($1, $2, $3, $4, '')",
            params![leave, place.holder, from, to].to_vec(),
        )
        .await;
        assert_eq!(
            (has(&place.worker, "rounds").await, has(&place.other, "rounds").await),
            (false, true)
        );
        // The paired one waits for the holder.
        assert_eq!(
            (has(&place.worker, "paired").await, has(&place.other, "paired").await),
            (true, false)
        );
        let stand_in = place.other.on(app).await;
        let round = new_visit(app, "patrol", "grid", EAST_GRID);
        assert_eq!(said(app, &stand_in, &round).await, ["rounds: settles"]);
        go_to(app, "2026-02-26").await;
        assert_eq!(
            (has(&place.worker, "rounds").await, has(&place.other, "rounds").await),
            (true, false)
        );
        // Somebody without the post may go, but it is not theirs to settle.
        let clerk = worker(app, "路过").await;
        let passing = person(app, "grid_worker", EAST, Some(clerk)).await.on(app).await;
        let round = new_visit(app, "patrol", "grid", EAST_GRID);
        assert_eq!(said(app, &passing, &round).await, ["rounds: not wrong_hands"]);
        assert!(list(&passing).await.is_empty());
    })
    .await;
}

/// What is owed has somebody it falls to, or stands by name among what has nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_falls_to_nobody_is_told() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-02-24").await;
        let nobodys = async || {
            let supervisor = place.supervisor.on(app).await;
            let found = supervisor
                .get(&format!("/api/v1/duties/unowned?area={EAST}"))
                .await
                .ok();
            let here = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["area_id"] == EAST_GRID.to_string());
            here.map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["open"]))
                .collect::<Vec<_>>()
        };
        assert_eq!(nobodys().await, Vec::<String>::new());
        let away = async |who: server::platform::WorkerId| {
            let (id, from): (PostId, i64) = (app.app.new_id(), app.app.now().0);
            let leave = "insert into leave_of (id, worker_id, from_at, to_at, reason) values ($1, $2, $3, $4, '')";
            change(app, leave, params![id, who, from, from + DAY_MS / 2].to_vec()).await;
        };
        // The stand-in is there, then nobody is; what waits for its holder still has its owner.
        away(place.holder).await;
        assert_eq!(nobodys().await, Vec::<String>::new());
        away(place.stand_in).await;
        let found = nobodys().await;
        assert!(found.iter().any(|one| one.starts_with("rounds ")), "{found:?}");
        assert!(!found.iter().any(|one| one.starts_with("paired ")), "{found:?}");
        go_to(app, "2026-02-25").await;
        assert_eq!(nobodys().await, Vec::<String>::new());
        // Nobody sits on the post any more.
        change(app, "update appointment set valid_to = '2026-02-24'", Vec::new()).await;
        let found = nobodys().await;
        assert!(
            found.iter().any(|one| one.starts_with("paired ")) && found.len() > 1,
            "{found:?}"
        );
        let elsewhere = app.login_as("supervisor", Some(WEST)).await;
        assert_eq!(
            elsewhere
                .get(&format!("/api/v1/duties/unowned?area={EAST}"))
                .await
                .verdict(),
            "404 not_found"
        );
    })
    .await;
}

/// Calls owed and made in an area.
async fn owed_and_done(app: &TestApp, who: &Client, area: AreaId, on: &str) -> [i64; 2] {
    let [owed, done, ..] = counts(app, who, area, "call", on).await;
    [owed, done]
}

/// Places come, move and go: only they are worked out anew, and nothing is owed to what is gone.
#[tokio::test(flavor = "multi_thread")]
async fn places_come_move_and_go() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-03-03").await;
        let late_comer = facility(app, "服务站", HERE).await;
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-03-03").await,
            [2, 0, 0, 0, 0]
        );
        // Somebody calls before the night knows of it.
        let worker = place.worker.on(app).await;
        let mut call = new_visit(app, "visit", "facility", late_comer);
        call["talk"] = json!("新开的站");
        assert_eq!(said(app, &worker, &call).await[0], "call: settles");
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-03-03").await,
            [4, 1, 0, 0, 0]
        );
        go_to(app, "2026-03-04").await;
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST, "call", "2026-03-03").await,
            [4, 1, 0, 0, 0],
            "the night changes nothing"
        );

        change(
            app,
            "update facility set area_id = $1, a2 = $2, a3 = null, a4 = null where id = $3",
            params![WEST, WEST, place.station].to_vec(),
        )
        .await;
        go_to(app, "2026-03-05").await;
        let (east, city) = (
            place.supervisor.on(app).await,
            person(app, "supervisor", CITY, None).await.on(app).await,
        );
        assert_eq!(owed_and_done(app, &east, EAST, "2026-03-05").await, [2, 1]);
        assert_eq!(owed_and_done(app, &city, WEST, "2026-03-05").await, [2, 0]);
        assert_eq!(owed_and_done(app, &city, CITY, "2026-03-05").await, [4, 1]);
        assert_eq!(
            east.get(&format!("/api/v1/duties/counts?area={WEST}"))
                .await
                .status
                .as_u16(),
            404
        );

        change(
            app,
            "update facility set removed_at = 1 where id = $1",
            params![late_comer].to_vec(),
        )
        .await;
        go_to(app, "2026-04-02").await;
        let city = person(app, "supervisor", CITY, None).await.on(app).await;
        assert_eq!(owed_and_done(app, &city, EAST, "2026-04-02").await, [0, 0]);
        assert_eq!(
            counts(app, &city, EAST, "call", "2026-03-05").await[1],
            1,
            "what was done stays done"
        );

        // Another pack without these rules: what is open is taken away, what was counted stays.
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), "default_source = \"assumption\"\n".into());
        policy::adopt(&app.app, files, None).await.unwrap();
        go_to(app, "2026-04-03").await;
        assert!(
            list(&place.worker.on(app).await)
                .await
                .iter()
                .all(|line| line.ends_with("missed"))
        );
    })
    .await;
}

/// Every household twice a quarter, a week apart at least (Luohe).
const TWICE: &str = r#"
default_source = "LH-07"
[[rule]]
key = "home"
name = "入户走访"
act = "visit"
who = "households"
times = 2
every = "quarter"
spacing = 7
partial = "full"
missed = "owed"
"#;

/// Visits come from a rule of how often; the days planned are spread over the quarter; coverage and lateness are told for the grid, with every
/// household behind them.
/// Clause LH-07
#[tokio::test(flavor = "multi_thread")]
async fn every_household_is_visited_twice_a_quarter() {
    const HOMES: usize = 20;
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), TWICE.into());
        policy::adopt(&app.app, files, None).await.unwrap();
        let centre = person(app, "dispatcher", CITY, None).await.on(app).await;
        for room in 0..HOMES {
            let lives = json!({ "area_id": EAST_GRID, "room": format!("{}", 101 + room) });
            crate::registry::household(&centre, app, lives).await;
        }
        go_to(app, "2026-04-01").await;
        let supervisor = place.supervisor.on(app).await;
        let path = format!("/api/v1/duties?area={EAST_GRID}&rule=home&limit=200");
        let lines = supervisor.get(&path).await.ok()["items"].as_array().unwrap().clone();
        assert_eq!(lines.len(), 2 * HOMES);
        let mut weeks: BTreeMap<i64, usize> = BTreeMap::new();
        for line in &lines {
            let day: Date = line["planned"].as_str().unwrap().parse().unwrap();
            let since = (Timestamp::start_of(day).0 - Timestamp::start_of("2026-04-01".parse().unwrap()).0) / DAY_MS;
            assert!((0..91).contains(&since), "{line}");
            *weeks.entry(since / 7).or_default() += 1;
        }
        assert!(
            weeks.len() >= 10 && weeks.values().all(|n| *n <= 7),
            "spread over the quarter: {weeks:?}"
        );

        // One household is called on twice, a day too early the first time it is tried again.
        let home = lines[0]["subject_id"].as_str().unwrap().to_owned();
        let call = async |day: &str| {
            go_to(app, day).await;
            said(
                app,
                &place.worker.on(app).await,
                &new_visit(app, "visit", "household", &home),
            )
            .await
        };
        assert_eq!(call("2026-04-10").await, ["home: settles"]);
        assert_eq!(call("2026-04-16").await, ["home: not too_soon"]);
        assert_eq!(call("2026-04-17").await, ["home: settles"]);
        assert_eq!(
            counts(app, &place.supervisor.on(app).await, EAST_GRID, "home", "2026-04-17").await[..2],
            [40, 2]
        );
        go_to(app, "2026-06-30").await;
        let supervisor = place.supervisor.on(app).await;
        let [owed, done, late, missed, _] = counts(app, &supervisor, EAST_GRID, "home", "2026-06-30").await;
        assert_eq!((owed, done, missed), (40, 2, 0));
        assert_eq!(
            supervisor.get(&format!("{path}&on=2026-06-30&state=late")).await.ok()["items"]
                .as_array()
                .unwrap()
                .len() as i64,
            late
        );
        assert!(late >= 19, "the first of each is late by the end: {late}");
        go_to(app, "2026-07-01").await;
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(
            counts(app, &supervisor, EAST_GRID, "home", "2026-06-30").await,
            [40, 2, 0, 38, 0]
        );
        let missed = supervisor.get(&format!("{path}&on=2026-06-30&state=missed")).await.ok();
        assert_eq!(missed["items"].as_array().unwrap().len(), 38);
        let elsewhere = supervisor.get(&format!("/api/v1/duties?area={WEST}&rule=home")).await;
        assert_eq!(elsewhere.verdict(), "404 not_found");
        let wrong = supervisor.get(&format!("{path}&state=asleep")).await;
        assert_eq!(wrong.verdict(), "422 invalid_field");
    })
    .await;
}

/// Other rules in force: what is owed by them is worked out within minutes, without waiting for the night.
#[tokio::test(flavor = "multi_thread")]
async fn other_rules_hold_within_minutes() {
    each_with_photos(async |app| {
        place(app).await;
        assert_eq!(open_in(app, EAST_GRID).await, [""; 0], "no night has passed");
        settled(app).await;
        assert_eq!(
            open_in(app, EAST_GRID).await,
            ["call", "call", "out", "paired", "rounds", "rounds", "toilet"]
        );
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), "default_source = \"assumption\"\n".into());
        policy::adopt(&app.app, files, None).await.unwrap();
        app.advance_minutes(2);
        settled(app).await;
        assert_eq!(open_in(app, EAST_GRID).await, [""; 0]);
    })
    .await;
}

/// Households are called on once a quarter.
const HOMES: &str = r#"
[[rule]]
key = "home"
name = "入户走访"
act = "visit"
who = "households"
times = 1
every = "quarter"
partial = "full"
missed = "owed"
"#;

/// What is open in the first grid: of February's calls those missed are owed still.
const FIRST_OWED: [&str; 8] = ["call", "call", "call", "call", "out", "paired", "rounds", "rounds"];

/// Rules of what is open in an area.
async fn open_in(app: &TestApp, area: AreaId) -> Vec<String> {
    let ctx = Ctx::system(&app.app, "test");
    let read = app.app.read(&ctx, move |_, tx| {
        let rows = tx.query(
            "select rule from obligation where area_id = $1 and open = 1 order by rule, nth",
            &params![area],
        )?;
        rows.iter()
            .map(|row| Ok(row.get(0)?))
            .collect::<Result<Vec<String>, _>>()
    });
    read.await.unwrap()
}

/// Grids divided anew: the dry run names what is owed there; on the day it is owed where its place lies then, and undone it is back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_follows_the_grids() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), format!("{RULES}{HOMES}"));
        policy::adopt(&app.app, files, None).await.unwrap();
        adoption::furnish(app).await;
        let (lon, lat) = adoption::at(5, 1);
        let to = params![lon, lat, place.toilet];
        change(app, "update facility set lon = $1, lat = $2 where id = $3", to.to_vec()).await;
        let dispatcher = person(app, "dispatcher", CITY, None).await.on(app).await;
        let lives = json!({ "area_id": EAST_GRID, "dwelling_id": adoption::dwelling_id((5, 2)), "room": "101" });
        crate::registry::household(&dispatcher, app, lives).await;
        go_to(app, "2026-03-03").await;
        let first = || FIRST_OWED.into_iter();
        let before: Vec<&str> = {
            let mut all: Vec<&str> = first().chain(["home", "toilet"]).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(open_in(app, adoption::SECOND).await, ["out", "rounds", "rounds"]);
        assert_eq!(open_in(app, EAST_GRID).await, before);

        // The toilet and the household lie in the second of three grids then; the station stays in the first; the grid in the east ends.
        let drawn = adoption::plan(app, |c, _| c as u32 / 4 + 1, &[(1, EAST_GRID)]).await;
        let path = format!("/api/v1/plans/{drawn}/adoption");
        let planner = app.login_as("planner", Some(EAST)).await;
        let named = planner
            .get(&format!("{path}?day=2026-03-03&kind=obligation"))
            .await
            .ok();
        let lines = named["items"].as_array().unwrap().iter().map(|item| {
            format!(
                "{} {}",
                item["label"].as_str().unwrap(),
                item["to"]["name"].as_str().unwrap_or("-")
            )
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        let second = "东港街道海印社区第二网格 -";
        assert_eq!(
            lines,
            [
                "入户走访 × 1 新2网格",
                "公厕检查：公厕一处 新2网格",
                &format!("每周入户：{second}"),
                &format!("片区巡逻：{second}"),
                &format!("片区巡逻：{second}"),
            ]
        );

        let id: server::platform::AdoptionId = app.app.new_id();
        planner.post(&path, json!({ "id": id, "day": "2026-03-03" })).await.ok();
        settled(app).await;
        let grids = planner
            .get(&format!("/api/v1/areas?parent={EAST_COMMUNITY}"))
            .await
            .ok();
        let of = |name: &str| {
            let found = grids["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["name"] == name);
            found.unwrap()["id"].as_str().unwrap().parse::<AreaId>().unwrap()
        };
        assert_eq!(open_in(app, EAST_GRID).await, FIRST_OWED);
        assert_eq!(
            open_in(app, of("新2网格")).await,
            ["home", "out", "rounds", "rounds", "toilet"]
        );
        assert_eq!(open_in(app, of("新3网格")).await, ["out", "rounds", "rounds"]);
        assert_eq!(open_in(app, adoption::SECOND).await, [""; 0]);

        let undo = format!("/api/v1/adoptions/{id}/undo");
        planner.post(&undo, json!({ "dry": false })).await.ok();
        settled(app).await;
        assert_eq!(open_in(app, EAST_GRID).await, before);
        assert_eq!(open_in(app, adoption::SECOND).await, ["out", "rounds", "rounds"]);
        assert_eq!(open_in(app, of("新2网格")).await, [""; 0]);
    })
    .await;
}

/// What was put in line is done, and what it puts in line for a little later.
async fn settled(app: &TestApp) {
    jobs::run_due(&app.app).await.unwrap();
    app.advance_minutes(2);
    jobs::run_due(&app.app).await.unwrap();
    counts_are_true(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_sealed_and_every_look_is_logged() {
    each_with_photos(async |app| {
        let place = place(app).await;
        go_to(app, "2026-02-24").await;
        let (worker, supervisor) = (place.worker.on(app).await, place.supervisor.on(app).await);
        let mut call = new_visit(app, "visit", "facility", place.station);
        call["talk"] = json!("想申请低保");
        said(app, &worker, &call).await;
        let id = call["id"].as_str().unwrap().to_owned();
        let ctx = Ctx::system(&app.app, "test");
        let (stored, marks) = app
            .app
            .read(&ctx, |_, tx| {
                let row = tx.query_one("select talk_sealed from visit", &[])?;
                let rows = tx.query("select count(*) from access_log", &[])?;
                Ok((row.get::<Vec<u8>>(0)?, rows[0].get::<i64>(0)?))
            })
            .await
            .unwrap();
        assert!(!String::from_utf8_lossy(&stored).contains("低保"));
        assert_eq!(
            supervisor.get(&format!("/api/v1/visits/{id}")).await.verdict(),
            "403 purpose_required"
        );
        let seen = supervisor
            .get(&format!("/api/v1/visits/{id}?purpose=supervise"))
            .await
            .ok();
        assert_eq!(seen["talk"], json!("想申请低保"));
        let logged = app
            .app
            .read(&ctx, |_, tx| {
                Ok(tx.query_one("select count(*) from access_log", &[])?.get::<i64>(0)?)
            })
            .await
            .unwrap();
        assert_eq!(logged, marks + 1);
        let elsewhere = person(app, "supervisor", WEST, None).await.on(app).await;
        let theirs = elsewhere.get(&format!("/api/v1/visits/{id}?purpose=supervise")).await;
        assert_eq!(theirs.verdict(), "404 not_found");
    })
    .await;
}

/// Each household is called on once a month, twice a year somebody asks how things are.
const OF_HOMES: &str = r#"
default_source = "assumption"
[[rule]]
key = "home"
name = "入户走访"
act = "visit"
who = "households"
times = 1
every = "month"
partial = "full"
missed = "owed"
[[rule]]
key = "out"
name = "网格走访"
act = "visit"
who = "grids"
times = 1
most = 100
every = "day"
spacing = 0
partial = "full"
missed = "lapses"
[[rule]]
key = "hard"
name = "困难家庭每周必访"
act = "visit"
who = "register"
of = "hardship"
times = 1
every = "week"
evidence = ["talk"]
partial = "full"
missed = "lapses"
"#;

/// What is owed to people on a care register begins when they are put on it, moves with them and ends with their entry.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_to_people_on_a_register_follows_them() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), OF_HOMES.into());
        policy::adopt(&app.app, files, None).await.unwrap();
        crate::registry::opened(app, "hardship").await;
        let centre = app.login_as("dispatcher", Some(CITY)).await;
        let home = crate::registry::household(&centre, app, json!({ "area_id": EAST_GRID, "room": "101" })).await;
        let who = app.app.new_id::<VisitId>().to_string();
        let wish =
            json!({ "id": who, "household_id": home, "relation": "户主", "name": "张三", "valid_from": "2026-01-10" });
        centre.post("/api/v1/registry/residents", wish).await.ok();
        let (supervisor, worker) = (place.supervisor.on(app).await, place.worker.on(app).await);
        let owed = async |area: AreaId| counts(app, &supervisor, area, "hard", "2026-02-14").await;
        assert_eq!(owed(EAST_GRID).await, [0; 5]);
        let on = json!({ "resident_id": who, "source": "visit" });
        centre.post("/api/v1/registry/registers/hardship/people", on).await.ok();
        assert_eq!(
            (owed(EAST_GRID).await, owed(EAST).await),
            ([1, 0, 0, 0, 0], [1, 0, 0, 0, 0])
        );
        assert!(
            list(&worker).await.contains(&"hard 1 due".to_owned()),
            "{:?}",
            list(&worker).await
        );

        let mut call = new_visit(app, "visit", "resident", &who);
        assert_eq!(said(app, &worker, &call).await, ["out: settles", "hard: not no_talk"]);
        call = new_visit(app, "visit", "resident", &who);
        call["talk"] = json!("药已经买好");
        assert_eq!(said(app, &worker, &call).await, ["out: extra", "hard: settles"]);
        assert_eq!(owed(EAST_GRID).await, [1, 1, 0, 0, 0]);

        let moved =
            json!({ "id": app.app.new_id::<VisitId>(), "place": { "area_id": WEST }, "valid_from": "2026-02-14" });
        centre
            .post(&format!("/api/v1/registry/households/{home}/move"), moved)
            .await
            .ok();
        assert_eq!(owed(EAST_GRID).await, [0; 5]);
        let west = person(app, "supervisor", WEST, None).await.on(app).await;
        assert_eq!(
            counts(app, &west, WEST, "hard", "2026-02-14").await,
            [1, 1, 0, 0, 0],
            "done is done, wherever they live now"
        );
        let off = json!({ "resident_id": who, "how": "no_need" });
        centre.post("/api/v1/registry/registers/hardship/off", off).await.ok();
        let next = new_visit(app, "visit", "resident", &who);
        assert_eq!(
            place.other.on(app).await.post("/api/v1/visits", next).await.verdict(),
            "404 not_found",
            "beyond the area"
        );
        go_to(app, "2026-02-17").await;
        let west = person(app, "supervisor", WEST, None).await.on(app).await;
        assert_eq!(
            counts(app, &west, WEST, "hard", "2026-02-17").await,
            [0; 5],
            "nothing is owed the week after"
        );
    })
    .await;
}

/// What is owed to households comes, goes and moves with them in the same transaction, is listed with the address and settled by a visit;
/// those that were there before the rule are found by the night.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_to_households_follows_them() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let dispatcher = person(app, "dispatcher", CITY, None).await;
        let lives = async |area: AreaId, room: &str| {
            crate::registry::household(&dispatcher.on(app).await, app, json!({ "area_id": area, "room": room })).await
        };
        let before = lives(EAST_GRID, "101").await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), OF_HOMES.into());
        policy::adopt(&app.app, files, None).await.unwrap();
        let owed = async |area: AreaId| counts(app, &place.supervisor.on(app).await, area, "home", "2026-02-16").await;
        assert_eq!(owed(EAST_GRID).await, [0; 5]);
        let second = lives(EAST_GRID, "102").await;
        assert_eq!(owed(EAST_GRID).await, [1, 0, 0, 0, 0], "at once");
        go_to(app, "2026-02-16").await;
        assert_eq!(
            (owed(EAST_GRID).await, owed(EAST).await),
            ([2, 0, 0, 0, 0], [2, 0, 0, 0, 0])
        );

        let worker = place.worker.on(app).await;
        let page = worker.get("/api/v1/duties/today").await.ok();
        let homes: Vec<(&str, &str)> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["subject_kind"] == "household")
            .map(|one| {
                (
                    one["subject_id"].as_str().unwrap(),
                    one["subject_name"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            homes.iter().copied().collect::<BTreeMap<_, _>>(),
            [(before.as_str(), "1层101室"), (second.as_str(), "1层102室")].into()
        );
        let audit = app.login_as("audit_admin", None).await;
        let log = audit
            .get(&format!("/api/v1/access-log?subject={EAST_GRID}&limit=200"))
            .await
            .ok();
        assert!(
            log["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["fields"] == json!(["addresses"]) && one["purpose"] == "visit"),
            "{log}"
        );

        let call = new_visit(app, "visit", "household", &before);
        assert_eq!(said(app, &worker, &call).await, ["home: settles", "out: settles"]);
        assert_eq!(owed(EAST_GRID).await, [2, 1, 0, 0, 0]);
        let nowhere = new_visit(app, "visit", "household", app.app.new_id::<VisitId>());
        assert_eq!(worker.post("/api/v1/visits", nowhere).await.verdict(), "404 not_found");

        // One moves to the other town: it is owed there, and no longer here. The other was put down in the wrong grid.
        let west = person(app, "supervisor", WEST, None).await;
        let owed_there = async |on: &str| counts(app, &west.on(app).await, WEST, "home", on).await;
        let centre = dispatcher.on(app).await;
        let moved = app.app.new_id::<VisitId>().to_string();
        let there = json!({ "id": moved, "place": { "area_id": WEST }, "valid_from": "2026-02-15" });
        centre
            .post(&format!("/api/v1/registry/households/{second}/move"), there)
            .await
            .ok();
        assert_eq!(
            owed(EAST_GRID).await,
            [2, 1, 0, 1, 0],
            "by this rule the whole number is owed, however short the time"
        );
        assert_eq!(owed_there("2026-02-16").await, [1, 0, 0, 0, 0]);
        centre
            .patch(
                &format!("/api/v1/registry/households/{before}"),
                json!({ "place": { "area_id": WEST } }),
            )
            .await
            .ok();
        assert_eq!(
            (owed(EAST_GRID).await, owed(EAST).await),
            ([1, 0, 0, 1, 0], [1, 0, 0, 1, 0])
        );
        assert_eq!(owed_there("2026-02-16").await, [2, 1, 0, 0, 0]);
        let gone = json!({ "on": "2026-02-15", "how": "dissolved" });
        centre
            .post(&format!("/api/v1/registry/households/{moved}/end"), gone)
            .await
            .ok();
        assert_eq!(owed_there("2026-02-16").await, [1, 1, 0, 0, 0]);
        // The night finds nothing to change; the next month owes the one that is left.
        go_to(app, "2026-02-18").await;
        assert_eq!(owed_there("2026-02-16").await, [1, 1, 0, 0, 0]);
        go_to(app, "2026-03-01").await;
        assert_eq!(owed_there("2026-03-01").await, [1, 0, 0, 0, 0]);
    })
    .await;
}

/// Two registers of Luohe, each called on every month.
const MONTHLY: &str = r#"
default_source = "LH-09"
[[rule]]
key = "hard"
name = "困难家庭每月走访"
act = "visit"
who = "register"
of = "hardship"
times = 1
every = "month"
partial = "full"
missed = "owed"
[[rule]]
key = "alone"
name = "空巢老人每月走访"
act = "visit"
who = "register"
of = "elder_alone"
times = 1
every = "month"
partial = "full"
missed = "owed"
"#;
const ELDERS: &str = r#"
[[register]]
key = "elder_alone"
name = "空巢老人"
service = "每月上门探望"
legal_basis = "《中华人民共和国老年人权益保障法》第三十八条"
entries = "本人或家属申请、网格走访"
serves = ["grid"]
source = "LH-09"
"#;

/// Clause LH-09
///
/// Families in hardship and elders living alone are called on every month: by whoever stands in while the worker is away; who was missed stands
/// out, with the address, and can be made up for.
#[tokio::test(flavor = "multi_thread")]
async fn families_in_hardship_and_elders_alone_are_called_on_every_month() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), MONTHLY.into());
        files.get_mut("registers.toml").unwrap().push_str(ELDERS);
        policy::adopt(&app.app, files, None).await.unwrap();
        let centre = app.login_as("dispatcher", Some(CITY)).await;
        let mut people = Vec::new();
        for (register, room) in [("hardship", "101"), ("elder_alone", "102")] {
            crate::registry::opened(app, register).await;
            let home = crate::registry::household(&centre, app, json!({ "area_id": EAST_GRID, "room": room })).await;
            let who = app.app.new_id::<VisitId>().to_string();
            let wish =
                json!({ "id": who, "household_id": home, "relation": "户主", "name": "张三", "valid_from": "2026-01-10" });
            centre.post("/api/v1/registry/residents", wish).await.ok();
            let on = json!({ "resident_id": who, "source": "visit" });
            centre.post(&format!("/api/v1/registry/registers/{register}/people"), on).await.ok();
            people.push(who);
        }
        let worker = place.worker.on(app).await;
        let mut owed = list(&worker).await;
        owed.sort();
        assert_eq!(owed, ["alone 1 early", "hard 1 early"]);
        let call = new_visit(app, "visit", "resident", &people[0]);
        assert_eq!(said(app, &worker, &call).await, ["hard: settles"]);

        // Away for the rest of the month: the elder falls to the stand-in, who finds nobody at home.
        let leave: PostId = app.app.new_id();
        let (from, to) = (app.app.now().0, app.app.now().0 + 20 * DAY_MS);
        change(
            app,
            "insert into leave_of (id, worker_id, from_at, to_at, reason) values ($1, $2, $3, $4, '')",
            params![leave, place.holder, from, to].to_vec(),
        )
        .await;
        assert_eq!(list(&worker).await, [] as [String; 0]);
        let stand_in = place.other.on(app).await;
        assert_eq!(list(&stand_in).await, ["alone 1 early"]);
        let mut vain = new_visit(app, "visit", "resident", &people[1]);
        vain["outcome"] = json!("nobody_home");
        said(app, &stand_in, &vain).await;

        // The month is over: it stands out with its address and how it went, and can still be made up for.
        go_to(app, "2026-03-02").await;
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(counts(app, &supervisor, EAST, "alone", "2026-02-14").await, [1, 0, 0, 1, 0]);
        assert_eq!(counts(app, &supervisor, EAST, "hard", "2026-02-14").await, [1, 1, 0, 0, 0]);
        let missed = supervisor
            .get(&format!("/api/v1/duties?area={EAST_GRID}&rule=alone&on=2026-02-14&state=missed"))
            .await
            .ok();
        let line = &missed["items"][0];
        assert_eq!(
            (&line["subject_name"], &line["tried"], &line["reason"]),
            (&json!("1层102室"), &json!(1), &json!("nobody_home"))
        );
        let stand_in = place.other.on(app).await;
        assert!(list(&stand_in).await.contains(&"alone 1 missed".to_owned()));
    })
    .await;
}

/// A list of people brought in: what their households are owed is there within minutes, not after the night.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_people_is_owed_its_calls_within_minutes() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), OF_HOMES.into());
        policy::adopt(&app.app, files, None).await.unwrap();
        let ctx = Ctx::system(&app.app, "import").for_purpose(server::platform::Purpose::Registry);
        let list = "楼栋,房号,姓名,与户主关系\n4幢,101室,林一,户主\n4幢,102室,林二,户主\n";
        let options = server::exchange::people::Options {
            source: "名册".into(),
            area: Some(EAST_GRID),
            columns: None,
            dry_run: false,
            skip_bad: false,
        };
        let report = server::exchange::people::import(&ctx, list.as_bytes().to_vec(), options)
            .await
            .unwrap();
        assert_eq!((report.households, report.problems.len()), (2, 0), "{report:?}");
        let supervisor = place.supervisor.on(app).await;
        assert_eq!(counts(app, &supervisor, EAST_GRID, "home", "2026-02-14").await[0], 0);
        app.advance_minutes(2);
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(counts(app, &supervisor, EAST_GRID, "home", "2026-02-14").await[0], 2);
    })
    .await;
}
