//! What the administrator sees of the messages: both ways, each with what became of it. A phone number is masked, a resident's own words
//! and the direct answers are not shown.

use super::store::{self, LogRow};
use super::take::{self, Arrived};
use crate::access::log_read;
use crate::platform::contacts::{self, Channel};
use crate::platform::outbox;
use crate::platform::sealed::Place;
use crate::platform::*;
use axum::http::StatusCode;
use std::collections::HashMap;

/// Who may look: those who answer for the messages of the whole place.
fn require(ctx: &Ctx) -> Result<(), Fault> {
    match ctx.scope.covers(&[None; 5], Permission::OutboxManage) {
        true => Ok(()),
        false => Err(Fault::forbidden()),
    }
}

/// How much was used today of what the place may send and take.
#[derive(Debug, Clone)]
pub struct Usage {
    pub came: i64,
    pub left: i64,
}

/// Today's use of a channel.
pub fn usage(ctx: &Ctx, tx: &mut Tx, channel: Channel) -> Result<Usage, Fault> {
    require(ctx)?;
    let (came, left) = outbox::counts(tx, channel, ctx.now.day_and_ms().0)?;
    Ok(Usage { came, left })
}

/// A page of the log, with the masked addresses; the look is logged.
pub fn page(
    ctx: &Ctx,
    tx: &mut Tx,
    channel: Channel,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<(LogRow, String)>, Fault> {
    require(ctx)?;
    log_read(ctx, tx, Subject::List, &["contact.address_masked"])?;
    let mut masked: HashMap<ContactId, String> = HashMap::new();
    let mut rows = Vec::new();
    for row in store::log(tx, channel, None, after.as_ref(), limit)? {
        let shown = match masked.get(&row.contact) {
            Some(shown) => shown.clone(),
            None => {
                let address = contacts::address(ctx, tx, row.contact)?;
                masked.entry(row.contact).or_insert(address.masked_phone()).clone()
            }
        };
        rows.push((row, shown));
    }
    Ok(rows)
}

/// A line of a conversation the demo plays.
pub struct Line {
    pub row: LogRow,
    pub text: String,
}

/// Lines of a conversation shown.
const LINES: u32 = 50;

/// A conversation in the demo: what is written is taken as any gateway would hand it in; answered with all of it, the oldest first.
pub fn play(
    ctx: &Ctx,
    tx: &mut Tx,
    arrived: Option<&Arrived>,
    channel: Channel,
    from: &str,
) -> Result<Vec<Line>, Fault> {
    if !ctx.app.config().demo || !channel.is_open(&ctx.app) {
        return Err(Fault::new(StatusCode::NOT_FOUND, "not_found"));
    }
    if let Some(arrived) = arrived {
        take::take(ctx, tx, arrived)?;
    }
    let contact = contacts::known(ctx, tx, channel, from)?;
    let Some(contact) = contact else { return Ok(Vec::new()) };
    let rows = store::log(tx, channel, Some(contact.id), None, LINES)?;
    let line = |row: LogRow| {
        let text = match (&row.sealed, row.incoming) {
            (None, _) => row.body.clone(),
            (Some(sealed), incoming) => {
                let place = Place {
                    table: if incoming { "incoming" } else { "outbox" },
                    id: &row.id,
                    column: "body_sealed",
                };
                let opened = ctx.app.sealer().open(place, sealed).map_err(Fault::internal)?;
                opened.reveal().clone()
            }
        };
        Ok(Line { row, text })
    };
    rows.into_iter().rev().map(line).collect()
}
