//! One message of a resident, understood and answered.

use crate::cases::intake::{self, ReporterInput, Submission};
use crate::cases::portal::{self, PublicStatus};
use crate::cases::warn;
use crate::platform::contacts::{self, Channel, Contact};
use crate::platform::*;
use crate::territory;
use domain::message::Said;

/// Characters of an answer quoted in a message; the portal shows all of it.
const QUOTED: usize = 200;

/// What came of a message.
pub struct Heard {
    /// What it was taken as.
    pub kind: &'static str,
    pub case: Option<CaseId>,
    pub reply: String,
}

/// A report of this contact.
struct Own {
    case: CaseId,
    report: ReportId,
    status: PublicStatus,
}

/// Does what the message says. A refusal is a sentence to the resident and changes nothing.
pub fn hear(ctx: &Ctx, tx: &mut Tx, contact: &Contact, address: &str, text: &str) -> Result<Heard, Fault> {
    let said = Said::of(text);
    let kind = kind_of(&said);
    match tx.attempt(|tx| done(ctx, tx, contact, address, text, said)) {
        Ok(heard) => Ok(heard),
        Err(fault) if fault.status().is_server_error() => Err(fault),
        Err(fault) => Ok(Heard {
            kind,
            case: None,
            reply: fault.view(ctx.lang).message,
        }),
    }
}

fn kind_of(said: &Said) -> &'static str {
    match said {
        Said::Report(_) => "report",
        Said::Status { .. } => "status",
        Said::Rate { .. } => "rate",
        Said::Object(_) => "object",
        Said::Add(_) => "add",
        Said::Stop => "stop",
        Said::Start => "start",
        Said::Help => "help",
    }
}

fn done(ctx: &Ctx, tx: &mut Tx, contact: &Contact, address: &str, text: &str, said: Said) -> Result<Heard, Fault> {
    let kind = kind_of(&said);
    let plain = |reply: String| Heard {
        kind,
        case: None,
        reply,
    };
    match said {
        Said::Report(words) => report(ctx, tx, contact, address, &words),
        Said::Help => {
            // "着火了" is short and no request for help with the service.
            let (urgent, elsewhere) = warn(ctx, tx, text)?;
            match urgent.is_some() || elsewhere.is_some() {
                true => report(ctx, tx, contact, address, text.trim()),
                false => Ok(plain(say(ctx, "text_help", &[]))),
            }
        }
        Said::Status { number, code } => status(ctx, tx, contact, number, code),
        Said::Rate { rating, comment } => rate(ctx, tx, contact, rating, comment.as_deref()),
        Said::Object(reason) => object(ctx, tx, contact, reason.as_deref()),
        Said::Add(words) => add(ctx, tx, contact, words.as_deref()),
        Said::Stop => {
            contacts::set_opted_out(tx, contact.id, Some(ctx.now))?;
            Ok(plain(say(ctx, "text_stopped", &[])))
        }
        Said::Start => {
            contacts::set_opted_out(tx, contact.id, None)?;
            Ok(plain(say(ctx, "text_started", &[])))
        }
    }
}

fn say(ctx: &Ctx, code: &str, params: &[(&'static str, String)]) -> String {
    i18n::sentence(ctx.lang, code, params)
}

/// A matter: through the intake every channel has. Danger is answered first, then the number.
fn report(ctx: &Ctx, tx: &mut Tx, contact: &Contact, address: &str, words: &str) -> Result<Heard, Fault> {
    let (urgent, elsewhere) = warn(ctx, tx, words)?;
    let go = elsewhere.as_ref().map(|e| format!("{}{}", e.text, e.where_to_go));
    if elsewhere.is_some_and(|e| !e.may_file) {
        return Ok(Heard {
            kind: "refused",
            case: None,
            reply: go.unwrap_or_default(),
        });
    }
    let area = territory::find(&ctx.app, tx, None, words)?;
    let submission = Submission {
        id: ctx.app.new_id::<CaseId>().to_string(),
        channel: contact.channel.key().to_owned(),
        body: words.to_owned(),
        area_id: area.map(|area| area.to_string()),
        reporter: Some(ReporterInput {
            phone: (contact.channel == Channel::Sms).then(|| address.to_owned()),
            contact: Some(contact.id),
            ..ReporterInput::default()
        }),
        ..Submission::default()
    };
    let opened = intake::open(ctx, tx, &submission)?;
    let number = [("number", opened.row.number.clone()), ("code", opened.follow_code)];
    let mut lines: Vec<String> = urgent.map(|hint| hint.text).or(go).into_iter().collect();
    lines.push(say(ctx, "text_opened", &number));
    if area.is_none() {
        lines.push(say(ctx, "text_where", &[]));
    }
    lines.push(say(ctx, "text_how", &[]));
    Ok(Heard {
        kind: "report",
        case: Some(opened.row.id),
        reply: lines.join(" "),
    })
}

/// Reports of this contact with their state, the newest first.
fn own(ctx: &Ctx, tx: &mut Tx, contact: &Contact) -> Result<Vec<Own>, Fault> {
    let found = portal::of_contact(tx, contact)?;
    let with = |(case, report, _): (CaseId, ReportId, String)| {
        let status = portal::status(ctx, tx, case, report)?;
        Ok(Own { case, report, status })
    };
    found.into_iter().map(with).collect()
}

/// Of those a resident may do something with, the one answered last; what was never answered comes after.
fn last(own: Vec<Own>, may: impl Fn(&PublicStatus) -> bool) -> Option<Own> {
    let answered = |one: &Own| one.status.answers.last().map(|answer| answer.at.clone());
    let mut chosen: Option<Own> = None;
    for one in own.into_iter().filter(|one| may(&one.status)) {
        if chosen.as_ref().is_none_or(|best| answered(&one) > answered(best)) {
            chosen = Some(one);
        }
    }
    chosen
}

fn status(
    ctx: &Ctx,
    tx: &mut Tx,
    contact: &Contact,
    number: Option<String>,
    code: Option<String>,
) -> Result<Heard, Fault> {
    let found = portal::of_contact(tx, contact)?;
    let count = found.len();
    let named = |found: &(CaseId, ReportId, String)| number.as_ref().is_none_or(|n| found.2.eq_ignore_ascii_case(n));
    let chosen = match (found.into_iter().find(named), &number, &code) {
        (Some((case, report, _)), _, _) => Some((case, report)),
        (None, Some(number), Some(code)) => portal::find(ctx, tx, number, code).ok(),
        _ => None,
    };
    let Some((case, report)) = chosen else {
        let code = if number.is_some() {
            "text_unknown"
        } else {
            "text_none_yet"
        };
        return Ok(Heard {
            kind: "status",
            case: None,
            reply: say(ctx, code, &[("number", number.unwrap_or_default())]),
        });
    };
    let status = portal::status(ctx, tx, case, report)?;
    let params = [
        ("number", status.number.clone()),
        ("state", status.state_name.clone()),
        ("text", status.plain_text.clone()),
    ];
    let mut lines = vec![say(ctx, "text_status", &params)];
    lines.extend(status.together.as_ref().map(|together| together.text.clone()));
    if let Some(answer) = status.answers.last() {
        lines.push(say(ctx, "text_answer", &[("answer", short(&answer.body))]));
    }
    if status.can.rate {
        lines.push(say(ctx, "text_rate", &[]));
    }
    if number.is_none() && count > 1 {
        lines.push(say(ctx, "text_more", &[("count", count.to_string())]));
    }
    Ok(Heard {
        kind: "status",
        case: Some(case),
        reply: lines.join(" "),
    })
}

fn short(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn rate(ctx: &Ctx, tx: &mut Tx, contact: &Contact, rating: u8, comment: Option<&str>) -> Result<Heard, Fault> {
    const POOR: u8 = 2;
    let own = own(ctx, tx, contact)?;
    let Some(one) = last(own, |status| status.can.rate && !status.answers.is_empty()) else {
        return Ok(nothing(ctx, "rate", "text_nothing_to_rate"));
    };
    portal::rate(ctx, tx, one.case, one.report, i64::from(rating), comment)?;
    let params = [("number", one.status.number), ("rating", rating.to_string())];
    let mut reply = say(ctx, "text_rated", &params);
    if rating <= POOR {
        reply = format!("{reply} {}", say(ctx, "text_object_how", &[]));
    }
    Ok(Heard {
        kind: "rate",
        case: Some(one.case),
        reply,
    })
}

fn object(ctx: &Ctx, tx: &mut Tx, contact: &Contact, reason: Option<&str>) -> Result<Heard, Fault> {
    let Some(reason) = reason else {
        return Ok(nothing(ctx, "object", "text_object_how"));
    };
    let own = own(ctx, tx, contact)?;
    let Some(one) = last(own, |status| status.can.object) else {
        return Ok(nothing(ctx, "object", "text_nothing_to_object"));
    };
    portal::object(ctx, tx, one.case, reason)?;
    Ok(Heard {
        kind: "object",
        case: Some(one.case),
        reply: say(ctx, "text_objected", &[("number", one.status.number)]),
    })
}

fn add(ctx: &Ctx, tx: &mut Tx, contact: &Contact, words: Option<&str>) -> Result<Heard, Fault> {
    let Some(words) = words else {
        return Ok(nothing(ctx, "add", "text_add_how"));
    };
    let open = own(ctx, tx, contact)?.into_iter().find(|one| one.status.can.add);
    let Some(one) = open else {
        return Ok(nothing(ctx, "add", "text_nothing_open"));
    };
    portal::add(ctx, tx, one.case, one.report, words, &[])?;
    Ok(Heard {
        kind: "add",
        case: Some(one.case),
        reply: say(ctx, "text_added", &[("number", one.status.number)]),
    })
}

fn nothing(ctx: &Ctx, kind: &'static str, code: &str) -> Heard {
    Heard {
        kind,
        case: None,
        reply: say(ctx, code, &[]),
    }
}
