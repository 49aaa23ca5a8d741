//! OGC API Features: what GIS programs read, as `ogr2ogr` reads it over a socket, and what nobody gets without a key or a scope.

use crate::kit::{Answer, Client, TestApp, config};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use db::Backend;
use domain::geo::{LonLat, Side};
use serde_json::{Value, json};
use server::platform::{AreaId, Ctx, PartnerId};
use server::{demo, territory};
use std::collections::BTreeSet;
use std::process::Command;

/// The demo's place with cases, also on a socket of its own.
async fn live(backend: Backend) -> (TestApp, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut config = config();
    config.public_url = base.clone();
    let app = TestApp::demo_with(backend, config).await;
    demo::make_cases(&app.app, 1, 12).await.expect("the cases are made");
    app.listen(listener);
    (app, format!("{base}/ogc/v1"))
}

async fn get(client: &Client, path: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/ogc/v1{path}"));
    client.raw(request.body(Body::empty()).unwrap()).await
}

async fn with_key(client: &Client, path: &str, key: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/ogc/v1{path}"));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    client.raw(request.body(Body::empty()).unwrap()).await
}

/// A key for an area.
async fn key_for(app: &TestApp, area: Option<AreaId>) -> (PartnerId, String) {
    let admin = app.login_as("security_admin", None).await;
    let id: PartnerId = app.app.new_id();
    let body = json!({
        "id": id, "name": "环卫公司", "purpose": "清运垃圾投放点", "contact": "值班室", "area_id": area, "may_report": false,
        "may_update": false, "answers": "realtime",
    });
    let made = admin.post("/api/v1/partners", body).await.ok();
    (id, made["key"].as_str().unwrap().to_owned())
}

/// Every feature of a list, following its links to the next page; checks what each page says of itself.
async fn all(client: &Client, first: &str, key: Option<&str>) -> Vec<Value> {
    let mut path = first.to_owned();
    let mut found: Vec<Value> = Vec::new();
    loop {
        let answer = match key {
            Some(key) => with_key(client, &path, key).await,
            None => get(client, &path).await,
        };
        let body = answer.ok();
        assert_eq!(answer.header("content-type"), "application/geo+json");
        let features = body["features"].as_array().unwrap();
        assert_eq!(body["numberReturned"], features.len());
        found.extend(features.iter().cloned());
        let links = body["links"].as_array().unwrap();
        let next = links.iter().find(|link| link["rel"] == "next");
        let Some(next) = next else {
            if let Some(matched) = body["numberMatched"].as_u64() {
                assert_eq!(matched, found.len() as u64, "{first}");
            }
            return found;
        };
        let href = next["href"].as_str().unwrap();
        path = href.split_once("/ogc/v1").unwrap().1.to_owned();
    }
}

fn ids(features: &[Value]) -> BTreeSet<String> {
    features
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs a program of GDAL; what it prints.
fn gdal(program: &str, args: &[&str]) -> String {
    let done = Command::new(program)
        .env("GDAL_HTTP_TIMEOUT", "30")
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; script/setup installs gdal-bin"));
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{program} {args:?}\n{out}{err}");
    out.into_owned()
}

/// How many features a layer of a file has.
fn counted(file: &str, layer: &str) -> usize {
    let said = gdal("ogrinfo", &["-ro", "-so", file, layer]);
    let line = said.lines().find_map(|line| line.strip_prefix("Feature Count: "));
    line.unwrap_or_else(|| panic!("{said}")).trim().parse().unwrap()
}

/// A GIS program finds the collections, pages through them, filters by a box, and makes a file of them; the counts are those of the API.
#[tokio::test(flavor = "multi_thread")]
async fn ogr2ogr_reads_every_collection_whole_and_by_box() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (app, base) = live(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let source = format!("OAPIF:{base}");
        let said = tokio::task::spawn_blocking({
            let source = source.clone();
            move || gdal("ogrinfo", &["-ro", "-q", &source])
        });
        let said = said.await.unwrap();
        for layer in ["areas", "facilities", "cases"] {
            assert!(said.contains(layer), "{said}");
        }
        let visitor = app.visitor();
        let [west, south, _, north] = territory::current(&app.app).bounds().unwrap();
        let (middle, bbox) = (122.93, format!("{west},{south},122.93,{north}"));
        for layer in ["areas", "facilities", "cases"] {
            let whole = all(&visitor, &format!("/collections/{layer}/items?limit=7"), None).await;
            let half = all(&visitor, &format!("/collections/{layer}/items?bbox={bbox}"), None).await;
            assert!(
                half.len() < whole.len() && !half.is_empty(),
                "{layer} {} {}",
                half.len(),
                whole.len()
            );
            let paths =
                ["whole", "half"].map(|name| folder.path().join(format!("{layer}-{name}.gpkg")).display().to_string());
            let (source, files) = (source.clone(), paths.clone());
            let spat = [west, south, middle, north].map(|n| n.to_string());
            tokio::task::spawn_blocking(move || {
                let common = ["-f", "GPKG", "-oo", "PAGE_SIZE=7"];
                gdal("ogr2ogr", &[&common[..], &[&files[0], &source, layer]].concat());
                let [w, s, e, n] = &spat;
                let spat: [&str; 5] = ["-spat", w, s, e, n];
                gdal("ogr2ogr", &[&common[..], &spat, &[&files[1], &source, layer]].concat());
            })
            .await
            .unwrap();
            assert_eq!(counted(&paths[0], layer), whole.len(), "{layer}");
            assert_eq!(counted(&paths[1], layer), half.len(), "{layer} in the box");
        }
        app.remove().await;
    }
}

/// What is public is for everybody; a key adds what partners of its area look after; staff see what stands in their areas; each is written
/// down. The page follows the plain rule, whoever asks.
#[tokio::test]
async fn a_key_or_a_scope_adds_its_own_facilities_and_is_written_down() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::demo(backend).await;
        let towns: Vec<(AreaId, String)> = {
            let map = territory::current(&app.app);
            let towns = map.areas().iter().filter(|area| area.level == "town");
            towns.map(|area| (area.id, area.code.clone())).collect()
        };
        let (town, code) = towns[0].clone();
        let list = "/collections/facilities/items?limit=9";
        let visitor = app.visitor();
        let count = |features: &[Value], audience: &str, below: &str| {
            let of = |one: &&Value| {
                let area = one["properties"]["area"].as_str().unwrap();
                one["properties"]["audience"] == audience && area.starts_with(below)
            };
            features.iter().filter(of).count()
        };
        let public = all(&visitor, list, None).await;
        assert_eq!((public.len(), count(&public, "public", "")), (48, 48));

        let (partner, key) = key_for(&app, Some(town)).await;
        let shared = all(&visitor, list, Some(&key)).await;
        assert_eq!((shared.len(), count(&shared, "partner", &code)), (52, 4), "{backend:?}");
        let admin = app.login_as("security_admin", None).await;
        let uses = admin.get(&format!("/api/v1/partners/{partner}/uses")).await.ok();
        let uses = uses["items"].as_array().unwrap();
        assert!(uses.iter().all(|one| one["call"] == "facilities_out"), "{uses:?}");
        let noted: u64 = uses.iter().map(|one| one["count"].as_u64().unwrap_or_default()).sum();
        assert_eq!(noted, 4, "{uses:?}");

        for (role, top, more) in [
            ("grid_worker", Some(town), 12),
            ("supervisor", None, 48),
            ("system_admin", None, 48),
            ("personnel", None, 0),
        ] {
            let staff = app.login_as(role, top).await;
            let seen = all(&staff, list, None).await;
            assert_eq!(seen.len(), 48 + more, "{role}");
            let closed = seen.iter().find(|one| one["properties"]["audience"] == "staff");
            if let Some(closed) = closed {
                let one = format!("/collections/facilities/items/{}", closed["id"].as_str().unwrap());
                assert_eq!(get(&staff, &one).await.status, StatusCode::OK);
                assert_eq!(get(&visitor, &one).await.status, StatusCode::NOT_FOUND);
                assert_eq!(with_key(&visitor, &one, &key).await.status, StatusCode::NOT_FOUND);
            }
            let page = get(&staff, list).await;
            assert_eq!(page.header("cache-control"), "no-store");
        }
        let auditor = app.login_as("audit_admin", None).await;
        let log = auditor.get("/api/v1/access-log?limit=200").await.ok();
        let noted = log["items"].as_array().unwrap().iter();
        assert!(noted.clone().any(|entry| entry["purpose"] == "exchange"), "{log}");

        let wrong = with_key(&visitor, list, "wg_0000").await;
        assert_eq!(wrong.verdict(), "401 ogc_key_bad");
        admin
            .post(&format!("/api/v1/partners/{partner}/revoke"), json!({}))
            .await
            .ok();
        assert_eq!(with_key(&visitor, list, &key).await.verdict(), "401 ogc_key_bad");
        app.remove().await;
    }
}

/// The public cases are those of Open311, in the same place: of what did not come in publicly the middle of its area.
#[tokio::test]
async fn public_cases_are_shown_where_open311_shows_them() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::demo(backend).await;
        demo::make_cases(&app.app, 1, 12).await.expect("the cases are made");
        let visitor = app.visitor();
        let shown = all(&visitor, "/collections/cases/items?limit=5", None).await;
        let request = visitor.request(Method::GET, "/open311/v2/requests.json");
        let other = visitor.raw(request.body(Body::empty()).unwrap()).await.ok();
        let other = other.as_array().unwrap();
        assert!(!shown.is_empty());
        assert_eq!(shown.len(), other.len());
        for (ours, theirs) in shown.iter().zip(other) {
            assert_eq!(ours["id"], theirs["service_request_id"]);
            let at = ours["geometry"]["coordinates"].as_array().unwrap();
            let near = |n: usize, key: &str| (at[n].as_f64().unwrap() - theirs[key].as_f64().unwrap()).abs() < 1e-6;
            assert!(near(0, "long") && near(1, "lat"), "{ours} {theirs}");
        }
        let from = shown[shown.len() / 2]["properties"]["received_at"]
            .as_str()
            .unwrap()
            .to_owned();
        let newer = format!("/collections/cases/items?datetime={}/..", from.replace('+', "%2B"));
        let newer = all(&visitor, &newer, None).await;
        let expected = shown
            .iter()
            .filter(|one| one["properties"]["received_at"].as_str().unwrap() >= from.as_str());
        assert_eq!(
            ids(&newer),
            expected.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        );
        app.remove().await;
    }
}

/// Links lead where they say, reference systems turn the axes, wrong questions are refused as the standard wants it.
#[tokio::test]
async fn pages_describe_themselves_and_refuse_what_they_do_not_know() {
    let app = TestApp::demo(Backend::Sqlite).await;
    let visitor = app.visitor();
    let landing = get(&visitor, "/").await.ok();
    assert_eq!(get(&visitor, "").await.ok(), landing);
    for link in landing["links"].as_array().unwrap() {
        let path = link["href"]
            .as_str()
            .unwrap()
            .split_once("/ogc/v1")
            .unwrap()
            .1
            .to_owned();
        let answer = get(&visitor, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{link}");
        assert_eq!(answer.header("content-type"), link["type"].as_str().unwrap());
    }
    let conformance = get(&visitor, "/conformance").await.text();
    assert!(conformance.contains("ogcapi-features-1/1.0/conf/core"));
    let collections = get(&visitor, "/collections").await.ok();
    assert_eq!(collections["collections"].as_array().unwrap().len(), 3);
    for one in collections["collections"].as_array().unwrap() {
        let path = format!("/collections/{}", one["id"].as_str().unwrap());
        assert_eq!(get(&visitor, &path).await.ok(), *one);
    }
    let api = get(&visitor, "/api").await.ok();
    assert!(api["paths"]["/collections/areas/items"]["get"].is_object());

    let page = get(&visitor, "/collections/facilities/items?limit=1").await;
    assert_eq!(page.header("access-control-allow-origin"), "*");
    let id = page.ok()["features"][0]["id"].as_str().unwrap().to_owned();
    let cgcs = "http://www.opengis.net/def/crs/EPSG/0/4490";
    let one = format!("/collections/facilities/items/{id}");
    let plain = get(&visitor, &one).await.ok();
    let turned = get(&visitor, &format!("{one}?crs={cgcs}")).await;
    assert_eq!(turned.header("content-crs"), format!("<{cgcs}>"));
    let (a, b) = (
        &plain["geometry"]["coordinates"],
        &turned.ok()["geometry"]["coordinates"],
    );
    assert_eq!((&a[0], &a[1]), (&b[1], &b[0]));

    for (path, verdict) in [
        ("/collections/persons", "404 not_found"),
        ("/collections/areas/items/0", "404 not_found"),
        ("/collections/cases/items/WH0", "404 not_found"),
        ("/nothing", "404 not_found"),
        ("/collections/areas/items?bbox=1,2,3", "400 ogc_bad_bbox"),
        ("/collections/areas/items?limit=0", "400 ogc_bad_limit"),
        ("/collections/areas/items?datetime=today", "400 ogc_bad_datetime"),
        ("/collections/areas/items?colour=red", "400 ogc_param_unknown"),
        ("/collections/areas/items?limit=1&limit=2", "400 ogc_param_twice"),
        ("/collections/areas/items?crs=EPSG:3857", "400 ogc_bad_crs"),
        ("/collections/areas/items?area=0", "400 ogc_param_bad"),
        ("/collections/areas?f=html", "400 ogc_bad_format"),
    ] {
        assert_eq!(get(&visitor, path).await.verdict(), verdict, "{path}");
    }
    let post = visitor.request(Method::POST, "/ogc/v1/collections");
    let refused = visitor.raw(post.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD")
    );

    // A box finds exactly the areas that have ground in it.
    let map = territory::current(&app.app);
    let grid = map.areas().iter().rfind(|area| area.level == "grid").unwrap();
    let at = grid.center.unwrap();
    let (w, s) = (at.lon - 1e-5, at.lat - 1e-5);
    let found = all(
        &visitor,
        &format!("/collections/areas/items?bbox={w},{s},{},{}", w + 2e-5, s + 2e-5),
        None,
    )
    .await;
    let around = map.areas().iter().filter(|area| {
        let region = map.region(area.id);
        region.is_some_and(|region| {
            region.side(LonLat {
                lon: at.lon,
                lat: at.lat,
            }) != Side::Outside
        })
    });
    assert_eq!(ids(&found), around.map(|area| area.code.clone()).collect());
    app.remove().await;
}

/// A list of facilities comes in whole or not at all, stays within what its administrator manages, and the same code again replaces.
#[tokio::test]
async fn facilities_come_in_whole_or_not_at_all() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::demo(backend).await;
        let map = territory::current(&app.app);
        let towns: Vec<_> = map
            .areas()
            .iter()
            .filter(|area| area.level == "town")
            .cloned()
            .collect();
        let planner = app.login_as("system_admin", Some(towns[0].id)).await;
        let send = async |client: &Client, body: String, datum: &str| {
            let path = format!("/api/v1/facilities/import?datum={datum}");
            let request = client.request(Method::POST, &path).header("x-wangge-client", "desk");
            let request = request.header(header::CONTENT_TYPE, "text/csv");
            client.raw(request.body(Body::from(body)).unwrap()).await
        };
        let csv = |code: &str, name: &str, at: LonLat, audience: &str| {
            format!(
                "code,name,kind,lon,lat,audience\n{code},{name},公园,{},{},{audience}\n",
                at.lon, at.lat
            )
        };
        let (inside, beside) = (towns[0].center.unwrap(), towns[1].center.unwrap());
        let report = send(&planner, csv("P1", "东园", inside, "public"), "wgs84").await.ok();
        assert_eq!(
            (report["created"].as_u64(), report["replaced"].as_u64()),
            (Some(1), Some(0)),
            "{report}"
        );
        let report = send(&planner, csv("P1", "东园新名", inside, ""), "wgs84").await.ok();
        assert_eq!(report["replaced"], 1, "{report}");
        for (body, code) in [
            (csv("P2", "西园", beside, "public"), "facility_elsewhere"),
            (
                csv("P2", "海上", LonLat { lon: 100.0, lat: 10.0 }, "public"),
                "facility_outside",
            ),
            (csv("P2", "", inside, "public"), "facility_bad_name"),
            (csv("P2", "东园", inside, "everybody"), "facility_bad_audience"),
            (csv("", "东园", inside, "public"), "facility_bad_code"),
            (
                "code,name,kind,lon,lat\nP2,东园,公园,x,y\n".into(),
                "facility_no_position",
            ),
        ] {
            let report = send(&planner, body, "wgs84").await.ok();
            assert_eq!(report["problems"][0]["code"], code, "{report}");
        }
        assert_eq!(
            send(&planner, csv("P3", "东园", inside, ""), "bd09").await.verdict(),
            "422 unknown_datum"
        );
        let worker = app.login_as("grid_worker", None).await;
        assert_eq!(
            send(&worker, csv("P3", "东园", inside, ""), "wgs84").await.verdict(),
            "403 forbidden"
        );
        let list = worker.get("/api/v1/facilities?kind=%E5%85%AC%E5%9B%AD").await.ok();
        let items = list["items"].as_array().unwrap();
        assert_eq!(
            (items.len(), &items[0]["name"], &items[0]["audience"]),
            (1, &json!("东园新名"), &json!("staff"))
        );
        let path = format!("/api/v1/facilities/{}", items[0]["id"].as_str().unwrap());
        let other = app.login_as("system_admin", Some(towns[1].id)).await;
        assert_eq!(other.delete(&path).await.verdict(), "404 not_found");
        planner.delete(&path).await.ok();
        assert_eq!(planner.delete(&path).await.verdict(), "404 not_found");
        let gone = worker.get("/api/v1/facilities?code=P1").await.ok();
        assert_eq!(gone["items"], json!([]));
        let ctx = Ctx::system(&app.app, "test");
        let marks = app.app.read(&ctx, |_, tx| {
            let sql = "select count(*) from ledger_record where action like 'facility.%'";
            Ok(tx.query_one(sql, &[])?.get::<i64>(0)?)
        });
        assert_eq!(marks.await.unwrap(), 4);
        app.remove().await;
    }
}
