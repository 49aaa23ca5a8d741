//! Whether one map lies beside the other: finds the shift by which roads would run between the buildings instead of through them.
//!
//! The published offset between the Chinese map datum and the true one is 480 to 610 m; a town whose buildings are off by that much still looks
//! like a town. But roads that run through houses give it away.

use super::plane::{Inside, Point, Polygon, along, bounds, distance};

/// Metres that are searched in every direction, in steps of a cell.
const REACH: f64 = 700.0;
/// Width of a cell of the picture of the buildings, in metres.
const CELL: f64 = 8.0;
/// Cells at most; a larger town is looked at with wider ones.
const MAX_CELLS: f64 = 16_000_000.0;
/// Points taken of the roads at most, and at least for an answer.
const MAX_SAMPLES: usize = 6_000;
const LEAST_SAMPLES: usize = 150;
/// Metres around a building that has no outline.
const POINT_HALF: f64 = 4.0;

/// What to add to the buildings' coordinates so that they fit the roads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    pub east: f64,
    pub north: f64,
    /// Share of the roads that runs through buildings as given, after the shift, and by chance (the median of all shifts tried).
    pub hit: f64,
    pub hit_after: f64,
    pub hit_by_chance: f64,
}

/// The shift that makes roads and buildings fit, where they clearly do not as given and clearly do with it; `None` where they fit, where
/// nothing makes them fit, or where there is too little to tell.
pub fn systematic_shift(buildings: &[(Point, &[Polygon])], roads: &[Vec<Point>]) -> Option<Shift> {
    let picture = Picture::of(buildings)?;
    let samples = picture.samples(roads);
    if samples.len() < LEAST_SAMPLES {
        return None;
    }
    let steps = (REACH / picture.cell) as i64;
    let ways = || (-steps..=steps).flat_map(move |y| (-steps..=steps).map(move |x| (x, y)));
    let mut hits: Vec<(f64, (i64, i64))> = ways()
        .filter_map(|way| Some((picture.hit(&samples, way)?, way)))
        .collect();
    let length = |(x, y): (i64, i64)| ((x * x + y * y) as f64).sqrt();
    hits.sort_by(|a, b| a.0.total_cmp(&b.0).then(length(a.1).total_cmp(&length(b.1))));
    let (best, way) = *hits.first()?;
    let as_given = picture.hit(&samples, (0, 0))?;
    let chance = hits[hits.len() / 2].0;
    // Roads are wide: all shifts about as good right beside the best, and their middle.
    let beside = hits
        .iter()
        .filter(|(hit, (x, y))| *hit <= best + 0.05 * chance && length((x - way.0, y - way.1)) <= 5.0);
    let (mut count, mut east, mut north) = (0.0, 0.0, 0.0);
    for (_, (x, y)) in beside {
        (count, east, north) = (count + 1.0, east + *x as f64, north + *y as f64);
    }
    let far = length(way) * picture.cell;
    let clear = best < 0.4 * chance && as_given > 0.6 * chance && as_given > 2.5 * best;
    (clear && chance > 0.03 && far > 30.0).then(|| Shift {
        east: east / count * picture.cell,
        north: north / count * picture.cell,
        hit: as_given,
        hit_after: best,
        hit_by_chance: chance,
    })
}

/// Which cells have a building.
struct Picture {
    west: f64,
    south: f64,
    cell: f64,
    columns: i64,
    rows: i64,
    filled: Vec<bool>,
}

impl Picture {
    fn of(buildings: &[(Point, &[Polygon])]) -> Option<Picture> {
        let sound = |(at, _): &&(Point, &[Polygon])| at[0].is_finite() && at[1].is_finite();
        // A few far strays must not make the picture coarse: the middle 98 of a hundred count.
        let middle = |axis: usize| {
            let mut all: Vec<f64> = buildings.iter().filter(sound).map(|(at, _)| at[axis]).collect();
            all.sort_by(f64::total_cmp);
            let last = all.len().checked_sub(1)?;
            Some((all[last / 100], all[last - last / 100]))
        };
        let ((w, e), (s, n)) = (middle(0)?, middle(1)?);
        let cell = CELL.max(((e - w) * (n - s) / MAX_CELLS).sqrt());
        let (columns, rows) = (((e - w) / cell) as i64 + 1, ((n - s) / cell) as i64 + 1);
        let mut picture = Picture {
            west: w,
            south: s,
            cell,
            columns,
            rows,
            filled: vec![false; (columns * rows) as usize],
        };
        for (at, outline) in buildings.iter().filter(sound) {
            picture.draw(*at, outline);
        }
        Some(picture)
    }

    fn draw(&mut self, at: Point, outline: &[Polygon]) {
        let around = bounds(outline.iter().flatten().flatten());
        let inside = Inside::new(outline);
        let [w, s, e, n] = around.unwrap_or([
            at[0] - POINT_HALF,
            at[1] - POINT_HALF,
            at[0] + POINT_HALF,
            at[1] + POINT_HALF,
        ]);
        let (from, to) = (self.cell_of([w, s]), self.cell_of([e, n]));
        if [w, s, e, n].iter().any(|value| !value.is_finite()) || (to.0 - from.0) * (to.1 - from.1) > 1_000_000 {
            return;
        }
        for row in from.1..=to.1 {
            for column in from.0..=to.0 {
                let middle = [
                    self.west + (column as f64 + 0.5) * self.cell,
                    self.south + (row as f64 + 0.5) * self.cell,
                ];
                if (outline.is_empty() || inside.holds(middle))
                    && let Some(square) = self.square(column, row)
                {
                    self.filled[square] = true;
                }
            }
        }
    }

    fn cell_of(&self, p: Point) -> (i64, i64) {
        (
            ((p[0] - self.west) / self.cell).floor() as i64,
            ((p[1] - self.south) / self.cell).floor() as i64,
        )
    }

    fn square(&self, column: i64, row: i64) -> Option<usize> {
        let fits = (0..self.columns).contains(&column) && (0..self.rows).contains(&row);
        fits.then(|| (row * self.columns + column) as usize)
    }

    /// Cells of points spaced evenly along the roads, those that could lie in the picture.
    fn samples(&self, roads: &[Vec<Point>]) -> Vec<(i64, i64)> {
        let pieces = || {
            let all = roads.iter().flat_map(|line| line.windows(2));
            all.filter(|ends| ends.iter().flatten().all(|value| value.is_finite()))
        };
        let length: f64 = pieces().map(|ends| distance(ends[0], ends[1])).sum();
        let step = (length / MAX_SAMPLES as f64).max(self.cell);
        let (mut found, mut next) = (Vec::new(), step / 2.0);
        for ends in pieces() {
            let long = distance(ends[0], ends[1]);
            while next < long {
                let cell = self.cell_of(along(ends[0], ends[1], next / long));
                found.push(cell);
                next += step;
            }
            next -= long;
        }
        found.retain(|(column, row)| self.square(*column, *row).is_some());
        found
    }

    /// Share of the samples that lie on a building after the buildings are shifted; none when most lie outside the picture then.
    fn hit(&self, samples: &[(i64, i64)], (x, y): (i64, i64)) -> Option<f64> {
        let squares = samples
            .iter()
            .filter_map(|sample| self.square(sample.0 - x, sample.1 - y));
        let (mut seen, mut hit) = (0, 0);
        for square in squares {
            seen += 1;
            hit += usize::from(self.filled[square]);
        }
        (seen >= LEAST_SAMPLES && seen * 2 >= samples.len()).then(|| hit as f64 / seen as f64)
    }
}
