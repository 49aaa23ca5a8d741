//! The working calendar 工作日历: which moments count as working time, and who is on duty when.
//!
//! Entry points: [`CalendarRules`] (what a pack says) is compiled once into a [`Calendar`] (sorted sessions with prefix
//! sums), and all versions together form [`Calendars`]. Then "how much lies between" and "when is it used up" are one
//! binary search, whatever the distance. [`Duty`] answers whether a person or post is on duty.
//!
//! A Chinese calendar day is an explicit rest or work decision, announced yearly (放假 and 调休上班), not a list of holidays:
//! so beyond the years it knows a calendar refuses ([`CalendarError`]) and never guesses. All arithmetic is on
//! integers. Civil time is +08:00. This file must not know about clocks 时限, cases or file formats.

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp, date_of, day_number};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Parts in one working day: a multiple of the milliseconds in days of 6, 6.5, 7, 7.5, 8, 9, 10, 12 or 24 hours, and
/// much finer than a millisecond for every other length. Whole working days end exactly at closing time whatever the
/// length.
pub const WORKING_DAY_PARTS: i64 = 2_594_592_000_000;
/// Longest range one calendar version may describe, in days (about 60 years).
pub const MAX_DAYS: i64 = 22_000;
/// Most sessions in one day.
pub const MAX_SESSIONS: usize = 8;
/// Most seasons, shifts, or days of a shift's cycle.
pub const MAX_LIST: usize = 400;
/// Longest name of a calendar, day or shift, in characters.
pub const MAX_NAME: usize = 60;
const DAY_MINUTES: u16 = 1_440;

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// 工作日: fractions of the calendar's working days; progress is linear inside a day's sessions.
    WorkingDay,
    /// 工作小时: hours inside sessions.
    WorkingHour,
    /// 小时: every hour, day and night.
    NaturalHour,
    /// 自然日: 24 hours each, every day.
    NaturalDay,
}

impl Unit {
    /// Parts in one whole unit: [`WORKING_DAY_PARTS`] for working days, milliseconds for the others.
    pub const fn one(self) -> i64 {
        match self {
            Unit::WorkingDay => WORKING_DAY_PARTS,
            Unit::WorkingHour | Unit::NaturalHour => HOUR_MS,
            Unit::NaturalDay => DAY_MS,
        }
    }

    /// Whether counting needs to know the calendar.
    pub const fn is_working(self) -> bool {
        matches!(self, Unit::WorkingDay | Unit::WorkingHour)
    }
}

/// An amount of counted time: `parts` of which [`Unit::one`] make one unit. Negative amounts go backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    pub unit: Unit,
    pub parts: i64,
}

impl Amount {
    /// `count` whole units.
    pub const fn whole(count: u32, unit: Unit) -> Self {
        Self::thousandths(count as u64 * 1_000, unit)
    }

    /// `count` thousandths of a unit: half a working day is 500. Stops at the largest amount that can be held.
    pub const fn thousandths(count: u64, unit: Unit) -> Self {
        let count = if count > i32::MAX as u64 {
            i32::MAX as i64
        } else {
            count as i64
        };
        Self {
            unit,
            parts: count.saturating_mul(unit.one() / 1_000),
        }
    }

    /// No time, in `unit`.
    pub const fn zero(unit: Unit) -> Self {
        Self { unit, parts: 0 }
    }

    /// The same amount going backwards.
    pub const fn back(self) -> Self {
        Self {
            unit: self.unit,
            parts: -self.parts,
        }
    }
}

/// A stretch of a day in minutes from its midnight, `from` included, `to` excluded. Shifts may run past midnight (`to`
/// over 1,440).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

impl Span {
    /// From `h1:m1` to `h2:m2`; 24:00 is the end of the day and 30:00 is 06:00 of the next.
    pub const fn hm(h1: u16, m1: u16, h2: u16, m2: u16) -> Self {
        Self {
            from: h1 * 60 + m1,
            to: h2 * 60 + m2,
        }
    }

    const fn start_ms(self) -> i64 {
        self.from as i64 * MINUTE_MS
    }

    const fn len_ms(self) -> i64 {
        (self.to as i64 - self.from as i64) * MINUTE_MS
    }
}

/// The sessions of one day, sorted and apart, and what the day weighs in thousandths of a working day. A rest day has
/// neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayHours {
    pub sessions: Vec<Span>,
    pub weight: u16,
}

impl DayHours {
    /// A whole working day with these sessions.
    pub fn full(sessions: &[Span]) -> Self {
        Self {
            sessions: sessions.to_vec(),
            weight: 1_000,
        }
    }

    /// Half a working day with these sessions.
    pub fn half(sessions: &[Span]) -> Self {
        Self {
            sessions: sessions.to_vec(),
            weight: 500,
        }
    }

    /// A day of rest.
    pub fn rest() -> Self {
        Self::default()
    }
}

/// The weekly pattern, and the hours worked on a make-up day 调休上班, which has none in the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Monday first.
    pub days: [DayHours; 7],
    pub makeup: DayHours,
}

impl Week {
    /// Monday to Friday, and make-up days, with the same sessions.
    pub fn monday_to_friday(sessions: &[Span]) -> Self {
        let day = || DayHours::full(sessions);
        let rest = DayHours::rest;
        Self {
            days: [day(), day(), day(), day(), day(), rest(), rest()],
            makeup: day(),
        }
    }
}

/// Another weekly pattern from `from` to `to` inclusive, such as summer hours 夏令作息.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    pub from: Date,
    pub to: Date,
    pub week: Week,
}

/// What a notice says about one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayRule {
    /// 放假: a rest day, with the holiday's name.
    Rest { name: String },
    /// 调休上班: a working day with make-up hours, with the name of the holiday it makes up for.
    Work { name: String },
    /// A day with its own hours, such as a half day.
    Hours { name: String, hours: DayHours },
}

/// Duty times of a post staffed in turns: from `anchor` on (and before it), day by day, the cycle repeats. It does not
/// know holidays. A weekly pattern is a cycle of seven anchored on a Monday; a post staffed round the clock is a cycle
/// of one, 00:00 to 24:00.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    pub name: String,
    /// The date on which the cycle's first day falls.
    pub anchor: Date,
    /// Duty of each day of the cycle; a span may run into the next day and lasts at most 24 hours.
    pub cycle: Vec<Vec<Span>>,
}

/// One version of a calendar as written down; valid (known) from `from` to `to` inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRules {
    pub id: String,
    pub version: u32,
    pub from: Date,
    pub to: Date,
    pub week: Week,
    pub seasons: Vec<Season>,
    pub days: BTreeMap<Date, DayRule>,
    pub shifts: Vec<Shift>,
}

/// Names one version of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CalendarRef {
    pub id: String,
    pub version: u32,
}

/// A calendar cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefused {
    #[error("the calendar ends ({to}) before it begins ({from})")]
    EmptyRange { from: Date, to: Date },
    #[error("the calendar describes {days} days; at most {MAX_DAYS} are allowed")]
    TooLong { days: i64 },
    #[error("{place}: more than {limit}")]
    TooMany { place: String, limit: usize },
    #[error("{place}: name is empty or longer than {MAX_NAME} characters")]
    BadName { place: String },
    #[error("{place}: sessions must lie within the day, be longer than nothing, in order, and not overlap")]
    BadSessions { place: String },
    #[error("{place}: a working day needs sessions and a weight of 1 to 1000 thousandths, a rest day has neither")]
    BadWeight { place: String },
    #[error("{date}: outside the calendar's range")]
    DayOutsideRange { date: Date },
    #[error("the season from {from} is empty or overlaps another")]
    BadSeason { from: Date },
    #[error("shift {name}: no duty time at all, or two shifts of this name")]
    BadShift { name: String },
    #[error("calendar {id} version {version} given twice")]
    Twice { id: String, version: u32 },
}

/// The calendar does not reach a date that is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar {calendar} knows {known_from} to {known_to}: {year} is not yet imported")]
pub struct CalendarError {
    pub calendar: String,
    pub known_from: Date,
    pub known_to: Date,
    /// The first year that is missing.
    pub year: i16,
}

/// Why a day is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayKind<'a> {
    /// An ordinary working day of the week.
    Work,
    /// An ordinary rest day of the week.
    Weekend,
    /// 放假, named.
    Holiday(&'a str),
    /// 调休上班, named.
    MakeUp(&'a str),
    /// A day with its own hours, named.
    Special(&'a str),
}

/// One day of a compiled calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<'a> {
    pub date: Date,
    pub kind: DayKind<'a>,
    pub sessions: &'a [Span],
    /// Thousandths of a working day.
    pub weight: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Work,
    Weekend,
    Holiday,
    MakeUp,
    Special,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    kind: Kind,
    name: u32,
    first: u32,
    count: u8,
    weight: u16,
}

/// A compiled calendar: one row per known day, with prefix sums of working days and working time.
#[derive(Debug, Clone)]
pub struct Calendar {
    id: String,
    version: u32,
    first_day: i64,
    rows: Vec<Row>,
    sessions: Vec<Span>,
    names: Vec<String>,
    /// Working-day parts before each day, and in all: one longer than `rows`.
    parts_before: Vec<i64>,
    /// Working milliseconds before each day, and in all: one longer than `rows`.
    ms_before: Vec<i64>,
    shifts: Vec<Shift>,
}

impl Calendar {
    /// Checks and compiles one version on its own.
    pub fn compile(rules: &CalendarRules) -> Result<Self, CalendarRefused> {
        check(rules)?;
        Ok(Self::build(rules, day_number(rules.from), |day| {
            (day <= day_number(rules.to)).then_some(rules)
        }))
    }

    /// Lays out days from `first_day` on, each as `source` says, until `source` knows no more.
    fn build<'r>(of: &CalendarRules, first_day: i64, source: impl Fn(i64) -> Option<&'r CalendarRules>) -> Self {
        let mut calendar = Self {
            id: of.id.clone(),
            version: of.version,
            first_day,
            rows: Vec::new(),
            sessions: Vec::new(),
            names: vec![String::new()],
            parts_before: vec![0],
            ms_before: vec![0],
            shifts: of.shifts.clone(),
        };
        let (mut day, mut parts, mut ms) = (first_day, 0_i64, 0_i64);
        while let Some(rules) = source(day) {
            let (kind, name, hours) = rules.day(day);
            calendar.push(kind, name, hours);
            parts += i64::from(hours.weight) * (WORKING_DAY_PARTS / 1_000);
            ms += hours.sessions.iter().map(|s| s.len_ms()).sum::<i64>();
            calendar.parts_before.push(parts);
            calendar.ms_before.push(ms);
            day += 1;
        }
        calendar
    }

    fn push(&mut self, kind: Kind, name: &str, hours: &DayHours) {
        // Equal names mostly stand side by side, so looking at the last one keeps the table small without a map.
        let last = self.names.len() - 1;
        let name = if name.is_empty() {
            0
        } else if self.names[last] == name {
            last
        } else {
            self.names.push(name.to_owned());
            last + 1
        };
        self.rows.push(Row {
            kind,
            name: name as u32,
            first: self.sessions.len() as u32,
            count: hours.sessions.len() as u8,
            weight: hours.weight,
        });
        self.sessions.extend_from_slice(&hours.sessions);
    }

    /// Which version this is.
    pub fn reference(&self) -> CalendarRef {
        CalendarRef {
            id: self.id.clone(),
            version: self.version,
        }
    }

    /// First and last known date.
    pub fn known(&self) -> (Date, Date) {
        (
            date_of(self.first_day),
            date_of(self.first_day + self.rows.len() as i64 - 1),
        )
    }

    /// What one date is.
    pub fn day(&self, date: Date) -> Result<Day<'_>, CalendarError> {
        self.day_at(day_number(date))
    }

    /// What one day is, by its number since 1970-01-01.
    pub fn day_at(&self, day: i64) -> Result<Day<'_>, CalendarError> {
        let row = self.rows.get(self.index(day)?).ok_or_else(|| self.unknown(day))?;
        let name = self.names[row.name as usize].as_str();
        let kind = match row.kind {
            Kind::Work => DayKind::Work,
            Kind::Weekend => DayKind::Weekend,
            Kind::Holiday => DayKind::Holiday(name),
            Kind::MakeUp => DayKind::MakeUp(name),
            Kind::Special => DayKind::Special(name),
        };
        Ok(Day {
            date: date_of(day),
            kind,
            sessions: self.sessions_of(row),
            weight: row.weight,
        })
    }

    /// How much of `unit` lies between `from` and `to`; negative when `to` is earlier.
    pub fn between(&self, from: Timestamp, to: Timestamp, unit: Unit) -> Result<Amount, CalendarError> {
        Ok(Amount {
            unit,
            parts: self.position(unit, to)? - self.position(unit, from)?,
        })
    }

    /// The first moment at which `amount` has been counted from `from` on. Zero gives `from` itself.
    pub fn add(&self, from: Timestamp, amount: Amount) -> Result<Timestamp, CalendarError> {
        if amount.parts == 0 {
            return Ok(from);
        }
        self.at_position(
            amount.unit,
            self.position(amount.unit, from)?.saturating_add(amount.parts),
        )
    }

    /// Whether `at` lies inside a working session.
    pub fn is_working(&self, at: Timestamp) -> Result<bool, CalendarError> {
        let (day, ms) = at.day_and_ms();
        Ok(self
            .day_at(day)?
            .sessions
            .iter()
            .any(|s| s.start_ms() <= ms && ms < s.start_ms() + s.len_ms()))
    }

    /// Midnight at the start of the first day after `at`'s day that has working time (次日起算).
    pub fn next_working_day(&self, at: Timestamp) -> Result<Timestamp, CalendarError> {
        let mut day = at.day_and_ms().0 + 1;
        while self.day_at(day)?.sessions.is_empty() {
            day += 1;
        }
        Ok(Timestamp::from_day(day, 0))
    }

    /// The named shift, or the calendar's working hours for `None`. A name this calendar does not have gives `None`.
    pub fn duty(&self, shift: Option<&str>) -> Option<Duty<'_>> {
        match shift {
            None => Some(Duty::Office(self)),
            Some(name) => self.shifts.iter().find(|s| s.name == name).map(Duty::Shift),
        }
    }

    /// Parts of `unit` counted from the calendar's beginning (natural units: from 1970) up to `at`. Never decreases
    /// with `at`.
    pub(crate) fn position(&self, unit: Unit, at: Timestamp) -> Result<i64, CalendarError> {
        if !unit.is_working() {
            return Ok(at.0);
        }
        let (day, ms) = at.day_and_ms();
        let index = self.index(day)?;
        let Some(row) = self.rows.get(index) else {
            // Midnight after the last known day is still known; anything later is not.
            return if ms == 0 {
                Ok(self.before(unit)[index])
            } else {
                Err(self.unknown(day))
            };
        };
        let elapsed: i64 = self
            .sessions_of(row)
            .iter()
            .map(|s| (ms - s.start_ms()).clamp(0, s.len_ms()))
            .sum();
        let within = match unit {
            Unit::WorkingDay if elapsed > 0 => {
                let length = self.ms_before[index + 1] - self.ms_before[index];
                let weight = self.parts_before[index + 1] - self.parts_before[index];
                (i128::from(weight) * i128::from(elapsed) / i128::from(length)) as i64
            }
            _ => elapsed,
        };
        Ok(self.before(unit)[index] + within)
    }

    /// The first moment whose [`Calendar::position`] is at least `position`.
    pub(crate) fn at_position(&self, unit: Unit, position: i64) -> Result<Timestamp, CalendarError> {
        if !unit.is_working() {
            return Ok(Timestamp(position));
        }
        let before = self.before(unit);
        if position < 0 {
            return Err(self.unknown(self.first_day - 1));
        }
        // The day in which the position is reached: the last one that starts below it.
        let index = before.partition_point(|&b| b < position).saturating_sub(1);
        let Some(row) = self.rows.get(index) else {
            return Err(self.unknown(self.end_day()));
        };
        let need = position - before[index];
        let mut elapsed = match unit {
            Unit::WorkingDay => {
                let length = self.ms_before[index + 1] - self.ms_before[index];
                let weight = self.parts_before[index + 1] - self.parts_before[index];
                if weight == 0 {
                    0
                } else {
                    ceil_div(i128::from(need) * i128::from(length), i128::from(weight))
                }
            }
            _ => need,
        };
        let day = self.first_day + index as i64;
        for session in self.sessions_of(row) {
            if elapsed <= session.len_ms() {
                return Ok(Timestamp::from_day(day, session.start_ms() + elapsed));
            }
            elapsed -= session.len_ms();
        }
        Ok(Timestamp::from_day(day, 0))
    }

    /// The moment nearest to `at` whose [`Calendar::position`] is known.
    pub(crate) fn clip(&self, unit: Unit, at: Timestamp) -> Timestamp {
        if unit.is_working() {
            at.clamp(
                Timestamp::from_day(self.first_day, 0),
                Timestamp::from_day(self.end_day(), 0),
            )
        } else {
            at
        }
    }

    fn before(&self, unit: Unit) -> &[i64] {
        if unit == Unit::WorkingDay {
            &self.parts_before
        } else {
            &self.ms_before
        }
    }

    fn sessions_of(&self, row: &Row) -> &[Span] {
        &self.sessions[row.first as usize..row.first as usize + usize::from(row.count)]
    }

    /// The day after the last known one.
    fn end_day(&self) -> i64 {
        self.first_day + self.rows.len() as i64
    }

    /// Index of a day in the table; the day after the last is allowed because its midnight ends the table.
    fn index(&self, day: i64) -> Result<usize, CalendarError> {
        if day < self.first_day || day > self.end_day() {
            return Err(self.unknown(day));
        }
        Ok((day - self.first_day) as usize)
    }

    fn unknown(&self, day: i64) -> CalendarError {
        let (known_from, known_to) = self.known();
        // The first thing to import is the day next to what is known, however far away the wanted day is.
        let missing = if day < self.first_day {
            self.first_day - 1
        } else {
            self.end_day()
        };
        CalendarError {
            calendar: self.id.clone(),
            known_from,
            known_to,
            year: date_of(missing).year(),
        }
    }
}

fn ceil_div(a: i128, b: i128) -> i64 {
    ((a + b - 1) / b) as i64
}

impl CalendarRules {
    fn knows(&self, day: i64) -> bool {
        day_number(self.from) <= day && day <= day_number(self.to)
    }

    fn day(&self, day: i64) -> (Kind, &str, &DayHours) {
        static REST: DayHours = DayHours {
            sessions: Vec::new(),
            weight: 0,
        };
        let date = date_of(day);
        let week = self
            .seasons
            .iter()
            .find(|s| s.from <= date && date <= s.to)
            .map_or(&self.week, |s| &s.week);
        match self.days.get(&date) {
            Some(DayRule::Rest { name }) => (Kind::Holiday, name, &REST),
            Some(DayRule::Work { name }) => (Kind::MakeUp, name, &week.makeup),
            Some(DayRule::Hours { name, hours }) => (Kind::Special, name, hours),
            None => {
                let hours = &week.days[date.weekday().to_monday_zero_offset() as usize];
                (
                    if hours.sessions.is_empty() {
                        Kind::Weekend
                    } else {
                        Kind::Work
                    },
                    "",
                    hours,
                )
            }
        }
    }
}

/// Every version of every calendar, each completed by the rule for late news: a day that a version does not know is
/// taken from the newest version that knows it, and a day that it knows is never changed. So a clock started under
/// version 3, which ends in 2026, runs on into 2027 once version 4 brings 2027, while a correction of 2026 in version 4
/// does not touch it.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    by_id: BTreeMap<String, BTreeMap<u32, Calendar>>,
}

impl Calendars {
    /// Compiles all versions.
    pub fn new(all: &[CalendarRules]) -> Result<Self, CalendarRefused> {
        let mut rules: BTreeMap<&str, BTreeMap<u32, &CalendarRules>> = BTreeMap::new();
        for one in all {
            check(one)?;
            if rules.entry(&one.id).or_default().insert(one.version, one).is_some() {
                return Err(CalendarRefused::Twice {
                    id: one.id.clone(),
                    version: one.version,
                });
            }
        }
        let complete = |versions: &BTreeMap<u32, &CalendarRules>| {
            versions
                .iter()
                .map(|(&version, own)| (version, completed(own, versions)))
                .collect()
        };
        Ok(Self {
            by_id: rules
                .iter()
                .map(|(id, versions)| ((*id).to_owned(), complete(versions)))
                .collect(),
        })
    }

    /// The version that a clock refers to.
    pub fn get(&self, reference: &CalendarRef) -> Option<&Calendar> {
        self.by_id.get(&reference.id)?.get(&reference.version)
    }

    /// The newest version, for clocks that start now and for duty times.
    pub fn newest(&self, id: &str) -> Option<&Calendar> {
        self.by_id.get(id)?.values().next_back()
    }
}

fn completed(own: &CalendarRules, versions: &BTreeMap<u32, &CalendarRules>) -> Calendar {
    let source = |day: i64| {
        if own.knows(day) {
            Some(own)
        } else {
            versions.values().rev().copied().find(|rules| rules.knows(day))
        }
    };
    let mut first = day_number(own.from);
    while source(first - 1).is_some() {
        first -= 1;
    }
    Calendar::build(own, first, source)
}

/// When a person or post is on duty.
#[derive(Debug, Clone, Copy)]
pub enum Duty<'a> {
    /// The working hours of a calendar.
    Office(&'a Calendar),
    /// A shift that runs whatever day it is.
    Shift(&'a Shift),
}

impl Duty<'_> {
    /// Whether duty is on at this moment.
    pub fn is_on(&self, at: Timestamp) -> Result<bool, CalendarError> {
        match self {
            Duty::Office(calendar) => calendar.is_working(at),
            Duty::Shift(shift) => Ok(shift.periods_near(at, 0).any(|(from, to)| from <= at && at < to)),
        }
    }

    /// `at` itself when on duty, else the next moment duty begins.
    pub fn next(&self, at: Timestamp) -> Result<Timestamp, CalendarError> {
        match self {
            Duty::Office(calendar) => {
                if calendar.is_working(at)? {
                    return Ok(at);
                }
                let counted = calendar.position(Unit::WorkingHour, at)?;
                Ok(calendar.at_position(Unit::WorkingHour, counted + 1)?.plus_ms(-1))
            }
            Duty::Shift(shift) => {
                let next = shift
                    .periods_near(at, shift.cycle.len() as i64)
                    .filter(|&(_, to)| at < to)
                    .map(|(from, _)| from)
                    .min();
                Ok(next.expect("a compiled shift has duty time in its cycle").max(at))
            }
        }
    }

    /// The beginning of the last stretch of duty that began at or before `at`.
    pub fn last_start(&self, at: Timestamp) -> Result<Timestamp, CalendarError> {
        match self {
            Duty::Office(calendar) => {
                let mut day = at.day_and_ms().0;
                loop {
                    let starts = calendar.day_at(day)?.sessions.iter().rev();
                    let found = starts
                        .map(|s| Timestamp::from_day(day, s.start_ms()))
                        .find(|&start| start <= at);
                    if let Some(start) = found {
                        return Ok(start);
                    }
                    day -= 1;
                }
            }
            Duty::Shift(shift) => {
                let back = at.plus_ms(-(shift.cycle.len() as i64 * DAY_MS));
                let periods = shift.periods_near(back, shift.cycle.len() as i64);
                let last = periods.map(|(from, _)| from).filter(|&from| from <= at).max();
                Ok(last.expect("a compiled shift has duty time in its cycle"))
            }
        }
    }
}

impl Shift {
    /// Duty periods that begin from the day before `at`'s day to `days` days after it.
    fn periods_near(&self, at: Timestamp, days: i64) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let (today, anchor) = (at.day_and_ms().0, day_number(self.anchor));
        (today - 1..=today + days).flat_map(move |day| {
            let turn = (day - anchor).rem_euclid(self.cycle.len() as i64) as usize;
            self.cycle[turn].iter().map(move |span| {
                let from = Timestamp::from_day(day, span.start_ms());
                (from, from.plus_ms(span.len_ms()))
            })
        })
    }
}

fn check(rules: &CalendarRules) -> Result<(), CalendarRefused> {
    let days = day_number(rules.to) - day_number(rules.from) + 1;
    if days < 1 {
        return Err(CalendarRefused::EmptyRange {
            from: rules.from,
            to: rules.to,
        });
    }
    if days > MAX_DAYS {
        return Err(CalendarRefused::TooLong { days });
    }
    check_name(&rules.id, "calendar")?;
    check_week(&rules.week, "week")?;
    check_seasons(rules)?;
    for (&date, rule) in &rules.days {
        if date < rules.from || date > rules.to {
            return Err(CalendarRefused::DayOutsideRange { date });
        }
        let (DayRule::Rest { name } | DayRule::Work { name } | DayRule::Hours { name, .. }) = rule;
        check_name(name, &date.to_string())?;
        if let DayRule::Hours { hours, .. } = rule {
            check_hours(hours, &date.to_string())?;
        }
    }
    check_shifts(&rules.shifts)
}

fn check_seasons(rules: &CalendarRules) -> Result<(), CalendarRefused> {
    check_count(rules.seasons.len(), "seasons", MAX_LIST)?;
    for (i, season) in rules.seasons.iter().enumerate() {
        let overlaps = |other: &Season| season.from <= other.to && other.from <= season.to;
        if season.from > season.to || rules.seasons[..i].iter().any(overlaps) {
            return Err(CalendarRefused::BadSeason { from: season.from });
        }
        check_week(&season.week, &format!("season from {}", season.from))?;
    }
    Ok(())
}

fn check_shifts(shifts: &[Shift]) -> Result<(), CalendarRefused> {
    check_count(shifts.len(), "shifts", MAX_LIST)?;
    for (i, shift) in shifts.iter().enumerate() {
        check_name(&shift.name, "shift")?;
        let place = format!("shift {}", shift.name);
        check_count(shift.cycle.len(), &place, MAX_LIST)?;
        for spans in &shift.cycle {
            check_count(spans.len(), &place, MAX_SESSIONS)?;
            if spans
                .iter()
                .any(|s| s.from >= DAY_MINUTES || s.to <= s.from || s.to - s.from > DAY_MINUTES)
            {
                return Err(CalendarRefused::BadSessions { place });
            }
        }
        if shift.cycle.iter().all(Vec::is_empty) || shifts[..i].iter().any(|other| other.name == shift.name) {
            return Err(CalendarRefused::BadShift {
                name: shift.name.clone(),
            });
        }
    }
    Ok(())
}

fn check_week(week: &Week, place: &str) -> Result<(), CalendarRefused> {
    if week.makeup.sessions.is_empty() {
        return Err(CalendarRefused::BadWeight {
            place: format!("{place}, make-up day"),
        });
    }
    week.days
        .iter()
        .chain([&week.makeup])
        .try_for_each(|hours| check_hours(hours, place))
}

fn check_hours(hours: &DayHours, place: &str) -> Result<(), CalendarRefused> {
    check_count(hours.sessions.len(), place, MAX_SESSIONS)?;
    let each = hours.sessions.iter().all(|s| s.from < s.to && s.to <= DAY_MINUTES);
    if !each || hours.sessions.windows(2).any(|pair| pair[0].to > pair[1].from) {
        return Err(CalendarRefused::BadSessions {
            place: place.to_owned(),
        });
    }
    if hours.weight > 1_000 || hours.sessions.is_empty() != (hours.weight == 0) {
        return Err(CalendarRefused::BadWeight {
            place: place.to_owned(),
        });
    }
    Ok(())
}

fn check_count(count: usize, place: &str, limit: usize) -> Result<(), CalendarRefused> {
    if count > limit {
        Err(CalendarRefused::TooMany {
            place: place.to_owned(),
            limit,
        })
    } else {
        Ok(())
    }
}

fn check_name(name: &str, place: &str) -> Result<(), CalendarRefused> {
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(CalendarRefused::BadName {
            place: place.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    fn rules() -> CalendarRules {
        CalendarRules {
            id: "cn".into(),
            version: 1,
            from: date(2026, 1, 1),
            to: date(2026, 12, 31),
            week: Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 0, 17, 30)]),
            seasons: vec![],
            days: BTreeMap::new(),
            shifts: vec![],
        }
    }

    fn refused(change: impl FnOnce(&mut CalendarRules)) -> CalendarRefused {
        let mut changed = rules();
        change(&mut changed);
        let refusal = Calendar::compile(&changed).unwrap_err();
        assert_eq!(Calendars::new(&[changed]).unwrap_err(), refusal);
        refusal
    }

    #[test]
    fn impossible_calendars_are_refused() {
        use CalendarRefused as R;
        assert!(Calendar::compile(&rules()).is_ok());
        assert!(matches!(refused(|c| c.to = date(2025, 12, 31)), R::EmptyRange { .. }));
        assert!(matches!(refused(|c| c.to = date(2226, 1, 1)), R::TooLong { .. }));
        assert!(matches!(refused(|c| c.id = String::new()), R::BadName { .. }));
        assert!(matches!(refused(|c| c.week.days[0].weight = 0), R::BadWeight { .. }));
        assert!(matches!(refused(|c| c.week.days[6].weight = 500), R::BadWeight { .. }));
        assert!(matches!(
            refused(|c| c.week.makeup = DayHours::rest()),
            R::BadWeight { .. }
        ));
        assert!(matches!(
            refused(|c| c.week.days[0].sessions[1].from = 600),
            R::BadSessions { .. }
        ));
        assert!(matches!(
            refused(|c| c.week.days[0].sessions[1].to = 1_441),
            R::BadSessions { .. }
        ));
        assert!(matches!(
            refused(|c| c.week.days[0].sessions = vec![Span::hm(9, 0, 10, 0); 9]),
            R::TooMany { .. }
        ));
        let rest = || DayRule::Rest { name: "元旦".into() };
        assert_eq!(
            refused(|c| drop(c.days.insert(date(2027, 1, 1), rest()))),
            R::DayOutsideRange { date: date(2027, 1, 1) }
        );
        let season = |from, to| Season {
            from: date(2026, from, 1),
            to: date(2026, to, 1),
            week: rules().week,
        };
        assert!(matches!(
            refused(|c| c.seasons = vec![season(5, 9), season(9, 10)]),
            R::BadSeason { .. }
        ));
        assert!(matches!(
            refused(|c| c.seasons = vec![season(9, 5)]),
            R::BadSeason { .. }
        ));
        let shift = |cycle| Shift {
            name: "夜班".into(),
            anchor: date(2026, 1, 1),
            cycle,
        };
        assert!(matches!(
            refused(|c| c.shifts = vec![shift(vec![vec![]])]),
            R::BadShift { .. }
        ));
        assert!(matches!(
            refused(|c| c.shifts = vec![shift(vec![vec![Span::hm(1, 0, 26, 0)]])]),
            R::BadSessions { .. }
        ));
        let all_day = || shift(vec![vec![Span::hm(0, 0, 24, 0)]]);
        assert!(matches!(
            refused(|c| c.shifts = vec![all_day(), all_day()]),
            R::BadShift { .. }
        ));
        assert!(matches!(Calendars::new(&[rules(), rules()]), Err(R::Twice { .. })));
    }

    #[test]
    fn a_post_round_the_clock_is_always_on_duty() {
        let mut rules = rules();
        let cycle = vec![vec![Span::hm(0, 0, 24, 0)]];
        rules.shifts = vec![Shift {
            name: "值守".into(),
            anchor: date(2026, 1, 1),
            cycle,
        }];
        let calendar = Calendar::compile(&rules).unwrap();
        let duty = calendar.duty(Some("值守")).unwrap();
        for minute in [0, 1, 719, 1_439] {
            let at = Timestamp::from_day(day_number(date(2026, 2, 17)), minute * MINUTE_MS);
            assert_eq!((duty.is_on(at), duty.next(at)), (Ok(true), Ok(at)));
        }
        assert!(calendar.duty(Some("没有的班")).is_none());
    }

    #[test]
    fn summer_hours_hold_between_their_dates() {
        let mut rules = rules();
        let summer = Week::monday_to_friday(&[Span::hm(8, 30, 12, 0), Span::hm(14, 30, 18, 0)]);
        rules.seasons = vec![Season {
            from: date(2026, 5, 1),
            to: date(2026, 9, 30),
            week: summer,
        }];
        let calendar = Calendar::compile(&rules).unwrap();
        let closing = |month, day| {
            let start = Timestamp::start_of(date(2026, month, day));
            calendar
                .add(start, Amount::whole(1, Unit::WorkingDay))
                .unwrap()
                .civil()
                .time()
                .to_string()
        };
        assert_eq!((closing(4, 30), closing(5, 1)), ("17:30:00".into(), "18:00:00".into()));
        assert_eq!((closing(9, 30), closing(10, 1)), ("18:00:00".into(), "17:30:00".into()));
    }

    #[test]
    fn the_last_midnight_is_known_and_nothing_after_it() {
        let calendar = Calendar::compile(&rules()).unwrap();
        let end = Timestamp::start_of(date(2027, 1, 1));
        let year = calendar.between(Timestamp::start_of(date(2026, 1, 1)), end, Unit::WorkingDay);
        assert_eq!(year, Ok(Amount::whole(261, Unit::WorkingDay)));
        assert!(calendar.between(end, end.plus_ms(1), Unit::WorkingHour).is_err());
        assert!(calendar.between(end, end.plus_ms(1), Unit::NaturalHour).is_ok());
        let before = Timestamp::start_of(date(2026, 12, 31));
        assert!(calendar.add(before, Amount::whole(1, Unit::WorkingDay)).is_ok());
        assert_eq!(
            calendar
                .add(before, Amount::thousandths(1_001, Unit::WorkingDay))
                .unwrap_err()
                .year,
            2027
        );
        assert!(
            calendar
                .add(before, Amount::whole(4_000, Unit::WorkingDay).back())
                .is_err()
        );
    }
}
