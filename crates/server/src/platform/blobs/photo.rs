//! What becomes of an uploaded photo: pure, bytes in, bytes out.
//!
//! The format is looked at, not believed; the pixels are counted before they are decoded; place and time are read from the photo's
//! metadata as a claim; then the photo is made anew (turned upright, at most 2048 pixels, JPEG), which leaves all metadata behind.
use exif::{In, Rational, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, imageops::FilterType};
use std::io::Cursor;

/// Pixels a photo may have: decoding takes up to 4 bytes for each.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Longer side of what is served.
pub const FULL_SIDE: u32 = 2048;
/// Longer side of a thumbnail.
pub const THUMB_SIDE: u32 = 320;
/// Memory the decoder may take beside the picture itself.
const DECODE_BYTES: u64 = 512 << 20;
const FULL_QUALITY: u8 = 85;
const THUMB_QUALITY: u8 = 75;

/// Why a file is no photo we take. The code has a sentence in `i18n/ledger.*.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error("photo_heic")]
    Heic,
    #[error("photo_format")]
    Format,
    #[error("photo_broken")]
    Broken,
    #[error("photo_too_many_pixels")]
    TooManyPixels,
}

impl PhotoError {
    pub fn code(self) -> &'static str {
        match self {
            PhotoError::Heic => "photo_heic",
            PhotoError::Format => "photo_format",
            PhotoError::Broken => "photo_broken",
            PhotoError::TooManyPixels => "photo_too_many_pixels",
        }
    }
}

/// What the photo's own metadata said: a claim, never a proof.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// RFC 3339; +08:00 where the photo names no offset.
    pub taken_at: Option<String>,
    /// Degrees, WGS-84: longitude, latitude.
    pub place: Option<(f64, f64)>,
}

/// A photo as it is kept.
#[derive(Clone, Debug)]
pub struct Photo {
    pub full: Vec<u8>,
    pub thumb: Vec<u8>,
    /// Pixels of `full`.
    pub width: u32,
    pub height: u32,
    pub claims: Claims,
}

/// Makes the photo that is kept from the file that was sent.
pub fn prepare(file: &[u8]) -> Result<Photo, PhotoError> {
    let format = sniff(file)?;
    let claims = claims(file);
    let upright = decode(file, format)?;
    let full = if upright.width().max(upright.height()) > FULL_SIDE {
        upright.resize(FULL_SIDE, FULL_SIDE, FilterType::Triangle)
    } else {
        upright
    };
    let full = on_white(full);
    let thumb = if full.width().max(full.height()) > THUMB_SIDE {
        DynamicImage::ImageRgb8(full.clone())
            .thumbnail(THUMB_SIDE, THUMB_SIDE)
            .into_rgb8()
    } else {
        full.clone()
    };
    Ok(Photo {
        width: full.width(),
        height: full.height(),
        full: jpeg(&full, FULL_QUALITY)?,
        thumb: jpeg(&thumb, THUMB_QUALITY)?,
        claims,
    })
}

/// The format by the first bytes; the name and what the sender says do not count.
fn sniff(file: &[u8]) -> Result<ImageFormat, PhotoError> {
    const HEIC: [&[u8]; 8] = [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"];
    match file {
        [0xff, 0xd8, 0xff, ..] => Ok(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(ImageFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(ImageFormat::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', rest @ ..] if HEIC.iter().any(|brand| rest.starts_with(brand)) => {
            Err(PhotoError::Heic)
        }
        _ => Err(PhotoError::Format),
    }
}

fn reader(file: &[u8], format: ImageFormat) -> ImageReader<Cursor<&[u8]>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    reader
}

fn decode(file: &[u8], format: ImageFormat) -> Result<DynamicImage, PhotoError> {
    let mut decoder = reader(file, format).into_decoder().map_err(|_| PhotoError::Broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PhotoError::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(|_| PhotoError::Broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| PhotoError::Broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Without transparency, which JPEG has not.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let over = |c: u8| ((u16::from(c) * u16::from(a) + 255 * (255 - u16::from(a))) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}

fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, PhotoError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(picture)
        .map_err(|_| PhotoError::Broken)?;
    Ok(bytes)
}

/// Reads what the metadata says; whatever is unreadable is not claimed.
fn claims(file: &[u8]) -> Claims {
    let Ok(exif) = exif::Reader::new().read_from_container(&mut Cursor::new(file)) else {
        return Claims::default();
    };
    let field = |tag| exif.get_field(tag, In::PRIMARY).map(|field| &field.value);
    let text = |tag| match field(tag) {
        Some(Value::Ascii(lines)) => lines
            .first()
            .and_then(|line| std::str::from_utf8(line).ok())
            .map(str::trim),
        _ => None,
    };
    let degrees = |tag, reference, negative: &str, most: f64| match field(tag) {
        Some(Value::Rational(parts)) if parts.len() == 3 => {
            let [d, m, s] = [0, 1, 2].map(|i| Rational::to_f64(&parts[i]));
            let value = d + m / 60.0 + s / 3600.0;
            let signed = if text(reference) == Some(negative) {
                -value
            } else {
                value
            };
            (value.is_finite() && value <= most).then_some(signed)
        }
        _ => None,
    };
    let lon = degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0);
    let lat = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0);
    let taken_at = text(Tag::DateTimeOriginal).and_then(|at| instant(at, text(Tag::OffsetTimeOriginal)));
    Claims {
        taken_at,
        place: lon.zip(lat),
    }
}

/// `2026:02:13 15:00:00` as RFC 3339; none unless it is a real time.
fn instant(at: &str, offset: Option<&str>) -> Option<String> {
    let at = exif::DateTime::from_ascii(at.as_bytes()).ok()?;
    let offset = offset.filter(|text| text.len() == 6).unwrap_or("+08:00");
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{offset}",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    );
    text.parse::<jiff::Timestamp>().ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use exif::{Field, experimental::Writer};
    use image::Rgb;

    /// Left half red, right half blue.
    fn two_halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| {
            if x < width / 2 {
                Rgb([200, 0, 0])
            } else {
                Rgb([0, 0, 200])
            }
        })
    }

    fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture.clone())
            .write_to(&mut bytes, format)
            .unwrap();
        bytes.into_inner()
    }

    /// A JPEG as a phone makes it: turned by its metadata, with place and time.
    pub fn phone_photo(width: u32, height: u32) -> Vec<u8> {
        let r = |num, denom| Rational { num, denom };
        let field = |tag, value| Field {
            tag,
            ifd_num: In::PRIMARY,
            value,
        };
        let fields = [
            field(Tag::Orientation, Value::Short(vec![6])),
            field(Tag::BodySerialNumber, Value::Ascii(vec![b"SECRET-SERIAL".to_vec()])),
            field(
                Tag::DateTimeOriginal,
                Value::Ascii(vec![b"2026:02:13 15:04:05".to_vec()]),
            ),
            field(Tag::GPSLatitudeRef, Value::Ascii(vec![b"N".to_vec()])),
            field(Tag::GPSLatitude, Value::Rational(vec![r(29, 1), r(57, 1), r(30, 1)])),
            field(Tag::GPSLongitudeRef, Value::Ascii(vec![b"E".to_vec()])),
            field(Tag::GPSLongitude, Value::Rational(vec![r(122, 1), r(18, 1), r(0, 1)])),
        ];
        let mut writer = Writer::new();
        fields.iter().for_each(|field| writer.push_field(field));
        let mut tiff = Cursor::new(Vec::new());
        writer.write(&mut tiff, false).unwrap();
        let tiff = tiff.into_inner();
        let plain = encoded(&two_halves(width, height), ImageFormat::Jpeg);
        let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
        [&plain[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &tiff, &plain[2..]].concat()
    }

    #[test]
    fn a_phone_photo_is_upright_small_and_without_metadata_its_claims_kept() {
        let file = phone_photo(400, 300);
        let photo = prepare(&file).unwrap();
        // Orientation 6: the camera was turned to the left, so the picture is turned to the right; red comes to the top.
        assert_eq!((photo.width, photo.height), (300, 400));
        let kept = image::load_from_memory(&photo.full).unwrap().into_rgb8();
        assert!(kept.get_pixel(150, 20).0[0] > 150 && kept.get_pixel(150, 380).0[2] > 150);
        assert_eq!(photo.claims.taken_at.as_deref(), Some("2026-02-13T15:04:05+08:00"));
        let (lon, lat) = photo.claims.place.unwrap();
        assert!((lon - 122.3).abs() < 1e-9 && (lat - 29.958_333_333).abs() < 1e-6);
        for bytes in [&photo.full, &photo.thumb] {
            assert!(
                exif::Reader::new()
                    .read_from_container(&mut Cursor::new(bytes))
                    .is_err(),
                "no metadata is left"
            );
            assert!(!bytes.windows(6).any(|window| window == b"SECRET"));
        }
        assert!(
            file.windows(6).any(|window| window == b"SECRET"),
            "the file sent had it"
        );
    }

    #[test]
    fn sizes_are_bounded_and_small_photos_stay() {
        let photo = prepare(&encoded(&two_halves(3000, 1000), ImageFormat::Png)).unwrap();
        assert_eq!((photo.width, photo.height), (2048, 683));
        let thumb = image::load_from_memory(&photo.thumb).unwrap();
        assert_eq!((thumb.width(), thumb.height()), (320, 107));
        let small = prepare(&encoded(&two_halves(100, 80), ImageFormat::WebP)).unwrap();
        assert_eq!((small.width, small.height), (100, 80));
        assert_eq!(small.claims, Claims::default());
    }

    #[test]
    fn transparency_becomes_white() {
        let clear = image::RgbaImage::from_pixel(10, 10, image::Rgba([0, 0, 0, 0]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(clear)
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        let photo = prepare(&bytes.into_inner()).unwrap();
        assert!(
            image::load_from_memory(&photo.full)
                .unwrap()
                .into_rgb8()
                .get_pixel(5, 5)
                .0
                .iter()
                .all(|c| *c > 250)
        );
    }

    #[test]
    fn what_is_no_photo_is_refused_by_name() {
        let refused = |file: &[u8]| prepare(file).unwrap_err();
        assert_eq!(refused(b""), PhotoError::Format);
        assert_eq!(refused(b"<svg onload=alert(1)>"), PhotoError::Format);
        assert_eq!(refused(b"GIF89a................"), PhotoError::Format);
        assert_eq!(refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), PhotoError::Heic);
        let whole = encoded(&two_halves(64, 64), ImageFormat::Jpeg);
        assert_eq!(refused(&whole[..20]), PhotoError::Broken);
        assert_eq!(refused(b"\x89PNG\r\n\x1a\nnonsense"), PhotoError::Broken);
    }

    #[test]
    fn a_pixel_bomb_is_refused_before_it_is_decoded() {
        // A PNG header that says 50,000 x 50,000; there are no pixels behind it.
        let mut file = encoded(&two_halves(8, 8), ImageFormat::Png);
        file[16..20].copy_from_slice(&50_000u32.to_be_bytes());
        file[20..24].copy_from_slice(&50_000u32.to_be_bytes());
        let crc = crc(&file[12..29]);
        file[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(prepare(&file).unwrap_err(), PhotoError::TooManyPixels);
    }

    /// CRC-32 as PNG uses it.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }
}
