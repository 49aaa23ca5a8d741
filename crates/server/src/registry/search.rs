//! Finding somebody: by name (written, pinyin, initials, from its beginning on), identity number or phone, within the caller's scope.
//!
//! Entry point: [`find`]. Nothing that is asked for is kept anywhere.

use super::residents::{self, Masked};
use super::store;
use super::vault;
use crate::access;
use crate::platform::sealed::plain_phone;
use crate::platform::*;
use domain::registry::identity::IdNumber;
use domain::registry::names;
use sha2::{Digest, Sha256};

/// People told of at most: more means asking more exactly.
pub const MOST_FOUND: usize = 20;
/// People opened and compared in one search.
const MOST_OPENED: u32 = 400;
/// Digits of the shortest phone number.
const SHORTEST_PHONE: usize = 5;

enum Asked {
    Number(IdNumber),
    Phone(String),
    Name(String),
}

fn asked(ctx: &Ctx, text: &str) -> Option<Asked> {
    if let Ok(number) = IdNumber::read(text, ctx.now.date()) {
        return Some(Asked::Number(number));
    }
    let phone = plain_phone(text);
    let digits_only = text.chars().all(|c| !c.is_alphabetic());
    if digits_only && phone.len() >= SHORTEST_PHONE {
        return Some(Asked::Phone(phone));
    }
    names::query(text).map(Asked::Name)
}

/// Who answers to a text, in order of registration, and whether there are more. `below`: an area (with its depth) to look in.
pub fn find(
    ctx: &Ctx,
    tx: &mut Tx,
    text: &str,
    below: Option<(u8, AreaId)>,
) -> Result<(Vec<(Masked, store::HouseholdRow)>, bool), Fault> {
    let asked = asked(ctx, text).ok_or_else(|| Fault::invalid("text", "search_too_short"))?;
    let rows = match &asked {
        Asked::Number(number) => {
            let index = vault::id_number_index(&ctx.app, number.reveal());
            store::found_by_number(ctx, tx, &index, below)?
        }
        Asked::Phone(phone) => {
            let print = vault::phone_print(&ctx.app, phone);
            store::found_by_print(ctx, tx, print, below, MOST_OPENED)?
        }
        Asked::Name(name) => {
            let print = vault::name_print(&ctx.app, name);
            store::found_by_print(ctx, tx, print, below, MOST_OPENED)?
        }
    };
    let mut more = rows.len() >= MOST_OPENED as usize;
    let mut found = Vec::new();
    for (row, key) in rows {
        let is_it = match &asked {
            Asked::Number(_) => true,
            Asked::Phone(phone) => residents::has_phone(ctx, &row, &key, phone)?,
            Asked::Name(name) => residents::is_called(ctx, &row, &key, name)?,
        };
        if !is_it {
            continue;
        }
        // Known by it under a record that went into another: the person is told once.
        let (row, key) = match row.merged_into {
            Some(kept) => store::resident(tx, kept)?.ok_or_else(Fault::not_found)?,
            None => (row, key),
        };
        if found.iter().any(|(one, _): &(Masked, _)| one.id == row.id) {
            continue;
        }
        if found.len() == MOST_FOUND {
            more = true;
            break;
        }
        access::log_read(ctx, tx, Subject::Resident(row.id), &["masked"])?;
        let household = store::household(tx, row.household, false)?.ok_or_else(Fault::not_found)?;
        found.push((residents::mask(ctx, &row, &key)?, household));
    }
    Ok((found, more))
}

/// Of free text, for the ledger.
pub fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
