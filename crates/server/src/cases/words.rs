//! Names and sentences: of states, steps, actions, events. The texts are in `i18n/cases.{zh,en}.toml`.

use super::place::Rules;
use crate::platform::*;
use domain::cases::StateKey;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::Value;

/// `state_handling` in the language of the call.
pub fn state(lang: Lang, state: StateKey) -> String {
    i18n::sentence(lang, &format!("state_{}", state.key()), &[])
}

/// `step_handle`.
pub fn step(lang: Lang, step: &str) -> String {
    i18n::sentence(lang, &format!("step_{step}"), &[])
}

/// `action_take`.
pub fn action(lang: Lang, key: &str) -> String {
    i18n::sentence(lang, &format!("action_{key}"), &[])
}

/// `event_assigned`: the kind of event.
pub fn event_kind(lang: Lang, kind: &str) -> String {
    i18n::sentence(lang, &format!("event_{kind}"), &[])
}

/// What a sentence can name, from the body of an event; `{name}` in the text. A missing one is empty.
const NAMED: &[&str] = &[
    "unit",
    "worker",
    "reason",
    "why",
    "suggested",
    "count",
    "where_to_go",
    "part",
    "step",
    "words",
    "minutes",
    "agreement",
    "outcome",
    "request",
    "days",
    "note",
    "result",
    "way",
    "answer",
    "said",
    "rating",
    "into",
    "from",
    "to",
    "reports",
    "instruction",
    "decision",
    "units",
    "comment",
    "mediator",
    "follow_up_on",
    "team",
    "peer",
    "number",
    "stage",
    "due",
    "day",
];

/// A sentence for an event: what happened, as `said_<kind>` tells it to staff.
pub fn event(lang: Lang, rules: &Rules, kind: &str, body: &Value) -> String {
    // Classified by what it says: the words that decided are told too.
    let by_words = kind == "classified" && body["words"].as_str().is_some_and(|words| !words.is_empty());
    tell(
        lang,
        rules,
        "said",
        if by_words { "classified_by_words" } else { kind },
        body,
    )
}

/// The same for the resident; none for what is not theirs to hear.
pub fn public_event(lang: Lang, rules: &Rules, kind: &str, body: &Value) -> Option<String> {
    i18n::known(&format!("public_{kind}")).then(|| tell(lang, rules, "public", kind, body))
}

fn tell(lang: Lang, rules: &Rules, face: &str, kind: &str, body: &Value) -> String {
    let mut params: Vec<(&'static str, String)> = NAMED
        .iter()
        .map(|name| (*name, plain(lang, name, &body[*name])))
        .collect();
    let category = body["category"]
        .as_str()
        .map(|code| category(lang, rules, code))
        .unwrap_or_default();
    params.push(("category", category));
    params.push((
        "channel",
        body["channel"]
            .as_str()
            .map(|key| channel(lang, rules, key))
            .unwrap_or_default(),
    ));
    i18n::sentence(lang, &format!("{face}_{kind}"), &params)
}

fn plain(lang: Lang, name: &str, value: &Value) -> String {
    match (name, value) {
        ("way" | "request" | "outcome", Value::String(key)) => i18n::sentence(lang, &format!("{name}_{key}"), &[]),
        ("step", Value::String(key)) => step(lang, key),
        ("stage", Value::String(key)) => StateKey::from_key(key).map_or_else(String::new, |key| state(lang, key)),
        ("due", Value::String(at)) => Timestamp::parse(at).map_or_else(|_| String::new(), |at| moment(lang, at)),
        ("why", Value::String(key)) if key == "rule" || key == "default" || key == "person" => {
            i18n::sentence(lang, &format!("why_{key}"), &[])
        }
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// What a clock's rule is called: of the pack `handle:0301:ordinary`, or who set the moment.
pub fn clock_rule(lang: Lang, rules: &Rules, id: &str) -> String {
    let known = format!("clock_rule_{id}");
    if i18n::known(&known) {
        return i18n::sentence(lang, &known, &[]);
    }
    let mut parts = id.split(':');
    let (step_key, of, kind) = (parts.next(), parts.next(), parts.next());
    let kind = i18n::sentence(
        lang,
        if kind == Some("urgent") {
            "clock_kind_urgent"
        } else {
            "clock_kind_ordinary"
        },
        &[],
    );
    let of = match of {
        Some("*") | None => kind,
        Some(code) => format!("{}·{kind}", category(lang, rules, code)),
    };
    let step = step(lang, step_key.unwrap_or_default());
    i18n::sentence(lang, "clock_rule", &[("step", step), ("of", of)])
}

/// Name of a category.
pub fn category(lang: Lang, rules: &Rules, code: &str) -> String {
    rules
        .pack
        .category(code)
        .map_or_else(|| code.to_owned(), |c| lang.pick(&c.name.zh, &c.name.en).to_owned())
}

/// Name of a way in.
pub fn channel(lang: Lang, rules: &Rules, key: &str) -> String {
    rules
        .pack
        .channel(key)
        .map_or_else(|| key.to_owned(), |c| lang.pick(&c.name.zh, &c.name.en).to_owned())
}

/// `还剩 3 小时 20 分` or `已超时 2 天`: plain time to the due moment.
pub fn remaining(lang: Lang, now: Timestamp, due: Timestamp) -> String {
    const DAY_MS: i64 = 24 * HOUR_MS;
    let left = due.0 - now.0;
    let size = left.abs();
    let (days, hours, minutes) = (size / DAY_MS, size % DAY_MS / HOUR_MS, size % HOUR_MS / MINUTE_MS);
    let params = [
        ("days", days.to_string()),
        ("hours", hours.to_string()),
        ("minutes", minutes.to_string()),
    ];
    let shape = match (days, hours) {
        (1.., _) => "days",
        (0, 1..) => "hours",
        _ => "minutes",
    };
    let side = if left >= 0 { "left" } else { "over" };
    i18n::sentence(lang, &format!("time_{side}_{shape}"), &params)
}

/// `2月14日 10:00`.
pub fn moment(lang: Lang, at: Timestamp) -> String {
    let civil = at.civil();
    match lang {
        Lang::En => civil.strftime("%-d %b %H:%M").to_string(),
        Lang::Zh => civil.strftime("%-m月%-d日 %H:%M").to_string(),
    }
}

/// `notice_late`: what a notice says.
pub fn notice(lang: Lang, kind: &str, body: &Value) -> String {
    let text = |name: &str| match &body[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let params = [
        ("number", text("number")),
        ("title", text("title")),
        ("minutes", text("minutes")),
        ("days", text("days")),
        ("milestone", text("milestone")),
        ("step", body["step"].as_str().map(|s| step(lang, s)).unwrap_or_default()),
    ];
    i18n::sentence(lang, &format!("notice_{kind}"), &params)
}
