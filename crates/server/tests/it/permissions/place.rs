//! Samples of policy, territory and workforce.

use super::{Sample, World};
use crate::kit::{EAST, EAST_COMMUNITY, WEST};
use domain::workforce::Term;
use serde_json::json;
use server::platform::{AreaId, Ctx, FacilityId, LeaveId, MembershipId, PostId, TeamId, UnitId, WorkerId};
use server::workforce::teams::{self, Membership, NewTeam};
use server::workforce::{self, NewAppointment, NewPost, NewUnit, NewWorker, Seat};

/// A unit with one held post in each town.
struct Staffed {
    unit: UnitId,
    worker: WorkerId,
    appointment: server::platform::AppointmentId,
    leave: LeaveId,
    team: TeamId,
    membership: MembershipId,
}

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let own = staffed(world, EAST, "east").await;
    let foreign = staffed(world, WEST, "west").await;
    world.foreign.push(foreign.appointment.to_string());
    world.foreign.push(foreign.team.to_string());
    let new_unit: UnitId = world.app.app.new_id();
    let new_post: PostId = world.app.app.new_id();
    let bad_unit = json!({ "id": new_unit, "code": "x", "name": "某单位", "kind": "no such kind", "body": "centre", "area_id": EAST });
    let bad_post = json!({ "id": new_post, "unit_id": own.unit, "name": "某岗位", "duty": "no such duty" });
    let bad_appointment = json!({ "id": own.appointment, "post_id": new_post, "worker_id": own.worker, "seat": "C", "valid_from": "2026-01-01" });
    let bad_leave = json!({ "id": own.leave, "worker_id": own.worker, "from": "x", "to": "x", "reason": "x" });
    let bad_team = json!({ "id": own.team, "name": "某队", "unit_id": own.unit, "liaison_id": own.worker, "area_ids": [], "valid_from": "2026-01-01" });
    let bad_worker = json!({ "id": own.worker, "name": "", "badge_no": "x" });
    vec![
        Sample::new("GET /api/v1/place"),
        Sample::new("GET /api/v1/categories"),
        Sample::new("GET /api/v1/pack"),
        Sample::new("POST /api/v1/pack/check").body(json!({ "files": {} })),
        Sample::new("GET /api/v1/calendar").query("?year=2026"),
        Sample::new("POST /api/v1/calendar/import").body(json!({ "text": "no calendar" })),
        Sample::new("GET /api/v1/areas").query("?parent=root"),
        Sample::new("GET /api/v1/areas/locate").query("?lon=122.2&lat=29.9"),
        Sample::new("GET /api/v1/areas/boundaries").query("?level=grid"),
        Sample::new("GET /api/v1/areas/{id}").objects(EAST, no_area()),
        Sample::new("GET /api/v1/areas/{id}/maps").objects(EAST_COMMUNITY, no_area()),
        Sample::new("PATCH /api/v1/areas/{id}")
            .objects(EAST, WEST)
            .body(json!({ "kind": "no such kind" })),
        Sample::new("POST /api/v1/areas/{id}/end")
            .objects(EAST, WEST)
            .body(json!({ "valid_to": "no day" })),
        Sample::new("POST /api/v1/areas/import")
            .query("?dry_run=true")
            .body(json!({})),
        Sample::new("GET /api/v1/addresses").query("?q=无"),
        Sample::new("GET /api/v1/facilities"),
        Sample::new("GET /api/v1/tiles/{layer}/{z}/{x}/{y}").objects("areas", "nothing"),
        Sample::new("GET /api/v1/portal/tiles/{layer}/{z}/{x}/{y}").objects("areas", "nothing"),
        Sample::new("POST /api/v1/facilities/import").query("?dry_run=true"),
        Sample::new("DELETE /api/v1/facilities/{id}").objects(
            world.app.app.new_id::<FacilityId>(),
            world.app.app.new_id::<FacilityId>(),
        ),
        Sample::new("GET /api/v1/units").query("?body=none"),
        Sample::new("POST /api/v1/units").body(bad_unit),
        Sample::new("GET /api/v1/units/{id}").objects(own.unit, foreign.unit),
        Sample::new("PATCH /api/v1/units/{id}")
            .objects(own.unit, foreign.unit)
            .body(json!({})),
        Sample::new("GET /api/v1/posts").query("?unit=none"),
        Sample::new("POST /api/v1/posts").body(bad_post),
        Sample::new("GET /api/v1/posts/gaps"),
        Sample::new("POST /api/v1/appointments").body(bad_appointment),
        Sample::new("PATCH /api/v1/appointments/{id}")
            .objects(own.appointment, foreign.appointment)
            .body(json!({ "valid_to": "2026-12-31" })),
        Sample::new("GET /api/v1/workers").query("?q=没有这个人"),
        Sample::new("POST /api/v1/workers").body(bad_worker),
        Sample::new("GET /api/v1/workers/{id}").objects(own.worker, foreign.worker),
        Sample::new("POST /api/v1/leaves").body(bad_leave),
        Sample::new("DELETE /api/v1/leaves/{id}").objects(no_leave(), foreign.leave),
        Sample::new("GET /api/v1/teams"),
        Sample::new("POST /api/v1/teams").body(bad_team),
        Sample::new("PATCH /api/v1/teams/{id}")
            .objects(own.team, foreign.team)
            .body(json!({})),
        Sample::new("POST /api/v1/teams/{id}/members")
            .objects(own.team, foreign.team)
            .body(json!({ "id": own.membership, "worker_id": own.worker, "valid_from": "2026-12-31" })),
        Sample::new("PATCH /api/v1/team-members/{id}")
            .objects(own.membership, foreign.membership)
            .body(json!({ "valid_to": "2026-12-31" })),
        Sample::new("GET /api/v1/portal/my-worker").query("?address=无"),
        Sample::new("GET /api/v1/portal/badge/{badge_no}").objects("none", "neither"),
    ]
}

/// Areas are public by name: the foreign object is one that does not exist.
fn no_area() -> String {
    "01900000-0000-7000-8000-00000000dead".into()
}

/// Taking back the own leave would take it from the next role.
fn no_leave() -> String {
    "01900000-0000-7000-8000-00000000cafe".into()
}

async fn staffed(world: &World<'_>, area: AreaId, code: &'static str) -> Staffed {
    let app = &world.app.app;
    let ctx = Ctx::system(app, "test");
    let made = Staffed {
        unit: app.new_id(),
        worker: app.new_id(),
        appointment: app.new_id(),
        leave: app.new_id(),
        team: app.new_id(),
        membership: app.new_id(),
    };
    let (unit, worker, appointment, leave) = (made.unit, made.worker, made.appointment, made.leave);
    let (team, membership) = (made.team, made.membership);
    app.write(&ctx, move |ctx, tx| {
        let text = |text: &str| format!("{text}-{code}");
        workforce::add_unit(
            ctx,
            tx,
            &NewUnit {
                id: unit,
                code: text("unit"),
                name: text("单位"),
                public_name: text("单位"),
                kind: "station".into(),
                body: "grid".into(),
                area,
                parent: None,
                phone: String::new(),
                office: String::new(),
                hours: String::new(),
            },
        )?;
        let post: PostId = ctx.app.new_id();
        let name = text("岗位");
        workforce::add_post(
            ctx,
            tx,
            &NewPost {
                id: post,
                unit,
                area: Some(area),
                name,
                duty: "grid".into(),
                shift: None,
            },
        )?;
        workforce::add_worker(
            ctx,
            tx,
            &NewWorker {
                id: worker,
                name: text("某人"),
                badge_no: text("B"),
                phone: String::new(),
            },
        )?;
        let from = ctx.now.date();
        workforce::add_appointment(
            ctx,
            tx,
            &NewAppointment {
                id: appointment,
                post,
                worker,
                seat: Seat::A,
                from,
                to: None,
            },
        )?;
        let (from, to) = (
            ctx.now.plus_ms(domain::time::DAY_MS),
            ctx.now.plus_ms(2 * domain::time::DAY_MS),
        );
        workforce::add_leave(
            ctx,
            tx,
            &workforce::LeaveRow {
                id: leave,
                worker,
                from,
                to,
                reason: "休假".into(),
            },
        )?;
        let today = ctx.now.date();
        teams::make(
            ctx,
            tx,
            &NewTeam {
                id: team,
                name: text("走访队"),
                unit,
                liaison: worker,
                areas: vec![area],
                members: Vec::new(),
                from: today,
                to: None,
            },
        )?;
        let term = Term { from: today, to: None };
        let member = Membership {
            id: membership,
            worker,
            term,
        };
        teams::join(ctx, tx, team, &member)
    })
    .await
    .unwrap();
    made
}
