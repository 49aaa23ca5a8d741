//! What an operator decides: a TOML file and the environment, the environment winning.
//!
//! Entry point: [`Config::load`]. Every setting has a default that is safe for one machine; `docs/operations` lists them.

use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Settings of one server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on. `WANGGE_LISTEN`
    pub listen: String,
    /// The address users see; `https://` turns on secure cookies. `WANGGE_PUBLIC_URL`
    pub public_url: String,
    /// `sqlite:PATH` or `postgres://..?schema=NAME`. `WANGGE_DATABASE`
    pub database: String,
    /// Where photos go: a folder, or `s3://bucket/prefix` (credentials from the usual AWS variables). `WANGGE_BLOBS`
    pub blobs: String,
    /// The master key file, made at first start. `WANGGE_KEY_FILE`
    pub key_file: PathBuf,
    /// Folder of the rule pack. `WANGGE_PACK`
    pub pack: Option<PathBuf>,
    /// The base map under our own layers; none: our layers alone. `WANGGE_MAP_STYLE_URL`, `WANGGE_MAP_TILES`, `WANGGE_MAP_ATTRIBUTION`
    pub base_map: Option<BaseMap>,
    /// `error`, `warn`, `info`, `debug`, or a filter as of tracing-subscriber. `WANGGE_LOG`
    pub log: String,
    /// Whether a proxy in front sets `X-Forwarded-For`; its last entry is then the client's address. `WANGGE_TRUST_PROXY`
    pub trust_proxy: bool,
    /// Whether `/metrics` answers others than this machine. `WANGGE_METRICS_OPEN`
    pub metrics_open: bool,
    /// Where webhooks may go: `host`, `host:port`, or `http://host:port` where there is no TLS; none: nowhere. A private address must stand
    /// here as an address; a name that leads to one is refused. `WANGGE_WEBHOOK_TARGETS`, separated by commas
    pub webhook_targets: Vec<String>,
    /// The gateway through which residents are written to and write; none: nothing goes by SMS. `WANGGE_SMS_…`
    pub sms: Option<Sms>,
    /// The public account residents write to; none: there is none. `WANGGE_ACCOUNT_…`
    pub account: Option<PublicAccount>,
    /// Marks a place as fictional on every face. `WANGGE_DEMO`
    pub demo: bool,
    /// Cost of password hashing.
    pub argon2: Argon2Cost,
    /// Limits that belong to the operator.
    pub limits: Limits,
}

/// What nobody may read in a log: prints as `#`.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("#")
    }
}

impl Secret {
    /// Whether a text is the secret, without telling by its duration where they differ. An empty secret is no secret: nothing equals it.
    pub fn is(&self, text: &str) -> bool {
        use sha2::{Digest as _, Sha256};
        let digests = Sha256::digest(&self.0).into_iter().zip(Sha256::digest(text));
        !self.0.is_empty() && digests.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// How the SMS gateway speaks.
#[derive(Debug, Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum SmsKind {
    /// JSON over HTTP, signed both ways as in Standard Webhooks.
    #[default]
    Signed,
    /// Kannel's `sendsms`, and its smsbox handing in.
    Kannel,
    /// None at all: the demo plays one.
    StandIn,
}

/// The SMS gateway.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    /// `signed` or `kannel`. `WANGGE_SMS_KIND`
    pub kind: SmsKind,
    /// Where texts are handed over. `WANGGE_SMS_URL`
    pub url: String,
    /// What signs both ways (`signed`), or the password with which Kannel's smsbox calls. `WANGGE_SMS_SECRET`
    pub secret: Secret,
    /// Name and password of Kannel's `sendsms-user`. `WANGGE_SMS_USER`, `WANGGE_SMS_PASSWORD`
    pub user: String,
    pub password: Secret,
    /// The number residents see and answer to. `WANGGE_SMS_SENDER`
    pub sender: String,
    /// The addresses from which the gateway may call. `WANGGE_SMS_FROM`, separated by commas
    pub from: Vec<IpAddr>,
    /// The address at which the gateway reaches this server; `public_url` when empty. `WANGGE_SMS_CALLBACK`
    pub callback: String,
    /// Messages of one number in a day, each way. `WANGGE_SMS_PER_NUMBER`
    pub per_number: u32,
    /// Parts of the whole place in a day, on the way out; what comes after waits for the next. `WANGGE_SMS_PARTS`
    pub parts: u32,
    /// Messages of the whole place in a day, on the way in. `WANGGE_SMS_MESSAGES`
    pub messages: u32,
}

impl Default for Sms {
    fn default() -> Sms {
        Sms {
            kind: SmsKind::Signed,
            url: String::new(),
            secret: Secret::default(),
            user: String::new(),
            password: Secret::default(),
            sender: String::new(),
            from: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            callback: String::new(),
            per_number: 30,
            parts: 10_000,
            messages: 10_000,
        }
    }
}

impl Sms {
    /// The one the demo plays.
    pub fn stand_in() -> Sms {
        Sms {
            kind: SmsKind::StandIn,
            sender: "12345".into(),
            ..Sms::default()
        }
    }

    /// From the variables; what is not named stays as the file has it.
    fn take_variables(&mut self, variable: &impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        for (name, setting) in [
            ("WANGGE_SMS_URL", &mut self.url),
            ("WANGGE_SMS_SECRET", &mut self.secret.0),
            ("WANGGE_SMS_USER", &mut self.user),
            ("WANGGE_SMS_PASSWORD", &mut self.password.0),
            ("WANGGE_SMS_SENDER", &mut self.sender),
            ("WANGGE_SMS_CALLBACK", &mut self.callback),
        ] {
            if let Some(value) = variable(name) {
                *setting = value;
            }
        }
        let unreadable = |name: &'static str, value: &str| ConfigError::Variable {
            name,
            value: value.to_owned(),
        };
        if let Some(value) = variable("WANGGE_SMS_KIND") {
            self.kind = match value.as_str() {
                "signed" => SmsKind::Signed,
                "kannel" => SmsKind::Kannel,
                _ => return Err(unreadable("WANGGE_SMS_KIND", &value)),
            };
        }
        if let Some(value) = variable("WANGGE_SMS_FROM") {
            let from = value.split(',').map(str::trim).filter(|one| !one.is_empty());
            self.from = from
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|_| unreadable("WANGGE_SMS_FROM", &value))?;
        }
        for (name, setting) in [
            ("WANGGE_SMS_PER_NUMBER", &mut self.per_number),
            ("WANGGE_SMS_PARTS", &mut self.parts),
            ("WANGGE_SMS_MESSAGES", &mut self.messages),
        ] {
            if let Some(value) = variable(name) {
                *setting = value.parse().map_err(|_| unreadable(name, &value))?;
            }
        }
        // Without a secret anybody could write in a resident's name.
        if self.kind == SmsKind::StandIn || self.secret.0.len() < SHORTEST_SECRET {
            return Err(ConfigError::Unsafe {
                name: "WANGGE_SMS_SECRET",
                least: SHORTEST_SECRET,
            });
        }
        Ok(())
    }
}

/// What kind of public account it is.
#[derive(Debug, Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// WeChat's.
    #[default]
    Wechat,
    /// JSON, signed both ways, for a bridge to any other platform.
    Signed,
    /// None at all: the demo plays one.
    StandIn,
}

/// The public account.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct PublicAccount {
    /// `wechat` or `signed`. `WANGGE_ACCOUNT_KIND`
    pub kind: AccountKind,
    /// The token of the server settings (`wechat`), or what signs both ways (`signed`). `WANGGE_ACCOUNT_TOKEN`
    pub token: Secret,
    /// AppID and AppSecret. `WANGGE_ACCOUNT_APP_ID`, `WANGGE_ACCOUNT_APP_SECRET`
    pub app_id: String,
    pub app_secret: Secret,
    /// WeChat's EncodingAESKey: its messages are encrypted (安全模式), and no others are taken; empty: plain. `WANGGE_ACCOUNT_AES_KEY`
    pub aes_key: Secret,
    /// Where messages are handed over: the platform's own address. `WANGGE_ACCOUNT_URL`
    pub url: String,
}

impl Default for PublicAccount {
    fn default() -> PublicAccount {
        PublicAccount {
            kind: AccountKind::Wechat,
            token: Secret::default(),
            app_id: String::new(),
            app_secret: Secret::default(),
            aes_key: Secret::default(),
            url: "https://api.weixin.qq.com".into(),
        }
    }
}

impl PublicAccount {
    /// The one the demo plays.
    pub fn stand_in() -> PublicAccount {
        PublicAccount {
            kind: AccountKind::StandIn,
            ..PublicAccount::default()
        }
    }

    /// From the variables; what is not named stays as the file has it.
    fn take_variables(&mut self, variable: &impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        for (name, setting) in [
            ("WANGGE_ACCOUNT_TOKEN", &mut self.token.0),
            ("WANGGE_ACCOUNT_APP_ID", &mut self.app_id),
            ("WANGGE_ACCOUNT_APP_SECRET", &mut self.app_secret.0),
            ("WANGGE_ACCOUNT_AES_KEY", &mut self.aes_key.0),
            ("WANGGE_ACCOUNT_URL", &mut self.url),
        ] {
            if let Some(value) = variable(name) {
                *setting = value;
            }
        }
        if let Some(value) = variable("WANGGE_ACCOUNT_KIND") {
            self.kind = match value.as_str() {
                "wechat" => AccountKind::Wechat,
                "signed" => AccountKind::Signed,
                _ => {
                    return Err(ConfigError::Variable {
                        name: "WANGGE_ACCOUNT_KIND",
                        value,
                    });
                }
            };
        }
        if self.kind == AccountKind::StandIn || self.token.0.len() < SHORTEST_SECRET {
            return Err(ConfigError::Unsafe {
                name: "WANGGE_ACCOUNT_TOKEN",
                least: SHORTEST_SECRET,
            });
        }
        if !matches!(self.aes_key.0.len(), 0 | AES_KEY) {
            return Err(ConfigError::Unsafe {
                name: "WANGGE_ACCOUNT_AES_KEY",
                least: AES_KEY,
            });
        }
        Ok(())
    }
}

/// Bytes of a secret between this server and a gateway.
const SHORTEST_SECRET: usize = 16;
/// Characters of an EncodingAESKey.
const AES_KEY: usize = 43;

/// The base map.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct BaseMap {
    /// A MapLibre style.
    pub style_url: Option<String>,
    /// Or raster tiles, `https://host/{z}/{x}/{y}.png`.
    pub tiles: Option<String>,
    /// What its owner wants to be shown.
    pub attribution: String,
}

/// Cost of argon2id. The defaults are those OWASP recommends (19 MiB, 2 passes, 1 lane).
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// Limits of the HTTP side.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of one address to the portal in a minute.
    pub portal_per_minute: u32,
    /// Tiles of the public map for one address in a minute.
    pub tiles_per_minute: u32,
    /// Requests of other systems (Open311, OGC API Features) of one address in a minute.
    pub open311_per_minute: u32,
    /// Longest span of an Open311 list in days; the standard says 90.
    pub open311_days: u32,
    /// Number of the first page of an Open311 list: 1, or 0 where clients count from there.
    pub open311_first_page: u32,
    /// Password checks for one address in ten minutes.
    pub logins_per_ten_minutes: u32,
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u32,
    /// Hours after which a session ends in any case.
    pub session_hours: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
            database: "sqlite:data/wangge.db".into(),
            blobs: "data/blobs".into(),
            key_file: "data/wangge.key".into(),
            pack: None,
            base_map: None,
            log: "info".into(),
            trust_proxy: false,
            metrics_open: false,
            webhook_targets: Vec::new(),
            sms: None,
            account: None,
            demo: false,
            argon2: Argon2Cost::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Argon2Cost {
    fn default() -> Argon2Cost {
        Argon2Cost {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            portal_per_minute: 120,
            tiles_per_minute: 1_200,
            open311_per_minute: 600,
            open311_days: 90,
            open311_first_page: 1,
            logins_per_ten_minutes: 20,
            session_idle_minutes: 60,
            session_hours: 12,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {path}: {error}")]
    File { path: String, error: std::io::Error },
    /// The file has a mistake; the message names line and key.
    #[error("the settings file {path}: {error}")]
    Toml { path: String, error: toml::de::Error },
    /// A variable of the environment has a value that does not fit.
    #[error("the variable {name} cannot be understood: {value:?}")]
    Variable { name: &'static str, value: String },
    /// A secret that guards a door is missing or too short.
    #[error("{name} must be set, with at least {least} characters")]
    Unsafe { name: &'static str, least: usize },
}

impl Config {
    /// From a file (if given) and the environment.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::from_parts(file, |name| std::env::var(name).ok())
    }

    fn from_parts(file: Option<&Path>, variable: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let mut config = match file {
            None => Config::default(),
            Some(path) => {
                let shown = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File {
                    path: shown.clone(),
                    error,
                })?;
                toml::from_str(&text).map_err(|error| ConfigError::Toml { path: shown, error })?
            }
        };
        let texts: [(&str, &mut String); 5] = [
            ("WANGGE_LISTEN", &mut config.listen),
            ("WANGGE_PUBLIC_URL", &mut config.public_url),
            ("WANGGE_DATABASE", &mut config.database),
            ("WANGGE_BLOBS", &mut config.blobs),
            ("WANGGE_LOG", &mut config.log),
        ];
        for (name, setting) in texts {
            if let Some(value) = variable(name) {
                *setting = value;
            }
        }
        for (name, setting) in [
            ("WANGGE_TRUST_PROXY", &mut config.trust_proxy),
            ("WANGGE_METRICS_OPEN", &mut config.metrics_open),
            ("WANGGE_DEMO", &mut config.demo),
        ] {
            if let Some(value) = variable(name) {
                *setting = truth(&value).ok_or(ConfigError::Variable { name, value })?;
            }
        }
        if let Some(targets) = variable("WANGGE_WEBHOOK_TARGETS") {
            let targets = targets.split(',').map(str::trim).filter(|one| !one.is_empty());
            config.webhook_targets = targets.map(str::to_owned).collect();
        }
        if variable("WANGGE_SMS_URL").is_some() {
            config.sms.get_or_insert_default();
        }
        if let Some(sms) = &mut config.sms {
            sms.take_variables(&variable)?;
        }
        if variable("WANGGE_ACCOUNT_KIND").is_some() {
            config.account.get_or_insert_default();
        }
        if let Some(account) = &mut config.account {
            account.take_variables(&variable)?;
        }
        if let Some(path) = variable("WANGGE_KEY_FILE") {
            config.key_file = path.into();
        }
        if let Some(path) = variable("WANGGE_PACK") {
            config.pack = Some(path.into());
        }
        let map = (
            variable("WANGGE_MAP_STYLE_URL"),
            variable("WANGGE_MAP_TILES"),
            variable("WANGGE_MAP_ATTRIBUTION"),
        );
        if map.0.is_some() || map.1.is_some() {
            config.base_map = Some(BaseMap {
                style_url: map.0,
                tiles: map.1,
                attribution: map.2.unwrap_or_default(),
            });
        }
        Ok(config)
    }

    /// Whether users come over https.
    pub fn secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" | "" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wangge.toml");
        std::fs::write(
            &path,
            "listen = \"0.0.0.0:80\"\npublic_url = \"https://a.example\"\n[limits]\nsession_hours = 2\n",
        )
        .unwrap();
        let variable = |name: &str| (name == "WANGGE_LISTEN").then(|| "127.0.0.1:9".to_owned());
        let config = Config::from_parts(Some(&path), variable).unwrap();
        assert_eq!(
            (config.listen.as_str(), config.limits.session_hours),
            ("127.0.0.1:9", 2)
        );
        assert!(config.secure());
        assert_eq!(config.argon2, Argon2Cost::default());
    }

    #[test]
    fn an_sms_gateway_needs_a_secret_that_is_not_printed() {
        let with = |secret: &'static str| {
            Config::from_parts(None, move |name| match name {
                "WANGGE_SMS_URL" => Some("http://127.0.0.1:13013/cgi-bin/sendsms".into()),
                "WANGGE_SMS_KIND" => Some("kannel".into()),
                "WANGGE_SMS_FROM" => Some("10.0.0.5, ::1".into()),
                "WANGGE_SMS_SECRET" => Some(secret.into()),
                _ => None,
            })
        };
        assert!(with("short").unwrap_err().to_string().contains("WANGGE_SMS_SECRET"));
        let config = with("a secret of some length").unwrap();
        let sms = config.sms.clone().unwrap();
        assert_eq!((sms.kind, sms.from.len()), (SmsKind::Kannel, 2));
        assert!(!format!("{config:?}").contains("some length"));
        assert!(sms.secret.is("a secret of some length") && !sms.secret.is("a secret of some lengtH"));
        assert!(!Secret::default().is(""));
        assert!(Config::from_parts(None, |_| None).unwrap().sms.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wangge.toml");
        std::fs::write(&path, "lisen = \"x\"\n").unwrap();
        let error = Config::from_parts(Some(&path), |_| None).unwrap_err().to_string();
        assert!(error.contains("lisen"), "{error}");
        let error = Config::from_parts(None, |name| (name == "WANGGE_DEMO").then(|| "maybe".into())).unwrap_err();
        assert!(error.to_string().contains("WANGGE_DEMO"));
    }
}
