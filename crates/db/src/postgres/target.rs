//! The address of a PostgreSQL schema: `postgres://user@host/db?schema=NAME`, or with a socket folder
//! `postgres:///db?host=/var/run/postgresql&user=NAME&schema=NAME`. One schema is one jurisdiction; without `schema` it is `public`.
//! Go to the server itself, not through a pooler: a writer holds its strand by a lock of its session.
//! Connections are not encrypted: the database is on this machine or behind the operator's own tunnel.

use crate::DbError;

#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) schema: String,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Target, DbError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (own, driver): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|part| !part.is_empty())
            .partition(|part| part.starts_with("schema="));
        let schema = own.first().map_or("public", |part| &part["schema=".len()..]);
        if !is_schema_name(schema) {
            return Err(DbError::Address(format!(
                "schema `{schema}`: use a-z, 0-9 and _, begin with a letter, 63 at most"
            )));
        }
        // The driver's message can repeat the password; say only what part is meant.
        let mut config: tokio_postgres::Config = format!("{base}?{}", driver.join("&"))
            .parse()
            .map_err(|_| DbError::Address("expected postgres://user@host/db?schema=NAME".into()))?;
        config.application_name("wangge");
        Ok(Target {
            config,
            schema: schema.to_owned(),
        })
    }
}

/// Such a name needs no quoting.
fn is_schema_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    begins
        && name.len() <= 63
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_postgres::config::Host;

    #[test]
    fn both_forms() {
        let target = Target::parse("postgres://wangge@db.local/city?schema=dinghai&connect_timeout=3").unwrap();
        assert_eq!(
            (target.schema.as_str(), target.config.get_user()),
            ("dinghai", Some("wangge"))
        );
        let target = Target::parse("postgres:///city?host=/tmp/x&user=u").unwrap();
        assert_eq!(target.schema, "public");
        assert_eq!(target.config.get_hosts(), [Host::Unix("/tmp/x".into())]);
    }

    #[test]
    fn names_that_would_need_quoting_are_refused() {
        for bad in ["A", "1a", "a;drop", "a b", "", "网格"] {
            assert!(Target::parse(&format!("postgres://h/d?schema={bad}")).is_err(), "{bad}");
        }
    }
}
