//! Photos from the first byte to what is served: uploads over HTTP that resume, refusals, what is kept and what is not.
#![allow(clippy::unwrap_used)]
use crate::bare::{Bare, app_on, each};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::{DynamicImage, ImageFormat, RgbImage};
use server::platform::blobs::{self, Size};
use server::platform::clock::{Chance, Clock};
use server::platform::config::Config;
use server::platform::keys::Keys;
use server::platform::{Actor, App, Ctx, Purpose, Scope, UploadId, jobs};
use sha2::{Digest, Sha256};
use std::io::Cursor;
use tower::ServiceExt as _;

/// A photo with some detail, so that it is not tiny.
fn photo(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(640, 480, |x, y| {
        image::Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x * y) % 256) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

struct Phone {
    app: App,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn offset(&self) -> usize {
        self.header("upload-offset").parse().unwrap()
    }
}

impl Phone {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-wangge-client", "portal")
            .header("tus-resumable", "1.0.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = server::router::router(self.app.clone())
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8_lossy(&to_bytes(body, 1 << 22).await.unwrap()).into_owned();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    async fn create(&self, length: usize) -> Reply {
        let metadata = format!("filename {}", BASE64.encode("路灯.jpg"));
        let length = length.to_string();
        self.send(
            "POST",
            "/api/v1/portal/uploads",
            &[("upload-length", &length), ("upload-metadata", &metadata)],
            Body::empty(),
        )
        .await
    }

    async fn piece(&self, place: &str, offset: usize, bytes: &[u8]) -> Reply {
        self.piece_with(place, offset, Body::from(bytes.to_vec()), &[]).await
    }

    async fn piece_with(&self, place: &str, offset: usize, body: Body, more: &[(&str, &str)]) -> Reply {
        let offset = offset.to_string();
        let mut headers = vec![
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        headers.extend(more);
        self.send("PATCH", place, &headers, body).await
    }

    async fn head(&self, place: &str) -> Reply {
        self.send("HEAD", place, &[], Body::empty()).await
    }
}

fn resident(app: &App) -> Ctx {
    Ctx {
        actor: Actor::Resident,
        scope: Scope::nothing(),
        purpose: Purpose::OwnReport,
        ..Ctx::system(app, "test")
    }
}

fn id_of(place: &str) -> UploadId {
    place.rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_was_cut_also_after_a_restart() {
    each(|bare| async move {
        let phone = Phone { app: bare.app.clone() };
        let file = photo(ImageFormat::Jpeg);
        let created = phone.create(file.len()).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
        let place = created.header("location").to_owned();
        assert!(created.header("upload-expires").ends_with("GMT"));
        assert_eq!(phone.piece(&place, 0, &file[..10_000]).await.offset(), 10_000);
        // The connection breaks in the middle of a piece: what arrived is kept.
        let torn = futures::stream::iter([
            Ok(Bytes::copy_from_slice(&file[10_000..13_000])),
            Err(std::io::Error::other("gone")),
        ]);
        let answer = phone.piece_with(&place, 10_000, Body::from_stream(torn), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        // The server is started anew.
        let phone = Phone {
            app: app_on(&bare.test.db, &bare.folder, 1),
        };
        let head = phone.head(&place).await;
        assert_eq!(
            (head.offset(), head.header("upload-length")),
            (13_000, file.len().to_string().as_str())
        );
        assert_eq!(head.header("cache-control"), "no-store");
        let wrong = phone.piece(&place, 12_000, &file[12_000..]).await;
        assert_eq!(wrong.status, StatusCode::CONFLICT, "{}", wrong.text);
        let last = phone.piece(&place, 13_000, &file[13_000..]).await;
        assert_eq!(
            (last.status, last.offset()),
            (StatusCode::NO_CONTENT, file.len()),
            "{}",
            last.text
        );
        let hash = last.header("wangge-photo").to_owned();

        let app = phone.app.clone();
        let taken = app
            .read(&resident(&app), move |ctx, tx| blobs::take(ctx, tx, id_of(&place)))
            .await
            .unwrap();
        assert_eq!(
            (taken.hash.as_str(), taken.width, taken.height),
            (hash.as_str(), 640, 480)
        );
        let full = blobs::read(&app, &hash, Size::Full).await.unwrap();
        assert_eq!(
            hex::encode(Sha256::digest(&full)),
            hash,
            "a photo's name is its content"
        );
        assert_ne!(full.as_ref(), file, "what was sent is not what is served");
        let thumb = image::load_from_memory(&blobs::read(&app, &hash, Size::Thumb).await.unwrap()).unwrap();
        assert_eq!((thumb.width(), thumb.height()), (320, 240));
        let left = std::fs::read_dir(bare.folder.path().join("blobs/incoming"))
            .unwrap()
            .count();
        assert_eq!(left, 0, "the file that was sent is gone");
        drop((app, phone));
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_piece_is_not_kept() {
    let bare = Bare::new(db::Backend::Sqlite).await;
    let phone = Phone { app: bare.app.clone() };
    let file = photo(ImageFormat::Png);
    let place = phone.create(file.len()).await.header("location").to_owned();
    let sum = format!("sha256 {}", BASE64.encode(Sha256::digest(&file[..500])));
    let damaged = phone
        .piece_with(
            &place,
            0,
            Body::from(file[1..501].to_vec()),
            &[("upload-checksum", &sum)],
        )
        .await;
    assert_eq!(damaged.status.as_u16(), 460, "{}", damaged.text);
    assert_eq!(phone.head(&place).await.offset(), 0);
    let sound = phone
        .piece_with(
            &place,
            0,
            Body::from(file[..500].to_vec()),
            &[("upload-checksum", &sum)],
        )
        .await;
    assert_eq!(sound.offset(), 500);
    let unknown = phone
        .piece_with(
            &place,
            500,
            Body::from(file[500..].to_vec()),
            &[("upload-checksum", "crc32 AAAA")],
        )
        .await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    drop(phone);
    bare.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_photo_or_too_large_is_refused_with_a_sentence() {
    let bare = Bare::new(db::Backend::Sqlite).await;
    let phone = Phone { app: bare.app.clone() };
    assert_eq!(phone.create(21 << 20).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(phone.create(0).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let place = phone.create(heic.len()).await.header("location").to_owned();
    let refused = phone.piece(&place, 0, heic).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("photo_heic") && refused.text.contains("HEIC"),
        "{}",
        refused.text
    );
    let app = phone.app.clone();
    let taken = app
        .read(&resident(&app), move |ctx, tx| blobs::take(ctx, tx, id_of(&place)))
        .await
        .unwrap_err();
    assert_eq!(taken.code(), "photo_heic");
    let more = phone.create(4).await.header("location").to_owned();
    assert_eq!(
        phone.piece(&more, 0, b"12345").await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let old = phone
        .send(
            "POST",
            "/api/v1/portal/uploads",
            &[("tus-resumable", "0.2.2")],
            Body::empty(),
        )
        .await;
    assert!(old.status == StatusCode::PRECONDITION_FAILED || old.status == StatusCode::UNPROCESSABLE_ENTITY);
    let about = phone
        .send("OPTIONS", "/api/v1/portal/uploads", &[], Body::empty())
        .await;
    assert_eq!(
        about.header("tus-extension"),
        "creation,checksum,termination,expiration"
    );
    drop((app, phone));
    bare.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_can_be_ended_and_runs_out() {
    each(|bare| async move {
        let phone = Phone { app: bare.app.clone() };
        blobs::register(&phone.app);
        let file = photo(ImageFormat::WebP);
        let ended = phone.create(file.len()).await.header("location").to_owned();
        phone.piece(&ended, 0, &file[..100]).await;
        assert_eq!(
            phone.send("DELETE", &ended, &[], Body::empty()).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(phone.head(&ended).await.status, StatusCode::NOT_FOUND);
        let left = phone.create(file.len()).await.header("location").to_owned();
        phone.piece(&left, 0, &file[..100]).await;
        phone.app.clock().advance_ms(blobs::LIFETIME_MS);
        assert_eq!(phone.head(&left).await.status, StatusCode::GONE);
        jobs::run_due(&phone.app).await.unwrap();
        phone.app.clock().advance_ms(blobs::LIFETIME_MS);
        jobs::run_due(&phone.app).await.unwrap();
        assert_eq!(phone.head(&left).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            std::fs::read_dir(bare.folder.path().join("blobs/incoming"))
                .unwrap()
                .count(),
            0
        );
        drop(phone);
        bare.remove().await;
    })
    .await;
}

/// On a real S3-compatible store: `WANGGE_TEST_S3=s3://bucket/prefix` and the usual AWS variables name it. Takes the place of the folder
/// for all a photo goes through; while the store is away, what was sent waits and is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn photos_live_in_an_s3_compatible_store() {
    let Ok(place) = std::env::var("WANGGE_TEST_S3") else {
        eprintln!("skipped: set WANGGE_TEST_S3 and the AWS variables to a store that may be written to");
        return;
    };
    let bare = Bare::new(db::Backend::Sqlite).await;
    let on = |blobs: String| {
        let config = Config {
            blobs,
            key_file: bare.folder.path().join("wangge.key"),
            ..Config::default()
        };
        let clock = Clock::standing_at(bare.app.now());
        App::new(
            bare.test.db.clone(),
            config,
            clock,
            Chance::seeded(7),
            Keys::from_master([1; 32]),
        )
    };
    let file = photo(ImageFormat::Jpeg);

    let away = Phone {
        app: on("s3://no-such-bucket-of-wangge/x".into()),
    };
    let upload = away.create(file.len()).await.header("location").to_owned();
    let refused = away.piece(&upload, 0, &file).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text);
    assert!(refused.text.contains("storage_unavailable"), "{}", refused.text);

    let phone = Phone { app: on(place) };
    let sent = phone.head(&upload).await.offset();
    assert_eq!(sent, file.len(), "nothing has to be sent twice");
    let done = phone.piece(&upload, sent, &[]).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    let hash = done.header("wangge-photo").to_owned();
    let full = blobs::read(&phone.app, &hash, Size::Full).await.unwrap();
    assert_eq!(hex::encode(Sha256::digest(&full)), hash);
    let thumb = image::load_from_memory(&blobs::read(&phone.app, &hash, Size::Thumb).await.unwrap()).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (320, 240));
    drop((away, phone));
    bare.remove().await;
}
