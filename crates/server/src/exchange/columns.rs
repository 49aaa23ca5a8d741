//! What the columns of a list of people mean: as somebody says, as they said last for such a header, or by their names. Columns nobody asked
//! for are left out and named: a list cannot bring in labels of persons.
//!
//! Entry points: [`Columns::of`], [`Columns::keep`].

use super::table::Row;
use crate::platform::*;
use crate::registry::intake;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Columns that are understood: the key of each, and its names as lists have them, in lower case without blanks; the first is the template's.
pub type Known = &'static [(&'static str, &'static [&'static str])];

/// What a column is taken for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Column {
    /// As the file has it.
    pub name: String,
    /// Key of the field; none: it is left out.
    pub field: Option<String>,
}

/// What the columns of one file mean.
pub struct Columns {
    known: Known,
    header: Vec<String>,
    fields: Vec<Option<usize>>,
}

pub fn field_of(known: Known, name: &str) -> Option<usize> {
    let plain: String = name
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | ':' | '：' | '\u{feff}' | '_'))
        .collect();
    let plain = plain.split(['(', '（']).next().unwrap_or_default().to_lowercase();
    known.iter().position(|(_, names)| names.contains(&plain.as_str()))
}

impl Columns {
    /// `kind`: of which list; lists of two kinds may have the same header.
    pub async fn of(
        ctx: &Ctx,
        kind: &str,
        known: Known,
        header: &[String],
        said: Option<&str>,
    ) -> Result<Columns, Fault> {
        let before = match said {
            Some(text) => Some(text.to_owned()),
            None => intake::mapping(ctx, &hash(kind, header)).await?,
        };
        let read = |key: &str| match key.trim() {
            "" => Ok(None),
            key => known
                .iter()
                .position(|(field, _)| *field == key)
                .map(Some)
                .ok_or_else(|| Fault::invalid("columns", "list_mapping_invalid").with("found", key)),
        };
        let fields: Vec<Option<usize>> = match before {
            None => header.iter().map(|name| field_of(known, name)).collect(),
            Some(text) => text.split(',').map(read).collect::<Result<_, Fault>>()?,
        };
        let mut once = std::collections::BTreeSet::new();
        if let Some(twice) = fields.iter().flatten().find(|field| !once.insert(**field)) {
            return Err(Fault::refused("import_column_twice").with("column", known[*twice].1[0]));
        }
        Ok(Columns {
            known,
            header: header.to_vec(),
            fields,
        })
    }

    /// The cells of a row that mean something, with the keys of their fields.
    pub fn cells(&self, row: Row) -> impl Iterator<Item = (&'static str, String)> {
        let fields = self.fields.iter().zip(row.cells);
        fields.filter_map(|(field, cell)| field.map(|field| (self.known[field].0, cell)))
    }

    pub fn told(&self) -> Vec<Column> {
        let field = |at: usize| {
            self.fields
                .get(at)
                .copied()
                .flatten()
                .map(|field| self.known[field].0.to_owned())
        };
        let columns = self.header.iter().enumerate().map(|(at, name)| Column {
            name: name.clone(),
            field: field(at),
        });
        columns.collect()
    }

    /// The name of a field's column in the file.
    pub fn name(&self, field: &str) -> String {
        let is_it = |one: &Option<usize>| one.is_some_and(|one| self.known[one].0 == field);
        let found = self.fields.iter().position(is_it).and_then(|at| self.header.get(at));
        found.cloned().unwrap_or_else(|| field.to_owned())
    }

    /// Keeps what somebody said of the columns, for next time.
    pub async fn keep(&self, ctx: &Ctx, kind: &str, said: &str) -> Result<(), Fault> {
        intake::keep_mapping(ctx, hash(kind, &self.header), said.to_owned()).await
    }
}

fn hash(kind: &str, header: &[String]) -> String {
    hex::encode(Sha256::digest(format!("{kind}{}", header.join("\u{1f}")).as_bytes()))
}
