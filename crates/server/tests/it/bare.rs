//! The program on a fresh database of each kind, without the HTTP side: for parts that are below it.
use db::testkit::TestDb;
use db::{Backend, Options};
use domain::time::Timestamp;
use server::migrations::MIGRATIONS;
use server::platform::App;
use server::platform::clock::{Chance, Clock};
use server::platform::config::Config;
use server::platform::keys::Keys;

/// Saturday morning, 14 February 2026.
pub const START: i64 = 1_771_030_800_000;

/// A program, and the database under it.
pub struct Bare {
    pub app: App,
    pub test: TestDb,
    pub folder: tempfile::TempDir,
}

impl Bare {
    pub async fn new(backend: Backend) -> Bare {
        let test = TestDb::new(backend, Options::default()).await;
        test.db.migrate(MIGRATIONS).await.expect("the schema can be made");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let app = app_on(&test.db, &folder, 1);
        Bare { app, test, folder }
    }

    pub async fn remove(self) {
        drop(self.app);
        self.test.remove().await;
    }
}

/// A program on this database whose keys come from `master`: two with the same are one server started twice.
pub fn app_on(db: &db::Db, folder: &tempfile::TempDir, master: u8) -> App {
    let config = Config {
        blobs: folder.path().join("blobs").display().to_string(),
        ..Config::default()
    };
    let clock = Clock::standing_at(Timestamp(START));
    App::new(
        db.clone(),
        config,
        clock,
        Chance::seeded(u64::from(master)),
        Keys::from_master([master; 32]),
    )
}

/// Runs the test on each database.
pub async fn each<F: Future<Output = ()>>(test: impl Fn(Bare) -> F) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        test(Bare::new(backend).await).await;
    }
}
