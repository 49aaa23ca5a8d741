//! One linear support vector machine per category against the rest (squared hinge loss), all trained in one pass.
//!
//! Dual coordinate descent (Hsieh et al., ICML 2008). Each feature carries, per category, how much more often it occurs
//! inside than outside (the log-count ratio of NB-SVM: Wang & Manning, ACL 2012); the machine works on features scaled
//! by it. Weights of eight categories lie side by side, so that one read of memory serves all of them.

use crate::rng::Rng;

const LANES: usize = 8;
/// More passes change macro-F1 by less than a thousandth.
const EPOCHS: usize = 8;
/// Loss against smoothness.
const COST: f32 = 1.0;
/// Added to each count, so that a feature never seen in a category is unlikely there, not impossible.
const SMOOTHING: f32 = 1.0;

/// A message as numbers: (feature, value), ascending by feature.
pub(crate) type Row = Vec<(u32, f32)>;

/// For one feature and eight categories.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Cell {
    weight: [f32; LANES],
    /// Square of the log-count ratio.
    scale: [f32; LANES],
}

/// What was learned: `score[k] = bias[k] + sum(value * weights[feature * categories + k])`.
pub(crate) struct Linear {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// `labels[i] < categories` is the category of `rows[i]`.
pub(crate) fn fit(rows: &[Row], labels: &[u32], features: usize, categories: usize, seed: u64) -> Linear {
    let blocks = categories.div_ceil(LANES);
    let mut cells = ratios(rows, labels, features, categories, blocks);
    let mut bias = vec![0f32; categories];
    let costs = costs(labels, categories);
    let curvature: Vec<f32> = rows
        .iter()
        .flat_map(|row| curvature(row, &cells, blocks, categories))
        .collect();
    let mut dual = vec![0f32; rows.len() * categories];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut rng = Rng::new(seed);
    let mut scores = vec![0f32; blocks * LANES];
    let mut steps = vec![0f32; blocks * LANES];
    for _ in 0..EPOCHS {
        rng.shuffle(&mut order);
        for &i in &order {
            scores.fill(0.0);
            scores[..categories].copy_from_slice(&bias);
            add_scores(&rows[i], &cells, blocks, &mut scores);
            let mut moved = false;
            for k in 0..categories {
                let inside = labels[i] as usize == k;
                let sign = if inside { 1.0 } else { -1.0 };
                let slack = 0.5 / if inside { costs[k] } else { COST };
                let at = i * categories + k;
                let gradient = sign * scores[k] - 1.0 + slack * dual[at];
                let next = (dual[at] - gradient / (curvature[at] + slack)).max(0.0);
                steps[k] = (next - dual[at]) * sign;
                dual[at] = next;
                moved |= steps[k] != 0.0;
            }
            if moved {
                move_weights(&rows[i], &mut cells, blocks, &steps);
                bias.iter_mut().zip(&steps).for_each(|(bias, step)| *bias += step);
            }
        }
    }
    let mut weights = Vec::with_capacity(features * categories);
    for feature in cells.chunks_exact(blocks) {
        weights.extend(feature.iter().flat_map(|cell| cell.weight).take(categories));
    }
    Linear { weights, bias }
}

/// Rare categories weigh more: the square root of how much they are outnumbered.
fn costs(labels: &[u32], categories: usize) -> Vec<f32> {
    let sizes = sizes(labels, categories);
    sizes
        .iter()
        .map(|&size| COST * ((labels.len() as f32 - size) / size.max(1.0)).sqrt())
        .collect()
}

fn sizes(labels: &[u32], categories: usize) -> Vec<f32> {
    let mut sizes = vec![0f32; categories];
    labels.iter().for_each(|&label| sizes[label as usize] += 1.0);
    sizes
}

fn ratios(rows: &[Row], labels: &[u32], features: usize, categories: usize, blocks: usize) -> Vec<Cell> {
    let mut cells = vec![
        Cell {
            weight: [0.0; LANES],
            scale: [0.0; LANES]
        };
        features * blocks
    ];
    let mut totals = vec![0f32; features];
    for (row, &label) in rows.iter().zip(labels) {
        let (block, lane) = (label as usize / LANES, label as usize % LANES);
        for &(feature, _) in row {
            cells[feature as usize * blocks + block].scale[lane] += 1.0;
            totals[feature as usize] += 1.0;
        }
    }
    let sizes = sizes(labels, categories);
    let all = labels.len() as f32;
    for (at, cell) in cells.iter_mut().enumerate() {
        let total = totals[at / blocks];
        for lane in 0..LANES {
            let Some(size) = sizes.get(at % blocks * LANES + lane) else {
                break;
            };
            let inside = (cell.scale[lane] + SMOOTHING) / (size + 2.0 * SMOOTHING);
            let outside = (total - cell.scale[lane] + SMOOTHING) / (all - size + 2.0 * SMOOTHING);
            cell.scale[lane] = (inside / outside).ln().powi(2);
        }
    }
    cells
}

/// The diagonal of the dual problem for one message: its squared length in each category's scaled space, and 1 for the bias.
fn curvature(row: &Row, cells: &[Cell], blocks: usize, categories: usize) -> Vec<f32> {
    let mut out = vec![0f32; blocks * LANES];
    for (block, out) in out.chunks_exact_mut(LANES).enumerate() {
        let mut sum = [1f32; LANES];
        for &(feature, value) in row {
            let cell = &cells[feature as usize * blocks + block];
            sum.iter_mut()
                .zip(&cell.scale)
                .for_each(|(sum, scale)| *sum += value * value * scale);
        }
        out.copy_from_slice(&sum);
    }
    out.truncate(categories);
    out
}

fn add_scores(row: &Row, cells: &[Cell], blocks: usize, scores: &mut [f32]) {
    for (block, scores) in scores.chunks_exact_mut(LANES).enumerate() {
        // Summed apart, so that the eight stay in registers.
        let mut sum = [0f32; LANES];
        for &(feature, value) in row {
            let cell = &cells[feature as usize * blocks + block];
            sum.iter_mut()
                .zip(&cell.weight)
                .for_each(|(sum, weight)| *sum += weight * value);
        }
        scores.iter_mut().zip(sum).for_each(|(score, sum)| *score += sum);
    }
}

fn move_weights(row: &Row, cells: &mut [Cell], blocks: usize, steps: &[f32]) {
    for (block, of_block) in steps.chunks_exact(LANES).enumerate() {
        if of_block.iter().all(|&step| step == 0.0) {
            continue;
        }
        let mut steps = [0f32; LANES];
        steps.copy_from_slice(of_block);
        for &(feature, value) in row {
            let cell = &mut cells[feature as usize * blocks + block];
            for ((weight, scale), step) in cell.weight.iter_mut().zip(&cell.scale).zip(&steps) {
                *weight += step * value * scale;
            }
        }
    }
}
