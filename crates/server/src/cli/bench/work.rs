//! The kinds of work that are measured, each as its people do it.

use super::client::Client;
use super::{Args, CliError, Figure, Server, Table, city, many};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Clients at once for everything but the intake.
const READERS: usize = 8;
/// Connections for requests that come at a rate, whether or not those before them are answered.
const CROWD: usize = 64;
const QUEUE_PAGE: &str = "/api/v1/cases?queue=all&limit=25";
/// Words searched for: frequent, rare, absent, one character, two words, pinyin.
const WORDS: [&str; 8] = [
    "路灯",
    "小区",
    "北门第七栋",
    "漏",
    "消防 通道",
    "ludeng",
    "王小明",
    "井盖松动有响声",
];
/// What residents report.
pub const WHAT: [&str; 8] = [
    "路灯不亮，晚上老人出门看不清路",
    "下水道堵了，污水漫到路面",
    "楼道里堆满杂物，消防通道走不通",
    "井盖松动有响声，车过的时候很吓人",
    "工地夜里施工，吵得睡不着",
    "垃圾两天没有清运，气味很大",
    "邻居把空调水滴到我家窗台，说了几次不听",
    "公交站牌倒了，等车的人坐在路边",
];
const WHERE: [&str; 6] = [
    "小区北门",
    "菜场门口",
    "学校西侧",
    "码头路口",
    "卫生院旁边",
    "北门第七栋",
];

/// Everything on one server, in the order in which it builds on what went before.
pub async fn all(server: &Server, on: &'static str, args: &Args, table: &mut Table) -> Result<(), CliError> {
    let clerk = server.client("clerk").await?;
    let dispatcher = server.client("dispatcher").await?;
    let run = Run { server, on };
    table.add(
        run.repeat("http floor (health)", &clerk, READERS, args.requests, |_| {
            Ask::Get("/health".into())
        })
        .await?,
    );
    let intake = |n| Ask::Post("/api/v1/cases".into(), report(n));
    table.add(
        run.repeat("intake, whole", &clerk, args.clients, args.cases, intake)
            .await?,
    );
    table.extend(lists(server, on, args, "").await?);
    if args.messages > 0 {
        table.add(many::import(server, on, args.messages).await?);
        table.add(run.searches("search after the import", &dispatcher, args).await?);
    }
    if args.due > 0 {
        table.add(many::due_at_once(server, on, args.due).await?);
    }
    if args.shapes > 0 {
        let tiles = Arc::new(city::build(&server.client("system").await?, args.shapes).await?);
        let supervisor = server.client("supervisor").await?;
        let tile = move |n: usize| Ask::Tile(tiles[n % tiles.len()].clone());
        let work = "tile z14, facilities in scope";
        table.add(run.repeat(work, &supervisor, READERS, args.requests, tile).await?);
    }
    Ok(())
}

/// What is read: a case, lists, counts, words, the board.
pub async fn lists(
    server: &Server,
    on: &'static str,
    args: &Args,
    when: &'static str,
) -> Result<Vec<Figure>, CliError> {
    let dispatcher = server.client("dispatcher").await?;
    let run = Run { server, on };
    let ids = Arc::new(case_ids(&dispatcher).await?);
    let page = move |n: usize| Ask::Get(format!("/api/v1/cases/{}?purpose=dispatch", ids[n % ids.len()]));
    let mut figures = vec![
        run.repeat("case page", &dispatcher, READERS, args.requests, page.clone())
            .await?,
        run.at_rate("case page, 500/s", &dispatcher, 500, args.requests, page)
            .await?,
    ];
    let asked = [
        ("queue page", QUEUE_PAGE),
        ("queue page, late", "/api/v1/cases?queue=late&limit=25"),
        (
            "queue page, of a state",
            "/api/v1/cases?queue=all&state=accepted&limit=25",
        ),
        ("queue counts", "/api/v1/cases/counts?queue=all"),
        ("board", "/api/v1/board"),
    ];
    for (work, path) in asked {
        let ask = move |_| Ask::Get(path.to_owned());
        figures.push(run.repeat(work, &dispatcher, READERS, args.requests, ask).await?);
    }
    let queue_page = |_| Ask::Get(QUEUE_PAGE.to_owned());
    figures.push(
        run.at_rate("queue page, 200/s", &dispatcher, 200, args.requests, queue_page)
            .await?,
    );
    figures.push(run.searches("search", &dispatcher, args).await?);
    for figure in &mut figures {
        figure.work = format!("{when}{}", figure.work);
    }
    Ok(figures)
}

/// A request to be made.
enum Ask {
    Get(String),
    Tile(String),
    Post(String, Value),
}

struct Run<'s> {
    server: &'s Server,
    on: &'static str,
}

impl Run<'_> {
    async fn searches(&self, work: &'static str, session: &Client, args: &Args) -> Result<Figure, CliError> {
        let search = |n: usize| Ask::Get(format!("/api/v1/cases/search?q={}", encoded(WORDS[n % WORDS.len()])));
        self.repeat(work, session, READERS, args.requests, search).await
    }

    /// Makes `count` requests from `clients` connections that share a session, each client the next one when the last was answered.
    async fn repeat(
        &self,
        work: &'static str,
        session: &Client,
        clients: usize,
        count: usize,
        ask: impl Fn(usize) -> Ask + Send + Sync + 'static,
    ) -> Result<Figure, CliError> {
        self.paced(work, session, clients, count, None, ask).await
    }

    /// Makes `count` requests, `rate` a second, however long those before them take; the time of each counts from when it was due, so
    /// that waiting behind a slow one is not forgotten.
    async fn at_rate(
        &self,
        work: &'static str,
        session: &Client,
        rate: u32,
        count: usize,
        ask: impl Fn(usize) -> Ask + Send + Sync + 'static,
    ) -> Result<Figure, CliError> {
        self.paced(work, session, CROWD, count, Some(rate), ask).await
    }

    async fn paced(
        &self,
        work: &'static str,
        session: &Client,
        clients: usize,
        count: usize,
        rate: Option<u32>,
        ask: impl Fn(usize) -> Ask + Send + Sync + 'static,
    ) -> Result<Figure, CliError> {
        let (ask, next) = (Arc::new(ask), Arc::new(AtomicUsize::new(0)));
        let cpu = self.server.cpu_us()?;
        let mut crowd = Vec::with_capacity(clients);
        for _ in 0..clients {
            crowd.push(session.again().await?);
        }
        let begin = Instant::now();
        let mut tasks = Vec::with_capacity(clients);
        for mut client in crowd {
            let (ask, next) = (ask.clone(), next.clone());
            tasks.push(tokio::spawn(async move {
                let mut times = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, CliError>(times);
                    }
                    let one = match rate {
                        None => Instant::now(),
                        Some(rate) => {
                            let due = begin + Duration::from_secs(1) * number as u32 / rate;
                            tokio::time::sleep_until(due.into()).await;
                            due
                        }
                    };
                    match ask(number) {
                        Ask::Get(path) => drop(client.get(&path).await?),
                        Ask::Tile(path) => drop(client.fetch(&path).await?),
                        Ask::Post(path, body) => drop(client.post(&path, &body).await?),
                    }
                    times.push(one.elapsed());
                }
            }));
        }
        let mut times = Vec::with_capacity(count);
        for task in tasks {
            times.extend(task.await.map_err(CliError::new)??);
        }
        let took = begin.elapsed();
        let cpu = (self.server.cpu_us()? - cpu) / count.max(1) as f64;
        Ok(figure(self.on, work, times, took, Some(cpu)))
    }
}

/// A figure from single times.
pub fn figure(on: &str, work: &str, mut times: Vec<Duration>, took: Duration, server_cpu_us: Option<f64>) -> Figure {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Figure {
        on: on.to_owned(),
        work: work.to_owned(),
        count: times.len(),
        per_second: times.len() as f64 / took.as_secs_f64(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        server_cpu_us,
    }
}

/// One report by phone, different each time, somewhere in the demo place.
pub fn report(n: usize) -> Value {
    let place = WHERE[n % WHERE.len()];
    let what = WHAT[(n / WHERE.len()) % WHAT.len()];
    json!({
        "id": id(n),
        "channel": "phone",
        "body": format!("{place}{what}，第{n}次反映，请尽快派人来处理。"),
        "lon": 122.80 + (n % 97) as f64 * 0.0025,
        "lat": 29.86 + (n % 89) as f64 * 0.0014,
        "reporter": { "name": "来电人", "phone": format!("139{:08}", n % 100_000_000) },
    })
}

/// A UUIDv7 by form, from the number: the bench needs no chance.
pub fn id(n: usize) -> String {
    let process = u64::from(std::process::id());
    format!(
        "0197a3b0-{:04x}-7{:03x}-8000-{:012x}",
        process & 0xffff,
        (n >> 36) & 0xfff,
        n as u64 & 0xffff_ffff_ffff
    )
}

async fn case_ids(session: &Client) -> Result<Vec<String>, CliError> {
    let list = session.again().await?.get("/api/v1/cases?queue=all&limit=200").await?;
    let ids: Vec<String> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["id"].as_str().map(str::to_owned))
        .collect();
    if ids.is_empty() {
        Err(CliError("there are no cases to look at".into()))
    } else {
        Ok(ids)
    }
}

/// A word in a query string.
fn encoded(word: &str) -> String {
    word.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_times_are_read_from_the_sorted_list() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let figure = figure("sqlite", "x", times, Duration::from_secs(2), None);
        assert_eq!((figure.p50_ms, figure.p99_ms, figure.per_second), (51.0, 100.0, 50.0));
    }

    #[test]
    fn each_report_has_its_own_id() {
        assert_ne!(id(1), id(2));
        assert_eq!(id(1).len(), 36);
    }
}
