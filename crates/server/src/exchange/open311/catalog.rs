//! What there is: discovery, the list of services, one definition. Services are the pack's public kinds that a resident may choose.

use super::params::Params;
use super::tree::{Format, Node};
use super::{Answer, Where, address, keys, store, when};
use crate::platform::*;
use crate::policy::{self, Current};
use crate::territory;
use axum::http::StatusCode;
use domain::geo::LonLat;
use domain::policy::{Attribute, AttributeKind, Category};
use domain::time::Timestamp;
use serde_json::json;
use sha2::Digest;
use std::sync::Arc;

/// Names the standard in discovery.
const SPECIFICATION: &str = "http://wiki.open311.org/GeoReport_v2";

/// The services of the pack in force.
pub fn all(pack: &Current) -> impl Iterator<Item = &Category> {
    pack.pack
        .categories
        .iter()
        .filter(|category| category.leaf && category.public && category.resident)
}

/// The service of a code; 404 for any other.
pub fn service(ctx: &Ctx, code: &str) -> Result<(Arc<Current>, Category), Fault> {
    let pack = policy::current(&ctx.app)?;
    let found = all(&pack).find(|category| category.code == code).cloned();
    let found = found.ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "open311_service_unknown"))?;
    Ok((pack, found))
}

pub async fn discovery(ctx: Ctx) -> Result<Answer, Fault> {
    let app = ctx.app.clone();
    let since = changed_at(&ctx).await?;
    let formats = [Format::Xml, Format::Json].map(|format| Node::text(format.mime()));
    let endpoint = Node::Fields(vec![
        ("specification", Node::text(SPECIFICATION)),
        ("url", Node::text(address(&app, "").trim_end_matches('/'))),
        ("changeset", when(since)),
        (
            "type",
            Node::text(if app.config().demo { "test" } else { "production" }),
        ),
        ("formats", Node::List("format", formats.into())),
    ]);
    let home = app.config().public_url.clone();
    let say = |code: &str| Node::text(i18n::sentence(ctx.lang, code, &[("url", home.clone())]));
    Ok(Answer::new(
        "discovery",
        Node::Fields(vec![
            ("changeset", when(since)),
            ("contact", say("open311_contact")),
            ("key_service", say("open311_key_service")),
            ("endpoints", Node::List("endpoint", vec![endpoint])),
        ]),
    ))
}

/// Since when the list of services is what it is; a list that differs from the one known last is noted now.
async fn changed_at(ctx: &Ctx) -> Result<Timestamp, Fault> {
    let pack = policy::current(&ctx.app)?;
    let own = digest(&pack);
    let known = ctx.app.read(ctx, |_, tx| store::newest_list(tx)).await?;
    match known {
        Some((digest, at)) if digest == own => Ok(at),
        _ => {
            ctx.app
                .write(ctx, move |ctx, tx| {
                    store::list_changed(tx, &own, ctx.now)?;
                    tx.record(
                        ctx,
                        Mark::new("services.changed", Subject::Pack, json!({ "list": own })),
                    )?;
                    Ok(ctx.now)
                })
                .await
        }
    }
}

/// The hash of all that clients learn of services.
fn digest(pack: &Current) -> String {
    let mut hash = sha2::Sha256::new();
    for one in all(pack) {
        let text = format!(
            "{:?}\n",
            (
                &one.code,
                &one.name,
                &one.hint,
                &one.keywords,
                group(pack, one),
                &one.attributes
            )
        );
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

fn group<'p>(pack: &'p Current, one: &Category) -> Option<&'p domain::policy::Name> {
    let parent = one.parent.as_deref().and_then(|code| pack.pack.category(code));
    parent.map(|parent| &parent.name)
}

/// The list; with a position only where one can report at all; with a key, as the key's requests are answered.
pub async fn services(ctx: Ctx, params: Params) -> Result<Answer, Fault> {
    let place = Where::named(&ctx, &params)?;
    let pack = policy::current(&ctx.app)?;
    let elsewhere = match params.position()? {
        Some(at) => !is_here(&ctx, &place, at),
        None => false,
    };
    let key = params.get("api_key").map(str::to_owned);
    let kind = match key {
        Some(key) => ctx
            .app
            .read(&ctx, move |_, tx| keys::known(tx, Some(&key)))
            .await?
            .map_or_else(|| "realtime".to_owned(), |partner| partner.answers),
        None => "realtime".to_owned(),
    };
    let listed = all(&pack).filter(|_| !elsewhere).map(|one| {
        let name = |name: &domain::policy::Name| ctx.lang.pick(&name.zh, &name.en).to_owned();
        let hint = Some(name(&one.hint)).filter(|hint| !hint.is_empty());
        Node::Fields(vec![
            ("service_code", Node::text(&one.code)),
            ("service_name", Node::text(name(&one.name))),
            ("description", Node::text(hint.unwrap_or_else(|| name(&one.name)))),
            ("metadata", Node::Flag(!one.attributes.is_empty())),
            ("type", Node::text(&kind)),
            ("keywords", Node::text(one.keywords.join(","))),
            ("group", Node::maybe(group(&pack, one).map(name))),
        ])
    });
    let listed = listed.collect();
    Ok(Answer::new("services", Node::List("service", listed)))
}

/// Whether a position lies in the part of the place. Without boundaries nobody can tell, and every position may.
pub fn is_here(ctx: &Ctx, place: &Where, (lon, lat): (f64, f64)) -> bool {
    let map = territory::current(&ctx.app);
    if map.bounds().is_none() {
        return true;
    }
    let found = map.locate(LonLat { lon, lat }, territory::nearest_metres(&ctx.app));
    found.is_some_and(|found| place.holds(ctx, found.area))
}

pub fn definition(ctx: &Ctx, params: &Params, code: &str) -> Result<Answer, Fault> {
    Where::named(ctx, params)?;
    let (_, one) = service(ctx, code)?;
    let attributes = one
        .attributes
        .iter()
        .zip(1..)
        .map(|(attribute, order)| told(ctx, attribute, order));
    Ok(Answer::new(
        "service_definition",
        Node::Fields(vec![
            ("service_code", Node::text(&one.code)),
            ("attributes", Node::List("attribute", attributes.collect())),
        ]),
    ))
}

/// The standard's name of a kind of question.
fn datatype(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Shown | AttributeKind::Text => "text",
        AttributeKind::Line => "string",
        AttributeKind::Number => "number",
        AttributeKind::Instant => "datetime",
        AttributeKind::OneOf => "singlevaluelist",
        AttributeKind::AnyOf => "multivaluelist",
    }
}

fn told(ctx: &Ctx, attribute: &Attribute, order: i64) -> Node {
    let name = |name: &domain::policy::Name| Node::text(ctx.lang.pick(&name.zh, &name.en));
    let mut fields = vec![
        ("variable", Node::Flag(attribute.kind != AttributeKind::Shown)),
        ("code", Node::text(&attribute.code)),
        ("datatype", Node::text(datatype(attribute.kind))),
        ("required", Node::Flag(attribute.required)),
        ("datatype_description", name(&attribute.hint)),
        ("order", Node::Whole(order)),
        ("description", name(&attribute.name)),
    ];
    if attribute.kind.is_list() {
        let value = |(key, called): &(String, domain::policy::Name)| {
            Node::Fields(vec![("key", Node::text(key)), ("name", name(called))])
        };
        let values = attribute.values.iter().map(value).collect();
        fields.push(("values", Node::List("value", values)));
    }
    Node::Fields(fields)
}
