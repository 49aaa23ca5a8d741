//! The oracle of duties: the same questions answered day by day, by somebody slow who keeps lists and counts on fingers.
//!
//! Shares no code with `domain::duties` beyond its data types: its own periods, shares, room for spacing and counting, over several periods
//! in one sweep. Used here with random rules and by the server with the rules of the packs.

use domain::calendar::Calendar;
use domain::duties::*;
use domain::time::{Timestamp, date_of, day_number};
use domain::workforce::Term;
use jiff::civil::{Date, Weekday};

/// What came of one period: readable, so that a difference can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub period: String,
    pub owed: Vec<String>,
    pub verdicts: Vec<String>,
    pub made_up: u16,
}

/// The same as text, from the function under test, period by period with what each hands on.
pub fn told(
    rule: &Rule,
    calendar: &Calendar,
    member: &[Term],
    turn: Turn,
    visits: &[Visit],
    start: Date,
    periods: usize,
) -> Vec<Told> {
    let mut period = rule.every.period_of(start);
    let mut before = Before::default();
    let mut all = Vec::new();
    for _ in 0..periods {
        let days = Days::of(period, calendar).expect("a known period");
        let here: Vec<usize> = (0..visits.len())
            .filter(|nth| period.holds(day_number(visits[*nth].at.date())))
            .collect();
        let mine: Vec<Visit> = here.iter().map(|nth| visits[*nth].clone()).collect();
        let found = owed(rule, &days, member, turn, &mine, before);
        before = found.after(rule);
        let line = |one: &Obligation| {
            let days = [one.from, one.planned, one.until, one.end].map(|day| date_of(day).to_string());
            let done = one
                .done
                .map(|done| (here[done.visit], date_of(done.day).to_string(), done.late));
            let standing = [-1, 0, 1, 3, 40].map(|after| one.standing(one.planned + after).key());
            format!(
                "{} {}/{} {days:?} {done:?} tried {} {:?} {standing:?}",
                one.nth, one.got, one.need, one.tried, one.reason
            )
        };
        all.push(Told {
            period: period.to_string(),
            owed: found.obligations.iter().map(line).collect(),
            verdicts: here
                .iter()
                .zip(&found.verdicts)
                .map(|(nth, verdict)| format!("{nth}: {verdict:?}"))
                .collect(),
            made_up: found.made_up,
        });
        period = period.next();
    }
    all
}

fn same_period(every: Every, a: Date, b: Date) -> bool {
    let month = |date: Date| (date.year(), date.month());
    let week = |date: Date| (date.iso_week_date().year(), date.iso_week_date().week());
    match every {
        Every::Day => a == b,
        Every::Week => week(a) == week(b),
        Every::Month => month(a) == month(b),
        Every::Quarter => (a.year(), (a.month() + 2) / 3) == (b.year(), (b.month() + 2) / 3),
        Every::Year => a.year() == b.year(),
    }
}

fn name(every: Every, date: Date) -> String {
    match every {
        Every::Day => date.to_string(),
        Every::Week => format!("{}-W{:02}", date.iso_week_date().year(), date.iso_week_date().week()),
        Every::Month => date.to_string()[..7].to_owned(),
        Every::Quarter => format!("{}-Q{}", date.year(), (date.month() + 2) / 3),
        Every::Year => date.year().to_string(),
    }
}

fn tomorrow(date: Date) -> Date {
    date.tomorrow().expect("not the last day of time")
}

fn allowed(rule: &Rule, calendar: &Calendar, date: Date) -> bool {
    let weekdays = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    match &rule.on {
        On::Every => true,
        On::Working => works(calendar, date),
        On::Weekdays(days) => (0..7).any(|at| days[at] && date.weekday() == weekdays[at]),
    }
}

fn works(calendar: &Calendar, date: Date) -> bool {
    calendar.day(date).expect("a known day").weight > 0
}

/// One obligation on the oracle's list.
#[derive(Debug, Clone)]
struct Item {
    from: Date,
    planned: Date,
    until: Date,
    end: Date,
    need: u32,
    got: u32,
    done: Option<(usize, Date, bool)>,
    tried: u16,
    reason: Option<Outcome>,
}

fn days_between(a: Date, b: Date) -> i64 {
    i64::from(a.until(b).expect("near days").get_days())
}

/// Day by day over so many periods from the one that `start` lies in.
pub fn simulate(
    rule: &Rule,
    calendar: &Calendar,
    member: &[Term],
    turn: Turn,
    visits: &[Visit],
    start: Date,
    periods: usize,
) -> Vec<Told> {
    let mut day = start;
    while day
        .yesterday()
        .is_ok_and(|before| same_period(rule.every, before, start))
    {
        day = day.yesterday().expect("checked");
    }
    let mut all = Vec::new();
    let mut last: Option<Date> = None;
    let mut missed = 0u16;
    for _ in 0..periods {
        let first = day;
        let mut dates = Vec::new();
        while same_period(rule.every, first, day) {
            dates.push(day);
            day = tomorrow(day);
        }
        let (told, still) = one_period(rule, calendar, member, turn, visits, &dates, &mut last, missed);
        missed = if rule.missed == Missed::Owed { still } else { 0 };
        all.push(told);
    }
    all
}

fn one_period(
    rule: &Rule,
    calendar: &Calendar,
    member: &[Term],
    turn: Turn,
    visits: &[Visit],
    dates: &[Date],
    last: &mut Option<Date>,
    mut missed: u16,
) -> (Told, u16) {
    let mut possible = 0;
    let mut open = Vec::new();
    for date in dates {
        if !allowed(rule, calendar, *date) {
            continue;
        }
        possible += 1;
        let mut inside = false;
        for term in member {
            let ended = matches!(term.to, Some(to) if to < *date);
            inside = inside || (*date >= term.from && !ended);
        }
        if inside {
            open.push(*date);
        }
    }
    let mut items = list(rule, calendar, &open, possible, turn, *last);
    let (mut verdicts, mut extra, mut made_up) = (Vec::new(), 0u16, 0u16);
    for date in dates {
        let mut today: Vec<usize> = (0..visits.len())
            .filter(|nth| visits[*nth].at.date() == *date)
            .collect();
        today.sort_by(|a, b| visits[*a].at.cmp(&visits[*b].at).then(a.cmp(b)));
        for nth in today {
            let visit = &visits[nth];
            let verdict = match refuse(rule, calendar, visit, *date, &open) {
                Some(why) => {
                    if why == Why::NotMet
                        && let Some(item) = items.iter_mut().find(|item| item.done.is_none())
                    {
                        item.tried += 1;
                        item.reason = Some(visit.outcome);
                    }
                    Verdict::Not(why)
                }
                None if last.is_some_and(|last| days_between(last, *date) < i64::from(rule.spacing)) => {
                    Verdict::Not(Why::TooSoon)
                }
                None => count(
                    rule,
                    visit,
                    nth,
                    *date,
                    &open,
                    &mut items,
                    &mut missed,
                    &mut made_up,
                    &mut extra,
                ),
            };
            if !matches!(verdict, Verdict::Not(_)) {
                *last = Some(*date);
            }
            verdicts.push((nth, verdict));
        }
    }
    verdicts.sort_by_key(|(nth, _)| *nth);
    let still = items.iter().filter(|item| item.done.is_none()).count() as u16;
    let mut not_before = *last;
    let mut owed = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let mut from = item.from;
        if item.done.is_none()
            && let Some(last) = not_before
        {
            let spaced = date_of(day_number(last) + i64::from(rule.spacing));
            from = if spaced > from { spaced } else { from };
            not_before = Some(from);
        }
        owed.push(line(at, item, from));
    }
    let told = Told {
        period: name(rule.every, dates[0]),
        owed,
        verdicts: verdicts
            .into_iter()
            .map(|(nth, verdict)| format!("{nth}: {verdict:?}"))
            .collect(),
        made_up,
    };
    (told, still)
}

fn line(at: usize, item: &Item, from: Date) -> String {
    let days = [from, item.planned, item.until, item.end].map(|date| date.to_string());
    let done = item.done.map(|(nth, date, late)| (nth, date.to_string(), late));
    let standing = [-1, 0, 1, 3, 40].map(|after| {
        let date = date_of(day_number(item.planned) + after);
        if item.done.is_some() {
            "done"
        } else if date > item.end {
            "missed"
        } else if date > item.until {
            "late"
        } else if date >= item.planned {
            "due"
        } else if date >= from {
            "early"
        } else {
            "ahead"
        }
    });
    format!(
        "{} {}/{} {days:?} {done:?} tried {} {:?} {standing:?}",
        at + 1,
        item.got,
        item.need,
        item.tried,
        item.reason
    )
}

fn refuse(rule: &Rule, calendar: &Calendar, visit: &Visit, date: Date, open: &[Date]) -> Option<Why> {
    let minute = i64::from(visit.at.civil().hour()) * 60 + i64::from(visit.at.civil().minute());
    let in_hours = match &rule.hours {
        Hours::Any => true,
        Hours::Working => {
            let day = calendar.day(date).expect("a known day");
            day.sessions
                .iter()
                .any(|span| i64::from(span.from) <= minute && minute < i64::from(span.to))
        }
        Hours::Within(spans) => spans
            .iter()
            .any(|span| i64::from(span.from) <= minute && minute < i64::from(span.to)),
    };
    let met = visit.outcome == Outcome::Met;
    let reasons = [
        (visit.act != rule.act, Why::OtherAct),
        (!allowed(rule, calendar, date), Why::WrongDay),
        (!open.contains(&date), Why::NotAMember),
        (!in_hours, Why::WrongHours),
        (!visit.duties.contains(&rule.by.duty), Why::WrongHands),
        (visit.people < rule.by.people, Why::TooFew),
        (!met && rule.settled == Settled::Met, Why::NotMet),
        (visit.minutes < rule.least_minutes, Why::TooShort),
        (rule.evidence.photo && !visit.photo, Why::NoPhoto),
        (rule.evidence.position && !visit.position, Why::NoPosition),
        (met && rule.evidence.talk && !visit.talk, Why::NoTalk),
    ];
    reasons.into_iter().find(|(wrong, _)| *wrong).map(|(_, why)| why)
}

#[allow(clippy::ptr_arg)]
fn count(
    rule: &Rule,
    visit: &Visit,
    nth: usize,
    date: Date,
    open: &[Date],
    items: &mut Vec<Item>,
    missed: &mut u16,
    made_up: &mut u16,
    extra: &mut u16,
) -> Verdict {
    let waiting = items.iter().position(|item| item.done.is_none());
    if let Some(at) = waiting
        && items[at].from <= date
    {
        let item = &mut items[at];
        item.got += match rule.quantity {
            Quantity::Times { .. } => 1,
            Quantity::Minutes(_) => visit.minutes,
        };
        if item.got >= item.need {
            item.done = Some((nth, date, date > item.until));
        }
        return Verdict::Settles(at as u16 + 1);
    }
    if *missed > 0 {
        *missed -= 1;
        *made_up += 1;
        return Verdict::MakesUp;
    }
    if waiting.is_some() {
        return Verdict::Not(Why::TooEarly);
    }
    let Quantity::Times { least, most } = rule.quantity else {
        return Verdict::Not(Why::Enough);
    };
    if items.len() < usize::from(least) {
        items.push(Item {
            from: date,
            planned: date,
            until: date,
            end: open[open.len() - 1],
            need: 1,
            got: 1,
            done: Some((nth, date, false)),
            tried: 0,
            reason: None,
        });
        return Verdict::Settles(items.len() as u16);
    }
    if items.len() + usize::from(*extra) < usize::from(most) {
        *extra += 1;
        return Verdict::Extra;
    }
    Verdict::Not(Why::Enough)
}

/// What is owed at the beginning of the period: from the full number downwards, the first that can be done.
fn list(rule: &Rule, calendar: &Calendar, open: &[Date], possible: u32, turn: Turn, last: Option<Date>) -> Vec<Item> {
    let full = match rule.quantity {
        Quantity::Times { least, .. } => u32::from(least),
        Quantity::Minutes(minutes) => minutes,
    };
    let here = open.len() as u32;
    let mut need = match rule.partial {
        Partial::Full => full,
        Partial::Share => {
            // The greatest whole number that is not more than its part.
            let mut share = 0;
            while here > 0 && u64::from(share + 1) * u64::from(possible) <= u64::from(full) * u64::from(here) {
                share += 1;
            }
            share
        }
        Partial::Next => {
            if here == possible {
                full
            } else {
                0
            }
        }
    };
    if open.is_empty() || need == 0 {
        return Vec::new();
    }
    if matches!(rule.quantity, Quantity::Minutes(_)) {
        let mut items = cut(rule, calendar, open, 1, turn);
        items[0].need = need;
        return items;
    }
    while need > 0 {
        let items = cut(rule, calendar, open, need as usize, turn);
        if room(rule, open, &items, last) {
            return items;
        }
        need -= 1;
    }
    Vec::new()
}

/// Deals the open days out to the shares one by one.
fn cut(rule: &Rule, calendar: &Calendar, open: &[Date], times: usize, turn: Turn) -> Vec<Item> {
    let mut shares: Vec<Vec<Date>> = vec![Vec::new(); times];
    for (nth, share) in shares.iter_mut().enumerate() {
        for (at, date) in open.iter().enumerate() {
            // Day `at` begins at or after the share's beginning, and before the next one's.
            let (begins, ends) = (nth * open.len() / times, (nth + 1) * open.len() / times);
            if at == begins || (at > begins && at < ends) {
                share.push(*date);
            }
        }
    }
    let item = |share: &Vec<Date>| {
        let mut choice: Vec<Date> = share.iter().copied().filter(|date| works(calendar, *date)).collect();
        if choice.is_empty() {
            choice.clone_from(share);
        }
        // The place of the turn: as many of the fractions 1/n, 2/n .. as lie at or below it.
        let count = choice.len() as u128;
        let place = (1..count)
            .filter(|k| (k << 64).div_ceil(count) <= u128::from(turn.0))
            .count();
        let planned = choice[place];
        let mut until = share[share.len() - 1];
        if let Some(grace) = rule.grace {
            let later: Vec<Date> = share.iter().copied().filter(|date| *date > planned).collect();
            until = match grace {
                0 => planned,
                _ => later
                    .get(usize::from(grace) - 1)
                    .or(later.last())
                    .copied()
                    .unwrap_or(planned),
            };
        }
        let mut from = open[0];
        if let Some(early) = rule.early {
            let wanted = date_of(day_number(share[0]) - i64::from(early));
            if wanted > from {
                from = wanted;
            }
        }
        Item {
            from,
            planned,
            until,
            end: open[open.len() - 1],
            need: 1,
            got: 0,
            done: None,
            tried: 0,
            reason: None,
        }
    };
    shares.iter().map(item).collect()
}

/// Whether there are days for all of them: which days each can have, given the days the one before can have.
fn room(rule: &Rule, open: &[Date], items: &[Item], last: Option<Date>) -> bool {
    let far = |a: Date, b: Date| days_between(a, b) >= i64::from(rule.spacing);
    let mut before: Option<Vec<Date>> = last.map(|last| vec![last]);
    for item in items {
        let here: Vec<Date> = open
            .iter()
            .copied()
            .filter(|date| *date >= item.from)
            .filter(|date| {
                before
                    .as_ref()
                    .is_none_or(|before| before.iter().any(|a| a <= date && far(*a, *date)))
            })
            .collect();
        if here.is_empty() {
            return false;
        }
        before = Some(here);
    }
    true
}

/// The most visits of a list of days that can count at this spacing, by trying every choice.
pub fn most_apart(days: &[i64], spacing: i64) -> usize {
    let mut best = 0;
    for choice in 0u32..1 << days.len() {
        let mut chosen: Vec<i64> = (0..days.len())
            .filter(|at| choice >> at & 1 == 1)
            .map(|at| days[at])
            .collect();
        chosen.sort_unstable();
        if chosen.windows(2).all(|pair| pair[1] - pair[0] >= spacing) {
            best = best.max(chosen.len());
        }
    }
    best
}

/// A visit that lacks nothing.
pub fn visit(at: Timestamp, act: Act, duty: &str) -> Visit {
    Visit {
        at,
        act,
        minutes: 30,
        outcome: Outcome::Met,
        photo: true,
        position: true,
        talk: true,
        people: 2,
        duties: vec![duty.to_owned()],
    }
}
