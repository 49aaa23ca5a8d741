//! Moving running clocks to the rules in force: previewed, approved by a second person, applied clock by clock, on both databases.

use crate::kit::{CITY, Client, EAST, EAST_GRID, TestApp, each_backend};
use crate::people::{act, counters_are_true, kinds, post, report, sign_in, unit, worker};
use db::params;
use serde_json::{Value, json};
use server::platform::{CaseId, Ctx, Fault, jobs};
use server::policy;

/// A bad smell: the environment bureau's, five working days.
const SMELL: &str = "0301";

/// Brings the shipped pack into force with one limit changed.
async fn change_the_pack(app: &TestApp, from: &str, to: &str) {
    let mut files = policy::shipped("zhoushan").expect("a pack");
    let clocks = files.get_mut("clocks.toml").expect("clocks");
    assert!(clocks.contains(from), "{from}");
    *clocks = clocks.replace(from, to);
    policy::adopt(&app.app, files, None)
        .await
        .expect("the pack comes into force");
}

const FIVE: &str = "limit = \"5 workdays\"\nstart = \"next_workday\"";
const TWO: &str = "limit = \"2 workdays\"\nstart = \"next_workday\"";
const ONE: &str = "limit = \"1 workday\"\nstart = \"next_workday\"";

fn proposal(app: &TestApp) -> Value {
    json!({ "id": app.app.new_id::<CaseId>(), "category": "03", "step": "handle", "reason": "新规：环境类两个工作日办结" })
}

async fn due_of(who: &Client, case: &str) -> String {
    let page = who.get(&format!("/api/v1/cases/{case}")).await.ok();
    page["due_at"].as_str().expect("a limit").to_owned()
}

/// A new rule changes no running clock. An administrator proposes, sees each clock as it is and as it would be; another person approves
/// with a reason; when the clocks have changed meanwhile the preview is out of date; applied, each clock says so in words.
#[tokio::test]
async fn running_clocks_move_only_with_a_preview_and_a_second_person() {
    each_backend(async |app| {
        let bureau = unit(app, "生态环境局", "bureau", "environment", CITY).await;
        let inspector = worker(app, "王环保").await;
        post(app, bureau, None, "handle", inspector, None).await;
        let first = report(app, EAST_GRID, SMELL, "烧烤油烟").await;
        let admin = app.login_as("system_admin", None).await;
        let boss = app.login_as("supervisor", Some(CITY)).await;
        assert_eq!(
            admin.post("/api/v1/clock-migrations", proposal(app)).await.verdict(),
            "422 no_clock_touched"
        );

        // The rule changes; the running clock does not, and neither does the preview change it.
        let before = due_of(&boss, &first).await;
        change_the_pack(app, FIVE, TWO).await;
        assert_eq!(due_of(&boss, &first).await, before);
        let seen = admin.post("/api/v1/clock-migrations", proposal(app)).await.ok();
        assert_eq!(
            (
                seen["state"].as_str(),
                seen["touched"].as_i64(),
                seen["earlier"].as_i64(),
                seen["turns_late"].as_i64()
            ),
            (Some("proposed"), Some(1), Some(1), Some(0))
        );
        let clock = &seen["clocks"][0];
        assert_eq!(
            (clock["case_id"].as_str(), clock["old_due"].as_str()),
            (Some(first.as_str()), Some(before.as_str()))
        );
        assert_eq!(
            (clock["old_limit"].as_str(), clock["new_limit"].as_str()),
            (Some("5 working days"), Some("2 working days"))
        );
        let after = clock["new_due"].as_str().unwrap().to_owned();
        assert!(after < before, "{after} {before}");
        assert_eq!(due_of(&boss, &first).await, before, "nothing is changed by looking");

        // Not by the proposer, not by another keeper of rules, not for a part of the place, not without a reason.
        let path = format!("/api/v1/clock-migrations/{}/decide", seen["id"].as_str().unwrap());
        let yes = || json!({ "approve": true, "reason": "市里文件已公布" });
        assert_eq!(admin.post(&path, yes()).await.verdict(), "422 own_migration");
        let other = app.login_as("system_admin", None).await;
        assert_eq!(other.post(&path, yes()).await.verdict(), "403 forbidden");
        let east = app.login_as("supervisor", Some(EAST)).await;
        assert_eq!(east.post(&path, yes()).await.verdict(), "403 forbidden");
        assert_eq!(
            boss.post("/api/v1/clock-migrations", proposal(app)).await.verdict(),
            "403 forbidden"
        );
        assert_eq!(
            boss.post(&path, json!({ "approve": true })).await.json()["field"],
            "reason"
        );

        // Since the preview a clock has moved: what would be approved is not what was shown. It asks for a new one.
        let handler = sign_in(app, "handler", CITY, Some(bureau), Some(inspector)).await;
        act(&handler, &first, "take", json!({})).await.ok();
        let asked = act(
            &handler,
            &first,
            "ask",
            json!({ "kind": "extension", "reason": "等检测", "days": 1 }),
        )
        .await
        .ok();
        act(
            &boss,
            &first,
            "decide",
            json!({ "request_id": asked["requests"][0]["id"], "approve": true }),
        )
        .await
        .ok();
        assert_eq!(boss.post(&path, yes()).await.verdict(), "422 preview_stale");
        assert_eq!(boss.post(&path, yes()).await.verdict(), "422 migration_decided");
        let list = admin.get("/api/v1/clock-migrations").await.ok();
        assert_eq!(
            (list["items"][0]["state"].as_str(), list["items"][0]["own"].as_bool()),
            (Some("stale"), Some(true))
        );

        // Proposed again and approved: a job applies it, and the clock says in words what happened and who allowed it.
        let again = admin.post("/api/v1/clock-migrations", proposal(app)).await.ok();
        let path = format!("/api/v1/clock-migrations/{}/decide", again["id"].as_str().unwrap());
        let approved = boss.post(&path, yes()).await.ok();
        assert_eq!(approved["state"], "approved");
        jobs::run_due(&app.app).await.expect("jobs");
        let done = boss
            .get(&format!("/api/v1/clock-migrations/{}", again["id"].as_str().unwrap()))
            .await
            .ok();
        assert_eq!(
            (
                done["state"].as_str(),
                done["applied"].as_i64(),
                done["skipped"].as_i64()
            ),
            (Some("done"), Some(1), Some(0))
        );
        assert_eq!(done["clocks"][0]["state"], "applied");
        assert_eq!(
            due_of(&boss, &first).await,
            after,
            "counted anew from the start, the extension replaced"
        );
        let page = boss.get(&format!("/api/v1/cases/{first}")).await.ok();
        assert!(kinds(&page).contains(&"clock_migrated"));
        let running = page["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["state"] == "running")
            .unwrap()
            .clone();
        let why = boss
            .get(&format!(
                "/api/v1/cases/{first}/clock/{}/explain",
                running["id"].as_str().unwrap()
            ))
            .await
            .ok();
        let words = why["text"].to_string();
        assert!(
            words.contains("moved to another rule") && words.contains("新规：环境类两个工作日办结"),
            "{words}"
        );
        let ctx = Ctx::system(&app.app, "test");
        let read = app.app.read(&ctx, |_, tx| {
            let rows = tx.query("select action from ledger_record", &params![])?;
            rows.iter()
                .map(|row| Ok(row.get::<String>(0)?))
                .collect::<Result<Vec<_>, Fault>>()
        });
        let marks = read.await.expect("the ledger");
        for mark in [
            "clock_migration.proposed",
            "clock_migration.stale",
            "clock_migration.approved",
            "clock_migration.applied",
            "case.clock_migrated",
        ] {
            assert!(marks.iter().any(|action| action == mark), "{mark} in the ledger");
        }
        counters_are_true(app, &[CITY, EAST, EAST_GRID]).await;
    })
    .await;
}

/// A clock that changed between approval and its turn is left as it is, and counted; a refusal leaves everything.
#[tokio::test]
async fn what_is_not_as_it_was_shown_is_left_alone() {
    each_backend(async |app| {
        let bureau = unit(app, "生态环境局", "bureau", "environment", CITY).await;
        let inspector = worker(app, "王环保").await;
        post(app, bureau, None, "handle", inspector, None).await;
        let (first, second) = (
            report(app, EAST_GRID, SMELL, "油烟").await,
            report(app, EAST_GRID, SMELL, "扬尘").await,
        );
        let (admin, boss) = (
            app.login_as("system_admin", None).await,
            app.login_as("supervisor", Some(CITY)).await,
        );
        let handler = sign_in(app, "handler", CITY, Some(bureau), Some(inspector)).await;
        act(&handler, &first, "take", json!({})).await.ok();
        change_the_pack(app, FIVE, ONE).await;

        let no = admin.post("/api/v1/clock-migrations", proposal(app)).await.ok();
        assert_eq!(no["touched"], 2);
        let refused = boss
            .post(
                &format!("/api/v1/clock-migrations/{}/decide", no["id"].as_str().unwrap()),
                json!({ "approve": false, "reason": "等下月" }),
            )
            .await
            .ok();
        assert_eq!(
            (refused["state"].as_str(), refused["note"].as_str()),
            (Some("refused"), Some("等下月"))
        );

        let kept = due_of(&boss, &second).await;
        let yes = admin.post("/api/v1/clock-migrations", proposal(app)).await.ok();
        boss.post(
            &format!("/api/v1/clock-migrations/{}/decide", yes["id"].as_str().unwrap()),
            json!({ "approve": true, "reason": "同意" }),
        )
        .await
        .ok();
        act(&handler, &first, "handle", json!({ "result": "已整改" }))
            .await
            .ok();
        jobs::run_due(&app.app).await.expect("jobs");
        let done = admin
            .get(&format!(
                "/api/v1/clock-migrations/{}?limit=1",
                yes["id"].as_str().unwrap()
            ))
            .await
            .ok();
        assert_eq!(
            (
                done["state"].as_str(),
                done["applied"].as_i64(),
                done["skipped"].as_i64()
            ),
            (Some("done"), Some(1), Some(1))
        );
        let rest = admin
            .get(&format!(
                "/api/v1/clock-migrations/{}?limit=1&after={}",
                yes["id"].as_str().unwrap(),
                done["next"].as_str().unwrap()
            ))
            .await
            .ok();
        let states = [done["clocks"][0]["state"].as_str(), rest["clocks"][0]["state"].as_str()];
        assert!(
            states.contains(&Some("applied")) && states.contains(&Some("skipped")),
            "{states:?}"
        );
        assert!(due_of(&boss, &second).await < kept);
        counters_are_true(app, &[CITY, EAST_GRID]).await;
    })
    .await;
}
