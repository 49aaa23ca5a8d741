//! `wangge bench --load SECONDS`: a working day pressed into minutes. Hundreds watch the live board, dozens hand in reports, hundreds read, all at
//! once and each with a pause between two requests, as people have.
//!
//! Tells how many requests of each kind were answered and how fast, whether an event reached every watcher who was connected while the case was
//! taken in, and the server's memory in each third of the time, so that a leak shows as a rise. Entry point: [`run`].

use super::client::Client;
use super::work::{figure, id, report};
use super::{Args, CliError, Figure, Server};
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What hundreds do at the same time.
#[derive(Debug, Clone, clap::Args)]
pub struct Crowd {
    /// 只测负载：这么多秒 · Only the load, for so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub load: Option<u64>,
    /// 负载：看实时看板的人数 · Load: people who watch the live board
    #[arg(long, default_value_t = 500)]
    pub watchers: usize,
    /// 负载：登记诉求的人数 · Load: people who take reports
    #[arg(long, default_value_t = 64)]
    pub writers: usize,
    /// 负载：查看的人数 · Load: people who read queues, cases, counts and the board
    #[arg(long, default_value_t = 200)]
    pub readers: usize,
    /// 负载：两次请求之间停多少毫秒 · Load: pause of each person between two requests, milliseconds
    #[arg(long, default_value_t = 1_000)]
    pub pause_ms: u64,
}

/// How long events may be on their way when the writers have stopped.
const SETTLE: Duration = Duration::from_secs(3);
/// The server's memory is looked at this often.
const LOOK: Duration = Duration::from_millis(500);

/// What came of it on one database.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `sqlite` or `postgres`.
    pub on: String,
    pub seconds: u64,
    pub watchers: usize,
    pub writers: usize,
    pub readers: usize,
    /// Requests of each kind; `event` is from a report's beginning to its arrival at a watcher.
    pub figures: Vec<Figure>,
    /// Requests that were not answered well, with the first reason.
    pub failed: usize,
    pub first_failure: Option<String>,
    /// Reports taken in.
    pub reports: usize,
    /// Events that reached watchers.
    pub events: usize,
    /// Events a watcher was connected for and neither got nor was told to have missed.
    pub events_lost: usize,
    /// Times a watcher was told to ask again because it was too slow.
    pub resyncs: usize,
    /// The server's resident memory: average of each third of the time, and the most, in MB.
    pub rss_mb_thirds: [f64; 3],
    pub rss_mb_most: f64,
}

/// When a report was begun and answered, by its number; none while it is under way or failed.
type Log = Mutex<Vec<Option<(Instant, Instant)>>>;

/// What all tasks share.
struct Shared {
    stop: AtomicBool,
    next: AtomicUsize,
    reports: Log,
    begun: Mutex<Vec<Option<Instant>>>,
    /// Kind and duration of each request.
    times: Mutex<Vec<(&'static str, Duration)>>,
    failures: Mutex<Vec<String>>,
    periods: Mutex<Vec<Period>>,
    resyncs: AtomicUsize,
    pause: Duration,
}

/// One connection of a watcher.
struct Period {
    opened: Instant,
    closed: Instant,
    /// Ended because something was missed: what is missing was told.
    resynced: bool,
    /// Numbers of the reports heard of, a bit each.
    heard: Vec<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put<T: Clone>(list: &Mutex<Vec<Option<T>>>, at: usize, value: T) {
    let mut list = lock(list);
    if list.len() <= at {
        list.resize(at + 1, None);
    }
    list[at] = Some(value);
}

/// Loads one server for as long as was asked.
pub async fn run(server: &Server, on: &'static str, args: &Args, seconds: u64) -> Result<Report, CliError> {
    let crowd = &args.crowd;
    let shared = Arc::new(Shared {
        stop: AtomicBool::new(false),
        next: AtomicUsize::new(0),
        reports: Mutex::default(),
        begun: Mutex::default(),
        times: Mutex::default(),
        failures: Mutex::default(),
        periods: Mutex::default(),
        resyncs: AtomicUsize::new(0),
        pause: Duration::from_millis(crowd.pause_ms),
    });
    let (clerk, dispatcher) = (server.client("clerk").await?, server.client("dispatcher").await?);
    // Something to read from the beginning on.
    clerk
        .again()
        .await?
        .post("/api/v1/cases", &report(usize::MAX >> 20))
        .await?;
    let mut tasks = JoinSet::new();
    for _ in 0..crowd.watchers {
        tasks.spawn(watch(dispatcher.again().await?, shared.clone()));
    }
    for n in 0..crowd.writers {
        tasks.spawn(write(clerk.again().await?, shared.clone(), n));
    }
    for n in 0..crowd.readers {
        tasks.spawn(read(dispatcher.again().await?, shared.clone(), n));
    }
    let begin = Instant::now();
    let mut memory = Vec::new();
    while begin.elapsed() < Duration::from_secs(seconds) {
        memory.push(server.rss_mb()?);
        tokio::time::sleep(LOOK).await;
    }
    shared.stop.store(true, Ordering::SeqCst);
    let took = begin.elapsed();
    tokio::time::sleep(SETTLE).await;
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(CliError::new)?;
    }
    Ok(summed(&shared, on, crowd, seconds, took, &memory))
}

fn summed(shared: &Shared, on: &str, crowd: &Crowd, seconds: u64, took: Duration, memory: &[f64]) -> Report {
    let times = lock(&shared.times);
    let mut kinds: Vec<&'static str> = times.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind| {
        times
            .iter()
            .filter(|(of, _)| *of == kind)
            .map(|(_, time)| *time)
            .collect()
    };
    let figures = kinds
        .into_iter()
        .map(|kind| figure(on, kind, of(kind), took, None))
        .collect();
    let reports = lock(&shared.reports);
    let periods = lock(&shared.periods);
    let third = |n: usize| {
        let part = &memory[memory.len() * n / 3..memory.len() * (n + 1) / 3];
        part.iter().sum::<f64>() / part.len().max(1) as f64
    };
    let failures = lock(&shared.failures);
    Report {
        on: on.to_owned(),
        seconds,
        watchers: crowd.watchers,
        writers: crowd.writers,
        readers: crowd.readers,
        figures,
        failed: failures.len(),
        first_failure: failures.first().cloned(),
        reports: reports.iter().flatten().count(),
        events: periods
            .iter()
            .flat_map(|period| &period.heard)
            .map(|bits| bits.count_ones() as usize)
            .sum(),
        events_lost: periods.iter().map(|period| period.lost(&reports)).sum(),
        resyncs: shared.resyncs.load(Ordering::SeqCst),
        rss_mb_thirds: [third(0), third(1), third(2)],
        rss_mb_most: memory.iter().copied().fold(0.0, f64::max),
    }
}

impl Period {
    fn hear(&mut self, number: usize) {
        if self.heard.len() <= number / 64 {
            self.heard.resize(number / 64 + 1, 0);
        }
        self.heard[number / 64] |= 1 << (number % 64);
    }

    /// Reports begun and answered while it was connected that it never heard of.
    fn lost(&self, reports: &[Option<(Instant, Instant)>]) -> usize {
        if self.resynced {
            return 0;
        }
        let heard = |n: usize| self.heard.get(n / 64).is_some_and(|bits| bits & (1 << (n % 64)) != 0);
        let all = reports.iter().enumerate();
        let due = all.filter_map(|(n, times)| times.map(|times| (n, times)));
        due.filter(|(n, (begun, answered))| *begun >= self.opened && *answered + SETTLE <= self.closed && !heard(*n))
            .count()
    }
}

async fn watch(session: Client, shared: Arc<Shared>) {
    while !shared.stop.load(Ordering::SeqCst) {
        let Ok(mut stream) = session.again().await else { return };
        match stream.listen("/api/v1/events?topics=case").await {
            Ok(()) => {}
            Err(error) => return lock(&shared.failures).push(error.to_string()),
        }
        let mut period = Period {
            opened: Instant::now(),
            closed: Instant::now(),
            resynced: false,
            heard: Vec::new(),
        };
        let mut stopped: Option<Instant> = None;
        loop {
            if shared.stop.load(Ordering::SeqCst) {
                let since = *stopped.get_or_insert_with(Instant::now);
                if since.elapsed() > SETTLE {
                    break;
                }
            }
            match tokio::time::timeout(LOOK, stream.line()).await {
                Err(_) => {}
                Ok(Err(_)) => break,
                // The last chunk: the server ended the stream, as it does after a while; who watches connects again.
                Ok(Ok(line)) if line == "0" => break,
                Ok(Ok(line)) if line == "event: resync" => {
                    shared.resyncs.fetch_add(1, Ordering::SeqCst);
                    period.resynced = true;
                    break;
                }
                Ok(Ok(line)) => {
                    if let Some(number) = line.strip_prefix("data: ").and_then(received) {
                        period.hear(number);
                        if let Some(Some(begun)) = lock(&shared.begun).get(number) {
                            let took = begun.elapsed();
                            // One in a hundred is enough for the figure.
                            if number % 100 == 0 {
                                lock(&shared.times).push(("event to a watcher", took));
                            }
                        }
                    }
                }
            }
        }
        period.closed = Instant::now();
        lock(&shared.periods).push(period);
    }
}

/// The number of the report an event says was received.
fn received(data: &str) -> Option<usize> {
    let event: Value = serde_json::from_str(data).ok()?;
    if event["kind"] != "case.received" {
        return None;
    }
    let number = usize::from_str_radix(event["id"].as_str()?.rsplit('-').next()?, 16).ok()?;
    // The one made before the watchers came is far away.
    (event["id"] == id(number) && number < usize::MAX >> 20).then_some(number)
}

async fn write(mut client: Client, shared: Arc<Shared>, n: usize) {
    rest(&shared, n).await;
    while !shared.stop.load(Ordering::SeqCst) {
        let number = shared.next.fetch_add(1, Ordering::SeqCst);
        let begun = Instant::now();
        put(&shared.begun, number, begun);
        match client.post("/api/v1/cases", &report(number)).await {
            Ok(_) => {
                let answered = Instant::now();
                put(&shared.reports, number, (begun, answered));
                lock(&shared.times).push(("report taken in", answered - begun));
            }
            Err(error) => return lock(&shared.failures).push(error.to_string()),
        }
        tokio::time::sleep(shared.pause).await;
    }
}

/// What readers look at, in turn.
const LOOKS: [(&str, &str); 5] = [
    ("queue page", "/api/v1/cases?queue=all&limit=25"),
    ("queue counts", "/api/v1/cases/counts?queue=late"),
    ("board", "/api/v1/board"),
    ("case page", ""),
    ("search", "/api/v1/cases/search?q=%E8%B7%AF%E7%81%AF"),
];

async fn read(mut client: Client, shared: Arc<Shared>, n: usize) {
    rest(&shared, n).await;
    let mut page = None;
    let mut turn = n;
    while !shared.stop.load(Ordering::SeqCst) {
        let (kind, path) = LOOKS[turn % LOOKS.len()];
        turn += 1;
        let path = match (path, &page) {
            ("", Some(id)) => format!("/api/v1/cases/{id}?purpose=dispatch"),
            ("", None) => continue,
            (path, _) => path.to_owned(),
        };
        let begun = Instant::now();
        match client.get(&path).await {
            Ok(answer) => {
                lock(&shared.times).push((kind, begun.elapsed()));
                let items = answer["items"].as_array().filter(|items| !items.is_empty());
                let one = items.and_then(|items| items[n % items.len()]["id"].as_str());
                page = one.map(str::to_owned).or(page);
            }
            Err(error) => return lock(&shared.failures).push(error.to_string()),
        }
        tokio::time::sleep(shared.pause).await;
    }
}

/// People do not all begin in the same instant.
async fn rest(shared: &Shared, n: usize) {
    let part = u32::try_from(n % 97).unwrap_or_default();
    tokio::time::sleep(shared.pause * part / 97).await;
}

/// The table of one database.
pub fn print(report: &Report) {
    println!(
        "{}: {} s, {} watching, {} writing, {} reading",
        report.on, report.seconds, report.watchers, report.writers, report.readers
    );
    super::Table::default().extend(report.figures.clone());
    println!(
        "{} reports, {} events to watchers, {} lost, {} told to ask again, {} requests failed{}",
        report.reports,
        report.events,
        report.events_lost,
        report.resyncs,
        report.failed,
        report
            .first_failure
            .as_deref()
            .map(|why| format!(" (first: {why})"))
            .unwrap_or_default(),
    );
    let [first, second, third] = report.rss_mb_thirds;
    println!(
        "server memory MB: {first:.0} / {second:.0} / {third:.0} in the thirds of the time, at most {:.0}\n",
        report.rss_mb_most
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_lost_only_where_the_watcher_was_there_and_not_told() {
        let at = Instant::now();
        let later = |s| at + Duration::from_secs(s);
        let reports = vec![
            Some((later(1), later(2))),
            Some((later(3), later(4))),
            None,
            Some((later(90), later(91))),
        ];
        let mut period = Period {
            opened: later(2),
            closed: later(60),
            resynced: false,
            heard: Vec::new(),
        };
        assert_eq!(period.lost(&reports), 1, "the first was begun before, the last after");
        period.hear(1);
        assert_eq!(period.lost(&reports), 0);
        let told = Period {
            resynced: true,
            heard: Vec::new(),
            ..period
        };
        assert_eq!(told.lost(&reports), 0);
    }

    #[test]
    fn an_event_names_its_report() {
        let data = format!("{{\"topic\":\"case\",\"kind\":\"case.received\",\"id\":\"{}\"}}", id(7));
        assert_eq!(received(&data), Some(7));
        assert_eq!(received(&data.replace("received", "taken")), None);
    }
}
