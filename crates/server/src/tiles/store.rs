//! SQL of the tiles: what tells whether the index is of now.

use crate::platform::{Fault, Tx};

/// Territory version and number of the last change of facilities, in one look.
pub fn versions(tx: &mut Tx) -> Result<(i64, i64), Fault> {
    let row = tx.query_one(
        "select (select coalesce(max(version), 0) from territory_version), (select last from facility_change where id = 1)",
        &[],
    )?;
    Ok((row.get(0)?, row.get(1)?))
}
