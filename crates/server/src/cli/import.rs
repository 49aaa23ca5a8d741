//! `wangge import areas FILE`: division codes, or boundaries, from a file into the database. Lists of cases are in `lists.rs`.

use super::lists::{self, ListArgs};
use super::plan::ground::layer;
use super::{CliError, dwellings, people, registers, requests311, serve};
use crate::platform::config::Config;
use crate::platform::{App, Ctx};
use crate::{policy, territory};
use domain::geo::Datum;
use std::path::{Path, PathBuf};

/// What `wangge import` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 区划代码（CSV：code,name）或边界（GeoJSON、GeoPackage、Shapefile）· Areas from CSV, or boundaries from a map
    Areas(Areas),
    /// 房屋和相邻关系：建筑、住址、道路、水系、边界，或自备的单元和相邻表 · Dwellings and who is next to whom
    Dwellings(dwellings::Dwellings),
    /// 历史来信及答复（CSV、xlsx：id,user,title,received_at,text,answer,answered_at,category）· Past messages with their answers
    Messages(ListArgs),
    /// 其他城市公开的 311 工单（CSV，同目录有分类、部门、渠道、区域对照表和边界）· Service requests of another city, with its look-ups
    Requests311(requests311::Requests311),
    /// 户和居民（CSV、xlsx）· Households and people
    People(people::People),
    /// 关爱名册（CSV、xlsx：名册、姓名、身份证号）· People on care registers
    Registers(registers::Registers),
    /// 事件表格（CSV、xlsx，列名中英文均可）· A list of cases
    Cases(ListArgs),
}

#[derive(Debug, clap::Args)]
struct Areas {
    /// 文件 · The file; .geojson, .json, .gpkg, .zip and .shp are taken as boundaries
    file: PathBuf,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    config: Option<PathBuf>,
    /// 规则包：目录或随程序附带的名称 · Pack: a folder or the key of a shipped one; over the settings
    #[arg(long)]
    pack: Option<PathBuf>,
    /// 上级区域的名称（CSV：code,name）· Names of areas the file lacks
    #[arg(long)]
    names: Option<PathBuf>,
    /// 边界的坐标系：wgs84、cgcs2000、gcj02 · Datum of boundaries
    #[arg(long)]
    datum: Option<String>,
    /// 只检查，不改动 · Say what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: Args) -> Result<(), CliError> {
    let args = match args.command {
        Command::Areas(args) => args,
        Command::Dwellings(args) => return dwellings::run(args),
        Command::People(args) => return people::run(args),
        Command::Registers(args) => return registers::run(args),
        Command::Requests311(args) => return requests311::run(args),
        Command::Messages(args) | Command::Cases(args) => return lists::run(args),
    };
    let mut config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    if args.pack.is_some() {
        config.pack.clone_from(&args.pack);
    }
    if config.pack.is_none() {
        return Err(CliError("请用 --pack 指定规则包 · name the pack with --pack".into()));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = serve::open(config).await?;
        areas(&app, &args).await
    })
}

async fn areas(app: &App, args: &Areas) -> Result<(), CliError> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|error| CliError(format!("{}: {error}", path.display())))
    };
    let names = args
        .names
        .as_ref()
        .map(read)
        .transpose()?
        .map(|text| policy::names_in(&text))
        .unwrap_or_default();
    let ctx = Ctx::system(app, "import");
    let report = if is_map(&args.file) {
        let datum = args.datum.as_deref().and_then(Datum::parse);
        let datum =
            datum.ok_or_else(|| CliError("请用 --datum 说明坐标系 · say the datum: wgs84, cgcs2000, gcj02".into()))?;
        territory::import_boundaries(&ctx, layer(&args.file)?, datum, args.dry_run).await?
    } else {
        let rows = territory::read_csv(&read(&args.file)?)?;
        territory::import_areas(&ctx, rows, names, args.dry_run).await?
    };
    println!("读入 rows {}，其他辖区 elsewhere {}", report.rows, report.elsewhere);
    for (level, count) in &report.by_level {
        println!("  {level}: {count}");
    }
    println!(
        "新增 created {}，更名 renamed {}，边界 boundaries {}",
        report.created, report.renamed, report.boundaries
    );
    println!("待命名 placeholders {}", report.placeholders);
    for problem in &report.problems {
        println!(
            "第 {} 行 · row {}: {} [{}]",
            problem.row, problem.row, problem.message, problem.code
        );
    }
    match (report.problems.len(), args.dry_run) {
        (0, true) => println!("只检查，没有改动 · dry run, nothing was changed"),
        (0, false) => println!(
            "区域版本 territory version {}",
            report.territory_version.map_or("-".into(), |v| v.to_string())
        ),
        (count, _) => {
            return Err(CliError(format!(
                "{count} 个问题，没有做任何改动 · problems, nothing was changed"
            )));
        }
    }
    Ok(())
}

/// By its ending, with or without `#LAYER` behind it.
fn is_map(file: &Path) -> bool {
    let text = file.to_string_lossy().to_lowercase();
    let path = text.split_once('#').map_or(text.as_str(), |(path, _)| path);
    ["json", ".gpkg", ".zip", ".shp"].iter().any(|end| path.ends_with(end))
}
