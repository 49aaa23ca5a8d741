//! Rights for an area that is divided anew: they go on for the area that has its ground, and for a while what was theirs can be told.

use super::{kept, permissions_of};
use crate::platform::{AccountId, AreaId, Fault, Grant, GrantId, Scope, Tx, UnitId, WorkerId};
use db::{Sql, params};
use domain::time::Timestamp;

/// Areas named in one statement.
const AT_ONCE: usize = 500;

/// A right in force for just one area, with the worker whose account it is.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: GrantId,
    pub account: AccountId,
    pub name: String,
    pub worker: Option<WorkerId>,
    pub area: AreaId,
}

/// Rights in force for just these areas, by id.
pub fn grants_in(tx: &mut Tx, areas: &[AreaId], now: Timestamp) -> Result<Vec<Held>, Fault> {
    let mut found = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        let sql = Sql::new(
            "select g.id, g.account_id, a.name, a.worker_id, g.area_id from account_grant g join account a on a.id = g.account_id \
             where g.area_id in (",
        )
        .list(some.iter().copied())
        .push(") and (g.valid_to is null or g.valid_to > ")
        .bind(now.0)
        .push(")");
        for row in tx.fetch(&sql)? {
            found.push(Held {
                id: row.get(0)?,
                account: row.get(1)?,
                name: row.get(2)?,
                worker: row.get(3)?,
                area: row.get(4)?,
            });
        }
    }
    found.sort_by_key(|held| held.id);
    Ok(found)
}

/// A right ends now and the same begins for another area (its chain, itself last). `by`: what divided the areas.
pub fn replace(
    tx: &mut Tx,
    grant: GrantId,
    new: GrantId,
    area: AreaId,
    chain: &[Option<AreaId>; 5],
    by: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    kept::changed(tx);
    let [a1, a2, a3, a4, a5] = *chain;
    let depth = chain.iter().flatten().count() as i64;
    tx.execute(
        "insert into account_grant (id, account_id, role, area_id, depth, a1, a2, a3, a4, a5, unit_id, valid_from, valid_to) \
         select $1, account_id, role, $2, $3, $4, $5, $6, $7, $8, unit_id, $9, null from account_grant where id = $10",
        &params![new, area, depth, a1, a2, a3, a4, a5, now.0, grant],
    )?;
    tx.execute(
        "update account_grant set valid_to = $1, moved_by = $2 where id = $3",
        &params![now.0, by, grant],
    )?;
    Ok(())
}

/// Takes [`replace`] back, unless somebody ended the new right since: what was taken away stays so.
pub fn restore(tx: &mut Tx, grant: GrantId, new: GrantId, by: &str, now: Timestamp) -> Result<bool, Fault> {
    kept::changed(tx);
    let ended = tx.execute(
        "update account_grant set valid_to = $1, moved_by = $2 where id = $3 and valid_to is null",
        &params![now.0, by, new],
    )?;
    if ended == 0 {
        return Ok(false);
    }
    tx.execute(
        "update account_grant set valid_to = null, moved_by = null where id = $1",
        &params![grant],
    )?;
    Ok(true)
}

/// What an account could reach until a division of the areas since a moment gave it another area: what it kept on a phone from before was
/// its to do.
pub fn former_scope(tx: &mut Tx, account: AccountId, since: Timestamp) -> Result<Scope, Fault> {
    let rows = tx.query(
        "select r.permissions, g.area_id, g.depth, g.unit_id from account_grant g join role r on r.key = g.role \
         where g.account_id = $1 and g.moved_by is not null and g.valid_to > $2 order by g.id",
        &params![account, since.0],
    )?;
    let grants = rows.iter().map(|row| {
        let (area, unit): (Option<AreaId>, Option<UnitId>) = (row.get(1)?, row.get(3)?);
        Ok(Grant {
            permissions: permissions_of(row.text(0)?)?,
            area,
            depth: row.get(2)?,
            unit,
        })
    });
    Ok(Scope {
        grants: grants.collect::<Result<_, Fault>>()?,
    })
}

/// Phones and browsers signed in for these workers, by account.
pub fn sessions_of(tx: &mut Tx, workers: &[WorkerId], now: Timestamp) -> Result<Vec<(String, WorkerId)>, Fault> {
    let mut found: Vec<(String, WorkerId)> = Vec::new();
    for some in workers.chunks(AT_ONCE) {
        let sql = Sql::new(
            "select s.id, a.worker_id from session s join account a on a.id = s.account_id where a.worker_id in (",
        )
        .list(some.iter().copied())
        .push(") and s.expires_at > ")
        .bind(now.0);
        for row in tx.fetch(&sql)? {
            found.push((row.get(0)?, row.get(1)?));
        }
    }
    found.sort();
    Ok(found)
}
