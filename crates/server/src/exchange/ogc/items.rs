//! Features: areas with their boundaries, facilities as points, public cases where Open311 shows them.

use super::params::{CRS84, Params, unfit};
use super::{Answer, Caller, Collection, GEOJSON, JSON, keys, link};
use crate::access;
use crate::cases::public::{self, PublicCase, Question};
use crate::platform::*;
use crate::policy;
use crate::territory::facilities::{self, Ask, Audience, Facility, Viewer};
use crate::territory::{self, Area, Map};
use domain::geo::{LonLat, Region};
use domain::time::Timestamp;
use serde_json::{Value, json};

/// What every list of features takes.
const COMMON: [&str; 8] = ["f", "limit", "bbox", "bbox-crs", "datetime", "crs", "after", "area"];

/// A page of features.
struct Found {
    features: Vec<Value>,
    /// How many there are in all, where that costs little.
    matched: Option<u64>,
    /// Where the next page begins.
    next: Option<String>,
}

/// What the parameters ask for.
struct Asked {
    boxes: Vec<[f64; 4]>,
    area: Option<(u8, AreaId)>,
    limit: usize,
    crs: &'static str,
}

/// Features of a collection.
pub async fn list(caller: Caller, collection: Collection, params: Params) -> Result<Answer, Fault> {
    let own: &[&str] = match collection {
        Collection::Areas => &["level"],
        Collection::Facilities => &["kind"],
        Collection::Cases => &["category"],
    };
    let params = params.only(&[&COMMON, own].concat())?;
    let map = territory::current(&caller.ctx.app);
    let area = match params.get("area") {
        Some(code) => Some(map.by_code(code).ok_or_else(|| unfit("area"))?),
        None => None,
    };
    let asked = Asked {
        boxes: params.boxes()?,
        area: area.map(|area| (area.depth, area.id)),
        limit: params.limit()? as usize,
        crs: params.crs("crs")?,
    };
    let span = params.datetime()?;
    let found = match collection {
        Collection::Areas => areas(&map, &params, &asked),
        Collection::Facilities => facilities(&caller, &params, &asked).await?,
        Collection::Cases => cases(&caller, &params, &asked, span).await?,
    };
    let (app, base) = (&caller.ctx.app, format!("/collections/{}", collection.key()));
    let itself = match params.query() {
        query if query.is_empty() => format!("{base}/items"),
        query => format!("{base}/items?{query}"),
    };
    let mut links = vec![
        link(app, "self", GEOJSON, &itself, "this page"),
        link(app, "collection", JSON, &base, "the collection"),
    ];
    if let Some(next) = &found.next {
        let next = format!("{base}/items?{}", params.after(next));
        links.push(link(app, "next", GEOJSON, &next, "next page"));
    }
    let mut body = json!({
        "type": "FeatureCollection", "links": links, "timeStamp": caller.ctx.now.to_string(),
        "numberReturned": found.features.len(), "features": found.features,
    });
    if let Some(matched) = found.matched {
        body["numberMatched"] = json!(matched);
    }
    Ok(Answer {
        body,
        mime: GEOJSON,
        crs: Some(asked.crs),
    })
}

/// One feature; what the caller may not see is absent.
pub async fn one(caller: Caller, collection: Collection, params: Params, id: String) -> Result<Answer, Fault> {
    let params = params.only(&["f", "crs"])?;
    let crs = params.crs("crs")?;
    let map = territory::current(&caller.ctx.app);
    let found = match collection {
        Collection::Areas => map.by_code(&id).map(|area| of_area(&map, area, crs)),
        Collection::Facilities => match id.parse::<FacilityId>() {
            Ok(id) => {
                let viewer = caller.viewer.clone();
                let read = caller
                    .ctx
                    .app
                    .read(&caller.ctx, move |_, tx| facilities::one(tx, &viewer, id));
                let found: Vec<Facility> = read.await?.into_iter().collect();
                note_facilities(&caller, &found).await?;
                found.first().map(|one| of_facility(&map, one, crs))
            }
            Err(_) => None,
        },
        Collection::Cases => {
            let question = Question {
                numbers: Some(vec![id.clone()]),
                limit: 1,
                ..Question::default()
            };
            let found = look(&caller, question).await?;
            found
                .first()
                .map(|case| of_case(&caller.ctx, &map, case, crs))
                .transpose()?
        }
    };
    let mut feature = found.ok_or_else(Fault::not_found)?;
    let (app, base) = (&caller.ctx.app, format!("/collections/{}", collection.key()));
    let own: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    feature["links"] = json!([
        link(app, "self", GEOJSON, &format!("{base}/items/{own}"), "this feature"),
        link(app, "collection", JSON, &base, "the collection"),
    ]);
    Ok(Answer {
        body: feature,
        mime: GEOJSON,
        crs: Some(crs),
    })
}

fn areas(map: &Map, params: &Params, asked: &Asked) -> Found {
    let level = params.get("level");
    let fits = |area: &&Area| {
        level.is_none_or(|level| area.level == level)
            && asked.area.is_none_or(|(_, top)| map.is_under(area.id, top))
            && (asked.boxes.is_empty()
                || map
                    .region(area.id)
                    .is_some_and(|region| asked.boxes.iter().any(|bbox| region.meets(*bbox))))
    };
    let all: Vec<&Area> = map.areas().iter().filter(fits).collect();
    let after = params.get("after").unwrap_or_default();
    let mut page: Vec<&&Area> = all.iter().filter(|area| area.code.as_str() > after).collect();
    let more = page.len() > asked.limit;
    page.truncate(asked.limit);
    Found {
        matched: Some(all.len() as u64),
        next: page.last().filter(|_| more).map(|last| last.code.clone()),
        features: page.into_iter().map(|area| of_area(map, area, asked.crs)).collect(),
    }
}

fn of_area(map: &Map, area: &Area, crs: &str) -> Value {
    let parent = area.parent.and_then(|parent| map.area(parent));
    json!({
        "type": "Feature", "id": area.code,
        "properties": {
            "code": area.code, "name": area.name, "full_name": map.full_name(area.id), "level": area.level, "depth": area.depth,
            "parent": parent.map(|parent| parent.code.clone()), "kind": area.kind,
        },
        "geometry": map.region(area.id).map(|region| outline(region, crs)),
    })
}

async fn facilities(caller: &Caller, params: &Params, asked: &Asked) -> Result<Found, Fault> {
    let after = params.get("after").map(|id| id.parse().map_err(|_| unfit("after")));
    let ask = Ask {
        boxes: asked.boxes.clone(),
        kind: params.text("kind"),
        area: asked.area,
        after: after.transpose()?,
        limit: asked.limit as u32,
        ..Ask::default()
    };
    let viewer = caller.viewer.clone();
    let (mut rows, matched) = caller
        .ctx
        .app
        .read(&caller.ctx, move |_, tx| {
            Ok((
                facilities::page(tx, &viewer, &ask)?,
                facilities::count(tx, &viewer, &ask)?,
            ))
        })
        .await?;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    note_facilities(caller, &rows).await?;
    let map = territory::current(&caller.ctx.app);
    Ok(Found {
        matched: u64::try_from(matched).ok(),
        next: rows.last().filter(|_| more).map(|last| last.id.to_string()),
        features: rows.iter().map(|one| of_facility(&map, one, asked.crs)).collect(),
    })
}

fn of_facility(map: &Map, one: &Facility, crs: &str) -> Value {
    json!({
        "type": "Feature", "id": one.id,
        "properties": {
            "code": one.code, "name": one.name, "kind": one.kind, "area": map.ever(one.area).map(|area| area.code.clone()),
            "area_name": map.full_name(one.area), "address": one.address, "hours": one.hours, "phone": one.phone,
            "audience": one.audience.key(),
        },
        "geometry": point(Some(one.at), crs),
    })
}

/// Writes down what left the house that not everybody may see: with a key in its log, by staff in the log of reads.
async fn note_facilities(caller: &Caller, rows: &[Facility]) -> Result<(), Fault> {
    let closed = rows.iter().filter(|one| one.audience != Audience::Public);
    let codes: Vec<String> = closed.map(|one| one.code.clone()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    let (partner, staff) = (caller.partner, matches!(caller.viewer, Viewer::Staff(_)));
    let write = caller.ctx.app.write(&caller.ctx, move |ctx, tx| match partner {
        Some(partner) => keys::note_use(ctx, tx, partner, "facilities_out", "done", &codes),
        None if staff => access::log_read(ctx, tx, Subject::List, &["facility"]),
        None => Ok(()),
    });
    write.await
}

async fn cases(
    caller: &Caller,
    params: &Params,
    asked: &Asked,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<Found, Fault> {
    let question = Question {
        area: asked.area,
        categories: params.text("category").map(|code| vec![code]),
        received: span,
        shown_in: asked.boxes.clone(),
        after: params.text("after"),
        limit: asked.limit as i64 + 1,
        ..Question::default()
    };
    let mut rows = look(caller, question).await?;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let map = territory::current(&caller.ctx.app);
    let features: Result<Vec<Value>, Fault> = rows
        .iter()
        .map(|case| of_case(&caller.ctx, &map, case, asked.crs))
        .collect();
    Ok(Found {
        features: features?,
        matched: None,
        next: rows.last().filter(|_| more).map(|last| last.number.clone()),
    })
}

/// Public cases; those a key asked for are written down in its log.
async fn look(caller: &Caller, question: Question) -> Result<Vec<PublicCase>, Fault> {
    let (ctx, app) = (&caller.ctx, &caller.ctx.app);
    let found = app.read(ctx, move |ctx, tx| public::list(ctx, tx, &question)).await?;
    if let Some(partner) = caller.partner {
        let numbers: Vec<String> = found.iter().map(|case| case.number.clone()).collect();
        app.write(ctx, move |ctx, tx| {
            keys::note_use(ctx, tx, partner, "requests_out", "done", &numbers)
        })
        .await?;
    }
    Ok(found)
}

fn of_case(ctx: &Ctx, map: &Map, case: &PublicCase, crs: &str) -> Result<Value, Fault> {
    let pack = policy::current(&ctx.app)?;
    let category = pack.pack.category(&case.category);
    let area = case.area.and_then(|area| map.ever(area));
    // Of a matter that did not come in publicly, the middle of its area stands for the place.
    let own = case.at.map(|(lon, lat)| LonLat { lon, lat });
    let at = own.or_else(|| area.and_then(|area| area.center));
    Ok(json!({
        "type": "Feature", "id": case.number,
        "properties": {
            "number": case.number, "category": case.category,
            "category_name": category.map(|c| ctx.lang.pick(&c.name.zh, &c.name.en)),
            "state": case.state.key(), "received_at": case.received_at.to_string(), "updated_at": case.updated_at.to_string(),
            "due_at": case.due_at.map(|at| at.to_string()), "unit": case.unit, "area": area.map(|area| area.code.clone()),
            "area_name": area.map(|area| map.full_name(area.id)), "address": case.address, "description": case.body,
            "answer": case.answer, "position": if own.is_some() { "own" } else { "area" },
        },
        "geometry": point(at, crs),
    }))
}

/// Seven decimals are a centimetre.
fn pair(at: LonLat, crs: &str) -> Value {
    let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
    let (lon, lat) = (round(at.lon), round(at.lat));
    if crs == CRS84 {
        json!([lon, lat])
    } else {
        json!([lat, lon])
    }
}

fn point(at: Option<LonLat>, crs: &str) -> Value {
    at.map_or(
        Value::Null,
        |at| json!({ "type": "Point", "coordinates": pair(at, crs) }),
    )
}

fn outline(region: &Region, crs: &str) -> Value {
    let ring = |ring: &Vec<LonLat>| ring.iter().map(|at| pair(*at, crs)).collect::<Vec<_>>();
    let polygon = |rings: &Vec<Vec<LonLat>>| rings.iter().map(ring).collect::<Vec<_>>();
    let polygons: Vec<_> = region.polygons.iter().map(polygon).collect();
    json!({ "type": "MultiPolygon", "coordinates": polygons })
}
