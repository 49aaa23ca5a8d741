//! `wangge demo`: a fictional place to try everything, on one command.

use super::CliError;
use super::serve;
use crate::demo;
use crate::platform::clock::Clock;
use crate::platform::config::{Config, Limits, PublicAccount, Sms};
use crate::platform::logs;
use domain::time::Timestamp;
use std::path::PathBuf;

/// Sign-ins from one address in ten minutes: far more than a place in use allows.
const LOGINS: u32 = 500;

/// What `wangge demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 数据目录 · Folder for the data
    #[arg(long, default_value = "data/demo")]
    pub data: PathBuf,
    /// 数据库；不给则为数据目录里的 SQLite 文件 · Database; an SQLite file in the folder when not given
    #[arg(long)]
    pub database: Option<String>,
    /// 规则包文件夹；不给则用自带的 · Folder of another pack to run on
    #[arg(long)]
    pub pack: Option<PathBuf>,
    /// 监听地址 · Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// 各账号的密码；不给则每次随机 · Password of all accounts; a new random one at each start when not given
    #[arg(long)]
    pub password: Option<String>,
    /// 生成的种子 · Seed of the place
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// 演示从这个时刻开始走，如 2026-02-13T21:40:00+08:00；不给则用本机时间 · Let the demo's clock start at this moment
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub at: Option<Timestamp>,
    /// 虚构事件的件数 · How many fictional cases; they come in while the server already answers
    #[arg(long, default_value_t = 150)]
    pub cases: usize,
    /// 允许推送到的地址，逗号分隔 · Where webhooks may go, separated by commas
    #[arg(long, env = "WANGGE_WEBHOOK_TARGETS", value_delimiter = ',')]
    pub webhook_targets: Vec<String>,
    /// 只生成数据，不启动服务 · Make the data and stop
    #[arg(long)]
    pub only_data: bool,
}

/// Makes the place at the first start, then serves it.
pub fn run(args: Args) -> Result<(), CliError> {
    let config = Config {
        listen: args.listen.clone(),
        public_url: format!("http://{}", args.listen),
        database: args
            .database
            .unwrap_or_else(|| format!("sqlite:{}", args.data.join("wangge.db").display())),
        blobs: args.data.join("blobs").display().to_string(),
        key_file: args.data.join("wangge.key"),
        log: "warn".into(),
        webhook_targets: args.webhook_targets,
        demo: true,
        sms: Some(Sms::stand_in()),
        account: Some(PublicAccount::stand_in()),
        // One person at one machine tries all the accounts.
        limits: Limits {
            logins_per_ten_minutes: LOGINS,
            ..Limits::default()
        },
        ..Config::default()
    };
    logs::start(&config.log);
    logs::start_metrics();
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = serve::open_with(config, args.at.map_or(Clock::Machine, Clock::running_from)).await?;
        demo::open_place(&app, args.pack.as_deref())
            .await
            .map_err(CliError::new)?;
        let is_new = demo::furnish(&app, args.seed).await?;
        let random = || hex::encode(app.chance().bytes::<5>());
        let password = args.password.unwrap_or_else(random);
        demo::set_passwords(&app, &password).await?;
        println!("虚构的望海市 · the fictional city of Wanghai");
        println!("密码（所有账号，本次运行有效）· password of all accounts, for this run: {password}");
        for account in &demo::ROLES {
            println!("  {:<12} {}", account.login, account.title);
        }
        let cases = {
            let app = app.clone();
            async move {
                if is_new {
                    demo::make_cases(&app, args.seed, args.cases).await?;
                    demo::make_plans(&app, args.seed).await?;
                    // A place without stories has nobody living in it either.
                    match args.cases {
                        0 => Ok(()),
                        _ => demo::make_homes(&app, args.seed).await,
                    }
                } else {
                    Ok(())
                }
            }
        };
        if args.only_data {
            return Ok(cases.await?);
        }
        tokio::spawn(async move {
            if let Err(error) = cases.await {
                tracing::error!(
                    code = error.code(),
                    "the demo's cases, plans or families could not be made"
                );
            }
        });
        serve::listen(app).await
    })
}
