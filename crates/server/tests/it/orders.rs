//! Work orders: from a department through the liaison to a worker and back, over HTTP on both databases.

use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, WEST};
use crate::people::{act, counters_are_true, each_with_photos, kinds, photo, post, run_timers, sign_in, unit, worker};
use serde_json::{Value, json};
use server::platform::{CaseId, UnitId, WorkerId};

/// Broken covers: handled by the bureau, no photos asked by this kind's check.
const WORK: &str = "0301";

struct Place {
    emergency: (UnitId, WorkerId),
    liaison: WorkerId,
    grid: WorkerId,
    stranger: WorkerId,
}

/// A city department, a community with its liaison, a grid with its worker; and a worker of another town.
async fn place(app: &TestApp) -> Place {
    let bureau = unit(app, "应急管理局", "bureau", "emergency", CITY).await;
    let officer = worker(app, "钱科长").await;
    post(app, bureau, None, "handle", officer, Some("值守")).await;
    let environment = unit(app, "生态环境局", "bureau", "environment", CITY).await;
    let inspector = worker(app, "环保").await;
    post(app, environment, None, "handle", inspector, Some("值守")).await;
    let committee = unit(app, "海印社区居民委员会", "committee", "committee", EAST_COMMUNITY).await;
    let liaison = worker(app, "吴联络").await;
    post(app, committee, None, "liaison", liaison, Some("值守")).await;
    let team = unit(app, "第一网格服务团队", "station", "grid", EAST_GRID).await;
    let grid = worker(app, "张网格").await;
    post(app, team, Some(EAST_GRID), "grid", grid, Some("值守")).await;
    let west = unit(app, "西陵网格服务团队", "station", "grid", WEST).await;
    let stranger = worker(app, "外区网格员").await;
    post(app, west, Some(WEST), "grid", stranger, Some("值守")).await;
    Place {
        emergency: (bureau, officer),
        liaison,
        grid,
        stranger,
    }
}

async fn department(app: &TestApp, place: &Place) -> Client {
    sign_in(app, "handler", CITY, Some(place.emergency.0), Some(place.emergency.1)).await
}

fn order_of(app: &TestApp, place: &Place, areas: &[&str]) -> Value {
    json!({
        "id": app.app.new_id::<CaseId>(), "unit_id": place.emergency.0, "title": "汛前井盖和排水口排查",
        "body": "逐一查看，松动的当场固定，缺失的设警示并上报", "category_code": WORK, "area_ids": areas, "due_on": "2026-02-27",
    })
}

fn done_of(order: &Value) -> Vec<(i64, Value)> {
    let steps = order["steps"].as_array().expect("steps");
    steps
        .iter()
        .map(|step| (step["done"].as_i64().expect("a number"), step["of"].clone()))
        .collect()
}

/// Clause LH-14
///
/// A department's order reaches the community's liaison, who passes it to the grid's worker, each under a clock of their own; it is carried
/// out with a photo, a problem found becomes a case of its own in the main loop; it is fed back, sent back once, and cancelled only when
/// carried out, its problem answered and fed back.
#[tokio::test]
async fn an_order_goes_through_the_liaison_and_comes_back_to_be_cancelled() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let bureau = department(app, &place).await;
        let new = order_of(app, &place, &[&EAST_COMMUNITY.to_string()]);
        let order = bureau.post("/api/v1/orders", new.clone()).await.ok();
        assert_eq!(bureau.post("/api/v1/orders", new.clone()).await.ok()["number"], order["number"], "a retry is the same order");
        let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
        assert!(order["number"].as_str().unwrap().starts_with("ZSJB20260214-"), "{order}");
        let share = order["shares"][0]["case"]["id"].as_str().unwrap().to_owned();
        assert_eq!(order["shares"][0]["liaison"], "吴联络");
        assert_eq!(done_of(&order)[0], (0, json!(1)));

        // It waits for the liaison, who hears of it, under a clock of their own; it is not in the dispatchers' queue.
        let liaison = sign_in(app, "liaison", EAST_COMMUNITY, None, Some(place.liaison)).await;
        assert_eq!(liaison.get("/api/v1/notices").await.ok()["items"][0]["kind"], "order_share");
        let waiting = liaison.get("/api/v1/orders/shares").await.ok();
        assert_eq!((waiting["items"][0]["case"]["id"].as_str(), waiting["items"][0]["may_pass"].as_bool()), (Some(share.as_str()), Some(true)));
        assert_eq!(waiting["items"][0]["case"]["due_step"], "dispatch");
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(dispatcher.get("/api/v1/cases?queue=dispatch").await.ok()["items"], json!([]));
        let workers = liaison.get(&format!("/api/v1/orders/shares/{share}/workers")).await.ok();
        assert_eq!(workers["items"][0]["name"], "张网格");
        assert_eq!(workers["items"].as_array().unwrap().len(), 1);

        // Passed to nobody else's worker, by nobody else.
        let pass = format!("/api/v1/orders/shares/{share}/pass");
        assert_eq!(liaison.post(&pass, json!({ "worker_ids": [place.stranger] })).await.verdict(), "422 worker_not_here");
        assert_eq!(liaison.post(&pass, json!({ "worker_ids": [] })).await.verdict(), "422 workers_needed");
        let grid = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.grid)).await;
        assert_eq!(grid.post(&pass, json!({ "worker_ids": [place.grid] })).await.verdict(), "404 not_found");
        let passed = liaison.post(&pass, json!({ "worker_ids": [place.grid], "note": "先看学校周边" })).await.ok();
        assert_eq!((passed["shares"][0]["case"]["worker"]["name"].as_str(), passed["progress"]["passed"].as_i64()), (Some("张网格"), Some(1)));

        // On the worker's list of the day, with the time of a worker.
        let mine = grid.get("/api/v1/cases?queue=mine").await.ok();
        assert_eq!((mine["items"][0]["id"].as_str(), mine["items"][0]["due_step"].as_str()), (Some(share.as_str()), Some("handle")));
        act(&grid, &share, "take", json!({})).await.ok();
        assert_eq!(liaison.post(&pass, json!({ "worker_ids": [place.grid] })).await.verdict(), "422 case_not_waiting_for_dispatch");

        // A problem found on the way is a case of its own, routed as any other.
        let problem = json!({
            "id": app.app.new_id::<CaseId>(), "channel": "patrol", "body": "学校门口井盖缺失，已摆警示", "category_code": WORK,
            "area_id": EAST_GRID, "order_share": share,
        });
        let found = grid.post("/api/v1/cases", problem).await.ok();
        let problem = found["case"]["id"].as_str().unwrap().to_owned();
        let page = grid.get(&format!("/api/v1/cases/{problem}?purpose=handle")).await.ok();
        assert_eq!((page["unit"]["name"].as_str(), page["order"]["role"].as_str()), (Some("生态环境局"), Some("problem")));
        let stray = json!({ "id": app.app.new_id::<CaseId>(), "channel": "patrol", "body": "x", "category_code": WORK, "area_id": EAST_GRID, "order_share": problem });
        assert_eq!(grid.post("/api/v1/cases", stray).await.verdict(), "422 share_unknown");

        let cancel = format!("{path}/cancel");
        assert_eq!(bureau.post(&cancel, json!({})).await.verdict(), "422 order_not_carried_out");
        let after = photo(&grid, 9).await;
        act(&grid, &share, "handle", json!({ "result": "查看 32 处，固定 3 处", "after": [after] })).await.ok();
        assert_eq!(bureau.post(&cancel, json!({})).await.verdict(), "422 order_not_fed_back");
        act(&grid, &share, "answer", json!({ "way": "in_person", "body": "32 处已查完，缺失 1 处另报" })).await.ok();
        assert_eq!(bureau.get("/api/v1/notices").await.ok()["items"][0]["kind"], "order_fed_back");
        assert_eq!(bureau.post(&cancel, json!({})).await.verdict(), "422 order_problems_open");

        // The department reads what was done and sees its photo; not satisfied, it sends the share back once.
        let seen = bureau.get(&path).await.ok();
        let one = &seen["shares"][0];
        assert_eq!((one["result"].as_str(), one["answer"].as_str(), one["problems"].as_i64()), (Some("查看 32 处，固定 3 处"), Some("32 处已查完，缺失 1 处另报"), Some(1)));
        assert!(bureau.get(one["photos"][0]["thumb_url"].as_str().unwrap()).await.status.is_success());
        assert_eq!(bureau.get(&format!("/api/v1/cases/{share}")).await.verdict(), "404 not_found", "the case itself is the grid's");
        let back = format!("/api/v1/orders/shares/{share}/send-back");
        assert_eq!(bureau.post(&back, json!({ "reason": "" })).await.json()["field"], "reason");
        let again = bureau.post(&back, json!({ "reason": "菜场一带没有查" })).await.ok();
        assert_eq!(again["progress"]["passed"], 1);
        act(&grid, &share, "handle", json!({ "result": "菜场一带补查 6 处" })).await.ok();
        act(&grid, &share, "answer", json!({ "way": "in_person", "body": "已补查" })).await.ok();

        let inspector = app.login_for_unit("handler", CITY, environment_of(&found)).await;
        act(&inspector, &problem, "take", json!({})).await.ok();
        act(&inspector, &problem, "handle", json!({ "result": "已补装井盖" })).await.ok();
        act(&grid, &problem, "answer", json!({ "way": "in_person", "body": "已补装" })).await.ok();

        let boss = app.login_as("supervisor", Some(CITY)).await;
        assert_eq!(boss.post(&cancel, json!({})).await.verdict(), "404 not_found", "not their order to cancel");
        let done = bureau.post(&cancel, json!({ "note": "汛前排查完成" })).await.ok();
        assert_eq!((done["state"].as_str(), done["shares"][0]["case"]["state"].as_str()), (Some("cancelled"), Some("closed")));
        assert_eq!(done_of(&done), [(1, json!(1)), (1, Value::Null), (1, json!(1)), (1, json!(1)), (1, json!(1))]);
        assert_eq!(bureau.post(&cancel, json!({})).await.verdict(), "422 order_already_cancelled");
        let page = grid.get(&format!("/api/v1/cases/{share}")).await.ok();
        let happened = kinds(&page);
        for kind in ["order_passed", "problem_found", "rework", "order_cancelled"] {
            assert!(happened.contains(&kind), "{kind}: {happened:?}");
        }
        counters_are_true(app, &[CITY, EAST, EAST_COMMUNITY, EAST_GRID]).await;
    })
    .await;
}

fn environment_of(opened: &Value) -> UnitId {
    opened["case"]["unit"]["id"].as_str().unwrap().parse().unwrap()
}

/// An area without a liaison gets no order; each area its own share; the liaison is warned in time; others see nothing of it.
#[tokio::test]
async fn an_order_needs_a_liaison_and_stays_with_its_people() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let bureau = department(app, &place).await;
        let (east, west) = (EAST_COMMUNITY.to_string(), WEST.to_string());
        assert_eq!(bureau.post("/api/v1/orders", order_of(app, &place, &[&east, &west])).await.verdict(), "422 no_liaison");
        assert_eq!(bureau.get("/api/v1/orders").await.ok()["items"], json!([]), "refused whole");
        assert_eq!(bureau.post("/api/v1/orders", order_of(app, &place, &[])).await.verdict(), "422 area_missing");
        let mut disputes = order_of(app, &place, &[&east]);
        disputes["category_code"] = json!("0901");
        assert_eq!(bureau.post("/api/v1/orders", disputes).await.verdict(), "422 order_of_disputes");
        let clerk = app.login_as("clerk", Some(CITY)).await;
        assert_eq!(clerk.post("/api/v1/orders", order_of(app, &place, &[&east])).await.verdict(), "403 forbidden");
        let stranger = sign_in(app, "grid_worker", WEST, None, Some(place.stranger)).await;
        assert_eq!(stranger.post("/api/v1/orders", order_of(app, &place, &[&east])).await.verdict(), "404 not_found");
        let sneaked = json!({ "id": app.app.new_id::<CaseId>(), "channel": "order", "body": "x", "category_code": WORK, "area_id": EAST_GRID });
        assert_eq!(clerk.post("/api/v1/cases", sneaked).await.verdict(), "422 channel_unknown");

        // Two areas, two shares; both wait for the one liaison.
        let grid_area = EAST_GRID.to_string();
        let order = bureau.post("/api/v1/orders", order_of(app, &place, &[&east, &grid_area, &east])).await.ok();
        assert_eq!((order["progress"]["shares"].as_i64(), order["progress"]["waiting"].as_i64()), (Some(2), Some(2)));
        assert_eq!(stranger.get("/api/v1/orders").await.ok()["items"], json!([]));
        assert_eq!(stranger.get(&format!("/api/v1/orders/{}", order["id"].as_str().unwrap())).await.verdict(), "404 not_found");

        // Half a working day to pass it on; before that is over the liaison is warned.
        app.advance_hours(5);
        run_timers(app).await;
        let liaison = sign_in(app, "liaison", EAST_COMMUNITY, None, Some(place.liaison)).await;
        let notices = liaison.get("/api/v1/notices").await.ok();
        let warned = notices["items"].as_array().unwrap().iter().filter(|n| n["kind"] == "warned").count();
        assert_eq!(warned, 2, "{notices}");
        assert_eq!(app.login_as("supervisor", Some(EAST)).await.get("/api/v1/orders?state=open").await.ok()["items"][0]["id"], order["id"]);
        counters_are_true(app, &[CITY, EAST]).await;
    })
    .await;
}

/// Given by mistake, an order is taken back with a reason as long as nothing was fed back: its shares end as withdrawn, whoever had one hears
/// of it, and no list or figure still holds it. A problem found meanwhile goes on.
#[tokio::test]
async fn an_order_is_taken_back_before_anything_was_fed_back() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let bureau = department(app, &place).await;
        let areas = [&*EAST_COMMUNITY.to_string(), &*EAST_GRID.to_string()];
        let order = bureau.post("/api/v1/orders", order_of(app, &place, &areas)).await.ok();
        let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
        let take_back = format!("{path}/take-back");
        assert_eq!(order["take_back_refusal"], Value::Null);
        let share = order["shares"][0]["case"]["id"].as_str().unwrap().to_owned();
        let liaison = sign_in(app, "liaison", EAST_COMMUNITY, None, Some(place.liaison)).await;
        let grid = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.grid)).await;
        let pass = format!("/api/v1/orders/shares/{share}/pass");
        liaison.post(&pass, json!({ "worker_ids": [place.grid] })).await.ok();
        act(&grid, &share, "take", json!({})).await.ok();
        let problem = json!({
            "id": app.app.new_id::<CaseId>(), "channel": "patrol", "body": "学校门口井盖缺失", "category_code": WORK, "area_id": EAST_GRID,
            "order_share": share,
        });
        let problem = grid.post("/api/v1/cases", problem).await.ok()["case"]["id"].as_str().unwrap().to_owned();

        assert_eq!(bureau.post(&take_back, json!({})).await.json()["field"], "reason");
        assert_eq!(grid.post(&take_back, json!({ "reason": "不想做" })).await.verdict(), "404 not_found");
        app.advance_minutes(1);
        let over = bureau.post(&take_back, json!({ "reason": "区域选错了，另行下派" })).await.ok();
        assert_eq!((over["state"].as_str(), over["note"].as_str()), (Some("taken_back"), Some("区域选错了，另行下派")));
        let states: Vec<_> = over["shares"].as_array().unwrap().iter().map(|s| s["case"]["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["withdrawn", "withdrawn"]);
        assert_eq!(done_of(&over)[0], (0, json!(2)), "nothing counts as carried out");
        assert_eq!(over["problems"][0]["state"], "assigned", "what was found goes on");
        assert_eq!(bureau.post(&take_back, json!({ "reason": "x" })).await.verdict(), "422 order_already_cancelled");
        assert_eq!(bureau.post(&format!("{path}/cancel"), json!({})).await.verdict(), "422 order_already_cancelled");
        for person in [&liaison, &grid] {
            let notices = person.get("/api/v1/notices").await.ok();
            assert_eq!(notices["items"][0]["kind"], "order_taken_back", "{notices}");
        }
        let page = grid.get(&format!("/api/v1/cases/{share}")).await.ok();
        assert!(kinds(&page).contains(&"order_taken_back") && page["due_at"].is_null(), "{page}");
        let mine = grid.get("/api/v1/cases?queue=mine").await.ok();
        assert!(mine["items"].as_array().unwrap().iter().all(|case| case["id"] != share.as_str()), "{mine}");
        assert_eq!(liaison.get("/api/v1/orders/shares").await.ok()["items"], json!([]));
        assert_eq!(bureau.get("/api/v1/orders?state=open").await.ok()["items"], json!([]));
        assert_eq!(bureau.get("/api/v1/orders?state=cancelled").await.ok()["items"], json!([]));
        assert_eq!(bureau.get("/api/v1/orders?state=taken_back").await.ok()["items"][0]["id"], order["id"]);
        assert_eq!(act(&grid, &share, "handle", json!({ "result": "x" })).await.verdict(), "422 case_not_in_handling");
        assert_eq!(grid.get(&format!("/api/v1/cases/{problem}?purpose=handle")).await.ok()["order"]["cancelled"], true);
        counters_are_true(app, &[CITY, EAST, EAST_COMMUNITY, EAST_GRID]).await;

        // Once a share was fed back it is too late.
        let order = bureau.post("/api/v1/orders", order_of(app, &place, &[&EAST_GRID.to_string()])).await.ok();
        let share = order["shares"][0]["case"]["id"].as_str().unwrap().to_owned();
        liaison.post(&format!("/api/v1/orders/shares/{share}/pass"), json!({ "worker_ids": [place.grid] })).await.ok();
        act(&grid, &share, "take", json!({})).await.ok();
        act(&grid, &share, "handle", json!({ "result": "已查" })).await.ok();
        act(&grid, &share, "answer", json!({ "way": "in_person", "body": "已查完" })).await.ok();
        let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
        assert_eq!(bureau.get(&path).await.ok()["take_back_refusal"]["code"], "order_fed_back_already");
        let late = bureau.post(&format!("{path}/take-back"), json!({ "reason": "不用了" })).await;
        assert_eq!(late.verdict(), "422 order_fed_back_already");
        counters_are_true(app, &[CITY, EAST, EAST_COMMUNITY, EAST_GRID]).await;
    })
    .await;
}
