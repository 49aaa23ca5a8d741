//! Organisations: companies, shops, institutions, associations, with the unified code and whom to ask there.
//!
//! Entry points: [`register`], [`change`], [`end`], [`reveal`], [`masked`].

use super::counts::{Delta, Sum};
use super::households::not_stale;
use super::place::{self, PlaceWish};
use super::store::{self, OrganisationRow};
use super::vault;
use crate::access;
use crate::platform::sealed::plain_phone;
use crate::platform::*;
use domain::registry::credit::{BadCreditCode, CreditCode};
use jiff::civil::Date;
use serde_json::json;

pub const KINDS: [&str; 5] = ["company", "shop", "institution", "association", "other"];
const MAX_NAME: usize = 200;
const MAX_CONTACT: usize = 60;
const TABLE: &str = "organisation";

/// What is said of an organisation; none stays as it is when it is changed.
#[derive(Default)]
pub struct Wish {
    pub unified_code: Option<String>,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub place: Option<PlaceWish>,
    pub contact_name: Option<String>,
    pub contact_phone: Option<String>,
}

fn code_of(text: &str) -> Result<Option<String>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let code = CreditCode::read(text).map_err(|bad| {
        let code = match bad {
            BadCreditCode::Form => "unified_code_form",
            BadCreditCode::Check => "unified_code_check",
        };
        Fault::invalid("unified_code", code)
    })?;
    Ok(Some(code.to_string()))
}

/// Takes over what is wished, everything checked.
fn apply(ctx: &Ctx, tx: &mut Tx, row: &mut OrganisationRow, wish: Wish) -> Result<(), Fault> {
    if let Some(text) = &wish.unified_code {
        row.unified_code = code_of(text)?;
        let other = match &row.unified_code {
            Some(code) => store::organisation_of_code(tx, code)?,
            None => None,
        };
        if other.is_some_and(|other| other != row.id) {
            return Err(Fault::conflict("unified_code_known").field("unified_code"));
        }
    }
    if let Some(name) = &wish.name {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(Fault::invalid("name", "text_length").with("most", MAX_NAME));
        }
        row.name = name.to_owned();
    }
    if let Some(kind) = wish.kind {
        if !KINDS.contains(&kind.as_str()) {
            return Err(Fault::invalid("kind", "organisation_kind_unknown"));
        }
        row.kind = kind;
    }
    if wish.contact_name.is_none() && wish.contact_phone.is_none() {
        return Ok(());
    }
    let subject = row.id.to_string();
    let own = match store::key(tx, &subject)? {
        Some(sealed) => vault::open_key(&ctx.app, &subject, &sealed)?,
        None => {
            let (own, sealed) = vault::new_key(&ctx.app, &subject);
            store::insert_key(tx, &subject, sealed)?;
            own
        }
    };
    if let Some(name) = &wish.contact_name {
        let name = name.trim();
        if name.chars().count() > MAX_CONTACT {
            return Err(Fault::invalid("contact_name", "text_length").with("most", MAX_CONTACT));
        }
        row.contact_name_sealed = (!name.is_empty()).then(|| own.seal(&ctx.app, TABLE, "contact_name_sealed", name));
    }
    if let Some(phone) = &wish.contact_phone {
        let phone = plain_phone(phone);
        if !phone.is_empty() && !(5..=20).contains(&phone.len()) {
            return Err(Fault::invalid("contact_phone", "phone_invalid"));
        }
        row.contact_phone_sealed =
            (!phone.is_empty()).then(|| own.seal(&ctx.app, TABLE, "contact_phone_sealed", &phone));
    }
    Ok(())
}

pub fn register(ctx: &Ctx, tx: &mut Tx, id: OrganisationId, from: Date, wish: Wish) -> Result<(), Fault> {
    if from > ctx.now.date() {
        return Err(Fault::invalid("valid_from", "day_in_the_future"));
    }
    let spot = place::find(ctx, tx, wish.place.as_ref().unwrap_or(&PlaceWish::default()))?;
    if store::organisation(tx, id, false)?.is_some() {
        return Err(Fault::conflict("id_used"));
    }
    let mut row = OrganisationRow::new(id, spot, from);
    apply(ctx, tx, &mut row, wish)?;
    store::insert_organisation(ctx, tx, &row)?;
    Delta::organisations(1).add_to(tx, &row.spot.chain)?;
    let body = json!({ "area": row.spot.area, "kind": row.kind, "from": from.to_string() });
    tx.record(
        ctx,
        Mark::new("organisation.registered", Subject::Organisation(id), body),
    )?;
    Ok(())
}

/// An organisation where the caller has the permission; absent otherwise. Locked when it is to be written.
pub fn load(ctx: &Ctx, tx: &mut Tx, id: OrganisationId, permission: Permission) -> Result<OrganisationRow, Fault> {
    let row = store::organisation(tx, id, permission == Permission::RegistryWrite)?;
    row.filter(|row| ctx.scope.covers(&row.spot.chain, permission))
        .ok_or_else(Fault::not_found)
}

fn load_living(ctx: &Ctx, tx: &mut Tx, id: OrganisationId) -> Result<OrganisationRow, Fault> {
    let row = load(ctx, tx, id, Permission::RegistryWrite)?;
    match row.to {
        Some(_) => Err(Fault::refused("organisation_ended")),
        None => Ok(row),
    }
}

/// Corrects what is given; a new place too.
pub fn change(ctx: &Ctx, tx: &mut Tx, id: OrganisationId, wish: Wish, seen: Option<i64>) -> Result<i64, Fault> {
    let mut row = load_living(ctx, tx, id)?;
    not_stale(row.version, seen)?;
    if let Some(wish) = &wish.place {
        let spot = place::find(ctx, tx, wish)?;
        let mut sum = Sum::default();
        sum.take(&row.spot.chain, Delta::organisations(1));
        sum.add(&spot.chain, Delta::organisations(1));
        sum.keep(tx)?;
        row.spot = spot;
    }
    apply(ctx, tx, &mut row, wish)?;
    store::update_organisation(tx, &mut row)?;
    let body = json!({ "area": row.spot.area, "version": row.version });
    tx.record(ctx, Mark::new("organisation.changed", Subject::Organisation(id), body))?;
    Ok(row.version)
}

/// It closed or went; `on` is its last day.
pub fn end(ctx: &Ctx, tx: &mut Tx, id: OrganisationId, on: Date) -> Result<(), Fault> {
    let mut row = load_living(ctx, tx, id)?;
    if on > ctx.now.date() {
        return Err(Fault::invalid("on", "day_in_the_future"));
    }
    if on < row.from {
        return Err(Fault::invalid("on", "residence_ends_before_start"));
    }
    row.to = Some(on);
    store::update_organisation(tx, &mut row)?;
    Delta::organisations(-1).add_to(tx, &row.spot.chain)?;
    let body = json!({ "on": on.to_string() });
    tx.record(ctx, Mark::new("organisation.ended", Subject::Organisation(id), body))?;
    Ok(())
}

/// Who is asked there: name and phone.
type Contact = (Option<Personal<String>>, Option<Personal<String>>);

fn contact(ctx: &Ctx, tx: &mut Tx, row: &OrganisationRow) -> Result<Contact, Fault> {
    let subject = row.id.to_string();
    let Some(key) = store::key(tx, &subject)? else {
        return Ok((None, None));
    };
    let own = vault::open_key(&ctx.app, &subject, &key)?;
    let open = |column, sealed: &Option<Vec<u8>>| {
        sealed
            .as_deref()
            .map(|sealed| own.open(TABLE, column, sealed))
            .transpose()
    };
    Ok((
        open("contact_name_sealed", &row.contact_name_sealed)?,
        open("contact_phone_sealed", &row.contact_phone_sealed)?,
    ))
}

/// The contact masked; logged where there is one.
pub fn masked(ctx: &Ctx, tx: &mut Tx, row: &OrganisationRow) -> Result<(Option<String>, Option<String>), Fault> {
    let (name, phone) = contact(ctx, tx, row)?;
    if name.is_some() || phone.is_some() {
        access::log_read(ctx, tx, Subject::Organisation(row.id), &["masked"])?;
    }
    Ok((
        name.map(|name| name.masked_name()),
        phone.map(|phone| phone.masked_phone()),
    ))
}

/// The contact whole; logged by field.
pub fn reveal(ctx: &Ctx, tx: &mut Tx, id: OrganisationId) -> Result<Contact, Fault> {
    let row = load(ctx, tx, id, Permission::RegistryReveal)?;
    access::log_read(ctx, tx, Subject::Organisation(id), &["name", "phone"])?;
    contact(ctx, tx, &row)
}
