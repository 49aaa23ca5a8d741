//! The loops a planner waits for, on one made-up community of 1,200 buildings: drawing it, mending it after a change, checking it
//! (`cargo bench -p solver`). Whole towns, beside a peer: `script/bench partition`.

use criterion::{Criterion, criterion_group, criterion_main};
use solver::check::breaches;
use solver::partition::{Edge, Effort, Options, Rule, Town, Watch, Wishes, draw, redraw};
use std::hint::black_box;

const WIDTH: usize = 40;
const HEIGHT: usize = 30;
const METRES: f64 = 30.0;

struct Community {
    x: Vec<f64>,
    y: Vec<f64>,
    households: Vec<f64>,
    region: Vec<u32>,
    area: Vec<f64>,
    edges: Vec<Edge>,
}

impl Community {
    /// Houses of 0 to 11 households in rows; neighbours in a row share a street.
    fn made() -> Community {
        let count = WIDTH * HEIGHT;
        let at = |i: usize| (i % WIDTH, i / WIDTH);
        let neighbours = |i: usize| {
            let (x, y) = at(i);
            [(x + 1 < WIDTH, i + 1, 4.0), (y + 1 < HEIGHT, i + WIDTH, 1.0)]
        };
        let edge = |u: usize, (_, v, weight): (bool, usize, f32)| Edge {
            u: u as u32,
            v: v as u32,
            length: METRES as f32,
            weight,
            barrier: false,
        };
        Community {
            x: (0..count).map(|i| at(i).0 as f64 * METRES).collect(),
            y: (0..count).map(|i| at(i).1 as f64 * METRES).collect(),
            households: (0..count).map(|i| (i * 7_919 % 12) as f64).collect(),
            region: vec![0; count],
            area: vec![METRES * METRES; count],
            edges: (0..count)
                .flat_map(|u| neighbours(u).into_iter().filter(|n| n.0).map(move |n| edge(u, n)))
                .collect(),
        }
    }

    fn town<'a>(&'a self, measures: &'a [&'a [f64]]) -> Town<'a> {
        Town {
            x: &self.x,
            y: &self.y,
            measures,
            region: &self.region,
            area: &self.area,
            edges: &self.edges,
        }
    }
}

fn community(bench: &mut Criterion) {
    let made = Community::made();
    let (rule, wishes) = (Rule::one(0, 200.0, 300.0), Wishes::default());
    let options = |effort| Options {
        effort,
        ..Options::default()
    };
    let (quick, long) = (options(Effort::FAST), options(Effort::for_units(WIDTH * HEIGHT)));
    let measures = [made.households.as_slice()];
    let town = made.town(&measures);
    let plan = draw(&town, &rule, &wishes, &long, Watch::NOBODY);
    let mut changed = made.households.clone();
    changed[610..616].iter_mut().for_each(|house| *house += 40.0);
    let measures = [changed.as_slice()];
    let later = made.town(&measures);

    bench.bench_function("draw a community, while editing", |b| {
        b.iter(|| draw(black_box(&town), &rule, &wishes, &quick, Watch::NOBODY))
    });
    bench.bench_function("draw a community, with all searching", |b| {
        b.iter(|| draw(black_box(&town), &rule, &wishes, &long, Watch::NOBODY))
    });
    bench.bench_function("redraw it when a compound has opened", |b| {
        b.iter(|| redraw(black_box(&later), &rule, &wishes, &plan.grid, &quick, Watch::NOBODY))
    });
    bench.bench_function("check it", |b| {
        b.iter(|| breaches(black_box(&later), &rule, &wishes, &plan.grid))
    });
}

criterion_group!(benches, community);
criterion_main!(benches);
