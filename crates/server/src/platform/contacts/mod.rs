//! Contacts 联系号: the phone number or account a resident writes from and is written to.
//!
//! Entry points: [`of`] (found, or made), [`known`], [`address`] (to send), [`set_opted_out`]. The address is sealed and found by a keyed fingerprint;
//! that of a phone number is the same as a reporter's. Must not hold anything else about a person.

mod store;

use super::app::App;
use super::ctx::Ctx;
use super::fault::Fault;
use super::ids::ContactId;
use super::sealed::{self, Personal, Place};
use super::tx::Tx;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use store::{find, set_opted_out};

/// The way to a contact; its key is the channel of the packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Sms,
    PublicAccount,
}

impl Channel {
    pub fn key(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::PublicAccount => "public_account",
        }
    }

    /// Whether messages leave this way.
    pub fn is_open(self, app: &App) -> bool {
        match self {
            Channel::Sms => app.config().sms.is_some(),
            Channel::PublicAccount => app.config().account.is_some(),
        }
    }

    /// Messages of one contact in a day, each way.
    pub fn per_contact(self, app: &App) -> i64 {
        const ACCOUNT: i64 = 100;
        match (self, &app.config().sms) {
            (Channel::Sms, Some(sms)) => i64::from(sms.per_number),
            _ => ACCOUNT,
        }
    }

    /// Messages in and parts out of the whole place in a day.
    pub fn per_place(self, app: &App) -> (i64, i64) {
        match (self, &app.config().sms) {
            (Channel::Sms, Some(sms)) => (i64::from(sms.messages), i64::from(sms.parts)),
            _ => (i64::MAX, i64::MAX),
        }
    }

    /// Parts a text takes on this way.
    pub fn parts(self, text: &str) -> i64 {
        match self {
            Channel::Sms => i64::from(domain::message::parts(text)),
            Channel::PublicAccount => 1,
        }
    }
}

impl db::FromValue for Channel {
    fn from_value(value: db::ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            db::ValueRef::Text(text) if text == Channel::Sms.key() => Ok(Channel::Sms),
            db::ValueRef::Text(text) if text == Channel::PublicAccount.key() => Ok(Channel::PublicAccount),
            _ => Err("a channel"),
        }
    }
}

/// A contact, without its address.
#[derive(Debug, Clone)]
pub struct Contact {
    pub id: ContactId,
    pub channel: Channel,
    /// The fingerprint of the address; of a phone number the same as a reporter's.
    pub index: String,
    /// Since when they want nothing but direct answers.
    pub opted_out_at: Option<Timestamp>,
}

fn index_of(ctx: &Ctx, channel: Channel, address: &str) -> String {
    match channel {
        Channel::Sms => ctx.app.sealer().phone_index(address),
        Channel::PublicAccount => ctx.app.sealer().blind_index("public account", address),
    }
}

/// The contact of an address, if there is one.
pub fn known(ctx: &Ctx, tx: &mut Tx, channel: Channel, address: &str) -> Result<Option<Contact>, Fault> {
    store::by_index(tx, channel, &index_of(ctx, channel, address))
}

/// The contact of an address; made when it is new.
pub fn of(ctx: &Ctx, tx: &mut Tx, channel: Channel, address: &str) -> Result<Contact, Fault> {
    let index = index_of(ctx, channel, address);
    if let Some(found) = store::by_index(tx, channel, &index)? {
        return Ok(found);
    }
    let plain = match channel {
        Channel::Sms => sealed::plain_phone(address),
        Channel::PublicAccount => address.to_owned(),
    };
    let id: ContactId = ctx.app.new_id();
    let sealed = ctx.app.seal("contact", &id.to_string(), "address_sealed", &plain);
    store::insert(tx, id, channel, sealed, &index, ctx.now)?;
    store::by_index(tx, channel, &index)?.ok_or_else(|| Fault::internal("a contact just made is missing"))
}

/// The address, to send to or to mask. Whoever shows it to a person logs the read.
pub fn address(ctx: &Ctx, tx: &mut Tx, id: ContactId) -> Result<Personal<String>, Fault> {
    let sealed = store::sealed(tx, id)?.ok_or_else(Fault::not_found)?;
    let row = id.to_string();
    let place = Place {
        table: "contact",
        id: &row,
        column: "address_sealed",
    };
    ctx.app.sealer().open(place, &sealed).map_err(Fault::internal)
}
