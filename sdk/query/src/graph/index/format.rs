//! The binary form of an index.
//!
//! ```text
//!   section … section  contents (JSON)  trailer: begin and length of the contents, checksum, version, magic
//! ```
//!
//! A section holds a column or a list of numbers. The contents name the snapshot and the place and checksum of each
//! section. Numbers are little-endian. A reader trusts nothing: bytes that do not have this form are no index.

use std::collections::BTreeMap;

use integration_graph::ObjectType;
use integration_store::SnapshotId;
use serde::{Deserialize, Serialize};

use super::super::column::{Codes, Column, Dictionary};

/// The end of every index.
const MAGIC: [u8; 8] = *b"j1-graph";
/// The version of the form. Increase it with every change of this module, or of the meaning of columns.
const VERSION: u32 = 1;
/// The size of the trailer in bytes.
pub(super) const TRAILER: usize = 32;

/// The place of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u32)", into = "(u64, u64, u32)")]
pub(super) struct Section {
    pub(super) begin: u64,
    pub(super) length: u64,
    pub(super) checksum: u32,
}

impl From<(u64, u64, u32)> for Section {
    fn from((begin, length, checksum): (u64, u64, u32)) -> Self {
        Self { begin, length, checksum }
    }
}

impl From<Section> for (u64, u64, u32) {
    fn from(section: Section) -> Self {
        (section.begin, section.length, section.checksum)
    }
}

/// The contents of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) snapshot: Identity,
    pub(super) nodes: Vec<SegmentContents>,
    pub(super) edges: Vec<SegmentContents>,
    pub(super) mapped: Vec<SegmentContents>,
    /// For each mapped relationship, the node of this snapshot at one of its ends.
    pub(super) sources: Section,
    /// Two nodes for each edge.
    pub(super) ends: Section,
    pub(super) forward: Lists,
    pub(super) backward: Lists,
}

/// The sections of the edges of each node in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lists {
    pub(super) offsets: Section,
    pub(super) entries: Section,
}

/// The sections of one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SegmentContents {
    #[serde(rename = "type")]
    pub(super) object_type: ObjectType,
    pub(super) length: u32,
    pub(super) stale: u32,
    pub(super) columns: BTreeMap<String, Section>,
}

/// The identity of a snapshot in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    integration: String,
    instance: String,
    job: String,
    number: u64,
    published: i64,
    with_stale: bool,
}

impl From<&SnapshotId> for Identity {
    fn from(id: &SnapshotId) -> Self {
        Self {
            integration: id.integration.clone(),
            instance: id.instance.to_string(),
            job: id.job.to_string(),
            number: id.number,
            published: id.published.millis(),
            with_stale: id.with_stale,
        }
    }
}

/// Returns the contents as JSON with their trailer. `begin` is their position.
pub(super) fn end(contents: &Contents, begin: u64) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(contents)?;
    let (length, checksum) = (bytes.len() as u64, crc32fast::hash(&bytes));
    bytes.extend_from_slice(&begin.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&MAGIC);
    Ok(bytes)
}

/// Returns the section of the contents that a trailer names. `length` is the size of the whole index.
pub(super) fn contents_at(trailer: &[u8; TRAILER], length: u64) -> Option<Section> {
    let (begin, rest) = trailer.split_first_chunk::<8>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let (version, magic) = rest.split_first_chunk::<4>()?;
    let (begin, size) = (u64::from_le_bytes(*begin), u64::from_le_bytes(*size));
    let is_index = magic == MAGIC && u32::from_le_bytes(*version) == VERSION;
    let end = begin.checked_add(size)?.checked_add(TRAILER as u64)?;
    let section = Section { begin, length: size, checksum: u32::from_le_bytes(*checksum) };
    (is_index && end == length).then_some(section)
}

/// Appends a list of numbers.
pub(super) fn write_numbers(numbers: impl IntoIterator<Item = u32>, bytes: &mut Vec<u8>) {
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads a list of numbers.
pub(super) fn numbers(bytes: &[u8]) -> Option<Vec<u32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| numbers.iter().map(|number| u32::from_le_bytes(*number)).collect())
}

/// Reads a list of pairs.
pub(super) fn pairs(bytes: &[u8]) -> Option<Vec<[u32; 2]>> {
    let (pairs, rest) = bytes.as_chunks::<8>();
    let pair = |[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        [u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h])]
    };
    rest.is_empty().then(|| pairs.iter().map(pair).collect())
}

/// Appends a column: the form of its codes, its length, the number of its values, codes, ends of values, values.
pub(super) fn write_column(column: &Column, bytes: &mut Vec<u8>) {
    let form = match &column.codes {
        Codes::Each(_) => 0,
        Codes::Same(_) => 1,
        Codes::Bytes(_) => 2,
        Codes::Shorts(_) => 3,
        Codes::Words(_) => 4,
    };
    write_numbers([form, column.length(), column.distinct()], bytes);
    match &column.codes {
        Codes::Each(_) | Codes::Same(_) => {}
        Codes::Bytes(codes) => bytes.extend_from_slice(codes),
        Codes::Shorts(codes) => codes.iter().for_each(|code| bytes.extend_from_slice(&code.to_le_bytes())),
        Codes::Words(codes) => write_numbers(codes.iter().copied(), bytes),
    }
    write_numbers(column.dictionary.ends.iter().copied(), bytes);
    bytes.extend_from_slice(column.dictionary.text.as_bytes());
}

/// Reads a column of this length.
pub(super) fn column(bytes: &[u8], expected: u32) -> Option<Column> {
    let (head, rest) = bytes.split_first_chunk::<12>()?;
    let [form, length, distinct] = numbers(head)?[..] else { return None };
    let (count, values) = (length as usize, distinct as usize);
    let width = match form {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        _ => return None,
    };
    let (codes, rest) = rest.split_at_checked(count.checked_mul(width)?)?;
    let codes = match form {
        0 => (length == distinct).then_some(Codes::Each(length))?,
        1 => (distinct == 1).then_some(Codes::Same(length))?,
        2 => Codes::Bytes(codes.to_vec()),
        3 => Codes::Shorts(codes.as_chunks::<2>().0.iter().map(|code| u16::from_le_bytes(*code)).collect()),
        _ => Codes::Words(numbers(codes)?),
    };
    let greatest = match &codes {
        Codes::Each(_) | Codes::Same(_) => 0,
        Codes::Bytes(codes) => codes.iter().copied().max().unwrap_or(0).into(),
        Codes::Shorts(codes) => codes.iter().copied().max().unwrap_or(0).into(),
        Codes::Words(codes) => codes.iter().copied().max().unwrap_or(0),
    };
    let (ends, text) = rest.split_at_checked(values.checked_mul(4)?)?;
    let (ends, text) = (numbers(ends)?, str::from_utf8(text).ok()?.to_owned());
    let is_whole = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == text.len();
    let is_valid = length == expected && greatest <= distinct && is_whole;
    is_valid.then_some(Column { codes, dictionary: Dictionary { ends, text } })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(column: &Column) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_column(column, &mut bytes);
        bytes
    }

    #[test]
    fn columns_of_every_form_are_read_as_written() {
        let text = |number: usize| format!("\"{number}\"");
        let forms: Vec<Vec<Option<String>>> = vec![
            vec![],
            vec![None; 3],
            vec![Some(text(1)); 3],
            (0..3).map(|number| Some(text(number))).collect(),
            vec![Some(text(2)), None, Some(text(1)), Some(text(2))],
            (0..600).map(|number| Some(text(number % 300))).collect(),
            (0..70_000).map(|number| (number > 0).then(|| text(number))).collect(),
        ];
        for values in forms {
            let column = Column::of(values.iter().map(Option::as_deref));
            let length = u32::try_from(values.len()).expect("few values");
            assert_eq!(super::column(&encoded(&column), length), Some(column));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_column_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64), length in 0..4_u32) {
            // Small heads make it likely that the lengths fit.
            let small: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| if at < 12 && at % 4 > 0 { 0 } else { byte % 8 }).collect();
            for bytes in [bytes, small] {
                if let Some(column) = column(&bytes, length) {
                    for position in 0..=length {
                        column.value(column.code(position));
                    }
                }
            }
        }

        #[test]
        fn a_damaged_column_does_not_panic(at in 0..200_usize, byte: u8) {
            let values: Vec<String> = (0..30).map(|number| format!("\"é{}\"", number % 20)).collect();
            let mut bytes = encoded(&Column::of(values.iter().map(|value| Some(value.as_str()))));
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Some(column) = column(&bytes, 30) {
                for position in 0..30 {
                    column.value(column.code(position));
                }
            }
        }
    }
}
