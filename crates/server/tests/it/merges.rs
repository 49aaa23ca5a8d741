//! Two records of one person made one, and parted again: what stands is chosen, all of it follows, nothing is lost.

use crate::cases::new_id;
use crate::kit::{CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use crate::registry::{came, column, counted, find, household, id_number, opened, register, send, somebody};
use serde_json::{Value, json};

/// Two records of one woman, in two households, under two names, numbers and phones.
struct Twice {
    homes: [String; 2],
    records: [String; 2],
    numbers: [String; 2],
}

const NAMES: [&str; 2] = ["单小芳", "善晓芳"];
const PHONES: [&str; 2] = ["13800001111", "13900002222"];

async fn twice(app: &TestApp, centre: &Client) -> Twice {
    let mut homes = Vec::new();
    let mut records = Vec::new();
    let numbers = [id_number("19500203", 20), id_number("19500302", 20)];
    for at in 0..2 {
        let room = ["101", "102"][at];
        homes.push(household(centre, app, json!({ "area_id": EAST_GRID, "room": room })).await);
        let mut wish = somebody(app, &homes[at], "户主", NAMES[at]);
        wish["id_number"] = json!(numbers[at]);
        wish["phones"] = json!([PHONES[at], "13700000000"]);
        wish["kinds"] = [json!(["actual"]), json!(["actual", "registered"])][at].clone();
        records.push(register(centre, &wish).await);
    }
    Twice {
        homes: homes.try_into().unwrap(),
        records: records.try_into().unwrap(),
        numbers,
    }
}

/// All that is kept of these people, but for the counter of changes.
async fn kept(app: &TestApp) -> (Vec<String>, Vec<Option<Vec<u8>>>) {
    let mut rows = Vec::new();
    for sql in [
        "select id || ' ' || household_id || ' ' || relation || ' ' || coalesce(id_number_index, '-') || ' ' || coalesce(born, '-') || ' ' ||
            valid_from || ' ' || coalesce(valid_to, '-') || ' ' || coalesce(merged_into, '-') from resident order by id",
        "select id || ' ' || resident_id || ' ' || household_id || ' ' || kind || ' ' || valid_from || ' ' || coalesce(valid_to, '-')
            from residence order by id",
        "select id || ' ' || resident_id || ' ' || register || ' ' || coalesce(ended_day, '-') || ' ' || coalesce(ended_how, '-')
            from care_entry order by id",
        "select resident_id || ' ' || print_index from resident_index order by resident_id, print_index",
        "select id || ' ' || residents from household order by id",
    ] {
        rows.extend(column::<String>(app, sql).await);
    }
    let mut sealed = Vec::new();
    for sql in [
        "select name_sealed from resident order by id",
        "select id_number_sealed from resident order by id",
        "select phones_sealed from resident order by id",
    ] {
        sealed.extend(column::<Option<Vec<u8>>>(app, sql).await);
    }
    (rows, sealed)
}

async fn revealed(who: &Client, id: &str, field: &str) -> Value {
    let path = format!("/api/v1/registry/residents/{id}/reveal");
    who.post(&path, json!({ "field": field, "purpose": "service" }))
        .await
        .ok()["values"]
        .clone()
}

async fn put_on(who: &Client, register: &str, id: &str) {
    let path = format!("/api/v1/registry/registers/{register}/people");
    who.post(&path, json!({ "resident_id": id, "source": "list" }))
        .await
        .ok();
}

async fn on_hardship(who: &Client) -> Value {
    let all = who
        .get(&format!("/api/v1/registry/registers/counts?area={EAST}"))
        .await
        .ok();
    all[0]["people"].clone()
}

fn wish(app: &TestApp, both: &Twice, choice: Value) -> Value {
    json!({ "id": new_id(app), "kept_id": both.records[0], "other_id": both.records[1], "kept_version": 1, "other_version": 1, "choice": choice })
}

async fn undo(who: &Client, merge: &Value) -> String {
    let path = format!("/api/v1/registry/merges/{}/undo", merge["id"].as_str().unwrap());
    who.post(&path, json!({})).await.verdict()
}

/// Shown side by side, chosen field by field, merged: found by every name, number and phone of either, counted once, on each register once; who
/// looked at either is told together. Undone, all is as it was, to the byte.
#[tokio::test]
async fn two_records_become_one_and_are_parted_again_as_they_were() {
    each_backend(async |app| {
        let (centre, west) = (
            app.login_as("dispatcher", Some(EAST)).await,
            app.login_as("dispatcher", Some(WEST)).await,
        );
        let both = twice(app, &centre).await;
        let [first, second] = &both.records;
        let stranger = household(&centre, app, json!({ "area_id": EAST_GRID, "room": "103" })).await;
        register(&centre, &somebody(app, &stranger, "户主", "单小芳芳")).await;
        opened(app, "hardship").await;
        opened(app, "disabled").await;
        put_on(&centre, "hardship", first).await;
        put_on(&centre, "hardship", second).await;
        put_on(&centre, "disabled", second).await;

        let path = format!("/api/v1/registry/residents/{first}/alike?purpose=registry");
        let alike = centre.get(&path).await.ok();
        let ids: Vec<&Value> = alike
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["resident"]["id"])
            .collect();
        assert_eq!(
            ids,
            [&json!(second)],
            "one phone is the same; of a name only the whole counts"
        );
        let compare = json!({ "kept_id": first, "other_id": second, "purpose": "registry" });
        assert_eq!(
            west.post("/api/v1/registry/merges/compare", compare.clone())
                .await
                .verdict(),
            "404 not_found"
        );
        let mut silent = compare.clone();
        silent["purpose"] = Value::Null;
        assert_eq!(
            centre.post("/api/v1/registry/merges/compare", silent).await.verdict(),
            "403 purpose_required"
        );
        let answer = centre.post("/api/v1/registry/merges/compare", compare).await;
        assert!(
            !answer.text().contains("小芳") && !answer.text().contains(PHONES[0]),
            "masked: {}",
            answer.text()
        );
        let shown = answer.ok();
        assert_eq!(shown["differs"], json!(["name", "id_number", "phones", "home"]));
        assert_eq!(
            (
                shown["other"]["resident"]["residences"].as_array().map(Vec::len),
                shown["other"]["resident"]["registers"].as_array().unwrap().len()
            ),
            (Some(2), 2)
        );

        let before = kept(app).await;
        let merges = "/api/v1/registry/merges";
        let half = json!({ "name": "other", "id_number": "other", "phones": "both" });
        assert_eq!(
            centre.post(merges, wish(app, &both, half)).await.verdict(),
            "422 merge_choose"
        );
        let whole = json!({ "name": "other", "id_number": "other", "phones": "both", "home": "kept" });
        assert_eq!(
            west.post(merges, wish(app, &both, whole.clone())).await.verdict(),
            "404 not_found"
        );
        let mut old = wish(app, &both, whole.clone());
        old["other_version"] = json!(7);
        assert_eq!(centre.post(merges, old).await.verdict(), "409 registry_stale");
        let mut self_same = wish(app, &both, whole.clone());
        self_same["other_id"] = json!(first);
        assert_eq!(centre.post(merges, self_same).await.verdict(), "422 merge_same_record");
        assert_eq!(kept(app).await, before, "nothing is half done");
        let merge = wish(app, &both, whole);
        centre.post(merges, merge.clone()).await.ok();
        assert_eq!(centre.post(merges, merge.clone()).await.verdict(), "409 id_used");

        counted(app).await;
        let everything = [
            NAMES[0],
            NAMES[1],
            "shanxiaofang",
            &both.numbers[0],
            &both.numbers[1],
            PHONES[0],
            PHONES[1],
        ];
        for text in everything {
            let found = find(&centre, text).await;
            assert!(found.contains(first) && !found.contains(second), "{text}: {found:?}");
        }
        assert_eq!(revealed(&centre, first, "name").await, json!([NAMES[1]]));
        assert_eq!(revealed(&centre, first, "id_number").await, json!([both.numbers[1]]));
        assert_eq!(
            revealed(&centre, first, "phones").await,
            json!(["13700000000", PHONES[0], PHONES[1]])
        );
        assert_eq!(on_hardship(&centre).await, json!({ "hardship": 1, "disabled": 1 }));
        let home = format!("/api/v1/registry/households/{}?purpose=service", both.homes[0]);
        let member = centre.get(&home).await.ok()["members"][0].clone();
        let lives: Vec<String> = member["residences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["kind"].as_str().unwrap(),
                    both.homes
                        .iter()
                        .position(|home| one["household_id"] == **home)
                        .unwrap()
                )
            })
            .collect();
        assert_eq!(
            (lives, &member["age"]),
            (vec!["actual 0".to_owned(), "registered 1".to_owned()], &json!(75))
        );
        let left = format!("/api/v1/registry/households/{}?purpose=service", both.homes[1]);
        assert_eq!(centre.get(&left).await.ok()["members"], json!([]));
        let gone = format!("/api/v1/registry/residents/{second}");
        assert_eq!(
            centre.patch(&gone, json!({ "name": "某人" })).await.verdict(),
            "422 resident_merged"
        );
        let looks = format!("/api/v1/registry/residents/{first}/looks?purpose=registry&limit=200");
        let looks = centre.get(&looks).await.ok()["items"].as_array().unwrap().len();
        let of_second = "select count(*) from access_log where subject_id = (select merged_id from resident_merge)";
        let of_first = "select count(*) from access_log where subject_id = (select kept_id from resident_merge)";
        let (of_first, of_second) = (
            column::<i64>(app, of_first).await[0],
            column::<i64>(app, of_second).await[0],
        );
        assert!(of_second > 0);
        assert_eq!(looks as i64, of_first + of_second, "who looked at either is told");

        // A list with the old number finds the person, and makes nobody new.
        let list = format!(
            "网格,房号,姓名,身份证号,与户主关系\n第一网格,101,{},{},户主\n",
            NAMES[0], both.numbers[0]
        );
        assert_eq!(came(&send(&centre, "?dry_run=true", list).await.ok()), "0 0 1 0 0");
        let mut again = somebody(app, &stranger, "子", "某人");
        again["id_number"] = json!(both.numbers[0]);
        assert_eq!(
            centre.post("/api/v1/registry/residents", again).await.verdict(),
            "409 id_number_known"
        );

        let told = centre
            .get(&format!("/api/v1/registry/residents/{first}/merges"))
            .await
            .ok();
        assert_eq!(
            (&told[0]["id"], &told[0]["undo_until"], &told[0]["open"]),
            (&merge["id"], &json!("2026-03-16"), &json!(true))
        );
        assert_eq!(undo(&west, &merge).await, "404 not_found");
        assert_eq!(undo(&centre, &merge).await, "204");
        assert_eq!(undo(&centre, &merge).await, "404 not_found");
        assert_eq!(kept(app).await, before, "as they were");
        counted(app).await;
        assert_eq!(on_hardship(&centre).await, json!({ "hardship": 2, "disabled": 1 }));
        assert_eq!(
            (
                find(&centre, &both.numbers[0]).await,
                find(&centre, &both.numbers[1]).await
            ),
            (vec![first.clone()], vec![second.clone()])
        );
        let sealed = "select count(*) from resident_merge where before_sealed is not null";
        assert_eq!(column::<i64>(app, sealed).await, [0], "how they were is not kept twice");
        let marks: Vec<String> = column(app, "select body from ledger_payload order by 1").await;
        let marks = marks.join("\n");
        assert!(
            marks.contains("\"merge\"") && NAMES.iter().all(|name| !marks.contains(name)),
            "the mark says nothing personal"
        );
    })
    .await;
}

/// What was changed since and cannot be parted is said in words; so is the end of the time. A later merge is undone first, and each brings back
/// what it took. Erased, nothing of either is left.
#[tokio::test]
async fn what_cannot_be_parted_is_said_and_erasing_erases_both() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let both = twice(app, &centre).await;
        let [first, second] = &both.records;
        let third_home = household(&centre, app, json!({ "area_id": EAST_GRID, "room": "104" })).await;
        let third = register(&centre, &somebody(app, &third_home, "户主", "单芳")).await;
        let choice = json!({ "name": "kept", "id_number": "kept", "phones": "kept", "home": "other" });
        let merge = wish(app, &both, choice.clone());
        let merges = "/api/v1/registry/merges";
        centre.post(merges, merge.clone()).await.ok();
        counted(app).await;
        let later = json!({ "id": new_id(app), "kept_id": third, "other_id": first, "kept_version": 1, "other_version": 2, "choice": choice });
        centre.post(merges, later.clone()).await.ok();
        counted(app).await;
        for text in [NAMES[1], both.numbers[1].as_str(), both.numbers[0].as_str()] {
            assert_eq!(find(&centre, text).await, std::slice::from_ref(&third), "{text}");
        }
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_later_first");
        assert_eq!(undo(&centre, &later).await, "204");
        assert_eq!(find(&centre, &both.numbers[1]).await, std::slice::from_ref(first), "an earlier one came along, and back");

        // Somebody else is householder where the other one was; the kept one corrected or moved: each is said.
        let path = format!("/api/v1/registry/residents/{first}");
        centre.patch(&path, json!({ "phones": ["13600006666"] })).await.ok();
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_phones");
        centre.patch(&path, json!({ "name": "单小方" })).await.ok();
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_name");
        let security = app.login_as("security_admin", Some(EAST)).await;
        let erase = format!("/api/v1/registry/residents/{second}/erase");
        security.post(&erase, json!({ "reason": "本人要求" })).await.ok();
        let left = "select count(*) from person_key";
        assert_eq!(column::<i64>(app, left).await, [1], "only the stranger's");
        let indexed = "select count(*) from resident_index where resident_id in (select merged_id from resident_merge)";
        assert_eq!(column::<i64>(app, indexed).await, [0]);
        let sealed = "select count(*) from resident_merge m where m.before_sealed is not null";
        assert_eq!(column::<i64>(app, sealed).await, [0]);
        assert_eq!(undo(&centre, &merge).await, "404 not_found");
        for text in [NAMES[0], NAMES[1], both.numbers[0].as_str(), both.numbers[1].as_str()] {
            assert_eq!(find(&centre, text).await, [] as [String; 0], "{text}");
        }
        counted(app).await;
    })
    .await;
}

/// A merge is undone within the pack's days; afterwards both stay one.
#[tokio::test]
async fn a_merge_is_undone_in_time_and_where_there_is_a_home() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(CITY)).await;
        let both = twice(app, &centre).await;
        let choice = json!({ "name": "kept", "id_number": "kept", "phones": "kept", "home": "kept" });
        let merge = wish(app, &both, choice);
        centre.post("/api/v1/registry/merges", merge.clone()).await.ok();
        let heir = register(&centre, &somebody(app, &both.homes[1], "户主", "李四")).await;
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_householder");
        counted(app).await;
        let end = format!("/api/v1/registry/households/{}/end", both.homes[1]);
        centre
            .post(&end, json!({ "on": "2026-02-14", "how": "moved_away" }))
            .await
            .ok();
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_household");
        assert_eq!(find(&centre, "李四").await, [] as [String; 0], "{heir}");
        app.advance_hours(24 * 31);
        let centre = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(undo(&centre, &merge).await, "422 merge_undo_late");
        counted(app).await;
    })
    .await;
}
