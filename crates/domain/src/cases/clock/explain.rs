//! Explaining a deadline: each interval that counted or did not, why, and the sum so far, down to the due moment.
//!
//! Entry points: [`explain`] gives lines as data, [`explain_text`] sentences an official or a resident can follow. Time
//! between two lines lies outside working hours. Runs of equal days are one line. Must not decide anything: the numbers
//! are those of [`super::replay`].

use super::{ClockError, ClockLog, ClockState, Due, Event, Limit, Pause, Phase, RuleRef, Start, Terms, replay, up_to};
use crate::calendar::{Amount, Calendar, Day, DayKind, Unit};
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use jiff::civil::{Date, Weekday};
use std::fmt::Write;

/// The kind of day on which time counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountedDay {
    /// An ordinary working day.
    Ordinary,
    /// 调休上班, with the holiday it makes up for.
    MakeUp(String),
    /// A day with its own hours, such as a half day, named.
    Special(String),
    /// Natural time: every hour counts.
    AllHours,
}

/// Why time did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCounted {
    /// 次日起算: the day of the start does not count.
    StartDay,
    OutsideHours,
    Weekend,
    Holiday(String),
    Paused {
        approval: String,
        reason: String,
        until: Option<Timestamp>,
    },
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Started {
        rule: RuleRef,
        limit: Limit,
    },
    Counted(CountedDay),
    Idle(NotCounted),
    /// `total` is the limit with this extension, under the rule in force then.
    Extended {
        by: Amount,
        total: Amount,
        approval: String,
    },
    Migrated {
        rule: RuleRef,
        limit: Limit,
        approval: String,
    },
    /// The last line: when it is due, and how the clock stands.
    Conclusion(Box<ClockState>),
}

/// One line. Events and the conclusion have `from == to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainLine {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Whole working days in this line; 0 when it is not made of whole working days.
    pub days: i64,
    pub what: What,
    /// What was counted in this line.
    pub counted: Amount,
    /// What was counted up to the end of this line.
    pub sum: Amount,
}

/// Explains the clock as known at `now`: from its start to its due moment, to the present while a pause leaves that
/// open, or to the end of the known calendar.
pub fn explain(
    log: &ClockLog,
    calendars: &crate::calendar::Calendars,
    now: Timestamp,
) -> Result<Vec<ExplainLine>, ClockError> {
    let state = replay(log, calendars, now)?;
    let events = up_to(log, now);
    let terms = Terms::of(events);
    let calendar = terms.calendar(calendars)?;
    let mut writer = Writer {
        calendar,
        unit: terms.unit(),
        lines: Vec::new(),
        sum: 0,
        notes: notes(events),
    };
    let end = match &state.due {
        Due::At(at) => *at,
        Due::WhenResumed => terms.stopped.unwrap_or(now),
        Due::Unknown(unknown) if terms.started.date() < unknown.known_from => terms.started,
        Due::Unknown(unknown) => Timestamp::start_of(unknown.known_to).plus_ms(DAY_MS).max(terms.started),
    };
    writer.notes_up_to(terms.started);
    let begin = terms.begin(calendar).unwrap_or(end).min(end);
    let mut from = terms.started;
    for pause in terms.pauses.iter().filter(|pause| pause.from < end) {
        writer.stretch(&terms, from, pause.from, begin)?;
        let to = pause.to.unwrap_or(end).min(end);
        writer.pause(pause, to);
        from = to;
    }
    writer.stretch(&terms, from, end, begin)?;
    Ok(writer.conclude(end, state))
}

/// The events that are lines of their own, in order.
fn notes(events: &[Event]) -> Vec<(Timestamp, What)> {
    let mut total = Amount::zero(Unit::WorkingDay);
    let mut notes = Vec::new();
    for event in events {
        let what = match event {
            Event::Started { rule, limit, .. } => {
                total = limit.amount;
                What::Started {
                    rule: rule.clone(),
                    limit: *limit,
                }
            }
            Event::Extended { by, approval, .. } => {
                total.parts += by.parts;
                What::Extended {
                    by: *by,
                    total,
                    approval: approval.clone(),
                }
            }
            Event::RuleMigrated {
                rule, limit, approval, ..
            } => {
                total = limit.amount;
                What::Migrated {
                    rule: rule.clone(),
                    limit: *limit,
                    approval: approval.clone(),
                }
            }
            Event::Paused { .. } | Event::Resumed { .. } | Event::Stopped { .. } => continue,
        };
        notes.push((event.at(), what));
    }
    notes.reverse();
    notes
}

struct Writer<'c> {
    calendar: &'c Calendar,
    unit: Unit,
    lines: Vec<ExplainLine>,
    sum: i64,
    /// Events still to be written, the next one last.
    notes: Vec<(Timestamp, What)>,
}

impl Writer<'_> {
    fn amount(&self, parts: i64) -> Amount {
        Amount { unit: self.unit, parts }
    }

    fn line(&mut self, from: Timestamp, to: Timestamp, days: i64, what: What, counted: i64) {
        self.sum += counted;
        let (counted, sum) = (self.amount(counted), self.amount(self.sum));
        self.lines.push(ExplainLine {
            from,
            to,
            days,
            what,
            counted,
            sum,
        });
    }

    /// Writes the events up to `at`, so that a line that begins there follows them.
    fn notes_up_to(&mut self, at: Timestamp) {
        while self.notes.last().is_some_and(|(when, _)| *when <= at) {
            if let Some((when, what)) = self.notes.pop() {
                self.line(when, when, 0, what, 0);
            }
        }
    }

    fn pause(&mut self, pause: &Pause<'_>, to: Timestamp) {
        self.notes_up_to(pause.from);
        let (approval, reason) = (pause.approval.to_owned(), pause.reason.to_owned());
        self.line(
            pause.from,
            to,
            0,
            What::Idle(NotCounted::Paused {
                approval,
                reason,
                until: pause.until,
            }),
            0,
        );
    }

    /// Writes a stretch without pause. Before `begin` nothing counts.
    fn stretch(
        &mut self,
        terms: &Terms<'_>,
        from: Timestamp,
        to: Timestamp,
        begin: Timestamp,
    ) -> Result<(), ClockError> {
        let start_day = terms.started.day_and_ms().0;
        let mut at = from;
        while at < to {
            self.notes_up_to(at);
            let day = at.day_and_ms().0;
            let day_end = Timestamp::from_day(day + 1, 0).min(to);
            let waits = at < begin;
            let until = if waits { day_end.min(begin) } else { day_end };
            if waits && day == start_day && terms.limit.start == Start::NextWorkingDay {
                self.idle(at, until, NotCounted::StartDay);
                at = until;
            } else if !waits && !self.unit.is_working() {
                at = self.natural(at, to);
            } else if at < self.calendar.clip(Unit::WorkingHour, until) {
                self.working_day(at, until)?;
                at = until;
            } else {
                // Beyond the calendar: the conclusion says so.
                break;
            }
        }
        Ok(())
    }

    fn natural(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let to = self.notes.last().map_or(to, |(when, _)| (*when).min(to));
        self.line(from, to, 0, What::Counted(CountedDay::AllHours), to.0 - from.0);
        to
    }

    /// A piece of one day in working units, or a rest day that natural time waits for.
    fn working_day(&mut self, from: Timestamp, to: Timestamp) -> Result<(), ClockError> {
        let number = from.day_and_ms().0;
        let day = self.calendar.day_at(number)?;
        match day.kind {
            DayKind::Weekend => self.idle(from, to, NotCounted::Weekend),
            DayKind::Holiday(name) => self.idle(from, to, NotCounted::Holiday(name.to_owned())),
            DayKind::Work => self.hours(number, day, from, to, CountedDay::Ordinary)?,
            DayKind::MakeUp(name) => self.hours(number, day, from, to, CountedDay::MakeUp(name.to_owned()))?,
            DayKind::Special(name) if day.sessions.is_empty() => {
                self.idle(from, to, NotCounted::Holiday(name.to_owned()));
            }
            DayKind::Special(name) => self.hours(number, day, from, to, CountedDay::Special(name.to_owned()))?,
        }
        Ok(())
    }

    fn hours(
        &mut self,
        number: i64,
        day: Day<'_>,
        from: Timestamp,
        to: Timestamp,
        kind: CountedDay,
    ) -> Result<(), ClockError> {
        let moment = |minute: u16| Timestamp::from_day(number, i64::from(minute) * MINUTE_MS);
        let sessions = || day.sessions.iter().map(|s| (moment(s.from), moment(s.to)));
        let inside = || sessions().filter(|&(open, close)| from < close && open < to);
        let (Some((first, _)), Some((_, last))) = (inside().next(), inside().next_back()) else {
            self.idle(from, to, NotCounted::OutsideHours);
            return Ok(());
        };
        let counted = self.calendar.position(self.unit, to)? - self.calendar.position(self.unit, from)?;
        let whole = sessions().all(|(open, close)| from <= open && close <= to);
        let (from, to) = (first.max(from), last.min(to));
        let what = What::Counted(kind);
        if let Some(run) = self.lines.last_mut()
            && whole
            && run.days > 0
            && run.what == what
            && run.counted.parts == counted * run.days
            && run.to.day_and_ms().0 + 1 == number
        {
            self.sum += counted;
            run.to = to;
            run.days += 1;
            run.counted.parts += counted;
            run.sum.parts = self.sum;
            return Ok(());
        }
        self.line(from, to, i64::from(whole), what, counted);
        Ok(())
    }

    fn idle(&mut self, from: Timestamp, to: Timestamp, why: NotCounted) {
        let what = What::Idle(why);
        match self.lines.last_mut() {
            Some(run) if run.what == what && run.to == from => run.to = to,
            _ => self.line(from, to, 0, what, 0),
        }
    }

    fn conclude(mut self, end: Timestamp, state: ClockState) -> Vec<ExplainLine> {
        self.notes_up_to(Timestamp(i64::MAX));
        self.line(end, end, 0, What::Conclusion(Box::new(state)), 0);
        self.lines
    }
}

/// The language of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

/// One sentence for each line.
pub fn explain_text(lines: &[ExplainLine], lang: Lang) -> Vec<String> {
    let mut year = None;
    lines
        .iter()
        .map(|line| {
            let mut text = Text {
                lang,
                year,
                out: String::new(),
            };
            text.line(line);
            year = text.year;
            text.out
        })
        .collect()
}

/// An amount in words: working days to the nearest hundredth, hours to the minute; what is lost in rounding is never
/// more than that.
pub fn amount_text(amount: Amount, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match amount.unit {
        Unit::WorkingDay => {
            let hundredths =
                (i128::from(amount.parts) * 100 + i128::from(amount.unit.one() / 2)) / i128::from(amount.unit.one());
            let number = match (hundredths / 100, hundredths % 100) {
                (whole, 0) => whole.to_string(),
                (whole, part) if part % 10 == 0 => format!("{whole}.{}", part / 10),
                (whole, part) => format!("{whole}.{part:02}"),
            };
            if zh {
                format!("{number}个工作日")
            } else {
                format!("{number} working {}", plural(hundredths == 100, "day"))
            }
        }
        Unit::WorkingHour => hours_text(amount.parts, if zh { "个工作小时" } else { "working hour" }, lang),
        Unit::NaturalHour => hours_text(amount.parts, if zh { "小时" } else { "hour" }, lang),
        Unit::NaturalDay => days_text(amount.parts, lang),
    }
}

fn plural(one: bool, word: &str) -> String {
    if one { word.to_owned() } else { format!("{word}s") }
}

fn hours_text(ms: i64, word: &str, lang: Lang) -> String {
    let (hours, minutes) = (ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
    match (lang, hours, minutes) {
        (Lang::Zh, 0, 1..) => format!("{minutes}分钟"),
        (Lang::Zh, _, 0) => format!("{hours}{word}"),
        (Lang::Zh, ..) => format!("{hours}{word}{minutes}分钟"),
        (Lang::En, 0, 1..) => format!("{minutes} min"),
        (Lang::En, _, 0) => format!("{hours} {}", plural(hours == 1, word)),
        (Lang::En, ..) => format!("{hours} {} {minutes} min", plural(hours == 1, word)),
    }
}

fn days_text(ms: i64, lang: Lang) -> String {
    let (days, rest) = (ms / DAY_MS, ms % DAY_MS);
    let day_part = match lang {
        Lang::Zh => format!("{days}天"),
        Lang::En => format!("{days} {}", plural(days == 1, "day")),
    };
    let rest_part = hours_text(rest, if lang == Lang::Zh { "小时" } else { "hour" }, lang);
    match (days, rest / MINUTE_MS, lang) {
        (0, 1.., _) => rest_part,
        (_, 0, _) => day_part,
        (_, _, Lang::Zh) => format!("{day_part}{rest_part}"),
        (_, _, Lang::En) => format!("{day_part} {rest_part}"),
    }
}

/// One sentence being written. The year is named when it differs from the one named last.
struct Text {
    lang: Lang,
    year: Option<i16>,
    out: String,
}

impl Text {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    fn add(&mut self, zh: &str, en: &str) {
        let text = self.pick(zh, en).to_owned();
        self.out.push_str(&text);
    }

    fn date(&mut self, date: Date) {
        let named = self.year == Some(date.year());
        self.year = Some(date.year());
        let (month, day) = (date.month(), date.day());
        let weekday = weekday_text(date.weekday(), self.lang);
        let written = match self.lang {
            Lang::Zh if named => write!(self.out, "{month}月{day}日（{weekday}）"),
            Lang::Zh => write!(self.out, "{}年{month}月{day}日（{weekday}）", date.year()),
            Lang::En if named => write!(self.out, "{weekday} {day} {}", MONTHS[month as usize - 1]),
            Lang::En => write!(
                self.out,
                "{weekday} {day} {} {}",
                MONTHS[month as usize - 1],
                date.year()
            ),
        };
        written.expect("writing to a string cannot fail");
    }

    fn clock(&mut self, at: Timestamp) {
        let (_, ms) = at.day_and_ms();
        self.minutes(ms / MINUTE_MS);
    }

    fn minutes(&mut self, minutes: i64) {
        write!(self.out, "{:02}:{:02}", minutes / 60, minutes % 60).expect("writing to a string cannot fail");
    }

    fn moment(&mut self, at: Timestamp) {
        self.date(at.date());
        self.add("", " ");
        self.clock(at);
    }

    /// The end of something: midnight is 24:00 of the day before.
    fn end_moment(&mut self, at: Timestamp) {
        let (day, ms) = at.day_and_ms();
        let (day, ms) = if ms == 0 { (day - 1, DAY_MS) } else { (day, ms) };
        self.date(crate::time::date_of(day));
        self.add("", " ");
        self.minutes(ms / MINUTE_MS);
    }

    /// From when to when; whole days without times of day.
    fn range(&mut self, line: &ExplainLine) {
        let midnight = |at: Timestamp| at.day_and_ms().1 == 0;
        let whole = line.days > 0 || (midnight(line.from) && midnight(line.to) && line.from < line.to);
        let (first, last) = (
            line.from.day_and_ms().0,
            line.to.plus_ms(-1).max(line.from).day_and_ms().0,
        );
        match (whole, first == last) {
            (true, true) => self.date(line.from.date()),
            (true, false) => {
                self.date(line.from.date());
                self.add("至", " to ");
                self.date(crate::time::date_of(last));
            }
            (false, true) => {
                self.moment(line.from);
                self.out.push('–');
                let start = Timestamp::from_day(first, 0);
                self.minutes((line.to.0 - start.0) / MINUTE_MS);
            }
            (false, false) => {
                self.moment(line.from);
                self.add("至", " to ");
                self.end_moment(line.to);
            }
        }
    }

    fn line(&mut self, line: &ExplainLine) {
        match &line.what {
            What::Counted(day) => self.counted(line, day),
            What::Idle(why) => self.idle(line, why),
            What::Conclusion(state) => self.conclusion(state),
            What::Started { rule, limit } => {
                self.moment(line.from);
                self.add("开始计时：", ": the clock starts. ");
                self.rule(rule, limit);
            }
            What::Extended { by, total, approval } => {
                self.moment(line.from);
                let (by, total) = (amount_text(*by, self.lang), amount_text(*total, self.lang));
                self.add(
                    &format!("经“{approval}”批准延长{by}，时限变为{total}。"),
                    &format!(": extended by {by}, approved by “{approval}”; the limit is now {total}."),
                );
            }
            What::Migrated { rule, limit, approval } => {
                self.moment(line.from);
                self.add(
                    &format!("经“{approval}”批准改用新规则，自开始之日起按新规则重新计算，原时限及已延长部分由新时限取代："),
                    &format!(": moved to another rule, approved by “{approval}”. Everything is counted anew from the start; the new limit replaces the old one and its extensions. "),
                );
                self.rule(rule, limit);
            }
        }
    }

    fn rule(&mut self, rule: &RuleRef, limit: &Limit) {
        let amount = amount_text(limit.amount, self.lang);
        let (zh, en) = match limit.start {
            Start::Immediately => ("即时起算", "counted from that moment"),
            Start::NextWorkingDay => ("次日起算", "counted from the next working day"),
        };
        match rule {
            RuleRef { id, version: 0 } => self.add(
                &format!("{id}，时限{amount}，{zh}。"),
                &format!("{id}: {amount}, {en}."),
            ),
            RuleRef { id, version } => self.add(
                &format!("规则“{id}”第{version}版，时限{amount}，{zh}。"),
                &format!("Rule “{id}” version {version}: {amount}, {en}."),
            ),
        }
    }

    fn counted(&mut self, line: &ExplainLine, day: &CountedDay) {
        self.range(line);
        match day {
            CountedDay::AllHours => self.add("昼夜连续计时", ": every hour counts"),
            CountedDay::Ordinary if line.days > 0 => self.add("正常上班", ": ordinary working time"),
            CountedDay::Ordinary => self.add("工作时间", ": working time"),
            CountedDay::MakeUp(name) => {
                self.add(&format!("{name}调休上班"), &format!(": make-up working day ({name})"))
            }
            CountedDay::Special(name) => self.add(
                &format!("{name}（按当日作息）"),
                &format!(": {name}, with its own hours"),
            ),
        }
        let (counted, sum) = (amount_text(line.counted, self.lang), amount_text(line.sum, self.lang));
        self.add(
            &format!("，计{counted}，累计{sum}。"),
            &format!(", {counted} counted, {sum} in all."),
        );
    }

    fn idle(&mut self, line: &ExplainLine, why: &NotCounted) {
        self.range(line);
        match why {
            NotCounted::StartDay => self.add(
                "为起始当日，次日起算，不计时。",
                ": the day of the start does not count.",
            ),
            NotCounted::OutsideHours => self.add("非工作时间，不计时。", ": outside working hours, not counted."),
            NotCounted::Weekend => self.add("周末休息，不计时。", ": weekend, not counted."),
            NotCounted::Holiday(name) => self.add(
                &format!("{name}放假，不计时。"),
                &format!(": holiday ({name}), not counted."),
            ),
            NotCounted::Paused {
                approval,
                reason,
                until,
            } => {
                self.add(
                    &format!("经“{approval}”批准暂停"),
                    &format!(": paused, approved by “{approval}”"),
                );
                if let Some(until) = until {
                    self.add("至", " until ");
                    self.end_moment(*until);
                }
                self.add(
                    &format!("（原因：{reason}），不计时。"),
                    &format!(" (reason: {reason}), not counted."),
                );
            }
        }
    }

    fn conclusion(&mut self, state: &ClockState) {
        match &state.due {
            Due::At(at) => {
                // The answer people look for always names the year.
                self.year = None;
                self.add("到期时间：", "Due: ");
                self.end_moment(*at);
                self.add("。", ". ");
            }
            Due::WhenResumed => self.add(
                "到期时间待恢复计时后推算。",
                "The due time follows when counting resumes. ",
            ),
            Due::Unknown(unknown) => {
                let (calendar, year) = (&unknown.calendar, unknown.year);
                self.add(
                    &format!("到期时间暂不能推算：工作日历“{calendar}”尚未导入{year}年的放假安排。"),
                    &format!(
                        "The due time is not known yet: calendar “{calendar}” has no holidays for {year} so far. "
                    ),
                );
            }
        }
        self.standing(state);
    }

    fn standing(&mut self, state: &ClockState) {
        let late = days_text(state.late_ms, self.lang);
        let (used, left) = (
            amount_text(state.used, self.lang),
            amount_text(state.remaining, self.lang),
        );
        let end = if let Phase::Stopped { at } = state.phase {
            at
        } else {
            state.now
        };
        let stopped = matches!(state.phase, Phase::Stopped { .. });
        self.add(if stopped { "已于" } else { "截至" }, "On ");
        self.moment(end);
        match (stopped, state.is_late()) {
            (true, true) => self.add(
                &format!("停止计时，超期{late}。"),
                &format!(" the clock stopped, {late} late."),
            ),
            (true, false) => self.add(
                &format!("停止计时，用了{used}，没有超期。"),
                &format!(" the clock stopped after {used}, in time."),
            ),
            (false, true) => self.add(&format!("，已超期{late}。"), &format!(": {late} late.")),
            (false, false) => self.add(
                &format!("，已用{used}，还剩{left}。"),
                &format!(": {used} used, {left} left."),
            ),
        }
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn weekday_text(weekday: Weekday, lang: Lang) -> &'static str {
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    const EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let names = if lang == Lang::Zh { ZH } else { EN };
    names[weekday.to_monday_zero_offset() as usize]
}
