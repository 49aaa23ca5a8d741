//! `projects.toml`: when somebody is reminded of a project's deadline. A pack without the file has what any place can begin with.

use super::doc::Table;
use super::sections::source;
use domain::policy::ProjectRules;
use domain::projects::Reminders;

/// Furthest day named, and most of them.
const MAX_DAYS: i64 = 366;
const MAX_REMINDERS: usize = 12;

/// `[deadline]`.
pub fn rules(root: &Table<'_>) -> ProjectRules {
    if !root.has("deadline") {
        return ProjectRules::default();
    }
    let Some(table) = root.table("deadline") else {
        return ProjectRules::default();
    };
    let days = |key: &'static str, from: i64| -> Vec<u16> {
        let days = table.ints(key, from, MAX_DAYS);
        if days.len() > MAX_REMINDERS {
            table.report(table.problem(key, "pack_too_many").with("most", MAX_REMINDERS));
        }
        days.into_iter().map(|day| day as u16).collect()
    };
    let read = ProjectRules {
        reminders: Reminders {
            before: days("before", 0),
            after: days("after", 1),
            then_every: table.int("then_every", 0, MAX_DAYS) as u16,
        },
        soon_days: table.int("soon_days", 0, MAX_DAYS) as u16,
        extensions: table.int("extensions", 0, 20) as u32,
        source: source(&table),
    };
    table.done();
    read
}
