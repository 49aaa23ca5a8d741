//! Who is calling: from the session cookie to a `Ctx` with the scope of this very moment.

use super::session::{self, COOKIE_PLAIN, COOKIE_SECURE, Session};
use crate::platform::http::ctx_of;
use crate::platform::{Actor, App, Ctx, Fault};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

/// A signed-in person who may use the system, with the grants of this moment (see [`super::kept`]): a demotion takes effect at once.
pub struct Staff(pub Ctx);

/// A signed-in person, even one who must change the password first. Only for the session routes.
pub struct SignedIn {
    /// The call.
    pub ctx: Ctx,
    /// The session.
    pub session: Session,
}

impl FromRequestParts<App> for Staff {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        if signed_in.session.must_change_password {
            return Err(Fault::new(StatusCode::FORBIDDEN, "password_change_required"));
        }
        Ok(Staff(signed_in.ctx))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let token = token_of(parts, app).ok_or_else(Fault::unauthenticated)?;
        let (session, scope) = session::find(app, &token).await?.ok_or_else(Fault::unauthenticated)?;
        let actor = Actor::Account {
            id: session.account,
            worker: session.worker,
            unit: scope.grants.iter().find_map(|grant| grant.unit),
            name: session.name.clone(),
        };
        let mut ctx = ctx_of(parts, app, actor, scope);
        if !parts.headers.contains_key(header::ACCEPT_LANGUAGE) {
            ctx.lang = session.lang;
        }
        Ok(SignedIn { ctx, session })
    }
}

/// The cookie's value, if there is one of the kind this server sets.
pub fn token_of(parts: &Parts, app: &App) -> Option<String> {
    let name = if app.config().secure() {
        COOKIE_SECURE
    } else {
        COOKIE_PLAIN
    };
    let cookies = parts
        .headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}
