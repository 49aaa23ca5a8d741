//! The track of a patrol: where somebody says they walked, and what is missing of it. Evidence, not a verdict.

use crate::geo::LonLat;
use crate::time::Timestamp;

/// Most points of one track: a phone keeps one for each fifteen metres or minute.
pub const MAX_POINTS: usize = 3_000;
/// Most pauses of one patrol.
pub const MAX_PAUSES: usize = 100;
/// Without a point for longer than this, and without a pause, there is a gap (seconds).
pub const GAP_S: i64 = 180;

/// One position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub at: Timestamp,
    pub place: LonLat,
    /// Metres.
    pub accuracy_m: Option<f64>,
}

/// From when to when nobody patrolled, by their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Why a track cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadTrack {
    TooLong,
    /// Not in order of time, or outside the patrol.
    Order,
}

/// A patrol's track.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    pub steps: Vec<Step>,
    pub pauses: Vec<Pause>,
}

/// What a track comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TrackFigures {
    /// Along the points, but for what lies in gaps and pauses.
    pub metres: f64,
    pub gaps: u32,
    pub longest_gap_s: i64,
}

impl Track {
    /// Whether it can be one of a patrol from one moment to another.
    pub fn check(&self, from: Timestamp, to: Timestamp) -> Result<(), BadTrack> {
        if self.steps.len() > MAX_POINTS || self.pauses.len() > MAX_PAUSES {
            return Err(BadTrack::TooLong);
        }
        let steps = self.steps.iter().map(|step| step.at);
        let pauses = self.pauses.iter().flat_map(|pause| [pause.from, pause.to]);
        let inside = |at: Timestamp| from <= at && at <= to;
        match steps.clone().is_sorted() && pauses.clone().is_sorted() && steps.chain(pauses).all(inside) {
            true => Ok(()),
            false => Err(BadTrack::Order),
        }
    }

    /// What it comes to between one moment and another: where it begins late or ends early, that is a gap, too.
    pub fn figures(&self, from: Timestamp, to: Timestamp) -> TrackFigures {
        let mut figures = TrackFigures::default();
        if self.steps.is_empty() {
            return figures;
        }
        let mut before: Option<&Step> = None;
        for step in &self.steps {
            let since = before.map_or(from, |before| before.at);
            let gap = self.note_gap(&mut figures, since, step.at);
            if let Some(before) = before.filter(|_| !gap && !self.paused(since, step.at)) {
                figures.metres += before.place.metres_to(step.place);
            }
            before = Some(step);
        }
        self.note_gap(&mut figures, before.map_or(from, |before| before.at), to);
        figures
    }

    fn note_gap(&self, figures: &mut TrackFigures, from: Timestamp, to: Timestamp) -> bool {
        let silent = seconds(from, to) - self.paused_s(from, to);
        if silent <= GAP_S {
            return false;
        }
        figures.gaps += 1;
        figures.longest_gap_s = figures.longest_gap_s.max(silent);
        true
    }

    fn paused(&self, from: Timestamp, to: Timestamp) -> bool {
        self.paused_s(from, to) > 0
    }

    /// Seconds of pauses between two moments.
    fn paused_s(&self, from: Timestamp, to: Timestamp) -> i64 {
        let within = |pause: &Pause| seconds(pause.from.max(from), pause.to.min(to)).max(0);
        self.pauses.iter().map(within).sum()
    }

    /// Leaves out what was not in duty time: nobody is followed after work.
    pub fn keep(&mut self, allowed: impl Fn(Timestamp) -> bool) {
        self.steps.retain(|step| allowed(step.at));
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.0 - from.0) / 1_000
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_700_000_000_000 + seconds * 1_000)
    }

    /// A step each `every` seconds, each a hundred metres east of the one before.
    fn walk(from: i64, to: i64, every: usize) -> Vec<Step> {
        let step = |s: i64| Step {
            at: at(s),
            place: LonLat {
                lon: 122.0 + s as f64 / 60.0 * 0.001,
                lat: 30.0,
            },
            accuracy_m: None,
        };
        (from..=to).step_by(every).map(step).collect()
    }

    #[test]
    fn a_walk_without_a_break_has_its_metres_and_no_gap() {
        let track = Track {
            steps: walk(0, 600, 60),
            pauses: Vec::new(),
        };
        let figures = track.figures(at(0), at(600));
        assert_eq!((figures.gaps, figures.longest_gap_s), (0, 0));
        let one = track.steps[0].place.metres_to(track.steps[1].place);
        assert!((figures.metres - 10.0 * one).abs() < 0.1);
    }

    #[test]
    fn what_is_missing_is_a_gap_and_a_pause_is_none() {
        let mut steps = walk(0, 300, 60);
        steps.extend(walk(900, 1_200, 60));
        let silent = Track {
            steps: steps.clone(),
            pauses: Vec::new(),
        };
        let figures = silent.figures(at(0), at(1_200));
        assert_eq!((figures.gaps, figures.longest_gap_s), (1, 600));
        let paused = Track {
            steps,
            pauses: vec![Pause {
                from: at(310),
                to: at(890),
            }],
        };
        let rested = paused.figures(at(0), at(1_200));
        assert_eq!(rested.gaps, 0);
        // Nobody walked from where they paused to where they went on, as far as the patrol goes.
        assert!((rested.metres - figures.metres).abs() < 0.1);
        // A phone that begins late or ends early leaves a gap, too.
        let figures = paused.figures(at(-600), at(1_800));
        assert_eq!((figures.gaps, figures.longest_gap_s), (2, 600));
        assert_eq!(Track::default().figures(at(0), at(600)), TrackFigures::default());
    }

    #[test]
    fn a_track_is_in_order_within_its_patrol_and_not_endless() {
        let track = |steps: Vec<Step>| Track {
            steps,
            pauses: Vec::new(),
        };
        assert_eq!(track(walk(0, 600, 60)).check(at(0), at(600)), Ok(()));
        assert_eq!(track(walk(0, 660, 60)).check(at(0), at(600)), Err(BadTrack::Order));
        let mut back = walk(0, 600, 60);
        back.reverse();
        assert_eq!(track(back).check(at(0), at(600)), Err(BadTrack::Order));
        assert_eq!(track(walk(0, 3_001, 1)).check(at(0), at(9_000)), Err(BadTrack::TooLong));
    }

    #[test]
    fn nobody_is_followed_after_work() {
        let mut track = Track {
            steps: walk(0, 600, 60),
            pauses: Vec::new(),
        };
        track.keep(|moment| moment <= at(300));
        assert_eq!(track.steps.len(), 6);
    }
}
