//! `wangge plan`: draw the grids of a town from two tables, redraw them after a year of change, check any plan.
//!
//! Tables are CSV in UTF-8 (see [`sheet`]). A fault in them is told by its row and nothing is written. What is written has passed the
//! independent checker. Exit code: 0 done (for `check`: nothing broken), 1 refused or broken.

use super::CliError;
use clap::Subcommand;
use serde_json::{Value, json};
use solver::check::{Breach, Figures, breaches, figures, sound};
use solver::partition::{
    Band, Effort, Goal, NONE, Options, Plan, Reason, Rule, Town, Verdict, Watch, Wishes, draw, redraw, weighted,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) mod ground;
mod sheet;

/// Breaches and zones named one by one; the rest are counted.
const MOST_NAMED: usize = 50;

/// What `wangge plan` takes.
#[derive(Debug, Subcommand)]
pub enum PlanArgs {
    /// 从建筑、道路、水系、边界生成相邻图 · Who is next to whom, from maps
    Ground(ground::Args),
    /// 划分网格 · Draw grids
    Draw {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        how: How,
    },
    /// 调整网格：换网格的户数最少 · Redraw: the fewest households change grid
    Redraw {
        #[command(flatten)]
        input: Input,
        /// 现行方案 · The plan as it is (CSV: id, grid)
        #[arg(long, value_name = "CSV")]
        before: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// 核对方案，逐条列出不合之处 · Check a plan; each breach is named
    Check {
        #[command(flatten)]
        input: Input,
        /// 方案 · The plan (CSV: id, grid)
        assignment: PathBuf,
    },
}

/// The town and what is asked of a grid.
#[derive(Debug, clap::Args)]
pub struct Input {
    /// 单元 · Units (CSV: id, x, y, region, area and measures)
    nodes: PathBuf,
    /// 相邻关系 · Who is next to whom (CSV: u, v, shared_perim, w, barrier)
    edges: PathBuf,
    /// 网格规模 · How much a grid holds, such as 200..300
    #[arg(long, value_name = "LO..HI", value_parser = range)]
    band: (f64, f64),
    /// 规模按哪一列，或加权和 · The column counted, or a weighted sum: households=1,enterprises=2
    #[arg(long, value_name = "COLUMN", default_value = "households")]
    weight: String,
    /// 或按另一规模 · Or another band on another measure, such as pop=1000..1500
    #[arg(long = "or", value_name = "COLUMN=LO..HI", value_parser = other_band)]
    or: Vec<(String, f64, f64)>,
    /// 不拆开的组：自然村、小区 · Column of groups to keep whole
    #[arg(long, value_name = "COLUMN")]
    keep_whole: Option<String>,
    /// 线程数 · Threads; the plan is the same for any number
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// How to draw and where it goes.
#[derive(Debug, clap::Args)]
pub struct How {
    /// 结果 · Where the plan goes (CSV: id, grid)
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
    /// 报告 · Where the report goes (JSON)
    #[arg(long, value_name = "JSON")]
    report: Option<PathBuf>,
    /// 随机种子 · Another seed gives another plan
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 最长用时 · Most time to take, such as 5s
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    time_limit: Option<Duration>,
    /// 更看重什么 · What matters most
    #[arg(long, value_enum, default_value = "mixed")]
    goal: Aim,
    /// 快速 · Try less
    #[arg(long)]
    fast: bool,
}

/// See [`Goal`].
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Aim {
    Mixed,
    Balanced,
    Compact,
    LeastCut,
    LeastWalking,
}

/// Does one of them.
pub fn run(args: PlanArgs) -> Result<(), CliError> {
    match args {
        PlanArgs::Ground(args) => ground::run(args),
        PlanArgs::Draw { input, how } => {
            let known = Known::read(&input)?;
            known.made(&how, &input, None, |town, wishes, options, watch| {
                draw(town, &known.rule, wishes, options, watch)
            })
        }
        PlanArgs::Redraw { input, before, how } => {
            let known = Known::read(&input)?;
            let before = known.plan(&before)?;
            known.made(&how, &input, Some(&before), |town, wishes, options, watch| {
                redraw(town, &known.rule, wishes, &before.grid, options, watch)
            })
        }
        PlanArgs::Check { input, assignment } => {
            let known = Known::read(&input)?;
            let plan = known.plan(&assignment)?;
            let name = |g: u32| plan.names[g as usize].clone();
            known.with_town(|town, wishes| {
                let found = breaches(town, &known.rule, wishes, &plan.grid);
                print!("{}", told(&figures(town, &known.rule, &plan.grid)));
                for breach in found.iter().take(MOST_NAMED) {
                    println!("{}", known.breach(breach, &name));
                }
                if found.len() > MOST_NAMED {
                    println!(
                        "另有 {} 处 · and {} more",
                        found.len() - MOST_NAMED,
                        found.len() - MOST_NAMED
                    );
                }
                match found.len() {
                    0 => Ok(()),
                    n => Err(refused("plan_broken", format!("{n} 处不合 · breaches"))),
                }
            })
        }
    }
}

/// A town as read, and its rule.
struct Known {
    units: sheet::Units,
    measures: Vec<Vec<f64>>,
    edges: Vec<solver::partition::Edge>,
    rule: Rule,
}

impl Known {
    fn read(input: &Input) -> Result<Known, CliError> {
        let parts = weights(&input.weight)?;
        let mut measures: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
        measures.extend(input.or.iter().map(|(name, ..)| name.clone()));
        let wanted = sheet::Wanted {
            measures,
            group: input.keep_whole.clone(),
        };
        let threads = input.threads.clamp(1, 64);
        let mut units = sheet::units(&bytes(&input.nodes)?, &wanted, threads).map_err(|f| at(&input.nodes, f))?;
        let edges = sheet::edges(&bytes(&input.edges)?, &units.ids, threads).map_err(|f| at(&input.edges, f))?;
        let mut columns = std::mem::take(&mut units.measures);
        let others = columns.split_off(parts.len());
        let first = match parts[..] {
            [(_, 1.0)] => columns.remove(0),
            _ => weighted(
                &columns
                    .iter()
                    .map(Vec::as_slice)
                    .zip(parts.iter().map(|p| p.1))
                    .collect::<Vec<_>>(),
            ),
        };
        let mut bands = vec![Band {
            measure: 0,
            lo: input.band.0,
            hi: input.band.1,
        }];
        bands.extend(
            input
                .or
                .iter()
                .enumerate()
                .map(|(i, &(_, lo, hi))| Band { measure: i + 1, lo, hi }),
        );
        let known = Known {
            units,
            measures: std::iter::once(first).chain(others).collect(),
            edges,
            rule: Rule {
                kinds: vec![bands],
                kind_of_region: vec![],
            },
        };
        let flaws = known.with_town(|town, wishes| sound(town, &known.rule, wishes, 1));
        match flaws.first() {
            None => Ok(known),
            Some(flaw) => Err(refused("plan_bad_input", format!("{flaw:?}"))),
        }
    }

    fn plan(&self, path: &Path) -> Result<sheet::Assignment, CliError> {
        sheet::assignment(&bytes(path)?, &self.units.ids).map_err(|fault| at(path, fault))
    }

    fn with_town<T>(&self, then: impl FnOnce(&Town, &Wishes) -> T) -> T {
        let measures: Vec<&[f64]> = self.measures.iter().map(Vec::as_slice).collect();
        let town = Town {
            x: &self.units.x,
            y: &self.units.y,
            measures: &measures,
            region: &self.units.region,
            area: &self.units.area,
            edges: &self.edges,
        };
        let wishes = Wishes {
            group: &self.units.group,
            ..Wishes::default()
        };
        then(&town, &wishes)
    }

    /// Makes a plan, checks it, writes it and says what it came to.
    fn made(
        &self,
        how: &How,
        input: &Input,
        before: Option<&sheet::Assignment>,
        make: impl FnOnce(&Town, &Wishes, &Options, Watch) -> Plan,
    ) -> Result<(), CliError> {
        let begun = Instant::now();
        let stop = || how.time_limit.is_some_and(|limit| begun.elapsed() > limit);
        let watch = Watch {
            stop: &stop,
            progress: &|_, _| (),
        };
        let options = Options {
            goal: goal(how.goal),
            seed: how.seed,
            threads: input.threads.clamp(1, 64),
            effort: if how.fast {
                Effort::FAST
            } else {
                Effort::for_units(self.units.ids.len())
            },
        };
        let names = Names::new(before);
        self.with_town(|town, wishes| {
            let plan = make(town, wishes, &options, watch);
            let found = breaches(town, &self.rule, wishes, &plan.grid);
            // What no plan may do: then nothing is written.
            if let Some(bad) = found.iter().find(|b| !matches!(b, Breach::Band { .. })) {
                return Err(refused("plan_unsound", self.breach(bad, &|g| names.of(g))));
            }
            let figures = figures(town, &self.rule, &plan.grid);
            let seconds = begun.elapsed().as_secs_f64();
            write_whole(&how.out, &sheet::written(&self.units.ids, &plan.grid, |g| names.of(g)))?;
            let moved = before.map(|old| self.moved(&old.grid, &plan.grid));
            if let Some(path) = &how.report {
                let report = self.report(&plan, &figures, moved, &names, seconds);
                write_whole(path, format!("{report:#}\n").as_bytes())?;
            }
            print!("{}", told(&figures));
            if let Some(moved) = moved {
                println!("换网格 {moved} · change grid");
            }
            self.tell_broken(&plan);
            if plan.stopped {
                println!("到时停下，还可更好 · stopped by the time limit: could be better");
            }
            Ok(())
        })
    }

    /// Load on the first measure that was in one grid and is in another.
    fn moved(&self, old: &[u32], new: &[u32]) -> f64 {
        let away = |&v: &usize| old[v] != NONE && old[v] != new[v];
        (0..new.len()).filter(away).map(|v| self.measures[0][v]).sum()
    }

    fn tell_broken(&self, plan: &Plan) {
        let broken: Vec<_> = plan.zones.iter().filter(|z| !z.broken.is_empty()).collect();
        for zone in broken.iter().take(MOST_NAMED) {
            let unit = self.units.ids.shown(zone.first_unit as usize);
            let (zh, en) = self.reason(&zone.verdict);
            println!(
                "{unit} 所在片（{} 个单元），{} 个网格不在规模内：{zh} · zone of {unit} ({} units), {} grids out of band: {en}",
                zone.units,
                zone.broken.len(),
                zone.units,
                zone.broken.len()
            );
        }
        if broken.len() > MOST_NAMED {
            println!(
                "另有 {} 片 · and {} more zones",
                broken.len() - MOST_NAMED,
                broken.len() - MOST_NAMED
            );
        }
    }

    fn reason(&self, verdict: &Verdict) -> (String, String) {
        let (zh, en) = match verdict {
            Verdict::Held => ("都在规模内", "all in band"),
            Verdict::Unproven => ("未证明", "unproven"),
            Verdict::Impossible(Reason::Sum) => ("总数放不进任何整数个网格", "no whole number of grids holds its sum"),
            Verdict::Impossible(Reason::Packing) => (
                "无论怎样相邻也分不开",
                "its units cannot be divided so, whoever is next to whom",
            ),
            Verdict::Impossible(Reason::Contiguity) => (
                "连通的分法都不行",
                "no division into connected grids fits; all were tried",
            ),
            Verdict::Impossible(Reason::Units(units)) => {
                let names: Vec<_> = units
                    .iter()
                    .take(MOST_NAMED)
                    .map(|&v| self.units.ids.shown(v as usize))
                    .collect();
                let names = names.join(", ");
                return (
                    format!("单元本身超过上限：{names}"),
                    format!("units above the band on their own: {names}"),
                );
            }
        };
        (zh.to_owned(), en.to_owned())
    }

    fn breach(&self, breach: &Breach, name: &dyn Fn(u32) -> String) -> String {
        let unit = |v: &u32| self.units.ids.shown(*v as usize).into_owned();
        match breach {
            Breach::Unassigned { unit: v } => format!("{} 不在任何网格 · unit {} is in no grid", unit(v), unit(v)),
            Breach::Crosses { grid, one, other } => format!(
                "网格 {} 跨界：{} 与 {} · grid {} crosses a border between {} and {}",
                name(*grid),
                unit(one),
                unit(other),
                name(*grid),
                unit(one),
                unit(other)
            ),
            Breach::Disconnected { grid, one, other } => format!(
                "网格 {} 不连通：{} 到不了 {} · grid {} is in pieces: no way from {} to {}",
                name(*grid),
                unit(one),
                unit(other),
                name(*grid),
                unit(one),
                unit(other)
            ),
            Breach::Band { grid, loads } => {
                let loads: Vec<String> = loads.iter().map(f64::to_string).collect();
                let loads = loads.join(" / ");
                format!(
                    "网格 {} 为 {loads}，不在规模内 · grid {} holds {loads}: out of band",
                    name(*grid),
                    name(*grid)
                )
            }
            Breach::Group { one, other, .. } => format!(
                "{} 与 {} 同组却分在两个网格 · {} and {} are of one group and in two grids",
                unit(one),
                unit(other),
                unit(one),
                unit(other)
            ),
            other => format!("{other:?}"),
        }
    }

    fn report(&self, plan: &Plan, figures: &Figures, moved: Option<f64>, names: &Names, seconds: f64) -> Value {
        let zone = |z: &solver::partition::Zone| {
            let (zh, en) = self.reason(&z.verdict);
            json!({
                "first_unit": self.units.ids.shown(z.first_unit as usize),
                "units": z.units,
                "grids": z.grids,
                "out_of_band": z.broken.iter().map(|&g| names.of(g)).collect::<Vec<_>>(),
                "verdict": match &z.verdict {
                    Verdict::Held => "held",
                    Verdict::Unproven => "unproven",
                    Verdict::Impossible(Reason::Sum) => "sum",
                    Verdict::Impossible(Reason::Units(_)) => "units",
                    Verdict::Impossible(Reason::Packing) => "packing",
                    Verdict::Impossible(Reason::Contiguity) => "contiguity",
                },
                "zh": zh,
                "en": en,
            })
        };
        json!({
            "units": self.units.ids.len(),
            "grids": figures.grids,
            "in_band": figures.in_band,
            "least_load": figures.least_load,
            "most_load": figures.most_load,
            "within_tenth_of_middle": figures.even,
            "cut": figures.cut,
            "compactness": figures.compactness,
            "walk_metres": figures.walk,
            "moved": moved,
            "stopped": plan.stopped,
            "seconds": seconds,
            "zones": plan.zones.iter().filter(|z| z.verdict != Verdict::Held).map(zone).collect::<Vec<_>>(),
        })
    }
}

/// Names of grids: those of the plan before, then numbers nobody has yet.
struct Names {
    old: Vec<String>,
    next: u64,
}

impl Names {
    fn new(before: Option<&sheet::Assignment>) -> Names {
        let old = before.map(|b| b.names.clone()).unwrap_or_default();
        let next = old
            .iter()
            .filter_map(|n| n.parse::<u64>().ok())
            .max()
            .map_or(old.len() as u64, |m| m.saturating_add(1));
        Names { old, next }
    }

    fn of(&self, grid: u32) -> String {
        match self.old.get(grid as usize) {
            Some(name) => name.clone(),
            None => (self.next + u64::from(grid) - self.old.len() as u64).to_string(),
        }
    }
}

fn told(f: &Figures) -> String {
    format!(
        "{} 个网格，{} 个在规模内（{} 至 {}），切断 {:.0}，紧凑度 {:.3}，平均步行 {:.0} 米\n{} grids, {} in band ({} to {}), cut {:.0}, compactness {:.3}, walk {:.0} m\n",
        f.grids,
        f.in_band,
        f.least_load,
        f.most_load,
        f.cut,
        f.compactness,
        f.walk,
        f.grids,
        f.in_band,
        f.least_load,
        f.most_load,
        f.cut,
        f.compactness,
        f.walk
    )
}

fn goal(aim: Aim) -> Goal {
    match aim {
        Aim::Mixed => Goal::Mixed,
        Aim::Balanced => Goal::Balanced,
        Aim::Compact => Goal::Compact,
        Aim::LeastCut => Goal::LeastCut,
        Aim::LeastWalking => Goal::LeastWalking,
    }
}

/// `200..300`
fn range(text: &str) -> Result<(f64, f64), String> {
    let (lo, hi) = text
        .split_once("..")
        .ok_or("写作 LO..HI · write LO..HI, such as 200..300")?;
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    match (number(lo), number(hi)) {
        (Some(lo), Some(hi)) if lo > 0.0 && lo <= hi => Ok((lo, hi)),
        _ => Err("下限须大于 0 且不超过上限 · the lower end must be above 0 and not above the upper".to_owned()),
    }
}

/// `pop=1000..1500`; `people` is the column `pop`.
fn other_band(text: &str) -> Result<(String, f64, f64), String> {
    let (column, band) = text.split_once('=').ok_or("写作 COLUMN=LO..HI · write COLUMN=LO..HI")?;
    let (lo, hi) = range(band)?;
    Ok((column_name(column), lo, hi))
}

fn column_name(name: &str) -> String {
    if name == "people" {
        "pop".to_owned()
    } else {
        name.to_owned()
    }
}

/// A column, or `households=1,enterprises=2`.
fn weights(text: &str) -> Result<Vec<(String, f64)>, CliError> {
    text.split(',')
        .map(|part| {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let weight = weight.parse().ok().filter(|w: &f64| w.is_finite() && *w > 0.0);
            let weight = weight
                .ok_or_else(|| refused("plan_bad_weight", format!("{part}: 权重须大于 0 · weights are above 0")))?;
            Ok((column_name(name), weight))
        })
        .collect()
}

/// `5s`, `0.5s`, `500ms` or plain seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let value = number.parse::<f64>().ok().filter(|v| (0.0..1e6).contains(v));
    value
        .map(|v| Duration::from_secs_f64(v * unit))
        .ok_or_else(|| "写作 5s 或 500ms · write 5s or 500ms".to_owned())
}

fn refused(code: &str, why: impl std::fmt::Display) -> CliError {
    CliError(format!("{code}: {why}"))
}

fn at(path: &Path, fault: sheet::BadRow) -> CliError {
    let what = fault.what;
    match fault.row {
        0 => refused("plan_bad_input", format!("{}: {what}", path.display())),
        row => refused(
            "plan_bad_input",
            format!("{} 第 {row} 行 row {row}: {what}", path.display()),
        ),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: std::io::Error| refused("plan_cannot_read", format!("{}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > sheet::MAX_BYTES {
        return Err(refused(
            "plan_too_large",
            format!("{}: {size} > {}", path.display(), sheet::MAX_BYTES),
        ));
    }
    std::fs::read(path).map_err(unreadable)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    super::replace_file(path, bytes)
        .map_err(|error| refused("plan_cannot_write", format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        args: PlanArgs,
    }

    /// Runs a command line in a folder; the files of it are written with `DIR/`.
    fn wangge(dir: &Path, line: &str) -> Result<(), String> {
        let line = line.replace("DIR", &dir.display().to_string());
        let args =
            Line::try_parse_from(std::iter::once("plan").chain(line.split_whitespace())).map_err(|e| e.to_string())?;
        run(args.args).map_err(|e| e.to_string())
    }

    /// 40 by 30 houses of 4 households each, and the town a year later.
    fn town(dir: &Path) {
        let (mut units, mut later) = (
            String::from("id,x,y,pop,households,region,area,village\n"),
            String::new(),
        );
        let mut edges = String::from("u,v,shared_perim,w,barrier\n");
        for i in 0..1200 {
            let (x, y) = (i % 40, i / 40);
            let row = |h| format!("h{i},{}.5,{},10,{h},{},120,{}\n", x * 12, y * 12, x / 20, i / 6);
            units += &row(4);
            later += &row(if x < 8 && y < 9 { 7 } else { 4 });
            if x < 39 {
                edges += &format!("h{i},h{},10,{},0\n", i + 1, if x % 4 == 3 { 1 } else { 4 });
            }
            if y < 29 {
                edges += &format!("h{i},h{},10,1,0\n", i + 40);
            }
        }
        later.insert_str(0, "id,x,y,pop,households,region,area,village\n");
        for (name, text) in [("units.csv", units), ("later.csv", later), ("edges.csv", edges)] {
            std::fs::write(dir.join(name), text).unwrap();
        }
    }

    #[test]
    fn a_town_is_drawn_checked_and_redrawn() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        town(dir);
        wangge(
            dir,
            "draw DIR/units.csv DIR/edges.csv --band 200..300 --out DIR/plan.csv --report DIR/report.json",
        )
        .unwrap();
        wangge(dir, "check DIR/units.csv DIR/edges.csv DIR/plan.csv --band 200..300").unwrap();
        let report: Value = serde_json::from_slice(&std::fs::read(dir.join("report.json")).unwrap()).unwrap();
        assert_eq!(report["grids"], report["in_band"]);
        let broken = wangge(dir, "check DIR/units.csv DIR/edges.csv DIR/plan.csv --band 310..400").unwrap_err();
        assert!(broken.starts_with("plan_broken"), "{broken}");
        assert!(wangge(dir, "check DIR/later.csv DIR/edges.csv DIR/plan.csv --band 200..300").is_err());
        wangge(
            dir,
            "redraw DIR/later.csv DIR/edges.csv --before DIR/plan.csv --band 200..300 --out DIR/next.csv --report DIR/next.json",
        )
        .unwrap();
        wangge(dir, "check DIR/later.csv DIR/edges.csv DIR/next.csv --band 200..300").unwrap();
        let report: Value = serde_json::from_slice(&std::fs::read(dir.join("next.json")).unwrap()).unwrap();
        assert!(report["moved"].as_f64().unwrap() < 500.0, "{report}");
    }

    #[test]
    fn other_measures_groups_and_options() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        town(dir);
        let drawn = |options: &str| {
            wangge(
                dir,
                &format!("draw DIR/units.csv DIR/edges.csv --out DIR/plan.csv {options}"),
            )?;
            std::fs::read(dir.join("plan.csv")).map_err(|e| e.to_string())
        };
        let one = drawn("--band 200..300 --threads 1").unwrap();
        assert_eq!(one, drawn("--band 200..300 --threads 2 --time-limit 60s").unwrap());
        assert_ne!(one, drawn("--band 200..300 --goal least-cut --seed 5").unwrap());
        drawn("--band 200..300 --keep-whole village --fast").unwrap();
        wangge(
            dir,
            "check DIR/units.csv DIR/edges.csv DIR/plan.csv --band 200..300 --keep-whole village",
        )
        .unwrap();
        drawn("--band 7000..9000 --or people=500..600").unwrap();
        wangge(
            dir,
            "check DIR/units.csv DIR/edges.csv DIR/plan.csv --band 7000..9000 --or pop=500..600",
        )
        .unwrap();
        drawn("--band 300..400 --weight households=1,people=0.1").unwrap();
        for bad in [
            "--band 300..200",
            "--band 200",
            "--band 200..300 --weight nobody",
            "--band 200..300 --time-limit soon",
        ] {
            assert!(drawn(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_rows_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        town(dir);
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        let (units, edges) = (read("units.csv"), read("edges.csv"));
        let refused = |units: &str, edges: &str| {
            std::fs::write(dir.join("units.csv"), units).unwrap();
            std::fs::write(dir.join("edges.csv"), edges).unwrap();
            wangge(
                dir,
                "draw DIR/units.csv DIR/edges.csv --band 200..300 --out DIR/plan.csv",
            )
            .unwrap_err()
        };
        for (units, edges, row) in [
            (units.replace("\nh7,", "\nh6,"), edges.clone(), "row 9"),
            (units.replace("h3,36.5", "h3,NaN"), edges.clone(), "row 5"),
            (
                units.replace("h3,36.5,0,10,4", "h3,36.5,0,10,-4"),
                edges.clone(),
                "row 5",
            ),
            (units.clone(), edges.replace("\nh0,h40,", "\nh0,h0,"), "row 3"),
            (units.clone(), edges.replace("\nh0,h40,", "\nh0,nowhere,"), "row 3"),
        ] {
            let message = refused(&units, &edges);
            assert!(
                message.starts_with("plan_bad_input") && message.contains(row),
                "{message}"
            );
            assert!(!dir.join("plan.csv").exists());
        }
    }
}
