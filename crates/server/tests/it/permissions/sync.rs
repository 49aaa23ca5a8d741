//! Samples of sync: two phones, each of an account of its own.

use super::{Sample, World};
use crate::cases::new_id;
use crate::kit::WEST;
use db::params;
use serde_json::json;
use server::access::GrantWish;
use server::platform::{AccountId, Ctx, DeviceId, Mark, Subject};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (device(world).await, device(world).await);
    world.foreign.push(foreign.to_string());
    let of = |route: &'static str| Sample::new(route).objects(own, foreign);
    vec![
        Sample::new("POST /api/v1/sync").body(json!({ "device": new_id(world.app), "sent_at": "yesterday" })),
        Sample::new("POST /api/v1/sync/bundle").body(json!({ "grids": [] })),
        Sample::new("GET /api/v1/sync/kept").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("POST /api/v1/sync/kept/settle").body(json!({ "id": "a", "fingerprint": "b", "how": "given_up" })),
        Sample::new("GET /api/v1/devices"),
        of("POST /api/v1/devices/{id}/revoke"),
        of("GET /api/v1/portal/devices/{id}"),
        of("POST /api/v1/portal/devices/{id}/wiped"),
    ]
}

async fn device(world: &World<'_>) -> DeviceId {
    let (id, account): (DeviceId, AccountId) = (world.app.app.new_id(), world.app.app.new_id());
    let grant = GrantWish {
        role: "grid_worker".into(),
        area: Some(WEST),
        unit: None,
    };
    world.app.account(account, vec![grant]).await;
    let ctx = Ctx::system(&world.app.app, "test");
    let made = world.app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into device (id, account_id, name, app, first_seen_at, last_seen_at, highest, clock_ms) values ($1, $2, 'phone', '1', 0, 0, 0, 0)",
            &params![id, account],
        )?;
        tx.record(ctx, Mark::new("test.made", Subject::Device(id), json!({})))
    });
    made.await.expect("a device");
    id
}
