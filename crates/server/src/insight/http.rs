//! Routes of insight: the live board, the funnel by level, the list of indicators.

use super::ageing::{Ageing, Band};
use super::teams::TeamRow;
use super::year::{self, Year};
use super::{Board, Figure, INDICATORS, Period, Row, Slice, share};
use crate::access::Staff;
use crate::platform::http::Public;
use crate::platform::{App, AreaId, Ctx, Fault, Json, Permission, Query, TeamId, UnitId};
use crate::policy::{self, Current};
use crate::territory;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest period of a board or a funnel, in days.
const MAX_PERIOD_DAYS: i64 = 366;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(board))
        .routes(routes!(funnel))
        .routes(routes!(ageing))
        .routes(routes!(teams))
        .routes(routes!(portal_year))
        .routes(routes!(indicators))
}

#[derive(Debug, Deserialize, IntoParams)]
struct BoardQuery {
    /// The area; the top of what the caller may see when left out.
    area: Option<AreaId>,
    /// First day of the period, `2026-01-01`; 30 days up to today when left out.
    from: Option<String>,
    /// Last day of the period; today when left out.
    to: Option<String>,
}

/// The live board of an area.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardView {
    /// When it was counted.
    as_of: String,
    area: BoardArea,
    /// The areas above that the caller may see, from the top.
    above: Vec<BoardArea>,
    figures: Vec<FigureView>,
    children: Vec<ChildView>,
    by_category: Vec<CategorySlice>,
    by_unit: Vec<UnitSlice>,
    by_channel: Vec<ChannelSlice>,
    trend: Vec<TrendDay>,
    resolved_by_level: Vec<LevelShare>,
    /// The pack's target for what is resolved at the lowest two levels, 0 to 1.
    resolved_here_target: f64,
    /// First and last day of "the period".
    from: String,
    to: String,
    year: YearView,
}

/// A year in figures, today its last day.
#[derive(Debug, Serialize, ToSchema)]
struct YearView {
    from: String,
    to: String,
    /// Cases received, merged ones once. To the public, nothing of fewer than 10.
    received: Option<i64>,
    /// Cases closed and not reopened since.
    solved: Option<i64>,
    /// People who sit in a post today, each once.
    serving: Option<i64>,
}

impl YearView {
    fn of(year: Year, told: impl Fn(i64) -> Option<i64>) -> YearView {
        YearView {
            from: date(year.from),
            to: date(year.to),
            received: told(year.received),
            solved: told(year.solved),
            serving: told(year.serving),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct BoardArea {
    id: AreaId,
    name: String,
    full_name: String,
    level: String,
    level_name: String,
}

/// A figure with its definition and the list behind it.
#[derive(Debug, Serialize, ToSchema)]
struct FigureView {
    key: String,
    name: String,
    definition: String,
    value: Option<f64>,
    unit: String,
    numerator: i64,
    denominator: Option<i64>,
    /// The cases behind it, on the desk.
    link: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ChildView {
    area: BoardArea,
    open: i64,
    late: i64,
    received_today: i64,
    closed_today: i64,
    on_time_rate: Option<f64>,
    answered_rate: Option<f64>,
    resolved_here_rate: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CategorySlice {
    code: String,
    name: String,
    count: i64,
    late: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct UnitSlice {
    id: Option<UnitId>,
    name: String,
    count: i64,
    late: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct ChannelSlice {
    key: String,
    name: String,
    count: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct TrendDay {
    day: String,
    received: i64,
    closed: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct LevelShare {
    level: String,
    level_name: String,
    depth: u8,
    count: i64,
    share: f64,
}

/// The live board: what is open, where, whose, how late.
#[utoipa::path(get, path = "/board", tag = "insight", params(BoardQuery), responses((status = 200, body = BoardView)))]
async fn board(Staff(ctx): Staff, Query(query): Query<BoardQuery>) -> Result<Json<BoardView>, Fault> {
    ctx.scope.require(Permission::BoardRead)?;
    let period = asked(&ctx, query.from.as_deref(), query.to.as_deref())?;
    let current = policy::current(&ctx.app)?;
    // Figures of a period that is over are told by the areas of its last day.
    let tree = match period.to < period.today {
        true => territory::division::on(&ctx.app, domain::time::date_of(period.to)).await?,
        false => territory::current(&ctx.app),
    };
    let of_day = tree.clone();
    let board = ctx
        .app
        .read(&ctx, move |ctx, tx| super::board(ctx, tx, &of_day, query.area, period))
        .await?;
    Ok(Json(view(&ctx, &current, &tree, board, period)))
}

/// What the whole place did in a year, for anybody.
#[utoipa::path(get, path = "/portal/year", tag = "portal", responses((status = 200, body = YearView)))]
async fn portal_year(Public(ctx): Public) -> Result<Json<YearView>, Fault> {
    let year = ctx.app.read(&ctx, year::whole).await?;
    Ok(Json(YearView::of(year, year::told)))
}

fn board_area(ctx: &Ctx, current: &Current, map: &territory::Map, id: AreaId) -> BoardArea {
    let area = map.area(id);
    let level = area.map(|area| area.level.clone()).unwrap_or_default();
    BoardArea {
        id,
        name: area.map(|area| area.name.clone()).unwrap_or_default(),
        full_name: map.full_name(id),
        level_name: level_name(ctx, current, &level),
        level,
    }
}

/// The areas above one that the caller may see, from the top.
fn areas_above(ctx: &Ctx, current: &Current, map: &territory::Map, top: AreaId) -> Vec<BoardArea> {
    map.chain(top)
        .into_iter()
        .filter(|area| area.id != top && ctx.scope.covers(&area.chain, Permission::BoardRead))
        .map(|area| board_area(ctx, current, map, area.id))
        .collect()
}

fn view(ctx: &Ctx, current: &Current, map: &territory::Map, board: Board, period: Period) -> BoardView {
    let area_view = |id: AreaId| board_area(ctx, current, map, id);
    let top = board.area.id;
    let closed: i64 = board.by_depth.iter().map(|(_, n)| n).sum();
    BoardView {
        as_of: ctx.now.to_string(),
        area: area_view(top),
        above: areas_above(ctx, current, map, top),
        figures: board
            .figures
            .iter()
            .map(|figure| figure_view(ctx, top, figure, period))
            .collect(),
        children: board
            .children
            .into_iter()
            .map(|row| child_view(row, map, area_view))
            .collect(),
        by_category: board
            .by_category
            .into_iter()
            .map(|slice| category_slice(ctx, current, slice))
            .collect(),
        by_unit: board
            .by_unit
            .into_iter()
            .map(|(slice, name)| UnitSlice {
                id: slice.key,
                name: unit_name(ctx, slice.key, name),
                count: slice.open,
                late: slice.late,
            })
            .collect(),
        by_channel: board
            .by_channel
            .into_iter()
            .map(|(key, count)| channel_slice(ctx, current, key, count))
            .collect(),
        trend: board
            .trend
            .into_iter()
            .map(|day| TrendDay {
                day: date(day.day),
                received: day.received,
                closed: day.closed,
            })
            .collect(),
        resolved_by_level: board
            .by_depth
            .into_iter()
            .map(|(depth, count)| {
                let level = current.pack.levels.get(usize::from(depth).wrapping_sub(1));
                let key = level.map(|level| level.key.clone()).unwrap_or_default();
                LevelShare {
                    level_name: level_name(ctx, current, &key),
                    level: key,
                    depth,
                    count,
                    share: share(count, closed).unwrap_or(0.0),
                }
            })
            .collect(),
        resolved_here_target: f64::from(current.pack.thresholds.resolved_here_percent.value) / 100.0,
        from: date(period.from),
        to: date(period.to),
        year: YearView::of(board.year, Some),
    }
}

fn figure_view(ctx: &Ctx, area: AreaId, figure: &Figure, period: Period) -> FigureView {
    FigureView {
        key: figure.indicator.key.to_owned(),
        name: figure.indicator.name(ctx.lang).to_owned(),
        definition: figure.indicator.definition(ctx.lang).to_owned(),
        value: figure.value(),
        unit: figure.indicator.unit.to_owned(),
        numerator: figure.numerator,
        denominator: figure.denominator,
        link: link(area, figure.indicator.key, period),
    }
}

/// The list of cases a figure counts, as an address of the desk.
fn link(area: AreaId, key: &str, Period { from, to, today }: Period) -> String {
    let (first, last, today) = (date(from), date(to), date(today));
    let rest = match key {
        "open" => "&queue=all&state=open".to_owned(),
        "late" => "&queue=late".to_owned(),
        "received_today" => format!("&queue=all&received_from={today}"),
        "received" => format!("&queue=all&received_from={first}&received_to={last}"),
        "closed_today" => format!("&queue=all&state=closed&ended_from={today}"),
        "closed" | "resolved_here_rate" => format!("&queue=all&state=closed&ended_from={first}&ended_to={last}"),
        _ => format!("&queue=all&handled_from={first}&handled_to={last}"),
    };
    format!("/desk/cases?area={area}{rest}")
}

fn date(day: i64) -> String {
    Timestamp::from_day(day, 0).date().to_string()
}

/// The period asked for.
///
/// Errors: `date_expected`, `period_out_of_range` (the other way round, or longer than a year).
fn asked(ctx: &Ctx, from: Option<&str>, to: Option<&str>) -> Result<Period, Fault> {
    let usual = Period::usual(ctx);
    let to = day_of(to, "to")?.unwrap_or(usual.to);
    let from = day_of(from, "from")?.unwrap_or(to - (usual.to - usual.from));
    if from > to || to - from > MAX_PERIOD_DAYS {
        return Err(Fault::invalid("from", "period_out_of_range"));
    }
    Ok(Period { from, to, ..usual })
}

fn child_view(row: Row, map: &territory::Map, area_view: impl Fn(AreaId) -> BoardArea) -> ChildView {
    let depth = map.area(row.area).map_or(1, |area| area.depth);
    let counts = row.counts;
    ChildView {
        area: area_view(row.area),
        open: counts.open,
        late: counts.late,
        received_today: counts.received_today,
        closed_today: counts.closed_today,
        on_time_rate: share(counts.handled_on_time, counts.handled),
        answered_rate: share(counts.handled_answered, counts.handled),
        resolved_here_rate: share(counts.resolved_from(depth), counts.closed),
    }
}

fn level_name(ctx: &Ctx, current: &Current, level: &str) -> String {
    match current.pack.level(level) {
        Some(level) => ctx.lang.pick(&level.name.zh, &level.name.en).to_owned(),
        None => ctx.lang.pick("未经单位办理", "Without a unit").to_owned(),
    }
}

fn category_name(ctx: &Ctx, current: &Current, code: &str) -> String {
    match current.pack.category(code) {
        Some(category) => ctx.lang.pick(&category.name.zh, &category.name.en).to_owned(),
        None => ctx.lang.pick("待分类", "Not classified").to_owned(),
    }
}

fn category_slice(ctx: &Ctx, current: &Current, slice: Slice<String>) -> CategorySlice {
    CategorySlice {
        name: category_name(ctx, current, &slice.key),
        code: slice.key,
        count: slice.open,
        late: slice.late,
    }
}

fn unit_name(ctx: &Ctx, unit: Option<UnitId>, name: String) -> String {
    if unit.is_none() {
        ctx.lang.pick("待派遣", "Not dispatched").to_owned()
    } else {
        name
    }
}

fn channel_slice(ctx: &Ctx, current: &Current, key: String, count: i64) -> ChannelSlice {
    let name = current.pack.channels.iter().find(|channel| channel.key == key);
    let name = name.map_or_else(
        || key.clone(),
        |channel| ctx.lang.pick(&channel.name.zh, &channel.name.en).to_owned(),
    );
    ChannelSlice { key, name, count }
}

#[derive(Debug, Deserialize, IntoParams)]
struct FunnelQuery {
    /// The area; the top of what the caller may see when left out.
    area: Option<AreaId>,
    /// First day, `2026-01-01`; the start of the board's period when left out.
    from: Option<String>,
    /// Last day; today when left out.
    to: Option<String>,
}

/// Where matters were resolved, per class of matter.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunnelView {
    area_id: AreaId,
    from: String,
    to: String,
    /// The levels, from the lowest up.
    levels: Vec<FunnelLevel>,
    rows: Vec<FunnelRow>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FunnelLevel {
    depth: u8,
    level: String,
    name: String,
}

/// A first-level class of matter: how many were resolved at each of `levels`.
#[derive(Debug, Serialize, ToSchema)]
struct FunnelRow {
    code: String,
    name: String,
    counts: Vec<i64>,
    total: i64,
}

/// Resolution by level as a funnel, per class of matter.
#[utoipa::path(get, path = "/board/funnel", tag = "insight", params(FunnelQuery), responses((status = 200, body = FunnelView)))]
async fn funnel(Staff(ctx): Staff, Query(query): Query<FunnelQuery>) -> Result<Json<FunnelView>, Fault> {
    ctx.scope.require(Permission::BoardRead)?;
    let current = policy::current(&ctx.app)?;
    let Period { from, to, .. } = asked(&ctx, query.from.as_deref(), query.to.as_deref())?;
    let (area, cells) = ctx
        .app
        .read(&ctx, move |ctx, tx| super::funnel(ctx, tx, query.area, from, to))
        .await?;
    let depths: Vec<u8> = (1..=current.pack.levels.len() as u8).rev().chain([0]).collect();
    let mut rows: Vec<FunnelRow> = Vec::new();
    for (code, depth, n) in cells {
        let class = first_level(&current, &code);
        let at = rows.iter().position(|row| row.code == class).unwrap_or_else(|| {
            rows.push(FunnelRow {
                name: category_name(&ctx, &current, &class),
                code: class.clone(),
                counts: vec![0; depths.len()],
                total: 0,
            });
            rows.len() - 1
        });
        let row = &mut rows[at];
        row.total += n;
        if let Some(column) = depths.iter().position(|known| *known == depth) {
            row.counts[column] += n;
        }
    }
    rows.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.code.cmp(&b.code)));
    let levels = depths.iter().map(|depth| {
        let key = current
            .pack
            .levels
            .get(usize::from(*depth).wrapping_sub(1))
            .map(|level| level.key.clone())
            .unwrap_or_default();
        FunnelLevel {
            depth: *depth,
            name: level_name(&ctx, &current, &key),
            level: key,
        }
    });
    Ok(Json(FunnelView {
        area_id: area.id,
        from: date(from),
        to: date(to),
        levels: levels.collect(),
        rows,
    }))
}

/// The first-level class a category belongs to.
fn first_level(current: &Current, code: &str) -> String {
    let mut code = code.to_owned();
    while let Some(parent) = current
        .pack
        .category(&code)
        .and_then(|category| category.parent.clone())
    {
        code = parent;
    }
    code
}

fn day_of(text: Option<&str>, field: &'static str) -> Result<Option<i64>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let date = text
        .parse::<jiff::civil::Date>()
        .map_err(|_| Fault::invalid(field, "date_expected"))?;
    Ok(Some(Timestamp::start_of(date).day_and_ms().0))
}

#[derive(Debug, Deserialize, IntoParams)]
struct AgeingQuery {
    /// The area; the top of what the caller may see when left out.
    area: Option<AreaId>,
    /// A class of matter with everything below it; the pack's disputes when left out.
    category: Option<String>,
}

/// How old what is open is, by area.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgeingView {
    as_of: String,
    area: BoardArea,
    /// The areas above that the caller may see, from the top.
    above: Vec<BoardArea>,
    /// Bands of age in days since receiving, the youngest first; the last is the backlog.
    bands: Vec<AgeBand>,
    /// After so many days an open case counts as piled up.
    backlog_days: i64,
    /// Names of the classes counted.
    classes: Vec<String>,
    /// The area itself, then its parts.
    rows: Vec<AgeRow>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AgeBand {
    from_days: i64,
    /// None for the backlog.
    to_days: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AgeRow {
    area: BoardArea,
    /// One a band.
    counts: Vec<LinkedCount>,
    total: LinkedCount,
    /// Age in days of the oldest.
    oldest_days: Option<i64>,
}

/// A number and the cases behind it, on the desk.
#[derive(Debug, Serialize, ToSchema)]
struct LinkedCount {
    count: i64,
    link: String,
}

/// Open disputes (or another class) by age and area, and what is piled up beyond the pack's days.
#[utoipa::path(get, path = "/board/ageing", tag = "insight", params(AgeingQuery), responses((status = 200, body = AgeingView)))]
async fn ageing(Staff(ctx): Staff, Query(query): Query<AgeingQuery>) -> Result<Json<AgeingView>, Fault> {
    ctx.scope.require(Permission::BoardRead)?;
    let current = policy::current(&ctx.app)?;
    let roots: Vec<String> = match query.category.filter(|code| !code.is_empty()) {
        Some(code) if current.pack.category(&code).is_none() => {
            return Err(Fault::invalid("category", "category_unknown"));
        }
        Some(code) => vec![code],
        None => current.pack.disputes().map(|class| class.code.clone()).collect(),
    };
    let (pack, wanted) = (current.clone(), roots.clone());
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            super::ageing::ageing(ctx, tx, &pack.pack, query.area, &wanted)
        })
        .await?;
    Ok(Json(ageing_view(&ctx, &current, &roots, found)))
}

fn ageing_view(ctx: &Ctx, current: &Current, roots: &[String], found: Ageing) -> AgeingView {
    let map = territory::current(&ctx.app);
    let (today, _) = ctx.now.day_and_ms();
    let day = |age: i64| Timestamp::from_day(today - age, 0).date().to_string();
    let link = |area: AreaId, band: Option<&Band>| {
        let since = match band {
            None => String::new(),
            Some(Band { from, to: Some(to) }) => format!("&received_from={}&received_to={}", day(*to), day(*from)),
            Some(Band { from, to: None }) => format!("&received_to={}", day(*from)),
        };
        format!(
            "/desk/cases?area={area}&queue=all&state=open&category={}{since}",
            roots.join(",")
        )
    };
    let rows = found.rows.iter().map(|row| AgeRow {
        area: board_area(ctx, current, &map, row.area),
        counts: row
            .counts
            .iter()
            .zip(&found.bands)
            .map(|(count, band)| LinkedCount {
                count: *count,
                link: link(row.area, Some(band)),
            })
            .collect(),
        total: LinkedCount {
            count: row.counts.iter().sum(),
            link: link(row.area, None),
        },
        oldest_days: row.oldest,
    });
    AgeingView {
        as_of: ctx.now.to_string(),
        area: board_area(ctx, current, &map, found.area.id),
        above: areas_above(ctx, current, &map, found.area.id),
        bands: found
            .bands
            .iter()
            .map(|band| AgeBand {
                from_days: band.from,
                to_days: band.to,
            })
            .collect(),
        backlog_days: i64::from(current.pack.thresholds.backlog_days.value),
        classes: roots.iter().map(|code| category_name(ctx, current, code)).collect(),
        rows: rows.collect(),
    }
}

/// What the visiting teams of an area heard in a period and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamFigures {
    /// When it was counted.
    as_of: String,
    area: BoardArea,
    /// The areas above that the caller may see, from the top.
    above: Vec<BoardArea>,
    /// First and last day of the period.
    from: String,
    to: String,
    rows: Vec<TeamFigure>,
}

/// One visiting team's figures; each number leads to its cases.
#[derive(Debug, Serialize, ToSchema)]
struct TeamFigure {
    id: TeamId,
    name: String,
    /// The unit that sends it.
    unit: String,
    liaison: String,
    /// It visits today.
    in_force: bool,
    /// Heard in the period.
    heard: LinkedCount,
    /// Of these answered on the spot.
    on_the_spot: LinkedCount,
    /// Open now, whenever heard.
    open: LinkedCount,
    /// Late now.
    late: LinkedCount,
    /// Handled in the period.
    handled: LinkedCount,
    /// Of these within the limit.
    handled_on_time: LinkedCount,
    /// Of these with an answer given.
    handled_answered: LinkedCount,
    /// 0 to 1; none where nothing was handled.
    on_time_rate: Option<f64>,
    answered_rate: Option<f64>,
}

/// Figures of the visiting teams: heard, on the spot, open, late, handled in time, answered (LH-22).
#[utoipa::path(get, path = "/board/teams", tag = "insight", params(BoardQuery), responses((status = 200, body = TeamFigures)))]
async fn teams(Staff(ctx): Staff, Query(query): Query<BoardQuery>) -> Result<Json<TeamFigures>, Fault> {
    ctx.scope.require(Permission::BoardRead)?;
    let period = asked(&ctx, query.from.as_deref(), query.to.as_deref())?;
    let current = policy::current(&ctx.app)?;
    let (area, rows) = ctx
        .app
        .read(&ctx, move |ctx, tx| super::teams::teams(ctx, tx, query.area, period))
        .await?;
    let map = territory::current(&ctx.app);
    Ok(Json(TeamFigures {
        as_of: ctx.now.to_string(),
        above: areas_above(&ctx, &current, &map, area.id),
        from: date(period.from),
        to: date(period.to),
        rows: rows
            .into_iter()
            .map(|row| team_figure(&ctx, area.id, row, period))
            .collect(),
        area: board_area(&ctx, &current, &map, area.id),
    }))
}

fn team_figure(ctx: &Ctx, area: AreaId, row: TeamRow, Period { from, to, .. }: Period) -> TeamFigure {
    let (first, last) = (date(from), date(to));
    let id = row.team.id;
    let number = |count: i64, rest: String| LinkedCount {
        count,
        link: format!("/desk/cases?area={area}&team={id}{rest}"),
    };
    let heard = format!("&queue=all&received_from={first}&received_to={last}");
    let handled = format!("&queue=all&handled_from={first}&handled_to={last}");
    let counts = row.counts;
    TeamFigure {
        id,
        name: row.team.name,
        unit: row.unit,
        liaison: row.liaison,
        in_force: row.team.term.covers(ctx.now.date()),
        on_the_spot: number(counts.on_the_spot, format!("{heard}&on_the_spot=true")),
        heard: number(counts.heard, heard),
        open: number(counts.open, "&queue=all&state=open".to_owned()),
        late: number(counts.late, "&queue=late".to_owned()),
        handled_on_time: number(counts.handled_on_time, format!("{handled}&on_time=true")),
        handled_answered: number(counts.handled_answered, format!("{handled}&answered=true")),
        handled: number(counts.handled, handled),
        on_time_rate: share(counts.handled_on_time, counts.handled),
        answered_rate: share(counts.handled_answered, counts.handled),
    }
}

/// An indicator and its definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorView {
    key: String,
    name: String,
    unit: String,
    definition: String,
}

/// What each figure means.
#[utoipa::path(get, path = "/indicators", tag = "insight", responses((status = 200, body = Vec<IndicatorView>)))]
async fn indicators(Staff(ctx): Staff) -> Result<Json<Vec<IndicatorView>>, Fault> {
    let list = INDICATORS.iter().map(|indicator| IndicatorView {
        key: indicator.key.to_owned(),
        name: indicator.name(ctx.lang).to_owned(),
        unit: indicator.unit.to_owned(),
        definition: indicator.definition(ctx.lang).to_owned(),
    });
    Ok(Json(list.collect()))
}
