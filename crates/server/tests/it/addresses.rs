//! Addresses of the house, in every way of writing them, at every place where the server calls out: none is called.
//!
//! A listener on this machine counts who connects. Only what the operator listed by that very address may.

use crate::kit::{Client, TestApp};
use crate::{open311, sms};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use db::Backend;
use serde_json::json;
use server::platform::config::Config;
use server::platform::{PartnerId, PeerId, WebhookId, jobs};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// Nobody may come here.
struct House {
    port: u16,
    came: Arc<AtomicUsize>,
}

impl House {
    async fn open() -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = came.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        House { port, came }
    }

    fn visits(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    /// This listener, and what clouds keep at a well-known address, in every way of writing them.
    fn addresses(&self) -> Vec<String> {
        let hosts = "127.0.0.1 127.1 127.0.1 127.0.0.1. 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 017700000001 0177.0.0.1 00000177.0.0.01 127.000.000.001 0 0.0.0.0 \
            [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] localhost LOCALHOST \
            localhost. a.localhost ip6-localhost ①②⑦.⓪.⓪.① 127。0。0。1 １２７.０.０.１ ⑯⑨。②⑤④ 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 \
            [::ffff:169.254.169.254] [fd00:ec2::254] metadata.google.internal 100.100.100.200 10.0.0.1 192.168.0.1 172.16.0.1 224.0.0.1 255.255.255.255 \
            user@127.0.0.1 hooks.invalid@127.0.0.1 hooks.invalid:x@127.0.0.1 127.0.0.1#@hooks.invalid 127.0.0.1?@hooks.invalid 127.0.0.1\\@hooks.invalid \
            hooks.invalid.127.0.0.1.nip.io 127.0.0.1%2f@hooks.invalid 127.0.0.1%00.hooks.invalid %31%32%37.0.0.1 hooks.invalid%0d%0ax:y";
        let mut all = Vec::new();
        for host in hosts.split_whitespace() {
            // The port goes where a browser would see it.
            let at = host
                .find(['#', '?', '\\'])
                .filter(|_| !host.contains("\\@"))
                .unwrap_or(host.len());
            for scheme in ["http://", "https://", "HTTP://", "http:\\\\", "http:", "//"] {
                all.push(format!(
                    "{scheme}{}:{}{}/latest/meta-data",
                    &host[..at],
                    self.port,
                    &host[at..]
                ));
            }
        }
        for scheme in [
            "ftp",
            "gopher",
            "file",
            "dict",
            "ldap",
            "tftp",
            "jar",
            "data",
            "ws",
            "unix",
            "sftp",
            "javascript",
        ] {
            all.push(format!("{scheme}://127.0.0.1:{}/x", self.port));
        }
        all.extend([
            format!(" http://127.0.0.1:{}/", self.port),
            format!("http://127.0.0.1\t:{}/", self.port),
            format!("\nhttp://127.0.0.1:{}/", self.port),
        ]);
        all
    }
}

/// An address the operator listed, which answers everything with a way on to the house.
async fn redirects(to: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let on = move || async move {
        (
            StatusCode::TEMPORARY_REDIRECT,
            [("location", format!("http://127.0.0.1:{to}/"))],
        )
    };
    tokio::spawn(axum::serve(listener, Router::new().fallback(any(on))).into_future());
    address
}

async fn later(app: &TestApp) {
    app.advance_minutes(1);
    jobs::run_due(&app.app).await.expect("the jobs run");
}

async fn webhooks(app: &TestApp, admin: &Client, urls: &[String], most: usize) -> usize {
    let partner: PartnerId = app.app.new_id();
    let body = json!({ "id": partner, "name": "某方", "purpose": "接收公开进展", "contact": "值班室", "area_id": null, "answers": "realtime" });
    admin.post("/api/v1/partners", body).await.ok();
    let mut taken = 0;
    for url in urls {
        let id: WebhookId = app.app.new_id();
        let made = admin
            .post(
                &format!("/api/v1/partners/{partner}/webhooks"),
                json!({ "id": id, "url": url }),
            )
            .await;
        assert!(made.status.as_u16() < 500, "{url}: {}", made.text());
        if made.status.is_success() {
            taken += 1;
            admin.post(&format!("/api/v1/webhooks/{id}/ping"), json!({})).await.ok();
            later(app).await;
            admin.post(&format!("/api/v1/webhooks/{id}/stop"), json!({})).await.ok();
        }
    }
    assert!(taken <= most, "{taken} of the addresses were taken");
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_the_house_is_called() {
    let house = House::open().await;
    let middle = redirects(house.port).await;
    let (names, urls) = (format!("http://localhost:{}", house.port), house.addresses());
    assert!(urls.len() > 300, "{}", urls.len());
    let config = Config {
        // A name the operator listed, which leads into the house; one that leads nowhere; and one that leads on.
        webhook_targets: vec!["hooks.invalid".into(), names.clone(), format!("http://{middle}")],
        ..sms::with_sms(sms::signed(&format!("http://{middle}/")))
    };
    let app = TestApp::with(Backend::Sqlite, config).await;
    jobs::run_due(&app.app).await.expect("the recurring jobs are put");
    let admin = app.login_as("security_admin", None).await;
    // Listed by name: taken, and refused when the name is looked up.
    webhooks(&app, &admin, &urls, 8).await;
    assert_eq!(
        webhooks(&app, &admin, &[format!("http://{middle}/hook")], 1).await,
        1,
        "the listed address is called"
    );

    // Another platform that says it lives there.
    for (seed, url) in (50..).zip(urls.iter().step_by(40).chain([&names])) {
        let other = TestApp::keyed(
            Backend::Sqlite,
            Config {
                public_url: url.clone(),
                ..crate::kit::config()
            },
            seed,
        )
        .await;
        let theirs = other.login_as("security_admin", None).await;
        let introduction = theirs.get("/api/v1/peers/introduction").await.ok();
        let id: PeerId = app.app.new_id();
        let agreed = json!({
            "id": id, "introduction": introduction["text"], "name": "某平台", "relation": "upper", "purpose": "办理越出本级职责的诉求", "contact": "值班室",
            "area_id": null, "categories": ["03"], "may_personal": false, "takes": true,
        });
        let made = admin.post("/api/v1/peers", agreed).await;
        assert!(made.status.as_u16() < 500, "{url}: {}", made.text());
        if made.status.is_success() {
            admin
                .post(
                    &format!("/api/v1/peers/{id}/confirm"),
                    json!({ "fingerprint": introduction["fingerprint"] }),
                )
                .await;
            admin.post(&format!("/api/v1/peers/{id}/compare"), json!({})).await;
            later(&app).await;
        }
        other.remove().await;
    }

    // A matter that names them: an address of media, a text to a gateway that leads on.
    let partner = open311::peer(&app, None, "realtime").await;
    for url in &urls {
        let words = [
            ("service_code", crate::cases::SMELL),
            ("address_id", open311::GRID_CODE),
            ("description", url.as_str()),
            ("media_url", url.as_str()),
        ];
        let answer = partner.report(&words).await;
        assert!(answer.status.as_u16() < 500, "{url}: {}", answer.text());
    }
    sms::texts(&app, "m1", "13912345678", "进度").await;
    later(&app).await;
    assert_eq!(house.visits(), 0, "somebody called at the house");
    app.remove().await;
}
