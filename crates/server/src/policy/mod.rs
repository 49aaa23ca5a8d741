//! Policy 规则包: the pack that makes the platform one place's, and the working calendar that goes with it.
//!
//! Entry points: [`adopt`] at start and on change, [`current`] everywhere else. A pack comes from a folder or from the ones shipped with
//! the program ([`shipped`]). Versions of packs and calendars are numbered in the database, so that what ran under an older one can
//! still be explained. Must not hold any value of a place: those are in `packs/`.

mod calendar;
mod http;
pub mod read;
mod store;
mod view;

pub use http::routes;

use crate::platform::{App, Ctx, Fault, Lang, news};
use axum::http::StatusCode;
use domain::calendar::{Calendar, CalendarRef, Calendars, Duty};
use domain::cases::clock::RuleRef;
use domain::policy::{ClockRule, Jurisdiction, Pack};
use read::Problem;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// The packs shipped with the program.
#[derive(rust_embed::RustEmbed)]
#[folder = "../../packs"]
struct Shipped;

/// The pack in force, with the calendars it and its predecessors need.
#[derive(Debug)]
pub struct Current {
    pub pack: Pack,
    /// Number of this pack in this database, from 1; the version in [`RuleRef`].
    pub number: u32,
    /// SHA-256 over the files, hex.
    pub digest: String,
    /// Every calendar version a running clock may refer to.
    pub calendars: Calendars,
    /// The version for clocks that start now.
    pub calendar: CalendarRef,
    /// `names.csv` of the folder: names of areas by code, for imports.
    pub area_names: BTreeMap<String, String>,
    files: Files,
}

impl Current {
    /// What is kept beside each mark and case: `zhoushan 2026.1 #1`.
    pub fn label(&self) -> String {
        format!("{} {} #{}", self.pack.key, self.pack.version, self.number)
    }

    /// Names a rule of this pack in a clock's log.
    pub fn rule_ref(&self, rule: &ClockRule) -> RuleRef {
        RuleRef {
            id: rule.id.clone(),
            version: self.number,
        }
    }

    /// The calendar for clocks that start now.
    pub fn now_calendar(&self) -> &Calendar {
        self.calendars
            .get(&self.calendar)
            .expect("adopt() compiled the version it names")
    }

    /// Duty times by shift name; the working hours for none or an unknown one.
    pub fn duty(&self, shift: Option<&str>) -> Duty<'_> {
        let calendar = self.now_calendar();
        calendar.duty(shift).unwrap_or(Duty::Office(calendar))
    }
}

#[derive(Default)]
struct Slot(RwLock<Option<Arc<Current>>>);

/// How many rules of the pack are assumptions: nobody has named their source.
pub fn assumptions(current: &Current) -> usize {
    let shown = serde_json::to_string(&view::pack(current, Lang::En)).unwrap_or_default();
    shown.matches("\"assumption\"").count()
}

/// The pack in force; 503 before there is one.
pub fn current(app: &App) -> Result<Arc<Current>, Fault> {
    let slot = app.part::<Slot>();
    let found = slot.0.read().unwrap_or_else(PoisonError::into_inner).clone();
    found.ok_or_else(|| Fault::new(StatusCode::SERVICE_UNAVAILABLE, "no_pack"))
}

/// The files of a pack folder.
pub type Files = BTreeMap<String, String>;

/// Why a pack was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error("cannot read {path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("no pack of this name is shipped: {0}")]
    Unknown(String),
    #[error("the pack has {} problems", .0.len())]
    Problems(Vec<Problem>),
    #[error("the calendar cannot be used: {0}")]
    Calendar(String),
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// The files of a folder that belong to a pack.
pub fn folder(path: &Path) -> Result<Files, PackError> {
    let io = |path: &Path, error| PackError::Io {
        path: path.display().to_string(),
        error,
    };
    let mut files = Files::new();
    for name in read::FILES.iter().chain(&BESIDE) {
        let file = path.join(name);
        if file.exists() {
            files.insert(
                (*name).to_owned(),
                std::fs::read_to_string(&file).map_err(|error| io(&file, error))?,
            );
        }
    }
    if files.is_empty() {
        return Err(io(
            path,
            std::io::Error::new(std::io::ErrorKind::NotFound, "no pack.toml here"),
        ));
    }
    Ok(files)
}

/// What a pack folder may hold beside its files.
const BESIDE: [&str; 5] = [
    read::DUTIES_FILE,
    read::REGISTERS_FILE,
    NAMES_FILE,
    read::CAMPAIGNS_FILE,
    read::PROJECTS_FILE,
];

/// Names of areas by code, `code,name`, in a pack folder.
pub const NAMES_FILE: &str = "names.csv";

/// The files of a shipped pack.
pub fn shipped(key: &str) -> Result<Files, PackError> {
    let files: Files = read::FILES
        .iter()
        .chain(&BESIDE)
        .filter_map(|name| {
            let file = Shipped::get(&format!("{key}/{name}"))?;
            Some(((*name).to_owned(), String::from_utf8_lossy(&file.data).into_owned()))
        })
        .collect();
    if files.is_empty() {
        Err(PackError::Unknown(key.to_owned()))
    } else {
        Ok(files)
    }
}

/// The pack an operator named: a folder, or the key of a shipped one.
pub fn named(name: &Path) -> Result<Files, PackError> {
    match name.to_str() {
        Some(key) if !name.is_dir() && key.bytes().all(|b| b.is_ascii_alphanumeric()) => shipped(key),
        _ => folder(name),
    }
}

/// Brings the pack the settings name into force; nothing when they name none.
pub async fn start(app: &App) -> Result<(), PackError> {
    match app.config().pack.clone() {
        Some(name) => adopt(app, named(&name)?, None).await,
        None => Ok(()),
    }
}

/// News: another pack than before comes into force in a moment.
pub struct PackChanged;

/// Reads, checks and brings a pack into force. `place` replaces the pack's jurisdiction (a fictional place on a real pack).
pub async fn adopt(app: &App, files: Files, place: Option<Jurisdiction>) -> Result<(), PackError> {
    let mut pack = read::read_pack(&files).map_err(PackError::Problems)?;
    if let Some(place) = place {
        pack.jurisdiction = place;
    }
    let area_names = names_in(files.get(NAMES_FILE).map(String::as_str).unwrap_or_default());
    let digest = digest_of(&files);
    let shipped_years = calendar::shipped_years(&pack.calendar.base);
    let ctx = Ctx::system(app, "pack");
    let (key, version, base) = (pack.key.clone(), pack.version.clone(), pack.calendar.base.clone());
    let (own_digest, pack_text) = (digest.clone(), files.get("pack.toml").cloned().unwrap_or_default());
    let stored = app
        .write(&ctx, move |ctx, tx| {
            let (number, new) = store::pack_version(ctx, tx, &key, &version, &own_digest)?;
            if new && number > 1 {
                news::tell(ctx, tx, &PackChanged)?;
            }
            let versions = calendar::store(ctx, tx, &base, &pack_text, shipped_years)?;
            Ok((number, versions))
        })
        .await?;
    let (number, versions) = stored;
    let (calendars, newest) = calendar::compile(&pack.calendar.base, &versions)?;
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let current = Current {
        pack,
        number,
        digest,
        calendars,
        calendar: newest,
        area_names,
        files,
    };
    app.set_rule_version(&current.label());
    *app.part::<Slot>().0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(current));
    Ok(())
}

/// Takes a newly imported calendar year into use.
async fn refresh_calendar(app: &App) -> Result<(), Fault> {
    let now = current(app)?;
    let place = now.pack.jurisdiction.clone();
    adopt(app, now.files.clone(), Some(place))
        .await
        .map_err(|error| match error {
            PackError::Fault(fault) => fault,
            other => Fault::refused("calendar_unreadable").with("detail", other),
        })
}

fn digest_of(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

/// `code,name` lines, a header first; lines of another shape are left out.
pub fn names_in(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().skip(1).filter_map(|line| line.split_once(','));
    lines
        .map(|(code, name)| (code.trim().to_owned(), name.trim().to_owned()))
        .collect()
}
