//! Shapefile (ESRI, July 1998): the shapes of a `.shp` in order with the rows of its `.dbf`. Read here and not by a library: every length is the
//! file's own word and is held against the bytes there are before anything is made.

use super::system::System;
use super::{Feature, MAX_FEATURES, Room, Shape, dbf, too_large};
use crate::platform::Fault;

/// Length of the head of the file, of each record's.
const HEAD: usize = 100;
const RECORD: usize = 8;
/// Numbers below stand for none.
const NONE: f64 = -1e38;
/// Corners looked at in finding the rings that holes of one record lie in.
const MAX_LOOKS: usize = 1_000_000_000;

/// The files of a shapefile.
pub struct Parts<'b> {
    pub shp: &'b [u8],
    pub dbf: Option<&'b [u8]>,
    pub prj: Option<&'b [u8]>,
    pub cpg: Option<&'b [u8]>,
}

fn broken(what: &str) -> Fault {
    Fault::refused("shapefile_unreadable").with("detail", format!(".shp: {what}"))
}

/// All features.
pub fn read(parts: &Parts) -> Result<Vec<Feature>, Fault> {
    let table = parts
        .dbf
        .ok_or_else(|| Fault::refused("shapefile_parts").with("missing", ".dbf"))?;
    let system = match parts.prj {
        Some(text) => System::of_text(&String::from_utf8_lossy(text), ".prj")?,
        None => System::AsGiven,
    };
    let shapes = shapes(parts.shp)?;
    let rows = dbf::read(table, parts.cpg)?;
    if shapes.len() != rows.len() {
        return Err(broken(&format!("{} shapes, {} rows in .dbf", shapes.len(), rows.len())));
    }
    let mut found = Vec::with_capacity(shapes.len());
    for ((mut feature, properties), row) in shapes.into_iter().zip(rows).zip(1..) {
        let Some(properties) = properties else { continue };
        (feature.row, feature.properties) = (row, properties);
        system.unproject(&mut feature);
        found.push(feature);
    }
    Ok(found)
}

/// What a `.shp` says it holds.
pub fn shape(head: &[u8]) -> Shape {
    match whole(head, 32) {
        Some(1 | 11 | 21 | 8 | 18 | 28) => Shape::Points,
        Some(3 | 13 | 23) => Shape::Lines,
        Some(5 | 15 | 25) => Shape::Areas,
        _ => Shape::None,
    }
}

fn whole(bytes: &[u8], at: usize) -> Option<i32> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(i32::from_le_bytes(four))
}

/// Lengths are counted in pairs of bytes, the highest byte first.
fn pairs(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(i32::from_be_bytes(four)).ok()?.checked_mul(2)
}

fn real(bytes: &[u8], at: usize) -> f64 {
    let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
    let value = eight.map_or(f64::NAN, f64::from_le_bytes);
    if value < NONE { f64::NAN } else { value }
}

fn position(bytes: &[u8], at: usize) -> [f64; 2] {
    [real(bytes, at), real(bytes, at + 8)]
}

fn shapes(file: &[u8]) -> Result<Vec<Feature>, Fault> {
    if !file.starts_with(&[0, 0, 0x27, 0x0a]) || file.len() < HEAD {
        return Err(broken("no head"));
    }
    if shape(file) == Shape::None {
        return Err(broken("shapes of another kind"));
    }
    let length = pairs(file, 24).filter(|length| (HEAD..=file.len()).contains(length));
    let file = &file[..length.ok_or_else(|| broken("cut off"))?];
    let (mut found, mut room, mut at) = (Vec::new(), Room::default(), HEAD);
    while at + RECORD <= file.len() {
        let end = pairs(file, at + 4).and_then(|length| length.checked_add(at + RECORD));
        let content = end.and_then(|end| Some((file.get(at + RECORD..end)?, end)));
        let (content, end) = content.ok_or_else(|| broken("cut off"))?;
        let record = found.len() + 1;
        if record > MAX_FEATURES {
            return Err(too_large("features", MAX_FEATURES));
        }
        let feature = one(content, &mut room)?;
        found.push(feature.ok_or_else(|| broken(&format!("record {record} does not fit its length")))?);
        at = end;
    }
    Ok(found)
}

/// The shape of one record; none: it does not fit its length.
fn one(content: &[u8], room: &mut Room) -> Result<Option<Feature>, Fault> {
    let mut feature = Feature::default();
    let Some(kind) = whole(content, 0) else { return Ok(None) };
    match kind {
        0 => {}
        1 | 11 | 21 => {
            if content.len() < 20 {
                return Ok(None);
            }
            room.take(1)?;
            feature.points.push(position(content, 4));
        }
        8 | 18 | 28 => {
            let Some(points) = positions(content, 36, 40) else {
                return Ok(None);
            };
            room.take(points.len())?;
            feature.points = points.collect();
        }
        3 | 13 | 23 | 5 | 15 | 25 => {
            let Some(lines) = lines(content) else { return Ok(None) };
            room.take(lines.iter().map(Vec::len).sum())?;
            match kind % 10 {
                3 => feature.lines = lines,
                _ => {
                    let polygons = polygons(lines);
                    feature.polygons = polygons.ok_or_else(|| too_large("corners looked at", MAX_LOOKS))?;
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(feature))
}

/// As many positions as the number at `count` says, from `start` on.
fn positions(content: &[u8], count: usize, start: usize) -> Option<impl ExactSizeIterator<Item = [f64; 2]>> {
    let count = usize::try_from(whole(content, count)?).ok()?;
    let bytes = content.get(start..start.checked_add(count.checked_mul(16)?)?)?;
    Some(bytes.chunks_exact(16).map(|pair| position(pair, 0)))
}

fn lines(content: &[u8]) -> Option<Vec<Vec<[f64; 2]>>> {
    let parts = usize::try_from(whole(content, 36)?).ok()?;
    let starts = content.get(44..44usize.checked_add(parts.checked_mul(4)?)?)?;
    let all: Vec<[f64; 2]> = positions(content, 40, 44 + starts.len())?.collect();
    let starts = starts.chunks_exact(4).map(|four| usize::try_from(whole(four, 0)?).ok());
    let mut starts: Vec<usize> = starts.collect::<Option<_>>()?;
    starts.push(all.len());
    let pieces = starts
        .windows(2)
        .map(|ends| all.get(ends[0]..ends[1]).map(<[_]>::to_vec));
    pieces.collect()
}

/// Rings to polygons: those that turn with the clock are outer ones, a hole belongs to the smallest that holds it; one that lies in none is an
/// outer ring drawn the wrong way round. Outer rings come out against the clock, holes with it, as GeoJSON has them (RFC 7946).
/// None: too many to find that out.
fn polygons(rings: Vec<Vec<[f64; 2]>>) -> Option<Vec<Vec<Vec<[f64; 2]>>>> {
    let mut rings: Vec<(f64, usize, Vec<[f64; 2]>)> = rings
        .into_iter()
        .enumerate()
        .filter(|(_, ring)| !ring.is_empty())
        .map(|(at, ring)| (turn(&ring), at, ring))
        .collect();
    rings.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mut outer: Vec<(usize, Vec<Vec<[f64; 2]>>)> = Vec::new();
    let mut looks = 0;
    for (turn, at, mut ring) in rings {
        let mut around = None;
        if turn > 0.0 {
            // The smallest so far that holds it: they come by size.
            for (nth, (_, rings)) in outer.iter().enumerate().rev() {
                looks += rings[0].len() * TRIED;
                if looks > MAX_LOOKS {
                    return None;
                }
                if holds(&rings[0], &ring) {
                    around = Some(nth);
                    break;
                }
            }
        }
        match around {
            Some(nth) => {
                ring.reverse();
                outer[nth].1.push(ring);
            }
            None => {
                if turn < 0.0 {
                    ring.reverse();
                }
                outer.push((at, vec![ring]));
            }
        }
    }
    // As the file has them: the order of the outer rings, and of the holes in each by size.
    outer.sort_by_key(|(at, _)| *at);
    Some(outer.into_iter().map(|(_, rings)| rings).collect())
}

/// Twice the area; above zero against the clock.
fn turn(ring: &[[f64; 2]]) -> f64 {
    let Some(base) = ring.first() else { return 0.0 };
    let from = |p: &[f64; 2]| [p[0] - base[0], p[1] - base[1]];
    let cross = |pair: &[[f64; 2]]| {
        let (a, b) = (from(&pair[0]), from(&pair[1]));
        a[0] * b[1] - b[0] * a[1]
    };
    ring.windows(2).map(cross).sum()
}

/// Corners compared in search of one that is not shared.
const TRIED: usize = 4;

/// Whether a ring lies within another that it does not cross: by the first of its corners that is no corner of the other.
fn holds(outer: &[[f64; 2]], ring: &[[f64; 2]]) -> bool {
    let free = ring.iter().take(TRIED).find(|p| !outer.contains(p)).or(ring.first());
    let Some(p) = free else { return false };
    let crosses = |pair: &&[[f64; 2]]| {
        let (a, b) = (pair[0], pair[1]);
        (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0]
    };
    outer.windows(2).filter(crosses).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64, with_the_clock: bool) -> Vec<[f64; 2]> {
        let mut ring = vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]];
        if with_the_clock {
            ring.reverse();
        }
        ring
    }

    #[test]
    fn holes_find_their_rings() {
        let all = polygons(vec![
            square(50.0, 0.0, 10.0, true),
            square(0.0, 0.0, 30.0, true),
            square(5.0, 5.0, 20.0, false),
            square(10.0, 10.0, 5.0, true),
            square(11.0, 11.0, 1.0, false),
            square(52.0, 2.0, 1.0, false),
            square(90.0, 0.0, 4.0, false),
        ])
        .unwrap();
        let sizes: Vec<Vec<f64>> = all
            .iter()
            .map(|rings| rings.iter().map(|ring| turn(ring) / 2.0).collect())
            .collect();
        assert_eq!(
            sizes,
            [vec![100.0, -1.0], vec![900.0, -400.0], vec![25.0, -1.0], vec![16.0]]
        );
        assert_eq!(polygons(vec![vec![]]), Some(vec![]));
    }

    #[test]
    fn wild_lengths_are_refused() {
        let mut file = vec![0, 0, 0x27, 0x0a];
        file.resize(24, 0);
        file.extend(((100_i32 + 8 + 44 + 4 + 64) / 2).to_be_bytes());
        file.extend(1000i32.to_le_bytes());
        file.extend(5i32.to_le_bytes());
        file.resize(HEAD, 0);
        file.extend(1i32.to_be_bytes());
        file.extend(((44 + 4 + 64) / 2i32).to_be_bytes());
        file.extend(5i32.to_le_bytes());
        file.resize(HEAD + RECORD + 36, 0);
        file.extend(1i32.to_le_bytes());
        file.extend(4i32.to_le_bytes());
        file.extend(0i32.to_le_bytes());
        for at in [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0f64]] {
            file.extend(at[0].to_le_bytes());
            file.extend(at[1].to_le_bytes());
        }
        assert_eq!(shapes(&file).unwrap()[0].polygons[0][0].len(), 4);
        for cut in [0, 50, 101, 130, file.len() - 1] {
            assert!(shapes(&file[..cut]).is_err(), "{cut}");
        }
        // Lengths of the file, of the record, of its parts, of its points, the first part's start, the kind.
        for at in [24, 104, 144, 148, 152, 32] {
            for wild in [i32::MAX, -1, i32::MIN, 1 << 28] {
                let mut bad = file.clone();
                let bytes = if at == 24 || at == 104 {
                    wild.to_be_bytes()
                } else {
                    wild.to_le_bytes()
                };
                bad[at..at + 4].copy_from_slice(&bytes);
                assert!(shapes(&bad).is_err(), "{at} {wild}");
            }
        }
    }
}
