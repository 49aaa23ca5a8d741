//! The mailbox of an area: a letter becomes a case with a deadline for the reply, is answered, and what became of such matters is published
//! without anybody's words.

use crate::cases::{act, follow, new_id, people};
use crate::kit::{EAST, EAST_GRID, each_backend};
use serde_json::json;
use server::cases;

#[tokio::test]
async fn a_letter_is_answered_by_a_deadline_and_its_outcome_is_published_without_persons() {
    each_backend(async |app| {
        let people = people(app).await;
        let door = people.resident.get(&format!("/api/v1/portal/mailbox/{EAST_GRID}")).await.ok();
        assert_eq!(door["area"]["name"], "第一网格");
        let outcomes = format!("/api/v1/portal/outcomes?area={EAST}");
        for nth in 0..cases::queue::FEWEST_PUBLISHED {
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
        assert_eq!(items.len(), cases::queue::FEWEST_PUBLISHED);
        assert_eq!((items[0]["category"].as_str(), items[0]["unit"].as_str()), (Some("Air pollution and smell"), Some("生态环境局")));
        assert_eq!(items[0]["closed_on"], "2026-02-14");
        let text = published.to_string();
        for personal in ["周", "1380", "净化", "油烟", "ZS2026"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    })
    .await;
}
