//! The public account: what every adapter must do, run against each of them on both databases, and WeChat's own ways with a platform played
//! on a socket.

use crate::cases::{people, signed_in};
use crate::kit::{Answer, TestApp, config};
use crate::sms::{MATTER, SECRET, answered, number_in, only_case};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::array::Array;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use db::Backend;
use serde_json::{Value, json};
use server::platform::config::{AccountKind, Config, PublicAccount, Secret};
use server::platform::jobs;
use sha1::{Digest as _, Sha1};
use std::sync::{Arc, Mutex};

const FOLLOWER: &str = "oABC-follower_1";

/// The platform behind the account: what it was asked, and what it answers with (200 and `{"errcode":0}` when nothing is set).
#[derive(Clone, Default)]
struct Platform {
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    refuses: Arc<Mutex<Vec<i64>>>,
}

impl Platform {
    async fn start() -> (Platform, String) {
        let platform = Platform::default();
        let hear = |State(me): State<Platform>, uri: Uri, body: Bytes| async move {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let token = uri.path().ends_with("stable_token");
            me.asked.lock().unwrap().push((uri.to_string(), body));
            let code = if token { None } else { me.refuses.lock().unwrap().pop() };
            axum::Json(match token {
                true => json!({ "access_token": "token-1", "expires_in": 7200 }),
                false => json!({ "errcode": code.unwrap_or(0) }),
            })
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(post(hear)).with_state(platform.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (platform, url)
    }

    /// What was asked since the last look.
    fn asked(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// What followers were told since the last look.
    fn told(&self) -> Vec<(String, String)> {
        let sent = self
            .asked()
            .into_iter()
            .filter(|(uri, _)| !uri.ends_with("stable_token"));
        sent.map(|(_, body)| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match body.get("touser") {
                Some(to) => (text(to), text(&body["text"]["content"])),
                None => (text(&body["to"]), text(&body["text"])),
            }
        })
        .collect()
    }
}

/// An adapter as a test calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Wechat,
    /// With encrypted messages.
    WechatSafe,
    Signed,
}

const ADAPTERS: [Under; 3] = [Under::Wechat, Under::WechatSafe, Under::Signed];

/// The account, and its key for encrypted messages with the bytes it stands for.
const APP_ID: &str = "wx1";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE";

/// What a follower does.
#[derive(Clone, Copy)]
enum Does<'t> {
    Writes(&'t str),
    Presses(&'t str),
    SendsPicture,
    Follows,
    Leaves,
}

/// WeChat's own message, inside.
fn inner(id: &str, from: &str, seconds: &str, does: Does) -> String {
    let event = |event: &str, key: &str| {
        format!("<MsgType>event</MsgType><Event><![CDATA[{event}]]></Event><EventKey>{key}</EventKey>")
    };
    let what = match does {
        Does::Writes(text) => {
            let text = text.replace("]]>", "]]]]><![CDATA[>");
            format!("<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId>")
        }
        Does::Presses(key) => event("CLICK", key),
        Does::SendsPicture => {
            format!("<MsgType><![CDATA[image]]></MsgType><PicUrl>http://x</PicUrl><MsgId>{id}</MsgId>")
        }
        Does::Follows => event("subscribe", ""),
        Does::Leaves => event("unsubscribe", ""),
    };
    format!(
        "<xml><ToUserName><![CDATA[gh_us]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName><CreateTime>{seconds}</CreateTime>{what}</xml>"
    )
}

/// `sha1` of the parts in order.
fn proof(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

fn aes_key() -> [u8; 32] {
    STANDARD.decode(format!("{AES_KEY}=")).unwrap().try_into().unwrap()
}

/// As WeChat encrypts a message for the account.
fn sealed(message: &str, app_id: &str) -> String {
    let key = aes_key();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let mut bytes = [
        &b"0123456789abcdef"[..],
        &length[..],
        message.as_bytes(),
        app_id.as_bytes(),
    ]
    .concat();
    let padding = 32 - bytes.len() % 32;
    bytes.resize(bytes.len() + padding, padding as u8);
    let start: [u8; 16] = key[..16].try_into().unwrap();
    cbc::Encryptor::<aes::Aes256>::new(&key.into(), &start.into())
        .encrypt_blocks(Array::slice_as_chunks_mut(&mut bytes).0);
    STANDARD.encode(bytes)
}

/// As WeChat opens an answer.
fn opened(text: &str) -> String {
    let key = aes_key();
    let mut bytes = STANDARD.decode(between(text, "Encrypt")).unwrap();
    let start: [u8; 16] = key[..16].try_into().unwrap();
    cbc::Decryptor::<aes::Aes256>::new(&key.into(), &start.into())
        .decrypt_blocks(Array::slice_as_chunks_mut(&mut bytes).0);
    let length = u32::from_be_bytes(bytes[16..20].try_into().unwrap()) as usize;
    let shown = proof(vec![
        SECRET,
        &between(text, "TimeStamp"),
        &between(text, "Nonce"),
        &between(text, "Encrypt"),
    ]);
    assert_eq!(between(text, "MsgSignature"), shown);
    assert!(bytes[20 + length..].starts_with(APP_ID.as_bytes()));
    String::from_utf8(bytes[20..20 + length].to_vec()).unwrap()
}

/// The text of an element.
fn between(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<{name}><![CDATA["))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("]]></{name}>")).unwrap().0.to_owned()
}

impl Under {
    fn is_wechat(self) -> bool {
        self != Under::Signed
    }

    fn account(self, url: String) -> PublicAccount {
        PublicAccount {
            kind: if self.is_wechat() {
                AccountKind::Wechat
            } else {
                AccountKind::Signed
            },
            token: Secret(SECRET.into()),
            app_id: APP_ID.into(),
            app_secret: Secret("app secret".into()),
            aes_key: Secret(if self == Under::WechatSafe { AES_KEY } else { "" }.into()),
            url,
        }
    }

    /// The platform's call, proved with `secret`, made `late_s` seconds ago.
    async fn call(self, app: &TestApp, id: &str, from: &str, does: Does<'_>, secret: &str, late_s: i64) -> Answer {
        let seconds = (app.app.now().0 / 1_000 - late_s).to_string();
        if self.is_wechat() {
            return self
                .wechat_call(app, &inner(id, from, &seconds, does), secret, &seconds)
                .await;
        }
        let body = match does {
            Does::Writes(text) | Does::Presses(text) => json!({ "id": id, "from": from, "text": text }),
            Does::SendsPicture => json!({ "id": id, "from": from }),
            Does::Follows => json!({ "id": id, "from": from, "event": "followed" }),
            Does::Leaves => json!({ "id": id, "from": from, "event": "left" }),
        }
        .to_string();
        let visitor = app.visitor();
        let request = visitor
            .request(Method::POST, "/account/signed")
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", &seconds)
            .header("webhook-signature", crate::sms::sign(secret, id, &seconds, &body));
        visitor.raw(request.body(Body::from(body)).unwrap()).await
    }

    /// A call of WeChat with any body inside.
    async fn wechat_call(self, app: &TestApp, inside: &str, secret: &str, seconds: &str) -> Answer {
        let plain = proof(vec![secret, seconds, "n1"]);
        let path = format!("/account/wechat?signature={plain}&timestamp={seconds}&nonce=n1");
        let (path, body) = match self {
            Under::WechatSafe => {
                let text = sealed(inside, APP_ID);
                let shown = proof(vec![secret, seconds, "n1", &text]);
                let body = format!("<xml><ToUserName>gh_us</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>");
                (format!("{path}&encrypt_type=aes&msg_signature={shown}"), body)
            }
            _ => (path, inside.to_owned()),
        };
        let visitor = app.visitor();
        let request = visitor.request(Method::POST, &path).header("content-type", "text/xml");
        visitor.raw(request.body(Body::from(body)).unwrap()).await
    }

    /// What a good call is answered; empty when it is only heard.
    async fn does(self, app: &TestApp, id: &str, from: &str, does: Does<'_>) -> String {
        let answer = self.call(app, id, from, does, SECRET, 0).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        if !self.is_wechat() {
            return answer.json()["reply"].as_str().unwrap_or_default().to_owned();
        }
        if answer.text() == "success" {
            return String::new();
        }
        let text = if self == Under::WechatSafe {
            opened(&answer.text())
        } else {
            answer.text()
        };
        assert_eq!(
            (between(&text, "ToUserName"), between(&text, "FromUserName")),
            (from.to_owned(), "gh_us".to_owned())
        );
        between(&text, "Content")
    }

    async fn writes(self, app: &TestApp, id: &str, text: &str) -> String {
        self.does(app, id, FOLLOWER, Does::Writes(text)).await
    }
}

/// Each of some adapters on each database.
async fn each(adapters: &[Under], test: impl AsyncFn(&TestApp, &Platform, Under)) {
    for under in adapters {
        for backend in [Backend::Sqlite, Backend::Postgres] {
            eprintln!("{under:?} on {backend:?}");
            let (platform, url) = Platform::start().await;
            let settings = Config {
                account: Some(under.account(url)),
                ..config()
            };
            let app = TestApp::with(backend, settings).await;
            jobs::run_due(&app.app).await.expect("the recurring jobs are put");
            test(&app, &platform, *under).await;
            app.remove().await;
        }
    }
}

/// Lets the job run; what followers were told.
async fn told(app: &TestApp, platform: &Platform) -> Vec<(String, String)> {
    app.advance_minutes(1);
    jobs::run_due(&app.app).await.expect("the jobs run");
    platform.told()
}

/// Text in, status out, over every adapter: a matter, its number, its state, more words, its rating, an objection; and what is told in between.
///
/// Clause LH-23
#[tokio::test]
async fn a_follower_writes_asks_rates_and_objects() {
    each(&ADAPTERS, async |app, platform, account| {
        let people = people(app).await;
        assert!(account.does(app, "e1", FOLLOWER, Does::Follows).await.contains("进度"));
        let opened = account.writes(app, "1", MATTER).await;
        let number = number_in(&opened);
        assert!(opened.contains("查询码"), "{opened}");
        let case = only_case(&people).await;
        let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
        assert_eq!(
            (&seen["channel"], &seen["area"]["name"]),
            (&json!("public_account"), &json!("第一网格"))
        );
        assert!(!seen.to_string().contains(FOLLOWER));
        for (channel, count) in [("public_account", 1), ("sms", 0)] {
            let found = people
                .dispatcher
                .get(&format!("/api/v1/cases?channel={channel}"))
                .await
                .ok();
            assert_eq!(found["items"].as_array().unwrap().len(), count, "{channel}");
        }
        assert!(told(app, platform).await.is_empty(), "the answer left with the call");

        assert!(
            account
                .does(app, "2", FOLLOWER, Does::Presses("进度"))
                .await
                .starts_with(&number)
        );
        assert!(account.writes(app, "3", "补充 周末更厉害").await.contains(&number));
        answered(&people, &case, "已责令停止，今晚起不会再有油烟。").await;
        let news = told(app, platform).await;
        assert!(news.iter().all(|(to, _)| to == FOLLOWER), "{news:?}");
        assert!(
            news.iter()
                .any(|(_, text)| text.contains(&number) && text.contains("1-5")),
            "{news:?}"
        );
        assert!(account.writes(app, "4", "进度").await.contains("今晚起不会再有油烟"));
        assert!(account.writes(app, "5", "4").await.contains("4 分"));
        assert!(
            account
                .writes(app, "6", "不满意 昨晚又有油烟")
                .await
                .contains("重新办理")
        );
        let stranger = account
            .does(app, "7", "oXYZ", Does::Writes(&format!("进度 {number}")))
            .await;
        assert!(stranger.contains("没有找到"), "{stranger}");

        let admin = app.login_as("system_admin", None).await;
        let log = admin.get("/api/v1/dialogue/public_account/messages").await.ok();
        assert!(log["items"].as_array().unwrap().len() > 10, "{log}");
        for secret in [FOLLOWER, "油烟直排"] {
            assert!(!log.to_string().contains(secret), "{log}");
        }
        let settings = admin.get("/api/v1/dialogue/public_account").await.ok();
        assert_eq!(
            (&settings["messages_today"], &settings["messages_most"]),
            (&json!(7), &Value::Null)
        );
        assert!(!settings.to_string().contains(SECRET), "{settings}");
    })
    .await;
}

/// What any adapter must hold: proof, once only, what is no text, what is too long, those who leave.
#[tokio::test]
async fn every_adapter_keeps_the_contract() {
    each(&ADAPTERS, async |app, platform, account| {
        let people = people(app).await;
        for (secret, late) in [("some other secret", 0), ("", 0), (SECRET, 301), (SECRET, -301)] {
            let answer = account
                .call(app, "1", FOLLOWER, Does::Writes(MATTER), secret, late)
                .await;
            assert_eq!(answer.verdict(), "403 message_not_signed", "{secret:?} {late}");
        }
        let other = if account.is_wechat() {
            Under::Signed
        } else {
            Under::Wechat
        };
        let elsewhere = other.call(app, "1", FOLLOWER, Does::Writes(MATTER), SECRET, 0).await;
        assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "the other door does not exist");
        let unnamed = account.call(app, "1", "", Does::Writes(MATTER), SECRET, 0).await;
        assert_eq!(unnamed.verdict(), "422 message_sender_needed");
        let huge = account
            .call(app, "1", FOLLOWER, Does::Writes(&"大".repeat(12_000)), SECRET, 0)
            .await;
        assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);

        let first = account.writes(app, "1", MATTER).await;
        assert_eq!(
            account.writes(app, "1", MATTER).await,
            first,
            "the same again is answered the same"
        );
        let case = only_case(&people).await;
        assert!(
            account
                .does(app, "2", FOLLOWER, Does::SendsPicture)
                .await
                .contains("文字")
        );
        let long = account.writes(app, "3", &"路灯坏了".repeat(300)).await;
        assert!(long.contains("1000"), "{long}");
        let marked = account.writes(app, "4", "补充 ]]></Content><Content>&amp;，楼下").await;
        assert!(marked.contains(&number_in(&first)), "{marked}");

        account.does(app, "e1", FOLLOWER, Does::Leaves).await;
        answered(&people, &case, "已处理。").await;
        assert!(told(app, platform).await.is_empty(), "who left hears nothing");
        let waiting = people.dispatcher.get("/api/v1/outbox?state=waiting").await.ok();
        assert!(waiting.to_string().contains("message_opted_out"), "{waiting}");
        account.does(app, "e2", FOLLOWER, Does::Follows).await;
        assert!(account.writes(app, "5", "进度").await.contains("已处理"));
        assert!(account.writes(app, "6", "退订").await.contains("订阅"));
    })
    .await;
}

/// WeChat verifies the server, keeps to its XML, and takes what is told later only from who has a token and within its time.
#[tokio::test]
async fn wechat_has_its_own_ways() {
    each(&ADAPTERS[..2], async |app, platform, account| {
        let people = people(app).await;
        let seconds = (app.app.now().0 / 1_000).to_string();
        let shown = proof(vec![SECRET, &seconds, "n"]);
        let path = format!("/account/wechat?signature={shown}&timestamp={seconds}&nonce=n&echostr=4321");
        let greeted = app.visitor().get(&path).await;
        assert_eq!((greeted.status, greeted.text().as_str()), (StatusCode::OK, "4321"));
        let forged = path.replace(&shown, &shown.chars().rev().collect::<String>());
        assert_eq!(app.visitor().get(&forged).await.verdict(), "403 message_not_signed");

        let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><xml><Content>&b;</Content></xml>";
        for bad in [bomb, "<xml><FromUserName>", "text"] {
            let answer = account.wechat_call(app, bad, SECRET, &seconds).await;
            assert_eq!(answer.verdict(), "400 message_xml_unreadable", "{bad}");
        }
        let seen = "<xml><FromUserName>o1</FromUserName><MsgType>event</MsgType><Event>LOCATION</Event><Latitude>30</Latitude></xml>";
        assert_eq!(account.wechat_call(app, seen, SECRET, &seconds).await.text(), "success", "a position is not looked at");
        if account == Under::WechatSafe {
            let plain = Under::Wechat.call(app, "1", FOLLOWER, Does::Writes(MATTER), SECRET, 0).await;
            assert_eq!(plain.verdict(), "403 message_not_signed", "with a key nothing plain is taken");
        }

        account.writes(app, "1", MATTER).await;
        let case = only_case(&people).await;
        platform.refuses.lock().unwrap().extend([45015, 42001]);
        answered(&people, &case, "已处理。").await;
        app.advance_minutes(1);
        jobs::run_due(&app.app).await.expect("the jobs run");
        let asked = platform.asked();
        assert!(asked[0].0.ends_with("/cgi-bin/stable_token") && asked[0].1["secret"] == "app secret", "{asked:?}");
        assert!(asked[1].0.ends_with("/cgi-bin/message/custom/send?access_token=token-1"), "{asked:?}");
        // The token was too old: the next try asks for a new one; then WeChat says that it is too late, and the staff see it.
        app.advance_minutes(2);
        jobs::run_due(&app.app).await.expect("the jobs run");
        let asked = platform.asked();
        assert!(asked[0].0.ends_with("/cgi-bin/stable_token") && asked.len() == 2, "{asked:?}");
        app.advance_hours(24);
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert!(platform.told().is_empty(), "what is too late is not tried again");
        let people = signed_in(app).await;
        let waiting = people.dispatcher.get("/api/v1/outbox?state=waiting").await.ok();
        assert!(waiting.to_string().contains("message_account_too_late"), "{waiting}");
    })
    .await;
}

/// The demo plays an account: what is written on the portal's page is answered there, at once and later.
#[tokio::test]
async fn in_the_demo_an_account_can_be_tried() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = Config {
            demo: true,
            account: Some(PublicAccount::stand_in()),
            ..config()
        };
        let app = TestApp::with(backend, settings).await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        let people = people(&app).await;
        let write = async |id: &str, text: &str| {
            let trial = json!({ "id": id, "from": FOLLOWER, "text": text });
            app.visitor().post("/api/v1/portal/account/try", trial).await.ok()
        };
        let lines = write("1", MATTER).await;
        assert_eq!((&lines[0]["own"], &lines[0]["text"]), (&json!(true), &json!(MATTER)));
        let number = number_in(lines[1]["text"].as_str().unwrap());
        app.advance_minutes(1);
        let case = only_case(&people).await;
        answered(&people, &case, "已责令停止。").await;
        app.advance_minutes(1);
        jobs::run_due(&app.app).await.expect("the jobs run");
        let lines = write("2", "").await;
        let last = lines.as_array().unwrap().last().unwrap();
        assert!(
            last["text"].as_str().unwrap().contains(&number) && last["state"] == "delivered",
            "{lines}"
        );
        let lines = write("3", "5").await;
        assert!(lines.to_string().contains("5 分"), "{lines}");
        app.remove().await;
    }
    let app = TestApp::new(Backend::Sqlite).await;
    let trial = json!({ "id": "1", "from": FOLLOWER, "text": "进度" });
    let tried = app.visitor().post("/api/v1/portal/account/try", trial).await;
    assert_eq!(tried.status, StatusCode::NOT_FOUND, "not a demo");
    app.remove().await;
}
