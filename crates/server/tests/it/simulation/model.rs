//! The independent model: what a case is, what may be done with it, by whom, and what becomes of it, written from the rules of the loop in
//! plain steps. Nothing here calls `domain`; it says yes, or the refusal it expects word for word.

use super::calendar::{DAY, HOUR};
use super::clock::Clock;
use super::rules::{Answers, CATEGORIES, Category, EXTENSIONS, MEDIATION, REOPEN_DAYS, RETURNS, limit, needed};
use super::town::Town;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Who did something: an actor, and the worker behind the account.
pub type Doer = (usize, Option<usize>);

fn same(a: Doer, b: Doer) -> bool {
    a.0 == b.0 || (a.1.is_some() && a.1 == b.1)
}

#[derive(Debug, Clone)]
pub struct Report {
    pub id: Uuid,
    pub number: String,
    pub channel: &'static str,
    pub reachable: bool,
    pub answered: bool,
    /// The case it came from in a merge.
    pub from: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub id: Uuid,
    pub unit: usize,
    pub state: &'static str,
    pub by: Option<Doer>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub id: Uuid,
    pub kind: &'static str,
    pub by: Doer,
    pub state: &'static str,
    /// Units of the limit, for an extension.
    pub amount: i64,
    pub until: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub id: Uuid,
    pub category: usize,
    pub urgent: bool,
    pub area: usize,
    pub channel: &'static str,
    pub on_the_spot: bool,
    pub state: &'static str,
    pub unit: Option<usize>,
    pub worker: Option<usize>,
    pub handled_by: Option<Doer>,
    pub returned: u32,
    pub reworked: u32,
    pub reopened: u32,
    pub urged: u32,
    pub extended: u32,
    pub arbitrated: bool,
    pub paused: bool,
    pub supervised: bool,
    pub mediated: bool,
    pub dissatisfied: bool,
    pub parts: Vec<Part>,
    pub requests: Vec<Request>,
    pub reports: Vec<Report>,
    /// Highest rung of mediation that failed.
    pub failed_rung: Option<usize>,
    pub answers: Vec<Option<Uuid>>,
    /// Merged into this one, from that state.
    pub merged: Option<(usize, &'static str)>,
    pub received: i64,
    pub handled: Option<i64>,
    pub answered: Option<i64>,
    pub ended: Option<i64>,
    pub on_time: Option<bool>,
    /// Depth of the unit that resolved it.
    pub level: Option<usize>,
    pub clock: Option<Clock>,
    pub part_clocks: BTreeMap<Uuid, Clock>,
    /// Events the timers left, by kind.
    pub told: BTreeMap<&'static str, i64>,
}

pub fn is_open(state: &str) -> bool {
    !matches!(state, "closed" | "declined" | "merged" | "withdrawn")
}

/// What somebody wants to do.
#[derive(Debug, Clone)]
pub struct Act {
    pub action: &'static str,
    pub unit: Option<usize>,
    pub worker: Option<usize>,
    pub category: usize,
    /// Of a new part, a new request, a part or request to decide, a report.
    pub id: Option<Uuid>,
    pub kind: &'static str,
    pub yes: bool,
    pub solved: Option<bool>,
    pub until: Option<i64>,
    pub amount: i64,
    /// Another case: to merge into.
    pub other: Option<usize>,
    pub reports: Vec<Uuid>,
}

impl Act {
    pub fn of(action: &'static str) -> Act {
        Act {
            action,
            unit: None,
            worker: None,
            category: 0,
            id: None,
            kind: "",
            yes: false,
            solved: None,
            until: None,
            amount: 0,
            other: None,
            reports: Vec::new(),
        }
    }
}

pub const NOT_FOUND: &str = "404 not_found";
pub const FORBIDDEN: &str = "403 forbidden";

/// What is known besides the case.
pub struct World<'w> {
    pub town: &'w Town,
    pub cases: &'w [Case],
    pub now: i64,
    /// The rules changed in mid-way.
    pub changed: bool,
}

/// A refusal: status and code as the server answers.
pub type Said = Result<Vec<(usize, Case)>, String>;

fn no<T>(code: &str) -> Result<T, String> {
    Err(format!("422 {code}"))
}

impl Case {
    pub fn category(&self) -> &'static Category {
        &CATEGORIES[self.category]
    }

    /// Units that lead or were ever asked to help: theirs to see.
    pub fn units(&self) -> Vec<usize> {
        self.unit
            .into_iter()
            .chain(self.parts.iter().map(|part| part.unit))
            .collect()
    }

    pub fn open_part(&self, unit: usize) -> bool {
        self.parts.iter().any(|part| part.unit == unit && part.state == "open")
    }

    pub fn needs_arbiter(&self) -> bool {
        !self.arbitrated && self.returned >= RETURNS
    }

    fn all_answered(&self) -> bool {
        self.reports.iter().all(|report| report.answered)
    }

    pub fn waiting(&self) -> Option<&Request> {
        self.requests.iter().find(|request| request.state == "waiting")
    }

    fn takes_in(&self) -> bool {
        is_open(self.state) && !matches!(self.state, "answered" | "verified")
    }

    fn lapse(&mut self) {
        for request in self.requests.iter_mut().filter(|request| request.state == "waiting") {
            request.state = "lapsed";
        }
    }

    /// Work begins anew: answers are owed again.
    fn start_over(&mut self) {
        self.reports.iter_mut().for_each(|report| report.answered = false);
        self.dissatisfied = false;
        self.mediated = false;
    }

    /// Comes to a state: stamps, and the clock that goes with it. `anew`: a change of hands starts the step's clock again.
    pub fn come_to(&mut self, w: &World, state: &'static str, anew: bool) {
        let was = std::mem::replace(&mut self.state, state);
        let done = matches!(state, "handled" | "answered" | "verified" | "closed");
        if was != state {
            match state {
                "handled" => self.handled = Some(w.now),
                "answered" => self.answered = Some(w.now),
                _ if !is_open(state) => self.ended = Some(w.now),
                _ => {}
            }
        }
        if matches!(state, "received" | "accepted" | "declined" | "withdrawn") {
            (self.unit, self.worker) = (None, None);
        }
        if !done {
            (self.handled, self.on_time, self.level, self.handled_by) = (None, None, None, None);
        }
        if !matches!(state, "answered" | "verified" | "closed") {
            self.answered = None;
        }
        if is_open(state) {
            self.ended = None;
        } else {
            // Nothing is owed any more, by nobody.
            for clock in self.part_clocks.values_mut() {
                clock.stopped.get_or_insert(w.now);
            }
            if state != "merged" {
                for part in self.parts.iter_mut().filter(|part| part.state == "open") {
                    part.state = "released";
                }
            }
        }
        let step = match state {
            "received" => Some("accept"),
            "accepted" => Some("dispatch"),
            "assigned" | "handling" | "parked" => Some("handle"),
            "handled" => Some("answer"),
            // Where residents check, the limit runs all the same.
            "answered" => Some("verify"),
            _ => None,
        };
        if !anew && self.clock.as_ref().map(|clock| clock.step) == step {
            return;
        }
        if let Some(old) = self.clock.take() {
            if old.step == "handle" && state == "handled" {
                self.on_time = Some(!old.is_late(&w.town.hours, w.now));
            }
            if state == "merged" {
                self.clock = Some(Clock {
                    stopped: Some(w.now),
                    ..old
                });
                return;
            }
        }
        self.clock =
            step.map(|step| Clock::start(step, w.now, limit(self.category(), self.urgent, step, w.changed), true));
    }

    pub fn running(&self) -> Option<&Clock> {
        self.clock.as_ref().filter(|clock| clock.stopped.is_none())
    }

    pub fn due(&self, town: &Town) -> Option<i64> {
        self.running()
            .filter(|_| is_open(self.state))
            .and_then(|clock| clock.due(&town.hours))
    }

    pub fn is_late(&self, town: &Town, now: i64) -> bool {
        self.due(town).is_some_and(|due| due < now)
    }

    /// Goes to the unit responsible by the pack.
    pub fn route_onward(&mut self, w: &World) -> Result<(), String> {
        if self.needs_arbiter() {
            return Ok(());
        }
        let unit = w.town.responsible(self.category().body, self.area);
        self.assign(w, unit)
    }

    fn assign(&mut self, w: &World, unit: usize) -> Result<(), String> {
        if self.open_part(unit) {
            return no("unit_is_co_handler");
        }
        self.come_to(w, "assigned", true);
        (self.unit, self.worker) = (Some(unit), w.town.worker_of(unit, w.now, self.urgent));
        Ok(())
    }
}

impl World<'_> {
    pub fn sees(&self, actor: usize, case: &Case, right: &str) -> bool {
        self.town.may(actor, right, case.area, &case.units())
    }

    fn holds(&self, actor: usize, case: &Case) -> bool {
        let worker = self.town.actors[actor].worker;
        case.unit.is_some_and(|unit| self.town.units_of(actor).contains(&unit))
            || (case.worker.is_some() && case.worker == worker)
    }

    /// Whether somebody did any of the work.
    fn own_work(&self, doer: Doer, case: &Case) -> bool {
        let led = case.handled_by.is_some_and(|by| same(by, doer)) || (case.worker.is_some() && case.worker == doer.1);
        led || case
            .parts
            .iter()
            .any(|part| part.state == "done" && part.by.is_some_and(|by| same(by, doer)))
    }

    /// The grid's own worker or stand-in; where no grid team serves, nobody else could ever answer, so whoever may answer does.
    fn is_grid_worker(&self, actor: usize, case: &Case) -> bool {
        let worker = self.town.actors[actor].worker;
        match self.town.grid_team(case.area) {
            Some(team) => {
                let team = &self.town.units[team];
                worker.is_some() && (worker == Some(team.a) || worker == team.b)
            }
            None => true,
        }
    }

    /// What happens when somebody does this to a case: the cases as they are afterwards, or the refusal.
    pub fn act(&self, actor: usize, index: usize, act: &Act) -> Said {
        let mut case = self.cases[index].clone();
        let doer = (actor, self.town.actors[actor].worker);
        if !self.sees(actor, &case, "read") {
            return Err(NOT_FOUND.into());
        }
        if !needed(act.action).iter().any(|right| self.sees(actor, &case, right)) {
            return Err(FORBIDDEN.into());
        }
        match act.action {
            "merge" => return self.merge(actor, index, act),
            "split" => return self.split(index, act),
            _ => self.one(&mut case, actor, doer, act)?,
        }
        Ok(vec![(index, case)])
    }

    fn one(&self, case: &mut Case, actor: usize, doer: Doer, act: &Act) -> Result<(), String> {
        let held = matches!(case.state, "assigned" | "handling");
        match act.action {
            "accept" => {
                if case.state != "received" {
                    return no("case_not_received");
                }
                case.come_to(self, "accepted", false);
                case.route_onward(self)?;
            }
            "decline" => {
                if !matches!(case.state, "received" | "accepted") {
                    return no("decline_too_late");
                }
                case.come_to(self, "declined", false);
            }
            "classify" => {
                if !matches!(case.state, "received" | "accepted" | "assigned" | "handling" | "parked") {
                    return no("classify_too_late");
                }
                let unchanged = case.category == act.category;
                case.urgent = CATEGORIES[act.category].urgent || (case.urgent && unchanged);
                case.category = act.category;
            }
            "route" => {
                match case.state {
                    "accepted" if case.needs_arbiter() => return no("arbiter_needed"),
                    "accepted" => {}
                    "assigned" if case.arbitrated => return no("decision_is_final"),
                    "assigned" => {}
                    _ => return no("case_not_waiting_for_dispatch"),
                }
                let own = || self.town.responsible(case.category().body, case.area);
                let unit = act.unit.unwrap_or_else(own);
                case.assign(self, unit)?;
            }
            "take" => {
                if case.state != "assigned" {
                    return no("case_not_assigned");
                }
                if !self.holds(actor, case) {
                    return no("not_your_unit");
                }
                case.worker = case.worker.or(doer.1);
                case.come_to(self, "handling", false);
            }
            "return" => {
                if !held {
                    return no("case_not_with_a_unit");
                }
                if !self.holds(actor, case) {
                    return no("not_your_unit");
                }
                if case.arbitrated {
                    return no("decision_is_final");
                }
                case.lapse();
                case.returned += 1;
                case.paused = false;
                case.come_to(self, "accepted", false);
            }
            "arbitrate" => {
                match case.state {
                    "accepted" if case.needs_arbiter() => {}
                    "accepted" => return no("arbiter_not_needed"),
                    _ => return no("case_not_waiting_for_dispatch"),
                }
                let unit = act.unit.unwrap();
                if case.open_part(unit) {
                    return no("unit_is_co_handler");
                }
                case.come_to(self, "assigned", true);
                (case.unit, case.worker, case.arbitrated) = (Some(unit), None, true);
            }
            "assign_worker" => {
                if !held {
                    return no("case_not_with_a_unit");
                }
                case.worker = act.worker;
            }
            "add_co_handler" => {
                if !held {
                    return no("case_not_with_a_unit");
                }
                let unit = act.unit.unwrap();
                if case.unit == Some(unit) {
                    return no("unit_is_lead");
                }
                if case.open_part(unit) {
                    return no("unit_is_co_handler");
                }
                let id = act.id.unwrap();
                let by = limit(case.category(), case.urgent, "handle", self.changed);
                case.part_clocks.insert(id, Clock::start("handle", self.now, by, false));
                case.parts.push(Part {
                    id,
                    unit,
                    state: "open",
                    by: None,
                });
            }
            "co_done" | "co_return" => {
                let Some(part) = case.parts.iter_mut().find(|part| Some(part.id) == act.id) else {
                    return no("co_handler_unknown");
                };
                if part.state != "open" {
                    return no("co_handler_not_open");
                }
                if !self.town.units_of(actor).contains(&part.unit) {
                    return no("not_your_unit");
                }
                (part.state, part.by) = (if act.action == "co_done" { "done" } else { "returned" }, Some(doer));
                case.part_clocks.get_mut(&part.id).unwrap().stopped = Some(self.now);
            }
            "arrive" if !is_open(case.state) => return no("case_not_open"),
            "arrive" | "comment" => {}
            "mediate" => {
                if !case.category().dispute {
                    return no("case_not_a_dispute");
                }
                if case.state != "handling" {
                    return no("case_not_in_handling");
                }
                if !self.holds(actor, case) {
                    return no("not_your_unit");
                }
                self.mediate(case, act.kind)?;
            }
            "ask" => {
                if case.state != "handling" {
                    return no("case_not_in_handling");
                }
                if !self.holds(actor, case) {
                    return no("not_your_unit");
                }
                if case.waiting().is_some() {
                    return no("request_already_waiting");
                }
                if act.kind == "pause" && case.paused {
                    return no("case_already_paused");
                }
                if act.kind == "extension" && case.extended >= EXTENSIONS {
                    return no("too_many_extensions");
                }
                case.requests.push(Request {
                    id: act.id.unwrap(),
                    kind: act.kind,
                    by: doer,
                    state: "waiting",
                    amount: act.amount,
                    until: act.until,
                });
            }
            "decide" => self.decide(case, doer, act)?,
            "resume" => {
                if !case.paused {
                    return no("case_not_paused");
                }
                case.paused = false;
                case.clock.as_mut().unwrap().resume(self.now);
            }
            "unpark" => {
                if case.state != "parked" {
                    return no("case_not_parked");
                }
                case.clock.as_mut().unwrap().resume(self.now);
                case.come_to(self, "handling", false);
            }
            "handle" => {
                if case.state != "handling" {
                    return no("case_not_in_handling");
                }
                if !self.holds(actor, case) {
                    return no("not_your_unit");
                }
                if case.category().dispute && !case.mediated {
                    return no("mediation_outcome_needed");
                }
                if case.parts.iter().any(|part| part.state == "open") && !act.yes {
                    return no("co_handlers_open");
                }
                if case.category().photos {
                    return no("after_photo_needed");
                }
                for part in case.parts.iter_mut().filter(|part| part.state == "open") {
                    part.state = "released";
                    case.part_clocks.get_mut(&part.id).unwrap().stopped = Some(self.now);
                }
                case.lapse();
                case.paused = false;
                case.come_to(self, "handled", false);
                case.handled_by = Some(doer);
                case.level = case.unit.map(|unit| self.town.areas[self.town.units[unit].area].depth);
            }
            "answer" => self.answer(case, actor, act)?,
            "verify" => {
                if case.state != "answered" {
                    return no("case_not_answered");
                }
                if self.own_work(doer, case) {
                    return no("own_work");
                }
                if act.yes {
                    case.come_to(self, "verified", false);
                } else {
                    self.again(case);
                }
            }
            "rework" => {
                if !matches!(case.state, "handled" | "answered" | "verified") {
                    return no("case_not_handled");
                }
                self.again(case);
            }
            "close" => match case.state {
                "answered" if case.category().verification || case.dissatisfied => return no("case_not_verified"),
                "answered" | "verified" => case.come_to(self, "closed", false),
                _ => return no("case_not_answered"),
            },
            "reopen" => self.reopen(case)?,
            "withdraw" => {
                if !case.takes_in() {
                    return no("withdraw_too_late");
                }
                self.withdraw(case, act.id.unwrap())?;
            }
            "supervise" | "urge" | "meeting" if !is_open(case.state) => return no("case_not_open"),
            "supervise" => case.supervised = true,
            "urge" => case.urged += 1,
            "meeting" => {}
            _ => unreachable!("{}", act.action),
        }
        Ok(())
    }

    fn again(&self, case: &mut Case) {
        case.start_over();
        case.reworked += 1;
        case.come_to(self, "handling", false);
    }

    pub fn reopen(&self, case: &mut Case) -> Result<(), String> {
        if !matches!(case.state, "closed" | "declined") {
            return no("case_not_closed");
        }
        if (self.now - case.ended.unwrap()).div_euclid(DAY) > REOPEN_DAYS {
            return no("reopen_too_late");
        }
        case.start_over();
        case.reopened += 1;
        case.worker = None;
        let to = if case.state == "closed" { "assigned" } else { "received" };
        case.come_to(self, to, false);
        Ok(())
    }

    fn withdraw(&self, case: &mut Case, report: Uuid) -> Result<(), String> {
        if !case.reports.iter().any(|one| one.id == report) {
            return no("report_unknown");
        }
        case.reports.retain(|one| one.id != report);
        if case.reports.is_empty() {
            case.lapse();
            case.come_to(self, "withdrawn", false);
        } else {
            self.told_all(case);
        }
        Ok(())
    }

    /// Once every reporter who is still there has been told, the case counts as answered.
    fn told_all(&self, case: &mut Case) {
        if case.state == "handled" && case.all_answered() {
            case.come_to(self, "answered", false);
        }
    }

    fn mediate(&self, case: &mut Case, outcome: &str) -> Result<(), String> {
        let rungs: Vec<(usize, usize)> = MEDIATION
            .iter()
            .enumerate()
            .filter_map(|(n, (body, depth))| Some((n, self.town.at_depth(body, *depth, case.area)?)))
            .collect();
        let here = rungs
            .iter()
            .rev()
            .find(|(_, unit)| case.unit == Some(*unit))
            .map(|(n, _)| *n);
        let passed = here.max(case.failed_rung);
        let next = rungs
            .iter()
            .find(|(n, unit)| passed.is_none_or(|passed| *n > passed) && case.unit != Some(*unit));
        if outcome == "failed" {
            if let Some((_, unit)) = next {
                if case.open_part(*unit) {
                    return no("unit_is_co_handler");
                }
                case.failed_rung = case.failed_rung.max(here);
                case.lapse();
                case.paused = false;
                return case.assign(self, *unit);
            }
            case.failed_rung = case.failed_rung.max(here);
        }
        case.mediated = true;
        Ok(())
    }

    fn decide(&self, case: &mut Case, doer: Doer, act: &Act) -> Result<(), String> {
        let Some(request) = case.requests.iter_mut().find(|request| Some(request.id) == act.id) else {
            return no("request_unknown");
        };
        if request.state != "waiting" {
            return no("request_already_decided");
        }
        if same(request.by, doer) {
            return no("own_request");
        }
        request.state = if act.yes { "approved" } else { "refused" };
        let request = request.clone();
        if !act.yes {
            return Ok(());
        }
        let clock = case.clock.as_mut().unwrap();
        match request.kind {
            "extension" => {
                clock.extend(request.amount * clock.limit.unit);
                case.extended += 1;
            }
            "pause" => {
                if request.until.is_some_and(|until| until <= self.now) {
                    return no("moment_is_past");
                }
                clock.pause(self.now, request.until, false);
                case.paused = true;
            }
            _ => {
                clock.pause(self.now, None, true);
                case.paused = false;
                case.come_to(self, "parked", false);
            }
        }
        Ok(())
    }

    fn answer(&self, case: &mut Case, actor: usize, act: &Act) -> Result<(), String> {
        if !matches!(case.state, "handled" | "answered") {
            return no("case_not_handled");
        }
        let reachable = case.reports.iter().any(|report| report.reachable);
        match case.category().answers {
            Answers::Desk => {}
            Answers::Handler if self.holds(actor, case) => {}
            Answers::Handler => return no("handler_answers"),
            Answers::GridWorker if !reachable && self.holds(actor, case) => {}
            Answers::GridWorker if self.is_grid_worker(actor, case) => {}
            Answers::GridWorker => return no("grid_worker_answers"),
        }
        if act
            .id
            .is_some_and(|id| !case.reports.iter().any(|report| report.id == id))
        {
            return no("report_unknown");
        }
        for report in case
            .reports
            .iter_mut()
            .filter(|report| act.id.is_none_or(|id| id == report.id))
        {
            report.answered = true;
        }
        case.answers.push(act.id);
        if let Some(solved) = act.solved {
            case.dissatisfied = !solved;
        }
        self.told_all(case);
        Ok(())
    }

    fn merge(&self, actor: usize, index: usize, act: &Act) -> Said {
        let other = act.other.unwrap();
        let (mut case, mut into) = (self.cases[index].clone(), self.cases[other].clone());
        if other == index {
            return no("merge_into_itself");
        }
        if !self.sees(actor, &into, "read") || !self.sees(actor, &into, "dispatch") {
            return no("merge_target_unknown");
        }
        if !matches!(case.state, "received" | "accepted" | "assigned" | "handling") {
            return no("merge_too_late");
        }
        if !into.takes_in() {
            return no("merge_target_too_late");
        }
        for mut report in std::mem::take(&mut case.reports) {
            (report.answered, report.from) = (false, Some(index));
            into.reports.push(report);
        }
        case.lapse();
        case.merged = Some((other, case.state));
        case.come_to(self, "merged", false);
        Ok(vec![(index, case), (other, into)])
    }

    fn split(&self, index: usize, act: &Act) -> Said {
        let mut case = self.cases[index].clone();
        let (mut out, stay): (Vec<Report>, Vec<Report>) = case
            .reports
            .iter()
            .cloned()
            .partition(|report| act.reports.contains(&report.id));
        if out.len() != act.reports.len() {
            return no("report_unknown");
        }
        if !is_open(case.state) {
            return no("case_not_open");
        }
        let from = out[0].from;
        let whole = from.filter(|_| {
            let came = case.reports.iter().filter(|report| report.from == from).count();
            out.iter().all(|report| report.from == from) && came == out.len()
        });
        if let Some(source) = whole {
            let mut back = self.cases[source].clone();
            if back.state != "merged" || back.merged.map(|(into, _)| into) != Some(index) {
                return no("case_not_merged");
            }
            if stay.is_empty() {
                return no("last_report");
            }
            let (_, was) = back.merged.take().unwrap();
            // What was said in the other case was not said of this one's result.
            out.iter_mut()
                .for_each(|report| (report.answered, report.from) = (false, None));
            back.reports = out;
            (back.state, back.ended) = (was, None);
            let clock = back.clock.as_mut().unwrap();
            clock.take_up(self.now);
            back.paused &= clock.is_paused();
            for part in back.parts.iter().filter(|part| part.state == "open") {
                back.part_clocks.get_mut(&part.id).unwrap().take_up(self.now);
            }
            case.reports = stay;
            self.told_all(&mut case);
            return Ok(vec![(index, case), (source, back)]);
        }
        if stay.is_empty() {
            return no("last_report");
        }
        out.iter_mut()
            .for_each(|report| (report.answered, report.from) = (false, None));
        let first = case.reports.iter().find(|report| act.reports.contains(&report.id));
        let channel = first.map_or(case.channel, |report| report.channel);
        let mut new = Case {
            id: Uuid::nil(),
            reports: out,
            on_the_spot: case.on_the_spot,
            ..blank(case.category, case.urgent, case.area, channel, case.received)
        };
        new.come_to(self, "accepted", true);
        case.reports = stay;
        self.told_all(&mut case);
        Ok(vec![(index, case), (self.cases.len(), new)])
    }

    /// The resident objects: done again before the end, reopened after it.
    pub fn object(&self, index: usize) -> Said {
        let mut case = self.cases[index].clone();
        match case.state {
            "handled" | "answered" | "verified" => self.again(&mut case),
            _ => self.reopen(&mut case)?,
        }
        Ok(vec![(index, case)])
    }

    pub fn withdrawn_by_resident(&self, index: usize, report: Uuid) -> Said {
        let mut case = self.cases[index].clone();
        if !case.takes_in() {
            return no("withdraw_too_late");
        }
        self.withdraw(&mut case, report)?;
        Ok(vec![(index, case)])
    }

    pub fn rate(&self, index: usize, report: Uuid, stars: i64) -> Said {
        let mut case = self.cases[index].clone();
        if !case.answers.iter().any(|of| of.is_none_or(|of| of == report)) {
            return no("case_not_answered");
        }
        if case.state == "answered" {
            if stars >= 4 {
                case.dissatisfied = false;
                case.come_to(self, "verified", false);
            } else if stars <= 2 {
                case.dissatisfied = true;
            }
        }
        Ok(vec![(index, case)])
    }
}

/// A case nothing has happened to yet.
pub fn blank(category: usize, urgent: bool, area: usize, channel: &'static str, received: i64) -> Case {
    Case {
        id: Uuid::nil(),
        category,
        urgent,
        area,
        channel,
        on_the_spot: false,
        state: "",
        unit: None,
        worker: None,
        handled_by: None,
        returned: 0,
        reworked: 0,
        reopened: 0,
        urged: 0,
        extended: 0,
        arbitrated: false,
        paused: false,
        supervised: false,
        mediated: false,
        dissatisfied: false,
        parts: Vec::new(),
        requests: Vec::new(),
        reports: Vec::new(),
        failed_rung: None,
        answers: Vec::new(),
        merged: None,
        received,
        handled: None,
        answered: None,
        ended: None,
        on_time: None,
        level: None,
        clock: None,
        part_clocks: BTreeMap::new(),
        told: BTreeMap::new(),
    }
}

/// Hours since 1970, by which what is due soon is counted.
pub fn hour(at: i64) -> i64 {
    at.div_euclid(HOUR)
}
