//! Visiting teams: who is in one, what it hears, who owes the answer, and the figures that lead to the cases.

use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, WEST, each_backend};
use crate::people::{act, counters_are_true, each_with_photos, kinds, photo, post, run_timers, sign_in, unit, worker};
use db::params;
use serde_json::{Value, json};
use server::platform::{
    AppointmentId, CaseId, Ctx, LeaveId, Mark, MembershipId, PostId, Subject, TeamId, UnitId, WorkerId,
};
use server::workforce::{self, LeaveRow};

/// Handled by the environment bureau, answered by the grid worker when it comes from elsewhere, no photos asked.
const SMOKE: &str = "0301";

struct Place {
    department: UnitId,
    bureau: (UnitId, WorkerId),
    member: WorkerId,
    liaison: WorkerId,
    stand_in: WorkerId,
    stranger: WorkerId,
}

/// A department with somebody to send, the bureau that handles, a grid with its worker and stand-in, and a worker of another town.
async fn place(app: &TestApp) -> Place {
    let department = unit(app, "文化局", "bureau", "emergency", CITY).await;
    let member = worker(app, "周走访").await;
    post(app, department, None, "handle", member, None).await;
    let bureau = unit(app, "生态环境局", "bureau", "environment", CITY).await;
    let inspector = worker(app, "环保").await;
    post(app, bureau, None, "handle", inspector, None).await;
    let grid = unit(app, "第一网格服务团队", "station", "grid", EAST_GRID).await;
    let liaison = worker(app, "张网格").await;
    let seat = post(app, grid, Some(EAST_GRID), "grid", liaison, None).await;
    let stand_in = worker(app, "李替班").await;
    stand_in_for(app, seat, stand_in).await;
    let west = unit(app, "西区网格服务团队", "station", "grid", WEST).await;
    let stranger = worker(app, "外区网格员").await;
    post(app, west, Some(WEST), "grid", stranger, None).await;
    Place {
        department,
        bureau: (bureau, inspector),
        member,
        liaison,
        stand_in,
        stranger,
    }
}

async fn stand_in_for(app: &TestApp, post: PostId, worker: WorkerId) {
    let id: AppointmentId = app.app.new_id();
    let ctx = Ctx::system(&app.app, "test");
    let made = app.app.write(&ctx, move |ctx, tx| {
        tx.execute(
            "insert into appointment (id, post_id, worker_id, seat, valid_from) values ($1, $2, $3, 'B', '2026-01-01')",
            &params![id, post, worker],
        )?;
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.made", Subject::System, json!({})))
    });
    made.await.expect("a stand-in");
}

async fn on_leave(app: &TestApp, worker: WorkerId, minutes: i64) {
    let ctx = Ctx::system(&app.app, "test");
    let id: LeaveId = app.app.new_id();
    let done = app.app.write(&ctx, move |ctx, tx| {
        let leave = LeaveRow {
            id,
            worker,
            from: ctx.now,
            to: ctx.now.plus_ms(minutes * domain::time::MINUTE_MS),
            reason: "年休假".into(),
        };
        workforce::add_leave(ctx, tx, &leave)
    });
    done.await.expect("a leave");
}

/// The team of the department that visits the eastern community, with its one member.
fn team_of(app: &TestApp, place: &Place) -> Value {
    json!({
        "id": app.app.new_id::<TeamId>(), "name": "文化局走访队", "unit_id": place.department, "liaison_id": place.liaison,
        "area_ids": [EAST_COMMUNITY], "member_ids": [place.member], "valid_from": "2026-02-01",
    })
}

fn heard(app: &TestApp, team: &Value, body: &str) -> Value {
    json!({
        "id": app.app.new_id::<CaseId>(), "channel": "visit", "team_id": team["id"], "body": body, "category_code": SMOKE,
        "area_id": EAST_GRID, "reporter": { "name": "王大妈", "phone": "13800001111" },
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// Verdict and field of a refusal.
async fn refusal(who: &Client, path: &str, body: Value) -> (String, Option<String>) {
    let answer = who.post(path, body).await;
    let field = answer.json()["field"].as_str().map(str::to_owned);
    (answer.verdict(), field)
}

fn said(verdict: &str, field: &str) -> (String, Option<String>) {
    (verdict.into(), Some(field.into()))
}

async fn todays(who: &Client) -> Vec<String> {
    let list = who.get("/api/v1/cases?queue=mine").await.ok();
    let items = list["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|case| case["id"].as_str().map(str::to_owned))
        .collect()
}

/// How many cases a link of the desk shows and counts, read as the desk reads it.
async fn behind(who: &Client, link: &str) -> (i64, i64) {
    let (_, query) = link.split_once('?').expect("a list");
    let read = |pair: &str| {
        let (key, value) = pair.split_once('=').expect("a filter");
        if !key.ends_with("_from") && !key.ends_with("_to") {
            return pair.to_owned();
        }
        let day: jiff::civil::Date = value.parse().expect("a day");
        let day = if key.ends_with("_to") {
            day.tomorrow().expect("a day")
        } else {
            day
        };
        format!("{key}={day}T00:00:00%2B08:00")
    };
    let query: Vec<String> = query.split('&').map(read).collect();
    let query = query.join("&");
    let list = who.get(&format!("/api/v1/cases?limit=200&{query}")).await.ok();
    let counts = who.get(&format!("/api/v1/cases/counts?{query}")).await.ok();
    (
        list["items"].as_array().expect("items").len() as i64,
        counts["total"].as_i64().expect("a total"),
    )
}

const NUMBERS: [&str; 7] = [
    "heard",
    "on_the_spot",
    "open",
    "late",
    "handled",
    "handled_on_time",
    "handled_answered",
];

/// The figures of the one team, each number held against the cases behind it.
async fn figures(who: &Client) -> [i64; 7] {
    let view = who.get("/api/v1/board/teams").await.ok();
    let row = &view["rows"][0];
    for name in NUMBERS {
        let count = row[name]["count"].as_i64().expect("a count");
        let link = row[name]["link"].as_str().expect("a link");
        assert_eq!(behind(who, link).await, (count, count), "{name}: {link}");
    }
    NUMBERS.map(|name| row[name]["count"].as_i64().expect("a count"))
}

/// Clause LH-22
///
/// A department's team with a grid worker as liaison hears two matters on a visit: one is answered on the spot, with its photo; the other
/// is uploaded and follows the loop under its limits; when the bureau has handled it the liaison hears of it, has it on the list of the
/// day, and tells the resident. On leave, the stand-in owes it. The figures say so and lead to just these cases.
#[tokio::test]
async fn what_a_team_hears_is_answered_on_the_spot_or_handled_and_told() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let admin = app.login_as("system_admin", Some(CITY)).await;
        let team = admin.post("/api/v1/teams", team_of(app, &place)).await.ok();
        assert_eq!((team["liaison"]["name"].as_str(), team["members"][0]["worker"]["name"].as_str()), (Some("张网格"), Some("周走访")));
        let member = sign_in(app, "team_member", EAST_COMMUNITY, None, Some(place.member)).await;
        let filing = member.get("/api/v1/teams?filing=true").await.ok();
        assert_eq!(filing["items"][0]["id"], team["id"]);

        // At the door: one answered there and then.
        let mut answered = heard(app, &team, "楼道堆了纸箱，过不去人");
        answered["on_the_spot"] = json!({
            "result": "当场请商户搬走", "answer_way": "in_person", "answer_body": "已清走", "after_attachments": [photo(&member, 3).await],
        });
        let answered = member.post("/api/v1/cases", answered).await.ok();
        let on_the_spot = answered["case"]["id"].as_str().unwrap().to_owned();
        assert_eq!((answered["case"]["team"]["name"].as_str(), answered["case"]["state"].as_str()), (Some("文化局走访队"), Some("answered")));

        // The other uploaded: with the unit at once, under its limit.
        let uploaded = member.post("/api/v1/cases", heard(app, &team, "烧烤店油烟直排")).await.ok();
        let case = uploaded["case"]["id"].as_str().unwrap().to_owned();
        assert_eq!((uploaded["case"]["unit"]["name"].as_str(), uploaded["case"]["due_step"].as_str()), (Some("生态环境局"), Some("handle")));
        let page = member.get(&format!("/api/v1/cases/{case}")).await.ok();
        assert_eq!(page["events"][1]["text"], "Heard by 文化局走访队 on a visit");
        assert!(kinds(&page).contains(&"heard"));

        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(figures(&dispatcher).await, [2, 1, 2, 0, 1, 1, 1]);

        // Handled: the liaison hears of it and owes the answer; nobody of the bureau may give it instead.
        let inspector = sign_in(app, "handler", CITY, Some(place.bureau.0), Some(place.bureau.1)).await;
        let liaison = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.liaison)).await;
        let stand_in = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.stand_in)).await;
        act(&inspector, &case, "take", json!({})).await.ok();
        assert_eq!(todays(&liaison).await, Vec::<String>::new());
        act(&inspector, &case, "handle", json!({ "result": "已加装净化装置" })).await.ok();
        let notices = liaison.get("/api/v1/notices").await.ok();
        assert_eq!((notices["items"][0]["kind"].as_str(), notices["items"][0]["case_id"].as_str()), (Some("answer_owed"), Some(case.as_str())));
        assert_eq!(todays(&liaison).await, std::slice::from_ref(&case));
        let told = json!({ "way": "in_person", "body": "净化装置装好了", "solved": true });
        assert_eq!(act(&inspector, &case, "answer", told.clone()).await.verdict(), "422 liaison_answers");

        // On leave, the stand-in has it on the list; back, the liaison.
        on_leave(app, place.liaison, 20).await;
        assert_eq!((todays(&liaison).await.len(), todays(&stand_in).await), (0, vec![case.clone()]));
        app.advance_minutes(21);
        assert_eq!((todays(&liaison).await, todays(&stand_in).await.len()), (vec![case.clone()], 0));

        act(&liaison, &case, "answer", told).await.ok();
        assert_eq!(todays(&liaison).await, Vec::<String>::new());
        assert_eq!(figures(&dispatcher).await, [2, 1, 2, 0, 2, 2, 2]);
        let verifier = app.login_as("verifier", Some(CITY)).await;
        for id in [&on_the_spot, &case] {
            let seen = verifier.get(&format!("/api/v1/cases/{id}")).await.ok();
            if seen["state"] == "answered" {
                act(&verifier, id, "verify", json!({ "pass": true })).await.ok();
            }
        }
        assert_eq!(figures(&dispatcher).await[..2], [2, 1]);

        // A third, left lying: late, and open.
        member.post("/api/v1/cases", heard(app, &team, "夜里施工噪声大")).await.ok();
        app.advance_hours(24 * 20);
        run_timers(app).await;
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        let all = dispatcher.get(&format!("/api/v1/cases?queue=late&team={}", team["id"].as_str().unwrap())).await.ok();
        assert_eq!(all["items"].as_array().unwrap().len() as i64, figures(&dispatcher).await[3]);
        counters_are_true(app, &[CITY, EAST, EAST_COMMUNITY, EAST_GRID]).await;
    })
    .await;
}

/// Only who goes with the team that day, or a clerk of the area, files for it, in its areas and on a visit.
#[tokio::test]
async fn only_its_people_and_clerks_file_for_a_team() {
    each_backend(async |app| {
        let place = place(app).await;
        let admin = app.login_as("system_admin", Some(CITY)).await;
        let team = admin.post("/api/v1/teams", team_of(app, &place)).await.ok();
        let cases = "/api/v1/cases";
        let member = sign_in(app, "team_member", CITY, None, Some(place.member)).await;
        let patrol = with(heard(app, &team, "路灯不亮"), "channel", json!("patrol"));
        assert_eq!(
            refusal(&member, cases, patrol).await,
            said("422 team_only_visits", "team_id")
        );
        let elsewhere = with(heard(app, &team, "路灯不亮"), "area_id", json!(WEST));
        assert_eq!(
            refusal(&member, cases, elsewhere).await,
            said("422 area_not_of_team", "area_id")
        );
        let nowhere = with(heard(app, &team, "路灯不亮"), "area_id", Value::Null);
        assert_eq!(
            refusal(&member, cases, nowhere).await,
            said("422 area_missing", "area_id")
        );
        let unknown = with(
            heard(app, &team, "路灯不亮"),
            "team_id",
            json!(app.app.new_id::<TeamId>()),
        );
        assert_eq!(
            refusal(&member, cases, unknown).await,
            said("422 team_not_yours", "team_id")
        );

        // A grid worker of the area who does not go with the team is told the same; the liaison and a clerk file.
        let other = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.stand_in)).await;
        assert_eq!(
            refusal(&other, cases, heard(app, &team, "路灯不亮")).await,
            said("422 team_not_yours", "team_id")
        );
        assert_eq!(other.get("/api/v1/teams?filing=true").await.ok()["items"], json!([]));
        let west = app.login_as("clerk", Some(WEST)).await;
        assert_eq!(
            refusal(&west, cases, heard(app, &team, "路灯不亮")).await,
            said("422 team_not_yours", "team_id")
        );
        assert_eq!(west.get("/api/v1/teams").await.ok()["items"], json!([]));
        let liaison = sign_in(app, "grid_worker", EAST_GRID, None, Some(place.liaison)).await;
        liaison.post(cases, heard(app, &team, "健身器材坏了")).await.ok();
        let clerk = app.login_as("clerk", Some(EAST)).await;
        let sent = heard(app, &team, "下水道有异味");
        let first = clerk.post(cases, sent.clone()).await.ok();
        assert_eq!(
            clerk.post(cases, sent).await.ok()["case"]["number"],
            first["case"]["number"],
            "a retry is the same case"
        );

        // Yesterday was the member's last day; the team's own last day ends it for all.
        let membership = team["members"][0]["id"].as_str().unwrap();
        admin
            .patch(
                &format!("/api/v1/team-members/{membership}"),
                json!({ "valid_to": "2026-02-13" }),
            )
            .await
            .ok();
        assert_eq!(
            refusal(&member, cases, heard(app, &team, "路灯不亮")).await,
            said("422 team_not_yours", "team_id")
        );
        let path = format!("/api/v1/teams/{}", team["id"].as_str().unwrap());
        let ended = admin.patch(&path, json!({ "valid_to": "2026-02-13" })).await.ok();
        assert_eq!(ended["in_force"], false);
        for who in [&liaison, &clerk] {
            assert_eq!(
                refusal(who, cases, heard(app, &team, "路灯不亮")).await,
                said("422 team_not_yours", "team_id")
            );
        }
        assert_eq!(
            figures(&app.login_as("dispatcher", Some(EAST)).await).await[0],
            2,
            "what it heard stays"
        );
        counters_are_true(app, &[CITY, EAST]).await;
    })
    .await;
}

/// A team is refused, with the field, where it could not do its work; whoever manages other areas does not see it.
#[tokio::test]
async fn a_team_needs_a_liaison_of_its_grid_and_stays_with_its_managers() {
    each_backend(async |app| {
        let place = place(app).await;
        let admin = app.login_as("system_admin", Some(EAST)).await;
        let good = team_of(app, &place);
        let teams = "/api/v1/teams";
        for (field, value, verdict, at) in [
            ("name", json!(" "), "422 text_length", "name"),
            ("unit_id", json!(app.app.new_id::<UnitId>()), "422 unit_unknown", "unit_id"),
            ("liaison_id", json!(app.app.new_id::<WorkerId>()), "422 unknown_worker", "liaison_id"),
            ("liaison_id", json!(place.member), "422 liaison_without_grid", "liaison_id"),
            ("liaison_id", json!(place.stranger), "422 liaison_without_grid", "liaison_id"),
            ("area_ids", json!([]), "422 team_without_area", "area_ids"),
            ("area_ids", json!([EAST_COMMUNITY, WEST]), "422 area_not_managed", "area_ids"),
            ("area_ids", json!([app.app.new_id::<CaseId>()]), "422 unknown_area", "area_ids"),
            ("valid_to", json!("2026-01-31"), "422 team_ends_before_start", "valid_to"),
            ("valid_from", json!("1 February"), "422 date_expected", "valid_from"),
        ] {
            assert_eq!(refusal(&admin, teams, with(good.clone(), field, value)).await, said(verdict, at));
        }
        assert_eq!(admin.get(teams).await.ok()["items"], json!([]), "refused whole");
        let team = admin.post(teams, good.clone()).await.ok();
        let again = with(good, "id", json!(app.app.new_id::<TeamId>()));
        assert_eq!(refusal(&admin, teams, again).await, said("409 team_name_taken", "name"));

        let members = format!("{teams}/{}/members", team["id"].as_str().unwrap());
        let join = |worker: WorkerId, from: &str, to: Value| json!({ "id": app.app.new_id::<MembershipId>(), "worker_id": worker, "valid_from": from, "valid_to": to });
        assert_eq!(refusal(&admin, &members, join(place.member, "2026-03-01", Value::Null)).await, said("409 team_member_already", "worker_id"));
        assert_eq!(refusal(&admin, &members, join(place.stand_in, "2026-03-02", json!("2026-03-01"))).await, said("422 team_ends_before_start", "valid_to"));
        let joined = admin.post(&members, join(place.stand_in, "2026-03-01", Value::Null)).await.ok();
        assert_eq!((joined["members"][1]["worker"]["name"].as_str(), joined["members"][1]["present"].as_bool()), (Some("李替班"), Some(false)));
        let path = format!("{teams}/{}", team["id"].as_str().unwrap());
        assert_eq!(admin.patch(&path, json!({ "liaison_id": place.member })).await.verdict(), "422 liaison_without_grid");
        let renamed = admin.patch(&path, json!({ "name": "文旅走访队" })).await.ok();
        assert_eq!(renamed["name"], "文旅走访队");

        // Who only reads may not change it; of another town it does not exist.
        let reader = app.login_as("dispatcher", Some(EAST)).await;
        assert_eq!(reader.get(teams).await.ok()["items"][0]["may_change"], false);
        assert_eq!(reader.patch(&path, json!({ "name": "x" })).await.verdict(), "403 forbidden");
        let west = app.login_as("system_admin", Some(WEST)).await;
        assert_eq!(west.get(teams).await.ok()["items"], json!([]));
        assert_eq!(west.patch(&path, json!({ "name": "x" })).await.verdict(), "404 not_found");
        assert_eq!(west.post(&members, join(place.stranger, "2026-03-01", Value::Null)).await.verdict(), "404 not_found");
    })
    .await;
}
