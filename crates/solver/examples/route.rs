//! Plans days from a file, for `script/bench routes`: `route FILE SECONDS SEED` reads one day as JSON per line and writes the order of each, what it
//! left out and the milliseconds it took. `SECONDS` is the time for each; `0` takes the rounds a day of its size is worth.

use serde_json::{Value, json};
use solver::route::{Day, Lunch, Need, Stop, Window, plan, rounds, rounds_for};
use std::io::BufRead;
use std::time::{Duration, Instant};

fn number(value: &Value) -> i32 {
    value.as_i64().expect("a number") as i32
}

fn window(value: &Value) -> Window {
    Window {
        from: number(&value[0]),
        to: number(&value[1]),
    }
}

fn stop(value: &Value) -> Stop {
    let windows = value["windows"].as_array().expect("windows");
    Stop {
        service: number(&value["service"]),
        windows: windows.iter().map(window).collect(),
        need: value["price"]
            .as_i64()
            .map_or(Need::Must, |price| Need::May(price as i32)),
    }
}

fn day(value: &Value) -> Day {
    let list = |name: &str| value[name].as_array().expect("a list");
    Day {
        stops: list("stops").iter().map(stop).collect(),
        window: window(&value["window"]),
        lunch: value["lunch"].as_object().map(|lunch| Lunch {
            lasts: number(&lunch["lasts"]),
            within: window(&lunch["within"]),
        }),
        metres_per_minute: value["metres_per_minute"].as_f64().expect("a speed"),
        metres: list("metres").iter().map(|m| number(m) as u32).collect(),
    }
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let [file, seconds, seed] = &asked[..] else {
        panic!("route FILE SECONDS SEED");
    };
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let seed = seed.parse().expect("a seed");
    let file = std::fs::File::open(file).expect("a file of days");
    for line in std::io::BufReader::new(file).lines() {
        let day = day(&serde_json::from_str(&line.expect("a line")).expect("JSON"));
        let (begin, mut done) = (Instant::now(), 0);
        let mut counted = rounds(rounds_for(day.stops.len()));
        let route = plan(&day, seed, &mut |so_far| {
            done = so_far;
            if time.is_zero() {
                counted(so_far)
            } else {
                begin.elapsed().as_secs_f64() / time.as_secs_f64()
            }
        });
        let left_out = route.left_out.iter().map(|(stop, why)| json!([stop, why.code()]));
        let told = json!({
            "order": route.halts.iter().map(|halt| halt.stop).collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
            "walking": route.walking,
            "waiting": route.waiting,
            "rounds": done,
            "ms": begin.elapsed().as_secs_f64() * 1e3,
        });
        println!("{told}");
    }
}
