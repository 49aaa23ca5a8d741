//! `registers.toml`: the care registers a place may keep. A pack without the file has none.

use super::doc::Table;
use super::sections::{ascii_key, name, source, text_up_to};
use domain::duties::Who;
use domain::policy::{CareRegister, Name, Pack};
use domain::registry::care;

/// Most registers of a pack.
const MAX_REGISTERS: usize = 100;
/// Longest text.
const MAX_TEXT: usize = 300;

/// One `[[register]]`.
pub fn register(table: &Table<'_>) -> CareRegister {
    let service = text_up_to(table, "service", MAX_TEXT);
    let read = CareRegister {
        key: ascii_key(table).to_owned(),
        name: name(table),
        service: Name {
            en: table.opt_str("service_en").unwrap_or(&service).to_owned(),
            zh: service,
        },
        legal_basis: text_up_to(table, "legal_basis", MAX_TEXT),
        entries: text_up_to(table, "entries", MAX_TEXT),
        sensitive: table.opt_bool("sensitive") == Some(true),
        pairs: table.opt_bool("pairs") == Some(true),
        serves: table.strings("serves"),
        source: source(table),
    };
    table.done();
    read
}

/// Keys once, nobody labelled, posts that exist; and rules of duty speak of registers that exist and, where sensitive, of those who serve.
pub fn check(tables: &[Table<'_>], rules: &[Table<'_>], pack: &Pack) {
    if tables.len() > MAX_REGISTERS {
        let table = &tables[MAX_REGISTERS];
        table.report(table.problem("key", "pack_too_many").with("most", MAX_REGISTERS));
    }
    let keys = pack.registers.iter().map(|one| one.key.as_str());
    super::check::no_duplicates(tables, "key", keys);
    for (table, one) in tables.iter().zip(&pack.registers) {
        for (key, text) in [
            ("key", &one.key),
            ("name", &one.name.zh),
            ("en", &one.name.en),
            ("service", &one.service.zh),
            ("service_en", &one.service.en),
            ("entries", &one.entries),
        ] {
            // Without English the Chinese text serves; it is told once.
            if let Some(label) = care::forbidden(text).filter(|_| table.has(key)) {
                table.report(table.problem(key, "pack_register_label").with("label", label));
            }
        }
        if one.serves.is_empty() {
            table.report(table.problem("serves", "pack_missing_key"));
        }
        for duty in one.serves.iter().filter(|duty| pack.duty(duty).is_none()) {
            table.report(table.problem("serves", "pack_unknown_duty").with("duty", duty));
        }
    }
    // Rules that could not be read are not in the pack, so tables and rules do not pair up then.
    if rules.len() != pack.duty_rules.len() {
        return;
    }
    for (table, owed) in rules.iter().zip(&pack.duty_rules) {
        let Who::Register(of) = &owed.rule.who else { continue };
        match pack.registers.iter().find(|one| one.key == *of) {
            // What is missing was told already.
            None if of.is_empty() => {}
            None => table.report(table.problem("of", "pack_unknown_register").with("register", of)),
            Some(one) if one.sensitive && !one.serves.contains(&owed.rule.by.duty) => {
                table.report(table.problem("by", "pack_register_not_served").with("register", of));
            }
            Some(_) => {}
        }
    }
}
