//! GET `requests`, `requests/{id}` and `tokens/{token}`: public matters as service requests. Whoever calls with a key has it written down.

use super::params::Params;
use super::store::{self, RequestRow};
use super::tree::Node;
use super::{Answer, Where, keys, media, span, when};
use crate::cases::public::{self, PublicCase, PublicChange, Question};
use crate::platform::*;
use crate::policy::{self, Current};
use crate::territory;
use domain::cases::StateKey;
use domain::time::Timestamp;

/// Requests of one answer at most; the standard says so.
const MOST: i64 = 1_000;
/// Pages that can be asked for.
const MAX_PAGE: i64 = 10_000;
/// Metres from the middle of the box to its sides.
const BOX_METRES: f64 = 375.0;
const METRES_PER_DEGREE: f64 = 111_000.0;

/// The list: newest first, at most [`MOST`].
pub async fn list(ctx: Ctx, params: Params) -> Result<Answer, Fault> {
    let place = Where::named(&ctx, &params)?;
    let question = question(&ctx, &params, &place)?;
    let extended = params.get("extensions") == Some("true");
    let (offset, limit) = (question.offset, question.limit);
    let (cases, node) = look(&ctx, &params, question, extended).await?;
    let mut answer = Answer::new("service_requests", node);
    if cases as i64 > limit {
        let first = i64::from(ctx.app.config().limits.open311_first_page);
        let next = offset / limit.max(1) + first + 1;
        answer.next = Some(params.paged(next, limit));
    }
    Ok(answer)
}

/// One; absent, withdrawn and not public are the same.
pub async fn one(ctx: Ctx, params: Params, number: String) -> Result<Answer, Fault> {
    let place = Where::named(&ctx, &params)?;
    let extended = params.get("extensions") == Some("true");
    let question = Question {
        numbers: Some(vec![number]),
        ..everything(&place)
    };
    let (found, node) = look(&ctx, &params, question, extended).await?;
    if found == 0 {
        return Err(Fault::not_found());
    }
    Ok(Answer::new("service_requests", node))
}

fn everything(place: &Where) -> Question {
    Question {
        area: place.area(),
        limit: MOST,
        ..Question::default()
    }
}

/// What the parameters ask for. A list of ids overrides every other filter.
fn question(ctx: &Ctx, params: &Params, place: &Where) -> Result<Question, Fault> {
    if let Some(numbers) = params.list("service_request_id")? {
        return Ok(Question {
            numbers: Some(numbers),
            ..everything(place)
        });
    }
    let open = match params.list("status")? {
        None => None,
        Some(named) => {
            if named.iter().any(|one| one != "open" && one != "closed") {
                return Err(Fault::invalid("status", "open311_status_unknown"));
            }
            let (open, closed) = (named.iter().any(|s| s == "open"), named.iter().any(|s| s == "closed"));
            Some(open).filter(|_| open != closed)
        }
    };
    let received = span(ctx, params.time("start_date")?, params.time("end_date")?)?;
    let first = i64::from(ctx.app.config().limits.open311_first_page);
    let limit = params.whole("page_size")?.unwrap_or(MOST);
    let page = params.whole("page")?.unwrap_or(first) - first;
    if !(1..=MOST).contains(&limit) || !(0..MAX_PAGE).contains(&page) {
        return Err(Fault::refused("open311_bad_page")
            .with("first", first)
            .with("most", MOST));
    }
    Ok(Question {
        categories: params.list("service_code")?,
        received: Some(received),
        open,
        within: params.position()?.map(around),
        offset: page * limit,
        limit,
        ..everything(place)
    })
}

fn around((lon, lat): (f64, f64)) -> [f64; 4] {
    let up = BOX_METRES / METRES_PER_DEGREE;
    let side = up / lat.to_radians().cos().max(0.01);
    [lon - side, lat - up, lon + side, lat + up]
}

/// Looks, writes down what a key got, and gives the number found (one more than the limit when there are more) and the list.
async fn look(ctx: &Ctx, params: &Params, question: Question, extended: bool) -> Result<(usize, Node), Fault> {
    let limit = question.limit as usize;
    let question = Question {
        limit: question.limit + 1,
        ..question
    };
    let (found, extras) = ctx
        .app
        .read(ctx, move |ctx, tx| {
            let mut found = public::list(ctx, tx, &question)?;
            let more = found.len() > limit;
            found.truncate(limit);
            let extras = if extended { extras(ctx, tx, &found)? } else { Vec::new() };
            Ok(((found, more), extras))
        })
        .await?;
    let (found, more) = found;
    let numbers: Vec<String> = found.iter().map(|case| case.number.clone()).collect();
    shared(ctx, params, "requests_out", numbers).await?;
    let pack = policy::current(&ctx.app)?;
    let mut extras = extras.into_iter();
    let rows = found.iter().map(|case| row(ctx, &pack, case, extras.next()));
    let node = Node::List("request", rows.collect());
    Ok((found.len() + usize::from(more), node))
}

/// Writes down what left the house with a key. A key that is not known is no key: reading needs none.
pub async fn shared(ctx: &Ctx, params: &Params, call: &'static str, numbers: Vec<String>) -> Result<(), Fault> {
    let Some(key) = params.get("api_key").map(str::to_owned) else {
        return Ok(());
    };
    let partner = ctx.app.read(ctx, move |_, tx| keys::known(tx, Some(&key))).await?;
    let Some(partner) = partner.filter(|partner| partner.revoked_at.is_none()) else {
        return Ok(());
    };
    let acting = keys::acting(ctx, &partner);
    ctx.app
        .write(&acting, move |ctx, tx| {
            keys::note_use(ctx, tx, partner.id, call, "done", &numbers)
        })
        .await
}

/// What `extensions=true` adds to a request: answers to questions, and the steps so far.
type Extra = (Vec<(String, Vec<String>)>, Vec<PublicChange>);

fn extras(ctx: &Ctx, tx: &mut Tx, cases: &[PublicCase]) -> Result<Vec<Extra>, Fault> {
    let mut all = Vec::with_capacity(cases.len());
    for case in cases {
        let request: Option<RequestRow> = match public::by_number(tx, &case.number)? {
            Some(id) if case.body.is_some() => store::request(tx, id)?,
            _ => None,
        };
        let from = Timestamp(case.received_at.0 - 1);
        let to = ctx.now.plus_ms(1);
        let numbers = std::slice::from_ref(&case.number);
        let steps = public::changes(ctx, tx, None, Some(numbers), (from, to), MOST as usize)?;
        all.push((request.map(|r| r.attributes).unwrap_or_default(), steps));
    }
    Ok(all)
}

fn row(ctx: &Ctx, pack: &Current, case: &PublicCase, extra: Option<Extra>) -> Node {
    let map = territory::current(&ctx.app);
    let area = case.area.and_then(|area| map.area(area));
    let category = pack.pack.category(&case.category);
    let name = category.map_or(case.category.as_str(), |c| ctx.lang.pick(&c.name.zh, &c.name.en));
    // Of a matter that did not come in publicly, the middle of its area stands for the place.
    let at = case
        .at
        .or_else(|| area.and_then(|a| a.center).map(|at| (at.lon, at.lat)));
    let address = case.address.clone().or_else(|| area.map(|area| map.full_name(area.id)));
    let status = if public::is_over(case.state) { "closed" } else { "open" };
    let mut fields = vec![
        ("service_request_id", Node::text(&case.number)),
        ("status", Node::text(status)),
        ("status_notes", Node::maybe(case.answer.as_deref())),
        ("service_name", Node::text(name)),
        ("service_code", Node::text(&case.category)),
        ("description", Node::text(case.body.as_deref().unwrap_or(name))),
        ("agency_responsible", Node::maybe(case.unit.as_deref())),
        ("service_notice", Node::Empty),
        ("requested_datetime", when(case.received_at)),
        ("updated_datetime", when(case.updated_at)),
        ("expected_datetime", case.due_at.map_or(Node::Empty, when)),
        ("address", Node::maybe(address)),
        ("address_id", Node::maybe(area.map(|area| area.code.clone()))),
        ("zipcode", Node::Empty),
        ("lat", Node::number(at.map(|at| at.1))),
        ("long", Node::number(at.map(|at| at.0))),
        ("media_url", photo(ctx, case, 0)),
    ];
    if let Some((answers, steps)) = extra {
        fields.push(("attributes", given(ctx, category, &answers)));
        fields.push((
            "extended_attributes",
            Node::Fields(vec![(
                "media_urls",
                Node::List(
                    "media_url",
                    (0..case.photos.len()).map(|nth| photo(ctx, case, nth)).collect(),
                ),
            )]),
        ));
        fields.push(("notes", Node::List("note", steps.iter().map(note).collect())));
    }
    Node::Fields(fields)
}

fn photo(ctx: &Ctx, case: &PublicCase, nth: usize) -> Node {
    let hash = case.photos.get(nth);
    Node::maybe(hash.map(|hash| media::address(&ctx.app, &case.number, hash)))
}

/// Answers chosen from lists, numbers and times; what was typed freely is for those who handle it.
fn given(ctx: &Ctx, category: Option<&domain::policy::Category>, answers: &[(String, Vec<String>)]) -> Node {
    use domain::policy::AttributeKind::{Line, Text};
    let mut all = Vec::new();
    for (code, given) in answers {
        let asked = category.and_then(|c| c.attributes.iter().find(|a| a.code == *code));
        let Some(asked) = asked.filter(|a| !matches!(a.kind, Line | Text)) else {
            continue;
        };
        all.push(Node::Fields(vec![
            ("code", Node::text(code)),
            ("label", Node::text(ctx.lang.pick(&asked.name.zh, &asked.name.en))),
            (
                "values",
                Node::List("value", given.iter().map(|text| Node::text(text.as_str())).collect()),
            ),
        ]));
    }
    Node::List("attribute", all)
}

fn note(step: &PublicChange) -> Node {
    Node::Fields(vec![
        ("datetime", when(step.at)),
        ("type", Node::text(&step.step)),
        ("description", Node::text(&step.text)),
    ])
}

/// A token: the number once somebody accepted the request, until then the token alone. Of a key that answers nothing, nothing ever.
pub async fn token(ctx: Ctx, params: Params, token: String) -> Result<Answer, Fault> {
    let place = Where::named(&ctx, &params)?;
    let asked = token.clone();
    let number = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let request = store::request_of_token(tx, &asked)?.ok_or_else(Fault::not_found)?;
            let partner = store::partner(tx, request.partner)?.ok_or_else(Fault::not_found)?;
            let here = place.area().is_none_or(|(_, top)| {
                let map = territory::current(&ctx.app);
                partner
                    .area
                    .is_none_or(|own| map.is_under(own, top) || map.is_under(top, own))
            });
            if partner.answers == "blackbox" || !here {
                return Err(Fault::not_found());
            }
            let stands = public::stands(tx, request.case)?.ok_or_else(Fault::not_found)?;
            Ok(Some(stands)
                .filter(|(_, state)| *state != StateKey::Received)
                .map(|(number, _)| number))
        })
        .await?;
    shared(&ctx, &params, "tokens", number.iter().cloned().collect()).await?;
    let mut fields = Vec::new();
    if let Some(number) = number {
        fields.push(("service_request_id", Node::text(number)));
    }
    fields.push(("token", Node::text(token)));
    Ok(Answer::new(
        "service_requests",
        Node::List("request", vec![Node::Fields(fields)]),
    ))
}
