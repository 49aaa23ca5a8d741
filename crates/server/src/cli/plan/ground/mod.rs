//! `wangge plan ground`: the graph of dwellings from maps: buildings or a list of positions, communities, roads, water.
//!
//! Writes `nodes.csv` (id, x, y, pop, households, enterprises, region, area, ext_perim, street, compound) and `edges.csv` (u, v, shared_perim,
//! w, barrier), which `wangge plan draw` reads. Metres, on a plane that touches the earth in the middle of the town. Every assumption and every
//! row that was mended or left out is in the report.

mod picture;

use crate::cli::CliError;
use crate::territory::dwellings::maps::{Communities, Files, Home, How, Report, Town, made};
use crate::territory::features::{BESIDE, MapFile};
use domain::geo::Datum;
use solver::ground::Ground;
use std::path::{Path, PathBuf};

/// Rows of each kind of problem shown at the terminal.
const SHOWN: usize = 5;

/// What `wangge plan ground` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 建筑或住址：GeoJSON、GeoPackage、Shapefile（面或点），或 CSV（lon,lat）；几个图层的写作 文件#图层 · Buildings or addresses; FILE#LAYER of several
    #[arg(long, value_name = "FILE")]
    buildings: PathBuf,
    /// 村、社区边界：面（网格不跨越）；线当作不可跨越的边界 · Communities: no grid crosses them
    #[arg(long, value_name = "FILE")]
    communities: Option<PathBuf>,
    /// 道路：主干道不跨越，其余定沿街关系 · Roads: main roads are barriers, others make streets
    #[arg(long, value_name = "FILE")]
    roads: Option<PathBuf>,
    /// 河湖 · Water
    #[arg(long, value_name = "FILE")]
    water: Option<PathBuf>,
    /// 小区、自然村：尽量不拆开 · Compounds and villages, kept together
    #[arg(long, value_name = "FILE")]
    compounds: Option<PathBuf>,
    /// 节点表 · Where the dwellings go
    #[arg(long, value_name = "NODES.csv", default_value = "nodes.csv")]
    out_nodes: PathBuf,
    /// 相邻表 · Where the neighbours go
    #[arg(long, value_name = "EDGES.csv", default_value = "edges.csv")]
    out_edges: PathBuf,
    /// 报告：假设、警告、逐行问题 · Assumptions, warnings and rows with problems (JSON)
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// 画一张图看看 · A picture to look at
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// 总户数，按建筑面积分到各栋 · Households in all, shared out by floor area
    #[arg(long, value_name = "N", conflicts_with = "households_column")]
    households_total: Option<u64>,
    /// 建筑里的户数列（默认 households）· Column with a building's households
    #[arg(long, value_name = "NAME")]
    households_column: Option<String>,
    /// 编号列（默认 id、@id、osm_id、code）· Column with a building's id
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// 建筑的坐标系：wgs84、cgcs2000、gcj02 · Datum of the buildings
    #[arg(long, default_value = "wgs84")]
    datum: String,
    /// 其他图层的坐标系 · Datum of the other files
    #[arg(long, default_value = "wgs84")]
    map_datum: String,
    /// 不可跨越的道路等级 · Classes of roads that are barriers
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "motorway,motorway_link,trunk,trunk_link,primary"
    )]
    barrier_roads: Vec<String>,
    /// 人行天桥、地道连通主干道两侧 · Footbridges and underpasses join both sides of a main road
    #[arg(long)]
    footbridges: bool,
}

/// Makes the graph and writes it.
pub fn run(args: Args) -> Result<(), CliError> {
    let (files, how) = (files(&args)?, how(&args)?);
    let mut report = Report::default();
    let (town, ground) = made(&files, &how, &mut report).map_err(CliError::new)?;
    write(&args.out_nodes, &nodes(&town, &ground)?)?;
    write(&args.out_edges, &edges(&town.homes, &ground)?)?;
    if let Some(path) = &args.picture {
        write(path, picture::svg(&town.input, &ground).as_bytes())?;
    }
    if let Some(path) = &args.report {
        write(path, &serde_json::to_vec_pretty(&report).map_err(CliError::new)?)?;
    }
    print(&report);
    Ok(())
}

fn files(args: &Args) -> Result<Files, CliError> {
    let optional = |path: &Option<PathBuf>| path.as_deref().map(layer).transpose();
    Ok(Files {
        buildings: layer(&args.buildings)?,
        communities: Communities::File(optional(&args.communities)?),
        roads: optional(&args.roads)?,
        water: optional(&args.water)?,
        compounds: optional(&args.compounds)?,
    })
}

fn how(args: &Args) -> Result<How, CliError> {
    Ok(How {
        own: datum(&args.datum)?,
        others: datum(&args.map_datum)?,
        id_column: args.id_column.clone(),
        households_column: args.households_column.clone(),
        households_total: args.households_total,
        barrier_roads: args.barrier_roads.iter().map(|class| class.trim().to_owned()).collect(),
        footbridges: args.footbridges,
        cells: false,
    })
}

/// Reads a file of a map, `FILE` or `FILE#LAYER`, of a `.shp` those beside it too; its name is what messages call it.
pub fn layer(path: &Path) -> Result<MapFile, CliError> {
    let text = path.to_string_lossy();
    let named = text.rsplit_once('#').filter(|_| !path.exists());
    let (path, layer) = named.map_or((path, None), |(path, layer)| (Path::new(path), Some(layer.to_owned())));
    let mut file = MapFile::new(path.display().to_string(), bytes(path)?).layer(layer);
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("shp")) {
        for ending in BESIDE {
            let both = [path.with_extension(ending), path.with_extension(ending.to_uppercase())];
            if let Some(beside) = both.iter().find(|beside| beside.exists()) {
                file.beside.push((ending, bytes(beside)?));
            }
        }
    }
    Ok(file)
}

fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    /// Largest file read, in bytes.
    const MAX_BYTES: u64 = 1 << 30;
    let name = path.display().to_string();
    let told = |error: std::io::Error| CliError(format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(told)?.len() > MAX_BYTES {
        return Err(CliError(format!("{name}: 文件超过 1 GB · larger than 1 GB")));
    }
    std::fs::read(path).map_err(told)
}

pub fn datum(text: &str) -> Result<Datum, CliError> {
    let unknown = || {
        CliError(format!(
            "{text}: 坐标系只能是 wgs84、cgcs2000、gcj02 · the datum is wgs84, cgcs2000 or gcj02"
        ))
    };
    Datum::parse(text).ok_or_else(unknown)
}

fn nodes(town: &Town, ground: &Ground) -> Result<Vec<u8>, CliError> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = [
        "id",
        "x",
        "y",
        "pop",
        "households",
        "enterprises",
        "region",
        "area",
        "ext_perim",
        "street",
        "compound",
    ];
    table.write_record(header).map_err(CliError::new)?;
    for unit in &ground.units {
        let home = &town.homes[unit.dwelling];
        let street = unit.street.map(|street| town.streets.name(street).to_owned());
        let compound = unit
            .compound
            .and_then(|at| town.compound_names.get(at as usize).cloned());
        let row = [
            home.id.clone(),
            format!("{:.2}", unit.at[0]),
            format!("{:.2}", unit.at[1]),
            home.pop.to_string(),
            home.households.unwrap_or(0.0).to_string(),
            home.enterprises.to_string(),
            town.community_names
                .get(unit.region)
                .cloned()
                .unwrap_or_else(|| "1".to_owned()),
            format!("{:.1}", unit.area),
            format!("{:.1}", unit.external),
            street.unwrap_or_default(),
            compound.unwrap_or_default(),
        ];
        table.write_record(row).map_err(CliError::new)?;
    }
    table.into_inner().map_err(CliError::new)
}

fn edges(homes: &[Home], ground: &Ground) -> Result<Vec<u8>, CliError> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(["u", "v", "shared_perim", "w", "barrier"])
        .map_err(CliError::new)?;
    let id = |unit: usize| homes[ground.units[unit].dwelling].id.as_str();
    for edge in &ground.edges {
        let (shared, w) = (format!("{:.2}", edge.shared), format!("{:?}", edge.w));
        let barrier = if edge.barrier { "1" } else { "0" };
        table
            .write_record([id(edge.u), id(edge.v), &shared, &w, barrier])
            .map_err(CliError::new)?;
    }
    table.into_inner().map_err(CliError::new)
}

/// Whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let told = |error: std::io::Error| CliError(format!("{}: {error}", path.display()));
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, bytes).map_err(told)?;
    std::fs::rename(&beside, path).map_err(told)
}

/// In short.
fn print(report: &Report) {
    println!(
        "读入 rows {}，栋 dwellings {}，相邻 neighbours {}（不可通行 barriers {}）",
        report.rows, report.units, report.edges, report.barriers
    );
    println!(
        "每栋平均相邻 neighbours each {:.1}，步行相连的片 parts {}，桥 bridges {}，绕岸 around {}",
        report.neighbours_mean, report.parts, report.bridged, report.rounded
    );
    println!("{}", report.plane);
    for line in &report.assumptions {
        println!("假设 assumed: {line}");
    }
    for line in &report.warnings {
        eprintln!("警告 warning: {line}");
    }
    for (code, problem) in &report.problems {
        let verb = if problem.left_out {
            "略去 left out"
        } else {
            "修正 mended"
        };
        eprintln!("{verb} {}: {} [{code}]", problem.count, problem.means);
        for row in problem.rows.iter().take(SHOWN) {
            eprintln!("  {} 第 {} 行 · row {} {}", row.layer, row.row, row.row, row.detail);
        }
    }
}
