//! What clients do while things break: reports with ids of their own, a dispatcher's acts, photos; and what they were told.

use crate::client::{Answer, Client, TEARS, Tear};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::{DynamicImage, ImageFormat, RgbImage};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Most things one client does in one run.
const MOST: usize = 36;
const TEXTS: [&str; 5] = [
    "渔港路口路灯不亮，晚上老人出门看不清路",
    "下水道堵了，污水漫到路面",
    "楼道里堆满杂物，消防通道走不通",
    "井盖松动有响声，车过的时候很吓人",
    "垃圾两天没有清运，气味很大",
];

/// One thing a client wants; sent again it is byte for byte the same.
#[derive(Debug, Clone)]
pub enum Op {
    /// A clerk takes a call, or a resident reports on the web.
    Report {
        id: String,
        text: String,
        path: &'static str,
        body: Value,
    },
    /// A dispatcher's act on a case.
    Act {
        id: String,
        case: String,
        action: &'static str,
        body: Value,
    },
    /// A photo, in two pieces.
    Photo { id: String, bytes: Vec<u8> },
}

/// What became of it, as far as the client knows.
#[derive(Debug, Clone)]
pub enum Told {
    /// A success, with what was answered.
    Done(Value),
    /// Refused with a code: nothing was promised.
    Refused(u16, String),
    /// No whole answer: it may have been done or not.
    Nothing,
}

/// One attempt, in the order of all attempts of the run.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub op: Op,
    pub told: Told,
    pub sent: u64,
    pub answered: u64,
}

/// Codes that leave open what was done; every other refusal says that nothing was.
const OPEN_CODES: [&str; 3] = ["unknown_outcome", "storage_stopped", "receipt_delayed"];

impl Attempt {
    /// Refused by a rule: sending it again would change nothing.
    pub fn is_final(&self) -> bool {
        matches!(self.told, Told::Refused(status, _) if status < 500)
    }

    /// Whether it may have been done or not, for all the client was told.
    pub fn may_be_either(&self) -> bool {
        match &self.told {
            Told::Nothing => true,
            Told::Refused(_, code) => OPEN_CODES.contains(&code.as_str()),
            Told::Done(_) => false,
        }
    }
}

/// What all clients of a run did.
#[derive(Default)]
pub struct Journal {
    attempts: Mutex<Vec<Attempt>>,
    tick: AtomicU64,
    /// Set when the run has seen enough.
    pub over: AtomicBool,
}

impl Journal {
    pub fn tick(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&self, op: Op, told: Told, sent: u64) {
        let answered = self.tick();
        self.keep(Attempt {
            op,
            told,
            sent,
            answered,
        });
    }

    pub fn keep(&self, attempt: Attempt) {
        self.attempts.lock().expect("the journal").push(attempt);
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().expect("the journal").clone()
    }

    /// Whether anybody was refused with this code.
    pub fn saw(&self, code: &str) -> bool {
        self.attempts()
            .iter()
            .any(|attempt| matches!(&attempt.told, Told::Refused(_, said) if said == code))
    }

    pub fn done(&self) -> usize {
        self.attempts()
            .iter()
            .filter(|attempt| matches!(attempt.told, Told::Done(_)))
            .count()
    }

    fn newest_case(&self) -> Option<String> {
        let attempts = self.attempts.lock().expect("the journal");
        attempts
            .iter()
            .rev()
            .find_map(|attempt| match (&attempt.op, &attempt.told) {
                (Op::Report { id, .. }, Told::Done(_)) => Some(id.clone()),
                _ => None,
            })
    }
}

/// Who writes.
#[derive(Clone)]
pub struct Crew {
    pub clerk: Client,
    pub dispatcher: Client,
    /// A grid to report from.
    pub area: String,
    /// Whether connections are torn now and then.
    pub torn: bool,
    pub seed: u64,
}

impl Crew {
    pub fn at(&self, address: &str) -> Crew {
        Crew {
            clerk: self.clerk.at(address),
            dispatcher: self.dispatcher.at(address),
            ..self.clone()
        }
    }

    /// Starts everybody at a server; they stop by themselves when nobody answers any more, or when the journal says that it is over.
    pub fn start(&self, address: &str, journal: &Arc<Journal>) -> Vec<tokio::task::JoinHandle<()>> {
        let crew = self.at(address);
        (0..4u64)
            .map(|who| {
                let (crew, journal) = (crew.clone(), journal.clone());
                tokio::spawn(async move { crew.work(who, &journal).await })
            })
            .collect()
    }

    /// One report now: what was told.
    pub async fn one_report(&self, address: &str, journal: &Journal) -> Told {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let Some(op) = self.next(0, 0, journal, &mut rng) else {
            return Told::Nothing;
        };
        let sent = journal.tick();
        let told = self.at(address).send(&op, None).await;
        journal.note(op, told.clone(), sent);
        told
    }

    async fn work(&self, who: u64, journal: &Journal) {
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_mul(31).wrapping_add(who));
        let mut silent = 0;
        for nth in 0..MOST {
            if journal.over.load(Ordering::SeqCst) || silent >= 3 {
                return;
            }
            let Some(op) = self.next(who, nth, journal, &mut rng) else {
                tokio::task::yield_now().await;
                continue;
            };
            let tear = (self.torn && rng.random_range(0..2) == 0).then(|| TEARS[rng.random_range(0..TEARS.len())]);
            let sent = journal.tick();
            let told = self.send(&op, tear).await;
            silent = match told {
                Told::Nothing if tear.is_none() => silent + 1,
                _ => 0,
            };
            journal.note(op, told, sent);
        }
    }

    fn next(&self, who: u64, nth: usize, journal: &Journal, rng: &mut StdRng) -> Option<Op> {
        let id = new_id(rng);
        let text = format!(
            "{}（第{who}{nth}件，{}）",
            TEXTS[rng.random_range(0..TEXTS.len())],
            &id[24..]
        );
        match who {
            0 | 1 => Some(Op::Report {
                body: json!({ "id": id, "channel": "phone", "body": text, "category_code": "0204", "area_id": self.area,
                    "reporter": { "name": "周女士", "phone": "13800001234" } }),
                id,
                text,
                path: "/api/v1/cases",
            }),
            2 => {
                let case = journal.newest_case()?;
                let (action, body) = match nth % 3 {
                    0 => ("comment", json!({ "action_id": id, "body": text })),
                    1 => ("classify", json!({ "action_id": id, "category_code": "0201" })),
                    _ => ("route", json!({ "action_id": id, "reason": text })),
                };
                Some(Op::Act { id, case, action, body })
            }
            _ if nth % 3 == 2 => Some(Op::Photo { bytes: photo(rng), id }),
            _ => Some(Op::Report {
                body: json!({ "id": id, "body": text, "area_id": self.area, "name": "吴先生", "phone": "13900005678" }),
                id,
                text,
                path: "/api/v1/portal/reports",
            }),
        }
    }

    /// Sends one thing, or sends it again.
    pub async fn send(&self, op: &Op, tear: Option<Tear>) -> Told {
        match op {
            Op::Report { path, body, .. } => told(self.clerk.post(path, body, tear).await),
            Op::Act { case, action, body, .. } => {
                let path = format!("/api/v1/cases/{case}/actions/{action}");
                told(self.dispatcher.post(&path, body, tear).await)
            }
            Op::Photo { id, bytes } => self.photo(id, bytes, tear).await,
        }
    }

    /// Begins or goes on with an upload: asks how much has come, sends the rest in two pieces.
    async fn photo(&self, id: &str, bytes: &[u8], tear: Option<Tear>) -> Told {
        let client = &self.dispatcher;
        let metadata = format!("id {},filename {}", BASE64.encode(id), BASE64.encode("photo.jpg"));
        let length = bytes.len().to_string();
        let version = ("tus-resumable", "1.0.0");
        let begin = [
            version,
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
        ];
        let begun = client.send("POST", "/api/v1/uploads", &begin, b"", None).await;
        match begun {
            Some(answer) if answer.ok() => {}
            other => return told(other),
        }
        let path = format!("/api/v1/uploads/{id}");
        let Some(status) = client.send("HEAD", &path, &[version], b"", None).await else {
            return Told::Nothing;
        };
        if let Some(hash) = status.header("wangge-photo") {
            return Told::Done(json!({ "hash": hash }));
        }
        let mut from: usize = status
            .header("upload-offset")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        loop {
            let to = if from < bytes.len() / 2 {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            let offset = from.to_string();
            let headers = [
                version,
                ("upload-offset", offset.as_str()),
                ("content-type", "application/offset+octet-stream"),
            ];
            match client.send("PATCH", &path, &headers, &bytes[from..to], tear).await {
                Some(answer) if answer.ok() => match answer.header("wangge-photo") {
                    Some(hash) => return Told::Done(json!({ "hash": hash })),
                    None if to == bytes.len() => return Told::Refused(answer.status, "no_photo_named".into()),
                    None => from = to,
                },
                other => return told(other),
            }
        }
    }
}

fn told(answer: Option<Answer>) -> Told {
    match answer {
        None => Told::Nothing,
        Some(answer) if answer.ok() => Told::Done(answer.json()),
        Some(answer) => Told::Refused(answer.status, answer.code()),
    }
}

fn new_id(rng: &mut StdRng) -> String {
    let bytes: [u8; 10] = rng.random();
    // Any time will do: ids of clients are only told apart.
    let at = 1_790_000_000_000 + rng.random_range(0..1_000_000_000u64);
    uuid::Builder::from_unix_timestamp_millis(at, &bytes)
        .into_uuid()
        .to_string()
}

/// A small photo, each a little different.
fn photo(rng: &mut StdRng) -> Vec<u8> {
    let (a, b) = (rng.random_range(1..250u32), rng.random_range(1..250u32));
    let picture = RgbImage::from_fn(96, 64, |x, y| {
        image::Rgb([(x * a % 256) as u8, (y * b % 256) as u8, ((x * y) % 256) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .expect("a photo");
    bytes.into_inner()
}
