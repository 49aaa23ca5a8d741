//! One zone: coarse first, then fine.

use super::Effort;
use super::band::Limits;
use super::coarsen::coarsen;
use super::graph::Graph;
use super::layout::Layout;
use super::moves::Mover;
use super::price::{Goal, Price};
use super::proof::{Search, divides, packs};
use super::recut::Recut;
use super::repair::Exact;
use super::rng::Rng;
use super::split::split;
use super::tree::Piece;

/// Working memory of one thread, and who may end its work.
pub(crate) struct Bench<'a> {
    pub piece: Piece,
    pub mover: Mover,
    pub exact: Exact,
    /// True ends all searching: what there is then is the plan. Asked before each step that may take milliseconds.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Bench<'a> {
    pub fn new(stop: &'a (dyn Fn() -> bool + Sync)) -> Bench<'a> {
        Bench {
            piece: Piece::default(),
            mover: Mover::default(),
            exact: Exact::default(),
            stop,
        }
    }
}

/// Draws a zone, and says what is proved about it.
pub(crate) fn draw(graph: &Graph, limits: &Limits, how: &How, rng: &mut Rng, bench: &mut Bench) -> (Layout, Finding) {
    let price = Price::new(graph, limits, how.goal);
    let total = graph.total();
    let provable = total.over == 0 && limits.n == 1;
    if graph.len() == 1 || limits.grids(&total.loads).k == 1 {
        let layout = Layout::new(graph, vec![0; graph.len()]);
        let finding = match layout.miss(&price) > 0.0 {
            true if provable && !limits.fits(&total.loads) => Finding::Sum,
            true if total.over == 0 => Finding::Unproven,
            _ => Finding::Held,
        };
        return (layout, finding);
    }
    let hopeless = hopeless(graph, limits, how.effort.proof);
    let mut layout = drawn(graph, &price, how, rng, bench);
    if hopeless.is_none() && !layout.broken(&price).is_empty() {
        layout = repair(graph, &price, layout, &how.effort, rng, bench);
        if provable && !layout.broken(&price).is_empty() && !(bench.stop)() {
            match divides(graph, limits, how.effort.proof) {
                Search::Found(grid) => layout = Layout::new(graph, grid),
                Search::Nothing => return (layout, Finding::Contiguity),
                Search::GaveUp => {}
            }
        }
        layout = settle(
            graph,
            &price,
            &how.effort,
            Some(layout),
            how.effort.fine_rounds,
            rng,
            bench,
        );
    }
    let finding = match hopeless {
        Some(finding) => finding,
        None if layout.broken(&price).is_empty() => Finding::Held,
        None => Finding::Unproven,
    };
    (layout, finding)
}

/// Whether no plan of a zone can be all in the band, as far as sums and heaps tell: proved before time is spent on it.
pub(crate) fn hopeless(graph: &Graph, limits: &Limits, budget: u64) -> Option<Finding> {
    let total = graph.total();
    if total.over > 0 || limits.n > 1 {
        None
    } else if !limits.fits(&total.loads) {
        Some(Finding::Sum)
    } else if packs(graph, limits, budget) == Search::Nothing {
        Some(Finding::Packing)
    } else {
        None
    }
}

/// What is proved about a zone, units above the band aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finding {
    Held,
    Sum,
    Packing,
    Contiguity,
    Unproven,
}

impl Finding {
    /// What is still proved about the units themselves when some of them were kept together.
    pub fn under_wishes(self) -> Finding {
        match self {
            Finding::Packing | Finding::Contiguity => Finding::Unproven,
            other => other,
        }
    }
}

/// How the zones are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub goal: Goal,
    pub effort: Effort,
}

/// The cheapest of a few drawings, coarse first, then fine.
fn drawn(graph: &Graph, price: &Price, how: &How, rng: &mut Rng, bench: &mut Bench) -> Layout {
    let effort = &how.effort;
    let coarse = coarsen(graph, &price.limits, effort.parts);
    let mut best: Option<(f64, Layout)> = None;
    for _ in 0..effort.starts {
        let rough = settle(&coarse.graph, price, effort, None, effort.rounds, rng, bench);
        let fine = rough.refined(graph, &coarse.of);
        let layout = settle(graph, price, effort, Some(fine), effort.fine_rounds, rng, bench);
        let cost = layout.cost(graph, price);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, layout));
        }
        if (bench.stop)() {
            break;
        }
    }
    best.map_or_else(Layout::default, |(_, layout)| layout)
}

/// Exact cuts of many trees of the whole zone, as long as a grid is outside the band.
fn repair(graph: &Graph, price: &Price, layout: Layout, effort: &Effort, rng: &mut Rng, bench: &mut Bench) -> Layout {
    let mut recut = Recut::new(graph, price, layout);
    for round in 0..effort.repairs {
        let broken = recut.layout.broken(price);
        if broken.is_empty() {
            break;
        }
        for g in broken {
            if (bench.stop)() {
                return recut.layout;
            }
            recut.repair(g, 2 + round % 5, 8 + 8 * round, rng, bench);
        }
    }
    if !recut.layout.broken(price).is_empty() && graph.len() <= 600 {
        let all: Vec<u32> = (0..recut.layout.mass.len() as u32).collect();
        recut.exact(&all, 600, rng, bench);
    }
    recut.layout
}

/// A first drawing if there is none, then moves and recuts until nothing gains.
fn settle(
    graph: &Graph,
    price: &Price,
    effort: &Effort,
    layout: Option<Layout>,
    rounds: usize,
    rng: &mut Rng,
    bench: &mut Bench,
) -> Layout {
    let mut layout = match layout {
        Some(layout) => layout,
        None => first(graph, price, effort.trees, rng, bench),
    };
    bench.mover.run(graph, price, &mut layout, rng, 30 * graph.len() as u64);
    let mut recut = Recut::new(graph, price, layout);
    for _ in 0..rounds {
        recut.round(effort.retrees, effort.most, rng, bench);
    }
    recut.layout
}

/// A drawing from trees alone.
pub(crate) fn first(graph: &Graph, price: &Price, trees: usize, rng: &mut Rng, bench: &mut Bench) -> Layout {
    let mut grid = vec![0; graph.len()];
    let mut k = 0;
    let all = (0..graph.len() as u32).collect();
    split(graph, price, all, trees, rng, &mut bench.piece, &mut |part| {
        for v in part {
            grid[v as usize] = k;
        }
        k += 1;
    });
    Layout::new(graph, grid)
}
