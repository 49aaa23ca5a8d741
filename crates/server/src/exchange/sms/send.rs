//! The job behind SMS: what is due in the outbox is handed to the gateway, and what it says is kept.

use super::{kannel, signed};
use crate::exchange::dialogue;
use crate::platform::config::{Sms, SmsKind};
use crate::platform::contacts::Channel;
use crate::platform::jobs::{Effect, Handler, Outcome, Recurring};
use crate::platform::outbox::{self, Sending, Taken};
use crate::platform::*;
use serde_json::json;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often the job looks.
const EVERY_MS: i64 = 2_000;
/// To connect, and for the whole answer.
const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(10);

/// Tells the platform of the job, where there is a gateway.
pub fn register(app: &App) {
    if app.config().sms.is_some() {
        let job = Recurring::every_ms("exchange.sms", EVERY_MS);
        jobs::register_recurring(app, job, Handler::Long(|ctx, _| Box::pin(run(ctx))));
    }
}

#[derive(Default)]
struct Sender(OnceLock<reqwest::Client>);

impl Sender {
    /// The gateway's address is the operator's own word, so it may be a private one; it leads nowhere else.
    fn client(app: &App) -> Result<reqwest::Client, Fault> {
        let sender: Arc<Sender> = app.part();
        if let Some(client) = sender.0.get() {
            return Ok(client.clone());
        }
        let made = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent("wangge")
            .build()
            .map_err(Fault::internal)?;
        Ok(sender.0.get_or_init(|| made).clone())
    }
}

async fn run(ctx: Ctx) -> Result<Effect, Fault> {
    let Some(sms) = ctx.app.config().sms.clone() else {
        return Ok(Box::new(|_, _| Ok(Outcome::Done)));
    };
    if ctx.app.read(&ctx, dialogue::has_late).await? {
        ctx.app.write(&ctx, dialogue::join_late).await?;
    }
    let (due, held) = ctx
        .app
        .read(&ctx, |ctx, tx| {
            let due = outbox::due(ctx, tx, Channel::Sms)?;
            let held = due.is_empty() && outbox::has_due(ctx, tx, Channel::Sms)?;
            Ok((due, held))
        })
        .await?;
    if due.is_empty() && !held {
        return Ok(Box::new(|_, _| Ok(Outcome::Done)));
    }
    let client = Sender::client(&ctx.app)?;
    let attempts = due.into_iter().map(|one| attempt(&ctx, &client, &sms, one));
    let ended = futures::future::join_all(attempts).await;
    Ok(Box::new(move |ctx, tx| {
        if held {
            outbox::hold_back(ctx, tx, Channel::Sms)?;
        }
        let taken = ended.iter().filter(|(_, gave)| gave.is_ok()).count();
        for (one, gave) in &ended {
            outbox::note_attempt(ctx, tx, Channel::Sms, one, *gave)?;
        }
        let mark = json!({ "attempts": ended.len(), "taken": taken, "held": held });
        tx.record(ctx, Mark::new("message.sent", Subject::System, mark))?;
        Ok(Outcome::Done)
    }))
}

async fn attempt(
    ctx: &Ctx,
    client: &reqwest::Client,
    sms: &Sms,
    one: Sending,
) -> (Sending, Result<Taken, &'static str>) {
    let request = match sms.kind {
        SmsKind::StandIn => return (one, Ok(Taken::Arrived)),
        SmsKind::Signed => signed::request(ctx, client, sms, &one),
        SmsKind::Kannel => kannel::request(ctx.app.config(), client, sms, &one),
    };
    let gave = match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(Taken::Handed),
        Ok(answer) if answer.status().is_client_error() => Err("message_gateway_refused"),
        Ok(_) => Err("message_gateway_failed"),
        Err(error) if error.is_timeout() => Err("message_gateway_timeout"),
        Err(_) => Err("message_gateway_unreachable"),
    };
    (one, gave)
}
