//! Duties 履职: what is owed without anybody asking (visits, checks, patrols), and whether it was done.
//!
//! Entry points: [`Rule`] (who, how often, when, by whom, with what evidence, as a pack writes it down), [`Days`] (one period under the
//! working calendar), [`owed`] (what one subject is owed in that period and what of it was done). Everything is computed for one subject
//! and one period, so that a change costs only those; what passes from one period to the next is [`Before`].
//! Must not: know a place, a table or a person's name, or judge evidence beyond whether it is there.
//!
//! How it is meant:
//! - The days on which it can be done are the period's days that the rule's window allows and on which the subject belongs to those it is
//!   owed to. They are cut into as many equal shares as it is owed times; each share gives one [`Obligation`].
//! - The day planned for it is a working day of the share, chosen by the subject's [`Turn`], so that a worker's days are even. Before it
//!   doing it is early, up to the end of the share (or of the rule's grace) due, after that late, after the period missed.
//! - A visit counts when the rule's window, hands and evidence say so, and so many days after the last one that counted as the rule wants.
//!   It settles the first obligation that is open; else it makes up one missed in the period before, where the rule keeps those owed; else
//!   it is more than was owed, up to the rule's most.
//! - Nobody is ever owed more than can be done: of a short stay only as many times as the spacing leaves room for.

mod owed;
mod period;
mod rule;
mod track;

pub use owed::{Before, Done, Obligation, Owed, Standing, Turn, Verdict, Visit, Why, owed};
pub use period::{Days, Every, Period};
pub use rule::{
    Act, Away, By, Evidence, Hours, MAX_MINUTES, MAX_SPACING, MAX_TIMES, Misfit, Missed, On, Outcome, Partial,
    Quantity, Rule, Settled, Who, falls_to,
};
pub use track::{BadTrack, MAX_PAUSES, MAX_POINTS, Pause, Step, Track, TrackFigures};
