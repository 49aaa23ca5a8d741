//! `wangge serve`: opens the database, brings the schema up, answers requests until told to stop.

use super::CliError;
use crate::access;
use crate::migrations::MIGRATIONS;
use crate::platform::clock::{Chance, Clock};
use crate::platform::config::Config;
use crate::platform::connections::{self, Limits};
use crate::platform::keys::Keys;
use crate::platform::ledger::LedgerKey;
use crate::platform::{App, Ctx, Mark, Subject};
use crate::platform::{ledger, logs};
use crate::router::router;
use db::{Db, Options};
use domain::time::MINUTE_MS;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// What `wangge serve` takes.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// 配置文件 · Settings file (TOML); the environment (`WANGGE_*`) wins over it
    #[arg(long, env = "WANGGE_CONFIG")]
    pub config: Option<PathBuf>,
    /// 本机时间早于最新记录时仍接受写入（确认本机时间无误之后）· Write although the newest record is later than this machine's clock: once you know that the clock is right
    #[arg(long)]
    pub accept_clock: bool,
    /// 密钥文件已丢失，换一把新的：以前密封的姓名、电话等再也打不开 · The key file is lost, go on with a new one: what was sealed before cannot be opened again
    #[arg(long)]
    pub new_key: bool,
}

/// Runs the server until it is told to stop.
pub fn run(args: Args) -> Result<(), CliError> {
    let config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start(&config.log);
    logs::start_metrics();
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = open_as(config, Clock::Machine, args.new_key).await?;
        if !args.accept_clock {
            watch_clock(&app).await?;
        }
        greet_first_administrator(&app).await?;
        listen(app).await
    })
}

/// Opens the database, the keys and the clock of this machine: the program as it runs, without the HTTP side.
pub async fn open(config: Config) -> Result<App, CliError> {
    open_with(config, Clock::Machine).await
}

/// The same with another clock.
pub async fn open_with(config: Config, clock: Clock) -> Result<App, CliError> {
    open_as(config, clock, false).await
}

async fn open_as(config: Config, clock: Clock, new_key: bool) -> Result<App, CliError> {
    for path in [
        config.database.strip_prefix("sqlite:").map(Path::new),
        Some(config.key_file.as_path()),
    ]
    .into_iter()
    .flatten()
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| CliError(format!("cannot make the folder {}: {error}", folder.display())))?;
        }
    }
    let chance = Chance::of_the_machine();
    let db = Db::open(&config.database, Options::default())
        .await
        .map_err(CliError::new)?;
    db.migrate(MIGRATIONS).await.map_err(CliError::new)?;
    let origin = ledger::origin_of(&db).await.map_err(CliError::new)?;
    let keys = keys_of(&config.key_file, origin.filter(|_| !new_key).as_deref(), &chance)?;
    let app = App::new(db, config, clock, chance, keys);
    crate::register(&app);
    bring_in_force(&app).await?;
    if new_key {
        note_new_key(&app).await?;
    }
    Ok(app)
}

/// The keys of a database that was last signed by `origin`. Never another key in silence: what is sealed would look lost, and the ledger
/// would be signed by two.
pub fn keys_of(file: &Path, origin: Option<&str>, chance: &Chance) -> Result<Keys, CliError> {
    let shown = file.display();
    if origin.is_some() && !file.exists() {
        return Err(CliError(format!(
            "密钥文件 {shown} 不在：这个库的个人信息和签名都要用它，请从另行保管处放回 · the key file {shown} is missing: this database's personal fields and signatures need it; put it back from where it is kept apart"
        )));
    }
    let keys = Keys::load_or_create(file, chance).map_err(CliError::new)?;
    let own = LedgerKey::new(keys.signing()).origin();
    match origin {
        Some(origin) if origin != own => Err(CliError(format!(
            "密钥文件 {shown} 不是这个库的：库由 {origin} 签名，密钥是 {own} · the key file {shown} is not this database's: it was signed by {origin}, the key is {own}"
        ))),
        _ => Ok(keys),
    }
}

/// Signs the ledger with the new key at once, so that it is known from now on.
async fn note_new_key(app: &App) -> Result<(), CliError> {
    app.write(&Ctx::system(app, "new key"), |ctx, tx| {
        tx.record(ctx, Mark::new("key.replaced", Subject::System, serde_json::json!({})))
    })
    .await?;
    ledger::bring_up_to_date(app).await?;
    Ok(())
}

/// Says so when the newest record is later than this machine's clock; writes are refused until it is not.
async fn watch_clock(app: &App) -> Result<(), CliError> {
    if let Some(newest) = ledger::newest_time(app).await? {
        app.watch().not_before(newest);
    }
    if let Some(back) = app.clock_back_ms() {
        eprintln!(
            "本机时间比最新记录早 {0} 分钟，已停止写入：请校准时间后重启；确认本机时间无误，可用 --accept-clock 启动 · this machine's clock is {0} minutes behind the newest record; writes are refused: set it right and start again, or start with --accept-clock once you know that it is right",
            back / MINUTE_MS
        );
    }
    Ok(())
}

/// On a new installation: makes the first administrator and shows the one-time password, this once.
async fn greet_first_administrator(app: &App) -> Result<(), CliError> {
    let made = access::first_administrator(app, &Ctx::system(app, "first start"))
        .await
        .map_err(CliError::new)?;
    if let Some((login, password)) = made {
        println!("首次启动 · first start");
        println!("  安全管理员账号 · security administrator: {login}");
        println!(
            "  一次性密码（只显示这一次，登录后须修改）· one-time password (shown only now, to be changed at sign-in): {password}"
        );
        println!(
            "  安全管理员再为系统管理员、审计管理员和其他人建账号 · this account then makes the accounts of all others"
        );
    }
    Ok(())
}

/// The pack the settings name and the territory of the database.
async fn bring_in_force(app: &App) -> Result<(), CliError> {
    if let Err(error) = crate::policy::start(app).await {
        if let crate::policy::PackError::Problems(problems) = &error {
            for problem in problems {
                eprintln!(
                    "{}:{}: {}",
                    problem.file,
                    problem.line,
                    problem.message(crate::platform::Lang::Zh)
                );
            }
        }
        return Err(CliError::new(error));
    }
    crate::territory::load(app).await.map_err(CliError::new)
}

/// Answers requests until SIGINT or SIGTERM; those under way are finished.
pub async fn listen(app: App) -> Result<(), CliError> {
    let address = app.config().listen.clone();
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| CliError(format!("cannot listen on {address}: {error}")))?;
    let bound = listener.local_addr().map_err(CliError::new)?;
    println!("wangge 已启动 · ready: http://{bound}/ (desk: http://{bound}/desk/)");
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let server = connections::serve(listener, router(app.clone()), Limits::default(), stopped);
    let server = tokio::spawn(server);
    let beside = tokio::spawn(crate::operations::run_beside(app.clone()));
    told_to_stop().await;
    tracing::info!("stopping");
    beside.abort();
    app.live().close();
    let _ = stop.send(true);
    if !server.await.map_err(CliError::new)? {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
