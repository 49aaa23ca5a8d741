//! The SMS side of sending: what a gateway is asked, and what its answer means.

use super::{kannel, signed};
use crate::platform::config::SmsKind;
use crate::platform::outbox::{Refusal, Sending, Taken};
use crate::platform::*;

/// Hands a message over to the gateway.
pub async fn send(ctx: &Ctx, client: &reqwest::Client, one: &Sending) -> Result<Taken, Refusal> {
    let Some(sms) = &ctx.app.config().sms else {
        return Err(Refusal::ForNow("message_no_gateway"));
    };
    let request = match sms.kind {
        SmsKind::StandIn => return Ok(Taken::Arrived),
        SmsKind::Signed => signed::request(ctx, client, sms, one),
        SmsKind::Kannel => kannel::request(ctx.app.config(), client, sms, one),
    };
    handed(request).await
}

/// What came of handing over to somebody who answers with a status only.
pub async fn handed(request: reqwest::RequestBuilder) -> Result<Taken, Refusal> {
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(Taken::Handed),
        Ok(answer) if answer.status().is_client_error() => Err(Refusal::ForNow("message_gateway_refused")),
        Ok(_) => Err(Refusal::ForNow("message_gateway_failed")),
        Err(error) if error.is_timeout() => Err(Refusal::ForNow("message_gateway_timeout")),
        Err(_) => Err(Refusal::ForNow("message_gateway_unreachable")),
    }
}
