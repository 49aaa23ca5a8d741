//! Phones: met when they first send, named to their worker, revoked when lost.
//!
//! Entry points: [`meet`], [`of_account`], [`revoke`], [`standing`] and [`confirm_wiped`] (both without a session: a revoked phone has none).

use super::store;
use super::take::Sender;
use crate::access;
use crate::platform::*;
use domain::sync::behind;
use domain::time::{DAY_MS, MINUTE_MS, Timestamp};
use serde_json::json;

/// Phones of one account that are told of. There may be more: a browser whose storage was cleared is another phone, and nobody's work waits for
/// that.
const MOST: u32 = 50;
const MAX_NAME: usize = 80;
/// What a phone says of itself is kept at least so often.
const CONTACT_MS: i64 = DAY_MS;

/// A phone (or browser) of an account.
#[derive(Debug, Clone)]
pub struct Device {
    pub id: DeviceId,
    pub account: AccountId,
    pub name: String,
    pub app: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// Highest number of an operation that is here.
    pub highest: i64,
    /// How far its clock was behind (milliseconds).
    pub clock_ms: i64,
    pub revoked_at: Option<Timestamp>,
    pub wiped_at: Option<Timestamp>,
}

/// The phone that sends: made known at its first contact; what it says of itself is kept once a day.
pub fn meet(ctx: &Ctx, tx: &mut Tx, sender: &Sender) -> Result<Device, Fault> {
    let account = ctx.account()?;
    let cut = |text: &str| text.chars().take(MAX_NAME).collect::<String>();
    let fresh = Device {
        id: sender.device,
        account,
        name: cut(&sender.name),
        app: cut(&sender.app),
        first_seen: ctx.now,
        last_seen: ctx.now,
        highest: 0,
        clock_ms: behind(sender.sent_at, ctx.now),
        revoked_at: None,
        wiped_at: None,
    };
    let Some(known) = store::device(tx, sender.device, true)? else {
        store::insert_device(tx, &fresh)?;
        tx.record(ctx, mark("device.met", &fresh))?;
        return Ok(fresh);
    };
    if known.account != account {
        return Err(Fault::conflict("device_of_another"));
    }
    let stepped = (known.clock_ms - fresh.clock_ms).abs() > MINUTE_MS;
    let news = stepped || known.app != fresh.app || known.last_seen.0 + CONTACT_MS < ctx.now.0;
    if news {
        let now = Device {
            name: fresh.name,
            app: fresh.app,
            last_seen: ctx.now,
            clock_ms: fresh.clock_ms,
            ..known.clone()
        };
        store::update_device(tx, &now)?;
        tx.record(ctx, mark("device.met", &now))?;
    }
    Ok(known)
}

/// A mark about a phone.
pub fn mark(action: &'static str, device: &Device) -> Mark {
    let body = json!({ "account": device.account, "app": device.app, "clock_ms": device.clock_ms });
    Mark::new(action, Subject::Device(device.id), body)
}

/// The phones of an account: one's own, or anybody's for who manages accounts.
pub fn of_account(ctx: &Ctx, tx: &mut Tx, account: Option<AccountId>) -> Result<Vec<Device>, Fault> {
    let own = ctx.account()?;
    let account = account.unwrap_or(own);
    if account != own {
        ctx.scope.require(Permission::AccountManage)?;
    }
    store::devices_of(tx, account, MOST)
}

/// Lost or given away: its account is signed out everywhere, and what the phone knows goes at its next contact.
pub fn revoke(ctx: &Ctx, tx: &mut Tx, id: DeviceId) -> Result<(), Fault> {
    let device = store::device(tx, id, true)?.ok_or_else(Fault::not_found)?;
    if device.account != ctx.account()? && !ctx.scope.has(Permission::AccountManage) {
        return Err(Fault::not_found());
    }
    if device.revoked_at.is_some() {
        return Ok(());
    }
    access::end_sessions(ctx, tx, device.account)?;
    store::revoke(ctx, tx, id)?;
    tx.record(ctx, mark("device.revoked", &device))?;
    Ok(())
}

/// How a phone stands: whoever knows its id may ask.
pub fn standing(tx: &mut Tx, id: DeviceId) -> Result<bool, Fault> {
    Ok(store::device(tx, id, false)?.is_some_and(|device| device.revoked_at.is_some()))
}

/// The phone says that it has deleted what it knew.
pub fn confirm_wiped(ctx: &Ctx, tx: &mut Tx, id: DeviceId) -> Result<(), Fault> {
    let device = store::device(tx, id, true)?.filter(|device| device.revoked_at.is_some());
    let device = device.ok_or_else(Fault::not_found)?;
    if device.wiped_at.is_none() {
        store::wiped(ctx, tx, id)?;
        tx.record(ctx, mark("device.wiped", &device))?;
    }
    Ok(())
}
