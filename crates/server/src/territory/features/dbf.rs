//! The table of a shapefile (dBase III): rows in order, those struck out told apart. Text is in the encoding its `.cpg` names; where none is
//! named, UTF-8 if all of it is, else GB18030, which Chinese programs write.

use super::{MAX_FEATURES, number, too_large};
use crate::platform::Fault;
use encoding_rs::{Encoding, GB18030, UTF_8};
use serde_json::{Map, Value};

/// Length of the head of the table, and of each column in it.
const HEAD: usize = 32;
/// What ends the columns.
const END: u8 = 0x0d;
/// Columns of one table at most.
const MAX_COLUMNS: usize = 500;
/// Longest name a column can have; longer ones were cut off here.
const LONGEST: usize = 10;
/// Names that are longer than that and are looked for.
const CUT: [&str; 6] = [
    "enterprises",
    "addr:street",
    "addr_street",
    "building:levels",
    "building:part",
    "kind_detail",
];

struct Column {
    name: Vec<u8>,
    kind: u8,
    from: usize,
    length: usize,
}

fn broken(what: &str) -> Fault {
    Fault::refused("shapefile_unreadable").with("detail", format!(".dbf: {what}"))
}

/// The rows; none: struck out.
pub fn read(table: &[u8], cpg: Option<&[u8]>) -> Result<Vec<Option<Map<String, Value>>>, Fault> {
    let short = |at: usize| {
        let two = table.get(at..at + 2).and_then(|two| two.try_into().ok());
        two.map(|two| usize::from(u16::from_le_bytes(two)))
            .ok_or_else(|| broken("no head"))
    };
    let count = table
        .get(4..8)
        .and_then(|four| four.try_into().ok())
        .map(u32::from_le_bytes);
    let count = count.ok_or_else(|| broken("no head"))? as usize;
    if count > MAX_FEATURES {
        return Err(too_large("rows", MAX_FEATURES));
    }
    let (head, length) = (short(8)?, short(10)?);
    let columns = columns(table, head, length)?;
    let rows = table.get(head..).and_then(|rows| rows.get(..count * length));
    let rows = rows.ok_or_else(|| broken("cut off"))?;
    let encoding = encoding(table, &columns, rows, length, cpg)?;
    let names: Vec<String> = columns
        .iter()
        .map(|column| whole_name(text(encoding, &column.name)))
        .collect();
    let read = |row: &[u8]| {
        let cells = columns.iter().zip(&names).map(|(column, name)| {
            let cell = &row[column.from..column.from + column.length];
            (name.clone(), value(encoding, column.kind, cell))
        });
        (row[0] != b'*').then(|| cells.collect())
    };
    Ok(rows.chunks_exact(length).map(read).collect())
}

fn columns(table: &[u8], head: usize, length: usize) -> Result<Vec<Column>, Fault> {
    let heads = table.get(HEAD..head).ok_or_else(|| broken("cut off"))?;
    let (mut columns, mut from) = (Vec::new(), 1);
    for one in heads.chunks_exact(HEAD).take_while(|one| one[0] != END) {
        let name = one[..11].split(|byte| *byte == 0).next().unwrap_or_default();
        columns.push(Column {
            name: name.to_vec(),
            kind: one[11],
            from,
            length: usize::from(one[16]),
        });
        from += usize::from(one[16]);
    }
    if from > length || columns.len() > MAX_COLUMNS {
        return Err(broken("columns do not fit their rows"));
    }
    Ok(columns)
}

/// A name that was cut off, where it can only be one that is looked for; colons may have become lines.
fn whole_name(name: String) -> String {
    let cut = CUT.iter().find(|whole| {
        name.len() == LONGEST && (whole.starts_with(&name) || whole.replace(':', "_").starts_with(&name))
    });
    cut.map_or(name, |whole| (*whole).to_owned())
}

fn value(encoding: &'static Encoding, kind: u8, cell: &[u8]) -> Value {
    match kind {
        b'C' | b'D' => Value::String(text(encoding, cell)),
        b'N' | b'F' => {
            let plain = String::from_utf8_lossy(cell);
            let plain = plain.trim_matches([' ', '\0']);
            let whole = plain.parse::<i64>().ok().map(Value::from);
            let real = || plain.parse::<f64>().ok().filter(|real| real.is_finite()).map(number);
            whole.or_else(real).unwrap_or(Value::Null)
        }
        b'L' => match cell.first() {
            Some(b'T' | b't' | b'Y' | b'y') => Value::Bool(true),
            Some(b'F' | b'f' | b'N' | b'n') => Value::Bool(false),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

/// A sign cut in two at the end of a cell is dropped.
fn text(encoding: &'static Encoding, cell: &[u8]) -> String {
    let end = cell
        .iter()
        .rposition(|byte| *byte != b' ' && *byte != 0)
        .map_or(0, |last| last + 1);
    let said = encoding.decode_without_bom_handling(&cell[..end]).0;
    said.trim_end_matches('\u{fffd}').trim().to_owned()
}

fn encoding(
    table: &[u8],
    columns: &[Column],
    rows: &[u8],
    length: usize,
    cpg: Option<&[u8]>,
) -> Result<&'static Encoding, Fault> {
    /// Code pages of the table's own head that mean GBK.
    const GBK: [u8; 2] = [0x4d, 0x7a];
    let said = cpg.map(|cpg| {
        String::from_utf8_lossy(cpg)
            .trim_matches(['\u{feff}', '\0', ' ', '\r', '\n'])
            .to_ascii_uppercase()
    });
    let said = said.unwrap_or_default();
    let page = said.trim_start_matches("ANSI").trim_start_matches("CP").trim();
    match page {
        "" | "OEM" | "SYSTEM" => {}
        "65001" | "UTF8" | "UTF-8" => return Ok(UTF_8),
        "936" | "54936" | "GBK" | "GB2312" | "GB18030" => return Ok(GB18030),
        "88591" => return Ok(encoding_rs::WINDOWS_1252),
        other => {
            let named = Encoding::for_label(other.as_bytes());
            let paged = || Encoding::for_label(format!("windows-{other}").as_bytes());
            let unknown = || Fault::refused("shapefile_encoding").with("found", &said);
            return named.or_else(paged).ok_or_else(unknown);
        }
    }
    if table.get(29).is_some_and(|page| GBK.contains(page)) {
        return Ok(GB18030);
    }
    // A sign may be cut in two at the end of its cell.
    let fits = |cell: &[u8]| std::str::from_utf8(cell).map_or_else(|error| error.error_len().is_none(), |_| true);
    let texts = columns.iter().filter(|column| column.kind == b'C');
    let of_text: Vec<_> = texts.map(|column| column.from..column.from + column.length).collect();
    let cut_end = |cell: &[u8]| -> usize {
        cell.iter()
            .rposition(|byte| *byte != b' ' && *byte != 0)
            .map_or(0, |last| last + 1)
    };
    let all = rows.chunks_exact(length).all(|row| {
        of_text.iter().all(|range| {
            let cell = &row[range.clone()];
            fits(&cell[..cut_end(cell)])
        })
    });
    Ok(if all && columns.iter().all(|column| fits(&column.name)) {
        UTF_8
    } else {
        GB18030
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &[u8], cell: &[u8], struck: bool) -> Vec<u8> {
        let mut all = vec![3, 95, 7, 26];
        all.extend(1u32.to_le_bytes());
        all.extend(65u16.to_le_bytes());
        all.extend((cell.len() as u16 + 1).to_le_bytes());
        all.resize(HEAD, 0);
        let mut column = [0; HEAD];
        column[..name.len()].copy_from_slice(name);
        column[11] = b'C';
        column[16] = cell.len() as u8;
        all.extend(column);
        all.push(END);
        all.push(if struck { b'*' } else { b' ' });
        all.extend(cell);
        all
    }

    #[test]
    fn text_is_utf8_or_gbk_and_cut_names_are_whole() {
        let gbk = GB18030.encode("东街一号楼").0.into_owned();
        let utf8 = "东街一号楼".as_bytes();
        let read = |cell: &[u8], cpg: Option<&str>| {
            let rows = read(&table(b"name", cell, false), cpg.map(str::as_bytes)).unwrap();
            rows[0].as_ref().unwrap()["name"].as_str().unwrap().to_owned()
        };
        for cpg in [None, Some("GBK"), Some("936\r\n"), Some("ANSI 936"), Some("CP936")] {
            assert_eq!(read(&gbk, cpg), "东街一号楼", "{cpg:?}");
        }
        for cpg in [None, Some("UTF-8"), Some("65001"), Some("OEM")] {
            assert_eq!(read(utf8, cpg), "东街一号楼", "{cpg:?}");
        }
        assert_eq!(read(&utf8[..14], None), "东街一号");
        assert_eq!(read(b"  6 \0\0", None), "6");
        let refused = super::read(&table(b"name", b"a", false), Some(b"KLINGON")).unwrap_err();
        assert_eq!(refused.code(), "shapefile_encoding");
        let long = super::read(&table(b"building:l", b"6", false), None).unwrap();
        assert_eq!(long[0].as_ref().unwrap()["building:levels"], "6");
        assert_eq!(whole_name("building_l".to_owned()), "building:levels");
        assert_eq!(whole_name("households".to_owned()), "households");
        assert_eq!(super::read(&table(b"name", b"a", true), None).unwrap(), [None]);
        assert_eq!(value(UTF_8, b'N', b"   12.500"), Value::from(12.5));
        assert_eq!(value(UTF_8, b'N', b" 310101001 "), Value::from(310_101_001));
        assert_eq!(value(UTF_8, b'N', b"******"), Value::Null);
        assert_eq!(value(UTF_8, b'L', b"T"), Value::Bool(true));
    }

    #[test]
    fn a_table_that_does_not_fit_itself_is_refused() {
        let whole = table(b"name", b"abc", false);
        for cut in [0, 7, 11, 40, whole.len() - 1] {
            assert!(read(&whole[..cut], None).is_err(), "{cut}");
        }
        for (at, byte) in [(4, 9), (7, 0xff), (8, 200), (10, 1), (48, 255)] {
            let mut wild = whole.clone();
            wild[at] = byte;
            assert!(read(&wild, None).is_err(), "{at}");
        }
        let mut none = whole.clone();
        none[10] = 0;
        assert!(read(&none, None).is_err());
    }
}
