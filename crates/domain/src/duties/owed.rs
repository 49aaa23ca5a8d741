//! What one subject is owed in one period, and what of it was done.

use super::period::Days;
use super::rule::{Act, Missed, Outcome, Quantity, Rule, Settled};
use crate::time::{Timestamp, date_of};
use crate::workforce::Term;

/// Where in its share of a period a subject's turn falls: a fraction of the share, in parts of 2^64. The same subject has the same turn
/// under every rule and in every period, so that one call can settle several obligations and periods stay apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn(pub u64);

impl Turn {
    /// The turn of the subject with this id: ids made one after the other are scattered evenly.
    pub fn of(id: u128) -> Turn {
        // The finisher of SplitMix64 over both halves.
        let mix = |mut x: u64| {
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        };
        Turn(mix(
            (id >> 64) as u64 ^ mix((id as u64).wrapping_add(0x9e37_79b9_7f4a_7c15))
        ))
    }

    /// The place of this turn among `count`.
    fn among(self, count: usize) -> usize {
        ((u128::from(self.0) * count as u128) >> 64) as usize
    }
}

/// Something done, as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub at: Timestamp,
    pub act: Act,
    pub minutes: u32,
    pub outcome: Outcome,
    pub photo: bool,
    pub position: bool,
    pub talk: bool,
    pub people: u8,
    /// Duties of the posts its people hold or stand in for.
    pub duties: Vec<String>,
}

/// What the period before hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// Day of the last one that counted.
    pub last: Option<i64>,
    /// Obligations missed that can still be made up.
    pub missed: u16,
}

/// One thing owed. Days are numbered from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// From 1 within the period.
    pub nth: u16,
    /// Times or minutes needed for it, and how many of them there are.
    pub need: u32,
    pub got: u32,
    /// The first day on which it can be done.
    pub from: i64,
    /// The day planned for it.
    pub planned: i64,
    /// The last day in time.
    pub until: i64,
    /// The last day on which it can be done in the period.
    pub end: i64,
    pub done: Option<Done>,
    /// Times somebody went without its counting as done, and how the last one went.
    pub tried: u16,
    pub reason: Option<Outcome>,
}

/// By what, and when, it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Its place in the list of visits given.
    pub visit: usize,
    pub day: i64,
    /// After the last day in time.
    pub late: bool,
}

/// How an obligation stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Too early.
    Ahead,
    /// It may be done already.
    Early,
    Due,
    Late,
    /// The period is over.
    Missed,
    Done,
}

impl Standing {
    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            Standing::Ahead => "ahead",
            Standing::Early => "early",
            Standing::Due => "due",
            Standing::Late => "late",
            Standing::Missed => "missed",
            Standing::Done => "done",
        }
    }
}

impl Obligation {
    pub fn standing(&self, day: i64) -> Standing {
        match () {
            () if self.done.is_some() => Standing::Done,
            () if day > self.end => Standing::Missed,
            () if day > self.until => Standing::Late,
            () if day >= self.planned => Standing::Due,
            () if day >= self.from => Standing::Early,
            () => Standing::Ahead,
        }
    }
}

/// What became of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts for the obligation of this number.
    Settles(u16),
    /// It makes up one missed in the period before.
    MakesUp,
    /// It is counted, more than was owed.
    Extra,
    Not(Why),
}

/// Why a visit does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Another act than the rule's.
    OtherAct,
    /// The subject was not (yet, or any more) among those it is owed to.
    NotAMember,
    WrongDay,
    WrongHours,
    WrongHands,
    TooFew,
    NoPhoto,
    NoPosition,
    NoTalk,
    TooShort,
    NotMet,
    /// Too soon after the last one that counted.
    TooSoon,
    /// Too early for the next one.
    TooEarly,
    /// All that is counted in this period has been done.
    Enough,
}

impl Why {
    /// The word in the API and in sentences.
    pub fn key(self) -> &'static str {
        match self {
            Why::OtherAct => "other_act",
            Why::NotAMember => "not_a_member",
            Why::WrongDay => "wrong_day",
            Why::WrongHours => "wrong_hours",
            Why::WrongHands => "wrong_hands",
            Why::TooFew => "too_few",
            Why::NoPhoto => "no_photo",
            Why::NoPosition => "no_position",
            Why::NoTalk => "no_talk",
            Why::TooShort => "too_short",
            Why::NotMet => "not_met",
            Why::TooSoon => "too_soon",
            Why::TooEarly => "too_early",
            Why::Enough => "enough",
        }
    }
}

/// What one subject is owed in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// In order of their shares.
    pub obligations: Vec<Obligation>,
    /// One for each visit given.
    pub verdicts: Vec<Verdict>,
    /// Obligations of the period before that were made up.
    pub made_up: u16,
    /// Day of the last one that counted, in this period or before.
    pub last: Option<i64>,
}

impl Owed {
    /// What it hands on to the next period.
    pub fn after(&self, rule: &Rule) -> Before {
        let open = self.obligations.iter().filter(|one| one.done.is_none()).count();
        Before {
            last: self.last,
            missed: match rule.missed {
                Missed::Owed => open as u16,
                Missed::Lapses => 0,
            },
        }
    }
}

/// What a subject is owed in the period of `days`, given when it belonged to those the rule is for (`member`), its visits in that period
/// in any order, and what the period before handed on.
pub fn owed(rule: &Rule, days: &Days<'_>, member: &[Term], turn: Turn, visits: &[Visit], before: Before) -> Owed {
    let open = open_days(rule, days, member);
    let all = (days.period.first..=days.period.last)
        .filter(|day| days.allows(&rule.on, *day))
        .count();
    let mut count = Count {
        rule,
        days,
        obligations: obligations(rule, days, &open, rule.need(open.len(), all), turn, before.last),
        verdicts: vec![Verdict::Not(Why::WrongDay); visits.len()],
        owed_before: before.missed,
        made_up: 0,
        extra: 0,
        last: before.last,
        open,
    };
    let mut order: Vec<usize> = (0..visits.len()).collect();
    order.sort_by_key(|nth| (visits[*nth].at, *nth));
    for nth in order {
        count.verdicts[nth] = count.take(nth, &visits[nth]);
    }
    count.finish()
}

/// The days of the period on which the subject can be called on.
fn open_days(rule: &Rule, days: &Days<'_>, member: &[Term]) -> Vec<i64> {
    let belongs = |day: i64| {
        let date = date_of(day);
        member.iter().any(|term| term.covers(date))
    };
    (days.period.first..=days.period.last)
        .filter(|day| days.allows(&rule.on, *day) && belongs(*day))
        .collect()
}

/// What is owed on these days: as much as is needed, and never more than can be done.
fn obligations(
    rule: &Rule,
    days: &Days<'_>,
    open: &[i64],
    need: u32,
    turn: Turn,
    last: Option<i64>,
) -> Vec<Obligation> {
    if open.is_empty() || need == 0 {
        return Vec::new();
    }
    if matches!(rule.quantity, Quantity::Minutes(_)) {
        return vec![obligation(rule, days, open, (0, 1), need, turn)];
    }
    for times in (1..=need as usize).rev() {
        let cut: Vec<Obligation> = (0..times)
            .map(|nth| obligation(rule, days, open, (nth, times), 1, turn))
            .collect();
        if can_be_done(rule, open, &cut, last) {
            return cut;
        }
    }
    Vec::new()
}

/// The `nth` of `times` equal shares of the open days.
fn obligation(
    rule: &Rule,
    days: &Days<'_>,
    open: &[i64],
    (nth, times): (usize, usize),
    need: u32,
    turn: Turn,
) -> Obligation {
    let start = nth * open.len() / times;
    let share = &open[start..((nth + 1) * open.len() / times).max(start + 1)];
    let working: Vec<i64> = share.iter().copied().filter(|day| days.is_working(*day)).collect();
    let choice = if working.is_empty() { share } else { &working[..] };
    let planned = choice[turn.among(choice.len())];
    let last = share.len() - 1;
    let until = rule.grace.map_or(last, |grace| {
        let at = share.partition_point(|day| *day < planned);
        (at + usize::from(grace)).min(last)
    });
    let from = rule
        .early
        .map_or(open[0], |early| (share[0] - i64::from(early)).max(open[0]));
    Obligation {
        nth: nth as u16 + 1,
        need,
        got: 0,
        from,
        planned,
        until: share[until],
        end: open[open.len() - 1],
        done: None,
        tried: 0,
        reason: None,
    }
}

/// Whether there is a day for each, far enough from the one before: the first possible day is always the best choice.
fn can_be_done(rule: &Rule, open: &[i64], cut: &[Obligation], last: Option<i64>) -> bool {
    let mut previous = last;
    cut.iter().all(|one| {
        let after = previous.map_or(one.from, |day| one.from.max(day + i64::from(rule.spacing)));
        previous = open.get(open.partition_point(|day| *day < after)).copied();
        previous.is_some()
    })
}

/// The visits of one period being counted.
struct Count<'a, 'c> {
    rule: &'a Rule,
    days: &'a Days<'c>,
    open: Vec<i64>,
    obligations: Vec<Obligation>,
    verdicts: Vec<Verdict>,
    owed_before: u16,
    made_up: u16,
    extra: u16,
    last: Option<i64>,
}

impl Count<'_, '_> {
    fn take(&mut self, nth: usize, visit: &Visit) -> Verdict {
        let day = visit.at.day_and_ms().0;
        let next = self.obligations.iter().position(|one| one.done.is_none());
        if let Err(why) = self.qualifies(visit, day) {
            if let (Why::NotMet, Some(next)) = (why, next) {
                let one = &mut self.obligations[next];
                (one.tried, one.reason) = (one.tried.saturating_add(1), Some(visit.outcome));
            }
            return Verdict::Not(why);
        }
        let spacing = i64::from(self.rule.spacing);
        if self.last.is_some_and(|last| day < last + spacing) {
            return Verdict::Not(Why::TooSoon);
        }
        let verdict = self.place(nth, visit, day, next);
        if !matches!(verdict, Verdict::Not(_)) {
            self.last = Some(day);
        }
        verdict
    }

    /// What a visit that counts is counted for.
    fn place(&mut self, nth: usize, visit: &Visit, day: i64, next: Option<usize>) -> Verdict {
        if let Some(next) = next.filter(|next| self.obligations[*next].from <= day) {
            let one = &mut self.obligations[next];
            one.got = match self.rule.quantity {
                Quantity::Times { .. } => 1,
                Quantity::Minutes(_) => one.got.saturating_add(visit.minutes),
            };
            if one.got >= one.need {
                one.done = Some(Done {
                    visit: nth,
                    day,
                    late: day > one.until,
                });
            }
            return Verdict::Settles(one.nth);
        }
        if self.made_up < self.owed_before {
            self.made_up += 1;
            return Verdict::MakesUp;
        }
        if next.is_some() {
            return Verdict::Not(Why::TooEarly);
        }
        match self.rule.quantity {
            Quantity::Times { least, most } => {
                let counted = self.obligations.len() as u16 + self.extra;
                if counted < least {
                    self.keep(nth, day, 1);
                    return Verdict::Settles(self.obligations.len() as u16);
                }
                if counted >= most {
                    return Verdict::Not(Why::Enough);
                }
                self.extra += 1;
                Verdict::Extra
            }
            Quantity::Minutes(_) => Verdict::Not(Why::Enough),
        }
    }

    /// What was done for somebody who is owed less than the whole number stays done.
    fn keep(&mut self, nth: usize, day: i64, need: u32) {
        self.obligations.push(Obligation {
            nth: self.obligations.len() as u16 + 1,
            need,
            got: need,
            from: day,
            planned: day,
            until: day,
            end: self.open.last().copied().unwrap_or(day),
            done: Some(Done {
                visit: nth,
                day,
                late: false,
            }),
            tried: 0,
            reason: None,
        });
    }

    fn qualifies(&self, visit: &Visit, day: i64) -> Result<(), Why> {
        let rule = self.rule;
        let must = |holds: bool, why: Why| if holds { Ok(()) } else { Err(why) };
        must(visit.act == rule.act, Why::OtherAct)?;
        must(self.days.allows(&rule.on, day), Why::WrongDay)?;
        must(self.open.binary_search(&day).is_ok(), Why::NotAMember)?;
        must(self.days.in_hours(&rule.hours, visit.at), Why::WrongHours)?;
        must(visit.duties.contains(&rule.by.duty), Why::WrongHands)?;
        must(visit.people >= rule.by.people, Why::TooFew)?;
        let gone = rule.settled == Settled::Gone || visit.outcome == Outcome::Met;
        must(gone, Why::NotMet)?;
        must(visit.minutes >= rule.least_minutes, Why::TooShort)?;
        must(visit.photo || !rule.evidence.photo, Why::NoPhoto)?;
        must(visit.position || !rule.evidence.position, Why::NoPosition)?;
        // Where nobody was met there was nobody to talk to.
        let talk = visit.talk || !rule.evidence.talk || visit.outcome != Outcome::Met;
        must(talk, Why::NoTalk)
    }

    fn finish(mut self) -> Owed {
        // What is still open cannot be done before so many days after the last one that counted.
        let mut after = self.last;
        for one in self.obligations.iter_mut().filter(|one| one.done.is_none()) {
            if let Some(last) = after {
                one.from = one.from.max(last + i64::from(self.rule.spacing));
            }
            after = after.map(|_| one.from);
        }
        Owed {
            obligations: self.obligations,
            verdicts: self.verdicts,
            made_up: self.made_up,
            last: self.last,
        }
    }
}
