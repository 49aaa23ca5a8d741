//! Samples of exchange: lists in and out, the public pages.

use super::{Sample, World, cases};
use crate::kit::{EAST, WEST};
use db::params;
use serde_json::{Value, json};
use server::platform::{AreaId, Ctx, HandoverId, Mark, PartnerId, PeerId, Subject, WebhookId};

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
    let (peer, cases, handovers) = handed_over(world).await;
    let new_peer: PeerId = world.app.app.new_id();
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
        Sample::new("GET /api/v1/peers"),
        Sample::new("GET /api/v1/peers/introduction"),
        Sample::new("POST /api/v1/peers").body(json!({
            "id": peer, "introduction": "none", "relation": "upper", "purpose": "x", "contact": "x",
        })),
        Sample::new("POST /api/v1/peers/{id}/confirm")
            .objects(peer, new_peer)
            .body(json!({ "fingerprint": "0" })),
        Sample::new("POST /api/v1/peers/{id}/compare").objects(peer, new_peer),
        Sample::new("GET /api/v1/peers/{id}/refusals").objects(peer, new_peer),
        Sample::new("GET /api/v1/cases/{id}/handovers").objects(&cases[0], &cases[1]),
        Sample::new("POST /api/v1/cases/{id}/handovers")
            .objects(&cases[0], &cases[1])
            .body(json!({ "id": handovers[0], "peer_id": new_peer, "purpose": "x" })),
        Sample::new("GET /api/v1/handovers"),
        Sample::new("GET /api/v1/handovers/{id}").objects(handovers[0], handovers[1]),
        Sample::new("POST /api/v1/handovers/{id}/acts")
            .objects(handovers[0], handovers[1])
            .body(json!({ "act": "supply", "text": "" })),
        Sample::new("POST /api/v1/peers/{id}/end").objects(peer, new_peer),
        Sample::new("POST /api/v1/imports/cases").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/cases/template"),
        Sample::new("GET /api/v1/cases/export").query("?reason=abc"),
        Sample::new("POST /api/v1/exports").body(json!({ "id": "none", "reason": "月度汇总", "format": "csv" })),
        Sample::new("GET /api/v1/exports"),
        Sample::new("POST /api/v1/exports/{id}/approve")
            .objects("no-such-export", "neither")
            .body(json!({ "approve": true })),
        Sample::new("GET /api/v1/exports/{id}/file").objects("no-such-export", "neither"),
        Sample::new("POST /api/v1/doctor"),
        Sample::new("GET /api/v1/dialogue/{channel}").objects("sms", "no-such-channel"),
        Sample::new("GET /api/v1/dialogue/{channel}/messages").objects("sms", "no-such-channel"),
        Sample::new("POST /api/v1/dialogue/messages/{id}/retry").objects(foreign, own),
        Sample::new("POST /api/v1/dialogue/sms/try").body(json!({ "id": "t1", "from": "13800001234", "text": "进度" })),
        Sample::new("POST /api/v1/portal/account/try").body(json!({ "id": "t1", "from": "follower", "text": "进度" })),
        Sample::new("GET /api/v1/portal/outcomes").query(concat!("?area=", "01900000-0000-7000-8000-0000000000e1")),
        Sample::new("GET /api/v1/portal/year"),
        Sample::new("GET /api/v1/portal/transparency"),
    ]
}

/// An agreement of the whole place, and a case of each town passed on.
async fn handed_over(world: &mut World<'_>) -> (PeerId, [String; 2], [HandoverId; 2]) {
    let (own, _) = cases::case(world, EAST, "东边的河道有异味").await;
    let (foreign, number) = cases::case(world, WEST, "西边的河道有异味").await;
    world
        .foreign
        .extend([foreign.clone(), number, "西边的河道有异味".to_owned()]);
    let app = &world.app.app;
    let (peer, handovers) = (app.new_id::<PeerId>(), [app.new_id::<HandoverId>(), app.new_id()]);
    let passed = [own.clone(), foreign.clone()];
    let ctx = Ctx::system(app, "test");
    let made = app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into peer (id, name, relation, url, key, fingerprint, purpose, contact, active_from, created_at, created_by, created_name, \
             confirmed_at) values ($1, '市平台', 'upper', 'https://hooks.invalid', '', $1, '协调', '值班室', 0, 0, $1, '', 0)",
            &params![peer],
        )?;
        for (case, handover) in passed.iter().zip(handovers) {
            tx.execute(
                "insert into handover (id, case_id, peer_id, peer_name, role, phase, said, heard, asked, supplied, rounds, purpose, personal, \
                 created_at, changed_at) values ($1, $2, $3, '市平台', 'out', 'offered', 1, 0, 0, 0, 0, '协调', 0, 0, 0)",
                &params![handover, case.as_str(), peer],
            )?;
        }
        tx.record(ctx, Mark::new("peer.made", Subject::Peer(peer), json!({})))
    });
    made.await.expect("an agreement");
    world.foreign.push(handovers[1].to_string());
    (peer, [own, foreign], handovers)
}

fn partner(id: PartnerId, area: AreaId, name: &str) -> Value {
    json!({
        "id": id, "name": name, "purpose": "转来居民诉求", "contact": "值班电话", "area_id": area, "may_report": true, "may_update": true,
        "answers": "realtime",
    })
}

const _: () = assert!(EAST.0.as_u128() == 0x0190_0000_0000_7000_8000_0000_0000_00e1);
