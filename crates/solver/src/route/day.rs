//! What is asked: a walker's day, and how far everything is.

/// No way on foot.
pub const NO_WAY: u32 = u32::MAX;
/// Most stops of a day: what a person could call at, several times over.
pub const MAX_STOPS: usize = 500;
/// Most windows of one stop.
pub const MAX_WINDOWS: usize = 8;
/// Longest day, in seconds: through the night and on.
pub const MAX_DAY: i32 = 2 * 86_400;

/// A time of the day in seconds after its midnight, or a number of seconds.
pub type Seconds = i32;

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Seconds,
    pub to: Seconds,
}

/// Where one is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// How long one stays.
    pub service: Seconds,
    /// When: the whole of the stay lies within one of them. Empty: at any time. In order, apart.
    pub windows: Vec<Window>,
    pub need: Need,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Left out only where no day holds it.
    Must,
    /// May be left out; doing it is worth so many seconds of walking and waiting.
    May(Seconds),
}

/// A break away from work, taken somewhere on the way; not owed by who starts after it or is back before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lunch {
    pub lasts: Seconds,
    /// It lies within.
    pub within: Window,
}

/// A walker's day. Places are numbered: the stops from 0, then where the day starts, then where it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    pub stops: Vec<Stop>,
    /// Not left before, back not after.
    pub window: Window,
    pub lunch: Option<Lunch>,
    pub metres_per_minute: f64,
    /// Metres from each place to each, row by row; [`NO_WAY`] where there is none. Ways there and back may differ.
    pub metres: Vec<u32>,
}

impl Day {
    pub fn start(&self) -> usize {
        self.stops.len()
    }

    pub fn end(&self) -> usize {
        self.stops.len() + 1
    }

    pub fn metres(&self, from: usize, to: usize) -> Option<u32> {
        let metres = self.metres[from * (self.stops.len() + 2) + to];
        (metres != NO_WAY).then_some(metres)
    }

    /// How long the walk takes, to the nearest second.
    pub fn walk(&self, from: usize, to: usize) -> Option<Seconds> {
        let metres = self.metres(from, to)?;
        Some(
            (f64::from(metres) * 60.0 / self.metres_per_minute)
                .round()
                .min(f64::from(MAX_DAY * 2)) as Seconds,
        )
    }
}

/// Metres between places given as longitude and latitude: straight lines, `detour` times as long. For where no streets are known.
pub fn straight(places: &[[f64; 2]], detour: f64) -> Vec<u32> {
    let metres = |a: &[f64; 2], b: &[f64; 2]| {
        let (north, narrow) = (111_195.0, ((a[1] + b[1]) / 2.0).to_radians().cos());
        let (x, y) = ((a[0] - b[0]) * north * narrow, (a[1] - b[1]) * north);
        (x.hypot(y) * detour).round() as u32
    };
    places
        .iter()
        .flat_map(|a| places.iter().map(move |b| metres(a, b)))
        .collect()
}
