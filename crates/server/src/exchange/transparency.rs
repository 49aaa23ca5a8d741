//! The public page that says what is kept and why, what is never done, and how often anybody looked: made from the program itself, never
//! written by hand.
//!
//! Entry point: [`page`]. Numbers below [`FEWEST`] are not told.

use super::store;
use crate::platform::*;
use crate::policy;
use domain::time::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use utoipa::ToSchema;

/// Smaller numbers are told as "fewer than".
pub const FEWEST: i64 = 10;
/// The numbers are counted anew after this.
const FRESH_MS: i64 = 10 * 60_000;
/// Guard-rails, `transparency_promise_1` and on.
const PROMISES: usize = 9;

#[derive(Debug, Deserialize)]
struct Kept {
    purpose_zh: String,
    purpose_en: String,
    basis_zh: String,
    retention_zh: String,
    retention_en: String,
    #[serde(default)]
    public: Vec<String>,
    #[serde(default)]
    internal: Vec<String>,
    #[serde(default)]
    personal: Vec<String>,
    #[serde(default)]
    sensitive: Vec<String>,
}

/// What every column holds, as a test holds it against the schema.
static REGISTER: LazyLock<BTreeMap<String, Kept>> =
    LazyLock::new(|| toml::from_str(include_str!("../../privacy.toml")).expect("privacy.toml is tested"));

/// The page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transparency {
    pub as_of: String,
    pub sections: Vec<Section>,
}

/// A part of the page: sentences, a table, or both.
#[derive(Debug, Serialize, ToSchema)]
pub struct Section {
    pub key: String,
    pub title: String,
    pub paragraphs: Vec<String>,
    pub table: Option<Table>,
}

/// A table of text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Counts since the start and this month, and when they were made.
type Counts = ([i64; 4], [i64; 4]);

#[derive(Default)]
struct Counted(Mutex<Option<(Timestamp, Counts)>>);

/// The page as it is now.
pub async fn page(ctx: &Ctx) -> Result<Transparency, Fault> {
    let (whole, month) = counts(ctx).await?;
    let head = ledger::newest_heads(&ctx.app, 1).await?.into_iter().next();
    let say = |code: &str| i18n::sentence(ctx.lang, code, &[]);
    let rules = policy::current(&ctx.app)
        .map(|current| current.label())
        .unwrap_or_default();
    let mut version = vec![
        vec![
            say("transparency_software"),
            format!("wangge {}", env!("CARGO_PKG_VERSION")),
        ],
        vec![say("transparency_pack"), rules],
    ];
    if let Some(head) = head {
        version.push(vec![say("transparency_tree_size"), head.size.to_string()]);
        version.push(vec![say("transparency_tree_root"), head.root.to_string()]);
        version.push(vec![say("transparency_tree_at"), Timestamp(head.at).to_string()]);
    }
    let titles = ["reads", "shown", "exports", "declined"];
    let counted = titles.iter().enumerate().map(|(nth, key)| {
        vec![
            say(&format!("transparency_count_{key}")),
            told(ctx, whole[nth]),
            told(ctx, month[nth]),
        ]
    });
    let section = |key: &str, paragraphs, table| Section {
        key: key.to_owned(),
        title: say(&format!("transparency_{key}")),
        paragraphs,
        table,
    };
    let names = |keys: &[&str]| {
        keys.iter()
            .map(|key| say(&format!("transparency_column_{key}")))
            .collect::<Vec<_>>()
    };
    let promises = (1..=PROMISES)
        .map(|nth| say(&format!("transparency_promise_{nth}")))
        .collect();
    Ok(Transparency {
        as_of: ctx.now.to_string(),
        sections: vec![
            section("promises", promises, None),
            section(
                "counts",
                vec![say("transparency_counts_text")],
                Some(Table {
                    columns: names(&["what", "since_start", "this_month"]),
                    rows: counted.collect(),
                }),
            ),
            section(
                "kept",
                vec![say("transparency_kept_text")],
                Some(Table {
                    columns: names(&["record", "class", "fields", "purpose", "basis", "retention"]),
                    rows: kept(ctx),
                }),
            ),
            section(
                "version",
                Vec::new(),
                Some(Table {
                    columns: names(&["what", "value"]),
                    rows: version,
                }),
            ),
        ],
    })
}

/// A row for each class of fields of each table, the most personal first.
fn kept(ctx: &Ctx) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for class in ["sensitive", "personal", "internal", "public"] {
        for (name, table) in REGISTER.iter() {
            let fields = match class {
                "sensitive" => &table.sensitive,
                "personal" => &table.personal,
                "internal" => &table.internal,
                _ => &table.public,
            };
            if fields.is_empty() {
                continue;
            }
            rows.push(vec![
                name.clone(),
                i18n::sentence(ctx.lang, &format!("transparency_class_{class}"), &[]),
                fields.join(", "),
                ctx.lang.pick(&table.purpose_zh, &table.purpose_en).to_owned(),
                table.basis_zh.clone(),
                ctx.lang.pick(&table.retention_zh, &table.retention_en).to_owned(),
            ]);
        }
    }
    rows
}

fn told(ctx: &Ctx, count: i64) -> String {
    match count {
        0 => "0".to_owned(),
        count if count < FEWEST => i18n::sentence(ctx.lang, "transparency_fewer", &[("fewest", FEWEST.to_string())]),
        count => count.to_string(),
    }
}

async fn counts(ctx: &Ctx) -> Result<Counts, Fault> {
    let kept: Arc<Counted> = ctx.app.part();
    let cached = *kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, counts)) = cached
        && ctx.now.0 - at.0 < FRESH_MS
    {
        return Ok(counts);
    }
    let today = ctx.now.date();
    let month = Timestamp::start_of(Date::new(today.year(), today.month(), 1).unwrap_or(today));
    let counts = ctx
        .app
        .read(ctx, move |_, tx| {
            Ok((
                store::public_counts(tx, Timestamp(0))?,
                store::public_counts(tx, month)?,
            ))
        })
        .await?;
    *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((ctx.now, counts));
    Ok(counts)
}
