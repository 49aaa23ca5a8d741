//! Works out what subjects are owed in one period under one rule, and writes what differs from before: the only writer of obligations.
//!
//! Entry point: [`settle`]. It is the same for a visit just made, a place that joined or moved, and the nightly roll: everything follows
//! from the stays and the visits, so working it out again changes nothing.

use super::counts::Shift;
use super::store::{self, Row, State, Stay, Tally};
use super::subject::{self, SubjectKind};
use crate::platform::*;
use crate::policy::{self, Current};
use domain::duties::{Before, Days, Missed, Obligation, Owed, Period, Rule, Turn, Verdict, Visit, owed};
use domain::time::date_of;
use domain::workforce::Term;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What came of it.
#[derive(Debug, Default)]
pub struct Settled {
    /// What became of each visit of the period.
    pub verdicts: HashMap<VisitId, Verdict>,
    /// Obligations written or taken away.
    pub changed: usize,
}

/// Fingerprint of a rule with its calendar: obligations worked out under another one are worked out anew.
pub fn fingerprint(current: &Current, rule: &Rule) -> String {
    let calendar = current.now_calendar().reference();
    let text = format!("{rule:?} {} {}", calendar.id, calendar.version);
    hex::encode(&Sha256::digest(text)[..8])
}

/// Works out one period of these subjects under a rule.
pub fn settle(
    ctx: &Ctx,
    tx: &mut Tx,
    rule: &Rule,
    period: Period,
    subjects: &[DutySubjectId],
) -> Result<Settled, Fault> {
    if subjects.is_empty() {
        return Ok(Settled::default());
    }
    let kind = subject::kind_of(&rule.who);
    let current = policy::current(&ctx.app)?;
    // What was done is recorded all the same, and counted by the nightly roll once that year's rest days are imported.
    let Ok(days) = Days::of(period, current.now_calendar()) else {
        tracing::warn!(rule = rule.key, %period, "the calendar does not know this period: nothing was worked out");
        return Ok(Settled::default());
    };
    let (before, next) = (period.before(), period.next());
    let mut stays: HashMap<DutySubjectId, Vec<Stay>> = HashMap::new();
    for stay in store::stays(tx, &subject::group(&rule.who), subjects)? {
        stays.entry(stay.subject).or_default().push(stay);
    }
    let tallies = store::tallies(tx, &rule.key, subjects, &[before.first, period.first, next.first])?;
    let rows = store::obligations(tx, &rule.key, subjects, &[before.first, period.first])?;
    let visits = store::visits(tx, kind, rule.act, subjects, (period.first, period.last))?;
    let mut work = Work {
        ctx,
        rule,
        kind,
        period,
        pack: current.label(),
        write: Vec::new(),
        delete: Vec::new(),
        shift: Shift::default(),
    };
    let by_rule = fingerprint(&current, rule);
    let (mut told, mut written) = (HashMap::new(), Vec::new());
    for id in subjects {
        let stays = stays.get(id).map_or(&[][..], Vec::as_slice);
        let made: &[(VisitId, Visit)] = visits.get(id).map_or(&[], Vec::as_slice);
        let old = rows.get(&(*id, period.first)).map_or(&[][..], Vec::as_slice);
        let earlier = rows.get(&(*id, before.first)).map_or(&[][..], Vec::as_slice);
        let tally = |first: i64| tallies.get(&(*id, first));
        let handed = Before {
            last: tally(before.first).and_then(|tally| tally.counted),
            missed: missed(rule, earlier),
        };
        let member: Vec<Term> = stays.iter().map(term).collect();
        let plain: Vec<Visit> = made.iter().map(|(_, visit)| visit.clone()).collect();
        let found = owed(rule, &days, &member, Turn::of(id.0.as_u128()), &plain, handed);
        told.extend(made.iter().map(|(id, _)| *id).zip(found.verdicts.iter().copied()));
        let made_up = tally(next.first).map_or(0, |tally| tally.made_up);
        work.compare(*id, stays.last(), &found, made, old, made_up);
        if let Some(stay) = stays.last() {
            let new = Tally {
                counted: found.last,
                made_up: i64::from(found.made_up),
                by_rule: by_rule.clone(),
            };
            // Nothing is handed on by somebody who has left, was never called on and is owed nothing.
            let idle = stay.to.is_some_and(|to| to < period.first) && found.last.is_none();
            if tally(period.first) != Some(&new) && !idle {
                let were = tally(period.first).map_or(0, |tally| tally.made_up);
                written.push((*id, new, were));
            }
        }
    }
    let changed = work.finish(tx)?;
    let again: Vec<DutySubjectId> = written
        .iter()
        .filter(|(_, tally, were)| tally.made_up != *were)
        .map(|(id, _, _)| *id)
        .collect();
    let written: Vec<(DutySubjectId, Tally)> = written.into_iter().map(|(id, tally, _)| (id, tally)).collect();
    store::put_tallies(tx, &rule.key, period.first, &written)?;
    // What is made up now was missed in the period before: that is written there. Its own tally does not change, so this ends here.
    let earlier = settle(ctx, tx, rule, before, &again)?;
    Ok(Settled {
        verdicts: told,
        changed: changed + earlier.changed,
    })
}

/// Obligations of the period before that can still be made up.
fn missed(rule: &Rule, earlier: &[Row]) -> u16 {
    match rule.missed {
        Missed::Lapses => 0,
        Missed::Owed => earlier.iter().filter(|row| row.state != State::Done).count() as u16,
    }
}

fn term(stay: &Stay) -> Term {
    Term {
        from: date_of(stay.from),
        to: stay.to.map(date_of),
    }
}

/// What is to be written for one period.
struct Work<'a> {
    ctx: &'a Ctx,
    rule: &'a Rule,
    kind: SubjectKind,
    period: Period,
    pack: String,
    write: Vec<Row>,
    delete: Vec<ObligationId>,
    shift: Shift,
}

impl Work<'_> {
    /// Puts down what differs of one subject's obligations. `made_up`: so many of those missed were made up in the next period.
    fn compare(
        &mut self,
        id: DutySubjectId,
        stay: Option<&Stay>,
        found: &Owed,
        made: &[(VisitId, Visit)],
        old: &[Row],
        mut made_up: i64,
    ) {
        for one in &found.obligations {
            let before = old.iter().find(|row| row.nth == i64::from(one.nth));
            let Some(stay) = stay else { continue };
            let mut row = self.row(id, stay, one, made, before);
            row.stand(self.ctx.now.day_and_ms().0, made_up > 0);
            if row.state == State::MadeUp {
                made_up -= 1;
            }
            if before == Some(&row) {
                continue;
            }
            row.pack_version.clone_from(&self.pack);
            if let Some(before) = before {
                self.shift.add(before, -1);
            }
            self.shift.add(&row, 1);
            self.write.push(row);
        }
        for row in old.iter().filter(|row| row.nth > found.obligations.len() as i64) {
            self.shift.add(row, -1);
            self.delete.push(row.id);
        }
    }

    fn row(
        &self,
        subject: DutySubjectId,
        stay: &Stay,
        one: &Obligation,
        made: &[(VisitId, Visit)],
        before: Option<&Row>,
    ) -> Row {
        Row {
            id: before.map_or_else(|| self.ctx.app.new_id(), |row| row.id),
            rule: self.rule.key.clone(),
            kind: self.kind,
            subject,
            first: self.period.first,
            last: self.period.last,
            nth: i64::from(one.nth),
            area: stay.area,
            areas: stay.areas,
            need: i64::from(one.need),
            got: i64::from(one.got),
            from: one.from,
            planned: one.planned,
            until: one.until,
            end: one.end,
            owed_until: match self.rule.missed {
                Missed::Owed => self.period.next().last,
                Missed::Lapses => one.end,
            },
            state: State::Open,
            open: true,
            turns: None,
            done_by: one.done.map(|done| made[done.visit].0),
            done_day: one.done.map(|done| done.day),
            done_late: one.done.is_some_and(|done| done.late),
            tried: i64::from(one.tried),
            reason: one.reason,
            pack_version: before.map_or_else(|| self.pack.clone(), |row| row.pack_version.clone()),
        }
    }

    fn finish(self, tx: &mut Tx) -> Result<usize, Fault> {
        let changed = self.write.len() + self.delete.len();
        store::delete(tx, &self.delete)?;
        store::put(tx, &self.write)?;
        self.shift.write(tx);
        Ok(changed)
    }
}
