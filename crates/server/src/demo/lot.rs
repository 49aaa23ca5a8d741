//! Drawing lots from a seed: the same seed gives the same place, names and numbers on every machine.

/// A stream of numbers (splitmix64). For fiction only, never for secrets.
#[derive(Debug, Clone)]
pub struct Lot(u64);

impl Lot {
    /// The stream of a seed and a subject: what is drawn for one subject does not shift another.
    pub fn of(seed: u64, subject: &str) -> Lot {
        const PRIME: u64 = 0x0100_0000_01b3;
        let hash = subject.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        Lot(hash)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; 0 for an end of 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            (self.number() % end as u64) as usize
        }
    }

    /// -1 to 1.
    pub fn swing(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
