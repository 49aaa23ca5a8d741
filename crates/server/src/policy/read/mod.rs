//! From a folder of text files to a [`Pack`]: read everything, check everything, report all problems with file and line.
//!
//! Entry point: [`read_pack`]. Nothing of a pack with problems is used.

mod campaigns;
mod check;
mod doc;
mod duties;
mod projects;
mod registers;
mod sections;

use crate::platform::i18n::{self, Lang};
use doc::{Doc, Problems, Table};
use domain::policy::{CalendarRule, Pack};
use std::collections::BTreeMap;

/// Files of a pack folder by name; everything else in the folder is data for imports (names of areas).
pub const FILES: [&str; 6] = [
    "pack.toml",
    "categories.toml",
    "routes.toml",
    "clocks.toml",
    "answers.toml",
    "intake.toml",
];
/// Read where it is there.
pub const DUTIES_FILE: &str = "duties.toml";
pub const REGISTERS_FILE: &str = "registers.toml";
pub const CAMPAIGNS_FILE: &str = "campaigns.toml";
pub const PROJECTS_FILE: &str = "projects.toml";
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
        Problem {
            file: file.to_owned(),
            line,
            code,
            params: Vec::new(),
        }
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
    let docs: Vec<Doc<'_>> = FILES
        .iter()
        .map(|name| Doc::parse(name, &files[*name], &problems))
        .collect();
    let [pack, categories, routes, clocks, answers, intake] = &docs[..] else {
        return Err(problems.into_sorted());
    };
    let optional = |name: &'static str| Doc::parse(name, files.get(name).map_or("", String::as_str), &problems);
    let (owed, kept, prepared, dated) = (
        optional(DUTIES_FILE),
        optional(REGISTERS_FILE),
        optional(CAMPAIGNS_FILE),
        optional(PROJECTS_FILE),
    );
    let found = sections::pack(&sections::Roots {
        duties: root(&owed, &problems),
        registers: root(&kept, &problems),
        campaigns: root(&prepared, &problems),
        projects: root(&dated, &problems),
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
    let rule = root(&doc, &problems)
        .table("calendar")
        .map(|table| sections::calendar_rule(&table));
    match rule {
        Some(rule) if problems.is_empty() => Ok(rule),
        _ => Err(problems.into_sorted()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::policy::shipped;
    use domain::policy::{Answerer, Source, Step};

    fn text(problems: &[Problem]) -> Vec<String> {
        problems
            .iter()
            .map(|one| format!("{}:{}: {} [{}]", one.file, one.line, one.message(Lang::En), one.code))
            .collect()
    }

    fn broken(key: &str, file: &str, from: &str, to: &str) -> Vec<String> {
        let mut files = shipped(key).unwrap();
        let old = files[file].clone();
        assert!(old.contains(from), "{file} does not contain {from}");
        files.insert(file.to_owned(), old.replacen(from, to, 1));
        text(&read_pack(&files).err().unwrap_or_default())
    }

    #[test]
    fn the_shipped_packs_have_no_problems() {
        for key in ["zhoushan", "yichang"] {
            let found = read_pack(&shipped(key).unwrap());
            let pack = found.map_err(|problems| text(&problems)).unwrap();
            assert!((10..=14).contains(&pack.categories.iter().filter(|one| one.depth == 1).count()));
            assert!(pack.categories.iter().filter(|one| one.leaf).count() >= 60);
            for label in [
                "城乡建设",
                "环境保护",
                "交通运输",
                "教育文体",
                "劳动和社会保障",
                "商贸旅游",
                "卫生计生",
            ] {
                assert_eq!(
                    pack.category_for_label(label).map(|one| one.depth),
                    Some(1),
                    "{key}: {label}"
                );
            }
        }
    }

    #[test]
    fn the_packs_carry_what_their_documents_say() {
        let zhoushan = read_pack(&shipped("zhoushan").unwrap()).unwrap();
        assert_eq!(
            zhoushan.levels.iter().map(|one| one.code_digits).collect::<Vec<_>>(),
            [4, 9, 12, 15]
        );
        let leak = zhoushan.category_for_label("屋面渗漏水").unwrap();
        assert_eq!(leak.source, Source::Clause("PJ-05".into()));
        let answer = zhoushan.answer_rule(&leak.code).unwrap();
        assert_eq!(
            (answer.who, &answer.source),
            (Answerer::GridWorker, &Source::Clause("ZS-07".into()))
        );
        assert_eq!(zhoushan.thresholds.resolved_here_percent.value, 85);
        let yichang = read_pack(&shipped("yichang").unwrap()).unwrap();
        assert_eq!(
            yichang.levels.iter().map(|one| one.code_digits).collect::<Vec<_>>(),
            [4, 6, 9, 12, 15]
        );
        assert_eq!(
            yichang.answer_rule(&yichang.categories[1].code).unwrap().who,
            Answerer::Desk
        );
    }

    #[test]
    fn the_nearest_limit_wins_and_urgency_counts() {
        let pack = read_pack(&shipped("zhoushan").unwrap()).unwrap();
        let cover = &pack.category_for_label("井盖破损缺失").unwrap().code;
        assert_eq!(
            pack.limit(cover, false, Step::Handle).unwrap().id,
            format!("handle:{cover}:ordinary")
        );
        assert_eq!(pack.limit(cover, true, Step::Handle).unwrap().id, "handle:*:urgent");
        let lawn = &pack.category_for_label("草坪绿地损坏").unwrap().code;
        assert_eq!(pack.limit(lawn, false, Step::Handle).unwrap().id, "handle:02:ordinary");
    }

    #[test]
    fn words_say_what_is_urgent_and_what_belongs_elsewhere() {
        let pack = read_pack(&shipped("zhoushan").unwrap()).unwrap();
        assert_eq!(pack.redirect_for("楼上着火了").unwrap().key, "fire");
        assert!(pack.urgent_hint_for("楼道里有煤气味").is_some());
        assert!(pack.urgent_hint_for("路灯不亮").is_none());
    }

    #[test]
    fn every_fault_has_its_file_line_and_sentence() {
        let mut all = Vec::new();
        let another = "[[grid_band]]\nkind = \"urban\"\nmeasure = \"people\"\nfrom = 1\nto = 9\n";
        let four_bands = format!("{}[[grid_band]]", another.repeat(3));
        for (file, from, to) in [
            (
                "pack.toml",
                "arbiter_after = { value = 2",
                "arbiter_after = { value = 99",
            ),
            ("pack.toml", "digits = 9", "digits = 3"),
            ("pack.toml", "duty_shift = \"值守\"", "duty_shift = \"夜班\""),
            ("pack.toml", "number_prefix = \"ZS\"", "number_prefix = \"zs\""),
            ("categories.toml", "code = \"0102\"", "code = \"0101\""),
            ("categories.toml", "must_report = true", "must_reprot = true"),
            ("categories.toml", "default_source = \"assumption\"", ""),
            ("pack.toml", "[[grid_band]]", &four_bands),
            ("routes.toml", "body = \"housing\"", "body = \"houses\""),
            ("routes.toml", "category = \"01\"", "category = \"77\""),
            ("clocks.toml", "limit = \"2 hours\"", "limit = \"two hours\""),
            ("clocks.toml", "step = \"verify\"", "step = \"accept\"\nurgent = true"),
            ("clocks.toml", "level = \"city\"", "level = \"province\""),
            ("answers.toml", "{result}", "{outcome}"),
            ("answers.toml", "who = \"grid_worker\"", "who = \"nobody\""),
            ("intake.toml", "key = \"web\"", "key = \"fax\""),
            ("intake.toml", "[[urgent]]", "[[urgent"),
        ] {
            let found = broken("zhoushan", file, from, to);
            assert!(!found.is_empty(), "{file}: {to} went unnoticed");
            all.push(format!("{file}: {from} -> {to}\n  {}", found.first().unwrap()));
        }
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn every_problem_code_has_its_sentences() {
        for source in [
            include_str!("check.rs"),
            include_str!("sections.rs"),
            include_str!("doc.rs"),
            include_str!("duties.rs"),
            include_str!("registers.rs"),
            include_str!("campaigns.rs"),
            include_str!("projects.rs"),
            include_str!("mod.rs"),
        ] {
            for code in source
                .split('"')
                .filter(|part| part.starts_with("pack_") && part.len() > 5)
            {
                assert!(i18n::known(code), "no sentence for {code}");
            }
        }
    }
}
