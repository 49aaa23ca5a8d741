//! PostgreSQL's errors in our words. The server's `detail` carries values, so only its column names are taken.

use crate::DbError;
use tokio_postgres::error::{DbError as Said, SqlState as S};

pub(crate) fn fold(error: &tokio_postgres::Error, sql: &str) -> DbError {
    let Some(said) = error.as_db_error() else {
        return if error.is_closed() || is_io(error) {
            DbError::Unavailable(text(error))
        } else {
            client_side(error, sql)
        };
    };
    let code = said.code();
    let name = || said.constraint().unwrap_or_default().to_owned();
    match *code {
        S::UNIQUE_VIOLATION => DbError::Unique { columns: columns(said) },
        S::FOREIGN_KEY_VIOLATION => DbError::ForeignKey { constraint: name() },
        S::CHECK_VIOLATION => DbError::Check { constraint: name() },
        S::NOT_NULL_VIOLATION => DbError::NotNull {
            column: format!(
                "{}.{}",
                said.table().unwrap_or_default(),
                said.column().unwrap_or_default()
            ),
        },
        S::RAISE_EXCEPTION => DbError::Trigger(said.message().to_owned()),
        S::DATATYPE_MISMATCH | S::NUMERIC_VALUE_OUT_OF_RANGE => DbError::WrongType(said.message().to_owned()),
        S::READ_ONLY_SQL_TRANSACTION => DbError::ReadOnly,
        S::T_R_SERIALIZATION_FAILURE | S::T_R_DEADLOCK_DETECTED | S::LOCK_NOT_AVAILABLE => {
            DbError::Conflict(said.message().to_owned())
        }
        // "cached plan must not change result type": a migration came between.
        S::FEATURE_NOT_SUPPORTED if said.message().contains("cached plan") => {
            DbError::Conflict(said.message().to_owned())
        }
        S::QUERY_CANCELED => DbError::TooSlow,
        S::DISK_FULL => DbError::DiskFull,
        S::IN_FAILED_SQL_TRANSACTION => DbError::GivenUp(said.message().to_owned()),
        _ => match &code.code()[..2] {
            // Connection, operator intervention, resources.
            "08" | "57" | "53" => DbError::Unavailable(said.message().to_owned()),
            "42" | "0A" => DbError::statement(said.message(), sql),
            "58" | "XX" => DbError::Damaged(said.message().to_owned()),
            _ => DbError::Other(format!("{} ({})", said.message(), code.code())),
        },
    }
}

/// The error with its causes in one line.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    use std::error::Error;
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A value that does not fit its parameter or column.
fn client_side(error: &tokio_postgres::Error, sql: &str) -> DbError {
    DbError::statement(text(error), sql)
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    use std::error::Error;
    error.source().is_some_and(|cause| cause.is::<std::io::Error>())
}

/// `table.a, table.b`, as SQLite says it, from "Key (a, b)=(1, 2) already exists."; the constraint's name where that is not a list of columns.
fn columns(said: &Said) -> String {
    let table = said.table().unwrap_or_default();
    let listed = said
        .detail()
        .and_then(|detail| detail.split_once('('))
        .and_then(|(_, rest)| rest.split_once(")=("));
    match listed {
        Some((names, _)) if names.bytes().all(|c| c.is_ascii_alphanumeric() || b"_, ".contains(&c)) => {
            let named: Vec<_> = names.split(", ").map(|name| format!("{table}.{name}")).collect();
            named.join(", ")
        }
        _ => said.constraint().unwrap_or(table).to_owned(),
    }
}
