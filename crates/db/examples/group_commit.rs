//! How many durable writes a second, by number of clients, on both databases; and how long one waits.
//!
//! `cargo run --release -p db --example group_commit --features testkit [seconds per figure]`
//! SQLite is a file in the current folder's `target` (a real disk, not a memory file system); PostgreSQL is the one `WANGGE_TEST_POSTGRES`
//! names, else the tests' cluster, which does not sync: its figures then are an upper bound.

use db::testkit::postgres;
use db::{Db, DbError, Migration, Options, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const LIST: [Migration; 1] = [Migration {
    number: 1,
    name: "item",
    sql: "create table item (id integer primary key, kind text not null, body text not null) strict;
          create table mark (item integer primary key, hash blob not null) strict;
          create index item_kind on item (kind, id);",
}];
const BODY: &str = "小区北门路灯不亮，晚上老人出门看不清路，请尽快派人来修。";

#[tokio::main]
async fn main() -> Result<(), DbError> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let folder = std::env::current_dir()
        .map(|here| here.join("target"))
        .expect("a current folder");
    let folder = tempfile::tempdir_in(&folder)
        .or_else(|_| tempfile::tempdir())
        .expect("a folder for the file");
    println!("database   work            clients    a second     p50 us     p99 us");
    for url in [
        format!("sqlite:{}", folder.path().join("bench.db").display()),
        postgres(),
    ] {
        let options = Options {
            postgres_writers: 16,
            ..Options::default()
        };
        let db = Db::open(&url, options).await?;
        db.migrate(&LIST).await?;
        let next = Arc::new(AtomicI64::new(0));
        for clients in [1, 16, 64] {
            let next = next.clone();
            let write = move |db: Db| {
                let id = next.fetch_add(1, Ordering::Relaxed);
                async move {
                    db.write(move |tx| {
                        let kind = if id % 3 == 0 { "灯" } else { "路" };
                        tx.defer(
                            "insert into item (id, kind, body) values ($1, $2, $3)",
                            &params![id, kind, BODY],
                        )?;
                        tx.defer("insert into mark (item, hash) values ($1, $2)", &params![id, [7u8; 32]])
                    })
                    .await
                }
            };
            measure(&db, "write 2 rows", clients, seconds, write).await?;
        }
        let rows = next.load(Ordering::Relaxed).max(1);
        for clients in [1, 16, 64] {
            let at = Arc::new(AtomicI64::new(1));
            let read = move |db: Db| {
                let id = at.fetch_add(7_919, Ordering::Relaxed) % rows;
                async move {
                    db.read(move |tx| tx.query_one("select kind, body from item where id = $1", &params![id]))
                        .await
                        .map(|_| ())
                }
            };
            measure(&db, "read 1 row", clients, seconds, read).await?;
        }
        db.close().await;
    }
    Ok(())
}

/// Runs the work from so many clients for so long and prints the rate and the waiting times.
async fn measure<F: Future<Output = Result<(), DbError>> + Send + 'static>(
    db: &Db,
    work: &str,
    clients: usize,
    seconds: u64,
    call: impl Fn(Db) -> F + Clone + Send + 'static,
) -> Result<(), DbError> {
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (db, call) = (db.clone(), call.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while Instant::now() < until {
                    let begun = Instant::now();
                    call(db.clone()).await?;
                    waits.push(begun.elapsed().as_micros());
                }
                Ok::<_, DbError>(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("a client ends")?);
    }
    let rate = waits.len() as f64 / started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: f64| {
        waits
            .get((waits.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{:<10} {work:<15} {clients:>7} {rate:>11.0} {:>10} {:>10}",
        format!("{:?}", db.backend()),
        at(0.5),
        at(0.99)
    );
    Ok(())
}
