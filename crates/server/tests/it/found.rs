//! Lists with words: exactly what the list without them holds and the words are found in, on both databases, page by page.

use crate::cases::{People, act, new_id, people};
use crate::kit::{Client, EAST, EAST_GRID, TestApp, WEST, each_backend};
use serde_json::{Value, json};
use server::platform::jobs;
use std::collections::BTreeSet;

/// Texts with words in common, so that each filter cuts through each set of words.
const SAID: [(&str, &str, bool); 8] = [
    ("0301", "海晏路烧烤店油烟扰民", false),
    ("0301", "海晏路夜里有臭味，怀疑排废气", true),
    ("0101", "海晏路三号楼屋顶漏水", false),
    ("0101", "渔港路二号楼屋顶漏水", true),
    ("0204", "渔港路路灯不亮", false),
    ("0204", "海晏路路灯不亮", true),
    ("0901", "渔港路邻居吵架", false),
    ("0208", "海晏路垃圾没人清理", false),
];

async fn fill(app: &TestApp, people: &People, west: &Client, part: usize) {
    for (nth, (category, body, urgent)) in SAID.iter().enumerate() {
        let area = if nth % 3 == 2 { WEST } else { EAST_GRID };
        let who = if area == WEST { west } else { &people.clerk };
        let id = new_id(app);
        let channel = if nth % 2 == 0 { "phone" } else { "walk_in" };
        let sent = json!({ "id": id, "channel": channel, "body": format!("{body}（{part}）"), "category_code": category,
            "area_id": area.to_string(), "urgent": urgent });
        who.post("/api/v1/cases", sent).await.ok();
        app.advance_minutes(1);
        if *category == "0301" && area == EAST_GRID {
            act(&people.environment, &id, "take", json!({})).await.ok();
        }
    }
}

/// All pages of a list: id and text of each case.
async fn all(who: &Client, query: &str, limit: usize) -> Vec<(String, Value)> {
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let page = who
            .get(&format!("/api/v1/cases?{query}&limit={limit}{after}"))
            .await
            .ok();
        items.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| (c["id"].as_str().unwrap().to_owned(), c.clone())),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return items,
        }
    }
}

/// Every filter with every word gives the cases of the filter in whose text the word stands.
async fn agree(people: &People) {
    let filters = [
        "".to_owned(),
        "state=handling".into(),
        "state=open&category=01,02".into(),
        "category=0301".into(),
        "channel=phone".into(),
        "urgent=true".into(),
        "urgent=false&channel=walk_in".into(),
        format!("area={EAST}"),
        format!("area={WEST}"),
        format!("area={EAST}&category=0204&urgent=true"),
        "received_from=2026-02-14T10:04:00%2B08:00".into(),
        "received_to=2026-02-14T10:04:00%2B08:00&channel=phone".into(),
        "queue=late".into(),
        "queue=dispatch".into(),
        "sort=due".into(),
    ];
    for filter in &filters {
        let without = all(&people.dispatcher, filter, 200).await;
        for words in ["海晏路", "漏水", "路灯 不亮", "（2）", "hyl", "没有这样的事"] {
            let expected: BTreeSet<&String> = without
                .iter()
                .filter(|(_, case)| holds(case, words))
                .map(|(id, _)| id)
                .collect();
            let asked = format!("{filter}&q={}", encoded(words));
            let found = all(&people.dispatcher, &asked, 3).await;
            let got: BTreeSet<&String> = found.iter().map(|(id, _)| id).collect();
            assert_eq!(got, expected, "{filter} + {words}");
            assert_eq!(found.len(), got.len(), "none twice: {filter} + {words}");
            let counted = people
                .dispatcher
                .get(&format!("/api/v1/cases/counts?{asked}"))
                .await
                .ok();
            if filter != "sort=due" {
                assert_eq!(
                    counted["total"].as_u64(),
                    Some(expected.len() as u64),
                    "{filter} + {words}"
                );
            }
        }
    }
}

/// The reference: each word stands in the title (which holds the whole text here), or is its initials.
fn holds(case: &Value, words: &str) -> bool {
    let title = case["title"].as_str().unwrap();
    words
        .split(' ')
        .all(|word| title.contains(word) || (word == "hyl" && title.contains("海晏路")))
}

fn encoded(words: &str) -> String {
    words.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn words_and_filters_together_give_what_both_give() {
    each_backend(async |app| {
        let people = people(app).await;
        let west = app.login_as("clerk", Some(WEST)).await;
        // Waiting for the index, then in the index, then both.
        fill(app, &people, &west, 1).await;
        agree(&people).await;
        jobs::run_due(&app.app).await.expect("the index is made");
        agree(&people).await;
        fill(app, &people, &west, 2).await;
        agree(&people).await;
    })
    .await;
}

/// Every combination of states and kinds, in every scope, in pages of two: what the whole list holds of them, in its order.
async fn walks_agree(who: &Client) {
    let whole = all(who, "", 200).await;
    for states in [
        "",
        "handling",
        "accepted,assigned",
        "closed",
        "received,handling,accepted",
        "declined,handling",
    ] {
        for kinds in ["", "03", "01,02", "0204", "0301,0208", "0901"] {
            let asked = format!("state={states}&category={kinds}");
            let asked = asked.replace("state=&", "").replace("&category=&", "");
            let asked = asked.trim_end_matches("category=").trim_end_matches('&');
            let fits = |case: &Value| {
                let one_of = |list: &str, value: &str, begins: bool| {
                    list.is_empty()
                        || list
                            .split(',')
                            .any(|one| if begins { value.starts_with(one) } else { value == one })
                };
                one_of(states, case["state"].as_str().unwrap(), false)
                    && one_of(kinds, case["category"]["code"].as_str().unwrap_or_default(), true)
            };
            let expected: Vec<&String> = whole.iter().filter(|(_, case)| fits(case)).map(|(id, _)| id).collect();
            let found = all(who, asked, 2).await;
            assert_eq!(found.iter().map(|(id, _)| id).collect::<Vec<_>>(), expected, "{asked}");
        }
    }
}

#[tokio::test]
async fn a_filtered_list_holds_what_the_whole_list_holds_of_it() {
    each_backend(async |app| {
        let people = people(app).await;
        let west = app.login_as("clerk", Some(WEST)).await;
        fill(app, &people, &west, 1).await;
        fill(app, &people, &west, 2).await;
        let east = app.login_as("dispatcher", Some(EAST)).await;
        for who in [&people.dispatcher, &west, &east, &people.environment] {
            walks_agree(who).await;
        }
    })
    .await;
}
