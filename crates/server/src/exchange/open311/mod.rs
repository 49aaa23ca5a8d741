//! Open311 GeoReport v2 under `/open311/v2/`, in XML and JSON: what other cities' systems and apps speak.
//!
//! Entry points: [`plain_routes`] (the calls themselves; anybody reads, a key is needed to write) and [`routes`] (the administrator's pages).
//! One address is one [`Call`]; each call gives one [`tree::Node`], written in the format asked for. Cases are opened and read through the
//! functions of `cases` only. Must not: answer with who reported, a case that is not public, or anything fetched from elsewhere.

mod catalog;
mod http;
pub(in crate::exchange) mod keys;
pub(in crate::exchange) mod media;
pub(in crate::exchange) mod params;
mod requests_in;
mod requests_out;
mod store;
mod tree;
mod updates;

pub use http::routes;

use crate::platform::http::{ctx_of, within_budget};
use crate::platform::throttle::Budget;
use crate::platform::*;
use crate::territory;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use domain::time::Timestamp;
use params::Params;
use tree::{Format, Node};

/// Where all of it lies.
const BASE: &str = "/open311/v2/";
/// Room for a form around its files.
const FORM: usize = 64 << 10;

/// The calls, outside the API of the faces: they know no session, so nothing of a browser's can be abused through them.
pub fn plain_routes() -> Router<App> {
    Router::new()
        .route("/open311/v2/{*rest}", any(serve))
        .layer(DefaultBodyLimit::max(params::MULTIPART_BYTES + FORM))
}

/// What an address means.
#[derive(Debug, Clone, PartialEq)]
enum Call {
    Discovery,
    Services,
    Service(String),
    Requests,
    Request(String),
    Token(String),
    Updates,
}

impl Call {
    /// From what stands between the base and the ending.
    fn of(path: &str) -> Option<Call> {
        let known = match path.split_once('/') {
            None => match path {
                "discovery" => Call::Discovery,
                "services" => Call::Services,
                "requests" => Call::Requests,
                "servicerequestupdates" => Call::Updates,
                _ => return None,
            },
            Some((_, one)) if one.is_empty() || one.contains('/') => return None,
            Some(("services", code)) => Call::Service(code.to_owned()),
            Some(("requests", number)) => Call::Request(number.to_owned()),
            Some(("tokens", token)) => Call::Token(token.to_owned()),
            Some(_) => return None,
        };
        Some(known)
    }

    /// Whether something can be handed in here.
    fn takes(&self) -> bool {
        matches!(self, Call::Requests | Call::Updates)
    }
}

/// An answer before it is written.
struct Answer {
    /// The root element of the XML.
    root: &'static str,
    node: Node,
    /// The query of the next page, for the `Link` header.
    next: Option<String>,
}

impl Answer {
    fn new(root: &'static str, node: Node) -> Answer {
        Answer { root, node, next: None }
    }
}

async fn serve(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path().strip_prefix(BASE).unwrap_or_default().to_owned();
    let lang = fault::lang_of(request.headers());
    if let Some(photo) = path.strip_prefix("media/") {
        return media::serve(&app, request, photo)
            .await
            .unwrap_or_else(|fault| refusal(&fault, Format::Xml, lang));
    }
    let (call, ending) = path.rsplit_once('.').unwrap_or((&path, ""));
    let format = Format::of(ending);
    let (Some(call), Some(format)) = (Call::of(call), format) else {
        return refusal(&Fault::not_found(), format.unwrap_or(Format::Xml), lang);
    };
    let writes = match *request.method() {
        Method::GET | Method::HEAD => false,
        Method::POST if call.takes() => true,
        _ => return not_allowed(&call, format, lang),
    };
    match answer(&app, &call, request, writes).await {
        Ok(answer) => {
            let mut response = written(&answer, format);
            let next = answer
                .next
                .map(|query| address(&app, &format!("requests.{ending}?{query}")));
            if let Some(next) = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()) {
                response.headers_mut().insert(header::LINK, next);
            }
            response
        }
        Err(fault) => refusal(&fault, format, lang),
    }
}

async fn answer(app: &App, call: &Call, request: Request, writes: bool) -> Result<Answer, Fault> {
    let (parts, body) = request.into_parts();
    let ctx = caller(app, &parts)?;
    let mut params = Params::of(parts.uri.query().unwrap_or_default());
    if writes {
        params = params.and(params::read_body(app, Request::from_parts(parts, body)).await?);
        return match call {
            Call::Updates => updates::take(ctx, params).await,
            _ => requests_in::take(ctx, params).await,
        };
    }
    match call {
        Call::Discovery => catalog::discovery(ctx).await,
        Call::Services => catalog::services(ctx, params).await,
        Call::Service(code) => catalog::definition(&ctx, &params, code),
        Call::Requests => requests_out::list(ctx, params).await,
        Call::Request(number) => requests_out::one(ctx, params, number.clone()).await,
        Call::Token(token) => requests_out::token(ctx, params, token.clone()).await,
        Call::Updates => updates::give(ctx, params).await,
    }
}

/// Anybody, within the budget of their address.
fn caller(app: &App, parts: &axum::http::request::Parts) -> Result<Ctx, Fault> {
    let limit = app.config().limits.open311_per_minute;
    within_budget(app, parts, Budget::Open311, limit)?;
    Ok(ctx_of(parts, app, Actor::Resident, Scope::nothing()).for_purpose(Purpose::Exchange))
}

fn written(answer: &Answer, format: Format) -> Response {
    let mut response = tree::write(answer.root, &answer.node, format).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.mime()));
    // Public data, no cookies: pages of others may read it.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// `errors/error` with `code` and `description`, in the caller's language. 404 and 403 are what they are; whatever else the caller can cause
/// is 400.
fn refusal(fault: &Fault, format: Format, lang: Lang) -> Response {
    fault.log();
    let status = match fault.status() {
        known @ (StatusCode::NOT_FOUND
        | StatusCode::FORBIDDEN
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::TOO_MANY_REQUESTS) => known,
        ours if ours.is_server_error() => ours,
        _ => StatusCode::BAD_REQUEST,
    };
    let view = fault.view(lang);
    let sentences = std::iter::once(view.message).chain(view.details.into_iter().map(|detail| detail.message));
    let errors = sentences.map(|sentence| {
        Node::Fields(vec![
            ("code", Node::Whole(i64::from(status.as_u16()))),
            ("description", Node::text(sentence)),
        ])
    });
    let node = Node::List("error", errors.collect());
    let mut response = written(&Answer::new("errors", node), format);
    *response.status_mut() = status;
    if let Some(seconds) = view.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn not_allowed(call: &Call, format: Format, lang: Lang) -> Response {
    let fault = Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    let mut response = refusal(&fault, format, lang);
    let allow = if call.takes() { "GET, HEAD, POST" } else { "GET, HEAD" };
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// The part of the place a call is about.
#[derive(Debug, Clone, Default)]
pub struct Where {
    /// Its top, with the chain above it; none: the whole place.
    top: Option<(AreaId, [Option<AreaId>; 5])>,
}

impl Where {
    /// `jurisdiction_id`: the code of an area, at any level. One that does not exist is 404.
    fn named(ctx: &Ctx, params: &Params) -> Result<Where, Fault> {
        let Some(code) = params.get("jurisdiction_id") else {
            return Ok(Where::default());
        };
        let map = territory::current(&ctx.app);
        let found = map
            .by_code(code)
            .ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "open311_jurisdiction_unknown"))?;
        Ok(Where {
            top: Some((found.id, found.chain)),
        })
    }

    /// As [`Where::named`]; where nothing is named, the part the key is for.
    fn named_or(ctx: &Ctx, params: &Params, own: Option<AreaId>) -> Result<Where, Fault> {
        let named = Where::named(ctx, params)?;
        let map = territory::current(&ctx.app);
        let own = own.and_then(|own| map.area(own)).map(|own| (own.id, own.chain));
        Ok(Where { top: named.top.or(own) })
    }

    /// Whether all of it lies in the subtree of `around` (none: the whole place).
    fn within(&self, around: Option<AreaId>) -> bool {
        match (around, &self.top) {
            (None, _) => true,
            (Some(around), Some((_, chain))) => chain.contains(&Some(around)),
            (Some(_), None) => false,
        }
    }

    /// Whether an area lies in it.
    fn holds(&self, ctx: &Ctx, area: AreaId) -> bool {
        let map = territory::current(&ctx.app);
        self.top.is_none_or(|(top, _)| map.is_under(area, top))
    }

    /// Depth and top, as lists take it.
    fn area(&self) -> Option<(u8, AreaId)> {
        let (top, chain) = self.top?;
        let depth = chain.iter().position(|area| *area == Some(top))?;
        Some((u8::try_from(depth).ok()? + 1, top))
    }
}

/// A time as the standard wants it: with seconds and offset, nothing finer.
fn when(at: Timestamp) -> Node {
    const SECOND_MS: i64 = 1_000;
    Node::text(Timestamp(at.0.div_euclid(SECOND_MS) * SECOND_MS).to_string())
}

/// An address below the base, as others reach it.
fn address(app: &App, path: &str) -> String {
    format!("{}{BASE}{path}", app.config().public_url.trim_end_matches('/'))
}

/// From and to of a list: at most the operator's days apart; the last of them when nothing is said.
fn span(ctx: &Ctx, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(Timestamp, Timestamp), Fault> {
    let days = ctx.app.config().limits.open311_days;
    let most = i64::from(days) * domain::time::DAY_MS;
    let to = to.unwrap_or_else(|| from.map_or(ctx.now, |from| ctx.now.max(from)));
    let from = from.unwrap_or_else(|| to.plus_ms(-most));
    if from > to {
        return Err(Fault::refused("open311_span_backwards"));
    }
    if to.0.saturating_sub(from.0) > most {
        return Err(Fault::refused("open311_span_too_long").with("days", days));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_calls_or_nothing() {
        assert_eq!(Call::of("services/0101"), Some(Call::Service("0101".into())));
        assert_eq!(Call::of("requests"), Some(Call::Requests));
        for nothing in ["", "service", "services/", "requests/1/2", "tokens", "x/y"] {
            assert_eq!(Call::of(nothing), None, "{nothing}");
        }
    }
}
