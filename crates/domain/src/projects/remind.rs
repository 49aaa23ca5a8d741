//! On which days somebody is reminded of a deadline.

use jiff::ToSpan;
use jiff::civil::Date;

/// When a deadline is spoken of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reminders {
    /// So many days before it; 0 is the day itself.
    pub before: Vec<u16>,
    /// So many days after it.
    pub after: Vec<u16>,
    /// After the last of these, again every so many days; 0 for not again.
    pub then_every: u16,
}

impl Reminders {
    /// Whether somebody is reminded on a day of what is due on another.
    pub fn on(&self, due: Date, day: Date) -> bool {
        let past = (day - due).get_days();
        if past <= 0 {
            return self.before.iter().any(|days| i32::from(*days) == -past);
        }
        let last = self.after.iter().copied().max().unwrap_or(0);
        let again =
            self.then_every > 0 && past > i32::from(last) && (past - i32::from(last)) % i32::from(self.then_every) == 0;
        again || self.after.iter().any(|days| i32::from(*days) == past)
    }

    /// The first such day after a day; none when nothing is left to be said.
    pub fn after(&self, due: Date, day: Date) -> Option<Date> {
        let at = |days: i64| due.saturating_add(days.days());
        let named = self.before.iter().map(|days| at(-i64::from(*days)));
        let named = named.chain(self.after.iter().map(|days| at(i64::from(*days))));
        let first = named.filter(|one| *one > day).min();
        if first.is_some() || self.then_every == 0 {
            return first;
        }
        let last = i64::from(self.after.iter().copied().max().unwrap_or(0));
        let (every, past) = (
            i64::from(self.then_every),
            i64::from((day - at(last)).get_days()).max(0),
        );
        Some(at(last + (past / every + 1) * every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn before_on_the_day_and_after() {
        let rule = Reminders {
            before: vec![7, 1, 0],
            after: vec![1, 3],
            then_every: 7,
        };
        let due = date(2026, 3, 31);
        let mut day = date(2026, 3, 1);
        let mut said = Vec::new();
        for _ in 0..7 {
            day = rule.after(due, day).unwrap_or(day);
            said.push((day - due).get_days());
        }
        assert_eq!(said, [-7, -1, 0, 1, 3, 10, 17]);
        assert_eq!(Reminders::default().after(due, day), None);
    }

    proptest! {
        #[test]
        fn the_next_day_is_the_first_on_which_it_is_said(
            before in proptest::collection::vec(0u16..40, 0..4), after in proptest::collection::vec(1u16..40, 0..4), every in 0u16..9, from in -60i64..90,
        ) {
            let rule = Reminders { before, after, then_every: every };
            let due = date(2026, 6, 30);
            let day = due.saturating_add(from.days());
            let next = rule.after(due, day);
            let plain = (1..200i64).map(|days| day.saturating_add(days.days())).find(|one| rule.on(due, *one));
            prop_assert_eq!(next, plain);
        }
    }
}
