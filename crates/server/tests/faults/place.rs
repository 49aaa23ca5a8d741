//! Places to break: one lifelike place is made for each kind of database, every run gets a copy of it.

use crate::client::Client;
use crate::server_process::{Injection, Server};
use server::cli::serve;
use server::demo;
use server::platform::App;
use server::platform::config::{Argon2Cost, Config, Limits};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Password of the accounts of these throw-away places.
const PASSWORD: &str = "faults only, thrown away";

/// Which database a run is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    Sqlite,
    Postgres,
}

/// A PostgreSQL cluster of one's own, durable, to be restarted and shot at.
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
}

impl Cluster {
    pub fn start() -> Cluster {
        let owner = std::process::id().to_string();
        let said = script(&["start", &owner], &[("WANGGE_TEST_POSTGRES_FSYNC", "on")]);
        let folder = said
            .split_whitespace()
            .find_map(|word| word.strip_prefix("WANGGE_TEST_POSTGRES_DIR="))
            .expect("the cluster says where it is");
        let bin = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed")
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .max()
            .expect("PostgreSQL is installed");
        Cluster {
            folder: folder.into(),
            bin,
        }
    }

    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user=postgres&schema=town",
            self.folder.display()
        )
    }

    /// What one statement says, outside of any transaction; its rows as lines.
    pub fn sql(&self, sql: &str) -> Result<String, String> {
        let said = Command::new(self.bin.join("psql"))
            .args(["-h", &self.folder.display().to_string(), "-U", "postgres", "-Atqc", sql])
            .output()
            .expect("psql runs");
        if said.status.success() {
            Ok(String::from_utf8_lossy(&said.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&said.stderr).into_owned())
        }
    }

    /// Stops it as `mode` says (`fast`, `immediate`) and starts it again.
    pub fn restart(&self, mode: &str) {
        let folder = [("WANGGE_TEST_POSTGRES_DIR", self.folder.display().to_string())];
        let folder: Vec<(&str, &str)> = folder.iter().map(|(name, value)| (*name, value.as_str())).collect();
        script(&["restart", mode], &folder);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script(
            &["stop"],
            &[("WANGGE_TEST_POSTGRES_DIR", &self.folder.display().to_string())],
        );
    }
}

fn script(args: &[&str], env: &[(&str, &str)]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../script/lib/postgres");
    let said = Command::new(path)
        .args(args)
        .envs(env.iter().copied())
        .output()
        .expect("script/lib/postgres runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

/// The place every run begins with: units, posts, people, areas, no cases; and the sessions of those who work there.
pub struct Template {
    pub on: On,
    folder: tempfile::TempDir,
    pub clerk: Client,
    pub dispatcher: Client,
}

impl Template {
    pub async fn make(on: On, cluster: Option<&Cluster>) -> Template {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::lay_out(on, folder.path(), cluster.map(|cluster| cluster.url("template")));
        if let Some(cluster) = cluster {
            cluster.sql("create database template").expect("a database");
        }
        let app = serve::open(place.config()).await.expect("a new place opens");
        demo::open_place(&app, None).await.expect("the pack comes into force");
        demo::furnish(&app, 1).await.expect("the place is made");
        demo::set_passwords(&app, PASSWORD)
            .await
            .expect("the accounts are made");
        app.db().clone().close().await;
        drop(app);
        let server = Server::start(&place, Injection::None)
            .await
            .expect("the place is served");
        let mut people = ["clerk", "dispatcher"].map(|login| (login, Client::default().at(&server.address)));
        for (login, client) in &mut people {
            client.sign_in(login, PASSWORD).await;
        }
        server.stop().await;
        let [(_, clerk), (_, dispatcher)] = people;
        Template {
            on,
            folder,
            clerk,
            dispatcher,
        }
    }

    /// A copy in a folder of its own.
    pub fn copy(&self, folder: &Path, cluster: Option<&Cluster>, number: usize) -> Place {
        let url = cluster.map(|cluster| {
            let name = format!("run_{}_{number}", std::process::id());
            cluster
                .sql(&format!("create database {name} template template"))
                .expect("a copy of the template");
            cluster.url(&name)
        });
        copy_folder(self.folder.path(), folder);
        Place::lay_out(self.on, folder, url)
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// One installation: settings, keys, database, photos.
#[derive(Debug, Clone)]
pub struct Place {
    pub on: On,
    pub folder: PathBuf,
    url: Option<String>,
}

impl Place {
    /// The folders and the settings file; an installation that is there stays.
    pub fn lay_out(on: On, folder: &Path, url: Option<String>) -> Place {
        for name in ["data", "blobs", "keys"] {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        let place = Place {
            on,
            folder: folder.to_owned(),
            url,
        };
        let config = place.config();
        let text = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:0\"\ndatabase = \"{}\"\nblobs = \"{}\"\nkey_file = \"{}\"\npack = \"zhoushan\"\nlog = \"warn\"\n\
             [argon2]\nmemory_kib = 8\npasses = 1\nlanes = 1\n\
             [limits]\nportal_per_minute = 1000000\nlogins_per_ten_minutes = 100000\nsession_idle_minutes = 100000\nsession_hours = 100000\n",
            config.database,
            config.blobs,
            config.key_file.display()
        );
        std::fs::write(place.settings(), text).expect("the settings are written");
        place
    }

    pub fn settings(&self) -> PathBuf {
        self.folder.join("wangge.toml")
    }

    pub fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// The name of its database in the cluster.
    pub fn database(&self) -> Option<&str> {
        self.url.as_deref()?.strip_prefix("postgres:///")?.split('?').next()
    }

    /// What the settings file says, for opening the place in this process.
    pub fn config(&self) -> Config {
        let sqlite = || format!("sqlite:{}", self.folder.join("data/wangge.db").display());
        Config {
            database: self.url.clone().unwrap_or_else(sqlite),
            blobs: self.blobs().display().to_string(),
            key_file: self.folder.join("keys/wangge.key"),
            pack: Some("zhoushan".into()),
            argon2: Argon2Cost {
                memory_kib: 8,
                passes: 1,
                lanes: 1,
            },
            limits: Limits::default(),
            ..Config::default()
        }
    }

    /// The program on this place, without its HTTP side: to look at what is there.
    pub async fn open(&self) -> Result<App, String> {
        serve::open(self.config()).await.map_err(|error| error.to_string())
    }
}
