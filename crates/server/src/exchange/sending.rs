//! The job behind messages: what is due in the outbox is handed to the gateway of its channel, and what it says is kept.
//!
//! Entry point: [`register`]. Must not: know how any gateway speaks.

use super::{account, dialogue, outgoing, sms};
use crate::platform::contacts::Channel;
use crate::platform::jobs::{Effect, Handler, Outcome, Recurring};
use crate::platform::outbox::{self, Refusal, Sending, Taken};
use crate::platform::*;
use serde_json::json;

/// How often the job looks.
const EVERY_MS: i64 = 2_000;

/// The ways messages leave.
const CHANNELS: [Channel; 2] = [Channel::Sms, Channel::PublicAccount];

/// Tells the platform of the job, where there is a gateway.
pub fn register(app: &App) {
    if CHANNELS.iter().any(|channel| channel.is_open(app)) {
        let job = Recurring::every_ms("exchange.messages", EVERY_MS);
        jobs::register_recurring(app, job, Handler::Long(|ctx, _| Box::pin(run(ctx))));
    }
}

async fn run(ctx: Ctx) -> Result<Effect, Fault> {
    if ctx.app.read(&ctx, dialogue::has_late).await? {
        ctx.app.write(&ctx, dialogue::join_late).await?;
    }
    let mut ended = Vec::new();
    let mut held = Vec::new();
    for channel in CHANNELS.into_iter().filter(|channel| channel.is_open(&ctx.app)) {
        let (due, no_room) = ctx
            .app
            .read(&ctx, move |ctx, tx| {
                let due = outbox::due(ctx, tx, channel)?;
                let no_room = due.is_empty() && outbox::has_due(ctx, tx, channel)?;
                Ok((due, no_room))
            })
            .await?;
        if no_room {
            held.push(channel);
        }
        if !due.is_empty() {
            let client = outgoing::to_gateway(&ctx.app)?;
            let attempts = due.into_iter().map(|one| attempt(&ctx, &client, channel, one));
            ended.extend(futures::future::join_all(attempts).await);
        }
    }
    if ended.is_empty() && held.is_empty() {
        return Ok(Box::new(|_, _| Ok(Outcome::Done)));
    }
    Ok(Box::new(move |ctx, tx| {
        for channel in &held {
            outbox::hold_back(ctx, tx, *channel)?;
        }
        let taken = ended.iter().filter(|(_, _, gave)| gave.is_ok()).count();
        for (channel, one, gave) in &ended {
            outbox::note_attempt(ctx, tx, *channel, one, *gave)?;
        }
        let mark = json!({ "attempts": ended.len(), "taken": taken, "held": held.len() });
        tx.record(ctx, Mark::new("message.sent", Subject::System, mark))?;
        Ok(Outcome::Done)
    }))
}

async fn attempt(
    ctx: &Ctx,
    client: &reqwest::Client,
    channel: Channel,
    one: Sending,
) -> (Channel, Sending, Result<Taken, Refusal>) {
    let gave = match channel {
        Channel::Sms => sms::send(ctx, client, &one).await,
        Channel::PublicAccount => account::send(ctx, client, &one).await,
    };
    (channel, one, gave)
}
