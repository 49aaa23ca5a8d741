//! Campaigns through the router on both databases: from a question to the doors it finds, what was answered there, who is followed up, and the
//! figures recounted from the rows after every step.

use crate::cases::new_id;
use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST};
use crate::people::{each_with_photos, household, sign_in, two_grids, worker};
use domain::time::DAY_MS;
use serde_json::{Value, json};
use server::platform::{AreaId, CampaignId, Ctx, VisitId, jobs};
use std::collections::BTreeMap;

struct Place {
    supervisor: Client,
    clerk: Client,
    east: Client,
    west: Client,
}

async fn place(app: &TestApp) -> Place {
    let [holder, other] = two_grids(app).await;
    Place {
        supervisor: sign_in(app, "supervisor", CITY, None, Some(worker(app, "赵领导").await)).await,
        clerk: sign_in(app, "dispatcher", CITY, None, None).await,
        east: sign_in(app, "grid_worker", EAST_GRID, None, Some(holder)).await,
        west: sign_in(app, "grid_worker", WEST, None, Some(other)).await,
    }
}

/// A number with its check character; nobody is registered twice, so each has its own order.
fn id_number(born: &str, order: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let first = format!("330902{born}{order:03}");
    let digits = first.bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum as usize % 11];
    format!("{first}{check}")
}

/// A household with people born on these days.
async fn family(app: &TestApp, who: &Client, grid: AreaId, room: &str, born: &[(&str, u32)]) -> String {
    let id = household(app, who, grid, room).await;
    for (at, (born, order)) in born.iter().enumerate() {
        let relation = ["户主", "配偶", "子"][at.min(2)];
        let person = json!({ "id": new_id(app), "household_id": id, "relation": relation, "name": format!("居民{order}"),
            "id_number": id_number(born, *order), "valid_from": "2026-01-10" });
        who.post("/api/v1/registry/residents", person).await.ok();
    }
    id
}

fn wish(app: &TestApp, title: &str) -> Value {
    let today = app.app.now().date();
    let day = |days: i64| today.saturating_add(jiff::Span::new().days(days)).to_string();
    json!({
        "id": app.app.new_id::<CampaignId>(), "title": title, "why": "食品安全事件处置", "script": "说明来意，问清是否食用",
        "question": { "who": "households", "with": [{ "age_to": 2 }] },
        "asks": [
            { "text": "是否食用过问题批次奶粉", "choices": [{ "text": "食用过", "follow": true }, { "text": "没有" }] },
            { "text": "孩子有无不适", "choices": [{ "text": "有", "follow": true }, { "text": "没有" }] },
        ],
        "duty": "grid", "area_id": CITY, "from": day(0), "until": day(2), "keep_until": day(30),
    })
}

/// Drafted, started and filled.
async fn run(app: &TestApp, place: &Place, wish: &Value) -> String {
    place.supervisor.post("/api/v1/campaigns", wish.clone()).await.ok();
    let id = wish["id"].as_str().unwrap().to_owned();
    place
        .supervisor
        .post(&format!("/api/v1/campaigns/{id}/start"), json!({}))
        .await
        .ok();
    jobs::run_due(&app.app).await.unwrap();
    let now = place.supervisor.get(&format!("/api/v1/campaigns/{id}")).await.ok();
    assert_eq!(now["phase"], "running");
    numbers_are_true(app).await;
    id
}

/// The stable code with which something was refused.
fn refused(said: Answer, code: &str) {
    let verdict = said.verdict();
    assert!(verdict.contains(code), "{verdict}");
}

async fn doors(who: &Client) -> Vec<String> {
    let found = who.get("/api/v1/campaigns/today").await.ok();
    let tasks = found["tasks"].as_array().unwrap().iter();
    tasks
        .map(|one| one["subject_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Somebody calls there; what came of it.
async fn call(app: &TestApp, who: &Client, home: &str, outcome: &str) -> VisitId {
    let id = app.app.new_id::<VisitId>();
    let visit = json!({ "id": id, "act": "visit", "subject_kind": "household", "subject_id": home, "at": app.app.now().to_string(),
        "minutes": 5, "outcome": outcome });
    who.post("/api/v1/visits", visit).await.ok();
    app.advance_minutes(1);
    id
}

async fn answer(app: &TestApp, who: &Client, campaign: &str, result: Value) -> String {
    let done = who
        .post(&format!("/api/v1/campaigns/{campaign}/results"), result)
        .await
        .ok();
    numbers_are_true(app).await;
    done["state"].as_str().unwrap().to_owned()
}

/// `[tasks, open, tried, follow, done, gone]` and the answers of an area.
async fn standing(who: &Client, campaign: &str, area: AreaId) -> ([i64; 6], Value) {
    let all = who
        .get(&format!("/api/v1/campaigns/{campaign}/standing?area={area}"))
        .await
        .ok();
    let first = &all[0];
    let numbers = ["tasks", "open", "tried", "follow", "done", "gone"].map(|key| first[key].as_i64().unwrap());
    (numbers, first["answers"].clone())
}

/// The numbers say what a recount of the tasks says, in every area.
async fn numbers_are_true(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    let (kept, again) = app
        .app
        .read(&ctx, |_, tx| {
            let mut kept: BTreeMap<(String, String, String), i64> = BTreeMap::new();
            let sql = "select campaign_id, area_id, what, cast(sum(number) as bigint) from campaign_count where what not like 'answer.%' \
                       group by campaign_id, area_id, what";
            for row in tx.query(sql, &[])? {
                kept.insert((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);
            }
            kept.retain(|_, number| *number != 0);
            let mut again: BTreeMap<(String, String, String), i64> = BTreeMap::new();
            let sql = "select campaign_id, state, reason, a1, a2, a3, a4, a5 from campaign_task";
            for row in tx.query(sql, &[])? {
                let (campaign, state): (String, String) = (row.get(0)?, row.get(1)?);
                let mut whats = vec!["tasks".to_owned(), state.clone()];
                if let Some(reason) = row.get::<Option<String>>(2)?.filter(|_| state == "open") {
                    whats.extend(["tried".to_owned(), format!("reason.{reason}")]);
                }
                for area in 3..8 {
                    let Some(area) = row.get::<Option<String>>(area)? else { continue };
                    for what in &whats {
                        *again.entry((campaign.clone(), area.clone(), what.clone())).or_default() += 1;
                    }
                }
            }
            Ok((kept, again))
        })
        .await
        .unwrap();
    assert_eq!(kept, again);
}

/// The tainted-milk day: every family with a child under three is found, falls to the worker of its grid, is called on, and the sick are followed up.
#[tokio::test(flavor = "multi_thread")]
async fn every_family_with_a_small_child_is_called_on_and_followed_up() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let (who, today) = (&place.clerk, app.app.now().date());
        // Two years and 364 days old today, and three years to the day.
        let under = today.saturating_sub(jiff::Span::new().years(3)).tomorrow().unwrap();
        let three = today.saturating_sub(jiff::Span::new().years(3));
        let text = |day: jiff::civil::Date| day.strftime("%Y%m%d").to_string();
        let young = family(
            app,
            who,
            EAST_GRID,
            "101室",
            &[("19900101", 1), ("19910101", 2), (&text(under), 3)],
        )
        .await;
        let twins = family(
            app,
            who,
            EAST_GRID,
            "102室",
            &[("19900202", 4), (&text(under), 5), (&text(under), 6)],
        )
        .await;
        family(app, who, EAST_GRID, "103室", &[("19900303", 7), (&text(three), 8)]).await;
        let far = family(app, who, WEST, "201室", &[("19900404", 9), (&text(under), 10)]).await;

        let wish = wish(app, "三岁以下婴幼儿家庭逐户走访");
        let count = json!({ "area_id": CITY, "question": wish["question"] });
        let found = place
            .supervisor
            .post("/api/v1/campaigns/count", count.clone())
            .await
            .ok();
        assert_eq!(found["found"], 3);
        // Who only goes plans nothing.
        refused(place.east.post("/api/v1/campaigns/count", count).await, "forbidden");
        let id = run(app, &place, &wish).await;
        assert_eq!(standing(&place.supervisor, &id, CITY).await.0, [3, 3, 0, 0, 0, 0]);

        let mut mine = [young.clone(), twins.clone()];
        mine.sort();
        let mut listed = doors(&place.east).await;
        listed.sort();
        assert_eq!(listed, mine);
        assert_eq!(doors(&place.west).await, [far.as_str()]);

        // Nobody at home: it stays, with how it went.
        let vain = call(app, &place.east, &young, "nobody_home").await;
        assert_eq!(answer(app, &place.east, &id, json!({ "visit_id": vain })).await, "open");
        assert_eq!(standing(&place.supervisor, &id, EAST).await.0, [2, 2, 1, 0, 0, 0]);
        // Met, and well; and elsewhere a child is unwell.
        let met = call(app, &place.east, &young, "met").await;
        let well = json!({ "visit_id": met, "answers": [1, 1] });
        assert_eq!(answer(app, &place.east, &id, well.clone()).await, "done");
        let sick = call(app, &place.east, &twins, "met").await;
        let ate = json!({ "visit_id": sick, "answers": [0, 0], "note": "老大呕吐，明天陪同到定点医院" });
        assert_eq!(answer(app, &place.east, &id, ate.clone()).await, "follow");
        // The same again, as after a lost answer, changes nothing; other answers under the same visit are refused.
        assert_eq!(answer(app, &place.east, &id, ate.clone()).await, "follow");
        let other = json!({ "visit_id": sick, "answers": [1, 1] });
        refused(
            place.east.post(&format!("/api/v1/campaigns/{id}/results"), other).await,
            "campaign_result_other",
        );
        let unasked = json!({ "visit_id": call(app, &place.east, &young, "met").await, "answers": [1, 7] });
        refused(
            place
                .east
                .post(&format!("/api/v1/campaigns/{id}/results"), unasked)
                .await,
            "campaign_answers",
        );
        // Nobody else's visit counts.
        refused(
            place.west.post(&format!("/api/v1/campaigns/{id}/results"), well).await,
            "campaign_visit",
        );
        let (numbers, answers) = standing(&place.supervisor, &id, CITY).await;
        assert_eq!(numbers, [3, 1, 0, 1, 1, 0]);
        assert_eq!(answers, json!([[1, 1], [1, 1]]));

        // The follow-up list says what is still to be done, and whoever reads it is on record.
        let list = place
            .supervisor
            .get(&format!("/api/v1/campaigns/{id}/tasks?area={CITY}&state=follow"))
            .await
            .ok();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["subject_name"], "1幢1层102室");
        assert_eq!(list["items"][0]["note"], "老大呕吐，明天陪同到定点医院");
        assert_eq!(doors(&place.east).await, [twins.as_str()]);
        let again = call(app, &place.east, &twins, "met").await;
        assert_eq!(
            answer(app, &place.east, &id, json!({ "visit_id": again })).await,
            "done"
        );
        assert_eq!(
            standing(&place.supervisor, &id, CITY).await,
            ([3, 1, 0, 0, 2, 0], json!([[1, 1], [1, 1]]))
        );

        // Closed with a last word; the phone that was without signal is not refused, and nobody is sent any more.
        let close = json!({ "summary": "全部走访，一名患儿已就诊" });
        let late = call(app, &place.west, &far, "met").await;
        place
            .supervisor
            .post(&format!("/api/v1/campaigns/{id}/close"), close)
            .await
            .ok();
        assert_eq!(doors(&place.west).await, [] as [String; 0]);
        assert_eq!(
            answer(app, &place.west, &id, json!({ "visit_id": late, "answers": [1, null] })).await,
            "done"
        );
        assert_eq!(standing(&place.supervisor, &id, CITY).await.0, [3, 0, 0, 0, 3, 0]);

        // After the day that was said at the start the answers are gone; the figures stay.
        for _ in 0..32 {
            app.app.clock().advance_ms(DAY_MS);
            jobs::run_due(&app.app).await.unwrap();
        }
        let supervisor = app.login_as("supervisor", Some(CITY)).await;
        let over = supervisor.get(&format!("/api/v1/campaigns/{id}")).await.ok();
        assert_eq!(over["erased"], true);
        let list = supervisor
            .get(&format!("/api/v1/campaigns/{id}/tasks?area={CITY}"))
            .await
            .ok();
        assert_eq!(list["items"], json!([]));
        assert_eq!(standing(&supervisor, &id, CITY).await.0, [3, 0, 0, 0, 3, 0]);
    })
    .await;
}

/// Who leaves before anybody came is told as gone; who moves is called on by the worker of where they live now.
#[tokio::test(flavor = "multi_thread")]
async fn doors_go_along_with_those_who_live_there() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let born = app.app.now().date().saturating_sub(jiff::Span::new().years(1)).strftime("%Y%m%d").to_string();
        let moves = family(app, &place.clerk, EAST_GRID, "101室", &[("19900101", 1), (&born, 2)]).await;
        let leaves = family(app, &place.clerk, EAST_GRID, "102室", &[("19900202", 3), (&born, 4)]).await;
        let id = run(app, &place, &wish(app, "逐户走访")).await;
        assert_eq!(doors(&place.east).await.len(), 2);
        let there = json!({ "place": { "area_id": WEST, "building": "二号楼", "room": "301室" } });
        place.clerk.patch(&format!("/api/v1/registry/households/{moves}"), there).await.ok();
        numbers_are_true(app).await;
        assert_eq!(doors(&place.west).await, [moves]);
        let new = new_id(app);
        let there = json!({ "id": new, "place": { "area_id": WEST, "building": "二号楼", "room": "302室" }, "valid_from": app.app.now().date().to_string() });
        place.clerk.post(&format!("/api/v1/registry/households/{leaves}/move"), there).await.ok();
        numbers_are_true(app).await;
        assert_eq!(doors(&place.east).await, [] as [String; 0]);
        assert_eq!(standing(&place.supervisor, &id, EAST).await.0, [1, 0, 0, 0, 0, 1]);
        assert_eq!(standing(&place.supervisor, &id, WEST).await.0, [1, 1, 0, 0, 0, 0]);
        // Found again, the family is among those of where it lives now; nobody is there twice.
        place.supervisor.post(&format!("/api/v1/campaigns/{id}/find"), json!({})).await.ok();
        jobs::run_due(&app.app).await.unwrap();
        numbers_are_true(app).await;
        assert_eq!(standing(&place.supervisor, &id, WEST).await.0, [2, 2, 0, 0, 0, 0]);
        assert!(doors(&place.west).await.contains(&new));
    })
    .await;
}

/// A question that cannot be meant, asks for what is nobody's business, or tells of a sensitive register is refused in words.
#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_may_not_be_is_refused() {
    each_with_photos(async |app| {
        let place = place(app).await;
        let good = wish(app, "逐户走访");
        let with = |path: &str, value: Value| {
            let mut wish = good.clone();
            *wish.pointer_mut(path).unwrap() = value;
            wish
        };
        let person = |person: Value| with("/question", json!({ "who": "households", "with": [person] }));
        for (wish, code) in [
            (with("/title", json!(" ")), "campaign_title"),
            (with("/why", json!("")), "campaign_words"),
            (with("/title", json!("信教家庭走访")), "campaign_forbidden"),
            (with("/asks/0/text", json!("家里有没有人上访")), "campaign_forbidden"),
            (with("/asks/0/choices", json!([{ "text": "是" }])), "campaign_too_many"),
            (person(json!({})), "campaign_anybody"),
            (person(json!({ "age_from": 9, "age_to": 2 })), "campaign_bounds"),
            (person(json!({ "register": "没有的名册" })), "campaign_register"),
            // Who is on it is known to those who serve: the supervisor is not one of them.
            (person(json!({ "register": "resettled" })), "campaign_register"),
            (with("/until", json!("2020-01-01")), "campaign_until"),
            (with("/keep_until", json!("2099-01-01")), "campaign_keep"),
            (with("/duty", json!("nobody")), "invalid_field"),
            (with("/area_id", json!(new_id(app))), "unknown_area"),
        ] {
            let said = place.supervisor.post("/api/v1/campaigns", wish.clone()).await;
            refused(said, code);
        }
        place.supervisor.post("/api/v1/campaigns", good.clone()).await.ok();
        let id = good["id"].as_str().unwrap();
        // Nobody lives here yet.
        refused(
            place
                .supervisor
                .post(&format!("/api/v1/campaigns/{id}/start"), json!({}))
                .await,
            "campaign_nobody",
        );
        refused(
            place
                .supervisor
                .post(&format!("/api/v1/campaigns/{id}/close"), json!({ "summary": "完" }))
                .await,
            "campaign_not_running",
        );
        refused(place.east.post("/api/v1/campaigns", good.clone()).await, "forbidden");
    })
    .await;
}
