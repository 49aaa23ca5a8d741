//! What one section says about another: codes that exist, rules that cover everything, numbers that fit.

use super::doc::Table;
use domain::policy::{Category, Pack, RouteTo, RungTo, Step};
use std::collections::BTreeSet;

/// Most categories of a pack, and most levels of its tree.
const MAX_CATEGORIES: usize = 2_000;
const MAX_CATEGORY_DEPTH: u8 = 4;

/// Fills in parent (the longest other code that begins this one), depth, leaf, and hands a parent's flags down where the child's file
/// entry is silent.
pub fn inherited(tables: &[Table<'_>], mut all: Vec<Category>) -> Vec<Category> {
    let codes: Vec<String> = all.iter().map(|category| category.code.clone()).collect();
    for at in 0..all.len() {
        let own = all[at].code.clone();
        let by_prefix = || {
            codes
                .iter()
                .filter(|code| code.len() < own.len() && own.starts_with(code.as_str()))
                .max_by_key(|code| code.len())
        };
        let parent = all[at].parent.clone().or_else(|| by_prefix().cloned());
        let above = parent
            .as_ref()
            .and_then(|code| all[..at].iter().find(|one| one.code == *code))
            .cloned();
        let table = &tables[at];
        if let (Some(code), None) = (&parent, &above) {
            table.report(table.problem("parent", "pack_unknown_category").with("code", code));
        }
        all[at].parent = parent;
        let Some(above) = above else { continue };
        let child = &mut all[at];
        child.depth = above.depth.saturating_add(1);
        let inherit = |own: &mut bool, key: &str, theirs: bool| {
            if !table.has(key) {
                *own = theirs;
            }
        };
        inherit(&mut child.urgent, "urgent", above.urgent);
        inherit(&mut child.must_report, "must_report", above.must_report);
        inherit(&mut child.must_come, "must_come", above.must_come);
        inherit(&mut child.mediation, "mediation", above.mediation);
        inherit(&mut child.public, "public", above.public);
        inherit(&mut child.resident, "resident", above.resident);
        if !table.has("kind") {
            child.kind = above.kind;
        }
        for (own, theirs) in [(&mut child.filing, above.filing), (&mut child.closing, above.closing)] {
            if own.is_empty() {
                *own = theirs;
            }
        }
    }
    let parents: BTreeSet<String> = all.iter().filter_map(|category| category.parent.clone()).collect();
    for category in &mut all {
        category.leaf = !parents.contains(&category.code);
    }
    all
}

pub fn levels(tables: &[Table<'_>], pack: &Pack) {
    if pack.levels.is_empty() || pack.levels.len() > usize::from(domain::territory::MAX_DEPTH) {
        if let Some(table) = tables.last() {
            table.report(
                table
                    .problem("key", "pack_level_count")
                    .with("most", domain::territory::MAX_DEPTH),
            );
        }
        return;
    }
    no_duplicates(tables, "key", pack.levels.iter().map(|level| level.key.as_str()));
    for (at, pair) in pack.levels.windows(2).enumerate() {
        if pair[0].code_digits >= pair[1].code_digits {
            let table = &tables[at + 1];
            table.report(
                table
                    .problem("digits", "pack_level_order")
                    .with("value", pair[1].code_digits)
                    .with("above", pair[0].code_digits),
            );
        }
    }
    if pack
        .levels
        .first()
        .is_some_and(|top| usize::from(top.code_digits) != pack.jurisdiction.code.len())
    {
        let table = &tables[0];
        table.report(
            table
                .problem("digits", "pack_top_level")
                .with("code", &pack.jurisdiction.code),
        );
    }
}

pub(super) fn no_duplicates<'a>(tables: &[Table<'_>], key: &str, codes: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for (table, code) in tables.iter().zip(codes) {
        if !code.is_empty() && !seen.insert(code) {
            table.report(table.problem(key, "pack_duplicate").with("code", code));
        }
    }
}

pub fn categories(tables: &[Table<'_>], pack: &Pack) {
    no_duplicates(
        tables,
        "code",
        pack.categories.iter().map(|category| category.code.as_str()),
    );
    if pack.categories.len() > MAX_CATEGORIES {
        tables[MAX_CATEGORIES].report(
            tables[MAX_CATEGORIES]
                .problem("code", "pack_too_many")
                .with("most", MAX_CATEGORIES),
        );
    }
    for (table, category) in tables.iter().zip(&pack.categories) {
        let fits = !category.code.is_empty()
            && category.code.len() <= 20
            && category.code.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits && table.has("code") {
            table.report(
                table
                    .problem("code", "pack_bad_value")
                    .with("value", &category.code)
                    .with("allowed", "0-9 A-Z a-z"),
            );
        }
        if category.depth > MAX_CATEGORY_DEPTH {
            table.report(table.problem("code", "pack_too_deep").with("most", MAX_CATEGORY_DEPTH));
        }
        if category.leaf && (category.filing.is_empty() || category.closing.is_empty()) {
            let key = if category.filing.is_empty() {
                "filing"
            } else {
                "closing"
            };
            table.report(table.problem(key, "pack_missing_key"));
        }
    }
}

fn known_category(table: &Table<'_>, code: &Option<String>, pack: &Pack) {
    if let Some(code) = code.as_ref().filter(|code| pack.category(code).is_none()) {
        table.report(table.problem("category", "pack_unknown_category").with("code", code));
    }
}

fn known_level(table: &Table<'_>, key: &str, level: &str, pack: &Pack) {
    if pack.level(level).is_none() {
        table.report(table.problem(key, "pack_unknown_level").with("level", level));
    }
}

fn known_duty(table: &Table<'_>, duty: &str, pack: &Pack) {
    if !duty.is_empty() && pack.duty(duty).is_none() {
        table.report(table.problem("duty", "pack_unknown_duty").with("duty", duty));
    }
}

pub fn routes(bodies: &[Table<'_>], routes: &[Table<'_>], root: &Table<'_>, pack: &Pack) {
    no_duplicates(bodies, "key", pack.bodies.iter().map(|body| body.key.as_str()));
    for (table, body) in bodies.iter().zip(&pack.bodies) {
        for level in &body.levels {
            known_level(table, "levels", level, pack);
        }
        for post in &body.posts {
            if pack.duty(&post.duty).is_none() {
                table.report(table.problem("posts", "pack_unknown_duty").with("duty", &post.duty));
            }
        }
    }
    for (table, route) in routes.iter().zip(&pack.routes) {
        known_category(table, &route.category, pack);
        let RouteTo::Body { body, level } = &route.to else {
            continue;
        };
        match (pack.body(body), level) {
            (None, _) => table.report(table.problem("body", "pack_unknown_body").with("body", body)),
            (Some(_), Some(level)) if pack.level(level).is_none() => known_level(table, "level", level, pack),
            (Some(found), Some(level)) if !found.levels.contains(level) => {
                table.report(
                    table
                        .problem("level", "pack_body_not_there")
                        .with("body", body)
                        .with("level", level),
                );
            }
            _ => {}
        }
    }
    same_rule_twice(
        routes,
        pack.routes
            .iter()
            .map(|route| (&route.category, &route.area_kind, &route.asset)),
    );
    let default =
        |route: &domain::policy::Route| route.category.is_none() && route.area_kind.is_none() && route.asset.is_none();
    if !pack.routes.iter().any(default) {
        root.report(root.problem("route", "pack_no_default_route"));
    }
    if pack.body(domain::policy::CENTRE_BODY).is_none() {
        root.report(
            root.problem("body", "pack_no_centre")
                .with("body", domain::policy::CENTRE_BODY),
        );
    }
}

fn same_rule_twice<K: Ord>(tables: &[Table<'_>], keys: impl Iterator<Item = K>) {
    let mut seen = BTreeSet::new();
    for (table, key) in tables.iter().zip(keys) {
        if !seen.insert(key) {
            table.report(table.problem("category", "pack_same_rule"));
        }
    }
}

pub fn clocks(tables: &[Table<'_>], root: &Table<'_>, pack: &Pack) {
    // Rules that could not be read are not in the pack, so tables and rules do not pair up then.
    if tables.len() == pack.clocks.len() {
        for (table, rule) in tables.iter().zip(&pack.clocks) {
            known_category(table, &rule.category, pack);
        }
        same_rule_twice(
            tables,
            pack.clocks.iter().map(|rule| (&rule.category, rule.urgent, rule.step)),
        );
    }
    for step in Step::ALL {
        for urgent in [false, true] {
            let missing = pack
                .categories
                .iter()
                .find(|one| pack.limit(&one.code, urgent, step).is_none());
            if let Some(category) = missing {
                let problem = root
                    .problem("clock", "pack_no_clock")
                    .with("step", step.key())
                    .with("code", &category.code);
                root.report(problem.with("urgent", if urgent { "urgent" } else { "ordinary" }));
            }
        }
    }
}

pub fn ladder(tables: &[Table<'_>], root: &Table<'_>, pack: &Pack) {
    if tables.len() == pack.ladder.len() {
        no_duplicates(tables, "key", pack.ladder.iter().map(|rung| rung.key.as_str()));
        for (table, rung) in tables.iter().zip(&pack.ladder) {
            known_duty(table, &rung.duty, pack);
            if let RungTo::Level(level) = &rung.to {
                known_level(table, "level", level, pack);
            }
        }
    }
    if tables.is_empty() {
        root.report(root.problem("rung", "pack_no_ladder"));
    }
}

/// Rungs of mediation: each names a body that has units at its level.
pub fn mediation(tables: &[Table<'_>], pack: &Pack) {
    no_duplicates(tables, "key", pack.mediation.iter().map(|rung| rung.key.as_str()));
    for (table, rung) in tables.iter().zip(&pack.mediation) {
        known_level(table, "level", &rung.level, pack);
        match pack.body(&rung.body) {
            None => table.report(table.problem("body", "pack_unknown_body").with("body", &rung.body)),
            Some(body) if !body.levels.contains(&rung.level) => table.report(
                table
                    .problem("level", "pack_body_not_there")
                    .with("body", &rung.body)
                    .with("level", &rung.level),
            ),
            Some(_) => {}
        }
    }
}

/// Rules by category: known codes, no two for the same, one for everything.
pub fn rules<'a>(
    tables: &[Table<'_>],
    root: &Table<'_>,
    key: &'static str,
    missing: &'static str,
    codes: impl Iterator<Item = &'a Option<String>> + Clone,
    pack: &Pack,
) {
    for (table, code) in tables.iter().zip(codes.clone()) {
        known_category(table, code, pack);
    }
    same_rule_twice(tables, codes.clone());
    if !codes.into_iter().any(Option::is_none) {
        root.report(root.problem(key, missing));
    }
}

pub fn templates(tables: &[Table<'_>], pack: &Pack) {
    no_duplicates(
        tables,
        "key",
        pack.templates.iter().map(|template| template.key.as_str()),
    );
    for (table, template) in tables.iter().zip(&pack.templates) {
        known_category(table, &template.category, pack);
        for field in fields(&template.body) {
            if !["number", "title", "result", "unit", "worker", "phone"].contains(&field) {
                table.report(table.problem("body", "pack_unknown_field").with("field", field));
            }
        }
    }
}

fn fields(body: &str) -> impl Iterator<Item = &str> {
    body.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(field, _)| field))
}

pub fn calendar(table: &Table<'_>, pack: &Pack) {
    if let Some(duty) = &pack.calendar.duty_shift
        && !pack.calendar.shifts.iter().any(|shift| shift.name == *duty)
    {
        table.report(table.problem("duty_shift", "pack_unknown_shift").with("shift", duty));
    }
}
