//! Mapbox Vector Tiles 2.1, written by hand: a tile is layers one after the other, each with its features, keys and values.
//!
//! Entry points: [`Layer`] and [`Geometry`]. Must not know what the features mean.

use super::tile::{EXTENT, Point};
use std::collections::HashMap;

/// Bytes of one tile at most; a layer that grows beyond takes no more features.
pub const MAX_BYTES: usize = 4 << 20;

/// The value of a property.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A text that many features share.
    Text(&'a str),
    /// A text of this feature alone: it is written without looking for an equal one.
    Own(&'a str),
    Whole(u64),
    Flag(bool),
}

/// What kind of geometry follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Point = 1,
    Polygon = 3,
}

/// Commands of one geometry, its memory used again for the next.
#[derive(Debug, Default)]
pub struct Geometry {
    bytes: Vec<u8>,
    at: Point,
    /// Room for the points of a ring, kept from one geometry to the next.
    ring: Vec<Point>,
}

/// A geometry to be drawn in more than one place.
#[derive(Debug)]
pub struct Movable {
    /// Its first command.
    first: u8,
    /// Where its first step leads.
    from: Point,
    /// The commands after that step, which do not depend on where it is.
    rest: Box<[u8]>,
}

/// Texts of one feature alone, as they are written into a tile.
#[derive(Debug)]
pub struct Texts {
    written: Box<[u8]>,
    count: u32,
}

impl Texts {
    pub fn of(texts: &[&str]) -> Texts {
        let mut written = Vec::new();
        texts.iter().for_each(|text| write_text(&mut written, text));
        Texts {
            written: written.into(),
            count: texts.len() as u32,
        }
    }
}

const MOVE: u32 = 1;
const LINE: u32 = 2;
const CLOSE: u32 = 7;

impl Geometry {
    /// A new one, empty.
    pub fn begin(&mut self) {
        self.bytes.clear();
        self.at = [0, 0];
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Room to put a ring together in; [`Geometry::give_ring`] takes it back.
    pub fn take_ring(&mut self) -> Vec<Point> {
        std::mem::take(&mut self.ring)
    }

    pub fn give_ring(&mut self, ring: Vec<Point>) {
        self.ring = ring;
    }

    /// One point.
    pub fn point(&mut self, at: Point) {
        self.begin();
        self.command(MOVE, 1);
        self.step(at);
    }

    /// A ring of at least three points, the first not repeated.
    pub fn ring(&mut self, points: &[Point]) {
        let Some((first, rest)) = points.split_first() else {
            return;
        };
        self.command(MOVE, 1);
        self.step(*first);
        self.command(LINE, rest.len() as u32);
        for at in rest {
            self.step(*at);
        }
        self.command(CLOSE, 1);
    }

    /// What was drawn, to be moved elsewhere later: everything after its first step is relative. None where nothing was drawn.
    pub fn movable(&self) -> Option<Movable> {
        let mut rest = self.bytes.get(1..)?;
        let from = [signed(&mut rest)?, signed(&mut rest)?];
        Some(Movable {
            from,
            first: *self.bytes.first()?,
            rest: rest.into(),
        })
    }

    /// What was drawn before, moved by this much.
    pub fn moved(&mut self, drawn: &Movable, by: Point) {
        self.begin();
        self.bytes.push(drawn.first);
        self.step([drawn.from[0] + by[0], drawn.from[1] + by[1]]);
        self.bytes.extend(&drawn.rest);
    }

    fn command(&mut self, id: u32, count: u32) {
        varint(&mut self.bytes, u64::from(id | count << 3));
    }

    fn step(&mut self, to: Point) {
        for axis in [0, 1] {
            let by = to[axis] - self.at[axis];
            varint(&mut self.bytes, u64::from((by << 1 ^ by >> 31) as u32));
        }
        self.at = to;
    }
}

/// One layer being written.
#[derive(Debug)]
pub struct Layer {
    name: &'static str,
    features: Vec<u8>,
    keys: Vec<&'static str>,
    values: Vec<u8>,
    value_count: u32,
    /// Shared values as written, by their numbers.
    known: HashMap<Vec<u8>, u32>,
    /// Of each key the shared value of the feature before, as written, and its number.
    before: Vec<(Vec<u8>, u32)>,
    shared: Vec<u8>,
    tags: Vec<u8>,
    head: Vec<u8>,
}

impl Layer {
    pub fn new(name: &'static str) -> Layer {
        Layer {
            name,
            features: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            value_count: 0,
            known: HashMap::new(),
            before: Vec::new(),
            shared: Vec::new(),
            tags: Vec::new(),
            head: Vec::new(),
        }
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.features.len() + self.values.len() < MAX_BYTES
    }

    /// Adds a feature with its properties; one without geometry is left out.
    pub fn add(&mut self, kind: Kind, geometry: &Geometry, properties: &[(&'static str, Value)]) {
        self.tags.clear();
        self.add_more(kind, geometry, properties);
    }

    /// As [`Layer::add`], with texts written before, one for each of `keys`.
    pub fn add_with(
        &mut self,
        kind: Kind,
        geometry: &Geometry,
        (keys, texts): (&[&'static str], &Texts),
        properties: &[(&'static str, Value)],
    ) {
        if geometry.is_empty() {
            return;
        }
        self.tags.clear();
        for (key, value) in keys.iter().zip(self.value_count..self.value_count + texts.count) {
            let key = self.key(key);
            varint(&mut self.tags, u64::from(key));
            varint(&mut self.tags, u64::from(value));
        }
        self.values.extend(&texts.written);
        self.value_count += texts.count;
        self.add_more(kind, geometry, properties);
    }

    fn add_more(&mut self, kind: Kind, geometry: &Geometry, properties: &[(&'static str, Value)]) {
        if geometry.is_empty() {
            return;
        }
        for (key, value) in properties {
            let key = self.key(key);
            let value = self.value(key, value);
            varint(&mut self.tags, u64::from(key));
            varint(&mut self.tags, u64::from(value));
        }
        self.head.clear();
        // Field 2 tags, field 3 type, field 4 geometry.
        self.head.push(0x12);
        varint(&mut self.head, self.tags.len() as u64);
        self.head.extend(&self.tags);
        self.head.extend([0x18, kind as u8, 0x22]);
        varint(&mut self.head, geometry.bytes.len() as u64);
        self.features.push(0x12);
        varint(&mut self.features, (self.head.len() + geometry.bytes.len()) as u64);
        self.features.extend(&self.head);
        self.features.extend(&geometry.bytes);
    }

    fn key(&mut self, key: &'static str) -> u32 {
        let found = self.keys.iter().position(|known| *known == key);
        found.unwrap_or_else(|| {
            self.keys.push(key);
            self.before.push((Vec::new(), 0));
            self.keys.len() - 1
        }) as u32
    }

    /// The number of a value of a key; one that features share is written once.
    fn value(&mut self, key: u32, value: &Value) -> u32 {
        self.shared.clear();
        match value {
            Value::Own(text) => {
                write_text(&mut self.values, text);
                self.value_count += 1;
                return self.value_count - 1;
            }
            Value::Text(text) => write_text(&mut self.shared, text),
            Value::Whole(number) => {
                let length = 1 + length(*number);
                self.shared.extend([0x22, length as u8, 0x28]);
                varint(&mut self.shared, *number);
            }
            Value::Flag(flag) => self.shared.extend([0x22, 2, 0x38, u8::from(*flag)]),
        }
        // The feature before mostly had the same.
        let before = &mut self.before[key as usize];
        if before.0 != self.shared {
            let new = self.value_count;
            let known = *self.known.entry(self.shared.clone()).or_insert(new);
            if known == new {
                self.values.extend(&self.shared);
                self.value_count += 1;
            }
            *before = (self.shared.clone(), known);
        }
        before.1
    }

    /// Puts the layer at the end of a tile; an empty one leaves it as it is.
    pub fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut keys = Vec::new();
        for key in &self.keys {
            keys.push(0x1a);
            varint(&mut keys, key.len() as u64);
            keys.extend(key.as_bytes());
        }
        // Field 15 version 2, field 1 name, features, field 3 keys, field 4 values, field 5 extent.
        let mut head = vec![0x78, 2, 0x0a];
        varint(&mut head, self.name.len() as u64);
        head.extend(self.name.as_bytes());
        let mut extent = vec![0x28];
        varint(&mut extent, EXTENT as u64);
        let parts = [head, self.features, keys, self.values, extent];
        let length = parts.iter().map(Vec::len).sum::<usize>();
        tile.reserve(length + 8);
        tile.push(0x1a);
        varint(tile, length as u64);
        parts.iter().for_each(|part| tile.extend(part));
    }
}

fn write_text(into: &mut Vec<u8>, text: &str) {
    let head = 1 + length(text.len() as u64);
    into.push(0x22);
    varint(into, (head + text.len()) as u64);
    into.push(0x0a);
    varint(into, text.len() as u64);
    into.extend(text.as_bytes());
}

/// Bytes a number takes.
fn length(number: u64) -> usize {
    (64 - (number | 1).leading_zeros()).div_ceil(7) as usize
}

fn varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// The next number of a geometry, which may be negative; none at its end.
fn signed(bytes: &mut &[u8]) -> Option<i32> {
    let (mut number, mut shift) = (0u32, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((number >> 1) as i32 ^ -((number & 1) as i32));
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_moved() {
        let (mut drawn, mut there) = (Geometry::default(), Geometry::default());
        drawn.ring(&[[3, 6], [8, 12], [20, 34]]);
        drawn.ring(&[[5, 9], [-70, 12], [6, 10]]);
        for by in [[0, 0], [-500, 4_000], [7, -3]] {
            let moved = |[x, y]: Point| [x + by[0], y + by[1]];
            there.begin();
            there.ring(&[[3, 6], [8, 12], [20, 34]].map(moved));
            there.ring(&[[5, 9], [-70, 12], [6, 10]].map(moved));
            let mut put = Geometry::default();
            put.moved(&drawn.movable().expect("drawn"), by);
            assert_eq!(put.bytes, there.bytes);
        }
        assert!(Geometry::default().movable().is_none());
    }

    #[test]
    fn the_example_of_the_specification() {
        // The polygon of the specification's section 4.3.5.5: MoveTo(3,6), LineTo(8,12), LineTo(20,34), ClosePath.
        let mut geometry = Geometry::default();
        geometry.ring(&[[3, 6], [8, 12], [20, 34]]);
        assert_eq!(geometry.bytes, [9, 6, 12, 18, 10, 12, 24, 44, 15]);
        geometry.point([25, 17]);
        assert_eq!(geometry.bytes, [9, 50, 34]);
    }

    #[test]
    fn equal_values_are_written_once() {
        let mut layer = Layer::new("x");
        let mut geometry = Geometry::default();
        geometry.point([1, 1]);
        for nth in 0..3 {
            let text = format!("own {nth}");
            let properties = [
                ("kind", Value::Text("公园")),
                ("code", Value::Own(&text)),
                ("n", Value::Whole(300)),
                ("late", Value::Flag(true)),
            ];
            layer.add(Kind::Point, &geometry, &properties);
        }
        assert_eq!((layer.keys.len(), layer.value_count), (4, 6));
        assert_eq!([0, 127, 128, 16_383, 16_384].map(length), [1, 1, 2, 2, 3]);
    }
}
