//! Samples of exchange: lists in and out, the public pages.

use super::{Sample, World};
use crate::kit::{EAST, WEST};
use serde_json::{Value, json};
use server::platform::{AreaId, PartnerId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (world.app.app.new_id::<PartnerId>(), world.app.app.new_id::<PartnerId>());
    for (id, area, name) in [(own, EAST, "东港对接方"), (foreign, WEST, "西陵对接方")] {
        let admin = world.app.login_as("security_admin", Some(area)).await;
        admin.post("/api/v1/partners", partner(id, area, name)).await.ok();
    }
    world.foreign.extend([foreign.to_string(), "西陵对接方".to_owned()]);
    vec![
        Sample::new("GET /api/v1/partners"),
        Sample::new("POST /api/v1/partners").body(partner(own, WEST, "东港对接方")),
        Sample::new("POST /api/v1/partners/{id}/revoke").objects(own, foreign),
        Sample::new("GET /api/v1/partners/{id}/uses").objects(own, foreign),
        Sample::new("POST /api/v1/imports/cases").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/cases/template"),
        Sample::new("GET /api/v1/cases/export").query("?reason=abc"),
        Sample::new("POST /api/v1/exports").body(json!({ "id": "none", "reason": "月度汇总", "format": "csv" })),
        Sample::new("GET /api/v1/exports"),
        Sample::new("POST /api/v1/exports/{id}/approve")
            .objects("no-such-export", "neither")
            .body(json!({ "approve": true })),
        Sample::new("GET /api/v1/exports/{id}/file").objects("no-such-export", "neither"),
        Sample::new("GET /api/v1/portal/outcomes").query(concat!("?area=", "01900000-0000-7000-8000-0000000000e1")),
        Sample::new("GET /api/v1/portal/transparency"),
    ]
}

fn partner(id: PartnerId, area: AreaId, name: &str) -> Value {
    json!({
        "id": id, "name": name, "purpose": "转来居民诉求", "contact": "值班电话", "area_id": area, "may_report": true, "may_update": true,
        "answers": "realtime",
    })
}

const _: () = assert!(EAST.0.as_u128() == 0x0190_0000_0000_7000_8000_0000_0000_00e1);
