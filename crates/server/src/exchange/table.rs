//! Spreadsheets as they come in: `.xlsx` and CSV, read into rows of text within bounds.
//!
//! Entry point: [`read`]. The file is somebody else's: every size is bounded before memory is taken, a zip that unpacks to more than it
//! may is refused while unpacking. Must not: know what the columns mean.

use crate::platform::Fault;
use axum::http::StatusCode;
use calamine::{DataRef, Reader, Xlsx};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// Largest file.
pub const MAX_BYTES: usize = 20 << 20;
/// Most rows below the header.
pub const MAX_ROWS: usize = 20_000;
/// Most columns.
pub const MAX_COLUMNS: usize = 100;
/// Characters of one cell; what a spreadsheet program takes.
pub const MAX_CELL: usize = 32_767;
/// What an `.xlsx` may unpack to.
const MAX_UNPACKED: u64 = 256 << 20;
/// Files inside an `.xlsx`.
const MAX_ENTRIES: usize = 2_000;
/// Rows looked at for the header: lists often begin with a title.
const HEADER_WITHIN: usize = 10;

/// A table of text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row with its number as the spreadsheet program shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub number: usize,
    pub cells: Vec<String>,
}

/// Reads a file. `is_header` tells the header from a title line above it; without one the first row that is not empty is taken.
pub fn read(bytes: &[u8], is_header: impl Fn(&[String]) -> bool) -> Result<Table, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "sheet_too_large").with("most", MAX_BYTES >> 20));
    }
    let rows = match bytes {
        [] => return Err(Fault::refused("sheet_empty")),
        [b'P', b'K', 3, 4, ..] => xlsx(bytes)?,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => return Err(Fault::refused("sheet_old_excel")),
        _ => csv_rows(text_of(bytes)?)?,
    };
    let mut rows = rows
        .into_iter()
        .filter(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()))
        .collect::<Vec<_>>();
    let header = rows
        .iter()
        .take(HEADER_WITHIN)
        .position(|row| is_header(&row.cells))
        .unwrap_or(0);
    if rows.is_empty() {
        return Err(Fault::refused("sheet_empty"));
    }
    let body = rows.split_off(header + 1);
    let header = rows.pop().map(|row| row.cells).unwrap_or_default();
    let header = header.iter().map(|cell| cell.trim().to_owned()).collect();
    Ok(Table { header, rows: body })
}

/// The text of a CSV: UTF-8, with or without a mark. Other encodings are named, not guessed at.
fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Fault::refused("sheet_is_utf16"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(Fault::refused("sheet_not_text")),
        Ok(text) => Ok(text.trim_start_matches('\u{feff}')),
        Err(_) if reads_as_gbk(bytes) => Err(Fault::refused("sheet_is_gbk")),
        Err(_) => Err(Fault::refused("sheet_not_text")),
    }
}

/// Whether every byte outside ASCII is half of a two-byte character of GBK (GB 18030 without its four-byte forms).
fn reads_as_gbk(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(lead) = rest.next() {
        let pair = match lead {
            0 => return false,
            1..=0x7F => true,
            0x81..=0xFE => rest
                .next()
                .is_some_and(|trail| (0x40..=0xFE).contains(trail) && *trail != 0x7F),
            _ => false,
        };
        if !pair {
            return false;
        }
    }
    true
}

fn too_many_rows() -> Fault {
    Fault::refused("sheet_too_many_rows").with("most", MAX_ROWS)
}

fn cell_text(number: usize, text: &str) -> Result<String, Fault> {
    if text.chars().count() > MAX_CELL {
        return Err(Fault::refused("sheet_cell_too_long")
            .with("row", number)
            .with("most", MAX_CELL));
    }
    Ok(text.to_owned())
}

fn csv_rows(text: &str) -> Result<Vec<Row>, Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let number = at + 1;
        let record = record.map_err(|error| Fault::refused("sheet_bad_csv").with("row", number).because(error))?;
        if number > MAX_ROWS + HEADER_WITHIN {
            return Err(too_many_rows());
        }
        if record.len() > MAX_COLUMNS {
            return Err(Fault::refused("sheet_too_many_columns")
                .with("row", number)
                .with("most", MAX_COLUMNS));
        }
        let cells = record
            .iter()
            .map(|cell| cell_text(number, cell))
            .collect::<Result<_, _>>()?;
        rows.push(Row { number, cells });
    }
    Ok(rows)
}

fn broken(cause: impl std::fmt::Display) -> Fault {
    Fault::refused("sheet_broken").because(cause)
}

/// Unpacks every file inside once, counting: sizes a zip states about itself are not believed.
fn no_bomb(bytes: &[u8]) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MAX_ENTRIES {
        return Err(Fault::refused("sheet_unpacks_too_large"));
    }
    let mut left = MAX_UNPACKED;
    for nth in 0..archive.len() {
        let mut entry = archive.by_index(nth).map_err(broken)?.take(left + 1);
        let size = std::io::copy(&mut entry, &mut std::io::sink()).map_err(broken)?;
        left = left
            .checked_sub(size)
            .ok_or_else(|| Fault::refused("sheet_unpacks_too_large"))?;
    }
    Ok(())
}

/// The first sheet, cell by cell: a sheet that claims a million columns costs nothing.
fn xlsx(bytes: &[u8]) -> Result<Vec<Row>, Fault> {
    no_bomb(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let name = book
        .sheet_names()
        .first()
        .cloned()
        .ok_or_else(|| Fault::refused("sheet_empty"))?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let number = row as usize + 1;
        let text = value(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if column as usize >= MAX_COLUMNS {
            return Err(Fault::refused("sheet_too_many_columns")
                .with("row", number)
                .with("most", MAX_COLUMNS));
        }
        let cells = rows.entry(row).or_default();
        cells.resize(cells.len().max(column as usize + 1), String::new());
        cells[column as usize] = cell_text(number, &text)?;
        if rows.len() > MAX_ROWS + HEADER_WITHIN {
            return Err(too_many_rows());
        }
    }
    Ok(rows
        .into_iter()
        .map(|(row, cells)| Row {
            number: row as usize + 1,
            cells,
        })
        .collect())
}

fn value(data: &DataRef<'_>) -> String {
    match data {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => date_of_serial(at.as_f64()).unwrap_or_default(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// Days since 1899-12-30, as spreadsheets keep dates, to `2026-02-14 10:00:00`.
pub fn date_of_serial(serial: f64) -> Option<String> {
    const SECONDS: f64 = 86_400.0;
    // 1900-03-01 (before it the count is off by a day) to 9999-12-31.
    if !(61.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let first = jiff::civil::date(1899, 12, 30).to_datetime(jiff::civil::Time::midnight());
    let seconds = (serial * SECONDS).round() as i64;
    let at = first.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write as _;

    fn first_word(word: &'static str) -> impl Fn(&[String]) -> bool {
        move |cells| cells.iter().any(|cell| cell == word)
    }

    fn code(bytes: &[u8]) -> String {
        read(bytes, |_| false).unwrap_err().to_string()
    }

    #[test]
    fn csv_with_a_title_above_the_header() {
        let text = "\u{feff}2026年来信,,\n\n诉求内容,时间\n\"路灯,不亮\",2026-01-02\n";
        let table = read(text.as_bytes(), first_word("诉求内容")).unwrap();
        assert_eq!(table.header, ["诉求内容", "时间"]);
        assert_eq!(table.rows[0].cells, ["路灯,不亮", "2026-01-02"]);
    }

    #[test]
    fn other_encodings_are_named() {
        let gbk = [0xCB, 0xDF, 0xC7, 0xF3, b',', 0xB1, 0xEA, 0xCC, 0xE2, b'\n'];
        assert!(code(&gbk).starts_with("sheet_is_gbk"));
        assert!(code(&[0xFF, 0xFE, b'a', 0]).starts_with("sheet_is_utf16"));
        assert!(code(&[0x80, 0xFF, 0x00]).starts_with("sheet_not_text"));
        assert!(code(&[0xD0, 0xCF, 0x11, 0xE0, 1]).starts_with("sheet_old_excel"));
        assert!(code(b"PK\x03\x04 and then nothing").starts_with("sheet_broken"));
        assert!(code(b"").starts_with("sheet_empty"));
        assert!(code(b"\n\n").starts_with("sheet_empty"));
    }

    #[test]
    fn sizes_are_bounded() {
        let many = "a\n".repeat(MAX_ROWS + HEADER_WITHIN + 1);
        assert!(code(many.as_bytes()).starts_with("sheet_too_many_rows"));
        assert!(code("a,".repeat(MAX_COLUMNS + 1).as_bytes()).starts_with("sheet_too_many_columns"));
        assert!(code("字".repeat(MAX_CELL + 1).as_bytes()).starts_with("sheet_cell_too_long"));
        assert!(code(&vec![b'a'; MAX_BYTES + 1]).starts_with("sheet_too_large"));
    }

    #[test]
    fn a_zip_that_unpacks_without_end_is_refused() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..=(MAX_UNPACKED >> 20) {
            zip.write_all(&zeros).unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        assert!(bytes.len() < 2 << 20);
        assert!(code(&bytes).starts_with("sheet_unpacks_too_large"));
    }

    #[test]
    fn xlsx_with_dates_and_gaps() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "诉求内容").unwrap();
        sheet.write_string(0, 2, "时间").unwrap();
        sheet.write_string(4, 0, "=1+1").unwrap();
        let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
        sheet.write_number_with_format(4, 2, 46_067.5, &format).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        let table = read(&bytes, first_word("时间")).unwrap();
        assert_eq!(table.header, ["诉求内容", "", "时间"]);
        assert_eq!(table.rows[0].number, 5);
        assert_eq!(table.rows[0].cells, ["=1+1", "", "2026-02-14 12:00:00"]);
    }
}
