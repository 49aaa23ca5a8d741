//! Territory: the real division codes, boundaries in a declared datum, one answer for every point, text to area.

use crate::bare::{self, Bare};
use domain::geo::{Datum, LonLat, wgs84_to_gcj02};
use domain::territory::Rule;
use serde_json::json;
use server::platform::Ctx;
use server::territory::features::MapFile;
use server::{demo, policy, territory};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The national list of villages, where the measuring data is at hand.
fn villages() -> Option<String> {
    let shared = std::env::var_os("WANGGE_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let found = std::fs::read_to_string(shared.join("data/geo/villages_focus.csv"));
    if found.is_err() {
        eprintln!("skipped: no list of villages; set WANGGE_SHARED");
    }
    found.ok()
}

async fn on_pack(bare: &Bare, key: &str) {
    policy::adopt(&bare.app, policy::shipped(key).unwrap(), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_codes_of_both_cities_load() {
    let Some(text) = villages() else { return };
    for (pack, communities, by_depth) in [
        ("zhoushan", 428, &[1, 36, 428][..]),
        ("yichang", 1650, &[1, 13, 113, 1650][..]),
    ] {
        let text = text.clone();
        bare::each(|bare| {
            let text = text.clone();
            async move {
                on_pack(&bare, pack).await;
                let ctx = Ctx::system(&bare.app, "test");
                let rows = territory::read_csv(&text).unwrap();
                let dry = territory::import_areas(&ctx, rows.clone(), BTreeMap::new(), true)
                    .await
                    .unwrap();
                assert!(territory::current(&bare.app).is_empty(), "a dry run changes nothing");
                let done = territory::import_areas(&ctx, rows.clone(), BTreeMap::new(), false)
                    .await
                    .unwrap();
                assert_eq!((dry.created, done.territory_version), (done.created, Some(1)));
                assert_eq!(
                    (done.by_level["community"], done.placeholders, done.problems.len()),
                    (communities, 0, 0)
                );
                let map = territory::current(&bare.app);
                for (depth, count) in (1u8..).zip(by_depth) {
                    assert_eq!(
                        map.areas().iter().filter(|area| area.depth == depth).count(),
                        *count,
                        "{pack} depth {depth}"
                    );
                }
                let again = territory::import_areas(&ctx, rows, BTreeMap::new(), false)
                    .await
                    .unwrap();
                assert_eq!((again.created, again.territory_version), (0, None));
                bare.remove().await;
            }
        })
        .await;
    }
}

fn square(code: &str, name: &str, west: f64, south: f64, datum: Datum) -> serde_json::Value {
    let corners = [(0.0, 0.0), (0.01, 0.0), (0.01, 0.01), (0.0, 0.01), (0.0, 0.0)];
    let ring: Vec<[f64; 2]> = corners
        .iter()
        .map(|(x, y)| {
            let at = LonLat {
                lon: west + x,
                lat: south + y,
            };
            let at = if datum == Datum::Gcj02 { wgs84_to_gcj02(at) } else { at };
            [at.lon, at.lat]
        })
        .collect();
    json!({ "type": "Feature", "properties": { "code": code, "name": name },
            "geometry": { "type": "Polygon", "coordinates": [ring] } })
}

#[tokio::test(flavor = "multi_thread")]
async fn boundaries_are_converted_once_and_a_point_has_one_answer() {
    bare::each(|bare| async move {
        on_pack(&bare, "zhoushan").await;
        let ctx = Ctx::system(&bare.app, "test");
        for (datum, codes) in [
            (Datum::Gcj02, ["330902001001", "330902001002"]),
            (Datum::Wgs84, ["330902002001", "330902002002"]),
        ] {
            let south = if datum == Datum::Gcj02 { 30.0 } else { 30.1 };
            let features = [
                square(codes[0], "甲社区", 122.0, south, datum),
                square(codes[1], "乙社区", 122.01, south, datum),
            ];
            let text = json!({ "type": "FeatureCollection", "features": features }).to_string();
            let dry = territory::import_boundaries(&ctx, MapFile::new("text", text.clone()), datum, true)
                .await
                .unwrap();
            assert_eq!(
                (dry.boundaries, dry.problems.len(), dry.territory_version),
                (2, 0, None)
            );
            let done = territory::import_boundaries(&ctx, MapFile::new("text", text.clone()), datum, false)
                .await
                .unwrap();
            assert!(done.territory_version.is_some());
            let map = territory::current(&bare.app);
            let of = |lon: f64, lat: f64| {
                map.locate(LonLat { lon, lat }, 300.0)
                    .map(|found| (map.area(found.area).unwrap().code.clone(), found.rule))
            };
            assert_eq!(of(122.005, south + 0.005), Some((codes[0].into(), Rule::Inside)));
            assert_eq!(of(122.015, south + 0.005), Some((codes[1].into(), Rule::Inside)));
            // Straight lines bend by centimetres between the datums, so the shared line is looked at on its corners.
            assert_eq!(
                of(122.01, south).map(|found| found.0),
                Some(codes[0].to_owned()),
                "the smallest code has the line"
            );
            assert_eq!(of(122.021, south + 0.005), Some((codes[1].into(), Rule::Nearest)));
            assert_eq!(of(122.03, south + 0.005), None);
        }
        let bad =
            json!({ "type": "FeatureCollection", "features": [square("330902009001", "", 122.0, 30.0, Datum::Wgs84)] });
        let report = territory::import_boundaries(&ctx, MapFile::new("bad", bad.to_string()), Datum::Wgs84, false)
            .await
            .unwrap();
        assert_eq!(
            (report.problems[0].code.as_str(), report.territory_version),
            ("import_unknown_area", None)
        );
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_place_is_whole_and_made_once() {
    bare::each(|bare| async move {
        server::register(&bare.app);
        demo::open_place(&bare.app, None).await.unwrap();
        demo::furnish(&bare.app, 1).await.unwrap();
        let map = territory::current(&bare.app);
        let levels: Vec<usize> = (1..=4)
            .map(|depth| map.areas().iter().filter(|area| area.depth == depth).count())
            .collect();
        assert_eq!(levels, [1, 4, 16, 96]);
        for grid in map.areas().iter().filter(|area| area.depth == 4) {
            let found = map.locate(grid.center.unwrap(), 0.0).unwrap();
            assert_eq!((found.area, found.rule), (grid.id, Rule::Inside), "{}", grid.name);
        }
        let text = "望海市东浦街道渔歌社区路灯不亮";
        let ctx = Ctx::system(&bare.app, "test");
        let app = bare.app.clone();
        let area = bare
            .app
            .read(&ctx, move |_, tx| territory::find(&app, tx, None, text))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(map.full_name(area), "东浦街道渔歌社区");
        demo::furnish(&bare.app, 1).await.unwrap();
        demo::set_passwords(&bare.app, "one of many").await.unwrap();
        demo::set_passwords(&bare.app, "another one").await.unwrap();
        assert_eq!(territory::current(&bare.app).version, map.version);
        bare.remove().await;
    })
    .await;
}
