//! What keeps the place running, over HTTP: jobs, messages to residents, the ledger; who may, page by page.

use crate::cases::{new_id, people};
use crate::kit::{CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use axum::http::StatusCode;
use db::params;
use serde_json::{Value, json};
use server::platform::jobs::{self, Handler, Outcome};
use server::platform::{Ctx, Fault, Tx};
use std::collections::BTreeSet;

fn fails(_: &Ctx, _: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    Err(Fault::internal("the test's job fails"))
}

fn works(_: &Ctx, _: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    Ok(Outcome::Done)
}

async fn put(app: &TestApp, kind: &'static str, key: &'static str) {
    let ctx = Ctx::system(&app.app, "test");
    let put = app.app.write(&ctx, move |ctx, tx| {
        jobs::enqueue(ctx, tx, kind, key, ctx.now, &json!({}))
    });
    put.await.expect("a job");
}

/// The ids of all pages of a list, a few at a time.
async fn pages(who: &Client, path: &str, key: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}limit=2{after}")).await.ok();
        assert!(page["items"].as_array().unwrap().len() <= 2);
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item[key].to_string()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return ids,
        }
    }
}

fn each_once(ids: &[String]) -> bool {
    ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
}

#[tokio::test]
async fn a_failed_job_is_seen_and_run_again_by_the_administrator() {
    each_backend(async |app| {
        jobs::register(&app.app, "test.fails", Handler::Step(fails));
        jobs::register(&app.app, "test.works", Handler::Step(works));
        for key in ["a", "b", "c", "d", "e"] {
            put(app, "test.works", key).await;
        }
        put(app, "test.fails", "x").await;
        for _ in 0..jobs::ATTEMPTS {
            jobs::run_due(&app.app).await.expect("jobs run");
            app.advance_hours(24);
        }
        for role in [
            "grid_worker",
            "clerk",
            "handler",
            "dispatcher",
            "security_admin",
            "audit_admin",
        ] {
            let who = app.login_as(role, Some(CITY)).await;
            assert_eq!(who.get("/api/v1/jobs").await.status, StatusCode::FORBIDDEN, "{role}");
        }
        let admin = app.login_as("system_admin", None).await;
        let all = pages(&admin, "/api/v1/jobs?", "id").await;
        assert!(all.len() >= 6 && each_once(&all), "{all:?}");
        let dead = admin.get("/api/v1/jobs?state=dead").await.ok();
        let job = &dead["items"][0];
        assert_eq!(
            (dead["items"].as_array().unwrap().len(), job["kind"].as_str()),
            (1, Some("test.fails"))
        );
        let id = job["id"].as_str().unwrap().to_owned();
        let retry = format!("/api/v1/jobs/{id}/retry");
        assert_eq!(
            app.login_as("dispatcher", Some(CITY))
                .await
                .post(&retry, json!({}))
                .await
                .status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(admin.post(&retry, json!({})).await.ok()["state"], "waiting");
        assert_eq!(admin.post(&retry, json!({})).await.verdict(), "409 job_not_retryable");
        // Mended in the meantime: it runs.
        jobs::register(&app.app, "test.fails", Handler::Step(works));
        jobs::run_due(&app.app).await.expect("jobs run");
        let done = admin.get("/api/v1/jobs?state=done").await.ok();
        assert!(
            done["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|job| job["id"] == id.as_str()),
            "{done}"
        );
        assert_eq!(
            admin
                .post(&format!("/api/v1/jobs/{}/retry", new_id(app)), json!({}))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[tokio::test]
async fn messages_wait_within_ones_area_until_somebody_tells() {
    each_backend(async |app| {
        let people = people(app).await;
        for nth in 0..3 {
            let sent = json!({ "id": new_id(app), "body": format!("第{nth}次反映异味"), "category_code": "0301",
                "area_id": EAST_GRID.to_string(), "phone": "13800001234" });
            people.resident.post("/api/v1/portal/reports", sent).await.ok();
            app.advance_minutes(1);
        }
        let east = app.login_as("dispatcher", Some(EAST)).await;
        let all = pages(&east, "/api/v1/outbox?state=waiting&", "id").await;
        assert!(all.len() >= 3 && each_once(&all), "{all:?}");
        let west = app.login_as("dispatcher", Some(WEST)).await;
        assert_eq!(pages(&west, "/api/v1/outbox?", "id").await, Vec::<String>::new());
        for role in ["handler", "planner", "audit_admin"] {
            let who = app.login_as(role, Some(CITY)).await;
            assert_eq!(who.get("/api/v1/outbox").await.status, StatusCode::FORBIDDEN, "{role}");
        }
        let told = format!("/api/v1/outbox/{}/mark-told", all[0].trim_matches('"'));
        let absent = west
            .post(
                &told.replace(all[0].trim_matches('"'), &new_id(app)),
                json!({ "note": "x" }),
            )
            .await;
        let foreign = west.post(&told, json!({ "note": "电话告知" })).await;
        assert_eq!((foreign.status, &foreign.body), (absent.status, &absent.body));
        assert_eq!(
            east.post(&told, json!({ "note": "电话告知，说谢谢" })).await.ok()["state"],
            "delivered"
        );
        assert_eq!(
            east.post(&told, json!({ "note": "再说一次" })).await.status,
            StatusCode::CONFLICT
        );
    })
    .await;
}

/// The ledger is read by the auditor, page by page; a receipt holds against today's ledger until somebody alters the row.
#[tokio::test]
async fn the_ledger_is_read_and_a_receipt_is_held_against_it_as_it_is_today() {
    each_backend(async |app| {
        let people = people(app).await;
        let sent =
            json!({ "id": new_id(app), "body": "夜里异味", "category_code": "0301", "area_id": EAST_GRID.to_string() });
        let receipt = people.resident.post("/api/v1/portal/reports", sent).await.ok()["receipt"].clone();
        let check = async || {
            people
                .resident
                .post(
                    "/api/v1/portal/verify-receipt",
                    json!({ "receipt": receipt, "text": "夜里异味" }),
                )
                .await
                .ok()
        };
        let today = |verdict: &Value| {
            verdict["checks"]
                .as_array()
                .unwrap()
                .iter()
                .find(|c| c["name"] == "today")
                .unwrap()["ok"]
                .clone()
        };
        let verdict = check().await;
        assert_eq!(
            (verdict["ok"].as_bool(), today(&verdict)),
            (Some(true), json!(true)),
            "{verdict}"
        );
        // The ledger has grown since: today's head continues the receipt's.
        let more =
            json!({ "id": new_id(app), "body": "又有异味", "category_code": "0301", "area_id": EAST_GRID.to_string() });
        people.resident.post("/api/v1/portal/reports", more).await.ok();
        assert_eq!(check().await["ok"], true);

        for role in ["clerk", "handler", "dispatcher", "system_admin"] {
            let who = app.login_as(role, Some(CITY)).await;
            assert_eq!(who.get("/api/v1/ledger").await.status, StatusCode::FORBIDDEN, "{role}");
        }
        let auditor = app.login_as("audit_admin", None).await;
        let all = pages(&auditor, "/api/v1/ledger?", "leaf").await;
        assert!(all.len() > 4 && each_once(&all), "{all:?}");
        assert!(
            !auditor.get("/api/v1/ledger/heads").await.ok()["items"]
                .as_array()
                .unwrap()
                .is_empty()
        );

        let (strand, seq) = (
            receipt["record"]["strand"].as_i64().unwrap(),
            receipt["record"]["seq"].as_i64().unwrap(),
        );
        let altered = app.app.db().write(move |tx| {
            tx.execute(
                "update ledger_record set actor = 'resident:other' where strand = $1 and seq = $2",
                &params![strand, seq],
            )
        });
        altered.await.expect("somebody alters the row");
        let verdict = check().await;
        assert_eq!(
            (verdict["ok"].as_bool(), today(&verdict)),
            (Some(false), json!(false)),
            "{verdict}"
        );
        let others = verdict["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["name"] != "today");
        assert!(
            others.into_iter().all(|c| c["ok"] == true),
            "the receipt itself is as good as ever: {verdict}"
        );
    })
    .await;
}

/// The screen says what the command says, the worst first; only the system administrator sees it, and each look is in the ledger.
#[tokio::test]
async fn the_examination_is_for_the_system_administrator_and_leaves_its_mark() {
    each_backend(async |app| {
        let admin = app.login_as("system_admin", None).await;
        let found = admin.post("/api/v1/doctor", json!({})).await.ok();
        let findings = found["findings"].as_array().expect("findings").clone();
        let mut command = server::operations::doctor::settings(app.app.config());
        command.extend(server::operations::doctor::running(&app.app).await.expect("it looks"));
        let of = |findings: &[Value]| -> BTreeSet<String> {
            findings
                .iter()
                .map(|one| one["code"].as_str().expect("a code").to_owned())
                .collect()
        };
        assert_eq!(of(&findings), command.iter().map(|one| one.code.to_owned()).collect());
        assert!(of(&findings).contains("doctor_no_backup"), "{findings:?}");
        let rank = |one: &Value| {
            ["severe", "warning", "note"]
                .iter()
                .position(|s| one["severity"] == *s)
                .expect("one of three")
        };
        assert!(findings.is_sorted_by_key(rank), "{findings:?}");
        assert!(
            findings
                .iter()
                .all(|one| ["zh", "en", "do_zh", "do_en"].iter().all(|key| one[key] != ""))
        );
        let ctx = Ctx::system(&app.app, "test");
        let marks = app.app.read(&ctx, |_, tx| {
            let sql = "select count(*) from ledger_record where action = 'system.examined'";
            Ok(tx.query_one(sql, &params![])?.get::<i64>(0)?)
        });
        assert_eq!(marks.await.expect("the ledger"), 1);
        for role in ["audit_admin", "security_admin", "dispatcher"] {
            let other = app.login_as(role, None).await;
            assert_eq!(
                other.post("/api/v1/doctor", json!({})).await.status,
                StatusCode::FORBIDDEN,
                "{role}"
            );
        }
    })
    .await;
}
