//! Recursive cuts of random spanning trees: the first drawing of a zone, and the redrawing of a few neighbouring grids.

use super::graph::Graph;
use super::price::Price;
use super::rng::Rng;
use super::tree::Piece;

/// Randomness of the trees' order, in the logarithm of distance.
const NOISE: f32 = 1.6;

/// Cuts a connected set into grids; each is given to `take`. Returns the work done, in units visited.
pub(crate) fn split(
    graph: &Graph,
    price: &Price,
    nodes: Vec<u32>,
    trees: usize,
    rng: &mut Rng,
    piece: &mut Piece,
    take: &mut dyn FnMut(Vec<u32>),
) -> u64 {
    let mut work = 0;
    let mut open = vec![nodes];
    while let Some(nodes) = open.pop() {
        piece.load(graph, &nodes);
        work += nodes.len() as u64;
        if nodes.len() == 1 || price.limits.grids(&piece.total.loads).k == 1 {
            take(nodes);
            continue;
        }
        work += (trees * nodes.len()) as u64;
        let (below, rest) = halve(price, trees, rng, piece);
        open.push(below);
        open.push(rest);
    }
    work
}

/// The best cut of several trees.
fn halve(price: &Price, trees: usize, rng: &mut Rng, piece: &mut Piece) -> (Vec<u32>, Vec<u32>) {
    let mut best = f64::INFINITY;
    let mut below: Vec<u32> = vec![];
    let grids = price.limits.grids(&piece.total.loads).k as f64;
    for _ in 0..trees {
        piece.grow(rng, NOISE, 0.0);
        piece.sums();
        let mut place = 0;
        for i in 1..piece.walk.len() {
            let cut = price.border(piece.cut[i]);
            // No border of several grids is cheaper than that of a few, taken for its length.
            if cut >= best * grids.sqrt() {
                continue;
            }
            let cost = price.halves(cut, &piece.sum[i], &piece.total.without(&piece.sum[i]));
            if cost < best {
                best = cost;
                place = i;
            }
        }
        if place > 0 {
            below = piece.under(place).collect();
        }
    }
    let mut sorted = below.clone();
    sorted.sort_unstable();
    let rest = piece
        .nodes
        .iter()
        .copied()
        .filter(|v| sorted.binary_search(v).is_err())
        .collect();
    (below, rest)
}
