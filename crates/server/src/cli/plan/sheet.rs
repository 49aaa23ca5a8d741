//! The tables of a plan as CSV: units, who is next to whom, and who is in which grid. Read by hand, on all threads: half a million units and
//! three times as many edges must be there in a blink. Every fault names its row (the header is row 1).

use solver::partition::{Edge, NONE};
use std::collections::HashMap;

/// Largest file read, in bytes.
pub const MAX_BYTES: u64 = 4 << 30;

/// A fault in a file: the row, 0 for the file itself, and what is wrong, Chinese first.
#[derive(Debug, PartialEq)]
pub struct BadRow {
    pub row: usize,
    pub what: String,
}

impl BadRow {
    pub fn new(row: usize, what: impl Into<String>) -> BadRow {
        BadRow { row, what: what.into() }
    }
}

/// The units, as columns.
#[derive(Debug, Default)]
pub struct Units {
    pub ids: Ids,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub area: Vec<f64>,
    pub region: Vec<u32>,
    /// In the order asked for.
    pub measures: Vec<Vec<f64>>,
    /// Empty where no column was asked for.
    pub group: Vec<u32>,
}

/// Names of units, one after the other.
#[derive(Debug, Default)]
pub struct Ids {
    text: Vec<u8>,
    end: Vec<u32>,
    index: Index,
}

/// From a name to its place.
#[derive(Debug)]
enum Index {
    /// Names that are small whole numbers: a table.
    Table(Vec<u32>),
    Names(HashMap<Vec<u8>, u32>),
}

impl Default for Index {
    fn default() -> Index {
        Index::Table(vec![])
    }
}

impl Ids {
    pub fn len(&self) -> usize {
        self.end.len()
    }

    pub fn name(&self, place: usize) -> &[u8] {
        let begin = if place == 0 { 0 } else { self.end[place - 1] as usize };
        &self.text[begin..self.end[place] as usize]
    }

    pub fn shown(&self, place: usize) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.name(place))
    }

    fn push(&mut self, name: &[u8]) {
        self.text.extend_from_slice(name);
        self.end.push(self.text.len() as u32);
    }

    pub fn find(&self, name: &[u8]) -> Option<u32> {
        match &self.index {
            Index::Table(table) => {
                let place = *table.get(whole(name)? as usize)?;
                (place != NONE).then_some(place)
            }
            Index::Names(names) => names.get(name).copied(),
        }
    }

    /// Makes the names findable, or gives the places of one that stands twice.
    fn build(&mut self) -> Result<(), (u32, u32)> {
        let n = self.len();
        let most = 4 * n as u64 + 1024;
        let mut table = vec![];
        let small = (0..n).all(|i| whole(self.name(i)).is_some_and(|v| v < most));
        if small {
            table.resize(
                (0..n)
                    .filter_map(|i| whole(self.name(i)))
                    .max()
                    .map_or(0, |m| m as usize + 1),
                NONE,
            );
        }
        let mut names = HashMap::with_capacity(if small { 0 } else { n });
        for i in 0..n {
            let before = match small {
                true => {
                    let at = &mut table[whole(self.name(i)).unwrap_or(0) as usize];
                    let before = *at;
                    *at = i as u32;
                    (before != NONE).then_some(before)
                }
                false => names.insert(self.name(i).to_vec(), i as u32),
            };
            if let Some(first) = before {
                return Err((first, i as u32));
            }
        }
        self.index = if small {
            Index::Table(table)
        } else {
            Index::Names(names)
        };
        Ok(())
    }
}

/// A name that is a whole number in its only spelling.
fn whole(name: &[u8]) -> Option<u64> {
    let plain = matches!(name, [b'0'] | [b'1'..=b'9', ..]) && name.len() <= 9;
    let digit = |sum: u64, &c: &u8| c.is_ascii_digit().then(|| sum * 10 + u64::from(c - b'0'));
    if plain { name.iter().try_fold(0, digit) } else { None }
}

/// Columns to take from the file of units.
#[derive(Debug)]
pub struct Wanted {
    pub measures: Vec<String>,
    pub group: Option<String>,
}

fn missing(head: &[String], name: &str) -> BadRow {
    let there = head.join(", ");
    BadRow::new(1, format!("缺少列 {name}，现有 · no column {name}; there are: {there}"))
}

/// Reads the units.
pub fn units(bytes: &[u8], wanted: &Wanted, threads: usize) -> Result<Units, BadRow> {
    let (head, body) = header(bytes)?;
    let column = |name: &str| head.iter().position(|h| h == name);
    let need = |name: &str| column(name).ok_or_else(|| missing(&head, name));
    let (id, x, y) = (need("id")?, need("x")?, need("y")?);
    let (area, region) = (column("area"), column("region"));
    let measures = wanted.measures.iter().map(|m| need(m)).collect::<Result<Vec<_>, _>>()?;
    let group = wanted.group.as_deref().map(need).transpose()?;
    let parts = in_parts(body, threads, |rows| {
        let mut part = Units {
            measures: vec![vec![]; measures.len()],
            ..Units::default()
        };
        let mut texts = Texts::default();
        let mut fields = vec![];
        for_rows(rows, &mut fields, |fields, row| {
            let at = |column: usize| fields.get(column).map(|f| text(f)).unwrap_or_default();
            let number = |column: usize| {
                number(at(column)).ok_or_else(|| {
                    let (name, found) = (&head[column], String::from_utf8_lossy(at(column)).into_owned());
                    BadRow::new(row, format!("{name} 不是数 · {name} is not a number: {found:?}"))
                })
            };
            let amount = |column: usize| match number(column)? {
                v if v >= 0.0 => Ok(v),
                v => Err(BadRow::new(
                    row,
                    format!("{} 为负 · {} is negative: {v}", head[column], head[column]),
                )),
            };
            if at(id).is_empty() {
                return Err(BadRow::new(row, "没有编号 · no id"));
            }
            part.ids.push(at(id));
            part.x.push(number(x)?);
            part.y.push(number(y)?);
            part.area.push(area.map_or(Ok(1.0), amount)?);
            part.region.push(region.map_or(0, |c| texts.number(at(c))));
            for (list, &column) in part.measures.iter_mut().zip(&measures) {
                list.push(amount(column)?);
            }
            if let Some(column) = group {
                part.group.push(if at(column).is_empty() {
                    NONE
                } else {
                    texts.number(at(column))
                });
            }
            Ok(())
        })?;
        Ok((part, texts))
    })?;
    let mut all = joined(parts, measures.len());
    if all.x.is_empty() {
        return Err(BadRow::new(0, "没有任何行 · no rows"));
    }
    all.ids.build().map_err(|(first, again)| {
        let (name, first, again) = (all.ids.shown(again as usize), row_of(body, first), row_of(body, again));
        BadRow::new(
            again,
            format!("编号 {name} 重复，第 {first} 行已有 · id {name} stands in row {first} already"),
        )
    })?;
    Ok(all)
}

/// The row of the unit at a place: empty lines count as rows, too.
fn row_of(body: &[u8], place: u32) -> usize {
    let (mut found, mut left) = (0, place + 1);
    let ends = for_rows(body, &mut vec![], |_, row| {
        left -= 1;
        found = row + 2;
        if left == 0 { Err(BadRow::new(0, "")) } else { Ok(()) }
    });
    debug_assert!(ends.is_err(), "every unit has a row");
    found
}

/// Puts the parts together; regions and groups get numbers in the order they first appear.
fn joined(parts: Vec<(Units, Texts)>, measures: usize) -> Units {
    let mut all = Units {
        measures: vec![vec![]; measures],
        ..Units::default()
    };
    let mut texts = Texts::default();
    for (part, own) in parts {
        let number: Vec<u32> = own.list.iter().map(|t| texts.number(t)).collect();
        let shift = all.ids.text.len() as u32;
        all.ids.text.extend_from_slice(&part.ids.text);
        all.ids.end.extend(part.ids.end.iter().map(|e| e + shift));
        all.x.extend(part.x);
        all.y.extend(part.y);
        all.area.extend(part.area);
        all.region.extend(
            part.region
                .iter()
                .map(|&r| number.get(r as usize).copied().unwrap_or(0)),
        );
        all.group.extend(
            part.group
                .iter()
                .map(|&g| number.get(g as usize).copied().unwrap_or(NONE)),
        );
        for (list, values) in all.measures.iter_mut().zip(part.measures) {
            list.extend(values);
        }
    }
    all
}

/// Reads who is next to whom.
pub fn edges(bytes: &[u8], ids: &Ids, threads: usize) -> Result<Vec<Edge>, BadRow> {
    let (head, body) = header(bytes)?;
    let column = |name: &str| head.iter().position(|h| h == name);
    let need = |name: &str| column(name).ok_or_else(|| missing(&head, name));
    let (u, v) = (need("u")?, need("v")?);
    let (length, weight, barrier) = (column("shared_perim"), column("w"), column("barrier"));
    let parts = in_parts(body, threads, |rows| {
        let mut part = Vec::with_capacity(rows.len() / 16);
        let mut fields = vec![];
        for_rows(rows, &mut fields, |fields, row| {
            let at = |column: usize| fields.get(column).map(|f| text(f)).unwrap_or_default();
            let unit = |column: usize| {
                ids.find(at(column)).ok_or_else(|| {
                    let name = String::from_utf8_lossy(at(column)).into_owned();
                    BadRow::new(row, format!("没有编号为 {name:?} 的单元 · no unit {name:?}"))
                })
            };
            let amount = |column: Option<usize>| match column {
                None => Ok(1.0),
                Some(c) => number(at(c)).filter(|v| *v >= 0.0).ok_or_else(|| {
                    let (name, found) = (&head[c], String::from_utf8_lossy(at(c)).into_owned());
                    BadRow::new(
                        row,
                        format!("{name} 不是非负数 · {name} is not a number from 0: {found:?}"),
                    )
                }),
            };
            let (u, v) = (unit(u)?, unit(v)?);
            if u == v {
                let name = ids.shown(u as usize);
                return Err(BadRow::new(row, format!("{name} 与自己相邻 · {name} next to itself")));
            }
            part.push(Edge {
                u,
                v,
                length: amount(length)? as f32,
                weight: amount(weight)? as f32,
                barrier: barrier.is_some() && amount(barrier)? != 0.0,
            });
            Ok(())
        })?;
        Ok(part)
    })?;
    Ok(match <[Vec<Edge>; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => parts.concat(),
    })
}

/// A plan as read: of each unit the place of its grid's name.
#[derive(Debug)]
pub struct Assignment {
    pub grid: Vec<u32>,
    pub names: Vec<String>,
}

/// Reads a plan. Units that are not in it (or have an empty grid) have [`NONE`].
pub fn assignment(bytes: &[u8], ids: &Ids) -> Result<Assignment, BadRow> {
    let (head, body) = header(bytes)?;
    let column = |name: &str| head.iter().position(|h| h == name);
    let need = |name: &str| column(name).ok_or_else(|| BadRow::new(1, format!("缺少列 {name} · no column {name}")));
    let (id, grid) = (need("id")?, need("grid")?);
    let mut texts = Texts::default();
    let mut of = vec![NONE; ids.len()];
    let mut seen = vec![false; ids.len()];
    let mut fields = vec![];
    for_rows(body, &mut fields, |fields, row| {
        let at = |column: usize| fields.get(column).map(|f| text(f)).unwrap_or_default();
        let name = || String::from_utf8_lossy(at(id)).into_owned();
        let unit = ids
            .find(at(id))
            .ok_or_else(|| BadRow::new(row, format!("没有编号为 {:?} 的单元 · no unit {:?}", name(), name())))?;
        if std::mem::replace(&mut seen[unit as usize], true) {
            return Err(BadRow::new(
                row,
                format!("编号 {} 重复 · id {} stands twice", name(), name()),
            ));
        }
        if !at(grid).is_empty() {
            of[unit as usize] = texts.number(at(grid));
        }
        Ok(())
    })
    .map_err(|fault| BadRow {
        row: fault.row + 2,
        ..fault
    })?;
    Ok(Assignment {
        grid: of,
        names: texts
            .list
            .iter()
            .map(|t| String::from_utf8_lossy(t).into_owned())
            .collect(),
    })
}

/// A plan as CSV.
pub fn written(ids: &Ids, grid: &[u32], name: impl Fn(u32) -> String) -> Vec<u8> {
    let most = grid.iter().copied().filter(|&g| g != NONE).max().map_or(0, |g| g + 1);
    let names: Vec<String> = (0..most).map(name).collect();
    let mut out = Vec::with_capacity(ids.text.len() + 8 * ids.len() + 16);
    out.extend_from_slice(b"id,grid\n");
    for (i, &g) in grid.iter().enumerate() {
        quoted(&mut out, ids.name(i));
        out.push(b',');
        if g != NONE {
            quoted(&mut out, names[g as usize].as_bytes());
        }
        out.push(b'\n');
    }
    out
}

fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|c| matches!(c, b'"' | b',' | b'\n' | b'\r')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &c in text {
        out.extend_from_slice(if c == b'"' { b"\"\"" } else { std::slice::from_ref(&c) });
    }
    out.push(b'"');
}

/// Numbers for texts, in the order they first appear. Neighbouring rows mostly repeat the last one.
#[derive(Debug, Default)]
struct Texts {
    list: Vec<Vec<u8>>,
    of: HashMap<Vec<u8>, u32>,
    last: u32,
}

impl Texts {
    fn number(&mut self, text: &[u8]) -> u32 {
        if self.list.get(self.last as usize).is_some_and(|t| t == text) {
            return self.last;
        }
        self.last = match self.of.get(text) {
            Some(&n) => n,
            None => {
                let n = self.list.len() as u32;
                self.list.push(text.to_vec());
                self.of.insert(text.to_vec(), n);
                n
            }
        };
        self.last
    }
}

fn header(bytes: &[u8]) -> Result<(Vec<String>, &[u8]), BadRow> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let end = bytes.iter().position(|&c| c == b'\n').map_or(bytes.len(), |i| i + 1);
    let mut fields = vec![];
    let mut names = vec![];
    for_rows(&bytes[..end], &mut fields, |fields, _| {
        names = fields
            .iter()
            .map(|f| String::from_utf8_lossy(text(f)).trim().to_owned())
            .collect();
        Ok(())
    })
    .map_err(|fault| BadRow { row: 1, ..fault })?;
    if names.is_empty() {
        return Err(BadRow::new(1, "没有表头 · no header"));
    }
    Ok((names, &bytes[end..]))
}

/// Reads stretches of whole rows on all threads; rows of faults are counted over all of them. Files with quotes are read in one stretch, for a
/// quoted field may hold a line break.
fn in_parts<T: Send>(
    body: &[u8],
    threads: usize,
    read: impl Fn(&[u8]) -> Result<T, BadRow> + Sync,
) -> Result<Vec<T>, BadRow> {
    let threads = if body.contains(&b'"') || body.len() < 1 << 16 {
        1
    } else {
        threads.max(1)
    };
    let mut stretches = vec![];
    let mut rest = body;
    for left in (1..=threads).rev() {
        let near = rest.len() / left;
        let end = rest[near..]
            .iter()
            .position(|&c| c == b'\n')
            .map_or(rest.len(), |i| near + i + 1);
        let (stretch, after) = rest.split_at(end);
        stretches.push(stretch);
        rest = after;
    }
    let results: Vec<Result<T, BadRow>> = std::thread::scope(|scope| {
        let handles: Vec<_> = stretches[1..].iter().map(|s| scope.spawn(|| read(s))).collect();
        let first = read(stretches[0]);
        let others = handles.into_iter().map(|h| {
            h.join()
                .unwrap_or_else(|_| Err(BadRow::new(0, "读取中断 · reading broke off")))
        });
        std::iter::once(first).chain(others).collect()
    });
    let mut before = 2;
    let mut parts = vec![];
    for (result, stretch) in results.into_iter().zip(&stretches) {
        match result {
            Ok(part) => parts.push(part),
            Err(fault) => {
                return Err(BadRow {
                    row: fault.row + before,
                    ..fault
                });
            }
        }
        before += stretch.iter().filter(|&&c| c == b'\n').count();
    }
    Ok(parts)
}

/// Calls `each` with the fields of every row (quotes still on) and its number, from 0. Empty lines are passed over.
fn for_rows<'a>(
    bytes: &'a [u8],
    fields: &mut Vec<&'a [u8]>,
    mut each: impl FnMut(&[&'a [u8]], usize) -> Result<(), BadRow>,
) -> Result<(), BadRow> {
    let (mut at, mut row) = (0, 0);
    while at < bytes.len() {
        fields.clear();
        let mut begin = at;
        let mut quote = false;
        loop {
            match bytes.get(at) {
                Some(b'"') => quote = !quote,
                Some(b',') if !quote => {
                    fields.push(&bytes[begin..at]);
                    begin = at + 1;
                }
                Some(b'\n') if !quote => break,
                None if quote => return Err(BadRow::new(row, "引号没有结束 · a quote does not end")),
                None => break,
                _ => {}
            }
            at += 1;
        }
        let end = if at > begin && bytes[at - 1] == b'\r' {
            at - 1
        } else {
            at
        };
        fields.push(&bytes[begin..end]);
        at += 1;
        if fields.len() > 1 || !fields[0].is_empty() {
            each(fields, row)?;
        }
        row += 1;
    }
    Ok(())
}

/// A field without its quotes (a doubled quote inside stays doubled: names with quotes in them are compared as they are written).
fn text(field: &[u8]) -> &[u8] {
    match field {
        [b'"', inner @ .., b'"'] => inner,
        _ => field,
    }
}

/// A finite number. Up to 15 digits are taken by hand: a whole number below 2^53 over a power of ten is rounded once, as it should be.
fn number(field: &[u8]) -> Option<f64> {
    const TENS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let (sign, digits) = match field {
        [b'-', rest @ ..] => (-1.0, rest),
        _ => (1.0, field),
    };
    let (mut mantissa, mut count, mut point) = (0u64, 0, None);
    for (i, &c) in digits.iter().enumerate() {
        match c {
            b'0'..=b'9' if count < 15 => {
                mantissa = mantissa * 10 + u64::from(c - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(i),
            _ => {
                let value: f64 = std::str::from_utf8(field).ok()?.trim().parse().ok()?;
                return value.is_finite().then_some(value);
            }
        }
    }
    let decimals = point.map_or(0, |p| digits.len() - p - 1);
    (count > 0).then(|| sign * mantissa as f64 / TENS[decimals])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            measures: vec!["households".into()],
            group: Some("compound".into()),
        }
    }

    const UNITS: &str =
        "id,x,y,households,region,area,compound\na,1.5,-2,3,R,10,\n\"b,1\",2e1,0.25,4,R,20,K\n\nc,3,4,5,S,30,K\n";

    #[test]
    fn units_edges_and_plans_are_read_and_written() {
        let units = units(UNITS.as_bytes(), &wanted(), 2).unwrap();
        assert_eq!((units.x, units.y), (vec![1.5, 20.0, 3.0], vec![-2.0, 0.25, 4.0]));
        assert_eq!(units.measures, [[3.0, 4.0, 5.0]]);
        assert!(units.region[0] == units.region[1] && units.region[1] != units.region[2]);
        assert!(units.group[0] == NONE && units.group[1] == units.group[2]);
        let text = "u,v,shared_perim,w,barrier\na,\"b,1\",7.5,4,0\r\n\"b,1\",c,1,0.25,1\r\n";
        let edges = edges(text.as_bytes(), &units.ids, 2).unwrap();
        assert_eq!(
            edges[1],
            Edge {
                u: 1,
                v: 2,
                length: 1.0,
                weight: 0.25,
                barrier: true
            }
        );
        let plan = written(&units.ids, &[0, 1, NONE], |g| format!("g{g}"));
        assert_eq!(String::from_utf8_lossy(&plan), "id,grid\na,g0\n\"b,1\",g1\nc,\n");
        let back = assignment(&plan, &units.ids).unwrap();
        assert_eq!(
            (back.grid, back.names),
            (vec![0, 1, NONE], vec!["g0".to_string(), "g1".to_string()])
        );
    }

    #[test]
    fn every_fault_names_its_row() {
        let row = |text: &str| units(text.as_bytes(), &wanted(), 1).unwrap_err().row;
        assert_eq!(row(&UNITS.replace("c,3,", "a,3,")), 5);
        assert_eq!(row(&UNITS.replace("c,3,4,5", "c,3,4,-5")), 5);
        assert_eq!(row(&UNITS.replace("1.5", "NaN")), 2);
        assert_eq!(row(&UNITS.replace("households", "people")), 1);
        let units = units(UNITS.as_bytes(), &wanted(), 1).unwrap();
        let row = |text: &str| edges(text.as_bytes(), &units.ids, 1).unwrap_err().row;
        assert_eq!(row("u,v\na,c\na,a\n"), 3);
        assert_eq!(row("u,v\na,c\na,d\n"), 3);
        assert_eq!(row("u,v,w\na,c,inf\n"), 2);
        assert_eq!(assignment(b"id,grid\na,1\na,2\n", &units.ids).unwrap_err().row, 3);
    }

    #[test]
    fn long_files_are_read_in_stretches_with_the_right_rows() {
        let mut text = String::from("id,x,y,households,compound\n");
        for i in 0..20_000 {
            text += &format!("{i},{}.25,7,1,k{}\n", i % 100, i % 3);
        }
        let one = units(text.as_bytes(), &wanted(), 1).unwrap();
        let three = units(text.as_bytes(), &wanted(), 3).unwrap();
        assert_eq!((one.x, one.group), (three.x, three.group));
        let bad = text.replace("\n15000,", "\nx,").replace("\n19999,", "\nx,");
        assert_eq!(units(bad.as_bytes(), &wanted(), 3).unwrap_err().row, 20_001);
        let bad = text.replace("\n15000,0.25", "\n15000,zero");
        assert_eq!(units(bad.as_bytes(), &wanted(), 3).unwrap_err().row, 15_002);
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0.1",
            "123456789.123456",
            "1e-3",
            "98765432109876543210",
            "0.30000000000000004",
            "5.",
            ".5",
        ] {
            assert_eq!(number(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in ["", "-", ".", "NaN", "inf", "1,0", "0x1"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }
}
