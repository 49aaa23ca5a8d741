//! Samples of dwellings and plans: one of each in the first town, one in the second.

use super::{Sample, World};
use crate::kit::{EAST, EAST_COMMUNITY, WEST};
use db::params;
use serde_json::json;
use server::plans::{self, NewPlan, Options, Origin};
use server::platform::{AreaId, Ctx, DwellingId, Mark, PlanId, Subject};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (
        dwelling(world, EAST_COMMUNITY, "东楼").await,
        dwelling(world, WEST, "西楼").await,
    );
    let (own_plan, foreign_plan) = (plan(world, EAST, "东港方案").await, plan(world, WEST, "西陵方案").await);
    let dropped = plan(world, EAST, "放下的方案").await;
    let ctx = Ctx::system(&world.app.app, "test");
    let put_away = world
        .app
        .app
        .write(&ctx, move |ctx, tx| plans::drop_plan(ctx, tx, dropped));
    put_away.await.expect("it is dropped");
    let texts = [
        foreign.to_string(),
        foreign_plan.to_string(),
        "西楼".to_owned(),
        "西陵方案".to_owned(),
    ];
    world.foreign.extend(texts);
    let of_plan = |route: &'static str| Sample::new(route).objects(own_plan, foreign_plan);
    let of_dwelling = |route: &'static str| Sample::new(route).objects(own, foreign);
    vec![
        Sample::new("GET /api/v1/dwellings").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/dwellings").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("GET /api/v1/dwellings/summary").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("POST /api/v1/dwellings/import")
            .query("?dry_run=true")
            .body(json!({ "datum": "wgs84" })),
        Sample::new("POST /api/v1/registry/dwellings/import")
            .body(json!({ "area_id": "01900000-0000-7000-8000-0000000000e1", "dry_run": true })),
        Sample::new("POST /api/v1/registry/dwellings/import")
            .body(json!({ "area_id": "01900000-0000-7000-8000-0000000000f1", "dry_run": true })),
        of_dwelling("PATCH /api/v1/dwellings/{id}").body(json!({ "households": 12 })),
        of_dwelling("PUT /api/v1/dwellings/{id}/links").body(json!({ "v": own })),
        of_dwelling("DELETE /api/v1/dwellings/{id}/links").query("?v=01900000-0000-7000-8000-00000000dead"),
        Sample::new("GET /api/v1/plans"),
        Sample::new("POST /api/v1/plans").body(json!({ "name": "", "area_id": EAST, "origin": "draw" })),
        Sample::new("GET /api/v1/plans/compare").query("?ids=none"),
        of_plan("GET /api/v1/plans/{id}"),
        of_plan("PATCH /api/v1/plans/{id}").body(json!({})),
        Sample::new("POST /api/v1/plans/{id}/drop").objects(dropped, foreign_plan),
        of_plan("POST /api/v1/plans/{id}/draw").body(json!({ "how": "otherwise" })),
        of_plan("POST /api/v1/plans/{id}/cancel"),
        of_plan("GET /api/v1/plans/{id}/grids"),
        of_plan("PATCH /api/v1/plans/{id}/grids/{no}").body(json!({})),
        of_plan("GET /api/v1/plans/{id}/map"),
        of_plan("GET /api/v1/plans/{id}/sheet").query("?community=01900000-0000-7000-8000-0000000000e2"),
        of_plan("GET /api/v1/plans/{id}/dwellings").query("?community=01900000-0000-7000-8000-0000000000e2"),
        of_plan("GET /api/v1/plans/{id}/links").query("?community=01900000-0000-7000-8000-0000000000e2"),
        of_plan("POST /api/v1/plans/{id}/paint").body(json!({ "dwellings": [] })),
        of_plan("GET /api/v1/plans/{id}/comments"),
        of_plan("POST /api/v1/plans/{id}/comments").body(json!({ "text": "" })),
    ]
}

async fn plan(world: &World<'_>, area: AreaId, name: &str) -> PlanId {
    let ctx = Ctx::system(&world.app.app, "test");
    let new = NewPlan {
        name: name.to_owned(),
        area,
        origin: Origin::Draw,
        from: None,
        options: Options::default(),
        note: String::new(),
    };
    let made = world
        .app
        .app
        .write(&ctx, move |ctx, tx| plans::insert(ctx, tx, new))
        .await;
    made.expect("a plan").id
}

async fn dwelling(world: &World<'_>, community: AreaId, name: &'static str) -> DwellingId {
    let ctx = Ctx::system(&world.app.app, "test");
    let id: DwellingId = world.app.app.new_id();
    let put = world.app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into dwelling (id, code, name, area_id, community_id, lon, lat, land_area, floor_area, households, people, enterprises,
                 households_source, valid_from)
             values ($1, $2, $3, $4, $5, 122.2, 29.9, 100.0, 300.0, 12, 30, 0, 'given', '2026-01-01')",
            &params![id, name, name, community, community],
        )?;
        tx.record(ctx, Mark::new("dwellings.imported", Subject::Territory, json!({})))
    });
    put.await.expect("a dwelling");
    id
}
