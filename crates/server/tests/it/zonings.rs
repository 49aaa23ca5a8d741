//! A department's own zoning laid over the base grids: checked row by row, kept by version, its mapping shown.

use crate::adoption::{COLUMNS, all, furnish, ground, link};
use crate::cases::{new_id, people};
use crate::kit::{Answer, CITY, Client, EAST, EAST_COMMUNITY, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use server::platform::jobs;

async fn upload(who: &Client, query: &str, features: &[Value]) -> Answer {
    let request = who.request(Method::POST, &format!("/api/v1/zonings?{query}"));
    let request = request
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/geo+json");
    let body = json!({ "type": "FeatureCollection", "features": features }).to_string();
    who.raw(request.body(Body::from(body)).expect("a request")).await
}

/// A zone of these columns.
pub fn zone(name: &str, code: &str, columns: std::ops::Range<usize>) -> Value {
    let of: Vec<(usize, usize)> = all().into_iter().filter(|(c, _)| columns.contains(c)).collect();
    json!({
        "type": "Feature", "properties": { "name": name, "code": code, "unit": "海印派出所" }, "geometry": ground(&of),
    })
}

/// Query of an upload for the community of the tests.
pub fn query(name: &str, dry: bool, id: &str) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs
        .append_pair("area", &EAST_COMMUNITY.to_string())
        .append_pair("name", name)
        .append_pair("datum", "wgs84");
    pairs.append_pair("dry_run", if dry { "true" } else { "false" });
    if !id.is_empty() {
        pairs.append_pair("id", id);
    }
    pairs.finish()
}

/// Two beats over columns 0..4 and 4..10; 10.. lie in none.
pub async fn beats(app: &TestApp, planner: &Client) -> String {
    let id = new_id(app);
    let beats = [zone("东港一区", "P1", 0..4), zone("东港二区", "P2", 4..10)];
    let kept = upload(planner, &query("警务责任区", false, &id), &beats).await.ok();
    assert_eq!(kept["zoning"]["id"], json!(id), "{kept}");
    id
}

/// Each wrong row is named and nothing is kept; then the mapping says how many households of each grid lie in which zone, by version.
#[tokio::test]
async fn a_zoning_is_checked_kept_and_mapped() {
    each_backend(async |app| {
        furnish(app).await;
        let planner = app.login_as("planner", Some(EAST)).await;
        let good = zone("东港一区", "P1", 0..4);
        let bad = json!({ "type": "Feature", "properties": { "unit": "某所" }, "geometry": null });
        let flat = json!({ "type": "Feature", "properties": { "name": "线" }, "geometry": { "type": "Polygon", "coordinates": [[[122.2, 29.9], [122.3, 29.9]]] } });
        let tried = upload(&planner, &query("警务责任区", true, ""), &[good.clone(), bad.clone(), good.clone(), flat]).await.ok();
        let named: Vec<(i64, &str)> = tried["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["row"].as_i64().unwrap(), one["code"].as_str().unwrap()))
            .collect();
        assert_eq!(named, [(2, "zone_no_name"), (3, "import_duplicate_code"), (4, "import_bad_shape")]);
        let id = new_id(app);
        let refused = upload(&planner, &query("警务责任区", false, &id), &[good.clone(), bad]).await.ok();
        assert_eq!(refused["zoning"], Value::Null);
        let count = async || planner.get("/api/v1/zonings?all=true").await.ok()["items"].as_array().map(Vec::len);
        assert_eq!(count().await, Some(0), "one bad row: nothing kept");

        let tried = upload(&planner, &query("警务责任区", true, ""), &[good, zone("东港二区", "P2", 3..10)]).await.ok();
        // 12 columns of 8 dwellings with 5 households: column 3 lies in both, columns 10 and 11 in none.
        let figures = ["inside", "outside", "double"].map(|key| tried[key].as_i64().unwrap());
        assert_eq!(figures, [400, 80, 40]);
        let id = beats(app, &planner).await;
        let shares = planner.get(&format!("/api/v1/zonings/{id}/shares")).await.ok();
        let rows: Vec<(i64, &str, i64, f64, f64)> = shares["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let number = |key: &str| row[key].as_f64().unwrap();
                let grid = row["grid"]["name"].as_str().unwrap();
                (row["zone_no"].as_i64().unwrap(), grid, row["households"].as_i64().unwrap(), number("of_zone"), number("of_grid"))
            })
            .collect();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert_eq!(rows.len(), 4, "{shares}");
        let find = |zone: i64, grid: &str| rows.iter().find(|row| (row.0, row.1) == (zone, grid)).copied().unwrap();
        let first = find(1, "第一网格");
        assert!(first.2 == 160 && close(first.3, 1.0) && close(first.4, 2.0 / 3.0), "{first:?}");
        let (west, east) = (find(2, "第一网格"), find(2, "第二网格"));
        assert!(west.2 == 80 && close(west.3, 1.0 / 3.0) && east.2 == 160 && close(east.4, 2.0 / 3.0), "{west:?} {east:?}");
        assert_eq!(find(0, "第二网格").2, 80, "what lies in no zone is said");
        let drawn = planner.get(&format!("/api/v1/zonings/{id}/map")).await.ok();
        assert_eq!((drawn["features"].as_array().map(Vec::len), &drawn["features"][1]["properties"]["unit"]), (Some(2), &json!("海印派出所")));

        let next = new_id(app);
        let again = planner.post(&format!("/api/v1/zonings/{id}/refresh"), json!({ "id": next })).await.ok();
        assert_eq!((again["version"].as_i64(), &again["replaces"], &again["current"]), (Some(2), &json!(id), &json!(true)));
        assert_eq!(planner.post(&format!("/api/v1/zonings/{id}/refresh"), json!({ "id": new_id(app) })).await.verdict(), "422 zoning_replaced");
        assert_eq!(count().await, Some(2), "the former version stays readable");
        assert!(planner.get(&format!("/api/v1/zonings/{id}")).await.ok()["replaced_at"].is_string());
        let foreign = app.login_as("planner", Some(WEST)).await;
        assert_eq!(foreign.get(&format!("/api/v1/zonings/{id}")).await.verdict(), "404 not_found");
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(upload(&dispatcher, &query("学区", true, ""), &[zone("一小", "S1", 0..COLUMNS)]).await.verdict(), "403 forbidden");
    })
    .await;
}

/// Many grids become one: the draft follows the zones that can be grids and says why not of the others; the rest is drawn into the band, it
/// is adopted like any plan, and the mapping laid over the new grids says that the zone and the grid are one.
///
/// Clause PJ-12
#[tokio::test]
async fn a_zoning_is_proposed_as_a_plan_and_adopted() {
    each_backend(async |app| {
        people(app).await;
        furnish(app).await;
        link(app).await;
        let planner = app.login_as("planner", Some(EAST)).await;
        let zoning = beats(app, &planner).await;
        // 4 columns of 40 households are within 100 to 200; the six of the second beat are not.
        let band = json!({ "urban": [{ "measure": "households", "lo": 100, "hi": 200 }] });
        let path = format!("/api/v1/zonings/{zoning}/propose");
        let made = planner
            .post(&path, json!({ "name": "多网合一", "options": band }))
            .await
            .ok();
        assert_eq!(
            (&made["followed"], &made["households_followed"], &made["others"]),
            (&json!(1), &json!(160), &json!(1)),
            "{made}"
        );
        let plan = made["plan_id"].as_str().unwrap();
        jobs::run_due(&app.app).await.expect("the jobs run");
        let drawn = planner.get(&format!("/api/v1/plans/{plan}")).await.ok();
        assert_eq!(
            (&drawn["phase"], &drawn["origin"]),
            (&json!("ready"), &json!("overlay")),
            "{drawn}"
        );
        let told = planner.get(&format!("/api/v1/plans/{plan}/zones")).await.ok();
        let rows: Vec<(&str, &str)> = told["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["zone_name"].as_str().unwrap(), row["verdict"].as_str().unwrap()))
            .collect();
        assert_eq!(rows, [("东港一区", "followed"), ("东港二区", "too_large")]);
        let grids = planner.get(&format!("/api/v1/plans/{plan}/grids")).await.ok();
        let grids = grids["items"].as_array().unwrap();
        let no = &told["items"][0]["grid_no"];
        let followed = grids.iter().find(|grid| &grid["no"] == no).expect("the zone's grid");
        assert_eq!(followed["households"], 160, "{followed}");
        assert!(grids.iter().all(|grid| grid["in_band"] == true), "{grids:?}");

        let adoption = new_id(app);
        let sent = json!({ "id": adoption, "day": "2026-02-14" });
        planner.post(&format!("/api/v1/plans/{plan}/adoption"), sent).await.ok();
        jobs::run_due(&app.app).await.expect("the jobs run");
        let done = planner.get(&format!("/api/v1/adoptions/{adoption}")).await.ok();
        assert_eq!(done["state"], "in_force", "{done}");
        let next = new_id(app);
        planner
            .post(&format!("/api/v1/zonings/{zoning}/refresh"), json!({ "id": next }))
            .await
            .ok();
        let shares = planner.get(&format!("/api/v1/zonings/{next}/shares")).await.ok();
        let first: Vec<&Value> = shares["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["zone_no"] == 1)
            .collect();
        assert_eq!(
            (first.len(), &first[0]["of_zone"], &first[0]["of_grid"]),
            (1, &json!(1.0), &json!(1.0)),
            "one zone, one grid"
        );
    })
    .await;
}
