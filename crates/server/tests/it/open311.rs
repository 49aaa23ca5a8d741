//! Open311 GeoReport v2 over HTTP, in both formats, on both databases: what other systems hand in and read, and what they never get.

use crate::bare::Bare;
use crate::cases::{People, SMELL, act, people};
use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use domain::geo::Datum;
use quick_xml::events::Event;
use serde_json::{Value, json};
use server::cases::public;
use server::exchange::requests311::Source;
use server::platform::{AreaId, CaseId, Ctx, Mark, PartnerId, Subject};
use server::territory::features::MapFile;
use server::{cli, policy, territory};
use std::collections::BTreeSet;

const EAST_CODE: &str = "330902001";
const WEST_CODE: &str = "330902002";
pub const GRID_CODE: &str = "330902001001001";
/// A kind that is not public: housing market and deeds.
const DEEDS: &str = "0105";

/// Another system: its key and where it calls from.
pub struct Peer {
    pub client: Client,
    key: String,
    id: PartnerId,
}

/// Makes a partner through the administrator's API.
pub async fn peer(app: &TestApp, area: Option<AreaId>, answers: &str) -> Peer {
    let admin = app.login_as("security_admin", None).await;
    let id: PartnerId = app.app.new_id();
    let body = json!({
        "id": id, "name": "邻市城管", "purpose": "把居民在邻市应用里报的问题转来", "contact": "值班室", "area_id": area, "may_report": true,
        "may_update": true, "answers": answers,
    });
    let made = admin.post("/api/v1/partners", body.clone()).await.ok();
    let key = made["key"].as_str().expect("the key, this once").to_owned();
    let again = admin.post("/api/v1/partners", body).await.ok();
    assert!(again["key"].is_null(), "the key is told once");
    Peer {
        client: app.visitor(),
        key,
        id,
    }
}

pub async fn get(client: &Client, path: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/open311/v2/{path}"));
    client.raw(request.body(Body::empty()).expect("a request")).await
}

async fn post(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let request = client
        .request(Method::POST, &format!("/open311/v2/{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    client.raw(request.body(Body::from(body)).expect("a request")).await
}

impl Peer {
    /// Hands a request in, with the key.
    pub async fn report(&self, more: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![("api_key", self.key.as_str())];
        pairs.extend(more);
        post(&self.client, "requests.json", &pairs).await
    }

    /// A smell in the grid; its number.
    async fn smell(&self, words: &str) -> String {
        let answer = self
            .report(&[
                ("service_code", SMELL),
                ("address_id", GRID_CODE),
                ("description", words),
            ])
            .await;
        number(&answer)
    }

    async fn update(&self, more: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![("api_key", self.key.as_str())];
        pairs.extend(more);
        post(&self.client, "servicerequestupdates.json", &pairs).await
    }
}

fn number(answer: &Answer) -> String {
    let said = answer.ok();
    said[0]["service_request_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

async fn case_of(app: &TestApp, number: &str) -> String {
    let (ctx, number) = (Ctx::system(&app.app, "test"), number.to_owned());
    let found = app.app.read(&ctx, move |_, tx| public::by_number(tx, &number)).await;
    found.unwrap().expect("the case").to_string()
}

async fn cases_there(app: &TestApp) -> usize {
    let ctx = Ctx::system(&app.app, "test");
    let count = app.app.read(&ctx, |_, tx| {
        Ok(tx.query_one("select count(*) from cases", &[])?.get::<i64>(0)?)
    });
    usize::try_from(count.await.unwrap()).unwrap()
}

/// From assigned to closed, by the people whose turn it is.
async fn close(people: &People, case: &str) {
    act(&people.environment, case, "take", json!({})).await.ok();
    act(
        &people.environment,
        case,
        "handle",
        json!({ "result": "已责令停止直排" }),
    )
    .await
    .ok();
    let answer = json!({ "way": "in_person", "body": "已停止直排，联系电话13900002222。", "resident_said": "好", "solved": true });
    act(&people.grid_worker, case, "answer", answer).await.ok();
}

async fn verify(people: &People, case: &str) {
    act(
        &people.verifier,
        case,
        "verify",
        json!({ "pass": true, "note": "属实" }),
    )
    .await
    .ok();
    act(&people.verifier, case, "close", json!({})).await.ok();
}

/// Two towns side by side that share an edge.
async fn boundaries(app: &TestApp) {
    let town = |code: &str, west: f64, east: f64| {
        json!({ "type": "Feature", "properties": { "code": code }, "geometry": { "type": "Polygon",
            "coordinates": [[[west, 29.8], [east, 29.8], [east, 30.0], [west, 30.0], [west, 29.8]]] } })
    };
    let all = json!({ "type": "FeatureCollection", "features": [town(EAST_CODE, 122.1, 122.2), town(WEST_CODE, 122.2, 122.3)] });
    let ctx = Ctx::system(&app.app, "test");
    let report = territory::import_boundaries(
        &ctx,
        MapFile::new("all", all.to_string()),
        Datum::parse("wgs84").unwrap(),
        false,
    )
    .await;
    assert_eq!(report.unwrap().boundaries, 2);
}

// ---- both formats

#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Reads XML with a reader of its own.
fn parse(text: &str) -> Element {
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>"), "{text}");
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Start(tag) => open.push(Element {
                name: tag.name().as_ref().to_owned(),
                ..Element::default()
            }),
            Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                open.last_mut().unwrap().children.push(Element {
                    name,
                    ..Element::default()
                });
            }
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            Event::Text(piece) => open.last_mut().unwrap().text += &piece,
            Event::GeneralRef(name) => {
                open.last_mut().unwrap().text += match name.as_ref() {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    other => panic!("&{other};"),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    open.pop()
        .unwrap()
        .children
        .pop()
        .unwrap_or_else(|| panic!("no root: {text}"))
}

/// Whether an element says what a JSON value says.
fn same(xml: &Element, json: &Value) {
    match json {
        Value::Null => assert!(xml.children.is_empty() && xml.text.is_empty(), "{xml:?}"),
        Value::Array(items) => {
            assert_eq!(xml.children.len(), items.len(), "{xml:?} {json}");
            let names: BTreeSet<&str> = xml.children.iter().map(|child| child.name.as_str()).collect();
            assert!(names.len() <= 1, "a list has children of one name: {names:?}");
            xml.children
                .iter()
                .zip(items)
                .for_each(|(child, item)| same(child, item));
        }
        Value::Object(fields) => {
            assert_eq!(xml.children.len(), fields.len(), "{xml:?} {json}");
            for child in &xml.children {
                same(
                    child,
                    fields
                        .get(&child.name)
                        .unwrap_or_else(|| panic!("no {} in {json}", child.name)),
                );
            }
        }
        Value::String(text) => assert_eq!(&xml.text, text),
        other => assert_eq!(xml.text, other.to_string()),
    }
}

/// The JSON of a call, after its XML was found to say the same.
async fn both(client: &Client, call: &str, query: &str, root: &str) -> Value {
    let xml = get(client, &format!("{call}.xml{query}")).await;
    let json = get(client, &format!("{call}.json{query}")).await;
    assert_eq!(xml.status, json.status, "{call}{query}");
    assert_eq!(xml.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(json.header("content-type"), "application/json; charset=utf-8");
    let (read, said) = (parse(&xml.text()), json.json());
    assert_eq!(
        read.name,
        if xml.status.is_success() { root } else { "errors" },
        "{call}{query}"
    );
    same(&read, &said);
    said
}

/// The pack with questions that go with a smell.
async fn with_questions(app: &TestApp) {
    let mut files = policy::shipped("zhoushan").unwrap();
    let text = files.get_mut("categories.toml").unwrap();
    let questions = "code = \"0301\"\nattributes = [\n\
        { code = \"SINCE\", type = \"datetime\", name = \"何时开始\", en = \"Since when\" },\n\
        { code = \"KIND\", type = \"one_of\", name = \"哪种\", en = \"Which\", required = true, values = [{ key = \"oil\", name = \"油烟\" }, { key = \"glue\", name = \"胶水\" }] },\n\
        { code = \"WHEN\", type = \"any_of\", name = \"时段\", values = [{ key = \"am\", name = \"上午\" }, { key = \"pm\", name = \"下午\" }] },\n\
        { code = \"FLOOR\", type = \"number\", name = \"楼层\" },\n\
        { code = \"NOTE\", type = \"string\", name = \"备注\" },\n\
        { code = \"SAY\", type = \"shown\", name = \"闻到燃气味请先拨打抢修电话\" },\n]";
    assert!(text.contains("code = \"0301\""));
    *text = text.replacen("code = \"0301\"", questions, 1);
    policy::adopt(&app.app, files, None)
        .await
        .expect("the pack with questions");
}

#[tokio::test]
async fn every_call_says_the_same_in_both_formats() {
    each_backend(async |app| {
        let people = people(app).await;
        with_questions(app).await;
        let peer = peer(app, None, "realtime").await;
        let asked: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "油烟 & <b>很呛</b> 🕳️"),
            ("attribute[KIND]", "oil"),
            ("attribute[FLOOR]", "3"),
            ("attribute[NOTE]", "门口"),
        ];
        let first = number(&peer.report(asked).await);
        let id = case_of(app, &first).await;
        close(&people, &id).await;

        let found = both(&peer.client, "discovery", "", "discovery").await;
        assert_eq!(
            found["endpoints"][0]["specification"],
            "http://wiki.open311.org/GeoReport_v2"
        );
        assert_eq!(
            found["endpoints"][0]["formats"],
            json!(["text/xml; charset=utf-8", "application/json; charset=utf-8"])
        );
        let services = both(&peer.client, "services", "", "services").await;
        let smell = services
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["service_code"] == SMELL)
            .unwrap()
            .clone();
        assert_eq!(
            (
                smell["type"].as_str(),
                smell["metadata"].as_bool(),
                smell["group"].as_str()
            ),
            (Some("realtime"), Some(true), Some("Environment")),
            "{smell}"
        );
        assert!(
            !services.to_string().contains(&format!("\"{DEEDS}\"")),
            "a kind that is not public is no service"
        );
        let definition = both(&peer.client, "services/0301", "", "service_definition").await;
        let kind = definition["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|a| a["code"] == "KIND")
            .unwrap()
            .clone();
        assert_eq!(
            (
                kind["datatype"].as_str(),
                kind["required"].as_bool(),
                kind["order"].as_i64()
            ),
            (Some("singlevaluelist"), Some(true), Some(2))
        );
        assert_eq!(kind["values"][0], json!({ "key": "oil", "name": "油烟" }));
        both(&peer.client, "services/0302", "", "service_definition").await;

        for query in ["", "?extensions=true", "?status=open", "?page_size=1&page=1"] {
            let listed = both(&peer.client, "requests", query, "service_requests").await;
            assert_eq!(listed[0]["service_request_id"], first.as_str(), "{query}");
        }
        let one = both(
            &peer.client,
            &format!("requests/{first}"),
            "?extensions=true",
            "service_requests",
        )
        .await;
        let one = &one[0];
        assert_eq!(one["status"], "open", "answered is not yet checked");
        assert_eq!(one["status_notes"], "已停止直排，联系电话…。");
        assert_eq!(one["description"], "油烟 & <b>很呛</b> 🕳️");
        assert_eq!(one["agency_responsible"], "生态环境局");
        assert_eq!(one["address_id"], GRID_CODE);
        assert_eq!(one["requested_datetime"], "2026-02-14T10:00:00+08:00");
        assert!(
            one["zipcode"].is_null() && one["expected_datetime"].is_string(),
            "{one}"
        );
        let answers: Vec<&str> = one["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|a| a["code"].as_str())
            .collect();
        assert_eq!(answers, ["KIND", "FLOOR"], "what was typed freely stays inside");
        assert!(
            one["notes"]
                .as_array()
                .unwrap()
                .iter()
                .any(|note| note["type"] == "answered"),
            "{one}"
        );

        verify(&people, &id).await;
        let closed = both(&peer.client, &format!("requests/{first}"), "", "service_requests").await;
        assert_eq!(
            (closed[0]["status"].as_str(), closed[0]["expected_datetime"].is_null()),
            (Some("closed"), true)
        );
        app.advance_minutes(2);
        let window = "?start_date=2026-02-14T09:00:00%2B08:00&end_date=2026-02-14T10:02:00%2B08:00";
        let changes = both(&peer.client, "servicerequestupdates", window, "service_request_updates").await;
        assert_eq!(changes.as_array().unwrap().last().unwrap()["status"], "closed");

        // What is handed in is answered in both as well.
        for (call, pairs) in [
            ("requests.xml", asked),
            (
                "servicerequestupdates.xml",
                &[
                    ("service_request_id", first.as_str()),
                    ("update_id", "7"),
                    ("status", "REOPEN"),
                    ("updated_datetime", "2026-02-14T10:00:00Z"),
                    ("description", "又有了"),
                ],
            ),
        ] {
            let mut pairs = pairs.to_vec();
            pairs.push(("api_key", &peer.key));
            let xml = post(&peer.client, call, &pairs).await;
            let json = post(&peer.client, &call.replace(".xml", ".json"), &pairs).await;
            same(&parse(&xml.text()), &json.ok());
        }
        let again = both(&peer.client, &format!("requests/{first}"), "", "service_requests").await;
        assert_eq!(again[0]["status"], "open", "the resident objected through the partner");
        let token = both(&peer.client, "tokens/none", "", "service_requests").await;
        assert_eq!(token[0]["code"], 404);
    })
    .await;
}

/// Each refusal has its status, in both formats, in the caller's language.
#[tokio::test]
async fn refusals_are_right_in_both_formats() {
    each_backend(async |app| {
        let peer = peer(app, None, "realtime").await;
        let ninety = "start_date=2025-11-16T10:00:00Z&end_date=2026-02-14T10:00:00Z";
        for (call, query, status) in [
            ("services", "?jurisdiction_id=99", 404),
            ("services/0301", "?jurisdiction_id=99", 404),
            ("services/9999", "", 404),
            ("services/0105", "", 404),
            ("requests", "?jurisdiction_id=99", 404),
            ("requests/ZS20260214-99999", "", 404),
            ("requests/%3Cscript%3E", "", 404),
            ("tokens/abc", "", 404),
            ("nothing", "", 404),
            ("requests", "?start_date=2026-02-14", 400),
            ("requests", "?start_date=2026-02-14T10:00:00", 400),
            (
                "requests",
                "?start_date=2026-02-14T10:00:00Z&end_date=2026-02-13T10:00:00Z",
                400,
            ),
            ("requests", "?status=done", 400),
            ("requests", "?page=0", 400),
            ("requests", "?page_size=1001", 400),
            ("requests", "?page=x", 400),
            ("requests", "?lat=30", 400),
            ("requests", "?lat=99&long=122", 400),
            ("servicerequestupdates", "", 400),
            ("servicerequestupdates", "?start_date=2026-02-14T10:00:00Z", 400),
            (
                "servicerequestupdates",
                "?start_date=2026-02-14T01:00:00Z&end_date=2026-02-14T03:00:00Z",
                400,
            ),
        ] {
            let said = both(&peer.client, call, query, "").await;
            assert_eq!(said[0]["code"], status, "{call}{query}: {said}");
            assert!(said[0]["description"].as_str().unwrap().is_ascii(), "{said}");
        }
        assert_eq!(get(&peer.client, &format!("requests.json?{ninety}")).await.status, 200);
        let request = peer
            .client
            .request(Method::GET, "/open311/v2/services/9999.json")
            .header(header::ACCEPT_LANGUAGE, "zh-CN");
        let mut request = request.body(Body::empty()).unwrap();
        request
            .headers_mut()
            .insert(header::ACCEPT_LANGUAGE, "zh-CN".parse().unwrap());
        assert_eq!(
            peer.client.raw(request).await.json()[0]["description"],
            "没有这项服务（service_code）。"
        );

        for path in ["services.yaml", "services", "requests.", "requests.xml.json"] {
            let answer = get(&peer.client, path).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        for (method, path, allow) in [
            (Method::PUT, "requests.json", "GET, HEAD, POST"),
            (Method::DELETE, "requests/1.xml", "GET, HEAD"),
            (Method::POST, "services.xml", "GET, HEAD"),
            (Method::POST, "discovery.json", "GET, HEAD"),
        ] {
            let request = peer.client.request(method, &format!("/open311/v2/{path}"));
            let answer = peer.client.raw(request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allow), "{path}");
        }

        let good: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "呛"),
        ];
        let without = |name: &str| good.iter().filter(|(n, _)| *n != name).copied().collect::<Vec<_>>();
        for (pairs, status) in [
            (without("service_code"), 400),
            (without("address_id"), 400),
            (
                [&without("service_code")[..], &[("service_code", "9999")]].concat(),
                404,
            ),
            ([&without("service_code")[..], &[("service_code", DEEDS)]].concat(), 404),
            ([good, &[("jurisdiction_id", "99")]].concat(), 404),
            ([good, &[("lat", "30")]].concat(), 400),
            ([good, &[("media_url", "ftp://a/b")]].concat(), 400),
            ([good, &[("media_url", "data:image/png;base64,AAAA")]].concat(), 400),
            ([good, &[("phone", "12")]].concat(), 400),
            ([&without("address_id")[..], &[("address_id", "77")]].concat(), 400),
        ] {
            let answer = peer.report(&pairs).await;
            assert_eq!(answer.status, status, "{pairs:?} {}", answer.text());
            let mut pairs = pairs;
            pairs.push(("api_key", &peer.key));
            let xml = post(&peer.client, "requests.xml", &pairs).await;
            same(&parse(&xml.text()), &answer.json());
        }
        let json = peer
            .client
            .request(Method::POST, "/open311/v2/requests.json")
            .header(header::CONTENT_TYPE, "application/json");
        let json = json
            .body(Body::from(json!({ "api_key": peer.key }).to_string()))
            .unwrap();
        assert_eq!(peer.client.raw(json).await.status, 400);
        assert_eq!(cases_there(app).await, 0, "nothing was opened");
    })
    .await;
}

#[tokio::test]
async fn an_empty_parameter_is_an_absent_one() {
    each_backend(async |app| {
        people(app).await;
        let peer = peer(app, None, "realtime").await;
        let empty = [
            "jurisdiction_id",
            "lat",
            "long",
            "address_string",
            "email",
            "device_id",
            "account_id",
            "first_name",
            "last_name",
            "phone",
            "media_url",
            "attribute[KIND]",
        ];
        let mut pairs: Vec<(&str, &str)> = empty.iter().map(|name| (*name, "")).collect();
        pairs.extend([("service_code", SMELL), ("address_id", GRID_CODE), ("description", " ")]);
        let number = number(&peer.report(&pairs).await);
        for name in [
            "jurisdiction_id",
            "service_request_id",
            "service_code",
            "start_date",
            "end_date",
            "status",
            "page",
            "page_size",
            "lat",
            "long",
            "extensions",
            "api_key",
        ] {
            let listed = get(&peer.client, &format!("requests.json?{name}=")).await.ok();
            assert_eq!(listed[0]["service_request_id"], number.as_str(), "{name}");
        }
        let without_words = get(&peer.client, &format!("requests/{number}.json")).await.ok();
        assert_eq!(
            without_words[0]["description"], "大气污染与异味",
            "the service's own name"
        );
        assert_eq!(
            get(&peer.client, "services.json?lat=&long=&jurisdiction_id=")
                .await
                .ok(),
            get(&peer.client, "services.json").await.ok()
        );
    })
    .await;
}

#[tokio::test]
async fn filters_narrow_and_a_list_of_ids_overrides_them() {
    each_backend(async |app| {
        let people = people(app).await;
        let peer = peer(app, None, "realtime").await;
        let open = peer.smell("甲").await;
        let done = peer.smell("乙").await;
        let id = case_of(app, &done).await;
        close(&people, &id).await;
        verify(&people, &id).await;
        let far = peer
            .report(&[
                ("service_code", "0302"),
                ("address_string", "西陵街道"),
                ("description", "丙"),
                ("lat", "29.95"),
                ("long", "122.25"),
            ])
            .await;
        let far = number(&far);
        let listed = async |query: &str| {
            let said = get(&peer.client, &format!("requests.json?{query}")).await.ok();
            said.as_array()
                .unwrap()
                .iter()
                .map(|r| r["service_request_id"].as_str().unwrap().to_owned())
                .collect::<BTreeSet<_>>()
        };
        let set = |numbers: &[&String]| numbers.iter().map(|n| (*n).clone()).collect::<BTreeSet<_>>();
        assert_eq!(listed("").await, set(&[&open, &done, &far]));
        assert_eq!(listed("status=closed").await, set(&[&done]));
        assert_eq!(listed("status=open").await, set(&[&open, &far]));
        assert_eq!(listed("status=open,closed").await, set(&[&open, &done, &far]));
        assert_eq!(listed("service_code=0302").await, set(&[&far]));
        assert_eq!(
            listed(&format!("service_code=0302,{SMELL}")).await,
            set(&[&open, &done, &far])
        );
        assert_eq!(
            listed(&format!("jurisdiction_id={EAST_CODE}")).await,
            set(&[&open, &done])
        );
        assert_eq!(
            listed(&format!("jurisdiction_id={GRID_CODE}")).await,
            set(&[&open, &done])
        );
        assert_eq!(listed("jurisdiction_id=3309").await, set(&[&open, &done, &far]));
        assert_eq!(listed("lat=29.951&long=122.251").await, set(&[&far]), "within the box");
        assert_eq!(listed("lat=29.96&long=122.25").await, set(&[]), "a kilometre off");
        assert_eq!(listed("end_date=2026-02-14T01:59:59Z").await, set(&[]));
        assert_eq!(
            listed("start_date=2026-02-14T10:00:00+08:00&end_date=2026-02-14T02:00:00Z").await,
            set(&[&open, &done, &far]),
            "both ends count, any offset"
        );
        let both = format!(
            "service_request_id={open},{done},nothing&status=closed&service_code=0302&start_date=nonsense&page=-1"
        );
        assert_eq!(listed(&both).await, set(&[&open, &done]));
    })
    .await;
}

#[tokio::test]
async fn lists_end_at_ninety_days_and_a_thousand_rows() {
    each_backend(async |app| {
        people(app).await;
        let client = app.visitor();
        let asked = async |from: &str, to: &str| get(&client, &format!("requests.json?start_date={from}&end_date={to}")).await.status;
        assert_eq!(asked("2025-11-16T10:00:00%2B08:00", "2026-02-14T10:00:00%2B08:00").await, 200);
        assert_eq!(asked("2025-11-16T02:00:00Z", "2026-02-14T10:00:00%2B08:00").await, 200, "the same instants");
        assert_eq!(asked("2025-11-16T01:59:59Z", "2026-02-14T10:00:00%2B08:00").await, 400);
        assert_eq!(asked("2025-11-16T09:00:00-05:00", "2026-02-14T10:00:00-05:00").await, 400);
        let ctx = Ctx::system(&app.app, "test");
        let made = app.app.write(&ctx, |ctx, tx| {
            for nth in 0..1001 {
                tx.execute(
                    "insert into cases (id, number, title, body, channel, category_code, territory_version, a1, state, open, queue_at, \
                     received_at, accepted_at, reporter_count, pack_version, public, content_hash) values \
                     ($1, $2, '', '呛', 'open311', '0301', 1, $3, 'accepted', 1, 0, $4, $4, 1, '', 1, '')",
                    &db::params![ctx.app.new_id::<CaseId>(), format!("N{nth}"), CITY, ctx.now.0 - nth],
                )?;
            }
            tx.record(ctx, Mark::new("test.cases", Subject::System, json!({})))
        });
        made.await.unwrap();
        let first = get(&client, "requests.json").await;
        let link = first.header("link").to_owned();
        assert_eq!(first.ok().as_array().unwrap().len(), 1000);
        assert!(link.contains("page=2&page_size=1000") && link.contains("rel=\"next\""), "{link}");
        let filtered = get(&client, "requests.json?status=open&api_key=secret").await;
        let link = filtered.header("link").to_owned();
        assert!(link.contains("status=open") && !link.contains("secret"), "{link}");
        let path = link.split("/open311/v2/").nth(1).and_then(|rest| rest.split('>').next()).expect("an address");
        assert_eq!(get(&client, path).await.ok().as_array().unwrap().len(), 1, "the link leads to the rest");
        let second = get(&client, "requests.json?page=2").await;
        assert_eq!((second.ok().as_array().unwrap().len(), second.header("link")), (1, ""));
        let whole = get(&client, "requests.json?page_size=1000&page=1").await.ok();
        assert_ne!(whole[999]["service_request_id"], second.ok()[0]["service_request_id"]);
        let all: BTreeSet<String> = [whole, second.ok()].iter().flat_map(|page| page.as_array().unwrap().clone()).map(|r| r["service_request_id"].to_string()).collect();
        assert_eq!(all.len(), 1001, "no row twice, none left out");
    })
    .await;
}

#[tokio::test]
async fn answers_to_questions_are_checked() {
    each_backend(async |app| {
        let people = people(app).await;
        with_questions(app).await;
        let peer = peer(app, None, "realtime").await;
        let base: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "呛"),
        ];
        for (more, field) in [
            (&[][..], "attribute[KIND]"),
            (&[("attribute[KIND]", "smoke")], "attribute[KIND]"),
            (
                &[("attribute[KIND]", "oil"), ("attribute[KIND]", "glue")],
                "attribute[KIND]",
            ),
            (
                &[("attribute[KIND]", "oil"), ("attribute[FLOOR]", "third")],
                "attribute[FLOOR]",
            ),
            (
                &[("attribute[KIND]", "oil"), ("attribute[SINCE]", "yesterday")],
                "attribute[SINCE]",
            ),
            (
                &[
                    ("attribute[KIND]", "oil"),
                    ("attribute[WHEN][]", "am"),
                    ("attribute[WHEN][]", "night"),
                ],
                "attribute[WHEN]",
            ),
        ] {
            let answer = peer.report(&[base, more].concat()).await;
            assert_eq!(answer.status, 400);
            assert!(answer.text().contains(field), "{more:?}: {}", answer.text());
        }
        for (nth, spelling) in ["attribute[WHEN]", "attribute[WHEN][]"].into_iter().enumerate() {
            let nth = nth.to_string();
            let more = [
                ("attribute[KIND][]", "oil"),
                (spelling, "am"),
                (spelling, "pm"),
                ("attribute[SINCE]", "2026-02-13T20:00:00+08:00"),
                ("attribute[FLOOR]", "-2.5"),
                ("attribute[easting]", "dropped"),
                ("device_id", nth.as_str()),
                ("media_url", "https://a.example/1.jpg"),
            ];
            let number = number(&peer.report(&[base, &more].concat()).await);
            let one = get(&peer.client, &format!("requests/{number}.json?extensions=true"))
                .await
                .ok();
            let when = one[0]["attributes"]
                .as_array()
                .unwrap()
                .iter()
                .find(|a| a["code"] == "WHEN")
                .unwrap()
                .clone();
            assert_eq!(when["values"], json!(["am", "pm"]), "{spelling}");
            let detail = people
                .dispatcher
                .get(&format!("/api/v1/cases/{}", case_of(app, &number).await))
                .await
                .ok()
                .to_string();
            for told in [
                "哪种：油烟",
                "时段：上午、下午",
                "楼层：-2.5",
                "附件链接：https://a.example/1.jpg",
            ] {
                assert!(detail.contains(told), "{told} in {detail}");
            }
            assert!(!detail.contains("dropped"));
        }
    })
    .await;
}

#[tokio::test]
async fn words_are_counted_as_characters_and_never_become_markup() {
    each_backend(async |app| {
        people(app).await;
        let peer = peer(app, None, "realtime").await;
        let base: &[(&str, &str)] = &[("service_code", SMELL), ("address_id", GRID_CODE)];
        let long = "井🕳️".repeat(1333) + "盖";
        assert_eq!(long.chars().count(), 4000);
        let kept = number(&peer.report(&[base, &[("description", &long)]].concat()).await);
        let said = both(&peer.client, &format!("requests/{kept}"), "", "service_requests").await;
        assert_eq!(said[0]["description"], long.as_str());
        let longer = format!("{long}了");
        assert_eq!(
            peer.report(&[base, &[("description", &longer)]].concat()).await.status,
            400
        );
        // Line ends count once.
        let lines = "行\r\n".repeat(2000);
        let kept = number(&peer.report(&[base, &[("description", &lines)]].concat()).await);
        let said = both(&peer.client, &format!("requests/{kept}"), "", "service_requests").await;
        assert_eq!(said[0]["description"], "行\n".repeat(2000).trim_end());
        let markup = "<script>alert(1)</script> ]]> &amp; \u{1}'\"";
        let kept = number(&peer.report(&[base, &[("description", markup)]].concat()).await);
        let said = both(&peer.client, &format!("requests/{kept}"), "", "service_requests").await;
        assert_eq!(
            said[0]["description"], "<script>alert(1)</script> ]]> &amp; '\"",
            "plain text, as it was typed"
        );
        let raw = get(&peer.client, &format!("requests/{kept}.xml")).await;
        assert!(!raw.text().contains("<script") && raw.header("x-content-type-options") == "nosniff");
    })
    .await;
}

#[tokio::test]
async fn a_place_is_in_the_jurisdiction_or_refused() {
    each_backend(async |app| {
        people(app).await;
        boundaries(app).await;
        let peer = peer(app, None, "realtime").await;
        let at = async |lat: &str, long: &str, more: &[(&str, &str)]| {
            let pairs = [
                &[
                    ("service_code", SMELL),
                    ("description", "呛"),
                    ("lat", lat),
                    ("long", long),
                ][..],
                more,
            ]
            .concat();
            peer.report(&pairs).await
        };
        let area = async |number: &str| {
            get(&peer.client, &format!("requests/{number}.json")).await.ok()[0]["address_id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(area(&number(&at("29.9", "122.15", &[]).await)).await, EAST_CODE);
        assert_eq!(area(&number(&at("29.9", "122.25", &[]).await)).await, WEST_CODE);
        assert_eq!(at("31.0", "122.15", &[]).await.status, 400, "outside");
        assert_eq!(at("29.9", "", &[]).await.status, 400, "half a position");
        assert_eq!(
            at("29.9", "122.25", &[("jurisdiction_id", EAST_CODE)]).await.status,
            400,
            "not in the part that was named"
        );
        // On the shared boundary there is one answer, always the same.
        let once = area(&number(&at("29.85", "122.2", &[("device_id", "1")]).await)).await;
        let again = area(&number(&at("29.85", "122.2", &[("device_id", "2")]).await)).await;
        assert_eq!(once, again);
        assert!([EAST_CODE, WEST_CODE].contains(&once.as_str()), "{once}");
        let here = get(&peer.client, "services.json?lat=29.9&long=122.15").await.ok();
        assert!(!here.as_array().unwrap().is_empty());
        assert_eq!(
            get(&peer.client, "services.json?lat=35&long=122.15").await.ok(),
            json!([])
        );
        assert_eq!(
            get(
                &peer.client,
                &format!("services.json?lat=29.9&long=122.25&jurisdiction_id={EAST_CODE}")
            )
            .await
            .ok(),
            json!([])
        );
    })
    .await;
}

/// Departments share information through keys: each with its purpose and its area, made and revoked by the administrator, every use counted and
/// told afterwards: what was shared, with whom.
/// Clause PJ-13
#[tokio::test]
async fn a_key_is_for_its_purpose_and_place_and_every_use_is_told() {
    each_backend(async |app| {
        people(app).await;
        let east = peer(app, Some(EAST), "realtime").await;
        let base: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("description", "呛"),
            ("address_id", GRID_CODE),
        ];
        let west: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("description", "呛"),
            ("address_id", WEST_CODE),
        ];
        let absent = post(&east.client, "requests.json", base).await;
        assert_eq!(absent.status, 403, "no key");
        let wrong = post(&east.client, "requests.json", &[base, &[("api_key", "wg_0")]].concat()).await;
        assert_eq!(wrong.status, 403, "a wrong key");
        assert_eq!(
            east.report(&[base, &[("jurisdiction_id", WEST_CODE)]].concat())
                .await
                .status,
            403,
            "another jurisdiction"
        );
        assert_eq!(
            east.report(&[base, &[("jurisdiction_id", "3309")]].concat())
                .await
                .status,
            403,
            "more than its own"
        );
        assert_eq!(east.report(west).await.status, 400, "a place outside its own");
        let number = number(&east.report(&[base, &[("jurisdiction_id", EAST_CODE)]].concat()).await);
        get(&east.client, &format!("requests.json?api_key={}", east.key))
            .await
            .ok();
        get(&east.client, "requests.json?api_key=wg_0").await.ok();

        let admin = app.login_as("security_admin", None).await;
        let uses = admin.get(&format!("/api/v1/partners/{}/uses", east.id)).await.ok();
        let uses: Vec<(&str, &str, i64)> = uses["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| {
                (
                    u["call"].as_str().unwrap(),
                    u["outcome"].as_str().unwrap(),
                    u["count"].as_i64().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            uses.iter()
                .filter(|(call, outcome, _)| (*call, *outcome) == ("requests_in", "open311_key_elsewhere"))
                .count(),
            2,
            "{uses:?}"
        );
        assert!(
            uses.contains(&("requests_in", "done", 1)) && uses.contains(&("requests_out", "done", 1)),
            "{uses:?}"
        );
        let auditor = app.login_as("audit_admin", None).await;
        let told = auditor.get(&format!("/api/v1/partners/{}/uses", east.id)).await.ok();
        assert!(
            told["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|u| u["numbers"] == json!([number])),
            "{told}"
        );
        let listed = auditor.get("/api/v1/partners").await.ok();
        let listed = &listed["items"][0];
        assert_eq!(
            (
                listed["purpose"].as_str(),
                listed["area"]["code"].as_str(),
                listed["use_count"].as_i64()
            ),
            (Some("把居民在邻市应用里报的问题转来"), Some(EAST_CODE), Some(5))
        );
        assert!(
            !told.to_string().contains(&east.key) && !listed.to_string().contains(&east.key),
            "the key itself is nowhere"
        );

        // Whoever answers for one town makes and ends keys there only.
        let other = app.login_as("security_admin", Some(WEST)).await;
        assert_eq!(
            other
                .post(&format!("/api/v1/partners/{}/revoke", east.id), json!({}))
                .await
                .status,
            404
        );
        admin
            .post(&format!("/api/v1/partners/{}/revoke", east.id), json!({}))
            .await
            .ok();
        assert_eq!(east.report(base).await.status, 403, "revoked");
        assert_eq!(
            east.update(&[
                ("service_request_id", &number),
                ("update_id", "1"),
                ("status", "OPEN"),
                ("updated_datetime", "2026-02-14T02:00:00Z")
            ])
            .await
            .status,
            403
        );
        assert_eq!(
            get(&east.client, "requests.json").await.status,
            200,
            "what is public stays public"
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_becomes_a_number_once_somebody_accepted_and_a_black_box_tells_nothing() {
    each_backend(async |app| {
        let people = people(app).await;
        let batch = peer(app, None, "batch").await;
        // Words of danger: a person must look first.
        let urgent: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "有人触电，快来人"),
        ];
        let said = batch.report(urgent).await.ok();
        assert!(
            said[0].get("service_request_id").is_none(),
            "a token instead of a number: {said}"
        );
        let token = said[0]["token"].as_str().unwrap().to_owned();
        let pending = both(&batch.client, &format!("tokens/{token}"), "", "service_requests").await;
        let waits = pending[0].get("service_request_id").is_none();
        assert!(waits, "{pending}");
        let listed = get(&batch.client, "requests.json").await.ok();
        assert_eq!(
            listed[0]["description"], "Air pollution and smell",
            "words nobody accepted are not published: {listed}"
        );
        let id = case_of(app, listed[0]["service_request_id"].as_str().unwrap()).await;
        act(&people.dispatcher, &id, "accept", json!({})).await.ok();
        let ready = both(&batch.client, &format!("tokens/{token}"), "", "service_requests").await;
        let number = ready[0]["service_request_id"].as_str().unwrap().to_owned();
        assert_eq!(
            get(&batch.client, &format!("requests/{number}.json")).await.ok()[0]["description"],
            "有人触电，快来人"
        );
        assert_eq!(
            get(&batch.client, &format!("tokens/{token}.json?jurisdiction_id=99"))
                .await
                .status,
            404
        );
        let services = get(&batch.client, &format!("services.json?api_key={}", batch.key))
            .await
            .ok();
        assert_eq!(services[0]["type"], "batch");

        let black = peer(app, None, "blackbox").await;
        let said = black
            .report(&[
                ("service_code", SMELL),
                ("address_id", GRID_CODE),
                ("description", "呛"),
            ])
            .await
            .ok();
        assert_eq!(said, json!([{ "service_notice": null, "account_id": null }]));
        let ctx = Ctx::system(&app.app, "test");
        let tokens = app.app.read(&ctx, |_, tx| {
            let rows = tx.query("select token from partner_request", &[])?;
            rows.iter()
                .map(|row| Ok(row.get::<String>(0)?))
                .collect::<Result<Vec<_>, server::platform::Fault>>()
        });
        let hidden = tokens.await.unwrap().into_iter().find(|t| *t != token).unwrap();
        assert_eq!(
            get(&black.client, &format!("tokens/{hidden}.json")).await.status,
            404,
            "not even its token"
        );
    })
    .await;
}

#[tokio::test]
async fn a_retry_does_not_double() {
    each_backend(async |app| {
        people(app).await;
        let one = peer(app, None, "realtime").await;
        let pairs: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "呛"),
            ("device_id", "a"),
        ];
        let (first, second, third) = futures::join!(one.report(pairs), one.report(pairs), one.report(pairs));
        let first = number(&first);
        assert_eq!(
            (number(&second), number(&third)),
            (first.clone(), first.clone()),
            "three at once are one"
        );
        app.advance_minutes(9);
        assert_eq!(number(&one.report(pairs).await), first);
        let other: &[(&str, &str)] = &[
            ("service_code", SMELL),
            ("address_id", GRID_CODE),
            ("description", "呛"),
            ("device_id", "b"),
        ];
        assert_ne!(
            number(&one.report(other).await),
            first,
            "another device is another matter"
        );
        let elsewhere = peer(app, None, "realtime").await;
        assert_ne!(
            number(&elsewhere.report(pairs).await),
            first,
            "another key is another matter"
        );
        app.advance_minutes(2);
        assert_ne!(number(&one.report(pairs).await), first, "later it is a new matter");
        assert_eq!(cases_there(app).await, 4);
    })
    .await;
}

/// A photo with hidden words in its metadata.
fn photo() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * 4) as u8, (y * 5) as u8, 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    let plain = bytes.into_inner();
    let comment = b"SECRET-PLACE 122.2,29.9";
    let mut marked = plain[..2].to_vec();
    marked.extend([0xff, 0xfe, 0, comment.len() as u8 + 2]);
    marked.extend(comment);
    marked.extend(&plain[2..]);
    marked
}

#[tokio::test]
async fn who_reported_and_what_is_not_public_never_leave() {
    each_backend(async |app| {
        let people = people(app).await;
        let peer = peer(app, None, "realtime").await;
        let secrets = ["秘密姓名", "13800001234", "me@secret.example", "account-77", "device-77"];
        // With a photo, as a form with files.
        let mut body = Vec::new();
        for (name, value) in [
            ("api_key", peer.key.as_str()), ("service_code", SMELL), ("address_id", GRID_CODE), ("first_name", "姓名"), ("last_name", "秘密"),
            ("phone", "13800001234"), ("email", "me@secret.example"), ("account_id", "account-77"), ("device_id", "device-77"),
            ("description", "呛，打13800001234找我，或 me@secret.example"),
        ] {
            body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        body.extend(b"--B\r\nContent-Disposition: form-data; name=\"photo1\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n");
        body.extend(photo());
        body.extend(b"\r\n--B--\r\n");
        let request = peer.client.request(Method::POST, "/open311/v2/requests.json").header(header::CONTENT_TYPE, "multipart/form-data; boundary=B");
        let number = number(&peer.client.raw(request.body(Body::from(body)).unwrap()).await);
        let id = case_of(app, &number).await;
        close(&people, &id).await;
        app.advance_minutes(2);
        let window = "start_date=2026-02-14T01:00:00Z&end_date=2026-02-14T02:02:00Z";
        for call in ["requests", &format!("requests/{number}"), "servicerequestupdates"] {
            for ending in ["xml", "json"] {
                let answer = get(&peer.client, &format!("{call}.{ending}?extensions=true&{window}")).await;
                let text = answer.text();
                assert!(answer.status == 200 && text.contains(&number), "{call}.{ending} {text}");
                for secret in secrets {
                    assert!(!text.contains(secret), "{secret} in {call}.{ending}: {text}");
                }
            }
        }
        // The photo is served without what the file said about itself.
        let one = get(&peer.client, &format!("requests/{number}.json")).await.ok();
        let url = one[0]["media_url"].as_str().unwrap().to_owned();
        let path = url.split("/open311/v2/").nth(1).unwrap();
        let served = get(&peer.client, path).await;
        assert_eq!((served.status.as_u16(), served.header("content-type")), (200, "image/jpeg"));
        assert!(!served.body.windows(6).any(|w| w == b"SECRET"));
        assert_eq!(get(&peer.client, &path.replace(&number, "ZS20260214-00002")).await.status, 404, "a photo of another request");

        // By other ways in: nothing of an anonymous person, nothing of a kind that is not public, no words of anybody.
        for (category, name, secret) in [(SMELL, None, "匿名的话"), (DEEDS, Some("周女士"), "房产的话"), (SMELL, Some("周女士"), "门户的话")] {
            let mut sent = json!({ "id": app.app.new_id::<CaseId>(), "body": secret, "category_code": category, "area_id": EAST_GRID, "anonymous": name.is_none() });
            if let Some(name) = name {
                sent["name"] = json!(name);
                sent["phone"] = json!("13800001234");
            }
            people.resident.post("/api/v1/portal/reports", sent).await.ok();
        }
        let listed = get(&peer.client, "requests.json?extensions=true").await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 2, "the partner's and the named portal report: {listed}");
        for secret in ["匿名的话", "房产的话", "门户的话", "周女士"] {
            assert!(!listed.to_string().contains(secret), "{secret}");
        }
        let portal = listed.as_array().unwrap().iter().find(|r| r["service_request_id"] != number.as_str()).unwrap();
        assert_eq!((portal["description"].as_str(), portal["media_url"].is_null()), (Some("Air pollution and smell"), true));

        // Declined: over, without its words. Withdrawn: gone.
        let refused = peer.smell("不该公开的话").await;
        let id = case_of(app, &refused).await;
        act(&people.dispatcher, &id, "decline", json!({ "reason": "请找社区", "where_to_go": "社区" })).await;
        let withdrawn = peer.smell("撤回的话").await;
        let id = case_of(app, &withdrawn).await;
        act(&people.clerk, &id, "withdraw", json!({ "reason": "重复" })).await;
        let after = get(&peer.client, &format!("requests/{withdrawn}.json")).await;
        let state = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok()["state"].clone();
        assert_eq!(after.status == 404, state == "withdrawn", "{state} {}", after.text());
    })
    .await;
}

#[tokio::test]
async fn every_change_is_told_exactly_once_to_adjoining_spans() {
    each_backend(async |app| {
        let people = people(app).await;
        let peer = peer(app, None, "realtime").await;
        let number = peer.smell("呛").await;
        let id = case_of(app, &number).await;
        let mut told: Vec<(String, String)> = Vec::new();
        let begin = "2026-02-14T01:59:00Z".to_owned();
        let mut from = begin.clone();
        let now = |app: &TestApp| {
            let at = domain::time::Timestamp(app.app.now().0 / 1000 * 1000);
            at.to_string().replace('+', "%2B")
        };
        for step in 0..7 {
            app.app.clock().advance_ms(47_300);
            match step {
                1 => drop(act(&people.environment, &id, "take", json!({})).await.ok()),
                2 => drop(
                    act(
                        &people.environment,
                        &id,
                        "handle",
                        json!({ "result": "已责令停止直排" }),
                    )
                    .await
                    .ok(),
                ),
                3 => drop(
                    act(
                        &people.grid_worker,
                        &id,
                        "answer",
                        json!({ "way": "in_person", "body": "好了", "solved": true }),
                    )
                    .await
                    .ok(),
                ),
                4 => verify(&people, &id).await,
                _ => {}
            }
            let to = now(app);
            let said = get(
                &peer.client,
                &format!("servicerequestupdates.json?start_date={from}&end_date={to}"),
            )
            .await
            .ok();
            for update in said.as_array().unwrap() {
                let at = update["updated_datetime"].as_str().unwrap();
                let at = domain::time::Timestamp::parse(at).unwrap();
                let read = |text: &str| domain::time::Timestamp::parse(&text.replace("%2B", "+")).unwrap();
                assert!(read(&from) <= at && at < read(&to), "{update} in {from}..{to}");
                told.push((
                    update["update_id"].as_str().unwrap().to_owned(),
                    update["status"].as_str().unwrap().to_owned(),
                ));
            }
            from = to;
        }
        let ids: BTreeSet<&String> = told.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), told.len(), "none twice: {told:?}");
        let whole = get(
            &peer.client,
            &format!("servicerequestupdates.json?start_date={begin}&end_date={from}"),
        )
        .await
        .ok();
        let whole: BTreeSet<String> = whole
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["update_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, whole.iter().collect::<BTreeSet<_>>(), "none left out");
        assert_eq!(
            told.len(),
            8,
            "received, accepted, assigned, taken, handled, answered, verified, closed: {told:?}"
        );
        assert_eq!(told.iter().filter(|(_, status)| status == "closed").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_update_comes_in_once_and_closes_nothing() {
    each_backend(async |app| {
        let people = people(app).await;
        let one = peer(app, None, "realtime").await;
        let number = one.smell("呛").await;
        let id = case_of(app, &number).await;
        let update: &[(&str, &str)] = &[
            ("service_request_id", &number),
            ("update_id", "u-1"),
            ("status", "CLOSED"),
            ("updated_datetime", "2026-02-14T02:00:00Z"),
            ("description", "邻居说好了"),
            ("media_url", "https://a.example/2.jpg"),
        ];
        let (first, second) = futures::join!(one.update(update), one.update(update));
        assert_eq!(first.ok(), second.ok());
        assert_eq!(one.update(update).await.ok(), json!([{ "update_id": "u-1" }]));
        let detail = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
        let added = detail["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["text"].as_str().unwrap().contains("邻居说好了"))
            .count();
        assert_eq!(
            (added, detail["state"].as_str()),
            (1, Some("assigned")),
            "said once; nobody closes from outside"
        );
        for (more, status) in [
            ([("service_request_id", "ZS20260214-99999"), ("status", "OPEN")], 404),
            ([("service_request_id", &number), ("status", "SOLVED")], 400),
        ] {
            let rest = [
                ("update_id", "u-2"),
                ("updated_datetime", "2026-02-14T02:00:00Z"),
                ("description", "x"),
            ];
            assert_eq!(one.update(&[&more[..], &rest].concat()).await.status, status);
        }
        let bad = [
            ("service_request_id", number.as_str()),
            ("update_id", "u-3"),
            ("status", "OPEN"),
            ("updated_datetime", "today"),
        ];
        assert_eq!(one.update(&bad).await.status, 400);
        let other = peer(app, None, "realtime").await;
        assert_eq!(other.update(update).await.status, 404, "another's request");
    })
    .await;
}

#[tokio::test]
async fn the_changeset_moves_when_the_services_change() {
    each_backend(async |app| {
        let client = app.visitor();
        let changeset = async || {
            get(&client, "discovery.json").await.ok()["changeset"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let first = changeset().await;
        app.advance_hours(1);
        assert_eq!(changeset().await, first, "nothing changed");
        with_questions(app).await;
        let second = changeset().await;
        assert!(
            second > first && second.as_str() <= "2026-02-14T11:00:00+08:00",
            "{first} {second}"
        );
        app.advance_hours(1);
        policy::adopt(&app.app, policy::shipped("zhoushan").unwrap(), None)
            .await
            .unwrap();
        assert!(changeset().await > second, "back to the old list is a change too");
    })
    .await;
}

/// Another city's published requests become a place of their own: its kinds, bodies, areas and ways in, each request at the time it really had.
#[tokio::test]
async fn the_requests_of_another_city_come_in_with_their_own_times() {
    let shared = std::env::var_os("WANGGE_SHARED").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        std::path::PathBuf::from,
    );
    let folder = shared.join("data/requests311");
    let Ok(whole) = std::fs::read_to_string(folder.join("la_2020_9989.csv")) else {
        eprintln!("skipped: no {}/la_2020_9989.csv (set WANGGE_SHARED)", folder.display());
        return;
    };
    // All rows are checked; the first thousand are taken over, and one bad one beside them.
    let some = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), some.path().join(entry.file_name())).unwrap();
    }
    let lines: Vec<&str> = whole.lines().collect();
    let file = some.path().join("la_some.csv");
    std::fs::write(&file, lines[..1001].join("\n")).unwrap();
    let source = Source::read(&file, "America/Los_Angeles").unwrap();
    let all = Source::read(&folder.join("la_2020_9989.csv"), "America/Los_Angeles").unwrap();
    let dry = cli::requests311::dry(&all);
    assert_eq!((dry.rows, dry.ok, dry.problems.len()), (9_989, 9_989, 0));
    std::fs::write(
        some.path().join("la_bad.csv"),
        format!(
            "{}\n{}",
            lines[0],
            lines[1]
                .replacen("2020-01-01 00:05", "2020-13-01 00:05", 1)
                .replace(",6,2,8,", ",77,99,98,")
        ),
    )
    .unwrap();
    let bad = cli::requests311::dry(&Source::read(&some.path().join("la_bad.csv"), "America/Los_Angeles").unwrap());
    let told: Vec<(usize, &str, &str)> = bad
        .problems
        .iter()
        .map(|p| (p.row, p.column.as_str(), p.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "created_date", "import_time_unreadable"),
            (2, "type_id", "import_category_unknown"),
            (2, "agency_id", "unit_unknown"),
            (2, "source_id", "channel_unknown"),
        ]
    );
    for backend in [db::Backend::Sqlite, db::Backend::Postgres] {
        let bare = Bare::new(backend).await;
        server::register(&bare.app);
        policy::adopt(&bare.app, source.pack(), None).await.unwrap();
        let report = cli::requests311::take(&bare.app, &source, false).await.unwrap();
        assert_eq!((report.rows, report.added, report.problems.len()), (1_000, 1_000, 0));
        assert_eq!(report.closed + report.assigned, 1_000);
        let again = cli::requests311::take(&bare.app, &source, false).await.unwrap();
        assert_eq!(
            (again.added, again.already),
            (0, 1_000),
            "the same list again adds nothing"
        );
        let ctx = Ctx::system(&bare.app, "test");
        let one = bare.app.read(&ctx, |_, tx| {
            let row = tx.query_one(
                "select c.received_at, c.ended_at, c.channel, u.name, c.lon, a.name from cases c join unit u on u.id = c.unit_id \
                 join area a on a.id = c.area_id where c.address like '16815 W VANOWEN%'",
                &[],
            )?;
            let (at, end): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((at, end, row.get::<String>(2)?, row.get::<String>(3)?, row.get::<f64>(4)?, row.get::<String>(5)?))
        });
        let (received, ended, channel, unit, lon, area) = one.await.unwrap();
        let at = |text: &str| domain::time::Timestamp::parse(text).unwrap().0;
        assert_eq!(
            (received, ended),
            (at("2020-01-01T00:05:00-08:00"), at("2020-01-02T08:43:00-08:00"))
        );
        assert_eq!(
            (channel.as_str(), unit.as_str(), area.as_str(), lon),
            ("phone", "Sanitation Bureau", "Lake Balboa", -118.4994716)
        );
        bare.remove().await;
    }
}

/// Clients as others published them: what they read and hand in, over a socket.
#[tokio::test]
async fn published_clients_work_against_it() {
    each_backend(async |app| {
        people(app).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        app.listen(listener);
        let key = peer(app, None, "realtime").await.key;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../script/open311-clients");
        let ran = tokio::process::Command::new(script)
            .args([&base, &key, GRID_CODE])
            .output()
            .await
            .unwrap();
        assert!(
            ran.status.success(),
            "{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
        let cases = cases_there(app).await;
        assert_eq!(cases, 3, "{}", String::from_utf8_lossy(&ran.stdout));
    })
    .await;
}
