//! The HTTP kit every part uses: extractors with coded errors, pages, the layers around all routes.
//!
//! A part offers `pub fn routes() -> OpenApiRouter<App>`; `crate::router` puts them together. Handlers take [`Json`], [`Query`],
//! [`Path`] from here (not axum's own), so that a bad request is answered with a code and the field it is about.

use super::app::App;
use super::clock::Chance;
use super::ctx::{Actor, Ctx, Purpose};
use super::fault::{Fault, lang_of};
use super::scope::Scope;
use super::throttle::Budget;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Largest JSON body; routes that take files set their own with `DefaultBodyLimit`.
pub const BODY_BYTES: usize = 1 << 20;
/// A request must be answered within this.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// A whole place brought in may take so many times as long: its parts are each kept whole, and the same file again goes on.
const IMPORT_TIMES: u32 = 40;
/// Items of a list when nothing is asked for, and at most.
pub const PAGE_DEFAULT: u32 = 25;
/// Items of a list at most.
pub const PAGE_MAX: u32 = 200;
/// Names the face that calls; a page of another site cannot send it (protection against forged requests).
pub const CLIENT_HEADER: &str = "x-wangge-client";

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_expected"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(body_fault)?;
        parse_json(&bytes).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Whether a JSON text holds the character NUL, which no person writes and PostgreSQL keeps in no text. Refused where words come in.
pub fn holds_nul(json: &[u8]) -> bool {
    const ESCAPED: &[u8] = b"\\u0000";
    let backslashes = |before: &[u8]| before.iter().rev().take_while(|byte| **byte == b'\\').count();
    let mut at = json.windows(ESCAPED.len()).enumerate();
    at.any(|(at, window)| window == ESCAPED && backslashes(&json[..at]) % 2 == 0)
}

/// Reads a JSON object; the fault names the field.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    if holds_nul(bytes) {
        return Err(Fault::refused("nul_in_text"));
    }
    // Fields are known by name: a list in their order would be read as well.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Fault::invalid(".", "invalid_field"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        json_fault(&path, error.inner())
    })?;
    reader.end().map_err(|error| json_fault(".", &error))?;
    Ok(value)
}

/// As [`parse_json`], for an object inside another.
pub fn parse_value<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, Fault> {
    parse_json(value.to_string().as_bytes())
}

fn json_fault(path: &str, error: &serde_json::Error) -> Fault {
    if !error.is_data() {
        return Fault::new(StatusCode::BAD_REQUEST, "malformed_json")
            .with("line", error.line())
            .with("column", error.column());
    }
    let message = error.to_string();
    let inside = |field: &str| {
        if path == "." {
            field.to_owned()
        } else {
            format!("{path}.{field}")
        }
    };
    match message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        Some(field) => Fault::invalid(inside(field), "missing_field"),
        None => Fault::invalid(path.to_owned(), "invalid_field"),
    }
}

/// What went wrong reading a body: too long, too slow, cut off.
pub fn body_fault(rejection: BytesRejection) -> Fault {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        _ => Fault::new(StatusCode::BAD_REQUEST, "body_unreadable"),
    }
}

/// The character NUL as an address writes it.
const NUL: &str = "%00";

/// The parameters after `?`.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        if parts.uri.query().is_some_and(|query| query.contains(NUL)) {
            return Err(Fault::refused("nul_in_text"));
        }
        let found = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        found
            .map(|query| Query(query.0))
            .map_err(|error| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_query").because(error))
    }
}

/// The parameters within the path. One that cannot be read is answered as absent.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        if parts.uri.path().contains(NUL) {
            return Err(Fault::not_found());
        }
        let found = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        found.map(|path| Path(path.0)).map_err(|_| Fault::not_found())
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// From `limit + 1` rows: the last one only tells that there is more. `cursor` is where an item stands in the order.
    pub fn cut<C: Serialize>(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> C) -> Page<T> {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| encode_cursor(&cursor(last)));
        Page { items: rows, next }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}

/// `?limit=&after=`
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Number of items, at most 200.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
}

impl PageQuery {
    /// Number of items, within the bounds.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)
    }

    /// Where to go on, in the shape the list uses.
    pub fn after<C: DeserializeOwned>(&self) -> Result<Option<C>, Fault> {
        self.after.as_deref().map(decode_cursor).transpose()
    }
}

/// A cursor as text: not secret, only opaque.
pub fn encode_cursor<C: Serialize>(cursor: &C) -> String {
    BASE64.encode(serde_json::to_vec(cursor).expect("a cursor is made of plain values"))
}

/// The inverse; the fault names the parameter.
pub fn decode_cursor<C: DeserializeOwned>(text: &str) -> Result<C, Fault> {
    let bytes = BASE64
        .decode(text)
        .map_err(|_| Fault::invalid("after", "invalid_cursor"))?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::invalid("after", "invalid_cursor"))
}

/// One per request; in the logs and in the answer's `x-request-id`.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where the request comes from.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Of a request that passed [`identify`]; the unspecified address otherwise.
    pub fn of(parts: &Parts) -> IpAddr {
        parts
            .extensions
            .get::<ClientAddress>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0)
    }
}

/// Takes one request off what an address may ask in a minute; refused with how long to wait.
pub fn within_budget(app: &App, parts: &Parts, budget: Budget, per_minute: u32) -> Result<(), Fault> {
    const WINDOW_MS: i64 = 60_000;
    app.throttle()
        .take(budget, ClientAddress::of(parts), per_minute, WINDOW_MS, app.now())
        .map_err(|seconds| {
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests")
                .with("seconds", seconds)
                .retry_after(seconds)
        })
}

/// A call from the portal, without an account; limited by address.
pub struct Public(pub Ctx);

impl FromRequestParts<App> for Public {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let limit = app.config().limits.portal_per_minute;
        within_budget(app, parts, Budget::Portal, limit)?;
        Ok(Public(ctx_of(parts, app, Actor::Resident, Scope::nothing())))
    }
}

/// The context of a request; its purpose is not stated yet.
pub fn ctx_of(parts: &Parts, app: &App, actor: Actor, scope: Scope) -> Ctx {
    Ctx {
        actor,
        scope,
        purpose: Purpose::Unstated,
        now: app.now(),
        request_id: parts
            .extensions
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
        lang: lang_of(&parts.headers),
        app: app.clone(),
    }
}

/// Layer: gives the request its id and its address, and the answer the id.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(app.chance());
    let address = address_of(&request, app.config().trust_proxy);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(ClientAddress(address));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

fn request_id(chance: &Chance) -> String {
    hex::encode(chance.bytes::<8>())
}

fn address_of(request: &Request, trust_proxy: bool) -> IpAddr {
    let forwarded = || {
        let value = request.headers().get("x-forwarded-for")?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip());
    let found = if trust_proxy { forwarded().or(peer) } else { peer };
    found.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Layer: a request is over after `limit`, an import later.
pub async fn timely(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let import = route.is_some_and(|route| route.as_str().ends_with("/import"));
    let limit = if import { limit * IMPORT_TIMES } else { limit };
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// Layer: one log line and one count per request. The route's pattern, never the address asked for: that may hold personal data.
pub async fn observe(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let begun = Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    tracing::info!(request_id = id, method = %method, route, status, micros = took.as_micros() as u64, "request");
    let labels = [
        ("method", method.to_string()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    response
}

/// Layer of the API: a change must name its client, which a page of another site cannot do.
pub async fn same_site(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let named = request
        .headers()
        .get(CLIENT_HEADER)
        .is_some_and(|name| ["desk", "field", "portal"].iter().any(|face| name == face));
    if changes && !named {
        return Fault::new(StatusCode::FORBIDDEN, "client_header_missing").into_response();
    }
    next.run(request).await
}

/// Layer of the API: what axum and the layers answer by themselves (no such route, wrong method, time over) becomes a coded fault.
pub async fn coded(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<Fault>().is_some() || response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let code = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "took_too_long",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        _ => return response,
    };
    let mut answer = Fault::new(response.status(), code).into_response();
    *answer.headers_mut() = response.headers().clone();
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer
}

/// Layer: the headers that tell a browser what not to do.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        }
    };
    put(
        "content-security-policy",
        &content_security_policy(app.config().base_map.as_ref()),
    );
    put("x-content-type-options", "nosniff");
    put("x-frame-options", "DENY");
    put("referrer-policy", "no-referrer");
    put(
        "permissions-policy",
        "geolocation=(self), camera=(self), microphone=(), payment=()",
    );
    put("cross-origin-opener-policy", "same-origin");
    put("cross-origin-resource-policy", "same-origin");
    if app.config().secure() {
        put("strict-transport-security", "max-age=31536000");
    }
    if api {
        put("cache-control", "no-store");
    }
    response
}

/// No inline script, nothing from elsewhere but the configured base map. Inline style stays allowed: charts and maps set it.
fn content_security_policy(base_map: Option<&super::config::BaseMap>) -> String {
    let urls = base_map
        .into_iter()
        .flat_map(|map| [map.style_url.as_deref(), map.tiles.as_deref()])
        .flatten();
    let mut map: Vec<String> = urls.filter_map(origin).collect();
    map.dedup();
    let map = map.iter().map(|origin| format!(" {origin}")).collect::<String>();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:{map}; font-src 'self'; \
         connect-src 'self'{map}; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// `https://host:port` of an absolute address.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '*'));
    (plain && !host.is_empty() && matches!(scheme, "http" | "https")).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Reporter {
        #[allow(dead_code)]
        phone: String,
    }

    #[derive(Debug, Deserialize)]
    struct Body {
        #[allow(dead_code)]
        reporter: Reporter,
    }

    fn fault(text: &str) -> (String, Option<String>) {
        let view = parse_json::<Body>(text.as_bytes())
            .unwrap_err()
            .view(crate::platform::i18n::Lang::En);
        (view.code, view.field)
    }

    #[test]
    fn a_bad_body_names_its_field() {
        assert_eq!(
            fault(r#"{"reporter":{"phone":5}}"#),
            ("invalid_field".into(), Some("reporter.phone".into()))
        );
        assert_eq!(fault(r#" [{"phone":"5"}]"#), ("invalid_field".into(), Some(".".into())));
        assert_eq!(
            fault(r#"{"reporter":{}}"#),
            ("missing_field".into(), Some("reporter.phone".into()))
        );
        assert_eq!(fault("{}"), ("missing_field".into(), Some("reporter".into())));
        assert_eq!(fault("{"), ("malformed_json".into(), None));
        assert_eq!(fault(r#"{"reporter":{"phone":"1"}} x"#).0, "malformed_json");
        assert_eq!(fault(r#"{"reporter":{"phone":"\u0000"}}"#).0, "nul_in_text");
        assert_eq!(fault(r#"{"reporter":{"phone":"\\\u0000"}}"#).0, "nul_in_text");
        assert!(!holds_nul(br#""\\u0000""#), "six characters that look like it");
    }

    #[test]
    fn a_page_ends_with_a_cursor_when_there_is_more() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| (*n, "x"));
        assert_eq!(page.items, [1, 2]);
        let after: (i64, String) = decode_cursor(&page.next.unwrap()).unwrap();
        assert_eq!(after, (2, "x".into()));
        assert!(Page::cut(vec![1, 2], 2, |n| *n).next.is_none());
        assert_eq!(decode_cursor::<i64>("!").unwrap_err().code(), "invalid_cursor");
    }

    #[test]
    fn the_policy_opens_for_the_base_map_only() {
        let map = super::super::config::BaseMap {
            tiles: Some("https://t.example.cn/{z}/{x}/{y}.png".into()),
            ..Default::default()
        };
        let policy = content_security_policy(Some(&map));
        assert!(
            policy.contains("img-src 'self' data: blob: https://t.example.cn;"),
            "{policy}"
        );
        assert!(!content_security_policy(None).contains("http"));
        assert_eq!(origin("https://a.example; script-src *"), None);
    }
}
