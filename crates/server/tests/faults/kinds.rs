//! The kinds of faults, how each is put in, what must be seen while it is on, and what must be true afterwards.

use crate::check::{self, Wrong};
use crate::client::{Answer, Client};
use crate::load::{Attempt, Crew, Journal, Op, Told};
use crate::place::{Cluster, On, Place, Template};
use crate::server_process::{Injection, Server};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Killed at the nth write to the database.
    KillAtWrite,
    /// Killed at the nth sync.
    KillAtSync,
    /// Killed at the nth plain write: photos, the socket, the log.
    KillAtPlainWrite,
    /// Killed at the nth write of its very first start: key file, schema.
    KillAtFirstStart,
    /// One sync fails.
    SyncFailsOnce,
    /// From the nth on every sync fails.
    SyncFailsAlways,
    /// One write to the database fails.
    WriteFailsOnce,
    /// No room where the database is.
    FullDatabase,
    /// No room where the photos are.
    FullPhotos,
    /// No room where the backup goes.
    FullBackup,
    /// Killed while a backup is being made.
    KillAtBackup,
    /// PostgreSQL is stopped in the middle of transactions and started again.
    DatabaseRestarts,
    /// PostgreSQL ends the connections.
    ConnectionsEnded,
    /// One of PostgreSQL's processes is killed; it recovers from its log.
    DatabaseCrashes,
    /// Killed at the nth message to PostgreSQL.
    KillAtMessage,
    /// The machine's clock is put back by an hour, then right again.
    ClockBack,
    /// The machine's clock runs a day ahead, then is put right.
    ClockAhead,
    /// Connections of clients break at every place.
    TornConnections,
}

use Kind::*;

const ON_SQLITE: [Kind; 14] = [
    KillAtWrite,
    SyncFailsOnce,
    FullDatabase,
    KillAtSync,
    TornConnections,
    KillAtPlainWrite,
    ClockBack,
    SyncFailsAlways,
    FullPhotos,
    KillAtFirstStart,
    KillAtBackup,
    WriteFailsOnce,
    FullBackup,
    ClockAhead,
];
const ON_POSTGRES: [Kind; 7] = [
    DatabaseRestarts,
    ConnectionsEnded,
    DatabaseCrashes,
    KillAtMessage,
    TornConnections,
    ClockBack,
    KillAtPlainWrite,
];

/// The plan of run number `nth`: two of three on SQLite, where more can break, each kind in turn.
pub fn plan(nth: usize) -> (On, Kind) {
    match nth % 3 {
        2 => (On::Postgres, ON_POSTGRES[nth / 3 % ON_POSTGRES.len()]),
        at => (On::Sqlite, ON_SQLITE[(nth / 3 * 2 + at) % ON_SQLITE.len()]),
    }
}

/// What came of one run.
#[derive(Debug, serde::Serialize)]
pub struct Outcome {
    pub run: usize,
    pub seed: u64,
    pub on: On,
    pub kind: Kind,
    /// Where exactly: `pwrite64 no. 37`.
    pub point: String,
    /// Whether the fault came to pass; a point beyond the end of the run does not.
    pub struck: bool,
    pub acknowledged: usize,
    pub refused: usize,
    pub unanswered: usize,
    /// Sent again afterwards with the same id.
    pub repeated: usize,
    pub seconds: f64,
    /// What must not be; empty when all is well.
    pub wrong: Wrong,
}

/// One place, one fault.
pub struct Run<'r> {
    pub template: &'r Template,
    pub cluster: Option<&'r Cluster>,
    pub area: &'r str,
    pub number: usize,
    pub seed: u64,
    pub kind: Kind,
}

/// A run while it goes on.
struct Scene<'r> {
    run: &'r Run<'r>,
    place: Place,
    crew: Crew,
    journal: Arc<Journal>,
    rng: StdRng,
    wrong: Wrong,
    struck: bool,
    point: String,
}

/// How long anything is waited for.
const LONG: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(40);

impl Run<'_> {
    pub async fn go(&self) -> Outcome {
        let began = Instant::now();
        let folder = tempfile::tempdir().expect("a folder");
        let place = self.template.copy(folder.path(), self.cluster, self.number);
        let crew = Crew {
            clerk: self.template.clerk.clone(),
            dispatcher: self.template.dispatcher.clone(),
            area: self.area.to_owned(),
            torn: self.kind == TornConnections,
            seed: self.seed,
        };
        let mut scene = Scene {
            run: self,
            place,
            crew,
            journal: Arc::default(),
            rng: StdRng::seed_from_u64(self.seed),
            wrong: Wrong::new(),
            struck: false,
            point: String::new(),
        };
        scene.break_it().await;
        let attempts = scene.journal.attempts();
        scene.wrong.extend(check::look(&scene.place, &attempts).await);
        let repeated = scene.again(&attempts).await;
        let told = |wanted: fn(&Told) -> bool| attempts.iter().filter(|attempt| wanted(&attempt.told)).count();
        if let (Some(cluster), Some(database)) = (self.cluster, scene.place.database()) {
            let _ = cluster.sql(&format!("drop database if exists {database} with (force)"));
        }
        Outcome {
            run: self.number,
            seed: self.seed,
            on: self.template.on,
            kind: self.kind,
            point: scene.point,
            struck: scene.struck,
            acknowledged: told(|told| matches!(told, Told::Done(_))),
            refused: told(|told| matches!(told, Told::Refused(..))),
            unanswered: told(|told| matches!(told, Told::Nothing)),
            repeated,
            seconds: began.elapsed().as_secs_f64(),
            wrong: scene.wrong,
        }
    }
}

impl Scene<'_> {
    async fn break_it(&mut self) {
        match self.run.kind {
            KillAtWrite => self.killed("pwrite64", 420).await,
            KillAtSync => self.killed("fdatasync,fsync", 90).await,
            KillAtPlainWrite => self.killed("write,writev,sendto", 500).await,
            KillAtMessage => self.killed("sendto,writev,write", 900).await,
            KillAtFirstStart => self.killed_at_first_start().await,
            SyncFailsOnce => self.failing("fdatasync,fsync", 70, "").await,
            SyncFailsAlways => self.failing("fdatasync,fsync", 70, "+").await,
            WriteFailsOnce => self.failing("pwrite64", 300, "").await,
            FullDatabase => self.full_database().await,
            FullPhotos => self.full_photos().await,
            FullBackup => self.full_backup().await,
            KillAtBackup => self.killed_at_backup().await,
            DatabaseRestarts => self.database_restarts().await,
            ConnectionsEnded => self.connections_ended().await,
            DatabaseCrashes => self.database_crashes().await,
            ClockBack => self.clock_back().await,
            ClockAhead => self.clock_ahead().await,
            TornConnections => self.torn().await,
        }
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    // ---- killed

    async fn killed(&mut self, calls: &str, most: u64) {
        let at = self.rng.random_range(1..=most);
        self.point = format!("{calls} no. {at}");
        let injection = Injection::Calls(format!("{calls}:signal=SIGKILL:when={at}"));
        let Ok(mut server) = Server::start(&self.place, injection).await else {
            self.struck = true;
            return;
        };
        let crew = self.crew.start(&server.address, &self.journal);
        let all = futures::future::join_all(crew);
        let _ = tokio::time::timeout(LONG, all).await;
        self.struck = server.ended_soon().await;
        server.kill().await;
    }

    async fn killed_at_first_start(&mut self) {
        let at = self.rng.random_range(1..=160);
        let calls = "openat,linkat,unlink,write,pwrite64,fsync,fdatasync";
        self.point = format!("{calls} no. {at}");
        let folder = tempfile::tempdir().expect("a folder");
        let fresh = Place::lay_out(On::Sqlite, folder.path(), None);
        let injection = Injection::Calls(format!("{calls}:signal=SIGKILL:when={}", at + 40));
        match Server::start(&fresh, injection).await {
            Ok(server) => server.kill().await,
            Err(_) => self.struck = true,
        }
        match Server::start(&fresh, Injection::None).await {
            Ok(server) => {
                self.must_be_well(&server).await;
                server.stop().await;
            }
            Err(said) => self.wrong(format!("does not start after it was killed at its first start: {said}")),
        }
        self.wrong.extend(check::look(&fresh, &[]).await);
    }

    // ---- the disk

    async fn failing(&mut self, calls: &str, most: u64, from_then_on: &str) {
        // The first ones belong to the start: a program that cannot even start says so and is not a server.
        let at = self.rng.random_range(8..=most);
        self.point = format!("{calls} no. {at}{from_then_on}");
        let injection = Injection::Calls(format!("{calls}:error=EIO:when={at}{from_then_on}"));
        let server = match Server::start(&self.place, injection).await {
            Ok(server) => server,
            Err(said) => {
                self.struck = true;
                if !said.contains("exit status: 1") {
                    self.wrong(format!("did not end by itself, saying why: {said}"));
                }
                return;
            }
        };
        let crew = futures::future::join_all(self.crew.start(&server.address, &self.journal));
        let _ = tokio::time::timeout(LONG, crew).await;
        let stopped = self.first_refusal("storage_stopped");
        self.struck = stopped.is_some() || self.journal.saw("storage_unavailable");
        if let Some(since) = stopped {
            self.must_be_ill(&server, "storage_stopped").await;
            // Never again on this handle: nothing sent after the first refusal may be acknowledged.
            for attempt in self.journal.attempts() {
                if attempt.sent > since
                    && matches!(attempt.told, Told::Done(_))
                    && !matches!(attempt.op, Op::Photo { .. })
                {
                    self.wrong(format!("acknowledged after the disk had failed: {:?}", attempt.op));
                }
            }
            let read = self
                .crew
                .dispatcher
                .at(&server.address)
                .get("/api/v1/cases?queue=all")
                .await;
            if !read.as_ref().is_some_and(Answer::ok) {
                let said = read.map(|answer| format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
                self.wrong(format!("reading does not go on after the disk has failed: {said:?}"));
            }
        }
        server.stop().await;
    }

    /// When the first refusal with this code was answered.
    fn first_refusal(&self, code: &str) -> Option<u64> {
        let refused = |attempt: &Attempt| matches!(&attempt.told, Told::Refused(_, said) if said == code);
        self.journal
            .attempts()
            .iter()
            .filter(|attempt| refused(attempt))
            .map(|attempt| attempt.answered)
            .min()
    }

    async fn full_database(&mut self) {
        let Some(disk) = SmallDisk::mount(&self.place.folder.join("data"), 64) else {
            return self.failing("pwrite64", 300, "+").await;
        };
        let room = self.rng.random_range(100..1600);
        self.point = format!("{room} KiB left");
        disk.fill_but(room);
        match Server::start(&self.place, Injection::None).await {
            Err(said) => {
                self.struck = true;
                if !said.contains("exit status: 1") {
                    self.wrong(format!("did not end by itself, saying why: {said}"));
                }
            }
            Ok(server) => {
                let crew = futures::future::join_all(self.crew.start(&server.address, &self.journal));
                let _ = tokio::time::timeout(LONG, crew).await;
                self.struck = self.journal.saw("disk_full");
                if self.struck {
                    self.must_be_ill(&server, "disk_full").await;
                    disk.make_room();
                    self.must_be_well(&server).await;
                    self.must_accept(&server).await;
                }
                server.stop().await;
            }
        }
        disk.make_room();
        disk.give_back();
    }

    async fn full_photos(&mut self) {
        let Some(disk) = SmallDisk::mount(&self.place.blobs(), 2) else {
            return;
        };
        let room = self.rng.random_range(0..24);
        self.point = format!("{room} KiB left");
        disk.fill_but(room);
        if let Ok(server) = Server::start(&self.place, Injection::None).await {
            let crew = futures::future::join_all(self.crew.start(&server.address, &self.journal));
            let _ = tokio::time::timeout(LONG, crew).await;
            let refused = ["disk_full", "storage_unavailable"];
            self.struck = refused.iter().any(|code| self.journal.saw(code));
            for attempt in self.journal.attempts() {
                match (&attempt.op, &attempt.told) {
                    (Op::Photo { .. }, Told::Refused(status, code)) if !refused.contains(&code.as_str()) => {
                        self.wrong(format!("a photo without room was answered {status} {code}"));
                    }
                    (Op::Report { .. }, Told::Refused(status, code)) => {
                        self.wrong(format!(
                            "a report was refused for want of room for photos: {status} {code}"
                        ));
                    }
                    _ => {}
                }
            }
            disk.make_room();
            server.stop().await;
        }
        disk.make_room();
        disk.give_back();
    }

    // ---- backups

    async fn full_backup(&mut self) {
        self.some_work().await;
        let target = self.place.folder.join("backups");
        std::fs::create_dir_all(&target).expect("a folder");
        let Some(disk) = SmallDisk::mount(&target, 1) else {
            return;
        };
        let room = self.rng.random_range(0..900);
        self.point = format!("{room} KiB left");
        disk.fill_but(room);
        let (well, said) = self.back_up(&Injection::None, &target).await;
        self.struck = !well;
        self.only_whole_backups(&target, well, &said).await;
        disk.drop();
    }

    async fn killed_at_backup(&mut self) {
        self.some_work().await;
        let target = self.place.folder.join("backups");
        std::fs::create_dir_all(&target).expect("a folder");
        let calls = "pwrite64,fsync,rename,renameat2,linkat,unlink";
        let at = self.rng.random_range(1..=700);
        self.point = format!("{calls} no. {at}");
        let injection = Injection::Calls(format!("{calls}:signal=SIGKILL:when={at}"));
        let (well, said) = self.back_up(&injection, &target).await;
        self.struck = !well;
        self.only_whole_backups(&target, well, &said).await;
        // The next one is not hindered by what the interrupted one left.
        if !well {
            let (well, said) = self.back_up(&Injection::None, &target).await;
            if !well {
                self.wrong(format!("no backup after an interrupted one: {said}"));
            }
            self.only_whole_backups(&target, well, &said).await;
        }
    }

    async fn back_up(&self, injection: &Injection, target: &Path) -> (bool, String) {
        let file = target.join("copy.sqlite").display().to_string();
        Server::run(&self.place, injection, &["backup", "--out", &file]).await
    }

    /// What bears the name of a backup is one.
    async fn only_whole_backups(&mut self, target: &Path, well: bool, said: &str) {
        let file = target.join("copy.sqlite");
        if well != file.exists() && well {
            self.wrong(format!("a backup said to be made is not there: {said}"));
        }
        if file.exists() {
            let into = tempfile::tempdir().expect("a folder");
            let into = format!("sqlite:{}", into.path().join("restored.db").display());
            let file = file.display().to_string();
            let (restored, said) =
                Server::run(&self.place, &Injection::None, &["restore", &file, "--into", &into]).await;
            if !restored {
                self.wrong(format!("a file with the name of a backup cannot be restored: {said}"));
            }
        }
    }

    /// A server that works well for a while.
    async fn some_work(&mut self) {
        let server = Server::start(&self.place, Injection::None)
            .await
            .expect("a sound place is served");
        let _ = tokio::time::timeout(
            LONG,
            futures::future::join_all(self.crew.start(&server.address, &self.journal)),
        )
        .await;
        server.stop().await;
    }

    // ---- PostgreSQL

    async fn database_restarts(&mut self) {
        let mode = ["fast", "immediate"][self.rng.random_range(0..2)];
        self.point = format!("restart -m {mode}");
        self.while_writing(|cluster, _| cluster.restart(mode)).await;
    }

    async fn connections_ended(&mut self) {
        self.point = "pg_terminate_backend".into();
        self.while_writing(|cluster, database| {
            let sql = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'");
            cluster.sql(&sql).expect("the connections can be ended");
        })
        .await;
    }

    async fn database_crashes(&mut self) {
        self.point = "kill -9 of one of its processes".into();
        self.while_writing(|cluster, database| {
            let sql = format!(
                "select pid from pg_stat_activity where datname = '{database}' order by state <> 'idle' desc, pid limit 1"
            );
            let pid = cluster.sql(&sql).expect("it has connections");
            let killed = Command::new("kill").args(["-9", pid.trim()]).status();
            assert!(killed.is_ok_and(|status| status.success()));
        })
        .await;
    }

    /// Strikes after some writes were acknowledged; the server must find back by itself.
    async fn while_writing(&mut self, strike: impl FnOnce(&Cluster, &str)) {
        let Some(cluster) = self.run.cluster else { return };
        let server = Server::start(&self.place, Injection::None)
            .await
            .expect("a sound place is served");
        let crew = self.crew.start(&server.address, &self.journal);
        let after = self.rng.random_range(5..40);
        self.point.push_str(&format!(" after {after} writes"));
        self.wait_for(|journal| journal.done() >= after).await;
        let database = self.place.database().unwrap_or_default().to_owned();
        tokio::task::block_in_place(|| strike(cluster, &database));
        self.struck = true;
        let _ = tokio::time::timeout(LONG, futures::future::join_all(crew)).await;
        self.must_be_well(&server).await;
        self.must_accept(&server).await;
        server.stop().await;
    }

    // ---- the clock

    async fn clock_back(&mut self) {
        let (clock, server) = self.with_a_clock().await;
        let crew = self.crew.start(&server.address, &self.journal);
        self.wait_for(|journal| journal.done() >= 10).await;
        let minutes = self.rng.random_range(15..100_000);
        self.point = format!("back by {minutes} minutes");
        std::fs::write(&clock, format!("-{minutes}m")).expect("the clock is set");
        self.must_be_ill(&server, "clock_stepped").await;
        self.struck = true;
        let since = self.journal.tick();
        self.wait_for(|journal| journal.saw("clock_stepped")).await;
        self.journal.over.store(true, Ordering::SeqCst);
        let _ = tokio::time::timeout(LONG, futures::future::join_all(crew)).await;
        for attempt in self.journal.attempts() {
            if attempt.sent > since && matches!(attempt.told, Told::Done(_)) {
                self.wrong(format!("acknowledged while the clock stood back: {:?}", attempt.op));
            }
        }
        std::fs::write(&clock, "+0").expect("the clock is set");
        self.must_be_well(&server).await;
        self.must_accept(&server).await;
        server.stop().await;
    }

    async fn clock_ahead(&mut self) {
        let (clock, server) = self.with_a_clock().await;
        let crew = self.crew.start(&server.address, &self.journal);
        self.wait_for(|journal| journal.done() >= 10).await;
        let hours = self.rng.random_range(2..9_000);
        self.point = format!("ahead by {hours} hours");
        std::fs::write(&clock, format!("+{hours}h")).expect("the clock is set");
        let before = self.journal.done();
        self.wait_for(|journal| journal.done() >= before + 10).await;
        self.struck = self.journal.done() > before;
        self.journal.over.store(true, Ordering::SeqCst);
        let _ = tokio::time::timeout(LONG, futures::future::join_all(crew)).await;
        server.stop().await;
        // Put right again, the newest records are of the future: refused until somebody says that the clock is right.
        let server = Server::start(&self.place, Injection::None).await.expect("it starts");
        self.must_be_ill(&server, "clock_stepped").await;
        server.stop().await;
        let told = ["serve", "--accept-clock"];
        let server = Server::start_with(&self.place, Injection::None, &told)
            .await
            .expect("it starts");
        self.must_be_well(&server).await;
        self.must_accept(&server).await;
        server.stop().await;
    }

    async fn with_a_clock(&self) -> (PathBuf, Server) {
        let clock = self.place.folder.join("clock");
        std::fs::write(&clock, "+0").expect("the clock is set");
        let server = Server::start(&self.place, Injection::Clock(clock.clone())).await;
        (clock, server.expect("a sound place is served"))
    }

    // ---- connections

    async fn torn(&mut self) {
        self.point = "head, body, before and in the answer".into();
        let server = Server::start(&self.place, Injection::None)
            .await
            .expect("a sound place is served");
        let _ = tokio::time::timeout(
            LONG,
            futures::future::join_all(self.crew.start(&server.address, &self.journal)),
        )
        .await;
        self.struck = true;
        self.must_be_well(&server).await;
        server.kill().await;
    }

    // ---- what must be seen

    async fn wait_for(&self, seen: impl Fn(&Journal) -> bool) {
        let began = Instant::now();
        while began.elapsed() < LONG && !seen(&self.journal) {
            tokio::time::sleep(STEP).await;
        }
    }

    async fn health(&self, server: &Server) -> Option<Answer> {
        Client::default().at(&server.address).get("/health").await
    }

    /// Within a while the health page says what is wrong.
    async fn must_be_ill(&mut self, server: &Server, code: &str) {
        let began = Instant::now();
        let mut said = String::new();
        while began.elapsed() < LONG {
            if let Some(answer) = self.health(server).await {
                said = String::from_utf8_lossy(&answer.body).into_owned();
                let problems = answer.json()["problems"].clone();
                let named = problems
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["code"] == code));
                if answer.status == 503 && named {
                    return;
                }
            }
            tokio::time::sleep(STEP).await;
        }
        self.wrong(format!("/health does not say {code}: {said}"));
    }

    /// Within a while it is well again, by itself.
    async fn must_be_well(&mut self, server: &Server) {
        let began = Instant::now();
        let mut said = String::new();
        while began.elapsed() < LONG {
            if let Some(answer) = self.health(server).await {
                if answer.ok() {
                    return;
                }
                said = String::from_utf8_lossy(&answer.body).into_owned();
            }
            tokio::time::sleep(STEP).await;
        }
        self.wrong(format!("not well again: {said}"));
    }

    /// A report is taken now, at the first try.
    async fn must_accept(&mut self, server: &Server) {
        let journal = Arc::new(Journal::default());
        let crew = Crew {
            seed: self.run.seed.wrapping_add(1 << 32),
            torn: false,
            ..self.crew.clone()
        };
        let told = crew.one_report(&server.address, &journal).await;
        if !matches!(told, Told::Done(_)) {
            self.wrong(format!("does not accept again: {told:?}"));
        }
        for attempt in journal.attempts() {
            self.journal.keep(attempt);
        }
    }

    /// Starts it again without a fault and sends everything once more that was acknowledged or not answered: the same answer to the same
    /// id, and in the end each thing once. How many were sent.
    async fn again(&mut self, attempts: &[Attempt]) -> usize {
        let told_so = ["serve", "--accept-clock"];
        let args: &[&str] = if self.run.kind == ClockAhead {
            &told_so
        } else {
            &["serve"]
        };
        let server = match Server::start_with(&self.place, Injection::None, args).await {
            Ok(server) => server,
            Err(said) => {
                self.wrong(format!("does not start again: {said}"));
                return 0;
            }
        };
        self.must_be_well(&server).await;
        let crew = self.crew.at(&server.address);
        let mut sent = Vec::new();
        let mut known = 0;
        for attempt in attempts {
            // All of whose fate nothing is known, and a part of the others.
            let unknown = attempt.may_be_either();
            let most = if self.template().on == On::Sqlite { 40 } else { 20 };
            if attempt.is_final() || (!unknown && known >= most) {
                continue;
            }
            known += usize::from(!unknown);
            sent.push(attempt);
            let told = crew.send(&attempt.op, None).await;
            match (&attempt.op, &attempt.told, &told) {
                (Op::Report { id, .. }, Told::Done(first), Told::Done(second)) => {
                    if check::number(first) != check::number(second) {
                        self.wrong(format!("DOUBLED: {id} has another number when sent again"));
                    }
                }
                (Op::Photo { id, .. }, Told::Done(first), Told::Done(second)) if first != second => {
                    self.wrong(format!("photo {id} has another name when sent again"));
                }
                (_, _, Told::Done(_)) => {}
                // The case went on meanwhile: an act that was never done may now be refused by a rule.
                (Op::Act { .. }, Told::Nothing | Told::Refused(..), Told::Refused(status, _)) if *status < 500 => {}
                (op, before, after) => self.wrong(format!("sent again {op:?}: {before:?} then {after:?}")),
            }
        }
        server.stop().await;
        let number = sent.len();
        self.once(attempts, &sent).await;
        let promised: Vec<Attempt> = attempts
            .iter()
            .filter(|attempt| matches!(attempt.told, Told::Done(_)))
            .cloned()
            .collect();
        self.wrong.extend(check::look(&self.place, &promised).await);
        number
    }

    fn template(&self) -> &Template {
        self.run.template
    }

    /// As many cases as were acknowledged then or now, each comment once.
    async fn once(&mut self, attempts: &[Attempt], again: &[&Attempt]) {
        let (cases, comments) = match check::totals(&self.place).await {
            Ok(totals) => totals,
            Err(error) => return self.wrong(format!("counting failed: {error}")),
        };
        let report = |attempt: &Attempt| match &attempt.op {
            Op::Report { id, .. } => Some(id.clone()),
            _ => None,
        };
        let done = attempts.iter().filter(|attempt| matches!(attempt.told, Told::Done(_)));
        let asked: BTreeSet<String> = done.chain(again.iter().copied()).filter_map(report).collect();
        let asked = asked.len() as i64;
        if cases != asked {
            self.wrong(format!("{asked} cases were asked for, {cases} are there"));
        }
        for attempt in attempts {
            if let Op::Act {
                action: "comment",
                body,
                ..
            } = &attempt.op
            {
                let text = body["body"].as_str().unwrap_or_default();
                let times = comments.iter().filter(|comment| comment.contains(text)).count();
                if times > 1 || (times == 0 && matches!(attempt.told, Told::Done(_))) {
                    self.wrong(format!("a comment is there {times} times: {text}"));
                }
            }
        }
    }
}

/// A disk of a few MiB of its own, in memory, mounted over a folder whose content it takes over.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// None where this user may not mount.
    fn mount(folder: &Path, mib: usize) -> Option<SmallDisk> {
        let beside = folder.with_extension("beside");
        std::fs::rename(folder, &beside).expect("the folder can be moved");
        std::fs::create_dir_all(folder).expect("a folder");
        let size = format!("size={mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            std::fs::remove_dir(folder).expect("an empty folder");
            std::fs::rename(&beside, folder).expect("the folder can be moved");
            return None;
        }
        let copied = Command::new("cp").arg("-a").arg(beside.join(".")).arg(folder).status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "the small disk is too small"
        );
        Some(SmallDisk {
            folder: folder.to_owned(),
        })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Fills it up to so many KiB.
    fn fill_but(&self, kib: usize) {
        let all = vec![7; 64 << 20];
        // Writes until there is no room: what fitted stays.
        let _ = std::fs::write(self.ballast(), all);
        let length = std::fs::metadata(self.ballast()).expect("the ballast").len();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(self.ballast())
            .expect("the ballast");
        file.set_len(length.saturating_sub((kib << 10) as u64))
            .expect("room is made");
    }

    fn make_room(&self) {
        let _ = std::fs::remove_file(self.ballast());
    }

    /// Takes the disk away and leaves its content in the folder.
    fn give_back(self) {
        let beside = self.folder.with_extension("beside");
        std::fs::remove_dir_all(&beside).expect("the old content");
        let copied = Command::new("cp").arg("-a").arg(&self.folder).arg(&beside).status();
        assert!(copied.is_ok_and(|status| status.success()));
        self.unmount();
        std::fs::remove_dir(&self.folder).expect("an empty folder");
        std::fs::rename(&beside, &self.folder).expect("the folder can be moved");
    }

    fn drop(self) {
        self.unmount();
        let _ = std::fs::remove_dir_all(self.folder.with_extension("beside"));
    }

    fn unmount(&self) {
        let done = Command::new("umount").arg("-l").arg(&self.folder).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the small disk is taken away"
        );
    }
}
