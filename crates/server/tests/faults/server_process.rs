//! The real program as a process of its own, with faults put into its system calls or its clock.

use crate::place::Place;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long it may take to be ready, on a busy machine, traced.
const READY: Duration = Duration::from_secs(90);
/// How long it may take to end when told to.
const FAREWELL: Duration = Duration::from_secs(20);

/// What goes wrong in the process.
#[derive(Debug, Clone)]
pub enum Injection {
    None,
    /// What `strace -e inject=` takes: `fdatasync:error=EIO:when=7`.
    Calls(String),
    /// The file from which the process reads how far its clock is off: `-1h`.
    Clock(PathBuf),
}

/// A server that was started.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    /// The program with these arguments, on this place, with this fault.
    fn command(place: &Place, injection: &Injection, args: &[&str]) -> Command {
        let program = program();
        let mut command = match injection {
            Injection::Calls(what) => {
                let calls = what.split(':').next().unwrap_or_default();
                let mut strace = Command::new("strace");
                // -D: the program is our child and strace its grandchild, so that ending and waiting are the program's own.
                strace.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e"]);
                strace.args([&format!("trace={calls}"), "-e", &format!("inject={what}"), &program]);
                strace
            }
            Injection::None | Injection::Clock(_) => Command::new(&program),
        };
        if let Injection::Clock(file) = injection {
            command
                .env("LD_PRELOAD", libfaketime())
                .env("FAKETIME_TIMESTAMP_FILE", file)
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command
            .args(args)
            .env("WANGGE_CONFIG", place.settings())
            .kill_on_drop(true);
        command
    }

    /// Starts `wangge serve`; the error is what it said before it ended.
    pub async fn start(place: &Place, injection: Injection) -> Result<Server, String> {
        Server::start_with(place, injection, &["serve"]).await
    }

    pub async fn start_with(place: &Place, injection: Injection, args: &[&str]) -> Result<Server, String> {
        let log = place.folder.join("log");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let mut child = Server::command(place, &injection, args)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts (strace must be installed)");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut said = String::new();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(rest) = line.split("ready: http://").nth(1) {
                    return rest.split('/').next().map(str::to_owned);
                }
                said.push_str(&line);
            }
            None
        };
        let address = tokio::time::timeout(READY, ready)
            .await
            .expect("the server is ready in time");
        match address {
            Some(address) => {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Server { child, address })
            }
            None => {
                let ended = child.wait().await.expect("it ended");
                Err(format!("{ended}: {said}"))
            }
        }
    }

    /// Runs one command to its end: whether it succeeded, and what it said.
    pub async fn run(place: &Place, injection: &Injection, args: &[&str]) -> (bool, String) {
        let done = Server::command(place, injection, args)
            .output()
            .await
            .expect("the program runs");
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Whether it has ended by itself, or does so at once.
    pub async fn ended_soon(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(2), self.child.wait())
            .await
            .is_ok()
    }

    /// Ends it as an operator does; by force if it does not listen.
    pub async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends it as a power cut does.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }
}

/// The program under test; `WANGGE_BIN` names another build of it, as for the browser journeys.
fn program() -> String {
    std::env::var("WANGGE_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_wangge").into())
}

fn libfaketime() -> PathBuf {
    let places = std::fs::read_dir("/usr/lib").expect("a folder").flatten();
    places
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .expect("libfaketime is installed (script/setup)")
}
