//! Who serves a grid: units, posts with those seated in them, visiting teams, rights of accounts, phones.

use super::{Finding, Item, Moving, Was, id_of, place_of};
use crate::access::moves as rights;
use crate::platform::{AppointmentId, AreaId, Fault, GrantId, PostId, TeamId, Tx, UnitId, WorkerId};
use crate::workforce::moves as work;
use crate::workforce::{NewPost, Post, worker};
use domain::territory::adopt::seat;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub fn units(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "unit")?;
    let rows = work::units_in(tx, &finding.ground.touched(), &finding.day.to_string())?;
    let one = |(unit, area, name): (UnitId, AreaId, String)| {
        Some(Item {
            to: Some(was.goes(finding, &unit.to_string(), area, None)?),
            id: unit.to_string(),
            from: Some(area),
            label: name,
            detail: Value::Null,
        })
    };
    Ok(rows.into_iter().filter_map(one).collect())
}

pub fn move_units(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    for item in items.iter() {
        if let Some(area) = moving.area(item.to) {
            work::move_unit(tx, id_of(item)?, area)?;
        }
    }
    Ok(())
}

/// Posts of grids that end go to a successor; of two that would serve one grid, one is no more. A grid left without gets a vacant post.
/// On the way back each is what it was.
pub fn posts(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let all = work::posts_in(tx, &finding.ground.touched())?;
    if finding.undoing.is_some() {
        return posts_back(finding, tx, &all);
    }
    let ground = finding.ground;
    let is_grid = |post: &&Post| post.duty == work::GRID;
    let leaving: Vec<(PostId, AreaId)> = all
        .iter()
        .filter(is_grid)
        .filter_map(|post| Some((post.id, post.area?)))
        .filter(|(_, area)| ground.ended.contains_key(area))
        .collect();
    let served: BTreeSet<AreaId> = all.iter().filter(is_grid).filter_map(|post| post.area).collect();
    let needy: BTreeSet<u32> = (0u32..)
        .zip(&ground.places)
        .filter(|(_, place)| place.area.is_none_or(|area| !served.contains(&area)))
        .map(|(at, _)| at)
        .collect();
    let heirs: BTreeMap<domain::ids::AreaId, Vec<(u32, i64)>> = ground
        .ended
        .iter()
        .map(|(area, heirs)| ((*area).into(), heirs.iter().map(|(to, n)| (*to as u32, *n)).collect()))
        .collect();
    let leaving: Vec<(PostId, domain::ids::AreaId)> =
        leaving.into_iter().map(|(post, area)| (post, area.into())).collect();
    let seats = seat(&leaving, &heirs, &needy);
    let mut items = Vec::new();
    for post in &all {
        let Some(area) = post.area.filter(|area| ground.ended.contains_key(area)) else {
            continue;
        };
        let to = match seats.get(&post.id) {
            Some(to) => to.map(|at| at as usize),
            None => ground.heir(area),
        };
        items.push(Item {
            id: post.id.to_string(),
            from: Some(area),
            to,
            label: post.name.clone(),
            detail: json!({ "grid": post.duty == work::GRID }),
        });
    }
    let filled: BTreeSet<u32> = seats.values().flatten().copied().collect();
    let units = units_of_grids(finding, tx, &all)?;
    let duty = grid_duty(finding)?;
    for at in needy.difference(&filled) {
        let place = &ground.places[*at as usize];
        let Some(unit) = units.get(&place.community) else {
            continue;
        };
        let id: PostId = finding.ctx.app.new_id();
        items.push(Item {
            id: id.to_string(),
            from: None,
            to: Some(*at as usize),
            label: format!("{}·{duty}", place.name),
            detail: json!({ "grid": true, "made": true, "unit": unit.to_string() }),
        });
    }
    Ok(items)
}

/// What the pack calls the duty of a grid's worker.
fn grid_duty(finding: &Finding<'_>) -> Result<String, Fault> {
    let pack = crate::policy::current(&finding.ctx.app)?;
    Ok(pack
        .pack
        .duty(work::GRID)
        .map(|duty| duty.name.zh.clone())
        .unwrap_or_default())
}

/// Of each community the plan touches, the unit that has its grid posts, else the centre that answers for it; without either it is absent.
pub fn units_of_grids(finding: &Finding<'_>, tx: &mut Tx, all: &[Post]) -> Result<BTreeMap<AreaId, UnitId>, Fault> {
    let mut here: BTreeMap<AreaId, Vec<&Post>> = BTreeMap::new();
    for post in all {
        if let Some(parent) = post.area.and_then(|area| finding.map.area(area)?.parent) {
            here.entry(parent).or_default().push(post);
        }
    }
    let mut units = BTreeMap::new();
    for community in finding.ground.communities.keys() {
        let posts = here.get(community).map(Vec::as_slice).unwrap_or_default();
        let unit = match work::unit_of_grids(posts) {
            Some(unit) => Some(unit),
            None => {
                let chain: Vec<AreaId> = finding.map.chain(*community).into_iter().map(|area| area.id).collect();
                work::centre(tx, &chain, finding.ctx.now)?
            }
        };
        units.extend(unit.map(|unit| (*community, unit)));
    }
    Ok(units)
}

fn posts_back(finding: &Finding<'_>, tx: &mut Tx, all: &[Post]) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "post")?;
    let mut items = Vec::new();
    for item in was.0.values() {
        items.push(Item {
            id: item.id.clone(),
            from: item.to,
            to: item.from.and_then(|area| place_of(finding.ground, area)),
            label: item.label(),
            detail: item.detail.clone(),
        });
    }
    // Posts somebody made for its grids since.
    for post in all.iter().filter(|post| !was.0.contains_key(&post.id.to_string())) {
        let Some(area) = post.area.filter(|area| finding.ground.ended.contains_key(area)) else {
            continue;
        };
        items.push(Item {
            id: post.id.to_string(),
            from: Some(area),
            to: (post.duty != work::GRID).then(|| finding.ground.heir(area)).flatten(),
            label: post.name.clone(),
            detail: Value::Null,
        });
    }
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(items)
}

pub fn move_posts(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    for item in items.iter_mut() {
        let post: PostId = id_of(item)?;
        let made = item.detail["made"] == true;
        match (moving.area(item.to), item.from) {
            (Some(area), _) if made => make(moving, tx, post, area, item)?,
            (Some(area), Some(_)) => work::move_post(tx, post, area)?,
            (Some(area), None) => {
                work::again(tx, post, area)?;
                reseat(tx, &item.detail)?;
            }
            (None, _) => {
                let seats = work::end_post(tx, post, moving.day)?;
                let seats: Vec<(String, Option<String>)> = seats
                    .into_iter()
                    .map(|(seat, to)| (seat.to_string(), to.map(|day| day.to_string())))
                    .collect();
                if let Value::Object(detail) = &mut item.detail {
                    detail.insert("seats".into(), json!(seats));
                }
            }
        }
    }
    Ok(())
}

fn make(moving: &Moving<'_>, tx: &mut Tx, id: PostId, area: AreaId, item: &Item) -> Result<(), Fault> {
    let unit = item.detail["unit"].as_str().and_then(|unit| unit.parse().ok());
    let post = NewPost {
        id,
        unit: unit.ok_or_else(|| Fault::internal("a new post without its unit"))?,
        area: Some(area),
        name: item.label.clone(),
        duty: work::GRID.to_owned(),
        shift: None,
    };
    crate::workforce::add_post(moving.ctx, tx, &post)
}

/// The seats of a post that is there again have the last days they had.
fn reseat(tx: &mut Tx, detail: &Value) -> Result<(), Fault> {
    for seat in detail["seats"].as_array().into_iter().flatten() {
        let Some(id) = seat[0].as_str().and_then(|id| id.parse::<AppointmentId>().ok()) else {
            continue;
        };
        let to: Option<Date> = seat[1].as_str().and_then(|day| day.parse().ok());
        work::reseat(tx, id, to)?;
    }
    Ok(())
}

/// Who sits in the posts that are touched.
pub fn workers(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let mut items: BTreeMap<WorkerId, Item> = BTreeMap::new();
    for post in posts(finding, tx)? {
        for row in work::seats(tx, id_of(&post)?, finding.day)? {
            let id: WorkerId = row.appointment.worker.into();
            let label = worker(tx, id)?.map(|worker| worker.name).unwrap_or_default();
            items.entry(id).or_insert_with(|| Item {
                id: id.to_string(),
                from: post.from,
                to: post.to,
                label,
                detail: json!({ "post": post.id }),
            });
        }
    }
    Ok(items.into_values().collect())
}

/// Teams visit all that has the ground of a grid that ends.
pub fn teams(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "team")?;
    let rows = work::teams_in(tx, &finding.ground.touched(), &finding.day.to_string())?;
    let mut items: BTreeMap<TeamId, Item> = BTreeMap::new();
    for (team, area, name) in rows {
        let areas = work::team_areas(tx, team)?;
        let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
        let old = was.0.get(&team.to_string()).map(|item| &item.detail);
        let whole = old
            .filter(|detail| detail["after"] == json!(areas))
            .map(|detail| detail["before"].clone());
        if whole.is_none() && !finding.ground.ended.contains_key(&area) {
            continue;
        }
        items.entry(team).or_insert_with(|| Item {
            id: team.to_string(),
            from: Some(area),
            to: finding.ground.heir(area).or_else(|| place_of(finding.ground, area)),
            label: name,
            detail: json!({ "before": areas, "whole": whole, "heirs": finding
                .ground
                .ended
                .iter()
                .filter(|(ended, _)| areas.contains(&ended.to_string()))
                .map(|(ended, heirs)| (ended.to_string(), heirs.iter().map(|(to, _)| *to).collect::<Vec<_>>()))
                .collect::<BTreeMap<_, _>>() }),
        });
    }
    Ok(items.into_values().collect())
}

pub fn move_teams(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    for item in items.iter_mut() {
        let team: TeamId = id_of(item)?;
        let ids = |value: &Value| -> Vec<AreaId> {
            let all = value.as_array().into_iter().flatten();
            all.filter_map(|id| id.as_str()?.parse().ok()).collect()
        };
        if item.detail["whole"].is_array() {
            work::set_team_areas(tx, team, &ids(&item.detail["whole"]))?;
        } else {
            for (ended, heirs) in item.detail["heirs"].as_object().into_iter().flatten() {
                let Ok(ended) = ended.parse::<AreaId>() else { continue };
                let heirs = heirs.as_array().into_iter().flatten();
                let to: Vec<AreaId> = heirs
                    .filter_map(|at| moving.area(usize::try_from(at.as_u64()?).ok()))
                    .collect();
                work::replace_team_area(tx, team, ended, &to)?;
            }
        }
        let after: Vec<String> = work::team_areas(tx, team)?.iter().map(ToString::to_string).collect();
        item.detail = json!({ "before": item.detail["before"], "after": after });
    }
    Ok(())
}

/// Rights for just a grid that ends go where the account's own post goes, else to the successor with most of its households.
pub fn accounts(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "account")?;
    let mut items = Vec::new();
    for item in was.0.values() {
        items.push(Item {
            id: item.id.clone(),
            from: item.to,
            to: item.from.and_then(|area| place_of(finding.ground, area)),
            label: item.label(),
            detail: item.detail.clone(),
        });
    }
    let mine: BTreeMap<(String, AreaId), usize> = workers(finding, tx)?
        .into_iter()
        .filter_map(|item| Some(((item.id, item.from?), item.to?)))
        .collect();
    let known: BTreeSet<&str> = was.0.values().filter_map(|item| item.detail["new"].as_str()).collect();
    let ended: Vec<AreaId> = finding.ground.ended.keys().copied().collect();
    for held in rights::grants_in(tx, &ended, finding.ctx.now)? {
        if known.contains(held.id.to_string().as_str()) {
            continue;
        }
        let own = held
            .worker
            .and_then(|worker| mine.get(&(worker.to_string(), held.area)).copied());
        items.push(Item {
            id: held.id.to_string(),
            from: Some(held.area),
            to: own.or_else(|| finding.ground.heir(held.area)),
            label: held.name,
            detail: json!({ "account": held.account.to_string() }),
        });
    }
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(items)
}

pub fn move_accounts(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    let (now, by) = (moving.ctx.now, moving.adoption.to_string());
    for item in items.iter_mut() {
        let grant: GrantId = id_of(item)?;
        if let Some(new) = item.detail["new"].as_str().and_then(|id| id.parse().ok()) {
            rights::restore(tx, grant, new, &by, now)?;
        } else if let Some(area) = moving.area(item.to)
            && let Some(found) = moving.map.area(area)
        {
            let new: GrantId = moving.ctx.app.new_id();
            rights::replace(tx, grant, new, area, &found.chain, &by, now)?;
            if let Value::Object(detail) = &mut item.detail {
                detail.insert("new".into(), json!(new.to_string()));
            }
        }
        let account = item.detail["account"].as_str().and_then(|id| id.parse().ok());
        if let Some(account) = account {
            let app = moving.ctx.app.clone();
            tx.on_commit(move || app.live().drop_account(account));
        }
    }
    Ok(())
}

/// Phones and browsers signed in for those workers.
pub fn devices(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let workers = workers(finding, tx)?;
    let ids: Vec<WorkerId> = workers.iter().filter_map(|item| item.id.parse().ok()).collect();
    let of: BTreeMap<&str, &Item> = workers.iter().map(|item| (item.id.as_str(), item)).collect();
    let one = |(session, worker): (String, WorkerId)| {
        let item = of.get(worker.to_string().as_str())?;
        Some(Item {
            id: session,
            from: item.from,
            to: item.to,
            label: item.label.clone(),
            detail: json!({ "worker": item.id }),
        })
    };
    Ok(rights::sessions_of(tx, &ids, finding.ctx.now)?
        .into_iter()
        .filter_map(one)
        .collect())
}
