//! `wangge bench`: how fast the loop is on this machine, over HTTP, on SQLite and (when an address is given) on PostgreSQL.
//!
//! Each database gets its own server process on a fresh demo place; the clients are in this process. Beside each figure stands what
//! the machine itself can do in the same run: HTTP with nothing behind it, a durable write of the same disk. Prints a table, and
//! JSON with `--json FILE`. Must not assert: a slow machine is a figure, not a failure.

mod city;
mod client;
mod load;
mod machine;
mod many;
mod work;

use super::CliError;
use client::Client;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// When its place begins, and when it is opened again: a working day, people are on duty, clocks run.
const MORNING: &str = "2026-03-04T10:00:00+08:00";
const AFTERNOON: &str = "2026-03-04T15:00:00+08:00";
/// Password of the bench's own throw-away place.
const PASSWORD: &str = "bench-only-throw-away";

/// What `wangge bench` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 先登记多少件事件 · Cases to take in
    #[arg(long, default_value_t = 20_000)]
    pub cases: usize,
    /// 同时的客户端数 · Clients at once for the intake
    #[arg(long, default_value_t = 64)]
    pub clients: usize,
    /// 其他各项的请求数 · Requests for each of the other figures
    #[arg(long, default_value_t = 4_000)]
    pub requests: usize,
    /// 地图瓦片：城里有多少建筑（0 为不测）· Buildings of the city for the map's tiles (0 leaves them out)
    #[arg(long, default_value_t = 200_000)]
    pub shapes: usize,
    /// 导入多少条来信，之后再测一次搜索 · Messages to import; searching is measured again after them
    #[arg(long, default_value_t = 20_000)]
    pub messages: usize,
    /// 同时到期的时限数（0 为不测）· Clocks that are due at once (0 leaves them out)
    #[arg(long, default_value_t = 10_000)]
    pub due: usize,
    /// 最后把事件数加到多少再测列表和看板（0 为不测）· Cases at which lists and board are measured again at the end (0 leaves it out)
    #[arg(long, default_value_t = 100_000)]
    pub grow: usize,
    /// 也在这个 PostgreSQL 上测 · Measure on this PostgreSQL too (an empty schema is made in it)
    #[arg(long, env = "WANGGE_TEST_POSTGRES")]
    pub postgres: Option<String>,
    /// 数据目录（应在真实磁盘上）· Folder for the data; on a real disk
    #[arg(long, default_value = "data/bench")]
    pub data: PathBuf,
    /// 结果写入 JSON 文件 · Also write the figures as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    #[command(flatten)]
    pub crowd: load::Crowd,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// `sqlite`, `postgres` or `machine`.
    pub on: String,
    /// What was done.
    pub work: String,
    /// Requests (or writes) made.
    pub count: usize,
    /// Done in a second.
    pub per_second: f64,
    /// Half were answered within, milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 were answered within, milliseconds.
    pub p99_ms: f64,
    /// Processor time of the server for one, microseconds; none where it is not a request.
    pub server_cpu_us: Option<f64>,
}

/// Runs everything and prints it.
pub fn run(args: Args) -> Result<(), CliError> {
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    if let Some(seconds) = args.crowd.load {
        let reports = runtime.block_on(loaded(&args, seconds))?;
        reports.iter().for_each(load::print);
        return write_json(&args, &reports);
    }
    let mut table = Table::default();
    let outcome = runtime.block_on(measure(&args, &mut table));
    write_json(&args, &table.figures)?;
    outcome
}

fn write_json(args: &Args, what: &impl Serialize) -> Result<(), CliError> {
    let Some(path) = &args.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(what).map_err(CliError::new)?;
    std::fs::write(path, text).map_err(|error| CliError(format!("cannot write {}: {error}", path.display())))
}

async fn loaded(args: &Args, seconds: u64) -> Result<Vec<load::Report>, CliError> {
    std::fs::create_dir_all(&args.data).map_err(CliError::new)?;
    let mut reports = Vec::new();
    for (name, database) in places(args) {
        let folder = args.data.join(format!("{name}-{}", std::process::id()));
        let server = Server::start(&folder, &database, MORNING).await?;
        reports.push(load::run(&server, name, args, seconds).await?);
        server.stop().await?;
        std::fs::remove_dir_all(&folder).map_err(CliError::new)?;
    }
    clear(args);
    Ok(reports)
}

async fn measure(args: &Args, table: &mut Table) -> Result<(), CliError> {
    std::fs::create_dir_all(&args.data).map_err(CliError::new)?;
    table.extend(machine::durable_writes(&args.data)?);
    let stamp = std::process::id();
    for (name, database) in places(args) {
        let folder = args.data.join(format!("{name}-{stamp}"));
        let server = Server::start(&folder, &database, MORNING).await?;
        work::all(&server, name, args, table).await?;
        server.stop().await?;
        if args.grow > 0 {
            many::grow(&database, args.grow).await?;
            let server = Server::start(&folder, &database, AFTERNOON).await?;
            table.extend(work::lists(&server, name, args, "grown: ").await?);
            server.stop().await?;
        }
        std::fs::remove_dir_all(&folder).map_err(CliError::new)?;
    }
    clear(args);
    Ok(())
}

/// The databases measured on, by name and address.
fn places(args: &Args) -> Vec<(&'static str, String)> {
    let stamp = std::process::id();
    let mut places = vec![(
        "sqlite",
        format!("sqlite:{}", args.data.join(format!("bench-{stamp}.db")).display()),
    )];
    if let Some(url) = &args.postgres {
        let sign = if url.contains('?') { '&' } else { '?' };
        places.push(("postgres", format!("{url}{sign}schema=bench_{stamp}")));
    }
    places
}

/// Takes SQLite's files away.
fn clear(args: &Args) {
    for end in ["db", "db-wal", "db-shm"] {
        // What SQLite removed by itself is no error.
        let _ = std::fs::remove_file(args.data.join(format!("bench-{}.{end}", std::process::id())));
    }
}

/// What was measured so far; each line is printed as soon as it is there, so that nothing is lost with what fails after it.
#[derive(Default)]
pub struct Table {
    figures: Vec<Figure>,
}

impl Table {
    pub fn add(&mut self, f: Figure) {
        if self.figures.is_empty() {
            println!(
                "{:<9} {:<28} {:>8} {:>12} {:>10} {:>10} {:>14}",
                "on", "work", "count", "a second", "p50 ms", "p99 ms", "server CPU us"
            );
        }
        let cpu = f.server_cpu_us.map_or_else(|| "-".to_owned(), |us| format!("{us:.0}"));
        println!(
            "{:<9} {:<28} {:>8} {:>12.0} {:>10.2} {:>10.2} {:>14}",
            f.on, f.work, f.count, f.per_second, f.p50_ms, f.p99_ms, cpu
        );
        self.figures.push(f);
    }

    pub fn extend(&mut self, figures: Vec<Figure>) {
        figures.into_iter().for_each(|figure| self.add(figure));
    }
}

/// A server of its own, stopped when the measuring is over.
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    async fn start(folder: &Path, database: &str, at: &str) -> Result<Server, CliError> {
        let program = std::env::current_exe().map_err(CliError::new)?;
        let mut child = Command::new(program)
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--cases",
                "0",
                "--at",
                at,
                "--password",
                PASSWORD,
                "--data",
            ])
            .arg(folder)
            .args(["--database", database])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(CliError::new)?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| CliError("the server has no output".into()))?;
        let mut lines = BufReader::new(out).lines();
        while let Some(line) = lines.next_line().await.map_err(CliError::new)? {
            if let Some(address) = address_in(&line) {
                // Read on, so that the server never waits for us to empty the pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Server { child, address });
            }
        }
        Err(CliError("the server ended before it was ready".into()))
    }

    async fn stop(mut self) -> Result<(), CliError> {
        self.child.kill().await.map_err(CliError::new)
    }

    /// A new connection, signed in as one of the demo's accounts.
    async fn client(&self, login: &str) -> Result<Client, CliError> {
        let mut client = Client::connect(&self.address).await?;
        client.sign_in(login, PASSWORD).await?;
        Ok(client)
    }

    /// The server's resident memory in MB.
    fn rss_mb(&self) -> Result<f64, CliError> {
        machine::rss_mb(self.child.id().ok_or_else(|| CliError("the server has ended".into()))?)
    }

    /// Processor time the server has used so far, in microseconds.
    fn cpu_us(&self) -> Result<f64, CliError> {
        machine::cpu_us(self.child.id().ok_or_else(|| CliError("the server has ended".into()))?)
    }
}

/// The address in the line that says the server is ready.
fn address_in(line: &str) -> Option<String> {
    let rest = line.split("ready: http://").nth(1)?;
    rest.split('/').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_ready_line() {
        let line = "wangge 已启动 · ready: http://127.0.0.1:4711/ (desk: http://127.0.0.1:4711/desk/)";
        assert_eq!(address_in(line).as_deref(), Some("127.0.0.1:4711"));
        assert_eq!(address_in("  clerk        受理员"), None);
    }
}
