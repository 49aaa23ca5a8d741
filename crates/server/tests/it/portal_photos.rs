//! Photos as the reporter sees them: their own, and what the unit gives with its answer; nobody else's, by number and code.
#![allow(clippy::unwrap_used)]

use crate::cases::{People, act, follow, new_id, people};
use crate::kit::{Client, EAST_GRID, TestApp, config};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use db::Backend;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use server::platform::config::Config;
use std::io::Cursor;

const SMELL: &str = "0301";

/// A picture that differs with its seed.
fn picture(seed: u8) -> Vec<u8> {
    let picture = RgbImage::from_fn(400, 300, |x, y| image::Rgb([seed, (x % 256) as u8, (y % 256) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

/// Sends a photo; the upload's id.
pub async fn upload(who: &Client, at: &str, seed: u8) -> String {
    let file = picture(seed);
    let request = |method, path: &str| {
        let request = who.request(method, path).header("tus-resumable", "1.0.0");
        request.header("x-wangge-client", "portal")
    };
    let begin = request(Method::POST, at)
        .header("upload-length", file.len())
        .body(Body::empty())
        .unwrap();
    let place = who.raw(begin).await.header("location").to_owned();
    let piece = request(Method::PATCH, &place)
        .header("upload-offset", 0)
        .header("content-type", "application/offset+octet-stream")
        .body(Body::from(file))
        .unwrap();
    let sent = who.raw(piece).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{}", sent.text());
    place.rsplit('/').next().unwrap().to_owned()
}

async fn report(app: &TestApp, people: &People, seed: u8) -> (String, String, String) {
    let photo = upload(&people.resident, "/api/v1/portal/uploads", seed).await;
    let id = new_id(app);
    let sent = json!({ "id": id, "body": format!("第{seed}次反映油烟"), "category_code": SMELL, "area_id": EAST_GRID.to_string(), "attachments": [photo] });
    let opened = people.resident.post("/api/v1/portal/reports", sent).await.ok();
    let text = |key: &str| opened[key].as_str().unwrap().to_owned();
    (id, text("number"), text("follow_code"))
}

/// The stages and names of the photos the follow page shows.
async fn shown(people: &People, number: &str, code: &str) -> Vec<(String, String)> {
    let status = follow(people, number, code).await;
    let text = |photo: &Value, key: &str| photo[key].as_str().unwrap().to_owned();
    let photos = status["photos"].as_array().unwrap();
    photos
        .iter()
        .map(|photo| (text(photo, "stage"), text(photo, "hash")))
        .collect()
}

async fn ask(people: &People, number: &str, code: &str, hash: &str, size: &str) -> crate::kit::Answer {
    let path = format!("/api/v1/portal/follow/{number}/photos/{hash}");
    people
        .resident
        .post(&path, json!({ "follow_code": code, "size": size }))
        .await
}

#[tokio::test]
async fn a_reporter_sees_their_own_photos_and_those_given_with_the_answer() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        eprintln!("on {backend:?}");
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().display().to_string();
        let app = TestApp::with(backend, Config { blobs, ..config() }).await;
        let people = people(&app).await;
        let (mine, number, code) = report(&app, &people, 1).await;
        let (_, other_number, other_code) = report(&app, &people, 2).await;
        let (third, third_number, third_code) = report(&app, &people, 3).await;

        let own = shown(&people, &number, &code).await;
        assert_eq!(own.len(), 1);
        let (stage, hash) = &own[0];
        assert_eq!(stage, "report");
        for size in ["thumb", "full"] {
            let photo = ask(&people, &number, &code, hash, size).await;
            assert_eq!(
                (
                    photo.status,
                    photo.header("content-type"),
                    photo.header("cache-control")
                ),
                (StatusCode::OK, "image/jpeg", "private, no-store")
            );
            assert!(image::load_from_memory(&photo.body).is_ok());
        }

        // Not with another matter's key, not with a wrong code, not a photo that does not exist: the same bytes.
        let nothing = ask(&people, &number, &code, &"0".repeat(64), "full").await;
        assert_eq!(nothing.status, StatusCode::NOT_FOUND);
        for answer in [
            ask(&people, &other_number, &other_code, hash, "full").await,
            ask(&people, &number, "00000000", hash, "full").await,
            ask(&people, "ZS19990101-00001", "00000000", hash, "full").await,
        ] {
            assert_eq!((answer.status, &answer.body), (StatusCode::NOT_FOUND, &nothing.body));
        }

        // After a merge each reporter still sees their own photo and not the other's.
        act(&people.dispatcher, &third, "merge", json!({ "into": mine }))
            .await
            .ok();
        let thirds = shown(&people, &third_number, &third_code).await;
        assert_eq!(thirds.len(), 1);
        assert_ne!(&thirds[0].1, hash);
        assert_eq!(
            ask(&people, &third_number, &third_code, &thirds[0].1, "thumb")
                .await
                .status,
            StatusCode::OK
        );
        assert_eq!(shown(&people, &number, &code).await, own);

        // What the unit took is shown once it gave the reporter an answer with it.
        let before = upload(&people.environment, "/api/v1/uploads", 4).await;
        let after = upload(&people.environment, "/api/v1/uploads", 5).await;
        act(&people.environment, &mine, "take", json!({})).await.ok();
        let done = json!({ "result": "已加装净化装置", "before": [before], "after": [after] });
        let page = act(&people.environment, &mine, "handle", done).await.ok();
        let given: Vec<String> = page["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|a| a["stage"] != "report")
            .map(|a| a["hash"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(given.len(), 2);
        assert_eq!(shown(&people, &number, &code).await, own);
        assert_eq!(ask(&people, &number, &code, &given[0], "full").await.body, nothing.body);
        let answer = json!({ "way": "in_person", "body": "装好了，您看照片。", "solved": true });
        act(&people.grid_worker, &mine, "answer", answer).await.ok();
        let mut stages: Vec<String> = shown(&people, &number, &code)
            .await
            .into_iter()
            .map(|(stage, _)| stage)
            .collect();
        stages.sort();
        assert_eq!(stages, ["after", "before", "report"]);
        assert_eq!(
            ask(&people, &number, &code, &given[1], "full").await.status,
            StatusCode::OK
        );
        assert_eq!(
            ask(&people, &other_number, &other_code, &given[1], "full").await.body,
            nothing.body
        );
        app.remove().await;
    }
}
