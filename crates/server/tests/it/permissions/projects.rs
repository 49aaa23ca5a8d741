//! Samples of projects: one of the first town and one of the second.

use super::{Sample, World};
use crate::kit::{CITY, EAST, WEST};
use db::params;
use serde_json::json;
use server::platform::{AreaId, Ctx, Mark, ProjectEntryId, ProjectId, Subject, UnitId, WorkerId};

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (project(world, EAST).await, project(world, WEST).await);
    world.foreign.push(foreign.to_string());
    let of = |route: &'static str| Sample::new(route).objects(own, foreign);
    let new: ProjectId = world.app.app.new_id();
    let entry: ProjectEntryId = world.app.app.new_id();
    let (unit, worker): (UnitId, WorkerId) = (world.app.app.new_id(), world.app.app.new_id());
    let wish = json!({
        "id": new, "title": "服务站全覆盖", "goal": "每社区一处", "area_id": EAST, "unit_id": unit, "leader_id": worker, "due": "2030-01-01",
    });
    vec![
        Sample::new("GET /api/v1/projects"),
        Sample::new("POST /api/v1/projects").body(wish),
        Sample::new("GET /api/v1/projects/board"),
        of("GET /api/v1/projects/{id}"),
        of("POST /api/v1/projects/{id}/acts").body(json!({ "id": entry, "act": "progress", "words": "" })),
        of("GET /api/v1/projects/{id}/photos/{hash}"),
    ]
}

/// A project of a town, of a unit in which nobody sits.
async fn project(world: &World<'_>, town: AreaId) -> ProjectId {
    let id: ProjectId = world.app.app.new_id();
    let (unit, worker): (UnitId, WorkerId) = (world.app.app.new_id(), world.app.app.new_id());
    let ctx = Ctx::system(&world.app.app, "test");
    let made = world.app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into unit (id, code, name, public_name, kind, body, area_id, phone, office, hours, valid_from) \
             values ($1, $2, '项目办', '项目办', 'bureau', 'civil', $3, '', '', '', '2026-01-01')",
            &params![unit, unit.to_string(), town],
        )?;
        tx.execute(
            "insert into worker (id, name, pinyin, initials, badge_no, phone, state) values ($1, '牵头人', '', '', $2, '', 'active')",
            &params![worker, worker.to_string()],
        )?;
        tx.execute(
            "insert into project (id, title, goal, area_id, a1, a2, unit_id, leader_id, due_day, first_due_day, phase, extended, made_by, made_at, \
             reminded_day) select $1, '服务站全覆盖', '每社区一处', $2, $3, $2, $4, $5, 99999, 99999, 'running', 0, id, 0, 0 \
             from account order by id limit 1",
            &params![id, town, CITY, unit, worker],
        )?;
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.made", Subject::Project(id), json!({})))
    });
    made.await.expect("a project");
    id
}
