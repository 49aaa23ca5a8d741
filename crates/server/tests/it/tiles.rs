//! Tiles decoded as each role and held against a slow rule; what nobody finds on the public map; an edit shows in the next tile.

use crate::kit::{Answer, Client, PASSWORD, TestApp};
use crate::mvt::{Feature, decode};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use db::Backend;
use domain::geo::LonLat;
use serde_json::{Value, json};
use server::platform::{AreaId, CaseId};
use server::territory::Map;
use server::tiles::public;
use server::tiles::tile::{Tile, project};
use server::{demo, territory};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// Every tile of a zoom that the place lies in.
fn tiles(map: &Map, zoom: u8) -> Vec<(u32, u32)> {
    let [w, s, e, n] = map.bounds().unwrap();
    let bits = 30 - zoom;
    let at = |lon: f64, lat: f64| project(LonLat { lon, lat }).map(|n| (n >> bits) as u32);
    let ([left, top], [right, bottom]) = (at(w, n), at(e, s));
    (left..=right)
        .flat_map(|x| (top..=bottom).map(move |y| (x, y)))
        .collect()
}

async fn tile(client: &Client, path: &str) -> Answer {
    let answer = client.get(&format!("/api/v1/{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/vnd.mapbox-vector-tile");
    answer
}

/// All features of a layer over the place at a zoom. `base` is `tiles` or `portal/tiles`.
async fn crawl(app: &TestApp, client: &Client, base: &str, layer: &str, zoom: u8, query: &str) -> Vec<Feature> {
    let mut found = Vec::new();
    for (x, y) in tiles(&territory::current(&app.app), zoom) {
        let answer = tile(client, &format!("{base}/{layer}/{zoom}/{x}/{y}{query}")).await;
        let expected = if base == "tiles" {
            "no-store"
        } else {
            "public, max-age=60"
        };
        assert_eq!(answer.header("cache-control"), expected);
        let mut layers = decode(&answer.body);
        found.extend(layers.remove(layer).unwrap_or_default());
        assert!(
            layers.keys().all(|name| layer == "areas" && name == "area_names"),
            "{layers:?}"
        );
    }
    found
}

fn values(features: &[Feature], key: &str) -> BTreeSet<String> {
    features.iter().map(|one| one.text(key)).collect()
}

async fn list(client: &Client, path: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/v1/{path}&limit=200{after}")).await.ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// Every tile, decoded as each role, holds what the role may see and nothing else: by the codes of the areas for what stands there, by the list
/// for cases. (T11)
#[tokio::test]
async fn each_role_gets_what_its_scope_holds() {
    for backend in BACKENDS {
        let app = TestApp::demo(backend).await;
        demo::make_cases(&app.app, 1, 12).await.expect("the cases are made");
        let map = territory::current(&app.app);
        let (town, grid) = {
            let first = |level: &str| map.areas().iter().find(|area| area.level == level).unwrap().clone();
            (first("town"), first("grid"))
        };
        let everything = app.login_as("system_admin", None).await;
        let facilities = list(&everything, "facilities?").await;
        let codes = |audience: &str, below: &str| -> BTreeSet<String> {
            let of = |one: &&Value| {
                let code = one["code"].as_str().unwrap();
                one["audience"] == audience && code.starts_with(below)
            };
            facilities
                .iter()
                .filter(of)
                .map(|one| one["code"].as_str().unwrap().to_owned())
                .collect()
        };
        let public = codes("public", "");
        let with = |below: Option<&str>| -> BTreeSet<String> {
            let Some(below) = below else { return public.clone() };
            let own = codes("partner", below).into_iter().chain(codes("staff", below));
            public.iter().cloned().chain(own).collect()
        };
        let under = |top: Option<AreaId>| -> BTreeSet<String> {
            let of = |area: &&territory::Area| top.is_none_or(|top| map.is_under(area.id, top));
            map.areas().iter().filter(of).map(|area| area.code.clone()).collect()
        };

        let visitor = app.visitor();
        let seen = crawl(&app, &visitor, "portal/tiles", "facilities", 14, "").await;
        assert_eq!(values(&seen, "code"), public, "anybody sees what is public");
        let seen = crawl(&app, &visitor, "portal/tiles", "areas", 14, "").await;
        assert_eq!(values(&seen, "code"), under(None));
        assert_eq!(
            visitor.get("/api/v1/tiles/areas/14/0/0").await.verdict(),
            "401 unauthenticated"
        );

        // The codes of facilities begin with the code of their community, so the top of a grid sees nothing more of them there.
        for (role, top, below) in [
            ("supervisor", None, Some(demo::CITY)),
            ("grid_worker", Some(town.id), Some(town.code.as_str())),
            ("planner", Some(town.id), Some(town.code.as_str())),
            ("personnel", None, None),
        ] {
            let who = app.login_as(role, top).await;
            let seen = crawl(&app, &who, "tiles", "facilities", 14, "").await;
            assert_eq!(values(&seen, "code"), with(below), "{backend:?} {role}");
            let listed = list(&who, "facilities?").await;
            let listed: BTreeSet<String> = listed
                .iter()
                .map(|one| one["code"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(values(&seen, "code"), listed, "tiles and lists agree: {role}");
            let seen = crawl(&app, &who, "tiles", "areas", 13, "").await;
            let expected = if below.is_some() { under(top) } else { BTreeSet::new() };
            assert_eq!(values(&seen, "code"), expected, "{role}");
        }

        for who in [
            app.login_as("supervisor", None).await,
            app.login_as("grid_worker", Some(grid.id)).await,
            app.sign_in("handler", PASSWORD).await,
        ] {
            let open = list(&who, "cases?state=open").await;
            let placed = open.iter().filter(|case| case["lon"].is_number());
            let ids: BTreeSet<String> = placed.map(|case| case["id"].as_str().unwrap().to_owned()).collect();
            let near = crawl(&app, &who, "tiles", "cases", 15, "?state=open").await;
            assert_eq!(values(&near, "id"), ids, "{backend:?}");
            assert_eq!(near.len(), ids.len(), "each once");
            for zoom in [9, 12] {
                let far = crawl(&app, &who, "tiles", "cases", zoom, "?state=open").await;
                assert_eq!(far.iter().map(Feature::count).sum::<u64>(), ids.len() as u64, "{zoom}");
            }
        }
        let none = app.login_as("personnel", None).await;
        let (x, y) = tiles(&map, 12)[0];
        assert_eq!(
            none.get(&format!("/api/v1/tiles/cases/12/{x}/{y}")).await.verdict(),
            "403 forbidden"
        );
        app.remove().await;
    }
}

/// The shape that arrives is the shape that was kept: areas cover the same ground at every zoom, and with the names of what lies there.
#[tokio::test]
async fn the_ground_of_an_area_arrives_whole() {
    let app = TestApp::demo(Backend::Sqlite).await;
    let map = territory::current(&app.app);
    let visitor = app.visitor();
    let mut sizes: BTreeMap<u8, f64> = BTreeMap::new();
    for zoom in [10, 12, 14] {
        let seen = crawl(&app, &visitor, "portal/tiles", "areas", zoom, "").await;
        // Rings are cut at the buffer, so ground near edges comes twice: only what lies in one tile whole is compared.
        let city: Vec<&Feature> = seen.iter().filter(|one| one.text("code") == demo::CITY).collect();
        assert!(!city.is_empty());
        let rings = city.iter().flat_map(|one| &one.parts);
        let area: i64 = rings.map(|ring| crate::mvt::doubled_area(ring)).sum();
        sizes.insert(zoom, area as f64 / 2.0 / 4f64.powi(i32::from(zoom)));
    }
    let (most, least) = sizes
        .values()
        .fold((0f64, f64::MAX), |(m, l), n| (m.max(*n), l.min(*n)));
    assert!(most / least < 1.15, "{sizes:?}");
    let names = {
        let [x, y] = project(
            map.areas()
                .iter()
                .find(|area| area.level == "town")
                .unwrap()
                .center
                .unwrap(),
        )
        .map(|n| n >> 20);
        let answer = tile(&visitor, &format!("portal/tiles/areas/10/{x}/{y}")).await;
        decode(&answer.body).remove("area_names").unwrap()
    };
    assert!(
        names
            .iter()
            .any(|one| one.text("level") == "town" && !one.text("name").is_empty())
    );
    app.remove().await;
}

/// On the public map there are counts of squares of a fixed grid and nothing else: none below ten, none that subtracting leads to, the same
/// squares however often they are asked for.
#[tokio::test]
async fn a_visitor_finds_no_single_case_on_the_public_map() {
    for backend in BACKENDS {
        let app = TestApp::demo(backend).await;
        let map = territory::current(&app.app);
        let clerk = app.sign_in("clerk", PASSWORD).await;
        let grids: Vec<LonLat> = map
            .areas()
            .iter()
            .filter(|a| a.level == "grid")
            .filter_map(|a| a.center)
            .collect();
        // Many in one square, few in others, enough in a third, and one of a kind that is not public.
        let mut counts: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        for (at, n, code) in [
            (0, 23, "0204"),
            (40, 12, "0301"),
            (41, 3, "0204"),
            (70, 14, "0204"),
            (90, 20, "0301"),
            (80, 11, "0105"),
        ] {
            for _ in 0..n {
                let id: CaseId = app.app.new_id();
                let body = json!({ "id": id, "channel": "phone", "body": format!("路灯不亮 {id}"), "category_code": code,
                    "lon": grids[at].lon, "lat": grids[at].lat });
                clerk.post("/api/v1/cases", body).await.ok();
                if code != "0105" {
                    *counts.entry(grids[at].cell()).or_default() += 1;
                }
            }
        }
        let expected = public::told(&counts.clone().into_iter().collect::<Vec<_>>());
        assert!(expected.iter().all(|size| !size.is_empty()));
        let visitor = app.visitor();
        app.advance_minutes(1);
        for zoom in [0, 5, 9, 10, 11, 12, 13, 14, 15] {
            let seen = crawl(&app, &visitor, "portal/tiles", "cases", zoom, "").await;
            let mut told: Vec<u64> = seen.iter().map(Feature::count).collect();
            told.sort_unstable();
            let mut rule: Vec<u64> = expected[public::size_at(zoom)].values().copied().collect();
            rule.sort_unstable();
            assert_eq!(told, rule, "{backend:?} at {zoom}");
            for one in &seen {
                assert_eq!(
                    one.properties.keys().collect::<Vec<_>>(),
                    ["count"],
                    "nothing of a case"
                );
                assert!(one.count() >= 10);
            }
        }
        // The cases themselves are in no tile for visitors, and a partner's key opens none either.
        let [x, y] = project(grids[0]).map(|n| n >> 14);
        let near = tile(&visitor, &format!("portal/tiles/cases/16/{x}/{y}")).await;
        assert!(!String::from_utf8_lossy(&near.body).contains("路灯"));
        // What arrives within the minute is not to be watched.
        let before = tile(&visitor, &format!("portal/tiles/cases/14/{}/{}", x >> 2, y >> 2)).await;
        for _ in 0..7 {
            let id: CaseId = app.app.new_id();
            let body = json!({ "id": id, "channel": "phone", "body": format!("路灯不亮 {id}"), "category_code": "0204",
                "lon": grids[0].lon, "lat": grids[0].lat });
            clerk.post("/api/v1/cases", body).await.ok();
        }
        let path = format!("portal/tiles/cases/14/{}/{}", x >> 2, y >> 2);
        assert_eq!(tile(&visitor, &path).await.body, before.body);
        app.advance_minutes(1);
        let after = tile(&visitor, &path).await;
        assert_ne!(after.body, before.body);
        let request = visitor.request(Method::GET, &format!("/api/v1/{path}"));
        let request = request.header(header::IF_NONE_MATCH, after.header("etag"));
        let known = visitor.raw(request.body(Body::empty()).unwrap()).await;
        assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
        app.remove().await;
    }
}

/// What is changed shows in the next tile, also of another process on the same database and of one that begins afterwards.
#[tokio::test]
async fn an_edit_shows_in_the_next_tile_of_every_process() {
    for backend in BACKENDS {
        let app = TestApp::demo(backend).await;
        let map = territory::current(&app.app);
        let grid = map.areas().iter().find(|area| area.level == "grid").unwrap().clone();
        let at = grid.center.unwrap();
        let admin = app.login_as("system_admin", None).await;
        let other = app.another_process(&admin).await;
        let [x, y] = project(at).map(|n| n >> 14);
        let facilities = format!("tiles/facilities/16/{x}/{y}");
        let areas = format!("tiles/areas/16/{x}/{y}");
        let names = async |client: &Client, path: &str, layer: &str| {
            let layers = decode(&tile(client, path).await.body);
            values(layers.get(layer).map_or(&[][..], Vec::as_slice), "name")
        };
        let put = async |name: &str| {
            let csv = format!("code,name,kind,lon,lat\nX1,{name},公园,{},{}\n", at.lon, at.lat);
            let request = admin.request(Method::POST, "/api/v1/facilities/import?datum=wgs84");
            let request = request
                .header("x-wangge-client", "desk")
                .header(header::CONTENT_TYPE, "text/csv");
            admin.raw(request.body(Body::from(csv)).unwrap()).await.ok()
        };
        assert!(!names(&other, &facilities, "facilities").await.contains("东园"));
        put("东园").await;
        for client in [&admin, &other] {
            assert!(
                names(client, &facilities, "facilities").await.contains("东园"),
                "{backend:?}"
            );
        }
        put("西园").await;
        for client in [&admin, &other] {
            let seen = names(client, &facilities, "facilities").await;
            assert!(seen.contains("西园") && !seen.contains("东园"), "{seen:?}");
        }
        let found = list(&admin, "facilities?code=X1").await;
        admin
            .delete(&format!("/api/v1/facilities/{}", found[0]["id"].as_str().unwrap()))
            .await
            .ok();
        let late = app.another_process(&admin).await;
        for client in [&admin, &other, &late] {
            assert!(!names(client, &facilities, "facilities").await.contains("西园"));
        }
        let path = format!("/api/v1/areas/{}", grid.id);
        admin.patch(&path, json!({ "name": "新名网格" })).await.ok();
        for client in [&admin, &other, &late] {
            assert!(names(client, &areas, "areas").await.contains("新名网格"), "{backend:?}");
        }
        app.remove().await;
    }
}

#[tokio::test]
async fn tiles_that_do_not_exist_are_refused() {
    let app = TestApp::demo(Backend::Sqlite).await;
    let staff = app.login_as("supervisor", None).await;
    for base in ["tiles", "portal/tiles"] {
        for (path, verdict) in [
            ("areas/19/0/0", "422 tile_outside"),
            ("areas/3/8/0", "422 tile_outside"),
            ("areas/3/0/8", "422 tile_outside"),
            ("areas/-1/0/0", "422 tile_outside"),
            ("areas/3/0/0.5", "422 tile_outside"),
            ("areas/300/0/0", "422 tile_outside"),
            ("persons/3/0/0", "404 not_found"),
        ] {
            assert_eq!(
                staff.get(&format!("/api/v1/{base}/{path}")).await.verdict(),
                verdict,
                "{path}"
            );
        }
        assert!(tile(&staff, &format!("{base}/facilities/12/0/0")).await.body.is_empty());
    }
    let bad = staff.get("/api/v1/tiles/cases/3/0/0?state=nonsense").await;
    assert_eq!(bad.verdict(), "422 state_unknown");
    app.remove().await;
}

/// GDAL reads a tile as we do.
#[tokio::test]
async fn gdal_reads_the_same_features() {
    let app = TestApp::demo(Backend::Sqlite).await;
    let staff = app.login_as("supervisor", None).await;
    let map = territory::current(&app.app);
    let at = map
        .areas()
        .iter()
        .find(|area| area.level == "grid")
        .unwrap()
        .center
        .unwrap();
    let [x, y] = project(at).map(|n| n >> 16);
    assert!(Tile::new(14, x as u32, y as u32).is_some());
    let folder = tempfile::tempdir().unwrap();
    for layer in ["areas", "facilities"] {
        let answer = tile(&staff, &format!("tiles/{layer}/14/{x}/{y}")).await;
        let file = folder.path().join(format!("{layer}.mvt"));
        std::fs::write(&file, &answer.body).unwrap();
        let place = [format!("X={x}"), format!("Y={y}"), "Z=14".to_owned()];
        let done = Command::new("ogrinfo")
            .args(["-ro", "-so", "-al"])
            .args(place.iter().flat_map(|one| ["-oo", one.as_str()]))
            .arg(&file)
            .output()
            .expect("script/setup installs gdal-bin");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let counts: Vec<usize> = said
            .lines()
            .filter_map(|line| line.strip_prefix("Feature Count: "))
            .map(|n| n.parse().unwrap())
            .collect();
        let ours: Vec<usize> = decode(&answer.body).values().map(Vec::len).collect();
        let sum = |all: &[usize]| all.iter().sum::<usize>();
        assert!(sum(&ours) > 0);
        assert_eq!(
            sum(&counts),
            sum(&ours),
            "{said} {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    app.remove().await;
}
