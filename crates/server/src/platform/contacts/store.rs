//! The SQL of contacts.

use super::{Channel, Contact};
use crate::platform::fault::Fault;
use crate::platform::ids::ContactId;
use crate::platform::tx::Tx;
use db::{Row, params};
use domain::time::Timestamp;

fn contact(row: &Row) -> Result<Contact, Fault> {
    Ok(Contact {
        id: row.get(0)?,
        channel: row.get(1)?,
        index: row.get(2)?,
        opted_out_at: row.get::<Option<i64>>(3)?.map(Timestamp),
    })
}

pub fn by_index(tx: &mut Tx, channel: Channel, index: &str) -> Result<Option<Contact>, Fault> {
    let row = tx.query_opt(
        "select id, channel, address_index, opted_out_at from contact where channel = $1 and address_index = $2",
        &params![channel.key(), index],
    )?;
    row.as_ref().map(contact).transpose()
}

/// A contact by its id.
pub fn find(tx: &mut Tx, id: ContactId) -> Result<Option<Contact>, Fault> {
    let row = tx.query_opt(
        "select id, channel, address_index, opted_out_at from contact where id = $1",
        &params![id],
    )?;
    row.as_ref().map(contact).transpose()
}

/// Two at once make one.
pub fn insert(
    tx: &mut Tx,
    id: ContactId,
    channel: Channel,
    sealed: Vec<u8>,
    index: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "insert into contact (id, channel, address_sealed, address_index, created_at) values ($1, $2, $3, $4, $5) \
         on conflict (channel, address_index) do nothing",
        &params![id, channel.key(), sealed, index, now.0],
    )?;
    Ok(())
}

pub fn sealed(tx: &mut Tx, id: ContactId) -> Result<Option<Vec<u8>>, Fault> {
    let row = tx.query_opt("select address_sealed from contact where id = $1", &params![id])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// From when on a contact wants nothing but direct answers; none: everything again.
pub fn set_opted_out(tx: &mut Tx, id: ContactId, at: Option<Timestamp>) -> Result<(), Fault> {
    tx.execute(
        "update contact set opted_out_at = $1 where id = $2",
        &params![at.map(|at| at.0), id],
    )?;
    Ok(())
}
