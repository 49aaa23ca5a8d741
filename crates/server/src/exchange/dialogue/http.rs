//! Routes of the messages: the administrator's log and settings, and in the demo a phone to try it with.

use super::log::{self, Line};
use super::store::LogRow;
use super::take::Arrived;
use crate::access::Staff;
use crate::platform::config::{AccountKind, SmsKind};
use crate::platform::contacts::Channel;
use crate::platform::outbox;
use crate::platform::*;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The kind of a channel the demo plays.
const STAND_IN: &str = "stand_in";

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(settings))
        .routes(routes!(list))
        .routes(routes!(retry))
        .routes(routes!(try_sms))
        .routes(routes!(try_account))
}

/// How a channel of text is connected, and today's use. Secrets are not shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelSettings {
    /// `signed`, `kannel`, `wechat`, `stand_in` (the demo plays it); none: not connected.
    kind: Option<String>,
    /// Host of the gateway.
    gateway: Option<String>,
    /// The number residents see.
    sender: Option<String>,
    /// Messages in and parts out today, and the most of each; none: as many as come.
    messages_today: i64,
    messages_most: Option<i64>,
    parts_today: i64,
    parts_most: Option<i64>,
    /// Messages of one number or follower in a day, each way.
    per_contact: i64,
    /// Whether the demo plays this channel, so that it can be tried.
    can_try: bool,
}

/// How the operator connected a channel: its kind, where messages go, the number residents see.
fn connected(app: &App, channel: Channel) -> Option<(&'static str, &str, Option<&str>)> {
    match channel {
        Channel::Sms => app.config().sms.as_ref().map(|sms| {
            let kind = match sms.kind {
                SmsKind::Signed => "signed",
                SmsKind::Kannel => "kannel",
                SmsKind::StandIn => STAND_IN,
            };
            (kind, sms.url.as_str(), Some(sms.sender.as_str()))
        }),
        Channel::PublicAccount => app.config().account.as_ref().map(|account| {
            let kind = match account.kind {
                AccountKind::Wechat => "wechat",
                AccountKind::Signed => "signed",
                AccountKind::StandIn => STAND_IN,
            };
            (kind, account.url.as_str(), None)
        }),
    }
}

fn host(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", url.host_str()?))
}

/// How a channel is connected.
#[utoipa::path(get, path = "/dialogue/{channel}", tag = "exchange", params(("channel" = inline(Channel), Path)), responses((status = 200, body = ChannelSettings)))]
async fn settings(Staff(ctx): Staff, Path(channel): Path<Channel>) -> Result<Json<ChannelSettings>, Fault> {
    let usage = ctx.app.read(&ctx, move |ctx, tx| log::usage(ctx, tx, channel)).await?;
    let connected = connected(&ctx.app, channel);
    let kind = connected.map(|(kind, _, _)| kind);
    let (messages_most, parts_most) = channel.per_place(&ctx.app);
    let bound = |most: i64| (kind.is_some() && most < i64::MAX).then_some(most);
    Ok(Json(ChannelSettings {
        kind: kind.map(str::to_owned),
        gateway: connected
            .filter(|_| kind != Some(STAND_IN))
            .and_then(|(_, url, _)| host(url)),
        sender: connected.and_then(|(_, _, sender)| sender).map(str::to_owned),
        messages_today: usage.came,
        messages_most: bound(messages_most),
        parts_today: usage.left,
        parts_most: bound(parts_most),
        per_contact: channel.per_contact(&ctx.app),
        can_try: ctx.app.config().demo && kind == Some(STAND_IN),
    }))
}

/// One message, in or out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TextMessage {
    id: String,
    /// `in` or `out`.
    direction: String,
    at: String,
    /// The phone number, or the account's name for its follower, with its middle hidden.
    contact_masked: String,
    /// In: what it was taken as. Out: `reply`, or the step it tells of.
    kind: String,
    number: Option<String>,
    parts: i64,
    /// In: `received`. Out: `waiting`, `sent`, `delivered`, `failed`, `cancelled`.
    state: String,
    attempts: i64,
    next_at: Option<String>,
    /// Why it was refused, is held back or failed, in a sentence.
    outcome_text: Option<String>,
    /// What went out, where it holds nothing personal; direct answers are not shown.
    text: Option<String>,
}

fn message(lang: Lang, row: LogRow, contact_masked: String) -> TextMessage {
    TextMessage {
        direction: if row.incoming { "in" } else { "out" }.to_owned(),
        at: row.at.to_string(),
        contact_masked,
        kind: row.kind.strip_prefix("text_").unwrap_or(&row.kind).to_owned(),
        number: row.number,
        parts: row.parts,
        state: row.state,
        attempts: row.attempts,
        next_at: row.next_at.map(|at| at.to_string()),
        outcome_text: row.outcome.map(|code| outcome(lang, &code)),
        text: Some(row.body).filter(|text| !text.is_empty()),
        id: row.id,
    }
}

/// A status of HTTP, or a code.
fn outcome(lang: Lang, code: &str) -> String {
    match code.parse::<u16>() {
        Ok(status) => i18n::sentence(lang, "webhook_answered", &[("status", status.to_string())]),
        Err(_) => i18n::sentence(lang, code, &[]),
    }
}

/// Messages of both ways, the newest first.
#[utoipa::path(get, path = "/dialogue/{channel}/messages", tag = "exchange", params(("channel" = inline(Channel), Path), PageQuery), responses((status = 200, body = Page<TextMessage>)))]
async fn list(
    Staff(ctx): Staff,
    Path(channel): Path<Channel>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<TextMessage>>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .write(&ctx, move |ctx, tx| log::page(ctx, tx, channel, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |(row, _): &(LogRow, String)| (row.at.0, row.id.clone()));
    let lang = ctx.lang;
    Ok(Json(page.map(|(row, masked)| message(lang, row, masked))))
}

/// Lets a message that failed, or that nobody knows to have arrived, be sent again.
#[utoipa::path(post, path = "/dialogue/messages/{id}/retry", tag = "exchange", params(("id" = MessageId, Path)), responses((status = 204)))]
async fn retry(Staff(ctx): Staff, Path(id): Path<MessageId>) -> Result<StatusCode, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    ctx.app.write(&ctx, move |ctx, tx| outbox::retry(ctx, tx, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody writes in the demo.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Trial {
    /// Made by the client: the same again is the same message.
    id: String,
    /// The phone number, or the follower's name, that plays the resident's.
    from: String,
    /// Empty: only look at the conversation.
    #[serde(default)]
    text: String,
}

/// A line of a conversation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrialLine {
    id: String,
    /// By the resident.
    own: bool,
    at: String,
    text: String,
    parts: i64,
    state: String,
}

fn line(line: Line) -> TrialLine {
    TrialLine {
        id: line.row.id,
        own: line.row.incoming,
        at: line.row.at.to_string(),
        text: line.text,
        parts: line.row.parts,
        state: line.row.state,
    }
}

/// In the demo only: plays an SMS of a resident, and gives the conversation so far, the oldest first.
#[utoipa::path(post, path = "/dialogue/sms/try", tag = "exchange", request_body = Trial, responses((status = 200, body = Vec<TrialLine>)))]
async fn try_sms(Staff(ctx): Staff, Json(trial): Json<Trial>) -> Result<Json<Vec<TrialLine>>, Fault> {
    ctx.scope.require(Permission::OutboxManage)?;
    played(ctx, Channel::Sms, trial).await
}

/// In the demo only: plays a follower writing to the public account, and gives the conversation so far, the oldest first.
#[utoipa::path(post, path = "/portal/account/try", tag = "portal", request_body = Trial, responses((status = 200, body = Vec<TrialLine>)))]
async fn try_account(Public(ctx): Public, Json(trial): Json<Trial>) -> Result<Json<Vec<TrialLine>>, Fault> {
    played(ctx, Channel::PublicAccount, trial).await
}

async fn played(ctx: Ctx, channel: Channel, trial: Trial) -> Result<Json<Vec<TrialLine>>, Fault> {
    let ctx = ctx.for_purpose(Purpose::OwnReport);
    let arrived = (!trial.text.trim().is_empty()).then(|| Arrived {
        channel,
        gateway_id: trial.id,
        from: trial.from.clone(),
        text: trial.text,
        part: None,
        at_once: channel == Channel::PublicAccount,
    });
    let lines = match arrived {
        Some(arrived) => {
            let play = move |ctx: &Ctx, tx: &mut Tx| log::play(ctx, tx, Some(&arrived), channel, &trial.from);
            ctx.app.write(&ctx, play).await?
        }
        None => {
            let look = move |ctx: &Ctx, tx: &mut Tx| log::play(ctx, tx, None, channel, &trial.from);
            ctx.app.read(&ctx, look).await?
        }
    };
    Ok(Json(lines.into_iter().map(line).collect()))
}
