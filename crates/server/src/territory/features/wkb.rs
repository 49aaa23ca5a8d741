//! Well-known binary (OGC 06-103r4) behind the head of a GeoPackage (12-128r18, 2.1.3): points, lines and areas; heights and measures are
//! dropped, curves and surfaces are no shape. What does not fit its own lengths is none.

use super::Feature;

/// Collections within collections.
const MAX_DEPTH: usize = 4;
/// Bytes of one position at least: two numbers.
const POSITION: usize = 16;

/// Puts the shape of a GeoPackage's cell into a feature; positions read, or none where it is broken.
pub fn geopackage(cell: &[u8], feature: &mut Feature) -> Option<usize> {
    let flags = *cell.get(3)?;
    if !cell.starts_with(b"GP") || flags & 0x20 != 0 {
        return None;
    }
    let envelope = match (flags >> 1) & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    let mut reader = Reader {
        bytes: cell.get(8 + envelope..)?,
        little: true,
        positions: 0,
    };
    reader.shape(feature, 0)?;
    Some(reader.positions)
}

struct Reader<'b> {
    bytes: &'b [u8],
    little: bool,
    positions: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*head)
    }

    fn whole(&mut self) -> Option<u32> {
        let four = self.take::<4>()?;
        Some(if self.little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        })
    }

    fn real(&mut self) -> Option<f64> {
        let eight = self.take::<8>()?;
        Some(if self.little {
            f64::from_le_bytes(eight)
        } else {
            f64::from_be_bytes(eight)
        })
    }

    /// A number of things of at least so many bytes each, all of which must be there.
    fn count(&mut self, least: usize) -> Option<usize> {
        let count = usize::try_from(self.whole()?).ok()?;
        (count.checked_mul(least)? <= self.bytes.len()).then_some(count)
    }

    fn position(&mut self, further: usize) -> Option<[f64; 2]> {
        let at = [self.real()?, self.real()?];
        for _ in 0..further {
            self.real()?;
        }
        self.positions += 1;
        Some(at)
    }

    fn line(&mut self, further: usize) -> Option<Vec<[f64; 2]>> {
        let count = self.count(POSITION + 8 * further)?;
        (0..count).map(|_| self.position(further)).collect()
    }

    fn shape(&mut self, feature: &mut Feature, depth: usize) -> Option<()> {
        self.little = self.take::<1>()?[0] == 1;
        let kind = self.whole()?;
        // Two ways to say that there are heights and measures: thousands, and the highest bits.
        let (plain, thousands) = (kind & 0x0fff_ffff, (kind & 0x0fff_ffff) / 1000);
        let z = thousands == 1 || thousands == 3 || kind & 0x8000_0000 != 0;
        let m = thousands == 2 || thousands == 3 || kind & 0x4000_0000 != 0;
        if kind & 0x2000_0000 != 0 {
            self.whole()?;
        }
        let further = usize::from(z) + usize::from(m);
        match plain % 1000 {
            1 => feature.points.push(self.position(further)?),
            2 => feature.lines.push(self.line(further)?),
            3 => {
                let rings = self.count(4)?;
                let rings: Option<Vec<_>> = (0..rings).map(|_| self.line(further)).collect();
                feature.polygons.push(rings?);
            }
            4..=7 if depth < MAX_DEPTH => {
                for _ in 0..self.count(5)? {
                    self.shape(feature, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(shape: &[u8]) -> Vec<u8> {
        [b"GP\0\x01\xe6\x10\0\0".as_slice(), shape].concat()
    }

    fn point(kind: u32, numbers: &[f64]) -> Vec<u8> {
        let mut all = vec![1];
        all.extend(kind.to_le_bytes());
        numbers.iter().for_each(|n| all.extend(n.to_le_bytes()));
        all
    }

    #[test]
    fn heights_and_measures_are_dropped() {
        for (kind, numbers) in [
            (1, vec![121.5, 31.2]),
            (1001, vec![121.5, 31.2, 4.0]),
            (2001, vec![121.5, 31.2, 4.0]),
            (3001, vec![121.5, 31.2, 4.0, 5.0]),
            (0x8000_0001, vec![121.5, 31.2, 4.0]),
            (0xc000_0001, vec![121.5, 31.2, 4.0, 5.0]),
        ] {
            let mut feature = Feature::default();
            assert_eq!(
                geopackage(&cell(&point(kind, &numbers)), &mut feature),
                Some(1),
                "{kind:x}"
            );
            assert_eq!(feature.points, [[121.5, 31.2]]);
        }
    }

    #[test]
    fn wild_numbers_and_endless_nesting_are_no_shape() {
        let mut wild = vec![1];
        wild.extend(2u32.to_le_bytes());
        wild.extend(u32::MAX.to_le_bytes());
        let mut nested = Vec::new();
        for _ in 0..1000 {
            nested.push(1);
            nested.extend(7u32.to_le_bytes());
            nested.extend(1u32.to_le_bytes());
        }
        let curve = [vec![1], 8u32.to_le_bytes().to_vec(), 0u32.to_le_bytes().to_vec()].concat();
        for shape in [wild, nested, curve, vec![], point(1, &[1.0])] {
            assert_eq!(geopackage(&cell(&shape), &mut Feature::default()), None);
        }
        assert_eq!(geopackage(b"GP", &mut Feature::default()), None);
        assert_eq!(geopackage(&point(1, &[1.0, 2.0]), &mut Feature::default()), None);
    }
}
