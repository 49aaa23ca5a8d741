//! From scores to confidences: one number, the sharpness, fitted on messages held out of training.
//!
//! `confidence[k] = softmax(sharpness * scores)[k]` (temperature scaling: Guo et al., ICML 2017). A weak pull towards
//! [`USUAL`] keeps a small or perfectly separated site from claiming certainty.

/// The sharpness assumed where nothing is known.
const USUAL: f32 = 3.0;
/// How strongly it pulls, in units of log-likelihood per squared natural logarithm.
const PULL: f32 = 2.0;
const BOUNDS: (f32, f32) = (0.1, 40.0);
/// Each step keeps 62 % of the interval: 40 leave less than a millionth.
const STEPS: usize = 40;

/// `scores` holds one slice of category scores per held-out message, `labels` the right categories.
pub(crate) fn sharpness(scores: &[Vec<f32>], labels: &[u32]) -> f32 {
    let cost = |log_sharpness: f32| {
        let sharpness = log_sharpness.exp();
        let surprise: f32 = scores
            .iter()
            .zip(labels)
            .map(|(s, &label)| -log_share(s, sharpness, label as usize))
            .sum();
        surprise + PULL * (log_sharpness - USUAL.ln()).powi(2)
    };
    let golden = (5f32.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (BOUNDS.0.ln(), BOUNDS.1.ln());
    for _ in 0..STEPS {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if cost(a) < cost(b) {
            high = b;
        } else {
            low = a;
        }
    }
    ((low + high) / 2.0).exp()
}

fn log_share(scores: &[f32], sharpness: f32, label: usize) -> f32 {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = scores.iter().map(|s| ((s - top) * sharpness).exp()).sum();
    (scores[label] - top) * sharpness - sum.ln()
}

/// Confidences of all categories; they add up to 1.
pub(crate) fn confidences(scores: &[f32], sharpness: f32) -> Vec<f32> {
    (0..scores.len())
        .map(|k| log_share(scores, sharpness, k).exp())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_evidence_the_usual_sharpness() {
        assert!((sharpness(&[], &[]) - USUAL).abs() < 0.01);
    }

    #[test]
    fn wrong_guesses_make_it_humble() {
        let scores = vec![vec![1.0, 0.0]; 100];
        let right: Vec<u32> = vec![0; 100];
        let mixed: Vec<u32> = (0..100).map(|i| u32::from(i % 4 == 0)).collect();
        assert!(confidences(&scores[0], sharpness(&scores, &right))[0] > 0.97);
        let humble = confidences(&scores[0], sharpness(&scores, &mixed))[0];
        assert!((humble - 0.75).abs() < 0.05, "{humble}");
    }
}
