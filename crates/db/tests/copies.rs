//! Backup and restore between the two databases.
#![allow(clippy::unwrap_used)]

use db::testkit::TestDb;
use db::{Backend, BackupReport, Db, DbError, Migration, Options, params};
use std::path::Path;

const LIST: [Migration; 2] = [
    Migration {
        number: 1,
        name: "first",
        sql: "create table kind (code text primary key, parent text references kind (code), owner integer) strict;
              create table item (id integer primary key, kind text not null references kind (code), weight real, photo blob, note text) strict;
              create table empty (id integer primary key) strict;
              insert into kind (code) values ('seed');
              --@ sqlite
              create virtual table item_words using fts5 (note);
              create trigger item_words_add after insert on item begin insert into item_words (rowid, note) values (new.id, new.note); end;
              --@ postgres
              create table item_lexemes (id bigint primary key, words tsvector);
              --@ both
              create index item_kind on item (kind, id);",
    },
    Migration { number: 2, name: "second", sql: "alter table item add column again text;" },
];

async fn filled(backend: Backend) -> TestDb {
    let fresh = TestDb::new(backend, Options::default()).await;
    fresh.db.migrate(&LIST).await.unwrap();
    fresh
        .db
        .write(|tx| {
            // A cycle of references between rows, in the order that needs no check to be put off.
            tx.execute(
                "insert into kind (code, parent) values ('灯', 'seed'), ('b', '灯')",
                &params![],
            )?;
            for id in 0..2000i64 {
                let photo: Vec<u8> = (0..id % 300).map(|byte| byte as u8).collect();
                let note = (id % 7 != 0).then(|| format!("第{id}号 it's \u{1F600}\n"));
                tx.defer(
                    "insert into item (id, kind, weight, photo, note) values ($1, $2, $3, $4, $5)",
                    &params![id - 1000, "灯", id as f64 / 3.0 - 1.0, photo, note],
                )?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    fresh
}

async fn restored(backend: Backend, file: &Path) -> (TestDb, BackupReport) {
    let fresh = TestDb::new(backend, Options::default()).await;
    let report = fresh.db.restore_from(file, &LIST).await.unwrap();
    assert_eq!(fresh.db.migrate(&LIST).await.unwrap().applied, Vec::<u32>::new());
    (fresh, report)
}

fn rows(report: &BackupReport) -> Vec<(&str, u64)> {
    report
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.rows))
        .collect()
}

#[tokio::test]
async fn a_town_becomes_a_city_and_a_town_again() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, three) = (
        folder.path().join("1"),
        folder.path().join("2"),
        folder.path().join("3"),
    );
    let town = filled(Backend::Sqlite).await;
    let first = town.db.backup_to(&one).await.unwrap();
    assert_eq!(rows(&first), [("empty", 0), ("item", 2000), ("kind", 3)]);
    assert_eq!(first.step, 2);
    let rights = std::fs::metadata(&one).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&rights) & 0o077,
        0,
        "nobody else reads a backup"
    );

    let (city, moved) = restored(Backend::Postgres, &one).await;
    assert_eq!(moved.tables, first.tables);
    assert_eq!(moved.left_out, ["item_words", "item_lexemes"]);
    let second = city.db.backup_to(&two).await.unwrap();
    assert_eq!(second.tables, first.tables);

    let (again, back) = restored(Backend::Sqlite, &two).await;
    assert_eq!(back.tables, first.tables);
    assert_eq!(again.db.backup_to(&three).await.unwrap().tables, first.tables);
    // It is alive: references and triggers are in place on both.
    for db in [&city.db, &again.db] {
        let loose = db
            .write(|tx| tx.execute("insert into item (id, kind) values (1, 'nowhere')", &params![]))
            .await;
        assert!(loose.is_err());
        let add = "insert into item (id, kind, note, again) values (5000, 'b', 'x', 'y')";
        assert_eq!(db.write(move |tx| tx.execute(add, &params![])).await, Ok(1));
    }
    assert!(!folder.path().join("2.part").exists());
    for test in [town, city, again] {
        test.remove().await;
    }
}

#[tokio::test]
async fn a_restore_never_writes_over_rows_and_a_backup_never_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1");
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let full = filled(backend).await;
        let _ = std::fs::remove_file(&file);
        full.db.backup_to(&file).await.unwrap();
        assert!(
            full.db
                .backup_to(&file)
                .await
                .unwrap_err()
                .to_string()
                .contains("exists already")
        );
        assert!(
            full.db
                .restore_from(&file, &LIST)
                .await
                .unwrap_err()
                .to_string()
                .contains("not empty")
        );
        let fresh = TestDb::new(backend, Options::default()).await;
        assert!(
            fresh
                .db
                .restore_from(&file, &LIST[..1])
                .await
                .unwrap_err()
                .to_string()
                .contains("newer")
        );
        full.remove().await;
        fresh.remove().await;
    }
}

#[tokio::test]
async fn a_damaged_backup_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1");
    let town = filled(Backend::Sqlite).await;
    town.db.backup_to(&file).await.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 5000].fill(0x5A);
    std::fs::write(&file, bytes).unwrap();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let fresh = TestDb::new(backend, Options::default()).await;
        assert!(fresh.db.restore_from(&file, &LIST).await.is_err());
        let kept = fresh.db.read(|tx| tx.query("select 1 from item", &params![])).await;
        assert!(kept.is_err(), "nothing was made");
        fresh.remove().await;
    }
    town.remove().await;
}

/// A backup taken while 8 tasks write is one moment: every task's rows in it are a beginning of what that task wrote.
#[tokio::test]
async fn a_backup_under_load_is_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let town = filled(backend).await;
        let running = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let writers: Vec<_> = (0..8i64)
            .map(|task| {
                let (db, running) = (town.db.clone(), running.clone());
                tokio::spawn(async move {
                    let mut number = 0;
                    while running.load(std::sync::atomic::Ordering::Relaxed) {
                        let id = 10_000 + task * 100_000 + number;
                        let sql = "insert into item (id, kind, note) values ($1, 'b', 'under load')";
                        db.write(move |tx| tx.execute(sql, &params![id])).await.unwrap();
                        number += 1;
                    }
                })
            })
            .collect();
        let file = folder.path().join(format!("{backend:?}"));
        town.db.backup_to(&file).await.unwrap();
        running.store(false, std::sync::atomic::Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let copy = Db::open(&format!("sqlite:{}", file.display()), Options::default())
            .await
            .unwrap();
        let sql = "select (id - 10000) / 100000, count(*), max(id) - min(id) + 1, min(id) from item where id >= 10000 group by 1";
        for row in copy.read(move |tx| tx.query(sql, &params![])).await.unwrap() {
            let (task, count, span, first): (i64, i64, i64, i64) = (
                row.get(0).unwrap(),
                row.get(1).unwrap(),
                row.get(2).unwrap(),
                row.get(3).unwrap(),
            );
            assert_eq!((count, first), (span, 10_000 + task * 100_000));
        }
        copy.close().await;
        town.remove().await;
    }
}
