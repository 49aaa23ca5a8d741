//! What people do: mostly what makes sense in a case's state, by somebody who may; sometimes anything, by anybody. Each step is foretold by the
//! model, done by the program, and the two answers compared.

use super::calendar::{DAY, HOUR, MINUTE};
use super::model::{Act, Case, FORBIDDEN, NOT_FOUND, Report, Said, blank, is_open};
use super::rules::CATEGORIES;
use super::town::{CITY_AREA, EAST_AREA, Grant, WEST_AREA};
use super::{Difference, Sim};
use axum::extract::FromRequestParts as _;
use axum::http::Method;
use db::params;
use domain::time::Timestamp;
use serde_json::{Value, json};
use server::access::Staff;
use server::cases::actions;
use server::platform::{CaseId, Ctx, LeaveId, Purpose, ReportId};
use uuid::Uuid;

/// Words that make a person look first: of danger, and of what a court decides.
const DANGER: &str = "楼道冒烟了，快来人看看";
const COURT: &str = "对行政复议的决定不服";
const PLAIN: &str = "请派人来看看";

const RESIDENTS: [&str; 3] = ["object", "take back", "rate"];

/// What may be done in a state, the likelier more often.
fn sensible(state: &str) -> &'static [&'static str] {
    match state {
        "received" => &["accept", "accept", "accept", "decline", "merge", "classify"],
        "accepted" => &[
            "route",
            "route",
            "arbitrate",
            "arbitrate",
            "decline",
            "merge",
            "classify",
        ],
        "assigned" => &[
            "take",
            "take",
            "take",
            "take",
            "take",
            "return",
            "route",
            "assign_worker",
            "add_co_handler",
            "merge",
            "split",
        ],
        "handling" => &[
            "handle",
            "handle",
            "handle",
            "handle",
            "handle",
            "return",
            "ask",
            "ask",
            "decide",
            "decide",
            "add_co_handler",
            "co_done",
            "co_done",
            "co_return",
            "assign_worker",
            "mediate",
            "mediate",
            "resume",
            "arrive",
            "classify",
            "merge",
            "supervise",
            "urge",
            "split",
            "withdraw",
        ],
        "handled" => &[
            "answer",
            "answer",
            "answer",
            "answer",
            "answer",
            "rework",
            "comment",
            "object",
            "split",
            "take back",
        ],
        "answered" => &[
            "verify", "verify", "verify", "verify", "close", "rework", "rate", "rate", "object",
        ],
        "verified" => &["close", "close", "close", "rework", "object"],
        "closed" => &["reopen", "object", "rate"],
        "declined" => &["reopen", "object"],
        "parked" => &["unpark", "unpark", "withdraw", "urge"],
        "merged" => &["comment"],
        _ => &["comment"],
    }
}

const ANYTHING: [&str; 29] = [
    "accept",
    "decline",
    "classify",
    "route",
    "take",
    "return",
    "arbitrate",
    "assign_worker",
    "add_co_handler",
    "co_done",
    "co_return",
    "arrive",
    "mediate",
    "ask",
    "decide",
    "resume",
    "unpark",
    "handle",
    "answer",
    "verify",
    "rework",
    "close",
    "reopen",
    "merge",
    "split",
    "withdraw",
    "supervise",
    "urge",
    "meeting",
];

impl Sim<'_> {
    fn new_id(&self) -> Uuid {
        self.app.app.new_id::<CaseId>().0
    }

    fn said(&mut self, what: &str, foretold: &Result<(), String>, is: &str) -> Result<(), Difference> {
        let should = foretold.as_ref().err().map_or("200", String::as_str);
        if self.trace {
            eprintln!("{} {what}: {is}", Timestamp(self.now()));
        }
        if is == should {
            return Ok(());
        }
        Err(format!(
            "{} {what}: answered {is} and should be {should}",
            Timestamp(self.now())
        ))
    }

    /// Leaves, and who may do what.
    pub async fn staff_matters(&mut self, number: i64, days: i64) -> Result<(), Difference> {
        if self.dice.percent(40) {
            let worker = self.dice.below(self.town.workers.len());
            let from = self.now() + self.dice.below(40) as i64 * HOUR;
            let to = from + (1 + self.dice.below(6 * 24) as i64) * HOUR;
            let leave = json!({
                "id": self.app.app.new_id::<LeaveId>(), "worker_id": self.town.workers[worker], "from": Timestamp(from).to_string(),
                "to": Timestamp(to).to_string(), "reason": "年休",
            });
            self.town.personnel.post("/api/v1/leaves", leave).await.ok();
            self.town.leaves.push((worker, from, to));
        }
        if number % 9 == 4 && number + 9 < days {
            self.change_roles().await;
        }
        Ok(())
    }

    /// Somebody loses what they had and gets something else; it holds from their next step on.
    async fn change_roles(&mut self) {
        let actor = 3 + self.dice.below(self.town.actors.len() - 3);
        let unit = self.dice.below(self.town.units.len());
        let area = *self.dice.pick(&[CITY_AREA, EAST_AREA, WEST_AREA]);
        let new = *self.dice.pick(&[
            Grant {
                role: "handler",
                area: CITY_AREA,
                unit: Some(unit),
            },
            Grant {
                role: "dispatcher",
                area,
                unit: None,
            },
            Grant {
                role: "verifier",
                area,
                unit: None,
            },
            Grant {
                role: "planner",
                area,
                unit: None,
            },
            Grant {
                role: "supervisor",
                area,
                unit: None,
            },
        ]);
        // Units without anybody to act for them would stand still: what was taken away comes back some time later.
        let mut grants = vec![new];
        if self.dice.percent(50) {
            grants.extend(self.town.actors[actor].grants.first().copied());
        }
        let body: Vec<Value> = grants
            .iter()
            .map(|grant| {
                let unit = grant.unit.map(|unit| self.town.units[unit].id);
                json!({ "role": grant.role, "area_id": self.town.areas[grant.area].id, "unit_id": unit })
            })
            .collect();
        let path = format!("/api/v1/accounts/{}", self.town.actors[actor].account);
        self.town.security.patch(&path, json!({ "grants": body })).await.ok();
        self.town.actors[actor].grants = grants;
    }

    /// A report comes in: by a resident on the web, by phone, or solved there by a grid worker.
    pub async fn report(&mut self) -> Result<(), Difference> {
        let area = 1 + self.dice.below(self.town.areas.len() - 1);
        // Most matters lie in a grid.
        let area = if self.dice.percent(80) {
            *self.dice.pick(&[4, 6, 7, 9, 10])
        } else {
            area
        };
        let category = self.dice.below(CATEGORIES.len());
        let id = self.new_id();
        let reachable = self.dice.percent(80);
        let way = self.dice.below(100);
        self.stats.cases += 1;
        if way < 45 {
            return self.report_by_resident(id, category, area, reachable).await;
        }
        if way >= 92 {
            return self.solved_there(id, category, area).await;
        }
        let clerks: Vec<usize> = (0..self.town.actors.len())
            .filter(|actor| self.town.may(*actor, "intake", area, &[]))
            .collect();
        if clerks.is_empty() {
            return Ok(());
        }
        let actor = *self.dice.pick(&clerks);
        let urgent = self.dice.percent(10) || CATEGORIES[category].urgent;
        let phone = reachable.then_some("13800001234");
        let body = json!({
            "id": id, "channel": "phone", "body": PLAIN, "category_code": CATEGORIES[category].code, "area_id": self.town.areas[area].id,
            "urgent": urgent, "reporter": { "name": null, "phone": phone },
        });
        let answer = self.town.actors[actor].client.post("/api/v1/cases", body).await;
        self.said("report by phone", &Ok(()), &answer.verdict())?;
        let mut case = self.fresh(
            id,
            category,
            urgent,
            area,
            "phone",
            reachable,
            answer.json()["case"]["number"].as_str(),
        );
        let w = self.world();
        case.come_to(&w, "accepted", false);
        case.route_onward(&w)?;
        self.keep(case);
        Ok(())
    }

    async fn report_by_resident(
        &mut self,
        id: Uuid,
        category: usize,
        area: usize,
        reachable: bool,
    ) -> Result<(), Difference> {
        let words = *self.dice.pick(&[PLAIN, PLAIN, PLAIN, PLAIN, DANGER, COURT]);
        let body = json!({
            "id": id, "body": words, "category_code": CATEGORIES[category].code, "area_id": self.town.areas[area].id,
            "name": reachable.then_some("周女士"),
        });
        let answer = self.app.visitor().post("/api/v1/portal/reports", body).await;
        self.said("report on the web", &Ok(()), &answer.verdict())?;
        // What reads as danger, or as another body's matter, a person looks at first.
        let urgent = words == DANGER || CATEGORIES[category].urgent;
        let mut case = self.fresh(
            id,
            category,
            urgent,
            area,
            "web",
            reachable,
            answer.json()["number"].as_str(),
        );
        let w = self.world();
        if urgent || words == COURT {
            case.come_to(&w, "received", false);
        } else {
            case.come_to(&w, "accepted", false);
            case.route_onward(&w)?;
        }
        self.keep(case);
        Ok(())
    }

    async fn solved_there(&mut self, id: Uuid, category: usize, area: usize) -> Result<(), Difference> {
        let workers: Vec<usize> = (0..self.town.actors.len())
            .filter(|actor| self.town.may(*actor, "intake", area, &[]) && self.town.units_of(*actor).len() == 1)
            .collect();
        if workers.is_empty() || CATEGORIES[category].photos {
            return Ok(());
        }
        let actor = *self.dice.pick(&workers);
        let body = json!({
            "id": id, "channel": "patrol", "body": PLAIN, "category_code": CATEGORIES[category].code, "area_id": self.town.areas[area].id,
            "on_the_spot": { "result": "当场办结", "answer_way": "in_person", "answer_body": "已说好" },
        });
        let answer = self.town.actors[actor].client.post("/api/v1/cases", body).await;
        self.said("solved there", &Ok(()), &answer.verdict())?;
        let urgent = CATEGORIES[category].urgent;
        let mut case = self.fresh(
            id,
            category,
            urgent,
            area,
            "patrol",
            false,
            answer.json()["case"]["number"].as_str(),
        );
        let w = self.world();
        let unit = self.town.units_of(actor)[0];
        (case.unit, case.worker) = (Some(unit), self.town.actors[actor].worker);
        case.on_the_spot = true;
        case.answers.push(None);
        case.reports[0].answered = true;
        let to = if case.category().verification {
            "answered"
        } else {
            "closed"
        };
        case.come_to(&w, to, false);
        (case.handled, case.answered, case.on_time) = (Some(w.now), Some(w.now), Some(true));
        case.level = Some(self.town.areas[self.town.units[unit].area].depth);
        case.handled_by = Some((actor, self.town.actors[actor].worker));
        self.arrived.insert(id);
        self.keep(case);
        Ok(())
    }

    fn fresh(
        &self,
        id: Uuid,
        category: usize,
        urgent: bool,
        area: usize,
        channel: &'static str,
        reachable: bool,
        number: Option<&str>,
    ) -> Case {
        let report = Report {
            id,
            number: number.expect("a number").to_owned(),
            channel,
            reachable,
            answered: false,
            from: None,
        };
        Case {
            id,
            reports: vec![report],
            ..blank(category, urgent, area, channel, self.now())
        }
    }

    fn keep(&mut self, case: Case) {
        self.call_out(&case);
        self.cases.push(case);
    }

    /// To what is urgent and to disputes the grid's worker must come; outside office hours the stand-in.
    fn call_out(&mut self, case: &Case) {
        let must = case.urgent || case.category().dispute || case.category().urgent;
        if !must || !is_open(case.state) || self.arrived.contains(&case.id) {
            return;
        }
        if let Some(team) = self.town.grid_team(case.area)
            && let Some(worker) = self.town.on_duty(team, self.now(), true)
        {
            self.calls.entry(case.id).or_default().insert(worker);
        }
    }

    /// Something is done to a case.
    pub async fn something(&mut self) -> Result<(), Difference> {
        if self.cases.is_empty() {
            return Ok(());
        }
        let index = self.choose();
        let state = self.cases[index].state;
        let action = if self.dice.percent(92) {
            *self.dice.pick(sensible(state))
        } else {
            *self.dice.pick(&ANYTHING)
        };
        if RESIDENTS.contains(&action) {
            return self.resident(index, action).await;
        }
        let Some(act) = self.details(index, action) else {
            return Ok(());
        };
        let able: Vec<usize> = (0..self.town.actors.len())
            .filter(|actor| {
                let said = self.world().act(*actor, index, &act);
                !matches!(
                    said.as_ref().err().map(String::as_str),
                    Some(NOT_FOUND | FORBIDDEN | "422 not_your_unit" | "422 grid_worker_answers")
                )
            })
            .collect();
        let anybody = able.is_empty() || self.dice.percent(12);
        let actor = if anybody {
            self.dice.below(self.town.actors.len())
        } else {
            *self.dice.pick(&able)
        };
        self.do_it(actor, index, &act).await
    }

    /// Mostly an open case, mostly one that is not new.
    fn choose(&mut self) -> usize {
        for _ in 0..12 {
            let index = self.dice.below(self.cases.len());
            if is_open(self.cases[index].state) || self.dice.percent(4) {
                return index;
            }
        }
        self.dice.below(self.cases.len())
    }

    /// The fields of an action; none where there is nothing to do it with.
    fn details(&mut self, index: usize, action: &'static str) -> Option<Act> {
        let mut act = Act::of(action);
        let case = self.cases[index].clone();
        let units = self.town.units.len();
        match action {
            "classify" => act.category = self.dice.below(CATEGORIES.len()),
            "route" => act.unit = self.dice.percent(40).then(|| self.dice.below(units)),
            "arbitrate" | "add_co_handler" => act.unit = Some(self.dice.below(units)),
            "assign_worker" => {
                let unit = &self.town.units[case.unit?];
                act.worker = Some(if self.dice.percent(50) {
                    unit.b.unwrap_or(unit.a)
                } else {
                    unit.a
                });
            }
            "co_done" | "co_return" => act.id = Some(case.parts.get(self.dice.below(case.parts.len().max(1)))?.id),
            "mediate" => act.kind = *self.dice.pick(&["agreed", "failed", "withdrawn"]),
            "ask" => {
                act.kind = *self.dice.pick(&["extension", "pause", "park"]);
                act.amount = 1;
                let days = 1 + self.dice.below(20) as i64;
                act.until =
                    (act.kind == "pause" && self.dice.percent(70)).then(|| self.now() + days * DAY - 90 * MINUTE);
            }
            "decide" => {
                act.id = Some(case.requests.last()?.id);
                act.yes = self.dice.percent(75);
            }
            "handle" => act.yes = self.dice.percent(30),
            "answer" => {
                if self.dice.percent(25) {
                    // A case whose reports all went elsewhere has none to answer.
                    act.id = Some(case.reports.get(self.dice.below(case.reports.len().max(1)))?.id);
                }
                act.solved = *self.dice.pick(&[None, Some(true), Some(true), Some(false)]);
            }
            "verify" => act.yes = self.dice.percent(80),
            "merge" => act.other = Some(self.choose()),
            "split" => {
                let all: Vec<Uuid> = case.reports.iter().map(|report| report.id).collect();
                // What came together goes together, mostly.
                let one = case.reports.get(self.dice.below(all.len().max(1)))?;
                let came = case
                    .reports
                    .iter()
                    .filter(|report| report.from == one.from)
                    .map(|report| report.id);
                act.reports = if self.dice.percent(70) {
                    came.collect()
                } else {
                    vec![one.id]
                };
            }
            "withdraw" => act.id = Some(case.reports.get(self.dice.below(case.reports.len().max(1)))?.id),
            _ => {}
        }
        if matches!(action, "add_co_handler" | "ask") {
            act.id = Some(self.new_id());
        }
        Some(act)
    }

    fn body(&self, act: &Act) -> Value {
        let unit = act.unit.map(|unit| self.town.units[unit].id);
        let until = act.until.map(|at| Timestamp(at).to_string());
        match act.action {
            "decline" => json!({ "reason": "不属于受理范围", "where_to_go": "区人民法院" }),
            "classify" => json!({ "category": CATEGORIES[act.category].code }),
            "route" => json!({ "unit_id": unit }),
            "arbitrate" => json!({ "unit_id": unit, "reason": "裁定" }),
            "return" => json!({ "reason_code": "not_ours", "reason": "不归我们管" }),
            "assign_worker" => json!({ "worker_id": act.worker.map(|worker| self.town.workers[worker]) }),
            "add_co_handler" => json!({ "id": act.id, "unit_id": unit, "part": "协助" }),
            "co_done" | "co_return" => json!({ "co_handler_id": act.id, "result": "办好了", "reason": "办不了" }),
            "mediate" => {
                let on = Timestamp(self.now() + 7 * DAY).date().to_string();
                json!({ "outcome": act.kind, "agreement": "各让一步", "follow_up_on": on })
            }
            "ask" => {
                json!({ "id": act.id, "kind": act.kind, "reason": "需要时间", "days": (act.kind == "extension").then_some(act.amount), "until": until })
            }
            "decide" => json!({ "request_id": act.id, "approve": act.yes, "note": "意见" }),
            "handle" => json!({ "result": "办好了", "override_reason": act.yes.then_some("不等了") }),
            "answer" => json!({ "way": "phone", "body": "已办好", "report_id": act.id, "solved": act.solved }),
            "verify" => json!({ "pass": act.yes, "note": "看过了" }),
            "merge" => json!({ "into": act.other.map(|other| self.cases[other].id) }),
            "split" => json!({ "report_ids": act.reports }),
            "withdraw" => json!({ "report_id": act.id, "reason": "不用了" }),
            "supervise" => json!({ "instruction": "抓紧" }),
            "urge" => json!({ "note": "催一催" }),
            "meeting" => json!({ "body": "会上定了" }),
            "comment" => json!({ "body": "看过" }),
            _ => json!({ "reason": "说明" }),
        }
    }

    async fn do_it(&mut self, actor: usize, index: usize, act: &Act) -> Result<(), Difference> {
        let foretold = self.world().act(actor, index, act);
        let other_kind = act.action == "classify" && self.cases[index].category != act.category;
        let (case, body) = (self.cases[index].id, self.body(act));
        let what = format!(
            "{} of case {index} ({}) by {}, {body}",
            act.action, self.cases[index].state, self.town.actors[actor].name
        );
        // Some through every layer, the rest through the function behind the route, with the session's scope of this moment.
        let is = if self.dice.percent(15) {
            let path = format!("/api/v1/cases/{case}/actions/{}", act.action);
            self.town.actors[actor].client.post(&path, body).await.verdict()
        } else {
            self.directly(actor, CaseId(case), act.action, body).await
        };
        self.said(&what, &foretold.as_ref().map(drop).map_err(Clone::clone), &is)?;
        self.count(act.action, foretold.is_ok());
        self.settle(foretold).await;
        if is == "200" && act.action == "arrive" {
            self.arrived.insert(case);
        }
        if is == "200" && other_kind {
            self.call_out(&self.cases[index].clone());
        }
        Ok(())
    }

    fn count(&mut self, action: &'static str, done: bool) {
        if done {
            self.stats.done += 1;
            *self.stats.actions.entry(action).or_default() += 1;
        } else {
            self.stats.refused += 1;
        }
    }

    async fn directly(&self, actor: usize, case: CaseId, action: &'static str, body: Value) -> String {
        let request = self.town.actors[actor]
            .client
            .request(Method::POST, "/")
            .body(())
            .expect("a request");
        let (mut parts, ()) = request.into_parts();
        let Staff(ctx) = Staff::from_request_parts(&mut parts, &self.app.app)
            .await
            .expect("a session");
        let ctx = ctx.for_purpose(Purpose::HandleCase(case));
        let done = self
            .app
            .app
            .write(&ctx, move |ctx, tx| actions::act(ctx, tx, case, action, body))
            .await;
        match done {
            Ok(()) => "200".to_owned(),
            Err(fault) => {
                let text = fault.to_string();
                let (code, status) = text.split_once(" (").expect("code and status");
                format!("{} {code}", &status[..3])
            }
        }
    }

    /// The model's cases become what was foretold.
    async fn settle(&mut self, foretold: Said) {
        let Ok(changes) = foretold else { return };
        for (at, mut case) in changes {
            if at == self.cases.len() {
                case.id = self.case_of(case.reports[0].id).await;
                self.cases.push(case);
            } else {
                self.cases[at] = case;
            }
        }
    }

    async fn case_of(&self, report: Uuid) -> Uuid {
        let ctx = Ctx::system(&self.app.app, "test");
        let read = self.app.app.read(&ctx, move |_, tx| {
            let row = tx.query_one("select case_id from report where id = $1", &params![ReportId(report)])?;
            Ok(row.get::<CaseId>(0)?)
        });
        read.await.expect("the report's case").0
    }

    /// A resident says something about their own report, with its number and code.
    async fn resident(&mut self, index: usize, action: &'static str) -> Result<(), Difference> {
        let case = &self.cases[index];
        if case.reports.is_empty() {
            return Ok(());
        }
        let report = case.reports[self.dice.below(case.reports.len())].clone();
        let stars = 1 + self.dice.below(5) as i64;
        let (verb, foretold, mut body) = match action {
            "object" => ("object", self.world().object(index), json!({ "reason": "没解决" })),
            "take back" => (
                "withdraw",
                self.world().withdrawn_by_resident(index, report.id),
                json!({ "reason": "不用了" }),
            ),
            _ => (
                "rate",
                self.world().rate(index, report.id, stars),
                json!({ "rating": stars }),
            ),
        };
        let ctx = Ctx::system(&self.app.app, "test");
        body["follow_code"] = json!(server::cases::intake::follow_code(&ctx, ReportId(report.id)));
        let path = format!("/api/v1/portal/follow/{}/{verb}", report.number);
        let is = self.app.visitor().post(&path, body).await.verdict();
        let what = format!("{action} by the resident of case {index} ({})", self.cases[index].state);
        self.said(&what, &foretold.as_ref().map(drop).map_err(Clone::clone), &is)?;
        self.count(action, foretold.is_ok());
        self.settle(foretold).await;
        Ok(())
    }
}
