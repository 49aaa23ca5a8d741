//! The examination: what is unsafe in this installation, in words, each with what to do about it.
//!
//! Entry points: [`settings`] for what can be seen without opening anything, [`running`] for an open program, [`FindingView`] for showing.
//! It only looks. Must not show anything personal: counts and paths.

use super::{backup, store};
use crate::platform::config::{Argon2Cost, Config};
use crate::platform::i18n::sentence;
use crate::platform::{App, Ctx, Fault, Lang, disk, ledger};
use crate::policy;
use db::Backend;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde::Serialize;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A verified backup is old after so many hours: a day and a little.
const BACKUP_HOURS: i64 = 26;
/// The ledger should be read through this often.
const LEDGER_DAYS: i64 = 8;
/// A head kept outside should be held against the ledger this often.
const WITNESS_DAYS: i64 = 90;
/// A disk is nearly full below this share.
const LOW_PERCENT: u64 = 10;
/// How far ahead the working calendar should be known, and must be.
const CALENDAR_DAYS: i64 = 60;
const CALENDAR_AT_LEAST_DAYS: i64 = 10;
/// Clocks of two machines apart, in milliseconds: to be seen to, and too much.
const SKEW_MS: i64 = 5_000;
const SKEW_MOST_MS: i64 = 60_000;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Data or people are at risk now.
    Severe,
    /// Will be, or is against the rules.
    Warning,
    /// Good to know.
    Note,
}

/// One thing that is unsafe.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    params: Vec<(&'static str, String)>,
}

/// A finding in words.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FindingView {
    pub code: &'static str,
    pub severity: Severity,
    /// What is unsafe.
    pub zh: String,
    pub en: String,
    /// What to do.
    pub do_zh: String,
    pub do_en: String,
}

impl Finding {
    fn severe(code: &'static str) -> Finding {
        Finding::new(code, Severity::Severe)
    }

    fn warning(code: &'static str) -> Finding {
        Finding::new(code, Severity::Warning)
    }

    fn new(code: &'static str, severity: Severity) -> Finding {
        Finding {
            code,
            severity,
            params: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Finding {
        self.params.push((name, value.to_string()));
        self
    }

    /// The installation cannot be opened at all.
    pub fn cannot_open(why: impl ToString) -> Finding {
        Finding::severe("doctor_cannot_open").with("why", why)
    }

    /// The database is behind the program.
    pub fn migrations_pending(count: usize) -> Finding {
        Finding::severe("doctor_migrations_pending").with("count", count)
    }

    pub fn view(&self) -> FindingView {
        let say = |lang, code: &str| sentence(lang, code, &self.params);
        let action = format!("{}_do", self.code);
        FindingView {
            code: self.code,
            severity: self.severity,
            zh: say(Lang::Zh, self.code),
            en: say(Lang::En, self.code),
            do_zh: say(Lang::Zh, &action),
            do_en: say(Lang::En, &action),
        }
    }
}

/// What the settings and the files show, without opening the database.
pub fn settings(config: &Config) -> Vec<Finding> {
    [
        key_file(config),
        data_file(config),
        network(config),
        limits(config),
        disks(config),
    ]
    .concat()
}

/// Mode bits for others than the owner.
fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// The folder of a path, as the system knows it.
fn folder_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).canonicalize().ok()
}

fn photos(config: &Config) -> Option<&Path> {
    (!config.blobs.starts_with("s3://")).then(|| Path::new(config.blobs.as_str()))
}

fn key_file(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = config.key_file.display();
    if let Some(mode) = open_to_others(&config.key_file) {
        let mode = format!("{mode:o}");
        found.push(Finding::severe("doctor_key_open").with("path", path).with("mode", mode));
    }
    let key = folder_of(&config.key_file);
    let data = disk::database_file(config).and_then(|file| folder_of(&file));
    let photos = photos(config).and_then(|path| path.canonicalize().ok());
    if let Some(folder) = key.filter(|key| [data, photos].contains(&Some(key.clone()))) {
        found.push(Finding::warning("doctor_key_beside_data").with("path", folder.display()));
    }
    found
}

fn data_file(config: &Config) -> Vec<Finding> {
    let file = disk::database_file(config);
    let open = file.and_then(|file| open_to_others(&file).map(|mode| (file, mode)));
    let finding = open.map(|(file, mode)| {
        let mode = format!("{mode:o}");
        Finding::severe("doctor_data_open")
            .with("path", file.display())
            .with("mode", mode)
    });
    finding.into_iter().collect()
}

/// Whether only this machine reaches the address.
fn only_here(listen: &str) -> bool {
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn network(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let here = only_here(&config.listen);
    if !config.secure() {
        let severity = if here { Severity::Warning } else { Severity::Severe };
        found.push(Finding::new("doctor_no_tls", severity).with("url", &config.public_url));
    }
    if config.trust_proxy && !here {
        found.push(Finding::severe("doctor_proxy_open").with("listen", &config.listen));
    }
    if !config.trust_proxy && here && config.secure() {
        found.push(Finding::warning("doctor_proxy_unknown"));
    }
    if config.metrics_open {
        found.push(Finding::warning("doctor_metrics_open"));
    }
    if ["debug", "trace"].iter().any(|level| config.log.contains(level)) {
        found.push(Finding::warning("doctor_log_loud").with("level", &config.log));
    }
    for target in config
        .webhook_targets
        .iter()
        .filter(|target| target.starts_with("http://"))
    {
        found.push(Finding::warning("doctor_webhook_plain").with("target", target));
    }
    if config.demo {
        found.push(Finding::warning("doctor_demo"));
    }
    found
}

fn limits(config: &Config) -> Vec<Finding> {
    let (limits, least) = (config.limits, Argon2Cost::default());
    let mut found = Vec::new();
    if limits.session_hours > 24 || limits.session_idle_minutes > 120 {
        let finding = Finding::warning("doctor_sessions_long").with("hours", limits.session_hours);
        found.push(finding.with("minutes", limits.session_idle_minutes));
    }
    if limits.logins_per_ten_minutes > 100 {
        found.push(Finding::warning("doctor_logins_many").with("count", limits.logins_per_ten_minutes));
    }
    if config.argon2.memory_kib < least.memory_kib || config.argon2.passes < least.passes {
        let finding = Finding::severe("doctor_hash_cheap").with("memory_kib", config.argon2.memory_kib);
        found.push(finding.with("passes", config.argon2.passes));
    }
    found
}

fn disks(config: &Config) -> Vec<Finding> {
    let database = disk::database_file(config);
    let mut found: Vec<Finding> = Vec::new();
    for path in [database.as_deref(), photos(config)].into_iter().flatten() {
        let Some(room) = disk::room(path) else { continue };
        let percent = room.free.saturating_mul(100) / room.total.max(1);
        let finding = if room.free < disk::RESERVE_BYTES {
            Finding::severe("doctor_disk_full")
        } else if percent < LOW_PERCENT {
            Finding::warning("doctor_disk_low").with("percent", percent)
        } else {
            continue;
        };
        found.push(finding.with("path", path.display()).with("free_mb", room.free >> 20));
    }
    found
}

/// What an open program shows.
pub async fn running(app: &App) -> Result<Vec<Finding>, Fault> {
    let now = app.now();
    let mut found = Vec::new();
    if let Some(why) = app.db().health().refusing {
        found.push(Finding::severe("doctor_writes_stopped").with("why", why));
    }
    found.extend(durable(app).await?);
    found.extend(backups(app, now).await?);
    found.extend(clocks(app, now).await?);
    found.extend(rules(app, now)?);
    let counts = app
        .read(&Ctx::system(app, "doctor"), |ctx, tx| store::counts(tx, ctx.now))
        .await?;
    for (severity, code, count) in [
        (Severity::Severe, "doctor_admin_no_totp", counts.admins_without_totp),
        (Severity::Warning, "doctor_first_password", counts.first_passwords),
        (Severity::Warning, "doctor_jobs_dead", counts.jobs_dead),
        (Severity::Severe, "doctor_jobs_late", counts.jobs_late),
        (Severity::Warning, "doctor_outbox_failed", counts.outbox_failed),
    ] {
        if count > 0 {
            found.push(Finding::new(code, severity).with("count", count));
        }
    }
    found.extend(verified(app, now).await?);
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

/// Whether the database keeps what it says it keeps.
async fn durable(app: &App) -> Result<Vec<Finding>, Fault> {
    if app.db().backend() == Backend::Sqlite {
        return Ok(Vec::new()); // Each connection is opened with synchronous = full; there is no setting to get wrong.
    }
    let settings = app
        .read(&Ctx::system(app, "doctor"), |_, tx| store::durability(tx))
        .await?;
    let off = settings.into_iter().filter(|(_, value)| value == "off");
    Ok(off
        .map(|(setting, value)| {
            let finding = Finding::severe("doctor_not_durable").with("setting", setting);
            finding.with("value", value).with("wanted", "on")
        })
        .collect())
}

async fn backups(app: &App, now: Timestamp) -> Result<Vec<Finding>, Fault> {
    let Some(newest) = backup::newest(app).await? else {
        return Ok(vec![Finding::severe("doctor_no_backup")]);
    };
    let mut found = Vec::new();
    let hours = (now.0 - newest.at.0) / HOUR_MS;
    if hours >= BACKUP_HOURS {
        found.push(Finding::severe("doctor_backup_old").with("hours", hours));
    }
    let (place, config) = (Path::new(&newest.place), app.config());
    let device = |path: &Path| std::fs::metadata(path).ok().map(|meta| meta.dev());
    let database = disk::database_file(config).and_then(|file| device(&file));
    if database.is_some() && device(place) == database {
        found.push(Finding::warning("doctor_backup_same_disk").with("path", &newest.place));
    }
    let folder = folder_of(place);
    if let Some(folder) = folder.filter(|folder| folder_of(&config.key_file).as_ref() == Some(folder)) {
        found.push(Finding::severe("doctor_key_in_backups").with("path", folder.display()));
    }
    Ok(found)
}

async fn clocks(app: &App, now: Timestamp) -> Result<Vec<Finding>, Fault> {
    let mut found = Vec::new();
    let newest = ledger::newest_time(app).await?;
    if let Some(back) = newest
        .map(|at| at.0 - now.0)
        .filter(|back| *back > crate::platform::clock::MOST_BACK_MS)
    {
        found.push(Finding::severe("doctor_clock_behind").with("minutes", back / MINUTE_MS));
    }
    if app.db().backend() == Backend::Postgres {
        let there = app
            .read(&Ctx::system(app, "doctor"), |_, tx| store::database_time(tx))
            .await?;
        let apart = (there - app.now().0).abs();
        if apart > SKEW_MS {
            let severity = if apart > SKEW_MOST_MS {
                Severity::Severe
            } else {
                Severity::Warning
            };
            found.push(Finding::new("doctor_clock_skew", severity).with("seconds", apart / 1_000));
        }
    }
    Ok(found)
}

/// The pack and its calendar.
fn rules(app: &App, now: Timestamp) -> Result<Vec<Finding>, Fault> {
    let current = policy::current(app)?;
    let mut found = Vec::new();
    let (_, last) = current.now_calendar().known();
    let known_until = |days: i64| now.plus_ms(days * DAY_MS).civil().date() <= last;
    if !known_until(CALENDAR_DAYS) {
        let severity = if known_until(CALENDAR_AT_LEAST_DAYS) {
            Severity::Warning
        } else {
            Severity::Severe
        };
        found.push(Finding::new("doctor_calendar_ends", severity).with("date", last));
    }
    let count = policy::assumptions(&current);
    if count > 0 {
        found.push(Finding::new("doctor_assumptions", Severity::Note).with("count", count));
    }
    Ok(found)
}

/// When the ledger was last read through, and last held against a head from outside.
async fn verified(app: &App, now: Timestamp) -> Result<Vec<Finding>, Fault> {
    let verified = app
        .read(&Ctx::system(app, "doctor"), |_, tx| store::verified(tx))
        .await?;
    let days = |at: i64| (now.0 - at) / DAY_MS;
    let mut found = Vec::new();
    match verified.ledger.map(days) {
        None => found.push(Finding::warning("doctor_ledger_never")),
        Some(days) if days >= LEDGER_DAYS => {
            found.push(Finding::warning("doctor_ledger_unverified").with("days", days));
        }
        Some(_) => {}
    }
    if verified.witness.is_none_or(|at| days(at) >= WITNESS_DAYS) {
        found.push(Finding::warning("doctor_no_witness"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::platform::i18n::known;

    fn codes(found: &[Finding]) -> Vec<(&'static str, Severity)> {
        found.iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    fn safe(folder: &Path) -> Config {
        for name in ["data", "blobs", "keys"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        for name in ["data/wangge.db", "keys/wangge.key"] {
            std::fs::write(folder.join(name), "").unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Config {
            public_url: "https://grid.example".into(),
            trust_proxy: true,
            database: format!("sqlite:{}", folder.join("data/wangge.db").display()),
            blobs: folder.join("blobs").display().to_string(),
            key_file: folder.join("keys/wangge.key"),
            ..Config::default()
        }
    }

    fn of_disks(code: &str) -> bool {
        code.starts_with("doctor_disk")
    }

    #[test]
    fn each_unsafe_setting_is_named_and_a_safe_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let sound = safe(folder.path());
        let found: Vec<_> = codes(&settings(&sound))
            .into_iter()
            .filter(|(code, _)| !of_disks(code))
            .collect();
        assert_eq!(found, []);

        let key = folder.path().join("data/wangge.key");
        std::fs::write(&key, "").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut unsafe_one = Config {
            key_file: key,
            listen: "0.0.0.0:80".into(),
            public_url: "http://grid.example".into(),
            metrics_open: true,
            log: "wangge=debug".into(),
            demo: true,
            webhook_targets: vec!["http://10.1.2.3:8080".into(), "hooks.example".into()],
            ..sound
        };
        unsafe_one.limits.session_hours = 48;
        unsafe_one.limits.logins_per_ten_minutes = 500;
        unsafe_one.argon2.passes = 1;
        let found = settings(&unsafe_one);
        let shown: Vec<_> = codes(&found).into_iter().filter(|(code, _)| !of_disks(code)).collect();
        assert_eq!(
            shown,
            [
                ("doctor_key_open", Severity::Severe),
                ("doctor_key_beside_data", Severity::Warning),
                ("doctor_no_tls", Severity::Severe),
                ("doctor_proxy_open", Severity::Severe),
                ("doctor_metrics_open", Severity::Warning),
                ("doctor_log_loud", Severity::Warning),
                ("doctor_webhook_plain", Severity::Warning),
                ("doctor_demo", Severity::Warning),
                ("doctor_sessions_long", Severity::Warning),
                ("doctor_logins_many", Severity::Warning),
                ("doctor_hash_cheap", Severity::Severe),
            ]
        );
        for finding in &found {
            let view = finding.view();
            for text in [&view.zh, &view.en, &view.do_zh, &view.do_en] {
                assert!(!text.contains('{') && !text.starts_with("doctor_"), "{text}");
            }
        }
    }

    /// Every code in this file has its sentence and its advice, in both languages.
    #[test]
    fn every_finding_has_words() {
        let text = include_str!("doctor.rs");
        let production = text.split("#[cfg(test)]").next().unwrap();
        let mut seen = 0;
        for (at, _) in production.match_indices("\"doctor_") {
            let code = production[at + 1..].split('"').next().unwrap();
            assert!(known(code) && known(&format!("{code}_do")), "{code}");
            seen += 1;
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn only_this_machine_is_told_from_the_world() {
        assert!(only_here("127.0.0.1:8080") && only_here("[::1]:8080") && only_here("localhost:1"));
        assert!(!only_here("0.0.0.0:8080") && !only_here("10.0.0.1:80") && !only_here(":8080"));
    }
}
