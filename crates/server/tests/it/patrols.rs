//! Patrols through the router on both databases: four hours a day as in Luohe, with their tracks, by worker and day.

use crate::duties::person;
use crate::kit::{CITY, EAST, EAST_GRID, TestApp};
use crate::people::{each_with_photos, post, unit, worker};
use serde_json::{Value, json};
use server::platform::{VisitId, jobs};
use server::policy;

/// At least four hours of patrol a day, in duty time.
const RULES: &str = r#"
default_source = "LH-06"
[[rule]]
key = "patrol"
name = "每天巡查四小时"
act = "patrol"
who = "grids"
minutes = 240
every = "day"
hours = ["08:00-18:00"]
evidence = ["position"]
partial = "full"
missed = "lapses"
"#;

/// A patrol that began just now: a step each minute, with one gap of five minutes and one pause of ten.
fn patrol(app: &TestApp, minutes: u32) -> Value {
    let at = |s: u32| json!({ "s": s, "lon": 122.2 + f64::from(s) / 60.0 * 0.0005, "lat": 29.9, "accuracy_m": 8.0 });
    let whole = (minutes + 10) * 60;
    let silent = |s: u32| (600..900).contains(&s) || (1_200..1_800).contains(&s);
    let steps: Vec<Value> = (0..=whole).step_by(60).filter(|s| !silent(*s)).map(at).collect();
    json!({
        "id": app.app.new_id::<VisitId>(), "act": "patrol", "subject_kind": "grid", "subject_id": EAST_GRID, "at": app.app.now().to_string(),
        "minutes": minutes, "outcome": "met", "position": { "lon": 122.2, "lat": 29.9, "mock": false },
        "track": { "steps": steps, "pauses": [{ "from_s": 1_150, "to_s": 1_790 }] },
    })
}

/// Clause LH-06
///
/// Four hours of patrol a day, from begin, pause, end and track, told by worker and day beside what the pack wants.
#[tokio::test(flavor = "multi_thread")]
async fn four_hours_of_patrol_are_counted_and_shown_with_their_tracks() {
    each_with_photos(async |app| {
        let mut files = policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), RULES.into());
        policy::adopt(&app.app, files, None).await.unwrap();
        let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
        let holder = worker(app, "张网格").await;
        post(app, centre, Some(EAST_GRID), "grid", holder, None).await;
        let walker = person(app, "grid_worker", EAST_GRID, Some(holder)).await;
        let leader = person(app, "supervisor", EAST, None).await;
        jobs::run_due(&app.app).await.unwrap();
        let (again, chief) = (&walker, &leader);
        let walker = again.on(app).await;
        let grids = walker.get("/api/v1/patrols/grids").await.ok();
        assert_eq!(grids[0]["id"], EAST_GRID.to_string());

        // Ninety minutes from ten o'clock: counted, not yet enough.
        let first = patrol(app, 90);
        let done = async || {
            let counts = chief
                .on(app)
                .await
                .get(&format!("/api/v1/duties/counts?area={EAST_GRID}&on=2026-02-14"))
                .await
                .ok();
            counts[0]["rules"][0]["done"].as_i64()
        };
        walker.post("/api/v1/visits", first.clone()).await.ok();
        assert_eq!(done().await, Some(0));
        // The same again is the same; with another track it is refused.
        assert_eq!(walker.post("/api/v1/visits", first.clone()).await.ok()["already"], true);
        let mut other = first.clone();
        other["track"]["steps"] = json!([]);
        assert!(
            walker
                .post("/api/v1/visits", other)
                .await
                .verdict()
                .contains("visit_id_used")
        );
        // A session does not outlive the morning.
        app.advance_minutes(180);
        let (walker, leader) = (again.on(app).await, chief.on(app).await);
        walker.post("/api/v1/visits", patrol(app, 150)).await.ok();
        assert_eq!(done().await, Some(1));

        let day = leader
            .get(&format!("/api/v1/patrols?area={EAST}&on=2026-02-14"))
            .await
            .ok();
        assert_eq!(
            day["wanted"],
            json!([{ "name": "每天巡查四小时", "need": 240, "in_minutes": true }])
        );
        let one = &day["items"][0];
        assert_eq!(
            (&one["worker_name"], &one["times"], &one["minutes"]),
            (&json!("张网格"), &json!(2), &json!(240))
        );
        assert_eq!(
            (&one["gaps"], &one["mock"], &one["without_track"]),
            (&json!(2), &json!(0), &json!(0))
        );
        assert!(one["metres"].as_f64().unwrap() > 5_000.0, "{one}");
        let worker_id = one["worker_id"].as_str().unwrap();
        let both = leader
            .get(&format!(
                "/api/v1/patrols/workers/{worker_id}?area={EAST}&on=2026-02-14"
            ))
            .await
            .ok();
        assert_eq!(both.as_array().unwrap().len(), 2);
        assert_eq!((&both[0]["gaps"], &both[0]["longest_gap_s"]), (&json!(1), &json!(360)));

        // Where somebody walked is looked at for a purpose, and the look is on record.
        let id = first["id"].as_str().unwrap();
        assert!(
            leader
                .get(&format!("/api/v1/visits/{id}/track"))
                .await
                .verdict()
                .contains("purpose_required")
        );
        let track = leader
            .get(&format!("/api/v1/visits/{id}/track?purpose=supervise"))
            .await
            .ok();
        assert_eq!(
            track["steps"].as_array().unwrap().len(),
            first["track"]["steps"].as_array().unwrap().len()
        );
        assert_eq!(track["pauses"], json!([{ "from_s": 1_150, "to_s": 1_790 }]));
        let auditor = app.login_as("audit_admin", Some(CITY)).await;
        let log = auditor.get(&format!("/api/v1/access-log?subject={id}")).await.ok();
        let looks = log["items"].as_array().unwrap();
        assert!(
            looks
                .iter()
                .any(|one| one["fields"] == json!(["track"]) && one["purpose"] == "supervise"),
            "{log}"
        );

        // After work nobody is followed: what lies outside the hours is not kept, nor is a track of anything but a patrol.
        app.advance_minutes(7 * 60 + 30);
        let (walker, leader) = (again.on(app).await, chief.on(app).await);
        let late = patrol(app, 60);
        walker.post("/api/v1/visits", late.clone()).await.ok();
        let kept = leader
            .get(&format!(
                "/api/v1/visits/{}/track?purpose=supervise",
                late["id"].as_str().unwrap()
            ))
            .await
            .ok();
        assert_eq!(kept["steps"], json!([]));
        let mut visit = patrol(app, 10);
        visit["act"] = json!("visit");
        assert!(
            walker
                .post("/api/v1/visits", visit)
                .await
                .verdict()
                .contains("visit_track_elsewhere")
        );
        let mut turned = patrol(app, 10);
        turned["track"]["steps"].as_array_mut().unwrap().reverse();
        assert!(
            walker
                .post("/api/v1/visits", turned)
                .await
                .verdict()
                .contains("visit_track_order")
        );
    })
    .await;
}

/// The order of a day: the nearest first, what opens later in its time, lunch is had, what cannot be done today is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_its_order_and_says_what_does_not_fit() {
    each_with_photos(async |app| {
        let who = app.login_as("grid_worker", Some(EAST_GRID)).await;
        let stop = |key: &str, east: f64, must: bool| json!({ "key": key, "lon": 122.2 + east, "lat": 29.9, "minutes": 10, "must": must });
        let mut day = json!({
            "start": { "lon": 122.2, "lat": 29.9 }, "from": "09:00", "until": "17:30", "lunch": true,
            "stops": [stop("far", 0.01, true), stop("near", 0.001, true), stop("middle", 0.005, false), stop("other town", 1.5, false)],
        });
        day["stops"][0]["from"] = json!("14:00");
        let route = who.post("/api/v1/day-route", day.clone()).await.ok();
        let keys: Vec<&str> = route["halts"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["near", "middle", "far"], "{route}");
        let lunch = route["lunch"].as_array().unwrap();
        assert!(lunch[0].as_str().unwrap() >= "11:30" && lunch[1].as_str().unwrap() <= "13:30", "{route}");
        let far = route["halts"].as_array().unwrap().iter().find(|one| one["key"] == "far").unwrap();
        assert!(far["begin"].as_str().unwrap() >= "14:00", "{route}");
        assert_eq!(route["left_out"][0]["key"], "other town");
        assert!(!route["left_out"][0]["message"].as_str().unwrap().is_empty());
        // The same question has the same answer.
        assert_eq!(who.post("/api/v1/day-route", day.clone()).await.ok(), route);
        day["until"] = json!("08:00");
        assert!(who.post("/api/v1/day-route", day.clone()).await.verdict().contains("day_route_no_day"));
        day["until"] = json!("5 o'clock");
        assert!(who.post("/api/v1/day-route", day.clone()).await.verdict().contains("day_route_time"));
        let many: Vec<Value> = (0..61).map(|n| stop(&n.to_string(), 0.0, true)).collect();
        day["stops"] = json!(many);
        assert!(who.post("/api/v1/day-route", day).await.verdict().contains("day_route_too_many"));
    })
    .await;
}
