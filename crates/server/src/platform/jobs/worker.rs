//! The workers: they take what is due, run it, write down how it went, and sleep until the next due time.
use super::schedule::backoff_ms;
use super::store::{self, Due};
use super::{ATTEMPTS, Effect, Handler, Jobs, KEEP_MS, Kind, Outcome, changed};
use crate::platform::app::App;
use crate::platform::ctx::Ctx;
use crate::platform::fault::Fault;
use crate::platform::tx::Tx;
use futures::FutureExt as _;
use futures::future::{join_all, try_join_all};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Jobs taken in one transaction.
const BATCH: i64 = 32;
/// Transactions of jobs under way at the same time on PostgreSQL; on SQLite there is one writer anyway.
const POSTGRES_WORKERS: usize = 6;
/// Long work is taken by nobody else for this long; renewed at a third of it.
const LEASE_MS: i64 = 5 * 60_000;
/// Sleep at least this long when what is due is held by another server.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);
/// Sleep at most this long: on PostgreSQL another server may have put a job without waking this one.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The key of recurring jobs: there is one of each kind.
const RECURRING: &str = "recurring";
/// Finished jobs removed at once.
const FORGET: i64 = 1_000;

/// Which jobs a worker takes: short steps must never wait for long work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Steps,
    Long,
}

impl Lane {
    fn kinds(self, app: &App) -> Vec<&'static str> {
        Jobs::of(app).names(|kind| matches!(kind.handler, Handler::Step(_)) == (self == Lane::Steps))
    }
}

/// Runs everything that is due now, and what that makes due. The number of runs. For tests, imports and the command line;
/// the server uses [`keep_running`].
pub async fn run_due(app: &App) -> Result<usize, Fault> {
    begin_recurring(app).await?;
    let mut ran = 0;
    loop {
        let now = run_lane(app, Lane::Steps).await? + run_lane(app, Lane::Long).await?;
        if now == 0 {
            return Ok(ran);
        }
        ran += now;
    }
}

/// Runs jobs as they become due, for ever. Dropping it stops between two statements; nothing is lost by that.
pub async fn keep_running(app: App) {
    while let Err(fault) = begin_recurring(&app).await {
        tracing::error!(%fault, "recurring jobs could not be put; trying again");
        tokio::time::sleep(LONGEST_SLEEP).await;
    }
    join_all([lane(&app, Lane::Steps), lane(&app, Lane::Long)]).await;
}

async fn lane(app: &App, lane: Lane) {
    let mut woken = Jobs::of(app).wake.subscribe();
    loop {
        woken.mark_unchanged();
        let pause = match run_lane(app, lane).await {
            Ok(_) => sleep_time(app, lane).await,
            Err(fault) => {
                tracing::error!(%fault, "jobs could not be run; trying again");
                LONGEST_SLEEP
            }
        };
        tokio::select! {
            _ = woken.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long nothing will be due.
async fn sleep_time(app: &App, lane: Lane) -> Duration {
    let (ctx, kinds) = (Ctx::system(app, "jobs"), lane.kinds(app));
    let now = ctx.now.0;
    let next = app.read(&ctx, move |_, tx| Ok(store::next_due(tx, &kinds)?)).await;
    let ms = next.ok().flatten().map_or(i64::MAX, |at| at.saturating_sub(now));
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).clamp(SHORTEST_SLEEP, LONGEST_SLEEP)
}

/// Puts the rows of recurring jobs that are not there yet, and forgets old finished ones.
async fn begin_recurring(app: &App) -> Result<(), Fault> {
    let recurring = Jobs::of(app).recurring();
    app.write(&Ctx::system(app, "jobs"), move |ctx, tx| {
        for job in recurring {
            store::put_once(
                tx,
                ctx.app.new_id(),
                job.kind,
                RECURRING,
                job.next(ctx.now).0,
                "null",
                ctx.now.0,
            )?;
        }
        store::forget(tx, ctx.now.0 - KEEP_MS, FORGET)?;
        Ok(())
    })
    .await
}

/// Runs what is due in a lane until nothing is; the number of runs.
async fn run_lane(app: &App, lane: Lane) -> Result<usize, Fault> {
    let kinds = lane.kinds(app);
    if kinds.is_empty() {
        return Ok(0);
    }
    let mut ran = 0;
    loop {
        let now = match lane {
            Lane::Long => one_long(app, kinds.clone()).await?,
            Lane::Steps => {
                let workers = match app.db().backend() {
                    db::Backend::Sqlite => 1,
                    db::Backend::Postgres => POSTGRES_WORKERS,
                };
                try_join_all((0..workers).map(|_| steps(app, kinds.clone())))
                    .await?
                    .into_iter()
                    .sum()
            }
        };
        if now == 0 {
            return Ok(ran);
        }
        ran += now;
    }
}

/// One transaction with up to [`BATCH`] steps, each in a savepoint of its own.
async fn steps(app: &App, kinds: Vec<&'static str>) -> Result<usize, Fault> {
    app.write_long(&Ctx::system(app, "jobs"), move |ctx, tx| {
        let jobs = store::due(tx, &kinds, ctx.now.0, BATCH)?;
        for job in &jobs {
            let Some((name, kind)) = Jobs::of(&ctx.app).kind(&job.kind) else {
                continue;
            };
            let Handler::Step(run) = kind.handler else { continue };
            let own = Ctx {
                now: ctx.now,
                ..Ctx::system(&ctx.app, name)
            };
            let outcome = tx.attempt_marked(|tx| {
                catch_unwind(AssertUnwindSafe(|| run(&own, tx, &job.payload))).unwrap_or_else(|_| Err(panicked()))
            });
            finish(&own, tx, job, &kind, outcome)?;
        }
        Ok(jobs.len())
    })
    .await
}

/// Takes one job under a lease, runs it outside of any transaction, commits its effect with its completion.
async fn one_long(app: &App, kinds: Vec<&'static str>) -> Result<usize, Fault> {
    let ctx = Ctx::system(app, "jobs");
    let holder = hex::encode(app.chance().bytes::<8>());
    let by = holder.clone();
    let taken = app
        .write(&ctx, move |ctx, tx| {
            let job = store::due(tx, &kinds, ctx.now.0, 1)?.pop();
            if let Some(job) = &job {
                store::lease(tx, job.id, ctx.now.0 + LEASE_MS, &by)?;
            }
            Ok(job)
        })
        .await?;
    let Some(job) = taken else { return Ok(0) };
    let Some((name, kind)) = Jobs::of(app).kind(&job.kind) else {
        return Ok(0);
    };
    let Handler::Long(run) = kind.handler else { return Ok(0) };
    let own = Ctx::system(app, name);
    let work = AssertUnwindSafe(run(own.clone(), job.payload.clone())).catch_unwind();
    let outcome = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| Err(panicked())),
        () = renew(app, &job, &holder) => Err(Fault::internal("the lease was lost")),
    };
    complete(app, own, job, kind, holder, outcome).await?;
    Ok(1)
}

/// Renews the lease as long as it is ours; ends when it is lost.
async fn renew(app: &App, job: &Due, holder: &str) {
    loop {
        tokio::time::sleep(Duration::from_millis(LEASE_MS as u64 / 3)).await;
        let (id, by) = (job.id, holder.to_owned());
        let ctx = Ctx::system(app, "jobs");
        let ours = app
            .write(&ctx, move |ctx, tx| {
                Ok(store::renew(tx, id, ctx.now.0 + LEASE_MS, &by)?)
            })
            .await;
        if matches!(ours, Ok(false)) {
            return;
        }
    }
}

async fn complete(
    app: &App,
    own: Ctx,
    job: Due,
    kind: Kind,
    holder: String,
    outcome: Result<Effect, Fault>,
) -> Result<(), Fault> {
    let own = Ctx { now: app.now(), ..own };
    app.write_long(&own, move |ctx, tx| {
        // Whoever lost the lease has nothing to say any more: another worker has the job.
        if !store::renew(tx, job.id, ctx.now.0, &holder)? {
            return Ok(());
        }
        let outcome = outcome.and_then(|effect| tx.attempt_marked(|tx| effect(ctx, tx)));
        finish(ctx, tx, &job, &kind, outcome)
    })
    .await
}

/// Writes down how a run went.
fn finish(
    ctx: &Ctx,
    tx: &mut Tx<'_, '_>,
    job: &Due,
    kind: &Kind,
    outcome: Result<Outcome, Fault>,
) -> Result<(), Fault> {
    let fault = match outcome {
        Ok(Outcome::Again(at)) => return Ok(store::again(tx, job.id, at.0, 0, None)?),
        Ok(Outcome::Done) => {
            match &kind.recurring {
                Some(recurring) => store::again(tx, job.id, recurring.next(ctx.now).0, 0, None)?,
                None => store::done(tx, job.id, ctx.now.0)?,
            }
            return Ok(());
        }
        Err(fault) => fault,
    };
    let (failures, error) = (job.attempts + 1, fault.to_string());
    tracing::warn!(job = %job.id, kind = job.kind, failures, fault = ?fault, "a job failed");
    if failures < ATTEMPTS {
        let pause = backoff_ms(failures, u16::from_le_bytes(ctx.app.chance().bytes()));
        return Ok(store::again(tx, job.id, ctx.now.0 + pause, failures, Some(&error))?);
    }
    match &kind.recurring {
        // Tomorrow is another day: a recurring job never dies, its error stays to be seen.
        Some(recurring) => store::again(tx, job.id, recurring.next(ctx.now).0, 0, Some(&error))?,
        None => store::dead(tx, job.id, failures, &error, ctx.now.0)?,
    }
    tx.publish(changed("job.dead", job.id));
    Ok(())
}

fn panicked() -> Fault {
    Fault::internal("the job panicked")
}
