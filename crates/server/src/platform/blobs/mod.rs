//! Photos: uploads that resume (tus 1.0), photos made anew without metadata, kept by content in a folder or an S3-compatible store.
//!
//! Entry points: [`create`], [`status`], [`append`], [`terminate`] for an upload; [`take`] for the part that attaches it; [`read`] for
//! who may see it. Only the owner of an upload reaches it; on the portal its address is the key. The file that was sent is removed
//! once the photo is made and is never served. Must not decide who may see a photo: [`set_guard`].
mod photo;
mod staging;
mod store;

pub use photo::{Claims, FULL_SIDE, MAX_PIXELS, PhotoError, THUMB_SIDE, prepare};
pub use store::{UploadRow, UploadState};

use super::app::App;
use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::{CaseId, UploadId};
use super::jobs::{self, Effect, Handler, Outcome, Recurring};
use super::tx::Tx;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path as ObjectPath};
use sha1::Digest as _;
use staging::Staging;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Semaphore;

/// Bytes of one file at most.
pub const MAX_BYTES: u64 = 20 << 20;
/// How long an upload may take from its creation to being attached.
pub const LIFETIME_MS: i64 = 24 * 3_600_000;
/// Uploads under way for one account, and for all residents together.
const OPEN_PER_ACCOUNT: u64 = 50;
const OPEN_ON_PORTAL: u64 = 5_000;
/// Photos decoded at the same time: each may take some hundred megabytes.
const DECODING: usize = 2;
/// Uploads whose time is over, removed in one run.
const CLEAN: i64 = 500;

/// Which of the two kept sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    Thumb,
    Full,
}

impl Size {
    pub fn key(self) -> &'static str {
        match self {
            Size::Thumb => "thumb",
            Size::Full => "full",
        }
    }
}

/// A photo that can be attached.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// SHA-256 of the photo as served, in hexadecimal: its name.
    pub hash: String,
    pub mime: String,
    pub width: i64,
    pub height: i64,
    /// What the file said about itself.
    pub claims: Claims,
}

/// Whether the person may see this photo of this case; registered by the part that knows cases.
pub type Guard = fn(&Ctx, &mut Tx<'_, '_>, CaseId, &str) -> Result<bool, Fault>;

/// What is kept in memory.
struct Blobs {
    objects: OnceLock<Arc<dyn ObjectStore>>,
    guard: OnceLock<Guard>,
    /// Uploads with a connection that is sending right now.
    busy: Mutex<HashSet<UploadId>>,
    decoding: Semaphore,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            objects: OnceLock::new(),
            guard: OnceLock::new(),
            busy: Mutex::default(),
            decoding: Semaphore::new(DECODING),
        }
    }
}

/// Once, at the start: the nightly cleaning of uploads that were never finished or attached.
pub fn register(app: &App) {
    jobs::register_recurring(
        app,
        Recurring::nightly("blobs.clean", 3, 10),
        Handler::Long(|ctx, _| Box::pin(clean(ctx))),
    );
}

/// Registers who may see which photo.
pub fn set_guard(app: &App, guard: Guard) {
    let _ = app.part::<Blobs>().guard.set(guard);
}

// ---- uploads

/// Begins an upload of `length` bytes. The id may be the client's own: the same one again is the same upload.
pub async fn create(ctx: &Ctx, id: UploadId, length: u64, filename: String) -> Result<UploadRow, Fault> {
    if length == 0 {
        return Err(Fault::refused("upload_empty"));
    }
    if length > MAX_BYTES {
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large").with("limit_mb", MAX_BYTES >> 20));
    }
    ctx.app
        .write(ctx, move |ctx, tx| {
            let account = ctx.actor.account();
            if let Some(there) = store::find(tx, id)? {
                return if there.account == account && there.length == length {
                    Ok(there)
                } else {
                    Err(Fault::conflict("already_exists"))
                };
            }
            let bound = if account.is_some() {
                OPEN_PER_ACCOUNT
            } else {
                OPEN_ON_PORTAL
            };
            if store::open_count(tx, account, ctx.now.0)? >= bound {
                return Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, "upload_too_many"));
            }
            let expires_at = ctx.now.0 + LIFETIME_MS;
            let upload = UploadRow {
                id,
                account,
                length,
                expires_at,
                state: UploadState::Open,
            };
            store::insert(tx, &upload, &filename, ctx.now.0)?;
            Ok(upload)
        })
        .await
}

/// The caller's own upload and how much of it has arrived. One whose last byte has come but whose photo was not made (the server
/// was stopped in between) is finished now.
pub async fn status(ctx: &Ctx, id: UploadId) -> Result<(UploadRow, u64), Fault> {
    let upload = own(ctx, id).await?;
    if upload.state != UploadState::Open {
        let length = upload.length;
        return Ok((upload, length));
    }
    let offset = staging(&ctx.app).offset(&id.to_string()).await?;
    if offset == upload.length
        && let Some(_sending) = Sending::begin(&ctx.app, id)
    {
        let state = finish(ctx, id).await?;
        return Ok((UploadRow { state, ..upload }, offset));
    }
    Ok((upload, offset))
}

/// A checksum the client sent with a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    Sha1(Vec<u8>),
    Sha256(Vec<u8>),
}

impl Checksum {
    fn fits(&self, bytes: &[u8]) -> bool {
        match self {
            Checksum::Sha1(sum) => sha1::Sha1::digest(bytes).as_slice() == sum,
            Checksum::Sha256(sum) => sha2::Sha256::digest(bytes).as_slice() == sum,
        }
    }
}

/// Adds a piece at `offset`; how much has arrived then. What arrives of a piece whose connection breaks is kept, unless it has a
/// checksum. With the last byte the photo is made; a file that is no photo is refused then.
pub async fn append<S, E>(
    ctx: &Ctx,
    id: UploadId,
    offset: u64,
    checksum: Option<Checksum>,
    body: S,
) -> Result<(UploadRow, u64), Fault>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let upload = own(ctx, id).await?;
    let sending = Sending::begin(&ctx.app, id).ok_or_else(|| Fault::new(StatusCode::LOCKED, "upload_busy"))?;
    let name = id.to_string();
    let arrived = match upload.state {
        UploadState::Open => staging(&ctx.app).offset(&name).await?,
        _ => upload.length,
    };
    if arrived != offset {
        return Err(Fault::conflict("upload_offset").with("offset", arrived));
    }
    let room = upload.length - arrived;
    let arrived = arrived + receive(&ctx.app, &name, room, checksum, body).await?;
    if arrived < upload.length || upload.state != UploadState::Open {
        return Ok((upload, arrived));
    }
    let state = finish(ctx, id).await?;
    drop(sending);
    match &state {
        UploadState::Refused { code } => Err(refusal(code)),
        _ => Ok((UploadRow { state, ..upload }, arrived)),
    }
}

/// Writes what arrives, at most `room` bytes; how many were kept.
async fn receive<S, E>(app: &App, name: &str, room: u64, checksum: Option<Checksum>, mut body: S) -> Result<u64, Fault>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    if room == 0 {
        return Ok(0);
    }
    let mut file = staging(app).appender(name).await?;
    let (mut kept, mut held) = (0u64, Vec::new());
    let mut broken = false;
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else {
            broken = true;
            break;
        };
        if kept + piece.len() as u64 > room {
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large").with("limit_mb", MAX_BYTES >> 20));
        }
        kept += piece.len() as u64;
        match checksum {
            // Nothing is kept before its checksum is known to fit; `room` bounds the memory.
            Some(_) => held.extend_from_slice(&piece),
            None => file.add(&piece).await?,
        }
    }
    if let Some(checksum) = checksum {
        if broken || !checksum.fits(&held) {
            let status = StatusCode::from_u16(CHECKSUM_MISMATCH).expect("a number between 100 and 999");
            return Err(Fault::new(status, "upload_checksum"));
        }
        file.add(&held).await?;
    }
    file.keep().await?;
    if broken {
        Err(Fault::new(StatusCode::BAD_REQUEST, "body_unreadable"))
    } else {
        Ok(kept)
    }
}

/// The status tus gives to a piece that was damaged on its way.
const CHECKSUM_MISMATCH: u16 = 460;

/// Makes the photo from the file that arrived, keeps it, removes the file.
async fn finish(ctx: &Ctx, id: UploadId) -> Result<UploadState, Fault> {
    let (app, name) = (&ctx.app, id.to_string());
    let blobs = app.part::<Blobs>();
    let file = staging(app).read(&name).await?;
    let prepared = {
        let _permit = blobs.decoding.acquire().await.map_err(Fault::internal)?;
        tokio::task::spawn_blocking(move || prepare(&file))
            .await
            .map_err(Fault::internal)?
    };
    let state = match prepared {
        Err(error) => {
            let code = error.code();
            app.write(ctx, move |_, tx| Ok(store::refuse(tx, id, code)?)).await?;
            UploadState::Refused { code: code.into() }
        }
        Ok(photo) => UploadState::Done {
            hash: keep(ctx, id, photo).await?,
        },
    };
    staging(app).remove(&name).await?;
    Ok(state)
}

/// First the objects, then the row: a row is never without its photo. The photo's name.
async fn keep(ctx: &Ctx, id: UploadId, photo: photo::Photo) -> Result<String, Fault> {
    let hash = hex::encode(sha2::Sha256::digest(&photo.full));
    let objects = objects(&ctx.app)?;
    let row = store::BlobRow {
        mime: "image/jpeg".into(),
        bytes: photo.full.len() as i64,
        width: i64::from(photo.width),
        height: i64::from(photo.height),
    };
    objects
        .put(&object_path(&hash, Size::Full), photo.full.into())
        .await
        .map_err(unavailable)?;
    objects
        .put(&object_path(&hash, Size::Thumb), photo.thumb.into())
        .await
        .map_err(unavailable)?;
    let (named, claims) = (hash.clone(), photo.claims);
    ctx.app
        .write(ctx, move |ctx, tx| {
            store::insert_blob(tx, &named, &row, ctx.now.0)?;
            Ok(store::done(tx, id, &named, &claims)?)
        })
        .await?;
    Ok(hash)
}

/// Ends an upload; what had arrived is removed. A photo that was made stays, cases may have it.
pub async fn terminate(ctx: &Ctx, id: UploadId) -> Result<(), Fault> {
    own(ctx, id).await?;
    let _sending = Sending::begin(&ctx.app, id).ok_or_else(|| Fault::new(StatusCode::LOCKED, "upload_busy"))?;
    ctx.app.write(ctx, move |_, tx| Ok(store::delete(tx, id)?)).await?;
    Ok(staging(&ctx.app).remove(&id.to_string()).await?)
}

/// The caller's own upload; another's is answered as absent.
async fn own(ctx: &Ctx, id: UploadId) -> Result<UploadRow, Fault> {
    ctx.app.read(ctx, move |ctx, tx| own_in(ctx, tx, id)).await
}

fn own_in(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: UploadId) -> Result<UploadRow, Fault> {
    let found = store::find(tx, id)?
        .filter(|upload| upload.account == ctx.actor.account())
        .ok_or_else(Fault::not_found)?;
    if found.expires_at <= ctx.now.0 {
        return Err(Fault::new(StatusCode::GONE, GONE));
    }
    Ok(found)
}

/// Code of an upload that is there no longer: its time is over, or the database was set back.
pub const GONE: &str = "upload_gone";

/// Parameter of the sentence about too many pixels.
const LIMIT_MP: &str = "limit_mp";

fn refusal(code: &str) -> Fault {
    let known = [
        PhotoError::Heic,
        PhotoError::Format,
        PhotoError::Broken,
        PhotoError::TooManyPixels,
    ];
    let error = known
        .into_iter()
        .find(|error| error.code() == code)
        .unwrap_or(PhotoError::Broken);
    Fault::refused(error.code()).with(LIMIT_MP, MAX_PIXELS / 1_000_000)
}

/// The photo of the caller's finished upload, for attaching it to a case in the same transaction. One that is not there (any more) is to be
/// sent again.
pub fn take(ctx: &Ctx, tx: &mut Tx<'_, '_>, id: UploadId) -> Result<Photo, Fault> {
    let upload = own_in(ctx, tx, id).map_err(|fault| match fault.status() {
        StatusCode::NOT_FOUND => Fault::new(StatusCode::GONE, GONE),
        _ => fault,
    })?;
    match upload.state {
        UploadState::Open => Err(Fault::conflict("upload_not_finished")),
        UploadState::Refused { code } => Err(refusal(&code)),
        UploadState::Done { hash } => {
            let row = store::blob(tx, &hash)?.ok_or_else(Fault::not_found)?;
            let claims = store::claims(tx, id)?;
            Ok(Photo {
                hash,
                mime: row.mime,
                width: row.width,
                height: row.height,
                claims,
            })
        }
    }
}

/// One connection at a time per upload; the hold ends with the connection.
struct Sending {
    blobs: Arc<Blobs>,
    id: UploadId,
}

impl Sending {
    fn begin(app: &App, id: UploadId) -> Option<Self> {
        let blobs = app.part::<Blobs>();
        let free = blobs.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        free.then_some(Self { blobs, id })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.blobs
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

/// Removes uploads whose time is over, with their files.
async fn clean(ctx: Ctx) -> Result<Effect, Fault> {
    let old = ctx
        .app
        .read(&ctx, |ctx, tx| Ok(store::expired(tx, ctx.now.0, CLEAN)?))
        .await?;
    for id in &old {
        staging(&ctx.app).remove(&id.to_string()).await?;
    }
    Ok(Box::new(move |ctx, tx| {
        for id in &old {
            store::delete(tx, *id)?;
        }
        Ok(if old.len() as i64 == CLEAN {
            Outcome::Again(ctx.now)
        } else {
            Outcome::Done
        })
    }))
}

// ---- photos

/// The photo, if the guard lets the caller see it as part of this case; absent otherwise.
pub async fn read_for_case(ctx: &Ctx, case: CaseId, hash: String, size: Size) -> Result<Bytes, Fault> {
    let guard = ctx
        .app
        .part::<Blobs>()
        .guard
        .get()
        .copied()
        .ok_or_else(Fault::not_found)?;
    let name = hash.clone();
    if !ctx.app.read(ctx, move |ctx, tx| guard(ctx, tx, case, &name)).await? {
        return Err(Fault::not_found());
    }
    read(&ctx.app, &hash, size).await
}

/// The photo as an answer that no browser keeps or takes for anything else. For callers that have made sure that the person may see it.
pub async fn answer(app: &App, hash: &str, size: Size) -> Result<Response, Fault> {
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, read(app, hash, size).await?).into_response())
}

/// The photo's bytes (JPEG). For callers that have made sure that the person may see it.
pub async fn read(app: &App, hash: &str, size: Size) -> Result<Bytes, Fault> {
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Fault::not_found());
    }
    match objects(app)?.get(&object_path(hash, size)).await {
        Ok(found) => found.bytes().await.map_err(unavailable),
        Err(object_store::Error::NotFound { .. }) => Err(Fault::not_found()),
        Err(error) => Err(unavailable(error)),
    }
}

/// Two letters of folder keep folders small.
fn object_path(hash: &str, size: Size) -> ObjectPath {
    ObjectPath::from_iter([&hash[..2], hash, size.key()])
}

fn unavailable(error: object_store::Error) -> Fault {
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable")
        .retry_after(5)
        .because(error)
}

/// The store the settings name: a folder, or `s3://bucket/prefix`.
fn objects(app: &App) -> Result<Arc<dyn ObjectStore>, Fault> {
    let blobs = app.part::<Blobs>();
    if let Some(objects) = blobs.objects.get() {
        return Ok(objects.clone());
    }
    let made = open_store(&app.config().blobs).map_err(unavailable)?;
    Ok(blobs.objects.get_or_init(|| made).clone())
}

fn open_store(place: &str) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    if let Some(rest) = place.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let s3 = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
        return Ok(Arc::new(object_store::prefix::PrefixStore::new(s3, prefix)));
    }
    std::fs::create_dir_all(place).map_err(|error| object_store::Error::Generic {
        store: "folder",
        source: Box::new(error),
    })?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(place)?.with_fsync(true)))
}

/// Files on their way up are always on this machine: inside the photo folder, or beside the keys when photos are elsewhere.
fn staging(app: &App) -> Staging {
    let config = app.config();
    let folder = if config.blobs.starts_with("s3://") {
        config.key_file.parent().unwrap_or(Path::new(".")).join("incoming")
    } else {
        PathBuf::from(&config.blobs).join("incoming")
    };
    Staging::new(folder)
}
