//! The public transparency page: made from the register and the counters, readable by anybody.

use crate::kit::{TestApp, each_backend};
use serde_json::Value;

fn section<'a>(page: &'a Value, key: &str) -> &'a Value {
    let all = page["sections"].as_array().expect("sections");
    all.iter()
        .find(|section| section["key"] == key)
        .unwrap_or_else(|| panic!("no section {key}"))
}

#[tokio::test]
async fn anybody_reads_what_is_kept_and_what_is_never_done() {
    each_backend(async |app: &TestApp| {
        let page = app.visitor().get("/api/v1/portal/transparency").await.ok();
        assert_eq!(section(&page, "promises")["paragraphs"].as_array().unwrap().len(), 9);
        let kept = section(&page, "kept")["table"]["rows"].as_array().unwrap().clone();
        let has = |table: &str, field: &str| {
            kept.iter()
                .any(|row| row[0] == table && row[2].as_str().unwrap().split(", ").any(|f| f == field))
        };
        assert!(has("account", "name") && has("export_request", "asked_name"));
        let counts = &section(&page, "counts")["table"]["rows"];
        assert_eq!(counts.as_array().unwrap().len(), 4);
        assert_eq!(counts[2][1], "0");
        assert!(
            section(&page, "version")["table"]["rows"]
                .to_string()
                .contains("wangge ")
        );
    })
    .await;
}
