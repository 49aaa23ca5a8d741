//! `GET /events`: live updates within scope as server-sent events.

use crate::access::SignedIn;
use crate::platform::live::{Delivery, Topic};
use crate::platform::{App, Fault, Query};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::StreamExt as _;
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;

/// A comment line is sent this often, so that a dead connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this long and the browser opens a new one: its session and rights are then looked at again.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Names separated by commas: case, board, jobs, outbox.
    topics: String,
}

/// Live updates: event `change` with `{topic, kind, id}`, event `resync` when something was missed. `Last-Event-ID` is not needed:
/// whoever connects asks for what it shows anyway.
#[utoipa::path(get, path = "/events", tag = "operations", params(EventsQuery), responses(
    (status = 200, description = "A stream of events", content_type = "text/event-stream", body = String),
    (status = 401, body = crate::platform::fault::FaultView),
))]
pub async fn events(
    State(app): State<App>,
    who: SignedIn,
    Query(query): Query<EventsQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    if who.session.must_change_password {
        return Err(Fault::new(StatusCode::FORBIDDEN, "password_change_required"));
    }
    let named = query.topics.split(',').map(str::trim).filter(|name| !name.is_empty());
    let topics: Vec<Topic> = named
        .map(|name| Topic::from_key(name).ok_or(Fault::invalid("topics", "unknown_topic")))
        .collect::<Result<_, _>>()?;
    for topic in &topics {
        who.ctx.scope.require(topic.permission())?;
    }
    let receiver = app.live().subscribe(who.session.account, who.ctx.scope, topics);
    let stream = ReceiverStream::new(receiver).map(|delivery| {
        Ok(match delivery {
            Delivery::Event(event) => Event::default()
                .event("change")
                .json_data(&event)
                .unwrap_or_else(|_| resync()),
            Delivery::Resync => resync(),
        })
    });
    let stream = stream.take_until(tokio::time::sleep(LONGEST));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

fn resync() -> Event {
    Event::default().event("resync").data("{}")
}
