//! The log of a phone through the router on both databases: each operation once, what is refused kept and settled, clocks put right, phones
//! given up for lost.

use crate::cases::new_id;
use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST};
use crate::people::{each_with_photos, household, sign_in, two_grids, worker};
use axum::http::StatusCode;
use domain::time::Timestamp;
use serde_json::{Value, json};
use server::platform::{Ctx, ledger};

struct Place {
    worker: Client,
    other: Client,
    supervisor: Client,
    elsewhere: Client,
}

async fn place(app: &TestApp) -> Place {
    let [holder, other] = two_grids(app).await;
    Place {
        worker: sign_in(app, "grid_worker", EAST_GRID, None, Some(holder)).await,
        other: sign_in(app, "grid_worker", WEST, None, Some(other)).await,
        supervisor: sign_in(app, "supervisor", EAST, None, Some(worker(app, "赵领导").await)).await,
        elsewhere: sign_in(app, "supervisor", WEST, None, Some(worker(app, "钱领导").await)).await,
    }
}

fn visit(app: &TestApp, home: &str, at: Timestamp) -> Value {
    json!({ "id": new_id(app), "act": "visit", "subject_kind": "household", "subject_id": home, "at": at.to_string(), "outcome": "met",
        "talk": "老人身体还好" })
}

fn report(app: &TestApp, words: &str) -> Value {
    json!({ "id": new_id(app), "channel": "patrol", "body": words, "area_id": EAST_GRID })
}

fn operation(number: i64, path: &str, body: &Value, at: Timestamp) -> Value {
    json!({ "id": format!("op-{number}"), "number": number, "path": path, "body": body, "title": format!("第 {number} 件"), "at": at.to_string() })
}

struct Phone {
    device: String,
    /// How far its clock is ahead.
    ahead_ms: i64,
}

impl Phone {
    fn new(app: &TestApp) -> Phone {
        Phone {
            device: new_id(app),
            ahead_ms: 0,
        }
    }

    fn now(&self, app: &TestApp) -> Timestamp {
        app.app.now().plus_ms(self.ahead_ms)
    }

    async fn try_send(&self, app: &TestApp, who: &Client, operations: &[Value]) -> Answer {
        let body = json!({ "device": self.device, "name": "Android · Chrome", "app": "1", "sent_at": self.now(app).to_string(), "operations": operations });
        who.post("/api/v1/sync", body).await
    }

    async fn send(&self, app: &TestApp, who: &Client, operations: &[Value]) -> Value {
        self.try_send(app, who, operations).await.ok()
    }
}

fn verdicts(said: &Value) -> Vec<&str> {
    let receipts = said["receipts"].as_array().unwrap();
    receipts.iter().map(|one| one["verdict"].as_str().unwrap()).collect()
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let ctx = Ctx::system(&app.app, "test");
    let read = app
        .app
        .read(&ctx, move |_, tx| Ok(tx.query_one(sql, &[])?.get::<i64>(0)?));
    read.await.unwrap()
}

async fn kept(who: &Client) -> Vec<Value> {
    let page = who.get(&format!("/api/v1/sync/kept?area={EAST}")).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_and_again_is_done_once() {
    each_with_photos(async |app| {
        let Place { worker, other, .. } = place(app).await;
        let home = household(app, &worker, EAST_GRID, "101").await;
        let phone = Phone::new(app);
        let now = app.app.now();
        let all = [
            operation(1, "/visits", &visit(app, &home, now), now),
            operation(2, "/cases", &report(app, "楼道灯不亮"), now),
        ];
        let first = phone.send(app, &worker, &all).await;
        assert_eq!(verdicts(&first), ["done", "done"]);
        assert!(first["receipts"][1]["answer"]["case"]["number"].is_string(), "{first}");
        assert_eq!((&first["seen"], &first["revoked"]), (&json!(2), &json!(false)));
        // In whatever order and company it comes.
        for batch in [vec![all[1].clone()], vec![all[1].clone(), all[0].clone()], all.to_vec()] {
            let again = phone.send(app, &worker, &batch).await;
            assert!(verdicts(&again).iter().all(|verdict| *verdict == "already"), "{again}");
        }
        assert_eq!(count(app, "select count(*) from visit").await, 1);
        assert_eq!(count(app, "select count(*) from report").await, 1);
        assert_eq!(count(app, "select count(*) from operation").await, 2);
        // A receipt holds, and only for what it says.
        let text = |verdict: &str| {
            let at = Timestamp::parse(first["receipts"][0]["received_at"].as_str().unwrap())
                .unwrap()
                .0;
            format!(
                "wangge operation receipt\n{}\n{}\n1\nop-1\n{verdict}\n{at}\n",
                first["epoch"], phone.device
            )
        };
        let signature = first["receipts"][0]["signature"].as_str().unwrap();
        let key = ledger::key(&app.app).public();
        assert!(key.signed(&text("done"), signature) && !key.signed(&text("refused"), signature));
        // Somebody else's phone does not become mine by its id.
        let stolen = phone.try_send(app, &other, &[]).await;
        assert_eq!(stolen.verdict(), "409 device_of_another");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_stops_no_other_and_waits_for_somebody() {
    each_with_photos(async |app| {
        let Place {
            worker,
            supervisor,
            elsewhere,
            ..
        } = place(app).await;
        let (mine, strange) = (household(app, &worker, EAST_GRID, "101").await, new_id(app));
        let phone = Phone::new(app);
        let now = app.app.now();
        let all = [
            operation(1, "/visits", &visit(app, &strange, now), now),
            operation(2, "/nowhere", &json!({ "of": "a later app" }), now),
            operation(3, "/visits", &visit(app, &mine, now), now),
            operation(4, "/visits", &json!({ "act": "visit" }), now),
        ];
        let said = phone.send(app, &worker, &all).await;
        assert_eq!(verdicts(&said), ["refused", "refused", "done", "refused"]);
        let fault = |at: usize| said["receipts"][at]["fault"]["code"].clone();
        assert_eq!(
            [fault(0), fault(1), fault(3)],
            ["not_found", "operation_unknown", "missing_field"]
        );
        assert!(said["receipts"][0]["kept_as"].is_string());
        // Sent again it is told again, and kept once.
        assert_eq!(
            verdicts(&phone.send(app, &worker, &all).await),
            ["refused", "refused", "already", "refused"]
        );
        let waits = kept(&supervisor).await;
        assert_eq!(waits.len(), 3);
        assert_eq!(
            (&waits[0]["title"], &waits[0]["worker_name"], &waits[0]["kind"]),
            (&json!("第 1 件"), &json!("测试grid_worker"), &json!("visit"))
        );
        assert_eq!(waits[0]["body"]["talk"], "老人身体还好");
        // Whoever supervises elsewhere knows nothing of it.
        assert_eq!(
            elsewhere.get(&format!("/api/v1/sync/kept?area={EAST}")).await.status,
            StatusCode::NOT_FOUND
        );
        let wish = |how: &str, one: &Value| json!({ "id": one["id"], "fingerprint": one["fingerprint"], "how": how });
        assert_eq!(
            elsewhere
                .post("/api/v1/sync/kept/settle", wish("given_up", &waits[0]))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        // What still cannot be done is not done in somebody's name either.
        assert_eq!(
            supervisor
                .post("/api/v1/sync/kept/settle", wish("taken_in", &waits[0]))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(kept(&supervisor).await.len(), 3);
        // The worker gives one up; the phone hears that the other was settled.
        assert_eq!(
            worker
                .post("/api/v1/sync/kept/settle", wish("taken_in", &waits[1]))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        worker
            .post("/api/v1/sync/kept/settle", wish("given_up", &waits[1]))
            .await
            .ok();
        supervisor
            .post("/api/v1/sync/kept/settle", wish("given_up", &waits[0]))
            .await
            .ok();
        assert_eq!(
            supervisor
                .post("/api/v1/sync/kept/settle", wish("given_up", &waits[0]))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            verdicts(&phone.send(app, &worker, &all).await),
            ["already", "already", "already", "refused"]
        );
        assert_eq!(
            count(app, "select count(*) from operation where asked_sealed is not null").await,
            1
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_in_a_grid_that_went_to_somebody_else_is_taken_in_for_who_made_it() {
    each_with_photos(async |app| {
        let Place {
            worker,
            other,
            supervisor,
            ..
        } = place(app).await;
        let home = household(app, &worker, EAST_GRID, "101").await;
        let phone = Phone::new(app);
        let now = app.app.now();
        // Not in the other worker's grid (any more): kept, not lost.
        let made = visit(app, &home, now);
        let said = phone.send(app, &other, &[operation(1, "/visits", &made, now)]).await;
        assert_eq!(verdicts(&said), ["refused"]);
        let west = sign_in(app, "supervisor", CITY, None, None).await;
        let page = west.get(&format!("/api/v1/sync/kept?area={WEST}")).await.ok();
        let one = &page["items"][0];
        west.post(
            "/api/v1/sync/kept/settle",
            json!({ "id": one["id"], "fingerprint": one["fingerprint"], "how": "taken_in" }),
        )
        .await
        .ok();
        let stored = supervisor
            .get(&format!(
                "/api/v1/visits/{}?purpose=supervise",
                made["id"].as_str().unwrap()
            ))
            .await
            .ok();
        assert_eq!(stored["talk"], "老人身体还好");
        assert_eq!(
            count(
                app,
                "select count(*) from visit v join worker w on w.id = v.worker_id where w.name = '王网格'"
            )
            .await,
            1
        );
        assert_eq!(
            verdicts(&phone.send(app, &other, &[operation(1, "/visits", &made, now)]).await),
            ["already"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_other_content_is_shown_and_never_applied() {
    each_with_photos(async |app| {
        let Place { worker, supervisor, .. } = place(app).await;
        let phone = Phone::new(app);
        let now = app.app.now();
        phone
            .send(app, &worker, &[operation(1, "/cases", &report(app, "楼道灯不亮"), now)])
            .await;
        let said = phone
            .send(app, &worker, &[operation(1, "/cases", &report(app, "井盖松动"), now)])
            .await;
        assert_eq!(verdicts(&said), ["clash"]);
        assert_eq!(count(app, "select count(*) from report").await, 1);
        assert_eq!(kept(&supervisor).await[0]["body"]["body"], "井盖松动");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_one_case_both_know_of_it() {
    each_with_photos(async |app| {
        let Place { worker, supervisor, .. } = place(app).await;
        let phone = Phone::new(app);
        let now = app.app.now();
        let said = phone.send(app, &worker, &[operation(1, "/cases", &report(app, "楼道灯不亮"), now)]).await;
        let case = said["receipts"][0]["answer"]["case"].clone();
        let (id, path) = (case["id"].as_str().unwrap(), format!("/cases/{}/actions/comment", case["id"].as_str().unwrap()));
        let seen = worker.get(&format!("/api/v1/cases/{id}?purpose=handle")).await.ok();
        // Meanwhile somebody writes on it: the version is another, the state is not.
        let act = json!({ "action_id": new_id(app), "body": "请尽快" });
        supervisor.post(&format!("/api/v1/cases/{id}/actions/comment"), act).await.ok();
        let words = |text: &str| json!({ "action_id": new_id(app), "body": text, "row_version": seen["row_version"], "seen_state": seen["state"] });
        let said = phone.send(app, &worker, &[operation(2, &path, &words("到了现场"), now)]).await;
        assert_eq!(verdicts(&said), ["done"], "{said}");
        // Whoever saw another state decides.
        let mut other = words("还在等");
        other["seen_state"] = json!("closed");
        let said = phone.send(app, &worker, &[operation(3, &path, &other, now)]).await;
        assert_eq!(verdicts(&said), ["decide"]);
        assert_eq!(said["receipts"][0]["fault"]["code"], "stale_case");
        let attended = {
            let mut one = operation(4, &path, &other, now);
            one["attended"] = json!(true);
            one
        };
        let said = phone.send(app, &worker, &[attended]).await;
        assert_eq!((&said["receipts"][0]["kept_as"], kept(&supervisor).await.len()), (&Value::Null, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_days_off_is_put_right() {
    each_with_photos(async |app| {
        let Place { worker, .. } = place(app).await;
        let home = household(app, &worker, EAST_GRID, "101").await;
        for (number, days) in [(1, 40), (2, -40)] {
            let mut phone = Phone::new(app);
            phone.ahead_ms = days * 86_400_000;
            let noted = phone.now(app).plus_ms(-7_200_000);
            let made = visit(app, &home, noted);
            let mut one = operation(number, "/visits", &made, noted);
            one["id"] = json!(format!("clock-{number}"));
            let said = phone.send(app, &worker, &[one]).await;
            assert_eq!(verdicts(&said), ["done"], "{said}");
            let stored = worker.get("/api/v1/devices").await.ok();
            let mine = stored
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["id"] == phone.device.as_str());
            assert_eq!(mine.unwrap()["clock_s"], -days * 86_400);
        }
        let two_hours_ago = app.app.now().0 - 7_200_000;
        let ctx = Ctx::system(&app.app, "test");
        let rows = app.app.read(&ctx, |_, tx| {
            let rows = tx.query(
                "select v.at, o.at from visit v, operation o where o.kind = 'visit'",
                &[],
            )?;
            rows.iter()
                .map(|row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))
                .collect::<Result<Vec<_>, server::platform::Fault>>()
        });
        for (visit, operation) in rows.await.unwrap() {
            assert!((visit - two_hours_ago).abs() < 60_000 && (operation - two_hours_ago).abs() < 60_000);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_given_up_and_told_so() {
    each_with_photos(async |app| {
        let Place { worker, other, .. } = place(app).await;
        let phone = Phone::new(app);
        phone.send(app, &worker, &[]).await;
        let anybody = app.visitor();
        let standing = format!("/api/v1/portal/devices/{}", phone.device);
        assert_eq!(anybody.get(&standing).await.ok()["revoked"], false);
        assert_eq!(
            anybody.post(&format!("{standing}/wiped"), json!({})).await.status,
            StatusCode::NOT_FOUND
        );
        let revoke = format!("/api/v1/devices/{}/revoke", phone.device);
        assert_eq!(other.post(&revoke, json!({})).await.status, StatusCode::NOT_FOUND);
        worker.post(&revoke, json!({})).await.ok();
        // Its account is signed out; the phone itself hears it without a session.
        assert_eq!(phone.try_send(app, &worker, &[]).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(anybody.get(&standing).await.ok()["revoked"], true);
        anybody.post(&format!("{standing}/wiped"), json!({})).await.ok();
        assert_eq!(
            count(app, "select count(*) from device where wiped_at is not null").await,
            1
        );
        // A phone nobody knows is not given up: the answer is the same for any.
        assert_eq!(
            anybody
                .get(&format!("/api/v1/portal/devices/{}", new_id(app)))
                .await
                .ok()["revoked"],
            false
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lacks_what_it_received_asks_for_that_first() {
    each_with_photos(async |app| {
        let Place { worker, .. } = place(app).await;
        let phone = Phone::new(app);
        let now = app.app.now();
        let (one, two) = (operation(1, "/cases", &report(app, "楼道灯不亮"), now), operation(2, "/cases", &report(app, "井盖松动"), now));
        let said = phone.send(app, &worker, &[one]).await;
        let told = async |epoch: Value, received: i64| {
            let body = json!({ "device": phone.device, "sent_at": now.to_string(), "epoch": epoch, "received": received, "operations": [two] });
            worker.post("/api/v1/sync", body).await.ok()
        };
        // Another life of the database, or one that holds less than the phone was told.
        for answer in [told(json!(0), 1).await, told(said["epoch"].clone(), 7).await] {
            assert_eq!((&answer["behind"], &answer["receipts"]), (&json!(true), &json!([])));
        }
        assert_eq!(verdicts(&told(said["epoch"].clone(), 1).await), ["done"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_its_limits() {
    each_with_photos(async |app| {
        let Place { worker, .. } = place(app).await;
        let phone = Phone::new(app);
        let now = app.app.now();
        let many: Vec<Value> = (0..51).map(|n| operation(n, "/visits", &json!({}), now)).collect();
        assert_eq!(
            phone.try_send(app, &worker, &many).await.verdict(),
            "422 too_many_operations"
        );
        let mut bad = operation(1, "/cases", &report(app, "楼道灯不亮"), now);
        bad["id"] = json!("two words");
        phone.send(app, &worker, std::slice::from_ref(&bad)).await;
        let said = phone.send(app, &worker, &[bad]).await;
        assert_eq!(
            (verdicts(&said), &said["receipts"][0]["fault"]["code"]),
            (vec!["refused"], &json!("invalid_id"))
        );
        let body = json!({ "device": phone.device, "sent_at": "yesterday", "operations": [] });
        assert_eq!(worker.post("/api/v1/sync", body).await.verdict(), "422 invalid_field");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_a_household_is_put_right_once_and_two_who_change_one_person_know_of_it() {
    each_with_photos(async |app| {
        let Place { worker, other, .. } = place(app).await;
        let home = household(app, &worker, EAST_GRID, "101").await;
        let (who, now) = (new_id(app), app.app.now());
        let came = json!({ "id": who, "household_id": home, "relation": "householder", "name": "周来", "phones": ["13857200001"],
            "valid_from": "2026-02-01", "informed": true });
        let phone = Phone::new(app);
        let first = operation(1, "/registry/residents", &came, now);
        assert_eq!(verdicts(&phone.send(app, &worker, std::slice::from_ref(&first)).await), ["done"]);
        assert_eq!(verdicts(&phone.send(app, &worker, &[first]).await), ["already"]);
        let people = async || {
            let home = worker.get(&format!("/api/v1/registry/households/{home}?purpose=visit")).await.ok();
            home["members"].as_array().unwrap().clone()
        };
        assert_eq!(people().await.len(), 1);

        // The phone saw the first version; meanwhile the desk corrects the same person.
        let path = format!("/registry/residents/{who}");
        worker.patch(&format!("/api/v1{path}"), json!({ "phones": ["13857200002"], "row_version": 1 })).await.ok();
        let stale = operation(2, &path, &json!({ "phones": ["13857200003"], "row_version": 1 }), now);
        assert_eq!(verdicts(&phone.send(app, &worker, &[stale]).await), ["decide"]);
        assert_eq!(people().await[0]["phones"], json!(["138****0002"]));
        // The worker does it all the same.
        let decided = operation(3, &path, &json!({ "phones": ["13857200003"] }), now);
        assert_eq!(verdicts(&phone.send(app, &worker, &[decided]).await), ["done"]);
        assert_eq!(people().await[0]["phones"], json!(["138****0003"]));

        // Nobody changes people of a grid that is not theirs.
        let strange = operation(9, &path, &json!({ "phones": ["13857200009"] }), now);
        assert_eq!(verdicts(&Phone::new(app).send(app, &other, &[strange]).await), ["refused"]);
        let left = operation(4, &format!("{path}/end"), &json!({ "on": "2026-02-01", "how": "moved_away" }), now);
        assert_eq!(verdicts(&phone.send(app, &worker, &[left]).await), ["done"]);
        assert!(people().await.iter().all(|one| one["valid_to"] == "2026-02-01"));
    })
    .await;
}
