//! What is owed when areas are divided anew: who would be touched, and the working out anew after the day.
//!
//! Entry points: [`open_in`], [`open_at_homes`], [`follow`]. Obligations follow from where their subjects lie, so nothing is moved by hand: those of a grid that
//! ends end with it, the grids after it have their own. Must not: choose where anything goes; whoever divides does.

use super::subject::{self, SubjectKind};
use super::{roll, store};
use crate::platform::*;
use crate::policy;
use domain::time::MINUTE_MS;

/// Something open that is owed to a subject.
#[derive(Debug, Clone)]
pub struct Open {
    pub id: ObligationId,
    pub subject: DutySubjectId,
    pub area: AreaId,
    /// Rule and subject, by name.
    pub label: String,
    /// The last day in time, from 1970-01-01.
    pub until: i64,
}

/// What can still be done for subjects of a kind in these areas themselves, by id.
pub fn open_in(ctx: &Ctx, tx: &mut Tx, kind: SubjectKind, areas: &[AreaId]) -> Result<Vec<Open>, Fault> {
    let rows = store::open_in(tx, kind, areas)?;
    let subjects: Vec<_> = rows.iter().map(|row| (row.kind, row.subject)).collect();
    let named = subject::named(ctx, tx, &subjects)?;
    let current = policy::current(&ctx.app)?;
    let one = |row: store::Row| {
        let name = named
            .get(&row.subject)
            .map(|known| known.name.as_str())
            .unwrap_or_default();
        Open {
            id: row.id,
            subject: row.subject,
            area: row.area,
            label: format!("{}：{name}", rule_name(&current, &row.rule)),
            until: row.until,
        }
    };
    Ok(rows.into_iter().map(one).collect())
}

/// How much can still be done for the households of some dwellings: key and name of each rule with its number. What is owed to people on care
/// registers is not told: from the number for one house anybody could read that somebody there is on a register.
pub fn open_at_homes(ctx: &Ctx, tx: &mut Tx, dwellings: &[DwellingId]) -> Result<Vec<(String, String, i64)>, Fault> {
    let current = policy::current(&ctx.app)?;
    let all = current.pack.duty_rules.iter().map(|one| &one.rule);
    let rules: Vec<&str> = all
        .filter(|rule| subject::kind_of(&rule.who) == SubjectKind::Household)
        .map(|rule| rule.key.as_str())
        .collect();
    let counts = store::open_at_homes(tx, &rules, dwellings)?.into_iter();
    let named = counts.map(|(rule, count)| {
        let name = rule_name(&current, &rule);
        (rule, name, count)
    });
    Ok(named.collect())
}

fn rule_name(current: &policy::Current, key: &str) -> String {
    let known = current.pack.duty_rules.iter().find(|one| one.rule.key == key);
    known.map_or(key, |one| one.name.zh.as_str()).to_owned()
}

/// Has everything worked out anew a little later: once every process on this database knows the new areas.
pub fn follow(ctx: &Ctx, tx: &mut Tx) -> Result<(), Fault> {
    if policy::current(&ctx.app).is_err() {
        return Ok(());
    }
    roll::queue(ctx, tx, ctx.now.plus_ms(MINUTE_MS)).map(|_| ())
}
