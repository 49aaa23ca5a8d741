//! Packs and calendars in force: numbered, kept, changed only by what differs, seen with their sources.

use crate::bare;
use crate::kit::each_backend;
use serde_json::json;
use server::policy;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_pack_keeps_its_number_and_a_changed_one_gets_the_next() {
    bare::each(|bare| async move {
        let files = policy::shipped("zhoushan").unwrap();
        policy::adopt(&bare.app, files.clone(), None).await.unwrap();
        policy::adopt(&bare.app, files.clone(), None).await.unwrap();
        let first = policy::current(&bare.app).unwrap();
        assert_eq!((first.number, first.calendar.version), (1, 1));
        let mut other = files;
        let text = other["clocks.toml"].replacen("limit = \"2 hours\"", "limit = \"3 hours\"", 1);
        other.insert("clocks.toml".into(), text);
        policy::adopt(&bare.app, other, None).await.unwrap();
        let second = policy::current(&bare.app).unwrap();
        assert_eq!(
            (second.number, second.calendar.version),
            (2, 1),
            "the calendar did not change"
        );
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_with_a_problem_is_refused_whole() {
    bare::each(|bare| async move {
        let mut files = policy::shipped("yichang").unwrap();
        files.insert("routes.toml".into(), "default_source = \"assumption\"\n".into());
        assert!(policy::adopt(&bare.app, files, None).await.is_err());
        assert_eq!(policy::current(&bare.app).unwrap_err().code(), "no_pack");
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_year_makes_a_new_calendar_version_and_is_seen() {
    each_backend(async |app| {
        let admin = app.login_as("system_admin", None).await;
        assert_eq!(admin.get("/api/v1/calendar?year=2027").await.ok(), json!([]));
        let text = "year = 2027\nnotice = \"x\"\nissued = 2026-11-01\nsource = \"x\"\n[days]\n2027-01-01 = { rest = \"元旦\" }\n";
        let tried = admin.post("/api/v1/calendar/import", json!({ "text": text, "dry_run": true })).await.ok();
        assert_eq!(tried["named"], json!([{ "date": "2027-01-01", "kind": "rest", "name": "元旦" }]));
        assert_eq!(tried["calendar_version"], json!(1));
        assert_eq!(admin.get("/api/v1/calendar?year=2027").await.ok(), json!([]));
        let done = admin.post("/api/v1/calendar/import", json!({ "text": text })).await.ok();
        assert_eq!((done["year"].as_i64(), done["calendar_version"].as_i64()), (Some(2027), Some(2)));
        let days = admin.get("/api/v1/calendar?year=2027").await.ok();
        assert_eq!((days.as_array().unwrap().len(), days[0]["kind"].as_str(), days[0]["name"].as_str()), (365, Some("rest"), Some("元旦")));
        let days = admin.get("/api/v1/calendar?year=2026").await.ok();
        let of = |date: &str| days.as_array().unwrap().iter().find(|day| day["date"] == date).unwrap()["kind"].clone();
        assert_eq!((of("2026-02-14"), of("2026-02-17"), of("2026-02-25")), (json!("makeup"), json!("rest"), json!("work")));
        let wrong = admin.post("/api/v1/calendar/import", json!({ "text": "year = " })).await;
        assert_eq!(wrong.verdict(), "422 calendar_unreadable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pack_is_shown_with_the_source_of_each_value() {
    each_backend(async |app| {
        let clerk = app.login_as("clerk", None).await;
        let pack = clerk.get("/api/v1/pack").await.ok();
        let sections = pack["sections"].as_array().unwrap();
        assert!(
            sections
                .iter()
                .flat_map(|one| one["lines"].as_array().unwrap())
                .all(|line| line["source"] != "")
        );
        let thresholds = sections.iter().find(|one| one["key"] == "thresholds").unwrap()["lines"]
            .as_array()
            .unwrap();
        let target = thresholds
            .iter()
            .find(|line| line["key"] == "resolved_here_percent")
            .unwrap();
        assert_eq!(
            (target["value"].as_str(), target["source"].as_str()),
            (Some("85"), Some("MG-03"))
        );
        let grids = sections.iter().find(|one| one["key"] == "grids").unwrap()["lines"]
            .as_array()
            .unwrap();
        let band = grids
            .iter()
            .find(|line| line["key"] == "grid_band.rural.households")
            .unwrap();
        assert_eq!(
            (band["value"].as_str(), band["source"].as_str()),
            (Some("100–150 households"), Some("ZS-01"))
        );
        assert!(
            grids
                .iter()
                .any(|line| line["key"] == "plan_undo_days" && line["value"] == "30"),
            "{grids:?}"
        );
        let admin = app.login_as("system_admin", None).await;
        let problems = admin
            .post("/api/v1/pack/check", json!({ "files": { "pack.toml": "x = 1" } }))
            .await
            .ok();
        assert!(
            problems
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["code"] == "pack_missing_file")
        );
    })
    .await;
}
