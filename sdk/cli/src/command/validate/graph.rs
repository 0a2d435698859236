//! The rules about several objects: unique keys, existing ends of relationships, and types that match those ends.
//!
//! Objects arrive one by one, in any order. The check keeps a digest and the type of each key, and the relationships with an end
//! that has not been seen yet. These are few if entities arrive first, as they do from the store and from folders that
//! separate entities from relationships. The check never keeps objects.

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

/// The digest of a key: two keyed hashes, so that collisions are practically impossible.
pub(super) type Digest = (u64, u64);

/// Computes digests; only digests of the same instance are comparable.
#[derive(Debug, Clone, Default)]
pub(super) struct Digests(RandomState, RandomState);

impl Digests {
    pub(super) fn of(&self, key: &str) -> Digest {
        (self.0.hash_one(key), self.1.hash_one(key))
    }
}

/// The result of checking one object on its own.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) file: Option<Arc<Path>>,
    pub(super) is_entity: bool,
    pub(super) object_type: String,
    pub(super) key: String,
    /// `None` if the object has no key.
    pub(super) digest: Option<Digest>,
    /// The class of a direct relationship.
    pub(super) class: Option<RelationshipClass>,
    /// The ends, in the order of [`ENDS`].
    pub(super) ends: [Option<Digest>; 3],
    pub(super) defects: Vec<Defect>,
}

/// The index of a type, in order of first appearance.
type TypeNumber = u32;

#[derive(Debug)]
struct Kept {
    is_entity: bool,
    object_type: TypeNumber,
}

/// A relationship with an end that has not been seen yet.
struct Waiting {
    file: Option<Arc<Path>>,
    object_type: TypeNumber,
    key: Box<str>,
    class: Option<RelationshipClass>,
    ends: [Option<Digest>; 3],
}

/// The state of a check across all objects.
#[derive(Default)]
pub(super) struct Graph {
    keys: HashMap<Digest, Kept>,
    types: Vec<String>,
    numbers: HashMap<String, TypeNumber>,
    /// The expected type of a relationship between two types.
    expected: HashMap<(TypeNumber, RelationshipClass, TypeNumber), Option<ObjectType>>,
    waiting: Vec<Waiting>,
    allowed: Vec<Allowance>,
    findings: Findings,
    entities: u64,
    relationships: u64,
}

impl Graph {
    /// Creates an empty graph; `allowed` violations are not reported.
    pub(super) fn new(allowed: &[Allowance]) -> Self {
        Self { allowed: allowed.to_vec(), ..Self::default() }
    }

    /// The numbers of entities and relationships so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.entities, self.relationships)
    }

    /// Adds an object.
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

    /// Returns all findings after the last object.
    pub(super) fn findings(mut self) -> Findings {
        for relationship in std::mem::take(&mut self.waiting) {
            self.check(&relationship);
        }
        self.findings
    }

    fn check(&mut self, relationship: &Waiting) {
        for (place, end) in ENDS.into_iter().zip(relationship.ends) {
            if end.is_some_and(|end| self.entity(&end).is_none()) {
                let defect = Defect::new(Rule::MissingEnd, place, "there is no entity with this key");
                self.find(defect, relationship.object_type, &relationship.key, relationship.file.as_deref());
            }
        }
        let [from, to, _] = relationship.ends.map(|end| end.and_then(|end| self.entity(&end)));
        let (Some(from), Some(to), Some(class)) = (from, to, relationship.class) else { return };
        let Some(expected) = self.expected(from, class, to) else { return };
        if expected.as_str() != self.types[relationship.object_type as usize] {
            let defect =
                Defect::new(Rule::RelationshipType, "/_type", format!("the ends and the class require {expected}"));
            self.find(defect, relationship.object_type, &relationship.key, relationship.file.as_deref());
        }
    }

    fn entity(&self, key: &Digest) -> Option<TypeNumber> {
        self.keys.get(key).filter(|kept| kept.is_entity).map(|kept| kept.object_type)
    }

    /// The expected type; `None` if an end has an invalid type name.
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
