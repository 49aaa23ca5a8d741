//! Partners: other systems that have a key, what each is for, where it reaches, and the log of what it was used for (PJ-13).
//!
//! Entry points: [`make`], [`revoke`], [`list`], [`uses`] for the administrator; [`known`] and [`note_use`] for the calls. A key is shown once;
//! only its hash is kept. Must not: give a key more than its own subtree.

use super::store::{self, NewUse, PartnerRow, UseRow};
use crate::platform::*;
use crate::territory;
use axum::http::StatusCode;
use serde_json::json;
use sha2::Digest;

/// Characters of a name or a contact.
const MAX_NAME: usize = 60;
/// Characters of a purpose.
const MAX_PURPOSE: usize = 300;
/// What every key begins with, so that it is found where it should not be.
const PREFIX: &str = "wg_";
/// Characters of a key that are shown afterwards.
const SHOWN_END: usize = 4;

/// What a request handed in is answered with.
pub const ANSWERS: [&str; 3] = ["realtime", "batch", "blackbox"];

/// A partner to be made.
#[derive(Debug, Clone)]
pub struct NewPartner {
    pub id: PartnerId,
    pub name: String,
    pub purpose: String,
    pub contact: String,
    pub area: Option<AreaId>,
    pub may_report: bool,
    pub may_update: bool,
    pub answers: String,
}

/// Makes a partner; the key, which is told this once. None when an earlier try of the same request made it.
pub fn make(ctx: &Ctx, tx: &mut Tx, new: &NewPartner) -> Result<(PartnerRow, Option<String>), Fault> {
    let chain = chain(ctx, new.area)?;
    if !ctx.scope.covers(&chain, Permission::AccountManage) {
        return Err(if ctx.scope.has(Permission::AccountManage) && new.area.is_some() {
            Fault::invalid("area_id", "area_unknown")
        } else {
            Fault::forbidden()
        });
    }
    for (field, text, most) in [
        ("name", &new.name, MAX_NAME),
        ("purpose", &new.purpose, MAX_PURPOSE),
        ("contact", &new.contact, MAX_NAME),
    ] {
        if text.trim().is_empty() {
            return Err(Fault::invalid(field, "partner_field_missing"));
        }
        if text.chars().count() > most {
            return Err(Fault::invalid(field, "text_too_long").with("most", most));
        }
    }
    if !ANSWERS.contains(&new.answers.as_str()) {
        return Err(Fault::invalid("answers", "partner_answers_unknown"));
    }
    if let Some(there) = store::partner(tx, new.id)? {
        return if there.name == new.name.trim() && there.area == new.area {
            Ok((there, None))
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    let key = format!("{PREFIX}{}", hex::encode(ctx.app.chance().bytes::<20>()));
    let row = PartnerRow {
        id: new.id,
        name: new.name.trim().to_owned(),
        purpose: new.purpose.trim().to_owned(),
        contact: new.contact.trim().to_owned(),
        key_end: key[key.len() - SHOWN_END..].to_owned(),
        area: new.area,
        areas: chain,
        may_report: new.may_report,
        may_update: new.may_update,
        answers: new.answers.clone(),
        created_at: ctx.now,
        created_by: ctx.account()?,
        created_name: ctx.actor.name().to_owned(),
        revoked_at: None,
        revoked_name: None,
        use_count: 0,
        last_used_at: None,
    };
    store::insert_partner(tx, &row, &hash(&key))?;
    let mark = json!({
        "area": row.area.map(|a| a.to_string()), "may_report": row.may_report, "may_update": row.may_update, "answers": row.answers,
    });
    tx.record(ctx, Mark::new("partner.made", Subject::Partner(row.id), mark))?;
    Ok((row, Some(key)))
}

fn chain(ctx: &Ctx, area: Option<AreaId>) -> Result<[Option<AreaId>; 5], Fault> {
    let Some(area) = area else { return Ok([None; 5]) };
    let map = territory::current(&ctx.app);
    let found = map
        .area(area)
        .ok_or_else(|| Fault::invalid("area_id", "area_unknown"))?;
    Ok(found.chain)
}

fn hash(key: &str) -> String {
    hex::encode(sha2::Sha256::digest(key.as_bytes()))
}

/// Ends a key at once; doing it again changes nothing.
pub fn revoke(ctx: &Ctx, tx: &mut Tx, id: PartnerId) -> Result<PartnerRow, Fault> {
    let row = in_scope(ctx, tx, id, &[Permission::AccountManage])?;
    if row.revoked_at.is_none() {
        store::revoke_partner(ctx, tx, id, ctx.account()?)?;
        crate::exchange::webhooks::stop_of(ctx, tx, id)?;
        tx.record(ctx, Mark::new("partner.revoked", Subject::Partner(id), json!({})))?;
    }
    store::partner(tx, id)?.ok_or_else(Fault::not_found)
}

/// A partner of the caller's area.
pub fn in_scope(ctx: &Ctx, tx: &mut Tx, id: PartnerId, any: &[Permission]) -> Result<PartnerRow, Fault> {
    if !any.iter().any(|permission| ctx.scope.has(*permission)) {
        return Err(Fault::forbidden());
    }
    store::partner(tx, id)?
        .filter(|row| any.iter().any(|permission| ctx.scope.covers(&row.areas, *permission)))
        .ok_or_else(Fault::not_found)
}

/// Who may look at partners and at what was shared with them.
pub const READERS: [Permission; 2] = [Permission::AccountManage, Permission::AuditRead];

/// Partners of the own area, the newest first.
pub fn list(ctx: &Ctx, tx: &mut Tx, after: Option<(i64, String)>, limit: u32) -> Result<Vec<PartnerRow>, Fault> {
    let held = READERS.into_iter().find(|permission| ctx.scope.has(*permission));
    store::partners(ctx, tx, held.ok_or_else(Fault::forbidden)?, after, limit)
}

/// What a key was used for, the newest first.
pub fn uses(
    ctx: &Ctx,
    tx: &mut Tx,
    id: PartnerId,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<UseRow>, Fault> {
    in_scope(ctx, tx, id, &READERS)?;
    store::uses(tx, id, after, limit)
}

/// The partner, for the program's own work.
pub fn by_id(tx: &mut Tx, id: PartnerId) -> Result<Option<PartnerRow>, Fault> {
    store::partner(tx, id)
}

/// The partner of a key. `None` for no key or an unknown one: the same answer to both.
pub fn known(tx: &mut Tx, key: Option<&str>) -> Result<Option<PartnerRow>, Fault> {
    match key {
        Some(key) => store::partner_of_key(tx, &hash(key)),
        None => Ok(None),
    }
}

/// 403 with the reason.
pub fn refuse(code: &'static str) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, code)
}

/// Whether the key is for this: not revoked, allowed, and the area within its own.
pub fn allowed(partner: &PartnerRow, may: bool, area: &super::Where) -> Result<(), Fault> {
    if partner.revoked_at.is_some() {
        return Err(refuse("open311_key_revoked"));
    }
    if !may {
        return Err(refuse("open311_key_not_for_this"));
    }
    if !area.within(partner.area) {
        return Err(refuse("open311_key_elsewhere"));
    }
    Ok(())
}

/// The context of a call with this key.
pub fn acting(ctx: &Ctx, partner: &PartnerRow) -> Ctx {
    Ctx {
        actor: Actor::Partner {
            id: partner.id,
            name: partner.name.clone(),
        },
        purpose: Purpose::Exchange,
        ..ctx.clone()
    }
}

/// Counts and writes down one use: the call, how it ended, which numbers left the house.
pub fn note_use(
    ctx: &Ctx,
    tx: &mut Tx,
    partner: PartnerId,
    call: &'static str,
    outcome: &str,
    numbers: &[String],
) -> Result<(), Fault> {
    let shared = numbers.join(",");
    let id: PartnerUseId = ctx.app.new_id();
    store::insert_use(
        tx,
        &NewUse {
            id,
            partner,
            at: ctx.now,
            call,
            outcome,
            count: numbers.len() as i64,
            numbers: &shared,
        },
    )?;
    let mark = json!({ "use": id.to_string(), "call": call, "outcome": outcome, "count": numbers.len(), "numbers": hash(&shared) });
    tx.record(ctx, Mark::new("partner.used", Subject::Partner(partner), mark))?;
    Ok(())
}
