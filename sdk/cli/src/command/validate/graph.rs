//! The rules that objects keep or break together: keys are unique, relationships have both ends, and their types follow.
//!
//! Objects come one by one, in any order. What stays in memory is a digest of each key with its type, and each relationship
//! whose ends have not all been met yet: few where entities come first, as they do from the store and from folders that tell
//! entities from relationships. Never an object.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

use integration_sdk::graph::{ObjectType, RelationshipClass, relationship_type};
use integration_sdk::schema::Finding;

use crate::report::{Findings, Rule};

use super::allowance::Allowance;
use super::object::{Defect, ENDS};
use super::secrets;

/// Stands for a key: two keyed hashes, so that two keys of one digest need not be expected.
pub(super) type Digest = (u64, u64);

/// Makes digests; those of one and the same are comparable.
#[derive(Debug, Clone, Default)]
pub(super) struct Digests(RandomState, RandomState);

impl Digests {
    pub(super) fn of(&self, key: &str) -> Digest {
        (self.0.hash_one(key), self.1.hash_one(key))
    }
}

/// What is left of an object when it has been looked at by itself.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) file: Option<Arc<Path>>,
    pub(super) is_entity: bool,
    pub(super) object_type: String,
    pub(super) key: String,
    /// None where it has no key.
    pub(super) digest: Option<Digest>,
    /// The verb of a direct relationship.
    pub(super) class: Option<RelationshipClass>,
    /// By [`ENDS`].
    pub(super) ends: [Option<Digest>; 3],
    pub(super) defects: Vec<Defect>,
}

/// A type by the order in which types were met.
type TypeNumber = u32;

#[derive(Debug)]
struct Kept {
    is_entity: bool,
    object_type: TypeNumber,
}

/// A relationship of which not all ends have been met.
struct Waiting {
    file: Option<Arc<Path>>,
    object_type: TypeNumber,
    key: Box<str>,
    class: Option<RelationshipClass>,
    ends: [Option<Digest>; 3],
}

/// A graph while it is looked through.
#[derive(Default)]
pub(super) struct Graph {
    keys: HashMap<Digest, Kept>,
    types: Vec<String>,
    numbers: HashMap<String, TypeNumber>,
    /// The type that a relationship between two types should have.
    expected: HashMap<(TypeNumber, RelationshipClass, TypeNumber), Option<ObjectType>>,
    waiting: Vec<Waiting>,
    allowed: Vec<Allowance>,
    findings: Findings,
    entities: u64,
    relationships: u64,
}

impl Graph {
    /// An empty graph; what is `allowed` is no finding.
    pub(super) fn new(allowed: &[Allowance]) -> Self {
        Self { allowed: allowed.to_vec(), ..Self::default() }
    }

    /// Entities and relationships so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.entities, self.relationships)
    }

    /// Takes an object in.
    pub(super) fn add(&mut self, mut seen: Seen) {
        *(if seen.is_entity { &mut self.entities } else { &mut self.relationships }) += 1;
        let object_type = self.number(&seen.object_type);
        for defect in std::mem::take(&mut seen.defects) {
            self.find(defect, object_type, &seen.key, seen.file.as_deref());
        }
        if let Some(digest) = seen.digest {
            match self.keys.entry(digest) {
                Entry::Vacant(free) => drop(free.insert(Kept { is_entity: seen.is_entity, object_type })),
                Entry::Occupied(_) => {
                    let defect = Defect::new(Rule::DuplicateKey, "/_key", "another object has this key");
                    self.find(defect, object_type, &seen.key, seen.file.as_deref());
                }
            }
        }
        if seen.ends.iter().any(Option::is_some) {
            let Seen { file, key, class, ends, .. } = seen;
            let relationship = Waiting { file, object_type, key: key.into(), class, ends };
            if ends.iter().flatten().all(|end| self.entity(end).is_some()) {
                self.check(&relationship);
            } else {
                self.waiting.push(relationship);
            }
        }
    }

    /// All findings, once there are no more objects.
    pub(super) fn findings(mut self) -> Findings {
        for relationship in std::mem::take(&mut self.waiting) {
            self.check(&relationship);
        }
        self.findings
    }

    fn check(&mut self, relationship: &Waiting) {
        for (place, end) in ENDS.into_iter().zip(relationship.ends) {
            if end.is_some_and(|end| self.entity(&end).is_none()) {
                let defect = Defect::new(Rule::MissingEnd, place, "there is no entity of this key");
                self.find(defect, relationship.object_type, &relationship.key, relationship.file.as_deref());
            }
        }
        let [from, to, _] = relationship.ends.map(|end| end.and_then(|end| self.entity(&end)));
        let (Some(from), Some(to), Some(class)) = (from, to, relationship.class) else { return };
        let Some(expected) = self.expected(from, class, to) else { return };
        if expected.as_str() != self.types[relationship.object_type as usize] {
            let defect =
                Defect::new(Rule::RelationshipType, "/_type", format!("by the types of its ends it is {expected}"));
            self.find(defect, relationship.object_type, &relationship.key, relationship.file.as_deref());
        }
    }

    fn entity(&self, key: &Digest) -> Option<TypeNumber> {
        self.keys.get(key).filter(|kept| kept.is_entity).map(|kept| kept.object_type)
    }

    /// None where one of the types is no name of a type.
    fn expected(&mut self, from: TypeNumber, class: RelationshipClass, to: TypeNumber) -> Option<ObjectType> {
        let types = &self.types;
        let name = |number: TypeNumber| ObjectType::new(&types[number as usize]).ok();
        let follow = || Some(relationship_type(&name(from)?, class, &name(to)?));
        self.expected.entry((from, class, to)).or_insert_with(follow).clone()
    }

    fn number(&mut self, object_type: &str) -> TypeNumber {
        if let Some(number) = self.numbers.get(object_type) {
            return *number;
        }
        let number = TypeNumber::try_from(self.types.len()).unwrap_or(TypeNumber::MAX);
        self.types.push(object_type.to_owned());
        self.numbers.insert(object_type.to_owned(), number);
        number
    }

    fn find(&mut self, defect: Defect, object_type: TypeNumber, key: &str, file: Option<&Path>) {
        let named = &self.types[object_type as usize];
        if self.allowed.iter().any(|allowance| allowance.covers(defect.rule, named)) {
            return;
        }
        let masked = |text: &str| secrets::masked(text).into_owned();
        let finding = Finding {
            object_type: masked(&self.types[object_type as usize]),
            key: masked(key),
            pointer: masked(&defect.pointer),
            reason: masked(&defect.reason),
            schema: defect.schema,
        };
        self.findings.add(defect.rule, 1, finding, file);
    }
}
