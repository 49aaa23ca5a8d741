//! From a list of division codes to a tree: levels by code length, ancestors by prefix, names where nobody gave one.

use std::collections::{BTreeMap, BTreeSet};

/// Most rows of one import.
pub const MAX_ROWS: usize = 200_000;
/// Longest name of an area, in characters.
pub const MAX_NAME: usize = 60;
/// Most problems reported; more of the same help nobody.
pub const MAX_PROBLEMS: usize = 200;

/// One line of the list, `row` counted from 1 after the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub row: usize,
    pub code: String,
    pub name: String,
}

/// An area to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArea {
    pub code: String,
    pub name: String,
    /// 1 at the top.
    pub depth: u8,
    pub parent: Option<String>,
    /// Nobody gave a name: to be renamed.
    pub placeholder: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportProblemCode {
    /// Not digits only.
    BadCode,
    /// No level has codes of this length.
    NoLevel,
    /// Does not begin with the jurisdiction's code.
    Elsewhere,
    /// The code appeared before.
    Duplicate,
    /// Empty or too long.
    BadName,
    TooManyRows,
}

impl ImportProblemCode {
    pub fn key(self) -> &'static str {
        match self {
            ImportProblemCode::BadCode => "bad_code",
            ImportProblemCode::NoLevel => "no_level",
            ImportProblemCode::Elsewhere => "elsewhere",
            ImportProblemCode::Duplicate => "duplicate_code",
            ImportProblemCode::BadName => "bad_name",
            ImportProblemCode::TooManyRows => "too_many_rows",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProblem {
    pub row: usize,
    pub code: ImportProblemCode,
    /// What was found there.
    pub found: String,
}

/// Parents always before children; nothing in it when there are problems a person must solve first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPlan {
    pub areas: Vec<NewArea>,
    pub problems: Vec<ImportProblem>,
    /// Rows of other jurisdictions, left out.
    pub elsewhere: usize,
}

/// Makes the tree. `digits` are the code lengths of the levels, top first; `top` is the jurisdiction's code; `names` gives names to
/// ancestors that the list does not contain. Rows of another jurisdiction are counted and left out, so that a national list can be given.
/// Trailing groups of zeros (`330902000000`) are read as the shorter code.
pub fn plan_import(digits: &[u8], top: &str, rows: &[Row], names: &BTreeMap<String, String>) -> ImportPlan {
    let mut plan = ImportPlan::default();
    if rows.len() > MAX_ROWS {
        plan.problems.push(ImportProblem {
            row: MAX_ROWS,
            code: ImportProblemCode::TooManyRows,
            found: rows.len().to_string(),
        });
        return plan;
    }
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        match read_row(digits, top, row) {
            Ok(Some(code)) => {
                if seen.insert(code.clone(), row.name.trim().to_string()).is_some() {
                    plan.problem(row, ImportProblemCode::Duplicate, &code);
                }
            }
            Ok(None) => plan.elsewhere += 1,
            Err(problem) => plan.problem(
                row,
                problem,
                if problem == ImportProblemCode::BadName {
                    &row.name
                } else {
                    &row.code
                },
            ),
        }
    }
    let mut codes: BTreeSet<(u8, String)> = BTreeSet::new();
    for code in seen.keys() {
        codes.extend(line_of(digits, code));
    }
    for (depth, code) in codes {
        let name = seen.get(&code).or_else(|| names.get(&code)).cloned();
        let parent = (depth > 1).then(|| code[..usize::from(digits[usize::from(depth) - 2])].to_string());
        let placeholder = name.is_none();
        plan.areas.push(NewArea {
            name: name.unwrap_or_else(|| format!("未命名 {code}")),
            code,
            depth,
            parent,
            placeholder,
        });
    }
    plan
}

impl ImportPlan {
    fn problem(&mut self, row: &Row, code: ImportProblemCode, found: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(ImportProblem {
                row: row.row,
                code,
                found: found.chars().take(MAX_NAME).collect(),
            });
        }
    }
}

/// The code in its short form, or `None` for another jurisdiction's.
fn read_row(digits: &[u8], top: &str, row: &Row) -> Result<Option<String>, ImportProblemCode> {
    let code = row.code.trim();
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ImportProblemCode::BadCode);
    }
    if !code.starts_with(top) {
        return Ok(None);
    }
    let name = row.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(ImportProblemCode::BadName);
    }
    let short = digits
        .iter()
        .map(|n| usize::from(*n))
        .find(|n| code.len() >= *n && code[*n..].bytes().all(|b| b == b'0'));
    short
        .map(|n| Some(code[..n].to_string()))
        .ok_or(ImportProblemCode::NoLevel)
}

/// The area and its ancestors, as depth and code.
fn line_of(digits: &[u8], code: &str) -> Vec<(u8, String)> {
    let lengths = digits.iter().map(|n| usize::from(*n)).take_while(|n| *n <= code.len());
    lengths
        .enumerate()
        .map(|(at, n)| (at as u8 + 1, code[..n].to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(list: &[(&str, &str)]) -> Vec<Row> {
        list.iter()
            .enumerate()
            .map(|(at, (code, name))| Row {
                row: at + 1,
                code: (*code).into(),
                name: (*name).into(),
            })
            .collect()
    }

    #[test]
    fn levels_may_skip_the_county() {
        let names = BTreeMap::from([("3309".to_string(), "舟山市".to_string())]);
        let plan = plan_import(
            &[4, 9, 12, 15],
            "3309",
            &rows(&[("330902002001", "西安社区"), ("110101001001", "别处")]),
            &names,
        );
        let found: Vec<_> = plan
            .areas
            .iter()
            .map(|a| (a.depth, a.code.as_str(), a.name.as_str(), a.placeholder))
            .collect();
        assert_eq!(
            found,
            [
                (1, "3309", "舟山市", false),
                (2, "330902002", "未命名 330902002", true),
                (3, "330902002001", "西安社区", false)
            ]
        );
        assert_eq!(plan.areas[1].parent.as_deref(), Some("3309"));
        assert_eq!((plan.elsewhere, plan.problems.len()), (1, 0));
    }

    #[test]
    fn zeros_at_the_end_mean_the_shorter_code() {
        let plan = plan_import(
            &[4, 6, 9, 12],
            "4205",
            &rows(&[("420502000000", "西陵区"), ("420500000000", "宜昌市")]),
            &BTreeMap::new(),
        );
        let codes: Vec<_> = plan.areas.iter().map(|a| a.code.as_str()).collect();
        assert_eq!(codes, ["4205", "420502"]);
    }

    #[test]
    fn every_fault_names_its_row() {
        let list = rows(&[
            ("33 09", "x"),
            ("3309020021", "y"),
            ("330902002001", ""),
            ("330902002002", "a"),
            ("330902002002", "b"),
        ]);
        let plan = plan_import(&[4, 9, 12], "3309", &list, &BTreeMap::new());
        let found: Vec<_> = plan.problems.iter().map(|p| (p.row, p.code.key())).collect();
        assert_eq!(
            found,
            [(1, "bad_code"), (2, "no_level"), (3, "bad_name"), (5, "duplicate_code")]
        );
    }
}
