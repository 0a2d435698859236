//! The rows of the previous evaluation, as hashes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::condition::Completeness;

/// The size of the hash of an identity.
const IDENTITY: usize = 16;
/// The size of the hash of a content.
const CONTENT: usize = 8;

/// The maximum number of remembered rows of a result that is not complete.
const MOST: usize = 100_000;

/// The rows that a rule has seen, by the names of its queries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(BTreeMap<String, Rows>);

/// Rows as hashes of their identities and contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rows(BTreeMap<[u8; IDENTITY], [u8; CONTENT]>);

/// The numbers of rows that differ from the previous evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowCounts {
    /// Rows that are new.
    pub created: u64,
    /// Rows with the same entity and other properties.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
}

impl Memory {
    /// Compares the rows of a query with the remembered ones, and remembers them.
    ///
    /// Rows that may be missing stay in memory, so that they are not new when they return. A result that may contain wrong
    /// rows changes nothing.
    pub(crate) fn observe(&mut self, query: &str, rows: &[Value], completeness: Completeness) -> RowCounts {
        if completeness == Completeness::MayDiffer {
            return RowCounts::default();
        }
        let known = self.0.entry(query.to_owned()).or_default();
        let mut counts = RowCounts::default();
        let current = Rows::of(rows);
        for (identity, content) in &current.0 {
            match known.0.get(identity) {
                None => counts.created += 1,
                Some(known) if known != content => counts.updated += 1,
                Some(_) => {}
            }
        }
        if completeness == Completeness::Complete {
            counts.deleted = known.0.keys().filter(|identity| !current.0.contains_key(*identity)).count() as u64;
            *known = current;
        } else {
            known.0.extend(current.0.clone());
            // The memory of a result that is never complete must not grow for ever.
            if known.0.len() > MOST.max(current.0.len()) {
                *known = current;
            }
        }
        counts
    }

    /// Forgets the queries that a rule no longer has.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.0.retain(|query, _| is_known(query));
    }

    /// Returns the number of remembered rows of a query.
    pub fn rows(&self, query: &str) -> usize {
        self.0.get(query).map_or(0, |rows| rows.0.len())
    }
}

impl Rows {
    fn of(rows: &[Value]) -> Self {
        Self(rows.iter().map(|row| (hash(&identity(row)), hash(&row.to_string()))).collect())
    }
}

/// Returns the text that identifies a row: the entity of a row of entities, the whole row of a table.
fn identity(row: &Value) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let entity = row.get("entity");
    let of_entity = ["_id", "_key"].into_iter().find_map(|name| text(entity?.get(name)));
    let of_row = || entity.and_then(|_| text(row.get("id")));
    of_entity.or_else(of_row).map_or_else(|| row.to_string(), |key| format!("entity {key}"))
}

fn hash<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..SIZE]);
    bytes
}

/// Rows are written as one text, because a state of 100,000 rows would otherwise be dominated by punctuation.
impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> =
            self.0.iter().flat_map(|(identity, content)| identity.iter().chain(content)).copied().collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let (rows, rest) = bytes.as_chunks::<{ IDENTITY + CONTENT }>();
        if !rest.is_empty() {
            return Err(D::Error::custom("the remembered rows are cut off"));
        }
        let row = |row: &[u8; IDENTITY + CONTENT]| {
            let (mut identity, mut content) = ([0; IDENTITY], [0; CONTENT]);
            identity.copy_from_slice(&row[..IDENTITY]);
            content.copy_from_slice(&row[IDENTITY..]);
            (identity, content)
        };
        Ok(Self(rows.iter().map(row).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn row(key: u8, value: u8) -> Value {
        json!({"id": key.to_string(), "entity": {"_key": key.to_string()}, "properties": {"value": value}})
    }

    fn counts(created: u64, updated: u64, deleted: u64) -> RowCounts {
        RowCounts { created, updated, deleted }
    }

    #[test]
    fn rows_are_compared_by_entity() {
        let mut memory = Memory::default();
        let complete = Completeness::Complete;
        assert_eq!(memory.observe("q", &[row(1, 0), row(2, 0)], complete), counts(2, 0, 0));
        assert_eq!(memory.observe("q", &[row(2, 1), row(3, 0)], complete), counts(1, 1, 1));
        assert_eq!(memory.observe("other", &[row(2, 1)], complete), counts(1, 0, 0));
        assert_eq!(memory.observe("q", &[json!({"a": 1})], complete), counts(1, 0, 2));
        assert_eq!(memory.observe("q", &[json!({"a": 2})], complete), counts(1, 0, 1));
    }

    #[test]
    fn a_row_behind_a_gap_is_not_new_when_it_returns() {
        let mut memory = Memory::default();
        memory.observe("q", &[row(1, 0), row(2, 0)], Completeness::Complete);
        assert_eq!(memory.observe("q", &[row(3, 0)], Completeness::MayLackRows), counts(1, 0, 0));
        assert_eq!(memory.observe("q", &[row(9, 0)], Completeness::MayDiffer), counts(0, 0, 0));
        assert_eq!(memory.observe("q", &[row(1, 0), row(2, 0), row(3, 0)], Completeness::Complete), counts(0, 0, 0));
    }

    #[test]
    fn damaged_memories_are_errors() {
        for text in ["{\"q\": \"AAAA\"}", "{\"q\": \"?\"}", "{\"q\": 1}"] {
            assert!(serde_json::from_str::<Memory>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn counts_are_set_differences(rounds in prop::collection::vec(prop::collection::btree_map(0_u8..6, 0_u8..2, 0..6), 1..5)) {
            let mut memory = Memory::default();
            let mut before: BTreeMap<u8, u8> = BTreeMap::new();
            for now in rounds {
                let rows: Vec<Value> = now.iter().map(|(key, value)| row(*key, *value)).collect();
                let found = memory.observe("q", &rows, Completeness::Complete);
                let (old, new): (BTreeSet<u8>, BTreeSet<u8>) = (before.keys().copied().collect(), now.keys().copied().collect());
                let updated = old.intersection(&new).filter(|key| before[key] != now[key]).count() as u64;
                prop_assert_eq!(found, counts(new.difference(&old).count() as u64, updated, old.difference(&new).count() as u64));
                let json = serde_json::to_string(&memory).expect("JSON");
                memory = serde_json::from_str(&json).expect("a memory");
                prop_assert_eq!(memory.rows("q"), now.len());
                before = now;
            }
        }
    }
}
