//! Geometry on a plane in metres: rings, point in polygon, crossing of segments, and an index of segments.

/// Metres east and north of an origin the caller chose.
pub type Point = [f64; 2];
/// Corner points; closed or not (a repeated first point at the end is allowed and ignored).
pub type Ring = Vec<Point>;
/// An outer ring and its holes.
pub type Polygon = Vec<Ring>;

pub(super) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

pub(super) fn cross(a: Point, b: Point) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

pub(super) fn along(a: Point, b: Point, t: f64) -> Point {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
}

/// Metres between two points.
pub fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The sides of a ring, the closing one, too.
pub(super) fn sides(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| (*a, *b)).filter(|(a, b)| a != b)
}

/// Square metres, positive when the ring runs anticlockwise.
pub fn signed_area(ring: &[Point]) -> f64 {
    let Some(origin) = ring.first() else { return 0.0 };
    let twice: f64 = sides(ring).map(|(a, b)| cross(sub(a, *origin), sub(b, *origin))).sum();
    twice / 2.0
}

/// Square metres of polygons that do not overlap: outer rings less their holes.
pub fn area(polygons: &[Polygon]) -> f64 {
    let one = |rings: &Polygon| {
        let mut sizes = rings.iter().map(|ring| signed_area(ring).abs());
        sizes.next().unwrap_or(0.0) - sizes.sum::<f64>()
    };
    polygons.iter().map(one).sum()
}

/// Metres around all rings, holes included.
pub fn perimeter(polygons: &[Polygon]) -> f64 {
    let rings = polygons.iter().flatten();
    rings.flat_map(|ring| sides(ring)).map(|(a, b)| distance(a, b)).sum()
}

/// `None` without points.
pub(super) fn bounds<'a>(points: impl Iterator<Item = &'a Point>) -> Option<[f64; 4]> {
    points.fold(None, |found, p| {
        let [w, s, e, n] = found.unwrap_or([p[0], p[1], p[0], p[1]]);
        Some([w.min(p[0]), s.min(p[1]), e.max(p[0]), n.max(p[1])])
    })
}

/// The point of a segment next to `p`.
pub(super) fn nearest_on(p: Point, a: Point, b: Point) -> Point {
    let d = sub(b, a);
    let length2 = dot(d, d);
    if length2 == 0.0 {
        return a;
    }
    along(a, b, (dot(sub(p, a), d) / length2).clamp(0.0, 1.0))
}

/// Whether two segments cross. A point exactly on a line counts to its right, so that a line through a corner of a chain crosses the chain
/// as often as it changes sides.
pub(super) fn crosses(a: Point, b: Point, c: Point, d: Point) -> bool {
    let left = |from: Point, to: Point, p: Point| cross(sub(to, from), sub(p, from)) > 0.0;
    left(a, b, c) != left(a, b, d) && left(c, d, a) != left(c, d, b)
}

/// Where on `a`-`b` (0 to 1) the line through `c` and `d` meets it.
pub(super) fn meeting(a: Point, b: Point, c: Point, d: Point) -> f64 {
    let along = cross(sub(b, a), sub(d, c));
    if along == 0.0 {
        return 0.5;
    }
    (cross(sub(c, a), sub(d, c)) / along).clamp(0.0, 1.0)
}

/// Answers "is this point inside" for an area with many corners: its sides sorted into horizontal bands.
#[derive(Debug)]
pub(super) struct Inside {
    bounds: [f64; 4],
    bands: Vec<Vec<(Point, Point)>>,
}

impl Inside {
    /// Even-odd over all rings.
    pub fn new(polygons: &[Polygon]) -> Inside {
        let bounds = bounds(polygons.iter().flatten().flatten()).unwrap_or([0.0, 0.0, -1.0, -1.0]);
        let corners: usize = polygons.iter().flatten().map(Vec::len).sum();
        let mut inside = Inside {
            bounds,
            bands: vec![Vec::new(); (corners / 4).clamp(1, 4096)],
        };
        for (a, b) in polygons.iter().flatten().flat_map(|ring| sides(ring)) {
            let (from, to) = (inside.band(a[1].min(b[1])), inside.band(a[1].max(b[1])));
            for band in &mut inside.bands[from..=to] {
                band.push((a, b));
            }
        }
        inside
    }

    fn band(&self, y: f64) -> usize {
        let height = (self.bounds[3] - self.bounds[1]).max(1e-9);
        let at = (y - self.bounds[1]) / height * self.bands.len() as f64;
        (at.max(0.0) as usize).min(self.bands.len() - 1)
    }

    pub fn holds(&self, p: Point) -> bool {
        let [w, s, e, n] = self.bounds;
        if !(w..=e).contains(&p[0]) || !(s..=n).contains(&p[1]) {
            return false;
        }
        let east_of = |(a, b): &&(Point, Point)| {
            (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0]
        };
        self.bands[self.band(p[1])].iter().filter(east_of).count() % 2 == 1
    }

    /// The nearest point of the border and how far it is; `None` for no sides.
    pub fn border_next_to(&self, p: Point) -> Option<(Point, f64)> {
        let sides = self.bands.iter().flatten();
        sides
            .map(|(a, b)| nearest_on(p, *a, *b))
            .map(|at| (at, distance(p, at)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Segments found by place: squares of a fixed width, each with the segments that pass through it.
#[derive(Debug)]
pub(super) struct Segments<T> {
    pub all: Vec<(Point, Point, T)>,
    west: f64,
    south: f64,
    wide: f64,
    columns: usize,
    rows: usize,
    /// Of each square, where its list begins in `listed`; one more at the end.
    begins: Vec<u32>,
    listed: Vec<u32>,
}

/// Squares of an index at most, so that one far point does not cost the memory.
const MAX_SQUARES: f64 = 1_000_000.0;

impl<T> Segments<T> {
    /// With squares about `wide` metres wide, wider where the ground is large.
    pub fn new(all: Vec<(Point, Point, T)>, wide: f64) -> Segments<T> {
        let ends = all.iter().flat_map(|(a, b, _)| [a, b]);
        let [w, s, e, n] = bounds(ends).unwrap_or([0.0; 4]);
        let wide = wide
            .max(((e - w) * (n - s) / MAX_SQUARES).sqrt())
            .max((e - w).max(n - s) / 50_000.0);
        let mut index = Segments {
            all,
            west: w,
            south: s,
            wide,
            columns: ((e - w) / wide) as usize + 1,
            rows: ((n - s) / wide) as usize + 1,
            begins: Vec::new(),
            listed: Vec::new(),
        };
        let mut placed: Vec<(u32, u32)> = Vec::new();
        for (at, (a, b, _)) in index.all.iter().enumerate() {
            index.squares_of(*a, *b, |square| placed.push((square as u32, at as u32)));
        }
        placed.sort_unstable();
        index.begins = vec![0; index.columns * index.rows + 1];
        for (square, _) in &placed {
            index.begins[*square as usize + 1] += 1;
        }
        for square in 1..index.begins.len() {
            index.begins[square] += index.begins[square - 1];
        }
        index.listed = placed.into_iter().map(|(_, at)| at).collect();
        index
    }

    /// The squares that a segment may touch: row by row, the columns between where it enters and leaves, a hair more on each side.
    fn squares_of(&self, a: Point, b: Point, mut each: impl FnMut(usize)) {
        let (low, high) = if a[1] <= b[1] { (a, b) } else { (b, a) };
        let row = |y: f64| ((y - self.south) / self.wide).floor();
        let column = |x: f64| ((x - self.west) / self.wide).floor();
        const HAIR: f64 = 1e-6;
        let (first, last) = (row(low[1]).max(0.0), row(high[1]).min(self.rows as f64 - 1.0));
        if first > last {
            return;
        }
        let slope = (high[0] - low[0]) / (high[1] - low[1]).max(1e-12);
        for row in first as usize..=last as usize {
            let bottom = (self.south + row as f64 * self.wide).max(low[1]);
            let top = (self.south + (row + 1) as f64 * self.wide).min(high[1]).max(bottom);
            let x = |y: f64| (low[0] + slope * (y - low[1])).clamp(low[0].min(high[0]), low[0].max(high[0]));
            // Of a level one all columns, for its slope says nothing.
            let level = first == last || high[1] - low[1] < 1e-3;
            let (from, to) = if level { (low[0], high[0]) } else { (x(bottom), x(top)) };
            let west = column(from.min(to) - HAIR).max(0.0);
            let east = column(from.max(to) + HAIR).min(self.columns as f64 - 1.0);
            if west <= east {
                (west as usize..=east as usize).for_each(|column| each(row * self.columns + column));
            }
        }
    }

    /// Calls for every segment that may touch `a`-`b`; a segment may come more than once.
    fn near(&self, a: Point, b: Point, mut each: impl FnMut(usize)) {
        if self.all.is_empty() {
            return;
        }
        self.squares_of(a, b, |square| {
            let list = self.begins[square] as usize..self.begins[square + 1] as usize;
            self.listed[list].iter().for_each(|at| each(*at as usize));
        });
    }

    /// Whether a segment crosses one of these.
    pub fn crossed_by(&self, a: Point, b: Point) -> bool {
        let mut found = false;
        self.near(a, b, |at| {
            let (c, d, _) = &self.all[at];
            found = found || crosses(a, b, *c, *d);
        });
        found
    }

    /// Those that a segment crosses: where on it (0 to 1) and which, in order, each once.
    pub fn crossings(&self, a: Point, b: Point) -> Vec<(f64, usize)> {
        let mut found = Vec::new();
        self.near(a, b, |at| {
            let (c, d, _) = &self.all[at];
            if crosses(a, b, *c, *d) {
                found.push((meeting(a, b, *c, *d), at));
            }
        });
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.dedup_by_key(|found| found.1);
        found
    }

    /// The nearest within `reach`: which, and how far.
    pub fn nearest(&self, p: Point, reach: f64) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        let mut look = |at: usize| {
            let (a, b, _) = &self.all[at];
            let far = distance(p, nearest_on(p, *a, *b));
            if far <= reach && best.is_none_or(|(which, least)| far < least || (far == least && at < which)) {
                best = Some((at, far));
            }
        };
        if self.all.is_empty() {
            return None;
        }
        let clamp = |value: f64, most: usize| value.floor().clamp(0.0, most as f64 - 1.0) as usize;
        let column = |x: f64| clamp((x - self.west) / self.wide, self.columns);
        let row = |y: f64| clamp((y - self.south) / self.wide, self.rows);
        for row in row(p[1] - reach)..=row(p[1] + reach) {
            let from = row * self.columns;
            let squares = from + column(p[0] - reach)..from + column(p[0] + reach) + 1;
            let list = self.begins[squares.start] as usize..self.begins[squares.end] as usize;
            self.listed[list].iter().for_each(|at| look(*at as usize));
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        (-300.0..300.0, -300.0..300.0).prop_map(|(x, y)| [x, y])
    }

    #[test]
    fn holes_are_outside() {
        let square = |from: f64, to: f64| vec![[from, from], [to, from], [to, to], [from, to]];
        let area_with_hole = vec![vec![square(0.0, 10.0), square(4.0, 6.0)]];
        let inside = Inside::new(&area_with_hole);
        assert!(inside.holds([1.0, 1.0]) && !inside.holds([5.0, 5.0]) && !inside.holds([11.0, 1.0]));
        assert_eq!(area(&area_with_hole), 96.0);
        assert_eq!(perimeter(&area_with_hole), 48.0);
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_full_look_finds(
            ends in proptest::collection::vec((point(), point()), 0..40),
            a in point(), b in point(), level in any::<bool>(), wide in 1.0..90.0f64,
        ) {
            let b = if level { [b[0], a[1]] } else { b };
            let all: Vec<_> = ends.into_iter().map(|(c, d)| (c, d, ())).collect();
            let index = Segments::new(all.clone(), wide);
            let mut slow: Vec<usize> = (0..all.len()).filter(|at| crosses(a, b, all[*at].0, all[*at].1)).collect();
            let mut fast: Vec<usize> = index.crossings(a, b).into_iter().map(|(_, at)| at).collect();
            slow.sort_unstable();
            fast.sort_unstable();
            prop_assert_eq!(index.crossed_by(a, b), !slow.is_empty());
            prop_assert_eq!(fast, slow);
            let near = all.iter().map(|(c, d, ())| distance(a, nearest_on(a, *c, *d))).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(index.nearest(a, 50.0).map(|found| found.1), (near <= 50.0).then_some(near));
        }
    }
}
