//! Brings grids into the band that moves and recuts left out: an exact search, tree by tree.
//!
//! Whether a tree can be cut into pieces that all lie in the band, whatever their number, is decided exactly: from the leaves up, the set of loads
//! the open piece at a unit can have. Loads are whole numbers of a quantum; where the band has more than [`STEPS`] of them they are rounded, and
//! the plan found is judged like any other. A unit above the band makes its piece "full": such a piece takes whatever is left over.

use super::band::Limits;
use super::rng::Rng;
use super::tree::Piece;

/// Distinct loads told apart.
const STEPS: i64 = 4096;

/// Sets of loads as bits, `words` to a set.
#[derive(Debug, Default)]
pub(crate) struct Exact {
    words: usize,
    open: Vec<u64>,
    before: Vec<u64>,
    rest: Vec<usize>,
    choices: Vec<usize>,
}

impl Exact {
    /// Cuts the tree grown in `piece` into pieces inside band `b`. Gives each place of the walk its piece, if that is possible.
    pub fn cut(&mut self, piece: &Piece, limits: &Limits, b: usize, rng: &mut Rng) -> Option<Vec<u32>> {
        let n = piece.walk.len();
        let quantum = quantum(piece, limits, b);
        let (lo, hi) = (
            ((limits.lo[b] + quantum - 1) / quantum) as usize,
            (limits.hi[b] / quantum) as usize,
        );
        let full = hi + 1;
        self.words = full / 64 + 1;
        let words = self.words;
        self.open.clear();
        self.open.resize(n * words, 0);
        self.before.clear();
        self.before.resize(n * words, 0);
        for (i, &v) in piece.walk.iter().enumerate() {
            let load = ((piece.mass[v as usize].loads[b] + quantum / 2) / quantum) as usize;
            let load = if piece.mass[v as usize].over > 0 { full } else { load };
            if load > full {
                return None;
            }
            self.open[i * words + load / 64] |= 1 << (load % 64);
        }
        for i in (1..n).rev() {
            let (head, tail) = self.open.split_at_mut(i * words);
            let (child, parent) = (&tail[..words], &mut head[piece.parent[i] as usize * words..][..words]);
            let before = &mut self.before[i * words..(i + 1) * words];
            before.copy_from_slice(parent);
            if !any_between(child, lo, full) {
                parent.fill(0);
            }
            add_sets(parent, before, child, hi);
            if parent.iter().all(|&w| w == 0) {
                return None;
            }
        }
        let root = choose(&mut self.choices, &self.open[..words], lo, full, rng)?;
        self.rest.clear();
        self.rest.resize(n, 0);
        self.rest[0] = root;
        let mut part = vec![0u32; n];
        let mut parts = 1;
        for i in 1..n {
            let p = piece.parent[i] as usize;
            let child = &self.open[i * words..(i + 1) * words];
            let before = &self.before[i * words..(i + 1) * words];
            let t = self.rest[p];
            self.choices.clear();
            for_each(child, |c| {
                let joins = match (t == full, c == full) {
                    (false, false) => c <= t && has(before, t - c),
                    (true, true) => any_between(before, 0, hi),
                    (true, false) => has(before, full),
                    (false, true) => false,
                };
                if joins {
                    self.choices.push(c);
                }
            });
            let cut = has(before, t) && any_between(child, lo, full);
            if cut && (self.choices.is_empty() || rng.below(2) == 0) {
                self.rest[i] = choose(&mut self.choices, child, lo, full, rng)?;
                part[i] = parts;
                parts += 1;
            } else {
                let c = self.choices[rng.below(self.choices.len())];
                self.rest[i] = c;
                self.rest[p] = match (t == full, c == full) {
                    (true, true) => choose(&mut self.choices, before, 0, hi, rng)?,
                    (true, false) => full,
                    _ => t - c,
                };
                part[i] = part[p];
            }
        }
        Some(part)
    }
}

/// The greatest common step of all loads, or a coarser one where that is too fine.
fn quantum(piece: &Piece, limits: &Limits, b: usize) -> i64 {
    let common = piece.mass.iter().fold(0, |g, m| gcd(g, m.loads[b])).max(1);
    common.max(limits.hi[b] / STEPS)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn has(set: &[u64], value: usize) -> bool {
    set[value / 64] >> (value % 64) & 1 == 1
}

fn for_each(set: &[u64], mut f: impl FnMut(usize)) {
    for (w, &word) in set.iter().enumerate() {
        let mut word = word;
        while word != 0 {
            f(w * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

fn any_between(set: &[u64], lo: usize, hi: usize) -> bool {
    (lo / 64..=hi / 64).any(|w| {
        let mut word = set[w];
        if w == lo / 64 {
            word &= !0 << (lo % 64);
        }
        if w == hi / 64 {
            word &= !0 >> (63 - hi % 64);
        }
        word != 0
    })
}

/// `out |= { x + y <= hi | x in a, y in b }`; `hi + 1` stands for "full", which takes anything but another "full".
fn add_sets(out: &mut [u64], a: &[u64], b: &[u64], hi: usize) {
    let count = |set: &[u64]| set.iter().map(|w| w.count_ones()).sum::<u32>();
    let (few, many) = if count(a) < count(b) { (a, b) } else { (b, a) };
    let (words, full) = (out.len(), hi + 1);
    let kept = has(out, full);
    for_each(few, |shift| {
        if shift == full {
            return;
        }
        let (skip, bits) = (shift / 64, shift % 64);
        for w in skip..words {
            let mut word = many[w - skip] << bits;
            if bits > 0 && w > skip {
                word |= many[w - skip - 1] >> (64 - bits);
            }
            out[w] |= word;
        }
    });
    // Sums beyond the band, and what the shifts made of "full".
    out[full / 64] &= !(1 << (full % 64));
    out[words - 1] &= !0 >> (63 - full % 64);
    if kept || has(a, full) && any_between(b, 0, hi) || has(b, full) && any_between(a, 0, hi) {
        out[full / 64] |= 1 << (full % 64);
    }
}

/// A random load of the set inside the band.
fn choose(choices: &mut Vec<usize>, set: &[u64], lo: usize, hi: usize, rng: &mut Rng) -> Option<usize> {
    choices.clear();
    for_each(set, |v| {
        if v >= lo && v <= hi {
            choices.push(v);
        }
    });
    (!choices.is_empty()).then(|| choices[rng.below(choices.len())])
}
