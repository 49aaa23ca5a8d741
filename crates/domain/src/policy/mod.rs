//! Policy 规则包: everything that makes the platform one place's and not another's, as plain data, and the few questions that
//! the other parts ask of it.
//!
//! Entry point: [`Pack`]. The shell reads a folder of text files into a `Pack` and refuses it whole when anything is wrong, so
//! every answer given here may rely on its cross-references ([`Pack::limit`] always finds a rule for a known category).
//! Must not: know any place by name, read a file, or decide what a person must decide.

mod campaign;
mod duty;
mod grids;
mod project;
mod register;
mod route;
mod text_rules;

use crate::calendar::{DayHours, Season, Shift, Week};
use crate::cases::clock::{Limit, When};
pub use campaign::CampaignTemplate;
pub use duty::DutyRule;
pub use grids::{GridBand, GridRules, MAX_GRID_BANDS, Measure};
pub use project::ProjectRules;
pub use register::CareRegister;
pub use route::{CENTRE_BODY, Candidate, RouteChoice, RouteWhy, nearest_upward};
pub use text_rules::{Redirect, UrgentHint};

/// Where a value comes from, shown beside it in the pack view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A clause of the place's own document, e.g. `ZS-07`.
    Clause(String),
    /// A named standard or published rule, e.g. `GB/T 30428`.
    Standard(String),
    /// Ours: the document does not say.
    Assumption,
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub source: Source,
}

/// A name in both languages; Chinese is the authority.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    pub zh: String,
    pub en: String,
}

/// One folder of rules, checked as a whole.
#[derive(Debug, Clone)]
pub struct Pack {
    pub key: String,
    pub name: Name,
    /// What the folder calls itself, e.g. `2026.1`; together with the digest it names the rules a case was decided under.
    pub version: String,
    pub jurisdiction: Jurisdiction,
    /// From the top down; the position is the depth (1-based).
    pub levels: Vec<Level>,
    /// Parents before children, in the order of the file.
    pub categories: Vec<Category>,
    pub routes: Vec<Route>,
    pub clocks: Vec<ClockRule>,
    pub calendar: CalendarRule,
    pub ladder: Vec<Rung>,
    /// Where a dispute goes when mediation fails, from the lowest rung up.
    pub mediation: Vec<MediationRung>,
    pub answers: Vec<AnswerRule>,
    pub templates: Vec<Template>,
    pub verification: Vec<VerificationRule>,
    pub thresholds: Thresholds,
    pub grids: GridRules,
    pub bodies: Vec<Body>,
    pub channels: Vec<Channel>,
    pub redirects: Vec<Redirect>,
    pub urgent_hints: Vec<UrgentHint>,
    pub return_reasons: Vec<Coded>,
    pub duties: Vec<Coded>,
    /// Kinds of facilities that a grid worker is to know as hazards; a facility of the kind has this name as its kind.
    pub hazards: Vec<Coded>,
    /// What is owed without anybody asking.
    pub duty_rules: Vec<DutyRule>,
    /// The care registers the place may keep.
    pub registers: Vec<CareRegister>,
    /// Campaigns prepared, to be taken as they are or changed.
    pub campaigns: Vec<CampaignTemplate>,
    /// Deadlines of projects.
    pub projects: ProjectRules,
}

/// The place that owns the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Jurisdiction {
    /// Division code of its top area, e.g. `3309`.
    pub code: String,
    pub name: Name,
    /// Letters that open every case number, e.g. `ZS`.
    pub number_prefix: String,
    /// Where the map opens before any boundary is known (longitude, latitude, WGS-84 degrees).
    pub center: (f64, f64),
    pub source: Source,
}

/// One level of the area tree. Levels may skip: a town can hang directly under the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub key: String,
    pub name: Name,
    /// How many leading digits of the division code name an area of this level.
    pub code_digits: u8,
    pub source: Source,
}

/// A happening (事件), a broken thing (部件), or a wish for advice or service (服务).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CategoryKind {
    Event,
    Part,
    Service,
}

/// One node of the category tree. Flags hold for the node itself; the pack reader has already handed a parent's flags down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub code: String,
    pub parent: Option<String>,
    /// 1 for a first-level class.
    pub depth: u8,
    pub leaf: bool,
    pub name: Name,
    pub kind: CategoryKind,
    /// Labels of outside category lists that mean this one (column values of a spreadsheet import).
    pub labels: Vec<String>,
    /// Words that suggest this category before any case has been learned from.
    pub keywords: Vec<String>,
    /// Natural hours instead of working time, and a person looks at once.
    pub urgent: bool,
    /// Must be reported by whoever sees it (LH-10).
    pub must_report: bool,
    /// The grid worker must come; the worker and the stand-in are alerted (LH-08).
    pub must_come: bool,
    /// Goes through mediation (ZS-17).
    pub mediation: bool,
    /// Outcome may be published without personal data.
    pub public: bool,
    /// Residents may choose it.
    pub resident: bool,
    /// When a report is opened as a case of this kind.
    pub filing: String,
    /// When it may be closed.
    pub closing: String,
    /// One line for the person choosing.
    pub hint: Name,
    /// What other systems (Open311) are asked besides the words, in the order of asking.
    pub attributes: Vec<Attribute>,
    pub source: Source,
}

/// A question that goes with a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub code: String,
    pub name: Name,
    pub kind: AttributeKind,
    pub required: bool,
    /// What an answer looks like.
    pub hint: Name,
    /// For the two kinds of lists: key and name of each choice.
    pub values: Vec<(String, Name)>,
}

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Nothing is asked: the name is only shown.
    Shown,
    /// A line.
    Line,
    Number,
    /// An instant with its offset.
    Instant,
    /// Several lines.
    Text,
    OneOf,
    AnyOf,
}

impl AttributeKind {
    pub const ALL: [AttributeKind; 7] = [
        AttributeKind::Shown,
        AttributeKind::Line,
        AttributeKind::Number,
        AttributeKind::Instant,
        AttributeKind::Text,
        AttributeKind::OneOf,
        AttributeKind::AnyOf,
    ];

    /// The word in packs.
    pub fn key(self) -> &'static str {
        match self {
            AttributeKind::Shown => "shown",
            AttributeKind::Line => "string",
            AttributeKind::Number => "number",
            AttributeKind::Instant => "datetime",
            AttributeKind::Text => "text",
            AttributeKind::OneOf => "one_of",
            AttributeKind::AnyOf => "any_of",
        }
    }

    pub fn parse(key: &str) -> Option<AttributeKind> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// Whether an answer is chosen from a list.
    pub fn is_list(self) -> bool {
        matches!(self, AttributeKind::OneOf | AttributeKind::AnyOf)
    }
}

/// A key with a name: duties, return reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    pub key: String,
    pub name: Name,
    pub source: Source,
}

/// A way in. Keys are those of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub key: String,
    pub name: Name,
    pub source: Source,
}

/// What sort of organisation a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitKind {
    Centre,
    Bureau,
    Station,
    Committee,
    Partner,
}

impl UnitKind {
    pub const ALL: [UnitKind; 5] = [
        UnitKind::Centre,
        UnitKind::Bureau,
        UnitKind::Station,
        UnitKind::Committee,
        UnitKind::Partner,
    ];

    /// The word in SQL, API and packs.
    pub fn key(self) -> &'static str {
        match self {
            UnitKind::Centre => "centre",
            UnitKind::Bureau => "bureau",
            UnitKind::Station => "station",
            UnitKind::Committee => "committee",
            UnitKind::Partner => "partner",
        }
    }

    pub fn parse(key: &str) -> Option<UnitKind> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// A body 责任主体 that routes name, such as the housing bureau: a unit in the database belongs to a body by `unit.body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub key: String,
    pub name: Name,
    pub kind: UnitKind,
    /// Levels at which it has a unit, top first.
    pub levels: Vec<String>,
    /// Posts a new unit of this body starts with.
    pub posts: Vec<PostTemplate>,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostTemplate {
    /// One of [`Pack::duties`].
    pub duty: String,
    pub name: Name,
}

/// One dispatch rule 派遣规则. The first rule that matches wins after sorting by how much it says ([`Pack::route`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A category code (with everything below it), or `None` for all.
    pub category: Option<String>,
    /// Only for areas of this kind, e.g. `urban`, `rural`.
    pub area_kind: Option<String>,
    /// Only for cases on this kind of line or asset, e.g. `provincial_road`: those have an owner wherever they lie.
    pub asset: Option<String>,
    pub to: RouteTo,
    pub source: Source,
}

/// The responsible body, found in one step at any level (YC-09).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteTo {
    /// The unit of this body whose area is the case's area at `level`, or the nearest one upward when no level is given.
    Body { body: String, level: Option<String> },
    /// The unit with this code.
    Unit { code: String },
}

/// The steps that have a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Accept,
    Dispatch,
    Handle,
    Answer,
    Verify,
}

impl Step {
    pub const ALL: [Step; 5] = [Step::Accept, Step::Dispatch, Step::Handle, Step::Answer, Step::Verify];

    /// The word in SQL, API and packs.
    pub fn key(self) -> &'static str {
        match self {
            Step::Accept => "accept",
            Step::Dispatch => "dispatch",
            Step::Handle => "handle",
            Step::Answer => "answer",
            Step::Verify => "verify",
        }
    }

    pub fn parse(key: &str) -> Option<Step> {
        Self::ALL.into_iter().find(|step| step.key() == key)
    }
}

/// How long a step may take.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockRule {
    /// Names the rule in clock logs, e.g. `handle:0201:urgent`.
    pub id: String,
    /// A category code (with everything below it), or `None` for all.
    pub category: Option<String>,
    /// Only for cases marked urgent (true) or not (false); `None` for both.
    pub urgent: Option<bool>,
    pub step: Step,
    pub limit: Limit,
    /// The warning comes when this share of the limit is used, in percent (1 to 99).
    pub warn_percent: u8,
    pub source: Source,
}

/// Hours of work, and which shared calendar of holidays they sit in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRule {
    /// Shared calendar, e.g. `cn`: files `packs/calendar/cn-20xx.toml`.
    pub base: String,
    pub week: Week,
    /// Summer and winter hours.
    pub seasons: Vec<Season>,
    pub shifts: Vec<Shift>,
    /// Days with hours of their own, such as a local half day: date, name, hours.
    pub days: Vec<(jiff::civil::Date, String, DayHours)>,
    /// The shift during which urgent matters and escalations reach somebody; working hours when not given.
    pub duty_shift: Option<String>,
    pub source: Source,
}

/// One rung of the escalation ladder: who hears when a case is late.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// Names the rung in messages and logs.
    pub key: String,
    pub when: When,
    pub to: RungTo,
    /// Duty of the post told at that place, one of [`Pack::duties`].
    pub duty: String,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RungTo {
    /// The unit that has the case.
    Holder,
    /// The grid centre of the area so many levels above the holder's area (1 or more), stopping at the top.
    Up(u8),
    /// The grid centre at the case's area of this level.
    Level(String),
}

/// One rung of mediation 调解: a body of the pack at a level (ZS-17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediationRung {
    pub key: String,
    pub name: Name,
    pub body: String,
    pub level: String,
    pub source: Source,
}

/// Who gives the answer to the resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answerer {
    Handler,
    GridWorker,
    Desk,
}

impl Answerer {
    pub const ALL: [Answerer; 3] = [Answerer::Handler, Answerer::GridWorker, Answerer::Desk];

    pub fn key(self) -> &'static str {
        match self {
            Answerer::Handler => "handler",
            Answerer::GridWorker => "grid_worker",
            Answerer::Desk => "desk",
        }
    }

    pub fn parse(key: &str) -> Option<Answerer> {
        Self::ALL.into_iter().find(|who| who.key() == key)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRule {
    pub category: Option<String>,
    pub who: Answerer,
    /// Ways offered, the first is the usual one: in_person, phone, sms, web, written.
    pub ways: Vec<String>,
    pub source: Source,
}

/// An answer to start from. `{number}`, `{title}`, `{result}`, `{unit}`, `{worker}`, `{phone}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub key: String,
    pub category: Option<String>,
    pub name: Name,
    pub body: String,
    pub source: Source,
}

/// Who checks the result; never the person who handled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verifier {
    /// Nobody: the answer and the resident's word are enough.
    None,
    /// A post with the duty `verify` at the centre.
    Centre,
    /// The grid worker goes and looks.
    GridWorker,
    /// The resident's own rating closes it; silence for the answer's time counts as no objection.
    Resident,
}

impl Verifier {
    pub const ALL: [Verifier; 4] = [
        Verifier::None,
        Verifier::Centre,
        Verifier::GridWorker,
        Verifier::Resident,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Verifier::None => "none",
            Verifier::Centre => "centre",
            Verifier::GridWorker => "grid_worker",
            Verifier::Resident => "resident",
        }
    }

    pub fn parse(key: &str) -> Option<Verifier> {
        Self::ALL.into_iter().find(|who| who.key() == key)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRule {
    pub category: Option<String>,
    pub by: Verifier,
    /// Before and after photos are needed to hand the case in as handled.
    pub photos: bool,
    pub source: Source,
}

/// Numbers that steer the loop, each with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Classified without a person at or above this calibrated confidence, 0.5 to 1.
    pub auto_classify: Sourced<f64>,
    /// After so many returns an arbiter decides, and finally.
    pub arbiter_after: Sourced<u32>,
    /// Reworks after which a supervisor is told.
    pub rework_alert: Sourced<u32>,
    /// Extensions allowed per clock.
    pub extensions: Sourced<u32>,
    /// One extension is at most this share of the first limit, in percent.
    pub extension_percent: Sourced<u32>,
    /// A pause ends by itself after so many days unless asked again.
    pub pause_days: Sourced<u32>,
    /// A parked case is looked at again after so many days.
    pub park_review_days: Sourced<u32>,
    /// The resident may object within so many days after closing.
    pub reopen_days: Sourced<u32>,
    /// A grid worker called to a must-come case should be there within so many minutes.
    pub arrival_minutes: Sourced<u32>,
    /// Residents can urge once in so many hours.
    pub urge_hours: Sourced<u32>,
    /// Duplicates are looked for within so many metres and days.
    pub duplicate_metres: Sourced<u32>,
    pub duplicate_days: Sourced<u32>,
    /// Titles at least this alike (0 to 1) are offered as duplicates.
    pub duplicate_similarity: Sourced<f64>,
    /// An export of more rows needs a second person.
    pub export_rows_second_person: Sourced<u32>,
    /// Share of cases that should be resolved at the lowest two levels, in percent (MG-03).
    pub resolved_here_percent: Sourced<u32>,
    /// A point this near to an area, but in none, belongs to the nearest one; metres.
    pub nearest_metres: Sourced<u32>,
    /// Days after which an open dispute counts as piled up (ZS-17).
    pub backlog_days: Sourced<u32>,
    /// Days within which a plan of grids that came into force can be undone.
    pub plan_undo_days: Sourced<u32>,
    /// Days within which two records of one person that were merged can be parted again.
    pub merge_undo_days: Sourced<u32>,
}

impl Pack {
    pub fn level(&self, key: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.key == key)
    }

    /// Depth of a level, 1 at the top.
    pub fn depth(&self, key: &str) -> Option<u8> {
        self.levels
            .iter()
            .position(|level| level.key == key)
            .map(|index| index as u8 + 1)
    }

    /// The level at a depth (1 at the top).
    pub fn level_at(&self, depth: u8) -> Option<&Level> {
        self.levels.get(usize::from(depth).checked_sub(1)?)
    }

    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.code == code)
    }

    /// The category and those above it, itself first; empty for an unknown code.
    pub fn lineage(&self, code: &str) -> Vec<&Category> {
        let mut line = Vec::new();
        let mut next = self.category(code);
        while let Some(category) = next {
            line.push(category);
            next = category.parent.as_deref().and_then(|parent| self.category(parent));
        }
        line
    }

    /// `房屋建筑 / 屋面漏水`: the path shown in lists.
    pub fn category_path(&self, code: &str) -> String {
        let mut names: Vec<&str> = self
            .lineage(code)
            .into_iter()
            .map(|category| category.name.zh.as_str())
            .collect();
        names.reverse();
        names.join(" / ")
    }

    /// The category an outside list's label means: the deepest, first in the file, that carries it as name or label.
    pub fn category_for_label(&self, label: &str) -> Option<&Category> {
        let carries =
            |category: &&Category| category.name.zh == label || category.labels.iter().any(|own| own == label);
        self.categories
            .iter()
            .filter(carries)
            .max_by_key(|category| std::cmp::Reverse(category.depth))
    }

    /// The limit for a step: the rule nearest to the category wins, then one that names urgency over one that does not.
    pub fn limit(&self, category: &str, urgent: bool, step: Step) -> Option<&ClockRule> {
        self.nearest(
            category,
            &self.clocks,
            |rule| rule.category.as_deref(),
            |rule| rule.step == step && rule.urgent.is_none_or(|wanted| wanted == urgent),
        )
        .max_by_key(|(nearness, rule)| (*nearness, rule.urgent.is_some()))
        .map(|(_, rule)| rule)
    }

    pub fn answer_rule(&self, category: &str) -> Option<&AnswerRule> {
        self.nearest(category, &self.answers, |rule| rule.category.as_deref(), |_| true)
            .max_by_key(|(nearness, _)| *nearness)
            .map(|(_, rule)| rule)
    }

    pub fn verification_rule(&self, category: &str) -> Option<&VerificationRule> {
        self.nearest(category, &self.verification, |rule| rule.category.as_deref(), |_| true)
            .max_by_key(|(nearness, _)| *nearness)
            .map(|(_, rule)| rule)
    }

    /// Answer templates for a category, the most particular first.
    pub fn templates_for(&self, category: &str) -> Vec<&Template> {
        let mut found: Vec<_> = self
            .nearest(category, &self.templates, |one| one.category.as_deref(), |_| true)
            .collect();
        found.sort_by_key(|(nearness, _)| std::cmp::Reverse(*nearness));
        found.into_iter().map(|(_, template)| template).collect()
    }

    /// The classes of disputes: categories that go through mediation, without those below them.
    pub fn disputes(&self) -> impl Iterator<Item = &Category> {
        let is_dispute = |code: &String| self.category(code).is_some_and(|above| above.mediation);
        self.categories
            .iter()
            .filter(move |one| one.mediation && !one.parent.as_ref().is_some_and(is_dispute))
    }

    pub fn body(&self, key: &str) -> Option<&Body> {
        self.bodies.iter().find(|body| body.key == key)
    }

    pub fn duty(&self, key: &str) -> Option<&Coded> {
        self.duties.iter().find(|duty| duty.key == key)
    }

    pub fn channel(&self, key: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.key == key)
    }

    pub fn return_reason(&self, key: &str) -> Option<&Coded> {
        self.return_reasons.iter().find(|reason| reason.key == key)
    }

    /// The case number: prefix, date of receipt, running number of that day, e.g. `ZS20260214-00042`.
    pub fn case_number(&self, date: jiff::civil::Date, serial: u32) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        format!(
            "{}{year:04}{month:02}{day:02}-{serial:05}",
            self.jurisdiction.number_prefix
        )
    }

    /// Rules that apply to a category with how near they are: 0 for a rule over everything, more for each level further down.
    /// Among equals the later is taken by `max_by_key`, and the pack reader refuses equals.
    fn nearest<'a, T>(
        &'a self,
        category: &str,
        rules: &'a [T],
        code_of: impl Fn(&T) -> Option<&str>,
        keep: impl Fn(&T) -> bool,
    ) -> impl Iterator<Item = (usize, &'a T)> {
        let line: Vec<&str> = self
            .lineage(category)
            .into_iter()
            .map(|one| one.code.as_str())
            .collect();
        rules.iter().filter_map(move |rule| {
            if !keep(rule) {
                return None;
            }
            match code_of(rule) {
                None => Some((0, rule)),
                Some(code) => line
                    .iter()
                    .position(|one| *one == code)
                    .map(|index| (line.len() - index, rule)),
            }
        })
    }
}
