//! Pictures for the demo: drawn, not photographed, and handed in like any photo.

use super::lot::Lot;
use crate::platform::{Ctx, Fault, UploadId, blobs};
use axum::body::Bytes;
use image::{Rgb, RgbImage};
use std::io::Cursor;

const WIDE: u32 = 640;
const HIGH: u32 = 480;

/// Uploads a picture; its id as a case's attachment.
pub async fn upload(ctx: &Ctx, lot: &mut Lot) -> Result<String, Fault> {
    let file = draw(lot)?;
    let id: UploadId = ctx.app.new_id();
    blobs::create(ctx, id, file.len() as u64, "photo.jpg".to_owned()).await?;
    let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(file))]);
    blobs::append(ctx, id, 0, None, body).await?;
    Ok(id.to_string())
}

/// A street: sky, wall, pavement, and a round cover in it.
fn draw(lot: &mut Lot) -> Result<Vec<u8>, Fault> {
    let (wall, cover) = (150 + lot.below(80) as u8, 40 + lot.below(50) as u8);
    let (x, y, radius) = (
        200 + lot.below(240) as i64,
        380 + lot.below(40) as i64,
        38 + lot.below(20) as i64,
    );
    let horizon = 180 + lot.below(60) as u32;
    let picture = RgbImage::from_fn(WIDE, HIGH, |i, j| {
        let (dx, dy) = (i64::from(i) - x, (i64::from(j) - y) * 2);
        let grain = ((i * 7 + j * 13) % 11) as u8;
        if dx * dx + dy * dy < radius * radius {
            Rgb([cover + grain, cover + grain, cover + 8])
        } else if j < horizon {
            Rgb([150 + (j / 3) as u8, 180, 215])
        } else if j < horizon + 90 {
            Rgb([wall, wall - 12, wall - 30 + grain])
        } else {
            let joint = i % 64 < 2 || j % 40 < 2;
            let tone = if joint { 95 } else { 128 + grain };
            Rgb([tone, tone, tone - 4])
        }
    });
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Jpeg)
        .map_err(Fault::internal)?;
    Ok(file.into_inner())
}
