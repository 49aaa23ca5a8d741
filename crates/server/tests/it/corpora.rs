//! Hostile words through every entrance and back through every face: formulas, scripts, SQL, paths, templates, odd Unicode. Nothing is carried
//! out, nothing but what it says comes back.
//!
//! The words are `tests/corpora/hostile.txt`. A sample goes through in every run, all of them by `script/corpora`; what a browser makes of
//! them is `web/e2e/journeys/corpora.test.ts`.

use crate::cases::{People, SMELL, act, new_id, people};
use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp};
use crate::{open311, sms};
use axum::body::Body;
use axum::http::{Method, header};
use calamine::Reader as _;
use db::{Backend, params};
use serde_json::json;
use server::platform::{AccountId, Ctx, PartnerId, UnitId, WorkerId};
use std::io::Cursor;

/// Words that go in together: what they make stays below the size of a list one may take out alone.
const TOGETHER: usize = 70;

/// All of them, in the order of the file.
fn words() -> Vec<String> {
    let lines = include_str!("../corpora/hostile.txt").lines();
    let words: Vec<String> = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| serde_json::from_str(line.split_once('\t').expect("a kind").1).expect("a JSON string"))
        .collect();
    assert!(words.len() >= 500, "{}", words.len());
    words
}

/// A few of each kind.
#[tokio::test]
async fn hostile_words_stay_words() {
    let sample: Vec<String> = words().into_iter().skip(3).step_by(26).collect();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        go_through(backend, &sample).await;
    }
}

#[tokio::test]
#[ignore = "minutes: script/corpora"]
async fn all_hostile_words_stay_words() {
    for some in words().chunks(TOGETHER) {
        for backend in [Backend::Sqlite, Backend::Postgres] {
            go_through(backend, some).await;
        }
    }
}

/// What the words go through.
struct Doors<'a> {
    app: &'a TestApp,
    people: People,
    partner: open311::Peer,
    personnel: Client,
    security: Client,
    planner: Client,
}

async fn go_through(backend: Backend, words: &[String]) {
    eprintln!("{} words on {backend:?}", words.len());
    let app = &TestApp::with(backend, sms::with_sms(sms::signed("http://127.0.0.1:9/"))).await;
    let doors = Doors {
        app,
        people: people(app).await,
        partner: open311::peer(app, None, "realtime").await,
        personnel: app.login_as("personnel", None).await,
        security: app.login_as("security_admin", None).await,
        planner: app.login_as("planner", None).await,
    };
    let mut cases = cases_there(app).await;
    for (n, word) in words.iter().enumerate() {
        cases += doors.residents(n, word).await;
        cases += doors.staff(word).await;
        doors.names(word).await;
        doors.questions(word).await;
        assert_eq!(cases_there(app).await, cases, "{word:?} made or took away a case");
    }
    doors.lists(words).await;
    doors.nobody_gets_in(words).await;
}

async fn cases_there(app: &TestApp) -> i64 {
    let ctx = Ctx::system(&app.app, "test");
    let count = app.app.read(&ctx, |_, tx| {
        Ok(tx.query_one("select count(*) from cases", &params![])?.get(0)?)
    });
    count.await.expect("the table is there")
}

/// Taken, or refused in words; never a fault of ours, never anything a browser would run.
fn sound(answer: &Answer, word: &str) -> bool {
    let status = answer.status.as_u16();
    assert!(status < 500, "{word:?}: {status} {}", answer.text());
    if !answer.body.is_empty() {
        let kind = answer.header("content-type");
        assert!(
            ["application/json", "application/geo+json", "text/xml"]
                .iter()
                .any(|one| kind.starts_with(one)),
            "{word:?}: {kind}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    answer.status.is_success()
}

/// The first characters, as many as a short field takes.
fn short(word: &str) -> String {
    word.chars().take(50).collect()
}

impl Doors<'_> {
    /// Portal, mailbox, SMS, Open311; how many cases that made.
    async fn residents(&self, n: usize, word: &str) -> i64 {
        let mut made = 0;
        let phone = format!("139{n:08}");
        let report = json!({
            "id": new_id(self.app), "body": word, "title": short(word), "category_code": SMELL, "area_id": EAST_GRID, "address": short(word), "name": short(word), "phone": phone,
        });
        let reported = self.people.resident.post("/api/v1/portal/reports", report).await;
        if sound(&reported, word) {
            made += 1;
            let opened = reported.json();
            let (number, code) = (&opened["number"], &opened["follow_code"]);
            let path = |what: &str| format!("/api/v1/portal/follow/{}/{what}", number.as_str().expect("a number"));
            for (what, body) in [
                ("add", json!({ "follow_code": code, "body": word })),
                ("object", json!({ "follow_code": code, "reason": word })),
                ("rate", json!({ "follow_code": code, "rating": 5, "comment": word })),
                ("withdraw", json!({ "follow_code": word, "reason": word })),
            ] {
                sound(&self.people.resident.post(&path(what), body).await, word);
            }
            let seen = self
                .people
                .resident
                .post(
                    "/api/v1/portal/follow",
                    json!({ "number": number, "follow_code": code }),
                )
                .await;
            assert!(sound(&seen, word));
        }
        let letter = json!({ "id": new_id(self.app), "body": word, "name": short(word), "phone": "13800001234" });
        let posted = self
            .people
            .resident
            .post(&format!("/api/v1/portal/mailbox/{EAST_GRID}"), letter)
            .await;
        made += i64::from(sound(&posted, word));
        let before = cases_there(self.app).await;
        sound(&sms::texts(self.app, &format!("m{n}"), &phone, word).await, word);
        // A text may be a question, an answer or a matter.
        made += cases_there(self.app).await - before;
        // A number makes it another matter than that of a word which differs in blanks only: those are one, sent twice.
        let place = format!("{word} {n}");
        let handed = self
            .partner
            .report(&[
                ("service_code", SMELL),
                ("address_id", open311::GRID_CODE),
                ("description", word),
                ("first_name", &short(word)),
                ("address_string", &place),
            ])
            .await;
        made + i64::from(sound(&handed, word))
    }

    /// From intake to the answer, with the word at each step; how many cases that made.
    async fn staff(&self, word: &str) -> i64 {
        let id = new_id(self.app);
        let report = json!({
            "id": id, "channel": "phone", "title": short(word), "body": word, "category_code": SMELL, "area_id": EAST_GRID,
            "address": short(word), "place_note": short(word), "reporter": { "name": short(word), "phone": "13800001234" },
        });
        if !sound(&self.people.clerk.post("/api/v1/cases", report).await, word) {
            return 0;
        }
        let id = id.as_str();
        let p = &self.people;
        sound(&act(&p.dispatcher, id, "comment", json!({ "body": word })).await, word);
        act(&p.environment, id, "take", json!({})).await.ok();
        sound(
            &act(&p.environment, id, "handle", json!({ "result": word })).await,
            word,
        );
        let answer = json!({ "way": "in_person", "body": word, "resident_said": word, "solved": true });
        sound(&act(&p.grid_worker, id, "answer", answer).await, word);
        sound(
            &act(&p.verifier, id, "verify", json!({ "pass": true, "note": word })).await,
            word,
        );
        let page = p.dispatcher.get(&format!("/api/v1/cases/{id}")).await;
        assert!(sound(&page, word));
        assert_eq!(page.json()["body"], word.trim(), "{word:?} is kept as it was said");
        1
    }

    /// Everything an administrator gives a name.
    async fn names(&self, word: &str) {
        let name = short(word);
        let unit: UnitId = self.app.app.new_id();
        let worker: WorkerId = self.app.app.new_id();
        let (account, partner): (AccountId, PartnerId) = (self.app.app.new_id(), self.app.app.new_id());
        let tail = &unit.to_string()[24..];
        for (who, path, body) in [
            (
                &self.personnel,
                "/api/v1/units",
                json!({ "id": unit, "code": tail, "name": name, "kind": "bureau", "body": "housing", "area_id": CITY, "office": name, "hours": name }),
            ),
            (
                &self.personnel,
                "/api/v1/workers",
                json!({ "id": worker, "name": name, "badge_no": tail, "phone": "" }),
            ),
            (
                &self.security,
                "/api/v1/accounts",
                json!({ "id": account, "login": format!("x{tail}"), "name": name, "worker_id": null, "grants": [{ "role": "clerk", "area_id": EAST, "unit_id": null }] }),
            ),
            (
                &self.security,
                "/api/v1/partners",
                json!({ "id": partner, "name": name, "purpose": word, "contact": name, "area_id": EAST, "may_report": true, "answers": "realtime" }),
            ),
        ] {
            sound(&who.post(path, body).await, word);
        }
        sound(
            &self
                .planner
                .patch(&format!("/api/v1/areas/{EAST_GRID}"), json!({ "name": name }))
                .await,
            word,
        );
    }

    /// Searching for it finds, and breaks, nothing; as part of an address it leads nowhere.
    async fn questions(&self, word: &str) {
        let q: String = form_urlencoded::byte_serialize(word.as_bytes())
            .collect::<String>()
            .replace('+', "%20");
        for path in [
            format!("/api/v1/cases?q={q}"),
            format!("/api/v1/cases/search?q={q}"),
            format!("/api/v1/cases/counts?queue=all&q={q}"),
            format!("/api/v1/cases?after={q}"),
            format!("/api/v1/cases?queue={q}&state={q}&category={q}&area={q}&sort={q}"),
            format!("/api/v1/addresses?q={q}"),
            format!("/api/v1/workers?q={q}"),
            format!("/api/v1/units?q={q}"),
            format!("/api/v1/cases/{q}"),
            format!("/api/v1/blobs/{q}"),
            format!("/api/v1/portal/badge/{q}"),
            format!("/open311/v2/requests/{q}.json"),
            format!("/open311/v2/requests.xml?service_code={q}"),
            format!("/ogc/v1/collections/areas/items?f=json&code={q}"),
        ] {
            let answer = self.people.dispatcher.get(&path).await;
            assert!(
                answer.status.as_u16() < 500,
                "{path}: {} {}",
                answer.status,
                answer.text()
            );
            assert!(!answer.text().contains("root:"), "{path}");
        }
        let page = self.people.dispatcher.get(&format!("/{q}")).await;
        assert!(
            page.status.as_u16() < 500 && !page.text().contains("root:"),
            "{word:?}: {}",
            page.status
        );
    }

    /// What others take out: no formula in a table, nothing that is not XML, JSON, GeoJSON.
    async fn lists(&self, words: &[String]) {
        for word in words {
            let sheet = csv_of(
                &["id", "title", "text", "received_at"],
                &[&short(word), &short(word), word, "2026-02-01"],
            );
            let request = self.people.dispatcher.request(Method::POST, "/api/v1/imports/cases");
            let request = request
                .header("x-wangge-client", "desk")
                .header(header::CONTENT_TYPE, "application/octet-stream");
            sound(
                &self
                    .people
                    .dispatcher
                    .raw(request.body(Body::from(sheet)).expect("a request"))
                    .await,
                word,
            );
        }
        without_formulas(
            &self.people.dispatcher,
            "/api/v1/cases/export?queue=all&reason=monthly%20report&format",
        )
        .await;
        let xml = open311::get(&self.partner.client, "requests.xml").await;
        assert!(
            xml.header("content-type").starts_with("text/xml"),
            "{}",
            xml.header("content-type")
        );
        let mut reader = quick_xml::Reader::from_reader(xml.body.as_slice());
        reader.config_mut().check_end_names = true;
        while !matches!(reader.read_event().expect("well-formed"), quick_xml::events::Event::Eof) {}
        for (who, path) in [
            (&self.people.dispatcher, "/api/v1/cases?queue=all&limit=200"),
            (&self.people.resident, "/api/v1/portal/outcomes"),
            (&self.people.resident, "/open311/v2/requests.json"),
            (&self.people.resident, "/ogc/v1/collections/areas/items?f=json"),
            (&self.people.resident, "/ogc/v1/collections/cases/items?f=json"),
            (&self.personnel, "/api/v1/units?limit=200"),
            (&self.personnel, "/api/v1/workers?limit=200"),
            (&self.security, "/api/v1/accounts?limit=200"),
            (&self.security, "/api/v1/partners?limit=200"),
        ] {
            let answer = who.get(path).await;
            assert!(sound(&answer, path), "{path}: {}", answer.text());
            answer.json();
        }
    }

    /// No word is a login, a password or a session.
    async fn nobody_gets_in(&self, words: &[String]) {
        for word in words.iter().step_by(5) {
            let answer = self
                .app
                .visitor()
                .post("/api/v1/session", json!({ "login": word, "password": word }))
                .await;
            assert!(answer.status.is_client_error(), "{word:?}: {}", answer.status);
        }
        assert_eq!(self.people.supervisor.get("/api/v1/session").await.status, 200);
    }
}

fn csv_of(head: &[&str], row: &[&str]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head).expect("a row");
    writer.write_record(row).expect("a row");
    writer.into_inner().expect("a file")
}

/// Cells that a spreadsheet program would take for a formula, blanks before them or not.
fn would_run(cell: &str) -> bool {
    let seen = cell.trim_start_matches(['\u{feff}', ' ', '\u{3000}', '\u{a0}']);
    seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '|']) && seen.parse::<f64>().is_err()
}

async fn without_formulas(dispatcher: &Client, at: &str) {
    let csv = dispatcher.get(&format!("{at}=csv")).await;
    assert_eq!(csv.status, 200, "{}", csv.text());
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(csv.body.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert!(rows.len() > 20, "{at}: {} rows", rows.len());
    for cell in rows.iter().flatten() {
        assert!(!would_run(cell), "{cell:?} would run");
    }
    let xlsx = dispatcher.get(&format!("{at}=xlsx")).await;
    assert_eq!(xlsx.status, 200, "{}", xlsx.text());
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx.body)).expect("a workbook");
    for sheet in book.sheet_names() {
        let formulas = book.worksheet_formula(&sheet).expect("a sheet");
        assert!(
            formulas.cells().all(|(_, _, formula)| formula.is_empty()),
            "a formula in {sheet}"
        );
        assert!(
            book.worksheet_range(&sheet).expect("a sheet").height() >= rows.len(),
            "{sheet}"
        );
    }
}
