//! POST `requests`: what a partner hands in becomes a case at once, through the one intake every channel has.
//!
//! Entry point: [`take`]. Key, place, service, questions and media are checked first; the same content again within [`RETRY_MS`] is the same
//! request. Must not: open a case by itself.

use super::params::{self, Params};
use super::store::{self, PartnerRow, RequestRow};
use super::tree::Node;
use super::{Answer, Where, catalog, keys, media};
use crate::cases::intake::{self, MAX_ADDRESS, MAX_BODY, MAX_NAME, ReporterInput, Submission};
use crate::cases::{portal, public};
use crate::platform::*;
use crate::territory;
use domain::geo::LonLat;
use domain::policy::{Attribute, AttributeKind, Category};
use domain::time::MINUTE_MS;

/// The same key, device and content within this is a retry.
const RETRY_MS: i64 = 10 * MINUTE_MS;
/// Characters of an answer that is a line.
const MAX_LINE: usize = 200;
/// Characters of answers and addresses of media together: what fits one addition to a case.
const MAX_EXTRA: usize = 2_000;

/// Answers to the category's questions: code and values.
type Answers = Vec<(String, Vec<String>)>;

/// A request that may be opened.
struct Checked {
    partner: PartnerRow,
    submission: Submission,
    answers: Answers,
    /// Said beside the words: answers, addresses of media.
    extra: String,
}

/// Takes a request.
pub async fn take(ctx: Ctx, mut params: Params) -> Result<Answer, Fault> {
    let partner = writer(&ctx, &params).await?;
    let ctx = keys::acting(&ctx, &partner);
    let (links, inner) = media::of_links(params.all("media_url"))?;
    params.files.extend(inner);
    let id = partner.id;
    match checked_and_opened(&ctx, partner, &params, links).await {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            refused(&ctx, id, "requests_in", &fault).await?;
            Err(fault)
        }
    }
}

/// The partner of the key that a writing call must carry.
pub async fn writer(ctx: &Ctx, params: &Params) -> Result<PartnerRow, Fault> {
    let key = params.get("api_key").map(str::to_owned);
    let code = if key.is_some() {
        "open311_key_unknown"
    } else {
        "open311_key_missing"
    };
    let found = ctx.app.read(ctx, move |_, tx| keys::known(tx, key.as_deref())).await?;
    found.ok_or_else(|| keys::refuse(code))
}

/// Writes down that a use was refused, and why.
pub async fn refused(ctx: &Ctx, partner: PartnerId, call: &'static str, fault: &Fault) -> Result<(), Fault> {
    let code = fault.code();
    ctx.app
        .write(ctx, move |ctx, tx| keys::note_use(ctx, tx, partner, call, code, &[]))
        .await
}

async fn checked_and_opened(
    ctx: &Ctx,
    partner: PartnerRow,
    params: &Params,
    links: Vec<String>,
) -> Result<Answer, Fault> {
    let place = Where::named_or(ctx, params, partner.area)?;
    keys::allowed(&partner, partner.may_report, &place)?;
    let content = format!("{}:{}", partner.id, params.content());
    let since = ctx.now.plus_ms(-RETRY_MS);
    let text = content.clone();
    let earlier = ctx
        .app
        .read(ctx, move |_, tx| store::earlier_post(tx, &text, since))
        .await?;
    if let Some(case) = earlier {
        return again(ctx, &partner, case).await;
    }
    let mut checked = check(ctx, partner, params, &links)?;
    checked.submission.attachments = media::keep(ctx, &params.files).await?;
    let at = params.position()?;
    let words = params.get("address_string").unwrap_or_default().to_owned();
    let code = params.get("address_id").map(str::to_owned);
    ctx.app
        .write(ctx, move |ctx, tx| {
            checked.submission.area_id =
                area(ctx, tx, &place, at, &words, code.as_deref())?.map(|area| area.to_string());
            open(ctx, tx, &checked, &content)
        })
        .await
}

async fn again(ctx: &Ctx, partner: &PartnerRow, case: CaseId) -> Result<Answer, Fault> {
    let partner = partner.clone();
    ctx.app
        .write(ctx, move |ctx, tx| {
            let request = store::request(tx, case)?.ok_or_else(Fault::not_found)?;
            keys::note_use(ctx, tx, partner.id, "requests_in", "again", &[])?;
            told(tx, &partner, &request)
        })
        .await
}

fn open(ctx: &Ctx, tx: &mut Tx, checked: &Checked, content: &str) -> Result<Answer, Fault> {
    let case: CaseId = ctx.app.new_id();
    let since = ctx.now.plus_ms(-RETRY_MS);
    store::forget_posts(tx, since)?;
    if let Some(earlier) = store::claim_post(tx, content, case, ctx.now, since)? {
        let request = store::request(tx, earlier)?.ok_or_else(Fault::not_found)?;
        keys::note_use(ctx, tx, checked.partner.id, "requests_in", "again", &[])?;
        return told(tx, &checked.partner, &request);
    }
    let submission = Submission {
        id: case.to_string(),
        ..checked.submission.clone()
    };
    let opened = intake::open(ctx, tx, &submission)?;
    if !checked.extra.is_empty() {
        portal::add(ctx, tx, opened.row.id, opened.report, &checked.extra, &[])?;
    }
    let request = RequestRow {
        case,
        partner: checked.partner.id,
        token: hex::encode(ctx.app.chance().bytes::<16>()),
        attributes: checked.answers.clone(),
    };
    store::insert_request(tx, &request, ctx.now)?;
    keys::note_use(ctx, tx, checked.partner.id, "requests_in", "done", &[opened.row.number])?;
    told(tx, &checked.partner, &request)
}

/// The number, or the token that becomes one, or nothing: as the key has it.
fn told(tx: &mut Tx, partner: &PartnerRow, request: &RequestRow) -> Result<Answer, Fault> {
    let mut fields = match partner.answers.as_str() {
        "realtime" => {
            let (number, _) = public::stands(tx, request.case)?.ok_or_else(Fault::not_found)?;
            vec![("service_request_id", Node::text(number))]
        }
        "batch" => vec![("token", Node::text(&request.token))],
        _ => Vec::new(),
    };
    fields.extend([("service_notice", Node::Empty), ("account_id", Node::Empty)]);
    Ok(Answer::new(
        "service_requests",
        Node::List("request", vec![Node::Fields(fields)]),
    ))
}

fn check(ctx: &Ctx, partner: PartnerRow, params: &Params, links: &[String]) -> Result<Checked, Fault> {
    let missing = |name: &'static str| Fault::invalid(name, "open311_missing").with("name", name);
    let code = params.get("service_code").ok_or_else(|| missing("service_code"))?;
    let (pack, category) = catalog::service(ctx, code)?;
    if pack.pack.channel(public::CHANNEL).is_none() {
        return Err(keys::refuse("open311_not_here"));
    }
    let position = params.position()?;
    if position.is_none() && params.get("address_string").is_none() && params.get("address_id").is_none() {
        return Err(Fault::refused("open311_no_place"));
    }
    let body = params.get("description").unwrap_or(&category.name.zh).to_owned();
    for (name, text, most) in [
        ("description", body.as_str(), MAX_BODY),
        (
            "address_string",
            params.get("address_string").unwrap_or_default(),
            MAX_ADDRESS,
        ),
    ] {
        if text.chars().count() > most {
            return Err(Fault::invalid(name, "open311_text_too_long")
                .with("name", name)
                .with("most", most));
        }
    }
    let answers = answers(params, &category)?;
    let extra = extra(&category, &answers, links)?;
    let submission = Submission {
        channel: public::CHANNEL.to_owned(),
        body,
        category_code: Some(category.code.clone()),
        lon: position.map(|at| at.0),
        lat: position.map(|at| at.1),
        address: params.get("address_string").map(str::to_owned),
        reporter: Some(reporter(params)?),
        ..Submission::default()
    };
    Ok(Checked {
        partner,
        submission,
        answers,
        extra,
    })
}

/// Name and phone are sealed as in any other report; e-mail and account are not kept: nobody here needs them.
fn reporter(params: &Params) -> Result<ReporterInput, Fault> {
    let (first, last) = (
        params.get("first_name").unwrap_or_default(),
        params.get("last_name").unwrap_or_default(),
    );
    let chinese = |text: &str| text.chars().all(|c| !c.is_ascii());
    let name = match (first, last) {
        ("", one) | (one, "") => one.to_owned(),
        _ if chinese(first) && chinese(last) => format!("{last}{first}"),
        _ => format!("{first} {last}"),
    };
    if name.chars().count() > MAX_NAME {
        return Err(Fault::invalid("first_name", "open311_text_too_long")
            .with("name", "first_name")
            .with("most", MAX_NAME));
    }
    Ok(ReporterInput {
        name: Some(name).filter(|name| !name.is_empty()),
        phone: params.get("phone").map(str::to_owned),
        ..ReporterInput::default()
    })
}

/// The area of a request: of its position, which must lie in the part of the place; else of its code or its words; else that part.
fn area(
    ctx: &Ctx,
    tx: &mut Tx,
    place: &Where,
    at: Option<(f64, f64)>,
    words: &str,
    code: Option<&str>,
) -> Result<Option<AreaId>, Fault> {
    let map = territory::current(&ctx.app);
    let outside = || Fault::refused("open311_outside");
    let found = match (at, code) {
        (Some((lon, lat)), _) if map.bounds().is_some() => {
            let found = map.locate(LonLat { lon, lat }, territory::nearest_metres(&ctx.app));
            Some(found.ok_or_else(outside)?.area)
        }
        (_, Some(code)) => {
            let found = map.by_code(code).map(|area| area.id);
            Some(found.ok_or_else(|| Fault::invalid("address_id", "open311_address_unknown"))?)
        }
        _ => territory::find(&ctx.app, tx, None, words)?,
    };
    match found {
        Some(area) if place.holds(ctx, area) => Ok(Some(area)),
        Some(_) => Err(outside()),
        None => Ok(place.area().filter(|(depth, _)| *depth > 1).map(|(_, area)| area)),
    }
}

/// The answers to the category's questions, each as its kind demands.
fn answers(params: &Params, category: &Category) -> Result<Answers, Fault> {
    let mut all = Answers::new();
    for attribute in category.attributes.iter().filter(|a| a.kind != AttributeKind::Shown) {
        let given: Vec<String> = params.attribute(&attribute.code).map(str::to_owned).collect();
        if given.is_empty() {
            if attribute.required {
                return Err(wrong(attribute, "open311_attribute_missing"));
            }
            continue;
        }
        fits(attribute, &given)?;
        all.push((attribute.code.clone(), given));
    }
    Ok(all)
}

fn wrong(attribute: &Attribute, code: &'static str) -> Fault {
    let name = format!("attribute[{}]", attribute.code);
    Fault::refused(code).field(name.clone()).with("name", name)
}

fn fits(attribute: &Attribute, given: &[String]) -> Result<(), Fault> {
    if given.len() > 1 && attribute.kind != AttributeKind::AnyOf {
        return Err(wrong(attribute, "open311_attribute_once"));
    }
    let one = |text: &String| match attribute.kind {
        AttributeKind::Shown => true,
        AttributeKind::Line => text.chars().count() <= MAX_LINE && !text.contains('\n'),
        AttributeKind::Text => text.chars().count() <= MAX_EXTRA,
        AttributeKind::Number => text.parse().is_ok_and(f64::is_finite),
        AttributeKind::Instant => params::time(text).is_some(),
        AttributeKind::OneOf | AttributeKind::AnyOf => attribute.values.iter().any(|(key, _)| key == text),
    };
    match given.iter().all(one) {
        true => Ok(()),
        false => Err(wrong(attribute, "open311_attribute_bad")),
    }
}

/// Answers and addresses of media as lines for those who handle it.
fn extra(category: &Category, answers: &Answers, links: &[String]) -> Result<String, Fault> {
    let mut lines = Vec::new();
    for (code, given) in answers {
        let Some(attribute) = category.attributes.iter().find(|a| a.code == *code) else {
            continue;
        };
        let called = |given: &String| {
            let value = attribute.values.iter().find(|(key, _)| key == given);
            value.map_or_else(|| given.clone(), |(_, name)| name.zh.clone())
        };
        let given: Vec<String> = given.iter().map(called).collect();
        lines.push(format!("{}：{}", attribute.name.zh, given.join("、")));
    }
    lines.extend(links.iter().map(|link| format!("附件链接：{link}")));
    let text = lines.join("\n");
    if text.chars().count() > MAX_EXTRA {
        return Err(Fault::refused("open311_text_too_long")
            .with("name", "attribute, media_url")
            .with("most", MAX_EXTRA));
    }
    Ok(text)
}
