//! What anybody may read of cases, for other systems: of kinds the pack makes public, never who reported, never what an anonymous person said.
//!
//! Entry points: [`list`], [`changes`], [`photo_is_public`]. Of a matter that came in through a public channel ([`CHANNEL`]) the words, the
//! position and the photos are public as they were when they were handed in there; of any other only its kind, its area and how it goes. Must
//! not: read the reporter, or a case the pack keeps to itself.

use super::place::{self, Rules, UnitInfo};
use super::queue::Reach;
use super::record::CaseRow;
use super::{store, words};
use crate::platform::*;
use domain::cases::StateKey;
use domain::time::Timestamp;
use std::collections::HashMap;

/// The way in whose reports are public from the beginning.
pub const CHANNEL: &str = "open311";

/// Steps that change where a matter stands; each is told once in [`changes`].
const STEPS: [&str; 18] = [
    "received",
    "accepted",
    "assigned",
    "arbitrated",
    "taken",
    "returned",
    "handled",
    "on_the_spot",
    "answered",
    "verified",
    "verify_failed",
    "rework",
    "closed",
    "declined",
    "reopened",
    "merged",
    "split_back",
    "unparked",
];

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Depth (1 to 5) and area whose subtree is meant; none: everywhere.
    pub area: Option<(u8, AreaId)>,
    /// Only these numbers.
    pub numbers: Option<Vec<String>>,
    /// Only these categories.
    pub categories: Option<Vec<String>>,
    /// Received within, both ends included.
    pub received: Option<(Timestamp, Timestamp)>,
    /// Only open, or only closed ones.
    pub open: Option<bool>,
    /// West, south, east, north: only what has a public position inside.
    pub within: Option<[f64; 4]>,
    /// Only what is shown in one of these boxes: at its public position or, without one, in the middle of its area. Empty: everywhere.
    pub shown_in: Vec<[f64; 4]>,
    /// Only what comes after the matter of this number, in the order of the list.
    pub after: Option<String>,
    pub offset: i64,
    pub limit: i64,
}

/// A matter as anybody may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicCase {
    pub number: String,
    pub category: String,
    /// Where it stands; of one merged into another, where that one stands.
    pub state: StateKey,
    /// Its words, once somebody accepted it.
    pub body: Option<String>,
    /// The last answer.
    pub answer: Option<String>,
    /// Public name of the unit that has it.
    pub unit: Option<String>,
    pub received_at: Timestamp,
    pub updated_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub address: Option<String>,
    pub area: Option<AreaId>,
    /// Longitude and latitude (WGS-84).
    pub at: Option<(f64, f64)>,
    /// Names of its photos.
    pub photos: Vec<String>,
}

/// Something that changed where a matter stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicChange {
    pub number: String,
    /// Number of the step within the matter; with [`PublicChange::number`] it never means another step.
    pub seq: i64,
    pub at: Timestamp,
    /// `assigned`, `closed`, ...
    pub step: String,
    /// One sentence.
    pub text: String,
}

impl PublicChange {
    /// Whether nothing more is owed after this step.
    pub fn closes(&self) -> bool {
        matches!(self.step.as_str(), "closed" | "declined")
    }
}

/// Whether a matter in this state is over for the public: checked and closed, or refused by a person.
pub fn is_over(state: StateKey) -> bool {
    matches!(state, StateKey::Closed | StateKey::Declined)
}

/// Codes of the kinds that are public today.
pub(super) fn public_codes(rules: &Rules, wanted: Option<&Vec<String>>) -> Vec<String> {
    let public = rules.pack.categories.iter().filter(|c| c.public);
    public
        .filter(|c| wanted.is_none_or(|wanted| wanted.contains(&c.code)))
        .map(|c| c.code.clone())
        .collect()
}

fn reach(area: Option<(u8, AreaId)>) -> Reach {
    area.map_or(Reach::Everything, |(depth, area)| Reach::Area(depth, area))
}

/// Matters, the newest first.
pub fn list(ctx: &Ctx, tx: &mut Tx, q: &Question) -> Result<Vec<PublicCase>, Fault> {
    let rules = place::rules(ctx)?;
    let codes = public_codes(&rules, q.categories.as_ref());
    if codes.is_empty() || q.numbers.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let rows = store::public_cases(tx, &reach(q.area), q, &codes)?;
    let ids: Vec<CaseId> = rows.iter().map(|row| row.id).collect();
    let mut updated = store::last_changes(tx, &ids, &STEPS)?;
    let own: Vec<CaseId> = rows.iter().filter(|row| is_own(row)).map(|row| row.id).collect();
    let mut answers = store::last_answers(tx, &own)?;
    let mut photos = store::report_photos(tx, &own)?;
    let mut units = HashMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let now = merged_state(tx, &row)?;
        let own = is_own(&row);
        // What nobody has accepted, or a person refused, is not published.
        let told = own && row.accepted_at.is_some() && now != StateKey::Declined;
        let unit = row.unit_id.filter(|_| now != StateKey::Received);
        let closed = row.ended_at.filter(|_| is_over(now));
        found.push(PublicCase {
            state: now,
            body: told.then(|| masked(&row.body)),
            answer: answers.remove(&row.id).filter(|_| told).map(|text| masked(&text)),
            unit: match unit {
                Some(unit) => unit_once(ctx, tx, &mut units, unit)?.map(|unit| unit.public_name),
                None => None,
            },
            received_at: row.received_at,
            updated_at: closed.unwrap_or(updated.remove(&row.id).unwrap_or(row.received_at)),
            due_at: row.due_at.filter(|_| row.is_open()),
            address: row.address.clone().filter(|_| told).map(|text| masked(&text)),
            area: row.area_id,
            at: row.lon.zip(row.lat).filter(|_| own),
            photos: photos.remove(&row.id).filter(|_| told).unwrap_or_default(),
            category: row.category_code.unwrap_or_default(),
            number: row.number,
        });
    }
    Ok(found)
}

pub(super) fn is_own(row: &CaseRow) -> bool {
    row.channel == CHANNEL
}

/// A case that was merged stands where the other one stands.
fn merged_state(tx: &mut Tx, row: &CaseRow) -> Result<StateKey, Fault> {
    match row.merged_into {
        Some(into) => Ok(store::case_row(tx, into)?.map_or(row.state, |into| into.state)),
        None => Ok(row.state),
    }
}

/// A unit, asked for once however many cases it has.
pub(super) fn unit_once(
    ctx: &Ctx,
    tx: &mut Tx,
    known: &mut HashMap<UnitId, Option<UnitInfo>>,
    unit: UnitId,
) -> Result<Option<UnitInfo>, Fault> {
    if let Some(found) = known.get(&unit) {
        return Ok(found.clone());
    }
    let found = place::unit(ctx, tx, unit)?;
    known.insert(unit, found.clone());
    Ok(found)
}

/// Steps within `[from, to)`, oldest first; one more than `most` when there are more.
pub fn changes(
    ctx: &Ctx,
    tx: &mut Tx,
    area: Option<(u8, AreaId)>,
    numbers: Option<&[String]>,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<PublicChange>, Fault> {
    let rules = place::rules(ctx)?;
    let codes = public_codes(&rules, None);
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store::public_changes(tx, &reach(area), &codes, &STEPS, numbers, (from, to), most)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            // The reason of a refusal and the like are for the one who reported; of public reports they may be read.
            let body = if row.channel == CHANNEL {
                row.body
            } else {
                serde_json::Value::Null
            };
            let told = words::public_event(ctx.lang, &rules, &row.step, &body).filter(|_| !body.is_null());
            let text = told.unwrap_or_else(|| words::event_kind(ctx.lang, &row.step));
            PublicChange {
                number: row.number,
                seq: row.seq,
                at: row.at,
                step: row.step,
                text: masked(&text),
            }
        })
        .collect())
}

/// Whether the photo is one that [`list`] shows with the matter of this number.
pub fn photo_is_public(ctx: &Ctx, tx: &mut Tx, number: &str, hash: &str) -> Result<bool, Fault> {
    let question = Question {
        numbers: Some(vec![number.to_owned()]),
        limit: 1,
        ..Question::default()
    };
    let found = list(ctx, tx, &question)?;
    Ok(found.iter().any(|case| case.photos.iter().any(|photo| photo == hash)))
}

/// Number and state of a case.
pub fn stands(tx: &mut Tx, case: CaseId) -> Result<Option<(String, StateKey)>, Fault> {
    Ok(store::case_row(tx, case)?.map(|row| (row.number, row.state)))
}

/// The case of a number.
pub fn by_number(tx: &mut Tx, number: &str) -> Result<Option<CaseId>, Fault> {
    store::case_by_number(tx, number)
}

/// Digits that could be a telephone or an identity number, and addresses of letter boxes, become dots.
pub(super) fn masked(text: &str) -> String {
    const FEWEST: usize = 7;
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        if digits >= FEWEST {
            let tail = run.len() - run.trim_end_matches([' ', '-']).len();
            out.push('…');
            out.push_str(&run[run.len() - tail..]);
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        let joins = matches!(c, ' ' | '-') && !run.is_empty() && !run.ends_with([' ', '-']);
        if c.is_ascii_digit() || joins || (matches!(c, 'X' | 'x') && run.len() >= FEWEST) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    without_mail(&out)
}

fn without_mail(text: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let name = before.len() - before.trim_end_matches(is_name).len();
        let host = after.len() - after.trim_start_matches(is_name).len();
        if name > 0 && host > 0 {
            out.push_str(&before[..before.len() - name]);
            out.push('…');
            rest = &after[host..];
        } else {
            out.push_str(&rest[..=at]);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_masked_and_house_numbers_stay() {
        assert_eq!(masked("3号楼201室漏水，电话138-0000-1234。"), "3号楼201室漏水，电话…。");
        assert_eq!(masked("身份证 33090219800101123X 张"), "身份证 … 张");
        assert_eq!(masked("2026 年 12 月"), "2026 年 12 月");
        assert_eq!(masked("mail me@a.example, or @here"), "mail …, or @here");
        assert_eq!(masked("井盖🕳️ <b>"), "井盖🕳️ <b>");
    }

    #[test]
    fn every_step_has_its_words() {
        for step in STEPS {
            assert!(i18n::known(&format!("event_{step}")), "{step}");
        }
    }
}
