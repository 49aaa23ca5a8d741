//! The edge: coded errors, headers, pages, health, live updates, the transaction that must leave a mark, the scope predicate.

use crate::kit::{CITY, EAST, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use db::testkit::TestDb;
use db::{Backend, Db, Options, Sql, params};
use futures::StreamExt as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::json;
use server::platform::{
    AreaId, CaseId, CaseScopeFacts, Ctx, Grant, LiveEvent, Mark, Permission, Scope, Subject, Topic, UnitId,
};
use uuid::Uuid;

#[tokio::test]
async fn every_refusal_has_a_code_a_sentence_and_a_language() {
    let app = TestApp::new(Backend::Sqlite).await;
    let client = app.login_as("security_admin", None).await;
    assert_eq!(client.get("/api/v1/nothing").await.verdict(), "404 not_found");
    assert_eq!(
        client.put("/api/v1/session", json!({})).await.verdict(),
        "405 method_not_allowed"
    );
    assert_eq!(
        client.get("/api/v1/accounts?limit=x").await.verdict(),
        "422 invalid_query"
    );
    assert_eq!(
        client.get("/api/v1/accounts?after=!").await.verdict(),
        "422 invalid_cursor"
    );
    assert_eq!(
        client.patch("/api/v1/accounts/not-an-id", json!({})).await.verdict(),
        "404 not_found"
    );

    let long = json!({ "login": "x".repeat(2 << 20), "password": "" });
    assert_eq!(
        client.post("/api/v1/session", long).await.verdict(),
        "413 body_too_large"
    );
    let text = client
        .request(Method::POST, "/api/v1/session")
        .header("x-wangge-client", "desk")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(client.raw(text).await.verdict(), "415 json_expected");

    let field = client.post("/api/v1/session", json!({ "login": 5 })).await.json();
    assert_eq!(
        (field["code"].as_str(), field["field"].as_str()),
        (Some("invalid_field"), Some("login"))
    );
    let chinese = client
        .request(Method::GET, "/api/v1/nothing")
        .header("x", "")
        .body(Body::empty())
        .unwrap();
    let (mut parts, body) = chinese.into_parts();
    parts.headers.insert(header::ACCEPT_LANGUAGE, "zh-CN".parse().unwrap());
    let answer = client.raw(axum::http::Request::from_parts(parts, body)).await.json();
    assert_eq!(answer["message"], "没有找到，或者不在您的权限范围内。");
    app.remove().await;
}

#[tokio::test]
async fn answers_tell_the_browser_what_not_to_do() {
    let app = TestApp::new(Backend::Sqlite).await;
    for path in [
        "/",
        "/desk/cases",
        "/field/",
        "/api/v1/session",
        "/api/v1/openapi.json",
        "/health",
    ] {
        let answer = app.visitor().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && policy.contains("default-src 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
    }
    assert_eq!(
        app.visitor().get("/api/v1/session").await.header("cache-control"),
        "no-store"
    );
    let page = app.visitor().get("/desk/cases/1").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text().contains("<script>"), "no inline script");
    assert_eq!(app.visitor().get("/assets/missing.js").await.verdict(), "404 not_found");
    app.remove().await;
}

#[tokio::test]
async fn health_is_open_and_metrics_are_not() {
    each_backend(async |app| {
        let health = app.visitor().get("/health").await.ok();
        assert_eq!(health["status"], "ok");
        assert_eq!(app.visitor().get("/metrics").await.verdict(), "404 not_found");
        let here = app.visitor().at_address("127.0.0.1");
        assert_eq!(here.get("/metrics").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_change_without_a_mark_is_refused_and_undone() {
    each_backend(async |app| {
        let ctx = Ctx::system(&app.app, "test");
        let add = "insert into setting (key, value) values ('a', 'b')";
        let unmarked = app.app.write(&ctx, move |_, tx| Ok(tx.execute(add, &params![])?)).await;
        assert_eq!(unmarked.unwrap_err().code(), "unmarked_write");
        let count = async || {
            let count = app.app.read(&ctx, |_, tx| {
                Ok(tx
                    .query_one("select count(*) from setting", &params![])?
                    .get::<i64>(0)?)
            });
            count.await.unwrap()
        };
        assert_eq!(count().await, 0);
        let marked = app.app.write(&ctx, move |ctx, tx| {
            tx.execute(add, &params![])?;
            tx.record(ctx, Mark::new("setting.changed", Subject::System, json!({})))
        });
        marked.await.unwrap();
        assert_eq!(count().await, 1);
    })
    .await;
}

fn change(area: AreaId, name: &'static str) -> LiveEvent {
    LiveEvent {
        topic: Topic::Case,
        kind: "case.accepted",
        id: name.into(),
        areas: [Some(CITY), Some(area), None, None, None],
        units: vec![],
    }
}

#[tokio::test]
async fn live_updates_stay_within_scope_and_come_after_the_commit() {
    each_backend(async |app| {
        let client = app.login_as("clerk", Some(EAST)).await;
        assert_eq!(
            client.get("/api/v1/events?topics=board").await.verdict(),
            "403 forbidden"
        );
        assert_eq!(
            client.get("/api/v1/events?topics=weather").await.verdict(),
            "422 unknown_topic"
        );
        let request = client
            .request(Method::GET, "/api/v1/events?topics=case")
            .body(Body::empty())
            .unwrap();
        let answer = client.open(request).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut stream = answer.into_body().into_data_stream();

        let ctx = Ctx::system(&app.app, "test");
        let publish = async |event: LiveEvent, keep: bool| {
            let done = app.app.write(&ctx, move |_, tx| {
                tx.publish(event);
                if keep {
                    Ok(())
                } else {
                    Err(server::platform::Fault::refused("internal"))
                }
            });
            assert_eq!(done.await.is_ok(), keep);
        };
        publish(change(EAST, "undone"), false).await;
        publish(change(WEST, "elsewhere"), true).await;
        publish(change(EAST, "here"), true).await;
        let event = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(
            event,
            "event: change\ndata: {\"topic\":\"case\",\"kind\":\"case.accepted\",\"id\":\"here\"}\n\n"
        );

        let me = client.get("/api/v1/session").await.ok();
        let security = app.login_as("security_admin", None).await;
        let path = format!("/api/v1/accounts/{}", me["id"].as_str().unwrap());
        security
            .patch(&path, json!({ "grants": [{ "role": "clerk", "area_id": WEST }] }))
            .await
            .ok();
        let last = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(last, "event: resync\ndata: {}\n\n", "new rights end the stream");
        assert!(stream.next().await.is_none());
    })
    .await;
}

#[test]
fn the_committed_api_description_is_the_one_the_handlers_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/src/api/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let generated = server::router::openapi().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == generated,
        "web/src/api/openapi.json is out of date: cargo run -p server -- openapi > web/src/api/openapi.json"
    );
}

/// A small world of areas, units and cases, so that hits and misses are both frequent.
fn small_area() -> impl Strategy<Value = AreaId> {
    (1u128..5).prop_map(|n| AreaId(Uuid::from_u128(n)))
}

fn small_unit() -> impl Strategy<Value = UnitId> {
    (1u128..4).prop_map(|n| UnitId(Uuid::from_u128(n)))
}

fn any_case() -> impl Strategy<Value = CaseScopeFacts> {
    let areas = proptest::array::uniform5(proptest::option::of(small_area()));
    let facts = (
        areas,
        proptest::option::of(small_unit()),
        proptest::collection::vec(small_unit(), 0..3),
    );
    facts.prop_map(|(areas, unit, co_units)| CaseScopeFacts { areas, unit, co_units })
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let permissions = proptest::sample::subsequence(
        vec![Permission::CaseRead, Permission::CaseHandle, Permission::BoardRead],
        0..=3,
    );
    let area = proptest::option::weighted(0.9, (small_area(), 1u8..=5));
    (permissions, area, proptest::option::weighted(0.3, small_unit())).prop_map(|(permissions, area, unit)| Grant {
        permissions: permissions.into_iter().collect(),
        area: area.map(|(area, _)| area),
        depth: area.map_or(0, |(_, depth)| depth),
        unit,
    })
}

async fn load_cases(db: &Db, cases: &[CaseScopeFacts]) {
    let cases = cases.to_vec();
    db.write::<(), db::DbError>(move |tx| {
        for (n, case) in cases.iter().enumerate() {
            let id = CaseId(Uuid::from_u128(n as u128));
            let [a1, a2, a3, a4, a5] = case.areas;
            let insert = "insert into cases (id, a1, a2, a3, a4, a5, unit_id) values ($1, $2, $3, $4, $5, $6, $7)";
            tx.execute(insert, &params![id, a1, a2, a3, a4, a5, case.unit])?;
            for unit in &case.co_units {
                tx.execute(
                    "insert into co_handler (case_id, unit_id) values ($1, $2)",
                    &params![id, *unit],
                )?;
            }
        }
        Ok(())
    })
    .await
    .unwrap();
}

fn ids(tx: &mut db::Tx<'_>, sql: &Sql) -> Result<Vec<CaseId>, db::DbError> {
    tx.fetch(sql)?.iter().map(|row| row.get(0)).collect()
}

/// The predicate compiled into queries and the one in plain Rust agree, on both databases, over random scopes and cases.
#[tokio::test]
async fn the_compiled_scope_is_the_reference_scope() {
    const TABLES: &str =
        "create table cases (id text primary key, a1 text, a2 text, a3 text, a4 text, a5 text, unit_id text) strict;
        create table co_handler (case_id text not null, unit_id text not null) strict;";
    let mut runner = TestRunner::new_with_rng(
        Runs::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let cases = proptest::collection::vec(any_case(), 300)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    let scopes = proptest::collection::vec(proptest::collection::vec(any_grant(), 0..4), 150)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = TestDb::new(backend, Options::default()).await;
        database
            .db
            .migrate(&[db::Migration {
                number: 1,
                name: "cases",
                sql: TABLES,
            }])
            .await
            .unwrap();
        load_cases(&database.db, &cases).await;
        let mut seen_by_any = 0;
        for grants in &scopes {
            let scope = Scope { grants: grants.clone() };
            for permission in [Permission::CaseRead, Permission::CaseHandle] {
                let expected: Vec<CaseId> = (0..cases.len())
                    .filter(|n| scope.sees(&cases[*n], permission))
                    .map(|n| CaseId(Uuid::from_u128(n as u128)))
                    .collect();
                let sql = scope
                    .case_predicate(Sql::new("select c.id from cases c where "), permission, "c")
                    .push(" order by c.id");
                let found = database.db.read(move |tx| ids(tx, &sql)).await;
                assert_eq!(found.unwrap(), expected, "{backend:?} {scope:?} {permission:?}");
                seen_by_any += expected.len();
            }
        }
        assert!(seen_by_any > 1000, "the world is too small to show anything");
        database.remove().await;
    }
}
