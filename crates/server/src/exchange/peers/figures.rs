//! PeerFigures of the exchange: each side can ask the other how its handovers stand, and sees where the two do not agree.
//!
//! Entry points: [`own`] (what the other side is told), [`compare`] (asks and compares). A difference is shown with the handover and can be
//! mended by sending its messages again; nothing is changed by comparing but what was found.

use super::send::{self, Called};
use super::sign::Kind;
use super::store::{self, PeerRow};
use crate::cases::handover::{self, HandoverRow};
use crate::platform::*;
use domain::cases::handover::{Phase, Role, Side};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Handovers of one answer.
const PAGE: i64 = 500;
/// Answers of one comparison.
const PAGES: usize = 40;
/// Handovers only the other side knows that are named.
const NAMED: usize = 50;

/// PeerCounts of handovers between two platforms in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeerCounts {
    pub passed_on: i64,
    pub accepted: i64,
    pub answered: i64,
    pub closed: i64,
    pub returned: i64,
    pub withdrawn: i64,
    /// With the receiver although their platform's clock has run out.
    pub overdue: i64,
}

/// Both directions, as one side knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeerFigures {
    /// Passed on by this side.
    pub out: PeerCounts,
    /// Taken by this side.
    #[serde(rename = "in")]
    pub taken: PeerCounts,
}

/// The last comparison.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeerCompared {
    pub ours: PeerFigures,
    pub theirs: PeerFigures,
    /// Handovers on which the two sides differ.
    pub differences: u32,
    /// Ids of handovers only the other side knows.
    pub only_there: Vec<String>,
    /// Code of why the other side gave no figures.
    pub failed: Option<String>,
}

fn counts(ctx: &Ctx, tx: &mut Tx, peer: PeerId) -> Result<PeerFigures, Fault> {
    let mut figures = PeerFigures::default();
    for (role, phase, count, overdue) in handover::counts(tx, peer, ctx.now)? {
        let side = if role == Role::Origin.key() {
            &mut figures.out
        } else {
            &mut figures.taken
        };
        side.passed_on += count;
        match Phase::from_key(&phase) {
            Some(Phase::Accepted) => side.accepted += count,
            Some(Phase::Answered) => side.answered += count,
            Some(Phase::Closed) => side.closed += count,
            Some(Phase::Returned) => side.returned += count,
            Some(Phase::Withdrawn) => side.withdrawn += count,
            Some(Phase::Offered) | None => {}
        }
        if Phase::from_key(&phase).is_some_and(Phase::is_with_receiver) {
            side.overdue += overdue;
        }
    }
    Ok(figures)
}

/// What the other side is told: counts, and how each handover with it stands here, by id after `after`.
pub fn own(ctx: &Ctx, tx: &mut Tx, peer: PeerId, after: &str) -> Result<Value, Fault> {
    let rows = handover::with_peer(tx, peer, after, PAGE)?;
    let next = (rows.len() as i64 == PAGE)
        .then(|| rows.last().map(|row| row.id.to_string()))
        .flatten();
    let items: Vec<Value> = rows.iter().map(stands).collect();
    Ok(json!({ "counts": counts(ctx, tx, peer)?, "items": items, "next": next }))
}

fn stands(row: &HandoverRow) -> Value {
    let s = row.side;
    json!({
        "id": row.id, "role": s.role.key(), "phase": s.phase.key(), "said": s.said, "heard": s.heard, "asked": s.asked, "supplied": s.supplied,
        "rounds": s.rounds,
    })
}

fn side_of(value: &Value) -> Option<(HandoverId, Side)> {
    let number = |key: &str| value[key].as_u64().and_then(|number| u32::try_from(number).ok());
    let side = Side {
        role: Role::from_key(value["role"].as_str()?)?,
        phase: Phase::from_key(value["phase"].as_str()?)?,
        said: number("said")?,
        heard: number("heard")?,
        asked: number("asked")?,
        supplied: number("supplied")?,
        rounds: number("rounds")?,
    };
    Some((value["id"].as_str()?.parse().ok()?, side))
}

/// Asks a platform and compares. Kept with the agreement and with each handover that differs.
pub async fn compare(ctx: &Ctx, peer: PeerRow) -> Result<PeerCompared, Fault> {
    let asked = theirs(ctx, &peer).await;
    let (id, now) = (peer.id, ctx.now);
    ctx.app
        .write(ctx, move |ctx, tx| {
            let mut found = PeerCompared {
                ours: counts(ctx, tx, id)?,
                ..PeerCompared::default()
            };
            match asked {
                Ok((figures, sides)) => {
                    found.theirs = figures;
                    note_differences(tx, id, sides, &mut found)?;
                }
                Err(code) => found.failed = Some(code.to_owned()),
            }
            let text = serde_json::to_string(&found).map_err(Fault::internal)?;
            store::set_compared(tx, id, now, &text)?;
            let mark = json!({ "differences": found.differences, "only_there": found.only_there.len(), "failed": found.failed });
            tx.record(ctx, Mark::new("peer.compared", Subject::Peer(id), mark))?;
            Ok(found)
        })
        .await
}

/// The other side's figures, page by page; or the code of why there are none.
async fn theirs(ctx: &Ctx, peer: &PeerRow) -> Result<(PeerFigures, BTreeMap<HandoverId, Side>), &'static str> {
    let (mut sides, mut after, mut figures) = (BTreeMap::new(), String::new(), PeerFigures::default());
    for _ in 0..PAGES {
        let nonce = hex::encode(ctx.app.chance().bytes::<16>());
        let question = json!({ "at": ctx.now.to_string(), "after": after, "nonce": nonce });
        let answer = match send::call(ctx, peer, "figures", (Kind::Figures, Kind::FiguresAnswer), question).await {
            Called::Answered(status, answer) if status.is_success() && answer["nonce"] == nonce.as_str() => answer,
            Called::Answered(..) => return Err("peer_answer_wrong"),
            Called::Failed(code) => return Err(code),
        };
        figures = serde_json::from_value(answer["counts"].clone()).map_err(|_| "peer_answer_wrong")?;
        let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        sides.extend(items.iter().filter_map(side_of));
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    Ok((figures, sides))
}

fn note_differences(
    tx: &mut Tx,
    peer: PeerId,
    mut theirs: BTreeMap<HandoverId, Side>,
    found: &mut PeerCompared,
) -> Result<(), Fault> {
    let mut after = String::new();
    for _ in 0..PAGES {
        let rows = handover::with_peer(tx, peer, &after, PAGE)?;
        let Some(last) = rows.last() else { break };
        after = last.id.to_string();
        for row in rows {
            let differs = difference(&row, theirs.remove(&row.id).as_ref());
            found.differences += u32::from(differs.is_some());
            if differs != row.differs.as_deref() {
                handover::set_differs(tx, row.id, differs)?;
            }
        }
    }
    found.differences += u32::try_from(theirs.len()).unwrap_or(u32::MAX);
    found.only_there = theirs.keys().take(NAMED).map(ToString::to_string).collect();
    Ok(())
}

/// What is different, as the code of a sentence.
fn difference(row: &HandoverRow, theirs: Option<&Side>) -> Option<&'static str> {
    let ours = &row.side;
    match theirs {
        // Refused at its first message, it never came to be there.
        None if ours.phase == Phase::Returned && ours.heard == 0 => None,
        None if ours.role == Role::Origin && ours.phase == Phase::Withdrawn && row.stuck.is_some() => None,
        None => Some("handover_missing_there"),
        Some(theirs) if ours.agrees(theirs) => None,
        Some(theirs) if theirs.heard < ours.said => Some("handover_behind_there"),
        Some(theirs) if ours.heard < theirs.said => Some("handover_behind_here"),
        Some(_) => Some("handover_differs"),
    }
}

/// Whether the figures of the two sides say the same.
pub fn agree(found: &PeerCompared) -> bool {
    found.failed.is_none() && found.differences == 0
}

/// Compares with every platform an agreement is in force with: the nightly exchange.
pub async fn compare_all(ctx: &Ctx) -> Result<(), Fault> {
    let now: Timestamp = ctx.now;
    let peers = ctx
        .app
        .read(ctx, |_, tx| store::peers(tx, super::registry::MOST))
        .await?;
    for peer in peers.into_iter().filter(|peer| peer.is_active(now)) {
        compare(ctx, peer).await?;
    }
    Ok(())
}
