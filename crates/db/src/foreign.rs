//! A SQLite file that somebody else made, given as bytes: its plain tables can be read, row by row, and nothing else of it is run.
//!
//! Entry point: [`Foreign::open`]. What is read was written by a stranger: no view, trigger, virtual table or computed column is touched, nothing
//! is written, every length and the whole work are bounded (<https://www.sqlite.org/security.html>). A damaged file is an error, not a guess.

use crate::Value;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Shortest file: its header.
const HEADER: usize = 100;
/// Where the header says how it was last written (1: a journal, 2: a write-ahead log, which a file alone does not have any more).
const WRITTEN: std::ops::Range<usize> = 18..20;
/// Bytes of one row, of one statement of the schema.
const MAX_ROW: i32 = 64 << 20;
const MAX_SQL: i32 = 100_000;
/// Columns of one table.
const MAX_COLUMNS: i32 = 500;
/// Steps of SQLite's machine between two looks, and looks in all: about a minute.
const STEPS: i32 = 10_000;
const LOOKS: u32 = 100_000;

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    #[error("not a SQLite file")]
    NotSqlite,
    #[error("damaged: {0}")]
    Damaged(String),
    #[error("no such table or column: {0}")]
    Absent(String),
    #[error("more than {0} rows")]
    TooMany(usize),
}

fn damaged(error: rusqlite::Error) -> ForeignError {
    ForeignError::Damaged(error.to_string())
}

/// Such a file, open.
pub struct Foreign {
    conn: Connection,
    tables: Vec<String>,
}

impl Foreign {
    /// Opens a copy of the bytes in memory.
    pub fn open(bytes: &[u8]) -> Result<Foreign, ForeignError> {
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return Err(ForeignError::NotSqlite);
        }
        let mut head = bytes[..HEADER].to_vec();
        for byte in &mut head[WRITTEN] {
            *byte = (*byte).min(1);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_in_memory_with_flags(flags).map_err(damaged)?;
        let all = std::io::Read::chain(head.as_slice(), &bytes[HEADER..]);
        conn.deserialize_read_exact(c"main", all, bytes.len(), true)
            .map_err(damaged)?;
        guard(&mut conn).map_err(damaged)?;
        let tables = {
            let mut plain = conn
                .prepare("select name from sqlite_schema where type = 'table' and rootpage > 0")
                .map_err(damaged)?;
            let names = plain.query_map([], |row| row.get(0)).map_err(damaged)?;
            names.collect::<Result<Vec<String>, _>>().map_err(damaged)?
        };
        Ok(Foreign { conn, tables })
    }

    /// The plain tables: no views, no virtual ones.
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// The columns of a plain table that are kept in it, not computed.
    pub fn columns(&self, table: &str) -> Result<Vec<String>, ForeignError> {
        self.known(table)?;
        let mut info = self
            .conn
            .prepare("select name from pragma_table_xinfo(?1) where hidden = 0")
            .map_err(damaged)?;
        let names = info.query_map([table], |row| row.get(0)).map_err(damaged)?;
        names.collect::<Result<Vec<String>, _>>().map_err(damaged)
    }

    /// Each row's values of these columns, in the order of the table; the names as the file has them. Text that is no UTF-8 loses what is not.
    pub fn rows(
        &self,
        table: &str,
        columns: &[String],
        most: usize,
        mut each: impl FnMut(Vec<Value>),
    ) -> Result<(), ForeignError> {
        let known = self.columns(table)?;
        if let Some(absent) = columns.iter().find(|column| !known.contains(column)) {
            return Err(ForeignError::Absent(absent.clone()));
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let text = format!("select {} from {} not indexed", names.join(", "), quoted(table));
        let mut select = self.conn.prepare(&text).map_err(damaged)?;
        let mut rows = select.query([]).map_err(damaged)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(damaged)? {
            count += 1;
            if count > most {
                return Err(ForeignError::TooMany(most));
            }
            let value = |at: usize| row.get_ref(at).map(owned);
            each(
                (0..columns.len())
                    .map(value)
                    .collect::<Result<_, _>>()
                    .map_err(damaged)?,
            );
        }
        Ok(())
    }

    fn known(&self, table: &str) -> Result<(), ForeignError> {
        let here = self.tables.iter().any(|known| known == table);
        here.then_some(()).ok_or_else(|| ForeignError::Absent(table.to_owned()))
    }
}

fn guard(conn: &mut Connection) -> rusqlite::Result<()> {
    for (what, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        conn.set_db_config(what, on)?;
    }
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_ROW),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL),
        (Limit::SQLITE_LIMIT_COLUMN, MAX_COLUMNS),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 50),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
        (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 20),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        conn.set_limit(limit, most)?;
    }
    let mut looks = 0;
    let enough = move || {
        looks += 1;
        looks > LOOKS
    };
    conn.progress_handler(STEPS, Some(enough))?;
    conn.execute_batch("pragma cell_size_check = on; pragma mmap_size = 0; pragma query_only = on;")
}

/// A name of the file as an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(sql: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(sql).unwrap();
        drop(conn);
        std::fs::read(path).unwrap()
    }

    fn all(bytes: &[u8], table: &str, columns: &[&str]) -> Result<Vec<Vec<Value>>, ForeignError> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut found = Vec::new();
        Foreign::open(bytes)?.rows(table, &columns, 1000, |row| found.push(row))?;
        Ok(found)
    }

    #[test]
    fn plain_tables_are_read_and_nothing_else() {
        let bytes = made(
            "create table \"a \"\"b\" (id integer primary key, \"名 称\" text, twice as (id * 2), big blob);
             insert into \"a \"\"b\" (id, \"名 称\", big) values (1, '东街', x'00ff'), (2, null, null);
             create view seen as select * from \"a \"\"b\"; create virtual table words using fts5(text);",
        );
        let file = Foreign::open(&bytes).unwrap();
        assert!(file.tables().contains(&"a \"b".to_owned()));
        assert!(!file.tables().contains(&"seen".to_owned()) && !file.tables().contains(&"words".to_owned()));
        assert_eq!(file.columns("a \"b").unwrap(), ["id", "名 称", "big"]);
        let rows = all(&bytes, "a \"b", &["名 称", "big"]).unwrap();
        assert_eq!(rows[0], [Value::Text("东街".into()), Value::Blob(vec![0, 255])]);
        assert_eq!(rows[1], [Value::Null, Value::Null]);
        for (table, column) in [("seen", "id"), ("words", "text"), ("a \"b", "twice"), ("nowhere", "id")] {
            assert!(matches!(all(&bytes, table, &[column]), Err(ForeignError::Absent(_))));
        }
        let mut few = 0;
        let most = file.rows("a \"b", &["id".to_owned()], 1, |_| few += 1);
        assert_eq!((most, few), (Err(ForeignError::TooMany(1)), 1));
    }

    #[test]
    fn a_file_left_in_write_ahead_mode_is_read() {
        let bytes = made("pragma journal_mode = wal; create table t (a); insert into t values (7);");
        assert_eq!(bytes[WRITTEN], [2, 2]);
        assert_eq!(all(&bytes, "t", &["a"]).unwrap(), [[Value::Int(7)]]);
    }

    #[test]
    fn what_is_broken_is_refused() {
        assert_eq!(all(b"no database", "t", &["a"]), Err(ForeignError::NotSqlite));
        let bytes = made(
            "create table t (a); with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
             insert into t select printf('%0100d', i) from n;",
        );
        assert_eq!(all(&bytes, "t", &["a"]).unwrap().len(), 500);
        for cut in [100, 5000, bytes.len() / 2] {
            assert!(
                matches!(all(&bytes[..cut], "t", &["a"]), Err(ForeignError::Damaged(_))),
                "{cut}"
            );
        }
        let mut wild = bytes.clone();
        wild[8192..12288].fill(0xff);
        assert!(matches!(all(&wild, "t", &["a"]), Err(ForeignError::Damaged(_))));
    }
}
