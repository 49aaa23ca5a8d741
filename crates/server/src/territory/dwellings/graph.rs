//! A graph that somebody else made: two tables as `wangge plan draw` reads them, with a position in degrees. Any fault refuses the whole, by row.

use super::import::{Graph, MAX_ROWS, NewDwelling, NewLink};
use crate::platform::Fault;
use csv::StringRecord;
use domain::geo::{Datum, LonLat};
use std::collections::HashMap;

/// Links of one file at most.
const MAX_LINKS: usize = 8 * MAX_ROWS;

struct Table<'t> {
    file: &'static str,
    head: StringRecord,
    reader: csv::Reader<&'t [u8]>,
}

impl<'t> Table<'t> {
    fn open(file: &'static str, text: &'t str) -> Result<Table<'t>, Fault> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let head = reader
            .headers()
            .map_err(|error| Fault::invalid(file, "csv_unreadable").with("detail", error))?
            .clone();
        Ok(Table { file, head, reader })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        self.head
            .iter()
            .position(|head| names.iter().any(|name| head.trim().eq_ignore_ascii_case(name)))
    }

    fn need(&self, names: &[&str]) -> Result<usize, Fault> {
        let missing = || Fault::invalid(self.file, "csv_columns").with("columns", names.join(", "));
        self.column(names).ok_or_else(missing)
    }
}

fn fault(file: &'static str, row: usize, code: &'static str, found: &str) -> Fault {
    Fault::invalid(file, code).with("row", row).with("found", found)
}

fn text(record: &StringRecord, column: Option<usize>) -> &str {
    column.and_then(|at| record.get(at)).unwrap_or_default().trim()
}

fn some(record: &StringRecord, column: Option<usize>) -> Option<String> {
    Some(text(record, column))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// `nodes`: id, lon, lat, region (code or name of the community), households, and where known pop, enterprises, area, floor_area, name,
/// compound, village, street, lift (1 or 0). `edges`: u, v, and where known shared_perim, w, barrier.
pub fn read(nodes: &str, edges: &str, datum: Datum) -> Result<Graph, Fault> {
    let mut table = Table::open("nodes", nodes)?;
    let (id, region) = (table.need(&["id", "code"])?, table.need(&["region", "community"])?);
    let (lon, lat) = (table.need(&["lon"])?, table.need(&["lat"])?);
    let households = table.need(&["households"])?;
    let [people, enterprises, area, floor, name, compound, village, street, lift] = [
        table.column(&["pop", "people"]),
        table.column(&["enterprises"]),
        table.column(&["area"]),
        table.column(&["floor_area"]),
        table.column(&["name"]),
        table.column(&["compound"]),
        table.column(&["village"]),
        table.column(&["street"]),
        table.column(&["lift", "电梯"]),
    ];
    let mut graph = Graph::default();
    let mut places: HashMap<String, u32> = HashMap::new();
    let mut record = StringRecord::new();
    let unreadable =
        |file: &'static str| move |error: csv::Error| Fault::invalid(file, "csv_unreadable").with("detail", error);
    while table.reader.read_record(&mut record).map_err(unreadable("nodes"))? {
        let row = graph.dwellings.len() + 1;
        if row > MAX_ROWS {
            return Err(Fault::invalid("nodes", "dwelling_too_many_rows").with("most", MAX_ROWS));
        }
        let number = |column: usize| {
            let found = text(&record, Some(column));
            let value = found.parse::<f64>().ok().filter(|value| value.is_finite());
            value.ok_or_else(|| fault("nodes", row, "dwelling_row_number", found))
        };
        let amount = |column: Option<usize>| match column.map(number).transpose()? {
            Some(value) if value < 0.0 => Err(fault("nodes", row, "dwelling_row_number", &value.to_string())),
            value => Ok(value.unwrap_or(0.0)),
        };
        let code = text(&record, Some(id)).to_owned();
        let at = LonLat::new(number(lon)?, number(lat)?);
        let at = at.map_err(|_| fault("nodes", row, "dwelling_row_position", &code))?;
        if places.insert(code.clone(), row as u32 - 1).is_some() {
            return Err(fault("nodes", row, "dwelling_row_twice", &code));
        }
        graph.dwellings.push(NewDwelling {
            row,
            name: some(&record, name).unwrap_or_else(|| code.clone()),
            code,
            community: text(&record, Some(region)).to_owned(),
            at: datum.to_wgs84(at),
            outline: None,
            cell: None,
            land_area: amount(area)?,
            floor_area: amount(floor)?,
            households: amount(Some(households))?.round() as i64,
            people: amount(people)?.round() as i64,
            enterprises: amount(enterprises)?.round() as i64,
            spread: false,
            compound: some(&record, compound),
            village: some(&record, village),
            street: some(&record, street),
            lift: match some(&record, lift).as_deref() {
                None => None,
                Some("1" | "yes" | "有") => Some(true),
                Some("0" | "no" | "无") => Some(false),
                Some(other) => return Err(fault("nodes", row, "dwelling_row_lift", other)),
            },
        });
    }
    graph.rows = graph.dwellings.len();
    let mut table = Table::open("edges", edges)?;
    let (u, v) = (table.need(&["u"])?, table.need(&["v"])?);
    let (shared, weight, barrier) = (
        table.column(&["shared_perim"]),
        table.column(&["w"]),
        table.column(&["barrier"]),
    );
    while table.reader.read_record(&mut record).map_err(unreadable("edges"))? {
        let row = graph.links.len() + 1;
        if row > MAX_LINKS {
            return Err(Fault::invalid("edges", "dwelling_too_many_rows").with("most", MAX_LINKS));
        }
        let place = |column: usize| {
            let found = text(&record, Some(column));
            places
                .get(found)
                .copied()
                .ok_or_else(|| fault("edges", row, "dwelling_row_nowhere", found))
        };
        let amount = |column: Option<usize>, plain: f64| match column {
            None => Ok(plain),
            Some(column) => {
                let found = text(&record, Some(column));
                let value = found
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite() && *value >= 0.0);
                value.ok_or_else(|| fault("edges", row, "dwelling_row_number", found))
            }
        };
        let (u, v) = (place(u)?, place(v)?);
        if u == v {
            return Err(fault(
                "edges",
                row,
                "dwelling_row_loop",
                &graph.dwellings[u as usize].code,
            ));
        }
        graph.links.push(NewLink {
            u,
            v,
            shared_m: amount(shared, 1.0)?,
            weight: amount(weight, 1.0)?,
            barrier: amount(barrier, 0.0)? != 0.0,
        });
    }
    Ok(graph)
}
