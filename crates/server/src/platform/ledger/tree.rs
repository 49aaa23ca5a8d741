//! The Merkle tree over ledger records, hashed as RFC 6962 says: `sha256(0x00 || leaf)`, `sha256(0x01 || left || right)`.
//!
//! Pure: nodes come from a caller's function, nothing here reads a database. Entry points: [`Frontier`] grows a tree,
//! [`inclusion`] and [`consistency`] make proofs, [`check_inclusion`] and [`check_consistency`] check them (RFC 9162, 2.1.3.2
//! and 2.1.4.2). A node is named by (level, index): it covers the leaves `index << level .. (index + 1) << level`.
use super::hash::Hash;

/// Only complete subtrees at levels that are multiples of this are stored: one row for each 16 leaves (plus one for each
/// 256 and so on) instead of one for each leaf; a proof reads at most 8 stored hashes for each of its steps.
pub const STORED_STEP: u32 = 4;

/// Hash of a leaf. The leaf's data is the record's own hash.
pub fn leaf(record: &Hash) -> Hash {
    leaf_of_bytes(&record.0)
}

fn leaf_of_bytes(data: &[u8]) -> Hash {
    Hash::of(&[&[0], data])
}

/// Hash of an inner node.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], &left.0, &right.0])
}

/// The complete subtrees on the right edge of a tree, largest first: all that is needed to add leaves and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A frontier as it was: `peaks` are the complete subtrees of the binary digits of `size`, largest first.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Self {
        Self { size, peaks }
    }

    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf and tells each subtree that this completed: (level, index, hash), the leaf itself (level 0) first.
    pub fn push(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, Hash)) {
        let (mut level, mut index, mut hash) = (0, self.size, leaf);
        completed(level, index, hash);
        while index & 1 == 1 {
            let left = self
                .peaks
                .pop()
                .expect("an odd index has a left sibling among the peaks");
            (level, index, hash) = (level + 1, index >> 1, node(&left, &hash));
            completed(level, index, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree so far; of no leaves: the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Hash::of(&[]),
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
        }
    }
}

/// Where a tree's complete subtrees are read from.
pub trait Nodes {
    type Error;
    /// Hash of the complete subtree (level, index).
    fn get(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

impl<E, F: FnMut(u32, u64) -> Result<Hash, E>> Nodes for F {
    type Error = E;
    fn get(&mut self, level: u32, index: u64) -> Result<Hash, E> {
        self(level, index)
    }
}

/// The largest power of two smaller than `n` (n >= 2).
fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

fn range<N: Nodes>(nodes: &mut N, from: u64, to: u64) -> Result<Hash, N::Error> {
    let n = to - from;
    if n.is_power_of_two() {
        let level = n.trailing_zeros();
        return nodes.get(level, from >> level);
    }
    let middle = from + split(n);
    let left = range(nodes, from, middle)?;
    Ok(node(&left, &range(nodes, middle, to)?))
}

/// Proof that leaf `index` is in the tree of `size` leaves: the siblings from the leaf up. `index < size`.
pub fn inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range(nodes, from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the tree of `old` leaves is the beginning of the tree of `new` leaves. `old <= new`.
pub fn consistency<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to) = (0, new);
    let mut proof = Vec::new();
    // Walk down to where the old tree ends; what is beside the way belongs to the proof.
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range(nodes, from, middle)?);
            from = middle;
        }
    }
    // The old tree itself needs no proof when it is one subtree from the very beginning: its root is known.
    if from != 0 {
        proof.push(range(nodes, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// True iff `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with this root.
pub fn check_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut first, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if first & 1 == 1 || first == last {
            hash = node(sibling, &hash);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        first >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// True iff `proof` shows that the tree (old, old_root) is the beginning of the tree (new, new_root).
pub fn check_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == Hash::of(&[]);
    }
    let mut steps = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        steps.next()
    };
    let Some(first) = first else { return false };
    let (mut old_at, mut new_at) = (old - 1, new - 1);
    while old_at & 1 == 1 {
        old_at >>= 1;
        new_at >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for step in steps {
        if new_at == 0 {
            return false;
        }
        if old_at & 1 == 1 || old_at == new_at {
            old_hash = node(step, &old_hash);
            new_hash = node(step, &new_hash);
            while old_at & 1 == 0 && old_at != 0 {
                old_at >>= 1;
                new_at >>= 1;
            }
        } else {
            new_hash = node(&new_hash, step);
        }
        old_at >>= 1;
        new_at >>= 1;
    }
    new_at == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::convert::Infallible;

    /// The leaves and roots that the Certificate Transparency project publishes for RFC 6962.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn grow(leaves: impl IntoIterator<Item = Hash>) -> (Frontier, HashMap<(u32, u64), Hash>) {
        let (mut tree, mut nodes) = (Frontier::default(), HashMap::new());
        for leaf in leaves {
            tree.push(leaf, |level, index, hash| {
                nodes.insert((level, index), hash);
            });
        }
        (tree, nodes)
    }

    fn reader(nodes: &HashMap<(u32, u64), Hash>) -> impl FnMut(u32, u64) -> Result<Hash, Infallible> + '_ {
        |level, index| Ok(nodes[&(level, index)])
    }

    fn numbered(n: u64) -> impl Iterator<Item = Hash> {
        (0..n).map(|i| leaf_of_bytes(&i.to_be_bytes()))
    }

    /// The recursive definition of the RFC, word for word: the slow oracle.
    fn oracle(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len() as u64) as usize);
                node(&oracle(left), &oracle(right))
            }
        }
    }

    #[test]
    fn roots_match_the_published_vectors() {
        let leaves: Vec<Hash> = LEAVES.iter().map(|l| leaf_of_bytes(&hex::decode(l).unwrap())).collect();
        for (size, expected) in ROOTS.iter().enumerate() {
            let (tree, nodes) = grow(leaves[..size].iter().copied());
            assert_eq!(tree.root().to_string(), *expected, "{size} leaves");
            assert!(size == 0 || range(&mut reader(&nodes), 0, size as u64) == Ok(tree.root()));
        }
    }

    /// Proofs published with the same vectors (certificate-transparency `merkle_tree_test`).
    #[test]
    fn proofs_match_the_published_vectors() {
        let (_, nodes) = grow(LEAVES.iter().map(|l| leaf_of_bytes(&hex::decode(l).unwrap())));
        let mut get = reader(&nodes);
        let hexes = |proof: Vec<Hash>| proof.iter().map(Hash::to_string).collect::<Vec<_>>();
        assert_eq!(
            hexes(inclusion(&mut get, 0, 8).unwrap()),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            hexes(inclusion(&mut get, 2, 3).unwrap()),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        assert_eq!(
            hexes(consistency(&mut get, 6, 8).unwrap()),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    #[test]
    fn every_proof_of_every_small_tree_checks_and_no_other() {
        for size in 1..=40u64 {
            let leaves: Vec<Hash> = numbered(size).collect();
            let (tree, nodes) = grow(leaves.iter().copied());
            assert_eq!(tree.root(), oracle(&leaves));
            assert_eq!(tree.peaks().len(), size.count_ones() as usize);
            for index in 0..size {
                let proof = inclusion(&mut reader(&nodes), index, size).unwrap();
                assert!(check_inclusion(
                    &leaves[index as usize],
                    index,
                    size,
                    &proof,
                    &tree.root()
                ));
                assert!(!check_inclusion(
                    &leaves[index as usize],
                    index + 1,
                    size,
                    &proof,
                    &tree.root()
                ));
                assert!(!check_inclusion(
                    &Hash::of(&[b"other"]),
                    index,
                    size,
                    &proof,
                    &tree.root()
                ));
            }
            for old in 0..=size {
                let old_root = oracle(&leaves[..old as usize]);
                let proof = consistency(&mut reader(&nodes), old, size).unwrap();
                assert!(
                    check_consistency(old, &old_root, size, &tree.root(), &proof),
                    "{old} of {size}"
                );
                assert!(!check_consistency(
                    old,
                    &Hash::of(&[b"fork"]),
                    size,
                    &tree.root(),
                    &proof
                ));
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_proof_is_refused(size in 2u64..400, index in 0u64..400, step in 0usize..12, bit in 0usize..256) {
            let index = index % size;
            let (tree, nodes) = grow(numbered(size));
            let mut proof = inclusion(&mut reader(&nodes), index, size).unwrap();
            let leaf = nodes[&(0, index)];
            prop_assert!(check_inclusion(&leaf, index, size, &proof, &tree.root()));
            let step = step % proof.len();
            proof[step].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!check_inclusion(&leaf, index, size, &proof, &tree.root()));
        }
    }
}
