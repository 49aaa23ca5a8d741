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
    known: HashMap<Vec<u8>, u32>,
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
        if geometry.is_empty() {
            return;
        }
        self.tags.clear();
        for (key, value) in properties {
            let key = self.key(key);
            let value = self.value(value);
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
            self.keys.len() - 1
        }) as u32
    }

    fn value(&mut self, value: &Value) -> u32 {
        let mut bytes = Vec::new();
        match value {
            Value::Own(text) => {
                write_text(&mut self.values, text);
                self.value_count += 1;
                return self.value_count - 1;
            }
            // A text's own bytes tell it apart from the others, which begin with their field's number.
            Value::Text(text) => {
                if let Some(known) = self.known.get(text.as_bytes()) {
                    return *known;
                }
                write_text(&mut self.values, text);
                bytes.extend(text.as_bytes());
            }
            Value::Whole(number) => {
                let mut inner = vec![0x28];
                varint(&mut inner, *number);
                bytes.push(0);
                bytes.extend(&inner);
                if let Some(known) = self.known.get(&bytes) {
                    return *known;
                }
                write_value(&mut self.values, &inner);
            }
            Value::Flag(flag) => {
                let inner = [0x38, u8::from(*flag)];
                bytes.push(0);
                bytes.extend(inner);
                if let Some(known) = self.known.get(&bytes) {
                    return *known;
                }
                write_value(&mut self.values, &inner);
            }
        }
        self.known.insert(bytes, self.value_count);
        self.value_count += 1;
        self.value_count - 1
    }

    /// Puts the layer at the end of a tile; an empty one leaves it as it is.
    pub fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut layer = Vec::with_capacity(self.features.len() + self.values.len() + 256);
        // Field 15 version 2, field 1 name, features, field 3 keys, field 4 values, field 5 extent.
        layer.extend([0x78, 2, 0x0a]);
        varint(&mut layer, self.name.len() as u64);
        layer.extend(self.name.as_bytes());
        layer.extend(&self.features);
        for key in &self.keys {
            layer.push(0x1a);
            varint(&mut layer, key.len() as u64);
            layer.extend(key.as_bytes());
        }
        layer.extend(&self.values);
        layer.push(0x28);
        varint(&mut layer, EXTENT as u64);
        tile.push(0x1a);
        varint(tile, layer.len() as u64);
        tile.extend(layer);
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

fn write_value(into: &mut Vec<u8>, inner: &[u8]) {
    into.push(0x22);
    varint(into, inner.len() as u64);
    into.extend(inner);
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

#[cfg(test)]
mod tests {
    use super::*;

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
