//! Shapefiles in a zip. Only what is read is unpacked, and never more than bounds say, whatever the zip says of itself.

use super::{Feature, Shape, Want, choose, shapefile, too_large};
use crate::platform::Fault;
use encoding_rs::GB18030;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// Files in a zip at most.
const MAX_ENTRIES: usize = 2_000;
/// Bytes of one file unpacked, and of those that hold a few words.
const MAX_FILE: usize = 512 << 20;
const MAX_WORDS: usize = 64 << 10;
/// Bytes that say what shapes a `.shp` holds.
const HEAD: usize = 100;

type Zip<'b> = ZipArchive<Cursor<&'b [u8]>>;

fn broken(error: impl std::fmt::Display) -> Fault {
    Fault::refused("zip_unreadable").with("detail", error)
}

/// The features of the shapefile that is meant.
pub fn read(bytes: &[u8], layer: Option<&str>, want: Want) -> Result<Vec<Feature>, Fault> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let all = shapefiles(&mut zip)?;
    let mut layers = Vec::new();
    for (path, parts) in &all {
        let shape = shape(&mut zip, parts["shp"])?;
        layers.push((path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(), shape));
    }
    if layers.is_empty() {
        return Err(Fault::refused("shapefile_parts").with("missing", ".shp"));
    }
    let chosen = choose(&layers, layer, want)?;
    let Some(parts) = all.values().nth(chosen) else {
        return Err(Fault::refused("shapefile_parts").with("missing", ".shp"));
    };
    let mut part = |ending: &str, most: usize| -> Result<Option<Vec<u8>>, Fault> {
        parts.get(ending).map(|at| unpacked(&mut zip, *at, most)).transpose()
    };
    let shp = part("shp", MAX_FILE)?.unwrap_or_default();
    let (dbf, prj, cpg) = (part("dbf", MAX_FILE)?, part("prj", MAX_WORDS)?, part("cpg", MAX_WORDS)?);
    shapefile::read(&shapefile::Parts {
        shp: &shp,
        dbf: dbf.as_deref(),
        prj: prj.as_deref(),
        cpg: cpg.as_deref(),
    })
}

/// Paths without their endings, each with the places of its files by ending; only those with a `.shp`.
fn shapefiles(zip: &mut Zip) -> Result<BTreeMap<String, BTreeMap<String, usize>>, Fault> {
    if zip.len() > MAX_ENTRIES {
        return Err(too_large("files", MAX_ENTRIES));
    }
    let mut all: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for at in 0..zip.len() {
        let entry = zip.by_index_raw(at).map_err(broken)?;
        let raw = entry.name_raw();
        // Names are UTF-8, or what Chinese Windows writes.
        let path = std::str::from_utf8(raw).map_or_else(|_| GB18030.decode(raw).0.into_owned(), str::to_owned);
        let Some((stem, ending)) = path.rsplit_once('.') else {
            continue;
        };
        if !stem.starts_with("__MACOSX") && entry.is_file() {
            all.entry(stem.to_owned())
                .or_default()
                .insert(ending.to_ascii_lowercase(), at);
        }
    }
    all.retain(|_, parts| parts.contains_key("shp"));
    Ok(all)
}

fn shape(zip: &mut Zip, at: usize) -> Result<Shape, Fault> {
    let mut head = Vec::new();
    let entry = zip.by_index(at).map_err(refused)?;
    entry.take(HEAD as u64).read_to_end(&mut head).map_err(broken)?;
    Ok(shapefile::shape(&head))
}

fn unpacked(zip: &mut Zip, at: usize, most: usize) -> Result<Vec<u8>, Fault> {
    let entry = zip.by_index(at).map_err(refused)?;
    let mut all = Vec::new();
    entry.take(most as u64 + 1).read_to_end(&mut all).map_err(broken)?;
    if all.len() > most {
        return Err(too_large("bytes", most));
    }
    Ok(all)
}

fn refused(error: ZipError) -> Fault {
    broken(error)
}
