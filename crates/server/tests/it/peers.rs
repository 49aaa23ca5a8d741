//! Two installations pass cases to each other over real sockets, through a line that loses, doubles, delays and disorders (PJ-13).

use crate::cases::{People, act, new_id, people};
use crate::kit::{Answer, Client, EAST, EAST_GRID, TestApp, config};
use crate::portal_photos::upload;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::Backend;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use server::platform::keys::Keys;
use server::platform::{HandoverId, HandoverMessageId, PeerId, jobs, ledger};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

const SMELL: &str = "0301";

/// A request on its way.
#[derive(Clone)]
struct Sent {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The line in front of one installation.
#[derive(Clone)]
struct Line(Arc<Mutex<Wire>>);

struct Wire {
    to: SocketAddr,
    /// Draws what happens next; 0: nothing does.
    seed: u64,
    held: Vec<Sent>,
    /// Everything that was sent.
    seen: Vec<Sent>,
    faults: usize,
}

impl Line {
    /// Opens the line to an address; its own.
    async fn open(to: SocketAddr) -> (Line, SocketAddr) {
        let wire = Wire {
            to,
            seed: 0,
            held: Vec::new(),
            seen: Vec::new(),
            faults: 0,
        };
        let line = Line(Arc::new(Mutex::new(wire)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(line.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (line, address)
    }

    fn misbehaves(&self, seed: u64) {
        self.0.lock().unwrap().seed = seed;
    }

    fn faults(&self) -> usize {
        self.0.lock().unwrap().faults
    }

    fn seen(&self) -> Vec<Sent> {
        self.0.lock().unwrap().seen.clone()
    }

    /// 0 to 7 by the seed; 7 when the line is good.
    fn draw(&self) -> u64 {
        let mut wire = self.0.lock().unwrap();
        if wire.seed == 0 {
            return 7;
        }
        wire.seed ^= wire.seed << 13;
        wire.seed ^= wire.seed >> 7;
        wire.seed ^= wire.seed << 17;
        let drawn = wire.seed % 9;
        wire.faults += usize::from(drawn < 5);
        drawn
    }

    async fn deliver(&self, sent: &Sent) -> Response {
        let to = self.0.lock().unwrap().to;
        let mut request = reqwest::Client::new().post(format!("http://{to}{}", sent.path));
        for name in ["content-type", "wangge-signature"] {
            if let Some(value) = sent.headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.body(sent.body.clone()).send().await.unwrap();
        let (status, signature) = (answer.status(), answer.headers().get("wangge-signature").cloned());
        let mut response = (status, answer.bytes().await.unwrap()).into_response();
        if let Some(signature) = signature {
            response.headers_mut().insert("wangge-signature", signature);
        }
        response
    }
}

async fn pass(State(line): State<Line>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let sent = Sent {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    line.0.lock().unwrap().seen.push(sent.clone());
    let lost = StatusCode::BAD_GATEWAY.into_response();
    match line.draw() {
        // Lost on the way; its answer lost; twice; held back; after one that was held back.
        0 => lost,
        1 => {
            line.deliver(&sent).await;
            lost
        }
        2 => {
            line.deliver(&sent).await;
            line.deliver(&sent).await
        }
        3 => {
            line.0.lock().unwrap().held.push(sent);
            lost
        }
        4 => {
            let held = line.0.lock().unwrap().held.pop();
            let answer = line.deliver(&sent).await;
            if let Some(held) = held {
                line.deliver(&held).await;
            }
            answer
        }
        _ => line.deliver(&sent).await,
    }
}

/// One installation with its people, and the line in front of it.
struct Place {
    app: TestApp,
    people: People,
    admin: Client,
    line: Line,
    /// The other one, as this one knows it.
    peer: PeerId,
}

struct Pair {
    town: Place,
    city: Place,
}

impl Pair {
    async fn new(backend: Backend) -> Pair {
        let (town, city) = (listener().await, listener().await);
        let lines = (Line::open(town.1).await, Line::open(city.1).await);
        let (to_town, to_city) = (lines.0.1, lines.1.1);
        let town = place(backend, 1, town.0, lines.0, to_city).await;
        let city = place(backend, 2, city.0, lines.1, to_town).await;
        let mut pair = Pair { town, city };
        pair.town.peer = agree(&pair.town, &pair.city, "upper", "市平台").await;
        pair.city.peer = agree(&pair.city, &pair.town, "lower", "街道平台").await;
        pair
    }

    /// Time passes on both sides and what is due is done.
    async fn later(&self, minutes: i64) {
        for place in [&self.town, &self.city] {
            place.app.advance_minutes(minutes);
            jobs::run_due(&place.app.app).await.expect("the jobs run");
        }
    }

    /// Everything that was said is heard.
    async fn settle(&self) {
        for _ in 0..60 {
            self.later(2).await;
            let mut waiting = 0;
            for place in [&self.town, &self.city] {
                let list = place.people.dispatcher.get("/api/v1/handovers?part=waiting").await.ok();
                waiting += list["items"].as_array().unwrap().len();
            }
            if waiting == 0 {
                return;
            }
        }
        panic!("messages still wait");
    }

    /// Both sides compare and find no difference, and both ledgers hold.
    async fn agrees(&self) {
        for place in [&self.town, &self.city] {
            let path = format!("/api/v1/peers/{}/compare", place.peer);
            let shown = place.admin.post(&path, json!({})).await.ok();
            let needs = place.people.dispatcher.get("/api/v1/handovers?part=needs").await.ok();
            assert_eq!(shown["agrees"], true, "{shown}\n{needs}");
            ledger::bring_up_to_date(&place.app.app).await.unwrap();
            let report = ledger::verify(&place.app.app, Vec::new(), |_, _| {}).await.unwrap();
            assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
        let figures = |place: &Place| {
            let path = "/api/v1/peers".to_owned();
            let admin = place.admin.clone();
            async move { admin.get(&path).await.ok()[0]["compared"].clone() }
        };
        let (town, city) = (figures(&self.town).await, figures(&self.city).await);
        for count in ["passed_on", "accepted", "answered", "closed", "returned", "withdrawn"] {
            assert_eq!(
                town["ours"]["out"][count], city["ours"]["in"][count],
                "{count}\n{town}\n{city}"
            );
            assert_eq!(town["ours"]["in"][count], city["ours"]["out"][count], "{count}");
            assert_eq!(town["theirs"], city["ours"]);
        }
    }

    async fn remove(self) {
        self.town.app.remove().await;
        self.city.app.remove().await;
    }
}

async fn listener() -> (tokio::net::TcpListener, SocketAddr) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn place(
    backend: Backend,
    seed: u8,
    listener: tokio::net::TcpListener,
    (line, own): (Line, SocketAddr),
    other: SocketAddr,
) -> Place {
    let mut config = config();
    config.public_url = format!("http://{own}");
    config.webhook_targets = vec![format!("http://{other}")];
    let app = TestApp::keyed(backend, config, seed).await;
    app.listen(listener);
    jobs::run_due(&app.app).await.expect("the recurring jobs are put");
    Place {
        people: people(&app).await,
        admin: app.login_as("security_admin", None).await,
        line,
        peer: app.app.new_id(),
        app,
    }
}

/// An administrator makes and confirms the agreement with the other installation.
async fn agree(here: &Place, there: &Place, relation: &str, name: &str) -> PeerId {
    let introduction = there.admin.get("/api/v1/peers/introduction").await.ok();
    let id: PeerId = here.app.app.new_id();
    let body = json!({
        "id": id, "introduction": introduction["text"], "name": name, "relation": relation, "purpose": "办理越出本级职责的诉求",
        "contact": "值班室 0580-1234567", "area_id": EAST, "categories": ["03"], "may_personal": relation == "upper", "takes": true,
    });
    let made = here.admin.post("/api/v1/peers", body.clone()).await.ok();
    assert_eq!(
        made["active"], false,
        "nothing goes before the fingerprints were compared"
    );
    here.admin.post("/api/v1/peers", body).await.ok();
    let path = format!("/api/v1/peers/{id}/confirm");
    let wrong = here.admin.post(&path, json!({ "fingerprint": "0000" })).await;
    assert_eq!(wrong.verdict(), "422 peer_fingerprint_differs");
    let typed = json!({ "fingerprint": introduction["fingerprint"] });
    assert_eq!(here.admin.post(&path, typed).await.ok()["active"], true);
    id
}

async fn each(test: impl AsyncFn(&Pair)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let pair = Pair::new(backend).await;
        test(&pair).await;
        pair.remove().await;
    }
}

/// A resident's report with a photo: its case, number and code.
async fn report(place: &Place) -> (String, String, String) {
    let photo = upload(&place.people.resident, "/api/v1/portal/uploads", 7).await;
    let id = new_id(&place.app);
    let sent = json!({
        "id": id, "body": "跨街道的河道有异味，两个街道都管不了", "category_code": SMELL, "area_id": EAST_GRID.to_string(), "name": "周女士",
        "phone": "13800001234", "attachments": [photo],
    });
    let opened = place.people.resident.post("/api/v1/portal/reports", sent).await.ok();
    let text = |key: &str| opened[key].as_str().unwrap().to_owned();
    (id, text("number"), text("follow_code"))
}

async fn pass_on(place: &Place, case: &str, personal: bool) -> Answer {
    let detail = place.people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
    let photos: Vec<&Value> = detail["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["hash"])
        .collect();
    let id: HandoverId = place.app.app.new_id();
    let body = json!({
        "id": id, "peer_id": place.peer, "purpose": "需市级协调", "photos": photos, "personal": personal, "row_version": detail["row_version"],
    });
    let path = format!("/api/v1/cases/{case}/handovers");
    place.people.dispatcher.post(&path, body).await
}

/// The newest handover of a place, as its dispatcher sees it.
async fn newest(place: &Place) -> Value {
    let list = place.people.dispatcher.get("/api/v1/handovers").await.ok();
    list["items"][0].clone()
}

async fn of_case(place: &Place, case: &str) -> Value {
    let found = place
        .people
        .dispatcher
        .get(&format!("/api/v1/cases/{case}/handovers"))
        .await
        .ok();
    found["items"][0].clone()
}

async fn does(place: &Place, handover: &Value, act: &str, text: &str) -> Answer {
    let path = format!("/api/v1/handovers/{}/acts", handover["id"].as_str().unwrap());
    let body = json!({ "act": act, "text": text });
    place.people.dispatcher.post(&path, body).await
}

async fn state(place: &Place, case: &str) -> (String, bool) {
    let detail = place.people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
    (detail["state"].as_str().unwrap().to_owned(), detail["away"] == true)
}

/// The receiving place does the work and answers, as with any case.
async fn solves(place: &Place, case: &str) {
    place_it(place, case).await;
    let people = &place.people;
    act(&people.environment, case, "take", json!({})).await;
    let done = json!({ "result": "已清淤" });
    act(&people.environment, case, "handle", done).await.ok();
    let answer = json!({ "way": "written", "body": "已清淤，异味消除。" });
    act(&people.environment, case, "answer", answer).await.ok();
}

/// What the ordinary intake could not place by itself, a dispatcher does.
async fn place_it(place: &Place, case: &str) {
    let known = json!({ "category": SMELL, "area_id": EAST_GRID.to_string() });
    if state(place, case).await.0 == "received" {
        act(&place.people.dispatcher, case, "classify", known).await;
    }
    if state(place, case).await.0 == "received" {
        act(&place.people.dispatcher, case, "accept", json!({})).await;
    }
    if state(place, case).await.0 == "accepted" {
        act(&place.people.dispatcher, case, "route", json!({ "auto": true })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_up_is_answered_contested_and_closed_and_the_resident_has_one_number() {
    each(async |pair| {
        let (town, city) = (&pair.town, &pair.city);
        let (case, number, code) = report(town).await;
        let shown = pass_on(town, &case, false).await.ok();
        assert_eq!(shown["items"][0]["phase"], "offered");
        assert_eq!(state(town, &case).await, ("handling".into(), true));
        let follow = json!({ "number": number, "follow_code": code });
        let told = town
            .people
            .resident
            .post("/api/v1/portal/follow", follow.clone())
            .await
            .ok();
        let plain = told["plain_text"].as_str().unwrap();
        assert!(plain.contains("市平台") && told["due_at"].is_string(), "{told}");
        let held = act(&town.people.environment, &case, "handle", json!({ "result": "x" })).await;
        assert_eq!(held.verdict(), "422 case_away", "nobody works on it here meanwhile");

        pair.settle().await;
        let taken = newest(city).await;
        assert_eq!((&taken["role"], &taken["peer_number"]), (&json!("in"), &json!(number)));
        let there = taken["case_id"].as_str().unwrap().to_owned();
        place_it(city, &there).await;
        let detail = city.people.dispatcher.get(&format!("/api/v1/cases/{there}")).await.ok();
        assert_eq!(detail["channel"], "peer");
        assert!(
            detail["reports"][0]["reporter"].is_null(),
            "who reported did not travel: {detail}"
        );
        for sent in city.line.seen() {
            let text = String::from_utf8_lossy(&sent.body).into_owned();
            assert!(!text.contains("13800001234") && !text.contains("周女士"), "{text}");
        }
        pair.settle().await;
        let detail = city.people.dispatcher.get(&format!("/api/v1/cases/{there}")).await.ok();
        assert_eq!(
            detail["attachments"].as_array().unwrap().len(),
            1,
            "the photo was fetched: {detail}"
        );
        let here = of_case(town, &case).await;
        assert_eq!(
            (&here["phase"], &here["peer_number"]),
            (&json!("accepted"), &detail["number"]),
            "{here}"
        );

        // More is asked for and given, then answered.
        does(city, &taken, "ask", "哪一段河道？").await.ok();
        pair.settle().await;
        let needs = town.people.dispatcher.get("/api/v1/handovers?part=needs").await.ok();
        assert_eq!(needs["items"][0]["asks"], true, "{needs}");
        does(town, &here, "supply", "东港桥以北两百米").await.ok();
        pair.settle().await;
        assert_eq!(newest(city).await["asks"], false);
        solves(city, &there).await;
        pair.settle().await;
        assert_eq!(state(town, &case).await, ("handled".into(), false));
        let answer = json!({ "way": "in_person", "body": "市里已清淤，异味消除。" });
        act(&town.people.grid_worker, &case, "answer", answer.clone())
            .await
            .ok();

        // The resident objects at the origin; it is worked on there again.
        let objection = json!({ "follow_code": code, "reason": "还有异味" });
        let path = format!("/api/v1/portal/follow/{number}/object");
        town.people.resident.post(&path, objection).await.ok();
        assert_eq!(state(town, &case).await, ("handling".into(), true));
        pair.settle().await;
        assert_eq!(state(city, &there).await.0, "handling");
        assert_eq!(newest(city).await["rounds"], 1);
        solves(city, &there).await;
        pair.settle().await;
        act(&town.people.grid_worker, &case, "answer", answer).await.ok();
        let own = act(&town.people.dispatcher, &case, "verify", json!({ "pass": true })).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN);
        act(&town.people.verifier, &case, "verify", json!({ "pass": true }))
            .await
            .ok();
        act(&town.people.verifier, &case, "close", json!({})).await.ok();
        pair.settle().await;
        assert_eq!(of_case(town, &case).await["phase"], "closed");
        assert_eq!(state(city, &there).await.0, "verified", "a person closes it there");
        act(&city.people.verifier, &there, "close", json!({})).await.ok();
        pair.agrees().await;

        // The log of what was shared, for those who may see the case and for nobody else.
        let log = town
            .people
            .dispatcher
            .get(&format!("/api/v1/handovers/{}", here["id"].as_str().unwrap()))
            .await
            .ok();
        let first = &log["messages"][0];
        assert_eq!(
            (&first["verb"], &first["state"], &first["photos"]),
            (&json!("pass_on"), &json!("done"), &json!(1))
        );
        assert!(
            !first["fields"].as_array().unwrap().contains(&json!("诉求人姓名和电话")),
            "{first}"
        );
        let absent: HandoverId = town.app.app.new_id();
        let west = &town.people.west;
        let foreign = west
            .get(&format!("/api/v1/handovers/{}", here["id"].as_str().unwrap()))
            .await;
        let nothing = west.get(&format!("/api/v1/handovers/{absent}")).await;
        assert_eq!((foreign.status, &foreign.body), (StatusCode::NOT_FOUND, &nothing.body));
        assert_eq!(west.get("/api/v1/handovers").await.ok()["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_down_comes_back_to_a_dispatcher_and_who_reported_goes_only_where_agreed() {
    each(async |pair| {
        let (town, city) = (&pair.town, &pair.city);
        // Down: returned by the town with a reason.
        let (case, ..) = report(city).await;
        let refused = pass_on(city, &case, true).await;
        assert_eq!(refused.verdict(), "422 peer_not_personal");
        pass_on(city, &case, false).await.ok();
        pair.settle().await;
        let taken = newest(town).await;
        let chain = pass_on(town, taken["case_id"].as_str().unwrap(), false).await;
        assert_eq!(chain.verdict(), "422 handover_chain");
        does(town, &taken, "hand_back", "不在本街道").await.ok();
        pair.settle().await;
        assert_eq!(
            state(city, &case).await,
            ("accepted".into(), false),
            "a dispatcher has it again"
        );
        assert_eq!(of_case(city, &case).await["phase"], "returned");
        // Taken back while the other side works on it.
        pass_on(city, &case, false).await.ok();
        pair.settle().await;
        let here = of_case(city, &case).await;
        let there = newest(town).await["case_id"].as_str().unwrap().to_owned();
        does(city, &here, "withdraw", "已自行解决").await.ok();
        assert_eq!(state(city, &case).await, ("accepted".into(), false));
        pair.settle().await;
        assert_eq!(state(town, &there).await.0, "withdrawn");

        // Up, with who reported: only by somebody who may see it, and it is written down.
        let (case, ..) = report(town).await;
        let peers = town
            .people
            .dispatcher
            .get(&format!("/api/v1/cases/{case}/handovers"))
            .await
            .ok();
        assert_eq!(peers["peers"][0]["refusal"], Value::Null);
        pass_on(town, &case, true).await.ok();
        pair.settle().await;
        let taken = newest(city).await;
        assert_eq!(taken["personal"], true);
        let there = taken["case_id"].as_str().unwrap().to_owned();
        let detail = city
            .people
            .dispatcher
            .get(&format!("/api/v1/cases/{there}?purpose=dispatch"))
            .await
            .ok();
        assert!(detail["reports"][0]["reporter"]["phone_masked"].is_string(), "{detail}");
        let outbox = city.people.supervisor.get("/api/v1/outbox").await;
        assert!(
            !outbox.text().contains(detail["number"].as_str().unwrap()),
            "only the origin tells the resident"
        );
        // A kind of matter that was not agreed on.
        let id = new_id(&town.app);
        let roof = json!({ "id": id, "body": "屋顶漏水", "category_code": "0201", "area_id": EAST_GRID.to_string() });
        town.people.resident.post("/api/v1/portal/reports", roof).await.ok();
        let other = pass_on(town, &id, false).await;
        assert_eq!(other.verdict(), "422 peer_not_this_category");
        pair.agrees().await;
    })
    .await;
}

/// The town's own key, for messages nobody there sent.
fn signed(seed: u8, kind: &str, text: &str) -> String {
    let key = Keys::from_master([seed; 32]).peer_signing();
    let bytes = format!("wangge-peer-1 {kind}\n{text}");
    STANDARD.encode(key.sign(bytes.as_bytes()).to_bytes())
}

async fn send(place: &Place, signature: &str, text: &str) -> (StatusCode, Value) {
    let mut headers = HeaderMap::new();
    headers.insert("wangge-signature", signature.parse().unwrap());
    headers.insert("content-type", "application/json".parse().unwrap());
    let sent = Sent {
        path: "/peer/v1/messages".into(),
        headers,
        body: Bytes::copy_from_slice(text.as_bytes()),
    };
    let answer = place.line.deliver(&sent).await;
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_altered_replayed_and_stale_messages_do_nothing() {
    each(async |pair| {
        let (town, city) = (&pair.town, &pair.city);
        let (case, ..) = report(town).await;
        pass_on(town, &case, false).await.ok();
        pair.settle().await;
        let sent = city
            .line
            .seen()
            .into_iter()
            .find(|sent| sent.path.ends_with("messages"))
            .unwrap();
        let text = String::from_utf8(sent.body.to_vec()).unwrap();
        let signature = sent.headers["wangge-signature"].to_str().unwrap().to_owned();
        let count = async || {
            let list = city.people.dispatcher.get("/api/v1/handovers").await.ok();
            list["items"].as_array().unwrap().len()
        };

        // The same again: the same answer, no second case.
        let (first, again) = (send(city, &signature, &text).await, send(city, &signature, &text).await);
        assert_eq!((first.0, &first.1), (StatusCode::OK, &again.1));
        // Altered on the way; altered by the sender under the same id; to another platform; by an unknown key.
        let altered = text.replace("两个街道", "三个街道");
        assert_eq!(send(city, &signature, &altered).await.1["code"], "peer_signature_wrong");
        let refused = send(city, &signed(1, "message", &altered), &altered).await;
        assert_eq!(
            (refused.0, &refused.1["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("peer_message_altered"))
        );
        let replayed = send(town, &signature, &text).await;
        assert_eq!(replayed.1["code"], "peer_unknown");
        let elsewhere = text.replace(text_of(&text, "to").as_str(), "00000000000000000000000000000000");
        assert_eq!(
            send(city, &signed(1, "message", &elsewhere), &elsewhere).await.1["code"],
            "peer_not_for_us"
        );
        assert_eq!(
            send(city, &signed(9, "message", &text), &text).await.1["code"],
            "peer_signature_wrong"
        );
        // As an answer it is signed for nothing else; out of turn; with a number that was used.
        assert_eq!(
            send(city, &signed(1, "answer", &text), &text).await.1["code"],
            "peer_signature_wrong"
        );
        let mut later: Value = serde_json::from_str(&text).unwrap();
        let id: HandoverMessageId = town.app.app.new_id();
        (later["id"], later["verb"], later["seq"]) = (json!(id), json!("withdraw"), json!(7));
        let later_text = later.to_string();
        let early = send(city, &signed(1, "message", &later_text), &later_text).await;
        assert_eq!((early.0, &early.1["expected"]), (StatusCode::CONFLICT, &json!(2)));
        later["verb"] = json!("pass_on");
        later["seq"] = json!(1);
        let used = later.to_string();
        assert_eq!(
            send(city, &signed(1, "message", &used), &used).await.1["code"],
            "peer_number_used"
        );
        assert_eq!(count().await, 1);

        // What was refused is shown to the administrator.
        let log = city
            .admin
            .get(&format!("/api/v1/peers/{}/refusals", city.peer))
            .await
            .ok();
        let codes: Vec<&str> = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["code"].as_str().unwrap())
            .collect();
        assert!(
            codes.contains(&"peer_message_altered") && codes.contains(&"peer_number_used"),
            "{codes:?}"
        );
        pair.agrees().await;

        // An agreement that ended: nothing is taken, what waits is shown.
        city.admin
            .post(&format!("/api/v1/peers/{}/end", city.peer), json!({}))
            .await
            .ok();
        assert_eq!(send(city, &signature, &text).await.1["code"], "peer_unknown");
        does(town, &of_case(town, &case).await, "supply", "补充").await.ok();
        pair.later(1).await;
        let waiting = town.people.dispatcher.get("/api/v1/handovers?part=waiting").await.ok();
        assert_eq!(waiting["items"][0]["waiting"], 1, "{waiting}");
    })
    .await;
}

fn text_of(text: &str, key: &str) -> String {
    serde_json::from_str::<Value>(text).unwrap()[key]
        .as_str()
        .unwrap()
        .to_owned()
}

/// One thing somebody does on either side, by chance; refusals are part of it.
async fn something(pair: &Pair, cases: &[(String, bool)], drawn: u64) {
    let (case, up) = &cases[(drawn as usize / 16) % cases.len()];
    let (origin, receiver) = if *up {
        (&pair.town, &pair.city)
    } else {
        (&pair.city, &pair.town)
    };
    let here = of_case(origin, case).await;
    let (people, other) = (&origin.people, &receiver.people);
    let list = other.dispatcher.get("/api/v1/handovers?part=in&limit=200").await.ok();
    let there = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|h| h["id"] == here["id"])
        .cloned();
    let far = there.as_ref().map(|h| h["case_id"].as_str().unwrap().to_owned());
    let answer = json!({ "way": "in_person", "body": "已办" });
    match (drawn % 16, there, far) {
        (0, ..) => drop(pass_on(origin, case, false).await),
        (1, ..) if !here.is_null() => drop(does(origin, &here, "supply", "补充情况").await),
        (2, ..) if !here.is_null() => drop(does(origin, &here, "withdraw", "自行办理").await),
        (3, ..) => drop(act(&people.grid_worker, case, "answer", answer).await),
        (4, ..) => drop(
            act(
                &people.verifier,
                case,
                "verify",
                json!({ "pass": false, "note": "还有" }),
            )
            .await,
        ),
        (5, ..) => {
            act(&people.grid_worker, case, "answer", answer).await;
            act(&people.verifier, case, "verify", json!({ "pass": true })).await;
            drop(act(&people.verifier, case, "close", json!({})).await);
        }
        (6, ..) => drop(act(&people.dispatcher, case, "reopen", json!({ "reason": "又有了" })).await),
        (7, ..) if !here.is_null() => drop(does(origin, &here, "send_again", "").await),
        (8, Some(there), _) => drop(does(receiver, &there, "ask", "在哪里").await),
        (9, Some(there), _) => drop(does(receiver, &there, "progress", "正在办").await),
        (10, Some(there), _) => drop(does(receiver, &there, "hand_back", "不归我们").await),
        (11 | 12, _, Some(far)) => place_it(receiver, &far).await,
        (_, _, Some(far)) => {
            act(&other.environment, &far, "take", json!({})).await;
            act(&other.environment, &far, "handle", json!({ "result": "已办" })).await;
            drop(
                act(
                    &other.environment,
                    &far,
                    "answer",
                    json!({ "way": "written", "body": "已办" }),
                )
                .await,
            );
        }
        _ => drop(pass_on(origin, case, false).await),
    }
}

/// Clause PJ-13
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_line_does_both_sides_agree_in_the_end_and_both_ledgers_hold() {
    each(async |pair| {
        let mut cases = Vec::new();
        for n in 0..6 {
            let up = n % 2 == 0;
            let (case, ..) = report(if up { &pair.town } else { &pair.city }).await;
            pass_on(if up { &pair.town } else { &pair.city }, &case, false)
                .await
                .ok();
            cases.push((case, up));
        }
        pair.town.line.misbehaves(0x5eed_0001);
        pair.city.line.misbehaves(0x5eed_0002);
        let mut drawn = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..40 {
            drawn ^= drawn << 13;
            drawn ^= drawn >> 7;
            drawn ^= drawn << 17;
            something(pair, &cases, drawn).await;
            pair.later(1).await;
        }
        let faults = pair.town.line.faults() + pair.city.line.faults();
        assert!(faults > 20, "the line was too good: {faults}");
        for line in [&pair.town.line, &pair.city.line] {
            line.misbehaves(0);
        }
        pair.settle().await;
        pair.agrees().await;
        // One handover here is one case there: nothing was doubled.
        for place in [&pair.town, &pair.city] {
            let list = place
                .people
                .dispatcher
                .get("/api/v1/handovers?part=in&limit=200")
                .await
                .ok();
            let mut cases: Vec<&str> = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|h| h["case_id"].as_str().unwrap())
                .collect();
            let all = cases.len();
            cases.sort_unstable();
            cases.dedup();
            assert!(all > 0 && cases.len() == all);
        }
    })
    .await;
}
