//! Lists of people who are to be on care registers: found, never made; tried first; the same list again does nothing.

use crate::kit::{Answer, CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use crate::registry::{column, counted, household, id_number, opened, register, somebody};
use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};

async fn send(client: &Client, query: &str, text: impl Into<Vec<u8>>) -> Answer {
    let request = client
        .request(Method::POST, &format!("/api/v1/imports/registers{query}"))
        .header("x-wangge-client", "desk")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(Body::from(text.into()))
        .expect("a request");
    client.raw(request).await
}

/// `rows put_on already: problems`.
fn came(report: &Value) -> String {
    let problems = report["problems"].as_array().unwrap().iter();
    let problems = problems.map(|one| {
        format!(
            " {}/{}/{}",
            one["row"],
            one["column"].as_str().unwrap(),
            one["code"].as_str().unwrap()
        )
    });
    format!(
        "{} {} {}:{}",
        report["rows"],
        report["put_on"],
        report["already"],
        problems.collect::<String>()
    )
}

async fn entries(app: &TestApp) -> Vec<String> {
    let sql =
        "select register || ' ' || source || ' ' || from_day || ' ' || coalesce(basis, '-') from care_entry order by 1";
    column::<String>(app, sql).await
}

/// Found by number, or by a name that only one has there; who is not registered, or elsewhere, is told row by row and never made; any wrong row
/// holds all back; the same list again does nothing; what the columns mean is kept.
#[tokio::test]
async fn a_list_puts_people_on_registers_once_and_makes_nobody() {
    each_backend(async |app| {
        let (centre, west) = (app.login_as("dispatcher", Some(EAST)).await, app.login_as("dispatcher", Some(WEST)).await);
        let all = app.login_as("dispatcher", Some(CITY)).await;
        let numbers = [id_number("19400101", 20), id_number("19410101", 20), id_number("19420101", 20)];
        for (at, (area, room, name)) in [(EAST_GRID, "101", "张大"), (EAST_GRID, "102", "李二"), (WEST, "103", "王三")].into_iter().enumerate() {
            let home = household(&all, app, json!({ "area_id": area, "room": room })).await;
            let mut wish = somebody(app, &home, "户主", name);
            wish["id_number"] = json!(numbers[at]);
            wish["phones"] = json!([format!("1380000000{at}")]);
            register(&all, &wish).await;
        }
        let crowd = household(&all, app, json!({ "area_id": EAST_GRID, "room": "104" })).await;
        for phone in ["13811112222", "13811113333"] {
            let mut wish = somebody(app, &crowd, "非亲属", "陈同");
            wish["phones"] = json!([phone]);
            register(&all, &wish).await;
        }
        let people = async || column::<i64>(app, "select count(*) from resident").await[0];
        let before = people().await;

        let head = "名册,姓名,身份证号,电话,来源,依据,列入日期,宗教\n";
        let good = format!(
            "困难家庭,张大,{},,名单,2026年1月救助名单,2026/1/15,某\nhardship,李二,,,走访,,,\n困难家庭,陈同,,13811113333,本人申请,,2026-02-01,\n",
            numbers[0]
        );
        let bad = format!(
            "困难家庭,赵无,,,,,,\n困难家庭,王三,{},,,,,\n困难家庭,陈同,,,,,,\n困难家庭,张小,{},,,,,\n重点人员,张大,{},,,,,\n残疾人,李二,,,,,,\n\
             困难家庭,李二,,,听说,,,\n困难家庭,李二,,,,,2027-01-01,\n困难家庭,,330902194001010001,,,,,\n困难家庭,李二,,,,,,\n",
            numbers[2], numbers[0], numbers[0]
        );
        assert_eq!(came(&send(&centre, "?dry_run=true", format!("{head}{good}")).await.ok()),
            "3 0 0: 2//register_not_in_use 3//register_not_in_use 4//register_not_in_use".replace("//", "/名册/"));
        opened(app, "hardship").await;

        let tried = send(&centre, "?dry_run=true", format!("{head}{good}{bad}")).await.ok();
        let told = "13 3 1: 5/姓名/register_person_unknown 6/身份证号/register_person_unknown 7/姓名/register_person_ambiguous \
            8/姓名/register_name_differs 9/名册/register_unknown 10/名册/register_not_in_use 11/来源/register_source_unknown \
            12/列入日期/day_in_the_future 13/身份证号/id_number_check";
        assert_eq!(came(&tried), told, "the last row is of somebody a row before names");
        assert_eq!(tried["columns"][7], json!({ "name": "宗教", "field": null }), "labels of persons are left out");
        assert_eq!(came(&send(&centre, "", format!("{head}{good}{bad}")).await.ok()), told, "any wrong row holds all back");
        assert_eq!((entries(app).await, people().await), (Vec::<String>::new(), before));
        let file = send(&centre, "?dry_run=true&problems=csv", format!("{head}{good}{bad}")).await;
        assert!(file.text().starts_with("\u{feff}行,列,代码,问题\n5,姓名,register_person_unknown,"), "{}", file.text());
        assert!(!file.text().contains("赵无"), "{}", file.text());
        let beyond = send(&west, "?dry_run=true", format!("{head}{good}")).await.ok();
        assert_eq!(came(&beyond), "3 0 0: 2/身份证号/register_person_unknown 3/姓名/register_person_unknown 4/姓名/register_person_unknown");
        assert_eq!(app.login_as("clerk", Some(EAST)).await.get("/api/v1/imports/registers/template").await.verdict(), "403 forbidden");

        let done = send(&centre, "", format!("{head}{good}")).await.ok();
        assert_eq!((came(&done), &done["changed"]), ("3 3 0:".to_owned(), &json!(true)));
        let kept = ["hardship list 2026-01-15 2026年1月救助名单", "hardship own_wish 2026-02-01 -", "hardship visit 2026-02-14 -"];
        assert_eq!(entries(app).await, kept);
        counted(app).await;
        let again = send(&centre, "", format!("{head}{good}")).await.ok();
        assert_eq!((came(&again), &again["changed"]), ("3 0 3:".to_owned(), &json!(false)));
        assert_eq!((entries(app).await.len(), people().await), (3, before));
        assert_eq!(came(&send(&centre, "?skip_bad=true", format!("{head}{bad}")).await.ok()).split(':').next().unwrap(), "10 0 1");

        // What the columns mean is kept for the next list with this header; a list of one register need not name it.
        let odd = format!("A栏,B栏\n李二,{}\n", numbers[1]);
        let said = "?columns=name,id_number&register=hardship";
        assert_eq!(send(&centre, "?columns=name,horoscope", odd.clone()).await.verdict(), "422 list_mapping_invalid");
        assert_eq!(came(&send(&centre, said, odd.clone()).await.ok()), "1 0 1:");
        assert_eq!(came(&send(&centre, "?register=hardship", odd).await.ok()), "1 0 1:", "the columns were kept");

        let listed = centre.get(&format!("/api/v1/registry/registers/hardship/people?area={EAST_GRID}&purpose=service")).await.ok();
        let bases: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["basis"]).collect();
        assert!(bases.contains(&&json!("2026年1月救助名单")), "{listed}");
        let marks: Vec<String> = column(app, "select body from ledger_payload order by 1").await;
        assert!(!marks.join("\n").contains("张大"), "nothing personal in the ledger");
        let log = app.login_as("audit_admin", None).await.get("/api/v1/access-log?limit=200").await.ok();
        let looked = log["items"].as_array().unwrap().iter().filter(|one| one["fields"] == json!(["registers"]));
        assert!(looked.count() >= 9, "each person a row found");
    })
    .await;
}
