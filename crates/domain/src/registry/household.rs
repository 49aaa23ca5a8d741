//! The life of a household 户: it moves in, may move, may be split, moves away or ends. What ended stays as history and takes nothing more.
//!
//! Entry points: [`Life`], [`split`].

use jiff::civil::Date;

/// How it came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 迁出: it lives elsewhere now.
    MovedAway,
    /// 注销: nobody is left, or it was one with another.
    Dissolved,
}

impl Ending {
    pub fn key(self) -> &'static str {
        match self {
            Ending::MovedAway => "moved_away",
            Ending::Dissolved => "dissolved",
        }
    }

    pub fn from_key(key: &str) -> Option<Ending> {
        [Ending::MovedAway, Ending::Dissolved]
            .into_iter()
            .find(|one| one.key() == key)
    }
}

/// From when to when it lives here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// First day.
    pub from: Date,
    /// Last day, and how it ended.
    pub ended: Option<(Date, Ending)>,
}

/// Why something cannot happen to a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLife {
    #[error("it has ended")]
    Ended,
    #[error("before its first day")]
    BeforeStart,
    #[error("in the future")]
    Future,
    #[error("a split takes some of its residents and leaves some")]
    SplitOfAllOrNone,
}

impl Life {
    /// It moves in on a day, not later than today.
    pub fn begin(from: Date, today: Date) -> Result<Life, BadLife> {
        match from > today {
            true => Err(BadLife::Future),
            false => Ok(Life { from, ended: None }),
        }
    }

    /// Whether something may happen to it on a day.
    pub fn alive_on(&self, day: Date, today: Date) -> Result<(), BadLife> {
        if self.ended.is_some() {
            return Err(BadLife::Ended);
        }
        if day < self.from {
            return Err(BadLife::BeforeStart);
        }
        if day > today {
            return Err(BadLife::Future);
        }
        Ok(())
    }

    /// It ends; `on` is its last day.
    pub fn end(&mut self, on: Date, how: Ending, today: Date) -> Result<(), BadLife> {
        self.alive_on(on, today)?;
        self.ended = Some((on, how));
        Ok(())
    }
}

/// Those who stay, when `leaving` make a household of their own: some of the residents, not all.
pub fn split<R: Copy + PartialEq>(residents: &[R], leaving: &[R]) -> Result<Vec<R>, BadLife> {
    let staying: Vec<R> = residents.iter().copied().filter(|one| !leaving.contains(one)).collect();
    let all_known = leaving.iter().all(|one| residents.contains(one));
    if leaving.is_empty() || staying.is_empty() || !all_known {
        return Err(BadLife::SplitOfAllOrNone);
    }
    Ok(staying)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_ended_takes_nothing_more() {
        let today = date(2026, 2, 14);
        let mut life = Life::begin(date(2026, 1, 1), today).unwrap();
        assert_eq!(
            life.end(date(2025, 12, 31), Ending::MovedAway, today),
            Err(BadLife::BeforeStart)
        );
        assert_eq!(
            life.end(date(2026, 2, 15), Ending::MovedAway, today),
            Err(BadLife::Future)
        );
        life.end(today, Ending::MovedAway, today).unwrap();
        assert_eq!(life.end(today, Ending::Dissolved, today), Err(BadLife::Ended));
        assert_eq!(life.alive_on(today, today), Err(BadLife::Ended));
        assert_eq!(Life::begin(date(2026, 2, 15), today), Err(BadLife::Future));
    }

    #[test]
    fn a_split_takes_some_and_leaves_some() {
        assert_eq!(split(&[1, 2, 3], &[2]).unwrap(), [1, 3]);
        for bad in [&[][..], &[1, 2, 3], &[4]] {
            assert_eq!(split(&[1, 2, 3], bad), Err(BadLife::SplitOfAllOrNone));
        }
    }
}
