//! `wangge import dwellings`: buildings or addresses with roads, water and borders, or a graph of one's own, into the database.

use super::plan::ground::{datum, layer};
use super::{CliError, serve};
use crate::platform::Ctx;
use crate::platform::config::Config;
use crate::territory::dwellings::maps::{self, BARRIER_ROADS, Communities, Files, How};
use crate::territory::dwellings::{DwellingReport, Graph, graph, import, known_communities};
use std::path::{Path, PathBuf};

/// What `wangge import dwellings` takes.
#[derive(Debug, clap::Args)]
pub struct Dwellings {
    /// 建筑或住址：GeoJSON、GeoPackage、Shapefile（面或点），或 CSV（lon,lat）；几个图层的写作 文件#图层 · Buildings or addresses; FILE#LAYER of several
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "nodes",
        conflicts_with = "nodes"
    )]
    buildings: Option<PathBuf>,
    /// 社区边界（code 或 name 对应区域）；不给则用已导入的边界 · Communities; without it, the borders of the territory
    #[arg(long, value_name = "FILE")]
    communities: Option<PathBuf>,
    /// 道路 · Roads
    #[arg(long, value_name = "FILE")]
    roads: Option<PathBuf>,
    /// 河湖 · Water
    #[arg(long, value_name = "FILE")]
    water: Option<PathBuf>,
    /// 小区、自然村 · Compounds and villages
    #[arg(long, value_name = "FILE")]
    compounds: Option<PathBuf>,
    /// 单元表（id,lon,lat,region,households…）· Units of a graph of one's own
    #[arg(long, value_name = "CSV", requires = "edges")]
    nodes: Option<PathBuf>,
    /// 相邻表（u,v,shared_perim,w,barrier）· Its neighbours
    #[arg(long, value_name = "CSV", requires = "nodes")]
    edges: Option<PathBuf>,
    /// 建筑或单元的坐标系：wgs84、cgcs2000、gcj02 · Datum of the buildings or units
    #[arg(long)]
    datum: String,
    /// 其他图层的坐标系；不给则同上 · Datum of the other files
    #[arg(long)]
    map_datum: Option<String>,
    /// 总户数，按建筑面积分到各栋 · Households in all, shared out by floor area
    #[arg(long, value_name = "N")]
    households_total: Option<u64>,
    /// 人行天桥、地道连通主干道两侧 · Footbridges join both sides of a main road
    #[arg(long)]
    footbridges: bool,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    config: Option<PathBuf>,
    /// 规则包：目录或随程序附带的名称 · Pack: a folder or the key of a shipped one; over the settings
    #[arg(long)]
    pack: Option<PathBuf>,
    /// 只检查，不改动 · Say what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: Dwellings) -> Result<(), CliError> {
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
        let ctx = Ctx::system(&app, "import");
        let report = import(&ctx, read(&ctx, &args)?, args.dry_run).await?;
        told(&report, args.dry_run)
    })
}

fn read(ctx: &Ctx, args: &Dwellings) -> Result<Graph, CliError> {
    let own = datum(&args.datum)?;
    if let (Some(nodes), Some(edges)) = (&args.nodes, &args.edges) {
        let text = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| CliError(format!("{}: {error}", path.display())))
        };
        return Ok(graph::read(&text(nodes)?, &text(edges)?, own)?);
    }
    let optional = |path: &Option<PathBuf>| path.as_deref().map(layer).transpose();
    let buildings = optional(&args.buildings)?;
    let files = Files {
        buildings: buildings.ok_or_else(|| CliError("请用 --buildings 指定建筑 · name the buildings".into()))?,
        communities: match optional(&args.communities)? {
            Some(file) => Communities::File(Some(file)),
            None => Communities::Known(known_communities(ctx)?),
        },
        roads: optional(&args.roads)?,
        water: optional(&args.water)?,
        compounds: optional(&args.compounds)?,
    };
    let how = How {
        own,
        others: args.map_datum.as_deref().map_or(Ok(own), datum)?,
        id_column: None,
        households_column: None,
        households_total: args.households_total,
        barrier_roads: BARRIER_ROADS.map(str::to_owned).into(),
        footbridges: args.footbridges,
        cells: true,
    };
    maps::graph(&files, &how).map_err(CliError::new)
}

fn told(report: &DwellingReport, dry_run: bool) -> Result<(), CliError> {
    println!(
        "读入 rows {}，新增 created {}，替换 replaced {}，结束 ended {}",
        report.rows, report.created, report.replaced, report.ended
    );
    println!(
        "社区 communities {}，户 households {}（分摊 spread {} 处），不在网格里 without grid {}",
        report.communities, report.households, report.spread, report.without_grid
    );
    println!("相邻 links {}，隔断 barriers {}", report.links, report.barriers);
    for line in &report.assumptions {
        println!("假设 assumed: {line}");
    }
    for line in &report.warnings {
        eprintln!("警告 warning: {line}");
    }
    for note in &report.notes {
        let verb = if note.left_out {
            "略去 left out"
        } else {
            "修正 mended"
        };
        eprintln!("{verb} {}: {} [{}]", note.count, note.message, note.code);
    }
    for problem in &report.problems {
        println!(
            "第 {} 行 · row {}: {} [{}]",
            problem.row, problem.row, problem.message, problem.code
        );
    }
    match (report.problems.len(), dry_run) {
        (0, true) => println!("只检查，没有改动 · dry run, nothing was changed"),
        (0, false) => {}
        (count, _) => {
            return Err(CliError(format!(
                "{count} 个问题，没有做任何改动 · problems, nothing was changed"
            )));
        }
    }
    Ok(())
}
