//! Samples of cases: one matter in the first town, one in the second whose number, id and words must not reach the first.

use super::{Sample, World};
use crate::kit::{EAST, WEST};
use crate::people;
use serde_json::{Value, json};
use server::platform::{AreaId, CaseId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, own_number) = case(world, EAST, "东边的路灯不亮").await;
    let (foreign, foreign_number) = case(world, WEST, "西边的下水道堵了").await;
    world
        .foreign
        .extend([foreign.clone(), foreign_number.clone(), "西边的下水道堵了".to_owned()]);
    let ((own_order, own_share), (foreign_order, foreign_share)) = (order(world, EAST).await, order(world, WEST).await);
    world.foreign.extend([foreign_order.clone(), foreign_share.clone()]);
    let of_order = |route: &'static str| Sample::new(route).objects(&own_order, &foreign_order);
    let of_share = |route: &'static str| Sample::new(route).objects(&own_share, &foreign_share);
    let of_case = |route: &'static str| Sample::new(route).objects(&own, &foreign);
    let of_number =
        |route: &'static str, body: Value| Sample::new(route).objects(&own_number, &foreign_number).body(body);
    let report = report(world, EAST, "同一件事，谁报都一样");
    let staff = json!({ "id": world.app.app.new_id::<CaseId>(), "channel": "no such channel", "body": "x" });
    let code = || json!({ "follow_code": "00000000" });
    vec![
        Sample::new("POST /api/v1/cases").body(staff),
        Sample::new("POST /api/v1/cases/suggest").body(json!({ "body": "下水道堵了" })),
        Sample::new("GET /api/v1/cases").query("?sort=received"),
        Sample::new("GET /api/v1/cases").query("?queue=dispatch"),
        Sample::new("GET /api/v1/cases").query("?q=%E4%B8%8B%E6%B0%B4%E9%81%93"),
        Sample::new("GET /api/v1/cases/counts"),
        Sample::new("GET /api/v1/cases/map").query("?bbox=120,28,124,32"),
        Sample::new("GET /api/v1/cases/search").query("?q=%E8%A5%BF%E8%BE%B9"),
        of_case("GET /api/v1/cases/{id}"),
        of_case("GET /api/v1/cases/{id}/clock/{clock_id}/explain"),
        of_case("POST /api/v1/cases/{id}/reveal")
            .body(json!({ "report_id": "x", "field": "phone", "purpose": "intake" })),
        of_case("POST /api/v1/cases/{id}/actions/{action}").body(json!({})),
        Sample::new("GET /api/v1/mediations/follow-ups"),
        of_case("POST /api/v1/cases/{id}/mediations/{mediation_id}/follow-up").body(json!({ "kept": true })),
        Sample::new("GET /api/v1/board/ageing"),
        Sample::new("GET /api/v1/board/teams"),
        Sample::new("GET /api/v1/clock-migrations"),
        Sample::new("POST /api/v1/clock-migrations").body(json!({ "id": own, "reason": "" })),
        Sample::new("GET /api/v1/clock-migrations/{id}").objects(&own, &foreign),
        Sample::new("POST /api/v1/clock-migrations/{id}/decide")
            .objects(&own, &foreign)
            .body(json!({ "approve": true })),
        Sample::new("GET /api/v1/orders"),
        Sample::new("POST /api/v1/orders").body(
            json!({ "id": own, "unit_id": own, "title": "x", "body": "x", "category_code": "x", "area_ids": [] }),
        ),
        Sample::new("GET /api/v1/orders/shares"),
        of_order("GET /api/v1/orders/{id}"),
        of_order("POST /api/v1/orders/{id}/cancel").body(json!({})),
        of_order("POST /api/v1/orders/{id}/take-back").body(json!({})),
        of_share("GET /api/v1/orders/shares/{id}/workers"),
        of_share("POST /api/v1/orders/shares/{id}/pass").body(json!({ "worker_ids": [] })),
        of_share("POST /api/v1/orders/shares/{id}/send-back").body(json!({ "reason": "x" })),
        of_case("GET /api/v1/cases/{id}/receipt"),
        of_case("GET /api/v1/cases/{id}/nearby"),
        Sample::new("GET /api/v1/callers").query("?phone=13900000002"),
        Sample::new("GET /api/v1/templates").query("?category=0204"),
        Sample::new("GET /api/v1/notices"),
        of_case("POST /api/v1/notices/{id}/read"),
        Sample::new("POST /api/v1/portal/reports").body(report),
        Sample::new("POST /api/v1/portal/suggest").body(json!({ "body": "下水道堵了" })),
        Sample::new("POST /api/v1/portal/follow").body(json!({ "number": own_number, "follow_code": "00000000" })),
        of_number(
            "POST /api/v1/portal/follow/{number}/rate",
            json!({ "follow_code": "00000000", "rating": 5 }),
        ),
        of_number(
            "POST /api/v1/portal/follow/{number}/object",
            json!({ "follow_code": "00000000", "reason": "x" }),
        ),
        of_number(
            "POST /api/v1/portal/follow/{number}/withdraw",
            json!({ "follow_code": "00000000", "reason": "x" }),
        ),
        of_number(
            "POST /api/v1/portal/follow/{number}/add",
            json!({ "follow_code": "00000000", "body": "x" }),
        ),
        of_number("POST /api/v1/portal/follow/{number}/receipt", code()),
        of_number(
            "POST /api/v1/portal/follow/{number}/photos/{hash}",
            json!({ "follow_code": "00000000", "size": "full" }),
        ),
        Sample::new("GET /api/v1/portal/mailbox/{area_id}"),
        Sample::new("POST /api/v1/portal/mailbox/{area_id}").body(json!({ "body": "x" })),
    ]
}

fn report(world: &World<'_>, area: AreaId, body: &str) -> Value {
    json!({ "id": world.app.app.new_id::<CaseId>(), "body": body, "category_code": "0204", "area_id": area, "phone": "13900000002" })
}

pub(super) async fn case(world: &World<'_>, area: AreaId, body: &str) -> (String, String) {
    let sent = report(world, area, body);
    let opened = world
        .app
        .visitor()
        .post("/api/v1/portal/reports", sent.clone())
        .await
        .ok();
    (
        sent["id"].as_str().expect("an id").to_owned(),
        opened["number"].as_str().expect("a number").to_owned(),
    )
}

/// A work order of a department of its own in a town, with its one share.
async fn order(world: &World<'_>, area: AreaId) -> (String, String) {
    let app = world.app;
    let committee = people::unit(app, "居委会", "committee", "committee", area).await;
    let liaison = people::worker(app, "联络员").await;
    people::post(app, committee, None, "liaison", liaison, None).await;
    let bureau = people::unit(app, "某局", "bureau", "emergency", area).await;
    let who = app.login_for_unit("handler", area, bureau).await;
    let id = app.app.new_id::<CaseId>().to_string();
    let given = json!({ "id": id, "unit_id": bureau, "title": "排查", "body": "排查", "category_code": "0204", "area_ids": [area] });
    let order = who.post("/api/v1/orders", given).await.ok();
    let share = order["shares"][0]["case"]["id"].as_str().expect("a share").to_owned();
    (id, share)
}
