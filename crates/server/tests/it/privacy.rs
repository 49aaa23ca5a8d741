//! `privacy.toml` against the live schema: every column has a class, every table a purpose, a basis and a retention.
//!
//! Also the guard-rails that a schema can break: no column of any table may hold a score, a rank, a risk or a label of a person.

use crate::kit::TestApp;
use db::{Backend, params};
use serde::Deserialize;
use server::platform::Ctx;
use std::collections::{BTreeMap, BTreeSet};

/// What one table says about itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    purpose_zh: String,
    purpose_en: String,
    /// Law, order or task it rests on.
    basis_zh: String,
    retention_zh: String,
    retention_en: String,
    /// Columns by class.
    #[serde(default)]
    public: Vec<String>,
    #[serde(default)]
    internal: Vec<String>,
    #[serde(default)]
    personal: Vec<String>,
    #[serde(default)]
    sensitive: Vec<String>,
}

impl Table {
    fn columns(&self) -> Vec<&String> {
        [&self.public, &self.internal, &self.personal, &self.sensitive]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn declared() -> BTreeMap<String, Table> {
    toml::from_str(include_str!("../../privacy.toml")).expect("privacy.toml can be read")
}

async fn live() -> BTreeMap<String, BTreeSet<String>> {
    const SQL: &str = "select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'sqlite_%' and t.name <> 'schema_migration' order by t.name, c.cid";
    let app = TestApp::new(Backend::Sqlite).await;
    let ctx = Ctx::system(&app.app, "test");
    let rows = app
        .app
        .read(&ctx, |_, tx| Ok(tx.query(SQL, &params![])?))
        .await
        .unwrap();
    app.remove().await;
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        tables
            .entry(row.get(0).unwrap())
            .or_default()
            .insert(row.get(1).unwrap());
    }
    tables
}

#[tokio::test]
async fn every_column_has_a_class_and_every_table_a_reason() {
    let (declared, live) = (declared(), live().await);
    let mut problems = Vec::new();
    for (table, columns) in &live {
        let Some(said) = declared.get(table) else {
            problems.push(format!("[{table}] is missing"));
            continue;
        };
        let said: Vec<&String> = said.columns();
        problems.extend(
            columns
                .iter()
                .filter(|column| !said.contains(column))
                .map(|column| format!("[{table}] {column} has no class")),
        );
        let mut once = BTreeSet::new();
        problems.extend(
            said.iter()
                .filter(|column| !once.insert(**column))
                .map(|column| format!("[{table}] {column} has two classes")),
        );
        problems.extend(
            said.iter()
                .filter(|column| !columns.contains(**column))
                .map(|column| format!("[{table}] {column} does not exist")),
        );
    }
    problems.extend(
        declared
            .keys()
            .filter(|table| !live.contains_key(*table))
            .map(|table| format!("[{table}] does not exist")),
    );
    assert!(
        problems.is_empty(),
        "crates/server/privacy.toml:\n{}",
        problems.join("\n")
    );
    for (name, table) in &declared {
        for text in [
            &table.purpose_zh,
            &table.purpose_en,
            &table.basis_zh,
            &table.retention_zh,
            &table.retention_en,
        ] {
            assert!(!text.trim().is_empty(), "[{name}] leaves a text empty");
        }
    }
}

/// Guard-rail 1 of the product: no score, rank, risk level or label of a person can even be stored.
#[tokio::test]
async fn no_column_can_hold_a_score_or_a_label_of_a_person() {
    const REFUSED: [&str; 16] = [
        "score",
        "risk",
        "rank",
        "credit",
        "trust_level",
        "danger",
        "stability",
        "petition",
        "religion",
        "ethnic",
        "nationality",
        "political",
        "faith",
        "blacklist",
        "key_person",
        "tag",
    ];
    let found: Vec<String> = live()
        .await
        .into_iter()
        .flat_map(|(table, columns)| columns.into_iter().map(move |column| format!("{table}.{column}")))
        .filter(|column| {
            REFUSED.iter().any(|word| {
                column.split(['_', '.']).any(|part| part == *word) || (word.len() > 5 && column.contains(word))
            })
        })
        .collect();
    assert!(
        found.is_empty(),
        "the data model must not be able to express this: {found:?}"
    );
}

/// What is personal is sealed or a hash, unless it is told here why it is not.
#[test]
fn sensitive_columns_are_sealed() {
    for (name, table) in declared() {
        for column in &table.sensitive {
            let kept = ["_sealed", "_hash", "_index", "salt"]
                .iter()
                .any(|ending| column.ends_with(ending));
            assert!(kept, "[{name}] {column} is sensitive and neither sealed nor hashed");
        }
    }
}
