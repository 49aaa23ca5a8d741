//! What comes in great numbers: messages taken over, clocks due at the same moment, the cases of a city.

use super::client::Client;
use super::work::{WHAT, figure};
use super::{CliError, Figure, Server};
use crate::cases::multiply;
use db::{Db, Options};
use domain::time::Timestamp;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Rows in one file.
const AT_ONCE: usize = 5_000;
/// From the start of the import of what is due to the moment it is: enough to have written it.
const AHEAD: Duration = Duration::from_secs(90);
/// How long to wait for all of it to be told.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// Takes messages over, two thirds of them with their answers.
pub async fn import(server: &Server, on: &'static str, count: usize) -> Result<Figure, CliError> {
    let mut client = server.client("system").await?;
    let grids = grids(&mut client).await?;
    let cpu = server.cpu_us()?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    for from in (0..count).step_by(AT_ONCE) {
        let rows = from..(from + AT_ONCE).min(count);
        let file = file(rows.map(|n| message(n, &grids)));
        let one = Instant::now();
        taken_over(&client.upload("/api/v1/imports/cases?source=bench", &file).await?)?;
        times.push(one.elapsed());
    }
    let took = begin.elapsed();
    let cpu = (server.cpu_us()? - cpu) / count as f64;
    let mut import = figure(on, "import of messages (rows)", times, took, Some(cpu));
    (import.count, import.per_second) = (count, count as f64 / took.as_secs_f64());
    Ok(import)
}

/// Cases whose limits all pass at one moment: from then until the board counts every one of them as late.
pub async fn due_at_once(server: &Server, on: &'static str, count: usize) -> Result<Figure, CliError> {
    let mut client = server.client("system").await?;
    let mut supervisor = server.client("supervisor").await?;
    let grids = grids(&mut client).await?;
    let mut dispatcher = server.client("dispatcher").await?;
    let due = server_time(&mut supervisor).await?.plus_ms(AHEAD.as_millis() as i64);
    let received = received_for(&mut client, &mut dispatcher, &grids, due).await?;
    for from in (0..count).step_by(AT_ONCE) {
        let rows = from..(from + AT_ONCE).min(count);
        let file = file(rows.map(|n| waiting("D", n, &grids, received)));
        taken_over(&client.upload("/api/v1/imports/cases?source=due", &file).await?)?;
    }
    let left = due.0 - server_time(&mut supervisor).await?.0;
    let left = u64::try_from(left).map_err(|_| CliError("the clocks were due before they were all written".into()))?;
    let before = late(&mut supervisor).await?;
    tokio::time::sleep(Duration::from_millis(left)).await;
    // The server lets go of connections that say nothing for so long.
    let mut supervisor = supervisor.again().await?;
    let (begin, cpu) = (Instant::now(), server.cpu_us()?);
    while late(&mut supervisor).await? < before + count as i64 {
        if begin.elapsed() > PATIENCE {
            return Err(CliError("the clocks that were due were not all told".into()));
        }
        tokio::time::sleep(LOOK).await;
    }
    let took = begin.elapsed();
    let cpu = (server.cpu_us()? - cpu) / count as f64;
    let mut due = figure(on, "clocks due at once", vec![took], took, Some(cpu));
    (due.count, due.per_second) = (count, count as f64 / took.as_secs_f64());
    Ok(due)
}

/// Makes the cases so many.
pub async fn grow(database: &str, to: usize) -> Result<(), CliError> {
    let options = Options {
        statement: Duration::from_secs(3_600),
        ..Options::default()
    };
    let db = Db::open(database, options).await.map_err(CliError::new)?;
    multiply(&db, to as i64).await.map_err(CliError::new)?;
    db.close().await;
    Ok(())
}

/// When something must have come in so that its limit passes at `due`: limits count working hours, so it is looked for between two
/// moments with cases made for it.
async fn received_for(
    client: &mut Client,
    dispatcher: &mut Client,
    grids: &[String],
    due: Timestamp,
) -> Result<Timestamp, CliError> {
    const FURTHEST_MS: i64 = 7 * 86_400_000;
    let (mut early, mut late) = (due.0 - FURTHEST_MS, due.0);
    for probe in 0.. {
        let middle = Timestamp(i64::midpoint(early, late));
        let file = file([waiting(&format!("P{probe}-"), 0, grids, middle)]);
        taken_over(&client.upload("/api/v1/imports/cases?source=due", &file).await?)?;
        let found = dispatcher
            .get(&format!(
                "/api/v1/cases?queue=all&limit=1&received_from={}&received_to={}",
                at(middle),
                at(middle.plus_ms(1))
            ))
            .await?;
        let ends = found["items"][0]["due_at"]
            .as_str()
            .and_then(|at| Timestamp::parse(at).ok());
        let ends = ends.ok_or_else(|| CliError("what waits has no deadline".into()))?;
        match ends.cmp(&due) {
            std::cmp::Ordering::Equal => return Ok(middle),
            _ if late - early <= 1 => break,
            std::cmp::Ordering::Less => early = middle.0,
            std::cmp::Ordering::Greater => late = middle.0,
        }
    }
    Err(CliError("no limit passes at the moment wanted".into()))
}

/// A moment in a query string.
fn at(moment: Timestamp) -> String {
    moment.to_string().replace('+', "%2B")
}

async fn server_time(client: &mut Client) -> Result<Timestamp, CliError> {
    let board = client.get("/api/v1/board").await?;
    let at = board["as_of"].as_str().and_then(|at| Timestamp::parse(at).ok());
    at.ok_or_else(|| CliError("the board does not say when it is".into()))
}

async fn late(client: &mut Client) -> Result<i64, CliError> {
    let board = client.get("/api/v1/board").await?;
    let mut figures = board["figures"].as_array().into_iter().flatten();
    let late = figures
        .find(|figure| figure["key"] == "late")
        .and_then(|figure| figure["numerator"].as_i64());
    late.ok_or_else(|| CliError("the board does not say what is late".into()))
}

async fn grids(client: &mut Client) -> Result<Vec<String>, CliError> {
    let grids = client.get("/api/v1/areas?level=grid").await?;
    let codes = grids["items"].as_array().into_iter().flatten();
    Ok(codes
        .filter_map(|grid| grid["code"].as_str().map(str::to_owned))
        .collect())
}

fn taken_over(report: &Value) -> Result<(), CliError> {
    match report["problems"].get(0) {
        Some(problem) => Err(CliError(format!("the messages of the bench: {problem}"))),
        None => Ok(()),
    }
}

fn file(rows: impl IntoIterator<Item = String>) -> String {
    let mut file = String::from("id,title,text,received_at,area,user,phone,answer,answered_at\n");
    for row in rows {
        file.push_str(&row);
        file.push('\n');
    }
    file
}

/// What happened, said by people: put together in another way for each number, so that no two are alike and words are as rare as in life.
fn message(n: usize, grids: &[String]) -> String {
    const DAY: i64 = 86_400_000;
    let words = words(n);
    let received = Timestamp(1_735_689_600_000 + (n as i64 % 300) * DAY + n as i64 * 7);
    let (answer, answered) = if n.is_multiple_of(3) {
        (String::new(), String::new())
    } else {
        (
            "您好，已安排人员到现场处理，感谢您的监督。".to_owned(),
            received.plus_ms(3 * DAY).to_string(),
        )
    };
    format!(
        "M{n},{},{words},{received},{},来信人{},139{:08},{answer},{answered}",
        words.chars().take(18).collect::<String>(),
        grids[n % grids.len()],
        n % 9_973,
        n % 100_000_000,
    )
}

/// A message nothing can be told from: it waits for a person to look.
fn waiting(key: &str, n: usize, grids: &[String], received: Timestamp) -> String {
    format!(
        "{key}{n},来信,请尽快回复第{n}封来信,{received},{},,,,",
        grids[n % grids.len()]
    )
}

/// About ninety characters: what, where and whose, with names made of single characters.
fn words(n: usize) -> String {
    const NAMES: &str = "安邦宝碧滨博彩长朝晨成春翠大德东芳丰福富高光广桂国海汉浩和恒红华吉佳嘉建江金锦景静居康乐丽林龙绿梅美明南宁平青庆泉仁荣瑞山盛石水松太泰天万文西祥新兴秀阳永玉园远云泽正中紫";
    let names: Vec<char> = NAMES.chars().collect();
    let mut state = n as u64 + 1;
    let mut next = move |of: usize| {
        // A multiplicative generator: the same text for the same number.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % of
    };
    let mut name = |length: usize| (0..length).map(|_| names[next(names.len())]).collect::<String>();
    let (road, estate, shop, person) = (name(2), name(3), name(3), name(2));
    let matter = WHAT[n % WHAT.len()];
    let (house, floor) = (n % 97 + 1, n % 31 + 1);
    format!(
        "{road}路{house}号{estate}小区{floor}栋，{matter}。旁边是{shop}超市，联系人王{person}说已经反映过{floor}次，第{n}封信，请尽快派人处理"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_differ_and_keep_to_their_columns() {
        let grids = ["930101001001001".to_owned()];
        let (one, other) = (message(1, &grids), message(2, &grids));
        assert_ne!(words(1), words(2));
        for row in [one, other, waiting("D", 1, &grids, Timestamp(0))] {
            assert_eq!(row.split(',').count(), 9, "{row}");
        }
    }
}
