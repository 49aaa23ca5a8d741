//! For tests, of this crate and of those above it: fresh databases of both kinds. Feature `testkit`.
//!
//! PostgreSQL is the one `WANGGE_TEST_POSTGRES` names (an address without schema), else `script/lib/postgres shared` is asked for the
//! throw-away cluster. Each call gives a new empty schema.

use crate::{Backend, Db, Options};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database that disappears with this value.
pub struct TestDb {
    pub db: Db,
    pub url: String,
    folder: Option<tempfile::TempDir>,
}

impl TestDb {
    /// A new empty database.
    pub async fn new(backend: Backend, options: Options) -> TestDb {
        let (url, folder) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                (
                    format!("sqlite:{}", folder.path().join("test.db").display()),
                    Some(folder),
                )
            }
            Backend::Postgres => (postgres(), None),
        };
        let db = Db::open(&url, options).await.expect("the test database opens");
        TestDb { db, url, folder }
    }

    /// Closes the database and removes it; a test that fails leaves its PostgreSQL schema to the cluster's end.
    pub async fn remove(self) {
        self.db.close().await;
        match self.folder {
            Some(folder) => folder.close().expect("the temporary folder can be removed"),
            None => drop_schema(&self.url).await,
        }
    }
}

/// Runs the same test on a fresh database of each kind. On failure the printed name tells which one it was.
pub async fn each_backend<F: Future<Output = ()>>(test: impl Fn(Db) -> F) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let fresh = TestDb::new(backend, Options::default()).await;
        test(fresh.db.clone()).await;
        fresh.remove().await;
    }
}

/// The address of a new schema's place; opening it makes the schema.
pub fn postgres() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Fresh randomness without a dependency: process numbers come back.
    let random = RandomState::new().build_hasher().finish();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let base = cluster();
    let separator = if base.contains('?') { '&' } else { '?' };
    format!("{base}{separator}schema=t_{}_{random:x}_{number}", std::process::id())
}

/// The address of the cluster, started if need be.
fn cluster() -> &'static str {
    static CLUSTER: OnceLock<String> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        if let Ok(given) = std::env::var("WANGGE_TEST_POSTGRES") {
            return given;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../script/lib/postgres");
        let output = Command::new(script)
            .arg("shared")
            .output()
            .expect("script/lib/postgres can be run");
        assert!(
            output.status.success(),
            "no PostgreSQL for tests: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

async fn drop_schema(url: &str) {
    let url = url.to_owned();
    let dropped = tokio::task::spawn_blocking(move || {
        let target = crate::postgres::Target::parse(&url)?;
        crate::postgres::runtime()?.block_on(async {
            let client = crate::postgres::connect(&target, &Options::default()).await?;
            crate::migrate::run(&client, &format!("drop schema {} cascade", target.schema)).await
        })
    });
    dropped
        .await
        .expect("dropping the schema")
        .expect("the schema can be dropped");
}
