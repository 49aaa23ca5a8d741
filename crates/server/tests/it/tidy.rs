//! House rules that no compiler holds, as tests that give the reason. The map is `ARCHITECTURE.md`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The parts in the order in which they may know each other: a part uses only what stands before it.
const ORDER: [&str; 17] = [
    "platform",
    "access",
    "policy",
    "territory",
    "workforce",
    "registry",
    "cases",
    "duties",
    "campaigns",
    "projects",
    "plans",
    "tiles",
    "insight",
    "exchange",
    "operations",
    "sync",
    "demo",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace root exists")
}

fn rust_files(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![under.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// (path relative to the root, text) of each Rust file under `folder`.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = root();
    rust_files(&root.join(folder))
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file is readable text");
            let name = path
                .strip_prefix(&root)
                .expect("found under the root")
                .to_string_lossy()
                .into_owned();
            (name, text)
        })
        .collect()
}

fn refuse(reason: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{reason}\n{}", found.join("\n"));
}

/// The text before the file's `#[cfg(test)]` module, which may do what shipped code may not.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn each_file_opens_with_what_it_is() {
    let bare = [
        "crates/domain/src",
        "crates/learn/src",
        "crates/solver/src",
        "crates/db/src",
        "crates/server/src",
        "crates/server/tests",
    ]
    .iter()
    .flat_map(|folder| sources(folder))
    .filter(|(_, text)| !text.starts_with("//!"))
    .map(|(name, _)| name)
    .collect();
    refuse(
        "Every file says in its first line (`//!`) what it is, so that a newcomer need not guess:",
        bare,
    );
}

#[test]
fn only_db_names_a_driver() {
    let root = root();
    let found = ["domain", "learn", "solver", "server"]
        .iter()
        .flat_map(|name| {
            let manifest = fs::read_to_string(root.join(format!("crates/{name}/Cargo.toml"))).expect("manifest");
            ["rusqlite", "tokio-postgres", "deadpool", "sqlx"]
                .iter()
                .filter(|driver| manifest.lines().any(|line| line.starts_with(**driver)))
                .map(|driver| format!("crates/{name}/Cargo.toml: {driver}"))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "Only crates/db knows a database driver, so that both databases stay one code:",
        found,
    );
}

#[test]
fn the_rules_do_not_touch_the_world() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "SystemTime",
        "tokio",
        "async fn",
        "serde",
        "rand::",
    ];
    let found = ["crates/domain/src", "crates/learn/src", "crates/solver/src"]
        .iter()
        .flat_map(|folder| sources(folder))
        .flat_map(|(name, text)| {
            shipped(&text)
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
                .filter_map(|(n, line)| {
                    forbidden
                        .iter()
                        .find(|word| line.contains(**word))
                        .map(|word| format!("{name}:{}: {word}", n + 1))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "Rules are pure: time, chance, files and network come in as parameters:",
        found,
    );
}

/// Whether a line holds a string that begins like an SQL statement.
fn has_sql(line: &str) -> bool {
    ["\"select ", "\"insert into ", "\"update ", "\"delete from ", "\"with "]
        .iter()
        .any(|start| {
            line.to_ascii_lowercase().split(start).nth(1).is_some_and(|rest| {
                [" from ", " set ", " values", "(", " as ", "\\"]
                    .iter()
                    .any(|word| rest.contains(word))
            })
        })
}

#[test]
fn sql_lives_in_stores_and_migrations() {
    let found = sources("crates/server/src")
        .into_iter()
        .filter(|(name, _)| !name.ends_with("store.rs") && !name.contains("/store/"))
        .flat_map(|(name, text)| {
            shipped(&text)
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//") && has_sql(line))
                .map(|(n, line)| format!("{name}:{}: {}", n + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "SQL is kept in store.rs, store/ and migrations/, where a reviewer of data access looks:",
        found,
    );
}

#[test]
fn parts_know_only_those_before_them() {
    let found = sources("crates/server/src")
        .into_iter()
        .filter_map(|(name, text)| {
            let part = name.strip_prefix("crates/server/src/")?.split('/').next()?.to_string();
            let place = ORDER.iter().position(|p| *p == part)?;
            Some((name, text, place))
        })
        .flat_map(|(name, text, place)| {
            shipped(&text)
                .lines()
                .enumerate()
                .flat_map(|(n, line)| {
                    ORDER[place + 1..]
                        .iter()
                        .filter(|later| line.contains(&format!("crate::{later}::")))
                        .map(|later| format!("{name}:{}: uses {later}", n + 1))
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "Parts know only those before them in the order (ARCHITECTURE.md), so that there is no cycle:",
        found,
    );
}

#[test]
fn no_place_is_named_in_code() {
    let found = ["crates/domain/src", "crates/db/src", "crates/server/src"]
        .iter()
        .flat_map(|folder| sources(folder))
        .flat_map(|(name, text)| {
            shipped(&text)
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
                .filter(|(_, line)| {
                    ["== \"zhoushan\"", "== \"yichang\"", "\"zhoushan\" =>", "\"yichang\" =>"]
                        .iter()
                        .any(|word| line.contains(word))
                })
                .map(|(n, line)| format!("{name}:{}: {}", n + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "A difference between places is a line in a pack, never a branch in code:",
        found,
    );
}

#[test]
fn tests_do_not_sleep() {
    let found = [
        "crates/domain",
        "crates/learn",
        "crates/solver",
        "crates/db",
        "crates/server",
    ]
    .iter()
    .flat_map(|folder| sources(folder))
    // tests/faults watches real processes, whose clock nobody injects: it asks again until a deadline.
    .filter(|(name, _)| name.contains("/tests/") && !name.ends_with("tidy.rs") && !name.contains("/tests/faults/"))
    .flat_map(|(name, text)| {
        text.lines()
            .enumerate()
            .filter(|(_, line)| line.contains("thread::sleep") || line.contains("time::sleep"))
            .map(|(n, _)| format!("{name}:{}", n + 1))
            .collect::<Vec<_>>()
    })
    .collect();
    refuse(
        "Tests advance the injected clock; a sleep is a flaky test in waiting:",
        found,
    );
}

/// Ids after the word in doc comments of tests, Rust and TypeScript.
fn named_clauses() -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let journeys = root().join("web/e2e/journeys");
    let mut texts: Vec<String> = sources("crates/server/tests")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    texts.extend(
        fs::read_dir(journeys)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path()).ok()),
    );
    for line in texts.iter().flat_map(|text| text.lines()) {
        let Some(rest) = line
            .split("* Clause ")
            .nth(1)
            .or_else(|| line.trim_start().strip_prefix("/// Clause "))
        else {
            continue;
        };
        found.extend(
            rest.split([' ', ','])
                .filter(|word| word.len() == 5 && word.as_bytes()[2] == b'-')
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn the_list_of_clauses_says_what_tests_show() {
    let list = fs::read_to_string(root().join("docs/clauses.md")).expect("docs/clauses.md");
    let listed: std::collections::BTreeSet<String> = list
        .lines()
        .filter(|line| line.contains("| works "))
        .filter_map(|line| line.split('|').nth(1).map(|id| id.trim().to_owned()))
        .collect();
    assert_eq!(
        listed,
        named_clauses(),
        "docs/clauses.md lists exactly the clauses that a test names"
    );
}

/// One word per act and per state, whichever side says it: the desk's own texts are the server's.
#[test]
fn an_act_has_one_word_on_the_server_and_on_the_screens() {
    use server::platform::Lang;
    use server::platform::i18n::{known, sentence};
    let mut differ = Vec::new();
    for (lang, folder) in [(Lang::Zh, "zh-CN"), (Lang::En, "en")] {
        for (file, block, prefix) in [("desk.ts", "action", "action_"), ("common.ts", "state", "state_")] {
            let path = root().join("web/src/i18n").join(folder).join(file);
            let text = std::fs::read_to_string(&path).expect("the texts of the screens");
            let start = text.find(&format!("\n  {block}: {{\n")).expect("the block");
            let words = text[start..].lines().skip(2).take_while(|line| *line != "  },");
            let mut seen = 0;
            for line in words {
                let Some((key, word)) = line.trim().split_once(": ") else {
                    continue;
                };
                let word = word.trim_end_matches(',').trim_matches(['\'', '"']);
                let code = format!("{prefix}{}", key.trim_matches('\''));
                seen += 1;
                if known(&code) && sentence(lang, &code, &[]) != word {
                    differ.push(format!("{folder} {code}: {} / {word}", sentence(lang, &code, &[])));
                }
            }
            assert!(seen > 10, "{file} {block}: the words moved");
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

/// The name a shape has in the API's description: its own, or the one it says.
fn described(lines: &[&str]) -> Option<String> {
    let (at, own) = lines.iter().enumerate().find_map(|(at, line)| {
        let own = line.split_once("struct ").or_else(|| line.split_once("enum "))?;
        Some((at, own.1))
    })?;
    let said = lines[..at]
        .iter()
        .find_map(|line| Some(line.split_once("schema(as = ")?.1));
    let name = said.unwrap_or(own);
    let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
    Some(name[..end].to_owned())
}

#[test]
fn no_two_shapes_have_one_name_in_the_api() {
    let mut seen = std::collections::BTreeMap::<String, String>::new();
    let mut found = Vec::new();
    for (path, text) in sources("crates/server/src") {
        let lines: Vec<&str> = shipped(&text).lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !(line.contains("#[derive(") && line.contains("ToSchema")) {
                continue;
            }
            let end = lines.len().min(at + 8);
            if let Some(name) = described(&lines[at + 1..end])
                && let Some(other) = seen.insert(name.clone(), path.clone())
            {
                found.push(format!("{name}: {other}, {path}"));
            }
        }
    }
    refuse(
        "One of two shapes of one name is lost in the API's description: clients are told the other's fields.",
        found,
    );
}
