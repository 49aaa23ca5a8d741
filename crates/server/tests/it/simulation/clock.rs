//! A clock of the model: what ran when, added up anew each time it is asked.

use super::calendar::{DAY, Hours, WORKDAY};
use super::rules::{Limit, PAUSE_DAYS};
use std::collections::BTreeSet;

/// A stretch in which nothing counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Pause {
    pub from: i64,
    pub to: Option<i64>,
    /// Until when it was approved.
    pub until: Option<i64>,
    /// Set aside (挂账): it ends by a person only.
    pub parked: bool,
}

#[derive(Debug, Clone)]
pub struct Clock {
    pub step: &'static str,
    pub started: i64,
    pub limit: Limit,
    /// Milliseconds granted on top.
    pub extended: i64,
    pub pauses: Vec<Pause>,
    pub stopped: Option<i64>,
    /// Warnings and escalations told since the limit last moved.
    pub told: BTreeSet<&'static str>,
    /// Climbs the pack's ladder; a co-handler's clock only warns once.
    pub lead: bool,
}

/// The rungs of `clocks.toml`: name, share of the limit in tenths or working time after it, whether it goes to those above the holder.
const LADDER: [(&str, When, bool); 5] = [
    ("warning", When::Used(8), false),
    ("soon", When::Used(9), true),
    ("due", When::After(0), false),
    ("late", When::After(WORKDAY), true),
    ("later", When::After(3 * WORKDAY), true),
];
const PART: [(&str, When, bool); 1] = [("warn", When::Used(8), false)];

#[derive(Clone, Copy)]
enum When {
    Used(i64),
    After(i64),
}

impl Clock {
    pub fn start(step: &'static str, at: i64, limit: Limit, lead: bool) -> Clock {
        Clock {
            step,
            started: at,
            limit,
            extended: 0,
            pauses: Vec::new(),
            stopped: None,
            told: BTreeSet::new(),
            lead,
        }
    }

    pub fn pause(&mut self, at: i64, until: Option<i64>, parked: bool) {
        self.resume(at);
        self.pauses.push(Pause {
            from: at,
            to: None,
            until,
            parked,
        });
    }

    /// Counting goes on, from now or from the moment the pause was approved until.
    pub fn resume(&mut self, at: i64) {
        if let Some(pause) = self.pauses.last_mut().filter(|pause| pause.to.is_none()) {
            pause.to = Some(pause.until.map_or(at, |until| until.min(at)).max(pause.from));
            self.told.clear();
        }
    }

    pub fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.to.is_none())
    }

    pub fn extend(&mut self, ms: i64) {
        self.extended += ms;
        self.told.clear();
    }

    /// Stopped work is taken up again: the time between does not count. A pause whose time is not over goes on.
    pub fn take_up(&mut self, at: i64) {
        let stopped = self.stopped.take().unwrap();
        let paused = self.pauses.last().filter(|pause| pause.to.is_none()).cloned();
        if let Some(pause) = self.pauses.last_mut().filter(|pause| pause.to.is_none()) {
            pause.to = Some(pause.until.map_or(stopped, |until| until.min(stopped)).max(pause.from));
        }
        self.pauses.push(Pause {
            from: stopped,
            to: Some(at),
            until: None,
            parked: false,
        });
        if let Some(pause) = paused.filter(|pause| pause.until.is_none_or(|until| until > at)) {
            self.pauses.push(Pause {
                from: at,
                to: None,
                ..pause
            });
        }
    }

    /// When so much has been counted; none while a pause or the end of the calendar leaves it open.
    fn moment(&self, hours: &Hours, mut need: i64) -> Option<i64> {
        let mut from = match self.limit.next_day {
            true => hours.next_working_day(self.started)?,
            false => self.started,
        };
        for pause in &self.pauses {
            if pause.from > from {
                let counted = match self.limit.working {
                    true => hours.between(from, pause.from),
                    false => pause.from - from,
                };
                if counted >= need {
                    break;
                }
                need -= counted;
            }
            from = from.max(pause.to?);
        }
        match self.limit.working {
            true => hours.after(from, need),
            false => Some(from + need),
        }
    }

    pub fn due(&self, hours: &Hours) -> Option<i64> {
        self.moment(hours, self.limit.ms + self.extended)
    }

    pub fn is_late(&self, hours: &Hours, now: i64) -> bool {
        self.due(hours).is_some_and(|due| due < now)
    }

    /// The timers look: a pause whose time is over ends, and what is to be said by now is said. Gives whether a pause ended, and the kinds of
    /// events.
    pub fn look(&mut self, hours: &Hours, now: i64) -> (bool, Vec<&'static str>) {
        let mut ended = false;
        if self.stopped.is_some() {
            return (false, Vec::new());
        }
        if let Some(pause) = self.pauses.last().filter(|pause| pause.to.is_none()).cloned() {
            let latest = pause.from + PAUSE_DAYS * DAY;
            if pause.parked || now < pause.until.map_or(latest, |until| until.min(latest)) {
                return (false, Vec::new());
            }
            self.resume(now);
            ended = true;
        }
        let due = self.due(hours);
        let late = due.is_some_and(|due| due < now);
        let mut said = Vec::new();
        let ladder: &[(&str, When, bool)] = if self.lead { &LADDER } else { &PART };
        for (name, when, climbs) in ladder {
            let at = match when {
                When::Used(tenths) => self.moment(hours, (self.limit.ms + self.extended) * tenths / 10),
                When::After(0) => due,
                When::After(ms) => due.and_then(|due| hours.after(due, *ms)),
            };
            if at.is_some_and(|at| at <= now) && self.told.insert(name) {
                said.push(match (late, climbs) {
                    (false, true) => "escalated_early",
                    (false, false) => "warned",
                    (true, _) => "escalated",
                });
            }
        }
        if late && self.told.insert("limit") {
            said.push("became_late");
        }
        (ended, said)
    }
}
