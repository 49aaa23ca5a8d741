//! `Ctx`: who acts, where, for what purpose, when. Every use case takes one; nothing reads the clock or the session elsewhere.

use super::app::App;
use super::fault::Fault;
use super::i18n::Lang;
use super::ids::{AccountId, CaseId, PartnerId, UnitId, WorkerId};
use super::scope::Scope;
use axum::http::StatusCode;
use domain::time::Timestamp;

/// What a use case knows about its call.
#[derive(Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// What they may see and do, and where.
    pub scope: Scope,
    /// Why they look. Reading personal data needs one.
    pub purpose: Purpose,
    /// The instant of the call; the only clock a use case has.
    pub now: Timestamp,
    /// For the logs: one per request.
    pub request_id: String,
    /// Language of sentences in the answer.
    pub lang: Lang,
    /// The running program: database, keys, packs.
    pub app: App,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq)]
pub enum Actor {
    /// A signed-in person.
    Account {
        /// The account.
        id: AccountId,
        /// The worker it belongs to, if it is one.
        worker: Option<WorkerId>,
        /// The unit of the first grant that names one.
        unit: Option<UnitId>,
        /// Shown beside what they did.
        name: String,
    },
    /// Somebody on the portal, without an account.
    Resident,
    /// Another system, with a key of its own.
    Partner {
        /// The key's record.
        id: PartnerId,
        /// Who it is.
        name: String,
    },
    /// The program itself: a job, an import, a command line. The text names which.
    System(&'static str),
}

/// Why personal data is read. Its key is what the access log keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// Nothing was stated: no personal data can be read.
    Unstated,
    /// Working on this case.
    HandleCase(CaseId),
    /// Taking a request from a caller or visitor.
    Intake,
    /// Deciding who is responsible.
    Dispatch,
    /// Checking a result.
    Verify,
    /// Supervising.
    Supervise,
    /// Visiting a home.
    Visit,
    /// Giving a service somebody asked for or is owed.
    Service,
    /// Keeping the registry true.
    Registry,
    /// Running the installation: accounts, units, rules.
    Administration,
    /// A resident following their own matter.
    OwnReport,
    /// Exchange with another system, within what its key is for.
    Exchange,
    /// Auditing.
    Audit,
    /// A job of the program.
    Job(&'static str),
    /// An emergency; the text is the written reason.
    Emergency(String),
}

impl Purpose {
    /// Stable key, as kept in the access log.
    pub fn key(&self) -> &'static str {
        match self {
            Purpose::Unstated => "unstated",
            Purpose::HandleCase(_) => "handle",
            Purpose::Intake => "intake",
            Purpose::Dispatch => "dispatch",
            Purpose::Verify => "verify",
            Purpose::Supervise => "supervise",
            Purpose::Visit => "visit",
            Purpose::Service => "service",
            Purpose::Registry => "registry",
            Purpose::Administration => "administration",
            Purpose::OwnReport => "own_report",
            Purpose::Exchange => "exchange",
            Purpose::Audit => "audit",
            Purpose::Job(_) => "job",
            Purpose::Emergency(_) => "emergency",
        }
    }

    /// The purpose a request names for looking at one case (`?purpose=handle|dispatch|verify|supervise|audit`).
    pub fn for_case(key: &str, case: CaseId) -> Option<Purpose> {
        match key {
            "handle" => Some(Purpose::HandleCase(case)),
            "intake" => Some(Purpose::Intake),
            "dispatch" => Some(Purpose::Dispatch),
            "verify" => Some(Purpose::Verify),
            "supervise" => Some(Purpose::Supervise),
            "audit" => Some(Purpose::Audit),
            _ => None,
        }
    }

    /// The purpose a request names for looking at who lives where; `handle` needs the case.
    pub fn for_registry(key: &str, case: Option<CaseId>) -> Option<Purpose> {
        match (key, case) {
            ("visit", _) => Some(Purpose::Visit),
            ("service", _) => Some(Purpose::Service),
            ("registry", _) => Some(Purpose::Registry),
            ("intake", _) => Some(Purpose::Intake),
            ("handle", Some(case)) => Some(Purpose::HandleCase(case)),
            _ => None,
        }
    }
}

impl Ctx {
    /// The same call, with its purpose stated.
    pub fn for_purpose(mut self, purpose: Purpose) -> Ctx {
        self.purpose = purpose;
        self
    }

    /// The program acting for itself now, everywhere. Never reachable from a request.
    pub fn system(app: &App, name: &'static str) -> Ctx {
        Ctx {
            actor: Actor::System(name),
            scope: Scope::everything(),
            purpose: Purpose::Job(name),
            now: app.now(),
            request_id: name.to_owned(),
            lang: Lang::Zh,
            app: app.clone(),
        }
    }

    /// The signed-in account, or 401.
    pub fn account(&self) -> Result<AccountId, Fault> {
        self.actor.account().ok_or_else(Fault::unauthenticated)
    }

    /// The worker behind the account; a refusal when the account belongs to nobody on the staff list.
    pub fn worker(&self) -> Result<WorkerId, Fault> {
        match &self.actor {
            Actor::Account {
                worker: Some(worker), ..
            } => Ok(*worker),
            _ => Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_worker")),
        }
    }
}

impl Actor {
    /// The account, if somebody is signed in.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Actor::Account { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The unit they act for.
    pub fn unit(&self) -> Option<UnitId> {
        match self {
            Actor::Account { unit, .. } => *unit,
            _ => None,
        }
    }

    /// What is written beside an act: the name, `居民` or `系统`.
    pub fn name(&self) -> &str {
        match self {
            Actor::Account { name, .. } | Actor::Partner { name, .. } => name,
            Actor::Resident => "居民",
            Actor::System(_) => "系统",
        }
    }

    /// Stable key for the ledger: `account:<id>`, `resident`, `partner:<id>`, `system:<name>`.
    pub fn key(&self) -> String {
        match self {
            Actor::Account { id, .. } => format!("account:{id}"),
            Actor::Resident => "resident".to_owned(),
            Actor::Partner { id, .. } => format!("partner:{id}"),
            Actor::System(name) => format!("system:{name}"),
        }
    }
}
