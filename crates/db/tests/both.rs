//! The same behaviour on both databases.
#![allow(clippy::unwrap_used)]

use db::testkit::each_backend;
use db::{Db, DbError, Migration, params};
use std::sync::{Arc, Mutex};

const ITEMS: Migration = Migration {
    number: 1,
    name: "items",
    sql: "create table item (id integer primary key, name text not null unique, weight real, photo blob,
             constraint weighs check (weight >= 0)) strict;
          create table part (item integer not null references item (id), place integer not null, name text not null, primary key (item, place)) strict, without rowid;",
};

async fn migrated(db: &Db) {
    db.migrate(&[ITEMS]).await.unwrap();
}

async fn count(db: &Db) -> i64 {
    db.read(|tx| tx.query_one("select count(*) from item", &params![])?.get(0))
        .await
        .unwrap_or_else(|error: DbError| panic!("{error}"))
}

async fn add(db: &Db, id: i64, name: &str) -> Result<u64, DbError> {
    let name = name.to_owned();
    db.write(move |tx| tx.execute("insert into item (id, name) values ($1, $2)", &params![id, name]))
        .await
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    each_backend(|db| async move {
        migrated(&db).await;
        let photo: Vec<u8> = (0..=255).collect();
        let given = photo.clone();
        db.write(move |tx| {
            let sql = "insert into item (id, name, weight, photo) values ($1, $2, $3, $4)";
            tx.execute(sql, &params![i64::MAX, "网格 'é\u{1F600}", 2.5, given])?;
            tx.execute(sql, &params![i64::MIN, "", None::<f64>, Vec::<u8>::new()])
        })
        .await
        .unwrap();
        let rows = db
            .read(|tx| tx.query("select id, name, weight, photo from item order by id", &params![]))
            .await
            .unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), i64::MIN);
        assert_eq!(rows[0].get::<Option<f64>>(2).unwrap(), None);
        assert_eq!(rows[0].get::<Vec<u8>>(3).unwrap(), Vec::<u8>::new());
        assert_eq!(rows[1].text(1).unwrap(), "网格 'é\u{1F600}");
        assert_eq!(rows[1].get::<f64>(2).unwrap(), 2.5);
        assert_eq!(rows[1].get::<Vec<u8>>(3).unwrap(), photo);
        assert!(matches!(rows[1].get::<i64>(1), Err(DbError::Column { index: 1, .. })));
    })
    .await;
}

#[tokio::test]
async fn an_error_keeps_nothing_and_leaves_the_neighbours_alone() {
    each_backend(|db| async move {
        migrated(&db).await;
        let writes = (0..64i64).map(|id| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |tx| {
                    tx.execute(
                        "insert into item (id, name) values ($1, $2)",
                        &params![id, format!("n{id}")],
                    )?;
                    match id % 4 {
                        1 => Err(DbError::NoRow),
                        2 => panic!("on purpose"),
                        _ => Ok(id),
                    }
                })
                .await
            })
        });
        for (id, write) in writes.collect::<Vec<_>>().into_iter().enumerate() {
            match (id % 4, write.await.unwrap()) {
                (1, Err(DbError::NoRow)) => {}
                (2, Err(DbError::Panicked(why))) => assert_eq!(why, "on purpose"),
                (0 | 3, Ok(answer)) => assert_eq!(answer, id as i64),
                other => panic!("{other:?}"),
            }
        }
        let kept = db
            .read(|tx| tx.query("select id from item order by id", &params![]))
            .await
            .unwrap();
        let kept: Vec<i64> = kept.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(
            kept,
            (0..64).filter(|id| id % 4 == 0 || id % 4 == 3).collect::<Vec<_>>()
        );
    })
    .await;
}

#[tokio::test]
async fn refusals_have_names() {
    each_backend(|db| async move {
        migrated(&db).await;
        add(&db, 1, "a").await.unwrap();
        assert_eq!(
            add(&db, 2, "a").await,
            Err(DbError::Unique {
                columns: "item.name".into()
            })
        );
        assert_eq!(
            add(&db, 1, "b").await,
            Err(DbError::Unique {
                columns: "item.id".into()
            })
        );
        let run = |sql: &'static str| {
            let db = db.clone();
            async move { db.write(move |tx| tx.execute(sql, &params![])).await }
        };
        assert_eq!(
            run("insert into item (id, name) values (3, null)").await,
            Err(DbError::NotNull {
                column: "item.name".into()
            })
        );
        assert_eq!(
            run("insert into item (id, name, weight) values (3, 'c', -1)").await,
            Err(DbError::Check {
                constraint: "weighs".into()
            })
        );
        assert!(matches!(
            run("insert into part (item, place, name) values (9, 1, 'x')").await,
            Err(DbError::ForeignKey { .. })
        ));
        run("insert into part (item, place, name) values (1, 1, 'x')")
            .await
            .unwrap();
        assert_eq!(
            run("insert into part (item, place, name) values (1, 1, 'x')").await,
            Err(DbError::Unique {
                columns: "part.item, part.place".into()
            })
        );
        assert!(matches!(
            run("insert into nothing values (1)").await,
            Err(DbError::Statement { .. })
        ));
        assert!(matches!(run("selec 1").await, Err(DbError::Statement { .. })));
        let one = db
            .read(|tx| tx.query_one("select 1 from item where id = $1", &params![77]))
            .await;
        assert_eq!(one.map(|_| ()), Err(DbError::NoRow));
    })
    .await;
}

#[tokio::test]
async fn on_commit_runs_after_the_commit_before_the_answer_and_never_otherwise() {
    each_backend(|db| async move {
        migrated(&db).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        for id in 0..4i64 {
            let (log, failing) = (heard.clone(), id == 2);
            let answer = db
                .write(move |tx| {
                    tx.execute(
                        "insert into item (id, name) values ($1, $2)",
                        &params![id, id.to_string()],
                    )?;
                    tx.on_commit(move || log.lock().unwrap().push(id));
                    if failing { Err(DbError::NoRow) } else { Ok(()) }
                })
                .await;
            assert_eq!(answer.is_err(), failing);
            assert_eq!(heard.lock().unwrap().contains(&id), !failing);
        }
        assert_eq!(*heard.lock().unwrap(), [0, 1, 3]);
        assert_eq!(count(&db).await, 3);
        assert!(db.health().last_commit.is_some());
    })
    .await;
}
