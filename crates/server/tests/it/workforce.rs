//! Workforce through the API: posts with a holder and a stand-in, leave, gaps, my grid worker, badges.

use crate::kit::{Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use serde_json::{Value, json};
use server::platform::{AppointmentId, LeaveId, PostId, UnitId, WorkerId};

/// A unit in the east with one grid post, held by 甲 and 乙.
struct Staffed {
    personnel: Client,
    unit: UnitId,
    post: PostId,
    holder: WorkerId,
    stand_in: WorkerId,
}

async fn staffed(app: &TestApp) -> Staffed {
    let personnel = app.login_as("personnel", Some(EAST)).await;
    let (unit, post): (UnitId, PostId) = (app.app.new_id(), app.app.new_id());
    let make = json!({ "id": unit, "code": "T-1", "name": "海印社区网格站", "kind": "station", "body": "grid", "area_id": EAST,
        "office": "海印路1号", "hours": "8:30—17:30", "phone": "0580-1" });
    personnel.post("/api/v1/units", make).await.ok();
    let make =
        json!({ "id": post, "unit_id": unit, "area_id": EAST_GRID, "name": "网格员", "duty": "grid", "shift": "网格" });
    personnel.post("/api/v1/posts", make).await.ok();
    let (holder, stand_in): (WorkerId, WorkerId) = (app.app.new_id(), app.app.new_id());
    for (worker, name, badge, seat) in [(holder, "甲", "B001", "A"), (stand_in, "乙", "B002", "B")] {
        personnel
            .post(
                "/api/v1/workers",
                json!({ "id": worker, "name": name, "badge_no": badge }),
            )
            .await
            .ok();
        let id: AppointmentId = app.app.new_id();
        let make = json!({ "id": id, "post_id": post, "worker_id": worker, "seat": seat, "valid_from": "2026-01-01" });
        personnel.post("/api/v1/appointments", make).await.ok();
    }
    Staffed {
        personnel,
        unit,
        post,
        holder,
        stand_in,
    }
}

impl Staffed {
    async fn on_duty(&self) -> Value {
        let unit = self.personnel.get(&format!("/api/v1/units/{}", self.unit)).await.ok();
        let posts = unit["posts"].as_array().unwrap();
        posts.iter().find(|post| post["id"] == json!(self.post)).unwrap()["on_duty"].clone()
    }

    async fn leave(&self, app: &TestApp, worker: WorkerId, from: &str, to: &str) -> LeaveId {
        let id: LeaveId = app.app.new_id();
        let make = json!({ "id": id, "worker_id": worker, "from": from, "to": to, "reason": "年休假" });
        self.personnel.post("/api/v1/leaves", make).await.ok();
        id
    }
}

/// Clause PJ-08
#[tokio::test(flavor = "multi_thread")]
async fn work_falls_to_b_while_a_is_away_gaps_show_and_it_returns() {
    each_backend(async |app| {
        let place = staffed(app).await;
        assert_eq!(
            (
                place.on_duty().await["seat"].clone(),
                place.on_duty().await["worker"]["name"].clone()
            ),
            (json!("A"), json!("甲"))
        );
        place
            .leave(
                app,
                place.holder,
                "2026-02-14T09:00:00+08:00",
                "2026-02-14T10:45:00+08:00",
            )
            .await;
        let now = place.on_duty().await;
        assert_eq!(
            (&now["seat"], &now["because"], &now["worker"]["name"]),
            (&json!("B"), &json!("on_leave"), &json!("乙"))
        );
        let second = place
            .leave(
                app,
                place.stand_in,
                "2026-02-14T10:00:00+08:00",
                "2026-02-14T10:45:00+08:00",
            )
            .await;
        assert_eq!(place.on_duty().await["gap"], json!(true));
        let gaps = place.personnel.get("/api/v1/posts/gaps").await.ok();
        assert!(
            gaps["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|gap| gap["post"]["id"] == json!(place.post))
        );
        place.personnel.delete(&format!("/api/v1/leaves/{second}")).await.ok();
        assert_eq!(place.on_duty().await["seat"], json!("B"), "the stand-in is back");
        app.advance_minutes(50);
        assert_eq!(
            place.on_duty().await["seat"],
            json!("A"),
            "the holder is back by themselves"
        );
    })
    .await;
}

/// Clause MG-13
#[tokio::test(flavor = "multi_thread")]
async fn a_resident_finds_the_grid_worker_the_office_and_checks_the_badge() {
    each_backend(async |app| {
        let place = staffed(app).await;
        let resident = app.visitor();
        let path = format!("/api/v1/portal/my-worker?area_id={EAST_GRID}");
        let mine = resident.get(&path).await.ok();
        assert_eq!(
            (&mine["worker"]["name"], &mine["stand_in"]),
            (&json!("甲"), &Value::Null)
        );
        assert_eq!(
            mine["office"],
            json!({ "place": "海印路1号", "hours": "8:30—17:30", "phone": "0580-1" })
        );
        assert!(mine["badge_url"].as_str().unwrap().ends_with("B001"));
        place
            .leave(
                app,
                place.holder,
                "2026-02-14T09:00:00+08:00",
                "2026-02-14T12:00:00+08:00",
            )
            .await;
        let mine = resident.get(&path).await.ok();
        assert_eq!(
            (&mine["worker"]["name"], &mine["stand_in"]["name"]),
            (&json!("甲"), &json!("乙"))
        );
        let badge = resident.get("/api/v1/portal/badge/b001").await.ok();
        assert_eq!(
            (&badge["valid"], &badge["name"], &badge["unit"]),
            (&json!(true), &json!("甲"), &json!("海印社区网格站"))
        );
        let none = resident.get("/api/v1/portal/badge/B999").await.ok();
        assert_eq!(
            none,
            json!({ "valid": false, "name": null, "area": null, "unit": null })
        );
        let by_words = resident
            .get("/api/v1/portal/my-worker?address=东港街道海印社区第一网格")
            .await
            .ok();
        assert_eq!(by_words["worker"]["badge_no"], json!("B001"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_and_scopes_are_held() {
    each_backend(async |app| {
        let place = staffed(app).await;
        let id: AppointmentId = app.app.new_id();
        let mut make = json!({ "id": id, "post_id": place.post, "worker_id": place.holder, "seat": "A", "valid_from": "2026-03-01" });
        assert_eq!(place.personnel.post("/api/v1/appointments", make.clone()).await.verdict(), "422 seat_taken");
        make["seat"] = json!("C");
        assert_eq!(place.personnel.post("/api/v1/appointments", make.clone()).await.verdict(), "422 seat_unknown");
        let other = app.login_as("personnel", Some(WEST)).await;
        let foreign = other.get(&format!("/api/v1/units/{}", place.unit)).await;
        let absent: UnitId = app.app.new_id();
        let nothing = other.get(&format!("/api/v1/units/{absent}")).await;
        assert_eq!((foreign.status, &foreign.body), (nothing.status, &nothing.body));
        make["seat"] = json!("A");
        assert_eq!(other.post("/api/v1/appointments", make).await.verdict(), "404 not_found");
    })
    .await;
}
