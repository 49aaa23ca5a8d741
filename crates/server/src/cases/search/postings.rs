//! Where a gram stands: the postings of one segment, packed by the gram's first character. Pure data, no database.
//!
//! A text is split into single characters and pairs of neighbours ([`grams`]). A segment holds [`SEGMENT`] documents; for each first
//! character ("lead") it has one blob with every gram that begins so: `second, bytes, documents`, sorted by `second` (0 for the
//! character alone). Documents are gaps in variable-length integers, or a bitmap where that is shorter.
//! One blob a lead keeps the table small (some thousand rows a segment instead of some hundred thousand).

use std::collections::{BTreeMap, HashMap};

/// Documents of one segment. A document's place in its segment fits in 14 bits.
pub const SEGMENT: usize = 16_384;

/// Bytes of a bitmap over one segment.
const BITMAP_BYTES: usize = SEGMENT / 8;

/// A single character, or two neighbours.
pub type Gram = (char, Option<char>);

/// Ends a field inside a searchable text: no gram reaches over it and no query holds it.
pub const FIELD_END: char = '\u{1f}';

/// Every single character and every pair of neighbours of a normalised text, each once, in no stated order.
pub fn grams(text: &str) -> impl Iterator<Item = Gram> {
    let mut found: Vec<Gram> = Vec::with_capacity(text.len());
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c == FIELD_END {
            before = None;
            continue;
        }
        found.push((c, None));
        if let Some(lead) = before {
            found.push((lead, Some(c)));
        }
        before = Some(c);
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter()
}

/// The grams a word is looked up by: its pairs, or the character itself when it stands alone.
pub fn word_grams(word: &str) -> Vec<Gram> {
    let chars: Vec<char> = word.chars().collect();
    match chars.as_slice() {
        [] => Vec::new(),
        [alone] => vec![(*alone, None)],
        _ => {
            let mut pairs: Vec<Gram> = chars.windows(2).map(|pair| (pair[0], Some(pair[1]))).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        }
    }
}

/// Places of documents in a segment, ascending, each once.
pub type Places = Vec<u16>;

/// What both lists hold.
pub fn both(left: &[u16], right: &[u16]) -> Places {
    let (mut at, mut found) = (0, Places::with_capacity(left.len().min(right.len())));
    for place in left {
        while right.get(at).is_some_and(|other| other < place) {
            at += 1;
        }
        if right.get(at) == Some(place) {
            found.push(*place);
        }
    }
    found
}

/// What either list holds.
pub fn either(left: &[u16], right: &[u16]) -> Places {
    let mut found: Places = left.iter().chain(right).copied().collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Collects the postings of a segment from its documents.
#[derive(Default)]
pub struct Builder {
    by_lead: HashMap<char, BTreeMap<Option<char>, Places>>,
}

impl Builder {
    /// Adds a document; places must come in ascending order.
    pub fn add(&mut self, place: u16, text: &str) {
        for (lead, second) in grams(text) {
            self.by_lead
                .entry(lead)
                .or_default()
                .entry(second)
                .or_default()
                .push(place);
        }
    }

    /// The blob of each lead.
    pub fn finish(self) -> impl Iterator<Item = (char, Vec<u8>)> {
        self.by_lead.into_iter().map(|(lead, entries)| (lead, pack(&entries)))
    }
}

fn pack(entries: &BTreeMap<Option<char>, Places>) -> Vec<u8> {
    let mut blob = Vec::new();
    for (second, places) in entries {
        let body = encode(places);
        put(&mut blob, second.map_or(0, u32::from));
        put(
            &mut blob,
            u32::try_from(body.len()).expect("a list of one segment is at most a bitmap long"),
        );
        blob.extend_from_slice(&body);
    }
    blob
}

/// The documents of one gram in a lead's blob; none when the gram does not occur or the blob is damaged.
pub fn places(blob: &[u8], second: Option<char>) -> Places {
    let wanted = second.map_or(0, u32::from);
    let mut rest = blob;
    while let (Some(found), Some(length)) = (take(&mut rest), take(&mut rest)) {
        let Some((body, after)) = rest.split_at_checked(length as usize) else {
            break;
        };
        if found == wanted {
            return decode(body);
        }
        if found > wanted {
            break;
        }
        rest = after;
    }
    Places::new()
}

/// A list as bytes: first 0 for gaps or 1 for a bitmap.
pub fn encode(places: &[u16]) -> Vec<u8> {
    let mut gaps = vec![0u8];
    let mut next = 0u32;
    for place in places {
        put(&mut gaps, u32::from(*place) - next);
        next = u32::from(*place) + 1;
        if gaps.len() > BITMAP_BYTES {
            return bitmap(places);
        }
    }
    gaps
}

fn bitmap(places: &[u16]) -> Vec<u8> {
    let mut bytes = vec![0u8; 1 + BITMAP_BYTES];
    bytes[0] = 1;
    for place in places {
        bytes[1 + usize::from(*place) / 8] |= 1 << (place % 8);
    }
    bytes
}

/// The list in bytes made by [`encode`]; what cannot be read is left out.
pub fn decode(bytes: &[u8]) -> Places {
    match bytes.split_first() {
        Some((0, mut gaps)) => {
            let (mut found, mut next) = (Places::new(), 0u32);
            while let Some(gap) = take(&mut gaps) {
                let Some(place) = next.checked_add(gap).filter(|place| (*place as usize) < SEGMENT) else {
                    break;
                };
                found.push(place as u16);
                next = place + 1;
            }
            found
        }
        Some((1, bits)) => (0..SEGMENT.min(bits.len() * 8))
            .filter(|place| bits[place / 8] & (1 << (place % 8)) != 0)
            .map(|place| place as u16)
            .collect(),
        _ => Places::new(),
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0u32, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_split_into_characters_and_neighbours() {
        let found: Vec<Gram> = grams("路灯\u{1f}坏").collect();
        assert_eq!(found, [('坏', None), ('灯', None), ('路', None), ('路', Some('灯'))]);
        assert_eq!(word_grams("灯"), [('灯', None)]);
        assert_eq!(word_grams("路灯坏"), [('灯', Some('坏')), ('路', Some('灯'))]);
    }

    #[test]
    fn damaged_bytes_give_less_never_a_panic() {
        let mut builder = Builder::default();
        builder.add(3, "路灯");
        builder.add(9, "路灯不亮");
        for (_, blob) in builder.finish() {
            for end in 0..blob.len() {
                places(&blob[..end], Some('灯'));
            }
        }
        assert_eq!(places(&[0xff; 12], Some('灯')), Places::new());
    }

    proptest! {
        #[test]
        fn lists_read_back(places in prop::collection::btree_set(0u16..SEGMENT as u16, 0..4000)) {
            let places: Places = places.into_iter().collect();
            prop_assert_eq!(decode(&encode(&places)), places);
        }

        #[test]
        fn each_document_is_under_each_of_its_grams(texts in prop::collection::vec("[a-d路灯坏]{0,6}", 1..40)) {
            let mut builder = Builder::default();
            for (place, text) in texts.iter().enumerate() {
                builder.add(place as u16, text);
            }
            let blobs: HashMap<char, Vec<u8>> = builder.finish().collect();
            for lead in "abcd路灯坏".chars() {
                for second in [None].into_iter().chain("abcd路灯坏".chars().map(Some)) {
                    let gram: String = [Some(lead), second].into_iter().flatten().collect();
                    let expected: Places =
                        texts.iter().enumerate().filter(|(_, t)| t.contains(&gram)).map(|(place, _)| place as u16).collect();
                    let found = blobs.get(&lead).map(|blob| places(blob, second)).unwrap_or_default();
                    prop_assert_eq!(found, expected);
                }
            }
        }

        #[test]
        fn lists_combine_as_sets(a in prop::collection::btree_set(0u16..300, 0..80), b in prop::collection::btree_set(0u16..300, 0..80)) {
            let (left, right): (Places, Places) = (a.iter().copied().collect(), b.iter().copied().collect());
            prop_assert_eq!(both(&left, &right), a.intersection(&b).copied().collect::<Places>());
            prop_assert_eq!(either(&left, &right), a.union(&b).copied().collect::<Places>());
        }
    }
}
