//! Whole numbers that add up: a total shared out in proportion.

/// Shares `total` in proportion to `weights` (none negative) by largest remainder, ties to the earlier: the sum is `total` exactly.
/// With no weight at all everybody counts the same; without takers, nothing is given.
pub fn spread(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    let even = sum.is_nan() || sum <= 0.0 || sum.is_infinite();
    let share = |weight: &f64| {
        if even {
            total as f64 / weights.len() as f64
        } else {
            total as f64 * (weight / sum)
        }
    };
    let exact: Vec<f64> = weights.iter().map(share).collect();
    let mut given: Vec<u64> = exact.iter().map(|share| share.floor() as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).filter(|at| even || weights[*at] > 0.0).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let mut left = total as i128 - given.iter().map(|got| i128::from(*got)).sum::<i128>();
    // Rounding of very large totals may leave more than one each, or have given too much.
    while left != 0 && !order.is_empty() {
        for at in &order {
            if left > 0 {
                given[*at] += 1;
                left -= 1;
            } else if left < 0 && given[*at] > 0 {
                given[*at] -= 1;
                left += 1;
            }
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn largest_remainders_get_what_is_left() {
        assert_eq!(spread(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(spread(7, &[0.0, 3.0, 1.0]), [0, 5, 2]);
        assert_eq!(spread(3, &[0.0, 0.0]), [2, 1]);
        assert_eq!(spread(3, &[]), Vec::<u64>::new());
    }

    proptest! {
        #[test]
        fn the_sum_is_the_total_and_nobody_is_off_by_one(
            total in 0u64..2_000_000, weights in proptest::collection::vec(0.0..9e4f64, 1..200),
        ) {
            let given = spread(total, &weights);
            prop_assert_eq!(given.iter().sum::<u64>(), total);
            let sum: f64 = weights.iter().sum();
            if sum > 0.0 {
                for (got, weight) in given.iter().zip(&weights) {
                    prop_assert!((*got as f64 - total as f64 * weight / sum).abs() < 1.001);
                }
            }
        }
    }
}
