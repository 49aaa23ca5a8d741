//! Samples of adopting plans and of zonings.

use super::{Sample, World};
use crate::kit::{CITY, EAST, WEST};
use db::params;
use serde_json::json;
use server::platform::{AdoptionId, AreaId, Ctx, Mark, PlanId, Subject, ZoningId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, own_adoption) = adopted(world, EAST).await;
    let (foreign, foreign_adoption) = adopted(world, WEST).await;
    world.foreign.push(foreign.to_string());
    world.foreign.push(foreign_adoption.to_string());
    let (own_zoning, foreign_zoning) = (zoning(world, EAST).await, zoning(world, WEST).await);
    world.foreign.push(foreign_zoning.to_string());
    vec![
        Sample::new("POST /api/v1/plans/{id}/adoption")
            .objects(own, foreign)
            .body(json!({ "day": "2026-12-31", "dry": true })),
        Sample::new("GET /api/v1/plans/{id}/adoption")
            .query("?day=2026-12-31&kind=household")
            .objects(own, foreign),
        Sample::new("GET /api/v1/adoptions"),
        Sample::new("GET /api/v1/adoptions/{id}").objects(own_adoption, foreign_adoption),
        Sample::new("POST /api/v1/adoptions/{id}/undo")
            .objects(own_adoption, foreign_adoption)
            .body(json!({ "dry": true })),
        Sample::new("POST /api/v1/zonings")
            .query("?area=01900000-0000-7000-8000-0000000000e1&name=x&datum=none")
            .body(json!({})),
        Sample::new("GET /api/v1/zonings"),
        Sample::new("GET /api/v1/zonings/{id}").objects(own_zoning, foreign_zoning),
        Sample::new("GET /api/v1/zonings/{id}/shares").objects(own_zoning, foreign_zoning),
        Sample::new("GET /api/v1/zonings/{id}/map").objects(own_zoning, foreign_zoning),
        Sample::new("POST /api/v1/zonings/{id}/refresh")
            .objects(own_zoning, foreign_zoning)
            .body(json!({ "id": own_zoning })),
        Sample::new("POST /api/v1/zonings/{id}/propose")
            .objects(own_zoning, foreign_zoning)
            .body(json!({ "name": "" })),
        Sample::new("GET /api/v1/plans/{id}/zones").objects(own, foreign),
    ]
}

/// A plan of a town, and an adoption of it that was called off.
async fn adopted(world: &World<'_>, town: AreaId) -> (PlanId, AdoptionId) {
    let app = &world.app.app;
    let (plan, adoption): (PlanId, AdoptionId) = (app.new_id(), app.new_id());
    let ctx = Ctx::system(app, "test");
    app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into plan (id, name, area_id, a1, a2, state, origin, options, phase, cancel_asked, base_version, note, created_by, \
             created_at, changed_at) values ($1, '方案', $2, $3, $2, 'draft', 'draw', '{}', 'empty', 0, 1, '', 'test', 0, 0)",
            &params![plan, town, CITY],
        )?;
        tx.execute(
            "insert into adoption (id, plan_id, area_id, day, state, blocks, counts, created_at, created_by, created_name) \
             values ($1, $2, $3, '2026-03-01', 'called_off', '[]', '[]', 0, $1, '某人')",
            &params![adoption, plan, town],
        )?;
        tx.record(ctx, Mark::new("plan.called_off", Subject::Plan(plan), json!({})))
    })
    .await
    .expect("a plan and its adoption");
    (plan, adoption)
}

/// A zoning of a town that a newer version replaced.
async fn zoning(world: &World<'_>, town: AreaId) -> ZoningId {
    let app = &world.app.app;
    let id: ZoningId = app.new_id();
    let ctx = Ctx::system(app, "test");
    app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into zoning (id, name, purpose, area_id, version, replaced_at, territory_version, zones, households, created_at, \
             created_by, created_name) values ($1, '某分区', '', $2, 1, 1, 1, 0, 0, 0, $1, '某人')",
            &params![id, town],
        )?;
        tx.record(ctx, Mark::new("zoning.imported", Subject::Area(town), json!({})))
    })
    .await
    .expect("a zoning");
    id
}
