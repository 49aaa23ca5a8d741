//! The SQL of uploads and photos. All of it is housekeeping: what a photo shows is marked by the case it belongs to.
use super::photo::Claims;
use crate::platform::ids::{AccountId, UploadId};
use crate::platform::tx::Tx;
use db::{DbError, Row, params};

/// An upload as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadRow {
    pub id: UploadId,
    /// None: a resident on the portal, who holds the address as the key.
    pub account: Option<AccountId>,
    pub length: u64,
    pub expires_at: i64,
    pub state: UploadState,
}

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadState {
    /// Bytes are still to come, or the photo is still to be made.
    Open,
    /// The photo is kept under this hash.
    Done { hash: String },
    /// The file was no photo we take; the code says why.
    Refused { code: String },
}

fn upload(row: &Row) -> Result<UploadRow, DbError> {
    let state = match row.text(4)? {
        "done" => UploadState::Done { hash: row.get(5)? },
        "refused" => UploadState::Refused { code: row.get(6)? },
        _ => UploadState::Open,
    };
    Ok(UploadRow {
        id: row.get(0)?,
        account: row.get(1)?,
        length: row.get(2)?,
        expires_at: row.get(3)?,
        state,
    })
}

pub fn find(tx: &mut Tx<'_, '_>, id: UploadId) -> Result<Option<UploadRow>, DbError> {
    let sql = "select id, account_id, length, expires_at, state, hash, refusal from upload where id = $1";
    tx.query_opt(sql, &params![id])?.as_ref().map(upload).transpose()
}

/// Uploads of one account (or of all residents) that have not ended.
pub fn open_count(tx: &mut Tx<'_, '_>, account: Option<AccountId>, now: i64) -> Result<u64, DbError> {
    let row = match account {
        Some(account) => tx.query_one(
            "select count(*) from upload where expires_at > $1 and state = 'open' and account_id = $2",
            &params![now, account],
        )?,
        None => tx.query_one(
            "select count(*) from upload where expires_at > $1 and state = 'open' and account_id is null",
            &params![now],
        )?,
    };
    row.get(0)
}

pub fn insert(tx: &mut Tx<'_, '_>, upload: &UploadRow, filename: &str, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "insert into upload (id, account_id, length, filename, created_at, expires_at, state) values ($1, $2, $3, $4, $5, $6, 'open')",
        &params![upload.id, upload.account, upload.length as i64, filename, now, upload.expires_at],
    )
}

pub fn refuse(tx: &mut Tx<'_, '_>, id: UploadId, code: &str) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "update upload set state = 'refused', refusal = $1 where id = $2",
        &params![code, id],
    )
}

pub fn done(tx: &mut Tx<'_, '_>, id: UploadId, hash: &str, claims: &Claims) -> Result<(), DbError> {
    let (lon, lat) = claims.place.unzip();
    tx.defer_housekeeping(
        "update upload set state = 'done', hash = $1, claimed_at = $2, claimed_lon = $3, claimed_lat = $4 where id = $5",
        &params![hash, claims.taken_at.clone(), lon, lat, id],
    )
}

pub fn delete(tx: &mut Tx<'_, '_>, id: UploadId) -> Result<(), DbError> {
    tx.defer_housekeeping("delete from upload where id = $1", &params![id])
}

/// Uploads whose time is over, at most `limit`.
pub fn expired(tx: &mut Tx<'_, '_>, now: i64, limit: i64) -> Result<Vec<UploadId>, DbError> {
    let rows = tx.query(
        "select id from upload where expires_at <= $1 order by expires_at limit $2",
        &params![now, limit],
    )?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// What the photo of a finished upload claimed.
pub fn claims(tx: &mut Tx<'_, '_>, id: UploadId) -> Result<Claims, DbError> {
    let row = tx.query_one(
        "select claimed_at, claimed_lon, claimed_lat from upload where id = $1",
        &params![id],
    )?;
    let (lon, lat): (Option<f64>, Option<f64>) = (row.get(1)?, row.get(2)?);
    Ok(Claims {
        taken_at: row.get(0)?,
        place: lon.zip(lat),
    })
}

/// A photo that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct BlobRow {
    pub mime: String,
    pub bytes: i64,
    pub width: i64,
    pub height: i64,
}

pub fn insert_blob(tx: &mut Tx<'_, '_>, hash: &str, blob: &BlobRow, now: i64) -> Result<(), DbError> {
    tx.defer_housekeeping(
        "insert into blob (hash, mime, bytes, width, height, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (hash) do nothing",
        &params![hash, &blob.mime, blob.bytes, blob.width, blob.height, now],
    )
}

pub fn blob(tx: &mut Tx<'_, '_>, hash: &str) -> Result<Option<BlobRow>, DbError> {
    let row = tx.query_opt(
        "select mime, bytes, width, height from blob where hash = $1",
        &params![hash],
    )?;
    row.map(|row| {
        Ok(BlobRow {
            mime: row.get(0)?,
            bytes: row.get(1)?,
            width: row.get(2)?,
            height: row.get(3)?,
        })
    })
    .transpose()
}
