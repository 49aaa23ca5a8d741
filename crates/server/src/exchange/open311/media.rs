//! Photos of public requests: in, made anew without what the file says about itself; out, only those a request shows.

use super::params::File;
use crate::cases::public;
use crate::platform::blobs::{self, MAX_BYTES, Size};
use crate::platform::*;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::stream;

/// Characters of an address of a photo elsewhere.
const MAX_LINK: usize = 500;

/// `media/{number}/{hash}.jpg`
pub async fn serve(app: &App, request: Request, path: &str) -> Result<Response, Fault> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    }
    let (parts, _) = request.into_parts();
    let ctx = super::caller(app, &parts)?;
    let (number, file) = path.split_once('/').ok_or_else(Fault::not_found)?;
    let hash = file.strip_suffix(".jpg").ok_or_else(Fault::not_found)?.to_owned();
    let (number, named) = (number.to_owned(), hash.clone());
    let shown = app
        .read(&ctx, move |ctx, tx| public::photo_is_public(ctx, tx, &number, &named))
        .await?;
    if !shown {
        return Err(Fault::not_found());
    }
    let mut response = blobs::read(app, &hash, Size::Full).await?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// Address of a photo of a request.
pub fn address(app: &App, number: &str, hash: &str) -> String {
    super::address(app, &format!("media/{number}/{hash}.jpg"))
}

/// `media_url`s told apart: addresses elsewhere, which are kept as words and never fetched, and photos within (`data:`).
pub fn of_links<'l>(links: impl Iterator<Item = &'l str>) -> Result<(Vec<String>, Vec<File>), Fault> {
    let (mut kept, mut files) = (Vec::new(), Vec::new());
    for link in links {
        let lower = link.get(..8).unwrap_or(link).to_ascii_lowercase();
        if lower.starts_with("data:") {
            files.push(within(link)?);
        } else if (lower.starts_with("https://") || lower.starts_with("http://"))
            && link.chars().count() <= MAX_LINK
            && !link.contains(char::is_whitespace)
        {
            kept.push(link.to_owned());
        } else {
            return Err(Fault::invalid("media_url", "open311_bad_media_url"));
        }
    }
    Ok((kept, files))
}

/// `data:image/jpeg;base64,...`
fn within(link: &str) -> Result<File, Fault> {
    let bad = || Fault::invalid("media_url", "open311_bad_media_url");
    let (_, text) = link.split_once(";base64,").ok_or_else(bad)?;
    // In a form a `+` that was not encoded has become a blank.
    let bytes = BASE64.decode(text.replace(' ', "+")).map_err(|_| bad())?;
    Ok(File {
        name: "media".to_owned(),
        bytes: bytes.into(),
    })
}

/// Makes photos of files; the ids under which they wait to be attached.
pub async fn keep(ctx: &Ctx, files: &[File]) -> Result<Vec<String>, Fault> {
    let most = crate::cases::intake::MAX_PHOTOS;
    if files.len() > most {
        return Err(Fault::refused("too_many_photos").with("most", most));
    }
    let mut uploads = Vec::with_capacity(files.len());
    for file in files {
        let length = file.bytes.len() as u64;
        if length > MAX_BYTES {
            return Err(Fault::refused("upload_too_large").with("limit_mb", MAX_BYTES >> 20));
        }
        let id: UploadId = ctx.app.new_id();
        let name: String = file.name.chars().filter(|c| !c.is_control()).take(200).collect();
        blobs::create(ctx, id, length, name).await?;
        let whole = stream::iter([Ok::<Bytes, std::convert::Infallible>(file.bytes.clone())]);
        blobs::append(ctx, id, 0, None, whole).await?;
        uploads.push(id.to_string());
    }
    Ok(uploads)
}
