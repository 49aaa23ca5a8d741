//! What a case is, as far as the rules care: where it stands ([`State`]), what has been counted, who else works on it and whom an answer
//! is owed to. Transitions live in the files beside this one; each consumes a [`Case`] and returns the new one or its own refusal.
//!
//! Must not: know numbers, titles, areas, clocks or any personal data.

use crate::ids::{AccountId, CaseId, CoHandlerId, ReportId, RequestId, UnitId, WorkerId};
use std::collections::BTreeMap;

/// Most co-handlers a case has had at one time.
pub const MAX_CO_HANDLERS: usize = 20;
/// Most reports joined in one case.
pub const MAX_REPORTS: usize = 500;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A signed-in person.
    Person(Person),
    /// The resident who reported.
    Resident,
    /// The platform by itself, following a rule that can be read.
    System,
}

/// A signed-in person and the units they act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account signed in with.
    pub account: AccountId,
    /// The worker behind it.
    pub worker: Option<WorkerId>,
    /// Units whose cases they may work on.
    pub units: Vec<UnitId>,
}

impl Person {
    /// How this person is remembered as having done something.
    pub fn doer(&self) -> Doer {
        Doer {
            account: self.account,
            worker: self.worker,
        }
    }

    /// Whether they may act for `unit`.
    pub fn acts_for(&self, unit: UnitId) -> bool {
        self.units.contains(&unit)
    }

    /// Whether they may act in a case `held` by a unit: for the unit, or as the worker it was given to.
    pub(super) fn holds(&self, held: &Held) -> bool {
        self.acts_for(held.unit) || (held.worker.is_some() && held.worker == self.worker)
    }
}

/// Who did something, remembered. Two accounts of one worker are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doer {
    /// The account used.
    pub account: AccountId,
    /// The worker behind it.
    pub worker: Option<WorkerId>,
}

impl Doer {
    /// Whether `other` is the same human being.
    pub fn same_person(&self, other: &Doer) -> bool {
        self.account == other.account || (self.worker.is_some() && self.worker == other.worker)
    }
}

/// Why a person must look before a case is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It reads as urgent: a person decides at once.
    Urgent,
    /// It reads as something this place does not deal with.
    OutOfScope,
    /// No category is sure enough.
    Unclear,
    /// No area is known.
    NoArea,
    /// It was declined and the resident objected.
    Contested,
}

impl Look {
    /// All of them, in order.
    pub const ALL: [Look; 5] = [
        Look::Urgent,
        Look::OutOfScope,
        Look::Unclear,
        Look::NoArea,
        Look::Contested,
    ];

    /// The word kept for it.
    pub fn key(self) -> &'static str {
        match self {
            Look::Urgent => "urgent",
            Look::OutOfScope => "out_of_scope",
            Look::Unclear => "unclear",
            Look::NoArea => "no_area",
            Look::Contested => "contested",
        }
    }
}

/// The unit that has the case and, once named, its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Unit responsible.
    pub unit: UnitId,
    /// Worker the unit gave it to.
    pub worker: Option<WorkerId>,
}

/// Handling that was reported finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Who had the case.
    pub held: Held,
    /// Who reported it finished.
    pub by: Doer,
}

/// Who confirmed that the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// Someone other than the handlers.
    Person(Doer),
    /// The resident.
    Resident,
}

/// Where a case stands. Data that exists only in a state lives in that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A person must look first.
    Received { look: Look },
    /// Waiting for dispatch.
    Accepted,
    /// A unit has been named and has not accepted yet.
    Assigned(Held),
    /// The unit works on it.
    Handling(Held),
    /// Reported finished; the resident is owed an answer.
    Handled(Work),
    /// Every reporter has an answer.
    Answered(Work),
    /// Confirmed by someone other than the handlers, or by the resident.
    Verified { work: Work, by: Verifier },
    /// Done. `by` is empty when the pack asked for no verification.
    Closed { work: Work, verified: Option<Verifier> },
    /// Refused by a person, with where to go instead.
    Declined { by: Doer },
    /// Cannot be solved now (挂账): set aside in writing, with approval.
    Parked { held: Held, by: Doer },
    /// Its reports went on in another case; `was` comes back when the merge is undone.
    Merged { into: CaseId, was: Box<State> },
    /// Every reporter took their report back.
    Withdrawn,
}

/// A state without its data: what is stored, filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateKey {
    Received,
    Accepted,
    Assigned,
    Handling,
    Handled,
    Answered,
    Verified,
    Closed,
    Declined,
    Parked,
    Merged,
    Withdrawn,
}

impl StateKey {
    /// All of them, in the order of the loop.
    pub const ALL: [StateKey; 12] = [
        StateKey::Received,
        StateKey::Accepted,
        StateKey::Assigned,
        StateKey::Handling,
        StateKey::Handled,
        StateKey::Answered,
        StateKey::Verified,
        StateKey::Closed,
        StateKey::Declined,
        StateKey::Parked,
        StateKey::Merged,
        StateKey::Withdrawn,
    ];

    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            StateKey::Received => "received",
            StateKey::Accepted => "accepted",
            StateKey::Assigned => "assigned",
            StateKey::Handling => "handling",
            StateKey::Handled => "handled",
            StateKey::Answered => "answered",
            StateKey::Verified => "verified",
            StateKey::Closed => "closed",
            StateKey::Declined => "declined",
            StateKey::Parked => "parked",
            StateKey::Merged => "merged",
            StateKey::Withdrawn => "withdrawn",
        }
    }

    /// The state of a stored word.
    pub fn from_key(key: &str) -> Option<StateKey> {
        Self::ALL.into_iter().find(|s| s.key() == key)
    }

    /// Whether anything is still owed. Parked cases are open: they are owed, only not now.
    pub fn is_open(self) -> bool {
        !matches!(
            self,
            StateKey::Closed | StateKey::Declined | StateKey::Merged | StateKey::Withdrawn
        )
    }
}

impl State {
    /// The state without its data.
    pub fn key(&self) -> StateKey {
        match self {
            State::Received { .. } => StateKey::Received,
            State::Accepted => StateKey::Accepted,
            State::Assigned(_) => StateKey::Assigned,
            State::Handling(_) => StateKey::Handling,
            State::Handled(_) => StateKey::Handled,
            State::Answered(_) => StateKey::Answered,
            State::Verified { .. } => StateKey::Verified,
            State::Closed { .. } => StateKey::Closed,
            State::Declined { .. } => StateKey::Declined,
            State::Parked { .. } => StateKey::Parked,
            State::Merged { .. } => StateKey::Merged,
            State::Withdrawn => StateKey::Withdrawn,
        }
    }

    /// Who has the case, or had it when it was finished.
    pub fn held(&self) -> Option<Held> {
        match self {
            State::Assigned(held) | State::Handling(held) | State::Parked { held, .. } => Some(*held),
            State::Handled(work) | State::Answered(work) => Some(work.held),
            State::Verified { work, .. } | State::Closed { work, .. } => Some(work.held),
            State::Merged { was, .. } => was.held(),
            State::Received { .. } | State::Accepted | State::Declined { .. } | State::Withdrawn => None,
        }
    }

    /// The finished work, when there is any.
    pub fn work(&self) -> Option<Work> {
        match self {
            State::Handled(work) | State::Answered(work) => Some(*work),
            State::Verified { work, .. } | State::Closed { work, .. } => Some(*work),
            _ => None,
        }
    }
}

/// What the pack says about cases of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// After this many returns only an arbiter places the case, and for good.
    pub returns_before_arbiter: u32,
    /// Who gives the resident the answer.
    pub answer_by: AnswerBy,
    /// Whether the answer to someone who can be reached must be given in person.
    pub answer_in_person: bool,
    /// Whether someone other than the handler must check before closing.
    pub verification: bool,
    /// Whether a photo taken afterwards is needed to finish.
    pub after_photo: bool,
    /// Whether it is a dispute, finished only with a mediation outcome.
    pub mediation: bool,
    /// How many extensions one case may be granted.
    pub extensions: u32,
    /// Days after closing in which the resident may have it reopened.
    pub reopen_days: u32,
}

/// What a person is to a case besides the unit they work in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The grid's worker, or stands in for them; anybody where no grid worker serves.
    pub grid_worker: bool,
    /// The liaison of the visiting team that heard it, or stands in for them.
    pub liaison: bool,
}

/// Who gives the resident the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerBy {
    /// The unit that did the work.
    Handler,
    /// The grid's own worker (or the stand-in).
    GridWorker,
    /// The liaison of the visiting team that heard it (or the stand-in); else the grid's own worker (LH-22).
    Liaison,
    /// Anyone with the right to answer.
    Desk,
}

/// How an answer reached the resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    InPerson,
    Phone,
    Sms,
    Web,
    Written,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 5] = [Way::InPerson, Way::Phone, Way::Sms, Way::Web, Way::Written];

    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            Way::InPerson => "in_person",
            Way::Phone => "phone",
            Way::Sms => "sms",
            Way::Web => "web",
            Way::Written => "written",
        }
    }

    /// The way of a stored word.
    pub fn from_key(key: &str) -> Option<Way> {
        Self::ALL.into_iter().find(|w| w.key() == key)
    }
}

/// How often things happened to a case; only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Returned by a unit.
    pub returned: u32,
    /// Sent back because it was not solved.
    pub reworked: u32,
    /// Reopened after closing or declining.
    pub reopened: u32,
    /// Urged on (催办).
    pub urged: u32,
    /// Extensions granted.
    pub extended: u32,
}

/// What is owed to one reporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportDue {
    /// Whether they can be reached (they left a name or number).
    pub reachable: bool,
    /// Whether they have had an answer since the last handling.
    pub answered: bool,
}

/// A unit's own part in a case led by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoHandler {
    pub id: CoHandlerId,
    pub unit: UnitId,
    pub state: CoState,
}

/// Where a co-handler's part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoState {
    /// Asked to do its part.
    Open,
    /// Did its part.
    Done { by: Doer },
    /// Gave the part back.
    Returned { by: Doer },
    /// The lead finished without it, with a reason; or the case ended before it was done.
    Released,
}

impl CoState {
    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            CoState::Open => "open",
            CoState::Done { .. } => "done",
            CoState::Returned { .. } => "returned",
            CoState::Released => "released",
        }
    }
}

/// What a unit may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskKind {
    /// More time.
    Extension,
    /// Stop the clocks until something outside happens.
    Pause,
    /// Set aside (挂账).
    Park,
}

impl AskKind {
    /// All of them.
    pub const ALL: [AskKind; 3] = [AskKind::Extension, AskKind::Pause, AskKind::Park];

    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            AskKind::Extension => "extension",
            AskKind::Pause => "pause",
            AskKind::Park => "park",
        }
    }

    /// The kind of a stored word.
    pub fn from_key(key: &str) -> Option<AskKind> {
        Self::ALL.into_iter().find(|k| k.key() == key)
    }
}

/// A unit's request, kept with its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub id: RequestId,
    pub kind: AskKind,
    pub asked_by: Doer,
    pub state: RequestState,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    Waiting,
    Approved {
        by: Doer,
    },
    Refused {
        by: Doer,
    },
    /// The case moved on before anyone decided.
    Lapsed,
}

impl RequestState {
    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            RequestState::Waiting => "waiting",
            RequestState::Approved { .. } => "approved",
            RequestState::Refused { .. } => "refused",
            RequestState::Lapsed => "lapsed",
        }
    }
}

/// A case as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    pub state: State,
    pub counts: Counts,
    /// An arbiter placed it: it cannot be returned any more.
    pub arbitrated: bool,
    /// Its clocks stand still with approval.
    pub paused: bool,
    /// Watched by a leader (督办).
    pub supervised: bool,
    /// A mediation outcome is recorded.
    pub mediated: bool,
    /// A resident said at the last answer that it is not solved.
    pub dissatisfied: bool,
    /// Another platform handles it.
    pub away: bool,
    pub co_handlers: Vec<CoHandler>,
    pub requests: Vec<Request>,
    /// Reports that are not withdrawn.
    pub reports: BTreeMap<ReportId, ReportDue>,
}

impl Case {
    /// Whether a co-handler still owes its part.
    pub fn co_handlers_open(&self) -> bool {
        self.co_handlers.iter().any(|c| c.state == CoState::Open)
    }

    /// Whether `unit` still owes a part here.
    pub fn is_open_co_handler(&self, unit: UnitId) -> bool {
        self.co_handlers
            .iter()
            .any(|c| c.unit == unit && c.state == CoState::Open)
    }

    /// Whether every report has its answer.
    pub fn all_answered(&self) -> bool {
        self.reports.values().all(|r| r.answered)
    }

    /// Whether `doer` did any of the handling, leading or helping.
    pub fn was_handled_by(&self, doer: &Doer) -> bool {
        let led = self.state.work().is_some_and(|work| {
            work.by.same_person(doer) || (work.held.worker.is_some() && work.held.worker == doer.worker)
        });
        led || self
            .co_handlers
            .iter()
            .any(|c| matches!(c.state, CoState::Done { by } if by.same_person(doer)))
    }

    pub(super) fn with(self, state: State) -> Case {
        Case { state, ..self }
    }

    /// Work starts again: answers are owed anew, and what was said and agreed about the last result no longer counts.
    pub(super) fn start_over(mut self, state: State) -> Case {
        for due in self.reports.values_mut() {
            due.answered = false;
        }
        self.dissatisfied = false;
        self.mediated = false;
        self.with(state)
    }

    /// Parts still owed fall away: the case goes on, or ends, without them.
    pub(super) fn release_parts(mut self) -> Case {
        for part in self.co_handlers.iter_mut().filter(|c| c.state == CoState::Open) {
            part.state = CoState::Released;
        }
        self
    }

    /// Requests nobody decided fall away when the case moves on.
    pub(super) fn lapse_requests(mut self) -> Case {
        for request in &mut self.requests {
            if request.state == RequestState::Waiting {
                request.state = RequestState::Lapsed;
            }
        }
        self
    }
}
