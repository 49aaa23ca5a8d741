//! `Fault`: the one error at the edge, and how it becomes an answer.
//!
//! Each operation has its own error enum and turns it into a `Fault` (`impl From<TheirError> for Fault`). A fault carries a
//! status, a stable code, the field it is about, and what the sentence needs. The sentence is written by
//! [`render`], the outermost layer of the API, in the language of the request.

use super::i18n::{self, Lang};
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One problem of one field, beside the first.
#[derive(Debug, Clone)]
pub struct Detail {
    field: Cow<'static, str>,
    code: &'static str,
    params: Vec<(&'static str, String)>,
}

/// An error ready to be answered. Never holds personal data.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} ({})", .0.code, .0.status)]
pub struct Fault(Box<Inner>);

/// Boxed: every use case returns a fault by value, and most of the time there is none.
#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    field: Option<Cow<'static, str>>,
    params: Vec<(&'static str, String)>,
    details: Vec<Detail>,
    retry_after_s: Option<u64>,
    /// For the log only, never answered.
    cause: Option<String>,
}

impl Fault {
    /// Any status and code; the code needs a sentence in `i18n/`.
    pub fn new(status: StatusCode, code: &'static str) -> Fault {
        Fault(Box::new(Inner {
            status,
            code,
            field: None,
            params: Vec::new(),
            details: Vec::new(),
            retry_after_s: None,
            cause: None,
        }))
    }

    /// 404: absent, or not yours: the same bytes.
    pub fn not_found() -> Fault {
        Fault::new(StatusCode::NOT_FOUND, "not_found")
    }

    /// 403: this person may not do this anywhere.
    pub fn forbidden() -> Fault {
        Fault::new(StatusCode::FORBIDDEN, "forbidden")
    }

    /// 401: nobody is signed in.
    pub fn unauthenticated() -> Fault {
        Fault::new(StatusCode::UNAUTHORIZED, "unauthenticated")
    }

    /// 422: a rule refuses; the user can act on the sentence.
    pub fn refused(code: &'static str) -> Fault {
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, code)
    }

    /// 422: a value given is not acceptable.
    pub fn invalid(field: impl Into<Cow<'static, str>>, code: &'static str) -> Fault {
        Fault::refused(code).field(field)
    }

    /// 409: somebody else was first, or the thing is there already.
    pub fn conflict(code: &'static str) -> Fault {
        Fault::new(StatusCode::CONFLICT, code)
    }

    /// 500: our mistake. `cause` goes to the log, not to the user.
    pub fn internal(cause: impl std::fmt::Display) -> Fault {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").because(cause)
    }

    /// The field the fault is about (a JSON path such as `reporter.phone`).
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Fault {
        self.0.field = Some(field.into());
        self
    }

    /// A parameter of the sentence.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Fault {
        self.0.params.push((name, value.to_string()));
        self
    }

    /// One more field that is wrong.
    pub fn detail(mut self, field: impl Into<Cow<'static, str>>, code: &'static str) -> Fault {
        self.0.details.push(Detail {
            field: field.into(),
            code,
            params: Vec::new(),
        });
        self
    }

    /// Seconds after which trying again makes sense (also sent as `Retry-After`).
    pub fn retry_after(mut self, seconds: u64) -> Fault {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// What the log should know.
    pub fn because(mut self, cause: impl std::fmt::Display) -> Fault {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The same fault under another code.
    pub(super) fn code_as(mut self, code: &'static str) -> Fault {
        self.0.code = code;
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Tells the log what is our mistake.
    pub fn log(&self) {
        let Some(cause) = &self.0.cause else { return };
        if self.0.status.is_server_error() {
            tracing::error!(code = self.0.code, cause, "fault");
        } else {
            tracing::debug!(code = self.0.code, cause, "fault");
        }
    }

    /// What is answered, in a language.
    pub fn view(&self, lang: Lang) -> FaultView {
        FaultView {
            code: self.0.code.to_owned(),
            message: i18n::sentence(lang, self.0.code, &self.0.params),
            field: self.0.field.as_deref().map(str::to_owned),
            details: self.0.details.iter().map(|detail| detail.view(lang)).collect(),
            retry_after_s: self.0.retry_after_s,
        }
    }
}

impl Detail {
    fn view(&self, lang: Lang) -> DetailView {
        DetailView {
            field: self.field.to_string(),
            code: self.code.to_owned(),
            message: i18n::sentence(lang, self.code, &self.params),
        }
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaultView {
    /// Stable; what programs look at.
    pub code: String,
    /// What happened, what is safe, what to do: in the user's language.
    pub message: String,
    /// The field it is about.
    pub field: Option<String>,
    /// Further fields that are wrong.
    pub details: Vec<DetailView>,
    /// When trying again makes sense, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub retry_after_s: Option<u64>,
}

/// One more wrong field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DetailView {
    /// JSON path of the field.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// Sentence in the user's language.
    pub message: String,
}

impl From<db::DbError> for Fault {
    fn from(error: db::DbError) -> Fault {
        use db::DbError::*;
        let unavailable = |code| {
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, code)
                .retry_after(RETRY_S)
                .because(&error)
        };
        match &error {
            Overloaded | TooSlow | Conflict(_) => unavailable("busy"),
            Unavailable(_) => unavailable("storage_unavailable"),
            DiskFull => unavailable("disk_full"),
            Refusing { .. } => unavailable("storage_stopped"),
            UnknownOutcome(_) => unavailable("unknown_outcome"),
            Unique { columns } => Fault::conflict("already_exists").because(columns),
            _ => Fault::internal(error),
        }
    }
}

/// What a file of ours could not be written or read for. Nothing of it counts.
impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        let full = matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        );
        let code = if full { "disk_full" } else { "storage_unavailable" };
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, code)
            .retry_after(RETRY_S)
            .because(error)
    }
}

/// Seconds after which a client may try an overloaded server again.
const RETRY_S: u64 = 2;

/// The sentence is added by [`render`]; a fault outside it is answered in Chinese.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Outermost layer of the API: writes the body of a fault in the language of the request and logs what is our mistake.
pub async fn render(request: Request, next: Next) -> Response {
    let lang = lang_of(request.headers());
    let mut response = next.run(request).await;
    let Some(fault) = response.extensions_mut().remove::<Fault>() else {
        return response;
    };
    fault.log();
    let mut answer = (fault.0.status, Json(fault.view(lang))).into_response();
    if let Some(seconds) = fault.0.retry_after_s {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Headers set on the way out by inner layers (a removed cookie, say) stay.
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}

/// The language a request asks for.
pub fn lang_of(headers: &axum::http::HeaderMap) -> Lang {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map(Lang::from_header)
        .unwrap_or_default()
}
