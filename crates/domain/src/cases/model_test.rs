//! A random life of cases against an independent model: whatever people press, in whatever order, the promises of closing hold, the
//! counters equal what happened, and only the listed transitions occur (gap D of the field).
#![allow(clippy::unwrap_used)]

use super::table::{Action, Moment, TRANSITIONS};
use super::*;
use crate::ids::{AccountId, CaseId, CoHandlerId, ReportId, RequestId, UnitId, WorkerId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::{BTreeMap, BTreeSet};

const UNITS: u128 = 3;

/// Person `n` of unit `n % 3`. Persons 0 and 3 are two accounts of one worker.
fn person(n: u128) -> Person {
    Person {
        account: AccountId(n),
        worker: Some(WorkerId(n % 3)),
        units: vec![UnitId(n % UNITS)],
    }
}

/// What one press of a button is made of; out-of-range numbers simply miss.
#[derive(Debug, Clone)]
struct Press {
    action: Action,
    who: u128,
    by: u8,
    unit: u128,
    report: u128,
    item: u128,
    flag: bool,
    other: bool,
    way: usize,
    days: i64,
}

fn press() -> impl Strategy<Value = Press> {
    let small = (0..Action::ALL.len(), 0..6u128, 0..3u8, 0..UNITS, 0..4u128, 0..6u128);
    (small, any::<bool>(), any::<bool>(), 0..Way::ALL.len(), 0..40i64).prop_map(
        |((action, who, by, unit, report, item), flag, other, way, days)| Press {
            action: Action::ALL[action],
            who,
            by,
            unit,
            report,
            item,
            flag,
            other,
            way,
            days,
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    (1..3u32, 0..4u8, any::<[bool; 4]>(), 0..3u32).prop_map(|(returns, answer, flags, extensions)| Rules {
        returns_before_arbiter: returns,
        answer_by: [
            AnswerBy::Handler,
            AnswerBy::GridWorker,
            AnswerBy::Liaison,
            AnswerBy::Desk,
        ][answer as usize],
        answer_in_person: flags[0],
        verification: flags[1],
        after_photo: flags[2],
        mediation: flags[3],
        extensions,
        reopen_days: 30,
    })
}

fn plain_rules() -> Rules {
    Rules {
        returns_before_arbiter: 2,
        answer_by: AnswerBy::Desk,
        answer_in_person: false,
        verification: true,
        after_photo: false,
        mediation: false,
        extensions: 1,
        reopen_days: 30,
    }
}

/// What the auditor writes down by itself, from accepted presses only.
#[derive(Default)]
struct Auditor {
    counts: Counts,
    /// Reports told since the last start of work.
    told: BTreeSet<ReportId>,
    /// Someone other than the handlers, or the resident, confirmed since the last start of work.
    checked: bool,
    /// Who reported the present work finished, and whose hands it was in.
    hands: Vec<Doer>,
    co_hands: Vec<Doer>,
    unhappy: bool,
}

impl Auditor {
    fn start_over(&mut self) {
        self.told.clear();
        self.checked = false;
        self.unhappy = false;
    }
}

/// Does what the button says to `case`; `others` is a case to merge with. None when refused.
fn apply(case: &Case, other: &Case, p: &Press, rules: &Rules, step: u128) -> Option<(Case, Option<Case>)> {
    let who = person(p.who);
    let by = match p.by {
        0 => By::Person(who.clone()),
        1 => By::Resident,
        _ => By::System,
    };
    let held = Held {
        unit: UnitId(p.unit),
        worker: p.flag.then_some(WorkerId(p.unit)),
    };
    let c = case.clone();
    let one = |c: Case| Some((c, None));
    match p.action {
        Action::Accept => one(c.accept().ok()?),
        Action::Decline => one(c.decline(&by).ok()?),
        Action::Classify => c.may_classify().ok().and_then(|()| one(c)),
        Action::Route => one(c.route(held, rules).ok()?),
        Action::Take => one(c.take(&who).ok()?),
        Action::Return => one(c.return_case(&who).ok()?),
        Action::Arbitrate => one(c.arbitrate(UnitId(p.unit), rules).ok()?),
        Action::AssignWorker => one(c.assign_worker(WorkerId(p.unit)).ok()?),
        Action::AddCoHandler => one(c.add_co_handler(CoHandlerId(step), UnitId(p.unit)).ok()?),
        Action::CoDone => one(c.co_done(nth_part(case, p.item), &who).ok()?),
        Action::CoReturn => one(c.co_return(nth_part(case, p.item), &who).ok()?),
        Action::Arrive | Action::Meeting | Action::Comment => c.must_be_open().ok().and_then(|()| one(c)),
        Action::Mediate => {
            let outcome = Mediation::ALL[(p.item % 3) as usize];
            one(c.mediate(&who, outcome, p.other.then_some(held)).ok()?)
        }
        Action::Ask => one(c.ask(RequestId(step), AskKind::ALL[p.way % 3], &who, rules).ok()?),
        Action::Decide => {
            let id = case.requests.last().map_or(RequestId(0), |r| r.id);
            one(c.decide(id, &who, p.flag).ok()?.0)
        }
        Action::Resume => one(c.resume().ok()?),
        Action::Unpark => one(c.unpark().ok()?),
        Action::Handle => one(c
            .handle(
                &who,
                Evidence {
                    after_photo: p.flag,
                    without_co_handlers: p.other,
                },
                rules,
            )
            .ok()?),
        Action::Answer => {
            let given = Given {
                report: p.other.then_some(ReportId(p.report)),
                way: Way::ALL[p.way],
                standing: standing(p),
                solved: [None, Some(true), Some(false)][(p.item % 3) as usize],
            };
            one(c.answer(&who, given, rules).ok()?)
        }
        Action::Confirm => one(c.confirm().ok()?),
        Action::Verify => one(c.verify(&who, p.flag).ok()?),
        Action::Rework => one(c.rework().ok()?),
        Action::Close => one(c.close(&by, rules).ok()?),
        Action::Reopen => one(c.reopen(p.days, rules).ok()?),
        Action::Merge => c.merge(other.clone()).ok().map(|(c, o)| (c, Some(o))),
        Action::Split => c
            .split(other.clone(), &BTreeSet::from([ReportId(p.report)]))
            .ok()
            .map(|(c, o)| (c, Some(o))),
        Action::Withdraw => one(c.withdraw(ReportId(p.report)).ok()?),
        Action::Supervise => one(c.supervise().ok()?),
        Action::Urge => one(c.urge().ok()?),
    }
}

fn nth_part(case: &Case, n: u128) -> CoHandlerId {
    case.co_handlers.get(n as usize).map_or(CoHandlerId(0), |c| c.id)
}

fn audit(auditor: &mut Auditor, before: &Case, after: &Case, p: &Press, rules: &Rules) {
    let doer = person(p.who).doer();
    match p.action {
        Action::Return => auditor.counts.returned += 1,
        Action::Urge => auditor.counts.urged += 1,
        Action::Reopen => {
            auditor.counts.reopened += 1;
            auditor.start_over();
        }
        Action::Rework => {
            auditor.counts.reworked += 1;
            auditor.start_over();
        }
        Action::Verify if p.flag => {
            assert!(
                auditor
                    .hands
                    .iter()
                    .chain(&auditor.co_hands)
                    .all(|h| !h.same_person(&doer)),
                "checked own work"
            );
            auditor.checked = true;
        }
        Action::Verify => {
            auditor.counts.reworked += 1;
            auditor.start_over();
        }
        Action::Confirm => (auditor.checked, auditor.unhappy) = (true, false),
        Action::Handle => {
            auditor.hands = vec![doer];
            let worker = before.state.held().and_then(|h| h.worker);
            auditor.hands.extend(worker.map(|w| Doer {
                account: AccountId(900 + w.0),
                worker: Some(w),
            }));
            assert!(!after.co_handlers_open(), "finished over the heads of co-handlers");
            assert!(
                !before.co_handlers_open() || p.other,
                "co-handlers overridden without saying so"
            );
            assert!(!rules.after_photo || p.flag, "no photo");
        }
        Action::CoDone => auditor.co_hands.push(doer),
        Action::Answer => {
            auditor.told.extend(match p.other {
                true => BTreeSet::from([ReportId(p.report)]),
                false => before.reports.keys().copied().collect(),
            });
            match p.item % 3 {
                1 => auditor.unhappy = false,
                2 => auditor.unhappy = true,
                _ => {}
            }
        }
        Action::Decide => {
            let request = before.requests.last().unwrap();
            assert!(!request.asked_by.same_person(&doer), "decided own request");
            if p.flag && request.kind == AskKind::Extension {
                auditor.counts.extended += 1;
            }
        }
        Action::Decline => assert_eq!(p.by, 0, "only a person declines"),
        Action::Close => {
            assert_eq!(p.by, 0, "only a person closes");
            assert!(
                after.reports.keys().all(|r| auditor.told.contains(r)),
                "closed without an answer"
            );
            assert!(
                auditor.checked || !(rules.verification || auditor.unhappy),
                "closed without a check"
            );
        }
        _ => {}
    }
    let (from, to) = (before.state.key(), after.state.key());
    assert!(
        from == to || TRANSITIONS.contains(&(from, p.action, to)),
        "not listed: {from:?} {:?} {to:?}",
        p.action
    );
    assert_eq!(after.counts, auditor.counts);
    assert!(
        !(before.arbitrated && p.action == Action::Return),
        "an arbiter's decision was returned"
    );
    assert!(after.state.key() != StateKey::Closed || !after.reports.is_empty());
}

fn standing(p: &Press) -> Standing {
    Standing {
        grid_worker: p.flag,
        liaison: p.other,
    }
}

fn moment(p: &Press) -> Moment {
    Moment {
        standing: standing(p),
        days_since_end: p.days,
    }
}

/// The lives of two neighbouring cases; gives the transitions seen.
fn live(presses: &[Press], rules: &Rules, look: Option<Look>) -> BTreeSet<(StateKey, Action, StateKey)> {
    let mut case = Case::open(CaseId(1), ReportId(0), true, look)
        .join(ReportId(1), false)
        .unwrap();
    let mut other = Case::open(CaseId(2), ReportId(9), true, None);
    let mut auditor = Auditor::default();
    let mut seen = BTreeSet::new();
    for (step, p) in presses.iter().enumerate() {
        let Some((after, changed)) = apply(&case, &other, p, rules, step as u128) else {
            continue;
        };
        let a_button = match p.action {
            Action::Confirm | Action::Split => false,
            Action::Mediate => rules.mediation,
            _ => true,
        };
        if p.by == 0 && a_button {
            assert_eq!(
                case.may(p.action, &person(p.who), moment(p), rules),
                Ok(()),
                "button {:?} was grey",
                p.action
            );
        }
        audit(&mut auditor, &case, &after, p, rules);
        let people = |a: &Case, b: &Case| a.reports.len() + b.reports.len();
        if let Some(changed) = changed {
            assert_eq!(people(&case, &other), people(&after, &changed), "a reporter was lost");
            other = changed;
        }
        if p.action == Action::Merge {
            // Everything but the reports stands still until the merge is undone.
            let State::Merged { was, .. } = &after.state else {
                panic!("merged but {:?}", after.state)
            };
            assert_eq!(**was, case.state);
        }
        seen.insert((case.state.key(), p.action, after.state.key()));
        case = after;
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_actions_breaks_a_promise(presses in prop::collection::vec(press(), 1..160), rules in rules(), look in 0..6usize) {
        live(&presses, &rules, Look::ALL.get(look).copied());
    }
}

/// Each listed transition happens in some life: the table promises nothing the functions do not do.
#[test]
fn every_listed_transition_is_reachable() {
    let mut seen = BTreeSet::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let lives = (prop::collection::vec(press(), 400..800), rules(), 0..6usize);
    for _ in 0..1_500 {
        let (presses, mut rules, look) = lives.new_tree(&mut runner).unwrap().current();
        (rules.after_photo, rules.answer_in_person) = (false, false);
        seen.extend(live(&presses, &rules, Look::ALL.get(look).copied()));
    }
    // Too rare for chance: of two reporters one is told, then the other takes the report back.
    let by_hand = |action, report, other| Press {
        action,
        who: 0,
        by: 0,
        unit: 0,
        report,
        item: 0,
        flag: true,
        other,
        way: 0,
        days: 0,
    };
    let script = [
        by_hand(Action::Route, 0, false),
        by_hand(Action::Take, 0, false),
        by_hand(Action::Handle, 0, false),
        by_hand(Action::Answer, 0, true),
        by_hand(Action::Withdraw, 1, false),
    ];
    seen.extend(live(&script, &plain_rules(), None));
    // Lives take merges back; here the report still owed an answer turns out to be another matter.
    let mut case = Case::open(CaseId(1), ReportId(0), true, None)
        .join(ReportId(1), false)
        .unwrap();
    for p in &script[..4] {
        case = apply(&case, &case, p, &plain_rules(), 0).expect("it may").0;
    }
    let from = case.state.key();
    let (rest, new) = case.split_off(CaseId(3), &BTreeSet::from([ReportId(1)])).unwrap();
    assert_eq!(new.state, State::Accepted);
    seen.insert((from, Action::Split, rest.state.key()));
    let missing: Vec<_> = TRANSITIONS.iter().filter(|t| !seen.contains(t)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

/// The whole loop as text, for review.
#[test]
fn the_table_of_transitions() {
    let mut rows: BTreeMap<StateKey, Vec<String>> = BTreeMap::new();
    for (from, action, to) in TRANSITIONS {
        rows.entry(*from)
            .or_default()
            .push(format!("{:>15} -> {}", action.key(), to.key()));
    }
    let text: Vec<String> = StateKey::ALL
        .iter()
        .map(|s| format!("{}\n{}", s.key(), rows.remove(s).unwrap_or_default().join("\n")))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}
