//! From a folder of text files to a [`Pack`]: read everything, check everything, report all problems with file and line.
//!
//! Entry point: [`read_pack`]. Nothing of a pack with problems is used.

mod check;
mod doc;
mod sections;

use crate::platform::i18n::{self, Lang};
use doc::{Doc, Problems, Table};
use domain::policy::{CalendarRule, Pack};
use std::collections::BTreeMap;

/// Files of a pack folder by name; everything else in the folder is data for imports (names of areas).
pub const FILES: [&str; 6] = ["pack.toml", "categories.toml", "routes.toml", "clocks.toml", "answers.toml", "intake.toml"];
/// Largest file read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// One problem: where, a stable code, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Stable, `pack_...`; the sentence is in `i18n/policy.*.toml`.
    pub code: &'static str,
    params: Vec<(&'static str, String)>,
}

impl Problem {
    pub fn new(file: &str, line: usize, code: &'static str) -> Problem {
        Problem { file: file.to_owned(), line, code, params: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Problem {
        self.params.push((name, value.to_string()));
        self
    }

    pub fn message(&self, lang: Lang) -> String {
        i18n::sentence(lang, self.code, &self.params)
    }
}

/// The pack, or every problem that keeps it from being one.
pub fn read_pack(files: &BTreeMap<String, String>) -> Result<Pack, Vec<Problem>> {
    let problems = Problems::default();
    for name in FILES.iter().filter(|name| !files.contains_key(**name)) {
        problems.add(Problem::new(name, 1, "pack_missing_file").with("file", name));
    }
    for (name, text) in files {
        if text.len() > MAX_FILE_BYTES {
            problems.add(Problem::new(name, 1, "pack_file_too_large").with("file", name));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into_sorted());
    }
    let docs: Vec<Doc<'_>> = FILES.iter().map(|name| Doc::parse(name, &files[*name], &problems)).collect();
    let [pack, categories, routes, clocks, answers, intake] = &docs[..] else {
        return Err(problems.into_sorted());
    };
    let found = sections::pack(&sections::Roots {
        pack: root(pack, &problems),
        categories: root(categories, &problems),
        routes: root(routes, &problems),
        clocks: root(clocks, &problems),
        answers: root(answers, &problems),
        intake: root(intake, &problems),
    });
    match found {
        Some(found) if problems.is_empty() => Ok(found),
        _ => Err(problems.into_sorted()),
    }
}

fn root<'d>(doc: &'d Doc<'d>, problems: &'d Problems) -> Table<'d> {
    let table = doc.root(problems);
    table.default_source.set(table.opt_str("default_source"));
    table
}

/// Only the calendar section of a `pack.toml` that was checked before (an older calendar version).
pub fn read_calendar(text: &str) -> Result<CalendarRule, Vec<Problem>> {
    let problems = Problems::default();
    let doc = Doc::parse(FILES[0], text, &problems);
    let rule = root(&doc, &problems).table("calendar").map(|table| sections::calendar_rule(&table));
    match rule {
        Some(rule) if problems.is_empty() => Ok(rule),
        _ => Err(problems.into_sorted()),
    }
}
