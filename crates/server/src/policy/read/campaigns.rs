//! `campaigns.toml`: campaigns prepared. A pack without the file has none prepared.

use super::doc::Table;
use super::sections::{ascii_key, name, one_of, source, text_up_to};
use domain::campaigns::{Ask, Asks, BadQuestion, Choice, Homes, MAX_AGE, Person, Question};
use domain::policy::{CampaignTemplate, Pack};
use domain::registry::identity::Sex;

/// Most templates of a pack, and longest text.
const MAX_TEMPLATES: usize = 100;
const MAX_TEXT: usize = 1_000;
/// Longest campaign, and longest time what was answered is kept after it (days).
pub const MAX_DAYS: u16 = 366;

/// One `[[campaign]]`.
pub fn template(table: &Table<'_>) -> CampaignTemplate {
    let read = CampaignTemplate {
        key: ascii_key(table).to_owned(),
        name: name(table),
        why: text_up_to(table, "why", MAX_TEXT),
        script: text_up_to(table, "script", MAX_TEXT),
        question: question(table),
        asks: Asks(table.tables("ask").iter().map(ask).collect()),
        by: table.opt_str("by").unwrap_or("grid").to_owned(),
        days: table.int("days", 1, MAX_DAYS.into()) as u16,
        keep_days: table.int("keep_days", 0, MAX_DAYS.into()) as u16,
        source: source(table),
    };
    table.done();
    read
}

fn question(table: &Table<'_>) -> Question {
    const WHO: [&str; 3] = ["households", "facilities", "grids"];
    match one_of(table, "who", |text| WHO.into_iter().find(|one| *one == text), &WHO) {
        Some("facilities") => Question::Facilities(table.str("of").to_owned()),
        Some("households") => Question::Households(Homes {
            floor_from: number(table, "floor_from", 200).map(|floor| floor as i16),
            lift: table.opt_bool("lift"),
            size_from: number(table, "size_from", 100),
            size_to: number(table, "size_to", 100),
            with: table.tables("with").iter().map(person).collect(),
            without: table.tables("without").iter().map(person).collect(),
        }),
        _ => Question::Grids,
    }
}

fn number(table: &Table<'_>, key: &'static str, most: i64) -> Option<u16> {
    table.has(key).then(|| table.int(key, 0, most) as u16)
}

fn person(table: &Table<'_>) -> Person {
    let sex = |text: &str| match text {
        "female" => Some(Sex::Female),
        "male" => Some(Sex::Male),
        _ => None,
    };
    let read = Person {
        age_from: number(table, "age_from", MAX_AGE.into()).map(|age| age as u8),
        age_to: number(table, "age_to", MAX_AGE.into()).map(|age| age as u8),
        sex: table
            .has("sex")
            .then(|| one_of(table, "sex", sex, &["female", "male"]))
            .flatten(),
        register: table.opt_str("register").map(str::to_owned),
    };
    table.done();
    read
}

fn ask(table: &Table<'_>) -> Ask {
    let follow = table.strings("follow");
    let choices = table.strings("choices");
    for unknown in follow.iter().filter(|one| !choices.contains(one)) {
        let problem = table.problem("follow", "pack_bad_value").with("value", unknown);
        table.report(problem.with("allowed", choices.join(", ")));
    }
    let choice = |text: String| Choice {
        follow: follow.contains(&text),
        text,
    };
    let read = Ask {
        text: table.str("text").to_owned(),
        choices: choices.into_iter().map(choice).collect(),
    };
    table.done();
    read
}

/// Keys once, posts and registers that exist, sensitive ones only for those who serve, and questions that can be meant.
pub fn check(tables: &[Table<'_>], pack: &Pack) {
    if tables.len() > MAX_TEMPLATES {
        let table = &tables[MAX_TEMPLATES];
        table.report(table.problem("key", "pack_too_many").with("most", MAX_TEMPLATES));
    }
    let keys = pack.campaigns.iter().map(|one| one.key.as_str());
    super::check::no_duplicates(tables, "key", keys);
    for (table, one) in tables.iter().zip(&pack.campaigns) {
        if pack.duty(&one.by).is_none() {
            table.report(table.problem("by", "pack_unknown_duty").with("duty", &one.by));
        }
        for of in one.question.registers() {
            match pack.registers.iter().find(|register| register.key == of) {
                None => table.report(table.problem("with", "pack_unknown_register").with("register", of)),
                Some(register) if register.sensitive && !register.serves.contains(&one.by) => {
                    table.report(table.problem("by", "pack_register_not_served").with("register", of));
                }
                Some(_) => {}
            }
        }
        for (key, found) in [("who", one.question.check()), ("ask", one.asks.check())] {
            if let Err(bad) = found {
                table.report(table.problem(key, told(bad)));
            }
        }
    }
}

fn told(bad: BadQuestion) -> &'static str {
    match bad {
        BadQuestion::Bounds => "pack_campaign_bounds",
        BadQuestion::Anybody => "pack_campaign_anybody",
        BadQuestion::TooMany => "pack_campaign_too_many",
        BadQuestion::Text => "pack_campaign_text",
        BadQuestion::Forbidden => "pack_campaign_forbidden",
    }
}
