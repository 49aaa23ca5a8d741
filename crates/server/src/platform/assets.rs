//! The web pages inside the binary: `web/dist` embedded at build time (read from the folder in debug builds).
//!
//! `/desk/..` is the desk, `/field/..` the field app, everything else the portal. Files with a hash in their name are kept by the
//! browser for a year, pages are asked for each time. Works, saying so, when the pages have not been built.

use super::fault::Fault;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>网格</title>\
    <p>网页尚未构建：请运行 <code>npm --prefix web run build</code>。接口在 <a href=\"/api/v1/openapi.json\">/api/v1</a>。</p>\
    <p>The pages are not built yet: run <code>npm --prefix web run build</code>.</p>";

/// Answers anything that is not the API.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Fault::not_found().into_response();
    }
    let file = path.trim_start_matches('/');
    match Dist::get(file).filter(|_| !file.is_empty()) {
        Some(found) => answer(file, found),
        // A missing asset is missing; any other address belongs to the pages' own router.
        None if file.starts_with("assets/") => Fault::not_found().into_response(),
        None => page(path),
    }
}

fn page(path: &str) -> Response {
    let name = match path.split('/').nth(1) {
        Some("desk") => "desk.html",
        Some("field") => "field.html",
        _ => "portal.html",
    };
    match Dist::get(name) {
        Some(found) => answer(name, found),
        None => Html(NOT_BUILT).into_response(),
    }
}

fn answer(name: &str, file: EmbeddedFile) -> Response {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let keep = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
