//! `wangge serve`: opens the database, brings the schema up, answers requests until told to stop.

use super::CliError;
use crate::access;
use crate::migrations::MIGRATIONS;
use crate::platform::clock::{Chance, Clock};
use crate::platform::config::Config;
use crate::platform::connections::{self, Limits};
use crate::platform::keys::Keys;
use crate::platform::logs;
use crate::platform::{App, Ctx};
use crate::router::router;
use db::{Db, Options};
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// What `wangge serve` takes.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// 配置文件 · Settings file (TOML); the environment (`WANGGE_*`) wins over it
    #[arg(long, env = "WANGGE_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Runs the server until it is told to stop.
pub fn run(args: Args) -> Result<(), CliError> {
    let config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start(&config.log);
    logs::start_metrics();
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = open(config).await?;
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
    let keys = Keys::load_or_create(&config.key_file, &chance).map_err(CliError::new)?;
    let db = Db::open(&config.database, Options::default())
        .await
        .map_err(CliError::new)?;
    db.migrate(MIGRATIONS).await.map_err(CliError::new)?;
    let app = App::new(db, config, clock, chance, keys);
    crate::register(&app);
    bring_in_force(&app).await?;
    Ok(app)
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
