//! The values of one property of a segment.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use super::ValueRef;

/// The values of one property over the objects of a segment, as codes of distinct values.
///
/// A predicate is evaluated once for each distinct value, and then looked up for each object. Code 0 means that the
/// object does not have the property.
///
/// ```
/// # use integration_query::graph::{Column, ValueRef};
/// let column = Column::of([Some("\"eu\""), None, Some("\"us\""), Some("\"eu\"")]);
/// assert_eq!((0..4).map(|position| column.code(position)).collect::<Vec<_>>(), [1, 0, 2, 1]);
/// assert_eq!(column.distinct(), 2);
/// assert_eq!(column.value(2), ValueRef::Text("us".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) codes: Codes,
    pub(super) dictionary: Dictionary,
}

/// The codes of all positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codes {
    /// Every object has a value of its own: the code is the position plus one.
    Each(u32),
    /// Every object has the first value.
    Same(u32),
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

/// Distinct JSON texts. The value with code `n` ends at the offset `n - 1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dictionary {
    pub(super) ends: Vec<u32>,
    pub(super) text: String,
}

impl Column {
    /// Creates a column from the JSON of each position.
    pub fn of<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let (mut builder, mut length) = (ColumnBuilder::default(), 0);
        for value in values {
            if let Some(json) = value {
                builder.set(length, json);
            }
            length += 1;
        }
        builder.finish(length)
    }

    /// Creates a column in which every object has the same value.
    pub(super) fn constant(json: &str, length: u32) -> Self {
        let mut dictionary = Dictionary::default();
        dictionary.push(json);
        Self { codes: Codes::Same(length), dictionary }
    }

    /// The number of positions.
    pub fn length(&self) -> u32 {
        match &self.codes {
            Codes::Each(length) | Codes::Same(length) => *length,
            Codes::Bytes(codes) => number(codes.len()),
            Codes::Shorts(codes) => number(codes.len()),
            Codes::Words(codes) => number(codes.len()),
        }
    }

    /// Returns the code of the value at a position of the segment; 0 if there is none.
    pub fn code(&self, position: u32) -> u32 {
        let at = position as usize;
        match &self.codes {
            Codes::Each(length) if position < *length => position + 1,
            Codes::Same(length) if position < *length => 1,
            Codes::Each(_) | Codes::Same(_) => 0,
            Codes::Bytes(codes) => codes.get(at).map_or(0, |code| u32::from(*code)),
            Codes::Shorts(codes) => codes.get(at).map_or(0, |code| u32::from(*code)),
            Codes::Words(codes) => codes.get(at).copied().unwrap_or(0),
        }
    }

    /// The number of distinct values. Their codes begin with 1.
    pub fn distinct(&self) -> u32 {
        number(self.dictionary.ends.len())
    }

    /// Returns the JSON of a distinct value; `null` for code 0.
    pub fn json(&self, code: u32) -> &str {
        self.dictionary.get(code).unwrap_or("null")
    }

    /// Returns a distinct value; null for code 0.
    pub fn value(&self, code: u32) -> ValueRef<'_> {
        ValueRef::parse(self.json(code))
    }

    /// Returns the value at a position of the segment.
    pub fn value_at(&self, position: u32) -> Option<ValueRef<'_>> {
        Some(self.code(position)).filter(|code| *code > 0).map(|code| self.value(code))
    }

    /// The approximate size in memory in bytes.
    pub fn bytes(&self) -> usize {
        let codes = match &self.codes {
            Codes::Each(_) | Codes::Same(_) => 0,
            Codes::Bytes(codes) => codes.len(),
            Codes::Shorts(codes) => codes.len() * 2,
            Codes::Words(codes) => codes.len() * 4,
        };
        codes + self.dictionary.text.len() + self.dictionary.ends.len() * 4
    }
}

impl Dictionary {
    pub(super) fn get(&self, code: u32) -> Option<&str> {
        let at = (code as usize).checked_sub(1)?;
        let begin = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(begin as usize..*self.ends.get(at)? as usize)
    }

    fn push(&mut self, json: &str) -> u32 {
        self.text.push_str(json);
        self.ends.push(number(self.text.len()));
        number(self.ends.len())
    }
}

/// Converts a length that the limits of a segment keep small.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Collects the values of a column.
#[derive(Debug, Default)]
pub(super) struct ColumnBuilder {
    codes: Vec<u32>,
    dictionary: Dictionary,
    known: HashTable<u32>,
    hashes: Arc<RandomState>,
}

impl ColumnBuilder {
    /// Creates a builder that shares the hash function of others.
    pub(super) fn new(hashes: &Arc<RandomState>) -> Self {
        Self { hashes: Arc::clone(hashes), ..Self::default() }
    }

    /// Sets the value of a position. Positions ascend.
    pub(super) fn set(&mut self, position: u32, json: &str) {
        // Neighbours in key order often have equal values.
        let last = self.codes.last().copied().filter(|code| self.dictionary.get(*code) == Some(json));
        let code = last.unwrap_or_else(|| self.code_of(json));
        self.codes.resize(position as usize, 0);
        self.codes.push(code);
    }

    fn code_of(&mut self, json: &str) -> u32 {
        let Self { dictionary, known, hashes, .. } = self;
        let hash = hashes.hash_one(json);
        if let Some(code) = known.find(hash, |code| dictionary.get(*code) == Some(json)) {
            return *code;
        }
        let code = dictionary.push(json);
        known.insert_unique(hash, code, |code| hashes.hash_one(dictionary.get(*code).unwrap_or_default()));
        code
    }

    /// Returns the column of a segment with this number of objects.
    pub(super) fn finish(self, length: u32) -> Column {
        let Self { mut codes, dictionary, .. } = self;
        codes.resize(length as usize, 0);
        let distinct = number(dictionary.ends.len());
        let codes = if distinct == length && codes.iter().zip(1..).all(|(code, own)| *code == own) {
            Codes::Each(length)
        } else if distinct == 1 && codes.iter().all(|code| *code == 1) {
            Codes::Same(length)
        } else if let Ok(codes) = codes.iter().map(|code| u8::try_from(*code)).collect() {
            Codes::Bytes(codes)
        } else if let Ok(codes) = codes.iter().map(|code| u16::try_from(*code)).collect() {
            Codes::Shorts(codes)
        } else {
            Codes::Words(codes)
        };
        Column { codes, dictionary }
    }
}
