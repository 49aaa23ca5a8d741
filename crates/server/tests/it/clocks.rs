//! Moments that people set on a clock: a co-handler's own limit, a leader's earlier moment, the end of a pause, a merge undone; and the
//! explanation that tells them in words.

use crate::cases::{People, act, new_id, people, signed_in};
use crate::kit::{Client, EAST_GRID, TestApp, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use domain::time::Timestamp;
use serde_json::{Value, json};
use server::cases;
use server::platform::{Ctx, UnitId};
use uuid::Uuid;

const HOUSING: UnitId = UnitId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1003));
const SMELL: &str = "0301";

/// A case the environment bureau works on.
async fn working(app: &TestApp, people: &People, body: &str) -> String {
    let id = new_id(app);
    let sent = json!({ "id": id, "body": body, "category_code": SMELL, "area_id": EAST_GRID.to_string() });
    people.resident.post("/api/v1/portal/reports", sent).await.ok();
    act(&people.environment, &id, "take", json!({})).await.ok();
    id
}

async fn page(who: &Client, id: &str) -> Value {
    who.get(&format!("/api/v1/cases/{id}")).await.ok()
}

/// The lead's clock that has not stopped.
fn running(page: &Value) -> &Value {
    let clocks = page["clocks"].as_array().unwrap();
    clocks
        .iter()
        .find(|c| c["party"] == "lead" && c["state"] != "stopped")
        .unwrap()
}

fn at(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap_or_default()).unwrap()
}

/// The explanation in Chinese and in English; never a key of a rule or a number of a record.
async fn explained(who: &Client, id: &str, clock: &Value) -> (String, String) {
    let path = format!("/api/v1/cases/{id}/clock/{}/explain", clock["id"].as_str().unwrap());
    let mut told = Vec::new();
    for lang in ["zh-CN", "en"] {
        let mut request = who.request(Method::GET, &path).body(Body::empty()).unwrap();
        request
            .headers_mut()
            .insert(header::ACCEPT_LANGUAGE, lang.parse().unwrap());
        let text = who.raw(request).await.ok()["text"].to_string();
        assert!(
            !text.contains(":ordinary") && !text.contains("*:") && !text.contains("0190"),
            "{text}"
        );
        told.push(text);
    }
    (told[0].clone(), told[1].clone())
}

async fn run_timers(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "cases.timers");
    app.app
        .write(&ctx, cases::timers::tell_ripe)
        .await
        .expect("the timers run");
}

/// The pack's limit is told in words; a co-handler asked until a moment has until then and not longer than the pack allows (LH-15).
#[tokio::test]
async fn a_co_handlers_own_limit_is_kept_and_bounded() {
    each_backend(async |app| {
        let people = people(app).await;
        let id = working(app, &people, "油烟夹着垃圾味").await;
        let lead = page(&people.environment, &id).await;
        let (zh, en) = explained(&people.environment, &id, running(&lead)).await;
        assert!(zh.contains("办理时限（") && zh.contains("一般事项"), "{zh}");
        assert!(en.contains("limit (") && en.contains("ordinary matters"), "{en}");

        let ask = |limit: &str| json!({ "unit_id": HOUSING.to_string(), "part": "查排烟道", "limit": limit });
        for (limit, verdict) in [
            ("2026-02-14T09:00:00+08:00", "422 moment_is_past"),
            ("2027-02-14T09:00:00+08:00", "422 moment_after_limit"),
            ("明天", "422 invalid_time"),
        ] {
            assert_eq!(
                act(&people.environment, &id, "add_co_handler", ask(limit))
                    .await
                    .verdict(),
                verdict
            );
        }
        let limit = "2026-02-14T16:00:00+08:00";
        let asked = act(&people.environment, &id, "add_co_handler", ask(limit)).await.ok();
        assert_eq!(asked["co_handlers"][0]["due_at"], limit);
        let clock = asked["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["party"] != "lead")
            .unwrap()
            .clone();
        assert_eq!(clock["due_at"], limit);
        let (zh, _) = explained(&people.environment, &id, &clock).await;
        assert!(zh.contains("约定的协办完成时间") && zh.contains("16:00"), "{zh}");
        app.advance_minutes(6 * 60 + 1);
        run_timers(app).await;
        let people = signed_in(app).await;
        let late = page(&people.environment, &id).await;
        let clock = late["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["party"] != "lead")
            .unwrap()
            .clone();
        assert_eq!(clock["late"], true);
        assert_eq!(late["late"], false, "the lead's own limit is another");
    })
    .await;
}

/// A leader who supervises may set an earlier moment, never a later one; the time already used counts.
#[tokio::test]
async fn a_supervising_leader_sets_an_earlier_moment() {
    each_backend(async |app| {
        let people = people(app).await;
        let id = working(app, &people, "夜里废气刺鼻").await;
        app.advance_minutes(30);
        let set = |due: &str| json!({ "instruction": "今天下班前办好", "due": due });
        for (due, verdict) in [
            ("2026-02-14T10:00:00+08:00", "422 moment_is_past"),
            ("2027-01-01T09:00:00+08:00", "422 moment_after_limit"),
        ] {
            assert_eq!(
                act(&people.supervisor, &id, "supervise", set(due)).await.verdict(),
                verdict
            );
        }
        let due = "2026-02-14T17:00:00+08:00";
        let watched = act(&people.supervisor, &id, "supervise", set(due)).await.ok();
        assert_eq!(
            (watched["due_at"].as_str(), watched["supervised"].as_bool()),
            (Some(due), Some(true))
        );
        let (zh, en) = explained(&people.supervisor, &id, running(&watched)).await;
        assert!(zh.contains("督办要求的完成时间") && zh.contains("17:00"), "{zh}");
        assert!(en.contains("supervising leader"), "{en}");
        app.advance_minutes(7 * 60);
        run_timers(app).await;
        let people = signed_in(app).await;
        assert_eq!(page(&people.supervisor, &id).await["late"], true);
    })
    .await;
}

/// A pause ends at the moment it was asked for, within the pack's days, however late the timers look.
#[tokio::test]
async fn a_pause_ends_when_it_was_asked_to() {
    each_backend(async |app| {
        let people = people(app).await;
        let id = working(app, &people, "臭味查不到来源").await;
        app.advance_hours(10 * 24);
        let people = signed_in(app).await;
        let before = at(&page(&people.environment, &id).await["due_at"]);
        let ask = |until: &str| json!({ "kind": "pause", "reason": "等检测报告", "until": until });
        for (until, verdict) in [
            ("2026-02-20T09:00:00+08:00", "422 moment_is_past"),
            ("2026-06-01T09:00:00+08:00", "422 pause_too_long"),
        ] {
            assert_eq!(
                act(&people.environment, &id, "ask", ask(until)).await.verdict(),
                verdict
            );
        }
        let asked = act(&people.environment, &id, "ask", ask("2026-02-24T15:00:00+08:00"))
            .await
            .ok();
        let decide = json!({ "request_id": asked["requests"][0]["id"], "approve": true });
        let paused = act(&people.dispatcher, &id, "decide", decide).await.ok();
        assert_eq!(
            (paused["paused"].as_bool(), paused["due_at"].as_str()),
            (Some(true), None)
        );
        app.advance_minutes(30);
        let (zh, _) = explained(&people.environment, &id, running(&paused)).await;
        assert!(
            zh.contains("批准暂停至") && zh.contains("15:00") && zh.contains("等检测报告"),
            "{zh}"
        );
        app.advance_minutes(5 * 60 + 30);
        run_timers(app).await;
        let people = signed_in(app).await;
        let after = page(&people.environment, &id).await;
        assert_eq!(after["paused"], false);
        // 10:00 to 12:00 and 14:00 to 15:00 did not count, whenever the timers looked.
        let moved = (at(&after["due_at"]).0 - before.0) / domain::time::MINUTE_MS;
        assert!(moved > 0, "{moved}");
        let lines = explained(&people.environment, &id, running(&after)).await.0;
        assert!(lines.contains("15:00"), "{lines}");
    })
    .await;
}

/// A merge that is undone does not give the step its time again: what was used counts, the time between does not.
#[tokio::test]
async fn a_merge_undone_goes_on_counting() {
    each_backend(async |app| {
        let people = people(app).await;
        let target = working(app, &people, "东边油烟").await;
        let id = working(app, &people, "西边油烟").await;
        app.advance_hours(10 * 24);
        let people = signed_in(app).await;
        let before = at(&page(&people.environment, &id).await["due_at"]);
        act(&people.dispatcher, &id, "merge", json!({ "into": target }))
            .await
            .ok();
        app.advance_minutes(30);
        let joined = page(&people.dispatcher, &target).await;
        let came = joined["reports"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["id"] == id.as_str())
            .unwrap()["id"]
            .clone();
        act(&people.dispatcher, &target, "split", json!({ "report_ids": [came] }))
            .await
            .ok();
        let back = page(&people.dispatcher, &id).await;
        assert_eq!(back["state"], "handling");
        let moved = (at(&back["due_at"]).0 - before.0) / domain::time::MINUTE_MS;
        // Half an hour of working time later: from Saturday's closing (17:30, a make-up day) to Monday 09:00; a new start would give days.
        assert_eq!(moved, (6 * 60 + 30) + 24 * 60 + 9 * 60);
        let (zh, en) = explained(&people.dispatcher, &id, running(&back)).await;
        assert!(zh.contains("合并") && en.contains("the merge"), "{zh} {en}");
    })
    .await;
}
