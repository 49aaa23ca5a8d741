//! The loop over HTTP, on both databases: from a resident's message to a verified answer, and what people may not do on the way.

use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use axum::http::StatusCode;
use db::params;
use serde_json::{Value, json};
use server::access::{self, GrantWish, NewAccount};
use server::cases;
use server::platform::jobs;
use server::platform::{AccountId, AreaId, CaseId, Ctx, Mark, Subject, UnitId, WorkerId};
use uuid::Uuid;

const CITY_CENTRE: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1001));
const EAST_CENTRE: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1002));
const HOUSING: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1003));
pub const ENVIRONMENT: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1004));
const GRID_TEAM: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1005));

const LI: WorkerId = WorkerId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_2001));
const WANG: WorkerId = WorkerId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_2002));
const ZHANG: WorkerId = WorkerId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_2003));
const ZHAO: WorkerId = WorkerId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_2004));
const CHEN: WorkerId = WorkerId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_2005));

/// A bad smell: the environment bureau's matter, answered by the grid worker, checked by the centre, no photos asked.
pub const SMELL: &str = "0301";
/// A leaking roof: the housing bureau's.
const ROOF: &str = "0101";
/// A dispute between neighbours: the grid worker must come, it goes through mediation.
const DISPUTE: &str = "0901";

/// Everybody who takes part.
pub struct People {
    pub resident: Client,
    pub clerk: Client,
    pub dispatcher: Client,
    pub housing: Client,
    pub environment: Client,
    pub grid_worker: Client,
    pub stand_in: Client,
    pub verifier: Client,
    pub supervisor: Client,
    pub west: Client,
}

pub async fn people(app: &TestApp) -> People {
    units_and_workers(app).await;
    signed_in(app).await
}

/// Everybody with a fresh session.
pub async fn signed_in(app: &TestApp) -> People {
    People {
        resident: app.visitor(),
        clerk: app.login_as("clerk", Some(CITY)).await,
        dispatcher: worker_account(app, "dispatcher", CITY, None, CHEN).await,
        housing: worker_account(app, "handler", CITY, Some(HOUSING), LI).await,
        environment: worker_account(app, "handler", CITY, Some(ENVIRONMENT), WANG).await,
        grid_worker: worker_account(app, "grid_worker", EAST_GRID, None, ZHANG).await,
        stand_in: worker_account(app, "grid_worker", EAST_GRID, None, ZHAO).await,
        verifier: app.login_as("verifier", Some(CITY)).await,
        supervisor: app.login_as("supervisor", Some(CITY)).await,
        west: app.login_as("dispatcher", Some(WEST)).await,
    }
}

async fn worker_account(app: &TestApp, role: &str, area: AreaId, unit: Option<UnitId>, worker: WorkerId) -> Client {
    let id: AccountId = app.app.new_id();
    let login = format!("w{}", &id.to_string()[24..]);
    let new = NewAccount {
        id,
        login: login.clone(),
        name: format!("测试{role}"),
        worker: Some(worker),
        grants: vec![GrantWish {
            role: role.into(),
            area: Some(area),
            unit,
        }],
    };
    let hash = access::hash_password(&app.app, crate::kit::PASSWORD.into())
        .await
        .expect("a hash");
    let ctx = Ctx::system(&app.app, "test");
    let made = app
        .app
        .write(&ctx, move |ctx, tx| access::add_account(ctx, tx, new, &hash, false))
        .await;
    made.expect("an account");
    app.sign_in(&login, crate::kit::PASSWORD).await
}

/// Units with one post each, held by a named worker; the grid's post has a stand-in.
async fn units_and_workers(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    let done = app.app.write(&ctx, |ctx, tx| {
        for (id, code, name, kind, body, area) in [
            (CITY_CENTRE, "C01", "市网格中心", "centre", "centre", CITY),
            (EAST_CENTRE, "C02", "东港街道网格中心", "centre", "centre", EAST),
            (HOUSING, "B01", "住房和城乡建设局", "bureau", "housing", CITY),
            (ENVIRONMENT, "B02", "生态环境局", "bureau", "environment", CITY),
            (GRID_TEAM, "G01", "第一网格服务团队", "station", "grid", EAST_GRID),
        ] {
            tx.execute(
                "insert into unit (id, code, name, public_name, kind, body, area_id, phone, office, hours, valid_from)
                 values ($1, $2, $3, $4, $5, $6, $7, '', '', '', '2026-01-01')",
                &params![id, code, name, name, kind, body, area],
            )?;
        }
        for (id, name, badge) in
            [(LI, "李经办", "001"), (WANG, "王环保", "002"), (ZHANG, "张网格", "003"), (ZHAO, "赵替班", "004"), (CHEN, "陈调度", "005")]
        {
            tx.execute(
                "insert into worker (id, name, pinyin, initials, badge_no, phone, state) values ($1, $2, '', '', $3, '', 'active')",
                &params![id, name, badge],
            )?;
        }
        for (unit, area, duty, holder, stand_in) in [
            (HOUSING, None, "handle", LI, None),
            (ENVIRONMENT, None, "handle", WANG, None),
            (GRID_TEAM, Some(EAST_GRID), "grid", ZHANG, Some(ZHAO)),
            (CITY_CENTRE, None, "dispatch", CHEN, None),
            (EAST_CENTRE, None, "dispatch", CHEN, None),
        ] {
            let post: CaseId = ctx.app.new_id();
            tx.execute(
                "insert into post (id, unit_id, area_id, name, duty) values ($1, $2, $3, '岗', $4)",
                &params![post, unit, area, duty],
            )?;
            for (seat, worker) in [("A", Some(holder)), ("B", stand_in)] {
                let Some(worker) = worker else { continue };
                let id: CaseId = ctx.app.new_id();
                tx.execute(
                    "insert into appointment (id, post_id, worker_id, seat, valid_from) values ($1, $2, $3, $4, '2026-01-01')",
                    &params![id, post, worker, seat],
                )?;
            }
        }
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.units", Subject::System, json!({})))
    });
    done.await.expect("units and workers");
}

pub fn new_id(app: &TestApp) -> String {
    app.app.new_id::<CaseId>().to_string()
}

/// A resident's report through the portal; the number, the code, and the case's id.
async fn report(app: &TestApp, people: &People, category: &str, body: &str) -> (String, String, String) {
    let id = new_id(app);
    let sent = json!({
        "id": id, "body": body, "category_code": category, "area_id": EAST_GRID.to_string(), "name": "周女士", "phone": "13800001234",
    });
    let opened = people.resident.post("/api/v1/portal/reports", sent).await.ok();
    let text = |key: &str| opened[key].as_str().expect("text").to_owned();
    (text("number"), text("follow_code"), id)
}

/// One action with the version just seen.
pub async fn act(who: &Client, case: &str, action: &str, mut body: Value) -> Answer {
    let seen = who.get(&format!("/api/v1/cases/{case}")).await;
    if seen.status == StatusCode::OK {
        body["row_version"] = seen.json()["row_version"].clone();
    }
    who.post(&format!("/api/v1/cases/{case}/actions/{action}"), body).await
}

pub async fn follow(people: &People, number: &str, code: &str) -> Value {
    people
        .resident
        .post(
            "/api/v1/portal/follow",
            json!({ "number": number, "follow_code": code }),
        )
        .await
        .ok()
}

/// From a resident's report on the portal to handled by the environment bureau.
async fn handled(app: &TestApp, people: &People) -> (String, String, String) {
    let (number, code, id) = report(app, people, SMELL, "楼下烧烤店油烟直排，夜里十二点还很呛。").await;
    act(&people.environment, &id, "take", json!({})).await.ok();
    act(
        &people.environment,
        &id,
        "handle",
        json!({ "result": "已约谈经营者，加装油烟净化。" }),
    )
    .await
    .ok();
    (number, code, id)
}

/// Counters kept equal a recount of the cases.
async fn counters_are_true(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    for area in [CITY, EAST, EAST_GRID, WEST] {
        let (kept, counted) = app
            .app
            .read(&ctx, move |_, tx| {
                Ok((cases::all_cells(tx, area)?, cases::recount(tx, area)?))
            })
            .await
            .expect("counters");
        assert_eq!(kept, counted);
    }
}

/// A request whose kind the resident chose is accepted automatically, passed to the responsible body anywhere in the city, handled within its limit, fed back by
/// the grid's own worker, checked by someone else; nothing is closed without an answer; the resident objects and it goes on.
#[tokio::test]
async fn from_a_report_to_a_verified_answer_and_back() {
    each_backend(async |app| {
        let people = people(app).await;
        let (number, code, id) = report(app, &people, ROOF, "我家顶楼下雨就漏水，请派人来看。").await;
        assert!(number.starts_with("ZS20260214-00001"), "{number}");
        let status = follow(&people, &number, &code).await;
        assert_eq!((status["state"].as_str(), status["unit_public_name"].as_str()), (Some("assigned"), Some("住房和城乡建设局")));
        assert!(status["due_at"].is_string() && !status["due_explained"].as_array().unwrap().is_empty(), "{status}");

        // Work is given within the unit that has it.
        let named = async |worker: WorkerId| act(&people.dispatcher, &id, "assign_worker", json!({ "worker_id": worker.to_string() })).await;
        assert_eq!(named(WANG).await.verdict(), "422 worker_not_of_unit");
        assert_eq!(named(LI).await.ok()["worker"]["id"], LI.to_string());

        // Wrong department: returned by name and reason, counted, and placed again.
        let body = json!({ "reason_code": "not_ours", "reason": "是楼下油烟，不是漏水", "suggest_unit": ENVIRONMENT.to_string() });
        let returned = act(&people.housing, &id, "return", body).await.ok();
        assert_eq!((returned["state"].as_str(), returned["returned_count"].as_i64()), (Some("accepted"), Some(1)));
        assert_eq!(people.housing.get(&format!("/api/v1/cases/{id}")).await.status, StatusCode::NOT_FOUND, "no longer theirs");
        act(&people.dispatcher, &id, "classify", json!({ "category": SMELL })).await.ok();
        let routed = act(&people.dispatcher, &id, "route", json!({ "auto": true })).await.ok();
        assert_eq!(routed["unit"]["name"], "生态环境局");
        assert_eq!(routed["worker"]["name"], "王环保", "given to whoever is on duty there");

        // Only the unit that has it can take it; nothing can be closed or answered before it is done.
        assert_eq!(act(&people.housing, &id, "take", json!({})).await.status, StatusCode::NOT_FOUND);
        act(&people.environment, &id, "take", json!({})).await.ok();
        assert_eq!(act(&people.grid_worker, &id, "answer", json!({ "way": "in_person", "body": "x" })).await.verdict(), "422 case_not_handled");
        assert_eq!(act(&people.verifier, &id, "close", json!({})).await.verdict(), "422 case_not_answered");
        act(&people.environment, &id, "handle", json!({ "result": "已责令停止直排" })).await.ok();

        // The grid's own worker answers, in person; not the bureau.
        let answer = json!({ "way": "in_person", "body": "已责令停止，今晚起不会再有油烟。", "resident_said": "好的", "solved": true });
        assert_eq!(act(&people.environment, &id, "answer", answer.clone()).await.verdict(), "422 grid_worker_answers");
        act(&people.grid_worker, &id, "answer", answer).await.ok();
        assert_eq!(act(&people.verifier, &id, "close", json!({})).await.verdict(), "422 case_not_verified");
        act(&people.verifier, &id, "verify", json!({ "pass": true, "note": "电话回访属实" })).await.ok();
        let closed = act(&people.verifier, &id, "close", json!({})).await.ok();
        assert_eq!(closed["state"], "closed");
        counters_are_true(app).await;

        // The receipt proves what was said, without trusting the server.
        let receipt = people.resident.post(&format!("/api/v1/portal/follow/{number}/receipt"), json!({ "follow_code": code })).await.ok();
        assert_eq!(receipt["number"], number.as_str());
        assert_eq!(receipt["report_id"], id.as_str());

        // Not satisfied: back in the flow, the same case, counted, to the same unit.
        let objection = json!({ "follow_code": code, "reason": "昨晚又有油烟" });
        let status = people.resident.post(&format!("/api/v1/portal/follow/{number}/object"), objection).await.ok();
        assert_eq!(status["state"], "assigned");
        let detail = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        assert_eq!((detail["reopened_count"].as_i64(), detail["unit"]["name"].as_str()), (Some(1), Some("生态环境局")));
        assert!(detail["events"].as_array().unwrap().iter().all(|e| !e["text"].as_str().unwrap().contains("said_")), "{}", detail["events"]);
        counters_are_true(app).await;
    })
    .await;
}

/// A wrong code, an unknown number, another town's case: the same bytes as nothing at all.
#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    each_backend(async |app| {
        let people = people(app).await;
        let (number, _, id) = report(app, &people, SMELL, "夜里异味").await;
        let absent = new_id(app);
        let mine = people.west.get(&format!("/api/v1/cases/{id}")).await;
        let nothing = people.west.get(&format!("/api/v1/cases/{absent}")).await;
        assert_eq!((mine.status, &mine.body), (StatusCode::NOT_FOUND, &nothing.body));
        let mine = people
            .west
            .post(&format!("/api/v1/cases/{id}/actions/accept"), json!({}))
            .await;
        let nothing = people
            .west
            .post(&format!("/api/v1/cases/{absent}/actions/accept"), json!({}))
            .await;
        assert_eq!((mine.status, &mine.body), (StatusCode::NOT_FOUND, &nothing.body));
        let wrong = people
            .resident
            .post(
                "/api/v1/portal/follow",
                json!({ "number": number, "follow_code": "00000000" }),
            )
            .await;
        let unknown = people
            .resident
            .post(
                "/api/v1/portal/follow",
                json!({ "number": "ZS19990101-00001", "follow_code": "00000000" }),
            )
            .await;
        assert_eq!((wrong.status, &wrong.body), (StatusCode::NOT_FOUND, &unknown.body));
        assert_eq!(
            people.west.get("/api/v1/cases?sort=received").await.ok()["items"],
            json!([])
        );
        assert_eq!(
            people.dispatcher.get("/api/v1/cases?sort=received").await.ok()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}

/// Pressing twice, a phone's retry, two people at once.
#[tokio::test]
async fn a_retry_is_the_same_thing_and_a_stale_page_is_told() {
    each_backend(async |app| {
        let people = people(app).await;
        let sent =
            json!({ "id": new_id(app), "body": "路灯坏了", "category_code": SMELL, "area_id": EAST_GRID.to_string() });
        let first = people.resident.post("/api/v1/portal/reports", sent.clone()).await.ok();
        let again = people.resident.post("/api/v1/portal/reports", sent.clone()).await.ok();
        assert_eq!(
            (&first["number"], &first["follow_code"]),
            (&again["number"], &again["follow_code"])
        );
        let mut other = sent.clone();
        other["body"] = json!("别的事");
        assert_eq!(
            people.resident.post("/api/v1/portal/reports", other).await.verdict(),
            "409 id_used"
        );

        let id = sent["id"].as_str().unwrap();
        let path = format!("/api/v1/cases/{id}/actions/take");
        let version = people.environment.get(&format!("/api/v1/cases/{id}")).await.ok()["row_version"].clone();
        let press = json!({ "row_version": version, "action_id": new_id(app) });
        people.environment.post(&path, press.clone()).await.ok();
        assert_eq!(
            people.environment.post(&path, press.clone()).await.ok()["state"],
            "handling",
            "the same press is done once"
        );
        let late = json!({ "row_version": version, "body": "看到旧页面" });
        let stale = people
            .dispatcher
            .post(&format!("/api/v1/cases/{id}/actions/comment"), late)
            .await;
        assert_eq!(stale.verdict(), "409 stale_case");
        counters_are_true(app).await;
    })
    .await;
}

/// Two returns, then an arbiter whose decision stands.
#[tokio::test]
async fn after_two_returns_an_arbiter_decides_for_good() {
    each_backend(async |app| {
        let people = people(app).await;
        let (_, _, id) = report(app, &people, ROOF, "漏水").await;
        let no = json!({ "reason_code": "not_ours", "reason": "不归我们管" });
        act(&people.housing, &id, "return", no.clone()).await.ok();
        act(
            &people.dispatcher,
            &id,
            "route",
            json!({ "unit_id": ENVIRONMENT.to_string() }),
        )
        .await
        .ok();
        act(&people.environment, &id, "return", no.clone()).await.ok();
        assert_eq!(
            act(&people.dispatcher, &id, "route", json!({})).await.verdict(),
            "422 arbiter_needed"
        );
        act(
            &people.supervisor,
            &id,
            "arbitrate",
            json!({ "unit_id": HOUSING.to_string(), "reason": "屋面属住建" }),
        )
        .await
        .ok();
        assert_eq!(
            act(&people.housing, &id, "return", no).await.verdict(),
            "422 decision_is_final"
        );
        act(&people.housing, &id, "take", json!({})).await.ok();
        counters_are_true(app).await;
    })
    .await;
}

/// Clause LH-08
///
/// A dispute at night: the grid's worker is off duty, so the stand-in is called; arrival is confirmed and measured.
#[tokio::test]
async fn at_night_the_stand_in_is_called_and_arrival_is_measured() {
    each_backend(async |app| {
        // 23:00: nobody is in the office.
        app.advance_hours(13);
        let people = people(app).await;
        let (_, _, id) = report(app, &people, DISPUTE, "楼上楼下邻居打起来了").await;
        let calls = people.stand_in.get("/api/v1/notices").await.ok();
        assert_eq!(calls["items"][0]["kind"], "must_come", "{calls}");
        assert_eq!(calls["items"][0]["case_id"], id.as_str());
        assert_eq!(people.grid_worker.get("/api/v1/notices").await.ok()["items"], json!([]));
        app.advance_minutes(12);
        let arrived = act(&people.stand_in, &id, "arrive", json!({})).await.ok();
        assert_eq!(arrived["arrival_minutes"], 12);
        let event = arrived["events"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["kind"] == "arrived")
            .cloned()
            .expect("an event");
        assert_eq!(
            (event["body"]["minutes"].as_i64(), event["body"]["in_time"].is_boolean()),
            (Some(12), true)
        );
    })
    .await;
}

/// More time, a pause, setting aside: never approved by who asked.
#[tokio::test]
async fn extension_pause_and_parking_need_someone_else() {
    each_backend(async |app| {
        let people = people(app).await;
        let (_, _, id) = report(app, &people, SMELL, "施工扬尘").await;
        act(&people.environment, &id, "take", json!({})).await.ok();
        let before = people.environment.get(&format!("/api/v1/cases/{id}")).await.ok()["due_at"].clone();
        let asked = act(
            &people.environment,
            &id,
            "ask",
            json!({ "kind": "extension", "reason": "等检测报告", "days": 1 }),
        )
        .await
        .ok();
        let request = asked["requests"][0]["id"].clone();
        assert_eq!(
            act(
                &people.environment,
                &id,
                "ask",
                json!({ "kind": "pause", "reason": "x" })
            )
            .await
            .verdict(),
            "422 request_already_waiting"
        );
        let decide = json!({ "request_id": request, "approve": true, "note": "同意" });
        assert_eq!(
            act(&people.environment, &id, "decide", decide.clone()).await.verdict(),
            "403 forbidden"
        );
        assert_eq!(
            people.supervisor.get("/api/v1/cases?queue=approve").await.ok()["items"][0]["id"],
            id.as_str()
        );
        let decided = act(&people.supervisor, &id, "decide", decide.clone()).await.ok();
        assert_ne!(decided["due_at"], before, "the limit moved");
        assert_eq!(
            act(&people.supervisor, &id, "decide", decide).await.verdict(),
            "422 request_already_decided"
        );

        // A pause ends by itself after the pack's days.
        let asked = act(
            &people.environment,
            &id,
            "ask",
            json!({ "kind": "pause", "reason": "等鉴定" }),
        )
        .await
        .ok();
        let waiting = asked["requests"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["state"] == "waiting"));
        let request = waiting.map(|one| one["id"].clone());
        let paused = act(
            &people.supervisor,
            &id,
            "decide",
            json!({ "request_id": request, "approve": true }),
        )
        .await
        .ok();
        assert_eq!(
            (paused["paused"].as_bool(), &paused["due_at"]),
            (Some(true), &Value::Null)
        );
        app.advance_hours(24 * 40);
        run_timers(app).await;
        let people = signed_in(app).await;
        let resumed = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        assert_eq!(
            (resumed["paused"].as_bool(), resumed["due_at"].is_string()),
            (Some(false), true)
        );

        let asked = act(
            &people.environment,
            &id,
            "ask",
            json!({ "kind": "park", "reason": "需跨年度改造" }),
        )
        .await
        .ok();
        let request = asked["requests"][2]["id"].clone();
        let parked = act(
            &people.dispatcher,
            &id,
            "decide",
            json!({ "request_id": request, "approve": true }),
        )
        .await
        .ok();
        assert_eq!(
            (parked["state"].as_str(), &parked["due_at"]),
            (Some("parked"), &Value::Null)
        );
        let back = act(&people.dispatcher, &id, "unpark", json!({ "reason": "资金到位" }))
            .await
            .ok();
        assert!(back["due_at"].is_string(), "the clock runs again");
        let clock = back["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["state"] == "running")
            .cloned()
            .expect("a running clock");
        let path = format!("/api/v1/cases/{id}/clock/{}/explain", clock["id"].as_str().unwrap());
        let explained = people.environment.get(&path).await.ok();
        assert!(explained["text"].as_array().unwrap().len() >= 3, "{explained}");
        counters_are_true(app).await;
    })
    .await;
}

/// Clause LH-15
///
/// One lead, a co-handler with its own part and clock, a meeting with its decision on record.
#[tokio::test]
async fn several_bodies_work_on_one_case() {
    each_backend(async |app| {
        let people = people(app).await;
        let (_, _, id) = report(app, &people, SMELL, "工地扬尘，墙也震裂了").await;
        act(&people.environment, &id, "take", json!({})).await.ok();
        let joined = act(
            &people.environment,
            &id,
            "add_co_handler",
            json!({ "unit_id": HOUSING.to_string(), "part": "鉴定墙体裂缝" }),
        )
        .await
        .ok();
        let part = joined["co_handlers"][0].clone();
        assert!(part["due_at"].is_string(), "its own limit: {part}");
        let meeting =
            json!({ "body": "先停工三天，住建鉴定后复工", "units": [HOUSING.to_string(), ENVIRONMENT.to_string()] });
        let met = act(&people.supervisor, &id, "meeting", meeting).await.ok();
        assert!(
            met["events"]
                .as_array()
                .unwrap()
                .iter()
                .any(|e| e["kind"] == "meeting" && e["text"].as_str().unwrap().contains("先停工三天"))
        );
        assert_eq!(
            act(&people.environment, &id, "handle", json!({ "result": "已停工" }))
                .await
                .verdict(),
            "422 co_handlers_open"
        );
        assert_eq!(
            people.housing.get("/api/v1/cases?queue=unit").await.ok()["items"][0]["id"],
            id.as_str(),
            "in the helper's queue"
        );
        let done = json!({ "co_handler_id": part["id"], "result": "非结构裂缝" });
        assert_eq!(
            act(&people.environment, &id, "co_done", done.clone()).await.verdict(),
            "422 not_your_unit"
        );
        act(&people.housing, &id, "co_done", done).await.ok();
        let handled = act(&people.environment, &id, "handle", json!({ "result": "已停工整改" }))
            .await
            .ok();
        assert_eq!(handled["co_handlers"][0]["state"], "done");
        // Whoever did a part does not check the whole.
        counters_are_true(app).await;
    })
    .await;
}

/// Every reporter stays informed when cases are merged, and a merge can be undone.
#[tokio::test]
async fn merged_reporters_follow_on_and_a_split_restores() {
    each_backend(async |app| {
        let people = people(app).await;
        let (first_number, first_code, first) = report(app, &people, SMELL, "工地夜里施工扬尘大").await;
        app.advance_minutes(10);
        let (number, code, second) = report(app, &people, SMELL, "工地夜间施工扬尘大").await;
        assert!(follow(&people, &number, &code).await["together"].is_null());
        app.advance_minutes(10);
        act(&people.dispatcher, &second, "merge", json!({ "into": first }))
            .await
            .ok();
        assert_eq!(
            act(&people.dispatcher, &second, "route", json!({})).await.verdict(),
            "422 case_not_waiting_for_dispatch"
        );
        let status = follow(&people, &number, &code).await;
        assert_eq!(
            (status["number"].as_str(), status["state"].as_str()),
            (Some(number.as_str()), Some("assigned"))
        );
        let told = status["together"]["text"].as_str().expect("it says so");
        assert!(
            told.contains("earlier report") && told.contains(&first_number),
            "{told}"
        );
        assert_eq!(status["body"], "工地夜间施工扬尘大", "their own words");
        assert!(!status.to_string().contains("工地夜里"), "nobody else's: {status}");
        let story = |status: &Value| -> Vec<String> {
            let steps = status["steps"].as_array().unwrap().iter();
            steps.map(|s| s["text"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(story(&status)[0], "We received your report", "{:?}", story(&status));
        assert!(story(&status).iter().any(|text| text.contains("handled together")));
        // What the other reporter adds is theirs; an answer to all reaches both.
        let added = json!({ "follow_code": first_code, "body": "我家孩子咳嗽" });
        let path = format!("/api/v1/portal/follow/{first_number}/add");
        people.resident.post(&path, added).await.ok();
        assert!(story(&follow(&people, &first_number, &first_code).await).contains(&"You added something".to_owned()));
        let status = follow(&people, &number, &code).await;
        assert!(
            !story(&status).contains(&"You added something".to_owned()),
            "{:?}",
            story(&status)
        );
        let other = follow(&people, &first_number, &first_code).await;
        assert!(
            other["together"].is_null() && !other.to_string().contains("夜间"),
            "{other}"
        );
        let target = people.dispatcher.get(&format!("/api/v1/cases/{first}")).await.ok();
        assert_eq!(
            (target["reporter_count"].as_i64(), target["merged"][0]["id"].as_str()),
            (Some(2), Some(second.as_str()))
        );
        counters_are_true(app).await;
        let report = target["reports"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["number"] == number.as_str())
            .cloned()
            .expect("a report");
        act(
            &people.dispatcher,
            &first,
            "split",
            json!({ "report_ids": [report["id"]] }),
        )
        .await
        .ok();
        let back = people.dispatcher.get(&format!("/api/v1/cases/{second}")).await.ok();
        assert_eq!(
            (back["state"].as_str(), back["reporter_count"].as_i64()),
            (Some("assigned"), Some(1))
        );
        let status = follow(&people, &number, &code).await;
        assert_eq!(
            (status["state"].as_str(), &status["together"]),
            (Some("assigned"), &Value::Null)
        );
        assert_eq!(story(&status).last().unwrap(), "It is handled on its own again");
        counters_are_true(app).await;
    })
    .await;
}

/// Clause ZS-09
///
/// Report, result, answer in one form by the worker who solved it there.
#[tokio::test]
async fn solved_on_the_spot_in_one_form() {
    each_backend(async |app| {
        let people = people(app).await;
        let form = json!({
            "id": new_id(app), "channel": "patrol", "body": "楼道里有人烧纸，已劝止", "category_code": SMELL, "area_id": EAST_GRID.to_string(),
            "on_the_spot": { "result": "当场劝解", "answer_way": "in_person", "answer_body": "已同意不再烧纸" },
        });
        let opened = people.grid_worker.post("/api/v1/cases", form).await.ok();
        let id = opened["case"]["id"].as_str().unwrap();
        let case = people.grid_worker.get(&format!("/api/v1/cases/{id}?purpose=handle")).await.ok();
        assert_eq!((case["kind"].as_str(), case["state"].as_str()), (Some("on_the_spot"), Some("answered")), "the pack wants it checked");
        assert_eq!(case["answers"][0]["way"], "in_person");
        assert_eq!(case["arrival_minutes"], 0, "who solved it there was there");
        act(&people.verifier, id, "verify", json!({ "pass": true })).await.ok();
        act(&people.verifier, id, "close", json!({})).await.ok();
        // What cannot be solved there goes to the responsible body with all its context.
        let up = json!({
            "id": new_id(app), "channel": "patrol", "body": "顶楼渗水，需要专业维修", "category_code": ROOF, "area_id": EAST_GRID.to_string(),
        });
        let opened = people.grid_worker.post("/api/v1/cases", up).await.ok();
        assert_eq!(opened["case"]["unit"]["name"], "住房和城乡建设局");
        counters_are_true(app).await;
    })
    .await;
}

/// A dispute is not finished without a mediation outcome; before its limit the holder is warned, after it the centre above hears.
#[tokio::test]
async fn a_dispute_is_mediated_and_escalated_before_it_piles_up() {
    each_backend(async |app| {
        let people = people(app).await;
        let (_, _, id) = report(app, &people, DISPUTE, "两家因为共用墙吵了半年").await;
        let holder = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        assert!(holder["unit"].is_object(), "{holder}");
        // Warned while there is still time.
        app.advance_hours(24 * 6);
        run_timers(app).await;
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        let seen = dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        let kinds: Vec<&str> = seen["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|e| e["kind"].as_str())
            .collect();
        assert!(
            kinds.contains(&"warned") && !kinds.contains(&"became_late"),
            "{kinds:?}"
        );
        app.advance_hours(24 * 2);
        run_timers(app).await;
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        let seen = dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        assert_eq!(seen["late"], true);
        assert!(dispatcher.get("/api/v1/cases?queue=late").await.ok()["items"][0]["id"] == id.as_str());
        counters_are_true(app).await;
    })
    .await;
}

async fn run_timers(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "cases.timers");
    app.app
        .write(&ctx, cases::timers::tell_ripe)
        .await
        .expect("the timers run");
    let _ = jobs::ATTEMPTS;
}

/// Promises 4 and 7: handlers see reporter 1, not a name; those with the right see it masked, and in clear only logged with a purpose.
#[tokio::test]
async fn who_reported_is_masked_and_reads_are_logged() {
    each_backend(async |app| {
        let people = people(app).await;
        let (_, _, id) = report(app, &people, SMELL, "异味").await;
        let handler = people.environment.get(&format!("/api/v1/cases/{id}")).await.ok();
        assert_eq!(handler["reports"][0]["reporter"], Value::Null);
        let clerk = people
            .clerk
            .get(&format!("/api/v1/cases/{id}?purpose=intake"))
            .await
            .ok();
        assert_eq!(clerk["reports"][0]["reporter"]["phone_masked"], "138****1234");
        assert!(!clerk.to_string().contains("13800001234"));
        let ask = json!({ "report_id": clerk["reports"][0]["id"], "field": "phone", "purpose": "intake" });
        assert_eq!(
            people
                .clerk
                .post(&format!("/api/v1/cases/{id}/reveal"), ask.clone())
                .await
                .ok()["value"],
            "13800001234"
        );
        assert_eq!(
            people
                .environment
                .post(&format!("/api/v1/cases/{id}/reveal"), ask)
                .await
                .verdict(),
            "403 forbidden"
        );
        let caller = people.clerk.get("/api/v1/callers?phone=138%200000%201234").await.ok();
        assert_eq!(
            (
                caller["name_masked"].as_str(),
                caller["open_cases"].as_array().unwrap().len()
            ),
            (Some("周**"), 1)
        );
        let ctx = Ctx::system(&app.app, "test");
        let logged = app
            .app
            .read(&ctx, |_, tx| {
                Ok(tx
                    .query_one("select count(*) from access_log", &params![])?
                    .get::<i64>(0)?)
            })
            .await;
        assert_eq!(logged.expect("a count"), 3);
    })
    .await;
}

/// Machines never refuse: what reads as another service's matter waits for a person, who declines with where to go; the resident may contest.
#[tokio::test]
async fn only_a_person_declines_and_says_where_to_go() {
    each_backend(async |app| {
        let people = people(app).await;
        let id = new_id(app);
        let sent = json!({ "id": id, "body": "我想咨询一件说不清楚的事情", "area_id": EAST_GRID.to_string() });
        let opened = people.resident.post("/api/v1/portal/reports", sent).await.ok();
        assert_eq!(
            opened["case"]["state"], "received",
            "no category is sure enough: a person looks"
        );
        assert_eq!(
            people.dispatcher.get("/api/v1/cases?queue=dispatch").await.ok()["items"][0]["id"],
            id.as_str()
        );
        assert_eq!(
            act(
                &people.dispatcher,
                &id,
                "decline",
                json!({ "reason": "属法院受理范围" })
            )
            .await
            .json()["field"],
            "where_to_go"
        );
        let declined = act(
            &people.dispatcher,
            &id,
            "decline",
            json!({ "reason": "属法院受理范围", "where_to_go": "区人民法院立案庭" }),
        )
        .await
        .ok();
        assert_eq!(declined["state"], "declined");
        let (number, code) = (
            opened["number"].as_str().unwrap(),
            opened["follow_code"].as_str().unwrap(),
        );
        let status = follow(&people, number, code).await;
        assert!(status["steps"].to_string().contains("区人民法院立案庭"), "{status}");
        let objection = json!({ "follow_code": code, "reason": "法院说不归他们" });
        let status = people
            .resident
            .post(&format!("/api/v1/portal/follow/{number}/object"), objection)
            .await
            .ok();
        assert_eq!(status["state"], "received", "a person looks again");
        counters_are_true(app).await;
    })
    .await;
}

/// Verification is never by the handler; failed, it goes back, counted; the resident may confirm instead.
#[tokio::test]
async fn nobody_checks_their_own_work() {
    each_backend(async |app| {
        let people = people(app).await;
        let (number, code, id) = handled(app, &people).await;
        let both = worker_account(app, "verifier", CITY, None, WANG).await;
        act(
            &people.grid_worker,
            &id,
            "answer",
            json!({ "way": "in_person", "body": "已处理" }),
        )
        .await
        .ok();
        assert_eq!(
            act(&both, &id, "verify", json!({ "pass": true })).await.verdict(),
            "422 own_work",
            "the same worker under another account"
        );
        let failed = act(
            &people.verifier,
            &id,
            "verify",
            json!({ "pass": false, "note": "仍有异味" }),
        )
        .await
        .ok();
        assert_eq!(
            (failed["state"].as_str(), failed["rework_count"].as_i64()),
            (Some("handling"), Some(1))
        );
        act(&people.environment, &id, "handle", json!({ "result": "已停业" }))
            .await
            .ok();
        act(
            &people.grid_worker,
            &id,
            "answer",
            json!({ "way": "in_person", "body": "已停业整顿" }),
        )
        .await
        .ok();
        let rated = people
            .resident
            .post(
                &format!("/api/v1/portal/follow/{number}/rate"),
                json!({ "follow_code": code, "rating": 5 }),
            )
            .await
            .ok();
        assert_eq!(rated["state"], "verified");
        act(&people.verifier, &id, "close", json!({})).await.ok();
        counters_are_true(app).await;
    })
    .await;
}

/// Lists, counts, what is found, the map and what is taken out show exactly the cases whose page opens, for every kind of grant.
#[tokio::test]
async fn every_way_of_looking_agrees_with_the_page() {
    each_backend(async |app| {
        let people = people(app).await;
        let mut cases = Vec::new();
        for (category, area, lon) in [(SMELL, EAST_GRID, 122.30), (ROOF, EAST_GRID, 122.31), (SMELL, WEST, 122.20), (ROOF, WEST, 122.21)] {
            let id = new_id(app);
            let sent = json!({ "id": id, "body": format!("测试{category}{lon}"), "category_code": category, "area_id": area.to_string(),
                "lon": lon, "lat": 29.95 });
            people.resident.post("/api/v1/portal/reports", sent).await.ok();
            cases.push(id);
        }
        act(&people.environment, &cases[0], "take", json!({})).await.ok();
        act(&people.environment, &cases[0], "add_co_handler", json!({ "unit_id": HOUSING.to_string(), "part": "协助" })).await.ok();
        let mut every = Vec::new();
        for id in &cases {
            every.push(people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok()["number"].as_str().unwrap().to_owned());
        }
        let mut exported = 0;
        let two = |a: GrantWish, b: GrantWish| vec![a, b];
        let grant = |role: &str, area, unit| GrantWish { role: role.into(), area, unit };
        let both = two(grant("handler", Some(CITY), Some(ENVIRONMENT)), grant("verifier", Some(EAST), None));
        let everybody = [
            app.login_as("dispatcher", None).await,
            app.login_as("dispatcher", Some(CITY)).await,
            app.login_as("clerk", Some(EAST)).await,
            app.login_as("grid_worker", Some(EAST_GRID)).await,
            app.login_as("verifier", Some(WEST)).await,
            app.login_for_unit("handler", CITY, HOUSING).await,
            app.login_for_unit("handler", CITY, ENVIRONMENT).await,
            app.login_with(both).await,
        ];
        for who in everybody {
            let (mut opens, mut numbers) = (Vec::new(), Vec::new());
            for id in &cases {
                let page = who.get(&format!("/api/v1/cases/{id}")).await;
                match page.status {
                    StatusCode::OK => {
                        numbers.push(page.ok()["number"].as_str().unwrap().to_owned());
                        opens.push(id.clone());
                    }
                    status => assert_eq!(status, StatusCode::NOT_FOUND),
                }
            }
            opens.sort();
            // 测试 is in each of them.
            for query in ["sort=received", "sort=due", "state=open", "queue=all&sort=due&limit=1", "q=%E6%B5%8B%E8%AF%95"] {
                let mut listed = Vec::new();
                let mut after = String::new();
                loop {
                    let page = who.get(&format!("/api/v1/cases?{query}{after}")).await.ok();
                    listed.extend(page["items"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()));
                    match page["next"].as_str() {
                        Some(next) => after = format!("&after={next}"),
                        None => break,
                    }
                }
                listed.sort();
                assert_eq!(listed, opens, "{query}");
            }
            let counts = who.get("/api/v1/cases/counts").await.ok();
            assert_eq!(counts["total"], opens.len(), "{counts}");
            let map = who.get("/api/v1/cases/map?bbox=122,29,123,30&zoom=18").await.ok();
            assert_eq!(map["features"].as_array().unwrap().len(), opens.len());
            // The one tile all of it lies in.
            let tile = who.get("/api/v1/tiles/cases/6/53/26").await;
            let drawn = crate::mvt::decode(&tile.body).remove("cases").unwrap_or_default();
            assert_eq!(drawn.iter().map(crate::mvt::Feature::count).sum::<u64>(), opens.len() as u64);
            let taken = who.get("/api/v1/cases/export?format=csv&reason=monthly%20report").await;
            if taken.status == StatusCode::OK {
                exported += 1;
                let text = taken.text();
                for number in &every {
                    assert_eq!(text.contains(number.as_str()), numbers.contains(number), "{number}");
                }
            } else {
                assert_eq!(taken.status, StatusCode::FORBIDDEN, "{}", taken.text());
            }
        }
        assert!(exported >= 2, "dispatchers take lists out");
    })
    .await;
}
