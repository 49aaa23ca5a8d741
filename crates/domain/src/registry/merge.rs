//! Two records of one person become one 合并居民: whose entry stands where they differ, and what their residences come to.
//!
//! Entry points: [`one_of`], [`residences`]. Nothing is thrown away here: what does not stand stays with the record that is no more, for the undo.

use super::residence::Residence;

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of the record that stays.
    Kept,
    /// Of the one that goes into it.
    Other,
}

impl Side {
    pub fn key(self) -> &'static str {
        match self {
            Side::Kept => "kept",
            Side::Other => "other",
        }
    }

    pub fn from_key(key: &str) -> Option<Side> {
        [Side::Kept, Side::Other].into_iter().find(|side| side.key() == key)
    }
}

/// The two differ, and nobody said which stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotChosen;

/// Whose entry stands: the one that is known where only one is, either where they are the same, else the one that was chosen.
pub fn one_of<T: PartialEq>(kept: Option<&T>, other: Option<&T>, chosen: Option<Side>) -> Result<Side, NotChosen> {
    match (kept, other) {
        (_, None) => Ok(Side::Kept),
        (None, Some(_)) => Ok(Side::Other),
        (Some(kept), Some(other)) if kept == other => Ok(Side::Kept),
        _ => chosen.ok_or(NotChosen),
    }
}

/// The residences of both, the oldest first. Where two of a kind cover the same days those of `stands` do; what the other record says before
/// them stays, up to the day before.
pub fn residences<H: Copy>(kept: &[Residence<H>], other: &[Residence<H>], stands: Side) -> Vec<Residence<H>> {
    let (firm, loose) = match stands {
        Side::Kept => (kept, other),
        Side::Other => (other, kept),
    };
    let mut all = firm.to_vec();
    for one in loose {
        let first = firm
            .iter()
            .filter(|firm| firm.overlaps(one))
            .map(|firm| firm.from)
            .min();
        match first {
            None => all.push(*one),
            Some(first) if one.from < first => all.push(Residence {
                to: first.yesterday().ok(),
                ..*one
            }),
            Some(_) => {}
        }
    }
    all.sort_by_key(|one| one.from);
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::residence::Kind;
    use super::*;
    use jiff::civil::date;

    fn lives(kind: Kind, household: u8, from: i16, to: Option<i16>) -> Residence<u8> {
        Residence {
            kind,
            household,
            from: date(from, 1, 1),
            to: to.map(|year| date(year, 12, 31)),
        }
    }

    #[test]
    fn what_only_one_knows_stands_and_what_differs_is_chosen() {
        assert_eq!(one_of(Some(&1), None, Some(Side::Other)), Ok(Side::Kept));
        assert_eq!(one_of(None, Some(&1), Some(Side::Kept)), Ok(Side::Other));
        assert_eq!(one_of(Some(&1), Some(&1), None), Ok(Side::Kept));
        assert_eq!(one_of::<i32>(None, None, None), Ok(Side::Kept));
        assert_eq!(one_of(Some(&1), Some(&2), None), Err(NotChosen));
        assert_eq!(one_of(Some(&1), Some(&2), Some(Side::Other)), Ok(Side::Other));
    }

    #[test]
    fn residences_of_both_follow_without_two_of_a_kind_on_one_day() {
        let (actual, registered) = (Kind::Actual, Kind::Registered);
        let kept = [lives(actual, 1, 2020, None)];
        let other = [lives(actual, 2, 2015, None), lives(registered, 2, 2015, None)];
        assert_eq!(
            residences(&kept, &other, Side::Kept),
            [
                lives(actual, 2, 2015, Some(2019)),
                lives(registered, 2, 2015, None),
                lives(actual, 1, 2020, None)
            ]
        );
        // The other's stands: what the kept one says begins within it.
        assert_eq!(residences(&kept, &other, Side::Other), other);
        // Times that do not touch are all kept.
        let kept = [lives(actual, 1, 2010, Some(2012)), lives(actual, 1, 2020, None)];
        let other = [lives(actual, 2, 2013, Some(2019))];
        assert_eq!(residences(&kept, &other, Side::Kept), [kept[0], other[0], kept[1]]);
        // Of two overlapping ones the earlier ends before the first that stands.
        let other = [lives(actual, 2, 2009, Some(2021))];
        assert_eq!(
            residences(&kept, &other, Side::Kept),
            [lives(actual, 2, 2009, Some(2009)), kept[0], kept[1]]
        );
    }
}
