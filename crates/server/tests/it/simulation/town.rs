//! The town: areas, units, workers with their stand-ins, accounts. Made in the database and, beside it, as plain lists the model reads.

use super::calendar::Hours;
use super::rules::rights;
use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, PASSWORD, TestApp, WEST};
use db::params;
use serde_json::json;
use server::access::{self, GrantWish, NewAccount};
use server::platform::{AccountId, AreaId, Ctx, Mark, Subject, UnitId, WorkerId};
use uuid::Uuid;

/// An area by its index in [`Town::areas`]; its parent comes before it.
pub struct Area {
    pub id: AreaId,
    pub parent: Option<usize>,
    pub depth: usize,
}

/// A unit with its one post.
pub struct Unit {
    pub id: UnitId,
    pub code: &'static str,
    pub body: &'static str,
    pub area: usize,
    pub duty: &'static str,
    /// Who holds the post, and who stands in.
    pub a: usize,
    pub b: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    pub role: &'static str,
    pub area: usize,
    pub unit: Option<usize>,
}

/// Somebody with an account.
pub struct Actor {
    pub name: String,
    pub account: AccountId,
    pub client: Client,
    pub worker: Option<usize>,
    pub grants: Vec<Grant>,
}

pub struct Town {
    pub hours: Hours,
    pub areas: Vec<Area>,
    pub units: Vec<Unit>,
    pub workers: Vec<WorkerId>,
    /// Worker, from, to (not included).
    pub leaves: Vec<(usize, i64, i64)>,
    pub actors: Vec<Actor>,
    pub personnel: Client,
    pub security: Client,
}

pub const CITY_AREA: usize = 0;
pub const EAST_AREA: usize = 1;
pub const WEST_AREA: usize = 2;

fn new_area(n: u128) -> AreaId {
    AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0a00 + n))
}

/// Index, area, parent, code, name; the first four are the kit's.
const AREAS: [(usize, &str, &str); 6] = [
    (1, "330902001002", "渔港社区"),
    (3, "330902001001002", "第二网格"),
    (5, "330902001002001", "第三网格"),
    (2, "330902002001", "北岙社区"),
    (8, "330902002001001", "第四网格"),
    (8, "330902002001002", "第五网格"),
];

/// Code, body, kind, area, duty of its post, whether it has a stand-in.
const UNITS: [(&str, &str, &str, usize, &str, bool); 20] = [
    ("C01", "centre", "centre", 0, "dispatch", true),
    ("C02", "centre", "centre", 1, "dispatch", true),
    ("C03", "centre", "centre", 2, "dispatch", false),
    ("B01", "housing", "bureau", 0, "handle", true),
    ("B02", "environment", "bureau", 0, "handle", true),
    ("B03", "enforcement", "bureau", 0, "handle", false),
    ("B04", "enforcement", "bureau", 1, "handle", true),
    ("B05", "labour", "bureau", 0, "handle", true),
    ("B06", "emergency", "bureau", 0, "handle", true),
    // Two committees and mediators in the east; the west has none, so that its matters fall to its centre.
    ("M01", "committee", "committee", 3, "handle", true),
    ("M02", "committee", "committee", 5, "handle", false),
    ("M03", "mediation", "committee", 3, "handle", true),
    ("M04", "mediation", "committee", 1, "handle", true),
    ("J01", "justice", "station", 1, "handle", false),
    ("J02", "justice", "station", 2, "handle", false),
    ("G01", "grid", "station", 4, "grid", true),
    ("G02", "grid", "station", 6, "grid", true),
    ("G03", "grid", "station", 7, "grid", false),
    ("G04", "grid", "station", 9, "grid", true),
    ("G05", "grid", "station", 10, "grid", false),
];

impl Town {
    pub async fn build(app: &TestApp) -> Town {
        let mut areas: Vec<Area> = [CITY, EAST, WEST, EAST_COMMUNITY, EAST_GRID]
            .into_iter()
            .zip([None, Some(0), Some(0), Some(1), Some(3)])
            .zip([1, 2, 2, 3, 4])
            .map(|((id, parent), depth)| Area { id, parent, depth })
            .collect();
        for (n, (parent, _, _)) in AREAS.into_iter().enumerate() {
            areas.push(Area {
                id: new_area(n as u128),
                parent: Some(parent),
                depth: areas[parent].depth + 1,
            });
        }
        let mut town = Town {
            hours: Hours::read(),
            areas,
            units: Vec::new(),
            workers: Vec::new(),
            leaves: Vec::new(),
            actors: Vec::new(),
            personnel: app.login_as("personnel", Some(CITY)).await,
            security: app.login_as("security_admin", None).await,
        };
        for (code, body, _, area, duty, stand_in) in UNITS {
            let a = town.workers.len();
            town.workers.push(app.app.new_id());
            let b = stand_in.then_some(town.workers.len());
            town.workers.extend(b.map(|_| app.app.new_id::<WorkerId>()));
            let id = app.app.new_id();
            town.units.push(Unit {
                id,
                code,
                body,
                area,
                duty,
                a,
                b,
            });
        }
        town.store(app).await;
        server::territory::load(&app.app).await.expect("the territory loads");
        town.people(app).await;
        town
    }

    /// Areas, units, workers, posts as rows, as an import would make them.
    async fn store(&self, app: &TestApp) {
        let mut rows: Vec<(&'static str, Vec<db::Value>)> = Vec::new();
        for (n, (_, code, name)) in AREAS.into_iter().enumerate() {
            let area = &self.areas[n + 5];
            let chain = self.chain(n + 5);
            let at = |depth: usize| chain.get(depth).map(|area| self.areas[*area].id);
            let level = ["city", "town", "community", "grid"][area.depth - 1];
            let parent = area.parent.map(|parent| self.areas[parent].id);
            rows.push((
                "insert into area (id, code, name, placeholder, pinyin, initials, level, kind, parent_id, depth, a1, a2, a3, a4, a5,
                 lon, lat, valid_from, valid_to, made_in_version)
                 values ($1, $2, $3, 0, '', '', $4, null, $5, $6, $7, $8, $9, $10, null, 122.2, 29.9, '2026-01-01', null, 1)",
                params![area.id, code, name, level, parent, area.depth as i64, at(0), at(1), at(2), at(3)].to_vec(),
            ));
        }
        for (n, worker) in self.workers.iter().enumerate() {
            rows.push((
                "insert into worker (id, name, pinyin, initials, badge_no, phone, state) values ($1, $2, '', '', $3, '', 'active')",
                params![worker, format!("人员{n}"), format!("{n:03}")].to_vec(),
            ));
        }
        for (unit, (code, body, kind, area, duty, _)) in self.units.iter().zip(UNITS) {
            rows.push((
                "insert into unit (id, code, name, public_name, kind, body, area_id, phone, office, hours, valid_from)
                 values ($1, $2, $2, $2, $3, $4, $5, '', '', '', '2026-01-01')",
                params![unit.id, code, kind, body, self.areas[area].id].to_vec(),
            ));
            let post: UnitId = app.app.new_id();
            let serves = (duty == "grid").then(|| self.areas[area].id);
            rows.push((
                "insert into post (id, unit_id, area_id, name, duty) values ($1, $2, $3, '岗', $4)",
                params![post, unit.id, serves, duty].to_vec(),
            ));
            for (seat, worker) in [("A", Some(unit.a)), ("B", unit.b)] {
                let Some(worker) = worker else { continue };
                rows.push((
                    "insert into appointment (id, post_id, worker_id, seat, valid_from) values ($1, $2, $3, $4, '2026-01-01')",
                    params![app.app.new_id::<UnitId>(), post, self.workers[worker], seat].to_vec(),
                ));
            }
        }
        let ctx = Ctx::system(&app.app, "test");
        let done = app.app.write(&ctx, move |ctx, tx| {
            for (sql, values) in &rows {
                tx.execute(sql, values)?;
            }
            server::workforce::changed(tx);
            tx.record(ctx, Mark::new("test.town", Subject::System, json!({})))
        });
        done.await.expect("the town is made");
    }

    async fn people(&mut self, app: &TestApp) {
        let city = |role| {
            vec![Grant {
                role,
                area: CITY_AREA,
                unit: None,
            }]
        };
        let at = |role, area| vec![Grant { role, area, unit: None }];
        let mut wanted: Vec<(String, Option<usize>, Vec<Grant>)> = vec![
            ("clerk".into(), None, city("clerk")),
            ("east clerk".into(), None, at("clerk", EAST_AREA)),
            ("dispatcher".into(), Some(self.units[0].a), city("dispatcher")),
            (
                "east dispatcher".into(),
                Some(self.units[1].a),
                at("dispatcher", EAST_AREA),
            ),
            (
                "west dispatcher".into(),
                Some(self.units[2].a),
                at("dispatcher", WEST_AREA),
            ),
            ("verifier".into(), None, city("verifier")),
            ("east verifier".into(), None, at("verifier", EAST_AREA)),
            ("supervisor".into(), None, city("supervisor")),
            ("west supervisor".into(), None, at("supervisor", WEST_AREA)),
            // Checks in the east and handles for the environment bureau: never their own work.
            (
                "both".into(),
                Some(self.units[4].a),
                vec![
                    Grant {
                        role: "verifier",
                        area: EAST_AREA,
                        unit: None,
                    },
                    Grant {
                        role: "handler",
                        area: CITY_AREA,
                        unit: Some(4),
                    },
                ],
            ),
        ];
        for (n, unit) in self.units.iter().enumerate() {
            for worker in [Some(unit.a), unit.b].into_iter().flatten() {
                let grants = match unit.duty {
                    "grid" => at("grid_worker", unit.area),
                    // A centre's own work is done by its dispatchers; they handle what falls to it.
                    _ => vec![Grant {
                        role: "handler",
                        area: unit.area,
                        unit: Some(n),
                    }],
                };
                wanted.push((format!("{} {worker}", unit.code), Some(worker), grants));
            }
        }
        for (name, worker, grants) in wanted {
            let account: AccountId = app.app.new_id();
            let new = NewAccount {
                id: account,
                login: format!("s{}", self.actors.len()),
                name: name.clone(),
                worker: worker.map(|worker| self.workers[worker]),
                grants: grants.iter().map(|grant| self.wish(grant)).collect(),
            };
            let login = new.login.clone();
            let hash = access::hash_password(&app.app, PASSWORD.into()).await.expect("a hash");
            let ctx = Ctx::system(&app.app, "test");
            let made = app
                .app
                .write(&ctx, move |ctx, tx| access::add_account(ctx, tx, new, &hash, false));
            made.await.expect("an account");
            let client = app.sign_in(&login, PASSWORD).await;
            self.actors.push(Actor {
                name,
                account,
                client,
                worker,
                grants,
            });
        }
    }

    pub fn wish(&self, grant: &Grant) -> GrantWish {
        GrantWish {
            role: grant.role.into(),
            area: Some(self.areas[grant.area].id),
            unit: grant.unit.map(|unit| self.units[unit].id),
        }
    }

    /// The areas around one and it itself, from the top.
    pub fn chain(&self, area: usize) -> Vec<usize> {
        let mut chain = vec![area];
        while let Some(parent) = self.areas[chain[0]].parent {
            chain.insert(0, parent);
        }
        chain
    }

    /// Whether somebody holds a right for a case in an area that some units have or help with.
    pub fn may(&self, actor: usize, right: &str, area: usize, units: &[usize]) -> bool {
        self.actors[actor].grants.iter().any(|grant| {
            rights(grant.role).contains(&right)
                && match grant.unit {
                    Some(unit) => units.contains(&unit),
                    None => self.chain(area).contains(&grant.area),
                }
        })
    }

    /// The units somebody acts for: those of their grants to handle, and those they have a seat in.
    pub fn units_of(&self, actor: usize) -> Vec<usize> {
        let actor = &self.actors[actor];
        let granted = actor
            .grants
            .iter()
            .filter(|grant| rights(grant.role).contains(&"handle"));
        let mut units: Vec<usize> = granted.filter_map(|grant| grant.unit).collect();
        let seats = self
            .units
            .iter()
            .enumerate()
            .filter(|(_, unit)| actor.worker.is_some() && (actor.worker == Some(unit.a) || actor.worker == unit.b));
        units.extend(seats.map(|(n, _)| n));
        units.sort_unstable();
        units.dedup();
        units
    }

    /// The unit of a body at an area or the nearest one above it.
    fn nearest(&self, body: &str, area: usize) -> Option<usize> {
        let here = |area: &usize| {
            self.units
                .iter()
                .position(|unit| unit.body == body && unit.area == *area)
        };
        self.chain(area).iter().rev().find_map(here)
    }

    /// Who is responsible: the body's nearest unit, else the nearest centre.
    pub fn responsible(&self, body: &str, area: usize) -> usize {
        let unit = self.nearest(body, area).or_else(|| self.nearest("centre", area));
        unit.expect("the city has a centre")
    }

    /// The unit of a body at the area of a depth around one.
    pub fn at_depth(&self, body: &str, depth: usize, area: usize) -> Option<usize> {
        let chain = self.chain(area);
        let area = chain.get(depth - 1)?;
        self.units
            .iter()
            .position(|unit| unit.body == body && unit.area == *area)
    }

    pub fn on_leave(&self, worker: usize, at: i64) -> bool {
        self.leaves
            .iter()
            .any(|(who, from, to)| *who == worker && *from <= at && at < *to)
    }

    /// Who of a unit gets its work now. The grid's own worker is given no case, only called and asked to answer.
    pub fn worker_of(&self, unit: usize, at: i64, urgent: bool) -> Option<usize> {
        match self.units[unit].duty {
            "grid" => None,
            _ => self.on_duty(unit, at, urgent),
        }
    }

    /// Who sits in a unit's post now; what cannot wait goes to the stand-in outside office hours.
    pub fn on_duty(&self, unit: usize, at: i64, urgent: bool) -> Option<usize> {
        let unit = &self.units[unit];
        if !self.on_leave(unit.a, at) && (!urgent || self.hours.is_open(at)) {
            return Some(unit.a);
        }
        unit.b.filter(|worker| !self.on_leave(*worker, at))
    }

    /// The grid team nearest to an area.
    pub fn grid_team(&self, area: usize) -> Option<usize> {
        self.nearest("grid", area)
    }
}
