//! The sections of a pack's files, one function each.

use super::check;
use super::doc::Table;
use super::{campaigns, duties, projects, registers};
use domain::calendar::{Amount, DayHours, Season, Shift, Span, Unit, Week};
use domain::cases::clock::{Limit, Start, When};
use domain::policy::*;

/// The root tables of the files.
pub struct Roots<'d> {
    pub pack: Table<'d>,
    pub categories: Table<'d>,
    pub routes: Table<'d>,
    pub clocks: Table<'d>,
    pub answers: Table<'d>,
    pub intake: Table<'d>,
    pub duties: Table<'d>,
    pub registers: Table<'d>,
    pub campaigns: Table<'d>,
    pub projects: Table<'d>,
}

/// Everything, with references checked; `None` when a whole section is missing (already reported).
pub fn pack(roots: &Roots<'_>) -> Option<Pack> {
    let head = roots.pack.table("pack")?;
    let place = roots.pack.table("jurisdiction")?;
    let calendar = roots.pack.table("calendar")?;
    let thresholds = roots.pack.table("thresholds")?;
    let levels = roots.pack.tables("level");
    let categories = roots.categories.tables("category");
    let (bodies, routes) = (roots.routes.tables("body"), roots.routes.tables("route"));
    let (clocks, rungs) = (roots.clocks.tables("clock"), roots.clocks.tables("rung"));
    let mediation = roots.routes.tables("mediation");
    let (answers, templates) = (roots.answers.tables("answer"), roots.answers.tables("template"));
    let verification = roots.answers.tables("verification");
    let posts = roots.pack.tables("duty");
    let owed = roots.duties.tables("rule");
    let kept = roots.registers.tables("register");
    let prepared = roots.campaigns.tables("campaign");
    let built = Pack {
        key: head.str("key").to_owned(),
        name: name(&head),
        version: head.str("version").to_owned(),
        jurisdiction: jurisdiction(&place),
        levels: levels.iter().map(level).collect(),
        categories: check::inherited(&categories, categories.iter().map(category).collect()),
        routes: routes.iter().map(route).collect(),
        clocks: clocks.iter().filter_map(clock).collect(),
        calendar: calendar_rule(&calendar),
        ladder: rungs.iter().filter_map(rung).collect(),
        mediation: mediation.iter().map(mediation_rung).collect(),
        answers: answers.iter().map(answer).collect(),
        templates: templates.iter().map(template).collect(),
        verification: verification.iter().map(verification_rule).collect(),
        thresholds: thresholds_of(&thresholds),
        grids: grids(&roots.pack),
        bodies: bodies.iter().map(body).collect(),
        channels: roots.intake.tables("channel").iter().map(channel).collect(),
        redirects: roots.intake.tables("redirect").iter().map(redirect).collect(),
        urgent_hints: roots.intake.tables("urgent").iter().map(urgent).collect(),
        return_reasons: roots.answers.tables("return_reason").iter().map(coded).collect(),
        duties: posts.iter().map(coded).collect(),
        hazards: roots.pack.tables("hazard").iter().map(coded).collect(),
        duty_rules: owed.iter().filter_map(duties::rule).collect(),
        registers: kept.iter().map(registers::register).collect(),
        campaigns: prepared.iter().map(campaigns::template).collect(),
        projects: projects::rules(&roots.projects),
    };
    for table in [&head, &place, &calendar, &thresholds] {
        table.done();
    }
    for table in [
        &roots.pack,
        &roots.categories,
        &roots.routes,
        &roots.clocks,
        &roots.answers,
        &roots.intake,
        &roots.duties,
        &roots.registers,
        &roots.campaigns,
        &roots.projects,
    ] {
        table.done();
    }
    check::levels(&levels, &built);
    check::categories(&categories, &built);
    check::routes(&bodies, &routes, &roots.routes, &built);
    check::clocks(&clocks, &roots.clocks, &built);
    check::ladder(&rungs, &roots.clocks, &built);
    check::mediation(&mediation, &built);
    check::rules(
        &answers,
        &roots.answers,
        "answer",
        "pack_no_answer_rule",
        built.answers.iter().map(|rule| &rule.category),
        &built,
    );
    let verified = built.verification.iter().map(|rule| &rule.category);
    check::rules(
        &verification,
        &roots.answers,
        "verification",
        "pack_no_verification_rule",
        verified,
        &built,
    );
    check::templates(&templates, &built);
    check::calendar(&calendar, &built);
    duties::check(&owed, &built);
    registers::check(&kept, &owed, &built);
    campaigns::check(&prepared, &built);
    Some(built)
}

/// `name` and `en`; without `en` the Chinese name serves.
pub(super) fn name(table: &Table<'_>) -> Name {
    let zh = table.str("name");
    Name {
        zh: zh.to_owned(),
        en: table.opt_str("en").unwrap_or(zh).to_owned(),
    }
}

/// Longest key of what a pack names in ASCII.
const MAX_KEY: usize = 40;

/// `key`: ASCII letters, digits and `_`.
pub(super) fn ascii_key<'d>(table: &Table<'d>) -> &'d str {
    let key = table.str("key");
    if key.chars().count() > MAX_KEY || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let problem = table.problem("key", "pack_bad_value").with("value", key);
        table.report(problem.with("allowed", "0-9 A-Z a-z _"));
    }
    key
}

/// A text of at most so many characters.
pub(super) fn text_up_to(table: &Table<'_>, key: &'static str, most: usize) -> String {
    let text = table.str(key);
    if text.chars().count() > most {
        table.report(table.problem(key, "pack_too_many").with("most", most));
    }
    text.to_owned()
}

/// `source`, or the file's `default_source`.
pub(super) fn source(table: &Table<'_>) -> Source {
    let Some(text) = table.opt_str("source").or(table.default_source.get()) else {
        table.report(table.problem("source", "pack_missing_source"));
        return Source::Assumption;
    };
    read_source(text).unwrap_or_else(|| {
        table.report(table.problem("source", "pack_bad_source").with("value", text));
        Source::Assumption
    })
}

/// `assumption`; a clause id such as `ZS-07`; or a standard such as `GB/T 30428`.
fn read_source(text: &str) -> Option<Source> {
    if text == "assumption" {
        return Some(Source::Assumption);
    }
    let clause = text.split_once('-').is_some_and(|(place, number)| {
        place.len() == 2
            && place.bytes().all(|b| b.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|b| b.is_ascii_digit())
    });
    if clause {
        return Some(Source::Clause(text.to_owned()));
    }
    (text.contains(' ') && text.len() > 3).then(|| Source::Standard(text.to_owned()))
}

fn jurisdiction(table: &Table<'_>) -> Jurisdiction {
    let prefix = table.str("number_prefix");
    if !prefix.is_empty() && (prefix.len() > 6 || !prefix.bytes().all(|b| b.is_ascii_uppercase())) {
        table.report(
            table
                .problem("number_prefix", "pack_bad_value")
                .with("value", prefix)
                .with("allowed", "A-Z, 1-6"),
        );
    }
    let code = table.str("code");
    if !code.bytes().all(|b| b.is_ascii_digit()) {
        table.report(
            table
                .problem("code", "pack_bad_value")
                .with("value", code)
                .with("allowed", "0-9"),
        );
    }
    Jurisdiction {
        code: code.to_owned(),
        name: name(table),
        number_prefix: prefix.to_owned(),
        center: (table.float("lon", -180.0, 180.0), table.float("lat", -90.0, 90.0)),
        source: source(table),
    }
}

fn level(table: &Table<'_>) -> Level {
    let level = Level {
        key: table.str("key").to_owned(),
        name: name(table),
        code_digits: table.int("digits", 2, 20) as u8,
        source: source(table),
    };
    table.done();
    level
}

fn category(table: &Table<'_>) -> Category {
    let code = table.str("code").to_owned();
    let kind = table.opt_str("kind").unwrap_or("event");
    let category = Category {
        parent: table.opt_str("parent").map(str::to_owned),
        depth: 1,
        leaf: true,
        name: name(table),
        kind: match kind {
            "event" => CategoryKind::Event,
            "part" => CategoryKind::Part,
            "service" => CategoryKind::Service,
            other => {
                let problem = table.problem("kind", "pack_bad_value").with("value", other);
                table.report(problem.with("allowed", "event, part, service"));
                CategoryKind::Event
            }
        },
        labels: table.strings("labels"),
        keywords: table
            .strings("keywords")
            .iter()
            .map(|word| domain::text::normalise(word))
            .collect(),
        urgent: table.opt_bool("urgent").unwrap_or_default(),
        must_report: table.opt_bool("must_report").unwrap_or_default(),
        must_come: table.opt_bool("must_come").unwrap_or_default(),
        mediation: table.opt_bool("mediation").unwrap_or_default(),
        public: table.opt_bool("public").unwrap_or(true),
        resident: table.opt_bool("resident").unwrap_or(true),
        filing: table.opt_str("filing").unwrap_or_default().to_owned(),
        closing: table.opt_str("closing").unwrap_or_default().to_owned(),
        hint: Name {
            zh: table.opt_str("hint").unwrap_or_default().to_owned(),
            en: table.opt_str("hint_en").unwrap_or_default().to_owned(),
        },
        attributes: table.tables("attributes").iter().map(attribute).collect(),
        source: source(table),
        code,
    };
    table.done();
    category
}

fn attribute(table: &Table<'_>) -> Attribute {
    let keys = AttributeKind::ALL.map(AttributeKind::key);
    let kind = one_of(table, "type", AttributeKind::parse, &keys).unwrap_or(AttributeKind::Line);
    let hint = table.opt_str("hint").unwrap_or_default();
    let attribute = Attribute {
        code: table.str("code").to_owned(),
        name: name(table),
        kind,
        required: table.opt_bool("required").unwrap_or_default(),
        hint: Name {
            zh: hint.to_owned(),
            en: table.opt_str("hint_en").unwrap_or(hint).to_owned(),
        },
        values: table.tables("values").iter().map(choice).collect(),
    };
    let plain = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if table.has("code") && !plain(&attribute.code) {
        let problem = table.problem("code", "pack_bad_value").with("value", &attribute.code);
        table.report(problem.with("allowed", "0-9 A-Z a-z _"));
    }
    if kind.is_list() == attribute.values.is_empty() {
        table.report(table.problem("values", "pack_missing_key"));
    }
    table.done();
    attribute
}

fn choice(table: &Table<'_>) -> (String, Name) {
    let choice = (table.str("key").to_owned(), name(table));
    table.done();
    choice
}

fn body(table: &Table<'_>) -> Body {
    let kind = table.str("kind");
    let body = Body {
        key: table.str("key").to_owned(),
        name: name(table),
        kind: UnitKind::parse(kind).unwrap_or_else(|| {
            let allowed: Vec<&str> = UnitKind::ALL.iter().map(|kind| kind.key()).collect();
            table.report(
                table
                    .problem("kind", "pack_bad_value")
                    .with("value", kind)
                    .with("allowed", allowed.join(", ")),
            );
            UnitKind::Bureau
        }),
        levels: table.strings("levels"),
        posts: table.tables("posts").iter().map(post).collect(),
        source: source(table),
    };
    table.done();
    body
}

fn post(table: &Table<'_>) -> PostTemplate {
    let post = PostTemplate {
        duty: table.str("duty").to_owned(),
        name: name(table),
    };
    table.done();
    post
}

fn route(table: &Table<'_>) -> Route {
    let to = match (table.opt_str("unit"), table.opt_str("body")) {
        (Some(code), None) => RouteTo::Unit { code: code.to_owned() },
        (None, Some(body)) => RouteTo::Body {
            body: body.to_owned(),
            level: table.opt_str("level").map(str::to_owned),
        },
        _ => {
            table.report(table.problem("body", "pack_one_of").with("keys", "body, unit"));
            RouteTo::Unit { code: String::new() }
        }
    };
    let route = Route {
        category: table.opt_str("category").map(str::to_owned),
        area_kind: table.opt_str("area_kind").map(str::to_owned),
        asset: table.opt_str("asset").map(str::to_owned),
        to,
        source: source(table),
    };
    table.done();
    route
}

fn clock(table: &Table<'_>) -> Option<ClockRule> {
    let category = table.opt_str("category").map(str::to_owned);
    let urgent = table.opt_bool("urgent");
    let step = one_of(table, "step", Step::parse, &Step::ALL.map(Step::key));
    let limit = limit(table);
    let warn_percent = if table.has("warn_percent") {
        table.int("warn_percent", 1, 99) as u8
    } else {
        80
    };
    let source = source(table);
    table.done();
    let (step, limit) = (step?, limit?);
    let which = category.as_deref().unwrap_or("*");
    let how = urgent.map_or("", |urgent| if urgent { ":urgent" } else { ":ordinary" });
    let id = format!("{}:{which}{how}", step.key());
    Some(ClockRule {
        id,
        category,
        urgent,
        step,
        limit,
        warn_percent,
        source,
    })
}

fn limit(table: &Table<'_>) -> Option<Limit> {
    let start = match table.opt_str("start") {
        None | Some("now") => Start::Immediately,
        Some("next_workday") => Start::NextWorkingDay,
        Some(other) => {
            table.report(
                table
                    .problem("start", "pack_bad_value")
                    .with("value", other)
                    .with("allowed", "now, next_workday"),
            );
            Start::Immediately
        }
    };
    let text = table.str("limit");
    let limit = read_amount(text).and_then(|amount| Limit::new(amount, start).ok());
    if limit.is_none() && table.has("limit") {
        table.report(table.problem("limit", "pack_bad_limit").with("value", text));
    }
    limit
}

/// `5 workdays`, `0.5 workday`, `2 workhours`, `24 hours`, `30 minutes`, `7 days`: at most three decimals.
pub fn read_amount(text: &str) -> Option<Amount> {
    let (count, unit) = text.trim().split_once(' ')?;
    let (whole, part) = count.split_once('.').unwrap_or((count, ""));
    if whole.is_empty() || part.len() > 3 || !count.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let thousandths = format!("{whole}{part:0<3}").parse::<u64>().ok()?;
    let unit = match unit.trim() {
        "workday" | "workdays" => Unit::WorkingDay,
        "workhour" | "workhours" => Unit::WorkingHour,
        "hour" | "hours" => Unit::NaturalHour,
        "day" | "days" => Unit::NaturalDay,
        "minute" | "minutes" => {
            const MS_OF_THOUSANDTH: i64 = 60;
            let parts = i64::try_from(thousandths).ok()?.checked_mul(MS_OF_THOUSANDTH)?;
            return Some(Amount {
                unit: Unit::NaturalHour,
                parts,
            });
        }
        _ => return None,
    };
    Some(Amount::thousandths(thousandths, unit))
}

fn rung(table: &Table<'_>) -> Option<Rung> {
    let text = table.str("when");
    let when = read_when(text);
    if when.is_none() {
        table.report(table.problem("when", "pack_bad_when").with("value", text));
    }
    let to = match table.str("to") {
        "holder" => RungTo::Holder,
        "up" => RungTo::Up(table.int("levels_up", 1, 5) as u8),
        "level" => RungTo::Level(table.str("level").to_owned()),
        other => {
            table.report(
                table
                    .problem("to", "pack_bad_value")
                    .with("value", other)
                    .with("allowed", "holder, up, level"),
            );
            RungTo::Holder
        }
    };
    let rung = (table.str("key").to_owned(), table.str("duty").to_owned(), source(table));
    table.done();
    Some(Rung {
        key: rung.0,
        when: when?,
        to,
        duty: rung.1,
        source: rung.2,
    })
}

fn mediation_rung(table: &Table<'_>) -> MediationRung {
    let rung = MediationRung {
        key: table.str("key").to_owned(),
        name: name(table),
        body: table.str("body").to_owned(),
        level: table.str("level").to_owned(),
        source: source(table),
    };
    table.done();
    rung
}

/// `used 80%`, `before 2 workhours`, `at due`, `after 1 workday`.
fn read_when(text: &str) -> Option<When> {
    if text == "at due" {
        return Some(When::After(Amount::zero(Unit::NaturalHour)));
    }
    let (word, rest) = text.split_once(' ')?;
    match word {
        "used" => {
            let percent = rest
                .strip_suffix('%')?
                .parse::<u32>()
                .ok()
                .filter(|percent| (1..100).contains(percent))?;
            Some(When::Used(percent * 10))
        }
        "before" => read_amount(rest).map(When::Before),
        "after" => read_amount(rest).map(When::After),
        _ => None,
    }
}

fn answer(table: &Table<'_>) -> AnswerRule {
    let rule = AnswerRule {
        category: table.opt_str("category").map(str::to_owned),
        who: one_of(table, "who", Answerer::parse, &Answerer::ALL.map(Answerer::key)).unwrap_or(Answerer::Handler),
        ways: table.strings("ways"),
        source: source(table),
    };
    const WAYS: [&str; 5] = ["in_person", "phone", "sms", "web", "written"];
    if rule.ways.is_empty() || rule.ways.iter().any(|way| !WAYS.contains(&way.as_str())) {
        let problem = table
            .problem("ways", "pack_bad_value")
            .with("value", rule.ways.join(", "));
        table.report(problem.with("allowed", WAYS.join(", ")));
    }
    table.done();
    rule
}

fn verification_rule(table: &Table<'_>) -> VerificationRule {
    let rule = VerificationRule {
        category: table.opt_str("category").map(str::to_owned),
        by: one_of(table, "by", Verifier::parse, &Verifier::ALL.map(Verifier::key)).unwrap_or(Verifier::Centre),
        photos: table.opt_bool("photos").unwrap_or_default(),
        source: source(table),
    };
    table.done();
    rule
}

pub(super) fn one_of<T>(
    table: &Table<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    allowed: &[&str],
) -> Option<T> {
    let text = table.str(key);
    let found = parse(text);
    if found.is_none() && table.has(key) {
        table.report(
            table
                .problem(key, "pack_bad_value")
                .with("value", text)
                .with("allowed", allowed.join(", ")),
        );
    }
    found
}

fn template(table: &Table<'_>) -> Template {
    let template = Template {
        key: table.str("key").to_owned(),
        category: table.opt_str("category").map(str::to_owned),
        name: name(table),
        body: table.str("body").to_owned(),
        source: source(table),
    };
    table.done();
    template
}

fn coded(table: &Table<'_>) -> Coded {
    let coded = Coded {
        key: table.str("key").to_owned(),
        name: name(table),
        source: source(table),
    };
    table.done();
    coded
}

fn channel(table: &Table<'_>) -> Channel {
    let channel = Channel {
        key: table.str("key").to_owned(),
        name: name(table),
        source: source(table),
    };
    const KEYS: [&str; 14] = [
        "web",
        "phone",
        "walk_in",
        "sms",
        "visit",
        "patrol",
        "mailbox",
        "public_account",
        "import",
        "open311",
        "linked",
        "order",
        "volunteer",
        "peer",
    ];
    if !channel.key.is_empty() && !KEYS.contains(&channel.key.as_str()) {
        table.report(
            table
                .problem("key", "pack_bad_value")
                .with("value", &channel.key)
                .with("allowed", KEYS.join(", ")),
        );
    }
    table.done();
    channel
}

fn redirect(table: &Table<'_>) -> Redirect {
    let pair = |zh: &'static str, en: &'static str| Name {
        zh: table.str(zh).to_owned(),
        en: table.opt_str(en).unwrap_or_default().to_owned(),
    };
    let redirect = Redirect {
        key: table.str("key").to_owned(),
        keywords: table
            .strings("keywords")
            .iter()
            .map(|word| domain::text::normalise(word))
            .collect(),
        text: pair("text", "text_en"),
        where_to_go: pair("where", "where_en"),
        may_file: table.opt_bool("may_file").unwrap_or(true),
        source: source(table),
    };
    table.done();
    redirect
}

fn urgent(table: &Table<'_>) -> UrgentHint {
    let hint = UrgentHint {
        keywords: table
            .strings("keywords")
            .iter()
            .map(|word| domain::text::normalise(word))
            .collect(),
        text: Name {
            zh: table.str("text").to_owned(),
            en: table.opt_str("text_en").unwrap_or_default().to_owned(),
        },
        source: source(table),
    };
    table.done();
    hint
}

pub fn calendar_rule(table: &Table<'_>) -> CalendarRule {
    let sessions = sessions(table, "sessions");
    let week = Week::monday_to_friday(&sessions);
    CalendarRule {
        base: table.str("base").to_owned(),
        week,
        seasons: table.tables("season").iter().filter_map(season).collect(),
        shifts: table.tables("shift").iter().filter_map(shift).collect(),
        days: table.tables("day").iter().filter_map(special_day).collect(),
        duty_shift: table.opt_str("duty_shift").map(str::to_owned),
        source: source(table),
    }
}

/// A date with its own hours; `half = true` makes it weigh half a working day.
fn special_day(table: &Table<'_>) -> Option<(jiff::civil::Date, String, DayHours)> {
    let spans = sessions(table, "sessions");
    let hours = if table.opt_bool("half").unwrap_or_default() {
        DayHours::half(&spans)
    } else {
        DayHours::full(&spans)
    };
    let (on, name) = (date(table, "date"), table.str("name").to_owned());
    table.done();
    Some((on?, name, hours))
}

fn sessions(table: &Table<'_>, key: &'static str) -> Vec<Span> {
    let spans = table.strings(key);
    if spans.is_empty() {
        table.report(table.problem(key, "pack_missing_key"));
    }
    spans.iter().filter_map(|text| span(table, key, text)).collect()
}

/// `08:30-12:00`; the end may pass midnight (`30:00` is 06:00 of the next day).
pub(super) fn span(table: &Table<'_>, key: &str, text: &str) -> Option<Span> {
    let minutes = |text: &str| -> Option<u16> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours <= 48 && minutes < 60).then_some(hours * 60 + minutes)
    };
    let found = text.split_once('-').and_then(|(from, to)| {
        Some(Span {
            from: minutes(from)?,
            to: minutes(to)?,
        })
    });
    let found = found.filter(|span| span.from < span.to);
    if found.is_none() {
        table.report(
            table
                .problem(key, "pack_bad_value")
                .with("value", text)
                .with("allowed", "08:30-12:00"),
        );
    }
    found
}

fn season(table: &Table<'_>) -> Option<Season> {
    let week = Week::monday_to_friday(&sessions(table, "sessions"));
    let (from, to) = (date(table, "from"), date(table, "to"));
    table.done();
    Some(Season {
        from: from?,
        to: to?,
        week,
    })
}

fn shift(table: &Table<'_>) -> Option<Shift> {
    let cycle = table.lists("cycle");
    let cycle = cycle
        .iter()
        .map(|day| day.iter().filter_map(|text| span(table, "cycle", text)).collect())
        .collect();
    let (name, anchor) = (table.str("name").to_owned(), date(table, "anchor"));
    table.done();
    Some(Shift {
        name,
        anchor: anchor?,
        cycle,
    })
}

fn date(table: &Table<'_>, key: &'static str) -> Option<jiff::civil::Date> {
    let text = table.str(key);
    let found = text.parse().ok();
    if found.is_none() && table.has(key) {
        table.report(
            table
                .problem(key, "pack_bad_value")
                .with("value", text)
                .with("allowed", "2026-01-31"),
        );
    }
    found
}

/// Days within which a division of the ground can be taken back, where a pack does not say.
const UNDO_DAYS: u32 = 30;

/// `[[grid_band]]` and `[grid_work]`; without them the rules that any place can begin with.
fn grids(pack: &Table<'_>) -> GridRules {
    let mut rules = GridRules::default();
    let bands = pack.tables("grid_band");
    let mut read: Vec<GridBand> = Vec::new();
    for (table, band) in bands.iter().filter_map(|table| Some((table, grid_band(table)?))) {
        if read.iter().filter(|one| one.rural == band.rural).count() == MAX_GRID_BANDS {
            table.report(table.problem("kind", "pack_too_many").with("most", MAX_GRID_BANDS));
        }
        read.push(band);
    }
    for rural in [false, true] {
        if read.iter().any(|band| band.rural == rural) {
            rules.bands.retain(|band| band.rural != rural);
        }
    }
    rules.bands.extend(read);
    if !pack.has("grid_work") {
        return rules;
    }
    if let Some(table) = pack.table("grid_work") {
        const MOST: f64 = 10_000.0;
        rules.per_hectare = table.float("per_hectare", 0.0, MOST);
        rules.per_person = table.float("per_person", 0.0, MOST);
        rules.per_household = table.float("per_household", 0.0, MOST);
        rules.per_enterprise = table.float("per_enterprise", 0.0, MOST);
        rules.minutes = table.int("minutes", 0, 100_000) as u32;
        rules.minutes_household = table.float("minutes_household", 0.0, MOST);
        rules.minutes_enterprise = table.float("minutes_enterprise", 0.0, MOST);
        rules.workers = table.int("workers", 1, 20) as u32;
        rules.source = source(&table);
        table.done();
    }
    rules
}

fn grid_band(table: &Table<'_>) -> Option<GridBand> {
    let (kind, measure) = (table.str("kind"), table.str("measure"));
    let (lo, hi) = (
        table.int("from", 1, 1_000_000) as u32,
        table.int("to", 1, 1_000_000) as u32,
    );
    let bad = |key, value: &str, allowed: &str| {
        table.report(
            table
                .problem(key, "pack_bad_value")
                .with("value", value)
                .with("allowed", allowed),
        );
    };
    if !["urban", "rural"].contains(&kind) {
        bad("kind", kind, "urban, rural");
    }
    let known = Measure::parse(measure);
    if known.is_none() {
        bad("measure", measure, "households, people, enterprises, weighted");
    }
    if hi < lo {
        bad("to", &hi.to_string(), "from..");
    }
    let source = source(table);
    table.done();
    Some(GridBand {
        rural: kind == "rural",
        measure: known?,
        lo,
        hi: hi.max(lo),
        source,
    })
}

fn thresholds_of(table: &Table<'_>) -> Thresholds {
    let whole = |key: &'static str, from: u32, to: u32| {
        let value = table.table(key);
        let inner = value.as_ref();
        let sourced = Sourced {
            value: inner.map_or(from, |table| table.int("value", from.into(), to.into()) as u32),
            source: inner.map_or(Source::Assumption, source),
        };
        if let Some(table) = inner {
            table.done();
        }
        sourced
    };
    let share = |key: &'static str, from: f64, to: f64| {
        let value = table.table(key);
        let inner = value.as_ref();
        let sourced = Sourced {
            value: inner.map_or(from, |table| table.float("value", from, to)),
            source: inner.map_or(Source::Assumption, source),
        };
        if let Some(table) = inner {
            table.done();
        }
        sourced
    };
    let undo = |key: &'static str| match table.has(key) {
        true => whole(key, 1, 366),
        false => Sourced {
            value: UNDO_DAYS,
            source: Source::Assumption,
        },
    };
    Thresholds {
        auto_classify: share("auto_classify", 0.5, 1.0),
        arbiter_after: whole("arbiter_after", 1, 10),
        rework_alert: whole("rework_alert", 1, 10),
        extensions: whole("extensions", 0, 5),
        extension_percent: whole("extension_percent", 1, 300),
        pause_days: whole("pause_days", 1, 366),
        park_review_days: whole("park_review_days", 1, 366),
        reopen_days: whole("reopen_days", 1, 366),
        arrival_minutes: whole("arrival_minutes", 5, 1_440),
        urge_hours: whole("urge_hours", 1, 720),
        duplicate_metres: whole("duplicate_metres", 10, 5_000),
        duplicate_days: whole("duplicate_days", 1, 366),
        duplicate_similarity: share("duplicate_similarity", 0.1, 1.0),
        export_rows_second_person: whole("export_rows_second_person", 1, 100_000),
        resolved_here_percent: whole("resolved_here_percent", 1, 100),
        nearest_metres: whole("nearest_metres", 0, 20_000),
        backlog_days: whole("backlog_days", 1, 366),
        plan_undo_days: undo("plan_undo_days"),
        merge_undo_days: undo("merge_undo_days"),
    }
}
