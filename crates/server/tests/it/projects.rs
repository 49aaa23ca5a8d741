//! Projects through the router on both databases: given out, led, reminded of, given more time by somebody else, done by milestones, accepted by
//! somebody else; the board recounted from the rows.

use crate::kit::{Answer, CITY, Client, EAST, TestApp, WEST};
use crate::people::{each_with_photos, photo, post, sign_in, unit, worker};
use serde_json::{Value, json};
use server::platform::{Ctx, ProjectEntryId, ProjectId, UnitId, WorkerId, jobs};
use server::policy;

struct Place {
    giver: Client,
    giver_worker: WorkerId,
    leader: Client,
    leader_worker: WorkerId,
    /// In the responsible unit; in the one that helps; in neither.
    colleague: Client,
    helper: Client,
    stranger: Client,
    bureau: UnitId,
    centre: UnitId,
}

async fn place(app: &TestApp) -> Place {
    policy::adopt(&app.app, policy::shipped("zhoushan").unwrap(), None)
        .await
        .unwrap();
    let bureau = unit(app, "民政局", "bureau", "civil", CITY).await;
    let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
    let other = unit(app, "西岸网格中心", "centre", "centre", WEST).await;
    let giver_worker = worker(app, "赵领导").await;
    let leader_worker = worker(app, "钱牵头").await;
    let (colleague, helper, stranger) = (
        worker(app, "孙同事").await,
        worker(app, "李协办").await,
        worker(app, "周外人").await,
    );
    post(app, bureau, None, "head", colleague, None).await;
    post(app, centre, None, "head", helper, None).await;
    post(app, other, None, "head", stranger, None).await;
    Place {
        giver: sign_in(app, "supervisor", CITY, None, Some(giver_worker)).await,
        giver_worker,
        leader: sign_in(app, "grid_worker", WEST, None, Some(leader_worker)).await,
        leader_worker,
        colleague: sign_in(app, "grid_worker", WEST, None, Some(colleague)).await,
        helper: sign_in(app, "grid_worker", WEST, None, Some(helper)).await,
        stranger: sign_in(app, "supervisor", WEST, None, Some(stranger)).await,
        bureau,
        centre,
    }
}

fn day(app: &TestApp, days: i64) -> String {
    let today = app.app.now().date();
    today.saturating_add(jiff::Span::new().days(days)).to_string()
}

fn wish(app: &TestApp, place: &Place, title: &str, due: i64) -> Value {
    json!({
        "id": app.app.new_id::<ProjectId>(), "title": title, "goal": "每个社区建成一处服务站，挂牌并公布电话", "area_id": EAST,
        "unit_id": place.bureau, "leader_id": place.leader_worker, "co_units": [place.centre], "due": day(app, due),
        "milestones": [{ "title": "选址完成", "due": day(app, 3) }],
    })
}

async fn deed(app: &TestApp, who: &Client, project: &str, act: &str, mut more: Value) -> Answer {
    app.advance_minutes(1);
    more["id"] = json!(app.app.new_id::<ProjectEntryId>());
    more["act"] = json!(act);
    who.post(&format!("/api/v1/projects/{project}/acts"), more).await
}

fn refused(said: Answer, code: &str) {
    let verdict = said.verdict();
    assert!(verdict.contains(code), "{verdict}");
}

async fn see(who: &Client, id: &str) -> Value {
    who.get(&format!("/api/v1/projects/{id}")).await.ok()
}

async fn titles(who: &Client, query: &str) -> Vec<String> {
    let page = who.get(&format!("/api/v1/projects{query}")).await.ok();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|one| one["title"].as_str().unwrap().to_owned()).collect()
}

/// `[on_time, soon, late, reported, done, done_late]` of all that somebody sees.
async fn counts(who: &Client) -> [i64; 6] {
    let board = who.get("/api/v1/projects/board").await.ok();
    ["on_time", "soon", "late", "reported", "done", "done_late"].map(|key| board["all"][key].as_i64().unwrap())
}

/// Reminders so far: who was told, and the kind.
async fn reminders(app: &TestApp) -> Vec<(WorkerId, String)> {
    let ctx = Ctx::system(&app.app, "test");
    let read = app.app.read(&ctx, |_, tx| {
        let sql = "select worker_id, kind from notice_staff where subject_kind = 'project' and (kind like '%_due%' or kind like '%_late' \
                   or kind like '%_today')";
        let rows = tx.query(sql, &[])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    });
    let mut all: Vec<(WorkerId, String)> = read.await.unwrap();
    all.sort();
    all
}

/// Clause PJ-02
///
/// Tasks run as projects: each with a leader, a responsible unit, units that help, milestones and a deadline; the leader hears of it, says how it goes with a
/// photo, reaches the milestone, is given more time by somebody else, reports the result, and somebody else accepts it; the board counts all the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_led_to_its_end_and_accepted_by_somebody_else() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let wished = wish(app, &place, "社区服务站全覆盖", 30);
        let id = wished["id"].as_str().unwrap().to_owned();
        refused(place.leader.post("/api/v1/projects", wished.clone()).await, "forbidden");
        let made = place.giver.post("/api/v1/projects", wished.clone()).await.ok();
        assert_eq!((&made["standing"], &made["days_left"]), (&json!("on_time"), &json!(30)));
        // Sent again, as after a lost answer, it is the same one.
        place.giver.post("/api/v1/projects", wished).await.ok();
        assert_eq!(counts(&place.giver).await, [1, 0, 0, 0, 0, 0]);

        // The leader hears of it and sees it, wherever it lies; so do those of its units; nobody else.
        let told = place.leader.get("/api/v1/notices").await.ok();
        assert_eq!(
            (&told["items"][0]["kind"], &told["items"][0]["project_id"]),
            (&json!("project_given"), &json!(id))
        );
        assert!(
            told["items"][0]["text"].as_str().unwrap().contains("社区服务站全覆盖"),
            "{told}"
        );
        for who in [&place.leader, &place.colleague, &place.helper] {
            assert_eq!(titles(who, "").await, ["社区服务站全覆盖"]);
        }
        assert_eq!(titles(&place.stranger, "").await, [""; 0]);
        refused(place.stranger.get(&format!("/api/v1/projects/{id}")).await, "not_found");
        assert_eq!(counts(&place.stranger).await, [0; 6]);

        // Progress with a photo, seen by those of the project only.
        let upload = photo(&place.helper, 40).await;
        let said = json!({ "words": "选址两处，正在商量", "photos": [upload] });
        let after = deed(app, &place.helper, &id, "progress", said).await.ok();
        let hash = after["entries"][0]["photos"][0].as_str().unwrap().to_owned();
        let picture = format!("/api/v1/projects/{id}/photos/{hash}?size=thumb");
        assert!(place.leader.get(&picture).await.status.is_success());
        refused(place.stranger.get(&picture).await, "not_found");
        refused(
            deed(app, &place.leader, &id, "progress", json!({ "words": " " })).await,
            "project_words",
        );

        // Not before its milestones, and not by who only gave it out.
        let result = json!({ "words": "十二个社区都已挂牌" });
        refused(
            deed(app, &place.leader, &id, "report", result.clone()).await,
            "project_milestones_open",
        );
        let step = after["milestones"][0]["id"].clone();
        let reached = deed(app, &place.leader, &id, "milestone", json!({ "milestone_id": step }))
            .await
            .ok();
        assert_eq!(reached["milestones"][0]["done"], json!(day(app, 0)));
        refused(
            deed(app, &place.giver, &id, "report", result.clone()).await,
            "forbidden",
        );

        // More time: asked by the leader, given by somebody else, twice at most.
        refused(
            deed(
                app,
                &place.leader,
                &id,
                "ask",
                json!({ "words": "雨季", "day": day(app, 30) }),
            )
            .await,
            "project_later_day",
        );
        for (until, extended) in [(40, 1), (50, 2)] {
            let ask = json!({ "words": "雨季停工", "day": day(app, until) });
            let asked = deed(app, &place.leader, &id, "ask", ask.clone()).await.ok();
            assert_eq!(asked["asked_until"], json!(day(app, until)));
            refused(deed(app, &place.leader, &id, "grant", json!({})).await, "forbidden");
            let given = deed(app, &place.giver, &id, "grant", json!({})).await.ok();
            assert_eq!(
                (&given["due"], &given["extended"]),
                (&json!(day(app, until)), &json!(extended))
            );
            assert_eq!(given["first_due"], json!(day(app, 30)));
        }
        refused(
            deed(
                app,
                &place.leader,
                &id,
                "ask",
                json!({ "words": "再晚些", "day": day(app, 60) }),
            )
            .await,
            "project_too_often",
        );

        // Said to be done, sent back, done again, accepted: by somebody else than the leader.
        deed(app, &place.leader, &id, "report", result.clone()).await.ok();
        assert_eq!(counts(&place.giver).await, [0, 0, 0, 1, 0, 0]);
        deed(
            app,
            &place.giver,
            &id,
            "send_back",
            json!({ "words": "三处没有公布电话" }),
        )
        .await
        .ok();
        assert_eq!(counts(&place.giver).await, [1, 0, 0, 0, 0, 0]);
        deed(app, &place.leader, &id, "report", result).await.ok();
        refused(deed(app, &place.leader, &id, "accept", json!({})).await, "forbidden");
        let closed = deed(app, &place.giver, &id, "accept", json!({ "words": "已逐处看过" }))
            .await
            .ok();
        assert_eq!(
            (&closed["standing"], &closed["result"]),
            (&json!("done"), &json!("十二个社区都已挂牌"))
        );
        assert_eq!(closed["acts"], json!([]));
        assert_eq!(counts(&place.giver).await, [0, 0, 0, 0, 1, 0]);
        refused(
            deed(app, &place.leader, &id, "progress", json!({ "words": "补一句" })).await,
            "project_phase",
        );
        let board = place.giver.get("/api/v1/projects/board").await.ok();
        assert_eq!(
            (&board["units"][0]["name"], &board["leaders"][0]["name"]),
            (&json!("民政局"), &json!("钱牵头"))
        );
        let record: Vec<String> = see(&place.colleague, &id).await["entries"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|one| one["act"].as_str().unwrap().to_owned())
            .collect();
        let all = "made progress milestone ask grant ask grant report send_back report accept";
        assert_eq!(record.join(" "), all);
    })
    .await;
}

/// Who gives a project out and leads it does not decide on it: neither on more time nor on its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_who_may_judge_projects_does_not_judge_their_own() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let mut wished = wish(app, &place, "自己牵头", 30);
        wished["leader_id"] = json!(place.giver_worker);
        wished["milestones"] = json!([]);
        let id = wished["id"].as_str().unwrap().to_owned();
        place.giver.post("/api/v1/projects", wished).await.ok();
        deed(
            app,
            &place.giver,
            &id,
            "ask",
            json!({ "words": "晚些", "day": day(app, 40) }),
        )
        .await
        .ok();
        refused(
            deed(app, &place.giver, &id, "grant", json!({})).await,
            "project_own_work",
        );
        deed(app, &place.giver, &id, "report", json!({ "words": "好了" }))
            .await
            .ok();
        refused(
            deed(app, &place.giver, &id, "accept", json!({})).await,
            "project_own_work",
        );
        let acts = see(&place.giver, &id).await["acts"].clone();
        assert_eq!(acts, json!(["progress", "send_back"]));
        let second = sign_in(app, "supervisor", CITY, None, None).await;
        assert_eq!(
            deed(app, &second, &id, "accept", json!({})).await.ok()["standing"],
            "done"
        );
    })
    .await;
}

/// Reminders come on the days of the pack, once each however long the server was away; late, they go to who gave it out as well.
#[tokio::test(flavor = "multi_thread")]
async fn its_dates_are_spoken_of_before_and_after() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let wished = wish(app, &place, "老旧小区改造", 10);
        place.giver.post("/api/v1/projects", wished.clone()).await.ok();
        jobs::run_due(&app.app).await.unwrap();
        assert!(reminders(app).await.is_empty());
        // The milestone in three days is spoken of the day before and on its day; it is not reached, so after it too.
        let leader = |kind: &str| (place.leader_worker, kind.to_owned());
        let giver = |kind: &str| (place.giver_worker, kind.to_owned());
        let mut expected = Vec::new();
        let days: [(i64, &[(WorkerId, String)]); 7] = [
            (2, &[leader("project_milestone_due")]),
            (3, &[leader("project_milestone_today"), leader("project_due")]),
            (4, &[leader("project_milestone_late"), giver("project_milestone_late")]),
            (6, &[leader("project_milestone_late"), giver("project_milestone_late")]),
            (9, &[leader("project_due")]),
            (10, &[leader("project_due_today")]),
            (11, &[leader("project_late"), giver("project_late")]),
        ];
        let mut passed = 0;
        for (at, said) in days {
            while passed < at {
                app.advance_hours(24);
                passed += 1;
                jobs::run_due(&app.app).await.unwrap();
            }
            expected.extend(said.iter().cloned());
            expected.sort();
            assert_eq!(reminders(app).await, expected, "day {at}");
        }
        // Ten days without the server: each of the two dates once.
        app.advance_hours(24 * 10);
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(reminders(app).await.len(), expected.len() + 4);
    })
    .await;
}

/// The list goes by deadline, in pages, and by how a project stands; the board says the same numbers.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_the_board_say_the_same() {
    each_with_photos(async |app| {
        let place = place(app).await;
        for (title, due) in [("丙", 60), ("甲", 5), ("乙", 7), ("丁", 8)] {
            let mut wished = wish(app, &place, title, due);
            wished["milestones"] = json!([]);
            place.giver.post("/api/v1/projects", wished).await.ok();
        }
        assert_eq!(titles(&place.giver, "").await, ["甲", "乙", "丁", "丙"]);
        assert_eq!(titles(&place.giver, "?standing=soon").await, ["甲", "乙"]);
        assert_eq!(titles(&place.giver, "?standing=on_time").await, ["丁", "丙"]);
        assert_eq!(titles(&place.giver, &format!("?unit={}", place.centre)).await, [""; 0]);
        assert_eq!(counts(&place.giver).await, [2, 2, 0, 0, 0, 0]);
        let first = place.giver.get("/api/v1/projects?limit=3").await.ok();
        let after = first["next"].as_str().unwrap();
        assert_eq!(titles(&place.giver, &format!("?limit=3&after={after}")).await, ["丙"]);
        let mut bad = wish(app, &place, "", 10);
        refused(place.giver.post("/api/v1/projects", bad.clone()).await, "project_title");
        bad["title"] = json!("戊");
        bad["milestones"][0]["due"] = json!(day(app, 11));
        refused(
            place.giver.post("/api/v1/projects", bad.clone()).await,
            "project_milestone_day",
        );
        bad["due"] = json!(day(app, -1));
        refused(place.giver.post("/api/v1/projects", bad).await, "project_due");
    })
    .await;
}
