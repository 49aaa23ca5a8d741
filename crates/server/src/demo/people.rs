//! Units, posts, workers with stand-ins, and an account for each role to try.

use super::lot::Lot;
use super::words;
use crate::access::{self, GrantWish, NewAccount};
use crate::platform::{AccountId, Actor, App, AreaId, Ctx, Fault, Tx, UnitId, WorkerId};
use crate::policy;
use crate::territory::{self, Map};
use crate::workforce::{self, LeaveRow, NewAppointment, NewPost, NewUnit, NewWorker, Seat};
use domain::policy::{Body, Pack, UnitKind};
use domain::time::{DAY_MS, Timestamp};

/// An account to try: role, login, what it is for, and where it works.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoAccount {
    pub login: &'static str,
    pub role: &'static str,
    pub title: &'static str,
}

/// One account for each role; two grid workers, so that the stand-in can be tried.
pub const ROLES: [DemoAccount; 17] = [
    DemoAccount {
        login: "dispatcher",
        role: "dispatcher",
        title: "调度员（市网格中心）",
    },
    DemoAccount {
        login: "clerk",
        role: "clerk",
        title: "受理员（市网格中心，电话与窗口）",
    },
    DemoAccount {
        login: "handler",
        role: "handler",
        title: "经办人（街道综合行政执法）",
    },
    DemoAccount {
        login: "housing",
        role: "handler",
        title: "经办人（住房和城乡建设局）",
    },
    DemoAccount {
        login: "mediator",
        role: "handler",
        title: "人民调解员（海晏社区）",
    },
    DemoAccount {
        login: "mediator2",
        role: "handler",
        title: "人民调解员（望海门街道）",
    },
    DemoAccount {
        login: "grid",
        role: "grid_worker",
        title: "网格员（海晏第一网格，A 岗）",
    },
    DemoAccount {
        login: "team",
        role: "team_member",
        title: "走访队员（住房和城乡建设局走访队）",
    },
    DemoAccount {
        login: "standin",
        role: "grid_worker",
        title: "网格员（海晏第二网格，海晏第一网格 B 岗）",
    },
    DemoAccount {
        login: "verifier",
        role: "verifier",
        title: "核查员（市网格中心）",
    },
    DemoAccount {
        login: "supervisor",
        role: "supervisor",
        title: "督办领导（全市）",
    },
    DemoAccount {
        login: "liaison",
        role: "liaison",
        title: "联络员（海晏社区）",
    },
    DemoAccount {
        login: "planner",
        role: "planner",
        title: "规划员（全市）",
    },
    DemoAccount {
        login: "personnel",
        role: "personnel",
        title: "人事员（全市）",
    },
    DemoAccount {
        login: "system",
        role: "system_admin",
        title: "系统管理员",
    },
    DemoAccount {
        login: "security",
        role: "security_admin",
        title: "安全管理员",
    },
    DemoAccount {
        login: "audit",
        role: "audit_admin",
        title: "审计管理员",
    },
];

/// Name of the pack's shift for grid workers; without it they have working hours.
const GRID_SHIFT: &str = "网格";

/// Days since the units were set up and their people appointed.
const FOUNDED_DAYS: i64 = 200;

/// Makes everything: units of every body at every level it has, posts, workers.
pub async fn make(ctx: &Ctx, seed: u64) -> Result<(), Fault> {
    let current = policy::current(&ctx.app)?;
    let map = territory::current(&ctx.app);
    // Nobody knows this password: these accounts only say who did what.
    let unknown = hex::encode(ctx.app.chance().bytes::<24>());
    let hash = access::hash_password(&ctx.app, unknown).await?;
    ctx.app
        .write(ctx, move |ctx, tx| {
            let mut made = Made { seed, badges: 0, hash };
            // The place is older than the cases of the last weeks.
            let founding = Ctx {
                now: ctx.now.plus_ms(-FOUNDED_DAYS * DAY_MS),
                ..ctx.clone()
            };
            for body in &current.pack.bodies {
                for level in &body.levels {
                    for area in map.areas().iter().filter(|area| area.level == *level) {
                        made.unit(&founding, tx, &current.pack, &map, body, area.id)?;
                    }
                }
            }
            grid_seats(&founding, tx, &map)?;
            super::teams::make(&founding, tx, &map)?;
            absences(ctx, tx, &map)
        })
        .await
}

struct Made {
    seed: u64,
    badges: usize,
    hash: String,
}

/// Code of the unit of a body in an area.
pub fn unit_code(body: &str, area_code: &str) -> String {
    format!("{body}-{area_code}")
}

impl Made {
    fn unit(&mut self, ctx: &Ctx, tx: &mut Tx, pack: &Pack, map: &Map, body: &Body, area: AreaId) -> Result<(), Fault> {
        let Some(area) = map.area(area) else { return Ok(()) };
        let code = unit_code(&body.key, &area.code);
        let mut lot = Lot::of(self.seed, &code);
        let name = format!("{}{}", area.name, unit_word(pack, body, &area.level));
        let office = words::house(&mut lot);
        let unit = NewUnit {
            id: ctx.app.new_id(),
            public_name: name.clone(),
            name,
            code,
            kind: body.kind.key().to_owned(),
            body: body.key.clone(),
            area: area.id,
            parent: None,
            phone: format!("0999-{:07}", 2_000_000 + lot.below(7_999_999)),
            office: format!("{}{office}", map.full_name(area.parent.unwrap_or(area.id))),
            hours: "周一至周五 8:30—17:30，周六上午值班".to_owned(),
        };
        workforce::add_unit(ctx, tx, &unit)?;
        let grid = body.posts.iter().all(|post| post.duty == "grid");
        let role = if grid { "grid_worker" } else { "handler" };
        // One person a post, so that whoever verifies did not dispatch; each stands in for the next.
        let people = if grid { 1 } else { body.posts.len().max(2) };
        let mut staff = Vec::new();
        for _ in 0..people {
            staff.extend(self.worker(ctx, tx, &mut lot, role, &unit)?);
        }
        for (at, post) in body.posts.iter().enumerate() {
            let new = NewPost {
                id: ctx.app.new_id(),
                unit: unit.id,
                area: grid.then_some(area.id),
                name: post.name.zh.clone(),
                duty: post.duty.clone(),
                shift: (grid && pack.calendar.shifts.iter().any(|one| one.name == GRID_SHIFT))
                    .then(|| GRID_SHIFT.to_owned()),
            };
            workforce::add_post(ctx, tx, &new)?;
            let seats = [Seat::A, Seat::B].into_iter().take(staff.len());
            for (nth, seat) in seats.enumerate() {
                appoint(ctx, tx, new.id, staff[(at + nth) % staff.len()], seat)?;
            }
        }
        Ok(())
    }

    fn worker(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        lot: &mut Lot,
        role: &str,
        unit: &NewUnit,
    ) -> Result<Option<WorkerId>, Fault> {
        self.badges += 1;
        let worker = NewWorker {
            id: ctx.app.new_id(),
            name: words::person(lot),
            badge_no: format!("WH{:05}", self.badges),
            phone: String::new(),
        };
        workforce::add_worker(ctx, tx, &worker)?;
        let account = NewAccount {
            id: ctx.app.new_id(),
            login: worker.badge_no.to_lowercase(),
            name: worker.name,
            worker: Some(worker.id),
            grants: vec![GrantWish {
                role: role.to_owned(),
                area: Some(unit.area),
                unit: Some(unit.id),
            }],
        };
        access::add_account(ctx, tx, account, &self.hash, true)?;
        Ok(Some(worker.id))
    }
}

/// What the unit is called after its area's name.
fn unit_word(pack: &Pack, body: &Body, level: &str) -> String {
    let top = pack.levels.first().is_some_and(|first| first.key == level);
    match (body.kind, body.key.as_str()) {
        (UnitKind::Bureau, _) if !top => format!("{}工作站", body.name.zh.trim_end_matches("局")),
        (UnitKind::Committee, "committee") => "居（村）民委员会".to_owned(),
        _ => body.name.zh.clone(),
    }
}

fn appoint(ctx: &Ctx, tx: &mut Tx, post: crate::platform::PostId, worker: WorkerId, seat: Seat) -> Result<(), Fault> {
    workforce::add_appointment(
        ctx,
        tx,
        &NewAppointment {
            id: ctx.app.new_id(),
            post,
            worker,
            seat,
            from: ctx.now.date(),
            to: None,
        },
    )
}

/// A worker of the demo as whoever acts, for a unit; none without an account.
pub fn acting(tx: &mut Tx, worker: WorkerId, unit: Option<UnitId>) -> Result<Option<Actor>, Fault> {
    let Some(id) = access::account_of_worker(tx, worker)? else {
        return Ok(None);
    };
    Ok(Some(Actor::Account {
        id,
        worker: Some(worker),
        unit,
        name: workforce::worker(tx, worker)?.map(|one| one.name).unwrap_or_default(),
    }))
}

/// Each grid's stand-in is the worker of the next grid of the same community.
fn grid_seats(ctx: &Ctx, tx: &mut Tx, map: &Map) -> Result<(), Fault> {
    let at = ctx.now;
    for community in map.areas().iter().filter(|area| area.depth + 1 == deepest(map)) {
        let mut seats = Vec::new();
        for grid in map.children(Some(community.id)) {
            if let Some(found) = workforce::grid_worker_of(&ctx.app, tx, grid.id, workforce::Ask::Own, at)? {
                seats.push((found.post, found.holder));
            }
        }
        for (which, (post, _)) in seats.iter().enumerate() {
            if let Some(next) = seats[(which + 1) % seats.len()].1 {
                appoint(ctx, tx, *post, next, Seat::B)?;
            }
        }
    }
    Ok(())
}

fn deepest(map: &Map) -> u8 {
    map.areas().iter().map(|area| area.depth).max().unwrap_or_default()
}

/// One grid worker is on leave, so that a stand-in is at work; in another grid both are, so that a gap shows.
fn absences(ctx: &Ctx, tx: &mut Tx, map: &Map) -> Result<(), Fault> {
    let grids: Vec<AreaId> = map
        .areas()
        .iter()
        .filter(|area| area.depth == deepest(map))
        .map(|area| area.id)
        .collect();
    let leave = |days: i64, worker: WorkerId, reason: &str| LeaveRow {
        id: ctx.app.new_id(),
        worker,
        from: Timestamp(ctx.now.0 - DAY_MS),
        to: Timestamp(ctx.now.0 + days * DAY_MS),
        reason: reason.to_owned(),
    };
    for (which, both) in [(10, false), (40, true)] {
        let Some(grid) = grids.get(which) else { continue };
        let Some(found) = workforce::grid_worker_of(&ctx.app, tx, *grid, workforce::Ask::Own, ctx.now)? else {
            continue;
        };
        if let Some(worker) = found.holder {
            workforce::add_leave(ctx, tx, &leave(5, worker, "年休假"))?;
        }
        if let Some(worker) = found.stand_in.filter(|_| both) {
            workforce::add_leave(ctx, tx, &leave(2, worker, "培训"))?;
        }
    }
    Ok(())
}

/// Gives every account to try this password, making those that are not there yet.
pub async fn set_passwords(app: &App, password: &str) -> Result<(), Fault> {
    let hash = access::hash_password(app, password.to_owned()).await?;
    let ctx = Ctx::system(app, "demo");
    app.write(&ctx, move |ctx, tx| {
        let map = territory::current(&ctx.app);
        for account in &ROLES {
            let (area, unit, worker) = station(ctx, tx, &map, account)?;
            let new = NewAccount {
                id: AccountId(uuid::Uuid::from_u128(account_number(account.login))),
                login: account.login.to_owned(),
                name: match worker {
                    Some(id) => {
                        workforce::worker(tx, id)?.map_or_else(|| account.title.to_owned(), |worker| worker.name)
                    }
                    None => account.title.split('（').next().unwrap_or(account.title).to_owned(),
                },
                worker,
                grants: vec![GrantWish {
                    role: account.role.to_owned(),
                    area,
                    unit,
                }],
            };
            let id = new.id;
            let (_, made) = access::add_account(ctx, tx, new, &hash, false)?;
            if !made {
                access::set_password_hash(ctx, tx, id, &hash)?;
            }
        }
        Ok(())
    })
    .await
}

/// A demo account keeps its id over runs.
fn account_number(login: &str) -> u128 {
    let version_and_variant = 0x0190_0000_0000_7000_8000_0000_0000_0000;
    version_and_variant | u128::from(Lot::of(0, login).number() >> 16)
}

/// Where an account works: the area of its grant, the unit if the grant is for one, the worker behind it.
type Station = (Option<AreaId>, Option<UnitId>, Option<WorkerId>);

fn station(ctx: &Ctx, tx: &mut Tx, map: &Map, account: &DemoAccount) -> Result<Station, Fault> {
    let first_under = |parent: Option<AreaId>| map.children(parent).next().map(|area| area.id);
    let city = first_under(None);
    let town = first_under(city);
    let community = first_under(town);
    let grid = first_under(community);
    let unit_in = |tx: &mut Tx, body: &str, area: Option<AreaId>| -> Result<Option<UnitId>, Fault> {
        let Some(area) = area.and_then(|id| map.area(id)) else {
            return Ok(None);
        };
        Ok(workforce::unit_by_code(tx, &unit_code(body, &area.code))?.map(|unit| unit.id))
    };
    let holder = |tx: &mut Tx, unit: Option<UnitId>, duty: &str| -> Result<Option<WorkerId>, Fault> {
        let Some(unit) = unit else { return Ok(None) };
        let found = workforce::responsible(&ctx.app, tx, unit, duty, None, workforce::Ask::Own, ctx.now)?;
        Ok(found.and_then(|found| found.worker))
    };
    Ok(match account.login {
        "handler" => {
            let unit = unit_in(tx, "enforcement", town)?;
            (town, unit, holder(tx, unit, "handle")?)
        }
        "housing" => {
            let unit = unit_in(tx, "housing", city)?;
            (city, unit, holder(tx, unit, "handle")?)
        }
        "mediator" => {
            let unit = unit_in(tx, "mediation", community)?;
            (community, unit, holder(tx, unit, "handle")?)
        }
        "mediator2" => {
            let unit = unit_in(tx, "mediation", town)?;
            (town, unit, holder(tx, unit, "handle")?)
        }
        "grid" | "standin" => {
            let own = match account.login {
                "grid" => grid,
                _ => map.children(community).nth(1).map(|area| area.id),
            };
            let found = match own {
                Some(area) => workforce::grid_worker_of(&ctx.app, tx, area, workforce::Ask::Own, ctx.now)?,
                None => None,
            };
            // A stand-in works in every grid of the community.
            let reach = if account.login == "grid" { own } else { community };
            (reach, None, found.and_then(|found| found.holder))
        }
        "team" => {
            let sent = super::teams::all(ctx, tx)?;
            let own = sent
                .iter()
                .find(|one| grid.is_some_and(|grid| one.team.areas.contains(&grid)));
            (grid, None, own.map(|one| one.member))
        }
        "clerk" => {
            let centre = unit_in(tx, "centre", city)?;
            (city, None, holder(tx, centre, "intake")?)
        }
        "dispatcher" | "verifier" => {
            let centre = unit_in(tx, "centre", city)?;
            let duty = if account.login == "dispatcher" {
                "dispatch"
            } else {
                "verify"
            };
            (city, None, holder(tx, centre, duty)?)
        }
        "liaison" => {
            let committee = unit_in(tx, "committee", community)?;
            (community, None, holder(tx, committee, "liaison")?)
        }
        "system" | "security" | "audit" => (None, None, None),
        _ => (city, None, None),
    })
}
