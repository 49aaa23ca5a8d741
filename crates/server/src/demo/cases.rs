//! Lifelike cases of the last weeks, in every state, made through the loop itself: each step is done by somebody who may do it, at the
//! time it would have been done. Must not write a row of a case.

use super::lot::Lot;
use super::matters::{MATTERS, Matter, RETURNED};
use super::people::acting;
use super::photos;
use super::teams::{self, AT_THE_DOOR, Sent};
use crate::cases::{self, actions, intake};
use crate::platform::{Actor, App, AreaId, CaseId, Ctx, Fault, Lang, Purpose, Scope, Tx, UnitId, WorkerId};
use crate::territory::{self, Address};
use crate::workforce::teams::Team;
use crate::{policy, workforce};
use domain::policy::Answerer;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::{Value, json};

/// Over how many days they came.
const DAYS: i64 = 24;
/// After how long one looks whether what was agreed is kept.
const FOLLOW_UP_MS: i64 = 10 * DAY_MS;
/// Most moments at which somebody looks at one case.
const LOOKS: usize = 40;
/// One case in so many was heard by a visiting team, a third of these answered on the spot.
const HEARD: usize = 6;

/// How far a case gets before the present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Until {
    End,
    Answered,
    Handled,
    /// Taken up, and more time asked for.
    Asking,
    Handling,
    Assigned,
    /// Nothing is done by anybody.
    Received,
}

/// A case to be made.
pub(super) struct Plan {
    pub matter: Matter,
    pub place: Address,
    pub received: Timestamp,
    pub until: Until,
    /// A unit gives it back once on its way.
    pub returned: bool,
    /// A visiting team heard it.
    pub heard: Option<Heard>,
}

/// What a visiting team heard at the door.
pub(super) struct Heard {
    pub team: Sent,
    /// Answered on the spot, with the name of its kind.
    pub at_the_door: Option<&'static (Matter, &'static str)>,
}

/// Makes `count` of them, the oldest first. Some seconds of work: a server can do it while it already answers.
pub async fn make(app: &App, seed: u64, count: usize) -> Result<(), Fault> {
    let addresses = territory::every_address(app).await?;
    let sent = app.read(&system(app), teams::all).await?;
    for which in 0..count {
        let mut lot = Lot::of(seed, &format!("case {which}"));
        let age = DAYS * DAY_MS * (count - which) as i64 / count as i64;
        let team = sent.get(which / HEARD % sent.len().max(1));
        let heard = team.filter(|_| which % HEARD == HEARD - 1).map(|team| Heard {
            team: team.clone(),
            at_the_door: (which / HEARD)
                .is_multiple_of(3)
                .then(|| &AT_THE_DOOR[which / HEARD / 3 % AT_THE_DOOR.len()]),
        });
        let place = match &heard {
            Some(heard) => lot.pick(&visited(app, &heard.team.team, &addresses)).clone(),
            None => lot.pick(&addresses).clone(),
        };
        let present = app.now();
        let received = moment_of_receipt(&mut lot, present, age);
        let plan = Plan {
            matter: match heard.as_ref().and_then(|heard| heard.at_the_door) {
                Some((matter, _)) => matter.clone(),
                None => MATTERS[which % MATTERS.len()].clone(),
            },
            place,
            received,
            until: wish(&mut lot, (present.0 - received.0) / DAY_MS),
            returned: lot.below(9) == 0,
            heard,
        };
        one(app, &mut lot, plan).await?;
    }
    if count > 0 {
        super::scenes::make(app, seed).await?;
    }
    Ok(())
}

/// Makes one case and takes it as far as planned, or as far as the people's duty times let it come by now.
pub(super) async fn one(app: &App, lot: &mut Lot, plan: Plan) -> Result<CaseId, Fault> {
    let Plan {
        matter,
        place,
        received,
        until,
        returned,
        heard,
    } = plan;
    let present = app.now();
    let case: CaseId = app.new_id();
    let mut at = received;
    let opener = match &heard {
        Some(heard) => member(app, &heard.team, at).await?,
        None => Ctx {
            actor: Actor::Resident,
            scope: Scope::nothing(),
            now: at,
            ..system(app)
        },
    };
    let mut submission = intake::Submission {
        id: case.to_string(),
        channel: (*lot.pick(&["web", "web", "web", "phone", "walk_in", "sms", "public_account"])).to_owned(),
        title: Some(matter.title.to_owned()),
        body: matter.body.replace("{place}", &place.text),
        lon: place.at.map(|at| at.lon),
        lat: place.at.map(|at| at.lat),
        address: Some(place.text.clone()),
        reporter: Some(intake::ReporterInput {
            name: Some(super::words::person(lot)),
            phone: Some(format!("1990000{:04}", lot.below(10_000))),
            anonymous: lot.below(6) == 0,
            ..intake::ReporterInput::default()
        }),
        ..intake::Submission::default()
    };
    if let Some(heard) = &heard {
        submission.channel = intake::VISIT.to_owned();
        submission.team_id = Some(heard.team.team.id.to_string());
        if let Some((_, kind)) = heard.at_the_door {
            let pack = &policy::current(app)?.pack;
            let kind = pack.categories.iter().find(|one| one.leaf && one.name.zh == *kind);
            submission.category_code = kind.map(|kind| kind.code.clone());
            submission.on_the_spot = Some(intake::OnTheSpotInput {
                result: matter.result.to_owned(),
                answer_way: "in_person".to_owned(),
                answer_body: matter.result.to_owned(),
                after_attachments: vec![photos::upload(&opener, lot).await?],
            });
        }
    }
    app.write(&opener, move |ctx, tx| intake::open(ctx, tx, &submission).map(|_| ()))
        .await?;
    let mut returned = !returned;
    let looks = if until == Until::Received { 0 } else { LOOKS };
    for _ in 0..looks {
        at = next_moment(lot, at);
        if at >= present {
            break;
        }
        let seen = facts(app, case).await?;
        let Some(mut step) = step(&seen, &matter, lot, at, until, &mut returned) else {
            break;
        };
        let Some(ctx) = who(app, &seen, step.by, at).await? else {
            continue;
        };
        if step.action == "handle" && matter.photos {
            step.input["after"] = json!([photos::upload(&ctx, lot).await?]);
        }
        let done = app
            .write(&ctx, move |ctx, tx| {
                actions::act(ctx, tx, case, step.action, step.input)
            })
            .await;
        if let Err(refused) = done {
            tracing::debug!(
                code = refused.code(),
                action = step.action,
                "a step of a demo case was refused"
            );
            break;
        }
        if until == Until::Asking && seen.state == "handling" {
            break;
        }
    }
    Ok(case)
}

/// Addresses where a team goes; all of them, if it goes where there are none.
fn visited(app: &App, team: &Team, addresses: &[Address]) -> Vec<Address> {
    let goes = |one: &&Address| team.visits(app, one.area);
    let own: Vec<Address> = addresses.iter().filter(goes).cloned().collect();
    if own.is_empty() { addresses.to_vec() } else { own }
}

/// The member of a team, at the door.
async fn member(app: &App, team: &Sent, at: Timestamp) -> Result<Ctx, Fault> {
    let base = Ctx {
        now: at,
        lang: Lang::Zh,
        purpose: Purpose::Intake,
        ..system(app)
    };
    let worker = team.member;
    let actor = app.read(&base, move |ctx, tx| {
        let unit = workforce::units_of_worker(tx, worker, ctx.now)?.first().copied();
        acting(tx, worker, unit)?.ok_or_else(Fault::not_found)
    });
    let actor = actor.await?;
    Ok(Ctx { actor, ..base })
}

fn system(app: &App) -> Ctx {
    Ctx::system(app, "demo")
}

/// The later ones lie nearer to the present, most by day.
fn moment_of_receipt(lot: &mut Lot, present: Timestamp, age: i64) -> Timestamp {
    let day = Timestamp::start_of(present.plus_ms(-age).date());
    let minute = 8 * 60 + lot.below(12 * 60) as i64;
    let at = day.plus_ms(minute * MINUTE_MS);
    if at < present {
        at
    } else {
        present.plus_ms(-(10 + lot.below(110) as i64) * MINUTE_MS)
    }
}

/// Old ones are mostly finished, young ones mostly not.
fn wish(lot: &mut Lot, age_days: i64) -> Until {
    let draw = lot.below(100) as i64 + age_days * 12;
    match draw {
        ..25 => Until::Assigned,
        25..60 => Until::Handling,
        60..75 => Until::Handled,
        75..90 => Until::Answered,
        _ => Until::End,
    }
}

/// Some hours on, in the day.
fn next_moment(lot: &mut Lot, at: Timestamp) -> Timestamp {
    let later = at.plus_ms(20 * MINUTE_MS + lot.below(9 * 60) as i64 * MINUTE_MS);
    let (_, ms) = later.day_and_ms();
    match ms / HOUR_MS {
        0..8 => Timestamp::start_of(later.date()).plus_ms((8 * 60 + 30 + lot.below(90) as i64) * MINUTE_MS),
        8..18 => later,
        _ => Timestamp::start_of(later.date()).plus_ms(DAY_MS + (8 * 60 + 30 + lot.below(150) as i64) * MINUTE_MS),
    }
}

/// What of the case decides the next step.
struct Facts {
    state: String,
    /// What the classifier suggests while nobody has said what kind of matter it is.
    suggested: Option<String>,
    area: Option<AreaId>,
    unit: Option<UnitId>,
    worker: Option<WorkerId>,
    /// A dispute not yet settled.
    dispute: bool,
    /// Who answers the resident.
    answers: By,
}

async fn facts(app: &App, case: CaseId) -> Result<Facts, Fault> {
    let ctx = system(app);
    app.read(&ctx, move |ctx, tx| {
        let page = serde_json::to_value(cases::detail(ctx, tx, case)?).map_err(Fault::internal)?;
        let id = |key: &str| page[key]["id"].as_str().map(str::to_owned);
        let pack = &policy::current(&ctx.app)?.pack;
        let code = page["category"]["code"].as_str().unwrap_or_default();
        let settled = page["mediations"].as_array().is_some_and(|held| !held.is_empty());
        Ok(Facts {
            dispute: !settled && pack.category(code).is_some_and(|category| category.mediation),
            answers: match pack.answer_rule(code).map(|rule| rule.who) {
                // The liaison owes it, and is a grid's worker.
                _ if !page["team"].is_null() => By::Grid,
                Some(Answerer::Handler) => By::Holder,
                Some(Answerer::GridWorker) => By::Grid,
                Some(Answerer::Desk) | None => By::Dispatcher,
            },
            state: page["state"].as_str().unwrap_or_default().to_owned(),
            suggested: page["suggested"]["categories"][0]["code"]
                .as_str()
                .filter(|_| page["category"].is_null())
                .map(str::to_owned),
            area: id("area").and_then(|id| id.parse().ok()),
            unit: id("unit").and_then(|id| id.parse().ok()),
            worker: id("worker").and_then(|id| id.parse().ok()),
        })
    })
    .await
}

/// Who does a step.
#[derive(Debug, Clone, Copy)]
enum By {
    Dispatcher,
    Holder,
    Grid,
    Verifier,
}

struct Step {
    by: By,
    action: &'static str,
    input: Value,
}

fn step(
    seen: &Facts,
    matter: &Matter,
    lot: &mut Lot,
    at: Timestamp,
    until: Until,
    returned: &mut bool,
) -> Option<Step> {
    let step = |by, action, input| Some(Step { by, action, input });
    match seen.state.as_str() {
        "received" => match &seen.suggested {
            Some(code) => step(By::Dispatcher, "classify", json!({ "category_code": code })),
            None => step(By::Dispatcher, "accept", json!({})),
        },
        "accepted" => step(By::Dispatcher, "route", json!({ "reason": "按职责分工派遣" })),
        "assigned" if !*returned => {
            *returned = true;
            step(
                By::Holder,
                "return",
                json!({ "reason_code": "not_ours", "reason": lot.pick(&RETURNED) }),
            )
        }
        "assigned" if until != Until::Assigned => step(By::Holder, "take", json!({})),
        "handling" if until != Until::Handling && seen.dispute => step(
            By::Holder,
            "mediate",
            json!({ "outcome": "agreed", "agreement": matter.result, "follow_up_on": at.plus_ms(FOLLOW_UP_MS).date().to_string() }),
        ),
        "handling" if until == Until::Asking => step(
            By::Holder,
            "ask",
            json!({ "kind": "extension", "reason": "配件需从厂家调货，申请延长办理时限" }),
        ),
        "handling" if until != Until::Handling => step(By::Holder, "handle", json!({ "result": matter.result })),
        "handled" if until != Until::Handled => {
            let rating = 3 + lot.below(3);
            let body = format!("您反映的“{}”已办理：{}", matter.title, matter.result);
            let input = json!({ "way": lot.pick(&["in_person", "phone", "in_person"]), "body": body, "rating": rating,
                "resident_said": lot.pick(&["满意，谢谢", "处理得挺快", "希望以后多巡查", "可以"]) });
            step(seen.answers, "answer", input)
        }
        "answered" if until == Until::End => {
            step(By::Verifier, "verify", json!({ "pass": true, "note": "现场核查属实" }))
        }
        "verified" => step(By::Verifier, "close", json!({ "note": "办结" })),
        _ => None,
    }
}

/// The person who does it, at that time; nobody where nobody is on duty then: the case waits, as it would. They act with everything a demo may do; whether the step fits them is the loop's to say.
async fn who(app: &App, seen: &Facts, by: By, at: Timestamp) -> Result<Option<Ctx>, Fault> {
    let (area, unit, worker) = (seen.area, seen.unit, seen.worker);
    let base = Ctx {
        now: at,
        lang: Lang::Zh,
        purpose: Purpose::Dispatch,
        ..system(app)
    };
    let found = app
        .read(&base, move |ctx, tx| {
            let top = territory::current(&ctx.app).children(None).next().map(|area| area.id);
            let centre = match top {
                Some(top) => workforce::centre_of(&ctx.app, tx, top, 0, ctx.now)?,
                None => None,
            };
            let of = |tx: &mut Tx, unit: Option<UnitId>, duty: &str| -> Result<Option<WorkerId>, Fault> {
                let Some(unit) = unit else { return Ok(None) };
                Ok(
                    workforce::responsible(&ctx.app, tx, unit, duty, area, workforce::Ask::Own, ctx.now)?
                        .and_then(|one| one.worker),
                )
            };
            let (worker, unit) = match by {
                By::Dispatcher => (of(tx, centre, "dispatch")?, centre),
                By::Verifier => (of(tx, centre, "verify")?, centre),
                By::Holder => (worker.or(of(tx, unit, "handle")?), unit),
                By::Grid => match area {
                    Some(area) => match workforce::grid_worker_of(&ctx.app, tx, area, workforce::Ask::Own, ctx.now)? {
                        Some(found) => (found.on_duty.worker().map(Into::into), Some(found.unit)),
                        None => (None, None),
                    },
                    None => (None, None),
                },
            };
            let Some(worker) = worker else { return Ok(None) };
            acting(tx, worker, unit)
        })
        .await?;
    Ok(found.map(|actor| Ctx { actor, ..base }))
}
