//! Uploads (tus 1.0: creation, checksum, termination, expiration) and photos over HTTP, for staff and for the portal.

use crate::access::Staff;
use crate::platform::blobs::{self, Checksum, MAX_BYTES, Size, UploadRow, UploadState};
use crate::platform::{App, CaseId, Ctx, Fault, Path, Public, Query, UploadId};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{head, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::time::Timestamp;
use serde::Deserialize;

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,checksum,termination,expiration";
const PIECE: &str = "application/offset+octet-stream";
/// Characters of a file name kept.
const NAME_LENGTH: usize = 200;

/// Routes of the tus protocol, below `/api/v1`; described by its own standard and not in the OpenAPI text.
pub fn tus_routes() -> Router<App> {
    Router::new()
        .route("/uploads", post(staff_create).options(options))
        .route(
            "/uploads/{id}",
            head(staff_status)
                .patch(staff_append)
                .delete(staff_terminate)
                .options(options),
        )
        .route("/portal/uploads", post(portal_create).options(options))
        .route(
            "/portal/uploads/{id}",
            head(portal_status)
                .patch(portal_append)
                .delete(portal_terminate)
                .options(options),
        )
}

async fn staff_create(Staff(ctx): Staff, headers: HeaderMap) -> Result<Response, Fault> {
    create(ctx, headers, "/api/v1/uploads").await
}

async fn portal_create(Public(ctx): Public, headers: HeaderMap) -> Result<Response, Fault> {
    create(ctx, headers, "/api/v1/portal/uploads").await
}

async fn staff_status(Staff(ctx): Staff, Path(id): Path<UploadId>) -> Result<Response, Fault> {
    status(ctx, id).await
}

async fn portal_status(Public(ctx): Public, Path(id): Path<UploadId>) -> Result<Response, Fault> {
    status(ctx, id).await
}

async fn staff_append(
    Staff(ctx): Staff,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    append(ctx, id, headers, body).await
}

async fn portal_append(
    Public(ctx): Public,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    append(ctx, id, headers, body).await
}

async fn staff_terminate(Staff(ctx): Staff, Path(id): Path<UploadId>, headers: HeaderMap) -> Result<Response, Fault> {
    terminate(ctx, id, headers).await
}

async fn portal_terminate(
    Public(ctx): Public,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    terminate(ctx, id, headers).await
}

/// What this server can do.
async fn options() -> Response {
    let limit = HeaderValue::from(MAX_BYTES);
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(&mut response, "tus-resumable", HeaderValue::from_static(VERSION));
    put(&mut response, "tus-version", HeaderValue::from_static(VERSION));
    put(&mut response, "tus-max-size", limit);
    put(&mut response, "tus-extension", HeaderValue::from_static(EXTENSIONS));
    put(
        &mut response,
        "tus-checksum-algorithm",
        HeaderValue::from_static("sha1,sha256"),
    );
    response
}

async fn create(ctx: Ctx, headers: HeaderMap, base: &str) -> Result<Response, Fault> {
    same_version(&headers)?;
    let length = number(&headers, "upload-length")?.ok_or_else(|| Fault::refused("upload_size_missing"))?;
    let metadata = metadata(&headers)?;
    let named = |key: &str| {
        metadata
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
    };
    let id = match named("id") {
        Some(text) => text.parse().map_err(|_| bad_header("Upload-Metadata"))?,
        None => ctx.app.new_id(),
    };
    let filename: String = named("filename")
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_LENGTH)
        .collect();
    let upload = blobs::create(&ctx, id, length, filename).await?;
    let mut response = answer(StatusCode::CREATED, &upload, None);
    let location = HeaderValue::from_str(&format!("{base}/{id}")).map_err(Fault::internal)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

async fn status(ctx: Ctx, id: UploadId) -> Result<Response, Fault> {
    let (upload, offset) = blobs::status(&ctx, id).await?;
    let mut response = answer(StatusCode::OK, &upload, Some(offset));
    put(&mut response, "upload-length", HeaderValue::from(upload.length));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn append(ctx: Ctx, id: UploadId, headers: HeaderMap, body: Body) -> Result<Response, Fault> {
    same_version(&headers)?;
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != PIECE) {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "upload_header").with("name", "Content-Type"));
    }
    let offset = number(&headers, "upload-offset")?.ok_or_else(|| bad_header("Upload-Offset"))?;
    let checksum = checksum(&headers)?;
    let (upload, offset) = blobs::append(&ctx, id, offset, checksum, body.into_data_stream()).await?;
    Ok(answer(StatusCode::NO_CONTENT, &upload, Some(offset)))
}

async fn terminate(ctx: Ctx, id: UploadId, headers: HeaderMap) -> Result<Response, Fault> {
    same_version(&headers)?;
    blobs::terminate(&ctx, id).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(&mut response, "tus-resumable", HeaderValue::from_static(VERSION));
    Ok(response)
}

/// The headers every answer about an upload has; `wangge-photo` names the photo once it is made.
fn answer(status: StatusCode, upload: &UploadRow, offset: Option<u64>) -> Response {
    let mut response = status.into_response();
    put(&mut response, "tus-resumable", HeaderValue::from_static(VERSION));
    if let Some(offset) = offset {
        put(&mut response, "upload-offset", HeaderValue::from(offset));
    }
    if let Ok(expires) = HeaderValue::from_str(&http_date(upload.expires_at)) {
        put(&mut response, "upload-expires", expires);
    }
    if let UploadState::Done { hash } = &upload.state
        && let Ok(hash) = HeaderValue::from_str(hash)
    {
        put(&mut response, "wangge-photo", hash);
    }
    response
}

fn put(response: &mut Response, name: &'static str, value: HeaderValue) {
    response.headers_mut().insert(HeaderName::from_static(name), value);
}

/// RFC 9110: `Sun, 15 Feb 2026 02:00:00 GMT`.
fn http_date(ms: i64) -> String {
    let at = Timestamp(ms).plus_ms(-8 * domain::time::HOUR_MS).civil();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn same_version(headers: &HeaderMap) -> Result<(), Fault> {
    if headers.get("tus-resumable").is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    Err(Fault::new(StatusCode::PRECONDITION_FAILED, "upload_version"))
}

fn bad_header(name: &'static str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "upload_header").with("name", name)
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, Fault> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| bad_header(name))
}

/// `filename 5paH5Lu2LmpwZw==,id MDE5..`
fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, Fault> {
    let Some(value) = headers.get("upload-metadata") else {
        return Ok(Vec::new());
    };
    let bad = || bad_header("Upload-Metadata");
    let text = value.to_str().map_err(|_| bad())?;
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = BASE64.decode(value.trim()).map_err(|_| bad())?;
            Ok((key.to_owned(), String::from_utf8(value).map_err(|_| bad())?))
        })
        .collect()
}

/// `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`
fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Fault> {
    let Some(value) = headers.get("upload-checksum") else {
        return Ok(None);
    };
    let bad = || bad_header("Upload-Checksum");
    let (name, sum) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(bad)?;
    let sum = BASE64.decode(sum.trim()).map_err(|_| bad())?;
    match name {
        "sha1" => Ok(Some(Checksum::Sha1(sum))),
        "sha256" => Ok(Some(Checksum::Sha256(sum))),
        _ => Err(Fault::new(StatusCode::BAD_REQUEST, "upload_checksum_algorithm")),
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PhotoQuery {
    /// The case it belongs to: who may see the case may see the photo.
    case: CaseId,
    /// `thumb` (320 pixels) or `full` (at most 2048).
    #[param(inline)]
    size: Option<Size>,
}

/// A photo of a case.
#[utoipa::path(get, path = "/blobs/{hash}", tag = "cases", params(("hash" = String, Path), PhotoQuery),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = crate::platform::fault::FaultView)))]
pub async fn photo(
    Staff(ctx): Staff,
    Path(hash): Path<String>,
    Query(query): Query<PhotoQuery>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let size = query.size.unwrap_or(Size::Full);
    let tag = format!("\"{hash}-{}\"", size.key());
    let bytes = blobs::read_for_case(&ctx, query.case, hash, size).await?;
    let fresh = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == *tag);
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        bytes.into_response()
    };
    put(&mut response, "content-type", HeaderValue::from_static("image/jpeg"));
    put(
        &mut response,
        "cache-control",
        HeaderValue::from_static("private, max-age=31536000, immutable"),
    );
    put(&mut response, "content-disposition", HeaderValue::from_static("inline"));
    put(
        &mut response,
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        put(&mut response, "etag", tag);
    }
    Ok(response)
}
