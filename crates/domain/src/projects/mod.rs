//! Projects 督办项目: who may do what with one, how it stands on a day, and on which days somebody is reminded.
//!
//! Entry points: [`next`], [`Standing::of`], [`Reminders::on`], [`Reminders::after`]. Nobody accepts their own work: who leads a project or said that it
//! is done neither grants it more time nor accepts it.

mod remind;

pub use remind::Reminders;

use jiff::civil::Date;

/// Where a project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// Said to be done; somebody else looks at it.
    Reported,
    Accepted,
    /// Given up, with a reason.
    Stopped,
}

impl Phase {
    pub const ALL: [Phase; 4] = [Phase::Running, Phase::Reported, Phase::Accepted, Phase::Stopped];

    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            Phase::Running => "running",
            Phase::Reported => "reported",
            Phase::Accepted => "accepted",
            Phase::Stopped => "stopped",
        }
    }

    pub fn parse(key: &str) -> Option<Phase> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// What somebody does with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Says how it goes.
    Progress,
    /// A milestone is reached.
    Milestone,
    /// Asks for more time.
    Ask,
    Grant,
    Refuse,
    /// Says that it is done, with the result.
    Report,
    Accept,
    SendBack,
    /// Names another leader.
    Lead,
    Stop,
}

impl Act {
    pub const ALL: [Act; 10] = [
        Act::Progress,
        Act::Milestone,
        Act::Ask,
        Act::Grant,
        Act::Refuse,
        Act::Report,
        Act::Accept,
        Act::SendBack,
        Act::Lead,
        Act::Stop,
    ];

    /// The word in SQL and API.
    pub fn key(self) -> &'static str {
        match self {
            Act::Progress => "progress",
            Act::Milestone => "milestone",
            Act::Ask => "ask",
            Act::Grant => "grant",
            Act::Refuse => "refuse",
            Act::Report => "report",
            Act::Accept => "accept",
            Act::SendBack => "send_back",
            Act::Lead => "lead",
            Act::Stop => "stop",
        }
    }

    pub fn parse(key: &str) -> Option<Act> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// What the rules need to know of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub phase: Phase,
    /// More time was asked for and not decided on.
    pub asked: bool,
    /// Milestones not reached yet.
    pub open_milestones: usize,
    /// How often it was given more time, and how often it may be.
    pub extended: u32,
    pub extensions: u32,
}

/// What somebody is to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Role {
    pub leads: bool,
    /// Sits in the responsible unit or in one that helps.
    pub works: bool,
    /// May give out and judge projects where it lies.
    pub manages: bool,
    /// It was they who asked for more time.
    pub asked: bool,
    /// It was they who said it is done.
    pub reported: bool,
}

/// Why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not for them.
    NotTheirs,
    /// It is their own work that they would judge.
    OwnWork,
    /// Not in this phase.
    Phase,
    MilestonesOpen,
    AlreadyAsked,
    NothingAsked,
    /// It was given more time as often as may be.
    TooOften,
}

/// The phase after an act, or why it is not done.
pub fn next(facts: &Facts, role: &Role, act: Act) -> Result<Phase, Refusal> {
    let theirs = match act {
        Act::Progress => role.leads || role.works || role.manages,
        Act::Milestone | Act::Ask | Act::Report => role.leads || role.works,
        Act::Grant | Act::Refuse | Act::Accept | Act::SendBack | Act::Lead | Act::Stop => role.manages,
    };
    if !theirs {
        return Err(Refusal::NotTheirs);
    }
    let own = match act {
        Act::Grant | Act::Refuse => role.leads || role.asked,
        Act::Accept => role.leads || role.reported,
        _ => false,
    };
    if own {
        return Err(Refusal::OwnWork);
    }
    let judged = matches!(act, Act::Accept | Act::SendBack);
    let fits = match facts.phase {
        Phase::Running => !judged,
        Phase::Reported => judged || act == Act::Progress,
        Phase::Accepted | Phase::Stopped => false,
    };
    if !fits {
        return Err(Refusal::Phase);
    }
    match act {
        Act::Ask if facts.asked => Err(Refusal::AlreadyAsked),
        Act::Ask if facts.extended >= facts.extensions => Err(Refusal::TooOften),
        Act::Grant | Act::Refuse if !facts.asked => Err(Refusal::NothingAsked),
        Act::Report if facts.open_milestones > 0 => Err(Refusal::MilestonesOpen),
        Act::Report => Ok(Phase::Reported),
        Act::Accept => Ok(Phase::Accepted),
        Act::SendBack => Ok(Phase::Running),
        Act::Stop => Ok(Phase::Stopped),
        _ => Ok(facts.phase),
    }
}

/// How a project stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    OnTime,
    /// The deadline is near.
    Soon,
    Late,
    /// Waits to be accepted.
    Reported,
    Done,
    Stopped,
}

impl Standing {
    pub const ALL: [Standing; 6] = [
        Standing::OnTime,
        Standing::Soon,
        Standing::Late,
        Standing::Reported,
        Standing::Done,
        Standing::Stopped,
    ];

    /// The word in the API.
    pub fn key(self) -> &'static str {
        match self {
            Standing::OnTime => "on_time",
            Standing::Soon => "soon",
            Standing::Late => "late",
            Standing::Reported => "reported",
            Standing::Done => "done",
            Standing::Stopped => "stopped",
        }
    }

    pub fn parse(key: &str) -> Option<Standing> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }

    /// The deadline itself is in time; `soon_days` before it, it is near.
    pub fn of(phase: Phase, due: Date, today: Date, soon_days: u16) -> Standing {
        match phase {
            Phase::Reported => Standing::Reported,
            Phase::Accepted => Standing::Done,
            Phase::Stopped => Standing::Stopped,
            Phase::Running if due < today => Standing::Late,
            Phase::Running if (due - today).get_days() <= i32::from(soon_days) => Standing::Soon,
            Phase::Running => Standing::OnTime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const RUNNING: Facts = Facts {
        phase: Phase::Running,
        asked: false,
        open_milestones: 0,
        extended: 0,
        extensions: 2,
    };
    const LEADER: Role = Role {
        leads: true,
        works: true,
        manages: false,
        asked: false,
        reported: false,
    };
    const MANAGER: Role = Role {
        leads: false,
        works: false,
        manages: true,
        asked: false,
        reported: false,
    };

    #[test]
    fn it_is_done_when_all_milestones_are_and_somebody_else_says_so() {
        let open = Facts {
            open_milestones: 1,
            ..RUNNING
        };
        assert_eq!(next(&open, &LEADER, Act::Report), Err(Refusal::MilestonesOpen));
        assert_eq!(next(&RUNNING, &LEADER, Act::Report), Ok(Phase::Reported));
        assert_eq!(next(&RUNNING, &MANAGER, Act::Report), Err(Refusal::NotTheirs));
        let told = Facts {
            phase: Phase::Reported,
            ..RUNNING
        };
        assert_eq!(next(&told, &LEADER, Act::Accept), Err(Refusal::NotTheirs));
        assert_eq!(next(&told, &MANAGER, Act::Accept), Ok(Phase::Accepted));
        assert_eq!(next(&told, &MANAGER, Act::SendBack), Ok(Phase::Running));
        assert_eq!(next(&RUNNING, &MANAGER, Act::Accept), Err(Refusal::Phase));
    }

    #[test]
    fn more_time_is_given_by_somebody_else_and_not_for_ever() {
        assert_eq!(next(&RUNNING, &LEADER, Act::Ask), Ok(Phase::Running));
        assert_eq!(next(&RUNNING, &MANAGER, Act::Grant), Err(Refusal::NothingAsked));
        let asked = Facts { asked: true, ..RUNNING };
        assert_eq!(next(&asked, &LEADER, Act::Ask), Err(Refusal::AlreadyAsked));
        assert_eq!(next(&asked, &MANAGER, Act::Grant), Ok(Phase::Running));
        let twice = Facts { extended: 2, ..RUNNING };
        assert_eq!(next(&twice, &LEADER, Act::Ask), Err(Refusal::TooOften));
    }

    #[test]
    fn the_deadline_itself_is_in_time() {
        let due = date(2026, 3, 31);
        let on = |day| Standing::of(Phase::Running, due, day, 7);
        assert_eq!(on(date(2026, 3, 23)), Standing::OnTime);
        assert_eq!(on(date(2026, 3, 24)), Standing::Soon);
        assert_eq!(on(due), Standing::Soon);
        assert_eq!(on(date(2026, 4, 1)), Standing::Late);
        assert_eq!(Standing::of(Phase::Accepted, due, date(2027, 1, 1), 7), Standing::Done);
    }

    fn facts() -> impl Strategy<Value = Facts> {
        (0usize..4, any::<bool>(), 0usize..3, 0u32..4).prop_map(|(phase, asked, open_milestones, extended)| Facts {
            phase: Phase::ALL[phase],
            asked,
            open_milestones,
            extended,
            extensions: 2,
        })
    }

    fn role() -> impl Strategy<Value = Role> {
        any::<[bool; 5]>().prop_map(|[leads, works, manages, asked, reported]| Role {
            leads,
            works,
            manages,
            asked,
            reported,
        })
    }

    proptest! {
        #[test]
        fn nobody_judges_their_own_work_and_an_end_is_an_end(facts in facts(), role in role(), act in 0..Act::ALL.len()) {
            let act = Act::ALL[act];
            let after = next(&facts, &role, act);
            if act == Act::Accept && (role.leads || role.reported) {
                prop_assert!(after.is_err());
            }
            if matches!(act, Act::Grant | Act::Refuse) && (role.leads || role.asked) {
                prop_assert!(after.is_err());
            }
            if matches!(facts.phase, Phase::Accepted | Phase::Stopped) {
                prop_assert!(after.is_err());
            }
            if after == Ok(Phase::Accepted) {
                prop_assert_eq!(facts.phase, Phase::Reported);
            }
        }
    }
}
