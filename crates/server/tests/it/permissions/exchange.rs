//! Samples of exchange: lists in and out, the public pages.

use super::{Sample, World};
use crate::kit::{EAST, WEST};
use serde_json::{Value, json};
use server::platform::{AreaId, PartnerId, WebhookId};

/// Allowed in tests, and never there.
const HOOK: &str = "https://hooks.invalid/wangge";

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (world.app.app.new_id::<PartnerId>(), world.app.app.new_id::<PartnerId>());
    let (mut hooks, mut messages) = (Vec::new(), Vec::new());
    for (id, area, name) in [(own, EAST, "东港对接方"), (foreign, WEST, "西陵对接方")] {
        let admin = world.app.login_as("security_admin", Some(area)).await;
        admin.post("/api/v1/partners", partner(id, area, name)).await.ok();
        let hook: WebhookId = world.app.app.new_id();
        let body = json!({ "id": hook, "url": HOOK });
        admin.post(&format!("/api/v1/partners/{id}/webhooks"), body).await.ok();
        let message = admin
            .post(&format!("/api/v1/webhooks/{hook}/ping"), json!({}))
            .await
            .ok();
        hooks.push(hook);
        messages.push(message["id"].as_str().expect("an id").to_owned());
    }
    world.foreign.extend([foreign.to_string(), "西陵对接方".to_owned()]);
    vec![
        Sample::new("GET /api/v1/partners"),
        Sample::new("POST /api/v1/partners").body(partner(own, WEST, "东港对接方")),
        Sample::new("GET /api/v1/partners/{id}/uses").objects(own, foreign),
        Sample::new("GET /api/v1/partners/{id}/webhooks").objects(own, foreign),
        Sample::new("POST /api/v1/partners/{id}/webhooks")
            .objects(own, foreign)
            .body(json!({ "id": hooks[0], "url": HOOK })),
        Sample::new("POST /api/v1/webhooks/{id}/ping").objects(hooks[0], hooks[1]),
        Sample::new("GET /api/v1/webhooks/{id}/messages").objects(hooks[0], hooks[1]),
        Sample::new("POST /api/v1/webhook-messages/{id}/resend").objects(&messages[0], &messages[1]),
        Sample::new("POST /api/v1/webhooks/{id}/stop").objects(hooks[0], hooks[1]),
        Sample::new("POST /api/v1/partners/{id}/revoke").objects(own, foreign),
        Sample::new("POST /api/v1/imports/cases").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/cases/template"),
        Sample::new("GET /api/v1/cases/export").query("?reason=abc"),
        Sample::new("POST /api/v1/exports").body(json!({ "id": "none", "reason": "月度汇总", "format": "csv" })),
        Sample::new("GET /api/v1/exports"),
        Sample::new("POST /api/v1/exports/{id}/approve")
            .objects("no-such-export", "neither")
            .body(json!({ "approve": true })),
        Sample::new("GET /api/v1/exports/{id}/file").objects("no-such-export", "neither"),
        Sample::new("GET /api/v1/sms"),
        Sample::new("GET /api/v1/sms/messages"),
        Sample::new("POST /api/v1/sms/messages/{id}/retry").objects(foreign, own),
        Sample::new("POST /api/v1/sms/try").body(json!({ "id": "t1", "from": "13800001234", "text": "进度" })),
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
