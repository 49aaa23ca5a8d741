//! Samples of duties: a grid of the first town, a facility of the second.

use super::{Sample, World};
use crate::kit::{EAST, EAST_GRID, WEST};
use db::params;
use serde_json::json;
use server::platform::{AccountId, Ctx, FacilityId, Mark, Subject, VisitId, WorkerId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (visit(world, true).await, visit(world, false).await);
    world.foreign.push(foreign.to_string());
    let of_visit = |route: &'static str| Sample::new(route).objects(own, foreign);
    let gone: FacilityId = world.app.app.new_id();
    let new: VisitId = world.app.app.new_id();
    let body = json!({
        "id": new, "act": "check", "subject_kind": "facility", "subject_id": gone, "at": "2026-02-14T09:00:00+08:00", "outcome": "met",
    });
    vec![
        Sample::new("GET /api/v1/duties/today"),
        Sample::new("GET /api/v1/duties/counts").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/duties/counts").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("GET /api/v1/duties").query("?area=01900000-0000-7000-8000-0000000000e3&rule=grid_visit"),
        Sample::new("GET /api/v1/duties").query("?area=01900000-0000-7000-8000-0000000000f1&rule=grid_visit"),
        Sample::new("POST /api/v1/duties/roll"),
        Sample::new("POST /api/v1/visits").body(body),
        of_visit("GET /api/v1/visits/{id}").query("?purpose=supervise"),
        of_visit("GET /api/v1/visits/{id}/track").query("?purpose=supervise"),
        Sample::new("POST /api/v1/day-route")
            .body(json!({ "start": { "lon": 122.2, "lat": 29.9 }, "from": "09:00", "until": "08:00", "stops": [] })),
        Sample::new("GET /api/v1/patrols/grids"),
        Sample::new("GET /api/v1/patrols").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/patrols").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("GET /api/v1/patrols/workers/{id}")
            .objects(own, own)
            .query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/duties/unowned").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/visits").query("?subject_id=01900000-0000-7000-8000-0000000000e1&purpose=supervise"),
        of_visit("GET /api/v1/visits/{id}/photos/{hash}").query("?purpose=supervise"),
    ]
}

/// A visit in one of the two towns, by a worker of its own.
async fn visit(world: &World<'_>, own: bool) -> VisitId {
    let (id, worker, account): (VisitId, WorkerId, AccountId) =
        (world.app.app.new_id(), world.app.app.new_id(), world.app.app.new_id());
    let ctx = Ctx::system(&world.app.app, "test");
    let made = world.app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into worker (id, name, pinyin, initials, badge_no, phone, state) values ($1, '走访人', '', '', $2, '', 'active')",
            &params![worker, worker.to_string()],
        )?;
        tx.execute(
            "insert into account (id, login, name, password_hash, state, must_change_password, lang, created_at) \
             values ($1, $2, '走访人', 'x', 'disabled', 0, 'zh', 0)",
            &params![account, account.to_string()],
        )?;
        let (area, town) = if own { (EAST_GRID, EAST) } else { (WEST, WEST) };
        tx.execute(
            "insert into visit (id, act, subject_kind, subject_id, area_id, a2, at, day, minutes, outcome, account_id, worker_id, people, \
             duties, mock, sent_index, pack_version, recorded_at) values ($1, 'patrol', 'grid', $2, $3, $4, 0, 0, 30, 'met', $5, $6, 1, ',,', 0, '', '', 0)",
            &params![id, area, area, town, account, worker],
        )?;
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.made", Subject::Visit(id), json!({})))
    });
    made.await.expect("a visit");
    id
}
