//! Samples of campaigns: one of the first town, one of the second, and one that is still a draft.

use super::{Sample, World};
use crate::kit::{CITY, EAST, WEST};
use db::params;
use serde_json::json;
use server::platform::{AreaId, CampaignId, Ctx, Mark, Subject, VisitId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (campaign(world, EAST).await, campaign(world, WEST).await);
    world.foreign.push(foreign.to_string());
    let of = |route: &'static str| Sample::new(route).objects(own, foreign);
    let new: CampaignId = world.app.app.new_id();
    let unknown: VisitId = world.app.app.new_id();
    let question = json!({ "who": "grids" });
    let draft = json!({
        "id": new, "title": "汛期巡查", "why": "防汛", "script": "看排水口", "question": question, "duty": "grid", "area_id": EAST,
        "from": "2026-02-14", "until": "2026-02-15", "keep_until": "2026-03-15",
    });
    vec![
        Sample::new("GET /api/v1/campaigns/prepared").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("POST /api/v1/campaigns/count").body(json!({ "area_id": EAST, "question": question })),
        Sample::new("GET /api/v1/campaigns"),
        Sample::new("POST /api/v1/campaigns").body(draft),
        Sample::new("GET /api/v1/campaigns/today"),
        of("GET /api/v1/campaigns/{id}"),
        of("POST /api/v1/campaigns/{id}/start"),
        of("POST /api/v1/campaigns/{id}/find"),
        of("GET /api/v1/campaigns/{id}/standing"),
        of("GET /api/v1/campaigns/{id}/tasks").query("?area=01900000-0000-7000-8000-0000000000e1"),
        of("POST /api/v1/campaigns/{id}/results").body(json!({ "visit_id": unknown })),
        of("POST /api/v1/campaigns/{id}/close").body(json!({ "summary": "" })),
    ]
}

/// A campaign that runs in a town.
async fn campaign(world: &World<'_>, town: AreaId) -> CampaignId {
    let id: CampaignId = world.app.app.new_id();
    let ctx = Ctx::system(&world.app.app, "test");
    let made = world.app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into campaign (id, title, why, script, question, asks, duty, area_id, a1, a2, from_day, until_day, keep_until, state, erased, \
             created_by, created_at) select $1, '汛期巡查', '防汛', '看排水口', '{\"who\":\"grids\"}', '[]', 'grid', $2, $3, $2, 0, 99999, 99999, \
             'running', 0, id, 0 from account order by id limit 1",
            &params![id, town, CITY],
        )?;
        tx.record(ctx, Mark::new("test.made", Subject::Campaign(id), json!({})))
    });
    made.await.expect("a campaign");
    id
}
