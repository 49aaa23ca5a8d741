//! The mailbox of an area: a letter becomes a case with a deadline for the reply, is answered, and what became of such matters is published
//! without anybody's words.

use crate::cases::{ENVIRONMENT, People, SMELL, act, follow, new_id, people};
use crate::kit::{CITY, EAST, EAST_GRID, TestApp, WEST, each_backend};
use serde_json::{Value, json};
use server::cases;
use server::platform::AreaId;

#[tokio::test]
async fn a_letter_is_answered_by_a_deadline_and_its_outcome_is_published_without_persons() {
    each_backend(async |app| {
        let people = people(app).await;
        let door = people.resident.get(&format!("/api/v1/portal/mailbox/{EAST_GRID}")).await.ok();
        assert_eq!(door["area"]["name"], "第一网格");
        let outcomes = format!("/api/v1/portal/outcomes?area={EAST}");
        for nth in 0..cases::outcomes::FEWEST {
            let letter = json!({ "id": new_id(app), "body": "我是周小红，楼下烧烤店油烟直排，臭味很大，电话13800001234。", "name": "周小红", "phone": "13800001234" });
            let id = letter["id"].as_str().unwrap().to_owned();
            let opened = people.resident.post(&format!("/api/v1/portal/mailbox/{EAST_GRID}"), letter).await.ok();
            let (number, code) = (opened["number"].as_str().unwrap(), opened["follow_code"].as_str().unwrap());
            let case = people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok();
            assert_eq!((case["channel"].as_str(), case["area"]["name"].as_str()), (Some("mailbox"), Some("第一网格")));
            assert!(case["due_at"].is_string() && follow(&people, number, code).await["due_at"].is_string(), "a deadline for the reply: {case}");

            act(&people.environment, &id, "take", json!({})).await.ok();
            let handled = act(&people.environment, &id, "handle", json!({ "result": "已加装净化装置" })).await.ok();
            assert_eq!(handled["due_step"], "answer", "the reply itself has a limit");
            let answer = json!({ "way": "in_person", "body": "周女士您好，净化装置装好了。", "solved": true });
            act(&people.grid_worker, &id, "answer", answer).await.ok();
            assert_eq!(follow(&people, number, code).await["answers"][0]["body"], "周女士您好，净化装置装好了。");
            act(&people.verifier, &id, "verify", json!({ "pass": true, "note": "属实" })).await.ok();
            assert_eq!(people.resident.get(&outcomes).await.ok()["items"], json!([]), "too few yet: number {nth}");
            act(&people.verifier, &id, "close", json!({})).await.ok();
        }
        let published = people.resident.get(&outcomes).await.ok();
        let items = published["items"].as_array().unwrap();
        assert_eq!(items.len() as u64, cases::outcomes::FEWEST);
        assert_eq!((items[0]["category"].as_str(), items[0]["unit"].as_str()), (Some("Air pollution and smell"), Some("生态环境局")));
        assert_eq!(items[0]["closed_on"], "2026-02-14");
        let text = published.to_string();
        for personal in ["周", "1380", "净化", "油烟", "ZS2026"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        pages_and_filters(app, &people).await;
    })
    .await;
}

/// The list goes on by key, narrows by kind, and names no area with fewer matters than may be told.
async fn pages_and_filters(app: &TestApp, people: &People) {
    let ask = async |query: &str| app.visitor().get(&format!("/api/v1/portal/outcomes?{query}")).await;
    let all = ask("").await.ok();
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names(&all["path"]), names(&all["areas"])),
        (vec![], vec!["测试市".to_owned()])
    );
    let first = ask(&format!("area={CITY}&limit=6")).await.ok();
    let second = ask(&format!(
        "area={CITY}&limit=6&after={}",
        first["next"].as_str().unwrap()
    ))
    .await
    .ok();
    assert_eq!(
        (
            first["items"].as_array().unwrap().len(),
            second["items"].as_array().unwrap().len()
        ),
        (6, 4)
    );
    assert!(second["next"].is_null());
    assert_eq!(first["items"][0]["area"], "东港街道");
    let kind = &SMELL[..2];
    assert!(all["kinds"].as_array().unwrap().iter().any(|one| one["id"] == kind));
    assert_eq!(
        ask(&format!("category={kind}")).await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    assert_eq!(ask("category=01").await.ok()["items"], json!([]));
    assert_eq!(ask("category=none").await.verdict(), "422 category_unknown");
    assert_eq!(
        ask(&format!("area={}", app.app.new_id::<AreaId>())).await.verdict(),
        "404 not_found"
    );
    // One single matter elsewhere must not stand alone: with it, neither town is told apart from the other.
    closed_in(app, people, WEST).await;
    let city = ask(&format!("area={CITY}&limit=50")).await.ok();
    assert_eq!(
        (city["items"].as_array().unwrap().len(), names(&city["areas"]).len()),
        (11, 0)
    );
    assert!(
        city["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["area"] == "测试市")
    );
    assert_eq!(ask(&format!("area={WEST}")).await.ok()["items"], json!([]));
    assert_eq!(
        ask(&format!("area={EAST}")).await.ok()["items"],
        json!([]),
        "what is left over would be found by subtracting"
    );
}

/// A question that was answered by the desk and closed there.
async fn closed_in(app: &TestApp, people: &People, area: AreaId) {
    let id = new_id(app);
    let sent = json!({ "id": id, "body": "在哪里办居住证", "category_code": "1201", "area_id": area, "name": "李女士", "phone": "13800001235" });
    let opened = people.resident.post("/api/v1/portal/reports", sent).await.ok();
    act(
        &people.dispatcher,
        &id,
        "route",
        json!({ "unit_id": ENVIRONMENT, "reason": "咨询" }),
    )
    .await;
    act(&people.environment, &id, "take", json!({})).await.ok();
    act(&people.environment, &id, "handle", json!({ "result": "已说明" }))
        .await
        .ok();
    act(
        &people.dispatcher,
        &id,
        "answer",
        json!({ "way": "phone", "body": "请到便民服务中心", "solved": true }),
    )
    .await
    .ok();
    let path = format!("/api/v1/portal/follow/{}/rate", opened["number"].as_str().unwrap());
    let content = json!({ "follow_code": opened["follow_code"], "rating": 5 });
    people.resident.post(&path, content).await.ok();
    act(&people.verifier, &id, "close", json!({})).await;
    assert_eq!(
        people.dispatcher.get(&format!("/api/v1/cases/{id}")).await.ok()["state"],
        "closed"
    );
}
