//! The demo: each account one may try finds work waiting, made through the loop.

use crate::kit::{PASSWORD, TestApp};
use crate::people::{counters_are_true, run_timers};
use db::Backend;
use server::{demo, territory};

/// Account, list of the desk or the field, how many at least.
const WAITING: [(&str, &str, i64); 9] = [
    ("dispatcher", "dispatch", 2),
    ("dispatcher", "approve", 1),
    ("handler", "mine", 2),
    ("housing", "mine", 1),
    ("mediator", "mine", 1),
    ("grid", "mine", 2),
    ("verifier", "verify", 1),
    ("clerk", "all", 10),
    ("supervisor", "all", 10),
];

/// One matter of the story, and the scenes around the accounts.
#[tokio::test]
async fn each_account_to_try_finds_work_waiting() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::demo(backend).await;
        demo::make_cases(&app.app, 1, 1).await.expect("the cases are made");
        run_timers(&app).await;
        for (login, queue, least) in WAITING {
            let who = app.sign_in(login, PASSWORD).await;
            let counts = who.get(&format!("/api/v1/cases/counts?queue={queue}")).await.ok();
            let waiting = counts["total"].as_i64().unwrap();
            assert!(waiting >= least, "{login} {queue}: {counts}");
        }
        let liaison = app.sign_in("liaison", PASSWORD).await;
        let orders = liaison.get("/api/v1/orders").await.ok();
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1), "{orders}");
        let map = territory::current(&app.app);
        let areas: Vec<_> = map.areas().iter().take(30).map(|area| area.id).collect();
        counters_are_true(&app, &areas).await;
        app.remove().await;
    }
}

/// Families live in the houses of the first community, brought in by the product's own import: there are doors to call at, and a question finds
/// some of them.
#[tokio::test(flavor = "multi_thread")]
async fn families_live_in_the_first_community() {
    let app = TestApp::demo(Backend::Sqlite).await;
    demo::make_plans(&app.app, 1).await.expect("the houses stand");
    demo::make_homes(&app.app, 1).await.expect("the families move in");
    crate::registry::counted(&app).await;
    let supervisor = app.sign_in("supervisor", PASSWORD).await;
    let top = territory::current(&app.app).by_code(demo::CITY).map(|area| area.id);
    let top = top
        .or_else(|| territory::current(&app.app).areas().first().map(|area| area.id))
        .expect("a place");
    let counts = supervisor
        .get(&format!("/api/v1/registry/counts?area={top}"))
        .await
        .ok();
    assert!(counts["residents"].as_i64().unwrap() > 200, "{counts}");
    let small = serde_json::json!({ "area_id": top, "question": { "who": "households", "with": [{ "age_to": 2 }] } });
    let found = supervisor.post("/api/v1/campaigns/count", small).await.ok();
    assert!(found["found"].as_i64().unwrap() > 5, "{found}");
    app.remove().await;
}
