//! `wangge plan ground` through the binary: maps in, the graph's two tables and a report out.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, process::Command};

/// (success, standard output, standard error)
fn wangge(folder: &Path, args: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_wangge"))
        .current_dir(folder)
        .args(["plan", "ground"])
        .args(args)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    (done.status.success(), text(done.stdout), text(done.stderr))
}

fn table(path: PathBuf) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap()
}

fn collection(features: Vec<Value>) -> String {
    json!({"type": "FeatureCollection", "features": features}).to_string()
}

fn feature(properties: Value, kind: &str, coordinates: Value) -> Value {
    json!({"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}})
}

const LON: f64 = 121.30;
const LAT: f64 = 30.95;

/// A ring some metres east and north of the corner of the town.
fn ring(w: f64, s: f64, e: f64, n: f64) -> Value {
    let at = |x: f64, y: f64| json!([LON + x / 95_500.0, LAT + y / 110_900.0]);
    json!([[at(w, s), at(e, s), at(e, n), at(w, n), at(w, s)]])
}

/// Two communities with a river through the first, twenty houses, and one of every kind of bad row.
fn write_town(folder: &Path) {
    let mut buildings = Vec::new();
    for k in 0..20 {
        let (x, y) = (f64::from(k % 5) * 40.0 + 10.0, f64::from(k / 5) * 50.0 + 10.0);
        let levels = if k == 0 { Value::Null } else { json!(6) };
        let properties = json!({"id": format!("h{k}"), "building:levels": levels});
        buildings.push(feature(properties, "Polygon", ring(x, y, x + 20.0, y + 12.0)));
    }
    let point = |id: &str, at: Value| feature(json!({"id": id}), "Point", at);
    buildings.push(point("label", json!([LON + 15.0 / 95_500.0, LAT + 15.0 / 110_900.0])));
    buildings.push(point(
        "swapped",
        json!([LAT + 100.0 / 110_900.0, LON + 330.0 / 95_500.0]),
    ));
    buildings.push(point("void", json!([null, null])));
    buildings.push(point("far", json!([LON + 9.0, LAT])));
    buildings.push(point("outside", json!([LON + 900.0 / 95_500.0, LAT])));
    buildings.push(feature(json!({"id": "h3"}), "Polygon", ring(131.0, 10.0, 140.0, 22.0)));
    let bow = json!([[
        [121.3032, 30.9505],
        [121.3034, 30.9507],
        [121.3034, 30.9505],
        [121.3032, 30.9507],
        [121.3032, 30.9505]
    ]]);
    buildings.push(feature(json!({"id": "bow", "households": -3}), "Polygon", bow));
    fs::write(folder.join("buildings.geojson"), collection(buildings)).unwrap();
    let communities = vec![
        feature(
            json!({"name": "东港社区", "households": 100}),
            "Polygon",
            ring(0.0, 0.0, 250.0, 210.0),
        ),
        feature(
            json!({"name": "西港社区", "households": 7}),
            "Polygon",
            ring(250.0, 0.0, 400.0, 210.0),
        ),
    ];
    fs::write(folder.join("communities.geojson"), collection(communities)).unwrap();
    let water = vec![feature(
        json!({"natural": "water"}),
        "Polygon",
        ring(-20.0, 90.0, 240.0, 105.0),
    )];
    fs::write(folder.join("water.geojson"), collection(water)).unwrap();
}

#[test]
fn a_town_with_every_kind_of_bad_row() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_town(folder);
    let args = [
        "--buildings",
        "buildings.geojson",
        "--communities",
        "communities.geojson",
        "--water",
        "water.geojson",
    ];
    let out = ["--report", "report.json", "--picture", "town.svg"];
    let (done, said, told) = wangge(folder, &[&args[..], &out[..]].concat());
    assert!(done, "{told}");
    assert!(said.contains("东港社区：100 户按建筑面积"), "{said}");
    let problems = report(folder)["problems"].clone();
    let rows = |code: &str| -> Vec<u64> {
        let rows = problems[code]["rows"].as_array().unwrap();
        rows.iter().map(|row| row["row"].as_u64().unwrap()).collect()
    };
    assert_eq!(rows("within"), [21]);
    assert_eq!(rows("swapped"), [22]);
    assert_eq!(rows("no_position"), [23]);
    assert_eq!(rows("far_away"), [24]);
    assert_eq!(rows("outside"), [25]);
    assert_eq!(rows("same_id"), [26]);
    assert_eq!(rows("bad_number"), [27]);
    assert_eq!(rows("crossing"), [27]);
    assert!(told.contains("第 25 行") && told.contains("在所有社区之外"), "{told}");
    let nodes = table(folder.join("nodes.csv"));
    let ids: BTreeSet<&str> = nodes.iter().map(|node| node["id"].as_str()).collect();
    assert_eq!((nodes.len(), ids.len()), (22, 22));
    let sum = |region: &str, column: &str| -> f64 {
        let own = nodes.iter().filter(|node| node["region"] == region);
        own.map(|node| node[column].parse::<f64>().unwrap()).sum()
    };
    assert_eq!(
        (sum("东港社区", "households"), sum("西港社区", "households")),
        (100.0, 7.0)
    );
    assert!(
        (sum("东港社区", "area") - 250.0 * 210.0).abs() < 250.0,
        "{}",
        sum("东港社区", "area")
    );
    let north = |node: &BTreeMap<String, String>| node["y"].parse::<f64>().unwrap();
    let house = |id: &str| nodes.iter().find(|node| node["id"] == id).map(north).unwrap();
    let river = (house("h5") + house("h10")) / 2.0;
    let place: BTreeMap<&str, (&str, bool)> = nodes
        .iter()
        .map(|node| (node["id"].as_str(), (node["region"].as_str(), north(node) > river)))
        .collect();
    let edges = table(folder.join("edges.csv"));
    for edge in &edges {
        let (u, v) = (place[edge["u"].as_str()], place[edge["v"].as_str()]);
        assert_eq!(u.0, v.0, "{edge:?}");
        // Ten metres of dry ground lie between the river's end and the community's border: the way round.
        let east = |id: &str| id == "h9" || id == "h14";
        assert!(
            edge["barrier"] == "1" || u.1 == v.1 || u.0 == "西港社区" || (east(&edge["u"]) && east(&edge["v"])),
            "{edge:?}"
        );
    }
    assert!(edges.iter().any(|edge| edge["barrier"] == "1"));
    assert!(
        fs::read_to_string(folder.join("town.svg"))
            .unwrap()
            .ends_with("</svg>\n")
    );
    let first = fs::read(folder.join("nodes.csv")).unwrap();
    assert!(wangge(folder, &args).0);
    assert_eq!(fs::read(folder.join("nodes.csv")).unwrap(), first);
}

/// One GeoPackage with a layer for each file, and shapefiles with what lies beside them: the same graph as from the GeoJSON.
#[test]
fn a_geopackage_and_shapefiles_make_the_same_graph() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_town(folder);
    let ogr = |args: &[&str]| {
        let done = Command::new("ogr2ogr").current_dir(folder).args(args).output();
        let done = done.expect("script/setup installs gdal-bin");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    // The sound ones: a shapefile has areas or points, not both, and no row without a position.
    let all: Value = serde_json::from_slice(&fs::read(folder.join("buildings.geojson")).unwrap()).unwrap();
    fs::write(
        folder.join("buildings.geojson"),
        collection(all["features"].as_array().unwrap()[..20].to_vec()),
    )
    .unwrap();
    for layer in ["buildings", "communities", "water"] {
        let source = format!("{layer}.geojson");
        ogr(&[
            "-f",
            "ESRI Shapefile",
            "-lco",
            "ENCODING=GBK",
            &format!("{layer}.shp"),
            &source,
        ]);
        ogr(&["-f", "GPKG", "-update", "-append", "-nln", layer, "town.gpkg", &source]);
    }
    let graph = |files: [&str; 3]| {
        let [buildings, communities, water] = files;
        let args = ["--buildings", buildings, "--communities", communities, "--water", water];
        let (done, _, told) = wangge(folder, &args);
        assert!(done, "{told}");
        ["nodes.csv", "edges.csv"].map(|name| fs::read_to_string(folder.join(name)).unwrap())
    };
    let expected = graph(["buildings.geojson", "communities.geojson", "water.geojson"]);
    assert_eq!(
        graph(["town.gpkg#buildings", "town.gpkg#communities", "town.gpkg#water"]),
        expected
    );
    assert_eq!(graph(["buildings.shp", "communities.shp", "water.shp"]), expected);
    let (done, _, told) = wangge(folder, &["--buildings", "town.gpkg"]);
    assert!(
        !done && told.contains("几个图层") && told.contains("several layers"),
        "{told}"
    );
}

#[test]
fn a_list_of_positions_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..30)
        .map(|k| {
            format!(
                "{k},{},{},2\n",
                121.3 + f64::from(k % 6) * 4e-4,
                30.95 + f64::from(k / 6) * 3e-4
            )
        })
        .collect();
    fs::write(
        folder.path().join("list.csv"),
        format!("\u{feff}code,经度,纬度,户\n{rows}"),
    )
    .unwrap();
    let args = [
        "--buildings",
        "list.csv",
        "--id-column",
        "code",
        "--households-column",
        "户",
    ];
    let (done, _, told) = wangge(folder.path(), &args);
    assert!(done, "{told}");
    let nodes = table(folder.path().join("nodes.csv"));
    assert!(nodes.iter().all(|node| node["households"] == "2"));
    assert_eq!(table(folder.path().join("edges.csv")).len(), 2 * 30 - 5 - 6);
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, why) in [
        ("a.geojson", "{", "GeoJSON"),
        (
            "b.geojson",
            r#"{"type":"FeatureCollection","features":[]}"#,
            "没有可用的坐标",
        ),
        ("c.shp", "", ".dbf"),
        ("c.kml", "", "GeoPackage"),
        ("c.gpkg", "", "GeoPackage"),
        ("d.csv", "a,b\n1,2\n", "经度"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        let (done, _, told) = wangge(folder.path(), &["--buildings", name]);
        assert!(!done && told.contains(why), "{told}");
        assert!(!folder.path().join("nodes.csv").exists());
    }
}

/// Two city blocks of OpenStreetMap, kept outside this repository: plausible neighbours, nothing walkable across a main road or the
/// Huangpu, and a wrong datum is found out.
#[test]
fn real_city_blocks() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("WANGGE_SHARED")
        .map_or(beside, PathBuf::from)
        .join("data/geo");
    if !shared.join("shanghai_osm_buildings.geojson").exists() {
        eprintln!(
            "skipped: no {}/shanghai_osm_buildings.geojson (set WANGGE_SHARED)",
            shared.display()
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (city, least) in [("shanghai", 1200), ("wuhan", 200)] {
        let file = |layer: &str| shared.join(format!("{city}_osm_{layer}.geojson")).display().to_string();
        let (buildings, roads, borders) = (file("buildings"), file("roads"), file("boundaries"));
        let mut args = vec!["--buildings", &buildings, "--roads", &roads, "--communities", &borders];
        args.extend(["--households-total", "20000", "--report", "report.json"]);
        let (done, _, told) = wangge(folder.path(), &args);
        assert!(done && !told.contains("警告"), "{told}");
        let told = report(folder.path());
        assert!(told["units"].as_u64().unwrap() > least);
        assert!((5.0..6.0).contains(&told["neighbours_mean"].as_f64().unwrap()));
        assert!(told["parts"].as_u64().unwrap() > 2 && told["barriers"].as_u64().unwrap() > 40);
        let nodes = table(folder.path().join("nodes.csv"));
        let households: f64 = nodes
            .iter()
            .map(|node| node["households"].parse::<f64>().unwrap())
            .sum();
        assert_eq!(households, 20_000.0);
        args.extend(["--map-datum", "gcj02"]);
        let (done, _, told) = wangge(folder.path(), &args);
        assert!(done && told.contains("请试 --datum gcj02"), "{told}");
    }
}
