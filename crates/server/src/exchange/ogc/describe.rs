//! The pages that say what there is: landing page, conformance, collections, the OpenAPI description.

use super::params::{CRS84, MOST, SYSTEMS};
use super::{BASE, Collection, GEOJSON, JSON, OPENAPI, link};
use crate::platform::*;
use crate::policy;
use crate::territory;
use serde_json::{Value, json};

/// Classes of the standard that hold here.
const CLASSES: [&str; 6] = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
];

fn place_name(ctx: &Ctx) -> String {
    let pack = policy::current(&ctx.app).ok();
    let name = pack.as_ref().map(|pack| &pack.pack.jurisdiction.name);
    name.map(|name| ctx.lang.pick(&name.zh, &name.en).to_owned())
        .unwrap_or_default()
}

fn words(ctx: &Ctx, collection: Collection) -> (&'static str, &'static str) {
    match collection {
        Collection::Areas => (
            ctx.lang.pick("区域", "Areas"),
            ctx.lang
                .pick("区划树上的区域及其边界", "Areas of the territory with their boundaries"),
        ),
        Collection::Facilities => (
            ctx.lang.pick("设施", "Facilities"),
            ctx.lang.pick(
                "本地的设施。凭对接方密钥或工作人员登录，还可看到对其开放的设施",
                "Facilities of the place. A partner's key or a staff session adds those that are for them",
            ),
        ),
        Collection::Cases => (
            ctx.lang.pick("公开事件", "Public cases"),
            ctx.lang.pick(
                "公开类别的事件，新的在前。不是公开渠道来的，位置为所在区域的中心",
                "Cases of public kinds, newest first. What did not come in publicly is shown in the middle of its area",
            ),
        ),
    }
}

/// Where everything begins.
pub fn landing(ctx: &Ctx) -> Value {
    let app = &ctx.app;
    json!({
        "title": format!("{} · OGC API Features", place_name(ctx)),
        "description": ctx.lang.pick("区域、设施与公开事件", "Areas, facilities and public cases"),
        "links": [
            link(app, "self", JSON, "/", "this page"),
            link(app, "service-desc", OPENAPI, "/api", "OpenAPI 3.0"),
            link(app, "conformance", JSON, "/conformance", "conformance"),
            link(app, "http://www.opengis.net/def/rel/ogc/1.0/conformance", JSON, "/conformance", "conformance"),
            link(app, "data", JSON, "/collections", "collections"),
            link(app, "http://www.opengis.net/def/rel/ogc/1.0/data", JSON, "/collections", "collections"),
        ],
    })
}

/// What of the standard holds.
pub fn conformance() -> Value {
    json!({ "conformsTo": CLASSES })
}

/// All collections.
pub fn collections(ctx: &Ctx) -> Value {
    let all: Vec<Value> = Collection::ALL.into_iter().map(|one| collection(ctx, one)).collect();
    json!({ "links": [link(&ctx.app, "self", JSON, "/collections", "collections")], "collections": all, "crs": SYSTEMS })
}

/// One collection.
pub fn collection(ctx: &Ctx, collection: Collection) -> Value {
    let (app, (title, description)) = (&ctx.app, words(ctx, collection));
    let base = format!("/collections/{}", collection.key());
    let mut extent = json!({});
    if let Some(bbox) = territory::current(app).bounds() {
        extent["spatial"] = json!({ "bbox": [bbox], "crs": CRS84 });
    }
    if collection == Collection::Cases {
        extent["temporal"] = json!({ "interval": [[null, null]] });
    }
    json!({
        "id": collection.key(), "title": title, "description": description, "itemType": "feature", "extent": extent,
        "crs": SYSTEMS, "storageCrs": CRS84,
        "links": [
            link(app, "self", JSON, &base, title),
            link(app, "items", GEOJSON, &format!("{base}/items"), title),
        ],
    })
}

fn parameter(name: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "style": "form", "explode": false, "schema": schema })
}

/// The description in OpenAPI 3.0, as the standard wants it.
pub fn openapi(ctx: &Ctx) -> Value {
    let refusal = json!({ "description": "refused", "content": { JSON: { "schema": { "$ref": "#/components/schemas/exception" } } } });
    let answer = |mime: &str, schema: Value| {
        json!({
            "200": { "description": "answer", "content": { mime: { "schema": schema } } },
            "400": refusal, "401": refusal, "404": refusal, "429": refusal, "500": refusal,
        })
    };
    let get = |id: String, parameters: Value, responses: Value| json!({ "get": { "operationId": id, "parameters": parameters, "responses": responses } });
    let any = json!({ "type": "object" });
    let format = || parameter("f", json!({ "type": "string", "enum": ["json", "geojson"] }));
    let system = |name: &str| {
        parameter(
            name,
            json!({ "type": "string", "format": "uri", "enum": SYSTEMS, "default": CRS84 }),
        )
    };
    let mut paths = serde_json::Map::new();
    for (path, id) in [
        ("/", "landing"),
        ("/conformance", "conformance"),
        ("/api", "api"),
        ("/collections", "collections"),
    ] {
        paths.insert(
            path.into(),
            get(id.into(), json!([format()]), answer(JSON, any.clone())),
        );
    }
    for one in Collection::ALL {
        let key = one.key();
        let own = match one {
            Collection::Areas => "level",
            Collection::Facilities => "kind",
            Collection::Cases => "category",
        };
        let text = || json!({ "type": "string" });
        let bbox = json!({ "type": "array", "minItems": 4, "maxItems": 6, "items": { "type": "number" } });
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": 100 });
        let parameters = json!([
            format(),
            parameter("limit", limit),
            parameter("bbox", bbox),
            system("bbox-crs"),
            system("crs"),
            parameter("datetime", text()),
            parameter("after", text()),
            parameter("area", text()),
            parameter(own, text()),
        ]);
        let base = format!("/collections/{key}");
        paths.insert(
            base.clone(),
            get(format!("{key}.describe"), json!([format()]), answer(JSON, any.clone())),
        );
        let list = answer(GEOJSON, json!({ "$ref": "#/components/schemas/features" }));
        paths.insert(format!("{base}/items"), get(format!("{key}.list"), parameters, list));
        let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
        let feature = answer(GEOJSON, json!({ "$ref": "#/components/schemas/feature" }));
        let one = get(format!("{key}.one"), json!([id, format(), system("crs")]), feature);
        paths.insert(format!("{base}/items/{{id}}"), one);
    }
    json!({
        "openapi": "3.0.3",
        "info": { "title": format!("{} · OGC API Features", place_name(ctx)), "version": "1.0" },
        "servers": [{ "url": format!("{}{BASE}", ctx.app.config().public_url.trim_end_matches('/')) }],
        "paths": paths,
        "security": [{}, { "key": [] }],
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": {
                "exception": {
                    "type": "object", "required": ["code"],
                    "properties": { "code": { "type": "string" }, "description": { "type": "string" } },
                },
                "feature": {
                    "type": "object", "required": ["type", "geometry", "properties"],
                    "properties": {
                        "type": { "type": "string", "enum": ["Feature"] }, "id": { "type": "string" },
                        "geometry": { "type": "object", "nullable": true }, "properties": { "type": "object", "nullable": true },
                    },
                },
                "features": {
                    "type": "object", "required": ["type", "features"],
                    "properties": {
                        "type": { "type": "string", "enum": ["FeatureCollection"] },
                        "features": { "type": "array", "items": { "$ref": "#/components/schemas/feature" } },
                        "numberReturned": { "type": "integer" }, "numberMatched": { "type": "integer" },
                        "timeStamp": { "type": "string", "format": "date-time" }, "links": { "type": "array", "items": { "type": "object" } },
                    },
                },
            },
        },
    })
}
