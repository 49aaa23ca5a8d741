//! A place of five levels, from its codes to a worker on every grid.

use crate::cases::new_id;
use crate::kit::{Answer, Client, TestApp, config, each_backend_with};
use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use server::platform::{Ctx, config::Config, jobs};
use server::territory;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const COMMUNITY: &str = "420502001001";
/// South-west corner of the community, and its width, in degrees.
const CORNER: (f64, f64) = (111.28, 30.69);
const SIDE: f64 = 0.02;

/// The codes of a community with all above it, its border, and 120 houses of 8 to 12 households.
async fn furnished(app: &TestApp) -> Client {
    let codes = "code,name\n4205,宜昌市\n420502,西陵区\n420502001,西陵街道\n420502001001,一马路社区\n";
    let rows = territory::read_csv(codes).expect("codes");
    let ctx = Ctx::system(&app.app, "test");
    let done = territory::import_areas(&ctx, rows, BTreeMap::new(), false)
        .await
        .expect("areas");
    assert_eq!(done.problems.len(), 0, "{done:?}");
    let planner = app.login_as("planner", None).await;
    let ((w, s), (e, n)) = (CORNER, (CORNER.0 + SIDE, CORNER.1 + SIDE));
    let border = json!({ "type": "FeatureCollection", "features": [{
        "type": "Feature", "properties": { "code": COMMUNITY },
        "geometry": { "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] },
    }] });
    let request = planner
        .request(Method::POST, "/api/v1/areas/import?datum=wgs84")
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/geo+json");
    let bordered = planner
        .raw(request.body(Body::from(border.to_string())).expect("a request"))
        .await
        .ok();
    assert_eq!(bordered["problems"], json!([]), "{bordered}");
    let mut list = "code,lon,lat,households\n".to_owned();
    for at in 0..120usize {
        let (i, j) = (at % 12, at / 12);
        // A little off the lattice, so that no four are on a circle.
        let (dx, dy) = ((at * 37 % 11) as f64 * 1e-5, (at * 53 % 13) as f64 * 1e-5);
        let lon = w + (i as f64 + 0.5) / 12.0 * SIDE + dx;
        let lat = s + (j as f64 + 0.5) / 10.0 * SIDE + dy;
        let _ = writeln!(list, "H{at},{lon:.6},{lat:.6},{}", 8 + at % 5);
    }
    let body = json!({ "buildings": list, "datum": "wgs84" });
    let houses = planner.post("/api/v1/dwellings/import", body).await.ok();
    assert_eq!(houses["created"], 120, "{houses}");
    planner
}

async fn findings(personnel: &Client) -> Vec<(String, String)> {
    let gaps = personnel.get("/api/v1/posts/gaps").await.ok();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let here = |one: &&Value| text(&one["area"]["code"]).starts_with(COMMUNITY);
    let grids = gaps["grids"].as_array().expect("a list").iter();
    grids
        .filter(here)
        .map(|one| (text(&one["area"]["code"]), text(&one["code"])))
        .collect()
}

async fn appoint(app: &TestApp, personnel: &Client, post: &Value, worker: &str, seat: &str) -> Answer {
    let seat = json!({ "id": new_id(app), "post_id": post["id"], "worker_id": worker, "seat": seat, "valid_from": "2026-02-14" });
    personnel.post("/api/v1/appointments", seat).await
}

async fn worker(app: &TestApp, personnel: &Client, badge: &str) -> String {
    let id = new_id(app);
    let new = json!({ "id": id, "name": format!("网格员{badge}"), "badge_no": badge });
    personnel.post("/api/v1/workers", new).await.ok();
    id
}

/// From the pack's five levels to grids of 200 to 300 households with a post each: every vacancy is shown at once, and a grid gets one worker
/// of its own, never a second post, a second holder, or somebody who has another grid.
///
/// Clause YC-01, MG-02
#[tokio::test]
async fn five_levels_grids_in_the_band_and_one_worker_each() {
    let settings = Config {
        pack: Some("yichang".into()),
        ..config()
    };
    each_backend_with(settings, async |app| {
        let planner = furnished(app).await;
        let personnel = app.login_as("personnel", None).await;
        let community = territory::current(&app.app).by_code(COMMUNITY).expect("the community").id;
        let levels = planner.get(&format!("/api/v1/areas/{community}")).await.ok()["chain"].as_array().map(Vec::len);
        assert_eq!(levels, Some(4), "the grid is the fifth");
        let unit = json!({
            "id": new_id(app), "code": "YML", "name": "一马路社区网格管理站", "kind": "centre", "body": "centre", "area_id": community,
        });
        personnel.post("/api/v1/units", unit).await.ok();

        // The pack says 200 to 300.
        let wish = json!({ "name": "一格一员", "area_id": community, "origin": "draw" });
        let plan = planner.post("/api/v1/plans", wish).await.json();
        jobs::run_due(&app.app).await.expect("the jobs run");
        let path = format!("/api/v1/plans/{}", plan["id"].as_str().expect("an id"));
        let plan = planner.get(&path).await.ok();
        assert_eq!(plan["check"]["passed"], true, "{plan}");
        let grids = planner.get(&format!("{path}/grids?limit=200")).await.ok();
        let grids = grids["items"].as_array().expect("a list");
        let sizes: Vec<i64> = grids.iter().map(|grid| grid["households"].as_i64().expect("a number")).collect();
        assert!((4..=6).contains(&sizes.len()) && sizes.iter().all(|n| (200..=300).contains(n)), "{sizes:?}");
        let sent = json!({ "id": new_id(app), "day": "2026-02-14" });
        planner.post(&format!("{path}/adoption"), sent).await.ok();
        jobs::run_due(&app.app).await.expect("the jobs run");
        let tree = planner.get(&format!("/api/v1/areas?parent={community}")).await.ok();
        let codes: BTreeSet<&str> = tree["items"].as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
        assert!(codes.len() == sizes.len() && codes.iter().all(|code| code.len() == 15), "{codes:?}");
        assert!(tree["items"].as_array().expect("a list").iter().all(|one| one["depth"] == 5), "{tree}");

        // Every leaf has its post, and each of them is told of as vacant.
        let vacant = findings(&personnel).await;
        assert_eq!(vacant.iter().map(|(code, _)| code.as_str()).collect::<BTreeSet<_>>(), codes);
        assert!(vacant.iter().all(|(_, code)| code == "grid_no_worker"), "{vacant:?}");
        let gaps = personnel.get("/api/v1/posts/gaps").await.ok();
        let posts: Vec<Value> = gaps["items"].as_array().expect("a list").iter().map(|gap| gap["post"].clone()).collect();
        let posts: Vec<&Value> = posts.iter().filter(|post| post["duty"] == "grid").collect();
        assert_eq!(posts.len(), codes.len(), "{gaps}");

        let (first, second) = (worker(app, &personnel, "Y1").await, worker(app, &personnel, "Y2").await);
        appoint(app, &personnel, posts[0], &first, "A").await.ok();
        assert_eq!(appoint(app, &personnel, posts[1], &first, "A").await.verdict(), "409 worker_has_grid");
        assert_eq!(appoint(app, &personnel, posts[0], &second, "A").await.verdict(), "422 seat_taken");
        appoint(app, &personnel, posts[1], &first, "B").await.ok();
        let twice = json!({ "id": new_id(app), "unit_id": posts[0]["unit_id"], "area_id": posts[0]["area"]["id"], "name": "第二个", "duty": "grid" });
        assert_eq!(personnel.post("/api/v1/posts", twice).await.verdict(), "409 grid_has_post");
        let left = findings(&personnel).await;
        assert_eq!(left.len(), codes.len() - 1, "{left:?}");

        // One that came in without its post is named as well.
        let rows = territory::read_csv(&format!("code,name\n{COMMUNITY}999,新来网格\n")).expect("codes");
        let ctx = Ctx::system(&app.app, "test");
        territory::import_areas(&ctx, rows, BTreeMap::new(), false).await.expect("a grid");
        let left = findings(&personnel).await;
        assert!(left.contains(&(format!("{COMMUNITY}999"), "grid_no_post".to_owned())), "{left:?}");
        // All of it is on the maps of the community, as it is now.
        let maps = planner.get(&format!("/api/v1/areas/{community}/maps")).await.ok();
        let holders = maps["grids"].as_array().expect("a list").iter().filter(|grid| grid["posts"][0]["holder"].is_object()).count();
        assert_eq!((maps["grids"].as_array().map(Vec::len), holders), (Some(codes.len() + 1), 1), "{maps}");
    })
    .await;
}
