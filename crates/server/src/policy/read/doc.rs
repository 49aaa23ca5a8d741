//! A TOML table read by hand, so that every problem has its file and line, and all of them are found in one go.
//!
//! Entry point: [`Doc::parse`], then the getters of [`Table`]; [`Table::done`] reports the keys nobody asked for.

use super::Problem;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Problems kept of one pack; a broken file repeats itself.
pub const MAX_PROBLEMS: usize = 200;

/// Problems found so far, in the order of finding.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub fn add(&self, problem: Problem) {
        let mut all = self.0.borrow_mut();
        if all.len() < MAX_PROBLEMS {
            all.push(problem);
        }
    }

    /// By file and line.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        all
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// One file.
pub struct Doc<'t> {
    pub name: &'t str,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Doc<'t> {
    /// Reads the syntax; faults of it are reported and what could be read is kept.
    pub fn parse(name: &'t str, text: &'t str, problems: &Problems) -> Doc<'t> {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            problems.add(Problem::new(name, line, "pack_syntax").with("detail", error.message()));
        }
        Doc { name, text, root }
    }

    pub fn root<'d>(&'d self, problems: &'d Problems) -> Table<'d> {
        Table {
            file: self.name,
            text: self.text,
            table: self.root.get_ref(),
            span: 0..0,
            problems,
            used: RefCell::default(),
            default_source: Cell::new(None),
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// One table of a file.
pub struct Table<'d> {
    file: &'d str,
    text: &'d str,
    table: &'d DeTable<'d>,
    span: Range<usize>,
    problems: &'d Problems,
    used: RefCell<BTreeSet<&'static str>>,
    /// What the file's `default_source` says.
    pub default_source: Cell<Option<&'d str>>,
}

impl<'d> Table<'d> {
    /// A problem at a key's value, or at the table when the key is absent.
    pub fn problem(&self, key: &str, code: &'static str) -> Problem {
        let start = self.table.get(key).map_or(self.span.start, |value| value.span().start);
        Problem::new(self.file, line_at(self.text, start), code).with("key", key)
    }

    pub fn report(&self, problem: Problem) {
        self.problems.add(problem);
    }

    fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.used.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn typed<T>(&self, key: &'static str, expected: &str, read: impl Fn(&'d DeValue<'d>) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let found = read(value.get_ref());
        if found.is_none() {
            let kind = value.get_ref().type_str();
            self.report(
                self.problem(key, "pack_wrong_type")
                    .with("expected", expected)
                    .with("found", kind),
            );
        }
        found
    }

    fn needed<T>(&self, key: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.table.contains_key(key) {
            self.report(self.problem(key, "pack_missing_key"));
        }
        found
    }

    pub fn opt_str(&self, key: &'static str) -> Option<&'d str> {
        self.typed(key, "text", |value| value.as_str())
    }

    /// Text that must be there and not empty; empty after a problem.
    pub fn str(&self, key: &'static str) -> &'d str {
        let found = self.needed(key, self.opt_str(key)).unwrap_or_default();
        if found.trim().is_empty() && self.table.get(key).is_some_and(|value| value.get_ref().is_str()) {
            self.report(self.problem(key, "pack_empty"));
        }
        found
    }

    pub fn opt_bool(&self, key: &'static str) -> Option<bool> {
        self.typed(key, "true/false", |value| value.as_bool())
    }

    /// A whole number within bounds; the lower bound after a problem.
    pub fn int(&self, key: &'static str, from: i64, to: i64) -> i64 {
        let found = self.typed(key, "number", |value| value.as_integer()?.as_str().parse::<i64>().ok());
        match self.needed(key, found) {
            Some(value) if (from..=to).contains(&value) => value,
            Some(value) => {
                self.report(self.out_of_range(key, value, from, to));
                from
            }
            None => from,
        }
    }

    /// A number within bounds; the lower bound after a problem.
    pub fn float(&self, key: &'static str, from: f64, to: f64) -> f64 {
        let read = |value: &DeValue<'_>| match value {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(int) => int.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match self.needed(key, self.typed(key, "number", read)) {
            Some(value) if (from..=to).contains(&value) => value,
            Some(value) => {
                self.report(self.out_of_range(key, value, from, to));
                from
            }
            None => from,
        }
    }

    fn out_of_range(&self, key: &str, value: impl ToString, from: impl ToString, to: impl ToString) -> Problem {
        self.problem(key, "pack_out_of_range")
            .with("value", value)
            .with("from", from)
            .with("to", to)
    }

    /// Texts of an array; none when the key is absent.
    pub fn strings(&self, key: &'static str) -> Vec<String> {
        let read = |value: &'d DeValue<'d>| -> Option<Vec<String>> {
            value
                .as_array()?
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect()
        };
        self.typed(key, "list of texts", read).unwrap_or_default()
    }

    /// Whole numbers of an array, each within bounds; none when the key is absent.
    pub fn ints(&self, key: &'static str, from: i64, to: i64) -> Vec<i64> {
        let whole = |item: &'d Spanned<DeValue<'d>>| -> Option<i64> {
            let number = item.get_ref().as_integer()?.as_str().parse::<i64>().ok()?;
            (from..=to).contains(&number).then_some(number)
        };
        let read = |value: &'d DeValue<'d>| -> Option<Vec<i64>> { value.as_array()?.iter().map(whole).collect() };
        self.typed(key, "list of whole numbers", read).unwrap_or_default()
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A table that must be there.
    pub fn table(&self, key: &'static str) -> Option<Table<'d>> {
        let found = self
            .value(key)
            .and_then(|value| Some((value.get_ref().as_table()?, value.span())));
        let found = match found {
            None if self.table.contains_key(key) => {
                self.report(
                    self.problem(key, "pack_wrong_type")
                        .with("expected", "table")
                        .with("found", "?"),
                );
                None
            }
            found => self.needed(key, found),
        };
        found.map(|(table, span)| self.child(table, span))
    }

    /// Each table of an array of tables.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'d>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.report(
                self.problem(key, "pack_wrong_type")
                    .with("expected", "[[...]]")
                    .with("found", value.get_ref().type_str()),
            );
            return Vec::new();
        };
        array
            .iter()
            .filter_map(|item| Some(self.child(item.get_ref().as_table()?, item.span())))
            .collect()
    }

    /// Items of an array that are arrays of text themselves (sessions of a week).
    pub fn lists(&self, key: &'static str) -> Vec<Vec<String>> {
        let read = |value: &'d DeValue<'d>| -> Option<Vec<Vec<String>>> {
            let texts = |item: &'d Spanned<DeValue<'d>>| -> Option<Vec<String>> {
                item.get_ref()
                    .as_array()?
                    .iter()
                    .map(|text| text.get_ref().as_str().map(str::to_owned))
                    .collect()
            };
            value.as_array()?.iter().map(texts).collect()
        };
        self.typed(key, "list of lists of texts", read).unwrap_or_default()
    }

    fn child(&self, table: &'d DeTable<'d>, span: Range<usize>) -> Table<'d> {
        Table {
            file: self.file,
            text: self.text,
            table,
            span,
            problems: self.problems,
            used: RefCell::default(),
            default_source: Cell::new(self.default_source.get()),
        }
    }

    /// Reports each key that nobody asked for: a misspelt rule must not be silently no rule.
    pub fn done(&self) {
        let used = self.used.borrow();
        for key in self.table.keys().filter(|key| !used.contains(key.get_ref().as_ref())) {
            let line = line_at(self.text, key.span().start);
            self.report(Problem::new(self.file, line, "pack_unknown_key").with("key", key.get_ref()));
        }
    }
}
