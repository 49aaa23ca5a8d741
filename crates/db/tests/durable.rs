//! What was answered stays, whatever kills the process or the disk. A child process writes and tells; the parent kills it and looks.
#![allow(clippy::unwrap_used)]

use db::testkit;
use db::{Backend, Db, DbError, Migration, Options, params};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

const LIST: [Migration; 1] = [Migration {
    number: 1,
    name: "item",
    sql: "create table item (id integer primary key, body text not null) strict;",
}];
const URL: &str = "DURABLE_CHILD_URL";
const CLIENTS: i64 = 16;

/// The child: 16 clients writing without end, each answered write printed; when writes are refused it proves that reads go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the other tests as their child"]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let db = Db::open(&url, Options::default()).await.unwrap();
    db.migrate(&LIST).await.unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let db = db.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let id = client * 1_000_000_000 + number;
                    let body = "x".repeat(usize::try_from(number % 3000).unwrap());
                    match db
                        .write(move |tx| tx.execute("insert into item (id, body) values ($1, $2)", &params![id, body]))
                        .await
                    {
                        Ok(_) => say(&format!("acked {id}")),
                        Err(DbError::Refusing { .. }) => return,
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let rows: i64 = db
        .read(|tx| tx.query_one("select count(*) from item", &params![])?.get(0))
        .await
        .unwrap_or_else(|error: DbError| panic!("{error}"));
    assert!(db.health().refusing.is_some());
    say(&format!("refused {rows}"));
    db.close().await;
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn start(mut command: Command, url: &str) -> Child {
    command
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(URL, url);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Reads what the child says; kills it after so many answers.
fn watch(mut child: Child, kill_after: usize) -> (Vec<i64>, Option<String>) {
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let (mut acked, mut refused) = (Vec::new(), None);
    for line in lines {
        // The harness prints on the first line too, so look within it.
        if let Some((_, id)) = line.split_once("acked ") {
            acked.push(id.parse().unwrap());
        } else if let Some((_, rows)) = line.split_once("refused ") {
            refused = Some(rows.to_owned());
        }
        if acked.len() == kill_after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    (acked, refused)
}

/// Every answered id is there.
async fn all_there(url: &str, acked: &[i64]) {
    let db = Db::open(url, Options::default()).await.unwrap();
    let rows = db.read(|tx| tx.query("select id from item", &params![])).await.unwrap();
    let there: HashSet<i64> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    let lost: Vec<_> = acked.iter().filter(|id| !there.contains(id)).collect();
    assert!(
        lost.is_empty(),
        "{} of {} answered writes are lost: {lost:?}",
        lost.len(),
        acked.len()
    );
    db.close().await;
}

fn itself() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

#[tokio::test]
async fn kill_9_loses_no_answered_write() {
    let folder = tempfile::tempdir().unwrap();
    for kill_after in [1, 17, 150, 400, 1_000, 3_000] {
        let url = format!("sqlite:{}", folder.path().join(format!("{kill_after}.db")).display());
        let (acked, _) = watch(start(itself(), &url), kill_after);
        assert!(
            acked.len() >= kill_after,
            "the child ended by itself after {}",
            acked.len()
        );
        all_there(&url, &acked).await;
    }
    let fresh = testkit::TestDb::new(Backend::Postgres, Options::default()).await;
    let (acked, _) = watch(start(itself(), &fresh.url), 500);
    all_there(&fresh.url, &acked).await;
    fresh.remove().await;
}

/// Whether processes can be traced here: faults are put into a child's system calls that way.
fn can_trace() -> bool {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: strace is missing or may not trace here");
    }
    works
}

/// This test as a child whose system calls go wrong.
fn faulty(injection: String) -> Command {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync,fsync,pwrite64",
        "-e",
    ]);
    command
        .arg(format!("inject={injection}"))
        .arg(std::env::current_exe().unwrap());
    command
}

/// Killed at the nth write to the disk, between the pieces of a commit.
#[tokio::test]
async fn a_kill_between_two_writes_to_the_disk_loses_nothing_answered() {
    if !can_trace() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for at in [3, 11, 16, 17, 18, 19, 20, 41, 97, 211, 499] {
        let url = format!("sqlite:{}", folder.path().join(format!("{at}.db")).display());
        let (acked, refused) = watch(
            start(faulty(format!("pwrite64:signal=SIGKILL:when={at}")), &url),
            usize::MAX,
        );
        assert_eq!(refused, None, "the child was to be killed at write {at}");
        if !acked.is_empty() {
            all_there(&url, &acked).await;
        }
    }
}

/// The disk says an error at the nth sync: from then on writes are refused, reads go on, and nothing answered is lost.
#[tokio::test]
async fn a_failing_disk_stops_writes_and_loses_nothing_answered() {
    if !can_trace() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, when) in [("once", "40"), ("always", "40+")] {
        let url = format!("sqlite:{}", folder.path().join(format!("{name}.db")).display());
        let (acked, refused) = watch(
            start(faulty(format!("fdatasync,fsync:error=EIO:when={when}")), &url),
            usize::MAX,
        );
        let refused = refused.unwrap_or_else(|| panic!("{name}: the child did not refuse; {} answered", acked.len()));
        assert!(
            !acked.is_empty() && refused.parse::<usize>().unwrap() >= acked.len(),
            "{name}: {} answered, {refused} there",
            acked.len()
        );
        // Nothing is moved out of the log once a sync has failed, not at closing either: trying again may say yes to lost pages.
        let log = folder.path().join(format!("{name}.db-wal"));
        assert!(
            std::fs::metadata(&log).is_ok_and(|log| log.len() > 0),
            "{name}: the log is gone"
        );
        all_there(&url, &acked).await;
    }
}

/// However much is written, the log stays short: what it held has been moved into the file, and it begins anew, also beside a reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short() {
    const WRITES: i64 = 60;
    const BYTES: usize = 2 << 20;
    const LOG_MOST: u64 = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("town.db");
    let db = Db::open(&format!("sqlite:{}", file.display()), Options::default())
        .await
        .unwrap();
    db.migrate(&LIST).await.unwrap();
    for id in 0..WRITES {
        let body = "x".repeat(BYTES);
        let written: Result<u64, DbError> = db
            .write(move |tx| tx.execute("insert into item (id, body) values ($1, $2)", &params![id, body]))
            .await;
        written.unwrap();
        let there: Result<i64, DbError> = db
            .read(|tx| tx.query_one("select count(*) from item", &params![])?.get(0))
            .await;
        assert_eq!(there.unwrap(), id + 1);
    }
    let length = |file: &std::path::Path| std::fs::metadata(file).unwrap().len();
    let log = length(&folder.path().join("town.db-wal"));
    assert!(log <= LOG_MOST, "{log} bytes of log after {WRITES} writes of {BYTES}");
    assert!(length(&file) > LOG_MOST, "nothing was moved into the file");
    db.close().await;
}
