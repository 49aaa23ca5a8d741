//! The day's route 当日路线: in which order one worker goes through the stops the phone lists. Nothing is read and nothing is kept: the stops
//! come with the question, and positions leave with the answer.

use crate::access::Staff;
use crate::platform::*;
use domain::geo::LonLat;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use solver::check::route::{Flaw, flaws};
use solver::route::{Day, Lunch, Need, Route, Stop, Window, plan, rounds, rounds_for, straight};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Stops of one day at most.
const MAX_STOPS: usize = 60;
/// Longest name of a stop, and longest stay (minutes).
const MAX_KEY: usize = 80;
const MAX_MINUTES: u16 = 480;
/// Where streets are not known: so much longer than the straight line; and metres a minute on foot.
const DETOUR: f64 = 1.3;
const METRES_PER_MINUTE: f64 = 70.0;
/// Lunch: an hour between half past eleven and half past one.
const LUNCH: Lunch = Lunch {
    lasts: 3_600,
    within: Window {
        from: 41_400,
        to: 48_600,
    },
};
/// What calling at a stop that may be left out is worth, in seconds of walking: none is left out for a short way.
const WORTH: i32 = 3_600;
/// Routes planned at once: a town that presses the button at nine waits its turn and leaves the other work its cores.
static TURNS: Semaphore = Semaphore::const_new(2);
/// One seed for all: the same question has the same answer.
const SEED: u64 = 1;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(day_route))
}

/// A place, WGS-84.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
struct PlaceInput {
    lon: f64,
    lat: f64,
}

impl PlaceInput {
    fn read(self, field: &'static str) -> Result<[f64; 2], Fault> {
        let at = LonLat::new(self.lon, self.lat).map_err(|_| Fault::invalid(field, "invalid_field"))?;
        Ok([at.lon, at.lat])
    }
}

/// Where one is expected.
#[derive(Debug, Deserialize, ToSchema)]
struct StopInput {
    /// The caller's name for it.
    key: String,
    lon: f64,
    lat: f64,
    /// How long one stays.
    minutes: u16,
    /// Left out only where no day holds it.
    must: bool,
    /// Not before, and over by: `09:00`.
    from: Option<String>,
    to: Option<String>,
}

/// A day's stops.
#[derive(Debug, Deserialize, ToSchema)]
struct DayInput {
    /// Where the worker is; the day ends there, too.
    #[schema(inline)]
    start: PlaceInput,
    /// `09:00`: not left before, back by.
    from: String,
    until: String,
    /// With an hour for lunch around noon.
    #[serde(default)]
    lunch: bool,
    /// At most 60.
    #[schema(inline)]
    stops: Vec<StopInput>,
}

/// A stop on the way; times as `09:05`.
#[derive(Debug, Serialize, ToSchema)]
struct HaltView {
    key: String,
    arrive: String,
    begin: String,
    leave: String,
}

/// A stop that is not on the way.
#[derive(Debug, Serialize, ToSchema)]
struct LeftOutView {
    key: String,
    /// `unreachable`, `closed`, `clash`, `full` or `dear`, and a sentence.
    why: String,
    message: String,
}

/// The order with its times.
#[derive(Debug, Serialize, ToSchema)]
struct DayRouteView {
    leave: String,
    back: String,
    metres: u64,
    #[schema(inline)]
    halts: Vec<HaltView>,
    /// From and to.
    lunch: Option<[String; 2]>,
    #[schema(inline)]
    left_out: Vec<LeftOutView>,
}

fn seconds(field: &'static str, text: &str) -> Result<i32, Fault> {
    let time = Time::strptime("%H:%M", text).map_err(|_| Fault::invalid(field, "day_route_time"))?;
    Ok(i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60)
}

fn clock(seconds: i32) -> String {
    format!("{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60)
}

impl DayInput {
    fn read(&self) -> Result<Day, Fault> {
        if self.stops.len() > MAX_STOPS {
            return Err(Fault::invalid("stops", "day_route_too_many").with("most", MAX_STOPS));
        }
        let window = Window {
            from: seconds("from", &self.from)?,
            to: seconds("until", &self.until)?,
        };
        let start = self.start.read("start")?;
        let mut places = Vec::with_capacity(self.stops.len() + 2);
        for stop in &self.stops {
            let (lon, lat) = (stop.lon, stop.lat);
            places.push(PlaceInput { lon, lat }.read("stops")?);
        }
        places.extend([start, start]);
        let day = Day {
            stops: self
                .stops
                .iter()
                .map(|stop| stop.read(window))
                .collect::<Result<_, _>>()?,
            window,
            lunch: self.lunch.then_some(LUNCH),
            metres_per_minute: METRES_PER_MINUTE,
            metres: straight(&places, DETOUR),
        };
        match flaws(&day, 1).into_iter().next() {
            None => Ok(day),
            Some(Flaw::Window | Flaw::NoDay) => Err(Fault::invalid("until", "day_route_no_day")),
            Some(_) => Err(Fault::invalid("stops", "invalid_field")),
        }
    }
}

impl StopInput {
    fn read(&self, day: Window) -> Result<Stop, Fault> {
        if self.key.chars().count() > MAX_KEY || self.minutes > MAX_MINUTES {
            return Err(Fault::invalid("stops", "invalid_field"));
        }
        let bound = |text: &Option<String>, otherwise: i32| match text {
            Some(text) => seconds("stops", text),
            None => Ok(otherwise),
        };
        let windows = match (&self.from, &self.to) {
            (None, None) => Vec::new(),
            (from, to) => vec![Window {
                from: bound(from, day.from)?,
                to: bound(to, day.to)?,
            }],
        };
        Ok(Stop {
            service: i32::from(self.minutes) * 60,
            windows,
            need: match self.must {
                true => Need::Must,
                false => Need::May(WORTH),
            },
        })
    }
}

/// In which order to go through a day's stops, when one is where, and what does not fit: in straight lines times a detour, where streets are not
/// known.
#[utoipa::path(post, path = "/day-route", tag = "duties", request_body = DayInput, responses((status = 200, body = DayRouteView)))]
async fn day_route(Staff(ctx): Staff, Json(input): Json<DayInput>) -> Result<Json<DayRouteView>, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let day = input.read()?;
    let solve = move || plan(&day, SEED, &mut rounds(rounds_for(day.stops.len())));
    let turn = TURNS.acquire().await.map_err(Fault::internal)?;
    let route = tokio::task::spawn_blocking(solve).await.map_err(Fault::internal)?;
    drop(turn);
    Ok(Json(view(&ctx, &input, &route)))
}

fn view(ctx: &Ctx, input: &DayInput, route: &Route) -> DayRouteView {
    let key = |stop: usize| input.stops.get(stop).map(|stop| stop.key.clone()).unwrap_or_default();
    let halts = route.halts.iter().map(|halt| HaltView {
        key: key(halt.stop),
        arrive: clock(halt.arrive),
        begin: clock(halt.begin),
        leave: clock(halt.leave),
    });
    let left_out = route.left_out.iter().map(|(stop, why)| LeftOutView {
        key: key(*stop),
        why: why.code().to_owned(),
        message: i18n::sentence(ctx.lang, &format!("day_route_{}", why.code()), &[]),
    });
    DayRouteView {
        leave: clock(route.leave),
        back: clock(route.back),
        metres: route.metres,
        halts: halts.collect(),
        lunch: route.lunch.map(|lunch| [clock(lunch.from), clock(lunch.to)]),
        left_out: left_out.collect(),
    }
}
