//! Accounts, sessions, second factor, grants, the log of reads.

use crate::kit::{self, EAST, EAST_COMMUNITY, PASSWORD, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use db::{Backend, params};
use serde_json::{Value, json};
use server::access::{self, GrantWish, TRIES, log_read};
use server::platform::{AccountId, CaseId, Ctx, Purpose, ReporterId, Subject};

fn credentials(login: &str, password: &str) -> Value {
    json!({ "login": login, "password": password })
}

fn wish(role: &str, area: Option<server::platform::AreaId>) -> Vec<GrantWish> {
    vec![GrantWish {
        role: role.into(),
        area,
        unit: None,
    }]
}

#[tokio::test]
async fn the_first_start_makes_one_administrator_whose_password_must_be_changed() {
    each_backend(async |app| {
        let ctx = Ctx::system(&app.app, "test");
        let (login, password) = access::first_administrator(&app.app, &ctx).await.unwrap().unwrap();
        assert_eq!(
            access::first_administrator(&app.app, &ctx).await.unwrap(),
            None,
            "only once"
        );

        let mut admin = app.sign_in(&login, &password).await;
        let me = admin.get("/api/v1/session").await.ok();
        assert_eq!(me["must_change_password"], true);
        assert_eq!(
            me["permissions"],
            json!(["workforce.read", "account.manage", "registry.erase"])
        );
        assert_eq!(
            admin.get("/api/v1/accounts").await.verdict(),
            "403 password_change_required"
        );

        let change = |new: &str| json!({ "old": password, "new": new });
        assert_eq!(
            admin
                .post("/api/v1/session/password", change("1234567890"))
                .await
                .verdict(),
            "422 password_common"
        );
        let before = admin.clone();
        let changed = admin.post("/api/v1/session/password", change("a quiet harbour")).await;
        assert_eq!(changed.ok()["must_change_password"], false);
        admin.keep_cookie(&changed);
        assert_eq!(
            before.get("/api/v1/session").await.verdict(),
            "401 unauthenticated",
            "the old session is dead"
        );
        assert_eq!(
            admin.get("/api/v1/accounts").await.ok()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn unknown_names_are_answered_and_locked_like_known_ones() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let visitor = app.visitor();
        let attempt =
            async |name: &str, password: &str| visitor.post("/api/v1/session", credentials(name, password)).await;
        for _ in 0..TRIES {
            let (known, unknown) = (attempt(&login, "wrong").await, attempt("nobody", "wrong").await);
            assert_eq!(known.verdict(), "401 bad_credentials");
            assert_eq!(known.body, unknown.body);
        }
        let (known, unknown) = (attempt(&login, PASSWORD).await, attempt("nobody", PASSWORD).await);
        assert_eq!(
            known.verdict(),
            "423 account_locked",
            "even the right password, while locked"
        );
        assert_eq!(known.body, unknown.body);
        assert_eq!(
            (known.header("retry-after"), unknown.header("retry-after")),
            ("900", "900")
        );
        app.advance_minutes(15);
        assert_eq!(attempt(&login, PASSWORD).await.status, StatusCode::OK);
        for _ in 1..TRIES {
            assert_eq!(
                attempt(&login, "wrong").await.verdict(),
                "401 bad_credentials",
                "a success forgives the count"
            );
        }
        assert_eq!(attempt(&login, PASSWORD).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn many_guesses_at_once_get_no_more_tries_than_one_after_the_other() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let guesses = (0..60).map(|n| {
            let visitor = app.visitor().at_address(&format!("198.51.100.{n}"));
            let login = login.clone();
            async move {
                visitor
                    .post("/api/v1/session", credentials(&login, &format!("guess number {n}")))
                    .await
                    .verdict()
            }
        });
        let answers = futures::future::join_all(guesses).await;
        let checked = answers
            .iter()
            .filter(|verdict| *verdict == "401 bad_credentials")
            .count();
        assert_eq!(i64::try_from(checked).unwrap(), TRIES, "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn one_address_has_a_budget_over_all_names() {
    let mut config = kit::config();
    config.limits.logins_per_ten_minutes = 20;
    let app = TestApp::with(Backend::Sqlite, config).await;
    let visitor = app.visitor();
    let mut verdicts = Vec::new();
    for n in 0..200 {
        verdicts.push(
            visitor
                .post("/api/v1/session", credentials(&format!("name{n}"), "wrong password"))
                .await
                .verdict(),
        );
    }
    assert_eq!(
        verdicts
            .iter()
            .filter(|verdict| *verdict == "401 bad_credentials")
            .count(),
        20
    );
    assert_eq!(verdicts.last().unwrap(), "429 too_many_requests");
    let elsewhere = visitor.clone().at_address("198.51.100.1");
    assert_eq!(
        elsewhere
            .post("/api/v1/session", credentials("x", "wrong"))
            .await
            .verdict(),
        "401 bad_credentials"
    );
    app.remove().await;
}

#[tokio::test]
async fn sessions_end_when_idle_when_old_and_when_told() {
    each_backend(async |app| {
        let first = app.login_as("clerk", Some(EAST)).await;
        app.advance_minutes(59);
        first.get("/api/v1/session").await.ok();
        app.advance_minutes(59);
        first.get("/api/v1/session").await.ok();
        app.advance_minutes(61);
        assert_eq!(
            first.get("/api/v1/session").await.verdict(),
            "401 unauthenticated",
            "idle"
        );

        let busy = app.login_as("clerk", Some(EAST)).await;
        for _ in 0..23 {
            app.advance_minutes(30);
            busy.get("/api/v1/session").await.ok();
        }
        app.advance_minutes(31);
        assert_eq!(
            busy.get("/api/v1/session").await.verdict(),
            "401 unauthenticated",
            "twelve hours are enough"
        );

        let leaving = app.login_as("clerk", Some(EAST)).await;
        let left = leaving.delete("/api/v1/session").await;
        assert_eq!(left.status, StatusCode::NO_CONTENT);
        assert!(
            left.header("set-cookie").contains("Max-Age=0"),
            "{}",
            left.header("set-cookie")
        );
        assert_eq!(
            leaving.get("/api/v1/session").await.verdict(),
            "401 unauthenticated",
            "signed out on the server"
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_the_browser_had() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let old = app.sign_in(&login, PASSWORD).await;
        let answer = old.post("/api/v1/session", credentials(&login, PASSWORD)).await;
        let mut new = old.clone();
        new.keep_cookie(&answer);
        assert_ne!(old.cookie, new.cookie);
        assert_eq!(old.get("/api/v1/session").await.verdict(), "401 unauthenticated");
        new.get("/api/v1/session").await.ok();
    })
    .await;
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    for (url, expected) in [
        (
            "http://127.0.0.1:8080",
            ("wangge=", "; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"),
        ),
        (
            "https://wangge.example.cn",
            (
                "__Host-wangge=",
                "; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure",
            ),
        ),
    ] {
        let mut config = kit::config();
        config.public_url = url.into();
        let app = TestApp::with(Backend::Sqlite, config).await;
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let answer = app
            .visitor()
            .post("/api/v1/session", credentials(&login, PASSWORD))
            .await;
        let cookie = answer.header("set-cookie");
        assert!(
            cookie.starts_with(expected.0) && cookie.ends_with(expected.1),
            "{cookie}"
        );
        app.remove().await;
    }
}

#[tokio::test]
async fn another_sites_page_cannot_change_anything() {
    each_backend(async |app| {
        let client = app.login_as("security_admin", None).await;
        let forged = client
            .request(Method::DELETE, "/api/v1/session")
            .body(Body::empty())
            .unwrap();
        assert_eq!(client.raw(forged).await.verdict(), "403 client_header_missing");
        client.get("/api/v1/session").await.ok();
    })
    .await;
}

#[tokio::test]
async fn own_sessions_are_listed_and_revoked() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let (here, there) = (app.sign_in(&login, PASSWORD).await, app.sign_in(&login, PASSWORD).await);
        let stranger = app.login_as("clerk", Some(EAST)).await;
        let list = here.get("/api/v1/sessions").await.ok();
        let other = list
            .as_array()
            .unwrap()
            .iter()
            .find(|session| session["current"] == false)
            .unwrap();
        let path = format!("/api/v1/sessions/{}", other["id"].as_str().unwrap());
        assert_eq!(stranger.delete(&path).await.verdict(), "404 not_found");
        assert_eq!(here.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(there.get("/api/v1/session").await.verdict(), "401 unauthenticated");
        assert_eq!(here.get("/api/v1/sessions").await.ok().as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_demotion_takes_effect_with_the_next_request() {
    each_backend(async |app| {
        let security = app.login_as("security_admin", None).await;
        let id: AccountId = app.app.new_id();
        let login = app.account(id, wish("audit_admin", Some(EAST))).await;
        let auditor = app.sign_in(&login, PASSWORD).await;
        auditor.get("/api/v1/access-log").await.ok();

        let path = format!("/api/v1/accounts/{id}");
        security
            .patch(&path, json!({ "grants": [{ "role": "clerk", "area_id": EAST }] }))
            .await
            .ok();
        assert_eq!(auditor.get("/api/v1/access-log").await.verdict(), "403 forbidden");

        security.patch(&path, json!({ "state": "disabled" })).await.ok();
        assert_eq!(auditor.get("/api/v1/session").await.verdict(), "401 unauthenticated");
        assert_eq!(
            app.visitor()
                .post("/api/v1/session", credentials(&login, PASSWORD))
                .await
                .verdict(),
            "401 bad_credentials"
        );
    })
    .await;
}

#[tokio::test]
async fn the_second_factor_is_asked_for_and_works_once() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("supervisor", Some(EAST))).await;
        let client = app.sign_in(&login, PASSWORD).await;
        assert_eq!(
            client
                .post("/api/v1/session/totp/confirm", json!({ "code": "000000" }))
                .await
                .verdict(),
            "409 totp_not_begun"
        );
        let setup = client.post("/api/v1/session/totp", json!({})).await.ok();
        let secret = totp_rs::Secret::try_from_base32(setup["secret"].as_str().unwrap()).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let code = || {
            totp.generate(u64::try_from(app.app.now().0 / 1000).unwrap())
                .to_string()
        };
        assert!(setup["qr_svg"].as_str().unwrap().contains("<svg"));

        let attempt = async |code: Option<String>| {
            let body = json!({ "login": login, "password": PASSWORD, "totp": code });
            app.visitor().post("/api/v1/session", body).await.verdict()
        };
        assert_eq!(attempt(None).await, "200", "not in force before it was confirmed");
        let first = code();
        assert_eq!(
            client
                .post("/api/v1/session/totp/confirm", json!({ "code": first }))
                .await
                .status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(attempt(None).await, "401 totp_required");
        assert_eq!(attempt(Some(first)).await, "401 totp_wrong", "used for confirming");
        app.advance_minutes(1);
        let second = code();
        assert_eq!(attempt(Some(second.clone())).await, "200");
        assert_eq!(attempt(Some(second)).await, "401 totp_wrong", "a code works once");

        let off = async |password: &str| {
            client
                .send(
                    Method::DELETE,
                    "/api/v1/session/totp",
                    Some(json!({ "password": password })),
                )
                .await
        };
        assert_eq!(off("wrong").await.verdict(), "401 bad_credentials");
        assert_eq!(off(PASSWORD).await.status, StatusCode::NO_CONTENT);
        assert_eq!(attempt(None).await, "200");
    })
    .await;
}

#[tokio::test]
async fn an_administrator_reaches_only_the_own_area() {
    each_backend(async |app| {
        let east = app.login_as("security_admin", Some(EAST)).await;
        let make = async |login: &str, grants: Value| {
            let id: AccountId = app.app.new_id();
            east.post(
                "/api/v1/accounts",
                json!({ "id": id, "login": login, "name": "王五", "grants": grants }),
            )
            .await
        };
        let made = make("wang.wu", json!([{ "role": "grid_worker", "area_id": EAST_COMMUNITY }]))
            .await
            .ok();
        assert_eq!(made["account"]["grants"][0]["area"]["name"], "海印社区");
        assert_eq!(
            made["account"]["grants"][0]["area"]["level_name"],
            "Community or village"
        );
        let mut worker = app
            .sign_in("wang.wu", made["one_time_password"].as_str().unwrap())
            .await;
        let changed = worker
            .post(
                "/api/v1/session/password",
                json!({ "old": made["one_time_password"], "new": PASSWORD }),
            )
            .await;
        worker.keep_cookie(&changed);
        assert_eq!(worker.get("/api/v1/session").await.ok()["home"], "field");

        for (grants, expected) in [
            (json!([{ "role": "clerk", "area_id": WEST }]), "422 unknown_area"),
            (
                json!([{ "role": "clerk", "area_id": app.app.new_id::<server::platform::AreaId>() }]),
                "422 unknown_area",
            ),
            (json!([{ "role": "clerk" }]), "422 unknown_area"),
            (json!([{ "role": "emperor", "area_id": EAST }]), "422 unknown_role"),
            (json!([]), "422 grant_needed"),
            (
                json!([{ "role": "audit_admin", "area_id": EAST }, { "role": "system_admin", "area_id": EAST }]),
                "422 administrators_apart",
            ),
        ] {
            assert_eq!(make("somebody", grants.clone()).await.verdict(), expected, "{grants}");
        }
        assert_eq!(
            make("wang.wu", json!([{ "role": "clerk", "area_id": EAST }]))
                .await
                .verdict(),
            "409 login_taken"
        );
        assert_eq!(
            make("王五", json!([{ "role": "clerk", "area_id": EAST }]))
                .await
                .verdict(),
            "422 bad_login"
        );

        let both: AccountId = app.app.new_id();
        let mut grants = wish("clerk", Some(EAST));
        grants.extend(wish("clerk", Some(WEST)));
        app.account(both, grants).await;
        let path = format!("/api/v1/accounts/{both}");
        assert_eq!(
            east.patch(&path, json!({ "name": "新名" })).await.verdict(),
            "403 account_beyond_scope"
        );
        let logins = east.get("/api/v1/accounts?q=wang").await.ok();
        assert_eq!(logins["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_changes_the_own_rights() {
    each_backend(async |app| {
        let id: AccountId = app.app.new_id();
        let login = app.account(id, wish("security_admin", None)).await;
        let client = app.sign_in(&login, PASSWORD).await;
        let path = format!("/api/v1/accounts/{id}");
        assert_eq!(
            client
                .patch(&path, json!({ "grants": [{ "role": "supervisor" }] }))
                .await
                .verdict(),
            "422 own_account"
        );
        assert_eq!(
            client.patch(&path, json!({ "state": "disabled" })).await.verdict(),
            "422 own_account"
        );
        assert_eq!(
            client
                .post(&format!("{path}/reset-password"), json!({}))
                .await
                .verdict(),
            "422 own_account"
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_request_again_is_the_same_account() {
    each_backend(async |app| {
        let security = app.login_as("security_admin", None).await;
        let id: AccountId = app.app.new_id();
        let body =
            json!({ "id": id, "login": "zhao.liu", "name": "赵六", "grants": [{ "role": "clerk", "area_id": EAST }] });
        let first = security.post("/api/v1/accounts", body.clone()).await.ok();
        let again = security.post("/api/v1/accounts", body).await.ok();
        assert_eq!(first["account"], again["account"]);
        assert!(first["one_time_password"].is_string() && again["one_time_password"].is_null());
        let reset = security
            .post(&format!("/api/v1/accounts/{id}/reset-password"), json!({}))
            .await
            .ok();
        app.sign_in("zhao.liu", reset["one_time_password"].as_str().unwrap())
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_read_without_purpose_is_refused_and_one_with_purpose_is_written_down() {
    each_backend(async |app| {
        let id: AccountId = app.app.new_id();
        let login = app.account(id, wish("clerk", Some(EAST))).await;
        let clerk = app.sign_in(&login, PASSWORD).await;
        clerk.get("/api/v1/session").await.ok();
        let case: CaseId = app.app.new_id();
        let reporter: ReporterId = app.app.new_id();
        let mut ctx = Ctx::system(&app.app, "test");
        ctx.actor = server::platform::Actor::Account {
            id,
            worker: None,
            unit: None,
            name: "测试".into(),
        };
        let read = async |purpose: Purpose| {
            let ctx = ctx.clone().for_purpose(purpose);
            app.app
                .write(&ctx, move |ctx, tx| {
                    log_read(ctx, tx, Subject::Reporter(reporter), &["name", "phone"])
                })
                .await
        };
        assert_eq!(read(Purpose::Unstated).await.unwrap_err().code(), "purpose_required");
        read(Purpose::HandleCase(case)).await.unwrap();

        let auditor = app.login_as("audit_admin", Some(EAST)).await;
        let log = auditor.get(&format!("/api/v1/access-log?subject={case}")).await.ok();
        let entry = &log["items"][0];
        assert_eq!(entry["fields"], json!(["name", "phone"]));
        assert_eq!(
            (entry["purpose"].as_str(), entry["case_id"].as_str()),
            (Some("handle"), Some(case.to_string().as_str()))
        );
        assert_eq!(entry["account_id"].as_str(), Some(id.to_string().as_str()));
        let elsewhere = app.login_as("audit_admin", Some(WEST)).await;
        assert_eq!(
            elsewhere.get("/api/v1/access-log").await.ok()["items"],
            json!([]),
            "accounts of another place"
        );
    })
    .await;
}

#[tokio::test]
async fn secrets_are_stored_sealed_or_hashed() {
    each_backend(async |app| {
        let login = app.account(app.app.new_id(), wish("clerk", Some(EAST))).await;
        let client = app.sign_in(&login, PASSWORD).await;
        let setup = client.post("/api/v1/session/totp", json!({})).await.ok();
        let token = client.cookie.clone().unwrap().split('=').nth(1).unwrap().to_owned();
        let ctx = Ctx::system(&app.app, "test");
        let stored = app.app.read(&ctx, |_, tx| {
            let mut found = Vec::new();
            for sql in [
                "select * from account",
                "select * from session",
                "select * from login_failure",
            ] {
                found.extend(tx.query(sql, &params![])?);
            }
            Ok(format!("{found:?}"))
        });
        let stored = stored.await.unwrap();
        assert!(stored.contains("$argon2id$"));
        for secret in [PASSWORD, token.as_str(), setup["secret"].as_str().unwrap()] {
            assert!(!stored.contains(secret));
        }
    })
    .await;
}
