//! `duties.toml`: what is owed without anybody asking. A pack without the file owes nothing by rule.

use super::doc::Table;
use super::sections::{name, one_of, source, span};
use domain::duties::{
    Act, Away, By, Every, Evidence, Hours, MAX_MINUTES, MAX_SPACING, MAX_TIMES, Misfit, Missed, On, Partial, Quantity,
    Rule, Settled, Who,
};
use domain::policy::{DutyRule, Pack};

/// Most rules of a pack.
const MAX_RULES: usize = 200;
/// Longest key of a rule, a register, a kind or a list.
const MAX_KEY: usize = 40;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One `[[rule]]`; none after a problem that leaves its meaning open.
pub fn rule(table: &Table<'_>) -> Option<DutyRule> {
    let key = key(table, "key").to_owned();
    let act = one_of(table, "act", Act::parse, &Act::ALL.map(Act::key));
    let who = who(table);
    let every = one_of(table, "every", Every::parse, &Every::ALL.map(Every::key));
    let quantity = quantity(table);
    let minutes = matches!(quantity, Some(Quantity::Minutes(_)));
    let partial = one_of(table, "partial", word(&PARTIAL), &PARTIAL.map(|one| one.0));
    let missed = one_of(table, "missed", word(&MISSED), &MISSED.map(|one| one.0));
    let read = DutyRule {
        rule: Rule {
            key,
            who: who.clone().unwrap_or(Who::Grids),
            act: act.unwrap_or(Act::Visit),
            quantity: quantity.unwrap_or(Quantity::Minutes(1)),
            every: every.unwrap_or(Every::Year),
            spacing: match minutes {
                true => optional(table, "spacing", u32::from(MAX_SPACING)).unwrap_or(0) as u16,
                false => optional(table, "spacing", u32::from(MAX_SPACING)).unwrap_or(1) as u16,
            },
            least_minutes: optional(table, "least_minutes", 1_440).unwrap_or(0),
            on: on(table),
            hours: hours(table),
            early: optional(table, "early", 366).map(|days| days as u16),
            grace: optional(table, "grace", 366).map(|days| days as u16),
            by: By {
                duty: table.opt_str("by").unwrap_or("grid").to_owned(),
                people: optional(table, "people", 20).unwrap_or(1).max(1) as u8,
            },
            evidence: evidence(table),
            settled: or(table, "settled", &SETTLED, Settled::Met),
            away: or(table, "away", &AWAY, Away::StandIn),
            partial: partial.unwrap_or(Partial::Full),
            missed: missed.unwrap_or(Missed::Lapses),
        },
        name: name(table),
        source: source(table),
    };
    table.done();
    let whole = act.is_some() && who.is_some() && every.is_some() && quantity.is_some();
    (whole && partial.is_some() && missed.is_some()).then_some(read)
}

const PARTIAL: [(&str, Partial); 3] = [
    ("full", Partial::Full),
    ("share", Partial::Share),
    ("next", Partial::Next),
];
const MISSED: [(&str, Missed); 2] = [("owed", Missed::Owed), ("lapses", Missed::Lapses)];
const SETTLED: [(&str, Settled); 2] = [("met", Settled::Met), ("gone", Settled::Gone)];
const AWAY: [(&str, Away); 2] = [("stand_in", Away::StandIn), ("waits", Away::Waits)];

fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&str) -> Option<T> {
    move |text| words.iter().find(|one| one.0 == text).map(|one| one.1)
}

/// A word that may be left out.
fn or<T: Copy, const N: usize>(
    table: &Table<'_>,
    key: &'static str,
    words: &[(&'static str, T); N],
    otherwise: T,
) -> T {
    if !table.has(key) {
        return otherwise;
    }
    one_of(table, key, word(words), &words.map(|one| one.0)).unwrap_or(otherwise)
}

fn optional(table: &Table<'_>, key: &'static str, most: u32) -> Option<u32> {
    table.has(key).then(|| table.int(key, 0, most.into()) as u32)
}

/// Letters, digits and `_`; names of registers and kinds may be Chinese.
fn key<'d>(table: &Table<'d>, key: &'static str) -> &'d str {
    let text = table.str(key);
    let fits = text.chars().count() <= MAX_KEY && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !fits && table.has(key) {
        let problem = table.problem(key, "pack_bad_value").with("value", text);
        table.report(problem.with("allowed", "0-9 A-Z a-z _"));
    }
    text
}

fn who(table: &Table<'_>) -> Option<Who> {
    let text = table.str("who");
    let of = || key(table, "of").to_owned();
    let who = match text {
        "households" => Who::Households,
        "register" => Who::Register(of()),
        "facilities" => Who::Facilities(of()),
        "checkpoints" => Who::Checkpoints(of()),
        "grids" => Who::Grids,
        other => {
            if table.has("who") {
                let problem = table.problem("who", "pack_bad_value").with("value", other);
                table.report(problem.with("allowed", Who::KEYS.join(", ")));
            }
            return None;
        }
    };
    Some(who)
}

fn quantity(table: &Table<'_>) -> Option<Quantity> {
    match (table.has("times"), table.has("minutes")) {
        (true, false) => {
            let least = table.int("times", 1, MAX_TIMES.into()) as u16;
            let most = optional(table, "most", MAX_TIMES.into()).map_or(least, |most| most as u16);
            Some(Quantity::Times { least, most })
        }
        (false, true) => Some(Quantity::Minutes(table.int("minutes", 1, MAX_MINUTES.into()) as u32)),
        _ => {
            optional(table, "times", MAX_TIMES.into());
            optional(table, "most", MAX_TIMES.into());
            optional(table, "minutes", MAX_MINUTES);
            table.report(table.problem("times", "pack_one_of").with("keys", "times, minutes"));
            None
        }
    }
}

fn on(table: &Table<'_>) -> On {
    if table.has("weekdays") {
        let mut days = [false; 7];
        for text in table.strings("weekdays") {
            match WEEKDAYS.iter().position(|day| *day == text) {
                Some(at) => days[at] = true,
                None => {
                    let problem = table.problem("weekdays", "pack_bad_value").with("value", text);
                    table.report(problem.with("allowed", WEEKDAYS.join(", ")));
                }
            }
        }
        if table.has("on") {
            table.report(table.problem("on", "pack_one_of").with("keys", "on, weekdays"));
        }
        return On::Weekdays(days);
    }
    const ON: [(&str, bool); 2] = [("every", false), ("working", true)];
    if or(table, "on", &ON, false) {
        On::Working
    } else {
        On::Every
    }
}

fn hours(table: &Table<'_>) -> Hours {
    let working = table.opt_bool("working_time") == Some(true);
    let texts = table.strings("hours");
    match (working, texts.is_empty()) {
        (true, true) => Hours::Working,
        (false, true) => Hours::Any,
        (false, false) => Hours::Within(texts.iter().filter_map(|text| span(table, "hours", text)).collect()),
        (true, false) => {
            table.report(
                table
                    .problem("hours", "pack_one_of")
                    .with("keys", "hours, working_time"),
            );
            Hours::Working
        }
    }
}

fn evidence(table: &Table<'_>) -> Evidence {
    let mut evidence = Evidence::default();
    for text in table.strings("evidence") {
        match text.as_str() {
            "photo" => evidence.photo = true,
            "position" => evidence.position = true,
            "talk" => evidence.talk = true,
            other => {
                let problem = table.problem("evidence", "pack_bad_value").with("value", other);
                table.report(problem.with("allowed", "photo, position, talk"));
            }
        }
    }
    evidence
}

/// Keys once, posts that exist, and rules that can be kept.
pub fn check(tables: &[Table<'_>], pack: &Pack) {
    if tables.len() > MAX_RULES {
        let table = &tables[MAX_RULES];
        table.report(table.problem("key", "pack_too_many").with("most", MAX_RULES));
    }
    // Rules that could not be read are not in the pack, so tables and rules do not pair up then.
    if tables.len() != pack.duty_rules.len() {
        return;
    }
    let keys = pack.duty_rules.iter().map(|one| one.rule.key.as_str());
    super::check::no_duplicates(tables, "key", keys);
    for (table, one) in tables.iter().zip(&pack.duty_rules) {
        if pack.duty(&one.rule.by.duty).is_none() {
            let problem = table.problem("by", "pack_unknown_duty");
            table.report(problem.with("duty", &one.rule.by.duty));
        }
        if let Some(misfit) = one.rule.misfit() {
            let (key, code) = told(misfit);
            table.report(table.problem(key, code));
        }
    }
}

fn told(misfit: Misfit) -> (&'static str, &'static str) {
    match misfit {
        Misfit::NoRoom => ("spacing", "pack_duty_no_room"),
        Misfit::NoTimes => ("most", "pack_duty_no_times"),
        Misfit::TooManyMinutes => ("minutes", "pack_duty_too_many_minutes"),
        Misfit::MinutesWait => ("minutes", "pack_duty_minutes_wait"),
        Misfit::NoDay => ("weekdays", "pack_duty_no_day"),
        Misfit::TooLong => ("every", "pack_duty_too_long"),
        Misfit::ActElsewhere => ("act", "pack_duty_act_elsewhere"),
    }
}
