//! People and units for tests that need their own: built one by one, named, signed in. Photos through the real upload.
//!
//! Entry points: [`each_with_photos`], [`unit`], [`worker`], [`post`], [`two_grids`], [`household`], [`sign_in`], [`photo`]. Everything is in force since 2026-01-01.

use crate::kit::{Client, EAST, EAST_GRID, PASSWORD, TestApp, WEST, config};
use axum::body::Body;
use axum::http::Method;
use db::{Backend, params};
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use server::access::{self, GrantWish, NewAccount};
use server::cases;
use server::platform::{AccountId, AreaId, CaseId, Ctx, HouseholdId, Mark, PostId, Subject, UnitId, WorkerId};
use server::policy;
use std::io::Cursor;

/// As `each_backend`, with a folder for photos.
pub async fn each_with_photos(test: impl AsyncFn(&TestApp)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = config();
        config.blobs = folder.path().display().to_string();
        let app = TestApp::with(backend, config).await;
        test(&app).await;
        app.remove().await;
    }
}

/// A unit of a body of the pack.
pub async fn unit(app: &TestApp, name: &'static str, kind: &'static str, body: &'static str, area: AreaId) -> UnitId {
    let id: UnitId = app.app.new_id();
    write(app, move |tx| {
        tx.execute(
            "insert into unit (id, code, name, public_name, kind, body, area_id, phone, office, hours, valid_from)
             values ($1, $2, $3, $3, $4, $5, $6, '', '', '', '2026-01-01')",
            &params![id, id.to_string(), name, kind, body, area],
        )?;
        Ok(())
    })
    .await;
    id
}

/// Somebody who works here.
pub async fn worker(app: &TestApp, name: &'static str) -> WorkerId {
    let id: WorkerId = app.app.new_id();
    write(app, move |tx| {
        tx.execute(
            "insert into worker (id, name, pinyin, initials, badge_no, phone, state) values ($1, $2, '', '', $3, '', 'active')",
            &params![id, name, id.to_string()],
        )?;
        Ok(())
    })
    .await;
    id
}

/// Zhoushan's pack, and a grid of the east and the west with a worker of their own each: the two who hold them.
pub async fn two_grids(app: &TestApp) -> [WorkerId; 2] {
    policy::adopt(&app.app, policy::shipped("zhoushan").unwrap(), None)
        .await
        .unwrap();
    let centre = unit(app, "东港网格中心", "centre", "centre", EAST).await;
    let (east, west) = (worker(app, "张网格").await, worker(app, "王网格").await);
    post(app, centre, Some(EAST_GRID), "grid", east, None).await;
    post(app, centre, Some(WEST), "grid", west, None).await;
    [east, west]
}

/// A household of a grid: who may be called upon.
pub async fn household(app: &TestApp, who: &Client, grid: AreaId, room: &str) -> String {
    let id = app.app.new_id::<HouseholdId>().to_string();
    let wish = json!({ "id": id, "number": room, "place": { "area_id": grid, "building": "一号楼", "room": room }, "valid_from": "2026-01-10" });
    who.post("/api/v1/registry/households", wish).await.ok();
    id
}

/// A post of a unit with who holds it (seat A) and, for work around the clock, the shift of the pack.
pub async fn post(
    app: &TestApp,
    unit: UnitId,
    area: Option<AreaId>,
    duty: &'static str,
    holder: WorkerId,
    shift: Option<&'static str>,
) -> PostId {
    let (id, seat): (PostId, PostId) = (app.app.new_id(), app.app.new_id());
    write(app, move |tx| {
        tx.execute(
            "insert into post (id, unit_id, area_id, name, duty, shift_key) values ($1, $2, $3, '岗', $4, $5)",
            &params![id, unit, area, duty, shift],
        )?;
        tx.execute(
            "insert into appointment (id, post_id, worker_id, seat, valid_from) values ($1, $2, $3, 'A', '2026-01-01')",
            &params![seat, id, holder],
        )?;
        Ok(())
    })
    .await;
    id
}

async fn write(
    app: &TestApp,
    done: impl FnOnce(&mut server::platform::Tx<'_, '_>) -> Result<(), server::platform::Fault> + Send + 'static,
) {
    let ctx = Ctx::system(&app.app, "test");
    let made = app.app.write(&ctx, move |ctx, tx| {
        done(tx)?;
        server::workforce::changed(tx);
        tx.record(ctx, Mark::new("test.made", Subject::System, json!({})))
    });
    made.await.expect("it can be made");
}

/// An account of a worker with one role, signed in.
pub async fn sign_in(
    app: &TestApp,
    role: &str,
    area: AreaId,
    unit: Option<UnitId>,
    worker: Option<WorkerId>,
) -> Client {
    let id: AccountId = app.app.new_id();
    let login = format!("p{}", &id.to_string()[24..]);
    let new = NewAccount {
        id,
        login: login.clone(),
        name: format!("测试{role}"),
        worker,
        grants: vec![GrantWish {
            role: role.into(),
            area: Some(area),
            unit,
        }],
    };
    let hash = access::hash_password(&app.app, PASSWORD.into()).await.expect("a hash");
    let ctx = Ctx::system(&app.app, "test");
    let made = app
        .app
        .write(&ctx, move |ctx, tx| access::add_account(ctx, tx, new, &hash, false))
        .await;
    made.expect("an account");
    app.sign_in(&login, PASSWORD).await
}

/// A photo, uploaded: the id to attach it by. Each `shade` is another picture.
pub async fn photo(who: &Client, shade: u8) -> String {
    let picture = RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, shade]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .expect("a picture");
    let bytes = bytes.into_inner();
    let tus = |method, path: &str| {
        who.request(method, path)
            .header("x-wangge-client", "desk")
            .header("tus-resumable", "1.0.0")
    };
    let create = tus(Method::POST, "/api/v1/uploads")
        .header("upload-length", bytes.len())
        .header("upload-metadata", "filename cGhvdG8uanBn");
    let created = who.raw(create.body(Body::empty()).expect("a request")).await;
    let place = created.header("location").to_owned();
    let piece = tus(Method::PATCH, &place)
        .header("upload-offset", "0")
        .header("content-type", "application/offset+octet-stream");
    let sent = who.raw(piece.body(Body::from(bytes)).expect("a request")).await;
    assert!(sent.status.is_success(), "{} {}", sent.status, sent.text());
    place.rsplit('/').next().expect("an id").to_owned()
}

/// One action with the version just seen.
pub async fn act(who: &Client, case: &str, action: &str, mut body: Value) -> crate::kit::Answer {
    let seen = who.get(&format!("/api/v1/cases/{case}")).await;
    if seen.status.is_success() {
        body["row_version"] = seen.json()["row_version"].clone();
    }
    who.post(&format!("/api/v1/cases/{case}/actions/{action}"), body).await
}

/// A resident's report through the portal: the id of its case.
pub async fn report(app: &TestApp, area: AreaId, category: &str, body: &str) -> String {
    let id = app.app.new_id::<CaseId>().to_string();
    let sent = json!({
        "id": id, "body": body, "category_code": category, "area_id": area.to_string(), "name": "周女士", "phone": "13800001234",
    });
    app.visitor().post("/api/v1/portal/reports", sent).await.ok();
    id
}

/// Warnings and escalations whose moment has come.
pub async fn run_timers(app: &TestApp) {
    let ctx = Ctx::system(&app.app, "cases.timers");
    app.app
        .write(&ctx, cases::timers::tell_ripe)
        .await
        .expect("the timers run");
}

/// Counters kept equal a recount of the cases.
pub async fn counters_are_true(app: &TestApp, areas: &[AreaId]) {
    let ctx = Ctx::system(&app.app, "test");
    for area in areas.iter().copied() {
        let read = app.app.read(&ctx, move |_, tx| {
            Ok((cases::all_cells(tx, area)?, cases::recount(tx, area)?))
        });
        let (kept, counted) = read.await.expect("counters");
        assert_eq!(kept, counted);
    }
}

/// The kinds of what happened to a case, in order.
pub fn kinds(detail: &Value) -> Vec<&str> {
    let events = detail["events"].as_array().expect("events");
    events.iter().filter_map(|event| event["kind"].as_str()).collect()
}
