//! What is too large, too slow, or far more than it says: refused within its limit while others are answered, and without taking memory.

use crate::cases::{People, SMELL, new_id, people};
use crate::kit::{Answer, Client, EAST_GRID, TestApp, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use db::Backend;
use serde_json::{Value, json};
use server::platform::connections::{self, Limits};
use std::io::{Cursor, Write as _};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long one request may take in these tests.
const SOON: Duration = Duration::from_secs(2);
/// What refusing may cost in memory, whatever is claimed.
const MOST_MB: u64 = 150;

async fn listening(app: &TestApp, limit: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server::router::within(app.app.clone(), limit);
    tokio::spawn(connections::serve(
        listener,
        router,
        Limits::default(),
        std::future::pending(),
    ));
    address
}

async fn say(to: SocketAddr, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

/// The answer, until the other side closes; a connection reset after it says the same.
async fn heard(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Others are answered as before.
async fn still_answers(address: SocketAddr) {
    let asked = say(
        address,
        "GET /health HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n",
    );
    let health = heard(asked.await).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
}

/// The most memory this process has had, in MB. Each test is a process of its own.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Every door that takes a body: method, path, type, and who comes.
async fn doors(people: &People) -> Vec<String> {
    let upload = upload(&people.resident, 5_000).await;
    let cookie = people.dispatcher.cookie.clone().unwrap();
    let mut heads = Vec::new();
    for (method, path, kind, more) in [
        ("POST", "/api/v1/portal/reports", "application/json", ""),
        ("POST", "/api/v1/session", "application/json", ""),
        ("POST", "/api/v1/cases", "application/json", cookie.as_str()),
        (
            "POST",
            "/api/v1/imports/cases",
            "application/octet-stream",
            cookie.as_str(),
        ),
        (
            "POST",
            "/api/v1/imports/people",
            "application/octet-stream",
            cookie.as_str(),
        ),
        (
            "POST",
            "/open311/v2/requests.json",
            "application/x-www-form-urlencoded",
            "",
        ),
        (
            "POST",
            "/open311/v2/requests.json",
            "multipart/form-data; boundary=x",
            "",
        ),
        ("POST", "/peer/v1/messages", "application/json", ""),
        ("PATCH", upload.as_str(), "application/offset+octet-stream", ""),
    ] {
        heads.push(format!(
            "{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\nx-wangge-client: desk\r\naccept-language: en\r\ncookie: {more}\r\n\
             tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: {kind}\r\n"
        ));
    }
    heads
}

async fn upload(who: &Client, length: usize) -> String {
    let request = who.request(Method::POST, "/api/v1/portal/uploads");
    let request = request
        .header("x-wangge-client", "portal")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", length);
    let answer = who.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_body_byte_by_byte_is_refused_in_time_and_holds_up_nobody() {
    let app = &TestApp::new(Backend::Sqlite).await;
    let people = people(app).await;
    let address = listening(app, SOON).await;
    let mut slow = Vec::new();
    for head in doors(&people).await {
        for _ in 0..6 {
            slow.push(say(address, &format!("{head}content-length: 4000\r\n\r\n{{")).await);
        }
    }
    // More of them than the machine has cores; the others are answered all the same, before the slow ones are let go.
    for _ in 0..20 {
        still_answers(address).await;
    }
    for mut one in slow {
        // One more byte does not begin the time anew. It may come too late already.
        let _ = one.write_all(b" ").await;
        let said = heard(one).await;
        let refused = said.starts_with("HTTP/1.1 4") && !said.starts_with("HTTP/1.1 404");
        assert!(refused && said.contains("\"code\""), "{said:?}");
    }
    assert_eq!(cases(app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_taken_in() {
    let app = &TestApp::new(Backend::Sqlite).await;
    let people = people(app).await;
    let address = listening(app, SOON).await;
    let before = peak_mb();
    for head in doors(&people).await {
        // It says how large it is: no byte of it has to come.
        let said = heard(say(address, &format!("{head}content-length: 50000000000\r\n\r\n")).await).await;
        assert!(
            said.starts_with("HTTP/1.1 4") && said.contains("\"code\""),
            "{head} {said:?}"
        );
        // It does not say, and goes on: refused where the limit is.
        let mut endless = say(address, &format!("{head}transfer-encoding: chunked\r\n\r\n")).await;
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
        let mut sent = 0_u64;
        while sent < 200 << 20 && endless.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 0x10000;
        }
        assert!(sent < 100 << 20, "{head} took {sent} bytes");
    }
    still_answers(address).await;
    assert!(peak_mb() - before < MOST_MB, "{} MB", peak_mb() - before);
    assert_eq!(cases(app).await, 0);
}

async fn cases(app: &TestApp) -> i64 {
    let ctx = server::platform::Ctx::system(&app.app, "test");
    let count = app.app.read(&ctx, |_, tx| {
        Ok(tx.query_one("select count(*) from cases", &db::params![])?.get(0)?)
    });
    count.await.expect("the table is there")
}

/// A picture of a few bytes that says it is 50,000 by 50,000.
fn pixel_bombs() -> Vec<(&'static str, Vec<u8>)> {
    use image::{DynamicImage, ImageFormat};
    let small = |format| {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut png = small(ImageFormat::Png);
    png[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    // The header's checksum covers its name and its thirteen bytes.
    let sum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    let mut jpeg = small(ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|two| two == [0xFF, 0xC0])
        .expect("a frame header");
    jpeg[frame + 5..frame + 7].copy_from_slice(&50_000_u16.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&50_000_u16.to_be_bytes());
    vec![("png", png), ("jpeg", jpeg)]
}

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                (sum >> 1) ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        })
    })
}

async fn send_photo(who: &Client, bytes: Vec<u8>) -> Answer {
    let place = upload(who, bytes.len()).await;
    let request = who
        .request(Method::PATCH, &place)
        .header("x-wangge-client", "portal")
        .header("tus-resumable", "1.0.0");
    let request = request
        .header("upload-offset", 0)
        .header(header::CONTENT_TYPE, "application/offset+octet-stream");
    who.raw(request.body(Body::from(bytes)).unwrap()).await
}

fn report(app: &TestApp) -> Value {
    json!({ "id": new_id(app), "channel": "phone", "body": "路灯不亮", "category_code": SMELL, "area_id": EAST_GRID, "reporter": { "phone": "13800001234" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_bomb_is_refused_while_others_work_on() {
    let app = &TestApp::new(Backend::Sqlite).await;
    let people = people(app).await;
    let before = peak_mb();
    for (format, bytes) in pixel_bombs() {
        let bombs = (0..8).map(|_| send_photo(&people.resident, bytes.clone()));
        let (refused, taken) = tokio::join!(
            futures::future::join_all(bombs),
            people.clerk.post("/api/v1/cases", report(app))
        );
        assert_eq!(taken.status, 200, "{}", taken.text());
        for answer in refused {
            assert_eq!(
                answer.verdict(),
                "422 photo_too_many_pixels",
                "{format}: {}",
                answer.text()
            );
        }
    }
    assert!(peak_mb() - before < MOST_MB, "{} MB", peak_mb() - before);
}

/// A spreadsheet that unpacks to a thousand times its size.
fn zip_bomb() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default())
        .expect("a part");
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..300 {
        zip.write_all(&zeros).expect("zeros");
    }
    zip.finish().expect("a file").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_bomb_is_refused_while_others_work_on() {
    let bytes = zip_bomb();
    assert!(bytes.len() * 500 < 300 << 20, "{} bytes", bytes.len());
    each_backend(async |app| {
        let people = people(app).await;
        let before = peak_mb();
        let request = people
            .dispatcher
            .request(Method::POST, "/api/v1/imports/cases?dry_run=true");
        let request = request
            .header("x-wangge-client", "desk")
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let (bombed, taken) = tokio::join!(
            people
                .dispatcher
                .raw(request.body(Body::from(bytes.clone())).expect("a request")),
            people.clerk.post("/api/v1/cases", report(app)),
        );
        assert_eq!(bombed.verdict(), "422 sheet_unpacks_too_large", "{}", bombed.text());
        assert_eq!(taken.status, 200, "{}", taken.text());
        assert!(peak_mb() - before < MOST_MB, "{} MB", peak_mb() - before);
    })
    .await;
}
