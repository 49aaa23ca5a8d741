//! Dwellings and plans over HTTP: import with a dry run first, drawing as a job, painting, locking, what cannot be met, who sees what.

use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use db::Backend;
use serde_json::{Value, json};
use server::platform::jobs;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// South-west corner of the first community of the tests, and how wide and high the communities are, in degrees.
const CORNER: (f64, f64) = (122.30, 29.90);
const SIDE: f64 = 0.02;
const SECOND: &str = "330902001002";

/// Borders for the community (and its one grid, the western half), and a second community east of it.
async fn borders(planner: &Client) {
    let square = |code: &str, name: &str, x: f64, wide: f64| {
        let (w, s) = (CORNER.0 + x * SIDE, CORNER.1);
        let (e, n) = (w + wide * SIDE, s + SIDE);
        json!({ "type": "Feature", "properties": { "code": code, "name": name },
            "geometry": { "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] } })
    };
    let all = json!({ "type": "FeatureCollection", "features": [
        square("330902001001", "海印社区", 0.0, 1.0), square("330902001001001", "第一网格", 0.0, 0.5), square(SECOND, "海星社区", 1.0, 1.0),
    ] });
    upload(planner, &all).await;
}

async fn upload(who: &Client, collection: &Value) {
    let request = who.request(Method::POST, "/api/v1/areas/import?datum=wgs84");
    let request = request
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/geo+json");
    let done = who
        .raw(request.body(Body::from(collection.to_string())).expect("a request"))
        .await
        .ok();
    assert_eq!(done["problems"], json!([]), "{done}");
}

/// Addresses on a lattice of `across` by `up` in the community at `x`; households by place.
fn addresses(prefix: &str, x: f64, across: usize, up: usize, households: impl Fn(usize) -> usize) -> String {
    let mut list = String::new();
    for at in 0..across * up {
        let (i, j) = (at % across, at / across);
        let step = |n: usize, of: usize| (n as f64 + 0.5) / of as f64 * SIDE;
        // A little off the lattice, so that no four are on a circle.
        let (dx, dy) = ((at * 37 % 11) as f64 * 1e-5, (at * 53 % 13) as f64 * 1e-5);
        let (lon, lat) = (CORNER.0 + x * SIDE + step(i, across) + dx, CORNER.1 + step(j, up) + dy);
        let n = households(at);
        let _ = writeln!(
            list,
            "{prefix}{at},{lon:.6},{lat:.6},{n},{},{},村{}",
            n * 3,
            usize::from(at % 7 == 0),
            i / 3
        );
    }
    list
}

const HEAD: &str = "code,lon,lat,households,pop,enterprises,village\n";

fn town() -> String {
    format!("{HEAD}{}", addresses("A", 0.0, 12, 10, |at| 8 + at % 5))
}

async fn import(who: &Client, query: &str, body: Value) -> Value {
    who.post(&format!("/api/v1/dwellings/import?{query}"), body).await.ok()
}

async fn furnished(app: &TestApp) -> Client {
    let planner = app.login_as("planner", Some(CITY)).await;
    borders(&planner).await;
    let done = import(&planner, "", json!({ "buildings": town(), "datum": "wgs84" })).await;
    assert_eq!(
        (&done["created"], &done["problems"]),
        (&json!(120), &json!([])),
        "{done}"
    );
    planner
}

/// Makes a plan and has it drawn.
async fn made(app: &TestApp, who: &Client, body: Value) -> Value {
    let answer = who.post("/api/v1/plans", body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    jobs::run_due(&app.app).await.expect("jobs run");
    who.get(&format!("/api/v1/plans/{id}")).await.ok()
}

fn path(plan: &Value, rest: &str) -> String {
    format!("/api/v1/plans/{}{rest}", plan["id"].as_str().expect("an id"))
}

fn drawn(area: impl ToString, options: Value) -> Value {
    json!({ "name": "方案甲", "area_id": area.to_string(), "origin": "draw", "options": options })
}

async fn units(who: &Client, plan: &Value, community: impl ToString) -> Vec<Value> {
    let found = who
        .get(&path(plan, &format!("/dwellings?community={}", community.to_string())))
        .await
        .ok();
    found["items"].as_array().expect("a list").clone()
}

async fn grids(who: &Client, plan: &Value) -> Vec<Value> {
    let found = who.get(&path(plan, "/grids?limit=200")).await.ok();
    found["items"].as_array().expect("a list").clone()
}

/// Of each grid its dwellings; none may be in no grid.
fn members(units: &[Value]) -> BTreeMap<u64, BTreeSet<String>> {
    let mut all: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for one in units {
        let no = one["no"].as_u64().expect("every dwelling is in a grid");
        all.entry(no)
            .or_default()
            .insert(one["id"].as_str().expect("an id").to_owned());
    }
    all
}

/// The dry run tells what would happen and changes nothing; then dwellings have their community, their grid and their neighbours.
#[tokio::test]
async fn dwellings_are_tried_first_then_imported() {
    each_backend(async |app| {
        let planner = app.login_as("planner", Some(CITY)).await;
        borders(&planner).await;
        let body = json!({ "buildings": town(), "datum": "wgs84" });
        let tried = import(&planner, "dry_run=true", body.clone()).await;
        assert_eq!(
            (&tried["created"], &tried["communities"]),
            (&json!(120), &json!(1)),
            "{tried}"
        );
        let summary = format!("/api/v1/dwellings/summary?area={EAST}");
        assert_eq!(planner.get(&summary).await.ok()["dwellings"], 0);
        import(&planner, "", body.clone()).await;
        let found = planner.get(&summary).await.ok();
        let households: usize = (0..120).map(|at| 8 + at % 5).sum();
        assert_eq!(
            (&found["dwellings"], &found["households"]),
            (&json!(120), &json!(households)),
            "{found}"
        );
        assert_eq!(found["without_grid"], 60, "the eastern half has no grid");
        assert!(found["links"].as_i64().unwrap() > 220, "{found}");
        // The same again replaces; what the file lacks ends.
        let fewer: String = town().lines().take(101).map(|line| format!("{line}\n")).collect();
        let done = import(&planner, "", json!({ "buildings": fewer, "datum": "wgs84" })).await;
        assert_eq!(
            (&done["created"], &done["replaced"], &done["ended"]),
            (&json!(0), &json!(100), &json!(20))
        );
        let page = planner
            .get(&format!("/api/v1/dwellings?area={EAST_GRID}&limit=200"))
            .await
            .ok();
        assert_eq!(page["items"].as_array().unwrap().len(), 52, "the western half");
        let coded = |code: &str| {
            let all = page["items"].as_array().unwrap();
            all.iter().find(|one| one["code"] == code).unwrap()["id"]
                .as_str()
                .unwrap()
        };
        // Far from each other.
        let (id, other) = (coded("A0"), coded("A52"));
        let done = planner
            .patch(&format!("/api/v1/dwellings/{id}"), json!({ "households": 40 }))
            .await
            .ok();
        assert_eq!(done["households"], 40);
        let bad = planner
            .patch(&format!("/api/v1/dwellings/{id}"), json!({ "households": -1 }))
            .await;
        assert_eq!(bad.verdict(), "422 dwelling_bad_number");
        let links = planner.get(&summary).await.ok()["links"].as_i64().unwrap();
        let put = planner
            .put(
                &format!("/api/v1/dwellings/{id}/links"),
                json!({ "v": other, "barrier": true }),
            )
            .await;
        assert_eq!(put.status.as_u16(), 204, "{}", put.text());
        assert_eq!(planner.get(&summary).await.ok()["links"], links + 1);
        // What a person said of a pair outlives the next import.
        import(&planner, "", json!({ "buildings": fewer, "datum": "wgs84" })).await;
        assert_eq!(planner.get(&summary).await.ok()["links"], links + 1);
        let gone = planner.delete(&format!("/api/v1/dwellings/{id}/links?v={other}")).await;
        assert_eq!(gone.status.as_u16(), 204);
        assert_eq!(planner.get(&summary).await.ok()["links"], links);
        // One that is found in the other community leaves this one, with its links.
        let (lon, lat) = (CORNER.0 + 1.5 * SIDE, CORNER.1 + 0.41 * SIDE);
        let other_list = format!("{HEAD}{}A0,{lon},{lat},9,27,0,村9\n", addresses("B", 1.0, 4, 4, |_| 9));
        let done = import(&planner, "", json!({ "buildings": other_list, "datum": "wgs84" })).await;
        assert_eq!(
            (&done["created"], &done["replaced"], &done["ended"]),
            (&json!(16), &json!(1), &json!(0))
        );
        let found = planner.get(&summary).await.ok();
        let sizes: Vec<i64> = found["communities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["dwellings"].as_i64().unwrap())
            .collect();
        assert_eq!((sizes, &found["dwellings"]), (vec![99, 17], &json!(116)), "{found}");
        let first = found["communities"][0]["links"].as_i64().unwrap();
        assert!(first < links, "the links of one that left are gone: {first} {links}");
        let itself = planner
            .put(&format!("/api/v1/dwellings/{id}/links"), json!({ "v": id }))
            .await;
        assert_eq!(itself.verdict(), "422 dwelling_link_apart");
    })
    .await;
}

/// A total for the community is shared by floor area, and the assumption is said.
#[tokio::test]
async fn a_total_is_shared_out_and_said_so() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    borders(&planner).await;
    let list: String = addresses("A", 0.0, 6, 5, |_| 0)
        .lines()
        .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    let body = json!({ "buildings": format!("code,lon,lat\n{list}"), "datum": "wgs84", "households_total": 301 });
    let done = import(&planner, "", body).await;
    assert_eq!(
        (&done["households"], &done["spread"]),
        (&json!(301), &json!(30)),
        "{done}"
    );
    assert!(done["assumptions"].to_string().contains("301"), "{done}");
    app.remove().await;
}

/// Two tables that somebody else made; every fault names its row, and nothing is changed.
#[tokio::test]
async fn a_graph_of_ones_own_is_taken_or_refused_by_row() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    let nodes = "id,lon,lat,region,households\na,122.1,29.9,330902001001,120\nb,122.2,29.9,海印社区,130\n";
    let edges = "u,v,shared_perim,w,barrier\na,b,10,1,0\n";
    let send = async |nodes: &str, edges: &str| {
        let body = json!({ "nodes": nodes, "edges": edges, "datum": "wgs84" });
        planner.post("/api/v1/dwellings/import", body).await
    };
    for (nodes, edges, code) in [
        (nodes.replace(",130", ",-1"), edges.to_owned(), "dwelling_row_number"),
        (nodes.replace(",130", ",NaN"), edges.to_owned(), "dwelling_row_number"),
        (
            nodes.replace("29.9,海", "99.9,海"),
            edges.to_owned(),
            "dwelling_row_position",
        ),
        (nodes.replace("b,", "a,"), edges.to_owned(), "dwelling_row_twice"),
        (nodes.to_owned(), edges.replace("a,b", "a,c"), "dwelling_row_nowhere"),
        (nodes.to_owned(), edges.replace("a,b", "a,a"), "dwelling_row_loop"),
        (nodes.replace("region", "place"), edges.to_owned(), "csv_columns"),
    ] {
        let answer = send(&nodes, &edges).await;
        assert_eq!(answer.verdict(), format!("422 {code}"));
    }
    let elsewhere = send(&nodes.replace("海印社区", "无此社区"), edges).await.ok();
    assert_eq!(elsewhere["problems"][0]["code"], "dwelling_unknown_community");
    assert_eq!(elsewhere["problems"][0]["row"], 2);
    let none = planner
        .post("/api/v1/dwellings/import", json!({ "datum": "wgs84" }))
        .await;
    assert_eq!(none.verdict(), "422 dwelling_no_files");
    let done = send(nodes, edges).await.ok();
    assert_eq!((&done["created"], &done["links"]), (&json!(2), &json!(1)), "{done}");
    let plan = made(&app, &planner, drawn(EAST_COMMUNITY, json!({}))).await;
    assert_eq!(
        (&plan["phase"], &plan["figures"]["grids"]),
        (&json!("ready"), &json!(1)),
        "{plan}"
    );
    app.remove().await;
}

/// Of two tables only positions are known: each dwelling gets the ground nearest to it, within the border of its community,
/// the links stay those of the table, and the grids have outlines that fill the community.
#[tokio::test]
async fn positions_alone_have_ground() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    borders(&planner).await;
    let (across, up) = (8, 6);
    let mut nodes = "id,lon,lat,region,households\n".to_owned();
    let mut edges = "u,v,shared_perim,w,barrier\n".to_owned();
    for at in 0..across * up {
        let (i, j) = (at % across, at / across);
        let place =
            |n: usize, of: usize, from: f64| from + (n as f64 + 0.5) / of as f64 * SIDE + (at * 37 % 11) as f64 * 1e-5;
        let (lon, lat) = (place(i, across, CORNER.0), place(j, up, CORNER.1));
        let _ = writeln!(nodes, "T{at},{lon:.6},{lat:.6},海印社区,20");
        if i + 1 < across {
            let _ = writeln!(edges, "T{at},T{},77,1,0", at + 1);
        }
        if j + 1 < up {
            let _ = writeln!(edges, "T{at},T{},55,1,0", at + across);
        }
    }
    let _ = writeln!(nodes, "away,{},{},海印社区,20", CORNER.0 - 0.01, CORNER.1);
    edges.push_str("T0,away,10,1,0\n");
    let sent = json!({ "nodes": nodes, "edges": edges, "datum": "wgs84" });
    let done = import(&planner, "", sent).await;
    assert_eq!((&done["created"], &done["links"]), (&json!(49), &json!(83)), "{done}");
    assert!(done["warnings"][0].as_str().unwrap().contains("1 dwellings"), "{done}");
    let plan = made(&app, &planner, drawn(EAST_COMMUNITY, json!({}))).await;
    assert_eq!(plan["phase"], "ready", "{plan}");
    let houses = planner
        .get(&path(&plan, &format!("/dwellings?community={EAST_COMMUNITY}")))
        .await
        .ok();
    let without = houses["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["cell"].is_null());
    assert_eq!(
        without.map(|one| one["code"].clone()).collect::<Vec<_>>(),
        ["away"],
        "{houses}"
    );
    let links = planner
        .get(&path(&plan, &format!("/links?community={EAST_COMMUNITY}")))
        .await
        .ok();
    assert_eq!(links["items"].as_array().map(Vec::len), Some(83), "{links}");
    let map = planner.get(&path(&plan, "/map")).await.ok();
    let outlines = map["features"].as_array().unwrap();
    assert!(
        (3..=6).contains(&outlines.len()),
        "their ground is as large as it is: {map}"
    );
    assert!(outlines.iter().all(|one| one["geometry"].is_object()), "{map} {houses}");
    let area: f64 = outlines
        .iter()
        .flat_map(|one| one["geometry"]["coordinates"].as_array().unwrap().clone())
        .flat_map(|polygon| polygon.as_array().unwrap().clone())
        .map(|ring| {
            let ring: Vec<[f64; 2]> = serde_json::from_value(ring).unwrap();
            ring.windows(2)
                .map(|p| (p[0][0] - CORNER.0) * (p[1][1] - CORNER.1) - (p[1][0] - CORNER.0) * (p[0][1] - CORNER.1))
                .sum::<f64>()
                / 2.0
        })
        .sum();
    assert!((area - SIDE * SIDE).abs() < 1e-9, "{area}");
    app.remove().await;
}

/// Drawn by a job, passed by the checker, with names, codes and outlines; today's grids beside it; painted, locked, drawn anew around the lock.
#[tokio::test]
async fn a_plan_is_drawn_compared_painted_and_drawn_anew() {
    each_backend(async |app| {
        let planner = furnished(app).await;
        let plan = made(app, &planner, drawn(EAST, json!({ "keep_whole": "none" }))).await;
        assert_eq!(
            (&plan["phase"], &plan["check"]["passed"]),
            (&json!("ready"), &json!(true)),
            "{plan}"
        );
        let all = grids(&planner, &plan).await;
        assert!((4..=6).contains(&all.len()), "{all:?}");
        let households: i64 = all.iter().map(|grid| grid["households"].as_i64().unwrap()).sum();
        assert_eq!(plan["figures"]["households"], households);
        let codes: BTreeSet<&str> = all.iter().map(|grid| grid["code"].as_str().unwrap()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 15 && code.starts_with("330902001001"))
        );
        assert!(
            all.iter()
                .all(|grid| grid["name"].as_str().unwrap().contains("网格") && grid["in_band"] == true)
        );
        let map = planner.get(&path(&plan, "/map")).await.ok();
        let outlines = map["features"].as_array().unwrap();
        assert!(
            outlines
                .iter()
                .all(|feature| feature["geometry"]["type"] == "MultiPolygon"),
            "{map}"
        );
        let one_ring = |feature: &Value| feature["geometry"]["coordinates"].as_array().unwrap().len() == 1;
        assert!(outlines.iter().all(one_ring), "connected grids have one outline: {map}");
        let today = made(
            app,
            &planner,
            json!({ "name": "现状", "area_id": EAST, "origin": "today" }),
        )
        .await;
        assert_eq!(
            (&today["check"]["unplaced"], &today["check"]["passed"]),
            (&json!(60), &json!(false)),
            "{today}"
        );
        let copy = json!({ "name": "副本", "area_id": EAST, "origin": "copy", "from_plan_id": plan["id"] });
        let copy = made(app, &planner, copy).await;
        assert_eq!(copy["figures"], plan["figures"]);
        let ids = format!("{},{}", plan["id"].as_str().unwrap(), today["id"].as_str().unwrap());
        let compared = planner.get(&format!("/api/v1/plans/compare?ids={ids}")).await.ok();
        assert_eq!(compared["items"][0]["id"], plan["id"]);
        assert_eq!(
            planner.get(&format!("/api/v1/plans?area={EAST}")).await.ok()["items"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        painted_and_locked(app, &planner, &plan).await;
        // The copy is a plan of its own.
        assert_eq!(planner.get(&path(&copy, "")).await.ok()["figures"], plan["figures"]);
    })
    .await;
}

async fn painted_and_locked(app: &TestApp, planner: &Client, plan: &Value) {
    let before = units(planner, plan, EAST_COMMUNITY).await;
    let links = planner
        .get(&path(plan, &format!("/links?community={EAST_COMMUNITY}")))
        .await
        .ok();
    let no: BTreeMap<&str, u64> = before
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["no"].as_u64().unwrap()))
        .collect();
    let pairs: Vec<(&str, &str)> = links["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| link["barrier"] == false)
        .map(|link| (link["u"].as_str().unwrap(), link["v"].as_str().unwrap()))
        .collect();
    // A dwelling on a border that its grid can do without.
    let mut border = pairs.iter().filter(|(u, v)| no[u] != no[v]);
    let (moved, to) = loop {
        let (u, v) = border.next().expect("some dwelling can change sides");
        let stroke = json!({ "dwellings": [u], "to": no[v], "dry": true });
        let tried = planner.post(&path(plan, "/paint"), stroke).await.ok();
        if tried["allowed"] == true {
            break (*u, no[v]);
        }
    };
    assert_eq!(
        units(planner, plan, EAST_COMMUNITY).await,
        before,
        "trying changes nothing"
    );
    let done = planner
        .post(&path(plan, "/paint"), json!({ "dwellings": [moved], "to": to }))
        .await
        .ok();
    let after = units(planner, plan, EAST_COMMUNITY).await;
    let now = after.iter().find(|one| one["id"] == moved).unwrap();
    assert_eq!(now["no"], to);
    for grid in done["grids"].as_array().unwrap() {
        let stored = grids(planner, plan).await;
        let stored = stored.iter().find(|one| one["no"] == grid["no"]).unwrap();
        assert_eq!(
            (&stored["households"], &stored["in_band"]),
            (&grid["households"], &grid["in_band"])
        );
    }
    // A dwelling from the far end would stand alone.
    let alone = before.iter().find(|one| {
        let id = one["id"].as_str().unwrap();
        let near = |(u, v): &(&str, &str)| (*u == id && no[v] == to) || (*v == id && no[u] == to);
        no[id] != to && !pairs.iter().any(near)
    });
    let alone = alone.expect("a dwelling far away")["id"].clone();
    let broken = planner
        .post(&path(plan, "/paint"), json!({ "dwellings": [alone], "to": to }))
        .await;
    assert_eq!(broken.verdict(), "422 plan_paint_breaks");
    let nowhere = planner
        .post(&path(plan, "/paint"), json!({ "dwellings": [alone], "to": 999 }))
        .await;
    assert_eq!(nowhere.verdict(), "422 plan_no_grid");
    let named = planner
        .patch(
            &path(plan, &format!("/grids/{to}")),
            json!({ "name": "码头网格", "locked": true }),
        )
        .await
        .ok();
    assert_eq!((&named["name"], &named["locked"]), (&json!("码头网格"), &json!(true)));
    let kept = members(&after)[&to].clone();
    let back = planner
        .post(&path(plan, "/paint"), json!({ "dwellings": [moved], "to": null }))
        .await;
    assert_eq!(back.verdict(), "422 plan_paint_locked");
    for how in ["draw", "redraw"] {
        let asked = planner.post(&path(plan, "/draw"), json!({ "how": how })).await;
        assert_eq!(
            (asked.status.as_u16(), asked.json()["phase"].as_str()),
            (202, Some("waiting"))
        );
        let busy = planner.patch(&path(plan, ""), json!({ "name": "乙" })).await;
        assert_eq!(busy.verdict(), "409 plan_busy");
        jobs::run_due(&app.app).await.expect("jobs run");
        let units = units(planner, plan, EAST_COMMUNITY).await;
        assert_eq!(members(&units)[&to], kept, "a locked grid stays");
        let all = grids(planner, plan).await;
        let locked = all.iter().find(|grid| grid["no"] == to).unwrap();
        assert_eq!((&locked["name"], &locked["locked"]), (&json!("码头网格"), &json!(true)));
    }
    let asked = planner.post(&path(plan, "/draw"), json!({ "how": "draw" })).await;
    assert_eq!(asked.status.as_u16(), 202);
    assert_eq!(
        planner.post(&path(plan, "/cancel"), json!({})).await.status.as_u16(),
        202
    );
    jobs::run_due(&app.app).await.expect("jobs run");
    let stopped = planner.get(&path(plan, "")).await.ok();
    assert_eq!(stopped["phase"], "cancelled");
    assert_eq!(
        members(&units(planner, plan, EAST_COMMUNITY).await)
            .values()
            .map(BTreeSet::len)
            .sum::<usize>(),
        120
    );
    let said = planner
        .post(&path(plan, "/comments"), json!({ "text": "码头归这边好", "no": to }))
        .await;
    assert_eq!(said.status.as_u16(), 201);
    let comments = planner.get(&path(plan, "/comments")).await.ok();
    assert_eq!(comments["items"][0]["text"], "码头归这边好");
    let sheet = planner
        .get(&path(plan, &format!("/sheet?community={EAST_COMMUNITY}")))
        .await
        .ok();
    assert!(
        sheet["border"]["type"] == "MultiPolygon" && sheet["grids"][0]["outline"].is_object(),
        "{sheet}"
    );
    let dropped = planner.post(&path(plan, "/drop"), json!({})).await.ok();
    assert_eq!(dropped["state"], "dropped");
    let late = planner.post(&path(plan, "/draw"), json!({ "how": "draw" })).await;
    assert_eq!(late.verdict(), "409 plan_not_a_draft");
}

/// A community of 310 households has no grids of 200 to 300; the reason is proved and said in words.
#[tokio::test]
async fn what_cannot_be_met_is_said_with_its_reason() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    borders(&planner).await;
    let list = format!("{HEAD}{}", addresses("A", 0.0, 31, 1, |_| 10));
    import(&planner, "", json!({ "buildings": list, "datum": "wgs84" })).await;
    let band = json!({ "urban": [{ "measure": "households", "lo": 200, "hi": 300 }] });
    let plan = made(&app, &planner, drawn(EAST, band)).await;
    assert_eq!(
        (&plan["phase"], &plan["check"]["passed"]),
        (&json!("ready"), &json!(false)),
        "{plan}"
    );
    assert_eq!(plan["reasons"][0]["verdict"], "sum");
    assert!(
        plan["reasons"][0]["message"].as_str().unwrap().contains("310"),
        "{plan}"
    );
    // Of two bands one is enough: 930 people.
    let either = json!({ "urban": [
        { "measure": "households", "lo": 200, "hi": 300 }, { "measure": "people", "lo": 900, "hi": 1500 },
    ] });
    let plan = made(&app, &planner, drawn(EAST, either)).await;
    assert_eq!(
        (&plan["check"]["passed"], &plan["figures"]["grids"]),
        (&json!(true), &json!(1)),
        "{plan}"
    );
    // A weighted measure: 310 households and 5 enterprises of 40 points.
    let weighted = json!({
        "urban": [{ "measure": "weighted", "lo": 200, "hi": 300 }],
        "weights": { "hectare": 0, "person": 0, "household": 1, "enterprise": 40 },
    });
    let plan = made(&app, &planner, drawn(EAST, weighted)).await;
    assert_eq!(
        (&plan["check"]["passed"], &plan["figures"]["grids"]),
        (&json!(true), &json!(2)),
        "{plan}"
    );
    for bad in [
        json!({ "urban": [{ "measure": "virtue", "lo": 1, "hi": 2 }] }),
        json!({ "urban": [{ "measure": "households", "lo": 3, "hi": 2 }] }),
    ] {
        let answer = planner.post("/api/v1/plans", drawn(EAST, bad)).await;
        assert_eq!(answer.verdict(), "422 plan_bad_band");
    }
    app.remove().await;
}

/// Somebody else's count of a plan: which grids there are, with their dwellings.
async fn counted(who: &Client, plan: &Value, communities: &[String]) -> BTreeMap<u64, Vec<Value>> {
    let mut all: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for community in communities {
        for one in units(who, plan, community).await {
            assert_eq!(&one["community_id"], community, "{one}");
            all.entry(one["no"].as_u64().expect("a grid")).or_default().push(one);
        }
    }
    all
}

fn sum(of: &[Value], key: &str) -> f64 {
    of.iter().map(|one| one[key].as_f64().expect("a number")).sum()
}

/// Square degrees within the rings of a geometry.
fn ground(shape: &Value) -> f64 {
    let ring = |ring: &Value| {
        let points: Vec<(f64, f64)> = ring
            .as_array()
            .unwrap()
            .iter()
            .map(|at| (at[0].as_f64().unwrap(), at[1].as_f64().unwrap()))
            .collect();
        points
            .windows(2)
            .map(|two| two[0].0 * two[1].1 - two[1].0 * two[0].1)
            .sum::<f64>()
            / 2.0
    };
    let rings = shape["coordinates"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|polygon| polygon.as_array().unwrap());
    rings.map(ring).sum::<f64>().abs()
}

async fn codes(who: &Client) -> Vec<String> {
    let found = who.get(&format!("/api/v1/dwellings/summary?area={EAST}")).await.ok();
    found["communities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["area_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Grids of 300 to 500 households or 1,000 to 1,500 people, whichever holds; how alike they are is measured; their borders leave no gap and
/// lie over nobody else's ground.
///
/// Clause LH-01
#[tokio::test]
async fn households_or_people_and_alike_and_without_gaps() {
    each_backend(async |app| {
        let planner = furnished(app).await;
        // Few households of many people: in the band of people only.
        let lodgings: String = addresses("L", 1.0, 8, 5, |_| 6).replace(",6,18,", ",6,30,");
        import(
            &planner,
            "",
            json!({ "buildings": format!("{HEAD}{lodgings}"), "datum": "wgs84" }),
        )
        .await;
        let either = json!({ "keep_whole": "none", "urban": [
            { "measure": "households", "lo": 300, "hi": 500 }, { "measure": "people", "lo": 1000, "hi": 1500 },
        ] });
        let plan = made(app, &planner, drawn(EAST, either)).await;
        assert_eq!(plan["check"]["passed"], true, "{plan}");
        let all = counted(&planner, &plan, &codes(&planner).await).await;
        let households: Vec<f64> = all.values().map(|of| sum(of, "households")).collect();
        let held = |of: &Vec<Value>| {
            (
                (300.0..=500.0).contains(&sum(of, "households")),
                (1000.0..=1500.0).contains(&sum(of, "people")),
            )
        };
        assert!(
            all.values().map(held).all(|(one, other)| one || other),
            "{households:?}"
        );
        assert!(
            all.values().map(held).any(|one| one == (false, true)),
            "the second band is used where the first cannot hold"
        );
        let mean = households.iter().sum::<f64>() / households.len() as f64;
        let spread =
            (households.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / households.len() as f64).sqrt() / mean;
        assert!(
            (plan["figures"]["spread"].as_f64().unwrap() - spread).abs() < 1e-9,
            "{plan}"
        );
        let map = planner.get(&path(&plan, "/map")).await.ok();
        let shapes: Vec<&Value> = map["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["geometry"])
            .collect();
        let covered: f64 = shapes.iter().map(|shape| ground(shape)).sum();
        assert!(
            shapes.len() == all.len() && (covered / (2.0 * SIDE * SIDE) - 1.0).abs() < 1e-3,
            "{covered}"
        );
    })
    .await;
}

/// Land, people, households and enterprises at once, by weights, inside the borders of two villages; every dwelling lies in exactly one grid,
/// and the proof of it fails as soon as there is one more.
///
/// Clause MG-01
#[tokio::test]
async fn several_weighted_measures_cover_every_dwelling_once() {
    each_backend(async |app| {
        let planner = furnished(app).await;
        let list = |n: usize| format!("{HEAD}{}", addresses("B", 1.0, 10, n, |at| 7 + at % 4));
        import(&planner, "", json!({ "buildings": list(8), "datum": "wgs84" })).await;
        let (lo, hi) = (700.0, 1100.0);
        let options = json!({
            "keep_whole": "none", "urban": [{ "measure": "weighted", "lo": 700, "hi": 1100 }],
            "weights": { "hectare": 1.5, "person": 0.5, "household": 1.0, "enterprise": 20.0 },
        });
        let plan = made(app, &planner, drawn(EAST, options)).await;
        assert_eq!(plan["check"]["passed"], true, "{plan}");
        let all = counted(&planner, &plan, &codes(&planner).await).await;
        for of in all.values() {
            let hectares = sum(of, "land_area") / 10_000.0;
            let points =
                1.5 * hectares + 0.5 * sum(of, "people") + sum(of, "households") + 20.0 * sum(of, "enterprises");
            assert!((lo - 1e-3..=hi + 1e-3).contains(&points), "{points}");
            let villages: BTreeSet<&str> = of.iter().map(|one| one["community_id"].as_str().unwrap()).collect();
            assert_eq!(villages.len(), 1, "no grid lies in two villages");
        }
        let ids: Vec<&str> = all.values().flatten().map(|one| one["id"].as_str().unwrap()).collect();
        let summary = format!("/api/v1/dwellings/summary?area={EAST}");
        let total = planner.get(&summary).await.ok()["dwellings"].clone();
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (200, 200));
        assert_eq!(
            (&plan["check"]["placed"], &plan["check"]["strayed"], &total),
            (&json!(200), &json!(0), &json!(200))
        );
        import(&planner, "", json!({ "buildings": list(9), "datum": "wgs84" })).await;
        let later = planner.get(&path(&plan, "")).await.ok();
        assert_eq!(
            (
                &later["check"]["placed"],
                &planner.get(&summary).await.ok()["dwellings"]
            ),
            (&json!(200), &json!(210))
        );
    })
    .await;
}

/// The pack's bands by kind of place over a whole town at once: 100 to 150 households in the country along natural villages, which stay whole,
/// more in town.
///
/// Clause ZS-01
#[tokio::test]
async fn each_kind_of_place_has_its_band_and_villages_stay_whole() {
    each_backend(async |app| {
        let planner = furnished(app).await;
        let hamlets = format!("{HEAD}{}", addresses("B", 1.0, 12, 4, |_| 10));
        import(&planner, "", json!({ "buildings": hamlets, "datum": "wgs84" })).await;
        let both = codes(&planner).await;
        let country = both
            .iter()
            .find(|id| **id != EAST_COMMUNITY.to_string())
            .expect("the second community")
            .clone();
        planner
            .patch(&format!("/api/v1/areas/{country}"), json!({ "kind": "rural" }))
            .await
            .ok();
        let plan = made(app, &planner, drawn(EAST, json!({}))).await;
        assert_eq!(plan["check"]["passed"], true, "{plan}");
        for of in counted(&planner, &plan, &both).await.values() {
            let band = if of[0]["community_id"] == json!(country) {
                100.0..=150.0
            } else {
                200.0..=300.0
            };
            assert!(band.contains(&sum(of, "households")), "{of:?}");
        }
        let mut of: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for one in units(&planner, &plan, &country).await {
            of.entry(one["village"].to_string())
                .or_default()
                .insert(one["no"].as_u64().unwrap());
        }
        assert!(of.len() == 4 && of.values().all(|grids| grids.len() == 1), "{of:?}");
    })
    .await;
}

/// In the country the other band holds, and natural villages stay whole.
#[tokio::test]
async fn villages_stay_whole_in_the_country() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = furnished(&app).await;
    let kind = planner
        .patch(&format!("/api/v1/areas/{EAST}"), json!({ "kind": "rural" }))
        .await;
    assert_eq!(kind.status.as_u16(), 200);
    // Four villages of 30 houses and about 300 households each.
    let options = json!({ "keep_whole": "village", "rural": [{ "measure": "households", "lo": 250, "hi": 350 }] });
    let plan = made(&app, &planner, drawn(EAST, options)).await;
    assert_eq!(
        (&plan["check"]["passed"], &plan["figures"]["grids"]),
        (&json!(true), &json!(4)),
        "{plan}"
    );
    let mut of: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for one in units(&planner, &plan, EAST_COMMUNITY).await {
        let village = one["village"].as_str().unwrap().to_owned();
        of.entry(village).or_default().insert(one["no"].as_u64().unwrap());
    }
    assert!(of.len() == 4 && of.values().all(|grids| grids.len() == 1), "{of:?}");
    let names: BTreeSet<String> = grids(&planner, &plan)
        .await
        .iter()
        .map(|grid| grid["name"].to_string())
        .collect();
    assert!(names.iter().all(|name| name.contains("村")), "{names:?}");
    app.remove().await;
}

/// A planner of one street works there and finds nothing of another.
#[tokio::test]
async fn a_planner_sees_the_plans_of_their_street_only() {
    each_backend(async |app| {
        let everywhere = furnished(app).await;
        let plan = made(app, &everywhere, drawn(EAST, json!({}))).await;
        let whole = made(app, &everywhere, drawn(CITY, json!({}))).await;
        assert_eq!(whole["phase"], "ready");
        let (east, west) = (
            app.login_as("planner", Some(EAST)).await,
            app.login_as("planner", Some(WEST)).await,
        );
        let seen = |page: Value| {
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(east.get("/api/v1/plans").await.ok()), [plan["id"].clone()]);
        assert_eq!(seen(west.get("/api/v1/plans").await.ok()), Vec::<Value>::new());
        assert_eq!(west.get(&path(&plan, "")).await.status.as_u16(), 404);
        assert_eq!(
            east.get(&path(&whole, "")).await.status.as_u16(),
            404,
            "a plan of more than their street"
        );
        assert_eq!(
            west.get(&format!("/api/v1/dwellings?area={EAST}"))
                .await
                .status
                .as_u16(),
            404
        );
        let made = west.post("/api/v1/plans", drawn(EAST, json!({}))).await;
        assert_eq!(made.verdict(), "422 area_unknown");
        let list = west
            .post(
                "/api/v1/dwellings/import",
                json!({ "buildings": town(), "datum": "wgs84" }),
            )
            .await;
        assert_eq!(list.verdict(), "422 dwelling_no_borders");
        let worker = app.login_as("grid_worker", Some(EAST)).await;
        assert_eq!(worker.get("/api/v1/plans").await.status.as_u16(), 403);
    })
    .await;
}

/// After any sequence of strokes, locks and drawings each dwelling is in exactly one grid, locked grids are unchanged and no grid has dwellings
/// of two communities.
#[tokio::test]
async fn any_sequence_of_strokes_locks_and_drawings_keeps_the_rules() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = furnished(&app).await;
    let second = format!("{HEAD}{}", addresses("B", 1.0, 8, 6, |at| 9 + at % 4));
    import(&planner, "", json!({ "buildings": second, "datum": "wgs84" })).await;
    let areas = planner.get(&format!("/api/v1/areas?q={SECOND}")).await.ok();
    let second = areas["items"][0]["id"].as_str().expect("an id").to_owned();
    let communities = [EAST_COMMUNITY.to_string(), second];
    for seed in 1..=3u64 {
        let mut state = seed;
        let mut chance = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let plan = made(&app, &planner, drawn(EAST, json!({ "seed": seed }))).await;
        let mut locked: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for _ in 0..14 {
            let here = &communities[chance(2)];
            let now = units(&planner, &plan, here).await;
            let all = members(&now);
            let some: Vec<u64> = all.keys().copied().collect();
            match chance(6) {
                0 => {
                    let no = some[chance(some.len())];
                    let lock = !locked.contains_key(&no);
                    planner
                        .patch(&path(&plan, &format!("/grids/{no}")), json!({ "locked": lock }))
                        .await
                        .ok();
                    if lock {
                        locked.insert(no, all[&no].clone());
                    } else {
                        locked.remove(&no);
                    }
                }
                1 => {
                    let how = ["draw", "redraw"][chance(2)];
                    let asked = planner.post(&path(&plan, "/draw"), json!({ "how": how })).await;
                    assert_eq!(asked.status.as_u16(), 202, "{}", asked.text());
                    jobs::run_due(&app.app).await.expect("jobs run");
                    let plan = planner.get(&path(&plan, "")).await.ok();
                    assert_eq!(plan["phase"], "ready", "{plan}");
                }
                _ => {
                    let count = 1 + chance(4);
                    let ids: Vec<&Value> = (0..count).map(|_| &now[chance(now.len())]["id"]).collect();
                    let to = (chance(5) > 0).then(|| some[chance(some.len())]);
                    let stroke = json!({ "dwellings": ids, "to": to });
                    let tried = planner
                        .post(
                            &path(&plan, "/paint"),
                            json!({ "dwellings": ids, "to": to, "dry": true }),
                        )
                        .await;
                    let done = planner.post(&path(&plan, "/paint"), stroke).await;
                    let may = tried.status.is_success() && tried.json()["allowed"] == true;
                    assert_eq!(may, done.status.is_success(), "{} {}", tried.text(), done.text());
                }
            }
            let mut count = 0;
            let mut seen: BTreeSet<u64> = BTreeSet::new();
            for community in &communities {
                let all = members(&units(&planner, &plan, community).await);
                count += all.values().map(BTreeSet::len).sum::<usize>();
                assert!(all.keys().all(|no| seen.insert(*no)), "a grid in two communities");
                let kept = locked.iter().filter(|(no, _)| all.contains_key(no));
                kept.for_each(|(no, kept)| assert_eq!(&all[no], kept, "a locked grid changed"));
            }
            assert_eq!(count, 168);
            assert!(locked.keys().all(|no| seen.contains(no)), "a locked grid is gone");
            let stored: BTreeSet<u64> = grids(&planner, &plan)
                .await
                .iter()
                .map(|grid| grid["no"].as_u64().unwrap())
                .collect();
            assert_eq!(stored, seen);
        }
    }
    app.remove().await;
}

/// Real buildings and roads of a city through the same import, to a plan.
#[tokio::test]
async fn real_buildings_become_dwellings_and_a_plan() {
    let shared = std::env::var_os("WANGGE_SHARED").map_or_else(|| "../../../shared".into(), std::path::PathBuf::from);
    let file = |name: &str| std::fs::read_to_string(shared.join("data/geo").join(name));
    let (Ok(buildings), Ok(roads)) = (
        file("shanghai_osm_buildings.geojson"),
        file("shanghai_osm_roads.geojson"),
    ) else {
        eprintln!(
            "skipped: no data/geo/shanghai_osm_*.geojson in {} (set WANGGE_SHARED)",
            shared.display()
        );
        return;
    };
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    let (w, s, e, n) = (121.40, 31.18, 121.56, 31.30);
    let whole = json!({ "type": "FeatureCollection", "features": [{ "type": "Feature",
        "properties": { "code": "330902001001", "name": "海印社区" },
        "geometry": { "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] } }] });
    upload(&planner, &whole).await;
    let body = json!({ "buildings": buildings, "roads": roads, "datum": "wgs84", "households_total": 20_000 });
    let done = import(&planner, "", body).await;
    let count = done["created"].as_u64().unwrap();
    assert!(count > 1_200 && done["households"] == 20_000, "{}", done["problems"]);
    assert!(done["barriers"].as_u64().unwrap() > 10, "main roads part neighbours");
    let plan = made(&app, &planner, drawn(EAST_COMMUNITY, json!({}))).await;
    assert_eq!(
        (
            &plan["phase"],
            &plan["check"]["unplaced"],
            &plan["check"]["disconnected"]
        ),
        (&json!("ready"), &json!(0), &json!(0))
    );
    let outside = plan["check"]["out_of_band"].as_u64().unwrap();
    assert!(
        outside == 0 || !plan["reasons"].as_array().unwrap().is_empty(),
        "{plan}"
    );
    let map = planner.get(&path(&plan, "/map")).await.ok();
    let shaped = map["features"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["geometry"].is_object())
        .count();
    assert_eq!(shaped as u64, plan["figures"]["grids"].as_u64().unwrap());
    // One stroke in a community of this size.
    let all = units(&planner, &plan, EAST_COMMUNITY).await;
    let stroke = json!({ "dwellings": [all[0]["id"]], "to": all[count as usize / 2]["no"], "dry": true });
    planner.post(&path(&plan, "/paint"), stroke.clone()).await.ok();
    let begun = std::time::Instant::now();
    planner.post(&path(&plan, "/paint"), stroke).await.ok();
    eprintln!("a stroke tried among {count} dwellings: {:?}", begun.elapsed());
    app.remove().await;
}
