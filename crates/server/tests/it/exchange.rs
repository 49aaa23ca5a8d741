//! Lists of cases in and out: what a real spreadsheet brings, what a hostile one cannot, what leaves the house.

use crate::kit::{Answer, CITY, Client, EAST, TestApp, WEST, each_backend};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use db::params;
use serde_json::{Value, json};
use server::platform::{Ctx, Mark, Subject, UnitId};

/// The centre of the test city, so that everything has somebody responsible.
async fn with_centre(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    let unit: UnitId = app.app.new_id();
    app.app
        .write(&ctx, move |ctx, tx| {
            for (id, code, area) in [(unit, "C", CITY), (ctx.app.new_id(), "E", EAST), (ctx.app.new_id(), "W", WEST)] {
                tx.execute(
                    "insert into unit (id, code, name, public_name, kind, body, area_id, parent_id, phone, office, hours, valid_from, valid_to)
                     values ($1, $2, $2, $2, 'centre', 'centre', $3, null, '', '', '', '2010-01-01', null)",
                    &params![id, code, area],
                )?;
            }
            server::workforce::changed(tx);
            tx.record(ctx, Mark::new("unit.created", Subject::System, json!({})))
        })
        .await
        .expect("the centres");
}

async fn send(client: &Client, query: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let request = client
        .request(Method::POST, &format!("/api/v1/imports/cases{query}"))
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(Body::from(bytes.into()))
        .expect("a request");
    client.raw(request).await
}

const PAST: &str = "id,user,title,received_at,text,answer,answered_at,political_status\n\
    1,A001,路灯不亮,2019/4/25 9:32:09,东河路路灯不亮已有半月,已于当日修复,2019/4/26 15:00:00,x\n\
    2,A002,井盖破损,2019-05-01 08:00:00,小区门口井盖破损,=HYPERLINK(1),2019/6/20,x\n\
    3,A003,咨询社保,2019/5/6 10:00:00,请问社保怎样转移,,,x\n";

async fn list(client: &Client) -> Vec<Value> {
    client.get("/api/v1/cases?queue=all&limit=200").await.ok()["items"]
        .as_array()
        .expect("items")
        .clone()
}

#[tokio::test]
async fn past_messages_come_with_their_times_and_clocks_and_only_once() {
    each_backend(async |app| {
        with_centre(app).await;
        let desk = app.login_as("dispatcher", None).await;
        let dry = send(&desk, "?dry_run=true&source=letters", PAST).await.ok();
        assert_eq!((&dry["added"], &dry["changed"]), (&json!(3), &json!(false)), "{dry}");
        assert_eq!(
            dry["ignored_columns"],
            json!(["political_status"]),
            "labels of persons are left out and named"
        );
        assert!(list(&desk).await.is_empty(), "a dry run changes nothing");
        let done = send(&desk, "?source=letters", PAST).await.ok();
        assert_eq!((&done["added"], &done["closed"]), (&json!(3), &json!(2)), "{done}");
        let again = send(&desk, "?source=letters", PAST).await.ok();
        assert_eq!((&again["added"], &again["already"]), (&json!(0), &json!(3)), "{again}");
        let changed = PAST.replace("已有半月", "已有一月");
        let changed = send(&desk, "?source=letters", changed).await.ok();
        assert_eq!(changed["problems"][0]["code"], "import_row_differs");

        let cases = list(&desk).await;
        assert_eq!(cases.len(), 3);
        let lamp = cases.iter().find(|case| case["title"] == "路灯不亮").expect("the lamp");
        assert_eq!(lamp["received_at"], "2019-04-25T09:32:09+08:00");
        assert_eq!(lamp["state"], "closed");
        let page = desk
            .get(&format!(
                "/api/v1/cases/{}?purpose=handle",
                lamp["id"].as_str().unwrap()
            ))
            .await
            .ok();
        assert_eq!(page["answers"][0]["body"], "已于当日修复");
        assert_eq!(page["answers"][0]["at"], "2019-04-26T15:00:00+08:00");
        assert_eq!(page["clocks"][0]["state"], "stopped");
        let open = cases
            .iter()
            .find(|case| case["title"] == "咨询社保")
            .expect("the question");
        assert_ne!(open["state"], "closed", "what has no answer is still owed");
    })
    .await;
}

/// Past cases come to the index after the new ones; found, they stand by when they came in, like in every list.
#[tokio::test]
async fn what_is_found_stands_by_when_it_was_received() {
    each_backend(async |app| {
        with_centre(app).await;
        let desk = app.login_as("dispatcher", None).await;
        let id = app.app.new_id::<server::platform::CaseId>();
        let form = json!({ "id": id, "channel": "phone", "body": "新街口路灯不亮", "area_id": EAST.to_string() });
        desk.post("/api/v1/cases", form).await.ok();
        server::platform::jobs::run_due(&app.app).await.expect("the jobs run");
        send(&desk, "?source=letters", PAST).await.ok();
        server::platform::jobs::run_due(&app.app).await.expect("the jobs run");
        let found = desk
            .get("/api/v1/cases?queue=all&q=%E8%B7%AF%E7%81%AF%E4%B8%8D%E4%BA%AE")
            .await
            .ok();
        let days: Vec<&str> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| &case["received_at"].as_str().unwrap()[..4])
            .collect();
        assert_eq!(days, ["2026", "2019"], "{found}");
    })
    .await;
}

#[tokio::test]
async fn a_bad_row_changes_nothing_and_is_named() {
    each_backend(async |app| {
        with_centre(app).await;
        let desk = app.login_as("dispatcher", Some(EAST)).await;
        let west = "330902002";
        let sheet = format!(
            "编号,诉求内容,分类,区域,电话,时间,答复,答复时间\n1,好的一行,,,,2026-02-01 10:00,,\n2,,,,,,,\n3,内容,没有的分类,,12,明天,,\n\
             4,内容,,{west},,2026-02-01,,\n1,又一行,,,,2030-01-01,,\n5,内容,,,,2026-02-02,答复,2026-02-01\n"
        );
        let report = send(&desk, "", sheet.clone()).await.ok();
        let problems: Vec<(u64, &str)> = report["problems"].as_array().unwrap().iter()
            .map(|p| (p["row"].as_u64().unwrap(), p["code"].as_str().unwrap())).collect();
        for expected in [
            (3, "import_no_body"), (4, "import_category_unknown"), (4, "import_phone"), (4, "import_time_unreadable"),
            (5, "import_area_unknown"), (6, "import_time_future"), (6, "import_row_twice"), (7, "import_answered_before"),
        ] {
            assert!(problems.contains(&expected), "{expected:?} not in {problems:?}");
        }
        assert_eq!(report["changed"], false);
        assert!(list(&desk).await.is_empty());
        let report = send(&desk, "?skip_bad=true", sheet).await.ok();
        assert_eq!(report["added"], 1, "{report}");
    })
    .await;
}

#[tokio::test]
async fn hostile_files_are_refused_in_words() {
    each_backend(async |app| {
        let desk = app.login_as("dispatcher", None).await;
        let gbk: &[u8] = &[0xCB, 0xDF, 0xC7, 0xF3, 0xC4, 0xDA, 0xC8, 0xDD, b'\n', 0xC2, 0xB7, b'\n'];
        for (bytes, code) in [
            (gbk.to_vec(), "422 sheet_is_gbk"),
            (b"PK\x03\x04broken".to_vec(), "422 sheet_broken"),
            (vec![0xD0, 0xCF, 0x11, 0xE0, 0], "422 sheet_old_excel"),
            (Vec::new(), "422 sheet_empty"),
            ("标题,时间\na,b\n".as_bytes().to_vec(), "422 import_no_body_column"),
            (
                format!("text\n{}", "a\n".repeat(5_001)).into_bytes(),
                "422 sheet_too_many_rows",
            ),
            (vec![b'a'; (20 << 20) + 1], "413 sheet_too_large"),
        ] {
            let answer = send(&desk, "", bytes).await;
            assert_eq!(answer.verdict(), code);
            let message = answer.json()["message"].as_str().unwrap().to_owned();
            assert!(message.len() > 20, "a sentence: {message}");
        }
        let nobody = app.login_as("handler", None).await;
        assert_eq!(send(&nobody, "", "text\nx\n").await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn what_leaves_the_house_is_marked_and_cannot_run() {
    each_backend(async |app| {
        with_centre(app).await;
        let desk = app.login_as("dispatcher", None).await;
        send(
            &desk,
            "",
            "id,title,text,received_at\n1,=1+1,某事,2026-02-01\n2,＠SUM,某事二,2026-02-01\n",
        )
        .await
        .ok();
        assert_eq!(
            desk.get("/api/v1/cases/export?format=csv").await.verdict(),
            "422 export_reason_missing"
        );
        let file = desk
            .get("/api/v1/cases/export?format=csv&reason=monthly%20report")
            .await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        let text = file.text();
        assert!(text.contains("\"'=1+1\"") && text.contains("\"'＠SUM\""), "{text}");
        assert!(text.lines().next().unwrap().contains("导出编号"), "{text}");
        let foreign = app.login_as("dispatcher", Some(WEST)).await;
        let none = foreign
            .get("/api/v1/cases/export?format=csv&reason=monthly%20report")
            .await
            .text();
        assert!(
            !none.contains("某事") && !none.contains("=1+1"),
            "the same scope as the list: {none}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_large_export_takes_a_second_person() {
    each_backend(async |app| {
        with_centre(app).await;
        let desk = app.login_as("dispatcher", None).await;
        let mut sheet = "id,text,received_at\n".to_owned();
        for n in 0..501 {
            sheet += &format!("{n},第{n}件事,2026-02-01\n");
        }
        assert_eq!(send(&desk, "", sheet).await.ok()["added"], 501);
        assert_eq!(
            desk.get("/api/v1/cases/export?reason=monthly%20report").await.verdict(),
            "409 export_needs_approval"
        );
        let id = app.app.new_id::<UnitId>().to_string();
        let wish = json!({ "id": id, "reason": "月度汇总上报", "format": "xlsx" });
        assert_eq!(desk.post("/api/v1/exports", wish).await.ok()["state"], "waiting");
        assert_eq!(
            desk.get(&format!("/api/v1/exports/{id}/file")).await.verdict(),
            "422 export_not_approved"
        );
        let yes = json!({ "approve": true });
        let path = format!("/api/v1/exports/{id}/approve");
        assert_eq!(desk.post(&path, yes.clone()).await.status, StatusCode::FORBIDDEN);
        let other_town = app.login_as("supervisor", Some(EAST)).await;
        assert_eq!(other_town.post(&path, yes.clone()).await.status, StatusCode::NOT_FOUND);
        let lead = app.login_as("supervisor", None).await;
        assert_eq!(lead.post(&path, yes.clone()).await.ok()["state"], "approved");
        assert_eq!(lead.post(&path, yes).await.verdict(), "422 export_decided");
        assert_eq!(
            lead.get(&format!("/api/v1/exports/{id}/file")).await.status,
            StatusCode::NOT_FOUND
        );
        let file = desk.get(&format!("/api/v1/exports/{id}/file")).await;
        assert!(
            file.status.is_success() && file.body.starts_with(b"PK"),
            "{}",
            file.text()
        );
        app.advance_hours(25);
        assert_eq!(desk.get("/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}
