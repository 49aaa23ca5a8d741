//! The pack as people read it: every value with its source.

use super::Current;
use crate::platform::i18n::Lang;
use domain::cases::clock::{self, Start, When};
use domain::duties::{Act, Every, Missed, On, Partial, Quantity, Settled};
use domain::policy::{Category, CategoryKind, GridBand, Measure, Name, RouteTo, RungTo, Source, Sourced};
use serde::Serialize;
use utoipa::ToSchema;

/// One line of a pack: what it is about, what it says, where it comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// Key or code.
    pub key: String,
    /// What it is about, in the reader's language.
    pub name: String,
    /// What it says.
    pub value: String,
    /// `ZS-07` (a clause), a standard, or `assumption`.
    pub source: String,
}

/// A group of lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct SectionView {
    pub key: String,
    pub lines: Vec<LineView>,
}

/// The pack in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackView {
    pub key: String,
    pub name: String,
    pub version: String,
    /// Number in this database.
    pub number: u32,
    pub digest: String,
    pub jurisdiction: String,
    pub categories: Vec<CategoryView>,
    pub bodies: Vec<BodyView>,
    pub duties: Vec<KeyName>,
    pub return_reasons: Vec<KeyName>,
    pub sections: Vec<SectionView>,
}

/// A key with its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyName {
    pub key: String,
    pub name: String,
}

/// A responsible body.
#[derive(Debug, Serialize, ToSchema)]
pub struct BodyView {
    pub key: String,
    pub name: String,
    pub kind: String,
    pub levels: Vec<String>,
    pub source: String,
}

/// A category with those below it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(no_recursion)]
pub struct CategoryView {
    pub code: String,
    pub name: String,
    pub name_en: String,
    /// `event`, `part` or `service`.
    pub kind: String,
    pub urgent: bool,
    pub must_report: bool,
    pub must_come: bool,
    pub mediation: bool,
    pub public: bool,
    pub resident: bool,
    pub hint: String,
    pub filing: String,
    pub closing: String,
    pub source: String,
    pub children: Vec<CategoryView>,
}

pub fn source_text(source: &Source) -> String {
    match source {
        Source::Clause(text) | Source::Standard(text) => text.clone(),
        Source::Assumption => "assumption".to_owned(),
    }
}

fn pick(lang: Lang, name: &Name) -> String {
    lang.pick(&name.zh, &name.en).to_owned()
}

/// The tree; `residents` leaves out what residents cannot choose.
pub fn categories(current: &Current, residents: bool) -> Vec<CategoryView> {
    children(current, None, residents)
}

fn children(current: &Current, parent: Option<&str>, residents: bool) -> Vec<CategoryView> {
    let all = current.pack.categories.iter();
    let here = all.filter(|one| one.parent.as_deref() == parent && (!residents || one.resident));
    here.map(|one| category(current, one, residents)).collect()
}

fn category(current: &Current, one: &Category, residents: bool) -> CategoryView {
    CategoryView {
        code: one.code.clone(),
        name: one.name.zh.clone(),
        name_en: one.name.en.clone(),
        kind: match one.kind {
            CategoryKind::Event => "event",
            CategoryKind::Part => "part",
            CategoryKind::Service => "service",
        }
        .to_owned(),
        urgent: one.urgent,
        must_report: one.must_report,
        must_come: one.must_come,
        mediation: one.mediation,
        public: one.public,
        resident: one.resident,
        hint: one.hint.zh.clone(),
        filing: one.filing.clone(),
        closing: one.closing.clone(),
        source: source_text(&one.source),
        children: children(current, Some(&one.code), residents),
    }
}

/// Everything, in a language.
pub fn pack(current: &Current, lang: Lang) -> PackView {
    let pack = &current.pack;
    PackView {
        key: pack.key.clone(),
        name: pick(lang, &pack.name),
        version: pack.version.clone(),
        number: current.number,
        digest: current.digest.clone(),
        jurisdiction: pick(lang, &pack.jurisdiction.name),
        categories: categories(current, false),
        bodies: pack
            .bodies
            .iter()
            .map(|body| BodyView {
                key: body.key.clone(),
                name: pick(lang, &body.name),
                kind: body.kind.key().to_owned(),
                levels: body.levels.clone(),
                source: source_text(&body.source),
            })
            .collect(),
        duties: key_names(&pack.duties, lang),
        return_reasons: key_names(&pack.return_reasons, lang),
        sections: vec![
            section("levels", levels(current, lang)),
            section("grids", grids(current, lang)),
            section("routes", routes(current, lang)),
            section("clocks", clocks(current, lang)),
            section("ladder", ladder(current, lang)),
            section("mediation", mediation(current, lang)),
            section("answers", answers(current, lang)),
            section("verification", verification(current, lang)),
            section("templates", templates(current, lang)),
            section("thresholds", thresholds(current)),
            section("channels", channels(current, lang)),
            section("redirects", redirects(current, lang)),
            section("duty_rules", duty_rules(current, lang)),
            section("registers", registers(current, lang)),
            section("campaigns", campaigns(current, lang)),
            section("projects", projects(current, lang)),
        ],
    }
}

pub fn key_names(all: &[domain::policy::Coded], lang: Lang) -> Vec<KeyName> {
    all.iter()
        .map(|one| KeyName {
            key: one.key.clone(),
            name: pick(lang, &one.name),
        })
        .collect()
}

fn section(key: &str, lines: Vec<LineView>) -> SectionView {
    SectionView {
        key: key.to_owned(),
        lines,
    }
}

fn line(key: &str, name: String, value: String, source: &Source) -> LineView {
    LineView {
        key: key.to_owned(),
        name,
        value,
        source: source_text(source),
    }
}

/// The category's path, or "all".
fn about(current: &Current, code: &Option<String>, lang: Lang) -> String {
    match code {
        Some(code) => current.pack.category_path(code),
        None => lang.pick("全部", "all").to_owned(),
    }
}

fn levels(current: &Current, lang: Lang) -> Vec<LineView> {
    let all = current.pack.levels.iter();
    all.map(|one| {
        line(
            &one.key,
            pick(lang, &one.name),
            one.code_digits.to_string(),
            &one.source,
        )
    })
    .collect()
}

/// What a grid holds in each kind of place, the weights of the weighted measure, and the work counted for a grid.
fn grids(current: &Current, lang: Lang) -> Vec<LineView> {
    let rules = &current.pack.grids;
    let band = |one: &GridBand| {
        let (key, kind) = if one.rural {
            ("rural", lang.pick("农村网格", "grid in the country"))
        } else {
            ("urban", lang.pick("城区网格", "grid in town"))
        };
        let measure = match one.measure {
            Measure::Households => lang.pick("户", "households"),
            Measure::People => lang.pick("人", "people"),
            Measure::Enterprises => lang.pick("商户单位", "enterprises"),
            Measure::Weighted => lang.pick("加权", "weighted"),
        };
        let value = format!("{}–{} {measure}", one.lo, one.hi);
        line(
            &format!("grid_band.{key}.{}", one.measure.key()),
            kind.to_owned(),
            value,
            &one.source,
        )
    };
    let work = |key: &str, zh: &str, en: &str, value: String| {
        line(
            &format!("grid_work.{key}"),
            lang.pick(zh, en).to_owned(),
            value,
            &rules.source,
        )
    };
    let mut lines: Vec<LineView> = rules.bands.iter().map(band).collect();
    lines.extend([
        work(
            "per_hectare",
            "加权：每公顷",
            "weighted: a hectare",
            rules.per_hectare.to_string(),
        ),
        work(
            "per_person",
            "加权：每人",
            "weighted: a person",
            rules.per_person.to_string(),
        ),
        work(
            "per_household",
            "加权：每户",
            "weighted: a household",
            rules.per_household.to_string(),
        ),
        work(
            "per_enterprise",
            "加权：每个商户单位",
            "weighted: an enterprise",
            rules.per_enterprise.to_string(),
        ),
        work(
            "minutes",
            "每月分钟：每个网格",
            "minutes a month: a grid",
            rules.minutes.to_string(),
        ),
        work(
            "minutes_household",
            "每月分钟：每户",
            "minutes a month: a household",
            rules.minutes_household.to_string(),
        ),
        work(
            "minutes_enterprise",
            "每月分钟：每个商户单位",
            "minutes a month: an enterprise",
            rules.minutes_enterprise.to_string(),
        ),
        work(
            "workers",
            "每个网格的网格员",
            "workers of a grid",
            rules.workers.to_string(),
        ),
    ]);
    let undo = &current.pack.thresholds.plan_undo_days;
    lines.push(line(
        "plan_undo_days",
        lang.pick("采用方案后可撤回的天数", "days in which an adopted plan can be undone")
            .to_owned(),
        undo.value.to_string(),
        &undo.source,
    ));
    lines
}

fn routes(current: &Current, lang: Lang) -> Vec<LineView> {
    let pack = &current.pack;
    let one = |route: &domain::policy::Route| {
        let mut name = about(current, &route.category, lang);
        for part in [&route.area_kind, &route.asset].into_iter().flatten() {
            name.push_str(" · ");
            name.push_str(part);
        }
        let value = match &route.to {
            RouteTo::Unit { code } => code.clone(),
            RouteTo::Body { body, level } => {
                let body = pack
                    .body(body)
                    .map_or_else(|| body.clone(), |body| pick(lang, &body.name));
                match level.as_deref().and_then(|level| pack.level(level)) {
                    Some(level) => format!("{body}（{}）", pick(lang, &level.name)),
                    None => body,
                }
            }
        };
        line(route.category.as_deref().unwrap_or("*"), name, value, &route.source)
    };
    pack.routes.iter().map(one).collect()
}

fn clock_lang(lang: Lang) -> clock::Lang {
    match lang {
        Lang::Zh => clock::Lang::Zh,
        Lang::En => clock::Lang::En,
    }
}

fn clocks(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |rule: &domain::policy::ClockRule| {
        let mut value = clock::amount_text(rule.limit.amount(), clock_lang(lang));
        if rule.limit.start() == Start::NextWorkingDay {
            value.push_str(lang.pick("（次日起算）", " (from the next working day)"));
        }
        let mut name = format!("{} · {}", about(current, &rule.category, lang), rule.step.key());
        if let Some(urgent) = rule.urgent {
            name.push_str(if urgent {
                lang.pick(" · 紧急", " · urgent")
            } else {
                lang.pick(" · 非紧急", " · not urgent")
            });
        }
        line(&rule.id, name, value, &rule.source)
    };
    current.pack.clocks.iter().map(one).collect()
}

fn ladder(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |rung: &domain::policy::Rung| {
        let when = match rung.when {
            When::Used(thousandths) => format!("{} {}%", lang.pick("已用", "used"), thousandths / 10),
            When::Before(amount) => format!(
                "{} {}",
                lang.pick("到期前", "before"),
                clock::amount_text(amount, clock_lang(lang))
            ),
            When::After(amount) => format!(
                "{} {}",
                lang.pick("逾期", "late by"),
                clock::amount_text(amount, clock_lang(lang))
            ),
        };
        let to = match &rung.to {
            RungTo::Holder => lang.pick("承办单位", "the unit that has it").to_owned(),
            RungTo::Up(levels) => format!("{} {levels}", lang.pick("上级中心，上升级数", "centre, levels up")),
            RungTo::Level(level) => current
                .pack
                .level(level)
                .map_or_else(|| level.clone(), |one| pick(lang, &one.name)),
        };
        let duty = current
            .pack
            .duty(&rung.duty)
            .map_or_else(|| rung.duty.clone(), |one| pick(lang, &one.name));
        line(&rung.key, when, format!("{to} · {duty}"), &rung.source)
    };
    current.pack.ladder.iter().map(one).collect()
}

fn mediation(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |rung: &domain::policy::MediationRung| {
        let body = current.pack.body(&rung.body).map(|one| pick(lang, &one.name));
        let level = current.pack.level(&rung.level).map(|one| pick(lang, &one.name));
        let at = format!("{} · {}", level.unwrap_or_default(), body.unwrap_or_default());
        line(&rung.key, pick(lang, &rung.name), at, &rung.source)
    };
    current.pack.mediation.iter().map(one).collect()
}

fn answers(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |rule: &domain::policy::AnswerRule| {
        let value = format!("{}: {}", rule.who.key(), rule.ways.join(", "));
        line(
            rule.category.as_deref().unwrap_or("*"),
            about(current, &rule.category, lang),
            value,
            &rule.source,
        )
    };
    current.pack.answers.iter().map(one).collect()
}

fn verification(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |rule: &domain::policy::VerificationRule| {
        let photos = if rule.photos {
            lang.pick("，须有前后照片", ", with photos before and after")
        } else {
            ""
        };
        let value = format!("{}{photos}", rule.by.key());
        line(
            rule.category.as_deref().unwrap_or("*"),
            about(current, &rule.category, lang),
            value,
            &rule.source,
        )
    };
    current.pack.verification.iter().map(one).collect()
}

fn templates(current: &Current, lang: Lang) -> Vec<LineView> {
    let all = current.pack.templates.iter();
    all.map(|one| line(&one.key, pick(lang, &one.name), one.body.clone(), &one.source))
        .collect()
}

fn channels(current: &Current, lang: Lang) -> Vec<LineView> {
    current
        .pack
        .channels
        .iter()
        .map(|one| line(&one.key, pick(lang, &one.name), String::new(), &one.source))
        .collect()
}

fn redirects(current: &Current, lang: Lang) -> Vec<LineView> {
    let all = current.pack.redirects.iter();
    all.map(|one| {
        line(
            &one.key,
            pick(lang, &one.text),
            pick(lang, &one.where_to_go),
            &one.source,
        )
    })
    .collect()
}

/// What is owed by rule, said in a line each.
fn duty_rules(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |owed: &domain::policy::DutyRule| {
        let rule = &owed.rule;
        let mut said = vec![how_much(rule, lang)];
        let mut add = |holds: bool, zh: &str, en: &str| {
            if holds {
                said.push(lang.pick(zh, en).to_owned());
            }
        };
        add(rule.on == On::Working, "工作日", "on working days");
        add(rule.by.people > 1, "两人以上", "by a pair or more");
        add(rule.evidence.photo, "照片", "photo");
        add(rule.evidence.position, "位置", "position");
        add(rule.evidence.talk, "谈话内容", "what was said");
        add(rule.settled == Settled::Gone, "到场即可", "having been there is enough");
        add(
            rule.partial == Partial::Share,
            "期中进出按天数折算",
            "joining or leaving: by share of days",
        );
        add(
            rule.partial == Partial::Next,
            "期中加入的从下期起",
            "joining: from the next period",
        );
        add(
            rule.missed == Missed::Owed,
            "漏办下期补",
            "missed ones are made up in the next period",
        );
        if rule.spacing > 1 {
            said.push(format!("{} {}", lang.pick("间隔天数", "days apart:"), rule.spacing));
        }
        line(
            &rule.key,
            pick(lang, &owed.name),
            said.join(lang.pick("；", "; ")),
            &owed.source,
        )
    };
    current.pack.duty_rules.iter().map(one).collect()
}

/// The care registers: what each is for, and on what basis.
fn registers(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |one: &domain::policy::CareRegister| {
        let mut said = vec![pick(lang, &one.service), one.legal_basis.clone(), one.entries.clone()];
        if one.sensitive {
            said.push(
                lang.pick(
                    "敏感，启用后只有服务者可见",
                    "sensitive: read by those who serve, once in use",
                )
                .to_owned(),
            );
        }
        if one.pairs {
            said.push(lang.pick("专人结对", "a named person for each").to_owned());
        }
        line(
            &one.key,
            pick(lang, &one.name),
            said.join(lang.pick("；", "; ")),
            &one.source,
        )
    };
    current.pack.registers.iter().map(one).collect()
}

/// The campaigns prepared: why each is done, and how long.
fn campaigns(current: &Current, lang: Lang) -> Vec<LineView> {
    let one = |one: &domain::policy::CampaignTemplate| {
        let days = format!("{} {}", one.days, lang.pick("天", "days"));
        line(
            &one.key,
            pick(lang, &one.name),
            format!("{}{}{days}", one.why, lang.pick("；", "; ")),
            &one.source,
        )
    };
    current.pack.campaigns.iter().map(one).collect()
}

/// Deadlines of projects: when somebody is reminded, when they are near, how often they may be moved.
fn projects(current: &Current, lang: Lang) -> Vec<LineView> {
    let rules = &current.pack.projects;
    let days = |days: &[u16]| {
        days.iter()
            .map(u16::to_string)
            .collect::<Vec<_>>()
            .join(lang.pick("、", ", "))
    };
    let one = |key: &str, name: (&str, &str), value: String| {
        line(key, lang.pick(name.0, name.1).to_owned(), value, &rules.source)
    };
    vec![
        one(
            "before",
            ("到期前几天提醒", "Reminded so many days before"),
            days(&rules.reminders.before),
        ),
        one(
            "after",
            ("逾期后几天提醒", "Reminded so many days after"),
            days(&rules.reminders.after),
        ),
        one(
            "then_every",
            ("此后每几天再提醒", "And again every so many days"),
            rules.reminders.then_every.to_string(),
        ),
        one(
            "soon_days",
            ("几天内到期为将到期", "Due soon within so many days"),
            rules.soon_days.to_string(),
        ),
        one(
            "extensions",
            ("最多延期次数", "Given more time at most so often"),
            rules.extensions.to_string(),
        ),
    ]
}

/// `households 走访：每季 2 次`.
fn how_much(rule: &domain::duties::Rule, lang: Lang) -> String {
    let act = match rule.act {
        Act::Visit => lang.pick("走访", "visit"),
        Act::Check => lang.pick("检查", "check"),
        Act::Patrol => lang.pick("巡查", "patrol"),
    };
    let every = match rule.every {
        Every::Day => lang.pick("每日", "a day"),
        Every::Week => lang.pick("每周", "a week"),
        Every::Month => lang.pick("每月", "a month"),
        Every::Quarter => lang.pick("每季", "a quarter"),
        Every::Year => lang.pick("每年", "a year"),
    };
    let times = match rule.quantity {
        Quantity::Times { least, most } if least == most => format!("{least} {}", lang.pick("次", "times")),
        Quantity::Times { least, most } => format!("{least}–{most} {}", lang.pick("次", "times")),
        Quantity::Minutes(minutes) => format!("{minutes} {}", lang.pick("分钟", "minutes")),
    };
    let whom = match rule.who.of() {
        Some(of) => format!("{} {of}", rule.who.key()),
        None => rule.who.key().to_owned(),
    };
    match lang {
        Lang::Zh => format!("{act} {whom}：{every} {times}"),
        Lang::En => format!("{act} {whom}: {times} {every}"),
    }
}

fn thresholds(current: &Current) -> Vec<LineView> {
    let all = &current.pack.thresholds;
    let whole = |key: &str, one: &Sourced<u32>| line(key, key.to_owned(), one.value.to_string(), &one.source);
    let share = |key: &str, one: &Sourced<f64>| line(key, key.to_owned(), one.value.to_string(), &one.source);
    vec![
        share("auto_classify", &all.auto_classify),
        whole("arbiter_after", &all.arbiter_after),
        whole("rework_alert", &all.rework_alert),
        whole("extensions", &all.extensions),
        whole("extension_percent", &all.extension_percent),
        whole("pause_days", &all.pause_days),
        whole("park_review_days", &all.park_review_days),
        whole("reopen_days", &all.reopen_days),
        whole("arrival_minutes", &all.arrival_minutes),
        whole("urge_hours", &all.urge_hours),
        whole("duplicate_metres", &all.duplicate_metres),
        whole("duplicate_days", &all.duplicate_days),
        share("duplicate_similarity", &all.duplicate_similarity),
        whole("export_rows_second_person", &all.export_rows_second_person),
        whole("resolved_here_percent", &all.resolved_here_percent),
        whole("nearest_metres", &all.nearest_metres),
        whole("backlog_days", &all.backlog_days),
        whole("merge_undo_days", &all.merge_undo_days),
    ]
}
