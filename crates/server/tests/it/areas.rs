//! Areas changed by hand over HTTP: boundaries from a file with a dry run first, and the end of an area.

use crate::cases::{SMELL, new_id, people};
use crate::kit::{Answer, CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use server::platform::AreaId;

async fn upload(who: &Client, query: &str, features: &Value) -> Answer {
    let request = who.request(Method::POST, &format!("/api/v1/areas/import?{query}"));
    let request = request
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/geo+json");
    let body = json!({ "type": "FeatureCollection", "features": features }).to_string();
    who.raw(request.body(Body::from(body)).expect("a request")).await
}

fn square(code: &str, lon: f64, lat: f64) -> Value {
    let side = 0.02;
    let ring = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side), (0.0, 0.0)];
    let ring: Vec<[f64; 2]> = ring.iter().map(|(x, y)| [lon + x, lat + y]).collect();
    json!({ "type": "Feature", "properties": { "code": code }, "geometry": { "type": "Polygon", "coordinates": [ring] } })
}

async fn lies_in(app: &TestApp, lon: f64, lat: f64) -> Value {
    let found = app
        .visitor()
        .get(&format!("/api/v1/areas/locate?lon={lon}&lat={lat}"))
        .await
        .ok();
    found["area"]["id"].clone()
}

/// The datum must be said; one bad feature and nothing changes; a good file is tried first and then sets the boundary.
#[tokio::test]
async fn boundaries_are_uploaded_after_a_dry_run() {
    each_backend(async |app| {
        let planner = app.login_as("planner", Some(CITY)).await;
        let good = square("330902001001001", 122.30, 29.95);
        let bad = json!({ "type": "Feature", "properties": { "code": "330902001001" }, "geometry": null });
        assert_eq!(
            upload(&planner, "dry_run=true", &json!([good])).await.verdict(),
            "422 unknown_datum"
        );
        let tried = upload(&planner, "dry_run=true&datum=cgcs2000", &json!([good, bad]))
            .await
            .ok();
        assert_eq!(
            (
                tried["problems"][0]["row"].as_i64(),
                tried["problems"][0]["code"].as_str()
            ),
            (Some(2), Some("import_no_shape"))
        );
        let refused = upload(&planner, "datum=cgcs2000", &json!([good, bad])).await.ok();
        assert!(refused["territory_version"].is_null());
        assert_eq!(
            lies_in(app, 122.31, 29.96).await,
            Value::Null,
            "one bad feature: nothing changed"
        );
        let tried = upload(&planner, "dry_run=true&datum=cgcs2000", &json!([good]))
            .await
            .ok();
        assert_eq!(
            (tried["boundaries"].as_i64(), tried["problems"].as_array().map(Vec::len)),
            (Some(1), Some(0))
        );
        assert_eq!(
            lies_in(app, 122.31, 29.96).await,
            Value::Null,
            "a dry run changes nothing"
        );
        let done = upload(&planner, "datum=cgcs2000", &json!([good])).await.ok();
        assert_eq!(done["territory_version"], 2);
        assert_eq!(lies_in(app, 122.31, 29.96).await, EAST_GRID.to_string());
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(
            upload(&dispatcher, "datum=cgcs2000", &json!([good])).await.verdict(),
            "403 forbidden"
        );
    })
    .await;
}

/// An area ends on a day, when nothing needs it any more; what was recorded in it keeps its name, and its code is not used again.
#[tokio::test]
async fn an_area_ends_when_nothing_is_left_in_it() {
    each_backend(async |app| {
        let people = people(app).await;
        let planner = app.login_as("planner", Some(CITY)).await;
        let end = async |area: AreaId, day: &str| {
            planner.post(&format!("/api/v1/areas/{area}/end"), json!({ "valid_to": day })).await.verdict()
        };
        let case = new_id(app);
        let sent = json!({ "id": case, "body": "夜里施工扬尘大", "category_code": SMELL, "area_id": WEST, "name": "李女士", "phone": "13800001235" });
        let made = people.resident.post("/api/v1/portal/reports", sent.clone()).await.ok();
        assert_eq!(end(WEST, "2026-02-14").await, "422 area_has_open_cases");
        let path = format!("/api/v1/portal/follow/{}/withdraw", made["number"].as_str().unwrap());
        people.resident.post(&path, json!({ "follow_code": made["follow_code"], "reason": "好了" })).await.ok();
        assert_eq!(end(CITY, "2026-02-14").await, "422 area_is_the_top");
        assert_eq!(end(EAST, "2026-02-14").await, "422 area_has_areas_below");
        assert_eq!(end(EAST_COMMUNITY, "2026-02-14").await, "422 area_has_areas_below");
        assert_eq!(end(EAST_GRID, "2026-02-14").await, "422 area_has_units");
        assert_eq!(end(WEST, "2026-02-15").await, "422 day_in_the_future");
        assert_eq!(end(WEST, "2025-12-31").await, "422 area_ends_before_start");
        assert_eq!(end(WEST, "").await, "422 date_expected");
        let dispatcher = &people.dispatcher;
        let foreign = dispatcher.post(&format!("/api/v1/areas/{WEST}/end"), json!({ "valid_to": "2026-02-14" })).await;
        assert_eq!(foreign.verdict(), "403 forbidden");

        let centre = app.login_as("dispatcher", Some(CITY)).await;
        let home = crate::registry::household(&centre, app, json!({ "area_id": WEST })).await;
        assert_eq!(end(WEST, "2026-02-14").await, "422 area_has_households");
        let gone = json!({ "on": "2026-02-14", "how": "dissolved" });
        centre.post(&format!("/api/v1/registry/households/{home}/end"), gone).await.ok();
        assert_eq!(end(WEST, "2026-02-14").await, "200");
        let below = planner.get(&format!("/api/v1/areas?parent={CITY}")).await.ok();
        assert_eq!(below["items"].as_array().unwrap().len(), 1, "{below}");
        assert_eq!(planner.get(&format!("/api/v1/areas/{WEST}")).await.verdict(), "404 not_found");
        assert_eq!(end(WEST, "2026-02-14").await, "404 not_found");
        let mut again = sent.clone();
        again["id"] = json!(new_id(app));
        assert_eq!(people.resident.post("/api/v1/portal/reports", again).await.verdict(), "422 area_unknown");
        let old = dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
        assert_eq!((old["area"]["name"].as_str(), old["area"]["full_name"].as_str()), (Some("西陵街道"), Some("西陵街道")));
        let mut back = square("330902002", 122.30, 29.95);
        back["properties"]["name"] = json!("西陵街道");
        let tried = upload(&planner, "datum=wgs84", &json!([back])).await.ok();
        assert_eq!((tried["problems"][0]["code"].as_str(), &tried["territory_version"]), (Some("import_ended_area"), &Value::Null));
    })
    .await;
}
