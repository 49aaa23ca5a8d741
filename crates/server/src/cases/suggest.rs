//! Help while typing: which category, is it known already, whose unit, is it urgent, does it belong elsewhere. Changes nothing.
//!
//! Entry points: [`for_staff`], [`for_residents`] (public fields only).

use super::classify::{self, Assessment};
use super::duplicates::{self, Probe};
use super::place::{self, Rules, Spot};
use super::view::{self, AreaRef, CategorySuggestion, NearbyCase, Ref};
use super::{intake, routing, words};
use crate::platform::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What has been typed so far.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Draft {
    pub body: String,
    pub title: Option<String>,
    pub category_code: Option<String>,
    pub area_id: Option<String>,
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    pub datum: Option<String>,
    pub address: Option<String>,
}

/// A sentence to show.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Hint {
    pub text: String,
}

/// Belongs elsewhere: said before the rest is typed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Elsewhere {
    pub text: String,
    pub where_to_go: String,
    /// It may still be filed here.
    pub may_file: bool,
}

/// Suggestions for staff.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Suggestion {
    pub categories: Vec<CategorySuggestion>,
    pub auto: bool,
    pub duplicates: Vec<NearbyCase>,
    pub area: Option<AreaRef>,
    pub unit: Option<Ref>,
    pub urgent_hint: Option<Hint>,
    pub out_of_scope: Option<Elsewhere>,
}

/// A public matter nearby: no words of residents, no position.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicNearby {
    pub category_name: String,
    pub state_name: String,
    pub received_on: String,
    pub distance_m: Option<f64>,
    pub similarity: f64,
}

/// Suggestions for residents.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PublicSuggestion {
    pub categories: Vec<CategorySuggestion>,
    pub area: Option<AreaRef>,
    pub nearby: Vec<PublicNearby>,
    pub urgent_hint: Option<Hint>,
    pub out_of_scope: Option<Elsewhere>,
}

struct Read {
    rules: Rules,
    title: String,
    spot: Option<Spot>,
    position: Option<(f64, f64)>,
    category: Option<String>,
}

fn read(ctx: &Ctx, tx: &mut Tx, draft: &Draft) -> Result<Read, Fault> {
    let rules = place::rules(ctx)?;
    if draft.body.chars().count() > intake::MAX_BODY {
        return Err(Fault::invalid("body", "text_too_long").with("most", intake::MAX_BODY));
    }
    let position = match draft.lon.zip(draft.lat) {
        Some((lon, lat)) => Some(place::to_wgs84(lon, lat, draft.datum.as_deref())?),
        None => None,
    };
    let spot = match draft.area_id.as_deref().and_then(|id| id.parse().ok()) {
        Some(area) => place::spot_of_area(ctx, area),
        None => place::find_spot(ctx, tx, position, draft.address.as_deref().unwrap_or_default())?,
    };
    let title = draft
        .title
        .clone()
        .filter(|t| !t.trim().is_empty())
        .unwrap_or_else(|| intake::title_from(&draft.body));
    Ok(Read {
        rules,
        title,
        spot,
        position,
        category: draft.category_code.clone(),
    })
}

fn area_ref(spot: &Spot) -> AreaRef {
    AreaRef {
        id: spot.area.to_string(),
        name: spot.name.clone(),
        full_name: spot.full_name.clone(),
    }
}

fn hint(ctx: &Ctx, says: &Assessment) -> Option<Hint> {
    says.urgent.map(|u| Hint {
        text: ctx.lang.pick(&u.text.zh, &u.text.en).to_owned(),
    })
}

fn elsewhere(ctx: &Ctx, says: &Assessment) -> Option<Elsewhere> {
    says.redirect.map(|r| Elsewhere {
        text: ctx.lang.pick(&r.text.zh, &r.text.en).to_owned(),
        where_to_go: ctx.lang.pick(&r.where_to_go.zh, &r.where_to_go.en).to_owned(),
        may_file: r.may_file,
    })
}

/// What is said before anything else to somebody who wrote a message: it sounds dangerous, it belongs elsewhere.
pub fn warn(ctx: &Ctx, tx: &mut Tx, body: &str) -> Result<(Option<Hint>, Option<Elsewhere>), Fault> {
    let rules = place::rules(ctx)?;
    let says = classify::assess(ctx, tx, &rules, &intake::title_from(body), body)?;
    Ok((hint(ctx, &says), elsewhere(ctx, &says)))
}

/// For the phone desk and the field.
pub fn for_staff(ctx: &Ctx, tx: &mut Tx, draft: &Draft) -> Result<Suggestion, Fault> {
    let read = read(ctx, tx, draft)?;
    let says = classify::assess(ctx, tx, &read.rules, &read.title, &draft.body)?;
    let best = read
        .category
        .clone()
        .or_else(|| says.guesses.first().map(|g| g.code.clone()));
    let probe = Probe {
        title: &read.title,
        category: best.as_deref(),
        position: read.position,
        spot: read.spot.as_ref(),
        except: None,
    };
    let found = duplicates::find(ctx, tx, &read.rules, &probe)?;
    let unit = match &read.spot {
        Some(spot) => routing::choose(ctx, tx, best.as_deref().unwrap_or_default(), spot, false)?,
        None => None,
    };
    Ok(Suggestion {
        auto: says.auto,
        duplicates: duplicates::in_scope(ctx, tx, &read.rules, found)?,
        area: read.spot.as_ref().map(area_ref),
        unit: unit.map(|choice| Ref {
            id: UnitId::from(choice.held.unit).to_string(),
            name: choice.unit_name,
        }),
        urgent_hint: hint(ctx, &says),
        out_of_scope: elsewhere(ctx, &says),
        categories: says
            .guesses
            .into_iter()
            .map(|g| view::suggestion(ctx, &read.rules, g))
            .collect(),
    })
}

/// For the portal: of matters nearby only those of public kinds, by category and state.
pub fn for_residents(ctx: &Ctx, tx: &mut Tx, draft: &Draft) -> Result<PublicSuggestion, Fault> {
    let read = read(ctx, tx, draft)?;
    let says = classify::assess(ctx, tx, &read.rules, &read.title, &draft.body)?;
    let best = read
        .category
        .clone()
        .or_else(|| says.guesses.first().map(|g| g.code.clone()));
    let probe = Probe {
        title: &read.title,
        category: best.as_deref(),
        position: read.position,
        spot: read.spot.as_ref(),
        except: None,
    };
    let found = duplicates::find(ctx, tx, &read.rules, &probe)?;
    let nearby = found
        .into_iter()
        .filter(|(row, _, _)| row.public)
        .map(|(row, distance_m, likeness)| PublicNearby {
            category_name: row
                .category_code
                .as_deref()
                .map(|c| words::category(ctx.lang, &read.rules, c))
                .unwrap_or_default(),
            state_name: words::state(ctx.lang, row.state),
            received_on: row.received_at.date().to_string(),
            distance_m,
            similarity: (likeness * 100.0).round() / 100.0,
        });
    Ok(PublicSuggestion {
        area: read.spot.as_ref().map(area_ref),
        nearby: nearby.collect(),
        urgent_hint: hint(ctx, &says),
        out_of_scope: elsewhere(ctx, &says),
        categories: says
            .guesses
            .into_iter()
            .map(|g| view::suggestion(ctx, &read.rules, g))
            .collect(),
    })
}
