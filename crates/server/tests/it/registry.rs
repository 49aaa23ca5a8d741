//! The registry: who lives where, sealed person by person, found in scope, shown masked; counts that equal a recount.

use crate::adoption::{self, at, dwelling_id, furnish};
use crate::cases::new_id;
use crate::kit::{Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use db::params;
use domain::geo::LonLat;
use serde_json::{Value, json};
use server::platform::{AreaId, Ctx};
use server::territory::dwellings::{self, Graph, NewDwelling};

/// A sound number of a region, a day of birth and an order: the check character is worked out here once more, on its own.
fn id_number(born: &str, order: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let first = format!("330902{born}{order:03}");
    let sum: u32 = first
        .bytes()
        .zip(WEIGHTS)
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum as usize % 11];
    format!("{first}{check}")
}

/// A household of a grid in a room.
pub async fn household(who: &Client, app: &TestApp, place: Value) -> String {
    let id = new_id(app);
    let wish = json!({ "id": id, "number": "0001", "place": place, "valid_from": "2026-01-10" });
    who.post("/api/v1/registry/households", wish).await.ok();
    id
}

fn somebody(app: &TestApp, household: &str, relation: &str, name: &str) -> Value {
    json!({ "id": new_id(app), "household_id": household, "relation": relation, "name": name, "valid_from": "2026-01-10" })
}

async fn register(who: &Client, wish: &Value) -> String {
    who.post("/api/v1/registry/residents", wish.clone()).await.ok();
    wish["id"].as_str().unwrap().to_owned()
}

async fn find(who: &Client, text: &str) -> Vec<String> {
    let found = who
        .post(
            "/api/v1/registry/residents/search",
            json!({ "text": text, "purpose": "visit" }),
        )
        .await
        .ok();
    let items = found["items"].as_array().unwrap().iter();
    items
        .map(|one| one["resident"]["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn column<T: db::FromValue + Send + 'static>(app: &TestApp, sql: &'static str) -> Vec<T> {
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .read(&ctx, move |_, tx| {
            let rows = tx.query(sql, &params![])?;
            rows.iter().map(|row| Ok(row.get(0)?)).collect()
        })
        .await
        .expect("a column")
}

/// Every count of every area equals what a walk through the rows gives; nobody lives in an area that is no more.
pub async fn counted(app: &TestApp) {
    const KEPT: &str = "select area_id || ' ' || sum(households) || ' ' || sum(residents) || ' ' || sum(organisations) from registry_count
        group by area_id having sum(households) <> 0 or sum(residents) <> 0 or sum(organisations) <> 0 order by area_id";
    const AGAIN: &str = "with living as (
            select h.a1, h.a2, h.a3, h.a4, h.a5, 1 as households,
                (select count(*) from resident r where r.household_id = h.id and r.valid_to is null) as residents, 0 as organisations
            from household h where h.valid_to is null
            union all select a1, a2, a3, a4, a5, 0, 0, 1 from organisation where valid_to is null),
        levels as (select a1 as area, households, residents, organisations from living
            union all select a2, households, residents, organisations from living
            union all select a3, households, residents, organisations from living
            union all select a4, households, residents, organisations from living
            union all select a5, households, residents, organisations from living)
        select area || ' ' || sum(households) || ' ' || sum(residents) || ' ' || sum(organisations) from levels where area is not null
        group by area order by area";
    assert_eq!(column::<String>(app, KEPT).await, column::<String>(app, AGAIN).await);
    const OF_HOUSEHOLDS: &str = "select h.id from household h
        where h.residents <> (select count(*) from resident r where r.household_id = h.id and r.valid_to is null)";
    assert_eq!(column::<String>(app, OF_HOUSEHOLDS).await, [] as [String; 0]);
    const ASTRAY: &str = "select h.id from household h
        where h.valid_to is null and not exists (select 1 from area a where a.id = h.area_id and a.valid_to is null)";
    assert_eq!(column::<String>(app, ASTRAY).await, [] as [String; 0]);
}

/// Registered once, found by name, pinyin, initials, number and phone, within the area only; masked until a field is asked for with a
/// purpose, each look logged; erased, nothing of the person opens any more and the number is free.
#[tokio::test]
async fn a_person_is_registered_found_shown_masked_and_erased() {
    each_backend(async |app| {
        let (centre, west) = (app.login_as("dispatcher", Some(EAST)).await, app.login_as("dispatcher", Some(WEST)).await);
        let place = json!({ "area_id": EAST_GRID, "building": "三号楼", "entrance": "2单元", "room": "501室" });
        let home = household(&centre, app, place).await;
        let number = id_number("19800229", 13);
        let mut wish = somebody(app, &home, "户主", "单小三");
        wish["id_number"] = json!(number);
        wish["phones"] = json!(["138 0000 1234"]);
        let who = register(&centre, &wish).await;
        register(&centre, &somebody(app, &home, "配偶", "李四")).await;

        for text in ["单小三", "单小", "shanxiaosan", "SXS", "sx", &number.to_lowercase(), "+86 13800001234"] {
            assert_eq!(find(&centre, text).await, std::slice::from_ref(&who), "{text}");
            assert_eq!(find(&west, text).await, [] as [String; 0], "{text} beyond the area");
        }
        assert_eq!(find(&centre, "dan xiao san").await, [] as [String; 0], "a surname is read as a surname");
        let search = "/api/v1/registry/residents/search";
        assert_eq!(centre.post(search, json!({ "text": "单小三" })).await.verdict(), "403 purpose_required");
        assert_eq!(centre.post(search, json!({ "text": "单", "purpose": "visit" })).await.verdict(), "422 search_too_short");
        assert_eq!(centre.post(search, json!({ "text": "单小三", "purpose": "curiosity" })).await.verdict(), "422 purpose_unknown");

        let path = format!("/api/v1/registry/households/{home}");
        assert_eq!(centre.get(&path).await.verdict(), "403 purpose_required");
        assert_eq!(west.get(&format!("{path}?purpose=visit")).await.verdict(), "404 not_found");
        let answer = centre.get(&format!("{path}?purpose=visit")).await;
        for whole in ["小三", "李四", "13800001234", number.as_str()] {
            assert!(!answer.text().contains(whole), "{whole} is shown");
        }
        let shown = answer.ok();
        let masked = &shown["members"][0];
        let last = &number[14..];
        assert_eq!((&masked["name"], &masked["id_number"]), (&json!("单**"), &json!(format!("330902********{last}"))));
        assert_eq!((&masked["phones"], &masked["age"], &masked["sex"]), (&json!(["138****1234"]), &json!(45), &json!("male")));
        assert_eq!((&shown["room"]["text"], &shown["residents"]), (&json!("3幢2单元5层501室"), &json!(2)));
        let list = centre.get(&format!("/api/v1/registry/households?area={EAST_GRID}&purpose=visit")).await.ok();
        assert_eq!((&list["items"][0]["householder"], &list["next"]), (&json!("单**"), &Value::Null));

        let reveal = format!("/api/v1/registry/residents/{who}/reveal");
        let asked = |field: &str| json!({ "field": field, "purpose": "service" });
        assert_eq!(centre.post(&reveal, asked("phones")).await.ok()["values"], json!(["13800001234"]));
        assert_eq!(centre.post(&reveal, asked("id_number")).await.ok()["values"], json!([number]));
        assert_eq!(west.post(&reveal, asked("name")).await.verdict(), "404 not_found");
        assert_eq!(centre.post(&reveal, json!({ "field": "name" })).await.verdict(), "403 purpose_required");
        let liaison = app.login_as("liaison", Some(EAST)).await;
        assert_eq!(liaison.post(&reveal, asked("name")).await.verdict(), "403 forbidden");
        let audit = app.login_as("audit_admin", None).await;
        let log = audit.get(&format!("/api/v1/access-log?subject={who}&limit=200")).await.ok();
        let entries: Vec<String> = log["items"].as_array().unwrap().iter().map(|one| format!("{} {}", one["purpose"], one["fields"])).collect();
        let whole: std::collections::BTreeSet<&String> = entries.iter().filter(|one| one.contains("service")).collect();
        assert_eq!(whole.into_iter().collect::<Vec<_>>(), [r#""service" ["id_number"]"#, r#""service" ["phone"]"#], "{log}");
        assert_eq!(entries.iter().filter(|one| one.contains("masked")).count(), 8, "seven searches and the household");

        let kept: Vec<String> = column(app, "select body from ledger_payload order by 1").await;
        let kept = kept.join("\n");
        for personal in ["单小三", "13800001234", number.as_str()] {
            assert!(!kept.contains(personal), "the ledger holds {personal}");
        }
        for sealed in column::<Option<Vec<u8>>>(app, "select name_sealed from resident").await {
            assert!(!String::from_utf8_lossy(&sealed.unwrap()).contains('三'));
        }

        let erase = format!("/api/v1/registry/residents/{who}/erase");
        assert_eq!(centre.post(&erase, json!({ "reason": "本人要求" })).await.verdict(), "403 forbidden");
        let security = app.login_as("security_admin", Some(EAST)).await;
        assert_eq!(security.post(&erase, json!({ "reason": " " })).await.verdict(), "422 text_length");
        security.post(&erase, json!({ "reason": "本人要求" })).await.ok();
        assert_eq!(security.post(&erase, json!({ "reason": "本人要求" })).await.verdict(), "404 not_found");
        assert_eq!(column::<i64>(app, "select count(*) from person_key").await, [1]);
        assert_eq!(find(&centre, "单小三").await, [] as [String; 0]);
        assert_eq!(centre.post(&reveal, asked("phones")).await.verdict(), "404 not_found");
        let left = "select count(*) from resident where erased_at is not null and name_sealed is null and id_number_sealed is null
            and phones_sealed is null and id_number_index is null and born is null";
        assert_eq!(column::<i64>(app, left).await, [1]);
        let mut again = somebody(app, &home, "户主", "单小三");
        again["id_number"] = json!(number);
        register(&centre, &again).await;
        counted(app).await;
    })
    .await;
}

/// What the rules refuse is refused in words, and nothing is half done.
#[tokio::test]
async fn what_cannot_be_is_refused() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let home = household(&centre, app, json!({ "area_id": EAST_GRID, "room": "101" })).await;
        let number = id_number("19900101", 20);
        let mut first = somebody(app, &home, "householder", "张三");
        first["id_number"] = json!(number);
        let who = register(&centre, &first).await;
        let tried = async |change: Value| {
            let mut wish = somebody(app, &home, "son", "张小三");
            wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            centre.post("/api/v1/registry/residents", wish).await.verdict()
        };
        assert_eq!(tried(json!({ "id": who })).await, "409 id_used");
        assert_eq!(tried(json!({ "relation": "户主" })).await, "409 householder_already");
        assert_eq!(tried(json!({ "relation": "邻居" })).await, "422 relation_unknown");
        assert_eq!(tried(json!({ "id_number": number })).await, "409 id_number_known");
        assert_eq!(tried(json!({ "id_number": "330902199001010001" })).await, "422 id_number_check");
        assert_eq!(tried(json!({ "phones": ["12"] })).await, "422 phone_invalid");
        assert_eq!(tried(json!({ "name": " " })).await, "422 text_length");
        assert_eq!(tried(json!({ "kinds": ["sometimes"] })).await, "422 residence_kind_unknown");
        assert_eq!(tried(json!({ "kinds": ["actual", "actual"] })).await, "422 residence_overlaps");
        assert_eq!(tried(json!({ "valid_from": "2026-02-15" })).await, "422 day_in_the_future");
        assert_eq!(tried(json!({ "valid_from": "2025-12-31" })).await, "422 before_household");

        let made = async |place: Value| {
            let wish = json!({ "id": new_id(app), "place": place });
            centre.post("/api/v1/registry/households", wish).await.verdict()
        };
        assert_eq!(made(json!({ "area_id": WEST })).await, "422 area_unknown");
        assert_eq!(made(json!({})).await, "422 missing_field");
        assert_eq!(made(json!({ "area_id": EAST_GRID, "floor": "0" })).await, "422 floor_invalid");
        assert_eq!(made(json!({ "dwelling_id": new_id(app) })).await, "422 dwelling_unknown");

        let path = format!("/api/v1/registry/residents/{who}");
        let renamed = centre.patch(&path, json!({ "name": "张三丰", "row_version": 1 })).await.ok();
        assert_eq!(renamed["row_version"], 2);
        assert_eq!(centre.patch(&path, json!({ "name": "张三", "row_version": 1 })).await.verdict(), "409 registry_stale");
        assert_eq!((find(&centre, "zsf").await, find(&centre, "张三").await), (vec![who.clone()], vec![who.clone()]));
        let end = format!("/api/v1/registry/households/{home}/end");
        assert_eq!(centre.post(&end, json!({ "on": "2026-02-14", "how": "dissolved" })).await.verdict(), "422 household_has_residents");
        assert_eq!(centre.post(&end, json!({ "on": "2026-02-14", "how": "vanished" })).await.verdict(), "422 ending_unknown");
        centre.post(&end, json!({ "on": "2026-02-14", "how": "moved_away" })).await.ok();
        assert_eq!(centre.post(&end, json!({ "on": "2026-02-14", "how": "moved_away" })).await.verdict(), "422 household_ended");
        assert_eq!(centre.patch(&path, json!({ "name": "张三" })).await.verdict(), "422 resident_left");
        assert_eq!(find(&centre, "zsf").await, [] as [String; 0]);

        let organisation = new_id(app);
        let shop = |code: &str| json!({ "id": organisation, "name": "渔港小卖部", "kind": "shop", "unified_code": code, "place": { "area_id": EAST_GRID },
            "contact_name": "王五", "contact_phone": "13900001111" });
        let url = "/api/v1/registry/organisations";
        assert_eq!(centre.post(url, shop("91350100M000100Y44")).await.verdict(), "422 unified_code_check");
        centre.post(url, shop("91350100m000100y43")).await.ok();
        let mut twice = shop("91350100M000100Y43");
        twice["id"] = json!(new_id(app));
        assert_eq!(centre.post(url, twice).await.verdict(), "409 unified_code_known");
        let shown = centre.get(&format!("{url}/{organisation}?purpose=visit")).await.ok();
        assert_eq!((&shown["contact_name"], &shown["contact_phone"]), (&json!("王*"), &json!("139****1111")));
        let whole = centre.post(&format!("{url}/{organisation}/reveal"), json!({ "purpose": "service" })).await.ok();
        assert_eq!(whole["contact_phone"], "13900001111");
        counted(app).await;
        centre.post(&format!("{url}/{organisation}/end"), json!({ "on": "2026-02-14" })).await.ok();
        counted(app).await;
    })
    .await;
}

/// A grid's list goes page by page in the order of a walk, whole and each household once.
#[tokio::test]
async fn a_grids_households_are_listed_in_the_order_of_a_walk() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        for (building, room) in [("10", "101"), ("2", "1001"), ("2", "201"), ("1", "302"), ("1", "301")] {
            household(
                &centre,
                app,
                json!({ "area_id": EAST_GRID, "building": building, "room": room }),
            )
            .await;
        }
        let mut rooms = Vec::new();
        let mut after = String::new();
        loop {
            let url = format!("/api/v1/registry/households?area={EAST_GRID}&purpose=visit&limit=2{after}");
            let page = centre.get(&url).await.ok();
            let items = page["items"].as_array().unwrap();
            rooms.extend(items.iter().map(|one| one["room"]["text"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(
            rooms,
            [
                "1幢3层301室",
                "1幢3层302室",
                "2幢2层201室",
                "2幢10层1001室",
                "10幢1层101室"
            ]
        );
    })
    .await;
}

/// Registered, moved, split, ended and erased by chance: every count at every level equals a recount, and nobody has two residences of a
/// kind on one day.
#[tokio::test]
async fn counts_equal_a_recount_after_anything() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", None).await;
        let security = app.login_as("security_admin", None).await;
        let mut state = 20_260_214_u64;
        let mut below = move |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let areas = [EAST_GRID, WEST, EAST];
        let (mut homes, mut people): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut done = 0;
        for step in 0..120 {
            let place = json!({ "area_id": areas[below(3)], "room": format!("{}", 100 + step) });
            let pick = |all: &[String], n: usize| all.get(n % all.len().max(1)).cloned().unwrap_or_default();
            let (home, other, who) = (pick(&homes, below(97)), pick(&homes, below(97)), pick(&people, below(97)));
            let new = new_id(app);
            let on = format!("2026-02-{:02}", 1 + below(14));
            let answer = match below(9) {
                0 | 1 => {
                    homes.push(new.clone());
                    centre.post("/api/v1/registry/households", json!({ "id": new, "place": place, "valid_from": "2026-01-10" })).await
                }
                2 | 3 => {
                    let kinds = [json!(["actual"]), json!(["registered"]), json!(["registered", "actual"])][below(3)].clone();
                    let wish = json!({ "id": new, "household_id": home, "relation": "非亲属", "name": "测试人", "kinds": kinds, "valid_from": "2026-01-20" });
                    people.push(new.clone());
                    centre.post("/api/v1/registry/residents", wish).await
                }
                4 => {
                    let kind = ["actual", "registered"][below(2)];
                    let wish = json!({ "household_id": other, "kind": kind, "relation": "非亲属", "valid_from": on });
                    centre.post(&format!("/api/v1/registry/residents/{who}/move"), wish).await
                }
                5 => {
                    homes.push(new.clone());
                    let wish = json!({ "id": new, "place": place, "valid_from": on });
                    centre.post(&format!("/api/v1/registry/households/{home}/move"), wish).await
                }
                6 => {
                    homes.push(new.clone());
                    let wish = json!({ "id": new, "place": place, "valid_from": on, "residents": [{ "id": who, "relation": "户主" }] });
                    centre.post(&format!("/api/v1/registry/households/{home}/split"), wish).await
                }
                7 => match below(3) {
                    0 => centre.post(&format!("/api/v1/registry/households/{home}/end"), json!({ "on": on, "how": "moved_away" })).await,
                    1 => centre.post(&format!("/api/v1/registry/residents/{who}/end"), json!({ "on": on, "how": "died" })).await,
                    _ => security.post(&format!("/api/v1/registry/residents/{who}/erase"), json!({ "reason": "测试" })).await,
                },
                _ => centre.patch(&format!("/api/v1/registry/households/{home}"), json!({ "place": place })).await,
            };
            assert!(answer.status.as_u16() < 500, "{}", answer.text());
            done += usize::from(answer.status.is_success());
            if step % 10 == 9 {
                counted(app).await;
            }
        }
        assert!(done > 40, "{done} of 120 were done");
        const TWICE: &str = "select a.id from residence a join residence b on a.resident_id = b.resident_id and a.kind = b.kind and a.id < b.id
            where (a.valid_to is null or a.valid_to >= b.valid_from) and (b.valid_to is null or b.valid_to >= a.valid_from)";
        assert_eq!(column::<String>(app, TWICE).await, [] as [String; 0]);
        let shown = centre.get(&format!("/api/v1/registry/counts?area={EAST}")).await.ok();
        assert_eq!(shown["below"].as_array().unwrap().len(), 1, "{shown}");
    })
    .await;
}

/// Two people who change places at the same moment, again and again: each move is done, none stands in the other's way.
#[tokio::test]
async fn opposite_moves_wait_for_each_other() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let place = json!({ "area_id": EAST_GRID });
        let homes = [household(&centre, app, place.clone()).await, household(&centre, app, place).await];
        let first = register(&centre, &somebody(app, &homes[0], "非亲属", "张三")).await;
        let second = register(&centre, &somebody(app, &homes[1], "非亲属", "李四")).await;
        for day in 1..15 {
            let to = |home: &str| json!({ "household_id": home, "kind": "actual", "relation": "非亲属", "valid_from": format!("2026-02-{day:02}") });
            let path = |who: &str| format!("/api/v1/registry/residents/{who}/move");
            let (first, second) = (path(&first), path(&second));
            let (there, back) = tokio::join!(
                centre.post(&first, to(&homes[day % 2])),
                centre.post(&second, to(&homes[1 - day % 2])),
            );
            assert_eq!((there.status.as_u16(), back.status.as_u16()), (204, 204), "{} {}", there.text(), back.text());
        }
        counted(app).await;
    })
    .await;
}

/// Who is registered in a household but lives elsewhere goes along when it moves, and is registered there no more when it ends.
#[tokio::test]
async fn who_is_only_registered_in_a_household_goes_with_it() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let place = json!({ "area_id": EAST_GRID });
        let (parents, own) = (
            household(&centre, app, place.clone()).await,
            household(&centre, app, place.clone()).await,
        );
        register(&centre, &somebody(app, &parents, "户主", "张三")).await;
        let mut son = somebody(app, &parents, "子", "张小三");
        son["kinds"] = json!(["registered", "actual"]);
        let son = register(&centre, &son).await;
        let to_own = json!({ "household_id": own, "kind": "actual", "relation": "户主", "valid_from": "2026-01-15" });
        centre
            .post(&format!("/api/v1/registry/residents/{son}/move"), to_own)
            .await
            .ok();
        let moved = new_id(app);
        let wish = json!({ "id": moved, "place": place, "valid_from": "2026-02-01" });
        centre
            .post(&format!("/api/v1/registry/households/{parents}/move"), wish)
            .await
            .ok();
        let lives = async || {
            let shown = centre
                .get(&format!("/api/v1/registry/households/{own}?purpose=registry"))
                .await
                .ok();
            let all = shown["members"][0]["residences"].as_array().unwrap().iter();
            all.map(|one| {
                let home = [(&parents, "parents"), (&own, "own"), (&moved, "moved")]
                    .into_iter()
                    .find(|(id, _)| one["household_id"] == **id);
                format!(
                    "{} {} {} {}",
                    one["kind"].as_str().unwrap(),
                    home.unwrap().1,
                    one["valid_from"].as_str().unwrap(),
                    one["valid_to"].as_str().unwrap_or("-")
                )
            })
            .collect::<std::collections::BTreeSet<String>>()
            .into_iter()
            .collect::<Vec<String>>()
        };
        assert_eq!(
            lives().await,
            [
                "actual own 2026-01-15 -",
                "actual parents 2026-01-10 2026-01-14",
                "registered moved 2026-02-01 -",
                "registered parents 2026-01-10 2026-01-31",
            ]
        );
        let gone = json!({ "on": "2026-02-10", "how": "moved_away" });
        centre
            .post(&format!("/api/v1/registry/households/{moved}/end"), gone)
            .await
            .ok();
        assert_eq!(lives().await[2], "registered moved 2026-02-01 2026-02-10");
        counted(app).await;
    })
    .await;
}

/// A map brought in anew puts a house into another grid: its homes go along. A house the map no longer has leaves its homes where they are,
/// to go with their grid from then on.
#[tokio::test]
async fn homes_go_along_when_the_map_is_made_anew() {
    each_backend(async |app| {
        furnish(app).await;
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let room = |of: (usize, usize)| json!({ "dwelling_id": dwelling_id(of), "room": "101" });
        let (moved, left) = (
            household(&centre, app, room((5, 1))).await,
            household(&centre, app, room((1, 1))).await,
        );
        register(&centre, &somebody(app, &moved, "户主", "张三")).await;
        let (lon, lat) = at(7, 1);
        let house = NewDwelling {
            row: 1,
            code: "D0501".into(),
            name: "5列1号".into(),
            community: "330902001001".into(),
            at: LonLat::new(lon, lat).unwrap(),
            outline: None,
            cell: None,
            land_area: 1.0,
            floor_area: 1.0,
            households: 1,
            people: 1,
            enterprises: 0,
            spread: false,
            compound: None,
            village: None,
            street: None,
        };
        let graph = Graph {
            dwellings: vec![house],
            rows: 1,
            ..Graph::default()
        };
        let report = dwellings::import(&Ctx::system(&app.app, "test"), graph, false)
            .await
            .unwrap();
        assert_eq!(
            (report.replaced, report.ended, report.problems),
            (1, adoption::all().len() - 1, Vec::new())
        );
        let areas = column::<AreaId>(app, "select area_id from household order by created_at, id").await;
        assert_eq!(
            areas.into_iter().collect::<std::collections::BTreeSet<_>>(),
            [EAST_GRID, adoption::SECOND].into()
        );
        let ctx = Ctx::system(&app.app, "test");
        let loose = app
            .app
            .read(&ctx, |_, tx| {
                server::registry::loose_in(tx, &[EAST_GRID, adoption::SECOND])
            })
            .await
            .unwrap();
        assert_eq!(loose.into_iter().map(|one| one.id).collect::<Vec<_>>(), [left]);
        counted(app).await;
    })
    .await;
}
