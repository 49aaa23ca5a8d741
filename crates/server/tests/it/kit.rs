//! The test kit: the real router on a real database of each kind, with a clock the test moves and seeded randomness.
//!
//! Entry points: [`each_backend`] (run a test on both) and [`TestApp`]. Requests go through every layer of the router, without a socket.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use db::testkit::TestDb;
use db::{Backend, params};
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::{Value, json};
use server::access::{self, GrantWish, NewAccount};
use server::demo;
use server::migrations::MIGRATIONS;
use server::platform::clock::{Chance, Clock};
use server::platform::config::{Argon2Cost, Config};
use server::platform::keys::Keys;
use server::platform::{AccountId, App, AreaId, Ctx, Mark, Subject, UnitId};
use std::net::SocketAddr;
use std::sync::OnceLock;
use tower::ServiceExt as _;
use uuid::Uuid;

/// When every test begins: Saturday 2026-02-14, 10:00, a make-up working day before the Spring Festival.
pub const BEGIN: &str = "2026-02-14T10:00:00+08:00";
/// The password of every account the kit makes.
pub const PASSWORD: &str = "correct horse battery";

/// What the key of the one installation most tests have is made from.
const SEED: u8 = 42;

/// The city all of it lies in; the one grant that sees both towns is for it or for the whole jurisdiction.
pub const CITY: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00d1));
/// Two towns that must not see each other, and a community with a grid in the first.
pub const EAST: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00e1));
pub const EAST_COMMUNITY: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00e2));
pub const EAST_GRID: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00e3));
pub const WEST: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00f1));

/// Runs a test on each kind of database. The printed name tells which one a failure is about.
pub async fn each_backend(test: impl AsyncFn(&TestApp)) {
    each_backend_with(config(), test).await;
}

/// As [`each_backend`], with other settings.
pub async fn each_backend_with(config: Config, test: impl AsyncFn(&TestApp)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let app = TestApp::with(backend, config.clone()).await;
        test(&app).await;
        app.remove().await;
    }
}

/// A whole server in memory, its database apart.
pub struct TestApp {
    /// The program, for what a test does without HTTP.
    pub app: App,
    router: Router,
    database: Database,
}

/// Where a test keeps its data; gone with the test.
enum Database {
    Kept(TestDb),
    /// In memory, for what writes for months: the disk is not what it tests.
    InMemory(db::Db, tempfile::TempDir),
}

/// The settings of tests: cheap password hashing, budgets out of the way.
pub fn config() -> Config {
    let mut config = Config {
        pack: Some("zhoushan".into()),
        ..Config::default()
    };
    config.argon2 = Argon2Cost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    config.blobs = blobs().display().to_string();
    config.webhook_targets = vec!["hooks.invalid".into()];
    config.limits.logins_per_ten_minutes = 100_000;
    config.limits.portal_per_minute = 100_000;
    config.limits.tiles_per_minute = 100_000;
    config.limits.open311_per_minute = 100_000;
    config
}

/// Where photos of this test process go; removed with the program.
fn blobs() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("wangge-it-{}", std::process::id()))
}

impl TestApp {
    /// On a new empty database.
    pub async fn new(backend: Backend) -> TestApp {
        TestApp::with(backend, config()).await
    }

    /// With other settings.
    pub async fn with(backend: Backend, config: Config) -> TestApp {
        TestApp::keyed(backend, config, SEED).await
    }

    /// With a key and chance of its own: another installation.
    pub async fn keyed(backend: Backend, config: Config, seed: u8) -> TestApp {
        TestApp::empty_keyed(backend, config, seed).await.ready().await
    }

    async fn ready(self) -> TestApp {
        server::policy::start(&self.app)
            .await
            .expect("the pack comes into force");
        load_territory(&self.app).await;
        self
    }

    /// On a new empty database whose SQLite file is in memory, where the machine has such a place.
    pub async fn in_memory(backend: Backend, config: Config) -> TestApp {
        let place = std::path::Path::new("/dev/shm");
        if backend != Backend::Sqlite || !place.is_dir() {
            return TestApp::with(backend, config).await;
        }
        let folder = tempfile::tempdir_in(place).expect("a folder in memory");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let opened = db::Db::open(&url, db::Options::default())
            .await
            .expect("the test database opens");
        let test = TestApp::on(opened.clone(), Database::InMemory(opened, folder), config, SEED).await;
        test.ready().await
    }

    /// The fictional city of the demo, with its accounts ([`PASSWORD`]) and without cases.
    pub async fn demo(backend: Backend) -> TestApp {
        TestApp::demo_with(backend, config()).await
    }

    /// As [`TestApp::demo`], with other settings.
    pub async fn demo_with(backend: Backend, config: Config) -> TestApp {
        let test = TestApp::empty(backend, config).await;
        demo::open_place(&test.app, None)
            .await
            .expect("the pack comes into force");
        demo::furnish(&test.app, 1).await.expect("the place is made");
        demo::set_passwords(&test.app, PASSWORD)
            .await
            .expect("the accounts are made");
        test
    }

    /// Without pack and territory.
    async fn empty(backend: Backend, config: Config) -> TestApp {
        TestApp::empty_keyed(backend, config, SEED).await
    }

    async fn empty_keyed(backend: Backend, config: Config, seed: u8) -> TestApp {
        let database = TestDb::new(backend, db::Options::default()).await;
        TestApp::on(database.db.clone(), Database::Kept(database), config, seed).await
    }

    async fn on(db: db::Db, database: Database, config: Config, seed: u8) -> TestApp {
        db.migrate(MIGRATIONS).await.expect("the schema comes up");
        let begin = Timestamp::parse(BEGIN).expect("a time");
        let chance = Chance::seeded(20260214 + u64::from(seed) - u64::from(SEED));
        let app = App::new(
            db,
            config,
            Clock::standing_at(begin),
            chance,
            Keys::from_master([seed; 32]),
        );
        server::register(&app);
        TestApp {
            router: server::router::router(app.clone()),
            app,
            database,
        }
    }

    /// Answers on a socket too, for programs of others; until the test ends.
    pub fn listen(&self, listener: tokio::net::TcpListener) {
        let router = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await.expect("the socket serves") });
    }

    /// The same browser at another process of the program on the same database.
    pub async fn another_process(&self, client: &Client) -> Client {
        let clock = Clock::standing_at(self.app.now());
        let keys = Keys::from_master([SEED; 32]);
        let app = App::new(self.app.db().clone(), config(), clock, Chance::seeded(20260215), keys);
        server::register(&app);
        server::policy::start(&app).await.expect("the pack is there");
        server::territory::load(&app).await.expect("the territory loads");
        Client {
            router: server::router::router(app),
            ..client.clone()
        }
    }

    /// Takes the database away.
    pub async fn remove(self) {
        drop((self.router, self.app));
        let _ = std::fs::remove_dir_all(blobs());
        match self.database {
            Database::Kept(database) => database.remove().await,
            Database::InMemory(db, folder) => {
                db.close().await;
                folder.close().expect("the folder in memory can be removed");
            }
        }
    }

    /// Time passes.
    pub fn advance_minutes(&self, minutes: i64) {
        self.app.clock().advance_ms(minutes * MINUTE_MS);
    }

    /// Time passes.
    pub fn advance_hours(&self, hours: i64) {
        self.app.clock().advance_ms(hours * HOUR_MS);
    }

    /// Somebody without an account.
    pub fn visitor(&self) -> Client {
        Client {
            router: self.router.clone(),
            cookie: None,
            address: "203.0.113.7:4000".parse().expect("an address"),
        }
    }

    /// Somebody with one role for one area subtree (none: the whole jurisdiction), signed in.
    pub async fn login_as(&self, role: &str, area: Option<AreaId>) -> Client {
        self.login_with(vec![GrantWish {
            role: role.into(),
            area,
            unit: None,
        }])
        .await
    }

    /// Somebody with one role for what one unit has in hand, signed in.
    pub async fn login_for_unit(&self, role: &str, area: AreaId, unit: UnitId) -> Client {
        self.login_with(vec![GrantWish {
            role: role.into(),
            area: Some(area),
            unit: Some(unit),
        }])
        .await
    }

    /// Somebody with these roles, signed in.
    pub async fn login_with(&self, grants: Vec<GrantWish>) -> Client {
        let id: AccountId = self.app.new_id();
        let login = self.account(id, grants).await;
        self.sign_in(&login, PASSWORD).await
    }

    /// An account with these roles and [`PASSWORD`]: its login name.
    pub async fn account(&self, id: AccountId, grants: Vec<GrantWish>) -> String {
        let login = format!("u{}", &id.to_string()[24..]);
        let new = NewAccount {
            id,
            login: login.clone(),
            name: format!("测试 {login}"),
            worker: None,
            grants,
        };
        let hash = cheap_hash(&self.app).await;
        let ctx = Ctx::system(&self.app, "test");
        self.app
            .write(&ctx, move |ctx, tx| access::add_account(ctx, tx, new, &hash, false))
            .await
            .expect("an account");
        login
    }

    /// Signs in with a password that must be right.
    pub async fn sign_in(&self, login: &str, password: &str) -> Client {
        let mut client = self.visitor();
        let answer = client
            .post("/api/v1/session", json!({ "login": login, "password": password }))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        client.keep_cookie(&answer);
        client
    }
}

/// Hashing once serves every account: they all have the same password.
async fn cheap_hash(app: &App) -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return hash.clone();
    }
    let hash = access::hash_password(app, PASSWORD.into()).await.expect("a hash");
    HASH.get_or_init(|| hash).clone()
}

/// The territory of the tests: a city, two towns in it, a community and a grid in the first.
async fn load_territory(app: &App) {
    const AREA: &str = "insert into area (id, code, name, placeholder, pinyin, initials, level, kind, parent_id, depth, a1, a2, a3, a4, a5,
        lon, lat, valid_from, valid_to, made_in_version)
        values ($1, $2, $3, 0, '', '', $4, null, $5, $6, $7, $8, $9, $10, null, 122.2, 29.9, '2026-01-01', null, 1)";
    let ctx = Ctx::system(app, "test");
    app.write(&ctx, |ctx, tx| {
        tx.execute(
            "insert into territory_version (version, adopted_at, note) values (1, 0, 'test')",
            &params![],
        )?;
        for (chain, code, name) in [
            (&[CITY][..], "3309", "测试市"),
            (&[CITY, EAST], "330902001", "东港街道"),
            (&[CITY, EAST, EAST_COMMUNITY], "330902001001", "海印社区"),
            (&[CITY, EAST, EAST_COMMUNITY, EAST_GRID], "330902001001001", "第一网格"),
            (&[CITY, WEST], "330902002", "西陵街道"),
        ] {
            let at = |n: usize| chain.get(n).copied();
            let level = ["city", "town", "community", "grid"][chain.len() - 1];
            let parent = chain.len().checked_sub(2).and_then(at);
            let (id, depth) = (at(chain.len() - 1), chain.len());
            tx.execute(
                AREA,
                &params![id, code, name, level, parent, depth, at(0), at(1), at(2), at(3)],
            )?;
        }
        tx.record(ctx, Mark::new("territory.imported", Subject::Territory, json!({})))
    })
    .await
    .expect("the areas of the tests");
    server::territory::load(app).await.expect("the territory loads");
}

/// One browser: it keeps its cookie.
#[derive(Clone)]
pub struct Client {
    router: Router,
    /// `name=value`, as the browser would send it.
    pub cookie: Option<String>,
    /// Where it calls from.
    pub address: SocketAddr,
}

impl Client {
    /// The same browser calling from another address.
    pub fn at_address(mut self, address: &str) -> Client {
        self.address = SocketAddr::new(address.parse().expect("an address"), 4000);
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// A request as the pages send it: JSON, the client named, in English.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path).header("x-wangge-client", "desk");
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.raw(request.body(body).expect("a request")).await
    }

    /// The beginning of a request with this browser's cookie.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, "en");
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    /// Sends a request as it is; the answer whole.
    pub async fn raw(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.open(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("the answer's body").to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends a request as it is; the answer with its body still to come (streams).
    pub async fn open(&self, mut request: Request<Body>) -> axum::response::Response {
        request.extensions_mut().insert(ConnectInfo(self.address));
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("the router cannot fail")
    }

    /// Keeps the cookie an answer sets, as a browser does.
    pub fn keep_cookie(&mut self, answer: &Answer) {
        let set = answer
            .headers
            .get(header::SET_COOKIE)
            .expect("a cookie")
            .to_str()
            .expect("text");
        self.cookie = set.split(';').next().map(str::to_owned);
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a success; a failure stops the test with its text.
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// `status code`, for comparing: `422 password_short`.
    pub fn verdict(&self) -> String {
        let code = serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned));
        match code.filter(|_| !self.status.is_success()) {
            Some(code) => format!("{} {code}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}
