//! Samples of access and of the live updates.

use super::{Sample, World};
use crate::kit::{EAST, WEST};
use serde_json::json;
use server::access::GrantWish;
use server::platform::{AccountId, AreaId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (account(world, EAST).await, account(world, WEST).await);
    world.foreign.push(foreign.to_string());
    let id: AccountId = world.app.app.new_id();
    let refused_late =
        json!({ "id": id, "login": "NOT A LOGIN", "name": "某人", "grants": [{ "role": "clerk", "area_id": EAST }] });
    vec![
        Sample::new("POST /api/v1/session").body(json!({})),
        Sample::new("GET /api/v1/session"),
        Sample::new("DELETE /api/v1/session").fresh(),
        Sample::new("POST /api/v1/session/password")
            .body(json!({ "old": "wrong", "new": "a quiet harbour" }))
            .fresh(),
        Sample::new("POST /api/v1/session/lang").body(json!({ "lang": "zh" })),
        Sample::new("POST /api/v1/session/totp").body(json!({})),
        Sample::new("POST /api/v1/session/totp/confirm").body(json!({ "code": "x" })),
        Sample::new("DELETE /api/v1/session/totp").body(json!({ "password": "wrong" })),
        Sample::new("GET /api/v1/sessions"),
        Sample::new("DELETE /api/v1/sessions/{id}").objects("no-such-session", "neither"),
        Sample::new("GET /api/v1/accounts"),
        Sample::new("POST /api/v1/accounts").body(refused_late),
        Sample::new("PATCH /api/v1/accounts/{id}")
            .objects(own, foreign)
            .body(json!({})),
        Sample::new("POST /api/v1/accounts/{id}/reset-password")
            .objects(own, foreign)
            .body(json!({})),
        Sample::new("GET /api/v1/roles"),
        Sample::new("GET /api/v1/access-log"),
        Sample::new("GET /api/v1/events").query("?topics=case"),
        Sample::new("GET /api/v1/events").query("?topics=board"),
        Sample::new("GET /api/v1/events").query("?topics=jobs,outbox"),
    ]
}

async fn account(world: &World<'_>, area: AreaId) -> AccountId {
    let id: AccountId = world.app.app.new_id();
    world
        .app
        .account(
            id,
            vec![GrantWish {
                role: "clerk".into(),
                area: Some(area),
                unit: None,
            }],
        )
        .await;
    id
}
