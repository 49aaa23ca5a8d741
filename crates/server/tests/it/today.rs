//! What a grid worker has to see to today: the cases given to them, those they are called to, and those they owe the answer of.

use crate::cases::{People, act, new_id, people};
use crate::kit::{Client, EAST_GRID, TestApp, WEST, each_backend};
use serde_json::json;
use std::collections::BTreeSet;

async fn report(app: &TestApp, people: &People, category: &str, body: &str) -> String {
    let id = new_id(app);
    let sent = json!({ "id": id, "body": body, "category_code": category, "area_id": EAST_GRID.to_string() });
    people.resident.post("/api/v1/portal/reports", sent).await.ok();
    id
}

/// The list and its count, which must agree.
async fn today(who: &Client) -> BTreeSet<String> {
    let list = who.get("/api/v1/cases?queue=mine&limit=200").await.ok();
    let ids: BTreeSet<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].as_str().unwrap().to_owned())
        .collect();
    let counts = who.get("/api/v1/cases/counts?queue=mine").await.ok();
    assert_eq!(counts["total"].as_u64(), Some(ids.len() as u64), "{counts}");
    for id in &ids {
        who.get(&format!("/api/v1/cases/{id}")).await.ok();
    }
    ids
}

#[tokio::test]
async fn todays_list_holds_what_one_is_called_to_and_the_answers_one_owes() {
    each_backend(async |app| {
        let people = people(app).await;
        let called = report(app, &people, "0901", "楼上楼下为滴水吵起来了").await;
        let owed = report(app, &people, "0301", "烧烤店油烟直排").await;
        let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<String>>();
        assert_eq!(today(&people.grid_worker).await, set(&[&called]));
        assert!(!today(&people.environment).await.contains(&called));

        // Done by the bureau: the grid's own worker owes the answer, not the stand-in while the holder is there.
        act(&people.environment, &owed, "take", json!({})).await.ok();
        act(
            &people.environment,
            &owed,
            "handle",
            json!({ "result": "已加装净化装置" }),
        )
        .await
        .ok();
        assert_eq!(today(&people.grid_worker).await, set(&[&called, &owed]));
        assert_eq!(today(&people.stand_in).await, set(&[]));
        let west = app.login_as("grid_worker", Some(WEST)).await;
        let without_worker = west.get("/api/v1/cases?queue=mine").await;
        assert!(
            without_worker.status.is_client_error(),
            "an account without a worker has no list of its own"
        );

        act(&people.grid_worker, &called, "arrive", json!({})).await.ok();
        let answer = json!({ "way": "in_person", "body": "净化装置装好了", "solved": true });
        act(&people.grid_worker, &owed, "answer", answer).await.ok();
        assert_eq!(today(&people.grid_worker).await, set(&[]));
    })
    .await;
}
