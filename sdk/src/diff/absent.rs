//! The entities that one of the graphs lacks, which determine the changes of their relationships.

use std::collections::HashMap;

use ring::digest::SHA256;
use serde::Deserialize;

use crate::graph::history::ObjectKind;

use super::change::{CoveringGap, GraphSide};
use super::coverage::Coverage;
use super::judge::{self, Absence, Change, Judged, Lone};

/// A digest of a key, which needs only 16 bytes.
pub(super) type KeyDigest = [u8; 16];

pub(super) fn digest(text: &str) -> KeyDigest {
    let mut digest = KeyDigest::default();
    digest.copy_from_slice(&ring::digest::digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    digest
}

/// An object that only one graph contains.
pub(super) struct LoneObject<'a> {
    pub(super) kind: ObjectKind,
    pub(super) object_type: &'a str,
    pub(super) key: &'a str,
    /// The parent under which the object was last collected.
    pub(super) parent: Option<&'a str>,
    pub(super) ends: [Option<&'a str>; 2],
}

impl<'a> LoneObject<'a> {
    /// Returns the keys of the entities under which a gap may cover the object.
    pub(super) fn related(&self) -> [Option<&'a str>; 3] {
        let [from, to] = self.ends;
        [self.parent, from, to]
    }
}

/// The entities that are missing from a graph.
pub(super) struct Absent<'a> {
    pub(super) coverage: &'a Coverage,
    entities: HashMap<KeyDigest, Entity>,
    /// The types of these entities.
    types: Vec<String>,
}

struct Entity {
    absence: Absence,
    /// The position of the type in the list of types.
    type_at: usize,
}

impl<'a> Absent<'a> {
    pub(super) fn from(coverage: &'a Coverage) -> Self {
        Self { coverage, entities: HashMap::new(), types: Vec::new() }
    }

    /// Returns the kind of absence of an object that only the other graph contains.
    ///
    /// Entities must come before relationships, because the absence of an entity is kept for its relationships.
    fn judge(&mut self, object: &LoneObject<'_>, other: &Self) -> Absence {
        let ends = object.ends.map(|end| self.end(end, other).map(|entity| entity.absence));
        let absence =
            judge::absence(&Lone { object_type: object.object_type, parent: object.parent, ends }, self.coverage);
        if object.kind == ObjectKind::Entity {
            if self.types.last().is_none_or(|last| last != object.object_type) {
                self.types.push(object.object_type.to_owned());
            }
            let type_at = self.types.len() - 1;
            self.entities.insert(digest(object.key), Entity { absence, type_at });
        }
        absence
    }

    /// Returns the gap that covers an absent object or an absent end of it.
    fn gap(&self, object: &LoneObject<'_>, other: &Self) -> Option<CoveringGap> {
        self.coverage.covering(object.object_type, &object.related()).or_else(|| {
            let mut ends = object.ends.iter().filter_map(|end| self.end(*end, other));
            let end = ends.find(|end| end.absence == Absence::Unknown)?;
            self.coverage.covering(&self.types[end.type_at], &[])
        })
    }

    fn end(&self, key: Option<&str>, other: &Self) -> Option<&Entity> {
        let digest = digest(key?);
        // A key that belongs to another type in the other graph is absent from neither.
        self.entities.get(&digest).filter(|_| !other.entities.contains_key(&digest))
    }
}

/// Judges an object that only the older graph contains.
pub(super) fn removed<'a>(object: &LoneObject<'_>, older: &Absent<'a>, newer: &mut Absent<'a>) -> Judged {
    match newer.judge(object, older) {
        Absence::Observed => (Change::Removed, None),
        Absence::Unknown => (Change::Unknown, newer.gap(object, older).map(|gap| (gap, GraphSide::To))),
    }
}

/// Judges an object that only the newer graph contains.
pub(super) fn added<'a>(object: &LoneObject<'_>, older: &mut Absent<'a>, newer: &Absent<'a>) -> Judged {
    match older.judge(object, newer) {
        Absence::Observed => (Change::Added, None),
        Absence::Unknown => (Change::Unknown, older.gap(object, newer).map(|gap| (gap, GraphSide::From))),
    }
}

/// Returns the source entity of a mapped relationship.
pub(super) fn source_of(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Mapped {
        #[serde(rename = "_mapping")]
        mapping: Mapping,
    }
    #[derive(Deserialize)]
    struct Mapping {
        #[serde(rename = "sourceEntityKey")]
        source: String,
    }
    let Mapped { mapping } = serde_json::from_str(json).ok()?;
    Some(mapping.source)
}
