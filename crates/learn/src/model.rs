//! The learned model: its numbers, its bytes.
//!
//! File layout, little-endian: magic `WGLM`, version (u16), categories (u16), features (u32), sharpness (f32); per category
//! name length (u16), name (UTF-8), messages learned from (u32), scale (f32), bias (f32); feature keys (u32, ascending);
//! their rarities (u8, sixteenths); their weights (i8 per category, times the category's scale); and an FNV-1a checksum
//! (u64) of all that. The checksum finds damage, not malice: a model is trusted as far as its origin.

use crate::svm::{Linear, Row};
use crate::text::is_head;
use crate::train::{Counts, MAX_CATEGORIES, MAX_LABEL_BYTES};

const MAGIC: &[u8; 4] = b"WGLM";
const VERSION: u16 = 1;
/// Weight of the head's features beside the whole text's.
const HEAD_WEIGHT: f32 = 0.7;
/// Rarities are kept in steps of a sixteenth: enough, and one byte.
const RARITY_STEPS: f32 = 16.0;
/// Keys that share these upper bits are found together.
const BUCKET_BITS: u32 = 16;

/// The features a model knows, and how rare each is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    /// Ascending.
    keys: Vec<u32>,
    rarity: Vec<u8>,
    /// `buckets[b]..buckets[b + 1]` are the keys whose upper bits are b.
    buckets: Vec<u32>,
}

impl Vocabulary {
    /// `found`: (key, number of messages with it), ascending by key.
    pub(crate) fn new(found: &[(u32, u32)], messages: usize) -> Self {
        let rarity = |in_messages: u32| {
            let rarity = ((1.0 + messages as f32) / (1.0 + in_messages as f32)).ln() + 1.0;
            (rarity * RARITY_STEPS).round().clamp(1.0, 255.0) as u8
        };
        Self::index(
            found.iter().map(|f| f.0).collect(),
            found.iter().map(|f| rarity(f.1)).collect(),
        )
    }

    fn index(keys: Vec<u32>, rarity: Vec<u8>) -> Self {
        let mut buckets = vec![0u32; (1 << BUCKET_BITS) + 1];
        keys.iter()
            .for_each(|key| buckets[(key >> (32 - BUCKET_BITS)) as usize + 1] += 1);
        for b in 1..buckets.len() {
            buckets[b] += buckets[b - 1];
        }
        Vocabulary { keys, rarity, buckets }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, feature: u32) -> u32 {
        self.keys[feature as usize]
    }

    pub(crate) fn find(&self, key: u32) -> Option<u32> {
        let bucket = (key >> (32 - BUCKET_BITS)) as usize;
        let (from, to) = (self.buckets[bucket], self.buckets[bucket + 1]);
        let at = self.keys[from as usize..to as usize].binary_search(&key).ok()?;
        Some(from + at as u32)
    }

    /// Known features with their values: damped count times rarity, head and whole text each brought to one length.
    pub(crate) fn row(&self, message: &Counts) -> Row {
        let mut row = Row::with_capacity(message.len());
        let mut squares = [0f32; 2];
        for &(key, count) in message {
            if let Some(feature) = self.find(key) {
                let rarity = f32::from(self.rarity[feature as usize]) / RARITY_STEPS;
                let value = (1.0 + (count as f32).ln()) * rarity;
                squares[usize::from(is_head(key))] += value * value;
                row.push((feature, value));
            }
        }
        let whole = 1.0 / squares[0].sqrt().max(f32::MIN_POSITIVE);
        let head = HEAD_WEIGHT / squares[1].sqrt().max(f32::MIN_POSITIVE);
        for (feature, value) in &mut row {
            *value *= if is_head(self.keys[*feature as usize]) {
                head
            } else {
                whole
            };
        }
        row
    }
}

/// A trained classifier. Made by [`crate::train`] or [`Model::from_bytes`]; answers through [`Model::predict`].
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) labels: Vec<String>,
    /// Messages learned from, by category.
    pub(crate) sizes: Vec<u32>,
    pub(crate) vocabulary: Vocabulary,
    /// Feature by feature, one per category.
    pub(crate) weights: Vec<i8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) sharpness: f32,
}

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("this is not a model file")]
    NotAModel,
    #[error("the model is of format {0}, this program reads format {VERSION}: train it again")]
    OtherVersion(u16),
    #[error("the model file is damaged")]
    Damaged,
}

impl Model {
    /// The categories it tells apart, sorted, with how many messages of each it learned from.
    pub fn categories(&self) -> impl Iterator<Item = (&str, u32)> {
        self.labels.iter().map(String::as_str).zip(self.sizes.iter().copied())
    }

    /// How many messages of this category it learned from; 0 for one it does not know.
    pub fn learned_from(&self, category: &str) -> u32 {
        self.labels
            .binary_search_by(|label| label.as_str().cmp(category))
            .map_or(0, |at| self.sizes[at])
    }

    /// How many messages it learned from in all.
    pub fn samples(&self) -> u32 {
        self.sizes.iter().sum()
    }

    pub(crate) fn quantise(labels: Vec<String>, sizes: Vec<u32>, vocabulary: Vocabulary, linear: &Linear) -> Self {
        let categories = labels.len();
        let mut scales = vec![f32::MIN_POSITIVE; categories];
        for of_feature in linear.weights.chunks_exact(categories) {
            scales
                .iter_mut()
                .zip(of_feature)
                .for_each(|(scale, weight)| *scale = scale.max(weight.abs() / 127.0));
        }
        let small = |(at, weight): (usize, &f32)| (weight / scales[at % categories]).round() as i8;
        let weights = linear.weights.iter().enumerate().map(small).collect();
        Model {
            labels,
            sizes,
            vocabulary,
            weights,
            scales,
            bias: linear.bias.clone(),
            sharpness: 1.0,
        }
    }

    pub(crate) fn scores(&self, message: &Counts) -> Vec<f32> {
        self.scores_of_row(&self.vocabulary.row(message))
    }

    pub(crate) fn scores_of_row(&self, row: &Row) -> Vec<f32> {
        let categories = self.labels.len();
        let mut sums = vec![0f32; categories];
        for &(feature, value) in row {
            let weights = &self.weights[feature as usize * categories..][..categories];
            sums.iter_mut()
                .zip(weights)
                .for_each(|(sum, &weight)| *sum += value * f32::from(weight));
        }
        (0..categories)
            .map(|k| self.bias[k] + sums[k] * self.scales[k])
            .collect()
    }

    /// The model as a file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.vocabulary.len() * (5 + self.labels.len()));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(self.labels.len() as u16).to_le_bytes());
        out.extend_from_slice(&(self.vocabulary.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.sharpness.to_le_bytes());
        for (k, label) in self.labels.iter().enumerate() {
            out.extend_from_slice(&(label.len() as u16).to_le_bytes());
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(&self.sizes[k].to_le_bytes());
            out.extend_from_slice(&self.scales[k].to_le_bytes());
            out.extend_from_slice(&self.bias[k].to_le_bytes());
        }
        self.vocabulary
            .keys
            .iter()
            .for_each(|key| out.extend_from_slice(&key.to_le_bytes()));
        out.extend_from_slice(&self.vocabulary.rarity);
        out.extend(self.weights.iter().map(|weight| weight.to_le_bytes()[0]));
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads what [`Model::to_bytes`] wrote; anything else is refused, never half-read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() < MAGIC.len() + 2 || &bytes[..4] != MAGIC {
            return Err(ModelError::NotAModel);
        }
        let version = u16::from_le_bytes([bytes[4], bytes[5]]);
        if version != VERSION {
            return Err(ModelError::OtherVersion(version));
        }
        let (content, sum) = bytes.split_last_chunk::<8>().ok_or(ModelError::Damaged)?;
        if checksum(content) != u64::from_le_bytes(*sum) {
            return Err(ModelError::Damaged);
        }
        Reader { rest: &content[6..] }.model().ok_or(ModelError::Damaged)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(self.take(2)?.try_into().ok()?)))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn finite(&mut self) -> Option<f32> {
        Some(f32::from_bits(self.u32()?)).filter(|value| value.is_finite())
    }

    fn model(mut self) -> Option<Model> {
        let categories = self.u16().filter(|n| (2..=MAX_CATEGORIES).contains(n))?;
        let features = self.u32()? as usize;
        let sharpness = self.finite().filter(|&sharpness| sharpness > 0.0)?;
        let (mut labels, mut sizes, mut scales, mut bias) = (vec![], vec![], vec![], vec![]);
        for _ in 0..categories {
            let len = self.u16().filter(|len| (1..=MAX_LABEL_BYTES).contains(len))?;
            labels.push(String::from_utf8(self.take(len)?.to_vec()).ok()?);
            sizes.push(self.u32()?);
            scales.push(self.finite()?);
            bias.push(self.finite()?);
        }
        let keys = self.take(features.checked_mul(4)?)?;
        let keys: Vec<u32> = keys
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let rarity = self.take(features)?.to_vec();
        let weights = self
            .take(features.checked_mul(categories)?)?
            .iter()
            .map(|&b| i8::from_le_bytes([b]))
            .collect();
        let ordered = keys.is_sorted_by(|a, b| a < b) && labels.is_sorted_by(|a, b| a < b);
        let sound = ordered && self.rest.is_empty() && rarity.iter().all(|&r| r > 0);
        let vocabulary = Vocabulary::index(keys, rarity);
        sound.then_some(Model {
            labels,
            sizes,
            vocabulary,
            weights,
            scales,
            bias,
            sharpness,
        })
    }
}
