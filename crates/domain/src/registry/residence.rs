//! Residences: where somebody is registered 户籍 and where they really live 居住, each from a day to a day; one of a kind at a time.
//!
//! Entry points: [`add`], [`move_to`], [`home`]. Days are civil dates, both included.

use jiff::civil::Date;

/// Two kinds; somebody may have both, in different places 人户分离.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 户籍.
    Registered,
    /// 实际居住.
    Actual,
}

impl Kind {
    pub fn key(self) -> &'static str {
        match self {
            Kind::Registered => "registered",
            Kind::Actual => "actual",
        }
    }

    pub fn from_key(key: &str) -> Option<Kind> {
        [Kind::Registered, Kind::Actual]
            .into_iter()
            .find(|kind| kind.key() == key)
    }
}

/// The time somebody belongs to a household in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Residence<H> {
    pub kind: Kind,
    pub household: H,
    /// First day.
    pub from: Date,
    /// Last day; none while it goes on.
    pub to: Option<Date>,
}

impl<H> Residence<H> {
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    pub fn overlaps(&self, other: &Residence<H>) -> bool {
        self.kind == other.kind
            && other.to.is_none_or(|to| self.from <= to)
            && self.to.is_none_or(|to| other.from <= to)
    }
}

/// Why a residence cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadResidence {
    #[error("it ends before it begins")]
    EndsBeforeStart,
    #[error("another residence of this kind covers some of these days")]
    Overlaps,
    #[error("a move comes after the beginning of the residence it ends")]
    BeforeStart,
}

/// Adds a residence, or says why it cannot be.
pub fn add<H>(all: &mut Vec<Residence<H>>, new: Residence<H>) -> Result<(), BadResidence> {
    if new.to.is_some_and(|to| to < new.from) {
        return Err(BadResidence::EndsBeforeStart);
    }
    if all.iter().any(|one| one.overlaps(&new)) {
        return Err(BadResidence::Overlaps);
    }
    all.push(new);
    Ok(())
}

/// Ends the residence of a kind that goes on the day before `from` and begins another there. Nothing is changed when it cannot be.
pub fn move_to<H: Copy>(all: &mut Vec<Residence<H>>, kind: Kind, household: H, from: Date) -> Result<(), BadResidence> {
    let mut after = all.clone();
    for open in after.iter_mut().filter(|one| one.kind == kind && one.to.is_none()) {
        if from <= open.from {
            return Err(BadResidence::BeforeStart);
        }
        open.to = from.yesterday().ok();
    }
    let new = Residence {
        kind,
        household,
        from,
        to: None,
    };
    add(&mut after, new)?;
    *all = after;
    Ok(())
}

/// Ends everything that goes on; the last day is `on`.
pub fn end<H: Copy>(all: &mut [Residence<H>], on: Date) -> Result<(), BadResidence> {
    if all.iter().any(|one| one.to.is_none() && on < one.from) {
        return Err(BadResidence::EndsBeforeStart);
    }
    for open in all.iter_mut().filter(|one| one.to.is_none()) {
        open.to = Some(on);
    }
    Ok(())
}

/// The household somebody belongs to, among residences that go on: where they live, else where they are registered.
pub fn home<H: Copy>(all: &[Residence<H>]) -> Option<H> {
    let open = |kind: Kind| all.iter().find(|one| one.kind == kind && one.to.is_none());
    open(Kind::Actual)
        .or_else(|| open(Kind::Registered))
        .map(|one| one.household)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn one(kind: Kind, household: u8, from: Date, to: Option<Date>) -> Residence<u8> {
        Residence {
            kind,
            household,
            from,
            to,
        }
    }

    #[test]
    fn a_move_ends_the_day_before() {
        let mut all = vec![one(Kind::Registered, 1, date(2000, 1, 1), None)];
        add(&mut all, one(Kind::Actual, 2, date(2020, 1, 1), None)).unwrap();
        assert_eq!(home(&all), Some(2));
        move_to(&mut all, Kind::Actual, 3, date(2024, 3, 1)).unwrap();
        assert_eq!(all[1].to, Some(date(2024, 2, 29)));
        assert_eq!(home(&all), Some(3));
        let before = all.clone();
        assert_eq!(
            move_to(&mut all, Kind::Actual, 4, date(2024, 3, 1)),
            Err(BadResidence::BeforeStart)
        );
        assert_eq!(all, before);
        end(&mut all, date(2025, 1, 1)).unwrap();
        assert_eq!(home(&all), None);
    }

    proptest! {
        /// Whatever is added and moved, no day has two residences of one kind.
        #[test]
        fn no_day_has_two_of_a_kind(steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0i32..60, prop::option::of(0i32..30)), 1..30)) {
            let day = |n: i32| date(2024, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap();
            let mut all: Vec<Residence<u8>> = Vec::new();
            for (actual, moving, from, length) in steps {
                let kind = if actual { Kind::Actual } else { Kind::Registered };
                let _ = match moving {
                    true => move_to(&mut all, kind, 1, day(from)),
                    false => add(&mut all, one(kind, 2, day(from), length.map(|length| day(from + length)))),
                };
                for n in 0..120 {
                    for kind in [Kind::Actual, Kind::Registered] {
                        prop_assert!(all.iter().filter(|one| one.kind == kind && one.covers(day(n))).count() <= 1);
                    }
                }
                prop_assert!(all.iter().all(|one| one.to.is_none_or(|to| one.from <= to)));
            }
        }
    }
}
