//! Webhooks over real sockets, on both databases: signed, tried again, kept, sent again, and never into the house.

use crate::cases::{People, act, new_id, people};
use crate::kit::{Client, EAST, TestApp, WEST, config};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::Backend;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use server::platform::{AreaId, PartnerId, WebhookId, jobs};
use sha2::Sha256;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::RwLock;

/// The other side: what it heard, and what it answers next (204 when nothing is set).
#[derive(Clone, Default)]
struct Receiver {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    /// Answers wait while a test holds it for writing.
    gate: Arc<RwLock<()>>,
}

impl Receiver {
    async fn start() -> (Receiver, SocketAddr) {
        let receiver = Receiver::default();
        let hear = |State(me): State<Receiver>, headers: HeaderMap, body: Bytes| async move {
            let body = String::from_utf8(body.to_vec()).unwrap();
            me.heard.lock().unwrap().push((headers, body));
            let _open = me.gate.read().await;
            let next = me.answers.lock().unwrap().pop_front();
            (next.unwrap_or(StatusCode::NO_CONTENT), [("location", "/elsewhere")])
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hook", post(hear)).with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (receiver, address)
    }

    fn answers(&self, next: &[StatusCode]) {
        self.answers.lock().unwrap().extend(next);
    }

    fn take(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

/// As a receiver checks it, from the specification's words.
fn is_signed(secret: &str, headers: &HeaderMap, body: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let signed = format!(
        "{}.{}.{body}",
        header(headers, "webhook-id"),
        header(headers, "webhook-timestamp")
    );
    mac.update(signed.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header(headers, "webhook-signature")
        .split(' ')
        .any(|one| one == expected)
}

/// A test on each database, with a receiver the operator allows, by its address and by a name for it.
async fn each(test: impl AsyncFn(&TestApp, &Receiver, SocketAddr)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let (receiver, address) = Receiver::start().await;
        let mut config = config();
        config.webhook_targets = vec![
            format!("http://{address}"),
            format!("http://localhost:{}", address.port()),
        ];
        let app = TestApp::with(backend, config).await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        test(&app, &receiver, address).await;
        app.remove().await;
    }
}

async fn partner(admin: &Client, app: &TestApp, area: Option<AreaId>) -> PartnerId {
    let id: PartnerId = app.app.new_id();
    let body = json!({ "id": id, "name": "城运中心", "purpose": "接收公开进展", "contact": "值班室", "area_id": area, "answers": "realtime" });
    admin.post("/api/v1/partners", body).await.ok();
    id
}

/// A webhook: its id and secret.
async fn webhook(admin: &Client, app: &TestApp, partner: PartnerId, url: &str) -> (WebhookId, String) {
    let id: WebhookId = app.app.new_id();
    let body = json!({ "id": id, "url": url });
    let path = format!("/api/v1/partners/{partner}/webhooks");
    let made = admin.post(&path, body.clone()).await.ok();
    let again = admin.post(&path, body).await.ok();
    assert!(again["secret"].is_null(), "the secret is told once");
    (id, made["secret"].as_str().unwrap().to_owned())
}

async fn report(people: &People, app: &TestApp) -> String {
    let id = new_id(app);
    people.clerk.post("/api/v1/cases", smell(&id)).await.ok();
    id
}

fn smell(id: &str) -> Value {
    json!({ "id": id, "channel": "phone", "body": "楼下油烟，我的电话13900001111", "category_code": "0301", "area_id": crate::kit::EAST_GRID.to_string(),
        "reporter": { "name": "王小明", "phone": "13900001111" } })
}

/// What the job does when its time has come.
async fn later(app: &TestApp, minutes: i64) {
    app.advance_minutes(minutes);
    jobs::run_due(&app.app).await.expect("the jobs run");
}

async fn log(admin: &Client, id: WebhookId) -> Vec<Value> {
    let page = admin.get(&format!("/api/v1/webhooks/{id}/messages")).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn public_changes_are_told_signed_once_and_without_a_person_in_them() {
    each(async |app, receiver, address| {
        let people = people(app).await;
        let admin = app.login_as("security_admin", None).await;
        let east = partner(&admin, app, Some(EAST)).await;
        let west = partner(&admin, app, Some(WEST)).await;
        let url = format!("http://{address}/hook");
        let (id, secret) = webhook(&admin, app, east, &url).await;
        let (elsewhere, _) = webhook(&admin, app, west, &url).await;
        let case = report(&people, app).await;
        act(&people.environment, &case, "take", json!({})).await.ok();
        later(app, 2).await;

        let heard = receiver.take();
        let kinds: Vec<String> = heard
            .iter()
            .map(|(_, body)| {
                serde_json::from_str::<Value>(body).unwrap()["type"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert!(
            kinds.contains(&"case.received".to_owned()) && kinds.contains(&"case.taken".to_owned()),
            "{kinds:?}"
        );
        for (headers, body) in &heard {
            assert!(is_signed(&secret, headers, body), "{headers:?}");
            assert!(!is_signed(&secret, headers, &body.replace("case", "face")));
            let seconds: i64 = header(headers, "webhook-timestamp").parse().unwrap();
            assert_eq!(seconds, app.app.now().0 / 1_000);
            assert!(
                !body.contains("王") && !body.contains("1390000") && !body.contains("油烟"),
                "{body}"
            );
        }
        let kept = log(&admin, id).await;
        assert_eq!(kept.len(), heard.len());
        assert!(
            kept.iter().all(|m| m["state"] == "delivered" && m["outcome"] == "204"),
            "{kept:?}"
        );
        assert!(
            log(&admin, elsewhere).await.is_empty(),
            "another town's changes are not theirs"
        );
        later(app, 2).await;
        assert!(receiver.take().is_empty(), "told once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_tried_again_and_can_be_sent_again() {
    each(async |app, receiver, address| {
        people(app).await;
        let admin = app.login_as("security_admin", None).await;
        let of = partner(&admin, app, None).await;
        let (id, secret) = webhook(&admin, app, of, &format!("http://{address}/hook")).await;
        // A redirect is no delivery: it could lead anywhere.
        receiver.answers(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::TEMPORARY_REDIRECT]);
        admin.post(&format!("/api/v1/webhooks/{id}/ping"), json!({})).await.ok();
        later(app, 1).await;
        let first = log(&admin, id).await.remove(0);
        assert_eq!(
            (&first["state"], &first["outcome"]),
            (&json!("waiting"), &json!("503")),
            "{first}"
        );
        later(app, 2).await;
        assert_eq!(log(&admin, id).await[0]["outcome"], "307");
        later(app, 6).await;
        let done = log(&admin, id).await.remove(0);
        assert_eq!(
            (&done["state"], &done["attempts"]),
            (&json!("delivered"), &json!(3)),
            "{done}"
        );
        let heard = receiver.take();
        assert_eq!(heard.len(), 3);
        for (headers, body) in &heard {
            assert_eq!(
                header(headers, "webhook-id"),
                done["id"].as_str().unwrap(),
                "the same id each time"
            );
            assert!(is_signed(&secret, headers, body), "signed anew for its time");
        }

        // Sent again by a person; then never answered well: after the last pause it has failed.
        let resend = format!("/api/v1/webhook-messages/{}/resend", done["id"].as_str().unwrap());
        admin.post(&resend, json!({})).await.ok();
        receiver.answers(&[StatusCode::BAD_GATEWAY; 8]);
        later(app, 1).await;
        for _ in 0..7 {
            later(app, 25 * 60).await;
        }
        let admin = app.login_as("security_admin", None).await;
        let failed = log(&admin, id).await.remove(0);
        assert_eq!(
            (&failed["state"], &failed["attempts"]),
            (&json!("failed"), &json!(8)),
            "{failed}"
        );
        assert_eq!(failed["outcome_text"], "Answered 502");

        // The receiver says that it is gone for good.
        receiver.take();
        receiver.answers(&[StatusCode::GONE]);
        admin.post(&resend, json!({})).await.ok();
        later(app, 1).await;
        let path = format!("/api/v1/partners/{of}/webhooks");
        assert_eq!(admin.get(&path).await.ok()[0]["stopped_by"], "gone");
        assert_eq!(admin.post(&resend, json!({})).await.verdict(), "422 webhook_stopped");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_where_it_must_not_go() {
    each(async |app, receiver, address| {
        people(app).await;
        let admin = app.login_as("security_admin", None).await;
        let of = partner(&admin, app, None).await;
        let path = format!("/api/v1/partners/{of}/webhooks");
        for (url, refusal) in [
            (
                "http://169.254.169.254/latest/meta-data",
                "422 webhook_target_not_allowed",
            ),
            ("http://127.0.0.1:1/hook", "422 webhook_target_not_allowed"),
            ("file:///etc/passwd", "422 webhook_target_not_allowed"),
            ("hooks", "422 webhook_url_unreadable"),
        ] {
            let body = json!({ "id": app.app.new_id::<WebhookId>(), "url": url });
            assert_eq!(admin.post(&path, body).await.verdict(), refusal, "{url}");
        }
        // The name is on the list and leads into the house: refused when it is looked up, each time.
        let (by_name, _) = webhook(&admin, app, of, &format!("http://localhost:{}/hook", address.port())).await;
        admin
            .post(&format!("/api/v1/webhooks/{by_name}/ping"), json!({}))
            .await
            .ok();
        later(app, 1).await;
        assert_eq!(log(&admin, by_name).await[0]["outcome"], "webhook_private_address");

        // With the key everything stops.
        let (id, _) = webhook(&admin, app, of, &format!("http://{address}/hook")).await;
        admin.post(&format!("/api/v1/webhooks/{id}/ping"), json!({})).await.ok();
        admin
            .post(&format!("/api/v1/partners/{of}/revoke"), json!({}))
            .await
            .ok();
        later(app, 1).await;
        assert!(receiver.take().is_empty());
        assert_eq!(log(&admin, id).await[0]["outcome"], "webhook_stopped");
        let body = json!({ "id": app.app.new_id::<WebhookId>(), "url": format!("http://{address}/hook") });
        assert_eq!(admin.post(&path, body).await.verdict(), "422 open311_key_revoked");
        let foreign = app.login_as("security_admin", Some(WEST)).await;
        assert_eq!(foreign.get(&path).await.verdict(), "404 not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_on_its_way_is_not_tried_again() {
    each(async |app, receiver, address| {
        people(app).await;
        let admin = app.login_as("security_admin", None).await;
        let of = partner(&admin, app, None).await;
        let (id, _) = webhook(&admin, app, of, &format!("http://{address}/hook")).await;
        receiver.answers(&[StatusCode::SERVICE_UNAVAILABLE]);
        admin.post(&format!("/api/v1/webhooks/{id}/ping"), json!({})).await.ok();
        app.advance_minutes(1);
        let closed = receiver.gate.write().await;
        let stop = async {
            while receiver.heard.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            admin.post(&format!("/api/v1/webhooks/{id}/stop"), json!({})).await.ok();
            drop(closed);
        };
        let (ran, ()) = tokio::join!(jobs::run_due(&app.app), stop);
        ran.expect("the jobs run");
        let kept = log(&admin, id).await.remove(0);
        assert_eq!(
            (&kept["state"], &kept["outcome"]),
            (&json!("failed"), &json!("webhook_stopped")),
            "{kept}"
        );
        receiver.take();
        later(app, 60).await;
        assert!(receiver.take().is_empty());
    })
    .await;
}
