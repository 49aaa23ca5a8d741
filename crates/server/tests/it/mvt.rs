//! A reader of Mapbox Vector Tiles, written from the specification and apart from the writer: what a client makes of a tile.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A feature: its properties, and its rings (or points) in the tile's own coordinates.
#[derive(Debug, Clone)]
pub struct Feature {
    pub properties: BTreeMap<String, Value>,
    /// 1 point, 2 line, 3 polygon.
    pub kind: u64,
    pub parts: Vec<Vec<[i64; 2]>>,
}

impl Feature {
    pub fn text(&self, key: &str) -> String {
        self.properties
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// How many matters it stands for.
    pub fn count(&self) -> u64 {
        self.properties.get("count").map_or(1, |n| n.as_u64().unwrap())
    }
}

/// The layers of a tile by name; a tile that is no tile stops the test.
pub fn decode(bytes: &[u8]) -> BTreeMap<String, Vec<Feature>> {
    let mut layers = BTreeMap::new();
    for field in fields(bytes) {
        assert_eq!(field.number, 3, "a tile holds layers only");
        let (name, features) = layer(field.bytes());
        assert!(layers.insert(name, features).is_none(), "a layer twice");
    }
    layers
}

enum Data<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

struct Field<'a> {
    number: u64,
    data: Data<'a>,
}

impl<'a> Field<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self.data {
            Data::Bytes(bytes) => bytes,
            Data::Number(_) => panic!("bytes expected"),
        }
    }

    fn value(&self) -> u64 {
        match self.data {
            Data::Number(number) => number,
            Data::Bytes(_) => panic!("a number expected"),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().expect("a number ends");
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        shift += 7;
        if first & 0x80 == 0 {
            return value;
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let head = varint(&mut bytes);
        let data = match head & 7 {
            0 => Data::Number(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (own, rest) = bytes.split_at(length);
                bytes = rest;
                Data::Bytes(own)
            }
            other => panic!("wire type {other}"),
        };
        all.push(Field {
            number: head >> 3,
            data,
        });
    }
    all
}

fn packed(mut bytes: &[u8]) -> Vec<u64> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(varint(&mut bytes));
    }
    all
}

fn layer(bytes: &[u8]) -> (String, Vec<Feature>) {
    let (mut name, mut keys, mut values, mut raw) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut version, mut extent) = (0, 0);
    for field in fields(bytes) {
        match field.number {
            1 => name = String::from_utf8(field.bytes().to_vec()).unwrap(),
            2 => raw.push(field.bytes()),
            3 => keys.push(String::from_utf8(field.bytes().to_vec()).unwrap()),
            4 => values.push(value(field.bytes())),
            5 => extent = field.value(),
            15 => version = field.value(),
            other => panic!("field {other} of a layer"),
        }
    }
    assert_eq!((version, extent), (2, 4096));
    let features = raw.into_iter().map(|bytes| feature(bytes, &keys, &values)).collect();
    (name, features)
}

fn value(bytes: &[u8]) -> Value {
    let all = fields(bytes);
    assert_eq!(all.len(), 1);
    match all[0].number {
        1 => json!(String::from_utf8(all[0].bytes().to_vec()).unwrap()),
        4 | 5 => json!(all[0].value()),
        7 => json!(all[0].value() == 1),
        other => panic!("field {other} of a value"),
    }
}

fn feature(bytes: &[u8], keys: &[String], values: &[Value]) -> Feature {
    let mut feature = Feature {
        properties: BTreeMap::new(),
        kind: 0,
        parts: Vec::new(),
    };
    for field in fields(bytes) {
        match field.number {
            2 => {
                for pair in packed(field.bytes()).chunks(2) {
                    let (key, value) = (keys[pair[0] as usize].clone(), values[pair[1] as usize].clone());
                    assert!(feature.properties.insert(key, value).is_none());
                }
            }
            3 => feature.kind = field.value(),
            4 => feature.parts = geometry(&packed(field.bytes())),
            other => panic!("field {other} of a feature"),
        }
    }
    assert!(!feature.parts.is_empty(), "{feature:?}");
    if feature.kind == 3 {
        assert!(
            doubled_area(&feature.parts[0]) > 0,
            "the first ring of a polygon is an outer one"
        );
    }
    feature
}

fn geometry(commands: &[u64]) -> Vec<Vec<[i64; 2]>> {
    let (mut parts, mut at, mut from) = (Vec::<Vec<[i64; 2]>>::new(), [0i64; 2], 0);
    let mut step = |from: usize| {
        for axis in [0, 1] {
            let by = commands[from + axis] as i64;
            at[axis] += (by >> 1) ^ -(by & 1);
        }
        at
    };
    while from < commands.len() {
        let (id, count) = (commands[from] & 7, (commands[from] >> 3) as usize);
        from += 1;
        if id == 7 {
            assert!(parts.last().is_some_and(|ring| ring.len() >= 3));
            continue;
        }
        for _ in 0..count {
            let to = step(from);
            from += 2;
            match id {
                1 => parts.push(vec![to]),
                2 => parts.last_mut().unwrap().push(to),
                other => panic!("command {other}"),
            }
        }
    }
    parts
}

/// Positive for rings that turn clockwise on the screen.
pub fn doubled_area(ring: &[[i64; 2]]) -> i64 {
    let next = ring.iter().skip(1).chain(ring.first());
    ring.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum()
}
