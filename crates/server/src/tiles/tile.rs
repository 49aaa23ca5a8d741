//! One tile of the map: where it lies, and how ground is drawn into it (Web Mercator, MVT coordinates).
//!
//! Positions are whole numbers of a world 2^30 wide, y downward, so that a point is projected once and every zoom is a shift. Must not know
//! what is drawn.

use super::mvt::{Geometry, Movable};
use domain::geo::{LonLat, Region};

/// Width of a tile in its own coordinates.
pub const EXTENT: i32 = 4_096;
/// Ground drawn around the tile, so that lines do not end at its edge.
const BUFFER: i32 = 64;
/// The nearest zoom; there a unit of the world is one of the tile.
pub const MAX_ZOOM: u8 = 18;
const WORLD_BITS: u32 = 30;
const EXTENT_BITS: u32 = 12;
/// Latitude at which Web Mercator ends.
const NORTHMOST: f64 = 85.051_128_779_806_6;

/// A position in the world: x, y.
pub type Point = [i32; 2];
/// West, north, east, south in the world.
pub type Box4 = [i32; 4];

/// Where a position lies in the world.
pub fn project(at: LonLat) -> Point {
    let size = f64::from(1u32 << WORLD_BITS);
    let lat = at.lat.clamp(-NORTHMOST, NORTHMOST).to_radians();
    let x = (at.lon + 180.0) / 360.0;
    let y = 0.5 - (std::f64::consts::FRAC_PI_4 + lat / 2.0).tan().ln() / std::f64::consts::TAU;
    let whole = |part: f64| (part * size).floor().clamp(0.0, size - 1.0) as i32;
    [whole(x), whole(y)]
}

/// The box around points.
pub fn around(points: &[Point]) -> Box4 {
    points
        .iter()
        .fold([i32::MAX, i32::MAX, i32::MIN, i32::MIN], |[w, n, e, s], [x, y]| {
            [w.min(*x), n.min(*y), e.max(*x), s.max(*y)]
        })
}

/// A tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub z: u8,
    x: u32,
    y: u32,
}

impl Tile {
    /// None where there is no such tile.
    pub fn new(z: u8, x: u32, y: u32) -> Option<Tile> {
        (z <= MAX_ZOOM && x < 1 << z && y < 1 << z).then_some(Tile { z, x, y })
    }

    fn shift(self) -> u32 {
        WORLD_BITS - u32::from(self.z) - EXTENT_BITS
    }

    fn corner(self) -> Point {
        let bits = WORLD_BITS - u32::from(self.z);
        [(self.x << bits) as i32, (self.y << bits) as i32]
    }

    /// The ground drawn: the tile and its buffer.
    pub fn reach(self) -> Box4 {
        let ([x, y], size, buffer) = (self.corner(), EXTENT << self.shift(), BUFFER << self.shift());
        [x - buffer, y - buffer, x + size + buffer, y + size + buffer]
    }

    /// West, south, east, north in degrees, without the buffer.
    pub fn degrees(self) -> [f64; 4] {
        let count = f64::from(1u32 << self.z);
        let lon = |x: u32| f64::from(x) / count * 360.0 - 180.0;
        let lat = |y: u32| {
            let part = std::f64::consts::PI * (1.0 - 2.0 * f64::from(y) / count);
            part.sinh().atan().to_degrees()
        };
        [lon(self.x), lat(self.y + 1), lon(self.x + 1), lat(self.y)]
    }

    /// In the tile's own coordinates.
    pub fn local(self, at: Point) -> Point {
        let ([x, y], shift) = (self.corner(), self.shift());
        [(at[0] - x) >> shift, (at[1] - y) >> shift]
    }

    /// A point of the tile itself, without the buffer: each point is in one tile only.
    pub fn point(self, at: Point) -> Option<Point> {
        let [x, y] = self.local(at);
        ((0..EXTENT).contains(&x) && (0..EXTENT).contains(&y)).then_some([x, y])
    }

    /// Draws what was made ready for this zoom, if all of it lies in the tile and its buffer; says whether it did.
    pub fn draw_ready(self, bounds: Box4, ready: &Movable, into: &mut Geometry) -> bool {
        let inside = within(bounds, self.reach());
        if inside {
            let ([x, y], shift) = (self.corner(), self.shift());
            into.moved(ready, [-(x >> shift), -(y >> shift)]);
        }
        inside
    }

    /// Draws an outline; nothing is left of what is smaller than a unit or lies elsewhere.
    pub fn draw(self, outline: &Outline, into: &mut Geometry) {
        let inside = within(outline.bounds, self.reach());
        self.draw_rings(outline, inside, into);
    }

    fn draw_rings(self, outline: &Outline, inside: bool, into: &mut Geometry) {
        into.begin();
        let (mut start, mut hidden) = (0, true);
        let mut ring = into.take_ring();
        for (end, outer) in &outline.rings {
            let end = *end as usize;
            ring.clear();
            for at in &outline.points[start..end] {
                let at = self.local(*at);
                if ring.last() != Some(&at) {
                    ring.push(at);
                }
            }
            start = end;
            if ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            if *outer {
                hidden = true;
            } else if hidden {
                continue;
            }
            if !inside {
                ring = clipped(std::mem::take(&mut ring));
            }
            // On the screen's y, outer rings turn clockwise and holes the other way; the format tells them apart by that.
            let area = doubled_area(&ring);
            if ring.len() < 3 || area == 0 {
                continue;
            }
            if (area > 0) != *outer {
                ring.reverse();
            }
            into.ring(&ring);
            if *outer {
                hidden = false;
            }
        }
        into.give_ring(ring);
    }
}

fn within(one: Box4, around: Box4) -> bool {
    one[0] >= around[0] && one[1] >= around[1] && one[2] <= around[2] && one[3] <= around[3]
}

/// Whether two boxes have a point in common.
pub fn meet(a: Box4, b: Box4) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

/// Rings one after the other: where each ends in the points, and whether it is an outer one (its holes follow it).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    pub points: Box<[Point]>,
    pub rings: Box<[(u32, bool)]>,
    pub bounds: Box4,
}

impl Outline {
    pub fn of(region: &Region) -> Outline {
        let mut points = Vec::new();
        let mut rings = Vec::new();
        for polygon in &region.polygons {
            for (nth, ring) in polygon.iter().enumerate() {
                points.extend(ring.iter().map(|at| project(*at)));
                rings.push((points.len() as u32, nth == 0));
            }
        }
        Outline {
            bounds: around(&points),
            points: points.into(),
            rings: rings.into(),
        }
    }

    /// Drawn for every tile of a zoom that holds all of it; none where nothing is left of it at that zoom.
    pub fn ready(&self, zoom: u8, geometry: &mut Geometry) -> Option<Movable> {
        // The first tile of the zoom, whose corner is where the world begins: its coordinates are the world's at that zoom.
        Tile::new(zoom, 0, 0)?.draw_rings(self, true, geometry);
        geometry.movable()
    }

    /// With points left out that lie nearer than `tolerance` units of the world to the line without them.
    pub fn simpler(&self, tolerance: i32) -> Outline {
        let (mut points, mut rings, mut start) = (Vec::new(), Vec::new(), 0);
        for (end, outer) in &self.rings {
            let end = *end as usize;
            points.extend(simplified(&self.points[start..end], tolerance));
            rings.push((points.len() as u32, *outer));
            start = end;
        }
        Outline {
            points: points.into(),
            rings: rings.into(),
            bounds: self.bounds,
        }
    }
}

/// Douglas and Peucker, without recursion: the first and the last point stay.
fn simplified(line: &[Point], tolerance: i32) -> Vec<Point> {
    let mut keep = vec![false; line.len()];
    let Some(last) = line.len().checked_sub(1) else {
        return Vec::new();
    };
    (keep[0], keep[last]) = (true, true);
    let mut todo = vec![(0, last)];
    // A ring ends where it begins: it is cut in two at its farthest point, by the same rule.
    while let Some((from, to)) = todo.pop() {
        let farthest = (from + 1..to)
            .map(|at| (distance(line[at], line[from], line[to]), at))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, at)) = farthest.filter(|(far, _)| *far > f64::from(tolerance)) {
            keep[at] = true;
            todo.extend([(from, at), (at, to)]);
        }
    }
    line.iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|(at, _)| *at)
        .collect()
}

fn distance(p: Point, a: Point, b: Point) -> f64 {
    let sub = |p: Point, q: Point| (f64::from(p[0]) - f64::from(q[0]), f64::from(p[1]) - f64::from(q[1]));
    let ((dx, dy), (px, py)) = (sub(b, a), sub(p, a));
    let length = dx * dx + dy * dy;
    let t = if length == 0.0 {
        0.0
    } else {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    };
    (px - t * dx).hypot(py - t * dy)
}

fn doubled_area(ring: &[Point]) -> i64 {
    let next = ring.iter().skip(1).chain(ring.first());
    let cross = |(a, b): (&Point, &Point)| i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1]);
    ring.iter().zip(next).map(cross).sum()
}

/// Sutherland and Hodgman: what of a ring lies within the tile and its buffer.
fn clipped(mut ring: Vec<Point>) -> Vec<Point> {
    let (least, most) = (-BUFFER, EXTENT + BUFFER);
    for (axis, limit, sign) in [(0, least, 1), (0, most, -1), (1, least, 1), (1, most, -1)] {
        let Some(mut last) = ring.last().copied() else {
            return ring;
        };
        let room = |at: Point| i64::from(sign) * (i64::from(at[axis]) - i64::from(limit));
        let mut left = Vec::with_capacity(ring.len() + 4);
        let mut add = |at: Point| {
            if left.last() != Some(&at) {
                left.push(at);
            }
        };
        for at in ring {
            let (before, now) = (room(last), room(at));
            if (before >= 0) != (now >= 0) {
                let other = 1 - axis;
                let along = i64::from(at[other]) - i64::from(last[other]);
                let cut = i64::from(last[other]) + along * before / (before - now);
                let mut edge = [limit, limit];
                edge[other] = cut as i32;
                add(edge);
            }
            if now >= 0 {
                add(at);
            }
            last = at;
        }
        if left.len() > 1 && left.first() == left.last() {
            left.pop();
        }
        ring = left;
    }
    ring
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tiles_lie_where_everybody_says() {
        let at = LonLat { lon: 122.1, lat: 30.0 };
        let [x, y] = project(at);
        // From the usual formula of the slippy map.
        assert_eq!((x >> 16, y >> 16), (13_748, 6_759));
        let tile = Tile::new(14, 13_748, 6_759).unwrap();
        assert!(tile.point([x, y]).is_some());
        let [w, s, e, n] = tile.degrees();
        assert!(w <= at.lon && at.lon < e && s <= at.lat && at.lat < n);
        assert_eq!(Tile::new(0, 0, 0).unwrap().local([1 << 29, 1 << 29]), [2_048, 2_048]);
        for (z, x, y) in [(19, 0, 0), (3, 8, 0), (3, 0, 8), (0, 1, 0)] {
            assert_eq!(Tile::new(z, x, y), None);
        }
    }

    #[test]
    fn small_turns_are_left_out_and_ends_stay() {
        let line = [[0, 0], [5, 1], [10, 0], [10, 10], [0, 10], [0, 0]];
        assert_eq!(simplified(&line, 2), [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]);
        assert_eq!(simplified(&line, 0), line);
    }

    proptest! {
        /// What is left of a triangle lies within, and its area is that of the part inside, counted point by point.
        #[test]
        fn clipping_keeps_what_lies_inside(corners in prop::collection::vec((-9_000i32..13_000, -9_000i32..13_000), 3)) {
            let ring: Vec<Point> = corners.iter().map(|(x, y)| [*x, *y]).collect();
            let left = clipped(ring.clone());
            for at in &left {
                prop_assert!(at.iter().all(|n| (-BUFFER..=EXTENT + BUFFER).contains(n)));
            }
            const STEP: i32 = 128;
            let mut inside = 0i64;
            for x in (-BUFFER..EXTENT + BUFFER).step_by(STEP as usize) {
                for y in (-BUFFER..EXTENT + BUFFER).step_by(STEP as usize) {
                    let p = [x + STEP / 2, y + STEP / 2];
                    let side = |a: Point, b: Point| (i64::from(b[0]) - i64::from(a[0])) * (i64::from(p[1]) - i64::from(a[1]))
                        - (i64::from(b[1]) - i64::from(a[1])) * (i64::from(p[0]) - i64::from(a[0]));
                    let sides = [side(ring[0], ring[1]), side(ring[1], ring[2]), side(ring[2], ring[0])];
                    inside += i64::from(sides.iter().all(|s| *s >= 0) || sides.iter().all(|s| *s <= 0));
                }
            }
            let counted = (inside * i64::from(STEP) * i64::from(STEP)) as f64;
            let area = doubled_area(&left).unsigned_abs() as f64 / 2.0;
            prop_assert!((area - counted).abs() <= 4.0 * f64::from(STEP) * 4_300.0, "{} {}", area, counted);
        }
    }
}
