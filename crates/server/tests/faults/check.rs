//! After the fault: is everything there that was promised, once, and whole?

use crate::load::{Attempt, Op, Told};
use crate::place::{On, Place};
use db::{DbError, params};
use serde_json::Value;
use server::cases;
use server::platform::ledger::{self, Receipt};
use server::platform::{App, AreaId, Ctx, Fault, Lang};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// What must be nowhere: each question must count nothing.
const HALF_WRITES: [(&str, &str); 10] = [
    (
        "cases without their report",
        "select count(*) from cases c where not exists (select 1 from report r where r.id = c.id and r.case_id = c.id)",
    ),
    (
        "reports without their record in the ledger",
        "select count(*) from report p where not exists (select 1 from ledger_record r join ledger_payload b
           on b.strand = r.strand and b.seq = r.seq
         where r.strand = p.strand and r.seq = p.ledger_seq and r.action = 'case.received' and r.subject = 'case:' || p.case_id)",
    ),
    (
        "receptions in the ledger without a case",
        "select count(*) from ledger_record r where r.action = 'case.received'
           and not exists (select 1 from cases c where r.subject = 'case:' || c.id)",
    ),
    (
        "open cases without a clock",
        "select count(*) from cases c where c.open = 1 and not exists (select 1 from case_clock k where k.case_id = c.id)",
    ),
    (
        "cases that cannot be searched for",
        "select count(*) from cases c where not exists (select 1 from search_pending p where p.case_id = c.id)
           and not exists (select 1 from search_doc d where d.case_id = c.id)",
    ),
    (
        "steps without their record in the ledger",
        "select count(*) from case_event e where not exists
           (select 1 from ledger_record r where r.strand = e.strand and r.seq = e.ledger_seq)",
    ),
    (
        "acts of cases that are not there",
        "select count(*) from case_action a where not exists (select 1 from cases c where c.id = a.case_id)",
    ),
    (
        "finished uploads without their photo",
        "select count(*) from upload u where u.state = 'done' and not exists (select 1 from blob b where b.hash = u.hash)",
    ),
    (
        "records not at the end of their chain, or beyond it",
        "select count(*) from ledger_head h where h.seq <> (select max(r.seq) from ledger_record r where r.strand = h.strand)",
    ),
    (
        "records without a payload",
        "select count(*) from ledger_record r where not exists
           (select 1 from ledger_payload p where p.strand = r.strand and p.seq = r.seq)",
    ),
];

/// What a look at a place found wrong; empty is what is wanted.
pub type Wrong = Vec<String>;

/// Opens the place as it lies there and looks at everything.
pub async fn look(place: &Place, attempts: &[Attempt]) -> Wrong {
    let app = match place.open().await {
        Ok(app) => app,
        Err(error) => return vec![format!("the place does not open: {error}")],
    };
    let mut wrong = Wrong::new();
    if let Err(fault) = look_at(&app, place, attempts, &mut wrong).await {
        wrong.push(format!("looking failed: {fault:?}"));
    }
    app.db().clone().close().await;
    wrong
}

async fn look_at(app: &App, place: &Place, attempts: &[Attempt], wrong: &mut Wrong) -> Result<(), Fault> {
    promises(app, place, attempts, wrong).await?;
    for (what, sql) in HALF_WRITES {
        let count = count(app, sql).await?;
        if count != 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    counters(app, wrong).await?;
    if place.on == On::Sqlite {
        for pragma in ["pragma integrity_check", "pragma foreign_key_check"] {
            let found = texts(app, pragma).await?;
            if found.iter().any(|line| line != "ok") {
                wrong.push(format!("{pragma}: {found:?}"));
            }
        }
    }
    photos(app, place, wrong).await?;
    ledger::bring_up_to_date(app).await?;
    let heads = receipts(attempts).map(|(_, _, receipt)| receipt.tree_head).collect();
    let report = ledger::verify(app, heads, |_, _| {}).await?;
    wrong.extend(report.findings.iter().map(|finding| finding.describe(Lang::En)));
    Ok(())
}

async fn count(app: &App, sql: &'static str) -> Result<i64, Fault> {
    Ok(app
        .db()
        .read(move |tx| tx.query_one(sql, &params![])?.get(0))
        .await
        .map_err(|error: DbError| error)?)
}

/// The first column of each row, as text.
async fn texts(app: &App, sql: &'static str) -> Result<Vec<String>, Fault> {
    let rows = app
        .db()
        .read(move |tx| tx.query(sql, &params![]))
        .await
        .map_err(|error: DbError| error)?;
    Ok(rows.iter().map(|row| row.text(0).unwrap_or("?").to_owned()).collect())
}

fn receipts(attempts: &[Attempt]) -> impl Iterator<Item = (&str, &str, Receipt)> {
    attempts
        .iter()
        .filter_map(|attempt| match (&attempt.op, &attempt.told) {
            (Op::Report { id, text, .. }, Told::Done(answer)) => {
                let receipt = serde_json::from_value(answer["receipt"].clone()).ok()?;
                Some((id.as_str(), text.as_str(), receipt))
            }
            _ => None,
        })
}

/// Everything that was answered with a success is there as it was answered.
async fn promises(app: &App, place: &Place, attempts: &[Attempt], wrong: &mut Wrong) -> Result<(), Fault> {
    let key = ledger::key(app).public();
    let cases: BTreeSet<String> = texts(app, "select id || ' ' || number from cases")
        .await?
        .into_iter()
        .collect();
    let acts: BTreeSet<String> = texts(app, "select id from case_action").await?.into_iter().collect();
    for attempt in attempts {
        let Told::Done(answer) = &attempt.told else {
            untrue_refusal(attempt, &cases, &acts, wrong);
            continue;
        };
        match &attempt.op {
            Op::Report { id, .. } => {
                let row = format!("{id} {}", number(answer).unwrap_or_default());
                if !cases.contains(&row) {
                    wrong.push(format!("LOST: case {row}"));
                }
                if serde_json::from_value::<Receipt>(answer["receipt"].clone()).is_err() {
                    wrong.push(format!("case {id} was acknowledged without a receipt"));
                }
            }
            Op::Act { id, case, action, .. } => {
                if !acts.contains(id) {
                    wrong.push(format!("LOST: {action} on {case}"));
                }
            }
            Op::Photo { .. } => {
                let hash = answer["hash"].as_str().unwrap_or_default();
                let path = place.blobs().join(&hash[..2.min(hash.len())]).join(hash).join("full");
                let bytes = std::fs::read(&path).unwrap_or_default();
                if hex::encode(Sha256::digest(&bytes)) != hash {
                    wrong.push(format!("LOST: photo {hash}"));
                }
            }
        }
    }
    for (id, text, receipt) in receipts(attempts) {
        let verdict = receipt.verify(Some(&key), Some(text), Lang::En);
        if !verdict.ok {
            wrong.push(format!("the receipt of {id} does not verify"));
        }
        if !ledger::still_holds(app, &receipt).await? {
            wrong.push(format!("LOST: the ledger does not hold what the receipt of {id} says"));
        }
    }
    Ok(())
}

/// "Nothing was saved" must be true.
fn untrue_refusal(attempt: &Attempt, cases: &BTreeSet<String>, acts: &BTreeSet<String>, wrong: &mut Wrong) {
    if attempt.may_be_either() {
        return;
    }
    let there = match &attempt.op {
        Op::Report { id, .. } => cases.iter().any(|row| row.starts_with(id.as_str())),
        Op::Act { id, .. } => acts.contains(id),
        Op::Photo { .. } => false,
    };
    if there {
        wrong.push(format!(
            "LIE: it was told {:?}, yet it is there: {:?}",
            attempt.told, attempt.op
        ));
    }
}

/// The number in an answer to a report, by phone or on the web.
pub fn number(answer: &Value) -> Option<&str> {
    answer["number"].as_str().or_else(|| answer["case"]["number"].as_str())
}

/// Kept counters equal a recount, area by area.
async fn counters(app: &App, wrong: &mut Wrong) -> Result<(), Fault> {
    let ctx = Ctx::system(app, "faults");
    let sql = "select a1 from cases union select a2 from cases union select a3 from cases union select a4 from cases";
    let areas = texts(app, sql).await?;
    for area in areas {
        let Ok(area) = area.parse::<AreaId>() else { continue };
        let read = app.read(&ctx, move |_, tx| {
            Ok((cases::all_cells(tx, area)?, cases::recount(tx, area)?))
        });
        let (kept, counted) = read.await?;
        if kept != counted {
            wrong.push(format!("the counters of area {area} are not what a recount gives"));
        }
    }
    Ok(())
}

/// Every photo that is known is there and is what its name says.
async fn photos(app: &App, place: &Place, wrong: &mut Wrong) -> Result<(), Fault> {
    for hash in texts(app, "select hash from blob").await? {
        let path = place.blobs().join(&hash[..2]).join(&hash).join("full");
        let bytes = std::fs::read(&path).unwrap_or_default();
        if hex::encode(Sha256::digest(&bytes)) != hash {
            wrong.push(format!("photo {hash} is not what its name says"));
        }
    }
    Ok(())
}

/// How many cases there are, and steps that say `text` of the given ids: for showing that nothing was doubled.
pub async fn totals(place: &Place) -> Result<(i64, Vec<String>), String> {
    let app = place.open().await?;
    let cases = count(&app, "select count(*) from cases").await;
    let notes = texts(&app, "select body from case_event where kind = 'case.commented'").await;
    app.db().clone().close().await;
    match (cases, notes) {
        (Ok(cases), Ok(notes)) => Ok((cases, notes)),
        (Err(fault), _) | (_, Err(fault)) => Err(format!("{fault:?}")),
    }
}
