//! The hash that decides whether an object has changed.
//!
//! An object is compared with its published version by 64 bits. The hash is keyed with a random number of the store, so
//! the provider, who does not know the key, cannot construct two contents with equal hashes. An accidental match of a
//! changed object has a probability of 2⁻⁶⁴.

use std::hash::Hasher;

use integration_graph::{ObjectJson, StepId};
use rusqlite::Connection;
use siphasher::sip::SipHasher13;

use super::index::key_index::hash_of;
use super::sqlite_error::unreadable;
use super::{ObjectBatch, Revision, Row, StoreError};

/// A content hash, in the form in which SQLite stores it.
pub(super) type ContentHash = i64;

/// The random key of a store's hashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct HashKey([u8; 16]);

impl HashKey {
    /// Reads the key of a store.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let bytes: Vec<u8> = connection.query_row("SELECT bytes FROM hash_key", [], |row| row.get(0))?;
        let key = bytes.try_into().map_err(|_| unreadable(StoreError::Corrupt("the hash key".to_owned())))?;
        Ok(Self(key))
    }

    /// Returns the hash of the content of each row.
    pub(super) fn hash_all(self, objects: &ObjectBatch) -> Vec<ContentHash> {
        objects.iter().map(|(row, json)| self.hash(row, json)).collect()
    }

    /// Returns the revision of an entity with these properties.
    pub(super) fn revision(self, properties: &str) -> Revision {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(properties.as_bytes());
        Revision::new(hasher.finish())
    }

    /// Returns the hash of all columns that a version consists of.
    pub(super) fn hash(self, row: &Row, json: ObjectJson<'_>) -> ContentHash {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(row.kind as u8);
        let (from, to) = row.ends.as_ref().map_or(("", ""), |(from, to)| (from.as_str(), to.as_str()));
        let parent = row.parent.as_ref().map_or("", |parent| parent.as_str());
        for text in [row.object_type.as_str(), &row.class, parent, from, to, json.properties] {
            hasher.write_usize(text.len());
            hasher.write(text.as_bytes());
        }
        // Absent raw data differs from an empty list, which has two characters.
        hasher.write(json.raw.unwrap_or_default().as_bytes());
        hasher.finish().cast_signed()
    }
}

/// Returns the hash of an object that a step added.
pub(super) fn of_step(content: ContentHash, step: &StepId) -> ContentHash {
    content ^ hash_of(step.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use integration_graph::run::PartitionRef;
    use integration_graph::{ObjectKey, ObjectType};

    fn row() -> Row {
        Row::entity(ObjectKey::new("team-1").unwrap(), ObjectType::literal("acme_team"))
    }

    #[test]
    fn every_column_of_a_version_changes_the_hash_and_the_partition_number_does_not() {
        let key = HashKey([7; 16]);
        let json = ObjectJson { properties: "{}", raw: None };
        let team = |text: &str| ObjectKey::new(text).unwrap();
        let base = key.hash(&row(), json);
        assert_eq!(base, key.hash(&Row { partition: PartitionRef::Shared, ..row() }, json));
        let others = [
            (Row { kind: Kind::Relationship, ..row() }, json),
            (Row { object_type: ObjectType::literal("acme_group"), ..row() }, json),
            (Row { class: "Group".into(), ..row() }, json),
            (Row { parent: Some(team("account-1")), ..row() }, json),
            (Row { ends: Some((team("a"), team("b"))), ..row() }, json),
            (Row { ends: Some((team("ab"), team("c"))), ..row() }, json),
            (Row { ends: Some((team("a"), team("bc"))), ..row() }, json),
            (row(), ObjectJson { properties: r#"{"a":1}"#, raw: None }),
            (row(), ObjectJson { properties: "{}", raw: Some("[]") }),
        ];
        let mut hashes: Vec<_> = others.iter().map(|(row, json)| key.hash(row, *json)).chain([base]).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), others.len() + 1);
        assert_ne!(base, HashKey([8; 16]).hash(&row(), json));
    }
}
