//! The SQL of mediation.

use crate::cases::mediation::{FollowedUp, Held, MediationId};
use crate::cases::queue::Reach;
use crate::cases::record::*;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::cases::Mediation;
use domain::time::Timestamp;

/// Mediations of one case at most.
const MAX_HELD: i64 = 100;
/// What [`read`] reads.
macro_rules! held_columns {
    () => {
        "m.case_id, m.id, m.rung, m.rung_name, m.mediator, m.worker_id, m.held_on, m.outcome, m.words, m.next_name, m.follow_up_on, \
         m.followed_at, m.followed_by, m.kept, m.follow_note"
    };
}

pub fn insert_mediation(tx: &mut Tx, case: CaseId, held: &Held, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "insert into mediation (id, case_id, rung, rung_name, mediator, worker_id, held_on, outcome, words, next_name, follow_up_on, at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            held.id, case, held.rung.as_deref(), &held.rung_name, &held.mediator, held.worker, &held.held_on, held.outcome.key(), &held.words,
            held.next_name.as_deref(), held.follow_up_on.as_deref(), at.0
        ],
    )?;
    Ok(())
}

type Read = (CaseId, Held, Option<FollowedUp>);

fn read(row: &Row, from: usize) -> Result<Read, Fault> {
    let mut c = Cursor(row, from);
    let case = c.next()?;
    let held = Held {
        id: c.next()?,
        rung: c.next()?,
        rung_name: c.next()?,
        mediator: c.next()?,
        worker: c.next()?,
        held_on: c.next()?,
        outcome: {
            let key: String = c.next()?;
            Mediation::from_key(&key).ok_or_else(|| Fault::internal(format!("unknown outcome {key}")))?
        },
        words: c.next()?,
        next_name: c.next()?,
        follow_up_on: c.next()?,
    };
    let (at, by) = (c.time()?, c.next::<Option<String>>()?);
    let (kept, note) = (c.next::<Option<bool>>()?, c.next::<Option<String>>()?);
    let after = at.map(|at| FollowedUp {
        at,
        by: by.unwrap_or_default(),
        kept: kept.unwrap_or_default(),
        note: note.unwrap_or_default(),
    });
    Ok((case, held, after))
}

/// The mediations of a case with what was found after, oldest first.
pub fn mediations_followed(tx: &mut Tx, case: CaseId) -> Result<Vec<(Held, Option<FollowedUp>)>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            held_columns!(),
            " from mediation m where m.case_id = $1 order by m.at, m.id limit $2"
        ),
        &params![case, MAX_HELD],
    )?;
    rows.iter()
        .map(|row| read(row, 0).map(|(_, held, after)| (held, after)))
        .collect()
}

/// The mediations of a case, oldest first.
pub fn mediations(tx: &mut Tx, case: CaseId) -> Result<Vec<Held>, Fault> {
    Ok(mediations_followed(tx, case)?
        .into_iter()
        .map(|(held, _)| held)
        .collect())
}

pub fn mediation(tx: &mut Tx, id: MediationId) -> Result<Option<Read>, Fault> {
    let row = tx.query_opt(
        concat!("select ", held_columns!(), " from mediation m where m.id = $1"),
        &params![id],
    )?;
    row.as_ref().map(|row| read(row, 0)).transpose()
}

pub fn follow_up(tx: &mut Tx, id: MediationId, after: &FollowedUp) -> Result<(), Fault> {
    tx.execute(
        "update mediation set followed_at = $1, followed_by = $2, kept = $3, follow_note = $4 where id = $5",
        &params![after.at.0, &after.by, after.kept, &after.note, id],
    )?;
    Ok(())
}

/// Agreements of one reach not looked at again yet, the earliest day first.
pub fn owed_follow_ups(tx: &mut Tx, reach: &Reach, most: i64) -> Result<Vec<(CaseRow, Held)>, Fault> {
    let sql = reach.push(Sql::new(concat!(
        "select ",
        case_columns!(),
        ", ",
        held_columns!(),
        " from mediation m join cases c on c.id = m.case_id where m.follow_up_on is not null and m.followed_at is null and "
    )));
    let sql = sql.push(" order by m.follow_up_on, m.id limit ").bind(most);
    let from = CASE_COLUMNS;
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((CaseRow::read(row)?, read(row, from)?.1)))
        .collect()
}
