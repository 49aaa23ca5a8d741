//! Cases on the public map: how many, per square of a grid that never moves, small counts left out (promise 3, T11, T12).
//!
//! Four sizes of square, each sixteen of the next smaller one, one size per range of zooms. A square is told only if the one around it is, and
//! among its sisters by the rule of [`domain::disclosure`]: what is not told amounts to no small group itself, at no size, so that subtracting
//! squares, or zooms, leads to nobody. Counts are rounded down to fives; squares are shown in their middle. Entry points: [`told`], [`draw`].

use super::mvt::{Geometry, Kind, Layer, Value};
use super::tile::{Tile, project};
use crate::cases;
use crate::platform::*;
use crate::territory;
use domain::disclosure::told_apart;
use domain::geo::LonLat;
use domain::time::MINUTE_MS;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Sizes of squares; 0 is the smallest.
pub const SIZES: usize = 4;
/// Squares of one size to a side of the next.
const SIDE: i64 = 4;
/// Counts are rounded down to a multiple of this.
const ROUNDED: u64 = 5;

/// A square of a size: its number from west and from south, in squares of its size.
pub type Square = (i64, i64);

/// What is told, by size: square and count.
pub type Told = [BTreeMap<Square, u64>; SIZES];

/// What may be told of these counts, given by the smallest squares.
pub fn told(counts: &[(Square, u64)]) -> Told {
    let mut whole: Told = Default::default();
    for ((x, y), n) in counts {
        let mut wide = 1;
        for size in &mut whole {
            *size.entry((x.div_euclid(wide), y.div_euclid(wide))).or_default() += n;
            wide *= SIDE;
        }
    }
    let mut told: Told = Default::default();
    for size in (0..SIZES).rev() {
        let mut families: BTreeMap<Square, Vec<(Square, u64)>> = BTreeMap::new();
        for ((x, y), n) in &whole[size] {
            // The largest squares are one family.
            let parent = match told.get(size + 1) {
                Some(_) => (x.div_euclid(SIDE), y.div_euclid(SIDE)),
                None => (0, 0),
            };
            families.entry(parent).or_default().push(((*x, *y), *n));
        }
        for (parent, family) in families {
            if told.get(size + 1).is_some_and(|larger| !larger.contains_key(&parent)) {
                continue;
            }
            let named: BTreeSet<Square> = told_apart(&family, 0);
            let shown = family.into_iter().filter(|(square, _)| named.contains(square));
            told[size].extend(shown.map(|(square, n)| (square, n / ROUNDED * ROUNDED)));
        }
    }
    told
}

/// The size shown at a zoom.
pub fn size_at(zoom: u8) -> usize {
    match zoom {
        0..=9 => 3,
        10..=11 => 2,
        12..=13 => 1,
        _ => 0,
    }
}

/// Layer `cases`: squares in their middle, with `count`, `at_least` that many.
pub fn draw(tile: Tile, told: &Told) -> Vec<u8> {
    let size = size_at(tile.z);
    let wide = SIDE.pow(size as u32);
    let (mut layer, mut geometry) = (Layer::new("cases"), Geometry::default());
    for ((x, y), n) in &told[size] {
        let middle = LonLat::middle_of_cell((x * wide, y * wide), wide);
        if let Some(at) = tile.point(project(middle)) {
            geometry.point(at);
            layer.add(Kind::Point, &geometry, &[("count", Value::Whole(*n))]);
        }
    }
    let mut out = Vec::new();
    layer.finish(&mut out);
    out
}

#[derive(Default)]
struct Kept(Mutex<Option<(i64, Arc<Told>)>>);

/// What is told now; counted anew each minute, so that a tile costs the same however many ask, and single arrivals cannot be watched.
pub async fn now(ctx: &Ctx) -> Result<Arc<Told>, Fault> {
    let kept = ctx.app.part::<Kept>();
    let minute = ctx.now.0.div_euclid(MINUTE_MS);
    if let Some((of, told)) = &*kept.0.lock().unwrap_or_else(PoisonError::into_inner)
        && *of == minute
    {
        return Ok(told.clone());
    }
    let tops: Vec<AreaId> = territory::current(&ctx.app)
        .children(None)
        .map(|area| area.id)
        .collect();
    let counts = ctx.app.read(ctx, move |ctx, tx| {
        let mut all = Vec::new();
        for top in tops {
            all.extend(cases::public_cells(ctx, tx, top)?);
        }
        Ok(all)
    });
    let fresh = Arc::new(told(&counts.await?));
    *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((minute, fresh.clone()));
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::disclosure::FEWEST;
    use proptest::prelude::*;

    proptest! {
        /// Whatever was counted: no small square is told at any size, and what is left over of a square after those told inside it, at the
        /// next size or across several, is nothing or no small group.
        #[test]
        fn nothing_small_is_told_or_left_over(counts in prop::collection::btree_map((0i64..70, 0i64..70), 1u64..30, 0..60)) {
            let counts: Vec<(Square, u64)> = counts.into_iter().collect();
            let told = told(&counts);
            let inside = |(x, y): Square, wide: i64| counts.iter()
                .filter(|((a, b), _)| (a.div_euclid(wide), b.div_euclid(wide)) == (x, y)).map(|(_, n)| n).sum::<u64>();
            for size in 0..SIZES {
                let wide = SIDE.pow(size as u32);
                for (square, shown) in &told[size] {
                    let n = inside(*square, wide);
                    prop_assert!(n >= FEWEST && *shown == n / ROUNDED * ROUNDED);
                    for (smaller, below) in told.iter().enumerate().take(size) {
                        let by = SIDE.pow((size - smaller) as u32);
                        let within = below.keys().filter(|(x, y)| (x.div_euclid(by), y.div_euclid(by)) == *square);
                        let named: u64 = within.map(|one| inside(*one, SIDE.pow(smaller as u32))).sum();
                        let left = n - named;
                        prop_assert!(left == 0 || left >= FEWEST, "{left} left of {n} at {size}, {smaller}");
                    }
                }
            }
            let all: u64 = counts.iter().map(|(_, n)| n).sum();
            let named: u64 = told[SIZES - 1].keys().map(|one| inside(*one, SIDE.pow(3))).sum();
            prop_assert!(all == named || all - named >= FEWEST || named == 0);
        }
    }

    #[test]
    fn each_zoom_has_one_size() {
        let sizes: Vec<usize> = (0..=18).map(size_at).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!((sizes[0], sizes[18]), (SIZES - 1, 0));
    }
}
