//! The registry: who lives where, sealed person by person, found in scope, shown masked; counts that equal a recount.

use crate::adoption::{self, at, dwelling_id, furnish};
use crate::cases::new_id;
use crate::kit::{CITY, Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use crate::people::{post, unit, worker};
use db::params;
use domain::geo::LonLat;
use serde_json::{Value, json};
use server::access::GrantWish;
use server::platform::{AccountId, AreaId, Ctx, UnitId, WorkerId, jobs};
use server::territory::dwellings::{self, Graph, NewDwelling};

/// A sound number of a region, a day of birth and an order: the check character is worked out here once more, on its own.
pub fn id_number(born: &str, order: u32) -> String {
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

pub fn somebody(app: &TestApp, household: &str, relation: &str, name: &str) -> Value {
    json!({ "id": new_id(app), "household_id": household, "relation": relation, "name": name, "valid_from": "2026-01-10" })
}

pub async fn register(who: &Client, wish: &Value) -> String {
    who.post("/api/v1/registry/residents", wish.clone()).await.ok();
    wish["id"].as_str().unwrap().to_owned()
}

pub async fn find(who: &Client, text: &str) -> Vec<String> {
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

pub async fn column<T: db::FromValue + Send + 'static>(app: &TestApp, sql: &'static str) -> Vec<T> {
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
    const ON_REGISTERS: &str =
        "select area_id || ' ' || register || ' ' || sum(people) || ' ' || sum(paired) from care_count
        group by area_id, register having sum(people) <> 0 or sum(paired) <> 0 order by 1";
    const AGAIN_ON_REGISTERS: &str = "with care as (select h.a1, h.a2, h.a3, h.a4, h.a5, e.register,
                (select count(*) from pairing p where p.resident_id = e.resident_id and p.register = e.register and p.ended_day is null) as paired
            from care_entry e join resident r on r.id = e.resident_id join household h on h.id = r.household_id where e.ended_day is null),
        levels as (select a1 as area, register, paired from care union all select a2, register, paired from care
            union all select a3, register, paired from care union all select a4, register, paired from care
            union all select a5, register, paired from care)
        select area || ' ' || register || ' ' || count(*) || ' ' || sum(paired) from levels where area is not null
        group by area, register order by 1";
    assert_eq!(
        column::<String>(app, ON_REGISTERS).await,
        column::<String>(app, AGAIN_ON_REGISTERS).await
    );
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
        opened(app, "hardship").await;
        let helper = worker(app, "王结对").await;
        let (mut homes, mut people): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut merges: Vec<String> = Vec::new();
        let (mut done, mut merged) = (0, Vec::new());
        for step in 0..220 {
            let place = json!({ "area_id": areas[below(3)], "room": format!("{}", 100 + step) });
            let pick = |all: &[String], n: usize| all.get(n % all.len().max(1)).cloned().unwrap_or_default();
            let (home, other, who) = (pick(&homes, below(97)), pick(&homes, below(97)), pick(&people, below(97)));
            let new = new_id(app);
            let on = format!("2026-02-{:02}", 1 + below(14));
            let answer = match below(14) {
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
                8 => {
                    let wish = json!({ "resident_id": who, "source": "visit" });
                    centre.post("/api/v1/registry/registers/hardship/people", wish).await
                }
                10 => {
                    let living = "select id || ' ' || row_version from resident where valid_to is null order by id";
                    let living = column::<String>(app, living).await;
                    let mut one = || pick(&living, below(97)).split_once(' ').map(|(id, version)| (id.to_owned(), version.parse::<i64>().unwrap()));
                    let ((kept, seen), (with, seen_with)) = (one().unwrap_or_default(), one().unwrap_or_default());
                    let mut side = || ["kept", "other"][below(2)];
                    let wish = json!({ "id": new, "kept_id": kept, "other_id": with, "kept_version": seen, "other_version": seen_with,
                        "choice": { "home": side(), "relation": side() } });
                    merges.push(new.clone());
                    centre.post("/api/v1/registry/merges", wish).await
                }
                11 => {
                    let merge = pick(&merges, below(97));
                    centre.post(&format!("/api/v1/registry/merges/{merge}/undo"), json!({})).await
                }
                12 => {
                    let wish = json!({ "resident_id": who, "worker_id": helper });
                    centre.post("/api/v1/registry/registers/hardship/pairings", wish).await
                }
                9 if below(3) == 0 => {
                    let wish = json!({ "resident_id": who, "how": "no_need" });
                    centre.post("/api/v1/registry/registers/hardship/off", wish).await
                }
                _ => centre.patch(&format!("/api/v1/registry/households/{home}"), json!({ "place": place })).await,
            };
            assert!(answer.status.as_u16() < 500, "{}", answer.text());
            done += usize::from(answer.status.is_success());
            if merges.contains(&new) {
                merged.push(answer.verdict());
            }
            if step % 10 == 9 {
                counted(app).await;
            }
        }
        let made = merged.iter().filter(|one| *one == "204").count();
        assert!(done > 60 && made > 3, "{done} of 220 were done; merges: {merged:?}");
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
            lift: None,
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

/// Puts a register into use, from 14 February to 1 August.
pub async fn opened(app: &TestApp, register: &str) -> UnitId {
    let owner = unit(app, "东港民政办", "bureau", "bureau", EAST).await;
    let leader = app.login_as("supervisor", Some(CITY)).await;
    let wish = json!({ "unit_id": owner, "review": "2026-05-01", "ends": "2026-08-01" });
    leader
        .put(&format!("/api/v1/registry/registers/{register}"), wish)
        .await
        .ok();
    owner
}

/// A grid worker with an account who holds the grid's post, or none.
async fn grid_worker(app: &TestApp, seated: bool) -> Client {
    let holder: WorkerId = worker(app, "张网格").await;
    if seated {
        let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
        post(app, centre, Some(EAST_GRID), "grid", holder, None).await;
    }
    let id: AccountId = app.app.new_id();
    let login = format!("g{}", &id.to_string()[24..]);
    let new = server::access::NewAccount {
        id,
        login: login.clone(),
        name: "测试网格员".into(),
        worker: Some(holder),
        grants: vec![GrantWish {
            role: "grid_worker".into(),
            area: Some(EAST),
            unit: None,
        }],
    };
    let hash = server::access::hash_password(&app.app, crate::kit::PASSWORD.into())
        .await
        .unwrap();
    let ctx = Ctx::system(&app.app, "test");
    let made = app.app.write(&ctx, move |ctx, tx| {
        server::access::add_account(ctx, tx, new, &hash, false)
    });
    made.await.unwrap();
    app.sign_in(&login, crate::kit::PASSWORD).await
}

/// `register people` of the first area told.
async fn on_registers(who: &Client, area: AreaId) -> Vec<String> {
    let counts = who
        .get(&format!("/api/v1/registry/registers/counts?area={area}"))
        .await
        .ok();
    let people = counts[0]["people"].as_object().unwrap().clone();
    people
        .into_iter()
        .map(|(key, people)| format!("{key} {people}"))
        .collect()
}

/// Put into use with an owner and an end, people are put on and taken off, counted at every level, and off it when it ends.
#[tokio::test]
async fn a_register_is_put_into_use_and_ends() {
    each_backend(async |app| {
        let (centre, west) = (
            app.login_as("dispatcher", Some(EAST)).await,
            app.login_as("dispatcher", Some(WEST)).await,
        );
        let home = household(&centre, app, json!({ "area_id": EAST_GRID, "room": "101" })).await;
        let who = register(&centre, &somebody(app, &home, "户主", "张三")).await;
        let people = "/api/v1/registry/registers/hardship/people";
        let on = json!({ "resident_id": who, "source": "visit" });
        assert_eq!(
            centre.post(people, on.clone()).await.verdict(),
            "422 register_not_in_use"
        );
        let owner = opened(app, "hardship").await;
        let leader = app.login_as("supervisor", Some(CITY)).await;
        let tried = async |by: &Client, review: &str, ends: &str| {
            let wish = json!({ "unit_id": owner, "review": review, "ends": ends });
            by.put("/api/v1/registry/registers/hardship", wish).await.verdict()
        };
        assert_eq!(
            tried(&leader, "2026-05-01", "2027-02-15").await,
            "422 register_end",
            "twelve months at most"
        );
        assert_eq!(tried(&leader, "2026-09-01", "2026-08-01").await, "422 register_review");
        let town = app.login_as("supervisor", Some(EAST)).await;
        assert_eq!(
            tried(&town, "2026-05-01", "2026-08-01").await,
            "403 forbidden",
            "registers are the whole place's"
        );
        let nobody = json!({ "unit_id": new_id(app), "review": "2026-05-01", "ends": "2026-08-01" });
        assert_eq!(
            leader
                .put("/api/v1/registry/registers/hardship", nobody)
                .await
                .verdict(),
            "422 unknown_unit"
        );

        assert_eq!(west.post(people, on.clone()).await.verdict(), "404 not_found");
        let mut odd = on.clone();
        odd["source"] = json!("rumour");
        assert_eq!(centre.post(people, odd).await.verdict(), "422 register_source_unknown");
        centre.post(people, on.clone()).await.ok();
        assert_eq!(
            centre.post(people, on.clone()).await.verdict(),
            "409 register_already_on"
        );
        assert_eq!(on_registers(&centre, EAST).await, ["disabled 0", "hardship 1"]);
        counted(app).await;

        let shown = centre
            .get(&format!("/api/v1/registry/households/{home}?purpose=service"))
            .await
            .ok();
        assert_eq!(
            shown["members"][0]["registers"],
            json!([{ "key": "hardship", "name": "Families in hardship" }])
        );
        assert_eq!(
            centre.get(&format!("{people}?area={EAST_GRID}")).await.verdict(),
            "403 purpose_required"
        );
        let listed = centre
            .get(&format!("{people}?area={EAST_GRID}&purpose=service"))
            .await
            .ok();
        assert_eq!(
            (&listed["items"][0]["resident"]["name"], &listed["items"][0]["from"]),
            (&json!("张*"), &json!("2026-02-14"))
        );
        assert_eq!(
            west.get(&format!("{people}?area={EAST_GRID}&purpose=service"))
                .await
                .verdict(),
            "404 not_found"
        );
        let audit = app.login_as("audit_admin", None).await;
        let log = audit
            .get(&format!("/api/v1/access-log?subject={who}&limit=200"))
            .await
            .ok();
        let logged = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["fields"].to_string().contains("registers"));
        assert_eq!(logged.count(), 2, "the household and the list: {log}");

        // Where they go, they are counted; who leaves is on no register.
        let all = app.login_as("dispatcher", Some(CITY)).await;
        let moved = new_id(app);
        let there = json!({ "id": moved, "place": { "area_id": WEST }, "valid_from": "2026-02-01" });
        all.post(&format!("/api/v1/registry/households/{home}/move"), there)
            .await
            .ok();
        assert_eq!(
            (on_registers(&centre, EAST).await, on_registers(&west, WEST).await),
            (
                vec!["disabled 0".into(), "hardship 0".into()],
                vec!["disabled 0".to_owned(), "hardship 1".into()]
            )
        );
        let off = json!({ "resident_id": who, "how": "no_need" });
        let path = "/api/v1/registry/registers/hardship/off";
        west.post(path, off.clone()).await.ok();
        assert_eq!(west.post(path, off).await.verdict(), "404 not_found");
        west.post(people, on.clone()).await.ok();
        counted(app).await;

        // Confirmed it would go on; it is not, and on the day after its last everybody is off.
        app.advance_hours(24);
        jobs::run_due(&app.app).await.unwrap();
        for _ in 0..169 {
            app.advance_hours(24);
        }
        jobs::run_due(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        let left: Vec<String> = column(app, "select ended_how from care_entry order by ended_how").await;
        assert_eq!(left, ["no_need", "register_ended"]);
        counted(app).await;
        let west = app.login_as("dispatcher", Some(WEST)).await;
        assert_eq!(west.post(people, on).await.verdict(), "422 register_not_in_use");
    })
    .await;
}

/// Those on a sensitive register are called on once a month.
const OF_RESETTLED: &str = r#"
default_source = "assumption"
[[rule]]
key = "resettled_call"
name = "帮教走访"
act = "visit"
who = "register"
of = "resettled"
times = 1
every = "month"
partial = "full"
missed = "owed"
"#;

/// A sensitive register does not exist but for those who serve the people on it; whoever puts it into use does not see who is on it.
#[tokio::test]
async fn a_sensitive_register_is_read_by_those_who_serve() {
    each_backend(async |app| {
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        let home = household(&centre, app, json!({ "area_id": EAST_GRID, "room": "101" })).await;
        let who = register(&centre, &somebody(app, &home, "户主", "张三")).await;
        let (serves, other) = (grid_worker(app, true).await, grid_worker(app, false).await);
        opened(app, "resettled").await;
        let people = "/api/v1/registry/registers/resettled/people";
        let on = json!({ "resident_id": who, "source": "list" });
        for outsider in [&centre, &other] {
            assert_eq!(outsider.post(people, on.clone()).await.verdict(), "404 not_found");
        }
        serves.post(people, on).await.ok();
        counted(app).await;
        let listed = async |by: &Client| {
            by.get(&format!("{people}?area={EAST_GRID}&purpose=service"))
                .await
                .verdict()
        };
        let keys = async |by: &Client| {
            let all = by
                .get(&format!("/api/v1/registry/registers?area={EAST_GRID}"))
                .await
                .ok();
            all.as_array()
                .unwrap()
                .iter()
                .map(|one| one["key"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let marked = async |by: &Client| {
            let shown = by
                .get(&format!("/api/v1/registry/households/{home}?purpose=service"))
                .await
                .ok();
            shown["members"][0]["registers"].as_array().unwrap().len()
        };
        let leader = app.login_as("supervisor", Some(CITY)).await;
        assert_eq!((listed(&serves).await, marked(&serves).await), ("200".to_owned(), 1));
        assert_eq!(
            on_registers(&serves, EAST_GRID).await,
            ["disabled 0", "hardship 0", "resettled 1"]
        );
        assert_eq!(
            on_registers(&serves, EAST).await,
            ["disabled 0", "hardship 0"],
            "the post serves its grid"
        );
        for outsider in [&centre, &other, &leader] {
            assert_eq!(
                (listed(outsider).await, marked(outsider).await),
                ("404 not_found".to_owned(), 0)
            );
            assert_eq!(on_registers(outsider, EAST_GRID).await, ["disabled 0", "hardship 0"]);
        }
        assert_eq!(keys(&centre).await, ["hardship", "disabled"]);
        assert_eq!(keys(&leader).await, ["hardship", "disabled", "resettled"]);
        let kept: Vec<String> = column(
            app,
            "select body from ledger_payload where body like '%put_on%' or body like '%resettled%'",
        )
        .await;
        assert!(
            kept.iter().all(|body| !body.contains(&who)),
            "the ledger does not say who is on it: {kept:?}"
        );
        // Nor does what is owed to those people tell of it.
        let mut files = server::policy::shipped("zhoushan").unwrap();
        files.insert("duties.toml".into(), OF_RESETTLED.into());
        server::policy::adopt(&app.app, files, None).await.unwrap();
        let rules = async |by: &Client| {
            let counts = by.get(&format!("/api/v1/duties/counts?area={EAST_GRID}")).await.ok();
            counts[0]["rules"].as_array().unwrap().len()
        };
        let lines = async |by: &Client| {
            by.get(&format!("/api/v1/duties?area={EAST_GRID}&rule=resettled_call"))
                .await
                .verdict()
        };
        assert_eq!((rules(&serves).await, lines(&serves).await), (1, "200".to_owned()));
        // Nor does a visit to one of them by somebody else.
        let visit = json!({
            "id": new_id(app), "act": "visit", "subject_kind": "resident", "subject_id": who, "at": app.app.now().to_string(), "outcome": "met",
        });
        app.advance_minutes(2);
        jobs::run_due(&app.app).await.unwrap();
        let done = other.post("/api/v1/visits", visit).await.ok();
        assert!(!done.to_string().contains("resettled"), "{done}");
        for outsider in [&centre, &leader] {
            assert_eq!(
                (rules(outsider).await, lines(outsider).await),
                (0, "422 invalid_field".to_owned())
            );
        }
        leader
            .post("/api/v1/registry/registers/resettled/close", json!({}))
            .await
            .ok();
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(
            on_registers(&serves, EAST_GRID).await,
            ["disabled 0", "hardship 0", "resettled 0"]
        );
        counted(app).await;
    })
    .await;
}

pub async fn send(client: &Client, query: &str, bytes: impl Into<Vec<u8>>) -> crate::kit::Answer {
    let request = client
        .request(axum::http::Method::POST, &format!("/api/v1/imports/people{query}"))
        .header("x-wangge-client", "desk")
        .header(axum::http::header::CONTENT_TYPE, "application/octet-stream")
        .body(axum::body::Body::from(bytes.into()))
        .expect("a request");
    client.raw(request).await
}

/// `households residents already duplicates problems`.
pub fn came(report: &Value) -> String {
    let number = |key: &str| report[key].as_i64().unwrap();
    format!(
        "{} {} {} {} {}",
        number("households"),
        number("residents"),
        number("already"),
        number("duplicates"),
        report["problems"].as_array().unwrap().len()
    )
}

/// A list from a spreadsheet: tried first, nothing changed while a line is wrong, each wrong line told with its place; taken over once, the same
/// again adds nothing; who is registered elsewhere waits for a person to decide.
#[tokio::test]
async fn a_list_of_people_is_tried_taken_over_once_and_decided_on() {
    each_backend(async |app| {
        let (centre, all) = (app.login_as("dispatcher", Some(EAST)).await, app.login_as("dispatcher", Some(CITY)).await);
        let numbers: Vec<String> = (20..26).map(|order| id_number("19900101", order)).collect();
        let elsewhere = household(&all, app, json!({ "area_id": WEST, "room": "9" })).await;
        let mut known = somebody(app, &elsewhere, "户主", "赵六");
        known["id_number"] = json!(numbers[3]);
        let known = register(&all, &known).await;

        let list = |third: &str, more: &str| format!(
            "海印社区人口表\n网格,楼栋,房号,姓名,身份证号,电话,与户主关系,入住日期,政治面貌\n\
             第一网格,3,501,张三,{},13800001111、13900001111,户主,2020/1/2,群众\n\
             第一网格,3幢,501室,李四,{},,配偶,2020-01-02,群众\n\
             第一网格,3,502,{third},{},,户主,2021年3月4日,群众\n\
             330902001001001,3,502,赵六,{},,配偶,2024-01-01,群众\n{more}",
            numbers[0], numbers[1], numbers[2], numbers[3]
        );
        let bad = list("王五", &format!(
            "第九网格,3,503,钱七,,,户主,,\n第一网格,3,,钱七,,,户主,,\n第一网格,3,503,钱七,330902199001010001,,户主,,\n第一网格,3,503,钱七,{},,邻居,,\n\
             第一网格,3,501,孙八,,,户主,,\n第一网格,3,501,孙八,{},,子,,\n第一网格,3,501,孙八,,,子,2030-01-01,\n",
            numbers[4], numbers[0]
        ));
        let tried = send(&centre, "?dry_run=true", bad.clone()).await.ok();
        let told: Vec<String> = tried["problems"].as_array().unwrap().iter()
            .map(|one| format!("{} {} {}", one["row"], one["column"].as_str().unwrap(), one["code"].as_str().unwrap()))
            .collect();
        assert_eq!(told, [
            "7 网格 area_unknown",
            "8 房号 list_household_unclear",
            "9 身份证号 id_number_check",
            "10 与户主关系 relation_unknown",
            "11 与户主关系 householder_already",
            "12 身份证号 list_number_twice",
            "13 入住日期 before_household",
        ]);
        assert_eq!((came(&tried), &tried["dry_run"], &tried["changed"]), ("2 3 0 1 7".into(), &json!(true), &json!(false)));
        assert_eq!(tried["columns"][8], json!({ "name": "政治面貌", "field": null }), "labels of persons are left out");
        let file = send(&centre, "?dry_run=true&problems=csv", bad.clone()).await;
        assert!(file.text().starts_with("\u{feff}行,列,代码,问题\n7,网格,area_unknown,"), "{}", file.text());
        assert!(!file.text().contains("钱七"), "{}", file.text());
        assert_eq!(came(&send(&centre, "", bad.clone()).await.ok()), "2 3 0 1 7");
        let there = "select count(*) from household h join resident r on r.household_id = h.id";
        assert_eq!(column::<i64>(app, there).await, [1], "any wrong line holds all back");

        let west = app.login_as("dispatcher", Some(WEST)).await;
        let beyond = send(&west, "?dry_run=true", list("王五", "")).await.ok();
        assert_eq!(came(&beyond), "0 0 0 0 4", "not in the caller's area");
        let report = send(&centre, "?source=海印", list("王五", "")).await.ok();
        assert_eq!((came(&report), &report["changed"]), ("2 3 0 1 0".into(), &json!(true)));
        counted(app).await;
        assert_eq!(find(&centre, "zs").await.len(), 1);
        let again = send(&centre, "?source=海印", list("王五", "")).await.ok();
        assert_eq!(came(&again), "0 0 3 1 0");
        // Without a number somebody of the same name in the same home is the same.
        let unnumbered = "网格,楼栋,房号,姓名,与户主关系\n第一网格,3,501,李四,配偶\n第一网格,3,501,周九,子\n";
        assert_eq!(came(&send(&centre, "", unnumbered).await.ok()), "0 1 1 0 0");
        let tried = send(&centre, "?dry_run=true", unnumbered).await.ok();
        assert_eq!(came(&tried), "0 0 2 0 0");
        let audit = app.login_as("audit_admin", None).await;
        let log = audit.get("/api/v1/access-log?limit=200").await.ok();
        let compared = |one: &&Value| one["subject_kind"] == "household" && one["fields"] == json!(["name"]);
        let compared = log["items"].as_array().unwrap().iter().filter(compared).count();
        assert_eq!(compared, 6, "each line that was compared with a home, tried or not");
        assert_eq!(came(&send(&centre, "", unnumbered).await.ok()), "0 0 2 0 0");
        assert_eq!(came(&send(&centre, "?skip_bad=true", bad).await.ok()), "0 0 3 1 7");
        counted(app).await;

        // Columns as somebody says, kept for the next list with this header; a real spreadsheet file.
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (at, text) in ["A栏", "B栏", "C栏", "D栏"].into_iter().enumerate() {
            sheet.write_string(0, at as u16, text).unwrap();
        }
        for (at, text) in ["第一网格", "601", "吴十", "户主"].into_iter().enumerate() {
            sheet.write_string(1, at as u16, text).unwrap();
        }
        let bytes = book.save_to_buffer().unwrap();
        assert_eq!(send(&centre, "?columns=area,room,name,horoscope", bytes.clone()).await.verdict(), "422 list_mapping_invalid");
        assert_eq!(send(&centre, "?columns=area,room,name,name", bytes.clone()).await.verdict(), "422 import_column_twice");
        assert_eq!(came(&send(&centre, "", bytes.clone()).await.ok()), "0 0 0 0 1");
        assert_eq!(came(&send(&centre, "?columns=area,room,name,relation", bytes.clone()).await.ok()), "1 1 0 0 0");
        assert_eq!(came(&send(&centre, "", bytes).await.ok()), "0 0 1 0 0", "the columns were kept");

        // One waits: beyond the caller's area nothing of them is told, and only who may at both places moves them.
        let listed = async |by: &Client| {
            let path = format!("/api/v1/registry/duplicates?area={EAST_GRID}&purpose=registry");
            by.get(&path).await.ok()["items"].as_array().unwrap().clone()
        };
        let waits = listed(&centre).await;
        assert_eq!((waits.len(), &waits[0]["resident"], &waits[0]["source"], &waits[0]["row"]), (1, &Value::Null, &json!("海印"), &json!(6)));
        assert_eq!(listed(&all).await[0]["resident"]["id"], json!(known));
        let decide = format!("/api/v1/registry/duplicates/{}/decide", waits[0]["id"].as_str().unwrap());
        assert_eq!(west.post(&decide, json!({ "moved": true })).await.verdict(), "404 not_found");
        assert_eq!(centre.post(&decide, json!({ "moved": true })).await.verdict(), "404 not_found");
        assert_eq!(all.post(&decide, json!({ "moved": true })).await.verdict(), "422 residence_before_start", "the list's day is too early");
        all.post(&decide, json!({ "moved": true, "valid_from": "2026-02-01" })).await.ok();
        assert_eq!(all.post(&decide, json!({ "moved": false })).await.verdict(), "404 not_found");
        assert_eq!(listed(&all).await.len(), 0);
        let home = find(&centre, "赵六").await;
        assert_eq!(home, [known]);
        counted(app).await;
        let kept: Vec<String> = column(app, "select body from ledger_payload order by 1").await;
        assert!(!kept.join("\n").contains("张三"), "nothing personal in the ledger");
    })
    .await;
}
