//! What is kept beside the cases so that no request grows with the place: the search index, the counters, the numbers of a day.

use crate::cases::{new_id, people, signed_in};
use crate::kit::{EAST_GRID, TestApp, each_backend};
use db::params;
use serde_json::{Value, json};
use server::platform::{Ctx, jobs};
use std::collections::BTreeSet;

/// A report by phone about a lamp.
fn lamp(id: &str, nth: usize) -> Value {
    json!({ "id": id, "channel": "phone", "body": format!("渔港路第{nth}根灯杆路灯不亮"), "category_code": "0204",
        "area_id": EAST_GRID.to_string() })
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let ctx = Ctx::system(&app.app, "test");
    let counted = app
        .app
        .read(&ctx, move |_, tx| Ok(tx.query_one(sql, &params![])?.get(0)?));
    counted.await.expect("a count")
}

/// A running server moves what was written into the index by itself; it is found before, and after, once.
#[tokio::test]
async fn the_server_indexes_by_itself_what_is_found_at_once_anyway() {
    each_backend(async |app| {
        let people = people(app).await;
        let found = async || {
            people
                .dispatcher
                .get("/api/v1/cases/search?q=%E7%81%AF%E6%9D%86")
                .await
                .ok()["items"]
                .as_array()
                .map(Vec::len)
        };
        for nth in 0..3 {
            people.clerk.post("/api/v1/cases", lamp(&new_id(app), nth)).await.ok();
        }
        assert_eq!(found().await, Some(3));
        assert_eq!(count(app, "select count(*) from search_doc").await, 0);
        app.advance_minutes(1);
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert_eq!(count(app, "select count(*) from search_pending").await, 0);
        assert_eq!(count(app, "select count(*) from search_doc").await, 3);
        assert_eq!(found().await, Some(3));
        people.clerk.post("/api/v1/cases", lamp(&new_id(app), 3)).await.ok();
        app.advance_minutes(1);
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert_eq!(
            count(app, "select count(*) from search_doc").await,
            4,
            "the job is called again"
        );
        assert_eq!(found().await, Some(4));
    })
    .await;
}

/// Many at once, over several writers where the database has them: each case has a number of its own.
#[tokio::test]
async fn cases_taken_in_at_once_have_numbers_of_their_own() {
    each_backend(async |app| {
        let people = people(app).await;
        let many = (0..40).map(|nth| {
            let clerk = &people.clerk;
            let id = new_id(app);
            async move { clerk.post("/api/v1/cases", lamp(&id, nth)).await.ok()["case"]["number"].to_string() }
        });
        let numbers: BTreeSet<String> = futures::future::join_all(many).await.into_iter().collect();
        assert_eq!(numbers.len(), 40);
    })
    .await;
}

/// The kept counter of what is due soon says what counting one by one says.
#[tokio::test]
async fn what_is_due_soon_is_counted_alike_from_the_counter_and_one_by_one() {
    each_backend(async |app| {
        people(app).await;
        for nth in 0..26 {
            let people = signed_in(app).await;
            if nth < 6 {
                people.clerk.post("/api/v1/cases", lamp(&new_id(app), nth)).await.ok();
            }
            jobs::run_due(&app.app).await.expect("the jobs run");
            let kept = people.supervisor.get("/api/v1/cases/counts?queue=all").await.ok();
            let counted = people
                .supervisor
                .get("/api/v1/cases/counts?queue=all&channel=phone")
                .await
                .ok();
            assert_eq!(kept["total"], counted["total"]);
            assert_eq!(kept["late"], counted["late"]);
            let (kept, counted) = (kept["due_soon"].as_i64(), counted["due_soon"].as_i64());
            let apart = kept.zip(counted).map_or(i64::MAX, |(a, b)| (a - b).abs());
            assert!(apart <= 1, "{kept:?} {counted:?}: only the hour now begun may differ");
            app.advance_hours(7);
        }
    })
    .await;
}
