//! SQL text: cutting it into tokens, checking its parameters, composing it from fixed pieces.
//!
//! Must not know a driver.

use crate::{DbError, Value};
use std::fmt::Write as _;

/// A piece of SQL text as it stands there, joined they give the text again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'a> {
    /// Blanks and comments.
    Gap(&'a str),
    /// An unquoted name, keyword or number.
    Word(&'a str),
    /// A string, a quoted name or a dollar-quoted body.
    Quoted(&'a str),
    /// `$1`
    Parameter(&'a str),
    /// Any other single character.
    Mark(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn text(self) -> &'a str {
        match self {
            Token::Gap(text) | Token::Word(text) | Token::Quoted(text) | Token::Parameter(text) | Token::Mark(text) => {
                text
            }
        }
    }

    pub(crate) fn is_word(self, word: &str) -> bool {
        matches!(self, Token::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// Cuts SQL into tokens. Unclosed strings and comments reach to the end.
pub(crate) fn tokens<'a>(sql: &'a str) -> Vec<Token<'a>> {
    let mut rest = sql;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (length, make): (usize, fn(&'a str) -> Token<'a>) = match first {
            c if c.is_whitespace() => (run(rest, char::is_whitespace), Token::Gap),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), Token::Gap),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), Token::Gap),
            '\'' | '"' => (quoted(rest, first), Token::Quoted),
            '$' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                (1 + run(&rest[1..], |c| c.is_ascii_digit()), Token::Parameter)
            }
            '$' => match dollar_quoted(rest) {
                Some(length) => (length, Token::Quoted),
                None => (1, Token::Mark),
            },
            c if is_word(c) => (run(rest, is_word), Token::Word),
            c => (c.len_utf8(), Token::Mark),
        };
        let (token, after) = rest.split_at(length);
        found.push(make(token));
        rest = after;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Length of a quoted piece; a doubled quote inside begins a second one right after, which gives the same text.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

/// Length of `$$..$$` or `$tag$..$tag$`.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = 1 + run(&text[1..], is_word);
    let tag = text.get(..=tag_end).filter(|tag| tag.ends_with('$'))?;
    Some(
        text[tag.len()..]
            .find(tag)
            .map_or(text.len(), |end| end + 2 * tag.len()),
    )
}

/// Parameters must first appear in order (`$1`, then `$2`, ..), because SQLite numbers them by first appearance,
/// and there must be as many as values. Using one again is fine.
pub(crate) fn check_placeholders(sql: &str, given: usize) -> Result<(), DbError> {
    let mut seen = 0;
    for token in tokens(sql) {
        match token {
            Token::Parameter(text) => match text[1..].parse::<usize>() {
                Ok(number) if (1..=seen).contains(&number) => {}
                Ok(number) if number == seen + 1 => seen = number,
                _ => {
                    return Err(DbError::statement(
                        format!("parameters must first appear in order, {text} came after ${seen}"),
                        sql,
                    ));
                }
            },
            Token::Mark("?") => return Err(DbError::statement("parameters are written $1, $2, .., not ?", sql)),
            _ => {}
        }
    }
    if seen == given {
        return Ok(());
    }
    Err(DbError::statement(
        format!("{seen} parameters in the text, {given} values given"),
        sql,
    ))
}

/// A statement composed at run time. Its text comes from the program only (`&'static str`); everything else becomes a parameter,
/// so that no SQL is ever made from what a user typed.
///
/// ```
/// use db::Sql;
/// let mut sql = Sql::new("select id from item where area = ").bind("A1");
/// sql = sql.push(" and kind in (").list(["x", "y"]).push(") order by id limit ").bind(20);
/// assert_eq!(sql.text(), "select id from item where area = $1 and kind in ($2, $3) order by id limit $4");
/// assert_eq!(sql.params().len(), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sql {
    text: String,
    params: Vec<Value>,
}

impl Sql {
    pub fn new(text: &'static str) -> Sql {
        Sql {
            text: text.to_owned(),
            params: Vec::new(),
        }
    }

    /// Adds text.
    #[must_use]
    pub fn push(mut self, text: &'static str) -> Sql {
        self.text.push_str(text);
        self
    }

    /// Adds a value as the next parameter.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Sql {
        self.params.push(value.into());
        self.number(self.params.len());
        self
    }

    /// Adds values as parameters with commas between, for `in (..)` and `values (..)`. Without values it adds `null`, which is in nothing.
    #[must_use]
    pub fn list<T: Into<Value>>(mut self, values: impl IntoIterator<Item = T>) -> Sql {
        let before = self.params.len();
        for value in values {
            if self.params.len() > before {
                self.text.push_str(", ");
            }
            self = self.bind(value);
        }
        if self.params.len() == before {
            self.text.push_str("null");
        }
        self
    }

    /// Adds another composed piece; its parameters are numbered on.
    #[must_use]
    pub fn append(mut self, other: &Sql) -> Sql {
        for token in tokens(&other.text) {
            match token {
                Token::Parameter(text) => {
                    self.number(text[1..].parse::<usize>().unwrap_or_default() + self.params.len());
                }
                token => self.text.push_str(token.text()),
            }
        }
        self.params.extend(other.params.iter().cloned());
        self
    }

    /// Writes a parameter's number into the text; every insert comes through here, so nothing is allocated for it.
    fn number(&mut self, number: usize) {
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "${number}");
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn params(&self) -> &[Value] {
        &self.params
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_see_strings_comments_and_bodies() {
        let sql = "select 'it''s $1 -- no', \"a $2\", $1 /* $3 */ -- $4\n, $body$ $5 $body$, x";
        let parameters: Vec<_> = tokens(sql)
            .into_iter()
            .filter(|token| matches!(token, Token::Parameter(_)))
            .collect();
        assert_eq!(parameters, [Token::Parameter("$1")]);
    }

    #[test]
    fn placeholders_come_in_order() {
        assert_eq!(check_placeholders("select $1, $2, $1", 2), Ok(()));
        assert!(
            check_placeholders("select $2, $1", 2)
                .unwrap_err()
                .to_string()
                .contains("$2 came after $0")
        );
        assert!(
            check_placeholders("select $1", 2)
                .unwrap_err()
                .to_string()
                .contains("1 parameters in the text, 2 values")
        );
        assert!(check_placeholders("select ?", 1).is_err());
        assert_eq!(check_placeholders("select '?', '$7'", 0), Ok(()));
    }

    #[test]
    fn pieces_are_numbered_on() {
        let filter = Sql::new("a = ").bind(1).push(" or b = ").bind("x");
        let sql = Sql::new("select 1 from t where c = ")
            .bind(2)
            .push(" and (")
            .append(&filter)
            .push(")");
        assert_eq!(sql.text(), "select 1 from t where c = $1 and (a = $2 or b = $3)");
        assert_eq!(sql.params(), [Value::Int(2), Value::Int(1), Value::Text("x".into())]);
        assert_eq!(
            Sql::new("x in (").list(Vec::<i64>::new()).push(")").text(),
            "x in (null)"
        );
    }

    proptest! {
        #[test]
        fn tokens_lose_nothing(sql in "[ a$1'\"/*\n网格-]{0,40}") {
            let joined: String = tokens(&sql).into_iter().map(Token::text).collect();
            prop_assert_eq!(joined, sql);
        }
    }
}
