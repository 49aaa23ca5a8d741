//! Which parts of a whole may be told apart, so that nobody finds the few behind a small count (promise 3 of the product).
//!
//! Entry point: [`told_apart`]. Must not: know what is counted.

use std::collections::BTreeSet;

/// A group of fewer than this is not told.
pub const FEWEST: u64 = 10;

/// The parts that may be named. Small parts, and what lies in no part (`rest`), go on under the name of the whole; so that this remainder is
/// no small group itself, the smallest of the others join it as long as it is one. Parts with nothing in them are not named.
pub fn told_apart<K: Ord + Copy>(parts: &[(K, u64)], rest: u64) -> BTreeSet<K> {
    let mut parts: Vec<(u64, K)> = parts
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(key, n)| (*n, *key))
        .collect();
    parts.sort_unstable();
    let mut remainder = rest;
    let mut folded = 0;
    for (n, _) in &parts {
        if *n >= FEWEST && (remainder == 0 || remainder >= FEWEST) {
            break;
        }
        remainder += n;
        folded += 1;
    }
    parts.drain(folded..).map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(parts: &[(char, u64)], rest: u64) -> String {
        told_apart(parts, rest).into_iter().collect()
    }

    #[test]
    fn small_parts_are_not_named_nor_found_by_subtracting() {
        assert_eq!(told(&[('a', 10), ('b', 20)], 0), "ab");
        assert_eq!(told(&[('a', 10), ('b', 20), ('c', 0)], 0), "ab");
        // One small part alone would be what is left over: the next smallest hides it.
        assert_eq!(told(&[('a', 1), ('b', 12), ('c', 30)], 0), "c");
        assert_eq!(told(&[('a', 1), ('b', 9), ('c', 30)], 0), "c");
        assert_eq!(told(&[('a', 12), ('b', 30)], 3), "b");
        assert_eq!(told(&[('a', 12), ('b', 30)], 11), "ab");
        assert_eq!(told(&[('a', 1), ('b', 30)], 0), "");
        assert_eq!(told(&[], 40), "");
    }
}
