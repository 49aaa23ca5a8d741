//! What the columns of a list of people mean: as somebody says, as they said last for such a header, or by their names. Columns nobody asked
//! for are left out and named: a list cannot bring in labels of persons.
//!
//! Entry points: [`read_table`], [`Columns::of`], [`Columns::problem`], [`Columns::keep`].

use super::rows::RowProblem;
use super::table::{self, Row, Table};
use crate::platform::*;
use crate::registry::intake::{self, Trouble};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Columns that are understood: the key of each, and its names as lists have them, in lower case without blanks; the first is the template's.
pub type Known = &'static [(&'static str, &'static [&'static str])];

/// Names of the columns that lists of people share.
pub const NAME: &[&str] = &["姓名", "人员姓名", "name"];
pub const ID_NUMBER: &[&str] = &[
    "身份证号",
    "身份证号码",
    "公民身份号码",
    "证件号码",
    "证件号",
    "idnumber",
    "id",
];

/// Problems told one by one; the rest are counted.
const MAX_PROBLEMS: usize = 20_000;

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

/// Reads a spreadsheet: its header is the first line in which more than one column is understood.
pub async fn read_table(bytes: Vec<u8>, known: Known) -> Result<Table, Fault> {
    let is_header = move |cells: &[String]| cells.iter().filter(|cell| field_of(known, cell).is_some()).count() > 1;
    let read = tokio::task::spawn_blocking(move || table::read(&bytes, is_header));
    read.await.map_err(Fault::internal)?
}

fn field_of(known: Known, name: &str) -> Option<usize> {
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

    /// Adds what is wrong with a line, by the name its column has in the file; beyond the most that are told it is counted.
    pub fn problem(&self, ctx: &Ctx, trouble: Trouble, problems: &mut Vec<RowProblem>, more: &mut usize) {
        if problems.len() == MAX_PROBLEMS {
            *more += 1;
            return;
        }
        let view = trouble.fault.view(ctx.lang);
        problems.push(RowProblem {
            row: trouble.row,
            column: view.field.map(|field| self.name(&field)).unwrap_or_default(),
            code: view.code,
            message: view.message,
        });
    }

    /// The name of a field's column in the file.
    fn name(&self, field: &str) -> String {
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
