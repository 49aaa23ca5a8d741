//! Migrations are written once; this turns their text into each database's own.
//!
//! What changes, and nothing else:
//! - sections: a line `--@ sqlite` or `--@ postgres` begins text for that database only, `--@ both` ends it. Each use says why.
//! - for PostgreSQL the type of a column in `create table` and in `alter table .. add`, and the type in `cast(.. as ..)`:
//!   `integer` -> `bigint`, `real` -> `double precision`, `blob` -> `bytea`, `text` -> `text collate "C"` (order by bytes, as SQLite's)
//! - for PostgreSQL the table suffixes `strict` and `without rowid` go.
//!
//! Two words are refused: see `REFUSED`.

use crate::Backend;
use crate::sql::{Token, tokens};

const REFUSED: [(&str, &str); 2] = [
    ("autoincrement", "ids are made by whoever creates the thing"),
    (
        "deferrable",
        "a check put off to the commit would fail a whole batch of writes",
    ),
];

/// The migration's text for one database.
pub(crate) fn translate(sql: &str, backend: Backend) -> Result<String, String> {
    let text = sections(sql, backend)?;
    for (word, why) in REFUSED {
        if tokens(&text).iter().any(|token| token.is_word(word)) {
            return Err(format!("{word} is refused: {why}"));
        }
    }
    Ok(match backend {
        Backend::Sqlite => text,
        Backend::Postgres => postgres(&text),
    })
}

/// Keeps the lines meant for this database.
fn sections(sql: &str, backend: Backend) -> Result<String, String> {
    let mut kept = true;
    let mut text = String::with_capacity(sql.len());
    for line in sql.lines() {
        if let Some(name) = line.trim().strip_prefix("--@") {
            kept = match name.trim() {
                "both" => true,
                "sqlite" => backend == Backend::Sqlite,
                "postgres" => backend == Backend::Postgres,
                other => return Err(format!("unknown section --@ {other}: it is sqlite, postgres or both")),
            };
        } else if kept {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

fn column_type(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "integer" => Some("bigint"),
        "real" => Some("double precision"),
        "blob" => Some("bytea"),
        "text" => Some("text collate \"C\""),
        _ => None,
    }
}

/// Where in a statement we are, as far as types go.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Within `create table (` at an item's first word.
    ColumnName,
    /// The next word is a type.
    Type,
    /// Anything else.
    Elsewhere,
}

/// What an open parenthesis belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Paren {
    Columns,
    Cast,
    Other,
}

fn postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    // One entry per statement: the words seen so far at depth 0, lower case.
    let mut head: Vec<String> = Vec::new();
    let mut parens: Vec<Paren> = Vec::new();
    let mut place = Place::Elsewhere;
    let mut last = String::new();
    let mut after_columns = false;
    for token in tokens(sql) {
        let text = token.text();
        if let Token::Gap(_) = token {
            out.push_str(text);
            continue;
        }
        match text {
            "(" => {
                let columns = parens.is_empty() && is_create_table(&head) && !after_columns;
                parens.push(match (columns, last.as_str()) {
                    (true, _) => Paren::Columns,
                    (_, "cast") => Paren::Cast,
                    _ => Paren::Other,
                });
                place = if columns { Place::ColumnName } else { Place::Elsewhere };
            }
            ")" => {
                after_columns |= parens.pop() == Some(Paren::Columns);
                place = Place::Elsewhere;
            }
            "," => {
                place = if parens.last() == Some(&Paren::Columns) {
                    Place::ColumnName
                } else {
                    Place::Elsewhere
                }
            }
            ";" if parens.is_empty() => {
                head.clear();
                after_columns = false;
                place = Place::Elsewhere;
            }
            _ => {
                let word = text.to_ascii_lowercase();
                if after_columns && parens.is_empty() && matches!(word.as_str(), "strict" | "without" | "rowid") {
                    last = word;
                    continue;
                }
                if parens.is_empty() {
                    head.push(word.clone());
                }
                let (written, next) = match place {
                    Place::Type => (column_type(text), Place::Elsewhere),
                    Place::ColumnName if is_constraint(&word) => (None, Place::Elsewhere),
                    Place::ColumnName => (None, Place::Type),
                    Place::Elsewhere if parens.last() == Some(&Paren::Cast) && last == "as" => {
                        (cast_type(text), Place::Elsewhere)
                    }
                    Place::Elsewhere if parens.is_empty() && is_added_column(&head) => (None, Place::Type),
                    Place::Elsewhere => (None, Place::Elsewhere),
                };
                place = next;
                out.push_str(written.unwrap_or(text));
                last = word;
                continue;
            }
        }
        // A comma between `strict` and `without rowid` goes with them.
        if !(text == "," && after_columns && parens.is_empty()) {
            out.push_str(text);
        }
        last = text.to_owned();
    }
    out
}

/// In a cast the collation does not belong to the type.
fn cast_type(word: &str) -> Option<&'static str> {
    if word.eq_ignore_ascii_case("text") {
        None
    } else {
        column_type(word)
    }
}

fn is_create_table(head: &[String]) -> bool {
    head.first().is_some_and(|word| word == "create") && head.iter().take(3).any(|word| word == "table")
}

/// `alter table T add [column] NAME`: the name has just been seen.
fn is_added_column(head: &[String]) -> bool {
    if head.len() < 5 || head[0] != "alter" || head[1] != "table" {
        return false;
    }
    let (last, before) = (&head[head.len() - 1], &head[head.len() - 2]);
    let follows = before == "column" && head[head.len() - 3] == "add" || before == "add" && last != "column";
    follows && !is_constraint(last)
}

fn is_constraint(word: &str) -> bool {
    matches!(
        word,
        "constraint" | "primary" | "unique" | "check" | "foreign" | "exclude" | "like"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pg(sql: &str) -> String {
        translate(sql, Backend::Postgres).unwrap().trim_end().to_owned()
    }

    #[test]
    fn column_types_and_suffixes() {
        assert_eq!(
            pg(
                "create table if not exists t (id blob primary key, n integer not null default 0, r real, s text) strict, without rowid;"
            ),
            "create table if not exists t (id bytea primary key, n bigint not null default 0, r double precision, s text collate \"C\")   ;"
        );
    }

    #[test]
    fn names_strings_comments_and_constraints_stay() {
        assert_eq!(
            pg(
                "create table blob (text text, integer integer check (text <> 'real integer'), -- a text real\n  primary key (text), \
                unique (integer, text), check (typeof(text) = 'text'), foreign key (text) references blob (text));"
            ),
            "create table blob (text text collate \"C\", integer bigint check (text <> 'real integer'), -- a text real\n  primary key (text), \
             unique (integer, text), check (typeof(text) = 'text'), foreign key (text) references blob (text));"
        );
        assert_eq!(
            pg("create index i on t (text, real);"),
            "create index i on t (text, real);"
        );
        assert_eq!(
            pg("update t set text = real where integer = 'blob';"),
            "update t set text = real where integer = 'blob';"
        );
    }

    #[test]
    fn added_columns_casts_and_several_statements() {
        assert_eq!(
            pg("alter table t add column text text not null default '';"),
            "alter table t add column text text collate \"C\" not null default '';"
        );
        assert_eq!(pg("alter table t add n integer;"), "alter table t add n bigint;");
        assert_eq!(
            pg("alter table t rename column real to blob;"),
            "alter table t rename column real to blob;"
        );
        assert_eq!(
            pg("insert into a select cast(x as integer), cast(y as text) from b; create table c (x real);"),
            "insert into a select cast(x as bigint), cast(y as text) from b; create table c (x double precision);"
        );
        assert_eq!(
            pg("create unlogged table c (x real, y decimal(3, 2), z text)"),
            "create unlogged table c (x double precision, y decimal(3, 2), z text collate \"C\")"
        );
    }

    #[test]
    fn sections_and_refusals() {
        let sql = "a\n--@ sqlite\nb\n--@ postgres\nc\n--@ both\nd\n";
        assert_eq!(translate(sql, Backend::Sqlite).unwrap(), "a\nb\nd\n");
        assert_eq!(translate(sql, Backend::Postgres).unwrap(), "a\nc\nd\n");
        assert!(translate("--@ oracle\n", Backend::Sqlite).is_err());
        assert!(translate("create table t (id integer primary key autoincrement)", Backend::Sqlite).is_err());
    }
}
