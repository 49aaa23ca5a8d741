//! What the pack says, written down again by hand from its text for the categories the simulation uses, and the roles' rights from the guide.
//!
//! A table instead of a reader: whoever changes `packs/zhoushan` or a role changes it here too, or the simulation disagrees.

use super::calendar::{DAY, HOUR, MINUTE, WORKDAY};

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub ms: i64,
    /// In working time, else around the clock.
    pub working: bool,
    /// From the next working day on (次日起算).
    pub next_day: bool,
    /// Milliseconds of one unit, for extensions.
    pub unit: i64,
}

const fn natural(ms: i64, unit: i64) -> Limit {
    Limit {
        ms,
        working: false,
        next_day: false,
        unit,
    }
}

const fn workdays(n: i64, next_day: bool) -> Limit {
    Limit {
        ms: n * WORKDAY,
        working: true,
        next_day,
        unit: WORKDAY,
    }
}

const HALF: Limit = Limit {
    ms: WORKDAY / 2,
    working: true,
    next_day: false,
    unit: WORKDAY,
};

/// Who gives the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answers {
    GridWorker,
    Handler,
    Desk,
}

/// A category of `categories.toml` with what `routes.toml`, `clocks.toml` and `answers.toml` say about it.
pub struct Category {
    pub code: &'static str,
    /// The responsible body.
    pub body: &'static str,
    /// Limit of handling, when not urgent, before and after the rules change in mid-way.
    pub handle: [Limit; 2],
    pub answers: Answers,
    /// Checked by somebody; where residents check, there is a limit and no need.
    pub verification: bool,
    pub photos: bool,
    pub dispute: bool,
    pub urgent: bool,
}

const USUAL: Category = Category {
    code: "",
    body: "",
    handle: [workdays(5, true), workdays(3, true)],
    answers: Answers::GridWorker,
    verification: true,
    photos: false,
    dispute: false,
    urgent: false,
};

/// The line of `clocks.toml` that changes in mid-way, and what it becomes. Only what starts afterwards counts by it.
pub const CHANGE: (&str, &str) = (
    "limit = \"5 workdays\"\nstart = \"next_workday\"",
    "limit = \"3 workdays\"\nstart = \"next_workday\"",
);

pub const CATEGORIES: [Category; 11] = [
    Category {
        code: "0101",
        body: "housing",
        ..USUAL
    },
    Category {
        code: "0107",
        body: "housing",
        handle: [workdays(15, true); 2],
        ..USUAL
    },
    Category {
        code: "0110",
        body: "water",
        handle: [natural(24 * HOUR, HOUR); 2],
        ..USUAL
    },
    Category {
        code: "0204",
        body: "enforcement",
        handle: [workdays(2, false); 2],
        photos: true,
        ..USUAL
    },
    Category {
        code: "0301",
        body: "environment",
        ..USUAL
    },
    Category {
        code: "0303",
        body: "enforcement",
        ..USUAL
    },
    Category {
        code: "0601",
        body: "labour",
        handle: [workdays(10, true); 2],
        answers: Answers::Handler,
        ..USUAL
    },
    Category {
        code: "0901",
        body: "mediation",
        handle: [natural(7 * DAY, DAY); 2],
        dispute: true,
        ..USUAL
    },
    Category {
        code: "1004",
        body: "emergency",
        handle: [workdays(1, false); 2],
        photos: true,
        urgent: true,
        ..USUAL
    },
    Category {
        code: "1201",
        body: "committee",
        handle: [workdays(2, false); 2],
        answers: Answers::Desk,
        verification: false,
        ..USUAL
    },
    Category {
        code: "1202",
        body: "committee",
        handle: [workdays(2, false); 2],
        verification: false,
        ..USUAL
    },
];

/// The limit of a step. `changed`: the rules changed in mid-way.
pub fn limit(category: &Category, urgent: bool, step: &str, changed: bool) -> Limit {
    match (step, urgent) {
        ("accept" | "dispatch", true) => natural(10 * MINUTE, HOUR),
        ("accept" | "dispatch", false) => HALF,
        ("handle", true) => natural(2 * HOUR, HOUR),
        ("handle", false) => category.handle[usize::from(changed)],
        ("answer", true) => natural(4 * HOUR, HOUR),
        ("answer", false) => workdays(1, false),
        ("verify", _) => workdays(2, false),
        _ => unreachable!("{step}"),
    }
}

/// Extensions of one case, returns before an arbiter, days in which to object, longest pause.
pub const EXTENSIONS: u32 = 1;
pub const RETURNS: u32 = 2;
pub const REOPEN_DAYS: i64 = 15;
pub const PAUSE_DAYS: i64 = 30;
/// Bodies of the rungs of mediation, from the lowest, with the depth of their area.
pub const MEDIATION: [(&str, usize); 3] = [("mediation", 3), ("mediation", 2), ("justice", 2)];

/// What a role may do with cases.
pub fn rights(role: &str) -> &'static [&'static str] {
    match role {
        "grid_worker" => &["intake", "read", "handle", "answer"],
        "clerk" => &["intake", "read", "answer"],
        "handler" => &["read", "handle", "answer"],
        "dispatcher" => &["intake", "read", "dispatch", "answer", "approve", "arbitrate", "board"],
        "verifier" => &["read", "verify", "board"],
        "supervisor" => &["read", "approve", "arbitrate", "supervise", "board"],
        "planner" => &["board"],
        _ => &[],
    }
}

/// The rights of which one is needed for an action.
pub fn needed(action: &str) -> &'static [&'static str] {
    match action {
        "accept" | "decline" | "classify" | "route" | "merge" | "split" | "reopen" | "unpark" | "resume" => {
            &["dispatch"]
        }
        "assign_worker" | "add_co_handler" => &["dispatch", "handle"],
        "take" | "return" | "co_done" | "co_return" | "arrive" | "mediate" | "ask" | "handle" => &["handle"],
        "arbitrate" => &["arbitrate"],
        "decide" => &["approve"],
        "answer" => &["answer"],
        "verify" | "rework" | "close" => &["verify"],
        "withdraw" => &["intake"],
        "supervise" | "urge" | "meeting" => &["supervise"],
        "comment" => &["read"],
        _ => unreachable!("{action}"),
    }
}
