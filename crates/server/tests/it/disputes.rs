//! Disputes: mediation with its rungs, the paper and the follow-up; escalation before the limit; how old what is open is.

use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp};
use crate::people::{
    act, counters_are_true, each_with_photos, kinds, photo, post, report, run_timers, sign_in, unit, worker,
};
use serde_json::{Value, json};
use server::platform::{UnitId, WorkerId, jobs};

/// A quarrel between neighbours.
const DISPUTE: &str = "0901";
/// A bad smell: not a matter for mediation.
const SMELL: &str = "0301";

/// Three rungs of mediation, a grid worker, and the head of the city's centre on duty day and night.
struct Place {
    community: (UnitId, WorkerId),
    town: (UnitId, WorkerId),
    judicial: (UnitId, WorkerId),
    head: WorkerId,
    grid: WorkerId,
}

async fn place(app: &TestApp) -> Place {
    let rung = async |name, person, body, kind, area| {
        let unit = unit(app, name, kind, body, area).await;
        let worker = worker(app, person).await;
        post(app, unit, None, "handle", worker, Some("值守")).await;
        (unit, worker)
    };
    let community = rung(
        "海印社区人民调解委员会",
        "甲调解",
        "mediation",
        "committee",
        EAST_COMMUNITY,
    )
    .await;
    let town = rung("东港街道人民调解委员会", "乙调解", "mediation", "committee", EAST).await;
    let judicial = rung("东港司法所", "丙司法", "justice", "station", EAST).await;
    let centre = unit(app, "市网格中心", "centre", "centre", CITY).await;
    let head = worker(app, "孙主任").await;
    post(app, centre, None, "lead", head, Some("值守")).await;
    let team = unit(app, "第一网格服务团队", "station", "grid", EAST_GRID).await;
    let grid = worker(app, "张网格").await;
    post(app, team, Some(EAST_GRID), "grid", grid, Some("值守")).await;
    Place {
        community,
        town,
        judicial,
        head,
        grid,
    }
}

async fn mediator(app: &TestApp, (unit, worker): (UnitId, WorkerId)) -> Client {
    sign_in(app, "handler", CITY, Some(unit), Some(worker)).await
}

async fn page(who: &Client, case: &str) -> Value {
    who.get(&format!("/api/v1/cases/{case}")).await.ok()
}

/// Clause ZS-17
///
/// A dispute is mediated where it arose; when that fails it climbs to the next rung in the same moment under a clock of its own; before the
/// limit the head of the centre above is told by name; an agreement with its paper finishes it; and the follow-up is brought to mind.
#[tokio::test]
async fn a_dispute_climbs_is_settled_and_looked_at_again() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let first = mediator(app, place.community).await;
        let id = report(app, EAST_GRID, DISPUTE, "两家因为共用墙吵了半年").await;
        act(&first, &id, "take", json!({})).await.ok();
        let seen = page(&first, &id).await;
        assert_eq!((seen["unit"]["name"].as_str(), seen["mediation_next"].as_str()), (Some("海印社区人民调解委员会"), Some("Town mediation")));
        assert_eq!(act(&first, &id, "handle", json!({ "result": "已劝和" })).await.verdict(), "422 mediation_outcome_needed");

        // Failed: to the street at once, with the time of a new hand.
        let before = seen["due_at"].clone();
        app.advance_hours(5);
        let first = mediator(app, place.community).await;
        let failed = json!({ "outcome": "failed", "agreement": "双方对赔偿数额分歧大", "mediator": "甲调解、楼组长", "held_on": "2026-02-14" });
        let future = json!({ "outcome": "failed", "agreement": "x", "held_on": "2026-02-20" });
        assert_eq!(act(&first, &id, "mediate", future).await.verdict(), "422 day_in_the_future");
        assert_eq!(act(&first, &id, "mediate", failed).await.verdict(), "200");
        assert_eq!(first.get(&format!("/api/v1/cases/{id}")).await.verdict(), "404 not_found", "no longer theirs");
        let second = mediator(app, place.town).await;
        let climbed = page(&second, &id).await;
        assert_eq!((climbed["state"].as_str(), climbed["worker"]["name"].as_str()), (Some("assigned"), Some("乙调解")));
        assert_ne!(climbed["due_at"], before, "a clock of its own");
        let held = &climbed["mediations"][0];
        assert_eq!((held["outcome"].as_str(), held["mediator"].as_str(), held["next"].as_str()), (Some("failed"), Some("甲调解、楼组长"), Some("Town mediation")));
        assert_eq!(held["rung"], "Community mediation");
        assert!(kinds(&climbed).contains(&"mediation_climbed"));

        // Nine tenths of seven days: the head of the centre above hears by name, in time to step in.
        app.advance_hours(24 * 6 + 8);
        run_timers(app).await;
        let second = mediator(app, place.town).await;
        let seen = page(&second, &id).await;
        let happened = kinds(&seen);
        assert!(happened.contains(&"warned") && happened.contains(&"escalated_early") && !happened.contains(&"became_late"), "{happened:?}");
        let told = seen["events"].as_array().unwrap().iter().find(|e| e["kind"] == "escalated_early").unwrap().clone();
        let text = told["text"].as_str().unwrap();
        assert!(text.starts_with("Handling ") && text.contains("孙主任"), "the step in the reader's language: {told}");
        let head = sign_in(app, "supervisor", CITY, None, Some(place.head)).await;
        assert_eq!(head.get("/api/v1/notices").await.ok()["items"][0]["kind"], "escalated_early");

        // An agreement needs the day of its follow-up; its paper is a photo of its own kind.
        act(&second, &id, "take", json!({})).await.ok();
        let paper = photo(&second, 7).await;
        let mut agreed = json!({ "outcome": "agreed", "agreement": "甲方一周内修好墙面，费用各半" });
        assert_eq!(act(&second, &id, "mediate", agreed.clone()).await.verdict(), "422 follow_up_missing");
        agreed["follow_up_on"] = json!("2028-01-01");
        assert_eq!(act(&second, &id, "mediate", agreed.clone()).await.verdict(), "422 follow_up_out_of_range");
        agreed["follow_up_on"] = json!("2026-02-27");
        agreed["attachments"] = json!([paper]);
        let settled = act(&second, &id, "mediate", agreed).await.ok();
        assert_eq!(settled["outcome"], "mediation_agreed");
        assert_eq!((settled["mediations"][1]["rung"].as_str(), settled["mediations"][1]["mediator"].as_str()), (Some("Town mediation"), Some("测试handler")));
        let stages: Vec<&str> = settled["attachments"].as_array().unwrap().iter().filter_map(|a| a["stage"].as_str()).collect();
        assert_eq!(stages, ["agreement"]);
        act(&second, &id, "handle", json!({ "result": "达成协议并签字" })).await.ok();
        let grid = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.grid)).await;
        act(&grid, &id, "answer", json!({ "way": "in_person", "body": "协议已送达双方", "solved": true })).await.ok();
        let verifier = app.login_as("verifier", Some(CITY)).await;
        act(&verifier, &id, "verify", json!({ "pass": true })).await.ok();
        assert_eq!(act(&verifier, &id, "close", json!({})).await.ok()["state"], "closed");

        // The follow-up is owed also after closing, and brought to mind on its day.
        let owed = verifier.get("/api/v1/mediations/follow-ups").await.ok();
        assert_eq!((owed["items"][0]["case"]["id"].as_str(), owed["items"][0]["late"].as_bool()), (Some(id.as_str()), Some(false)));
        app.advance_hours(24 * 8);
        jobs::run_due(&app.app).await.expect("jobs");
        let second = mediator(app, place.town).await;
        assert_eq!(second.get("/api/v1/notices").await.ok()["items"][0]["kind"], "follow_up");
        let path = format!("/api/v1/cases/{id}/mediations/{}/follow-up", owed["items"][0]["mediation"]["id"].as_str().unwrap());
        assert_eq!(second.post(&path, json!({ "kept": false })).await.json()["field"], "note");
        let broken = second.post(&path, json!({ "kept": false, "note": "墙没有修" })).await.ok();
        assert_eq!((broken[1]["kept"].as_bool(), broken[1]["follow_up_note"].as_str()), (Some(false), Some("墙没有修")));
        assert_eq!(second.post(&path, json!({ "kept": true })).await.verdict(), "422 follow_up_done");
        let verifier = app.login_as("verifier", Some(CITY)).await;
        assert_eq!(verifier.get("/api/v1/mediations/follow-ups").await.ok()["items"], json!([]));
        assert!(kinds(&page(&verifier, &id).await).contains(&"follow_up_broken"));
        counters_are_true(app, &[CITY, EAST, EAST_GRID]).await;
    })
    .await;
}

/// At the last rung nothing is above: failing there is an outcome too, and the parties are told where to go. A matter that is no dispute
/// is not mediated, and nobody else's unit records an outcome.
#[tokio::test]
async fn the_last_rung_ends_the_ladder() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let id = report(app, EAST_GRID, DISPUTE, "合伙分账起纠纷").await;
        let failed = || json!({ "outcome": "failed", "agreement": "谈不拢" });
        for rung in [place.community, place.town] {
            let who = mediator(app, rung).await;
            act(&who, &id, "take", json!({})).await.ok();
            assert_eq!(act(&who, &id, "mediate", failed()).await.verdict(), "200");
        }
        let last = mediator(app, place.judicial).await;
        assert_eq!(
            act(&last, &id, "mediate", failed()).await.verdict(),
            "422 case_not_in_handling"
        );
        act(&last, &id, "take", json!({})).await.ok();
        assert_eq!(page(&last, &id).await["mediation_next"], Value::Null);
        assert_eq!(
            act(&last, &id, "mediate", json!({ "outcome": "partly", "agreement": "x" }))
                .await
                .verdict(),
            "422 outcome_unknown"
        );
        let ended = act(&last, &id, "mediate", failed()).await.ok();
        assert_eq!(
            (ended["outcome"].as_str(), ended["state"].as_str()),
            (Some("mediation_failed"), Some("handling"))
        );
        assert_eq!(ended["mediations"].as_array().unwrap().len(), 3);
        act(
            &last,
            &id,
            "handle",
            json!({ "result": "已告知可申请仲裁或起诉，并联系法律援助" }),
        )
        .await
        .ok();

        let smell = report(app, EAST_GRID, SMELL, "异味").await;
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        act(
            &dispatcher,
            &smell,
            "route",
            json!({ "unit_id": place.town.0.to_string() }),
        )
        .await
        .ok();
        let town = mediator(app, place.town).await;
        act(&town, &smell, "take", json!({})).await.ok();
        assert_eq!(
            act(&town, &smell, "mediate", failed()).await.verdict(),
            "422 case_not_a_dispute"
        );
        counters_are_true(app, &[CITY, EAST]).await;
    })
    .await;
}

/// Open disputes by age and area: each number is the list behind it, and what is older than the pack's days is the last band.
#[tokio::test]
async fn the_backlog_is_what_is_older_than_the_packs_days() {
    each_with_photos(async |app| {
        let place = place(app).await;
        report(app, EAST_GRID, DISPUTE, "楼上楼下噪声").await;
        report(app, EAST_COMMUNITY, DISPUTE, "停车位之争").await;
        app.advance_hours(24 * 20);
        report(app, EAST_GRID, DISPUTE, "宠物伤人索赔").await;
        report(app, EAST_GRID, SMELL, "异味，不是纠纷").await;
        app.advance_hours(24 * 11);
        let ended = report(app, EAST_GRID, DISPUTE, "已经说好了").await;
        let who = mediator(app, place.community).await;
        act(&who, &ended, "take", json!({})).await.ok();

        let boss = app.login_as("supervisor", Some(CITY)).await;
        let view = boss
            .get(&format!("/api/v1/board/ageing?area={EAST_COMMUNITY}"))
            .await
            .ok();
        assert_eq!(
            (view["backlog_days"].as_i64(), view["bands"].as_array().unwrap().len()),
            (Some(30), 5)
        );
        let counts = |row: &Value| -> Vec<i64> {
            row["counts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["count"].as_i64().unwrap())
                .collect()
        };
        assert_eq!(counts(&view["rows"][0]), [1, 0, 1, 0, 2], "{view}");
        assert_eq!(
            (
                view["rows"][0]["oldest_days"].as_i64(),
                view["rows"][0]["total"]["count"].as_i64()
            ),
            (Some(31), Some(4))
        );
        assert_eq!(counts(&view["rows"][1]), [1, 0, 1, 0, 1], "the grid");
        for row in view["rows"].as_array().unwrap() {
            for count in row["counts"].as_array().unwrap().iter().chain([&row["total"]]) {
                assert_eq!(
                    listed(&boss, count["link"].as_str().unwrap()).await,
                    count["count"].as_i64().unwrap(),
                    "{count}"
                );
            }
        }
        let east = app.login_as("supervisor", Some(EAST_GRID)).await;
        assert_eq!(
            east.get(&format!("/api/v1/board/ageing?area={CITY}")).await.verdict(),
            "404 not_found"
        );
        assert_eq!(
            boss.get("/api/v1/board/ageing?category=none").await.verdict(),
            "422 category_unknown"
        );
        counters_are_true(app, &[CITY, EAST, EAST_COMMUNITY, EAST_GRID]).await;
    })
    .await;
}

/// How many cases the list behind a link of the desk holds; days are whole days in +08:00, as the desk asks for them.
async fn listed(who: &Client, link: &str) -> i64 {
    let query: Vec<String> = link
        .split_once('?')
        .expect("a query")
        .1
        .split('&')
        .map(|part| match part.split_once('=') {
            Some(("received_from", day)) => format!("received_from={day}T00:00:00%2B08:00"),
            Some(("received_to", day)) => format!("received_to={day}T23:59:59.999%2B08:00"),
            _ => part.to_owned(),
        })
        .collect();
    let path = format!("/api/v1/cases?sort=received&limit=200&{}", query.join("&"));
    who.get(&path).await.ok()["items"].as_array().expect("items").len() as i64
}
