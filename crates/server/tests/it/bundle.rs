//! What a phone takes along, through the router on both databases: only its worker's grids, masked, told once, each look on record.

use crate::cases::new_id;
use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST};
use crate::people::{each_with_photos, household, sign_in, two_grids};
use crate::registry::opened;
use axum::http::StatusCode;
use db::params;
use serde_json::{Value, json};
use server::platform::{Ctx, Mark, Subject};
use std::collections::BTreeSet;

const NAME: &str = "欧阳小满";
const PHONE: &str = "13857200001";

struct Place {
    east: Client,
    west: Client,
}

async fn place(app: &TestApp) -> Place {
    let [east, west] = two_grids(app).await;
    Place {
        east: sign_in(app, "grid_worker", EAST_GRID, None, Some(east)).await,
        west: sign_in(app, "grid_worker", WEST, None, Some(west)).await,
    }
}

async fn lives(app: &TestApp, who: &Client, home: &str) -> String {
    let id = new_id(app);
    let person = json!({ "id": id, "household_id": home, "relation": "户主", "name": NAME, "phones": [PHONE], "valid_from": "2026-01-10" });
    who.post("/api/v1/registry/residents", person).await.ok();
    id
}

/// What a phone knows after an answer: its digests.
fn known(said: &Value) -> Value {
    let grids = said["grids"].as_array().unwrap().iter().map(|grid| {
        let parts = grid["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["digest"].clone());
        json!({ "area_id": grid["area_id"], "ground": grid["ground_digest"], "parts": parts.collect::<Vec<_>>() })
    });
    json!({ "grids": grids.collect::<Vec<_>>() })
}

/// The households told, by id.
fn told(said: &Value) -> Vec<&Value> {
    let parts = said["grids"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|grid| grid["parts"].as_array().unwrap());
    parts.filter_map(|part| part["homes"].as_array()).flatten().collect()
}

async fn take_along(who: &Client, known: Value) -> Value {
    who.post("/api/v1/sync/bundle", known).await.ok()
}

async fn looks(who: &Client, resident: &str) -> usize {
    let page = who
        .get(&format!("/api/v1/registry/residents/{resident}/looks?purpose=registry"))
        .await
        .ok();
    let all = page["items"].as_array().unwrap();
    all.iter()
        .filter(|one| one["purpose"] == "visit" && one["fields"][0] == "masked")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_told_its_own_grid_masked_and_only_what_it_does_not_have() {
    each_with_photos(async |app| {
        let Place { east, west } = place(app).await;
        let mine = household(app, &east, EAST_GRID, "101").await;
        let other = household(app, &east, EAST_GRID, "102").await;
        household(app, &west, WEST, "901").await;
        let who = lives(app, &east, &mine).await;
        opened(app, "hardship").await;
        let on = json!({ "resident_id": who, "source": "visit" });
        east.post("/api/v1/registry/registers/hardship/people", on).await.ok();

        let first = take_along(&east, json!({ "grids": [] })).await;
        assert_eq!(first["grids"].as_array().unwrap().len(), 1);
        assert_eq!(first["grids"][0]["area_id"], EAST_GRID.to_string());
        assert!(first["grids"][0]["ground"]["facilities"].is_array());
        assert_eq!(
            first["registers"],
            json!([{ "key": "hardship", "name": "Families in hardship" }])
        );
        let homes = told(&first);
        let ids: BTreeSet<&str> = homes.iter().map(|home| home["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [mine.as_str(), other.as_str()].into());
        let home = homes.iter().find(|home| home["id"] == mine.as_str()).unwrap();
        let person = &home["residents"][0];
        assert_eq!(
            (&person["relation"], &person["registers"]),
            (&json!("householder"), &json!(["hardship"]))
        );
        let text = first.to_string();
        assert!(
            !text.contains(NAME) && !text.contains(PHONE) && text.contains("138****0001"),
            "{text}"
        );
        assert_eq!(looks(&east, &who).await, 1);

        // Nothing new is nothing told, and nothing looked at.
        let again = take_along(&east, known(&first)).await;
        assert!(told(&again).is_empty() && again["grids"][0]["ground"].is_null());
        assert_eq!(known(&again), known(&first));
        assert_eq!(looks(&east, &who).await, 1);

        // A change in one household tells its part, and not the other's unless they share one.
        let third = household(app, &east, EAST_GRID, "103").await;
        let after = take_along(&east, known(&first)).await;
        let changed: Vec<&Value> = told(&after);
        assert!(changed.iter().any(|home| home["id"] == third.as_str()));
        let news = after["grids"][0]["parts"].as_array().unwrap().iter();
        assert_eq!(news.filter(|part| part["homes"].is_array()).count(), 1);

        // A digest the server never told brings that part again, whole.
        let mut torn = known(&after);
        for part in torn["grids"][0]["parts"].as_array_mut().unwrap() {
            *part = json!("");
        }
        assert_eq!(told(&take_along(&east, torn).await).len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grid_that_is_somebody_elses_is_no_longer_in_the_answer() {
    each_with_photos(async |app| {
        let Place { east, west } = place(app).await;
        household(app, &east, EAST_GRID, "101").await;
        let first = take_along(&east, json!({ "grids": [] })).await;
        assert_eq!(told(&first).len(), 1);
        // Asking for another's grid brings nothing of it.
        let stolen = take_along(&west, known(&first)).await;
        assert!(!stolen.to_string().contains(&EAST_GRID.to_string()), "{stolen}");
        // The post goes to nobody.
        let ctx = Ctx::system(&app.app, "test");
        app.app
            .write(&ctx, |ctx, tx| {
                tx.execute("update appointment set valid_to = '2026-01-31' where post_id in (select id from post where area_id = $1)", &params![EAST_GRID])?;
                server::workforce::changed(tx);
                tx.record(ctx, Mark::new("test.moved", Subject::List, json!({})))
            })
            .await
            .unwrap();
        let now = take_along(&east, known(&first)).await;
        assert_eq!(now["grids"], json!([]));
        let many: Vec<Value> = (0..9).map(|_| json!({ "area_id": EAST_GRID })).collect();
        assert_eq!(east.post("/api/v1/sync/bundle", json!({ "grids": many })).await.verdict(), "422 bundle_too_many_grids");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_next_knows_what_was_said_and_what_is_still_open() {
    each_with_photos(async |app| {
        let Place { east, .. } = place(app).await;
        let home = household(app, &east, EAST_GRID, "101").await;
        let (visit, case) = (new_id(app), new_id(app));
        let now = app.app.now().to_string();
        let made = json!({ "id": visit, "act": "visit", "subject_kind": "household", "subject_id": home, "at": now, "outcome": "met",
            "talk": "老人要装扶手", "matters": [case] });
        east.post("/api/v1/visits", made).await.ok();
        let last = |said: &Value| told(said)[0]["last"].clone();
        let first = take_along(&east, json!({ "grids": [] })).await;
        // The case has not arrived yet.
        assert_eq!((&last(&first)["talk"], &last(&first)["matters"]), (&json!("老人要装扶手"), &json!([])));
        let report = json!({ "id": case, "channel": "visit", "body": "帮老人申请卫生间扶手", "area_id": EAST_GRID });
        east.post("/api/v1/cases", report).await.ok();
        let second = take_along(&east, known(&first)).await;
        let matter = &last(&second)["matters"][0];
        assert_eq!((&matter["id"], &matter["open"]), (&json!(case), &json!(true)));
        // So does whoever supervises, who has to say why, and nobody of another area.
        let path = format!("/api/v1/visits?subject_id={home}");
        let supervisor = app.login_as("supervisor", Some(EAST)).await;
        assert_eq!(supervisor.get(&path).await.verdict(), "403 purpose_required");
        let made = supervisor.get(&format!("{path}&purpose=supervise")).await.ok();
        let one = &made["items"][0];
        assert_eq!((&one["talk"], &one["worker_name"], &one["matters"][0]["id"]), (&json!("老人要装扶手"), &json!("张网格"), &json!(case)));
        let elsewhere = app.login_as("supervisor", Some(WEST)).await;
        assert_eq!(elsewhere.get(&format!("{path}&purpose=supervise")).await.ok()["items"], json!([]));
        // Page by page, each told once.
        for minutes in 1..3 {
            app.advance_minutes(minutes);
            let again = json!({ "id": new_id(app), "act": "visit", "subject_kind": "household", "subject_id": home, "at": app.app.now().to_string(), "outcome": "met" });
            east.post("/api/v1/visits", again).await.ok();
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = supervisor.get(&format!("{path}&purpose=supervise&limit=1{after}")).await.ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!((seen.len(), seen.last()), (3, Some(&json!(visit))));
        let too_many: Vec<String> = (0..21).map(|_| new_id(app)).collect();
        let refused = json!({ "id": new_id(app), "act": "visit", "subject_kind": "household", "subject_id": home, "at": now, "outcome": "met",
            "matters": too_many });
        assert_eq!(east.post("/api/v1/visits", refused).await.verdict(), "422 visit_too_many_matters");
    })
    .await;
}

/// Lists, counts, what is found, care registers, what is owed and what a phone takes along show exactly the homes whose page opens, for every kind
/// of grant.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_looking_at_homes_agrees_with_the_page() {
    each_with_photos(async |app| {
        let [east, west] = two_grids(app).await;
        let clerk = app.login_as("dispatcher", Some(CITY)).await;
        let mut homes = Vec::new();
        for (grid, room) in [(EAST_GRID, "101"), (EAST_GRID, "102"), (WEST, "901")] {
            let home = household(app, &clerk, grid, room).await;
            homes.push((home.clone(), lives(app, &clerk, &home).await, grid));
        }
        opened(app, "hardship").await;
        for (_, who, _) in &homes {
            let on = json!({ "resident_id": who, "source": "list" });
            clerk.post("/api/v1/registry/registers/hardship/people", on).await.ok();
        }
        let everybody = [
            ("the whole place", clerk),
            ("nowhere in particular", app.login_as("dispatcher", None).await),
            ("the east", app.login_as("supervisor", Some(EAST)).await),
            (
                "its grid",
                sign_in(app, "grid_worker", EAST_GRID, None, Some(east)).await,
            ),
            ("the west", sign_in(app, "grid_worker", WEST, None, Some(west)).await),
            ("a unit's cases", app.login_as("handler", Some(EAST)).await),
        ];
        let mut opening = 0;
        for (whose, who) in &everybody {
            let mut opens = BTreeSet::new();
            for (home, ..) in &homes {
                let page = who
                    .get(&format!("/api/v1/registry/households/{home}?purpose=visit"))
                    .await;
                if page.status == StatusCode::OK {
                    opens.insert(home.clone());
                }
            }
            opening += opens.len();
            for grid in [EAST_GRID, WEST] {
                let own: BTreeSet<String> = homes
                    .iter()
                    .filter(|(home, _, of)| *of == grid && opens.contains(home))
                    .map(|(home, ..)| home.clone())
                    .collect();
                let listed = ids_in(
                    who,
                    &format!("/api/v1/registry/households?area={grid}&purpose=visit"),
                    |one| &one["id"],
                )
                .await;
                assert_eq!(listed, own, "{whose}: the list of {grid}");
                let on = ids_in(
                    who,
                    &format!("/api/v1/registry/registers/hardship/people?area={grid}&purpose=visit"),
                    |one| &one["household"]["id"],
                )
                .await;
                assert!(on == own || on.is_empty(), "{whose}: the register of {grid}: {on:?}");
                let counts = who.get(&format!("/api/v1/registry/counts?area={grid}")).await;
                let counted = if counts.status == StatusCode::OK {
                    counts.json()["households"].as_i64().unwrap()
                } else {
                    0
                };
                assert_eq!(counted, own.len() as i64, "{whose}: the count of {grid}");
            }
            let found = who
                .post(
                    "/api/v1/registry/residents/search",
                    json!({ "text": NAME, "purpose": "visit" }),
                )
                .await;
            let found = found_in(&found, |one| &one["household"]["id"]);
            assert_eq!(found, opens, "{whose}: what is found");
            let taken = who.post("/api/v1/sync/bundle", json!({ "grids": [] })).await;
            if taken.status == StatusCode::OK {
                let taken: BTreeSet<String> = told(&taken.json())
                    .iter()
                    .map(|home| home["id"].as_str().unwrap().to_owned())
                    .collect();
                assert_eq!(taken, opens, "{whose}: what the phone takes along");
            }
            let today = who.get("/api/v1/duties/today?limit=200").await;
            let owed = found_in(&today, |one| &one["subject_id"]);
            assert!(
                owed.iter().all(
                    |id| opens.contains(id) || homes.iter().any(|(home, who, _)| who == id && opens.contains(home))
                ),
                "{whose}: {owed:?}"
            );
        }
        assert!(
            (8..18).contains(&opening),
            "some see some, nobody sees all there is by chance: {opening}"
        );
    })
    .await;
}

fn found_in(answer: &Answer, id: impl Fn(&Value) -> &Value) -> BTreeSet<String> {
    if answer.status != StatusCode::OK {
        return BTreeSet::new();
    }
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|one| id(one).as_str().unwrap().to_owned()).collect()
}

async fn ids_in(who: &Client, path: &str, id: impl Fn(&Value) -> &Value) -> BTreeSet<String> {
    found_in(&who.get(path).await, id)
}
