//! The same behaviour on both databases.
#![allow(clippy::unwrap_used)]

use db::testkit::{TestDb, each_backend};
use db::{AtCommit, Backend, Db, DbError, Migration, MigrationReport, Options, Sql, Tx, Value, params};
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

#[tokio::test]
async fn a_passed_over_error_cannot_be_kept_but_an_attempt_can_fail() {
    each_backend(|db| async move {
        migrated(&db).await;
        add(&db, 1, "a").await.unwrap();
        let passed_over = db
            .write(|tx| {
                tx.execute("insert into item (id, name) values (2, 'b')", &params![])?;
                let _ = tx.execute("insert into item (id, name) values (3, 'a')", &params![]);
                Ok::<_, DbError>(())
            })
            .await;
        assert!(matches!(passed_over, Err(DbError::GivenUp(_))), "{passed_over:?}");
        assert_eq!(count(&db).await, 1);

        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = heard.clone();
        let refused = db
            .write(move |tx| {
                tx.defer("insert into item (id, name) values (2, 'b')", &params![])?;
                let refused = tx.attempt(|tx| {
                    let log = log.clone();
                    tx.on_commit(move || log.lock().unwrap().push("inner"));
                    tx.defer("insert into item (id, name) values (4, 'd')", &params![])?;
                    tx.defer("insert into item (id, name) values (3, 'a')", &params![])
                });
                tx.attempt(|tx| tx.execute("insert into item (id, name) values (5, 'e')", &params![]))?;
                let log = log.clone();
                tx.on_commit(move || log.lock().unwrap().push("outer"));
                Ok::<_, DbError>(refused)
            })
            .await
            .unwrap();
        assert_eq!(
            refused,
            Err(DbError::Unique {
                columns: "item.name".into()
            })
        );
        assert_eq!(*heard.lock().unwrap(), ["outer"]);
        let ids = db
            .read(|tx| tx.query("select id from item order by id", &params![]))
            .await
            .unwrap();
        assert_eq!(
            ids.iter().map(|row| row.get(0).unwrap()).collect::<Vec<i64>>(),
            [1, 2, 5]
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_transaction_remembers_goes_with_an_undone_attempt_and_with_its_end() {
    each_backend(|db| async move {
        migrated(&db).await;
        let seen = db
            .write(|tx| {
                let fresh = tx.remembered::<i64>().copied();
                tx.remember(1_i64);
                tx.attempt(|tx| {
                    tx.remember(2_i64);
                    Ok::<_, DbError>(())
                })?;
                let kept = tx.remembered::<i64>().copied();
                let undone = tx.attempt(|tx| {
                    tx.remember(3_i64);
                    Err::<(), _>(DbError::Other("no".into()))
                });
                assert!(undone.is_err());
                Ok::<_, DbError>((fresh, kept, tx.remembered::<i64>().copied()))
            })
            .await;
        assert_eq!(seen, Ok((None, Some(2), None)));
        let next = db.write(|tx| Ok::<_, DbError>(tx.remembered::<i64>().copied())).await;
        assert_eq!(next, Ok(None));
    })
    .await;
}

/// Counts under a name how often it was handed in.
struct Tally {
    name: &'static str,
    n: i64,
}

impl AtCommit for Tally {
    fn merge(&mut self, other: Tally) {
        self.n += other.n;
    }

    fn run(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        tx.execute(
            "insert into item (id, name, weight) values ((select coalesce(max(id), 0) + 1 from item), $1, $2)",
            &params![self.name, self.n as f64],
        )?;
        Ok(())
    }
}

#[tokio::test]
async fn what_closures_share_runs_once_before_the_commit_and_only_for_what_is_kept() {
    each_backend(|db| async move {
        migrated(&db).await;
        let tally = |name, n| Tally { name, n };
        let seen = db
            .write(move |tx| {
                tx.at_commit(tally("kept", 1));
                let undone = tx.attempt(|tx| {
                    tx.at_commit(tally("kept", 10));
                    Err::<(), _>(DbError::Other("no".into()))
                });
                assert!(undone.is_err());
                tx.at_commit(tally("kept", 2));
                tx.query_one("select count(*) from item", &params![])?.get::<i64>(0)
            })
            .await;
        assert_eq!(seen, Ok(0), "not before the commit");
        let undone = db.write(move |tx| {
            tx.at_commit(tally("undone", 1));
            Err::<(), _>(DbError::Other("no".into()))
        });
        assert!(undone.await.is_err());
        // It fails at the commit: the name is taken.
        let failed = db.write(move |tx| {
            tx.at_commit(tally("kept", 1));
            tx.execute("insert into item (id, name) values (90, 'beside')", &params![])
        });
        assert!(matches!(failed.await, Err(DbError::Unique { .. })));
        let items = db
            .read(|tx| tx.query("select name, weight from item", &params![]))
            .await;
        let items = items.unwrap();
        assert_eq!(items.len(), 1, "{items:?}");
        assert_eq!(
            (items[0].text(0).unwrap(), items[0].get::<f64>(1).unwrap()),
            ("kept", 3.0)
        );
    })
    .await;
}

#[tokio::test]
async fn a_long_write_undoes_by_a_file_and_its_neighbours_in_memory() {
    each_backend(|db| async move {
        migrated(&db).await;
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = db.write(move |tx| {
            wait.recv().unwrap();
            tx.execute("insert into item (id, name) values (1, 'first')", &params![])
        });
        // 0 by the settings, 1 in a file, 2 in memory.
        let kept_in = |tx: &mut Tx<'_>| match tx.backend() {
            Backend::Sqlite => tx.query_one("pragma temp_store", &params![])?.get::<i64>(0),
            Backend::Postgres => Ok(0),
        };
        let put = move |tx: &mut Tx<'_>, id: i64| {
            tx.execute(
                "insert into item (id, name) values ($1, $2)",
                &params![id, format!("n{id}")],
            )?;
            kept_in(tx)
        };
        let undone = db.write_long(move |tx| {
            let place = put(tx, 2)?;
            Err::<i64, _>(DbError::Other(place.to_string()))
        });
        let all = async {
            tokio::join!(
                first,
                db.write(move |tx| put(tx, 3)),
                undone,
                db.write_long(move |tx| put(tx, 4)),
                db.write(move |tx| put(tx, 5))
            )
        };
        let (all, ()) = tokio::join!(all, async { go.send(()).unwrap() });
        let place = |sqlite: i64| if db.backend() == Backend::Sqlite { sqlite } else { 0 };
        assert_eq!((all.0, all.1), (Ok(1), Ok(place(2))));
        assert_eq!(all.2, Err(DbError::Other(place(1).to_string())));
        assert_eq!((all.3, all.4), (Ok(place(1)), Ok(place(2))));
        let ids = db
            .read(|tx| tx.query("select id from item order by id", &params![]))
            .await
            .unwrap();
        let ids: Vec<i64> = ids.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(ids, [1, 3, 4, 5]);
    })
    .await;
}

#[tokio::test]
async fn many_rows_are_written_by_few_statements() {
    each_backend(|db| async move {
        migrated(&db).await;
        db.write(|tx| {
            let rows = (0..200i64).map(|n| [Value::from(n), Value::from(format!("n{n}"))]);
            tx.insert_rows("insert into item (id, name) values ", rows, "")?;
            let again = (100..107i64).map(|n| [Value::from(n), Value::from("x"), Value::from(1.5)]);
            tx.insert_rows(
                "insert into item (id, name, weight) values ",
                again,
                " on conflict (id) do update set weight = excluded.weight",
            )
        })
        .await
        .unwrap();
        let row = db.read(|tx| tx.query_one("select count(*), sum(weight) from item", &params![]));
        let row = row.await.unwrap();
        assert_eq!((row.get::<i64>(0).unwrap(), row.get::<f64>(1).unwrap()), (200, 10.5));
    })
    .await;
}

#[tokio::test]
async fn deferred_writes_are_in_order_and_their_errors_come_out() {
    each_backend(|db| async move {
        migrated(&db).await;
        let seen = db
            .write(|tx| {
                for id in 0..600i64 {
                    tx.defer(
                        "insert into item (id, name) values ($1, $2)",
                        &params![id, format!("n{id}")],
                    )?;
                }
                tx.query_one("select count(*) from item", &params![])?.get::<i64>(0)
            })
            .await
            .unwrap();
        assert_eq!(seen, 600);
        let late = db
            .write(|tx| tx.defer("insert into item (id, name) values (1000, 'n1')", &params![]))
            .await;
        assert_eq!(
            late,
            Err(DbError::Unique {
                columns: "item.name".into()
            })
        );
        assert_eq!(count(&db).await, 600);
    })
    .await;
}

#[tokio::test]
async fn what_only_one_database_could_keep_is_refused_by_both() {
    each_backend(|db| async move {
        migrated(&db).await;
        let nul = add(&db, 1, "a\0b").await;
        assert!(
            matches!(&nul, Err(DbError::Parameter { number: 2, why }) if why.contains("NUL")),
            "{nul:?}"
        );
        let nan = db
            .write(|tx| {
                tx.execute(
                    "insert into item (id, name, weight) values (1, 'a', $1)",
                    &params![f64::NAN],
                )
            })
            .await;
        assert!(matches!(nan, Err(DbError::Parameter { number: 1, .. })), "{nan:?}");
        let text = db
            .write(|tx| tx.execute("insert into item (id, name) values ($1, 'a')", &params!["x"]))
            .await;
        assert!(text.is_err(), "text in an integer column");
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_read_cannot_write_and_sees_one_snapshot() {
    each_backend(|db| async move {
        migrated(&db).await;
        add(&db, 1, "a").await.unwrap();
        let write = db
            .read(|tx| tx.execute("insert into item (id, name) values (2, 'b')", &params![]))
            .await;
        assert_eq!(write, Err(DbError::ReadOnly));

        let (first, begun) = tokio::sync::oneshot::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let reader = db.clone();
        let reading = tokio::spawn(async move {
            reader
                .read(move |tx| {
                    let before: i64 = tx.query_one("select count(*) from item", &params![])?.get(0)?;
                    first.send(()).unwrap();
                    wait.recv().unwrap();
                    let after: i64 = tx.query_one("select count(*) from item", &params![])?.get(0)?;
                    Ok::<_, DbError>((before, after))
                })
                .await
        });
        begun.await.unwrap();
        add(&db, 2, "b").await.unwrap();
        assert_eq!(count(&db).await, 2, "a new read sees the write");
        go_on.send(()).unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn no_two_transactions_hold_one_strand() {
    each_backend(|db| async move {
        migrated(&db).await;
        let held = Arc::new(Mutex::new(std::collections::HashSet::new()));
        let tasks: Vec<_> = (0..64i64)
            .map(|id| {
                let (db, held) = (db.clone(), held.clone());
                tokio::spawn(async move {
                    db.write(move |tx| {
                        let strand = tx.strand();
                        assert!(held.lock().unwrap().insert(strand), "strand {strand} is held twice");
                        tx.execute(
                            "insert into item (id, name) values ($1, $2)",
                            &params![id, id.to_string()],
                        )?;
                        assert!(held.lock().unwrap().remove(&strand));
                        Ok::<_, DbError>(strand)
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            let strand = task.await.unwrap().unwrap();
            assert!(
                if db.backend() == Backend::Sqlite {
                    strand == 0
                } else {
                    (0..8).contains(&strand)
                },
                "{strand}"
            );
        }
        assert_eq!(count(&db).await, 64);
    })
    .await;
}

#[tokio::test]
async fn one_text_serves_both() {
    each_backend(|db| async move {
        migrated(&db).await;
        db.write(|tx| {
            for (id, name) in ["b", "B", "a", "é", "网", "_"].into_iter().enumerate() {
                tx.defer("insert into item (id, name, weight) values ($1, $2, $3)", &params![id, name, id as f64 / 2.0])?;
            }
            tx.execute("insert into item (id, name) values ($1, $2) on conflict (id) do update set name = excluded.name", &params![2, "c"])?;
            let row = tx.query_one("update item set weight = weight + $1 where id = $2 returning weight", &params![1, 1])?;
            assert_eq!(row.get::<f64>(0)?, 1.5);
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        db.read(|tx| {
            let mut names = |sql: &str, params: &[Value]| {
                let rows = tx.query(sql, params)?;
                rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()
            };
            assert_eq!(names("select name from item order by name", &params![])?, ["B", "_", "b", "c", "é", "网"]);
            assert_eq!(names("select name from item where name like 'b%'", &params![])?, ["b"]);
            assert_eq!(
                names("select name from item where (weight, id) < ($1, $2) order by weight desc, id desc limit $3", &params![1.5, 4, 2])?,
                ["é", "B"]
            );
            assert_eq!(names("select name from item where $1 = 0 or id = $2 order by id limit 1", &params![1, 3])?, ["é"]);
            let sums = tx.query_one(
                "select sum(id), avg(weight), greatest(max(id), 9), least(1, 2), exists (select 1 from item where id = 9), \
                        string_agg(name, ',' order by name), cast($1 as bigint) from item where id < $2",
                &params![5, 2],
            )?;
            assert_eq!(sums.get::<i64>(0)?, 1);
            assert_eq!(sums.get::<f64>(1)?, 0.75);
            assert_eq!((sums.get::<i64>(2)?, sums.get::<i64>(3)?), (9, 1));
            assert!(!sums.get::<bool>(4)?);
            assert_eq!(sums.text(5)?, "B,b");
            assert_eq!(sums.get::<u8>(6)?, 5);
            let sql = Sql::new("select id from item where name in (").list(["b", "网"]).push(") and weight >= ").bind(0).push(" order by id");
            assert_eq!(tx.fetch(&sql)?.len(), 2);
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_answers_at_once_and_closing_finishes_what_waits() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let options = Options {
            queue: 4,
            postgres_writers: 1,
            ..Options::default()
        };
        let fresh = TestDb::new(backend, options).await;
        let db = fresh.db.clone();
        migrated(&db).await;
        let (begun, started) = tokio::sync::oneshot::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let busy = db.clone();
        let blocker = tokio::spawn(async move {
            busy.write(move |_| {
                begun.send(()).unwrap();
                wait.recv().unwrap();
                Ok::<_, DbError>(())
            })
            .await
        });
        started.await.unwrap();
        let waiting: Vec<_> = (0..4i64)
            .map(|id| {
                let db = db.clone();
                tokio::spawn(async move { add(&db, id, &id.to_string()).await })
            })
            .collect();
        while db.health().writes_waiting < 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(add(&db, 9, "9").await, Err(DbError::Overloaded));
        go_on.send(()).unwrap();
        db.clone().close().await;
        blocker.await.unwrap().unwrap();
        for write in waiting {
            assert_eq!(write.await.unwrap(), Ok(1));
        }
        assert!(matches!(add(&db, 9, "9").await, Err(DbError::Unavailable(_))));
        fresh.remove().await;
    }
}

#[tokio::test]
async fn migrations_go_forward_and_refuse_another_history() {
    const MORE: Migration = Migration {
        number: 2,
        name: "colour",
        sql: "alter table item add column colour text not null default 'red';",
    };
    const BAD: Migration = Migration {
        number: 3,
        name: "bad",
        sql: "create table half (id integer) strict; create table item (id integer) strict;",
    };
    each_backend(|db| async move {
        assert_eq!(
            db.migrate(&[ITEMS]).await.unwrap(),
            MigrationReport {
                applied: vec![1],
                current: 1
            }
        );
        add(&db, 1, "a").await.unwrap();
        assert_eq!(
            db.migrate(&[ITEMS, MORE]).await.unwrap(),
            MigrationReport {
                applied: vec![2],
                current: 2
            }
        );
        assert_eq!(
            db.migrate(&[ITEMS, MORE]).await.unwrap(),
            MigrationReport {
                applied: vec![],
                current: 2
            }
        );
        let colour = db
            .read(|tx| tx.query_one("select colour from item", &params![]))
            .await
            .unwrap();
        assert_eq!(colour.text(0).unwrap(), "red");

        let says = |list: Vec<Migration>| {
            let db = db.clone();
            async move { db.migrate(&list).await.unwrap_err().to_string() }
        };
        assert!(says(vec![ITEMS]).await.contains("made by a newer one"));
        assert!(
            says(vec![
                Migration {
                    sql: "select 1;",
                    ..ITEMS
                },
                MORE
            ])
            .await
            .contains("step 1 (items) was changed")
        );
        assert!(says(vec![MORE, ITEMS]).await.contains("not in order"));
        assert!(says(vec![ITEMS, MORE, BAD]).await.contains("step 3 (bad)"));
        let half = db.read(|tx| tx.query("select 1 from half", &params![])).await;
        assert!(half.is_err(), "a failed step leaves nothing");
        assert_eq!(db.migrate(&[ITEMS, MORE]).await.unwrap().current, 2);
    })
    .await;
}

#[tokio::test]
async fn several_processes_may_migrate_at_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let fresh = TestDb::new(backend, Options::default()).await;
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let url = fresh.url.clone();
                tokio::spawn(async move {
                    Db::open(&url, Options::default())
                        .await
                        .unwrap()
                        .migrate(&[ITEMS])
                        .await
                        .unwrap()
                        .applied
                        .len()
                })
            })
            .collect();
        let mut applied = 0;
        for task in tasks {
            applied += task.await.unwrap();
        }
        assert_eq!(applied, 1);
        fresh.remove().await;
    }
}

#[tokio::test]
async fn a_lost_connection_is_said_and_replaced() {
    let fresh = TestDb::new(
        Backend::Postgres,
        Options {
            postgres_writers: 1,
            ..Options::default()
        },
    )
    .await;
    let db = fresh.db.clone();
    migrated(&db).await;
    let kill = "select pg_terminate_backend(pg_backend_pid())";
    let lost = db.write(move |tx| tx.query(kill, &params![])).await;
    assert!(matches!(lost, Err(DbError::Unavailable(_))), "{lost:?}");
    assert_eq!(add(&db, 1, "a").await, Ok(1), "the next one has a new connection");
    // Killed from outside while idle: nobody notices.
    let pid: i64 = db
        .write(|tx| tx.query_one("select pg_backend_pid()", &params![])?.get(0))
        .await
        .unwrap_or_else(|error: DbError| panic!("{error}"));
    db.read(move |tx| tx.query("select pg_terminate_backend($1, 5000)", &params![pid]))
        .await
        .unwrap();
    let strand = db
        .write(|tx| {
            tx.execute("insert into item (id, name) values (2, 'b')", &params![])?;
            Ok::<_, DbError>(tx.strand())
        })
        .await;
    assert!(matches!(strand, Ok(0 | 1)), "{strand:?}");
    fresh.remove().await;
}

#[tokio::test]
async fn a_deadlock_is_a_conflict_and_nothing_is_done() {
    let fresh = TestDb::new(Backend::Postgres, Options::default()).await;
    let db = fresh.db.clone();
    migrated(&db).await;
    add(&db, 1, "a").await.unwrap();
    add(&db, 2, "b").await.unwrap();
    let meet = Arc::new(std::sync::Barrier::new(2));
    let cross = |first: i64, second: i64| {
        let (db, meet) = (db.clone(), meet.clone());
        tokio::spawn(async move {
            db.write(move |tx| {
                let sql = "update item set name = name || 'x' where id = $1";
                tx.execute(sql, &params![first])?;
                meet.wait();
                tx.execute(sql, &params![second])
            })
            .await
        })
    };
    let (one, two) = (cross(1, 2), cross(2, 1));
    let outcomes = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
    assert!(
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, Err(DbError::Conflict(_)))),
        "{outcomes:?}"
    );
    fresh.remove().await;
}

#[tokio::test]
async fn a_read_without_end_is_stopped_and_its_connection_serves_on() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let options = Options {
            sqlite_readers: 1,
            postgres_readers: 1,
            statement: std::time::Duration::from_millis(200),
            ..Options::default()
        };
        let fresh = TestDb::new(backend, options).await;
        let endless = "with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n";
        for _ in 0..2 {
            let slow = fresh.db.read(move |tx| tx.query_one(endless, &params![])).await;
            assert_eq!(slow.map(|_| ()), Err(DbError::TooSlow), "{backend:?}");
            let quick = fresh.db.read(|tx| tx.query_one("select 1", &params![])).await;
            assert_eq!(quick.map(|row| row.get(0)), Ok(Ok(1)));
        }
        fresh.remove().await;
    }
}
