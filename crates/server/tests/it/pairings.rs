//! Pairings on both databases: made, visited, ended with what came of it; who has none is listed and counted; nothing outlives the person.

use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, WEST, each_backend};
use crate::people::{post, unit, worker};
use crate::registry::{column, counted, household, opened};
use db::params;
use serde_json::{Value, json};
use server::platform::{AreaId, Ctx, Mark, Subject, VisitId, WorkerId, jobs};

async fn put_on(app: &TestApp, who: &Client, name: &str, room: &str, register: &str) -> (String, String) {
    let home = household(who, app, json!({ "area_id": EAST_GRID, "room": room })).await;
    let id = app.app.new_id::<VisitId>().to_string();
    let wish = json!({ "id": id, "household_id": home, "relation": "户主", "name": name, "valid_from": "2026-01-10" });
    who.post("/api/v1/registry/residents", wish).await.ok();
    let on = json!({ "resident_id": id, "source": "visit" });
    who.post(&format!("/api/v1/registry/registers/{register}/people"), on)
        .await
        .ok();
    (id, home)
}

/// `[on the register, paired]` in the first area told.
async fn numbers(who: &Client, area: AreaId, register: &str) -> [i64; 2] {
    let counts = who
        .get(&format!("/api/v1/registry/registers/counts?area={area}"))
        .await
        .ok();
    ["people", "paired"].map(|key| counts[0][key][register].as_i64().unwrap())
}

async fn unpaired(who: &Client, register: &str) -> Vec<String> {
    let path = format!("/api/v1/registry/registers/{register}/unpaired?purpose=service&area={EAST_GRID}");
    let page = who.get(&path).await.ok();
    let items = page["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|one| one["resident"]["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn pairings(who: &Client, of: &str) -> Value {
    who.get(&format!("/api/v1/registry/residents/{of}/pairings?purpose=service"))
        .await
        .ok()
}

async fn ledger_says_nothing(app: &TestApp, words: &'static str) {
    let ctx = Ctx::system(&app.app, "test");
    let found: Vec<Vec<u8>> = app
        .app
        .read(&ctx, |_, tx| {
            let rows = tx.query("select result_sealed from pairing where result_sealed is not null", &[])?;
            rows.iter().map(|row| Ok(row.get(0)?)).collect()
        })
        .await
        .unwrap();
    assert!(!found.is_empty());
    for sealed in found {
        assert!(!sealed.windows(words.len()).any(|part| part == words.as_bytes()));
    }
}

/// Clause ZS-11
///
/// A named person for each: paired, seen on the phone wherever they live, visited, ended with the result; nobody is without one unnoticed.
#[tokio::test]
async fn somebody_is_paired_visited_and_it_comes_to_something() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        opened(app, "hardship").await;
        let (who, home) = put_on(app, &centre, "张三", "101", "hardship").await;
        let (other, _) = put_on(app, &centre, "李四", "102", "hardship").await;
        assert_eq!(numbers(&centre, EAST, "hardship").await, [2, 0]);
        let mut both = vec![who.clone(), other.clone()];
        both.sort();
        assert_eq!(unpaired(&centre, "hardship").await, both);

        // Any member of the staff; this one works in the other town.
        let helper: WorkerId = worker(app, "王结对").await;
        let phone = crate::duties::person(app, "grid_worker", WEST, Some(helper)).await;
        let phone = phone.on(app).await;
        let path = "/api/v1/registry/registers/hardship/pairings";
        let wish = json!({ "resident_id": who, "worker_id": helper });
        let west = app.login_as("dispatcher", Some(WEST)).await;
        assert_eq!(west.post(path, wish.clone()).await.verdict(), "404 not_found");
        let nobody = json!({ "resident_id": who, "worker_id": app.app.new_id::<WorkerId>() });
        assert_eq!(centre.post(path, nobody).await.verdict(), "422 unknown_worker");
        let visit = |minute: &str| {
            json!({ "id": app.app.new_id::<VisitId>(), "act": "visit", "subject_kind": "resident", "subject_id": who,
                "at": format!("2026-02-14T08:{minute}:00+08:00"), "minutes": 20, "outcome": "met", "talk": "帮忙填了申请表" })
        };
        assert_eq!(
            phone.post("/api/v1/visits", visit("01")).await.verdict(),
            "404 not_found",
            "not paired, not their area"
        );
        centre.post(path, wish.clone()).await.ok();
        assert_eq!(centre.post(path, wish).await.verdict(), "409 pairing_already");
        assert_eq!(numbers(&centre, EAST_COMMUNITY, "hardship").await, [2, 1]);
        assert_eq!(unpaired(&centre, "hardship").await, std::slice::from_ref(&other));
        counted(app).await;

        assert_eq!(phone.get("/api/v1/pairings/mine").await.verdict(), "403 purpose_required");
        let mine = phone.get("/api/v1/pairings/mine?purpose=visit").await.ok();
        assert_eq!(
            (&mine[0]["name"], &mine[0]["resident_id"], &mine[0]["met"], mine[1].is_null()),
            (&json!("张*"), &json!(who), &json!(0), true)
        );
        phone.post("/api/v1/visits", visit("02")).await.ok();
        let mine = phone.get("/api/v1/pairings/mine?purpose=visit").await.ok();
        assert_eq!(mine[0]["met"], json!(1));

        let id = pairings(&centre, &who).await[0]["id"].as_str().unwrap().to_owned();
        let visits = format!("/api/v1/pairings/{id}/visits?purpose=service");
        assert_eq!(centre.get(&visits).await.ok()[0]["outcome"], json!("met"));
        assert_eq!(west.get(&visits).await.verdict(), "404 not_found");

        let end = format!("/api/v1/registry/pairings/{id}/end");
        let without = json!({ "how": "no_need" });
        assert_eq!(centre.post(&end, without).await.verdict(), "422 pairing_result_missing");
        let with = json!({ "how": "handed_on", "result": "低保已办下来" });
        assert_eq!(west.post(&end, with.clone()).await.verdict(), "404 not_found");
        centre.post(&end, with.clone()).await.ok();
        assert_eq!(centre.post(&end, with).await.verdict(), "409 pairing_ended");
        ledger_says_nothing(app, "低保").await;
        let history = pairings(&centre, &who).await;
        assert_eq!(
            (&history[0]["result"], &history[0]["how"], &history[0]["worker_name"]),
            (&json!("低保已办下来"), &json!("handed_on"), &json!("王结对"))
        );
        assert_eq!(unpaired(&centre, "hardship").await, both, "they need somebody again");
        assert_eq!(phone.get("/api/v1/pairings/mine?purpose=visit").await.ok(), json!([]));
        assert_eq!(phone.post("/api/v1/visits", visit("03")).await.verdict(), "404 not_found");
        counted(app).await;

        // It goes along when they move, and ends when the worker leaves, when they are off the register, and with the person.
        let again = json!({ "resident_id": who, "worker_id": helper });
        centre.post(path, again.clone()).await.ok();
        centre
            .post(path, json!({ "resident_id": other, "worker_id": helper }))
            .await
            .ok();
        let all = app.login_as("dispatcher", Some(CITY)).await;
        let there = json!({ "id": app.app.new_id::<VisitId>(), "place": { "area_id": WEST }, "valid_from": "2026-02-01" });
        all.post(&format!("/api/v1/registry/households/{home}/move"), there)
            .await
            .ok();
        assert_eq!(numbers(&west, WEST, "hardship").await, [1, 1]);
        assert_eq!(numbers(&centre, EAST, "hardship").await, [1, 1]);
        counted(app).await;
        let off = json!({ "resident_id": other, "how": "no_need" });
        centre
            .post("/api/v1/registry/registers/hardship/off", off)
            .await
            .ok();
        assert_eq!(pairings(&centre, &other).await[0]["how"], json!("off_register"));
        counted(app).await;
        let ctx = Ctx::system(&app.app, "test");
        let left = app.app.write(&ctx, move |ctx, tx| {
            tx.execute("update worker set state = 'left' where id = $1", &params![helper])?;
            server::workforce::changed(tx);
            tx.record(ctx, Mark::new("test.made", Subject::System, json!({})))
        });
        left.await.unwrap();
        // The night's work is known, and then comes.
        jobs::run_due(&app.app).await.unwrap();
        app.advance_hours(24);
        jobs::run_due(&app.app).await.unwrap();
        let west = app.login_as("dispatcher", Some(WEST)).await;
        let history = pairings(&west, &who).await;
        let how: std::collections::BTreeSet<&str> = history.as_array().unwrap().iter().filter_map(|one| one["how"].as_str()).collect();
        assert_eq!(how, ["handed_on", "worker_left"].into());
        assert_eq!(numbers(&west, WEST, "hardship").await, [1, 0]);
        counted(app).await;
    })
    .await;
}

/// On a sensitive register only those who serve there are paired, and nobody else is told.
#[tokio::test]
async fn a_sensitive_pairing_is_among_those_who_serve() {
    each_backend(async |app| {
        opened(app, "resettled").await;
        let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
        let (holder, stranger): (WorkerId, WorkerId) = (worker(app, "张网格").await, worker(app, "赵某").await);
        post(app, centre, Some(EAST_GRID), "grid", holder, None).await;
        let serves = crate::duties::person(app, "grid_worker", EAST, Some(holder)).await;
        let serves = serves.on(app).await;
        let (who, _) = put_on(app, &serves, "孙某", "201", "resettled").await;
        let path = "/api/v1/registry/registers/resettled/pairings";
        let wish = |worker| json!({ "resident_id": who, "worker_id": worker });
        assert_eq!(
            serves.post(path, wish(stranger)).await.verdict(),
            "422 pairing_not_serving"
        );
        serves.post(path, wish(holder)).await.ok();
        let desk = app.login_as("dispatcher", Some(EAST)).await;
        assert_eq!(pairings(&desk, &who).await, json!([]), "it does not exist for them");
        let mine = serves.get("/api/v1/pairings/mine?purpose=visit").await.ok();
        assert_eq!(mine[0]["resident_id"], json!(who));
        counted(app).await;
    })
    .await;
}

/// Two records of one person: whoever is paired with either goes on, and is with their own again once the records are parted.
#[tokio::test]
async fn a_pairing_follows_the_person_into_one_record_and_back() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        opened(app, "hardship").await;
        opened(app, "disabled").await;
        let (kept, _) = put_on(app, &centre, "张三", "101", "hardship").await;
        let (other, _) = put_on(app, &centre, "张三", "102", "hardship").await;
        let on = json!({ "resident_id": other, "source": "visit" });
        centre.post("/api/v1/registry/registers/disabled/people", on).await.ok();
        let (first, second): (WorkerId, WorkerId) = (worker(app, "王结对").await, worker(app, "李结对").await);
        for (who, register, worker) in [(&kept, "hardship", first), (&other, "hardship", second), (&other, "disabled", second)] {
            let wish = json!({ "resident_id": who, "worker_id": worker });
            centre.post(&format!("/api/v1/registry/registers/{register}/pairings"), wish).await.ok();
        }
        const ROWS: &str = "select resident_id || ' ' || register || ' ' || worker_id || ' ' || coalesce(ended_how, 'goes on') from pairing order by 1";
        let before = column::<String>(app, ROWS).await;
        let merge = app.app.new_id::<VisitId>().to_string();
        let wish = json!({ "id": merge, "kept_id": kept, "other_id": other, "kept_version": 1, "other_version": 1, "choice": { "home": "kept" } });
        centre.post("/api/v1/registry/merges", wish).await.ok();
        counted(app).await;
        assert_eq!((numbers(&centre, EAST, "hardship").await, numbers(&centre, EAST, "disabled").await), ([1, 1], [1, 1]));
        let mut now: Vec<String> = Vec::new();
        for one in pairings(&centre, &kept).await.as_array().unwrap() {
            now.push(format!("{} {} {}", one["register"].as_str().unwrap(), one["worker_name"].as_str().unwrap(), one["how"]));
        }
        now.sort();
        assert_eq!(now, ["disabled 李结对 null", "hardship 李结对 \"merged\"", "hardship 王结对 null"]);
        centre.post(&format!("/api/v1/registry/merges/{merge}/undo"), json!({})).await.ok();
        counted(app).await;
        assert_eq!(column::<String>(app, ROWS).await, before);
    })
    .await;
}

async fn met(who: &Client) -> Vec<i64> {
    let mine = who.get("/api/v1/pairings/mine?purpose=visit").await.ok();
    mine.as_array()
        .unwrap()
        .iter()
        .map(|one| one["met"].as_i64().unwrap())
        .collect()
}

fn visited(app: &TestApp, kind: &str, subject: &str, at: &str) -> Value {
    json!({ "id": app.app.new_id::<VisitId>(), "act": "visit", "subject_kind": kind, "subject_id": subject, "at": at, "minutes": 10, "outcome": "met" })
}

/// What was done counts by person, whichever record it was done under, and by home only while they lived there.
#[tokio::test]
async fn visits_follow_the_person_not_the_door() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        opened(app, "hardship").await;
        let (kept, home) = put_on(app, &centre, "张三", "101", "hardship").await;
        let (other, _) = put_on(app, &centre, "张三", "102", "hardship").await;
        let helper: WorkerId = worker(app, "王结对").await;
        let person = crate::duties::person(app, "grid_worker", EAST, Some(helper)).await;
        let phone = person.on(app).await;
        let pair = "/api/v1/registry/registers/hardship/pairings";
        let wish = json!({ "resident_id": other, "worker_id": helper });
        centre.post(pair, wish).await.ok();
        for (kind, subject) in [("resident", &other), ("household", &home)] {
            phone.post("/api/v1/visits", visited(app, kind, subject, "2026-02-14T08:01:00+08:00")).await.ok();
        }
        assert_eq!(met(&phone).await, [1], "the other home is not theirs");

        let merge = app.app.new_id::<VisitId>().to_string();
        let wish = json!({ "id": merge, "kept_id": kept, "other_id": other, "kept_version": 1, "other_version": 1, "choice": { "home": "kept" } });
        centre.post("/api/v1/registry/merges", wish).await.ok();
        assert_eq!(met(&phone).await, [2], "one person, who lives there");

        app.advance_hours(24);
        let next = app.app.new_id::<VisitId>().to_string();
        let there = json!({ "id": next, "place": { "area_id": EAST_GRID, "room": "301" }, "valid_from": "2026-02-15" });
        let (centre, phone) = (app.login_as("dispatcher", Some(EAST)).await, person.on(app).await);
        centre.post(&format!("/api/v1/registry/households/{home}/move"), there).await.ok();
        for door in [&home, &next] {
            phone.post("/api/v1/visits", visited(app, "household", door, "2026-02-15T08:01:00+08:00")).await;
        }
        assert_eq!(met(&phone).await, [3], "what was left behind counts up to its last day");
        counted(app).await;
    })
    .await;
}

/// A pairing ends with the register, is kept three years, and is gone with a person who is erased.
#[tokio::test]
async fn no_pairing_outlives_its_reason() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        opened(app, "hardship").await;
        let (who, _) = put_on(app, &centre, "张三", "101", "hardship").await;
        let (erased, _) = put_on(app, &centre, "李四", "102", "hardship").await;
        let helper: WorkerId = worker(app, "王结对").await;
        for one in [&who, &erased] {
            let wish = json!({ "resident_id": one, "worker_id": helper });
            centre
                .post("/api/v1/registry/registers/hardship/pairings", wish)
                .await
                .ok();
        }
        assert_eq!(numbers(&centre, EAST, "hardship").await, [2, 2]);
        let security = app.login_as("security_admin", Some(EAST)).await;
        let why = json!({ "reason": "本人要求" });
        security
            .post(&format!("/api/v1/registry/residents/{erased}/erase"), why)
            .await
            .ok();
        const LEFT: &str = "select coalesce(ended_how, 'goes on') from pairing order by 1";
        assert_eq!(column::<String>(app, LEFT).await, ["goes on"]);
        assert_eq!(numbers(&centre, EAST, "hardship").await, [1, 1]);
        counted(app).await;

        // The register is in use until the first of August.
        let days = async |days: i64| {
            app.advance_hours(24 * days);
            jobs::run_due(&app.app).await.unwrap();
        };
        days(0).await;
        days(170).await;
        assert_eq!(column::<String>(app, LEFT).await, ["off_register"]);
        counted(app).await;
        days(3 * 365).await;
        assert_eq!(
            column::<String>(app, LEFT).await,
            ["off_register"],
            "kept for three years"
        );
        days(2).await;
        days(1).await;
        assert_eq!(column::<String>(app, LEFT).await, [] as [String; 0]);
    })
    .await;
}
