//! The key of each person, and what is sealed with it. The key is kept sealed under a key of the installation, in a row of its own:
//! without that row nothing of the person opens any more, here or in a backup that is brought back and erased again.
//!
//! Entry points: [`new_key`], [`open_key`], [`Own`].

use crate::platform::sealed::{FieldCipher, Place};
use crate::platform::{App, Fault, Personal};

const KEY: &str = "person_key";

fn wrapping(app: &App) -> FieldCipher {
    FieldCipher::new(app.keys().derive("wrap person keys"))
}

fn place(subject: &str) -> Place<'_> {
    Place {
        table: KEY,
        id: subject,
        column: "key_sealed",
    }
}

/// A key for a person (or an organisation's contact), and the form in which it is kept.
pub fn new_key(app: &App, subject: &str) -> (Own, Vec<u8>) {
    let key: [u8; 32] = app.chance().bytes();
    let sealed = wrapping(app).seal_bytes(place(subject), &key, app.chance());
    (Own::new(subject, key), sealed)
}

/// The key as it is kept, opened.
pub fn open_key(app: &App, subject: &str, sealed: &[u8]) -> Result<Own, Fault> {
    let key = wrapping(app)
        .open_bytes(place(subject), sealed)
        .map_err(Fault::internal)?;
    let key = <[u8; 32]>::try_from(key).map_err(|_| Fault::internal("a person's key of another length"))?;
    Ok(Own::new(subject, key))
}

/// Seals and opens the fields of one person.
pub struct Own {
    subject: String,
    cipher: FieldCipher,
}

impl Own {
    fn new(subject: &str, key: [u8; 32]) -> Own {
        Own {
            subject: subject.to_owned(),
            cipher: FieldCipher::new(key),
        }
    }

    pub fn seal(&self, app: &App, table: &'static str, column: &'static str, text: &str) -> Vec<u8> {
        self.cipher.seal(self.at(table, column), text, app.chance())
    }

    pub fn open(&self, table: &'static str, column: &'static str, sealed: &[u8]) -> Result<Personal<String>, Fault> {
        self.cipher
            .open(self.at(table, column), sealed)
            .map_err(Fault::internal)
    }

    fn at(&self, table: &'static str, column: &'static str) -> Place<'_> {
        Place {
            table,
            id: &self.subject,
            column,
        }
    }
}

/// By which nobody is registered twice.
pub fn id_number_index(app: &App, number: &str) -> String {
    app.sealer().blind_index("id number", number)
}

/// Of the beginning of a name.
pub fn name_print(app: &App, key: &str) -> i64 {
    shortened(&app.sealer().blind_index("registry name", key))
}

/// Of a phone number, however it was written.
pub fn phone_print(app: &App, phone: &str) -> i64 {
    let plain = crate::platform::sealed::plain_phone(phone);
    shortened(&app.sealer().blind_index("registry phone", &plain))
}

/// The first 32 bits: enough to find by, too few to tell for sure what it was made from.
fn shortened(index: &str) -> i64 {
    index
        .get(..8)
        .and_then(|head| i64::from_str_radix(head, 16).ok())
        .unwrap_or_default()
}
