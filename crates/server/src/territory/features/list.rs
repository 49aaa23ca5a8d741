//! A list of positions: CSV with `lon,lat` or `x,y`; every column is a property.

use super::Feature;
use crate::platform::Fault;
use serde_json::Value;

/// A text without a name of its own: JSON opens with a brace, a list with the names of its columns.
pub fn looks_like_list(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    !text.starts_with(b"{")
        && std::str::from_utf8(bytes).is_ok_and(|text| text.lines().next().is_some_and(|head| head.contains(',')))
}

/// A CSV with `lon,lat` or `x,y`; every column is a property.
pub fn read(bytes: &[u8]) -> Result<Vec<Feature>, Fault> {
    let unreadable = |error: csv::Error| Fault::refused("csv_unreadable").with("detail", error);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let headers = reader.headers().map_err(unreadable)?.clone();
    let column = |names: [&str; 4]| {
        headers
            .iter()
            .position(|header| names.iter().any(|name| header.trim().eq_ignore_ascii_case(name)))
    };
    let x = column(["lon", "x", "longitude", "经度"]);
    let y = column(["lat", "y", "latitude", "纬度"]);
    let (Some(x), Some(y)) = (x, y) else {
        return Err(Fault::refused("csv_columns").with("columns", "lon, lat（经度、纬度）"));
    };
    let mut found = Vec::new();
    for (record, row) in reader.records().zip(1..) {
        let record = record.map_err(unreadable)?;
        let number = |column: usize| {
            record
                .get(column)
                .and_then(|cell| cell.trim().parse().ok())
                .unwrap_or(f64::NAN)
        };
        let cells = headers.iter().zip(record.iter());
        found.push(Feature {
            row,
            properties: cells
                .map(|(name, cell)| (name.trim().to_owned(), Value::String(cell.to_owned())))
                .collect(),
            points: vec![[number(x), number(y)]],
            ..Feature::default()
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_has_positions_only() {
        let all = read("门牌,经度,纬度,households\n东街1号,121.5,31.2,4\n东街2号,,31.2,\n".as_bytes()).unwrap();
        assert_eq!(
            (all[0].points[0], all[0].text("households")),
            ([121.5, 31.2], "4".to_owned())
        );
        assert!(all[1].points[0][0].is_nan());
        assert!(read(b"a,b\n1,2\n").is_err());
    }
}
