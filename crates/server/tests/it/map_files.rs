//! Maps as GeoPackages and shapefiles: the same features, dwellings, zones and borders as from the GeoJSON they were made from by `ogr2ogr`;
//! what is damaged, hostile or in another coordinate system is refused.

use crate::kit::{Answer, CITY, Client, EAST_COMMUNITY, TestApp};
use axum::body::Body;
use axum::http::{Method, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use db::Backend;
use serde_json::{Value, json};
use server::territory::features::{Feature, MapFile, Want, read};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

const CORNER: (f64, f64) = (122.30, 29.90);
const SIDE: f64 = 0.02;

fn ogr(folder: &Path, args: &[&str]) {
    let done = Command::new("ogr2ogr").current_dir(folder).args(args).output();
    let done = done.unwrap_or_else(|error| panic!("ogr2ogr: {error}; script/setup installs gdal-bin"));
    assert!(
        done.status.success(),
        "{args:?} {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A zip of the shapefiles of these names, with these of their files.
fn zipped(folder: &Path, names: &[&str], endings: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        for ending in endings {
            if let Ok(bytes) = fs::read(folder.join(format!("{name}.{ending}"))) {
                zip.start_file(
                    format!("地图/{name}.{ending}"),
                    zip::write::SimpleFileOptions::default(),
                )
                .unwrap();
                zip.write_all(&bytes).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}

const ALL: [&str; 5] = ["shp", "shx", "dbf", "prj", "cpg"];

fn ring(x: f64, y: f64, side: f64) -> Value {
    let (w, s) = (CORNER.0 + x * SIDE, CORNER.1 + y * SIDE);
    let side = side * SIDE;
    json!([[w, s], [w + side, s], [w + side, s + side], [w, s + side], [w, s]])
}

fn hole(x: f64, y: f64, side: f64) -> Value {
    let mut ring = ring(x, y, side);
    ring.as_array_mut().unwrap().reverse();
    ring
}

/// Thirty houses; one of two pieces, one with a court.
fn houses() -> Value {
    let house = |k: usize| {
        let (x, y) = ((k % 6) as f64 / 6.0 + 0.05, (k / 6) as f64 / 5.0 + 0.05);
        let coordinates = match k {
            7 => json!([[ring(x, y, 0.04)], [ring(x + 0.05, y, 0.02)]]),
            8 => json!([[ring(x, y, 0.06), hole(x + 0.01, y + 0.015, 0.02)]]),
            _ => json!([[ring(x, y, 0.04)]]),
        };
        json!({ "type": "Feature", "geometry": { "type": "MultiPolygon", "coordinates": coordinates }, "properties": {
            "id": format!("房{k}"), "name": format!("东街{k}号"), "households": 4 + k % 7, "enterprises": k % 3, "building:levels": 6,
            "village": if k < 12 { "上村" } else { "下村" }, "height": 12.5,
        } })
    };
    json!({ "type": "FeatureCollection", "features": (0..30).map(house).collect::<Vec<_>>() })
}

/// The houses in every form: name, file.
fn forms(folder: &Path) -> Vec<(&'static str, MapFile)> {
    fs::write(folder.join("houses.geojson"), houses().to_string()).unwrap();
    let made = |name: &str, args: &[&str]| {
        ogr(folder, &[args, &[name, "houses.geojson"]].concat());
        fs::read(folder.join(name)).unwrap()
    };
    let gpkg = ["-f", "GPKG"];
    let shape = ["-f", "ESRI Shapefile", "-lco"];
    let mut forms = vec![
        ("gpkg", made("a.gpkg", &gpkg)),
        (
            "gpkg cgcs2000",
            made("b.gpkg", &[&gpkg[..], &["-t_srs", "EPSG:4490"]].concat()),
        ),
        (
            "gpkg zone 41",
            made("c.gpkg", &[&gpkg[..], &["-t_srs", "EPSG:4529"]].concat()),
        ),
        (
            "gpkg 123 east",
            made("d.gpkg", &[&gpkg[..], &["-t_srs", "EPSG:4550", "-dim", "XYZ"]].concat()),
        ),
    ];
    made("utf.shp", &[&shape[..], &["ENCODING=UTF-8"]].concat());
    made("gbk.shp", &[&shape[..], &["ENCODING=GBK"]].concat());
    made(
        "zone.shp",
        &[&shape[..], &["ENCODING=GB18030", "-t_srs", "EPSG:4529"]].concat(),
    );
    made("tall.shp", &[&shape[..], &["ENCODING=UTF-8", "-dim", "XYZM"]].concat());
    forms.push(("shp utf-8", zipped(folder, &["utf"], &ALL)));
    forms.push(("shp gbk", zipped(folder, &["gbk"], &ALL)));
    forms.push(("shp without cpg", zipped(folder, &["gbk"], &["shp", "dbf", "prj"])));
    forms.push(("shp zone 41", zipped(folder, &["zone"], &ALL)));
    forms.push(("shp with heights", zipped(folder, &["tall"], &ALL)));
    forms
        .into_iter()
        .map(|(name, bytes)| (name, MapFile::new("buildings", bytes)))
        .collect()
}

/// The same shapes to a tenth of a millimetre, and the same words.
fn same(name: &str, expected: &[Feature], found: &[Feature]) {
    assert_eq!(expected.len(), found.len(), "{name}");
    for (a, b) in expected.iter().zip(found) {
        assert_eq!(a.row, b.row, "{name}");
        for key in a.properties.keys() {
            assert_eq!(a.text(key), b.text(key), "{name} {key} of {b:?}");
        }
        let corners = |one: &Feature| {
            one.polygons
                .iter()
                .map(|p| p.iter().map(Vec::len).collect())
                .collect::<Vec<Vec<_>>>()
        };
        assert_eq!(corners(a), corners(b), "{name}");
        let flat = |one: &Feature| one.polygons.iter().flatten().flatten().copied().collect::<Vec<_>>();
        for (p, q) in flat(a).iter().zip(flat(b)) {
            assert!(
                (p[0] - q[0]).abs() < 1e-9 && (p[1] - q[1]).abs() < 1e-9,
                "{name}: {p:?} {q:?}"
            );
        }
    }
}

#[test]
fn every_form_holds_the_same_features() {
    let folder = tempfile::tempdir().unwrap();
    let expected = read(&MapFile::new("houses", houses().to_string()), Want::AREAS).unwrap();
    for (name, file) in forms(folder.path()) {
        let found = read(&file, Want::AREAS).unwrap_or_else(|bad| panic!("{name}: {bad:?}"));
        same(name, &expected, &found);
    }
    let beside = ["dbf", "prj", "cpg"].map(|end| (end, fs::read(folder.path().join(format!("gbk.{end}"))).unwrap()));
    let plain = MapFile {
        beside: beside.into(),
        ..MapFile::new("gbk.shp", fs::read(folder.path().join("gbk.shp")).unwrap())
    };
    same("beside", &expected, &read(&plain, Want::AREAS).unwrap());
}

#[test]
fn of_several_layers_the_right_one_is_taken_or_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("houses.geojson"), houses().to_string()).unwrap();
    let road = json!({ "type": "FeatureCollection", "features": [{ "type": "Feature", "properties": { "highway": "primary" },
        "geometry": { "type": "LineString", "coordinates": [[122.30, 29.90, 3.0], [122.32, 29.92, 3.0]] } }] });
    fs::write(folder.join("road.geojson"), road.to_string()).unwrap();
    for (layer, source) in [("房屋", "houses"), ("学区", "houses"), ("道路", "road")] {
        let source = format!("{source}.geojson");
        ogr(
            folder,
            &["-f", "GPKG", "-update", "-append", "-nln", layer, "town.gpkg", &source],
        );
        ogr(
            folder,
            &[
                "-f",
                "ESRI Shapefile",
                "-lco",
                "ENCODING=UTF-8",
                &format!("{layer}.shp"),
                &source,
            ],
        );
    }
    let package = fs::read(folder.join("town.gpkg")).unwrap();
    for bytes in [package, zipped(folder, &["房屋", "学区", "道路"], &ALL)] {
        let file = |layer: Option<&str>| MapFile::new("town", bytes.clone()).layer(layer.map(str::to_owned));
        let roads = read(&file(None), Want::LINES).unwrap();
        assert_eq!(roads[0].lines, [[[122.30, 29.90], [122.32, 29.92]]]);
        assert_eq!(read(&file(Some("学区")), Want::AREAS).unwrap().len(), 30);
        let asked = read(&file(None), Want::AREAS).unwrap_err();
        let said = asked.view(server::platform::Lang::Zh).message;
        assert_eq!(asked.code(), "map_layers");
        assert!(
            ["房屋", "学区", "道路"].iter().all(|layer| said.contains(layer)),
            "{said}"
        );
        assert_eq!(
            read(&file(Some("水系")), Want::AREAS).unwrap_err().code(),
            "map_no_layer"
        );
    }
}

#[test]
fn what_is_damaged_hostile_or_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("houses.geojson"), houses().to_string()).unwrap();
    let code = |name: &str, bytes: &[u8]| {
        read(&MapFile::new(name, bytes), Want::AREAS)
            .map(|all| all.len())
            .map_err(|bad| bad.code())
    };
    for (number, named) in [
        ("4610", "Xian 1980"),
        ("3857", "Pseudo-Mercator"),
        ("2365", "Xian 1980"),
    ] {
        ogr(
            folder,
            &[
                "-f",
                "GPKG",
                "-t_srs",
                &format!("EPSG:{number}"),
                &format!("{number}.gpkg"),
                "houses.geojson",
            ],
        );
        ogr(
            folder,
            &[
                "-f",
                "ESRI Shapefile",
                "-t_srs",
                &format!("EPSG:{number}"),
                &format!("s{number}.shp"),
                "houses.geojson",
            ],
        );
        let refused = read(
            &MapFile::new("a", fs::read(folder.join(format!("{number}.gpkg"))).unwrap()),
            Want::AREAS,
        )
        .unwrap_err();
        assert_eq!(refused.code(), "map_system");
        let said = refused.view(server::platform::Lang::En).message;
        assert!(said.contains(named), "{said}");
        assert_eq!(
            code("a", &zipped(folder, &[&format!("s{number}")], &ALL)),
            Err("map_system")
        );
    }
    ogr(folder, &["-f", "GPKG", "a.gpkg", "houses.geojson"]);
    ogr(folder, &["-f", "ESRI Shapefile", "a.shp", "houses.geojson"]);
    let package = fs::read(folder.join("a.gpkg")).unwrap();
    assert_eq!(code("a.gpkg", b"no database at all"), Err("geopackage_unreadable"));
    for part in [2, 3, 10] {
        assert_eq!(
            code("a.gpkg", &package[..package.len() / part]),
            Err("geopackage_unreadable"),
            "{part}"
        );
    }
    assert_eq!(code("a.kml", b"<kml/>"), Err("map_format"));
    assert_eq!(
        code("a.shp", &fs::read(folder.join("a.shp")).unwrap()),
        Err("shapefile_parts")
    );
    assert_eq!(code("a.zip", b"PK\x03\x04 and nothing"), Err("zip_unreadable"));
    assert_eq!(
        code("a.zip", &zipped(folder, &["a"], &["dbf", "prj"])),
        Err("shapefile_parts")
    );
    assert_eq!(
        code("a.zip", &zipped(folder, &["a"], &["shp", "prj"])),
        Err("shapefile_parts")
    );
    let whole = zipped(folder, &["a"], &ALL);
    assert_eq!(code("a.zip", &whole), Ok(30));
    assert_eq!(code("a.zip", &whole[..whole.len() / 2]), Err("zip_unreadable"));
    let shp = fs::read(folder.join("a.shp")).unwrap();
    for (at, wild) in [
        (24, i32::MAX.to_be_bytes()),
        (104, i32::MAX.to_be_bytes()),
        (144, i32::MAX.to_le_bytes()),
        (148, (-1i32).to_le_bytes()),
    ] {
        let mut bad = shp.clone();
        bad[at..at + 4].copy_from_slice(&wild);
        fs::write(folder.join("a.shp"), bad).unwrap();
        assert_eq!(
            code("a.zip", &zipped(folder, &["a"], &ALL)),
            Err("shapefile_unreadable"),
            "{at}"
        );
    }
    // A small zip that would unpack to much: the words of a coordinate system, a megabyte long.
    fs::write(folder.join("a.shp"), &shp).unwrap();
    fs::write(folder.join("a.prj"), vec![b' '; 1 << 20]).unwrap();
    let bomb = zipped(folder, &["a"], &ALL);
    assert!(bomb.len() < 20_000);
    assert_eq!(code("a.zip", &bomb), Err("map_too_large"));
}

fn data_url(bytes: &[u8]) -> String {
    format!("data:application/octet-stream;base64,{}", STANDARD.encode(bytes))
}

async fn send(who: &Client, path: &str, kind: &str, bytes: &[u8]) -> Answer {
    let request = who.request(Method::POST, path).header("x-wangge-client", "desk");
    let request = request.header(header::CONTENT_TYPE, kind);
    who.raw(request.body(Body::from(bytes.to_vec())).expect("a request"))
        .await
}

/// Borders, dwellings, zones and facilities over HTTP are the same from a GeoPackage and from a zipped shapefile as from GeoJSON.
#[tokio::test]
async fn imports_are_the_same_from_every_form() {
    let app = TestApp::new(Backend::Sqlite).await;
    let planner = app.login_as("planner", Some(CITY)).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let areas = json!({ "type": "FeatureCollection", "features": [
        { "type": "Feature", "properties": { "code": "330902001001", "name": "海印社区", "kind": "学校", "unit": "某所" },
            "geometry": { "type": "Polygon", "coordinates": [ring(0.0, 0.0, 1.0)] } },
        { "type": "Feature", "properties": { "code": "330902001001001", "name": "第一网格", "kind": "公园", "unit": "某所" },
            "geometry": { "type": "Polygon", "coordinates": [ring(0.0, 0.0, 0.5)] } },
    ] });
    fs::write(folder.join("areas.geojson"), areas.to_string()).unwrap();
    ogr(
        folder,
        &["-f", "GPKG", "-t_srs", "EPSG:4529", "areas.gpkg", "areas.geojson"],
    );
    ogr(
        folder,
        &[
            "-f",
            "ESRI Shapefile",
            "-lco",
            "ENCODING=GBK",
            "areas.shp",
            "areas.geojson",
        ],
    );
    let text = areas.to_string().into_bytes();
    let files = [
        ("application/geo+json", text),
        (
            "application/geopackage+sqlite3",
            fs::read(folder.join("areas.gpkg")).unwrap(),
        ),
        ("application/zip", zipped(folder, &["areas"], &ALL)),
    ];
    let mut shapes: Vec<Value> = Vec::new();
    for (kind, bytes) in &files {
        let done = send(&planner, "/api/v1/areas/import?datum=cgcs2000", kind, bytes)
            .await
            .ok();
        assert_eq!(
            (&done["boundaries"], &done["problems"]),
            (&json!(2), &json!([])),
            "{kind} {done}"
        );
        shapes.push(
            planner
                .get(&format!("/api/v1/areas/boundaries?parent={CITY}&depth=4"))
                .await
                .ok(),
        );
    }
    let wrong = send(
        &planner,
        "/api/v1/areas/import?datum=cgcs2000&layer=x",
        files[1].0,
        &files[1].1,
    )
    .await;
    assert_eq!(wrong.verdict(), "422 map_no_layer");

    let mut lists = Vec::new();
    let mut sent = vec![("geojson", houses().to_string())];
    sent.extend(
        forms(folder)
            .into_iter()
            .map(|(name, file)| (name, data_url(&file.bytes))),
    );
    for (nth, (name, buildings)) in sent.into_iter().enumerate() {
        let done = planner
            .post(
                "/api/v1/dwellings/import",
                json!({ "buildings": buildings, "datum": "cgcs2000" }),
            )
            .await
            .ok();
        let counts = if nth == 0 { (30, 0) } else { (0, 30) };
        assert_eq!(
            (done["created"].as_i64(), done["replaced"].as_i64()),
            (Some(counts.0), Some(counts.1)),
            "{name} {done}"
        );
        let list = planner
            .get(&format!("/api/v1/dwellings?area={EAST_COMMUNITY}"))
            .await
            .ok();
        let total = planner
            .get(&format!("/api/v1/dwellings/summary?area={EAST_COMMUNITY}"))
            .await
            .ok();
        lists.push((name, list, total));
    }
    let number = |value: &Value| value.as_f64().unwrap();
    for (name, list, total) in &lists[1..] {
        assert_eq!(&lists[0].2, total, "{name}");
        for (a, b) in lists[0].1["items"]
            .as_array()
            .unwrap()
            .iter()
            .zip(list["items"].as_array().unwrap())
        {
            for key in [
                "id",
                "code",
                "name",
                "area_id",
                "households",
                "enterprises",
                "village",
                "compound",
            ] {
                assert_eq!(a[key], b[key], "{name}");
            }
            // Of a square several points are as good a place as each other: a nanometre chooses, once it was projected there and back.
            let projected = name.contains("zone") || name.contains("east");
            let (place, land) = if projected { (0.06 * SIDE, 1e6) } else { (1e-8, 0.1) };
            for (key, off) in [("lon", place), ("lat", place), ("land_area", land), ("floor_area", 0.1)] {
                assert!((number(&a[key]) - number(&b[key])).abs() < off, "{name} {a} {b}");
            }
        }
    }
    let spoilt = json!({ "buildings": "data:;base64,***", "datum": "wgs84" });
    assert_eq!(
        planner.post("/api/v1/dwellings/import", spoilt).await.verdict(),
        "422 map_bad_data_url"
    );
    let roads = json!({ "buildings": houses().to_string(), "roads": data_url(b"SQLite format 3\0"), "datum": "wgs84" });
    let refused = planner.post("/api/v1/dwellings/import", roads).await;
    assert_eq!(
        (refused.verdict().as_str(), &refused.json()["field"]),
        ("422 geopackage_unreadable", &json!("roads"))
    );

    let query = format!("area={EAST_COMMUNITY}&name=x&datum=cgcs2000&dry_run=true");
    let (mut zones, mut places) = (Vec::new(), Vec::new());
    for (kind, bytes) in &files {
        zones.push(
            send(&planner, &format!("/api/v1/zonings?{query}"), kind, bytes)
                .await
                .ok(),
        );
        places.push(
            send(
                &planner,
                "/api/v1/facilities/import?datum=cgcs2000&dry_run=true",
                kind,
                bytes,
            )
            .await
            .ok(),
        );
    }
    assert!(
        zones[0]["inside"].as_i64() > Some(0) && zones[0]["double"].as_i64() > Some(0),
        "{}",
        zones[0]
    );
    assert!(zones.iter().all(|one| one == &zones[0]), "{zones:?}");
    assert_eq!(
        (&places[0]["created"], &places[0]["problems"]),
        (&json!(2), &json!([])),
        "{}",
        places[0]
    );
    assert!(places.iter().all(|one| one == &places[0]), "{places:?}");
    app.remove().await;
}
