//! Durable jobs: effect once, retries that end, long work under a lease, recurring ones, many at once.
#![allow(clippy::unwrap_used)]
use crate::bare::{app_on, each};
use db::params;
use domain::time::Timestamp;
use serde_json::{Value, json};
use server::platform::jobs::{self, ATTEMPTS, Effect, Handler, JobItem, JobState, Outcome, Recurring};
use server::platform::ledger;
use server::platform::{App, Ctx, Fault, Mark, Subject, Tx};

/// A step that writes a row and its mark: twice would be refused by the primary key.
fn write_row(ctx: &Ctx, tx: &mut Tx<'_, '_>, payload: &Value) -> Result<Outcome, Fault> {
    let key = payload["key"].as_str().unwrap_or_default();
    tx.execute("insert into setting (key, value) values ($1, 'x')", &params![key])?;
    tx.record(ctx, Mark::new("test.job", Subject::System, json!({"key": key})))?;
    Ok(Outcome::Done)
}

fn fail(_: &Ctx, tx: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    tx.execute("insert into setting (key, value) values ('half', 'x')", &[])?;
    Err(Fault::internal("not today"))
}

fn panic(_: &Ctx, _: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    panic!("a handler may have a mistake")
}

fn forget_mark(_: &Ctx, tx: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    tx.execute("insert into setting (key, value) values ('unmarked', 'x')", &[])?;
    Ok(Outcome::Done)
}

async fn put(app: &App, kind: &'static str, key: &str, in_ms: i64) {
    let key = key.to_owned();
    app.write(&Ctx::system(app, "test"), move |ctx, tx| {
        jobs::enqueue(ctx, tx, kind, &key, ctx.now.plus_ms(in_ms), &json!({"key": key}))
    })
    .await
    .unwrap();
}

async fn all(app: &App) -> Vec<JobItem> {
    app.read(&Ctx::system(app, "test"), |_, tx| jobs::list(tx, None, None, 200))
        .await
        .unwrap()
}

async fn settings(app: &App) -> i64 {
    app.db()
        .read(|tx| {
            tx.query_one("select count(*) from setting where value = 'x'", &[])?
                .get(0)
        })
        .await
        .map_err(|e: db::DbError| e)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_when_it_is_due_and_its_effect_is_there_once() {
    each(|bare| async move {
        let app = bare.app.clone();
        jobs::register(&app, "test.row", Handler::Step(write_row));
        put(&app, "test.row", "now", 0).await;
        put(&app, "test.row", "later", 60_000).await;
        assert_eq!(jobs::run_due(&app).await.unwrap(), 1);
        assert_eq!((jobs::run_due(&app).await.unwrap(), settings(&app).await), (0, 1));
        // Another server on the same database finds nothing to do either.
        let second = app_on(&bare.test.db, &bare.folder, 1);
        jobs::register(&second, "test.row", Handler::Step(write_row));
        assert_eq!(jobs::run_due(&second).await.unwrap(), 0);
        app.clock().advance_ms(60_000);
        assert_eq!((jobs::run_due(&app).await.unwrap(), settings(&app).await), (1, 2));
        assert!(
            all(&app)
                .await
                .iter()
                .all(|job| job.state == JobState::Done && job.attempts == 1)
        );
        let marks = ledger::bring_up_to_date(&app).await.unwrap().unwrap().size;
        assert_eq!(marks, 2);
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_the_same_key_is_moved_and_can_be_taken_back() {
    each(|bare| async move {
        let app = bare.app.clone();
        jobs::register(&app, "test.row", Handler::Step(write_row));
        put(&app, "test.row", "a", 0).await;
        put(&app, "test.row", "a", 60_000).await;
        assert_eq!(all(&app).await.len(), 1);
        assert_eq!(jobs::run_due(&app).await.unwrap(), 0, "it was moved");
        app.write(&Ctx::system(&app, "test"), |ctx, tx| {
            jobs::revoke(ctx, tx, "test.row", "a")
        })
        .await
        .unwrap();
        app.clock().advance_ms(60_000);
        assert_eq!(jobs::run_due(&app).await.unwrap(), 0, "it was taken back");
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_leaves_nothing_ends_dead_and_can_be_run_again() {
    each(|bare| async move {
        let app = bare.app.clone();
        jobs::register(&app, "test.fail", Handler::Step(fail));
        jobs::register(&app, "test.panic", Handler::Step(panic));
        jobs::register(&app, "test.unmarked", Handler::Step(forget_mark));
        jobs::register(&app, "test.row", Handler::Step(write_row));
        for kind in ["test.fail", "test.panic", "test.unmarked", "test.row"] {
            put(&app, kind, kind, 0).await;
        }
        for _ in 0..ATTEMPTS + 2 {
            jobs::run_due(&app).await.unwrap();
            app.clock().advance_ms(2 * 3_600_000);
        }
        assert_eq!(
            settings(&app).await,
            1,
            "the neighbours of a failing job are not touched, its own half is undone"
        );
        let dead: Vec<_> = all(&app)
            .await
            .into_iter()
            .filter(|job| job.state == JobState::Dead)
            .collect();
        assert_eq!(dead.len(), 3);
        assert!(
            dead.iter()
                .all(|job| job.attempts == ATTEMPTS && job.last_error.is_some())
        );
        let id = dead[0].id;
        let again = app
            .write(&Ctx::system(&app, "test"), move |ctx, tx| jobs::retry(ctx, tx, id))
            .await
            .unwrap();
        assert_eq!((again.state, again.attempts), (JobState::Waiting, 0));
        let twice = app
            .write(&Ctx::system(&app, "test"), move |ctx, tx| jobs::retry(ctx, tx, id))
            .await
            .unwrap_err();
        assert_eq!(twice.code(), "job_not_retryable");
        let stopped = app
            .write(&Ctx::system(&app, "test"), move |ctx, tx| jobs::cancel(ctx, tx, id))
            .await
            .unwrap();
        assert_eq!(stopped.state, JobState::Cancelled);
        bare.remove().await;
    })
    .await;
}

/// Long work that moves the clock over its own lease: by the time it ends, another server may have the job.
async fn outlive_the_lease(ctx: Ctx, payload: Value) -> Result<Effect, Fault> {
    if payload["key"] == "slow"
        && ctx
            .app
            .part::<Slow>()
            .0
            .swap(false, std::sync::atomic::Ordering::SeqCst)
    {
        ctx.app.clock().advance_ms(3_600_000);
        let other = ctx.app.part::<Other>().0.lock().unwrap().clone().unwrap();
        other.clock().advance_ms(3_600_000);
        Box::pin(jobs::run_due(&other)).await?;
    }
    Ok(Box::new(move |ctx, tx| write_row(ctx, tx, &payload)))
}

struct Slow(std::sync::atomic::AtomicBool);

impl Default for Slow {
    fn default() -> Self {
        Self(std::sync::atomic::AtomicBool::new(true))
    }
}

#[derive(Default)]
struct Other(std::sync::Mutex<Option<App>>);

#[tokio::test(flavor = "multi_thread")]
async fn long_work_whose_lease_was_lost_has_no_second_effect() {
    each(|bare| async move {
        let app = bare.app.clone();
        let other = app_on(&bare.test.db, &bare.folder, 1);
        other.part::<Slow>().0.store(false, std::sync::atomic::Ordering::SeqCst);
        *app.part::<Other>().0.lock().unwrap() = Some(other.clone());
        for app in [&app, &other] {
            jobs::register(
                app,
                "test.long",
                Handler::Long(|ctx, payload| Box::pin(outlive_the_lease(ctx, payload))),
            );
        }
        put(&app, "test.long", "quick", 0).await;
        put(&app, "test.long", "slow", 1).await;
        app.clock().advance_ms(1);
        jobs::run_due(&app).await.unwrap();
        assert_eq!(settings(&app).await, 2);
        assert!(
            all(&app).await.iter().all(|job| job.state == JobState::Done),
            "{:?}",
            all(&app).await
        );
        *app.part::<Other>().0.lock().unwrap() = None;
        bare.remove().await;
    })
    .await;
}

fn nothing(_: &Ctx, _: &mut Tx<'_, '_>, _: &Value) -> Result<Outcome, Fault> {
    Ok(Outcome::Done)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nightly_job_comes_back_each_night_also_after_failing() {
    each(|bare| async move {
        let app = bare.app.clone();
        jobs::register_recurring(&app, Recurring::nightly("test.nightly", 3, 0), Handler::Step(nothing));
        jobs::register_recurring(&app, Recurring::nightly("test.failing", 3, 0), Handler::Step(fail));
        jobs::run_due(&app).await.unwrap();
        let due = |at: i64| Timestamp(at).to_string();
        assert!(
            all(&app)
                .await
                .iter()
                .all(|job| due(job.run_at) == "2026-02-15T03:00:00+08:00")
        );
        for _ in 0..24 * 3 {
            app.clock().advance_ms(3_600_000);
            jobs::run_due(&app).await.unwrap();
        }
        for job in all(&app).await {
            assert_eq!(job.state, JobState::Waiting, "{job:?}");
            assert!(Timestamp(job.run_at) > app.now());
        }
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_timers_due_at_once_are_handled_quickly() {
    const TIMERS: usize = 10_000;
    each(|bare| async move {
        let app = bare.app.clone();
        jobs::register(&app, "test.row", Handler::Step(write_row));
        app.write(&Ctx::system(&app, "test"), |ctx, tx| {
            for n in 0..TIMERS {
                jobs::once(
                    ctx,
                    tx,
                    "test.row",
                    &format!("{n}"),
                    ctx.now,
                    &json!({"key": format!("{n}")}),
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(jobs::run_due(&app).await.unwrap(), TIMERS);
        let took = begun.elapsed();
        eprintln!("{TIMERS} timers with an effect and a mark each: {took:?}");
        assert_eq!(settings(&app).await, TIMERS as i64);
        // The bar is for a release build; a debug build only shows the figure.
        assert!(cfg!(debug_assertions) || took.as_secs() < 5, "{took:?}");
        bare.remove().await;
    })
    .await;
}
