//! The clients that call out, made once: no redirects, no proxy, a bound on every wait.
//!
//! Entry points: [`to_gateway`] (addresses that are the operator's own word), [`to_partner`] (addresses that others brought and the
//! operator's list allows). Must not: follow what an answer says to call next.

use super::webhooks::target::PublicOnly;
use crate::platform::{App, Fault};
use reqwest::{Client, ClientBuilder};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// To connect, and for the whole answer.
const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Clients {
    gateway: OnceLock<Client>,
    partner: OnceLock<Client>,
}

/// To a gateway the operator configured: it may stand in the house.
pub fn to_gateway(app: &App) -> Result<Client, Fault> {
    made(&app.part::<Clients>().gateway, bounded())
}

/// To an address on the list for other systems: a name must not lead into the house.
pub fn to_partner(app: &App) -> Result<Client, Fault> {
    made(
        &app.part::<Clients>().partner,
        bounded().dns_resolver(Arc::new(PublicOnly)),
    )
}

fn bounded() -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent("wangge")
}

fn made(kept: &OnceLock<Client>, builder: ClientBuilder) -> Result<Client, Fault> {
    match kept.get() {
        Some(client) => Ok(client.clone()),
        None => {
            let client = builder.build().map_err(Fault::internal)?;
            Ok(kept.get_or_init(|| client).clone())
        }
    }
}
