//! SMS both ways over the signed gateway, on both databases: a whole conversation, and what must not happen: a second case, a stranger's
//! message, a message to somebody who wants none. The same with real Kannel processes is in `kannel.rs`.

use crate::cases::{People, SMELL, act, people};
use crate::kit::{Answer, Client, EAST_GRID, TestApp, config};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::Backend;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use server::platform::config::{Config, Secret, Sms, SmsKind};
use server::platform::jobs;
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub const SECRET: &str = "between gateway and server";
const PHONE: &str = "13800001234";
/// What everybody in these tests complains of; it names the grid.
pub const MATTER: &str = "第一网格楼下烧烤店油烟直排，夜里十二点还很呛。";

/// The gateway: what it was handed, and what it answers next (202 when nothing is set).
#[derive(Clone, Default)]
struct Gateway {
    handed: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
}

impl Gateway {
    async fn start() -> (Gateway, String) {
        let gateway = Gateway::default();
        let hear = |State(me): State<Gateway>, headers: HeaderMap, body: Bytes| async move {
            let body = String::from_utf8(body.to_vec()).unwrap();
            me.handed.lock().unwrap().push((headers, body));
            me.answers.lock().unwrap().pop_front().unwrap_or(StatusCode::ACCEPTED)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let router = Router::new().route("/send", post(hear)).with_state(gateway.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (gateway, url)
    }

    /// What was handed over since the last look, each signed well.
    fn take(&self) -> Vec<Value> {
        let handed = std::mem::take(&mut *self.handed.lock().unwrap());
        handed
            .into_iter()
            .map(|(headers, body)| {
                let header = |name: &str| headers[name].to_str().unwrap();
                let expected = sign(SECRET, header("webhook-id"), header("webhook-timestamp"), &body);
                assert_eq!(header("webhook-signature"), expected);
                serde_json::from_str(&body).unwrap()
            })
            .collect()
    }
}

/// As the specification's words have it.
pub fn sign(secret: &str, id: &str, seconds: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

pub fn with_sms(sms: Sms) -> Config {
    Config {
        sms: Some(sms),
        ..config()
    }
}

pub fn signed(url: &str) -> Sms {
    Sms {
        kind: SmsKind::Signed,
        url: url.into(),
        secret: Secret(SECRET.into()),
        sender: "12345".into(),
        ..Sms::default()
    }
}

/// A test on each database, with a gateway.
async fn each(change: impl Fn(&mut Sms), test: impl AsyncFn(&TestApp, &Gateway)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let (gateway, url) = Gateway::start().await;
        let mut sms = signed(&url);
        change(&mut sms);
        let app = TestApp::with(backend, with_sms(sms)).await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        test(&app, &gateway).await;
        app.remove().await;
    }
}

fn call(app: &TestApp, path: &str, body: &Value, secret: &str, seconds: i64) -> Request<Body> {
    let (body, seconds) = (body.to_string(), seconds.to_string());
    app.visitor()
        .request(Method::POST, path)
        .header("content-type", "application/json")
        .header("webhook-id", "call-1")
        .header("webhook-timestamp", &seconds)
        .header("webhook-signature", sign(secret, "call-1", &seconds, &body))
        .body(Body::from(body))
        .unwrap()
}

/// The gateway calls, from its own machine.
async fn calls(app: &TestApp, path: &str, body: Value) -> Answer {
    let request = call(app, path, &body, SECRET, app.app.now().0 / 1_000);
    app.visitor().at_address("127.0.0.1").raw(request).await
}

/// A resident texts; the gateway hands it in.
pub async fn texts(app: &TestApp, id: &str, from: &str, text: &str) -> Answer {
    calls(
        app,
        "/sms/in",
        json!({ "id": id, "from": from, "to": "12345", "text": text }),
    )
    .await
}

/// Lets the job run; what the gateway was handed.
async fn handed(app: &TestApp, gateway: &Gateway) -> Vec<Value> {
    app.advance_minutes(1);
    jobs::run_due(&app.app).await.expect("the jobs run");
    gateway.take()
}

/// What a resident is told, in one text.
async fn told(app: &TestApp, gateway: &Gateway, id: &str, text: &str) -> String {
    assert_eq!(
        texts(app, id, PHONE, text).await.status,
        StatusCode::NO_CONTENT,
        "{text}"
    );
    let mut all = handed(app, gateway).await;
    assert_eq!(all.len(), 1, "one answer to {text:?}: {all:?}");
    let one = all.remove(0);
    assert_eq!(one["to"], PHONE);
    one["text"].as_str().unwrap().to_owned()
}

/// The number in a text.
pub fn number_in(text: &str) -> String {
    let at = text.find("ZS2026").unwrap_or_else(|| panic!("no number in {text:?}"));
    text[at..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect()
}

/// The only case there is.
pub async fn only_case(people: &People) -> String {
    let list = people.dispatcher.get("/api/v1/cases?sort=received").await.ok();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{list}");
    items[0]["id"].as_str().unwrap().to_owned()
}

/// From received to answered by those whose work it is.
pub async fn answered(people: &People, case: &str, words: &str) {
    let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
    if seen["state"] == "received" {
        act(&people.dispatcher, case, "classify", json!({ "category": SMELL }))
            .await
            .ok();
        act(&people.dispatcher, case, "accept", json!({})).await.ok();
    }
    act(&people.environment, case, "take", json!({})).await.ok();
    act(
        &people.environment,
        case,
        "handle",
        json!({ "result": "已责令停止直排" }),
    )
    .await
    .ok();
    let answer = json!({ "way": "phone", "body": words });
    act(&people.grid_worker, case, "answer", answer).await.ok();
}

/// The messages an administrator sees.
async fn log(app: &TestApp) -> Vec<Value> {
    let admin = app.login_as("system_admin", None).await;
    admin.get("/api/v1/dialogue/sms/messages").await.ok()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_resident_texts_asks_rates_and_objects() {
    each(
        |_| {},
        async |app, gateway| {
            let people = people(app).await;
            let opened = told(app, gateway, "m1", MATTER).await;
            let number = number_in(&opened);
            let code: String = opened
                .split("查询码 ")
                .nth(1)
                .unwrap()
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            assert_eq!(code.len(), 8, "{opened}");
            let case = only_case(&people).await;
            let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
            assert_eq!(
                (&seen["channel"], &seen["number"], &seen["area"]["name"]),
                (&json!("sms"), &json!(number), &json!("第一网格")),
            );
            // The receipt told by SMS opens the same matter on the portal.
            let follow = json!({ "number": number, "follow_code": code });
            assert_eq!(
                people.resident.post("/api/v1/portal/follow", follow).await.ok()["number"],
                json!(number)
            );

            assert!(told(app, gateway, "m2", "进度").await.starts_with(&number));
            assert!(told(app, gateway, "m3", "5").await.contains("还没有可以评分"));
            assert!(told(app, gateway, "m4", "补充 就在三号楼门口").await.contains(&number));

            answered(&people, &case, "已责令停止，今晚起不会再有油烟。").await;
            let news = handed(app, gateway).await;
            let last = news
                .iter()
                .map(|one| one["text"].as_str().unwrap())
                .find(|text| text.contains("1-5"));
            assert!(
                last.is_some_and(|text| text.contains(&number) && !text.contains("油烟")),
                "{news:?}"
            );
            let state = told(app, gateway, "m5", &format!("进度 {number}")).await;
            assert!(state.contains("今晚起不会再有油烟") && state.contains("1-5"), "{state}");

            assert!(told(app, gateway, "m6", "2，晚上还有味道").await.contains("2 分"));
            assert!(told(app, gateway, "m7", "不满意").await.contains("加原因"));
            let again = told(app, gateway, "m8", "不满意 昨晚又有油烟").await;
            assert!(again.contains(&number) && again.contains("重新办理"), "{again}");
            let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
            assert_eq!(
                (&seen["state"], &seen["rework_count"]),
                (&json!("handling"), &json!(1)),
                "{seen}"
            );
            let words = seen["events"].to_string();
            assert!(
                words.contains("昨晚又有油烟") && words.contains("就在三号楼门口"),
                "{words}"
            );

            // Somebody else's phone learns nothing, with the number alone; with its code it does.
            let other = async |id: &str, text: &str| {
                texts(app, id, "13911112222", text).await.ok();
                handed(app, gateway).await.remove(0)["text"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            };
            assert!(other("x1", &format!("进度 {number}")).await.contains("没有找到"));
            assert!(other("x2", "不满意 不关我事").await.contains("没有可以提出异议"));
            assert!(other("x3", &format!("进度 {number} {code}")).await.starts_with(&number));
        },
    )
    .await;
}

#[tokio::test]
async fn the_same_message_twice_is_one_case_and_one_answer() {
    each(
        |_| {},
        async |app, gateway| {
            let people = people(app).await;
            let first = texts(app, "m1", PHONE, MATTER).await;
            let again = texts(app, "m1", PHONE, MATTER).await;
            assert_eq!((first.status, &first.body), (again.status, &again.body));
            assert_eq!(handed(app, gateway).await.len(), 1);
            texts(app, "m1", PHONE, MATTER).await.ok();
            assert!(handed(app, gateway).await.is_empty(), "nothing more, also later");
            only_case(&people).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_long_text_comes_in_parts_in_any_order_and_is_one_matter() {
    each(
        |_| {},
        async |app, gateway| {
            let people = people(app).await;
            let pieces = [
                "第一网格三号楼一单元门口的路灯坏了，",
                "晚上看不见路，老人摔了一跤，",
                "请尽快派人来修。",
            ];
            let part = async |id: &str, seq: usize, reference: u16| {
                let part = json!({ "reference": reference, "total": 3, "seq": seq });
                calls(
                    app,
                    "/sms/in",
                    json!({ "id": id, "from": PHONE, "text": pieces[seq - 1], "part": part }),
                )
                .await
                .ok()
            };
            part("p3", 3, 7).await;
            part("p1", 1, 7).await;
            part("p1", 1, 7).await;
            assert!(handed(app, gateway).await.is_empty(), "not whole yet");
            part("p2", 2, 7).await;
            part("p2", 2, 7).await;
            part("p3", 3, 7).await;
            assert_eq!(handed(app, gateway).await.len(), 1);
            let case = only_case(&people).await;
            let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
            assert_eq!(seen["body"], pieces.concat());

            // A part that never comes: after ten minutes the rest is taken, marked where words are missing.
            part("q1", 1, 8).await;
            part("q3", 3, 8).await;
            assert!(handed(app, gateway).await.is_empty());
            app.advance_minutes(11);
            assert_eq!(handed(app, gateway).await.len(), 1);
            let list = people.dispatcher.get("/api/v1/cases?sort=received").await.ok();
            assert_eq!(list["items"].as_array().unwrap().len(), 2);
            let later = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|c| c["id"] != json!(case))
                .unwrap();
            let seen = people
                .dispatcher
                .get(&format!("/api/v1/cases/{}", later["id"].as_str().unwrap()))
                .await
                .ok();
            assert_eq!(seen["body"], format!("{}[…]{}", pieces[0], pieces[2]));

            let unsound =
                json!({ "id": "u1", "from": PHONE, "text": "x", "part": { "reference": 1, "total": 2, "seq": 3 } });
            assert_eq!(
                calls(app, "/sms/in", unsound).await.verdict(),
                "422 message_part_unsound"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn only_the_gateway_can_hand_in() {
    each(
        |_| {},
        async |app, gateway| {
            let body = json!({ "id": "m1", "from": PHONE, "text": MATTER });
            let now = app.app.now().0 / 1_000;
            let here = app.visitor().at_address("127.0.0.1");
            for (path, secret, seconds) in [
                ("/sms/in", "some other secret", now),
                ("/sms/in", "", now),
                ("/sms/in", SECRET, now - 301),
                ("/sms/in", SECRET, now + 301),
                ("/sms/report", "some other secret", now),
            ] {
                let verdict = here.raw(call(app, path, &body, secret, seconds)).await.verdict();
                assert_eq!(verdict, "403 message_not_signed", "{path} {secret:?} {seconds}");
            }
            let elsewhere = app.visitor().raw(call(app, "/sms/in", &body, SECRET, now)).await;
            assert_eq!(elsewhere.verdict(), "403 message_gateway_elsewhere");
            // The signature is for these bytes only.
            let good = call(app, "/sms/in", &body, SECRET, now);
            let (parts, _) = good.into_parts();
            let other = json!({ "id": "m1", "from": "13911112222", "text": MATTER }).to_string();
            assert_eq!(
                here.raw(Request::from_parts(parts, Body::from(other))).await.verdict(),
                "403 message_not_signed"
            );
            // The door of a gateway that is not configured does not exist.
            let kannel = app
                .visitor()
                .request(Method::POST, "/sms/kannel/in?id=1")
                .body(Body::empty())
                .unwrap();
            assert_eq!(here.raw(kannel).await.status, StatusCode::NOT_FOUND);
            for (body, verdict) in [
                (json!({ "id": "", "from": PHONE, "text": "x" }), "422 message_id_needed"),
                (json!({ "id": "m2", "from": "abc", "text": "x" }), "422 phone_invalid"),
                (json!({ "id": "m2", "from": PHONE }), "422 missing_field"),
            ] {
                assert_eq!(calls(app, "/sms/in", body).await.verdict(), verdict);
            }
            let huge = json!({ "id": "m3", "from": PHONE, "text": "字".repeat(20_000) });
            assert_eq!(calls(app, "/sms/in", huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
            assert!(handed(app, gateway).await.is_empty());
        },
    )
    .await;
}

#[tokio::test]
async fn danger_is_answered_first_and_what_may_not_be_written_is_not_kept() {
    each(
        |_| {},
        async |app, gateway| {
            let people = people(app).await;
            let fire = told(app, gateway, "m1", "着火了").await;
            assert!(fire.contains("119") && fire.contains("ZS2026"), "{fire}");
            only_case(&people).await;
            let secret = told(app, gateway, "m2", "有人在网上卖涉密的军事设施图纸").await;
            assert!(!secret.contains("ZS2026"), "{secret}");
            only_case(&people).await;
            let thanks = told(app, gateway, "m3", "谢谢").await;
            assert!(thanks.contains("进度") && thanks.contains("110"), "{thanks}");
            let long = told(app, gateway, "m4", &"路灯坏了".repeat(300)).await;
            assert!(long.contains("1000"), "{long}");
            only_case(&people).await;
            let log = log(app).await;
            let refused = log.iter().filter(|m| m["kind"] == "refused").count();
            assert_eq!(refused, 2, "{log:?}");
            let english = told(app, gateway, "m5", "STATUS").await;
            assert!(english.is_ascii() || english.contains("ZS2026"), "{english}");
        },
    )
    .await;
}

#[tokio::test]
async fn who_opts_out_hears_only_direct_answers() {
    each(
        |_| {},
        async |app, gateway| {
            let people = people(app).await;
            told(app, gateway, "m1", MATTER).await;
            let case = only_case(&people).await;
            assert!(told(app, gateway, "m2", "退订").await.contains("已退订"));
            answered(&people, &case, "已责令停止。").await;
            assert!(handed(app, gateway).await.is_empty(), "nothing is sent");
            assert!(
                told(app, gateway, "m3", "进度").await.contains("已责令停止"),
                "a question is answered"
            );
            let held = log(app).await.into_iter().find(|m| m["kind"] == "answered").unwrap();
            assert_eq!(
                (&held["state"], &held["next_at"]),
                (&json!("waiting"), &Value::Null),
                "{held}"
            );
            assert!(held["outcome_text"].as_str().unwrap().contains("no more"), "{held}");
            let admin = app.login_as("system_admin", None).await;
            let retry = format!("/api/v1/dialogue/messages/{}/retry", held["id"].as_str().unwrap());
            assert_eq!(admin.post(&retry, json!({})).await.verdict(), "422 message_opted_out");
            // Somebody has to tell them: it stands where the staff look.
            let waiting = people.dispatcher.get("/api/v1/outbox?state=waiting").await.ok();
            assert!(waiting.to_string().contains(held["id"].as_str().unwrap()), "{waiting}");

            assert!(told(app, gateway, "m4", "订阅").await.contains("恢复"));
            told(app, gateway, "m5", "不满意 还是有味道").await;
            let admin = app.login_as("system_admin", None).await;
            admin.post(&retry, json!({})).await.ok();
            assert_eq!(handed(app, gateway).await.len(), 1);
        },
    )
    .await;
}

/// A fast network: the report is there before the gateway has answered the hand-over itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_overtakes_the_gateways_answer_counts() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (handed, mut taken) = tokio::sync::mpsc::unbounded_channel::<Value>();
        let reported = Arc::new(tokio::sync::Notify::new());
        let answer = reported.clone();
        let hear = move |body: String| async move {
            handed.send(serde_json::from_str(&body).unwrap()).unwrap();
            answer.notified().await;
            StatusCode::ACCEPTED
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().route("/send", post(hear))).into_future());
        let app = TestApp::with(backend, with_sms(signed(&url))).await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        people(&app).await;
        texts(&app, "m1", PHONE, MATTER).await.ok();
        app.advance_minutes(1);
        let network = async {
            let id = taken.recv().await.unwrap()["id"].clone();
            calls(&app, "/sms/report", json!({ "id": id, "state": "delivered" }))
                .await
                .ok();
            reported.notify_one();
        };
        let (sent, ()) = tokio::join!(jobs::run_due(&app.app), network);
        sent.expect("the jobs run");
        let reply = log(&app).await.into_iter().find(|m| m["direction"] == "out").unwrap();
        assert_eq!(reply["state"], "delivered", "{reply}");
        app.remove().await;
    }
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_and_a_report_says_what_arrived() {
    each(
        |_| {},
        async |app, gateway| {
            people(app).await;
            gateway
                .answers
                .lock()
                .unwrap()
                .extend([StatusCode::SERVICE_UNAVAILABLE, StatusCode::FORBIDDEN]);
            texts(app, "m1", PHONE, MATTER).await.ok();
            let first = handed(app, gateway).await;
            let reply = async || log(app).await.into_iter().find(|m| m["direction"] == "out").unwrap();
            let kept = reply().await;
            assert_eq!(
                (&kept["state"], &kept["attempts"]),
                (&json!("waiting"), &json!(1)),
                "{kept}"
            );
            assert!(
                kept["outcome_text"].as_str().unwrap().contains("failed") && kept["next_at"].is_string(),
                "{kept}"
            );
            app.advance_minutes(1);
            assert_eq!(
                handed(app, gateway).await[0]["id"],
                first[0]["id"],
                "the same id each time"
            );
            assert!(reply().await["outcome_text"].as_str().unwrap().contains("refused"));
            app.advance_minutes(5);
            assert_eq!(handed(app, gateway).await.len(), 1);
            assert_eq!(reply().await["state"], "sent");
            assert!(handed(app, gateway).await.is_empty(), "handed over once");

            let report = async |state: &str| {
                let body = json!({ "id": first[0]["id"], "state": state });
                calls(app, "/sms/report", body).await.ok();
                reply().await
            };
            let failed = report("failed").await;
            assert_eq!(failed["state"], "failed");
            assert!(
                failed["outcome_text"].as_str().unwrap().contains("not delivered"),
                "{failed}"
            );
            let retry = format!("/api/v1/dialogue/messages/{}/retry", failed["id"].as_str().unwrap());
            app.login_as("system_admin", None)
                .await
                .post(&retry, json!({}))
                .await
                .ok();
            assert_eq!(handed(app, gateway).await.len(), 1);
            assert_eq!(report("delivered").await["state"], "delivered");
            assert_eq!(report("failed").await["state"], "delivered", "what arrived has arrived");
            let unknown = json!({ "id": app.app.new_id::<server::platform::MessageId>(), "state": "delivered" });
            assert_eq!(calls(app, "/sms/report", unknown).await.status, StatusCode::NO_CONTENT);

            // Never answered well: after the last pause it has failed, visibly.
            gateway.answers.lock().unwrap().extend([StatusCode::BAD_GATEWAY; 7]);
            texts(app, "m2", PHONE, "进度").await.ok();
            for _ in 0..7 {
                handed(app, gateway).await;
                app.advance_hours(11);
            }
            let last = reply().await;
            assert_eq!(
                (&last["state"], &last["attempts"]),
                (&json!("failed"), &json!(7)),
                "{last}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_number_and_the_place_have_their_limits() {
    let few = |sms: &mut Sms| (sms.per_number, sms.messages, sms.parts) = (3, 6, 4);
    each(few, async |app, gateway| {
        let people = people(app).await;
        told(app, gateway, "m1", MATTER).await;
        told(app, gateway, "m2", "进度").await;
        told(app, gateway, "m3", "进度").await;
        let over = told(app, gateway, "m4", "第一网格的路灯也坏了很久了").await;
        assert!(over.contains("超过 3 条") && over.contains("110"), "{over}");
        texts(app, "m5", PHONE, "第一网格的井盖也不见了").await.ok();
        assert!(handed(app, gateway).await.is_empty(), "silence after that");
        only_case(&people).await;

        // The place: the gateway is told to come back, nothing is lost there.
        texts(app, "n1", "13911112222", "进度").await.ok();
        let refused = texts(app, "n2", "13911112223", "进度").await;
        assert_eq!(refused.verdict(), "429 message_place_quota");
        let used: i64 = log(app)
            .await
            .iter()
            .filter(|m| m["state"] == "sent")
            .map(|m| m["parts"].as_i64().unwrap())
            .sum();
        assert_eq!(used, 4);
        assert!(handed(app, gateway).await.is_empty(), "no part is left today");
        let waits = log(app).await.into_iter().find(|m| m["state"] == "waiting").unwrap();
        assert_eq!(&waits["next_at"].as_str().unwrap()[..16], "2026-02-15T08:00", "{waits}");
        app.advance_hours(22);
        assert_eq!(handed(app, gateway).await.len(), 1, "the next morning");
        let settings = app
            .login_as("system_admin", None)
            .await
            .get("/api/v1/dialogue/sms")
            .await
            .ok();
        assert_eq!(
            (&settings["parts_most"], &settings["per_contact"]),
            (&json!(4), &json!(3))
        );
        assert!(!settings.to_string().contains(SECRET), "{settings}");
    })
    .await;
}

#[tokio::test]
async fn a_resident_on_the_portal_hears_by_sms_if_they_ask_for_it() {
    each(|_| {}, async |app, gateway| {
        let people = people(app).await;
        let report = |by_sms: bool, phone: &str| {
            json!({
                "id": crate::cases::new_id(app), "body": MATTER, "category_code": SMELL, "area_id": EAST_GRID.to_string(), "phone": phone,
                "by_sms": by_sms,
            })
        };
        people.resident.post("/api/v1/portal/reports", report(false, "13911112222")).await.ok();
        assert!(handed(app, gateway).await.is_empty(), "not asked for");
        let opened = people.resident.post("/api/v1/portal/reports", report(true, PHONE)).await.ok();
        let news = handed(app, gateway).await;
        assert_eq!(news.len(), 1);
        let text = news[0]["text"].as_str().unwrap();
        assert!(text.contains(opened["number"].as_str().unwrap()) && text.contains("退订"), "{text}");
        assert!(!text.contains(opened["follow_code"].as_str().unwrap()), "the code is shown once, where it was made");
        // The phone's owner asks, and is answered for what was reported with the phone.
        assert!(told(app, gateway, "m1", "进度").await.contains(opened["number"].as_str().unwrap()));
    })
    .await;
}

#[tokio::test]
async fn the_log_shows_no_number_and_no_words_and_only_to_those_who_answer_for_it() {
    each(
        |_| {},
        async |app, gateway| {
            people(app).await;
            let opened = told(app, gateway, "m1", MATTER).await;
            let code: String = opened
                .split("查询码 ")
                .nth(1)
                .unwrap()
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            let lines = log(app).await;
            assert_eq!(lines.len(), 2);
            let all = json!(lines).to_string();
            assert!(all.contains("138****1234"), "{all}");
            for secret in [PHONE, "油烟", &code] {
                assert!(!all.contains(secret), "{secret} in {all}");
            }
            let directions: Vec<&Value> = lines.iter().map(|m| &m["direction"]).collect();
            assert_eq!(directions, ["out", "in"], "the newest first");
            let admin = app.login_as("system_admin", None).await;
            let first = admin.get("/api/v1/dialogue/sms/messages?limit=1").await.ok();
            let next = first["next"].as_str().unwrap();
            let second = admin
                .get(&format!("/api/v1/dialogue/sms/messages?limit=1&after={next}"))
                .await
                .ok();
            assert_eq!((&first["items"][0], &second["items"][0]), (&lines[0], &lines[1]));
            for (role, area) in [("system_admin", Some(EAST_GRID)), ("clerk", None)] {
                let other = app.login_as(role, area).await;
                assert_eq!(
                    other.get("/api/v1/dialogue/sms/messages").await.verdict(),
                    "403 forbidden",
                    "{role}"
                );
            }
            let trial = json!({ "id": "t1", "from": PHONE, "text": "进度" });
            assert_eq!(
                admin.post("/api/v1/dialogue/sms/try", trial).await.status,
                StatusCode::NOT_FOUND,
                "not a demo"
            );
        },
    )
    .await;
}

/// The demo plays the gateway: what an administrator writes as a resident is taken and answered.
#[tokio::test]
async fn in_the_demo_a_phone_can_be_tried() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = Config {
            demo: true,
            ..with_sms(Sms::stand_in())
        };
        let app = TestApp::with(backend, settings).await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        let people = people(&app).await;
        let admin = app.login_as("system_admin", None).await;
        let write = async |admin: &Client, id: &str, text: &str| {
            admin
                .post(
                    "/api/v1/dialogue/sms/try",
                    json!({ "id": id, "from": PHONE, "text": text }),
                )
                .await
                .ok()
        };
        let lines = write(&admin, "t1", MATTER).await;
        assert_eq!((&lines[0]["own"], &lines[0]["text"]), (&json!(true), &json!(MATTER)));
        assert!(lines[1]["text"].as_str().unwrap().contains("ZS2026"), "{lines}");
        assert_eq!(
            write(&admin, "t1", MATTER).await.as_array().unwrap().len(),
            2,
            "the same again is the same"
        );
        app.advance_minutes(1);
        jobs::run_due(&app.app).await.expect("the jobs run");
        let lines = write(&admin, "t2", "").await;
        assert_eq!(lines[1]["state"], "delivered", "{lines}");
        only_case(&people).await;
        app.remove().await;
    }
}
