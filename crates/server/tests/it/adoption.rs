//! A plan comes into force on a day and is taken back: what follows, what stands in the way, and that nothing is lost or double.

use crate::cases::{new_id, people};
use crate::kit::{CITY, Client, EAST, EAST_COMMUNITY, EAST_GRID, TestApp, each_backend};
use crate::registry;
use db::params;
use serde_json::{Value, json};
use server::platform::jobs;
use server::platform::{AreaId, Ctx, DwellingId, Mark, PlanId, Subject};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The second grid of the community.
pub const SECOND: AreaId = AreaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00e4));
/// Dwellings stand in columns and rows, this far apart in degrees, the first in the south-west at [`ORIGIN`].
pub const COLUMNS: usize = 12;
pub const ROWS: usize = 8;
const STEP: f64 = 0.0005;
const ORIGIN: (f64, f64) = (122.2, 29.9);
/// Households of each dwelling.
const HOUSEHOLDS: i64 = 5;

/// Where a dwelling stands.
pub fn at(column: usize, row: usize) -> (f64, f64) {
    (
        ORIGIN.0 + STEP * (column as f64 + 0.5),
        ORIGIN.1 + STEP * (row as f64 + 0.5),
    )
}

/// The ground of some dwellings, one square each.
pub fn ground(of: &[(usize, usize)]) -> Value {
    let corner = |column: usize, row: usize| [ORIGIN.0 + STEP * column as f64, ORIGIN.1 + STEP * row as f64];
    let square = |&(c, r): &(usize, usize)| {
        json!([[
            corner(c, r),
            corner(c + 1, r),
            corner(c + 1, r + 1),
            corner(c, r + 1),
            corner(c, r)
        ]])
    };
    json!({ "type": "MultiPolygon", "coordinates": of.iter().map(square).collect::<Vec<_>>() })
}

/// The ground of one dwelling.
fn cell(one: (usize, usize)) -> String {
    let square = ground(&[one])["coordinates"][0].clone();
    json!({ "type": "Polygon", "coordinates": square }).to_string()
}

/// Who is next to whom: across and up.
pub async fn link(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .write(&ctx, |ctx, tx| {
            for (c, r) in all() {
                for next in [(c + 1, r), (c, r + 1)].into_iter().filter(|(c, r)| *c < COLUMNS && *r < ROWS) {
                    tx.execute(
                        "insert into dwelling_link (community_id, u, v, shared_m, weight, barrier, made_by) values ($1, $2, $3, 50, 1, 0, 'ground')",
                        &params![EAST_COMMUNITY, dwelling_id((c, r)), dwelling_id(next)],
                    )?;
                }
            }
            tx.record(ctx, Mark::new("dwelling.linked", Subject::Territory, json!({})))
        })
        .await
        .expect("the links");
}

/// All dwellings.
pub fn all() -> Vec<(usize, usize)> {
    (0..COLUMNS).flat_map(|c| (0..ROWS).map(move |r| (c, r))).collect()
}

pub fn dwelling_id((column, row): (usize, usize)) -> DwellingId {
    DwellingId(Uuid::from_u128(
        0x0190_0000_0000_7000_9000_0000_0000_0000 + (column * 100 + row) as u128,
    ))
}

/// The community of the tests with its dwellings and two grids: west and east half.
pub async fn furnish(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .write(&ctx, |ctx, tx| {
            tx.execute(
                "insert into area (id, code, name, placeholder, pinyin, initials, level, kind, parent_id, depth, a1, a2, a3, a4, a5, lon, lat, \
                 valid_from, valid_to, made_in_version) values ($1, '330902001001002', '第二网格', 0, '', '', 'grid', null, $2, 4, $3, $4, $2, $1, \
                 null, null, null, '2026-01-01', null, 1)",
                &params![SECOND, EAST_COMMUNITY, CITY, EAST],
            )?;
            for (area, from, to) in [(EAST_COMMUNITY, 0, COLUMNS), (EAST_GRID, 0, 6), (SECOND, 6, COLUMNS)] {
                let of: Vec<(usize, usize)> = all().into_iter().filter(|(c, _)| (from..to).contains(c)).collect();
                tx.execute(
                    "insert into area_boundary (area_id, geojson, min_lon, min_lat, max_lon, max_lat) values ($1, $2, 122.2, 29.9, 122.3, 30.0)",
                    &params![area, ground(&of).to_string()],
                )?;
            }
            for one in all() {
                let (lon, lat) = at(one.0, one.1);
                let area = if one.0 < 6 { EAST_GRID } else { SECOND };
                tx.execute(
                    "insert into dwelling (id, code, name, area_id, community_id, lon, lat, land_area, floor_area, households, people, \
                     enterprises, households_source, valid_from, cell) values ($1, $2, $3, $4, $5, $6, $7, 2500, 1, $8, 10, 0, 'given', '2026-01-01', $9)",
                    &params![
                        dwelling_id(one), format!("D{:02}{:02}", one.0, one.1), format!("{}列{}号", one.0, one.1), area, EAST_COMMUNITY,
                        lon, lat, HOUSEHOLDS, cell(one)
                    ],
                )?;
            }
            server::territory::dwellings::recount(tx, EAST_COMMUNITY)?;
            tx.record(ctx, Mark::new("territory.imported", Subject::Territory, json!({})))
        })
        .await
        .expect("the community is furnished");
    server::territory::load(&app.app).await.expect("the territory loads");
}

/// A drawn plan: the grid of each dwelling by number, and which go on as grids in force.
pub async fn plan(app: &TestApp, no_of: impl Fn(usize, usize) -> u32, kept: &[(u32, AreaId)]) -> PlanId {
    let id: PlanId = app.app.new_id();
    let mut grids: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
    for one in all() {
        grids.entry(no_of(one.0, one.1)).or_default().push(one);
    }
    let kept: BTreeMap<u32, AreaId> = kept.iter().copied().collect();
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .write(&ctx, move |ctx, tx| {
            tx.execute(
                "insert into plan (id, name, area_id, a1, a2, a3, state, origin, options, phase, cancel_asked, base_version, note, created_by, \
                 created_at, changed_at) values ($1, '方案甲', $2, $3, $4, $2, 'draft', 'draw', '{}', 'ready', 0, 1, '', 'test', $5, $5)",
                &params![id, EAST_COMMUNITY, CITY, EAST, ctx.now.0],
            )?;
            for (no, of) in &grids {
                tx.execute(
                    "insert into plan_grid (plan_id, no, community_id, name, code, kept_area_id, locked, dwellings, households, people, \
                     enterprises, minutes, in_band, moi, walk_m, lon, lat, moved_households, outline) \
                     values ($1, $2, $3, $4, '', $5, 0, $6, $7, 0, 0, 0, 1, 1, 1, 0, 0, 0, $8)",
                    &params![
                        id, i64::from(*no), EAST_COMMUNITY, format!("新{no}网格"), kept.get(no).copied(), of.len() as i64,
                        of.len() as i64 * HOUSEHOLDS, ground(of).to_string()
                    ],
                )?;
                for one in of {
                    tx.execute(
                        "insert into plan_dwelling (plan_id, community_id, dwelling_id, no) values ($1, $2, $3, $4)",
                        &params![id, EAST_COMMUNITY, dwelling_id(*one), i64::from(*no)],
                    )?;
                }
            }
            tx.record(ctx, Mark::new("plan.drawn", Subject::Plan(id), json!({})))
        })
        .await
        .expect("a plan");
    id
}

/// A report by phone from somewhere in the community.
async fn report(app: &TestApp, clerk: &Client, (column, row): (usize, usize)) -> String {
    let id = new_id(app);
    let (lon, lat) = at(column, row);
    let sent = json!({ "id": id, "channel": "phone", "body": format!("{column}列{row}号路灯不亮"), "category_code": "0204", "lon": lon, "lat": lat });
    clerk.post("/api/v1/cases", sent).await.ok();
    id
}

async fn area_of(who: &Client, case: &str) -> String {
    let page = who.get(&format!("/api/v1/cases/{case}")).await.ok();
    page["area"]["name"].as_str().unwrap_or_default().to_owned()
}

/// Adopts a plan for today and lets the jobs run: the adoption's id.
async fn adopt(app: &TestApp, planner: &Client, plan: PlanId) -> String {
    let id = new_id(app);
    let day = app.app.now().date().to_string();
    let sent = json!({ "id": id, "day": day, "dry": false });
    planner.post(&format!("/api/v1/plans/{plan}/adoption"), sent).await.ok();
    jobs::run_due(&app.app).await.expect("the jobs run");
    let done = planner.get(&format!("/api/v1/adoptions/{id}")).await.ok();
    assert_eq!(done["state"], "in_force", "{done}");
    id
}

fn count(effect: &Value, kind: &str) -> i64 {
    let counts = effect["counts"].as_array().expect("counts");
    counts
        .iter()
        .find(|one| one["kind"] == kind)
        .map_or(-1, |one| one["count"].as_i64().unwrap())
}

/// Three grids in place of two: the dry run names all that is touched and changes nothing; on the day everything follows its household;
/// undone, everything is where it was, and what came in between follows its position.
#[tokio::test]
async fn a_plan_is_tried_adopted_and_undone() {
    each_backend(async |app| {
        let people = people(app).await;
        furnish(app).await;
        let planner = app.login_as("planner", Some(EAST)).await;
        let west = report(app, &people.clerk, (1, 1)).await;
        let middle = report(app, &people.clerk, (5, 1)).await;
        let east = report(app, &people.clerk, (10, 1)).await;
        let in_middle = registry::household(&people.dispatcher, app, json!({ "dwelling_id": dwelling_id((5, 1)), "room": "101" })).await;
        let in_second = registry::household(&people.dispatcher, app, json!({ "area_id": SECOND, "room": "102" })).await;
        let homes = async || {
            let mut names = Vec::new();
            for home in [&in_middle, &in_second] {
                let area = one::<AreaId>(app, "select area_id from household where id = $1", home.clone()).await[0];
                names.push(server::territory::current(&app.app).ever(area).unwrap().name.clone());
            }
            names
        };
        assert_eq!(homes().await, ["第一网格", "第二网格"]);
        assert_eq!(area_of(&people.dispatcher, &middle).await, "第一网格");
        // Columns 0..4 go on as the first grid, 4..8 are new, 8.. are new: the second ends.
        let drawn = plan(app, |c, _| c as u32 / 4 + 1, &[(1, EAST_GRID)]).await;
        let path = format!("/api/v1/plans/{drawn}/adoption");
        let dry = planner.post(&path, json!({ "day": "2026-02-16", "dry": true })).await.ok();
        assert_eq!(dry["blocks"], json!([]), "{dry}");
        let named = ["area_made", "area_kept", "area_ended", "household", "case"].map(|kind| count(&dry, kind));
        assert_eq!(named, [2, 1, 1, 64, 2], "{dry}");
        assert!(dry["items"].as_array().unwrap().iter().any(|item| item["kind"] == "case" && item["from"]["name"] == "第二网格"));
        let page = planner.get(&format!("{path}?day=2026-02-16&kind=household&limit=50")).await.ok();
        let next = page["next"].as_str().expect("a further page");
        let rest = planner.get(&format!("{path}?day=2026-02-16&kind=household&limit=50&after={next}")).await.ok();
        assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (50, 14));
        assert_eq!(area_of(&people.dispatcher, &middle).await, "第一网格", "a dry run changes nothing");

        let id = new_id(app);
        let sent = json!({ "id": id, "day": "2026-02-16" });
        let planned = planner.post(&path, sent.clone()).await.ok();
        assert_eq!(planned["adoption"]["state"], "planned", "{planned}");
        assert_eq!(planner.post(&path, sent).await.ok()["adoption"]["id"], json!(id), "a retry is the same adoption");
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert_eq!(area_of(&people.dispatcher, &east).await, "第二网格", "its day has not come");
        app.advance_hours(38);
        jobs::run_due(&app.app).await.expect("the jobs run");
        let planner = app.login_as("planner", Some(EAST)).await;
        let (dispatcher, clerk) = (app.login_as("dispatcher", Some(CITY)).await, app.login_as("clerk", Some(CITY)).await);
        let done = planner.get(&format!("/api/v1/adoptions/{id}")).await.ok();
        assert_eq!((&done["state"], &done["in_force_from"]), (&json!("in_force"), &json!("2026-02-16")), "{done}");
        let of = async || [area_of(&dispatcher, &west).await, area_of(&dispatcher, &middle).await, area_of(&dispatcher, &east).await];
        assert_eq!(of().await, ["第一网格", "新2网格", "新3网格"]);
        assert_eq!(homes().await, ["新2网格", "新3网格"], "households follow their dwelling, or the grid they lay in");
        let grids = planner.get(&format!("/api/v1/areas?parent={EAST_COMMUNITY}")).await.ok();
        let codes: Vec<&str> = grids["items"].as_array().unwrap().iter().map(|area| area["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["330902001001001", "330902001001003", "330902001001004"], "a code is never given again");
        let then = planner.get(&format!("/api/v1/areas?parent={EAST_COMMUNITY}&as_of=2026-02-15")).await.ok();
        let names: Vec<&str> = then["items"].as_array().unwrap().iter().map(|area| area["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["第一网格", "第二网格"]);
        let (lon, lat) = at(5, 1);
        let lies = async |query: &str| {
            let found = planner.get(&format!("/api/v1/areas/locate?lon={lon}&lat={lat}{query}")).await.ok();
            found["area"]["name"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!((lies("").await, lies("&as_of=2026-02-15").await), ("新2网格".into(), "第一网格".into()));
        counted(app).await;
        // The board of a period that is over is told by the areas of its last day.
        let board = async |query: &str| {
            let found = dispatcher.get(&format!("/api/v1/board?area={EAST_COMMUNITY}{query}")).await.ok();
            let rows = found["children"].as_array().unwrap().iter();
            rows.map(|row| row["area"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(board("&from=2026-02-10&to=2026-02-15").await, ["第一网格", "第二网格"]);
        assert_eq!(board("").await, ["第一网格", "新2网格", "新3网格"]);
        // Before the place had areas its first ones are told: what happened then was brought in later.
        assert_eq!(board("&from=2000-01-01&to=2000-01-31").await, ["第一网格", "第二网格"]);

        // What a phone kept from before names the grid that ended: it is taken, where it lies now.
        let late = new_id(app);
        let (lon, lat) = at(9, 2);
        let kept = json!({ "id": late, "channel": "phone", "body": "井盖坏了", "category_code": "0204", "area_id": SECOND, "lon": lon, "lat": lat });
        clerk.post("/api/v1/cases", kept).await.ok();
        assert_eq!(area_of(&dispatcher, &late).await, "新3网格");

        let undo = format!("/api/v1/adoptions/{id}/undo");
        let back = planner.post(&undo, json!({ "dry": true })).await.ok();
        assert_eq!((count(&back, "household"), count(&back, "case")), (64, 3), "{back}");
        planner.post(&undo, json!({ "dry": false })).await.ok();
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert_eq!(planner.get(&format!("/api/v1/adoptions/{id}")).await.ok()["state"], "undone");
        assert_eq!(of().await, ["第一网格", "第一网格", "第二网格"]);
        assert_eq!(homes().await, ["第一网格", "第二网格"]);
        assert_eq!(area_of(&dispatcher, &late).await, "第二网格", "what came in between follows its position");
        assert_eq!(planner.post(&undo, json!({ "dry": false })).await.verdict(), "422 adoption_over");
        counted(app).await;
    })
    .await;
}

/// Every counter of every area there ever was equals a recount, and each open case and household lies in one area in force.
async fn counted(app: &TestApp) {
    registry::counted(app).await;
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .read(&ctx, |_, tx| {
            let areas = tx.query("select id from area order by code", &params![])?;
            for row in areas {
                let area: AreaId = row.get(0)?;
                let kept: BTreeSet<_> = server::cases::all_cells(tx, area)?.into_iter().collect();
                let again: BTreeSet<_> = server::cases::recount(tx, area)?.into_iter().collect();
                assert_eq!(kept, again, "{area}");
            }
            let astray = tx.query_one(
                "select count(*) from cases c where c.open = 1 and not exists (select 1 from area a where a.id = c.area_id and a.valid_to is null)",
                &params![],
            )?;
            assert_eq!(astray.get::<i64>(0)?, 0, "an open case in an area that is no more");
            Ok(())
        })
        .await
        .expect("the counters are read");
}

/// Numbers by chance, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// What must be, kept on its own account: the grid of each dwelling on each day, and what was reported and withdrawn where and when.
#[derive(Default)]
struct Model {
    /// Of today.
    grid: BTreeMap<(usize, usize), AreaId>,
    /// Of each day that is over, and of today as it stands.
    days: BTreeMap<String, BTreeMap<(usize, usize), AreaId>>,
    /// Case, dwelling, day received, day withdrawn.
    cases: Vec<(String, (usize, usize), String, Option<String>)>,
    /// Adoptions that can be undone, the last on top, each with the grids and the tree of before.
    adopted: Vec<(String, BTreeMap<(usize, usize), AreaId>, String)>,
}

/// The signed-in people of one day.
struct Today {
    planner: Client,
    clerk: Client,
}

async fn sign_in(app: &TestApp) -> Today {
    Today {
        planner: app.login_as("planner", Some(EAST)).await,
        clerk: app.login_as("clerk", Some(CITY)).await,
    }
}

fn today(app: &TestApp) -> String {
    app.app.now().date().to_string()
}

fn tree(app: &TestApp) -> String {
    server::territory::division::digest(&server::territory::current(&app.app), EAST_COMMUNITY)
}

/// A plan of two to six rectangles; each goes on as the grid it holds most dwellings of, or not, as chance will.
async fn any_plan(
    app: &TestApp,
    dice: &mut Dice,
    model: &Model,
) -> (PlanId, BTreeMap<(usize, usize), u32>, BTreeMap<u32, AreaId>) {
    let (first, second, cut) = (1 + dice.below(5), 7 + dice.below(4), dice.below(ROWS));
    let no = |c: usize, r: usize| {
        let column = u32::from(c >= first) + u32::from(c >= second);
        1 + column + if r < cut { 3 } else { 0 }
    };
    let of: BTreeMap<(usize, usize), u32> = all().into_iter().map(|one| (one, no(one.0, one.1))).collect();
    let mut overlaps: BTreeMap<(AreaId, u32), usize> = BTreeMap::new();
    for (one, no) in &of {
        *overlaps.entry((model.grid[one], *no)).or_default() += 1;
    }
    let mut sizes: Vec<_> = overlaps.into_iter().collect();
    sizes.sort_by_key(|(pair, n)| (std::cmp::Reverse(*n), *pair));
    let (mut kept, mut gone) = (BTreeMap::new(), BTreeSet::new());
    for ((area, no), _) in sizes {
        if !kept.contains_key(&no) && gone.insert(area) && dice.below(3) > 0 {
            kept.insert(no, area);
        }
    }
    let pairs: Vec<(u32, AreaId)> = kept.iter().map(|(no, area)| (*no, *area)).collect();
    (plan(app, no, &pairs).await, of, kept)
}

/// After any sequence of adoptions and undos nothing is lost or double: each dwelling lies in one grid, each open case in one area in force,
/// each grid has one responsible post, an undone tree is the tree of before, and every count of every day is what one counts oneself.
#[tokio::test]
async fn any_sequence_of_adoptions_and_undos_loses_nothing() {
    each_backend(async |app| {
        people(app).await;
        furnish(app).await;
        seat_second(app).await;
        for seed in [7, 2026] {
            play(app, seed).await;
        }
    })
    .await;
}

/// The second grid's post, held by somebody.
async fn seat_second(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .write(&ctx, |ctx, tx| {
            let unit: server::platform::UnitId = tx
                .query_one("select id from unit where code = 'C02'", &params![])?
                .get(0)?;
            let (post, worker) = (ctx.app.new_id(), ctx.app.new_id());
            let new = server::workforce::NewWorker {
                id: worker,
                name: "孙网格".into(),
                badge_no: "N9".into(),
                phone: String::new(),
            };
            server::workforce::add_worker(ctx, tx, &new)?;
            let new = server::workforce::NewPost {
                id: post,
                unit,
                area: Some(SECOND),
                name: "第二网格网格员".into(),
                duty: "grid".into(),
                shift: None,
            };
            server::workforce::add_post(ctx, tx, &new)?;
            let new = server::workforce::NewAppointment {
                id: ctx.app.new_id(),
                post,
                worker,
                seat: server::workforce::Seat::A,
                from: "2026-01-01".parse().unwrap(),
                to: None,
            };
            server::workforce::add_appointment(ctx, tx, &new)
        })
        .await
        .expect("the second grid has its worker");
}

async fn play(app: &TestApp, seed: u64) {
    let (mut dice, mut model) = (Dice(seed), Model::default());
    let mut people = sign_in(app).await;
    read_grids(app, &mut model).await;
    for step in 0..22 {
        match dice.below(6) {
            0 | 1 => {
                for _ in 0..3 {
                    let one = (dice.below(COLUMNS), dice.below(ROWS));
                    let id = report(app, &people.clerk, one).await;
                    model.cases.push((id, one, today(app), None));
                }
            }
            2 => {
                let open: Vec<usize> = (0..model.cases.len())
                    .filter(|at| model.cases[*at].3.is_none())
                    .collect();
                if let Some(at) = (!open.is_empty()).then(|| open[dice.below(open.len())]) {
                    let path = format!("/api/v1/cases/{}/actions/withdraw", model.cases[at].0);
                    people.clerk.post(&path, json!({ "reason": "不用了" })).await.ok();
                    model.cases[at].3 = Some(today(app));
                }
            }
            3 => {
                let before = (model.grid.clone(), tree(app));
                let (plan, of, kept) = any_plan(app, &mut dice, &model).await;
                let id = adopt(app, &people.planner, plan).await;
                let made = made_by(&people.planner, &id, &of, &kept).await;
                model.grid = of.iter().map(|(one, no)| (*one, made[no])).collect();
                model.adopted.push((id, before.0, before.1));
            }
            4 => {
                if let Some((id, grid, was)) = model.adopted.pop() {
                    people
                        .planner
                        .post(&format!("/api/v1/adoptions/{id}/undo"), json!({}))
                        .await
                        .ok();
                    jobs::run_due(&app.app).await.expect("the jobs run");
                    assert_eq!(
                        people.planner.get(&format!("/api/v1/adoptions/{id}")).await.ok()["state"],
                        "undone"
                    );
                    assert_eq!(tree(app), was, "seed {seed} step {step}: the tree of before");
                    model.grid = grid;
                }
            }
            _ => {
                app.advance_hours(24);
                people = sign_in(app).await;
            }
        }
        model.days.insert(today(app), model.grid.clone());
        check(app, &model, &format!("seed {seed} step {step}")).await;
    }
    history(app, &people, &model).await;
}

/// The grids as they are when the play begins.
async fn read_grids(app: &TestApp, model: &mut Model) {
    let ctx = Ctx::system(&app.app, "test");
    let rows = app.app.read(&ctx, |_, tx| {
        let rows = tx.query("select id, area_id from dwelling", &params![])?;
        rows.iter()
            .map(|row| Ok((row.get::<DwellingId>(0)?, row.get::<AreaId>(1)?)))
            .collect::<Result<BTreeMap<_, _>, _>>()
    });
    let rows = rows.await.expect("the dwellings");
    model.grid = all().into_iter().map(|one| (one, rows[&dwelling_id(one)])).collect();
}

/// The area of each grid of a plan in force, by number.
async fn made_by(
    planner: &Client,
    id: &str,
    of: &BTreeMap<(usize, usize), u32>,
    kept: &BTreeMap<u32, AreaId>,
) -> BTreeMap<u32, AreaId> {
    let mut areas = kept.clone();
    let made = planner
        .get(&format!("/api/v1/adoptions/{id}?kind=area_made"))
        .await
        .ok();
    for item in made["items"].as_array().unwrap() {
        let no: u32 = item["label"]
            .as_str()
            .unwrap()
            .trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap();
        areas.insert(no, item["id"].as_str().unwrap().parse().unwrap());
    }
    assert_eq!(
        areas.keys().collect::<Vec<_>>(),
        of.values().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    areas
}

async fn check(app: &TestApp, model: &Model, when: &str) {
    counted(app).await;
    let (grid, cases) = (model.grid.clone(), model.cases.clone());
    let when = when.to_owned();
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .read(&ctx, move |_, tx| {
            for (one, area) in &grid {
                let row = tx.query_one(
                    "select area_id from dwelling where id = $1",
                    &params![dwelling_id(*one)],
                )?;
                assert_eq!(row.get::<AreaId>(0)?, *area, "{when}: dwelling {one:?}");
            }
            let in_force: BTreeSet<AreaId> = grid.values().copied().collect();
            let rows = tx.query(
                "select id from area where parent_id = $1 and valid_to is null",
                &params![EAST_COMMUNITY],
            )?;
            let areas: BTreeSet<AreaId> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
            assert_eq!(areas, in_force, "{when}: the grids in force");
            for area in &areas {
                let sql = "select count(*) from post where area_id = $1 and duty = 'grid' and ended_from is null";
                assert_eq!(
                    tx.query_one(sql, &params![*area])?.get::<i64>(0)?,
                    1,
                    "{when}: posts of {area}"
                );
            }
            for (id, one, _, withdrawn) in &cases {
                let id: server::platform::CaseId = id.parse().unwrap();
                let row = tx.query_one("select area_id, open from cases where id = $1", &params![id])?;
                assert_eq!(row.get::<i64>(1)? == 1, withdrawn.is_none(), "{when}");
                if withdrawn.is_none() {
                    assert_eq!(row.get::<AreaId>(0)?, grid[one], "{when}: case at {one:?}");
                }
            }
            Ok(())
        })
        .await
        .expect("the place is read");
}

/// Every count of every day, by the grids of that day.
async fn history(app: &TestApp, people: &Today, model: &Model) {
    let mut expected: BTreeMap<(AreaId, &str, String), i64> = BTreeMap::new();
    for (_, one, received, withdrawn) in &model.cases {
        *expected
            .entry((model.days[received][one], "received", received.clone()))
            .or_default() += 1;
        if let Some(day) = withdrawn {
            *expected
                .entry((model.days[day][one], "withdrawn", day.clone()))
                .or_default() += 1;
        }
    }
    let days: Vec<String> = model.days.keys().cloned().collect();
    for day in &days {
        let tree = people
            .planner
            .get(&format!("/api/v1/areas?parent={EAST_COMMUNITY}&as_of={day}"))
            .await
            .ok();
        let ids: BTreeSet<AreaId> = tree["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|area| area["id"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(ids, model.days[day].values().copied().collect(), "the grids of {day}");
        for one in [(0, 0), (4, 3), (7, 6), (11, 7)] {
            let (lon, lat) = at(one.0, one.1);
            let found = people
                .planner
                .get(&format!("/api/v1/areas/locate?lon={lon}&lat={lat}&as_of={day}"))
                .await
                .ok();
            assert_eq!(found["area"]["id"], json!(model.days[day][&one]), "{one:?} on {day}");
        }
        for id in ids {
            let (area, number) = (id, day_number(day));
            let ctx = Ctx::system(&app.app, "test");
            let kept = app.app.read(&ctx, move |_, tx| {
                let of = |tx: &mut server::platform::Tx, measure| {
                    let cells = server::cases::cells_of(tx, area, measure, "all", Some((number, number)))?;
                    Ok::<i64, server::platform::Fault>(cells.iter().map(|(_, n)| n).sum())
                };
                Ok([of(tx, "received")?, of(tx, "withdrawn")?])
            });
            let counts = kept.await.expect("the counters");
            let want =
                ["received", "withdrawn"].map(|measure| expected.remove(&(id, measure, day.clone())).unwrap_or(0));
            // Cases of an earlier play lie here too: there are never fewer than this play's.
            assert!(
                counts[0] >= want[0] && counts[1] >= want[1],
                "{day} {id}: {counts:?} {want:?}"
            );
            if day > &days[0] {
                assert_eq!(counts, want, "{day} {id}");
            }
        }
    }
    assert!(
        expected.is_empty(),
        "counted in areas that were not in force: {expected:?}"
    );
}

fn day_number(day: &str) -> i64 {
    let at = domain::time::Timestamp::parse(&format!("{day}T12:00:00+08:00")).expect("a day");
    at.day_and_ms().0
}

async fn one<T: db::FromValue + Send + 'static>(app: &TestApp, sql: &'static str, of: String) -> Vec<T> {
    let ctx = Ctx::system(&app.app, "test");
    app.app
        .read(&ctx, move |_, tx| {
            let rows = tx.query(sql, &params![of])?;
            rows.iter().map(|row| Ok(row.get(0)?)).collect()
        })
        .await
        .expect("a column")
}

/// Whoever serves a grid that ends goes on where most of its households are: one worker a grid, a vacancy where nobody is left (shown at
/// once), units, teams, rights, addresses and facilities with them; cases of the grid's own worker come to the new grid's. What somebody's
/// phone kept from before is still taken. Undone, all of it is as it was.
#[tokio::test]
async fn who_serves_a_grid_follows_it_and_comes_back() {
    each_backend(async |app| {
        let people = people(app).await;
        furnish(app).await;
        seat_second(app).await;
        let planner = app.login_as("planner", Some(EAST)).await;
        let (near, far) = (report(app, &people.clerk, (1, 1)).await, report(app, &people.clerk, (5, 1)).await);
        let team = new_id(app);
        let (ctx, own) = (Ctx::system(&app.app, "test"), [near.clone(), far.clone()]);
        let of_team = team.clone();
        app.app
            .write(&ctx, move |ctx, tx| {
                let unit: server::platform::UnitId = tx.query_one("select id from unit where code = 'G01'", &params![])?.get(0)?;
                let worker: server::platform::WorkerId = tx.query_one("select id from worker where badge_no = '003'", &params![])?.get(0)?;
                for case in own {
                    tx.execute("update cases set unit_id = $1, worker_id = $2, state = 'assigned' where id = $3", &params![unit, worker, case])?;
                }
                tx.execute(
                    "insert into team (id, name, unit_id, liaison_id, valid_from) values ($1, '走访一队', $2, $3, '2026-01-01')",
                    &params![of_team.as_str(), unit, worker],
                )?;
                tx.execute("insert into team_area (team_id, area_id) values ($1, $2)", &params![of_team.as_str(), EAST_GRID])?;
                let (lon, lat) = at(5, 2);
                tx.execute(
                    "insert into address (id, text, search, initials, area_id, lon, lat) values ($1, '渔港路9号', '渔港路9号', '', $2, $3, $4)",
                    &params![ctx.app.new_id::<server::platform::AddressId>(), EAST_GRID, lon, lat],
                )?;
                tx.execute(
                    "insert into facility (id, code, name, kind, area_id, a1, a2, a3, a4, lon, lat, address, hours, phone, audience, changed_at, change) \
                     values ($1, 'F1', '服务站', 'station', $2, $3, $4, $5, $2, $6, $7, '', '', '', 'public', 0, 1)",
                    &params![ctx.app.new_id::<server::platform::FacilityId>(), EAST_GRID, CITY, EAST, EAST_COMMUNITY, lon, lat],
                )?;
                tx.record(ctx, Mark::new("team.made", Subject::Territory, json!({})))
            })
            .await
            .expect("who serves");
        let areas = async || {
            let name = |id: String| server::territory::current(&app.app).ever(id.parse().unwrap()).unwrap().name.clone();
            let of = async |sql: &'static str, key: &str| {
                let mut found: Vec<String> = one::<String>(app, sql, key.to_owned()).await.into_iter().map(name).collect();
                found.sort();
                found.join(" ")
            };
            [
                of("select area_id from unit where code = $1", "G01").await,
                of("select p.area_id from post p join appointment a on a.post_id = p.id join worker w on w.id = a.worker_id where w.badge_no = $1 and a.seat = 'A'", "003").await,
                of("select p.area_id from post p join appointment a on a.post_id = p.id join worker w on w.id = a.worker_id where w.badge_no = $1", "N9").await,
                of("select area_id from team_area where team_id = $1", &team).await,
                of("select area_id from address where text = $1", "渔港路9号").await,
                of("select area_id from facility where code = $1", "F1").await,
                of("select g.area_id from account_grant g join account a on a.id = g.account_id join worker w on w.id = a.worker_id \
                    where w.badge_no = $1 and g.valid_to is null", "003").await,
            ]
        };
        let before = ["第一网格", "第一网格", "第二网格", "第一网格", "第一网格", "第一网格", "第一网格"];
        assert_eq!(areas().await, before);
        let drawn = plan(app, |c, _| c as u32 / 4 + 1, &[]).await;
        let dry = planner.post(&format!("/api/v1/plans/{drawn}/adoption"), json!({ "day": "2026-02-14", "dry": true })).await.ok();
        let named = ["post", "worker", "unit", "team", "account", "device", "address", "facility"].map(|kind| count(&dry, kind));
        assert_eq!(named, [3, 3, 1, 1, 2, 2, 1, 1], "{dry}");
        let vacant: Vec<&Value> = dry["items"].as_array().unwrap().iter().filter(|item| item["vacant"] == true).collect();
        assert_eq!((vacant.len(), &vacant[0]["to"]["name"]), (1, &json!("新2网格")), "the vacancy is shown at once");
        let id = adopt(app, &planner, drawn).await;
        assert_eq!(areas().await, ["新1网格", "新1网格", "新3网格", "新1网格 新2网格", "新2网格", "新2网格", "新1网格"]);
        let worker = async |case: &str| one::<Option<String>>(app, "select worker_id from cases where id = $1", case.to_owned()).await[0].clone();
        assert!(worker(&near).await.is_some(), "the same worker has the new grid");
        assert_eq!(worker(&far).await, None, "it waits for the new grid's worker");
        let personnel = app.login_as("personnel", None).await;
        let gaps = personnel.get("/api/v1/posts/gaps").await.ok();
        let gap = gaps["items"].as_array().unwrap().iter().find(|gap| gap["post"]["area"]["name"] == "新2网格").expect("the vacancy");
        let twice = json!({ "id": new_id(app), "unit_id": gap["unit"]["id"], "area_id": gap["post"]["area"]["id"], "name": "第二个", "duty": "grid" });
        assert_eq!(personnel.post("/api/v1/posts", twice).await.verdict(), "409 grid_has_post", "one worker a grid");
        // The maps of the community show the grids of today, with who serves them and where nobody is.
        let maps = planner.get(&format!("/api/v1/areas/{EAST_COMMUNITY}/maps")).await.ok();
        let shown: Vec<(&str, i64, bool, bool)> = maps["grids"].as_array().unwrap().iter()
            .map(|grid| (grid["area"]["name"].as_str().unwrap(), grid["households"].as_i64().unwrap(), grid["outline"].is_object(), grid["posts"][0]["holder"].is_object()))
            .collect();
        assert_eq!(shown, [("新1网格", 160, true, true), ("新2网格", 160, true, false), ("新3网格", 160, true, true)], "{maps}");
        assert_eq!(planner.get(&format!("/api/v1/areas/{EAST}/maps")).await.verdict(), "422 maps_of_a_community");
        // The case is another grid's now; what the phone kept is taken all the same, for a while.
        let path = format!("/api/v1/cases/{far}/actions/comment");
        assert_eq!(people.grid_worker.get(&format!("/api/v1/cases/{far}")).await.verdict(), "404 not_found");
        let kept = json!({ "action_id": new_id(app), "body": "到现场看过" });
        assert_eq!(people.grid_worker.post(&path, kept.clone()).await.verdict(), "200");
        assert_eq!(people.grid_worker.post(&path, kept).await.verdict(), "200", "sent twice, done once");
        assert_eq!(people.west.post(&path, json!({ "body": "不是我的" })).await.verdict(), "404 not_found");

        planner.post(&format!("/api/v1/adoptions/{id}/undo"), json!({})).await.ok();
        jobs::run_due(&app.app).await.expect("the jobs run");
        assert_eq!(areas().await, before);
        assert!(worker(&far).await.is_some(), "back with the worker it was with");
        let ended = one::<String>(app, "select id from post where ended_from is not null and duty = $1", "grid".into()).await;
        assert_eq!(ended.len(), 1, "the post it made is no more");
    })
    .await;
}

/// What stands in the way is said in words and nothing is changed; a day still to come can be called off; after the pack's number of days
/// there is no way back; of two divisions the later goes first.
#[tokio::test]
async fn what_stands_in_the_way_is_said() {
    each_backend(async |app| {
        people(app).await;
        furnish(app).await;
        let mut planner = app.login_as("planner", Some(EAST)).await;
        let ctx = Ctx::system(&app.app, "test");
        let change = async |sql: &'static str, plan: PlanId| {
            let done = app.app.write(&ctx, move |ctx, tx| {
                tx.execute(sql, &params![plan])?;
                tx.record(ctx, Mark::new("plan.changed", Subject::Plan(plan), json!({})))
            });
            done.await.expect("a change");
        };
        let drawn = plan(app, |c, _| c as u32 / 6 + 1, &[(1, EAST_GRID)]).await;
        let path = format!("/api/v1/plans/{drawn}/adoption");
        let blocks = async |planner: &Client| {
            let day = today(app);
            let dry = planner.post(&path, json!({ "day": day, "dry": true })).await.ok();
            let codes = dry["blocks"].as_array().unwrap().iter().map(|block| block["code"].as_str().unwrap().to_owned());
            codes.collect::<Vec<_>>()
        };
        assert_eq!(planner.post(&path, json!({ "day": "2026-02-13", "dry": true })).await.verdict(), "422 day_in_the_past");
        assert_eq!(blocks(&planner).await, Vec::<String>::new());
        change("update plan_grid set in_band = 0 where plan_id = $1 and no = 2", drawn).await;
        assert_eq!(blocks(&planner).await, ["plan_out_of_band"]);
        let meant = planner.post(&path, json!({ "day": "2026-02-14", "dry": true, "out_of_band": true })).await.ok();
        assert_eq!(meant["blocks"], json!([]));
        assert_eq!(planner.post(&path, json!({ "id": new_id(app), "day": "2026-02-14" })).await.verdict(), "422 adoption_blocked");
        change("update plan_grid set in_band = 1 where plan_id = $1", drawn).await;
        change("delete from plan_dwelling where plan_id = $1 and dwelling_id in (select id from dwelling where code like 'D00%')", drawn).await;
        assert_eq!(blocks(&planner).await, ["plan_dwellings_missing"]);
        change("update plan set phase = 'drawing' where id = $1", drawn).await;
        assert_eq!(blocks(&planner).await, ["plan_dwellings_missing", "plan_not_ready"]);

        let second = plan(app, |c, _| c as u32 / 6 + 1, &[(1, EAST_GRID)]).await;
        let third = plan(app, |_, r| r as u32 / 4 + 1, &[(1, EAST_GRID)]).await;
        let to_come = new_id(app);
        let sent = json!({ "id": to_come, "day": "2026-03-01" });
        planner.post(&format!("/api/v1/plans/{second}/adoption"), sent).await.ok();
        let other = format!("/api/v1/plans/{third}/adoption");
        let dry = planner.post(&other, json!({ "day": "2026-02-14", "dry": true })).await.ok();
        assert_eq!(dry["blocks"][0]["code"], "adoption_pending", "{dry}");
        let off = planner.post(&format!("/api/v1/adoptions/{to_come}/undo"), json!({})).await.ok();
        assert_eq!(off["adoption"]["state"], "called_off");
        let first = adopt(app, &planner, third).await;
        assert_eq!(planner.post(&format!("/api/v1/adoptions/{first}/undo"), json!({ "dry": true })).await.ok()["blocks"], json!([]));
        app.advance_minutes(1);
        let fourth = plan(app, |c, _| c as u32 / 6 + 1, &[]).await;
        let later = adopt(app, &planner, fourth).await;
        let back = planner.post(&format!("/api/v1/adoptions/{first}/undo"), json!({ "dry": true })).await.ok();
        assert_eq!(back["blocks"][0]["code"], "undo_later_first", "{back}");
        app.advance_hours(24 * 31);
        planner = app.login_as("planner", Some(EAST)).await;
        let late = planner.post(&format!("/api/v1/adoptions/{later}/undo"), json!({ "dry": true })).await.ok();
        assert_eq!(late["blocks"][0]["code"], "undo_too_late", "{late}");
        assert_eq!(planner.post(&format!("/api/v1/adoptions/{later}/undo"), json!({})).await.verdict(), "422 undo_blocked");
        assert_eq!(planner.get(&format!("/api/v1/adoptions/{later}")).await.ok()["can_undo"], json!(false));
        let all = planner.get("/api/v1/adoptions").await.ok();
        assert_eq!(all["items"].as_array().map(Vec::len), Some(3));
    })
    .await;
}

/// A case that had ended in a grid that is no more comes back to life where its ground is now; its past stays counted where it was.
#[tokio::test]
async fn a_case_brought_back_follows_the_grid_that_ended_meanwhile() {
    each_backend(async |app| {
        let people = people(app).await;
        furnish(app).await;
        let (first, other) = (
            report(app, &people.clerk, (10, 1)).await,
            report(app, &people.clerk, (10, 2)).await,
        );
        let path = format!("/api/v1/cases/{first}/actions/merge");
        people.dispatcher.post(&path, json!({ "into": other })).await.ok();
        app.advance_hours(24);
        let planner = app.login_as("planner", Some(EAST)).await;
        let drawn = plan(app, |c, _| c as u32 / 4 + 1, &[(1, EAST_GRID)]).await;
        adopt(app, &planner, drawn).await;
        let dispatcher = app.login_as("dispatcher", Some(CITY)).await;
        assert_eq!(
            area_of(&dispatcher, &first).await,
            "第二网格",
            "what had ended stays with the grid of its day"
        );
        let came = one::<String>(app, "select id from report where merged_from = $1", first.clone()).await;
        dispatcher
            .post(
                &format!("/api/v1/cases/{other}/actions/split"),
                json!({ "report_ids": came }),
            )
            .await
            .ok();
        assert_eq!(area_of(&dispatcher, &first).await, "新3网格");
        counted(app).await;
    })
    .await;
}

/// What is brought in again stays in the grid it was put in, whatever the borders say, until it stands somewhere else.
#[tokio::test]
async fn what_is_brought_in_again_keeps_its_grid() {
    each_backend(async |app| {
        furnish(app).await;
        let ctx = Ctx::system(&app.app, "test");
        let put = app.app.write(&ctx, |ctx, tx| {
            tx.execute(
                "update dwelling set area_id = $1 where id = $2",
                &params![SECOND, dwelling_id((5, 1))],
            )?;
            tx.record(ctx, Mark::new("plan.adopted", Subject::Territory, json!({})))
        });
        put.await.expect("a dwelling of the first grid's ground is put in the second");
        let planner = app.login_as("planner", Some(EAST)).await;
        let bring = async |column_of_it: usize| {
            let line = |(c, r): (usize, usize)| {
                let (lon, lat) = at(if (c, r) == (5, 1) { column_of_it } else { c }, r);
                format!("D{c:02}{r:02},{lon:.7},{lat:.7},330902001001,{HOUSEHOLDS}\n")
            };
            let nodes: String = all().into_iter().map(line).collect();
            let body = json!({ "nodes": format!("id,lon,lat,region,households\n{nodes}"), "edges": "u,v\n", "datum": "wgs84" });
            let done = planner.post("/api/v1/dwellings/import", body).await.ok();
            assert_eq!((&done["replaced"], &done["problems"]), (&json!(96), &json!([])), "{done}");
            let page = planner.get(&format!("/api/v1/dwellings?area={EAST_COMMUNITY}&limit=200")).await.ok();
            let found = page["items"].as_array().unwrap().iter().find(|one| one["code"] == "D0501").unwrap().clone();
            found["area_id"].as_str().unwrap().parse::<AreaId>().unwrap()
        };
        assert_eq!(bring(5).await, SECOND);
        assert_eq!(bring(4).await, EAST_GRID);
    })
    .await;
}

/// What is registered in a building is what plans count there; a building in which nobody is registered keeps its number.
#[tokio::test]
async fn households_by_building_come_from_the_registry() {
    each_backend(async |app| {
        furnish(app).await;
        let centre = app.login_as("dispatcher", Some(EAST)).await;
        for (one, room) in [((5, 1), "101"), ((5, 1), "102"), ((6, 1), "201")] {
            let place = json!({ "area_id": EAST_GRID, "dwelling_id": dwelling_id(one), "room": room });
            let home = crate::registry::household(&centre, app, place).await;
            let head = json!({ "id": new_id(app), "household_id": home, "relation": "户主", "name": "王小明" });
            centre.post("/api/v1/registry/residents", head).await.ok();
        }
        crate::registry::household(&centre, app, json!({ "area_id": EAST_GRID, "room": "301" })).await;
        let planner = app.login_as("planner", Some(EAST)).await;
        let take = async |dry: bool| {
            let wish = json!({ "area_id": EAST, "dry_run": dry });
            planner.post("/api/v1/registry/dwellings/import", wish).await.ok()
        };
        let told =
            json!({ "dwellings": 2, "changed": 2, "households_before": 10, "households": 3, "without_dwelling": 1 });
        let total = async || {
            let summary = planner
                .get(&format!("/api/v1/dwellings/summary?area={EAST_COMMUNITY}"))
                .await
                .ok();
            [
                summary["households"].as_i64().unwrap(),
                summary["people"].as_i64().unwrap(),
            ]
        };
        let before = total().await;
        assert_eq!(take(true).await, told);
        assert_eq!(total().await, before, "only looked");
        assert_eq!(take(false).await, told);
        assert_eq!(total().await, [before[0] - 7, before[1] - 17]);
        assert_eq!(take(false).await["changed"], 0);
        let other = json!({ "area_id": crate::kit::WEST, "dry_run": true });
        let west = planner.post("/api/v1/registry/dwellings/import", other).await;
        assert_eq!(west.verdict(), "404 not_found");
    })
    .await;
}
