//! OGC API Features under `/ogc/v1/`: areas, facilities and public cases for GIS programs (QGIS, `ogr2ogr`, portals of others).
//!
//! Part 1 (core, GeoJSON, OpenAPI 3.0) and Part 2 (reference systems). Anybody reads what is public; a partner's key (`Authorization: Bearer`)
//! or a staff session adds the facilities that are for them, and is written down. Entry point: [`plain_routes`]. Must not: show a case, a word
//! or a position that Open311 does not show, or page by offset.

mod describe;
mod items;
mod params;

use super::open311::keys;
use crate::access::Staff;
use crate::platform::http::{ctx_of, within_budget};
use crate::platform::throttle::Budget;
use crate::platform::*;
use crate::territory;
use crate::territory::facilities::Viewer;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use params::Params;
use serde_json::{Value, json};

/// Where all of it lies.
const BASE: &str = "/ogc/v1";
const JSON: &str = "application/json";
const GEOJSON: &str = "application/geo+json";
const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";

/// The calls, outside the API of the faces.
pub fn plain_routes() -> Router<App> {
    Router::new()
        .route("/ogc/v1", any(serve))
        .route("/ogc/v1/", any(serve))
        .route("/ogc/v1/{*rest}", any(serve))
}

/// What can be read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collection {
    Areas,
    Facilities,
    Cases,
}

impl Collection {
    const ALL: [Collection; 3] = [Collection::Areas, Collection::Facilities, Collection::Cases];

    fn key(self) -> &'static str {
        match self {
            Collection::Areas => "areas",
            Collection::Facilities => "facilities",
            Collection::Cases => "cases",
        }
    }

    fn from_key(key: &str) -> Option<Collection> {
        Collection::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// An answer before it is written.
struct Answer {
    body: Value,
    mime: &'static str,
    /// The reference system of its positions.
    crs: Option<&'static str>,
}

impl Answer {
    fn json(body: Value) -> Answer {
        Answer {
            body,
            mime: JSON,
            crs: None,
        }
    }
}

/// Who asks: the call, what they may see, and the partner whose key it is.
struct Caller {
    ctx: Ctx,
    viewer: Viewer,
    partner: Option<PartnerId>,
}

async fn serve(State(app): State<App>, request: Request) -> Response {
    let lang = fault::lang_of(request.headers());
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = refusal(&Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"), lang);
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let (mut parts, _) = request.into_parts();
    let path = parts
        .uri
        .path()
        .strip_prefix(BASE)
        .unwrap_or_default()
        .trim_matches('/')
        .to_owned();
    let answered = match caller(&app, &mut parts).await {
        Ok(caller) => {
            let public = matches!(caller.viewer, Viewer::Anybody);
            let query = Params::of(parts.uri.query().unwrap_or_default());
            answer(caller, &path, query).await.map(|answer| (answer, public))
        }
        Err(fault) => Err(fault),
    };
    match answered {
        Ok((answer, public)) => written(answer, public),
        Err(fault) => refusal(&fault, lang),
    }
}

async fn answer(caller: Caller, path: &str, query: Result<Params, Fault>) -> Result<Answer, Fault> {
    let steps: Vec<&str> = if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').collect()
    };
    let collection = |key: &str| Collection::from_key(key).ok_or_else(Fault::not_found);
    let plain = |query: Result<Params, Fault>| query.and_then(|query| query.only(&["f"]));
    match steps.as_slice() {
        [] => {
            plain(query)?;
            Ok(Answer::json(describe::landing(&caller.ctx)))
        }
        ["conformance"] => {
            plain(query)?;
            Ok(Answer::json(describe::conformance()))
        }
        ["api"] => {
            plain(query)?;
            Ok(Answer {
                body: describe::openapi(&caller.ctx),
                mime: OPENAPI,
                crs: None,
            })
        }
        ["collections"] => {
            plain(query)?;
            Ok(Answer::json(describe::collections(&caller.ctx)))
        }
        ["collections", key] => {
            let found = collection(key)?;
            plain(query)?;
            Ok(Answer::json(describe::collection(&caller.ctx, found)))
        }
        ["collections", key, "items"] => items::list(caller, collection(key)?, query?).await,
        ["collections", key, "items", id] => {
            let found = collection(key)?;
            let id = params::decoded(id);
            items::one(caller, found, query?, id).await
        }
        _ => Err(Fault::not_found()),
    }
}

/// A partner by its key, staff by their session, else anybody; all within the budget of their address.
async fn caller(app: &App, parts: &mut Parts) -> Result<Caller, Fault> {
    let limit = app.config().limits.open311_per_minute;
    within_budget(app, parts, Budget::Open311, limit)?;
    let anybody = ctx_of(parts, app, Actor::Resident, Scope::nothing()).for_purpose(Purpose::Exchange);
    if let Some(key) = bearer(parts) {
        let partner = app.read(&anybody, move |_, tx| keys::known(tx, Some(&key))).await?;
        let partner = partner.filter(|partner| partner.revoked_at.is_none());
        let partner = partner.ok_or_else(|| Fault::new(StatusCode::UNAUTHORIZED, "ogc_key_bad"))?;
        let map = territory::current(app);
        // A key for an area that is no more reaches nothing.
        let reach = match partner.area {
            Some(area) => Viewer::Partner(Some((map.ever(area).map_or(0, |area| area.depth), area))),
            None => Viewer::Partner(None),
        };
        return Ok(Caller {
            ctx: keys::acting(&anybody, &partner),
            viewer: reach,
            partner: Some(partner.id),
        });
    }
    match Staff::from_request_parts(parts, app).await {
        Ok(Staff(ctx)) => Ok(Caller {
            viewer: Viewer::Staff(ctx.scope.clone()),
            ctx: ctx.for_purpose(Purpose::Exchange),
            partner: None,
        }),
        Err(fault) if fault.status() == StatusCode::UNAUTHORIZED => Ok(Caller {
            ctx: anybody,
            viewer: Viewer::Anybody,
            partner: None,
        }),
        Err(fault) => Err(fault),
    }
}

fn bearer(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (kind, key) = value.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

fn written(answer: Answer, public: bool) -> Response {
    let mut response = answer.body.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.mime));
    let cache = if public {
        // Public data: pages of others may read it.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        "public, max-age=60"
    } else {
        "no-store"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("authorization, cookie, accept-language"),
    );
    if let Some(crs) = answer
        .crs
        .and_then(|crs| HeaderValue::from_str(&format!("<{crs}>")).ok())
    {
        headers.insert("content-crs", crs);
    }
    response
}

/// `code` and `description`, as the standard's exceptions; what the caller can cause by parameters is 400.
fn refusal(fault: &Fault, lang: Lang) -> Response {
    fault.log();
    let status = match fault.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    let view = fault.view(lang);
    let body = json!({ "code": view.code, "description": view.message });
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = view.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An address below the base, as others reach it.
fn address(app: &App, path: &str) -> String {
    format!("{}{BASE}{path}", app.config().public_url.trim_end_matches('/'))
}

fn link(app: &App, rel: &str, mime: &str, path: &str, title: &str) -> Value {
    json!({ "rel": rel, "type": mime, "href": address(app, path), "title": title })
}
